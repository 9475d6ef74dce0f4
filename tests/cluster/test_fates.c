// SPDX-License-Identifier: Apache-2.0
// Whole runs with outages: no query is forgotten or counted twice, and what becomes of each depends
// on nothing but the study.
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture_outages.h"
#include "cluster/run.h"
#include "results/gather.h"
#include "support/suite_mpi.h"

#define DURATION_NS (8 * SIMTIME_MS)

// Runs the fleet over `comm` and adds the records up; NULL but on rank 0.
static struct record *run(MPI_Comm comm, const struct fixture *fixture, enum layout_mode layout)
{
    int64_t warmup_ns = fixture->config.duration_ns / 4;
    struct record *mine = fixture_record(fixture, FIXTURE_OUTAGE_BINS, warmup_ns);
    struct record *total = NULL;
    struct run_options options = {.layout = layout};
    struct run_cost cost;
    struct err err = {0};
    int rc = run_fleet(comm, &fixture->config, &options, mine, &cost, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = gather_record(comm, mine, &total, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    record_destroy(mine);
    return total;
}

static void init(struct fixture *fixture, int study)
{
    fixture_outages[study](fixture, DURATION_NS);
    fixture_ready(fixture);
}

// Queries of a service in the streams of all cells.
static uint64_t n_in_streams(const struct fixture *fixture, uint32_t service)
{
    uint64_t n = 0;
    for (uint32_t cell = 0; cell < fixture->config.n_cells; cell++) {
        size_t n_queries;
        struct query *queries = fixture_queries(fixture, cell, &n_queries);
        for (size_t i = 0; i < n_queries; i++)
            n += queries[i].service == service;
        mem_free(queries);
    }
    return n;
}

static uint64_t n_retried(const struct record *record)
{
    uint64_t n = 0;
    for (size_t i = 0; i < record_n_tallies(&record->shape); i++)
        n += record->tallies[i].n_retries;
    return n;
}

// ---- core ---------------------------------------------------------------------------------------

// Of every service, all queries of all streams were taken in, each once, and each was answered, was
// lost or is in flight at the end.
START_TEST(conserved)
{
    for (int study = 0; fixture_outages[study]; study++) {
        struct fixture fixture;
        init(&fixture, study);
        struct record *record = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO);
        uint64_t n_lost = 0;
        for (uint32_t service = 0; service < 2; service++) {
            struct record_fates fates = record_fates(record, service);
            ck_assert_uint_eq(fates.n_generated, n_in_streams(&fixture, service));
            ck_assert_uint_eq(fates.n_generated,
                              fates.n_answered + fates.n_lost + fates.n_in_flight);
            ck_assert_uint_gt(fates.n_answered, fates.n_generated / 2);
            n_lost += fates.n_lost;
        }
        ck_assert_msg(n_lost + n_retried(record) > 10, "study %d loses next to nothing", study);
        ck_assert_int_eq(n_retried(record) > 0, fixture.config.outages.retries > 0);
        record_destroy(record);
        fixture_release(&fixture);
    }
}
END_TEST

static void assert_study(int study)
{
    static const int64_t windows_ns[] = {0, 7 * SIMTIME_US};
    struct fixture fixture;
    init(&fixture, study);
    struct record *one = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO);
    for (enum layout_mode layout = 0; layout < N_LAYOUT_MODES; layout++)
        for (int w = 0; w < 2; w++) {
            fixture.config.window_ns = windows_ns[w];
            struct record *many = run(MPI_COMM_WORLD, &fixture, layout);
            bool same = !many || fixture_same_record(one, many);
            record_destroy(many);
            ck_assert_msg(same, "study %d, layout %s, window %d", study, layout_mode_names[layout],
                          w);
        }
    record_destroy(one);
    fixture_release(&fixture);
}

// The record does not depend on ranks, layout or window.
START_TEST(same_record)
{
    for (int study = 0; fixture_outages[study]; study++)
        assert_study(study);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Delays of nothing at all: news comes within the nanosecond, and retries one microsecond later.
START_TEST(no_delays)
{
    struct fixture fixture;
    fixture_outage_cells(&fixture, DURATION_NS / 8);
    fixture.config.balancer.policy = 0; // policies that look at their servers want a delay
    fixture.config.balancer.dispatch_delay_ns = 0;
    fixture.config.balancer.status_delay_ns = 0;
    fixture.config.outages.detect_delay_ns = 0;
    fixture_ready(&fixture);
    struct record *one = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO);
    struct record *many = run(MPI_COMM_WORLD, &fixture, LAYOUT_SPREAD);
    bool same = !many || fixture_same_record(one, many);
    struct record_fates fates = record_fates(one, 0);
    record_destroy(one);
    record_destroy(many);
    ck_assert(same);
    ck_assert_uint_eq(fates.n_generated, fates.n_answered + fates.n_lost + fates.n_in_flight);
    fixture_release(&fixture);
}
END_TEST

// A fleet that could lose servers but loses none in the run: the record of the fleet that cannot.
START_TEST(nothing_happens)
{
    struct fixture with, without;
    fixture_outage_cells(&with, DURATION_NS);
    fixture_outage_cells(&without, DURATION_NS);
    with.config.outages.mtbf_s = 1e9;
    with.config.outages.mttr_s = 1e-9;
    for (size_t i = 0; i < with.config.outages.n_events; i++)
        with.events[i].at_ns += DURATION_NS;
    memset(&without.config.outages, 0, sizeof without.config.outages);
    fixture_ready(&with);
    fixture_ready(&without);
    struct record *a = run(MPI_COMM_SELF, &with, LAYOUT_AUTO);
    struct record *b = run(MPI_COMM_SELF, &without, LAYOUT_AUTO);
    ck_assert(fixture_same_record(a, b));
    record_destroy(a);
    record_destroy(b);
    fixture_release(&with);
    fixture_release(&without);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", conserved},
                                       {"core", same_record},
                                       {"limits", no_delays},
                                       {"limits", nothing_happens}};
    return suite_mpi_run(&argc, &argv, "fates", tests, sizeof tests / sizeof *tests);
}
