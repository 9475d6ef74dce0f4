// SPDX-License-Identifier: Apache-2.0
// h5: writing an HDF5 file that every netCDF-4 reader takes. [M] [H]
//
// A thin layer that cannot write what readers stumble over: every dataset names its dimensions and
// gets a dimension scale on each axis, every dataset has units and a long_name, only integers and
// floating point are stored, datasets are chunked, shuffled, deflated and checksummed, and no
// object carries a time stamp. Categories are integer codes with flag_values and flag_meanings.
//
// All functions are collective over the file's communicator and logically collective in everything
// but the slab: names, shapes and attributes must agree. The first failure is remembered, shared by
// all ranks, and makes the calls that follow do nothing; h5_close() reports it. HDF5's own error
// printing is off.
//
//     struct h5_file *f = h5_create(comm, "x.h5", &err);
//     h5_group(f, "/bins");
//     h5_coord(f, "/bins", "time", "s", "start of the bin", H5_F64, n, starts);
//     h5_put(f, "/bins", &(struct h5_var){"util_frac", "1", "utilisation", H5_F64, 1, {"time"}},
//            &slab);
//     rc = h5_close(f, &err);
#ifndef RESULTS_FILE_H5_H
#define RESULTS_FILE_H5_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define H5_MAX_DIMS 6

enum h5_type { H5_U8, H5_I32, H5_U32, H5_I64, H5_U64, H5_F64 };

struct h5_file;

struct h5_var {
    const char *name, *units, *long_name;
    enum h5_type type;
    int n_dims;                    // 0: one number
    const char *dims[H5_MAX_DIMS]; // coordinates of the same group, slowest first
};

// Rows [first, first + count) along the first axis, from this rank; count 0: nothing. One number
// (n_dims 0) is written by the rank that has count 1. Ranks' rows must not overlap.
struct h5_slab {
    uint64_t first, count;
    const void *data; // rows in C order, of the variable's type
};

// Collective (comm). Creates the file, which must not exist. NULL on every rank on failure. comm is
// borrowed until h5_close.
struct h5_file *h5_create(MPI_Comm comm, const char *path, struct err *err);

// Collective. Closes the file and frees `file`, also after a failure; -1 when anything failed.
int h5_close(struct h5_file *file, struct err *err);

// Collective. A group right below the root: "/bins".
void h5_group(struct h5_file *file, const char *group);

// Collective. A 1-D dataset that is the dimension `name` of the group; data must agree on all
// ranks.
void h5_coord(struct h5_file *file, const char *group, const char *name, const char *units,
              const char *long_name, enum h5_type type, uint64_t n, const void *data);

// Collective. A dataset over coordinates that exist, filled from all ranks' slabs.
void h5_put(struct h5_file *file, const char *group, const struct h5_var *var,
            const struct h5_slab *slab);

// Collective. What the codes 0 .. n - 1 of a H5_I32 dataset mean: flag_values; flag_meanings, where
// white space and commas in a name become "_", as does an empty name; and `names`, one a line, as
// they are.
void h5_codes(struct h5_file *file, const char *dataset, const char *const *names, size_t n);

// Collective. Attributes of the object at a path ("/", "/run", "/bins/time"). NULL text is "".
void h5_text(struct h5_file *file, const char *object, const char *key, const char *text);
void h5_number(struct h5_file *file, const char *object, const char *key, enum h5_type type,
               const void *value);

#endif
