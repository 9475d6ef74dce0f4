// SPDX-License-Identifier: Apache-2.0
// cost_table: seconds from a measurement, (batch x busy cores).
//
// A struct cost_table is one measurement of one model on one platform, from models/tables/*.yaml
// through cost_table_fields[]. Between knots time is linear in the batch (and in the busy cores),
// never in its logarithm, and nothing assumes that it grows: measured kernels have dips. Below the
// first batch the first knot holds; above the last the last segment's slope goes on, never falling
// under the last knot's time, or (outside: clamp) the last knot holds. Whether sizes out there are
// an error (outside: error) is for whoever knows the sizes to see, by cost_table_covers(). Outside
// the measured busy cores the nearest row holds. An accelerator may have knots of its own.
//
// Where the model reads a history, times of the batches are those of a request without one, and
// three more numbers say what a history adds on a core (struct cost_history): for all busy counts,
// or for each, between which they are linear as well. They come of a fit, so the times without a
// history need never have been measured.
//
// Units: seconds per request, as the reals of the lists.
#ifndef MODELS_COST_TABLE_H
#define MODELS_COST_TABLE_H

#include <stdbool.h>

#include "models/cost.h"

struct cost_table {
    char *name;                       // of the measurement
    char *model;                      // model measured
    char *platform;                   // platform measured
    struct reals batches_items;       // ascending
    struct reals busy_cores;          // ascending
    struct reals seconds_s;           // [busy][batch]
    struct reals accel_load_s;        // [batch]; empty: no accelerator was measured
    struct reals accel_compute_s;     // [batch]
    struct reals accel_batches_items; // of the two above; empty: batches_items
    // [busy], or one for all; empty: a history adds nothing to it
    struct reals per_history_s, per_history_square_s, per_item_history_s;
    double cv; // of the times of one batch: standard deviation over mean; 0: not known
    bool provisional;
    char *sources;
};

extern const struct field cost_table_fields[];
extern const struct cost_type cost_table;

// The lists' lengths and order; the text names the key.
int cost_table_check(const struct cost_table *table, struct err *err);

// Whether the table was measured with that model on that platform.
bool cost_table_matches(const struct cost_table *table, const char *model, const char *platform);

// Seconds by the rules above; `table` has passed cost_table_check().
double cost_table_cpu_s(const struct cost_table *table, uint32_t items, uint32_t busy_cores);

// Does it say what a history adds? And what, on a core.
bool cost_table_has_history(const struct cost_table *table);
struct cost_history cost_table_history(const struct cost_table *table, uint32_t busy_cores);

// Are least .. most items between its first and its last batch: of the CPU, of the accelerator?
bool cost_table_covers(const struct cost_table *table, bool accel, double least, double most);
// The batches that its accelerator times are of.
const struct reals *cost_table_accel_batches(const struct cost_table *table);

void cost_table_release(struct cost_table *table); // NULL: no effect

#endif
