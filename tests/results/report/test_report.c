// SPDX-License-Identifier: Apache-2.0
#include "results/report/report.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/report/shown.h"
#include "support/suite.h"

// The report as text; caller frees with free() through mem_free.
static char *report_with(const struct record *r, const struct meta *meta,
                         const struct run_info *run)
{
    struct shown shown;
    struct summary *s = summary_create(r, meta);
    report_print(shown_open(&shown), meta, s, run);
    summary_destroy(s);
    return shown_text(&shown);
}

static char *report_of(const struct record *r, const struct meta *meta)
{
    const struct run_info run = fixture_run();
    return report_with(r, meta, &run);
}

// Names, units, verdicts and speed are there, within 100 columns.
START_TEST(says_it_all)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    char *text = report_of(r, meta);
    ck_assert_ptr_null(strstr(text, "OVERLOADED"));
    const char *const wanted[] = {
        "feed",           "ads, banner",   "(all)",  "served qps", "p99 ms",
        "p95 25 ms: met", "cpu util %",    "W",      "QPS/W",      "±",
        "wall second",    "policy random", "seed 7", "(fleet)",    NULL};
    shown_is(text, 100, wanted);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Every target's percentile is shown: one that has no column gets one, different ones share it.
START_TEST(percentile_of_the_target)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    char *usual = report_of(r, meta);
    ck_assert_ptr_null(strstr(usual, "p90"));
    meta->services[1].sla_quantile = 0.9;
    shown_is(report_of(r, meta), 110,
             (const char *const[]){"max ms      p90 ms\n", "p90 25 ms: met", NULL});
    meta->services[0].sla_quantile = 0.97;
    shown_is(report_of(r, meta), 110,
             (const char *const[]){"max ms  at target ms\n", "31.12   13.", NULL});
    mem_free(usual);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// An overloaded run says so loudly: no percentile, but how fast its queue grows.
START_TEST(overload_is_loud)
{
    struct meta *meta = fixture_meta_one(1, 4);
    struct record_shape shape = fixture_shape(meta, 40, 40 * SIMTIME_S);
    struct record *r = record_create(&shape);
    struct fixture_queue q = {1, 0, 0, 0, 0, 4, 1.1, 1e6};
    fixture_run_queue(r, &q);
    shown_is(report_of(r, meta), 110,
             (const char *const[]){"*** OVERLOADED ***: group all, cpu", "MISSED", "n/a",
                                   "grows without bound, by 394 ", "goodput qps", NULL});
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// The first line of a report with that run.
static void assert_first_line(struct run_info run, const char *line)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    char *text = report_with(r, meta, &run);
    ck_assert_msg(strncmp(text, line, strlen(line)) == 0, "no '%s' before\n%s", line, text);
    mem_free(text);
    record_destroy(r);
    meta_destroy(meta);
}

// A batch job and a resumed run say so first; a plain run begins with the program.
START_TEST(job_comes_first)
{
    struct run_info run = {.n_ranks = 8, .n_nodes = 2, .job_id = "4711", .n_restarts = 3};
    assert_first_line(run, "job 4711   2 nodes, 8 ranks   resumed 3 times\nrecfleet ");
    run.n_restarts = 0;
    assert_first_line(run, "job 4711   2 nodes, 8 ranks\nrecfleet ");
    run = (struct run_info){.n_ranks = 1, .n_nodes = 1, .job_id = "", .n_restarts = 1};
    assert_first_line(run, "1 node, 1 rank   resumed once\nrecfleet ");
    run.n_restarts = 0;
    assert_first_line(run, "recfleet ");
}
END_TEST

// What was lost is said only where something can be: per service, and the fates of the whole run.
START_TEST(losses)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    char *quiet = report_of(r, meta);
    meta->has_outages = true;
    char *lucky = report_of(r, meta);
    for (uint32_t bin = 0; bin < 10; bin++) {
        struct tally *t = record_tally(r, bin, 1, PATH_CPU);
        t->n_lost = 250;
        t->n_retries = 7;
    }
    record_tally(r, 9, 1, PATH_CPU)->n_pending = 4;
    r->n_generated[0] = 10000;
    r->n_generated[1] = 12504;
    const char *const none[] = {"feed: lost 0 ±0 % (0 of 10000), retried 0, in flight", NULL};
    const char *const some[] = {"ads, banner: lost 19.99",
                                " % (2500 of 12504), retried 70, in flight at the end ",
                                "More are lost than p95 allows: its target is missed",
                                "MISSED",
                                "(all): lost 11.1",
                                "whole run: 22504 queries = ",
                                " answered + 2500 lost + ",
                                NULL};
    ck_assert_ptr_null(strstr(quiet, "lost"));
    shown_is(lucky, 110, none);
    shown_is(report_of(r, meta), 110, some);
    mem_free(quiet);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Nothing happened: the table has no garbage.
START_TEST(nothing_happened)
{
    struct meta *meta = fixture_meta();
    struct record_shape shape = fixture_shape(meta, 4, SIMTIME_S);
    struct record *r = record_create(&shape);
    shown_is(report_of(r, meta), 110, (const char *const[]){"unsure", NULL});
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", says_it_all},     {"core", overload_is_loud}, {"core", percentile_of_the_target},
        {"core", job_comes_first}, {"core", losses},           {"limits", nothing_happened}};
    return suite_run("report", tests, sizeof tests / sizeof *tests);
}
