// SPDX-License-Identifier: Apache-2.0
#include "cluster/exchange_local.h"

#include "base/mem.h"
#include "cluster/fixture.h"
#include "cluster/policy.h"
#include "support/suite.h"

// A cell of two groups in this process, and its queries dealt to the servers in turn.
struct cell {
    struct fixture fixture;
    struct layout *layout;
    struct record *record;
    struct server_block **blocks;
    struct exchange_local exchange;
    struct query *queries;
    size_t n;
};

static void init(struct cell *cell, const char *policy)
{
    fixture_init(&cell->fixture, 1, 2);
    fixture_ready(&cell->fixture);
    fixture_set_policy(&cell->fixture, policy);
    cell->layout = layout_create(&cell->fixture.config, 1, LAYOUT_AUTO);
    cell->record = fixture_record(&cell->fixture, 3, 0);
    cell->blocks = fixture_blocks(&cell->fixture, cell->layout, -1, cell->record);
    exchange_local_init(&cell->exchange, cell->blocks);
    cell->queries = fixture_queries(&cell->fixture, 0, &cell->n);
    for (size_t i = 0; i < cell->n; i++)
        cell->queries[i].server = i % 200 < 100 ? i % 4 : 4 + i % 4; // 100 for either group
}

static void release(struct cell *cell)
{
    record_destroy(cell->record);
    layout_destroy(cell->layout);
    mem_free(cell->queries);
    fixture_release(&cell->fixture);
}

// Delivering a parcel runs its part's servers at once: the record is that of the blocks alone, and
// the completions are there when the call returns.
START_TEST(delivers)
{
    struct cell through, direct;
    struct completions reports = {0}, wanted = {0};
    init(&through, "power-of-two");
    init(&direct, "power-of-two");
    struct exchange *exchange = &through.exchange.base;
    for (size_t i = 0; i < through.n; i += 100) {
        size_t n = through.n - i < 100 ? through.n - i : 100;
        uint32_t part = i / 100 % 2;
        struct parcel parcel = {part, i / 100, through.queries + i, n, 0};
        size_t before = reports.n;
        ck_assert(exchange->type->deliver(exchange, &parcel, &reports));
        ck_assert_uint_eq(reports.n, before + n);
        server_block_run(direct.blocks[part], direct.queries + i, n, &wanted);
    }
    exchange->type->close(exchange, 0);
    ck_assert_mem_eq(reports.v, wanted.v, wanted.n * sizeof *wanted.v);
    fixture_finish(through.blocks, through.layout);
    fixture_finish(direct.blocks, direct.layout);
    ck_assert(fixture_same_record(through.record, direct.record));
    completions_release(&reports);
    completions_release(&wanted);
    release(&through);
    release(&direct);
}
END_TEST

// So is what was lost, whoever listens: by a server that is down all the time everything.
START_TEST(delivers_losses)
{
    struct cell cell;
    struct completions reports = {0};
    init(&cell, "random");
    fixture_finish(cell.blocks, cell.layout);
    cell.fixture.events[0] =
        (struct outage_event){.for_ns = cell.fixture.config.duration_ns, .server = 1};
    cell.fixture.config.outages =
        (struct outage_config){.retries = 1, .events = cell.fixture.events, .n_events = 1};
    cell.blocks = fixture_blocks(&cell.fixture, cell.layout, -1, cell.record);
    exchange_local_init(&cell.exchange, cell.blocks);
    struct exchange *exchange = &cell.exchange.base;
    struct parcel parcel = {0, 0, cell.queries, 100, 0};
    ck_assert(exchange->type->deliver(exchange, &parcel, &reports));
    ck_assert_uint_eq(reports.n, 0);
    ck_assert_uint_eq(reports.n_lost, 25); // dealt to four in turn
    for (size_t i = 0; i < reports.n_lost; i++) {
        const struct query *query = &cell.queries[4 * i + 1];
        ck_assert_mem_eq(&reports.lost[i].query, query, sizeof *query);
        ck_assert_int_eq(reports.lost[i].at_ns,
                         query->arrive_ns + cell.fixture.config.balancer.dispatch_delay_ns);
    }
    fixture_finish(cell.blocks, cell.layout);
    completions_release(&reports);
    release(&cell);
}
END_TEST

// Every part is here, and there is always room.
START_TEST(always_here)
{
    struct cell cell;
    init(&cell, "random");
    struct exchange *exchange = &cell.exchange.base;
    ck_assert_str_eq(exchange->type->name, "local");
    for (uint32_t part = 0; part < cell.layout->n_parts; part++)
        ck_assert(exchange->type->is_local(exchange, part));
    ck_assert(exchange->type->has_room(exchange));
    fixture_finish(cell.blocks, cell.layout);
    release(&cell);
}
END_TEST

// Nobody listens: no completions.
START_TEST(nobody_listens)
{
    struct cell cell;
    struct completions reports = {0};
    init(&cell, "random");
    struct exchange *exchange = &cell.exchange.base;
    struct parcel parcel = {0, 0, cell.queries, 100, 0};
    ck_assert(exchange->type->deliver(exchange, &parcel, &reports));
    ck_assert_uint_eq(reports.n, 0);
    fixture_finish(cell.blocks, cell.layout);
    release(&cell);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", delivers},
                                       {"core", delivers_losses},
                                       {"core", always_here},
                                       {"limits", nobody_listens}};
    return suite_run("exchange_local", tests, sizeof tests / sizeof *tests);
}
