// SPDX-License-Identifier: Apache-2.0
#include "traces/replay.h"

#include <string.h>

#include "base/simtime.h"
#include "support/suite.h"

// Three records at 0, 1 and 3 s of 10, 20 and 30 items.
static struct trace *three(void)
{
    struct trace *trace = trace_create(true);
    trace_append(trace, 0, 10);
    trace_append(trace, SIMTIME_S, 20);
    trace_append(trace, 3 * SIMTIME_S, 30);
    return trace;
}

static struct arrival_config replay_of(const struct trace *trace)
{
    return (struct arrival_config){.process = arrival_find("replay"), .trace = trace};
}

static struct arrival_setup whole(const struct arrival_config *config, double rate_qps)
{
    return (struct arrival_setup){
        .config = config, .rate_qps = rate_qps, .seed = 3, .share_num = 1, .share_den = 1};
}

static void fill(const struct arrival_setup *setup, size_t n, int64_t *ns, uint32_t *items)
{
    struct err err = {0};
    struct arrival *arrival = arrival_create(setup, &err);
    ck_assert_msg(arrival != NULL, "%s", err.text);
    arrival_fill(arrival, n, ns, items); // numbers of records
    for (size_t i = 0; items && i < n; i++)
        items[i] = ns[i] == SIMTIME_NEVER || !setup->config->trace->size_items
                       ? 1
                       : setup->config->trace->size_items[items[i]];
    arrival_destroy(arrival);
}

static void assert_refused(const struct arrival_config *config, double rate_qps,
                           const char *expected)
{
    struct arrival_setup setup = whole(config, rate_qps);
    struct err err = {0};
    ck_assert_ptr_null(arrival_create(&setup, &err));
    ck_assert_str_eq(err.text, expected);
}

// One cell gets every record as it is, then nothing; the service's rate plays no part.
START_TEST(one_cell_gets_the_trace)
{
    struct trace *trace = three();
    struct arrival_config config = replay_of(trace);
    struct arrival_setup setup = whole(&config, 0);
    int64_t ns[5];
    uint32_t items[5];
    fill(&setup, 5, ns, items);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ns[i], trace->arrive_ns[i]);
        ck_assert_uint_eq(items[i], trace->size_items[i]);
    }
    ck_assert_int_eq(ns[3], SIMTIME_NEVER);
    ck_assert_int_eq(ns[4], SIMTIME_NEVER);
    ck_assert_double_eq_tol(arrival_mean_qps(&config, 77), 2.0 / 3, 1e-12);
    trace_destroy(trace);
}
END_TEST

// Repeated, a pass lasts the span plus one mean gap: 3 s + 1.5 s.
START_TEST(repeating_starts_over)
{
    struct trace *trace = three();
    struct arrival_config config = replay_of(trace);
    config.repeat = true;
    struct arrival_setup setup = whole(&config, 0);
    int64_t ns[8];
    uint32_t items[8];
    fill(&setup, 8, ns, items);
    ck_assert_int_eq(ns[3], 4500000000);
    ck_assert_int_eq(ns[5], 7500000000);
    ck_assert_int_eq(ns[7], 10000000000);
    ck_assert_uint_eq(items[7], 20);
    trace_destroy(trace);
}
END_TEST

// Rescaled to twice its rate, it takes half as long.
START_TEST(rescaling_meets_the_rate)
{
    struct trace *trace = three();
    struct arrival_config config = replay_of(trace);
    config.rescale = true;
    struct arrival_setup setup = whole(&config, 4.0 / 3);
    int64_t ns[3];
    fill(&setup, 3, ns, NULL);
    ck_assert_int_eq(ns[1], 500000000);
    ck_assert_int_eq(ns[2], 1500000000);
    ck_assert_double_eq(arrival_mean_qps(&config, 4.0 / 3), 4.0 / 3);
    trace_destroy(trace);
}
END_TEST

// Cells of unequal shares partition the records: each goes to exactly one, near its share.
START_TEST(cells_partition_the_records)
{
    enum { N = 20000 };
    static int64_t ns[N + 1];
    static uint32_t items[N + 1], seen[N];
    const uint64_t shares[] = {1, 5, 2};
    struct trace *trace = trace_create(true);
    for (int i = 0; i < N; i++)
        trace_append(trace, i * SIMTIME_US, (uint32_t)i + 1);
    struct arrival_config config = replay_of(trace);
    uint64_t first = 0;
    for (uint32_t cell = 0; cell < 3; first += shares[cell++]) {
        struct arrival_setup setup = whole(&config, 0);
        setup.cell = cell;
        setup.share_first = first;
        setup.share_num = shares[cell];
        setup.share_den = 8;
        fill(&setup, N + 1, ns, items);
        int n = 0;
        for (; ns[n] != SIMTIME_NEVER; n++) {
            ck_assert_int_eq(ns[n], (items[n] - 1) * SIMTIME_US);
            seen[items[n] - 1]++;
        }
        // A binomial count within 4 sd, at most 4 sqrt(N / 4) = 283.
        ck_assert_double_eq_tol(n, N * (double)shares[cell] / 8, 283);
    }
    for (int i = 0; i < N; i++)
        ck_assert_uint_eq(seen[i], 1);
    trace_destroy(trace);
}
END_TEST

// A second pass deals anew: a cell does not get the same records again.
START_TEST(passes_are_dealt_anew)
{
    enum { N = 64 };
    struct trace *trace = trace_create(true);
    for (int i = 0; i < N; i++)
        trace_append(trace, i * SIMTIME_US, (uint32_t)i + 1);
    struct arrival_config config = replay_of(trace);
    config.repeat = true;
    struct arrival_setup setup = whole(&config, 0);
    setup.share_den = 2;
    int64_t ns[2 * N];
    uint32_t items[2 * N];
    fill(&setup, 2 * N, ns, items);
    uint64_t mask[2] = {0, 0};
    for (int i = 0; i < 2 * N; i++) {
        int64_t pass = ns[i] / (N * SIMTIME_US);
        if (pass < 2)
            mask[pass] |= UINT64_C(1) << (items[i] - 1);
    }
    ck_assert_uint_ne(mask[0], mask[1]);
    trace_destroy(trace);
}
END_TEST

// A cell's stream put at the place of another goes on as that one does, into later passes, and
// back.
START_TEST(a_place_is_all_that_changes)
{
    struct trace *trace = trace_create(true);
    for (int i = 0; i < 700; i++)
        trace_append(trace, i * SIMTIME_US, (uint32_t)i + 1);
    struct arrival_config config = replay_of(trace);
    config.repeat = true;
    struct arrival_setup setup = whole(&config, 0);
    setup.share_den = 3;
    struct arrival *first = arrival_create(&setup, NULL), *other = arrival_create(&setup, NULL);
    ck_assert_uint_le(arrival_place_bytes(first), ARRIVAL_PLACE_MAX);
    for (size_t n = 1; n <= 600; n = 2 * n + 1) {
        unsigned char place[ARRIVAL_PLACE_MAX];
        int64_t ns[2][600];
        uint32_t items[2][600];
        arrival_fill(first, n, ns[0], items[0]);
        arrival_get_place(first, place);
        ck_assert(arrival_set_place(other, place));
        arrival_fill(other, 600, ns[1], items[1]);
        arrival_fill(first, 600, ns[0], items[0]);
        ck_assert_mem_eq(ns[0], ns[1], sizeof ns[0]);
        ck_assert_mem_eq(items[0], items[1], sizeof items[0]);
        ck_assert(arrival_set_place(first, place));
    }
    arrival_destroy(first);
    arrival_destroy(other);
    trace_destroy(trace);
}
END_TEST

// A place beyond the trace is not one of it.
START_TEST(a_place_beyond_the_trace_is_refused)
{
    struct trace *trace = three();
    struct arrival_config config = replay_of(trace);
    struct arrival_setup setup = whole(&config, 0);
    struct arrival *arrival = arrival_create(&setup, NULL);
    // pass, next record, time last handed out
    uint64_t place[] = {0, 3, 0};
    ck_assert_uint_eq(arrival_place_bytes(arrival), sizeof place);
    ck_assert(arrival_set_place(arrival, place));
    place[1] = 4;
    ck_assert(!arrival_set_place(arrival, place));
    arrival_destroy(arrival);
    trace_destroy(trace);
}
END_TEST

// Without sizes, or when asked, sizes are the service's.
START_TEST(sizes_may_come_from_elsewhere)
{
    struct trace *trace = three();
    struct arrival_config config = replay_of(trace);
    ck_assert(arrival_carries_sizes(&config));
    config.sizes_from = ARRIVAL_SIZES_DISTRIBUTION;
    ck_assert(!arrival_carries_sizes(&config));
    trace_destroy(trace);
    trace = trace_create(false);
    trace_append(trace, 0, 0);
    config = replay_of(trace);
    ck_assert(!arrival_carries_sizes(&config));
    trace_destroy(trace);
}
END_TEST

// A cell whose share gets none of a short trace still comes to an end when it repeats.
START_TEST(an_unlucky_cell_ends)
{
    struct trace *trace = trace_create(true);
    trace_append(trace, 0, 1);
    trace_append(trace, SIMTIME_LONGEST / 4, 1);
    struct arrival_config config = replay_of(trace);
    config.repeat = true;
    struct arrival_setup setup = whole(&config, 0);
    setup.share_den = UINT64_C(1) << 60;
    int64_t ns[1];
    fill(&setup, 1, ns, NULL);
    ck_assert_int_eq(ns[0], SIMTIME_NEVER);
    trace_destroy(trace);
}
END_TEST

// What a trace cannot do is refused.
START_TEST(impossible_settings_are_refused)
{
    struct trace *moment = trace_create(true);
    trace_append(moment, 5, 1);
    struct arrival_config config = replay_of(moment);
    config.repeat = true;
    assert_refused(&config, 1, "repeat: the records of the trace all arrive at once");
    config.rescale = true;
    assert_refused(&config, 1, "rescale: the records of the trace all arrive at once");
    assert_refused(&config, 0, "rate: expected more than 0 queries per second, got 0");
    moment->size_items[0] = 0;
    assert_refused(&config, 1, "file: record 1: expected 1 to 65535 items, got 0");
    trace_destroy(moment);
}
END_TEST

// No trace, or one that cannot be read.
START_TEST(missing_files_are_refused)
{
    struct arrival_config config = replay_of(NULL);
    assert_refused(&config, 1, "file: expected the name of a trace");
    char missing[] = "/nonexistent/t.csv";
    config.csv = trace_csv_defaults(missing);
    assert_refused(&config, 1, "file: /nonexistent/t.csv: No such file or directory");
    struct err err = {0};
    ck_assert_int_eq(arrival_load(&config, &err), -1);
    ck_assert_str_eq(err.text, "file: /nonexistent/t.csv: No such file or directory");
    ck_assert_ptr_null(config.trace);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", one_cell_gets_the_trace},
        {"core", repeating_starts_over},
        {"core", rescaling_meets_the_rate},
        {"core", cells_partition_the_records},
        {"core", passes_are_dealt_anew},
        {"core", sizes_may_come_from_elsewhere},
        {"core", a_place_is_all_that_changes},
        {"limits", an_unlucky_cell_ends},
        {"errors", impossible_settings_are_refused},
        {"errors", missing_files_are_refused},
        {"errors", a_place_beyond_the_trace_is_refused},
    };
    return suite_run("replay", tests, sizeof tests / sizeof *tests);
}
