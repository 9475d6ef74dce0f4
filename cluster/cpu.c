// SPDX-License-Identifier: Apache-2.0
#include "cluster/cpu.h"

#include "base/mem.h"
#include "base/simd.h"

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

// A server's bytes without warmth.
static size_t plain_stride(const struct cpu_pool *pool)
{
    return sizeof(struct cpu_server) + pool->n_lanes * sizeof(int64_t);
}

static void init(struct cpu_pool *pool, uint32_t n_servers, uint32_t n_cores, size_t lane_bytes)
{
    *pool = (struct cpu_pool){.n_servers = n_servers, .n_cores = n_cores};
    pool->n_lanes = (n_cores + 7) / 8 * 8;
    pool->stride = sizeof(struct cpu_server) + pool->n_lanes * lane_bytes;
    pool->servers = mem_huge(n_servers * pool->stride);
    for (uint32_t s = 0; s < n_servers; s++)
        for (uint32_t lane = n_cores; lane < pool->n_lanes; lane++)
            cpu_pool_lanes(pool, s)[lane] = CPU_NO_CORE;
}

void cpu_pool_init(struct cpu_pool *pool, uint32_t n_servers, uint32_t n_cores)
{
    init(pool, n_servers, n_cores, sizeof(int64_t));
}

void cpu_pool_init_cold(struct cpu_pool *pool, uint32_t n_servers, uint32_t n_cores)
{
    init(pool, n_servers, n_cores, sizeof(int64_t) + sizeof(double));
}

void cpu_pool_release(struct cpu_pool *pool)
{
    mem_free(pool->servers);
    pool->servers = NULL;
}

SIMD_CLONES
int64_t cpu_pool_backlog_ns(const struct cpu_pool *pool, uint32_t server, int64_t t_ns,
                            int64_t *drain_ns)
{
    const int64_t *lanes = cpu_pool_lanes(pool, server);
    int64_t backlog_ns = 0, first_ns = CPU_NO_CORE;
    for (uint32_t i = 0; i < pool->n_cores; i++) {
        backlog_ns += lanes[i] > t_ns ? lanes[i] - t_ns : 0;
        first_ns = lanes[i] < first_ns ? lanes[i] : first_ns;
    }
    *drain_ns = first_ns > t_ns ? first_ns - t_ns : 0;
    return backlog_ns;
}

int64_t cpu_pool_cut(struct cpu_pool *pool, uint32_t server, int64_t t_ns)
{
    int64_t *lanes = cpu_pool_lanes(pool, server), cut_ns = 0;
    bool has_warmth = pool->stride > plain_stride(pool);
    for (uint32_t i = 0; i < pool->n_cores; i++) {
        cut_ns += lanes[i] > t_ns ? lanes[i] - t_ns : 0;
        lanes[i] = lanes[i] > t_ns ? t_ns : lanes[i];
        if (has_warmth)
            cpu_pool_warmth(pool, server)[i] = 0;
    }
    return cut_ns;
}
