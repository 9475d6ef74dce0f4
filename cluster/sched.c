// SPDX-License-Identifier: Apache-2.0
#include "cluster/sched.h"

#include <string.h>

#define SCHED_ENTRY(name) &sched_##name,
const struct sched_type *const sched_types[] = {SCHEDS(SCHED_ENTRY) NULL};

int sched_find(const char *name)
{
    for (int i = 0; sched_types[i]; i++)
        if (strcmp(sched_types[i]->name, name) == 0)
            return i;
    return -1;
}

int sched_find_policy(const char *policy)
{
    for (int i = 0; sched_types[i]; i++)
        for (const char *const *word = sched_types[i]->fields[0].choices; *word; word++)
            if (strcmp(*word, policy) == 0)
                return i;
    return -1;
}

const struct sched_type *sched_of(const struct settings *settings)
{
    for (int i = 0; sched_types[i]; i++)
        if (sched_types[i]->fields == settings->fields)
            return sched_types[i];
    return NULL;
}

struct settings sched_plain(const struct sched_type *type, int64_t largest_items, int64_t n_cores)
{
    struct settings plain = settings_of(type->fields, NULL);
    type->resolve(plain.values, largest_items, n_cores);
    return plain;
}

struct settings sched_fit(const struct settings *settings, bool has_accelerator)
{
    struct settings fit = *settings;
    for (const struct settings_axis *axis = sched_of(settings)->axes; axis->key; axis++)
        if (axis->needs_accelerator && !has_accelerator)
            settings_set_number(&fit, axis->key, 0);
    return fit;
}

struct dispatch_config sched_needs(const struct settings *settings)
{
    return sched_of(settings)->needs(settings_values(settings));
}

struct dispatch_config sched_dispatch(const struct group_config *group, uint32_t service)
{
    return sched_needs(&group->settings[service]);
}

int64_t sched_least_service_ns(const struct group_config *group, const struct svctab *const *tabs,
                               uint32_t n_services)
{
    if (group->noise.spread != SPREAD_NONE)
        return 0; // a factor can be as small as it likes
    int64_t least_ns = INT64_MAX;
    for (uint32_t i = 0; i < n_services; i++)
        if (tabs[i]->least_ns < least_ns)
            least_ns = tabs[i]->least_ns;
    return least_ns;
}
