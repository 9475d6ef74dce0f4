// SPDX-License-Identifier: Apache-2.0
// A balancer over an exchange that keeps what it is handed and, where it plays servers of another
// rank, answers when the test says so.
#include "cluster/balancer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/policy.h"
#include "support/suite.h"

enum { MOST_QUERIES = 20000, MOST_PARCELS = 20000 };

struct kept {
    uint32_t part;
    uint64_t window;
    size_t first, n; // into queries
    bool answered;
};

struct post {
    struct exchange base;
    const struct layout *layout;
    bool remote, full, wanted;          // wanted: the balancer listens to answers
    uint32_t retries;                   // attempts of those that are lost, one in five
    struct query queries[MOST_QUERIES]; // as handed over
    size_t n_queries;
    struct kept parcels[MOST_PARCELS];
    size_t n_parcels, n_closed, n_passes;
    int64_t passed_ns, last_ns; // no query comes before; the latest that came
};

// The service of a query here: at least the shortest of the tables, 6 us.
static struct completion answer(const struct query *query)
{
    int64_t service_ns = 6000 + fixture_draw(21, query->seq, 300000);
    return (struct completion){
        .end_ns = query->arrive_ns + 50000 + service_ns, .weight = 1, .server = query->server};
}

// Is this attempt lost, and tried again? With 50 us for the news and no further delay that is 130
// us after it came when it is lost after 80.
static bool is_lost(const struct post *post, const struct query *query, struct query *next)
{
    if (query_attempt(query) >= post->retries || fixture_draw(24, query->seq, 5) > 0)
        return false;
    *next = *query;
    next->seq += UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    next->delay_us += 130;
    next->arrive_ns += 130 * SIMTIME_US;
    return next->arrive_ns < 10 * SIMTIME_MS;
}

static void answer_all(const struct post *post, const struct query *queries, size_t n,
                       struct completions *list)
{
    completions_reserve(list, n);
    for (size_t i = 0; i < n; i++) {
        struct query next;
        list->v[list->n++] = answer(&queries[i]);
        if (is_lost(post, &queries[i], &next))
            completions_lose(list, &queries[i], queries[i].arrive_ns + 80 * SIMTIME_US);
    }
}

static bool post_is_local(const struct exchange *base, uint32_t part)
{
    (void)part;
    return !((const struct post *)base)->remote;
}

static bool post_has_room(struct exchange *base)
{
    return !((struct post *)base)->full;
}

static bool post_deliver(struct exchange *base, const struct parcel *parcel,
                         struct completions *reports)
{
    struct post *post = (struct post *)base;
    if (post->n_queries + parcel->n > MOST_QUERIES || post->n_parcels == MOST_PARCELS || post->full)
        ck_abort_msg("no room for a parcel");
    post->parcels[post->n_parcels++] = (struct kept){parcel->part, parcel->window, post->n_queries,
                                                     parcel->n, !post->remote || !post->wanted};
    memcpy(post->queries + post->n_queries, parcel->queries, parcel->n * sizeof *parcel->queries);
    for (size_t i = 0; i < parcel->n; i++)
        post->last_ns = parcel->queries[i].arrive_ns > post->last_ns ? parcel->queries[i].arrive_ns
                                                                     : post->last_ns;
    post->n_queries += parcel->n;
    if (post->remote)
        return false;
    answer_all(post, parcel->queries, parcel->n, reports);
    return true;
}

static bool post_pass(struct exchange *base, uint32_t part, uint64_t window, int64_t until_ns,
                      struct completions *news)
{
    struct post *post = (struct post *)base;
    (void)part, (void)window, (void)news;
    ck_assert(until_ns >= post->passed_ns && until_ns > post->last_ns);
    post->passed_ns = until_ns;
    post->n_passes++;
    return true;
}

static void post_close(struct exchange *base, uint32_t cell)
{
    ck_assert_uint_eq(cell, 0);
    ((struct post *)base)->n_closed++;
}

static const struct exchange_type post_type = {"post",       post_is_local, post_has_room,
                                               post_deliver, post_pass,     post_close};

// A cell of two groups, split over ranks.
struct bench {
    struct fixture fixture;
    struct layout *layout;
    struct post *post;
    struct record *record;
    struct balancer *balancer;
};

static void init(struct bench *bench, const char *policy)
{
    fixture_init(&bench->fixture, 1, 2);
    bench->fixture.config.duration_ns = 10 * SIMTIME_MS;
    fixture_set_policy(&bench->fixture, policy);
}

static void start(struct bench *bench, int n_ranks, bool remote)
{
    fixture_ready(&bench->fixture);
    bench->layout = layout_create(&bench->fixture.config, n_ranks, LAYOUT_SPREAD);
    bench->post = mem_calloc(1, sizeof *bench->post);
    bench->post->base.type = &post_type;
    bench->post->layout = bench->layout;
    bench->post->remote = remote;
    bench->post->wanted = fleet_wants_answers(&bench->fixture.config);
    if (bench->fixture.config.outages.mtbf_s > 0)
        bench->post->retries = (uint32_t)bench->fixture.config.outages.retries;
    bench->record = fixture_record(&bench->fixture, 1, 0);
    struct balancer_setup setup = {.fleet = &bench->fixture.config,
                                   .layout = bench->layout,
                                   .tabs = (const struct svctab *const *)bench->fixture.tabs,
                                   .exchange = &bench->post->base,
                                   .record = bench->record};
    struct err err = {0};
    bench->balancer = balancer_create(&setup, &err);
    ck_assert_msg(bench->balancer != NULL, "%s", err.text);
}

static void stop(struct bench *bench)
{
    balancer_destroy(bench->balancer);
    record_destroy(bench->record);
    layout_destroy(bench->layout);
    mem_free(bench->post);
    fixture_release(&bench->fixture);
}

// Answers one parcel, drawn among those that wait; false when none does.
static bool answer_one(struct bench *bench, uint64_t draw)
{
    struct post *post = bench->post;
    size_t open[256], n = 0;
    for (size_t i = 0; i < post->n_parcels && n < 256; i++)
        if (!post->parcels[i].answered)
            open[n++] = i;
    if (n == 0)
        return false;
    struct kept *parcel = &post->parcels[open[fixture_draw(22, draw, (uint32_t)n)]];
    struct completions list = {0};
    answer_all(post, &post->queries[parcel->first], parcel->n, &list);
    balancer_hear(bench->balancer, parcel->window, &list);
    parcel->answered = true;
    completions_release(&list);
    return true;
}

// To the end; parcels are answered when the balancer waits for them and now and then before.
static void finish(struct bench *bench)
{
    enum balancer_state state = BALANCER_ADVANCED;
    for (uint64_t i = 0; state != BALANCER_DONE; i++) {
        state = balancer_step(bench->balancer);
        bool answered = false;
        if (state == BALANCER_WAITS || fixture_draw(23, i, 3) == 0)
            answered = answer_one(bench, i);
        ck_assert_msg(state != BALANCER_WAITS || answered, "it waits for nothing");
    }
}

static int by_seq(const void *a, const void *b)
{
    const struct query *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// All queries that were handed over, by number; each must be there once. Caller frees.
static struct query *handed_over(const struct bench *bench)
{
    size_t n;
    struct query *expected = fixture_queries(&bench->fixture, 0, &n);
    struct query *all = mem_calloc(n, sizeof *all);
    ck_assert_uint_eq(bench->post->n_queries, n);
    ck_assert_uint_eq(bench->record->n_generated[0], n);
    memcpy(all, bench->post->queries, n * sizeof *all);
    qsort(all, n, sizeof *all, by_seq);
    for (size_t i = 0; i < n; i++) {
        expected[i].server = all[i].server;
        if (memcmp(&expected[i], &all[i], sizeof *all) != 0)
            ck_abort_msg("query %zu was changed", i);
    }
    mem_free(expected);
    return all;
}

// ---- core ---------------------------------------------------------------------------------------

// Parcels go to the part that their servers are in, inside a parcel and from parcel to parcel in
// order of arrival.
static void assert_in_order(const struct bench *bench)
{
    int64_t last_ns[256] = {0};
    ck_assert_uint_le(bench->layout->n_parts, 256);
    for (size_t i = 0; i < bench->post->n_parcels; i++) {
        const struct kept *parcel = &bench->post->parcels[i];
        const struct layout_part *part = &bench->layout->parts[parcel->part];
        for (size_t q = parcel->first; q < parcel->first + parcel->n; q++) {
            const struct query *query = &bench->post->queries[q];
            ck_assert_uint_lt(query->server - part->first_in_cell, part->n_servers);
            ck_assert_int_ge(query->arrive_ns, last_ns[parcel->part]);
            last_ns[parcel->part] = query->arrive_ns;
        }
    }
}

// Every query of the cell's traffic is handed over once, in order, in parcels that hold some.
START_TEST(parcels)
{
    for (int p = 0; policy_types[p]; p++) {
        struct bench bench;
        init(&bench, policy_types[p]->name);
        start(&bench, 3, false);
        finish(&bench);
        mem_free(handed_over(&bench));
        assert_in_order(&bench);
        for (size_t i = 0; i < bench.post->n_parcels; i++)
            ck_assert_uint_gt(bench.post->parcels[i].n, 0);
        stop(&bench);
    }
}
END_TEST

// In 140 parts every query goes where it goes in two. A window is then as long as gives them some
// each, where news does not end it earlier: all 2000 queries of 10 ms, which are four of the other.
START_TEST(many_parts)
{
    for (int p = 0; policy_types[p]; p++) {
        struct bench few, many;
        for (int i = 0; i < 2; i++) {
            struct bench *bench = i ? &many : &few;
            init(bench, policy_types[p]->name);
            bench->fixture.groups[0].n_servers = bench->fixture.groups[1].n_servers = 70;
            bench->fixture.services[0].traffic.rate_qps = 2e5;
            start(bench, i ? 140 : 1, false);
            finish(bench);
        }
        ck_assert_uint_eq(many.layout->n_parts, 140);
        struct query *a = handed_over(&few), *b = handed_over(&many);
        ck_assert_mem_eq(a, b, few.post->n_queries * sizeof *a);
        assert_in_order(&many);
        for (size_t i = 0; i < many.post->n_parcels; i++)
            ck_assert_uint_gt(many.post->parcels[i].n, 0);
        if (!policy_types[p]->needs_feedback) {
            ck_assert_uint_gt(few.post->n_queries, 3 * 512);
            ck_assert_uint_ge(balancer_n_windows(few.balancer), 4);
            ck_assert_uint_eq(balancer_n_windows(many.balancer), 1);
        }
        mem_free(a);
        mem_free(b);
        stop(&few);
        stop(&many);
    }
}
END_TEST

// Where queries wait at servers every part has a parcel of every window, those without queries,
// too.
START_TEST(parcels_for_all)
{
    struct bench bench;
    init(&bench, "power-of-two");
    bench.fixture.groups[0].n_servers = bench.fixture.groups[1].n_servers = 70;
    fixture_set_scheduler(&bench.fixture, 0, "queue", "policy: pull");
    fixture_set_scheduler(&bench.fixture, 1, "queue", "policy: pull");
    start(&bench, 140, false);
    finish(&bench);
    mem_free(handed_over(&bench));
    assert_in_order(&bench);
    size_t n_empty = 0;
    for (size_t i = 0; i < bench.post->n_parcels; i++) {
        ck_assert_uint_eq(bench.post->parcels[i].part, i % 140);
        n_empty += bench.post->parcels[i].n == 0;
    }
    ck_assert_uint_gt(n_empty, 0);
    stop(&bench);
}
END_TEST

// Arrivals of one window lie less than the lookahead apart: 50 us there, 6 us of service, 50 us of
// news; half as far when servers are elsewhere.
START_TEST(window_length)
{
    for (int remote = 0; remote < 2; remote++) {
        struct bench bench;
        init(&bench, "power-of-two");
        start(&bench, 3, remote);
        finish(&bench);
        int64_t longest_ns = 0, first_ns = 0;
        uint64_t window = UINT64_MAX;
        for (size_t i = 0; i < bench.post->n_parcels; i++) {
            const struct kept *parcel = &bench.post->parcels[i];
            const struct query *queries = bench.post->queries + parcel->first;
            if (parcel->window != window || queries[0].arrive_ns < first_ns)
                first_ns = queries[0].arrive_ns;
            window = parcel->window;
            int64_t length_ns = queries[parcel->n - 1].arrive_ns - first_ns;
            longest_ns = length_ns > longest_ns ? length_ns : longest_ns;
        }
        ck_assert_int_lt(longest_ns, remote ? 53000 : 106000);
        ck_assert_int_gt(longest_ns, remote ? 43000 : 96000); // arrivals are under 10 us apart
        stop(&bench);
    }
}
END_TEST

// Answers that come late, and in any order of parts, change no choice.
START_TEST(late_answers)
{
    for (int p = 0; policy_types[p]; p++) {
        struct bench here, away;
        init(&here, policy_types[p]->name);
        init(&away, policy_types[p]->name);
        start(&here, 1, false);
        start(&away, 5, true);
        finish(&here);
        finish(&away);
        struct query *a = handed_over(&here), *b = handed_over(&away);
        ck_assert_mem_eq(a, b, here.post->n_queries * sizeof *a);
        mem_free(a);
        mem_free(b);
        stop(&here);
        stop(&away);
    }
}
END_TEST

// Nor does the length of a window, down to a nanosecond, at home or away.
START_TEST(shorter_windows)
{
    static const int64_t windows_ns[] = {1, 1000, 37001, SIMTIME_S};
    for (int w = 0; w < 8; w++) {
        struct bench whole, cut;
        init(&whole, "join-shortest-queue");
        init(&cut, "join-shortest-queue");
        cut.fixture.config.window_ns = windows_ns[w % 4];
        start(&whole, 3, false);
        start(&cut, 3, w >= 4);
        finish(&whole);
        finish(&cut);
        struct query *a = handed_over(&whole), *b = handed_over(&cut);
        ck_assert_mem_eq(a, b, whole.post->n_queries * sizeof *a);
        if (windows_ns[w % 4] < 50000)
            ck_assert_uint_gt(balancer_n_windows(cut.balancer), balancer_n_windows(whole.balancer));
        mem_free(a);
        mem_free(b);
        stop(&whole);
        stop(&cut);
    }
}
END_TEST

// Without an answer a balancer goes on with one window more, and no further than a lookahead from
// the start of the window that lacks one.
START_TEST(waits_for_news)
{
    struct bench bench;
    init(&bench, "power-of-two");
    start(&bench, 3, true);
    while (balancer_step(bench.balancer) == BALANCER_ADVANCED)
        ;
    ck_assert_int_eq(balancer_step(bench.balancer), BALANCER_WAITS);
    ck_assert_uint_eq(balancer_n_windows(bench.balancer), 2);
    for (size_t i = 0; i < bench.post->n_queries; i++)
        ck_assert_int_lt(bench.post->queries[i].arrive_ns - bench.post->queries[0].arrive_ns,
                         106000);
    while (balancer_n_windows(bench.balancer) == 2) {
        ck_assert(answer_one(&bench, 0)); // of the first window, all must be answered
        balancer_step(bench.balancer);
    }
    ck_assert(!bench.post->parcels[bench.post->n_parcels - 1].answered);
    stop(&bench);
}
END_TEST

// Without room to send it waits, and goes on afterwards.
START_TEST(waits_for_room)
{
    struct bench bench;
    init(&bench, "random");
    start(&bench, 3, true);
    bench.post->full = true;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(balancer_step(bench.balancer), BALANCER_WAITS);
    ck_assert_uint_eq(bench.post->n_queries, 0);
    bench.post->full = false;
    finish(&bench);
    mem_free(handed_over(&bench));
    stop(&bench);
}
END_TEST

// At the end it closes once, waits for the last answers and stays done.
START_TEST(the_end)
{
    struct bench bench;
    init(&bench, "power-of-two");
    start(&bench, 3, true);
    finish(&bench);
    while (answer_one(&bench, 0))
        ck_abort_msg("done with parcels unanswered");
    ck_assert_uint_eq(bench.post->n_closed, 1);
    ck_assert_int_eq(balancer_reached_ns(bench.balancer), bench.fixture.config.duration_ns);
    ck_assert_int_eq(balancer_step(bench.balancer), BALANCER_DONE);
    ck_assert_uint_eq(bench.post->n_closed, 1);
    stop(&bench);
}
END_TEST

// A policy that reads no view asks for no answers: done when all is handed over.
START_TEST(no_answers_wanted)
{
    struct bench bench;
    init(&bench, "round-robin");
    start(&bench, 3, true);
    enum balancer_state state;
    while ((state = balancer_step(bench.balancer)) == BALANCER_ADVANCED)
        ;
    ck_assert_int_eq(state, BALANCER_DONE);
    mem_free(handed_over(&bench));
    stop(&bench);
}
END_TEST

// Servers 2 and 3 drain, and 5 crashes.
static void set_events(struct bench *bench)
{
    struct fixture *fixture = &bench->fixture;
    for (uint32_t i = 0; i < 2; i++)
        fixture->events[i] = (struct outage_event){.at_ns = 2 * SIMTIME_MS,
                                                   .for_ns = 3 * SIMTIME_MS,
                                                   .kind = OUTAGE_DRAIN,
                                                   .server = 2 + i};
    fixture->events[2] = (struct outage_event){
        .at_ns = 4 * SIMTIME_MS, .for_ns = 3 * SIMTIME_MS, .group = 1, .server = 1};
    fixture->config.outages.events = fixture->events;
    fixture->config.outages.n_events = 3;
    fixture->config.outages.detect_delay_ns = SIMTIME_MS;
}

// Arrivals of [from, until) that went to a server.
static size_t n_sent_to(const struct bench *bench, uint32_t server, double from_ms, double until_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < bench->post->n_queries; i++) {
        const struct query *query = &bench->post->queries[i];
        double at_ms = (double)query->arrive_ns / SIMTIME_MS;
        n += query->server == server && at_ms >= from_ms && at_ms < until_ms;
    }
    return n;
}

// A server that drains gets nothing from that nanosecond to its return; one that crashes goes on
// getting until the balancer has noticed, and again when it has noticed that it is back. With any
// policy, here and away.
START_TEST(goes_round_outages)
{
    for (int p = 0; policy_types[p]; p++)
        for (int remote = 0; remote < 2; remote++) {
            struct bench bench;
            init(&bench, policy_types[p]->name);
            set_events(&bench);
            start(&bench, 3, remote);
            finish(&bench);
            mem_free(handed_over(&bench));
            for (uint32_t server = 2; server < 4; server++) {
                ck_assert_uint_gt(n_sent_to(&bench, server, 0, 2), 10);
                ck_assert_uint_eq(n_sent_to(&bench, server, 2, 5), 0);
                ck_assert_uint_gt(n_sent_to(&bench, server, 5, 10), 10);
            }
            ck_assert_uint_gt(n_sent_to(&bench, 5, 4, 5), 5);
            ck_assert_uint_eq(n_sent_to(&bench, 5, 5, 8), 0);
            ck_assert_uint_gt(n_sent_to(&bench, 5, 8, 10), 5);
            stop(&bench);
        }
}
END_TEST

// While all servers are out queries go to any of them.
START_TEST(all_out)
{
    struct bench bench;
    init(&bench, "random");
    bench.fixture.events[0] = (struct outage_event){
        .at_ns = 3 * SIMTIME_MS, .for_ns = SIMTIME_MS, .kind = OUTAGE_DRAIN, .whole_cell = true};
    bench.fixture.config.outages.events = bench.fixture.events;
    bench.fixture.config.outages.n_events = 1;
    start(&bench, 1, false);
    finish(&bench);
    for (uint32_t server = 0; server < 8; server++)
        ck_assert_uint_gt(n_sent_to(&bench, server, 3, 4), 5);
    mem_free(handed_over(&bench));
    stop(&bench);
}
END_TEST

// Of a fleet that hardly ever loses a server: the losses are the test's.
static void set_retries(struct bench *bench)
{
    bench->fixture.config.outages.mtbf_s = 1e9;
    bench->fixture.config.outages.mttr_s = 1e-9;
    bench->fixture.config.outages.retries = 2;
    bench->fixture.config.duration_ns = 5 * SIMTIME_MS;
}

// Whatever was handed over, by number and attempt; a query that is lost must be there again as its
// next attempt, and nothing else. Caller frees.
static struct query *all_attempts(const struct bench *bench)
{
    const struct post *post = bench->post;
    struct query next, *all = mem_calloc(post->n_queries, sizeof *all);
    size_t n_first = 0, n_expected = bench->record->n_generated[0];
    memcpy(all, post->queries, post->n_queries * sizeof *all);
    qsort(all, post->n_queries, sizeof *all, by_seq);
    for (size_t i = 0; i < post->n_queries; i++) {
        n_first += query_attempt(&all[i]) == 0;
        if (!is_lost(post, &all[i], &next) || next.arrive_ns >= bench->fixture.config.duration_ns)
            continue;
        const struct query *found = bsearch(&next, all, post->n_queries, sizeof *all, by_seq);
        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(found->arrive_ns, next.arrive_ns);
        ck_assert_uint_eq(found->delay_us, next.delay_us);
        n_expected++;
    }
    ck_assert_uint_eq(n_first, bench->record->n_generated[0]);
    ck_assert_uint_eq(post->n_queries, n_expected);
    return all;
}

// Lost queries are routed once more, at their time, by every policy; answers that come late and in
// any order change neither which nor where they go.
START_TEST(retries)
{
    for (int p = 0; policy_types[p]; p++) {
        struct bench here, away;
        init(&here, policy_types[p]->name);
        init(&away, policy_types[p]->name);
        set_retries(&here);
        set_retries(&away);
        away.fixture.config.window_ns = 41 * SIMTIME_US;
        start(&here, 1, false);
        start(&away, 5, true);
        finish(&here);
        finish(&away);
        struct query *a = all_attempts(&here), *b = all_attempts(&away);
        ck_assert_uint_gt(here.post->n_queries, here.record->n_generated[0] * 6 / 5);
        ck_assert_uint_eq(here.post->n_queries, away.post->n_queries);
        ck_assert_mem_eq(a, b, here.post->n_queries * sizeof *a);
        int64_t last_ns[8] = {0};
        for (size_t i = 0; i < away.post->n_queries; i++) {
            const struct query *query = &away.post->queries[i];
            ck_assert_int_ge(query->arrive_ns, last_ns[query->server]);
            last_ns[query->server] = query->arrive_ns;
        }
        mem_free(a);
        mem_free(b);
        stop(&here);
        stop(&away);
    }
}
END_TEST

// Where lost queries come back the balancer waits for the last answers before it closes, even with
// a policy that reads no view.
START_TEST(closes_late)
{
    struct bench bench;
    init(&bench, "random");
    set_retries(&bench);
    bench.fixture.config.duration_ns = SIMTIME_MS / 10;
    start(&bench, 3, true);
    while (balancer_step(bench.balancer) == BALANCER_ADVANCED)
        ;
    ck_assert_int_eq(balancer_step(bench.balancer), BALANCER_WAITS);
    ck_assert_uint_eq(bench.post->n_closed, 0);
    finish(&bench);
    ck_assert_uint_eq(bench.post->n_closed, 1);
    mem_free(all_attempts(&bench));
    stop(&bench);
}
END_TEST

// Saved with retries waiting and some servers out, and taken up: the rest is the same.
START_TEST(saved)
{
    struct bench whole, cut;
    struct blob blob = {0};
    init(&whole, "power-of-two");
    init(&cut, "power-of-two");
    set_retries(&whole);
    set_retries(&cut);
    set_events(&whole);
    set_events(&cut);
    start(&whole, 1, false);
    start(&cut, 1, false);
    finish(&whole);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(balancer_step(cut.balancer), BALANCER_ADVANCED);
    ck_assert_int_gt(balancer_reached_ns(cut.balancer), 5 * SIMTIME_MS / 2);
    ck_assert_int_ge(balancer_next_ns(cut.balancer), balancer_reached_ns(cut.balancer));
    balancer_save(cut.balancer, &blob);
    balancer_destroy(cut.balancer);
    struct balancer_setup setup = {.fleet = &cut.fixture.config,
                                   .layout = cut.layout,
                                   .tabs = (const struct svctab *const *)cut.fixture.tabs,
                                   .exchange = &cut.post->base,
                                   .record = cut.record};
    cut.balancer = balancer_create(&setup, NULL);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    ck_assert_int_eq(balancer_load(cut.balancer, &reader, NULL), 0);
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
    finish(&cut);
    ck_assert_uint_eq(cut.post->n_queries, whole.post->n_queries);
    ck_assert_mem_eq(cut.post->queries, whole.post->queries,
                     whole.post->n_queries * sizeof *whole.post->queries);
    ck_assert_uint_eq(cut.record->n_generated[0], whole.record->n_generated[0]);
    blob_release(&blob);
    stop(&whole);
    stop(&cut);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Service times without a shortest one: the delays alone make the lookahead, 51 ns here.
START_TEST(short_lookahead)
{
    struct bench whole, cut;
    init(&whole, "power-of-two");
    whole.fixture.config.duration_ns = SIMTIME_MS;
    whole.fixture.groups[0].noise = (struct noise_config){.spread = SPREAD_EXPONENTIAL, .cv = 0};
    whole.fixture.config.balancer.dispatch_delay_ns = 50;
    whole.fixture.config.balancer.status_delay_ns = 1;
    init(&cut, "power-of-two");
    cut.fixture.config.duration_ns = SIMTIME_MS;
    cut.fixture.groups[0].noise = whole.fixture.groups[0].noise;
    cut.fixture.config.balancer = whole.fixture.config.balancer;
    start(&whole, 1, false);
    start(&cut, 4, true);
    finish(&whole);
    finish(&cut);
    struct query *a = handed_over(&whole), *b = handed_over(&cut);
    ck_assert_mem_eq(a, b, whole.post->n_queries * sizeof *a);
    mem_free(a);
    mem_free(b);
    stop(&whole);
    stop(&cut);
}
END_TEST

// ---- errors -------------------------------------------------------------------------------------

// Traffic that is none: no balancer, and the reason.
START_TEST(bad_traffic)
{
    struct bench bench;
    struct err err = {0};
    init(&bench, "power-of-two");
    start(&bench, 1, false);
    bench.fixture.services[0].traffic.rate_qps = 0;
    struct balancer_setup setup = {.fleet = &bench.fixture.config,
                                   .layout = bench.layout,
                                   .tabs = (const struct svctab *const *)bench.fixture.tabs,
                                   .exchange = &bench.post->base,
                                   .record = bench.record};
    ck_assert_ptr_null(balancer_create(&setup, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_nonnull(strstr(err.text, "rate"));
    balancer_destroy(NULL);
    stop(&bench);
}
END_TEST

// Between two arrivals that are hours apart, and after the last, servers are told how time passes,
// at most some ten thousand steps at a time; and where it stands still in between is no later.
START_TEST(idle_hours)
{
    for (int ranks = 1; ranks <= 3; ranks += 2) {
        struct bench bench;
        init(&bench, "round-robin");
        bench.fixture.services[0].traffic.rate_qps = 1e-3;
        bench.fixture.config.duration_ns = 4000 * SIMTIME_S;
        bench.fixture.config.outages = (struct outage_config){.mtbf_s = 1, .mttr_s = 1};
        start(&bench, ranks, false);
        uint32_t n_servers = bench.layout->n_servers[0], n_parts = bench.layout->n_parts;
        double steps_per_s = 2.0 * n_servers / 2; // and as many that the balancer sees
        int64_t last_ns = 0;
        enum balancer_state state;
        while ((state = balancer_step(bench.balancer)) != BALANCER_DONE) {
            int64_t next_ns = balancer_next_ns(bench.balancer);
            ck_assert_int_ne(state, BALANCER_WAITS);
            ck_assert_int_ge(next_ns, last_ns);
            ck_assert_double_le(simtime_to_s(next_ns - last_ns) * steps_per_s, 16384);
            last_ns = next_ns;
        }
        ck_assert_int_eq(last_ns, bench.fixture.config.duration_ns - 1);
        ck_assert_uint_gt(bench.post->n_queries, 0);
        ck_assert_uint_ge(bench.post->n_passes / n_parts, (uint64_t)(4000 * steps_per_s / 16384));
        stop(&bench);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", parcels},         {"core", window_length},     {"core", late_answers},
        {"core", shorter_windows}, {"core", waits_for_news},    {"core", waits_for_room},
        {"core", the_end},         {"core", no_answers_wanted}, {"core", goes_round_outages},
        {"core", retries},         {"core", closes_late},       {"core", saved},
        {"limits", all_out},       {"limits", short_lookahead}, {"limits", idle_hours},
        {"core", many_parts},      {"core", parcels_for_all},   {"errors", bad_traffic}};
    return suite_run("balancer", tests, sizeof tests / sizeof *tests);
}
