// SPDX-License-Identifier: Apache-2.0
#include "live/core_share.h"

#include "support/suite.h"

// Claims on the same cores get different ones, in turn; the one that comes last gets none.
START_TEST(in_turn)
{
    const int cpus[] = {0, 2, 4};
    int first[2], second[1], last[1];
    const struct core_claim claims[] = {
        {cpus, 3, 2, first}, {cpus, 3, 1, second}, {cpus, 3, 1, last}};
    ck_assert_uint_eq(core_share_give(claims, 3), 3);
    ck_assert_int_eq(first[0], 0);
    ck_assert_int_eq(first[1], 2);
    ck_assert_int_eq(second[0], 4);
    ck_assert_int_eq(last[0], -1);
}
END_TEST

// A claim that cannot be met in full takes nothing from those behind it.
START_TEST(all_or_none)
{
    const int cpus[] = {5, 6};
    int large[3] = {0, 0, 0}, small[2];
    const struct core_claim claims[] = {{cpus, 2, 3, large}, {cpus, 2, 2, small}};
    ck_assert_uint_eq(core_share_give(claims, 2), 2);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(large[i], -1);
    ck_assert_int_eq(small[0], 5);
    ck_assert_int_eq(small[1], 6);
}
END_TEST

// Processes that are bound have their own cores and nobody else's.
START_TEST(bound)
{
    const int a[] = {7}, b[] = {3, 7};
    int of_a[1], of_b[1], more[1];
    const struct core_claim claims[] = {{a, 1, 1, of_a}, {b, 2, 1, of_b}, {a, 1, 1, more}};
    ck_assert_uint_eq(core_share_give(claims, 3), 2);
    ck_assert_int_eq(of_a[0], 7);
    ck_assert_int_eq(of_b[0], 3);
    ck_assert_int_eq(more[0], -1);
}
END_TEST

// No claims, no cores.
START_TEST(nothing)
{
    ck_assert_uint_eq(core_share_give(NULL, 0), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", in_turn}, {"core", bound}, {"limits", all_or_none}, {"errors", nothing}};
    return suite_run("core_share", tests, sizeof tests / sizeof *tests);
}
