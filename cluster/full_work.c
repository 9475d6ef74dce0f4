// SPDX-License-Identifier: Apache-2.0
#include "cluster/full_work.h"

static int64_t in_parts(int64_t a, int64_t b, int64_t c)
{
    return c > 0 ? (int64_t)((__int128)a * b / c) : 0;
}

// Items of a full request or batch of such queries.
static uint32_t full_items(const struct batcher_rule *rule, uint32_t table_items,
                           const struct full_work_volume *of)
{
    uint64_t mean = (of->n_items + of->n_queries / 2) / of->n_queries;
    uint64_t most = rule->most_items < table_items ? rule->most_items : table_items, items = most;
    uint64_t n_queries = rule->merges ? rule->most_queries : 1;
    if (!rule->splits && mean < most)
        items = most - mean / 2 > mean ? most - mean / 2 : mean;
    if (mean < items && mean * n_queries < items)
        items = mean * n_queries;
    return items > 0 ? (uint32_t)items : 1;
}

static int64_t core_ns(const struct full_work *work, const struct full_work_volume *of)
{
    const struct batcher_rule *rule = &work->rules[PLACE_CORES];
    if (!rule->used)
        return 0;
    uint32_t items = full_items(rule, work->tab->cpu_items, of);
    int64_t full_ns = svctab_cpu_ns(work->tab, items, work->n_cores);
    if (rule->merges || of->work_ns == 0)
        return in_parts((int64_t)of->n_items, full_ns, items);
    return in_parts(of->work_ns, full_ns, svctab_cpu_ns(work->plain_tab, items, 1));
}

// Of the stream that is held, or of the link where copies overlap and it is what there is least of.
static int64_t accel_ns(const struct full_work *work, const struct full_work_volume *of)
{
    const struct batcher_rule *rule = &work->rules[PLACE_ACCEL];
    if (!rule->used || work->n_streams == 0)
        return 0;
    uint32_t items = full_items(rule, work->tab->accel_items, of);
    int64_t load_ns = work->tab->load_ns[items], held_ns = work->tab->compute_ns[items];
    int64_t link_ns = load_ns * work->n_streams;
    if (!work->overlap)
        held_ns += load_ns;
    else if (link_ns > held_ns)
        held_ns = link_ns;
    return in_parts((int64_t)of->n_items, held_ns, items);
}

void full_work_add(const struct full_work *work, const struct full_work_volume *of,
                   int64_t work_ns[N_PLACES])
{
    if (of->n_queries == 0)
        return;
    int64_t cores_ns = core_ns(work, of), streams_ns = accel_ns(work, of);
    if (cores_ns > 0 && streams_ns > 0) {
        int64_t by_cores = work->n_cores * streams_ns, by_streams = work->n_streams * cores_ns;
        cores_ns = in_parts(cores_ns, by_cores, by_cores + by_streams);
        streams_ns = in_parts(streams_ns, by_streams, by_cores + by_streams);
    }
    work_ns[PLACE_CORES] += cores_ns;
    work_ns[PLACE_ACCEL] += streams_ns;
}
