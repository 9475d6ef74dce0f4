// SPDX-License-Identifier: Apache-2.0
#include "traces/trace.h"

#include <math.h>

#include "support/suite.h"

static struct trace *made(const int64_t *ns, const uint32_t *items, size_t n)
{
    struct trace *trace = trace_create(items != NULL);
    for (size_t i = 0; i < n; i++)
        trace_append(trace, ns[i], items ? items[i] : 0);
    return trace;
}

// More records than the first allocation keep their values.
START_TEST(traces_grow)
{
    struct trace *trace = trace_create(true);
    for (int i = 0; i < 10000; i++)
        trace_append(trace, i * 3, (uint32_t)i + 1);
    ck_assert_uint_eq(trace->n, 10000);
    ck_assert_int_eq(trace->arrive_ns[9999], 29997);
    ck_assert_uint_eq(trace->size_items[1234], 1235);
    trace_destroy(trace);
}
END_TEST

// Sorting is by time and leaves equal times in their order.
START_TEST(sorting_is_stable)
{
    const int64_t ns[] = {5, 3, 5, 1, 3};
    const uint32_t items[] = {1, 2, 3, 4, 5}, sorted[] = {4, 2, 5, 1, 3};
    struct trace *trace = made(ns, items, 5);
    ck_assert(!trace_is_sorted(trace));
    trace_sort(trace);
    ck_assert(trace_is_sorted(trace));
    ck_assert_mem_eq(trace->size_items, sorted, sizeof sorted);
    trace_destroy(trace);
}
END_TEST

// Shifting and scaling times; the rate follows.
START_TEST(times_are_moved_and_scaled)
{
    const int64_t ns[] = {1000000000, 1500000000, 3000000000};
    struct trace *trace = made(ns, NULL, 3);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 1, 1e-12);
    trace_start_at(trace, ns[0]);
    ck_assert_int_eq(trace->arrive_ns[0], 0);
    ck_assert_int_eq(trace_scale_time(trace, 0.25, NULL), 0);
    ck_assert_int_eq(trace->arrive_ns[1], 125000000);
    ck_assert_int_eq(trace_span_ns(trace), 500000000);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 4, 1e-12);
    trace_destroy(trace);
}
END_TEST

// Scaled sizes are rounded, and brought into 1 .. max with a count.
START_TEST(sizes_are_scaled)
{
    const int64_t ns[] = {0, 1, 2, 3};
    const uint32_t items[] = {1, 10, 25, 400}, scaled[] = {1, 1, 3, 30};
    struct trace *trace = made(ns, items, 4);
    trace_scale_size(trace, 0.1, 30);
    ck_assert_mem_eq(trace->size_items, scaled, sizeof scaled);
    ck_assert_uint_eq(trace->n_clamped, 2);
    trace_destroy(trace);
}
END_TEST

// A summary against hand computation: gaps 1, 1, 4 s; sizes 1, 2, 3, 10; histories 10,
// 30, 40 and none.
START_TEST(summary_is_right)
{
    const int64_t ns[] = {2000000000, 3000000000, 4000000000, 8000000000};
    const uint32_t items[] = {10, 2, 3, 1};
    struct trace_summary s;
    struct trace *trace = trace_create(true);
    for (size_t i = 0; i < 4; i++) {
        trace_append(trace, ns[i], items[i]);
        if (i != 1)
            trace_put_history(trace, (uint16_t)(10 * (i + 1)));
    }
    trace_summarise(trace, &s);
    ck_assert_uint_eq(s.n, 4);
    ck_assert_int_eq(s.first_ns, 2000000000);
    ck_assert_int_eq(s.span_ns, 6000000000);
    ck_assert_double_eq_tol(s.rate_qps, 0.5, 1e-12);
    ck_assert_double_eq_tol(s.gap_mean_s, 2, 1e-12);
    ck_assert_double_eq_tol(s.gap_cv, sqrt(2) / 2, 1e-12);
    ck_assert_double_eq_tol(s.sizes.mean_items, 4, 1e-12);
    ck_assert_double_eq_tol(s.sizes.sd_items, sqrt(12.5), 1e-12);
    ck_assert_uint_eq(s.sizes.p50_items, 2);
    ck_assert_uint_eq(s.sizes.p75_items, 3);
    ck_assert_uint_eq(s.sizes.max_items, 10);
    ck_assert_double_eq_tol(s.sizes.top_quarter_frac, 10.0 / 16, 1e-12);
    ck_assert_uint_eq(s.histories.n, 3);
    ck_assert_double_eq_tol(s.histories.mean_items, 80.0 / 3, 1e-12);
    ck_assert_double_eq_tol(s.histories.sd_items, sqrt(1400.0 / 9), 1e-12);
    ck_assert_uint_eq(s.histories.min_items, 10);
    ck_assert_uint_eq(s.histories.p50_items, 30);
    ck_assert_uint_eq(s.histories.p75_items, 40);
    ck_assert_uint_eq(s.histories.max_items, 40);
    trace_destroy(trace);
}
END_TEST

// One record, or records that coincide, have no rate but a summary.
START_TEST(summary_of_a_moment)
{
    const int64_t ns[] = {7, 7};
    struct trace_summary s;
    struct trace *trace = made(ns, NULL, 1);
    trace_summarise(trace, &s);
    ck_assert_double_eq(s.rate_qps, 0);
    ck_assert_double_eq(s.gap_cv, 0);
    ck_assert_uint_eq(s.sizes.n, 0);
    ck_assert_uint_eq(s.histories.n, 0);
    trace_destroy(trace);
    trace = made(ns, NULL, 2);
    trace_summarise(trace, &s);
    ck_assert_double_eq(s.simultaneous_frac, 1);
    trace_destroy(trace);
}
END_TEST

// Scaling times out of the range fails and changes nothing.
START_TEST(overflowing_times_are_refused)
{
    const int64_t ns[] = {0, 1000000000000000000};
    struct err err = {0};
    struct trace *trace = made(ns, NULL, 2);
    ck_assert_int_eq(trace_scale_time(trace, 100, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_int_eq(trace->arrive_ns[1], 1000000000000000000);
    trace_destroy(trace);
}
END_TEST

// What cannot be replayed is refused, with the number of the record.
START_TEST(invalid_traces_are_refused)
{
    const struct {
        int64_t ns[2];
        uint32_t items[2];
        size_t n;
        const char *text;
    } rows[] = {
        {{0}, {0}, 0, "expected at least one record, got none"},
        {{-1}, {1}, 1, "record 1: expected a time >= 0, got -1 ns"},
        {{5, 4}, {1, 1}, 2, "record 2: arrives before the record in front of it"},
        {{5, 5}, {1, 0}, 2, "record 2: expected 1 to 65535 items, got 0"},
        {{5, 5}, {65536, 1}, 2, "record 1: expected 1 to 65535 items, got 65536"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        struct trace *trace = made(rows[i].ns, rows[i].items, rows[i].n);
        ck_assert_int_eq(trace_validate(trace, &err), -1);
        ck_assert_str_eq(err.text, rows[i].text);
        trace_destroy(trace);
    }
}
END_TEST

// The clock is found where most records coincide, the rate is by ticks: all of the last one, or, if
// the trace ends inside it, those before.
START_TEST(coarse_clocks)
{
    const int64_t s = 1000000000, whole[] = {0, 0, 0, s, s, s, 3 * s, 3 * s, 3 * s},
                  cut[] = {0, 0, 0, 0, s, s, s, s, 2 * s}, fine[] = {0, s, s, 2 * s};
    struct trace *trace = made(whole, NULL, 9);
    ck_assert_int_eq(trace_find_tick(trace), s);
    trace_set_tick(trace, s, 0, false);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 9.0 / 4, 1e-12);
    ck_assert_double_eq(trace_length_ns(trace), 4e9);
    ck_assert_int_eq(trace_scale_time(trace, 0.5, NULL), 0);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 9.0 / 2, 1e-12);
    trace_destroy(trace);
    trace = made(cut, NULL, 9);
    trace_set_tick(trace, trace_find_tick(trace), 0, false);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 4, 1e-12);
    ck_assert_double_eq(trace_length_ns(trace), 2.25e9);
    trace_set_tick(trace, s, 0, true);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 3, 1e-12);
    trace_destroy(trace);
    trace = made(fine, NULL, 4);
    ck_assert_int_eq(trace_find_tick(trace), 0);
    trace_destroy(trace);
}
END_TEST

// Spread records stay in their tick and in order, are uniform over it, and end with the trace.
START_TEST(records_are_spread_over_their_ticks)
{
    enum { PER_TICK = 2000, N = 3 * PER_TICK + 100 };
    struct trace *trace = trace_create(false);
    for (int i = 0; i < N; i++)
        trace_append(trace, i / PER_TICK * INT64_C(1000000000), 0);
    const struct rng_stream stream = rng_stream(7, RNG_TEST, 1);
    trace_set_tick(trace, 1000000000, 0, false);
    trace_spread(trace, 0, &stream);
    ck_assert(trace_is_sorted(trace));
    for (int tick = 0; tick < 3; tick++) {
        double sum = 0, square = 0;
        for (int i = 0; i < PER_TICK; i++) {
            double at = (double)trace->arrive_ns[tick * PER_TICK + i] * 1e-9 - tick;
            ck_assert(at >= 0 && at < 1);
            sum += at;
            square += at * at;
        }
        // Mean and variance of uniform draws, to four standard errors.
        double mean = sum / PER_TICK, variance = square / PER_TICK - mean * mean;
        ck_assert_double_eq_tol(mean, 0.5, 4 * sqrt(1.0 / 12 / PER_TICK));
        ck_assert_double_eq_tol(variance, 1.0 / 12, 4 * sqrt(1.0 / 180 / PER_TICK));
    }
    ck_assert_int_lt(trace->arrive_ns[N - 1], INT64_C(3050000000));
    trace_destroy(trace);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", traces_grow},
        {"core", sorting_is_stable},
        {"core", times_are_moved_and_scaled},
        {"core", sizes_are_scaled},
        {"core", summary_is_right},
        {"core", coarse_clocks},
        {"core", records_are_spread_over_their_ticks},
        {"limits", summary_of_a_moment},
        {"errors", overflowing_times_are_refused},
        {"errors", invalid_traces_are_refused},
    };
    return suite_run("trace", tests, sizeof tests / sizeof *tests);
}
