// SPDX-License-Identifier: Apache-2.0
#include "live/cold_fit.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/suite.h"

#define N_RESTS 4
#define N_AFTER 8
#define N (N_RESTS * N_AFTER)
#define REQUEST_S 1e-3

static const double rests_s[N_RESTS] = {0.5e-3, 2e-3, 8e-3, 32e-3};

// The equations of models/cost.h, request by request, until a cycle repeats itself.
static double simulated(double idle_s, int place, double factor, double cooling_s, double warming_s)
{
    double cold = 1, ratio = 0;
    for (int cycle = 0; cycle < 200; cycle++) {
        cold = 1 - (1 - cold) * exp(-idle_s / cooling_s);
        for (int i = 0; i < N_AFTER; i++) {
            if (i == place)
                ratio = 1 + (factor - 1) * cold;
            cold *= exp(-REQUEST_S / warming_s);
        }
    }
    return ratio;
}

// Points as a measurement gives them, each off by up to `off`.
static void make(struct cold_fit_point *points, double factor, double cooling_s, double warming_s,
                 double off)
{
    const struct rng_stream stream = rng_stream(1, RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        double idle_s = rests_s[i / N_AFTER];
        uint64_t words[2];
        rng_block(&stream, (uint64_t)i, words);
        points[i] = (struct cold_fit_point){
            .idle_s = idle_s,
            .work_s = REQUEST_S * (i % N_AFTER),
            .cycle_work_s = REQUEST_S * N_AFTER,
            .ratio = simulated(idle_s, i % N_AFTER, factor, cooling_s, warming_s) +
                     off * (2 * rng_u01(words[0]) - 1),
            .error = 0.01,
        };
    }
}

// What the model itself says is found again, of both times and the factor.
START_TEST(finds_the_model)
{
    const double cases[][3] = {{1.83, 9.6e-3, 1.3e-3}, {1.2, 2e-3, 4e-3}, {3, 20e-3, 0.7e-3}};
    struct cold_fit_point points[N];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(points, cases[i][0], cases[i][1], cases[i][2], 0);
        struct cold_fit fit = cold_fit(points, N);
        ck_assert(fit.found);
        ck_assert_ptr_null(fit.why);
        ck_assert_double_eq_tol(fit.factor, cases[i][0], 1e-3);
        ck_assert_double_eq_tol(fit.cooling_s / cases[i][1], 1, 1e-3);
        ck_assert_double_eq_tol(fit.warming_s / cases[i][2], 1, 1e-3);
        ck_assert_double_lt(fit.residual_frac, 1e-4);
        ck_assert_double_gt(fit.explained_frac, 0.9999);
        ck_assert_double_eq_tol(cold_fit_ratio(&fit, &points[3]), points[3].ratio, 1e-3);
        // One that is not known changes nothing.
        points[2].ratio = (double)NAN;
        fit = cold_fit(points, N);
        ck_assert(fit.found);
        ck_assert_double_eq_tol(fit.factor, cases[i][0], 1e-3);
    }
}
END_TEST

// With points that are off by up to 2 % it comes near, and says by how much it misses.
START_TEST(copes_with_noise)
{
    struct cold_fit_point points[N];
    make(points, 1.83, 9.6e-3, 1.3e-3, 0.02);
    struct cold_fit fit = cold_fit(points, N);
    ck_assert(fit.found);
    ck_assert_double_eq_tol(fit.factor, 1.83, 0.1);
    ck_assert_double_eq_tol(fit.cooling_s / 9.6e-3, 1, 0.2);
    ck_assert_double_eq_tol(fit.warming_s / 1.3e-3, 1, 0.2);
    ck_assert(fit.residual_frac > 0.005 && fit.residual_frac < 0.02);
}
END_TEST

// A core that is cold at once and warm after one request is one, too.
START_TEST(short_times_are_no_harm)
{
    struct cold_fit_point points[N];
    make(points, 1.5, 1e-5, 1e-5, 0);
    struct cold_fit fit = cold_fit(points, N);
    ck_assert(fit.found);
    ck_assert_double_eq_tol(fit.factor, 1.5, 0.02);
    ck_assert_double_lt(fit.residual_frac, 0.01);
}
END_TEST

static void none(const struct cold_fit *fit, const char *why)
{
    ck_assert(!fit->found);
    ck_assert_msg(strstr(fit->why, why) != NULL, "%s", fit->why);
}

// Where there is nothing, or nothing that a cold core explains, there is none.
START_TEST(says_none)
{
    struct cold_fit_point points[N];
    struct cold_fit fit;
    make(points, 1, 1e-3, 1e-3, 0.005);
    fit = cold_fit(points, N);
    none(&fit, "less than 2 %");
    make(points, 1, 1e-3, 1e-3, 0.2);
    fit = cold_fit(points, N);
    ck_assert(!fit.found);
    make(points, 2, 5, 1e-3, 0); // cools over seconds
    fit = cold_fit(points, N);
    none(&fit, "longest rest");
    for (int i = 0; i < N; i++) // faster after a rest
        points[i].ratio = i % N_AFTER == 0 ? 0.7 : 1;
    fit = cold_fit(points, N);
    none(&fit, "less than 2 %");
}
END_TEST

// One point that is known well by luck does not make a cold core of others that are all over.
START_TEST(luck_is_no_proof)
{
    struct cold_fit_point points[N];
    make(points, 1, 1e-3, 1e-3, 0.2);
    for (int i = 0; i < N; i++)
        points[i].error = 0.15;
    points[N_AFTER * 3].ratio = 1.06;
    points[N_AFTER * 3].error = 1e-5;
    struct cold_fit fit = cold_fit(points, N);
    ck_assert(!fit.found);
}
END_TEST

// Two points are too few.
START_TEST(too_few_points)
{
    struct cold_fit_point points[N];
    make(points, 1.83, 9.6e-3, 1.3e-3, 0);
    struct cold_fit fit = cold_fit(points, 2);
    none(&fit, "too few points");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", finds_the_model},           {"core", copes_with_noise},
        {"limits", short_times_are_no_harm}, {"limits", says_none},
        {"limits", luck_is_no_proof},        {"errors", too_few_points},
    };
    return suite_run("cold_fit", tests, sizeof tests / sizeof *tests);
}
