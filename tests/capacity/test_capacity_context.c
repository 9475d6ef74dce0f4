// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/capacity_context.h"

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

// Equal stages share what is left of the work: halves of 40 % to 100 % meet at 70 %.
START_TEST(equal_stages_share_the_rest)
{
    struct heard heard = {0};
    struct eval eval = capacity_fixture_eval();
    struct capacity_context context = {.eval = &eval, .progress = hear, .user = &heard};
    struct err err = {0};
    capacity_context_stage(&context, "one", 0.4);
    capacity_context_stage_of(&context, "two", 2);
    ck_assert_int_eq(capacity_context_done(&context, 1, &err), 0);
    if (eval.rank == 0)
        ck_assert_double_eq_tol(heard.at.done_frac, 0.7, 1e-12);
    capacity_context_stage_of(&context, "two", 1);
    ck_assert_int_eq(capacity_context_done(&context, 1, &err), 0);
    if (eval.rank == 0)
        ck_assert_double_eq_tol(heard.at.done_frac, 1, 1e-12);
}
END_TEST

// Slices tell their queries while a stage goes on, which is not further for it.
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
    ck_assert_int_eq(heard.n, f.eval.rank == 0 ? 2 : 0); // before it and behind it
    ck_assert_double_eq_tol(heard.at.done_frac, 0, 1e-12);
    ck_assert_uint_eq(f.context.n_told, result.overall.n_queries);
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
                                       {"core", equal_stages_share_the_rest},
                                       {"core", slices_are_told},
                                       {"core", choices_stand_by_scheduler},
                                       {"limits", a_signal_stops_it}};
    return suite_mpi_run(&argc, &argv, "capacity_context", tests, sizeof tests / sizeof *tests);
}
