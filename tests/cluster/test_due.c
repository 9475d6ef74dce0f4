// SPDX-License-Identifier: Apache-2.0
// Lanes of due times, with every kernel that this machine has: portable, avx2, avx512.
#include "cluster/due.h"

#include <string.h>

#include "base/mem.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_SERVERS = 7, N_STEPS = 2000, N_REPORTS = 5 };

// One lane after the other, in whole times.
struct plain {
    int64_t due_ns[N_SERVERS][DUE_MOST_LANES], load[N_SERVERS];
};

// Fills the lowest that are past; false when there are too few, or the time is too far ahead.
static bool plain_put(struct plain *plain, uint32_t n_lanes, const struct completion *report,
                      int64_t due_ns, int64_t now_ns)
{
    int64_t *lanes = plain->due_ns[report->server], n_free = 0, weight = report->weight;
    int64_t base_ns = now_ns >> DUE_BASE_SHIFT << DUE_BASE_SHIFT;
    for (uint32_t i = 0; i < n_lanes; i++)
        n_free += lanes[i] <= now_ns;
    if (n_free < weight || due_ns - base_ns > INT32_MAX)
        return false;
    plain->load[report->server] -= weight;
    for (uint32_t i = 0; weight > 0; i++)
        if (lanes[i] <= now_ns) {
            lanes[i] = due_ns;
            weight--;
        }
    return true;
}

static uint32_t plain_count(const struct plain *plain, uint32_t server, int64_t t_ns)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < DUE_MOST_LANES; i++)
        n += plain->due_ns[server][i] > t_ns;
    return n;
}

// Check's own take too long for so many.
static void expect(bool holds, const char *what, uint64_t step)
{
    if (!holds)
        ck_abort_msg("step %llu: %s", (unsigned long long)step, what);
}

static void assert_counts(const struct due *due, const struct plain *plain, uint64_t step,
                          int64_t now_ns)
{
    enum { D = 3 };
    struct query queries[N_SERVERS];
    uint32_t servers[N_SERVERS * D];
    uint8_t counts[N_SERVERS * D];
    for (uint32_t i = 0; i < N_SERVERS; i++) {
        queries[i].arrive_ns = now_ns + fixture_draw(1, step * N_SERVERS + i, 1500000);
        for (uint32_t j = 0; j < D; j++)
            servers[D * i + j] = (i + j) % N_SERVERS;
    }
    due->kernel->count(due, queries, N_SERVERS, servers, D, counts);
    for (uint32_t k = 0; k < N_SERVERS * D; k++)
        expect(counts[k] == plain_count(plain, servers[k], queries[k / D].arrive_ns), "count",
               step);
}

static void assert_times(const struct due *due, const struct plain *plain, uint64_t step,
                         uint32_t server, int64_t now_ns)
{
    int64_t times_ns[DUE_MOST_LANES], sum = 0;
    size_t n = due_times(due, server, now_ns, times_ns);
    expect(n == plain_count(plain, server, now_ns), "times", step);
    for (size_t i = 0; i < n; i++) {
        expect(i == 0 || times_ns[i] >= times_ns[i - 1], "order of times", step);
        sum += times_ns[i];
    }
    for (uint32_t i = 0; i < DUE_MOST_LANES; i++)
        sum -= plain->due_ns[server][i] > now_ns ? plain->due_ns[server][i] : 0;
    expect(sum == 0, "sum of times", step);
}

// A batch of reports, runs of one server among them.
static void draw_reports(uint64_t step, int64_t now_ns, struct completion *reports)
{
    for (uint64_t i = 0, at = N_REPORTS * step; i < N_REPORTS; i++, at++) {
        uint32_t reach = fixture_draw(2, at, 50) == 0 ? 3000000000 : 1000000;
        reports[i] = (struct completion){.end_ns = now_ns + fixture_draw(3, at, reach),
                                         .weight = 1 + fixture_draw(4, at, i == 0 ? 20 : 4),
                                         .server = fixture_draw(5, at / 2, N_SERVERS)};
    }
}

static void assert_walk(const struct due_kernel *kernel, uint32_t n_planes, uint32_t gap_ns,
                        int64_t period_ns)
{
    struct due due;
    struct plain *plain = mem_calloc(1, sizeof *plain);
    due_init(&due, N_SERVERS, 30, period_ns, true);
    due.kernel = kernel;
    while (due.n_planes < n_planes)
        due_grow(&due);
    uint32_t n_lanes = DUE_FIRST_LANES + (n_planes - 1) * DUE_LINE;
    size_t n_left = 0;
    int64_t now_ns = 0;
    for (uint64_t step = 0; step < N_STEPS; step++) {
        struct completion reports[N_REPORTS];
        uint32_t left[N_REPORTS];
        now_ns += fixture_draw(6, step, gap_ns) * (fixture_draw(7, step, 300) ? 1 : 2000);
        draw_reports(step, now_ns, reports);
        size_t n = due.kernel->put(&due, reports, N_REPORTS, now_ns, left);
        n_left += n;
        for (uint32_t i = 0, l = 0; i < N_REPORTS; i++) {
            bool is_left = l < n && left[l] == i;
            int64_t at_ns = due_at_ns(&due, reports[i].end_ns);
            expect(plain_put(plain, n_lanes, &reports[i], at_ns, now_ns) == !is_left, "put", step);
            l += is_left;
        }
        assert_counts(&due, plain, step, now_ns);
        uint32_t server = (uint32_t)(step % N_SERVERS);
        assert_times(&due, plain, step, server, now_ns);
        expect(due_rests(&due)[server << DUE_REST_SHIFT] == plain->load[server], "rest", step);
    }
    ck_assert_uint_gt(n_left, 0);
    ck_assert_uint_lt(n_left, N_STEPS * N_REPORTS);
    due_release(&due);
    mem_free(plain);
}

// Crowded lanes and free ones, and time that runs past many bases.
START_TEST(as_plain_times)
{
    for (int k = 0; due_kernels[k]; k++)
        for (uint32_t n_planes = 1; due_kernels[k]->supported() && n_planes <= DUE_MOST_PLANES;
             n_planes++) {
            assert_walk(due_kernels[k], n_planes, 300000, 0);
            assert_walk(due_kernels[k], n_planes, 3000000, 0);
            assert_walk(due_kernels[k], n_planes, 300000, 77777);
        }
}
END_TEST

// When the balancer hears: at the end of a period, and a delay later.
START_TEST(by_period)
{
    struct due due = {.status_delay_ns = 7};
    ck_assert_int_eq(due_at_ns(&due, 1001), 1008);
    due.report_period_ns = 100;
    ck_assert_int_eq(due_at_ns(&due, 1000), 1007);
    ck_assert_int_eq(due_at_ns(&due, 1001), 1107);
}
END_TEST

// A time at the very end of a base's reach is a lane, the next one is not; a second later it is.
START_TEST(reach)
{
    for (int k = 0; due_kernels[k]; k++) {
        if (!due_kernels[k]->supported())
            continue;
        struct due due;
        due_init(&due, 1, 0, 0, true);
        due.kernel = due_kernels[k];
        struct completion reports[] = {{INT32_MAX, 1, 0, 0}, {INT64_C(1) << 31, 1, 0, 0}};
        int64_t base_ns = INT64_C(1) << DUE_BASE_SHIFT, times_ns[DUE_MOST_LANES];
        uint32_t left[2];
        ck_assert_uint_eq(due.kernel->put(&due, reports, 2, base_ns - 1, left), 1);
        ck_assert_uint_eq(left[0], 1);
        ck_assert_uint_eq(due.kernel->put(&due, reports + 1, 1, base_ns, left), 0);
        ck_assert_uint_eq(due_times(&due, 0, base_ns, times_ns), 2);
        ck_assert_int_eq(times_ns[0], INT32_MAX);
        ck_assert_int_eq(times_ns[1], INT64_C(1) << 31);
        due_release(&due);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", as_plain_times}, {"core", by_period}, {"limits", reach}};
    return suite_run("due", tests, sizeof tests / sizeof *tests);
}
