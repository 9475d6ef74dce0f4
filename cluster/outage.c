// SPDX-License-Identifier: Apache-2.0
// Three causes, each with a next time at which it acts: the earliest crash or recovery (a heap of
// servers), the earliest step of a schedule (one per group), the next end of an event (a sorted
// list). All that happens at one time is worked out together and marks the servers that it touches;
// those of them whose state is not what it was are the changes. So causes that overlap or follow
// each other at once never show as a change that is none.
#include "cluster/outage.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"

// How often causes that show in no change are passed over before whoever asked is told the time.
enum { SEEK_CAUSES = 4096 };

// Of a server's state: its causes to be out, and what its last change said.
enum {
    CAUSE_CRASH = 1,
    CAUSE_EVENT = 2,
    CAUSE_SCHEDULE = 4,
    CAUSES = CAUSE_CRASH | CAUSE_EVENT | CAUSE_SCHEDULE,
    SAID_DOWN = 8,
    SAID_OFF = 16
};

// The servers of one group that follow its schedule: on are the first n_on of them.
struct shift {
    const struct on_schedule *on;
    int64_t startup_ns, shutdown_ns; // as this side sees them
    uint32_t turn, n_cells;
    uint32_t first, n; // servers counted from the outage's first
    uint32_t skipped;  // of the group in the cell before them
    uint32_t n_on;     // now
    uint32_t n_always; // never off
    int64_t next_ns;   // when n_on may change next
};

// Begin or end of an event, for servers [first, first + n).
struct edge {
    int64_t at_ns;
    uint32_t first, n;
    bool begins;
};

struct outage {
    struct outage_setup setup;
    uint32_t n_servers, first_in_cell, first_in_fleet, cell;
    int64_t end_ns;
    uint8_t *state; // [n_servers]
    // Crashes; NULL without.
    int64_t *toggle_ns; // [n_servers] next crash or recovery, as this side sees it
    uint32_t *n_drawn;  // [n_servers] numbers used up
    uint32_t *heap;     // servers with a toggle before the end, earliest first
    uint32_t n_heap;
    // Events.
    struct edge *edges;
    size_t n_edges, next_edge;
    uint32_t *n_open; // [n_servers] events at the moment
    // Schedules.
    struct shift *shifts;
    uint32_t n_shifts;
    // What happened at now_ns and has not been looked at: a bit per server, in words [lo, hi].
    uint64_t *touched;
    uint32_t lo, hi;
    int64_t now_ns; // of the next change; SIMTIME_NEVER: none
    bool is_found;  // false: not yet, but not before now_ns
    uint32_t found; // whose it is
};

static int64_t plus(int64_t a_ns, int64_t b_ns)
{
    int64_t sum_ns;
    return __builtin_add_overflow(a_ns, b_ns, &sum_ns) ? SIMTIME_NEVER : sum_ns;
}

static void touch(struct outage *outage, uint32_t server)
{
    uint32_t word = server / 64;
    outage->touched[word] |= UINT64_C(1) << server % 64;
    outage->lo = word < outage->lo ? word : outage->lo;
    outage->hi = word > outage->hi ? word : outage->hi;
}

// ---- crashes ------------------------------------------------------------------------------------

// Servers that change at one time are put in order by their bits in `touched`.
static bool is_sooner(const struct outage *outage, uint32_t a, uint32_t b)
{
    return outage->toggle_ns[a] < outage->toggle_ns[b];
}

static void sift_down(struct outage *outage, uint32_t at)
{
    uint32_t *heap = outage->heap, server = heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= outage->n_heap)
            break;
        if (child + 1 < outage->n_heap && is_sooner(outage, heap[child + 1], heap[child]))
            child++;
        if (is_sooner(outage, server, heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = server;
}

static int64_t exponential_ns(uint64_t word, double mean_s)
{
    double factor;
    rng_exponential(&word, 1, &factor);
    int64_t ns = simtime_from_s(mean_s * factor);
    return ns > 0 ? ns : 1;
}

static void draw_words(struct outage *outage, uint32_t server, uint64_t words[2])
{
    uint64_t entity = (uint64_t)outage->first_in_fleet + server;
    struct rng_stream draws = rng_stream(outage->setup.fleet->seed, RNG_CRASH, entity);
    rng_block(&draws, outage->n_drawn[server]++, words);
}

// When the state that begins at from_ns ends.
static int64_t state_end_ns(const struct outage *outage, uint32_t server, int64_t from_ns,
                            uint64_t word)
{
    const struct outage_config *config = &outage->setup.fleet->outages;
    bool down = outage->state[server] & CAUSE_CRASH;
    return plus(from_ns, exponential_ns(word, down ? config->mttr_s : config->mtbf_s));
}

// What is left of a state that has no memory is as long as a new one.
static void init_crashes(struct outage *outage)
{
    const struct outage_config *config = &outage->setup.fleet->outages;
    double down_frac = config->mttr_s / (config->mtbf_s + config->mttr_s);
    int64_t shift_ns = outage->setup.side == OUTAGE_BALANCER ? config->detect_delay_ns : 0;
    outage->toggle_ns = mem_calloc(outage->n_servers, sizeof *outage->toggle_ns);
    outage->n_drawn = mem_calloc(outage->n_servers, sizeof *outage->n_drawn);
    outage->heap = mem_calloc(outage->n_servers, sizeof *outage->heap);
    for (uint32_t s = 0; s < outage->n_servers; s++) {
        uint64_t words[2];
        draw_words(outage, s, words);
        if (rng_u01(words[0]) < down_frac) {
            outage->state[s] |= CAUSE_CRASH;
            touch(outage, s);
        }
        outage->toggle_ns[s] = state_end_ns(outage, s, shift_ns, words[1]);
        if (outage->toggle_ns[s] < outage->end_ns)
            outage->heap[outage->n_heap++] = s;
    }
    for (uint32_t i = outage->n_heap / 2; i-- > 0;)
        sift_down(outage, i);
}

static void toggle_first(struct outage *outage)
{
    uint32_t server = outage->heap[0];
    uint64_t words[2];
    draw_words(outage, server, words);
    outage->state[server] ^= CAUSE_CRASH;
    touch(outage, server);
    outage->toggle_ns[server] = state_end_ns(outage, server, outage->toggle_ns[server], words[0]);
    if (outage->toggle_ns[server] >= outage->end_ns)
        outage->heap[0] = outage->heap[--outage->n_heap];
    if (outage->n_heap > 0)
        sift_down(outage, 0);
}

// ---- events -------------------------------------------------------------------------------------

// Servers of the outage's cell in groups before this one.
static uint32_t before_group(const struct outage *outage, uint32_t group)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < group; g++)
        n += layout_servers(outage->setup.fleet, g, outage->cell);
    return n;
}

// Servers of the outage, counted from its first, that an event is about; *n == 0: none.
static void find_servers(const struct outage *outage, const struct outage_event *event,
                         uint32_t *first, uint32_t *n)
{
    const struct fleet_config *fleet = outage->setup.fleet;
    *first = 0;
    *n = event->whole_cell && event->cell == outage->cell ? outage->n_servers : 0;
    if (event->whole_cell)
        return;
    uint32_t in_group = layout_first(fleet, event->group, outage->cell);
    uint32_t n_here = layout_servers(fleet, event->group, outage->cell);
    if (event->server < in_group || event->server - in_group >= n_here)
        return;
    uint32_t in_cell = before_group(outage, event->group) + event->server - in_group;
    if (in_cell < outage->first_in_cell || in_cell - outage->first_in_cell >= outage->n_servers)
        return;
    *first = in_cell - outage->first_in_cell;
    *n = 1;
}

// [*begin_ns, *end_ns) as a side sees it; false: not at all.
static bool find_times(const struct fleet_config *fleet, const struct outage_event *event,
                       enum outage_side side, int64_t *begin_ns, int64_t *end_ns)
{
    bool late = side == OUTAGE_BALANCER && event->kind == OUTAGE_CRASH;
    *begin_ns = plus(event->at_ns, late ? fleet->outages.detect_delay_ns : 0);
    *end_ns = plus(*begin_ns, event->for_ns);
    return side == OUTAGE_BALANCER || event->kind == OUTAGE_CRASH;
}

static int by_time(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static void init_events(struct outage *outage)
{
    const struct outage_config *config = &outage->setup.fleet->outages;
    for (size_t i = 0; i < config->n_events; i++) {
        const struct outage_event *event = &config->events[i];
        struct edge begin = {.begins = true}, end = {.begins = false};
        assert(event->at_ns >= 0 && event->for_ns > 0);
        find_servers(outage, event, &begin.first, &begin.n);
        if (!find_times(outage->setup.fleet, event, outage->setup.side, &begin.at_ns, &end.at_ns) ||
            begin.n == 0)
            continue;
        end.first = begin.first;
        end.n = begin.n;
        outage->edges = mem_realloc(outage->edges, outage->n_edges + 2, sizeof *outage->edges);
        outage->edges[outage->n_edges++] = begin;
        outage->edges[outage->n_edges++] = end;
    }
    if (outage->n_edges == 0)
        return;
    qsort(outage->edges, outage->n_edges, sizeof *outage->edges, by_time);
    outage->n_open = mem_calloc(outage->n_servers, sizeof *outage->n_open);
}

static void take_edge(struct outage *outage)
{
    const struct edge *edge = &outage->edges[outage->next_edge++];
    for (uint32_t s = edge->first; s < edge->first + edge->n; s++) {
        outage->n_open[s] += edge->begins ? 1 : UINT32_MAX; // or one less
        outage->state[s] &= (uint8_t)~CAUSE_EVENT;
        outage->state[s] |= outage->n_open[s] > 0 ? CAUSE_EVENT : 0;
        touch(outage, s);
    }
}

// ---- schedules ----------------------------------------------------------------------------------

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

// How many of the shift's servers are on at t_ns. Since the order of switching stays, a server is
// powered when the largest n_on of the steps that t_ns lies in, each made longer by start-up and
// shutdown, holds it.
static uint32_t on_at(const struct shift *shift, int64_t t_ns)
{
    const struct on_schedule *on = shift->on;
    int64_t n_steps = (int64_t)on->n_steps;
    int64_t step = floor_div(t_ns - shift->shutdown_ns, on->step_ns);
    int64_t last = floor_div(t_ns + shift->startup_ns, on->step_ns);
    last = last - step < n_steps ? last : step + n_steps - 1;
    uint32_t most = 0;
    for (int64_t at = step - floor_div(step, n_steps) * n_steps; step <= last; step++) {
        most = on->n_on[at] > most ? on->n_on[at] : most;
        at = at + 1 < n_steps ? at + 1 : 0;
    }
    // Of the cell's servers of the group; then of those that are ours.
    uint32_t here = most > shift->turn ? (most - shift->turn - 1) / shift->n_cells + 1 : 0;
    here = here > shift->skipped ? here - shift->skipped : 0;
    return here < shift->n ? here : shift->n;
}

// The next time after t_ns at which on_at() may be another: a step begins or ends.
static int64_t step_after_ns(const struct shift *shift, int64_t t_ns)
{
    int64_t step_ns = shift->on->step_ns;
    int64_t begin_ns =
        (floor_div(t_ns + shift->startup_ns, step_ns) + 1) * step_ns - shift->startup_ns;
    int64_t end_ns =
        (floor_div(t_ns - shift->shutdown_ns, step_ns) + 1) * step_ns + shift->shutdown_ns;
    return begin_ns < end_ns ? begin_ns : end_ns;
}

// Servers [first, first + n) of the outage, all of one group.
static void add_shift(struct outage *outage, uint32_t group, uint32_t first, uint32_t n)
{
    const struct fleet_config *fleet = outage->setup.fleet;
    const struct on_schedule *on = &fleet->groups[group].on;
    bool early = outage->setup.side == OUTAGE_SERVERS;
    struct shift shift = {.on = on,
                          .startup_ns = early ? on->startup_ns : 0,
                          .shutdown_ns = early ? on->shutdown_ns : 0,
                          .turn = layout_turn(fleet, group, outage->cell),
                          .n_cells = fleet->n_cells,
                          .first = first,
                          .n = n,
                          .skipped = outage->first_in_cell + first - before_group(outage, group)};
    shift.n_on = shift.n_always = on_at(&shift, 0);
    shift.next_ns = step_after_ns(&shift, 0);
    int64_t cycle_ns = on->step_ns * (int64_t)on->n_steps;
    for (int64_t t_ns = 0; t_ns < cycle_ns; t_ns = step_after_ns(&shift, t_ns)) {
        uint32_t n_on = on_at(&shift, t_ns);
        shift.n_always = n_on < shift.n_always ? n_on : shift.n_always;
    }
    for (uint32_t s = first + shift.n_on; s < first + n; s++) {
        outage->state[s] |= CAUSE_SCHEDULE;
        touch(outage, s);
    }
    outage->shifts = mem_realloc(outage->shifts, outage->n_shifts + 1, sizeof *outage->shifts);
    outage->shifts[outage->n_shifts++] = shift;
}

// Parts of one group that follow each other share a shift.
static void init_schedules(struct outage *outage)
{
    const struct layout_part *parts = outage->setup.layout->parts + outage->setup.first_part;
    uint32_t first = 0;
    for (uint32_t p = 0; p < outage->setup.n_parts;) {
        uint32_t group = parts[p].group, n = 0;
        for (; p < outage->setup.n_parts && parts[p].group == group; p++)
            n += parts[p].n_servers;
        if (outage->setup.fleet->groups[group].on.n_steps > 0)
            add_shift(outage, group, first, n);
        first += n;
    }
}

static void take_step(struct outage *outage, struct shift *shift)
{
    uint32_t was_on = shift->n_on, now_on = on_at(shift, shift->next_ns);
    uint32_t from = was_on < now_on ? was_on : now_on, to = was_on < now_on ? now_on : was_on;
    for (uint32_t s = shift->first + from; s < shift->first + to; s++) {
        outage->state[s] ^= CAUSE_SCHEDULE;
        touch(outage, s);
    }
    shift->n_on = now_on;
    shift->next_ns = step_after_ns(shift, shift->next_ns);
}

// When a server that is on goes off.
static int64_t off_ns(const struct shift *shift, uint32_t server, int64_t end_ns)
{
    if (server - shift->first < shift->n_always)
        return SIMTIME_NEVER;
    int64_t t_ns = shift->next_ns;
    while (t_ns < end_ns && on_at(shift, t_ns) > server - shift->first)
        t_ns = step_after_ns(shift, t_ns);
    return t_ns;
}

// ---- all of them --------------------------------------------------------------------------------

static int64_t next_cause_ns(const struct outage *outage)
{
    int64_t next_ns = outage->n_heap > 0 ? outage->toggle_ns[outage->heap[0]] : SIMTIME_NEVER;
    if (outage->next_edge < outage->n_edges && outage->edges[outage->next_edge].at_ns < next_ns)
        next_ns = outage->edges[outage->next_edge].at_ns;
    for (uint32_t i = 0; i < outage->n_shifts; i++)
        next_ns = outage->shifts[i].next_ns < next_ns ? outage->shifts[i].next_ns : next_ns;
    return next_ns;
}

static void take_causes(struct outage *outage, int64_t t_ns)
{
    while (outage->n_heap > 0 && outage->toggle_ns[outage->heap[0]] == t_ns)
        toggle_first(outage);
    while (outage->next_edge < outage->n_edges && outage->edges[outage->next_edge].at_ns == t_ns)
        take_edge(outage);
    for (uint32_t i = 0; i < outage->n_shifts; i++)
        if (outage->shifts[i].next_ns == t_ns)
            take_step(outage, &outage->shifts[i]);
}

// What a change would say, as bits of the state.
static uint8_t to_say(const struct outage *outage, uint32_t server)
{
    uint8_t causes = outage->state[server] & CAUSES;
    bool off = outage->setup.side == OUTAGE_SERVERS && (causes & CAUSE_SCHEDULE);
    return (uint8_t)((causes ? SAID_DOWN : 0) | (off ? SAID_OFF : 0));
}

// The first server among those touched that has something to say.
static bool find_touched(struct outage *outage)
{
    for (; outage->lo <= outage->hi; outage->lo++) {
        uint64_t *word = &outage->touched[outage->lo];
        while (*word) {
            uint32_t server = outage->lo * 64 + (uint32_t)__builtin_ctzll(*word);
            *word &= *word - 1;
            if (to_say(outage, server) != (outage->state[server] & (SAID_DOWN | SAID_OFF))) {
                outage->found = server;
                return true;
            }
        }
    }
    outage->lo = UINT32_MAX;
    outage->hi = 0;
    return false;
}

static void seek(struct outage *outage)
{
    outage->is_found = false;
    for (int i = 0; i < SEEK_CAUSES; i++) {
        outage->is_found = find_touched(outage);
        if (outage->is_found)
            return;
        outage->now_ns = next_cause_ns(outage);
        if (outage->now_ns >= outage->end_ns) {
            outage->now_ns = SIMTIME_NEVER;
            return;
        }
        take_causes(outage, outage->now_ns);
    }
}

struct outage *outage_create(const struct outage_setup *setup)
{
    const struct layout_part *part = &setup->layout->parts[setup->first_part];
    struct outage *outage = mem_calloc(1, sizeof *outage);
    outage->setup = *setup;
    outage->cell = part->cell;
    outage->first_in_cell = part->first_in_cell;
    outage->first_in_fleet = part->first_in_fleet;
    outage->end_ns = setup->fleet->duration_ns;
    for (uint32_t p = 0; p < setup->n_parts; p++) {
        assert(part[p].cell == part->cell);
        outage->n_servers += part[p].n_servers;
    }
    outage->state = mem_calloc(outage->n_servers, sizeof *outage->state);
    outage->touched = mem_calloc(outage->n_servers / 64 + 1, sizeof *outage->touched);
    outage->lo = UINT32_MAX;
    if (setup->fleet->outages.mtbf_s > 0)
        init_crashes(outage);
    init_events(outage);
    init_schedules(outage);
    take_causes(outage, 0); // events that begin at once belong to what is so from the start
    seek(outage);
    return outage;
}

void outage_destroy(struct outage *outage)
{
    if (!outage)
        return;
    mem_free(outage->state);
    mem_free(outage->toggle_ns);
    mem_free(outage->n_drawn);
    mem_free(outage->heap);
    mem_free(outage->edges);
    mem_free(outage->n_open);
    mem_free(outage->shifts);
    mem_free(outage->touched);
    mem_free(outage);
}

int64_t outage_peek_ns(const struct outage *outage)
{
    return outage->now_ns;
}

bool outage_next(struct outage *outage, struct outage_change *change)
{
    uint32_t server = outage->found;
    if (!outage->is_found) {
        seek(outage);
        return false;
    }
    uint8_t says = to_say(outage, server);
    assert(outage->now_ns != SIMTIME_NEVER);
    outage->state[server] = (uint8_t)((outage->state[server] & CAUSES) | says);
    *change = (struct outage_change){.at_ns = outage->now_ns,
                                     .server = outage->first_in_cell + server,
                                     .up = !(says & SAID_DOWN),
                                     .powered = !(says & SAID_OFF)};
    seek(outage);
    return true;
}

// What the next change is about has already happened inside; of all that comes later, the causes
// say themselves when.
int64_t outage_down_ns(const struct outage *outage, uint32_t server)
{
    uint32_t s = server - outage->first_in_cell;
    if (outage->state[s] & CAUSES)
        return outage->now_ns;
    int64_t down_ns = outage->toggle_ns ? outage->toggle_ns[s] : SIMTIME_NEVER;
    for (size_t i = outage->next_edge; i < outage->n_edges; i++) {
        const struct edge *edge = &outage->edges[i];
        if (edge->at_ns >= down_ns)
            break;
        if (edge->begins && s - edge->first < edge->n) // one that is before `first` wraps round
            down_ns = edge->at_ns;
    }
    for (uint32_t i = 0; i < outage->n_shifts; i++) {
        const struct shift *shift = &outage->shifts[i];
        if (s - shift->first >= shift->n)
            continue;
        int64_t at_ns = off_ns(shift, s, outage->end_ns < down_ns ? outage->end_ns : down_ns);
        down_ns = at_ns < down_ns ? at_ns : down_ns;
    }
    return down_ns < outage->end_ns ? down_ns : SIMTIME_NEVER;
}

bool outage_cell_out(const struct fleet_config *fleet, uint32_t cell, int64_t at_ns,
                     int64_t *until_ns)
{
    bool out = false;
    *until_ns = SIMTIME_NEVER;
    if (!fleet->outages.failover)
        return false;
    for (size_t i = 0; i < fleet->outages.n_events; i++) {
        const struct outage_event *event = &fleet->outages.events[i];
        int64_t begin_ns, end_ns;
        find_times(fleet, event, OUTAGE_BALANCER, &begin_ns, &end_ns);
        if (!event->whole_cell || event->cell != cell || end_ns <= at_ns)
            continue;
        out |= begin_ns <= at_ns;
        int64_t edge_ns = begin_ns <= at_ns ? end_ns : begin_ns;
        *until_ns = edge_ns < *until_ns ? edge_ns : *until_ns;
    }
    return out;
}
