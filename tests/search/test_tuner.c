// SPDX-License-Identifier: Apache-2.0
// Every policy (static and fixed, tuner_climb's deeprecsched, tuner_grid's exhaustive, reference)
// on plants whose best choice is known.
#include "search/tuner.h"

#include <math.h>
#include <string.h>

#include "search/plant.h"
#include "support/suite.h"

// Tunes the plant; its counts are the spent ones afterwards. Caller releases.
static struct tuner_outcome tune(const char *policy, struct plant *plant,
                                 const struct tuner_config *config)
{
    struct tuner_backend backend = plant_backend(plant);
    struct tuner_outcome outcome;
    struct err err = {0};
    int rc = tuner_policies[tuner_find(policy)]->tune(config, &backend, &outcome, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return outcome;
}

static struct tuner_outcome tune_default(const char *policy, struct plant *plant)
{
    struct tuner_config config = plant_config(plant);
    struct tuner_outcome outcome = tune(policy, plant, &config);
    tuner_release(&outcome);
    return outcome;
}

static double truth_frac(const struct plant *plant, const struct tuner_outcome *outcome)
{
    return plant_capacity_qps(plant, outcome->choice) / plant_best_qps(plant);
}

// Every policy is found by its name, and has one line of help.
START_TEST(found_by_name)
{
    const char *const names[] = {"static", "fixed", "deeprecsched", "exhaustive", "reference"};
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tuner_find(names[i]), i);
        ck_assert_uint_gt(strlen(tuner_policies[i]->help), 10);
    }
    ck_assert_ptr_null(tuner_policies[5]);
    ck_assert_int_eq(tuner_find("nearest"), -1);
}
END_TEST

static size_t default_of(enum settings_walk walk, int64_t most, int64_t *v, size_t max)
{
    return tuner_default(&(struct tuner_axis){"x", walk, most, NULL, 0}, v, max);
}

// The default grid: ascending, from 1 to the largest query, about 40 batch sizes, each within
// 2^(1/4) of the next but for rounding, about 50 thresholds 20 items apart.
START_TEST(default_grid)
{
    int64_t v[100];
    size_t n = default_of(SETTINGS_FACTORS, 1000, v, 100);
    ck_assert_uint_ge(n, 35);
    ck_assert_uint_le(n, 45);
    ck_assert_int_eq(v[0], 1);
    ck_assert_int_eq(v[n - 1], 1000);
    for (size_t i = 1; i < n; i++)
        ck_assert(v[i] > v[i - 1] && (double)v[i] <= 1.19 * (double)v[i - 1] + 1);
    n = default_of(SETTINGS_STEPS, 1000, v, 100);
    ck_assert_uint_eq(n, 51);
    ck_assert(v[0] == 1 && v[1] == 20 && v[2] == 40 && v[50] == 1000);
    n = default_of(SETTINGS_STEPS, 999, v, 100);
    ck_assert(n == 50 && v[1] == 20 && v[49] == 980);
    n = default_of(SETTINGS_HALVES, 64000, v, 100);
    ck_assert(n == 13 && v[0] == 15 && v[11] == 32000 && v[12] == 64000);
}
END_TEST

// Tiny largest queries, and a list too short: the count is still told, nothing is written beyond.
START_TEST(default_grid_limits)
{
    int64_t v[4] = {0, 0, 0, 99};
    ck_assert_uint_eq(default_of(SETTINGS_FACTORS, 1, v, 4), 1);
    ck_assert_uint_eq(default_of(SETTINGS_STEPS, 1, v, 4), 1);
    ck_assert_uint_eq(default_of(SETTINGS_HALVES, 1, v, 4), 1);
    ck_assert_uint_eq(default_of(SETTINGS_FACTORS, 3, v, 3), 3);
    ck_assert_uint_gt(default_of(SETTINGS_FACTORS, 1000, v, 3), 30);
    ck_assert_uint_gt(default_of(SETTINGS_STEPS, 1000, v, 3), 30);
    ck_assert_int_eq(v[3], 99);
}
END_TEST

// static: 1000 items over 40 cores are 25, over 28 cores 36; the accelerator stays idle.
START_TEST(static_splits_evenly)
{
    const uint32_t cores[] = {40, 28}, batches[] = {25, 36};
    for (int i = 0; i < 2; i++) {
        struct plant plant = plant_with_accelerator();
        plant.n_cores = cores[i];
        struct tuner_outcome outcome = tune_default("static", &plant);
        ck_assert_int_eq(plant_batch(outcome.choice), batches[i]);
        ck_assert_int_eq(plant_offload(outcome.choice), 0);
        ck_assert_uint_eq(outcome.n_choices, 1);
        ck_assert_double_eq_tol(outcome.capacity.held_qps,
                                plant_capacity_qps(&plant, outcome.choice),
                                0.01 * outcome.capacity.held_qps);
    }
}
END_TEST

// fixed: the study's own choice.
START_TEST(fixed_is_given)
{
    struct plant plant = plant_with_accelerator();
    struct tuner_config config = plant_config(&plant);
    config.fixed = plant_choice(100, 700);
    struct tuner_outcome outcome = tune("fixed", &plant, &config);
    ck_assert_int_eq(plant_batch(outcome.choice), 100);
    ck_assert_int_eq(plant_offload(outcome.choice), 700);
    ck_assert_double_eq_tol(outcome.capacity.held_qps, plant_capacity_qps(&plant, config.fixed),
                            0.01 * outcome.capacity.held_qps);
    tuner_release(&outcome);
}
END_TEST

// How many different servers the default grid makes.
static uint64_t n_servers(uint32_t max_items, bool has_accelerator)
{
    int64_t batches[100], offloads[100] = {0};
    size_t n_batches = default_of(SETTINGS_FACTORS, max_items, batches, 100), n_offloads = 1;
    if (has_accelerator)
        n_offloads += default_of(SETTINGS_STEPS, max_items, offloads + 1, 99);
    uint64_t n = 0;
    for (size_t t = 0; t < n_offloads; t++)
        for (size_t b = 0; b < n_batches; b++) {
            int64_t largest = t == 0 ? max_items : offloads[t] > 1 ? offloads[t] - 1 : 1;
            n += b == 0 || batches[b - 1] < largest;
        }
    return n;
}

// exhaustive: every server of the grid is asked for or bounded, and the best one is found to the
// accuracy that it is asked for.
START_TEST(exhaustive_visits_all)
{
    for (int accelerator = 0; accelerator < 2; accelerator++)
        for (int no_bound = 0; no_bound < 2; no_bound++) {
            struct plant plant = accelerator ? plant_with_accelerator() : plant_default();
            plant.no_bound = no_bound;
            struct tuner_outcome outcome = tune_default("exhaustive", &plant);
            ck_assert_uint_eq(outcome.n_choices, n_servers(1000, accelerator));
            // Asked for by rounds, and once more in full.
            ck_assert_uint_eq(plant.n_choices, outcome.n_choices - outcome.n_bounded + 1);
            ck_assert(no_bound ? outcome.n_bounded == 0 : outcome.n_bounded > 0);
            ck_assert_double_ge(truth_frac(&plant, &outcome), 0.99);
        }
}
END_TEST

// exhaustive finds the better of two hills.
START_TEST(exhaustive_two_hills)
{
    struct plant plant = plant_default();
    plant.target_s = 100e-3;
    plant.dent_from = 8;
    plant.dent_to = 70;
    struct tuner_outcome outcome = tune_default("exhaustive", &plant);
    ck_assert_int_gt(plant_batch(outcome.choice), 70);
    ck_assert_double_ge(truth_frac(&plant, &outcome), 0.99);
}
END_TEST

// exhaustive over the study's own grid stays within it.
START_TEST(exhaustive_own_grid)
{
    struct plant plant = plant_with_accelerator();
    struct tuner_config config = plant_config(&plant);
    const int64_t batches[] = {16, 40}, offloads[] = {500, 900};
    config.axes[0].own = batches;
    config.axes[0].n_own = config.axes[1].n_own = 2;
    config.axes[1].own = offloads;
    struct tuner_outcome outcome = tune("exhaustive", &plant, &config);
    ck_assert_uint_eq(outcome.n_choices, 6);
    ck_assert_int_eq(plant_batch(outcome.choice), 40);
    ck_assert_int_eq(plant_offload(outcome.choice), 900);
    tuner_release(&outcome);
}
END_TEST

// Plants of many kinds, from overhead that matters to none, from strict targets to relaxed ones.
static struct plant kind(int i, bool accelerator)
{
    struct plant plant = accelerator ? plant_with_accelerator() : plant_default();
    const double overheads[] = {0.05e-3, 0.5e-3, 4e-3}, targets[] = {8e-3, 25e-3, 100e-3};
    plant.overhead_s = overheads[i % 3];
    plant.target_s = targets[i / 3];
    plant.noise = 2;
    plant.seed = 100 + (uint64_t)i;
    return plant;
}
enum { N_KINDS = 9 };

// deeprecsched on the CPU: within 3 % of the best of the grid with a third of its choices.
START_TEST(climb_cpu)
{
    for (int i = 0; i < N_KINDS; i++) {
        struct plant plant = kind(i, false);
        struct tuner_outcome outcome = tune_default("deeprecsched", &plant);
        ck_assert_double_ge(truth_frac(&plant, &outcome), 0.97);
        ck_assert_uint_le(3 * outcome.n_choices, n_servers(1000, false));
    }
}
END_TEST

// deeprecsched with an accelerator: likewise, and with far fewer queries than the grid takes.
START_TEST(climb_accelerator)
{
    for (int i = 0; i < N_KINDS; i++) {
        struct plant plant = kind(i, true);
        struct tuner_outcome climbed = tune_default("deeprecsched", &plant);
        ck_assert_double_ge(truth_frac(&plant, &climbed), 0.97);
        ck_assert_uint_le(10 * climbed.n_choices, n_servers(1000, true));
    }
}
END_TEST

// A server that merges, by formula: a hill over B, one over A far beyond the largest query, and one
// over a delay that may be of no use.
struct merger {
    int64_t batch_items, accel_items, delay_ns;
};
static const struct field merger_fields[] = {
    FIELD(merger, "B", FIELD_INT, UNIT_ITEMS, batch_items, 0, 1e6, "1", "B"),
    FIELD(merger, "A", FIELD_INT, UNIT_ITEMS, accel_items, 0, 1e6, "0", "A"),
    FIELD(merger, "D", FIELD_TIME, UNIT_TIME, delay_ns, 0, 1e12, "0", "D"), FIELD_END};

// 1 at the best, falling by the square of the doublings away from it.
static double hill(double value, double best)
{
    double away = log2(value / best);
    return 1 / (1 + 0.05 * away * away);
}

static double merger_qps(const struct merger *best, const struct settings *choice)
{
    const struct merger *at = settings_values(choice);
    double accel =
        at->accel_items > 0 ? hill((double)at->accel_items, (double)best->accel_items) : 0;
    double delay = at->delay_ns > 0 && best->delay_ns > 0
                       ? hill((double)at->delay_ns, (double)best->delay_ns)
                   : at->delay_ns > 0 ? -1
                                      : 0;
    return 1000 * hill((double)at->batch_items, (double)best->batch_items) *
           (1 + 0.5 * accel + 0.2 * delay);
}

static int merger_round(void *user, struct tuner_job *jobs, size_t n, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++) {
        double qps = merger_qps(user, &jobs[i].task.choice);
        bool above = qps > jobs[i].task.floor_qps;
        jobs[i].capacity = (struct max_load){.state = above ? MAX_LOAD_FOUND : MAX_LOAD_BELOW,
                                             .held_qps = above ? qps : NAN,
                                             .estimate_qps = above ? qps : NAN};
    }
    return 0;
}

static double merger_bound_qps(const void *server, const struct settings *choice)
{
    (void)server;
    (void)choice;
    return INFINITY;
}

static void merger_simplify(const void *server, struct settings *choice)
{
    (void)server;
    (void)choice;
}

// Axes by halves are climbed from the most downward, any number of them, and what is of no use ends
// at 0. No choice of the whole grid is more than 3 % better.
START_TEST(climb_by_halves)
{
    const int64_t batches[] = {1, 3, 10, 40, 100, 300, 700, 1000};
    const struct merger bests[] = {
        {100, 6000, 0}, {700, 64000, 0}, {3, 500, 2000000}, {40, 20000, 300000}, {1000, 60, 12000}};
    for (size_t i = 0; i < sizeof bests / sizeof *bests; i++) {
        struct merger best = bests[i];
        struct tuner_backend backend = {.user = &best,
                                        .server = &best,
                                        .round = merger_round,
                                        .bound_qps = merger_bound_qps,
                                        .simplify = merger_simplify};
        struct tuner_config config = {.capacity.accuracy_frac = 0.01,
                                      .fixed = settings_of(merger_fields, NULL),
                                      .axes = {{"B", SETTINGS_FACTORS, 1000, batches, 8},
                                               {"A", SETTINGS_HALVES, 64000, NULL, 0},
                                               {"D", SETTINGS_HALVES, 25000000, NULL, 0}},
                                      .n_axes = 3};
        struct tuner_outcome climbed, whole;
        ck_assert_int_eq(tuner_deeprecsched.tune(&config, &backend, &climbed, NULL), 0);
        ck_assert_int_eq(tuner_exhaustive.tune(&config, &backend, &whole, NULL), 0);
        double truth = merger_qps(&best, &whole.choice);
        ck_assert_double_ge(merger_qps(&best, &climbed.choice), 0.97 * truth);
        ck_assert_int_eq(settings_whole(&climbed.choice, "D") == 0, best.delay_ns == 0);
        ck_assert_uint_le(20 * climbed.n_choices, whole.n_choices);
        tuner_release(&climbed);
        tuner_release(&whole);
    }
}
END_TEST

// A dent that is one or two doublings wide does not stop the climb; the true optimum is reached.
START_TEST(climb_over_dent)
{
    const uint32_t dents[][2] = {{3, 5}, {7, 9}, {15, 17}, {7, 17}, {15, 33}};
    for (size_t i = 0; i < sizeof dents / sizeof *dents; i++) {
        struct plant plant = plant_default();
        plant.target_s = 100e-3;
        plant.dent_from = dents[i][0];
        plant.dent_to = dents[i][1];
        struct tuner_outcome outcome = tune_default("deeprecsched", &plant);
        ck_assert_double_ge(truth_frac(&plant, &outcome), 0.97);
    }
}
END_TEST

// A plateau: without overhead every small batch size does the same, and the climb ends at one that
// is as good as any, after few steps.
START_TEST(climb_on_plateau)
{
    struct plant plant = plant_default();
    plant.overhead_s = 1e-7;
    plant.target_s = 1;
    plant.noise = 1;
    struct tuner_outcome outcome = tune_default("deeprecsched", &plant);
    ck_assert_double_ge(truth_frac(&plant, &outcome), 0.97);
    ck_assert_uint_le(outcome.n_choices, 12);
}
END_TEST

// A target that only the accelerator can meet: the CPU's part fails, the threshold's finds it.
START_TEST(climb_accelerator_only)
{
    struct plant plant = plant_with_accelerator();
    plant.overhead_s = 10e-3; // 15 ms on an idle core
    plant.target_s = 10e-3;   // 4.8 ms on the idle accelerator
    struct tuner_outcome outcome = tune_default("deeprecsched", &plant);
    ck_assert_int_eq(outcome.capacity.state, MAX_LOAD_FOUND);
    ck_assert_int_eq(plant_offload(outcome.choice), 1);
}
END_TEST

// An accelerator that is of no use is left alone.
START_TEST(climb_useless_accelerator)
{
    struct plant plant = plant_with_accelerator();
    plant.accel_fixed_s = 50e-3; // beyond any target
    struct tuner_outcome outcome = tune_default("deeprecsched", &plant);
    ck_assert_int_eq(plant_offload(outcome.choice), 0);
    ck_assert_double_ge(truth_frac(&plant, &outcome), 0.97);
}
END_TEST

// Out of reach of any choice: said so, with the nearest choice and its latency at vanishing load.
START_TEST(unreachable_by_all)
{
    const char *const policies[] = {"static", "deeprecsched", "exhaustive"};
    for (int i = 0; i < 3; i++) {
        struct plant plant = plant_default();
        plant.target_s = 0.5e-3; // 0.81 ms with B = 1
        struct tuner_outcome outcome = tune_default(policies[i], &plant);
        ck_assert_int_eq(outcome.capacity.state, MAX_LOAD_UNREACHABLE);
        ck_assert(isnan(outcome.claimed_qps));
        if (i > 0) {
            ck_assert_int_eq(plant_batch(outcome.choice), 1);
            ck_assert_double_eq_tol(outcome.capacity.floor_s, 0.81e-3, 0.01e-3);
        }
    }
}
END_TEST

// The order in which the tasks of a round are done changes nothing, bit for bit.
START_TEST(order_of_round)
{
    for (int i = 0; tuner_policies[i]; i++) {
        struct plant forward = plant_with_accelerator(), backward = plant_with_accelerator();
        forward.noise = backward.noise = 3;
        backward.backwards = true;
        struct tuner_config config = plant_config(&forward);
        config.fixed = plant_choice(64, 500);
        struct tuner_outcome a = tune(tuner_policies[i]->name, &forward, &config);
        struct tuner_outcome b = tune(tuner_policies[i]->name, &backward, &config);
        ck_assert_int_eq(plant_batch(a.choice), plant_batch(b.choice));
        ck_assert_int_eq(plant_offload(a.choice), plant_offload(b.choice));
        ck_assert(a.capacity.held_qps == b.capacity.held_qps || isnan(a.capacity.held_qps));
        ck_assert_uint_eq(a.n_queries, b.n_queries);
        ck_assert_uint_eq(a.path.n, b.path.n);
        for (size_t k = 0; k < a.path.n; k++)
            ck_assert_double_eq(a.path.v[k].point.rate_qps, b.path.v[k].point.rate_qps);
        tuner_release(&a);
        tuner_release(&b);
    }
}
END_TEST

// A plant slow enough for the reference controller's range of 50 to 1000 queries per second.
static struct plant slow_plant(void)
{
    struct plant plant = plant_default();
    plant.n_cores = 8;
    plant.work_s = 100e-6;
    plant.target_s = 100e-3;
    return plant;
}

// reference: it ends with a choice of its own lists, claims a rate of its own grid, and runs 129
// windows of 64 queries for each configuration.
START_TEST(reference_own_lists)
{
    struct plant plant = slow_plant();
    struct tuner_outcome outcome = tune_default("reference", &plant);
    const uint32_t list[] = {512, 384, 256, 192, 128, 96, 64, 48, 32};
    bool listed = false;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        listed = listed || list[i] == plant_batch(outcome.choice);
    ck_assert(listed);
    ck_assert_int_eq(plant_offload(outcome.choice), 0);
    ck_assert_double_ge(outcome.claimed_qps, 50);
    ck_assert_double_le(outcome.claimed_qps, 1000);
    ck_assert_uint_le(outcome.n_choices, 9);
    ck_assert_uint_ge(outcome.n_queries - plant.n_queries, outcome.n_choices * 129 * 64);
    ck_assert_uint_le(outcome.n_queries - plant.n_queries, outcome.n_choices * 129 * 64 * 2);
}
END_TEST

// reference: the claim is measured, at the claimed rate, before anything else (unless it is beyond
// the bound, where nothing is).
START_TEST(reference_claim_measured)
{
    struct plant plant = slow_plant();
    plant.no_bound = true;
    struct tuner_config config = plant_config(&plant);
    struct tuner_outcome outcome = tune("reference", &plant, &config);
    ck_assert_uint_gt(outcome.path.n, 0);
    ck_assert_double_eq(outcome.path.v[0].point.rate_qps, outcome.claimed_qps);
    ck_assert_int_ne(outcome.capacity.state, MAX_LOAD_BELOW);
    tuner_release(&outcome);
}
END_TEST

// reference: no server reaches more than 1000 queries per second, however fast; several share.
START_TEST(reference_saturates)
{
    struct plant plant = plant_default();
    plant.overhead_s = plant.work_s = 1e-7;
    struct tuner_config config = plant_config(&plant);
    config.n_servers = 3;
    struct tuner_outcome outcome = tune("reference", &plant, &config);
    ck_assert_double_eq_tol(outcome.claimed_qps, 3000, 1e-6);
    ck_assert_int_eq(plant_batch(outcome.choice), 512); // the first of equals
    tuner_release(&outcome);
}
END_TEST

// reference: a server slower than its grid ends at the grid's slow end, which it cannot serve.
START_TEST(reference_too_slow)
{
    struct plant plant = slow_plant();
    plant.work_s = 20e-3;
    struct tuner_outcome outcome = tune_default("reference", &plant);
    ck_assert_double_eq_tol(outcome.claimed_qps, 50, 1e-9);
    ck_assert_int_eq(outcome.capacity.state, MAX_LOAD_UNREACHABLE);
}
END_TEST

// reference: its first threshold is never applied. An accelerator so slow that every use of it
// hurts makes the climb step back to 96, although what ran was no offload at all.
START_TEST(reference_off_by_one)
{
    struct plant plant = slow_plant();
    plant.accel_fixed_s = 0.3;
    plant.accel_s = 1e-4;
    struct tuner_outcome outcome = tune_default("reference", &plant);
    ck_assert_int_eq(plant_offload(outcome.choice), 96);
    ck_assert_int_eq(outcome.capacity.state, MAX_LOAD_UNREACHABLE);
}
END_TEST

// Bad input: each is refused with a word that says which key it is about.
START_TEST(bad_input)
{
    static const int64_t none[1], zero[] = {0}, large[] = {16, 1001}, good[] = {16};
    const struct {
        const char *policy, *word;
        enum settings_walk walk; // of the first axis
        const int64_t *batches, *offloads;
        size_t n_batches, n_offloads;
    } cases[] = {
        {"exhaustive", "batch_items", SETTINGS_FACTORS, none, NULL, 0, 0},
        {"exhaustive", "batch_items", SETTINGS_FACTORS, zero, NULL, 1, 0},
        {"exhaustive", "batch_items", SETTINGS_FACTORS, large, NULL, 2, 0},
        {"exhaustive", "offload_items", SETTINGS_FACTORS, good, none, 1, 0},
        {"exhaustive", "offload_items", SETTINGS_FACTORS, good, zero, 1, 1},
        {"exhaustive", "offload_items", SETTINGS_FACTORS, good, large, 1, 2},
        {"reference", "only for a batch size", SETTINGS_STEPS, NULL, NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plant plant = plant_with_accelerator();
        struct tuner_config config = plant_config(&plant);
        config.axes[0].walk = cases[i].walk;
        config.axes[0].own = cases[i].batches;
        config.axes[0].n_own = cases[i].n_batches;
        config.axes[1].own = cases[i].offloads;
        config.axes[1].n_own = cases[i].n_offloads;
        struct tuner_backend backend = plant_backend(&plant);
        struct tuner_outcome outcome;
        struct err err = {0};
        ck_assert_int_eq(
            tuner_policies[tuner_find(cases[i].policy)]->tune(&config, &backend, &outcome, &err),
            -1);
        ck_assert_int_eq(err.code, ERR_STUDY);
        ck_assert_msg(strstr(err.text, cases[i].word), "case %zu: %s", i, err.text);
        ck_assert_uint_eq(plant.n_runs, 0);
    }
}
END_TEST

// A measurement that fails ends every policy with its error, early or late.
START_TEST(measure_fails)
{
    for (int i = 0; tuner_policies[i]; i++)
        for (uint64_t after = 1; after <= 64; after *= 4) {
            struct plant plant = plant_with_accelerator();
            plant.target_s = 50e-3;
            struct tuner_config config = plant_config(&plant);
            config.fixed = plant_choice(64, 0);
            struct plant whole = plant;
            struct tuner_outcome outcome = tune(tuner_policies[i]->name, &whole, &config);
            tuner_release(&outcome);
            if (whole.n_runs <= after)
                continue;
            plant.fail_after = after;
            struct tuner_backend backend = plant_backend(&plant);
            struct err err = {0};
            ck_assert_int_eq(tuner_policies[i]->tune(&config, &backend, &outcome, &err), -1);
            ck_assert_str_eq(err.text, "the plant is down");
        }
}
END_TEST

// A choice whose times are not known is never measured, and costs nothing; what remains is
// searched, from whatever batch it begins. A policy that has no other choice fails with what is not
// known.
START_TEST(unknown_is_never_tried)
{
    const char *const policies[] = {"deeprecsched", "exhaustive"};
    for (size_t i = 0; i < 2; i++) {
        struct plant plant = plant_default();
        plant.known_from = 6;
        plant.known_to = 48;
        struct tuner_config config = plant_config(&plant);
        struct tuner_outcome outcome = tune(policies[i], &plant, &config);
        double best_qps = 0;
        for (int64_t b = 6; b <= 48; b++)
            best_qps = fmax(best_qps, plant_capacity_qps(&plant, plant_choice(b, 0)));
        ck_assert_double_ge(plant_capacity_qps(&plant, outcome.choice), 0.98 * best_qps);
        ck_assert_uint_gt(outcome.path.n, 0);
        for (size_t k = 0; k < outcome.path.n; k++) {
            int64_t batch = plant_batch(outcome.path.v[k].point.choice);
            ck_assert(batch >= 6 && batch <= 48);
        }
        ck_assert_uint_le(outcome.n_choices, 43);
        tuner_release(&outcome);
    }
    for (const struct tuner_policy *const *policy = tuner_policies; *policy; policy++) {
        struct plant plant = plant_default();
        struct err err = {0};
        struct tuner_outcome outcome = {0};
        plant.known_from = plant.known_to = 2000;
        struct tuner_config config = plant_config(&plant);
        struct tuner_backend backend = plant_backend(&plant);
        ck_assert_int_eq((*policy)->tune(&config, &backend, &outcome, &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, "is not known"));
        ck_assert_uint_eq(plant.n_runs, 0);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", found_by_name},
        {"core", default_grid},
        {"core", static_splits_evenly},
        {"core", fixed_is_given},
        {"core", exhaustive_visits_all},
        {"core", exhaustive_two_hills},
        {"core", exhaustive_own_grid},
        {"core", climb_cpu},
        {"core", climb_accelerator},
        {"core", climb_by_halves},
        {"core", climb_over_dent},
        {"core", climb_on_plateau},
        {"core", climb_accelerator_only},
        {"core", climb_useless_accelerator},
        {"core", order_of_round},
        {"core", reference_own_lists},
        {"core", reference_claim_measured},
        {"core", unknown_is_never_tried},
        {"limits", default_grid_limits},
        {"limits", unreachable_by_all},
        {"limits", reference_saturates},
        {"limits", reference_too_slow},
        {"limits", reference_off_by_one},
        {"errors", bad_input},
        {"errors", measure_fails},
    };
    return suite_run("tuner", tests, sizeof tests / sizeof *tests);
}
