// SPDX-License-Identifier: Apache-2.0
#include "runs/verdict.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "support/suite.h"

// A run of 40 bins of 1 s after 1 s of warm-up, on one server of one core; two services with a
// target of 2 ms at p95.
enum { N_BINS = 41, PER_BIN = 5000 };

static struct record *make_record(void)
{
    const struct record_shape shape = {.n_services = 2,
                                       .n_groups = 1,
                                       .n_bins = N_BINS,
                                       .n_servers = 1,
                                       .warmup_ns = SIMTIME_S,
                                       .end_ns = N_BINS * SIMTIME_S};
    return record_create(&shape);
}

static struct meta *make_meta(void)
{
    struct meta *meta = meta_create(2, 1, 1);
    meta->groups[0] =
        (struct meta_group){mem_strdup("g"), mem_strdup("p"), .n_servers = 1, .cores = 1};
    for (int s = 0; s < 2; s++)
        meta->services[s] = (struct meta_service){.name = mem_strdup("s"),
                                                  .model = mem_strdup(""),
                                                  .sla_quantile = 0.95,
                                                  .sla_ns = 2 * SIMTIME_MS};
    return meta;
}

// PER_BIN queries of 1 ms in every bin, but n_late + bin % 2 of them of 3 ms; the core is busy for
// busy_ns.
static void fill(struct record *record, uint32_t service, uint32_t n_late, int64_t busy_ns)
{
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        struct tally *tally = record_tally(record, bin, service, PATH_CPU);
        uint32_t late = n_late > 0 ? n_late + bin % 2 : 0;
        tally->n_queries = tally->n_completed = PER_BIN;
        tally->n_late = late;
        tally->hist[hist_index(SIMTIME_MS)] = PER_BIN - late;
        tally->hist[hist_index(3 * SIMTIME_MS)] = late;
        tally->latency_max_ns = late ? 3 * SIMTIME_MS : SIMTIME_MS;
        record_group(record, bin, 0)->busy_ns[PART_CPU] = busy_ns;
    }
}

// services[2] or NULL.
static struct measurement judge_both(uint32_t late_a, uint32_t late_b, int64_t busy_ns, double p99,
                                     struct measurement *services)
{
    const struct verdict_scope scope = {0, p99, services};
    struct record *record = make_record();
    struct meta *meta = make_meta();
    fill(record, 0, late_a, busy_ns);
    fill(record, 1, late_b, busy_ns);
    struct measurement result = verdict_of(record, meta, &scope);
    record_destroy(record);
    meta_destroy(meta);
    return result;
}

static struct measurement judge(uint32_t late_a, uint32_t late_b, int64_t busy_ns, double p99)
{
    return judge_both(late_a, late_b, busy_ns, p99, NULL);
}

// None late: met. Eight in a hundred: missed. The worse of two services decides and lends its
// numbers.
START_TEST(the_worst_service_decides)
{
    struct measurement good = judge(0, 0, SIMTIME_S / 2, 0);
    ck_assert_int_eq(measurement_overall(&good), VERDICT_MET);
    ck_assert_double_eq_tol(good.cpu_util_frac, 0.5, 1e-9);
    struct measurement bad = judge(0, 400, SIMTIME_S / 2, 0);
    ck_assert_int_eq(bad.sla, VERDICT_MISSED);
    ck_assert_int_eq(bad.stable, VERDICT_MET);
    ck_assert_double_eq_tol(bad.late_frac.value, 0.0801, 1e-9);
    ck_assert_double_eq_tol(bad.p95_s.value, 3e-3, 3e-6);
    ck_assert_double_eq_tol(bad.sla_s, 2e-3, 1e-12);
}
END_TEST

// Each service by itself, where it is asked for: one is met, the other missed; when the fleet is
// overloaded, both.
START_TEST(services_are_judged_alone)
{
    struct measurement each[2], all = judge_both(0, 400, SIMTIME_S / 2, 0, each);
    ck_assert_int_eq(each[0].sla, VERDICT_MET);
    ck_assert_double_eq_tol(each[0].late_frac.value, 0, 1e-12);
    ck_assert_double_eq_tol(each[0].p95_s.value, 1e-3, 1e-6);
    ck_assert_int_eq(each[1].sla, VERDICT_MISSED);
    ck_assert(each[1].late_frac.value == all.late_frac.value);
    ck_assert_uint_eq(each[0].n_queries, (N_BINS - 1) * PER_BIN);
    judge_both(0, 0, 2 * SIMTIME_S, 0, each);
    ck_assert_int_eq(each[0].sla, VERDICT_MISSED);
}
END_TEST

// Three or four of a hundred at 3 ms: p95 is well, p99 is beyond 1.2 times the target and within
// twice.
START_TEST(the_tail_has_a_bound_of_its_own)
{
    struct measurement narrow = judge(150, 0, SIMTIME_S / 2, 1.2),
                       wide = judge(150, 0, SIMTIME_S / 2, 2);
    ck_assert_int_eq(narrow.sla, VERDICT_MET);
    ck_assert_int_eq(narrow.tail, VERDICT_MISSED);
    ck_assert_int_eq(wide.tail, VERDICT_MET);
    ck_assert_double_eq_tol(narrow.tail_bound_s, 2.4e-3, 1e-12);
}
END_TEST

// A core that never rests is at its limit, and no target is met then for sure.
START_TEST(a_full_core_is_not_stable)
{
    struct measurement full = judge(0, 0, SIMTIME_S, 0);
    ck_assert_int_ne(full.stable, VERDICT_MET);
    ck_assert_int_ne(measurement_overall(&full), VERDICT_MET);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", the_worst_service_decides},
                                       {"core", services_are_judged_alone},
                                       {"core", the_tail_has_a_bound_of_its_own},
                                       {"limits", a_full_core_is_not_stable}};
    return suite_run("verdict", tests, sizeof tests / sizeof *tests);
}
