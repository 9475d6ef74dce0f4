// SPDX-License-Identifier: Apache-2.0
#include "cluster/arrivals.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "cluster/outage.h"
#include "traces/source.h"

enum { BLOCK_MOST = 512 };

// The stream of another cell, as far as it has been looked through.
struct guest {
    uint32_t cell;
    struct source *source;
    struct rng_stream draws;
    bool has_head;
    struct query head; // the next that comes here
    bool away;         // its cell is out in this era
};

// Between two changes of what is out, a cell's stream goes one way. All streams are in the same
// era: the next one begins when nothing of this one is left.
struct era {
    int64_t begin_ns, end_ns; // SIMTIME_NEVER: the last one
    bool own_away;            // the cell's own traffic goes elsewhere
    bool has_guests;          // that of some others may come here
    // Servers in service, and those of them in cells before this one.
    uint32_t n_servers, n_before;
};

struct arrivals {
    struct arrivals_setup setup;
    struct service_traffic *traffic; // [n_services]
    uint64_t n_servers;              // of the cell
    uint64_t first_server;           // in the fleet
    struct source *own;
    bool alone; // nothing but the cell's own: no retries, no failover
    struct era era;
    uint32_t *leaving; // [n_leaving] cells that can ever be out
    uint32_t n_leaving;
    struct guest *guests;
    uint32_t n_guests;
    struct query *retries; // a heap: the earliest is the first
    size_t n_retries, retries_cap;
    struct query one; // handed out last, of guests and retries
};

// ---- retries ------------------------------------------------------------------------------------

static bool is_before(const struct query *a, const struct query *b)
{
    return a->arrive_ns != b->arrive_ns ? a->arrive_ns < b->arrive_ns : a->seq < b->seq;
}

static void push_retry(struct arrivals *arrivals, const struct query *query)
{
    if (arrivals->n_retries == arrivals->retries_cap) {
        arrivals->retries_cap = 2 * arrivals->retries_cap + 16;
        arrivals->retries =
            mem_realloc(arrivals->retries, arrivals->retries_cap, sizeof *arrivals->retries);
    }
    struct query *heap = arrivals->retries;
    size_t i = arrivals->n_retries++;
    for (; i > 0 && is_before(query, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = *query;
}

static struct query pop_retry(struct arrivals *arrivals)
{
    struct query *heap = arrivals->retries, first = heap[0];
    const struct query last = heap[--arrivals->n_retries];
    size_t i = 0, child, n = arrivals->n_retries;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && is_before(&heap[child + 1], &heap[child]);
        if (!is_before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

void arrivals_retry(struct arrivals *arrivals, const struct query *query)
{
    assert(!arrivals->alone);
    if (query->arrive_ns < arrivals->setup.fleet->duration_ns)
        push_retry(arrivals, query);
}

// ---- eras ---------------------------------------------------------------------------------------

static uint32_t first_server_of(const struct layout *layout, uint32_t cell)
{
    return layout->parts[layout->first_part[cell]].first_in_fleet;
}

static void drop_until(struct source *source, int64_t until_ns)
{
    size_t n;
    do
        source_next(source, until_ns, BLOCK_MOST, &n);
    while (n > 0);
}

// What stays away from its cell in an era is passed over when the era is over.
static void enter_era(struct arrivals *arrivals, int64_t begin_ns)
{
    const struct fleet_config *fleet = arrivals->setup.fleet;
    const struct layout *layout = arrivals->setup.layout;
    struct era era = {.begin_ns = begin_ns,
                      .end_ns = SIMTIME_NEVER,
                      .n_servers = layout->n_fleet_servers,
                      .n_before = (uint32_t)arrivals->first_server};
    bool own_out = false;
    uint32_t g = 0;
    for (uint32_t i = 0; i < arrivals->n_leaving; i++) {
        int64_t until_ns;
        uint32_t cell = arrivals->leaving[i];
        bool out = outage_cell_out(fleet, cell, begin_ns, &until_ns);
        era.end_ns = until_ns < era.end_ns ? until_ns : era.end_ns;
        era.n_servers -= out ? layout->n_servers[cell] : 0;
        era.n_before -= out && cell < arrivals->setup.cell ? layout->n_servers[cell] : 0;
        if (cell == arrivals->setup.cell)
            own_out = out;
        else
            arrivals->guests[g++].away = out;
    }
    era.end_ns = era.end_ns < fleet->duration_ns ? era.end_ns : SIMTIME_NEVER;
    era.own_away = own_out && era.n_servers > 0;
    for (g = 0; g < arrivals->n_guests; g++) {
        arrivals->guests[g].away &= !own_out;
        era.has_guests |= arrivals->guests[g].away;
        if (arrivals->guests[g].away && begin_ns > 0)
            drop_until(arrivals->guests[g].source, begin_ns);
    }
    if (!era.own_away && begin_ns > 0 && arrivals->n_leaving > 0)
        drop_until(arrivals->own, begin_ns);
    arrivals->era = era;
}

// Does query `number` of a cell that is out come here? One of the servers in service is drawn, and
// its cell has the query: every cell that asks draws the same one.
static bool comes_here(const struct arrivals *arrivals, const struct guest *guest, uint64_t number)
{
    uint64_t words[2];
    rng_block(&guest->draws, number, words);
    uint64_t server = (uint64_t)(((unsigned __int128)words[0] * arrivals->era.n_servers) >> 64);
    return server - arrivals->era.n_before < arrivals->n_servers;
}

static void find_head(const struct arrivals *arrivals, struct guest *guest)
{
    size_t n = 1;
    while (!guest->has_head && n > 0) {
        const struct query *query = source_next(guest->source, arrivals->era.end_ns, 1, &n);
        if (n == 0 || !comes_here(arrivals, guest, query->seq))
            continue;
        guest->head = *query;
        guest->head.seq |= ((uint64_t)guest->cell + 1) << QUERY_ORIGIN_SHIFT;
        guest->has_head = true;
    }
}

// The first of what is not the cell's own, in this era; NULL: nothing.
static const struct query *first_other(struct arrivals *arrivals)
{
    const struct query *first = arrivals->n_retries ? &arrivals->retries[0] : NULL;
    if (first && first->arrive_ns >= arrivals->era.end_ns)
        first = NULL;
    for (uint32_t g = 0; arrivals->era.has_guests && g < arrivals->n_guests; g++) {
        struct guest *guest = &arrivals->guests[g];
        if (!guest->away)
            continue;
        find_head(arrivals, guest);
        if (guest->has_head && (!first || is_before(&guest->head, first)))
            first = &guest->head;
    }
    return first;
}

static int64_t own_ns(struct arrivals *arrivals)
{
    int64_t ns = arrivals->era.own_away ? SIMTIME_NEVER : source_peek_ns(arrivals->own);
    return ns < arrivals->era.end_ns ? ns : SIMTIME_NEVER;
}

// Goes on to the era that has the next query. *own: its time among the cell's own; *other: the
// first of what else comes in that era, NULL when there is none.
static void look(struct arrivals *arrivals, int64_t *own, const struct query **other)
{
    for (;;) {
        *own = own_ns(arrivals);
        *other = first_other(arrivals);
        if (*own != SIMTIME_NEVER || *other || arrivals->era.end_ns == SIMTIME_NEVER)
            return;
        enter_era(arrivals, arrivals->era.end_ns);
    }
}

// ---- handing out --------------------------------------------------------------------------------

int64_t arrivals_peek_ns(struct arrivals *arrivals)
{
    int64_t own;
    const struct query *other;
    if (arrivals->alone)
        return source_peek_ns(arrivals->own);
    look(arrivals, &own, &other);
    return other && other->arrive_ns < own ? other->arrive_ns : own;
}

static void count(const struct arrivals *arrivals, const struct query *queries, size_t n)
{
    uint64_t *n_generated = arrivals->setup.n_generated;
    if (arrivals->setup.fleet->n_services == 1) {
        n_generated[0] += n;
        return;
    }
    for (size_t i = 0; i < n; i++)
        n_generated[queries[i].service]++;
}

static void take_other(struct arrivals *arrivals, const struct query *other)
{
    arrivals->one = *other;
    if (arrivals->n_retries && other == &arrivals->retries[0]) {
        pop_retry(arrivals);
        return;
    }
    for (uint32_t g = 0; g < arrivals->n_guests; g++)
        if (other == &arrivals->guests[g].head)
            arrivals->guests[g].has_head = false;
    count(arrivals, &arrivals->one, 1);
}

struct query *arrivals_next(struct arrivals *arrivals, int64_t until_ns, size_t max, size_t *n)
{
    int64_t own = 0;
    const struct query *other = NULL;
    if (!arrivals->alone) {
        look(arrivals, &own, &other);
        until_ns = until_ns < arrivals->era.end_ns ? until_ns : arrivals->era.end_ns;
    }
    // At one time a cell's own come first: their numbers are the lower ones.
    if (other && other->arrive_ns < own && other->arrive_ns < until_ns) {
        take_other(arrivals, other);
        *n = 1;
        return &arrivals->one;
    }
    *n = 0;
    if (own >= until_ns || (other && other->arrive_ns < own))
        return &arrivals->one;
    if (other && other->arrive_ns < until_ns)
        until_ns = other->arrive_ns + 1;
    struct query *queries = source_next(arrivals->own, until_ns, max, n);
    count(arrivals, queries, *n);
    return queries;
}

// ---- life ---------------------------------------------------------------------------------------

// Queries made ahead: a full block where cells are few, less where there are thousands of them.
static uint32_t block_queries(uint32_t n_cells)
{
    return n_cells <= 64 ? BLOCK_MOST : n_cells <= 1024 ? 128 : 32;
}

static struct source *create_source(const struct arrivals *arrivals, uint32_t cell, struct err *err)
{
    const struct fleet_config *fleet = arrivals->setup.fleet;
    const struct layout *layout = arrivals->setup.layout;
    struct source_config config = {.services = arrivals->traffic,
                                   .n_services = fleet->n_services,
                                   .seed = fleet->seed,
                                   .cell = cell,
                                   .n_cells = fleet->n_cells,
                                   .share_num = layout->n_servers[cell],
                                   .share_den = layout->n_fleet_servers,
                                   .share_first = first_server_of(layout, cell),
                                   .sizes = arrivals->setup.sizes,
                                   .end_ns = fleet->duration_ns,
                                   .n_block = block_queries(fleet->n_cells),
                                   .sample_frac = fleet->sample_frac};
    return source_create(&config, err);
}

static bool is_listed(const struct arrivals *arrivals, uint32_t cell)
{
    for (uint32_t i = 0; i < arrivals->n_leaving; i++)
        if (arrivals->leaving[i] == cell)
            return true;
    return false;
}

// The cells that can ever be out, in the order of the events.
static void list_leaving(struct arrivals *arrivals)
{
    const struct outage_config *outages = &arrivals->setup.fleet->outages;
    if (!outages->failover)
        return;
    arrivals->leaving = mem_calloc(outages->n_events + 1, sizeof *arrivals->leaving);
    for (size_t i = 0; i < outages->n_events; i++) {
        const struct outage_event *event = &outages->events[i];
        if (event->whole_cell && !is_listed(arrivals, event->cell))
            arrivals->leaving[arrivals->n_leaving++] = event->cell;
    }
}

static int create_guests(struct arrivals *arrivals, struct err *err)
{
    arrivals->guests = mem_calloc(arrivals->n_leaving + 1, sizeof *arrivals->guests);
    for (uint32_t i = 0; i < arrivals->n_leaving; i++) {
        uint32_t cell = arrivals->leaving[i];
        if (cell == arrivals->setup.cell)
            continue;
        assert(cell < QUERY_MAX_ORIGINS);
        struct guest *guest = &arrivals->guests[arrivals->n_guests];
        guest->cell = cell;
        guest->draws = rng_stream(arrivals->setup.fleet->seed, RNG_FAILOVER, cell);
        guest->source = create_source(arrivals, cell, err);
        if (!guest->source)
            return -1;
        arrivals->n_guests++;
    }
    return 0;
}

struct arrivals *arrivals_create(const struct arrivals_setup *setup, struct err *err)
{
    const struct fleet_config *fleet = setup->fleet;
    struct arrivals *arrivals = mem_calloc(1, sizeof *arrivals);
    arrivals->setup = *setup;
    arrivals->n_servers = setup->layout->n_servers[setup->cell];
    arrivals->first_server = first_server_of(setup->layout, setup->cell);
    arrivals->traffic = mem_calloc(fleet->n_services, sizeof *arrivals->traffic);
    for (uint32_t i = 0; i < fleet->n_services; i++)
        arrivals->traffic[i] = fleet->services[i].traffic;
    list_leaving(arrivals);
    arrivals->alone =
        arrivals->n_leaving == 0 && !(fleet_has_outages(fleet) && fleet->outages.retries > 0);
    arrivals->own = create_source(arrivals, setup->cell, err);
    if (!arrivals->own || create_guests(arrivals, err) < 0) {
        arrivals_destroy(arrivals);
        return NULL;
    }
    enter_era(arrivals, 0);
    return arrivals;
}

void arrivals_destroy(struct arrivals *arrivals)
{
    if (!arrivals)
        return;
    for (uint32_t g = 0; g < arrivals->n_guests; g++)
        source_destroy(arrivals->guests[g].source);
    source_destroy(arrivals->own);
    mem_free(arrivals->guests);
    mem_free(arrivals->leaving);
    mem_free(arrivals->retries);
    mem_free(arrivals->traffic);
    mem_free(arrivals);
}

// ---- as bytes -----------------------------------------------------------------------------------

// The era; the own stream; each guest's stream and head; the retries.
void arrivals_save(const struct arrivals *arrivals, struct blob *blob)
{
    blob_put_i64(blob, arrivals->era.begin_ns);
    source_save(arrivals->own, blob);
    for (uint32_t g = 0; g < arrivals->n_guests; g++) {
        const struct guest *guest = &arrivals->guests[g];
        source_save(guest->source, blob);
        blob_put_u32(blob, guest->has_head);
        blob_put(blob, &guest->head, sizeof guest->head);
    }
    blob_put_u64(blob, arrivals->n_retries);
    blob_put(blob, arrivals->retries, arrivals->n_retries * sizeof *arrivals->retries);
}

static int64_t longest_history(const struct service_traffic *traffic)
{
    return traffic->has_history ? traffic->history.max_items : 0;
}

// Can this query be handed to a server?
static bool is_sound(const struct arrivals *arrivals, const struct query *query)
{
    const struct fleet_config *fleet = arrivals->setup.fleet;
    return query->service < fleet->n_services && query->size_items >= 1 &&
           query->size_items <= fleet->services[query->service].traffic.sizes.max_items &&
           query->history_items <= longest_history(&fleet->services[query->service].traffic) &&
           query->arrive_ns >= 0 && query->arrive_ns < fleet->duration_ns &&
           query_first_ns(query) >= 0;
}

static int load_guest(struct arrivals *arrivals, struct guest *guest, struct blob_reader *reader,
                      struct err *err)
{
    if (source_load(guest->source, reader, err) < 0)
        return -1;
    guest->has_head = blob_get_u32(reader) != 0;
    blob_get(reader, &guest->head, sizeof guest->head);
    if (guest->has_head && !is_sound(arrivals, &guest->head))
        blob_refuse(reader);
    return 0;
}

static void load_retries(struct arrivals *arrivals, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    if (n > blob_left(reader) / sizeof(struct query) || (n > 0 && arrivals->alone)) {
        blob_refuse(reader);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        struct query query;
        blob_get(reader, &query, sizeof query);
        if (is_sound(arrivals, &query))
            push_retry(arrivals, &query);
        else
            blob_refuse(reader);
    }
}

int arrivals_load(struct arrivals *arrivals, struct blob_reader *reader, struct err *err)
{
    int64_t begin_ns = blob_get_i64(reader);
    if (source_load(arrivals->own, reader, err) < 0)
        return -1;
    for (uint32_t g = 0; g < arrivals->n_guests; g++)
        if (load_guest(arrivals, &arrivals->guests[g], reader, err) < 0)
            return -1;
    load_retries(arrivals, reader);
    if (begin_ns < 0 || begin_ns >= arrivals->setup.fleet->duration_ns || reader->short_of) {
        blob_refuse(reader);
        return err_set(err, ERR_FAIL, "damaged state");
    }
    enter_era(arrivals, begin_ns);
    return 0;
}
