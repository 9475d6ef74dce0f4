// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_capacity.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Destroys the answer.
static char *page_of(struct capacity_result *answer, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_capacity_print(out, answer);
    capacity_result_destroy(answer);
    return shown_text(&shown);
}

// Nothing of an unknown number is shown, and nothing is left open.
static void is_whole(const char *text)
{
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "inf "));
    ck_assert_uint_lt(strlen(text), 300000);
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
}

// Servers: the sentence, the number and the range by type (23, sure to be in 22 .. 25), latency
// there against the target; no day and no load.
START_TEST(servers)
{
    char *text = page_of(fixture_capacity_sizes(), REPORT_HTML);
    const char *const wanted[] = {
        "<p class=\"answer\">20 servers of &quot;cpu + gpu, ti&quot; hold it",
        "<dt>servers</dt><dd>20<small>between",
        "<figure id=\"needed\">",
        "<figure id=\"one-less\">",
        "<figure id=\"services-near\">",
        "<h2 id=\"tables\">"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    is_whole(text);
    ck_assert_ptr_null(strstr(text, "id=\"day\""));
    ck_assert_ptr_null(strstr(text, "id=\"held\""));
    ck_assert_ptr_null(strstr(text, "<th>answer")); // told once
    mem_free(text);
    text = page_of(fixture_capacity_sizes(), REPORT_CSV);
    const char *const rows[] = {
        "needed,fixed,23,\"cpu + gpu, ti, 1 cell down\",22,25\n", "needed,fixed,40,skylake,,\n",
        "one-less,as many as are needed,97,skylake,96.03,97.97\n",
        "services-near,at the answer,97,ads,96.03,97.97\n", "answer,\"20 servers of `cpu"};
    shown_has(text, rows, sizeof rows / sizeof *rows);
    mem_free(text);
}
END_TEST

// Targets that differ are told in percent of each; one that is missed by an overloaded fleet has no
// dot.
START_TEST(several_targets)
{
    struct capacity_result *s = fixture_capacity_sizes();
    s->sizes[0].at_n.sla_s = 0.2;
    s->sizes[0].at_n.sla_latency_s = (struct ci){0.15, 0.01, 9};
    s->sizes[0].below.sla_latency_s.value = NAN;
    char *text = page_of(s, REPORT_CSV);
    const char *const rows[] = {"one-less,as many as are needed,75,skylake,70,80\n"};
    shown_has(text, rows, 1);
    ck_assert_ptr_null(strstr(text, "one-less,one less,75"));
    ck_assert_ptr_nonnull(strstr(text, "\"p95, % of the target\""));
    mem_free(text);
}
END_TEST

// What is held and what is missed, of each scheduler that holds anything.
START_TEST(load)
{
    char *text = page_of(fixture_capacity_loads(), REPORT_HTML);
    const char *const wanted[] = {"<figure id=\"held\">", "The fleet holds", "asked for"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    is_whole(text);
    ck_assert_ptr_null(strstr(text, "id=\"needed\""));
    mem_free(text);
}
END_TEST

// The best plan of the fixture, deeprecsched's optimal that follows: 20, 40, 80, 60 servers, 200 W
// planned for each, 210 W as simulated, 60 g of carbon an hour; p95 at noon 60 ms of 100 ms. The
// last interval lasts until midnight. Nobody pays, so there is no money.
START_TEST(plan)
{
    char *text = page_of(fixture_capacity(), REPORT_CSV);
    const char *const rows[] = {"demand,feed,43200,4000\n",
                                "servers-on,skylake,43200,40\n",
                                "servers-on,all,43200,80\n",
                                "servers-on,all,86400,60\n",
                                "power-day,planned,0,4000\n",
                                "power-day,simulated,43200,16800\n",
                                "costs,carbon,43200,4.8\n",
                                "near,feed,43200,0.6,0.594,0.606\n",
                                "plan-servers,all,1200,\"deeprecsched, optimal, follow\"\n",
                                "plan-energy,simulated,252,\"deeprecsched, optimal, follow\"\n",
                                "plan-carbon,all,216,\"fixed, greedy, follow\"\n"};
    shown_has(text, rows, sizeof rows / sizeof *rows);
    ck_assert_ptr_null(strstr(text, "plan-money"));
    mem_free(text);
    text = page_of(fixture_capacity(), REPORT_HTML);
    const char *const wanted[] = {"<dt>servers on, at most</dt><dd>80",
                                  "<dt>targets met</dt><dd>8 of 8</dd>", "12:00"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    is_whole(text);
    mem_free(text);
}
END_TEST

// A given fleet has no plans to name; one that misses a target says so beside its name.
START_TEST(given_fleet)
{
    char *text = page_of(fixture_capacity_day(), REPORT_CSV);
    const char *const rows[] = {"servers-on,all,43200,200\n", "power-day,simulated,0,42000\n",
                                "plan-servers,all,4800,"};
    shown_has(text, rows, sizeof rows / sizeof *rows);
    ck_assert_ptr_null(strstr(text, "power-day,planned"));
    ck_assert_ptr_null(strstr(text, "given, given"));
    mem_free(text);
}
END_TEST

// Where no plan was found there is nothing to draw, and a page all the same.
START_TEST(no_plan)
{
    struct capacity_result *s = fixture_capacity();
    for (uint32_t i = 0; i < 12; i++)
        s->totals[i].state = CAPACITY_BEYOND;
    char *text = page_of(s, REPORT_HTML);
    is_whole(text);
    ck_assert_ptr_null(strstr(text, "<figure"));
    mem_free(text);
}
END_TEST

// Names of a study are text, whatever they are.
START_TEST(hostile_names)
{
    struct capacity_result *s = fixture_capacity();
    mem_free(s->services[0]);
    s->services[0] = mem_strdup("<script>alert(1)</script>");
    mem_free(s->types[0]);
    s->types[0] = mem_strdup("a\"b&c");
    char *text = page_of(s, REPORT_HTML);
    ck_assert_ptr_null(strstr(text, "<script>alert"));
    ck_assert_ptr_null(strstr(text, "a\"b&c"));
    is_whole(text);
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", servers},     {"core", several_targets}, {"core", load},           {"core", plan},
        {"core", given_fleet}, {"limits", no_plan},       {"errors", hostile_names}};
    return suite_run("page_capacity", tests, sizeof tests / sizeof *tests);
}
