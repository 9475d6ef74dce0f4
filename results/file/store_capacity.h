// SPDX-License-Identifier: Apache-2.0
// store_capacity: what a capacity search found, into one results file. [M] [H]
//
// The layout stands in docs/results.md. The root has the dimensions and what is known of types and
// services; every array of struct capacity_result that says anything has a group
// (capacity_result_arrays[]) with its own dimensions, the others are left out; the root's attribute
// `holds` lists those that are there. Names are codes with flag_meanings, as everywhere. Objectives
// are in the unit that the answer names.
//
// What is promised of the file is what store.h promises of a run's: it is whole or not there, and
// everything outside the group /run is the same on any number of ranks.
#ifndef RESULTS_FILE_STORE_CAPACITY_H
#define RESULTS_FILE_STORE_CAPACITY_H

#include <mpi.h>
#include <stdbool.h>

#include "base/err.h"
#include "results/meta.h"
#include "results/file/capacity_result.h"

// Collective (comm). Logically collective: path and force must agree. Writes rank 0's answer and
// run info; both may be NULL on the other ranks. An existing file needs `force`. Fails alike on all
// ranks, with one error and no file left.
int store_capacity_write(MPI_Comm comm, const char *path, bool force,
                         const struct capacity_result *answer, const struct run_info *run,
                         struct err *err);

#endif
