// SPDX-License-Identifier: Apache-2.0
// The shorter of two random queues, among many servers: the mean-field limit. The fraction of
// servers with at least n queries falls doubly exponentially, rho^(2^n - 1).
#include <math.h>
#include <stdio.h>

#include "support/suite_mpi.h"
#include "theory/formula.h"
#include "theory/queue.h"

#define NARROW 0.02 // half-width of the interval at 99 %, of the value

// Ten thousand servers are within 1e-4 of infinitely many. The balancer hears of a completion, and
// a server of a query, after QUEUE_DELAY_S: a ten thousandth of a service; the latency has it. The
// load of the whole fleet wanders for tens of services, so a run of many more is needed.
static void check_fleet(double rho, double duration)
{
    struct queue queue = queue_of(1, rho, 0);
    queue.n_servers = 10000;
    queue.policy = "power-of-two";
    queue.warmup = 100;
    queue.duration = duration;
    struct summary *summary = queue_run(&queue);
    const struct summary_service *s = summary_total(summary);
    char what[80];
    snprintf(what, sizeof what, "two choices at %g: response", rho);
    queue_check(what, &s->latency_mean_s, QUEUE_DELAY_S, QUEUE_SERVICE_S, formula_two_mean(rho),
                NARROW);
    queue_check("  wait", &s->wait_mean_s, 0, QUEUE_SERVICE_S, formula_two_mean(rho) - 1, NARROW);
    queue_check("  waits", &s->waited_frac, 0, 1, formula_two_meets(rho, 1), NARROW);
    queue_check("  utilisation", &summary->groups[0].parts[PART_CPU].util_frac, 0, 1, rho, NARROW);
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++) {
        double q = summary_quantiles[i];
        snprintf(what, sizeof what, "  p%g", 100 * q);
        queue_check(what, &s->latency_s[i], QUEUE_DELAY_S, QUEUE_SERVICE_S,
                    formula_two_response(rho, q), NARROW);
    }
    summary_destroy(summary);
}

START_TEST(tail_at_70)
{
    check_fleet(0.7, 1000);
}
END_TEST

START_TEST(tail_at_90)
{
    check_fleet(0.9, 1000);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", tail_at_70}, {"core", tail_at_90}};
    return suite_mpi_run(&argc, &argv, "two_choices", tests, sizeof tests / sizeof *tests);
}
