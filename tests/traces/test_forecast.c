// SPDX-License-Identifier: Apache-2.0
#include "traces/forecast.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "support/suite.h"
#include "traces/replay.h"

// Sums of a few doubles in another order.
#define SLACK 1e-12

static struct service_traffic traffic_of(const char *process, double rate_qps)
{
    struct service_traffic traffic = {.rate_qps = rate_qps,
                                      .arrivals = {.process = arrival_find(process), .cv = 2}};
    ck_assert_int_ge(traffic.arrivals.process, 0);
    return traffic;
}

static struct service_traffic diurnal(double *curve, size_t n, double period_s)
{
    struct service_traffic traffic = traffic_of("diurnal", 100);
    traffic.arrivals.curve_frac = (struct reals){n, curve};
    traffic.arrivals.period_s = period_s;
    traffic.arrivals.cv = 1;
    return traffic;
}

// A trace with records at the given seconds; caller trace_destroy()s.
static struct trace *trace_at(const double *at_s, size_t n)
{
    struct trace *trace = trace_create(false);
    for (size_t i = 0; i < n; i++)
        trace_append(trace, (int64_t)(at_s[i] * 1e9), 1);
    return trace;
}

// A process without a day in it sends its rate all day.
START_TEST(steady_processes)
{
    const char *const names[] = {"poisson", "gamma", "deterministic", "hyperexponential"};
    for (size_t p = 0; p < 4; p++) {
        struct service_traffic traffic = traffic_of(names[p], 250);
        struct forecast out[3];
        ck_assert_int_eq(forecast_fill(&traffic, 86400, 3, out, NULL), 0);
        for (int i = 0; i < 3; i++) {
            ck_assert_double_eq(out[i].mean_qps, 250);
            ck_assert_double_eq(out[i].peak_qps, 250);
        }
    }
}
END_TEST

// A curve 1, 3 of mean 2: quarters of 75, 125, 125, 75 queries per second of a mean of 100; their
// peaks are 100, 150, 150, 100.
START_TEST(curves_are_integrated)
{
    double curve[] = {1, 3};
    const double mean[] = {75, 125, 125, 75}, peak[] = {100, 150, 150, 100};
    struct service_traffic traffic = diurnal(curve, 2, 86400);
    struct forecast out[4];
    ck_assert_int_eq(forecast_fill(&traffic, 86400, 4, out, NULL), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(out[i].mean_qps, mean[i], 100 * SLACK);
        ck_assert_double_eq_tol(out[i].peak_qps, peak[i], 100 * SLACK);
    }
}
END_TEST

// The day begins where the simulation does in the period, and goes round its end.
START_TEST(curves_begin_at_their_start)
{
    double curve[] = {1, 3};
    struct service_traffic traffic = diurnal(curve, 2, 86400);
    struct forecast out[4];
    traffic.arrivals.start_s = 43200;
    ck_assert_int_eq(forecast_fill(&traffic, 86400, 4, out, NULL), 0);
    ck_assert_double_eq_tol(out[0].mean_qps, 125, 100 * SLACK);
    ck_assert_double_eq_tol(out[1].mean_qps, 75, 100 * SLACK);
    ck_assert_double_eq_tol(out[3].mean_qps, 125, 100 * SLACK);
}
END_TEST

// What is forecast is what arrives: counts of a simulated day within four Poisson errors.
START_TEST(arrivals_agree)
{
    struct service_traffic traffic = traffic_of("diurnal", 20000);
    struct forecast out[6];
    traffic.arrivals.cv = 1;
    traffic.arrivals.shape = 1;
    traffic.arrivals.trough_frac = 0.3;
    traffic.arrivals.period_s = 6;
    traffic.arrivals.start_s = 1.3;
    ck_assert_int_eq(forecast_fill(&traffic, 6, 6, out, NULL), 0);
    const struct arrival_setup setup = {
        .config = &traffic.arrivals, .rate_qps = 20000, .seed = 3, .share_num = 1, .share_den = 1};
    struct arrival *arrival = arrival_create(&setup, NULL);
    int64_t ns[500], n_seen[6] = {0};
    for (bool more = true; more;) {
        arrival_fill(arrival, 500, ns, NULL);
        for (int i = 0; i < 500 && more; i++) {
            more = ns[i] < 6 * SIMTIME_S;
            if (more)
                n_seen[ns[i] / SIMTIME_S]++;
        }
    }
    arrival_destroy(arrival);
    for (int i = 0; i < 6; i++) // 4 errors of a count n: 16 n
        ck_assert_double_lt(((double)n_seen[i] - out[i].mean_qps) *
                                ((double)n_seen[i] - out[i].mean_qps),
                            16 * out[i].mean_qps);
}
END_TEST

// A rough look at a trace needs no trace without gaps: 2000 records in the first second, none in
// the next, 4000 in the third, none in the fourth. The peak is what hundreds of records show, less
// 2.5 standard deviations of their number.
START_TEST(profiles_of_traces)
{
    struct trace *trace = trace_create(false);
    for (int i = 0; i < 2000; i++)
        trace_append(trace, i * SIMTIME_S / 2000, 1);
    for (int i = 0; i < 4000; i++)
        trace_append(trace, 2 * SIMTIME_S + i * SIMTIME_S / 4000, 1);
    struct service_traffic traffic = traffic_of("replay", 0);
    struct forecast out[4], one;
    traffic.arrivals.trace = trace;
    forecast_profile(&traffic, 4, 4, out);
    const double expected[] = {2000, 0, 4000, 0};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq(out[i].mean_qps, expected[i]);
        ck_assert_double_eq_tol(out[i].peak_qps, expected[i] - 2.5 * sqrt(expected[i]), 1e-9);
    }
    forecast_profile(&traffic, 8, 1, &one); // half of it is silence
    ck_assert_double_eq(one.mean_qps, 750);
    ck_assert_double_eq_tol(forecast_period_s(&traffic), 3, 0.001);
    trace_destroy(trace);
}
END_TEST

// Of even traffic no interval stands out, however finely it is cut.
START_TEST(profiles_of_even_traces)
{
    struct trace *trace = trace_create(false);
    struct service_traffic poisson = traffic_of("poisson", 1000), traffic = traffic_of("replay", 0);
    const struct arrival_setup setup = {
        .config = &poisson.arrivals, .rate_qps = 1000, .seed = 3, .share_num = 1, .share_den = 1};
    struct arrival *arrival = arrival_create(&setup, NULL);
    int64_t ns[500];
    for (int k = 0; k < 20; k++) {
        arrival_fill(arrival, 500, ns, NULL);
        for (int i = 0; i < 500; i++)
            trace_append(trace, ns[i], 1);
    }
    arrival_destroy(arrival);
    struct forecast out[96];
    traffic.arrivals.trace = trace;
    forecast_profile(&traffic, 10, 96, out);
    for (int i = 0; i < 96; i++)
        ck_assert_double_lt(out[i].peak_qps, 1050);
    trace_destroy(trace);
}
END_TEST

// Curves are as forecast; what has no day is its rate, and a file that is not there no error.
START_TEST(profiles_of_others)
{
    double curve[] = {1, 3};
    struct service_traffic traffic = diurnal(curve, 2, 86400);
    struct forecast out[2];
    forecast_profile(&traffic, 86400, 2, out);
    ck_assert_double_eq_tol(out[0].mean_qps, 100, 100 * SLACK);
    ck_assert_double_eq_tol(out[0].peak_qps, 150, 100 * SLACK);
    ck_assert_double_eq(forecast_period_s(&traffic), 86400);
    traffic = traffic_of("diurnal", 70);
    traffic.arrivals.period_s = 10;
    traffic.arrivals.curve_file = (char[]){"no/such.csv"};
    forecast_profile(&traffic, 86400, 2, out);
    ck_assert_double_eq(out[1].peak_qps, 70);
    traffic = traffic_of("gamma", 250);
    forecast_profile(&traffic, 86400, 2, out);
    ck_assert_double_eq(out[1].mean_qps, 250);
    ck_assert_double_eq(forecast_period_s(&traffic), 0);
}
END_TEST

// A trace is counted interval by interval.
START_TEST(traces_are_counted)
{
    const double at_s[] = {0, 0.5, 1.5, 2.2, 2.4, 2.6, 3.99};
    struct trace *trace = trace_at(at_s, 7);
    struct service_traffic traffic = traffic_of("replay", 0);
    struct forecast out[4];
    traffic.arrivals.trace = trace;
    ck_assert_int_eq(forecast_fill(&traffic, 4, 4, out, NULL), 0);
    const double expected[] = {2, 1, 3, 1};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq(out[i].mean_qps, expected[i]);
        ck_assert_double_eq(out[i].peak_qps, expected[i]);
    }
    trace_destroy(trace);
}
END_TEST

// Stretched to the service's rate: seven records whose rate is 1.5 a second, at 3 a second, take
// half the time.
START_TEST(rescaled_traces)
{
    const double at_s[] = {0, 0.5, 1.5, 2.2, 2.4, 2.6, 4};
    struct trace *trace = trace_at(at_s, 7);
    struct service_traffic traffic = traffic_of("replay", 3);
    struct forecast out[2];
    traffic.arrivals.trace = trace;
    traffic.arrivals.rescale = true;
    ck_assert_int_eq(forecast_fill(&traffic, 2, 2, out, NULL), 0);
    ck_assert_double_eq(out[0].mean_qps, 3); // those before 1 s: 0, 0.25, 0.75
    ck_assert_double_eq(out[1].mean_qps, 3); // 1.1, 1.2, 1.3; the one at 2 s is the next day's
    trace_destroy(trace);
}
END_TEST

// A trace that repeats has no gap: passes of 2 s (span 1 s and a gap of 1 s), records at 0 and 1.
START_TEST(repeated_traces)
{
    const double at_s[] = {0, 1};
    struct trace *trace = trace_at(at_s, 2);
    struct service_traffic traffic = traffic_of("replay", 0);
    struct forecast out[5];
    traffic.arrivals.trace = trace;
    traffic.arrivals.repeat = true;
    ck_assert_int_eq(forecast_fill(&traffic, 2.5, 5, out, NULL), 0);
    const double expected[] = {2, 0, 2, 0, 2}; // one record in half a second
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq(out[i].mean_qps, expected[i]);
    trace_destroy(trace);
}
END_TEST

// A day much longer than the repeated trace takes no time to count.
START_TEST(many_passes)
{
    const double at_s[] = {0, 1e-6};
    struct trace *trace = trace_at(at_s, 2);
    struct service_traffic traffic = traffic_of("replay", 0);
    struct forecast out;
    traffic.arrivals.trace = trace;
    traffic.arrivals.repeat = true;
    ck_assert_int_eq(forecast_fill(&traffic, 86400, 1, &out, NULL), 0);
    ck_assert_double_eq_tol(out.mean_qps, 1e6, 1e-3); // two per pass of 2 us
    trace_destroy(trace);
}
END_TEST

static void assert_refused(const struct service_traffic *traffic, double day_s, const char *text)
{
    struct forecast out[4];
    struct err err = {0};
    ck_assert_int_eq(forecast_fill(traffic, day_s, 4, out, &err), -1);
    ck_assert_str_eq(err.text, text);
}

// An hour without a record, and a trace that ends too early, are gaps; so is no trace at all.
START_TEST(gaps_are_refused)
{
    const double at_s[] = {0, 0.5, 2.5, 3.95};
    struct trace *trace = trace_at(at_s, 4);
    struct service_traffic traffic = traffic_of("replay", 0);
    assert_refused(&traffic, 4, "file: no trace has been loaded");
    traffic.arrivals.trace = trace;
    assert_refused(&traffic, 4,
                   "file: a gap: no record from 1s to 2s of the day; expected a "
                   "longer capacity.interval, a capacity.day that ends before it, or "
                   "another trace");
    assert_refused(&traffic, 4.4,
                   "file: a gap: the trace ends at 3.95s of a day of 4.4s; expected capacity.day "
                   "and capacity.interval no longer than the trace, repeat: true to start it over, "
                   "or a longer trace");
    trace_destroy(trace);
}
END_TEST

// What is no process is no forecast.
START_TEST(bad_settings_are_refused)
{
    double negative[] = {1, -1};
    struct service_traffic traffic = diurnal(negative, 2, 86400);
    assert_refused(&traffic, 86400, "curve: expected relative rates of 0 to 1e9, got -1");
    traffic = traffic_of("poisson", 0);
    assert_refused(&traffic, 86400, "rate: expected more than 0 queries per second, got 0");
    traffic = traffic_of("diurnal", 1);
    traffic.arrivals.period_s = 86400;
    traffic.arrivals.curve_file = (char[]){"no/such.csv"};
    assert_refused(&traffic, 86400, "curve_file: no/such.csv: No such file or directory");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", steady_processes},
        {"core", curves_are_integrated},
        {"core", curves_begin_at_their_start},
        {"core", arrivals_agree},
        {"core", traces_are_counted},
        {"core", rescaled_traces},
        {"core", repeated_traces},
        {"core", profiles_of_traces},
        {"core", profiles_of_others},
        {"limits", profiles_of_even_traces},
        {"limits", many_passes},
        {"errors", gaps_are_refused},
        {"errors", bad_settings_are_refused},
    };
    return suite_run("forecast", tests, sizeof tests / sizeof *tests);
}
