// SPDX-License-Identifier: Apache-2.0
// dataset_read: a results file back into its artefact, trusting nothing in it.
//
// Files come from anywhere. A file is refused, with one line that begins with its name, when it is
// not HDF5, not ours, of another kind or of another schema (a line then says which program wrote
// it), when its checksum is wrong, or when anything that the layout names is missing, of another
// type or length, out of range, or a label that is no name. A file without a checksum (another
// program has rewritten it) is first read by a child process, because HDF5 has crashed on damaged
// files. Memory is bounded by the file's size. What comes back is what dataset_write() was given:
// equal to the last bit but for what a struct ci has beyond its value and 95 % half-width.
//
//     struct farm farm;
//     if (dataset_read(&farm_layout, "x.h5", DATASET_ALL, &farm, NULL, err) != 0)
//         return -1;
//     ...
//     dataset_destroy(&farm_layout, &farm);
#ifndef RESULTS_FILE_DATASET_READ_H
#define RESULTS_FILE_DATASET_READ_H

#include "base/err.h"
#include "results/file/dataset.h"
#include "results/meta.h"

enum dataset_depth {
    DATASET_HEAD, // the root's attributes alone, and only of a file whose checksum is right
    DATASET_ALL,  // but for the arrays that are DATASET_UNREAD
    DATASET_WHOLE // these, too
};

// Fills *artefact (of layout->size bytes; what is in it is not looked at) and, unless it is NULL,
// *run from /run, whose texts are then owned: data_field_release(run_info_fields, run). All of the
// artefact is owned by it: dataset_destroy(). On failure both are zero and need no release.
int dataset_read(const struct dataset_layout *layout, const char *path, enum dataset_depth depth,
                 void *artefact, struct run_info *run, struct err *err);

// What the reader of a file knows beforehand: a part of the artefact. NULL bytes: nothing.
struct dataset_known {
    size_t offset, n_bytes;
    const void *bytes;
};
// The same, of all of a file into an artefact that has this already: with the table of own fields
// (dataset.h) these are read as well.
int dataset_read_knowing(const struct dataset_layout *layout, const char *path,
                         struct dataset_known known, void *artefact, struct err *err);

// What kind of results file is it, as layout->kind says it? It is one of ours, of this schema.
#define DATASET_KIND_BYTES 32
int dataset_read_kind(const char *path, char kind[DATASET_KIND_BYTES], struct err *err);

#endif
