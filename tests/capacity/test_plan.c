// SPDX-License-Identifier: Apache-2.0
#include "capacity/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capacity/sample_fixture.h"
#include "base/mem.h"
#include "search/dayplan.h"
#include "support/suite.h"

// Two types, two services, a day of four intervals of six hours. Type x holds 100 of a and 10 of b
// for 100 W, y 50 of each for 60 W; idle 40 and 30 W.
struct fixture {
    struct study *study;
    struct capacity_result *answer;
};

static struct study *parse(const char *capacity)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "duration: 1s\n"
        "traffic:\n"
        "  - {service: a, rate: 1qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 4ms}}\n"
        "  - {service: b, rate: 1qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 4ms}}\n"
        "fleet:\n"
        "  groups:\n"
        "    - {name: x, cores: 1, servers: 10, price: 3usd/h, cost: {kind: synthetic, fixed: "
        "1ms}}\n"
        "    - {name: y, cores: 1, servers: 20, price: 1usd/h, cost: {kind: synthetic, fixed: "
        "1ms}}\n"
        "capacity: {find: plan, interval: 6h, %s}\n",
        capacity);
    return sample_fixture_parse(text);
}

static struct capacity_tuple tuple(double qps, double power_w, double idle_w)
{
    return (struct capacity_tuple){.state = qps > 0 ? CAPACITY_FOUND : CAPACITY_BEYOND,
                                   .qps = qps > 0 ? qps : (double)NAN,
                                   .at_qps.power_w = power_w,
                                   .idle_w = idle_w};
}

// Loads of a and b, interval by interval.
static struct fixture open_fixture(const char *capacity, const double loads[4][2])
{
    static const char *const allocations[] = {"blind", "greedy", "optimal"};
    static const char *const strategies[] = {"peak", "follow"};
    const struct capacity_shape shape = {1, 3, 2, 4, 2, 2, 0, 0};
    struct fixture f = {parse(capacity), capacity_result_create(&shape)};
    f.answer->interval_s = f.study->capacity.interval_s;
    for (int a = 0; a < 3; a++)
        f.answer->allocations[a] = mem_strdup(allocations[a]);
    for (int p = 0; p < 2; p++)
        f.answer->provisionings[p] = mem_strdup(strategies[p]);
    f.answer->available[0] = 10;
    f.answer->available[1] = 20;
    f.answer->tuples[0] = tuple(100, 100, 40);
    f.answer->tuples[1] = tuple(10, 100, 40);
    f.answer->tuples[2] = tuple(50, 60, 30);
    f.answer->tuples[3] = tuple(50, 60, 30);
    for (int i = 0; i < 4; i++)
        for (int s = 0; s < 2; s++)
            f.answer->demand[i * 2 + s] = (struct capacity_demand){loads[i][s], loads[i][s]};
    return f;
}

static void close_fixture(struct fixture *f)
{
    capacity_result_destroy(f->answer);
    study_destroy(f->study);
}

static struct plan_outcome fill(const struct fixture *f)
{
    struct plan_outcome outcome;
    struct err err = {0};
    ck_assert_msg(plan_fill(f->study, f->answer, 0, &outcome, &err) == 0, "%s", err.text);
    return outcome;
}

static uint32_t assigned(const struct fixture *f, uint32_t a, uint32_t p, uint32_t i, uint32_t type,
                         uint32_t service)
{
    size_t step = capacity_result_plan_at(f->answer, 0, a, p) * 4 + i;
    return f->answer->n_assigned[(step * 2 + type) * 2 + service];
}

static const double steady[4][2] = {{400, 200}, {400, 200}, {400, 200}, {400, 200}};
static const double wave[4][2] = {{100, 100}, {400, 200}, {800, 400}, {400, 200}};

// 400 of a take four of x (400 W against 480 W), 200 of b four of y; nothing switches.
START_TEST(optimal_takes_what_suits)
{
    struct fixture f = open_fixture("objective: power, headroom: 0", steady);
    ck_assert(fill(&f).possible);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(assigned(&f, 2, 1, i, 0, 0), 4);
        ck_assert_uint_eq(assigned(&f, 2, 1, i, 1, 1), 4);
    }
    size_t plan = capacity_result_plan_at(f.answer, 0, 2, 1);
    const struct capacity_step *step = &f.answer->steps[plan * 4];
    const struct capacity_total *total = &f.answer->totals[plan];
    ck_assert_uint_eq(step->n_on, 8);
    ck_assert_uint_eq(step->n_started, 0);
    ck_assert_double_eq_tol(step->objective, 640, 1e-9);
    ck_assert_double_eq_tol(step->bound, 640, 1e-6);
    ck_assert_double_eq_tol(step->planned_w, 640, 1e-9);
    ck_assert_double_eq_tol(step->cost_usd_per_h, 4 * 3 + 4 * 1, 1e-9);
    ck_assert(isnan(step->carbon_g_per_h));
    ck_assert_double_eq_tol(total->server_h, 8 * 24, 1e-9);
    ck_assert_double_eq_tol(total->planned_kwh, 0.640 * 24, 1e-9);
    ck_assert_double_eq_tol(total->objective, 640 * 24, 1e-9);
    ck_assert_double_eq_tol(total->cost_usd, 16 * 24, 1e-9);
    close_fixture(&f);
}
END_TEST

// Every plan serves every interval with the headroom, from the servers that there are, and what is
// on covers what is in use.
START_TEST(every_plan_serves_the_day)
{
    struct fixture f = open_fixture("objective: power, headroom: 25%", wave);
    ck_assert(fill(&f).possible);
    for (uint32_t a = 0; a < 3; a++)
        for (uint32_t p = 0; p < 2; p++)
            for (uint32_t i = 0; i < 4; i++) {
                size_t step = capacity_result_plan_at(f.answer, 0, a, p) * 4 + i;
                uint32_t n[2][2];
                for (uint32_t h = 0; h < 2; h++) {
                    for (uint32_t s = 0; s < 2; s++)
                        n[h][s] = assigned(&f, a, p, i, h, s);
                    ck_assert_uint_le(n[h][0] + n[h][1], f.answer->n_on[step * 2 + h]);
                    ck_assert_uint_le(f.answer->n_on[step * 2 + h], f.answer->available[h]);
                }
                ck_assert_double_ge(100.0 * n[0][0] + 50.0 * n[1][0], 1.25 * wave[i][0]);
                ck_assert_double_ge(10.0 * n[0][1] + 50.0 * n[1][1], 1.25 * wave[i][1]);
            }
    close_fixture(&f);
}
END_TEST

// For every objective: the optimal day is no dearer than the others', following no dearer than the
// peak here, where a server that is off saves more than its start costs.
START_TEST(optimal_is_never_dearer)
{
    static const char *const objectives[] = {"objective: servers", "objective: power",
                                             "objective: cost",
                                             "objective: carbon, carbon_g_per_kwh: [400, 100]"};
    for (int o = 0; o < 4; o++) {
        struct fixture f = open_fixture(objectives[o], wave);
        ck_assert(fill(&f).possible);
        const struct capacity_total *t = f.answer->totals; // [allocation][provisioning]
        for (int p = 0; p < 2; p++) {
            ck_assert_int_eq(t[4 + p].state, CAPACITY_FOUND);
            for (int a = 0; a < 2; a++) // by price, greedy gives y away and finds no plan
                if (t[2 * a + p].state == CAPACITY_FOUND)
                    ck_assert_double_le(t[4 + p].objective, t[2 * a + p].objective);
        }
        ck_assert_double_lt(t[5].objective, t[4].objective);
        close_fixture(&f);
    }
}
END_TEST

// The objective counts spare and starting servers at idle power: with a minimum of a whole day on,
// what the peak needs stays on, and what it does not use idles.
START_TEST(spare_servers_idle)
{
    struct fixture f = open_fixture("objective: power, min_on: 24h, startup: 1h", wave);
    ck_assert(fill(&f).possible);
    size_t plan = capacity_result_plan_at(f.answer, 0, 2, 1);
    for (uint32_t i = 0; i < 4; i++) {
        const struct capacity_step *step = &f.answer->steps[plan * 4 + i];
        double watts = 0;
        for (uint32_t h = 0; h < 2; h++) {
            uint32_t used = assigned(&f, 2, 1, i, h, 0) + assigned(&f, 2, 1, i, h, 1);
            uint32_t on = f.answer->n_on[(plan * 4 + i) * 2 + h];
            watts += used * (h == 0 ? 100 : 60) + (on - used) * (h == 0 ? 40 : 30);
        }
        ck_assert_double_eq_tol(step->planned_w, watts, 1e-9);
    }
    ck_assert(f.answer->totals[plan].starting_h == 0); // nothing is ever off
    close_fixture(&f);
}
END_TEST

// Energy of starting servers: the day's is what the intervals draw and an hour of idling for each.
START_TEST(starting_costs_energy)
{
    struct fixture f = open_fixture("objective: power, min_on: 0, startup: 1h", wave);
    ck_assert(fill(&f).possible);
    size_t plan = capacity_result_plan_at(f.answer, 0, 2, 1);
    const struct capacity_total *total = &f.answer->totals[plan];
    double running_kwh = 0;
    uint32_t started = 0;
    for (uint32_t i = 0; i < 4; i++) {
        running_kwh += f.answer->steps[plan * 4 + i].planned_w * 6 / 1000;
        started += f.answer->steps[plan * 4 + i].n_started;
    }
    ck_assert_uint_gt(started, 0);
    ck_assert_double_eq_tol(total->starting_h, started, 1e-9);
    ck_assert_double_ge(total->planned_kwh, running_kwh + 0.030 * started - 1e-9);
    ck_assert_double_le(total->planned_kwh, running_kwh + 0.040 * started + 1e-9);
    close_fixture(&f);
}
END_TEST

// The mean of a curve of 400 and 100 that is linear between and repeats: 325 in the first and the
// last quarter of the day, 175 in the others.
START_TEST(carbon_is_the_curves_mean)
{
    struct fixture f = open_fixture("objective: carbon, carbon_g_per_kwh: [400, 100]", steady);
    const struct study_capacity *capacity = &f.study->capacity;
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_double_eq_tol(plan_carbon_g_per_kwh(capacity, i), i % 3 == 0 ? 325 : 175, 1e-9);
    ck_assert(fill(&f).possible);
    // 640 W at 325 g/kWh.
    size_t plan = capacity_result_plan_at(f.answer, 0, 2, 1);
    ck_assert_double_eq_tol(f.answer->steps[plan * 4].carbon_g_per_h, 0.640 * 325, 1e-9);
    ck_assert_double_eq_tol(f.answer->steps[plan * 4].objective, 0.640 * 325, 1e-9);
    ck_assert_double_eq_tol(f.answer->totals[plan].carbon_kg, 0.640 * 24 * 0.250, 1e-9);
    close_fixture(&f);
}
END_TEST

// Making them counts as well as what they draw: x and y, of 480 and 4800 kg over 200 days, cost 100
// and 1000 g an hour, and 32.5 and 19.5 g of power at 325 g/kWh. 400 of a take four x. For 200 of
// b, four y cost 4078 g, three y and five x 3721: of the ten x that there are, nine are taken.
START_TEST(embodied_carbon_counts)
{
    struct fixture f = open_fixture("objective: carbon, carbon_g_per_kwh: [400, 100]", steady);
    f.study->groups[0].platform.embodied = (struct platform_embodied){480, 200 * 86400.0};
    f.study->groups[1].platform.embodied = (struct platform_embodied){4800, 200 * 86400.0};
    ck_assert(fill(&f).possible);
    size_t plan = capacity_result_plan_at(f.answer, 0, 2, 1);
    const struct capacity_step *step = &f.answer->steps[plan * 4];
    const struct capacity_total *total = &f.answer->totals[plan];
    ck_assert_uint_eq(assigned(&f, 2, 1, 0, 0, 0), 4);
    ck_assert_uint_eq(assigned(&f, 2, 1, 0, 0, 1), 5);
    ck_assert_uint_eq(assigned(&f, 2, 1, 0, 1, 1), 3);
    ck_assert_double_eq_tol(step->carbon_g_per_h, 9 * 32.5 + 3 * 19.5, 1e-6);
    ck_assert_double_eq_tol(step->embodied_g_per_h, 9 * 100 + 3 * 1000, 1e-6);
    ck_assert_double_eq_tol(step->objective, 4251, 1e-6);
    ck_assert_double_eq_tol(total->embodied_kg, 24 * 3.9, 1e-6);
    ck_assert_double_eq_tol(total->carbon_kg, 24 * 1.080 * 0.250, 1e-6);
    ck_assert_double_eq_tol(total->objective, 1000 * (24 * 3.9 + 24 * 1.080 * 0.250), 1e-3);
    close_fixture(&f);
}
END_TEST

// 1000 of a and 1200 of b: x can take all of a, y 1000 of b. At least 167 queries per second of b
// are missing in the third interval, which begins at 12:00.
START_TEST(says_what_is_missing)
{
    const double loads[4][2] = {{10, 10}, {10, 10}, {1000, 1200}, {10, 10}};
    struct fixture f = open_fixture("objective: power", loads);
    struct plan_outcome outcome = fill(&f);
    ck_assert(!outcome.possible);
    ck_assert_msg(strstr(outcome.text, "12:00") != NULL, "%s", outcome.text);
    ck_assert_msg(strstr(outcome.text, " qps of 1200 qps") != NULL, "%s", outcome.text);
    for (int t = 0; t < 6; t++)
        ck_assert_int_eq(f.answer->totals[t].state, CAPACITY_BEYOND);
    close_fixture(&f);
}
END_TEST

// A service that no type holds lacks all of its load.
START_TEST(a_service_that_nothing_holds)
{
    struct fixture f = open_fixture("objective: power", steady);
    f.answer->tuples[1] = f.answer->tuples[3] = tuple(0, NAN, 40);
    struct plan_outcome outcome = fill(&f);
    ck_assert(!outcome.possible);
    ck_assert_msg(strstr(outcome.text, "service \"b\" lacks 200.0 qps of 200.0 qps") != NULL, "%s",
                  outcome.text);
    close_fixture(&f);
}
END_TEST

// Every objective has a unit.
START_TEST(objectives_have_units)
{
    ck_assert_str_eq(plan_objective_unit(OBJECTIVE_SERVERS), "1");
    ck_assert_str_eq(plan_objective_unit(OBJECTIVE_POWER), "W");
    ck_assert_str_eq(plan_objective_unit(OBJECTIVE_COST), "USD h-1");
    ck_assert_str_eq(plan_objective_unit(OBJECTIVE_CARBON), "g h-1");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", optimal_takes_what_suits}, {"core", every_plan_serves_the_day},
        {"core", optimal_is_never_dearer},  {"core", spare_servers_idle},
        {"core", starting_costs_energy},    {"core", carbon_is_the_curves_mean},
        {"core", embodied_carbon_counts},   {"core", objectives_have_units},
        {"errors", says_what_is_missing},   {"errors", a_service_that_nothing_holds}};
    return suite_run("plan", tests, sizeof tests / sizeof *tests);
}
