// SPDX-License-Identifier: Apache-2.0
// M/M/1 and M/M/k: exponential service, one server of k cores.
#include <math.h>
#include <stdio.h>

#include "support/suite_mpi.h"
#include "theory/formula.h"
#include "theory/queue.h"

// Half-width of the interval at 99 %, of the value; the far tail is seen by few queries.
#define NARROW 0.02
#define NARROW_TAIL 0.06

static void check_times(const char *name, const struct queue *queue, const struct summary *summary)
{
    const struct summary_service *s = summary_total(summary);
    double wait = formula_mmk_wait(queue->n_cores, queue->rho);
    char what[80];
    snprintf(what, sizeof what, "%s: wait", name);
    queue_check(what, &s->wait_mean_s, 0, QUEUE_SERVICE_S, wait, NARROW);
    snprintf(what, sizeof what, "%s: response", name);
    queue_check(what, &s->latency_mean_s, 0, QUEUE_SERVICE_S, wait + 1, NARROW);
    snprintf(what, sizeof what, "%s: waits", name);
    queue_check(what, &s->waited_frac, 0, 1, formula_mmk_waits(queue->n_cores, queue->rho), NARROW);
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++) {
        double q = summary_quantiles[i];
        snprintf(what, sizeof what, "%s: p%g", name, 100 * q);
        queue_check(what, &s->latency_s[i], 0, QUEUE_SERVICE_S,
                    formula_mmk_response(queue->n_cores, queue->rho, q),
                    q < 0.97 ? NARROW : NARROW_TAIL);
    }
}

static void check_queue(uint32_t n_cores, double rho, double n_queries)
{
    struct queue queue = queue_of(n_cores, rho, n_queries);
    struct summary *summary = queue_run(&queue);
    char name[32];
    snprintf(name, sizeof name, "M/M/%u at %g", n_cores, rho);
    check_times(name, &queue, summary);
    const struct summary_component *cpu = &summary->groups[0].parts[PART_CPU];
    queue_check("  utilisation", &cpu->util_frac, 0, 1, rho, NARROW);
    ck_assert_int_eq(cpu->verdict, OVERLOAD_NO);
    summary_destroy(summary);
}

// One core, moderate and high load: waiting, response and its whole distribution.
START_TEST(one_core)
{
    check_queue(1, 0.7, 4e6);
    check_queue(1, 0.9, 30e6);
}
END_TEST

// Erlang C, from few cores to as many as a real server has. Where few queries wait, no run of this
// length knows how long to 2 %, so many cores are looked at under higher load.
START_TEST(four_cores)
{
    check_queue(4, 0.7, 4e6);
    check_queue(4, 0.8, 6e6);
}
END_TEST

START_TEST(sixteen_cores)
{
    check_queue(16, 0.8, 20e6);
}
END_TEST

START_TEST(forty_cores)
{
    check_queue(40, 0.9, 70e6);
}
END_TEST

// Little's law: what is inside at the end is what arrives per second times how long it stays. Many
// servers make one look at the end an average.
START_TEST(little)
{
    for (uint32_t k = 1; k <= 4; k += 3) {
        struct queue queue = queue_of(k, 0.8, 20);
        queue.n_servers = 100000;
        queue.duration = 100;
        struct summary *summary = queue_run(&queue);
        const struct summary_service *s = summary_total(summary);
        double inside = (double)s->n_in_flight / queue.n_servers;
        double law = s->offered_qps.value * s->latency_mean_s.value / queue.n_servers;
        double theory = formula_mmk_inside(k, queue.rho);
        printf("M/M/%u at %g: inside at the end %.4f per server, rate x time %.4f, theory %.4f\n",
               k, queue.rho, inside, law, theory);
        // The number inside one server is below geometric in spread: sd < mean + 1, so four
        // deviations of the mean over all servers are
        double four_sd = 4 * (theory + 1) / sqrt(queue.n_servers);
        ck_assert_double_lt(fabs(inside - theory), four_sd);
        ck_assert_double_lt(fabs(inside - law), four_sd);
        ck_assert_double_lt(fabs(law - theory), 0.005 * theory);
        summary_destroy(summary);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", one_core},
                                       {"core", four_cores},
                                       {"core", sixteen_cores},
                                       {"core", forty_cores},
                                       {"core", little}};
    return suite_mpi_run(&argc, &argv, "mmk", tests, sizeof tests / sizeof *tests);
}
