// SPDX-License-Identifier: Apache-2.0
#include "results/report/sweep_answer.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "results/report/shown.h"
#include "support/suite.h"

static const char *const policies[] = {"random", "jsq", "least-work", "round-robin"};

static char *answer_of(const struct sweep_result *p)
{
    struct shown shown;
    struct sweep_rows *rows = sweep_rows_create(p);
    sweep_answer_print(shown_open(&shown), rows);
    sweep_rows_destroy(rows);
    return shown_text(&shown);
}

#define SAYS(points, ...)                                                                          \
    shown_is(answer_of(points), 1000, (const char *const[]){__VA_ARGS__, NULL})

struct load {
    double ms, half_ms; // of the tail; 0: overloaded
};

static void take(struct sweep_result *p, uint32_t point, const struct load *load)
{
    struct run_result *run =
        load->ms > 0 ? fixture_load(10, 1, 1) : fixture_load_overloaded(10, 1, 1);
    struct summary_service *s = &run->summary->services[0];
    run->summary->fleet.queries_per_j = (struct ci){7, 0.01, 20};
    if (load->ms > 0)
        s->sla_latency_s = (struct ci){load->ms * 1e-3, load->half_ms * 1e-3, 20};
    if (load->ms > 0)
        s->sla = measurement_judge(s->sla_latency_s, 0.025, 1);
    sweep_result_take(p, point, run);
    run_result_destroy(run);
}

// One axis of policies with these tails.
static struct sweep_result *by_policy(uint32_t n, const struct load *loads)
{
    struct sweep_result *p = sweep_result_create(1, n);
    point_axes_set(&p->grid, 0, "policy", policies, n);
    for (uint32_t i = 0; i < n; i++) {
        p->values[i] = i;
        take(p, i, &loads[i]);
    }
    return p;
}

// The lowest tail of those that meet the target, and the next.
START_TEST(lowest_tail)
{
    struct sweep_result *p = by_policy(3, (const struct load[]){{30, 0.1}, {8.3, 0.1}, {7.1, 0.1}});
    SAYS(p, "2 of the 3 points meet the target of p95 25 ms; of these least-work has the lowest "
            "p95, 7.10 ±0.10 ms, compared with 8.30 ±0.10 ms of jsq, the next.\n");
    sweep_result_destroy(p);
}
END_TEST

// A tie is told as one, whoever comes between; so is what has no interval.
START_TEST(ties)
{
    struct sweep_result *p =
        by_policy(4, (const struct load[]){{7.9, 0.9}, {7.5, 0.1}, {7.1, 0.1}, {9, 0.1}});
    SAYS(p, "least-work has the lowest p95, 7.10 ±0.10 ms, but is not distinguishable from random "
            "(7.90 ±0.90 ms).\n");
    p->services[2].sla_latency_s.half_95 = NAN;
    SAYS(p, "least-work has the lowest p95, 7.100 ms, but without an interval it is not "
            "distinguishable from jsq (7.50 ±0.10 ms), random (7.90 ±0.90 ms) and round-robin (");
    sweep_result_destroy(p);
}
END_TEST

// Where fleets differ in what a query costs, that decides.
START_TEST(efficiency)
{
    struct sweep_result *p = by_policy(3, (const struct load[]){{30, 0.1}, {8.3, 0.1}, {7.1, 0.1}});
    p->fleets[1].queries_per_j.value = 9;
    SAYS(p, "of these jsq has the most queries per joule, 9.000 ±0.010 QPS/W, compared with "
            "7.000 ±0.010 QPS/W of least-work, the next.");
    sweep_result_destroy(p);
}
END_TEST

// Nobody meets it, nobody is stable, one only, nobody is done.
START_TEST(extremes)
{
    struct sweep_result *p = by_policy(2, (const struct load[]){{30, 0.1}, {40, 0.1}});
    SAYS(p, "None of the 2 points meets the target of p95 25 ms; nearest is random, whose p95 is "
            "30.00 ±0.10 ms of 25.\n");
    sweep_result_destroy(p);
    p = by_policy(2, (const struct load[]){{24.5, 1}, {40, 0.1}});
    SAYS(p, "None of the 2 points is shown to meet the target of p95 25 ms, but 1 is too close or "
            "too short to tell; nearest is random");
    sweep_result_destroy(p);
    p = by_policy(2, (const struct load[]){{0, 0}, {8, 0.1}});
    SAYS(p, "1 of the 2 points meets the target of p95 25 ms: jsq, whose p95 is 8.00 ±0.10 ms. 1 "
            "of 2 points is overloaded.\n");
    sweep_result_set_state(p, 1, SWEEP_FAILED, "no");
    SAYS(p, "The only point that is done does not meet the target of p95 25 ms. 1 of 2 points is "
            "overloaded. 1 of 2 points failed.\n");
    sweep_result_destroy(p);
    p = fixture_points_least();
    SAYS(p, "No point of 1 is done.\n");
    sweep_result_destroy(p);
}
END_TEST

// policy x rate; tails of each policy by rate.
static struct sweep_result *by_rate(uint32_t n_policies, const struct load loads[][3])
{
    static const char *const rates[] = {"1kqps", "2kqps", "3kqps"};
    struct sweep_result *p = sweep_result_create(2, 3 * n_policies);
    point_axes_set(&p->grid, 0, "policy", policies, n_policies);
    point_axes_set(&p->grid, 1, "rate", rates, 3);
    for (uint32_t i = 0; i < 3 * n_policies; i++) {
        p->values[2 * i] = i / 3;
        p->values[2 * i + 1] = i % 3;
        take(p, i, &loads[i / 3][i % 3]);
    }
    return p;
}

// Of several policies the one that holds its target up to the highest rate, and what comes then; a
// rate above one that is missed does not count.
START_TEST(highest_load)
{
    struct sweep_result *p = by_rate(3, (const struct load[][3]){{{5, 0.1}, {26, 0.1}, {24, 0.1}},
                                                                 {{5, 0.1}, {9, 0.1}, {0, 0}},
                                                                 {{26, 0.1}, {0, 0}, {0, 0}}});
    SAYS(p, "jsq holds the target of p95 25 ms up to rate 2kqps, the highest of 3; at 3kqps it is "
            "overloaded. 1 of 3 holds none. 3 of 9 points are overloaded.\n");
    int next;
    struct sweep_rows *v = sweep_rows_create(p);
    ck_assert_int_eq(sweep_answer_held(v, 0, &next), 0);
    ck_assert_int_eq(next, 1);
    ck_assert_int_eq(sweep_answer_held(v, 2, &next), -1);
    sweep_rows_destroy(v);
    sweep_result_destroy(p);
}
END_TEST

// Two that hold the same rate are compared there, and a tie is a tie there as well.
START_TEST(same_load)
{
    struct sweep_result *p = by_rate(2, (const struct load[][3]){{{5, 0.1}, {9, 0.5}, {30, 0.1}},
                                                                 {{5, 0.1}, {9.2, 0.5}, {0, 0}}});
    SAYS(p, "random and jsq hold the target of p95 25 ms up to rate 2kqps; there random has the "
            "lowest p95, 9.00 ±0.50 ms, but is not distinguishable from jsq (9.20 ±0.50 ms).");
    sweep_result_destroy(p);
}
END_TEST

// One fleet that holds all there is.
START_TEST(one_series)
{
    struct sweep_result *p = by_rate(1, (const struct load[][3]){{{5, 0.1}, {9, 0.5}, {24, 0.1}}});
    SAYS(p, "The fleet holds the target of p95 25 ms up to rate 3kqps, the highest that was "
            "tried.\n");
    sweep_result_destroy(p);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", lowest_tail}, {"core", ties},       {"core", efficiency}, {"core", highest_load},
        {"core", same_load},   {"core", one_series}, {"limits", extremes}};
    return suite_run("sweep_answer", tests, sizeof tests / sizeof *tests);
}
