// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/capacity_search.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capacity/capacity_fixture.h"
#include "runs/checkpointing.h"
#include "base/mem.h"
#include "support/suite_mpi.h"

// Reads a study from a file that rank 0 writes; the caller releases on success.
static int read_text(const char *text, struct capacity_search *search, struct library *library,
                     struct err *err)
{
    char path[64] = "/tmp/recfleet-capacity-XXXXXX";
    struct eval eval = capacity_fixture_eval();
    if (eval.rank == 0) {
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
    }
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, eval.comm);
    ck_assert_int_eq(library_load(library, err), 0);
    const struct capacity_search_source source = {path, NULL, 0, library};
    int rc = capacity_search_read(&eval, &source, search, err);
    MPI_Barrier(eval.comm);
    if (eval.rank == 0)
        unlink(path);
    return rc;
}

static void expect_refused(const char *text, const char *words)
{
    struct capacity_search search;
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(read_text(text, &search, &library, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    library_release(&library);
}

// The frame has the dimensions that the question needs, and the names of the study.
START_TEST(frames_fit_the_question)
{
    struct capacity_fixture f;
    capacity_fixture_open(&f,
                          ASK_SYNTHETIC
                          "capacity: {find: plan, schedulers: [fixed, static], allocations: "
                          "[greedy], day: 6h, interval: 2h}\n",
                          NULL);
    const struct capacity_result *s = f.context.answer;
    ck_assert_uint_eq(s->n_schedulers, 2);
    ck_assert_uint_eq(s->n_allocations, 1);
    ck_assert_uint_eq(s->n_provisionings, 2);
    ck_assert_uint_eq(s->n_intervals, 3);
    ck_assert_uint_eq(s->n_sizes + s->n_loads, 0);
    ck_assert_str_eq(s->schedulers[1], "static");
    ck_assert_str_eq(s->allocations[0], "greedy");
    ck_assert_str_eq(s->types[0], "web");
    ck_assert_str_eq(s->services[0], "a");
    ck_assert_str_eq(s->find, "plan");
    ck_assert_double_eq_tol(s->sla_s[0], 4e-3, 1e-12);
    ck_assert_double_eq_tol(s->sla_quantile, 0.95, 1e-12);
    ck_assert_double_eq_tol(s->price_usd_per_h[0], 2, 1e-12);
    ck_assert_uint_eq(s->available[0], 4);
    capacity_fixture_close(&f);
}
END_TEST

// From a file to an answer on every rank, with the queries that it took.
START_TEST(answers_a_file)
{
    struct capacity_search search;
    struct library library;
    struct err err = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval};
    int rc = read_text(ASK_SYNTHETIC "capacity: {find: load, accuracy: 20%, max_queries: 40000}\n",
                       &search, &library, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = capacity_search_run(&context, &search, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert(!context.stopped);
    ck_assert_ptr_nonnull(context.answer);
    ck_assert_int_eq(context.answer->loads[0].state, CAPACITY_FOUND);
    ck_assert_uint_gt(context.n_queries, context.answer->loads[0].n_queries);
    capacity_result_destroy(context.answer);
    capacity_search_release(&search);
    library_release(&library);
}
END_TEST

// Rank 0 asks to stop in the second row.
static void ask_to_stop(void *user, const struct progress_at *at)
{
    bool *asked = user;
    if (*asked || strncmp(at->stage, "load 2 of 2", 11) != 0 || isnan(at->trying))
        return;
    *asked = true;
    raise(SIGUSR2);
}

// What was found before a signal is there behind it: a row that is done, and of the other one what
// it was at.
START_TEST(stopped_with_what_there_is)
{
    struct capacity_search search;
    struct library library;
    struct err err = {0};
    char path[64];
    bool asked = false;
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval, .progress = ask_to_stop, .user = &asked};
    checkpointing_block_signals();
    int rc = read_text(ASK_SYNTHETIC "capacity: {find: load, schedulers: [fixed, static], "
                                     "accuracy: 20%, max_queries: 40000}\n",
                       &search, &library, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    context.memo = capacity_fixture_memo(path);
    rc = capacity_search_run(&context, &search, &err);
    if (asked) { // nobody has taken it
        sigset_t set;
        int number = 0;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigwait(&set, &number);
    }
    memo_close(context.memo, true);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert(asked == (eval.rank == 0));
    ck_assert(context.stopped);
    ck_assert_uint_eq(context.n_rows, 1);
    ck_assert_int_eq(context.answer->loads[0].state, CAPACITY_FOUND);
    ck_assert_double_gt(context.answer->loads[0].held_qps, 0);
    ck_assert_ptr_nonnull(strstr(context.at.stage, "load 2 of 2 (static)"));
    ck_assert_double_gt(context.at.trying, 0);
    capacity_result_destroy(context.answer);
    capacity_search_release(&search);
    library_release(&library);
}
END_TEST

// A p95 of 1.9 ms where 1 ms of work leaves 5 % later than 3 ms: every question ends before
// anything is searched for, with the service that is in the way.
static void see_out_of_reach(const char *find)
{
    char text[1024];
    struct capacity_search search;
    struct library library;
    struct err err = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval};
    snprintf(text, sizeof text,
             "duration: 1s\n"
             "traffic: [{service: b, rate: 20000qps, sizes: {distribution: fixed, items: 1}, sla: "
             "{p95: 1.9ms}}]\n"
             "fleet: {groups: [{name: web, cores: 8, servers: 4, cost: {kind: synthetic, fixed: "
             "1ms}, noise: exponential}]}\n"
             "capacity: {find: %s, schedulers: [fixed, static], queries: 2000}\n",
             find);
    int rc = read_text(text, &search, &library, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = capacity_search_run(&context, &search, &err);
    ck_assert_msg(rc == 0, "%s: %s", find, err.text);
    ck_assert_msg(context.out_of_reach, "%s", find);
    ck_assert_uint_lt(context.n_queries, 10000);
    ck_assert_int_eq(context.answer->unloaded[0].sla, VERDICT_MISSED);
    ck_assert_double_eq_tol(context.answer->unloaded[0].sla_latency_s.value, 3e-3, 0.3e-3);
    capacity_result_destroy(context.answer);
    capacity_search_release(&search);
    library_release(&library);
}

START_TEST(out_of_reach_is_seen_at_once)
{
    see_out_of_reach("servers");
    see_out_of_reach("cores");
    see_out_of_reach("load");
    see_out_of_reach("plan");
    see_out_of_reach("day");
}
END_TEST

// A sweep is not one study.
START_TEST(refuses_a_sweep)
{
    expect_refused(ASK_SYNTHETIC "sweep: [{axis: seed, key: seed, values: [1, 2]}]\n",
                   "sweep: not for capacity");
    expect_refused(ASK_SYNTHETIC "replications: 3\n", "replications: not for capacity");
}
END_TEST

// What the section cannot mean is refused before anything is simulated.
START_TEST(refuses_what_makes_no_sense)
{
    expect_refused(
        "duration: 1s\n"
        "traffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: 1}}]\n"
        "fleet: {groups: [{cores: 8, servers: 3, cost: {kind: synthetic, fixed: 2ms}}]}\n",
        "has no latency target");
}
END_TEST

// No fleet can meet the demand: which service, when, how much.
START_TEST(says_what_no_fleet_can_do)
{
    struct capacity_search search;
    struct library library;
    struct err err = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval};
    int rc = read_text(ASK_SYNTHETIC "capacity: {find: plan, headroom: 100%}\n", &search, &library,
                       &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = capacity_search_run(&context, &search, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(context.answer);
    ck_assert_msg(strstr(err.text, "service \"a\" lacks") != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, "of 40000 qps") != NULL, "%s", err.text);
    capacity_search_release(&search);
    library_release(&library);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", frames_fit_the_question},    {"core", answers_a_file},
        {"core", stopped_with_what_there_is}, {"limits", out_of_reach_is_seen_at_once},
        {"errors", refuses_a_sweep},          {"errors", refuses_what_makes_no_sense},
        {"errors", says_what_no_fleet_can_do}};
    return suite_mpi_run(&argc, &argv, "capacity_search", tests, sizeof tests / sizeof *tests);
}
