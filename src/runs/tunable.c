// SPDX-License-Identifier: Apache-2.0
#include "runs/tunable.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/sched.h"

struct tuner_backend tunable_backend(struct crew_bench *bench)
{
    struct tuner_backend backend = probe_backend(bench->probe);
    backend.user = bench;
    backend.round = crew_round;
    return backend;
}

static uint64_t floor_queries(const struct study *study)
{
    double least = study_tune_least_queries(study);
    return least > MAX_LOAD_FLOOR_QUERIES ? (uint64_t)least : MAX_LOAD_FLOOR_QUERIES;
}

// The axis's own values, whole numbers; NULL: none are given.
static int64_t *whole(const struct reals *reals)
{
    int64_t *v = reals->n ? mem_calloc(reals->n, sizeof *v) : NULL;
    for (size_t i = 0; i < reals->n; i++)
        v[i] = (int64_t)reals->v[i];
    return v;
}

// The least is 1. Items: the largest query, and by halves as many of it as a batch may hold; a
// time: the target, since what waits as long misses it.
static int64_t most_of(const struct settings_axis *axis, const struct field *field,
                       const struct probe_facts *facts)
{
    double most = field->max;
    if (field->unit == UNIT_ITEMS)
        most = axis->needs_accelerator ? facts->max_items : facts->known_items;
    if (field->unit == UNIT_ITEMS && axis->walk == SETTINGS_HALVES)
        most *= SETTINGS_LARGEST;
    if (field->unit == UNIT_TIME)
        most = (double)facts->service->sla_ns;
    return (int64_t)(most < field->max ? most : field->max);
}

static void add_axes(const struct study_tune *tune, const struct probe_facts *facts,
                     const struct sched_type *type, struct tuner_config *config)
{
    for (const struct settings_axis *axis = type->axes; axis->key; axis++) {
        if (axis->needs_accelerator && !facts->accel_cost)
            continue;
        const struct field *field = schema_find(type->fields, axis->key);
        if (type->is_implied(settings_values(facts->settings), field))
            continue; // of no effect with this policy
        const struct reals *own = study_tune_grid(tune, axis->key);
        assert(config->n_axes < SETTINGS_AXES); // keys differ, and a scheduler has no more
        config->axes[config->n_axes++] = (struct tuner_axis){.key = axis->key,
                                                             .walk = axis->walk,
                                                             .most = most_of(axis, field, facts),
                                                             .own = own ? whole(own) : NULL,
                                                             .n_own = own ? own->n : 0};
    }
}

struct tuner_config tunable_config(const struct study *study, const struct probe *probe)
{
    const struct study_tune *tune = &study->tune;
    const struct probe_facts *facts = probe_facts(probe);
    const struct sched_type *type = sched_of(facts->settings);
    int64_t n_cores = facts->group->platform.cores;
    struct tuner_config config = {
        .capacity = {.accuracy_frac = tune->accuracy_frac,
                     .first_queries = (uint64_t)tune->queries,
                     .most_queries = (uint64_t)tune->max_queries,
                     .floor_queries = floor_queries(study)},
        .n_cores = (uint32_t)n_cores,
        .n_servers = facts->n_servers,
        .plain = sched_plain(type, facts->max_items, n_cores),
        .fixed = *facts->settings,
        .target_s = (double)facts->service->sla_ns * 1e-9,
    };
    add_axes(tune, facts, type, &config);
    return config;
}

int tunable_check(const struct study *study, struct err *err)
{
    struct probe *probe = probe_create(study, false);
    struct tuner_config config = tunable_config(study, probe);
    const struct probe_facts *facts = probe_facts(probe);
    const struct settings whole = sched_plain(sched_of(facts->settings), facts->max_items, 1);
    char name[32];
    int rc = 0;
    for (size_t i = 0; rc == 0 && study_tune_policy(&study->tune, i, name, sizeof name); i++) {
        const struct tuner_policy *policy = tuner_policies[tuner_find(name)];
        if (policy == &tuner_static)
            rc = probe_known(probe, &config.plain, err);
        else if (policy == &tuner_fixed)
            rc = probe_known(probe, &config.fixed, err);
        else if (policy == &tuner_reference) // begins with the largest batches
            rc = probe_known(probe, &whole, err);
        if (rc < 0)
            err_prefix(err, "%s: tune.policies: %s", study->path, name);
    }
    tunable_release(&config);
    probe_destroy(probe);
    return rc;
}

void tunable_release(struct tuner_config *config)
{
    for (size_t a = 0; a < config->n_axes; a++)
        mem_free((void *)(uintptr_t)config->axes[a].own);
    config->n_axes = 0;
}

double tunable_weight(const struct study_group *group, const struct tuner_policy *policy)
{
    bool accel = group->platform.has_accelerator;
    if (policy == &tuner_exhaustive)
        return accel ? 30 : 4;
    return policy == &tuner_deeprecsched ? (accel ? 5 : 2) : 1;
}
