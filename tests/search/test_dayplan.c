// SPDX-License-Identifier: Apache-2.0
#include "search/dayplan.h"

#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "support/suite.h"

enum { N = 8, MOST_DAY = 48, MOST_TYPES = 3, MOST_CELLS = MOST_DAY * MOST_TYPES };

static struct dayplan_config config_of(double startup_s, double min_on_s)
{
    return (struct dayplan_config){.n_intervals = N,
                                   .n_types = 1,
                                   .interval_s = 900,
                                   .startup_s = startup_s,
                                   .min_on_s = min_on_s};
}

static void assert_day(const struct dayplan_config *config, enum dayplan_strategy strategy,
                       const uint32_t needed[N], const uint32_t on[N], const uint32_t started[N])
{
    uint32_t on_is[N], started_is[N];
    dayplan_fill(config, strategy, needed, on_is, started_is);
    for (int i = 0; i < N; i++) {
        ck_assert_msg(on_is[i] == on[i], "on[%d] is %u, not %u", i, on_is[i], on[i]);
        ck_assert_msg(started_is[i] == started[i], "started[%d] is %u, not %u", i, started_is[i],
                      started[i]);
    }
}

static const uint32_t NEEDED[N] = {1, 0, 0, 2, 5, 3, 0, 0}, NONE[N];

// Peak: what the worst interval needs, all day, and nothing is ever switched.
START_TEST(peak_is_flat)
{
    struct dayplan_config config = config_of(60, 3600);
    assert_day(&config, DAYPLAN_PEAK, NEEDED, (uint32_t[N]){5, 5, 5, 5, 5, 5, 5, 5}, NONE);
}
END_TEST

// Without start-up and minimum on-time what is on is what is needed; starts are its rises, the
// first from the end of the day before.
START_TEST(follows_exactly)
{
    struct dayplan_config config = config_of(0, 0);
    const uint32_t started[N] = {1, 0, 0, 2, 3, 0, 0, 0};
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, NEEDED, started);
    config.min_on_s = 900; // one interval, which is on in any case
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, NEEDED, started);
}
END_TEST

// An hour and a bit is five quarters: each need is felt for four more, over midnight as well.
START_TEST(stays_on)
{
    struct dayplan_config config = config_of(0, 901);
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, (uint32_t[N]){1, 1, 0, 2, 5, 5, 3, 0},
               (uint32_t[N]){1, 0, 0, 2, 3, 0, 0, 0});
    config.min_on_s = 3601;
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, (uint32_t[N]){5, 3, 1, 2, 5, 5, 5, 5},
               (uint32_t[N]){0, 0, 0, 1, 3, 0, 0, 0});
}
END_TEST

// Gaps no longer than the start-up are not worth switching off for: two quarters of an hour are
// bridged from half an hour on, at the level of the lower side.
START_TEST(short_gaps_are_bridged)
{
    struct dayplan_config config = config_of(1799, 0);
    const uint32_t started[N] = {1, 0, 0, 2, 3, 0, 0, 0};
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, NEEDED, started);
    config.startup_s = 1800;
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, (uint32_t[N]){1, 1, 1, 2, 5, 3, 1, 1},
               (uint32_t[N]){0, 0, 0, 1, 3, 0, 0, 0});
}
END_TEST

// Server-seconds: 11 intervals on, 6 starts of a minute.
START_TEST(times_add_up)
{
    struct dayplan_config config = config_of(60, 0);
    uint32_t on[N], started[N];
    dayplan_fill(&config, DAYPLAN_FOLLOW, NEEDED, on, started);
    struct dayplan_time time = dayplan_time(&config, on, started, 0);
    ck_assert_double_eq(time.on_s, 11 * 900.0);
    ck_assert_double_eq(time.starting_s, 6 * 60.0);
}
END_TEST

// A minimum on-time, or a start-up, of a day or more: what peak does.
START_TEST(longer_than_a_day)
{
    const uint32_t flat[N] = {5, 5, 5, 5, 5, 5, 5, 5};
    struct dayplan_config config = config_of(0, N * 900);
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, flat, NONE);
    config = config_of(0, 1e300);
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, flat, NONE);
    // With a start-up of a day the gap goes on to the next day's peak.
    config = config_of(1e300, 0);
    assert_day(&config, DAYPLAN_FOLLOW, NEEDED, flat, NONE);
}
END_TEST

// A day of one interval, and of none.
START_TEST(shortest_days)
{
    struct dayplan_config config = {
        .n_intervals = 1, .n_types = 1, .interval_s = 1, .startup_s = 10, .min_on_s = 10};
    uint32_t needed = 4, on = 0, started = 9;
    for (int strategy = 0; strategy < N_DAYPLAN_STRATEGIES; strategy++) {
        dayplan_fill(&config, (enum dayplan_strategy)strategy, &needed, &on, &started);
        ck_assert_uint_eq(on, 4);
        ck_assert_uint_eq(started, 0);
    }
    config.n_intervals = 0;
    dayplan_fill(&config, DAYPLAN_FOLLOW, &needed, &on, &started);
    ck_assert_double_eq(dayplan_time(&config, &on, &started, 0).on_s, 0);
}
END_TEST

// Times in decimal fractions: 0.3 s are three intervals of 0.1 s, not four.
START_TEST(decimal_times)
{
    struct dayplan_config config = config_of(0, 0.3);
    config.interval_s = 0.1;
    const uint32_t needed[N] = {0, 1, 0, 0, 0, 0, 0, 0};
    assert_day(&config, DAYPLAN_FOLLOW, needed, (uint32_t[N]){0, 1, 1, 1, 0, 0, 0, 0},
               (uint32_t[N]){0, 1, 0, 0, 0, 0, 0, 0});
}
END_TEST

// ---- properties ---------------------------------------------------------------------------------

static uint32_t draw(uint64_t seed, uint64_t i, uint32_t n)
{
    struct rng_stream stream = rng_stream(seed, RNG_TEST, 0);
    uint64_t words[2];
    rng_block(&stream, i, words);
    return rng_below((uint32_t)words[0], n);
}

struct day {
    struct dayplan_config config;
    uint32_t needed[MOST_CELLS], on[MOST_CELLS], started[MOST_CELLS];
};

static struct day random_day(uint64_t seed)
{
    struct day day = {.config = {.n_intervals = 1 + draw(seed, 0, MOST_DAY),
                                 .n_types = 1 + draw(seed, 1, MOST_TYPES),
                                 .interval_s = 600,
                                 .startup_s = 100 * draw(seed, 2, 30),
                                 .min_on_s = 100 * draw(seed, 3, 60)}};
    for (uint32_t i = 0; i < MOST_CELLS; i++)
        day.needed[i] = draw(seed, 4 + i, 3) ? 0 : draw(seed, 1000 + i, 10);
    dayplan_fill(&day.config, DAYPLAN_FOLLOW, day.needed, day.on, day.started);
    return day;
}

static uint32_t at(const struct day *day, const uint32_t *v, uint32_t interval, uint32_t type)
{
    return v[(size_t)(interval % day->config.n_intervals) * day->config.n_types + type];
}

// How many intervals from `from` on the type has at least (or below) `level` on, up to a day.
static uint32_t stretch(const struct day *day, uint32_t from, uint32_t type, uint32_t level,
                        bool at_least)
{
    uint32_t n = 0;
    while (n < day->config.n_intervals && (at(day, day->on, from + n, type) >= level) == at_least)
        n++;
    return n;
}

// The server that is on whenever at least `level` are: whenever it starts it stays for the minimum
// on-time, and it was off for longer than it takes to start.
static void check_server(const struct day *day, uint32_t type, uint32_t level)
{
    const struct dayplan_config *config = &day->config;
    uint32_t n = config->n_intervals;
    for (uint32_t i = 0; i < n; i++) {
        bool now = at(day, day->on, i, type) >= level;
        bool before = at(day, day->on, i + n - 1, type) >= level;
        if (now && !before)
            ck_assert_double_ge(stretch(day, i, type, level, true) * config->interval_s,
                                config->min_on_s);
        if (!now && before)
            ck_assert_double_gt(stretch(day, i, type, level, false) * config->interval_s,
                                config->startup_s);
    }
}

// 500 days: enough is on, never more than the peak, starts are the rises and as many as the falls,
// and every server keeps to the rules.
START_TEST(every_day_keeps_the_rules)
{
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct day day = random_day(seed);
        uint32_t n = day.config.n_intervals;
        for (uint32_t h = 0; h < day.config.n_types; h++) {
            uint32_t peak = 0, n_started = 0, n_stopped = 0;
            for (uint32_t i = 0; i < n; i++) {
                uint32_t now = at(&day, day.on, i, h), before = at(&day, day.on, i + n - 1, h);
                ck_assert_uint_ge(now, at(&day, day.needed, i, h));
                ck_assert_uint_eq(at(&day, day.started, i, h), now > before ? now - before : 0);
                n_started += at(&day, day.started, i, h);
                n_stopped += before > now ? before - now : 0;
                peak = at(&day, day.needed, i, h) > peak ? at(&day, day.needed, i, h) : peak;
            }
            ck_assert_uint_eq(n_started, n_stopped);
            for (uint32_t i = 0; i < n; i++)
                ck_assert_uint_le(at(&day, day.on, i, h), peak);
            for (uint32_t level = 1; level <= peak; level++)
                check_server(&day, h, level);
        }
    }
}
END_TEST

// The day has no beginning: turned by some intervals, the answer turns with it.
START_TEST(day_may_begin_anywhere)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct day day = random_day(seed), turned = day;
        uint32_t n = day.config.n_intervals, n_types = day.config.n_types;
        uint32_t by = draw(seed, 2000, n);
        for (uint32_t i = 0; i < n; i++)
            memcpy(&turned.needed[i * n_types], &day.needed[(i + by) % n * n_types],
                   n_types * sizeof *day.needed);
        dayplan_fill(&turned.config, DAYPLAN_FOLLOW, turned.needed, turned.on, turned.started);
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t h = 0; h < n_types; h++) {
                ck_assert_uint_eq(at(&turned, turned.on, i, h), at(&day, day.on, i + by, h));
                ck_assert_uint_eq(at(&turned, turned.started, i, h),
                                  at(&day, day.started, i + by, h));
            }
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", peak_is_flat},
        {"core", follows_exactly},
        {"core", stays_on},
        {"core", short_gaps_are_bridged},
        {"core", times_add_up},
        {"core", every_day_keeps_the_rules},
        {"core", day_may_begin_anywhere},
        {"limits", longer_than_a_day},
        {"limits", shortest_days},
        {"limits", decimal_times},
    };
    return suite_run("dayplan", tests, sizeof tests / sizeof *tests);
}
