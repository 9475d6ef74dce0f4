// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/find_day.h"

#include <math.h>
#include <string.h>

#include "capacity/plan.h"
#include "capacity/efficiency.h"
#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"

// A day of four seconds: the rate goes from half of the mean to one and a half and back.
#define DAY(more)                                                                                  \
    "duration: 1s\n"                                                                               \
    "traffic:\n"                                                                                   \
    "  - {service: a, rate: 8000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 10ms},\n"  \
    "     arrivals: {process: diurnal, period: 4s, curve: [1, 3]}}\n"                              \
    "fleet:\n"                                                                                     \
    "  cells: 2\n"                                                                                 \
    "  groups:\n"                                                                                  \
    "    - {name: x, cores: 4, servers: 4, idle_power: 40W, busy_power: 100W, " more ",\n"         \
    "       cost: {kind: synthetic, fixed: 1ms}}\n"                                                \
    "balancer: {policy: least-work, dispatch_delay: 10us, status_delay: 10us}\n"                   \
    "capacity: {find: day, day: 4s, interval: 1s, schedulers: [fixed, static], windows: 2,\n"      \
    "  window: 200ms, warmup: 50ms, cells: 2, carbon_g_per_kwh: [360]}\n"                          \
    "tune: {accuracy: 5%, queries: 3000, max_queries: 20000}\n"

static void find(struct capacity_fixture *f, const char *text)
{
    struct err err = {0};
    capacity_fixture_open(f, text, NULL);
    ck_assert_msg(efficiency_find(&f->context, false, &err) == 0, "%s", err.text);
    ck_assert_msg(find_day_run(&f->context, &err) == 0, "%s", err.text);
}

// Two windows an interval on both cells: utilisation follows the load of 16 cores, all servers are
// on, and the day's sums are those of its intervals.
START_TEST(days_follow_the_load)
{
    struct capacity_fixture f;
    find(&f, DAY("price: 2usd/h"));
    const struct capacity_result *s = f.context.answer;
    const double load_frac[4] = {0.75, 1.25, 1.25, 0.75}; // mean of each interval
    double wh = 0;
    for (int i = 0; i < 4; i++) {
        // Four standard deviations of what the windows count, and their places in the interval.
        ck_assert_double_eq_tol(s->trials[i].cpu_util_frac, load_frac[i] * 0.5, 0.13);
        ck_assert_int_eq(s->trials[i].sla, VERDICT_MET);
        ck_assert_uint_eq(s->steps[i].n_on, 4);
        ck_assert_uint_eq(s->n_on[i], 4);
        ck_assert_double_eq_tol(s->steps[i].simulated_w, 160 + 240 * s->trials[i].cpu_util_frac, 1);
        ck_assert_double_eq_tol(s->steps[i].cost_usd_per_h, 8, 1e-9);
        ck_assert_double_eq_tol(s->steps[i].carbon_g_per_h, 0.36 * s->steps[i].simulated_w, 1e-9);
        ck_assert(isnan(s->steps[i].planned_w));
        wh += s->steps[i].simulated_w / 3600;
    }
    ck_assert_double_eq_tol(s->totals[0].simulated_kwh, wh / 1000, 1e-12);
    ck_assert_double_eq_tol(s->totals[0].server_h, 4 * 4.0 / 3600, 1e-12);
    ck_assert_uint_eq(s->totals[0].n_met, 4);
    ck_assert_uint_eq(s->totals[0].peak_servers, 4);
    ck_assert(s->sample.n_queries > 3000);
    capacity_fixture_close(&f);
}
END_TEST

// Schedulers see the same queries: two that split single items alike have the same day. Without a
// price nothing is said of money.
START_TEST(schedulers_see_the_same_queries)
{
    struct capacity_fixture f;
    find(&f, DAY("weight: 1"));
    const struct capacity_result *s = f.context.answer;
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(s->trials[i].n_queries, s->trials[4 + i].n_queries);
        ck_assert(s->trials[i].p95_s.value == s->trials[4 + i].p95_s.value);
        ck_assert(isnan(s->steps[i].cost_usd_per_h));
    }
    ck_assert(s->days[0].p95_s.value == s->days[1].p95_s.value);
    ck_assert(isnan(s->totals[0].cost_usd));
    capacity_fixture_close(&f);
}
END_TEST

// A day of four seconds in two intervals, so that all of it is soon simulated: two services on two
// types, one with a curve.
#define PLANS                                                                                      \
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
    capacity_fixture_open(f, PLANS, NULL);
    ck_assert_int_eq(capacity_context_forecast(f->context.study, f->context.answer->demand, &err),
                     0);
    ck_assert_msg(efficiency_find(&f->context, true, &err) == 0, "%s", err.text);
    ck_assert_int_eq(plan_fill(f->context.study, f->context.answer, 0, &outcome, &err), 0);
    ck_assert_msg(outcome.possible, "%s", outcome.text);
    ck_assert_msg(find_day_run(&f->context, &err) == 0, "%s", err.text);
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
    const struct suite_test tests[] = {{"core", days_follow_the_load},
                                       {"core", schedulers_see_the_same_queries},
                                       {"core", plans_hold_their_targets},
                                       {"core", power_is_of_pools_and_spares}};
    return suite_mpi_run(&argc, &argv, "find_day", tests, sizeof tests / sizeof *tests);
}
