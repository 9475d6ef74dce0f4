// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#define DATA RF_SOURCE_DIR "/models/calibration"
#define PAGE RF_SOURCE_DIR "/docs/calibration.md"

// The page in the tree begins with what the catalogue and the data give today; what is held out
// follows it.
START_TEST(the_page_is_current)
{
    struct library library = {0};
    struct err err = {0};
    char *ours = NULL, *page = calloc(1, 1 << 18);
    size_t size;
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct calib *calib = calib_read(DATA, &err);
    ck_assert_int_eq(calib_evaluate(calib, &library, &err), 0);
    FILE *out = open_memstream(&ours, &size);
    ck_assert_msg(calib_report(out, calib, &library, DATA, &err) == 0, "%s", err.text);
    fclose(out);
    FILE *in = fopen(PAGE, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_lt(fread(page, 1, (1 << 18) - 1, in), (1 << 18) - 1);
    fclose(in);
    ck_assert_msg(strncmp(ours, page, size) == 0, "run scripts/calibrate.sh");
    ck_assert_ptr_eq(strstr(page, "## Held out\n"), page + size);
    free(ours);
    free(page);
    calib_destroy(calib);
    library_release(&library);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", the_page_is_current}};
    return suite_run("calib_report", tests, sizeof tests / sizeof *tests);
}
