// SPDX-License-Identifier: Apache-2.0
#include "base/memroom.h"

#include <math.h>
#include <sys/resource.h>

#include "support/suite.h"

// A machine that runs this has some memory left, and not more than any has.
START_TEST(of_the_machine)
{
    ck_assert_double_gt(memroom_machine_bytes(), 1e6);
    ck_assert(isinf(memroom_machine_bytes()) || memroom_machine_bytes() < 1e15);
}
END_TEST

// Of a limit of addresses, what is not in use yet; without a limit there is no end.
START_TEST(of_a_limit)
{
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    if (before.rlim_cur == RLIM_INFINITY)
        ck_assert(isinf(memroom_address_bytes()));
    limit = before;
    limit.rlim_cur = (rlim_t)1 << 46; // above what a sanitizer has taken
    if (limit.rlim_cur > before.rlim_max || setrlimit(RLIMIT_AS, &limit) != 0)
        return;
    double room = memroom_address_bytes();
    setrlimit(RLIMIT_AS, &before);
    ck_assert_double_lt(room, 0x1p46);
    ck_assert_double_gt(room, 0x1p45);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", of_the_machine}, {"limits", of_a_limit}};
    return suite_run("memroom", tests, sizeof tests / sizeof *tests);
}
