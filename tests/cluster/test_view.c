// SPDX-License-Identifier: Apache-2.0
#include "cluster/view.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_SERVERS = 23, MOST_NEWS = 60000 };

// The same knowledge without a calendar: every report stays in a list until it is heard.
struct list {
    int64_t load[N_SERVERS];
    struct {
        int64_t heard_ns, weight;
        uint32_t server;
    } news[MOST_NEWS];
    size_t n;
    int64_t status_delay_ns, report_period_ns;
};

static int64_t list_heard_ns(const struct list *list, int64_t end_ns)
{
    int64_t period_ns = list->report_period_ns, at_ns = end_ns;
    if (period_ns > 0)
        at_ns = (end_ns / period_ns + (end_ns % period_ns > 0)) * period_ns;
    return at_ns + list->status_delay_ns;
}

static void list_report(struct list *list, const struct completion *report)
{
    if (list->n == MOST_NEWS)
        ck_abort_msg("more news than the test has room for");
    list->news[list->n].heard_ns = list_heard_ns(list, report->end_ns);
    list->news[list->n].weight = report->weight;
    list->news[list->n++].server = report->server;
}

static void list_advance(struct list *list, int64_t t_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->news[i].heard_ns <= t_ns)
            list->load[list->news[i].server] -= list->news[i].weight;
        else
            list->news[kept++] = list->news[i];
    }
    list->n = kept;
}

// What a random walk does: how time moves and how far ahead completions lie.
struct walk {
    struct view_config config;
    uint32_t gap_ns;       // mean step of time
    uint32_t ahead_ns;     // completions are heard up to this after the present, mostly
    uint32_t far_ahead_ns; // and one in sixteen up to this
    uint32_t jump_ns;      // one step in 200 is up to this
    int64_t most_weight;
};

static int64_t draw_weight(uint64_t seed, uint64_t i, int64_t most)
{
    return 1 + fixture_draw(seed, i, UINT32_MAX) % most;
}

// One query: sent, and its completion reported at once, to both.
static void send_one(struct view *view, struct list *list, const struct walk *walk, uint64_t i,
                     int64_t t_ns)
{
    uint32_t reach = fixture_draw(2, i, 16) == 0 ? walk->far_ahead_ns : walk->ahead_ns;
    struct completion report = {.end_ns = t_ns + 1 + fixture_draw(3, i, reach),
                                .weight = draw_weight(4, i, walk->most_weight),
                                .server = fixture_draw(5, i, N_SERVERS)};
    view_sent(view, report.server, report.weight);
    list->load[report.server] += report.weight;
    view_report(view, &report, 1);
    list_report(list, &report);
}

static void assert_loads(const struct view *view, const struct list *list, uint64_t step)
{
    for (uint32_t s = 0; s < N_SERVERS; s++)
        if (view_load_of(view, s) != list->load[s])
            ck_abort_msg("step %llu, server %u: load %lld, not %lld", (unsigned long long)step, s,
                         (long long)view_load_of(view, s), (long long)list->load[s]);
}

// The same view after a restart, its news in lanes where it was in the calendar and the reverse.
static struct view *restart(struct view *view, struct view_config *config)
{
    struct blob blob = {0};
    view_save(view, &blob);
    view_destroy(view);
    config->in_lanes = !config->in_lanes;
    view = view_create(config);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    view_load(view, &reader);
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
    blob_release(&blob);
    return view;
}

static void assert_walk_once(const struct walk *walk, uint32_t n_steps, bool in_lanes)
{
    struct view_config config = walk->config;
    config.in_lanes = in_lanes;
    struct view *view = view_create(&config);
    struct list *list = mem_calloc(1, sizeof *list);
    list->status_delay_ns = walk->config.status_delay_ns;
    list->report_period_ns = walk->config.report_period_ns;
    int64_t t_ns = 0;
    for (uint64_t i = 0; i < n_steps; i++) {
        bool jumps = fixture_draw(6, i, 200) == 0;
        t_ns += fixture_draw(7, i, jumps ? walk->jump_ns : 2 * walk->gap_ns);
        view_advance(view, t_ns);
        list_advance(list, t_ns);
        assert_loads(view, list, i);
        if (i % 1000 == 999)
            view = restart(view, &config);
        for (uint64_t j = 0; j < 3; j++)
            send_one(view, list, walk, 3 * i + j, t_ns);
    }
    t_ns += 10 * (int64_t)walk->far_ahead_ns + walk->config.report_period_ns +
            walk->config.status_delay_ns;
    view_advance(view, t_ns);
    for (uint32_t s = 0; s < N_SERVERS; s++)
        ck_assert_int_eq(view_load_of(view, s), 0);
    view_destroy(view);
    mem_free(list);
}

static void assert_walk(const struct walk *walk, uint32_t n_steps)
{
    assert_walk_once(walk, n_steps, false);
    assert_walk_once(walk, n_steps, true);
}

static struct walk usual(void)
{
    return (struct walk){.config = {.n_servers = N_SERVERS,
                                    .status_delay_ns = 50000,
                                    .reports_per_ns = 1e-3,
                                    .lookahead_ns = 150000,
                                    .horizon_ns = 600000},
                         .gap_ns = 3000,
                         .ahead_ns = 500000,
                         .far_ahead_ns = 900000,
                         .jump_ns = 100000,
                         .most_weight = 9};
}

// A usual cell: everything heard inside a turn of the calendar.
START_TEST(inside_a_turn)
{
    struct walk walk = usual();
    assert_walk(&walk, 20000);
}
END_TEST

// Servers that report at multiples of a period, shorter and longer than the lookahead.
START_TEST(by_period)
{
    static const int64_t periods_ns[] = {7, 1000, 100000, 333333};
    for (int i = 0; i < 4; i++) {
        struct walk walk = usual();
        walk.config.report_period_ns = periods_ns[i];
        assert_walk(&walk, 5000);
    }
}
END_TEST

// Completions far beyond a turn of the calendar, behind an overloaded server.
START_TEST(far_ahead)
{
    struct walk walk = usual();
    walk.far_ahead_ns = 400 * 1000000;
    walk.jump_ns = 20 * 1000000;
    assert_walk(&walk, 6000);
}
END_TEST

// Hardly any lookahead: nearly everything is heard in the bucket that time is in, and sorted late.
START_TEST(late_inserts)
{
    struct walk walk = usual();
    walk.config.status_delay_ns = 0;
    walk.config.lookahead_ns = 1;
    walk.gap_ns = 20;
    walk.ahead_ns = 300;
    walk.far_ahead_ns = 100000;
    walk.jump_ns = 3000;
    assert_walk(&walk, 20000);
}
END_TEST

// Days without a query after news that is a little ahead: the gap is not walked bucket by bucket.
static void days_of_silence_in(bool in_lanes)
{
    struct view_config config = {.n_servers = 2,
                                 .status_delay_ns = SIMTIME_US,
                                 .reports_per_ns = 2,
                                 .lookahead_ns = SIMTIME_US,
                                 .horizon_ns = SIMTIME_MS,
                                 .in_lanes = in_lanes};
    struct view *view = view_create(&config);
    view_advance(view, 10);
    view_sent(view, 1, 5);
    view_report(view, &(struct completion){.end_ns = 10 * SIMTIME_MS, .weight = 5, .server = 1}, 1);
    ck_assert_int_eq(view_load_of(view, 1), 5);
    view_advance(view, INT64_C(3) * 86400 * SIMTIME_S);
    ck_assert_int_eq(view_load_of(view, 1), 0);
    view_destroy(view);
}

START_TEST(days_of_silence)
{
    days_of_silence_in(false);
    days_of_silence_in(true);
}
END_TEST

// Long times without queries, many turns each.
START_TEST(idle_gaps)
{
    struct walk walk = usual();
    walk.jump_ns = 2000000000;
    assert_walk(&walk, 4000);
}
END_TEST

// Ever more news ever further ahead, thousands of turns: what a fleet beyond its capacity reports.
START_TEST(far_behind_a_backlog)
{
    struct walk walk = usual();
    walk.config.horizon_ns = SIMTIME_MS;
    walk.gap_ns = 200000;
    walk.far_ahead_ns = 4000000000;
    assert_walk(&walk, 20000);
}
END_TEST

// Nearly all equal times, and calendars of any shape.
START_TEST(shapes)
{
    static const double rates[] = {1e-9, 1e-5, 1e-2, 10};
    static const int64_t lookaheads_ns[] = {0, 10, 5000, 20000000};
    for (int i = 0; i < 16; i++) {
        struct walk walk = usual();
        walk.config.reports_per_ns = rates[i % 4];
        walk.config.lookahead_ns = lookaheads_ns[i / 4];
        walk.config.horizon_ns = 1;
        walk.gap_ns = 2;
        walk.ahead_ns = 40;
        walk.far_ahead_ns = 3000000;
        assert_walk(&walk, 1500);
    }
}
END_TEST

// Work in nanoseconds is heavier than 32 bits tell.
static void heavy_in(bool in_lanes)
{
    struct view_config config = usual().config;
    config.in_lanes = in_lanes;
    struct view *view = view_create(&config);
    const int64_t weights[] = {UINT32_MAX, INT64_C(4294967296), 5 * (int64_t)UINT32_MAX + 7};
    struct completion reports[3];
    for (uint32_t i = 0; i < 3; i++) {
        reports[i] = (struct completion){.end_ns = 1000, .weight = weights[i], .server = i};
        view_sent(view, i, weights[i] + 11);
    }
    view_report(view, reports, 3);
    view_advance(view, 50999);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(view_load_of(view, i), weights[i] + 11);
    view_advance(view, 51000);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(view_load_of(view, i), 11);
    view_destroy(view);
}

START_TEST(heavy)
{
    heavy_in(false);
    heavy_in(true);
}
END_TEST

// News is heard at its time and not before, however time gets there; a whole second goes by in one
// step.
static void to_the_nanosecond_in(bool in_lanes)
{
    for (int64_t step_ns = 1; step_ns <= SIMTIME_S; step_ns *= 1000) {
        struct view_config config = usual().config;
        config.in_lanes = in_lanes;
        struct view *view = view_create(&config);
        view_sent(view, 3, 5);
        view_report(view, &(struct completion){.end_ns = SIMTIME_S, .weight = 5, .server = 3}, 1);
        for (int64_t t_ns = SIMTIME_S - 3 * step_ns; t_ns < SIMTIME_S; t_ns += step_ns)
            if (t_ns >= 0)
                view_advance(view, t_ns);
        view_advance(view, SIMTIME_S + 49999);
        ck_assert_int_eq(view_load_of(view, 3), 5);
        view_advance(view, SIMTIME_S + 50000);
        ck_assert_int_eq(view_load_of(view, 3), 0);
        view_destroy(view);
    }
}

START_TEST(to_the_nanosecond)
{
    to_the_nanosecond_in(false);
    to_the_nanosecond_in(true);
}
END_TEST

// A great many reports of one moment fill many pieces of one bucket.
static void one_moment_in(bool in_lanes)
{
    enum { N = 5000 };
    struct view_config config = usual().config;
    config.in_lanes = in_lanes;
    struct view *view = view_create(&config);
    struct completion *reports = mem_calloc(N, sizeof *reports);
    for (uint32_t i = 0; i < N; i++) {
        reports[i] =
            (struct completion){.end_ns = 200000 + i % 3, .weight = 1, .server = i % N_SERVERS};
        view_sent(view, i % N_SERVERS, 1);
    }
    view_report(view, reports, N);
    view_advance(view, 250001);
    uint64_t left = 0;
    for (uint32_t s = 0; s < N_SERVERS; s++)
        left += (uint64_t)view_load_of(view, s);
    ck_assert_uint_eq(left, N / 3); // those with i % 3 == 2
    view_advance(view, 250002);
    for (uint32_t s = 0; s < N_SERVERS; s++)
        ck_assert_int_eq(view_load_of(view, s), 0);
    mem_free(reports);
    view_destroy(view);
    view_destroy(NULL);
}

START_TEST(one_moment)
{
    one_moment_in(false);
    one_moment_in(true);
}
END_TEST

// Lanes are added while many reports find none free, up to a bound; then the calendar takes the
// rest.
START_TEST(crowded_lanes)
{
    struct walk walk = usual();
    walk.gap_ns = 500;
    assert_walk(&walk, 12000);
    walk.config.in_lanes = true;
    struct view *view = view_create(&walk.config);
    uint32_t n_planes = view->due.n_planes;
    for (uint32_t i = 0; i < 100000; i++) {
        view_advance(view, i);
        view_sent(view, i % N_SERVERS, 1);
        view_report(view, &(struct completion){i + 1000000, 1, i % N_SERVERS, 0}, 1);
    }
    ck_assert_uint_eq(n_planes, 1);
    ck_assert_uint_eq(view->due.n_planes, DUE_MOST_PLANES);
    for (uint32_t s = 0; s < N_SERVERS; s++)
        ck_assert_int_eq(view_load_of(view, s), 100000 / N_SERVERS + (s < 100000 % N_SERVERS));
    view_destroy(view);
}
END_TEST

// Of what no lane reaches more lanes would take nothing.
START_TEST(beyond_reach)
{
    struct walk walk = usual();
    walk.config.in_lanes = true;
    struct view *view = view_create(&walk.config);
    for (uint32_t i = 0; i < 10000; i++) {
        view_advance(view, i);
        view_sent(view, i % N_SERVERS, 1);
        view_report(view, &(struct completion){i + 3 * SIMTIME_S, 1, i % N_SERVERS, 0}, 1);
    }
    ck_assert_uint_eq(view->due.n_planes, 1);
    ck_assert_int_eq(view_load_of(view, 0), 10000 / N_SERVERS + 1);
    view_destroy(view);
}
END_TEST

// Where lanes suffice, nothing is in the calendar, and it does not turn.
START_TEST(nothing_but_lanes)
{
    struct walk walk = usual();
    walk.config.in_lanes = true;
    struct view *view = view_create(&walk.config);
    for (uint32_t i = 0; i < 3000; i++) {
        view_advance(view, i * INT64_C(10000000));
        view_sent(view, i % N_SERVERS, 7);
        struct completion report = {i * INT64_C(10000000) + 2000000000, 7, i % N_SERVERS, 0};
        report.end_ns -= i % N_SERVERS ? 1900000000 : 0; // most soon, some two seconds later
        view_report(view, &report, 1);
    }
    ck_assert_uint_eq(view->due.n_planes, 1);
    ck_assert_uint_gt(view->n_waiting + view->n_staged, 0); // those of server 0
    for (uint32_t s = 1; s < N_SERVERS; s++)
        ck_assert_int_eq(*view_rest(view, s), 0);
    view_destroy(view);
}
END_TEST

// A file that cannot be a view's is refused.
START_TEST(refuses)
{
    struct view_config config = {.n_servers = 1, .status_delay_ns = 5, .reports_per_ns = 1};
    const int64_t files[][6] = {
        {0, -1, 0, 0, 0},                       // before the beginning
        {0, 100, 2, 200, INT64_C(1) << 32},     // one piece of news, not two
        {0, 100, 1, 200, INT64_C(1) << 32 | 1}, // of a server that is not there
        {0, 100, 1, 100, INT64_C(1) << 32},     // which has been heard
    };
    for (int i = 0; i < 4; i++) {
        struct view *view = view_create(&config);
        struct blob_reader reader = blob_read(files[i], 5 * sizeof files[i][0]);
        view_load(view, &reader);
        ck_assert(reader.short_of);
        view_destroy(view);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", inside_a_turn},
                                       {"core", by_period},
                                       {"core", far_ahead},
                                       {"core", late_inserts},
                                       {"limits", idle_gaps},
                                       {"limits", days_of_silence},
                                       {"limits", shapes},
                                       {"limits", heavy},
                                       {"limits", to_the_nanosecond},
                                       {"limits", one_moment},
                                       {"limits", far_behind_a_backlog},
                                       {"limits", crowded_lanes},
                                       {"limits", beyond_reach},
                                       {"limits", nothing_but_lanes},
                                       {"errors", refuses}};
    return suite_run("view", tests, sizeof tests / sizeof *tests);
}
