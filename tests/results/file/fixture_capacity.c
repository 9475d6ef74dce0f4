// SPDX-License-Identifier: Apache-2.0
#include "results/file/fixture_capacity.h"

#include <math.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"

#define INTERVAL_H 6

static const char *const schedulers[] = {"fixed", "deeprecsched"};
static const char *const types[] = {"skylake", "cpu + gpu, ti"};
static const char *const services[] = {"feed", "ads"};
static const double load_qps[] = {1000, 2000, 4000, 3000};

static void name_all(char **names, const char *const *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        names[i] = mem_strdup(from[i]);
}

static struct capacity_result *begin(const char *find, const struct capacity_shape *shape)
{
    struct capacity_result *s = capacity_result_create(shape);
    s->name = mem_strdup("fleet");
    s->program_version = mem_strdup("0.0.test");
    s->study = mem_strdup("name: fleet\n# ±\n");
    s->find = mem_strdup(find);
    s->objective = mem_strdup("");
    s->objective_unit = mem_strdup("");
    s->seed = UINT64_C(0xfedcba9876543210);
    s->headroom_frac = 0.1;
    s->margin_frac = 0.1;
    s->sla_quantile = 0.95;
    name_all(s->schedulers, schedulers, s->n_schedulers);
    name_all(s->types, types, s->n_types);
    name_all(s->services, services, s->n_services);
    for (uint32_t t = 0; t < s->n_types; t++) {
        s->available[t] = 500;
        s->price_usd_per_h[t] = t == 0 ? 0.5 : NAN;
    }
    for (uint32_t m = 0; m < s->n_services; m++)
        s->sla_s[m] = 0.1;
    return s;
}

static struct measurement trial(double p95_s, double util_frac)
{
    struct measurement t = measurement_none(VERDICT_NOT_ASKED);
    t.stable = t.sla = VERDICT_MET;
    t.p95_s.value = p95_s;
    t.p95_s.half_95 = p95_s / 100;
    t.sla_latency_s = t.p95_s; // the target's percentile
    t.allowed_frac = 0.05;
    t.p99_s.value = p95_s * 1.5;
    t.p99_s.half_95 = p95_s / 50;
    t.late_frac.value = 0.03;
    t.late_frac.half_95 = 0.002;
    t.lost_frac = 0;
    t.cpu_util_frac = util_frac;
    t.power_w = 2500;
    t.n_queries = UINT64_C(5000000000);
    return t;
}

// Of each service at an answer; the second is nearer to its target.
static void fill_services(struct measurement *services, double p95_s)
{
    for (uint32_t m = 0; m < 2; m++) {
        services[m] = trial(p95_s * (1 + m), 0.83);
        services[m].sla_s = 0.1;
        services[m].allowed_frac = 0.05;
        services[m].sla_latency_s = services[m].p95_s;
        services[m].served_qps = 4000;
    }
}

static void fill_tuples(struct capacity_result *s)
{
    s->chosen = fixture_chosen();
    for (uint32_t i = 0; i < s->n_schedulers * s->n_types * s->n_services; i++) {
        struct capacity_tuple *t = &s->tuples[i];
        t->settings[0] = 32 << i % 4;
        t->settings[1] = i % 2 ? 320 : 0;
        t->qps = 100.0 * (1 + i);
        t->missed_qps = t->qps * 1.02;
        t->idle_w = 90;
        t->at_qps = trial(0.099, 0.8);
        t->at_qps.power_w = 200;
    }
    s->tuples[3].state = CAPACITY_BEYOND; // the last of the first scheduler
    s->tuples[3].qps = NAN;
    s->tuples[3].at_qps = measurement_none(VERDICT_NOT_ASKED);
}

static void fill_demand(struct capacity_result *s)
{
    s->day_s = 4 * INTERVAL_H * 3600;
    s->interval_s = INTERVAL_H * 3600;
    s->startup_s = 300;
    s->min_on_s = 1800;
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t m = 0; m < 2; m++)
            s->demand[i * 2 + m] = (struct capacity_demand){load_qps[i], load_qps[i] * 1.1};
    }
    s->sample =
        (struct capacity_sample){12, 1000, 4, 0, 2, 2, 1, 1, INTERVAL_H * 3600, 1.4e7, 3.2e13};
}

// Latency of one plan: rises over the day; the first scheduler's tails are longer.
static void fill_trials(struct capacity_result *s, size_t plan)
{
    uint32_t scheduler = (uint32_t)(plan / (s->n_allocations * s->n_provisionings));
    bool first = scheduler == 0;
    for (uint32_t m = 0; m < 2; m++) {
        struct measurement all = trial(0.06, 0.6);
        for (uint32_t i = 0; i < 4; i++) {
            struct measurement t = trial(0.05 * (1 + 0.1 * i), 0.3 + 0.1 * i);
            t.p99_s.value *= first ? 1.28 : 1;
            t.p95_s.value *= first ? 1.32 : 1;
            t.sla_latency_s.value = t.p95_s.value;
            s->trials[(plan * 4 + i) * 2 + m] = t;
        }
        all.p99_s.value *= first ? 1.28 : 1;
        all.p95_s.value *= first ? 1.32 : 1;
        all.sla_latency_s.value = all.p95_s.value;
        s->days[plan * 2 + m] = all;
    }
}

static void fill_plan(struct capacity_result *s, uint32_t scheduler, uint32_t allocation,
                      bool follow)
{
    size_t plan = capacity_result_plan_at(s, scheduler, allocation, follow);
    struct capacity_total *total = &s->totals[plan];
    uint32_t each = (4 - allocation) * (scheduler == 0 ? 2 : 1);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t n = (uint32_t)load_qps[i] / 100 * each, n_on = follow ? n : 40 * each;
        struct capacity_step *step = &s->steps[plan * 4 + i];
        *step = (struct capacity_step){n_on,      follow ? n / 4 : 0, n * 200.0,
                                       n * 190.0, n_on * 200.0,       n_on * 210.0,
                                       NAN,       n_on * 60.0,        0};
        for (uint32_t t = 0; t < 2; t++) {
            s->n_on[(plan * 4 + i) * 2 + t] = n_on / 2;
            s->n_assigned[((plan * 4 + i) * 2 + t) * 2 + t] = n / 2;
        }
        total->server_h += n_on * INTERVAL_H;
    }
    total->peak_servers = 40 * each;
    total->starting_h = follow ? 2 : 0;
    total->planned_kwh = total->server_h * 0.2;
    total->simulated_kwh = total->server_h * 0.21;
    total->cost_usd = NAN;
    total->carbon_kg = total->server_h * 0.06;
    total->objective = total->server_h * 200;
    total->margin_servers = total->peak_servers + each;
    total->margin_cost_usd = NAN;
    total->n_met = 8;
    fill_trials(s, plan);
}

static void clear_totals(struct capacity_result *s)
{
    uint32_t n = s->n_schedulers * s->n_allocations * s->n_provisionings;
    for (uint32_t i = 0; i < n; i++)
        s->totals[i].server_h = 0;
}

struct capacity_result *fixture_capacity(void)
{
    static const char *const allocations[] = {"blind", "greedy", "optimal"};
    static const char *const provisionings[] = {"peak", "follow"};
    struct capacity_result *s = begin("plan", &(struct capacity_shape){2, 3, 2, 4, 2, 2, 0, 0});
    mem_free(s->objective);
    mem_free(s->objective_unit);
    s->objective = mem_strdup("power");
    s->objective_unit = mem_strdup("W");
    name_all(s->allocations, allocations, 3);
    name_all(s->provisionings, provisionings, 2);
    clear_totals(s);
    fill_tuples(s);
    fill_demand(s);
    for (uint32_t i = 0; i < 12; i++)
        fill_plan(s, i / 6, i / 2 % 3, i % 2);
    return s;
}

struct capacity_result *fixture_capacity_day(void)
{
    static const char *const given[] = {"given"};
    struct capacity_result *s = begin("day", &(struct capacity_shape){2, 1, 1, 4, 2, 2, 0, 0});
    name_all(s->allocations, given, 1);
    name_all(s->provisionings, given, 1);
    fill_demand(s);
    for (uint32_t plan = 0; plan < 2; plan++) {
        fill_trials(s, plan);
        for (uint32_t i = 0; i < 4; i++) {
            s->steps[plan * 4 + i].n_on = 200;
            s->steps[plan * 4 + i].simulated_w = 42000;
            s->n_on[(plan * 4 + i) * 2] = s->n_on[(plan * 4 + i) * 2 + 1] = 100;
        }
        s->trials[(plan * 4 + 2) * 2 + 1].sla = VERDICT_MISSED;
        s->totals[plan] = (struct capacity_total){.peak_servers = 200,
                                                  .server_h = 4800,
                                                  .planned_kwh = NAN,
                                                  .simulated_kwh = 1008,
                                                  .cost_usd = NAN,
                                                  .margin_cost_usd = NAN,
                                                  .carbon_kg = NAN,
                                                  .objective = NAN,
                                                  .n_met = 7,
                                                  .n_missed = 1};
    }
    return s;
}

struct capacity_result *fixture_capacity_sizes(void)
{
    struct capacity_result *s = begin("servers", &(struct capacity_shape){1, 0, 0, 0, 2, 2, 6, 0});
    for (uint32_t i = 0; i < 6; i++) {
        struct capacity_size *z = &s->sizes[i];
        bool found = i < 3;
        z->type = i / 3;
        z->cells_down = i % 3;
        z->state = found ? CAPACITY_FOUND : CAPACITY_RANGE;
        z->n = (found ? 40 : 20) + 3 * z->cells_down;
        z->n_least = z->n - (found ? 0 : 1);
        z->n_most = z->n + (found ? 0 : 2);
        z->rate_qps = 8000;
        z->bound_qps = 8800;
        z->cost_usd_per_h = found ? z->n * 0.5 : NAN;
        z->margin_frac = 0;
        z->binding = 1;
        z->n_pools = found ? 15 : 0;
        z->n_least_work = found ? 18 : 0;
        z->n_runs = 9;
        z->n_queries = 900000;
        z->at_n = trial(0.097, 0.83);
        z->below = trial(0.104, 0.86);
        z->below.sla = found ? VERDICT_MISSED : VERDICT_UNSURE;
        z->at_n.sla_s = 0.1;
        z->at_n.allowed_frac = 0.05;
        fill_services(s->size_services + (size_t)i * 2, 0.0485);
    }
    return s;
}

struct capacity_result *fixture_capacity_loads(void)
{
    struct capacity_result *s = begin("load", &(struct capacity_shape){2, 0, 0, 0, 2, 2, 0, 2});
    s->loads[0] = (struct capacity_load){.held_qps = 9000,
                                         .missed_qps = 9100,
                                         .asked_qps = 8000,
                                         .planned_qps = 9000 / 1.1,
                                         .cost_usd_per_h = 20,
                                         .n_runs = 7,
                                         .n_queries = 700000,
                                         .at_held = trial(0.098, 0.84)};
    fill_services(s->load_services, 0.049);
    s->loads[0].at_held.sla_s = 0.1;
    s->loads[0].at_held.allowed_frac = 0.05;
    s->loads[0].binding = 1;
    s->loads[1].planned_qps = NAN;
    s->loads[1].scheduler = 1;
    s->loads[1].state = CAPACITY_BEYOND;
    s->loads[1].missed_qps = 10;
    s->loads[1].asked_qps = 8000;
    return s;
}
