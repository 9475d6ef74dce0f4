// SPDX-License-Identifier: Apache-2.0
// What becomes of lost queries in whole is held by test_server_outages (every fate, by a simulation
// step by step) and test_balancer; here are the rules alone.
#include "cluster/retry.h"

#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

struct bench {
    struct fixture fixture;
    struct record *record;
    struct loss loss;
};

static void init(struct bench *bench, uint32_t retries)
{
    fixture_init(&bench->fixture, 2, 1);
    bench->fixture.config.outages.retries = retries;
    bench->fixture.config.outages.retry_delay_ns = 7300;
    bench->record = fixture_record(&bench->fixture, 5, 0);
    bench->loss = (struct loss){.query = {.arrive_ns = 50000, .size_items = 3, .service = 1},
                                .at_ns = 120000};
}

static bool next(struct bench *bench, struct query *query)
{
    return retry_next(&bench->fixture.config, &bench->loss, PATH_ACCEL, bench->record, query);
}

static const struct tally *tally(const struct bench *bench, uint32_t bin)
{
    return record_tally(bench->record, bin, 1, PATH_ACCEL);
}

// 50 us for the news and 7.3 us more, up to the next whole microsecond since it first came; all
// else is as it was, and nothing is counted.
START_TEST(tried_again)
{
    struct bench bench;
    struct query query;
    init(&bench, 1);
    ck_assert(next(&bench, &query));
    ck_assert_int_eq(query.arrive_ns, 178000);
    ck_assert_uint_eq(query.delay_us, 128);
    ck_assert_uint_eq(query_attempt(&query), 1);
    ck_assert_uint_eq(query.size_items, 3);
    ck_assert_uint_eq(tally(&bench, 0)->n_lost + tally(&bench, 0)->n_pending, 0);
    record_destroy(bench.record);
}
END_TEST

// After the last attempt it is lost, in the bin of its first arrival and on the path it took.
START_TEST(lost_for_good)
{
    struct bench bench;
    struct query query;
    init(&bench, 1);
    bench.loss.query.seq = UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    bench.loss.query.arrive_ns = 30 * SIMTIME_MS;
    bench.loss.query.delay_us = 29000;
    bench.loss.at_ns = 31 * SIMTIME_MS;
    ck_assert(!next(&bench, &query));
    ck_assert_uint_eq(tally(&bench, 0)->n_lost, 1);
    ck_assert_uint_eq(tally(&bench, 3)->n_lost, 0);
    record_destroy(bench.record);
}
END_TEST

// What would come at the end of the run or later, and what is lost then, is pending.
START_TEST(pending)
{
    struct bench bench;
    struct query query;
    init(&bench, 1);
    bench.loss.at_ns = 50 * SIMTIME_MS - 57300;
    ck_assert(!next(&bench, &query));
    bench.loss.at_ns = 50 * SIMTIME_MS;
    bench.fixture.config.outages.retries = 0;
    ck_assert(!next(&bench, &query));
    ck_assert_uint_eq(tally(&bench, 0)->n_pending, 2);
    ck_assert_uint_eq(tally(&bench, 0)->n_lost, 0);
    record_destroy(bench.record);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", tried_again}, {"core", lost_for_good}, {"limits", pending}};
    return suite_run("retry", tests, sizeof tests / sizeof *tests);
}
