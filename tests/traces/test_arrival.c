// SPDX-License-Identifier: Apache-2.0
#include "traces/arrival.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "support/suite.h"
#include "traces/daycurve.h"
#include "traces/ticks.h"

#define N 200000

static struct arrival_config process(const char *name)
{
    struct arrival_config config = {.process = arrival_find(name), .period_s = 86400};
    ck_assert_int_ge(config.process, 0);
    return config;
}

static struct arrival_setup setup_of(const struct arrival_config *config, double rate_qps)
{
    return (struct arrival_setup){
        .config = config, .rate_qps = rate_qps, .seed = 7, .share_num = 1, .share_den = 1};
}

// The first n arrivals of cell 0 (caller frees); fails the test on error.
static int64_t *arrivals(const struct arrival_config *config, double rate_qps, size_t n)
{
    struct err err = {0};
    struct arrival_setup setup = setup_of(config, rate_qps);
    struct arrival *arrival = arrival_create(&setup, &err);
    ck_assert_msg(arrival != NULL, "%s", err.text);
    int64_t *ns = mem_alloc(n * sizeof *ns);
    arrival_fill(arrival, n, ns, NULL);
    arrival_destroy(arrival);
    size_t n_back = 0;
    for (size_t i = 1; i < n; i++)
        n_back += ns[i] < ns[i - 1];
    ck_assert_uint_eq(n_back, 0);
    return ns;
}

struct gaps {
    double mean_ns, cv;
};

static struct gaps gaps_of(const int64_t *ns, size_t n)
{
    double mean = (double)(ns[n - 1] - ns[0]) / (double)(n - 1), square = 0;
    for (size_t i = 1; i < n; i++) {
        double off = (double)(ns[i] - ns[i - 1]) - mean;
        square += off * off;
    }
    return (struct gaps){mean, sqrt(square / (double)(n - 1)) / mean};
}

// The text of the error that creating a stream gives; it must fail.
static const char *refusal(const struct arrival_config *config, double rate_qps, struct err *err)
{
    struct arrival_setup setup = setup_of(config, rate_qps);
    ck_assert_ptr_null(arrival_create(&setup, err));
    ck_assert_int_eq(err->code, ERR_STUDY);
    return err->text;
}

static void assert_begins(const char *text, const char *start)
{
    ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "\"%s\" does not begin \"%s\"", text,
                  start);
}

// Independent gaps of a given CV have a mean within 4 standard errors, cv / sqrt(n), and a CV near
// the asked one. The CV's own error grows with the tail; the tolerances are 4 of them as computed
// from the fourth moments (exponential: sqrt(2 / n)).
static void check_renewal(const char *name, double cv, double cv_tolerance)
{
    struct arrival_config config = process(name);
    config.cv = cv;
    int64_t *ns = arrivals(&config, 1e5, N);
    struct gaps gaps = gaps_of(ns, N);
    ck_assert_double_eq_tol(gaps.mean_ns / 1e4, 1, 4 * cv / sqrt(N));
    ck_assert_double_eq_tol(gaps.cv, cv, cv_tolerance);
    mem_free(ns);
}

// Poisson gaps are exponential: CV 1.
START_TEST(poisson_has_cv_one)
{
    check_renewal("poisson", 1, 4 * sqrt(2.0 / N));
}
END_TEST

// Gamma gaps of shape a = 1 / cv^2: the relative error of the CV is near sqrt((2 + 6 / a) / 4n)
// plus the mean's.
START_TEST(gamma_has_the_cv_asked_for)
{
    check_renewal("gamma", 0.5, 0.008);
    check_renewal("gamma", 1, 0.013);
    check_renewal("gamma", 2, 0.06);
}
END_TEST

// A CV whose square is no double leaves equal gaps of 10 us, within the last nanosecond's rounding.
START_TEST(gamma_of_no_spread_is_even)
{
    struct arrival_config config = process("gamma");
    config.cv = 1e-200;
    int64_t *ns = arrivals(&config, 1e5, 100);
    for (int i = 1; i < 100; i++)
        ck_assert_int_le(llabs(ns[i] - ns[i - 1] - 10000), 1);
    mem_free(ns);
}
END_TEST

// Hyperexponential gaps at CV 3: fourth moment by numeric integration gives 1.3 % for one error.
START_TEST(hyperexponential_has_the_cv_asked_for)
{
    check_renewal("hyperexponential", 1.5, 0.03);
    check_renewal("hyperexponential", 3, 0.15);
}
END_TEST

// Balanced means: each branch of a hyperexponential carries half of the time, so P(gap > t) is
// p exp(-2 p t) + (1 - p) exp(-2 (1 - p) t). Checked at one mean within 4 binomial errors.
START_TEST(hyperexponential_has_balanced_means)
{
    struct arrival_config config = process("hyperexponential");
    config.cv = 3;
    int64_t *ns = arrivals(&config, 1e5, N);
    double p = (1 + sqrt(8.0 / 10)) / 2, expected = p * exp(-2 * p) + (1 - p) * exp(-2 * (1 - p));
    int above = 0;
    for (int i = 1; i < N; i++)
        above += ns[i] - ns[i - 1] > 10000;
    ck_assert_double_eq_tol((double)above / (N - 1), expected,
                            4 * sqrt(expected * (1 - expected) / N));
    mem_free(ns);
}
END_TEST

// The reference's process: the CV is 1 / sqrt(mean in ms) and all times are whole milliseconds.
START_TEST(poisson_ms_shows_the_defect)
{
    struct arrival_config config = process("poisson-ms");
    const double mean_ms[] = {1, 5, 10, 25};
    for (int k = 0; k < 4; k++) {
        int64_t *ns = arrivals(&config, 1e3 / mean_ms[k], N);
        struct gaps gaps = gaps_of(ns, N);
        double cv = 1 / sqrt(mean_ms[k]);
        ck_assert_double_eq_tol(gaps.mean_ns * 1e-6 / mean_ms[k], 1, 4 * cv / sqrt(N));
        ck_assert_double_eq_tol(gaps.cv / cv, 1, 4 * sqrt(0.75 / N));
        int n_broken = 0;
        for (int i = 0; i < N; i++)
            n_broken += ns[i] % SIMTIME_MS != 0;
        ck_assert_int_eq(n_broken, 0);
        mem_free(ns);
    }
}
END_TEST

// At a mean of 1 ms, exp(-1) = 37 % of the reference's gaps are zero.
START_TEST(poisson_ms_has_simultaneous_arrivals)
{
    struct arrival_config config = process("poisson-ms");
    int64_t *ns = arrivals(&config, 1000, N);
    int same = 0;
    for (int i = 1; i < N; i++)
        same += ns[i] == ns[i - 1];
    ck_assert_double_eq_tol((double)same / (N - 1), exp(-1), 4 * sqrt(0.2325 / N));
    mem_free(ns);
}
END_TEST

// Deterministic gaps differ by rounding only, and arrival i is where i gaps put it.
START_TEST(deterministic_is_even)
{
    struct arrival_config config = process("deterministic");
    int64_t *ns = arrivals(&config, 3e8, N);
    double worst_ns = 0;
    for (int i = 0; i < N; i++)
        worst_ns = fmax(worst_ns, fabs((double)(ns[i] - ns[0]) - i * (10.0 / 3)));
    ck_assert_double_lt(worst_ns, 1);
    ck_assert_int_lt(ns[0], 4);
    mem_free(ns);
}
END_TEST

// Two cells tick at different points of the gap.
START_TEST(deterministic_streams_are_out_of_step)
{
    struct arrival_config config = process("deterministic");
    int64_t ns[2];
    for (uint32_t cell = 0; cell < 2; cell++) {
        struct arrival_setup setup = setup_of(&config, 1);
        setup.cell = cell;
        struct arrival *arrival = arrival_create(&setup, NULL);
        arrival_fill(arrival, 1, &ns[cell], NULL);
        arrival_destroy(arrival);
    }
    ck_assert_int_ne(ns[0], ns[1]);
}
END_TEST

static struct reals reals(double *values, size_t n)
{
    return (struct reals){n, values};
}

// The mean rate of an mmpp is the asked one. States hold 1 ms and 4 ms at rates 8 and 1: over 60 s
// there are 12000 cycles, each with an sd below 1.2 of its mean count, so 4 errors are 4.4 %.
START_TEST(mmpp_has_the_mean_rate)
{
    double rates[] = {8, 1}, holds[] = {1e-3, 4e-3};
    struct arrival_config config = process("mmpp");
    config.state_rate_frac = reals(rates, 2);
    config.state_hold_s = reals(holds, 2);
    int64_t *ns = arrivals(&config, 1e4, 3 * N);
    ck_assert_double_eq_tol(gaps_of(ns, 3 * N).mean_ns * 1e-5, 1, 0.045);
    // Burstier than Poisson, by far more than its error.
    ck_assert_double_gt(gaps_of(ns, 3 * N).cv, 1.3);
    mem_free(ns);
}
END_TEST

// A state of rate 0 lasts on average as long as asked: with holds of 1 s, half of the windows of
// 10 ms are empty (the busy half sees 200 arrivals per window).
START_TEST(mmpp_pauses_in_a_state_of_rate_zero)
{
    double rates[] = {1, 0}, holds[] = {1, 1};
    struct arrival_config config = process("mmpp");
    config.state_rate_frac = reals(rates, 2);
    config.state_hold_s = reals(holds, 2);
    const size_t n = 8000000;
    int64_t *ns = arrivals(&config, 1e4, n);
    int64_t paused_ns = 0;
    for (size_t i = 1; i < n; i++) {
        int64_t gap_ns = ns[i] - ns[i - 1];
        paused_ns += gap_ns > 5 * SIMTIME_MS ? gap_ns : 0;
    }
    // 800 s hold 400 cycles: the paused share has an error near 0.5 / sqrt(2 * 400) = 0.018.
    ck_assert_double_eq_tol((double)paused_ns / (double)ns[n - 1], 0.5, 0.07);
    mem_free(ns);
}
END_TEST

// Three equal states are a Poisson process.
START_TEST(mmpp_with_equal_rates_is_poisson)
{
    double rates[] = {2, 2, 2}, holds[] = {1e-3, 2e-4, 5e-3};
    struct arrival_config config = process("mmpp");
    config.state_rate_frac = reals(rates, 3);
    config.state_hold_s = reals(holds, 3);
    int64_t *ns = arrivals(&config, 1e5, N);
    struct gaps gaps = gaps_of(ns, N);
    ck_assert_double_eq_tol(gaps.mean_ns / 1e4, 1, 4 / sqrt(N));
    ck_assert_double_eq_tol(gaps.cv, 1, 4 * sqrt(2.0 / N));
    mem_free(ns);
}
END_TEST

// How many of the arrivals lie in [from, to) of the period.
static size_t count_phase(const int64_t *ns, size_t n, int64_t period_ns, double from, double to)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double phase = (double)(ns[i] % period_ns) / (double)period_ns;
        count += phase >= from && phase < to;
    }
    return count;
}

// A curve 1, 3 over a period rises to 3 half-way and falls back: each quarter next to the trough
// has a mean of 1.5, next to the peak 2.5, of a mean of 2; Poisson counts within 4 errors.
START_TEST(diurnal_follows_the_curve)
{
    double curve[] = {1, 3};
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(curve, 2);
    config.period_s = 0.1;
    const double rate = 1e4;
    const size_t n_all = 2 * N;
    int64_t *ns = arrivals(&config, rate, n_all);
    // Whole periods only.
    int64_t period_ns = SIMTIME_S / 10, end_ns = ns[n_all - 1] / period_ns * period_ns;
    size_t n = n_all;
    while (ns[n - 1] >= end_ns)
        n--;
    double mean = rate * simtime_to_s(end_ns);
    ck_assert_double_eq_tol((double)n, mean, 4 * sqrt(mean));
    const double expected[] = {1.5 / 8, 2.5 / 8, 2.5 / 8, 1.5 / 8};
    for (int q = 0; q < 4; q++) {
        double count = (double)count_phase(ns, n, period_ns, q * 0.25, (q + 1) * 0.25);
        ck_assert_double_eq_tol(count, mean * expected[q], 4 * sqrt(mean * expected[q]));
    }
    mem_free(ns);
}
END_TEST

// Starting half-way into the period exchanges the halves.
START_TEST(diurnal_starts_where_asked)
{
    double curve[] = {1, 1, 9, 9};
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(curve, 4);
    config.period_s = 1;
    config.start_s = 0.5;
    int64_t *ns = arrivals(&config, 1e5, N / 2);
    // Points 2 and 3 of the curve are 9, then it falls to 1: mean 9 in the first quarter, mean
    // of the curve 5.
    double count = (double)count_phase(ns, N / 2, SIMTIME_S, 0, 0.25);
    ck_assert_double_eq_tol(count, 45000, 4 * sqrt(45000));
    mem_free(ns);
}
END_TEST

// A shape is the curve that it stands for: the same times as of its points.
START_TEST(diurnal_shapes_are_curves)
{
    struct arrival_config shaped = process("diurnal"), listed = shaped;
    shaped.shape = DAYCURVE_TWO_PEAKS;
    shaped.trough_frac = 0.4;
    daycurve_shape(DAYCURVE_TWO_PEAKS, 0.4, &listed.curve_frac);
    shaped.period_s = listed.period_s = 2;
    int64_t *first = arrivals(&shaped, 1e3, 5000), *second = arrivals(&listed, 1e3, 5000);
    ck_assert_mem_eq(first, second, 5000 * sizeof *first);
    mem_free(listed.curve_frac.v);
    mem_free(first);
    mem_free(second);
}
END_TEST

// So is a file, whether it was loaded before or each stream reads it.
START_TEST(diurnal_files_are_curves)
{
    double curve[] = {0.5, 2, 1};
    struct arrival_config filed = process("diurnal"), listed = filed;
    FILE *file = fopen("test_arrival_curve.csv", "w");
    fputs("time,rate\n0,0.5\n60,2\n120,1\n", file);
    fclose(file);
    filed.curve_file = (char[]){"test_arrival_curve.csv"};
    listed.curve_frac = reals(curve, 3);
    int64_t *expected = arrivals(&listed, 1e3, 5000), *unloaded = arrivals(&filed, 1e3, 5000);
    ck_assert_int_eq(arrival_load(&filed, NULL), 0);
    unlink("test_arrival_curve.csv");
    int64_t *loaded = arrivals(&filed, 1e3, 5000);
    ck_assert_mem_eq(unloaded, expected, 5000 * sizeof *expected);
    ck_assert_mem_eq(loaded, expected, 5000 * sizeof *expected);
    arrival_unload(&filed);
    ck_assert_uint_eq(filed.file_frac.n, 0);
    mem_free(expected);
    mem_free(unloaded);
    mem_free(loaded);
}
END_TEST

// A day from 00:00 to 24:00 has one point more than a day: the last starts the next one.
START_TEST(diurnal_files_may_close)
{
    struct arrival_config config = process("diurnal");
    const char *name = "test_arrival_day.csv";
    config.curve_file = (char[]){"test_arrival_day.csv"};
    for (int last = 23; last <= 25; last++) {
        FILE *file = fopen(name, "w");
        fputs("time,rate\n", file);
        for (int h = 0; h <= last; h++)
            fprintf(file, "%d,%d\n", 3600 * h, 100 + h);
        fclose(file);
        ck_assert_int_eq(arrival_load(&config, NULL), 0);
        unlink(name);
        ck_assert_uint_eq(config.file_frac.n, last == 25 ? 26 : 24);
        ck_assert_int_eq(config.file_closes, last == 24);
        if (last == 24)
            ck_assert_double_eq(config.file_next, 124);
        arrival_unload(&config);
    }
}
END_TEST

// Keys about a file or a shape are refused where there is none.
START_TEST(idle_keys_are_refused)
{
    double good[] = {1, 2};
    struct err err = {0};
    struct arrival_config config = process("diurnal"), plain;
    config.curve_frac = reals(good, 2);
    plain = config;
    ck_assert_int_eq(arrival_check(&config, 1, &err), 0);
    config.series = (char[]){"feed"};
    assert_begins(refusal(&config, 1, &err), "series: has no effect without a curve_file");
    config = plain;
    config.gaps = DAYCURVE_GAPS_INTERPOLATE;
    assert_begins(refusal(&config, 1, &err), "gaps: has no effect without a curve_file");
    config = plain;
    config.csv.time_unit = TIMETABLE_MS;
    assert_begins(refusal(&config, 1, &err), "time_unit: has no effect without a curve_file");
    config = plain;
    config.trough_frac = 0.25;
    assert_begins(refusal(&config, 1, &err), "trough: has no effect without a shape");
}
END_TEST

// Where the curve is zero nothing arrives, and the next stretch is found.
START_TEST(diurnal_is_silent_where_the_curve_is_zero)
{
    double curve[] = {0, 0, 1, 0};
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(curve, 4);
    config.period_s = 1;
    int64_t *ns = arrivals(&config, 1e4, N);
    ck_assert_uint_eq(count_phase(ns, N, SIMTIME_S, 0, 0.25), 0);
    ck_assert_double_eq_tol(gaps_of(ns, N).mean_ns / 1e5, 1, 0.06); // ends inside a period
    mem_free(ns);
}
END_TEST

// A rate of one query per ten days over a period of a second costs no time.
START_TEST(diurnal_jumps_over_empty_periods)
{
    double curve[] = {1, 2, 0};
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(curve, 3);
    config.period_s = 1;
    int64_t *ns = arrivals(&config, 1e-6, 100);
    ck_assert_int_gt(ns[0], SIMTIME_S);
    ck_assert_int_eq(ns[99], SIMTIME_NEVER);
    mem_free(ns);
}
END_TEST

// How far two streams of n arrivals are apart, at most.
static int64_t apart_ns(const struct arrival_config *a, const struct arrival_config *b, size_t n)
{
    int64_t *first = arrivals(a, 1e5, n), *second = arrivals(b, 1e5, n), most_ns = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t ns = llabs(first[i] - second[i]);
        most_ns = ns > most_ns ? ns : most_ns;
    }
    mem_free(first);
    mem_free(second);
    return most_ns;
}

static double flat_curve[] = {2, 2, 2}, two_rates[] = {1, 6}, two_holds[] = {0.01, 0.002};

// On a day that is always the same, bursts are those of the process without a day: the very times,
// but for the rounding of every gap to whole ticks (2^-10 ns) there.
START_TEST(bursts_of_a_flat_day)
{
    struct arrival_config flat = process("diurnal"), plain = process("gamma");
    flat.curve_frac = reals(flat_curve, 3);
    flat.period_s = 0.7;
    flat.cv = plain.cv = 3;
    ck_assert_int_le(apart_ns(&flat, &plain, N), 100);
    flat.cv = 1;
    plain = process("mmpp");
    flat.state_rate_frac = plain.state_rate_frac = reals(two_rates, 2);
    flat.state_hold_s = plain.state_hold_s = reals(two_holds, 2);
    ck_assert_int_le(apart_ns(&flat, &plain, N), 100);
    flat.state_rate_frac = flat.state_hold_s = reals(NULL, 0);
    ck_assert_int_gt(apart_ns(&flat, &plain, N), 1000);
}
END_TEST

// Queries before t of a curve 1, 3 over 1 s at 1e5 a second: 0.5 + t of the mean rate, then back.
static double expected_before(double t_s)
{
    double whole = floor(t_s), x = t_s - whole;
    double part = x < 0.5 ? 0.5 * x + x * x : 0.5 + 1.5 * (x - 0.5) - (x - 0.5) * (x - 0.5);
    return 1e5 * (whole + part);
}

static double day_curve[] = {1, 3};

static struct arrival_config burst_day(void)
{
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(day_curve, 2);
    config.period_s = 1;
    return config;
}

// Seen by a clock that runs with the curve, gaps are gamma-distributed, of mean 1 and the CV.
START_TEST(gamma_on_a_day)
{
    struct arrival_config config = burst_day();
    config.cv = 2;
    int64_t *ns = arrivals(&config, 1e5, N);
    double sum = 0, square = 0, last = 0;
    for (int i = 0; i < N; i++) {
        double now = expected_before((double)ns[i] * 1e-9), gap = now - last;
        last = now;
        sum += gap;
        square += gap * gap;
    }
    double mean = sum / N;
    ck_assert_double_eq_tol(mean, 1, 4 * 2 / sqrt(N));
    // As in gamma_has_the_cv_asked_for.
    ck_assert_double_eq_tol(sqrt(square / N - mean * mean) / mean, 2, 0.06);
    mem_free(ns);
}
END_TEST

// A state that jumps between rates of variance v, forgotten at r = 1 / hold + 1 / hold, on a curve
// c: counts over [a, b] have the mean m = integral of c and the variance
// m + v integral integral c(x) c(y) exp(-r |x - y|).
static double mmpp_variance(double from_s, double to_s, double rate_qps)
{
    enum { STEPS = 400 };
    double hold = two_holds[0] + two_holds[1], p = two_holds[1] / hold;
    double mean = (1 - p) * two_rates[0] + p * two_rates[1];
    double jump = (two_rates[1] - two_rates[0]) / mean, v = p * (1 - p) * jump * jump;
    double r = 1 / two_holds[0] + 1 / two_holds[1], step_s = (to_s - from_s) / STEPS;
    double sum = 0, c[STEPS];
    for (int i = 0; i < STEPS; i++) {
        double x = from_s + (i + 0.5) * step_s;
        c[i] = rate_qps * (x < 0.5 ? 0.5 + 2 * x : 2.5 - 2 * x);
    }
    for (int i = 0; i < STEPS; i++)
        for (int j = 0; j < STEPS; j++)
            sum += c[i] * c[j] * exp(-r * step_s * abs(i - j));
    return rate_qps * (expected_before(to_s) - expected_before(from_s)) / 1e5 +
           v * sum * step_s * step_s;
}

// Counts of the fifths of 4000 days against the closed form: their means within 4 standard errors,
// their variances within 4 of theirs, sqrt(2 / 4000) and a little for what is not normal.
START_TEST(states_on_a_day)
{
    enum { DAYS = 4000, PARTS = 5, FILL = 500 };
    const double rate_qps = 1000;
    struct arrival_config config = burst_day();
    config.state_rate_frac = reals(two_rates, 2);
    config.state_hold_s = reals(two_holds, 2);
    struct arrival_setup setup = setup_of(&config, rate_qps);
    struct arrival *arrival = arrival_create(&setup, NULL);
    uint32_t *counts = mem_calloc((size_t)DAYS * PARTS, sizeof *counts);
    int64_t ns[FILL], part_ns = SIMTIME_S / PARTS;
    for (bool more = true; more;) {
        arrival_fill(arrival, FILL, ns, NULL);
        for (int i = 0; i < FILL && more; i++) {
            more = ns[i] / part_ns < DAYS * PARTS;
            if (more)
                counts[ns[i] / part_ns]++;
        }
    }
    for (int k = 0; k < PARTS; k++) {
        double from_s = k / (double)PARTS, to_s = (k + 1) / (double)PARTS, sum = 0, square = 0;
        double mean = rate_qps / 1e5 * (expected_before(to_s) - expected_before(from_s));
        double variance = mmpp_variance(from_s, to_s, rate_qps);
        for (int day = 0; day < DAYS; day++) {
            double off = counts[day * PARTS + k] - mean;
            sum += off;
            square += off * off;
        }
        ck_assert_double_eq_tol(sum / DAYS, 0, 4 * sqrt(variance / DAYS));
        ck_assert_double_eq_tol(square / DAYS / variance, 1, 4.5 * sqrt(2.0 / DAYS));
        ck_assert_double_gt(variance, 2 * mean); // bursts are what this is about
    }
    mem_free(counts);
    arrival_destroy(arrival);
}
END_TEST

// A state of rate 0 may last beyond the end: then nothing comes before it.
START_TEST(a_day_that_never_comes)
{
    static double silence[] = {0, 1}, holds_s[] = {1e9, 1e-6};
    struct arrival_config config = burst_day();
    config.state_rate_frac = reals(silence, 2);
    config.state_hold_s = reals(holds_s, 2);
    struct arrival_setup setup = setup_of(&config, 1);
    setup.end_ns = 3 * SIMTIME_S;
    struct arrival *arrival = arrival_create(&setup, NULL);
    int64_t ns[3];
    arrival_fill(arrival, 3, ns, NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ns[i], SIMTIME_NEVER);
    arrival_destroy(arrival);
}
END_TEST

// What is left of a process where time stands still.
START_TEST(steady_keeps_bursts)
{
    struct arrival_config config = burst_day();
    arrival_steady(&config);
    ck_assert_int_eq(config.process, arrival_find("poisson"));
    config = burst_day();
    config.cv = 2;
    arrival_steady(&config);
    ck_assert_int_eq(config.process, arrival_find("gamma"));
    config = burst_day();
    config.state_rate_frac = reals(two_rates, 2);
    arrival_steady(&config);
    ck_assert_int_eq(config.process, arrival_find("mmpp"));
    config = process("replay");
    arrival_steady(&config);
    ck_assert_int_eq(config.process, arrival_find("poisson"));
    config = process("deterministic");
    arrival_steady(&config);
    ck_assert_int_eq(config.process, arrival_find("deterministic"));
}
END_TEST

// Bursts are of one kind.
START_TEST(bad_bursts_are_refused)
{
    struct err err;
    struct arrival_config config = burst_day();
    config.cv = -1;
    assert_begins(refusal(&config, 1, &err), "cv: expected more than 0");
    config.cv = 2;
    config.state_rate_frac = reals(two_rates, 2);
    assert_begins(refusal(&config, 1, &err), "cv: expected one of cv and states");
    config.cv = 1;
    assert_begins(refusal(&config, 1, &err), "hold: expected 2 times");
    config.state_rate_frac = reals(NULL, 0);
    config.state_hold_s = reals(two_holds, 2);
    assert_begins(refusal(&config, 1, &err), "states: expected at least 2");
}
END_TEST

// The rate of a cell is its share of the fleet's.
START_TEST(a_share_scales_the_rate)
{
    struct arrival_config config = process("poisson");
    struct arrival_setup setup = setup_of(&config, 4e5);
    setup.share_first = 2;
    setup.share_num = 1;
    setup.share_den = 4;
    struct arrival *arrival = arrival_create(&setup, NULL);
    int64_t *ns = mem_alloc(N * sizeof *ns);
    arrival_fill(arrival, N, ns, NULL);
    ck_assert_double_eq_tol(gaps_of(ns, N).mean_ns / 1e4, 1, 4 / sqrt(N));
    arrival_destroy(arrival);
    mem_free(ns);
}
END_TEST

static double test_curve[] = {1, 5, 2}, test_rates[] = {1, 10, 3},
              test_holds[] = {1e-4, 1e-5, 1e-4};

// Every process, and behind them a day with either kind of bursts.
static int64_t n_kinds(void)
{
    int64_t n = 0;
    while (arrival_types[n])
        n++;
    return n + 2;
}

static struct arrival_config any_process(int64_t i)
{
    struct arrival_config config = {.process = i,
                                    .cv = 1.7,
                                    .period_s = 1e-3,
                                    .curve_frac = reals(test_curve, 3),
                                    .state_rate_frac = reals(test_rates, 3),
                                    .state_hold_s = reals(test_holds, 3)};
    int64_t day = arrival_find("diurnal"), n = n_kinds() - 2;
    if (i != day && i < n)
        return config;
    config.process = day;
    if (i != n)
        config.cv = 1;
    if (i != n + 1)
        config.state_rate_frac = config.state_hold_s = reals(NULL, 0);
    return config;
}

// However the stream of any process is cut into fills, the times are the same.
START_TEST(cuts_do_not_matter)
{
    for (int64_t p = 0; p < n_kinds(); p++) {
        struct arrival_config config = any_process(p);
        if (arrival_types[config.process]->carries_rate)
            continue; // needs a trace: test_replay
        int64_t *whole = arrivals(&config, 1e6, 5000), part[700];
        struct arrival_setup setup = setup_of(&config, 1e6);
        struct arrival *arrival = arrival_create(&setup, NULL);
        for (size_t done = 0, n = 1; done + n <= 5000; done += n, n = n * 3 % 601 + 1) {
            arrival_fill(arrival, n, part, NULL);
            ck_assert_msg(memcmp(part, whole + done, n * sizeof *part) == 0, "%s at %zu",
                          arrival_types[config.process]->name, done);
        }
        arrival_destroy(arrival);
        mem_free(whole);
    }
}
END_TEST

// Seed, cell and service each give another stream.
START_TEST(streams_are_keyed)
{
    for (int64_t p = 0; p < n_kinds(); p++) {
        struct arrival_config config = any_process(p);
        int64_t first[4][8];
        if (arrival_types[config.process]->carries_rate)
            continue;
        for (int k = 0; k < 4; k++) {
            struct arrival_setup setup = setup_of(&config, 1e3);
            setup.seed += k == 1;
            setup.cell += k == 2;
            setup.service += k == 3;
            struct arrival *arrival = arrival_create(&setup, NULL);
            arrival_fill(arrival, 8, first[k], NULL);
            arrival_destroy(arrival);
            for (int other = 0; other < k; other++)
                ck_assert_msg(memcmp(first[k], first[other], sizeof first[k]) != 0, "%s",
                              arrival_types[config.process]->name);
        }
    }
}
END_TEST

// The very times, on every machine, as a separate program computes them (Philox2x64-10 and the
// formula in arbitrary precision): a change of any bit here breaks the common random numbers of
// old studies.
START_TEST(poisson_is_the_same_everywhere)
{
    struct arrival_config config = process("poisson");
    int64_t *ns = arrivals(&config, 1e3, 100000);
    ck_assert_int_eq(ns[0], 642958);
    ck_assert_int_eq(ns[1], 2249465);
    ck_assert_int_eq(ns[99999], 99765999372);
    mem_free(ns);
}
END_TEST

// Mean gaps of 1.4 ns keep their mean: rounding each gap to whole ns would be off by percents, the
// clock of 2^-10 ns leaves only chance, 4 / sqrt(n).
START_TEST(no_drift_at_tiny_gaps)
{
    const size_t n = 4000000;
    const char *names[] = {"poisson", "deterministic"};
    for (int k = 0; k < 2; k++) {
        struct arrival_config config = process(names[k]);
        int64_t *ns = arrivals(&config, 7e8, n);
        double tolerance = k == 0 ? 4 / sqrt((double)n) : 1e-6;
        ck_assert_double_eq_tol(gaps_of(ns, n).mean_ns * 0.7, 1, tolerance);
        mem_free(ns);
    }
}
END_TEST

// Times far beyond any simulation become "never" and stay so, for every process; one that would
// change its state a million million times on the way there stops at the end it is told.
START_TEST(endless_gaps_become_never)
{
    for (int64_t p = 0; arrival_types[p]; p++) {
        struct arrival_config config = any_process(p);
        if (arrival_types[p]->carries_rate)
            continue;
        struct arrival_setup setup = setup_of(&config, 1e-8);
        setup.end_ns = 10 * SIMTIME_S;
        int64_t ns[600];
        struct arrival *arrival = arrival_create(&setup, NULL);
        arrival_fill(arrival, 600, ns, NULL);
        ck_assert_msg(ns[599] == SIMTIME_NEVER, "%s", arrival_types[p]->name);
        arrival_destroy(arrival);
    }
}
END_TEST

// Many gaps at once add up as they do one by one, saturating, from anywhere and with any of them.
START_TEST(gaps_add_up)
{
    const int64_t top = TICKS_TOP;
    const int64_t starts[] = {0, 12345, top / 2 - 1, top / 2, top - 700000, top};
    const int64_t largest[] = {0, 999, top / 1024 - 1, top / 1024, top / 3, top};
    for (size_t k = 0; k < 36; k++) {
        struct arrival_place place = {.index = 7, .now_ticks = starts[k / 6]};
        int64_t gaps[ARRIVAL_BLOCK], ns[ARRIVAL_BLOCK], now = place.now_ticks;
        for (int i = 0; i < ARRIVAL_BLOCK; i++)
            gaps[i] = i % 11 ? largest[k % 6] : 1000;
        arrival_accumulate(&place, gaps, ARRIVAL_BLOCK, ns);
        for (int i = 0; i < ARRIVAL_BLOCK; i++) {
            now = ticks_add(now, gaps[i]);
            ck_assert_int_eq(ns[i], ticks_to_ns(now));
        }
        ck_assert_int_eq(place.now_ticks, now);
        ck_assert_uint_eq(place.index, 7 + ARRIVAL_BLOCK);
    }
}
END_TEST

// Poisson gaps of minutes go the slow way round; their mean is as exact.
START_TEST(long_gaps_keep_their_mean)
{
    struct arrival_config config = process("poisson");
    int64_t *ns = arrivals(&config, 0.01, 30000);
    ck_assert_double_eq_tol(gaps_of(ns, 30000).mean_ns * 1e-11, 1, 4 / sqrt(30000));
    mem_free(ns);
}
END_TEST

// Rates that make no process are refused by key.
START_TEST(bad_rates_are_refused)
{
    struct arrival_config config = process("poisson");
    struct err err = {0};
    const double rates[] = {0, -1, NAN, INFINITY, 1e11};
    for (int k = 0; k < 5; k++)
        assert_begins(refusal(&config, rates[k], &err), "rate: expected ");
}
END_TEST

// So are variations that the process cannot have.
START_TEST(bad_cv_is_refused)
{
    struct err err = {0};
    struct arrival_config config = process("hyperexponential");
    config.cv = 0.5;
    ck_assert_str_eq(refusal(&config, 1, &err),
                     "cv: expected more than 1 for hyperexponential, got 0.5");
    config = process("gamma");
    assert_begins(refusal(&config, 1, &err), "cv: expected more than 0");
}
END_TEST

// And states that do not fit together.
START_TEST(bad_states_are_refused)
{
    double zeros[] = {0, 0}, rates[] = {1, -1}, holds[] = {1, 1, 1};
    struct err err = {0};
    struct arrival_config config = process("mmpp");
    config.state_rate_frac = reals(rates, 1);
    assert_begins(refusal(&config, 1, &err), "states: expected at least 2");
    config.state_rate_frac = reals(rates, 2);
    config.state_hold_s = reals(holds, 3);
    assert_begins(refusal(&config, 1, &err), "hold: expected 2 times");
    config.state_hold_s = reals(holds, 2);
    assert_begins(refusal(&config, 1, &err), "states: expected relative rates of 0");
    config.state_rate_frac = reals(zeros, 2);
    assert_begins(refusal(&config, 1, &err), "states: expected a relative rate above 0");
    config.state_hold_s = reals(zeros, 2);
    assert_begins(refusal(&config, 1, &err), "hold: expected times of 1us");
}
END_TEST

// And curves without a rate.
START_TEST(bad_curves_are_refused)
{
    double zeros[] = {0, 0}, negative[] = {1, -0.1}, good[] = {1, 2};
    struct err err = {0};
    struct arrival_config config = process("diurnal");
    assert_begins(refusal(&config, 1, &err), "curve: expected at least one");
    config.curve_frac = reals(zeros, 2);
    assert_begins(refusal(&config, 1, &err), "curve: expected a relative rate above 0");
    config.curve_frac = reals(negative, 2);
    assert_begins(refusal(&config, 1, &err), "curve: expected relative rates of 0");
    config.curve_frac = reals(good, 2);
    config.period_s = 0;
    assert_begins(refusal(&config, 1, &err), "period: expected ");
    config.period_s = 10;
    config.start_s = 11;
    assert_begins(refusal(&config, 1, &err), "start: expected ");
}
END_TEST

// And curves that are given twice, or by a file that is not there.
START_TEST(curves_are_given_once)
{
    double good[] = {1, 2};
    struct err err = {0};
    struct arrival_config config = process("diurnal");
    config.curve_frac = reals(good, 2);
    config.shape = DAYCURVE_EVENING;
    assert_begins(refusal(&config, 1, &err), "shape: expected one of curve, shape and curve_file");
    config.shape = DAYCURVE_NONE;
    config.curve_file = (char[]){"no/such.csv"};
    assert_begins(refusal(&config, 1, &err), "curve_file: expected one of curve, shape");
    config.curve_frac = reals(NULL, 0);
    assert_begins(refusal(&config, 1, &err), "curve_file: no/such.csv: No such file");
    config.curve_file = NULL;
    config.shape = DAYCURVE_EVENING;
    config.trough_frac = 1.5;
    assert_begins(refusal(&config, 1, &err), "trough: expected 0 to 1");
}
END_TEST

// A stream put at the place of another goes on as that one does, ahead of it or behind it.
START_TEST(a_place_is_all_that_changes)
{
    for (int64_t p = 0; p < n_kinds(); p++) {
        struct arrival_config config = any_process(p);
        struct arrival_setup setup = setup_of(&config, 1e6);
        if (arrival_types[config.process]->carries_rate)
            continue; // needs a trace: test_replay
        int64_t ns[2][700];
        unsigned char place[ARRIVAL_PLACE_MAX];
        struct arrival *first = arrival_create(&setup, NULL);
        struct arrival *other = arrival_create(&setup, NULL);
        for (size_t n = 1; n <= 700; n = 2 * n + 1) {
            arrival_fill(first, n, ns[0], NULL);
            arrival_get_place(first, place);
            ck_assert(arrival_set_place(other, place));
            arrival_fill(other, 700, ns[1], NULL);
            arrival_fill(first, 700, ns[0], NULL);
            ck_assert_msg(memcmp(ns[0], ns[1], sizeof ns[0]) == 0, "%s",
                          arrival_types[config.process]->name);
            ck_assert(arrival_set_place(first, place));
            ck_assert_uint_eq(arrival_place_bytes(first),
                              arrival_types[config.process]->place_bytes);
        }
        arrival_destroy(first);
        arrival_destroy(other);
    }
}
END_TEST

// Every process has a place, which lies within its state and within what others keep for it.
START_TEST(places_have_room)
{
    for (int64_t p = 0; arrival_types[p]; p++) {
        ck_assert_uint_ge(arrival_types[p]->place_bytes, sizeof(uint64_t));
        ck_assert_uint_le(arrival_types[p]->place_bytes, arrival_types[p]->state_bytes);
        ck_assert_uint_le(arrival_types[p]->place_bytes, ARRIVAL_PLACE_MAX);
    }
}
END_TEST

// A place whose clock stands before the start is nobody's. Deterministic has no clock but an index.
START_TEST(bad_places_are_refused)
{
    unsigned char place[ARRIVAL_PLACE_MAX];
    memset(place, 0xff, sizeof place);
    for (int64_t p = 0; p < n_kinds(); p++) {
        struct arrival_config config = any_process(p);
        struct arrival_setup setup = setup_of(&config, 1e6);
        if (arrival_types[config.process]->carries_rate)
            continue; // needs a trace: test_replay
        struct arrival *arrival = arrival_create(&setup, NULL);
        bool any_will_do = arrival_types[config.process] == &arrival_deterministic;
        ck_assert_msg(arrival_set_place(arrival, place) == any_will_do, "%s",
                      arrival_types[config.process]->name);
        arrival_destroy(arrival);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", poisson_has_cv_one},
        {"core", gamma_has_the_cv_asked_for},
        {"core", hyperexponential_has_the_cv_asked_for},
        {"core", hyperexponential_has_balanced_means},
        {"core", poisson_ms_shows_the_defect},
        {"core", poisson_ms_has_simultaneous_arrivals},
        {"core", deterministic_is_even},
        {"core", deterministic_streams_are_out_of_step},
        {"core", mmpp_has_the_mean_rate},
        {"core", mmpp_pauses_in_a_state_of_rate_zero},
        {"core", mmpp_with_equal_rates_is_poisson},
        {"core", diurnal_follows_the_curve},
        {"core", diurnal_starts_where_asked},
        {"core", diurnal_shapes_are_curves},
        {"core", diurnal_files_are_curves},
        {"core", diurnal_files_may_close},
        {"errors", idle_keys_are_refused},
        {"core", diurnal_is_silent_where_the_curve_is_zero},
        {"core", bursts_of_a_flat_day},
        {"core", gamma_on_a_day},
        {"core", states_on_a_day},
        {"core", steady_keeps_bursts},
        {"core", a_share_scales_the_rate},
        {"core", cuts_do_not_matter},
        {"core", streams_are_keyed},
        {"core", poisson_is_the_same_everywhere},
        {"core", a_place_is_all_that_changes},
        {"limits", gamma_of_no_spread_is_even},
        {"limits", places_have_room},
        {"limits", a_day_that_never_comes},
        {"limits", diurnal_jumps_over_empty_periods},
        {"limits", no_drift_at_tiny_gaps},
        {"limits", endless_gaps_become_never},
        {"limits", gaps_add_up},
        {"limits", long_gaps_keep_their_mean},
        {"errors", bad_rates_are_refused},
        {"errors", bad_cv_is_refused},
        {"errors", bad_states_are_refused},
        {"errors", bad_curves_are_refused},
        {"errors", curves_are_given_once},
        {"errors", bad_places_are_refused},
        {"errors", bad_bursts_are_refused},
    };
    return suite_run("arrival", tests, sizeof tests / sizeof *tests);
}
