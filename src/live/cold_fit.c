// SPDX-License-Identifier: Apache-2.0
#include "live/cold_fit.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>
#include <math.h>

#include "base/mem.h"

#define GRID 16
#define STEPS 400
#define LEAST_FACTOR 1.02
#define LEAST_EXPLAINED 0.5
#define LEAST_ERROR 0.005 // all together are trusted no further
#define BEYOND 5.0        // times as long as the longest, or as short as the shortest, look alike

struct problem {
    const struct cold_fit_point *points;
    size_t n;
    double low[2], high[2]; // of the logarithms of cooling and warming
    double gain;            // factor - 1 of the last evaluation
    double mean_error2;     // of the points' squared errors
};

static double shape(const struct cold_fit_point *point, double cooling_s, double warming_s)
{
    double u = exp(-point->idle_s / cooling_s), q = exp(-point->cycle_work_s / warming_s);
    return (1 - u) / (1 - u * q) * exp(-point->work_s / warming_s);
}

// Errors come from a few visits each, and by luck some are far too small: half of a point's is that
// of all.
static double weight(const struct problem *problem, const struct cold_fit_point *point)
{
    return 2 / (point->error * point->error + problem->mean_error2);
}

// Weighted squares that the best factor leaves.
static double squares_at(struct problem *problem, double cooling_s, double warming_s)
{
    double xy = 0, xx = 0, left = 0;
    for (size_t i = 0; i < problem->n; i++) {
        const struct cold_fit_point *point = &problem->points[i];
        double x = shape(point, cooling_s, warming_s), w = weight(problem, point);
        xy += w * x * (point->ratio - 1);
        xx += w * x * x;
    }
    problem->gain = xx > 0 ? fmax(xy / xx, 0) : 0;
    for (size_t i = 0; i < problem->n; i++) {
        const struct cold_fit_point *point = &problem->points[i];
        double miss = point->ratio - 1 - problem->gain * shape(point, cooling_s, warming_s);
        left += weight(problem, point) * miss * miss;
    }
    return left;
}

// Outside of its range a time counts as the end of it, and costs more the further out.
static double squares(const gsl_vector *logs, void *user)
{
    struct problem *problem = user;
    double at[2], out = 0;
    for (size_t i = 0; i < 2; i++) {
        double x = gsl_vector_get(logs, i);
        at[i] = fmin(fmax(x, problem->low[i]), problem->high[i]);
        out += fabs(x - at[i]);
    }
    return squares_at(problem, exp(at[0]), exp(at[1])) * (1 + out);
}

static void search_grid(struct problem *problem, gsl_vector *best)
{
    double least = INFINITY, at[2];
    for (int i = 0; i <= GRID; i++)
        for (int k = 0; k <= GRID; k++) {
            at[0] = problem->low[0] + (problem->high[0] - problem->low[0]) * i / GRID;
            at[1] = problem->low[1] + (problem->high[1] - problem->low[1]) * k / GRID;
            double left = squares_at(problem, exp(at[0]), exp(at[1]));
            if (left < least) {
                least = left;
                gsl_vector_set(best, 0, at[0]);
                gsl_vector_set(best, 1, at[1]);
            }
        }
}

static void search_simplex(struct problem *problem, gsl_vector *best)
{
    gsl_multimin_function function = {squares, 2, problem};
    gsl_vector *step = gsl_vector_alloc(2);
    gsl_multimin_fminimizer *simplex =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, 2);
    gsl_vector_set_all(step, 0.3);
    gsl_multimin_fminimizer_set(simplex, &function, best, step);
    for (int i = 0; i < STEPS; i++)
        if (gsl_multimin_fminimizer_iterate(simplex) != 0 ||
            gsl_multimin_test_size(gsl_multimin_fminimizer_size(simplex), 1e-5) == GSL_SUCCESS)
            break;
    for (size_t i = 0; i < 2; i++) {
        double x = gsl_vector_get(gsl_multimin_fminimizer_x(simplex), i);
        gsl_vector_set(best, i, fmin(fmax(x, problem->low[i]), problem->high[i]));
    }
    gsl_multimin_fminimizer_free(simplex);
    gsl_vector_free(step);
}

// Within what the points can tell.
static void set_ranges(struct problem *problem)
{
    double rest[2] = {INFINITY, 0}, work[2] = {INFINITY, 0}, error2 = 0;
    for (size_t i = 0; i < problem->n; i++) {
        const struct cold_fit_point *point = &problem->points[i];
        error2 += point->error * point->error / (double)problem->n;
        rest[0] = fmin(rest[0], point->idle_s);
        rest[1] = fmax(rest[1], point->idle_s);
        work[1] = fmax(work[1], point->cycle_work_s);
        if (point->work_s > 0)
            work[0] = fmin(work[0], point->work_s);
    }
    work[0] = fmin(work[0], work[1]);
    problem->mean_error2 = fmax(error2, LEAST_ERROR * LEAST_ERROR);
    problem->low[0] = log(rest[0] / BEYOND);
    problem->high[0] = log(rest[1] * BEYOND);
    problem->low[1] = log(work[0] / BEYOND);
    problem->high[1] = log(work[1] * BEYOND);
}

static void judge(struct cold_fit *fit, const struct problem *problem)
{
    const double edge = 0.98;
    if (fit->factor < LEAST_FACTOR)
        fit->why = "cold cores take less than 2 % longer";
    else if (fit->explained_frac < LEAST_EXPLAINED)
        fit->why = "what was measured does not look like a cold core";
    else if (fit->cooling_s > edge * exp(problem->high[0]))
        fit->why = "the longest rest is too short to tell how long cooling takes";
    else if (fit->warming_s > edge * exp(problem->high[1]))
        fit->why = "too few requests follow a rest to tell how long warming takes";
    else {
        fit->found = true;
        fit->why = NULL;
    }
}

double cold_fit_ratio(const struct cold_fit *fit, const struct cold_fit_point *point)
{
    return 1 + (fit->factor - 1) * shape(point, fit->cooling_s, fit->warming_s);
}

static struct cold_fit fit_known(const struct cold_fit_point *points, size_t n)
{
    struct cold_fit fit = {.factor = 1, .why = "too few points"};
    struct problem problem = {.points = points, .n = n};
    double all = 0, missed = 0, plain = 0;
    if (n < 3)
        return fit;
    gsl_set_error_handler_off();
    gsl_vector *best = gsl_vector_alloc(2);
    set_ranges(&problem);
    search_grid(&problem, best);
    search_simplex(&problem, best);
    fit.cooling_s = exp(gsl_vector_get(best, 0));
    fit.warming_s = exp(gsl_vector_get(best, 1));
    double left = squares_at(&problem, fit.cooling_s, fit.warming_s);
    gsl_vector_free(best);
    fit.factor = 1 + problem.gain;
    for (size_t i = 0; i < n; i++) {
        double miss = points[i].ratio - cold_fit_ratio(&fit, &points[i]);
        missed += miss * miss;
        plain += (points[i].ratio - 1) * (points[i].ratio - 1);
        all += weight(&problem, &points[i]) * (points[i].ratio - 1) * (points[i].ratio - 1);
    }
    fit.residual_frac = sqrt(missed / (double)n);
    // Neither the points that are known best nor all alike may say that it is something else.
    fit.explained_frac = all > 0 ? fmin(1 - left / all, 1 - missed / plain) : 0;
    judge(&fit, &problem);
    return fit;
}

struct cold_fit cold_fit(const struct cold_fit_point *points, size_t n)
{
    struct cold_fit_point *known = mem_calloc(n > 0 ? n : 1, sizeof *known);
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(points[i].ratio))
            known[n_known++] = points[i];
    struct cold_fit fit = fit_known(known, n_known);
    mem_free(known);
    return fit;
}
