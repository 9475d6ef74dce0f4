// SPDX-License-Identifier: Apache-2.0
#include "study/study_notes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

#define FILE_NAME "test_study_notes.csv"

static struct library library; // of the whole program; set by main

// What notes say, a line each; warnings begin with "!".
struct said {
    char text[2000];
};

static void hear(void *user, bool is_warning, const char *text)
{
    struct said *said = user;
    size_t at = strlen(said->text);
    snprintf(said->text + at, sizeof said->text - at, "%s%s\n", is_warning ? "!" : "", text);
}

static struct study *parsed(const char *file, const char *rate, const char *arrivals,
                            struct err *err)
{
    FILE *out = fopen(FILE_NAME, "w");
    ck_assert_ptr_nonnull(out);
    fputs(file, out);
    fclose(out);
    char *text = mem_printf("duration: 10s\n"
                            "traffic: [{service: a, model: wnd, rate: %s, arrivals: {%s}}]\n"
                            "fleet: {groups: [{platform: skylake, servers: 4}]}\n",
                            rate, arrivals);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    unlink(FILE_NAME);
    return study;
}

static void assert_said(const char *file, const char *rate, const char *arrivals,
                        const char *expected)
{
    struct said said = {""};
    struct err err = {0};
    struct study *study = parsed(file, rate, arrivals, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    study_notes(study, hear, &said);
    study_destroy(study);
    ck_assert_str_eq(said.text, expected);
}

// Sizes above the limit: a note, and a warning when they are more than one in a hundred.
START_TEST(cut_sizes)
{
    const char *replay = "process: replay, file: " FILE_NAME;
    char text[4000] = "0,5000\n";
    for (int i = 1; i <= 150; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,1\n", i);
    assert_said(text, "1qps", replay,
                "a: 1 of 151 sizes (0.662 %) are above max_items and count as 1024 items; the "
                "largest is 5000\n");
    assert_said("0,5000\n1,2\n", "1qps", replay,
                "!a: 1 of 2 sizes (50 %) are above max_items and count as 1024 items; the largest "
                "is 5000\n");
    assert_said("0,5000\n1,2\n", "1qps", "process: replay, max_items: 5000, file: " FILE_NAME, "");
}
END_TEST

// A coarse clock is a warning until a resolution is given.
START_TEST(coarse_clocks)
{
    const char *text = "0,1\n0,1\n0,1\n2,1\n2,1\n2,1\n";
    assert_said(text, "1qps", "process: replay, file: " FILE_NAME,
                "!a: most records arrive together with the one before, by a clock of 2s; "
                "resolution: 2s spreads them\n");
    assert_said(text, "1qps", "process: replay, resolution: 1s, file: " FILE_NAME, "");
}
END_TEST

// A curve of queries per second that contradicts the rate, by more than 2 %, or the period.
START_TEST(contradicting_curves)
{
    const char *diurnal = "process: diurnal, curve_file: " FILE_NAME,
               *day = "t,a\n0,10800\n43200,7200\n";
    assert_said(day, "10500qps", diurnal,
                "!a: its rate of 10500 qps is 16.7 % above the mean of its curve, 9000 qps; rate: "
                "from_curve takes that\n");
    assert_said(day, "9100qps", diurnal, "");
    assert_said(day, "from_curve", diurnal, "");
    assert_said("0.5\n1\n", "9000qps", diurnal, "");
    assert_said("0\n", "9000qps", "process: diurnal, curve: [6000, 9000]",
                "!a: its rate of 9000 qps is 20 % above the mean of its curve, 7500 qps; rate: "
                "from_curve takes that\n");
    assert_said("t,a\n0,10800\n3600,7200\n", "9000qps", diurnal,
                "!a: its curve of 7200s is played in a period of 86400s\n");
}
END_TEST

// An accelerator that holds none of a service is told of.
START_TEST(small_accelerators)
{
    struct said said = {""};
    struct err err = {0};
    const char *text = "duration: 10s\n"
                       "traffic: [{service: a, model: rmc2, rate: 9qps}, {service: b, model: wnd, "
                       "rate: 9qps}]\n"
                       "fleet: {groups: [{platform: skylake, servers: 4, accelerator: {name: t4, "
                       "memory_size: 8GB}}]}\n";
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    study_notes(study, hear, &said);
    ck_assert_str_eq(said.text, "!group skylake: service a takes 10 GB, more than the 8 GB of t4, "
                                "which serves none of it\n");
    study_destroy(study);
}
END_TEST

// from_curve is the mean of the curve, of the very series that is played; sizes of a trace have one
// limit.
START_TEST(what_is_taken_from_files)
{
    struct err err = {0};
    struct study *study = parsed("t,b,a\n0,1,10800\n43200,1,7200\n", "from_curve",
                                 "process: diurnal, curve_file: " FILE_NAME, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_double_eq(study->services[0].traffic.rate_qps, 9000);
    study_destroy(study);
    study = parsed("0,5000\n1,2\n", "1qps", "process: replay, max_items: 65535, file: " FILE_NAME,
                   &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_int_eq(study->services[0].traffic.sizes.max_items, 5000);
    study_destroy(study);
}
END_TEST

// Nothing but a curve of rates has one to take.
START_TEST(rates_without_a_curve_are_refused)
{
    const char *const arrivals[] = {"process: poisson", "process: diurnal, shape: evening"};
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        ck_assert_ptr_null(parsed("0\n", "from_curve", arrivals[i], &err));
        ck_assert_str_eq(err.text, "s.yaml:2:42: traffic[0].rate: from_curve needs arrivals: "
                                   "{process: diurnal} with a curve or curve_file of queries per "
                                   "second");
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cut_sizes},
        {"core", coarse_clocks},
        {"core", contradicting_curves},
        {"core", small_accelerators},
        {"core", what_is_taken_from_files},
        {"errors", rates_without_a_curve_are_refused},
    };
    if (library_load(&library, NULL) < 0)
        return 1;
    int rc = suite_run("study_notes", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return rc;
}
