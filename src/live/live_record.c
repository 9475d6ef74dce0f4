// SPDX-License-Identifier: Apache-2.0
#include "live/live_record.h"

#include "base/mem.h"
#include "cluster/full_work.h"
#include "cluster/server_fold.h"
#include "cluster/server_record.h"

// ---- queries ------------------------------------------------------------------------------------

// Where the study asks for single queries: what the record wants of this one.
static void keep_single(const struct server_record *rec, const struct query *query,
                        const struct live_query *fate, struct query_sample *single)
{
    single->begin_ns = fate->begin_ns;
    single->first_unit = fate->first_worker;
    single->last_unit = fate->last_worker;
    single->n_batch = fate->n_batch;
    if (server_record_wants(rec, query, single))
        server_record_keep(rec, query, single);
}

static void put_query(struct server_record *rec, const struct query *planned,
                      const struct live_query *fate)
{
    struct query query = *planned;
    struct query_sample single = {0};
    query.arrive_ns = fate->arrive_ns;
    query.server = fate->server;
    rec->record->n_generated[query.service]++;
    if (fate->fate == LIVE_ENDED) {
        int64_t ready_ns = query.arrive_ns + rec->dispatch_delay_ns;
        const struct finished end = {&query, ready_ns, fate->end_ns, fate->last_begin_ns - ready_ns,
                                     fate->n_requests};
        bool wanted = rec->record->slowest || query.flags & QUERY_SAMPLED;
        rec->single = wanted ? &single : NULL;
        server_record_one(rec, &end, PATH_CPU, NULL);
        if (wanted)
            keep_single(rec, &query, fate, &single);
    } else {
        struct tally *tally = server_record_tally(rec, &query, PATH_CPU);
        tally->n_lost += fate->fate != LIVE_WAITING;
        tally->n_pending += fate->fate == LIVE_WAITING;
    }
}

// ---- cores --------------------------------------------------------------------------------------

// One request over the bins in which it was work that had arrived, and in which it ran. What
// reaches beyond the end of the run is in no bin.
static void put_request(const struct live_request *request, const struct record_shape *shape,
                        struct sched_usage *usages)
{
    if (request->due_ns >= shape->end_ns || request->end_ns <= request->begin_ns)
        return;
    uint32_t bin = record_bin_of(shape, request->due_ns);
    for (; bin < shape->n_bins; bin++) {
        int64_t from_ns = record_bin_start_ns(shape, bin);
        int64_t to_ns = record_bin_start_ns(shape, bin + 1);
        if (request->end_ns <= from_ns)
            break;
        int64_t begin_ns = request->begin_ns > from_ns ? request->begin_ns : from_ns;
        int64_t end_ns = request->end_ns < to_ns ? request->end_ns : to_ns;
        if (end_ns > begin_ns)
            usages[bin].cpu.busy_ns += end_ns - begin_ns;
        begin_ns = request->begin_ns > to_ns ? request->begin_ns : to_ns;
        if (request->end_ns > begin_ns)
            usages[bin].cpu.backlog_ns += request->end_ns - begin_ns;
        usages[bin].n_requests += request->begin_ns >= from_ns && request->begin_ns < to_ns;
    }
}

// What arrived at a server, bin by bin and service by service.
static void put_arrivals(const struct live_log *log, uint32_t server,
                         const struct record_shape *shape, struct full_work_volume *volumes)
{
    const struct live_plan *plan = log->plan;
    for (size_t i = 0; i < plan->n_queries; i++) {
        const struct live_query *query = &log->queries[i];
        if (query->fate == LIVE_UNSENT || query->fate == LIVE_REFUSED || query->server != server ||
            query->arrive_ns >= shape->end_ns)
            continue;
        uint32_t bin = record_bin_of(shape, query->arrive_ns);
        struct full_work_volume *volume =
            &volumes[(size_t)bin * plan->n_services + plan->queries[i].service];
        volume->n_queries++;
        volume->n_items += plan->queries[i].size_items;
    }
}

// What was left in the queue has no request: it is backlog from its arrival on, as long as the
// study says that it takes.
static void put_left(const struct live_log *log, uint32_t server, const struct record_shape *shape,
                     struct sched_usage *usages)
{
    const struct live_plan *plan = log->plan;
    for (size_t i = 0; i < plan->n_queries; i++) {
        const struct live_query *query = &log->queries[i];
        if (query->fate != LIVE_WAITING || query->taken || query->server != server ||
            query->arrive_ns >= shape->end_ns)
            continue;
        const struct query *planned = &plan->queries[i];
        int64_t work_ns = svctab_load(plan->tabs[planned->service], LOAD_WORK, planned);
        for (uint32_t bin = record_bin_of(shape, query->arrive_ns); bin < shape->n_bins; bin++)
            usages[bin].cpu.backlog_ns += work_ns;
    }
}

// What came, in full batches by the study's times: whether a server that merges keeps up cannot be
// told from how busy it is.
static void add_volumes(const struct live_plan *plan, const struct full_work_volume *volumes,
                        struct sched_usage *usage)
{
    int64_t work_ns[N_PLACES] = {0, 0};
    bool merges = false;
    for (uint32_t i = 0; i < plan->n_services; i++) {
        const struct full_work work = {.rules = plan->rules[i],
                                       .tab = plan->tabs[i],
                                       .plain_tab = plan->tabs[i],
                                       .n_cores = plan->n_workers};
        full_work_add(&work, &volumes[i], work_ns);
        usage->n_queries += volumes[i].n_queries;
        usage->n_items += volumes[i].n_items;
        merges = merges || plan->rules[i][PLACE_CORES].merges;
    }
    usage->cpu.work_ns = merges ? work_ns[PLACE_CORES] : 0;
}

static void put_cores(const struct live_log *log, uint32_t server, struct record *record)
{
    const struct live_plan *plan = log->plan;
    const struct record_shape *shape = &record->shape;
    struct sched_usage *usages = mem_calloc(shape->n_bins, sizeof *usages);
    struct full_work_volume *volumes =
        mem_calloc((size_t)shape->n_bins * plan->n_services, sizeof *volumes);
    for (size_t i = 0; i < log->n_requests; i++)
        if (log->requests[i].server == server)
            put_request(&log->requests[i], shape, usages);
    put_left(log, server, shape, usages);
    put_arrivals(log, server, shape, volumes);
    for (uint32_t bin = 0; bin < shape->n_bins; bin++) {
        bool measured = shape->warmup_ns == 0 || bin > 0;
        int64_t length_ns = record_bin_start_ns(shape, bin + 1) - record_bin_start_ns(shape, bin);
        add_volumes(plan, &volumes[(size_t)bin * plan->n_services], &usages[bin]);
        usages[bin].cpu.drain_ns = usages[bin].cpu.backlog_ns / plan->n_workers;
        server_fold_add(plan->fleet->groups[0].platform, &usages[bin], length_ns,
                        record_group(record, bin, 0), measured ? &record->servers[server] : NULL);
    }
    mem_free(usages);
    mem_free(volumes);
}

void live_record_fill(const struct live_log *log, struct record *record)
{
    const struct live_plan *plan = log->plan;
    struct fleet_config fleet = *plan->fleet;
    fleet.duration_ns = record->shape.end_ns;
    struct server_record rec = {.record = record,
                                .fleet = &fleet,
                                .tabs = (const struct svctab *const *)plan->tabs,
                                .dispatch_delay_ns = fleet.balancer.dispatch_delay_ns,
                                .return_delay_ns = fleet.balancer.return_delay_ns,
                                .waits = true};
    for (size_t i = 0; i < plan->n_queries; i++)
        if (log->queries[i].fate != LIVE_UNSENT && log->queries[i].arrive_ns < record->shape.end_ns)
            put_query(&rec, &plan->queries[i], &log->queries[i]);
    for (uint32_t s = 0; s < plan->n_servers; s++)
        put_cores(log, s, record);
}
