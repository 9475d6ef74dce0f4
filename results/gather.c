// SPDX-License-Identifier: Apache-2.0
#include "results/gather.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "par/agree.h"
#include "par/mpi_err.h"

// MPI counts are int and a buffer of a few MiB is as fast as a larger one.
#define CHUNK (1u << 18)

// Words a tally is packed into: its counts and sums, and the 128-bit sum of squares in limbs of 32
// bits, each in a word of its own, so that adding up to 2^32 ranks cannot carry out of a word.
#define SQ_LIMBS 4
#define TALLY_WORDS (TALLY_SUMS + SQ_LIMBS)
#define GROUP_WORDS 6
#define SERVER_WORDS 7

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

static void pack_tally(const struct tally *t, uint64_t *w)
{
    record_tally_sums(t, w);
    for (int limb = 0; limb < SQ_LIMBS; limb++)
        w[TALLY_SUMS + limb] = (uint32_t)(t->latency_sq_sum_ns2 >> (32 * limb));
}

static void unpack_tally(const uint64_t *w, struct tally *t)
{
    record_tally_set_sums(t, w);
    t->latency_sq_sum_ns2 = 0;
    for (int limb = 0; limb < SQ_LIMBS; limb++)
        t->latency_sq_sum_ns2 += (unsigned __int128)w[TALLY_SUMS + limb] << (32 * limb);
}

static void gather_tallies(struct gather *gather, const struct record *local, struct record *total)
{
    size_t n = record_n_tallies(&local->shape);
    uint64_t *words = mem_calloc(n, TALLY_WORDS * sizeof *words);
    uint64_t *most = mem_calloc(n, sizeof *most);
    for (size_t i = 0; i < n; i++) {
        pack_tally(&local->tallies[i], words + i * TALLY_WORDS);
        most[i] = (uint64_t)local->tallies[i].latency_max_ns;
    }
    reduce_words(gather, words, n * TALLY_WORDS, MPI_SUM);
    reduce_words(gather, most, n, MPI_MAX);
    for (size_t i = 0; i < n && total; i++) {
        unpack_tally(words + i * TALLY_WORDS, &total->tallies[i]);
        total->tallies[i].latency_max_ns = (int64_t)most[i];
    }
    mem_free(words);
    mem_free(most);
}

static void gather_groups(struct gather *gather, const struct record *local, struct record *total)
{
    size_t n = record_n_group_tallies(&local->shape);
    uint64_t *words = mem_calloc(n, GROUP_WORDS * sizeof *words);
    uint64_t *most = mem_calloc(n, 2 * sizeof *most);
    for (size_t i = 0; i < n; i++) {
        const struct group_tally *g = &local->groups[i];
        const int64_t v[GROUP_WORDS] = {g->cpu_busy_ns,      g->accel_busy_ns, g->cpu_backlog_ns,
                                        g->accel_backlog_ns, g->cpu_energy_uj, g->accel_energy_uj};
        memcpy(words + i * GROUP_WORDS, v, sizeof v);
        most[2 * i] = (uint64_t)g->cpu_drain_max_ns;
        most[2 * i + 1] = (uint64_t)g->accel_drain_max_ns;
    }
    reduce_words(gather, words, n * GROUP_WORDS, MPI_SUM);
    reduce_words(gather, most, 2 * n, MPI_MAX);
    for (size_t i = 0; i < n && total; i++) {
        const uint64_t *w = words + i * GROUP_WORDS;
        total->groups[i] =
            (struct group_tally){(int64_t)w[0], (int64_t)w[1],        (int64_t)w[2],
                                 (int64_t)w[3], (int64_t)most[2 * i], (int64_t)most[2 * i + 1],
                                 (int64_t)w[4], (int64_t)w[5]};
    }
    mem_free(words);
    mem_free(most);
}

static void gather_servers(struct gather *gather, const struct record *local, struct record *total)
{
    size_t n = local->shape.n_servers;
    uint64_t *words = mem_calloc(n, SERVER_WORDS * sizeof *words);
    for (size_t i = 0; i < n; i++) {
        const struct server_total *s = &local->servers[i];
        const uint64_t v[SERVER_WORDS] = {s->n_queries,
                                          s->n_requests,
                                          s->n_items,
                                          s->n_accel_queries,
                                          (uint64_t)s->cpu_busy_ns,
                                          (uint64_t)s->accel_busy_ns,
                                          (uint64_t)s->energy_uj};
        memcpy(words + i * SERVER_WORDS, v, sizeof v);
    }
    reduce_words(gather, words, n * SERVER_WORDS, MPI_SUM);
    for (size_t i = 0; i < n && total; i++) {
        const uint64_t *w = words + i * SERVER_WORDS;
        total->servers[i] = (struct server_total){w[0],          w[1],          w[2],         w[3],
                                                  (int64_t)w[4], (int64_t)w[5], (int64_t)w[6]};
    }
    mem_free(words);
}

static void gather_generated(struct gather *gather, const struct record *local,
                             struct record *total)
{
    uint32_t n = local->shape.n_services;
    uint64_t *words = mem_calloc(n, sizeof *words);
    memcpy(words, local->n_generated, n * sizeof *words);
    reduce_words(gather, words, n, MPI_SUM);
    if (total)
        memcpy(total->n_generated, words, n * sizeof *words);
    mem_free(words);
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
    gather_tallies(&gather, local, sum);
    gather_groups(&gather, local, sum);
    gather_servers(&gather, local, sum);
    gather_generated(&gather, local, sum);
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
