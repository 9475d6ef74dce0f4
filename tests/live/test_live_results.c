// SPDX-License-Identifier: Apache-2.0
#include "live/live_results.h"

#include <math.h>
#include <string.h>

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "support/suite_mpi.h"

// One core and whole queries, so that the log is the recursion of one queue, with service times of
// service_ns; the study has 60 us. Returns how many queries there were; caller releases *results.
static size_t compare_one_core(int64_t service_ns, struct live_results *results)
{
    struct err err = {0};
    struct study *study =
        live_fixture_study("fleet.groups[0].cores=1", "fleet.groups[0].scheduler.batch_items=40",
                           "balancer={dispatch_delay: 70us, return_delay: 9us}");
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, service_ns);
    size_t n_queries = plan->n_queries;
    ck_assert_msg(live_results_make(study, log, study->settings.duration_ns, results, &err) == 0,
                  "%s", err.text);
    ck_assert_msg(live_results_compare(MPI_COMM_WORLD, log, results, &err) == 0, "%s", err.text);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
    return n_queries;
}

// A log whose service times are those of the study: what is simulated and replayed is what was
// measured.
START_TEST(no_error)
{
    struct live_results results;
    size_t n_queries = compare_one_core(60 * SIMTIME_US, &results);
    ck_assert_str_eq(results.meta->study_name, "live, measured");
    ck_assert_str_eq(results.meta->study_digest, "");
    ck_assert_uint_eq(summary_total(results.summary)->n_run_answered, n_queries);
    for (int r = 0; r < N_LIVE_ROWS; r++) {
        bool wanted = r == LIVE_ROW_MEASURED || r == LIVE_ROW_TERMS || r >= LIVE_ROW_OWN_SPEED;
        ck_assert(results.has_row[r] == wanted);
        for (int i = 0; wanted && r != LIVE_ROW_MEASURED && i < N_FIDELITY_NUMBERS; i++)
            ck_assert_double_eq_tol(results.rows[r].number[i].error_frac.value, 0, 1e-9);
    }
    live_results_release(&results);
}
END_TEST

// A machine that took a tenth longer than the study says: the cost is off by that, and at its own
// speed nothing is.
START_TEST(own_speed)
{
    struct live_results results;
    compare_one_core(66 * SIMTIME_US, &results);
    const struct fidelity_row *simulated = &results.rows[LIVE_ROW_TERMS];
    ck_assert_double_eq_tol(simulated->number[FIDELITY_BUSY].error_frac.value, 60.0 / 66 - 1, 1e-3);
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        const struct fidelity_row *own = &results.rows[LIVE_ROW_OWN_SPEED];
        ck_assert_double_lt(simulated->number[i].error_frac.value, -0.03);
        ck_assert_double_eq_tol(own->number[i].error_frac.value, 0, 2e-3); // ends in other bins
    }
    live_results_release(&results);
}
END_TEST

// Stopped half-way, what arrived until then counts; stopped in the warm-up, nothing is measured.
START_TEST(stopped)
{
    struct err err = {0};
    struct live_results results;
    struct study *study = live_fixture_study("warmup=50ms", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, SIMTIME_US);
    size_t n = 0;
    while (n < plan->n_queries && plan->queries[n].arrive_ns < 100 * SIMTIME_MS)
        n++;
    ck_assert_int_eq(live_results_make(study, log, 100 * SIMTIME_MS, &results, &err), 0);
    ck_assert_int_eq(results.meta->duration_ns, 100 * SIMTIME_MS);
    ck_assert_uint_eq(summary_total(results.summary)->n_run_generated, n);
    live_results_release(&results);
    ck_assert_int_eq(live_results_make(study, log, 50 * SIMTIME_MS, &results, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "before the warm-up was over"));
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", no_error}, {"core", own_speed}, {"limits", stopped}};
    return suite_mpi_run(&argc, &argv, "live_results", tests, sizeof tests / sizeof *tests);
}
