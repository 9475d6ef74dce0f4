// SPDX-License-Identifier: Apache-2.0
#include "results/strata.h"

#include <math.h>

#include "base/mem.h"
#include "results/hist.h"

// Queries above a quantile without which its interval means nothing.
#define LEAST_ABOVE 20

// ---- the spread of a total ----------------------------------------------------------------------

// Variance of a sum, in parts with their degrees of freedom.
struct spread {
    double variance, squares, all_dof; // squares: of variances, over dof + 2
    bool unknown;                      // a part that shows nothing
};

static void add_part(struct spread *spread, double variance, double dof)
{
    spread->variance += variance;
    spread->squares += variance * variance / (dof + 2);
    spread->all_dof += dof;
}

// Welch's: that of a part is known no better than the part, which the plain formula (Satterthwaite)
// overlooks, and so it counts too few: 7 for four parts of three (Welch, Biometrika 34, 1947).
static double dof_of(const struct spread *spread)
{
    if (!(spread->variance > 0))
        return spread->all_dof;
    return spread->variance * spread->variance / spread->squares - 2;
}

// First piece behind the stratum that begins at piece i.
static size_t stratum_end(const struct strata_sample *sample, size_t i)
{
    size_t end = i + 1;
    while (end < sample->n && sample->pieces[end].stratum == sample->pieces[i].stratum)
        end++;
    return end;
}

// m pieces of one stratum: m s^2.
static void add_stratum(struct spread *spread, const double *r, size_t m)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < m; i++)
        mean += r[i] / (double)m;
    for (size_t i = 0; i < m; i++)
        squares += (r[i] - mean) * (r[i] - mean);
    double dof = (double)m - 1;
    add_part(spread, (double)m * squares / dof, dof);
}

// n strata of one piece each: n times half the mean squared difference of neighbours, which has
// 2 (n - 1)^2 / (3 n - 4) degrees of freedom where pieces are normal and alike.
static void add_neighbours(struct spread *spread, const double *r, size_t n)
{
    double squares = 0, steps = (double)n - 1;
    if (n < 2) {
        spread->unknown = true;
        return;
    }
    for (size_t i = 1; i < n; i++)
        squares += (r[i] - r[i - 1]) * (r[i] - r[i - 1]);
    add_part(spread, (double)n * squares / (2 * steps), 2 * steps * steps / (3 * (double)n - 4));
}

static struct spread spread_of(const struct strata_sample *sample, const double *r)
{
    struct spread spread = {0};
    for (size_t i = 0, end; i < sample->n; i = end) {
        end = stratum_end(sample, i);
        if (end - i > 1) {
            add_stratum(&spread, r + i, end - i);
            continue;
        }
        while (end < sample->n && stratum_end(sample, end) == end + 1)
            end++;
        add_neighbours(&spread, r + i, end - i);
    }
    return spread;
}

// Half-width of total / size at 95 %, and the degrees of freedom, into *ci.
static void widen(const struct strata_sample *sample, const double *r, double size, struct ci *ci)
{
    struct spread spread = spread_of(sample, r);
    if (spread.unknown || sample->n == 0)
        return;
    double dof = dof_of(&spread);
    double se = sqrt(spread.variance * (1 + sample->sampled_frac)) / size;
    ci->half_95 = ci_t(0.975, dof) * se;
    ci->n_batches = (uint32_t)dof + 1;
}

struct ci strata_ratio(const struct strata_sample *sample, const double *part, const double *of)
{
    double *r = mem_calloc(sample->n, sizeof *r), parts = 0, size = 0;
    struct ci ci = ci_none();
    for (size_t i = 0; i < sample->n; i++) {
        parts += sample->pieces[i].weight * part[i];
        size += sample->pieces[i].weight * of[i];
    }
    if (size > 0) {
        ci.value = parts / size;
        for (size_t i = 0; i < sample->n; i++)
            r[i] = sample->pieces[i].weight * (part[i] - ci.value * of[i]);
        widen(sample, r, size, &ci);
    }
    mem_free(r);
    return ci;
}

// ---- the pooled distribution --------------------------------------------------------------------

struct pool {
    uint32_t first, n;
    double *counts; // [n], weighted
    double size, n_queries;
};

static struct pool pool_of(const struct strata_sample *sample)
{
    uint32_t first = HIST_N_BUCKETS, end = 0;
    for (size_t i = 0; i < sample->n; i++) {
        const struct strata_piece *piece = &sample->pieces[i];
        if (piece->n_counts == 0)
            continue;
        first = piece->first < first ? piece->first : first;
        end = piece->first + piece->n_counts > end ? piece->first + piece->n_counts : end;
    }
    struct pool pool = {.first = first, .n = end > first ? end - first : 0};
    pool.counts = mem_calloc(pool.n, sizeof *pool.counts);
    for (size_t i = 0; i < sample->n; i++) {
        const struct strata_piece *piece = &sample->pieces[i];
        double n = 0;
        for (uint32_t k = 0; k < piece->n_counts; k++) {
            pool.counts[piece->first - first + k] += piece->weight * piece->counts[k];
            n += piece->counts[k];
        }
        pool.n_queries += n;
        pool.size += piece->weight * n;
    }
    return pool;
}

// A place in the distribution: a part of one bucket's values lies below it.
struct place {
    uint32_t bucket;
    double part; // 0..1
};

static struct place place_of(const struct pool *pool, double q)
{
    double h = q * pool->size, below = 0;
    uint32_t at = 0, last = 0;
    for (; at < pool->n; at++) {
        if (!(pool->counts[at] > 0))
            continue;
        last = at;
        if (below + pool->counts[at] >= h)
            return (struct place){pool->first + at, fmax(h - below, 0) / pool->counts[at]};
        below += pool->counts[at];
    }
    return (struct place){pool->first + last, 1};
}

static double place_s(const struct place *place)
{
    double lower = (double)hist_lower_ns(place->bucket);
    double upper = (double)hist_upper_ns(place->bucket) - 1;
    return (lower + place->part * (upper - lower)) * 1e-9;
}

static double width_s(const struct place *place)
{
    return (double)(hist_upper_ns(place->bucket) - hist_lower_ns(place->bucket)) * 1e-9;
}

// Of the piece's queries those above the place, and all.
static void count_above(const struct strata_piece *piece, const struct place *place, double *above,
                        double *all)
{
    *above = *all = 0;
    for (uint32_t k = 0; k < piece->n_counts; k++) {
        uint32_t bucket = piece->first + k;
        double n = piece->counts[k];
        *all += n;
        *above += bucket > place->bucket ? n : bucket == place->bucket ? (1 - place->part) * n : 0;
    }
}

// Half the distance of the quantiles e below and e above q; NaN beyond the distribution.
static double half_s(const struct pool *pool, double q, double e, double least_s)
{
    if (!(q - e > 0) || !(q + e < 1 - 1 / pool->n_queries))
        return NAN;
    struct place low = place_of(pool, q - e), high = place_of(pool, q + e);
    return fmax(0.5 * (place_s(&high) - place_s(&low)), least_s);
}

struct ci strata_quantile_s(const struct strata_sample *sample, double q)
{
    struct pool pool = pool_of(sample);
    struct ci ci = ci_none();
    double least_above = pool.n_queries * (1 - q);
    if (least_above >= 1 - 1e-9) {
        double *above = mem_calloc(2 * sample->n, sizeof *above), *all = above + sample->n;
        struct place place = place_of(&pool, q);
        for (size_t i = 0; i < sample->n; i++)
            count_above(&sample->pieces[i], &place, &above[i], &all[i]);
        struct ci fraction = strata_ratio(sample, above, all);
        ci.value = place_s(&place);
        ci.n_batches = fraction.n_batches;
        if (least_above >= LEAST_ABOVE)
            ci.half_95 = half_s(&pool, q, fraction.half_95, width_s(&place));
        mem_free(above);
    }
    mem_free(pool.counts);
    return ci;
}
