// SPDX-License-Identifier: Apache-2.0
#include "cluster/fixture_studies.h"

#include "base/simtime.h"
#include "cluster/policy.h"
#include "models/cost_table.h"

static void init(struct fixture *fixture, const char *policy, uint32_t n_services,
                 uint32_t n_groups, uint32_t n_cells)
{
    fixture_init(fixture, n_services, n_groups);
    fixture->config.duration_ns = 8 * SIMTIME_MS;
    fixture->config.n_cells = n_cells;
    fixture_set_policy(fixture, policy);
}

// Idle cores become slow within about a gap between queries.
static void set_cold(struct cost_config *config)
{
    config->cold_factor = 1.8;
    config->cooling_s = 100e-6;
    config->warming_s = 50e-6;
}

void fixture_random_plain(struct fixture *f)
{
    init(f, "random", 1, 1, 1);
}

void fixture_two_choices_accelerator(struct fixture *f)
{
    init(f, "power-of-two", 2, 2, 3);
    fixture_attach(f, 1, 2, true, 100);
    f->groups[0].n_servers = 7;
}

void fixture_shortest_queue_noise(struct fixture *f)
{
    init(f, "join-shortest-queue", 1, 2, 1);
    f->groups[0].noise = (struct noise_config){.spread = SPREAD_EXPONENTIAL, .cv = 0};
    f->cost_configs[1].contention_frac = 0.4;
    set_cold(&f->cost_configs[0]);
    f->config.balancer.report_period_ns = 200 * SIMTIME_US;
    f->config.balancer.load = LOAD_REQUESTS;
}

static void size_aware_wide(struct fixture *f)
{
    init(f, "size-aware", 1, 2, 2);
    f->platforms[1].cores = 70;
    f->groups[1].n_servers = 3;
    f->groups[1].weight = 3;
    set_cold(&f->cost_configs[1]);
    f->config.balancer.status_delay_ns = 0;
    f->config.balancer.load = LOAD_ITEMS;
}

static void round_robin_many_cells(struct fixture *f)
{
    init(f, "round-robin", 1, 3, 5);
}

static void weighted_overload(struct fixture *f)
{
    init(f, "weighted", 2, 2, 2);
    f->groups[1].weight = 2.5;
    fixture_set_load(f, 1.4);
}

// A measurement: shorter for 8 items than for 1, and with four busy cores than with one.
static double dip_batches[] = {1, 8, 32}, dip_busy[] = {1, 4};
static double dip_seconds[] = {20e-6, 12e-6, 40e-6, 16e-6, 10e-6, 30e-6};
static const struct cost_table dip = {
    .batches_items = {3, dip_batches}, .busy_cores = {2, dip_busy}, .seconds_s = {6, dip_seconds}};

static void least_work_old_news(struct fixture *f)
{
    init(f, "least-work", 2, 2, 1);
    f->cost_configs[0] = (struct cost_config){.kind = cost_type_find("table"), .measured = &dip};
    f->config.balancer.status_delay_ns = SIMTIME_MS;
    f->config.balancer.return_delay_ns = 30 * SIMTIME_US;
}

static void five_choices_replies(struct fixture *f)
{
    init(f, "power-of-d", 1, 1, 1);
    settings_set_number(&f->config.balancer.settings, "d", 5);
    f->groups[0].n_servers = 2; // fewer than ranks
}

// Two services of other processes than Poisson, gamma noise, one of them bursty, and a sample.
static void bursty_normal_noise(struct fixture *f)
{
    init(f, "power-of-two", 2, 2, 2);
    f->services[0].traffic.arrivals.process = arrival_find("gamma");
    f->services[0].traffic.arrivals.cv = 3;
    f->services[1].traffic.arrivals.process = arrival_find("hyperexponential");
    f->services[1].traffic.arrivals.cv = 2;
    f->groups[1].noise = (struct noise_config){SPREAD_GAMMA, 0.7, 300 * SIMTIME_US, 0.8};
    f->groups[0].slow = (struct slow_config){.frac = 0.25, .factor = 1.6};
    f->config.sample_frac = 0.05;
    f->config.n_slowest = 20;
    fixture_attach(f, 0, 1, false, 200);
}

// Queues at servers of one group, split at those of the other, and a balancer that listens.
static void queues_two_choices(struct fixture *f)
{
    init(f, "power-of-two", 2, 2, 2);
    fixture_attach(f, 0, 1, true, 1);
    fixture_set_scheduler(f, 0, "queue", "policy: pull, batch_items: 32, accel_items: 500");
    f->groups[1].noise = (struct noise_config){.spread = SPREAD_GAMMA, .cv = 0.7};
    f->config.balancer.load = LOAD_ITEMS;
}

// Batches that wait for more, with long pauses between bursts; nobody else merges.
static void queues_bursty(struct fixture *f)
{
    init(f, "join-shortest-queue", 2, 1, 3);
    f->services[0].traffic.arrivals.process = arrival_find("gamma");
    f->services[0].traffic.arrivals.cv = 5;
    f->services[1].traffic.arrivals.process = arrival_find("hyperexponential");
    f->services[1].traffic.arrivals.cv = 4;
    fixture_set_scheduler(f, 0, "queue", "policy: batch, batch_items: 600, max_delay: 700us");
    f->config.sample_frac = 0.05;
}

// More than there is time for, shared requests, times by busy cores, and nobody listens.
static void queues_overload(struct fixture *f)
{
    init(f, "random", 1, 1, 2);
    f->cost_configs[0].contention_frac = 0.4;
    fixture_set_scheduler(f, 0, "queue", "policy: coalesce, batch_items: 48");
    fixture_set_load(f, 1.5);
}

// Every way on a group of its own, beside servers that split; two services, one with histories;
// accelerators with copies beside computations, as many batches in flight as there are streams, or
// fewer; slow servers, noise, and queries that stay whole or are cut.
static void queues_all_ways(struct fixture *f)
{
    init(f, "weighted", 2, 3, 2);
    fixture_attach(f, 1, 2, true, 1);
    fixture_attach(f, 2, 3, false, 1);
    fixture_set_scheduler(f, 0, "queue",
                          "policy: batch, batch_items: 70, max_delay: 200us, split: true");
    fixture_set_scheduler(f, 1, "queue",
                          "policy: coalesce, batch_items: 40, batch_queries: 3, accel_items: 300");
    fixture_set_scheduler(f, 2, "queue",
                          "policy: batch, accel_items: 250, max_delay: 90us, in_flight: 2, "
                          "in_flight_per: stream");
    f->groups[0].slow = (struct slow_config){.frac = 0.25, .factor = 1.6};
    f->groups[2].noise = (struct noise_config){SPREAD_GAMMA, 0.7, 300 * SIMTIME_US, 0.8};
    f->services[1].traffic.has_history = true;
    f->services[1].traffic.history = (struct size_config){
        .distribution = qsize_find("lognormal"), .mu = 3, .sigma = 1, .max_items = 300};
    for (uint32_t at = 1; at < FIXTURE_COSTS; at += 2) {
        f->cost_configs[at].history_item_s = 0.1e-6;
        f->cost_configs[at].accel_item_history_s = 0.3e-9;
    }
    f->config.sample_frac = 0.05;
    f->config.n_slowest = 20;
}

// Services of one group that are taken in different ways, and reports by period.
static void queues_mixed(struct fixture *f)
{
    init(f, "size-aware", 2, 1, 2);
    fixture_attach(f, 0, 1, true, 1);
    fixture_set_scheduler(f, 0, "queue", "policy: pull, batch_items: 16, accel_items: 200");
    settings_set_number(&f->settings[1], "accel_items", 0);
    settings_set(&f->settings[1], "policy", "coalesce", NULL);
    f->config.balancer.load = LOAD_WORK;
    f->config.balancer.report_period_ns = 150 * SIMTIME_US;
    fixture_set_load(f, 1.1);
}

void (*const fixture_studies[])(struct fixture *) = {fixture_random_plain,
                                                     fixture_two_choices_accelerator,
                                                     fixture_shortest_queue_noise,
                                                     size_aware_wide,
                                                     round_robin_many_cells,
                                                     weighted_overload,
                                                     least_work_old_news,
                                                     five_choices_replies,
                                                     bursty_normal_noise,
                                                     queues_two_choices,
                                                     queues_bursty,
                                                     queues_overload,
                                                     queues_all_ways,
                                                     queues_mixed,
                                                     NULL};
