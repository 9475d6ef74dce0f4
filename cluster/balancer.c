// SPDX-License-Identifier: Apache-2.0
#include "cluster/balancer.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/arrivals.h"
#include "cluster/outage.h"
#include "cluster/retry.h"
#include "cluster/router.h"
#include "cluster/sched.h"

enum { N_OPEN_WINDOWS = 64, OPEN_STRIDES = 16 };

// Queries routed together, at most: a block of the source, or with many parts what gives each some
// to work on, as far as they stay in the second-level cache. A server's lines are asked for while
// others of its part are at work (cpu_loop.h): a handful of queries waits for memory every time.
enum { WINDOW_QUERIES = 512, PART_QUERIES = 64, MAX_WINDOW_QUERIES = 4096 };

// Steps of a stride: changes of servers as they and the balancer see them, and servers folded. The
// cells of a rank may all be within one when it looks around, so many cells have fewer each.
#define STRIDE_STEPS 16384.0
#define LEAST_STRIDE_STEPS 256.0
// Where windows are given, as by tests, a run has as many strides at least.
#define GIVEN_STRIDES 16

// A window whose completions are not all known.
struct open_window {
    int64_t begin_ns;
    uint64_t number;
    uint32_t n_pending; // parcels without an answer
    bool passes;        // a stride: nothing will be heard of it
};

struct balancer {
    struct balancer_setup setup;
    uint32_t n_servers;
    uint32_t *part_of; // [n_servers] part, counted from the cell's first
    struct arrivals *arrivals;
    struct router *router;
    bool is_told; // every parcel is answered: with completions, or with what is lost
    bool retries; // what is lost may come again
    bool bounded; // what it is told may change where later queries go
    bool waits;   // queries wait at servers: what ends is known as far as they have advanced
    int64_t lookahead_ns;
    bool has_remote;
    uint32_t first_part, n_parts;
    struct outage *outage;   // NULL in a fleet without
    bool *up;                // [n_servers] as the balancer holds them to be
    bool stale;              // the policy does not know of the last changes
    uint32_t *members;       // [n_servers] room for those that are
    size_t most_queries;     // of a window
    struct query *collected; // where a window has several runs of them; NULL: it is one
    struct query *sorted;    // queries of a window by part; NULL: there is one part
    uint32_t *part_end;      // [n_parts] where each part's end there; 0 between windows
    uint64_t *part_bits;     // bit p: part p has some; 0 between windows
    struct completions completions;
    struct open_window open[N_OPEN_WINDOWS]; // ring
    uint64_t n_opened, n_closed;
    uint64_t n_windows;
    int64_t reached_ns;
    int64_t stride_ns;   // SIMTIME_LONGEST: none
    int64_t passed_ns;   // end of the last stride
    int64_t advanced_ns; // nothing came before it: with `waits`, all that begins before is decided
    int64_t taken_ns;    // where the servers' state was taken up from; 0: they begin
    bool closed;
};

static void find_parts(struct balancer *balancer, uint16_t *group)
{
    const struct balancer_setup *setup = &balancer->setup;
    balancer->part_of = mem_calloc(balancer->n_servers, sizeof *balancer->part_of);
    for (uint32_t p = 0; p < balancer->n_parts; p++) {
        const struct layout_part *part = &setup->layout->parts[balancer->first_part + p];
        for (uint32_t s = part->first_in_cell; s < part->first_in_cell + part->n_servers; s++) {
            balancer->part_of[s] = p;
            group[s] = (uint16_t)part->group;
        }
        balancer->has_remote |=
            !setup->exchange->type->is_local(setup->exchange, balancer->first_part + p);
    }
}

static double cell_rate_qps(const struct balancer *balancer)
{
    const struct fleet_config *fleet = balancer->setup.fleet;
    double rate_qps = 0;
    for (uint32_t i = 0; i < fleet->n_services; i++)
        rate_qps += fleet->services[i].traffic.rate_qps;
    return rate_qps * balancer->n_servers / balancer->setup.layout->n_fleet_servers;
}

static int64_t least_service_ns(const struct balancer *balancer)
{
    const struct balancer_setup *setup = &balancer->setup;
    int64_t least_ns = INT64_MAX;
    for (uint32_t g = 0; g < setup->fleet->n_groups; g++) {
        const struct svctab *const *tabs = setup->tabs + (size_t)g * setup->fleet->n_services;
        int64_t ns =
            sched_least_service_ns(&setup->fleet->groups[g], tabs, setup->fleet->n_services);
        least_ns = ns < least_ns ? ns : least_ns;
    }
    return least_ns;
}

// A server that goes down ends what it has at once.
static int64_t lookahead_ns(const struct balancer *balancer)
{
    const struct balancer_config *config = &balancer->setup.fleet->balancer;
    int64_t least_ns = balancer->outage ? 0 : least_service_ns(balancer);
    return config->dispatch_delay_ns + least_ns + config->status_delay_ns;
}

static void create_router(struct balancer *balancer)
{
    const struct balancer_setup *setup = &balancer->setup;
    uint16_t *group = mem_calloc(balancer->n_servers, sizeof *group);
    find_parts(balancer, group);
    const struct router_setup router = {.fleet = setup->fleet,
                                        .tabs = setup->tabs,
                                        .cell = setup->cell,
                                        .n_servers = balancer->n_servers,
                                        .group = group,
                                        .rate_qps = cell_rate_qps(balancer),
                                        .lookahead_ns = balancer->lookahead_ns};
    balancer->router = router_create(&router);
    mem_free(group);
}

static void create_outage(struct balancer *balancer)
{
    const struct balancer_setup *setup = &balancer->setup;
    uint32_t n = balancer->n_servers;
    struct outage_setup outage = {.fleet = setup->fleet,
                                  .layout = setup->layout,
                                  .first_part = balancer->first_part,
                                  .n_parts = balancer->n_parts,
                                  .side = OUTAGE_BALANCER};
    balancer->outage = outage_create(&outage);
    balancer->up = mem_calloc(n, sizeof *balancer->up);
    memset(balancer->up, true, n * sizeof *balancer->up);
    balancer->members = mem_calloc(n, sizeof *balancer->members);
}

static void create_sorting(struct balancer *balancer)
{
    uint32_t n_parts = balancer->n_parts;
    size_t most = (size_t)PART_QUERIES * n_parts;
    most = most > WINDOW_QUERIES ? most : WINDOW_QUERIES;
    balancer->most_queries = most < MAX_WINDOW_QUERIES ? most : MAX_WINDOW_QUERIES;
    if (balancer->outage || balancer->most_queries > WINDOW_QUERIES)
        balancer->collected = mem_calloc(balancer->most_queries, sizeof *balancer->collected);
    if (n_parts == 1)
        return;
    balancer->sorted = mem_calloc(balancer->most_queries, sizeof *balancer->sorted);
    balancer->part_end = mem_calloc(n_parts, sizeof *balancer->part_end);
    balancer->part_bits = mem_calloc(n_parts / 64 + 1, sizeof *balancer->part_bits);
}

// What a schedule makes servers of the cell do per second, at most: both edges of a step are looked
// at, each with the steps it reaches into, and switch a share of what the fleet does.
static double schedule_steps_per_s(const struct balancer *balancer, uint32_t group)
{
    const struct balancer_setup *setup = &balancer->setup;
    const struct on_schedule *on = &setup->fleet->groups[group].on;
    if (on->n_steps == 0)
        return 0;
    double switched = 0, n = (double)on->n_steps;
    for (size_t i = 0; i < on->n_steps; i++)
        switched += fabs((double)on->n_on[i] - on->n_on[i ? i - 1 : on->n_steps - 1]);
    double seen =
        2 * (1 + fmin(n, (double)(on->startup_ns + on->shutdown_ns) / (double)on->step_ns));
    double steps = seen * (balancer->n_parts + 1) + 2 * (switched / n / setup->fleet->n_cells + 1);
    return steps / simtime_to_s(on->step_ns);
}

// How long the cell's servers take for a stride.
static int64_t stride_ns(const struct balancer *balancer)
{
    const struct fleet_config *fleet = balancer->setup.fleet;
    const struct record_shape *shape = &balancer->setup.record->shape;
    double n = balancer->n_servers, steps = STRIDE_STEPS / fleet->n_cells;
    double per_s = n * shape->n_bins / simtime_to_s(shape->end_ns - shape->warmup_ns);
    if (fleet->outages.mtbf_s > 0)
        per_s += 4 * n / (fleet->outages.mtbf_s + fleet->outages.mttr_s);
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        per_s += schedule_steps_per_s(balancer, g);
    int64_t ns = simtime_from_s(fmax(steps, LEAST_STRIDE_STEPS) / per_s);
    return ns < 1 ? 1 : ns < SIMTIME_LONGEST ? ns : SIMTIME_LONGEST;
}

static struct arrivals *create_arrivals(const struct balancer *balancer, struct err *err)
{
    const struct balancer_setup *setup = &balancer->setup;
    struct arrivals_setup arrivals = {.fleet = setup->fleet,
                                      .layout = setup->layout,
                                      .sizes = setup->sizes,
                                      .cell = setup->cell,
                                      .n_generated = setup->record->n_generated};
    return arrivals_create(&arrivals, err);
}

static bool queries_wait(const struct fleet_config *fleet)
{
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        if (sched_types[fleet->groups[g].scheduler]->advance)
            return true;
    return false;
}

struct balancer *balancer_create(const struct balancer_setup *setup, struct err *err)
{
    struct balancer *balancer = mem_calloc(1, sizeof *balancer);
    balancer->setup = *setup;
    balancer->first_part = setup->layout->first_part[setup->cell];
    balancer->n_parts = setup->layout->first_part[setup->cell + 1] - balancer->first_part;
    balancer->n_servers = setup->layout->n_servers[setup->cell];
    if (fleet_has_outages(setup->fleet))
        create_outage(balancer);
    balancer->is_told = fleet_wants_answers(setup->fleet);
    balancer->retries = balancer->outage && setup->fleet->outages.retries > 0;
    balancer->lookahead_ns = lookahead_ns(balancer);
    create_router(balancer);
    balancer->bounded = balancer->router->view || balancer->retries;
    balancer->waits = balancer->is_told && queries_wait(setup->fleet);
    balancer->stride_ns = stride_ns(balancer);
    if (setup->fleet->window_ns > 0 &&
        setup->fleet->duration_ns / GIVEN_STRIDES < balancer->stride_ns)
        balancer->stride_ns = setup->fleet->duration_ns / GIVEN_STRIDES + 1;
    create_sorting(balancer);
    balancer->arrivals = create_arrivals(balancer, err);
    if (!balancer->arrivals) {
        balancer_destroy(balancer);
        return NULL;
    }
    return balancer;
}

void balancer_destroy(struct balancer *balancer)
{
    if (!balancer)
        return;
    arrivals_destroy(balancer->arrivals);
    outage_destroy(balancer->outage);
    router_destroy(balancer->router);
    mem_free(balancer->part_of);
    mem_free(balancer->sorted);
    mem_free(balancer->part_end);
    mem_free(balancer->part_bits);
    mem_free(balancer->up);
    mem_free(balancer->members);
    mem_free(balancer->collected);
    completions_release(&balancer->completions);
    mem_free(balancer);
}

// ---- windows ------------------------------------------------------------------------------------

// End of the window that begins at begin_ns.
static int64_t window_end_ns(const struct balancer *balancer, int64_t begin_ns)
{
    int64_t length_ns = SIMTIME_LONGEST;
    if (balancer->bounded) {
        length_ns = balancer->has_remote ? balancer->lookahead_ns / 2 : balancer->lookahead_ns;
        length_ns = length_ns < 1 ? 1 : length_ns;
    }
    int64_t limit_ns = balancer->setup.fleet->window_ns;
    if (limit_ns > 0 && limit_ns < length_ns)
        length_ns = limit_ns;
    return begin_ns + length_ns;
}

static struct open_window *oldest_open(struct balancer *balancer)
{
    while (balancer->n_closed < balancer->n_opened) {
        struct open_window *window = &balancer->open[balancer->n_closed % N_OPEN_WINDOWS];
        if (window->n_pending > 0)
            return window;
        balancer->n_closed++;
    }
    return NULL;
}

// The oldest of which there may be news; passes are at most a few.
static const struct open_window *oldest_routed(struct balancer *balancer)
{
    oldest_open(balancer);
    for (uint64_t i = balancer->n_closed; i < balancer->n_opened; i++) {
        const struct open_window *window = &balancer->open[i % N_OPEN_WINDOWS];
        if (window->n_pending > 0 && !window->passes)
            return window;
    }
    return NULL;
}

// Where queries wait, what begins after the servers' last advance can be heard only later. A gap
// between two arrivals that is longer than that is passed first.
static int64_t known_advanced_ns(struct balancer *balancer)
{
    const struct open_window *window = oldest_open(balancer);
    int64_t from_ns = window ? window->begin_ns : balancer->advanced_ns;
    if (window && balancer->n_opened - balancer->n_closed == N_OPEN_WINDOWS)
        return from_ns;
    return from_ns + (balancer->lookahead_ns < 1 ? 1 : balancer->lookahead_ns);
}

// How far news is known: completions and losses heard before it have all come in.
static int64_t known_ns(struct balancer *balancer)
{
    if (balancer->waits && balancer->router->view)
        return known_advanced_ns(balancer);
    if (!balancer->is_told || !balancer->has_remote)
        return SIMTIME_NEVER;
    const struct open_window *window = oldest_open(balancer);
    if (!window)
        return SIMTIME_NEVER;
    if (balancer->n_opened - balancer->n_closed == N_OPEN_WINDOWS)
        return window->begin_ns;
    window = balancer->bounded ? oldest_routed(balancer) : NULL;
    return window ? window->begin_ns + balancer->lookahead_ns : SIMTIME_NEVER;
}

// The rules for what is lost are the study's; servers only say that it is.
static void take_loss(struct balancer *balancer, const struct loss *loss)
{
    const struct balancer_setup *setup = &balancer->setup;
    const struct query *query = &loss->query;
    size_t row = (size_t)balancer->router->group[query->server] * setup->fleet->n_services;
    const struct svctab *tab = setup->tabs[row + query->service];
    enum record_path path = svctab_offloads(tab, query->size_items) ? PATH_ACCEL : PATH_CPU;
    struct query next;
    if (retry_next(setup->fleet, loss, path, setup->record, &next))
        arrivals_retry(balancer->arrivals, &next);
}

static void take_news(struct balancer *balancer, const struct completions *news)
{
    if (balancer->router->view)
        view_report(balancer->router->view, news->v, news->n);
    for (size_t i = 0; i < news->n_lost; i++)
        take_loss(balancer, &news->lost[i]);
}

// Hands one parcel over; returns how many answers are still to come (0 or 1).
static uint32_t deliver(struct balancer *balancer, uint32_t part, const struct query *queries,
                        size_t n, int64_t until_ns)
{
    struct exchange *exchange = balancer->setup.exchange;
    struct parcel parcel = {balancer->first_part + part, balancer->n_windows, queries, n, until_ns};
    completions_clear(&balancer->completions);
    bool done = exchange->type->deliver(exchange, &parcel, &balancer->completions);
    if (!balancer->is_told)
        return 0;
    if (done)
        take_news(balancer, &balancer->completions);
    return done ? 0 : 1;
}

// The first part >= part that has queries of this window, n_parts: none.
static uint32_t next_part(const struct balancer *balancer, uint32_t part)
{
    uint32_t word = part / 64, n_words = balancer->n_parts / 64 + 1;
    uint64_t bits = balancer->part_bits[word] >> part % 64 << part % 64;
    while (bits == 0 && ++word < n_words)
        bits = balancer->part_bits[word];
    return bits ? 64 * word + (uint32_t)__builtin_ctzll(bits) : balancer->n_parts;
}

// The window's queries into `sorted`, a stable partition by part: count, then place. What it takes
// depends on the queries and on the parts that have any, not on all others.
static void sort_by_part(struct balancer *balancer, const struct query *queries, size_t n)
{
    const uint32_t *part_of = balancer->part_of;
    uint32_t *end = balancer->part_end, begin = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t part = part_of[queries[i].server];
        end[part]++;
        balancer->part_bits[part / 64] |= UINT64_C(1) << part % 64;
    }
    for (uint32_t p = 0; (p = next_part(balancer, p)) < balancer->n_parts; p++) {
        uint32_t count = end[p];
        end[p] = begin; // grows to the end as the part's queries are placed
        begin += count;
    }
    for (size_t i = 0; i < n; i++)
        balancer->sorted[end[part_of[queries[i].server]]++] = queries[i];
}

// One parcel for each part that has queries; where servers are to advance, for every part.
static uint32_t deliver_by_part(struct balancer *balancer, const struct query *queries, size_t n,
                                int64_t until_ns)
{
    uint32_t begin = 0, n_pending = 0, n_parts = balancer->n_parts;
    sort_by_part(balancer, queries, n);
    for (uint32_t p = 0; p < n_parts; p++) {
        p = until_ns > 0 ? p : next_part(balancer, p);
        if (p == n_parts)
            break;
        uint32_t end = balancer->part_end[p] > begin ? balancer->part_end[p] : begin;
        n_pending += deliver(balancer, p, balancer->sorted + begin, end - begin, until_ns);
        balancer->part_end[p] = 0;
        begin = end;
    }
    memset(balancer->part_bits, 0, (n_parts / 64 + 1) * sizeof *balancer->part_bits);
    return n_pending;
}

// Takes the changes up to t_ns.
static void take_changes(struct balancer *balancer, int64_t t_ns)
{
    struct outage_change change;
    while (outage_peek_ns(balancer->outage) <= t_ns)
        if (outage_next(balancer->outage, &change)) {
            balancer->up[change.server] = change.up;
            balancer->stale = true;
        }
}

// Makes the servers that are in service at t_ns the policy's members; returns until when.
static int64_t enter_members(struct balancer *balancer, int64_t t_ns)
{
    take_changes(balancer, t_ns);
    if (balancer->stale) {
        balancer->stale = false;
        uint32_t n = 0;
        for (uint32_t s = 0; s < balancer->n_servers; s++)
            if (balancer->up[s])
                balancer->members[n++] = s;
        policy_set_members(balancer->router->policy, n > 0 ? balancer->members : NULL, n);
    }
    return outage_peek_ns(balancer->outage);
}

// The queries of the window that ends at end_ns, routed.
static struct query *route(struct balancer *balancer, int64_t end_ns, size_t *n)
{
    if (!balancer->collected) {
        struct query *queries = arrivals_next(balancer->arrivals, end_ns, WINDOW_QUERIES, n);
        policy_route(balancer->router->policy, queries, *n);
        return queries;
    }
    *n = 0;
    while (*n < balancer->most_queries) {
        size_t m;
        const struct query *run =
            arrivals_next(balancer->arrivals, end_ns, balancer->most_queries - *n, &m);
        if (m == 0)
            break;
        memcpy(balancer->collected + *n, run, m * sizeof *run);
        policy_route(balancer->router->policy, balancer->collected + *n, m);
        *n += m;
    }
    return balancer->collected;
}

// End of the stride that the cell is in; SIMTIME_NEVER: the rest of the run is less than one.
static int64_t stride_end_ns(const struct balancer *balancer)
{
    int64_t left_ns = balancer->setup.fleet->duration_ns - balancer->passed_ns;
    return balancer->stride_ns < left_ns ? balancer->passed_ns + balancer->stride_ns
                                         : SIMTIME_NEVER;
}

// Parts are told that nothing comes before t_ns; returns how many answers are still to come.
static uint32_t pass_parts(struct balancer *balancer, int64_t t_ns)
{
    struct exchange *exchange = balancer->setup.exchange;
    uint32_t n_pending = 0, end = balancer->first_part + balancer->n_parts;
    for (uint32_t part = balancer->first_part; part < end; part++) {
        completions_clear(&balancer->completions);
        if (!exchange->type->pass(exchange, part, balancer->n_windows, t_ns,
                                  &balancer->completions))
            n_pending++;
        else if (balancer->is_told)
            take_news(balancer, &balancer->completions);
    }
    return n_pending;
}

// No query comes before t_ns: all of what was lost is known, so its retries are among the arrivals.
// Few strides are under way at a time, so that a rank with servers is never far behind.
static enum balancer_state pass(struct balancer *balancer, int64_t t_ns)
{
    struct exchange *exchange = balancer->setup.exchange;
    bool may_come = balancer->retries && oldest_routed(balancer);
    oldest_open(balancer);
    if (may_come || balancer->n_opened - balancer->n_closed >= OPEN_STRIDES ||
        !exchange->type->has_room(exchange))
        return BALANCER_WAITS;
    if (balancer->outage)
        take_changes(balancer, t_ns);
    uint32_t n_pending = pass_parts(balancer, t_ns);
    if (n_pending > 0)
        balancer->open[balancer->n_opened++ % N_OPEN_WINDOWS] =
            (struct open_window){balancer->waits ? balancer->advanced_ns : t_ns,
                                 balancer->n_windows, n_pending, !balancer->waits};
    balancer->n_windows++;
    balancer->advanced_ns = t_ns;
    balancer->reached_ns = t_ns > balancer->reached_ns ? t_ns : balancer->reached_ns;
    return BALANCER_PASSED;
}

// Nothing more is to be routed, unless one of the answers says so.
static enum balancer_state finish(struct balancer *balancer)
{
    if (balancer->retries && oldest_open(balancer))
        return BALANCER_WAITS;
    int64_t end_ns = balancer->setup.fleet->duration_ns;
    if (balancer->waits && balancer->advanced_ns < end_ns)
        return pass(balancer, end_ns);
    if (!balancer->closed) {
        balancer->setup.exchange->type->close(balancer->setup.exchange, balancer->setup.cell);
        balancer->closed = true;
        balancer->reached_ns = balancer->setup.fleet->duration_ns;
    }
    return oldest_open(balancer) ? BALANCER_WAITS : BALANCER_DONE;
}

// Nothing comes before this time behind a window that ends at end_ns.
static int64_t advance_to(const struct balancer *balancer, int64_t end_ns)
{
    int64_t next_ns = arrivals_peek_ns(balancer->arrivals);
    int64_t last_ns = balancer->setup.fleet->duration_ns;
    next_ns = next_ns < end_ns ? next_ns : end_ns;
    return next_ns < last_ns ? next_ns : last_ns;
}

enum balancer_state balancer_step(struct balancer *balancer)
{
    struct exchange *exchange = balancer->setup.exchange;
    int64_t begin_ns = arrivals_peek_ns(balancer->arrivals), stride_ns = stride_end_ns(balancer);
    if (begin_ns >= stride_ns && stride_ns != SIMTIME_NEVER) {
        enum balancer_state state = pass(balancer, stride_ns);
        balancer->passed_ns = state == BALANCER_PASSED ? stride_ns : balancer->passed_ns;
        return state;
    }
    if (begin_ns == SIMTIME_NEVER)
        return finish(balancer);
    int64_t end_ns = window_end_ns(balancer, begin_ns), heard_ns = known_ns(balancer);
    if (heard_ns <= begin_ns && balancer->waits && !oldest_open(balancer))
        return pass(balancer, begin_ns);
    if (!exchange->type->has_room(exchange) || heard_ns <= begin_ns)
        return BALANCER_WAITS;
    // Cut, not put off: the next arrival comes after the end of the last window, so a window of the
    // same length would always reach beyond what is known while the last one is under way.
    end_ns = heard_ns < end_ns ? heard_ns : end_ns;
    end_ns = stride_ns < end_ns ? stride_ns : end_ns;
    if (balancer->outage) {
        int64_t same_ns = enter_members(balancer, begin_ns);
        end_ns = same_ns < end_ns ? same_ns : end_ns;
    }
    size_t n;
    const struct query *queries = route(balancer, end_ns, &n);
    int64_t until_ns = balancer->waits && balancer->router->view ? advance_to(balancer, end_ns) : 0;
    uint32_t n_pending = balancer->n_parts == 1 ? deliver(balancer, 0, queries, n, until_ns)
                                                : deliver_by_part(balancer, queries, n, until_ns);
    if (n_pending > 0)
        balancer->open[balancer->n_opened++ % N_OPEN_WINDOWS] = (struct open_window){
            until_ns > 0 ? balancer->advanced_ns : begin_ns, balancer->n_windows, n_pending, false};
    balancer->advanced_ns = until_ns > 0 ? until_ns : balancer->advanced_ns;
    balancer->n_windows++;
    balancer->reached_ns = queries[n - 1].arrive_ns;
    return BALANCER_ADVANCED;
}

void balancer_hear(struct balancer *balancer, uint64_t window, const struct completions *news)
{
    take_news(balancer, news);
    for (uint64_t i = balancer->n_closed; i < balancer->n_opened; i++)
        if (balancer->open[i % N_OPEN_WINDOWS].number == window)
            balancer->open[i % N_OPEN_WINDOWS].n_pending--;
}

int64_t balancer_reached_ns(const struct balancer *balancer)
{
    return balancer->reached_ns;
}

uint64_t balancer_n_windows(const struct balancer *balancer)
{
    return balancer->n_windows;
}

int64_t balancer_next_ns(const struct balancer *balancer)
{
    int64_t next_ns = arrivals_peek_ns(balancer->arrivals), stride_ns = stride_end_ns(balancer);
    next_ns = stride_ns < next_ns ? stride_ns : next_ns;
    if (next_ns == SIMTIME_NEVER)
        next_ns = balancer->setup.fleet->duration_ns - 1;
    return next_ns > balancer->taken_ns ? next_ns : balancer->taken_ns;
}

// Policies keep nothing: what they draw is keyed by the number of the query. Nor is it kept who is
// in service: after loading, time passes from 0 once more, and servers and balancer take the
// changes up to where they were saved.
void balancer_save(const struct balancer *balancer, struct blob *blob)
{
    blob_put_i64(blob, balancer->reached_ns);
    blob_put_i64(blob, balancer_next_ns(balancer));
    arrivals_save(balancer->arrivals, blob);
    if (balancer->router->view)
        view_save(balancer->router->view, blob);
    if (balancer->waits)
        blob_put_i64(blob, balancer->advanced_ns);
}

int balancer_load(struct balancer *balancer, struct blob_reader *reader, struct err *err)
{
    balancer->reached_ns = blob_get_i64(reader);
    balancer->taken_ns = blob_get_i64(reader);
    if (balancer->taken_ns < 0 || balancer->taken_ns >= balancer->setup.fleet->duration_ns)
        blob_refuse(reader);
    if (balancer->taken_ns < stride_ns(balancer)) // the first query can do what there is to do
        balancer->passed_ns = balancer->taken_ns;
    if (arrivals_load(balancer->arrivals, reader, err) < 0)
        return -1;
    if (balancer->router->view)
        view_load(balancer->router->view, reader);
    if (balancer->waits)
        balancer->advanced_ns = blob_get_i64(reader);
    return 0;
}
