// SPDX-License-Identifier: Apache-2.0
#include "capacity/memo.h"

#include <string.h>

#include "runs/checkpointing.h"
#include "base/mem.h"
#include "base/revision.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/file/checksum.h"

// Bytes of one message.
#define PIECE_BYTES (UINT64_C(1) << 30)

struct entry {
    uint64_t key;
    struct blob bytes;
};

struct memo {
    MPI_Comm comm;
    int rank;
    struct memo_file *file; // of rank 0; NULL on the others
    struct entry *entries;  // in the order they came
    size_t n, cap, n_kept;
    struct entry **found; // [n_slots], a power of two, at most half full: by key, open addressing
    size_t n_slots;
};

// ---- entries ------------------------------------------------------------------------------------

// The slot of the key, or the free one where it belongs.
static size_t slot_of(const struct memo *memo, uint64_t key)
{
    size_t slot = (size_t)key & (memo->n_slots - 1);
    while (memo->found[slot] && memo->found[slot]->key != key)
        slot = (slot + 1) & (memo->n_slots - 1);
    return slot;
}

// Room for one more. Entries move, so the slots are filled anew.
static void make_room(struct memo *memo)
{
    if (memo->n < memo->cap)
        return;
    memo->cap = memo->cap ? 2 * memo->cap : 64;
    memo->entries = mem_realloc(memo->entries, memo->cap, sizeof *memo->entries);
    mem_free(memo->found);
    memo->n_slots = 2 * memo->cap;
    memo->found = mem_calloc(memo->n_slots, sizeof *memo->found);
    for (size_t i = 0; i < memo->n; i++)
        memo->found[slot_of(memo, memo->entries[i].key)] = &memo->entries[i];
}

static void insert(struct memo *memo, uint64_t key, const void *bytes, size_t n)
{
    make_room(memo);
    struct entry *entry = &memo->entries[memo->n++];
    *entry = (struct entry){.key = key};
    blob_put(&entry->bytes, bytes, n);
    memo->found[slot_of(memo, key)] = entry;
}

uint64_t memo_key(const void *bytes, size_t n)
{
    return checksum_bytes(bytes, n);
}

const struct blob *memo_find(const struct memo *memo, uint64_t key)
{
    const struct entry *entry = memo->found ? memo->found[slot_of(memo, key)] : NULL;
    return entry ? &entry->bytes : NULL;
}

// ---- the file -----------------------------------------------------------------------------------

// Rank 0's bytes to all.
static int share(MPI_Comm comm, int rank, struct blob *bytes, struct err *err)
{
    unsigned long long n = bytes->n;
    int rc = MPI_Bcast(&n, 1, MPI_UNSIGNED_LONG_LONG, 0, comm);
    if (rank != 0) {
        bytes->bytes = mem_alloc(n);
        bytes->n = bytes->cap = n;
    }
    for (uint64_t at = 0; at < n && rc == MPI_SUCCESS; at += PIECE_BYTES) {
        uint64_t left = n - at;
        rc = MPI_Bcast(bytes->bytes + at, (int)(left < PIECE_BYTES ? left : PIECE_BYTES), MPI_BYTE,
                       0, comm);
    }
    return mpi_err_check(rc, "share the answers of the memo", err);
}

static void insert_all(struct memo *memo, const struct blob *entries)
{
    struct blob_reader reader = blob_read(entries->bytes, entries->n), bytes;
    uint64_t key;
    while (memo_file_next(&reader, &key, &bytes))
        if (!memo_find(memo, key))
            insert(memo, key, bytes.bytes, bytes.n);
    memo->n_kept = memo->n;
}

static void release(struct memo *memo)
{
    for (size_t i = 0; i < memo->n; i++)
        blob_release(&memo->entries[i].bytes);
    mem_free(memo->entries);
    mem_free(memo->found);
    mem_free(memo);
}

struct memo *memo_open(MPI_Comm comm, const struct memo_file_config *config, struct err *err)
{
    struct memo_file_config file = *config;
    struct memo *memo = mem_calloc(1, sizeof *memo);
    struct blob entries = {0};
    file.program = revision_program; // whose answers can be resumed from
    memo->comm = comm;
    MPI_Comm_rank(comm, &memo->rank);
    if (memo->rank == 0)
        memo->file = memo_file_open(&file, &entries, err);
    int rc = err_agree(comm, memo->rank == 0 && !memo->file ? -1 : 0, err);
    if (rc == 0)
        rc = share(comm, memo->rank, &entries, err);
    if (rc == 0)
        insert_all(memo, &entries);
    blob_release(&entries);
    if (rc == 0)
        return memo;
    memo_file_close(memo->file, false);
    release(memo);
    return NULL;
}

void memo_close(struct memo *memo, bool done)
{
    if (!memo)
        return;
    memo_file_close(memo->file, done);
    release(memo);
}

int memo_add(struct memo *memo, uint64_t key, const void *bytes, size_t n, struct err *err)
{
    int rc = 0;
    if (memo_find(memo, key))
        return 0;
    if (memo->file)
        rc = memo_file_add(memo->file, key, bytes, n, err);
    if (err_agree(memo->comm, rc, err) < 0)
        return -1;
    insert(memo, key, bytes, n);
    return 0;
}

bool memo_stop(struct memo *memo)
{
    int stop = checkpointing_stop_waits();
    // Where MPI fails, the next thing that is done with it says so.
    MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, memo->comm);
    return stop;
}

size_t memo_n(const struct memo *memo)
{
    return memo->n;
}

size_t memo_n_kept(const struct memo *memo)
{
    return memo->n_kept;
}
