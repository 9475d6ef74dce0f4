// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_day.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Destroys the answer.
static char *report_of(struct capacity_result *answer)
{
    char *text = NULL;
    size_t n = 0;
    struct report_out out = {.file = open_memstream(&text, &n)};
    report_day_print(&out, answer, 0);
    fclose(out.file);
    capacity_result_destroy(answer);
    return text;
}

// Every interval and service has a line with both schedulers, then the whole day, and what was
// sampled.
START_TEST(by_the_hour)
{
    char *text = report_of(fixture_capacity_day());
    const char *const wanted[] = {
        "12:00  ads      4000  79.20 ±0.60  115.2 ±1.2    3.00   50.0  MISSED   60.00 ±0.60",
        "whole day", "feed           100.0  79.20 ±0.60",
        "simulated 12 of 1000 cells, 4 windows of 2 s of each interval of 6 h, after 1 s of "
        "warm-up: 1.4e+07 of 3.2e+13 queries\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "lost"));
    shown_tidy(text, 120);
    mem_free(text);
}
END_TEST

// Where accelerators do something, how busy they are has a column under every scheduler.
START_TEST(accelerators)
{
    struct capacity_result *s = fixture_capacity_day();
    for (size_t i = 0; i < (size_t)s->n_intervals * s->n_services; i++)
        s->trials[i].accel_util_frac = 0.25;
    char *text = report_of(s);
    const char *const wanted[] = {"late %  cpu %  accel %     SLA",
                                  "115.2 ±1.2    3.00   50.0     25.0  MISSED"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// More cells than there are: the same ones, with other draws.
START_TEST(more_cells_than_the_fleet_has)
{
    struct capacity_result *s = fixture_capacity_day();
    s->sample.of_cells = 2;
    char *text = report_of(s);
    const char *const wanted[] = {"simulated 12 cells (the fleet has 2), 4 windows of 2 s"};
    shown_has(text, wanted, 1);
    mem_free(text);
}
END_TEST

// A target of another percentile than the usual two has a column of its own; windows that differ
// say from where to where.
START_TEST(own_percentile)
{
    struct capacity_result *s = fixture_capacity_day();
    s->sla_quantile = 0.9;
    s->sample.window_most_s = 3.5;
    char *text = report_of(s);
    const char *const wanted[] = {"service   QPS       p90 ms       p95 ms      p99 ms  late %",
                                  "4 windows of 2 to 3.5 s of each interval of 6 h, after 1 s of"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// The tails of the schedulers are compared, over all and by service.
START_TEST(ratios)
{
    struct capacity_result *s = fixture_capacity_day();
    struct report_day_ratio p95, p99;
    report_day_ratios(s, 1, (uint32_t[]){0, 2}, &p95, &p99);
    ck_assert_double_eq_tol(p95.mean, 1.32, 1e-12);
    ck_assert_double_eq_tol(p99.mean, 1.28, 1e-12);
    ck_assert_uint_eq(p95.n, 8);
    s->trials[0].p95_s.value *= 2;  // of the first scheduler
    s->trials[1].p99_s.value = NAN; // not known: left out
    report_day_ratios(s, 1, (uint32_t[]){0, 1}, &p95, &p99);
    ck_assert_double_eq_tol(p95.mean, 1.32 * 5 / 4, 1e-12);
    ck_assert_double_eq_tol(p95.least, 1.32, 1e-12);
    ck_assert_double_eq_tol(p95.most, 2.64, 1e-12);
    report_day_ratios(s, 1, (uint32_t[]){1, 2}, &p95, &p99);
    ck_assert_uint_eq(p99.n, 3);
    char *text = report_of(s);
    const char *const wanted[] = {"deeprecsched against fixed: p95 1.4", "x lower, p99 1.28x lower",
                                  "feed               1.65 (1.32 .. 2.64)        1.28"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// A tail that is longer under the second scheduler is said to be higher.
START_TEST(higher)
{
    struct capacity_result *s = fixture_capacity_day();
    for (uint32_t i = 8; i < 16; i++)
        s->trials[i].p95_s.value *= 2 * 1.32;
    char *text = report_of(s);
    ck_assert_ptr_nonnull(strstr(text, "p95 2.00x higher, p99 1.28x lower"));
    mem_free(text);
}
END_TEST

// Losses are said where there are any.
START_TEST(losses)
{
    struct capacity_result *s = fixture_capacity_day();
    s->days[1].lost_frac = 0.0125;
    char *text = report_of(s);
    ck_assert_ptr_nonnull(strstr(text, "ads: lost 1.250 % under fixed, 0 % under deeprecsched\n"));
    mem_free(text);
}
END_TEST

// Of a long day each interval has one line, of the service nearest to its target; never more than
// 48 of them.
START_TEST(long_day)
{
    static const char *const names[] = {"a", "b", "c"};
    struct capacity_result *s =
        capacity_result_create(&(struct capacity_shape){1, 1, 1, 288, 1, 3, 0, 0});
    s->schedulers[0] = mem_strdup("fixed");
    s->allocations[0] = mem_strdup("given");
    s->provisionings[0] = mem_strdup("given");
    s->types[0] = mem_strdup("skylake");
    s->interval_s = 300;
    for (uint32_t m = 0; m < 3; m++) {
        s->services[m] = mem_strdup(names[m]);
        s->sla_s[m] = 0.1;
        for (uint32_t i = 0; i < 288; i++) {
            s->trials[i * 3 + m].sla_latency_s.value = m == 1 ? 0.09 : 0.05;
            s->trials[i * 3 + m].n_queries = 1000;
        }
    }
    char *text = report_of(s);
    ck_assert_ptr_nonnull(strstr(text, "23:30  b"));
    ck_assert_ptr_null(strstr(text, "23:30  a"));
    ck_assert_int_lt(shown_lines(text), 48 + 15);
    shown_tidy(text, 120);
    mem_free(text);
}
END_TEST

// Nothing was simulated: nothing is said.
START_TEST(not_simulated)
{
    struct capacity_result *s = fixture_capacity_day();
    for (uint32_t i = 0; i < 16; i++)
        s->trials[i] = measurement_none(VERDICT_NOT_ASKED);
    char *text = report_of(s);
    ck_assert_str_eq(text, "");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", by_the_hour},    {"core", accelerators}, {"core", more_cells_than_the_fleet_has},
        {"core", own_percentile}, {"core", ratios},       {"core", higher},
        {"core", losses},         {"limits", long_day},   {"limits", not_simulated}};
    return suite_run("report_day", tests, sizeof tests / sizeof *tests);
}
