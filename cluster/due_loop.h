// SPDX-License-Identifier: Apache-2.0
// due_loop: the loops of a kernel of lanes, written once, compiled once per instruction set.
//
// Included by due_portable.c, due_avx2.c and due_avx512.c only, each of which defines before:
//
//   static inline uint32_t line_after(const int32_t *line, int32_t t);
//       bit i set: place i of the 16 is greater than t
//
// and, where there is a better way than one lane after the other, DUE_OWN_LANES_SET and
//
//   static inline void lanes_set(int32_t *const *lines, uint32_t n_planes, uint64_t bits,
//                                int32_t value);
//       bit 16 * p + i: place i of line p
//
// and afterwards uses kernel_count and kernel_put as its functions.
#ifndef CLUSTER_DUE_LOOP_H
#define CLUSTER_DUE_LOOP_H

#include "base/bits.h"
#include "base/simd.h"
#include "cluster/due.h"

#ifndef DUE_OWN_LANES_SET
static inline void lanes_set(int32_t *const *lines, uint32_t n_planes, uint64_t bits, int32_t value)
{
    (void)n_planes;
    for (; bits; bits &= bits - 1) {
        uint32_t lane = (uint32_t)__builtin_ctzll(bits);
        lines[lane / DUE_LINE][lane % DUE_LINE] = value;
    }
}
#endif

// Far enough ahead that the lines are there in time. A query asks about two servers, mostly.
enum { PREFETCH_ASKED = 20, PREFETCH_REPORTS = 12 };

#define FIRST_MASK ((UINT32_C(1) << DUE_FIRST_LANES) - 1)

SIMD_INLINE void prefetch_lines(const struct due *due, uint32_t server, uint32_t n_planes)
{
    for (uint32_t p = 0; p < n_planes; p++)
        __builtin_prefetch(due_line(due, p, server), 1);
}

// Bit 16 * p + i set: lane i of plane p is later than t_ns.
SIMD_INLINE uint64_t lanes_after(const struct due *due, uint32_t server, uint32_t n_planes,
                                 int64_t t_ns)
{
    const int32_t *first = due_line(due, 0, server);
    int32_t t = due_offset_ns(first, t_ns);
    uint64_t after = line_after(first, t) & FIRST_MASK;
    for (uint32_t p = 1; p < n_planes; p++)
        after |= (uint64_t)line_after(due_line(due, p, server), t) << (DUE_LINE * p);
    return after;
}

SIMD_INLINE void count_loop(const struct due *due, const struct query *queries, size_t n,
                            const uint32_t *servers, uint32_t d, uint8_t *counts, uint32_t n_planes)
{
    size_t k = 0, n_asked = n * d;
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < d; j++, k++) {
            if (k + PREFETCH_ASKED < n_asked)
                prefetch_lines(due, servers[k + PREFETCH_ASKED], n_planes);
            uint64_t after = lanes_after(due, servers[k], n_planes, queries[i].arrive_ns);
            counts[k] = (uint8_t)__builtin_popcountll(after);
        }
}

// The reports from `at` on that are of one server; returns where the next one's begin. The lines
// are read once, before the first write: a read of what a masked store has just passed waits for
// it.
SIMD_INLINE size_t put_run(struct due *due, const struct completion *reports, size_t at, size_t n,
                           int64_t now_ns, uint32_t *left, size_t *n_left, uint32_t n_planes)
{
    const struct due delays = {.status_delay_ns = due->status_delay_ns,
                               .report_period_ns = due->report_period_ns};
    uint32_t server = reports[at].server;
    int32_t *lines[DUE_MOST_PLANES];
    for (uint32_t p = 0; p < n_planes; p++)
        lines[p] = due_line(due, p, server);
    uint64_t places = UINT64_MAX >> (64 - DUE_LINE * n_planes) & ~(UINT64_C(0xffff) ^ FIRST_MASK);
    uint64_t free = ~lanes_after(due, server, n_planes, now_ns) & places;
    int64_t *rest = due_rests(due) + ((size_t)server << DUE_REST_SHIFT), load = *rest;
    int64_t base_ns = due_base_ns(lines[0]);
    for (; at < n && reports[at].server == server; at++) {
        int64_t ns = due_at_ns(&delays, reports[at].end_ns) - base_ns;
        int64_t weight = reports[at].weight;
        bool fits = ns <= INT32_MAX && weight <= __builtin_popcountll(free);
        if (__builtin_expect(!fits, 0)) {
            if (ns > INT32_MAX && due_rebase(due, server, now_ns))
                break; // the same once more
            left[(*n_left)++] = (uint32_t)at;
            continue;
        }
        uint64_t bits = bits_lowest(free, (uint32_t)weight);
        lanes_set(lines, n_planes, bits, (int32_t)ns);
        free &= ~bits;
        load -= weight;
    }
    *rest = load;
    return at;
}

SIMD_INLINE size_t put_loop(struct due *due, const struct completion *reports, size_t n,
                            int64_t now_ns, uint32_t *left, uint32_t n_planes)
{
    size_t n_left = 0;
    for (size_t i = 0; i < n;) {
        if (i + PREFETCH_REPORTS < n)
            prefetch_lines(due, reports[i + PREFETCH_REPORTS].server, n_planes);
        i = put_run(due, reports, i, n, now_ns, left, &n_left, n_planes);
    }
    return n_left;
}

// The number of planes as a constant unrolls the loops over them.
static void kernel_count(const struct due *due, const struct query *queries, size_t n,
                         const uint32_t *servers, uint32_t d, uint8_t *counts)
{
    switch (due->n_planes) {
#define LOOP_CASE(planes)                                                                          \
    case planes:                                                                                   \
        count_loop(due, queries, n, servers, d, counts, planes);                                   \
        break;
        LOOP_CASE(1)
        LOOP_CASE(2)
        LOOP_CASE(3)
        LOOP_CASE(4)
#undef LOOP_CASE
    default:
        break;
    }
}

static size_t kernel_put(struct due *due, const struct completion *reports, size_t n,
                         int64_t now_ns, uint32_t *left)
{
    switch (due->n_planes) {
    case 1:
        return put_loop(due, reports, n, now_ns, left, 1);
    case 2:
        return put_loop(due, reports, n, now_ns, left, 2);
    case 3:
        return put_loop(due, reports, n, now_ns, left, 3);
    default:
        return put_loop(due, reports, n, now_ns, left, 4);
    }
}

#endif
