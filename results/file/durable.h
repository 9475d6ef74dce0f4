// SPDX-License-Identifier: Apache-2.0
// durable: the life of a file, from a wish to a durable name.
//
// A file is made under a temporary name in the same folder, .NAME.tmp-PID, and gets its own name by
// one rename after everything is on the disk. So the final name is either absent, or what it was
// before, or a whole new file. The writer holds a lock (flock) on the temporary file, so that what
// a killed run left behind can be told from what another is writing: the next writer removes it.
//
// A result replaces nothing, or, where the user says --force, what is there. A checkpoint replaces
// the one before, which is kept as PATH.previous. Taking the name then goes in this order: the new
// file is on the disk; the old one gets a second name (a hard link) that becomes PATH.previous; the
// new one takes PATH. So PATH is never absent and both names always have a whole file, whatever
// moment the power fails. Where a file system has no hard links, PATH becomes PATH.previous by a
// rename and is absent for a moment.
//
//     struct durable_file file;
//     if (durable_open(&file, "output", "x.h5", DURABLE_NEW, &err) != 0)
//         return -1;
//     int reason = durable_write(file.fd, bytes, n);
//     if (reason == 0)
//         return durable_publish(&file, &err);
//     durable_discard(&file);
//
// Nothing is ever removed but files with a temporary name of ours, and by durable_remove(). None of
// these functions is collective: rank 0 calls them.
#ifndef RESULTS_FILE_DURABLE_H
#define RESULTS_FILE_DURABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// Makes durable what happened to the names in the folder of `path`.
int durable_sync_folder(const char *path, struct err *err);

// Are these two names of one file, or would they be? Through links and other spellings of a folder.
bool durable_same(const char *a, const char *b);

// May a file be made at `path`, or replace what is there? Only a regular file, also through a link.
// `what` is what it is called, "memo"; `code` goes into *err.
int durable_check_place(const char *what, const char *path, enum err_code code, struct err *err);

// Takes the lock of an open file, until it is closed. False when another holds it; where a file
// system has no locks everybody gets it.
bool durable_lock(int fd);

// Writes all bytes. 0, or the number of the error: a full disk is ENOSPC; a file longer than the
// process may write is EFBIG where SIGXFSZ is ignored, as main() has it.
int durable_write(int fd, const void *bytes, uint64_t n);

// The temporary name for `path` of process `pid`; caller mem_free()s.
char *durable_temporary(const char *path, long pid);

// What becomes of a file that has the name.
enum durable_mode {
    DURABLE_NEW,     // it stays, and taking the name is an error that speaks of --force
    DURABLE_REPLACE, // it is replaced
    DURABLE_KEEP     // it becomes PATH.previous
};

// A file on its way to its name.
struct durable_file {
    const char *what; // "checkpoint", for messages; borrowed
    enum durable_mode mode;
    char *path, *previous;         // owned
    char *temporary, *second_name; // owned; the latter for the file that has the name now
    int fd;                        // the temporary file, for writing
};

// Opens a new temporary file for `path` after removing abandoned ones. After -1 nothing is there.
// DURABLE_REPLACE of a symbolic link replaces the file that it leads to.
int durable_open(struct durable_file *file, const char *what, const char *path,
                 enum durable_mode mode, struct err *err);
// Makes the file durable and gives it the name. Closes and releases everything in any case; after
// an error the file that had the name still has it.
int durable_publish(struct durable_file *file, struct err *err);
// Writes what put() prints of the table into the open file, and publishes it; in any case closes
// and releases everything.
typedef void durable_print_fn(FILE *stream, const void *table);
int durable_print(struct durable_file *file, durable_print_fn *put, const void *table,
                  struct err *err);
// Removes the temporary file and releases everything.
void durable_discard(struct durable_file *file);

// Could durable_open() and durable_publish() be done, and are least_bytes free? For before a run.
// Leaves nothing behind. The reason is ERR_STUDY, but ERR_FAIL for a full disk, as it is later.
int durable_check(const char *what, const char *path, enum durable_mode mode, uint64_t least_bytes,
                  struct err *err);

// PATH.previous; caller mem_free()s.
char *durable_previous(const char *path);
// Is there a file of that name or its .previous?
bool durable_exists(const char *path);
// Removes the file, its .previous and abandoned temporary files. What is not there, or is not a
// file, is left alone.
void durable_remove(const char *path);

#endif
