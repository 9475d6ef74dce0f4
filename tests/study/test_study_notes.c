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
    study_notes(study, false, hear, &said);
    study_destroy(study);
    ck_assert_str_eq(said.text, expected);
}

// What is said of a run of 10 s of four such servers.
static void assert_said_of(const char *group, const char *expected)
{
    struct said said = {""};
    struct err err = {0};
    char *text = mem_printf("duration: 10s\ntraffic: [{service: a, model: wnd, rate: 9qps}]\n"
                            "fleet: {groups: [{platform: skylake, servers: 4, %s}]}\n",
                            group);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    study_notes(study, false, hear, &said);
    study_destroy(study);
    mem_free(text);
    ck_assert_str_eq(said.text, expected);
}

// Slow servers that are none, and service times that stay alike for longer than intervals bear.
START_TEST(alike_for_long)
{
    assert_said_of("slow_frac: 0.12, slow_factor: 2",
                   "!skylake: a slow_frac of 0.12 makes none of its 4 servers slow\n");
    assert_said_of("slow_frac: 0.13, slow_factor: 2", "");
    assert_said_of("noise: {distribution: exponential, correlation_time: 0.1s}", "");
    assert_said_of("noise: {distribution: exponential, correlation_time: 0.11s}",
                   "!skylake: a correlation_time of 110ms is more than a 100th of the run, whose "
                   "intervals will be too narrow: a longer run or replications make them right\n");
}
END_TEST

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
    assert_said(text, "0qps", "process: replay, file: " FILE_NAME,
                "!a: most records arrive together with the one before, by a clock of 2s; "
                "resolution: 2s spreads them\n");
    assert_said(text, "0qps", "process: replay, resolution: 2s, file: " FILE_NAME, "");
    assert_said(
        text, "0qps", "process: replay, resolution: 1ms, file: " FILE_NAME,
        "!a: its resolution is shorter than 2s, the clock that most records arrive by: they "
        "still arrive in bursts; resolution: 2s spreads them\n");
    assert_said(text, "0qps", "process: replay, time_scale: 0.5, file: " FILE_NAME,
                "!a: most records arrive together with the one before, by a clock of 2s; "
                "resolution: 2s spreads them\n");
    assert_said("5,1\n5,1\n", "0qps", "process: replay, file: " FILE_NAME,
                "!a: all 2 records arrive at once, and so have no rate; resolution: 1s, say, "
                "spreads them, if that is the tick of their clock\n");
    assert_said("5,1\n5,1\n", "0qps", "process: replay, resolution: 1s, file: " FILE_NAME, "");
    assert_said("5,1\n", "0qps", "process: replay, file: " FILE_NAME,
                "!a: its trace has one record, and so no rate\n");
}
END_TEST

// A rate beside a trace that is not stretched to it.
START_TEST(idle_rates)
{
    const char *text = "0,1\n1,1\n2,1\n";
    assert_said(text, "80000qps", "process: replay, file: " FILE_NAME,
                "!a: its rate of 80000 qps has no effect: its trace has 1 qps; rescale: true "
                "stretches it to that rate\n");
    assert_said(text, "80000qps", "process: replay, rescale: true, file: " FILE_NAME, "");
    assert_said(text, "1.01qps", "process: replay, file: " FILE_NAME, "");
}
END_TEST

// A size of 0 is one of 1.
START_TEST(sizes_below_one)
{
    assert_said("0,0\n1,2\n", "1qps", "process: replay, file: " FILE_NAME,
                "!a: 1 of 2 sizes (50 %) are below 1 and count as 1 item\n");
}
END_TEST

// Sizes of a file that are above the limit are told of as those of a trace; of a distribution,
// where they are many.
START_TEST(cut_distributions)
{
    const char *file = "process: poisson}, sizes: {distribution: empirical, file: " FILE_NAME;
    assert_said("weight,items\n3,10\n0.5,3000\n0.5,9000\n", "1qps", file,
                "!a: 2 of 3 sizes (25 % of the queries) are above max_items and count as 1024 "
                "items; the largest is 9000\n");
    assert_said("weight,items\n999,10\n1,9000\n", "1qps", file,
                "a: 1 of 2 sizes (0.1 % of the queries) are above max_items and count as 1024 "
                "items; the largest is 9000\n");
    assert_said("0\n", "1qps",
                "process: poisson}, sizes: {distribution: normal, mean: 1024.5, sd: 10",
                "!a: 50 % of the sizes are above max_items and count as 1024 items\n");
    assert_said("0\n", "1qps", "process: poisson}, sizes: {distribution: production", "");
}
END_TEST

// A day from 00:00 to 24:00 is one of 24 hours, and says so; so does a list that repeats its first
// point, which may be meant.
START_TEST(closed_days)
{
    char text[2000] = "time,a\n";
    for (int h = 0; h <= 24; h++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "2024-03-%02d %02d:00:00,%d\n",
                 5 + h / 24, h % 24, 9000 + 100 * (h % 24) - 50 * (h / 24));
    assert_said(text, "from_curve", "process: diurnal, curve_file: " FILE_NAME,
                "a: the last point of its curve, 8950, is 86400s behind the first, 9000: it starts "
                "the next period, and is left out\n");
    text[strlen(text) - 5] = '2';
    assert_said(
        text, "from_curve", "process: diurnal, curve_file: " FILE_NAME,
        "!a: the last point of its curve, 2950, is 86400s behind the first, 9000: it starts "
        "the next period, and is left out\n");
    assert_said(
        "0\n", "9000qps", "process: diurnal, curve: [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]",
        "!a: its curve has 13 points, and so steps of 6646.15s; leave the last out if it is "
        "the first of the next period of 86400s\n");
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
    study_notes(study, false, hear, &said);
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

// Relative rates are none to take either.
START_TEST(relative_curves_have_no_rate)
{
    const char *const arrivals[] = {"process: diurnal, curve: [0.5, 1]",
                                    "process: diurnal, curve: [0.5, 1.5]"};
    const char *const ends[] = {"a mean of 0.75 and a peak of 1", "a mean of 1 and a peak of 1.5"};
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        char expected[300];
        ck_assert_ptr_null(parsed("0\n", "from_curve", arrivals[i], &err));
        snprintf(
            expected, sizeof expected,
            "s.yaml:2:42: traffic[0].rate: from_curve needs a curve of queries per second; the "
            "rates of this one are relative, with %s",
            ends[i]);
        ck_assert_str_eq(err.text, expected);
    }
}
END_TEST

// Keys without effect are mistakes, at their place.
START_TEST(idle_keys_are_placed)
{
    const char *const rows[][2] = {
        {"process: diurnal, curve: [1, 2], series: x",
         "series: has no effect without a curve_file"},
        {"process: replay, file: " FILE_NAME ", filter: x", "filter: has no effect without"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        char expected[200];
        ck_assert_ptr_null(parsed("0,1\n1,1\n", "1qps", rows[i][0], &err));
        snprintf(expected, sizeof expected, "traffic[0].arrivals.%s", rows[i][1]);
        ck_assert_msg(strncmp(err.text, "s.yaml:2:", 9) == 0 && strstr(err.text, expected), "%s",
                      err.text);
    }
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
        {"core", alike_for_long},
        {"core", cut_sizes},
        {"core", coarse_clocks},
        {"core", sizes_below_one},
        {"core", idle_rates},
        {"core", cut_distributions},
        {"core", closed_days},
        {"core", contradicting_curves},
        {"core", small_accelerators},
        {"core", what_is_taken_from_files},
        {"errors", rates_without_a_curve_are_refused},
        {"errors", relative_curves_have_no_rate},
        {"errors", idle_keys_are_placed},
    };
    if (library_load(&library, NULL) < 0)
        return 1;
    int rc = suite_run("study_notes", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return rc;
}
