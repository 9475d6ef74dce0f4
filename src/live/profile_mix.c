// SPDX-License-Identifier: Apache-2.0
#include "live/profile_mix.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define MOST_SAMPLES ((size_t)8 << 20) // 128 MB

struct sample {
    float time_s, base_s; // as it was; with the base's history
    uint32_t items, history_items;
};

struct part { // a thread's of a visit
    uint64_t visit;
    uint32_t cut_items;
    size_t busy, first, n;
};

struct profile_mix {
    size_t n_samples, room_samples, n_parts, room_parts;
    struct sample *samples;
    struct part *parts;
};

// ---- the grid -----------------------------------------------------------------------------------

// The last size at or below `items`, at most the last but one; and how far it is to the next, 0..1.
static size_t place_of(const struct profile_grid *grid, double items, double *frac)
{
    size_t i = 0;
    *frac = 0;
    while (i + 2 < grid->n_items && grid->items[i + 1] <= items)
        i++;
    if (grid->n_items < 2)
        return 0;
    double low = grid->items[i], high = grid->items[i + 1];
    *frac = fmin(fmax((items - low) / (high - low), 0), 1);
    return i;
}

double profile_grid_s(const struct profile_grid *grid, size_t busy, double items)
{
    double frac;
    size_t i = place_of(grid, items, &frac);
    const double *row = grid->time_s + busy * grid->n_items;
    return frac > 0 ? row[i] + frac * (row[i + 1] - row[i]) : row[i];
}

// ---- samples ------------------------------------------------------------------------------------

struct profile_mix *profile_mix_create(void)
{
    return mem_calloc(1, sizeof(struct profile_mix));
}

void profile_mix_destroy(struct profile_mix *mix)
{
    if (!mix)
        return;
    mem_free(mix->samples);
    mem_free(mix->parts);
    mem_free(mix);
}

static size_t room_for(size_t room, size_t n)
{
    while (room < n)
        room = room > 0 ? 2 * room : 64;
    return room;
}

bool profile_mix_add(struct profile_mix *mix, uint64_t visit, uint32_t cut_items, size_t busy,
                     const struct profile_sample *samples, size_t n)
{
    if (mix->n_samples + n > MOST_SAMPLES)
        return false;
    size_t room = room_for(mix->room_samples, mix->n_samples + n);
    if (room > mix->room_samples)
        mix->samples = mem_realloc(mix->samples, room, sizeof *mix->samples);
    mix->room_samples = room;
    room = room_for(mix->room_parts, mix->n_parts + 1);
    if (room > mix->room_parts)
        mix->parts = mem_realloc(mix->parts, room, sizeof *mix->parts);
    mix->room_parts = room;
    mix->parts[mix->n_parts++] = (struct part){visit, cut_items, busy, mix->n_samples, n};
    for (size_t i = 0; i < n; i++)
        mix->samples[mix->n_samples++] = (struct sample){
            samples[i].time_s, samples[i].time_s, samples[i].items, samples[i].history_items};
    return true;
}

void profile_mix_rebase(struct profile_mix *mix, const struct profile_grid *grid,
                        const struct history_fit *fits, uint32_t base_items)
{
    for (size_t p = 0; p < mix->n_parts; p++) {
        const struct part *part = &mix->parts[p];
        const struct history_fit *fit = &fits[part->busy];
        for (size_t s = part->first; s < part->first + part->n; s++) {
            struct sample *sample = &mix->samples[s];
            double base_s = profile_grid_s(grid, part->busy, sample->items);
            double its_s =
                history_fit_s(fit, base_s, base_items, sample->items, sample->history_items);
            sample->base_s = (float)(sample->time_s * base_s / its_s);
        }
    }
}

// ---- ratios of sums -----------------------------------------------------------------------------

// A sum over visits of above / below, with what its interval needs: the sums of their squares.
struct sums {
    double above, below;                  // of all visits
    double part_above, part_below;        // of the one that is under way
    double above_2, above_below, below_2; // of the visits that are whole
    uint32_t n_visits;
};

static void end_visit(struct sums *sums)
{
    double a = sums->part_above, b = sums->part_below;
    sums->part_above = sums->part_below = 0;
    if (!(b > 0))
        return;
    sums->above += a;
    sums->below += b;
    sums->above_2 += a * a;
    sums->above_below += a * b;
    sums->below_2 += b * b;
    sums->n_visits++;
}

static struct ci ratio_of(const struct sums *sums)
{
    struct ci ci = ci_none();
    double n = sums->n_visits, r = sums->above / sums->below;
    if (!(sums->below > 0))
        return ci;
    ci.value = r;
    ci.n_batches = sums->n_visits;
    if (sums->n_visits < 2)
        return ci;
    double left = sums->above_2 - 2 * r * sums->above_below + r * r * sums->below_2;
    double variance = fmax(left, 0) * n / (n - 1) / (sums->below * sums->below);
    ci.half_95 = ci_t(0.975, n - 1) * sqrt(variance);
    return ci;
}

// How much visits differ, as a standard deviation over the mean; NaN: there is one at most.
static double drift_of(const struct sums *sums)
{
    double n = sums->n_visits, r = sums->above / sums->below;
    double left = sums->above_2 - 2 * r * sums->above_below + r * r * sums->below_2;
    return n >= 2 ? sqrt(fmax(left, 0) / (n - 1)) * n / sums->above : (double)NAN;
}

// ---- near a size --------------------------------------------------------------------------------

// The share of a sample that belongs to size i of the grid, and that of the next.
static void add_near(const struct profile_grid *grid, const struct sample *sample, double ratio,
                     struct sums *sums, double *squares)
{
    double frac;
    size_t i = place_of(grid, sample->items, &frac);
    for (size_t k = 0; k < 2 && i + k < grid->n_items; k++) {
        double weight = k == 0 ? 1 - frac : frac;
        sums[i + k].part_above += weight * ratio;
        sums[i + k].part_below += weight;
        squares[i + k] += weight * ratio * ratio;
    }
}

void profile_mix_near(const struct profile_mix *mix, const struct profile_grid *grid,
                      uint32_t cut_items, size_t busy, struct profile_mix_near *to)
{
    struct sums *sums = mem_calloc(grid->n_items, sizeof *sums);
    double *squares = mem_calloc(grid->n_items, sizeof *squares);
    for (size_t p = 0; p < mix->n_parts; p++) {
        const struct part *part = &mix->parts[p];
        bool last = p + 1 == mix->n_parts || mix->parts[p + 1].visit != part->visit;
        bool is_wanted = part->busy == busy && (cut_items == 0 || part->cut_items == cut_items);
        for (size_t s = part->first; is_wanted && s < part->first + part->n; s++) {
            const struct sample *sample = &mix->samples[s];
            add_near(grid, sample, sample->base_s / profile_grid_s(grid, busy, sample->items), sums,
                     squares);
        }
        for (size_t i = 0; last && i < grid->n_items; i++)
            end_visit(&sums[i]);
    }
    for (size_t i = 0; i < grid->n_items; i++) {
        double n = sums[i].below, r = sums[i].above / n;
        to[i].weight = n;
        to[i].ratio = ratio_of(&sums[i]);
        to[i].cv = n > 0 ? sqrt(fmax(squares[i] / n - r * r, 0)) / r : (double)NAN;
    }
    mem_free(squares);
    mem_free(sums);
}

// ---- a whole mix --------------------------------------------------------------------------------

#define LEAST_PAIRS 30 // of requests, for a correlation: its standard error is then 0.18

// What requests took more than the grid says, and its products with those of later ones.
struct course {
    double n, n_free, items; // n_free: n without one for each mean
    double squares, grid_squares;
    double products[PROFILE_MIX_LAGS], grid_products[PROFILE_MIX_LAGS], pairs[PROFILE_MIX_LAGS];
};

// Round the speed of the part itself (`slower` than the grid): that a machine is slower in one
// visit than in another, or one core than another, is no noise of requests.
static void add_course(const struct profile_mix *mix, const struct profile_grid *grid,
                       const struct part *part, double slower, struct course *course)
{
    double before[2][PROFILE_MIX_LAGS] = {{0}}; // the latest first: more, and the grid's
    for (size_t i = 0; i < part->n; i++) {
        const struct sample *sample = &mix->samples[part->first + i];
        double grid_s = slower * profile_grid_s(grid, part->busy, sample->items);
        double more_s = sample->base_s - grid_s;
        course->items += sample->items;
        course->squares += more_s * more_s;
        course->grid_squares += grid_s * grid_s;
        for (size_t k = 0; k < PROFILE_MIX_LAGS && k < i; k++) {
            course->products[k] += more_s * before[0][k];
            course->grid_products[k] += grid_s * before[1][k];
            course->pairs[k]++;
        }
        for (size_t j = 0; j < 2; j++)
            memmove(before[j] + 1, before[j], sizeof before[j] - sizeof before[j][0]);
        before[0][0] = more_s;
        before[1][0] = grid_s;
    }
    course->n += (double)part->n;
    course->n_free += part->n > 0 ? (double)part->n - 1 : 0;
}

static bool is_of(const struct part *part, uint32_t cut_items, size_t busy)
{
    return part->cut_items == cut_items && part->busy == busy;
}

// Returns how much slower than the grid the part was.
static double add_part(const struct profile_mix *mix, const struct profile_grid *grid,
                       const struct part *part, struct sums *mean, struct sums *ratio)
{
    double sum_s = 0, base_sum_s = 0, grid_sum_s = 0;
    for (size_t s = part->first; s < part->first + part->n; s++) {
        sum_s += mix->samples[s].time_s;
        base_sum_s += mix->samples[s].base_s;
        grid_sum_s += profile_grid_s(grid, part->busy, mix->samples[s].items);
    }
    mean->part_above += sum_s;
    mean->part_below += (double)part->n;
    ratio->part_above += base_sum_s;
    ratio->part_below += grid_sum_s;
    return grid_sum_s > 0 ? base_sum_s / grid_sum_s : 1;
}

static void sum_course(const struct course *course, struct profile_mix_sum *to)
{
    double variance = course->grid_squares > 0 ? course->squares / course->grid_squares : 0;
    to->n = (uint64_t)course->n;
    to->cv = course->n_free > 0 ? sqrt(variance * course->n / course->n_free) : (double)NAN;
    for (size_t k = 0; k < PROFILE_MIX_LAGS; k++) {
        double lag = course->products[k] / course->grid_products[k] / variance;
        bool known = course->pairs[k] >= LEAST_PAIRS && variance > 0;
        to->lag[k] = known ? fmin(fmax(lag, -1), 1) : (double)NAN; // sizes differ from pair to pair
    }
}

struct profile_mix_sum profile_mix_sum(const struct profile_mix *mix,
                                       const struct profile_grid *grid, uint32_t cut_items,
                                       size_t busy)
{
    struct profile_mix_sum to = {0};
    struct sums mean = {0}, ratio = {0};
    struct course course = {0};
    for (size_t p = 0; p < mix->n_parts; p++) {
        if (!is_of(&mix->parts[p], cut_items, busy))
            continue;
        double slower = add_part(mix, grid, &mix->parts[p], &mean, &ratio);
        add_course(mix, grid, &mix->parts[p], slower, &course);
        if (p + 1 == mix->n_parts || mix->parts[p + 1].visit != mix->parts[p].visit) {
            end_visit(&mean);
            end_visit(&ratio);
        }
    }
    sum_course(&course, &to);
    to.mean_s = ratio_of(&mean);
    to.ratio = ratio_of(&ratio);
    to.drift_cv = drift_of(&ratio);
    to.work_item_s = course.items > 0 ? mean.above / course.items : (double)NAN;
    return to;
}

bool profile_mix_correlation(const struct profile_mix_sum *sum, double gap_s, double *time_s,
                             double *frac)
{
    double least = 2 / sqrt(fmax((double)sum->n, 1)), n = 0, w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t k = 0; k < PROFILE_MIX_LAGS && sum->lag[k] > least; k++) {
        double at = (double)(k + 1), log_lag = log(sum->lag[k]);
        double weight = sum->lag[k] * sum->lag[k]; // one over the variance of its logarithm
        n++;
        w += weight;
        x += weight * at;
        y += weight * log_lag;
        xx += weight * at * at;
        xy += weight * at * log_lag;
    }
    if (n < 2)
        return false;
    double slope = (w * xy - x * y) / (w * xx - x * x);
    if (!(slope < 0))
        return false;
    *time_s = gap_s / -slope;
    *frac = fmin(exp((y - slope * x) / w), 1);
    return true;
}
