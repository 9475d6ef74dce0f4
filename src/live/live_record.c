// SPDX-License-Identifier: Apache-2.0
#include "live/live_record.h"

#include "base/mem.h"
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

static void put_cores(const struct live_log *log, struct record *record)
{
    const struct live_plan *plan = log->plan;
    const struct record_shape *shape = &record->shape;
    struct sched_usage *usages = mem_calloc(shape->n_bins, sizeof *usages);
    for (size_t i = 0; i < log->n_requests; i++)
        put_request(&log->requests[i], shape, usages);
    for (size_t i = 0; i < plan->n_queries; i++) {
        const struct live_query *query = &log->queries[i];
        if (query->fate == LIVE_UNSENT || query->fate == LIVE_REFUSED ||
            query->arrive_ns >= shape->end_ns)
            continue;
        struct sched_usage *usage = &usages[record_bin_of(shape, query->arrive_ns)];
        usage->n_queries++;
        usage->n_items += plan->queries[i].size_items;
    }
    for (uint32_t bin = 0; bin < shape->n_bins; bin++) {
        bool measured = shape->warmup_ns == 0 || bin > 0;
        int64_t length_ns = record_bin_start_ns(shape, bin + 1) - record_bin_start_ns(shape, bin);
        usages[bin].cpu.drain_ns = usages[bin].cpu.backlog_ns / plan->n_workers;
        server_fold_add(plan->fleet->groups[0].platform, &usages[bin], length_ns,
                        record_group(record, bin, 0), measured ? &record->servers[0] : NULL);
    }
    mem_free(usages);
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
    put_cores(log, record);
}
