// SPDX-License-Identifier: Apache-2.0
#include "cluster/fixture_outages.h"

#include "base/simtime.h"
#include "cluster/policy.h"

static void init(struct fixture *f, int64_t duration_ns, const char *policy, uint32_t n_cells)
{
    fixture_init(f, 2, 2);
    f->config.duration_ns = duration_ns;
    f->config.n_cells = n_cells;
    fixture_set_policy(f, policy);
    f->config.outages.detect_delay_ns = 100 * SIMTIME_US;
    f->config.outages.events = f->events;
    f->groups[0].n_servers = 7;
    f->groups[1].n_servers = 6;
}

// Three times in the run each server is down, for a tenth of its time.
static void crash_at_random(struct fixture *f)
{
    f->config.outages.mtbf_s = 0.3 * simtime_to_s(f->config.duration_ns);
    f->config.outages.mttr_s = 0.03 * simtime_to_s(f->config.duration_ns);
}

static struct outage_event *add_event(struct fixture *f, int kind, double at_frac, double for_frac)
{
    double duration_ns = (double)f->config.duration_ns;
    struct outage_event *event = &f->events[f->config.outages.n_events++];
    *event = (struct outage_event){.at_ns = (int64_t)(at_frac * duration_ns),
                                   .for_ns = (int64_t)(for_frac * duration_ns),
                                   .kind = kind};
    return event;
}

static void add_cell(struct fixture *f, int kind, uint32_t cell, double at_frac, double for_frac)
{
    struct outage_event *event = add_event(f, kind, at_frac, for_frac);
    event->whole_cell = true;
    event->cell = cell;
}

static void add_server(struct fixture *f, int kind, uint32_t group, uint32_t server, double at_frac,
                       double for_frac)
{
    struct outage_event *event = add_event(f, kind, at_frac, for_frac);
    event->group = group;
    event->server = server;
}

static void random_crashes_retries(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "random", 2);
    crash_at_random(f);
    f->config.outages.retries = 2;
    f->config.outages.retry_delay_ns = 70 * SIMTIME_US;
    f->groups[1].noise = (struct noise_config){.spread = SPREAD_EXPONENTIAL, .cv = 0};
}

void fixture_outage_cells(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "power-of-two", 3);
    crash_at_random(f);
    add_cell(f, OUTAGE_CRASH, 1, 0.2, 0.15);
    add_cell(f, OUTAGE_DRAIN, 2, 0.3, 0.25);
    add_cell(f, OUTAGE_DRAIN, 1, 0.8, 0.15);
    f->config.outages.retries = 1;
    f->config.outages.failover = true;
    f->config.balancer.report_period_ns = 150 * SIMTIME_US;
    fixture_attach(f, 1, 2, true, 100);
}

static const uint32_t by_three[] = {3, 7, 5}, by_two[] = {6, 2};

static void weighted_schedule(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "weighted", 2);
    f->groups[0].on = (struct on_schedule){by_three, 3, duration_ns / 5, duration_ns / 50, 30000};
    f->groups[1].on = (struct on_schedule){by_two, 2, duration_ns / 7, 0, 0};
    f->groups[1].weight = 2.5;
    add_server(f, OUTAGE_CRASH, 0, 2, 0.1, 0.3);
    add_cell(f, OUTAGE_CRASH, 0, 0.5, 0.1);
    f->config.outages.retries = 3;
    f->config.outages.failover = true;
    f->config.balancer.return_delay_ns = 30 * SIMTIME_US;
}

// For a while everything is out, and nobody knows at first.
static void shortest_queue_dark(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "join-shortest-queue", 2);
    add_cell(f, OUTAGE_CRASH, 0, 0.3, 0.2);
    add_cell(f, OUTAGE_CRASH, 1, 0.4, 0.3);
    add_server(f, OUTAGE_DRAIN, 1, 5, 0, 2);
    f->config.balancer.load = LOAD_REQUESTS;
    f->config.outages.retries = 3;
    f->config.outages.retry_delay_ns = 1;
    f->config.outages.failover = true;
    f->config.outages.detect_delay_ns = 0;
    f->groups[0].noise = (struct noise_config){SPREAD_GAMMA, 0.7, 500 * SIMTIME_US, 0.7};
    f->groups[1].slow = (struct slow_config){.frac = 0.3, .factor = 2};
}

static void least_work_no_retries(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "least-work", 1);
    crash_at_random(f);
    add_cell(f, OUTAGE_CRASH, 0, 0.6, 0.1);
    add_server(f, OUTAGE_CRASH, 0, 0, 0.2, 0.4);
}

static void size_aware_no_status_delay(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "size-aware", 2);
    crash_at_random(f);
    f->platforms[1].cores = 70;
    f->config.balancer.status_delay_ns = 0;
    f->config.balancer.load = LOAD_ITEMS;
    f->config.outages.retries = 1;
    fixture_attach(f, 0, 1, false, 200);
}

// Nothing is heard, so windows end where members change and nowhere else.
static void round_robin_drains(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "round-robin", 3);
    add_cell(f, OUTAGE_DRAIN, 0, 0.1, 0.3);
    add_cell(f, OUTAGE_CRASH, 2, 0.35, 0.2);
    add_server(f, OUTAGE_DRAIN, 0, 3, 0.5, 0.1);
    add_server(f, OUTAGE_CRASH, 1, 1, 0.7, 0.1);
    f->config.outages.failover = true;
}

// Servers go down with queries that wait, and nothing is tried again.
static void queues_no_retries(struct fixture *f, int64_t duration_ns)
{
    least_work_no_retries(f, duration_ns);
    fixture_set_scheduler(f, 0, "queue", "policy: batch, batch_items: 300, max_delay: 300us");
    f->config.balancer.load = LOAD_QUERIES;
}

// The same with what is under way on a link and on streams, and cells that are out.
static void queues_in_flight(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "power-of-two", 2);
    crash_at_random(f);
    add_cell(f, OUTAGE_CRASH, 0, 0.3, 0.1);
    add_cell(f, OUTAGE_DRAIN, 1, 0.6, 0.2);
    f->config.outages.failover = true;
    fixture_attach(f, 0, 2, true, 1);
    fixture_set_scheduler(f, 0, "queue",
                          "policy: batch, accel_items: 400, max_delay: 100us, in_flight: 3");
    fixture_set_scheduler(f, 1, "queue", "policy: pull, batch_items: 24");
}

// Lost queries wait longer than most others take; five draws of few servers of two weights.
static void five_choices_late_retries(struct fixture *f, int64_t duration_ns)
{
    init(f, duration_ns, "power-of-d", 2);
    crash_at_random(f);
    settings_set_number(&f->config.balancer.settings, "d", 5);
    f->groups[1].weight = 2;
    f->config.outages.retries = 2;
    f->config.outages.retry_delay_ns = duration_ns / 10;
    f->config.balancer.dispatch_delay_ns = 0;
}

void (*const fixture_outages[])(struct fixture *, int64_t) = {random_crashes_retries,
                                                              fixture_outage_cells,
                                                              weighted_schedule,
                                                              shortest_queue_dark,
                                                              least_work_no_retries,
                                                              size_aware_no_status_delay,
                                                              round_robin_drains,
                                                              five_choices_late_retries,
                                                              queues_no_retries,
                                                              queues_in_flight,
                                                              NULL};
