// SPDX-License-Identifier: Apache-2.0
// cpu_loop: the loops of a cpu kernel over far and warm lanes, written once, compiled once per
// instruction set.
//
// Included by cpu_portable.c, cpu_avx2.c and cpu_avx512.c only, each of which defines before:
//
//   static inline uint64_t lanes_idle(const int64_t *lanes, uint32_t n_vec, int64_t t_ns);
//       bit i set: lane i is free at t_ns (n_vec vectors of 8 lanes, at most 8)
//   struct lanes_held; static inline lanes_hold(held, lanes, n_vec), lanes_drop(held, lanes, n_vec)
//       the lanes of one server held at hand while requests queue for them, and put back: in
//       registers where there are enough, since a vector read of a line that was just written by
//       the word waits for the write
//   static inline uint64_t held_mins(held, n_vec, int64_t *min_ns);
//       bit i set: lane i has the smallest time of all
//   static inline void held_put(held, n_vec, uint32_t lane, int64_t end_ns);
//
// and afterwards uses kernel_general, kernel_cold and kernel_pick as its functions, and those of
// cpu_near.h, which is included here. These are exact integer operations, or basic IEEE ones, in a
// fixed order, so every instruction set gives the same bits.
#ifndef CLUSTER_CPU_LOOP_H
#define CLUSTER_CPU_LOOP_H

#include "base/bits.h"
#include "base/rng.h"
#include "base/simd.h"
#include "cluster/cpu.h"

// Far enough ahead that a server's lines are there in time, near enough that they are still there.
enum { PREFETCH_JOBS = 12 };

// The counters and the lines after them.
SIMD_INLINE void prefetch_server(const struct cpu_pool *pool, uint32_t server, uint32_t n_lines)
{
    const unsigned char *line = pool->servers + server * pool->stride;
    for (uint32_t i = 0; i <= n_lines; i++)
        __builtin_prefetch(line + 64 * i, 1);
}

SIMD_INLINE void emit_end(const struct cpu_pool *pool, uint32_t server, int64_t end_ns,
                          int64_t weight)
{
    struct cpu_ends *ends = pool->ends;
    ends->completions[ends->n++] =
        (struct completion){end_ns, weight, pool->first_server + server, 0};
}

static struct cpu_pick pick_wide(const int64_t *lanes, uint32_t n_cores, int64_t t_ns)
{
    struct cpu_pick pick = {CPU_NO_CORE, 0, 1};
    for (uint32_t i = 0; i < n_cores; i++) {
        int64_t begin_ns = lanes[i] > t_ns ? lanes[i] : t_ns;
        if (begin_ns < pick.begin_ns) {
            pick.begin_ns = begin_ns;
            pick.core = i;
        }
    }
    for (uint32_t i = 0; i < n_cores; i++)
        pick.busy += lanes[i] > pick.begin_ns;
    return pick;
}

// e^(-t / time), 0 long after: rng_exp() is for what a double can hold.
SIMD_INLINE double decay(int64_t t_ns, double per_ns)
{
    double x = (double)t_ns * per_ns;
    return x < 700 ? rng_exp(-x) : 0;
}

// Service time on a core that has been idle for idle_ns, and its warmth afterwards: the equations
// of models/cost.h with warmth = 1 - c.
SIMD_INLINE int64_t cold_ns(const struct svctab *tab, double *warmth, int64_t idle_ns,
                            int64_t service_ns)
{
    if (tab->cold_extra == 0) // this service neither feels the cold nor warms
        return service_ns;
    double coldness = 1 - (idle_ns > 0 ? *warmth * decay(idle_ns, tab->cooling_per_ns) : *warmth);
    *warmth = 1 - coldness * decay(service_ns, tab->warming_per_ns);
    return (int64_t)((double)service_ns * (1 + tab->cold_extra * coldness) + 0.5);
}

// What a query has come to so far, request by request.
struct loop_sum {
    int64_t busy_ns, finish_ns, wait_ns;
    uint32_t r; // requests assigned
};

// All requests of a job are assigned.
SIMD_INLINE void loop_done(struct cpu_server *server, struct cpu_job *job,
                           const struct loop_sum *sum)
{
    server->n_requests += job->n_requests;
    server->cpu_busy_ns += sum->busy_ns;
    job->finish_ns = sum->finish_ns;
    job->wait_ns = sum->wait_ns;
}

// With noise on request r. Not inlined, and the server's state is asked for again by each request
// of a query: what loops kept for this would cost those without noise.
static __attribute__((noinline)) int64_t
noisy_ns(const struct cpu_pool *pool, const struct cpu_job *job, int64_t service_ns, uint32_t r)
{
    double state = noise_state(pool->noise, job->server, job->start_ns);
    return noise_apply(pool->noise, service_ns, state, pool->queries[job->query].seq, r);
}

// The next request's service time on lane `lane`, which has been idle for idle_ns.
SIMD_INLINE int64_t varied_ns(const struct cpu_pool *pool, const struct cpu_job *job,
                              const struct loop_sum *sum, uint32_t lane, uint32_t busy,
                              int64_t idle_ns, bool cold)
{
    const struct svctab *tab = job->tab;
    bool last = sum->r + 1 == job->n_requests;
    uint32_t items = last ? tab->split[job->size_items].last_items : tab->batch_items;
    int64_t service_ns = svctab_cpu_ns(tab, items, busy);
    if (cold && tab->history)
        service_ns +=
            svctab_history_cpu_ns(tab, items, pool->queries[job->query].history_items, busy);
    if (cold)
        service_ns = cold_ns(tab, &cpu_pool_warmth(pool, job->server)[lane], idle_ns, service_ns);
    if (pool->noise)
        service_ns = noisy_ns(pool, job, service_ns, sum->r);
    return service_ns;
}

SIMD_INLINE void varied_add(const struct cpu_pool *pool, const struct cpu_job *job,
                            struct loop_sum *sum, int64_t begin_ns, int64_t service_ns)
{
    int64_t end_ns = begin_ns + service_ns;
    sum->busy_ns += service_ns;
    if (end_ns > sum->finish_ns || sum->r == 0) {
        sum->finish_ns = end_ns;
        sum->wait_ns = begin_ns - job->start_ns;
    }
    if (pool->ends)
        emit_end(pool, job->server, end_ns, 1);
    sum->r++;
}

// At most 64 cores: first the idle ones, lowest first, then whichever is free first.
SIMD_INLINE void varied_narrow(const struct cpu_pool *pool, const struct cpu_job *job,
                               uint32_t n_vec, bool cold, struct loop_sum *sum)
{
    int64_t *lanes = cpu_pool_far(pool, job->server), t_ns = job->start_ns;
    uint64_t idle = lanes_idle(lanes, n_vec, t_ns);
    uint32_t n_busy = pool->n_cores - (uint32_t)__builtin_popcountll(idle);
    while (sum->r < job->n_requests && idle) {
        uint32_t lane = (uint32_t)__builtin_ctzll(idle);
        int64_t service_ns =
            varied_ns(pool, job, sum, lane, n_busy + 1, cold ? t_ns - lanes[lane] : 0, cold);
        lanes[lane] = t_ns + service_ns;
        n_busy += service_ns > 0;
        idle &= service_ns > 0 ? idle - 1 : idle; // done in no time: idle still
        varied_add(pool, job, sum, t_ns, service_ns);
    }
    if (sum->r == job->n_requests)
        return;
    struct lanes_held held;
    lanes_hold(&held, lanes, n_vec);
    while (sum->r < job->n_requests) {
        int64_t begin_ns;
        uint64_t mins = held_mins(&held, n_vec, &begin_ns);
        uint32_t lane = (uint32_t)__builtin_ctzll(mins);
        uint32_t busy = pool->n_cores - (uint32_t)__builtin_popcountll(mins) + 1;
        int64_t service_ns = varied_ns(pool, job, sum, lane, busy, 0, cold);
        held_put(&held, n_vec, lane, begin_ns + service_ns);
        varied_add(pool, job, sum, begin_ns, service_ns);
    }
    lanes_drop(&held, lanes, n_vec);
}

static void varied_wide(const struct cpu_pool *pool, const struct cpu_job *job, bool cold,
                        struct loop_sum *sum)
{
    int64_t *lanes = cpu_pool_far(pool, job->server);
    while (sum->r < job->n_requests) {
        struct cpu_pick pick = pick_wide(lanes, pool->n_cores, job->start_ns);
        int64_t idle_ns = pick.begin_ns - lanes[pick.core];
        int64_t service_ns = varied_ns(pool, job, sum, pick.core, pick.busy, idle_ns, cold);
        lanes[pick.core] = pick.begin_ns + service_ns;
        varied_add(pool, job, sum, pick.begin_ns, service_ns);
    }
}

// n_vec 0: more than 64 cores.
SIMD_INLINE void varied_loop(const struct cpu_pool *pool, struct cpu_job *jobs, size_t n,
                             uint32_t n_vec, bool cold)
{
    uint32_t n_lines = pool->n_lanes / 8 * (cold ? 2 : 1);
    for (size_t i = 0; i < n; i++) {
        struct cpu_job *job = &jobs[i];
        struct cpu_server *server = cpu_pool_server(pool, job->server);
        struct loop_sum sum = {0, 0, 0, 0};
        if (i + PREFETCH_JOBS < n)
            prefetch_server(pool, jobs[i + PREFETCH_JOBS].server, n_lines);
        if (n_vec > 0)
            varied_narrow(pool, job, n_vec, cold, &sum);
        else
            varied_wide(pool, job, cold, &sum);
        server->n_queries += 1;
        server->n_items += job->size_items;
        loop_done(server, job, &sum);
    }
}

// The number of vectors as a constant lets the compiler keep the lanes in registers.
SIMD_INLINE void varied_kernel(const struct cpu_pool *pool, struct cpu_job *jobs, size_t n,
                               bool cold)
{
    switch (pool->n_cores <= CPU_NARROW_CORES ? pool->n_lanes / 8 : 0) {
#define LOOP_CASE(v)                                                                               \
    case v:                                                                                        \
        varied_loop(pool, jobs, n, v, cold);                                                       \
        break;
        LOOP_CASE(1)
        LOOP_CASE(2)
        LOOP_CASE(3)
        LOOP_CASE(4)
        LOOP_CASE(5)
        LOOP_CASE(6)
        LOOP_CASE(7)
        LOOP_CASE(8)
#undef LOOP_CASE
    default:
        varied_loop(pool, jobs, n, 0, cold);
    }
}

static void kernel_general(struct cpu_pool *pool, struct cpu_job *jobs, size_t n)
{
    varied_kernel(pool, jobs, n, false);
}

static void kernel_cold(struct cpu_pool *pool, struct cpu_job *jobs, size_t n)
{
    varied_kernel(pool, jobs, n, true);
}

static struct cpu_pick pick_far(const struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    int64_t *lanes = cpu_pool_far(pool, server), begin_ns = t_ns;
    uint32_t n_vec = pool->n_lanes / 8;
    if (pool->n_cores > CPU_NARROW_CORES)
        return pick_wide(lanes, pool->n_cores, t_ns);
    if (n_vec == 0)
        __builtin_unreachable();
    uint64_t free = lanes_idle(lanes, n_vec, t_ns);
    if (!free) {
        struct lanes_held held;
        lanes_hold(&held, lanes, n_vec);
        free = held_mins(&held, n_vec, &begin_ns);
    }
    return (struct cpu_pick){begin_ns, (uint32_t)__builtin_ctzll(free),
                             pool->n_cores - (uint32_t)__builtin_popcountll(free) + 1};
}

#include "cluster/cpu_near.h"

static struct cpu_pick kernel_pick(const struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    return (pool->lanes == CPU_LANES_NEAR ? pick_near : pick_far)(pool, server, t_ns);
}

#endif
