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

static int fill_cpu(struct svctab *tab, const struct cost *cost, struct err *err)
{
    size_t row = tab->batch_items + 1;
    tab->cpu_ns = mem_calloc(tab->n_levels * row, sizeof *tab->cpu_ns);
    tab->least_ns = INT64_MAX;
    for (uint32_t level = 0; level < tab->n_levels; level++)
        for (uint32_t items = 1; items <= tab->batch_items; items++) {
            int64_t *ns = &tab->cpu_ns[level * row + items];
            if (to_ns(cost_cpu_s(cost, items, level + 1), "CPU", items, ns, err))
                return -1;
            if (*ns < tab->least_ns)
                tab->least_ns = *ns;
        }
    tab->full_ns = tab->cpu_ns[tab->batch_items];
    return 0;
}

static int fill_accel(struct svctab *tab, const struct cost *cost, struct err *err)
{
    tab->load_ns = mem_calloc(tab->max_items + 1, sizeof *tab->load_ns);
    tab->compute_ns = mem_calloc(tab->max_items + 1, sizeof *tab->compute_ns);
    for (uint32_t items = tab->offload_items; items <= tab->max_items; items++) {
        int64_t *load_ns = &tab->load_ns[items], *compute_ns = &tab->compute_ns[items];
        if (to_ns(cost_accel_load_s(cost, items), "accelerator's link", items, load_ns, err) ||
            to_ns(cost_accel_compute_s(cost, items), "accelerator", items, compute_ns, err))
            return -1;
        if (*load_ns + *compute_ns < tab->least_ns)
            tab->least_ns = *load_ns + *compute_ns;
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

struct svctab *svctab_create(const struct service_config *service,
                             const struct dispatch_config *dispatch, const struct cost *cost,
                             uint32_t n_cores, struct err *err)
{
    struct svctab *tab = mem_calloc(1, sizeof *tab);
    tab->max_items = (uint32_t)service->traffic.sizes.max_items;
    int64_t batch = dispatch->batch_items;
    tab->batch_items = batch > tab->max_items ? tab->max_items : (uint32_t)batch;
    tab->offload_items = SVCTAB_NO_OFFLOAD;
    if (dispatch->offload_items > 0 && dispatch->offload_items <= tab->max_items)
        tab->offload_items = (uint32_t)dispatch->offload_items;
    tab->n_levels = cost_depends_on_busy(cost) ? n_cores : 1;
    if (fill_cpu(tab, cost, err) ||
        (tab->offload_items != SVCTAB_NO_OFFLOAD && fill_accel(tab, cost, err))) {
        svctab_destroy(tab);
        return NULL;
    }
    fill_split(tab);
    return tab;
}

void svctab_destroy(struct svctab *tab)
{
    if (!tab)
        return;
    mem_free(tab->split);
    mem_free(tab->cpu_ns);
    mem_free(tab->load_ns);
    mem_free(tab->compute_ns);
    mem_free(tab->work_ns);
    mem_free(tab);
}
