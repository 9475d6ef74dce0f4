// SPDX-License-Identifier: Apache-2.0
#include "cluster/cpu.h"

#include "base/mem.h"
#include "base/simd.h"

enum { LINE_BYTES = 64 };

const struct cpu_kernel *const cpu_kernels[] = {
#if defined(__x86_64__)
    &cpu_avx512, &cpu_avx2,
#endif
    &cpu_portable, NULL};

const struct cpu_kernel *cpu_kernel_best(void)
{
    int i = 0;
    while (!cpu_kernels[i]->supported())
        i++;
    return cpu_kernels[i];
}

// Bytes of a lane, and of one with all that is kept beside it.
static const size_t lane_bytes[] = {
    [CPU_LANES_NEAR] = sizeof(uint32_t),
    [CPU_LANES_FAR] = sizeof(int64_t),
    [CPU_LANES_WARM] = sizeof(int64_t),
};
static const size_t core_bytes[] = {
    [CPU_LANES_NEAR] = sizeof(uint32_t),
    [CPU_LANES_FAR] = sizeof(int64_t),
    [CPU_LANES_WARM] = sizeof(int64_t) + sizeof(double),
};

void cpu_pool_init(struct cpu_pool *pool, enum cpu_lanes lanes, uint32_t n_servers,
                   uint32_t n_cores)
{
    uint32_t per_line = (uint32_t)(LINE_BYTES / lane_bytes[lanes]);
    *pool = (struct cpu_pool){.lanes = lanes, .n_servers = n_servers, .n_cores = n_cores};
    pool->n_lanes = (n_cores + per_line - 1) / per_line * per_line;
    pool->stride = sizeof(struct cpu_server) + pool->n_lanes * core_bytes[lanes];
    pool->servers = mem_huge(n_servers * pool->stride);
    for (uint32_t s = 0; s < n_servers; s++)
        for (uint32_t lane = n_cores; lane < pool->n_lanes; lane++)
            if (lanes == CPU_LANES_NEAR)
                cpu_pool_near(pool, s)[lane] = CPU_NEAR_NO_CORE;
            else
                cpu_pool_far(pool, s)[lane] = CPU_NO_CORE;
}

void cpu_pool_release(struct cpu_pool *pool)
{
    mem_free(pool->servers);
    pool->servers = NULL;
}

void cpu_pool_rebase(const struct cpu_pool *pool, uint32_t server, int64_t to_ns)
{
    uint32_t *near = cpu_pool_near(pool, server);
    int64_t *base_ns = &cpu_pool_server(pool, server)->base_ns, by_ns = to_ns - *base_ns;
    for (uint32_t i = 0; i < pool->n_cores; i++)
        near[i] = near[i] > by_ns ? near[i] - (uint32_t)by_ns : 0;
    *base_ns = to_ns;
}

void cpu_pool_take(const struct cpu_pool *pool, uint32_t server, const struct cpu_pick *pick,
                   int64_t end_ns)
{
    const struct cpu_server *counters = cpu_pool_server(pool, server);
    if (pool->lanes != CPU_LANES_NEAR) {
        cpu_pool_far(pool, server)[pick->core] = end_ns;
        return;
    }
    if (pick->begin_ns - counters->base_ns > CPU_NEAR_NS)
        cpu_pool_rebase(pool, server, pick->begin_ns);
    cpu_pool_near(pool, server)[pick->core] = (uint32_t)(end_ns - counters->base_ns);
}

// t_ns after the base, or what is nearest to it in a lane.
static uint32_t near_at(int64_t base_ns, int64_t t_ns)
{
    if (t_ns <= base_ns)
        return 0;
    return t_ns - base_ns < CPU_NEAR_NO_CORE ? (uint32_t)(t_ns - base_ns) : CPU_NEAR_NO_CORE;
}

// Sum of what is left after t_ns, and the first lane; near ones from a base that may be after t_ns.
SIMD_CLONES
static int64_t near_backlog_ns(const uint32_t *near, uint32_t n, int64_t base_ns, int64_t t_ns,
                               int64_t *first_ns)
{
    int64_t sum_ns = 0;
    uint32_t first = CPU_NEAR_NO_CORE, at = near_at(base_ns, t_ns);
    int64_t late_ns = base_ns > t_ns ? base_ns - t_ns : 0;
    for (uint32_t i = 0; i < n; i++) {
        sum_ns += near[i] > at ? near[i] - at : 0;
        first = near[i] < first ? near[i] : first;
    }
    *first_ns = base_ns + first;
    return sum_ns + n * late_ns;
}

SIMD_CLONES
static int64_t far_backlog_ns(const int64_t *lanes, uint32_t n, int64_t t_ns, int64_t *first_ns)
{
    int64_t sum_ns = 0;
    *first_ns = CPU_NO_CORE;
    for (uint32_t i = 0; i < n; i++) {
        sum_ns += lanes[i] > t_ns ? lanes[i] - t_ns : 0;
        *first_ns = lanes[i] < *first_ns ? lanes[i] : *first_ns;
    }
    return sum_ns;
}

int64_t cpu_pool_backlog_ns(const struct cpu_pool *pool, uint32_t server, int64_t t_ns,
                            int64_t *drain_ns)
{
    int64_t first_ns, backlog_ns;
    if (pool->lanes == CPU_LANES_NEAR)
        backlog_ns = near_backlog_ns(cpu_pool_near(pool, server), pool->n_cores,
                                     cpu_pool_server(pool, server)->base_ns, t_ns, &first_ns);
    else
        backlog_ns = far_backlog_ns(cpu_pool_far(pool, server), pool->n_cores, t_ns, &first_ns);
    *drain_ns = first_ns > t_ns ? first_ns - t_ns : 0;
    return backlog_ns;
}

static void cut_near(const struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    uint32_t *near = cpu_pool_near(pool, server);
    int64_t *base_ns = &cpu_pool_server(pool, server)->base_ns;
    uint32_t at = near_at(*base_ns, t_ns);
    for (uint32_t i = 0; i < pool->n_cores; i++)
        near[i] = near[i] > at ? at : near[i];
    *base_ns = *base_ns > t_ns ? t_ns : *base_ns;
}

static void cut_far(const struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    int64_t *lanes = cpu_pool_far(pool, server);
    for (uint32_t i = 0; i < pool->n_cores; i++) {
        lanes[i] = lanes[i] > t_ns ? t_ns : lanes[i];
        if (pool->lanes == CPU_LANES_WARM)
            cpu_pool_warmth(pool, server)[i] = 0;
    }
}

int64_t cpu_pool_cut(struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    int64_t drain_ns, cut_ns = cpu_pool_backlog_ns(pool, server, t_ns, &drain_ns);
    (pool->lanes == CPU_LANES_NEAR ? cut_near : cut_far)(pool, server, t_ns);
    return cut_ns;
}

// ---- as bytes -----------------------------------------------------------------------------------

size_t cpu_pool_bytes(const struct cpu_pool *pool)
{
    size_t per_core = sizeof(int64_t) + (pool->lanes == CPU_LANES_WARM ? sizeof(double) : 0);
    return sizeof(struct cpu_server) + pool->n_cores * per_core;
}

void cpu_pool_save(const struct cpu_pool *pool, uint32_t server, struct blob *blob)
{
    blob_put(blob, cpu_pool_server(pool, server), sizeof(struct cpu_server));
    for (uint32_t i = 0; i < pool->n_cores; i++)
        blob_put_i64(blob, cpu_pool_free_ns(pool, server, i));
    if (pool->lanes == CPU_LANES_WARM)
        blob_put(blob, cpu_pool_warmth(pool, server), pool->n_cores * sizeof(double));
}

void cpu_pool_load(struct cpu_pool *pool, uint32_t server, struct blob_reader *reader)
{
    struct cpu_server *counters = cpu_pool_server(pool, server);
    blob_get(reader, counters, sizeof *counters);
    if (counters->base_ns < 0)
        blob_refuse(reader);
    for (uint32_t i = 0; i < pool->n_cores; i++) {
        int64_t after_ns, free_ns = blob_get_i64(reader);
        if (pool->lanes != CPU_LANES_NEAR) {
            cpu_pool_far(pool, server)[i] = free_ns;
            continue;
        }
        if (__builtin_sub_overflow(free_ns, counters->base_ns, &after_ns) || after_ns < 0 ||
            after_ns >= CPU_NEAR_NO_CORE) {
            blob_refuse(reader);
            return;
        }
        cpu_pool_near(pool, server)[i] = (uint32_t)after_ns;
    }
    if (pool->lanes == CPU_LANES_WARM)
        blob_get(reader, cpu_pool_warmth(pool, server), pool->n_cores * sizeof(double));
}
