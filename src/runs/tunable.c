// SPDX-License-Identifier: Apache-2.0
#include "runs/tunable.h"

#include "base/mem.h"

static double bound_qps(void *user, const struct choice *choice)
{
    return probe_bound_qps(((const struct crew_bench *)user)->probe, choice);
}

static double cpu_s(void *user, uint32_t items)
{
    return probe_cpu_s(((const struct crew_bench *)user)->probe, items);
}

static double accel_s(void *user, uint32_t items)
{
    return probe_accel_s(((const struct crew_bench *)user)->probe, items);
}

static uint32_t size_items(void *user, uint64_t i)
{
    return probe_size_items(((const struct crew_bench *)user)->probe, i);
}

static double uniform(void *user, uint64_t i)
{
    return probe_uniform(((const struct crew_bench *)user)->probe, i);
}

struct tuner_backend tunable_backend(struct crew_bench *bench)
{
    return (struct tuner_backend){bench,   crew_round, bound_qps, cpu_s,
                                  accel_s, size_items, uniform};
}

static uint64_t floor_queries(const struct study *study)
{
    double least = study_tune_least_queries(study);
    return least > MAX_LOAD_FLOOR_QUERIES ? (uint64_t)least : MAX_LOAD_FLOOR_QUERIES;
}

static uint32_t *whole(const struct reals *reals)
{
    uint32_t *v = reals->n ? mem_calloc(reals->n, sizeof *v) : NULL;
    for (size_t i = 0; i < reals->n; i++)
        v[i] = (uint32_t)reals->v[i];
    return v;
}

struct tuner_config tunable_config(const struct study *study, const struct probe *probe)
{
    const struct study_tune *tune = &study->tune;
    struct dispatch_config fixed = probe_dispatch(probe);
    return (struct tuner_config){
        .capacity = {.accuracy_frac = tune->accuracy_frac,
                     .first_queries = (uint64_t)tune->queries,
                     .most_queries = (uint64_t)tune->max_queries,
                     .floor_queries = floor_queries(study)},
        .n_cores = (uint32_t)probe_group(probe)->platform.cores,
        .n_servers = probe_n_servers(probe),
        .max_items = probe_max_items(probe),
        .has_accelerator = probe_has_accelerator(probe),
        .fixed = {(uint32_t)fixed.batch_items, (uint32_t)fixed.offload_items},
        .batches = whole(&tune->batch_items),
        .n_batches = tune->batch_items.n,
        .offloads = whole(&tune->offload_items),
        .n_offloads = tune->offload_items.n,
        .target_s = (double)probe_service(probe)->sla_ns * 1e-9,
        .confirm_over_frac = tune->confirm ? TUNABLE_OVER_FRAC : 0,
    };
}

void tunable_release(struct tuner_config *config)
{
    mem_free((void *)(uintptr_t)config->batches);
    mem_free((void *)(uintptr_t)config->offloads);
    config->batches = config->offloads = NULL;
}

double tunable_weight(const struct study_group *group, const struct tuner_policy *policy)
{
    bool accel = group->platform.has_accelerator;
    if (policy == &tuner_exhaustive)
        return accel ? 30 : 4;
    return policy == &tuner_deeprecsched ? (accel ? 5 : 2) : 1;
}
