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

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", days_follow_the_load},
                                       {"core", schedulers_see_the_same_queries}};
    return suite_mpi_run(&argc, &argv, "find_day", tests, sizeof tests / sizeof *tests);
}
