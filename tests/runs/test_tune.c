// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "runs/tune.h"

#include <math.h>
#include <string.h>

#include "runs/runs_fixture.h"
#include "base/mem.h"

// Eight cores; a request costs 1 ms and 10 us an item; every query has 200 items. One request per
// query takes 3 ms; eight of 25 take 1.25 ms each, but 10 ms of core time.
#define FLEET                                                                                      \
    "fleet: {groups: [{cores: 8, servers: 1, cost: {kind: synthetic, fixed: 1ms, per_item: "       \
    "10us}}]}\n"
#define TRAFFIC(sla)                                                                               \
    "duration: 1s\n"                                                                               \
    "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 200}" sla "}]\n"
#define TUNE                                                                                       \
    "tune: {policies: [static, exhaustive], accuracy: 5%, queries: 5000, max_queries: 20000, "     \
    "batch_items: [25, 50, 100, 200]}\n"

// Reads a study of that text.
static int read_study(const char *content, struct tune_input *input, struct err *err)
{
    char *path = runs_fixture_put("s.yaml", content);
    const struct survey_source source = {.path = path};
    int rc = tune_read(runs_fixture_eval(), &source, input, err);
    MPI_Barrier(runs_fixture_eval()->comm);
    mem_free(path);
    return rc;
}

// What comes of a good one; NULL on ranks other than 0.
static struct tuning_result *tune(const char *content)
{
    const struct eval *eval = runs_fixture_eval();
    struct tune_input input;
    struct tuning_result *tuning = NULL;
    struct err err = {0};
    int rc = read_study(content, &input, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = tune_run(eval, &input, NULL, NULL, &tuning, &(struct tune_rest){0}, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert((tuning != NULL) == (eval->rank == 0));
    tune_release(&input);
    return tuning;
}

// The error of a study that cannot be tuned, the same on every rank.
static void expect_refused(const char *content, const char *words)
{
    struct tune_input input;
    struct err err = {0};
    ck_assert_int_eq(read_study(content, &input, &err), -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// With a target of 20 ms the fewest requests hold the most: 8 cores at 3 ms a query are 2667 a
// second; with one of 2 ms, two requests of 2 ms and more cannot, and smaller ones must.
START_TEST(finds_the_best_batch_of_each_point)
{
    struct tuning_result *tuning =
        tune(TRAFFIC(", sla: {p95: 20ms}") FLEET TUNE
             "sweep: [{axis: target, key: \"traffic[0].sla.p95\", values: [20ms, 2ms]}]\n");
    if (tuning) {
        ck_assert_uint_eq(tuning->grid.n_points, 2);
        ck_assert_uint_eq(tuning->n_policies, 2);
        ck_assert_str_eq(tuning->policies[1], "exhaustive");
        ck_assert_str_eq(tuning->grid.axes[0].labels[1], "2ms");
        const struct tuning_outcome *loose = tuning_result_outcome_at(tuning, 0, 1);
        const struct tuning_outcome *strict = tuning_result_outcome_at(tuning, 1, 1);
        ck_assert_int_eq(loose->state, TUNING_FOUND);
        ck_assert_uint_eq(loose->settings[0], 200);
        ck_assert_double_gt(loose->qps, 0.85 * 8 / 3e-3);
        ck_assert_double_lt(loose->qps, 8 / 3e-3);
        ck_assert_uint_le(strict->settings[0], 50);
        ck_assert_double_lt(strict->qps, loose->qps);
        // 200 items over 8 cores.
        ck_assert_uint_eq(tuning_result_outcome_at(tuning, 0, 0)->settings[0], 25);
        ck_assert_int_ne(loose->confirmed, VERDICT_MISSED); // short runs may be unsure
        ck_assert_int_eq(loose->at_qps.tail, VERDICT_NOT_ASKED);
        // Every simulated query is on the path, in the order of the grid.
        uint64_t n_queries[2] = {0};
        for (size_t i = 0; i < tuning->n_steps; i++) {
            n_queries[tuning->steps[i].point] += tuning->steps[i].result.n_queries;
            ck_assert(i == 0 || tuning->steps[i].point >= tuning->steps[i - 1].point);
        }
        ck_assert_uint_gt(n_queries[0], loose->n_queries); // and its confirmation
        ck_assert_uint_gt(n_queries[1], strict->n_queries);
    }
    tuning_result_destroy(tuning);
}
END_TEST

// A target below what a lone query needs is said to be unreachable, with the latency it has.
START_TEST(says_what_cannot_be_reached)
{
    struct tuning_result *tuning = tune(TRAFFIC(", sla: {p95: 1ms}") FLEET TUNE);
    if (tuning) {
        const struct tuning_outcome *outcome = tuning_result_outcome_at(tuning, 0, 1);
        ck_assert_int_eq(outcome->state, TUNING_UNREACHABLE);
        ck_assert(isnan(outcome->qps));
        // 25 items take 1.25 ms, and the way there and back a little.
        ck_assert_double_ge(outcome->floor_s, 1.25e-3);
        ck_assert_double_le(outcome->floor_s, 1.5e-3);
    }
    tuning_result_destroy(tuning);
}
END_TEST

// What cannot be tuned is refused before anything is simulated, and a bad point is named.
START_TEST(refuses_what_cannot_be_tuned)
{
    expect_refused(TRAFFIC("") FLEET TUNE, "latency target");
    expect_refused(TRAFFIC(", sla: {p95: 2ms}, arrivals: {process: diurnal, curve: [1, 2]}")
                       FLEET TUNE,
                   "diurnal");
    expect_refused(TRAFFIC(", sla: {p95: 2ms}") FLEET TUNE
                   "sweep: [{axis: c, key: \"fleet.groups[0].cores\", values: [8, "
                   "none]}]\n",
                   "c=none");
    expect_refused(TRAFFIC(", sla: {p95: 2ms}") FLEET "tune: {offload_items: [100]}\n",
                   "accelerator");
    expect_refused(TRAFFIC(", sla: {p95: 2ms}") FLEET
                   "tune: {policies: exhaustive, batch_items: [201]}\n",
                   "largest query");
    expect_refused(TRAFFIC(", sla: {p95: 2ms}") FLEET
                   "sweep: [{axis: p, key: tune.policies, values: [static, exhaustive]}]\n",
                   "p=exhaustive");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", finds_the_best_batch_of_each_point},
        {"limits", says_what_cannot_be_reached},
        {"errors", refuses_what_cannot_be_tuned},
    };
    return runs_fixture_main("tune", tests, sizeof tests / sizeof *tests);
}
