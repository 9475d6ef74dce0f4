// SPDX-License-Identifier: Apache-2.0
// cpu: the core pools of a block of equal servers.
//
// A FCFS pool of k cores needs no event list (Kiefer and Wolfowitz, 1955): it is the k times at
// which its cores become free. A request takes the idle core with the lowest number, or, when none
// is idle, the core that is free first (lowest number among equals) and starts then.
//
// The k times lie unordered in lanes, padded to whole cache lines with a time that is never
// reached; vector compares find idle cores and the minimum. Kernels for different instruction sets
// are descriptors in cpu_kernels[]; all give the same bits, a test holds them to it. There are
// three kinds of lanes:
//
//     near   32 bits, nanoseconds after a time of the server's own, its base (below)
//     far    64 bits, absolute. For more cores than one mask has bits, and for service times of any
//            length, as noise makes them
//     warm   far, and where idle cores go cold (models/cost.h), next to each time how warm its core
//            is: 1 less the coldness when its last request ended, so that the zeros of a new pool
//            mean cold
//
// Why near lanes suffice: a request begins at max(now, least lane), so no lane is ever more than
// the longest service time after that. When now or the least lane is CPU_NEAR_NS after the base,
// the base moves up to the later of the two and everything fits again, however long the backlog: no
// lane is ever out of reach while service times are below CPU_NEAR_NS. A core that was free before
// the base is one that is free at the base: idle either way.
//
// Memory of a server: 64 bytes of counters, and 4, 8 or 16 per core, contiguous.
#ifndef CLUSTER_CPU_H
#define CLUSTER_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "cluster/noise.h"
#include "cluster/svctab.h"
#include "cluster/view.h"
#include "traces/query.h"

#define CPU_NO_CORE INT64_MAX          // in the lanes that pad a line
#define CPU_NARROW_CORES 64u           // up to here a mask of cores is one word
#define CPU_NEAR_NS (INT64_C(1) << 31) // 2.1 s, half of what near lanes reach
#define CPU_NEAR_NO_CORE UINT32_MAX    // as CPU_NO_CORE, in near lanes

enum cpu_lanes { CPU_LANES_NEAR, CPU_LANES_FAR, CPU_LANES_WARM };

// Counters of one server since its last fold (server.h), one cache line.
struct cpu_server {
    uint64_t n_queries, n_requests, n_items;
    int64_t cpu_busy_ns;  // service times of the requests taken
    int64_t cpu_carry_ns; // of those, beyond the end of the last bin
    int64_t base_ns;      // near lanes count from here; else 0
    int64_t reserved[2];
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
    enum cpu_lanes lanes;
    uint32_t n_servers, n_cores, n_lanes;
    const struct noise *noise;   // NULL: none
    const struct query *queries; // of the batch at hand, for the noise and the histories
    struct cpu_ends *ends;
    uint32_t first_server; // number in the cell of server 0, for the completions
};

// Where and when the next request begins that is ready at some time.
struct cpu_pick {
    int64_t begin_ns;
    uint32_t core;
    uint32_t busy; // cores busy then, this one included
};

struct cpu_kernel {
    const char *name;
    bool (*supported)(void);
    // Near lanes: service times known beforehand (full_ns, last_ns).
    void (*assign_fixed)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // Near lanes: service times by busy cores, of tables with near times (svctab.h).
    void (*assign_busy)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // Far lanes: service times by busy cores and noise.
    void (*assign_general)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // Warm lanes: the same, and by how long the core was idle, and by the queries' histories.
    void (*assign_cold)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
    // Near lanes: the job, if every request of it finds an idle core; else nothing, and false. By
    // near times, or without levels; nobody asks for reports.
    bool (*assign_idle)(const struct cpu_pool *pool, struct cpu_job *job);
    // Near and far lanes: of a request that is ready at t_ns, when none began later.
    struct cpu_pick (*pick)(const struct cpu_pool *pool, uint32_t server, int64_t t_ns);
};

extern const struct cpu_kernel *const cpu_kernels[]; // best first, NULL-terminated
// The first kernel that this machine supports.
const struct cpu_kernel *cpu_kernel_best(void);

// All cores free at time 0, and cold. Near lanes: at most CPU_NARROW_CORES.
void cpu_pool_init(struct cpu_pool *pool, enum cpu_lanes lanes, uint32_t n_servers,
                   uint32_t n_cores);
void cpu_pool_release(struct cpu_pool *pool);

static inline struct cpu_server *cpu_pool_server(const struct cpu_pool *pool, uint32_t server)
{
    return (struct cpu_server *)(void *)(pool->servers + server * pool->stride);
}

static inline uint32_t *cpu_pool_near(const struct cpu_pool *pool, uint32_t server)
{
    return (uint32_t *)(void *)(pool->servers + server * pool->stride + sizeof(struct cpu_server));
}

static inline int64_t *cpu_pool_far(const struct cpu_pool *pool, uint32_t server)
{
    return (int64_t *)(void *)(pool->servers + server * pool->stride + sizeof(struct cpu_server));
}

// Warmth 0..1 of each core when its last request ended; of warm lanes only.
static inline double *cpu_pool_warmth(const struct cpu_pool *pool, uint32_t server)
{
    return (double *)(void *)(cpu_pool_far(pool, server) + pool->n_lanes);
}

// When a core becomes free. Near lanes: or their base, if that is later.
static inline int64_t cpu_pool_free_ns(const struct cpu_pool *pool, uint32_t server, uint32_t core)
{
    if (pool->lanes == CPU_LANES_NEAR)
        return cpu_pool_server(pool, server)->base_ns + cpu_pool_near(pool, server)[core];
    return cpu_pool_far(pool, server)[core];
}

// Moves the base of near lanes to to_ns, which is not below it, and before which no request can
// begin any more: now, or the least lane. For kernels.
void cpu_pool_rebase(const struct cpu_pool *pool, uint32_t server, int64_t to_ns);

// A request begins on a core, as picked, and ends at end_ns; near lanes: within reach.
void cpu_pool_take(const struct cpu_pool *pool, uint32_t server, const struct cpu_pick *pick,
                   int64_t end_ns);

// Core-time still to run after t_ns, over the server's cores; *drain_ns: until the first is free.
int64_t cpu_pool_backlog_ns(const struct cpu_pool *pool, uint32_t server, int64_t t_ns,
                            int64_t *drain_ns);
// The server goes down at t_ns, when all that it has taken had arrived: drops what its cores would
// do after that, and lets them go cold. Returns the core-time dropped.
int64_t cpu_pool_cut(struct cpu_pool *pool, uint32_t server, int64_t t_ns);

// A server's counters and when its cores become free, in absolute time: the bytes of one kind of
// lanes. cpu_pool_load() fills a server of a pool of that kind that has run nothing.
size_t cpu_pool_bytes(const struct cpu_pool *pool); // of a server
void cpu_pool_save(const struct cpu_pool *pool, uint32_t server, struct blob *blob);
void cpu_pool_load(struct cpu_pool *pool, uint32_t server, struct blob_reader *reader);

extern const struct cpu_kernel cpu_portable, cpu_avx2, cpu_avx512;

#endif
