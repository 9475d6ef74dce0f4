// SPDX-License-Identifier: Apache-2.0
// memo_file: the file behind a memo (memo.h), read and appended to by one process, without MPI.
//
// The file is one of results/file/frames.h without an end: its head says the program, char[64], and
// the digest of the study, 16 bytes; a frame is an entry, key u64 and the bytes. A process that is
// killed leaves at most its last entry cut off; a machine that goes down leaves what was synced.
// What follows the last whole entry is cut away when the file is resumed from. The file is locked
// while it is open, where the file system has locks.
//
// Errors say the name of the file. Nothing but a memo is ever replaced: a file that does not begin
// as one is refused whatever was asked for.
#ifndef RUNS_MEMO_FILE_H
#define RUNS_MEMO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"

#define MEMO_DIGEST_BYTES 16

struct memo_file_config {
    const char *path;            // borrowed until the file is closed
    const char *program;         // version and revision: only the same program resumes
    const unsigned char *digest; // [MEMO_DIGEST_BYTES] of the study
    bool resume;                 // take up what is there; of another study or program: an error
    bool force;                  // begin anew although there is one that cannot be taken up
};

struct memo_file;

// Opens or begins the file. *entries: those that are there, for memo_file_next(); empty when it
// begins. NULL with *err (ERR_STUDY where the user can do something about it).
struct memo_file *memo_file_open(const struct memo_file_config *config, struct blob *entries,
                                 struct err *err);
// Syncs and closes; remove: takes it away. An error of the last sync is of no use to anybody any
// more. NULL: no effect.
void memo_file_close(struct memo_file *file, bool remove);

// Appends an entry, and syncs when the last time is a while ago.
int memo_file_add(struct memo_file *file, uint64_t key, const void *bytes, size_t n,
                  struct err *err);

// The next entry of *reader, over what memo_file_open() gave; its bytes are borrowed from it. False
// at the end.
bool memo_file_next(struct blob_reader *reader, uint64_t *key, struct blob_reader *bytes);

#endif
