// SPDX-License-Identifier: Apache-2.0
#include "results/file/replications.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "support/suite.h"

#define SERVICE(member) offsetof(struct summary_service, member)

// 10, 11, 12: mean 11, standard error 1 / sqrt(3), t(2) = 4.303 and 9.925 (printed tables).
START_TEST(by_hand)
{
    struct sweep_result *p = fixture_sweep();
    struct replications *f = replications_create(p);
    struct ci ci = replications_at(f, REPLICATED_SERVICES, 0, 0, SERVICE(sla_latency_s));
    ck_assert_double_eq_tol(ci.value, 0.011, 1e-15);
    ck_assert_double_eq_tol(ci.half_95, 4.303e-3 / sqrt(3), 1e-6);
    ck_assert_uint_eq(ci.n_batches, 3);
    ci = replications_at(f, REPLICATED_SERVICES, 0, 1,
                         SERVICE(sla_latency_s)); // its level is one more
    ck_assert_double_eq_tol(ci.value, 0.012, 1e-15);
    ci = replications_at(f, REPLICATED_TOTALS, 0, 0, SERVICE(latency_s[4]));
    ck_assert_double_eq_tol(ci.value, 0.011 * 0.999 / 0.95, 1e-15);
    ci = replications_at(f, REPLICATED_CPUS, 0, 0, offsetof(struct summary_component, util_frac));
    ck_assert_double_eq_tol(ci.value, 0.55, 1e-15);
    ck_assert_double_eq_tol(ci.half_95, 0.05 * 4.303 / sqrt(3), 1e-4);
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// Every real number of every table is folded: the mean of levels 10, 11, 12 times its row.
START_TEST(all_numbers)
{
    const struct {
        enum replications_part part;
        const struct data_field *fields;
    } tables[] = {{REPLICATED_SERVICES, summary_service_fields},
                  {REPLICATED_TOTALS, summary_service_fields},
                  {REPLICATED_GROUPS, summary_group_fields},
                  {REPLICATED_CPUS, summary_component_fields},
                  {REPLICATED_FLEETS, summary_fleet_fields}};
    const char *const own[] = {"served_qps", "goodput_qps",   "items_per_s", "sla_quantile",
                               "sla_s",      "sla_latency_s", "util_frac",   "power_w",
                               "lost_frac",  "late_frac"};
    struct sweep_result *p = fixture_sweep();
    struct replications *f = replications_create(p);
    int n = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        double k = 0;
        for (const struct data_field *field = tables[t].fields; field->name; field++) {
            bool has_rule = true;
            k++;
            for (size_t i = 0; i < sizeof own / sizeof *own; i++)
                has_rule &= strcmp(field->name, own[i]) != 0;
            if (!has_rule || (field->kind != DATA_KIND_ESTIMATE && field->kind != DATA_KIND_NUMBER))
                continue;
            struct ci ci = replications_at(f, tables[t].part, 0, 0, field->offset);
            ck_assert_msg(fabs(ci.value - 11 * k) < 1e-12, "%s: %g", field->name, ci.value);
            ck_assert_msg(fabs(ci.half_95 - k * 4.303 / sqrt(3)) < 1e-3 * k, "%s", field->name);
            n++;
        }
    }
    ck_assert_int_eq(n, 11 + 11 + 2 + 4 + 4); // of the tables, less those with a rule of their own
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// What is not done does not count, and is counted: 13 and 15 have mean 14, standard error 1.
START_TEST(missing)
{
    struct sweep_result *p = fixture_sweep();
    struct replications *f = replications_create(p);
    ck_assert_uint_eq(f->n_cases, 4);
    ck_assert_uint_eq(f->cases[1].n_replications, 3);
    ck_assert_uint_eq(f->cases[1].n_done, 2);
    ck_assert_uint_eq(f->cases[1].n_missing, 1);
    struct ci ci = replications_at(f, REPLICATED_TOTALS, 1, 0, SERVICE(served_qps));
    ck_assert_double_eq(ci.value, 14000);
    ck_assert_double_eq_tol(ci.half_95, 12706, 1); // t(1)
    ck_assert_uint_eq(ci.n_batches, 2);
    ck_assert_uint_eq(f->cases[3].point, 9);
    ck_assert_uint_eq(f->cases[3].n_missing, 1);
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// One overloaded replication leaves the case without latency and its target missed; what it could
// measure counts.
START_TEST(overloaded)
{
    struct sweep_result *p = fixture_sweep();
    struct replications *f = replications_create(p);
    ck_assert_uint_eq(f->cases[2].n_overloaded, 1);
    ck_assert_uint_eq(f->cases[2].n_done, 2);
    ck_assert_int_eq(f->cases[2].verdict, OVERLOAD_YES);
    struct ci ci = replications_at(f, REPLICATED_SERVICES, 2, 0, SERVICE(sla_latency_s));
    ck_assert_double_nan(ci.value);
    ck_assert_uint_eq(ci.n_batches, 0);
    ck_assert_double_nan(replications_at(f, REPLICATED_TOTALS, 2, 0, SERVICE(latency_max_s)).value);
    ck_assert_double_nan(replications_at(f, REPLICATED_TOTALS, 2, 0, SERVICE(latency_s[0])).value);
    ci = replications_at(f, REPLICATED_CPUS, 2, 0, offsetof(struct summary_component, util_frac));
    ck_assert_double_eq_tol(ci.value, 0.05 * 16.5, 1e-15);
    ck_assert_int_eq(replications_sla(f, 2, 0), VERDICT_MISSED);
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// One axis, `n` replications of the given levels, one service.
static struct sweep_result *replications(const double *levels, uint32_t n)
{
    const char *const labels[] = {"a", "b", "c", "d"};
    struct sweep_result *p = sweep_result_create(1, n);
    point_axes_set(&p->grid, 0, "replication", labels, 4);
    p->replication = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct run_result *run = fixture_load(levels[i], 1, 1);
        p->values[i * p->n_axes + 0] = i;
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    return p;
}

static int32_t verdict_on(const double *levels, uint32_t n)
{
    struct sweep_result *p = replications(levels, n);
    struct replications *f = replications_create(p);
    int32_t sla = replications_sla(f, 0, 0);
    replications_destroy(f);
    sweep_result_destroy(p);
    return sla;
}

// A target of 25 ms, beyond which 5 % of the queries may be and of level 25 are, is met or missed
// when the whole interval says so.
START_TEST(verdicts)
{
    ck_assert_int_eq(verdict_on((const double[]){23.9, 24, 24.1}, 3), VERDICT_MET); // 24 ±0.25
    ck_assert_int_eq(verdict_on((const double[]){24.5, 24.9, 25.0}, 3), VERDICT_UNSURE);
    ck_assert_int_eq(verdict_on((const double[]){25.9, 26, 26.1}, 3), VERDICT_MISSED);
    ck_assert_int_eq(verdict_on((const double[]){1}, 1),
                     VERDICT_UNSURE); // nothing is known of spread
    ck_assert_int_eq(verdict_on((const double[]){25, 25, 25}, 3), VERDICT_MET); // no spread, at it
}
END_TEST

// One service of which lost_frac is lost and three late fractions are late; p95 is the target.
static int32_t verdict_by_late(double lost_frac, const double late_frac[3], uint64_t n_queries)
{
    struct sweep_result *p =
        replications((const double[]){1, 1, 1}, 3); // 1 ms: far below the target
    for (uint32_t i = 0; i < 3; i++) {
        p->services[i].n_queries = n_queries;
        p->services[i].lost_frac.value = lost_frac;
        p->services[i].late_frac.value = late_frac[i];
    }
    struct replications *f = replications_create(p);
    int32_t sla = replications_sla(f, 0, 0);
    replications_destroy(f);
    sweep_result_destroy(p);
    return sla;
}

// The late fraction decides against 5 %, not the latency, whether or not queries are lost.
START_TEST(verdicts_by_late_queries)
{
    const double low[] = {0.0299, 0.03, 0.0301}, near[] = {0.045, 0.049, 0.05};
    const double high[] = {0.0599, 0.06, 0.0601};
    for (int lost = 0; lost < 2; lost++) {
        ck_assert_int_eq(verdict_by_late(0.01 * lost, low, 100000), VERDICT_MET);
        ck_assert_int_eq(verdict_by_late(0.01 * lost, near, 100000), VERDICT_UNSURE);
        ck_assert_int_eq(verdict_by_late(0.01 * lost, high, 100000), VERDICT_MISSED);
    }
    // Lost alone is more than 5 %.
    ck_assert_int_eq(verdict_by_late(0.051, low, 100000), VERDICT_MISSED);
}
END_TEST

// None late in three runs is an exact bound: of 30 queries below 1 - 0.025^(1/30) = 11.6 %, of 300
// below 1.2 %. Of a few hundred queries the spread of three counts is not narrower than chance:
// 3 % +- 1.96 sqrt(0.05 0.95 / 300) = 2.5 % of 300 reaches beyond 5 %, of 3000 it does not.
START_TEST(verdicts_of_few_queries)
{
    const double none[] = {0, 0, 0}, few[] = {0.03, 0.03, 0.03};
    ck_assert_int_eq(verdict_by_late(0, none, 10), VERDICT_UNSURE);
    ck_assert_int_eq(verdict_by_late(0, none, 100), VERDICT_MET);
    ck_assert_int_eq(verdict_by_late(0, few, 100), VERDICT_UNSURE);
    ck_assert_int_eq(verdict_by_late(0, few, 1000), VERDICT_MET);
}
END_TEST

// What is the same in all replications comes out as it is, without a spread: three times a tenth
// over three is not a tenth in floating point.
START_TEST(constants)
{
    const double levels[] = {1e-4, 1e-4, 1e-4};
    struct sweep_result *p = replications(levels, 3);
    struct replications *f = replications_create(p);
    struct ci ci = replications_at(f, REPLICATED_SERVICES, 0, 0, SERVICE(served_qps));
    ck_assert_double_eq(ci.value, 1e-4 * 1000);
    ck_assert_double_eq(ci.half_95, 0);
    ck_assert_double_eq(replications_at(f, REPLICATED_SERVICES, 0, 0, SERVICE(sla_s)).value, 0.025);
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// The points of a case need not stand together, and the cases are in the order of the axes.
START_TEST(any_order)
{
    struct sweep_result *p = sweep_result_create(2, 4);
    point_axes_set(&p->grid, 0, "replication", (const char *const[]){"0", "1"}, 2);
    point_axes_set(&p->grid, 1, "servers", (const char *const[]){"1", "2"}, 2);
    p->replication = 0;
    for (uint32_t i = 0; i < 4; i++) {
        struct run_result *run = fixture_load(1 + i, 1, 1);
        p->values[i * p->n_axes + 0] = i / 2;
        p->values[i * p->n_axes + 1] = 1 - i % 2; // the second value comes first
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    struct replications *f = replications_create(p);
    ck_assert_uint_eq(f->n_cases, 2);
    ck_assert_uint_eq(f->cases[0].point, 1);
    ck_assert_uint_eq(f->cases[1].point, 0);
    ck_assert_double_eq(replications_at(f, REPLICATED_TOTALS, 0, 0, SERVICE(served_qps)).value,
                        3000); // 2, 4
    ck_assert_double_eq(replications_at(f, REPLICATED_TOTALS, 1, 0, SERVICE(served_qps)).value,
                        2000); // 1, 3
    replications_destroy(f);
    sweep_result_destroy(p);
}
END_TEST

// Without replications every point is a case, also where two have the same labels; and nothing is
// known of what is not done, or is no number of the part.
START_TEST(none)
{
    struct sweep_result *p = fixture_points_least(), *twins = sweep_result_create(0, 2);
    struct replications *f = replications_create(p), *two = replications_create(twins);
    ck_assert_uint_eq(two->n_cases, 2);
    ck_assert_uint_eq(f->n_cases, 1);
    ck_assert_uint_eq(f->cases[0].n_missing, 1);
    ck_assert_double_nan(replications_at(f, REPLICATED_TOTALS, 0, 0, SERVICE(served_qps)).value);
    ck_assert_double_nan(replications_at(f, REPLICATED_TOTALS, 0, 0, SERVICE(n_queries)).value);
    ck_assert_double_nan(replications_at(f, REPLICATED_SERVICES, 0, 7, SERVICE(served_qps)).value);
    ck_assert_int_eq(replications_sla(f, 0, 0), VERDICT_NOT_ASKED);
    replications_destroy(f);
    replications_destroy(two);
    replications_destroy(NULL);
    sweep_result_destroy(p);
    sweep_result_destroy(twins);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", by_hand},
                                       {"core", all_numbers},
                                       {"core", missing},
                                       {"core", overloaded},
                                       {"core", verdicts},
                                       {"core", verdicts_by_late_queries},
                                       {"limits", verdicts_of_few_queries},
                                       {"limits", constants},
                                       {"limits", any_order},
                                       {"limits", none}};
    return suite_run("replications", tests, sizeof tests / sizeof *tests);
}
