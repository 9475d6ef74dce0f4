// SPDX-License-Identifier: Apache-2.0
#include "runs/explain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

static const char *const path = "explain.yaml";

// What is said of a study, read in that way (enum survey_plans), once `said` was.
static void explain_as(int plans, const char *text, const char *said, struct err *err,
                       struct mistakes *mistakes)
{
    const struct survey_source source = {.path = path, .plans = plans};
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    *mistakes = (struct mistakes){0};
    err_set(err, ERR_STUDY, "%s", said);
    explain_study(&source, err, mistakes);
    remove(path);
}

static void explain(const char *text, const char *said, struct err *err, struct mistakes *mistakes)
{
    explain_as(PLANS_NEVER, text, said, err, mistakes);
}

// The others are listed with the mistake that a command stopped at; where that is none of them,
// nothing is.
START_TEST(whole_study)
{
    struct mistakes all;
    struct err err;
    const char *text = "duration: 1\n"
                       "nam: x\n"
                       "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
                       "fleet: {groups: [{platform: skylake, servers: 4}]}\n";
    explain(text, "explain.yaml:2:1: nam: unknown key; did you mean \"name\"?", &err, &all);
    ck_assert_uint_eq(all.n, 2);
    ck_assert_str_eq(all.v[0].text,
                     "explain.yaml:1:11: duration: expected a time such as \"25ms\", got \"1\"");
    mistakes_release(&all);
    explain(text, "output x.h5: exists", &err, &all);
    ck_assert_uint_eq(all.n, 0);
    ck_assert_str_eq(err.text, "output x.h5: exists");
}
END_TEST

// A mistake of several points is said once, with the first of them; one of the sweep itself does
// not hide those of the rest, nor are keys missed that its points would bring.
START_TEST(sweeps)
{
    struct mistakes all;
    struct err err;
    const char *rest = "duration: 1s\n"
                       "traffic: [{service: a, model: wnd}]\n"
                       "fleet: {groups: [{platform: skylake, servers: 4}], cels: 2}\n";
    char text[600];
    snprintf(text, sizeof text,
             "%ssweep:\n"
             "  - {axis: r, key: \"traffic[0].rate\", values: [9qps, 8]}\n"
             "  - {axis: n, key: \"fleet.groups[0].servers\", values: [1, 2]}\n",
             rest);
    explain(text,
            "explain.yaml:3:52: fleet.cels: unknown key; did you mean \"cells\"? (at r=9qps,n=1)",
            &err, &all);
    ck_assert_uint_eq(all.n, 2);
    ck_assert_str_eq(all.v[1].text, "explain.yaml:5:54: traffic[0].rate: expected a rate such as "
                                    "\"12000qps\", got \"8\" (at r=8,n=1)");
    mistakes_release(&all);
    snprintf(text, sizeof text, "%ssweep: [{axis: r, key: \"traffic[0].rate\", values: []}]\n",
             rest);
    explain(text, "explain.yaml:3:52: fleet.cels: unknown key; did you mean \"cells\"?", &err,
            &all);
    ck_assert_uint_eq(all.n, 2);
    ck_assert_str_eq(all.v[1].text,
                     "explain.yaml:4:51: sweep[0].values: empty; expected at least one of values");
    mistakes_release(&all);
}
END_TEST

// What was said of a key without its place gets it; of a key that is not there, that of its map.
START_TEST(places)
{
    struct mistakes all;
    struct err err;
    const char *text = "duration: 1s\n"
                       "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
                       "fleet: {groups: [{platform: skylake, servers: 4}]}\n"
                       "tune: {queries: 2000}\n";
    explain(text, "explain.yaml: tune.queries: too few", &err, &all);
    ck_assert_str_eq(err.text, "explain.yaml:4:17: tune.queries: too few");
    explain(text, "explain.yaml: tune.max_queries: too few", &err, &all);
    ck_assert_str_eq(err.text, "explain.yaml:4:7: tune.max_queries: too few");
    explain(text, "explain.yaml: too large", &err, &all);
    ck_assert_str_eq(err.text, "explain.yaml: too large");
    ck_assert_uint_eq(all.n, 0);
}
END_TEST

// A search for a capacity takes an accelerator that is too small as a plan, and then it is no
// mistake beside the others; whether it asks for one is in the study, or said.
START_TEST(plans)
{
    static const struct {
        int plans;
        const char *rest; // of the study
        size_t n;         // mistakes
    } cases[] = {
        {PLANS_NEVER, "capacity: {find: servers}\n", 2},
        {PLANS_ASKED, "capacity: {find: servers}\n", 1},
        {PLANS_ASKED, "", 2},
        {PLANS_ALWAYS, "", 1},
        {PLANS_ASKED, "capacity: {}\nsweep: 3\n", 2}, // the sweep's own
        {PLANS_ASKED,
         "capacity: {}\nsweep: [{axis: n, key: \"fleet.groups[0].servers\", values: [2]}]\n", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mistakes all;
        struct err err;
        char text[600];
        snprintf(text, sizeof text,
                 "nam: x\nduration: 1s\ntraffic: [{service: a, model: rmc2, rate: 9qps}]\n"
                 "fleet: {groups: [{platform: skylake, servers: 4, accelerator: {name: t4, "
                 "memory_size: 8GB}, scheduler: {batch_items: 64, offload_items: 50}}]}\n%s",
                 cases[i].rest);
        explain_as(cases[i].plans, text,
                   "explain.yaml:1:1: nam: unknown key; did you mean \"name\"? (at n=2)", &err,
                   &all);
        ck_assert_uint_eq(all.n, cases[i].n);
        ck_assert_ptr_nonnull(strstr(all.v[0].text, "nam: unknown key"));
        mistakes_release(&all);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", whole_study}, {"core", sweeps}, {"core", plans}, {"errors", places}};
    return suite_run("explain", tests, sizeof tests / sizeof *tests);
}
