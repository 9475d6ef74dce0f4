// SPDX-License-Identifier: Apache-2.0
#include "traces/query.h"

#include "support/suite.h"

// Queries are sent between ranks as they are, so their size is part of the format.
START_TEST(record_is_packed)
{
    ck_assert_uint_eq(sizeof(struct query), 32);
}
END_TEST

// A first attempt arrived when it arrives; a later one did so many microseconds earlier.
START_TEST(latency_counts_from_the_first_attempt)
{
    const struct query first = {.arrive_ns = 5000123, .seq = 7},
                       third = {.arrive_ns = 9000123,
                                .seq = 7 | UINT64_C(2) << QUERY_ATTEMPT_SHIFT,
                                .delay_us = 4000};
    ck_assert_int_eq(query_first_ns(&first), 5000123);
    ck_assert_int_eq(query_first_ns(&third), 5000123);
    ck_assert_uint_eq(query_attempt(&first), 0);
    ck_assert_uint_eq(query_attempt(&third), 2);
}
END_TEST

// Number, origin and attempt do not run into each other at their largest, and fill the word but for
// four bits.
START_TEST(parts_of_seq_are_apart)
{
    const uint64_t number = (UINT64_C(1) << QUERY_ORIGIN_SHIFT) - 1,
                   origin = (uint64_t)QUERY_MAX_ORIGINS << QUERY_ORIGIN_SHIFT,
                   attempt = (uint64_t)QUERY_MAX_RETRIES << QUERY_ATTEMPT_SHIFT;
    ck_assert_uint_eq(number & origin, 0);
    ck_assert_uint_eq((number | origin) & attempt, 0);
    ck_assert_uint_eq(number | origin | attempt, UINT64_MAX >> 4);
    const struct query query = {.seq = number | origin | attempt};
    ck_assert_uint_eq(query_attempt(&query), QUERY_MAX_RETRIES);
}
END_TEST

// The longest delay that the record holds is more than an hour.
START_TEST(delays_have_room)
{
    const int64_t day_ns = INT64_C(86400000000000);
    const struct query query = {.arrive_ns = day_ns, .delay_us = UINT32_MAX};
    ck_assert_int_eq(query_first_ns(&query), day_ns - INT64_C(4294967295000));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", record_is_packed},
                                       {"core", latency_counts_from_the_first_attempt},
                                       {"core", parts_of_seq_are_apart},
                                       {"limits", delays_have_room}};
    return suite_run("query", tests, sizeof tests / sizeof *tests);
}
