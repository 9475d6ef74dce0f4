// SPDX-License-Identifier: Apache-2.0
// durable: the life of a file, from a wish to a durable name.
//
// A file is made under a temporary name in the same folder, .NAME.tmp-PID, and gets its own name by
// one rename after everything is on the disk. So the final name is either absent, or what it was
// before, or a whole new file. Two kinds of files are made so:
//
// A result (durable_check, durable_reserve, durable_finish) is written by HDF5 under the temporary
// name and replaces nothing without `force`.
//
// A checkpoint (struct durable_file) replaces the one before, which is kept as PATH.previous. The
// writer holds a lock (flock) on the temporary file, so that what a killed run left behind can be
// told from what another is writing: the next writer removes it. Taking the name goes in this
// order: the new file is on the disk; the old one gets a second name (a hard link) that becomes
// PATH.previous; the new one takes PATH. So PATH is never absent and both names always have a whole
// file, whatever moment the power fails. Where a file system has no hard links, PATH becomes
// PATH.previous by a rename and is absent for a moment.
//
// Nothing is ever removed but files with a temporary name of ours, and by durable_remove(). None of
// these functions is collective: rank 0 calls them.
#ifndef RESULTS_FILE_DURABLE_H
#define RESULTS_FILE_DURABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

// The folder of `path` ("." when it names none; caller mem_free()s) and the name in it (borrowed).
void durable_split(const char *path, char **folder, const char **name);

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

// Writes all bytes. 0, or the number of the error: a full disk is ENOSPC, and a file longer than
// the process may write is EFBIG, not the end of the program by SIGXFSZ.
int durable_write(int fd, const void *bytes, uint64_t n);

// ---- results

// The temporary name for `path`; caller mem_free()s. `pid`: see durable_number().
char *durable_temporary(const char *path, long pid);
// This process's number, or one that only it would take, such that no file has the temporary name:
// numbers come again, in a container with every run, and a run that was killed may have left one.
// It stays, for on another machine a process of that number may be at work on it.
long durable_number(const char *path);

// May a result be given this name? Not when something other than a regular file has it, nor when a
// file has it and `force` is false. `code` goes into *err.
int durable_check_target(const char *path, bool force, enum err_code code, struct err *err);

// The same before a run (ERR_STUDY), and: can a file be made in that folder, and are least_bytes
// free? Leaves nothing behind.
int durable_check(const char *path, bool force, uint64_t least_bytes, struct err *err);

// Are `bytes` of disk there, and may a file be so long? Tried for real with a file that is removed
// again, because HDF5 does not survive closing a file that cannot be written to the end, so a full
// disk must be found before HDF5 opens one. `path`: the final name, for the message.
int durable_reserve(const char *temporary, uint64_t bytes, const char *path, struct err *err);

// Holds `bytes` for the temporary file that now exists, without changing its length, against others
// who write to the same disk. Does what the file system can do and never fails.
void durable_hold(const char *temporary, uint64_t bytes);

// From the closed temporary file to the result: unused space is given back, the checksum is added,
// everything is synced, and the file takes its name.
int durable_finish(const char *temporary, const char *path, bool force, struct err *err);

// ---- files that keep the one before

// A file on its way to its name.
struct durable_file {
    const char *what;              // "checkpoint", for messages; borrowed
    char *path, *previous;         // owned
    char *temporary, *second_name; // owned; the latter for the file that has the name now
    int fd;                        // the temporary file, for writing
};

// Opens a new temporary file for `path` after removing abandoned ones. After -1 nothing is there.
int durable_open(struct durable_file *file, const char *what, const char *path, struct err *err);
// Makes the file durable and gives it the name. Closes and releases everything in any case; after
// an error the file that had the name still has it.
int durable_publish(struct durable_file *file, struct err *err);
// Removes the temporary file and releases everything.
void durable_discard(struct durable_file *file);

// Could durable_open() and durable_publish() be done? Leaves nothing behind. ERR_STUDY with the
// reason.
int durable_try(const char *what, const char *path, struct err *err);

// PATH.previous; caller mem_free()s.
char *durable_previous(const char *path);
// Is there a file of that name or its .previous?
bool durable_exists(const char *path);
// Removes the file, its .previous and abandoned temporary files. What is not there, or is not a
// file, is left alone.
void durable_remove(const char *path);

#endif
