// SPDX-License-Identifier: Apache-2.0
#include "cluster/server.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/accel.h"
#include "cluster/uptime.h"
#include "models/power.h"

struct server_block {
    struct server_block_config config;
    const struct group_config *group;
    struct cpu_pool pool;
    struct accel_pool accel;
    bool has_accel, any_offload;
    void (*assign)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n); // of the kernel
    struct noise noise;
    int64_t dispatch_delay_ns, return_delay_ns;
    uint32_t arrive_bin; // bin of the queries at hand, by arrival at the balancer
    int64_t arrive_edge_ns;
    uint32_t fold_bin; // bins before it have been folded, by arrival at the server
    int64_t fold_edge_ns;
    struct cpu_job *jobs; // [SERVER_CHUNK]
    bool owns_jobs;
    struct cpu_ends ends;
    struct uptime *uptime; // NULL: servers are always up
    struct query *taken;   // [SERVER_CHUNK] queries that find their server up; NULL without uptime
};

void report_list_reserve(struct report_list *list, size_t n_more)
{
    if (list->n + n_more <= list->cap)
        return;
    list->cap = 2 * (list->n + n_more);
    list->v = mem_realloc(list->v, list->cap, sizeof *list->v);
}

void report_list_release(struct report_list *list)
{
    mem_free(list->v);
    mem_free(list->lost);
    *list = (struct report_list){0};
}

// Fixed service times suffice when neither noise nor busy cores change them.
static bool times_are_fixed(const struct server_block_config *config,
                            const struct group_config *group)
{
    if (group->noise.spread != SPREAD_NONE || group->platform->cores > CPU_NARROW_CORES)
        return false;
    for (uint32_t i = 0; i < config->fleet->n_services; i++)
        if (config->tabs[i]->n_levels > 1)
            return false;
    return true;
}

static bool cores_cool(const struct server_block_config *config)
{
    for (uint32_t i = 0; i < config->fleet->n_services; i++)
        if (config->tabs[i]->cold_extra > 0)
            return true;
    return false;
}

static void init_pool(struct server_block *block)
{
    const struct server_block_config *config = &block->config;
    uint32_t n_cores = (uint32_t)block->group->platform->cores;
    if (cores_cool(config)) {
        cpu_pool_init_cold(&block->pool, config->n_servers, n_cores);
        block->assign = config->kernel->assign_cold;
    } else {
        cpu_pool_init(&block->pool, config->n_servers, n_cores);
        block->assign = times_are_fixed(config, block->group) ? config->kernel->assign_fixed
                                                              : config->kernel->assign_general;
    }
    block->pool.first_server = config->first_in_cell;
}

static void set_edges(struct server_block *block)
{
    const struct record_shape *shape = &block->config.record->shape;
    block->arrive_edge_ns = record_bin_start_ns(shape, block->arrive_bin + 1);
    block->fold_edge_ns = block->fold_bin < shape->n_bins
                              ? record_bin_start_ns(shape, block->fold_bin + 1)
                              : INT64_MAX;
}

struct server_block *server_block_create(const struct server_block_config *config)
{
    struct server_block *block = mem_aligned(64, sizeof *block);
    block->config = *config;
    const struct group_config *group = &config->fleet->groups[config->group];
    block->group = group;
    init_pool(block);
    noise_init(&block->noise, &group->noise, config->fleet->seed, config->cell);
    if (group->noise.spread != SPREAD_NONE)
        block->pool.noise = &block->noise;
    block->has_accel = group->platform->has_accelerator;
    const struct accelerator *accel = &group->platform->accelerator;
    if (block->has_accel)
        accel_pool_init(&block->accel, config->n_servers, (uint32_t)accel->streams, accel->overlap);
    for (uint32_t i = 0; i < config->fleet->n_services; i++)
        block->any_offload |= config->tabs[i]->offload_items != SVCTAB_NO_OFFLOAD;
    block->dispatch_delay_ns = config->fleet->balancer.dispatch_delay_ns;
    block->return_delay_ns = config->fleet->balancer.return_delay_ns;
    block->owns_jobs = config->jobs == NULL;
    block->jobs = config->jobs ? config->jobs : mem_aligned(64, SERVER_CHUNK * sizeof *block->jobs);
    set_edges(block);
    if (fleet_has_outages(config->fleet)) {
        block->uptime = uptime_create(config->fleet, config->layout, config->part);
        block->taken = mem_calloc(SERVER_CHUNK, sizeof *block->taken);
    }
    return block;
}

void server_block_destroy(struct server_block *block)
{
    if (!block)
        return;
    cpu_pool_release(&block->pool);
    accel_pool_release(&block->accel);
    if (block->owns_jobs)
        mem_free(block->jobs);
    uptime_destroy(block->uptime);
    mem_free(block->taken);
    mem_free(block);
}

// ---- time bins ----------------------------------------------------------------------------------

// What one server did inside the bin that ends at edge_ns, powered for on_ns of it, into the
// group's tally and its total.
static void fold_server(struct server_block *block, uint32_t s, int64_t on_ns, int64_t edge_ns,
                        struct group_tally *tally, struct server_total *total)
{
    const struct platform *platform = block->group->platform;
    struct cpu_server *server = cpu_pool_server(&block->pool, s);
    int64_t drain_ns, backlog_ns = cpu_pool_backlog_ns(&block->pool, s, edge_ns, &drain_ns);
    int64_t busy_ns = server->cpu_carry_ns + server->cpu_busy_ns - backlog_ns, accel_ns = 0;
    int64_t energy_uj = power_energy_uj(&platform->power, busy_ns, block->pool.n_cores, on_ns);
    server->cpu_carry_ns = backlog_ns;
    tally->cpu_busy_ns += busy_ns;
    tally->cpu_backlog_ns += backlog_ns;
    tally->cpu_energy_uj += energy_uj;
    if (drain_ns > tally->cpu_drain_max_ns)
        tally->cpu_drain_max_ns = drain_ns;
    if (block->has_accel) {
        backlog_ns = accel_backlog_ns(&block->accel, s, edge_ns, &drain_ns);
        accel_ns = server->accel_carry_ns + server->accel_busy_ns - backlog_ns;
        server->accel_carry_ns = backlog_ns;
        int64_t accel_uj =
            power_energy_uj(&platform->accelerator.power, accel_ns, block->accel.n_streams, on_ns);
        tally->accel_busy_ns += accel_ns;
        tally->accel_backlog_ns += backlog_ns;
        tally->accel_energy_uj += accel_uj;
        if (drain_ns > tally->accel_drain_max_ns)
            tally->accel_drain_max_ns = drain_ns;
        energy_uj += accel_uj;
    }
    if (total) {
        total->n_queries += server->n_queries;
        total->n_requests += server->n_requests;
        total->n_items += server->n_items;
        total->n_accel_queries += server->n_accel_queries;
        total->cpu_busy_ns += busy_ns;
        total->accel_busy_ns += accel_ns;
        total->energy_uj += energy_uj;
    }
    server->n_queries = server->n_requests = server->n_items = server->n_accel_queries = 0;
    server->cpu_busy_ns = server->accel_busy_ns = 0;
}

static void fold_bin(struct server_block *block)
{
    struct record *record = block->config.record;
    uint32_t bin = block->fold_bin;
    int64_t begin_ns = record_bin_start_ns(&record->shape, bin), edge_ns = block->fold_edge_ns;
    bool warmup = bin == 0 && record->shape.warmup_ns > 0;
    struct group_tally *tally = record_group(record, bin, block->config.group);
    struct server_total *totals = record->servers + block->config.first_in_fleet;
    for (uint32_t s = 0; s < block->config.n_servers; s++) {
        int64_t on_ns = block->uptime ? uptime_powered_ns(block->uptime, s, begin_ns, edge_ns)
                                      : edge_ns - begin_ns;
        fold_server(block, s, on_ns, edge_ns, tally, warmup ? NULL : &totals[s]);
    }
    block->fold_bin++;
    set_edges(block);
}

// ---- recording ----------------------------------------------------------------------------------

// What became of one query, whichever way it went.
struct finished {
    const struct query *query;
    int64_t start_ns, finish_ns, wait_ns;
    uint32_t n_requests;
};

static enum record_path path_of(const struct server_block *block, const struct query *query)
{
    const struct svctab *tab = block->config.tabs[query->service];
    return svctab_offloads(tab, query->size_items) ? PATH_ACCEL : PATH_CPU;
}

// Where a query is counted: by its first arrival, whichever attempt this is.
static struct tally *tally_of(const struct server_block *block, const struct query *query,
                              enum record_path path)
{
    const struct record *record = block->config.record;
    uint32_t bin = query->delay_us > 0 ? record_bin_of(&record->shape, query_first_ns(query))
                                       : block->arrive_bin;
    return record_tally(record, bin, query->service, path);
}

static int64_t latency_of(const struct server_block *block, const struct finished *end)
{
    return end->finish_ns + block->return_delay_ns - query_first_ns(end->query);
}

static void keep_sample(struct server_block *block, const struct finished *end,
                        enum record_path path)
{
    const struct server_block_config *config = &block->config;
    const struct query *query = end->query;
    record_add_sample(config->record,
                      &(struct query_sample){
                          .arrive_ns = query_first_ns(query),
                          .latency_ns = latency_of(block, end),
                          .wait_ns = end->wait_ns,
                          .service_ns = end->finish_ns - end->start_ns - end->wait_ns,
                          .seq = query->seq & ((UINT64_C(1) << QUERY_ATTEMPT_SHIFT) - 1),
                          .cell = config->cell,
                          .server = query->server - config->first_in_cell + config->first_in_fleet,
                          .size_items = query->size_items,
                          .service = query->service,
                          .path = (uint16_t)path});
}

// The rare part: the sample, and queries whose response is not back when the run ends.
static void record_rare(struct server_block *block, struct tally *tally, const struct finished *end,
                        enum record_path path)
{
    tally->n_in_flight +=
        end->finish_ns + block->return_delay_ns > block->config.fleet->duration_ns;
    if (end->query->flags & QUERY_SAMPLED)
        keep_sample(block, end, path);
}

static struct finished finished_job(const struct cpu_job *job, const struct query *queries)
{
    return (struct finished){&queries[job->query], job->start_ns, job->finish_ns, job->wait_ns,
                             job->n_requests};
}

// n >= 1 jobs of one service, all first attempts. Sums are kept out of memory; what holds for few
// queries is looked for once for all of them. Service times follow from latency = delays + wait +
// service.
static void record_run(struct server_block *block, const struct query *queries,
                       const struct cpu_job *jobs, size_t n)
{
    const struct query *first = &queries[jobs[0].query];
    struct tally *tally =
        record_tally(block->config.record, block->arrive_bin, first->service, PATH_CPU);
    int64_t sla_ns = block->config.fleet->services[first->service].sla_ns, max_ns = 0;
    int64_t back_max_ns = 0, return_ns = block->return_delay_ns;
    uint64_t latency_sum = 0, wait_sum = 0, n_late = 0, n_waited = 0, n_requests = 0, n_items = 0;
    unsigned __int128 sq_sum = 0;
    uint32_t flags = 0, *hist = tally->hist;
    for (size_t i = 0; i < n; i++) {
        const struct query *query = &queries[jobs[i].query];
        int64_t back_ns = jobs[i].finish_ns + return_ns, latency_ns = back_ns - query->arrive_ns;
        hist[hist_index(latency_ns)]++;
        latency_sum += (uint64_t)latency_ns;
        sq_sum += (unsigned __int128)(uint64_t)latency_ns * (uint64_t)latency_ns;
        max_ns = latency_ns > max_ns ? latency_ns : max_ns;
        back_max_ns = back_ns > back_max_ns ? back_ns : back_max_ns;
        n_late += latency_ns > sla_ns;
        n_waited += jobs[i].wait_ns > 0;
        wait_sum += (uint64_t)jobs[i].wait_ns;
        n_requests += jobs[i].n_requests;
        n_items += jobs[i].size_items;
        flags |= query->flags;
    }
    tally->n_queries += n;
    tally->n_requests += n_requests;
    tally->n_items += n_items;
    tally->n_late += sla_ns > 0 ? n_late : 0;
    tally->n_waited += n_waited;
    tally->latency_sum_ns += latency_sum;
    tally->wait_sum_ns += wait_sum;
    tally->service_sum_ns +=
        latency_sum - wait_sum - n * (uint64_t)(block->dispatch_delay_ns + return_ns);
    tally->latency_sq_sum_ns2 += sq_sum;
    tally->latency_max_ns = max_ns > tally->latency_max_ns ? max_ns : tally->latency_max_ns;
    if (flags == 0 && back_max_ns <= block->config.fleet->duration_ns)
        return;
    for (size_t i = 0; i < n; i++) {
        struct finished end = finished_job(&jobs[i], queries);
        record_rare(block, tally, &end, PATH_CPU);
    }
}

// Jobs in order, in runs of the same service.
static void record_cpu(struct server_block *block, const struct query *queries, size_t n_jobs)
{
    size_t begin = 0;
    while (begin < n_jobs) {
        uint16_t service = queries[block->jobs[begin].query].service;
        size_t end = block->config.fleet->n_services == 1 ? n_jobs : begin + 1;
        while (end < n_jobs && queries[block->jobs[end].query].service == service)
            end++;
        record_run(block, queries, block->jobs + begin, end - begin);
        begin = end;
    }
}

static void record_one(struct server_block *block, const struct finished *end,
                       enum record_path path)
{
    const struct query *query = end->query;
    struct tally *tally = tally_of(block, query, path);
    int64_t sla_ns = block->config.fleet->services[query->service].sla_ns;
    int64_t latency_ns = latency_of(block, end);
    tally->n_queries++;
    tally->n_requests += end->n_requests;
    tally->n_items += query->size_items;
    tally->n_late += sla_ns > 0 && latency_ns > sla_ns;
    tally->n_waited += end->wait_ns > 0;
    tally->latency_sum_ns += (uint64_t)latency_ns;
    tally->wait_sum_ns += (uint64_t)end->wait_ns;
    tally->service_sum_ns += (uint64_t)(end->finish_ns - end->start_ns - end->wait_ns);
    tally->latency_sq_sum_ns2 += (unsigned __int128)(uint64_t)latency_ns * (uint64_t)latency_ns;
    if (latency_ns > tally->latency_max_ns)
        tally->latency_max_ns = latency_ns;
    tally->hist[hist_index(latency_ns)]++;
    record_rare(block, tally, end, path);
}

// Completions in any unit but requests: one per query, when it ends.
static void report_queries(const struct server_block *block, const struct query *query,
                           int64_t finish_ns, struct report_list *reports)
{
    const struct svctab *tab = block->config.tabs[query->service];
    reports->v[reports->n++] = (struct report){
        finish_ns, svctab_load(tab, block->config.unit, query->size_items), query->server, 0};
}

// ---- losing -------------------------------------------------------------------------------------

// The next attempt of a query that was lost at at_ns: on a whole microsecond since it first
// arrived, and later than this attempt even where news takes no time. False: it would be so late
// that a query cannot say it.
static bool next_attempt(const struct server_block *block, const struct query *query, int64_t at_ns,
                         struct query *next)
{
    const struct fleet_config *fleet = block->config.fleet;
    int64_t ready_ns = at_ns + fleet->balancer.status_delay_ns + fleet->outages.retry_delay_ns;
    int64_t first_ns = query_first_ns(query);
    ready_ns = ready_ns > query->arrive_ns ? ready_ns : query->arrive_ns + 1;
    int64_t delay_us = (ready_ns - first_ns + 999) / 1000;
    *next = *query;
    next->arrive_ns = first_ns + delay_us * 1000;
    next->delay_us = (uint32_t)delay_us;
    next->seq += UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    return delay_us <= UINT32_MAX;
}

static void lose(struct server_block *block, const struct query *query, int64_t at_ns,
                 struct report_list *reports)
{
    const struct fleet_config *fleet = block->config.fleet;
    struct tally *tally = tally_of(block, query, path_of(block, query));
    struct query next;
    if (at_ns >= fleet->duration_ns) { // when the run ends it is still in flight
        tally->n_pending++;
    } else if (query_attempt(query) >= fleet->outages.retries ||
               !next_attempt(block, query, at_ns, &next)) {
        tally->n_lost++;
    } else if (next.arrive_ns >= fleet->duration_ns) {
        tally->n_pending++;
    } else {
        if (reports->n_lost == reports->lost_cap) {
            reports->lost_cap = reports->lost_cap ? 2 * reports->lost_cap : 64;
            reports->lost = mem_realloc(reports->lost, reports->lost_cap, sizeof *reports->lost);
        }
        reports->lost[reports->n_lost++] = next;
    }
}

// Those of a chunk that find their server up, in order; *n: how many. The others are lost as soon
// as they get there.
static const struct query *find_up(struct server_block *block, const struct query *queries,
                                   size_t *n, struct report_list *reports)
{
    size_t n_up = 0;
    for (size_t i = 0; i < *n; i++) {
        const struct query *query = &queries[i];
        int64_t at_ns = query->arrive_ns + block->dispatch_delay_ns;
        if (query->delay_us > 0)
            tally_of(block, query, path_of(block, query))->n_retries++;
        if (block->uptime->until_ns[query->server - block->config.first_in_cell] > at_ns) {
            block->taken[n_up++] = *query;
            continue;
        }
        lose(block, query, at_ns, reports);
        if (block->config.wants_reports)
            report_queries(block, query, at_ns, reports);
    }
    *n = n_up;
    return block->taken;
}

// Those of the chunk's jobs that end on their first attempt, in order; returns how many. The others
// are lost, or recorded here.
static size_t find_ended(struct server_block *block, const struct query *queries, size_t n_jobs,
                         struct report_list *reports)
{
    size_t n_ended = 0;
    for (size_t i = 0; i < n_jobs; i++) {
        const struct cpu_job *job = &block->jobs[i];
        const struct query *query = &queries[job->query];
        int64_t until_ns = block->uptime->until_ns[job->server];
        struct finished end = finished_job(job, queries);
        if (job->finish_ns > until_ns)
            lose(block, query, until_ns, reports);
        else if (query->delay_us > 0)
            record_one(block, &end, PATH_CPU);
        else
            block->jobs[n_ended++] = *job;
    }
    return n_ended;
}

// Reports from `first` on: none is later than its server's going down.
static void cut_reports(const struct server_block *block, struct report_list *reports, size_t first)
{
    for (size_t i = first; i < reports->n; i++) {
        struct report *report = &reports->v[i];
        int64_t until_ns = block->uptime->until_ns[report->server - block->config.first_in_cell];
        report->end_ns = report->end_ns < until_ns ? report->end_ns : until_ns;
    }
}

// ---- running ------------------------------------------------------------------------------------

// Not inlined: the loop over a chunk, most of whose queries go to the cores, then keeps its numbers
// in registers.
static __attribute__((noinline)) void run_accel(struct server_block *block,
                                                const struct query *queries, uint32_t i,
                                                struct report_list *reports)
{
    const struct query *query = &queries[i];
    const struct svctab *tab = block->config.tabs[query->service];
    uint32_t s = query->server - block->config.first_in_cell;
    struct accel_job job = {.start_ns = query->arrive_ns + block->dispatch_delay_ns,
                            .load_ns = tab->load_ns[query->size_items],
                            .compute_ns = tab->compute_ns[query->size_items]};
    if (block->pool.noise)
        job.compute_ns = noise_apply(&block->noise, job.compute_ns, query->seq, 0);
    struct cpu_server *server = cpu_pool_server(&block->pool, s);
    server->accel_busy_ns += accel_assign(&block->accel, s, &job);
    server->n_queries++;
    server->n_accel_queries++;
    server->n_items += query->size_items;
    if (block->uptime && job.finish_ns > block->uptime->until_ns[s])
        lose(block, query, block->uptime->until_ns[s], reports);
    else
        record_one(block, &(struct finished){query, job.start_ns, job.finish_ns, job.wait_ns, 1},
                   PATH_ACCEL);
    if (block->config.wants_reports)
        report_queries(block, query, job.finish_ns, reports);
}

// Turns a chunk into jobs; accelerator queries are run at once, they share nothing with the cores.
// Returns the number of CPU jobs; *n_requests: how many requests they have.
static size_t prepare(struct server_block *block, const struct query *queries, size_t n,
                      size_t *n_requests, struct report_list *reports)
{
    size_t n_jobs = 0;
    *n_requests = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct query *query = &queries[i];
        const struct svctab *tab = block->config.tabs[query->service];
        if (block->any_offload && svctab_offloads(tab, query->size_items)) {
            run_accel(block, queries, i, reports);
            continue;
        }
        const struct svctab_split *split = &tab->split[query->size_items];
        struct cpu_job *cpu = &block->jobs[n_jobs++]; // finish and wait are the kernel's
        cpu->start_ns = query->arrive_ns + block->dispatch_delay_ns;
        cpu->full_ns = tab->full_ns;
        cpu->last_ns = split->last_ns;
        cpu->tab = tab;
        cpu->server = query->server - block->config.first_in_cell;
        cpu->n_requests = split->n_requests;
        cpu->size_items = query->size_items;
        cpu->query = i;
        *n_requests += split->n_requests;
    }
    return n_jobs;
}

static void run_cpu(struct server_block *block, const struct query *queries, size_t n_jobs,
                    size_t n_requests, struct report_list *reports)
{
    bool per_request = block->config.wants_reports && block->config.unit == LOAD_REQUESTS;
    if (per_request) {
        report_list_reserve(reports, n_requests);
        block->ends = (struct cpu_ends){reports->v, reports->n};
    }
    block->pool.ends = per_request ? &block->ends : NULL;
    block->pool.queries = queries;
    block->assign(&block->pool, block->jobs, n_jobs);
    if (per_request)
        reports->n = block->ends.n;
    else if (block->config.wants_reports)
        for (size_t i = 0; i < n_jobs; i++)
            report_queries(block, &queries[block->jobs[i].query], block->jobs[i].finish_ns,
                           reports);
}

// How many of the queries lie in the current arrival bin and before the next fold or change.
static size_t same_bins(const struct server_block *block, const struct query *queries, size_t n)
{
    int64_t edge_ns = block->fold_edge_ns;
    if (block->uptime && uptime_next_ns(block->uptime) < edge_ns)
        edge_ns = uptime_next_ns(block->uptime);
    edge_ns -= block->dispatch_delay_ns;
    if (block->arrive_edge_ns < edge_ns)
        edge_ns = block->arrive_edge_ns;
    if (queries[n - 1].arrive_ns < edge_ns)
        return n;
    size_t i = 0;
    while (queries[i].arrive_ns < edge_ns)
        i++;
    return i;
}

// A server goes down or comes up: what it would have done is not done.
static void take_change(struct server_block *block)
{
    int64_t bin_begin_ns = record_bin_start_ns(&block->config.record->shape, block->fold_bin);
    struct outage_change change;
    uptime_next(block->uptime, bin_begin_ns, &change);
    if (change.up)
        return;
    uint32_t s = change.server - block->config.first_in_cell;
    struct cpu_server *server = cpu_pool_server(&block->pool, s);
    server->cpu_busy_ns -= cpu_pool_cut(&block->pool, s, change.at_ns);
    if (block->has_accel)
        server->accel_busy_ns -= accel_cut(&block->accel, s, change.at_ns);
}

// Folds and changes up to t_ns at the servers, in order. What changes at the end of a bin belongs
// to the next.
static void pass_time(struct server_block *block, int64_t t_ns)
{
    for (;;) {
        bool is_change = block->uptime && uptime_next_ns(block->uptime) < block->fold_edge_ns;
        if ((is_change ? uptime_next_ns(block->uptime) : block->fold_edge_ns) > t_ns)
            return;
        if (is_change)
            take_change(block);
        else
            fold_bin(block);
    }
}

static void move_to(struct server_block *block, int64_t arrive_ns)
{
    while (arrive_ns >= block->arrive_edge_ns) {
        block->arrive_bin++;
        set_edges(block);
    }
    pass_time(block, arrive_ns + block->dispatch_delay_ns);
}

// n <= SERVER_CHUNK queries of one bin, between two changes.
static void run_chunk(struct server_block *block, const struct query *queries, size_t n,
                      struct report_list *reports)
{
    size_t n_requests, n_reports = 0;
    if (block->config.wants_reports)
        report_list_reserve(reports, n);
    if (block->uptime) {
        queries = find_up(block, queries, &n, reports);
        n_reports = block->config.wants_reports ? reports->n : 0;
    }
    size_t n_jobs = prepare(block, queries, n, &n_requests, reports);
    if (n_jobs) {
        if (block->config.wants_reports)
            report_list_reserve(reports, n);
        run_cpu(block, queries, n_jobs, n_requests, reports);
        if (block->uptime)
            n_jobs = find_ended(block, queries, n_jobs, reports);
        record_cpu(block, queries, n_jobs);
    }
    if (block->uptime && block->config.wants_reports)
        cut_reports(block, reports, n_reports);
}

void server_block_run(struct server_block *block, const struct query *queries, size_t n,
                      struct report_list *reports)
{
    while (n > 0) {
        move_to(block, queries[0].arrive_ns);
        size_t chunk = same_bins(block, queries, n < SERVER_CHUNK ? n : SERVER_CHUNK);
        run_chunk(block, queries, chunk, reports);
        queries += chunk;
        n -= chunk;
    }
}

void server_block_finish(struct server_block *block)
{
    pass_time(block, block->config.record->shape.end_ns);
}

// ---- as bytes -----------------------------------------------------------------------------------

void server_block_settle(struct server_block *block, int64_t next_ns)
{
    move_to(block, next_ns);
}

size_t server_block_bytes(const struct server_block *block)
{
    return block->pool.stride + (block->has_accel ? 64 + 8 * (size_t)block->accel.n_streams : 0);
}

// Each server's bytes: its counters and lanes, then, with an accelerator, how many follow and they.
void server_block_save(const struct server_block *block, uint32_t first, uint32_t n,
                       struct blob *blob)
{
    const struct cpu_pool *pool = &block->pool;
    struct blob accel = {0};
    blob_put(blob, pool->servers + first * pool->stride, n * pool->stride);
    for (uint32_t s = first; block->has_accel && s < first + n; s++) {
        blob_clear(&accel);
        accel_save(&block->accel, s, &accel);
        blob_put_u64(blob, accel.n);
        blob_put(blob, accel.bytes, accel.n);
    }
    blob_release(&accel);
}

static void load_accel(struct server_block *block, int64_t s, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    const void *bytes = blob_take(reader, n);
    struct blob_reader one = blob_read(bytes, n);
    if (!bytes || s < 0 || s >= block->config.n_servers)
        return;
    accel_load(&block->accel, (uint32_t)s, &one);
    if (blob_end(&one, NULL) < 0)
        blob_refuse(reader);
}

// The bins of a block that has been settled at next_ns, and which of its servers are up: its lanes
// are as the changes so far have left them.
static void enter_bins(struct server_block *block, int64_t next_ns)
{
    const struct record_shape *shape = &block->config.record->shape;
    block->arrive_bin = record_bin_of(shape, next_ns);
    block->fold_bin = 0;
    while (block->fold_bin < shape->n_bins &&
           next_ns + block->dispatch_delay_ns >= record_bin_start_ns(shape, block->fold_bin + 1))
        block->fold_bin++;
    set_edges(block);
    int64_t bin_begin_ns = record_bin_start_ns(shape, block->fold_bin);
    struct outage_change change;
    while (block->uptime && uptime_next_ns(block->uptime) <= next_ns + block->dispatch_delay_ns)
        uptime_next(block->uptime, bin_begin_ns, &change);
}

void server_block_load(struct server_block *block, int64_t first, uint32_t n, int64_t next_ns,
                       struct blob_reader *reader)
{
    struct cpu_pool *pool = &block->pool;
    int64_t from = first < 0 ? 0 : first, end = first + n;
    end = end < block->config.n_servers ? end : block->config.n_servers;
    const unsigned char *bytes = blob_take(reader, n * pool->stride);
    if (next_ns < 0 || next_ns >= block->config.record->shape.end_ns)
        blob_refuse(reader);
    if (!bytes || reader->short_of || from >= end)
        return;
    memcpy(pool->servers + (size_t)from * pool->stride,
           bytes + (size_t)(from - first) * pool->stride, (size_t)(end - from) * pool->stride);
    for (int64_t s = first; block->has_accel && s < first + n; s++)
        load_accel(block, s, reader);
    enter_bins(block, next_ns);
}

int64_t server_least_service_ns(const struct group_config *group, const struct svctab *const *tabs,
                                uint32_t n_services)
{
    if (group->noise.spread != SPREAD_NONE)
        return 0; // a factor can be as small as it likes
    int64_t least_ns = INT64_MAX;
    for (uint32_t i = 0; i < n_services; i++)
        if (tabs[i]->least_ns < least_ns)
            least_ns = tabs[i]->least_ns;
    return least_ns;
}
