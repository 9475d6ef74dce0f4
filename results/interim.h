// SPDX-License-Identifier: Apache-2.0
// interim: p95 of a run that is under way, from what its ranks have recorded so far.
//
// Ranks advance at their own pace and no record may be sent while they work, so a look at all of
// them is taken in rounds of short rows of integers, of which everybody hears the sums
// (cluster/consensus.h carries them):
//
//     1       which stretches of time are behind each rank; those behind all of them count
//     2..     their latencies in 64 buckets per power of two
//     last    the bucket with the quantile in full, and how many queries of every stretch lie in
//             it and above it
//
// So the value is as fine as the record (results/hist.h), and the interval is that of the fraction
// above it, from batches of stretches (results/batch.h), turned into latencies by the distribution:
// as a summary does it (results/summary.h), its longer side. Left out are a given warm-up, or else
// the first twentieth of the run, and the stretch that was finished last, as messages of it may
// still be under way. A value without an interval is none: while there are fewer than BATCH_LEAST
// batches or 20 queries above it, and where the interval leaves the distribution, as in a queue
// that grows.
//
//     do {
//         n = interim_say(look, reached_ns, values);
//         ... sum values[n] over the ranks ...
//     } while (!interim_hear(look, sums));
//     struct ci p95_s = interim_p95_s(look);
//
// A look reads the record and changes nothing. Where few stretches are behind it costs one round.
#ifndef RESULTS_INTERIM_H
#define RESULTS_INTERIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/ci.h"
#include "results/record.h"

enum {
    INTERIM_STRETCHES = 64, // that a run is cut into, at most
    INTERIM_FINE = 16,      // buckets of the record in one that is said
    INTERIM_VALUES = INTERIM_FINE + 3 * INTERIM_STRETCHES // of a round, at most
};

struct interim;

// record: this rank's, borrowed until interim_destroy().
struct interim *interim_create(const struct record *record, uint32_t n_ranks);
void interim_destroy(struct interim *look); // NULL: no effect

// What this rank says in the round that begins, into values[INTERIM_VALUES]; returns how many they
// are, on every rank as many. reached_ns: simulated time that is behind this rank.
size_t interim_say(struct interim *look, int64_t reached_ns, int64_t *values);

// The sums over all ranks of what was said. True: the look has ended, and the next round begins
// another.
bool interim_hear(struct interim *look, const int64_t *sums);

// By the last look that ended; ci_none() while it is not known.
struct ci interim_p95_s(const struct interim *look);

#endif
