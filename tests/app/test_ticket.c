// SPDX-License-Identifier: Apache-2.0
#include "app/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

enum { N = 10 };

static const struct site none = {0};
static const char *const settings[] = {"seed=2", "name=a b"};

static struct ticket_plan plan_on(const struct site *site)
{
    return (struct ticket_plan){.study = "/p/s.yaml",
                                .output = "/p q/out.h5",
                                .settings = settings,
                                .n_settings = 2,
                                .folder = "/p q",
                                .name = "out.h5",
                                .job_name = "small",
                                .site = site};
}

// The words that sbatch is given, apart from the folder, which is the same for all.
static void assert_command(const struct ticket *ticket, const char *expected)
{
    char *command = sbatch_command(ticket_job(ticket));
    char *whole = mem_printf("cd '/p q' && sbatch --parsable %s", expected);
    ck_assert_str_eq(command, whole);
    mem_free(whole);
    mem_free(command);
}

static void assert_in_script(const struct ticket *ticket, const char *line)
{
    char *script = sbatch_script(ticket_job(ticket)), *whole = mem_printf("\n%s\n", line);
    ck_assert_msg(strstr(script, whole) != NULL, "no line %s in:\n%s", line, script);
    mem_free(whole);
    mem_free(script);
}

// Every job is told the study, where the results go, and what was changed, in this order.
START_TEST(arguments)
{
    const char *const expected[] = {"/p/s.yaml", "-o",    "/p q/out.h5", "--set",
                                    "seed=2",    "--set", "name=a b"};
    const struct ticket_plan plan = plan_on(&none);
    struct ticket *ticket = ticket_merge(&plan);
    const struct sbatch_job *job = ticket_job(ticket);
    ck_assert_uint_eq(job->n_arguments, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < job->n_arguments; i++)
        ck_assert_str_eq(job->arguments[i], expected[i]);
    ticket_destroy(ticket);
}
END_TEST

// A run asks for the size that was given; it is no link of a chain.
START_TEST(a_run)
{
    struct ticket_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.ranks_per_node = 8;
    plan.time = "1:30:00";
    struct ticket *ticket = ticket_run(&plan, NULL);
    assert_command(ticket, "--job-name=small --output=out.h5.log --nodes=2 --ntasks-per-node=8 "
                           "--time=1:30:00 out.h5.run.sbatch");
    assert_in_script(ticket, "#SBATCH --ntasks-per-node=8");
    assert_in_script(ticket, "export RECFLEET_CHAIN=''");
    assert_in_script(ticket, "set -- /p/s.yaml -o '/p q/out.h5' --set seed=2 --set 'name=a b'");
    ticket_destroy(ticket);
}
END_TEST

// Links are one ticket: their job and their script have the name of the chain, and each waits for
// the one that was named last.
START_TEST(a_chain)
{
    const struct ticket_plan plan = plan_on(&none);
    struct ticket *ticket = ticket_run(&plan, "small-chain-1");
    assert_command(ticket, "--job-name=small-chain-1 --output=out.h5.log out.h5.run.sbatch");
    assert_in_script(ticket, "export RECFLEET_CHAIN=small-chain-1");
    ticket_after(ticket, "17");
    ck_assert_str_eq(ticket_job(ticket)->dependency, "afterany:17");
    ticket_after(ticket, "18");
    ck_assert_str_eq(ticket_job(ticket)->dependency, "afterany:18");
    ticket_after(ticket, NULL);
    ck_assert_ptr_null(ticket_job(ticket)->dependency);
    ticket_destroy(ticket);
}
END_TEST

// Tasks that are points: their numbers, at most so many at a time, and a log for each beside its
// point.
START_TEST(an_array_of_points)
{
    const bool missing[N] = {[0] = true, [1] = true, [7] = true};
    struct ticket_plan plan = plan_on(&none);
    struct ticket_tasks tasks;
    plan.throttle = 2;
    plan.nodes = 3;
    ticket_deal(missing, N, 0, &tasks);
    struct ticket *ticket = ticket_array(&plan, &tasks);
    assert_command(ticket, "--job-name=small --output=out.points/%6a.log --array=0-1,7%2 --nodes=3 "
                           "out.h5.sweep.sbatch");
    assert_in_script(ticket, "export RECFLEET_SHARES=''");
    ticket_destroy(ticket);
    mem_free(tasks.chosen);
}
END_TEST

// Tasks that are shares: the script knows of how many, and their logs are not taken for points'.
START_TEST(an_array_of_shares)
{
    const bool missing[N] = {[1] = true, [9] = true};
    const struct ticket_plan plan = plan_on(&none);
    struct ticket_tasks tasks;
    ticket_deal(missing, N, 4, &tasks);
    struct ticket *ticket = ticket_array(&plan, &tasks);
    assert_command(ticket, "--job-name=small --output=out.points/share-%6a.log --array=1 "
                           "out.h5.sweep.sbatch");
    assert_in_script(ticket, "export RECFLEET_SHARES=4");
    ticket_destroy(ticket);
    mem_free(tasks.chosen);
}
END_TEST

// A merge takes what its template asks for, whatever the size of the other jobs, but for the time.
START_TEST(a_merge)
{
    struct ticket_plan plan = plan_on(&none);
    plan.nodes = 2;
    plan.time = "90";
    struct ticket *ticket = ticket_merge(&plan);
    assert_command(ticket,
                   "--job-name=small-merge --output=out.h5.log --time=90 out.h5.merge.sbatch");
    ticket_destroy(ticket);
}
END_TEST

// Jobs run the program that submits them, unless the site names another.
START_TEST(the_program)
{
    struct site_setting named[] = {{(char *)"RECFLEET_PROGRAM", (char *)"/opt/recfleet"}};
    const struct site site = {named, 1};
    const struct ticket_plan plans[] = {plan_on(&none), plan_on(&site)};
    struct ticket *ours = ticket_merge(&plans[0]), *theirs = ticket_merge(&plans[1]);
    char *self = realpath("/proc/self/exe", NULL);
    ck_assert_str_eq(site_value(ticket_job(ours)->more, "RECFLEET_PROGRAM"), self);
    ck_assert_ptr_null(site_value(ticket_job(theirs)->more, "RECFLEET_PROGRAM"));
    assert_in_script(theirs, "export RECFLEET_PROGRAM=/opt/recfleet");
    free(self);
    ticket_destroy(ours);
    ticket_destroy(theirs);
}
END_TEST

// As long as every missing point has a number that Slurm takes, tasks are points; points with
// greater numbers that are done change nothing.
START_TEST(deals_points)
{
    const bool missing[N] = {[2] = true, [5] = true};
    struct ticket_tasks tasks;
    ticket_deal(missing, N, 6, &tasks);
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
    struct ticket_tasks tasks;
    ticket_deal(missing, N, 5, &tasks);
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
    struct ticket_tasks tasks;
    ticket_deal(missing, N, 1, &tasks);
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
    struct ticket_plan plan = plan_on(&none);
    struct ticket_tasks tasks;
    struct err err = {0};
    plan.folder = "/no/such";
    ticket_deal(missing, N, 0, &tasks);
    struct ticket *run = ticket_run(&plan, NULL), *array = ticket_array(&plan, &tasks);
    ck_assert_int_eq(ticket_write(run, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/out.h5.run.sbatch: cannot write the script"));
    ck_assert_int_eq(ticket_write(array, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such/out.points"));
    ck_assert_int_eq(err.code, ERR_FAIL);
    ticket_destroy(run);
    ticket_destroy(array);
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
    return suite_run("ticket", tests, sizeof tests / sizeof *tests);
}
