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
                                    .site = site};
}

static char *script_of(const struct submission *submission)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    submission_print_script(out, submission, NULL);
    fclose(out);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

// The words that sbatch is given, apart from the folder, which is the same for all.
static void assert_command(const struct submission *submission, const char *after,
                           const char *expected)
{
    char *whole = mem_printf("cd '/p q' && sbatch --parsable %s", expected), *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    submission_print_command(out, submission, after);
    fclose(out);
    ck_assert_str_eq(text, whole);
    mem_free(whole);
    free(text);
}

static void assert_in_script(const struct submission *submission, const char *line)
{
    char *script = script_of(submission), *whole = mem_printf("\n%s\n", line);
    ck_assert_msg(strstr(script, whole) != NULL, "no line %s in:\n%s", line, script);
    mem_free(whole);
    mem_free(script);
}

// A run asks for the size that was given; it is no link of a chain. It is told the study, where the
// results go, and what was changed, in this order.
START_TEST(a_run)
{
    struct submission_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.ranks_per_node = 8;
    plan.time = "1:30:00";
    struct submission *submission = submission_run(&plan, NULL);
    assert_command(submission, NULL,
                   "--job-name=small --output=out.h5.log --nodes=2 --ntasks-per-node=8 "
                   "--time=1:30:00 out.h5.run.sbatch");
    assert_in_script(submission, "#SBATCH --ntasks-per-node=8");
    assert_in_script(submission, "export RECFLEET_CHAIN=''");
    assert_in_script(submission, "set -- /p/s.yaml -o '/p q/out.h5' --set seed=2 --set 'name=a b'");
    submission_destroy(submission);
}
END_TEST

// Links are one submission: their job and their script have the name of the chain, and each waits
// for the one that it is told.
START_TEST(a_chain)
{
    const struct submission_plan plan = plan_on(&none);
    struct submission *submission = submission_run(&plan, "small-chain-1");
    assert_command(submission, NULL,
                   "--job-name=small-chain-1 --output=out.h5.log out.h5.run.sbatch");
    assert_command(submission, "$link1",
                   "--job-name=small-chain-1 --output=out.h5.log --dependency=afterany:$link1 "
                   "out.h5.run.sbatch");
    assert_in_script(submission, "export RECFLEET_CHAIN=small-chain-1");
    submission_destroy(submission);
}
END_TEST

// Tasks that are points: their numbers, at most so many at a time, and a log for each beside its
// point.
START_TEST(an_array_of_points)
{
    const bool missing[N] = {[0] = true, [1] = true, [7] = true};
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    plan.throttle = 2;
    plan.nodes = 3;
    submission_deal(missing, N, 0, &tasks);
    struct submission *submission = submission_array(&plan, &tasks);
    assert_command(submission, NULL,
                   "--job-name=small --output=out.points/%6a.log --array=0-1,7%2 --nodes=3 "
                   "out.h5.sweep.sbatch");
    assert_in_script(submission, "export RECFLEET_SHARES=''");
    submission_destroy(submission);
    mem_free(tasks.chosen);
}
END_TEST

// Tasks that are shares: the script knows of how many, and their logs are not taken for points'.
START_TEST(an_array_of_shares)
{
    const bool missing[N] = {[1] = true, [9] = true};
    const struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    submission_deal(missing, N, 4, &tasks);
    struct submission *submission = submission_array(&plan, &tasks);
    assert_command(submission, NULL,
                   "--job-name=small --output=out.points/share-%6a.log --array=1 "
                   "out.h5.sweep.sbatch");
    assert_in_script(submission, "export RECFLEET_SHARES=4");
    submission_destroy(submission);
    mem_free(tasks.chosen);
}
END_TEST

// A merge takes what its template asks for, whatever the size of the other jobs, but for the time.
START_TEST(a_merge)
{
    struct submission_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.time = "90";
    struct submission *submission = submission_merge(&plan);
    assert_command(submission, NULL,
                   "--job-name=small-merge --output=out.h5.log --time=90 out.h5.merge.sbatch");
    submission_destroy(submission);
}
END_TEST

// The script begins as its template, has every option on a line of its own, and is good bash to its
// end whose settings and arguments are those of the job, whatever is in them: the site's, but for
// what sbatch reads, and the program that submits, unless the site names another.
START_TEST(a_script)
{
    struct site_setting wishes[] = {{(char *)"SBATCH_QOS", (char *)"a b"},
                                    {(char *)"A", (char *)"site's $HOME\n"},
                                    {(char *)"RECFLEET_PROGRAM", (char *)"/opt/recfleet"}};
    const struct site site = {wishes, 2}, named = {wishes, 3};
    struct submission_plan plan = plan_on(&site);
    plan.folder = "/";
    plan.nodes = 2;
    struct submission *submission = submission_run(&plan, NULL);
    char *script = script_of(submission), *self = realpath("/proc/self/exe", NULL), said[4096];
    ck_assert_int_eq(strncmp(script, "#!/usr/bin/env bash\n", 20), 0);
    ck_assert_ptr_nonnull(strstr(script, "\n#SBATCH --requeue\n"));
    ck_assert_ptr_nonnull(strstr(script, "\n#SBATCH --output=out.h5.log\n#SBATCH --nodes=2\n"));
    ck_assert_ptr_nonnull(strstr(script, "SBATCH_QOS='a b' sbatch --parsable --job-name=small "));
    ck_assert_ptr_null(strstr(script, "export SBATCH_"));
    // Up to the arguments, then what they are.
    char *end = strchr(strstr(script, "\nset --") + 1, '\n');
    char *file = mem_printf("/tmp/test_submission-%ld.sh", (long)getpid());
    char *command = mem_printf("bash %s", file);
    FILE *out = fopen(file, "w");
    fprintf(out, "%.*s\nprintf '%%s|' \"$A\" \"$RECFLEET_PROGRAM\" \"$PWD\" \"$@\"\n",
            (int)(end - script), script);
    fclose(out);
    FILE *bash = popen(command, "r");
    said[fread(said, 1, sizeof said - 1, bash)] = '\0';
    ck_assert_int_eq(pclose(bash), 0);
    unlink(file);
    char *want = mem_printf("site's $HOME\n|%s|/|/p/s.yaml|-o|/p q/out.h5|--set|seed=2|--set|"
                            "name=a b|",
                            self);
    ck_assert_str_eq(said, want);
    plan.site = &named;
    assert_in_script(submission, "export RECFLEET_PROGRAM=/opt/recfleet");
    mem_free(want);
    mem_free(command);
    mem_free(file);
    free(self);
    mem_free(script);
    submission_destroy(submission);
}
END_TEST

// bash finds nothing wrong with what is made of any template.
START_TEST(scripts_are_good_bash)
{
    const bool missing[N] = {[0] = true};
    const struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    submission_deal(missing, N, 0, &tasks);
    struct submission *const all[] = {submission_run(&plan, "c"), submission_array(&plan, &tasks),
                                      submission_merge(&plan)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        FILE *bash = popen("bash -n", "w");
        submission_print_script(bash, all[i], "17");
        ck_assert_int_eq(pclose(bash), 0);
        submission_destroy(all[i]);
    }
    mem_free(tasks.chosen);
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

// One missing point beyond that makes them shares; those without a missing point are left out.
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
}
END_TEST

// One task may be all that Slurm takes: then it has all points.
START_TEST(deals_one_share)
{
    const bool missing[N] = {[3] = true};
    struct submission_tasks tasks;
    submission_deal(missing, N, 1, &tasks);
    ck_assert_uint_eq(tasks.n, 1);
    ck_assert_uint_eq(tasks.n_shares, 1);
    ck_assert(tasks.chosen[0]);
    mem_free(tasks.chosen);
}
END_TEST

// A folder in which `sbatch` is a script that says what it was given and then does `rest`.
static void pretend_sbatch(const char *folder, const char *rest)
{
    char *path = mem_printf("%s/sbatch", folder);
    FILE *out = fopen(path, "w");
    fprintf(out, "#!/bin/sh\n{ pwd; printf '%%s ' \"$@\"; } >> %s/given\n%s\n", folder, rest);
    fclose(out);
    chmod(path, 0755);
    setenv("PATH", folder, 1);
    mem_free(path);
}

// The script is in its folder, sbatch is told about it there, and its answer is what the next one
// waits for. One that fails, or says something else, is an error without an id.
START_TEST(hands_in)
{
    char folder[] = "/tmp/test_submission-XXXXXX", said[1024], *id = NULL;
    struct submission_plan plan = plan_on(&none);
    struct err err = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    plan.folder = folder;
    struct submission *submission = submission_merge(&plan);
    pretend_sbatch(folder, "echo '17;here'");
    for (int i = 0; i < 2; i++) {
        int rc = submission_hand_in(submission, "merge", "a merge", &id, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        ck_assert_str_eq(id, "17");
    }
    char *path = mem_printf("%s/given", folder);
    FILE *given = fopen(path, "r");
    said[fread(said, 1, sizeof said - 1, given)] = '\0';
    fclose(given);
    const char *options = "--parsable --job-name=small-merge --output=out.h5.log";
    char *want = mem_printf("%s\n%s out.h5.merge.sbatch %s\n%s --dependency=afterany:17 "
                            "out.h5.merge.sbatch ",
                            folder, options, folder, options);
    ck_assert_str_eq(said, want);
    pretend_sbatch(folder, "exit 3");
    ck_assert_int_eq(submission_hand_in(submission, "merge", "a merge", &id, &err), -1);
    ck_assert_ptr_null(id);
    ck_assert_ptr_nonnull(strstr(err.text, "did not take out.h5.merge.sbatch (exit status 3"));
    pretend_sbatch(folder, "echo hello");
    ck_assert_int_eq(submission_hand_in(submission, "merge", "a merge", &id, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "said \"hello"));
    setenv("PATH", "/nowhere", 1);
    ck_assert_int_eq(submission_hand_in(submission, "merge", "a merge", &id, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "there is no sbatch here"));
    const char *const left[] = {"given", "sbatch", "out.h5.merge.sbatch"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char *file = mem_printf("%s/%s", folder, left[i]);
        ck_assert_int_eq(unlink(file), 0);
        mem_free(file);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    mem_free(want);
    mem_free(path);
    submission_destroy(submission);
}
END_TEST

// A folder that cannot be written to is the error of the script, or of the logs that come first.
START_TEST(says_why_it_was_not_written)
{
    const bool missing[N] = {[0] = true};
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    struct err err = {0};
    char *id = NULL;
    plan.folder = "/no/such";
    submission_deal(missing, N, 0, &tasks);
    struct submission *run = submission_run(&plan, NULL), *array = submission_array(&plan, &tasks);
    ck_assert_int_eq(submission_hand_in(run, "run", "a run", &id, &err), -1);
    ck_assert_str_eq(err.text, "/no/such/out.h5.run.sbatch: cannot write the script: "
                               "No such file or directory");
    ck_assert_int_eq(submission_hand_in(array, "array", "an array", &id, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/out.points"));
    ck_assert_int_eq(err.code, ERR_FAIL);
    submission_destroy(run);
    submission_destroy(array);
    mem_free(tasks.chosen);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", a_run},
                                       {"core", a_chain},
                                       {"core", an_array_of_points},
                                       {"core", an_array_of_shares},
                                       {"core", a_merge},
                                       {"core", a_script},
                                       {"core", scripts_are_good_bash},
                                       {"core", hands_in},
                                       {"core", deals_points},
                                       {"core", deals_shares},
                                       {"limits", deals_one_share},
                                       {"errors", says_why_it_was_not_written}};
    return suite_run("submission", tests, sizeof tests / sizeof *tests);
}
