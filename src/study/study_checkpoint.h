// SPDX-License-Identifier: Apache-2.0
// study_checkpoint: the `checkpoint` section, how often a run is saved and where.
//
//     checkpoint: {every: 30min, file: ../fast-disk/day.checkpoint}
//
// A checkpoint never changes what a run answers, so nothing of this section counts as part of the
// study that a checkpoint or a results file belongs to (study_digest.h). `every` is wall time,
// unlike every other time of a study.
#ifndef STUDY_STUDY_CHECKPOINT_H
#define STUDY_STUDY_CHECKPOINT_H

#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"

struct study;

struct study_checkpoint {
    int64_t every_ns; // of wall time; 0: only when a signal asks
    char *file;       // owned; "": the results file's name with .checkpoint behind
};

// Fills study->checkpoint from the map `checkpoint` of the study's root. On error the study holds
// what was read so far and is to be released.
int study_checkpoint_read(struct study *study, const struct node *root, struct err *err);
// Releases study->checkpoint.
void study_checkpoint_release(struct study *study);

// Where checkpoints of a run go whose results go to `output`; caller mem_free()s. A relative `file`
// is taken from the working directory, as output.file is.
char *study_checkpoint_path(const struct study *study, const char *output);

// Table of struct study_checkpoint.
extern const struct field study_checkpoint_fields[];

#endif
