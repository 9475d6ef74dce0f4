// SPDX-License-Identifier: Apache-2.0
// svctab: service times of one (service, group), in whole nanoseconds, looked up and never
// computed.
//
// Built once per run from the cost model, for every size the service can have. A cost may be slow,
// so whoever makes many runs with the same costs (a search over batch sizes and rates) keeps a
// svctab_cache from run to run: no time is then worked out twice, and the tables are the same. A
// query of n items
// below the offload threshold is split into ceil(n / B) CPU requests, all of B items but the last,
// which has the rest; one at or above the threshold T goes whole to the accelerator. Where queries
// share requests, the tables reach as far as what is merged.
#ifndef CLUSTER_SVCTAB_H
#define CLUSTER_SVCTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"
#include "traces/query.h"

#define SVCTAB_NO_OFFLOAD UINT32_MAX

// How a query of a given size is split.
struct svctab_split {
    int64_t last_ns;     // service time of the last request with one core busy
    uint32_t n_requests; // ceil(size / B)
    uint32_t last_items; // items of the last request
};

#define SVCTAB_NEAR_LONGEST_NS (INT32_MAX - 1)
#define SVCTAB_NEAR_ROOM 16u

// What a history of h items adds to a request of n, in nanoseconds times 2^32 (models/cost.h):
// item * h + square * h^2 + pair * n * h.
struct svctab_history {
    uint64_t item, square, pair;
};

struct svctab {
    uint32_t max_items;         // sizes are 1 .. max_items
    uint32_t batch_items;       // B, at most max_items
    uint32_t offload_items;     // T, SVCTAB_NO_OFFLOAD without
    uint32_t cpu_items;         // of the largest request on a core: batch_items, or more if merged
    uint32_t n_levels;          // 1, or the number of cores when the cost depends on busy cores
    int64_t full_ns;            // service time of a full request with one core busy
    struct svctab_split *split; // [max_items + 1]
    int64_t *cpu_ns; // [n_levels][cpu_items + 1]: level = busy cores, itself included, less 1
    // The same for kernels that look up several levels at once (cpu.h): one row of levels per size,
    // and room to read on after the last; NULL with one level, or where some time is 0 or too long.
    uint32_t *near_ns; // [cpu_items + 1][near_row]
    uint32_t near_row;
    int64_t *near_sums;   // [n_levels + 1] sums of the first levels of a full request
    bool fits_near;       // no time on a core is too long for near lanes
    uint32_t accel_items; // of the largest work on the accelerator; 0: it is not used
    int64_t *load_ns;     // [accel_items + 1] onto the accelerator; NULL: not used
    int64_t *compute_ns;  // likewise on it
    int64_t *work_ns;     // [max_items + 1] service time summed over the requests, one core busy
    // Of a service whose queries have histories, else NULL; all times above are without.
    struct svctab_history *history;         // [n_levels] on a core
    struct svctab_history *history_load;    // on the way to the accelerator; NULL: not used
    struct svctab_history *history_compute; // and on it
    int64_t least_ns; // shortest request of the table: bounds how soon a completion can follow
    // Cold cores (models/cost.h), 0 without: all times above are those of a warm core, which none
    // undercuts.
    double cold_extra;                     // cold_factor - 1
    double cooling_per_ns, warming_per_ns; // 1 / cooling_time, 1 / warming_time
};

// Service times worked out before, by (cost, cores). Costs are told apart by their address: one
// that is destroyed takes its caches with it. Not for use by several threads at once.
struct svctab_cache;
struct svctab_cache *svctab_cache_create(void);
void svctab_cache_destroy(struct svctab_cache *cache); // NULL: no effect

// Fails when a cost is negative or not finite: the model or the platform is wrong.
struct svctab *svctab_create(const struct service_config *service,
                             const struct dispatch_config *dispatch, const struct cost *cost,
                             uint32_t n_cores, struct err *err);
// The same table, with what is in the cache, which learns the rest; NULL: as svctab_create().
struct svctab *svctab_create_cached(struct svctab_cache *cache,
                                    const struct service_config *service,
                                    const struct dispatch_config *dispatch, const struct cost *cost,
                                    uint32_t n_cores, struct err *err);
// The table of a server that takes `factor` >= 1 times as long for everything.
struct svctab *svctab_scaled(const struct svctab *tab, double factor);
void svctab_destroy(struct svctab *tab); // NULL: no effect

static inline bool svctab_offloads(const struct svctab *tab, uint32_t items)
{
    return items >= tab->offload_items;
}

// Service time of a request of `items` when `busy` cores, itself included, are busy.
static inline int64_t svctab_cpu_ns(const struct svctab *tab, uint32_t items, uint32_t busy)
{
    uint32_t level = tab->n_levels == 1 ? 0 : busy - 1;
    return tab->cpu_ns[(size_t)level * (tab->cpu_items + 1) + items];
}

// Of a table with near times: those of `items`, the first with one core busy.
static inline const uint32_t *svctab_near(const struct svctab *tab, uint32_t items)
{
    return tab->near_ns + (size_t)items * tab->near_row;
}

// To the nearest nanosecond.
static inline int64_t svctab_history_ns(const struct svctab_history *of, uint32_t items,
                                        uint32_t history)
{
    unsigned __int128 sum = (unsigned __int128)of->item * history +
                            (unsigned __int128)of->square * ((uint64_t)history * history) +
                            (unsigned __int128)of->pair * ((uint64_t)items * history);
    return (int64_t)((sum + (UINT64_C(1) << 31)) >> 32);
}

// The same of a request on a core, for a service with histories only.
static inline int64_t svctab_history_cpu_ns(const struct svctab *tab, uint32_t items,
                                            uint32_t history, uint32_t busy)
{
    return svctab_history_ns(&tab->history[tab->n_levels == 1 ? 0 : busy - 1], items, history);
}

// Of a query of at least the threshold.
static inline int64_t svctab_accel_load_ns(const struct svctab *tab, const struct query *query)
{
    int64_t ns = tab->load_ns[query->size_items];
    return tab->history
               ? ns + svctab_history_ns(tab->history_load, query->size_items, query->history_items)
               : ns;
}

static inline int64_t svctab_accel_compute_ns(const struct svctab *tab, const struct query *query)
{
    int64_t ns = tab->compute_ns[query->size_items];
    return tab->history ? ns + svctab_history_ns(tab->history_compute, query->size_items,
                                                 query->history_items)
                        : ns;
}

// work_ns with the histories of all requests of a query.
int64_t svctab_history_work_ns(const struct svctab *tab, uint32_t items, uint32_t history);

// What a query counts for in a view, in `unit`.
static inline int64_t svctab_load(const struct svctab *tab, enum load_unit unit,
                                  const struct query *query)
{
    uint32_t items = query->size_items;
    switch (unit) {
    case LOAD_REQUESTS:
        return svctab_offloads(tab, items) ? 1 : tab->split[items].n_requests;
    case LOAD_ITEMS:
        return items;
    case LOAD_WORK:
        return tab->history ? svctab_history_work_ns(tab, items, query->history_items)
                            : tab->work_ns[items];
    default:
        return 1;
    }
}

#endif
