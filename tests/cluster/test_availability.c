// SPDX-License-Identifier: Apache-2.0
#include "cluster/availability.h"

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_SERVERS = 6, END_NS = 1000 };

static const uint32_t n_on[] = {3, 6, 2, 4, 1};
static const struct outage_event events[] = {{.at_ns = 40, .for_ns = 30, .server = 0},
                                             {.at_ns = 390, .for_ns = 300, .server = 3},
                                             {.at_ns = 700, .for_ns = 50, .server = 1}};

static void init(struct fixture *fixture)
{
    fixture_init(fixture, 1, 1);
    fixture->config.duration_ns = END_NS;
    fixture->groups[0].n_servers = N_SERVERS;
    fixture->groups[0].on = (struct on_schedule){n_on, 5, 100, 20, 10};
    fixture->config.outages =
        (struct outage_config){.mtbf_s = 300e-9, .mttr_s = 60e-9, .events = events, .n_events = 3};
}

static void pass(struct availability *availability, int64_t t_ns, int64_t begin_ns)
{
    struct outage_change change;
    while (availability_next_ns(availability) <= t_ns)
        availability_next(availability, begin_ns, &change);
}

// Nanosecond by nanosecond, from the changes themselves: up and powered?
static void spell_out(const struct fixture *fixture, const struct layout *layout,
                      bool up[N_SERVERS][END_NS], bool powered[N_SERVERS][END_NS])
{
    struct outage_setup setup = {&fixture->config, layout, 0, 1, OUTAGE_SERVERS};
    struct outage *outage = outage_create(&setup);
    bool is_up[N_SERVERS], has_power[N_SERVERS];
    for (uint32_t s = 0; s < N_SERVERS; s++)
        is_up[s] = has_power[s] = true;
    for (int64_t t_ns = 0; t_ns < END_NS; t_ns++) {
        while (outage_peek_ns(outage) <= t_ns) {
            struct outage_change change;
            outage_next(outage, &change);
            is_up[change.server] = change.up;
            has_power[change.server] = change.powered;
        }
        for (uint32_t s = 0; s < N_SERVERS; s++) {
            up[s][t_ns] = is_up[s];
            powered[s][t_ns] = has_power[s];
        }
    }
    outage_destroy(outage);
}

// At every nanosecond: `until` is when the server next goes down, or is over when it is down.
START_TEST(until)
{
    static bool up[N_SERVERS][END_NS], powered[N_SERVERS][END_NS];
    struct fixture fixture;
    init(&fixture);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    struct availability *availability = availability_create(&fixture.config, layout, 0);
    spell_out(&fixture, layout, up, powered);
    for (int64_t t_ns = 0; t_ns < END_NS; t_ns++) {
        pass(availability, t_ns, 0);
        for (uint32_t s = 0; s < N_SERVERS; s++) {
            int64_t down_ns = t_ns;
            while (down_ns < END_NS && up[s][down_ns])
                down_ns++;
            if (up[s][t_ns])
                ck_assert_int_eq(availability->until_ns[s],
                                 down_ns < END_NS ? down_ns : SIMTIME_NEVER);
            else
                ck_assert_int_le(availability->until_ns[s], t_ns);
        }
    }
    availability_destroy(availability);
    layout_destroy(layout);
}
END_TEST

// Bins of any length, down to a nanosecond: time under power in each is what the changes say.
START_TEST(powered_time)
{
    static bool up[N_SERVERS][END_NS], powered[N_SERVERS][END_NS];
    struct fixture fixture;
    init(&fixture);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    spell_out(&fixture, layout, up, powered);
    for (int64_t bin_ns = 1; bin_ns <= END_NS; bin_ns = 3 * bin_ns + 1) {
        struct availability *availability = availability_create(&fixture.config, layout, 0);
        for (int64_t begin_ns = 0; begin_ns < END_NS; begin_ns += bin_ns) {
            int64_t end_ns = begin_ns + bin_ns < END_NS ? begin_ns + bin_ns : END_NS;
            pass(availability, end_ns - 1, begin_ns);
            for (uint32_t s = 0; s < N_SERVERS; s++) {
                int64_t powered_ns = 0;
                for (int64_t t_ns = begin_ns; t_ns < end_ns; t_ns++)
                    powered_ns += powered[s][t_ns];
                ck_assert_int_eq(availability_powered_ns(availability, s, begin_ns, end_ns),
                                 powered_ns);
            }
        }
        availability_destroy(availability);
    }
    layout_destroy(layout);
}
END_TEST

// Taken up in the middle: all changes so far at once, counted from the open bin's beginning, leave
// what taking them in their bins leaves.
START_TEST(taken_up)
{
    struct fixture fixture;
    init(&fixture);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    for (int64_t now_ns = 0; now_ns < END_NS; now_ns += 7) {
        struct availability *whole = availability_create(&fixture.config, layout, 0);
        struct availability *again = availability_create(&fixture.config, layout, 0);
        int64_t begin_ns = 0, bin_ns = 130;
        for (; begin_ns + bin_ns <= now_ns; begin_ns += bin_ns) {
            pass(whole, begin_ns + bin_ns - 1, begin_ns);
            for (uint32_t s = 0; s < N_SERVERS; s++)
                availability_powered_ns(whole, s, begin_ns, begin_ns + bin_ns);
        }
        pass(whole, now_ns, begin_ns);
        pass(again, now_ns, begin_ns);
        ck_assert_int_eq(availability_next_ns(again), availability_next_ns(whole));
        ck_assert_mem_eq(again->until_ns, whole->until_ns, N_SERVERS * sizeof *again->until_ns);
        ck_assert_mem_eq(again->powered, whole->powered, N_SERVERS * sizeof *again->powered);
        ck_assert_mem_eq(again->unpowered_ns, whole->unpowered_ns,
                         N_SERVERS * sizeof *again->unpowered_ns);
        availability_destroy(whole);
        availability_destroy(again);
    }
    layout_destroy(layout);
}
END_TEST

// Always up, always powered; and destroying nothing is fine.
START_TEST(nothing_happens)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    struct availability *availability = availability_create(&fixture.config, layout, 0);
    ck_assert_int_eq(availability_next_ns(availability), SIMTIME_NEVER);
    ck_assert_int_eq(availability->until_ns[3], SIMTIME_NEVER);
    ck_assert_int_eq(availability_powered_ns(availability, 3, 0, 10), 10);
    ck_assert_int_eq(availability_powered_ns(availability, 3, 10, 15), 5);
    availability_destroy(availability);
    availability_destroy(NULL);
    layout_destroy(layout);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", until}, {"core", powered_time}, {"core", taken_up}, {"limits", nothing_happens}};
    return suite_run("availability", tests, sizeof tests / sizeof *tests);
}
