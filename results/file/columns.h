// SPDX-License-Identifier: Apache-2.0
// columns: numbers out of anybody's HDF5 file. [H]
//
// A column is a dataset with one dimension that holds integers or floating point of any width and
// byte order. Integers come as int64_t, exactly; floating point as finite doubles. The file need
// not be ours: it may come from h5py, xarray or a logger. Nothing in it is trusted: what cannot be
// a column is one error, "FILE: /DATASET: what was expected", and a wrong number is named by its
// record, from 1. A damaged file of our own is found by its seal (checksum.h) before HDF5 looks at
// it; a file without a seal is first read by a child process (sandbox.h), because damaged files
// have made HDF5 crash or run for ever. HDF5's own printing is off. No MPI is needed: every process
// may read the file for itself.
//
//     struct columns *file = columns_open("trace.h5", err);
//     struct column times;
//     if (columns_read(file, "/t", &times, err) == 0)
//         use(times.whole, times.n);
//     column_release(&times);
//     columns_close(file);
#ifndef RESULTS_FILE_COLUMNS_H
#define RESULTS_FILE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// Longest column that is read: 2 GiB in memory.
#define COLUMNS_MOST (UINT64_C(1) << 28)

struct columns;

struct column {
    char *name;     // path of the dataset, as asked for; owned
    char *units;    // its attribute `units`, "" without one; owned
    size_t n;       // records, at least 1
    int64_t *whole; // [n], owned; NULL: the column holds floating point
    double *real;   // [n], owned; NULL: the column holds integers
};

// Whether the file begins as an HDF5 file does; false also when it cannot be read.
bool columns_is_hdf5(const char *path);

// Opens the file for reading; NULL on failure. Caller closes with columns_close.
struct columns *columns_open(const char *path, struct err *err);
void columns_close(struct columns *columns); // NULL: no effect

// The dataset at a path ("/sample/arrive_s"; the first slash may be missing) into *column, which
// need not be initialised and which the caller column_release()s; empty after a failure.
int columns_read(const struct columns *columns, const char *name, struct column *column,
                 struct err *err);
void column_release(struct column *column); // empty: no effect

// An error about a column of the file, "FILE: NAME: text"; returns -1.
int columns_fail(const struct columns *columns, const char *name, struct err *err, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

// Fails unless both have the same number of records.
int columns_match(const struct columns *columns, const struct column *a, const struct column *b,
                  struct err *err);

#endif
