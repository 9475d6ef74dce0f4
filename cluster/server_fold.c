// SPDX-License-Identifier: Apache-2.0
#include "cluster/server_fold.h"

#include "models/power.h"

// Into the tally; returns the energy.
static int64_t add_part(const struct sched_part *part, const struct power_curve *power,
                        uint32_t n_units, int64_t on_ns, int at, struct group_tally *tally)
{
    int64_t energy_uj = power_energy_uj(power, part->busy_ns, n_units, on_ns);
    tally->busy_ns[at] += part->busy_ns;
    tally->backlog_ns[at] += part->backlog_ns;
    tally->work_ns[at] += part->work_ns;
    tally->energy_uj[at] += energy_uj;
    if (part->drain_ns > tally->drain_max_ns[at])
        tally->drain_max_ns[at] = part->drain_ns;
    return energy_uj;
}

void server_fold_add(const struct platform *platform, const struct sched_usage *usage,
                     int64_t on_ns, struct group_tally *tally, struct server_total *total)
{
    const struct accelerator *card = &platform->accelerator;
    int64_t energy_uj =
        add_part(&usage->cpu, &platform->power, (uint32_t)platform->cores, on_ns, PART_CPU, tally);
    if (platform->has_accelerator)
        energy_uj += add_part(&usage->accel, &card->power, (uint32_t)card->streams, on_ns,
                              PART_ACCEL, tally);
    if (!total)
        return;
    total->n_queries += usage->n_queries;
    total->n_requests += usage->n_requests;
    total->n_items += usage->n_items;
    total->n_accel_queries += usage->n_accel_queries;
    total->cpu_busy_ns += usage->cpu.busy_ns;
    total->accel_busy_ns += usage->accel.busy_ns;
    total->energy_uj += energy_uj;
}
