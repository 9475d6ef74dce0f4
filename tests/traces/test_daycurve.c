// SPDX-License-Identifier: Apache-2.0
#include "traces/daycurve.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Sums of a few doubles in another order.
#define SLACK 1e-12

static const struct daycurve_config plain;

static const char *refusal_by(const struct daycurve_config *config, const char *text,
                              struct err *err)
{
    struct daycurve curve = {{0, NULL}, 0};
    *err = (struct err){0};
    ck_assert_int_eq(daycurve_parse("c.csv", text, strlen(text), config, &curve, err), -1);
    ck_assert_ptr_null(curve.rates.v);
    return err->text;
}

static const char *refusal(const char *text, struct err *err)
{
    return refusal_by(&plain, text, err);
}

static struct daycurve parsed_by(const struct daycurve_config *config, const char *text)
{
    struct daycurve curve = {{0, NULL}, 0};
    struct err err = {0};
    ck_assert_msg(daycurve_parse("c.csv", text, strlen(text), config, &curve, &err) == 0, "%s",
                  err.text);
    return curve;
}

static struct reals parsed(const char *text)
{
    return parsed_by(&plain, text).rates;
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
    ck_assert_str_eq(
        refusal("time,rate\n0,1\n3600,2\n10800,3\n", &err),
        "c.csv:4:1: a gap: expected equal steps of 3600s, got 7200s after line 3 (gaps: "
        "interpolate fills it in)");
    ck_assert_str_eq(refusal("0,1\n60,2\n90,3\n", &err),
                     "c.csv:3:1: a gap: expected equal steps of 60s, got 30s after line 2");
    ck_assert_str_eq(refusal("0,1\n60,2\n60,3\n", &err),
                     "c.csv:3:1: time does not increase: \"60\" is not after line 2");
}
END_TEST

// So are rates that are none: negative ones, words, nothing.
START_TEST(bad_rates_are_refused)
{
    struct err err;
    ck_assert_str_eq(refusal("1\n-0.5\n", &err),
                     "c.csv:2:1: expected a rate >= 0, got \"-0.5\": negative load");
    ck_assert_str_eq(refusal("0,1\n60,fast\n", &err),
                     "c.csv:2:4: expected a rate such as \"9000\" or \"0.7\", without a unit, got "
                     "\"fast\"");
    ck_assert_str_eq(refusal("time,rate\n0,10.80 K req/s\n", &err),
                     "c.csv:2:3: expected a rate such as \"9000\" or \"0.7\", without a unit, got "
                     "\"10.80 K req/s\"");
    ck_assert_str_eq(refusal("0;10,8\n1;11,0\n", &err),
                     "c.csv:1:3: expected a rate such as \"9000\" or \"0.7\", without a unit, got "
                     "\"10,8\"");
    ck_assert_str_eq(refusal("0,1\n60,\n", &err),
                     "c.csv:2:4: no rate: expected a number, got \"\" (gaps: interpolate fills it "
                     "in)");
    ck_assert_str_eq(
        refusal("nan\n1\n", &err),
        "c.csv:1:1: no rate: expected a number, got \"nan\" (gaps: interpolate fills it "
        "in)");
    ck_assert_str_eq(refusal("1e99\n", &err),
                     "c.csv:1:1: expected a rate of at most 1e9, got \"1e99\"");
}
END_TEST

// Columns are told by their names, and a name that contradicts is refused.
START_TEST(headers_are_believed)
{
    struct err err;
    const struct daycurve_config config = {.service = "feed"};
    const char *const texts[] = {"rate,time\n10,0\n20,60\n", "qps;Time (ms)\n10;0\n20;60000\n",
                                 "feed,latency,ts_us\n10,1,0\n20,1,60000000\n",
                                 "sep=;\ntime;requests\n0;10\n60;20\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct daycurve curve = parsed_by(&config, texts[i]);
        ck_assert_uint_eq(curve.rates.n, 2);
        ck_assert_double_eq(curve.rates.v[0], 10);
        ck_assert_double_eq(curve.rates.v[1], 20);
        ck_assert_double_eq(curve.step_s, 60);
        mem_free(curve.rates.v);
    }
    ck_assert_str_eq(
        refusal("time\n0\n1\n", &err),
        "c.csv:1:1: series: column 1 is named \"time\", which is no rate; expected one "
        "named \"rate\", or as the service");
    ck_assert_str_eq(refusal("time,latency\n0,1\n", &err),
                     "c.csv:1:6: series: column 2 is named \"latency\", which is no rate; expected "
                     "one named \"rate\", or as the service");
    ck_assert_str_eq(refusal("rate,hour\n0,1\n", &err),
                     "c.csv:1:1: time_column: column 1 is named \"rate\", which is something else; "
                     "expected one named \"time\"");
    ck_assert_str_eq(refusal_by(&config, "time,feed,feed\n0,1,2\n", &err),
                     "c.csv:1:11: series: columns 2 and 3 are both named \"feed\": rename one");
    ck_assert_str_eq(refusal_by(&config, "series,time,value,value\nfeed,0,1,2\n", &err),
                     "c.csv:1:19: series: columns 3 and 4 are both named \"value\": rename one");
}
END_TEST

// And files of another form.
START_TEST(bad_files_are_refused)
{
    struct err err;
    struct daycurve curve = {{0, NULL}, 0};
    ck_assert_str_eq(refusal("rate\n", &err), "c.csv:1:1: expected at least one rate");
    ck_assert_str_eq(refusal("0,1\n60\n", &err),
                     "c.csv:2:1: expected 2 fields as in the first line, got 1");
    ck_assert_str_eq(refusal("0,1,2\n", &err),
                     "c.csv:1:1: series: expected one of the 2 of the file, by the number of its "
                     "column");
    ck_assert_str_eq(refusal("", &err), "c.csv:1:1: the file is empty");
    ck_assert_str_eq(refusal("later,1.5\n1,2\n", &err),
                     "c.csv:1:1: expected a time such as \"12.5\", got \"later\"");
    ck_assert_str_eq(refusal("0\r1\r2\r", &err),
                     "c.csv:1:2: expected lines that end in LF or CR LF, got CR alone");
    ck_assert_int_eq(daycurve_read("no/such.csv", &plain, &curve, &err), -1);
    ck_assert_str_eq(err.text, "no/such.csv: No such file or directory");
}
END_TEST

// Exports as they are: rates of 10800 and 7200 an hour apart, in every form.
START_TEST(exports_are_read)
{
    const char *const texts[] = {
        "Time,feed\n1709596800000,10800.0\n1709600400000,7200\n",
        "Time,feed\n1709596800,10800.0\n1709600400,7200\n",
        "Time,feed\n1709596800000000000,10800.0\n1709600400000000000,7200\n",
        "\"Time\",\"feed\",\"ads\"\n2024-03-05 00:00:00,10800,1\n2024-03-05 01:00:00,7200,\n",
        "ads,feed,timestamp\n,10800,2024-03-05T00:00Z\n1,7200,2024-03-05T01:00Z\n",
        "\"Series\";\"Time\";\"Value\"\n\"feed\";\"2024-03-05T00:00:00+11:00\";10,800.000\n"
        "\"ads\";\"2024-03-05T00:00:00+11:00\";null\n"
        "\"feed\";\"2024-03-05T01:00:00+1100\";7,200.000\n",
        "Time\tValue\tSeries\n2024/03/05 00:00:00 UTC\t10,800\tqps\n"
        "2024/03/05 01:00:00 UTC\t7200\tqps\n",
        "\"time\",\"qps\"\n\"2024-03-05 00:00:00\",\"10,800.0\"\n\"2024-03-05 "
        "01:00:00\",\"7,200\"\n",
    };
    const struct daycurve_config config = {.service = "feed"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct daycurve curve = parsed_by(&config, texts[i]);
        ck_assert_uint_eq(curve.rates.n, 2);
        ck_assert_double_eq(curve.rates.v[0], 10800);
        ck_assert_double_eq(curve.rates.v[1], 7200);
        ck_assert_double_eq(curve.step_s, 3600);
        ck_assert_double_eq(daycurve_rate_qps(&curve.rates), 9000);
        mem_free(curve.rates.v);
    }
}
END_TEST

// A series is chosen by its name or the number of its column, in either form.
START_TEST(series_are_chosen)
{
    struct err err;
    const char *wide = "t,a,b\n0,1,2\n1,3,4\n", *rows = "series,time,value\na,0,1\nb,0,2\nb,1,4\n";
    struct daycurve_config config = {.service = "feed"};
    ck_assert_str_eq(refusal_by(&config, wide, &err),
                     "c.csv:1:1: series: expected one of the 2 of the file: \"a\", \"b\"");
    ck_assert_str_eq(refusal_by(&config, rows, &err),
                     "c.csv:4:1: series: the file has several, such as \"a\" and \"b\"");
    for (int k = 0; k < 3; k++) {
        config.series = k == 1 ? "3" : "b";
        struct reals curve = parsed_by(&config, k == 2 ? rows : wide).rates;
        ck_assert_uint_eq(curve.n, 2);
        ck_assert_double_eq(curve.v[0], 2);
        ck_assert_double_eq(curve.v[1], 4);
        mem_free(curve.v);
    }
    config.series = "c";
    ck_assert_str_eq(refusal_by(&config, wide, &err),
                     "c.csv:1:1: series: no column \"c\" among the 3 of the header, which begins "
                     "\"t\"");
    ck_assert_str_eq(refusal_by(&config, rows, &err), "c.csv:4:1: series: no line has \"c\"");
    config.series = "1";
    ck_assert_str_eq(refusal_by(&config, wide, &err),
                     "c.csv:1:1: series: column \"1\" is that of the times");
}
END_TEST

// Steps and cells that are not there lie on a straight line, at the ends too: the last point is
// followed by the first.
START_TEST(gaps_are_filled_in)
{
    const struct daycurve_config config = {.gaps = DAYCURVE_GAPS_INTERPOLATE};
    struct err err;
    struct daycurve curve = parsed_by(&config, "t,r\n0,\n60,3\n120,NaN\n240,6\n300,9\n360,null\n");
    const double expected[] = {5, 3, 4, 5, 6, 9, 7};
    ck_assert_uint_eq(curve.rates.n, 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_double_eq_tol(curve.rates.v[i], expected[i], SLACK);
    ck_assert_double_eq(curve.step_s, 60);
    mem_free(curve.rates.v);
    ck_assert_str_eq(refusal_by(&config, "t,r\n0,1\n60,2\n150,3\n", &err),
                     "c.csv:4:1: a gap: expected equal steps of 60s, got 90s after line 3");
    ck_assert_str_eq(refusal_by(&config, "t,r\n0,\n60,\n", &err),
                     "c.csv:3:1: expected at least one rate");
    ck_assert_str_eq(refusal_by(&config, "t,r\n0,1\n1,2\n86401,3\n", &err),
                     "c.csv:4:1: expected at most 86401 points");
}
END_TEST

// Rates per second are told from relative ones by their size beside the service's.
START_TEST(absolute_rates_are_told)
{
    double day[] = {10800, 7200}, share[] = {0.52, 1}, percent[] = {60, 100}, small[] = {3, 5};
    ck_assert(daycurve_is_absolute(&(struct reals){2, day}, 9000));
    ck_assert(daycurve_is_absolute(&(struct reals){2, day}, 9));
    ck_assert(daycurve_is_absolute(&(struct reals){2, small}, 5));
    ck_assert(!daycurve_is_absolute(&(struct reals){2, share}, 0.7));
    ck_assert(!daycurve_is_absolute(&(struct reals){2, percent}, 12000));
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
        {"core", exports_are_read},
        {"core", headers_are_believed},
        {"core", series_are_chosen},
        {"core", gaps_are_filled_in},
        {"core", absolute_rates_are_told},
        {"limits", one_point},
        {"limits", rounded_times},
        {"errors", gaps_are_refused},
        {"errors", bad_rates_are_refused},
        {"errors", bad_files_are_refused},
    };
    return suite_run("daycurve", tests, sizeof tests / sizeof *tests);
}
