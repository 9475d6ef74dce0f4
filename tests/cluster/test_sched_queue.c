// SPDX-License-Identifier: Apache-2.0
// The ways of the scheduler `queue` against a server with a list of events: at each moment at which
// something comes, becomes free or has waited long enough, whoever is idle takes what it may. The
// rules are those of the head of sched_queue.c, written down a second time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/sched.h"
#include "support/suite.h"

enum { SERVERS = 3, CORES = 4, MOST_STREAMS = 4, MOST_SLOTS = 4, MOST_QUERIES = 20000 };

// ---- the server with events ---------------------------------------------------------------------

// One service's rules, in the words of a study.
struct way {
    const char *policy;
    int64_t batch_items, batch_queries, max_delay_ns, accel_items, in_flight;
    bool split;
    const char *order; // NULL: fcfs
};

struct piece {
    const struct query *query;
    int64_t ready_ns, finish_ns;
    uint32_t left;
    bool done, late;
};

struct device {
    int64_t core[CORES], slot[MOST_SLOTS], stream[MOST_STREAMS], link;
    uint32_t n_slots, n_streams;
    bool overlap;
};

struct reference {
    const struct fixture *fixture;
    const struct way *ways; // [service]
    struct piece *pieces;   // of one server, in order of arrival
    size_t n, n_come;       // in all, and here by now
    struct device device;
};

static bool is_batch(const struct way *way)
{
    return strcmp(way->policy, "batch") == 0;
}

static bool has_order(const struct way *way, const char *order)
{
    return way->order && strcmp(way->order, order) == 0;
}

static double slack_s(const struct reference *reference, const struct piece *piece)
{
    const struct way *way = &reference->ways[piece->query->service];
    const struct cost *cost = reference->fixture->costs[piece->query->service];
    double work_s = 0;
    for (int64_t left = piece->query->size_items; left > 0; left -= way->batch_items)
        work_s +=
            cost_cpu_s(cost, (uint32_t)(left < way->batch_items ? left : way->batch_items), 1);
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

// The next of a service that is not among the n in `taken`; NULL: there is none.
static struct piece *next_of(const struct reference *reference, int service,
                             struct piece *const *taken, size_t n)
{
    struct piece *next = NULL;
    for (size_t i = 0; i < reference->n_come; i++) {
        struct piece *piece = &reference->pieces[i];
        bool is_taken = piece->done || piece->query->service != service;
        for (size_t j = 0; j < n; j++)
            is_taken = is_taken || taken[j] == piece;
        if (!is_taken && (!next || goes_before(reference, piece, next)))
            next = piece;
    }
    return next;
}

static int64_t most(int64_t n)
{
    return n > 0 ? n : INT64_MAX;
}

// From when on a service's queue may be taken from; SIMTIME_NEVER: it is empty.
static int64_t due_ns(const struct reference *reference, uint32_t service, int64_t most_items)
{
    const struct way *way = &reference->ways[service];
    int64_t oldest_ns = SIMTIME_NEVER, n_items = 0, n_queries = 0;
    if (way->order) { // with no delay
        const struct piece *first = next_of(reference, (int)service, NULL, 0);
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

static int free_at(const int64_t *free_ns, int n, int64_t now_ns)
{
    int first = 0;
    for (int i = 1; i < n; i++)
        if (free_ns[i] < free_ns[first])
            first = i;
    return free_ns[first] <= now_ns ? first : -1;
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

// Marks what is taken; returns its items. All of it ends at *finish_ns, which is filled in later.
static uint32_t take(struct reference *reference, int service, bool accel, struct piece **taken,
                     size_t *n)
{
    const struct way *way = &reference->ways[service];
    bool merges = accel || strcmp(way->policy, "pull") != 0;
    bool cuts = is_batch(way) ? way->split : !accel;
    int64_t room = accel ? way->accel_items : way->batch_items, n_items = 0;
    *n = 0;
    for (struct piece *piece; (piece = next_of(reference, service, taken, *n));) {
        if ((!merges && *n == 1) || n_items >= room || (int64_t)*n == most(way->batch_queries))
            break;
        if (n_items + piece->left > room && !cuts && *n > 0)
            break;
        uint32_t items = piece->left;
        if (n_items + items > room && cuts)
            items = (uint32_t)(room - n_items);
        n_items += items;
        piece->left -= items;
        taken[(*n)++] = piece;
    }
    for (size_t i = 0; i < *n; i++)
        taken[i]->done = taken[i]->left == 0;
    return (uint32_t)n_items;
}

static int64_t run_core(struct reference *reference, int service, int core, uint32_t n_items,
                        int64_t now_ns)
{
    int64_t *cores = reference->device.core;
    uint32_t busy = 1;
    for (int i = 0; i < CORES; i++)
        busy += cores[i] > now_ns;
    const struct cost *cost = reference->fixture->costs[service];
    cores[core] = now_ns + simtime_from_s(cost_cpu_s(cost, n_items, busy));
    return cores[core];
}

static int64_t run_accel(struct reference *reference, int service, int slot, uint32_t n_items,
                         int64_t now_ns)
{
    struct device *device = &reference->device;
    const struct cost *cost = reference->fixture->costs[service];
    int64_t load_ns = simtime_from_s(cost_accel_load_s(cost, n_items));
    int64_t compute_ns = simtime_from_s(cost_accel_compute_s(cost, n_items));
    int64_t loaded_ns = now_ns;
    int stream = free_at(device->stream, (int)device->n_streams, SIMTIME_NEVER);
    if (device->overlap) {
        loaded_ns = (device->link > now_ns ? device->link : now_ns) + load_ns;
        device->link = loaded_ns;
        load_ns = 0;
    }
    int64_t begin_ns = device->stream[stream] > loaded_ns ? device->stream[stream] : loaded_ns;
    device->stream[stream] = begin_ns + load_ns + compute_ns;
    device->slot[slot] = device->stream[stream];
    return device->stream[stream];
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

// True when something began at now_ns.
static bool start_one(struct reference *reference, int64_t now_ns)
{
    static struct piece *taken[MOST_QUERIES];
    struct device *device = &reference->device;
    for (int accel = 0; accel < 2; accel++) {
        int unit = accel ? free_at(device->slot, (int)device->n_slots, now_ns)
                         : free_at(device->core, CORES, now_ns);
        int service = unit < 0 || (accel && device->n_slots == 0)
                          ? -1
                          : choose(reference, accel == 1, now_ns);
        if (service < 0)
            continue;
        size_t n;
        mark_late(reference, service, now_ns);
        uint32_t n_items = take(reference, service, accel == 1, taken, &n);
        int64_t end_ns = accel ? run_accel(reference, service, unit, n_items, now_ns)
                               : run_core(reference, service, unit, n_items, now_ns);
        for (size_t i = 0; i < n; i++)
            taken[i]->finish_ns = taken[i]->finish_ns > end_ns ? taken[i]->finish_ns : end_ns;
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
    int64_t next_ns = SIMTIME_NEVER;
    if (reference->n_come < reference->n)
        next_ns = sooner_after(next_ns, reference->pieces[reference->n_come].ready_ns, now_ns);
    for (int i = 0; i < CORES; i++)
        next_ns = sooner_after(next_ns, device->core[i], now_ns);
    for (uint32_t i = 0; i < device->n_slots; i++)
        next_ns = sooner_after(next_ns, device->slot[i], now_ns);
    for (size_t i = 0; i < reference->n_come; i++) {
        const struct piece *piece = &reference->pieces[i];
        if (!piece->done)
            next_ns = sooner_after(
                next_ns, piece->ready_ns + reference->ways[piece->query->service].max_delay_ns,
                now_ns);
    }
    return next_ns;
}

static void simulate(struct reference *reference)
{
    for (int64_t now_ns = -1;;) {
        now_ns = next_event(reference, now_ns);
        if (now_ns == SIMTIME_NEVER)
            return;
        while (reference->n_come < reference->n &&
               reference->pieces[reference->n_come].ready_ns == now_ns)
            reference->n_come++;
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
             "accel_items: %lld, in_flight: %lld, order: %s",
             way->policy, (long long)way->batch_items, (long long)way->batch_queries,
             (long long)way->max_delay_ns, way->split ? "true" : "false",
             (long long)way->accel_items, (long long)way->in_flight,
             way->order ? way->order : "fcfs");
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

static int by_end(const void *a, const void *b)
{
    const struct completion *x = a, *y = b;
    if (x->server != y->server)
        return x->server < y->server ? -1 : 1;
    return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

// When each query ends by the reference, sorted by server and end.
static struct completion *expected_ends(const struct setting *setting)
{
    const struct fixture *fixture = &setting->fixture;
    struct completion *ends = mem_calloc(setting->n_queries, sizeof *ends);
    struct piece *pieces = mem_calloc(setting->n_queries, sizeof *pieces);
    size_t n_ends = 0;
    for (uint32_t s = 0; s < SERVERS; s++) {
        const struct accelerator *accel = &fixture->platforms[0].accelerator;
        struct reference reference = {.fixture = fixture, .ways = setting->ways, .pieces = pieces};
        if (fixture->platforms[0].has_accelerator) {
            reference.device.n_streams = (uint32_t)accel->streams;
            reference.device.overlap = accel->overlap;
            reference.device.n_slots = (uint32_t)accel->streams + accel->overlap;
            for (int w = 0; w < FIXTURE_SERVICES; w++)
                if (setting->ways[w].accel_items > 0 && setting->ways[w].in_flight > 0)
                    reference.device.n_slots = (uint32_t)setting->ways[w].in_flight;
        }
        for (size_t i = 0; i < setting->n_queries; i++)
            if (setting->queries[i].server == s)
                pieces[reference.n++] =
                    (struct piece){.query = &setting->queries[i],
                                   .ready_ns = setting->queries[i].arrive_ns +
                                               fixture->config.balancer.dispatch_delay_ns,
                                   .left = setting->queries[i].size_items};
        size_t n = reference.n;
        simulate(&reference);
        for (size_t i = 0; i < n; i++)
            ends[n_ends++] = (struct completion){.end_ns = pieces[i].finish_ns, .server = s};
    }
    mem_free(pieces);
    qsort(ends, n_ends, sizeof *ends, by_end);
    return ends;
}

// The block is brought up to date at odd moments, too: that is to change nothing.
static struct record *run_block(const struct setting *setting, struct completions *reports,
                                uint64_t stream)
{
    struct record *record = fixture_record(&setting->fixture, 5, 7 * SIMTIME_MS);
    struct server_block_config config = {.fleet = &setting->fixture.config,
                                         .n_servers = SERVERS,
                                         .tabs =
                                             (const struct svctab *const *)setting->fixture.tabs,
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

static uint64_t n_ended(const struct record *record, uint64_t *wait_sum_ns)
{
    uint64_t n = 0;
    size_t n_tallies = (size_t)record->shape.n_bins * record->shape.n_services * N_PATHS;
    *wait_sum_ns = 0;
    for (size_t i = 0; i < n_tallies; i++) {
        n += record->tallies[i].n_queries;
        *wait_sum_ns += record->tallies[i].wait_sum_ns;
    }
    return n;
}

static void holds(struct setting *setting)
{
    ready(setting);
    struct completion *expected = expected_ends(setting);
    struct completions reports = {0}, again = {0};
    struct record *record = run_block(setting, &reports, 9), *other = run_block(setting, &again, 5);
    uint64_t wait_ns;
    ck_assert_uint_eq(n_ended(record, &wait_ns), setting->n_queries);
    ck_assert_uint_eq(reports.n, setting->n_queries);
    qsort(reports.v, reports.n, sizeof *reports.v, by_end);
    for (size_t i = 0; i < reports.n; i++) {
        ck_assert_uint_eq(reports.v[i].server, expected[i].server);
        ck_assert_int_eq(reports.v[i].end_ns, expected[i].end_ns);
    }
    ck_assert_uint_gt(wait_ns, 0);
    ck_assert(fixture_same_record(record, other));
    record_destroy(record);
    record_destroy(other);
    completions_release(&reports);
    completions_release(&again);
    mem_free(expected);
    fixture_release(&setting->fixture);
    mem_free(setting->queries);
    mem_free(setting);
}

// ---- tests --------------------------------------------------------------------------------------

// Requests of one query on the cores.
START_TEST(pull_cores)
{
    const struct way ways[] = {{"pull", 32, 0, 0, 0, 0, false, NULL}};
    holds(make(ways, 1, 0, false));
}
END_TEST

// And an accelerator that takes all that waits, two services sharing both.
START_TEST(pull_both)
{
    const struct way ways[] = {{"pull", 32, 0, 0, 900, 0, false, NULL},
                               {"pull", 16, 0, 0, 300, 0, false, NULL}};
    struct setting *setting = make(ways, 2, 1, false);
    fixture_set_load(&setting->fixture, 1.1);
    holds(setting);
}
END_TEST

START_TEST(coalesce)
{
    const struct way ways[] = {{"coalesce", 150, 0, 0, 0, 0, false, NULL},
                               {"coalesce", 64, 3, 0, 500, 0, false, NULL}};
    struct setting *setting = make(ways, 2, 2, true);
    setting->fixture.cost_configs[0].contention_frac = 0.5;
    fixture_set_load(&setting->fixture, 1.2);
    holds(setting);
}
END_TEST

// Batches of whole queries that wait for more; of cut ones; by number; greedy.
START_TEST(batch_cores)
{
    const struct way ways[][2] = {{{"batch", 500, 0, 2 * SIMTIME_MS, 0, 0, false, NULL},
                                   {"batch", 90, 0, 0, 0, 0, false, NULL}},
                                  {{"batch", 300, 0, SIMTIME_MS, 0, 0, true, NULL},
                                   {"batch", 1000, 4, SIMTIME_MS, 0, 0, false, NULL}}};
    for (int i = 0; i < 2; i++)
        holds(make(ways[i], 2, 0, false));
}
END_TEST

// On the accelerator: one after the other, and with copies that overlap computations, with as many
// in flight as there are streams or fewer or more.
START_TEST(batch_accelerator)
{
    for (int64_t in_flight = 0; in_flight < 4; in_flight++) {
        const struct way ways[] = {{"batch", 64, 0, SIMTIME_MS, 800, in_flight, false, NULL},
                                   {"batch", 64, 5, 0, 2000, in_flight, true, NULL}};
        holds(make(ways, 2, 2, in_flight % 2 == 0));
    }
}
END_TEST

// The second service alone uses the accelerator, and says how many batches that holds.
START_TEST(batch_on_either)
{
    const struct way ways[] = {{"batch", 64, 0, 0, 0, 0, false},
                               {"batch", 64, 0, 0, 300, 1, false}};
    holds(make(ways, 2, 2, false));
}
END_TEST

// More than there is time for: queues grow from bin to bin and outlive the run.
START_TEST(overload)
{
    const struct way ways[] = {{"coalesce", 100, 0, 0, 0, 0, false, NULL}};
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
        const struct way ways[][2] = {
            {{"pull", 32, 0, 0, 0, 0, false, order}, {"pull", 64, 0, 0, 0, 0, false, NULL}},
            {{"coalesce", 100, 0, 0, 700, 0, false, order},
             {"pull", 64, 0, 0, 500, 0, false, order}},
            {{"batch", 300, 0, 0, 0, 0, false, NULL}, {"batch", 200, 5, 0, 0, 0, true, order}}};
        struct setting *setting = make(ways[i / 3], 2, i / 3 == 1, false);
        setting->fixture.services[0].sla_ns = setting->fixture.services[1].sla_ns = SIMTIME_MS;
        setting->fixture.config.duration_ns = 12 * SIMTIME_MS;
        fixture_set_load(&setting->fixture, 1.3);
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
    settings_set_number(&settings, "accel_items", 0);
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
        {"core", settings}, {"core", pull_cores},  {"core", pull_both},
        {"core", coalesce}, {"core", batch_cores}, {"core", batch_accelerator},
        {"core", overload}, {"core", orders},      {"core", batch_on_either}};
    return suite_run("sched_queue", tests, sizeof tests / sizeof *tests);
}
