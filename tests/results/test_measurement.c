// SPDX-License-Identifier: Apache-2.0
#include "results/measurement.h"

#include <math.h>
#include <stdbool.h>

#include "support/suite.h"

// The worst of what was asked for decides, whichever it is; nothing asked for is not asked.
START_TEST(worst_decides)
{
    for (int32_t stable = 0; stable < N_VERDICTS; stable++)
        for (int32_t sla = 0; sla < N_VERDICTS; sla++)
            for (int32_t tail = 0; tail < N_VERDICTS; tail++) {
                const struct measurement m = {.stable = stable, .sla = sla, .tail = tail};
                const int32_t all[] = {stable, sla, tail};
                int32_t worst = -1;
                for (int i = 0; i < 3; i++)
                    worst = all[i] != VERDICT_NOT_ASKED && all[i] > worst ? all[i] : worst;
                ck_assert_int_eq(measurement_overall(&m), worst < 0 ? VERDICT_NOT_ASKED : worst);
            }
    ck_assert_int_eq(measurement_worse(VERDICT_MET, VERDICT_UNSURE), VERDICT_UNSURE);
    ck_assert_int_eq(measurement_worse(VERDICT_NOT_ASKED, VERDICT_MET), VERDICT_MET);
    ck_assert_int_eq(measurement_worse(VERDICT_MISSED, VERDICT_NOT_ASKED), VERDICT_MISSED);
}
END_TEST

// Every verdict has its name.
START_TEST(names)
{
    ck_assert_str_eq(measurement_verdict_names[VERDICT_MET], "met");
    ck_assert_str_eq(measurement_verdict_names[VERDICT_UNSURE], "unsure");
    ck_assert_str_eq(measurement_verdict_names[VERDICT_MISSED], "missed");
    ck_assert_str_eq(measurement_verdict_names[VERDICT_NOT_ASKED], "not_asked");
    ck_assert_ptr_null(measurement_verdict_names[N_VERDICTS]);
}
END_TEST

// What says nothing neither meets nor misses a target, and has no number.
START_TEST(nothing_is_unsure)
{
    const struct measurement nothing = measurement_none(VERDICT_UNSURE);
    ck_assert_int_eq(measurement_overall(&nothing), VERDICT_UNSURE);
    ck_assert(isnan(nothing.p95_s.value) && isnan(nothing.late_frac.half_95));
    ck_assert(isnan(nothing.power_w) && isnan(nothing.sla_s));
    ck_assert_uint_eq(nothing.n_queries, 0);
    ck_assert(data_field_is_clear(measurement_count_fields, &nothing));
    const struct measurement unasked = measurement_none(VERDICT_NOT_ASKED);
    ck_assert(data_field_is_clear(measurement_fields, &unasked));
}
END_TEST

static int32_t judge(double value, double half, double bound, double clear)
{
    return (int32_t)measurement_judge((struct ci){value, half, 20}, bound, clear);
}

// An interval that touches its bound from below has met it; one that touches it from above has not
// missed it. More half-widths decide less.
START_TEST(intervals_and_bounds)
{
    ck_assert_int_eq(judge(0.5, 0.5, 1, 1), VERDICT_MET);
    ck_assert_int_eq(judge(1.5, 0.5, 1, 1), VERDICT_UNSURE);
    ck_assert_int_eq(judge(1.75, 0.5, 1, 1), VERDICT_MISSED);
    ck_assert_int_eq(judge(0.5, 0.5, 1, 2), VERDICT_UNSURE);
    ck_assert_int_eq(judge(1.75, 0.5, 1, 2), VERDICT_UNSURE);
    ck_assert_int_eq(judge(1, 0, 1, 1.5), VERDICT_MET);
}
END_TEST

// What is not known decides nothing.
START_TEST(unknown_is_unsure)
{
    ck_assert_int_eq(judge(NAN, 0.5, 1, 1), VERDICT_UNSURE);
    ck_assert_int_eq(judge(5, NAN, 1, 1), VERDICT_UNSURE);
    ck_assert_int_eq(judge(5, 0.5, NAN, 1), VERDICT_UNSURE);
    ck_assert_int_eq(judge(0, INFINITY, 1, 1), VERDICT_UNSURE);
}
END_TEST

// By what is expected: as wide as 1000 independent queries make it at 5 %, where fewer than `few`
// are expected late; never narrower than it was, and not known where it was not.
START_TEST(floor_by_what_is_expected)
{
    struct measurement_floor floor = {1000, 0.05, NAN, 51};
    double least = 1.96 * sqrt(0.05 * 0.95 / 1000);
    ck_assert(measurement_late_half(0, &floor) == least);
    ck_assert(measurement_late_half(1, &floor) == 1);
    ck_assert_double_nan(measurement_late_half(NAN, &floor));
    floor.few = 50; // as many are expected
    ck_assert(measurement_late_half(0, &floor) == 0);
    floor.few = INFINITY;
    floor.n_queries = 1e9;
    ck_assert(measurement_late_half(0, &floor) == 1.96 * sqrt(0.05 * 0.95 / 1e9));
}
END_TEST

// By what was counted: three late and one more, of 1000, below `few`, also where no spread is
// known.
START_TEST(floor_by_what_was_counted)
{
    const struct measurement_floor few = {1000, NAN, 3, 20}, many = {1000, NAN, 20, 20};
    ck_assert(measurement_late_half(0, &few) == 1.96 * 2 / 1000);
    ck_assert(measurement_late_half(NAN, &few) == 1.96 * 2 / 1000);
    ck_assert(measurement_late_half(1, &few) == 1);
    ck_assert(measurement_late_half(0, &many) == 0);
    ck_assert_double_nan(measurement_late_half(NAN, &many));
}
END_TEST

// None late of 1000: below 3.68 in 1000 with 97.5 %, whatever the batches show; a few late: at
// least as wide as independent queries; many: as the batches say.
START_TEST(late_of_a_run)
{
    const struct ci none = {0, NAN, 1}, few = {0.04, 0.001, 20};
    ck_assert_double_eq_tol(measurement_late(none, 1000, 0.01).half_95, 3.682e-3, 1e-6);
    ck_assert_double_eq_tol(measurement_late(few, 1000, 0.05).half_95,
                            1.96 * sqrt(0.05 * 0.95 / 1000), 1e-12);
    ck_assert_double_eq(measurement_late(few, 5000, 0.05).half_95, 0.001);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", worst_decides},
                                       {"core", names},
                                       {"core", intervals_and_bounds},
                                       {"core", floor_by_what_is_expected},
                                       {"core", floor_by_what_was_counted},
                                       {"core", late_of_a_run},
                                       {"limits", unknown_is_unsure},
                                       {"limits", nothing_is_unsure}};
    return suite_run("measurement", tests, sizeof tests / sizeof *tests);
}
