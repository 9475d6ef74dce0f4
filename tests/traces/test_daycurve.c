// SPDX-License-Identifier: Apache-2.0
#include "traces/daycurve.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Sums of a few doubles in another order.
#define SLACK 1e-12

static const char *refusal(const char *text, struct err *err)
{
    struct reals curve = {0, NULL};
    *err = (struct err){0};
    ck_assert_int_eq(daycurve_parse("c.csv", text, strlen(text), &curve, err), -1);
    ck_assert_ptr_null(curve.v);
    return err->text;
}

static struct reals parsed(const char *text)
{
    struct reals curve = {0, NULL};
    struct err err = {0};
    ck_assert_msg(daycurve_parse("c.csv", text, strlen(text), &curve, &err) == 0, "%s", err.text);
    return curve;
}

// A shape has its highest hour at 1 and its lowest at the trough, wherever that is put.
START_TEST(shapes_reach_their_trough)
{
    const double troughs[] = {0, 0.3, 1};
    for (int shape = DAYCURVE_NONE + 1; shape < N_DAYCURVE_SHAPES; shape++)
        for (size_t t = 0; t < 3; t++) {
            struct reals curve;
            daycurve_shape((enum daycurve_shape)shape, troughs[t], &curve);
            double low = curve.v[0], high = curve.v[0];
            ck_assert_uint_eq(curve.n, DAYCURVE_SHAPE_POINTS);
            for (size_t i = 1; i < curve.n; i++) {
                low = curve.v[i] < low ? curve.v[i] : low;
                high = curve.v[i] > high ? curve.v[i] : high;
            }
            ck_assert_double_eq_tol(low, troughs[t], SLACK);
            ck_assert_double_eq_tol(high, 1, SLACK);
            mem_free(curve.v);
        }
}
END_TEST

// The tops stand at the hours that the header tells.
START_TEST(shapes_peak_where_they_should)
{
    const int hours[][2] = {
        {DAYCURVE_EVENING, 20}, {DAYCURVE_TWO_PEAKS, 11}, {DAYCURVE_GLOBAL, 17}};
    for (size_t i = 0; i < 3; i++) {
        struct reals curve;
        daycurve_shape((enum daycurve_shape)hours[i][0], 0.5, &curve);
        ck_assert_double_eq(curve.v[hours[i][1]], 1);
        mem_free(curve.v);
    }
}
END_TEST

// 1, 3 over a period: a mean of 2, of 1.5 in the first quarter, the top in the middle.
START_TEST(means_are_of_straight_pieces)
{
    double points[] = {1, 3};
    const struct reals curve = {2, points};
    ck_assert_double_eq_tol(daycurve_mean(&curve, 0, 1), 2, SLACK);
    ck_assert_double_eq_tol(daycurve_mean(&curve, 0, 0.25), 1.5, SLACK);
    ck_assert_double_eq_tol(daycurve_mean(&curve, 0.25, 0.75), 2.5, SLACK);
    ck_assert_double_eq_tol(daycurve_max(&curve, 0, 0.25), 2, SLACK);
    ck_assert_double_eq_tol(daycurve_max(&curve, 0.4, 0.9), 3, SLACK);
}
END_TEST

// Positions go on past the period: there the curve is the same again.
START_TEST(periods_repeat)
{
    double points[] = {1, 3, 0, 7};
    const struct reals curve = {4, points};
    ck_assert_double_eq_tol(daycurve_mean(&curve, 3.1, 3.4), daycurve_mean(&curve, 0.1, 0.4),
                            1e-11);
    ck_assert_double_eq_tol(daycurve_max(&curve, 0.9, 1.1), daycurve_max(&curve, 1.9, 2.1), 1e-11);
    ck_assert_double_eq_tol(daycurve_mean(&curve, 0.3, 5.3), 2.75, SLACK);
}
END_TEST

// One point is a constant.
START_TEST(one_point)
{
    double point = 4;
    const struct reals curve = {1, &point};
    ck_assert_double_eq_tol(daycurve_mean(&curve, 0.2, 0.7), 4, SLACK);
    ck_assert_double_eq(daycurve_max(&curve, 0.2, 0.7), 4);
}
END_TEST

// A file has rates, or times and rates, with a header or without, and comments.
START_TEST(files_are_read)
{
    const char *const texts[] = {"0.5\n1\n0.25\n", "rate\n0.5\n1\n0.25",
                                 "# load\n0,0.5\n60,1\n120,.25\n",
                                 "time;rate\n7200;0.5\n10800;1e0\n14400;0.25\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reals curve = parsed(texts[i]);
        ck_assert_uint_eq(curve.n, 3);
        ck_assert_double_eq(curve.v[0], 0.5);
        ck_assert_double_eq(curve.v[1], 1);
        ck_assert_double_eq(curve.v[2], 0.25);
        mem_free(curve.v);
    }
}
END_TEST

// Times that were rounded a little are no gap.
START_TEST(rounded_times)
{
    struct reals curve = parsed("0,1\n33.333,1\n66.667,2\n100,3\n");
    ck_assert_uint_eq(curve.n, 4);
    mem_free(curve.v);
}
END_TEST

// A missing or unequal step is a gap, at its line.
START_TEST(gaps_are_refused)
{
    struct err err;
    ck_assert_str_eq(refusal("time,rate\n0,1\n3600,2\n10800,3\n", &err),
                     "c.csv:4:1: a gap: expected equal steps of 3600s, got 7200s after 3600s");
    ck_assert_str_eq(refusal("0,1\n60,2\n90,3\n", &err),
                     "c.csv:3:1: a gap: expected equal steps of 60s, got 30s after 60s");
    ck_assert_str_eq(refusal("0,1\n60,2\n60,3\n", &err),
                     "c.csv:3:1: time does not go on: \"60\" is not after 60s");
}
END_TEST

// So are rates that are none: negative ones, words, nothing.
START_TEST(bad_rates_are_refused)
{
    struct err err;
    ck_assert_str_eq(refusal("1\n-0.5\n", &err),
                     "c.csv:2:1: expected a rate >= 0, got \"-0.5\": negative load");
    ck_assert_str_eq(refusal("0,1\n60,fast\n", &err),
                     "c.csv:2:4: expected a relative rate, got \"fast\"");
    ck_assert_str_eq(refusal("0,1\n60,\n", &err), "c.csv:2:4: expected a relative rate, got \"\"");
    ck_assert_str_eq(refusal("nan\n1\n", &err), "c.csv:1:1: expected a relative rate, got \"nan\"");
    ck_assert_str_eq(refusal("1e99\n", &err),
                     "c.csv:1:1: expected a rate of at most 1e9, got \"1e99\"");
}
END_TEST

// And files of another form.
START_TEST(bad_files_are_refused)
{
    struct err err;
    struct reals curve = {0, NULL};
    ck_assert_str_eq(refusal("rate\n", &err), "c.csv:1:1: expected at least one rate");
    ck_assert_str_eq(refusal("0,1\n60\n", &err),
                     "c.csv:2:1: expected a time and a rate, got 1 fields");
    ck_assert_str_eq(refusal("0,1,2\n", &err),
                     "c.csv:1:1: expected a rate, or a time and a rate, got 3 fields");
    ck_assert_str_eq(refusal("", &err), "c.csv:1:1: the file is empty");
    ck_assert_str_eq(refusal("later,1\n1,2\n", &err),
                     "c.csv:1:1: expected a time in seconds, got \"later\"");
    ck_assert_int_eq(daycurve_read("no/such.csv", &curve, &err), -1);
    ck_assert_str_eq(err.text, "no/such.csv: No such file or directory");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", shapes_reach_their_trough},
        {"core", shapes_peak_where_they_should},
        {"core", means_are_of_straight_pieces},
        {"core", periods_repeat},
        {"core", files_are_read},
        {"limits", one_point},
        {"limits", rounded_times},
        {"errors", gaps_are_refused},
        {"errors", bad_rates_are_refused},
        {"errors", bad_files_are_refused},
    };
    return suite_run("daycurve", tests, sizeof tests / sizeof *tests);
}
