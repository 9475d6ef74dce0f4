// SPDX-License-Identifier: Apache-2.0
#include "cluster/intake.h"

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

struct intake {
    struct intake_setup setup;
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

static void push_retry(struct intake *intake, const struct query *query)
{
    if (intake->n_retries == intake->retries_cap) {
        intake->retries_cap = 2 * intake->retries_cap + 16;
        intake->retries =
            mem_realloc(intake->retries, intake->retries_cap, sizeof *intake->retries);
    }
    struct query *heap = intake->retries;
    size_t i = intake->n_retries++;
    for (; i > 0 && is_before(query, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = *query;
}

static struct query pop_retry(struct intake *intake)
{
    struct query *heap = intake->retries, first = heap[0];
    const struct query last = heap[--intake->n_retries];
    size_t i = 0, child, n = intake->n_retries;
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

void intake_retry(struct intake *intake, const struct query *query)
{
    assert(!intake->alone);
    if (query->arrive_ns < intake->setup.fleet->duration_ns)
        push_retry(intake, query);
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
static void enter_era(struct intake *intake, int64_t begin_ns)
{
    const struct fleet_config *fleet = intake->setup.fleet;
    const struct layout *layout = intake->setup.layout;
    struct era era = {.begin_ns = begin_ns,
                      .end_ns = SIMTIME_NEVER,
                      .n_servers = layout->n_fleet_servers,
                      .n_before = (uint32_t)intake->first_server};
    bool own_out = false;
    uint32_t g = 0;
    for (uint32_t i = 0; i < intake->n_leaving; i++) {
        int64_t until_ns;
        uint32_t cell = intake->leaving[i];
        bool out = outage_cell_out(fleet, cell, begin_ns, &until_ns);
        era.end_ns = until_ns < era.end_ns ? until_ns : era.end_ns;
        era.n_servers -= out ? layout->n_servers[cell] : 0;
        era.n_before -= out && cell < intake->setup.cell ? layout->n_servers[cell] : 0;
        if (cell == intake->setup.cell)
            own_out = out;
        else
            intake->guests[g++].away = out;
    }
    era.end_ns = era.end_ns < fleet->duration_ns ? era.end_ns : SIMTIME_NEVER;
    era.own_away = own_out && era.n_servers > 0;
    for (g = 0; g < intake->n_guests; g++) {
        intake->guests[g].away &= !own_out;
        era.has_guests |= intake->guests[g].away;
        if (intake->guests[g].away && begin_ns > 0)
            drop_until(intake->guests[g].source, begin_ns);
    }
    if (!era.own_away && begin_ns > 0 && intake->n_leaving > 0)
        drop_until(intake->own, begin_ns);
    intake->era = era;
}

// Does query `number` of a cell that is out come here? One of the servers in service is drawn, and
// its cell has the query: every cell that asks draws the same one.
static bool comes_here(const struct intake *intake, const struct guest *guest, uint64_t number)
{
    uint64_t words[2];
    rng_block(&guest->draws, number, words);
    uint64_t server = (uint64_t)(((unsigned __int128)words[0] * intake->era.n_servers) >> 64);
    return server - intake->era.n_before < intake->n_servers;
}

static void find_head(const struct intake *intake, struct guest *guest)
{
    size_t n = 1;
    while (!guest->has_head && n > 0) {
        const struct query *query = source_next(guest->source, intake->era.end_ns, 1, &n);
        if (n == 0 || !comes_here(intake, guest, query->seq))
            continue;
        guest->head = *query;
        guest->head.seq |= ((uint64_t)guest->cell + 1) << QUERY_ORIGIN_SHIFT;
        guest->has_head = true;
    }
}

// The first of what is not the cell's own, in this era; NULL: nothing.
static const struct query *first_other(struct intake *intake)
{
    const struct query *first = intake->n_retries ? &intake->retries[0] : NULL;
    if (first && first->arrive_ns >= intake->era.end_ns)
        first = NULL;
    for (uint32_t g = 0; intake->era.has_guests && g < intake->n_guests; g++) {
        struct guest *guest = &intake->guests[g];
        if (!guest->away)
            continue;
        find_head(intake, guest);
        if (guest->has_head && (!first || is_before(&guest->head, first)))
            first = &guest->head;
    }
    return first;
}

static int64_t own_ns(struct intake *intake)
{
    int64_t ns = intake->era.own_away ? SIMTIME_NEVER : source_peek_ns(intake->own);
    return ns < intake->era.end_ns ? ns : SIMTIME_NEVER;
}

// Goes on to the era that has the next query. *own: its time among the cell's own; *other: the
// first of what else comes in that era, NULL when there is none.
static void look(struct intake *intake, int64_t *own, const struct query **other)
{
    for (;;) {
        *own = own_ns(intake);
        *other = first_other(intake);
        if (*own != SIMTIME_NEVER || *other || intake->era.end_ns == SIMTIME_NEVER)
            return;
        enter_era(intake, intake->era.end_ns);
    }
}

// ---- handing out --------------------------------------------------------------------------------

int64_t intake_peek_ns(struct intake *intake)
{
    int64_t own;
    const struct query *other;
    if (intake->alone)
        return source_peek_ns(intake->own);
    look(intake, &own, &other);
    return other && other->arrive_ns < own ? other->arrive_ns : own;
}

static void count(const struct intake *intake, const struct query *queries, size_t n)
{
    uint64_t *n_generated = intake->setup.n_generated;
    if (intake->setup.fleet->n_services == 1) {
        n_generated[0] += n;
        return;
    }
    for (size_t i = 0; i < n; i++)
        n_generated[queries[i].service]++;
}

static void take_other(struct intake *intake, const struct query *other)
{
    intake->one = *other;
    if (intake->n_retries && other == &intake->retries[0]) {
        pop_retry(intake);
        return;
    }
    for (uint32_t g = 0; g < intake->n_guests; g++)
        if (other == &intake->guests[g].head)
            intake->guests[g].has_head = false;
    count(intake, &intake->one, 1);
}

struct query *intake_next(struct intake *intake, int64_t until_ns, size_t max, size_t *n)
{
    int64_t own = 0;
    const struct query *other = NULL;
    if (!intake->alone) {
        look(intake, &own, &other);
        until_ns = until_ns < intake->era.end_ns ? until_ns : intake->era.end_ns;
    }
    // At one time a cell's own come first: their numbers are the lower ones.
    if (other && other->arrive_ns < own && other->arrive_ns < until_ns) {
        take_other(intake, other);
        *n = 1;
        return &intake->one;
    }
    *n = 0;
    if (own >= until_ns || (other && other->arrive_ns < own))
        return &intake->one;
    if (other && other->arrive_ns < until_ns)
        until_ns = other->arrive_ns + 1;
    struct query *queries = source_next(intake->own, until_ns, max, n);
    count(intake, queries, *n);
    return queries;
}

// ---- life ---------------------------------------------------------------------------------------

// Queries made ahead: a full block where cells are few, less where there are thousands of them.
static uint32_t block_queries(uint32_t n_cells)
{
    return n_cells <= 64 ? BLOCK_MOST : n_cells <= 1024 ? 128 : 32;
}

static struct source *create_source(const struct intake *intake, uint32_t cell, struct err *err)
{
    const struct fleet_config *fleet = intake->setup.fleet;
    const struct layout *layout = intake->setup.layout;
    struct source_config config = {.services = intake->traffic,
                                   .n_services = fleet->n_services,
                                   .seed = fleet->seed,
                                   .cell = cell,
                                   .n_cells = fleet->n_cells,
                                   .share_num = layout->n_servers[cell],
                                   .share_den = layout->n_fleet_servers,
                                   .share_first = first_server_of(layout, cell),
                                   .sizes = intake->setup.sizes,
                                   .end_ns = fleet->duration_ns,
                                   .n_block = block_queries(fleet->n_cells),
                                   .sample_frac = fleet->sample_frac};
    return source_create(&config, err);
}

static bool is_listed(const struct intake *intake, uint32_t cell)
{
    for (uint32_t i = 0; i < intake->n_leaving; i++)
        if (intake->leaving[i] == cell)
            return true;
    return false;
}

// The cells that can ever be out, in the order of the events.
static void list_leaving(struct intake *intake)
{
    const struct outage_config *outages = &intake->setup.fleet->outages;
    if (!outages->failover)
        return;
    intake->leaving = mem_calloc(outages->n_events + 1, sizeof *intake->leaving);
    for (size_t i = 0; i < outages->n_events; i++) {
        const struct outage_event *event = &outages->events[i];
        if (event->whole_cell && !is_listed(intake, event->cell))
            intake->leaving[intake->n_leaving++] = event->cell;
    }
}

static int create_guests(struct intake *intake, struct err *err)
{
    intake->guests = mem_calloc(intake->n_leaving + 1, sizeof *intake->guests);
    for (uint32_t i = 0; i < intake->n_leaving; i++) {
        uint32_t cell = intake->leaving[i];
        if (cell == intake->setup.cell)
            continue;
        assert(cell < QUERY_MAX_ORIGINS);
        struct guest *guest = &intake->guests[intake->n_guests];
        guest->cell = cell;
        guest->draws = rng_stream(intake->setup.fleet->seed, RNG_FAILOVER, cell);
        guest->source = create_source(intake, cell, err);
        if (!guest->source)
            return -1;
        intake->n_guests++;
    }
    return 0;
}

struct intake *intake_create(const struct intake_setup *setup, struct err *err)
{
    const struct fleet_config *fleet = setup->fleet;
    struct intake *intake = mem_calloc(1, sizeof *intake);
    intake->setup = *setup;
    intake->n_servers = setup->layout->n_servers[setup->cell];
    intake->first_server = first_server_of(setup->layout, setup->cell);
    intake->traffic = mem_calloc(fleet->n_services, sizeof *intake->traffic);
    for (uint32_t i = 0; i < fleet->n_services; i++)
        intake->traffic[i] = fleet->services[i].traffic;
    list_leaving(intake);
    intake->alone =
        intake->n_leaving == 0 && !(fleet_has_outages(fleet) && fleet->outages.retries > 0);
    intake->own = create_source(intake, setup->cell, err);
    if (!intake->own || create_guests(intake, err) < 0) {
        intake_destroy(intake);
        return NULL;
    }
    enter_era(intake, 0);
    return intake;
}

void intake_destroy(struct intake *intake)
{
    if (!intake)
        return;
    for (uint32_t g = 0; g < intake->n_guests; g++)
        source_destroy(intake->guests[g].source);
    source_destroy(intake->own);
    mem_free(intake->guests);
    mem_free(intake->leaving);
    mem_free(intake->retries);
    mem_free(intake->traffic);
    mem_free(intake);
}

// ---- as bytes -----------------------------------------------------------------------------------

// The era; the own stream; each guest's stream and head; the retries.
void intake_save(const struct intake *intake, struct blob *blob)
{
    blob_put_i64(blob, intake->era.begin_ns);
    source_save(intake->own, blob);
    for (uint32_t g = 0; g < intake->n_guests; g++) {
        const struct guest *guest = &intake->guests[g];
        source_save(guest->source, blob);
        blob_put_u32(blob, guest->has_head);
        blob_put(blob, &guest->head, sizeof guest->head);
    }
    blob_put_u64(blob, intake->n_retries);
    blob_put(blob, intake->retries, intake->n_retries * sizeof *intake->retries);
}

// Can this query be handed to a server?
static bool is_sound(const struct intake *intake, const struct query *query)
{
    const struct fleet_config *fleet = intake->setup.fleet;
    return query->service < fleet->n_services && query->size_items >= 1 &&
           query->size_items <= fleet->services[query->service].traffic.sizes.max_items &&
           query->arrive_ns >= 0 && query->arrive_ns < fleet->duration_ns &&
           query_first_ns(query) >= 0;
}

static int load_guest(struct intake *intake, struct guest *guest, struct blob_reader *reader,
                      struct err *err)
{
    if (source_load(guest->source, reader, err) < 0)
        return -1;
    guest->has_head = blob_get_u32(reader) != 0;
    blob_get(reader, &guest->head, sizeof guest->head);
    if (guest->has_head && !is_sound(intake, &guest->head))
        blob_refuse(reader);
    return 0;
}

static void load_retries(struct intake *intake, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    if (n > blob_left(reader) / sizeof(struct query) || (n > 0 && intake->alone)) {
        blob_refuse(reader);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        struct query query;
        blob_get(reader, &query, sizeof query);
        if (is_sound(intake, &query))
            push_retry(intake, &query);
        else
            blob_refuse(reader);
    }
}

int intake_load(struct intake *intake, struct blob_reader *reader, struct err *err)
{
    int64_t begin_ns = blob_get_i64(reader);
    if (source_load(intake->own, reader, err) < 0)
        return -1;
    for (uint32_t g = 0; g < intake->n_guests; g++)
        if (load_guest(intake, &intake->guests[g], reader, err) < 0)
            return -1;
    load_retries(intake, reader);
    if (begin_ns < 0 || begin_ns >= intake->setup.fleet->duration_ns || reader->short_of) {
        blob_refuse(reader);
        return err_set(err, ERR_FAIL, "damaged state");
    }
    enter_era(intake, begin_ns);
    return 0;
}
