// SPDX-License-Identifier: Apache-2.0
#include "runs/demand.h"

#include <stdio.h>
#include <unistd.h>

#include "runs/footprint.h"
#include "runs/runs_fixture.h"
#include "base/mem.h"

// Cores at 200 us a request and 20 us an item; two groups, the second of half the weight. What is
// a few sums of such numbers is held to 1e-12, thousands of roundings of a number near 1e-3.
#define TEXT                                                                                       \
    "duration: 10s\n"                                                                              \
    "traffic: [{service: a, rate: 1000qps, sizes: {distribution: fixed, items: 100}}]\n"           \
    "fleet:\n"                                                                                     \
    "  groups:\n"                                                                                  \
    "    - name: x\n"                                                                              \
    "      cores: 4\n"                                                                             \
    "      servers: 3\n"                                                                           \
    "      weight: 2\n"                                                                            \
    "      scheduler: {policy: fixed, batch_items: 64}\n"                                          \
    "      cost: {kind: synthetic, fixed: 200us, per_item: 20us}\n"                                \
    "    - name: y\n"                                                                              \
    "      cores: 4\n"                                                                             \
    "      servers: 4\n"                                                                           \
    "      weight: 1\n"                                                                            \
    "      scheduler: {policy: fixed, batch_items: 128}\n"                                         \
    "      cost: {kind: synthetic, fixed: 200us, per_item: 20us}\n"

static struct study *parse(const char *setting)
{
    return runs_fixture_study(TEXT, setting);
}

// 100 items in requests of 64 and 36: 2 x 200 us + 100 x 20 us = 2.4 ms; in one: 2.2 ms.
START_TEST(splits_a_query)
{
    struct study *study = parse(NULL);
    struct demand x = demand_of(study, &study->groups[0], 0, 1);
    struct demand y = demand_of(study, &study->groups[1], 0, 1);
    ck_assert_double_eq_tol(x.cpu_s, 2.4e-3, 1e-12);
    ck_assert_double_eq(x.requests, 2);
    ck_assert_double_eq_tol(y.cpu_s, 2.2e-3, 1e-12);
    ck_assert_double_eq(y.requests, 1);
    ck_assert_double_eq(x.load_s + x.compute_s, 0);
    study_destroy(study);
}
END_TEST

// Means run over the sizes as the table has them, whatever the batch is.
START_TEST(mean_over_sizes)
{
    struct study *study = parse("traffic[0].sizes={distribution: lognormal, mu: 5.1, sigma: 0.2, "
                                "max_items: 1024}");
    const struct qsize *sizes = study->sizes[0];
    double requests = 0;
    for (uint32_t n = qsize_min_items(sizes); n <= qsize_max_items(sizes); n++)
        requests += qsize_pmf(sizes, n) * ((n + 63) / 64);
    struct demand mean = demand_of(study, &study->groups[0], 0, 1);
    // Sums of a thousand numbers in two orders.
    ck_assert_double_eq_tol(mean.requests, requests, 1e-9);
    ck_assert_double_eq_tol(mean.cpu_s, requests * 200e-6 + qsize_mean_items(sizes) * 20e-6, 1e-9);
    study_destroy(study);
}
END_TEST

// Above the threshold a query is the accelerator's, whole: one request, no core.
START_TEST(offloads)
{
    struct study *study = parse(NULL);
    double *cpu_s = demand_cpu_s(study->groups[0].costs[0], 100, 4);
    struct demand_split split = {study->groups[0].costs[0],
                                 study->sizes[0],
                                 cpu_s,
                                 4,
                                 {.batch_items = 64, .offload_items = 101}};
    ck_assert_double_eq(demand_mean(&split).requests, 2);
    ck_assert_double_eq(cpu_s[0], 0);
    ck_assert_double_eq_tol(cpu_s[100], 2.2e-3, 1e-12);
    // A batch above the largest query is one request, as one of its size.
    split.dispatch.batch_items = 65535;
    ck_assert_double_eq(demand_mean(&split).requests, 1);
    ck_assert_double_eq_tol(demand_mean(&split).cpu_s, 2.2e-3, 1e-12);
    mem_free(cpu_s);
    study_destroy(study);
}
END_TEST

// Shares are by weight: 2 of 3 x 2 + 4 x 1 = 10 parts, and 1 of them.
START_TEST(shares_of_servers)
{
    struct study *study = parse(NULL);
    ck_assert_double_eq_tol(demand_share_frac(study, &study->groups[0]), 0.2, 1e-12);
    ck_assert_double_eq_tol(demand_share_frac(study, &study->groups[1]), 0.1, 1e-12);
    // 10 000 queries: 6000 make two requests each, 4000 one.
    ck_assert_double_eq_tol(demand_requests(study), 16000, 1e-6);
    study_destroy(study);
}
END_TEST

// More queries and smaller batches are more work.
START_TEST(work_grows)
{
    struct study *study = parse(NULL), *longer = parse("duration=20s"),
                 *finer = parse("fleet.groups[1].scheduler.batch_items=1");
    double made_s = footprint_of(&study->fleet, (uint32_t)study->settings.bins + 1).wall_s;
    ck_assert_double_eq_tol(demand_wall_s(longer) - made_s, 2 * (demand_wall_s(study) - made_s),
                            1e-9);
    ck_assert_double_gt(demand_wall_s(finer), demand_wall_s(study));
    ck_assert_double_gt(demand_wall_s(study), 0);
    study_destroy(study);
    study_destroy(longer);
    study_destroy(finer);
}
END_TEST

// Twice the load for an hour of four: the mean is the rate, the peak what the curve says, and a run
// of a part of the day sees that part. 100 items: 2.4 ms of a core on x, which get 0.2 each of
// 1000.
START_TEST(loads_at_the_peak)
{
    struct study *study =
        parse("traffic[0].arrivals={process: diurnal, period: 10s, curve: [1, 3]}");
    struct demand_loads loads = demand_loads(study, &study->groups[0], 10);
    double mean = 0.2 * 1000 * 2.4e-3 / 4;
    ck_assert_double_eq_tol(loads.mean.busy_frac, mean, 1e-9);
    ck_assert_double_eq_tol(loads.mean.alone_frac, mean, 1e-9);
    ck_assert_double_eq_tol(loads.peak.busy_frac, 1.5 * mean, 1e-9);
    ck_assert_double_eq(loads.peak.accel_frac, 0);
    loads = demand_loads(study, &study->groups[0], 2.5); // 0.5 to 1 of the rate
    ck_assert_double_eq_tol(loads.mean.busy_frac, 0.75 * mean, 1e-9);
    ck_assert_double_eq_tol(loads.peak.busy_frac, mean, 1e-9);
    ck_assert_double_eq(demand_period_s(study), 10);
    study_destroy(study);
    study = parse("traffic[0].arrivals={process: diurnal, period: 40s, curve: [1, 3]}");
    ck_assert_double_eq_tol(demand_queries(study), 7500, 1e-6); // 10 s of 40
    ck_assert_double_eq_tol(demand_requests(study), 12000, 1e-6);
    study_destroy(study);
}
END_TEST

// A replay's own sizes are what is asked for: 100 and 200 items, not the distribution's 100.
START_TEST(sizes_of_a_trace)
{
    char *path = mem_printf("/tmp/recfleet-demand-%d.csv", (int)getpid());
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("0,100\n1,200\n2,200\n10,100\n", file);
    fclose(file);
    char *setting = mem_printf("traffic[0].arrivals={process: replay, file: %s}", path);
    struct study *study = parse(setting);
    // 64 + 36: 2.4 ms; 3 x 64 + 8: 4 x 200 us + 4 ms = 4.8 ms.
    struct demand mean = demand_of(study, &study->groups[0], 0, 1);
    ck_assert_double_eq_tol(mean.cpu_s, 3.6e-3, 1e-12);
    ck_assert_double_eq_tol(mean.requests, 3, 1e-12);
    ck_assert_double_eq(demand_queries(study), 3); // before 10 s
    study_destroy(study);
    unlink(path);
    mem_free(setting);
    mem_free(path);
}
END_TEST

// A service without a table of sizes asks for nothing that we know of.
START_TEST(sizes_not_known)
{
    struct study *study = parse(NULL);
    struct qsize *sizes = study->sizes[0];
    study->sizes[0] = NULL;
    ck_assert_double_eq(demand_of(study, &study->groups[0], 0, 1).cpu_s, 0);
    ck_assert_double_eq(demand_requests(study), 0);
    study->sizes[0] = sizes;
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", splits_a_query},    {"core", mean_over_sizes},  {"core", offloads},
        {"core", shares_of_servers}, {"core", work_grows},       {"limits", sizes_not_known},
        {"core", loads_at_the_peak}, {"core", sizes_of_a_trace},
    };
    return suite_run("demand", tests, sizeof tests / sizeof *tests);
}
