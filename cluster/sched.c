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

struct dispatch_config sched_dispatch(const struct group_config *group, uint32_t service)
{
    const struct settings *settings = &group->settings[service];
    return sched_types[group->scheduler]->needs(settings_values(settings));
}

int64_t sched_least_service_ns(const struct group_config *group, const struct svctab *const *tabs,
                               uint32_t n_services)
{
    return sched_types[group->scheduler]->least_service_ns(group, tabs, n_services);
}
