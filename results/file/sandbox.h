// SPDX-License-Identifier: Apache-2.0
// sandbox: does a piece of work survive?
//
// HDF5 has crashed or looped for ever on damaged files, and no check of ours can foresee it. So
// work on a file that nothing vouches for is first done in a child process whose output goes
// nowhere; only if the child comes through does the caller do the same. The child is a copy of its
// parent, so both take the same way. The work must not call MPI and should leave no files behind.
#ifndef RESULTS_FILE_SANDBOX_H
#define RESULTS_FILE_SANDBOX_H

#include "base/err.h"

typedef void (*sandbox_fn)(void *data);

// Runs work(data) in a child that may use cpu_s seconds of processor time. 0 when it returned; what
// it changed in memory is lost. -1 when it crashed, ended the process or took longer, or when no
// child could be made; the text says which ("it crashes: Segmentation fault").
int sandbox_run(sandbox_fn work, void *data, unsigned cpu_s, struct err *err);

#endif
