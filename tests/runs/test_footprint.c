// SPDX-License-Identifier: Apache-2.0
#include "runs/footprint.h"

#include <string.h>

#include "results/slowest.h"
#include "support/suite.h"
#include "traces/arrival.h"

static struct platform platform;
static struct service_config services[2];

// A fleet of one kind of server that nothing arrives at.
static struct fleet_config fleet_of(struct group_config *group, uint32_t n_servers,
                                    uint32_t n_cells)
{
    platform.cores = 2;
    *group = (struct group_config){.platform = &platform, .n_servers = n_servers};
    return (struct fleet_config){.services = services,
                                 .n_services = 1,
                                 .groups = group,
                                 .n_groups = 1,
                                 .n_cells = n_cells,
                                 .duration_ns = 36000 * INT64_C(1000000000)};
}

static void assert_near(double got, double right)
{
    ck_assert_msg(got > 0.7 * right && got < 1.5 * right, "%g, not about %g", got, right);
}

// Memory as measured: a million servers in one cell, 20 000 cells, many bins.
START_TEST(memory)
{
    struct group_config group;
    struct fleet_config fleet = fleet_of(&group, 1000000, 1);
    assert_near(footprint_of(&fleet, 3).memory_bytes, 225e6);
    platform.cores = 64;
    assert_near(footprint_of(&fleet, 3).memory_bytes, 680e6);
    fleet = fleet_of(&group, 20000, 20000);
    assert_near(footprint_of(&fleet, 3).memory_bytes, 132e6);
    fleet.outages.mtbf_s = fleet.outages.mttr_s = 60;
    assert_near(footprint_of(&fleet, 3).memory_bytes, 610e6);
    fleet = fleet_of(&group, 10, 1);
    assert_near(footprint_of(&fleet, 10001).memory_bytes, 1.71e9);
    assert_near(footprint_of(&fleet, 10001).address_bytes, 6.7e9); // with the sum of the ranks
}
END_TEST

// Time without a query: crashes and steps count, and twice as long a run has twice as many.
START_TEST(time_of_events)
{
    struct group_config group;
    const uint32_t n_on[] = {10000, 5000};
    struct fleet_config fleet = fleet_of(&group, 10000, 1);
    double without_s = footprint_of(&fleet, 3).wall_s;
    fleet.outages.mtbf_s = 3600;
    fleet.outages.mttr_s = 600;
    double crashes_s = footprint_of(&fleet, 3).wall_s - without_s;
    assert_near(crashes_s, 0.137);
    fleet.duration_ns *= 2;
    ck_assert_double_eq_tol(footprint_of(&fleet, 3).wall_s - without_s, 2 * crashes_s, 1e-9);
    fleet.outages.mtbf_s = fleet.outages.mttr_s = 0;
    group.on = (struct on_schedule){.n_on = n_on, .n_steps = 2, .step_ns = fleet.duration_ns / 100};
    assert_near(footprint_of(&fleet, 3).wall_s - without_s, 0.02);
}
END_TEST

// What no machine holds is refused with both numbers; a share of it may fit.
START_TEST(refused)
{
    struct group_config group;
    struct err err = {0};
    struct fleet_config fleet = fleet_of(&group, 10, 1);
    ck_assert_int_eq(footprint_check(&fleet, 3, 1, &err), 0);
    fleet = fleet_of(&group, 100000000, 1);
    platform.cores = 65536;
    ck_assert_int_eq(footprint_check(&fleet, 3, 1, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_msg(strncmp(err.text, "about 5.24e+04 GB of memory are needed, and ", 44) == 0, "%s",
                  err.text);
    ck_assert_int_eq(footprint_check(&fleet, 3, 10000000, &err), 0);
}
END_TEST

// Queries that are all kept: a process needs the records of all of them, however many share the
// rest, and more than a file holds are refused whatever the machine.
START_TEST(all_queries)
{
    struct group_config group;
    struct err err = {0};
    platform.cores = 8;
    struct service_config service = {.traffic = {.rate_qps = 1000}};
    struct fleet_config fleet = fleet_of(&group, 10, 1);
    double none = footprint_of(&fleet, 3).memory_bytes;
    fleet.services = &service;
    fleet.n_services = 1;
    fleet.sample_frac = 1;
    fleet.all_queries = true;
    struct footprint need = footprint_of(&fleet, 3);
    ck_assert_double_eq_tol(need.n_kept, 3.6e7, 1);
    ck_assert_double_gt(need.memory_bytes - none, 3.6e7 * sizeof(struct query_sample));
    ck_assert_double_eq_tol(need.record_bytes, need.kept_bytes, 0.1 * need.kept_bytes);
    service.traffic.rate_qps = 1e5; // 3600 million, more than a terabyte
    ck_assert_int_eq(footprint_check(&fleet, 3, 1000, &err), -1);
    ck_assert_msg(strstr(err.text, "; output.queries: all takes 1.08e+03 GB, slowest N little"),
                  "%s", err.text);
    service.traffic.rate_qps = 2e5;
    ck_assert_int_eq(footprint_check(&fleet, 3, 1000, &err), -1);
    ck_assert_str_eq(err.text,
                     "output.queries: all: 7.2e+03 million queries, and a file holds 4295 "
                     "million; expected fewer, or slowest N");
    fleet.all_queries = false;
    fleet.sample_frac = 0;
    fleet.n_slowest = 100;
    ck_assert_int_eq(footprint_check(&fleet, 3, 1, &err), 0);
    ck_assert_double_lt(footprint_of(&fleet, 3).kept_bytes, 1e6);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", memory}, {"core", time_of_events}, {"errors", refused}, {"errors", all_queries}};
    return suite_run("footprint", tests, sizeof tests / sizeof *tests);
}
