// SPDX-License-Identifier: Apache-2.0
// checkpoint_file: a checkpoint's head and how it is written, by one process.
//
// checkpoint.h says what a checkpoint is for and gets the frames from and to the ranks; the file is
// one of frames.h, and gets its name and keeps the one before as durable.h says. Here is what a
// head says and whether it fits the run at hand.
//
//     struct checkpoint_file_out *out = checkpoint_file_create("x.ckpt", &head, &err);
//     frames_put(checkpoint_file_frames(out), bytes, n, checksum_bytes(bytes, n), &err);
//     checkpoint_file_finish(out, &n_bytes, &err);      // or checkpoint_file_abandon(out)
#ifndef RESULTS_FILE_CHECKPOINT_FILE_H
#define RESULTS_FILE_CHECKPOINT_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "results/file/frames.h"

// Who wrote it and how far it was. Texts are cut to fit, and end with a 0. In the file the members
// follow one another in their order.
struct checkpoint_head {
    char program[64];   // version and revision: only the same program resumes
    char study[40];     // digest of all that decides the result
    char name[128];     // of the study, for people
    int64_t reached_ns; // simulated time behind it, of end_ns
    int64_t end_ns;
    uint64_t n_restarts; // how often the run had been resumed before
    double wall_s;       // of all its parts so far
};

extern const struct frames_kind checkpoint_file_kind;

// A checkpoint under way to its name.
struct checkpoint_file_out;

// Opens a temporary file for `path` and writes the head. NULL with *err: nothing was changed.
struct checkpoint_file_out *
checkpoint_file_create(const char *path, const struct checkpoint_head *head, struct err *err);
// Where its frames are put.
struct frames_out *checkpoint_file_frames(struct checkpoint_file_out *out);
// Writes the end, syncs, keeps the file that had the name as PATH.previous and gives the name.
// *n_bytes: the file's size. Releases `out` in any case; after an error the file that had the name
// still has it and nothing is left behind.
int checkpoint_file_finish(struct checkpoint_file_out *out, uint64_t *n_bytes, struct err *err);
// Removes what was written. NULL: no effect.
void checkpoint_file_abandon(struct checkpoint_file_out *out);

// Reads and checks the head. *head is filled only on success, and makes sense.
int checkpoint_file_head(struct frames_in *in, struct checkpoint_head *head, struct err *err);

// Does a checkpoint with that head belong to the run that `expected` describes? ERR_STUDY with the
// reason when not.
int checkpoint_file_fits(const char *name, const struct checkpoint_head *head,
                         const struct checkpoint_head *expected, struct err *err);

#endif
