// SPDX-License-Identifier: Apache-2.0
// The fewest cores that hold an M/M/k queue's target, by `find: cores` and by Erlang C.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capacity/capacity_search.h"
#include "base/mem.h"
#include "support/suite_mpi.h"
#include "theory/formula.h"

// 95 % of sojourns within so many service times.
#define TARGET 3.4

static struct study *station(double load)
{
    char text[1024];
    struct library library;
    struct err err = {0};
    snprintf(text, sizeof text,
             "duration: 1s\n"
             "traffic: [{service: a, rate: %.0fqps, sizes: {distribution: fixed, items: 1}, "
             "sla: {p95: %.0fus}}]\n"
             "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}, "
             "noise: exponential}]}\n"
             "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
             "capacity: {find: cores}\n",
             load * 1000, TARGET * 1000);
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    library_release(&library);
    return study;
}

static uint32_t erlang_cores(double load)
{
    uint32_t k = (uint32_t)load + 1;
    while (formula_mmk_response(k, load / k, 0.95) > TARGET)
        k++;
    return k;
}

// Ten loads from one busy core to fifty: the answer is the exact number, and where the longest runs
// leave its neighbour open the range that it is known to lie in holds it.
START_TEST(cores_are_exactly_those_of_erlang)
{
    const double loads[] = {1, 2, 3, 5, 7, 10, 15, 20, 30, 50};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        struct eval eval = {.comm = MPI_COMM_WORLD, .n_ranks = 1};
        struct capacity_search search = {mem_strdup(""), station(loads[i])};
        struct capacity_context context = {.eval = &eval};
        struct err err = {0};
        ck_assert_msg(capacity_search_run(&context, &search, &err) == 0, "%s", err.text);
        const struct capacity_size *row = &context.answer->sizes[0];
        uint32_t k = erlang_cores(loads[i]);
        ck_assert_msg(row->n == k, "load %.0f: %u cores, by Erlang %u", loads[i], row->n, k);
        ck_assert_uint_le(row->n_least, k);
        ck_assert_uint_ge(row->n_most, k);
        capacity_result_destroy(context.answer);
        capacity_search_release(&search);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", cores_are_exactly_those_of_erlang}};
    return suite_mpi_run(&argc, &argv, "erlang", tests, sizeof tests / sizeof *tests);
}
