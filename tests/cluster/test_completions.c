// SPDX-License-Identifier: Apache-2.0
#include "cluster/completions.h"

#include "support/suite.h"

// A list has the room that was asked for and keeps what is in it; cleared it keeps its room.
START_TEST(grows)
{
    struct completions list = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        completions_reserve(&list, 1);
        list.v[list.n++] = (struct completion){.end_ns = i, .weight = 1, .server = i};
        completions_lose(&list, &(struct query){.seq = i}, -(int64_t)i);
    }
    ck_assert_uint_eq(list.n, 1000);
    ck_assert_uint_eq(list.n_lost, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(list.v[i].end_ns, i);
        ck_assert_uint_eq(list.lost[i].query.seq, i);
        ck_assert_int_eq(list.lost[i].at_ns, -(int64_t)i);
    }
    size_t cap = list.cap;
    completions_clear(&list);
    ck_assert_uint_eq(list.n + list.n_lost, 0);
    completions_reserve(&list, cap);
    ck_assert_uint_eq(list.cap, cap);
    completions_release(&list);
    ck_assert_ptr_null(list.v);
    completions_release(&list); // nothing left to release
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", grows}};
    return suite_run("completions", tests, sizeof tests / sizeof *tests);
}
