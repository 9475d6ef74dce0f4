// SPDX-License-Identifier: Apache-2.0
// checkpointing: when a run is saved and where it resumes from. [M]
//
// A run is saved when the wall clock says so (checkpoint.every of the study; where saving takes
// longer than that, as long after it) or a signal does:
//
//     SIGUSR1            save and continue
//     SIGUSR2, SIGTERM   save and stop
//     SIGHUP             likewise, of a terminal that is gone, unless it is ignored (nohup)
//     SIGINT (Ctrl-C)    likewise; once more ends the program at once
//
// There are no handlers. The signals are blocked before MPI starts, so that they wait for the
// process, and are looked for about once a millisecond while the event loop runs. One that comes
// earlier is found when the loop begins, one that comes while the results are written is never
// asked for, so it cannot cost them. Whatever rank is asked, all ranks save at the same place; the
// clock of rank 0 alone decides.
//
// A checkpoint that nobody will need at once (the clock, SIGUSR1) and cannot be written is a
// warning and the run continues; one to stop at is an error.
//
//     checkpointing_block_signals();                                 // then MPI_Init
//     struct checkpointing *keep = checkpointing_create(comm, &config, &err); // refuses early
//     options.control = checkpointing_control(keep);                 // then run_fleet()
//     checkpointing_account(keep, &info);
#ifndef RUNS_CHECKPOINTING_H
#define RUNS_CHECKPOINTING_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cluster/run.h"
#include "results/meta.h"

// Not collective. From now on SIGUSR1, SIGUSR2, SIGTERM, SIGINT and SIGHUP wait until they are
// looked for. Called before MPI starts, whose threads inherit it.
void checkpointing_block_signals(void);

// Not collective. Is a signal to stop pending? It stays so.
bool checkpointing_stop_waits(void);

// For runs that are not kept, such as those of a search: stops when a signal to stop is pending,
// which it stays, and saves nothing.
extern const struct run_control checkpointing_stop_only;

struct checkpointing_config {
    const char *path;        // where checkpoints go
    bool resume;             // resume from `path`, if there is one
    const char *resume_from; // resume from this one; NULL: see resume
    bool force;              // begin at the beginning although there is one at `path`
    int64_t every_ns;        // of wall time; 0: only when a signal asks
    bool quiet;              // no line per checkpoint
    const struct meta *meta; // of the study: name, digest, duration; borrowed
};

struct checkpointing;

// Collective (comm). Logically collective: config. Says before a run what can be said: ERR_STUDY
// when there is a checkpoint at config->path and nobody said what to do with it, or when none could
// be written there. Finds the one to resume from: with `resume` config->path, or its .previous when
// that is all there is. comm, *config and what it points to are borrowed until
// checkpointing_destroy(). NULL on every rank on error.
struct checkpointing *checkpointing_create(MPI_Comm comm, const struct checkpointing_config *config,
                                           struct err *err);
// Not collective. NULL: no effect.
void checkpointing_destroy(struct checkpointing *keep);

// Not collective. For struct run_options; borrowed, as long as keep lives. Its functions are
// collective where cluster/run.h says so.
const struct run_control *checkpointing_control(const struct checkpointing *keep);

// Not collective. Adds to what this part of the run has cost what earlier parts had, up to the
// checkpoint that it resumed from; and how often it was resumed and saved. Times are rank 0's.
void checkpointing_account(const struct checkpointing *keep, struct run_info *info);

// Not collective. Is there a whole checkpoint at `path`, of this program and of the study with that
// digest?
bool checkpointing_usable(const char *path, const char *digest);

// Not collective. Simulated time of the last checkpoint of this part; -1: none.
int64_t checkpointing_reached_ns(const struct checkpointing *keep);

#endif
