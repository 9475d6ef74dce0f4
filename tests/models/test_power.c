// SPDX-License-Identifier: Apache-2.0
#include "models/power.h"

#include <math.h>
#include <stdlib.h>

#include "support/suite.h"

static const struct power_curve linear = {.idle_w = 100, .busy_w = 250, .gamma = 1};

// Half-way between idle and busy when linear: halves and quarters are exact in binary.
START_TEST(linear_power_is_exact)
{
    ck_assert_double_eq(power_w(&linear, 0.5), 175);
    ck_assert_double_eq(power_w(&linear, 0.25), 137.5);
}
END_TEST

// gamma = 2 at half load takes a quarter of the range; pow(0.5, 2) is exact.
START_TEST(gamma_bends_the_curve)
{
    struct power_curve curve = {.idle_w = 100, .busy_w = 200, .gamma = 2};
    ck_assert_double_eq(power_w(&curve, 0.5), 125);
}
END_TEST

// 20 of 40 core-seconds busy in one second: 175 J, exactly as everything is a small integer.
START_TEST(energy_is_power_times_interval)
{
    ck_assert_int_eq(power_energy_uj(&linear, INT64_C(20000000000), 40, 1000000000), 175000000);
}
END_TEST

// Linear energy does not depend on how the time is cut: one bin of 3 s or three of 1 s. Each is
// rounded to a microjoule, so the sums may differ by one and a half at most.
START_TEST(linear_energy_does_not_depend_on_the_bins)
{
    int64_t whole = power_energy_uj(&linear, 1234567890, 7, 3000000000);
    int64_t parts = power_energy_uj(&linear, 1000000000, 7, 1000000000) +
                    power_energy_uj(&linear, 234567890, 7, 1000000000) +
                    power_energy_uj(&linear, 0, 7, 1000000000);
    ck_assert_int_le(llabs(whole - parts), 2);
}
END_TEST

// Ends of the range, and utilisations outside it, which rounding of busy times can give.
START_TEST(utilisation_is_clamped)
{
    ck_assert_double_eq(power_w(&linear, 0), 100);
    ck_assert_double_eq(power_w(&linear, 1), 250);
    ck_assert_double_eq(power_w(&linear, -0.1), 100);
    ck_assert_double_eq(power_w(&linear, 1.1), 250);
    ck_assert_double_eq(power_w(&linear, NAN), 100);
}
END_TEST

// No time, no energy; no units, idle only.
START_TEST(empty_intervals_and_components)
{
    ck_assert_int_eq(power_energy_uj(&linear, 0, 40, 0), 0);
    ck_assert_int_eq(power_energy_uj(&linear, 0, 0, 1000000000), 100000000);
}
END_TEST

// A day of a kilowatt server is 8.64e13 microjoules: far from the end of the integers.
START_TEST(a_long_interval_fits)
{
    struct power_curve curve = {.idle_w = 1000, .busy_w = 1000, .gamma = 1};
    ck_assert_int_eq(power_energy_uj(&curve, 0, 1, INT64_C(86400000000000)),
                     INT64_C(86400000000000));
}
END_TEST

// Each rule names the key that breaks it.
START_TEST(wrong_curves_are_refused)
{
    struct err err;
    struct power_curve falling = {.idle_w = 100, .busy_w = 50, .gamma = 1};
    ck_assert_int_eq(power_check(&falling, &err), -1);
    ck_assert_str_eq(err.text, "busy_power: expected at least idle_power (100 W), got 50 W");
    struct power_curve flat = {.idle_w = 0, .busy_w = 50, .gamma = 0};
    ck_assert_int_eq(power_check(&flat, &err), -1);
    ck_assert_str_eq(err.text, "power_gamma: expected a number above 0, got 0");
    ck_assert_int_eq(power_check(&linear, &err), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", linear_power_is_exact},
        {"core", gamma_bends_the_curve},
        {"core", energy_is_power_times_interval},
        {"core", linear_energy_does_not_depend_on_the_bins},
        {"limits", utilisation_is_clamped},
        {"limits", empty_intervals_and_components},
        {"limits", a_long_interval_fits},
        {"errors", wrong_curves_are_refused},
    };
    return suite_run("power", tests, sizeof tests / sizeof *tests);
}
