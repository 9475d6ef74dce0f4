// SPDX-License-Identifier: Apache-2.0
// The ways of the scheduler `queue` against a server with a list of events: at each moment at which
// something comes, becomes free or has waited long enough, whoever is idle takes what it may. The
// rules are those of the head of sched_queue.c, written down a second time.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/noise.h"
#include "cluster/outage.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "support/suite.h"

enum { SERVERS = 3, CORES = 4, MOST_UNITS = 8, MOST_QUERIES = 20000, MOST_CHANGES = 256, BINS = 5 };

// ---- the server with events ---------------------------------------------------------------------

// One service's rules, in the words of a study.
struct way {
    const char *policy;
    int64_t batch_items, batch_queries, max_delay_ns, accel_items, in_flight;
    bool split;
    const char *order; // NULL: fcfs
    bool per_stream;   // in_flight counts each stream's own batches
};

struct piece {
    const struct query *query;
    int64_t ready_ns, begin_ns, finish_ns, wait_ns;
    int64_t lost_ns; // SIMTIME_NEVER: it is not
    uint32_t left, n_requests, n_pieces, n_batch, first_unit, last_unit;
    bool done, accel, late;
    bool taken; // by the job that is being made up
};

// What a core or a stream did.
struct span {
    bool accel;
    uint32_t unit;
    int64_t taken_ns, begin_ns, end_ns;
    int64_t loaded_ns; // when the link is free again, where copies overlap computations
    int64_t until_ns;  // when the server goes down
};

struct device {
    int64_t core[CORES], slot[MOST_UNITS], stream[MOST_UNITS], link;
    uint32_t n_slots, n_streams;
    bool overlap;
    // in_flight per stream: when each stream last took a batch, and when its n_own last ones end,
    // the latest first.
    uint32_t n_own;
    int64_t took[MOST_UNITS], ends[MOST_UNITS][MOST_UNITS];
};

// Queries of one service: that wait, or that came.
struct crowd {
    int64_t n_queries, n_items;
    double requests_s; // of each alone on cores, with one core busy
};

struct reference {
    const struct fixture *fixture;
    const struct way *ways; // [service]
    uint32_t server;
    struct piece *pieces; // of one server, in order of arrival
    size_t n, n_come;     // in all, and here by now
    struct device device;
    struct span *spans; // owned
    size_t n_spans;
    int64_t change_ns[MOST_CHANGES]; // when it goes down and up, in turn
    size_t n_changes, n_changed;
    int64_t edge_ns[BINS];                             // of the bins
    uint32_t n_edges;                                  // behind which it is
    struct crowd waits[BINS][FIXTURE_SERVICES];        // at the end of a bin
    struct crowd came[BINS][FIXTURE_SERVICES];         // in it
    struct crowd lost[MOST_CHANGES][FIXTURE_SERVICES]; // while they waited
    uint32_t lost_bin[MOST_CHANGES], n_lost;
    // Where requests of one query each run on cores alone, in turn: exactly.
    bool plain;
    int64_t plain_backlog_ns[BINS], plain_drain_ns[BINS];
};

static bool is_batch(const struct way *way)
{
    return strcmp(way->policy, "batch") == 0;
}

static bool has_order(const struct way *way, const char *order)
{
    return way->order && strcmp(way->order, order) == 0;
}

// On cores, with one core busy.
static double requests_s(const struct reference *reference, const struct query *query)
{
    const struct way *way = &reference->ways[query->service];
    const struct cost *cost = reference->fixture->costs[query->service];
    double work_s = 0;
    for (int64_t left = query->size_items; left > 0; left -= way->batch_items)
        work_s += cost_bare_s(cost, COST_CPU,
                              (uint32_t)(left < way->batch_items ? left : way->batch_items), 1);
    return work_s;
}

static double slack_s(const struct reference *reference, const struct piece *piece)
{
    double work_s = requests_s(reference, piece->query);
    return 1e-9 * (double)piece->query->arrive_ns - work_s; // targets are the same for all
}

// Does a go before b, which came earlier and is of the same service?
static bool goes_before(const struct reference *reference, const struct piece *a,
                        const struct piece *b)
{
    const struct way *way = &reference->ways[a->query->service];
    if (has_order(way, "shortest"))
        return a->query->size_items < b->query->size_items;
    if (has_order(way, "least-slack"))
        return slack_s(reference, a) < slack_s(reference, b) - 1e-10;
    return b->late && !a->late;
}

// The next of a service that is not taken yet; NULL: there is none.
static struct piece *next_of(const struct reference *reference, int service)
{
    struct piece *next = NULL;
    for (size_t i = 0; i < reference->n_come; i++) {
        struct piece *piece = &reference->pieces[i];
        bool is_taken = piece->done || piece->taken || (int)piece->query->service != service;
        if (!is_taken && (!next || goes_before(reference, piece, next)))
            next = piece;
    }
    return next;
}

static int64_t most(int64_t n)
{
    return n > 0 ? n : INT64_MAX;
}

static bool is_up(const struct reference *reference)
{
    return reference->n_changed % 2 == 0;
}

static int64_t changes_ns(const struct reference *reference)
{
    return reference->n_changed < reference->n_changes ? reference->change_ns[reference->n_changed]
                                                       : SIMTIME_NEVER;
}

// From when on a service's queue may be taken from; SIMTIME_NEVER: it is empty.
static int64_t due_ns(const struct reference *reference, uint32_t service, int64_t most_items)
{
    const struct way *way = &reference->ways[service];
    int64_t oldest_ns = SIMTIME_NEVER, n_items = 0, n_queries = 0;
    if (way->order) { // with no delay
        const struct piece *first = next_of(reference, (int)service);
        return first ? first->ready_ns : SIMTIME_NEVER;
    }
    for (size_t i = 0; i < reference->n_come; i++) {
        const struct piece *piece = &reference->pieces[i];
        if (piece->done || piece->query->service != service)
            continue;
        oldest_ns = oldest_ns == SIMTIME_NEVER ? piece->ready_ns : oldest_ns;
        n_items += piece->left;
        n_queries++;
        bool full = n_items >= most_items || n_queries >= most(way->batch_queries);
        if (full && piece->ready_ns < oldest_ns + way->max_delay_ns)
            return piece->ready_ns;
    }
    return oldest_ns == SIMTIME_NEVER ? SIMTIME_NEVER : oldest_ns + way->max_delay_ns;
}

// The one that has been free for longest; -1: none is by now.
static int free_at(const int64_t *free_ns, int n, int64_t now_ns)
{
    int first = 0;
    for (int i = 1; i < n; i++)
        if (free_ns[i] < free_ns[first])
            first = i;
    return free_ns[first] <= now_ns ? first : -1;
}

// Since when a stream with batches of its own has waited for one: it has looked for the next since
// it took the last, and has room when it holds fewer than n_own.
static int64_t waits_since(const struct device *device, uint32_t stream)
{
    int64_t room_ns = device->ends[stream][device->n_own - 1];
    return room_ns > device->took[stream] ? room_ns : device->took[stream];
}

// The slot, or the stream where each has its own, that takes the next batch; -1: none can.
static int taker_at(const struct device *device, int64_t now_ns)
{
    int64_t since_ns[MOST_UNITS] = {0};
    if (device->n_own == 0)
        return free_at(device->slot, (int)device->n_slots, now_ns);
    for (uint32_t i = 0; i < device->n_streams; i++)
        since_ns[i] = waits_since(device, i);
    return free_at(since_ns, (int)device->n_streams, now_ns);
}

static void hold(struct device *device, int taker, int64_t now_ns, int64_t end_ns)
{
    if (device->n_own == 0) {
        device->slot[taker] = end_ns;
        return;
    }
    int64_t *ends = device->ends[taker];
    memmove(ends + 1, ends, (device->n_own - 1) * sizeof *ends);
    ends[0] = end_ns;
    device->took[taker] = now_ns;
}

// The idle core of the lowest number.
static int idle_core(const struct device *device, int64_t now_ns)
{
    for (int i = 0; i < CORES; i++)
        if (device->core[i] <= now_ns)
            return i;
    return -1;
}

// The service that a place takes from now; -1: none is due.
static int choose(const struct reference *reference, bool accel, int64_t now_ns)
{
    int best = -1;
    int64_t best_ns = SIMTIME_NEVER;
    for (uint32_t s = 0; s < reference->fixture->config.n_services; s++) {
        const struct way *way = &reference->ways[s];
        bool used = accel ? way->accel_items > 0 : !is_batch(way) || way->accel_items == 0;
        int64_t ns = used ? due_ns(reference, s, accel ? way->accel_items : way->batch_items)
                          : SIMTIME_NEVER;
        if (ns <= now_ns && ns < best_ns) {
            best = (int)s;
            best_ns = ns;
        }
    }
    return best;
}

// What a request or a batch is made of.
struct taken {
    struct piece *v[MOST_QUERIES];
    uint32_t items[MOST_QUERIES]; // of each
    uint32_t n, n_items;
};

static void take(struct reference *reference, int service, bool accel, struct taken *taken)
{
    const struct way *way = &reference->ways[service];
    bool merges = accel || strcmp(way->policy, "pull") != 0;
    bool cuts = is_batch(way) ? way->split : !accel;
    int64_t room = accel ? way->accel_items : way->batch_items;
    taken->n = taken->n_items = 0;
    for (struct piece *piece; (piece = next_of(reference, service));) {
        if ((!merges && taken->n == 1) || taken->n_items >= room ||
            taken->n == most(way->batch_queries))
            break;
        if (taken->n_items + piece->left > room && !cuts && taken->n > 0)
            break;
        uint32_t items = piece->left;
        if (taken->n_items + items > room && cuts)
            items = (uint32_t)(room - taken->n_items);
        taken->n_items += items;
        piece->left -= items;
        piece->taken = true;
        taken->items[taken->n] = items;
        taken->v[taken->n++] = piece;
    }
    for (uint32_t i = 0; i < taken->n; i++) {
        taken->v[i]->taken = false;
        taken->v[i]->done = taken->v[i]->left == 0;
    }
}

// How many times longer the server takes for everything.
static double pace(const struct reference *reference)
{
    const struct fixture *fixture = reference->fixture;
    uint8_t is_slow[SERVERS];
    slow_mark(&fixture->config, 0, 0, is_slow);
    return is_slow[reference->server] ? fixture->groups[0].slow.factor : 1;
}

static int64_t paced_ns(const struct reference *reference, double s)
{
    return (int64_t)floor((double)simtime_from_s(s) * pace(reference) + 0.5);
}

// What the histories of all queries in it add.
static int64_t histories_ns(const struct reference *reference, const struct taken *taken,
                            enum cost_place place, uint32_t busy)
{
    const struct fixture *fixture = reference->fixture;
    uint32_t service = taken->v[0]->query->service;
    int64_t sum_ns = 0;
    if (!fixture->services[service].traffic.has_history)
        return 0;
    const struct cost_history of = cost_history(fixture->costs[service], place, busy);
    for (uint32_t i = 0; i < taken->n; i++) {
        long double h = taken->v[i]->query->history_items;
        sum_ns += llroundl(
            1e9L * pace(reference) *
            (of.item_s * h + of.square_s * h * h + of.item_history_s * h * taken->items[i]));
    }
    return sum_ns;
}

// Noise goes with the oldest query.
static int64_t spread_ns(const struct reference *reference, const struct piece *oldest, int64_t ns)
{
    struct noise noise;
    noise_init(&noise, &reference->fixture->groups[0].noise, reference->fixture->config.seed, 0);
    double state = noise_state(&noise, reference->server, oldest->ready_ns);
    return noise_apply(&noise, ns, state, oldest->query->seq, oldest->n_requests);
}

// In: how long loading and computing takes; out: the rest.
struct job {
    int64_t load_ns, compute_ns;
    int64_t load_begin_ns, begin_ns, end_ns;
    uint32_t unit;
};

static void run_core(struct reference *reference, const struct taken *taken, int64_t now_ns,
                     struct job *job)
{
    int64_t *cores = reference->device.core;
    const struct cost *cost = reference->fixture->costs[taken->v[0]->query->service];
    uint32_t busy = 1;
    for (int i = 0; i < CORES; i++)
        busy += cores[i] > now_ns;
    int64_t ns = paced_ns(reference, cost_bare_s(cost, COST_CPU, taken->n_items, busy)) +
                 histories_ns(reference, taken, COST_CPU, busy);
    job->compute_ns = spread_ns(reference, taken->v[0], ns);
    job->unit = (uint32_t)idle_core(&reference->device, now_ns);
    job->load_begin_ns = job->begin_ns = now_ns;
    cores[job->unit] = job->end_ns = now_ns + job->compute_ns;
}

static void run_accel(struct reference *reference, const struct taken *taken, int64_t now_ns,
                      struct job *job)
{
    struct device *device = &reference->device;
    const struct cost *cost = reference->fixture->costs[taken->v[0]->query->service];
    int64_t load_ns = paced_ns(reference, cost_bare_s(cost, COST_LOAD, taken->n_items, 1)) +
                      histories_ns(reference, taken, COST_LOAD, 1);
    int64_t compute_ns = paced_ns(reference, cost_bare_s(cost, COST_ACCEL, taken->n_items, 1)) +
                         histories_ns(reference, taken, COST_ACCEL, 1);
    job->load_ns = load_ns;
    job->compute_ns = spread_ns(reference, taken->v[0], compute_ns);
    int taker = taker_at(device, now_ns);
    job->unit = device->n_own > 0
                    ? (uint32_t)taker
                    : (uint32_t)free_at(device->stream, (int)device->n_streams, SIMTIME_NEVER);
    int64_t free_ns = device->stream[job->unit], held_ns = job->load_ns + job->compute_ns;
    job->load_begin_ns = free_ns > now_ns ? free_ns : now_ns;
    job->begin_ns = job->load_begin_ns;
    if (device->overlap) {
        job->load_begin_ns = device->link > now_ns ? device->link : now_ns;
        device->link = job->load_begin_ns + load_ns;
        job->begin_ns = free_ns > device->link ? free_ns : device->link;
        held_ns = job->compute_ns;
    }
    device->stream[job->unit] = job->end_ns = job->begin_ns + held_ns;
    hold(device, taker, now_ns, job->end_ns);
}

// What a query remembers of a job that it has a piece in.
static void note(struct piece *piece, const struct job *job, bool accel, uint32_t n_batch)
{
    if (piece->n_pieces++ == 0) {
        piece->begin_ns = job->load_begin_ns;
        piece->first_unit = job->unit;
    }
    piece->accel = accel;
    if (job->end_ns <= piece->finish_ns)
        return;
    piece->finish_ns = job->end_ns;
    piece->wait_ns = job->end_ns - job->load_ns - job->compute_ns - piece->ready_ns;
    piece->last_unit = job->unit;
    piece->n_batch = n_batch;
}

// Their target has passed, and something of their service begins.
static void mark_late(struct reference *reference, int service, int64_t now_ns)
{
    int64_t sla_ns = reference->fixture->config.services[service].sla_ns;
    if (!has_order(&reference->ways[service], "late-last"))
        return;
    for (size_t i = 0; i < reference->n_come; i++) {
        struct piece *piece = &reference->pieces[i];
        if (piece->query->service == service)
            piece->late = piece->query->arrive_ns + sla_ns < now_ns;
    }
}

static void start(struct reference *reference, int service, bool accel, int64_t now_ns)
{
    static struct taken taken;
    struct job job = {0};
    mark_late(reference, service, now_ns);
    take(reference, service, accel, &taken);
    (accel ? run_accel : run_core)(reference, &taken, now_ns, &job);
    taken.v[0]->n_requests++;
    for (uint32_t i = 0; i < taken.n; i++) {
        note(taken.v[i], &job, accel, taken.n);
        if (taken.v[i]->done && taken.v[i]->finish_ns > changes_ns(reference))
            taken.v[i]->lost_ns = changes_ns(reference);
    }
    if ((reference->n_spans & (reference->n_spans - 1)) == 0) // a power of two, or none
        reference->spans =
            mem_realloc(reference->spans, 2 * reference->n_spans + 1, sizeof *reference->spans);
    reference->spans[reference->n_spans++] = (struct span){accel,
                                                           job.unit,
                                                           now_ns,
                                                           job.begin_ns,
                                                           job.end_ns,
                                                           accel ? reference->device.link : 0,
                                                           changes_ns(reference)};
}

// True when something began at now_ns.
static bool start_one(struct reference *reference, int64_t now_ns)
{
    struct device *device = &reference->device;
    for (int accel = 0; accel < 2 && is_up(reference); accel++) {
        int unit = accel ? taker_at(device, now_ns) : idle_core(device, now_ns);
        int service = unit < 0 || (accel && device->n_streams == 0)
                          ? -1
                          : choose(reference, accel == 1, now_ns);
        if (service < 0)
            continue;
        start(reference, service, accel == 1, now_ns);
        return true;
    }
    return false;
}

static int64_t sooner_after(int64_t least_ns, int64_t ns, int64_t now_ns)
{
    return ns > now_ns && ns < least_ns ? ns : least_ns;
}

// The next moment at which anything can change.
static int64_t next_event(const struct reference *reference, int64_t now_ns)
{
    const struct device *device = &reference->device;
    int64_t next_ns = changes_ns(reference);
    if (reference->n_come < reference->n)
        next_ns = sooner_after(next_ns, reference->pieces[reference->n_come].ready_ns, now_ns);
    for (int i = 0; i < CORES; i++)
        next_ns = sooner_after(next_ns, device->core[i], now_ns);
    for (uint32_t i = 0; i < device->n_slots; i++)
        next_ns = sooner_after(next_ns, device->slot[i], now_ns);
    for (uint32_t i = 0; device->n_own > 0 && i < device->n_streams; i++)
        next_ns = sooner_after(next_ns, waits_since(device, i), now_ns);
    for (size_t i = 0; i < reference->n_come; i++) {
        const struct piece *piece = &reference->pieces[i];
        if (!piece->done)
            next_ns = sooner_after(
                next_ns, piece->ready_ns + reference->ways[piece->query->service].max_delay_ns,
                now_ns);
    }
    return next_ns;
}

static void stop(int64_t *free_ns, size_t n, int64_t now_ns)
{
    for (size_t i = 0; i < n; i++)
        free_ns[i] = free_ns[i] > now_ns ? now_ns : free_ns[i];
}

static void lose(struct piece *piece, int64_t now_ns)
{
    piece->lost_ns = now_ns;
    piece->done = true;
}

static void count_waiting(const struct reference *reference, struct crowd *crowds)
{
    for (size_t i = 0; i < reference->n_come; i++) {
        const struct piece *piece = &reference->pieces[i];
        crowds[piece->query->service].n_queries += !piece->done;
        crowds[piece->query->service].n_items += piece->done ? 0 : piece->left;
    }
}

// The server goes down or up. What waits is lost, and nothing runs any more.
static void change(struct reference *reference, int64_t now_ns)
{
    struct device *device = &reference->device;
    reference->n_changed++;
    if (is_up(reference))
        return;
    reference->lost_bin[reference->n_lost] = reference->n_edges;
    count_waiting(reference, reference->lost[reference->n_lost++]);
    for (size_t i = 0; i < reference->n_come; i++)
        if (!reference->pieces[i].done)
            lose(&reference->pieces[i], now_ns);
    stop(device->core, CORES, now_ns);
    stop(device->slot, MOST_UNITS, now_ns);
    stop(device->stream, MOST_UNITS, now_ns);
    stop(device->ends[0], (size_t)MOST_UNITS * MOST_UNITS, now_ns);
    stop(&device->link, 1, now_ns);
}

// What runs and what waits, as if the server stayed up: its next request runs on the core that is
// free first.
static void run_out(const struct reference *reference, int64_t edge_ns, int64_t *backlog_ns,
                    int64_t *drain_ns)
{
    int64_t free_ns[CORES], first_ns = SIMTIME_NEVER;
    memcpy(free_ns, reference->device.core, sizeof free_ns);
    for (int c = 0; c < CORES; c++)
        *backlog_ns += free_ns[c] > edge_ns ? free_ns[c] - edge_ns : 0;
    for (size_t i = 0; i < reference->n_come; i++) {
        struct piece piece = reference->pieces[i];
        const struct way *way = &reference->ways[piece.query->service];
        for (int64_t left = piece.done ? 0 : piece.left; left > 0; left -= way->batch_items) {
            uint32_t items = (uint32_t)(left < way->batch_items ? left : way->batch_items);
            uint32_t first = 0, busy = 1;
            for (uint32_t c = 1; c < CORES; c++)
                first = free_ns[c] < free_ns[first] ? c : first;
            for (uint32_t c = 0; c < CORES; c++)
                busy += free_ns[c] > free_ns[first];
            const struct cost *cost = reference->fixture->costs[piece.query->service];
            int64_t ns = spread_ns(reference, &piece,
                                   paced_ns(reference, cost_bare_s(cost, COST_CPU, items, busy)));
            free_ns[first] += ns;
            *backlog_ns += ns;
            piece.n_requests++;
        }
    }
    for (int c = 0; c < CORES; c++)
        first_ns = free_ns[c] < first_ns ? free_ns[c] : first_ns;
    *drain_ns = first_ns > edge_ns ? first_ns - edge_ns : 0;
}

// Bins that end at now_ns or before.
static void pass_edges(struct reference *reference, int64_t now_ns)
{
    for (; reference->n_edges < BINS && reference->edge_ns[reference->n_edges] <= now_ns;
         reference->n_edges++) {
        uint32_t bin = reference->n_edges;
        count_waiting(reference, reference->waits[bin]);
        if (reference->plain)
            run_out(reference, reference->edge_ns[bin], &reference->plain_backlog_ns[bin],
                    &reference->plain_drain_ns[bin]);
    }
}

// What comes behind the last bin is in none.
static void count_come(struct reference *reference, const struct query *query)
{
    if (reference->n_edges == BINS)
        return;
    struct crowd *came = &reference->came[reference->n_edges][query->service];
    came->n_queries++;
    came->n_items += query->size_items;
    came->requests_s += requests_s(reference, query);
}

static void simulate(struct reference *reference)
{
    for (int64_t now_ns = -1;;) {
        now_ns = next_event(reference, now_ns);
        pass_edges(reference, now_ns);
        if (now_ns == SIMTIME_NEVER)
            return;
        while (changes_ns(reference) == now_ns)
            change(reference, now_ns);
        for (; reference->n_come < reference->n &&
               reference->pieces[reference->n_come].ready_ns == now_ns;
             reference->n_come++)
            if (is_up(reference))
                count_come(reference, reference->pieces[reference->n_come].query);
            else
                lose(&reference->pieces[reference->n_come], now_ns);
        while (start_one(reference, now_ns))
            ;
        // Looking at all that ever came would be slow: what is done at the front is passed over.
        while (reference->n_come > 0 && reference->pieces[0].done) {
            reference->pieces++;
            reference->n_come--;
            reference->n--;
        }
    }
}

// ---- the scheduler ------------------------------------------------------------------------------

struct setting {
    struct fixture fixture;
    struct way ways[FIXTURE_SERVICES];
    struct query *queries;
    size_t n_queries;
};

static void set_way(struct setting *setting, uint32_t service, const struct way *way)
{
    struct settings *settings = &setting->fixture.settings[service];
    char text[200];
    struct err err;
    snprintf(text, sizeof text,
             "policy: %s, batch_items: %lld, batch_queries: %lld, max_delay: %lldns, split: %s, "
             "accel_items: %lld, in_flight: %lld, in_flight_per: %s, order: %s",
             way->policy, (long long)way->batch_items, (long long)way->batch_queries,
             (long long)way->max_delay_ns, way->split ? "true" : "false",
             (long long)way->accel_items, (long long)way->in_flight,
             way->per_stream ? "stream" : "server", way->order ? way->order : "fcfs");
    ck_assert_msg(settings_parse(settings, text, &err) == 0, "%s", err.text);
    setting->ways[service] = *way;
}

// As fixture_init() makes it, with a load that is half as high again where the accelerator helps.
static struct setting *make(const struct way *ways, uint32_t n_services, int64_t streams,
                            bool overlap)
{
    struct setting *setting = mem_calloc(1, sizeof *setting);
    struct fixture *fixture = &setting->fixture;
    fixture_init(fixture, n_services, 1);
    fixture->config.duration_ns = 30 * SIMTIME_MS;
    fixture->config.sample_frac = 1;
    if (streams > 0)
        fixture_attach(fixture, 0, streams, overlap, 1);
    fixture_set_scheduler(fixture, 0, "queue", "policy: pull");
    for (uint32_t i = 0; i < n_services; i++)
        set_way(setting, i, &ways[i]);
    fixture->groups[0].n_servers = SERVERS;
    return setting;
}

// Tables, and queries dealt to the servers at random.
static void ready(struct setting *setting)
{
    struct fixture *fixture = &setting->fixture;
    fixture_ready(fixture);
    setting->queries = fixture_queries(fixture, 0, &setting->n_queries);
    ck_assert_uint_lt(setting->n_queries, MOST_QUERIES);
    for (size_t i = 0; i < setting->n_queries; i++)
        setting->queries[i].server = fixture_draw(8, i, SERVERS);
}

static const struct layout_part parts[] = {{.n_servers = SERVERS}};
static const struct layout layout = {
    .n_cells = 1, .n_parts = 1, .parts = (struct layout_part *)(uintptr_t)parts};

static void find_changes(struct reference *reference)
{
    struct outage_setup setup = {&reference->fixture->config, &layout, 0, 1, OUTAGE_SERVERS};
    struct outage *outage = outage_create(&setup);
    bool up = true;
    while (outage_peek_ns(outage) != SIMTIME_NEVER) {
        struct outage_change change;
        if (!outage_next(outage, &change) || change.server != reference->server || change.up == up)
            continue;
        ck_assert_uint_lt(reference->n_changes, MOST_CHANGES);
        up = change.up;
        reference->change_ns[reference->n_changes++] = change.at_ns;
    }
    outage_destroy(outage);
}

// What is to come of it all.
struct expected {
    struct piece *pieces;          // [n_queries] in the order of the queries
    struct reference *servers;     // [SERVERS] with what each did
    struct piece *by_server;       // of all servers, one after the other
    struct group_tally bins[BINS]; // busy_ns, backlog_ns, drain_max_ns
};

static void init_device(struct device *device, const struct accelerator *accel,
                        const struct way *ways)
{
    bool per_stream = false;
    device->n_streams = (uint32_t)accel->streams;
    device->overlap = accel->overlap;
    for (int w = 0; w < FIXTURE_SERVICES; w++)
        per_stream = per_stream || (ways[w].accel_items > 0 && ways[w].per_stream);
    uint32_t in_flight = (per_stream ? 1 : device->n_streams) + accel->overlap;
    for (int w = 0; w < FIXTURE_SERVICES; w++)
        if (ways[w].accel_items > 0 && ways[w].in_flight > 0)
            in_flight = (uint32_t)ways[w].in_flight;
    *(per_stream ? &device->n_own : &device->n_slots) = in_flight;
}

static void init_server(struct reference *reference, const struct setting *setting, uint32_t server)
{
    const struct fixture *fixture = &setting->fixture;
    const struct accelerator *accel = &fixture->platforms[0].accelerator;
    *reference = (struct reference){.fixture = fixture, .ways = setting->ways, .server = server};
    if (fixture->platforms[0].has_accelerator)
        init_device(&reference->device, accel, setting->ways);
    reference->plain = true;
    for (uint32_t i = 0; i < fixture->config.n_services; i++) {
        const struct way *way = &setting->ways[i];
        reference->plain = reference->plain && strcmp(way->policy, "pull") == 0 &&
                           way->accel_items == 0 && (!way->order || has_order(way, "fcfs")) &&
                           !fixture->services[i].traffic.has_history;
    }
    find_changes(reference);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Items of a full request: of whole queries the one that does not fit leaves half of itself free.
static double full_items(const struct way *way, bool accel, const struct crowd *crowd)
{
    double mean = floor((double)crowd->n_items / (double)crowd->n_queries + 0.5);
    bool alone = !accel && strcmp(way->policy, "pull") == 0;
    bool whole = is_batch(way) ? !way->split : accel;
    double items = (double)(accel ? way->accel_items : way->batch_items);
    double n_queries = alone ? 1 : way->batch_queries > 0 ? (double)way->batch_queries : 1e9;
    if (whole && mean < items)
        items = fmax(items - floor(mean / 2), mean);
    return fmax(fmin(items, fmax(mean * n_queries, 1)), 1);
}

// Work of a crowd in full requests, if cores or the accelerator did all of it.
static double alone_ns(const struct reference *reference, int service, bool accel,
                       const struct crowd *crowd)
{
    const struct way *way = &reference->ways[service];
    const struct cost *cost = reference->fixture->costs[service];
    const struct device *device = &reference->device;
    if (crowd->n_queries == 0 || (accel ? way->accel_items == 0 || device->n_streams == 0
                                        : is_batch(way) && way->accel_items > 0))
        return 0;
    uint32_t items = (uint32_t)full_items(way, accel, crowd);
    if (accel) {
        double load_ns = (double)paced_ns(reference, cost_bare_s(cost, COST_LOAD, items, 1));
        double compute_ns = (double)paced_ns(reference, cost_bare_s(cost, COST_ACCEL, items, 1));
        double held_ns =
            device->overlap ? fmax(compute_ns, load_ns * device->n_streams) : load_ns + compute_ns;
        return held_ns * (double)crowd->n_items / items;
    }
    double full_ns = (double)paced_ns(reference, cost_bare_s(cost, COST_CPU, items, CORES));
    if (strcmp(way->policy, "pull") != 0 || crowd->requests_s == 0)
        return full_ns * (double)crowd->n_items / items;
    return crowd->requests_s * full_ns / cost_bare_s(cost, COST_CPU, items, 1);
}

// Likewise, but both at once, so that they end together.
static double shared_ns(const struct reference *reference, int service, bool accel,
                        const struct crowd *crowd)
{
    double core_ns = alone_ns(reference, service, false, crowd);
    double accel_ns = alone_ns(reference, service, true, crowd);
    if (core_ns == 0 || accel_ns == 0)
        return accel ? accel_ns : core_ns;
    double cores = CORES / core_ns, streams = reference->device.n_streams / accel_ns;
    return (accel ? reference->device.n_streams : CORES) / (cores + streams);
}

// The server's crowds of a bin: what waits at its end, and what came less what was lost waiting.
static void add_crowds(const struct reference *reference, bool accel, uint32_t bin,
                       double *waits_ns, double *came_ns)
{
    for (int i = 0; i < FIXTURE_SERVICES; i++) {
        *waits_ns += shared_ns(reference, i, accel, &reference->waits[bin][i]);
        *came_ns += shared_ns(reference, i, accel, &reference->came[bin][i]);
        for (uint32_t k = 0; k < reference->n_lost; k++)
            if (reference->lost_bin[k] == bin)
                *came_ns -= shared_ns(reference, i, accel, &reference->lost[k][i]);
    }
}

// What a server's cores or streams do in a bin, and have to do after it.
static void add_bin(const struct reference *reference, bool accel, int64_t from_ns, int64_t to_ns,
                    uint32_t number, struct group_tally *bin)
{
    double waits_ns = 0, came_ns = 0;
    enum record_part part = accel ? PART_ACCEL : PART_CPU;
    uint32_t n_units = accel ? reference->device.n_streams : CORES;
    int64_t free_ns[MOST_UNITS] = {0}, loaded_ns = 0, drain_ns = INT64_MAX;
    for (size_t i = 0; i < reference->n_spans; i++) {
        const struct span *span = &reference->spans[i];
        int64_t end_ns = smaller(span->end_ns, span->until_ns);
        if (span->accel != accel)
            continue;
        bin->busy_ns[part] += fixture_overlap_ns(span->begin_ns, end_ns, from_ns, to_ns);
        if (span->taken_ns >= to_ns || span->until_ns < to_ns || (reference->plain && !accel))
            continue;
        bin->backlog_ns[part] += fixture_overlap_ns(span->begin_ns, span->end_ns, to_ns, INT64_MAX);
        free_ns[span->unit] = span->end_ns;
        loaded_ns = span->loaded_ns;
    }
    for (uint32_t u = 0; u < n_units; u++)
        drain_ns = smaller(drain_ns, larger(larger(free_ns[u], loaded_ns) - to_ns, 0));
    if (n_units == 0)
        return;
    if (reference->plain && !accel) {
        bin->backlog_ns[part] += reference->plain_backlog_ns[number];
        bin->drain_max_ns[part] =
            larger(bin->drain_max_ns[part], reference->plain_drain_ns[number]);
        return;
    }
    add_crowds(reference, accel, number, &waits_ns, &came_ns);
    bin->backlog_ns[part] += llround(waits_ns);
    bin->work_ns[part] += llround(came_ns);
    bin->drain_max_ns[part] =
        larger(bin->drain_max_ns[part], drain_ns + llround(waits_ns / n_units));
}

static struct expected *expect(const struct setting *setting, const struct record_shape *shape)
{
    const struct fixture *fixture = &setting->fixture;
    struct expected *expected = mem_calloc(1, sizeof *expected);
    struct piece *at = expected->by_server = mem_calloc(setting->n_queries, sizeof *at);
    expected->pieces = mem_calloc(setting->n_queries, sizeof *expected->pieces);
    expected->servers = mem_calloc(SERVERS, sizeof *expected->servers);
    for (uint32_t s = 0; s < SERVERS; s++) {
        struct reference *server = &expected->servers[s];
        init_server(server, setting, s);
        server->pieces = at;
        for (size_t i = 0; i < setting->n_queries; i++)
            if (setting->queries[i].server == s)
                at[server->n++] =
                    (struct piece){.query = &setting->queries[i],
                                   .ready_ns = setting->queries[i].arrive_ns +
                                               fixture->config.balancer.dispatch_delay_ns,
                                   .lost_ns = SIMTIME_NEVER,
                                   .left = setting->queries[i].size_items};
        at += server->n;
        for (uint32_t bin = 0; bin < BINS; bin++)
            server->edge_ns[bin] = record_bin_start_ns(shape, bin + 1);
        simulate(server);
        for (uint32_t bin = 0; bin < BINS; bin++)
            for (int accel = 0; accel < 2; accel++)
                add_bin(server, accel == 1, record_bin_start_ns(shape, bin),
                        record_bin_start_ns(shape, bin + 1), bin, &expected->bins[bin]);
    }
    for (size_t i = 0; i < setting->n_queries; i++)
        expected->pieces[expected->by_server[i].query - setting->queries] = expected->by_server[i];
    return expected;
}

static void destroy_expected(struct expected *expected)
{
    for (uint32_t s = 0; s < SERVERS; s++)
        mem_free(expected->servers[s].spans);
    mem_free(expected->pieces);
    mem_free(expected->servers);
    mem_free(expected->by_server);
    mem_free(expected);
}

// The block is brought up to date at odd moments, too: that is to change nothing.
static struct record *run_block(const struct setting *setting, struct completions *reports,
                                uint64_t stream)
{
    struct record *record = fixture_record(&setting->fixture, BINS, 7 * SIMTIME_MS);
    struct server_block_config config = {.fleet = &setting->fixture.config,
                                         .n_servers = SERVERS,
                                         .layout = &layout,
                                         .tabs =
                                             (const struct svctab *const *)setting->fixture.tabs,
                                         .slow_tabs = fixture_slow_tabs(&setting->fixture, 0),
                                         .wants_completions = true,
                                         .kernel = cpu_kernel_best(),
                                         .record = record};
    struct server_block *block = server_block_create(&config);
    for (size_t i = 0; i < setting->n_queries;) {
        size_t n = 1 + fixture_draw(stream, i, 40);
        n = n < setting->n_queries - i ? n : setting->n_queries - i;
        server_block_run(block, setting->queries + i, n, reports);
        i += n;
        if (i < setting->n_queries && fixture_draw(stream, i, 3) == 0)
            server_block_settle(block, setting->queries[i].arrive_ns,
                                fixture_draw(stream, i, 2) ? reports : NULL);
    }
    server_block_settle(block, setting->fixture.config.duration_ns + 400 * SIMTIME_MS, reports);
    server_block_finish(block);
    server_block_destroy(block);
    return record;
}

static int by_end(const void *a, const void *b)
{
    const struct completion *x = a, *y = b;
    if (x->server != y->server)
        return x->server < y->server ? -1 : 1;
    return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

static int by_seq(const void *a, const void *b)
{
    const struct loss *x = a, *y = b;
    return x->query.seq < y->query.seq ? -1 : x->query.seq > y->query.seq;
}

// Each query is told of when it ends or is lost.
static void assert_told(const struct setting *setting, const struct expected *expected,
                        struct completions *told)
{
    struct completion *ends = mem_calloc(setting->n_queries, sizeof *ends);
    for (size_t i = 0; i < setting->n_queries; i++) {
        const struct piece *piece = &expected->pieces[i];
        ends[i].server = piece->query->server;
        ends[i].end_ns = piece->lost_ns < SIMTIME_NEVER ? piece->lost_ns : piece->finish_ns;
    }
    ck_assert_uint_eq(told->n, setting->n_queries);
    qsort(told->v, told->n, sizeof *told->v, by_end);
    qsort(ends, setting->n_queries, sizeof *ends, by_end);
    for (size_t i = 0; i < told->n; i++) {
        ck_assert_uint_eq(told->v[i].server, ends[i].server);
        ck_assert_int_eq(told->v[i].end_ns, ends[i].end_ns);
    }
    mem_free(ends);
}

static void assert_sample(const struct query_sample *sample, const struct piece *piece,
                          const struct fixture *fixture)
{
    int64_t out_ns = fixture->config.balancer.dispatch_delay_ns;
    ck_assert_uint_eq(sample->seq, piece->query->seq);
    ck_assert_int_eq(sample->latency_ns, piece->finish_ns - piece->ready_ns + out_ns);
    ck_assert_int_eq(sample->wait_ns, piece->wait_ns);
    ck_assert_int_eq(sample->service_ns, piece->finish_ns - piece->ready_ns - piece->wait_ns);
    ck_assert_uint_eq(sample->path, piece->accel ? PATH_ACCEL : PATH_CPU);
    ck_assert_int_eq(sample->begin_ns, piece->begin_ns);
    ck_assert_int_eq(sample->end_ns, piece->finish_ns);
    ck_assert_uint_eq(sample->n_requests, piece->n_requests);
    ck_assert_uint_eq(sample->first_unit, piece->first_unit);
    ck_assert_uint_eq(sample->last_unit, piece->last_unit);
    ck_assert_uint_eq(sample->n_batch, piece->n_batch);
}

// Each is recorded as it went, or lost at that time.
static void assert_fates(const struct setting *setting, const struct expected *expected,
                         struct record *record, struct completions *told)
{
    size_t n_lost = 0, n_kept = 0;
    record_sort_samples(record);
    if (told->n_lost > 0)
        qsort(told->lost, told->n_lost, sizeof *told->lost, by_seq);
    for (size_t i = 0; i < setting->n_queries; i++) {
        const struct piece *piece = &expected->pieces[i];
        if (piece->lost_ns == SIMTIME_NEVER) {
            ck_assert_uint_lt(n_kept, record->n_samples);
            assert_sample(&record->samples[n_kept++], piece, &setting->fixture);
            continue;
        }
        ck_assert_uint_lt(n_lost, told->n_lost);
        ck_assert_uint_eq(told->lost[n_lost].query.seq, piece->query->seq);
        ck_assert_int_eq(told->lost[n_lost++].at_ns, piece->lost_ns);
    }
    ck_assert_uint_eq(record->n_samples, n_kept);
    ck_assert_uint_eq(told->n_lost, n_lost);
    ck_assert_uint_eq(n_lost > 0, setting->fixture.config.outages.mtbf_s > 0);
}

// Work of queries is counted in whole nanoseconds, once for each server, service and place, and the
// requests of one query are: far less than one in a thousand.
static void assert_near(int64_t seen_ns, int64_t expected_ns)
{
    ck_assert_int_le(llabs(seen_ns - expected_ns), 40 + llabs(expected_ns) / 1000);
}

static void assert_use(const struct record *record, const struct expected *expected, bool known)
{
    for (uint32_t bin = 0; bin < BINS; bin++)
        for (int part = 0; part < N_PARTS; part++) {
            const struct group_tally *seen = record_group(record, bin, 0);
            ck_assert_int_eq(seen->busy_ns[part], expected->bins[bin].busy_ns[part]);
            assert_near(seen->backlog_ns[part], expected->bins[bin].backlog_ns[part]);
            assert_near(seen->drain_max_ns[part], expected->bins[bin].drain_max_ns[part]);
            assert_near(seen->work_ns[part], known ? expected->bins[bin].work_ns[part] : 0);
        }
}

static bool has_histories(const struct setting *setting)
{
    bool any = false;
    for (uint32_t i = 0; i < setting->fixture.config.n_services; i++)
        any = any || setting->fixture.services[i].traffic.has_history;
    return any;
}

static void holds(struct setting *setting)
{
    struct completions told = {0}, again = {0};
    ready(setting);
    struct record *record = run_block(setting, &told, 9), *other = run_block(setting, &again, 5);
    struct expected *expected = expect(setting, &record->shape);
    assert_told(setting, expected, &told);
    assert_fates(setting, expected, record, &told);
    assert_use(record, expected, !has_histories(setting));
    ck_assert(fixture_same_record(record, other));
    ck_assert_uint_eq(told.n_lost, again.n_lost);
    record_destroy(record);
    record_destroy(other);
    completions_release(&told);
    completions_release(&again);
    destroy_expected(expected);
    fixture_release(&setting->fixture);
    mem_free(setting->queries);
    mem_free(setting);
}

// ---- tests --------------------------------------------------------------------------------------

// Requests of one query on the cores.
START_TEST(pull_cores)
{
    const struct way ways[] = {{"pull", 32, 0, 0, 0, 0, false, NULL, false}};
    holds(make(ways, 1, 0, false));
}
END_TEST

// And an accelerator that takes all that waits, two services sharing both.
START_TEST(pull_both)
{
    const struct way ways[] = {{"pull", 32, 0, 0, 900, 0, false, NULL, false},
                               {"pull", 16, 0, 0, 300, 0, false, NULL, false}};
    struct setting *setting = make(ways, 2, 1, false);
    fixture_set_load(&setting->fixture, 1.1);
    holds(setting);
}
END_TEST

START_TEST(coalesce)
{
    const struct way ways[] = {{"coalesce", 150, 0, 0, 0, 0, false, NULL, false},
                               {"coalesce", 64, 3, 0, 500, 0, false, NULL, false}};
    struct setting *setting = make(ways, 2, 2, true);
    setting->fixture.cost_configs[0].contention_frac = 0.5;
    fixture_set_load(&setting->fixture, 1.2);
    holds(setting);
}
END_TEST

// Batches of whole queries that wait for more; of cut ones; by number; greedy.
START_TEST(batch_cores)
{
    const struct way ways[][2] = {{{"batch", 500, 0, 2 * SIMTIME_MS, 0, 0, false, NULL, false},
                                   {"batch", 90, 0, 0, 0, 0, false, NULL, false}},
                                  {{"batch", 300, 0, SIMTIME_MS, 0, 0, true, NULL, false},
                                   {"batch", 1000, 4, SIMTIME_MS, 0, 0, false, NULL, false}}};
    for (int i = 0; i < 2; i++)
        holds(make(ways[i], 2, 0, false));
}
END_TEST

// On the accelerator: one after the other, and with copies that overlap computations, with as many
// in flight as there are streams or fewer or more.
START_TEST(batch_accelerator)
{
    for (int64_t in_flight = 0; in_flight < 4; in_flight++) {
        const struct way ways[] = {{"batch", 64, 0, SIMTIME_MS, 800, in_flight, false, NULL, false},
                                   {"batch", 64, 5, 0, 2000, in_flight, true, NULL, false}};
        holds(make(ways, 2, 2, in_flight % 2 == 0));
    }
}
END_TEST

// Each of three streams with batches of its own, one by default, or as many as are said.
START_TEST(own_batches)
{
    for (int64_t in_flight = 0; in_flight < 4; in_flight++) {
        const struct way ways[] = {{"batch", 64, 0, 0, 200, in_flight, false, NULL, true},
                                   {"pull", 64, 0, 0, 300, in_flight, false, NULL, true}};
        struct setting *setting = make(ways, 2, 3, in_flight % 2 == 0);
        fixture_set_load(&setting->fixture, in_flight < 2 ? 1.2 : 3);
        holds(setting);
    }
}
END_TEST

// The second service alone uses the accelerator, and says how many batches that holds.
START_TEST(batch_on_either)
{
    const struct way ways[] = {{"batch", 64, 0, 0, 0, 0, false, NULL, false},
                               {"batch", 64, 0, 0, 300, 1, false, NULL, false}};
    holds(make(ways, 2, 2, false));
}
END_TEST

// More than there is time for: queues grow from bin to bin and outlive the run.
START_TEST(overload)
{
    const struct way ways[] = {{"coalesce", 100, 0, 0, 0, 0, false, NULL, false}};
    struct setting *setting = make(ways, 1, 0, false);
    setting->fixture.config.duration_ns = 12 * SIMTIME_MS;
    fixture_set_load(&setting->fixture, 1.8);
    holds(setting);
}
END_TEST

// Other orders, where queries are cut, merged and whole, on cores and accelerators, with more than
// there is time for, so that some are late.
START_TEST(orders)
{
    static const char *const names[] = {"shortest", "least-slack", "late-last"};
    for (int i = 0; i < 9; i++) {
        const char *order = names[i % 3];
        const struct way ways[][2] = {{{"pull", 32, 0, 0, 0, 0, false, order, false},
                                       {"pull", 64, 0, 0, 0, 0, false, NULL, false}},
                                      {{"coalesce", 100, 0, 0, 700, 0, false, order, false},
                                       {"pull", 64, 0, 0, 500, 0, false, order, false}},
                                      {{"batch", 300, 0, 0, 0, 0, false, NULL, false},
                                       {"batch", 200, 5, 0, 0, 0, true, order, false}}};
        struct setting *setting = make(ways[i / 3], 2, i / 3 == 1, false);
        setting->fixture.services[0].sla_ns = setting->fixture.services[1].sla_ns = SIMTIME_MS;
        setting->fixture.config.duration_ns = 12 * SIMTIME_MS;
        fixture_set_load(&setting->fixture, 1.3);
        holds(setting);
    }
}
END_TEST

// A number in [0, n), the next of setting `number`.
static uint32_t draw(uint32_t number, uint32_t *index, uint32_t n)
{
    return fixture_draw(100 + number, (*index)++, n);
}

static struct way draw_way(uint32_t number, uint32_t *index, int64_t streams, int64_t in_flight,
                           bool per_stream)
{
    static const char *const policies[] = {"pull", "coalesce", "batch", "batch"};
    struct way way = {.policy = policies[draw(number, index, 4)]};
    way.batch_items = 1 + draw(number, index, draw(number, index, 2) ? 40 : 500);
    way.batch_queries = draw(number, index, 2) ? 0 : 1 + draw(number, index, 6);
    if (is_batch(&way)) {
        way.max_delay_ns = draw(number, index, 2) ? 0 : draw(number, index, 2000000);
        way.split = draw(number, index, 2);
    }
    if (way.max_delay_ns == 0 && draw(number, index, 3) == 0)
        way.order = draw(number, index, 2) ? "shortest" : "late-last";
    if (streams > 0 && draw(number, index, 4) > 0) {
        way.accel_items = 1 + draw(number, index, 1500);
        way.in_flight = in_flight;
        way.per_stream = per_stream;
    }
    return way;
}

static void draw_fleet(struct fixture *fixture, uint32_t number, uint32_t *index)
{
    static const enum cost_spread spreads[] = {SPREAD_NONE, SPREAD_NONE, SPREAD_EXPONENTIAL,
                                               SPREAD_GAMMA};
    struct group_config *group = &fixture->groups[0];
    fixture->config.seed = number;
    fixture->config.duration_ns = 10 * SIMTIME_MS;
    fixture_set_load(fixture, 0.2 + 0.1 * draw(number, index, 12));
    group->noise = (struct noise_config){spreads[draw(number, index, 4)], 0.7, 0, 0};
    if (draw(number, index, 3) == 0)
        group->noise.correlation_ns = group->noise.spread ? SIMTIME_MS : 0;
    group->noise.correlated_frac = 0.5 * (group->noise.correlation_ns > 0);
    if (draw(number, index, 3) == 0)
        group->slow = (struct slow_config){.frac = 0.4, .factor = 1.7};
    if (draw(number, index, 3) == 0)
        fixture->config.outages =
            (struct outage_config){.mtbf_s = 2e-3, .mttr_s = 0.4e-3, .detect_delay_ns = 1};
    for (uint32_t i = 0; i < fixture->config.n_services; i++) {
        fixture->services[i].sla_ns = SIMTIME_MS / 2;
        fixture->cost_configs[i].contention_frac = draw(number, index, 2) ? 0 : 0.6;
        if (draw(number, index, 3) > 0)
            continue;
        fixture->services[i].traffic.has_history = true;
        fixture->services[i].traffic.history = (struct size_config){
            .distribution = qsize_find("lognormal"), .mu = 3, .sigma = 1, .max_items = 200};
        fixture->cost_configs[i].history_item_s = 0.11199113e-6;
        fixture->cost_configs[i].item_history_s = 1.71592e-9;
        fixture->cost_configs[i].accel_history_item_s = 0.04314159e-6;
        fixture->cost_configs[i].accel_item_history_s = 0.32718e-9;
    }
}

// Any of it together; RF_SETTINGS says how often.
START_TEST(at_random)
{
    const char *said = getenv("RF_SETTINGS");
    uint32_t n = said ? (uint32_t)atoi(said) : 8;
    for (uint32_t number = 0; number < n; number++) {
        uint32_t index = 0, n_services = 1 + draw(number, &index, 2);
        int64_t streams = draw(number, &index, 4), in_flight = draw(number, &index, MOST_UNITS);
        bool overlap = draw(number, &index, 2), per_stream = draw(number, &index, 2);
        struct way ways[FIXTURE_SERVICES];
        for (uint32_t i = 0; i < n_services; i++)
            ways[i] = draw_way(number, &index, streams, in_flight, per_stream);
        struct setting *setting = make(ways, n_services, streams, overlap);
        draw_fleet(&setting->fixture, number, &index);
        holds(setting);
    }
}
END_TEST

// What a study may say, and what it is told else.
START_TEST(settings)
{
    struct settings settings = settings_of(sched_queue.fields, NULL);
    struct err err = {0};
    ck_assert_int_eq(sched_queue.check(settings.values, 0, &err), 0); // pull, B from the cores
    sched_queue.resolve(settings.values, 999, 40);
    ck_assert_int_eq(settings_whole(&settings, "batch_items"), 25);
    ck_assert_int_eq(settings_set(&settings, "policy", "batch", &err), 0);
    settings_set_number(&settings, "batch_items", 0);
    ck_assert_int_ne(sched_queue.check(settings.values, 1, &err), 0);
    ck_assert_str_eq(err.text, "batch_items: missing; expected a number of items such as \"64\"");
    settings_set_number(&settings, "accel_items", 64);
    ck_assert_int_eq(sched_queue.check(settings.values, 1, &err), 0);
    ck_assert_int_eq(sched_needs(&settings).offload_items, 1); // all of it on the accelerator
    ck_assert_int_eq(settings_set(&settings, "policy", "coalesce", &err), 0);
    ck_assert_int_ne(sched_queue.check(settings.values, 1 << 3, &err), 0);
    ck_assert_str_eq(err.text, "max_delay: only with policy: batch");
    ck_assert_int_ne(sched_queue.check(settings.values, 1 << 4, &err), 0);
    settings_set_number(&settings, "accel_items", 0);
    ck_assert_int_ne(sched_queue.check(settings.values, 1 << 6, &err), 0);
    ck_assert_str_eq(err.text, "in_flight: only with accel_items");
    struct settings other = settings;
    settings_set_number(&other, "accel_items", 64);
    settings_set_number(&other, "in_flight", 2);
    ck_assert_int_eq(sched_queue.agree(other.values, settings.values, &err), 0);
    settings_set_number(&settings, "accel_items", 8);
    ck_assert_int_ne(sched_queue.agree(other.values, settings.values, &err), 0);
    ck_assert_int_eq(strncmp(err.text, "in_flight: expected 0, as for the other services", 48), 0);
    ck_assert_int_eq(settings_set(&other, "in_flight_per", "stream", &err), 0);
    ck_assert_int_ne(sched_queue.agree(other.values, settings.values, &err), 0);
    ck_assert_int_eq(strncmp(err.text, "in_flight_per: expected server, as for the other", 48), 0);
    settings_set_number(&settings, "accel_items", 0);
    ck_assert_int_ne(sched_queue.check(settings.values, 1 << 7, &err), 0);
    ck_assert_str_eq(err.text, "in_flight_per: only with accel_items");
    ck_assert_int_eq(settings_set(&settings, "policy", "batch", &err), 0);
    ck_assert_int_eq(settings_set(&settings, "order", "shortest", &err), 0);
    settings_set_number(&settings, "batch_items", 64);
    ck_assert_int_eq(sched_queue.check(settings.values, 1, &err), 0);
    settings_set_number(&settings, "max_delay", 5);
    ck_assert_int_ne(sched_queue.check(settings.values, 1, &err), 0);
    ck_assert_str_eq(err.text,
                     "order: only fcfs with max_delay, which is how long the first has waited");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", settings},    {"core", pull_cores},  {"core", pull_both},
        {"core", coalesce},    {"core", batch_cores}, {"core", batch_accelerator},
        {"core", overload},    {"core", orders},      {"core", batch_on_either},
        {"core", own_batches}, {"core", at_random}};
    return suite_run("sched_queue", tests, sizeof tests / sizeof *tests);
}
