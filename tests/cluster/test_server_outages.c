// SPDX-License-Identifier: Apache-2.0
// A block of servers that go down and come back against its requests one by one, and by hand.
#include <stdlib.h>
#include <string.h>

#include "cluster/oracle.h"
#include "cluster/server.h"
#include "support/suite.h"

// ---- core ------------------------------------------------------------------------------

static const uint32_t n_on[] = {4, 9, 6, 2};
static const struct outage_event events[] = {
    {.at_ns = 0, .for_ns = 3 * SIMTIME_MS, .server = 3},
    {.at_ns = 17750 * SIMTIME_US, .for_ns = SIMTIME_MS, .server = 5}, // at the end of a bin
    {.at_ns = 30 * SIMTIME_MS, .for_ns = SIMTIME_MS, .whole_cell = true},
    {.at_ns = 49 * SIMTIME_MS, .for_ns = SIMTIME_S, .server = 4}};

// Servers that are up for 5 ms and down for 1 ms on average, and all else that can happen to them.
static void let_fail(struct oracle *setting, int64_t retries)
{
    struct fixture *fixture = &setting->fixture;
    fixture->groups[0].on = (struct on_schedule){n_on, 4, 9 * SIMTIME_MS, SIMTIME_MS, 700000};
    fixture->config.outages = (struct outage_config){.mtbf_s = 5e-3,
                                                     .mttr_s = 1e-3,
                                                     .retries = retries,
                                                     .retry_delay_ns = 123456,
                                                     .events = events,
                                                     .n_events = 4};
}

// Some of the queries are not at their first attempt.
static void make_retries(struct oracle *setting)
{
    for (size_t i = 0; i < setting->n_queries; i++) {
        struct query *query = &setting->queries[i];
        uint32_t most_us = (uint32_t)(query->arrive_ns / 1000);
        if (most_us == 0 || fixture_draw(11, i, 3) > 0)
            continue;
        query->delay_us = 1 + fixture_draw(12, i, most_us < 20000 ? most_us : 20000);
        query->seq += (uint64_t)(1 + fixture_draw(13, i, 3)) << QUERY_ATTEMPT_SHIFT;
    }
}

// A server that is watched while it goes down and comes back.
START_TEST(watched)
{
    for (int streams = 0; streams <= 2; streams += 2) {
        struct oracle *setting = oracle_make(1);
        let_fail(setting, QUERY_MAX_RETRIES);
        if (streams > 0)
            fixture_attach(&setting->fixture, 0, streams, false, 100);
        oracle_ready(setting);
        make_retries(setting);
        oracle_watch_holds(setting);
        oracle_destroy(setting);
    }
}
END_TEST

// What servers lose, and what that leaves in the record, by cause and retries.
START_TEST(outages)
{
    for (int64_t retries = 0; retries <= 1; retries++) {
        struct oracle *setting = oracle_make(1);
        let_fail(setting, retries);
        oracle_holds(setting);
    }
}
END_TEST

// The same on accelerators, whose copies wait for none or for a link, and with noise; and in an
// overload, where servers have long queues to lose.
START_TEST(outages_of_accelerators)
{
    for (int i = 0; i < 2; i++) {
        struct oracle *setting = oracle_make(2);
        let_fail(setting, 2);
        setting->fixture.groups[0].noise =
            (struct noise_config){SPREAD_GAMMA, 0.6, i * SIMTIME_MS, 0.5};
        setting->fixture.groups[0].slow = (struct slow_config){.frac = i * 0.5, .factor = 1.5};
        fixture_attach(&setting->fixture, 0, 2, false, 60);
        setting->fixture.cost_configs[0].accel_per_item_s = i * 4e-6;
        fixture_set_load(&setting->fixture, 1.2);
        oracle_holds(setting);
    }
}
END_TEST

// What is told of completions never comes later than the server's going down, in each unit; retries
// count from their first arrival, and are lost for good after the last.
START_TEST(outages_reported)
{
    for (enum load_unit unit = 0; unit < N_LOAD_UNITS; unit++) {
        struct oracle *setting = oracle_make_reporting(unit, unit == LOAD_WORK ? 0.3 : 0);
        let_fail(setting, QUERY_MAX_RETRIES);
        oracle_ready(setting);
        make_retries(setting);
        oracle_reports_hold(setting);
    }
}
END_TEST

// Batches and kernels change no bit of a record, nor what is to be tried again.
START_TEST(outages_in_batches)
{
    struct oracle *setting = oracle_make(2);
    let_fail(setting, 2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    oracle_ready(setting);
    make_retries(setting);
    struct completions lists[4] = {0};
    struct record *whole = oracle_run(setting, &cpu_portable, 1000000, &lists[0]);
    ck_assert_uint_gt(lists[0].n_lost, 50);
    qsort(lists[0].lost, lists[0].n_lost, sizeof *lists[0].lost, oracle_by_seq);
    for (uint32_t i = 1, most = 1; i < 4; i++, most *= 40) {
        struct record *record = oracle_run(setting, cpu_kernel_best(), most, &lists[i]);
        ck_assert(fixture_same_record(whole, record));
        ck_assert_uint_eq(lists[i].n_lost, lists[0].n_lost);
        qsort(lists[i].lost, lists[i].n_lost, sizeof *lists[i].lost, oracle_by_seq);
        ck_assert_mem_eq(lists[i].lost, lists[0].lost, lists[0].n_lost * sizeof *lists[0].lost);
        record_destroy(record);
        completions_release(&lists[i]);
    }
    record_destroy(whole);
    completions_release(&lists[0]);
    oracle_destroy(setting);
}
END_TEST

// The whole block as one part of its cell, or as two.
static const struct layout_part whole[] = {
    {0, 0, ORACLE_IN_CELL, ORACLE_IN_FLEET, ORACLE_SERVERS, 0}};
static const struct layout_part halves[] = {
    {0, 0, ORACLE_IN_CELL, ORACLE_IN_FLEET, 1, 0},
    {0, 0, ORACLE_IN_CELL + 1, ORACLE_IN_FLEET + 1, ORACLE_SERVERS - 1, 0}};

struct blocks {
    struct layout layout;
    struct server_block *v[2];
};

static void make_blocks(const struct oracle *setting, const struct layout_part *parts, uint32_t n,
                        struct record *record, struct blocks *blocks)
{
    blocks->layout = (struct layout){
        .n_cells = 1, .n_parts = n, .parts = (struct layout_part *)(uintptr_t)parts};
    for (uint32_t p = 0; p < n; p++) {
        struct server_block_config config = {
            .fleet = &setting->fixture.config,
            .first_in_cell = parts[p].first_in_cell,
            .first_in_fleet = parts[p].first_in_fleet,
            .n_servers = parts[p].n_servers,
            .layout = &blocks->layout,
            .part = p,
            .tabs = (const struct svctab *const *)setting->fixture.tabs,
            .slow_tabs = fixture_slow_tabs(&setting->fixture, 0),
            .kernel = cpu_kernel_best(),
            .record = record};
        blocks->v[p] = server_block_create(&config);
    }
}

// Queries [from, to) on the blocks that have their servers.
static void run_some(const struct oracle *setting, struct blocks *blocks, size_t from, size_t to,
                     struct completions *list)
{
    for (size_t i = from; i < to; i++)
        for (uint32_t p = 0; p < blocks->layout.n_parts; p++) {
            const struct layout_part *part = &blocks->layout.parts[p];
            if (setting->queries[i].server - part->first_in_cell < part->n_servers)
                server_block_run(blocks->v[p], &setting->queries[i], 1, list);
        }
}

static void finish_blocks(struct blocks *blocks)
{
    for (uint32_t p = 0; p < blocks->layout.n_parts; p++) {
        server_block_finish(blocks->v[p]);
        server_block_destroy(blocks->v[p]);
    }
}

// Runs n queries on one block, saves it, loads two smaller ones (in two pieces) and runs the rest:
// the record of both.
static struct record *run_saved(const struct oracle *setting, size_t n, struct completions *list)
{
    struct record *record = fixture_record(&setting->fixture, ORACLE_BINS, ORACLE_WARMUP_NS);
    struct blocks before, after;
    struct blob blob = {0};
    int64_t next_ns = setting->queries[n].arrive_ns;
    make_blocks(setting, whole, 1, record, &before);
    run_some(setting, &before, 0, n, list);
    server_block_settle(before.v[0], next_ns, NULL);
    make_blocks(setting, halves, 2, record, &after);
    for (uint32_t first = 0; first < ORACLE_SERVERS; first += 2) {
        blob_clear(&blob);
        server_block_save(before.v[0], first, 2, &blob);
        for (uint32_t p = 0; p < 2; p++) {
            struct blob_reader reader = blob_read(blob.bytes, blob.n);
            int64_t at = (int64_t)ORACLE_IN_CELL + first - halves[p].first_in_cell;
            server_block_load(after.v[p], at, 2, next_ns, &reader);
            ck_assert(!reader.short_of);
        }
    }
    server_block_destroy(before.v[0]);
    run_some(setting, &after, n, setting->n_queries, list);
    finish_blocks(&after);
    oracle_retry(setting, record, list);
    blob_release(&blob);
    return record;
}

// Saved at any time, down, starting or in the middle of a bin, and taken up by other blocks: what
// comes of it is the same to the bit.
START_TEST(saved_in_the_middle)
{
    struct oracle *setting = oracle_make(1);
    let_fail(setting, 2);
    fixture_attach(&setting->fixture, 0, 2, true, 120);
    oracle_ready(setting);
    make_retries(setting);
    struct record *record = fixture_record(&setting->fixture, ORACLE_BINS, ORACLE_WARMUP_NS);
    struct completions list = {0};
    struct blocks blocks;
    make_blocks(setting, whole, 1, record, &blocks);
    run_some(setting, &blocks, 0, setting->n_queries, &list);
    finish_blocks(&blocks);
    oracle_retry(setting, record, &list);
    qsort(list.lost, list.n_lost, sizeof *list.lost, oracle_by_seq);
    for (size_t n = 0; n < setting->n_queries; n += 1 + setting->n_queries / 40) {
        struct completions other = {0};
        struct record *again = run_saved(setting, n, &other);
        qsort(other.lost, other.n_lost, sizeof *other.lost, oracle_by_seq);
        ck_assert(fixture_same_record(record, again));
        ck_assert_uint_eq(other.n_lost, list.n_lost);
        ck_assert_mem_eq(other.lost, list.lost, list.n_lost * sizeof *list.lost);
        record_destroy(again);
        completions_release(&other);
    }
    record_destroy(record);
    completions_release(&list);
    oracle_destroy(setting);
}
END_TEST

// A server of four cores with these queries and this event, by hand.
static struct record *run_by_hand(struct oracle *setting, const struct outage_event *event,
                                  const struct query *queries, size_t n, struct completions *list)
{
    setting->fixture.config.outages.events = event;
    setting->fixture.config.outages.n_events = 1;
    setting->fixture.config.sample_frac = 0;
    oracle_ready(setting);
    ck_assert_uint_ge(setting->n_queries, n);
    memcpy(setting->queries, queries, n * sizeof *queries);
    setting->n_queries = n;
    return oracle_run(setting, cpu_kernel_best(), 10, list);
}

// A request of n items takes 5 + n us. At 100 us, 50 us after it was sent, a query of 64 items
// comes to idle cores and makes two requests of 37 us; at 110 us one of a single item, of 6 us. At
// 120 us the server goes down: 2 x 20 us + 6 us of work are done, one query is lost, one has ended.
// Both that come while it is down are lost when they come, the last not: it finds idle cores. The
// first lost query is tried again at 120 + 50 (news) + 7.3 us (delay), on the next whole
// microsecond after it came, at 50 us: 128 us later, at 178 us.
START_TEST(lost_by_hand)
{
    struct oracle *setting = oracle_make(1);
    const struct outage_event event = {
        .at_ns = 120 * SIMTIME_US, .for_ns = 30 * SIMTIME_US, .server = 4};
    const struct query queries[] = {
        {.arrive_ns = 50000, .seq = 0, .size_items = 64, .server = 4, .flags = QUERY_SAMPLED},
        {.arrive_ns = 60000, .seq = 1, .size_items = 1, .server = 4},
        {.arrive_ns = 70000, .seq = 2, .size_items = 1, .server = 4},
        {.arrive_ns = 99999, .seq = 3, .size_items = 1, .server = 4},
        {.arrive_ns = 100000, .seq = 4, .size_items = 1, .server = 4}};
    setting->fixture.config.outages.retries = 1;
    setting->fixture.config.outages.retry_delay_ns = 7300;
    struct completions list = {0};
    struct record *record = run_by_hand(setting, &event, queries, 5, &list);
    const struct tally *tally = record_tally(record, 0, 0, PATH_CPU);
    ck_assert_uint_eq(tally->n_queries, 2);
    ck_assert_uint_eq(tally->latency_sum_ns, 2 * 66000);
    ck_assert_int_eq(record_group(record, 0, 0)->busy_ns[PART_CPU], 46000 + 6000);
    ck_assert_uint_eq(record->n_samples, 0);
    ck_assert_uint_eq(list.n_lost, 3);
    const struct query *lost = NULL;
    for (size_t i = 0; i < 3; i++)
        lost = list.lost[i].query.size_items == 64 ? &list.lost[i].query : lost;
    ck_assert_int_eq(lost->arrive_ns, 178000);
    ck_assert_uint_eq(lost->delay_us, 128);
    ck_assert_int_eq(query_first_ns(lost), 50000);
    ck_assert_uint_eq(query_attempt(lost), 1);
    ck_assert_uint_eq(lost->flags, QUERY_SAMPLED);
    int64_t told_ns[] = {116000, 120000, 120000, 149999, 156000}; // by end
    qsort(list.v, list.n, sizeof *list.v, oracle_by_end);
    ck_assert_uint_eq(list.n, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(list.v[i].end_ns, told_ns[i]);
    completions_release(&list);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// A request that ends as its server goes down has ended; one that ends a nanosecond later is lost.
// On a core it takes 6 us, on the accelerator 30.3 us.
START_TEST(to_the_nanosecond)
{
    for (int i = 0; i < 4; i++) {
        struct oracle *setting = oracle_make(1);
        bool late = i % 2, offloaded = i / 2;
        int64_t end_ns = offloaded ? 80300 : 56000;
        const struct outage_event event = {.at_ns = end_ns - late, .for_ns = 1, .server = 3};
        const struct query query = {.arrive_ns = 0, .size_items = 1, .server = 3};
        fixture_attach(&setting->fixture, 0, 1, false, offloaded ? 1 : 2);
        struct record *record = run_by_hand(setting, &event, &query, 1, NULL);
        const struct tally *tally = record_tally(record, 0, 0, offloaded ? PATH_ACCEL : PATH_CPU);
        ck_assert_uint_eq(tally->n_queries, late ? 0 : 1);
        ck_assert_uint_eq(tally->n_lost, late ? 1 : 0);
        record_destroy(record);
        oracle_destroy(setting);
    }
}
END_TEST

// An accelerator with a link: a copy takes 10 + 20 us, a computation 20 + 40 us. Two queries come
// at 50 us: one stream is held from 80 us to 140 us, the other from 110 us to 170 us. At 120 us the
// server goes down, and link and streams are free when the next query comes, at 200 us.
START_TEST(accelerator_by_hand)
{
    struct oracle *setting = oracle_make(1);
    const struct outage_event event = {
        .at_ns = 120 * SIMTIME_US, .for_ns = 10 * SIMTIME_US, .server = 3};
    const struct query queries[] = {
        {.arrive_ns = 0, .seq = 0, .size_items = 200, .server = 3},
        {.arrive_ns = 0, .seq = 1, .size_items = 200, .server = 3},
        {.arrive_ns = 150000, .seq = 2, .size_items = 200, .server = 3}};
    fixture_attach(&setting->fixture, 0, 2, true, 100);
    struct record *record = run_by_hand(setting, &event, queries, 3, NULL);
    const struct tally *tally = record_tally(record, 0, 0, PATH_ACCEL);
    ck_assert_int_eq(record_group(record, 0, 0)->busy_ns[PART_ACCEL], 40000 + 10000 + 60000);
    ck_assert_uint_eq(tally->n_lost, 2);
    ck_assert_uint_eq(tally->n_queries, 1);
    ck_assert_uint_eq(tally->wait_sum_ns, 0);
    ck_assert_uint_eq(record->servers[ORACLE_IN_FLEET].n_queries, 0); // all in the warm-up
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// A core that was warm is cold when its server comes back.
START_TEST(cold_when_back)
{
    struct oracle *setting = oracle_make(1);
    const struct outage_event event = {.at_ns = 60 * SIMTIME_US, .for_ns = 10, .server = 3};
    const struct query queries[] = {
        {.arrive_ns = 0, .size_items = 1, .server = 3, .seq = 0},
        {.arrive_ns = 20 * SIMTIME_US, .size_items = 1, .server = 3, .seq = 1},
        {.arrive_ns = 80 * SIMTIME_US, .size_items = 1, .server = 3, .seq = 2}};
    oracle_set_cold(setting, 1.5, 3600, 1e-9); // warm at once, and for long
    setting->fixture.platforms[0].cores = 1;
    struct record *record = run_by_hand(setting, &event, queries, 3, NULL);
    // 9 us twice, and once 6 us without the event in between.
    ck_assert_int_eq(record_group(record, 0, 0)->busy_ns[PART_CPU], 9000 + 9000 + 6000);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// A schedule without load: idle power from start-up to shutdown, none in between.
START_TEST(unpowered)
{
    static const uint32_t half[] = {9, 3}; // of the cell's servers: the block's begin with number 3
    struct oracle *setting = oracle_make(1);
    setting->fixture.groups[0].on =
        (struct on_schedule){half, 2, 10 * SIMTIME_MS, 2 * SIMTIME_MS, SIMTIME_MS};
    oracle_ready(setting);
    setting->n_queries = 0;
    struct record *record = oracle_run(setting, cpu_kernel_best(), 10, NULL);
    int64_t energy_uj = 0;
    for (uint32_t bin = 0; bin < ORACLE_BINS; bin++)
        energy_uj += record_group(record, bin, 0)->energy_uj[PART_CPU];
    // Steps from 0, 20 and 40 ms of 50 ms, with 2 ms before and 1 ms after; before 0 and after the
    // end nothing counts. 40 W, rounded by server and bin.
    ck_assert_int_le(llabs(energy_uj - 4 * 40 * (11000 + 13000 + 12000)), 4 * ORACLE_BINS);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// What becomes of a query that is lost, by when and how often it was.
static void assert_fate(const struct query *query, int64_t retry_delay_ns, int64_t down_ns,
                        const char *fate)
{
    struct oracle *setting = oracle_make(1);
    const struct outage_event event = {.at_ns = down_ns, .for_ns = SIMTIME_S, .server = 3};
    setting->fixture.config.outages.retries = 2;
    setting->fixture.config.outages.retry_delay_ns = retry_delay_ns;
    setting->deaf = true;
    struct completions list = {0};
    struct record *record = run_by_hand(setting, &event, query, 1, &list);
    uint32_t bin = record_bin_of(&record->shape, query_first_ns(query));
    const struct tally *tally = record_tally(record, bin, 0, PATH_CPU);
    ck_assert_msg(tally->n_lost == (strcmp(fate, "lost") == 0), "lost, not %s", fate);
    ck_assert_msg(tally->n_pending == (strcmp(fate, "pending") == 0), "pending, not %s", fate);
    ck_assert_uint_eq(list.n_lost, strcmp(fate, "again") == 0);
    ck_assert_uint_eq(tally->n_retries, query_attempt(query) > 0);
    ck_assert_uint_eq(tally->n_queries, 0);
    completions_release(&list);
    record_destroy(record);
    oracle_destroy(setting);
}

// Lost for good after the last attempt; pending when it would be tried again at the end of the run
// or later, or was lost then, be it for the last time; its times round up to the microsecond.
START_TEST(fates)
{
    int64_t end_ns = 50 * SIMTIME_MS, status_ns = 50 * SIMTIME_US, at_ns = 1500;
    struct query query = {.arrive_ns = at_ns, .size_items = 1, .server = 3};
    int64_t last_ns = end_ns - 500 - (at_ns + 2 * status_ns); // on a whole us since it came
    assert_fate(&query, last_ns - SIMTIME_US, 0, "again");
    assert_fate(&query, last_ns, 0, "again");
    assert_fate(&query, last_ns + 1, 0, "pending");
    query.arrive_ns = 2000;
    assert_fate(&query, end_ns - 2000 - 2 * status_ns, 0, "pending"); // when the run ends
    query.arrive_ns = at_ns;
    assert_fate(&query, 0, 52000, "again"); // in the middle of its work
    query.seq = UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    query.arrive_ns = 10000 * SIMTIME_US + at_ns;
    query.delay_us = 10000;
    assert_fate(&query, 0, 0, "again");
    query.seq = UINT64_C(2) << QUERY_ATTEMPT_SHIFT;
    assert_fate(&query, 0, 0, "lost");
    query.arrive_ns = end_ns - 50000;
    assert_fate(&query, 0, 0, "pending"); // comes as the run ends
    query.arrive_ns--;
    assert_fate(&query, 0, 0, "lost");
}
END_TEST

// A query can wait 2^32 - 1 us for its next attempt, and no longer.
START_TEST(longest_wait)
{
    for (int late = 0; late < 2; late++) {
        struct oracle *setting = oracle_make(1);
        const struct outage_event event = {.at_ns = 0, .for_ns = 9 * SIMTIME_S, .server = 3};
        const struct query query = {.arrive_ns = 0, .size_items = 1, .server = 3};
        setting->fixture.services[0].traffic.rate_qps = 0.01;
        setting->fixture.config.duration_ns = 5000 * SIMTIME_S;
        setting->fixture.config.outages.retries = 1;
        setting->fixture.config.outages.retry_delay_ns =
            UINT32_MAX * SIMTIME_US - 100 * SIMTIME_US + late;
        struct completions list = {0};
        struct record *record = run_by_hand(setting, &event, &query, 1, &list);
        ck_assert_int_eq((int)record_tally(record, 0, 0, PATH_CPU)->n_lost, late);
        ck_assert_int_eq((int)list.n_lost, !late);
        if (!late)
            ck_assert_uint_eq(list.lost[0].query.delay_us, UINT32_MAX);
        completions_release(&list);
        record_destroy(record);
        oracle_destroy(setting);
    }
}
END_TEST

// Where nothing takes time, a query is still tried again later than before.
START_TEST(no_delays)
{
    struct oracle *setting = oracle_make(1);
    const struct outage_event event = {.at_ns = 0, .for_ns = SIMTIME_MS, .server = 3};
    const struct query query = {.arrive_ns = 7000,
                                .seq = UINT64_C(1) << QUERY_ATTEMPT_SHIFT,
                                .size_items = 1,
                                .server = 3,
                                .delay_us = 4};
    setting->fixture.config.balancer.dispatch_delay_ns = 0;
    setting->fixture.config.balancer.status_delay_ns = 0;
    setting->fixture.config.outages.retries = 2;
    struct completions list = {0};
    struct record *record = run_by_hand(setting, &event, &query, 1, &list);
    ck_assert_uint_eq(list.n_lost, 1);
    ck_assert_int_eq(list.lost[0].query.arrive_ns, 8000);
    ck_assert_uint_eq(list.lost[0].query.delay_us, 5);
    completions_release(&list);
    record_destroy(record);
    oracle_destroy(setting);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", outages},
                                       {"core", watched},
                                       {"core", outages_of_accelerators},
                                       {"core", outages_reported},
                                       {"core", outages_in_batches},
                                       {"core", saved_in_the_middle},
                                       {"core", lost_by_hand},
                                       {"core", to_the_nanosecond},
                                       {"core", accelerator_by_hand},
                                       {"core", cold_when_back},
                                       {"core", unpowered},
                                       {"limits", fates},
                                       {"limits", longest_wait},
                                       {"limits", no_delays}};
    return suite_run("server_outages", tests, sizeof tests / sizeof *tests);
}
