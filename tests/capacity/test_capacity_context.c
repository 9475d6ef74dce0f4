// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/capacity_context.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "runs/checkpointing.h"
#include "runs/memo.h"
#include "base/simtime.h"
#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"

struct heard {
    int n;
    struct progress_at at;
};

static void hear(void *user, const struct progress_at *at)
{
    struct heard *heard = user;
    heard->n++;
    heard->at = *at;
}

// Half of a stage from 40 % to 60 % of the work is half of it, told on rank 0 alone.
START_TEST(stages_are_parts_of_the_work)
{
    struct heard heard = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval, .progress = hear, .user = &heard};
    struct err err = {0};
    capacity_context_stage(&context, "one", 0.4);
    capacity_context_stage(&context, "two", 0.6);
    ck_assert_int_eq(capacity_context_done(&context, 0.5, &err), 0);
    ck_assert_int_eq(heard.n, eval.rank == 0);
    if (eval.rank == 0) {
        ck_assert_double_eq_tol(heard.at.done_frac, 0.5, 1e-12);
        ck_assert_str_eq(heard.at.stage, "two");
    }
}
END_TEST

// Rows share what is left of the work: halves of 40 % to 100 % meet at 70 %. Inside the first
// nothing is known; inside the second its queries over those of the first are the guess, and the
// time left goes by the pace of both.
START_TEST(rows_share_the_rest)
{
    struct heard heard = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval, .progress = hear, .user = &heard};
    struct err err = {0};
    capacity_context_stage(&context, "one", 0.4);
    capacity_context_row(&context, "size", 0, 2);
    capacity_context_label(&context, "%s", "xeon");
    capacity_context_tries(&context, 96, "servers");
    capacity_context_bracket(&context, 104, NAN);
    context.n_queries += 1000;
    ck_assert_int_eq(capacity_context_done(&context, 0, &err), 0);
    if (eval.rank == 0) {
        ck_assert_double_eq_tol(heard.at.done_frac, 0.4, 1e-12);
        ck_assert_double_eq_tol(heard.at.from_frac, 0.4, 1e-12);
        ck_assert_str_eq(heard.at.stage, "size 1 of 2 (xeon)");
        ck_assert(heard.at.trying == 96 && heard.at.held == 104 && isnan(heard.at.missed));
        ck_assert_uint_eq(heard.at.n_queries, 1000);
    }
    ck_assert_int_eq(capacity_context_done(&context, 1, &err), 0);
    if (eval.rank == 0)
        ck_assert_double_eq_tol(heard.at.done_frac, 0.7, 1e-12);
    capacity_context_row(&context, "size", 1, 2);
    ck_assert_uint_eq(context.n_rows, 1);
    ck_assert_int_eq(capacity_context_done(&context, 0, &err), 0);
    if (eval.rank == 0) {
        ck_assert_str_eq(heard.at.stage, "size 2 of 2");
        ck_assert(isnan(heard.at.held));
        ck_assert_double_eq_tol(heard.at.from_frac, 0.4, 1e-12);
        ck_assert_double_eq_tol(heard.at.done_frac, 0.7, 1e-12);
    }
    ck_assert_int_eq(capacity_context_done(&context, 1, &err), 0);
    if (eval.rank == 0)
        ck_assert_double_eq_tol(heard.at.done_frac, 1, 1e-12);
}
END_TEST

// Slices tell their queries on the way, and how far a stage of slices is: to the half of the work
// here. Inside a row they are a part of those of the row before it.
START_TEST(slices_are_told)
{
    struct heard heard = {0};
    struct capacity_fixture f;
    struct slice_result result;
    struct err err = {0};
    uint32_t n_servers = 4;
    double rate_qps = 1000;
    capacity_fixture_open(&f, ASK_SYNTHETIC "capacity: {find: load}\n", NULL);
    f.context.progress = hear;
    f.context.user = &heard;
    const struct fleet_variant fleet = {
        .study = f.search.study, .n_servers = &n_servers, .n_services = 1, .n_cells = 1};
    const struct slice slice = {.fleet = &fleet,
                                .number = 1,
                                .n_cells = 1,
                                .rates_qps = &rate_qps,
                                .length_ns = SIMTIME_S,
                                .n_bins = 10};
    capacity_context_stage(&f.context, "one", 0.5);
    ck_assert_int_eq(sample_run(f.context.bench, &slice, 1, &result, &err), 0);
    ck_assert(f.eval.rank == 0 ? heard.n >= 2 : heard.n == 0); // before it and behind it
    ck_assert_double_eq_tol(heard.at.done_frac, f.eval.rank == 0 ? 0.5 : 0, 1e-12);
    ck_assert_uint_eq(f.context.n_told, result.overall.n_queries);
    capacity_context_row(&f.context, "load", 0, 2);
    f.context.n_queries += 4 * result.overall.n_queries;
    capacity_context_row(&f.context, "load", 1, 2); // a quarter of 50 % to 100 %
    sample_release(&result, 1);
    ck_assert_int_eq(sample_run(f.context.bench, &slice, 1, &result, &err), 0);
    ck_assert_double_eq_tol(f.context.at.done_frac, 0.75 + 0.25 / 4, 1e-12);
    sample_release(&result, 1);
    capacity_fixture_close(&f);
}
END_TEST

// Choices stand by scheduler: the second one's begin behind all groups and services of the first.
START_TEST(choices_stand_by_scheduler)
{
    struct capacity_fixture f;
    capacity_fixture_open(&f, ASK_SYNTHETIC "capacity: {schedulers: [fixed, static]}\n", NULL);
    ck_assert(capacity_context_choices(&f.context, 0) == f.context.choices);
    ck_assert(capacity_context_choices(&f.context, 1) ==
              f.context.choices + 1); // one group, one service
    capacity_fixture_close(&f);
}
END_TEST

// A signal that came ends the work at the next part, on all ranks, and says why.
START_TEST(a_signal_stops_it)
{
    char path[64];
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval};
    struct err err = {0};
    sigset_t set;
    int number = 0;
    checkpointing_block_signals();
    context.memo = capacity_fixture_memo(path);
    capacity_context_stage(&context, "one", 1);
    int before = capacity_context_done(&context, 0.1, &err);
    if (eval.rank == eval.n_ranks - 1)
        raise(SIGUSR2);
    int after = capacity_context_done(&context, 0.2, &err);
    if (eval.rank == eval.n_ranks - 1) {
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigwait(&set, &number); // it goes on waiting until somebody takes it
    }
    memo_close(context.memo, true);
    ck_assert_int_eq(before, 0);
    ck_assert_int_eq(after, -1);
    ck_assert(context.stopped);
    ck_assert_ptr_nonnull(strstr(err.text, "interrupted"));
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", stages_are_parts_of_the_work},
                                       {"core", rows_share_the_rest},
                                       {"core", slices_are_told},
                                       {"core", choices_stand_by_scheduler},
                                       {"limits", a_signal_stops_it}};
    return suite_mpi_run(&argc, &argv, "capacity_context", tests, sizeof tests / sizeof *tests);
}
