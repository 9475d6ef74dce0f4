// SPDX-License-Identifier: Apache-2.0
#include "capacity/sample_fleet.h"

#include <string.h>

#include "capacity/sample_fixture.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "support/suite.h"

// Over many numbers the simulated cell has the mean number of servers of each group, and its
// traffic is always that of its share of servers. 13 and 6 servers in 4 cells: 3.25 and 1.5 a cell.
START_TEST(cells_are_drawn_evenly)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    double sum[2] = {0, 0};
    n_servers[0] = 13;
    n_servers[1] = 6;
    for (uint64_t i = 0; i < 4000; i++) {
        const struct slice slice = sample_fixture_slice(&fleet, i, 1);
        struct sample_fleet *sampled = sample_fleet_create(&slice);
        ck_assert_uint_eq(sampled->fleet.n_groups, 2);
        sum[0] += sampled->fleet.groups[0].n_servers;
        sum[1] += sampled->fleet.groups[1].n_servers;
        ck_assert_double_eq_tol(sampled->services[0].traffic.rate_qps / 20000,
                                (double)sampled->n_servers / 19, 1e-12);
        sample_fleet_destroy(sampled);
    }
    // 4 standard deviations of a mean of 4000 draws with a spread of at most 0.5: 0.032.
    ck_assert_double_eq_tol(sum[0] / 4000, 3.25, 0.032);
    ck_assert_double_eq_tol(sum[1] / 4000, 1.5, 0.032);
    study_destroy(study);
}
END_TEST

// Over many numbers the simulated cell has the mean number of slow servers, although a tenth of the
// three or four in it is none.
START_TEST(slow_servers_come_along)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    uint32_t n_slow = 0;
    study->group_configs[0].slow = (struct slow_config){.frac = 0.1, .factor = 2};
    n_servers[0] = 13;
    n_servers[1] = 6;
    for (uint64_t i = 0; i < 4000; i++) {
        const struct slice slice = sample_fixture_slice(&fleet, i, 1);
        struct sample_fleet *sampled = sample_fleet_create(&slice);
        const struct group_config *group = &sampled->fleet.groups[0];
        n_slow += slow_count(&group->slow, 0, group->n_servers);
        sample_fleet_destroy(sampled);
    }
    // One of 13 is slow, in one of four cells; 4 standard deviations of a mean of 4000 draws:
    // 0.028.
    ck_assert_double_eq_tol(n_slow / 4000.0, 0.25, 0.028);
    study_destroy(study);
}
END_TEST

// All cells are the whole fleet, with all of its traffic; the choices stand in the dispatch.
START_TEST(the_whole_is_the_whole)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct settings choices[4];
    for (int i = 0; i < 4; i++)
        choices[i] = sched_plain(&sched_split, i + 1, 1);
    settings_set_number(&choices[2], "offload_items", 50);
    fleet.choices = choices;
    fleet.n_cores = 3;
    const struct slice slice = sample_fixture_slice(&fleet, 1, 9);
    struct sample_fleet *sampled = sample_fleet_create(&slice);
    ck_assert_uint_eq(sampled->fleet.n_cells, 4);
    ck_assert_uint_eq(sampled->n_servers, 16);
    ck_assert(sampled->services[1].traffic.rate_qps == 8000);
    ck_assert_ptr_eq(sampled->fleet.sizes[1], study->sizes[1]);
    ck_assert_int_eq(sched_dispatch(&sampled->fleet.groups[1], 0).batch_items, 3);
    ck_assert_int_eq(sched_dispatch(&sampled->fleet.groups[1], 0).offload_items,
                     0); // there is no accelerator
    ck_assert_int_eq(sched_dispatch(&sampled->fleet.groups[0], 1).batch_items, 2);
    ck_assert_int_eq(sampled->fleet.groups[0].platform->cores, 3);
    // In 250 ms 5000 of a and, of b, whose curve rises from a half by a twelfth per second, 1020.8.
    ck_assert_double_eq_tol(sample_fleet_queries(sampled), 6020.83, 0.01);
    sample_fleet_destroy(sampled);
    study_destroy(study);
}
END_TEST

// Begun before midnight or days later, the curve is at the same place.
START_TEST(the_day_goes_round)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    const double starts_s[] = {-1, 23, 47, -25};
    for (int i = 0; i < 4; i++) {
        struct slice slice = sample_fixture_slice(&fleet, 1, 1);
        slice.start_s = starts_s[i];
        struct sample_fleet *sampled = sample_fleet_create(&slice);
        ck_assert_double_eq_tol(sampled->services[1].traffic.arrivals.start_s, 23, 1e-9);
        sample_fleet_destroy(sampled);
    }
    study_destroy(study);
}
END_TEST

// At a given rate a day stands still, with the bursts that were on top of it; what has no day goes
// on as it was.
START_TEST(bursts_stay_at_a_rate)
{
    static double rates_frac[] = {1, 5}, holds_s[] = {1, 0.25};
    struct study *study = sample_fixture_study();
    struct arrival_config *b = &study->services[1].traffic.arrivals,
                          *a = &study->services[0].traffic.arrivals;
    const struct reals own_rates = b->state_rate_frac, own_holds = b->state_hold_s;
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct slice slice = sample_fixture_slice(&fleet, 1, 4);
    const double rates_qps[2] = {700, 500};
    const char *const expected[] = {"poisson", "gamma", "mmpp"};
    slice.rates_qps = rates_qps;
    a->process = arrival_find("hyperexponential");
    a->cv = 2;
    for (int k = 0; k < 3; k++) {
        b->cv = k == 1 ? 3 : 1;
        b->state_rate_frac = k == 2 ? (struct reals){2, rates_frac} : (struct reals){0, NULL};
        b->state_hold_s = k == 2 ? (struct reals){2, holds_s} : (struct reals){0, NULL};
        struct sample_fleet *sampled = sample_fleet_create(&slice);
        ck_assert_int_eq(sampled->services[1].traffic.arrivals.process, arrival_find(expected[k]));
        ck_assert_double_eq(sampled->services[1].traffic.rate_qps, 500);
        ck_assert_int_eq(sampled->services[0].traffic.arrivals.process, a->process);
        sample_fleet_destroy(sampled);
    }
    b->state_rate_frac = own_rates; // which the study releases
    b->state_hold_s = own_holds;
    study_destroy(study);
}
END_TEST

// A service of no rate and a group of no servers are left out; of nothing there is no cut.
START_TEST(leaves_out_what_does_nothing)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    const double rates[2] = {0, 500}, none[2] = {0, 0};
    struct slice slice = sample_fixture_slice(&fleet, 1, 4);
    n_servers[0] = 0;
    slice.rates_qps = rates;
    struct sample_fleet *sampled = sample_fleet_create(&slice);
    ck_assert_uint_eq(sampled->fleet.n_services, 1);
    ck_assert_uint_eq(sampled->slots[0], SAMPLE_FLEET_NO_SLOT);
    ck_assert_uint_eq(sampled->slots[1], 0);
    ck_assert_uint_eq(sampled->fleet.n_groups, 1);
    ck_assert_str_eq(sampled->fleet.groups[0].name, "odd");
    ck_assert_double_eq_tol(sample_fleet_queries(sampled), 125, 1e-9);
    sample_fleet_destroy(sampled);
    slice.rates_qps = none;
    ck_assert_ptr_null(sample_fleet_create(&slice));
    slice.rates_qps = rates;
    n_servers[1] = 0;
    ck_assert_ptr_null(sample_fleet_create(&slice));
    study_destroy(study);
}
END_TEST

// Three servers in a fleet of four cells are three cells of one.
START_TEST(no_cell_without_servers)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    n_servers[0] = 2;
    n_servers[1] = 1;
    for (uint64_t i = 0; i < 20; i++) {
        const struct slice one = sample_fixture_slice(&fleet, i, 1),
                           all = sample_fixture_slice(&fleet, i, 4);
        struct sample_fleet *sampled = sample_fleet_create(&one);
        ck_assert_uint_eq(sampled->n_servers, 1);
        ck_assert_uint_eq(sampled->fleet.n_groups, 1);
        sample_fleet_destroy(sampled);
        sampled = sample_fleet_create(&all);
        ck_assert_uint_eq(sampled->fleet.n_cells, 3);
        ck_assert_uint_eq(sampled->n_servers, 3);
        sample_fleet_destroy(sampled);
    }
    study_destroy(study);
}
END_TEST

// Whatever decides the answer is told; who asks is not.
START_TEST(tells_what_decides)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers), weighted = fleet;
    const double weights[2] = {3, 1};
    weighted.weights = weights;
    struct slice slices[7];
    struct blob told[7] = {0};
    for (int i = 0; i < 7; i++)
        slices[i] = sample_fixture_slice(&fleet, 1, 2);
    slices[1].number = 2;
    slices[2].n_cells = 3;
    slices[3].start_s = 1;
    slices[4].warmup_ns = 1;
    slices[5].n_bins = 5;
    slices[6].fleet = &weighted;
    for (int i = 0; i < 7; i++) {
        struct blob same = {0};
        sample_fleet_describe(&slices[i], &told[i]);
        sample_fleet_describe(&slices[i], &same);
        ck_assert_uint_eq(same.n, told[i].n);
        ck_assert_mem_eq(same.bytes, told[i].bytes, same.n);
        for (int k = 0; k < i; k++)
            ck_assert(told[k].n != told[i].n ||
                      memcmp(told[k].bytes, told[i].bytes, told[i].n) != 0);
        blob_release(&same);
    }
    for (int i = 0; i < 7; i++)
        blob_release(&told[i]);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", cells_are_drawn_evenly},
                                       {"core", the_whole_is_the_whole},
                                       {"core", slow_servers_come_along},
                                       {"core", bursts_stay_at_a_rate},
                                       {"core", the_day_goes_round},
                                       {"core", tells_what_decides},
                                       {"limits", leaves_out_what_does_nothing},
                                       {"limits", no_cell_without_servers}};
    return suite_run("sample_fleet", tests, sizeof tests / sizeof *tests);
}
