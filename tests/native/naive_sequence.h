// SPDX-License-Identifier: Apache-2.0
// naive_sequence: a model that reads a history, computed the plainest way, in double.
//
// As naive.h, of the models that it does not know: token by token and head by head, as
// models/catalogue.h and native/network.h describe it, with the engine's numbers and nothing else
// of it.
//
//     struct naive_sequence *sequence = naive_sequence_create(&naive, &history);
//     n = naive_sequence_run(sequence, place, results, most);     // a candidate
#ifndef TESTS_NATIVE_NAIVE_SEQUENCE_H
#define TESTS_NATIVE_NAIVE_SEQUENCE_H

#include <stdint.h>

#include "native/naive.h"

// Items `place` .. of the ring of histories, which has n_ring of them, and what is looked up once,
// at a place of the ring of requests.
struct naive_history {
    uint64_t place, n_ring, request;
    uint32_t n;
};

struct naive_sequence;

struct naive_sequence *naive_sequence_create(const struct naive *naive,
                                             const struct naive_history *history);
void naive_sequence_destroy(struct naive_sequence *sequence);

// The results of the candidate at a place of the items' ring.
uint32_t naive_sequence_run(const struct naive_sequence *sequence, uint64_t place, double *results,
                            uint32_t most);

#endif
