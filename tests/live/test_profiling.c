// SPDX-License-Identifier: Apache-2.0
#include "live/profiling.h"

#include <math.h>
#include <string.h>

#include "base/wallclock.h"
#include "models/cost.h"
#include "support/suite.h"

#define FIXED_S 20e-6
#define ITEM_S 2e-6
#define MOST 6

struct stage {
    struct topology topology;
    struct cost *cost;
    struct qsize *sizes;
    struct profiling_config config;
};

static void set_stage(struct stage *stage)
{
    static const struct platform platform = {.cores = 2, .sockets = 1, .power = {.gamma = 1}};
    static struct cost_config synthetic = {.fixed_s = FIXED_S, .per_item_s = ITEM_S};
    static const uint32_t cuts[] = {2, 6};
    const uint32_t queries[] = {40, 7, 16, 5};
    synthetic.kind = cost_type_find("synthetic");
    topology_read(&stage->topology);
    struct err err = {0};
    stage->cost = cost_create(&synthetic, NULL, &platform, &err);
    ck_assert_msg(stage->cost != NULL, "%s", err.text);
    stage->sizes = qsize_of_records(queries, 4);
    stage->config = (struct profiling_config){
        .type = engine_find("spin"),
        .setup = {.cost = stage->cost},
        .topology = &stage->topology,
        .n_workers = 1,
        .cores_per_worker = 1,
        .most_items = MOST,
        .cuts_items = cuts,
        .n_cuts = 2,
        .sizes = stage->sizes,
        .time_s = 0.25,
        .seed = 1,
    };
}

static void clear_stage(struct stage *stage)
{
    qsize_destroy(stage->sizes);
    cost_destroy(stage->cost);
    topology_release(&stage->topology);
}

// The largest share that something else had of what any size or mix was measured in.
static double most_taken(const struct profile *profile)
{
    double most = 0;
    for (size_t i = 0; i < profile->n_rows; i++)
        most = fmax(most, profile->rows[i].taken_frac);
    for (size_t i = 0; i < profile->n_mixed; i++)
        most = fmax(most, profile->mixed[i].taken_frac);
    return most;
}

// What is measured is no less than what `spin` takes, and of the same order even where others are
// at work: the clock is read twice, and between two readings little can happen that is not seen.
// But `spin` spins for wall time, and what is taken of that is no part of a request's time.
static void check_time(double measured_s, double items, double taken_frac)
{
    double true_s = FIXED_S + ITEM_S * items;
    ck_assert_double_ge(measured_s, 0.9 * (1 - taken_frac) * true_s);
    ck_assert_double_le(measured_s, 3 * true_s);
}

// Every size and every mix is there, with times that fit, and the cold core of a clock is none.
START_TEST(spin_is_found_again)
{
    const uint32_t sizes[] = {1, 2, 3, 4, 6};
    struct stage stage;
    struct profile profile;
    set_stage(&stage);
    ck_assert_int_eq(profiling_run(&profile, &stage.config, NULL), 0);
    double taken = most_taken(&profile);
    ck_assert(!profile.stopped);
    ck_assert_uint_eq(profile.n_rows, 5);
    ck_assert_uint_eq(profile.n_mixed, 2);
    for (size_t i = 0; i < 5; i++) {
        const struct profile_row *row = &profile.rows[i];
        ck_assert_uint_eq(row->items, sizes[i]);
        ck_assert_uint_eq(row->busy, 1);
        ck_assert_uint_ge(row->n, 2);
        check_time(row->time_s.value, sizes[i], taken);
        check_time(row->alone_s.value, sizes[i], row->taken_frac);
    }
    // 40, 7, 16 and 5 items are 11 requests of 6, and of 4, 1, 4 and 5: 68 items in all.
    const struct profile_mixed *mixed = &profile.mixed[1];
    ck_assert_uint_eq(mixed->cut_items, 6);
    ck_assert_ptr_eq(profile.typical, mixed);
    check_time(mixed->sum.mean_s.value, 68.0 / 13, taken);
    ck_assert_double_ge(mixed->query_work_s, (1 - taken) * 13 * FIXED_S / 4);
    ck_assert_uint_eq(profile.cold_items, 6);
    ck_assert_uint_eq(profile.n_cut_rows, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(profile.cut_rows[i].items, sizes[i]);
        check_time(profile.cut_rows[i].time_s.value, sizes[i], taken);
    }
    for (size_t i = 0; i < PROFILING_RESTS; i++) {
        ck_assert_uint_ge(profile.rests[i].n, 1);
        ck_assert_double_eq_tol(profile.rests[i].asked_s, 0.5e-3 * pow(4, (double)i), 1e-12);
        ck_assert_double_ge(profile.rests[i].idle_s, profile.rests[i].asked_s);
    }
    ck_assert(profile.cold.found || profile.cold.why);
    ck_assert_uint_ge(profile.n_requests, 100);
    ck_assert(isnan(profile.idle_w) == (*profile.power != '\0'));
    profiling_release(&profile);
    clear_stage(&stage);
}
END_TEST

// Of requests with histories: times with the mean one, and what another adds; tables get the time
// without any. The spin takes 20 us, 2 us an item, 1 us for each item of the history.
START_TEST(histories_are_found_again)
{
    static const struct platform platform = {.cores = 2, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config synthetic = {
        .fixed_s = FIXED_S, .per_item_s = ITEM_S, .history_item_s = 1e-6};
    const uint32_t lengths[] = {20, 60, 100, 140, 180};
    struct stage stage;
    struct profile profile;
    set_stage(&stage);
    synthetic.kind = cost_type_find("synthetic");
    struct cost *cost = cost_create(&synthetic, NULL, &platform, NULL);
    struct qsize *histories = qsize_of_records(lengths, 5);
    stage.config.setup.cost = cost;
    stage.config.histories = histories;
    ck_assert_int_eq(profiling_run(&profile, &stage.config, NULL), 0);
    ck_assert_uint_eq(profile.base_history, 100);
    for (size_t i = 0; i < profile.n_rows; i++) {
        double base_s = FIXED_S + ITEM_S * profile.rows[i].items + 100e-6;
        ck_assert_double_ge(profile.rows[i].alone_s.value,
                            0.9 * (1 - profile.rows[i].taken_frac) * base_s);
        ck_assert_double_le(profile.rows[i].alone_s.value, 3 * base_s);
        double part_s = profile.rows[i].time_s.value - profiling_bare_s(&profile, false, i);
        struct cost_history of = profiling_history_of(&profile, false, 0);
        ck_assert_double_le(part_s, 100 * (of.item_s + 100 * of.square_s +
                                           profile.rows[i].items * of.item_history_s) +
                                        1e-12);
        ck_assert_double_gt(profiling_bare_s(&profile, false, i), 0);
    }
    // From one length to another it is 1 us an item, whatever of it is said to be a square.
    const struct history_fit *fit = &profile.histories[0].fit;
    double more_s = history_fit_part_s(fit, 6, 180) - history_fit_part_s(fit, 6, 45);
    ck_assert_double_ge(more_s, 0.5 * (1 - most_taken(&profile)) * 135e-6);
    ck_assert_double_le(more_s, 3 * 135e-6);
    ck_assert_uint_eq(fit->n_points, 12);
    ck_assert(isfinite(fit->residual_frac) && fit->worst_frac >= fit->residual_frac);
    // In the mix, too: a query of 17 items on average takes 100 us for each of its 13 / 4 requests.
    ck_assert_double_ge(profile.typical->query_work_s,
                        0.9 * (1 - most_taken(&profile)) * 13 * (FIXED_S + 100e-6) / 4);
    profiling_release(&profile);
    qsize_destroy(histories);
    cost_destroy(cost);
    clear_stage(&stage);
}
END_TEST

// With more cores than one there are rows for each count of busy ones.
START_TEST(rows_for_busy_cores)
{
    struct stage stage;
    struct profile profile;
    set_stage(&stage);
    if (stage.topology.n_cores >= 2) {
        stage.config.n_workers = 2;
        ck_assert_int_eq(profiling_run(&profile, &stage.config, NULL), 0);
        ck_assert_uint_eq(profile.n_busy, 2);
        ck_assert_uint_eq(profile.n_rows, 10);
        ck_assert_uint_eq(profile.rows[7].busy, 2);
        ck_assert_uint_eq(profile.rows[7].items, 3);
        ck_assert_uint_eq(profile.n_mixed, 4);
        profiling_release(&profile);
    }
    profiling_release(NULL);
    clear_stage(&stage);
}
END_TEST

static bool stop(void *user, double done_frac, uint64_t n_requests)
{
    (void)n_requests;
    ck_assert(done_frac >= 0 && done_frac < 1);
    return ++*(int *)user == 3;
}

// What was said in the first turns.
struct said {
    int n;
    double done_frac[11];
};

static bool note(void *user, double done_frac, uint64_t n_requests)
{
    struct said *said = user;
    (void)n_requests;
    if (said->n < 11)
        said->done_frac[said->n] = done_frac;
    said->n++;
    return false;
}

// Where the time is over at once, what is done grows with the two rounds that have to be: of 11
// questions (5 sizes, 2 mixes, 4 rests) the first round is half.
START_TEST(what_is_done_grows)
{
    struct stage stage;
    struct profile profile;
    struct said said = {0};
    set_stage(&stage);
    stage.config.time_s = 1e-6;
    stage.config.watch = note;
    stage.config.user = &said;
    ck_assert_int_eq(profiling_run(&profile, &stage.config, NULL), 0);
    ck_assert_int_gt(said.n, 11);
    for (int i = 0; i < 11; i++)
        ck_assert_double_eq_tol(said.done_frac[i], i / 22.0, 1e-9);
    profiling_release(&profile);
    clear_stage(&stage);
}
END_TEST

// Who watches can stop it, at once.
START_TEST(is_stopped)
{
    struct stage stage;
    struct profile profile;
    int n_calls = 0;
    set_stage(&stage);
    stage.config.time_s = 100;
    stage.config.watch = stop;
    stage.config.user = &n_calls;
    double begin_s = wallclock_s();
    ck_assert_int_eq(profiling_run(&profile, &stage.config, NULL), 0);
    ck_assert(profile.stopped);
    ck_assert_int_eq(n_calls, 3);
    ck_assert_double_lt(wallclock_s() - begin_s, 30);
    profiling_release(&profile);
    clear_stage(&stage);
}
END_TEST

// An engine that lacks what it needs is an error, and nothing is left.
START_TEST(an_engine_that_fails)
{
    struct stage stage;
    struct profile profile;
    struct err err = {0};
    set_stage(&stage);
    stage.config.setup.cost = NULL;
    ck_assert_int_eq(profiling_run(&profile, &stage.config, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "expected a study"));
    clear_stage(&stage);
}
END_TEST

static const float *fail_at_six(const void *state, void *worker,
                                const struct engine_request *request, uint32_t *n_outputs)
{
    return request->items == 6 ? NULL : engine_spin.run(state, worker, request, n_outputs);
}

// Times of requests that failed are no times.
START_TEST(requests_that_fail)
{
    struct engine_type failing = engine_spin;
    struct stage stage;
    struct profile profile;
    struct err err = {0};
    set_stage(&stage);
    failing.run = fail_at_six;
    stage.config.type = &failing;
    ck_assert_int_eq(profiling_run(&profile, &stage.config, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "requests failed while they were measured"));
    profiling_release(&profile);
    clear_stage(&stage);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", histories_are_found_again},
        {"core", spin_is_found_again},
        {"core", rows_for_busy_cores},
        {"limits", what_is_done_grows},
        {"limits", is_stopped},
        {"errors", an_engine_that_fails},
        {"errors", requests_that_fail},
    };
    return suite_run("profiling", tests, sizeof tests / sizeof *tests);
}
