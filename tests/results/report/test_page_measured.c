// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_measured.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "results/report/shown.h"
#include "support/suite.h"

static char *page_of(const struct percentile_table_measured *m, int format)
{
    struct run_result *run = fixture_load(10, 1, 1);
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_measured_print(out, run, 0, m);
    run_result_destroy(run);
    return shown_text(&shown);
}

static double p95_s(void)
{
    struct run_result *run = fixture_load(10, 1, 1);
    double p95 = run->summary->services[0].latency_s[SUMMARY_P95].value;
    run_result_destroy(run);
    return p95;
}

// Half of the run's own p95 is a ratio of two, in the sentence and in the picture; a percentile of
// 100 % is in the table and has no place in a picture.
START_TEST(ratio)
{
    const double quantile[] = {0.95, 1}, latency_s[] = {p95_s() / 2, 1};
    const struct percentile_table_measured m = {"<m>.csv", "CSV", NULL, 2, quantile, latency_s, 0};
    char *text = page_of(&m, REPORT_HTML);
    const char *const wanted[] = {"p95 is ",
                                  ": 2 times.",
                                  "compared with &lt;m&gt;.csv",
                                  "<figure id=\"percentiles\">",
                                  "<figure id=\"ratio\">",
                                  "<th>simulated / measured</th>",
                                  "</html>"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "<m>"));
    mem_free(text);
    text = page_of(&m, REPORT_CSV);
    double value;
    const char *line = strstr(text, "\nratio,simulated / measured,0.95,");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "\nratio,simulated / measured,0.95,%lf", &value), 1);
    ck_assert_double_eq_tol(value, 2, 1e-9);
    ck_assert_ptr_null(strstr(line + 1, "\nratio,simulated / measured,"));
    ck_assert_ptr_nonnull(strstr(text, "\npercentiles,measured,0.95,"));
    mem_free(text);
}
END_TEST

// What only one side has is said, and there is a page without pictures of both.
START_TEST(nothing_in_common)
{
    const double quantile[] = {1}, latency_s[] = {1};
    const struct percentile_table_measured m = {"m.csv", "CSV", "ms", 1, quantile, latency_s, 0};
    char *text = page_of(&m, REPORT_HTML);
    shown_has(text, (const char *const[]){"No percentile is known of both."}, 1);
    ck_assert_ptr_null(strstr(text, "<figure id=\"ratio\">"));
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", ratio}, {"limits", nothing_in_common}};
    return suite_run("page_measured", tests, sizeof tests / sizeof *tests);
}
