// SPDX-License-Identifier: Apache-2.0
// capacity_fixture: a question of `recfleet capacity`, asked on all ranks, from a study in a text.
//
//     struct capacity_fixture f;
//     capacity_fixture_open(&f, ASK_SYNTHETIC "capacity: {find: load}\n", NULL);
//     find_load_run(&f.context, &err);
//     capacity_fixture_close(&f);
#ifndef TESTS_CAPACITY_CAPACITY_FIXTURE_H
#define TESTS_CAPACITY_CAPACITY_FIXTURE_H

#include "capacity/capacity_context.h"
#include "capacity/capacity_search.h"

// One service of queries that take 1 ms of one of a server's 8 cores, spread exponentially: an
// M/M/8 queue of 1000 queries per second and core.
#define ASK_SYNTHETIC                                                                              \
    "duration: 1s\n"                                                                               \
    "traffic: [{service: a, rate: 20000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: "   \
    "4ms}}]\n"                                                                                     \
    "fleet: {groups: [{name: web, cores: 8, servers: 4, idle_power: 100W, busy_power: 200W, "      \
    "price: 2usd/h, cost: {kind: synthetic, fixed: 1ms}, noise: exponential}]}\n"                  \
    "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"                             \
    "tune: {accuracy: 5%, queries: 5000, max_queries: 40000}\n"

struct capacity_fixture {
    struct eval eval;
    struct capacity_search search;
    struct capacity_context context;
};

// Fails the test where the study is no good.
void capacity_fixture_open(struct capacity_fixture *fixture, const char *text, struct memo *memo);
void capacity_fixture_close(struct capacity_fixture *fixture);

// On all ranks.
struct eval capacity_fixture_eval(void);

// A memo in a new file of the folder for temporary files, whose name goes to path[64]; unlinked
// when it is closed as done.
struct memo *capacity_fixture_memo(char *path);

#endif
