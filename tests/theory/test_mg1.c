// SPDX-License-Identifier: Apache-2.0
// M/G/1: one core whose service time is constant or spread round its mean in several ways. The mean
// wait follows from the first two moments alone (Pollaczek and Khinchine).
#include <math.h>
#include <stdio.h>

#include "support/suite_mpi.h"
#include "theory/formula.h"
#include "theory/queue.h"

#define NARROW 0.02 // half-width of the interval at 99 %, of the value

static void check_queue(const char *name, enum cost_spread spread, double cv, double rho,
                        double n_queries)
{
    struct queue queue = queue_of(1, rho, n_queries);
    queue.noise = (struct noise_config){spread, cv};
    struct summary *summary = queue_run(&queue);
    const struct summary_service *s = summary_total(summary);
    double wait = formula_mg1_wait(rho, cv);
    char what[80];
    snprintf(what, sizeof what, "M/%s/1 at %g, cv %g: wait", name, rho, cv);
    queue_check(what, &s->wait_mean_s, 0, QUEUE_SERVICE_S, wait, NARROW);
    queue_check("  response", &s->latency_mean_s, 0, QUEUE_SERVICE_S, wait + 1, NARROW);
    queue_check("  waits", &s->waited_frac, 0, 1, rho, NARROW);
    if (spread != SPREAD_NONE)
        queue_check("  service", &s->service_mean_s, 0, QUEUE_SERVICE_S, 1, NARROW);
    else
        ck_assert_double_eq_tol(s->service_mean_s.value, QUEUE_SERVICE_S, 1e-12);
    queue_check("  utilisation", &summary->groups[0].parts[PART_CPU].util_frac, 0, 1, rho, NARROW);
    summary_destroy(summary);
}

// M/D/1 waits half as long as M/M/1.
START_TEST(constant_service)
{
    check_queue("D", SPREAD_NONE, 0, 0.7, 3e6);
    check_queue("D", SPREAD_NONE, 0, 0.9, 15e6);
}
END_TEST

// More and less variable than an exponential.
START_TEST(gamma_service)
{
    check_queue("gamma", SPREAD_GAMMA, 0.5, 0.7, 3e6);
    check_queue("gamma", SPREAD_GAMMA, 1.5, 0.7, 8e6);
}
END_TEST

// A heavier tail.
START_TEST(lognormal_service)
{
    check_queue("lognormal", SPREAD_LOGNORMAL, 0.5, 0.8, 5e6);
    check_queue("lognormal", SPREAD_LOGNORMAL, 1.5, 0.6, 8e6);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", constant_service}, {"core", gamma_service}, {"core", lognormal_service}};
    return suite_mpi_run(&argc, &argv, "mg1", tests, sizeof tests / sizeof *tests);
}
