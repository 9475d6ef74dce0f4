// SPDX-License-Identifier: Apache-2.0
// durable: the life of a result file, from a wish to a durable name.
//
// A result is made under a temporary name in the same folder, .NAME.tmp-PID, and gets its own name
// by one rename after everything is on the disk. So the final name is either absent, or what it was
// before, or a whole new file; and nothing is overwritten without `force`.
//
// None of these is collective: rank 0 calls them.
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

// From the closed temporary file to the result: unused space is given back, the seal is added,
// everything is synced, and the file takes its name.
int durable_finish(const char *temporary, const char *path, bool force, struct err *err);

#endif
