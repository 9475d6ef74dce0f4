// SPDX-License-Identifier: Apache-2.0
// store: one run into one results file. [M] [H]
//
// The layout stands in docs/results.md. Everything outside the group /run depends on the study
// alone: it is the same on any number of ranks. The file is written under a temporary name next to
// its own (.NAME.tmp-PID), closed, sealed (checksum.h), fsynced and renamed, so nothing
// half-written ever has the final name; on any failure the temporary file is removed. (A killed
// program can leave the temporary file behind; it is never taken for a result.)
#ifndef RESULTS_FILE_STORE_H
#define RESULTS_FILE_STORE_H

#include <mpi.h>
#include <stdbool.h>

#include "base/err.h"
#include "results/meta.h"
#include "results/record.h"
#include "results/summary.h"

// What goes in. On ranks other than 0 only `meta` is looked at and the rest may be NULL.
struct store_input {
    const struct meta *meta;
    const struct summary *summary;
    const struct record *total; // of all ranks
    const struct run_info *run;
};

// Not collective. Before a run: can a file be made at `path`, and may it (an existing one needs
// `force`, and must be a regular file)? Touches nothing that is there. ERR_STUDY with the reason.
int store_check(const char *path, bool force, struct err *err);

// Collective (comm). Logically collective: path, force and meta must agree. Writes the file; fails
// alike on all ranks, with one error and no file left.
int store_write(MPI_Comm comm, const char *path, bool force, const struct store_input *input,
                struct err *err);

#endif
