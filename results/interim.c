// SPDX-License-Identifier: Apache-2.0
#include "results/interim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/hist.h"

#define QUANTILE 0.95
// Queries above it without which its interval means nothing.
#define LEAST_BEYOND 20
// Part of the run that is left out where no warm-up is given.
#define WARMUP_PART 20

enum { N_COARSE = HIST_N_BUCKETS / INTERIM_FINE };
_Static_assert(HIST_N_BUCKETS % INTERIM_FINE == 0, "coarse buckets are whole");
_Static_assert(HIST_SUB % INTERIM_FINE == 0, "and within one power of two");

enum step { ASK_TIMES, COUNT, SPLIT };

struct interim {
    const struct record *record;
    uint32_t n_ranks;
    uint32_t first_bin, bins_each, n_stretches;
    enum step step;
    uint32_t n_behind;        // stretches that count
    uint32_t said, n_said;    // coarse buckets said before, and in this round
    int64_t mine[N_COARSE];   // of this rank
    int64_t all[N_COARSE];    // of all of them
    int64_t n_queries, below; // in all buckets, and in those below `bucket`
    uint32_t bucket;          // coarse, with the quantile
    struct ci p95_s;
};

struct interim *interim_create(const struct record *record, uint32_t n_ranks)
{
    const struct record_shape *shape = &record->shape;
    struct interim *look = mem_calloc(1, sizeof *look);
    uint32_t first = shape->warmup_ns > 0 ? 1 : shape->n_bins / WARMUP_PART;
    uint32_t n = shape->n_bins - first;
    *look = (struct interim){
        .record = record, .n_ranks = n_ranks, .first_bin = first, .p95_s = ci_none()};
    look->bins_each = (n + INTERIM_STRETCHES - 1) / INTERIM_STRETCHES;
    look->n_stretches = look->bins_each > 0 ? n / look->bins_each : 0; // what is left over: none
    return look;
}

void interim_destroy(struct interim *look)
{
    mem_free(look);
}

// ---- what this rank says ------------------------------------------------------------------------

static uint32_t first_bin_of(const struct interim *look, uint32_t stretch)
{
    return look->first_bin + stretch * look->bins_each;
}

static size_t say_times(const struct interim *look, int64_t reached_ns, int64_t *values)
{
    for (uint32_t i = 0; i < look->n_stretches; i++)
        values[i] =
            record_bin_start_ns(&look->record->shape, first_bin_of(look, i + 1)) <= reached_ns;
    return look->n_stretches;
}

// Adds the tally's counts to those of coarse buckets.
static void add_coarse(const struct tally *tally, int64_t *coarse)
{
    uint32_t first, last;
    if (!record_tally_range(tally, &first, &last))
        return;
    for (uint32_t i = first; i <= last; i++)
        coarse[i / INTERIM_FINE] += tally->hist[i];
}

// The tallies of a stretch lie one behind the other, those of stretches likewise.
static const struct tally *tallies_from(const struct interim *look, uint32_t stretch)
{
    return record_tally(look->record, first_bin_of(look, stretch), 0, PATH_CPU);
}

static size_t say_counts(struct interim *look, int64_t *values)
{
    if (look->said == 0) {
        memset(look->mine, 0, sizeof look->mine);
        const struct tally *end = tallies_from(look, look->n_behind);
        for (const struct tally *tally = tallies_from(look, 0); tally < end; tally++)
            add_coarse(tally, look->mine);
    }
    uint32_t left = N_COARSE - look->said;
    look->n_said = left < INTERIM_VALUES ? left : INTERIM_VALUES;
    memcpy(values, look->mine + look->said, look->n_said * sizeof *values);
    return look->n_said;
}

// Of one stretch: how many queries, in the bucket of the quantile, and above it; and of that bucket
// the fine counts.
static void split(const struct interim *look, uint32_t stretch, int64_t *fine, int64_t *counts)
{
    const struct tally *end = tallies_from(look, stretch + 1);
    uint32_t from = look->bucket * INTERIM_FINE, first, last;
    for (const struct tally *tally = tallies_from(look, stretch); tally < end; tally++) {
        if (!record_tally_range(tally, &first, &last))
            continue;
        counts[0] += (int64_t)tally->n_queries;
        for (uint32_t i = from; i < from + INTERIM_FINE; i++) {
            fine[i - from] += tally->hist[i];
            counts[1] += tally->hist[i];
        }
        for (uint32_t i = from + INTERIM_FINE; i <= last; i++)
            counts[2] += tally->hist[i];
    }
}

static size_t say_split(const struct interim *look, int64_t *values)
{
    size_t n = INTERIM_FINE + 3 * look->n_behind;
    memset(values, 0, n * sizeof *values);
    for (uint32_t s = 0; s < look->n_behind; s++)
        split(look, s, values, values + INTERIM_FINE + 3 * s);
    return n;
}

size_t interim_say(struct interim *look, int64_t reached_ns, int64_t *values)
{
    if (look->step == ASK_TIMES)
        return say_times(look, reached_ns, values);
    return look->step == COUNT ? say_counts(look, values) : say_split(look, values);
}

// ---- what all have said -------------------------------------------------------------------------

// Those behind all ranks, but for the last of them.
static uint32_t count_behind(const struct interim *look, const int64_t *sums)
{
    uint32_t n = 0;
    while (n < look->n_stretches && sums[n] == look->n_ranks)
        n++;
    return n > 0 ? n - 1 : 0;
}

// The bucket of the value of that rank, as in batch_hist.h; how many lie below it.
static uint32_t find_bucket(const int64_t *counts, uint32_t n, double rank, int64_t *below)
{
    uint32_t i = 0;
    *below = 0;
    while (i + 1 < n && (double)(*below + counts[i]) < rank)
        *below += counts[i++];
    return i;
}

static bool is_enough(const struct interim *look)
{
    return (double)look->n_queries * (1 - QUANTILE) >= LEAST_BEYOND - 1e-6;
}

static double rank_of(const struct interim *look, double q)
{
    return q * (double)look->n_queries;
}

// In a bucket from lower_ns to upper_ns values are spread evenly.
static double place_ns(double part, int64_t lower_ns, int64_t upper_ns)
{
    return (double)lower_ns + part * (double)(upper_ns - 1 - lower_ns);
}

static double coarse_quantile_ns(const struct interim *look, double q)
{
    int64_t below;
    double rank = rank_of(look, q);
    uint32_t i = find_bucket(look->all, N_COARSE, rank, &below);
    return place_ns((rank - (double)below) / (double)look->all[i], hist_lower_ns(i * INTERIM_FINE),
                    hist_upper_ns(i * INTERIM_FINE + INTERIM_FINE - 1));
}

static double quantile_ns(const struct interim *look, const int64_t *fine)
{
    int64_t below;
    double rank = rank_of(look, QUANTILE) - (double)look->below;
    uint32_t i = find_bucket(fine, INTERIM_FINE, rank, &below);
    uint32_t bucket = look->bucket * INTERIM_FINE + i;
    return place_ns((rank - (double)below) / (double)fine[i], hist_lower_ns(bucket),
                    hist_upper_ns(bucket));
}

// A stretch's queries above the quantile: of the quantile's bucket the same part in every stretch.
static double above_of(const struct interim *look, const int64_t *counts)
{
    double rest = (1 - QUANTILE) * (double)look->n_queries, in = (double)look->all[look->bucket];
    double above = (double)(look->n_queries - look->below) - in;
    return (double)counts[2] + (rest - above) / in * (double)counts[1];
}

// Half-width at 95 % of the fraction above the quantile: each batch's own excess over its part (a
// ratio estimator). NaN with too few batches.
static double half_frac(const struct interim *look, const int64_t *counts, uint32_t *n_batches)
{
    double above[INTERIM_STRETCHES], y[INTERIM_STRETCHES], squares = 0;
    for (uint32_t s = 0; s < look->n_behind; s++) {
        above[s] = above_of(look, counts + 3 * s);
        y[s] = counts[3 * s] > 0 ? above[s] / (double)counts[3 * s] : (double)NAN;
    }
    struct batch_plan plan = batch_plan_of(y, look->n_behind, BATCH_AIM);
    *n_batches = plan.n_batches;
    if (plan.n_batches < BATCH_LEAST)
        return NAN;
    for (uint32_t b = 0; b < plan.n_batches; b++) {
        double excess = 0;
        for (uint32_t s = batch_first(&plan, b); s < batch_first(&plan, b + 1); s++)
            excess += above[s] - (1 - QUANTILE) * (double)counts[3 * s];
        squares += excess * excess;
    }
    double n = plan.n_batches;
    return ci_t(0.975, n - 1) * sqrt(squares * n / (n - 1)) / (double)look->n_queries;
}

// A tenth of the fraction is the least that the upper end leaves: beyond, there is no distribution
// to speak of.
static struct ci estimate(const struct interim *look, const int64_t *sums)
{
    struct ci ci = {quantile_ns(look, sums) * 1e-9, NAN, 0};
    double off = half_frac(look, sums + INTERIM_FINE, &ci.n_batches);
    if (!(1 - QUANTILE - off >= (1 - QUANTILE) / 10))
        return ci_none();
    double at_ns = coarse_quantile_ns(look, QUANTILE);
    double up_ns = coarse_quantile_ns(look, QUANTILE + off) - at_ns,
           down_ns = at_ns - coarse_quantile_ns(look, QUANTILE - off);
    ci.half_95 = fmax(up_ns, down_ns) * 1e-9;
    return ci;
}

static bool end(struct interim *look, struct ci p95_s)
{
    look->step = ASK_TIMES;
    look->said = 0;
    look->p95_s = p95_s;
    return true;
}

bool interim_hear(struct interim *look, const int64_t *sums)
{
    switch (look->step) {
    case ASK_TIMES:
        look->n_behind = count_behind(look, sums);
        if (look->n_behind < BATCH_LEAST)
            return end(look, ci_none());
        look->step = COUNT;
        return false;
    case COUNT:
        memcpy(look->all + look->said, sums, look->n_said * sizeof *sums);
        look->said += look->n_said;
        if (look->said < N_COARSE)
            return false;
        look->n_queries = 0;
        for (uint32_t i = 0; i < N_COARSE; i++)
            look->n_queries += look->all[i];
        if (!is_enough(look))
            return end(look, ci_none());
        look->bucket = find_bucket(look->all, N_COARSE, rank_of(look, QUANTILE), &look->below);
        look->step = SPLIT;
        return false;
    default:
        return end(look, estimate(look, sums));
    }
}

struct ci interim_p95_s(const struct interim *look)
{
    return look->p95_s;
}
