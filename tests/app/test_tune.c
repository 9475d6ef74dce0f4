// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "app/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

static struct eval eval; // of this process, set by main
static char path[] = "/tmp/recfleet-tune-XXXXXX";

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

static struct library library;

static int read_study(struct tune_input *input, struct err *err)
{
    const struct tune_source source = {path, NULL, 0, &library};
    return tune_read(&eval, &source, input, err);
}

static void put(const char *content)
{
    if (eval.rank == 0) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(content, file);
        fclose(file);
    }
    MPI_Barrier(eval.comm);
}

// The error of a study that cannot be tuned, the same on every rank.
static void expect_refused(const char *content, const char *words)
{
    struct tune_input input;
    struct err err = {0};
    put(content);
    ck_assert_int_eq(read_study(&input, &err), -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    ck_assert_int_eq(err.code, ERR_STUDY);
    MPI_Barrier(eval.comm);
}

// With a target of 20 ms the fewest requests hold the most: 8 cores at 3 ms a query are 2667 a
// second; with one of 2 ms, two requests of 2 ms and more cannot, and smaller ones must.
START_TEST(finds_the_best_batch_of_each_point)
{
    struct tune_input input;
    struct tuning_result *tuning = NULL;
    struct err err = {0};
    uint64_t n_queries = 0;
    put(TRAFFIC(", sla: {p95: 20ms}") FLEET TUNE
        "sweep: [{axis: target, key: \"traffic[0].sla.p95\", values: [20ms, 2ms]}]\n");
    ck_assert_msg(read_study(&input, &err) == 0, "%s", err.text);
    ck_assert_msg(tune_run(&eval, &input, NULL, NULL, &tuning, &n_queries, &err) == 0, "%s",
                  err.text);
    ck_assert((tuning != NULL) == (eval.rank == 0));
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
        uint64_t sum = 0;
        for (size_t i = 0; i < tuning->n_steps; i++) {
            sum += tuning->steps[i].result.n_queries;
            ck_assert(i == 0 || tuning->steps[i].point >= tuning->steps[i - 1].point);
        }
        ck_assert_uint_eq(sum, n_queries); // every simulated query is on the path
    }
    tuning_result_destroy(tuning);
    tune_release(&input);
}
END_TEST

// A target below what a lone query needs is said to be unreachable, with the latency it has.
START_TEST(says_what_cannot_be_reached)
{
    struct tune_input input;
    struct tuning_result *tuning = NULL;
    struct err err = {0};
    uint64_t n_queries;
    put(TRAFFIC(", sla: {p95: 1ms}") FLEET TUNE);
    ck_assert_msg(read_study(&input, &err) == 0, "%s", err.text);
    ck_assert_int_eq(tune_run(&eval, &input, NULL, NULL, &tuning, &n_queries, &err), 0);
    if (tuning) {
        const struct tuning_outcome *outcome = tuning_result_outcome_at(tuning, 0, 1);
        ck_assert_int_eq(outcome->state, TUNING_UNREACHABLE);
        ck_assert(isnan(outcome->qps));
        // 25 items take 1.25 ms, and the way there and back a little.
        ck_assert_double_ge(outcome->floor_s, 1.25e-3);
        ck_assert_double_le(outcome->floor_s, 1.5e-3);
    }
    tuning_result_destroy(tuning);
    tune_release(&input);
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
    if (eval_open(&eval, NULL) < 0)
        return 1;
    int made = eval.rank == 0 ? mkstemp(path) : 0, failed = 0;
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, eval.comm);
    int bad = made < 0 || library_load(&library, NULL) < 0;
    if (!bad)
        bad = suite_failures("tune", tests, sizeof tests / sizeof *tests, CK_NOFORK, CK_NORMAL);
    MPI_Allreduce(&bad, &failed, 1, MPI_INT, MPI_MAX, eval.comm);
    library_release(&library);
    if (eval.rank == 0)
        unlink(path);
    eval_close(&eval);
    return failed != 0;
}
