// SPDX-License-Identifier: Apache-2.0
// claim: a file that one program at a time may be making, from its start to its end.
//
// Two runs into one output would both compute, and the second would fail at its end. So a run
// claims its output before it computes anything: beside PATH lies .NAME.lock, which it holds the
// lock (flock) of and which says who it is: host, process, job. Whoever comes second is told.
//
// A program that was killed holds no lock, so what it left is taken over, by one of those that find
// it at the same moment. Network file systems hand
// locks from machine to machine, but may keep those of a machine that is gone, and some have no
// locks at all. Two things help there. A job that Slurm has requeued, and the next link of a chain,
// know that what went before them has ended, and take over. And without locks the file itself is
// the claim: that of a process that is no longer on this machine is taken over, that of another
// machine is believed, and the message names the file to remove.
//
//     struct claim *claim = claim_take("output", "x.h5", &err);
//     if (!claim)
//         return -1;
//     ...
//     claim_release(claim);
//
// Not collective: rank 0 calls these functions.
#ifndef RESULTS_FILE_CLAIM_H
#define RESULTS_FILE_CLAIM_H

#include <stdbool.h>

#include "base/err.h"

struct claim;

// Claims the file at `path`, whether or not it is there. `what` is what messages call it. NULL,
// ERR_STUDY: another has claimed it, and the text says who. A folder that takes no lock file is no
// error here: whoever writes there says what is wrong with it.
struct claim *claim_take(const char *what, const char *path, struct err *err);
// Is the file at `path` claimed, or was it when its holder was killed?
bool claim_is_there(const char *path);
// Removes the lock file. NULL: no effect.
void claim_release(struct claim *claim);

// Who has claimed a file.
struct claim_holder {
    char host[64];
    long pid;
    char job[64], chain[64]; // of Slurm, and of `recfleet submit --chain`; "-": none
    long n_restarts;         // of the job
};

// This process.
struct claim_holder claim_self(void);
// Has the holder ended, as far as `self` can know? `locked`: a lock is held in its name, else the
// file system has none.
bool claim_has_ended(const struct claim_holder *holder, const struct claim_holder *self,
                     bool locked);

#endif
