// SPDX-License-Identifier: Apache-2.0
// Are the intervals honest? Over many seeds of M/M/k a 95 % interval must hold the truth in about
// 95 % of the runs: 200 seeds tell that to 1.5 %.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/suite_mpi.h"
#include "theory/formula.h"
#include "theory/queue.h"

#define N_SEEDS 200
#define LEAST 0.92
#define MOST 0.98

enum { WAIT, RESPONSE, WAITS, P50, P95, P99, UTILISATION, N_ESTIMATES };
static const char *const names[] = {"wait", "response", "waits",      "p50",
                                    "p95",  "p99",      "utilisation"};

static void truths(const struct queue *queue, double out[N_ESTIMATES])
{
    uint32_t k = queue->n_cores;
    double rho = queue->rho, wait = formula_mmk_wait(k, rho);
    out[WAIT] = wait * QUEUE_SERVICE_S;
    out[RESPONSE] = (wait + 1) * QUEUE_SERVICE_S;
    out[WAITS] = formula_mmk_waits(k, rho);
    out[P50] = formula_mmk_response(k, rho, 0.5) * QUEUE_SERVICE_S;
    out[P95] = formula_mmk_response(k, rho, 0.95) * QUEUE_SERVICE_S;
    out[P99] = formula_mmk_response(k, rho, 0.99) * QUEUE_SERVICE_S;
    out[UTILISATION] = rho;
}

static void estimates(const struct summary *summary, const struct ci *out[N_ESTIMATES])
{
    const struct summary_service *s = summary_total(summary);
    out[WAIT] = &s->wait_mean_s;
    out[RESPONSE] = &s->latency_mean_s;
    out[WAITS] = &s->waited_frac;
    out[P50] = &s->latency_s[0];
    out[P95] = &s->latency_s[2];
    out[P99] = &s->latency_s[3];
    out[UTILISATION] = &summary->groups[0].parts[PART_CPU].util_frac;
}

// Fraction of seeds 1 .. n_seeds whose interval at 95 % holds the truth, per estimate.
static void cover(struct queue queue, uint32_t n_seeds, double held_frac[N_ESTIMATES])
{
    double truth[N_ESTIMATES], wide[N_ESTIMATES] = {0}, bias[N_ESTIMATES] = {0};
    uint32_t held[N_ESTIMATES] = {0};
    truths(&queue, truth);
    for (uint32_t i = 0; i < n_seeds; i++) {
        queue.seed = i + 1;
        struct summary *summary = queue_run(&queue);
        const struct ci *ci[N_ESTIMATES];
        estimates(summary, ci);
        for (int e = 0; e < N_ESTIMATES; e++) {
            held[e] += !ci_excludes(*ci[e], truth[e]) && !isnan(ci[e]->half_95);
            wide[e] += ci[e]->half_95 / truth[e] / n_seeds;
            bias[e] += (ci[e]->value / truth[e] - 1) / n_seeds;
        }
        summary_destroy(summary);
    }
    printf("M/M/%u at %g, %.0f queries, %u seeds:\n", queue.n_cores, queue.rho,
           queue.duration * queue.n_cores * queue.rho, n_seeds);
    for (int e = 0; e < N_ESTIMATES; e++) {
        held_frac[e] = (double)held[e] / n_seeds;
        printf("  %-12s held by %.1f %% of the intervals; mean half-width %.2f %%, bias %+.3f %%\n",
               names[e], 100 * held_frac[e], 100 * wide[e], 100 * bias[e]);
    }
}

static void check_cover(uint32_t n_cores, double rho, double n_queries)
{
    double held[N_ESTIMATES];
    cover(queue_of(n_cores, rho, n_queries), N_SEEDS, held);
    ck_assert_double_ge(held[WAIT], LEAST);
    ck_assert_double_le(held[WAIT], MOST);
    ck_assert_double_ge(held[P95], LEAST);
    ck_assert_double_le(held[P95], MOST);
}

// Of the mean wait and of the 95th percentile.
START_TEST(intervals_hold_the_truth)
{
    check_cover(4, 0.7, 200e3);
}
END_TEST

// With numbers it prints what a queue's intervals hold: CORES RHO QUERIES SEEDS.
int main(int argc, char **argv)
{
    if (argc == 5) {
        double held[N_ESTIMATES];
        MPI_Init(&argc, &argv);
        cover(queue_of((uint32_t)atoi(argv[1]), atof(argv[2]), atof(argv[3])),
              (uint32_t)atoi(argv[4]), held);
        return MPI_Finalize();
    }
    const struct suite_test tests[] = {{"core", intervals_hold_the_truth}};
    return suite_mpi_run(&argc, &argv, "coverage", tests, sizeof tests / sizeof *tests);
}
