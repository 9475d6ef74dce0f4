// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "runs/sweep.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runs/runs_fixture.h"
#include "runs/sweep_fixture.h"
#include "base/mem.h"

enum { N = SWEEP_FIXTURE_POINTS };

static struct sweep_fixture fixture;

// How many points each state has, after everybody has looked.
static uint32_t count(enum pointdir_state state)
{
    struct err err = {0};
    uint32_t n = 0;
    ck_assert_int_eq(sweep_look(runs_fixture_eval(), fixture.survey, NULL, &err), 0);
    for (uint32_t p = 0; p < fixture.survey->n_points; p++)
        n += fixture.survey->points[p].state == (int32_t)state;
    MPI_Barrier(runs_fixture_eval()->comm);
    return n;
}

// All ranks know of all points, although each has looked at a part of them.
START_TEST(facts_on_every_rank)
{
    sweep_fixture_open(&fixture, "facts", NULL);
    ck_assert_uint_eq(count(POINTDIR_MISSING), N);
    for (uint32_t p = 0; p < N; p++) {
        const struct survey_point *facts = &fixture.survey->points[p];
        ck_assert_uint_eq(facts->looked, 1);
        ck_assert_uint_eq(facts->n_servers, 4);
        ck_assert_uint_eq(strlen(facts->digest), 32);
    }
    sweep_fixture_close(&fixture);
}
END_TEST

// Every point is done once and has its file; rank 0 knows without looking again.
START_TEST(does_all)
{
    sweep_fixture_open(&fixture, "all", NULL);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    for (uint32_t p = 0; runs_fixture_eval()->rank == 0 && p < N; p++)
        ck_assert_int_eq(fixture.survey->points[p].state, POINTDIR_DONE);
    ck_assert_uint_eq(count(POINTDIR_DONE), N);
    sweep_fixture_close(&fixture);
}
END_TEST

static ino_t inode_of(uint32_t point)
{
    char *path = sweep_fixture_point(&fixture, point);
    struct stat st = {0};
    ck_assert_int_eq(stat(path, &st), 0);
    mem_free(path);
    return st.st_ino;
}

// One point: its ranks share it. What is there is left as it is, down to the file.
START_TEST(does_what_is_missing)
{
    sweep_fixture_open(&fixture, "missing", NULL);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    ino_t before[N];
    for (uint32_t p = 0; p < N; p++)
        before[p] = inode_of(p);
    MPI_Barrier(runs_fixture_eval()->comm);
    char *path = sweep_fixture_point(&fixture, 3);
    if (runs_fixture_eval()->rank == 0)
        unlink(path);
    mem_free(path);
    MPI_Barrier(runs_fixture_eval()->comm);
    ck_assert_uint_eq(count(POINTDIR_MISSING), 1);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    for (uint32_t p = 0; p < N; p++)
        if (p != 3)
            ck_assert(inode_of(p) == before[p]);
    ck_assert_uint_eq(count(POINTDIR_DONE), N);
    sweep_fixture_close(&fixture);
}
END_TEST

// Nothing to do is done at once, and well.
START_TEST(nothing_to_do)
{
    bool todo[N] = {false};
    const struct sweep_options options = {.todo = todo, .command = "test"};
    struct sweep_outcome outcome;
    struct err err = {0};
    sweep_fixture_open(&fixture, "nothing", NULL);
    ck_assert_int_eq(sweep_look(runs_fixture_eval(), fixture.survey, NULL, &err), 0);
    ck_assert_int_eq(sweep_run(runs_fixture_eval(), fixture.survey, &options, &outcome, &err), 0);
    ck_assert_uint_eq(outcome.n_done + outcome.n_failed, 0);
    ck_assert(!outcome.stopped);
    sweep_release(&outcome);
    sweep_fixture_close(&fixture);
}
END_TEST

// A point of the study as it was before is another point.
START_TEST(edited_study)
{
    sweep_fixture_open(&fixture, "edited", NULL);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "edited", "duration=2s");
    ck_assert_uint_eq(count(POINTDIR_EDITED), N);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    ck_assert_uint_eq(count(POINTDIR_DONE), N);
    sweep_fixture_close(&fixture);
}
END_TEST

// Points that cannot be simulated leave their reason and hold up no other; in the next call they
// are tried again.
START_TEST(failures)
{
    const char *bad = "sweep[0].values=[500qps, fast, 1000qps]";
    char note[ERR_TEXT_MAX];
    sweep_fixture_open(&fixture, "failures", bad);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 2); // both replications
    if (runs_fixture_eval()->rank == 0) {
        pointdir_reason(fixture.survey->folder, 1, note, sizeof note);
        ck_assert_msg(strstr(note, "traffic[0].rate: expected a rate") != NULL, "%s", note);
    }
    MPI_Barrier(runs_fixture_eval()->comm);
    ck_assert_uint_eq(count(POINTDIR_DONE), 4);
    ck_assert_uint_eq(count(POINTDIR_WRONG), 2);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "failures", NULL);
    ck_assert_uint_eq(count(POINTDIR_FAILED), 2);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    ck_assert_uint_eq(count(POINTDIR_DONE), N);
    pointdir_reason(fixture.survey->folder, 1, note, sizeof note);
    ck_assert_str_eq(note, "");
    sweep_fixture_close(&fixture);
}
END_TEST

static void drain_signals(void)
{
    const struct timespec at_once = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    while (sigtimedwait(&set, NULL, &at_once) > 0)
        continue;
}

// One rank is asked to stop: all do, with what they have; then the rest is done.
START_TEST(stops_everywhere)
{
    bool todo[N];
    const struct sweep_options options = {.todo = todo, .command = "test"};
    struct sweep_outcome outcome;
    struct err err = {0};
    memset(todo, true, sizeof todo);
    sweep_fixture_open(&fixture, "stops", NULL);
    ck_assert_int_eq(sweep_look(runs_fixture_eval(), fixture.survey, NULL, &err), 0);
    ck_assert_int_eq(pointdir_make(fixture.survey->folder, ERR_FAIL, &err), 0);
    if (runs_fixture_eval()->rank == runs_fixture_eval()->n_ranks - 1)
        raise(SIGUSR2); // waits: it is blocked
    ck_assert_int_eq(sweep_run(runs_fixture_eval(), fixture.survey, &options, &outcome, &err), 0);
    bool stopped = outcome.stopped;
    uint32_t n_done = outcome.n_done, n_failed = outcome.n_failed;
    sweep_release(&outcome);
    drain_signals();
    ck_assert(stopped);
    ck_assert_uint_eq(n_failed, 0);
    // The crew that was asked has done nothing; with one crew that is all.
    ck_assert_uint_lt(n_done, N);
    ck_assert_uint_eq(count(POINTDIR_DONE), n_done);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    ck_assert_uint_eq(count(POINTDIR_DONE), N);
    sweep_fixture_close(&fixture);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", facts_on_every_rank}, {"core", does_all},     {"core", does_what_is_missing},
        {"core", stops_everywhere},    {"core", edited_study}, {"limits", nothing_to_do},
        {"errors", failures},
    };
    return runs_fixture_main("sweep", tests, sizeof tests / sizeof *tests);
}
