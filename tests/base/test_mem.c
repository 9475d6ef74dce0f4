// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

#include "support/suite.h"

// Memory that says it is zeroed is, growing keeps what was there.
START_TEST(zeroed_and_grown)
{
    int *v = mem_calloc(4, sizeof *v);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(v[i], 0);
    v[3] = 7;
    v = mem_realloc(v, 1000, sizeof *v);
    ck_assert_int_eq(v[3], 7);
    mem_free(v);
}
END_TEST

// Aligned memory is aligned and zeroed up to a whole number of its lines.
START_TEST(aligned)
{
    unsigned char *p = mem_aligned(64, 100);
    ck_assert_uint_eq((uintptr_t)p % 64, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(p[i], 0);
    mem_free(p);
}
END_TEST

// Texts are copied and made.
START_TEST(texts)
{
    char *copy = mem_strdup("cell"), *made = mem_printf("%s[%d]", copy, 3);
    ck_assert_str_eq(made, "cell[3]");
    ck_assert_ptr_null(mem_strdup(NULL));
    mem_free(copy);
    mem_free(made);
}
END_TEST

// Nothing is something that may be freed.
START_TEST(zero_bytes)
{
    void *a = mem_alloc(0), *b = mem_calloc(0, 8), *c = mem_realloc(NULL, 0, 8);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_nonnull(c);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(NULL);
}
END_TEST

// A product that does not fit ends the program with status 1 instead of a small block.
START_TEST(overflow_ends_the_program)
{
    mem_calloc(SIZE_MAX / 2, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mem");
    TCase *core = tcase_create("core"), *limits = tcase_create("limits"),
          *errors = tcase_create("errors");
    tcase_add_test(core, zeroed_and_grown);
    tcase_add_test(core, aligned);
    tcase_add_test(core, texts);
    tcase_add_test(limits, zero_bytes);
    tcase_add_exit_test(errors, overflow_ends_the_program, 1);
    suite_add_tcase(suite, core);
    suite_add_tcase(suite, limits);
    suite_add_tcase(suite, errors);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
