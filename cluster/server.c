// SPDX-License-Identifier: Apache-2.0
#include "cluster/server.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "cluster/server_fold.h"
#include "cluster/server_record.h"
#include "cluster/availability.h"

struct server_block {
    struct server_block_config config;
    const struct group_config *group;
    struct sched sched;
    struct server_record record;
    uint32_t fold_bin; // bins before it have been folded, by arrival at the server
    int64_t fold_edge_ns;
    bool owns_jobs;
    struct availability *availability; // NULL: servers are always up
    struct completions untold;         // of a settled block that nobody listened to
    int64_t taken_ns; // the changes up to it are in the schedulers' state; -1: none
    struct query
        *taken; // [SERVER_CHUNK] queries that find their server up; NULL without availability
};

static void set_edges(struct server_block *block)
{
    const struct record_shape *shape = &block->config.record->shape;
    block->record.arrive_edge_ns = record_bin_start_ns(shape, block->record.arrive_bin + 1);
    block->record.arrive_group =
        record_group(block->config.record, block->record.arrive_bin, block->config.group);
    block->fold_edge_ns = block->fold_bin < shape->n_bins
                              ? record_bin_start_ns(shape, block->fold_bin + 1)
                              : INT64_MAX;
}

static void init_record(struct server_block *block)
{
    const struct server_block_config *config = &block->config;
    const struct balancer_config *balancer = &config->fleet->balancer;
    block->record = (struct server_record){
        .record = config->record,
        .fleet = config->fleet,
        .tabs = config->tabs,
        .group = config->group,
        .cell = config->cell,
        .first_in_cell = config->first_in_cell,
        .first_in_fleet = config->first_in_fleet,
        .dispatch_delay_ns = balancer->dispatch_delay_ns,
        .return_delay_ns = balancer->return_delay_ns,
        .until_ns = block->availability ? block->availability->until_ns : NULL,
        .waits = sched_types[block->group->scheduler]->advance != NULL,
        .tells = config->wants_completions,
        .unit = config->unit};
}

static void init_sched(struct server_block *block)
{
    const struct server_block_config *config = &block->config;
    struct sched *sched = &block->sched;
    sched->type = sched_types[block->group->scheduler];
    sched->setup = (struct sched_setup){.fleet = config->fleet,
                                        .group = block->group,
                                        .cell = config->cell,
                                        .first_in_cell = config->first_in_cell,
                                        .n_servers = config->n_servers,
                                        .tabs = config->tabs,
                                        .slow_tabs = config->slow_tabs,
                                        .kernel = config->kernel,
                                        .jobs = config->jobs};
    block->owns_jobs = config->jobs == NULL;
    if (block->owns_jobs)
        sched->setup.jobs = mem_aligned(64, SERVER_CHUNK * sizeof *sched->setup.jobs);
    sched->record = &block->record;
    sched->state = mem_aligned(64, sched->type->state_size);
    sched->type->init(sched);
}

static void init_timeline(const struct server_block *block)
{
    const struct platform *platform = block->group->platform;
    struct timeline *timeline = block->config.timeline;
    timeline->cell = block->config.cell;
    timeline->group = block->config.group;
    timeline->n_cores = (uint32_t)platform->cores;
    timeline->n_streams = platform->has_accelerator ? (uint32_t)platform->accelerator.streams : 0;
    timeline->has_link = platform->has_accelerator && platform->accelerator.overlap;
}

struct server_block *server_block_create(const struct server_block_config *config)
{
    struct server_block *block = mem_aligned(64, sizeof *block);
    block->config = *config;
    block->group = &config->fleet->groups[config->group];
    if (fleet_has_outages(config->fleet)) {
        block->availability = availability_create(config->fleet, config->layout, config->part);
        block->taken = mem_calloc(SERVER_CHUNK, sizeof *block->taken);
    }
    block->taken_ns = -1;
    init_record(block);
    init_sched(block);
    if (config->timeline)
        init_timeline(block);
    set_edges(block);
    return block;
}

void server_block_destroy(struct server_block *block)
{
    if (!block)
        return;
    block->sched.type->release(&block->sched);
    mem_free(block->sched.state);
    if (block->owns_jobs)
        mem_free(block->sched.setup.jobs);
    availability_destroy(block->availability);
    completions_release(&block->untold);
    mem_free(block->taken);
    mem_free(block);
}

// ---- time ---------------------------------------------------------------------------------------

// Nothing comes to the servers before t_ns any more.
static void advance(struct server_block *block, int64_t t_ns, struct completions *out)
{
    if (block->sched.type->advance)
        block->sched.type->advance(&block->sched, t_ns, out);
}

static void fold_bin(struct server_block *block, struct completions *out)
{
    advance(block, block->fold_edge_ns, out);
    struct record *record = block->config.record;
    uint32_t bin = block->fold_bin;
    int64_t begin_ns = record_bin_start_ns(&record->shape, bin), edge_ns = block->fold_edge_ns;
    bool warmup = bin == 0 && record->shape.warmup_ns > 0;
    struct group_tally *tally = record_group(record, bin, block->config.group);
    struct server_total *totals = record->servers + block->config.first_in_fleet;
    for (uint32_t s = 0; s < block->config.n_servers; s++) {
        struct sched_usage usage;
        int64_t on_ns = block->availability
                            ? availability_powered_ns(block->availability, s, begin_ns, edge_ns)
                            : edge_ns - begin_ns;
        block->sched.type->fold(&block->sched, s, edge_ns, &usage);
        server_fold_add(block->group->platform, &usage, on_ns, tally, warmup ? NULL : &totals[s]);
    }
    block->fold_bin++;
    set_edges(block);
}

// A server goes down or comes up: what it would have done is not done. A state that was loaded has
// seen its changes.
static void take_change(struct server_block *block, struct completions *out)
{
    advance(block, availability_next_ns(block->availability), out); // before it: still up
    int64_t bin_begin_ns = record_bin_start_ns(&block->config.record->shape, block->fold_bin);
    struct outage_change change;
    bool changed = availability_next(block->availability, bin_begin_ns, &change);
    if (changed && !change.up && change.at_ns > block->taken_ns)
        block->sched.type->cut(&block->sched, change.server - block->config.first_in_cell,
                               change.at_ns, out);
}

// Folds and changes up to t_ns at the servers, in order. What changes at the end of a bin belongs
// to the next.
static void pass_time(struct server_block *block, int64_t t_ns, struct completions *out)
{
    for (;;) {
        bool is_change =
            block->availability && availability_next_ns(block->availability) < block->fold_edge_ns;
        if ((is_change ? availability_next_ns(block->availability) : block->fold_edge_ns) > t_ns)
            return;
        if (is_change)
            take_change(block, out);
        else
            fold_bin(block, out);
    }
}

static void move_to(struct server_block *block, int64_t arrive_ns, struct completions *out)
{
    while (arrive_ns >= block->record.arrive_edge_ns &&
           block->record.arrive_bin + 1 < block->config.record->shape.n_bins) {
        block->record.arrive_bin++;
        set_edges(block);
    }
    pass_time(block, arrive_ns + block->record.dispatch_delay_ns, out);
}

// ---- running ------------------------------------------------------------------------------------

static bool is_watched(const struct server_block *block, const struct query *query)
{
    const struct timeline *timeline = block->config.timeline;
    return timeline && query->server - block->config.first_in_cell ==
                           timeline->server - block->config.first_in_fleet;
}

// Does the query run alone, so that it can be seen what on?
static bool is_single(const struct server_block *block, const struct query *query)
{
    return block->config.record->slowest || (query->flags & QUERY_SAMPLED) ||
           is_watched(block, query);
}

static bool has_single(const struct server_block *block, const struct query *queries, size_t n)
{
    uint16_t flags = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) // on the way of every query: little but its flags is looked at
        flags |= queries[i].flags | queries[i + 1].flags | queries[i + 2].flags |
                 queries[i + 3].flags | queries[i + 4].flags | queries[i + 5].flags |
                 queries[i + 6].flags | queries[i + 7].flags;
    for (; i < n; i++)
        flags |= queries[i].flags;
    return (flags & QUERY_SAMPLED) || block->config.timeline || block->config.record->slowest;
}

// Those are run one by one, the rest as it comes. Not inlined: chunks can be as
// short as a query.
static __attribute__((noinline)) void run_singles(struct server_block *block,
                                                  const struct query *queries, size_t n,
                                                  struct completions *out)
{
    struct sched *sched = &block->sched;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && !is_single(block, &queries[end]); end++)
            ;
        if (end > i)
            sched->type->run(sched, queries + i, end - i, out);
        else
            sched->type->watch(sched, &queries[end++], out,
                               is_watched(block, &queries[i]) ? block->config.timeline : NULL);
    }
}

// Those of a chunk that find their server up, in order; *n: how many. The others are lost as soon
// as they get there.
static const struct query *find_up(struct server_block *block, const struct query *queries,
                                   size_t *n, struct completions *out)
{
    const struct server_record *rec = &block->record;
    size_t n_up = 0;
    for (size_t i = 0; i < *n; i++) {
        const struct query *query = &queries[i];
        int64_t at_ns = query->arrive_ns + rec->dispatch_delay_ns;
        if (query->delay_us > 0)
            server_record_tally(rec, query, server_record_path(rec, query))->n_retries++;
        if (rec->until_ns[query->server - rec->first_in_cell] > at_ns) {
            block->taken[n_up++] = *query;
            continue;
        }
        completions_lose(out, query, at_ns);
        if (is_watched(block, query)) {
            struct timeline_query seen = server_record_seen(rec, query, at_ns, true);
            timeline_end(block->config.timeline, &seen);
        }
        if (rec->tells)
            server_record_tell(rec, query, at_ns, out);
    }
    *n = n_up;
    return block->taken;
}

// How many of the queries lie in the current arrival bin and before the next fold or change.
static size_t same_bins(const struct server_block *block, const struct query *queries, size_t n)
{
    int64_t edge_ns = block->fold_edge_ns;
    if (block->availability && availability_next_ns(block->availability) < edge_ns)
        edge_ns = availability_next_ns(block->availability);
    edge_ns -= block->record.dispatch_delay_ns;
    if (block->record.arrive_edge_ns < edge_ns)
        edge_ns = block->record.arrive_edge_ns;
    if (queries[n - 1].arrive_ns < edge_ns)
        return n;
    size_t i = 0;
    while (queries[i].arrive_ns < edge_ns)
        i++;
    return i;
}

// n <= SERVER_CHUNK queries of one bin, between two changes.
static void run_chunk(struct server_block *block, const struct query *queries, size_t n,
                      struct completions *out)
{
    bool tells = block->record.tells;
    size_t n_told = 0;
    if (tells)
        completions_reserve(out, 2 * n); // refused ones, and those that the scheduler takes
    if (block->availability) {
        queries = find_up(block, queries, &n, out);
        n_told = tells ? out->n : 0;
    }
    if (n > 0 && has_single(block, queries, n))
        run_singles(block, queries, n, out);
    else if (n > 0)
        block->sched.type->run(&block->sched, queries, n, out);
    if (block->availability && tells)
        server_record_cut(&block->record, out, n_told);
}

// What was ended while nobody listened.
static void tell_untold(struct server_block *block, struct completions *out)
{
    struct completions *untold = &block->untold;
    if (untold->n > 0) {
        completions_reserve(out, untold->n);
        memcpy(out->v + out->n, untold->v, untold->n * sizeof *untold->v);
        out->n += untold->n;
    }
    for (size_t i = 0; i < untold->n_lost; i++)
        completions_lose(out, &untold->lost[i].query, untold->lost[i].at_ns);
    completions_clear(untold);
}

void server_block_run(struct server_block *block, const struct query *queries, size_t n,
                      struct completions *out)
{
    if (block->untold.n + block->untold.n_lost > 0)
        tell_untold(block, out);
    while (n > 0) {
        move_to(block, queries[0].arrive_ns, out);
        size_t chunk = same_bins(block, queries, n < SERVER_CHUNK ? n : SERVER_CHUNK);
        run_chunk(block, queries, chunk, out);
        queries += chunk;
        n -= chunk;
    }
}

void server_block_finish(struct server_block *block)
{
    pass_time(block, block->config.record->shape.end_ns, &block->untold);
    advance(block, SIMTIME_NEVER, &block->untold);
}

// ---- as bytes -----------------------------------------------------------------------------------

void server_block_settle(struct server_block *block, int64_t next_ns, struct completions *out)
{
    int64_t at_ns = next_ns + block->record.dispatch_delay_ns;
    if (out)
        tell_untold(block, out);
    else
        out = &block->untold;
    if (at_ns == block->taken_ns) // settled when it was saved
        return;
    move_to(block, next_ns, out);
    advance(block, at_ns, out);
}

size_t server_block_bytes(const struct server_block *block)
{
    return block->sched.type->bytes(&block->sched);
}

static bool is_own(const struct server_block *block, uint32_t server)
{
    return server - block->config.first_in_cell < block->config.n_servers;
}

// Of servers [first, first + n) of the cell.
static void save_untold(const struct server_block *block, uint32_t first, uint32_t n,
                        struct blob *blob)
{
    const struct completions *untold = &block->untold;
    struct blob lost = {0};
    uint64_t n_ends = 0, n_lost = 0;
    for (size_t i = 0; i < untold->n; i++)
        n_ends += untold->v[i].server - first < n;
    blob_put_u64(blob, n_ends);
    for (size_t i = 0; i < untold->n; i++)
        if (untold->v[i].server - first < n)
            blob_put(blob, &untold->v[i], sizeof untold->v[i]);
    for (size_t i = 0; i < untold->n_lost; i++)
        if (untold->lost[i].query.server - first < n) {
            blob_put(&lost, &untold->lost[i], sizeof untold->lost[i]);
            n_lost++;
        }
    blob_put_u64(blob, n_lost);
    blob_put(blob, lost.bytes, lost.n);
    blob_release(&lost);
}

void server_block_save(const struct server_block *block, uint32_t first, uint32_t n,
                       struct blob *blob)
{
    block->sched.type->save(&block->sched, first, n, blob);
    if (block->sched.type->advance)
        save_untold(block, block->config.first_in_cell + first, n, blob);
}

// Those of the block's servers are its own; what is read is looked up by, so it must be possible.
static void load_untold(struct server_block *block, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    struct completion end;
    struct loss loss;
    for (uint64_t i = 0; i < n && !reader->short_of; i++) {
        blob_get(reader, &end, sizeof end);
        if (is_own(block, end.server)) {
            completions_reserve(&block->untold, 1);
            block->untold.v[block->untold.n++] = end;
        }
    }
    n = blob_get_u64(reader);
    for (uint64_t i = 0; i < n && !reader->short_of; i++) {
        blob_get(reader, &loss, sizeof loss);
        uint16_t service = loss.query.service;
        if (service >= block->config.fleet->n_services ||
            loss.query.size_items > block->config.tabs[service]->max_items)
            blob_refuse(reader);
        else if (is_own(block, loss.query.server))
            completions_lose(&block->untold, &loss.query, loss.at_ns);
    }
}

// The bins of a block that has been settled at next_ns. Its lanes are as the changes so far have
// left them; which of its servers are up is found out as time passes from 0 on.
static void enter_bins(struct server_block *block, int64_t next_ns)
{
    const struct record_shape *shape = &block->config.record->shape;
    block->record.arrive_bin = record_bin_of(shape, next_ns);
    block->fold_bin = 0;
    while (block->fold_bin < shape->n_bins && next_ns + block->record.dispatch_delay_ns >=
                                                  record_bin_start_ns(shape, block->fold_bin + 1))
        block->fold_bin++;
    set_edges(block);
    block->taken_ns = next_ns + block->record.dispatch_delay_ns;
}

void server_block_load(struct server_block *block, int64_t first, uint32_t n, int64_t next_ns,
                       struct blob_reader *reader)
{
    if (next_ns < 0 || next_ns >= block->config.record->shape.end_ns)
        blob_refuse(reader);
    else if (block->sched.type->load(&block->sched, first, n, reader))
        enter_bins(block, next_ns);
    if (block->sched.type->advance && !reader->short_of)
        load_untold(block, reader);
}
