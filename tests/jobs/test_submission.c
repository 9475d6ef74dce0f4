// SPDX-License-Identifier: Apache-2.0
#include "jobs/submission.h"

#include <stdlib.h>
#include <string.h>

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

// The words that sbatch is given, apart from the folder, which is the same for all.
static void assert_command(const struct submission *submission, const char *expected)
{
    char *command = sbatch_command(submission_job(submission));
    char *whole = mem_printf("cd '/p q' && sbatch --parsable %s", expected);
    ck_assert_str_eq(command, whole);
    mem_free(whole);
    mem_free(command);
}

static void assert_in_script(const struct submission *submission, const char *line)
{
    char *script = sbatch_script(submission_job(submission)), *whole = mem_printf("\n%s\n", line);
    ck_assert_msg(strstr(script, whole) != NULL, "no line %s in:\n%s", line, script);
    mem_free(whole);
    mem_free(script);
}

// Every job is told the study, where the results go, and what was changed, in this order.
START_TEST(arguments)
{
    const char *const expected[] = {"/p/s.yaml", "-o",    "/p q/out.h5", "--set",
                                    "seed=2",    "--set", "name=a b"};
    const struct submission_plan plan = plan_on(&none);
    struct submission *submission = submission_merge(&plan);
    const struct sbatch_job *job = submission_job(submission);
    ck_assert_uint_eq(job->n_arguments, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < job->n_arguments; i++)
        ck_assert_str_eq(job->arguments[i], expected[i]);
    submission_destroy(submission);
}
END_TEST

// A run asks for the size that was given; it is no link of a chain.
START_TEST(a_run)
{
    struct submission_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.ranks_per_node = 8;
    plan.time = "1:30:00";
    struct submission *submission = submission_run(&plan, NULL);
    assert_command(submission, "--job-name=small --output=out.h5.log --nodes=2 --ntasks-per-node=8 "
                               "--time=1:30:00 out.h5.run.sbatch");
    assert_in_script(submission, "#SBATCH --ntasks-per-node=8");
    assert_in_script(submission, "export RECFLEET_CHAIN=''");
    assert_in_script(submission, "set -- /p/s.yaml -o '/p q/out.h5' --set seed=2 --set 'name=a b'");
    submission_destroy(submission);
}
END_TEST

// Links are one submission: their job and their script have the name of the chain, and each waits
// for the one that was named last.
START_TEST(a_chain)
{
    const struct submission_plan plan = plan_on(&none);
    struct submission *submission = submission_run(&plan, "small-chain-1");
    assert_command(submission, "--job-name=small-chain-1 --output=out.h5.log out.h5.run.sbatch");
    assert_in_script(submission, "export RECFLEET_CHAIN=small-chain-1");
    submission_after(submission, "17");
    ck_assert_str_eq(submission_job(submission)->dependency, "afterany:17");
    submission_after(submission, "18");
    ck_assert_str_eq(submission_job(submission)->dependency, "afterany:18");
    submission_after(submission, NULL);
    ck_assert_ptr_null(submission_job(submission)->dependency);
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
    assert_command(submission,
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
    assert_command(submission, "--job-name=small --output=out.points/share-%6a.log --array=1 "
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
    assert_command(submission,
                   "--job-name=small-merge --output=out.h5.log --time=90 out.h5.merge.sbatch");
    submission_destroy(submission);
}
END_TEST

// Jobs run the program that submits them, unless the site names another.
START_TEST(the_program)
{
    struct site_setting named[] = {{(char *)"RECFLEET_PROGRAM", (char *)"/opt/recfleet"}};
    const struct site site = {named, 1};
    const struct submission_plan plans[] = {plan_on(&none), plan_on(&site)};
    struct submission *ours = submission_merge(&plans[0]), *theirs = submission_merge(&plans[1]);
    char *self = realpath("/proc/self/exe", NULL);
    ck_assert_str_eq(site_value(submission_job(ours)->more, "RECFLEET_PROGRAM"), self);
    ck_assert_ptr_null(site_value(submission_job(theirs)->more, "RECFLEET_PROGRAM"));
    assert_in_script(theirs, "export RECFLEET_PROGRAM=/opt/recfleet");
    free(self);
    submission_destroy(ours);
    submission_destroy(theirs);
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

// A folder that cannot be written to is the error of the script, or of the logs that come first.
START_TEST(says_why_it_was_not_written)
{
    const bool missing[N] = {[0] = true};
    struct submission_plan plan = plan_on(&none);
    struct submission_tasks tasks;
    struct err err = {0};
    plan.folder = "/no/such";
    submission_deal(missing, N, 0, &tasks);
    struct submission *run = submission_run(&plan, NULL), *array = submission_array(&plan, &tasks);
    ck_assert_int_eq(submission_write(run, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/out.h5.run.sbatch: cannot write the script"));
    ck_assert_int_eq(submission_write(array, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/out.points"));
    ck_assert_int_eq(err.code, ERR_FAIL);
    submission_destroy(run);
    submission_destroy(array);
    mem_free(tasks.chosen);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", arguments},
                                       {"core", a_run},
                                       {"core", a_chain},
                                       {"core", an_array_of_points},
                                       {"core", an_array_of_shares},
                                       {"core", a_merge},
                                       {"core", the_program},
                                       {"core", deals_points},
                                       {"core", deals_shares},
                                       {"limits", deals_one_share},
                                       {"errors", says_why_it_was_not_written}};
    return suite_run("submission", tests, sizeof tests / sizeof *tests);
}
