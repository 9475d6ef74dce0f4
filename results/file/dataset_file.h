// SPDX-License-Identifier: Apache-2.0
// dataset_file: an HDF5 file of unknown origin, read without trusting it. [H]
//
// What dataset_read.h and dataset_verify.h are made of, and what takes columns of numbers out of
// anybody's file (study/trace_file.h). A damaged checksum is found before HDF5 sees the file; what
// has no checksum is first read by a child process (sandbox). Every object must be there with the
// type and lengths that the caller expects, and nothing is allocated by a number that the file's
// own size does not bear out. The first failure is remembered with its text,
// "FILE: not a readable recfleet result: OBJECT is missing", and makes the calls that follow do
// nothing, so a reader looks once, at dataset_file_close(). HDF5's own printing is off.
//
//     struct dataset_file *f = dataset_file_open(path, true, err);
//     if (!f)
//         return -1;
//     dataset_file_values(f, "/servers/energy_j", CONTENT_F64, 1, (uint64_t[]){n}, energy_j);
//     return dataset_file_close(f);
#ifndef RESULTS_FILE_DATASET_FILE_H
#define RESULTS_FILE_DATASET_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "results/file/content_digest.h"
#include "results/file/sandbox.h"

// Longest list of axes that is read.
#define DATASET_FILE_MAX_DIMS 8
// HDF5 converts strings and widens numbers in a buffer that it clears for every dataset, 1 MiB
// unless it is told less: more work than everything else that a small dataset takes.
#define DATASET_FILE_BUFFER_BYTES 16384
// Memory that may be asked for by what a file of n bytes says: deflate makes at most 1032 bytes of
// one, and rows have members that are not in the file.
#define DATASET_FILE_MOST_MEMORY(n) ((UINT64_C(1) << 24) + 4096 * (n))

struct dataset_file;

// Will HDF5 survive work(data), which reads `path`? Certain where the checksum is right; a file
// without one is tried in a child process. -1 also where the checksum is wrong.
int dataset_file_survives(const char *path, sandbox_fn work, void *data, struct err *err);

// Whether the file begins as an HDF5 file does; false also when it is no regular file.
bool dataset_file_is_hdf5(const char *path);

// path and err are borrowed until dataset_file_close(). NULL on failure. `ours`: it should be one
// of our results; what is wrong with another file is said without that.
struct dataset_file *dataset_file_open(const char *path, bool ours, struct err *err);
// -1 when anything failed since, with the first failure in *err.
int dataset_file_close(struct dataset_file *f);

bool dataset_file_failed(const struct dataset_file *f);
// A failure that the caller finds: "OBJECT WHAT"; and one whose text is whole but for the file.
void dataset_file_fail(struct dataset_file *f, const char *object, const char *what);
void dataset_file_refuse(struct dataset_file *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t dataset_file_bytes(const struct dataset_file *f);

// Is there an object at the path, an attribute of one? false once the reader failed.
bool dataset_file_has(const struct dataset_file *f, const char *path);
bool dataset_file_has_attribute(const struct dataset_file *f, const char *object, const char *key);

// What a variable is.
struct dataset_file_shape {
    enum content_type type; // as stored, whole numbers of one or two bytes as four
    int n_dims;
    uint64_t sizes[DATASET_FILE_MAX_DIMS];
    uint64_t n; // values in all
};
#define DATASET_FILE_TOO_LONG UINT64_MAX
// NULL where there is a variable that can be read; else what is wrong, such as "is a group", with
// `n` DATASET_FILE_TOO_LONG where that is its length.
const char *dataset_file_probe(const struct dataset_file *f, const char *path,
                               struct dataset_file_shape *shape);
// The same, with that remembered as a failure: then false.
bool dataset_file_shape(struct dataset_file *f, const char *path, struct dataset_file_shape *shape);

// All values of a variable that must have exactly these axes and be of that type or a narrower one.
// CONTENT_TEXT: owned strings into char *values[], which must be NULL before.
void dataset_file_values(struct dataset_file *f, const char *path, enum content_type type,
                         int n_dims, const uint64_t *sizes, void *values);
// An attribute of one text, of fixed or variable length; "" where there is none. Owned.
char *dataset_file_text(const struct dataset_file *f, const char *object, const char *key);
// An attribute of one value, likewise; CONTENT_TEXT: an owned string into char **.
void dataset_file_attribute(struct dataset_file *f, const char *object, const char *key,
                            enum content_type type, void *value);

// Names of the objects of a group and of the root's attributes, sorted by HDF5: calls
// visit(user, path) with "/run" and so on, and what it is; a soft or external link is not followed
// and is OTHER. More than a file of ours could have is a failure; another program's may have any.
enum dataset_file_object { DATASET_FILE_GROUP, DATASET_FILE_VARIABLE, DATASET_FILE_OTHER };
typedef void (*dataset_file_visit_fn)(void *user, const char *path, enum dataset_file_object what);
void dataset_file_each_object(struct dataset_file *f, const char *group,
                              dataset_file_visit_fn visit, void *user);
typedef void (*dataset_file_key_fn)(void *user, const char *key, enum content_type type);
void dataset_file_each_attribute(struct dataset_file *f, dataset_file_key_fn visit, void *user);

#endif
