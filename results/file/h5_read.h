// SPDX-License-Identifier: Apache-2.0
// h5_read: reading a results file of ours, trusting nothing in it. [H]
//
// What load is made of. A damaged seal (checksum.h) is found before HDF5 sees the
// file; every dataset must be there with the length and type that the caller expects; forged sizes
// cannot ask for all memory. The first failure is remembered with its text, "FILE: not a readable
// recfleet result: OBJECT is missing", and makes the calls that follow do nothing, so a reader
// looks at the verdict once, at h5_read_close(). HDF5's own printing is off. No MPI is needed.
//
// Counts are in elements; names are paths in the file ("/summary/latency_s").
#ifndef RESULTS_FILE_H5_READ_H
#define RESULTS_FILE_H5_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "results/summary.h"
#include "results/file/sandbox.h"

struct h5_reader;

// Will HDF5 survive work(data), which reads `path`? Certain for a file whose seal is whole; one
// without a seal is tried in a child process first (sandbox.h). -1 also when the seal is broken.
int h5_read_survives(const char *path, sandbox_fn work, void *data, struct err *err);

// Opens a results file of a kind ("run", "sweep", "capacity") and of a layout that we
// know; NULL on failure. path and err are borrowed until h5_read_close().
struct h5_reader *h5_read_open(const char *path, const char *kind, struct err *err);
// -1 when anything failed since, with the first failure in *err.
int h5_read_close(struct h5_reader *r);

bool h5_read_failed(const struct h5_reader *r);
// A failure that the caller finds: "OBJECT WHAT".
void h5_read_fail(struct h5_reader *r, const char *what, const char *object);

// Number of elements of a dataset.
uint64_t h5_read_extent(struct h5_reader *r, const char *name);
// Exactly n numbers of `bytes` each (real: doubles; else 4 or 8 of an integer) into data.
void h5_read_numbers(struct h5_reader *r, const char *name, uint64_t n, size_t bytes, bool real,
                     void *data);
// n doubles, and all of a dataset of bytes with a 0 behind it; callers mem_free(). Never NULL, but
// there are no doubles in it when the reader had failed before.
double *h5_read_reals(struct h5_reader *r, const char *name, uint64_t n);
char *h5_read_bytes(struct h5_reader *r, const char *name);

// Is there such an attribute? Files of earlier versions lack some. false once the reader failed.
bool h5_read_has(struct h5_reader *r, const char *object, const char *key);
// Attributes. A text of any length, caller mem_free()s, never NULL, and "" instead of one that need
// not be there; one number.
char *h5_read_text(struct h5_reader *r, const char *object, const char *key);
char *h5_read_text_if(struct h5_reader *r, const char *object, const char *key);
void h5_read_attribute(struct h5_reader *r, const char *object, const char *key, size_t bytes,
                       bool real, void *value);

// Rows of structs to fill, in the order of the file.
struct h5_rows {
    void *base;
    size_t stride, n; // bytes from row to row
};

// How many names there are, one a line in an attribute; 0 when it is empty.
uint32_t h5_read_n_names(struct h5_reader *r, const char *object, const char *key);
// Exactly `rows->n` of them as owned strings into the members at `offset`.
void h5_read_names(struct h5_reader *r, const char *object, const char *key,
                   const struct h5_rows *rows, size_t offset);
// One number per row into the members at `offset`.
void h5_read_column(struct h5_reader *r, const char *name, const struct h5_rows *rows,
                    size_t offset, size_t bytes, bool real);
// A struct ci per row, from its four datasets.
void h5_read_ci(struct h5_reader *r, const char *name, const struct h5_rows *rows, size_t offset);
// All of a table of fields that ends with name NULL; codes must be ones that the field knows.
// `prefix`: what stands before each name, "/groups/".
void h5_read_fields(struct h5_reader *r, const char *prefix, const struct h5_rows *rows,
                    const struct summary_field *fields);
// summary_service_fields[], of which files from before there were failures lack what is about them;
// then it stays as it is.
void h5_read_services(struct h5_reader *r, const char *prefix, const struct h5_rows *rows);
// latency_s of n services, and the components of n groups, each one behind the other in the file.
void h5_read_latency(struct h5_reader *r, const char *name, struct summary_service *services,
                     size_t n);
void h5_read_parts(struct h5_reader *r, const char *prefix, struct summary_group *groups, size_t n);

#endif
