// SPDX-License-Identifier: Apache-2.0
// due: when the reports of a balancer's servers are due, as lanes of times.
//
// A policy that compares a few servers per query needs to know, of each, how many of its reports
// are still under way. So every server has lanes, 32 bits each, one for each unit of load that was
// reported and is not received yet. Nothing happens when a report comes in: a lane whose time is
// past no longer counts and is free for another. That takes a vector compare and a count of bits
// per server compared, and a masked store per report; no order is kept and no list is walked.
//
// Lanes are in planes, 16 places per server in each, which are one cache line. There is one plane
// at first; more are added when too many reports find no free lane (view.h). In the first plane 13
// places are lanes; the other three are the server's base and its rest:
//
//   base  lanes are nanoseconds after base * 2^24 ns, so their 31 bits reach 2.13 s ahead of now at
//         least; a report that needs it moves the base up, and times in the past stop at the base
//   rest  the part of the server's load that is in no lane (view.h counts in it)
//
// A report that finds too few free lanes, or is due beyond that reach, is left to the caller.
//
// Kernels for different instruction sets are descriptors in due_kernels[]; all give the same bits,
// a test holds them to it.
#ifndef CLUSTER_DUE_H
#define CLUSTER_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/completions.h"
#include "traces/query.h"

enum {
    DUE_LINE = 16,        // 32-bit places of a server in a plane
    DUE_FIRST_LANES = 13, // of them lanes in the first plane
    DUE_BASE = 13,        // place of the base, in units of 2^DUE_BASE_SHIFT ns, unsigned
    DUE_REST = 7,         // place of the rest, in 64-bit words
    DUE_REST_SHIFT = 3,   // from one rest to the next: 2^3 of them
    DUE_BASE_SHIFT = 24,
    DUE_MOST_PLANES = 4,
    DUE_MOST_LANES = DUE_FIRST_LANES + (DUE_MOST_PLANES - 1) * DUE_LINE,
};

struct due_kernel;

struct due {
    const struct due_kernel *kernel;
    int32_t *planes[DUE_MOST_PLANES]; // [n_servers * DUE_LINE]
    uint32_t n_planes, n_servers;
    int64_t status_delay_ns, report_period_ns; // as in view.h
};

struct due_kernel {
    const char *name;
    bool (*supported)(void);
    // counts[k]: how many lanes of servers[k] are under way when query k / d arrives, for n queries
    // that compare d servers each.
    void (*count)(const struct due *due, const struct query *queries, size_t n,
                  const uint32_t *servers, uint32_t d, uint8_t *counts);
    // Moves n reports, all due after now_ns, from the rest into lanes. Returns how many could not
    // be moved, and which: their numbers in left[n].
    size_t (*put)(struct due *due, const struct completion *reports, size_t n, int64_t now_ns,
                  uint32_t *left);
};

extern const struct due_kernel *const due_kernels[]; // best first, NULL-terminated

// With lanes: one plane, all free, and the best kernel that this machine supports. `due` owns its
// planes until due_release().
void due_init(struct due *due, uint32_t n_servers, int64_t status_delay_ns,
              int64_t report_period_ns, bool in_lanes);
void due_release(struct due *due);
// Another plane, at most DUE_MOST_PLANES.
void due_grow(struct due *due);

// The rest of server s is [s << DUE_REST_SHIFT] of these.
static inline int64_t *due_rests(const struct due *due)
{
    return (int64_t *)(void *)due->planes[0] + DUE_REST;
}

// The times after now_ns in the lanes of a server, ascending; returns how many.
size_t due_times(const struct due *due, uint32_t server, int64_t now_ns,
                 int64_t times_ns[DUE_MOST_LANES]);

// For kernels: moves the server's base as far up as now_ns allows; false when it is there already.
bool due_rebase(struct due *due, uint32_t server, int64_t now_ns);

// When the balancer receives the report of what ends at end_ns.
static inline int64_t due_at_ns(const struct due *due, int64_t end_ns)
{
    int64_t period_ns = due->report_period_ns;
    if (period_ns > 0)
        end_ns = (end_ns + period_ns - 1) / period_ns * period_ns;
    return end_ns + due->status_delay_ns;
}

static inline int32_t *due_line(const struct due *due, uint32_t plane, uint32_t server)
{
    return due->planes[plane] + (size_t)server * DUE_LINE;
}

static inline int64_t due_base_ns(const int32_t *first_line)
{
    return (int64_t)(uint32_t)first_line[DUE_BASE] << DUE_BASE_SHIFT;
}

// t_ns, not before the base, in the unit of lanes. All lanes are past at the latest time there is.
static inline int32_t due_offset_ns(const int32_t *first_line, int64_t t_ns)
{
    int64_t ns = t_ns - due_base_ns(first_line);
    return ns < INT32_MAX ? (int32_t)ns : INT32_MAX;
}

extern const struct due_kernel due_portable, due_avx2, due_avx512;

#endif
