// SPDX-License-Identifier: Apache-2.0
#include "study/study_idle.h"

#include <string.h>

#include "base/mem.h"
#include "study/study.h"
#include "study/study_failures.h"
#include "study/study_fleet.h"

// ---- where a key has an effect: in the study, or in one of its groups

static bool any_outage(const struct study *study, size_t g)
{
    (void)g;
    return fleet_has_outages(&study->fleet);
}

static bool retries(const struct study *study, size_t g)
{
    return any_outage(study, g) && study->outages.retries > 0;
}

static bool finds_plan(const struct study *study, size_t g)
{
    (void)g;
    return study->capacity.find == FIND_PLAN;
}

static bool follows(const struct study *study, size_t g)
{
    return finds_plan(study, g) && strstr(study->capacity.provisioning, "follow");
}

static bool finds_day(const struct study *study, size_t g)
{
    return finds_plan(study, g) || study->capacity.find == FIND_DAY;
}

static bool finds_all_but_day(const struct study *study, size_t g)
{
    (void)g;
    return study->capacity.find != FIND_DAY;
}

static bool finds_servers(const struct study *study, size_t g)
{
    (void)g;
    return study->capacity.find == FIND_SERVERS;
}

static bool finds_servers_or_cores(const struct study *study, size_t g)
{
    return finds_servers(study, g) || study->capacity.find == FIND_CORES;
}

static bool noise_has_cv(const struct study *study, size_t g)
{
    int distribution = study->groups[g].noise.distribution;
    return distribution == SPREAD_GAMMA || distribution == SPREAD_LOGNORMAL;
}

static bool noise_spreads(const struct study *study, size_t g)
{
    return study->groups[g].noise.distribution != SPREAD_NONE;
}

static bool noise_correlates(const struct study *study, size_t g)
{
    return noise_spreads(study, g) && study->groups[g].noise.correlation_ns > 0;
}

static bool is_slow(const struct study *study, size_t g)
{
    return study->groups[g].slow.frac > 0;
}

static bool is_slower(const struct study *study, size_t g)
{
    return study->groups[g].slow.factor > 1;
}

static bool has_groups(const struct study *study, size_t g)
{
    (void)g;
    return study->n_groups > 1;
}

// ---- the table

static const void *capacity_of(const struct study *study, size_t g)
{
    (void)g;
    return &study->capacity;
}

static const void *failures_of(const struct study *study, size_t g)
{
    (void)g;
    return &study->outages;
}

static const void *group_of(const struct study *study, size_t g)
{
    return &study->groups[g];
}

static const void *noise_of(const struct study *study, size_t g)
{
    return &study->groups[g].noise;
}

// A part of a study, or of each of its groups: then the name is what follows that of the group.
static const struct part {
    const char *name;
    const struct field *fields;
    const void *(*of)(const struct study *study, size_t g);
    bool of_groups;
} capacity = {"capacity", study_capacity_fields, capacity_of, false},
  failures = {"failures", study_failures_fields, failures_of, false},
  group = {"", study_group_fields, group_of, true},
  noise = {".noise", study_noise_fields, noise_of, true};

static const struct {
    const struct part *part;
    const char *key;
    bool (*has_effect)(const struct study *study, size_t g);
    const char *only;
} keys[] = {
    {&capacity, "margin", finds_all_but_day, "only where find is not day"},
    {&capacity, "cells_down", finds_servers, "only with find: servers"},
    {&capacity, "max_servers", finds_servers_or_cores, "only with find: servers or cores"},
    {&capacity, "windows", finds_day, "only with find: day or plan"},
    {&capacity, "window", finds_day, "only with find: day or plan"},
    {&capacity, "warmup", finds_day, "only with find: day or plan"},
    {&capacity, "cells", finds_day, "only with find: day or plan"},
    {&capacity, "objective", finds_plan, "only with find: plan"},
    {&capacity, "allocations", finds_plan, "only with find: plan"},
    {&capacity, "provisioning", finds_plan, "only with find: plan"},
    {&capacity, "carbon", finds_plan, "only with find: plan"},
    {&capacity, "startup", follows, "only with find: plan and provisioning: follow"},
    {&capacity, "min_on", follows, "only with find: plan and provisioning: follow"},
    {&failures, "detect_delay", any_outage, "nothing goes out of service"},
    {&failures, "retries", any_outage, "nothing goes out of service"},
    {&failures, "retry_delay", retries, "only with outages and retries"},
    {&failures, "failover", any_outage, "nothing goes out of service"},
    {&group, "weight", has_groups, "only with other groups"},
    {&group, "slow_frac", is_slower, "only with a slow_factor above 1"},
    {&group, "slow_factor", is_slow, "only with a slow_frac above 0"},
    {&noise, "cv", noise_has_cv, "only with distribution: gamma or lognormal"},
    {&noise, "correlation_time", noise_spreads, "only with a distribution"},
    {&noise, "correlated_frac", noise_correlates, "only with a correlation_time"},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

// Has the member another value than its default?
static bool is_given(const struct field *fields, const char *key, const void *config)
{
    union {
        struct study_capacity capacity;
        struct outage_config outages;
        struct study_group group;
    } plain;
    memset(&plain, 0, sizeof plain);
    schema_defaults(fields, &plain);
    const struct field *field = schema_find(fields, key);
    char *ours = schema_format(field, config), *theirs = schema_format(field, &plain);
    bool given = strcmp(ours, theirs) != 0;
    mem_free(ours);
    mem_free(theirs);
    schema_release(fields, &plain);
    return given;
}

// The history of a service, of which no group's cost knows anything.
static bool idle_history(const struct study *study, size_t s, struct err *err)
{
    const struct service_traffic *traffic = &study->services[s].traffic;
    bool carried = arrival_carries_histories(&traffic->arrivals);
    for (size_t g = 0; g < study->n_groups; g++)
        if (!traffic->has_history || cost_has_history(study->groups[g].costs[s]))
            return false;
    err_set(err, ERR_STUDY,
            "traffic[%zu].%s: no effect; the cost of service %.60s depends on no history", s,
            carried ? "arrivals.history_column" : "history", study->services[s].name);
    return true;
}

// Keys times groups, those of the study in the first of them; then services.
bool study_idle_next(const struct study *study, size_t *i, struct err *err)
{
    for (; *i < N_KEYS * study->n_groups; ++*i) {
        size_t k = *i % N_KEYS, g = *i / N_KEYS;
        const struct part *part = keys[k].part;
        if ((g > 0 && !part->of_groups) || keys[k].has_effect(study, g) ||
            !is_given(part->fields, keys[k].key, part->of(study, g)))
            continue;
        char *name = part->of_groups ? mem_printf("fleet.groups[%zu]%s", g, part->name)
                                     : mem_strdup(part->name);
        err_set(err, ERR_STUDY, "%s.%s: no effect; %s", name, keys[k].key, keys[k].only);
        mem_free(name);
        ++*i;
        return true;
    }
    while (*i < N_KEYS * study->n_groups + study->n_services) {
        size_t s = *i - N_KEYS * study->n_groups;
        ++*i;
        if (idle_history(study, s, err))
            return true;
    }
    return false;
}
