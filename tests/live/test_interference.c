// SPDX-License-Identifier: Apache-2.0
#include "live/interference.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/wallclock.h"
#include "live/topology.h"
#include "support/suite.h"

static void spin_s(double s)
{
    double end_s = wallclock_s() + s;
    while (wallclock_s() < end_s)
        ;
}

// A stretch has the wall time that it took, and no more processor time than that.
START_TEST(a_stretch_is_measured)
{
    struct interference_mark mark;
    struct interference sum = {0};
    interference_mark(&mark);
    spin_s(0.02);
    interference_add(&sum, &mark);
    ck_assert_double_ge(sum.wall_s, 0.02);
    ck_assert_double_gt(sum.cpu_s, 0);
    ck_assert_double_le(sum.cpu_s, sum.wall_s + 1e-3);
    double frac = interference_frac(&sum);
    ck_assert(frac >= 0 && frac < 1);
}
END_TEST

// Time in which the thread did not run counts as taken: here, it slept through it.
START_TEST(lost_time_is_found)
{
    struct interference_mark mark;
    struct interference sum = {0};
    const struct timespec nap = {0, 50000000};
    interference_mark(&mark);
    nanosleep(&nap, NULL);
    ck_assert_double_ge(interference_lost_s(&mark), 0.04);
    interference_add(&sum, &mark);
    ck_assert_double_ge(interference_frac(&sum), 0.8);
}
END_TEST

struct rival {
    int cpu;
    atomic_bool running, stop;
};

static void *rival_main(void *user)
{
    struct rival *rival = user;
    topology_pin(rival->cpu, NULL);
    atomic_store(&rival->running, true);
    while (!atomic_load(&rival->stop))
        ;
    return NULL;
}

// Two threads that both want one core have about half of it each, and are put aside for it.
START_TEST(a_rival_is_found)
{
    struct topology topology;
    struct interference_mark mark;
    struct interference sum = {0};
    pthread_t thread;
    topology_read(&topology);
    struct rival rival = {.cpu = topology.cores[0].cpu};
    ck_assert_int_eq(topology_pin(rival.cpu, NULL), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, rival_main, &rival), 0);
    while (!atomic_load(&rival.running))
        spin_s(1e-3);
    interference_mark(&mark);
    spin_s(0.2);
    interference_add(&sum, &mark);
    atomic_store(&rival.stop, true);
    pthread_join(thread, NULL);
    ck_assert_double_ge(interference_frac(&sum), 0.25);
    ck_assert_uint_ge(sum.n_preempted, 1);
    topology_release(&topology);
}
END_TEST

// Sums add up, steal is the larger of the two, and no time has no share.
START_TEST(sums_and_bounds)
{
    struct interference sum = {.wall_s = 1, .cpu_s = 0.9, .n_preempted = 2};
    const struct interference more = {.wall_s = 3, .cpu_s = 2.7, .steal_s = 1, .n_preempted = 3};
    ck_assert_double_eq_tol(interference_frac(&sum), 0.1, 1e-12);
    interference_merge(&sum, &more);
    ck_assert_double_eq_tol(sum.wall_s, 4, 1e-12);
    ck_assert_uint_eq(sum.n_preempted, 5);
    ck_assert_double_eq_tol(interference_frac(&sum), 0.25, 1e-12);
    ck_assert_double_eq(interference_frac(&(struct interference){0}), 0);
    ck_assert_double_eq(interference_frac(&(struct interference){.wall_s = 1, .cpu_s = 1.1}), 0);
    ck_assert_double_eq(interference_frac(&(struct interference){.wall_s = 1, .steal_s = 9}), 1);
}
END_TEST

// A processor that is not there has had nothing stolen.
START_TEST(unknown_processor_has_none)
{
    ck_assert_double_eq(interference_steal_s(9999), 0);
    ck_assert_double_ge(interference_steal_s(0), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_stretch_is_measured},
        {"core", lost_time_is_found},
        {"core", a_rival_is_found},
        {"limits", sums_and_bounds},
        {"errors", unknown_processor_has_none},
    };
    return suite_run("interference", tests, sizeof tests / sizeof *tests);
}
