// SPDX-License-Identifier: Apache-2.0
// The stream of changes against its definition: at a time, is a server out for any cause?
#include "cluster/outage.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

// All changes of the servers of some parts.
struct changes {
    struct outage_change *v;
    size_t n;
};

static struct changes take_all(const struct fleet_config *fleet, const struct layout *layout,
                               uint32_t first_part, uint32_t n_parts, enum outage_side side)
{
    struct outage_setup setup = {fleet, layout, first_part, n_parts, side};
    struct outage *outage = outage_create(&setup);
    struct changes all = {0};
    size_t cap = 0;
    for (int64_t at_ns; (at_ns = outage_peek_ns(outage)) != SIMTIME_NEVER; all.n++) {
        if (all.n == cap) {
            cap = cap ? 2 * cap : 64;
            all.v = mem_realloc(all.v, cap, sizeof *all.v);
        }
        memset(&all.v[all.n], 0, sizeof *all.v);
        outage_next(outage, &all.v[all.n]);
        ck_assert_int_eq(all.v[all.n].at_ns, at_ns);
    }
    outage_destroy(outage);
    return all;
}

static struct changes take_cell(const struct fleet_config *fleet, const struct layout *layout,
                                uint32_t cell, enum outage_side side)
{
    uint32_t first = layout->first_part[cell];
    return take_all(fleet, layout, first, layout->first_part[cell + 1] - first, side);
}

// What the changes say of a server after time t: up and powered until something else is said.
static struct outage_change state_at(const struct changes *all, uint32_t server, int64_t t_ns)
{
    struct outage_change state = {.up = true, .powered = true};
    for (size_t i = 0; i < all->n && all->v[i].at_ns <= t_ns; i++)
        if (all->v[i].server == server)
            state = all->v[i];
    return state;
}

// One cell of `n` servers in one group.
static void init_one(struct fixture *fixture, uint32_t n, int64_t duration_ns)
{
    fixture_init(fixture, 1, 1);
    fixture->groups[0].n_servers = n;
    fixture->config.duration_ns = duration_ns;
}

static struct changes take_one(const struct fixture *fixture, enum outage_side side)
{
    struct layout *layout = layout_create(&fixture->config, 1, LAYOUT_AUTO);
    struct changes all = take_cell(&fixture->config, layout, 0, side);
    layout_destroy(layout);
    return all;
}

static void assert_change(const struct outage_change *change, int64_t at_ns, uint32_t server,
                          bool up)
{
    ck_assert_int_eq(change->at_ns, at_ns);
    ck_assert_uint_eq(change->server, server);
    ck_assert_int_eq(change->up, up);
}

// ---- core: events -------------------------------------------------------------------------------

// A crash shows at the server at once and at the balancer detect_delay later, both ways; a drain at
// the balancer alone, at once.
START_TEST(two_sides)
{
    struct fixture fixture;
    const struct outage_event events[] = {
        {.at_ns = 1000, .for_ns = 500, .kind = OUTAGE_CRASH, .server = 2},
        {.at_ns = 1100, .for_ns = 300, .kind = OUTAGE_DRAIN, .server = 1}};
    init_one(&fixture, 4, SIMTIME_MS);
    fixture.config.outages =
        (struct outage_config){.detect_delay_ns = 70, .events = events, .n_events = 2};
    struct changes at_servers = take_one(&fixture, OUTAGE_SERVERS);
    struct changes at_balancer = take_one(&fixture, OUTAGE_BALANCER);
    ck_assert_uint_eq(at_servers.n, 2);
    assert_change(&at_servers.v[0], 1000, 2, false);
    assert_change(&at_servers.v[1], 1500, 2, true);
    ck_assert(at_servers.v[0].powered); // it is repaired under power
    ck_assert_uint_eq(at_balancer.n, 4);
    assert_change(&at_balancer.v[0], 1070, 2, false);
    assert_change(&at_balancer.v[1], 1100, 1, false);
    assert_change(&at_balancer.v[2], 1400, 1, true);
    assert_change(&at_balancer.v[3], 1570, 2, true);
    mem_free(at_servers.v);
    mem_free(at_balancer.v);
}
END_TEST

// Causes that overlap or follow each other at once are one outage; servers that change at one time
// do so in order of their numbers; what begins at 0 is there at 0, what ends after the run does not
// end.
START_TEST(causes_add_up)
{
    struct fixture fixture;
    const struct outage_event events[] = {{.at_ns = 0, .for_ns = 100, .server = 1},
                                          {.at_ns = 100, .for_ns = 50, .server = 1},
                                          {.at_ns = 120, .for_ns = 80, .server = 1},
                                          {.at_ns = 120, .for_ns = 20, .server = 1},
                                          {.at_ns = 300, .for_ns = 100, .whole_cell = true},
                                          {.at_ns = 350, .for_ns = 100, .server = 0},
                                          {.at_ns = 900, .for_ns = 200, .server = 0},
                                          {.at_ns = 1000, .for_ns = 200, .server = 1}};
    init_one(&fixture, 2, 1000);
    fixture.config.outages = (struct outage_config){.events = events, .n_events = 8};
    struct changes all = take_one(&fixture, OUTAGE_SERVERS);
    ck_assert_uint_eq(all.n, 7);
    assert_change(&all.v[0], 0, 1, false);
    assert_change(&all.v[1], 200, 1, true);
    assert_change(&all.v[2], 300, 0, false);
    assert_change(&all.v[3], 300, 1, false);
    assert_change(&all.v[4], 400, 1, true);
    assert_change(&all.v[5], 450, 0, true);
    assert_change(&all.v[6], 900, 0, false);
    mem_free(all.v);
}
END_TEST

// An event finds the server of its number in the group over the whole fleet, wherever the cells and
// parts have put it, and every server of its cell and no other.
START_TEST(events_find_their_servers)
{
    struct fixture fixture;
    struct outage_event event = {.at_ns = 5, .for_ns = 5};
    fixture_init(&fixture, 1, 2);
    fixture.config.n_cells = 3;
    fixture.groups[0].n_servers = 4;
    fixture.groups[1].n_servers = 7;
    fixture.config.outages = (struct outage_config){.events = &event, .n_events = 1};
    for (int n_ranks = 1; n_ranks <= 5; n_ranks += 4) {
        struct layout *layout = layout_create(&fixture.config, n_ranks, LAYOUT_SPREAD);
        uint32_t seen[2] = {0, 0}; // servers of a group in the parts so far
        for (uint32_t p = 0; p < layout->n_parts; p++) {
            const struct layout_part *part = &layout->parts[p];
            for (uint32_t s = 0; s < fixture.groups[part->group].n_servers; s++) {
                event = (struct outage_event){5, 5, OUTAGE_CRASH, false, 0, part->group, s};
                struct changes all = take_all(&fixture.config, layout, p, 1, OUTAGE_SERVERS);
                uint32_t place = s - seen[part->group];
                bool is_here = s >= seen[part->group] && place < part->n_servers;
                ck_assert_uint_eq(all.n, is_here ? 2 : 0);
                if (is_here)
                    assert_change(&all.v[0], 5, part->first_in_cell + place, false);
                mem_free(all.v);
            }
            seen[part->group] += part->n_servers;
            for (uint32_t cell = 0; cell < 3; cell++) {
                event = (struct outage_event){5, 5, OUTAGE_CRASH, true, cell, 0, 0};
                struct changes all = take_all(&fixture.config, layout, p, 1, OUTAGE_SERVERS);
                ck_assert_uint_eq(all.n, cell == part->cell ? 2 * part->n_servers : 0);
                mem_free(all.v);
            }
        }
        layout_destroy(layout);
    }
}
END_TEST

// A cell is out while an event of the whole cell is on, for the balancer, and the answer holds for
// as long as it says. Without failover it never is.
START_TEST(whole_cells)
{
    struct fixture fixture;
    const struct outage_event events[] = {
        {.at_ns = 100, .for_ns = 50, .whole_cell = true, .cell = 1, .kind = OUTAGE_CRASH},
        {.at_ns = 130, .for_ns = 70, .whole_cell = true, .cell = 1, .kind = OUTAGE_DRAIN},
        {.at_ns = 0, .for_ns = 10, .whole_cell = true, .cell = 0, .kind = OUTAGE_DRAIN},
        {.at_ns = 20, .for_ns = 10, .server = 1}};
    init_one(&fixture, 4, 1000);
    fixture.config.n_cells = 2;
    fixture.config.outages = (struct outage_config){
        .detect_delay_ns = 7, .failover = true, .events = events, .n_events = 4};
    for (uint32_t cell = 0; cell < 2; cell++) {
        int64_t from_ns = cell ? 107 : 0, to_ns = cell ? 200 : 10, until_ns = 0;
        bool out = false;
        for (int64_t t_ns = 0; t_ns < 300; t_ns++) {
            if (t_ns == until_ns)
                out = outage_cell_out(&fixture.config, cell, t_ns, &until_ns);
            ck_assert_int_gt(until_ns, t_ns);
            ck_assert_int_eq(out, t_ns >= from_ns && t_ns < to_ns);
        }
        ck_assert_int_eq(until_ns, SIMTIME_NEVER);
    }
    fixture.config.outages.failover = false;
    int64_t until_ns;
    ck_assert(!outage_cell_out(&fixture.config, 1, 150, &until_ns));
    ck_assert_int_eq(until_ns, SIMTIME_NEVER);
}
END_TEST

// ---- core: schedules ----------------------------------------------------------------------------

static const uint32_t shifts_on[] = {3, 11, 11, 7, 1, 9};
enum { N_SHIFTS = 6, SHIFT_NS = 100 };

// The definition: powered for some step that holds it, made longer by start-up and shutdown.
static bool is_powered(const struct on_schedule *on, uint32_t number, int64_t t_ns)
{
    for (int64_t step = -20; step < 40; step++) {
        int64_t begin_ns = step * on->step_ns - on->startup_ns;
        int64_t end_ns = (step + 1) * on->step_ns + on->shutdown_ns;
        int64_t n_steps = (int64_t)on->n_steps, place = (step % n_steps + n_steps) % n_steps;
        if (t_ns >= begin_ns && t_ns < end_ns && number < on->n_on[place])
            return true;
    }
    return false;
}

static void init_schedule(struct fixture *fixture, int64_t startup_ns, int64_t shutdown_ns)
{
    fixture_init(fixture, 1, 2);
    fixture->config.n_cells = 3;
    fixture->config.duration_ns = 15 * SHIFT_NS;
    fixture->groups[0].n_servers = 4;
    fixture->groups[1].n_servers = 11;
    fixture->groups[1].on = (struct on_schedule){.n_on = shifts_on,
                                                 .n_steps = N_SHIFTS,
                                                 .step_ns = SHIFT_NS,
                                                 .startup_ns = startup_ns,
                                                 .shutdown_ns = shutdown_ns};
}

// Which number in the order of switching a server has: one of every cell in turn, beginning with
// the cell behind the one that the group before has given its last odd server.
static uint32_t number_of(uint32_t cell, uint32_t in_cell)
{
    uint32_t n_before = cell == 0 ? 2 : 1; // servers of group 0, which are always on
    return in_cell < n_before ? 0 : 3 * (in_cell - n_before) + (cell + 2) % 3;
}

// At every time the balancer has the first n_on, and the servers those that are powered for some
// step, also before the first and after the last of a cycle.
START_TEST(schedules)
{
    static const int64_t delays_ns[][2] = {{0, 0},   {30, 0},  {0, 45},
                                           {60, 30}, {60, 60}, {250, 130}};
    for (size_t i = 0; i < sizeof delays_ns / sizeof *delays_ns; i++) {
        struct fixture fixture;
        init_schedule(&fixture, delays_ns[i][0], delays_ns[i][1]);
        struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
        const struct on_schedule *on = &fixture.groups[1].on;
        for (uint32_t cell = 0; cell < 3; cell++) {
            struct changes at_servers = take_cell(&fixture.config, layout, cell, OUTAGE_SERVERS);
            struct changes at_balancer = take_cell(&fixture.config, layout, cell, OUTAGE_BALANCER);
            for (int64_t t_ns = 0; t_ns < fixture.config.duration_ns; t_ns += 5)
                for (uint32_t s = 0; s < layout->n_servers[cell]; s++) {
                    struct outage_change a = state_at(&at_servers, s, t_ns);
                    struct outage_change b = state_at(&at_balancer, s, t_ns);
                    uint32_t number = number_of(cell, s);
                    ck_assert_int_eq(a.powered, is_powered(on, number, t_ns));
                    ck_assert_int_eq(a.up, a.powered);
                    ck_assert_int_eq(b.up, number < shifts_on[t_ns / SHIFT_NS % N_SHIFTS]);
                    ck_assert(b.powered && (a.up || !b.up));
                }
            mem_free(at_servers.v);
            mem_free(at_balancer.v);
        }
        layout_destroy(layout);
    }
}
END_TEST

// However many are on, no cell has more than one server more on than another.
START_TEST(cells_stay_even)
{
    struct fixture fixture;
    init_schedule(&fixture, 0, 0);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    for (uint32_t step = 0; step < N_SHIFTS; step++) {
        uint32_t least = UINT32_MAX, most = 0, sum = 0;
        for (uint32_t cell = 0; cell < 3; cell++) {
            struct changes all = take_cell(&fixture.config, layout, cell, OUTAGE_BALANCER);
            uint32_t n_on = 0, first = layout_servers(&fixture.config, 0, cell);
            for (uint32_t s = first; s < layout->n_servers[cell]; s++)
                n_on += state_at(&all, s, step * SHIFT_NS).up;
            least = n_on < least ? n_on : least;
            most = n_on > most ? n_on : most;
            sum += n_on;
            mem_free(all.v);
        }
        ck_assert_uint_eq(sum, shifts_on[step]);
        ck_assert_uint_le(most - least, 1);
    }
    layout_destroy(layout);
}
END_TEST

// ---- core: crashes ------------------------------------------------------------------------------

// 20 000 servers that are up for 1 s and down for 0.25 s on average, over 10 s. A server is down
// with probability p = 1/5 at any time, from the start on; over T seconds, with correlation time
// tau = 1 / (1/mtbf + 1/mttr) = 0.2 s, the variance of its fraction of time down is close to
// 2 p (1 - p) tau / T = 0.0064. Its crashes are a renewal process with a mean gap of 1.25 s of
// variance 1.0625 s^2: 8 +- 2.33 of them. All tolerances are four standard deviations of the mean.
START_TEST(availability)
{
    enum { N = 20000 };
    struct fixture fixture;
    const double p = 0.2, at_once_sd = sqrt(p * (1 - p) / N), in_time_sd = sqrt(0.0064 / N);
    int64_t end_ns = 10 * SIMTIME_S;
    init_one(&fixture, N, end_ns);
    fixture.config.outages = (struct outage_config){.mtbf_s = 1, .mttr_s = 0.25};
    struct changes all = take_one(&fixture, OUTAGE_SERVERS);
    double n_first = 0, n_last = 0, n_crashes = 0, down_s = 0;
    for (size_t i = 0; i < all.n; i++) {
        n_first += all.v[i].at_ns == 0;
        n_last += all.v[i].up ? -1 : 1;
        n_crashes += !all.v[i].up && all.v[i].at_ns > 0;
        double left_s = simtime_to_s(end_ns - all.v[i].at_ns);
        down_s += all.v[i].up ? -left_s : left_s;
    }
    ck_assert_double_eq_tol(n_first / N, p, 4 * at_once_sd);
    ck_assert_double_eq_tol(n_last / N, p, 4 * at_once_sd);
    ck_assert_double_eq_tol(down_s / 10 / N, p, 4 * in_time_sd);
    ck_assert_double_eq_tol(n_crashes / N, 8, 4 * 2.33 / sqrt(N));
    mem_free(all.v);
}
END_TEST

// Up and down times are exponential: of either, a share of 1/e is longer than the mean, whatever
// came before. (Those cut off by the ends of the run would be too short, so only times that begin
// in its first half count; one in e^50 of these is cut off.)
START_TEST(exponential)
{
    enum { N = 500 };
    struct fixture fixture;
    init_one(&fixture, N, 100 * SIMTIME_S);
    fixture.config.outages = (struct outage_config){.mtbf_s = 1, .mttr_s = 1};
    struct changes all = take_one(&fixture, OUTAGE_SERVERS);
    int64_t *since_ns = mem_calloc(N, sizeof *since_ns);
    double n[2] = {0}, n_long[2] = {0};
    for (size_t i = 0; i < all.n; i++) {
        const struct outage_change *change = &all.v[i];
        int64_t begin_ns = since_ns[change->server];
        bool was_up = !change->up;
        since_ns[change->server] = change->at_ns;
        if (begin_ns == 0 || begin_ns > 50 * SIMTIME_S)
            continue;
        n[was_up]++;
        n_long[was_up] += change->at_ns - begin_ns > SIMTIME_S;
    }
    for (int up = 0; up < 2; up++) {
        ck_assert_double_gt(n[up], 10000);
        double share = exp(-1), sd = sqrt(share * (1 - share) / n[up]);
        ck_assert_double_eq_tol(n_long[up] / n[up], share, 4 * sd);
    }
    mem_free(since_ns);
    mem_free(all.v);
}
END_TEST

// What the balancer hears of crashes is what the servers do, detect_delay later; of what is so at
// the beginning it knows.
START_TEST(detected_later)
{
    struct fixture fixture;
    int64_t delay_ns = SIMTIME_S / 10;
    init_one(&fixture, 50, 10 * SIMTIME_S);
    fixture.config.outages =
        (struct outage_config){.mtbf_s = 1, .mttr_s = 0.25, .detect_delay_ns = delay_ns};
    struct changes a = take_one(&fixture, OUTAGE_SERVERS), b = take_one(&fixture, OUTAGE_BALANCER);
    ck_assert_uint_lt(b.n, a.n);
    ck_assert_uint_gt(b.n, a.n * 9 / 10);
    for (size_t i = 0; i < b.n; i++) {
        ck_assert_uint_eq(a.v[i].server, b.v[i].server);
        ck_assert_int_eq(a.v[i].up, b.v[i].up);
        ck_assert_int_eq(b.v[i].at_ns, a.v[i].at_ns == 0 ? 0 : a.v[i].at_ns + delay_ns);
    }
    mem_free(a.v);
    mem_free(b.v);
}
END_TEST

// ---- core: all together -------------------------------------------------------------------------

static const struct outage_event many_events[] = {
    {.at_ns = 0, .for_ns = 7 * SHIFT_NS / 2, .group = 1, .server = 3},
    {.at_ns = 2 * SHIFT_NS, .for_ns = 3 * SHIFT_NS, .kind = OUTAGE_DRAIN, .group = 0, .server = 1},
    {.at_ns = 620, .for_ns = 80, .whole_cell = true, .cell = 2},
    {.at_ns = 700, .for_ns = 33, .whole_cell = true, .cell = 2},
    {.at_ns = 900, .for_ns = 10 * SHIFT_NS, .whole_cell = true, .cell = 0, .kind = OUTAGE_DRAIN}};

static void init_all(struct fixture *fixture)
{
    init_schedule(fixture, 30, 20);
    fixture->config.outages = (struct outage_config){.mtbf_s = 700e-9,
                                                     .mttr_s = 150e-9,
                                                     .detect_delay_ns = 15,
                                                     .events = many_events,
                                                     .n_events = 5};
}

// Changes come by time, then by server, before the end; of a server they alternate, beginning with
// it going down, but for power alone, which a server that is up has.
START_TEST(alternation)
{
    struct fixture fixture;
    init_all(&fixture);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    size_t n_power_alone[2] = {0, 0}; // by side
    for (uint32_t cell = 0; cell < 3; cell++)
        for (enum outage_side side = OUTAGE_SERVERS; side <= OUTAGE_BALANCER; side++) {
            struct changes all = take_cell(&fixture.config, layout, cell, side);
            bool is_up[16], is_powered[16];
            memset(is_up, true, sizeof is_up);
            memset(is_powered, true, sizeof is_powered);
            ck_assert_uint_gt(all.n, 20);
            for (size_t i = 0; i < all.n; i++) {
                const struct outage_change *a = &all.v[i], *before = i > 0 ? a - 1 : a;
                ck_assert(a->at_ns >= 0 && a->at_ns < fixture.config.duration_ns);
                ck_assert(i == 0 || a->at_ns > before->at_ns ||
                          (a->at_ns == before->at_ns && a->server > before->server));
                ck_assert(a->up != is_up[a->server] || a->powered != is_powered[a->server]);
                ck_assert(a->powered || !a->up);
                n_power_alone[side] += a->up == is_up[a->server];
                is_up[a->server] = a->up;
                is_powered[a->server] = a->powered;
            }
            mem_free(all.v);
        }
    ck_assert_uint_gt(n_power_alone[OUTAGE_SERVERS], 0);
    ck_assert_uint_eq(n_power_alone[OUTAGE_BALANCER], 0);
    layout_destroy(layout);
}
END_TEST

// A server that is up is told when it will go down, whenever it is asked.
START_TEST(down_is_foreseen)
{
    struct fixture fixture;
    init_all(&fixture);
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    for (uint32_t cell = 0; cell < 3; cell++) {
        uint32_t first = layout->first_part[cell], n_servers = layout->n_servers[cell];
        struct outage_setup setup = {&fixture.config, layout, first,
                                     layout->first_part[cell + 1] - first, OUTAGE_SERVERS};
        struct changes all = take_cell(&fixture.config, layout, cell, OUTAGE_SERVERS);
        struct outage *outage = outage_create(&setup);
        for (size_t i = 0; i <= all.n; i++) { // i changes have been taken
            for (uint32_t s = 0; s < n_servers; s++) {
                struct outage_change ignored;
                bool is_up = true;
                int64_t down_ns = SIMTIME_NEVER;
                for (size_t j = 0; j < i; j++)
                    is_up = all.v[j].server == s ? all.v[j].up : is_up;
                for (size_t j = all.n; j-- > i;)
                    down_ns = all.v[j].server == s && !all.v[j].up ? all.v[j].at_ns : down_ns;
                if (is_up)
                    ck_assert_int_eq(outage_down_ns(outage, s), down_ns);
                if (s + 1 == n_servers && i < all.n)
                    outage_next(outage, &ignored);
            }
        }
        outage_destroy(outage);
        mem_free(all.v);
    }
    layout_destroy(layout);
}
END_TEST

// What happens to a server does not depend on who else is looked at: the parts of any layout have
// the changes of the whole cell among them. And another seed has others.
START_TEST(any_layout)
{
    struct fixture fixture;
    init_all(&fixture);
    struct layout *one = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    struct layout *five = layout_create(&fixture.config, 5, LAYOUT_SPREAD);
    for (uint32_t cell = 0; cell < 3; cell++) {
        struct changes all = take_cell(&fixture.config, one, cell, OUTAGE_SERVERS);
        size_t n = 0;
        for (uint32_t p = five->first_part[cell]; p < five->first_part[cell + 1]; p++) {
            struct changes some = take_all(&fixture.config, five, p, 1, OUTAGE_SERVERS);
            const struct layout_part *part = &five->parts[p];
            size_t j = 0;
            for (size_t i = 0; i < all.n; i++)
                if (all.v[i].server - part->first_in_cell < part->n_servers) {
                    ck_assert_uint_lt(j, some.n);
                    ck_assert_mem_eq(&some.v[j++], &all.v[i], sizeof *all.v);
                }
            ck_assert_uint_eq(j, some.n);
            n += some.n;
            mem_free(some.v);
        }
        ck_assert_uint_eq(n, all.n);
        fixture.config.seed++;
        struct changes other = take_cell(&fixture.config, one, cell, OUTAGE_SERVERS);
        ck_assert(other.n != all.n || memcmp(other.v, all.v, all.n * sizeof *all.v) != 0);
        fixture.config.seed--;
        mem_free(other.v);
        mem_free(all.v);
    }
    layout_destroy(one);
    layout_destroy(five);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// A fleet where nothing happens, one whose servers are all on in all steps, and one with a mean
// time to failure far beyond the run have no change; destroying nothing is fine.
START_TEST(nothing_happens)
{
    static const uint32_t all_on[] = {4};
    struct fixture fixture;
    init_one(&fixture, 4, SIMTIME_MS);
    struct changes none = take_one(&fixture, OUTAGE_SERVERS);
    ck_assert_uint_eq(none.n, 0);
    fixture.groups[0].on = (struct on_schedule){all_on, 1, SIMTIME_US, 0, 0};
    none = take_one(&fixture, OUTAGE_BALANCER);
    ck_assert_uint_eq(none.n, 0);
    fixture.config.outages.mtbf_s = 1e300; // saturates
    none = take_one(&fixture, OUTAGE_SERVERS);
    ck_assert_uint_eq(none.n, 0);
    outage_destroy(NULL);
}
END_TEST

// Failures and repairs that take no time take a nanosecond: time goes on.
START_TEST(no_time)
{
    struct fixture fixture;
    init_one(&fixture, 1, 1000);
    fixture.config.outages = (struct outage_config){.mtbf_s = 1e-12, .mttr_s = 1e-12};
    struct changes all = take_one(&fixture, OUTAGE_SERVERS);
    ck_assert_uint_ge(all.n, 999);
    ck_assert_uint_le(all.n, 1000);
    mem_free(all.v);
}
END_TEST

// An event longer than time itself, and later than the run when it is detected.
START_TEST(long_events)
{
    struct fixture fixture;
    const struct outage_event event = {.at_ns = 999, .for_ns = INT64_MAX, .server = 0};
    init_one(&fixture, 1, 1000);
    fixture.config.outages =
        (struct outage_config){.detect_delay_ns = 1, .events = &event, .n_events = 1};
    struct changes at_servers = take_one(&fixture, OUTAGE_SERVERS);
    struct changes at_balancer = take_one(&fixture, OUTAGE_BALANCER);
    ck_assert_uint_eq(at_servers.n, 1);
    assert_change(&at_servers.v[0], 999, 0, false);
    ck_assert_uint_eq(at_balancer.n, 0);
    mem_free(at_servers.v);
}
END_TEST

// Crashes of servers that are all out for longer show in no change: no call searches through all of
// them, and the time that it gives instead moves on.
START_TEST(hidden_crashes)
{
    struct fixture fixture;
    const struct outage_event events[] = {
        {.at_ns = 0, .for_ns = SIMTIME_S, .kind = OUTAGE_CRASH, .whole_cell = true}};
    init_one(&fixture, 4, 20 * SIMTIME_MS);
    fixture.config.outages =
        (struct outage_config){.mtbf_s = 1e-6, .mttr_s = 1e-6, .events = events, .n_events = 1};
    struct layout *layout = layout_create(&fixture.config, 1, LAYOUT_AUTO);
    for (enum outage_side side = OUTAGE_SERVERS; side <= OUTAGE_BALANCER; side++) {
        struct outage *outage =
            outage_create(&(struct outage_setup){&fixture.config, layout, 0, 1, side});
        struct outage_change change;
        int n_changes = 0, n_looks = 0;
        int64_t at_ns, last_ns = 0;
        for (; (at_ns = outage_peek_ns(outage)) != SIMTIME_NEVER; n_looks++) {
            ck_assert(at_ns >= last_ns && at_ns < 20 * SIMTIME_MS);
            n_changes += outage_next(outage, &change);
            last_ns = at_ns;
        }
        ck_assert_int_eq(n_changes, 4);
        ck_assert_int_ge(n_looks, 4 + 10); // 80 000 crashes and recoveries
        ck_assert_int_gt(last_ns, 15 * SIMTIME_MS);
        outage_destroy(outage);
    }
    layout_destroy(layout);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", two_sides},
                                       {"core", causes_add_up},
                                       {"core", events_find_their_servers},
                                       {"core", whole_cells},
                                       {"core", schedules},
                                       {"core", cells_stay_even},
                                       {"core", availability},
                                       {"core", exponential},
                                       {"core", detected_later},
                                       {"core", alternation},
                                       {"core", down_is_foreseen},
                                       {"core", any_layout},
                                       {"limits", nothing_happens},
                                       {"limits", no_time},
                                       {"limits", long_events},
                                       {"limits", hidden_crashes}};
    return suite_run("outage", tests, sizeof tests / sizeof *tests);
}
