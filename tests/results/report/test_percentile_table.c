// SPDX-License-Identifier: Apache-2.0
#include "results/report/percentile_table.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/report/shown.h"
#include "support/suite.h"

#define RUN "test_percentile_table.h5"

// An M/M/1 run at half load with a mean service of 1 ms: a fraction q takes at most
// -2 ms ln(1 - q).
static struct run_result *run_of(void)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record_shape shape = fixture_shape(meta, 40, 400 * SIMTIME_S);
    struct record *r = record_create(&shape);
    struct fixture_queue q = {7, 0, 0, 0, 0, 1, 0.5, 1e6};
    struct err err = {0};
    fixture_run_queue(r, &q);
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

// Any percentile is that of the distribution, and the summary's own where it has one.
START_TEST(any_percentile)
{
    struct run_result *run = run_of();
    const struct ci *latency = run->summary->services[0].latency_s;
    const double quantiles[] = {0.1, 0.3, 0.62, 0.8, 0.97};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        ck_assert_double_eq_tol(
            percentile_table_at(run, 0, quantiles[i]) / (-2e-3 * log(1 - quantiles[i])), 1, 0.05);
    ck_assert_double_eq_tol(percentile_table_at(run, 0, 0.95) / latency[SUMMARY_P95].value, 1,
                            0.002);
    ck_assert_double_eq(percentile_table_at(run, 0, 1), run->summary->services[0].latency_max_s);
    ck_assert(isnan(percentile_table_at(run, 0, 1 - 1e-9)));
    run_result_destroy(run);
}
END_TEST

// Twice the run's own p95 is a ratio of one half; 1e-9 of a tail is not known.
START_TEST(beside_measured)
{
    struct run_result *run = run_of();
    double p95_s = run->summary->services[0].latency_s[SUMMARY_P95].value;
    const double quantile[] = {0.95, 1 - 1e-9}, latency_s[] = {2 * p95_s, 1};
    const struct percentile_table_measured m = {"m.csv", "CSV", "ms", 2, quantile, latency_s, 0};
    struct shown shown;
    percentile_table_print(shown_open(&shown), run, 0, &m);
    shown_is(shown_text(&shown), 100,
             (const char *const[]){"measured   m.csv (CSV, values in ms)", ": 0.5 times.", "\np95 ",
                                   "\np99.9999999 ", NULL});
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_CSV;
    percentile_table_print(out, run, 0, &m);
    char *text = shown_text(&shown);
    double ratio;
    const char *line = strstr(text, "\npercentiles,0.95,");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "\npercentiles,0.95,%*[^,],%*[^,],%*[^,],%lf", &ratio), 1);
    ck_assert_double_eq_tol(ratio, 0.5, 1e-9);
    mem_free(text);
    run_result_destroy(run);
}
END_TEST

// HdrHistogram's text with 5 ticks per half distance: 0, 10 .. 50 %, then by 5 to 75, by 2.5 to
// 87.5, ...; counts rise to the total, and 1/(1-Percentile) is what its name says.
START_TEST(hgrm)
{
    struct run_result *run = run_of();
    struct shown shown;
    percentile_table_hgrm(shown_open(&shown)->file, run, 0);
    char *text = shown_text(&shown);
    const char *const head = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
    const double levels[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.775, 0.8};
    ck_assert_msg(strncmp(text, head, strlen(head)) == 0, "%.100s", text);
    const char *line = text + strlen(head);
    unsigned long long last = 0, n, total = 0;
    double value, percentile, inverse;
    size_t i = 0;
    for (; sscanf(line, "%lf %lf %llu %lf\n", &value, &percentile, &n, &inverse) == 4;
         line = strchr(line, '\n') + 1, i++) {
        ck_assert(n >= last);
        last = n;
        if (i < sizeof levels / sizeof *levels)
            ck_assert_double_eq_tol(percentile, levels[i], 1e-12);
        ck_assert_double_eq_tol(inverse * (1 - percentile), 1, 0.01);
        if (percentile >= 0.1 && percentile < 0.98)
            ck_assert_double_eq_tol(value / (-2 * log(1 - percentile)), 1, 0.05);
    }
    ck_assert_uint_ge(i, 50);
    const char *end = strstr(text, " 1.000000000000 "), *count = strstr(text, "Total count    = ");
    ck_assert(end && count && sscanf(end, " 1.000000000000 %llu\n#[Mean", &n) == 1 &&
              sscanf(count, "Total count    = %llu", &total) == 1);
    ck_assert_uint_eq(n, total);
    ck_assert_uint_eq(n, run->summary->services[0].n_queries);
    mem_free(text);
    run_result_destroy(run);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", any_percentile}, {"core", beside_measured}, {"core", hgrm}};
    return suite_run("percentile_table", tests, sizeof tests / sizeof *tests);
}
