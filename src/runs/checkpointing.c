// SPDX-License-Identifier: Apache-2.0
#include "runs/checkpointing.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/revision.h"
#include "base/simtime.h"
#include "base/wallclock.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/file/checkpoint.h"
#include "results/file/claim.h"
#include "results/file/durable.h"

// First word of the frame with the account; a frame of cluster/snapshot.c begins with a small
// number.
#define ACCOUNT_MARK UINT32_C(0x4b454550)

// What the parts of a run have cost, all ranks together; without gaps, it is kept as bytes.
struct account {
    uint64_t n_windows, bytes_sent, n_checkpoints;
    double checkpoint_s;
};

struct checkpointing {
    MPI_Comm comm;
    int rank;
    const struct checkpointing_config *config;
    struct run_control control;
    struct claim *claim;           // on the path, of rank 0
    char *from;                    // owned; the checkpoint it resumes from, NULL: begins
    struct checkpoint_head head;   // as the next checkpoint will have it
    struct account account;        // of earlier parts; its checkpoints of this part, too
    double wall_before_s, begin_s; // of earlier parts; when this one's loop began, 0: not yet
    double next_s;                 // when the clock asks again
    double asked_s;                // when this rank asked; 0: it did not
    enum run_wish wish;            // and for what
    int64_t reached_ns;            // of the last checkpoint; -1: none
};

// ---- signals ------------------------------------------------------------------------------------

// What ignores a hang-up (nohup) is not to stop at one, and an ignored signal that is blocked would
// wait all the same.
static bool ignores_hangup(void)
{
    struct sigaction now;
    return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (!ignores_hangup())
        sigaddset(&set, SIGHUP);
    return set;
}

void checkpointing_block_signals(void)
{
    const sigset_t set = signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool checkpointing_stop_waits(void)
{
    sigset_t set;
    return sigpending(&set) == 0 &&
           (sigismember(&set, SIGUSR2) || sigismember(&set, SIGTERM) || sigismember(&set, SIGINT) ||
            (sigismember(&set, SIGHUP) && !ignores_hangup()));
}

static enum run_wish wish_to_stop(void *user)
{
    (void)user;
    return checkpointing_stop_waits() ? RUN_SAVE_AND_STOP : RUN_GO_ON;
}

static int save_nothing(void *user, struct snapshot *state, int64_t reached_ns, struct err *err)
{
    (void)user, (void)state, (void)reached_ns, (void)err;
    return 0;
}

const struct run_control checkpointing_stop_only = {wish_to_stop, save_nothing, NULL, NULL};

// Takes every signal of the set that waits.
static enum run_wish take_signals(const sigset_t *set)
{
    const struct timespec at_once = {0, 0};
    enum run_wish wish = RUN_GO_ON;
    int number;
    while ((number = sigtimedwait(set, NULL, &at_once)) > 0) {
        enum run_wish says = number == SIGUSR1 ? RUN_SAVE : RUN_SAVE_AND_STOP;
        wish = says > wish ? says : wish;
        if (number == SIGINT) { // a second Ctrl-C ends the program at once
            sigset_t again;
            sigemptyset(&again);
            sigaddset(&again, SIGINT);
            sigprocmask(SIG_UNBLOCK, &again, NULL);
        }
    }
    return wish;
}

// ---- before the run -----------------------------------------------------------------------------

// Rank 0 alone. Two runs with one place would lose each other's checkpoints.
static int check_place(const struct checkpointing_config *config, struct claim **claim,
                       struct err *err)
{
    *claim = claim_take("checkpoint", config->path, err);
    if (!*claim || checkpoint_check(config->path, err) < 0)
        return -1;
    if (!config->resume && !config->resume_from && !config->force && durable_exists(config->path))
        return err_set(err, ERR_STUDY,
                       "checkpoint %s: exists; resume with --resume, or begin anew with --force",
                       config->path);
    if (config->resume_from && access(config->resume_from, R_OK) != 0)
        return err_set(err, ERR_STUDY, "checkpoint %s: %s", config->resume_from, strerror(errno));
    return 0;
}

// Where a run resumes from, by what rank 0 has found; NULL: it begins. Where there are no hard
// links a crash may leave the one before alone (durable.h).
static char *start_path(const struct checkpointing_config *config, bool exists, bool whole)
{
    if (config->resume_from)
        return mem_strdup(config->resume_from);
    if (!config->resume || !exists)
        return NULL;
    return whole ? mem_strdup(config->path) : durable_previous(config->path);
}

// ---- the run asks -------------------------------------------------------------------------------

static enum run_wish wish(void *user)
{
    struct checkpointing *keep = user;
    double now_s = wallclock_s(), every_s = simtime_to_s(keep->config->every_ns);
    if (keep->begin_s == 0) {
        keep->begin_s = now_s;
        keep->next_s = now_s + every_s;
    }
    const sigset_t set = signals();
    enum run_wish wish = take_signals(&set);
    if (keep->rank == 0 && every_s > 0 && now_s >= keep->next_s) {
        keep->next_s = now_s + every_s;
        wish = wish > RUN_SAVE ? wish : RUN_SAVE;
    }
    if (wish != RUN_GO_ON && keep->asked_s == 0)
        keep->asked_s = now_s;
    keep->wish = wish > keep->wish ? wish : keep->wish;
    return wish;
}

// ---- saving -------------------------------------------------------------------------------------

// The frames of a checkpoint: rank 0's account, then those of the state.
struct maker {
    const struct account *account; // NULL: made, or not this rank's
    struct snapshot *state;
};

static bool make(void *user, struct blob *frame)
{
    struct maker *maker = user;
    if (!maker->account)
        return snapshot_make(maker->state, frame);
    blob_put_u32(frame, ACCOUNT_MARK);
    blob_put(frame, maker->account, sizeof *maker->account);
    maker->account = NULL;
    return true;
}

// The account up to now, and whether any rank wants to stop.
static int sum_up(const struct checkpointing *keep, const struct snapshot *state,
                  struct account *account, bool *stop, struct err *err)
{
    unsigned long long sums[2] = {state->n_windows, state->bytes_sent};
    int stops = keep->wish == RUN_SAVE_AND_STOP;
    int rc = MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_UNSIGNED_LONG_LONG, MPI_SUM, keep->comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Allreduce(MPI_IN_PLACE, &stops, 1, MPI_INT, MPI_MAX, keep->comm);
    if (mpi_err_check(rc, "sum the run's cost", err) < 0)
        return -1;
    *account = keep->account;
    account->n_windows += sums[0];
    account->bytes_sent += sums[1];
    account->n_checkpoints++; // the one that it will be in
    *stop = stops;
    return 0;
}

static void tell(const struct checkpointing *keep, uint64_t n_bytes, double spent_s)
{
    if (keep->config->quiet || keep->rank != 0)
        return;
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr); // the bar of progress.h
    log_info("checkpoint at %.6g s of %.6g s: %s, %.3g MB in %.2g s",
             simtime_to_s(keep->reached_ns), simtime_to_s(keep->head.end_ns), keep->config->path,
             (double)n_bytes * 1e-6, spent_s);
}

static int save(void *user, struct snapshot *state, int64_t reached_ns, struct err *err)
{
    struct checkpointing *keep = user;
    struct account account;
    uint64_t n_bytes = 0;
    bool stop = false;
    double begin_s = keep->asked_s > 0 ? keep->asked_s : wallclock_s();
    if (sum_up(keep, state, &account, &stop, err) < 0)
        return -1;
    struct maker maker = {keep->rank == 0 ? &account : NULL, state};
    keep->head.reached_ns = reached_ns;
    keep->head.wall_s = keep->wall_before_s + begin_s - keep->begin_s;
    int rc =
        checkpoint_write(keep->comm, keep->config->path, &keep->head, make, &maker, &n_bytes, err);
    double end_s = wallclock_s();
    // The ranks get one SIGUSR1 at slightly different times; one save answers all of them.
    sigset_t answered;
    sigemptyset(&answered);
    sigaddset(&answered, SIGUSR1);
    take_signals(&answered);
    // Where saving is slow the run still gets half of the time.
    keep->next_s = end_s + fmax(simtime_to_s(keep->config->every_ns), end_s - begin_s);
    keep->account.checkpoint_s += end_s - begin_s;
    keep->asked_s = 0;
    keep->wish = RUN_GO_ON;
    if (rc < 0 && stop)
        return -1; // the job would end with nothing to resume from
    if (rc < 0) {
        log_warn("no checkpoint at %.6g s, the run continues: %s", simtime_to_s(reached_ns),
                 err->text);
        return 0;
    }
    keep->account.n_checkpoints++;
    keep->reached_ns = reached_ns;
    tell(keep, n_bytes, end_s - begin_s);
    return 0;
}

// ---- resuming ----------------------------------------------------------------------------------

struct taker {
    struct account *account;
    struct snapshot *state;
};

static int take(void *user, struct blob_reader *frame, struct err *err)
{
    struct taker *taker = user;
    struct blob_reader ahead = *frame; // looks without taking
    struct account account = {0};
    if (blob_get_u32(&ahead) != ACCOUNT_MARK)
        return snapshot_take(taker->state, frame, err);
    blob_get(&ahead, &account, sizeof account);
    *taker->account = account;
    *frame = ahead;
    return blob_end(frame, err);
}

static int load(void *user, struct snapshot *state, struct err *err)
{
    struct checkpointing *keep = user;
    struct checkpoint_head found;
    struct taker taker = {&keep->account, state};
    if (checkpoint_read(keep->comm, keep->from, &keep->head, &found, take, &taker, err) < 0)
        return -1;
    keep->head.n_restarts = found.n_restarts + 1;
    keep->wall_before_s = found.wall_s;
    if (!keep->config->quiet)
        log_info("resuming at %.6g s of %.6g s from %s", simtime_to_s(found.reached_ns),
                 simtime_to_s(found.end_ns), keep->from);
    return 0;
}

// ---- the rest -----------------------------------------------------------------------------------

bool checkpointing_usable(const char *path, const char *digest)
{
    struct checkpoint_head head;
    return checkpoint_inspect(path, &head, NULL) == 0 && strcmp(head.study, digest) == 0 &&
           strcmp(head.program, revision_program) == 0;
}

struct checkpointing *checkpointing_create(MPI_Comm comm, const struct checkpointing_config *config,
                                           struct err *err)
{
    int rank, there[2] = {0};
    struct claim *claim = NULL;
    MPI_Comm_rank(comm, &rank);
    if (err_agree(comm, rank == 0 ? check_place(config, &claim, err) : 0, err) != 0) {
        claim_release(claim);
        return NULL;
    }
    if (rank == 0) {
        there[0] = durable_exists(config->path);
        there[1] = access(config->path, F_OK) == 0;
    }
    if (mpi_err_check(MPI_Bcast(there, 2, MPI_INT, 0, comm), "share where the run begins", err) <
        0) {
        claim_release(claim);
        return NULL;
    }
    struct checkpointing *keep = mem_calloc(1, sizeof *keep);
    *keep = (struct checkpointing){.comm = comm,
                                   .rank = rank,
                                   .config = config,
                                   .claim = claim,
                                   .head = {.end_ns = config->meta->duration_ns},
                                   .from = start_path(config, there[0], there[1]),
                                   .reached_ns = -1};
    snprintf(keep->head.program, sizeof keep->head.program, "%s", revision_program);
    snprintf(keep->head.study, sizeof keep->head.study, "%s", config->meta->study_digest);
    snprintf(keep->head.name, sizeof keep->head.name, "%s", config->meta->study_name);
    keep->control = (struct run_control){wish, save, keep->from ? load : NULL, keep};
    return keep;
}

void checkpointing_destroy(struct checkpointing *keep)
{
    if (!keep)
        return;
    claim_release(keep->claim);
    mem_free(keep->from);
    mem_free(keep);
}

const struct run_control *checkpointing_control(const struct checkpointing *keep)
{
    return &keep->control;
}

void checkpointing_account(const struct checkpointing *keep, struct run_info *info)
{
    info->n_restarts = keep->head.n_restarts;
    info->n_windows += keep->account.n_windows;
    info->bytes_sent += keep->account.bytes_sent;
    info->wall_s += keep->wall_before_s;
    info->n_checkpoints = keep->account.n_checkpoints;
    info->checkpoint_s = keep->account.checkpoint_s;
}

int64_t checkpointing_reached_ns(const struct checkpointing *keep)
{
    return keep->reached_ns;
}
