// SPDX-License-Identifier: Apache-2.0
#include "search/rounds.h"

#include <math.h>

#include "search/plant.h"
#include "support/suite.h"

struct bench {
    struct plant plant;
    struct tuner_config config;
    struct tuner_backend backend;
    struct tuner_outcome outcome;
    struct rounds *rounds;
};

static void start(struct bench *bench, struct plant plant)
{
    bench->plant = plant;
    bench->config = plant_config(&plant);
    bench->backend = plant_backend(&bench->plant);
    bench->rounds = rounds_create(&bench->config, &bench->backend, &bench->outcome);
}

static void end(struct bench *bench)
{
    rounds_destroy(bench->rounds);
    tuner_release(&bench->outcome);
}

static void ask(struct bench *bench, const struct settings *choices, size_t n)
{
    struct err err = {0};
    int rc = rounds_ask(bench->rounds, choices, n, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

// The best of a round leads, whichever of its tasks is done first.
START_TEST(best_leads)
{
    const struct settings choices[] = {plant_choice(8, 0), plant_choice(64, 0),
                                       plant_choice(512, 0)};
    double led_qps[2];
    for (int backwards = 0; backwards < 2; backwards++) {
        struct bench bench;
        struct plant plant = plant_default();
        plant.backwards = backwards;
        start(&bench, plant);
        ask(&bench, choices, 3);
        struct settings leader;
        ck_assert(rounds_leader(bench.rounds, &leader));
        ck_assert_int_eq(plant_batch(leader), 64);
        led_qps[backwards] = rounds_leader_qps(bench.rounds);
        end(&bench);
    }
    ck_assert_double_eq(led_qps[0], led_qps[1]);
}
END_TEST

// A worse choice in a later round is given up after one run, and does not lead.
START_TEST(worse_costs_one_run)
{
    struct bench bench;
    start(&bench, plant_default());
    const struct settings good = plant_choice(64, 0), worse = plant_choice(32, 0);
    ask(&bench, &good, 1);
    uint64_t before = bench.outcome.n_runs;
    ask(&bench, &worse, 1);
    ck_assert_uint_eq(bench.outcome.n_runs, before + 1);
    struct settings leader;
    rounds_leader(bench.rounds, &leader);
    ck_assert_int_eq(plant_batch(leader), 64);
    end(&bench);
}
END_TEST

// A choice whose bound is below the leader costs no run and is counted as bounded.
START_TEST(bounded_costs_nothing)
{
    struct bench bench;
    start(&bench, plant_default());
    const struct settings good = plant_choice(64, 0), hopeless = plant_choice(1, 0);
    ask(&bench, &good, 1);
    uint64_t before = bench.outcome.n_runs;
    ask(&bench, &hopeless, 1);
    ck_assert_uint_eq(bench.outcome.n_runs, before);
    ck_assert_uint_eq(bench.outcome.n_bounded, 1);
    ck_assert_uint_eq(bench.outcome.n_choices, 2);
    end(&bench);
}
END_TEST

// What was asked before is not asked again, in the same round or later.
START_TEST(asked_once)
{
    struct bench bench;
    start(&bench, plant_default());
    const struct settings choices[] = {plant_choice(64, 0), plant_choice(64, 0),
                                       plant_choice(32, 0)};
    ask(&bench, choices, 3);
    ask(&bench, choices, 3);
    ck_assert_uint_eq(bench.plant.n_choices, 2);
    ck_assert_uint_eq(bench.outcome.n_choices, 2);
    end(&bench);
}
END_TEST

// Choices that make the same server are one: a batch size that no query on the CPU reaches, a
// threshold that no query reaches.
START_TEST(same_server_once)
{
    struct bench bench;
    start(&bench, plant_with_accelerator());
    const struct settings choices[] = {plant_choice(199, 200), plant_choice(1000, 1001)};
    ask(&bench, choices, 2);
    ck_assert(rounds_asked(bench.rounds, plant_choice(500, 200)));
    ck_assert(rounds_asked(bench.rounds, plant_choice(1000, 0)));
    ck_assert(rounds_asked(bench.rounds, plant_choice(4000, 0)));
    ck_assert(!rounds_asked(bench.rounds, plant_choice(198, 200)));
    ck_assert(!rounds_asked(bench.rounds, plant_choice(999, 0)));
    end(&bench);
}
END_TEST

// With all queries on the accelerator, every batch size is the same.
START_TEST(nothing_on_cpu)
{
    struct bench bench;
    start(&bench, plant_with_accelerator());
    const struct settings choice = plant_choice(64, 1);
    ask(&bench, &choice, 1);
    ck_assert(rounds_asked(bench.rounds, plant_choice(1, 1)));
    ck_assert(!rounds_asked(bench.rounds, plant_choice(64, 2)));
    end(&bench);
}
END_TEST

// When nothing is reachable the nearest leads, until something is.
START_TEST(nearest_leads)
{
    struct bench bench;
    struct plant plant = plant_default();
    plant.target_s = 2e-3; // reachable with B below 21 only
    start(&bench, plant);
    const struct settings choices[] = {plant_choice(100, 0), plant_choice(30, 0),
                                       plant_choice(50, 0)};
    ask(&bench, choices, 3);
    struct settings leader;
    rounds_leader(bench.rounds, &leader);
    ck_assert_int_eq(plant_batch(leader), 30);
    ck_assert_double_eq(rounds_leader_qps(bench.rounds), 0);
    const struct settings reachable = plant_choice(10, 0);
    ask(&bench, &reachable, 1);
    rounds_leader(bench.rounds, &leader);
    ck_assert_int_eq(plant_batch(leader), 10);
    end(&bench);
}
END_TEST

// Finished, the outcome has the leader's capacity in full: a bracket as narrow as asked for.
START_TEST(finish_in_full)
{
    struct bench bench;
    start(&bench, plant_default());
    const struct settings choice = plant_choice(64, 0);
    ask(&bench, &choice, 1);
    ck_assert_int_eq(rounds_finish(bench.rounds, NULL), 0);
    ck_assert_int_eq(plant_batch(bench.outcome.choice), 64);
    ck_assert_int_eq(bench.outcome.capacity.state, MAX_LOAD_FOUND);
    ck_assert_double_le(bench.outcome.capacity.missed_qps, 1.01 * bench.outcome.capacity.held_qps);
    ck_assert_double_eq(bench.outcome.claimed_qps, bench.outcome.capacity.held_qps);
    end(&bench);
}
END_TEST

// All that was measured is counted and on the path.
START_TEST(all_counted)
{
    struct bench bench;
    start(&bench, plant_default());
    const struct settings choices[] = {plant_choice(64, 0), plant_choice(32, 0)};
    ask(&bench, choices, 2);
    rounds_finish(bench.rounds, NULL);
    ck_assert_uint_eq(bench.outcome.n_runs, bench.plant.n_runs);
    ck_assert_uint_eq(bench.outcome.n_queries, bench.plant.n_queries);
    ck_assert_uint_eq(bench.outcome.path.n, bench.plant.n_runs);
    end(&bench);
}
END_TEST

// Nothing asked: nobody leads.
START_TEST(nobody_leads)
{
    struct bench bench;
    start(&bench, plant_default());
    struct settings leader = plant_choice(7, 7);
    ck_assert(!rounds_leader(bench.rounds, &leader));
    ck_assert_double_eq(rounds_leader_qps(bench.rounds), 0);
    ask(&bench, &leader, 0);
    ck_assert(!rounds_leader(bench.rounds, &leader));
    end(&bench);
}
END_TEST

// A round that fails is an error and leaves nothing behind but the counts of what was asked.
START_TEST(round_fails)
{
    struct bench bench;
    struct plant plant = plant_default();
    plant.fail_after = 3;
    start(&bench, plant);
    const struct settings choices[] = {plant_choice(64, 0), plant_choice(32, 0)};
    struct err err = {0};
    ck_assert_int_eq(rounds_ask(bench.rounds, choices, 2, &err), -1);
    ck_assert_str_eq(err.text, "the plant is down");
    ck_assert_uint_eq(bench.outcome.path.n, 0);
    end(&bench);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", best_leads},
        {"core", worse_costs_one_run},
        {"core", bounded_costs_nothing},
        {"core", asked_once},
        {"core", finish_in_full},
        {"core", all_counted},
        {"limits", same_server_once},
        {"limits", nothing_on_cpu},
        {"limits", nearest_leads},
        {"limits", nobody_leads},
        {"errors", round_fails},
    };
    return suite_run("rounds", tests, sizeof tests / sizeof *tests);
}
