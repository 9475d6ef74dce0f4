// SPDX-License-Identifier: Apache-2.0
// Does the interval of a sampled day hold what simulating all of it says?
//
// A day of 12 intervals of half a second on 2000 servers in 20 cells, with a load of 35 to 80 %
// that rises and falls, is simulated in full and estimated from pieces, by 100 seeds. What is
// sampled is about a twentieth of the day's time and cells.
#include "capacity/day.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/run.h"
#include "results/gather.h"
#include "results/batch_hist.h"
#include "support/suite_mpi.h"

enum { N_INTERVALS = 12, N_SEEDS = 100, N_SERVERS = 2000 };
#define INTERVAL_NS (500 * SIMTIME_MS)

// 2 cores a server, 5 ms a query of 100 items: the mean rate is 57 % of what there is.
static struct study *make_study(int seed)
{
    char text[1024];
    struct library library;
    struct err err = {0};
    snprintf(
        text, sizeof text,
        "seed: %d\n"
        "duration: 1s\n"
        "traffic:\n"
        "  - {service: a, rate: 460kqps, sizes: {distribution: lognormal, mu: 4.2, sigma: 0.8, "
        "max_items: 1000}, sla: {p95: 15ms}, arrivals: {process: diurnal, period: 6s, "
        "curve: [0.6, 0.7, 1, 1.3, 1.4, 1]}}\n"
        "fleet: {cells: 20, groups: [{cores: 2, servers: %d, scheduler: {policy: fixed, "
        "batch_items: 1000}, cost: {kind: synthetic, fixed: 1ms, per_item: 40us}}]}\n"
        "balancer: {policy: power-of-two}\n",
        seed, N_SERVERS);
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study =
        study_parse("day.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    library_release(&library);
    return study;
}

// p95 of each interval and of the day, [N_INTERVALS + 1], by a run of the whole day; its warm-up is
// the last interval of the day before. Right on rank 0.
static void simulate_all(const struct study *study, double *p95_s)
{
    struct fleet_config fleet = study->fleet;
    struct service_config service = fleet.services[0];
    struct run_options options = {.layout = LAYOUT_AUTO};
    struct run_cost cost = {0};
    struct record *total = NULL;
    struct err err = {0};
    service.traffic.arrivals.start_s =
        service.traffic.arrivals.period_s - simtime_to_s(INTERVAL_NS);
    fleet.services = &service;
    fleet.duration_ns = (N_INTERVALS + 1) * INTERVAL_NS;
    const struct record_shape shape = {.n_services = 1,
                                       .n_groups = 1,
                                       .n_bins = N_INTERVALS + 1,
                                       .n_servers = N_SERVERS,
                                       .warmup_ns = INTERVAL_NS,
                                       .end_ns = fleet.duration_ns};
    struct record *record = record_create(&shape);
    ck_assert_int_eq(run_fleet(MPI_COMM_WORLD, &fleet, &options, record, &cost, &err), 0);
    ck_assert_int_eq(gather_record(MPI_COMM_WORLD, record, &total, &err), 0);
    // Each hour, and the day.
    for (uint32_t h = 0; total && h <= N_INTERVALS; h++) {
        uint32_t n = h < N_INTERVALS ? 1 : N_INTERVALS;
        struct batch_hist *hist = batch_hist_create(
            &(struct batch_hist_scope){total, h < N_INTERVALS ? h + 1 : 1, {n, n, 1}, 0, 1});
        p95_s[h] = batch_hist_quantile_ns(hist, 0, 1, 0.95) * 1e-9;
        batch_hist_destroy(hist);
    }
    record_destroy(total);
    record_destroy(record);
}

static void sample(struct sample_bench *bench, struct study *study, struct day_result *result)
{
    const uint32_t n_servers = N_SERVERS;
    struct study_capacity *capacity = &study->capacity;
    struct fleet_variant fleets[N_INTERVALS];
    struct err err = {0};
    for (int h = 0; h < N_INTERVALS; h++)
        fleets[h] = (struct fleet_variant){
            .study = study, .n_servers = &n_servers, .n_services = 1, .n_cells = 20};
    capacity->day_s = simtime_to_s(N_INTERVALS * INTERVAL_NS);
    capacity->interval_s = simtime_to_s(INTERVAL_NS);
    capacity->windows = 4;
    capacity->window_s = 0.03;
    capacity->warmup_s = 0.1;
    const struct day_plan plan = {.fleets = fleets};
    ck_assert_msg(day_run(bench, &plan, result, &err) == 0, "%s", err.text);
}

// 95 % intervals: of 1200 hours, 95 % with a standard deviation of 0.6 % (hours of a seed do not
// share draws), of 100 days 95 with one of 2.2. Neither too narrow nor too wide.
START_TEST(intervals_hold_what_the_whole_day_says)
{
    int n_hours = 0, n_days = 0;
    double half = 0;
    for (int seed = 1; seed <= N_SEEDS; seed++) {
        struct study *study = make_study(seed);
        struct sample_bench *bench = sample_bench_create(MPI_COMM_WORLD, NULL);
        struct measurement trials[N_INTERVALS], day;
        struct day_result result = {.rows = {.trials = trials, 1, &day}};
        double p95_s[N_INTERVALS + 1];
        simulate_all(study, p95_s);
        sample(bench, study, &result);
        for (int h = 0; h < N_INTERVALS; h++) {
            const struct measurement *trial = &trials[h];
            n_hours += fabs(trial->p95_s.value - p95_s[h]) <= trial->p95_s.half_95;
            half += trial->p95_s.half_95 / trial->p95_s.value / (N_INTERVALS * N_SEEDS);
        }
        n_days += fabs(day.p95_s.value - p95_s[N_INTERVALS]) <= day.p95_s.half_95;
        sample_bench_destroy(bench);
        study_destroy(study);
    }
    if (suite_mpi_rank() > 0)
        return;
    printf("%d of %d hours, %d of %d days; half-width of an hour %.1f %%\n", n_hours,
           N_INTERVALS * N_SEEDS, n_days, N_SEEDS, 100 * half);
    ck_assert_int_ge(100 * n_hours, 93 * N_INTERVALS * N_SEEDS);
    ck_assert_int_le(100 * n_hours, 97 * N_INTERVALS * N_SEEDS);
    ck_assert_int_ge(n_days, 90 * N_SEEDS / 100);
    ck_assert_int_le(n_days, 99 * N_SEEDS / 100);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", intervals_hold_what_the_whole_day_says}};
    return suite_mpi_run(&argc, &argv, "sampled_day", tests, sizeof tests / sizeof *tests);
}
