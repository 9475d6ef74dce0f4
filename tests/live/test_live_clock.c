// SPDX-License-Identifier: Apache-2.0
#include "live/live_clock.h"

#include "base/simtime.h"
#include "support/suite.h"

// It never goes back.
START_TEST(advances)
{
    int64_t last_ns = live_clock_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now_ns = live_clock_ns();
        ck_assert_int_ge(now_ns, last_ns);
        last_ns = now_ns;
    }
}
END_TEST

// Nobody returns too early, asleep or not; what has passed is not waited for.
START_TEST(waits)
{
    const int64_t spins_ns[] = {0, SIMTIME_MS, SIMTIME_S};
    live_clock_sharpen();
    for (size_t i = 0; i < sizeof spins_ns / sizeof *spins_ns; i++) {
        int64_t until_ns = live_clock_ns() + 3 * SIMTIME_MS;
        live_clock_wait(until_ns, spins_ns[i]);
        ck_assert_int_ge(live_clock_ns(), until_ns);
    }
    int64_t begin_ns = live_clock_ns();
    live_clock_wait(begin_ns - SIMTIME_S, 0);
    ck_assert_int_lt(live_clock_ns() - begin_ns, SIMTIME_S);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", advances}, {"core", waits}};
    return suite_run("live_clock", tests, sizeof tests / sizeof *tests);
}
