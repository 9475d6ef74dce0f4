// SPDX-License-Identifier: Apache-2.0
// pointdir: the folder in which the points of a sweep leave their results.
//
// Beside the results file OUT.h5 of a sweep stands OUT.points. A point that is done has there an
// ordinary results file, 000007.h5; one that was tried in vain has 000007.failed with the reason,
// one line. Every file has its final name only when it is whole, and no two points share one, so
// the tasks of a Slurm array fill the folder side by side without knowing of each other.
//
// Whether a point is done is told by its file alone: it is whole, and it carries the digest of the
// point's study (study_digest.h) and this program's version. A file of the same study's name with
// another digest was made before the study was edited: it may be replaced, and whoever does says
// so. Any other file is somebody else's.
#ifndef RUNS_POINTDIR_H
#define RUNS_POINTDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum pointdir_state {
    POINTDIR_MISSING,
    POINTDIR_DONE,
    POINTDIR_FAILED,  // tried in vain
    POINTDIR_EDITED,  // its file is of the study, or the program, as it was before
    POINTDIR_FOREIGN, // its file is another study's, or not one that we can read
    POINTDIR_WRONG    // its study cannot be read, so nothing is known of its file
};
extern const char *const pointdir_state_names[]; // "missing" ... ends with NULL

// What a point's file must say of itself.
struct pointdir_study {
    const char *name, *digest;
};

// The folder of a sweep whose results go to `output`; caller mem_free()s.
char *pointdir_of(const char *output);
// Makes the folder, unless it is there.
int pointdir_make(const char *folder, enum err_code code, struct err *err);

// The results file of a point; caller mem_free()s.
char *pointdir_file(const char *folder, uint32_t point);
// Where its checkpoints go; caller mem_free()s.
char *pointdir_checkpoint(const char *folder, uint32_t point);
// What is there of a point. note[size] becomes one line with the reason when it is neither missing
// nor done, else "".
enum pointdir_state pointdir_look(const char *folder, uint32_t point,
                                  const struct pointdir_study *study, char *note, size_t size);

// Leaves the reason why a point failed; a folder that cannot take even that is no second error.
void pointdir_fail(const char *folder, uint32_t point, const char *reason);
// The reason it left, one line; "" when there is none.
void pointdir_reason(const char *folder, uint32_t point, char *reason, size_t size);
// Removes it: the point is tried again, or done.
void pointdir_forgive(const char *folder, uint32_t point);

#endif
