// SPDX-License-Identifier: Apache-2.0
#include "search/max_load.h"

#include <math.h>

#include "search/plant.h"
#include "support/suite.h"

#define CHOICE plant_choice(64, 0)

static struct max_load_task task_of(const struct plant *plant)
{
    return (struct max_load_task){.choice = CHOICE, .bound_qps = plant_bound_qps(plant, CHOICE)};
}

static struct max_load search(struct plant *plant, const struct max_load_task *task)
{
    struct max_load capacity;
    struct err err = {0};
    int rc = max_load_search(&plant->capacity, task, plant_measure, plant, &capacity, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return capacity;
}

static void assert_brackets(const struct max_load *capacity, double truth_qps, double accuracy_frac)
{
    ck_assert_int_eq(capacity->state, MAX_LOAD_FOUND);
    ck_assert_double_le(capacity->held_qps, truth_qps);
    ck_assert_double_ge(capacity->missed_qps, truth_qps);
    ck_assert_double_le(capacity->missed_qps - capacity->held_qps,
                        accuracy_frac * capacity->held_qps);
}

// Without noise the bracket holds the truth and is as narrow as asked, from any hint.
START_TEST(bracket_holds_truth)
{
    struct plant plant = plant_default();
    double truth_qps = plant_capacity_qps(&plant, CHOICE);
    const double guesses[] = {0, 0.01, 0.5, 0.999, 1.001, 1.05};
    const double accuracies[] = {0.1, 0.01, 0.001};
    for (size_t g = 0; g < sizeof guesses / sizeof *guesses; g++)
        for (size_t a = 0; a < sizeof accuracies / sizeof *accuracies; a++) {
            struct max_load_task task = task_of(&plant);
            task.guess_qps = guesses[g] * truth_qps;
            plant.capacity.accuracy_frac = accuracies[a];
            struct max_load capacity = search(&plant, &task);
            assert_brackets(&capacity, truth_qps, accuracies[a]);
        }
}
END_TEST

// The p99's bound decides where it is the nearer one: p99 within 1.5 targets, and three times the
// latency, is a latency within half of the target. The bracket is as narrow as ever.
START_TEST(tail_decides)
{
    struct plant plant = plant_default();
    plant.tail_bound_s = 1.5 * plant.target_s;
    plant.tail_times = 3;
    struct max_load_task task = task_of(&plant);
    struct max_load capacity = search(&plant, &task);
    plant.target_s /= 2;
    assert_brackets(&capacity, plant_capacity_qps(&plant, CHOICE), 0.01);
}
END_TEST

// With noise, too: clear of the bound, and on other draws within it. A rate that only the interval
// of one draw puts below the bound would fail now and then.
START_TEST(tail_confirmed_on_other_draws)
{
    const struct settings choice = CHOICE;
    int confirmed = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plant plant = plant_default();
        plant.tail_bound_s = 1.5 * plant.target_s;
        plant.tail_times = 3;
        plant.noise = 2;
        plant.seed = seed;
        struct max_load_task task = task_of(&plant);
        struct max_load capacity = search(&plant, &task);
        ck_assert_int_eq(capacity.state, MAX_LOAD_FOUND);
        ck_assert_double_le(capacity.at_held.p99_s.value +
                                MAX_LOAD_CLEAR * capacity.at_held.p99_s.half_95,
                            plant.tail_bound_s);
        struct max_load_check check;
        ck_assert_int_eq(max_load_confirm(&plant.capacity, &choice, capacity.held_qps, 0.05,
                                          STREAM_CONFIRM, plant_measure, &plant, &check, NULL,
                                          NULL),
                         0);
        confirmed += check.at_held.p99_s.value <= plant.tail_bound_s &&
                     check.held != VERDICT_MISSED && check.over == VERDICT_MISSED;
    }
    ck_assert_int_ge(confirmed, 95);
}
END_TEST

// A latency that hardly depends on the rate, 2 % below the target when nothing waits, and runs
// whose half-widths of 1.1 % can show that it is held, but never be two of them off: the answer is
// still of the order of the truth. It was vanishing load, or none, as no rate is clear.
START_TEST(flat_latency_does_not_vanish)
{
    int n_found = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct plant plant = plant_default();
        double bound_qps = plant_bound_qps(&plant, CHOICE);
        double base_s = plant.target_s * (1 - plant_capacity_qps(&plant, CHOICE) / bound_qps);
        plant.target_s = 1.02 * base_s;
        plant.noise = 0.0055 * sqrt((double)plant.capacity.most_queries);
        plant.capacity.first_queries = plant.capacity.most_queries;
        plant.capacity.floor_queries = plant.capacity.most_queries;
        plant.seed = seed;
        struct max_load_task task = task_of(&plant);
        struct max_load capacity = search(&plant, &task);
        double part = capacity.held_qps / plant_capacity_qps(&plant, CHOICE);
        n_found += capacity.state == MAX_LOAD_FOUND && part > 0.1 && part < 1.5;
    }
    ck_assert_int_ge(n_found, 45); // on 5 % of the draws the interval holds the target at any rate
}
END_TEST

// Without a bound, and whatever the order of magnitude, the same.
START_TEST(bracket_without_bound)
{
    const double slower[] = {0.01, 1, 300};
    for (size_t i = 0; i < sizeof slower / sizeof *slower; i++) {
        struct plant plant = plant_default();
        plant.overhead_s *= slower[i];
        plant.work_s *= slower[i];
        plant.target_s *= slower[i];
        struct max_load_task task = {.choice = CHOICE, .bound_qps = INFINITY};
        struct max_load capacity = search(&plant, &task);
        assert_brackets(&capacity, plant_capacity_qps(&plant, CHOICE), 0.01);
    }
}
END_TEST

// The result at the held rate is the one measured there, by the longest run, clear of the target.
START_TEST(held_is_clear)
{
    struct plant plant = plant_default();
    plant.noise = 1;
    struct max_load_task task = task_of(&plant);
    struct trials trials = {0};
    struct max_load capacity;
    ck_assert_int_eq(
        max_load_search(&plant.capacity, &task, plant_measure, &plant, &capacity, &trials, NULL),
        0);
    ck_assert_int_eq(measurement_overall(&capacity.at_held), VERDICT_MET);
    ck_assert_uint_eq(capacity.at_held.n_queries, plant.capacity.most_queries);
    ck_assert_double_le(capacity.at_held.sla_latency_s.value +
                            MAX_LOAD_CLEAR * capacity.at_held.sla_latency_s.half_95,
                        capacity.at_held.sla_s);
    bool seen = false;
    for (size_t i = 0; i < trials.n; i++)
        seen = seen ||
               (trials.v[i].point.rate_qps == capacity.held_qps &&
                trials.v[i].result.sla_latency_s.value == capacity.at_held.sla_latency_s.value);
    ck_assert(seen);
    trials_release(&trials);
}
END_TEST

// What is said to be spent is what was measured, and the path has all of it.
START_TEST(counts_spent)
{
    struct plant plant = plant_default();
    plant.noise = 2;
    struct max_load_task task = task_of(&plant);
    struct trials trials = {0};
    struct max_load capacity;
    ck_assert_int_eq(
        max_load_search(&plant.capacity, &task, plant_measure, &plant, &capacity, &trials, NULL),
        0);
    ck_assert_uint_eq(capacity.n_runs, plant.n_runs);
    ck_assert_uint_eq(capacity.n_queries, plant.n_queries);
    ck_assert_uint_eq(trials.n, plant.n_runs);
    trials_release(&trials);
}
END_TEST

// Without noise a search to 1 % takes at most ten runs; a rough one six, for an estimate that is
// as good.
START_TEST(few_runs)
{
    struct plant plant = plant_default();
    struct max_load_task task = task_of(&plant);
    ck_assert_uint_le(search(&plant, &task).n_runs, 10);
    task.rough = true;
    struct max_load rough = search(&plant, &task);
    double truth_qps = plant_capacity_qps(&plant, CHOICE);
    ck_assert_uint_le(rough.n_runs, 6);
    ck_assert_double_eq_tol(rough.estimate_qps, truth_qps, 0.01 * truth_qps);
    assert_brackets(&rough, truth_qps, 0.05);
}
END_TEST

// With noise, over 100 seeds: on other draws the held rate is within the target and 5 % more is
// beyond, in at least 95 of them; the held rate is true to 2 %.
START_TEST(confirmed_on_other_draws)
{
    const struct settings choice = CHOICE;
    int confirmed = 0;
    double truth_qps = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct plant plant = plant_default();
        plant.noise = 3;
        plant.seed = seed;
        truth_qps = plant_capacity_qps(&plant, CHOICE);
        struct max_load_task task = task_of(&plant);
        struct max_load capacity = search(&plant, &task);
        ck_assert_double_ge(capacity.held_qps, 0.98 * truth_qps);
        ck_assert_double_le(capacity.held_qps, 1.02 * truth_qps);
        struct max_load_check check;
        ck_assert_int_eq(max_load_confirm(&plant.capacity, &choice, capacity.held_qps, 0.05,
                                          STREAM_CONFIRM, plant_measure, &plant, &check, NULL,
                                          NULL),
                         0);
        confirmed += check.at_held.sla_latency_s.value <= check.at_held.sla_s &&
                     check.held != VERDICT_MISSED && check.over == VERDICT_MISSED;
    }
    ck_assert_int_ge(confirmed, 95);
}
END_TEST

// A held floor is where the search goes on from, and the answer is the same.
START_TEST(floor_held)
{
    struct plant plant = plant_default();
    double truth_qps = plant_capacity_qps(&plant, CHOICE);
    struct max_load_task task = task_of(&plant);
    task.floor_qps = 0.9 * truth_qps;
    struct max_load capacity = search(&plant, &task);
    assert_brackets(&capacity, truth_qps, 0.01);
}
END_TEST

// A floor and a guess above it: the guess is looked at next.
START_TEST(floor_and_guess)
{
    struct plant plant = plant_default();
    double truth_qps = plant_capacity_qps(&plant, CHOICE);
    struct max_load_task task = task_of(&plant);
    task.floor_qps = 0.5 * truth_qps;
    task.guess_qps = 0.99 * truth_qps;
    struct trials trials = {0};
    struct max_load capacity;
    ck_assert_int_eq(
        max_load_search(&plant.capacity, &task, plant_measure, &plant, &capacity, &trials, NULL),
        0);
    ck_assert_double_eq(trials.v[0].point.rate_qps, task.floor_qps);
    ck_assert_double_eq(trials.v[1].point.rate_qps, task.guess_qps);
    assert_brackets(&capacity, truth_qps, 0.01);
    trials_release(&trials);
}
END_TEST

// A floor that is missed ends the search after that one run.
START_TEST(floor_missed)
{
    struct plant plant = plant_default();
    struct max_load_task task = task_of(&plant);
    task.floor_qps = 1.01 * plant_capacity_qps(&plant, CHOICE);
    struct max_load capacity = search(&plant, &task);
    ck_assert_int_eq(capacity.state, MAX_LOAD_BELOW);
    ck_assert(isnan(capacity.held_qps));
    ck_assert_double_eq(capacity.missed_qps, task.floor_qps);
    ck_assert_uint_eq(capacity.n_runs, 1);
}
END_TEST

// A floor at which nothing can be decided is not shown to be held either, but not missed; it was
// looked at with the longest run.
START_TEST(floor_unsure)
{
    struct plant plant = plant_default();
    struct max_load_task task = task_of(&plant);
    task.floor_qps = 0.9 * plant_capacity_qps(&plant, CHOICE);
    plant.fog_from_qps = 0;
    plant.fog_to_qps = INFINITY;
    plant.capacity.most_queries = 16 * plant.capacity.first_queries;
    struct max_load capacity = search(&plant, &task);
    ck_assert_int_eq(capacity.state, MAX_LOAD_BELOW);
    ck_assert_double_eq(capacity.missed_qps, task.bound_qps);
    ck_assert_uint_eq(capacity.n_runs, 3); // 1, 4 and 16 times the first
    ck_assert_uint_eq(capacity.at_held.n_queries, plant.capacity.most_queries);
}
END_TEST

// A floor at or above the bound needs no run at all.
START_TEST(floor_above_bound)
{
    struct plant plant = plant_default();
    struct max_load_task task = task_of(&plant);
    task.floor_qps = task.bound_qps;
    struct max_load capacity = search(&plant, &task);
    ck_assert_int_eq(capacity.state, MAX_LOAD_BELOW);
    ck_assert_uint_eq(capacity.n_runs, 0);
}
END_TEST

// A target below the latency of an idle server: out of reach, with that latency (the plant's
// 1.5 x (0.5 ms + 64 x 40 us) at a load of a thousandth).
START_TEST(unreachable)
{
    for (int bounded = 0; bounded < 2; bounded++) {
        struct plant plant = plant_default();
        plant.target_s = 4e-3;
        struct max_load_task task = task_of(&plant);
        if (!bounded)
            task.bound_qps = INFINITY;
        struct max_load capacity = search(&plant, &task);
        ck_assert_int_eq(capacity.state, MAX_LOAD_UNREACHABLE);
        ck_assert(isnan(capacity.held_qps));
        ck_assert_double_eq_tol(capacity.floor_s, 4.59e-3, 0.01e-3);
        ck_assert_double_eq(capacity.at_held.sla_latency_s.value, capacity.floor_s);
    }
}
END_TEST

// The latency floor is measured on its own draws, with as many queries as the setting says.
START_TEST(floor_stream)
{
    struct plant plant = plant_default();
    plant.target_s = 4e-3;
    plant.capacity.floor_queries = 1234;
    struct max_load_task task = task_of(&plant);
    task.stream = N_MEASURE_STREAMS + STREAM_TUNE; // a replication
    struct trials trials = {0};
    struct max_load capacity;
    ck_assert_int_eq(
        max_load_search(&plant.capacity, &task, plant_measure, &plant, &capacity, &trials, NULL),
        0);
    ck_assert_uint_eq(trials.v[trials.n - 1].point.stream, N_MEASURE_STREAMS + STREAM_FLOOR);
    ck_assert_uint_eq(trials.v[trials.n - 1].point.n_queries, 1234);
    trials_release(&trials);
}
END_TEST

// A capacity of a few thousandths of the bound is found, not called unreachable.
START_TEST(barely_reachable)
{
    struct plant plant = plant_default();
    plant.target_s = 1.004 * 1.5 * (plant.overhead_s + 64 * plant.work_s);
    struct max_load_task task = task_of(&plant);
    struct max_load capacity = search(&plant, &task);
    assert_brackets(&capacity, plant_capacity_qps(&plant, CHOICE), 0.01);
}
END_TEST

// Where the latency hardly depends on the rate, nothing near the target can be decided: the
// bracket stays as wide as that, and both its ends are true.
START_TEST(unsure_stays_open)
{
    struct plant plant = plant_default();
    double truth_qps = plant_capacity_qps(&plant, CHOICE);
    plant.fog_from_qps = 0.93 * truth_qps;
    plant.fog_to_qps = 1.04 * truth_qps;
    struct max_load_task task = task_of(&plant);
    struct max_load capacity = search(&plant, &task);
    ck_assert_int_eq(capacity.state, MAX_LOAD_FOUND);
    ck_assert_double_le(capacity.held_qps, plant.fog_from_qps);
    ck_assert_double_ge(capacity.held_qps, 0.99 * plant.fog_from_qps);
    ck_assert_double_ge(capacity.missed_qps, plant.fog_to_qps);
    ck_assert_double_le(capacity.missed_qps, 1.1 * plant.fog_to_qps);
}
END_TEST

// A server that serves everything up to its bound is held just below it, and the bound is missed.
START_TEST(held_up_to_bound)
{
    struct plant plant = plant_default();
    plant.target_s = 1e3;
    struct max_load_task task = task_of(&plant);
    struct max_load capacity = search(&plant, &task);
    assert_brackets(&capacity, plant_capacity_qps(&plant, CHOICE), 0.01);
    ck_assert_double_le(capacity.missed_qps, task.bound_qps);
}
END_TEST

// A band of rates that miss for no reason below the true capacity: the answer lies on one side of
// the band, and what is said to be held was held.
START_TEST(not_monotone)
{
    for (int i = 0; i < 20; i++) {
        struct plant plant = plant_default();
        double truth_qps = plant_capacity_qps(&plant, CHOICE);
        plant.hole_from_qps = (0.5 + 0.02 * i) * truth_qps;
        plant.hole_to_qps = (0.55 + 0.02 * i) * truth_qps;
        struct max_load_task task = task_of(&plant);
        struct max_load capacity = search(&plant, &task);
        ck_assert_int_eq(capacity.state, MAX_LOAD_FOUND);
        ck_assert_double_le(capacity.held_qps, truth_qps);
        ck_assert(capacity.held_qps < plant.hole_from_qps ||
                  capacity.held_qps >= plant.hole_to_qps);
        ck_assert_double_gt(capacity.held_qps, 0.98 * plant.hole_from_qps);
        ck_assert_double_le(capacity.missed_qps, 1.01 * capacity.held_qps);
    }
}
END_TEST

// The same answers give the same search.
START_TEST(repeatable)
{
    struct plant a = plant_default(), b = plant_default();
    a.noise = b.noise = 3;
    struct max_load_task task = task_of(&a);
    struct max_load first = search(&a, &task), second = search(&b, &task);
    ck_assert_double_eq(first.held_qps, second.held_qps);
    ck_assert_double_eq(first.missed_qps, second.missed_qps);
    ck_assert_uint_eq(first.n_queries, second.n_queries);
}
END_TEST

// A measurement that fails ends the search with its error, wherever it happens.
START_TEST(measure_fails)
{
    for (uint64_t after = 1; after <= 5; after++)
        for (int floored = 0; floored < 2; floored++) {
            struct plant plant = plant_default();
            plant.noise = 3;
            plant.fail_after = after;
            struct max_load_task task = task_of(&plant);
            task.floor_qps = floored ? 0.5 * plant_capacity_qps(&plant, CHOICE) : 0;
            struct max_load capacity;
            struct err err = {0};
            ck_assert_int_eq(max_load_search(&plant.capacity, &task, plant_measure, &plant,
                                             &capacity, NULL, &err),
                             -1);
            ck_assert_str_eq(err.text, "the plant is down");
        }
}
END_TEST

// So does one that fails during the confirmation.
START_TEST(confirm_fails)
{
    const struct settings choice = CHOICE;
    for (uint64_t after = 1; after <= 2; after++) {
        struct plant plant = plant_default();
        plant.fail_after = after;
        plant.n_runs = 1;
        struct max_load_check check;
        struct err err = {0};
        ck_assert_int_eq(max_load_confirm(&plant.capacity, &choice, 100, 0.05, STREAM_CONFIRM,
                                          plant_measure, &plant, &check, NULL, &err),
                         -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", bracket_holds_truth},
        {"core", tail_decides},
        {"limits", flat_latency_does_not_vanish},
        {"core", tail_confirmed_on_other_draws},
        {"core", bracket_without_bound},
        {"core", held_is_clear},
        {"core", counts_spent},
        {"core", few_runs},
        {"core", confirmed_on_other_draws},
        {"core", floor_held},
        {"core", floor_and_guess},
        {"core", floor_missed},
        {"core", repeatable},
        {"limits", floor_unsure},
        {"limits", floor_above_bound},
        {"limits", unreachable},
        {"limits", floor_stream},
        {"limits", barely_reachable},
        {"limits", unsure_stays_open},
        {"limits", held_up_to_bound},
        {"limits", not_monotone},
        {"errors", measure_fails},
        {"errors", confirm_fails},
    };
    return suite_run("max_load", tests, sizeof tests / sizeof *tests);
}
