// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memroom.h"
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

static char *formatted(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = mem_vprintf(fmt, args);
    va_end(args);
    return text;
}

// Texts are copied and made, of any length.
START_TEST(texts)
{
    char *copy = mem_strdup("cell"), *made = mem_printf("%s[%d]", copy, 3);
    ck_assert_str_eq(made, "cell[3]");
    ck_assert_ptr_null(mem_strdup(NULL));
    char *long_one = formatted("%s%*d", copy, 5000, 7);
    ck_assert_uint_eq(strlen(long_one), 5004);
    ck_assert_ptr_eq(strchr(long_one, '7'), long_one + 5003);
    mem_free(long_one);
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

enum { LIMIT_MB = 256, PIECE = 1 << 20 };

// With a limit of addresses, takes pieces with a reserve held until memory is short. How many.
static size_t take_until_short(void)
{
    struct rlimit limit;
    size_t n = 0;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = (rlim_t)1 << 46;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur -= (rlim_t)memroom_address_bytes(); // what is in use
    limit.rlim_cur += LIMIT_MB * (rlim_t)PIECE;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    mem_hold_reserve();
    ck_assert(!mem_is_short());
    for (; !mem_is_short() && n < LIMIT_MB; n++)
        mem_alloc(PIECE);
    return n;
}

// Where a reserve is held an allocation that fails takes it, says so, and leaves room to end.
START_TEST(reserve)
{
    size_t n = take_until_short();
    ck_assert_uint_gt(n, LIMIT_MB / 2);
    ck_assert_uint_le(n, LIMIT_MB - LIMIT_MB / 16 + 2);
    for (int i = 0; i < LIMIT_MB / 16 - 4; i++) // as much as was held back, but for its rounding
        mem_alloc(PIECE);
    mem_release_reserve();
    ck_assert(mem_is_short());
}
END_TEST

// What was not used may be taken once it is released.
START_TEST(reserve_released)
{
    struct rlimit before, after;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    before.rlim_cur = (rlim_t)1 << 46;
    if (setrlimit(RLIMIT_AS, &before) != 0)
        return;
    mem_hold_reserve();
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &after), 0);
    ck_assert_uint_lt(after.rlim_cur, before.rlim_cur);
    mem_hold_reserve(); // of one that is held there is no reserve
    mem_release_reserve();
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &after), 0);
    ck_assert_uint_eq(after.rlim_cur, before.rlim_cur);
}
END_TEST

// What is more than the reserve ends the program, as without one.
START_TEST(more_than_the_reserve_ends_the_program)
{
    take_until_short();
    mem_alloc((size_t)LIMIT_MB * PIECE);
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
    tcase_add_test(limits, reserve_released);
#ifndef __SANITIZE_ADDRESS__ // which maps in another way, and ends in its own words
    tcase_add_test(limits, reserve);
    tcase_add_exit_test(errors, more_than_the_reserve_ends_the_program, 1);
#endif
    suite_add_tcase(suite, core);
    suite_add_tcase(suite, limits);
    suite_add_tcase(suite, errors);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
