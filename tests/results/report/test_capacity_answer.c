// SPDX-License-Identifier: Apache-2.0
#include "results/report/capacity_answer.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Destroys the answer.
static void is_told(struct capacity_result *answer, bool holds, const char *wanted)
{
    struct shown shown;
    ck_assert_int_eq(capacity_answer_holds(answer), holds);
    capacity_answer_print(shown_open(&shown), answer);
    char *text = shown_text(&shown);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
    capacity_result_destroy(answer);
}

// The fewest servers, since not all types have a price; what decides; lost cells; and that pools
// would do with far fewer.
START_TEST(servers)
{
    struct capacity_result *s = fixture_capacity_sizes();
    s->sizes[0].n_pools = 10;
    for (int i = 3; i < 6; i++)
        s->sizes[i].n += 50;
    is_told(s, true,
            "40 servers of `skylake` hold it, $20.00/h; `ads` at its p95 of 100 ms decides; 43, "
            "$21.50/h, with 1 cell out of service; 46, $23.00/h, with 2 cells out of service.\n"
            "Mixed on every server, the services need 4 times the 10 servers that do as pools of "
            "one service each (find: plan); with the balancer least-work 18 hold it.\n");
}
END_TEST

// The smallest stays the answer; beside it the one for a tenth more. A range says so, and what one
// less could not do at all is not put down to a service.
START_TEST(margins)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (int i = 1; i < 6; i++)
        s->sizes[i].state = CAPACITY_BEYOND;
    s->sizes[1].cells_down = 0;
    s->sizes[1].margin_frac = 0.1;
    s->sizes[1].state = CAPACITY_FOUND;
    s->sizes[0].state = CAPACITY_RANGE;
    s->sizes[0].n_least = 39;
    s->sizes[0].n_most = 42;
    is_told(
        s, true,
        "40 servers of `skylake` hold it as measured (39 to 42: too close to tell), $20.00/h; "
        "`ads` "
        "at its p95 of 100 ms decides; 43, $21.50/h, hold 10 % more; none of up to 46 does with "
        "2 cells out of service.\n"
        "Mixed on every server, the services need 2.67 times the 15 servers that do as pools "
        "of one service each (find: plan); with the balancer least-work 18 hold it.\n");
    s = fixture_capacity_sizes();
    for (int i = 1; i < 6; i++)
        s->sizes[i].state = CAPACITY_BEYOND;
    s->sizes[0].n_pools = 30; // not so many more
    s->sizes[0].below = measurement_none(VERDICT_NOT_ASKED);
    for (int i = 1; i < 3; i++)
        s->sizes[i].type = 1;
    is_told(s, true, "40 servers of `skylake` hold it, $20.00/h; fewer could not do the work.\n");
}
END_TEST

// Where only cells out of service were asked about, the fewest of them are what is asked.
START_TEST(some_cells_are_down)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (int i = 0; i < 6; i++) {
        s->sizes[i].cells_down += 1;
        s->sizes[i].n_pools = 0;
    }
    for (int i = 3; i < 6; i++)
        s->sizes[i].state = CAPACITY_BEYOND;
    is_told(s, true,
            "40 servers of `skylake` hold it with 1 cell out of service, $20.00/h; `ads` at its "
            "p95 of 100 ms decides; 43, $21.50/h, with 2 cells out of service; 46, $23.00/h, with "
            "3 cells out of service.\n");
    s = fixture_capacity_sizes();
    for (int i = 0; i < 6; i++) {
        s->sizes[i].cells_down += 1;
        s->sizes[i].state = CAPACITY_BEYOND;
    }
    is_told(s, false,
            "No answer: even 40 servers of `skylake` do not hold it with 1 cell out of service; "
            "`ads` at its p95 of 100 ms decides.\n");
}
END_TEST

// With prices the cheapest type is told, not the one of which the fewest would do.
START_TEST(the_cheapest_is_told)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (int i = 0; i < 6; i++)
        s->sizes[i].n_pools = 0;
    for (int i = 3; i < 6; i++)
        s->sizes[i].cost_usd_per_h = 100;
    s->sizes[1].state = s->sizes[2].state = CAPACITY_BEYOND;
    s->sizes[1].type = s->sizes[2].type = 1;
    s->unloaded[3].sla = VERDICT_MISSED;
    s->unloaded[3].sla_s = 0.1;
    s->unloaded[3].allowed_frac = 0.05;
    s->unloaded[3].sla_latency_s.value = 0.12;
    is_told(
        s, true,
        "40 servers of `skylake` hold it, $20.00/h; `ads` at its p95 of 100 ms decides.\n"
        "No number of `cpu + gpu, ti` can hold it: `ads` at its p95 of 100 ms takes 120.0 ms on "
        "an idle server of `cpu + gpu, ti`.\n");
}
END_TEST

// What no number that may be tried holds, and what none ever can.
START_TEST(nothing_holds)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (int i = 0; i < 6; i++)
        s->sizes[i].state = CAPACITY_BEYOND;
    is_told(s, false,
            "No answer: even 40 servers of `skylake` do not hold it; `ads` at its p95 of 100 ms "
            "decides.\n");
    s = fixture_capacity_sizes();
    for (int i = 0; i < 4; i++) {
        s->unloaded[i].sla = VERDICT_MISSED;
        s->unloaded[i].sla_s = 0.002;
        s->unloaded[i].allowed_frac = 0.01;
        s->unloaded[i].sla_latency_s.value = 0.004 - 0.0005 * (i == 2);
    }
    is_told(s, false,
            "No number of servers can hold it: `feed` at its p99 of 2 ms takes 3.500 ms on an idle "
            "server of `cpu + gpu, ti`.\n");
    s = fixture_capacity_sizes();
    for (int i = 0; i < 4; i++) {
        s->unloaded[i].sla = VERDICT_UNSURE;
        s->unloaded[i].sla_s = 0.002;
        s->unloaded[i].allowed_frac = 0.01;
        s->unloaded[i].sla_latency_s.value = 0.00201 + 0.0005 * (i != 2);
        s->unloaded[i].sla_latency_s.half_95 = 0.00002;
        s->unloaded[i].n_queries = 1500000;
    }
    is_told(
        s, false,
        "No number of servers can be shown to hold it: `feed` at its p99 of 2 ms takes "
        "2.010 ±0.020 ms on an idle server of `cpu + gpu, ti`, too close to tell by 1.5 million "
        "queries (capacity.max_queries).\n");
}
END_TEST

// What rules every load out, or leaves all of them open.
START_TEST(no_load)
{
    struct capacity_result *s = fixture_capacity_loads();
    s->loads[0].state = CAPACITY_BEYOND;
    s->loads[0].at_held.sla = VERDICT_MISSED;
    s->loads[0].at_held.sla_latency_s = (struct ci){0.12, 0.001, 9};
    is_told(
        s, false,
        "No answer: the fleet holds no load within its targets; `ads` at its p95 of 100 ms takes "
        "120.0 ±1.0 ms at vanishing load.\n");
    s = fixture_capacity_loads();
    s->loads[0].state = CAPACITY_BEYOND;
    s->loads[0].at_held.sla = VERDICT_UNSURE;
    is_told(s, false,
            "No answer: the fleet is shown to hold no load within its targets; `ads` at its p95 of "
            "100 ms takes 98.00 ±0.98 ms at vanishing load; longer runs may decide "
            "(capacity.max_queries).\n");
}
END_TEST

// The largest load of all schedulers, and what to plan for.
START_TEST(loads)
{
    is_told(fixture_capacity_loads(), true,
            "The fleet holds 9000 qps by fixed, 1.12 times the 8000 qps that are asked, $20.00/h; "
            "`ads` "
            "at its p95 of 100 ms decides; plan for 8182 qps, and it holds 10 % more.\n");
}
END_TEST

// The best plan, and a day of the fleet as it stands.
START_TEST(plans_and_days)
{
    is_told(
        fixture_capacity(), true,
        "80 servers at most, optimal and follow by deeprecsched (82 for 10 % more): 8 of 8 "
        "targets of services and intervals are met; `feed` at 18:00 comes nearest to missing its "
        "own.\n");
    is_told(fixture_capacity_day(), true,
            "200 servers at most by fixed: 7 of 8 targets of services and intervals are met; "
            "`feed` at 18:00 comes nearest to missing its own.\n");
    is_told(capacity_result_create(&(struct capacity_shape){0}), true, "");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", servers},
                                       {"core", margins},
                                       {"core", some_cells_are_down},
                                       {"core", the_cheapest_is_told},
                                       {"limits", nothing_holds},
                                       {"limits", no_load},
                                       {"core", loads},
                                       {"core", plans_and_days}};
    return suite_run("capacity_answer", tests, sizeof tests / sizeof *tests);
}
