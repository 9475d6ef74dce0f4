// SPDX-License-Identifier: Apache-2.0
#include "cluster/server.h"

#include "base/mem.h"
#include "cluster/accel.h"
#include "models/power.h"

enum { CHUNK = 256 }; // jobs prepared, run and recorded together: fits the first-level cache

struct server_block {
    struct server_block_config config;
    const struct group_config *group;
    struct cpu_pool pool;
    struct accel_pool accel;
    bool has_accel, any_offload, fixed;
    struct noise noise;
    int64_t dispatch_delay_ns, return_delay_ns;
    uint32_t arrive_bin; // bin of the queries at hand, by arrival at the balancer
    int64_t arrive_edge_ns;
    uint32_t fold_bin; // bins before it have been folded, by arrival at the server
    int64_t fold_edge_ns;
    struct cpu_job jobs[CHUNK];
    struct cpu_ends ends;
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
    cpu_pool_init(&block->pool, config->n_servers, (uint32_t)group->platform->cores);
    block->pool.first_server = config->first_in_cell;
    noise_init(&block->noise, &group->noise, config->fleet->seed, config->cell);
    if (group->noise.spread != SPREAD_NONE)
        block->pool.noise = &block->noise;
    block->fixed = times_are_fixed(config, group);
    block->has_accel = group->platform->has_accelerator;
    const struct accelerator *accel = &group->platform->accelerator;
    if (block->has_accel)
        accel_pool_init(&block->accel, config->n_servers, (uint32_t)accel->streams, accel->overlap);
    for (uint32_t i = 0; i < config->fleet->n_services; i++)
        block->any_offload |= config->tabs[i]->offload_items != SVCTAB_NO_OFFLOAD;
    block->dispatch_delay_ns = config->fleet->balancer.dispatch_delay_ns;
    block->return_delay_ns = config->fleet->balancer.return_delay_ns;
    set_edges(block);
    return block;
}

void server_block_destroy(struct server_block *block)
{
    if (!block)
        return;
    cpu_pool_release(&block->pool);
    accel_pool_release(&block->accel);
    mem_free(block);
}

// ---- time bins ----------------------------------------------------------------------------------

// What one server did inside the bin that ends at edge_ns, into the group's tally and its total.
static void fold_server(struct server_block *block, uint32_t s, int64_t bin_ns, int64_t edge_ns,
                        struct group_tally *tally, struct server_total *total)
{
    const struct platform *platform = block->group->platform;
    struct cpu_server *server = cpu_pool_server(&block->pool, s);
    int64_t drain_ns, backlog_ns = cpu_pool_backlog_ns(&block->pool, s, edge_ns, &drain_ns);
    int64_t busy_ns = server->cpu_carry_ns + server->cpu_busy_ns - backlog_ns, accel_ns = 0;
    int64_t energy_uj = power_energy_uj(&platform->power, busy_ns, block->pool.n_cores, bin_ns);
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
            power_energy_uj(&platform->accelerator.power, accel_ns, block->accel.n_streams, bin_ns);
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
    for (uint32_t s = 0; s < block->config.n_servers; s++)
        fold_server(block, s, edge_ns - begin_ns, edge_ns, tally, warmup ? NULL : &totals[s]);
    block->fold_bin++;
    set_edges(block);
}

// ---- recording ----------------------------------------------------------------------------------

struct finished {
    int64_t finish_ns, wait_ns, start_ns;
    uint32_t n_requests;
};

static inline void add_to_tally(struct tally *tally, const struct query *query, int64_t latency_ns,
                                const struct finished *end, bool late, bool in_flight)
{
    uint64_t latency = (uint64_t)latency_ns;
    tally->n_queries++;
    tally->n_requests += end->n_requests;
    tally->n_items += query->size_items;
    tally->n_late += late;
    tally->n_waited += end->wait_ns > 0;
    tally->n_in_flight += in_flight;
    tally->latency_sum_ns += latency;
    tally->wait_sum_ns += (uint64_t)end->wait_ns;
    tally->service_sum_ns += (uint64_t)(end->finish_ns - end->start_ns - end->wait_ns);
    tally->latency_sq_sum_ns2 += (unsigned __int128)latency * latency;
    if (latency_ns > tally->latency_max_ns)
        tally->latency_max_ns = latency_ns;
    tally->hist[hist_index(latency_ns)]++;
}

static void keep_sample(struct server_block *block, const struct query *query,
                        const struct finished *end, int64_t latency_ns, enum record_path path)
{
    const struct server_block_config *config = &block->config;
    record_add_sample(config->record,
                      &(struct query_sample){
                          .arrive_ns = query->arrive_ns,
                          .latency_ns = latency_ns,
                          .wait_ns = end->wait_ns,
                          .service_ns = end->finish_ns - end->start_ns - end->wait_ns,
                          .seq = query->seq,
                          .cell = config->cell,
                          .server = query->server - config->first_in_cell + config->first_in_fleet,
                          .size_items = query->size_items,
                          .service = query->service,
                          .path = (uint16_t)path});
}

static inline void record_one(struct server_block *block, struct tally *tally,
                              const struct query *query, const struct finished *end,
                              enum record_path path)
{
    const struct fleet_config *fleet = block->config.fleet;
    int64_t back_ns = end->finish_ns + block->return_delay_ns;
    int64_t latency_ns = back_ns - query->arrive_ns;
    int64_t sla_ns = fleet->services[query->service].sla_ns;
    add_to_tally(tally, query, latency_ns, end, sla_ns > 0 && latency_ns > sla_ns,
                 back_ns > fleet->duration_ns);
    if (__builtin_expect(query->flags & QUERY_SAMPLED, 0))
        keep_sample(block, query, end, latency_ns, path);
}

static void record_cpu(struct server_block *block, const struct query *queries, size_t n_jobs)
{
    struct record *record = block->config.record;
    bool single = block->config.fleet->n_services == 1;
    struct tally *tally = record_tally(record, block->arrive_bin, 0, PATH_CPU);
    struct tally sums = *tally; // kept out of memory while there is one service
    for (size_t i = 0; i < n_jobs; i++) {
        const struct cpu_job *job = &block->jobs[i];
        const struct query *query = &queries[job->query];
        struct finished end = {job->finish_ns, job->wait_ns, job->start_ns, job->n_requests};
        if (!single)
            tally = record_tally(record, block->arrive_bin, query->service, PATH_CPU);
        record_one(block, single ? &sums : tally, query, &end, PATH_CPU);
    }
    if (single)
        *tally = sums;
}

// Completions in any unit but requests: one per query, when it ends.
static void report_queries(const struct server_block *block, const struct query *query,
                           int64_t finish_ns, struct report_list *reports)
{
    const struct svctab *tab = block->config.tabs[query->service];
    reports->v[reports->n++] = (struct report){
        finish_ns, svctab_load(tab, block->config.unit, query->size_items), query->server, 0};
}

// ---- running ------------------------------------------------------------------------------------

static void run_accel(struct server_block *block, const struct query *queries, uint32_t i,
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
    struct finished end = {job.finish_ns, job.wait_ns, job.start_ns, 1};
    record_one(block,
               record_tally(block->config.record, block->arrive_bin, query->service, PATH_ACCEL),
               query, &end, PATH_ACCEL);
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
        block->jobs[n_jobs++] =
            (struct cpu_job){.start_ns = query->arrive_ns + block->dispatch_delay_ns,
                             .full_ns = tab->full_ns,
                             .last_ns = split->last_ns,
                             .tab = tab,
                             .server = query->server - block->config.first_in_cell,
                             .n_requests = split->n_requests,
                             .size_items = query->size_items,
                             .query = i};
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
    if (block->fixed)
        block->config.kernel->assign_fixed(&block->pool, block->jobs, n_jobs);
    else
        block->config.kernel->assign_general(&block->pool, block->jobs, n_jobs);
    if (per_request)
        reports->n = block->ends.n;
    else if (block->config.wants_reports)
        for (size_t i = 0; i < n_jobs; i++)
            report_queries(block, &queries[block->jobs[i].query], block->jobs[i].finish_ns,
                           reports);
}

// How many of the queries lie in the current arrival bin and before the next fold.
static size_t same_bins(const struct server_block *block, const struct query *queries, size_t n)
{
    int64_t edge_ns = block->fold_edge_ns - block->dispatch_delay_ns;
    if (block->arrive_edge_ns < edge_ns)
        edge_ns = block->arrive_edge_ns;
    if (queries[n - 1].arrive_ns < edge_ns)
        return n;
    size_t i = 0;
    while (queries[i].arrive_ns < edge_ns)
        i++;
    return i;
}

static void move_to(struct server_block *block, int64_t arrive_ns)
{
    while (arrive_ns >= block->arrive_edge_ns) {
        block->arrive_bin++;
        set_edges(block);
    }
    while (arrive_ns + block->dispatch_delay_ns >= block->fold_edge_ns)
        fold_bin(block);
}

void server_block_run(struct server_block *block, const struct query *queries, size_t n,
                      struct report_list *reports)
{
    while (n > 0) {
        move_to(block, queries[0].arrive_ns);
        size_t chunk = same_bins(block, queries, n < CHUNK ? n : CHUNK), n_requests;
        if (block->config.wants_reports)
            report_list_reserve(reports, chunk);
        size_t n_jobs = prepare(block, queries, chunk, &n_requests, reports);
        if (n_jobs) {
            if (block->config.wants_reports)
                report_list_reserve(reports, chunk);
            run_cpu(block, queries, n_jobs, n_requests, reports);
            record_cpu(block, queries, n_jobs);
        }
        queries += chunk;
        n -= chunk;
    }
}

void server_block_finish(struct server_block *block)
{
    while (block->fold_bin < block->config.record->shape.n_bins)
        fold_bin(block);
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
