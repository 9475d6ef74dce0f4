// SPDX-License-Identifier: Apache-2.0
// memo: answers of simulations kept in a file, so that a search that was interrupted goes on. [M]
//
// A search is pure: the same answers lead it the same way. So it is saved by keeping the answers:
// a run that is resumed asks the same questions in the same order and takes what is kept instead of
// simulating. Nothing else of it is saved, and the result is the same to the last bit.
//
// The file belongs to one study (its digest, study/study_digest.h) and one version of the program.
// Every entry is a key (what was asked, digested), bytes and a checksum, appended as they come by
// rank 0 and flushed; an entry cut off by a crash ends the file. On opening, entries are read by
// rank 0 and given to all ranks.
//
// SIGTERM and SIGUSR2 end the program between two answers, as a run does at a checkpoint:
// memo_stop() says so, alike on all ranks.
#ifndef APP_MEMO_H
#define APP_MEMO_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"

struct memo;

struct memo_config {
    const char *path;            // of the file
    const unsigned char *digest; // [16] of the study
    bool resume;                 // take up an existing file; else one is an error unless force
    bool force;                  // drop an existing file
};

// Collective (comm). Opens or begins the file.
struct memo *memo_open(MPI_Comm comm, const struct memo_config *config, struct err *err);
// Collective. Closes the file; done: removes it, too. NULL: no effect.
void memo_close(struct memo *memo, bool done);

// Not collective. The bytes kept under that key, borrowed; NULL: none.
const struct blob *memo_find(const struct memo *memo, uint64_t key);

// Collective. Logically collective: key and bytes agree on all ranks. Keeps them.
int memo_add(struct memo *memo, uint64_t key, const struct blob *bytes, struct err *err);

// Collective. Has a signal asked to end?
bool memo_stop(struct memo *memo);

// Not collective. How many answers are kept, and how many of those were there when it was opened.
size_t memo_n(const struct memo *memo);
size_t memo_n_kept(const struct memo *memo);

#endif
