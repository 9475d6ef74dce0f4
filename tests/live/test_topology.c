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

static void check_teams(const struct topology *topology, size_t n_members, size_t n_teams,
                        const int *expected)
{
    int cpus[8];
    ck_assert_uint_eq(topology_teams(topology, n_members, cpus), n_teams);
    for (size_t i = 0; i < topology->n_cores; i++)
        ck_assert_msg(cpus[i] == expected[i], "%zu a team: core %zu is %d, expected %d", n_members,
                      i, cpus[i], expected[i]);
}

// Teams are of cores of one last-level cache, else of one socket, else of any; the cores that are
// left follow them.
START_TEST(teams_are_neighbours)
{
    struct topology_core cores[] = {{0, 0, 0}, {1, 1, 2}, {2, 0, 1}, {3, 1, 2},
                                    {4, 0, 0}, {5, 1, 2}, {6, 0, 0}, {7, 0, 1}};
    const struct topology topology = {.n_cores = 8, .cores = cores};
    check_teams(&topology, 1, 8, (const int[]){0, 1, 2, 3, 4, 5, 6, 7});
    check_teams(&topology, 2, 4, (const int[]){0, 4, 1, 3, 2, 7, 5, 6});
    check_teams(&topology, 3, 2, (const int[]){0, 4, 6, 1, 3, 5, 2, 7});
    check_teams(&topology, 4, 2, (const int[]){0, 2, 4, 6, 1, 3, 5, 7});
    check_teams(&topology, 5, 1, (const int[]){0, 2, 4, 6, 7, 1, 3, 5});
    check_teams(&topology, 8, 1, (const int[]){0, 1, 2, 3, 4, 5, 6, 7});
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
        {"core", cores_are_this_process_s}, {"core", pinned_threads_stay},
        {"core", both_ways_agree},          {"core", teams_are_neighbours},
        {"limits", one_thread_is_one_core}, {"limits", text_says_what_is_known},
        {"errors", refusal_is_said},
    };
    return suite_run("topology", tests, sizeof tests / sizeof *tests);
}
