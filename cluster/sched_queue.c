// SPDX-License-Identifier: Apache-2.0
// Queues that cores and accelerator take from: queries wait at the server, one queue a service,
// first come first served or in another order, and whoever is idle takes what it may. Three ways:
//
//     pull       an idle core takes the next request, at most batch_items of one query; an idle
//                accelerator takes all that waits, up to accel_items
//     coalesce   the same, but a core fills its request up to batch_items from further queries
//     batch      whole queries are merged up to batch_items, and a batch that is not full waits for
//                more until its oldest query has waited max_delay; it runs on a core or, with
//                accel_items, on the accelerator
//
// What begins at a time a is decided by the queries that reached the server at a or before, and by
// when cores and accelerator become free, which is known as soon as they begin. So a server needs
// no events: its next beginning is one number, and it is brought up to date when a query reaches it
// and when the block is told that nothing comes before some time. At one time queries come before
// beginnings, cores before the accelerator. Where nothing waits and nothing later has a part in it,
// a query whose requests all find an idle core begins as it comes, which is the usual case. With
// `pull` on cores alone no later query ever has a part in it: that is the server of sched_split.
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/accel.h"
#include "cluster/batcher.h"
#include "cluster/cpu.h"
#include "cluster/full_work.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "cluster/waiting.h"

#define MAX_ITEMS 65535
#define MAX_BATCH_ITEMS 131072 // tables of times reach that far, one per count of busy cores
#define MAX_IN_FLIGHT 64

enum way { WAY_PULL, WAY_COALESCE, WAY_BATCH };
static const char *const way_names[] = {"pull", "coalesce", "batch", NULL};

static const char *const order_names[] = {"fcfs", "shortest", "least-slack", "late-last", NULL};

// Whose the batches in flight are: a batch goes to the stream that is free first, or each stream
// has its own and takes what waits as soon as it holds fewer.
enum holder { HOLDER_SERVER, HOLDER_STREAM };
static const char *const holder_names[] = {"server", "stream", NULL};

struct queue {
    int policy; // enum way
    int order;  // enum order
    int holder; // enum holder
    bool split; // batch: queries may be cut where a batch is full
    int64_t batch_items, batch_queries, max_delay_ns, accel_items, in_flight;
};

enum row {
    ROW_POLICY,
    ROW_BATCH,
    ROW_QUERIES,
    ROW_DELAY,
    ROW_SPLIT,
    ROW_ACCEL,
    ROW_IN_FLIGHT,
    ROW_HOLDER,
    ROW_ORDER
};
static const struct field fields[] = {
    [ROW_POLICY] = FIELD_CHOICES(queue, "policy", policy, way_names, "pull",
                                 "pull: an idle core takes the next request, an idle accelerator "
                                 "all that waits; coalesce: a core's request is filled from "
                                 "several queries; batch: whole queries are merged, and may wait "
                                 "for more"),
    [ROW_BATCH] =
        FIELD(queue, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 0, MAX_BATCH_ITEMS, "0",
              "items per CPU request, or per batch, at most; 0: the largest query split "
              "over all cores, not with batch"),
    [ROW_QUERIES] = FIELD(queue, "batch_queries", FIELD_INT, UNIT_NONE, batch_queries, 0,
                          MAX_BATCH_ITEMS, "0", "queries per batch at most; 0: any number"),
    [ROW_DELAY] = FIELD(queue, "max_delay", FIELD_TIME, UNIT_TIME, max_delay_ns, 0, 3.6e12, "0",
                        "batch: how long a batch that is not full may wait for more queries"),
    [ROW_SPLIT] = FIELD(queue, "split", FIELD_BOOL, UNIT_NONE, split, 0, 1, "false",
                        "batch: queries are cut where a batch is full, not kept whole"),
    [ROW_ACCEL] =
        FIELD(queue, "accel_items", FIELD_INT, UNIT_ITEMS, accel_items, 0, MAX_BATCH_ITEMS, "0",
              "items that the accelerator takes at once at most; 0: it is not used"),
    [ROW_IN_FLIGHT] =
        FIELD(queue, "in_flight", FIELD_INT, UNIT_NONE, in_flight, 0, MAX_IN_FLIGHT, "0",
              "batches that the accelerator holds, loading or computing; 0: one per "
              "stream, and one more where copies overlap computations"),
    [ROW_HOLDER] = FIELD_CHOICES(queue, "in_flight_per", holder, holder_names, "server",
                                 "server: in_flight counts the batches of all streams, and a batch "
                                 "goes to the stream that is free first; stream: each stream holds "
                                 "as many (0: one, and one more where copies overlap), and the one "
                                 "that has had room for longest takes what waits"),
    [ROW_ORDER] = FIELD_CHOICES(queue, "order", order, order_names, "fcfs",
                                "which query of a service goes first: fcfs: the one that came "
                                "first; shortest: of the fewest items; least-slack: with the least "
                                "time between its service and its target; late-last: fcfs, but "
                                "those whose target has passed behind all others"),
    FIELD_END};

static const struct settings_axis axes[] = {{"batch_items", SETTINGS_FACTORS, false, "B"},
                                            {"accel_items", SETTINGS_HALVES, true, "A"},
                                            {"max_delay", SETTINGS_HALVES, false, "D"},
                                            {0}};

static int check(void *settings, uint64_t given, struct err *err)
{
    const struct queue *queue = settings;
    bool is_batch = queue->policy == WAY_BATCH;
    if (is_batch && queue->batch_items == 0 && queue->accel_items == 0)
        return err_set(err, ERR_STUDY,
                       "batch_items: missing; expected a number of items such as \"64\"");
    if (!is_batch && given & 1 << ROW_DELAY)
        return err_set(err, ERR_STUDY, "max_delay: only with policy: batch");
    if (!is_batch && given & 1 << ROW_SPLIT)
        return err_set(err, ERR_STUDY, "split: only with policy: batch");
    if (queue->accel_items == 0 && given & 1 << ROW_IN_FLIGHT)
        return err_set(err, ERR_STUDY, "in_flight: only with accel_items");
    if (queue->accel_items == 0 && given & 1 << ROW_HOLDER)
        return err_set(err, ERR_STUDY, "in_flight_per: only with accel_items");
    if (queue->order != ORDER_FCFS && queue->max_delay_ns > 0)
        return err_set(err, ERR_STUDY,
                       "order: only fcfs with max_delay, which is how long the first has waited");
    return 0;
}

// One accelerator holds the batches of all services that use it.
static int agree(const void *settings, const void *others, struct err *err)
{
    const struct queue *queue = settings, *other = others;
    if (queue->accel_items == 0 || other->accel_items == 0)
        return 0;
    if (queue->holder != other->holder)
        return err_set(err, ERR_STUDY,
                       "in_flight_per: expected %s, as for the other services of the group, which "
                       "share its accelerators; got %s",
                       holder_names[other->holder], holder_names[queue->holder]);
    if (queue->in_flight == other->in_flight)
        return 0;
    return err_set(err, ERR_STUDY,
                   "in_flight: expected %lld, as for the other services of the group, which share "
                   "its accelerators; got %lld",
                   (long long)other->in_flight, (long long)queue->in_flight);
}

static bool is_implied(const void *settings, const struct field *field)
{
    const struct queue *queue = settings;
    bool only_batch = field == &fields[ROW_DELAY] || field == &fields[ROW_SPLIT];
    bool only_accel = field == &fields[ROW_IN_FLIGHT] || field == &fields[ROW_HOLDER];
    return (only_batch && queue->policy != WAY_BATCH) || (only_accel && queue->accel_items == 0);
}

static void resolve(void *settings, int64_t largest_items, int64_t n_cores)
{
    struct queue *queue = settings;
    if (queue->batch_items == 0)
        queue->batch_items = (largest_items + n_cores - 1) / n_cores;
    if (queue->batch_items == 0)
        queue->batch_items = 1;
}

// Requests of one query are not larger than the queries, and cores that take nothing have no B.
static void simplify(void *settings, int64_t largest_items)
{
    struct queue *queue = settings;
    if (queue->policy == WAY_PULL && queue->batch_items > largest_items)
        queue->batch_items = largest_items;
    if (queue->policy == WAY_BATCH && queue->accel_items > 0)
        queue->batch_items = 1;
}

static bool uses_cores(const struct queue *queue)
{
    return queue->policy != WAY_BATCH || queue->accel_items == 0;
}

static struct dispatch_config needs(const void *settings)
{
    const struct queue *queue = settings;
    int64_t merged_items = queue->policy == WAY_PULL ? 0 : queue->batch_items;
    if (!uses_cores(queue))
        return (struct dispatch_config){.batch_items = queue->batch_items,
                                        .offload_items = 1,
                                        .accel_merged_items = queue->accel_items};
    return (struct dispatch_config){.batch_items = queue->batch_items,
                                    .merged_items = merged_items,
                                    .accel_merged_items = queue->accel_items};
}

// ---- a block's queues, cores and accelerators ---------------------------------------------------

// One server's use since its last fold, but for that of its cores (cpu.h).
struct use {
    uint64_t n_requests, n_accel_queries;
    int64_t accel_busy_ns, accel_carry_ns;
    int64_t lost_ns[N_PLACES]; // work of what was lost while it waited
};

// What happens next at a server; at SIMTIME_NEVER nothing does.
struct beginning {
    int64_t at_ns;
    enum place place;
    uint32_t service;
    uint32_t core, busy; // on the cores: which, and how many are busy then
};

// Parts of queries of the watched server that have not wholly begun.
struct seen_slice {
    uint64_t seq;
    struct timeline_slice slice;
};

struct seen {
    struct seen_slice *slices;
    size_t n, cap;
};

struct state {
    uint32_t n_servers, n_services, n_slots;
    struct batcher_rule (*rules)[N_PLACES]; // [n_services]
    enum order *orders;                     // [n_services]
    struct waiting *waiting;                // [server * n_services + service]
    int64_t *full_ns; // likewise: since when a batch's worth waits; SIMTIME_NEVER: it does not
    struct beginning *next;           // [n_servers]
    struct use *use;                  // [n_servers]
    struct full_work_volume *arrived; // [server * n_services + service] since the last fold
    struct cpu_pool cores;
    struct accel_pool accel;
    const struct cpu_kernel *kernel;
    int64_t *slots; // [server * n_slots] when a batch in flight leaves the accelerator
    uint32_t n_own; // so many of them in turn belong to each stream; 0: to none
    bool has_accel;
    struct noise noise;
    bool noisy;
    bool *is_quick; // [n_services] may begin as it comes
    // Where requests of one query each, first come first served, on cores alone, are all there is,
    // each begins when it comes or as the next core is free, so nothing has to wait for what comes
    // later. NULL: it has to.
    void (*assign)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    uint8_t *is_slow;          // [n_servers] 1 or 0; NULL: none is
    struct timeline *timeline; // of the watched server; NULL: none has been watched
    uint32_t watched;
    struct seen *seen; // [n_services] then
};

static uint32_t at_most(int64_t n)
{
    return n > 0 && n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static void set_rules(const struct queue *queue, struct batcher_rule rules[N_PLACES])
{
    bool is_batch = queue->policy == WAY_BATCH;
    rules[PLACE_CORES] = (struct batcher_rule){.used = uses_cores(queue),
                                               .merges = queue->policy != WAY_PULL,
                                               .splits = !is_batch || queue->split,
                                               .most_items = at_most(queue->batch_items),
                                               .most_queries = at_most(queue->batch_queries),
                                               .delay_ns = queue->max_delay_ns};
    rules[PLACE_ACCEL] = (struct batcher_rule){.used = queue->accel_items > 0,
                                               .merges = true,
                                               .splits = is_batch && queue->split,
                                               .most_items = at_most(queue->accel_items),
                                               .most_queries = at_most(queue->batch_queries),
                                               .delay_ns = queue->max_delay_ns};
}

static bool takes(const void *settings, struct batcher_rule *rule, enum order *order)
{
    const struct queue *queue = settings;
    struct batcher_rule rules[N_PLACES];
    set_rules(queue, rules);
    *rule = rules[PLACE_CORES];
    *order = (enum order)queue->order;
    return !rules[PLACE_ACCEL].used;
}

// The services that use the accelerator agree on it.
static void init_slots(struct state *state, const struct group_config *group)
{
    const struct accelerator *accel = &group->platform->accelerator;
    int64_t in_flight = 0;
    bool own = false;
    for (uint32_t i = 0; i < state->n_services; i++) {
        const struct queue *queue = settings_values(&group->settings[i]);
        if (queue->accel_items == 0)
            continue;
        in_flight = queue->in_flight > 0 ? queue->in_flight : in_flight;
        own = own || queue->holder == HOLDER_STREAM;
    }
    if (in_flight == 0)
        in_flight = (own ? 1 : accel->streams) + accel->overlap;
    state->n_own = own ? (uint32_t)in_flight : 0;
    state->n_slots = (uint32_t)(own ? in_flight * accel->streams : in_flight);
    state->slots = mem_calloc((size_t)state->n_servers * state->n_slots, sizeof *state->slots);
}

// Do near lanes hold all times on the cores? Noise and histories may make them longer.
static bool fits_near(const struct state *state, const struct sched_setup *setup)
{
    bool fits = !state->noisy && setup->group->platform->cores <= CPU_NARROW_CORES;
    for (uint32_t i = 0; i < state->n_services; i++)
        fits = fits && setup->tabs[i]->fits_near && !setup->tabs[i]->history &&
               (!setup->slow_tabs || setup->slow_tabs[i]->fits_near);
    return fits;
}

// Nothing later may have a part in how a query begins: not by sharing its request, nor by coming at
// the same time to a service that is asked before.
static bool is_quick(const struct state *state, const struct sched_setup *setup, uint32_t service)
{
    const struct batcher_rule *rule = &state->rules[service][PLACE_CORES];
    const struct svctab *tab = setup->tabs[service];
    bool has_times = tab->n_levels == 1 ||
                     (tab->near_ns && (!setup->slow_tabs || setup->slow_tabs[service]->near_ns));
    bool in_turn =
        state->orders[service] == ORDER_FCFS || state->orders[service] == ORDER_LATE_LAST;
    return state->cores.lanes == CPU_LANES_NEAR && service == 0 && has_times && rule->used &&
           !rule->merges && in_turn;
}

// Is all that there is requests of one query each, first come first served, on cores alone?
static bool is_plain(const struct state *state)
{
    bool plain = true;
    for (uint32_t i = 0; i < state->n_services; i++) {
        const struct batcher_rule *rules = state->rules[i];
        plain = plain && state->orders[i] == ORDER_FCFS && rules[PLACE_CORES].used &&
                !rules[PLACE_CORES].merges && !rules[PLACE_ACCEL].used;
    }
    return plain;
}

// Where a core is picked for one beginning at a time, services need not all be of one kernel; but
// it is picked from near or far lanes, and histories are looked up in far ones.
static void init_cores(struct state *state, const struct sched_setup *setup)
{
    const struct sched_cores cores = sched_cores(setup);
    bool plain = cores.lanes != CPU_LANES_WARM && is_plain(state);
    enum cpu_lanes lanes = fits_near(state, setup) ? CPU_LANES_NEAR : CPU_LANES_FAR;
    state->kernel = setup->kernel;
    state->assign = plain ? cores.assign : NULL;
    cpu_pool_init(&state->cores, plain ? cores.lanes : lanes, setup->n_servers,
                  (uint32_t)setup->group->platform->cores);
    state->cores.first_server = setup->first_in_cell;
    state->cores.noise = state->noisy ? &state->noise : NULL;
    state->is_quick = mem_calloc(state->n_services, sizeof *state->is_quick);
    for (uint32_t i = 0; i < state->n_services; i++)
        state->is_quick[i] = is_quick(state, setup, i);
}

static void init(struct sched *sched)
{
    struct state *state = sched->state;
    const struct sched_setup *setup = &sched->setup;
    const struct group_config *group = setup->group;
    const struct platform *platform = group->platform;
    state->noisy = group->noise.spread != SPREAD_NONE;
    uint32_t n = state->n_servers = setup->n_servers;
    uint32_t n_services = state->n_services = setup->fleet->n_services;
    state->rules = mem_calloc(n_services, sizeof *state->rules);
    state->orders = mem_calloc(n_services, sizeof *state->orders);
    for (uint32_t i = 0; i < n_services; i++) {
        const struct queue *queue = settings_values(&group->settings[i]);
        set_rules(queue, state->rules[i]);
        state->orders[i] = (enum order)queue->order;
    }
    state->waiting = mem_calloc((size_t)n * n_services, sizeof *state->waiting);
    state->full_ns = mem_calloc((size_t)n * n_services, sizeof *state->full_ns);
    for (size_t i = 0; i < (size_t)n * n_services; i++)
        state->full_ns[i] = SIMTIME_NEVER;
    state->next = mem_calloc(n, sizeof *state->next);
    for (uint32_t s = 0; s < n; s++)
        state->next[s].at_ns = SIMTIME_NEVER;
    state->use = mem_calloc(n, sizeof *state->use);
    state->arrived = mem_calloc((size_t)n * n_services, sizeof *state->arrived);
    init_cores(state, setup);
    state->has_accel = platform->has_accelerator;
    if (state->has_accel) {
        const struct accelerator *accel = &platform->accelerator;
        accel_pool_init(&state->accel, n, (uint32_t)accel->streams, accel->overlap);
        init_slots(state, group);
    }
    noise_init(&state->noise, &group->noise, setup->fleet->seed, setup->cell);
    state->noise.first_server = sched->record->first_in_fleet;
    if (setup->slow_tabs)
        state->is_slow =
            slow_marks(setup->fleet, sched->record->group, setup->cell, setup->first_in_cell, n);
}

static void release(struct sched *sched)
{
    struct state *state = sched->state;
    for (size_t i = 0; i < (size_t)state->n_servers * state->n_services; i++)
        waiting_release(&state->waiting[i]);
    for (uint32_t i = 0; state->seen && i < state->n_services; i++)
        mem_free(state->seen[i].slices);
    mem_free(state->seen);
    mem_free(state->rules);
    mem_free(state->orders);
    mem_free(state->waiting);
    mem_free(state->full_ns);
    mem_free(state->next);
    mem_free(state->use);
    mem_free(state->arrived);
    mem_free(state->slots);
    mem_free(state->is_slow);
    mem_free(state->is_quick);
    cpu_pool_release(&state->cores);
    accel_pool_release(&state->accel);
}

// ---- what begins next ---------------------------------------------------------------------------

static int64_t later(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

static uint32_t first_free(const int64_t *free_ns, uint32_t n)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < n; i++)
        if (free_ns[i] < free_ns[first])
            first = i;
    return first;
}

static int64_t ready_ns(const struct sched *sched, const struct query *query)
{
    return query->arrive_ns + sched->record->dispatch_delay_ns;
}

static struct batcher batcher_of(const struct sched *sched, uint32_t s)
{
    const struct state *state = sched->state;
    size_t at = (size_t)s * state->n_services;
    return (struct batcher){.waiting = state->waiting + at,
                            .full_ns = state->full_ns + at,
                            .rules = (const struct batcher_rule(*)[N_PLACES])state->rules,
                            .orders = state->orders,
                            .n_services = state->n_services,
                            .dispatch_delay_ns = sched->record->dispatch_delay_ns};
}

// The first that a place of the server begins.
static struct beginning next_at(const struct sched *sched, uint32_t s, enum place place)
{
    const struct state *state = sched->state;
    const struct batcher batcher = batcher_of(sched, s);
    const struct batcher_turn turn = batcher_turn(&batcher, place);
    struct beginning next = {.at_ns = turn.due_ns, .place = place, .service = turn.service};
    if (next.at_ns == SIMTIME_NEVER)
        return next;
    if (place == PLACE_CORES) {
        struct cpu_pick pick = state->kernel->pick(&state->cores, s, next.at_ns);
        next.at_ns = pick.begin_ns;
        next.core = pick.core;
        next.busy = pick.busy;
    } else {
        const int64_t *slots = state->slots + (size_t)s * state->n_slots;
        next.at_ns = later(next.at_ns, slots[first_free(slots, state->n_slots)]);
    }
    return next;
}

static void find_next(const struct sched *sched, uint32_t s)
{
    struct state *state = sched->state;
    struct beginning next = next_at(sched, s, PLACE_CORES);
    if (state->has_accel) {
        struct beginning accel = next_at(sched, s, PLACE_ACCEL);
        next = accel.at_ns < next.at_ns ? accel : next;
    }
    state->next[s] = next;
}

// ---- beginning ----------------------------------------------------------------------------------

// What the histories of the queries in a request or batch add; NULL: none has one.
static int64_t histories_ns(const struct svctab_history *of, const struct waiting *waiting,
                            const struct batcher_taken *taken)
{
    int64_t sum_ns = 0;
    for (uint32_t i = 0; of && i < taken->n_queries; i++) {
        const struct waiting_query *one = waiting_at(waiting, i);
        uint32_t rest = i + 1 == taken->n_queries ? taken->rest : 0;
        sum_ns += svctab_history_ns(of, one->left_items - rest, one->query.history_items);
    }
    return sum_ns;
}

// The work of a request on the cores or a batch on the accelerator; noise goes with its oldest
// query.
static struct accel_job work_of(const struct sched *sched, uint32_t s, const struct beginning *next,
                                const struct waiting *waiting, const struct batcher_taken *taken)
{
    const struct state *state = sched->state;
    const struct waiting_query *oldest = waiting_at(waiting, 0);
    bool slow = state->is_slow && state->is_slow[s];
    const struct svctab *tab = (slow ? sched->setup.slow_tabs : sched->setup.tabs)[next->service];
    struct accel_job job = {.start_ns = next->at_ns};
    if (next->place == PLACE_CORES) {
        const struct svctab_history *history =
            tab->history ? &tab->history[tab->n_levels > 1 ? next->busy - 1 : 0] : NULL;
        job.compute_ns =
            svctab_cpu_ns(tab, taken->n_items, next->busy) + histories_ns(history, waiting, taken);
    } else {
        job.load_ns =
            tab->load_ns[taken->n_items] + histories_ns(tab->history_load, waiting, taken);
        job.compute_ns =
            tab->compute_ns[taken->n_items] + histories_ns(tab->history_compute, waiting, taken);
    }
    if (state->noisy)
        job.compute_ns = noise_apply(&state->noise, job.compute_ns,
                                     noise_state(&state->noise, s, ready_ns(sched, &oldest->query)),
                                     oldest->query.seq, oldest->n_requests);
    return job;
}

static void tell(const struct sched *sched, const struct query *query, int64_t end_ns,
                 struct completions *out)
{
    if (!sched->record->tells)
        return;
    completions_reserve(out, 1);
    server_record_tell(sched->record, query, end_ns, out);
}

static void see_end(struct sched *sched, const struct waiting_query *one, int64_t end_ns, bool lost)
{
    struct state *state = sched->state;
    struct seen *seen = &state->seen[one->query.service];
    struct timeline_query query = server_record_seen(sched->record, &one->query, end_ns, lost);
    size_t n_kept = 0;
    for (size_t i = 0; i < seen->n; i++)
        if (seen->slices[i].seq == one->query.seq)
            timeline_put(state->timeline, &seen->slices[i].slice);
        else
            seen->slices[n_kept++] = seen->slices[i];
    seen->n = n_kept;
    query.n_parts = one->n_pieces;
    query.n_batch = one->n_batch > 0 ? one->n_batch : 1;
    timeline_end(state->timeline, &query);
}

static bool is_watched(const struct state *state, uint32_t s)
{
    return state->timeline && state->watched == s;
}

// The same as server_record_one(), and a record of the query itself where that is to be kept.
static void record_single(const struct server_record *record, const struct waiting_query *one,
                          const struct finished *end, enum record_path path,
                          struct completions *out)
{
    struct query_sample single = {0};
    struct server_record alone = *record;
    size_t n_lost = out ? out->n_lost : 0;
    alone.single = &single;
    server_record_one(&alone, end, path, out);
    single.begin_ns = one->begin_ns;
    single.first_unit = one->first_unit;
    single.last_unit = one->last_unit;
    single.n_batch = one->n_batch;
    if ((out ? out->n_lost : 0) == n_lost && server_record_wants(record, end->query, &single))
        server_record_keep(record, end->query, &single);
}

// The last piece of a query has begun, so its end is known.
static void end_query(struct sched *sched, uint32_t s, const struct waiting_query *one,
                      enum place place, struct completions *out)
{
    const struct server_record *record = sched->record;
    const struct finished end = {&one->query, ready_ns(sched, &one->query), one->finish_ns,
                                 one->wait_ns, one->n_requests};
    bool lost = record->until_ns && end.finish_ns > record->until_ns[s];
    int64_t end_ns = lost ? record->until_ns[s] : end.finish_ns;
    if (is_watched(sched->state, s))
        see_end(sched, one, end_ns, lost);
    enum record_path path = place == PLACE_ACCEL ? PATH_ACCEL : PATH_CPU;
    if (record->record->slowest || one->query.flags & QUERY_SAMPLED)
        record_single(record, one, &end, path, out);
    else
        server_record_one(record, &end, path, out);
    tell(sched, &one->query, end_ns, out);
}

static void see_slice(struct seen *seen, uint64_t seq, const struct timeline_slice *slice)
{
    if (seen->n == seen->cap) {
        seen->cap = seen->cap ? 2 * seen->cap : 16;
        seen->slices = mem_realloc(seen->slices, seen->cap, sizeof *seen->slices);
    }
    seen->slices[seen->n++] = (struct seen_slice){seq, *slice};
}

// A piece on what its job ran on; a copy that overlaps computations apart.
static void see_piece(struct sched *sched, const struct waiting_query *one, enum place place,
                      const struct accel_job *job, uint32_t n_items)
{
    const struct state *state = sched->state;
    struct seen *seen = &state->seen[one->query.service];
    struct timeline_slice slice = {
        .ready_ns = ready_ns(sched, &one->query), .part = one->n_pieces, .size_items = n_items};
    if (place == PLACE_ACCEL && state->accel.overlap) {
        slice.unit = TIMELINE_LINK;
        slice.begin_ns = job->load_begin_ns;
        slice.ready_ns = slice.end_ns = job->load_begin_ns + job->load_ns;
        see_slice(seen, one->query.seq, &slice);
    }
    slice.unit = place == PLACE_CORES ? TIMELINE_CORE : TIMELINE_STREAM;
    slice.lane = job->stream;
    slice.begin_ns = job->begin_ns;
    slice.end_ns = job->finish_ns;
    see_slice(seen, one->query.seq, &slice);
}

// What a query remembers of a piece until it ends.
static void note_piece(const struct sched *sched, struct waiting_query *one,
                       const struct accel_job *job, uint32_t n_batch)
{
    if (one->n_pieces++ == 0) {
        one->begin_ns = job->load_begin_ns;
        one->first_unit = job->stream;
    }
    if (job->finish_ns <= one->finish_ns)
        return;
    one->finish_ns = job->finish_ns;
    one->wait_ns = job->finish_ns - job->load_ns - job->compute_ns - ready_ns(sched, &one->query);
    one->last_unit = job->stream;
    one->n_batch = n_batch;
}

// The oldest of the queue begin at the next time: all of their pieces end when the job does.
static void begin_pieces(struct sched *sched, uint32_t s, const struct beginning *next,
                         const struct batcher_taken *taken, const struct accel_job *job,
                         struct completions *out)
{
    struct state *state = sched->state;
    struct waiting *waiting = &state->waiting[(size_t)s * state->n_services + next->service];
    waiting_at(waiting, 0)->n_requests++;
    for (uint32_t i = 0; i < taken->n_queries; i++) {
        struct waiting_query *one = waiting_at(waiting, 0);
        bool last = i + 1 == taken->n_queries;
        uint32_t rest = last ? taken->rest : 0, n_items = one->left_items - rest;
        if (is_watched(state, s))
            see_piece(sched, one, next->place, job, n_items);
        note_piece(sched, one, job, taken->n_queries);
        if (rest > 0) {
            one->left_items = rest;
            waiting->n_items -= n_items;
            return;
        }
        state->use[s].n_accel_queries += next->place == PLACE_ACCEL;
        end_query(sched, s, one, next->place, out);
        waiting_pop(waiting);
    }
}

static void begin_on_core(struct state *state, uint32_t s, const struct beginning *next,
                          struct accel_job *job)
{
    const struct cpu_pick pick = {next->at_ns, next->core, next->busy};
    job->begin_ns = job->load_begin_ns = next->at_ns;
    job->finish_ns = next->at_ns + job->compute_ns;
    job->stream = next->core;
    cpu_pool_take(&state->cores, s, &pick, job->finish_ns);
    cpu_pool_server(&state->cores, s)->cpu_busy_ns += job->compute_ns;
}

// Where streams have slots of their own, one that takes a batch goes behind all others that have
// room.
static void begin_on_accel(struct state *state, uint32_t s, const struct beginning *next,
                           struct accel_job *job)
{
    int64_t *slots = state->slots + (size_t)s * state->n_slots;
    uint32_t slot = first_free(slots, state->n_slots);
    if (state->n_own == 0) {
        state->use[s].accel_busy_ns += accel_assign(&state->accel, s, job);
        slots[slot] = job->finish_ns;
        return;
    }
    uint32_t stream = slot / state->n_own;
    state->use[s].accel_busy_ns += accel_assign_to(&state->accel, s, stream, job);
    slots[slot] = job->finish_ns;
    for (uint32_t i = stream * state->n_own; i < (stream + 1) * state->n_own; i++)
        slots[i] = later(slots[i], next->at_ns);
}

static void begin(struct sched *sched, uint32_t s, struct completions *out)
{
    struct state *state = sched->state;
    const struct beginning next = state->next[s];
    const struct batcher batcher = batcher_of(sched, s);
    struct waiting *waiting = &batcher.waiting[next.service];
    batcher_pass_late(&batcher, next.service, sched->setup.fleet->services[next.service].sla_ns,
                      next.at_ns);
    struct batcher_taken taken = batcher_take(waiting, &state->rules[next.service][next.place]);
    struct accel_job job = work_of(sched, s, &next, waiting, &taken);
    (next.place == PLACE_CORES ? begin_on_core : begin_on_accel)(state, s, &next, &job);
    state->use[s].n_requests++;
    begin_pieces(sched, s, &next, &taken, &job, out);
    batcher_find_full(&batcher, next.service);
    find_next(sched, s);
}

static void advance_server(struct sched *sched, uint32_t s, int64_t until_ns,
                           struct completions *out)
{
    const struct beginning *next = &((struct state *)sched->state)->next[s];
    while (next->at_ns < until_ns)
        begin(sched, s, out);
}

static void advance(struct sched *sched, int64_t until_ns, struct completions *out)
{
    const struct state *state = sched->state;
    for (uint32_t s = 0; s < state->n_servers; s++)
        advance_server(sched, s, until_ns, out);
}

// A query waits. What is next is what it was unless another query is first now, or the queue holds
// a batch's worth.
static void push(struct sched *sched, const struct query *query)
{
    struct state *state = sched->state;
    uint32_t s = query->server - sched->setup.first_in_cell;
    const struct batcher batcher = batcher_of(sched, s);
    struct waiting *waiting = &batcher.waiting[query->service];
    const int64_t *full_ns = &batcher.full_ns[query->service];
    bool was_full = *full_ns != SIMTIME_NEVER;
    waiting_push(waiting, query,
                 batcher_key(state->orders[query->service], query,
                             sched->setup.fleet->services[query->service].sla_ns,
                             sched->setup.tabs[query->service]));
    if (!was_full)
        batcher_find_full(&batcher, query->service);
    if (waiting_at(waiting, 0)->query.seq == query->seq || (!was_full && *full_ns != SIMTIME_NEVER))
        find_next(sched, s);
}

static void count_arrived(const struct sched *sched, const struct query *query, uint32_t s)
{
    const struct state *state = sched->state;
    struct full_work_volume *arrived =
        &state->arrived[(size_t)s * state->n_services + query->service];
    arrived->n_queries++;
    arrived->n_items += query->size_items;
    arrived->work_ns += sched->setup.tabs[query->service]->work_ns[query->size_items];
}

static void fill_job(const struct sched *sched, const struct query *query, uint32_t s,
                     uint32_t number, struct cpu_job *job)
{
    const struct state *state = sched->state;
    bool slow = state->is_slow && state->is_slow[s];
    const struct svctab *tab = (slow ? sched->setup.slow_tabs : sched->setup.tabs)[query->service];
    const struct svctab_split *split = &tab->split[query->size_items];
    job->start_ns = ready_ns(sched, query);
    job->full_ns = tab->full_ns;
    job->last_ns = split->last_ns;
    job->tab = tab;
    job->server = s;
    job->n_requests = split->n_requests;
    job->size_items = query->size_items;
    job->query = number;
}

static void run_plain(struct sched *sched, const struct query *queries, size_t n,
                      struct completions *out)
{
    struct state *state = sched->state;
    struct cpu_job *jobs = sched->setup.jobs;
    for (uint32_t i = 0; i < n; i++)
        fill_job(sched, &queries[i], queries[i].server - sched->setup.first_in_cell, i, &jobs[i]);
    state->cores.queries = queries;
    state->assign(&state->cores, jobs, n);
    if (sched->record->tells) {
        completions_reserve(out, n);
        for (size_t i = 0; i < n; i++)
            server_record_tell(sched->record, &queries[i], jobs[i].finish_ns, out);
    }
    server_record_jobs(sched->record, queries, jobs, n, out);
}

static void run(struct sched *sched, const struct query *queries, size_t n, struct completions *out)
{
    struct state *state = sched->state;
    struct cpu_job *jobs = sched->setup.jobs;
    bool tells = sched->record->tells;
    size_t n_jobs = 0;
    if (state->assign) {
        run_plain(sched, queries, n, out);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct query *query = &queries[i];
        uint32_t s = query->server - sched->setup.first_in_cell;
        count_arrived(sched, query, s);
        if (state->next[s].at_ns < ready_ns(sched, query))
            advance_server(sched, s, ready_ns(sched, query), out);
        bool quick = state->next[s].at_ns == SIMTIME_NEVER && state->is_quick[query->service] &&
                     !is_watched(state, s);
        // What begins as it comes is the next job of the chunk.
        if (quick)
            fill_job(sched, query, s, i, &jobs[n_jobs]);
        if (!quick || !state->kernel->assign_idle(&state->cores, &jobs[n_jobs])) {
            push(sched, query);
            continue;
        }
        if (tells) {
            completions_reserve(out, 1);
            server_record_tell(sched->record, query, jobs[n_jobs].finish_ns, out);
        }
        n_jobs++;
    }
    server_record_jobs(sched->record, queries, jobs, n_jobs, out);
}

static void watch(struct sched *sched, const struct query *query, struct completions *out,
                  struct timeline *timeline)
{
    struct state *state = sched->state;
    if (timeline && !state->timeline) {
        state->timeline = timeline;
        state->watched = query->server - sched->setup.first_in_cell;
        state->seen = mem_calloc(state->n_services, sizeof *state->seen);
    }
    uint32_t s = query->server - sched->setup.first_in_cell;
    count_arrived(sched, query, s);
    advance_server(sched, s, ready_ns(sched, query), out);
    push(sched, query);
    if (state->assign)
        advance_server(sched, s, SIMTIME_NEVER, out);
}

// ---- time bins and outages ----------------------------------------------------------------------

// Of queries of a service at a server, added to each place's.
static void add_work(const struct sched *sched, uint32_t s, uint32_t service,
                     const struct full_work_volume *of, int64_t work_ns[N_PLACES])
{
    const struct state *state = sched->state;
    const struct sched_setup *setup = &sched->setup;
    bool slow = state->is_slow && state->is_slow[s];
    const struct full_work work = {.rules = state->rules[service],
                                   .tab = (slow ? setup->slow_tabs : setup->tabs)[service],
                                   .plain_tab = setup->tabs[service],
                                   .n_cores = state->cores.n_cores,
                                   .n_streams = state->has_accel ? state->accel.n_streams : 0,
                                   .overlap = state->accel.overlap};
    full_work_add(&work, of, work_ns);
}

// What waits at a server.
static void waiting_work(const struct sched *sched, uint32_t s, int64_t work_ns[N_PLACES])
{
    const struct state *state = sched->state;
    work_ns[PLACE_CORES] = work_ns[PLACE_ACCEL] = 0;
    for (uint32_t i = 0; i < state->n_services; i++) {
        const struct waiting *waiting = &state->waiting[(size_t)s * state->n_services + i];
        const struct full_work_volume volume = {waiting->n, waiting->n_items, 0};
        add_work(sched, s, i, &volume, work_ns);
    }
}

static void fold_arrived(const struct sched *sched, uint32_t s, struct sched_usage *usage)
{
    const struct state *state = sched->state;
    struct use *use = &state->use[s];
    int64_t work_ns[N_PLACES] = {-use->lost_ns[PLACE_CORES], -use->lost_ns[PLACE_ACCEL]};
    bool known = true;
    for (uint32_t i = 0; i < state->n_services; i++) {
        struct full_work_volume *arrived = &state->arrived[(size_t)s * state->n_services + i];
        usage->n_queries += arrived->n_queries;
        usage->n_items += arrived->n_items;
        add_work(sched, s, i, arrived, work_ns);
        known = known && !sched->setup.tabs[i]->history;
        *arrived = (struct full_work_volume){0};
    }
    known = known && !state->assign; // what was used says all
    usage->cpu.work_ns = known ? work_ns[PLACE_CORES] : 0;
    usage->accel.work_ns = known ? work_ns[PLACE_ACCEL] : 0;
    use->lost_ns[PLACE_CORES] = use->lost_ns[PLACE_ACCEL] = 0;
}

static void fold_cores(const struct sched *sched, uint32_t s, int64_t edge_ns, int64_t waiting_ns,
                       struct sched_part *part)
{
    struct state *state = sched->state;
    struct cpu_server *cores = cpu_pool_server(&state->cores, s);
    int64_t runs_ns = cpu_pool_backlog_ns(&state->cores, s, edge_ns, &part->drain_ns);
    part->busy_ns = cores->cpu_carry_ns + cores->cpu_busy_ns - runs_ns;
    part->backlog_ns = runs_ns + waiting_ns;
    part->drain_ns += waiting_ns / state->cores.n_cores;
    cores->cpu_carry_ns = runs_ns;
    cores->cpu_busy_ns = 0;
}

static void fold_accel(const struct sched *sched, uint32_t s, int64_t edge_ns, int64_t waiting_ns,
                       struct sched_part *part)
{
    struct state *state = sched->state;
    struct use *use = &state->use[s];
    int64_t runs_ns = accel_backlog_ns(&state->accel, s, edge_ns, &part->drain_ns);
    part->busy_ns = use->accel_carry_ns + use->accel_busy_ns - runs_ns;
    part->backlog_ns = runs_ns + waiting_ns;
    part->drain_ns += waiting_ns / state->accel.n_streams;
    use->accel_carry_ns = runs_ns;
    use->accel_busy_ns = 0;
}

static void fold(struct sched *sched, uint32_t s, int64_t edge_ns, struct sched_usage *usage)
{
    struct state *state = sched->state;
    struct use *use = &state->use[s];
    struct cpu_server *cores = cpu_pool_server(&state->cores, s);
    int64_t waiting_ns[N_PLACES];
    *usage = (struct sched_usage){.n_requests = use->n_requests + cores->n_requests,
                                  .n_accel_queries = use->n_accel_queries};
    use->n_requests = use->n_accel_queries = 0;
    if (state->assign) {
        usage->n_queries = cores->n_queries;
        usage->n_items = cores->n_items;
    }
    cores->n_queries = cores->n_requests = cores->n_items = 0;
    fold_arrived(sched, s, usage);
    waiting_work(sched, s, waiting_ns);
    fold_cores(sched, s, edge_ns, waiting_ns[PLACE_CORES], &usage->cpu);
    if (state->has_accel)
        fold_accel(sched, s, edge_ns, waiting_ns[PLACE_ACCEL], &usage->accel);
}

// Those that wait are lost with what runs.
static void lose_waiting(struct sched *sched, uint32_t s, int64_t t_ns, struct completions *out)
{
    struct state *state = sched->state;
    for (uint32_t i = 0; i < state->n_services; i++) {
        size_t at = (size_t)s * state->n_services + i;
        struct waiting *waiting = &state->waiting[at];
        while (waiting->n > 0) {
            const struct waiting_query *one = waiting_at(waiting, 0);
            completions_lose(out, &one->query, t_ns);
            if (is_watched(state, s))
                see_end(sched, one, t_ns, true);
            tell(sched, &one->query, t_ns, out);
            waiting_pop(waiting);
        }
        state->full_ns[at] = SIMTIME_NEVER;
    }
    state->next[s].at_ns = SIMTIME_NEVER;
}

static void cut(struct sched *sched, uint32_t s, int64_t t_ns, struct completions *out)
{
    struct state *state = sched->state;
    int64_t lost_ns[N_PLACES];
    waiting_work(sched, s, lost_ns);
    for (int place = 0; place < N_PLACES; place++)
        state->use[s].lost_ns[place] += lost_ns[place];
    lose_waiting(sched, s, t_ns, out);
    cpu_pool_server(&state->cores, s)->cpu_busy_ns -= cpu_pool_cut(&state->cores, s, t_ns);
    if (state->has_accel)
        state->use[s].accel_busy_ns -= accel_cut(&state->accel, s, t_ns);
    for (uint32_t i = 0; i < state->n_slots; i++) {
        int64_t *slot = &state->slots[(size_t)s * state->n_slots + i];
        *slot = *slot > t_ns ? t_ns : *slot;
    }
}

// ---- as bytes -----------------------------------------------------------------------------------

static size_t bytes(const struct sched *sched)
{
    const struct state *state = sched->state;
    uint64_t n = 0;
    for (size_t i = 0; i < (size_t)state->n_servers * state->n_services; i++)
        n += state->waiting[i].n;
    return sizeof(struct use) + state->n_services * sizeof(struct full_work_volume) +
           cpu_pool_bytes(&state->cores) + 8 * (size_t)state->n_slots + 128 +
           (size_t)(n / (state->n_servers ? state->n_servers : 1)) * sizeof(struct waiting_query);
}

static void save_one(const struct state *state, uint32_t s, struct blob *blob)
{
    blob_put(blob, &state->use[s], sizeof state->use[s]);
    blob_put(blob, &state->arrived[(size_t)s * state->n_services],
             state->n_services * sizeof *state->arrived);
    for (uint32_t i = 0; i < state->n_services; i++)
        waiting_save(&state->waiting[(size_t)s * state->n_services + i], blob);
    cpu_pool_save(&state->cores, s, blob);
    if (state->has_accel) {
        accel_save(&state->accel, s, blob);
        blob_put(blob, state->slots + (size_t)s * state->n_slots,
                 state->n_slots * sizeof *state->slots);
    }
}

// Each server's bytes, with how many they are before them.
static void save(const struct sched *sched, uint32_t first, uint32_t n, struct blob *blob)
{
    struct blob one = {0};
    for (uint32_t s = first; s < first + n; s++) {
        blob_clear(&one);
        save_one(sched->state, s, &one);
        blob_put_u64(blob, one.n);
        blob_put(blob, one.bytes, one.n);
    }
    blob_release(&one);
}

// What is read is used to look up times, so it must be a query of that service.
static void load_waiting(const struct sched *sched, uint32_t s, uint32_t service,
                         struct blob_reader *reader)
{
    struct state *state = sched->state;
    size_t at = (size_t)s * state->n_services + service;
    struct waiting *waiting = &state->waiting[at];
    waiting_load(waiting, reader);
    for (uint32_t i = 0; i < waiting->n; i++) {
        const struct query *query = &waiting_at(waiting, i)->query;
        if (query->service != service ||
            query->size_items > sched->setup.tabs[service]->max_items ||
            query->server != sched->setup.first_in_cell + s) {
            blob_refuse(reader);
            waiting_release(waiting);
        }
    }
    const struct batcher batcher = batcher_of(sched, s);
    batcher_find_full(&batcher, service);
}

static void load_one(const struct sched *sched, uint32_t s, struct blob_reader *reader)
{
    struct state *state = sched->state;
    blob_get(reader, &state->use[s], sizeof state->use[s]);
    blob_get(reader, &state->arrived[(size_t)s * state->n_services],
             state->n_services * sizeof *state->arrived);
    for (uint32_t i = 0; i < state->n_services; i++)
        load_waiting(sched, s, i, reader);
    cpu_pool_load(&state->cores, s, reader);
    if (state->has_accel) {
        accel_load(&state->accel, s, reader);
        blob_get(reader, state->slots + (size_t)s * state->n_slots,
                 state->n_slots * sizeof *state->slots);
    }
    find_next(sched, s);
}

static bool load(struct sched *sched, int64_t first, uint32_t n, struct blob_reader *reader)
{
    bool any = false;
    for (int64_t s = first; s < first + n; s++) {
        uint64_t n_bytes = blob_get_u64(reader);
        const void *at = blob_take(reader, n_bytes);
        struct blob_reader one = blob_read(at, n_bytes);
        if (!at)
            return false;
        if (s < 0 || s >= sched->setup.n_servers)
            continue;
        load_one(sched, (uint32_t)s, &one);
        if (blob_end(&one, NULL) < 0)
            blob_refuse(reader);
        any = true;
    }
    return any;
}

const struct sched_type sched_queue = {
    .name = "queue",
    .help = "queries wait in a queue that idle cores and an idle accelerator take from, merged or "
            "one by one",
    .fields = fields,
    .axes = axes,
    .state_size = sizeof(struct state),
    .check = check,
    .agree = agree,
    .is_implied = is_implied,
    .resolve = resolve,
    .simplify = simplify,
    .needs = needs,
    .takes = takes,
    .init = init,
    .release = release,
    .run = run,
    .watch = watch,
    .advance = advance,
    .fold = fold,
    .cut = cut,
    .bytes = bytes,
    .save = save,
    .load = load,
};
