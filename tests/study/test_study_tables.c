// SPDX-License-Identifier: Apache-2.0
#include "study/study_tables.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/round_trip.h"
#include "study/study.h"
#include "study/study_digest.h"
#include "study/study_notes.h"
#include "support/suite.h"

#define FILE_NAME "test_study_tables.csv"

static struct library library; // of the whole program; set by main

static void write_table(const char *text)
{
    FILE *file = fopen(FILE_NAME, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

// One core on a platform of one's own; queries of 1 to 100 items in requests of 64.
static struct study *parse(const char *cost, const char *more, struct err *err)
{
    char *text = mem_printf(
        "duration: 1s\ntraffic: [{service: feed, model: wnd, rate: 10qps, sizes: {distribution: "
        "normal, mean: 50, sd: 20, max_items: 100}}]\nfleet:\n  groups:\n  - {platform: mine, "
        "cores: 1, servers: 1, scheduler: {policy: fixed, batch_items: 64}%s, cost: %s}\n",
        more, cost);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *cost, const char *more)
{
    struct err err;
    struct study *study = parse(cost, more, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *cost, const char *line)
{
    struct err err;
    ck_assert_msg(parse(cost, "", &err) == NULL, "%s was accepted", cost);
    ck_assert_str_eq(err.text, line);
}

#define USED "{kind: table, file: " FILE_NAME "}"

// A file is a table, under `file`, or under `table` where no table has that name; the resolved
// study names it by its path.
START_TEST(files_are_tables)
{
    static const char *const costs[] = {
        USED, "{kind: table, table: " FILE_NAME "}",
        "{kind: table, services: [{service: feed, file: " FILE_NAME "}]}",
        "{kind: roofline, services: [{service: feed, kind: table, file: " FILE_NAME "}]}"};
    write_table("batch,ms\n1,2\n64,8\n");
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct study *study = parsed(costs[i], "");
        ck_assert_double_eq(cost_cpu_s(study->groups[0].costs[0], 64, 1), 8e-3);
        ck_assert_str_eq(study->fleet.groups[0].name, "mine");
        char *text = round_trip_text(study, &library);
        ck_assert_ptr_nonnull(strstr(text, "        file: " FILE_NAME "\n"));
        mem_free(text);
    }
    assert_refused("{kind: table, file: nowhere.csv}",
                   "s.yaml:5:115: fleet.groups[0].cost.file: nowhere.csv: No such file or "
                   "directory");
    assert_refused("{kind: table, table: wnd-repo-zen5-2core, file: " FILE_NAME "}",
                   "s.yaml:5:143: fleet.groups[0].cost.file: expected a table or a file, got both");
}
END_TEST

// What is in the file counts for the study's digest, its name does not.
START_TEST(digest_is_of_what_is_in_it)
{
    char *digests[3];
    static const char *const texts[] = {"batch,ms\n1,2\n64,8\n", "batch,us\n1,2000\n64,8000\n",
                                        "batch,ms\n1,2\n64,8.1\n"};
    for (size_t i = 0; i < 3; i++) {
        write_table(texts[i]);
        struct study *study = parsed(USED, "");
        digests[i] = study_digest(study);
        study_destroy(study);
    }
    ck_assert_str_eq(digests[0], digests[1]);
    ck_assert_str_ne(digests[0], digests[2]);
    for (size_t i = 0; i < 3; i++)
        mem_free(digests[i]);
}
END_TEST

// The spread of a table becomes the group's noise, unless the study says what that is.
START_TEST(spread_becomes_noise)
{
    write_table("batch,ms,cv\n1,2,0.25\n64,8,0.25\n");
    struct study *study = parsed(USED, "");
    ck_assert_int_eq(study->fleet.groups[0].noise.spread, SPREAD_LOGNORMAL);
    ck_assert_double_eq(study->fleet.groups[0].noise.cv, 0.25);
    char *text = round_trip_text(study, &library);
    ck_assert_ptr_nonnull(strstr(text, "        distribution: lognormal\n        cv: 0.25\n"));
    mem_free(text);
    study = parsed(USED, ", noise: none");
    ck_assert_int_eq(study->fleet.groups[0].noise.spread, SPREAD_NONE);
    study_destroy(study);
}
END_TEST

// Sizes that the table does not know are an error, unless the study says what becomes of them.
START_TEST(sizes_outside_are_an_error)
{
    write_table("batch,ms\n4,2\n32,8\n");
    assert_refused(USED, "s.yaml:5:115: fleet.groups[0].cost.file: \"" FILE_NAME
                         "\" has batches of 4 to 32 items, and service feed has requests of 1; "
                         "outside: clamp takes the nearest time, extend the last slope");
    write_table("batch,ms\n1,2\n32,8\n");
    assert_refused(USED, "s.yaml:5:115: fleet.groups[0].cost.file: \"" FILE_NAME
                         "\" has batches of 1 to 32 items, and service feed has requests of 64; "
                         "outside: clamp takes the nearest time, extend the last slope");
    struct study *study = parsed("{kind: table, file: " FILE_NAME ", outside: clamp}", "");
    ck_assert_double_eq(cost_cpu_s(study->groups[0].costs[0], 63, 1), 8e-3);
    study_destroy(study);
    study = parsed("{kind: table, file: " FILE_NAME ", outside: extend}", "");
    ck_assert_double_eq_tol(cost_cpu_s(study->groups[0].costs[0], 63, 1), 14e-3, 1e-12);
    study_destroy(study);
}
END_TEST

// A table of another model or platform: an error with its place in the file, or meant, with a scale
// that the group's name in the results shows.
START_TEST(contradictions_must_be_meant)
{
    write_table("# platform: other\n# model: rmc1\nbatch,ms\n1,2\n64,8\n");
    assert_refused(USED, "s.yaml:5:115: fleet.groups[0].cost.file: " FILE_NAME
                         ":2:10: measured with model \"rmc1\", and the service's model is \"wnd\"; "
                         "transfer: true and a cpu_scale take times from elsewhere");
    write_table("# platform: other\n# model: wnd\nbatch,ms\n1,2\n64,8\n");
    assert_refused(USED, "s.yaml:5:115: fleet.groups[0].cost.file: " FILE_NAME
                         ":1:13: measured on \"other\", and the group's platform is \"mine\"; "
                         "transfer: true and a cpu_scale take times from elsewhere");
    assert_refused("{kind: table, file: " FILE_NAME ", transfer: true}",
                   "s.yaml:5:148: fleet.groups[0].cost.transfer: expected a cpu_scale (or "
                   "accel_scale) with it: how many times longer than measured; 1 takes times as "
                   "they are");
    struct study *study =
        parsed("{kind: table, file: " FILE_NAME ", transfer: true, cpu_scale: 1.5}", "");
    ck_assert_double_eq(cost_cpu_s(study->groups[0].costs[0], 64, 1), 12e-3);
    ck_assert_str_eq(study->fleet.groups[0].name, "mine [transfer x1.5]");
    study_destroy(study);
    write_table("# platform: mine\n# model: wnd\nbatch,ms\n1,2\n64,8\n");
    study_destroy(parsed(USED, ""));
}
END_TEST

// What a table lacks is an error or computed, as the study says; a scale is of what was measured.
START_TEST(the_rest_is_computed)
{
    write_table("device,batch,load_ms,compute_ms\ngpu,1,1,2\ngpu,100,1,3\n");
    struct err err;
    ck_assert_ptr_null(parse(USED, ", accelerator: t4", &err));
    ck_assert_str_eq(err.text,
                     "s.yaml:5:112: fleet.groups[0].cost: service feed: rest: the "
                     "measured table \"" FILE_NAME "\" has no CPU times; roofline computes them");
    const char *text =
        "duration: 1s\ntraffic: [{service: feed, model: wnd, rate: 10qps}]\nfleet: {groups: "
        "[{platform: skylake, accelerator: t4, servers: 1, scheduler: {policy: fixed, batch_items: "
        "64, offload_items: 200}, cost: {kind: table, file: " FILE_NAME
        ", rest: roofline, outside: extend, cpu_scale: 9}}, {name: b, platform: skylake, "
        "accelerator: t4, servers: 1}]}\n";
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    const struct cost *cost = study->groups[0].costs[0], *computed = study->groups[1].costs[0];
    ck_assert_double_eq(cost_cpu_s(cost, 64, 3), cost_cpu_s(computed, 64, 3));
    ck_assert_double_eq(cost_accel_compute_s(cost, 100), 3e-3);
    study_destroy(study);
}
END_TEST

struct heard {
    char text[2000];
};

static void hear(void *user, bool is_warning, const char *text)
{
    struct heard *heard = user;
    size_t n = strlen(heard->text);
    snprintf(heard->text + n, sizeof heard->text - n, "%s%s\n", is_warning ? "! " : "", text);
}

// What was made of a file is told, and warned of where it is not what was measured.
START_TEST(notes_tell_what_was_made_of_it)
{
    struct heard heard = {""};
    write_table("# platform: x\nbatch,p50_ms,p95_ms\n2,2,2.2\n32,8,8.8\n");
    struct study *study = parsed(
        "{kind: table, file: " FILE_NAME ", transfer: true, cpu_scale: 2, outside: extend}", "");
    study_notes(study, false, hear, &heard);
    study_destroy(study);
    ck_assert_str_eq(
        heard.text,
        "feed: " FILE_NAME " is read without mean times: its medians stand for them\n"
        "! feed: times of " FILE_NAME " in group mine were measured elsewhere: the CPU's are "
        "multiplied by 2, the accelerator's by 1\n"
        "feed: times of " FILE_NAME " spread by a cv of 0.058, lognormal, in group mine; a key "
        "noise of the group takes its place\n"
        "! feed: requests of up to 64 items are outside " FILE_NAME ", which ends at 32: its last "
        "slope continues\n"
        "feed: requests of 1 items and more take the time of 2, the first batch of " FILE_NAME
        "\n");
}
END_TEST

// A search is told to end where the table does, or warned of where it may not.
START_TEST(notes_tell_where_searches_end)
{
    struct heard heard = {""};
    write_table("# platform: mine\nbatch,busy_cores,ms\n1,1,2\n64,1,8\n");
    struct study *study = parsed(USED, "");
    study_notes(study, false, hear, &heard);
    ck_assert_str_eq(heard.text, "");
    study_notes(study, true, hear, &heard);
    ck_assert_str_eq(heard.text,
                     "feed: requests of more than 64 items, the last batch of " FILE_NAME
                     ", are not tried\n");
    study_destroy(study);
    heard.text[0] = '\0';
    study = parsed("{kind: table, file: " FILE_NAME ", outside: clamp}", "");
    study_notes(study, true, hear, &heard);
    ck_assert_str_eq(heard.text,
                     "! feed: requests of up to 100 items may be tried in mine, outside " FILE_NAME
                     ", which ends at 64: they take the time of its last "
                     "batch\n");
    study_destroy(study);
    heard.text[0] = '\0';
    // A table of a section ends at its busy cores as a file's does.
    const char *text =
        "duration: 1s\ntraffic: [{service: feed, rate: 10qps, sizes: {distribution: fixed, items: "
        "9}}]\ntables: [{name: t, model: m, platform: p, batches_items: [1, 9], busy_cores: [1, "
        "2], seconds: [1ms, 2ms, 1ms, 3ms]}]\nfleet: {groups: [{cores: 4, servers: 1, cost: {kind: "
        "table, table: t}}]}\n";
    struct err err = {0};
    study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    study_notes(study, false, hear, &heard);
    study_destroy(study);
    ck_assert_str_eq(heard.text, "feed: t was measured with at most 2 at a time, which holds for "
                                 "all 4 cores of servers\n");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", files_are_tables},
                                       {"core", digest_is_of_what_is_in_it},
                                       {"core", spread_becomes_noise},
                                       {"core", the_rest_is_computed},
                                       {"core", notes_tell_what_was_made_of_it},
                                       {"core", notes_tell_where_searches_end},
                                       {"errors", sizes_outside_are_an_error},
                                       {"errors", contradictions_must_be_meant}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_tables", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    remove(FILE_NAME);
    return failed;
}
