// SPDX-License-Identifier: Apache-2.0
#include "live/topology.h"

#include <sched.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Every core that is listed is one of the threads that this process may use, none twice.
START_TEST(cores_are_this_process_s)
{
    struct topology topology;
    cpu_set_t allowed;
    topology_read(&topology);
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_uint_ge(topology.n_cores, 1);
    ck_assert_uint_le(topology.n_cores, topology.n_threads);
    ck_assert_uint_eq(topology.n_threads, (size_t)CPU_COUNT(&allowed));
    ck_assert_uint_ge(topology.n_packages, 1);
    for (size_t i = 0; i < topology.n_cores; i++) {
        ck_assert(CPU_ISSET((size_t)topology.cores[i].cpu, &allowed));
        for (size_t k = 0; k < i; k++)
            ck_assert_int_ne(topology.cores[k].cpu, topology.cores[i].cpu);
    }
    topology_release(&topology);
}
END_TEST

// A thread that was pinned runs there and nowhere else.
START_TEST(pinned_threads_stay)
{
    struct topology topology;
    cpu_set_t now;
    topology_read(&topology);
    int cpu = topology.cores[topology.n_cores - 1].cpu;
    ck_assert_int_eq(topology_pin(cpu, NULL), 0);
    ck_assert_int_eq(sched_getaffinity(0, sizeof now, &now), 0);
    ck_assert_int_eq(CPU_COUNT(&now), 1);
    ck_assert(CPU_ISSET((size_t)cpu, &now));
    ck_assert_int_eq(sched_getcpu(), cpu);
    topology_release(&topology);
}
END_TEST

// With and without hwloc the same cores are found, in whatever order.
START_TEST(both_ways_agree)
{
    struct topology one, other;
    topology_read(&one);
    topology_read_plain(&other);
    ck_assert(!other.by_hwloc);
    ck_assert_uint_eq(one.n_cores, other.n_cores);
    ck_assert_uint_eq(one.n_threads, other.n_threads);
    for (size_t i = 0; i < one.n_cores; i++) {
        bool found = false;
        for (size_t k = 0; k < one.n_cores; k++)
            found = found || one.cores[i].cpu == other.cores[k].cpu;
        ck_assert(found);
    }
    topology_release(&other);
    topology_release(&one);
}
END_TEST

// A process that may use one thread alone has one core.
START_TEST(one_thread_is_one_core)
{
    struct topology topology;
    topology_read(&topology);
    ck_assert_int_eq(topology_pin(topology.cores[0].cpu, NULL), 0);
    topology_release(&topology);
    topology_read(&topology);
    ck_assert_uint_eq(topology.n_cores, 1);
    ck_assert_uint_eq(topology.n_threads, 1);
    topology_release(&topology);
}
END_TEST

// The text names the processor and its caches, and copes with a machine that tells nothing.
START_TEST(text_says_what_is_known)
{
    const struct topology full = {.processor = "Example 9000",
                                  .n_cores = 2,
                                  .l1_bytes = 49152,
                                  .l2_bytes = 1048576,
                                  .l3_bytes = 33554432};
    const struct topology bare = {.n_cores = 1};
    char *text = topology_text(&full);
    ck_assert_str_eq(text, "2 cores of Example 9000, 48 KiB L1, 1 MiB L2, 32 MiB L3");
    mem_free(text);
    text = topology_text(&bare);
    ck_assert_str_eq(text, "1 core of an unknown processor");
    mem_free(text);
    topology_release(NULL);
}
END_TEST

// A processor that is not there is refused with its number, and the thread stays where it was.
START_TEST(refusal_is_said)
{
    cpu_set_t before, after;
    struct err err = {0};
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    ck_assert_int_eq(topology_pin(8000, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "processor 8000"));
    ck_assert_int_eq(topology_pin(-1, &err), -1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof after, &after), 0);
    ck_assert(CPU_EQUAL(&before, &after));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cores_are_this_process_s},  {"core", pinned_threads_stay},
        {"core", both_ways_agree},           {"limits", one_thread_is_one_core},
        {"limits", text_says_what_is_known}, {"errors", refusal_is_said},
    };
    return suite_run("topology", tests, sizeof tests / sizeof *tests);
}
