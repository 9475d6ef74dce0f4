// SPDX-License-Identifier: Apache-2.0
#include "results/gather.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "par/agree.h"
#include "par/mpi_err.h"

// MPI counts are int and a buffer of a few MiB is as fast as a larger one.
#define CHUNK (1u << 18)

// The 128-bit sum of squares travels in limbs of 32 bits, each in a word of its own, so that adding
// up to 2^32 ranks cannot carry out of a word.
#define SQ_LIMBS 4

// The ranks that add up. What MPI does first without success is remembered and all steps are taken
// nevertheless, since the other ranks take them too; gather_record() looks at it once.
struct gather {
    MPI_Comm comm;
    int rank;
    int mpi_error; // MPI_SUCCESS when none
};

static void note(struct gather *gather, int rc)
{
    if (gather->mpi_error == MPI_SUCCESS)
        gather->mpi_error = rc;
}

// Sums (or maxima) of words[0 .. n) of all ranks, into words of rank 0.
static void reduce_words(struct gather *gather, uint64_t *words, size_t n, MPI_Op op)
{
    bool root = gather->rank == 0;
    for (size_t at = 0; at < n; at += CHUNK) {
        int count = (int)(n - at < CHUNK ? n - at : CHUNK);
        const void *from = root ? MPI_IN_PLACE : words + at;
        note(gather,
             MPI_Reduce(from, root ? words + at : NULL, count, MPI_UINT64_T, op, 0, gather->comm));
    }
}

// Words that lie in rows of structs: n of them, `offset` bytes behind the start of each row.
struct words {
    size_t n_rows, stride, offset, n;
};

// Sums (or maxima) of those words of all ranks, to the same place of rank 0's rows; `total` is NULL
// on the others.
static void gather_words(struct gather *gather, struct words w, MPI_Op op, const void *local,
                         void *total)
{
    size_t bytes = w.n * sizeof(uint64_t);
    uint64_t *words = mem_calloc(w.n_rows, bytes);
    for (size_t i = 0; i < w.n_rows; i++)
        memcpy(words + i * w.n, (const char *)local + i * w.stride + w.offset, bytes);
    reduce_words(gather, words, w.n_rows * w.n, op);
    for (size_t i = 0; i < w.n_rows && total; i++)
        memcpy((char *)total + i * w.stride + w.offset, words + i * w.n, bytes);
    mem_free(words);
}

static void gather_squares(struct gather *gather, const struct record *local, struct record *total)
{
    size_t n = record_n_tallies(&local->shape);
    uint64_t *words = mem_calloc(n, SQ_LIMBS * sizeof *words);
    for (size_t i = 0; i < n * SQ_LIMBS; i++)
        words[i] =
            (uint32_t)(local->tallies[i / SQ_LIMBS].latency_sq_sum_ns2 >> (32 * (i % SQ_LIMBS)));
    reduce_words(gather, words, n * SQ_LIMBS, MPI_SUM);
    for (size_t i = 0; i < n * SQ_LIMBS && total; i++)
        total->tallies[i / SQ_LIMBS].latency_sq_sum_ns2 += (unsigned __int128)words[i]
                                                           << (32 * (i % SQ_LIMBS));
    mem_free(words);
}

// All but histograms and samples.
static void gather_sums(struct gather *gather, const struct record *local, struct record *total)
{
    size_t n = record_n_tallies(&local->shape), n_groups = record_n_group_tallies(&local->shape);
    struct tally *tallies = total ? total->tallies : NULL;
    struct group_tally *groups = total ? total->groups : NULL;
    const struct words sums = {n, sizeof *tallies, offsetof(struct tally, n_queries), TALLY_SUMS},
                       longest = {n, sizeof *tallies, offsetof(struct tally, latency_max_ns), 1},
                       group_sums = {n_groups, sizeof *groups, 0, GROUP_SUMS},
                       group_maxima = {n_groups, sizeof *groups,
                                       offsetof(struct group_tally, cpu_drain_max_ns),
                                       GROUP_MAXIMA},
                       servers = {local->shape.n_servers, sizeof *local->servers, 0, SERVER_SUMS},
                       generated = {local->shape.n_services, sizeof *local->n_generated, 0, 1};
    gather_words(gather, sums, MPI_SUM, local->tallies, tallies);
    gather_words(gather, longest, MPI_MAX, local->tallies, tallies);
    gather_squares(gather, local, total);
    gather_words(gather, group_sums, MPI_SUM, local->groups, groups);
    gather_words(gather, group_maxima, MPI_MAX, local->groups, groups);
    gather_words(gather, servers, MPI_SUM, local->servers, total ? total->servers : NULL);
    gather_words(gather, generated, MPI_SUM, local->n_generated, total ? total->n_generated : NULL);
}

// For every tally, the buckets [range[2i], range[2i+1]) that some rank used.
static uint32_t *agree_ranges(struct gather *gather, const struct record *local)
{
    size_t n = record_n_tallies(&local->shape);
    uint32_t *range = mem_calloc(2 * n, sizeof *range);
    for (size_t i = 0; i < n; i++) {
        uint32_t first, last;
        const struct tally *t = &local->tallies[i];
        // Kept as HIST_N_BUCKETS - first, so that one maximum finds both ends. Where nothing
        // arrived there is nothing to look for in 160 kB of zeros.
        if (t->n_queries > 0 && hist_range(t->hist, &first, &last)) {
            range[2 * i] = HIST_N_BUCKETS - first;
            range[2 * i + 1] = last + 1;
        }
    }
    for (size_t at = 0; at < 2 * n; at += CHUNK) {
        int count = (int)(2 * n - at < CHUNK ? 2 * n - at : CHUNK);
        note(gather,
             MPI_Allreduce(MPI_IN_PLACE, range + at, count, MPI_UINT32_T, MPI_MAX, gather->comm));
    }
    for (size_t i = 0; i < n; i++)
        range[2 * i] = range[2 * i + 1] ? HIST_N_BUCKETS - range[2 * i] : 0;
    return range;
}

// A run of counts on its way through one reduction.
struct parcel {
    uint64_t *words;
    uint32_t **homes; // where each word goes on rank 0
    size_t n;
    bool overflow; // some sum did not fit its home
};

static void send_parcel(struct gather *gather, struct parcel *p)
{
    reduce_words(gather, p->words, p->n, MPI_SUM);
    for (size_t i = 0; i < p->n && gather->rank == 0; i++) {
        if (p->words[i] > UINT32_MAX)
            p->overflow = true;
        else if (p->words[i] != 0)
            *p->homes[i] = (uint32_t)p->words[i];
    }
    p->n = 0;
}

static int gather_hists(struct gather *gather, const struct record *local, struct record *total,
                        struct err *err)
{
    uint32_t *range = agree_ranges(gather, local);
    struct parcel p = {mem_calloc(CHUNK, sizeof *p.words), mem_calloc(CHUNK, sizeof *p.homes), 0,
                       false};
    for (size_t i = 0; i < record_n_tallies(&local->shape); i++) {
        for (uint32_t b = range[2 * i]; b < range[2 * i + 1]; b++) {
            p.words[p.n] = local->tallies[i].hist[b];
            p.homes[p.n] = total ? &total->tallies[i].hist[b] : NULL;
            if (++p.n == CHUNK)
                send_parcel(gather, &p);
        }
    }
    send_parcel(gather, &p);
    mem_free(range);
    mem_free(p.words);
    mem_free(p.homes);
    if (p.overflow)
        return err_set(err, ERR_FAIL,
                       "a time bin holds 2^32 or more queries of one latency: use more bins");
    return 0;
}

// Total number of samples on rank 0, and where each rank's go; -1 on all ranks when too many.
static int place_samples(struct gather *gather, size_t n_local, int *counts, int *starts,
                         size_t *n_total, struct err *err)
{
    uint64_t n = n_local, sum = 0;
    note(gather, MPI_Allreduce(&n, &sum, 1, MPI_UINT64_T, MPI_SUM, gather->comm));
    if (sum > INT_MAX)
        return err_set(err, ERR_FAIL, "%llu sampled queries are too many: lower the fraction",
                       (unsigned long long)sum);
    int mine = (int)n_local, n_ranks;
    MPI_Comm_size(gather->comm, &n_ranks);
    note(gather, MPI_Gather(&mine, 1, MPI_INT, counts, 1, MPI_INT, 0, gather->comm));
    for (int r = 1; r < n_ranks && gather->rank == 0; r++)
        starts[r] = starts[r - 1] + counts[r - 1];
    *n_total = sum;
    return 0;
}

static int gather_samples(struct gather *gather, const struct record *local, struct record *total,
                          struct err *err)
{
    int n_ranks;
    size_t n = 0;
    MPI_Comm_size(gather->comm, &n_ranks);
    int *counts = mem_calloc((size_t)n_ranks, sizeof *counts);
    int *starts = mem_calloc((size_t)n_ranks, sizeof *starts);
    int rc = place_samples(gather, local->n_samples, counts, starts, &n, err);
    if (rc == 0) {
        MPI_Datatype type;
        MPI_Type_contiguous((int)sizeof(struct query_sample), MPI_BYTE, &type);
        MPI_Type_commit(&type);
        if (total) {
            total->samples = mem_alloc(n * sizeof *total->samples);
            total->n_samples = total->samples_cap = n;
        }
        note(gather,
             MPI_Gatherv(local->samples, (int)local->n_samples, type, total ? total->samples : NULL,
                         counts, starts, type, 0, gather->comm));
        MPI_Type_free(&type);
        if (total)
            record_sort_samples(total);
    }
    mem_free(counts);
    mem_free(starts);
    return rc;
}

int gather_record(MPI_Comm comm, const struct record *local, struct record **total, struct err *err)
{
    struct gather gather = {.comm = comm, .mpi_error = MPI_SUCCESS};
    MPI_Comm_rank(comm, &gather.rank);
    struct record *sum = gather.rank == 0 ? record_create(&local->shape) : NULL;
    *total = NULL;
    gather_sums(&gather, local, sum);
    int rc = err_agree(comm, gather_hists(&gather, local, sum, err), err);
    if (rc == 0)
        rc = gather_samples(&gather, local, sum, err); // too many of them: alike on all ranks
    if (rc == 0)
        rc = mpi_err_check(gather.mpi_error, "sum the ranks' records", err);
    if (err_agree(comm, rc, err) != 0) {
        record_destroy(sum);
        return -1;
    }
    *total = sum;
    return 0;
}
