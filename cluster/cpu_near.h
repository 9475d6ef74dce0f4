// SPDX-License-Identifier: Apache-2.0
// cpu_near: the loops of a cpu kernel over near lanes, written once, compiled once per instruction
// set.
//
// Included by cpu_loop.h only. Who includes that defines before:
//
//   static inline uint64_t near_idle(const uint32_t *lanes, uint32_t n_vec, uint32_t at);
//       bit i set: lane i is free at `at` (n_vec lines of 16 lanes, at most 4)
//   static inline void near_take(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
//                                uint32_t full_end, uint32_t last_end);
//       the lowest n >= 1 idle lanes: full_end for the first n - 1, last_end for the n-th
//   static inline uint32_t near_spread(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
//                                      uint32_t at, const uint32_t *ns);
//       the lowest n idle lanes, n may be 0: at + ns[0], at + ns[1] and so on; 16 more of ns can be
//       read; returns the longest of them, 0 when n is 0
//   struct near_held; static inline near_hold(held, lanes, n_vec), near_drop(held, lanes, n_vec);
//   static inline uint64_t near_mins(held, n_vec, uint32_t *min);
//   static inline void near_put(held, n_vec, uint32_t lane, uint32_t end);
//       as lanes_held and held_... of cpu_loop.h
//
// and afterwards uses kernel_fixed, kernel_busy and kernel_idle as its functions. Lanes and `at`
// count from the server's base, see cpu.h.
#ifndef CLUSTER_CPU_NEAR_H
#define CLUSTER_CPU_NEAR_H

// Where the base must move first: now is before it, when no core is idle, or too far after it.
static __attribute__((noinline)) uint64_t near_far_idle(const struct cpu_pool *pool,
                                                        const struct cpu_job *job, uint32_t n_vec)
{
    if (job->start_ns < cpu_pool_server(pool, job->server)->base_ns)
        return 0;
    cpu_pool_rebase(pool, job->server, job->start_ns);
    return near_idle(cpu_pool_near(pool, job->server), n_vec, 0);
}

// Idle cores as the job comes; *at: when that is.
SIMD_INLINE uint64_t near_arrive(const struct cpu_pool *pool, const struct cpu_job *job,
                                 uint32_t n_vec, uint32_t *at)
{
    uint64_t after_ns = (uint64_t)(job->start_ns - cpu_pool_server(pool, job->server)->base_ns);
    *at = (uint32_t)after_ns;
    if (__builtin_expect(after_ns <= (uint64_t)CPU_NEAR_NS, 1))
        return near_idle(cpu_pool_near(pool, job->server), n_vec, *at);
    *at = 0;
    return near_far_idle(pool, job, n_vec);
}

// Requests that wait, from number r on, one by one to the core that is free first.
SIMD_INLINE void near_queue(const struct cpu_pool *pool, const struct cpu_job *job, uint32_t n_vec,
                            bool busy_times, bool with_ends, struct loop_sum *sum)
{
    uint32_t *lanes = cpu_pool_near(pool, job->server);
    int64_t base_ns = cpu_pool_server(pool, job->server)->base_ns;
    struct near_held held;
    near_hold(&held, lanes, n_vec);
    for (; sum->r < job->n_requests; sum->r++) {
        uint32_t begin;
        uint64_t mins = near_mins(&held, n_vec, &begin);
        if (__builtin_expect(begin > CPU_NEAR_NS, 0)) {
            near_drop(&held, lanes, n_vec);
            base_ns += begin;
            cpu_pool_rebase(pool, job->server, base_ns);
            near_hold(&held, lanes, n_vec);
            begin = 0;
        }
        bool last = sum->r + 1 == job->n_requests;
        uint32_t ns = (uint32_t)(last ? job->last_ns : job->full_ns);
        if (busy_times) {
            uint32_t busy = pool->n_cores - (uint32_t)__builtin_popcountll(mins) + 1;
            uint32_t items =
                last ? job->tab->split[job->size_items].last_items : job->tab->batch_items;
            ns = svctab_near(job->tab, items)[busy - 1];
            sum->busy_ns += ns;
        }
        near_put(&held, n_vec, (uint32_t)__builtin_ctzll(mins), begin + ns);
        int64_t end_ns = base_ns + begin + ns;
        if (end_ns > sum->finish_ns) {
            sum->finish_ns = end_ns;
            sum->wait_ns = base_ns + begin - job->start_ns;
        }
        if (with_ends)
            emit_end(pool, job->server, end_ns, 1);
    }
    near_drop(&held, lanes, n_vec);
}

// Times that do not depend on busy cores. Fewer idle cores than requests: those take full requests
// at once, the rest queue.
SIMD_INLINE void near_fixed(const struct cpu_pool *pool, const struct cpu_job *job, uint32_t n_vec,
                            uint64_t idle, uint32_t at, bool with_ends, struct loop_sum *sum)
{
    uint32_t *lanes = cpu_pool_near(pool, job->server), n = job->n_requests;
    uint32_t full_ns = (uint32_t)job->full_ns, last_ns = (uint32_t)job->last_ns;
    uint32_t n_idle = (uint32_t)__builtin_popcountll(idle);
    sum->busy_ns = (n - 1) * job->full_ns + job->last_ns;
    int64_t full_end_ns = job->start_ns + job->full_ns, last_end_ns = job->start_ns + job->last_ns;
    if (__builtin_expect(n_idle < n, 0)) {
        if (n_idle) {
            sum->finish_ns = full_end_ns;
            near_take(lanes, n_vec, idle, n_idle, at + full_ns, at + full_ns);
            if (with_ends)
                emit_end(pool, job->server, full_end_ns, n_idle);
        }
        sum->r = n_idle;
        near_queue(pool, job, n_vec, false, with_ends, sum);
        return;
    }
    near_take(lanes, n_vec, idle, n, at + full_ns, at + last_ns);
    sum->finish_ns = n > 1 && full_end_ns > last_end_ns ? full_end_ns : last_end_ns;
    if (with_ends) {
        if (n > 1)
            emit_end(pool, job->server, full_end_ns, n - 1);
        emit_end(pool, job->server, last_end_ns, 1);
    }
}

// Requests that begin at once with one more core busy each.
SIMD_INLINE void near_emit(const struct cpu_pool *pool, const struct cpu_job *job, uint32_t n,
                           const uint32_t *ns)
{
    for (uint32_t r = 0; r < n; r++)
        emit_end(pool, job->server, job->start_ns + ns[r], 1);
}

// Times by busy cores. The full requests that begin at once take successive times of one row of
// the table; the last is by itself.
SIMD_INLINE void near_busy(const struct cpu_pool *pool, const struct cpu_job *job, uint32_t n_vec,
                           uint64_t idle, uint32_t at, bool with_ends, struct loop_sum *sum)
{
    const struct svctab *tab = job->tab;
    uint32_t *lanes = cpu_pool_near(pool, job->server), n = job->n_requests;
    uint32_t n_idle = (uint32_t)__builtin_popcountll(idle), n_busy = pool->n_cores - n_idle;
    bool queues = n_idle < n;
    uint32_t n_full = queues ? n_idle : n - 1;
    const uint32_t *full = svctab_near(tab, tab->batch_items) + n_busy;
    uint32_t longest = near_spread(lanes, n_vec, idle, n_full, at, full);
    sum->busy_ns = tab->near_sums[n_busy + n_full] - tab->near_sums[n_busy];
    if (with_ends)
        near_emit(pool, job, n_full, full);
    if (__builtin_expect(queues, 0)) {
        sum->finish_ns = n_full ? job->start_ns + longest : 0;
        sum->r = n_full;
        near_queue(pool, job, n_vec, true, with_ends, sum);
        return;
    }
    const uint32_t *last = svctab_near(tab, tab->split[job->size_items].last_items);
    uint32_t last_ns = last[n_busy + n_full];
    lanes[bits_nth(idle, n)] = at + last_ns;
    sum->busy_ns += last_ns;
    longest = last_ns > longest ? last_ns : longest;
    sum->finish_ns = job->start_ns + longest;
    if (with_ends)
        near_emit(pool, job, 1, &last_ns);
}

SIMD_INLINE void near_loop(const struct cpu_pool *pool, struct cpu_job *jobs, size_t n,
                           uint32_t n_vec, bool busy_times, bool with_ends)
{
    for (size_t i = 0; i < n; i++) {
        struct cpu_job *job = &jobs[i];
        struct cpu_server *server = cpu_pool_server(pool, job->server);
        struct loop_sum sum = {0, 0, 0, 0};
        uint32_t at;
        if (i + PREFETCH_JOBS < n)
            prefetch_server(pool, jobs[i + PREFETCH_JOBS].server, n_vec);
        uint64_t idle = near_arrive(pool, job, n_vec, &at);
        if (busy_times)
            near_busy(pool, job, n_vec, idle, at, with_ends, &sum);
        else
            near_fixed(pool, job, n_vec, idle, at, with_ends, &sum);
        server->n_queries += 1;
        server->n_items += job->size_items;
        loop_done(server, job, &sum);
    }
}

SIMD_INLINE void near_kernel(const struct cpu_pool *pool, struct cpu_job *jobs, size_t n,
                             bool busy_times)
{
#define LOOP_CASE(v)                                                                               \
    case v:                                                                                        \
        if (pool->ends)                                                                            \
            near_loop(pool, jobs, n, v, busy_times, true);                                         \
        else                                                                                       \
            near_loop(pool, jobs, n, v, busy_times, false);                                        \
        break;
    switch (pool->n_lanes / 16) {
        LOOP_CASE(1)
        LOOP_CASE(2)
        LOOP_CASE(3)
        LOOP_CASE(4)
    default:
        break;
    }
#undef LOOP_CASE
}

// One job, if all of it can begin as it comes.
SIMD_INLINE bool near_try(const struct cpu_pool *pool, struct cpu_job *job, uint32_t n_vec)
{
    struct cpu_server *server = cpu_pool_server(pool, job->server);
    struct loop_sum sum = {0, 0, 0, 0};
    uint32_t at;
    uint64_t idle = near_arrive(pool, job, n_vec, &at);
    if ((uint32_t)__builtin_popcountll(idle) < job->n_requests)
        return false;
    if (job->tab->near_ns)
        near_busy(pool, job, n_vec, idle, at, false, &sum);
    else
        near_fixed(pool, job, n_vec, idle, at, false, &sum);
    loop_done(server, job, &sum);
    return true;
}

static bool kernel_idle(const struct cpu_pool *pool, struct cpu_job *job)
{
    switch (pool->n_lanes / 16) {
    case 1:
        return near_try(pool, job, 1);
    case 2:
        return near_try(pool, job, 2);
    case 3:
        return near_try(pool, job, 3);
    default:
        return near_try(pool, job, 4);
    }
}

SIMD_INLINE struct cpu_pick near_pick(const struct cpu_pool *pool, uint32_t server, int64_t t_ns,
                                      uint32_t n_vec)
{
    uint32_t *lanes = cpu_pool_near(pool, server);
    int64_t base_ns = cpu_pool_server(pool, server)->base_ns, begin_ns = t_ns;
    uint64_t free = 0;
    if (t_ns - base_ns >= CPU_NEAR_NO_CORE)
        free = UINT64_MAX >> (64 - pool->n_cores);
    else if (t_ns >= base_ns)
        free = near_idle(lanes, n_vec, (uint32_t)(t_ns - base_ns));
    if (!free) {
        struct near_held held;
        uint32_t least;
        near_hold(&held, lanes, n_vec);
        free = near_mins(&held, n_vec, &least);
        begin_ns = base_ns + least;
    }
    return (struct cpu_pick){begin_ns, (uint32_t)__builtin_ctzll(free),
                             pool->n_cores - (uint32_t)__builtin_popcountll(free) + 1};
}

static struct cpu_pick pick_near(const struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    switch (pool->n_lanes / 16) {
    case 1:
        return near_pick(pool, server, t_ns, 1);
    case 2:
        return near_pick(pool, server, t_ns, 2);
    case 3:
        return near_pick(pool, server, t_ns, 3);
    default:
        return near_pick(pool, server, t_ns, 4);
    }
}

static void kernel_fixed(struct cpu_pool *pool, struct cpu_job *jobs, size_t n)
{
    near_kernel(pool, jobs, n, false);
}

static void kernel_busy(struct cpu_pool *pool, struct cpu_job *jobs, size_t n)
{
    near_kernel(pool, jobs, n, true);
}

#endif
