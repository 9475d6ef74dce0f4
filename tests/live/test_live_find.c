// SPDX-License-Identifier: Apache-2.0
// How fast this machine is at the moment is nobody's business here: what is looked at is the
// search.
#include "live/live_find.h"

#include <math.h>
#include <string.h>

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "support/suite_mpi.h"

static const struct serve_config usual = {
    .engine = &engine_spin, .rests = true, .most_waiting = 1000, .grace_ns = SIMTIME_S};

// The simulation's bracket is narrow and about where the server is full; runs for real begin there,
// what they held and missed is between their steps, and the study's rates are what they were.
START_TEST(brackets)
{
    struct err err = {0};
    struct live_find find;
    struct study *study = live_fixture_study("traffic[0].sla={p95: 1ms}", NULL, NULL);
    ck_assert_msg(live_find(MPI_COMM_WORLD, study, &usual, 3, &find, &err) == 0, "%s", err.text);
    ck_assert_double_eq(study->services[0].traffic.rate_qps, 1000);
    // Queries are 100 us of two cores: 20 kqps are all that they can do.
    ck_assert_double_gt(find.simulated_held_qps, 10000);
    ck_assert_double_lt(find.simulated_missed_qps, 24000);
    ck_assert_double_lt(find.simulated_missed_qps / find.simulated_held_qps, 1.01);
    ck_assert_uint_eq(find.n_steps, 3);
    ck_assert_double_eq(find.steps[0].rate_qps, find.simulated_held_qps);
    ck_assert_double_le(find.steps[0].simulated, 1);
    ck_assert_double_lt(find.held_qps, find.missed_qps);
    for (uint32_t i = 0; i < find.n_steps; i++) {
        bool held = find.steps[i].measured <= 1;
        ck_assert(held ? find.steps[i].rate_qps <= find.held_qps
                       : find.steps[i].rate_qps >= find.missed_qps);
    }
    study_destroy(study);
}
END_TEST

// Where the simulation holds nothing, as queries take longer than the target, runs for real begin
// below what it missed.
START_TEST(nothing_holds)
{
    struct err err = {0};
    struct live_find find;
    struct study *study = live_fixture_study("traffic[0].sla={p95: 20us}", NULL, NULL);
    ck_assert_msg(live_find(MPI_COMM_WORLD, study, &usual, 1, &find, &err) == 0, "%s", err.text);
    ck_assert_double_eq(find.simulated_held_qps, 0);
    ck_assert_double_lt(find.steps[0].rate_qps, find.simulated_missed_qps);
    study_destroy(study);
}
END_TEST

// A study whose own rate brings no query has the same answer.
START_TEST(any_rate)
{
    struct err err = {0};
    struct live_find find;
    struct study *study =
        live_fixture_study("traffic[0].sla={p95: 1ms}", "traffic[0].rate=1e-3qps", NULL);
    ck_assert_msg(live_find(MPI_COMM_WORLD, study, &usual, 1, &find, &err) == 0, "%s", err.text);
    ck_assert_double_gt(find.simulated_held_qps, 10000);
    ck_assert_double_lt(find.simulated_missed_qps, 24000);
    study_destroy(study);
}
END_TEST

static bool at_once(void *user)
{
    (void)user;
    return true;
}

// Stopped in the first run, nothing is known of the server, and the simulation's answer is.
START_TEST(stopped)
{
    struct live_find find;
    struct serve_config config = usual;
    struct study *study = live_fixture_study("traffic[0].sla={p95: 1ms}", NULL, NULL);
    config.stops = at_once;
    ck_assert_int_eq(live_find(MPI_COMM_WORLD, study, &config, 3, &find, NULL), 0);
    ck_assert(find.stopped);
    ck_assert_uint_eq(find.n_steps, 0);
    ck_assert_double_eq(find.held_qps, 0);
    ck_assert(isinf(find.missed_qps));
    ck_assert_double_gt(find.simulated_held_qps, 0);
    study_destroy(study);
}
END_TEST

// There is nothing to look for without a target.
START_TEST(refuses)
{
    struct err err = {0};
    struct live_find find;
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    ck_assert_int_eq(live_find(MPI_COMM_WORLD, study, &usual, 3, &find, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no service has a target"));
    study_destroy(study);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", brackets},
                                       {"limits", nothing_holds},
                                       {"limits", any_rate},
                                       {"limits", stopped},
                                       {"errors", refuses}};
    return suite_mpi_run(&argc, &argv, "live_find", tests, sizeof tests / sizeof *tests);
}
