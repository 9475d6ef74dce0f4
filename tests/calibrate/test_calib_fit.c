// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_fit.h"

#include <math.h>

#include "support/suite.h"

#define DATA RF_SOURCE_DIR "/models/calibration"

// Half of c5n's gather bandwidth is found again: 40 points of RMC2 know it. The catalogue's values
// are a minimum, so the fit ends where it stands, within what rounding to three digits leaves.
START_TEST(a_lost_value_is_found)
{
    struct library library = {0};
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct calib *calib = calib_read(DATA, &err);
    double *value = calib_value(&library, "c5n", "gather_bandwidth"), before = *value;
    *value = before / 2;
    ck_assert_msg(calib_fit(&calib_stages[0], calib, &library, &err) == 0, "%s", err.text);
    ck_assert_double_eq_tol(*value / before, 1, 0.05);
    calib_destroy(calib);
    library_release(&library);
}
END_TEST

// What is derived follows its rule: clock 2 to 3 GHz, vectors half as wide, memory kept.
START_TEST(derived_values_follow)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    calib_derive(&library);
    double peak = *calib_value(&library, "c5n", "fc_peak");
    ck_assert_double_eq_tol(*calib_value(&library, "skylake", "fc_peak") / peak, 2.0 / 3, 1e-12);
    ck_assert_double_eq_tol(*calib_value(&library, "broadwell", "fc_peak") / peak, 0.4, 1e-12);
    ck_assert_double_eq(*calib_value(&library, "skylake", "gather_bandwidth"),
                        *calib_value(&library, "c5n", "gather_bandwidth"));
    library_release(&library);
}
END_TEST

// A key that is no number, or that nobody has, has no value.
START_TEST(unknown_keys_have_no_value)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    ck_assert_ptr_null(calib_value(&library, "c5n", "title"));
    ck_assert_ptr_null(calib_value(&library, "c5n", "fc_peek"));
    ck_assert_ptr_null(calib_value(&library, "c6n", "fc_peak"));
    library_release(&library);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_lost_value_is_found},
        {"core", derived_values_follow},
        {"errors", unknown_keys_have_no_value},
    };
    return suite_run("calib_fit", tests, sizeof tests / sizeof *tests);
}
