// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/find_servers.h"

#include <math.h>

#include "capacity/efficiency.h"
#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"

static void find(struct capacity_fixture *f, const char *text)
{
    struct err err = {0};
    capacity_fixture_open(f, text, NULL);
    bool cores = f->context.study->capacity.find == FIND_CORES;
    ck_assert_msg(efficiency_find(&f->context, !cores, &err) == 0, "%s", err.text);
    ck_assert_msg(find_servers_run(&f->context, &err) == 0, "%s", err.text);
}

// What is left when the fullest cells are gone, by counting cells.
START_TEST(counts_what_is_left)
{
    for (uint32_t n_cells = 1; n_cells <= 5; n_cells++)
        for (uint32_t n = n_cells; n < 30; n++)
            for (uint32_t down = 0; down < n_cells; down++) {
                uint32_t left = 0;
                for (uint32_t c = down; c < n_cells; c++) // cells with an odd server come first
                    left += n / n_cells + (c < n % n_cells);
                ck_assert_uint_eq(find_servers_left(n, n_cells, down), left);
            }
}
END_TEST

// The least whole fleet leaves enough, and one server less does not.
START_TEST(whole_is_the_least_that_leaves_enough)
{
    for (uint32_t n_cells = 1; n_cells <= 5; n_cells++)
        for (uint32_t down = 0; down < n_cells; down++)
            for (uint32_t left = n_cells - down; left < 40; left++) {
                uint32_t n = find_servers_whole(left, n_cells, down);
                ck_assert_uint_ge(find_servers_left(n, n_cells, down), left);
                ck_assert_uint_lt(find_servers_left(n - 1, n_cells, down), left);
            }
}
END_TEST

// M/M/k with a load of 5 and 95 % of sojourns within 3.4 service times: six cores leave 10.0 %
// late, seven 4.4 % (Erlang C). With a tenth more traffic seven leave 5.8 % late, eight 3.9 %.
START_TEST(cores_are_those_of_erlang)
{
    struct capacity_fixture f;
    find(&f, "duration: 1s\n"
             "traffic: [{service: a, rate: 5000qps, sizes: {distribution: fixed, items: 1}, sla: "
             "{p95: 3.4ms}}]\n"
             "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}, noise: "
             "exponential}]}\n"
             "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
             "capacity: {find: cores, max_queries: 1000000}\n");
    const struct capacity_size *row = &f.context.answer->sizes[0], *more = row + 1;
    ck_assert_uint_eq(f.context.answer->n_sizes, 2);
    ck_assert_int_eq(row->state, CAPACITY_FOUND);
    ck_assert_uint_eq(row->n, 7);
    ck_assert_double_eq_tol(row->bound_qps, 7000, 1e-6);
    ck_assert_double_eq_tol(row->at_n.cpu_util_frac, 5.0 / 7, 0.02);
    ck_assert_int_eq(row->at_n.sla, VERDICT_MET);
    ck_assert_int_eq(row->below.sla, VERDICT_MISSED);
    ck_assert_double_eq(row->margin_frac, 0);
    ck_assert_int_eq(more->state, CAPACITY_FOUND);
    ck_assert_uint_eq(more->n, 8);
    ck_assert_double_eq(more->margin_frac, 0.1);
    ck_assert_double_eq_tol(more->rate_qps, 5500, 1e-6);
    ck_assert_double_eq_tol(more->at_n.cpu_util_frac, 5.5 / 8, 0.02);
    capacity_fixture_close(&f);
}
END_TEST

// Of two services with different percentiles, each is held to its own: a load of 9 and 95 % of one
// service's sojourns within 5 service times ask for ten cores, which leave 2.9 % late; the other's
// 99 % are never near their target.
START_TEST(each_service_is_held_to_its_own_percentile)
{
    struct capacity_fixture f;
    find(&f, "duration: 1s\n"
             "traffic:\n"
             "  - {service: a, rate: 4500qps, sizes: {distribution: fixed, items: 1}, sla: {p95: "
             "5ms}}\n"
             "  - {service: b, rate: 4500qps, sizes: {distribution: fixed, items: 1}, sla: {p99: "
             "500ms}}\n"
             "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}, noise: "
             "exponential}]}\n"
             "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
             "capacity: {find: cores, max_queries: 1000000, margin: 0}\n");
    const struct capacity_size *row = &f.context.answer->sizes[0];
    const struct measurement *services = f.context.answer->size_services;
    ck_assert_uint_eq(f.context.answer->n_sizes, 1);
    ck_assert_int_eq(row->state, CAPACITY_FOUND);
    ck_assert_uint_eq(row->n, 10);
    ck_assert_uint_eq(row->binding, 0); // each with its own target, late queries and throughput
    ck_assert_double_eq_tol(services[0].sla_s, 5e-3, 1e-9);
    ck_assert_double_eq_tol(services[0].late_frac.value, 0.029, 0.004);
    ck_assert_double_eq_tol(services[0].served_qps, 4500, 100);
    ck_assert_double_eq_tol(services[1].sla_s, 0.5, 1e-9);
    ck_assert_double_eq_tol(services[1].allowed_frac, 0.01, 1e-9);
    ck_assert_double_eq_tol(services[1].late_frac.value, 0, 1e-9);
    ck_assert_int_eq(services[1].sla, VERDICT_MET);
    capacity_fixture_close(&f);
}
END_TEST

// With one cell of four gone the other three need what a fleet of three cells needs, and the whole
// fleet has a fourth cell on top. Rows count the servers of the whole fleet and their price.
START_TEST(lost_cells_are_made_up_for)
{
    struct capacity_fixture f;
    find(
        &f,
        "duration: 1s\n"
        "traffic: [{service: a, rate: 60000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: "
        "4ms}}]\n"
        "fleet: {cells: 4, groups: [{cores: 8, servers: 12, price: 2usd/h, cost: {kind: synthetic, "
        "fixed: 1ms}, noise: exponential}]}\n"
        "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
        "capacity: {cells_down: [0, 1], margin: 0, queries: 10000, max_queries: 200000}\n"
        "tune: {accuracy: 5%, queries: 5000, max_queries: 40000}\n");
    const struct capacity_size *all = &f.context.answer->sizes[0],
                               *lost = &f.context.answer->sizes[1];
    ck_assert_uint_eq(f.context.answer->n_sizes, 2);
    ck_assert_uint_eq(lost->cells_down, 1);
    ck_assert_uint_gt(all->n, 7); // 7.5 servers' worth of work
    uint32_t left = find_servers_left(lost->n, 4, 1);
    // Three cells of the same servers split otherwise: within one per cell.
    ck_assert_uint_le(left, all->n + 3);
    ck_assert_uint_ge(left + 3, all->n);
    ck_assert_uint_gt(lost->n, all->n);
    ck_assert_double_eq_tol(all->cost_usd_per_h, 2.0 * all->n, 1e-9);
    ck_assert_double_eq_tol(lost->bound_qps, 8000.0 * left, 1e-6);
    capacity_fixture_close(&f);
}
END_TEST

// Queries of 1 ms within a p99 of 5 ms share servers with few of 40 ms: who meets one of these is
// late, so mixed at random the fleet must be idle for 98 %, as pools it need not, and where the
// balancer knows what its servers have left to do it need not either.
START_TEST(mixed_services_cost_servers)
{
    struct capacity_fixture f;
    if (suite_mpi_size() > 1) // ranks wait for each other at each of very many windows
        return;
    find(&f, "duration: 1s\n"
             "traffic:\n"
             "  - {service: short, rate: 2000qps, sizes: {distribution: fixed, items: "
             "1}, sla: {p99: 5ms}}\n"
             "  - {service: long, rate: 20qps, sizes: {distribution: fixed, items: "
             "40}, sla: {p95: 200ms}}\n"
             "fleet: {groups: [{name: web, cores: 1, servers: 4, cost: {kind: synthetic, per_item: "
             "1ms}}]}\n"
             "balancer: {policy: random, dispatch_delay: 250us, status_delay: 250us}\n"
             "capacity: {queries: 5000, max_queries: 20000, margin: 0}\n"
             "tune: {accuracy: 5%, queries: 5000, max_queries: 40000}\n");
    const struct capacity_size *row = &f.context.answer->sizes[0];
    ck_assert_uint_eq(row->binding, 0);
    ck_assert_uint_ge(row->n, 60); // 0.8 servers' time with 4 ms and more to go, of a hundredth
    ck_assert_uint_ge(row->n_pools, 5);
    ck_assert_uint_le(row->n_pools, 7); // work for 2 and 0.8, of M/D/1 queues
    ck_assert_uint_ge(row->n_least_work, 4);
    ck_assert_uint_le(row->n_least_work, 8);
    capacity_fixture_close(&f);
}
END_TEST

// Work for three servers and no more than two allowed: beyond, and nothing was simulated for it.
START_TEST(hopeless_sizes_are_not_simulated)
{
    struct capacity_fixture f;
    find(&f, ASK_SYNTHETIC "capacity: {max_servers: 2, schedulers: [fixed]}\n");
    const struct capacity_size *row = &f.context.answer->sizes[0];
    ck_assert_int_eq(row->state, CAPACITY_BEYOND);
    ck_assert_uint_eq(row->n, 2);
    ck_assert_uint_eq(row->n_runs, 0);
    capacity_fixture_close(&f);
}
END_TEST

// 95 % of the service times alone end within 3 ms; 2 ms are out of reach of any number of cores,
// and it does not take the million that may be tried to say so.
START_TEST(targets_out_of_reach_are_given_up)
{
    struct capacity_fixture f;
    find(&f, "duration: 1s\n"
             "traffic: [{service: a, rate: 1500qps, sizes: {distribution: fixed, items: 1}, sla: "
             "{p95: 2ms}}]\n"
             "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}, noise: "
             "exponential}]}\n"
             "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
             "capacity: {find: cores, queries: 2000, max_queries: 20000}\n");
    const struct capacity_size *row = &f.context.answer->sizes[0];
    ck_assert_int_eq(row->state, CAPACITY_BEYOND);
    ck_assert_uint_eq(row->n, 2000); // a thousand times the least
    ck_assert_int_eq(row->at_n.sla, VERDICT_MISSED);
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", counts_what_is_left},
                                       {"core", whole_is_the_least_that_leaves_enough},
                                       {"core", cores_are_those_of_erlang},
                                       {"core", each_service_is_held_to_its_own_percentile},
                                       {"core", lost_cells_are_made_up_for},
                                       {"core", mixed_services_cost_servers},
                                       {"limits", targets_out_of_reach_are_given_up},
                                       {"limits", hopeless_sizes_are_not_simulated}};
    return suite_mpi_run(&argc, &argv, "find_servers", tests, sizeof tests / sizeof *tests);
}
