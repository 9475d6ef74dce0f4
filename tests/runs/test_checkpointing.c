// SPDX-License-Identifier: Apache-2.0
// Through eval_run(), on any number of ranks; MPI starts once, in main, with the signals blocked.
#include "runs/checkpointing.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/runs_fixture.h"
#include "base/mem.h"
#include "results/file/checkpoint.h"
#include "results/file/durable.h"
#include "results/file/run_result.h"

// 2000 windows: the run can stop at many places, and lasts some milliseconds.
#define KEPT(every, delay)                                                                         \
    "name: kept\n"                                                                                 \
    "duration: 2s\n"                                                                               \
    "warmup: 0s\n"                                                                                 \
    "bins: 10\n"                                                                                   \
    "traffic: [{service: a, rate: 20000qps}]\n"                                                    \
    "fleet: {cells: 2, groups: [{cores: 8, servers: 4, "                                           \
    "cost: {kind: synthetic, per_item: 1us}}]}\n"                                                  \
    "balancer: {policy: power-of-two, dispatch_delay: " delay ", "                                 \
    "status_delay: " delay "}\n"                                                                   \
    "checkpoint: {every: " every "}\n"
static const char *const text = KEPT("0", "1ms");

// Of the test under way: paths in the folder; what a run is asked, and what came of it.
static struct {
    char output[96], checkpoint[96], previous[96], other[96];
} p;
static struct eval_options options;
static struct eval_result result;

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

static const struct eval *eval(void)
{
    return runs_fixture_eval();
}

static void barrier(void)
{
    MPI_Barrier(eval()->comm);
}

// Every test starts without files and without signals that wait, and with a quiet run.
static void tidy(void)
{
    const char *folder = runs_fixture_folder();
    snprintf(p.output, sizeof p.output, "%s/x.h5", folder);
    snprintf(p.checkpoint, sizeof p.checkpoint, "%s/x.h5.checkpoint", folder);
    snprintf(p.previous, sizeof p.previous, "%s/x.h5.checkpoint.previous", folder);
    snprintf(p.other, sizeof p.other, "%s/other.h5", folder);
    options = (struct eval_options){.output = p.output, .command = "test", .quiet = true};
    barrier();
    if (eval()->rank == 0) {
        unlink(p.output);
        unlink(p.other);
        rmdir(p.checkpoint);
        durable_remove(p.checkpoint);
    }
    barrier();
}

// The last rank alone is asked, the first sees to the files: wishes are the job's.
static void ask(int number)
{
    if (eval()->rank == eval()->n_ranks - 1)
        raise(number);
}

static void assert_runs_of(const char *of, const char *setting)
{
    struct err err = {0};
    struct study *study = runs_fixture_study(of, setting);
    int rc = eval_run(eval(), study, &options, &result, &err);
    study_destroy(study);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void assert_runs(const char *setting)
{
    assert_runs_of(text, setting);
}

// It runs to its end, and was resumed so often.
static void assert_restarts(const char *setting, unsigned n)
{
    assert_runs(setting);
    ck_assert(!result.stopped);
    ck_assert_uint_eq(result.info.n_restarts, n);
    eval_release(&result);
}

static void assert_refused(const char *setting, const char *reason)
{
    struct err err = {0};
    struct study *study = runs_fixture_study(text, setting);
    int rc = eval_run(eval(), study, &options, &result, &err);
    study_destroy(study);
    ck_assert_int_eq(rc, -1);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

// Leaves a checkpoint of the study.
static void stop_early(void)
{
    ask(SIGTERM);
    assert_runs(NULL);
    ck_assert(result.stopped);
    eval_release(&result);
}

// The bins' counts of a results file, a line that two equal runs share.
static char *counts_of(const char *path)
{
    struct err err = {0};
    struct run_result *run = run_result_read(path, DATASET_ALL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    char *line = mem_strdup("");
    for (uint32_t i = 0; i < run->bins.n; i++) {
        char *longer =
            mem_printf("%s %llu %.17g", line, (unsigned long long)run->bins.services[i].n_queries,
                       run->bins.services[i].latency_mean_s);
        mem_free(line);
        line = longer;
    }
    run_result_destroy(run);
    return line;
}

// Asked to save, a run does so at the first chance, continues, and leaves only its results.
START_TEST(saves_and_goes_on)
{
    tidy();
    ask(SIGUSR1);
    assert_runs(NULL);
    ck_assert(!result.stopped);
    ck_assert_uint_eq(result.info.n_checkpoints, 1);
    ck_assert(result.info.checkpoint_s > 0);
    ck_assert_uint_eq(result.info.n_restarts, 0);
    ck_assert(eval()->rank != 0 || (there(p.output) && !there(p.checkpoint)));
    eval_release(&result);
}
END_TEST

static void stops_on(int number)
{
    tidy();
    options.output = p.other;
    assert_runs(NULL); // without a pause
    uint64_t n_queries = result.info.n_queries;
    eval_release(&result);
    options.output = p.output;
    ask(number);
    assert_runs(NULL);
    ck_assert(result.stopped && result.summary == NULL);
    ck_assert_int_ge(result.stopped_ns, 0);
    ck_assert_int_lt(result.stopped_ns, 2000000000);
    ck_assert(eval()->rank != 0 || (!there(p.output) && there(p.checkpoint)));
    ck_assert_str_eq(result.checkpoint, p.checkpoint);
    eval_release(&result);
    options.resume = true;
    assert_runs(NULL);
    ck_assert(!result.stopped);
    ck_assert_uint_eq(result.info.n_restarts, 1);
    ck_assert_uint_eq(result.info.n_checkpoints, 1);
    ck_assert_uint_eq(result.info.n_queries, n_queries);
    if (eval()->rank == 0) {
        char *whole = counts_of(p.other), *resumed = counts_of(p.output);
        ck_assert(!there(p.checkpoint));
        ck_assert_str_eq(whole, resumed);
        mem_free(whole);
        mem_free(resumed);
    }
    eval_release(&result);
}

// Both signals to stop leave a checkpoint, from which the same results come.
START_TEST(stops_and_goes_on)
{
    stops_on(SIGTERM);
    stops_on(SIGUSR2);
}
END_TEST

// The clock asks, too; the last checkpoint but one is kept while the run lasts.
START_TEST(clock_asks)
{
    tidy();
    // As long as saving takes, whatever it takes, the run goes on before it is saved again: half of
    // this one is many times that. Its windows are long, as ranks wait for one another in each of
    // them, and where they have no core each for whoever else runs.
    assert_runs_of(KEPT("1us", "100ms"), eval()->n_ranks == 1 ? "duration=300s" : "duration=150s");
    ck_assert_uint_ge(result.info.n_checkpoints, 2);
    ck_assert(result.info.checkpoint_s < 0.7 * result.info.wall_s);
    ck_assert(eval()->rank != 0 || (there(p.output) && !there(p.checkpoint) && !there(p.previous)));
    eval_release(&result);
}
END_TEST

// How often a run is saved is no part of the study: a checkpoint fits all the same.
START_TEST(resumes_with_another_period)
{
    tidy();
    stop_early();
    options.resume_from = p.checkpoint;
    assert_restarts("checkpoint.every=1h", 1);
}
END_TEST

// Without a checkpoint, --resume begins at the beginning.
START_TEST(nothing_to_resume)
{
    tidy();
    options.resume = true;
    assert_restarts(NULL, 0);
}
END_TEST

// A crash between the renames leaves the one before alone: it will do.
START_TEST(previous_alone)
{
    tidy();
    stop_early();
    if (eval()->rank == 0)
        ck_assert_int_eq(rename(p.checkpoint, p.previous), 0);
    barrier();
    options.resume = true;
    assert_restarts(NULL, 1);
    ck_assert(eval()->rank != 0 || !there(p.previous));
}
END_TEST

// A stop signal waits for the next run that looks for it, and can be seen waiting.
START_TEST(stop_waits)
{
    tidy();
    ck_assert(!checkpointing_stop_waits());
    raise(SIGUSR1);
    ck_assert(!checkpointing_stop_waits());
    raise(SIGUSR2);
    ck_assert(checkpointing_stop_waits() && checkpointing_stop_waits());
    stop_early();
    ck_assert(!checkpointing_stop_waits());
    tidy();
}
END_TEST

// A checkpoint that nobody said what to do with stops a run before it begins; --force begins.
START_TEST(existing_is_refused)
{
    tidy();
    stop_early();
    assert_refused(NULL, "x.h5.checkpoint: exists; resume with --resume");
    ck_assert(eval()->rank != 0 || (there(p.checkpoint) && !there(p.output)));
    options.force = true;
    assert_restarts(NULL, 0);
}
END_TEST

// A checkpoint of another study is refused, whole as it is, and stays.
START_TEST(another_study)
{
    tidy();
    stop_early();
    options.resume = true;
    assert_refused("seed=2", "another study");
    struct study *study = runs_fixture_study(text, NULL);
    struct meta *meta = study_meta(study);
    if (eval()->rank == 0) {
        ck_assert(there(p.checkpoint) && !there(p.output));
        ck_assert(checkpointing_usable(p.checkpoint, meta->study_digest));
        ck_assert(!checkpointing_usable(p.checkpoint, "0"));
    }
    meta_destroy(meta);
    study_destroy(study);
    tidy();
}
END_TEST

static bool make_one(void *user, struct blob *frame)
{
    bool *made = user;
    if (*made || eval()->rank != 0)
        return false;
    blob_put_u64(frame, 1);
    *made = true;
    return true;
}

// So is one that another version of the program wrote.
START_TEST(another_program)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct meta *meta = study_meta(study);
    struct checkpoint_head head = {.program = "0.0.1 0123abc", .end_ns = 1};
    struct err err = {0};
    bool made = false;
    tidy();
    snprintf(head.study, sizeof head.study, "%s", meta->study_digest);
    ck_assert_int_eq(
        checkpoint_write(eval()->comm, p.checkpoint, &head, make_one, &made, NULL, &err), 0);
    options.resume = true;
    assert_refused(NULL, "written by recfleet 0.0.1 0123abc, and");
    ck_assert(eval()->rank != 0 || (!checkpointing_usable(p.checkpoint, meta->study_digest)));
    meta_destroy(meta);
    study_destroy(study);
    tidy();
}
END_TEST

// A damaged one is refused with the reason; the one before is offered and works.
START_TEST(damaged)
{
    tidy();
    stop_early();
    options.resume = true;
    ask(SIGTERM);
    assert_runs(NULL); // a second one, so that there is one before
    ck_assert(result.stopped);
    eval_release(&result);
    if (eval()->rank == 0) {
        struct stat status;
        ck_assert(there(p.previous) && stat(p.checkpoint, &status) == 0);
        ck_assert_int_eq(truncate(p.checkpoint, status.st_size / 2), 0);
    }
    barrier();
    assert_refused(NULL, ".previous");
    options.resume_from = p.previous;
    assert_restarts(NULL, 1);
}
END_TEST

// One that is not there, and a place where none can be written, are told before anything is run.
START_TEST(impossible_places)
{
    tidy();
    options.resume_from = p.checkpoint;
    assert_refused(NULL, "x.h5.checkpoint: No such file or directory");
    options.resume_from = NULL;
    options.checkpoint = "/nowhere/at/all";
    assert_refused(NULL, "/nowhere/at/all");
}
END_TEST

// A file that is no checkpoint is never one's place, whatever is asked for: it would be replaced
// now and removed at the end. Nor is what such a file would be kept as.
static void assert_spares(const char *file, const char *checkpoint)
{
    struct stat status;
    if (eval()->rank == 0)
        fclose(fopen(file, "w"));
    if (eval()->rank == 0)
        ck_assert_int_eq(truncate(file, 100), 0);
    barrier();
    options.checkpoint = checkpoint;
    options.force = false;
    options.resume = true;
    assert_refused(NULL, "not a checkpoint of recfleet");
    options.resume = false;
    options.force = true;
    assert_refused(NULL, "not a checkpoint of recfleet");
    if (eval()->rank == 0) {
        ck_assert(stat(file, &status) == 0 && status.st_size == 100);
        unlink(file);
    }
    barrier();
}

START_TEST(no_checkpoint_of_ours)
{
    tidy();
    assert_spares(p.other, p.other);
    assert_spares(p.previous, p.checkpoint);
}
END_TEST

// Results where the checkpoints go would be removed with them.
START_TEST(results_in_its_place)
{
    tidy();
    options.checkpoint = p.output;
    options.force = true;
    assert_refused(NULL, "x.h5: is where the results go");
    options.output = p.previous;
    options.checkpoint = p.checkpoint;
    assert_refused(NULL, "x.h5.checkpoint: is where the results go");
}
END_TEST

// In the middle of the run something takes the checkpoint's name that cannot be replaced.
static void spoil(void *user, int64_t reached_ns, uint64_t n_queries)
{
    (void)reached_ns;
    (void)n_queries;
    mkdir(user, 0700);
}

// A checkpoint that fails is a warning when the run continues, an error when it was to stop.
START_TEST(failing_checkpoint)
{
    tidy();
    options.run.progress = spoil;
    options.run.progress_user = p.checkpoint;
    ask(SIGUSR1);
    assert_runs(NULL);
    ck_assert_uint_eq(result.info.n_checkpoints, 0);
    ck_assert(eval()->rank != 0 || (there(p.output)));
    eval_release(&result);
    tidy();
    options.run.progress = spoil;
    options.run.progress_user = p.checkpoint;
    ask(SIGTERM);
    assert_refused(NULL, "x.h5.checkpoint");
    ck_assert(eval()->rank != 0 || (!there(p.output)));
    tidy();
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", saves_and_goes_on},
                                       {"core", stops_and_goes_on},
                                       {"core", clock_asks},
                                       {"core", resumes_with_another_period},
                                       {"limits", nothing_to_resume},
                                       {"limits", previous_alone},
                                       {"limits", stop_waits},
                                       {"errors", no_checkpoint_of_ours},
                                       {"errors", results_in_its_place},
                                       {"errors", existing_is_refused},
                                       {"errors", another_study},
                                       {"errors", another_program},
                                       {"errors", damaged},
                                       {"errors", impossible_places},
                                       {"errors", failing_checkpoint}};
    return runs_fixture_main("checkpointing", tests, sizeof tests / sizeof *tests);
}
