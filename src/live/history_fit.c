// SPDX-License-Identifier: Apache-2.0
#include "live/history_fit.h"

#include <gsl/gsl_multifit.h>
#include <math.h>

#include "base/mem.h"

#define LEAST_ERROR 0.01     // times are trusted no further
#define LEAST_PART_FRAC 0.01 // of the base's time: no other history leaves less
enum { TERMS = 3, ITEM = 1, SQUARE = 2, PAIR = 4 }; // bits of a choice of terms

struct problem {
    const struct history_fit_point *points;
    size_t n, n_sizes;
    const size_t *size;  // [n] which size a point is of
    double scale[TERMS]; // the largest value of each term
};

static double term(const struct history_fit_point *point, int which)
{
    double n = point->items, h = point->history_items;
    return which == 0 ? h : which == 1 ? h * h : n * h;
}

static double weight(const struct history_fit_point *point)
{
    double error_s = fmax(point->error, LEAST_ERROR) * point->time_s;
    return 1 / (error_s * error_s);
}

// A fit with the terms of a choice: to[TERMS]. Returns the weighted squares that it leaves,
// INFINITY where it is none.
static double fit_choice(const struct problem *problem, int choice, double to[TERMS])
{
    size_t n_terms = 0, column = problem->n_sizes;
    for (int i = 0; i < TERMS; i++)
        n_terms += choice >> i & 1;
    size_t n_columns = problem->n_sizes + n_terms;
    if (problem->n < n_columns)
        return INFINITY;
    gsl_matrix *x = gsl_matrix_calloc(problem->n, n_columns);
    gsl_vector *y = gsl_vector_alloc(problem->n), *w = gsl_vector_alloc(problem->n);
    gsl_vector *c = gsl_vector_alloc(n_columns);
    gsl_matrix *covariance = gsl_matrix_alloc(n_columns, n_columns);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(problem->n, n_columns);
    double left = INFINITY;
    for (size_t p = 0; p < problem->n; p++) {
        gsl_vector_set(y, p, problem->points[p].time_s);
        gsl_vector_set(w, p, weight(&problem->points[p]));
        gsl_matrix_set(x, p, problem->size[p], 1);
    }
    for (int i = 0; i < TERMS; i++) {
        to[i] = 0;
        for (size_t p = 0; choice >> i & 1 && p < problem->n; p++)
            gsl_matrix_set(x, p, column, term(&problem->points[p], i) / problem->scale[i]);
        column += choice >> i & 1;
    }
    if (gsl_multifit_wlinear(x, w, y, c, covariance, &left, work) != 0)
        left = INFINITY;
    column = problem->n_sizes;
    for (int i = 0; i < TERMS; i++)
        if (choice >> i & 1) {
            to[i] = gsl_vector_get(c, column++) / problem->scale[i];
            left = to[i] >= 0 ? left : INFINITY;
        }
    gsl_multifit_linear_free(work);
    gsl_matrix_free(covariance);
    gsl_vector_free(c);
    gsl_vector_free(w);
    gsl_vector_free(y);
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
static size_t find_sizes(const struct history_fit_point *points, size_t n, size_t *size)
{
    size_t n_sizes = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (points[k].items != points[i].items)
            k++;
        size[i] = k < i ? size[k] : n_sizes++;
    }
    return n_sizes;
}

// By how much the points are missed: each size's bare time is the best for it.
static void find_residual(const struct problem *problem, struct history_fit *to)
{
    double squares = 0;
    for (size_t size = 0; size < problem->n_sizes; size++) {
        double sum = 0, weights = 0;
        for (size_t p = 0; p < problem->n; p++) {
            const struct history_fit_point *point = &problem->points[p];
            double w = problem->size[p] == size ? weight(point) : 0;
            sum += w * (point->time_s - history_fit_part_s(to, point->items, point->history_items));
            weights += w;
        }
        for (size_t p = 0; p < problem->n; p++) {
            const struct history_fit_point *point = &problem->points[p];
            double fitted_s =
                sum / weights + history_fit_part_s(to, point->items, point->history_items);
            double miss = problem->size[p] == size ? fitted_s / point->time_s - 1 : 0;
            squares += miss * miss;
            to->worst_frac = fmax(to->worst_frac, fabs(miss));
        }
    }
    to->residual_frac = sqrt(squares / (double)problem->n);
}

struct history_fit history_fit(const struct history_fit_point *points, size_t n)
{
    struct history_fit to = {.n_points = n};
    size_t *size = mem_calloc(n, sizeof *size), n_lengths = count_lengths(points, n);
    struct problem problem = {points, n, find_sizes(points, n, size), size, {1, 1, 1}};
    int allowed = n_lengths < 2 ? 0 : ITEM;
    allowed |= n_lengths < 3 ? 0 : SQUARE;
    allowed |= n_lengths < 2 || problem.n_sizes < 2 ? 0 : PAIR;
    double best = INFINITY, found[TERMS];
    for (size_t p = 0; p < n; p++)
        for (int i = 0; i < TERMS; i++)
            problem.scale[i] = fmax(problem.scale[i], term(&points[p], i));
    for (int choice = 0; choice < 1 << TERMS; choice++) {
        double left = (choice & ~allowed) == 0 ? fit_choice(&problem, choice, found) : INFINITY;
        if (!(left < best))
            continue;
        best = left;
        to.of = (struct cost_history){found[0], found[1], found[2]};
    }
    find_residual(&problem, &to);
    mem_free(size);
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
