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

// Only the kernel of warm lanes looks at the cold and at histories.
static bool needs_warmth(const struct sched_setup *setup)
{
    for (uint32_t i = 0; i < setup->fleet->n_services; i++)
        if (setup->tabs[i]->cold_extra > 0 || setup->tabs[i]->history)
            return true;
    return false;
}

// What the tables of all services have, those of slow servers too.
static bool have_all(const struct sched_setup *setup, bool (*has)(const struct svctab *tab))
{
    for (uint32_t i = 0; i < setup->fleet->n_services; i++)
        if (!has(setup->tabs[i]) || (setup->slow_tabs && !has(setup->slow_tabs[i])))
            return false;
    return true;
}

// Neither noise nor busy cores change the times, and near lanes hold them.
static bool is_fixed(const struct svctab *tab)
{
    return tab->n_levels == 1 && tab->fits_near;
}

static bool is_busy(const struct svctab *tab)
{
    return tab->near_ns != NULL;
}

struct sched_cores sched_cores(const struct sched_setup *setup)
{
    const struct cpu_kernel *kernel = setup->kernel;
    const struct group_config *group = setup->group;
    bool near = group->platform->cores <= CPU_NARROW_CORES && group->noise.spread == SPREAD_NONE;
    if (needs_warmth(setup))
        return (struct sched_cores){CPU_LANES_WARM, kernel->assign_cold};
    if (near && have_all(setup, is_fixed))
        return (struct sched_cores){CPU_LANES_NEAR, kernel->assign_fixed};
    if (near && have_all(setup, is_busy))
        return (struct sched_cores){CPU_LANES_NEAR, kernel->assign_busy};
    return (struct sched_cores){CPU_LANES_FAR, kernel->assign_general};
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
