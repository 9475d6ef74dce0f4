// SPDX-License-Identifier: Apache-2.0
#include "base/wallclock.h"

#include <time.h>

#include "support/suite.h"

// A time that was read later is not smaller.
START_TEST(never_goes_back)
{
    double last_s = wallclock_s();
    ck_assert(last_s > 0);
    for (int i = 0; i < 10000; i++) {
        double now_s = wallclock_s();
        ck_assert(now_s >= last_s);
        last_s = now_s;
    }
}
END_TEST

// It counts seconds: a sleep of 20 ms takes at least that. A loaded machine may take longer, so
// there is no bound from above; the seconds are doubles of some 1e6, good to a nanosecond.
START_TEST(counts_seconds)
{
    double begin_s = wallclock_s();
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    ck_assert_double_ge(wallclock_s() - begin_s, 0.02 - 1e-6);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", never_goes_back}, {"limits", counts_seconds}};
    return suite_run("wallclock", tests, sizeof tests / sizeof *tests);
}
