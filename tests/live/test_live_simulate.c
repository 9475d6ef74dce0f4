// SPDX-License-Identifier: Apache-2.0
#include "live/live_simulate.h"

#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "cluster/run.h"
#include "live/live_fixture.h"
#include "support/suite_mpi.h"

static struct record *make_record(const struct live_plan *plan)
{
    const struct record_shape shape = {.n_services = plan->n_services,
                                       .n_groups = 1,
                                       .n_bins = 10,
                                       .n_servers = 1,
                                       .end_ns = plan->fleet->duration_ns};
    return record_create(&shape);
}

static struct record *run_study(const struct study *study, const struct live_plan *plan)
{
    struct record *record = make_record(plan);
    const struct run_options options = {.layout = LAYOUT_AUTO};
    struct run_cost cost = {0};
    struct err err = {0};
    ck_assert_msg(run_fleet(MPI_COMM_WORLD, &study->fleet, &options, record, &cost, &err) == 0,
                  "%s", err.text);
    return record;
}

static struct record *simulate(const struct live_plan *plan, enum live_term term, double slower)
{
    struct live_log *log = live_log_create(plan);
    struct record *record = make_record(plan);
    struct err err = {0};
    for (size_t i = 0; i < plan->n_queries; i++) {
        log->queries[i].fate = LIVE_ENDED;
        log->queries[i].arrive_ns = plan->queries[i].arrive_ns;
    }
    ck_assert_msg(live_simulate(MPI_COMM_WORLD, log, term, slower, record, &err) == 0, "%s",
                  err.text);
    live_log_destroy(log);
    return record;
}

static bool is_same(struct record *a, struct record *b)
{
    struct blob x = {0}, y = {0};
    record_save(a, &x);
    record_save(b, &y);
    bool same = x.n == y.n && memcmp(x.bytes, y.bytes, x.n) == 0;
    blob_release(&x);
    blob_release(&y);
    record_destroy(a);
    record_destroy(b);
    return same;
}

// Simulated without the term, the study is the one that never had it, to the last bit; with all of
// them, and arrivals at their own times, it is itself.
START_TEST(without_a_term)
{
    static const char busy[] = "traffic[0].rate=20kqps";
    static const struct {
        const char *with, *without;
        enum live_term term;
    } cases[] = {
        {NULL, NULL, LIVE_ALL_TERMS},
        {"fleet.groups[0].noise={distribution: lognormal, cv: 0.5}", NULL, LIVE_NO_NOISE},
        {"fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us, contention_frac: 0.5}",
         NULL, LIVE_ONE_CORE},
        {"fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us, cold_factor: 2, "
         "cooling_time: 1ms, warming_time: 1ms}",
         NULL, LIVE_NO_COLD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct study *with = live_fixture_study(busy, cases[i].with, NULL);
        struct study *without = live_fixture_study(busy, cases[i].without, NULL);
        struct live_plan *plan = live_fixture_plan(with), *bare = live_fixture_plan(without);
        for (int term = 0; term < N_LIVE_TERMS; term++)
            ck_assert_int_eq(live_simulate_has(plan, (enum live_term)term),
                             term == LIVE_ALL_TERMS || term == (int)cases[i].term);
        ck_assert(is_same(simulate(plan, LIVE_ALL_TERMS, 1), run_study(with, plan)));
        ck_assert(is_same(simulate(plan, cases[i].term, 1), run_study(without, bare)));
        live_plan_destroy(bare);
        live_plan_destroy(plan);
        study_destroy(without);
        study_destroy(with);
    }
}
END_TEST

// Arrivals keep their histories, and what these add is in the times with one core as well.
START_TEST(histories)
{
    static const char history[] =
        "traffic[0].history={distribution: lognormal, mu: 4, sigma: 1, max_items: 500}";
    static const char cost[] = "fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us, "
                               "per_history: 100ns, per_item_history: 3ns%s}";
    static const char busy[] = "traffic[0].rate=9kqps";
    char with_text[256], without_text[256];
    snprintf(with_text, sizeof with_text, cost, ", contention_frac: 0.5");
    snprintf(without_text, sizeof without_text, cost, "");
    struct study *with = live_fixture_study(busy, with_text, history);
    struct study *without = live_fixture_study(busy, without_text, history);
    struct study *none = live_fixture_study(busy, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(with), *bare = live_fixture_plan(without);
    struct live_plan *empty = live_fixture_plan(none);
    ck_assert(is_same(simulate(plan, LIVE_ALL_TERMS, 1), run_study(with, plan)));
    ck_assert(is_same(simulate(plan, LIVE_ONE_CORE, 1), run_study(without, bare)));
    ck_assert(!is_same(simulate(plan, LIVE_ONE_CORE, 1), run_study(none, empty)));
    live_plan_destroy(empty);
    live_plan_destroy(bare);
    live_plan_destroy(plan);
    study_destroy(none);
    study_destroy(without);
    study_destroy(with);
}
END_TEST

// On a machine that is by a factor slower, it is the study whose costs are by as much higher.
START_TEST(slower)
{
    struct study *study = live_fixture_study(
        "fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us}", NULL, NULL);
    struct study *costly = live_fixture_study(
        "fleet.groups[0].cost={kind: synthetic, fixed: 30us, per_item: 1.5us}", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study), *other = live_fixture_plan(costly);
    ck_assert(is_same(simulate(plan, LIVE_ALL_TERMS, 1.5), run_study(costly, other)));
    live_plan_destroy(other);
    live_plan_destroy(plan);
    study_destroy(costly);
    study_destroy(study);
}
END_TEST

// Several services, each with its own arrivals; one of them has none.
START_TEST(services)
{
    static const char two[] = "traffic=[{service: a, rate: 9kqps, sizes: {distribution: fixed, "
                              "items: 40}}, {service: b, rate: 4kqps, sizes: {distribution: "
                              "lognormal, mu: 3, sigma: 1, max_items: 100}}]";
    struct study *study = live_fixture_study(two, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    ck_assert(is_same(simulate(plan, LIVE_ALL_TERMS, 1), run_study(study, plan)));
    size_t n_first = 0;
    while (plan->queries[n_first].service == 0)
        n_first++;
    plan->n_queries = n_first; // before the first of the other service
    struct record *record = simulate(plan, LIVE_ALL_TERMS, 1);
    ck_assert_uint_eq(record->n_generated[0], n_first);
    ck_assert_uint_eq(record->n_generated[1], 0);
    record_destroy(record);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", without_a_term}, {"core", histories}, {"core", slower}, {"core", services}};
    return suite_mpi_run(&argc, &argv, "live_simulate", tests, sizeof tests / sizeof *tests);
}
