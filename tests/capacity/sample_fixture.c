// SPDX-License-Identifier: Apache-2.0
#include "capacity/sample_fixture.h"

#include <string.h>

#include "base/simtime.h"
#include "support/suite.h"

struct study *sample_fixture_parse(const char *text)
{
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    library_release(&library); // no table of it is used
    return study;
}

struct study *sample_fixture_study(void)
{
    return sample_fixture_parse(
        "duration: 1s\n"
        "traffic:\n"
        "  - {service: a, rate: 20000qps, sizes: {distribution: fixed, items: 100}, "
        "sla: {p95: 4ms}}\n"
        "  - {service: b, rate: 8000qps, sizes: {distribution: fixed, items: 50}, "
        "sla: {p95: 4ms}, arrivals: {process: diurnal, period: 24s, curve: [0.5, 1, 1.5, 1]}}\n"
        "fleet:\n"
        "  cells: 4\n"
        "  groups:\n"
        "    - {name: big, cores: 4, servers: 12, cost: {kind: synthetic, per_item: 10us}}\n"
        "    - {name: odd, cores: 4, servers: 4, cost: {kind: synthetic, per_item: 20us}}\n"
        "balancer: {policy: power-of-two}\n");
}

struct fleet_variant sample_fixture_fleet(const struct study *study, uint32_t *n_servers)
{
    for (size_t g = 0; g < study->n_groups; g++)
        n_servers[g] = study->group_configs[g].n_servers;
    return (struct fleet_variant){.study = study,
                                  .n_servers = n_servers,
                                  .n_services = (uint32_t)study->n_services,
                                  .n_cells = study->fleet.n_cells};
}

struct slice sample_fixture_slice(const struct fleet_variant *fleet, uint64_t number,
                                  uint32_t n_cells)
{
    return (struct slice){.fleet = fleet,
                          .number = number,
                          .n_cells = n_cells,
                          .warmup_ns = 50 * SIMTIME_MS,
                          .length_ns = 200 * SIMTIME_MS,
                          .n_bins = 10};
}

static bool same_service(const struct slice_service *a, const struct slice_service *b)
{
    return a->n_queries == b->n_queries && a->n_late == b->n_late && a->n_lost == b->n_lost &&
           a->first == b->first && a->n_counts == b->n_counts &&
           memcmp(a->counts, b->counts, a->n_counts * sizeof *a->counts) == 0;
}

bool sample_fixture_same(const struct slice_result *a, const struct slice_result *b)
{
    bool same = a->n_services == b->n_services && a->cpu_busy_ns == b->cpu_busy_ns &&
                a->accel_busy_ns == b->accel_busy_ns && a->energy_uj == b->energy_uj &&
                a->core_s == b->core_s && a->share_frac == b->share_frac &&
                a->overall.stable == b->overall.stable &&
                a->overall.late_frac.value == b->overall.late_frac.value &&
                a->overall.n_queries == b->overall.n_queries;
    for (uint32_t i = 0; same && i < a->n_services; i++)
        same = same_service(&a->services[i], &b->services[i]);
    return same;
}
