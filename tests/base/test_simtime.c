// SPDX-License-Identifier: Apache-2.0
#include "base/simtime.h"

#include <math.h>

#include "support/suite.h"

// Seconds become the nearest nanosecond and come back.
START_TEST(nearest_nanosecond)
{
    ck_assert_int_eq(simtime_from_s(0.0015), 1500000);
    ck_assert_int_eq(simtime_from_s(1e-9), 1);
    ck_assert_int_eq(simtime_from_s(1.4e-9), 1);
    ck_assert_int_eq(simtime_from_s(1.6e-9), 2);
    ck_assert_double_eq(simtime_to_s(25000000), 0.025);
}
END_TEST

// What is no time is 0, what is too long is never.
START_TEST(saturates)
{
    ck_assert_int_eq(simtime_from_s(-1), 0);
    ck_assert_int_eq(simtime_from_s(NAN), 0);
    ck_assert_int_eq(simtime_from_s(1e30), SIMTIME_NEVER);
    ck_assert_int_eq(simtime_from_s(INFINITY), SIMTIME_NEVER);
    ck_assert_int_gt(SIMTIME_NEVER - SIMTIME_LONGEST, 1000 * SIMTIME_LONGEST);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", nearest_nanosecond}, {"limits", saturates}};
    return suite_run("simtime", tests, sizeof tests / sizeof *tests);
}
