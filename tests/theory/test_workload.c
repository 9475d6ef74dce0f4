// SPDX-License-Identifier: Apache-2.0
// The studies light and heavy against percentiles that five other simulators agree on: SimPy,
// SimGrid, BigHouse, ROSS and a hand-written loop ran the same workload, without network delays.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/suite_mpi.h"
#include "theory/queue.h"

#define STUDIES RECFLEET_SOURCE "/slurm/studies/"
#define DISPATCH_MS 1e-3 // in the latency of these studies and not of the others

// Milliseconds; 0: not known.
struct answers {
    double mean, p50, p95, p99, p999;
};

static const double p95_frac = 0.01, p99_frac = 0.02;

// The run's own interval must be well inside the tolerance, else agreement says little.
static void check(const char *what, const struct ci *ci, double expected_ms, double frac)
{
    if (expected_ms == 0)
        return;
    double ms = ci->value * 1e3 - DISPATCH_MS;
    printf("  %-5s expected %.4g ms, run %.5g +- %.2g (95 %%): %+.2f %%\n", what, expected_ms, ms,
           ci->half_95 * 1e3, 100 * (ms / expected_ms - 1));
    ck_assert_double_le(fabs(ms - expected_ms), frac * expected_ms);
    ck_assert_double_le(ci->half_95 * 1e3, 0.5 * frac * expected_ms);
}

static void check_study(const char *study, const char *const *settings, size_t n,
                        const struct answers *expected)
{
    struct summary *summary = queue_run_study(study, settings, n);
    const struct summary_service *s = summary_total(summary);
    printf("%s, %u servers: %.3g queries measured\n", strrchr(study, '/') + 1,
           summary->groups[0].parts[PART_CPU].n_units, (double)s->n_queries);
    check("mean", &s->latency_mean_s, expected->mean, p95_frac);
    check("p50", &s->latency_s[0], expected->p50, p95_frac);
    check("p95", &s->latency_s[2], expected->p95, p95_frac);
    check("p99", &s->latency_s[3], expected->p99, p99_frac);
    check("p99.9", &s->latency_s[4], expected->p999, p99_frac);
    summary_destroy(summary);
}

#define COUNT(settings) (sizeof(settings) / sizeof *(settings))

// 16 servers, random.
START_TEST(light_random)
{
    const char *settings[] = {"duration=60s"};
    check_study(STUDIES "10-light.yaml", settings, COUNT(settings),
                &(struct answers){.mean = 1.512, .p95 = 1.7275, .p99 = 2.000});
}
END_TEST

// A random server has no neighbours, so a thousand of them give the same answer.
START_TEST(light_random_1000)
{
    const char *settings[] = {"fleet.groups[0].servers=1000", "traffic[0].rate=7053895.47qps",
                              "duration=1.2s"};
    check_study(STUDIES "10-light.yaml", settings, COUNT(settings),
                &(struct answers){.mean = 1.512, .p95 = 1.7275, .p99 = 2.000});
}
END_TEST

// Two choices among a thousand: nothing waits, the latency is that of a full batch, 1.48 ms.
START_TEST(light_two_1000)
{
    const char *settings[] = {"fleet.groups[0].servers=1000", "traffic[0].rate=7053895.47qps",
                              "duration=0.5s", "balancer.policy=power-of-two"};
    check_study(STUDIES "10-light.yaml", settings, COUNT(settings),
                &(struct answers){1.48, 1.48, 1.48, 1.48, 1.48});
}
END_TEST

START_TEST(heavy_random)
{
    const char *settings[] = {"duration=150s"};
    check_study(STUDIES "11-heavy.yaml", settings, COUNT(settings),
                &(struct answers){.p50 = 0.702, .p95 = 1.427, .p99 = 1.968});
}
END_TEST

// The case that tells policies apart.
START_TEST(heavy_two)
{
    const char *settings[] = {"duration=30s", "balancer.policy=power-of-two"};
    check_study(STUDIES "11-heavy.yaml", settings, COUNT(settings),
                &(struct answers){.p95 = 0.819, .p99 = 1.147, .p999 = 1.383});
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", light_random},
                                       {"core", light_random_1000},
                                       {"core", light_two_1000},
                                       {"core", heavy_random},
                                       {"core", heavy_two}};
    return suite_mpi_run(&argc, &argv, "workload", tests, sizeof tests / sizeof *tests);
}
