// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint.h"

#include <stdint.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "par/agree.h"
#include "results/file/checkpoint_name.h"

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
    if (frame->n > CHECKPOINT_MAX_FRAME_BYTES)
        return (struct frame_mark){.n_bytes = frame->n}; // will be refused
    return (struct frame_mark){frame->n, checkpoint_file_hash(frame->bytes, frame->n)};
}

static void send_frames(MPI_Comm comm, checkpoint_make_fn make, void *user)
{
    struct blob frame = {0};
    struct frame_mark mark = {0};
    while (mark.n_bytes != NO_MORE) {
        int go;
        MPI_Recv(&go, 1, MPI_INT, 0, TAG_GO, comm, MPI_STATUS_IGNORE);
        if (!go)
            break;
        mark = next_frame(make, user, &frame);
        MPI_Send(&mark, (int)sizeof mark, MPI_BYTE, 0, TAG_LENGTH, comm);
        if (mark.n_bytes > CHECKPOINT_MAX_FRAME_BYTES)
            continue; // rank 0 refuses it and says stop
        for (uint64_t at = 0; at < mark.n_bytes; at += MESSAGE_BYTES)
            MPI_Send(frame.bytes + at, (int)message_bytes(mark.n_bytes - at), MPI_BYTE, 0,
                     TAG_BYTES, comm);
    }
    blob_release(&frame);
}

// The same rank's side of it on rank 0.
static struct frame_mark receive_frame(MPI_Comm comm, int rank, struct blob *frame)
{
    struct frame_mark mark;
    MPI_Recv(&mark, (int)sizeof mark, MPI_BYTE, rank, TAG_LENGTH, comm, MPI_STATUS_IGNORE);
    if (mark.n_bytes > CHECKPOINT_MAX_FRAME_BYTES)
        return mark;
    make_room(frame, mark.n_bytes);
    for (uint64_t at = 0; at < mark.n_bytes; at += MESSAGE_BYTES)
        MPI_Recv(frame->bytes + at, (int)message_bytes(mark.n_bytes - at), MPI_BYTE, rank,
                 TAG_BYTES, comm, MPI_STATUS_IGNORE);
    frame->n = mark.n_bytes;
    return mark;
}

static void say(MPI_Comm comm, int rank, int go)
{
    MPI_Send(&go, 1, MPI_INT, rank, TAG_GO, comm);
}

// Takes all frames of another rank, or tells it to stop when rc is or becomes an error.
static int collect(MPI_Comm comm, int rank, struct checkpoint_file_out *out, struct blob *frame,
                   int rc, struct err *err)
{
    say(comm, rank, rc == 0);
    while (rc == 0) {
        struct frame_mark mark = receive_frame(comm, rank, frame);
        if (mark.n_bytes == NO_MORE)
            return 0;
        bool good = mark.n_bytes <= CHECKPOINT_MAX_FRAME_BYTES;
        if (good)
            say(comm, rank, 1);
        rc = checkpoint_file_put(out, frame->bytes, mark.n_bytes, mark.hash, err);
        if (rc == 0)
            continue;
        // The answer to the last go is under way.
        if (!good || receive_frame(comm, rank, frame).n_bytes != NO_MORE)
            say(comm, rank, 0);
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
        if (checkpoint_file_put(out, frame->bytes, mark.n_bytes, mark.hash, err) != 0)
            return -1;
    }
}

// All of rank 0's part. Whatever fails, the other ranks are told.
static int write_file(MPI_Comm comm, const char *path, const struct checkpoint_head *head,
                      checkpoint_make_fn make, void *user, uint64_t *n_bytes, struct err *err)
{
    struct blob frame = {0};
    int n_ranks;
    MPI_Comm_size(comm, &n_ranks);
    struct checkpoint_file_out *out = checkpoint_file_create(path, head, err);
    int rc = out ? write_own(out, &frame, make, user, err) : -1;
    for (int rank = 1; rank < n_ranks; rank++)
        rc = collect(comm, rank, out, &frame, rc, err);
    blob_release(&frame);
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
    MPI_Comm own;
    int rank, rc = 0;
    MPI_Comm_dup(comm, &own);
    MPI_Comm_rank(own, &rank);
    if (rank == 0)
        rc = write_file(own, path, head, make, user, &size, &mine);
    else
        send_frames(own, make, user);
    rc = err_agree(own, rc, &mine);
    if (rc == 0)
        MPI_Bcast(&size, 1, MPI_UINT64_T, 0, own);
    else if (err)
        *err = mine;
    if (rc == 0 && n_bytes)
        *n_bytes = size;
    MPI_Comm_free(&own);
    return rc;
}

// ---- reading

// Opens and looks through the whole file. On success `in` stands at the first frame.
static int open_checked(struct checkpoint_file_in *in, const char *path,
                        const struct checkpoint_head *expected, struct checkpoint_head *head,
                        struct err *err)
{
    if (checkpoint_file_open(in, path, err) != 0)
        return -1;
    if (checkpoint_file_head(in, head, err) == 0 &&
        (!expected || checkpoint_file_fits(path, head, expected, err) == 0) &&
        checkpoint_file_check(in, err) == 0)
        return 0;
    checkpoint_file_close(in);
    return -1;
}

// Behind the reason why `path` will not do: will the one before?
static void offer_previous(const char *path, const struct checkpoint_head *expected,
                           struct err *err)
{
    struct checkpoint_file_in in;
    struct checkpoint_head head;
    struct err reason = {0};
    char *previous = checkpoint_name_previous(path);
    if (open_checked(&in, previous, expected, &head, &reason) == 0) {
        checkpoint_file_close(&in);
        err_append(err,
                   "; the one before, %s, is whole (%.6g s of %.6g s): --resume-from %s goes on "
                   "from it",
                   previous, simtime_to_s(head.reached_ns), simtime_to_s(head.end_ns), previous);
    } else if (access(previous, F_OK) == 0) {
        err_append(err, "; nor will the one before do: %s", reason.text);
    }
    mem_free(previous);
}

// Rank 0's next frame into `frame`; its length, NO_MORE, or BROKEN with *err.
static uint64_t load_frame(struct checkpoint_file_in *in, struct blob *frame, struct err *err)
{
    uint64_t n_bytes, hash;
    int more = checkpoint_file_next(in, &n_bytes, &hash, err);
    if (more == 0)
        return NO_MORE;
    if (more < 0)
        return BROKEN;
    make_room(frame, n_bytes);
    return checkpoint_file_get(in, frame->bytes, n_bytes, hash, err) == 0 ? n_bytes : BROKEN;
}

// Gives one frame, which lies in *frame on rank 0, to all ranks.
static void broadcast(MPI_Comm comm, struct blob *frame, uint64_t n_bytes)
{
    make_room(frame, n_bytes);
    for (uint64_t at = 0; at < n_bytes; at += MESSAGE_BYTES)
        MPI_Bcast(frame->bytes + at, (int)message_bytes(n_bytes - at), MPI_BYTE, 0, comm);
}

// Hands out all frames; *in is looked at on rank 0. This rank's outcome: the ranks have yet to
// agree. A rank that has refused a frame is given no other, but goes on with the broadcasts.
static int hand_out(MPI_Comm comm, struct checkpoint_file_in *in, checkpoint_take_fn take,
                    void *user, struct err *err)
{
    struct blob frame = {0};
    int rank, rc = 0;
    MPI_Comm_rank(comm, &rank);
    for (;;) {
        uint64_t n_bytes = rank == 0 ? load_frame(in, &frame, err) : 0;
        MPI_Bcast(&n_bytes, 1, MPI_UINT64_T, 0, comm);
        if (n_bytes == NO_MORE || n_bytes == BROKEN) {
            rc = n_bytes == BROKEN ? -1 : rc;
            break;
        }
        broadcast(comm, &frame, n_bytes);
        struct blob_reader reader = blob_read(frame.bytes, n_bytes);
        if (rc == 0 && take(user, &reader, err) != 0)
            rc = err_prefix(err, "checkpoint %s", in->name);
    }
    blob_release(&frame);
    return rc;
}

static int read_all(MPI_Comm comm, const char *path, const struct checkpoint_head *expected,
                    struct checkpoint_head *head, checkpoint_take_fn take, void *user,
                    struct err *err)
{
    struct checkpoint_file_in in = {.name = path};
    int rank, rc = 0;
    MPI_Comm_rank(comm, &rank);
    if (rank == 0 && open_checked(&in, path, expected, head, err) != 0) {
        offer_previous(path, expected, err);
        rc = -1;
    }
    if (err_agree(comm, rc, err) != 0)
        return -1;
    MPI_Bcast(head, (int)sizeof *head, MPI_BYTE, 0, comm);
    rc = hand_out(comm, &in, take, user, err);
    checkpoint_file_close(&in);
    return err_agree(comm, rc, err);
}

int checkpoint_read(MPI_Comm comm, const char *path, const struct checkpoint_head *expected,
                    struct checkpoint_head *found, checkpoint_take_fn take, void *user,
                    struct err *err)
{
    struct err mine = {0};
    struct checkpoint_head head = {0};
    MPI_Comm own;
    MPI_Comm_dup(comm, &own);
    int rc = read_all(own, path, expected, &head, take, user, &mine);
    MPI_Comm_free(&own);
    if (rc == 0)
        *found = head;
    else if (err)
        *err = mine;
    return rc;
}

// ---- one process alone

bool checkpoint_exists(const char *path)
{
    return checkpoint_name_exists(path);
}

// Whoever names a study, results or data here would lose them: they would be replaced, and removed
// when the run is done.
static int check_replaced(const char *path, struct err *err)
{
    char *previous = checkpoint_name_previous(path);
    int rc = checkpoint_file_replaceable(path, err);
    if (rc == 0)
        rc = checkpoint_file_replaceable(previous, err);
    mem_free(previous);
    if (rc != 0 && err)
        err->code = ERR_STUDY;
    return rc;
}

int checkpoint_check(const char *path, struct err *err)
{
    return checkpoint_name_check(path, err) == 0 ? check_replaced(path, err) : -1;
}

int checkpoint_inspect(const char *path, struct checkpoint_head *head, struct err *err)
{
    struct checkpoint_file_in in;
    *head = (struct checkpoint_head){0};
    if (open_checked(&in, path, NULL, head, err) != 0)
        return -1;
    checkpoint_file_close(&in);
    return 0;
}

void checkpoint_remove(const char *path)
{
    checkpoint_name_remove(path);
}
