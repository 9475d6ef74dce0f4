// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/report/shown.h"
#include "support/suite.h"

#define RUN "test_page_run.h5"
#define DURATION_S 400

// An M/M/1 run with a mean service of 1 ms at that load, with a target, through a file and back.
static struct run_result *run_at(double rho, double target_s)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record_shape shape = fixture_shape(meta, 40, DURATION_S * SIMTIME_S);
    struct record *r = record_create(&shape);
    struct fixture_queue q = {7, 0, 0, 0, 0, 1, rho, 1e6};
    struct err err = {0};
    fixture_run_queue(r, &q);
    meta->services[0].sla_quantile = 0.95;
    meta->services[0].sla_ns = simtime_from_s(target_s);
    struct summary *s = summary_create(r, meta);
    struct run_info info = fixture_run();
    struct run_result_input in = {meta, s, r, &info, NULL};
    ck_assert_msg(run_result_write(&in, RUN, true, &err) == 0, "%s", err.text);
    struct run_result *back = run_result_read(RUN, DATASET_WHOLE, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    unlink(RUN);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
    return back;
}

static char *page_of(const struct run_result *run, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_run_print(out, run);
    return shown_text(&shown);
}

// The curve is the distribution: of M/M/1 the fraction q is answered within -ln(1 - q) / (mu -
// lambda), here within 2 ms times -ln(1 - q) at half load; 200 000 queries tell it to a few
// percent.
START_TEST(percentiles)
{
    struct run_result *run = run_at(0.5, 0.1);
    char *text = page_of(run, REPORT_CSV), *line = strstr(text, "\npercentiles,");
    int n = 0;
    for (; line && strncmp(line, "\npercentiles,", 13) == 0; line = strchr(line + 1, '\n')) {
        double q, ms;
        const char *name_end = strchr(line + 13, ',');
        ck_assert_int_eq(sscanf(name_end, ",%lf,%lf", &q, &ms), 2);
        if (q < 0.05 || q > 0.995)
            continue;
        ck_assert_msg(fabs(ms / (-2 * log(1 - q)) - 1) < 0.08, "%g of %g", ms, q);
        n++;
    }
    ck_assert_int_ge(n, 50);
    mem_free(text);
    run_result_destroy(run);
}
END_TEST

// The sentence at the top says what the verdict is, and an overloaded run shows no latency.
START_TEST(answers)
{
    const struct {
        double rho, target_s;
        int32_t sla; // this queue does not count late ones
        const char *wanted, *missing;
    } cases[] = {
        {0.5, 0.1, VERDICT_MET, "is within its target: p95 is", "overloaded"},
        {0.5, 0.001, VERDICT_MISSED, "misses its target: p95 is", "overloaded"},
        {1.3, 0.1, VERDICT_MISSED, "The fleet is overloaded: of ", "How latency is spread"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run_result *run = run_at(cases[i].rho, cases[i].target_s);
        run->summary->services[0].sla = cases[i].sla;
        char *text = page_of(run, REPORT_HTML);
        ck_assert_msg(strstr(text, cases[i].wanted) != NULL, "%zu", i);
        ck_assert_msg(strstr(text, cases[i].missing) == NULL, "%zu", i);
        ck_assert_uint_lt(strlen(text), 300000);
        ck_assert_ptr_null(strstr(text, "nan"));
        mem_free(text);
        run_result_destroy(run);
    }
}
END_TEST

// Of a server that ran for real nothing is called simulated; watts that nothing knows are not 0.
START_TEST(measured)
{
    char layout[] = "measured: spin";
    struct run_result *run = run_at(0.5, 0.1);
    const char *was = run->info.layout;
    char *text = page_of(run, REPORT_HTML);
    ck_assert(strstr(text, "s simulated, seed") && strstr(text, "queries simulated"));
    mem_free(text);
    run->info.layout = layout;
    run->summary->fleet.power_w = (struct ci){.value = 0};
    text = page_of(run, REPORT_HTML);
    ck_assert(strstr(text, "s for real, seed") && strstr(text, "queries served"));
    ck_assert_ptr_null(strstr(text, "simulated, seed"));
    ck_assert_ptr_null(strstr(text, "queries simulated"));
    const char *power = strstr(text, "power, W"), *next = strstr(text, "queries per joule");
    ck_assert(power && next && strstr(power, ">-<") && strstr(power, ">-<") < next);
    mem_free(text);
    run->info.layout = was;
    run_result_destroy(run);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", percentiles}, {"core", answers}, {"core", measured}};
    return suite_run("page_run", tests, sizeof tests / sizeof *tests);
}
