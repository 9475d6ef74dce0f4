// SPDX-License-Identifier: Apache-2.0
// consensus: what the ranks of a run want, found out while they work. [M]
//
// Ranks advance at their own pace and must never wait for each other only to ask whether somebody
// wants a checkpoint. So they hold rounds by nonblocking reductions: in a round each rank says once
// what it has to say, whenever it comes to it, and the round ends, for each at its own time but
// with the same result, when the last has spoken. What all do after a round they do together.
//
//     struct consensus consensus = consensus_start(comm);
//     consensus_say(&consensus, values, n);         // once a round; all ranks say as many
//     if (consensus_heard(&consensus, result))      // now and then: true when the round has ended
//         ...
#ifndef CLUSTER_CONSENSUS_H
#define CLUSTER_CONSENSUS_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Values of a round, at most.
#define CONSENSUS_VALUES 256

struct consensus {
    MPI_Comm comm; // borrowed
    MPI_Request request;
    int64_t mine[CONSENSUS_VALUES], all[CONSENSUS_VALUES]; // of the round under way, [n]
    size_t n;
    bool open;     // this rank has spoken and not yet heard
    int mpi_error; // first failure, MPI_SUCCESS when none
};

// Not collective. Rounds over the ranks of comm, which carries no other nonblocking collectives.
struct consensus consensus_start(MPI_Comm comm);

// Not collective. Speaks in the next round, whose result will be the sum of what was said: n
// values, at most CONSENSUS_VALUES and on every rank as many. Not while a round is open.
void consensus_say(struct consensus *consensus, const int64_t *values, size_t n);

// Not collective. Whether the open round has ended; then result[n] is the same on every rank. Also
// true, with zeros, once MPI has failed: look at mpi_error.
bool consensus_heard(struct consensus *consensus, int64_t *result);

#endif
