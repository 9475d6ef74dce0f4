// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/single_server.h"

#include <string.h>

#include "runs/probe.h"

#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"
#include "cluster/sched.h"

// Two services on two groups: 1 ms and 2 ms a query on cores that differ in number.
static const char *const text =
    "duration: 1s\n"
    "traffic:\n"
    "  - {service: a, rate: 100qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 4ms}}\n"
    "  - {service: b, rate: 100qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 9ms},\n"
    "     arrivals: {process: diurnal, period: 10s, curve: [1, 2]}}\n"
    "fleet:\n"
    "  cells: 2\n"
    "  groups:\n"
    "    - {name: x, cores: 4, servers: 6, cost: {kind: synthetic, fixed: 1ms}}\n"
    "    - {name: y, cores: 8, servers: 2, weight: 3, scheduler: {batch_items: 7},\n"
    "       cost: {kind: synthetic, fixed: 1ms, services: [{service: b, fixed: 2ms}]}}\n"
    "failures: {mtbf: 1h, mttr: 1min}\n"
    "tune: {service: a, group: x}\n";

// One server, one service, a Poisson process, no failures, and nothing of the study is touched.
START_TEST(cuts_one_server_with_one_service)
{
    struct capacity_fixture f;
    struct single_server e;
    capacity_fixture_open(&f, text, NULL);
    single_server_cut(&e, f.context.study, 1, 1);
    ck_assert_uint_eq(e.study.n_services, 1);
    ck_assert_uint_eq(e.study.n_groups, 1);
    ck_assert_str_eq(e.study.services[0].name, "b");
    ck_assert_str_eq(e.study.groups[0].name, "y");
    ck_assert_int_eq(e.study.groups[0].servers, 1);
    ck_assert_uint_eq(e.study.fleet.groups[0].n_servers, 1);
    ck_assert_uint_eq(e.study.fleet.n_cells, 1);
    ck_assert(e.study.services[0].traffic.arrivals.process == arrival_find("poisson"));
    ck_assert(e.study.outages.mtbf_s == 0 && e.study.fleet.outages.mtbf_s == 0);
    ck_assert_str_eq(e.study.tune.service, "");
    ck_assert_str_eq(e.study.tune.group, "");
    ck_assert_int_eq(f.context.study->groups[1].servers, 2);
    ck_assert_str_eq(f.context.study->tune.service, "a");
    capacity_fixture_close(&f);
}
END_TEST

// Cost, B and target are the service's own: 2 ms a query on 8 cores have no time left at 4000 a
// second, 1 ms a query on 4 cores likewise.
START_TEST(costs_are_the_services_own)
{
    struct capacity_fixture f;
    struct single_server e;
    capacity_fixture_open(&f, text, NULL);
    const uint32_t pairs[2][2] = {{1, 1}, {0, 0}};
    for (int i = 0; i < 2; i++) {
        const struct settings one = sched_plain(&sched_split, 1, 1);
        single_server_cut(&e, f.context.study, pairs[i][0], pairs[i][1]);
        struct probe *probe = probe_create(&e.study, true);
        ck_assert_double_eq_tol(probe_bound_qps(probe, &one), 4000, 1e-6);
        ck_assert_int_eq(sched_needs(probe_facts(probe)->settings).batch_items, i == 0 ? 7 : 1);
        ck_assert_int_eq(probe_facts(probe)->service->sla_ns, i == 0 ? 9000000 : 4000000);
        probe_destroy(probe);
    }
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", cuts_one_server_with_one_service},
                                       {"core", costs_are_the_services_own}};
    return suite_mpi_run(&argc, &argv, "single_server", tests, sizeof tests / sizeof *tests);
}
