// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint.h"

#include <stdint.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/file/checksum.h"
#include "results/file/durable.h"

// Frames travel in messages of this size: MPI counts are int.
#define MESSAGE_BYTES (UINT64_C(64) << 20)

// Instead of a frame's length.
#define NO_MORE UINT64_MAX
#define BROKEN (UINT64_MAX - 1) // it could not be read after all

enum tag { TAG_GO, TAG_LENGTH, TAG_BYTES };

static uint64_t message_bytes(uint64_t left)
{
    return left < MESSAGE_BYTES ? left : MESSAGE_BYTES;
}

// All ranks of a checkpoint. The first failure of MPI is remembered; what could not be received is
// the end of the frames, so that every rank comes to where the ranks agree on the outcome.
struct ranks {
    MPI_Comm comm;
    int rank, n;
    int mpi_error; // MPI_SUCCESS when none
};

static bool note(struct ranks *ranks, int rc)
{
    if (ranks->mpi_error == MPI_SUCCESS)
        ranks->mpi_error = rc;
    return rc == MPI_SUCCESS;
}

static struct ranks ranks_of(MPI_Comm comm)
{
    struct ranks ranks = {.mpi_error = MPI_SUCCESS};
    MPI_Comm_dup(comm, &ranks.comm);
    MPI_Comm_rank(ranks.comm, &ranks.rank);
    MPI_Comm_size(ranks.comm, &ranks.n);
    return ranks;
}

// Room for n bytes; what was there is lost.
static void make_room(struct blob *frame, uint64_t n)
{
    if (frame->cap >= n)
        return;
    mem_free(frame->bytes);
    *frame = (struct blob){.bytes = mem_alloc(n), .cap = n};
}

// ---- writing: rank 0 says go, the other rank answers with one frame, until it has no more or rank
// 0 says stop. Go for the next frame is said before this one is written, so that it is made
// meanwhile.

struct frame_mark {
    uint64_t n_bytes; // or NO_MORE
    uint64_t hash;
};

// What a rank says of its next frame, which is then in *frame.
static struct frame_mark next_frame(checkpoint_make_fn make, void *user, struct blob *frame)
{
    blob_clear(frame);
    if (!make(user, frame))
        return (struct frame_mark){.n_bytes = NO_MORE};
    if (frame->n > FRAMES_MAX_BYTES)
        return (struct frame_mark){.n_bytes = frame->n}; // will be refused
    return (struct frame_mark){frame->n, checksum_bytes(frame->bytes, frame->n)};
}

static void send_frames(struct ranks *ranks, checkpoint_make_fn make, void *user)
{
    struct blob frame = {0};
    struct frame_mark mark = {0};
    while (mark.n_bytes != NO_MORE) {
        int go = 0;
        note(ranks, MPI_Recv(&go, 1, MPI_INT, 0, TAG_GO, ranks->comm, MPI_STATUS_IGNORE));
        if (!go)
            break;
        mark = next_frame(make, user, &frame);
        note(ranks, MPI_Send(&mark, (int)sizeof mark, MPI_BYTE, 0, TAG_LENGTH, ranks->comm));
        if (mark.n_bytes > FRAMES_MAX_BYTES)
            continue; // rank 0 refuses it and says stop
        for (uint64_t at = 0; at < mark.n_bytes; at += MESSAGE_BYTES)
            note(ranks, MPI_Send(frame.bytes + at, (int)message_bytes(mark.n_bytes - at), MPI_BYTE,
                                 0, TAG_BYTES, ranks->comm));
    }
    blob_release(&frame);
}

// The same rank's side of it on rank 0.
static struct frame_mark receive_frame(struct ranks *ranks, int rank, struct blob *frame)
{
    struct frame_mark mark;
    if (!note(ranks, MPI_Recv(&mark, (int)sizeof mark, MPI_BYTE, rank, TAG_LENGTH, ranks->comm,
                              MPI_STATUS_IGNORE)))
        return (struct frame_mark){.n_bytes = NO_MORE};
    if (mark.n_bytes > FRAMES_MAX_BYTES)
        return mark;
    make_room(frame, mark.n_bytes);
    for (uint64_t at = 0; at < mark.n_bytes; at += MESSAGE_BYTES)
        note(ranks, MPI_Recv(frame->bytes + at, (int)message_bytes(mark.n_bytes - at), MPI_BYTE,
                             rank, TAG_BYTES, ranks->comm, MPI_STATUS_IGNORE));
    frame->n = mark.n_bytes;
    return mark;
}

static void say(struct ranks *ranks, int rank, int go)
{
    note(ranks, MPI_Send(&go, 1, MPI_INT, rank, TAG_GO, ranks->comm));
}

// Takes all frames of another rank, or tells it to stop when rc is or becomes an error.
static int collect(struct ranks *ranks, int rank, struct checkpoint_file_out *out,
                   struct blob *frame, int rc, struct err *err)
{
    say(ranks, rank, rc == 0);
    while (rc == 0) {
        struct frame_mark mark = receive_frame(ranks, rank, frame);
        if (mark.n_bytes == NO_MORE)
            return 0;
        bool good = mark.n_bytes <= FRAMES_MAX_BYTES;
        if (good)
            say(ranks, rank, 1);
        rc = frames_put(checkpoint_file_frames(out), frame->bytes, mark.n_bytes, mark.hash, err);
        if (rc == 0)
            continue;
        // The answer to the last go is under way.
        if (!good || receive_frame(ranks, rank, frame).n_bytes != NO_MORE)
            say(ranks, rank, 0);
    }
    return rc;
}

static int write_own(struct checkpoint_file_out *out, struct blob *frame, checkpoint_make_fn make,
                     void *user, struct err *err)
{
    for (;;) {
        struct frame_mark mark = next_frame(make, user, frame);
        if (mark.n_bytes == NO_MORE)
            return 0;
        if (frames_put(checkpoint_file_frames(out), frame->bytes, mark.n_bytes, mark.hash, err) !=
            0)
            return -1;
    }
}

// All of rank 0's part. Whatever fails, the other ranks are told.
static int write_file(struct ranks *ranks, const char *path, const struct checkpoint_head *head,
                      checkpoint_make_fn make, void *user, uint64_t *n_bytes, struct err *err)
{
    struct blob frame = {0};
    struct checkpoint_file_out *out = checkpoint_file_create(path, head, err);
    int rc = out ? write_own(out, &frame, make, user, err) : -1;
    for (int rank = 1; rank < ranks->n; rank++)
        rc = collect(ranks, rank, out, &frame, rc, err);
    blob_release(&frame);
    if (rc == 0)
        rc = mpi_err_check(ranks->mpi_error, "collect the state of a run", err);
    if (rc == 0)
        return checkpoint_file_finish(out, n_bytes, err);
    checkpoint_file_abandon(out);
    return -1;
}

int checkpoint_write(MPI_Comm comm, const char *path, const struct checkpoint_head *head,
                     checkpoint_make_fn make, void *user, uint64_t *n_bytes, struct err *err)
{
    struct err mine = {0}; // needed on rank 0 even when the caller does not want it
    uint64_t size = 0;
    struct ranks ranks = ranks_of(comm);
    int rc = 0;
    if (ranks.rank == 0) {
        rc = write_file(&ranks, path, head, make, user, &size, &mine);
    } else {
        send_frames(&ranks, make, user);
        rc = mpi_err_check(ranks.mpi_error, "send the state of a run", &mine);
    }
    rc = err_agree(ranks.comm, rc, &mine);
    if (rc == 0)
        rc = mpi_err_check(MPI_Bcast(&size, 1, MPI_UINT64_T, 0, ranks.comm),
                           "share the size of a checkpoint", &mine);
    if (rc != 0 && err)
        *err = mine;
    if (rc == 0 && n_bytes)
        *n_bytes = size;
    MPI_Comm_free(&ranks.comm);
    return rc;
}

// ---- reading

// Opens and looks through the whole file. On success `in` is at the first frame.
static int open_checked(struct frames_in *in, const char *path,
                        const struct checkpoint_head *expected, struct checkpoint_head *head,
                        struct err *err)
{
    if (frames_open(in, &checkpoint_file_kind, path, err) != 0)
        return -1;
    if (checkpoint_file_head(in, head, err) == 0 &&
        (!expected || checkpoint_file_fits(path, head, expected, err) == 0) &&
        frames_check(in, err) == 0)
        return 0;
    frames_close(in);
    return -1;
}

// Behind the reason why `path` will not do: will the one before?
static void offer_previous(const char *path, const struct checkpoint_head *expected,
                           struct err *err)
{
    struct frames_in in;
    struct checkpoint_head head;
    struct err reason = {0};
    char *previous = durable_previous(path);
    if (open_checked(&in, previous, expected, &head, &reason) == 0) {
        frames_close(&in);
        err_append(err,
                   "; the one before, %s, is whole (%.6g s of %.6g s): resume from it with "
                   "--resume-from %s",
                   previous, simtime_to_s(head.reached_ns), simtime_to_s(head.end_ns), previous);
    } else if (access(previous, F_OK) == 0) {
        err_append(err, "; the one before cannot be used either: %s", reason.text);
    }
    mem_free(previous);
}

// Rank 0's next frame into `frame`; its length, NO_MORE, or BROKEN with *err.
static uint64_t load_frame(struct frames_in *in, struct blob *frame, struct err *err)
{
    uint64_t n_bytes, hash;
    int more = frames_next(in, &n_bytes, &hash, err);
    if (more == 0)
        return NO_MORE;
    if (more < 0)
        return BROKEN;
    make_room(frame, n_bytes);
    return frames_get(in, frame->bytes, n_bytes, hash, err) == 0 ? n_bytes : BROKEN;
}

// Gives one frame, which lies in *frame on rank 0, to all ranks.
static void broadcast(struct ranks *ranks, struct blob *frame, uint64_t n_bytes)
{
    make_room(frame, n_bytes);
    for (uint64_t at = 0; at < n_bytes; at += MESSAGE_BYTES)
        note(ranks, MPI_Bcast(frame->bytes + at, (int)message_bytes(n_bytes - at), MPI_BYTE, 0,
                              ranks->comm));
}

// Hands out all frames; *in is looked at on rank 0. This rank's outcome: the ranks have yet to
// agree. A rank that has refused a frame is given no other, but takes part in the broadcasts.
static int hand_out(struct ranks *ranks, struct frames_in *in, checkpoint_take_fn take, void *user,
                    struct err *err)
{
    struct blob frame = {0};
    int rc = 0;
    for (;;) {
        uint64_t n_bytes = ranks->rank == 0 ? load_frame(in, &frame, err) : NO_MORE;
        bool shared = note(ranks, MPI_Bcast(&n_bytes, 1, MPI_UINT64_T, 0, ranks->comm));
        if (!shared || n_bytes == NO_MORE || n_bytes == BROKEN) {
            rc = n_bytes == BROKEN ? -1 : rc;
            break;
        }
        broadcast(ranks, &frame, n_bytes);
        struct blob_reader reader = blob_read(frame.bytes, n_bytes);
        if (rc == 0 && ranks->mpi_error == MPI_SUCCESS && take(user, &reader, err) != 0)
            rc = err_prefix(err, "checkpoint %s", in->name);
    }
    blob_release(&frame);
    return rc == 0 ? mpi_err_check(ranks->mpi_error, "hand out the state of a run", err) : rc;
}

static int read_all(struct ranks *ranks, const char *path, const struct checkpoint_head *expected,
                    struct checkpoint_head *head, checkpoint_take_fn take, void *user,
                    struct err *err)
{
    struct frames_in in = {.name = path};
    int rc = 0;
    if (ranks->rank == 0 && open_checked(&in, path, expected, head, err) != 0) {
        offer_previous(path, expected, err);
        rc = -1;
    }
    if (err_agree(ranks->comm, rc, err) != 0)
        return -1;
    note(ranks, MPI_Bcast(head, (int)sizeof *head, MPI_BYTE, 0, ranks->comm));
    rc = hand_out(ranks, &in, take, user, err);
    frames_close(&in);
    return err_agree(ranks->comm, rc, err);
}

int checkpoint_read(MPI_Comm comm, const char *path, const struct checkpoint_head *expected,
                    struct checkpoint_head *found, checkpoint_take_fn take, void *user,
                    struct err *err)
{
    struct err mine = {0};
    struct checkpoint_head head = {0};
    struct ranks ranks = ranks_of(comm);
    int rc = read_all(&ranks, path, expected, &head, take, user, &mine);
    MPI_Comm_free(&ranks.comm);
    if (rc == 0)
        *found = head;
    else if (err)
        *err = mine;
    return rc;
}

// ---- one process alone

// Whoever names a study, results or data here would lose them: they would be replaced, and removed
// when the run is done.
static int check_replaced(const char *path, struct err *err)
{
    char *previous = durable_previous(path);
    int rc = frames_replaceable(&checkpoint_file_kind, path, err);
    if (rc == 0)
        rc = frames_replaceable(&checkpoint_file_kind, previous, err);
    mem_free(previous);
    if (rc != 0 && err)
        err->code = ERR_STUDY;
    return rc;
}

int checkpoint_check(const char *path, struct err *err)
{
    return durable_check("checkpoint", path, DURABLE_KEEP, 0, err) == 0 ? check_replaced(path, err)
                                                                        : -1;
}

int checkpoint_inspect(const char *path, struct checkpoint_head *head, struct err *err)
{
    struct frames_in in;
    *head = (struct checkpoint_head){0};
    if (open_checked(&in, path, NULL, head, err) != 0)
        return -1;
    frames_close(&in);
    return 0;
}
