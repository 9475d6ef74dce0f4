// SPDX-License-Identifier: Apache-2.0
#include "results/gather.h"

#include <stddef.h>

#include "base/mem.h"
#include "par/agree.h"
#include "par/mpi_err.h"

// MPI counts are int.
#define CHUNK ((size_t)1 << 30)

// The communicator may carry other messages that are under way (cluster/exchange_mpi.c).
enum { TAG = 7 };

// The ranks that add up. What MPI does first without success is remembered and all steps are taken
// nevertheless, since the other ranks take them too; gather_record() looks at it once.
struct gather {
    MPI_Comm comm;
    int mpi_error; // MPI_SUCCESS when none
};

static void note(struct gather *gather, int rc)
{
    if (gather->mpi_error == MPI_SUCCESS)
        gather->mpi_error = rc;
}

// The length goes ahead, so that the other side has room. Releases the blob.
static void send_blob(struct gather *gather, struct blob *blob, int to)
{
    uint64_t n = blob->n;
    note(gather, MPI_Send(&n, 1, MPI_UINT64_T, to, TAG, gather->comm));
    for (size_t at = 0; at < n; at += CHUNK) {
        int count = (int)(n - at < CHUNK ? n - at : CHUNK);
        note(gather, MPI_Send(blob->bytes + at, count, MPI_BYTE, to, TAG, gather->comm));
    }
    blob_release(blob);
}

// What was sent; caller mem_free()s.
static unsigned char *receive_bytes(struct gather *gather, int from, size_t *size)
{
    uint64_t n = 0;
    note(gather, MPI_Recv(&n, 1, MPI_UINT64_T, from, TAG, gather->comm, MPI_STATUS_IGNORE));
    unsigned char *bytes = mem_alloc(n);
    for (size_t at = 0; at < n; at += CHUNK) {
        int count = (int)(n - at < CHUNK ? n - at : CHUNK);
        note(gather,
             MPI_Recv(bytes + at, count, MPI_BYTE, from, TAG, gather->comm, MPI_STATUS_IGNORE));
    }
    *size = n;
    return bytes;
}

static void send_record(struct gather *gather, const struct record *record, int to)
{
    struct blob blob = {0};
    record_save(record, &blob);
    send_blob(gather, &blob, to);
}

static int receive_record(struct gather *gather, int from, struct record *sum, struct err *err)
{
    size_t n;
    unsigned char *bytes = receive_bytes(gather, from, &n);
    struct blob_reader reader = blob_read(bytes, n);
    int rc = gather->mpi_error == MPI_SUCCESS ? record_load(sum, &reader, err) : -1;
    mem_free(bytes);
    return rc;
}

// A binomial tree: in step k every rank that is an odd multiple of 2^k hands on what it has, and is
// done. A rank that could not add something hands on the rest: the others wait for it.
static int add_up(struct gather *gather, const struct record *local, struct record *sum,
                  struct err *err)
{
    int rank, n_ranks, rc = 0;
    MPI_Comm_rank(gather->comm, &rank);
    MPI_Comm_size(gather->comm, &n_ranks);
    for (int step = 1; step < n_ranks; step *= 2) {
        if (rank & step) {
            send_record(gather, sum ? sum : local, rank - step);
            break;
        }
        if (step < n_ranks - rank && receive_record(gather, rank + step, sum, rc ? NULL : err) != 0)
            rc = -1;
    }
    return rc;
}

int gather_record(MPI_Comm comm, const struct record *local, struct record **total, struct err *err)
{
    struct gather gather = {comm, MPI_SUCCESS};
    int rank;
    MPI_Comm_rank(comm, &rank);
    // Odd ranks receive nothing: what they have is all that they hand on.
    struct record *sum = rank % 2 == 0 ? record_create(&local->shape) : NULL;
    if (sum)
        record_merge(sum, local);
    int rc = add_up(&gather, local, sum, err);
    if (gather.mpi_error != MPI_SUCCESS)
        rc = mpi_err_check(gather.mpi_error, "sum the ranks' records", err);
    rc = err_agree(comm, rc, err);
    *total = rc == 0 && rank == 0 ? sum : NULL;
    if (*total)
        record_sort_samples(sum);
    else
        record_destroy(sum);
    return rc;
}

int gather_timeline(MPI_Comm comm, struct timeline *timeline, struct err *err)
{
    struct gather gather = {comm, MPI_SUCCESS};
    struct blob blob = {0};
    int rank, mine, owner = 0, rc = 0;
    MPI_Comm_rank(comm, &rank);
    mine = timeline->n_cores > 0 ? rank : 0;
    note(&gather, MPI_Allreduce(&mine, &owner, 1, MPI_INT, MPI_MAX, comm));
    if (owner > 0 && rank == owner) {
        timeline_save(timeline, &blob);
        send_blob(&gather, &blob, 0);
    }
    if (owner > 0 && rank == 0) {
        size_t n;
        unsigned char *bytes = receive_bytes(&gather, owner, &n);
        struct blob_reader reader = blob_read(bytes, n);
        rc = gather.mpi_error == MPI_SUCCESS ? timeline_load(timeline, &reader, err) : -1;
        mem_free(bytes);
    }
    if (gather.mpi_error != MPI_SUCCESS)
        rc = mpi_err_check(gather.mpi_error, "collect what a server did", err);
    return err_agree(comm, rc, err);
}
