// SPDX-License-Identifier: Apache-2.0
// M/G/1: one core whose service time is constant or spread round its mean in several ways. The mean
// wait follows from the first two moments alone (Pollaczek and Khinchine).
#include <math.h>
#include <stdio.h>

#include "base/simtime.h"
#include "support/suite_mpi.h"
#include "theory/formula.h"
#include "theory/queue.h"

#define NARROW 0.02 // half-width of the interval at 99 %, of the value

static void check_queue(const char *name, enum cost_spread spread, double cv, double rho,
                        double n_queries)
{
    struct queue queue = queue_of(1, rho, n_queries);
    queue.noise = (struct noise_config){.spread = spread, .cv = cv};
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

// Ten M/M/1 queues at 50 %, two of which serve half as fast again: 75 %. Queries go there at
// random. A response is exponential in either kind: P(T > t) = 0.8 e^(-t / 2) + 0.2 e^(-t / 6), so
// its mean is 2.8, and its 95th percentile 9.309, since 0.8 e^-4.6545 + 0.2 e^-1.5515 = 0.0076 +
// 0.0424.
START_TEST(slow_servers)
{
    struct queue queue = queue_of(1, 0.5, 2e6);
    queue.n_servers = 10;
    queue.duration = 6e5;
    queue.warmup = 2000;
    queue.slow = (struct slow_config){.frac = 0.2, .factor = 1.5};
    struct summary *summary = queue_run(&queue);
    const struct summary_service *s = summary_total(summary);
    queue_check("slow servers: response", &s->latency_mean_s, 0, QUEUE_SERVICE_S, 2.8, NARROW);
    queue_check("  service", &s->service_mean_s, 0, QUEUE_SERVICE_S, 1.1, NARROW);
    queue_check("  p95", &s->latency_s[2], 0, QUEUE_SERVICE_S,
                formula_mixed_response(0.5, 0.2, 1.5, 0.95), NARROW);
    ck_assert_double_eq_tol(formula_mixed_response(0.5, 0.2, 1.5, 0.95), 9.309, 5e-4);
    queue_check("  p99", &s->latency_s[3], 0, QUEUE_SERVICE_S,
                formula_mixed_response(0.5, 0.2, 1.5, 0.99), 2 * NARROW);
    queue_check("  utilisation", &summary->groups[0].parts[PART_CPU].util_frac, 0, 1, 0.55, NARROW);
    summary_destroy(summary);
}
END_TEST

// With states that are left as soon as they are entered every service time is a new one, and the
// queue is M/M/1.
START_TEST(correlated_service)
{
    struct queue queue = queue_of(1, 0.7, 3e6);
    queue.noise.correlation_ns = (int64_t)(QUEUE_SERVICE_S * SIMTIME_S / 1000);
    queue.noise.correlated_frac = 1;
    struct summary *summary = queue_run(&queue);
    const struct summary_service *s = summary_total(summary);
    queue_check("short correlation: wait", &s->wait_mean_s, 0, QUEUE_SERVICE_S,
                formula_mg1_wait(0.7, 1), NARROW);
    queue_check("  service", &s->service_mean_s, 0, QUEUE_SERVICE_S, 1, NARROW);
    summary_destroy(summary);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", constant_service},
                                       {"core", gamma_service},
                                       {"core", lognormal_service},
                                       {"core", slow_servers},
                                       {"core", correlated_service}};
    return suite_mpi_run(&argc, &argv, "mg1", tests, sizeof tests / sizeof *tests);
}
