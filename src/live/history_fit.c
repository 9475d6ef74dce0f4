// SPDX-License-Identifier: Apache-2.0
#include "live/history_fit.h"

#include <gsl/gsl_multifit.h>
#include <math.h>

#include "base/mem.h"

#define LEAST_ERROR 0.01     // times are trusted no further
#define LEAST_SCALE 0.25     // of the mean time of a size: what errors are parts of
#define LEAST_PART_FRAC 0.01 // of the base's time: no other history leaves less
enum { TERMS = 3, ITEM = 1, SQUARE = 2, PAIR = 4 }; // bits of a choice of terms

struct problem {
    const struct history_fit_point *points;
    size_t n, n_sizes;
    size_t *size;        // [n] which size a point is of
    double *scale_s;     // [n] what an error is a part of
    double scale[TERMS]; // the largest value of each term
    double mean_error2;  // of the points' squared errors
};

static double term(const struct history_fit_point *point, int which)
{
    double n = point->items, h = point->history_items;
    return which == 0 ? h : which == 1 ? h * h : n * h;
}

// Errors come from a few visits each, and by luck some are far too small: half of a point's is that
// of all.
static double weight(const struct problem *problem, size_t p)
{
    double own = problem->points[p].error, error2 = (own * own + problem->mean_error2) / 2;
    double scale_s = problem->scale_s[p];
    return 1 / (fmax(error2, LEAST_ERROR * LEAST_ERROR) * scale_s * scale_s);
}

// The columns of a choice of terms, behind one for each size.
static void fill_columns(const struct problem *problem, int choice, gsl_matrix *x, gsl_vector *y,
                         gsl_vector *w)
{
    for (size_t p = 0; p < problem->n; p++) {
        size_t column = problem->n_sizes;
        gsl_vector_set(y, p, problem->points[p].time_s);
        gsl_vector_set(w, p, weight(problem, p));
        gsl_matrix_set(x, p, problem->size[p], 1);
        for (int i = 0; i < TERMS; i++)
            if (choice >> i & 1)
                gsl_matrix_set(x, p, column++, term(&problem->points[p], i) / problem->scale[i]);
    }
}

// A fit with the terms of a choice: to[TERMS]. Returns the weighted squares that it leaves,
// INFINITY where it is none.
static double fit_choice(const struct problem *problem, int choice, double to[TERMS])
{
    size_t n = problem->n, n_columns = problem->n_sizes, column = problem->n_sizes;
    for (int i = 0; i < TERMS; i++)
        n_columns += choice >> i & 1;
    if (n < n_columns)
        return INFINITY;
    gsl_matrix *x = gsl_matrix_calloc(n, n_columns);
    gsl_matrix *covariance = gsl_matrix_alloc(n_columns, n_columns);
    gsl_vector *y = gsl_vector_alloc(n), *w = gsl_vector_alloc(n);
    gsl_vector *c = gsl_vector_alloc(n_columns);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(n, n_columns);
    double left = INFINITY;
    fill_columns(problem, choice, x, y, w);
    if (gsl_multifit_wlinear(x, w, y, c, covariance, &left, work) != 0)
        left = INFINITY;
    for (int i = 0; i < TERMS; i++) {
        to[i] = choice >> i & 1 ? gsl_vector_get(c, column++) / problem->scale[i] : 0;
        left = to[i] >= 0 ? left : INFINITY;
    }
    gsl_multifit_linear_free(work);
    gsl_vector_free(c);
    gsl_vector_free(w);
    gsl_vector_free(y);
    gsl_matrix_free(covariance);
    gsl_matrix_free(x);
    return left;
}

static size_t count_lengths(const struct history_fit_point *points, size_t n)
{
    size_t n_lengths = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (points[k].history_items != points[i].history_items)
            k++;
        n_lengths += k == i;
    }
    return n_lengths;
}

// Numbers the sizes as they come.
static void find_sizes(struct problem *problem)
{
    const struct history_fit_point *points = problem->points;
    problem->size = mem_calloc(problem->n, sizeof *problem->size);
    for (size_t i = 0; i < problem->n; i++) {
        size_t k = 0;
        while (points[k].items != points[i].items)
            k++;
        problem->size[i] = k < i ? problem->size[k] : problem->n_sizes++;
    }
}

static void find_scales(struct problem *problem)
{
    problem->scale_s = mem_calloc(problem->n, sizeof *problem->scale_s);
    for (size_t i = 0; i < problem->n; i++) {
        double sum_s = 0, n = 0;
        for (size_t k = 0; k < problem->n; k++)
            if (problem->size[k] == problem->size[i]) {
                sum_s += problem->points[k].time_s;
                n++;
            }
        problem->scale_s[i] = fmax(problem->points[i].time_s, LEAST_SCALE * sum_s / n);
        problem->mean_error2 +=
            problem->points[i].error * problem->points[i].error / (double)problem->n;
        for (int t = 0; t < TERMS; t++)
            problem->scale[t] = fmax(problem->scale[t], term(&problem->points[i], t));
    }
}

// The bare time of a size that is the best for its points.
static double bare_s(const struct problem *problem, const struct history_fit *fit, size_t size)
{
    double sum_s = 0, weights = 0;
    for (size_t p = 0; p < problem->n; p++) {
        const struct history_fit_point *point = &problem->points[p];
        double w = problem->size[p] == size ? weight(problem, p) : 0;
        sum_s += w * (point->time_s - history_fit_part_s(fit, point->items, point->history_items));
        weights += w;
    }
    return sum_s / weights;
}

static void find_residual(const struct problem *problem, struct history_fit *to)
{
    double squares = 0;
    for (size_t p = 0; p < problem->n; p++) {
        const struct history_fit_point *point = &problem->points[p];
        double fitted_s = bare_s(problem, to, problem->size[p]) +
                          history_fit_part_s(to, point->items, point->history_items);
        double miss = (fitted_s - point->time_s) / problem->scale_s[p];
        squares += miss * miss;
        to->worst_frac = fmax(to->worst_frac, fabs(miss));
    }
    to->residual_frac = sqrt(squares / (double)problem->n);
}

struct history_fit history_fit(const struct history_fit_point *points, size_t n)
{
    struct history_fit to = {.n_points = n};
    struct problem problem = {.points = points, .n = n, .scale = {1, 1, 1}};
    size_t n_lengths = count_lengths(points, n);
    find_sizes(&problem);
    find_scales(&problem);
    int allowed = n_lengths < 2 ? 0 : ITEM;
    allowed |= n_lengths < 3 ? 0 : SQUARE;
    allowed |= n_lengths < 2 || problem.n_sizes < 2 ? 0 : PAIR;
    double best = INFINITY, found[TERMS];
    for (int choice = 0; choice < 1 << TERMS; choice++) {
        double left = (choice & ~allowed) == 0 ? fit_choice(&problem, choice, found) : INFINITY;
        if (!(left < best))
            continue;
        best = left;
        to.of = (struct cost_history){found[0], found[1], found[2]};
    }
    find_residual(&problem, &to);
    mem_free(problem.size);
    mem_free(problem.scale_s);
    return to;
}

double history_fit_part_s(const struct history_fit *fit, double items, double history_items)
{
    return history_items *
           (fit->of.item_s + fit->of.square_s * history_items + fit->of.item_history_s * items);
}

double history_fit_s(const struct history_fit *fit, double base_s, double base_items, double items,
                     double history_items)
{
    double more_s =
        history_fit_part_s(fit, items, history_items) - history_fit_part_s(fit, items, base_items);
    return fmax(base_s + more_s, LEAST_PART_FRAC * base_s);
}
