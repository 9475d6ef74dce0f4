// SPDX-License-Identifier: Apache-2.0
// The bars of what is held out, over the catalogue as it is.
#include "calibrate/calib_holdout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#define DATA RF_SOURCE_DIR "/models/calibration"
#define PAGE RF_SOURCE_DIR "/docs/calibration.md"

// Computing times of a c5n that the fit has not seen: half of them within 12 %, all within 45 %.
// The section of the page says the same; its last digits may differ between compilers, as a fit's
// steps do, so only its first row is looked for.
START_TEST(unseen_models_are_predicted)
{
    struct err err = {0};
    struct calib *calib = calib_read(DATA, &err);
    char row[128], *page = calloc(1, 1 << 18);
    ck_assert_msg(calib_hold_out_models(&calib_fits[0], calib, &err) == 0, "%s", err.text);
    struct calib_error error = calib_error(calib, CALIB_COMPUTE, "c5n");
    ck_assert_uint_eq(error.n, 40);
    ck_assert_double_le(error.median, CALIB_HELD_MEDIAN);
    ck_assert_double_le(error.worst, CALIB_HELD_WORST);
    FILE *in = fopen(PAGE, "r");
    ck_assert_uint_gt(fread(page, 1, (1 << 18) - 1, in), 0);
    fclose(in);
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    ck_assert_int_eq(calib_evaluate(calib, &library, &err), 0);
    struct calib_error seen = calib_error(calib, CALIB_COMPUTE, "c5n");
    snprintf(row, sizeof row, "| c5n, computing | 40 | %.1f | %.1f | 12 | %.1f | %.1f | 45 |",
             100 * seen.median, 100 * error.median, 100 * seen.worst, 100 * error.worst);
    ck_assert_msg(strstr(page, row) != NULL, "run scripts/calibrate.sh: %s", row);
    library_release(&library);
    calib_destroy(calib);
    free(page);
}
END_TEST

// The Skylake's DIN is near its table on another machine, once one factor is out.
START_TEST(another_machine_is_near)
{
    struct library library = {0};
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct calib *calib = calib_hold_out_machine(&library, "skylake", &err);
    ck_assert_msg(calib != NULL, "%s", err.text);
    ck_assert_uint_eq(calib->n_points, 9 * 6);
    ck_assert_double_le(calib_spread_of(calib, "din-repo"), CALIB_DIN_SPREAD);
    calib_destroy(calib);
    ck_assert_ptr_null(calib_hold_out_machine(&library, "skylark", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "skylark"));
    library_release(&library);
}
END_TEST

// Ratios 1, 2, 8 and, of another model, 4: half lies below sqrt(2 * 4). One factor leaves the worst
// sqrt(8) off; the first model alone has its middle at 2 and 1..8 within sqrt(8).
START_TEST(factors_by_hand)
{
    struct calib calib = {0};
    const double ratios[] = {1, 2, 8, 4};
    for (int i = 0; i < 4; i++) {
        struct calib_point *point =
            calib_add(&calib, CALIB_COMPUTE, "c5n", i < 3 ? "one" : "two", 1);
        point->theirs = 3;
        point->ours = 3 * ratios[i];
    }
    struct calib_factor all = calib_factor_of(&calib, NULL), one = calib_factor_of(&calib, "one");
    ck_assert_uint_eq(all.n, 4);
    ck_assert_double_eq_tol(all.factor, sqrt(8), 1e-12);
    ck_assert_double_eq_tol(all.worst, sqrt(8), 1e-12);
    ck_assert_double_eq_tol(all.median, 2, 1e-12); // sqrt(2) twice, sqrt(8) twice
    ck_assert_double_eq_tol(one.factor, 2, 1e-12);
    ck_assert_double_eq_tol(one.worst, 4, 1e-12);
    ck_assert_double_eq_tol(calib_spread_of(&calib, "one"), sqrt(8), 1e-12);
    ck_assert_double_eq_tol(calib_spread_of(&calib, "two"), 1, 1e-12);
    ck_assert_uint_eq(calib_factor_of(&calib, "three").n, 0);
    free(calib.points);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", unseen_models_are_predicted},
        {"core", another_machine_is_near},
        {"limits", factors_by_hand},
    };
    return suite_run("calib_holdout", tests, sizeof tests / sizeof *tests);
}
