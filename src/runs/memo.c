// SPDX-License-Identifier: Apache-2.0
#include "runs/memo.h"

#include <dirent.h>
#include <string.h>

#include "runs/checkpointing.h"
#include "base/mem.h"
#include "base/revision.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "results/file/checksum.h"

// Bytes of one message.
#define PIECE_BYTES (UINT64_C(1) << 30)

// Where the answer to a key lies in the memo's bytes.
struct slot {
    bool taken;
    uint64_t key;
    size_t at, n;
};

struct memo {
    MPI_Comm comm;
    int rank;
    struct memo_file_config config;
    struct memo_file *file; // of rank 0; of another rank its part, NULL as long as it has none
    char *path;             // owned: of the file
    struct blob bytes;      // of all answers, in the order they came
    struct slot *slots;     // [n_slots], a power of two, at most half full: open addressing
    size_t n_slots, n, n_kept, n_noted;
};

// ---- answers ------------------------------------------------------------------------------------

// Keys are hashes already, so their low bits do. The slot of the key, or the free one where it
// belongs.
static struct slot *slot_of(const struct memo *memo, uint64_t key)
{
    size_t i = (size_t)key & (memo->n_slots - 1);
    while (memo->slots[i].taken && memo->slots[i].key != key)
        i = (i + 1) & (memo->n_slots - 1);
    return &memo->slots[i];
}

static void insert(struct memo *memo, uint64_t key, const void *bytes, size_t n)
{
    if (2 * memo->n >= memo->n_slots) {
        size_t n_old = memo->n_slots;
        struct slot *old = memo->slots;
        memo->n_slots = n_old ? 2 * n_old : 128;
        memo->slots = mem_calloc(memo->n_slots, sizeof *memo->slots);
        for (size_t i = 0; i < n_old; i++)
            if (old[i].taken)
                *slot_of(memo, old[i].key) = old[i];
        mem_free(old);
    }
    *slot_of(memo, key) = (struct slot){true, key, memo->bytes.n, n};
    blob_put(&memo->bytes, bytes, n);
    memo->n++;
}

uint64_t memo_key(const void *bytes, size_t n)
{
    return checksum_bytes(bytes, n);
}

const void *memo_find(const struct memo *memo, uint64_t key, size_t *n)
{
    const struct slot *slot = memo->n > 0 ? slot_of(memo, key) : NULL;
    if (!slot || !slot->taken)
        return NULL;
    *n = slot->n;
    return memo->bytes.bytes + slot->at;
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

static void release(struct memo *memo)
{
    mem_free(memo->path);
    blob_release(&memo->bytes);
    mem_free(memo->slots);
    mem_free(memo);
}

// The part of another rank of an earlier job, PATH.N: its answers go into the file, and it is gone.
// One that is no memo, or is in use, is left alone.
static int take_part(struct memo *memo, const char *path, struct blob *entries, struct err *err)
{
    struct memo_file_config config = memo->config;
    struct blob found = {0};
    config.path = path;
    config.force = true;
    struct memo_file *part = memo_file_open(&config, &found, NULL);
    struct blob_reader reader = blob_read(found.bytes, found.n), bytes;
    uint64_t key;
    int rc = 0;
    while (rc == 0 && memo_file_next(&reader, &key, &bytes)) {
        rc = memo_file_add(memo->file, key, bytes.bytes, bytes.n, err);
        blob_put_u64(entries, bytes.n);
        blob_put_u64(entries, key);
        blob_put(entries, bytes.bytes, bytes.n);
    }
    blob_release(&found);
    memo_file_close(part, rc == 0);
    return rc;
}

// All parts that lie beside the file.
static int take_parts(struct memo *memo, struct blob *entries, struct err *err)
{
    const char *path = memo->path, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? mem_printf("%.*s/", (int)(slash - path), path) : mem_strdup("./");
    DIR *dir = opendir(folder);
    size_t n = strlen(name);
    int rc = 0;
    for (const struct dirent *entry; rc == 0 && dir && (entry = readdir(dir));) {
        const char *digits = entry->d_name + n + 1;
        if (strncmp(entry->d_name, name, n) != 0 || entry->d_name[n] != '.' || !*digits ||
            digits[strspn(digits, "0123456789")])
            continue;
        char *part = mem_printf("%s%s", folder, entry->d_name);
        rc = take_part(memo, part, entries, err);
        mem_free(part);
    }
    if (dir)
        closedir(dir);
    mem_free(folder);
    return rc;
}

struct memo *memo_open(MPI_Comm comm, const struct memo_file_config *config, struct err *err)
{
    struct memo *memo = mem_calloc(1, sizeof *memo);
    struct blob entries = {0};
    memo->comm = comm;
    memo->config = *config;
    memo->config.program = revision_program; // whose answers can be resumed from
    MPI_Comm_rank(comm, &memo->rank);
    memo->path =
        memo->rank == 0 ? mem_strdup(config->path) : mem_printf("%s.%d", config->path, memo->rank);
    memo->config.path = memo->path;
    if (memo->rank == 0)
        memo->file = memo_file_open(&memo->config, &entries, err);
    int rc = memo->rank == 0 && !memo->file ? -1 : 0;
    if (memo->file)
        rc = take_parts(memo, &entries, err);
    rc = err_agree(comm, rc, err);
    if (rc == 0)
        rc = share(comm, memo->rank, &entries, err);
    struct blob_reader reader = blob_read(entries.bytes, rc == 0 ? entries.n : 0), bytes;
    uint64_t key;
    size_t n;
    while (memo_file_next(&reader, &key, &bytes))
        if (!memo_find(memo, key, &n)) // a key that came twice stays as it was
            insert(memo, key, bytes.bytes, bytes.n);
    memo->n_kept = memo->n;
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
    size_t n_known;
    if (memo_find(memo, key, &n_known))
        return 0;
    if (memo->rank == 0)
        rc = memo_file_add(memo->file, key, bytes, n, err);
    if (err_agree(memo->comm, rc, err) < 0)
        return -1;
    insert(memo, key, bytes, n);
    return 0;
}

int memo_note(struct memo *memo, uint64_t key, const void *bytes, size_t n, struct err *err)
{
    struct blob none = {0};
    if (!memo->file) {
        struct memo_file_config config = memo->config;
        config.resume = false; // rank 0 has taken up what there was
        config.force = true;
        memo->file = memo_file_open(&config, &none, err);
    }
    memo->n_noted++;
    return memo->file ? memo_file_add(memo->file, key, bytes, n, err) : -1;
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
    return memo->n + memo->n_noted;
}

size_t memo_n_kept(const struct memo *memo)
{
    return memo->n_kept;
}
