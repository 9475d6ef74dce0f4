// SPDX-License-Identifier: Apache-2.0
#include "jobs/submission.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

enum { N = 10 };

static const struct site none = {0};
static const char *const settings[] = {"seed=2", "name=a b"};

static struct submission_plan plan_on(const struct site *site)
{
    return (struct submission_plan){.study = "/p/s.yaml",
                                    .output = "/p q/out.h5",
                                    .settings = settings,
                                    .n_settings = 2,
                                    .folder = "/p q",
                                    .name = "out.h5",
                                    .job_name = "small",
                                    .command = "run",
                                    .site = site};
}

// The command, which begins in the folder, and has these settings at the end of its environment and
// these options and script of sbatch; the study, the output and its settings follow.
static void assert_command(const struct submission_plan *plan, const struct submission *job,
                           const char *after, const char *env, const char *words)
{
    char *tail =
        mem_printf(" %s sbatch --parsable --export=ALL %s /p/s.yaml -o '/p q/out.h5' --set seed=2 "
                   "--set 'name=a b'",
                   env, words);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    submission_print(out, plan, job, after);
    fclose(out);
    ck_assert_int_eq(strncmp(text, "cd '/p q' && env RECFLEET_PROGRAM=", 34), 0);
    ck_assert_msg(size > strlen(tail) && strcmp(text + size - strlen(tail), tail) == 0, "%s", text);
    mem_free(tail);
    free(text);
}

// A run asks for the size that was given; it is no link of a chain, whatever the environment says.
START_TEST(a_run)
{
    struct submission_plan plan = plan_on(&none);
    const struct submission run = {.kind = SUBMISSION_RUN};
    plan.nodes = 2;
    plan.ranks_per_node = 8;
    plan.time = "1:30:00";
    assert_command(&plan, &run, NULL,
                   "RECFLEET_CATALOG= RECFLEET_CHAIN= RECFLEET_COMMAND=run RECFLEET_SHARES=",
                   "--job-name=small --output=out.h5.log --nodes=2 --ntasks-per-node=8 "
                   "--time=1:30:00 out.h5.run.sbatch");
}
END_TEST

// The catalogue goes with every job, by its whole path; without one the job has none either,
// whatever the environment of whoever submits.
START_TEST(a_catalogue)
{
    struct submission_plan plan = plan_on(&none);
    plan.catalog = "/my shelf";
    assert_command(&plan, &(struct submission){.kind = SUBMISSION_RUN}, NULL,
                   "'RECFLEET_CATALOG=/my shelf' RECFLEET_CHAIN= RECFLEET_COMMAND=run "
                   "RECFLEET_SHARES=",
                   "--job-name=small --output=out.h5.log out.h5.run.sbatch");
    assert_command(&plan, &(struct submission){.kind = SUBMISSION_MERGE}, NULL,
                   "'RECFLEET_CATALOG=/my shelf' RECFLEET_CHAIN= RECFLEET_COMMAND=run "
                   "RECFLEET_SHARES=",
                   "--job-name=small-merge --output=out.h5.log out.h5.merge.sbatch");
}
END_TEST

// Links have the name of the chain, and each waits for the one that it is told; in a dry run that
// is a variable.
START_TEST(a_chain)
{
    const struct submission_plan plan = plan_on(&none);
    const struct submission link = {.kind = SUBMISSION_RUN, .chain = "small-chain-1"};
    assert_command(
        &plan, &link, NULL,
        "RECFLEET_CATALOG= RECFLEET_CHAIN=small-chain-1 RECFLEET_COMMAND=run RECFLEET_SHARES=",
        "--job-name=small-chain-1 --output=out.h5.log out.h5.run.sbatch");
    assert_command(
        &plan, &link, "$link1",
        "RECFLEET_CATALOG= RECFLEET_CHAIN=small-chain-1 RECFLEET_COMMAND=run RECFLEET_SHARES=",
        "--job-name=small-chain-1 --output=out.h5.log --dependency=afterany:$link1 "
        "out.h5.run.sbatch");
}
END_TEST

// Tasks that are points: their numbers, at most so many at a time, and a log for each beside its
// point. Tasks that are shares: the script knows of how many, and their logs are not taken for
// points'.
START_TEST(an_array)
{
    const bool missing[N] = {[0] = true, [1] = true, [7] = true};
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks points, shares;
    submission_deal(missing, N, 0, &points);
    submission_deal(missing, N, 4, &shares);
    plan.throttle = 2;
    plan.nodes = 3;
    assert_command(&plan, &(struct submission){.kind = SUBMISSION_ARRAY, .tasks = &points}, NULL,
                   "RECFLEET_CATALOG= RECFLEET_CHAIN= RECFLEET_COMMAND=run RECFLEET_SHARES=",
                   "--job-name=small --output=out.points/%6a.log --array=0-1,7%2 --nodes=3 "
                   "out.h5.sweep.sbatch");
    plan.throttle = 0;
    assert_command(&plan, &(struct submission){.kind = SUBMISSION_ARRAY, .tasks = &shares}, NULL,
                   "RECFLEET_CATALOG= RECFLEET_CHAIN= RECFLEET_COMMAND=run RECFLEET_SHARES=4",
                   "--job-name=small --output=out.points/share-%6a.log --array=0-1,3 --nodes=3 "
                   "out.h5.sweep.sbatch");
    mem_free(points.chosen);
    mem_free(shares.chosen);
}
END_TEST

// A merge takes what its script asks for, whatever the size of the other jobs, but for the time.
START_TEST(a_merge)
{
    struct submission_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.ranks_per_node = 2;
    plan.time = "90";
    assert_command(&plan, &(struct submission){.kind = SUBMISSION_MERGE}, NULL,
                   "RECFLEET_CATALOG= RECFLEET_CHAIN= RECFLEET_COMMAND=run RECFLEET_SHARES=",
                   "--job-name=small-merge --output=out.h5.log --time=90 out.h5.merge.sbatch");
}
END_TEST

// A folder in which `sbatch` is a script that says where it is, what it finds in its environment
// and what it was given, and then does `rest`.
static void pretend_sbatch(const char *folder, const char *rest)
{
    char *path = mem_printf("%s/sbatch", folder);
    FILE *out = fopen(path, "w");
    fprintf(out,
            "#!/bin/sh\n{ pwd; printf '%%s|' \"$A\" \"$RECFLEET_PROGRAM\" \"$RECFLEET_CHAIN\" "
            "\"$@\"; } >> %s/given\n%s\n",
            folder, rest);
    fclose(out);
    chmod(path, 0755);
    setenv("PATH", folder, 1);
    mem_free(path);
}

static char *read_file(const char *folder, const char *name)
{
    char *path = mem_printf("%s/%s", folder, name), *text = mem_calloc(1, 65536);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_lt(fread(text, 1, 65535, in), 65535);
    fclose(in);
    unlink(path);
    mem_free(path);
    return text;
}

// The script is a template as it is; sbatch is told about it in the folder, with the site's
// settings, and its answer is what the next one waits for.
START_TEST(hands_in)
{
    char *wishes[] = {(char *)"A=site's $HOME\n", (char *)"RECFLEET_PROGRAM=/opt/recfleet"};
    const struct site site = {wishes, 2};
    char folder[] = "/tmp/test_submission-XXXXXX", *id = NULL;
    const struct submission link = {.kind = SUBMISSION_RUN, .chain = "c", .purpose = "a link"};
    struct submission_plan plan = plan_on(&site);
    struct err err = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    plan.folder = folder;
    pretend_sbatch(folder, "echo '17;here'");
    for (int i = 0; i < 2; i++) {
        int rc = submission_hand_in(&plan, &link, &id, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        ck_assert_str_eq(id, "17");
    }
    char *given = read_file(folder, "given"), *script = read_file(folder, "out.h5.run.sbatch");
    char *begin =
        mem_printf("%s\nsite's $HOME\n|/opt/recfleet|c|--parsable|--export=ALL|--job-name=c|"
                   "--output=out.h5.log|",
                   folder);
    const char *end = "out.h5.run.sbatch|/p/s.yaml|-o|/p q/out.h5|--set|seed=2|--set|name=a b|";
    char *want = mem_printf("%s%s%s--dependency=afterany:17|%s", begin, end, begin, end);
    ck_assert_str_eq(given, want);
    ck_assert_int_eq(strncmp(script, "#!/usr/bin/env bash\n", 20), 0);
    ck_assert_ptr_nonnull(
        strstr(script, "\nlaunch \"${RECFLEET_COMMAND:-run}\" \"$@\" --resume\n"));
    mem_free(id);
    mem_free(want);
    mem_free(begin);
    mem_free(script);
    mem_free(given);
    char *command = mem_printf("/bin/rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}
END_TEST

// Each kind has the script of its name.
START_TEST(each_script)
{
    static const char *const lines[] = {"\nlaunch \"${RECFLEET_COMMAND", "\nlaunch sweep ",
                                        " merge "};
    static const char *const names[] = {"out.h5.run.sbatch", "out.h5.sweep.sbatch",
                                        "out.h5.merge.sbatch"};
    const bool missing[N] = {[0] = true};
    char folder[] = "/tmp/test_submission-XXXXXX", *id = NULL;
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    struct err err = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    plan.folder = folder;
    pretend_sbatch(folder, "echo 17");
    submission_deal(missing, N, 0, &tasks);
    for (int kind = SUBMISSION_RUN; kind <= SUBMISSION_MERGE; kind++) {
        const struct submission job = {
            .kind = (enum submission_kind)kind, .tasks = &tasks, .purpose = "a job"};
        int rc = submission_hand_in(&plan, &job, &id, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        char *script = read_file(folder, names[kind]);
        ck_assert_msg(strstr(script, lines[kind]) != NULL, "%s", script);
        mem_free(script);
    }
    mem_free(id);
    mem_free(tasks.chosen);
    char *command = mem_printf("/bin/rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}
END_TEST

// What sbatch is told when only that is wanted, is nothing; the next one can wait for it.
START_TEST(a_dry_run)
{
    struct submission_plan plan = plan_on(&none);
    char *id = NULL;
    struct err err = {0};
    plan.dry_run = true;
    const struct submission merge = {
        .kind = SUBMISSION_MERGE, .word = "merge", .purpose = "a merge"};
    setenv("PATH", "/nowhere", 1);
    ck_assert_int_eq(submission_hand_in(&plan, &merge, &id, &err), 0);
    ck_assert_str_eq(id, "$merge");
    mem_free(id);
}
END_TEST

// As long as every missing point has a number that Slurm takes, tasks are points; points with
// greater numbers that are done change nothing.
START_TEST(deals_points)
{
    const bool missing[N] = {[2] = true, [5] = true};
    struct submission_tasks tasks;
    submission_deal(missing, N, 6, &tasks);
    ck_assert_uint_eq(tasks.n, N);
    ck_assert_uint_eq(tasks.n_shares, 0);
    for (size_t p = 0; p < N; p++)
        ck_assert_int_eq(tasks.chosen[p], missing[p]);
    mem_free(tasks.chosen);
}
END_TEST

// One missing point beyond that makes them shares; those without a missing point are left out. One
// task may be all that Slurm takes: then it has all points.
START_TEST(deals_shares)
{
    const bool missing[N] = {[2] = true, [5] = true, [7] = true};
    const bool expected[5] = {[0] = true, [2] = true};
    struct submission_tasks tasks;
    submission_deal(missing, N, 5, &tasks);
    ck_assert_uint_eq(tasks.n, 5);
    ck_assert_uint_eq(tasks.n_shares, 5);
    for (size_t s = 0; s < 5; s++)
        ck_assert_int_eq(tasks.chosen[s], expected[s]);
    mem_free(tasks.chosen);
    submission_deal(missing, N, 1, &tasks);
    ck_assert_uint_eq(tasks.n, 1);
    ck_assert_uint_eq(tasks.n_shares, 1);
    ck_assert(tasks.chosen[0]);
    mem_free(tasks.chosen);
}
END_TEST

static void assert_fails(const char *folder, enum submission_kind kind, const char *says)
{
    const bool missing[N] = {[0] = true};
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    struct err err = {0};
    char *id = mem_strdup("17");
    plan.folder = folder;
    submission_deal(missing, N, 0, &tasks);
    const struct submission job = {.kind = kind, .tasks = &tasks, .purpose = "a job"};
    ck_assert_int_eq(submission_hand_in(&plan, &job, &id, &err), -1);
    ck_assert_ptr_null(id);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
    mem_free(tasks.chosen);
}

// A sbatch that fails, says something else or is not there is an error without an id. So is a
// folder that cannot be written to, of the script or of the logs that come first.
START_TEST(says_why_it_failed)
{
    char folder[] = "/tmp/test_submission-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    pretend_sbatch(folder, "exit 3");
    assert_fails(folder, SUBMISSION_MERGE, "did not take out.h5.merge.sbatch (exit status 3");
    pretend_sbatch(folder, "echo hello");
    assert_fails(folder, SUBMISSION_MERGE, "said \"hello");
    setenv("PATH", "/nowhere", 1);
    assert_fails(folder, SUBMISSION_MERGE, "there is no sbatch here");
    assert_fails("/no/such", SUBMISSION_RUN,
                 "/no/such/out.h5.run.sbatch: cannot write the script: No such file or directory");
    assert_fails("/no/such", SUBMISSION_ARRAY, "/no/such/out.points");
    char *command = mem_printf("/bin/rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    mem_free(command);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", a_run},
                                       {"core", a_catalogue},
                                       {"core", a_chain},
                                       {"core", an_array},
                                       {"core", a_merge},
                                       {"core", hands_in},
                                       {"core", each_script},
                                       {"core", deals_points},
                                       {"limits", deals_shares},
                                       {"limits", a_dry_run},
                                       {"errors", says_why_it_failed}};
    return suite_run("submission", tests, sizeof tests / sizeof *tests);
}
