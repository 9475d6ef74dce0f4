// SPDX-License-Identifier: Apache-2.0
// A block of servers against its requests one by one: each server's queue is simulated step by step
// and everything that the record holds is added up from the intervals.
#include "cluster/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "models/power.h"
#include "support/suite.h"

enum { N_BINS = 5, FIRST_IN_CELL = 3, FIRST_IN_FLEET = 5, N_SERVERS = 4, MOST_REQUESTS = 16 };
#define WARMUP_NS (7 * SIMTIME_MS)

// A block of servers of group 0, and queries for them.
struct setting {
    struct fixture fixture;
    struct query *queries;
    size_t n_queries;
    enum load_unit unit;
};

static struct setting *make_setting(uint32_t n_services)
{
    struct setting *setting = mem_calloc(1, sizeof *setting);
    fixture_init(&setting->fixture, n_services, 1);
    setting->fixture.config.balancer.return_delay_ns = 10 * SIMTIME_US;
    return setting;
}

static void ready(struct setting *setting)
{
    fixture_ready(&setting->fixture);
    setting->queries = fixture_queries(&setting->fixture, 0, &setting->n_queries);
    for (size_t i = 0; i < setting->n_queries; i++)
        setting->queries[i].server = FIRST_IN_CELL + fixture_draw(8, i, N_SERVERS);
    setting->fixture.groups[0].n_servers = FIRST_IN_FLEET + N_SERVERS; // room in the record
}

static void destroy_setting(struct setting *setting)
{
    fixture_release(&setting->fixture);
    mem_free(setting->queries);
    mem_free(setting);
}

static struct record *run(const struct setting *setting, const struct cpu_kernel *kernel,
                          uint32_t most_batch, struct report_list *reports)
{
    struct record *record = fixture_record(&setting->fixture, N_BINS, WARMUP_NS);
    struct server_block_config config = {.fleet = &setting->fixture.config,
                                         .first_in_cell = FIRST_IN_CELL,
                                         .first_in_fleet = FIRST_IN_FLEET,
                                         .n_servers = N_SERVERS,
                                         .tabs =
                                             (const struct svctab *const *)setting->fixture.tabs,
                                         .wants_reports = reports != NULL,
                                         .unit = setting->unit,
                                         .kernel = kernel,
                                         .record = record};
    struct server_block *block = server_block_create(&config);
    for (size_t i = 0; i < setting->n_queries;) {
        size_t n = 1 + fixture_draw(9, i, most_batch);
        n = n < setting->n_queries - i ? n : setting->n_queries - i;
        server_block_run(block, setting->queries + i, n, reports);
        i += n;
    }
    server_block_finish(block);
    server_block_destroy(block);
    return record;
}

// ---- what should have come of it ----------------------------------------------------------------

// One server's requests on its cores or on its accelerator's streams.
struct lane {
    const struct setting *setting;
    struct fixture_request *requests;
    uint32_t *query, *number; // of each request
    size_t n;
};

struct expected {
    const struct setting *setting;
    struct noise noise;
    struct lane cpu[N_SERVERS], accel[N_SERVERS];
    struct record *record;
};

static const struct svctab *tab_of(const struct setting *setting, const struct query *query)
{
    return setting->fixture.tabs[query->service];
}

static int64_t spread_ns(const struct setting *setting, int64_t ns, uint64_t seq, uint32_t number)
{
    const struct group_config *group = &setting->fixture.groups[0];
    struct noise noise;
    noise_init(&noise, &group->noise, setting->fixture.config.seed, 0);
    return group->noise.spread == SPREAD_NONE ? ns : noise_apply(&noise, ns, seq, number);
}

static int64_t cpu_ns(void *user, size_t i, uint32_t busy)
{
    const struct lane *lane = user;
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct svctab *tab = tab_of(lane->setting, query);
    uint32_t before = lane->number[i] * tab->batch_items, items = query->size_items - before;
    items = items < tab->batch_items ? items : tab->batch_items;
    return spread_ns(lane->setting, svctab_cpu_ns(tab, items, busy), query->seq, lane->number[i]);
}

static int64_t accel_ns(void *user, size_t i, uint32_t busy)
{
    const struct lane *lane = user;
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct svctab *tab = tab_of(lane->setting, query);
    (void)busy;
    return tab->load_ns[query->size_items] +
           spread_ns(lane->setting, tab->compute_ns[query->size_items], query->seq, 0);
}

static void fill_lanes(struct expected *expected)
{
    const struct setting *setting = expected->setting;
    int64_t delay_ns = setting->fixture.config.balancer.dispatch_delay_ns;
    for (uint32_t q = 0; q < setting->n_queries; q++) {
        const struct query *query = &setting->queries[q];
        const struct svctab *tab = tab_of(setting, query);
        bool offloaded = query->size_items >= tab->offload_items;
        uint32_t s = query->server - FIRST_IN_CELL;
        struct lane *lane = offloaded ? &expected->accel[s] : &expected->cpu[s];
        uint32_t n = offloaded ? 1 : (query->size_items + tab->batch_items - 1) / tab->batch_items;
        for (uint32_t r = 0; r < n; r++) {
            lane->requests[lane->n].ready_ns = query->arrive_ns + delay_ns;
            lane->query[lane->n] = q;
            lane->number[lane->n++] = r;
        }
    }
}

static void init_lane(struct lane *lane, const struct setting *setting)
{
    size_t most = setting->n_queries * MOST_REQUESTS;
    *lane = (struct lane){.setting = setting,
                          .requests = mem_calloc(most, sizeof *lane->requests),
                          .query = mem_calloc(most, sizeof *lane->query),
                          .number = mem_calloc(most, sizeof *lane->number)};
}

static void release_lane(struct lane *lane)
{
    mem_free(lane->requests);
    mem_free(lane->query);
    mem_free(lane->number);
}

// Work in a lane inside [from, to), and beyond `to` by what had come by then.
static void measure(const struct lane *lane, int64_t from_ns, int64_t to_ns, int64_t *busy_ns,
                    int64_t *backlog_ns)
{
    *busy_ns = *backlog_ns = 0;
    for (size_t i = 0; i < lane->n; i++) {
        const struct fixture_request *r = &lane->requests[i];
        *busy_ns += fixture_overlap_ns(r->begin_ns, r->end_ns, from_ns, to_ns);
        if (r->ready_ns < to_ns)
            *backlog_ns += fixture_overlap_ns(r->begin_ns, r->end_ns, to_ns, INT64_MAX);
    }
}

// Until fewer of those that had come by t_ns are open than there are units.
static int64_t drain_ns(const struct lane *lane, int64_t t_ns, uint32_t n_units)
{
    int64_t free_ns = INT64_MAX;
    for (size_t i = 0; i <= lane->n; i++) {
        int64_t at_ns = i < lane->n ? lane->requests[i].end_ns : t_ns;
        uint32_t n_open = 0;
        if (at_ns < t_ns || at_ns >= free_ns)
            continue;
        for (size_t j = 0; j < lane->n; j++)
            n_open += lane->requests[j].ready_ns < t_ns && lane->requests[j].end_ns > at_ns;
        free_ns = n_open < n_units ? at_ns : free_ns;
    }
    return free_ns - t_ns;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// One server in one bin: busy time, backlog and energy, and its total after the warm-up.
static void expect_bin(struct expected *expected, uint32_t s, uint32_t bin)
{
    const struct platform *platform = &expected->setting->fixture.platforms[0];
    struct group_tally *tally = record_group(expected->record, bin, 0);
    struct server_total *total = &expected->record->servers[FIRST_IN_FLEET + s];
    int64_t from_ns = record_bin_start_ns(&expected->record->shape, bin);
    int64_t to_ns = record_bin_start_ns(&expected->record->shape, bin + 1);
    int64_t busy_ns, backlog_ns, accel_ns = 0;
    uint32_t n_cores = (uint32_t)platform->cores;
    measure(&expected->cpu[s], from_ns, to_ns, &busy_ns, &backlog_ns);
    int64_t energy_uj = power_energy_uj(&platform->power, busy_ns, n_cores, to_ns - from_ns);
    tally->cpu_busy_ns += busy_ns;
    tally->cpu_backlog_ns += backlog_ns;
    tally->cpu_energy_uj += energy_uj;
    tally->cpu_drain_max_ns =
        larger(tally->cpu_drain_max_ns, drain_ns(&expected->cpu[s], to_ns, n_cores));
    if (platform->has_accelerator) {
        uint32_t n_streams = (uint32_t)platform->accelerator.streams;
        measure(&expected->accel[s], from_ns, to_ns, &accel_ns, &backlog_ns);
        int64_t accel_uj =
            power_energy_uj(&platform->accelerator.power, accel_ns, n_streams, to_ns - from_ns);
        tally->accel_busy_ns += accel_ns;
        tally->accel_backlog_ns += backlog_ns;
        tally->accel_energy_uj += accel_uj;
        tally->accel_drain_max_ns =
            larger(tally->accel_drain_max_ns, drain_ns(&expected->accel[s], to_ns, n_streams));
        energy_uj += accel_uj;
    }
    if (bin > 0) { // bin 0 is the warm-up
        total->cpu_busy_ns += busy_ns;
        total->accel_busy_ns += accel_ns;
        total->energy_uj += energy_uj;
    }
}

// What a query adds to its tally, given its request that ends last.
static void expect_query(struct expected *expected, const struct query *query, uint32_t n_requests,
                         const struct fixture_request *last, enum record_path path)
{
    const struct fixture *fixture = &expected->setting->fixture;
    struct record *record = expected->record;
    int64_t wait_ns = last->begin_ns - last->ready_ns;
    int64_t service_ns = last->end_ns - last->begin_ns;
    int64_t latency_ns = fixture->config.balancer.dispatch_delay_ns + wait_ns + service_ns +
                         fixture->config.balancer.return_delay_ns;
    struct tally *tally =
        record_tally(record, record_bin_of(&record->shape, query->arrive_ns), query->service, path);
    tally->n_queries++;
    tally->n_requests += n_requests;
    tally->n_items += query->size_items;
    tally->n_late += latency_ns > fixture->services[query->service].sla_ns;
    tally->n_waited += wait_ns > 0;
    tally->n_in_flight += query->arrive_ns + latency_ns > fixture->config.duration_ns;
    tally->latency_sum_ns += (uint64_t)latency_ns;
    tally->wait_sum_ns += (uint64_t)wait_ns;
    tally->service_sum_ns += (uint64_t)service_ns;
    tally->latency_sq_sum_ns2 += (unsigned __int128)latency_ns * (unsigned __int128)latency_ns;
    tally->latency_max_ns = larger(tally->latency_max_ns, latency_ns);
    tally->hist[hist_index(latency_ns)]++;
    struct query_sample sample = {.arrive_ns = query->arrive_ns,
                                  .latency_ns = latency_ns,
                                  .wait_ns = wait_ns,
                                  .service_ns = service_ns,
                                  .seq = query->seq,
                                  .server = query->server - FIRST_IN_CELL + FIRST_IN_FLEET,
                                  .size_items = query->size_items,
                                  .service = query->service,
                                  .path = (uint16_t)path};
    if (query->flags & QUERY_SAMPLED)
        record_add_sample(record, &sample);
    struct server_total *total = &record->servers[sample.server];
    if (last->ready_ns >= WARMUP_NS && last->ready_ns < fixture->config.duration_ns) {
        total->n_queries++;
        total->n_requests += path == PATH_CPU ? n_requests : 0;
        total->n_items += query->size_items;
        total->n_accel_queries += path == PATH_ACCEL;
    }
}

static void expect_lane(struct expected *expected, const struct lane *lane, enum record_path path)
{
    for (size_t i = 0, next; i < lane->n; i = next) {
        const struct fixture_request *last = &lane->requests[i];
        for (next = i; next < lane->n && lane->query[next] == lane->query[i]; next++)
            if (lane->requests[next].end_ns > last->end_ns)
                last = &lane->requests[next];
        expect_query(expected, &expected->setting->queries[lane->query[i]], (uint32_t)(next - i),
                     last, path);
    }
}

static struct expected *expect(const struct setting *setting)
{
    struct expected *expected = mem_calloc(1, sizeof *expected);
    const struct platform *platform = &setting->fixture.platforms[0];
    expected->setting = setting;
    expected->record = fixture_record(&setting->fixture, N_BINS, WARMUP_NS);
    for (uint32_t s = 0; s < N_SERVERS; s++) {
        init_lane(&expected->cpu[s], setting);
        init_lane(&expected->accel[s], setting);
    }
    fill_lanes(expected);
    for (uint32_t s = 0; s < N_SERVERS; s++) {
        struct lane *cpu = &expected->cpu[s], *accel = &expected->accel[s];
        fixture_fcfs(cpu->requests, cpu->n, (uint32_t)platform->cores, cpu_ns, cpu);
        if (platform->has_accelerator)
            fixture_fcfs(accel->requests, accel->n, (uint32_t)platform->accelerator.streams,
                         accel_ns, accel);
        expect_lane(expected, cpu, PATH_CPU);
        expect_lane(expected, accel, PATH_ACCEL);
        for (uint32_t bin = 0; bin < N_BINS; bin++)
            expect_bin(expected, s, bin);
    }
    return expected;
}

static void destroy_expected(struct expected *expected)
{
    for (uint32_t s = 0; s < N_SERVERS; s++) {
        release_lane(&expected->cpu[s]);
        release_lane(&expected->accel[s]);
    }
    record_destroy(expected->record);
    mem_free(expected);
}

// The pieces first, so that a failure says which.
static void assert_groups(const struct record *record, const struct record *expected)
{
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        const struct group_tally *a = record_group(record, bin, 0);
        const struct group_tally *b = record_group(expected, bin, 0);
        ck_assert_int_eq(a->cpu_busy_ns, b->cpu_busy_ns);
        ck_assert_int_eq(a->cpu_backlog_ns, b->cpu_backlog_ns);
        ck_assert_int_eq(a->cpu_drain_max_ns, b->cpu_drain_max_ns);
        ck_assert_int_eq(a->cpu_energy_uj, b->cpu_energy_uj);
        ck_assert_int_eq(a->accel_busy_ns, b->accel_busy_ns);
        ck_assert_int_eq(a->accel_backlog_ns, b->accel_backlog_ns);
        ck_assert_int_eq(a->accel_drain_max_ns, b->accel_drain_max_ns);
        ck_assert_int_eq(a->accel_energy_uj, b->accel_energy_uj);
    }
}

static void assert_tallies(const struct record *record, const struct record *expected)
{
    size_t n = (size_t)N_BINS * record->shape.n_services * N_PATHS;
    for (size_t i = 0; i < n; i++) {
        const struct tally *a = &record->tallies[i], *b = &expected->tallies[i];
        ck_assert_uint_eq(a->n_queries, b->n_queries);
        ck_assert_uint_eq(a->n_requests, b->n_requests);
        ck_assert_uint_eq(a->n_in_flight, b->n_in_flight);
        ck_assert_uint_eq(a->n_late, b->n_late);
        ck_assert_uint_eq(a->wait_sum_ns, b->wait_sum_ns);
        ck_assert_uint_eq(a->service_sum_ns, b->service_sum_ns);
        ck_assert_uint_eq(a->latency_sum_ns, b->latency_sum_ns);
    }
}

static void assert_servers(const struct record *record, const struct record *expected)
{
    for (uint32_t s = 0; s < record->shape.n_servers; s++) {
        const struct server_total *a = &record->servers[s], *b = &expected->servers[s];
        ck_assert_uint_eq(a->n_queries, b->n_queries);
        ck_assert_uint_eq(a->n_requests, b->n_requests);
        ck_assert_uint_eq(a->n_accel_queries, b->n_accel_queries);
        ck_assert_int_eq(a->cpu_busy_ns, b->cpu_busy_ns);
        ck_assert_int_eq(a->accel_busy_ns, b->accel_busy_ns);
        ck_assert_int_eq(a->energy_uj, b->energy_uj);
    }
}

static void assert_as_expected(struct setting *setting)
{
    ready(setting);
    struct expected *expected = expect(setting);
    struct record *record = run(setting, &cpu_portable, 1500, NULL);
    assert_groups(record, expected->record);
    assert_tallies(record, expected->record);
    assert_servers(record, expected->record);
    ck_assert(fixture_same_record(record, expected->record));
    ck_assert_uint_gt(record->n_samples, 0);
    record_destroy(record);
    destroy_expected(expected);
    destroy_setting(setting);
}

// ---- core ---------------------------------------------------------------------------------------

// One service, known times.
START_TEST(plain)
{
    assert_as_expected(make_setting(1));
}
END_TEST

// Two services with tables of their own.
START_TEST(two_services)
{
    assert_as_expected(make_setting(2));
}
END_TEST

// Times by busy cores.
START_TEST(contention)
{
    struct setting *setting = make_setting(1);
    setting->fixture.cost_configs[0].contention_frac = 0.5;
    assert_as_expected(setting);
}
END_TEST

// Times with a spread, on the cores and on the accelerator.
START_TEST(noise)
{
    struct setting *setting = make_setting(2);
    setting->fixture.groups[0].noise = (struct noise_config){SPREAD_GAMMA, 0.6};
    fixture_attach(&setting->fixture, 0, 2, false, 120);
    assert_as_expected(setting);
}
END_TEST

// Large queries go to an accelerator of three streams.
START_TEST(offload)
{
    struct setting *setting = make_setting(1);
    fixture_attach(&setting->fixture, 0, 3, false, 100);
    assert_as_expected(setting);
}
END_TEST

// Servers with more cores than a mask of one word tells.
START_TEST(wide)
{
    struct setting *setting = make_setting(1);
    setting->fixture.platforms[0].cores = 70;
    setting->fixture.config.duration_ns = 20 * SIMTIME_MS;
    fixture_set_load(&setting->fixture, 0.5);
    assert_as_expected(setting);
}
END_TEST

// An overload: work piles up from bin to bin and outlives the run.
START_TEST(overload)
{
    struct setting *setting = make_setting(1);
    fixture_set_load(&setting->fixture, 1.6);
    assert_as_expected(setting);
}
END_TEST

// A power that does not grow in proportion is still energy bin by bin, server by server.
START_TEST(power_curve)
{
    struct setting *setting = make_setting(1);
    setting->fixture.platforms[0].power.gamma = 0.7;
    assert_as_expected(setting);
}
END_TEST

static void set_cold(struct setting *setting, double factor, double cooling_s, double warming_s)
{
    for (uint32_t i = 0; i < setting->fixture.config.n_services; i++) {
        setting->fixture.cost_configs[i].cold_factor = factor;
        setting->fixture.cost_configs[i].cooling_s = cooling_s;
        setting->fixture.cost_configs[i].warming_s = warming_s;
    }
}

// Cores that nothing can warm take cold_factor times as long, and everything that the record holds
// - latencies, busy time, energy, reports - is that of a cost so many times higher.
START_TEST(always_cold)
{
    struct setting *cold = make_setting(2), *twice = make_setting(2);
    set_cold(cold, 2, 1e-9, 3600);
    fixture_set_load(&cold->fixture, 0.3); // 0.6 of cold cores: short busy times, no warmth adds up
    fixture_set_load(&twice->fixture, 0.3);
    for (int i = 0; i < 2; i++) {
        twice->fixture.cost_configs[i].fixed_s *= 2;
        twice->fixture.cost_configs[i].per_item_s *= 2;
    }
    ready(cold);
    ready(twice);
    struct report_list cold_reports = {0}, twice_reports = {0};
    struct record *a = run(cold, cpu_kernel_best(), 500, &cold_reports);
    struct record *b = run(twice, cpu_kernel_best(), 500, &twice_reports);
    assert_groups(a, b);
    assert_tallies(a, b);
    assert_servers(a, b);
    ck_assert(fixture_same_record(a, b));
    ck_assert_uint_eq(cold_reports.n, twice_reports.n);
    ck_assert_mem_eq(cold_reports.v, twice_reports.v, cold_reports.n * sizeof *cold_reports.v);
    report_list_release(&cold_reports);
    report_list_release(&twice_reports);
    record_destroy(a);
    record_destroy(b);
    destroy_setting(cold);
    destroy_setting(twice);
}
END_TEST

// Core-time of a mean request at that load, over what it is on warm cores.
static double stretch_at(double load, double factor)
{
    struct setting *setting = make_setting(1);
    set_cold(setting, factor, 200e-6, 50e-6);
    setting->fixture.dispatch[0].batch_items = 400; // a query is one request
    fixture_set_load(&setting->fixture, load);
    setting->fixture.config.duration_ns = load < 0.1 ? 4 * SIMTIME_S : 50 * SIMTIME_MS;
    ready(setting);
    struct record *record = run(setting, cpu_kernel_best(), 500, NULL);
    double busy_ns = 0, warm_ns = 0;
    for (size_t i = 0; i < setting->n_queries; i++)
        warm_ns += (double)setting->fixture.tabs[0]->work_ns[setting->queries[i].size_items];
    for (uint32_t bin = 0; bin < N_BINS; bin++)
        busy_ns += (double)record_group(record, bin, 0)->cpu_busy_ns;
    busy_ns += (double)record_group(record, N_BINS - 1, 0)->cpu_backlog_ns;
    record_destroy(record);
    destroy_setting(setting);
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
    struct setting *setting = make_setting(2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    ready(setting);
    struct record *record = run(setting, cpu_kernel_best(), 500, NULL);
    uint64_t n_queries = 0, n_items = 0, n_items_sent = 0;
    for (size_t i = 0; i < (size_t)N_BINS * 2 * N_PATHS; i++) {
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
    destroy_setting(setting);
}
END_TEST

// Batches and kernels change no bit of a record.
START_TEST(batches_and_kernels)
{
    struct setting *setting = make_setting(2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    ready(setting);
    struct record *whole = run(setting, &cpu_portable, 1000000, NULL);
    for (uint32_t most = 1; most < 2000; most *= 11)
        for (int k = 0; cpu_kernels[k]; k++) {
            if (!cpu_kernels[k]->supported())
                continue;
            struct record *record = run(setting, cpu_kernels[k], most, NULL);
            ck_assert_msg(fixture_same_record(whole, record), "%s, batches up to %u",
                          cpu_kernels[k]->name, most);
            record_destroy(record);
        }
    record_destroy(whole);
    destroy_setting(setting);
}
END_TEST

static int by_end(const void *a, const void *b)
{
    const struct report *x = a, *y = b;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return x->server < y->server ? -1 : x->server > y->server;
}

// A report of each query that says what it weighs, when it ends and where, or of each request.
static struct report *expect_reports(const struct expected *expected, enum load_unit unit,
                                     size_t *n)
{
    struct report *reports =
        mem_calloc(expected->setting->n_queries * MOST_REQUESTS, sizeof *reports);
    *n = 0;
    for (uint32_t s = 0; s < 2 * N_SERVERS; s++) {
        const struct lane *lane =
            s < N_SERVERS ? &expected->cpu[s] : &expected->accel[s - N_SERVERS];
        for (size_t i = 0; i < lane->n; i++) {
            const struct query *query = &expected->setting->queries[lane->query[i]];
            int64_t end_ns = lane->requests[i].end_ns;
            bool same = unit != LOAD_REQUESTS && lane->number[i] > 0;
            if (same && end_ns > reports[*n - 1].end_ns)
                reports[*n - 1].end_ns = end_ns;
            if (!same)
                reports[(*n)++] = (struct report){
                    .end_ns = end_ns,
                    .weight = unit == LOAD_REQUESTS ? 1
                                                    : svctab_load(tab_of(expected->setting, query),
                                                                  unit, query->size_items),
                    .server = query->server};
        }
    }
    return reports;
}

// The same reports one by one: a report of n equal requests counts n times.
static struct report *spell_out(const struct report_list *list, bool per_request, size_t *n)
{
    size_t most = 0;
    for (size_t i = 0; i < list->n; i++)
        most += per_request ? (size_t)list->v[i].weight : 1;
    struct report *reports = mem_calloc(most, sizeof *reports);
    *n = 0;
    for (size_t i = 0; i < list->n; i++)
        for (int64_t k = 0; k < (per_request ? list->v[i].weight : 1); k++) {
            reports[*n] = list->v[i];
            if (per_request)
                reports[*n].weight = 1;
            ++*n;
        }
    return reports;
}

static void assert_reports(enum load_unit unit, double contention_frac)
{
    struct setting *setting = make_setting(2);
    setting->unit = unit;
    setting->fixture.cost_configs[0].contention_frac = contention_frac;
    fixture_attach(&setting->fixture, 0, 2, false, 120);
    ready(setting);
    struct expected *expected = expect(setting);
    struct report_list list = {0};
    struct record *record = run(setting, cpu_kernel_best(), 700, &list);
    size_t n, n_expected;
    struct report *reports = spell_out(&list, unit == LOAD_REQUESTS, &n);
    struct report *wanted = expect_reports(expected, unit, &n_expected);
    ck_assert_uint_eq(n, n_expected);
    qsort(reports, n, sizeof *reports, by_end);
    qsort(wanted, n, sizeof *wanted, by_end);
    int64_t weight = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(by_end(&reports[i], &wanted[i]), 0);
        weight += reports[i].weight - wanted[i].weight;
    }
    ck_assert_int_eq(weight, 0);
    ck_assert(fixture_same_record(record, expected->record));
    mem_free(reports);
    mem_free(wanted);
    report_list_release(&list);
    record_destroy(record);
    destroy_expected(expected);
    destroy_setting(setting);
}

// What a listening balancer is told, in each unit, on known times and on those by busy cores.
START_TEST(reports)
{
    for (enum load_unit unit = 0; unit < N_LOAD_UNITS; unit++) {
        assert_reports(unit, 0);
        assert_reports(unit, 0.3);
    }
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Nothing comes: idle power in every bin, and nothing else.
START_TEST(idle)
{
    struct setting *setting = make_setting(1);
    ready(setting);
    setting->n_queries = 0;
    struct record *record = run(setting, cpu_kernel_best(), 10, NULL);
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        int64_t length_ns =
            record_bin_start_ns(&record->shape, bin + 1) - record_bin_start_ns(&record->shape, bin);
        ck_assert_int_eq(record_group(record, bin, 0)->cpu_busy_ns, 0);
        // 40 W; each of the four servers is rounded to a microjoule
        ck_assert_int_le(
            llabs(record_group(record, bin, 0)->cpu_energy_uj - 4 * 40 * length_ns / 1000), 4);
    }
    record_destroy(record);
    destroy_setting(setting);
}
END_TEST

// A query whose response is back at the very end is not in flight; one a nanosecond later is. One
// that reaches its server after the end is in no server's total, and in a tally all the same.
START_TEST(at_the_end)
{
    struct setting *setting = make_setting(1);
    setting->fixture.services[0].traffic.arrivals.process = arrival_find("deterministic");
    ready(setting);
    int64_t end_ns = setting->fixture.config.duration_ns, takes_ns = 50000 + 6000 + 10000;
    struct query queries[] = {{.arrive_ns = end_ns - takes_ns, .size_items = 1, .server = 3},
                              {.arrive_ns = end_ns - takes_ns + 1, .size_items = 1, .server = 4},
                              {.arrive_ns = end_ns - 1, .size_items = 1, .server = 5}};
    memcpy(setting->queries, queries, sizeof queries);
    setting->n_queries = 3;
    struct record *record = run(setting, cpu_kernel_best(), 10, NULL);
    const struct tally *tally = record_tally(record, N_BINS - 1, 0, PATH_CPU);
    ck_assert_uint_eq(tally->n_queries, 3);
    ck_assert_uint_eq(tally->n_in_flight, 2);
    ck_assert_uint_eq(record->servers[FIRST_IN_FLEET].n_queries, 1);
    ck_assert_uint_eq(record->servers[FIRST_IN_FLEET + 1].n_queries, 1);
    ck_assert_uint_eq(record->servers[FIRST_IN_FLEET + 2].n_queries, 0);
    record_destroy(record);
    destroy_setting(setting);
}
END_TEST

// The shortest service is that of any table; with noise there is no shortest.
START_TEST(least_service)
{
    struct fixture fixture;
    fixture_init(&fixture, 2, 1);
    fixture_ready(&fixture);
    const struct svctab *const *tabs = (const struct svctab *const *)fixture.tabs;
    ck_assert_int_eq(server_least_service_ns(&fixture.groups[0], tabs, 2), 6000);
    ck_assert_int_eq(server_least_service_ns(&fixture.groups[0], tabs + 1, 1), 9000);
    fixture.groups[0].noise = (struct noise_config){SPREAD_LOGNORMAL, 0.1};
    ck_assert_int_eq(server_least_service_ns(&fixture.groups[0], tabs, 2), 0);
    fixture_release(&fixture);
    server_block_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", plain},         {"core", two_services},
                                       {"core", contention},    {"core", noise},
                                       {"core", offload},       {"core", wide},
                                       {"core", overload},      {"core", power_curve},
                                       {"core", always_cold},   {"core", service_falls_with_load},
                                       {"core", decomposition}, {"core", batches_and_kernels},
                                       {"core", reports},       {"limits", idle},
                                       {"limits", at_the_end},  {"limits", least_service}};
    return suite_run("server", tests, sizeof tests / sizeof *tests);
}
