// SPDX-License-Identifier: Apache-2.0
#include "cluster/exchange_mpi.h"

#include <sched.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/exchange_local.h"
#include "cluster/fixture.h"
#include "cluster/policy.h"
#include "cluster/wire.h"
#include "results/gather.h"
#include "support/suite_mpi.h"

enum { PARCEL_QUERIES = 100 };

// Three cells of two groups, every one over all ranks, and this rank's share of them.
struct site {
    struct fixture fixture;
    MPI_Comm comm;
    struct layout *layout;
    struct record *record;
    struct server_block **blocks;
    struct exchange_mpi *mpi;
    struct balancer *balancers[3];
};

// With retries, servers crash some twice in the run.
static void init(struct site *site, const char *policy, int64_t retries)
{
    *site = (struct site){.layout = NULL};
    fixture_init(&site->fixture, 1, 2);
    site->fixture.config.duration_ns = 10 * SIMTIME_MS;
    site->fixture.config.n_cells = 3;
    fixture_set_policy(&site->fixture, policy);
    site->fixture.config.outages = (struct outage_config){
        .mtbf_s = retries > 0 ? 4e-3 : 0, .mttr_s = 1e-3, .retries = retries};
    fixture_ready(&site->fixture);
    MPI_Comm_dup(MPI_COMM_WORLD, &site->comm);
    site->layout = layout_create(&site->fixture.config, suite_mpi_size(), LAYOUT_SPREAD);
    site->record = fixture_record(&site->fixture, 2, 0);
    site->blocks = fixture_blocks(&site->fixture, site->layout, suite_mpi_rank(), site->record);
    site->mpi = exchange_mpi_create(&(struct exchange_mpi_config){
        site->comm, site->layout, site->blocks, fleet_wants_answers(&site->fixture.config)});
    exchange_mpi_listen(site->mpi, site->balancers);
}

static void release(struct site *site)
{
    exchange_mpi_destroy(site->mpi);
    record_destroy(site->record);
    layout_destroy(site->layout);
    fixture_release(&site->fixture);
    MPI_Comm_free(&site->comm);
}

static struct balancer *make_balancer(const struct fixture *fixture, const struct layout *layout,
                                      uint32_t cell, struct exchange *exchange,
                                      struct record *record)
{
    struct err err = {0};
    struct balancer_setup setup = {.fleet = &fixture->config,
                                   .layout = layout,
                                   .tabs = (const struct svctab *const *)fixture->tabs,
                                   .cell = cell,
                                   .exchange = exchange,
                                   .record = record};
    struct balancer *balancer = balancer_create(&setup, &err);
    ck_assert_msg(balancer != NULL, "%s", err.text);
    return balancer;
}

// Handles what comes in until nothing more can.
static void settle(struct site *site)
{
    struct err err = {0};
    int n = 1;
    while (n > 0 || !exchange_mpi_idle(site->mpi)) {
        ck_assert_msg(exchange_mpi_poll(site->mpi, &n, &err) == 0, "%s", err.text);
        sched_yield();
    }
}

// The same fleet with every server in this process.
static struct record *alone(const struct fixture *fixture)
{
    struct layout *layout = layout_create(&fixture->config, 1, LAYOUT_AUTO);
    struct record *record = fixture_record(fixture, 2, 0);
    struct server_block **blocks = fixture_blocks(fixture, layout, -1, record);
    struct exchange_local local;
    exchange_local_init(&local, blocks);
    for (uint32_t cell = 0; cell < 3; cell++) {
        struct balancer *balancer = make_balancer(fixture, layout, cell, &local.base, record);
        while (balancer_step(balancer) == BALANCER_ADVANCED)
            ;
        balancer_destroy(balancer);
    }
    fixture_finish(blocks, layout);
    layout_destroy(layout);
    return record;
}

// Folds, adds up the ranks' records and holds them against the fleet in one process.
static void assert_as_alone(struct site *site)
{
    struct record *total, *expected = alone(&site->fixture);
    fixture_finish(site->blocks, site->layout);
    int rc = gather_record(MPI_COMM_WORLD, site->record, &total, NULL);
    ck_assert_int_eq(rc, 0);
    if (total)
        ck_assert(fixture_same_record(total, expected));
    record_destroy(total);
    record_destroy(expected);
}

// Hands a cell's queries over by part, PARCEL_QUERIES at a time; returns the bytes that takes.
static uint64_t hand_over(struct site *site, uint32_t cell)
{
    struct exchange *exchange = exchange_mpi_base(site->mpi);
    size_t n, m;
    uint64_t bytes = 0;
    struct query *queries = fixture_queries(&site->fixture, cell, &n);
    struct query *some = mem_calloc(PARCEL_QUERIES, sizeof *some);
    for (size_t q = 0; q < n; q++)
        site->record->n_generated[queries[q].service]++;
    for (size_t i = 0; i < n; i += PARCEL_QUERIES)
        for (uint32_t p = site->layout->first_part[cell]; p < site->layout->first_part[cell + 1];
             p++) {
            const struct layout_part *part = &site->layout->parts[p];
            m = 0;
            for (size_t q = i; q < n && q < i + PARCEL_QUERIES; q++) {
                some[m] = queries[q];
                some[m].server = (uint32_t)(q % site->layout->n_servers[cell]);
                m += some[m].server - part->first_in_cell < part->n_servers;
            }
            bool here = exchange->type->deliver(exchange, &(struct parcel){p, 0, some, m, 0}, NULL);
            ck_assert_int_eq(here, part->rank == suite_mpi_rank());
            bytes += here ? 0 : wire_bytes(m, sizeof *some);
        }
    exchange->type->close(exchange, cell);
    for (uint32_t p = site->layout->first_part[cell]; p < site->layout->first_part[cell + 1]; p++)
        bytes += site->layout->parts[p].rank == suite_mpi_rank() ? 0 : wire_bytes(0, 0);
    mem_free(queries);
    mem_free(some);
    return bytes;
}

// ---- core ---------------------------------------------------------------------------------------

// Parcels get to their servers wherever they are: the ranks' records add up to those of one process
// (round-robin deals by number, as hand_over does), and as many bytes are sent as messages hold.
START_TEST(parcels_arrive)
{
    struct site site;
    uint64_t bytes = 0;
    init(&site, "round-robin", 0);
    for (uint32_t cell = 0; cell < 3; cell++)
        if (site.layout->balancer_rank[cell] == suite_mpi_rank())
            bytes += hand_over(&site, cell);
    settle(&site);
    MPI_Barrier(MPI_COMM_WORLD);
    ck_assert_uint_eq(exchange_mpi_bytes_sent(site.mpi), bytes);
    assert_as_alone(&site);
    release(&site);
}
END_TEST

static void run_balancers(struct site *site)
{
    struct err err = {0};
    int n_handled;
    for (uint32_t cell = 0; cell < 3; cell++)
        if (site->layout->balancer_rank[cell] == suite_mpi_rank())
            site->balancers[cell] = make_balancer(&site->fixture, site->layout, cell,
                                                  exchange_mpi_base(site->mpi), site->record);
    for (bool done = false; !done;) {
        done = true;
        for (uint32_t cell = 0; cell < 3; cell++)
            if (site->balancers[cell])
                done &= balancer_step(site->balancers[cell]) == BALANCER_DONE;
        ck_assert_msg(exchange_mpi_poll(site->mpi, &n_handled, &err) == 0, "%s", err.text);
        sched_yield();
    }
    settle(site);
    for (uint32_t cell = 0; cell < 3; cell++)
        balancer_destroy(site->balancers[cell]);
}

// Balancers that listen hear from servers elsewhere what those here would have told them.
START_TEST(answers_come_back)
{
    struct site site;
    init(&site, "power-of-two", 0);
    run_balancers(&site);
    MPI_Barrier(MPI_COMM_WORLD);
    assert_as_alone(&site);
    release(&site);
}
END_TEST

// Lost queries come back from servers elsewhere, to balancers that want completions and to such as
// do not, and are tried again as if the servers were here.
START_TEST(losses_come_back)
{
    static const char *const policies[] = {"power-of-two", "random"};
    for (int p = 0; p < 2; p++) {
        struct site site;
        init(&site, policies[p], 2);
        run_balancers(&site);
        MPI_Barrier(MPI_COMM_WORLD);
        assert_as_alone(&site);
        uint64_t n_retries = 0, n_all;
        for (size_t i = 0; i < record_n_tallies(&site.record->shape); i++)
            n_retries += site.record->tallies[i].n_retries;
        MPI_Allreduce(&n_retries, &n_all, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
        ck_assert_uint_gt(n_all, 20);
        release(&site);
    }
}
END_TEST

// A part is local where the layout puts it, and only there.
START_TEST(who_is_local)
{
    struct site site;
    init(&site, "random", 0);
    struct exchange *exchange = exchange_mpi_base(site.mpi);
    ck_assert_str_eq(exchange->type->name, "mpi");
    for (uint32_t p = 0; p < site.layout->n_parts; p++)
        ck_assert_int_eq(exchange->type->is_local(exchange, p),
                         site.layout->parts[p].rank == suite_mpi_rank());
    ck_assert(exchange->type->has_room(exchange));
    fixture_finish(site.blocks, site.layout);
    release(&site);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Idle only when every balancer elsewhere has closed; nothing but closing need be said.
START_TEST(only_closing)
{
    struct site site;
    int n;
    init(&site, "random", 0);
    struct exchange *exchange = exchange_mpi_base(site.mpi);
    bool fed_from_elsewhere = false;
    for (uint32_t p = 0; p < site.layout->n_parts; p++)
        fed_from_elsewhere |=
            site.layout->parts[p].rank == suite_mpi_rank() &&
            site.layout->balancer_rank[site.layout->parts[p].cell] != suite_mpi_rank();
    bool idle_before = exchange_mpi_idle(site.mpi);
    MPI_Barrier(MPI_COMM_WORLD);
    for (uint32_t cell = 0; cell < 3; cell++)
        if (site.layout->balancer_rank[cell] == suite_mpi_rank())
            exchange->type->close(exchange, cell);
    settle(&site);
    MPI_Barrier(MPI_COMM_WORLD);
    ck_assert_int_eq(idle_before, !fed_from_elsewhere);
    ck_assert_int_eq(exchange_mpi_poll(site.mpi, &n, NULL), 0);
    ck_assert_int_eq(n, 0);
    fixture_finish(site.blocks, site.layout);
    exchange_mpi_destroy(NULL);
    release(&site);
}
END_TEST

// A balancer with many parcels under way is told to wait, until some have left.
START_TEST(room)
{
    struct site site;
    init(&site, "random", 0);
    struct exchange *exchange = exchange_mpi_base(site.mpi);
    bool had_room = true, has_room;
    uint64_t n_sent = 0, n_remote = 0;
    for (uint32_t p = 0; p < site.layout->n_parts; p++)
        n_remote +=
            site.layout->parts[p].cell == 0 && site.layout->parts[p].rank != suite_mpi_rank();
    if (site.layout->balancer_rank[0] == suite_mpi_rank() && n_remote > 0)
        for (; had_room && n_sent < 2000; n_sent++) {
            uint32_t p = 0;
            while (site.layout->parts[p].rank == suite_mpi_rank())
                p++;
            struct query query = {.arrive_ns = (int64_t)n_sent,
                                  .size_items = 1,
                                  .server = site.layout->parts[p].first_in_cell};
            exchange->type->deliver(exchange, &(struct parcel){p, 0, &query, 1, 0}, NULL);
            had_room = exchange->type->has_room(exchange);
        }
    for (uint32_t cell = 0; cell < 3; cell++)
        if (site.layout->balancer_rank[cell] == suite_mpi_rank())
            exchange->type->close(exchange, cell);
    settle(&site);
    has_room = exchange->type->has_room(exchange);
    MPI_Barrier(MPI_COMM_WORLD);
    ck_assert(has_room);
    ck_assert(had_room || n_sent >= 64); // how soon messages leave is up to MPI
    fixture_finish(site.blocks, site.layout);
    release(&site);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", parcels_arrive},   {"core", answers_come_back},
                                       {"core", losses_come_back}, {"core", who_is_local},
                                       {"limits", only_closing},   {"limits", room}};
    return suite_mpi_run(&argc, &argv, "exchange_mpi", tests, sizeof tests / sizeof *tests);
}
