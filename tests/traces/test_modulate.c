// SPDX-License-Identifier: Apache-2.0
#include "traces/modulate.h"

#include <math.h>
#include <string.h>

#include "base/simtime.h"
#include "support/suite.h"
#include "traces/ticks.h"

static double rates[] = {2, 0, 5}, holds_s[] = {0.3, 0.6, 0.1};

static struct arrival_config config_of(size_t n_rates, size_t n_holds)
{
    return (struct arrival_config){.state_rate_frac = {n_rates, rates},
                                   .state_hold_s = {n_holds, holds_s}};
}

static struct modulate started(const struct arrival_config *config, uint32_t cell,
                               struct modulate_place *place)
{
    const struct arrival_setup setup = {.config = config, .seed = 7, .cell = cell};
    struct modulate modulate;
    *place = (struct modulate_place){0};
    modulate_start(&modulate, place, &setup);
    return modulate;
}

// 0.3 x 2 + 0.6 x 0 + 0.1 x 5 = 1.1 in a second of visits: relative to that, the mean is 1.
START_TEST(mean_rate_is_one)
{
    struct arrival_config config = config_of(3, 3);
    struct modulate_place place;
    struct modulate m = started(&config, 0, &place);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq_tol(m.rate_frac[i], rates[i] / 1.1, 1e-12);
    modulate_stop(&m);
}
END_TEST

// Visits in turn, as long as asked on average: 4 standard errors of 10000 exponential times each.
START_TEST(visits_in_turn)
{
    enum { ROUNDS = 10000 };
    struct arrival_config config = config_of(3, 3);
    struct modulate_place place;
    struct modulate m = started(&config, 0, &place);
    double stayed_s[3] = {0};
    while (place.state != 0)
        modulate_leave(&m, &place);
    for (int i = 0; i < 3 * ROUNDS; i++) {
        int64_t from = place.leave_ticks;
        modulate_leave(&m, &place);
        ck_assert_uint_eq(place.state, (uint64_t)(i + 1) % 3);
        stayed_s[place.state] += (double)(place.leave_ticks - from) / TICKS_PER_S;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq_tol(stayed_s[i] / ROUNDS / holds_s[i], 1, 4 / sqrt(ROUNDS));
    modulate_stop(&m);
}
END_TEST

// The first state is drawn by the time that is spent in each; cells are apart.
START_TEST(first_states)
{
    enum { CELLS = 4000 };
    struct arrival_config config = config_of(3, 3);
    int n[3] = {0};
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        struct modulate_place place;
        struct modulate m = started(&config, cell, &place);
        n[place.state]++;
        modulate_stop(&m);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq_tol(n[i] / (double)CELLS, holds_s[i],
                                4 * sqrt(holds_s[i] * (1 - holds_s[i]) / CELLS));
}
END_TEST

// A place from a damaged file may name no state and no time.
START_TEST(places_that_fit)
{
    struct arrival_config config = config_of(3, 3);
    struct modulate_place place, bad;
    struct modulate m = started(&config, 0, &place);
    ck_assert(modulate_place_fits(&m, &place));
    bad = place;
    bad.state = 3;
    ck_assert(!modulate_place_fits(&m, &bad));
    bad = place;
    bad.leave_ticks = -1;
    ck_assert(!modulate_place_fits(&m, &bad));
    modulate_stop(&m);
}
END_TEST

// The error begins with the key.
START_TEST(bad_states)
{
    struct err err;
    struct arrival_config config = config_of(1, 1);
    ck_assert_int_eq(modulate_check(&config, &err), -1);
    ck_assert_ptr_eq(strstr(err.text, "states: expected at least 2"), err.text);
    config = config_of(3, 2);
    ck_assert_int_eq(modulate_check(&config, &err), -1);
    ck_assert_ptr_eq(strstr(err.text, "hold: expected 3 times"), err.text);
    config = config_of(3, 3);
    ck_assert_int_eq(modulate_check(&config, &err), 0);
    double zeros[] = {0, 0, 0}, short_s[] = {1, 1e-9, 1};
    config.state_hold_s.v = short_s;
    ck_assert_int_eq(modulate_check(&config, &err), -1);
    ck_assert_ptr_eq(strstr(err.text, "hold: expected times of 1us"), err.text);
    config = config_of(3, 3);
    config.state_rate_frac.v = zeros;
    ck_assert_int_eq(modulate_check(&config, &err), -1);
    ck_assert_ptr_eq(strstr(err.text, "states: expected a relative rate above 0"), err.text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", mean_rate_is_one},
                                       {"core", visits_in_turn},
                                       {"core", first_states},
                                       {"limits", places_that_fit},
                                       {"errors", bad_states}};
    return suite_run("modulate", tests, sizeof tests / sizeof *tests);
}
