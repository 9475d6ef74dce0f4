// SPDX-License-Identifier: Apache-2.0
#include "study/study_variants.h"

#include <string.h>

#include "cluster/policy.h"
#include "cluster/sched.h"
#include "models/cost.h"
#include "study/reader.h"
#include "traces/arrival.h"
#include "traces/qsize.h"

// Descriptors of different types with the same members: one loop cannot walk them, one macro can.
#define VARIANTS(function, label, types, rows)                                                     \
    struct study_variants function(void)                                                           \
    {                                                                                              \
        struct study_variants v = {.what = label};                                                 \
        for (; types[v.n] && v.n < STUDY_MAX_VARIANTS; v.n++) {                                    \
            v.names[v.n] = types[v.n]->name;                                                       \
            v.helps[v.n] = types[v.n]->help;                                                       \
            v.fields[v.n] = rows;                                                                  \
        }                                                                                          \
        return v;                                                                                  \
    }

VARIANTS(study_variants_arrivals, "arrival process", arrival_types, arrival_types[v.n]->fields)
VARIANTS(study_variants_sizes, "size distribution", size_types, size_types[v.n]->fields)
VARIANTS(study_variants_costs, "cost model", cost_types, cost_types[v.n]->fields)
VARIANTS(study_variants_policies, "balancer policy", policy_types, policy_types[v.n]->fields)
VARIANTS(study_variants_schedulers, "scheduler", sched_types, sched_types[v.n]->fields)

int64_t study_variants_index(const struct study_variants *variants, const char *name)
{
    for (size_t i = 0; i < variants->n; i++)
        if (strcmp(variants->names[i], name) == 0)
            return (int64_t)i;
    return 0;
}

int study_variants_map(const struct node *map, const char *key, const struct node **out,
                       const struct node **selector, const char *type_key, struct err *err)
{
    const struct node *node = node_get(map, key);
    *selector = NULL;
    if (node && node->kind == NODE_SCALAR && !node_is_null(node)) {
        *out = NULL;
        *selector = node;
        return 0;
    }
    if (reader_map(map, key, out, err) < 0)
        return -1;
    if (*out)
        *selector = node_get(*out, type_key);
    return 0;
}

int study_variants_choose(const struct node *map, const char *key, const char *type_key,
                          const struct study_variants *variants, const struct node **out,
                          int64_t *index, struct err *err)
{
    const struct node *selector;
    if (study_variants_map(map, key, out, &selector, type_key, err) < 0)
        return -1;
    if (!selector)
        return 0;
    int i = reader_choose(selector, variants->what, variants->names, variants->n, err);
    if (i < 0)
        return -1;
    *index = i;
    return 0;
}

int study_variants_read(const struct node *map, const char *key, const char *type_key,
                        const struct study_variants *variants, const char *const *others,
                        void *config, int64_t *index, struct err *err)
{
    const struct node *node = node_get(map, key), *part_map;
    if (study_variants_choose(map, key, type_key, variants, &part_map, index, err) < 0)
        return -1;
    const struct reader_part part = {variants->fields[*index], config};
    const struct reader_options options = {others, false};
    schema_defaults(part.fields, config);
    return reader_fill(part_map, node ? node : map, &part, 1, &options, err);
}
