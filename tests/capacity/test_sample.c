// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/sample.h"

#include <string.h>

#include "base/mem.h"
#include "capacity/sample_fixture.h"
#include "support/suite_mpi.h"
#include "cluster/sched.h"

static void run(const struct slice *slices, size_t n, struct slice_result *results)
{
    struct sample_bench *bench = sample_bench_create(MPI_COMM_WORLD, NULL);
    struct err err = {0};
    ck_assert_msg(sample_run(bench, slices, n, results, &err) == 0, "%s", err.text);
    sample_bench_destroy(bench);
}

// The whole fleet in one slice sees all traffic: 20000 and 8000 queries per second within 4
// standard deviations of a Poisson count, and its histograms hold every query.
START_TEST(whole_fleet_sees_all_traffic)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct slice slice = sample_fixture_slice(&fleet, 1, 4);
    struct slice_result result;
    uint64_t counted = 0;
    slice.rates_qps = (const double[]){20000, 8000};
    run(&slice, 1, &result);
    ck_assert_double_eq_tol((double)result.services[0].n_queries, 4000, 4 * 63.2);
    ck_assert_double_eq_tol((double)result.services[1].n_queries, 1600, 4 * 40.0);
    for (uint32_t i = 0; i < result.services[0].n_counts; i++)
        counted += result.services[0].counts[i];
    ck_assert_uint_eq(counted, result.services[0].n_queries);
    ck_assert(result.share_frac == 1);
    ck_assert_int_eq(result.overall.stable, VERDICT_MET);
    // 16 servers of 4 cores for 0.2 s.
    ck_assert_double_eq_tol(result.core_s, 12.8, 1e-9);
    ck_assert(result.overall.n_queries > result.services[0].n_queries);
    sample_release(&result, 1);
    study_destroy(study);
}
END_TEST

// What a slice answers does not depend on what it was simulated beside: many at once, dealt over
// the ranks, and each by itself on all of them.
START_TEST(company_does_not_matter)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct slice slices[5];
    struct slice_result together[5], alone;
    for (uint32_t i = 0; i < 5; i++) {
        slices[i] = sample_fixture_slice(&fleet, i, 1 + i % 4);
        slices[i].start_s = 5.0 * i - 3;
    }
    run(slices, 5, together);
    for (uint32_t i = 0; i < 5; i++) {
        run(&slices[i], 1, &alone);
        ck_assert(sample_fixture_same(&together[i], &alone));
        sample_release(&alone, 1);
    }
    ck_assert(!sample_fixture_same(&together[0], &together[4]));
    sample_release(together, 5);
    study_destroy(study);
}
END_TEST

// The same number at the same place sees the same queries whatever the servers do with them.
START_TEST(a_number_keys_the_queries)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers), split = fleet;
    const struct settings ten = sched_plain(&sched_split, 10, 1);
    const struct settings choices[4] = {ten, ten, ten, ten};
    split.choices = choices;
    const struct slice slices[2] = {sample_fixture_slice(&fleet, 7, 2),
                                    sample_fixture_slice(&split, 7, 2)};
    struct slice_result results[2];
    run(slices, 2, results);
    ck_assert_uint_eq(results[0].services[0].n_queries, results[1].services[0].n_queries);
    ck_assert_uint_eq(results[0].services[1].n_queries, results[1].services[1].n_queries);
    ck_assert(!sample_fixture_same(&results[0], &results[1]));
    sample_release(results, 2);
    study_destroy(study);
}
END_TEST

// A service's own process begins where the slice does: the curve's peak is three times its trough.
// The counts of 24 slices each are known to 1.6 % (4 standard deviations: 7 %).
START_TEST(begins_at_its_time_of_the_day)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct slice slices[48];
    struct slice_result results[48];
    uint64_t n[2] = {0, 0};
    for (uint32_t i = 0; i < 48; i++) {
        slices[i] = sample_fixture_slice(&fleet, i, 1);
        slices[i].start_s = i < 24 ? -0.15 : 12 + 24 - 0.15;
    }
    run(slices, 48, results);
    for (uint32_t i = 0; i < 48; i++)
        n[i / 24] += results[i].services[1].n_queries;
    ck_assert_double_eq_tol((double)n[1] / (double)n[0], 3, 0.21);
    sample_release(results, 48);
    study_destroy(study);
}
END_TEST

// Services that are not asked for and groups without servers are left out; nothing at all is
// stable and empty.
START_TEST(leaves_out_what_is_not_asked_for)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2], second = 1, none[2] = {0, 0};
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers), empty = fleet;
    fleet.services = &second;
    fleet.n_services = 1;
    n_servers[1] = 0;
    empty.n_servers = none;
    const struct slice slices[2] = {sample_fixture_slice(&fleet, 1, 4),
                                    sample_fixture_slice(&empty, 1, 4)};
    struct slice_result results[2];
    run(slices, 2, results);
    ck_assert_uint_eq(results[0].n_services, 1);
    ck_assert(results[0].services[0].n_queries > 0);
    ck_assert_double_eq_tol(results[0].core_s, 12 * 4 * 0.2, 1e-9);
    ck_assert_uint_eq(results[1].services[0].n_queries, 0);
    ck_assert_uint_eq(results[1].services[1].n_queries, 0);
    ck_assert_int_eq(results[1].overall.stable, VERDICT_MET);
    sample_release(results, 2);
    study_destroy(study);
}
END_TEST

// Fewer cores, more load: 28000 queries of about 1 ms on 16 servers need at least 1.5 cores each.
START_TEST(tells_an_overload)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    fleet.n_cores = 1;
    const struct slice slice = sample_fixture_slice(&fleet, 1, 4);
    struct slice_result result;
    run(&slice, 1, &result);
    ck_assert_int_eq(result.overall.stable, VERDICT_MISSED);
    ck_assert_int_eq(result.overall.sla, VERDICT_MISSED);
    sample_release(&result, 1);
    study_destroy(study);
}
END_TEST

static void expect_refused(struct study *study, const char *reason)
{
    struct err err = {0};
    ck_assert_int_eq(sample_check(study, false, &err), -1);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// Cells that take each other's traffic are not independent, a list of failures belongs to a time:
// neither can be cut. Crashes at random can.
START_TEST(refuses_what_cannot_be_cut)
{
    struct study *study = sample_fixture_study();
    const struct outage_event event = {.for_ns = 1, .whole_cell = true};
    struct err err = {0};
    study->outages.mtbf_s = study->outages.mttr_s = 1;
    ck_assert_int_eq(sample_check(study, false, &err), 0);
    struct outage_config before = study->outages;
    study->outages.events = &event;
    study->outages.n_events = 1;
    study->outages.failover = false;
    expect_refused(study, "failures.events");
    study->outages.failover = true;
    expect_refused(study, "not independent");
    study->outages = before;
    study->group_configs[1].on.n_steps = 2;
    expect_refused(study, "\"odd\"");
    study->group_configs[1].on.n_steps = 0;
    study_destroy(study);
}
END_TEST

// A replay cannot begin anywhere; with rates it can, and its sizes are the study's table.
START_TEST(refuses_a_replay)
{
    struct study *study = sample_fixture_study();
    struct arrival_config *arrivals = &study->services[1].traffic.arrivals;
    struct err err = {0};
    int64_t process = arrivals->process;
    arrivals->process = arrival_find("replay");
    arrivals->sizes_from = ARRIVAL_SIZES_DISTRIBUTION;
    expect_refused(study, "\"b\" replays a trace");
    ck_assert_int_eq(sample_check(study, true, &err), 0);
    arrivals->process = process;
    study_destroy(study);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", whole_fleet_sees_all_traffic},       {"core", company_does_not_matter},
        {"core", a_number_keys_the_queries},          {"core", begins_at_its_time_of_the_day},
        {"limits", leaves_out_what_is_not_asked_for}, {"limits", tells_an_overload},
        {"errors", refuses_what_cannot_be_cut},       {"errors", refuses_a_replay}};
    return suite_mpi_run(&argc, &argv, "sample", tests, sizeof tests / sizeof *tests);
}
