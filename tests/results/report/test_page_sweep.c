// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "results/report/shown.h"
#include "support/suite.h"

static char *page_of(const struct sweep_result *p, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_sweep_print(out, p);
    return shown_text(&shown);
}

// policy x rate, with a p95 of 5 ms + 1 ms per point; the points from `overloaded` on of the
// second policy are that.
static struct sweep_result *by_rate(uint32_t n_policies, uint32_t n_rates, uint32_t overloaded)
{
    struct sweep_result *p = sweep_result_create(2, n_policies * n_rates);
    char **policies = mem_calloc(n_policies, sizeof *policies),
         **rates = mem_calloc(n_rates, sizeof *rates);
    for (uint32_t i = 0; i < n_policies; i++)
        policies[i] = mem_printf("policy%u", i);
    for (uint32_t i = 0; i < n_rates; i++)
        rates[i] = mem_printf("%ukqps", i + 1);
    point_axes_set(&p->grid, 0, "policy", (const char *const *)policies, n_policies);
    point_axes_set(&p->grid, 1, "rate", (const char *const *)rates, n_rates);
    for (uint32_t i = 0; i < p->n_points; i++) {
        bool over = i / n_rates == 1 && i % n_rates >= overloaded;
        struct run_result *run =
            over ? fixture_load_overloaded(5 + i, 1, 1) : fixture_load(5 + i % 200, 1, 1);
        p->values[2 * i] = i / n_rates;
        p->values[2 * i + 1] = i % n_rates;
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    for (uint32_t i = 0; i < n_policies; i++)
        mem_free(policies[i]);
    for (uint32_t i = 0; i < n_rates; i++)
        mem_free(rates[i]);
    mem_free(policies);
    mem_free(rates);
    return p;
}

// The points of the knee are those of the file: load in queries per second, latency with its
// interval in ms, a series per policy; what is overloaded leaves the picture.
START_TEST(knee)
{
    struct sweep_result *p = by_rate(2, 3, 2);
    char *text = page_of(p, REPORT_CSV), *html = page_of(p, REPORT_HTML);
    const char *const wanted[] = {
        "knee,policy0,1000,5,4.95,5.05\n", "knee,policy0,2000,6,5.94,6.06\n",
        "knee,policy0,3000,7,6.93,7.07\n", "knee,policy1,1000,8,7.92,8.08\n",
        "knee,policy1,2000,9,8.91,9.09\n", "knee,policy1,3000,,,\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    const char *const seen[] = {"The knee: latency against load", "leaves the picture at the top",
                                "target: p95 25 ms", "unbounded", "id=\"fleet-against\""};
    shown_has(html, seen, sizeof seen / sizeof *seen);
    ck_assert_ptr_null(strstr(html, "nan"));
    ck_assert_ptr_null(strstr(html, "Latency compared"));
    mem_free(text);
    mem_free(html);
    sweep_result_destroy(p);
}
END_TEST

// Without an axis of numbers there are bars, with the interval of the replications, and the words
// why there is none.
START_TEST(bars)
{
    struct sweep_result *p = fixture_sweep();
    const char *const fleets[] = {"small", "large"};
    point_axes_set(&p->grid, 1, "fleet", fleets, 2);
    char *text = page_of(p, REPORT_CSV), *html = page_of(p, REPORT_HTML);
    // 10, 11, 12 ms of all queries: 11 and 2.484 = t(0.975, 2) / sqrt(3)
    const char *const wanted[] = {"latency-bars,p95,11,\"random, small\",8.51586",
                                  "latency-bars,p95,,\"power of 2, small (overloaded)\",,\n",
                                  "utilisation,"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    const char *const seen[] = {"Latency compared", "3 replications", "from the replications",
                                "1 of 12 points failed. 2 of 12 points are not done.",
                                "no space left on the disk"};
    shown_has(html, seen, sizeof seen / sizeof *seen);
    ck_assert_ptr_null(strstr(html, "nan"));
    mem_free(text);
    mem_free(html);
    sweep_result_destroy(p);
}
END_TEST

// A cell for each pair of values.
START_TEST(map)
{
    struct sweep_result *p = by_rate(3, 4, 9);
    char *text = page_of(p, REPORT_CSV);
    const char *const wanted[] = {"\nmap,p95,1kqps,policy0,5\n", "\nmap,p95,4kqps,policy2,16\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
    sweep_result_destroy(p);
}
END_TEST

// A thousand points: the page is small, draws some and says how many, and programs get all.
START_TEST(thousand)
{
    struct sweep_result *p = by_rate(40, 25, 99);
    char *html = page_of(p, REPORT_HTML), *csv = page_of(p, REPORT_CSV);
    ck_assert_uint_lt(strlen(html), 2000000);
    const char *const seen[] = {"The first 24 of 40 series have colours",
                                "other 16 are thin grey lines", "<g class=\"key rest\"",
                                "<path class=\"thin\"", "and 500 more"};
    shown_has(html, seen, sizeof seen / sizeof *seen);
    ck_assert_ptr_null(strstr(html, "and 16 more")); // of the legend
    const char *const wanted[] = {"\npoints,999,policy39,25kqps,"};
    shown_has(csv, wanted, 1);
    mem_free(html);
    mem_free(csv);
    sweep_result_destroy(p);
}
END_TEST

// One point that is not done: nothing to draw.
START_TEST(least)
{
    struct sweep_result *p = fixture_points_least();
    char *html = page_of(p, REPORT_HTML);
    ck_assert_ptr_null(strstr(html, "<figure"));
    ck_assert_ptr_nonnull(strstr(html, "No point of 1 is done."));
    mem_free(html);
    sweep_result_destroy(p);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", knee}, {"core", bars}, {"core", map}, {"limits", thousand}, {"limits", least}};
    return suite_run("page_sweep", tests, sizeof tests / sizeof *tests);
}
