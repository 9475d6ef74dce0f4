// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/plan_check.h"

#include <math.h>

#include "capacity/plan.h"
#include "capacity/efficiency.h"
#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"
#include "traces/forecast.h"

// A day of four seconds in two intervals, so that all of it is soon simulated: two services on two
// types, one with a curve.
#define DAY                                                                                        \
    "duration: 1s\n"                                                                               \
    "traffic:\n"                                                                                   \
    "  - {service: a, rate: 6000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 10ms},\n"  \
    "     arrivals: {process: diurnal, period: 4s, curve: [1, 3]}}\n"                              \
    "  - {service: b, rate: 2000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 10ms}}\n"  \
    "fleet:\n"                                                                                     \
    "  groups:\n"                                                                                  \
    "    - {name: x, cores: 4, servers: 4, idle_power: 40W, busy_power: 100W,\n"                   \
    "       cost: {kind: synthetic, fixed: 1ms}}\n"                                                \
    "    - {name: y, cores: 2, servers: 9, idle_power: 30W, busy_power: 60W,\n"                    \
    "       cost: {kind: synthetic, fixed: 1ms}}\n"                                                \
    "balancer: {policy: least-work, dispatch_delay: 10us, status_delay: 10us}\n"                   \
    "capacity: {find: plan, day: 4s, interval: 2s, headroom: 20%, objective: power, startup: "     \
    "1s,\n"                                                                                        \
    "  min_on: 2s, windows: 2, window: 400ms, warmup: 100ms, cells: 1,\n"                          \
    "  allocations: [greedy, optimal]}\n"                                                          \
    "tune: {accuracy: 5%, queries: 3000, max_queries: 20000}\n"

static void check_plans(struct capacity_fixture *f)
{
    struct err err = {0};
    struct plan_outcome outcome;
    capacity_fixture_open(f, DAY, NULL);
    for (uint32_t s = 0; s < 2; s++) {
        struct forecast day[2];
        ck_assert_int_eq(forecast_fill(&f->context.study->services[s].traffic, 4, 2, day, &err), 0);
        for (uint32_t i = 0; i < 2; i++)
            f->context.answer->demand[i * 2 + s] =
                (struct capacity_demand){day[i].mean_qps, day[i].peak_qps};
    }
    ck_assert_msg(efficiency_find(&f->context, true, &err) == 0, "%s", err.text);
    ck_assert_int_eq(plan_fill(f->context.study, f->context.answer, 0, &outcome, &err), 0);
    ck_assert_msg(outcome.possible, "%s", outcome.text);
    ck_assert_msg(plan_check_run(&f->context, &err) == 0, "%s", err.text);
}

// With a fifth of headroom over what tuples promise every target is met, in every plan; the sums
// count services times intervals.
START_TEST(plans_hold_their_targets)
{
    struct capacity_fixture f;
    check_plans(&f);
    for (int t = 0; t < 4; t++) {
        const struct capacity_total *total = &f.context.answer->totals[t];
        ck_assert_uint_eq(total->n_met + total->n_unsure + total->n_missed, 4);
        ck_assert_uint_eq(total->n_missed, 0);
    }
    for (int i = 0; i < 4 * 2 * 2; i++) {
        const struct measurement *trial = &f.context.answer->trials[i];
        ck_assert_uint_gt(trial->n_queries, 1000);
        ck_assert_double_lt(trial->p95_s.value, 10e-3);
        ck_assert_double_gt(trial->p95_s.value, 1e-3);
    }
    ck_assert_uint_eq(f.context.answer->sample.n_windows, 2);
    capacity_fixture_close(&f);
}
END_TEST

// Power is that of the pools, by their utilisation, and of what idles; no more than planned, which
// takes every server in use for fully used.
START_TEST(power_is_of_pools_and_spares)
{
    struct capacity_fixture f;
    check_plans(&f);
    const struct capacity_result *s = f.context.answer;
    for (size_t step = 0; step < 4 * 2; step++) {
        double least = 0;
        for (uint32_t h = 0; h < 2; h++)
            least += s->n_on[step * 2 + h] * (h == 0 ? 40.0 : 30.0);
        ck_assert_double_gt(s->steps[step].simulated_w, least);
        ck_assert_double_lt(s->steps[step].simulated_w, 1.02 * s->steps[step].planned_w);
    }
    for (size_t plan = 0; plan < 4; plan++) {
        double kwh = s->totals[plan].planned_kwh;
        for (size_t i = 0; i < 2; i++) {
            const struct capacity_step *step = &s->steps[plan * 2 + i];
            kwh += (step->simulated_w - step->planned_w) * 2 / 3600 / 1000;
        }
        ck_assert_double_eq_tol(s->totals[plan].simulated_kwh, kwh, 1e-12);
    }
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", plans_hold_their_targets},
                                       {"core", power_is_of_pools_and_spares}};
    return suite_mpi_run(&argc, &argv, "plan_check", tests, sizeof tests / sizeof *tests);
}
