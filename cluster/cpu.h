// SPDX-License-Identifier: Apache-2.0
// cpu: the core pools of a block of equal servers.
//
// A FCFS pool of k cores needs no event list (Kiefer and Wolfowitz, 1955): it is the k times at
// which its cores become free. A request takes the idle core with the lowest number, or, when none
// is idle, the core that is free first (lowest number among equals) and starts then.
//
// The k times lie unordered, 64 bits each, padded to a multiple of 8 with CPU_NO_CORE; vector
// compares find idle cores and the minimum. Kernels for different instruction sets are descriptors
// in cpu_kernels[]; all give the same bits, a test holds them to it.
//
// Where idle cores go cold (models/cost.h), a pool keeps beside each time how warm its core is: 1
// less the coldness when its last request ended, so the zeros that a pool begins with mean cold.
//
// Memory of a server: 64 bytes of counters and 8 per core, contiguous; 16 per core with warmth.
#ifndef CLUSTER_CPU_H
#define CLUSTER_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/noise.h"
#include "cluster/svctab.h"
#include "cluster/view.h"
#include "traces/query.h"

#define CPU_NO_CORE INT64_MAX
#define CPU_NARROW_CORES 64u // up to here a mask of cores is one word

// Counters of one server since its last fold (server.h), one cache line.
struct cpu_server {
    uint64_t n_queries, n_requests, n_items;
    int64_t cpu_busy_ns;  // service times of the requests taken
    int64_t cpu_carry_ns; // of those, beyond the end of the last bin
    uint64_t n_accel_queries;
    int64_t accel_busy_ns, accel_carry_ns;
};

// One query on its way through the pool. 64 bytes.
struct cpu_job {
    int64_t start_ns;  // arrival at the server
    int64_t full_ns;   // service time of a full request (fixed-time kernels)
    int64_t last_ns;   // and of the last
    int64_t finish_ns; // out: end of the request that ends last
    int64_t wait_ns;   // out: how long that request waited for its core
    const struct svctab *tab;
    uint32_t server; // in the pool
    uint32_t n_requests;
    uint32_t size_items;
    uint32_t query; // index of the query in its batch
};

// Where kernels put one report per request (or per group of equal ones); NULL: nobody asks.
struct cpu_ends {
    struct completion *completions; // room for a job's n_requests each
    size_t n;
};

struct cpu_pool {
    unsigned char *servers; // n_servers times stride: struct cpu_server, the lanes, their warmth
    size_t stride;
    uint32_t n_servers, n_cores, n_lanes;
    const struct noise *noise;   // NULL: none
    const struct query *queries; // of the batch at hand, for the noise and the histories
    struct cpu_ends *ends;
    uint32_t first_server; // number in the cell of server 0, for the completions
};

struct cpu_kernel {
    const char *name;
    bool (*supported)(void);
    // Service times known beforehand (full_ns, last_ns); at most CPU_NARROW_CORES cores.
    void (*assign_fixed)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // Service times by busy cores and noise; any number of cores.
    void (*assign_general)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // The same, and by how long the core was idle, and by the queries' histories; for a pool with
    // warmth.
    void (*assign_cold)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
};

extern const struct cpu_kernel *const cpu_kernels[]; // best first, NULL-terminated
// The first kernel that this machine supports.
const struct cpu_kernel *cpu_kernel_best(void);

void cpu_pool_init(struct cpu_pool *pool, uint32_t n_servers, uint32_t n_cores);
// With warmth: every core begins cold.
void cpu_pool_init_cold(struct cpu_pool *pool, uint32_t n_servers, uint32_t n_cores);
void cpu_pool_release(struct cpu_pool *pool);

static inline struct cpu_server *cpu_pool_server(const struct cpu_pool *pool, uint32_t server)
{
    return (struct cpu_server *)(void *)(pool->servers + server * pool->stride);
}

static inline int64_t *cpu_pool_lanes(const struct cpu_pool *pool, uint32_t server)
{
    return (int64_t *)(void *)(pool->servers + server * pool->stride + sizeof(struct cpu_server));
}

// Warmth 0..1 of each core when its last request ended; of a pool with warmth only.
static inline double *cpu_pool_warmth(const struct cpu_pool *pool, uint32_t server)
{
    return (double *)(void *)(cpu_pool_lanes(pool, server) + pool->n_lanes);
}

// Core-time still to run after t_ns, over the server's cores; *drain_ns: until the first is free.
int64_t cpu_pool_backlog_ns(const struct cpu_pool *pool, uint32_t server, int64_t t_ns,
                            int64_t *drain_ns);
// The server goes down at t_ns, when all that it has taken had arrived: drops what its cores would
// do after that, and lets them go cold. Returns the core-time dropped.
int64_t cpu_pool_cut(struct cpu_pool *pool, uint32_t server, int64_t t_ns);

extern const struct cpu_kernel cpu_portable, cpu_avx2, cpu_avx512;

#endif
