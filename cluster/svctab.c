// SPDX-License-Identifier: Apache-2.0
#include "cluster/svctab.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"

#define LONGEST_SERVICE_S 86400.0

static int to_ns(double s, const char *what, uint32_t items, int64_t *ns, struct err *err)
{
    if (!isfinite(s) || s < 0 || s > LONGEST_SERVICE_S)
        return err_set(err, ERR_STUDY, "cost of %u items on the %s: %g s is not a service time",
                       items, what, s);
    *ns = simtime_from_s(s);
    return 0;
}

// Service times of one cost: on the cores of 1 .. n_items items at each level; on the accelerator
// of accel_from .. accel_to items, both 0 while none is known.
struct times {
    const struct cost *cost;
    uint32_t n_levels, n_items;
    int64_t **level; // [n_levels][n_items + 1]; index 0 is unused
    uint32_t accel_from, accel_to;
    int64_t *load_ns, *compute_ns; // [accel_to + 1]
};

struct svctab_cache {
    struct times *times;
    size_t n;
};

struct svctab_cache *svctab_cache_create(void)
{
    return mem_calloc(1, sizeof(struct svctab_cache));
}

void svctab_cache_destroy(struct svctab_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n; i++) {
        for (uint32_t level = 0; level < cache->times[i].n_levels; level++)
            mem_free(cache->times[i].level[level]);
        mem_free(cache->times[i].level);
        mem_free(cache->times[i].load_ns);
        mem_free(cache->times[i].compute_ns);
    }
    mem_free(cache->times);
    mem_free(cache);
}

static struct times *find_times(struct svctab_cache *cache, const struct cost *cost,
                                uint32_t n_levels)
{
    for (size_t i = 0; i < cache->n; i++)
        if (cache->times[i].cost == cost && cache->times[i].n_levels == n_levels)
            return &cache->times[i];
    cache->times = mem_realloc(cache->times, cache->n + 1, sizeof *cache->times);
    struct times *times = &cache->times[cache->n++];
    *times = (struct times){
        .cost = cost, .n_levels = n_levels, .level = mem_calloc(n_levels, sizeof *times->level)};
    return times;
}

// Works out what is not known yet of 1 .. n_items. On failure what was known is known still.
static int learn(struct times *times, uint32_t n_items, struct err *err)
{
    if (n_items <= times->n_items)
        return 0;
    for (uint32_t level = 0; level < times->n_levels; level++) {
        int64_t *ns = mem_realloc(times->level[level], (size_t)n_items + 1, sizeof *ns);
        times->level[level] = ns;
        for (uint32_t items = times->n_items + 1; items <= n_items; items++)
            if (to_ns(cost_bare_s(times->cost, COST_CPU, items, level + 1), "CPU", items,
                      &ns[items], err))
                return -1;
    }
    times->n_items = n_items;
    return 0;
}

static int learn_accel(struct times *times, uint32_t first, uint32_t last, struct err *err)
{
    for (uint32_t items = first; items <= last; items++) {
        double load_s = cost_bare_s(times->cost, COST_LOAD, items, 1);
        double compute_s = cost_bare_s(times->cost, COST_ACCEL, items, 1);
        if (to_ns(load_s, "accelerator's link", items, &times->load_ns[items], err) ||
            to_ns(compute_s, "accelerator", items, &times->compute_ns[items], err))
            return -1;
    }
    return 0;
}

// What is known are the items from some threshold to the largest; a lower threshold adds to them.
static int reach_accel(struct times *times, uint32_t from, uint32_t to, struct err *err)
{
    if (times->accel_to != to) {
        times->load_ns = mem_realloc(times->load_ns, (size_t)to + 1, sizeof *times->load_ns);
        times->compute_ns = mem_realloc(times->compute_ns, (size_t)to + 1, sizeof *times->load_ns);
        times->accel_from = to + 1;
        times->accel_to = to;
    }
    if (from >= times->accel_from)
        return 0;
    if (learn_accel(times, from, times->accel_from - 1, err))
        return -1;
    times->accel_from = from;
    return 0;
}

static int fill_cpu(struct svctab *tab, struct times *times, struct err *err)
{
    if (learn(times, tab->cpu_items, err))
        return -1;
    size_t row = tab->cpu_items + 1;
    tab->cpu_ns = mem_calloc(tab->n_levels * row, sizeof *tab->cpu_ns);
    tab->least_ns = INT64_MAX;
    for (uint32_t level = 0; level < tab->n_levels; level++)
        for (uint32_t items = 1; items <= tab->cpu_items; items++) {
            int64_t ns = times->level[level][items];
            tab->cpu_ns[level * row + items] = ns;
            tab->least_ns = ns < tab->least_ns ? ns : tab->least_ns;
        }
    tab->full_ns = tab->cpu_ns[tab->batch_items];
    return 0;
}

// Is every time on a core from least_ns to the longest of near lanes?
static bool near_range(const struct svctab *tab, int64_t least_ns)
{
    size_t row = tab->cpu_items + 1;
    for (uint32_t level = 0; level < tab->n_levels; level++)
        for (uint32_t items = 1; items <= tab->cpu_items; items++) {
            int64_t ns = tab->cpu_ns[level * row + items];
            if (ns < least_ns || ns > SVCTAB_NEAR_LONGEST_NS)
                return false;
        }
    return true;
}

static void fill_near(struct svctab *tab)
{
    tab->near_ns = NULL;
    tab->near_sums = NULL;
    tab->fits_near = near_range(tab, 0);
    if (tab->n_levels == 1 || !near_range(tab, 1))
        return;
    size_t row = tab->cpu_items + 1;
    tab->near_row = tab->n_levels + SVCTAB_NEAR_ROOM;
    tab->near_ns = mem_calloc(row * tab->near_row, sizeof *tab->near_ns);
    tab->near_sums = mem_calloc(tab->n_levels + 1, sizeof *tab->near_sums);
    for (uint32_t items = 1; items <= tab->cpu_items; items++)
        for (uint32_t level = 0; level < tab->n_levels; level++)
            tab->near_ns[(size_t)items * tab->near_row + level] =
                (uint32_t)tab->cpu_ns[level * row + items];
    for (uint32_t level = 0; level < tab->n_levels; level++)
        tab->near_sums[level + 1] =
            tab->near_sums[level] + tab->cpu_ns[level * row + tab->batch_items];
}

// Of what is not split, the smallest and the largest.
static int fill_accel(struct svctab *tab, struct times *times, uint32_t merged_items,
                      struct err *err)
{
    uint32_t from = merged_items > 0 ? 1 : tab->offload_items;
    uint32_t to = merged_items > tab->max_items ? merged_items : tab->max_items;
    if (from == SVCTAB_NO_OFFLOAD)
        return 0;
    if (reach_accel(times, from, to, err))
        return -1;
    tab->accel_items = to;
    tab->load_ns = mem_calloc((size_t)to + 1, sizeof *tab->load_ns);
    tab->compute_ns = mem_calloc((size_t)to + 1, sizeof *tab->compute_ns);
    for (uint32_t items = from; items <= to; items++) {
        int64_t ns = times->load_ns[items] + times->compute_ns[items];
        tab->load_ns[items] = times->load_ns[items];
        tab->compute_ns[items] = times->compute_ns[items];
        tab->least_ns = ns < tab->least_ns ? ns : tab->least_ns;
    }
    return 0;
}

static void fill_split(struct svctab *tab)
{
    tab->split = mem_calloc(tab->max_items + 1, sizeof *tab->split);
    tab->work_ns = mem_calloc(tab->max_items + 1, sizeof *tab->work_ns);
    for (uint32_t items = 1; items <= tab->max_items; items++) {
        uint32_t n = (items + tab->batch_items - 1) / tab->batch_items;
        uint32_t last = items - (n - 1) * tab->batch_items;
        tab->split[items] = (struct svctab_split){tab->cpu_ns[last], n, last};
        tab->work_ns[items] = svctab_offloads(tab, items)
                                  ? tab->load_ns[items] + tab->compute_ns[items]
                                  : (n - 1) * tab->full_ns + tab->cpu_ns[last];
    }
}

int64_t svctab_history_work_ns(const struct svctab *tab, uint32_t items, uint32_t history)
{
    const struct svctab_split *split = &tab->split[items];
    int64_t ns = tab->work_ns[items];
    if (svctab_offloads(tab, items))
        return ns + svctab_history_ns(tab->history_load, items, history) +
               svctab_history_ns(tab->history_compute, items, history);
    return ns +
           (split->n_requests - 1) * svctab_history_ns(tab->history, tab->batch_items, history) +
           svctab_history_ns(tab->history, split->last_items, history);
}

static uint64_t to_fixed(double s)
{
    return (uint64_t)(s * 1e9 * 0x1p32 + 0.5);
}

// What a history of `most` items adds must be a service time too: then nothing overflows.
static int fill_history(const struct cost *cost, enum cost_place place, uint32_t level,
                        uint32_t items, uint32_t most, struct svctab_history *to, struct err *err)
{
    const struct cost_history of = cost_history(cost, place, level + 1);
    double s = of.item_s * most + of.square_s * most * most + of.item_history_s * items * most;
    if (!(of.item_s >= 0 && of.square_s >= 0 && of.item_history_s >= 0 && s <= LONGEST_SERVICE_S))
        return err_set(err, ERR_STUDY, "cost of a history of %u items: %g s is not a service time",
                       most, s);
    *to = (struct svctab_history){to_fixed(of.item_s), to_fixed(of.square_s),
                                  to_fixed(of.item_history_s)};
    return 0;
}

static int fill_histories(struct svctab *tab, const struct cost *cost, uint32_t most,
                          struct err *err)
{
    bool offloads = tab->accel_items > 0;
    tab->history = mem_calloc(tab->n_levels, sizeof *tab->history);
    for (uint32_t level = 0; level < tab->n_levels; level++)
        if (fill_history(cost, COST_CPU, level, tab->cpu_items, most, &tab->history[level], err))
            return -1;
    if (!offloads)
        return 0;
    tab->history_load = mem_calloc(1, sizeof *tab->history_load);
    tab->history_compute = mem_calloc(1, sizeof *tab->history_compute);
    return fill_history(cost, COST_LOAD, 0, tab->accel_items, most, tab->history_load, err) ||
           fill_history(cost, COST_ACCEL, 0, tab->accel_items, most, tab->history_compute, err);
}

static void fill_cold(struct svctab *tab, const struct cost_config *config)
{
    tab->cold_extra = config->cold_factor - 1;
    tab->cooling_per_ns = 1e-9 / config->cooling_s;
    tab->warming_per_ns = 1e-9 / config->warming_s;
}

struct svctab *svctab_create(const struct service_config *service,
                             const struct dispatch_config *dispatch, const struct cost *cost,
                             uint32_t n_cores, struct err *err)
{
    return svctab_create_cached(NULL, service, dispatch, cost, n_cores, err);
}

struct svctab *svctab_create_cached(struct svctab_cache *cache,
                                    const struct service_config *service,
                                    const struct dispatch_config *dispatch, const struct cost *cost,
                                    uint32_t n_cores, struct err *err)
{
    struct svctab_cache *own = cache ? NULL : svctab_cache_create();
    struct svctab *tab = mem_calloc(1, sizeof *tab);
    tab->max_items = (uint32_t)service->traffic.sizes.max_items;
    int64_t batch = dispatch->batch_items;
    tab->batch_items = batch > tab->max_items ? tab->max_items : (uint32_t)batch;
    tab->cpu_items = tab->batch_items;
    if (dispatch->merged_items > 0)
        tab->cpu_items = dispatch->merged_items > tab->max_items ? (uint32_t)dispatch->merged_items
                                                                 : tab->max_items;
    tab->offload_items = SVCTAB_NO_OFFLOAD;
    if (dispatch->offload_items > 0 && dispatch->offload_items <= tab->max_items)
        tab->offload_items = (uint32_t)dispatch->offload_items;
    tab->n_levels = cost_depends_on_busy(cost) ? n_cores : 1;
    struct times *times = find_times(cache ? cache : own, cost, tab->n_levels);
    int rc = fill_cpu(tab, times, err) ||
             fill_accel(tab, times, (uint32_t)dispatch->accel_merged_items, err);
    if (rc == 0 && service->traffic.has_history)
        rc = fill_histories(tab, cost, (uint32_t)service->traffic.history.max_items, err);
    svctab_cache_destroy(own);
    if (rc) {
        svctab_destroy(tab);
        return NULL;
    }
    fill_split(tab);
    fill_near(tab);
    if (cost_has_cold(cost))
        fill_cold(tab, cost_config_of(cost));
    return tab;
}

static int64_t *scaled(const int64_t *ns, size_t n, double factor)
{
    if (!ns)
        return NULL;
    int64_t *out = mem_calloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = (int64_t)((double)ns[i] * factor + 0.5);
    return out;
}

static struct svctab_history *scaled_history(const struct svctab_history *of, size_t n,
                                             double factor)
{
    if (!of)
        return NULL;
    struct svctab_history *out = mem_calloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = (struct svctab_history){(uint64_t)((double)of[i].item * factor + 0.5),
                                         (uint64_t)((double)of[i].square * factor + 0.5),
                                         (uint64_t)((double)of[i].pair * factor + 0.5)};
    return out;
}

struct svctab *svctab_scaled(const struct svctab *tab, double factor)
{
    struct svctab *out = mem_calloc(1, sizeof *out);
    size_t n_sizes = (size_t)tab->accel_items + 1;
    *out = *tab;
    out->cpu_ns = scaled(tab->cpu_ns, tab->n_levels * ((size_t)tab->cpu_items + 1), factor);
    out->load_ns = scaled(tab->load_ns, n_sizes, factor);
    out->compute_ns = scaled(tab->compute_ns, n_sizes, factor);
    out->history = scaled_history(tab->history, tab->n_levels, factor);
    out->history_load = scaled_history(tab->history_load, 1, factor);
    out->history_compute = scaled_history(tab->history_compute, 1, factor);
    out->full_ns = out->cpu_ns[tab->batch_items];
    out->least_ns = (int64_t)((double)tab->least_ns * factor + 0.5);
    fill_split(out);
    fill_near(out);
    return out;
}

void svctab_destroy(struct svctab *tab)
{
    if (!tab)
        return;
    mem_free(tab->split);
    mem_free(tab->cpu_ns);
    mem_free(tab->near_ns);
    mem_free(tab->near_sums);
    mem_free(tab->load_ns);
    mem_free(tab->compute_ns);
    mem_free(tab->work_ns);
    mem_free(tab->history);
    mem_free(tab->history_load);
    mem_free(tab->history_compute);
    mem_free(tab);
}
