// SPDX-License-Identifier: Apache-2.0
#include "results/fidelity.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Rows are in the order in which they come, and names are copies.
START_TEST(rows_in_order)
{
    struct fidelity fidelity = {.n = 0};
    struct fidelity_row row = {.number[FIDELITY_P95] = {0.25, ci_none()}};
    char name[] = "measured";
    fidelity_add(&fidelity, name, &row);
    name[0] = 'x';
    row.number[FIDELITY_P95].value = 0.5;
    fidelity_add(&fidelity, "simulated", &row);
    ck_assert_uint_eq(fidelity.n, 2);
    ck_assert_str_eq(fidelity.names[0], "measured");
    ck_assert_str_eq(fidelity.names[1], "simulated");
    ck_assert_double_eq(fidelity.rows[0].number[FIDELITY_P95].value, 0.25);
    ck_assert_double_eq(fidelity.rows[1].number[FIDELITY_P95].value, 0.5);
    fidelity_release(&fidelity);
    ck_assert_uint_eq(fidelity.n, 0);
}
END_TEST

// Every number has a value and an error in the file, under its own name.
START_TEST(all_numbers_have_fields)
{
    size_t n = 0;
    for (const struct data_field *f = fidelity_fields; f->name; f++, n++) {
        const char *number = fidelity_numbers[n / 2];
        ck_assert_int_eq(strncmp(f->name, number, strlen(number)), 0);
        ck_assert_ptr_nonnull(strstr(f->name, n % 2 == 0 ? number : "_error_frac"));
    }
    ck_assert_uint_eq(n, 2 * N_FIDELITY_NUMBERS);
    ck_assert_ptr_null(fidelity_numbers[N_FIDELITY_NUMBERS]);
}
END_TEST

START_TEST(nothing_to_release)
{
    struct fidelity fidelity = {.n = 0};
    fidelity_release(&fidelity);
    fidelity_release(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", rows_in_order}, {"core", all_numbers_have_fields}, {"limits", nothing_to_release}};
    return suite_run("fidelity", tests, sizeof tests / sizeof *tests);
}
