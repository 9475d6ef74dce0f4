// SPDX-License-Identifier: Apache-2.0
// rounds: what a policy has asked so far, and who leads.
//
// A policy that compares choices asks for them in rounds. A choice of a round must beat the leader
// at the start of the round by half the accuracy of the search, else it is given up after one short
// run (max_load.h, floor_qps); a choice whose bound is too low is given up without any. So who
// leads never depends on the order in which the tasks of a round were done. Nothing is asked twice:
// two choices that make the same server (a batch size beyond all sizes that stay on the CPU) are
// one. A choice whose times are not known is left out without a trace; where there is no other,
// rounds_finish() fails with what is not known.
//
//     struct rounds *rounds = rounds_create(config, backend, outcome);
//     while (more(rounds_leader(rounds), choices, &n))
//         if (rounds_ask(rounds, choices, n, err) != 0) ...
//     rc = rounds_finish(rounds, err);
//     rounds_destroy(rounds);
//
// The outcome counts what is spent: a choice settled by its bound is counted, one asked again not.
#ifndef SEARCH_ROUNDS_H
#define SEARCH_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "search/tuner.h"

struct rounds;

// All three are borrowed until rounds_destroy(); *outcome is emptied.
struct rounds *rounds_create(const struct tuner_config *config, const struct tuner_backend *backend,
                             struct tuner_outcome *outcome);
void rounds_destroy(struct rounds *rounds); // NULL: no effect; the outcome stays

// Asks for n choices in one round, those that were asked before left out.
int rounds_ask(struct rounds *rounds, const struct settings *choices, size_t n, struct err *err);
bool rounds_asked(const struct rounds *rounds, struct settings choice);

// The best choice so far; when none holds its target at any rate, the one with the lowest latency
// at vanishing load. False: nothing was asked.
bool rounds_leader(const struct rounds *rounds, struct settings *leader);
// What the leader is estimated to hold; 0: the target is out of its reach.
double rounds_leader_qps(const struct rounds *rounds);

// The leader's capacity in full, into the outcome: choice, capacity, claimed_qps.
int rounds_finish(struct rounds *rounds, struct err *err);

// One search in full of one choice, into *capacity and the outcome's counts and path; for policies
// that compare nothing. floor_qps and guess_qps as in struct max_load_task.
int rounds_measure(struct rounds *rounds, struct settings choice, double floor_qps,
                   double guess_qps, struct max_load *capacity, struct err *err);

#endif
