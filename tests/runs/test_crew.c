// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "runs/crew.h"

#include <math.h>

#include "runs/runs_fixture.h"
#include "cluster/sched.h"

static const char *const text =
    "duration: 1s\n"
    "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
    "sla: {p95: 2ms}}]\n"
    "fleet: {groups: [{cores: 8, servers: 1, cost: {kind: synthetic, fixed: 0us, per_item: "
    "10us}}]}\n";

static const struct max_load_config quick = {
    .accuracy_frac = 0.02, .first_queries = 10000, .most_queries = 40000, .floor_queries = 5000};

// No more crews than ranks or units; each has a rank that speaks for it.
START_TEST(cuts_the_ranks)
{
    struct err err = {0};
    for (uint32_t n_units = 1; n_units <= 5; n_units++) {
        struct crew *crew = crew_create(runs_fixture_eval()->comm, n_units, &err);
        uint32_t n_ranks = (uint32_t)runs_fixture_eval()->n_ranks;
        ck_assert_uint_eq(crew_n(crew), n_units < n_ranks ? n_units : n_ranks);
        ck_assert_uint_lt(crew_index(crew), crew_n(crew));
        int speaks = crew_rank(crew) == 0, all = 0;
        MPI_Allreduce(&speaks, &all, 1, MPI_INT, MPI_SUM, runs_fixture_eval()->comm);
        ck_assert_int_eq(all, (int)crew_n(crew));
        ck_assert_int_eq(crew_speaker(crew, crew_index(crew)) == runs_fixture_eval()->rank, speaks);
        crew_destroy(crew);
    }
}
END_TEST

// Every unit has an owner, and no crew gets much more than another: at most one unit's weight.
START_TEST(deals_evenly)
{
    struct err err = {0};
    const double weights[] = {1, 30, 1, 4, 30, 2, 5, 4, 1, 1};
    uint32_t owner[10];
    struct crew *crew = crew_create(runs_fixture_eval()->comm, 10, &err);
    crew_deal(crew_n(crew), weights, 10, owner);
    double load[16] = {0}, least = INFINITY, most = 0;
    for (int u = 0; u < 10; u++) {
        ck_assert_uint_lt(owner[u], crew_n(crew));
        load[owner[u]] += weights[u];
    }
    for (uint32_t c = 0; c < crew_n(crew); c++) {
        least = fmin(least, load[c]);
        most = fmax(most, load[c]);
    }
    ck_assert_double_le(most - least, 30);
    crew_destroy(crew);
}
END_TEST

// The heaviest first, equal ones by number.
START_TEST(orders_by_weight)
{
    const double weights[] = {1, 30, 1, 4, 30, 2};
    const uint32_t expected[] = {1, 4, 3, 5, 0, 2};
    uint32_t order[6];
    crew_order(weights, 6, order);
    ck_assert_mem_eq(order, expected, sizeof order);
}
END_TEST

static void round_of(struct crew *crew, struct tuner_job *jobs, size_t n)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct probe *probe = probe_create(study, false);
    struct crew_bench bench = {crew, probe, &quick};
    struct err err = {0};
    for (size_t j = 0; j < n; j++) {
        const struct settings choice = sched_plain(&sched_split, (int64_t)(25 * (j + 1)), 1);
        jobs[j] = (struct tuner_job){
            .task = {.choice = choice, .bound_qps = probe_bound_qps(probe, &choice)}};
    }
    ck_assert_msg(crew_round(&bench, jobs, n, &err) == 0, "%s", err.text);
    probe_destroy(probe);
    study_destroy(study);
}

// Member by member: what lies between members is nobody's.
static void expect_same(const struct tuner_job *a, const struct tuner_job *b)
{
    ck_assert_int_eq(a->capacity.state, b->capacity.state);
    ck_assert(a->capacity.held_qps == b->capacity.held_qps);
    ck_assert(a->capacity.missed_qps == b->capacity.missed_qps);
    ck_assert_uint_eq(a->capacity.n_queries, b->capacity.n_queries);
    ck_assert_uint_eq(a->trials.n, b->trials.n);
    ck_assert_uint_gt(a->trials.n, 0);
    for (size_t i = 0; i < a->trials.n; i++) {
        const struct trial *x = &a->trials.v[i], *y = &b->trials.v[i];
        ck_assert(settings_equal(&x->point.choice, &y->point.choice));
        ck_assert(x->point.rate_qps == y->point.rate_qps);
        ck_assert_uint_eq(x->point.n_queries, y->point.n_queries);
        ck_assert_uint_eq(x->result.n_queries, y->result.n_queries);
        ck_assert_int_eq(x->result.sla, y->result.sla);
        ck_assert(x->result.p95_s.value == y->result.p95_s.value &&
                  x->result.power_w == y->result.power_w);
    }
}

// The tasks of a round give the same on a crew of all ranks as on each rank by itself, also when
// there are fewer tasks than ranks and several ranks share one.
START_TEST(rounds_do_not_depend_on_the_crew)
{
    struct err err = {0};
    struct crew *all = crew_create(runs_fixture_eval()->comm, 1, &err);
    struct crew *self = crew_create(MPI_COMM_SELF, 1, &err);
    for (size_t n = 1; n <= 3; n++) {
        struct tuner_job together[3], alone[3];
        double most = 0;
        crew_begin(all);
        round_of(all, together, n);
        round_of(self, alone, n);
        for (size_t j = 0; j < n; j++) {
            expect_same(&together[j], &alone[j]);
            // Eight cores at 1 ms a query: at most 8000 a second, and most of it within 2 ms.
            ck_assert_int_eq(alone[j].capacity.state, MAX_LOAD_FOUND);
            ck_assert_double_gt(alone[j].capacity.held_qps, 4000);
            ck_assert_double_lt(alone[j].capacity.held_qps, 8000);
            most = fmax(most, alone[j].capacity.held_qps);
            trials_release(&together[j].trials);
            trials_release(&alone[j].trials);
        }
        // What the crew has shown, whichever rank did, and this rank's own bracket.
        const struct crew_work *work = crew_work(all);
        ck_assert_double_ge(work->best_qps, most);
        ck_assert_double_lt(work->best_qps, 8000); // by its interval, less clearly than the answer
        ck_assert(!(work->held_qps >= work->missed_qps) && work->rate_qps > 0);
    }
    crew_destroy(self);
    crew_destroy(all);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cuts_the_ranks},
        {"core", orders_by_weight},
        {"core", deals_evenly},
        {"limits", rounds_do_not_depend_on_the_crew},
    };
    return runs_fixture_main("crew", tests, sizeof tests / sizeof *tests);
}
