// SPDX-License-Identifier: Apache-2.0
// checkpoint_name: the names of a checkpoint's files, and how a new file gets one.
//
// A checkpoint PATH has up to two files beside it: PATH.previous, the one before, and while one is
// written .NAME.tmp-PID. The writer holds a lock (flock) on the latter, so that what a killed run
// left behind can be told from what another is writing: the next writer removes it.
//
// Taking the name goes in this order: the new file is on the disk; the old one gets a second name
// (.NAME.previous.tmp-PID, a hard link); the new one takes PATH; the second name becomes
// PATH.previous. So PATH is never absent and both names always have a whole file, whatever moment
// the power fails. Where a file system has no hard links, PATH becomes PATH.previous by a rename
// and is absent for a moment.
//
// Nothing is ever removed but files with a temporary name of ours, and by checkpoint_name_remove().
#ifndef RESULTS_FILE_CHECKPOINT_NAME_H
#define RESULTS_FILE_CHECKPOINT_NAME_H

#include <stdbool.h>

#include "base/err.h"

// A file on its way to its name.
struct checkpoint_name {
    char *path, *previous, *temporary, *keep; // owned
    int fd;                                   // the temporary file, for writing
};

// PATH.previous; caller mem_free()s.
char *checkpoint_name_previous(const char *path);

// Opens a new temporary file for `path` after removing abandoned ones. After -1 nothing is there.
int checkpoint_name_open(struct checkpoint_name *name, const char *path, struct err *err);
// Makes the file durable and gives it the name. Closes and releases everything in any case; after
// an error before the new name, all names are as they were.
int checkpoint_name_publish(struct checkpoint_name *name, struct err *err);
// Removes the temporary file and releases everything.
void checkpoint_name_discard(struct checkpoint_name *name);

// Is there a file of that name or its .previous?
bool checkpoint_name_exists(const char *path);
// Can a checkpoint be written there? Leaves nothing behind. ERR_STUDY with the reason.
int checkpoint_name_check(const char *path, struct err *err);
// Removes the checkpoint, its .previous and abandoned temporary files. What is not there, or is not
// a file, is left alone.
void checkpoint_name_remove(const char *path);

#endif
