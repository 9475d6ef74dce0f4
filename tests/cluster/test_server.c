// SPDX-License-Identifier: Apache-2.0
// A block of servers that are always up against its requests one by one. Those that go down are in
// test_server_outages.c.
#include "cluster/server.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/oracle.h"
#include "cluster/sched.h"
#include "support/suite.h"

// ---- core ---------------------------------------------------------------------------------------

// One service, known times.
START_TEST(plain)
{
    oracle_holds(oracle_make(1));
}
END_TEST

// Two services with tables of their own.
START_TEST(two_services)
{
    oracle_holds(oracle_make(2));
}
END_TEST

// Times by busy cores.
START_TEST(contention)
{
    struct oracle *setting = oracle_make(1);
    setting->fixture.cost_configs[0].contention_frac = 0.5;
    oracle_holds(setting);
}
END_TEST

// Queries of two lengths of time: by their items and by their histories, on busy cores, with a
// spread, and on the accelerator; and a service without histories.
START_TEST(histories)
{
    for (int with_noise = 0; with_noise < 2; with_noise++) {
        struct oracle *setting = oracle_make_reporting(LOAD_WORK, with_noise ? 0.3 : 0);
        struct service_traffic *traffic = &setting->fixture.services[0].traffic;
        struct cost_config *cost = &setting->fixture.cost_configs[0];
        traffic->has_history = true;
        traffic->history = (struct size_config){
            .distribution = qsize_find("lognormal"), .mu = 3, .sigma = 1, .max_items = 300};
        cost->history_item_s = 0.72199113e-6;
        cost->item_history_s = 0.01341592e-6;
        cost->accel_history_item_s = 0.11314159e-6;
        cost->accel_item_history_s = 0.00071828e-6;
        if (with_noise)
            setting->fixture.groups[0].noise =
                (struct noise_config){.spread = SPREAD_GAMMA, .cv = 0.6};
        fixture_set_load(&setting->fixture, 0.2);
        oracle_holds(setting);
    }
}
END_TEST

// Times with a spread, on the cores and on the accelerator.
START_TEST(noise)
{
    struct oracle *setting = oracle_make(2);
    setting->fixture.groups[0].noise = (struct noise_config){.spread = SPREAD_GAMMA, .cv = 0.6};
    fixture_attach(&setting->fixture, 0, 2, false, 120);
    oracle_holds(setting);
}
END_TEST

// The mean of n values is the truth within four standard errors, which are below `narrow`.
static void assert_mean(const char *what, const double *values, int n, double truth, double narrow)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    for (int i = 0; i < n; i++)
        squares += (values[i] - sum / n) * (values[i] - sum / n);
    double se = sqrt(squares / (n - 1.0) / n);
    ck_assert_msg(fabs(sum / n - truth) <= 4 * se, "%s: expected %g, got %g +- %g", what, truth,
                  sum / n, se);
    ck_assert_msg(se < narrow, "%s: standard error %g", what, se);
}

// Times of a server that change together, for some of the requests or for all of them, on cores, of
// which there may be many, and on accelerators.
START_TEST(states)
{
    for (int i = 0; i < 3; i++) {
        struct oracle *setting = oracle_make(2);
        setting->fixture.groups[0].noise =
            (struct noise_config){.spread = i == 1 ? SPREAD_LOGNORMAL : SPREAD_EXPONENTIAL,
                                  .cv = 0.6,
                                  .correlation_ns = i == 1 ? 3 * SIMTIME_MS : 70 * SIMTIME_US,
                                  .correlated_frac = i == 1 ? 1 : 0.5};
        if (i < 2) {
            fixture_attach(&setting->fixture, 0, 2, false, 120);
        } else {
            setting->fixture.platforms[0].cores = 70;
            setting->fixture.config.duration_ns = 20 * SIMTIME_MS;
            fixture_set_load(&setting->fixture, 0.5);
        }
        oracle_holds(setting);
    }
}
END_TEST

// Some servers take longer: by known times, by busy cores, with an accelerator, with noise on top.
START_TEST(slow_servers)
{
    for (int i = 0; i < 4; i++) {
        struct oracle *setting = oracle_make(2);
        setting->fixture.groups[0].slow = (struct slow_config){.frac = 0.4, .factor = 1.7};
        setting->fixture.cost_configs[0].contention_frac = i == 1 ? 0.5 : 0;
        if (i >= 2)
            fixture_attach(&setting->fixture, 0, 2, false, 120);
        if (i == 3)
            setting->fixture.groups[0].noise =
                (struct noise_config){.spread = SPREAD_GAMMA, .cv = 0.6};
        oracle_holds(setting);
    }
}
END_TEST

// What a balancer is told of slow servers: it counts their work as any other's.
START_TEST(slow_reports)
{
    struct oracle *setting = oracle_make_reporting(LOAD_WORK, 0);
    setting->fixture.groups[0].slow = (struct slow_config){.frac = 0.4, .factor = 1.7};
    oracle_ready(setting);
    oracle_reports_hold(setting);
}
END_TEST

// On one core, 80 % busy with a query every 100 us, service times k queries apart are correlated by
// 0.8 e^(-k / 5) where tau is five gaps, and their mean and cv are as if they were not. Standard
// errors are those of 100 batches of 400 queries, far longer than tau.
START_TEST(correlated_in_a_queue)
{
    enum { BATCHES = 100, IN_BATCH = 400, LAGS = 4 };
    static const int lags[LAGS] = {0, 1, 3, 10};
    struct oracle *setting = oracle_make(1);
    struct fixture *fixture = &setting->fixture;
    fixture->platforms[0].cores = 1;
    fixture->cost_configs[0].fixed_s = 80e-6;
    fixture->cost_configs[0].per_item_s = 0;
    fixture_set_batch(fixture, 0, 400);
    fixture->groups[0].noise = (struct noise_config){SPREAD_LOGNORMAL, 0.4, 500 * SIMTIME_US, 0.8};
    fixture->services[0].traffic.arrivals.process = arrival_find("deterministic");
    fixture->services[0].traffic.rate_qps = 1e4;
    fixture->config.duration_ns = (BATCHES * IN_BATCH + 20) * 100 * SIMTIME_US;
    fixture->config.sample_frac = 1;
    oracle_ready(setting);
    for (size_t i = 0; i < setting->n_queries; i++)
        setting->queries[i].server = ORACLE_IN_CELL + 2;
    struct record *record = oracle_run(setting, cpu_kernel_best(), 500, NULL);
    record_sort_samples(record);
    ck_assert_uint_ge(record->n_samples, BATCHES * IN_BATCH + 10);
    double means[BATCHES] = {0}, products[LAGS][BATCHES] = {{0}}, n_waited = 0;
    for (int i = 0; i < BATCHES * IN_BATCH; i++) {
        const struct query_sample *q = &record->samples[i];
        double x = (double)q->service_ns / 80e3 - 1;
        n_waited += q->wait_ns > 0;
        means[i / IN_BATCH] += x / IN_BATCH;
        for (int k = 0; k < LAGS; k++)
            products[k][i / IN_BATCH] += x * ((double)q[lags[k]].service_ns / 80e3 - 1) / IN_BATCH;
    }
    ck_assert_double_gt(n_waited / (BATCHES * IN_BATCH), 0.3);
    assert_mean("mean", means, BATCHES, 0, 0.01);
    for (int k = 0; k < LAGS; k++)
        assert_mean("product", products[k], BATCHES,
                    0.16 * (k == 0 ? 1 : 0.8 * exp(-lags[k] / 5.0)), 0.01);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// Large queries go to an accelerator of three streams.
START_TEST(offload)
{
    struct oracle *setting = oracle_make(1);
    fixture_attach(&setting->fixture, 0, 3, false, 100);
    oracle_holds(setting);
}
END_TEST

// Servers with more cores than a mask of one word tells.
START_TEST(wide)
{
    struct oracle *setting = oracle_make(1);
    setting->fixture.platforms[0].cores = 70;
    setting->fixture.config.duration_ns = 20 * SIMTIME_MS;
    fixture_set_load(&setting->fixture, 0.5);
    oracle_holds(setting);
}
END_TEST

// An overload: work piles up from bin to bin and outlives the run.
START_TEST(overload)
{
    struct oracle *setting = oracle_make(1);
    fixture_set_load(&setting->fixture, 1.6);
    oracle_holds(setting);
}
END_TEST

// A power that does not grow in proportion is still energy bin by bin, server by server.
START_TEST(power_curve)
{
    struct oracle *setting = oracle_make(1);
    setting->fixture.platforms[0].power.gamma = 0.7;
    oracle_holds(setting);
}
END_TEST

// Cores that nothing can warm take cold_factor times as long, and everything that the record holds
// - latencies, busy time, energy, reports - is that of a cost so many times higher.
START_TEST(always_cold)
{
    struct oracle *cold = oracle_make(2), *twice = oracle_make(2);
    oracle_set_cold(cold, 2, 1e-9, 3600);
    fixture_set_load(&cold->fixture, 0.3); // 0.6 of cold cores: short busy times, no warmth adds up
    fixture_set_load(&twice->fixture, 0.3);
    for (int i = 0; i < 2; i++) {
        twice->fixture.cost_configs[i].fixed_s *= 2;
        twice->fixture.cost_configs[i].per_item_s *= 2;
    }
    oracle_ready(cold);
    oracle_ready(twice);
    struct completions cold_reports = {0}, twice_reports = {0};
    struct record *a = oracle_run(cold, cpu_kernel_best(), 500, &cold_reports);
    struct record *b = oracle_run(twice, cpu_kernel_best(), 500, &twice_reports);
    oracle_same_groups(a, b);
    oracle_same_tallies(a, b);
    oracle_same_servers(a, b);
    ck_assert(fixture_same_record(a, b));
    ck_assert_uint_eq(cold_reports.n, twice_reports.n);
    ck_assert_mem_eq(cold_reports.v, twice_reports.v, cold_reports.n * sizeof *cold_reports.v);
    completions_release(&cold_reports);
    completions_release(&twice_reports);
    record_destroy(a);
    record_destroy(b);
    oracle_destroy(cold);
    oracle_destroy(twice);
}
END_TEST

// Core-time of a mean request at that load, over what it is on warm cores.
static double stretch_at(double load, double factor)
{
    struct oracle *setting = oracle_make(1);
    oracle_set_cold(setting, factor, 200e-6, 50e-6);
    fixture_set_batch(&setting->fixture, 0, 400); // a query is one request
    fixture_set_load(&setting->fixture, load);
    setting->fixture.config.duration_ns = load < 0.1 ? 4 * SIMTIME_S : 50 * SIMTIME_MS;
    oracle_ready(setting);
    struct record *record = oracle_run(setting, cpu_kernel_best(), 500, NULL);
    double busy_ns = 0, warm_ns = 0;
    for (size_t i = 0; i < setting->n_queries; i++)
        warm_ns += (double)setting->fixture.tabs[0]->work_ns[setting->queries[i].size_items];
    for (uint32_t bin = 0; bin < ORACLE_BINS; bin++)
        busy_ns += (double)record_group(record, bin, 0)->busy_ns[PART_CPU];
    busy_ns += (double)record_group(record, ORACLE_BINS - 1, 0)->backlog_ns[PART_CPU];
    record_destroy(record);
    oracle_destroy(setting);
    return busy_ns / warm_ns;
}

// Service times fall with load: almost cold_factor times the cost on servers that mostly rest, the
// cost itself on servers that never do, and less in between.
START_TEST(service_falls_with_load)
{
    double idle = stretch_at(0.001, 2), low = stretch_at(0.2, 2), high = stretch_at(0.7, 2);
    double saturated = stretch_at(1.6, 2);
    ck_assert_double_gt(idle, 1.97);
    ck_assert_double_lt(idle, 2);
    ck_assert(idle > low && low > high && high > saturated);
    ck_assert_double_gt(low - high, 0.1);
    ck_assert_double_lt(saturated, 1.02);
    ck_assert_double_gt(saturated, 1);
    ck_assert_double_eq_tol(stretch_at(0.2, 1), 1, 1e-2); // off; the last queries come too late
}
END_TEST

// latency = dispatch delay + wait + service + return delay, in every tally, to the nanosecond; and
// every query is in exactly one tally.
START_TEST(decomposition)
{
    struct oracle *setting = oracle_make(2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    oracle_ready(setting);
    struct record *record = oracle_run(setting, cpu_kernel_best(), 500, NULL);
    uint64_t n_queries = 0, n_items = 0, n_items_sent = 0;
    for (size_t i = 0; i < (size_t)ORACLE_BINS * 2 * N_PATHS; i++) {
        const struct tally *t = &record->tallies[i];
        ck_assert_uint_eq(t->latency_sum_ns,
                          t->n_queries * 60000 + t->wait_sum_ns + t->service_sum_ns);
        n_queries += t->n_queries;
        n_items += t->n_items;
    }
    for (size_t i = 0; i < setting->n_queries; i++)
        n_items_sent += setting->queries[i].size_items;
    ck_assert_uint_eq(n_queries, setting->n_queries);
    ck_assert_uint_eq(n_items, n_items_sent);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// Batches and kernels change no bit of a record.
START_TEST(batches_and_kernels)
{
    struct oracle *setting = oracle_make(2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    oracle_ready(setting);
    struct record *whole = oracle_run(setting, &cpu_portable, 1000000, NULL);
    for (uint32_t most = 1; most < 2000; most *= 11)
        for (int k = 0; cpu_kernels[k]; k++) {
            if (!cpu_kernels[k]->supported())
                continue;
            struct record *record = oracle_run(setting, cpu_kernels[k], most, NULL);
            ck_assert_msg(fixture_same_record(whole, record), "%s, batches up to %u",
                          cpu_kernels[k]->name, most);
            record_destroy(record);
        }
    record_destroy(whole);
    oracle_destroy(setting);
}
END_TEST

// What a listening balancer is told, in each unit, on known times and on those by busy cores.
START_TEST(reports)
{
    for (enum load_unit unit = 0; unit < N_LOAD_UNITS; unit++) {
        for (int i = 0; i < 2; i++) {
            struct oracle *setting = oracle_make_reporting(unit, i * 0.3);
            oracle_ready(setting);
            oracle_reports_hold(setting);
        }
    }
}
END_TEST

// A server that is watched: known times, times by busy cores and with a spread, few and many cores,
// an accelerator, whatever the balancer wants to hear.
START_TEST(watched)
{
    for (int kind = 0; kind < 6; kind++) {
        struct oracle *setting =
            oracle_make_reporting((enum load_unit)(kind % N_LOAD_UNITS), kind % 2 * 0.4);
        if (kind == 2)
            setting->fixture.groups[0].noise =
                (struct noise_config){.spread = SPREAD_GAMMA, .cv = 0.6};
        if (kind == 5)
            setting->fixture.groups[0].slow = (struct slow_config){.frac = 0.4, .factor = 1.7};
        if (kind == 3)
            setting->fixture.platforms[0].cores = 70;
        if (kind == 4)
            fixture_set_load(&setting->fixture, 1.4);
        oracle_ready(setting);
        oracle_watch_holds(setting);
        oracle_destroy(setting);
    }
}
END_TEST

// Copies that pass beside computations: one after the other through the link, each before its
// computation, which ends the query. The server is a slow one.
START_TEST(watched_link)
{
    struct oracle *setting = oracle_make(1);
    struct timeline timeline = {.server = ORACLE_IN_FLEET + 1, .to_ns = INT64_MAX};
    int64_t link_ns = 0, stream_ns[2] = {0};
    size_t n_computed = 0;
    fixture_attach(&setting->fixture, 0, 2, true, 100);
    setting->fixture.groups[0].slow = (struct slow_config){.frac = 1, .factor = 1.3};
    oracle_ready(setting);
    const struct svctab *tab = setting->fixture.slow_tabs[0];
    setting->timeline = &timeline;
    record_destroy(oracle_run(setting, cpu_kernel_best(), 500, NULL));
    ck_assert(timeline.has_link && timeline.n_streams == 2);
    for (size_t i = 0; i + 1 < timeline.n_slices; i++) {
        const struct timeline_slice *copy = &timeline.slices[i], *work = copy + 1;
        const struct timeline_query *query = &timeline.queries[copy->query];
        if (copy->unit != TIMELINE_LINK)
            continue;
        int64_t load_ns = tab->load_ns[query->size_items];
        ck_assert_int_eq(copy->begin_ns, query->reach_ns > link_ns ? query->reach_ns : link_ns);
        ck_assert_int_eq(copy->end_ns, copy->begin_ns + load_ns);
        link_ns = copy->end_ns;
        ck_assert(work->unit == TIMELINE_STREAM && work->query == copy->query);
        int64_t free_ns = stream_ns[work->lane];
        ck_assert_int_le(free_ns, stream_ns[!work->lane]);
        ck_assert_int_eq(work->begin_ns, link_ns > free_ns ? link_ns : free_ns);
        ck_assert_int_eq(work->end_ns, work->begin_ns + tab->compute_ns[query->size_items]);
        ck_assert_int_eq(query->back_ns, work->end_ns + 10 * SIMTIME_US);
        stream_ns[work->lane] = work->end_ns;
        n_computed++;
    }
    ck_assert_uint_gt(n_computed, 20);
    timeline_release(&timeline);
    oracle_destroy(setting);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Nothing comes: idle power in every bin, and nothing else.
START_TEST(idle)
{
    struct oracle *setting = oracle_make(1);
    oracle_ready(setting);
    setting->n_queries = 0;
    struct record *record = oracle_run(setting, cpu_kernel_best(), 10, NULL);
    for (uint32_t bin = 0; bin < ORACLE_BINS; bin++) {
        int64_t length_ns =
            record_bin_start_ns(&record->shape, bin + 1) - record_bin_start_ns(&record->shape, bin);
        ck_assert_int_eq(record_group(record, bin, 0)->busy_ns[PART_CPU], 0);
        // 40 W; each of the four servers is rounded to a microjoule
        ck_assert_int_le(
            llabs(record_group(record, bin, 0)->energy_uj[PART_CPU] - 4 * 40 * length_ns / 1000),
            4);
    }
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// A query whose response is back at the very end is not in flight; one a nanosecond later is. One
// that reaches its server after the end is in no server's total, and in a tally all the same.
START_TEST(at_the_end)
{
    struct oracle *setting = oracle_make(1);
    setting->fixture.services[0].traffic.arrivals.process = arrival_find("deterministic");
    oracle_ready(setting);
    int64_t end_ns = setting->fixture.config.duration_ns, takes_ns = 50000 + 6000 + 10000;
    struct query queries[] = {{.arrive_ns = end_ns - takes_ns, .size_items = 1, .server = 3},
                              {.arrive_ns = end_ns - takes_ns + 1, .size_items = 1, .server = 4},
                              {.arrive_ns = end_ns - 1, .size_items = 1, .server = 5}};
    memcpy(setting->queries, queries, sizeof queries);
    setting->n_queries = 3;
    struct record *record = oracle_run(setting, cpu_kernel_best(), 10, NULL);
    const struct tally *tally = record_tally(record, ORACLE_BINS - 1, 0, PATH_CPU);
    ck_assert_uint_eq(tally->n_queries, 3);
    ck_assert_uint_eq(tally->n_in_flight, 2);
    ck_assert_uint_eq(record->servers[ORACLE_IN_FLEET].n_queries, 1);
    ck_assert_uint_eq(record->servers[ORACLE_IN_FLEET + 1].n_queries, 1);
    ck_assert_uint_eq(record->servers[ORACLE_IN_FLEET + 2].n_queries, 0);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// The shortest service is that of any table; with noise there is no shortest.
START_TEST(least_service)
{
    struct fixture fixture;
    fixture_init(&fixture, 2, 1);
    fixture_ready(&fixture);
    const struct svctab *const *tabs = (const struct svctab *const *)fixture.tabs;
    ck_assert_int_eq(sched_least_service_ns(&fixture.groups[0], tabs, 2), 6000);
    ck_assert_int_eq(sched_least_service_ns(&fixture.groups[0], tabs + 1, 1), 9000);
    fixture.groups[0].noise = (struct noise_config){.spread = SPREAD_LOGNORMAL, .cv = 0.1};
    ck_assert_int_eq(sched_least_service_ns(&fixture.groups[0], tabs, 2), 0);
    fixture_release(&fixture);
    server_block_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", plain},
                                       {"core", two_services},
                                       {"core", contention},
                                       {"core", noise},
                                       {"core", histories},
                                       {"core", states},
                                       {"core", slow_servers},
                                       {"core", slow_reports},
                                       {"core", correlated_in_a_queue},
                                       {"core", offload},
                                       {"core", wide},
                                       {"core", overload},
                                       {"core", power_curve},
                                       {"core", always_cold},
                                       {"core", service_falls_with_load},
                                       {"core", decomposition},
                                       {"core", batches_and_kernels},
                                       {"core", reports},
                                       {"core", watched},
                                       {"core", watched_link},
                                       {"limits", idle},
                                       {"limits", at_the_end},
                                       {"limits", least_service}};
    return suite_run("server", tests, sizeof tests / sizeof *tests);
}
