// SPDX-License-Identifier: Apache-2.0
#include "live/history_fit.h"

#include <math.h>

#include "support/suite.h"

enum { SIZES = 3, LENGTHS = 4, POINTS = SIZES * LENGTHS };
static const uint32_t sizes[SIZES] = {1, 64, 512}, lengths[LENGTHS] = {100, 400, 900, 2000};

// Of a cost that is known, each time off by as much in one direction or the other.
static void make_points(struct history_fit_point *points, struct cost_history of, double off)
{
    for (uint32_t i = 0; i < POINTS; i++) {
        double n = sizes[i % SIZES], h = lengths[i / SIZES], sign = i % 2 == 0 ? 1 : -1;
        double time_s = 1e-4 + 3e-6 * n + h * (of.item_s + of.square_s * h + of.item_history_s * n);
        points[i] =
            (struct history_fit_point){(uint32_t)n, (uint32_t)h, time_s * (1 + sign * off), off};
    }
}

static void expect(struct cost_history of, struct cost_history expected, double tolerance)
{
    ck_assert_double_eq_tol(of.item_s, expected.item_s, tolerance * expected.item_s + 1e-15);
    ck_assert_double_eq_tol(of.square_s, expected.square_s, tolerance * expected.square_s + 1e-15);
    ck_assert_double_eq_tol(of.item_history_s, expected.item_history_s,
                            tolerance * expected.item_history_s + 1e-15);
}

// A cost of the form is found again, whatever of it is 0, and misses nothing.
START_TEST(finds_the_cost)
{
    static const struct cost_history costs[] = {
        {2e-6, 1e-9, 4e-9}, {2e-6, 0, 0}, {0, 1e-9, 0}, {0, 0, 4e-9}, {0, 0, 0}};
    struct history_fit_point points[POINTS];
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        make_points(points, costs[i], 0);
        struct history_fit fit = history_fit(points, POINTS);
        expect(fit.of, costs[i], 1e-6);
        ck_assert_double_lt(fit.worst_frac, 1e-6);
        ck_assert_uint_eq(fit.n_points, POINTS);
    }
}
END_TEST

// Times that are off by 2 % leave about as much, and a cost that is off by little more.
START_TEST(tells_what_is_left)
{
    struct cost_history cost = {2e-6, 1e-9, 4e-9};
    struct history_fit_point points[POINTS];
    make_points(points, cost, 0.02);
    struct history_fit fit = history_fit(points, POINTS);
    expect(fit.of, cost, 0.2);
    ck_assert_double_gt(fit.residual_frac, 0.005);
    ck_assert_double_lt(fit.residual_frac, 0.025);
    ck_assert_double_ge(fit.worst_frac, fit.residual_frac);
}
END_TEST

// Times without a history are far shorter, and are found as well as the others; off by half, they
// move what a long history adds by less than a tenth.
START_TEST(takes_times_without_any)
{
    struct cost_history cost = {2e-6, 1e-9, 4e-9};
    struct history_fit_point points[POINTS + SIZES];
    make_points(points, cost, 0);
    for (uint32_t i = 0; i < SIZES; i++)
        points[POINTS + i] = (struct history_fit_point){sizes[i], 0, 1e-4 + 3e-6 * sizes[i], 0};
    struct history_fit fit = history_fit(points, POINTS + SIZES);
    expect(fit.of, cost, 1e-6);
    for (uint32_t i = 0; i < SIZES; i++)
        points[POINTS + i].time_s /= 2;
    fit = history_fit(points, POINTS + SIZES);
    for (uint32_t h = 800; h <= 2000; h += 400)
        ck_assert_double_eq_tol(
            history_fit_part_s(&fit, 64, h) /
                (h * (cost.item_s + cost.square_s * h + 64 * cost.item_history_s)),
            1, 0.1);
    ck_assert_double_gt(fit.residual_frac, 0.01); // which is told
}
END_TEST

// A time that is off and says that it is hardly counts, and one that says that it is not counts no
// more than others.
START_TEST(weighs_by_errors)
{
    struct cost_history cost = {2e-6, 1e-9, 0};
    struct history_fit_point points[POINTS];
    for (int sure = 0; sure < 2; sure++) {
        make_points(points, cost, 0);
        for (uint32_t i = 0; i < POINTS; i++)
            points[i].error = 0.02;
        points[POINTS - 1].time_s *= 1.5;
        points[POINTS - 1].error = sure ? 0 : 0.5;
        struct history_fit fit = history_fit(points, POINTS);
        double off = history_fit_part_s(&fit, 512, 2000) / (2000 * (2e-6 + 2000 * 1e-9)) - 1;
        ck_assert_double_gt(off, sure ? 0.1 : 0);
        ck_assert_double_lt(off, sure ? 0.45 : 0.1);
        ck_assert_double_gt(fit.worst_frac, 0.1);
    }
}
END_TEST

// From one length to another by the fit; never to nothing.
START_TEST(goes_from_one_length_to_another)
{
    struct history_fit fit = {.of = {2, 0.5, 0.25}};
    ck_assert_double_eq(history_fit_part_s(&fit, 8, 4), 4 * (2 + 2 + 2));
    ck_assert_double_eq(history_fit_s(&fit, 100, 4, 8, 4), 100);
    ck_assert_double_eq(history_fit_s(&fit, 100, 4, 8, 6), 100 - 24 + 6 * (2 + 3 + 2));
    ck_assert_double_eq(history_fit_s(&fit, 10, 4, 8, 0), 0.1);
}
END_TEST

// Two lengths tell no square, one size no product, one length nothing.
START_TEST(leaves_out_what_it_cannot_tell)
{
    struct history_fit_point points[POINTS];
    make_points(points, (struct cost_history){2e-6, 1e-9, 4e-9}, 0);
    struct history_fit fit = history_fit(points, 2 * SIZES);
    ck_assert_double_eq(fit.of.square_s, 0);
    ck_assert_double_gt(fit.of.item_s, 0);
    fit = history_fit(points, SIZES);
    ck_assert_double_eq(fit.of.item_s + fit.of.square_s + fit.of.item_history_s, 0);
    ck_assert_double_lt(fit.worst_frac, 1e-12);
    struct history_fit_point one_size[LENGTHS];
    for (size_t i = 0; i < LENGTHS; i++)
        one_size[i] = points[i * SIZES];
    fit = history_fit(one_size, LENGTHS);
    ck_assert_double_eq(fit.of.item_history_s, 0);
    ck_assert_double_eq_tol(fit.of.item_s, 2e-6 + 4e-9, 1e-12);
    ck_assert_double_eq_tol(fit.of.square_s, 1e-9, 1e-15);
}
END_TEST

// Times that fall with the length are no cost below 0.
START_TEST(no_cost_is_negative)
{
    struct history_fit_point points[POINTS];
    make_points(points, (struct cost_history){0, 0, 0}, 0);
    for (size_t i = 0; i < POINTS; i++)
        points[i].time_s *= 1 - 1e-4 * points[i].history_items;
    struct history_fit fit = history_fit(points, POINTS);
    expect(fit.of, (struct cost_history){0, 0, 0}, 0);
    ck_assert_double_gt(fit.residual_frac, 0.05);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", finds_the_cost},
        {"core", tells_what_is_left},
        {"core", takes_times_without_any},
        {"core", weighs_by_errors},
        {"core", goes_from_one_length_to_another},
        {"limits", leaves_out_what_it_cannot_tell},
        {"limits", no_cost_is_negative},
    };
    return suite_run("history_fit", tests, sizeof tests / sizeof *tests);
}
