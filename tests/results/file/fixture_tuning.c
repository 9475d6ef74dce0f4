// SPDX-License-Identifier: Apache-2.0
#include "results/file/fixture_tuning.h"

#include <math.h>

#include "base/mem.h"
#include "base/schema.h"

struct chosen fixture_chosen(void)
{
    static const struct field fields[] = {
        {"batch_items", FIELD_INT, UNIT_ITEMS, 0, 1, 65535, "256", NULL, "most items of a request"},
        {"offload_items", FIELD_INT, UNIT_ITEMS, 8, 0, 65536, "0", NULL, "least items offloaded"},
        FIELD_END};
    static const struct settings_axis axes[] = {{"batch_items", SETTINGS_FACTORS, false, "B"},
                                                {"offload_items", SETTINGS_STEPS, true, "T"},
                                                {0}};
    struct chosen chosen = {0};
    chosen_add(&chosen, axes, fields, NULL);
    return chosen;
}

static void describe(struct tuning_result *t)
{
    t->name = mem_strdup("grid");
    t->program_version = mem_strdup("0.0.test");
    t->study = mem_strdup("name: grid\n# ±\n");
    t->seed = UINT64_C(0xfedcba9876543210);
    t->sla_quantile = 0.95;
    t->p99_bound = 2;
    t->chosen = fixture_chosen();
}

static void fill(struct tuning_outcome *o, double qps, double target_s, uint32_t policy)
{
    o->settings[0] = policy == 0 ? 25 : 250 + policy;
    o->settings[1] = policy == 0 ? 0 : 320;
    o->qps = o->claimed_qps = o->tuned_qps = qps;
    o->missed_qps = qps * 1.01;
    o->at_qps.sla_s = target_s;
    o->at_qps.sla_latency_s.value = o->at_qps.p95_s.value = target_s * 0.99;
    o->at_qps.sla_latency_s.half_95 = o->at_qps.p95_s.half_95 = target_s * 0.005;
    o->at_qps.p99_s.value = target_s * 1.3;
    o->at_qps.p99_s.half_95 = target_s * 0.02;
    o->at_qps.power_w = 300;
    o->at_qps.queries_per_j = qps / 300;
    o->at_qps.cpu_util_frac = 0.81;
    o->at_qps.accel_util_frac = policy == 0 ? NAN : 0.64;
    o->at_qps.accel_query_frac = policy == 0 ? 0 : 0.12;
    o->at_qps.accel_item_frac = policy == 0 ? 0 : 0.31;
    o->at_qps.stable = o->at_qps.sla = o->at_qps.tail = VERDICT_MET;
    o->confirmed = VERDICT_MET;
    o->confirmed_over = VERDICT_MISSED;
    o->n_choices = policy == 0 ? 1 : policy == 1 ? 24 : 240;
    o->n_bounded = policy == 2 ? 100 : 0;
    o->n_runs = 10 * o->n_choices;
    o->n_queries = 20000 * o->n_runs;
    o->wall_s = 0.04 * (double)o->n_runs;
}

static void make_unreachable(struct tuning_outcome *o, double floor_s)
{
    o->state = TUNING_UNREACHABLE;
    o->settings[0] = o->settings[1] = 0;
    double target_s = o->at_qps.sla_s;
    o->qps = o->missed_qps = o->claimed_qps = o->tuned_qps = NAN;
    o->at_qps = measurement_none(VERDICT_NOT_ASKED);
    o->at_qps.sla_s = target_s;
    o->confirmed = o->confirmed_over = VERDICT_NOT_ASKED;
    o->floor_s = floor_s;
}

static void add_steps(struct tuning_result *t)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct tuning_step step = {.point = i / 2,
                                   .policy = i,
                                   .settings = {16u << i, 20 * i},
                                   .stream = i,
                                   .rate_qps = 1000.0 + i,
                                   .result = measurement_none(VERDICT_NOT_ASKED)};
        step.result.stable = VERDICT_MET;
        step.result.sla = i == 2 ? VERDICT_MISSED : VERDICT_UNSURE;
        step.result.sla_latency_s.value = 0.024;
        step.result.p95_s = (struct ci){0.024, 0.001, 0};
        step.result.p99_s = (struct ci){0.04, 0.002, 0};
        step.result.late_frac = (struct ci){0.04, 0.01, 0};
        step.result.n_queries = UINT64_C(5000000000) + i;
        tuning_result_add_step(t, &step);
    }
}

struct tuning_result *fixture_tuning(uint32_t n_models)
{
    static const char *const models[] = {"rmc1", "rmc2", "rmc3", "rmc4", "rmc5"};
    static const char *const targets[] = {"low", "medium"};
    static const char *const platforms[] = {"skylake", "cpu + gpu, ti"};
    static const char *const policies[] = {"static", "deeprecsched", "exhaustive"};
    static const double gains[] = {1, 2, 2.02};
    struct tuning_result *t = tuning_result_create(3, 4 * n_models, 3);
    describe(t);
    point_axes_set(&t->grid, 0, "model", models, n_models);
    point_axes_set(&t->grid, 1, "target", targets, 2);
    point_axes_set(&t->grid, 2, "platform", platforms, 2);
    for (uint32_t p = 0; p < 3; p++)
        t->policies[p] = mem_strdup(policies[p]);
    for (uint32_t c = 0; c < t->grid.n_points; c++) {
        t->grid.values[3 * c] = c / 4;
        t->grid.values[3 * c + 1] = c / 2 % 2;
        t->grid.values[3 * c + 2] = c % 2;
        for (uint32_t p = 0; p < 3; p++)
            fill(tuning_result_outcome_at(t, c, p), 1000 * (c + 1) * gains[p],
                 c / 2 % 2 ? 0.025 : 0.0025, p);
    }
    make_unreachable(tuning_result_outcome_at(t, t->grid.n_points - 1, 0), 0.0311);
    make_unreachable(tuning_result_outcome_at(t, t->grid.n_points - 1, 2), 0.0201);
    add_steps(t);
    return t;
}

struct tuning_result *fixture_tuning_least(void)
{
    struct tuning_result *t = tuning_result_create(0, 1, 1);
    describe(t);
    t->policies[0] = mem_strdup("fixed");
    fill(tuning_result_outcome_at(t, 0, 0), 1234, 0.025, 1);
    return t;
}
