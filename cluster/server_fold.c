// SPDX-License-Identifier: Apache-2.0
#include "cluster/server_fold.h"

#include "models/power.h"

void server_fold_add(const struct platform *platform, const struct sched_usage *usage,
                     int64_t on_ns, struct group_tally *tally, struct server_total *total)
{
    const struct sched_part *cpu = &usage->cpu, *accel = &usage->accel;
    int64_t energy_uj =
        power_energy_uj(&platform->power, cpu->busy_ns, (uint32_t)platform->cores, on_ns);
    tally->cpu_busy_ns += cpu->busy_ns;
    tally->cpu_backlog_ns += cpu->backlog_ns;
    tally->cpu_energy_uj += energy_uj;
    if (cpu->drain_ns > tally->cpu_drain_max_ns)
        tally->cpu_drain_max_ns = cpu->drain_ns;
    if (platform->has_accelerator) {
        const struct accelerator *card = &platform->accelerator;
        int64_t accel_uj =
            power_energy_uj(&card->power, accel->busy_ns, (uint32_t)card->streams, on_ns);
        tally->accel_busy_ns += accel->busy_ns;
        tally->accel_backlog_ns += accel->backlog_ns;
        tally->accel_energy_uj += accel_uj;
        if (accel->drain_ns > tally->accel_drain_max_ns)
            tally->accel_drain_max_ns = accel->drain_ns;
        energy_uj += accel_uj;
    }
    if (!total)
        return;
    total->n_queries += usage->n_queries;
    total->n_requests += usage->n_requests;
    total->n_items += usage->n_items;
    total->n_accel_queries += usage->n_accel_queries;
    total->cpu_busy_ns += cpu->busy_ns;
    total->accel_busy_ns += accel->busy_ns;
    total->energy_uj += energy_uj;
}
