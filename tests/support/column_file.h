// SPDX-License-Identifier: Apache-2.0
// column_file: small HDF5 files of columns as other programs write them, for tests that may not
// speak HDF5 themselves.
#ifndef SUPPORT_COLUMN_FILE_H
#define SUPPORT_COLUMN_FILE_H

#include <stddef.h>
#include <stdint.h>

struct column_file_column {
    const char *name;     // below the root, "t"; or "group/t", in a group of its own
    size_t n;             // records
    const double *real;   // [n], stored as 64-bit floating point; NULL: whole
    const int64_t *whole; // [n], stored as 64-bit integers
    const char *units;    // attribute of variable length, as h5py writes it; NULL: none
};

// Writes the file, replacing what is there; compressed and chunked. Ends the test on failure.
void column_file_write(const char *path, const struct column_file_column *columns, size_t n);

// All bytes of a file, to be free()d, and back to another one.
unsigned char *column_file_slurp(const char *path, size_t *n);
void column_file_spit(const char *path, const void *bytes, size_t n);

#endif
