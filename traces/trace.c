// SPDX-License-Identifier: Apache-2.0
#include "traces/trace.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "traces/query.h"

struct trace *trace_create(bool with_sizes)
{
    struct trace *trace = mem_calloc(1, sizeof *trace);
    trace->capacity = 256;
    trace->arrive_ns = mem_alloc(trace->capacity * sizeof *trace->arrive_ns);
    if (with_sizes)
        trace->size_items = mem_alloc(trace->capacity * sizeof *trace->size_items);
    return trace;
}

void trace_destroy(struct trace *trace)
{
    if (!trace)
        return;
    mem_free(trace->arrive_ns);
    mem_free(trace->size_items);
    mem_free(trace->history_items);
    mem_free(trace);
}

void trace_append(struct trace *trace, int64_t arrive_ns, uint32_t size_items)
{
    if (trace->n == trace->capacity) {
        trace->capacity *= 2;
        trace->arrive_ns = mem_realloc(trace->arrive_ns, trace->capacity, sizeof *trace->arrive_ns);
        if (trace->size_items)
            trace->size_items =
                mem_realloc(trace->size_items, trace->capacity, sizeof *trace->size_items);
        if (trace->history_items)
            trace->history_items =
                mem_realloc(trace->history_items, trace->capacity, sizeof *trace->history_items);
    }
    trace->arrive_ns[trace->n] = arrive_ns;
    if (trace->size_items)
        trace->size_items[trace->n] = size_items;
    if (trace->history_items)
        trace->history_items[trace->n] = 0;
    trace->n++;
}

void trace_put_history(struct trace *trace, uint16_t history_items)
{
    assert(trace->n > 0);
    if (!trace->history_items)
        trace->history_items = mem_calloc(trace->capacity, sizeof *trace->history_items);
    trace->history_items[trace->n - 1] = history_items;
}

bool trace_is_sorted(const struct trace *trace)
{
    for (size_t i = 1; i < trace->n; i++)
        if (trace->arrive_ns[i] < trace->arrive_ns[i - 1])
            return false;
    return true;
}

struct record {
    int64_t arrive_ns;
    size_t place; // before sorting
    uint32_t size_items;
    uint16_t history_items;
};

static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    if (a->arrive_ns != b->arrive_ns)
        return a->arrive_ns < b->arrive_ns ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

void trace_sort(struct trace *trace)
{
    if (trace_is_sorted(trace))
        return;
    struct record *records = mem_alloc(trace->n * sizeof *records);
    for (size_t i = 0; i < trace->n; i++)
        records[i] =
            (struct record){trace->arrive_ns[i], i, trace->size_items ? trace->size_items[i] : 0,
                            trace->history_items ? trace->history_items[i] : 0};
    qsort(records, trace->n, sizeof *records, compare_records);
    for (size_t i = 0; i < trace->n; i++) {
        trace->arrive_ns[i] = records[i].arrive_ns;
        if (trace->size_items)
            trace->size_items[i] = records[i].size_items;
        if (trace->history_items)
            trace->history_items[i] = records[i].history_items;
    }
    mem_free(records);
}

int trace_validate(const struct trace *trace, struct err *err)
{
    if (trace->n == 0)
        return err_set(err, ERR_STUDY, "expected at least one record, got none");
    for (size_t i = 0; i < trace->n; i++) {
        if (trace->arrive_ns[i] < 0)
            return err_set(err, ERR_STUDY, "record %zu: expected a time >= 0, got %lld ns", i + 1,
                           (long long)trace->arrive_ns[i]);
        if (i > 0 && trace->arrive_ns[i] < trace->arrive_ns[i - 1])
            return err_set(err, ERR_STUDY, "record %zu: arrives before the record in front of it",
                           i + 1);
        if (trace->size_items &&
            (trace->size_items[i] < 1 || trace->size_items[i] > QUERY_MAX_ITEMS))
            return err_set(err, ERR_STUDY, "record %zu: expected 1 to %u items, got %u", i + 1,
                           QUERY_MAX_ITEMS, trace->size_items[i]);
    }
    return 0;
}

void trace_start_at(struct trace *trace, int64_t from_ns)
{
    for (size_t i = 0; i < trace->n; i++)
        trace->arrive_ns[i] -= from_ns;
}

int trace_scale_time(struct trace *trace, double factor, struct err *err)
{
    assert(factor > 0);
    if (factor == 1)
        return 0;
    int64_t last_ns = 0;
    for (size_t i = 0; i < trace->n; i++)
        last_ns = trace->arrive_ns[i] > last_ns ? trace->arrive_ns[i] : last_ns;
    if (!((double)last_ns * factor < 0x1p62))
        return err_set(err, ERR_STUDY, "expected times below %g s, got %g s after scaling by %g",
                       0x1p62 * 1e-9, (double)last_ns * factor * 1e-9, factor);
    for (size_t i = 0; i < trace->n; i++)
        trace->arrive_ns[i] = (int64_t)((double)trace->arrive_ns[i] * factor + 0.5);
    trace->tick_ns = (int64_t)((double)trace->tick_ns * factor + 0.5);
    trace->length_ns = (int64_t)((double)trace->length_ns * factor + 0.5);
    return 0;
}

void trace_scale_size(struct trace *trace, double factor, uint32_t max_items)
{
    assert(factor > 0 && max_items >= 1);
    for (size_t i = 0; trace->size_items && i < trace->n; i++) {
        double items = trace->size_items[i] * factor + 0.5;
        bool outside = items < 1 || items >= (double)max_items + 1;
        trace->n_clamped += outside;
        trace->n_cut += outside && items >= 1;
        trace->size_items[i] = items < 1 ? 1 : outside ? max_items : (uint32_t)items;
    }
}

int64_t trace_span_ns(const struct trace *trace)
{
    return trace->n ? trace->arrive_ns[trace->n - 1] - trace->arrive_ns[0] : 0;
}

int64_t trace_find_tick(const struct trace *trace)
{
    int64_t tick_ns = 0;
    size_t n_same = 0;
    for (size_t i = 1; i < trace->n; i++) {
        int64_t gap_ns = trace->arrive_ns[i] - trace->arrive_ns[i - 1];
        n_same += gap_ns == 0;
        while (gap_ns > 0) { // Euclid
            int64_t rest_ns = tick_ns % gap_ns;
            tick_ns = gap_ns;
            gap_ns = rest_ns;
        }
    }
    return 2 * n_same > trace->n ? tick_ns : 0;
}

static int compare_ns(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void trace_set_tick(struct trace *trace, int64_t tick_ns, int64_t from_ns, bool whole)
{
    size_t n = trace->n;
    int64_t last = (trace->arrive_ns[n - 1] - from_ns) / tick_ns; // ticks before it
    size_t n_before = n;
    while (n_before > 0 && (trace->arrive_ns[n_before - 1] - from_ns) / tick_ns == last)
        n_before--;
    whole = whole || last == 0 || 2 * (double)(n - n_before) * (double)last >= (double)n_before;
    double ticks = whole ? (double)last + 1 : (double)last * ((double)n / (double)n_before);
    trace->tick_ns = tick_ns;
    trace->length_ns = (int64_t)(ticks * (double)tick_ns + 0.5);
}

void trace_spread(struct trace *trace, int64_t from_ns, const struct rng_stream *stream)
{
    int64_t *times_ns = trace->arrive_ns, tick_ns = trace->tick_ns;
    for (size_t first = 0, end; first < trace->n; first = end) {
        int64_t tick = (times_ns[first] - from_ns) / tick_ns, begin_ns = tick * tick_ns;
        int64_t rest_ns = trace->length_ns - begin_ns,
                width_ns = rest_ns < tick_ns ? rest_ns : tick_ns;
        for (end = first; end < trace->n && (times_ns[end] - from_ns) / tick_ns == tick; end++) {
            uint64_t words[2];
            rng_block(stream, end, words);
            unsigned __int128 product = (unsigned __int128)words[0] * (uint64_t)width_ns;
            times_ns[end] = from_ns + begin_ns + (int64_t)(product >> 64);
        }
        qsort(times_ns + first, end - first, sizeof *times_ns, compare_ns);
    }
    trace->is_spread = true;
}

double trace_length_ns(const struct trace *trace)
{
    double span_ns = (double)trace_span_ns(trace);
    if (trace->length_ns > 0)
        return fmax((double)trace->length_ns, span_ns + 1);
    return trace->n < 2 ? 0 : span_ns + span_ns / (double)(trace->n - 1);
}

double trace_rate_qps(const struct trace *trace)
{
    int64_t span_ns = trace_span_ns(trace);
    if (trace->length_ns > 0)
        return (double)trace->n / simtime_to_s(trace->length_ns);
    return span_ns > 0 ? (double)(trace->n - 1) / simtime_to_s(span_ns) : 0;
}

static void summarise_gaps(const struct trace *trace, struct trace_summary *summary)
{
    if (trace->n < 2)
        return;
    double n_gaps = (double)(trace->n - 1), mean = (double)summary->span_ns / n_gaps, square = 0;
    size_t n_zero = 0;
    for (size_t i = 1; i < trace->n; i++) {
        double gap = (double)(trace->arrive_ns[i] - trace->arrive_ns[i - 1]);
        square += (gap - mean) * (gap - mean);
        n_zero += gap == 0;
    }
    summary->gap_mean_s = mean * 1e-9;
    summary->gap_cv = mean > 0 ? sqrt(square / n_gaps) / mean : 0;
    summary->simultaneous_frac = (double)n_zero / n_gaps;
}

static int compare_items(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

// The smallest size with at least q of the queries at or below it.
static uint32_t quantile_items(const uint32_t *sorted, size_t n, double q)
{
    size_t rank = (size_t)ceil(q * (double)n);
    return sorted[rank > 0 ? rank - 1 : 0];
}

// Of n numbers; sorts them.
static struct trace_counts counts_of(uint32_t *items, size_t n)
{
    size_t n_rest = n - n / 4;
    double total = 0, top = 0, square = 0;
    if (n == 0)
        return (struct trace_counts){0};
    qsort(items, n, sizeof *items, compare_items);
    for (size_t i = 0; i < n; i++) {
        total += items[i];
        top += i >= n_rest ? items[i] : 0;
    }
    double mean = total / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (items[i] - mean) * (items[i] - mean);
    return (struct trace_counts){.n = n,
                                 .mean_items = mean,
                                 .sd_items = sqrt(square / (double)n),
                                 .min_items = items[0],
                                 .p5_items = quantile_items(items, n, 0.05),
                                 .p50_items = quantile_items(items, n, 0.50),
                                 .p75_items = quantile_items(items, n, 0.75),
                                 .p95_items = quantile_items(items, n, 0.95),
                                 .p99_items = quantile_items(items, n, 0.99),
                                 .max_items = items[n - 1],
                                 .top_quarter_frac = total > 0 ? top / total : 0};
}

void trace_summarise(const struct trace *trace, struct trace_summary *summary)
{
    assert(trace->n >= 1);
    *summary = (struct trace_summary){.n = trace->n,
                                      .first_ns = trace->arrive_ns[0],
                                      .span_ns = trace_span_ns(trace),
                                      .rate_qps = trace_rate_qps(trace)};
    summarise_gaps(trace, summary);
    uint32_t *items = mem_alloc(trace->n * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < trace->n && trace->size_items; i++)
        items[n++] = trace->size_items[i];
    summary->sizes = counts_of(items, n);
    n = 0;
    for (size_t i = 0; i < trace->n && trace->history_items; i++)
        if (trace->history_items[i] > 0)
            items[n++] = trace->history_items[i];
    summary->histories = counts_of(items, n);
    mem_free(items);
}
