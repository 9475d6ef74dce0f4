// SPDX-License-Identifier: Apache-2.0
#include "traces/ticks.h"

#include "support/suite.h"

// Ticks are 1024 to the nanosecond, and whole nanoseconds are rounded down.
START_TEST(ticks_become_whole_nanoseconds)
{
    ck_assert_int_eq(ticks_to_ns(1023), 0);
    ck_assert_int_eq(ticks_to_ns(1024), 1);
    ck_assert_int_eq(ticks_to_ns(ticks_round(TICKS_PER_S)), SIMTIME_S);
}
END_TEST

// A fraction goes to the nearest tick.
START_TEST(rounding_is_to_nearest)
{
    ck_assert_int_eq(ticks_round(1.49), 1);
    ck_assert_int_eq(ticks_round(1.5), 2);
}
END_TEST

// The longest simulation fits; beyond the top, time is "never" and stays there.
START_TEST(top_is_never)
{
    ck_assert_int_lt(SIMTIME_LONGEST, ticks_to_ns(TICKS_TOP - 1));
    ck_assert_int_eq(ticks_round(1e300), TICKS_TOP);
    ck_assert_int_eq(ticks_add(TICKS_TOP, TICKS_TOP), TICKS_TOP);
    ck_assert_int_eq(ticks_add(TICKS_TOP - 5, 6), TICKS_TOP);
    ck_assert_int_eq(ticks_to_ns(TICKS_TOP), SIMTIME_NEVER);
}
END_TEST

// Times lie between 0 and the top, both included.
START_TEST(the_clock_has_a_range)
{
    ck_assert(ticks_in_range(0) && ticks_in_range(TICKS_TOP));
    ck_assert(!ticks_in_range(-1) && !ticks_in_range(TICKS_TOP + 1));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", ticks_become_whole_nanoseconds},
        {"core", rounding_is_to_nearest},
        {"limits", top_is_never},
        {"limits", the_clock_has_a_range},
    };
    return suite_run("ticks", tests, sizeof tests / sizeof *tests);
}
