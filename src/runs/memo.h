// SPDX-License-Identifier: Apache-2.0
// memo: answers of simulations kept in a file, so that a search that was interrupted resumes. [M]
//
// A search is pure: the same answers lead it the same way. So it is saved by keeping the answers:
// a run that is resumed asks the same questions in the same order and takes what is kept instead of
// simulating. Nothing else of it is saved, and the result is the same to the last bit.
//
// The file belongs to one study (its digest, study/study_digest.h) and one version of the program.
// Every entry is a key (what was asked, digested), bytes and a checksum, appended as they come by
// rank 0 and flushed; an entry that a crash cut off ends the file. On opening, entries are read by
// rank 0 and given to all ranks.
//
// A question is digested by memo_key(); what two questions have in common beyond their bytes (the
// study, the program) is the file's.
//
//     struct memo *memo = memo_open(comm, &config, &err);
//     uint64_t key = memo_key(question.bytes, question.n);
//     if (!(kept = memo_find(memo, key, &n))) { ...; memo_add(memo, key, answer, n, &err); }
//     memo_close(memo, true);
//
// SIGTERM, SIGUSR2 and SIGINT end the program between two answers, as they end a run at a
// checkpoint: memo_stop() says so, alike on all ranks.
#ifndef RUNS_MEMO_H
#define RUNS_MEMO_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runs/memo_file.h"
#include "base/blob.h"
#include "base/err.h"

struct memo;

// Collective (comm). Logically collective: config. Opens or begins the file; NULL on every rank on
// error: ERR_STUDY when it exists and nobody said what to do with it, belongs to another study, is
// in use, or is no memo. The program is this one, whatever config says. comm is borrowed until
// memo_close(). `path` must not be that of anything else the run writes.
struct memo *memo_open(MPI_Comm comm, const struct memo_file_config *config, struct err *err);
// Collective. Closes the file; done: removes it, too. NULL: no effect.
void memo_close(struct memo *memo, bool done);

// Not collective. What a question is kept under.
uint64_t memo_key(const void *bytes, size_t n);

// Not collective. The bytes kept under that key, *n of them, borrowed until the next memo_add();
// NULL: none.
const void *memo_find(const struct memo *memo, uint64_t key, size_t *n);

// Collective. Logically collective: key and bytes agree on all ranks. Keeps them; a key that is
// there already stays as it is. An error when the file cannot be written to.
int memo_add(struct memo *memo, uint64_t key, const void *bytes, size_t n, struct err *err);

// Not collective. Keeps an answer for whoever opens the memo next: this one does not find it. For
// ranks whose searches ask different questions at the same time: each writes to a file of its own,
// PATH.RANK, until the next memo_open() takes it up.
int memo_note(struct memo *memo, uint64_t key, const void *bytes, size_t n, struct err *err);

// Collective. Has a signal on any rank asked to end? It must have been blocked
// (checkpointing_block_signals()), and stays pending.
bool memo_stop(struct memo *memo);

// Not collective. How many answers are kept (of those noted only this rank's), and how many of
// those were there when it was opened.
size_t memo_n(const struct memo *memo);
size_t memo_n_kept(const struct memo *memo);

#endif
