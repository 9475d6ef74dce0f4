// SPDX-License-Identifier: Apache-2.0
// fidelity: how far what was computed is off what a real server has shown.
//
// Rows of a run that was measured, each with a name: what was measured, and the same arrivals
// computed in several ways (live/live_results.h says how). An error is the computed number over the
// measured one, less 1. Of all services together; latencies in seconds, busy as a fraction of the
// cores' time.
#ifndef RESULTS_FIDELITY_H
#define RESULTS_FIDELITY_H

#include <stdint.h>

#include "results/ci.h"
#include "results/data_field.h"

enum fidelity_number {
    FIDELITY_MEAN,
    FIDELITY_P50,
    FIDELITY_P95,
    FIDELITY_P99,
    FIDELITY_BUSY,
    N_FIDELITY_NUMBERS
};
extern const char *const fidelity_numbers[]; // "mean" "p50" "p95" "p99" "busy" NULL

struct fidelity_row {
    struct {
        double value;
        struct ci error_frac; // not known for what was measured itself
    } number[N_FIDELITY_NUMBERS];
};

extern const struct data_field fidelity_fields[];

// The rows of a run, the measured one first; n 0: it was not measured.
struct fidelity {
    uint32_t n;
    char **names;              // [n], owned, as are the texts
    struct fidelity_row *rows; // [n], owned
};

// Appends a row; the name is copied.
void fidelity_add(struct fidelity *fidelity, const char *name, const struct fidelity_row *row);
void fidelity_release(struct fidelity *fidelity); // NULL: no effect; it is empty then

#endif
