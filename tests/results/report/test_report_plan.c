// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_plan.h"

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
    report_plan_print(&out, answer);
    fclose(out.file);
    capacity_result_destroy(answer);
    return text;
}

// Every plan has a line; columns of which nothing is known, here money, are left out.
START_TEST(totals)
{
    char *text = report_of(fixture_capacity());
    const char *const wanted[] = {
        "scheduler     allocation  provisioning  peak  server h  plan kWh  sim. kWh  kg CO2",
        "fixed         greedy      follow         240      3600     720.0     756.0   216.0",
        "deeprecsched  optimal     follow          80      1200     240.0     252.0   72.00",
        "objective: power, in W times hours\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "$"));
    shown_tidy(text, 120);
    mem_free(text);
}
END_TEST

// What is saved, in percent: optimal has 2/3 of greedy's servers and half of blind's, following
// takes 5/8 of the hours of the peak, the second scheduler half of the first.
START_TEST(savings)
{
    char *text = report_of(fixture_capacity());
    const char *const wanted[] = {
        "fixed, peak: optimal against blind            50.0      50.0      50.0",
        "deeprecsched, follow: optimal against greedy  33.3      33.3      33.3",
        "fixed, optimal: follow against peak            0.0      37.5      37.5",
        "optimal, follow: deeprecsched against fixed   50.0      50.0      50.0"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// The best plan by the hour, with bars that are as long as servers are on.
START_TEST(hours)
{
    char *text = report_of(fixture_capacity());
    const char *const wanted[] = {
        "deeprecsched, optimal, follow:\n",
        "00:00  ######                    20        5  2000       4000         4200        0.50  "
        "feed  met\n",
        "12:00  ########################  80       20  8000      16000        16800"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// Which type serves whom when most servers are on, what is on without a use, and what there is.
START_TEST(assigned)
{
    struct capacity_result *s = fixture_capacity();
    size_t step = capacity_result_plan_at(s, 1, 2, 1) * s->n_intervals + 2; // the best plan, noon
    uint32_t *cells = s->n_assigned + step * s->n_types * s->n_services;
    for (uint32_t i = 0; i < s->n_types * s->n_services; i++)
        cells[i] = 7 * i;
    s->n_on[step * s->n_types] = 30;
    s->available[0] = 99;
    char *text = report_of(s);
    const char *const wanted[] = {"servers at 12:00", "unused  on   of\n",
                                  "skylake              -    7      23  30   99\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// A given fleet has no savings to speak of, but its hours, with the target that is missed.
START_TEST(given_fleet)
{
    char *text = report_of(fixture_capacity_day());
    const char *const wanted[] = {"given       given          200      4800", "MISSED\n",
                                  "12:00  ########################  200        0  8000          -"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "saves"));
    shown_tidy(text, 120);
    mem_free(text);
}
END_TEST

// A method without a plan says so and is compared with nothing; when none has one, that is all.
START_TEST(no_plan)
{
    struct capacity_result *s = fixture_capacity(), *none = fixture_capacity();
    for (uint32_t i = 0; i < 12; i++) {
        s->totals[i].state = i / 2 % 3 == 1 ? CAPACITY_BEYOND : CAPACITY_FOUND;
        none->totals[i].state = CAPACITY_BEYOND;
    }
    char *text = report_of(s), *empty = report_of(none);
    ck_assert_ptr_nonnull(strstr(text, "no plan"));
    ck_assert_ptr_null(strstr(text, "against greedy"));
    ck_assert_ptr_nonnull(strstr(text, "against blind"));
    ck_assert_ptr_null(strstr(empty, "saves"));
    ck_assert_ptr_null(strstr(empty, "#"));
    mem_free(text);
    mem_free(empty);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", totals},      {"core", savings},
                                       {"core", hours},       {"core", assigned},
                                       {"core", given_fleet}, {"limits", no_plan}};
    return suite_run("report_plan", tests, sizeof tests / sizeof *tests);
}
