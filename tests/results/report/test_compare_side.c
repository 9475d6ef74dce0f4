// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare_side.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/file/fixture_sweep.h"
#include "results/file/fixture_tuning.h"
#include "results/report/compare.h"
#include "support/suite.h"

// policy x replication; `levels` of the runs, point by point, each policy on the same traffic.
static struct sweep_result *sweep_of(const double *levels, uint32_t n_replications)
{
    const char *const numbers[] = {"0", "1", "2"};
    struct sweep_result *p = sweep_result_create(2, 2 * n_replications);
    point_axes_set(&p->grid, 0, "policy", (const char *const[]){"random", "jsq"}, 2);
    point_axes_set(&p->grid, 1, "replication", numbers, n_replications);
    p->replication = 1;
    for (uint32_t i = 0; i < p->n_points; i++) {
        struct run_result *run = fixture_load(levels[i], 1, 1);
        run->meta->traffic_fingerprint = 5;
        run->meta->seed = 100 + i % n_replications;
        p->values[2 * i] = i / n_replications;
        p->values[2 * i + 1] = i % n_replications;
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    return p;
}

static const struct compare_row *row(const struct compare *c, const char *what)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (strcmp(c->rows[i].number->what, what) == 0)
            return &c->rows[i];
    ck_abort_msg("no row %s", what);
    return NULL;
}

// The row of a number of the sides that come from a file alone; releases all but the sides' texts.
static struct compare_row row_alone(struct compare_sides *sides, const char *baseline,
                                    const char *what)
{
    struct err err = {0};
    struct compare *c = compare_create(sides, baseline, &err);
    ck_assert_msg(c != NULL, "%s", err.text);
    struct compare_row found = *row(c, what);
    compare_destroy(c);
    return found;
}

static char *served_of(const struct compare_sides *sides)
{
    const struct compare_side *side = &sides->list[0];
    for (size_t i = 0; i < side->n_numbers; i++)
        if (strstr(side->numbers[i].what, " served"))
            return side->numbers[i].what;
    ck_abort_msg("nothing served");
    return NULL;
}

// Replications on the same traffic are compared one by one. 10, 14, 18 thousand per second against
// 11, 15.5, 19: 1000, 1500, 1000 more, by hand 1166.67 with a half-width of t(0.975, 2) = 4.302653
// times their standard deviation 288.675 over the root of 3, that is 717.1; where Welch's is about
// 9000.
START_TEST(replications_in_pairs)
{
    const double levels[] = {10, 14, 18, 11, 15.5, 19};
    struct sweep_result *p = sweep_of(levels, 3);
    struct compare_sides sides = {0};
    compare_side_add_sweep(&sides, "s.h5", p);
    ck_assert_uint_eq(sides.n, 2);
    ck_assert_str_eq(sides.list[1].name, "policy=jsq");
    struct compare_row r = row_alone(&sides, NULL, served_of(&sides));
    ck_assert(r.paired);
    ck_assert_double_eq_tol(r.diff.value, 1166.6667, 1e-3);
    ck_assert_double_eq_tol(r.diff.half_95, 717.11, 0.05);
    p->points[4].random_seed++; // one of them saw other queries
    compare_side_release(&sides);
    compare_side_add_sweep(&sides, "s.h5", p);
    r = row_alone(&sides, NULL, served_of(&sides));
    ck_assert(!r.paired);
    ck_assert_double_eq_tol(r.diff.value, 1166.6667, 1e-3);
    ck_assert_double_gt(r.diff.half_95, 8000);
    compare_side_release(&sides);
    sweep_result_destroy(p);
}
END_TEST

// With two axes every point is compared with the one that has the label and is otherwise alike;
// with labels of both, all are with one.
START_TEST(otherwise_alike)
{
    const double levels[] = {10, 14, 11, 15};
    struct sweep_result *p = sweep_of(levels, 2);
    struct compare_sides sides = {0};
    struct err err = {0};
    p->replication = -1; // an axis like any other
    compare_side_add_sweep(&sides, "s.h5", p);
    struct compare *c = compare_create(&sides, "policy=random", &err);
    size_t n = 0;
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *r = &c->rows[i];
        ck_assert(compare_side_has(r->base_side, "policy=random"));
        ck_assert_str_eq(r->base_side->labels[1], r->other_side->labels[1]);
        if (strcmp(r->number->what, served_of(&sides)) == 0) {
            ck_assert_double_eq(r->diff.value, 1000);
            n++;
        }
    }
    ck_assert_uint_eq(n, 2);
    compare_destroy(c);
    c = compare_create(&sides, "policy=jsq, replication=1", &err);
    n = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        n += c->rows[i].base_side == &sides.list[3];
    ck_assert_uint_eq(n, c->n_rows);
    compare_destroy(c);
    compare_side_release(&sides);
    sweep_result_destroy(p);
}
END_TEST

// Points that are not done are no sides, and those with other services have no row of all services.
START_TEST(points_that_differ)
{
    struct sweep_result *p = fixture_sweep();
    struct compare_sides sides = {0};
    p->replication = -1;
    compare_side_add_sweep(&sides, "s.h5", p);
    ck_assert_uint_eq(sides.n, 9); // of 12: one failed, one is missing, one is foreign
    struct err err = {0};
    struct compare *c = compare_create(&sides, "policy=random", &err);
    ck_assert_msg(c != NULL, "%s", err.text);
    for (size_t i = 0; i < c->n_rows; i++)
        ck_assert_msg(strncmp(c->rows[i].number->what, "(all)", 5) != 0, "%zu", i);
    compare_destroy(c);
    compare_side_release(&sides);
    sweep_result_destroy(p);
}
END_TEST

// Answers of a capacity search: 40 servers that are sure are exact, 19 to 22 that are not a
// bracket, which is better as a whole; latencies, 48.5 ms +- 1 % on both, are alike.
START_TEST(capacity)
{
    struct capacity_result *s = fixture_capacity_sizes();
    struct compare_sides sides = {0};
    compare_side_add_capacity(&sides, "c.h5", s);
    ck_assert_uint_eq(sides.n, 6);
    struct compare_row r = row_alone(&sides, "type=skylake", "servers");
    ck_assert_double_eq(r.diff.value, -20);
    ck_assert(r.bracket);
    ck_assert_double_eq(r.low, 19 - 40);
    ck_assert_double_eq(r.high, 22 - 40);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_BETTER);
    r = row_alone(&sides, "type=skylake", "feed p95");
    ck_assert_double_eq(r.diff.value, 0);
    ck_assert_double_eq_tol(r.diff.half_95, sqrt(2) * 0.000485, 3e-5);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_ALIKE);
    compare_side_release(&sides);
    capacity_result_destroy(s);
    s = fixture_capacity(); // plans: 2/3 of greedy's hours
    compare_side_add_capacity(&sides, "c.h5", s);
    r = row_alone(&sides, "allocation=optimal", "server hours");
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_WORSE);
    ck_assert_double_eq(r.other.value / r.base.value, 2); // blind has 4 for optimal's 2
    ck_assert(!r.bracket);
    compare_side_release(&sides);
    capacity_result_destroy(s);
}
END_TEST

// The energy of two plans of one day, interval by interval: 320 servers of 210 W all day against
// 40, 80, 160 and 120 are 1411.2, 1209.6, 806.4 and 1008 kWh more for a day like each, and 1108.8
// in the mean; their standard deviation times t(0.975, 3) = 3.182446 over 2 is 414.14. Where other
// traffic comes in one of them, nothing is known.
START_TEST(energy_by_interval)
{
    struct capacity_result *s = fixture_capacity();
    struct compare_sides sides = {0};
    const char *base = "allocation=optimal,provisioning=follow";
    compare_side_add_capacity(&sides, "c.h5", s);
    struct compare_row r = row_alone(&sides, base, "simulated kWh");
    ck_assert(r.paired);
    ck_assert_double_eq_tol(r.diff.value, 1108.8, 1e-9);
    ck_assert_double_eq_tol(r.diff.half_95, 414.13887, 1e-4);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_ALIKE); // four are few for so long a table
    r = row_alone(&sides, "allocation=optimal", "simulated kWh"); // 160 more at any time
    ck_assert_double_eq_tol(r.diff.value, 806.4, 1e-9);
    ck_assert_double_eq_tol(r.diff.half_95, 0, 1e-9);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_WORSE);
    for (size_t i = 0; i < sides.n; i++) // as if the others were of another file
        if (!compare_side_has(&sides.list[i], "provisioning=follow"))
            sides.list[i].parts[2].traffic ^= 2;
    r = row_alone(&sides, base, "simulated kWh");
    ck_assert(!r.paired);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_UNKNOWN);
    compare_side_release(&sides);
    s->demand[5].mean_qps = NAN;
    compare_side_add_capacity(&sides, "c.h5", s);
    ck_assert_uint_eq(sides.list[0].parts[2].traffic, 0);
    ck_assert_uint_ne(sides.list[0].parts[1].traffic, 0);
    compare_side_release(&sides);
    capacity_result_destroy(s);
}
END_TEST

// What a tuning's policies reached: [1000, 1010] qps against [2000, 2020], which is 990 to 1020
// more and better; nothing is said where brackets overlap, and nothing known where one is open.
START_TEST(tuning)
{
    struct tuning_result *t = fixture_tuning(1);
    struct compare_sides sides = {0};
    compare_side_add_tuning(&sides, "t.h5", t);
    struct compare_row r = row_alone(&sides, "policy=static", "held");
    ck_assert_double_eq(r.base.value, 1000);
    ck_assert_double_eq(r.other.value, 2000);
    ck_assert_double_eq(r.low, 990);
    ck_assert_double_eq(r.high, 1020);
    ck_assert_int_eq(compare_verdict_of(&r), COMPARE_BETTER);
    const double missed_qps[] = {2500, NAN};
    const enum compare_verdict verdicts[] = {COMPARE_ALIKE, COMPARE_UNKNOWN};
    for (int i = 0; i < 2; i++) {
        compare_side_release(&sides);
        t->outcomes[0].missed_qps = missed_qps[i];
        compare_side_add_tuning(&sides, "t.h5", t);
        r = row_alone(&sides, "policy=static", "held");
        ck_assert_int_eq(compare_verdict_of(&r), (int)verdicts[i]);
    }
    compare_side_release(&sides);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", replications_in_pairs},
                                       {"core", otherwise_alike},
                                       {"core", capacity},
                                       {"core", tuning},
                                       {"core", energy_by_interval},
                                       {"limits", points_that_differ}};
    return suite_run("compare_side", tests, sizeof tests / sizeof *tests);
}
