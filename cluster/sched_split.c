// SPDX-License-Identifier: Apache-2.0
// Split and offload: a query of n items below the threshold T becomes ceil(n / B) requests of at
// most B items, each on one core, first come first served (cpu.h); one of at least T items goes
// whole to the accelerator (accel.h). Ends are known as soon as a query comes, so nothing waits
// here: no events, no queue but the cores' free times.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/accel.h"
#include "cluster/cpu.h"
#include "cluster/sched.h"
#include "cluster/slow.h"

#define MAX_ITEMS 65535

enum way { WAY_STATIC, WAY_FIXED };
static const char *const way_names[] = {"static", "fixed", NULL};

struct split {
    int policy; // enum way; resolved: WAY_FIXED
    int64_t batch_items, offload_items;
};

enum row { ROW_POLICY, ROW_BATCH };
static const struct field fields[] = {
    [ROW_POLICY] = FIELD_CHOICES(split, "policy", policy, way_names, "static",
                                 "static: the largest query is split over all cores; fixed: "
                                 "batch_items"),
    [ROW_BATCH] = FIELD(split, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 1, MAX_ITEMS,
                        "256", "fixed: items per CPU request at most; giving it implies fixed"),
    FIELD(split, "offload_items", FIELD_INT, UNIT_ITEMS, offload_items, 0, MAX_ITEMS + 1, "0",
          "queries of at least this size go to the accelerator; 0: none"),
    FIELD_END};

static const struct settings_axis axes[] = {{"batch_items", SETTINGS_FACTORS, false, "B"},
                                            {"offload_items", SETTINGS_STEPS, true, "T"},
                                            {0}};

static int check(void *settings, uint64_t given, struct err *err)
{
    struct split *split = settings;
    bool policy = given & 1 << ROW_POLICY, batch = given & 1 << ROW_BATCH;
    if (batch && !policy)
        split->policy = WAY_FIXED;
    if (batch && split->policy == WAY_STATIC)
        return err_set(err, ERR_STUDY, "batch_items: only with policy: fixed");
    if (policy && split->policy == WAY_FIXED && !batch)
        return err_set(err, ERR_STUDY,
                       "batch_items: missing; expected a number of items such as \"64\"");
    return 0;
}

static bool is_implied(const void *settings, const struct field *field)
{
    return ((const struct split *)settings)->policy == WAY_STATIC && field == &fields[ROW_BATCH];
}

// The static way splits the largest query over all cores.
static void resolve(void *settings, int64_t largest_items, int64_t n_cores)
{
    struct split *split = settings;
    if (split->policy == WAY_STATIC)
        split->batch_items = (largest_items + n_cores - 1) / n_cores;
    split->batch_items = split->batch_items > 0 ? split->batch_items : 1;
    if (split->offload_items > largest_items) // no query is as large
        split->offload_items = 0;
    split->policy = WAY_FIXED;
}

// Queries of T and more are not on the CPU, and a batch is not larger than the queries there.
static void simplify(void *settings, int64_t largest_items)
{
    struct split *split = settings;
    if (split->offload_items > largest_items)
        split->offload_items = 0;
    if (split->offload_items > 0)
        largest_items = split->offload_items > 1 ? split->offload_items - 1 : 1;
    if (split->batch_items > largest_items)
        split->batch_items = largest_items;
}

static struct dispatch_config needs(const void *settings)
{
    const struct split *split = settings;
    return (struct dispatch_config){.batch_items = split->batch_items,
                                    .offload_items = split->offload_items};
}

// Cores take the requests of one query after the other, as with `pull`.
static bool takes(const void *settings, struct batcher_rule *rule, enum order *order)
{
    const struct split *split = settings;
    *rule = (struct batcher_rule){.used = true,
                                  .splits = true,
                                  .most_items = (uint32_t)split->batch_items,
                                  .most_queries = UINT32_MAX};
    *order = ORDER_FCFS;
    return split->offload_items == 0;
}

// ---- the block's cores and accelerators ---------------------------------------------------------

// Of one server's accelerator since its last fold, like the counters of struct cpu_server.
struct accel_use {
    uint64_t n_queries, n_items;
    int64_t busy_ns, carry_ns;
};

struct state {
    struct cpu_pool pool;
    struct accel_pool accel;
    struct accel_use *accel_uses; // [n_servers]; NULL without accelerators
    bool has_accel, any_offload;
    void (*assign)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n); // of the kernel
    struct noise noise;
    struct cpu_ends ends;
    uint8_t *is_slow;        // [n_servers] 1 or 0; NULL: none is
    int64_t *free_ns;        // of the server of a query that is watched, before it came
    struct completions seen; // its requests
};

static void init(struct sched *sched)
{
    struct state *state = sched->state;
    const struct sched_setup *setup = &sched->setup;
    const struct group_config *group = setup->group;
    const struct sched_cores cores = sched_cores(setup);
    state->assign = cores.assign;
    cpu_pool_init(&state->pool, cores.lanes, setup->n_servers, (uint32_t)group->platform->cores);
    state->pool.first_server = setup->first_in_cell;
    noise_init(&state->noise, &group->noise, setup->fleet->seed, setup->cell);
    state->noise.first_server = sched->record->first_in_fleet;
    if (setup->slow_tabs)
        state->is_slow = slow_marks(setup->fleet, sched->record->group, setup->cell,
                                    setup->first_in_cell, setup->n_servers);
    if (group->noise.spread != SPREAD_NONE)
        state->pool.noise = &state->noise;
    const struct accelerator *accel = &group->platform->accelerator;
    state->has_accel = group->platform->has_accelerator;
    if (state->has_accel) {
        state->accel_uses = mem_calloc(setup->n_servers, sizeof *state->accel_uses);
        accel_pool_init(&state->accel, setup->n_servers, (uint32_t)accel->streams, accel->overlap);
    }
    for (uint32_t i = 0; i < setup->fleet->n_services; i++)
        state->any_offload |= setup->tabs[i]->offload_items != SVCTAB_NO_OFFLOAD;
}

static void release(struct sched *sched)
{
    struct state *state = sched->state;
    cpu_pool_release(&state->pool);
    accel_pool_release(&state->accel);
    mem_free(state->accel_uses);
    mem_free(state->is_slow);
    completions_release(&state->seen);
    mem_free(state->free_ns);
}

// ---- running ------------------------------------------------------------------------------------

// Service times of the query on its server.
static inline const struct svctab *tab_of(const struct sched *sched, const struct query *query)
{
    const uint8_t *is_slow = ((const struct state *)sched->state)->is_slow;
    bool slow = is_slow && is_slow[query->server - sched->setup.first_in_cell];
    return (slow ? sched->setup.slow_tabs : sched->setup.tabs)[query->service];
}

// Not inlined: the loop over a chunk, most of whose queries go to the cores, then keeps its numbers
// in registers.
static __attribute__((noinline)) void run_accel(struct sched *sched, const struct query *query,
                                                struct completions *out)
{
    struct state *state = sched->state;
    const struct server_record *record = sched->record;
    const struct svctab *tab = tab_of(sched, query);
    uint32_t s = query->server - sched->setup.first_in_cell;
    struct accel_job job = {.start_ns = query->arrive_ns + record->dispatch_delay_ns,
                            .load_ns = svctab_accel_load_ns(tab, query),
                            .compute_ns = svctab_accel_compute_ns(tab, query)};
    if (state->pool.noise)
        job.compute_ns = noise_apply(&state->noise, job.compute_ns,
                                     noise_state(&state->noise, s, job.start_ns), query->seq, 0);
    struct accel_use *use = &state->accel_uses[s];
    use->busy_ns += accel_assign(&state->accel, s, &job);
    use->n_queries++;
    use->n_items += query->size_items;
    server_record_one(record,
                      &(struct finished){query, job.start_ns, job.finish_ns, job.wait_ns, 1},
                      PATH_ACCEL, out);
    if (record->tells)
        server_record_tell(record, query, job.finish_ns, out);
}

// Turns a chunk into jobs; accelerator queries are run at once, they share nothing with the cores.
// Returns the number of CPU jobs; *n_requests: how many requests they have. `slow`: some of the
// block's servers are; a constant, so that blocks of equal servers do not pay for it.
static inline __attribute__((always_inline)) size_t prepare(struct sched *sched,
                                                            const struct query *queries, size_t n,
                                                            bool slow, size_t *n_requests,
                                                            struct completions *out)
{
    const struct state *state = sched->state;
    const struct svctab *const *tabs = sched->setup.tabs;
    int64_t dispatch_delay_ns = sched->record->dispatch_delay_ns;
    uint32_t first = sched->setup.first_in_cell;
    struct cpu_job *jobs = sched->setup.jobs;
    size_t n_jobs = 0;
    *n_requests = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct query *query = &queries[i];
        const struct svctab *tab = slow ? tab_of(sched, query) : tabs[query->service];
        if (state->any_offload && svctab_offloads(tab, query->size_items)) {
            run_accel(sched, query, out);
            continue;
        }
        const struct svctab_split *split = &tab->split[query->size_items];
        struct cpu_job *cpu = &jobs[n_jobs++]; // finish and wait are the kernel's
        cpu->start_ns = query->arrive_ns + dispatch_delay_ns;
        cpu->full_ns = tab->full_ns;
        cpu->last_ns = split->last_ns;
        cpu->tab = tab;
        cpu->server = query->server - first;
        cpu->n_requests = split->n_requests;
        cpu->size_items = query->size_items;
        cpu->query = i;
        *n_requests += split->n_requests;
    }
    return n_jobs;
}

static void run_cpu(struct sched *sched, const struct query *queries, size_t n_jobs,
                    size_t n_requests, struct completions *out)
{
    struct state *state = sched->state;
    struct cpu_job *jobs = sched->setup.jobs;
    bool tells = sched->record->tells, per_request = tells && sched->record->unit == LOAD_REQUESTS;
    if (per_request) {
        completions_reserve(out, n_requests);
        state->ends = (struct cpu_ends){out->v, out->n};
    }
    state->pool.ends = per_request ? &state->ends : NULL;
    state->pool.queries = queries;
    state->assign(&state->pool, jobs, n_jobs);
    if (per_request)
        out->n = state->ends.n;
    else if (tells)
        for (size_t i = 0; i < n_jobs; i++)
            server_record_tell(sched->record, &queries[jobs[i].query], jobs[i].finish_ns, out);
}

static void run(struct sched *sched, const struct query *queries, size_t n, struct completions *out)
{
    const struct state *state = sched->state;
    size_t n_requests, n_jobs = state->is_slow
                                    ? prepare(sched, queries, n, true, &n_requests, out)
                                    : prepare(sched, queries, n, false, &n_requests, out);
    if (n_jobs == 0)
        return;
    run_cpu(sched, queries, n_jobs, n_requests, out);
    server_record_jobs(sched->record, queries, sched->setup.jobs, n_jobs, out);
}

// ---- watched ------------------------------------------------------------------------------------

// What is free first at start_ns or later, the lowest number among equals: the rule of cores and of
// streams.
static uint32_t first_free(const int64_t *free_ns, uint32_t n, int64_t start_ns)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < n && free_ns[first] > start_ns; i++)
        if (free_ns[i] < free_ns[first])
            first = i;
    return first;
}

static int64_t later(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

// What is seen of a query: its slices, for whoever draws them, and what its record has of them.
struct sight {
    struct timeline *timeline; // NULL: nobody draws
    struct query_sample *single;
    bool begun;
    int64_t end_ns; // latest so far
};

static void see(struct sight *sight, const struct timeline_slice *slice)
{
    if (sight->timeline)
        timeline_put(sight->timeline, slice);
    if (!sight->begun) {
        sight->single->begin_ns = slice->begin_ns;
        sight->single->first_unit = slice->lane;
    }
    if (!sight->begun || slice->end_ns > sight->end_ns) {
        sight->single->last_unit = slice->lane;
        sight->end_ns = slice->end_ns;
    }
    sight->begun = true;
}

// Which core ran which request follows from when each ended, in their order, and from when the
// cores had been free before; the kernels come to the same free times.
static void see_cores(const struct sched *sched, const struct query *query, struct sight *sight)
{
    const struct state *state = sched->state;
    const struct completions *ends = &state->seen;
    int64_t *free_ns = state->free_ns;
    const struct svctab *tab = sched->setup.tabs[query->service];
    const struct svctab_split *split = &tab->split[query->size_items];
    uint32_t n_cores = state->pool.n_cores, part = 0;
    int64_t start_ns = query->arrive_ns + sched->record->dispatch_delay_ns;
    for (size_t i = 0; i < ends->n; i++)
        for (int64_t k = 0; k < ends->v[i].weight; k++, part++) {
            uint32_t core = first_free(free_ns, n_cores, start_ns);
            bool is_last = part + 1 == split->n_requests;
            struct timeline_slice slice = {.ready_ns = start_ns,
                                           .begin_ns = later(free_ns[core], start_ns),
                                           .end_ns = ends->v[i].end_ns,
                                           .lane = core,
                                           .part = part,
                                           .size_items =
                                               is_last ? split->last_items : tab->batch_items,
                                           .unit = TIMELINE_CORE};
            see(sight, &slice);
            free_ns[core] = slice.end_ns;
        }
    uint32_t s = query->server - sched->setup.first_in_cell;
    for (uint32_t i = 0; i < n_cores; i++)
        assert(later(cpu_pool_free_ns(&state->pool, s, i), start_ns) ==
               later(free_ns[i], start_ns));
    (void)s;
}

// With overlap first the copy, through the link, then the computation; else both on the stream.
static void see_accel(const struct sched *sched, const struct query *query, struct sight *sight)
{
    const struct state *state = sched->state;
    const struct accel_pool *accel = &state->accel;
    uint32_t s = query->server - sched->setup.first_in_cell;
    int64_t ready_ns = query->arrive_ns + sched->record->dispatch_delay_ns;
    struct timeline_slice slice = {.ready_ns = ready_ns, .size_items = query->size_items};
    if (accel->overlap) {
        slice.unit = TIMELINE_LINK;
        slice.end_ns = accel->servers[s].link_free_ns;
        slice.begin_ns = slice.end_ns - svctab_accel_load_ns(tab_of(sched, query), query);
        see(sight, &slice);
        slice.ready_ns = slice.end_ns;
    }
    slice.unit = TIMELINE_STREAM;
    slice.lane = first_free(state->free_ns, accel->n_streams, INT64_MIN);
    slice.begin_ns = later(slice.ready_ns, state->free_ns[slice.lane]);
    slice.end_ns = state->seen.v[0].end_ns;
    see(sight, &slice);
    sight->single->first_unit = sight->single->last_unit = slice.lane; // not the link
}

// The free times of the server's cores, or of its streams, as they are before the query.
static void note_free(struct state *state, uint32_t s, bool offloaded)
{
    uint32_t n = offloaded ? state->accel.n_streams : state->pool.n_cores;
    if (!state->free_ns) {
        uint32_t most = state->has_accel ? state->accel.n_streams : 0;
        most = most > state->pool.n_cores ? most : state->pool.n_cores;
        state->free_ns = mem_calloc(most, sizeof *state->free_ns);
    }
    for (uint32_t i = 0; i < n; i++)
        state->free_ns[i] = offloaded ? state->accel.streams[(size_t)s * n + i]
                                      : cpu_pool_free_ns(&state->pool, s, i);
}

// Runs the query as if the balancer listened to every request.
static void run_seen(struct sched *sched, const struct query *query, struct query_sample *single)
{
    struct state *state = sched->state;
    const struct server_record *record = sched->record;
    struct server_record all = *record;
    all.tells = true;
    all.unit = LOAD_REQUESTS;
    all.single = single;
    sched->record = &all;
    completions_clear(&state->seen);
    completions_reserve(&state->seen, 1);
    sched->type->run(sched, query, 1, &state->seen); // not inlined twice: see run_accel()
    sched->record = record;
}

// The balancer hears what it wants to.
static void tell_seen(const struct sched *sched, const struct query *query, int64_t end_ns,
                      struct completions *out)
{
    const struct server_record *record = sched->record;
    const struct completions *seen = &((const struct state *)sched->state)->seen;
    if (seen->n_lost > 0)
        completions_lose(out, query, seen->lost[0].at_ns);
    if (record->tells && record->unit != LOAD_REQUESTS)
        server_record_tell(record, query, end_ns, out);
    if (record->tells && record->unit == LOAD_REQUESTS) {
        completions_reserve(out, seen->n);
        memcpy(out->v + out->n, seen->v, seen->n * sizeof *seen->v);
        out->n += seen->n;
    }
}

static void watch(struct sched *sched, const struct query *query, struct completions *out,
                  struct timeline *timeline)
{
    const struct completions *seen = &((const struct state *)sched->state)->seen;
    const struct server_record *record = sched->record;
    bool offloaded = svctab_offloads(sched->setup.tabs[query->service], query->size_items);
    struct query_sample single = {0};
    struct sight sight = {.timeline = timeline, .single = &single};
    int64_t end_ns = 0;
    note_free(sched->state, query->server - sched->setup.first_in_cell, offloaded);
    run_seen(sched, query, &single);
    bool lost = seen->n_lost > 0, keeps = !lost && server_record_wants(record, query, &single);
    if (timeline || keeps)
        (offloaded ? see_accel : see_cores)(sched, query, &sight);
    if (keeps)
        server_record_keep(record, query, &single);
    for (size_t i = 0; i < seen->n; i++)
        end_ns = later(end_ns, seen->v[i].end_ns);
    if (timeline) {
        struct timeline_query drawn =
            server_record_seen(record, query, lost ? seen->lost[0].at_ns : end_ns, lost);
        timeline_end(timeline, &drawn);
    }
    tell_seen(sched, query, end_ns, out);
}

// ---- time bins and outages ----------------------------------------------------------------------

static void fold_accel(struct state *state, uint32_t s, int64_t edge_ns, struct sched_usage *usage)
{
    struct accel_use *use = &state->accel_uses[s];
    struct sched_part *accel = &usage->accel;
    usage->n_queries += use->n_queries;
    usage->n_items += use->n_items;
    usage->n_accel_queries = use->n_queries;
    accel->backlog_ns = accel_backlog_ns(&state->accel, s, edge_ns, &accel->drain_ns);
    accel->busy_ns = use->carry_ns + use->busy_ns - accel->backlog_ns;
    *use = (struct accel_use){.carry_ns = accel->backlog_ns};
}

static void fold(struct sched *sched, uint32_t s, int64_t edge_ns, struct sched_usage *usage)
{
    struct state *state = sched->state;
    struct cpu_server *server = cpu_pool_server(&state->pool, s);
    *usage = (struct sched_usage){.n_queries = server->n_queries,
                                  .n_requests = server->n_requests,
                                  .n_items = server->n_items};
    struct sched_part *cpu = &usage->cpu;
    cpu->backlog_ns = cpu_pool_backlog_ns(&state->pool, s, edge_ns, &cpu->drain_ns);
    cpu->busy_ns = server->cpu_carry_ns + server->cpu_busy_ns - cpu->backlog_ns;
    server->cpu_carry_ns = cpu->backlog_ns;
    server->n_queries = server->n_requests = server->n_items = 0;
    server->cpu_busy_ns = 0;
    if (state->has_accel)
        fold_accel(state, s, edge_ns, usage);
}

static void cut(struct sched *sched, uint32_t s, int64_t t_ns, struct completions *out)
{
    (void)out; // nothing waits
    struct state *state = sched->state;
    struct cpu_server *server = cpu_pool_server(&state->pool, s);
    server->cpu_busy_ns -= cpu_pool_cut(&state->pool, s, t_ns);
    if (state->has_accel)
        state->accel_uses[s].busy_ns -= accel_cut(&state->accel, s, t_ns);
}

// ---- as bytes -----------------------------------------------------------------------------------

static size_t bytes(const struct sched *sched)
{
    const struct state *state = sched->state;
    size_t accel_bytes = sizeof *state->accel_uses + 64 + 8 * (size_t)state->accel.n_streams;
    return cpu_pool_bytes(&state->pool) + (state->has_accel ? accel_bytes : 0);
}

// Server by server: how many bytes follow, its cores and, if it has one, its accelerator.
static void save(const struct sched *sched, uint32_t first, uint32_t n, struct blob *blob)
{
    const struct state *state = sched->state;
    struct blob one = {0};
    for (uint32_t s = first; s < first + n; s++) {
        blob_clear(&one);
        cpu_pool_save(&state->pool, s, &one);
        if (state->has_accel) {
            blob_put(&one, &state->accel_uses[s], sizeof *state->accel_uses);
            accel_save(&state->accel, s, &one);
        }
        blob_put_u64(blob, one.n);
        blob_put(blob, one.bytes, one.n);
    }
    blob_release(&one);
}

static void load_server(struct state *state, uint32_t s, const void *bytes, size_t n,
                        struct blob_reader *reader)
{
    struct blob_reader one = blob_read(bytes, n);
    cpu_pool_load(&state->pool, s, &one);
    if (state->has_accel) {
        blob_get(&one, &state->accel_uses[s], sizeof *state->accel_uses);
        accel_load(&state->accel, s, &one);
    }
    if (blob_end(&one, NULL) < 0)
        blob_refuse(reader);
}

static bool load(struct sched *sched, int64_t first, uint32_t n, struct blob_reader *reader)
{
    bool took = false;
    for (int64_t s = first; s < first + n && !reader->short_of; s++) {
        uint64_t n_bytes = blob_get_u64(reader);
        const void *bytes = blob_take(reader, n_bytes);
        if (!bytes || s < 0 || s >= sched->setup.n_servers)
            continue;
        load_server(sched->state, (uint32_t)s, bytes, n_bytes, reader);
        took = true;
    }
    return took;
}

const struct sched_type sched_split = {
    .name = "split",
    .help =
        "queries are split into requests of at most batch_items, large ones are offloaded whole",
    .fields = fields,
    .axes = axes,
    .state_size = sizeof(struct state),
    .check = check,
    .is_implied = is_implied,
    .resolve = resolve,
    .simplify = simplify,
    .needs = needs,
    .takes = takes,
    .init = init,
    .release = release,
    .run = run,
    .watch = watch,
    .fold = fold,
    .cut = cut,
    .bytes = bytes,
    .save = save,
    .load = load,
};
