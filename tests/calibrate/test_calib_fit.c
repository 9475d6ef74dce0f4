// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_fit.h"

#include <math.h>
#include <string.h>

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
    ck_assert_msg(calib_fit_run(&calib_fits[0], calib, &library, NULL, &err) == 0, "%s", err.text);
    ck_assert_double_eq_tol(*value / before, 1, 0.05);
    calib_destroy(calib);
    library_release(&library);
}
END_TEST

// What is derived follows its rule: clock 2 to 3 GHz, vectors half as wide, memory kept, half of a
// row's time by clock. What a fit has of its own on the Skylake is left alone, and the Broadwell's
// follows it.
START_TEST(derived_values_follow)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    calib_derive(&calib_fits[0], &library);
    double peak = *calib_value(&library, "c5n", "fc_peak");
    ck_assert_double_eq_tol(*calib_value(&library, "skylake", "fc_peak") / peak, 2.0 / 3, 1e-12);
    ck_assert_double_eq_tol(*calib_value(&library, "broadwell", "fc_peak") / peak, 0.4, 1e-12);
    double rows = *calib_value(&library, "c5n", "gather_bandwidth");
    ck_assert_double_eq_tol(*calib_value(&library, "skylake", "gather_bandwidth") / rows,
                            1 / (0.5 + 0.5 * 1.5), 1e-12);
    ck_assert_double_eq(*calib_value(&library, "skylake", "stream_bandwidth"),
                        *calib_value(&library, "c5n", "stream_bandwidth"));
    *calib_value(&library, "skylake", "fc_half_items") = 12;
    calib_derive(&calib_fits[0], &library);
    ck_assert_double_eq(*calib_value(&library, "skylake", "fc_half_items"), 12);
    ck_assert_double_eq(*calib_value(&library, "broadwell", "fc_half_items"), 6);
    calib_derive(calib_fit_find("by-clock"), &library);
    ck_assert_double_eq(*calib_value(&library, "skylake", "fc_half_items"),
                        *calib_value(&library, "c5n", "fc_half_items"));
    library_release(&library);
}
END_TEST

// Fits have names of their own, the first one is the one taken, and a further key comes last.
START_TEST(fits_have_names)
{
    ck_assert_ptr_eq(calib_fit_find(calib_fits[0].name), &calib_fits[0]);
    ck_assert_ptr_null(calib_fit_find("best"));
    size_t n = 0;
    while (calib_fit_key(&calib_fits[0], n))
        n++;
    ck_assert_uint_eq(n, 33);
    ck_assert_str_eq(calib_fit_key(&calib_fits[0], n - 1)->hardware, "skylake");
    ck_assert_ptr_null(calib_fit_key(calib_fit_find("by-clock"), n - 1));
    for (const struct calib_fit *fit = calib_fits; fit->name; fit++) {
        ck_assert_ptr_eq(calib_fit_find(fit->name), fit);
        ck_assert_ptr_null(strchr(fit->words, ',')); // a cell of a CSV file
    }
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
        {"core", fits_have_names},
        {"errors", unknown_keys_have_no_value},
    };
    return suite_run("calib_fit", tests, sizeof tests / sizeof *tests);
}
