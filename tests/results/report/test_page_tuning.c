// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_tuning.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "results/report/shown.h"
#include "support/suite.h"

static char *page_of(const struct tuning_result *t, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_tuning_print(out, t);
    return shown_text(&shown);
}

// Twice the rate of static wherever both have an answer; exhaustive is what it is measured by.
START_TEST(answer)
{
    struct tuning_result *t = fixture_tuning(1);
    char *html = page_of(t, REPORT_HTML), *csv = page_of(t, REPORT_CSV);
    const char *const seen[] = {
        "deeprecsched holds 2.00 times the rate of static (geometric mean over 3 points, 2.00 to "
        "2.00); most at ",
        ": 2000 queries per second with B 251 items, T 320 items, compared with 1000. It is at "
        "most "
        "1.0 % below exhaustive search. 2 of 12 answers are missing: no rate reaches the target.",
        "latency floor 31.10 ms"};
    shown_has(html, seen, sizeof seen / sizeof *seen);
    const char *const wanted[] = {"rates,static,1000,\"low, skylake\",1000,1010\n",
                                  "rates,deeprecsched,8000,\"medium, cpu + gpu, ti\",8000,8080\n",
                                  "gains,deeprecsched,2,\"low, skylake\"\n",
                                  "efficiency,static,10,\"medium, skylake\"\n",
                                  "effort,settings tried,96,deeprecsched\n"};
    shown_has(csv, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(html, "nan"));
    mem_free(html);
    mem_free(csv);
    tuning_result_destroy(t);
}
END_TEST

// A rate that the other was not shown to miss is no gain.
START_TEST(tie)
{
    struct tuning_result *t = fixture_tuning(1);
    for (uint32_t i = 0; i < t->grid.n_points; i++) {
        struct tuning_outcome *first = tuning_result_outcome_at(t, i, 0),
                              *second = tuning_result_outcome_at(t, i, 1);
        second->qps = first->qps * 1.005;
        second->missed_qps = first->missed_qps;
    }
    char *html = page_of(t, REPORT_HTML);
    ck_assert_ptr_nonnull(strstr(html, "That is not distinguishable"));
    mem_free(html);
    tuning_result_destroy(t);
}
END_TEST

static void try(struct tuning_result *t, uint32_t stream, uint64_t batch, double qps, int32_t sla)
{
    struct tuning_step step = {.point = 0,
                               .policy = 1,
                               .stream = stream,
                               .settings = {batch, 0},
                               .rate_qps = qps,
                               .result = measurement_none(VERDICT_MET)};
    step.result.sla = sla;
    step.result.sla_latency_s = (struct ci){qps * 1e-6, 1e-4, 0};
    tuning_result_add_step(t, &step);
}

// At each value the largest rate held, and what was missed; not what confirmed it later, nor a
// setting that was not varied.
START_TEST(climb)
{
    struct tuning_result *t = fixture_tuning(1);
    t->n_steps = 0;
    try(t, 0, 64, 1500, VERDICT_MET);
    try(t, 0, 16, 1000, VERDICT_MET);
    try(t, 0, 64, 1800, VERDICT_MET);
    try(t, 0, 64, 2100, VERDICT_MISSED);
    try(t, 1, 128, 9999, VERDICT_MET);
    char *csv = page_of(t, REPORT_CSV);
    const char *const wanted[] = {
        "\nclimb-0,Rate tried,deeprecsched,16,1000,,\nclimb-0,Rate tried,deeprecsched,64,1800,,\n",
        "climb-0,Rate tried,\"deeprecsched, missed\",64,2100,,\n",
        "climb-0,Latency,deeprecsched,64,1.5,1.4,1.6\n"};
    shown_has(csv, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(csv, "9999"));
    ck_assert_ptr_null(strstr(csv, "climb-1"));
    mem_free(csv);
    tuning_result_destroy(t);
}
END_TEST

// One policy at one point has a rate and no gain; without any answer that is said.
START_TEST(least)
{
    struct tuning_result *t = fixture_tuning_least(), *nothing = tuning_result_create(0, 1, 1);
    char *html = page_of(t, REPORT_HTML);
    ck_assert_ptr_nonnull(
        strstr(html, "fixed holds 1234 queries per second with B 251 items, T 320 items."));
    nothing->policies[0] = mem_strdup("x");
    nothing->sla_quantile = 0.95;
    char *none = page_of(nothing, REPORT_HTML);
    ck_assert_ptr_nonnull(strstr(none, "No policy reaches the target at any rate"));
    ck_assert_ptr_null(strstr(none, "nan"));
    mem_free(html);
    mem_free(none);
    tuning_result_destroy(nothing);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", answer}, {"core", tie}, {"core", climb}, {"limits", least}};
    return suite_run("page_tuning", tests, sizeof tests / sizeof *tests);
}
