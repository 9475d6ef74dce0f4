// SPDX-License-Identifier: Apache-2.0
// store_piece: what every part of the results file is made of. [H]
//
// Rank 0 has the numbers, all ranks create the datasets, so every function here is collective over
// the file's communicator and takes the same arguments everywhere but for the data, which other
// ranks may leave NULL. Failures are remembered by the file (h5.h). Names, units and helps are
// those that stand in the file; counts are in elements.
#ifndef RESULTS_FILE_STORE_PIECE_H
#define RESULTS_FILE_STORE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/file/h5.h"
#include "results/meta.h"
#include "results/record.h"
#include "results/summary.h"

// What every rank needs to know to create the datasets that rank 0 fills.
struct store_header {
    struct record_shape shape;        // of the record
    uint32_t first_bucket, n_buckets; // range of the histogram that is used (hist.h)
    uint64_t n_samples;               // queries in the uniform sample
    uint32_t n_services, n_groups;
    struct summary_fleet fleet;
};

// One file being written. Everything in it is borrowed from store_write().
struct store_writer {
    struct h5_file *file;
    const struct meta *meta;
    const struct summary *summary; // on all ranks
    const struct record *total;    // rank 0 only
    struct store_header head;      // on all ranks
    bool root;                     // this is rank 0
};

// Rows of structs, and the dimensions they run over; n is the product of the dimensions' lengths.
struct store_rows {
    const void *base;
    size_t stride, n; // bytes from row to row; rows, 0 allowed on ranks other than 0
    int n_dims;       // 0: one row, one number
    const char *dims[H5_MAX_DIMS];
    uint64_t n_first; // length of the first dimension
};

// Collective. A whole dataset of `rows` rows, from rank 0.
void store_piece_put(const struct store_writer *w, const char *group, struct h5_var var,
                     uint64_t rows, const void *data);

// Collective. A dimension of the codes 0 .. n - 1 and what they are called.
void store_piece_codes(const struct store_writer *w, const char *group, const char *name,
                       const char *long_name, const char *const *names, uint32_t n);
// Collective. The dimensions `service`, `group`, `component` and `quantile` in a group of the file.
void store_piece_services(const struct store_writer *w, const char *group);
void store_piece_groups(const struct store_writer *w, const char *group);
void store_piece_components(const struct store_writer *w, const char *group);
void store_piece_quantiles(const struct store_writer *w, const char *group);

// A member of the rows: how it is called in the file, its type there and in the struct, its place.
struct store_column {
    const char *name, *units, *long_name;
    enum h5_type type;
    size_t offset;
};

// Collective. The member of each row as a dataset.
void store_piece_column(const struct store_writer *w, const char *group,
                        const struct store_rows *rows, const struct store_column *column);
// Collective. A member that is a struct ci, as four datasets: its value, two half-widths, the
// number of batches behind them (the column's type does not matter).
void store_piece_ci(const struct store_writer *w, const char *group, const struct store_rows *rows,
                    const struct store_column *column);
// Collective. One number of the summary by its row, and all of a table that ends with name NULL.
void store_piece_field(const struct store_writer *w, const char *group,
                       const struct store_rows *rows, const struct summary_field *f);
void store_piece_fields(const struct store_writer *w, const char *group,
                        const struct store_rows *rows, const struct summary_field *fields);
// Collective. Tells readers that a NaN of that field, which is written, is a number that is
// missing; no effect on fields that cannot be NaN.
void store_piece_missing(const struct store_writer *w, const char *group,
                         const struct summary_field *f);
// Collective. `latency_s` over quantiles: a struct ci [SUMMARY_N_QUANTILES] at `offset` of each
// row.
void store_piece_latency(const struct store_writer *w, const char *group,
                         const struct store_rows *rows, size_t offset);
// Collective. The components of rows of struct summary_group, with `component` as the last
// dimension; `component_` before their names tells them from the group's own numbers.
void store_piece_parts(const struct store_writer *w, const char *group,
                       const struct store_rows *rows);

#endif
