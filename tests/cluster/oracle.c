// SPDX-License-Identifier: Apache-2.0
#include "cluster/oracle.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/outage.h"
#include "cluster/retry.h"
#include "cluster/slow.h"
#include "models/power.h"

enum { MOST_REQUESTS = 16, MOST_SPANS = 256 };

struct oracle *oracle_make(uint32_t n_services)
{
    struct oracle *setting = mem_calloc(1, sizeof *setting);
    fixture_init(&setting->fixture, n_services, 1);
    setting->fixture.config.balancer.return_delay_ns = 10 * SIMTIME_US;
    return setting;
}

void oracle_ready(struct oracle *setting)
{
    fixture_ready(&setting->fixture);
    setting->queries = fixture_queries(&setting->fixture, 0, &setting->n_queries);
    for (size_t i = 0; i < setting->n_queries; i++)
        setting->queries[i].server = ORACLE_IN_CELL + fixture_draw(8, i, ORACLE_SERVERS);
    setting->fixture.groups[0].n_servers = ORACLE_IN_FLEET + ORACLE_SERVERS; // room in the record
}

void oracle_destroy(struct oracle *setting)
{
    fixture_release(&setting->fixture);
    mem_free(setting->queries);
    mem_free(setting);
}

// The block as a part of a cell, for its outages.
static const struct layout_part parts[] = {
    {0, 0, ORACLE_IN_CELL, ORACLE_IN_FLEET, ORACLE_SERVERS, 0}};
static const struct layout layout = {
    .n_cells = 1, .n_parts = 1, .parts = (struct layout_part *)(uintptr_t)parts};

struct record *oracle_run(const struct oracle *setting, const struct cpu_kernel *kernel,
                          uint32_t most_batch, struct completions *reports)
{
    struct record *record = fixture_record(&setting->fixture, ORACLE_BINS, ORACLE_WARMUP_NS);
    struct server_block_config config = {.fleet = &setting->fixture.config,
                                         .first_in_cell = ORACLE_IN_CELL,
                                         .first_in_fleet = ORACLE_IN_FLEET,
                                         .n_servers = ORACLE_SERVERS,
                                         .layout = &layout,
                                         .tabs =
                                             (const struct svctab *const *)setting->fixture.tabs,
                                         .slow_tabs = fixture_slow_tabs(&setting->fixture, 0),
                                         .wants_completions = reports && !setting->deaf,
                                         .unit = setting->unit,
                                         .kernel = kernel,
                                         .record = record,
                                         .timeline = setting->timeline};
    struct server_block *block = server_block_create(&config);
    struct completions own = {0}, *list = reports ? reports : &own;
    for (size_t i = 0; i < setting->n_queries;) {
        size_t n = 1 + fixture_draw(9, i, most_batch);
        n = n < setting->n_queries - i ? n : setting->n_queries - i;
        server_block_run(block, setting->queries + i, n, list);
        i += n;
    }
    server_block_finish(block);
    server_block_destroy(block);
    oracle_retry(setting, record, list);
    completions_release(&own);
    return record;
}

void oracle_retry(const struct oracle *setting, struct record *record, struct completions *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n_lost; i++) {
        const struct query *query = &list->lost[i].query;
        const struct svctab *tab = setting->fixture.tabs[query->service];
        enum record_path path = query->size_items >= tab->offload_items ? PATH_ACCEL : PATH_CPU;
        struct query next;
        if (retry_next(&setting->fixture.config, &list->lost[i], path, record, &next))
            list->lost[n++] = (struct loss){next, 0};
    }
    list->n_lost = n;
}

// ---- what should have come of it ----------------------------------------------------------------

// One server's requests on its cores or on its accelerator's streams.
struct lane {
    const struct oracle *setting;
    struct fixture_request *requests;
    uint32_t *query, *number; // of each request
    int64_t *until_ns;        // when its server goes down
    size_t n;
};

struct span {
    int64_t begin_ns, end_ns;
};

// When a server is up, and when it is powered.
struct history {
    struct span up[MOST_SPANS], powered[MOST_SPANS];
    size_t n_up, n_powered;
};

struct expected {
    const struct oracle *setting;
    struct noise noise;
    struct lane cpu[ORACLE_SERVERS], accel[ORACLE_SERVERS];
    struct history history[ORACLE_SERVERS];
    struct record *record;
    struct loss *lost; // to be tried again, as their next attempts
    size_t n_lost;
    struct completion *refused; // what is told of queries that come to a server that is down
    size_t n_refused;
};

static const struct svctab *tab_of(const struct oracle *setting, const struct query *query)
{
    return setting->fixture.tabs[query->service];
}

static int64_t spread_ns(const struct oracle *setting, int64_t ns, const struct query *query,
                         uint32_t number)
{
    const struct fixture *fixture = &setting->fixture;
    struct noise noise;
    noise_init(&noise, &fixture->groups[0].noise, fixture->config.seed, 0);
    uint32_t in_fleet = query->server - ORACLE_IN_CELL + ORACLE_IN_FLEET;
    double state = noise_state(&noise, in_fleet,
                               query->arrive_ns + fixture->config.balancer.dispatch_delay_ns);
    return noise_apply(&noise, ns, state, query->seq, number);
}

// How long the query's server takes for what takes others ns.
static int64_t paced_ns(const struct oracle *setting, int64_t ns, const struct query *query)
{
    const struct fixture *fixture = &setting->fixture;
    uint8_t is_slow[ORACLE_IN_FLEET + ORACLE_SERVERS];
    slow_mark(&fixture->config, 0, 0, is_slow);
    double factor = is_slow[query->server] ? fixture->groups[0].slow.factor : 1;
    return (int64_t)floor((double)ns * factor + 0.5);
}

// From the cost itself, rounded by the library: what the table in fixed point must come to.
static int64_t history_ns(const struct lane *lane, size_t i, uint32_t items, enum cost_place place,
                          uint32_t busy)
{
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct fixture *fixture = &lane->setting->fixture;
    if (!fixture->services[query->service].traffic.has_history)
        return 0;
    const struct cost_history of = cost_history(fixture->costs[query->service], place, busy);
    long double h = query->history_items;
    return (int64_t)llroundl(1e9L *
                             (of.item_s * h + of.square_s * h * h + of.item_history_s * h * items));
}

static int64_t cpu_ns(void *user, size_t i, uint32_t busy)
{
    const struct lane *lane = user;
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct svctab *tab = tab_of(lane->setting, query);
    uint32_t before = lane->number[i] * tab->batch_items, items = query->size_items - before;
    items = items < tab->batch_items ? items : tab->batch_items;
    int64_t ns = paced_ns(lane->setting, svctab_cpu_ns(tab, items, busy), query) +
                 history_ns(lane, i, items, COST_CPU, busy);
    return spread_ns(lane->setting, ns, query, lane->number[i]);
}

static int64_t accel_ns(void *user, size_t i, uint32_t busy)
{
    const struct lane *lane = user;
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct svctab *tab = tab_of(lane->setting, query);
    (void)busy;
    int64_t compute_ns = paced_ns(lane->setting, tab->compute_ns[query->size_items], query) +
                         history_ns(lane, i, query->size_items, COST_ACCEL, 1);
    return paced_ns(lane->setting, tab->load_ns[query->size_items], query) +
           spread_ns(lane->setting, compute_ns, query, 0);
}

static void begin_span(struct span *spans, size_t *n, int64_t at_ns)
{
    ck_assert_uint_lt(*n, MOST_SPANS);
    spans[(*n)++] = (struct span){at_ns, INT64_MAX};
}

// A span from the beginning that ends there never was.
static void end_span(struct span *spans, size_t *n, int64_t at_ns)
{
    spans[*n - 1].end_ns = at_ns;
    *n -= at_ns == 0;
}

static void fill_history(struct expected *expected)
{
    struct outage_setup setup = {&expected->setting->fixture.config, &layout, 0, 1, OUTAGE_SERVERS};
    struct outage *outage = outage_create(&setup);
    bool is_up[ORACLE_SERVERS], is_powered[ORACLE_SERVERS];
    for (uint32_t s = 0; s < ORACLE_SERVERS; s++) {
        struct history *history = &expected->history[s];
        is_up[s] = is_powered[s] = true;
        begin_span(history->up, &history->n_up, 0);
        begin_span(history->powered, &history->n_powered, 0);
    }
    while (outage_peek_ns(outage) != SIMTIME_NEVER) {
        struct outage_change change;
        outage_next(outage, &change);
        uint32_t s = change.server - ORACLE_IN_CELL;
        struct history *history = &expected->history[s];
        if (change.up != is_up[s])
            (change.up ? begin_span : end_span)(history->up, &history->n_up, change.at_ns);
        if (change.powered != is_powered[s])
            (change.powered ? begin_span : end_span)(history->powered, &history->n_powered,
                                                     change.at_ns);
        is_up[s] = change.up;
        is_powered[s] = change.powered;
    }
    outage_destroy(outage);
}

// When the server goes down that is up at t_ns; t_ns when it is not up.
static int64_t up_until_ns(const struct history *history, int64_t t_ns)
{
    for (size_t i = 0; i < history->n_up; i++)
        if (history->up[i].begin_ns <= t_ns && t_ns < history->up[i].end_ns)
            return history->up[i].end_ns;
    return t_ns;
}

static struct tally *tally_of(const struct expected *expected, const struct query *query,
                              enum record_path path)
{
    const struct record *record = expected->record;
    int64_t first_ns = query->arrive_ns - INT64_C(1000) * query->delay_us;
    return record_tally(record, record_bin_of(&record->shape, first_ns), query->service, path);
}

// A query is lost at t_ns.
static void expect_lost(struct expected *expected, const struct query *query, int64_t t_ns,
                        enum record_path path)
{
    const struct fleet_config *fleet = &expected->setting->fixture.config;
    struct tally *tally = tally_of(expected, query, path);
    struct query next = *query;
    int64_t ready_ns = t_ns + fleet->balancer.status_delay_ns + fleet->outages.retry_delay_ns;
    do {
        next.delay_us++;
        next.arrive_ns += 1000;
    } while (next.arrive_ns < ready_ns);
    next.seq += UINT64_C(1) << 58;
    if (t_ns < fleet->duration_ns && (int64_t)(query->seq >> 58) == fleet->outages.retries)
        tally->n_lost++;
    else if (t_ns >= fleet->duration_ns || next.arrive_ns >= fleet->duration_ns)
        tally->n_pending++;
    else
        expected->lost[expected->n_lost++] = (struct loss){next, 0};
}

static void expect_refused(struct expected *expected, const struct query *query, int64_t t_ns,
                           uint32_t n_requests, bool offloaded)
{
    const struct oracle *setting = expected->setting;
    bool per_request = setting->unit == LOAD_REQUESTS;
    int64_t weight = svctab_load(tab_of(setting, query), setting->unit, query);
    for (uint32_t i = 0; i < (per_request ? n_requests : 1); i++)
        expected->refused[expected->n_refused++] =
            (struct completion){t_ns, per_request ? 1 : weight, query->server, 0};
    expect_lost(expected, query, t_ns, offloaded ? PATH_ACCEL : PATH_CPU);
}

static void fill_lanes(struct expected *expected)
{
    const struct oracle *setting = expected->setting;
    int64_t delay_ns = setting->fixture.config.balancer.dispatch_delay_ns;
    for (uint32_t q = 0; q < setting->n_queries; q++) {
        const struct query *query = &setting->queries[q];
        const struct svctab *tab = tab_of(setting, query);
        bool offloaded = query->size_items >= tab->offload_items;
        uint32_t s = query->server - ORACLE_IN_CELL;
        struct lane *lane = offloaded ? &expected->accel[s] : &expected->cpu[s];
        uint32_t n = offloaded ? 1 : (query->size_items + tab->batch_items - 1) / tab->batch_items;
        int64_t ready_ns = query->arrive_ns + delay_ns;
        int64_t until_ns = up_until_ns(&expected->history[s], ready_ns);
        tally_of(expected, query, offloaded ? PATH_ACCEL : PATH_CPU)->n_retries +=
            query->delay_us > 0;
        if (until_ns == ready_ns)
            expect_refused(expected, query, ready_ns, n, offloaded);
        for (uint32_t r = 0; r < n && until_ns > ready_ns; r++) {
            lane->requests[lane->n].ready_ns = ready_ns;
            lane->until_ns[lane->n] = until_ns;
            lane->query[lane->n] = q;
            lane->number[lane->n++] = r;
        }
    }
}

static void init_lane(struct lane *lane, const struct oracle *setting)
{
    size_t most = setting->n_queries * MOST_REQUESTS;
    *lane = (struct lane){.setting = setting,
                          .requests = mem_calloc(most, sizeof *lane->requests),
                          .query = mem_calloc(most, sizeof *lane->query),
                          .number = mem_calloc(most, sizeof *lane->number),
                          .until_ns = mem_calloc(most, sizeof *lane->until_ns)};
}

static void release_lane(struct lane *lane)
{
    mem_free(lane->requests);
    mem_free(lane->query);
    mem_free(lane->number);
    mem_free(lane->until_ns);
}

// Each time between two outages for itself.
static void run_lane(const struct lane *lane, uint32_t n_units, fixture_service_fn service)
{
    for (size_t i = 0, next; i < lane->n; i = next) {
        struct lane some = {
            lane->setting, lane->requests + i, lane->query + i, lane->number + i, NULL, 0};
        for (next = i; next < lane->n && lane->until_ns[next] == lane->until_ns[i]; next++)
            some.n++;
        fixture_fcfs(some.requests, some.n, n_units, service, &some);
    }
}

// Unlike a core, a stream is taken that has been free for longest. An outage frees them all.
static void name_streams(const struct lane *lane, uint32_t n_streams)
{
    int64_t *free_ns = mem_calloc(n_streams, sizeof *free_ns);
    for (size_t i = 0; i < lane->n; i++) {
        uint32_t first = 0;
        for (uint32_t u = 0; u < n_streams; u++) {
            if (i > 0 && lane->until_ns[i - 1] != lane->until_ns[i] &&
                free_ns[u] > lane->until_ns[i - 1])
                free_ns[u] = lane->until_ns[i - 1];
            first = free_ns[u] < free_ns[first] ? u : first;
        }
        lane->requests[i].unit = first;
        free_ns[first] = lane->requests[i].end_ns;
    }
    mem_free(free_ns);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Work in a lane inside [from, to), and beyond `to` by what had come by then and was not lost.
static void measure(const struct lane *lane, int64_t from_ns, int64_t to_ns, int64_t *busy_ns,
                    int64_t *backlog_ns)
{
    *busy_ns = *backlog_ns = 0;
    for (size_t i = 0; i < lane->n; i++) {
        const struct fixture_request *r = &lane->requests[i];
        int64_t until_ns = lane->until_ns[i];
        *busy_ns += fixture_overlap_ns(r->begin_ns, smaller(r->end_ns, until_ns), from_ns, to_ns);
        if (r->ready_ns < to_ns && until_ns >= to_ns)
            *backlog_ns += fixture_overlap_ns(r->begin_ns, r->end_ns, to_ns, INT64_MAX);
    }
}

// Until fewer of those that had come by t_ns, and were not lost, are open than there are units.
static int64_t drain_ns(const struct lane *lane, int64_t t_ns, uint32_t n_units)
{
    int64_t free_ns = INT64_MAX;
    for (size_t i = 0; i <= lane->n; i++) {
        int64_t at_ns = i < lane->n ? lane->requests[i].end_ns : t_ns;
        uint32_t n_open = 0;
        if (at_ns < t_ns || at_ns >= free_ns)
            continue;
        for (size_t j = 0; j < lane->n; j++)
            n_open += lane->requests[j].ready_ns < t_ns && lane->requests[j].end_ns > at_ns &&
                      lane->until_ns[j] >= t_ns;
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
    struct server_total *total = &expected->record->servers[ORACLE_IN_FLEET + s];
    int64_t from_ns = record_bin_start_ns(&expected->record->shape, bin);
    int64_t to_ns = record_bin_start_ns(&expected->record->shape, bin + 1);
    int64_t busy_ns, backlog_ns, accel_ns = 0, on_ns = 0;
    const struct history *history = &expected->history[s];
    for (size_t i = 0; i < history->n_powered; i++)
        on_ns += fixture_overlap_ns(history->powered[i].begin_ns, history->powered[i].end_ns,
                                    from_ns, to_ns);
    uint32_t n_cores = (uint32_t)platform->cores;
    measure(&expected->cpu[s], from_ns, to_ns, &busy_ns, &backlog_ns);
    int64_t energy_uj = power_energy_uj(&platform->power, busy_ns, n_cores, on_ns);
    tally->busy_ns[PART_CPU] += busy_ns;
    tally->backlog_ns[PART_CPU] += backlog_ns;
    tally->energy_uj[PART_CPU] += energy_uj;
    tally->drain_max_ns[PART_CPU] =
        larger(tally->drain_max_ns[PART_CPU], drain_ns(&expected->cpu[s], to_ns, n_cores));
    if (platform->has_accelerator) {
        uint32_t n_streams = (uint32_t)platform->accelerator.streams;
        measure(&expected->accel[s], from_ns, to_ns, &accel_ns, &backlog_ns);
        int64_t accel_uj =
            power_energy_uj(&platform->accelerator.power, accel_ns, n_streams, on_ns);
        tally->busy_ns[PART_ACCEL] += accel_ns;
        tally->backlog_ns[PART_ACCEL] += backlog_ns;
        tally->energy_uj[PART_ACCEL] += accel_uj;
        tally->drain_max_ns[PART_ACCEL] = larger(tally->drain_max_ns[PART_ACCEL],
                                                 drain_ns(&expected->accel[s], to_ns, n_streams));
        energy_uj += accel_uj;
    }
    if (bin > 0) { // bin 0 is the warm-up
        total->cpu_busy_ns += busy_ns;
        total->accel_busy_ns += accel_ns;
        total->energy_uj += energy_uj;
    }
}

// What a query adds to its server's total, whatever became of it.
static void expect_total(struct expected *expected, const struct query *query, uint32_t n_requests,
                         int64_t ready_ns, enum record_path path)
{
    struct server_total *total =
        &expected->record->servers[query->server - ORACLE_IN_CELL + ORACLE_IN_FLEET];
    if (ready_ns < ORACLE_WARMUP_NS || ready_ns >= expected->setting->fixture.config.duration_ns)
        return;
    total->n_queries++;
    total->n_requests += path == PATH_CPU ? n_requests : 0;
    total->n_items += query->size_items;
    total->n_accel_queries += path == PATH_ACCEL;
}

// Each in the bin that its response comes in, (start, end], unless that is after the run.
static void expect_completed(struct expected *expected, const struct query *query,
                             enum record_path path, int64_t latency_ns)
{
    const struct fixture *fixture = &expected->setting->fixture;
    const struct record_shape *shape = &expected->record->shape;
    int64_t back_ns = query->arrive_ns - INT64_C(1000) * query->delay_us + latency_ns;
    uint32_t bin = 0;
    while (bin < shape->n_bins && back_ns > record_bin_start_ns(shape, bin + 1))
        bin++;
    if (bin == shape->n_bins)
        return;
    struct tally *tally = record_tally(expected->record, bin, query->service, path);
    tally->n_completed++;
    tally->n_completed_items += query->size_items;
    tally->n_completed_late += latency_ns > fixture->services[query->service].sla_ns;
    record_group(expected->record, bin, 0)->n_completed++;
}

// What a query adds to its tally, given its first request and the one that ends last.
static void expect_query(struct expected *expected, const struct query *query, uint32_t n_requests,
                         const struct fixture_request *first, const struct fixture_request *last,
                         enum record_path path)
{
    const struct fixture *fixture = &expected->setting->fixture;
    int64_t waited_ns = INT64_C(1000) * query->delay_us; // before this attempt
    int64_t wait_ns = last->begin_ns - last->ready_ns;
    int64_t service_ns = last->end_ns - last->begin_ns;
    int64_t latency_ns = waited_ns + fixture->config.balancer.dispatch_delay_ns + wait_ns +
                         service_ns + fixture->config.balancer.return_delay_ns;
    int64_t first_ns = query->arrive_ns - waited_ns;
    struct tally *tally = tally_of(expected, query, path);
    tally->n_queries++;
    tally->n_requests += n_requests;
    tally->n_items += query->size_items;
    tally->n_late += latency_ns > fixture->services[query->service].sla_ns;
    tally->n_waited += wait_ns > 0;
    tally->n_in_flight += first_ns + latency_ns > fixture->config.duration_ns;
    expect_completed(expected, query, path, latency_ns);
    tally->latency_sum_ns += (uint64_t)latency_ns;
    tally->wait_sum_ns += (uint64_t)wait_ns;
    tally->service_sum_ns += (uint64_t)service_ns;
    tally->latency_sq_sum_ns2 += (unsigned __int128)latency_ns * (unsigned __int128)latency_ns;
    tally->latency_max_ns = larger(tally->latency_max_ns, latency_ns);
    tally->hist[hist_index(latency_ns)]++;
    struct query_sample sample = {.arrive_ns = first_ns,
                                  .latency_ns = latency_ns,
                                  .wait_ns = wait_ns,
                                  .service_ns = service_ns,
                                  .seq = query->seq & ~(UINT64_C(3) << 58),
                                  .server = query->server - ORACLE_IN_CELL + ORACLE_IN_FLEET,
                                  .size_items = query->size_items,
                                  .service = query->service,
                                  .path = (uint16_t)path,
                                  .history_items = query->history_items,
                                  .begin_ns = first->begin_ns,
                                  .end_ns = last->end_ns,
                                  .n_requests = n_requests,
                                  .first_unit = first->unit,
                                  .last_unit = last->unit,
                                  .n_attempts = 1 + (uint32_t)(query->seq >> 58),
                                  .n_batch = 1};
    if (query->flags & QUERY_SAMPLED)
        record_add_sample(expected->record, &sample);
    record_add_slow(expected->record, sample);
}

static void expect_lane(struct expected *expected, const struct lane *lane, enum record_path path)
{
    for (size_t i = 0, next; i < lane->n; i = next) {
        const struct fixture_request *last = &lane->requests[i];
        const struct query *query = &expected->setting->queries[lane->query[i]];
        for (next = i; next < lane->n && lane->query[next] == lane->query[i]; next++)
            if (lane->requests[next].end_ns > last->end_ns)
                last = &lane->requests[next];
        expect_total(expected, query, (uint32_t)(next - i), last->ready_ns, path);
        if (last->end_ns > lane->until_ns[i])
            expect_lost(expected, query, lane->until_ns[i], path);
        else
            expect_query(expected, query, (uint32_t)(next - i), &lane->requests[i], last, path);
    }
}

static struct expected *expect(const struct oracle *setting)
{
    struct expected *expected = mem_calloc(1, sizeof *expected);
    const struct platform *platform = &setting->fixture.platforms[0];
    expected->setting = setting;
    expected->record = fixture_record(&setting->fixture, ORACLE_BINS, ORACLE_WARMUP_NS);
    for (uint32_t s = 0; s < ORACLE_SERVERS; s++) {
        init_lane(&expected->cpu[s], setting);
        init_lane(&expected->accel[s], setting);
    }
    expected->lost = mem_calloc(setting->n_queries + 1, sizeof *expected->lost);
    expected->refused =
        mem_calloc(setting->n_queries + 1, MOST_REQUESTS * sizeof *expected->refused);
    fill_history(expected);
    fill_lanes(expected);
    for (uint32_t s = 0; s < ORACLE_SERVERS; s++) {
        struct lane *cpu = &expected->cpu[s], *accel = &expected->accel[s];
        run_lane(cpu, (uint32_t)platform->cores, cpu_ns);
        if (platform->has_accelerator)
            run_lane(accel, (uint32_t)platform->accelerator.streams, accel_ns);
        if (platform->has_accelerator)
            name_streams(accel, (uint32_t)platform->accelerator.streams);
        expect_lane(expected, cpu, PATH_CPU);
        expect_lane(expected, accel, PATH_ACCEL);
        for (uint32_t bin = 0; bin < ORACLE_BINS; bin++)
            expect_bin(expected, s, bin);
    }
    return expected;
}

static void destroy_expected(struct expected *expected)
{
    for (uint32_t s = 0; s < ORACLE_SERVERS; s++) {
        release_lane(&expected->cpu[s]);
        release_lane(&expected->accel[s]);
    }
    mem_free(expected->lost);
    mem_free(expected->refused);
    record_destroy(expected->record);
    mem_free(expected);
}

// The pieces first, so that a failure says which.
void oracle_same_groups(const struct record *record, const struct record *expected)
{
    for (uint32_t bin = 0; bin < ORACLE_BINS; bin++) {
        const struct group_tally *a = record_group(record, bin, 0);
        const struct group_tally *b = record_group(expected, bin, 0);
        ck_assert_uint_eq(a->n_completed, b->n_completed);
        for (int part = 0; part < N_PARTS; part++) {
            ck_assert_int_eq(a->busy_ns[part], b->busy_ns[part]);
            ck_assert_int_eq(a->backlog_ns[part], b->backlog_ns[part]);
            ck_assert_int_eq(a->drain_max_ns[part], b->drain_max_ns[part]);
            ck_assert_int_eq(a->energy_uj[part], b->energy_uj[part]);
        }
    }
}

void oracle_same_tallies(const struct record *record, const struct record *expected)
{
    size_t n = (size_t)ORACLE_BINS * record->shape.n_services * N_PATHS;
    for (size_t i = 0; i < n; i++) {
        const struct tally *a = &record->tallies[i], *b = &expected->tallies[i];
        ck_assert_uint_eq(a->n_queries, b->n_queries);
        ck_assert_uint_eq(a->n_requests, b->n_requests);
        ck_assert_uint_eq(a->n_in_flight, b->n_in_flight);
        ck_assert_uint_eq(a->n_lost, b->n_lost);
        ck_assert_uint_eq(a->n_pending, b->n_pending);
        ck_assert_uint_eq(a->n_retries, b->n_retries);
        ck_assert_uint_eq(a->n_completed, b->n_completed);
        ck_assert_uint_eq(a->n_completed_items, b->n_completed_items);
        ck_assert_uint_eq(a->n_completed_late, b->n_completed_late);
        ck_assert_uint_eq(a->n_late, b->n_late);
        ck_assert_uint_eq(a->wait_sum_ns, b->wait_sum_ns);
        ck_assert_uint_eq(a->service_sum_ns, b->service_sum_ns);
        ck_assert_uint_eq(a->latency_sum_ns, b->latency_sum_ns);
    }
}

void oracle_same_servers(const struct record *record, const struct record *expected)
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

int oracle_by_seq(const void *a, const void *b)
{
    const struct query *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// The same queries are to be tried again, at the same times.
static void assert_lost(struct completions *list, struct expected *expected)
{
    ck_assert_uint_eq(list->n_lost, expected->n_lost);
    if (list->n_lost == 0)
        return;
    qsort(list->lost, list->n_lost, sizeof *list->lost, oracle_by_seq);
    qsort(expected->lost, expected->n_lost, sizeof *expected->lost, oracle_by_seq);
    ck_assert_mem_eq(list->lost, expected->lost, list->n_lost * sizeof *list->lost);
}

void oracle_holds(struct oracle *setting)
{
    oracle_ready(setting);
    setting->deaf = true;
    struct expected *expected = expect(setting);
    struct completions list = {0};
    struct record *record = oracle_run(setting, &cpu_portable, 1500, &list);
    oracle_same_groups(record, expected->record);
    oracle_same_tallies(record, expected->record);
    oracle_same_servers(record, expected->record);
    assert_lost(&list, expected);
    ck_assert_uint_eq(list.n, 0);
    completions_release(&list);
    ck_assert(fixture_same_record(record, expected->record));
    ck_assert_uint_gt(record->n_samples, 0);
    record_destroy(record);
    destroy_expected(expected);
    oracle_destroy(setting);
}

void oracle_set_cold(struct oracle *setting, double factor, double cooling_s, double warming_s)
{
    for (uint32_t i = 0; i < setting->fixture.config.n_services; i++) {
        setting->fixture.cost_configs[i].cold_factor = factor;
        setting->fixture.cost_configs[i].cooling_s = cooling_s;
        setting->fixture.cost_configs[i].warming_s = warming_s;
    }
}

int oracle_by_end(const void *a, const void *b)
{
    const struct completion *x = a, *y = b;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return x->server < y->server ? -1 : x->server > y->server;
}

// A report of each query that says what it weighs, when it ends and where, or of each request.
static struct completion *expect_reports(const struct expected *expected, enum load_unit unit,
                                         size_t *n)
{
    struct completion *reports =
        mem_calloc(expected->setting->n_queries * MOST_REQUESTS, sizeof *reports);
    *n = 0;
    for (uint32_t s = 0; s < 2 * ORACLE_SERVERS; s++) {
        const struct lane *lane =
            s < ORACLE_SERVERS ? &expected->cpu[s] : &expected->accel[s - ORACLE_SERVERS];
        for (size_t i = 0; i < lane->n; i++) {
            const struct query *query = &expected->setting->queries[lane->query[i]];
            int64_t end_ns = smaller(lane->requests[i].end_ns, lane->until_ns[i]);
            bool same = unit != LOAD_REQUESTS && lane->number[i] > 0;
            if (same && end_ns > reports[*n - 1].end_ns)
                reports[*n - 1].end_ns = end_ns;
            if (!same)
                reports[(*n)++] = (struct completion){
                    .end_ns = end_ns,
                    .weight = unit == LOAD_REQUESTS
                                  ? 1
                                  : svctab_load(tab_of(expected->setting, query), unit, query),
                    .server = query->server};
        }
    }
    memcpy(reports + *n, expected->refused, expected->n_refused * sizeof *reports);
    *n += expected->n_refused;
    return reports;
}

// The same reports one by one: a report of n equal requests counts n times.
static struct completion *spell_out(const struct completions *list, bool per_request, size_t *n)
{
    size_t most = 0;
    for (size_t i = 0; i < list->n; i++)
        most += per_request ? (size_t)list->v[i].weight : 1;
    struct completion *reports = mem_calloc(most, sizeof *reports);
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

void oracle_reports_hold(struct oracle *setting)
{
    struct expected *expected = expect(setting);
    struct completions list = {0};
    struct record *record = oracle_run(setting, cpu_kernel_best(), 700, &list);
    size_t n, n_expected;
    struct completion *reports = spell_out(&list, setting->unit == LOAD_REQUESTS, &n);
    struct completion *wanted = expect_reports(expected, setting->unit, &n_expected);
    ck_assert_uint_eq(n, n_expected);
    qsort(reports, n, sizeof *reports, oracle_by_end);
    qsort(wanted, n, sizeof *wanted, oracle_by_end);
    int64_t weight = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(oracle_by_end(&reports[i], &wanted[i]), 0);
        weight += reports[i].weight - wanted[i].weight;
    }
    ck_assert_int_eq(weight, 0);
    ck_assert(fixture_same_record(record, expected->record));
    assert_lost(&list, expected);
    mem_free(reports);
    mem_free(wanted);
    completions_release(&list);
    record_destroy(record);
    destroy_expected(expected);
    oracle_destroy(setting);
}

// ---- a server, watched --------------------------------------------------------------------------

// A request and its slice; of one that was lost, as far as it came.
static void assert_seen(const struct lane *lane, size_t i, const struct timeline *timeline,
                        const struct timeline_slice *slice)
{
    const struct fixture_request *request = &lane->requests[i];
    const struct query *query = &lane->setting->queries[lane->query[i]];
    const struct timeline_query *seen = &timeline->queries[slice->query];
    int64_t until_ns = lane->until_ns[i];
    ck_assert_uint_eq(seen->seq, query->seq & ((UINT64_C(1) << QUERY_ORIGIN_SHIFT) - 1));
    ck_assert_uint_eq(seen->attempt, query_attempt(query));
    ck_assert_int_eq(seen->first_ns, query_first_ns(query));
    ck_assert_int_eq(seen->reach_ns, request->ready_ns);
    ck_assert_uint_eq(slice->part, lane->number[i]);
    ck_assert_int_eq(slice->ready_ns, request->ready_ns);
    ck_assert_int_eq(slice->begin_ns, smaller(request->begin_ns, until_ns));
    ck_assert_int_eq(slice->end_ns, smaller(request->end_ns, until_ns));
    ck_assert_uint_eq(slice->fate, request->end_ns <= until_ns    ? TIMELINE_DONE
                                   : request->begin_ns < until_ns ? TIMELINE_CUT
                                                                  : TIMELINE_DROPPED);
}

// Every request of a lane is there once, in order, and no core or stream does two things at once.
static void assert_lane_seen(const struct lane *lane, const struct timeline *timeline,
                             enum timeline_unit unit)
{
    int64_t free_ns[CPU_NARROW_CORES * 2] = {0};
    size_t n = 0;
    for (size_t i = 0; i < timeline->n_slices; i++) {
        const struct timeline_slice *slice = &timeline->slices[i];
        if (slice->unit != unit)
            continue;
        ck_assert_uint_lt(n, lane->n);
        assert_seen(lane, n++, timeline, slice);
        ck_assert_uint_lt(slice->lane,
                          unit == TIMELINE_CORE ? timeline->n_cores : timeline->n_streams);
        if (slice->fate == TIMELINE_DROPPED)
            continue;
        ck_assert_int_ge(slice->begin_ns, free_ns[slice->lane]);
        free_ns[slice->lane] = slice->end_ns;
    }
    ck_assert_uint_eq(n, lane->n);
}

// What is lost on arrival is there, too; and what came back, when.
static void assert_queries_seen(const struct oracle *setting, const struct timeline *timeline)
{
    size_t n = 0;
    for (size_t i = 0; i < setting->n_queries; i++)
        n += setting->queries[i].server - ORACLE_IN_CELL == timeline->server - ORACLE_IN_FLEET;
    ck_assert_uint_eq(timeline->n_queries, n);
    for (size_t i = 0; i < timeline->n_slices; i++) {
        const struct timeline_query *query = &timeline->queries[timeline->slices[i].query];
        int64_t return_ns = query->lost ? 0 : setting->fixture.config.balancer.return_delay_ns;
        ck_assert_int_ge(query->back_ns - return_ns, timeline->slices[i].end_ns);
    }
}

void oracle_watch_holds(struct oracle *setting)
{
    setting->fixture.config.n_slowest = 9; // whose queries are seen, too
    struct expected *expected = expect(setting);
    struct completions plain = {0};
    record_destroy(oracle_run(setting, cpu_kernel_best(), 700, &plain));
    qsort(plain.v, plain.n, sizeof *plain.v, oracle_by_end);
    for (uint32_t s = 0; s < ORACLE_SERVERS; s++) {
        struct timeline timeline = {.server = ORACLE_IN_FLEET + s, .to_ns = INT64_MAX};
        struct completions heard = {0};
        setting->timeline = &timeline;
        struct record *record = oracle_run(setting, cpu_kernel_best(), 700, &heard);
        setting->timeline = NULL;
        ck_assert(fixture_same_record(record, expected->record));
        ck_assert_uint_eq(heard.n, plain.n);
        qsort(heard.v, heard.n, sizeof *heard.v, oracle_by_end);
        for (size_t i = 0; i < heard.n; i++)
            ck_assert_int_eq(oracle_by_end(&heard.v[i], &plain.v[i]), 0);
        assert_lost(&heard, expected);
        assert_lane_seen(&expected->cpu[s], &timeline, TIMELINE_CORE);
        assert_lane_seen(&expected->accel[s], &timeline, TIMELINE_STREAM);
        assert_queries_seen(setting, &timeline);
        completions_release(&heard);
        record_destroy(record);
        timeline_release(&timeline);
    }
    completions_release(&plain);
    destroy_expected(expected);
}

struct oracle *oracle_make_reporting(enum load_unit unit, double contention_frac)
{
    struct oracle *setting = oracle_make(2);
    setting->unit = unit;
    setting->fixture.cost_configs[0].contention_frac = contention_frac;
    fixture_attach(&setting->fixture, 0, 2, false, 120);
    return setting;
}
