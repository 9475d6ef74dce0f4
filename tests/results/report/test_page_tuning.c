// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_tuning.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "results/report/shown.h"
#include "support/suite.h"

// `only`: that picture; NULL: all.
static char *picture_of(const struct tuning_result *t, int format, const char *only)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    out->only = only;
    page_tuning_print(out, t, NULL);
    return shown_text(&shown);
}

static char *page_of(const struct tuning_result *t, int format)
{
    return picture_of(t, format, NULL);
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

static void try_at(struct tuning_result *t, uint32_t point, uint32_t stream, uint64_t batch,
                   double qps, int32_t sla)
{
    struct tuning_step step = {.point = point,
                               .policy = 1,
                               .stream = stream,
                               .settings = {batch, 0},
                               .rate_qps = qps,
                               .result = measurement_none(VERDICT_MET)};
    step.result.sla = sla;
    step.result.sla_latency_s = (struct ci){qps * 1e-6, 1e-4, 0};
    tuning_result_add_step(t, &step);
}

static void try(struct tuning_result *t, uint32_t stream, uint64_t batch, double qps, int32_t sla)
{
    try_at(t, 0, stream, batch, qps, sla);
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

static uint32_t count(const char *text, const char *part)
{
    uint32_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

// Of every other point the climb is folded away, with the line alone; whole for programs, and for
// whoever asks for it.
START_TEST(other_climbs)
{
    struct tuning_result *t = fixture_tuning(1);
    t->n_steps = 0;
    for (uint32_t point = 0; point < 3; point++) {
        try_at(t, point, 0, 16, 1000 + point, VERDICT_MET);
        try_at(t, point, 0, 64, 2000 + point, VERDICT_MISSED);
        try_at(t, point, 0, 64, 1500 + point, VERDICT_MET);
    }
    char *html = page_of(t, REPORT_HTML), *csv = page_of(t, REPORT_CSV),
         *svg = picture_of(t, REPORT_SVG, "climb-0-2");
    const char *const folded[] = {"The climb on B at medium, skylake</a>",
                                  "<td class=\"l\">deeprecsched</td><td>64</td><td>1502</td>"};
    shown_has(html, folded, sizeof folded / sizeof *folded);
    ck_assert_uint_eq(count(html, "<figure id=\"climb-"), 3);
    ck_assert_ptr_null(strstr(html, ">2002<"));
    const char *const whole[] = {"climb-0-2,Rate tried,\"deeprecsched, missed\",64,2002,,\n",
                                 "climb-0-2,Latency,deeprecsched,64,1.502,1.402,1.602\n",
                                 "climb-0-1,Rate tried,deeprecsched,16,1001,,\n"};
    shown_has(csv, whole, sizeof whole / sizeof *whole);
    ck_assert_uint_eq(count(svg, "class=\"chart\""), 1);
    ck_assert_ptr_nonnull(strstr(svg, "Latency"));
    mem_free(html);
    mem_free(csv);
    mem_free(svg);
    tuning_result_destroy(t);
}
END_TEST

// A thousand points, each with fifty steps: a page of 2 MB at most says what it has no room for.
START_TEST(many_points)
{
    struct tuning_result *t = tuning_result_create(1, 1000, 2);
    char *labels[1000];
    for (uint32_t i = 0; i < 1000; i++)
        labels[i] = mem_printf("a point of a long name %u", i);
    point_axes_take(&t->grid, 0, "point", (const char *const *)labels);
    t->policies[0] = mem_strdup("static");
    t->policies[1] = mem_strdup("deeprecsched");
    t->chosen = fixture_chosen();
    t->sla_quantile = 0.95;
    for (uint32_t i = 0; i < 1000; i++) {
        for (uint32_t p = 0; p < 2; p++) {
            struct tuning_outcome *o = tuning_result_outcome_at(t, i, p);
            o->qps = 1000 * (p + 1);
            o->missed_qps = o->qps * 1.01;
            o->settings[0] = 64;
        }
        for (uint64_t k = 0; k < 50; k++)
            try_at(t, i, 0, 1 + k, 900 + (double)k, k % 2 ? VERDICT_MET : VERDICT_MISSED);
        mem_free(labels[i]);
    }
    char *html = page_of(t, REPORT_HTML);
    uint32_t n = count(html, "<figure id=\"climb-0-");
    char *said = mem_printf("%u points have no room here.", 1000 - n - 1);
    ck_assert_msg(strlen(html) <= 2000000, "%zu bytes", strlen(html));
    ck_assert_msg(n >= 50 && strstr(html, said), "%u points", n);
    mem_free(said);
    mem_free(html);
    tuning_result_destroy(t);
}
END_TEST

// Published figures are between the rates and the search.
START_TEST(published)
{
    struct tuning_result *t = fixture_tuning(1);
    struct published *p = published_create("x.csv", t->grid.n_axes);
    struct published_row *row = published_add(p);
    row->figure = mem_strdup("theirs");
    row->source = mem_strdup("there");
    row->policy = 1;
    row->value = 3;
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_HTML;
    page_tuning_print(out, t, p);
    char *html = shown_text(&shown);
    const char *rates = strstr(html, "id=\"rates\""), *theirs = strstr(html, "id=\"published-0\""),
               *search = strstr(html, "id=\"search\"");
    ck_assert(rates && theirs && search && rates < theirs && theirs < search);
    mem_free(html);
    published_destroy(p);
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
        {"core", answer},    {"core", tie},           {"core", climb},  {"core", other_climbs},
        {"core", published}, {"limits", many_points}, {"limits", least}};
    return suite_run("page_tuning", tests, sizeof tests / sizeof *tests);
}
