// SPDX-License-Identifier: Apache-2.0
#include "results/file/capacity_result.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/fixture_capacity.h"
#include "results/file/same_artefact.h"
#include "results/fixture.h"
#include "support/suite.h"

// A verdict counts in its place; one that was not asked for in none.
START_TEST(verdicts_count)
{
    struct capacity_total total = {.n_met = 1};
    capacity_result_count(&total, VERDICT_MET);
    capacity_result_count(&total, VERDICT_MISSED);
    capacity_result_count(&total, VERDICT_UNSURE);
    capacity_result_count(&total, VERDICT_NOT_ASKED);
    ck_assert_uint_eq(total.n_met, 2);
    ck_assert_uint_eq(total.n_unsure, 1);
    ck_assert_uint_eq(total.n_missed, 1);
}
END_TEST

// Plans are numbered with the provisioning turning fastest, and rows follow from the dimensions.
START_TEST(indices)
{
    struct capacity_result *s = fixture_capacity();
    ck_assert_uint_eq(capacity_result_plan_at(s, 0, 0, 1), 1);
    ck_assert_uint_eq(capacity_result_plan_at(s, 0, 1, 0), 2);
    ck_assert_uint_eq(capacity_result_plan_at(s, 1, 2, 1), 11);
    const struct dataset_layout *l = &capacity_result_layout;
    ck_assert_uint_eq(dataset_n_rows(l, s, dataset_find(l, "n_assigned")), 12 * 4 * 2 * 2);
    ck_assert_uint_eq(dataset_n_rows(l, s, dataset_find(l, "days")), 12 * 2);
    ck_assert_uint_eq(dataset_n_rows(l, s, dataset_find(l, "sizes")), 0);
    capacity_result_destroy(s);
}
END_TEST

// Missed by an idle server of one type only, a target can be met by the other; alone it cannot. By
// both types, under both schedulers, it cannot at all.
START_TEST(out_of_reach)
{
    struct capacity_result *s = fixture_capacity(); // [2 schedulers][2 types][2 services]
    uint32_t service;
    s->unloaded[0 * 2 + 1].sla = VERDICT_MISSED;
    ck_assert(capacity_result_unreachable(s, 0, 0, &service));
    ck_assert_uint_eq(service, 1);
    ck_assert(!capacity_result_unreachable(s, 0, 1, &service));
    ck_assert(!capacity_result_unreachable(s, 0, 2, &service));
    ck_assert_uint_eq(service, 2);
    s->unloaded[1 * 2 + 0].sla = VERDICT_MISSED; // the other type, but another service
    ck_assert(!capacity_result_unreachable(s, 0, 2, NULL));
    s->unloaded[1 * 2 + 1].sla = VERDICT_MISSED;
    ck_assert(capacity_result_unreachable(s, 0, 2, &service));
    ck_assert_uint_eq(service, 1);
    ck_assert(!capacity_result_out_of_reach(s)); // by the other scheduler it may be met
    for (int i = 4; i < 8; i++)
        s->unloaded[i].sla = VERDICT_MISSED;
    ck_assert(capacity_result_out_of_reach(s));
    capacity_result_destroy(s);
    s = fixture_capacity_sizes(); // types alone: each by a service of its own
    s->unloaded[0].sla = VERDICT_MISSED;
    ck_assert(!capacity_result_out_of_reach(s));
    s->unloaded[3].sla = VERDICT_MISSED;
    ck_assert(capacity_result_out_of_reach(s));
    capacity_result_destroy(s);
}
END_TEST

// The layout names every member of every row once but `reserved`, the gap that the compiler leaves
// in each of the two measurements that a row has at most, and what the scheduler names.
START_TEST(layout_is_complete)
{
    same_artefact_layout(&capacity_result_layout,
                         3 * sizeof(uint32_t) + CHOSEN_MOST * sizeof(uint64_t));
}
END_TEST

#define PATH "test_capacity_result.h5"

static void write_file(const struct capacity_result *s)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = dataset_write(&capacity_result_layout, s, &run, PATH, true, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void round_trip(struct capacity_result *s)
{
    struct err err = {0};
    write_file(s);
    struct capacity_result *back = capacity_result_read(PATH, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    same_artefact(&capacity_result_layout, s, back);
    capacity_result_destroy(back);
    capacity_result_destroy(s);
    unlink(PATH);
}

// A plan, a day, sizes, loads and nothing at all come back from their files.
START_TEST(round_trips)
{
    round_trip(fixture_capacity());
    round_trip(fixture_capacity_day());
    round_trip(fixture_capacity_sizes());
    round_trip(fixture_capacity_loads());
    round_trip(capacity_result_create(&(struct capacity_shape){0}));
}
END_TEST

// Objectives carry the study's unit, over a day that times hours.
START_TEST(objective_units)
{
    const struct {
        const char *unit, *array, *wanted;
    } cases[] = {{"W", "totals", "W h"},
                 {"W", "steps", "W"},
                 {"USD h-1", "totals", "USD"},
                 {"1", "totals", NULL},
                 {"", "steps", NULL}};
    const struct data_field objective = {.name = "objective"}, other = {.name = "planned_w"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dataset_layout *l = &capacity_result_layout;
        struct capacity_result *s = capacity_result_create(&(struct capacity_shape){0});
        s->objective_unit = mem_strdup(cases[i].unit);
        char *unit = l->units(s, dataset_find(l, cases[i].array), &objective);
        ck_assert_ptr_null(l->units(s, dataset_find(l, cases[i].array), &other));
        ck_assert_str_eq(unit ? unit : "none", cases[i].wanted ? cases[i].wanted : "none");
        mem_free(unit);
        capacity_result_destroy(s);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", verdicts_count}, {"core", indices},
                                       {"core", out_of_reach},   {"core", layout_is_complete},
                                       {"core", round_trips},    {"core", objective_units}};
    return suite_run("capacity_result", tests, sizeof tests / sizeof *tests);
}
