// SPDX-License-Identifier: Apache-2.0
#include "live/profile_crew.h"

#include <string.h>

#include "base/wallclock.h"
#include "live/topology.h"
#include "models/cost.h"
#include "support/suite.h"

#define FIXED_S 50e-6
#define ITEM_S 5e-6
#define MOST 16

struct stage {
    struct topology topology;
    struct cost *cost;
    struct engine *engine;
    struct qsize *sizes;
    struct profile_crew *crew;
    int cpus[2];
};

// Two threads, the second on the core of that number; or as one team.
static void set_stage_on(struct stage *stage, size_t second, uint32_t cores_per_worker)
{
    static const struct platform platform = {.cores = 2, .sockets = 1, .power = {.gamma = 1}};
    static const struct cost_config config = {.fixed_s = FIXED_S, .per_item_s = ITEM_S};
    static struct cost_config synthetic;
    const uint32_t queries[] = {40, 7, 16};
    synthetic = config;
    synthetic.kind = cost_type_find("synthetic");
    topology_read(&stage->topology);
    struct err err = {0};
    stage->cost = cost_create(&synthetic, NULL, &platform, &err);
    ck_assert_msg(stage->cost != NULL, "%s", err.text);
    const struct engine_setup setup = {.cost = stage->cost};
    stage->engine = engine_open(engine_find("spin"), &setup, NULL);
    stage->sizes = qsize_of_records(queries, 3);
    stage->cpus[0] = stage->topology.cores[0].cpu;
    stage->cpus[1] = stage->topology.cores[second < stage->topology.n_cores ? second : 0].cpu;
    const struct profile_crew_config crew = {.engine = stage->engine,
                                             .cpus = stage->cpus,
                                             .n_threads = 2 / cores_per_worker,
                                             .cores_per_worker = cores_per_worker,
                                             .most = {MOST, 0},
                                             .sizes = stage->sizes,
                                             .seed = 1};
    stage->crew = profile_crew_create(&crew, NULL);
    ck_assert_ptr_nonnull(stage->crew);
}

// On as many cores as there are.
static void set_stage(struct stage *stage)
{
    set_stage_on(stage, 1, 1);
}

static void clear_stage(struct stage *stage)
{
    profile_crew_destroy(stage->crew);
    qsize_destroy(stage->sizes);
    engine_close(stage->engine);
    cost_destroy(stage->cost);
    topology_release(&stage->topology);
}

// What `spin` takes at least; where a request was interrupted only part of that is its own.
static void check_time(const struct profile_sample *sample)
{
    if (!sample->taken)
        ck_assert_double_ge(sample->time_s, 0.999 * (FIXED_S + ITEM_S * sample->items));
}

// Every thread at work measures requests of the size that was asked for, for as long as that.
START_TEST(one_size_at_a_time)
{
    struct stage stage;
    const struct profile_visit visit = {
        .kind = PROFILE_ALONE, .n_busy = 2, .items = 10, .warm_s = 1e-3, .measure_s = 5e-3};
    set_stage(&stage);
    profile_crew_visit(stage.crew, &visit);
    for (uint32_t t = 0; t < 2; t++) {
        size_t n;
        const struct profile_sample *samples = profile_crew_samples(stage.crew, t, &n);
        ck_assert_uint_ge(n, 1);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_eq(samples[i].items, 10);
            check_time(&samples[i]);
        }
        ck_assert_double_ge(profile_crew_interference(stage.crew, t)->wall_s, 5e-3);
    }
    clear_stage(&stage);
}
END_TEST

// Two threads that share a core interrupt each other: what that takes is in no sample, but for
// at most a fiftieth of each, and one that came after the last (of ten or more).
START_TEST(interruptions_are_told)
{
    struct stage stage;
    const struct profile_visit visit = {
        .kind = PROFILE_ALONE, .n_busy = 2, .items = 10, .warm_s = 1e-3, .measure_s = 50e-3};
    set_stage_on(&stage, 0, 1);
    profile_crew_visit(stage.crew, &visit);
    for (uint32_t t = 0; t < 2; t++) {
        const struct interference *all = profile_crew_interference(stage.crew, t);
        double lost_s = all->wall_s - all->cpu_s, sum_s = 0;
        double untimed_s = profile_crew_time(stage.crew, t).untimed_s;
        size_t n;
        const struct profile_sample *samples = profile_crew_samples(stage.crew, t, &n);
        for (size_t i = 0; i < n; i++)
            sum_s += samples[i].time_s;
        ck_assert_double_ge(lost_s, 10e-3); // they take turns
        ck_assert_double_ge(untimed_s, 0.7 * lost_s - 0.021 * sum_s);
        ck_assert_double_le(untimed_s + sum_s, 1.001 * all->wall_s);
    }
    clear_stage(&stage);
}
END_TEST

// A mix has the queries of the stream, cut: 40 items at 16 are 16, 16 and 8.
START_TEST(a_mix_is_cut)
{
    struct stage stage;
    const struct profile_visit visit = {
        .kind = PROFILE_MIX, .n_busy = 1, .items = MOST, .warm_s = 0, .measure_s = 20e-3};
    uint32_t seen[MOST + 1] = {0};
    size_t n;
    set_stage(&stage);
    profile_crew_visit(stage.crew, &visit);
    const struct profile_sample *samples = profile_crew_samples(stage.crew, 0, &n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_le(samples[i].items, MOST);
        seen[samples[i].items]++;
        check_time(&samples[i]);
    }
    ck_assert_uint_ge(seen[16], 1);
    ck_assert_uint_eq(seen[16] + seen[8] + seen[7], n);
    clear_stage(&stage);
}
END_TEST

// Its queries have histories of their own, the same in each request of one; alone all are of the
// visit's.
START_TEST(a_mix_has_histories)
{
    struct stage stage;
    struct profile_visit visit = {
        .kind = PROFILE_MIX, .n_busy = 1, .items = MOST, .measure_s = 20e-3};
    const uint32_t lengths[] = {30, 50};
    struct qsize *histories = qsize_of_records(lengths, 2);
    size_t n;
    set_stage(&stage);
    const struct profile_crew_config config = {.engine = stage.engine,
                                               .cpus = stage.cpus,
                                               .n_threads = 1,
                                               .cores_per_worker = 1,
                                               .most = {MOST, 50},
                                               .sizes = stage.sizes,
                                               .histories = histories,
                                               .seed = 1};
    struct profile_crew *crew = profile_crew_create(&config, NULL);
    profile_crew_visit(crew, &visit);
    const struct profile_sample *samples = profile_crew_samples(crew, 0, &n);
    uint32_t seen[51] = {0};
    for (size_t i = 0; i < n; i++) {
        seen[samples[i].history_items]++;
        if (i > 0 && samples[i].items == 8 && profile_crew_left_out(crew, 0) == 0)
            ck_assert_uint_eq(samples[i].history_items, samples[i - 1].history_items);
    }
    ck_assert_uint_eq(seen[30] + seen[50], n);
    ck_assert(seen[30] > 0 && seen[50] > 0);
    visit.kind = PROFILE_ALONE;
    visit.history_items = 7;
    profile_crew_visit(crew, &visit);
    samples = profile_crew_samples(crew, 0, &n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(samples[i].history_items, 7);
    profile_crew_destroy(crew);
    qsize_destroy(histories);
    clear_stage(&stage);
}
END_TEST

static void check_rests(struct profile_crew *crew, bool sleeps)
{
    const struct profile_visit visit = {.kind = PROFILE_COLD,
                                        .n_busy = 2,
                                        .items = 4,
                                        .measure_s = 15e-3,
                                        .idle_s = 2e-3,
                                        .sleeps = sleeps,
                                        .n_after = 3};
    double begin_s = wallclock_s();
    profile_crew_visit(crew, &visit);
    ck_assert_double_ge(wallclock_s() - begin_s, 15e-3);
    for (uint32_t t = 0; t < 2; t++) {
        size_t n;
        const struct profile_sample *samples = profile_crew_samples(crew, t, &n);
        ck_assert_uint_eq((n + profile_crew_left_out(crew, t)) % 3, 0);
        ck_assert_double_ge(profile_crew_idle_s(crew, t), 2e-3);
        for (size_t i = 0; i < n; i++) {
            ck_assert_uint_lt(samples[i].place, 3);
            check_time(&samples[i]);
        }
    }
}

// After each rest come as many requests as were asked for, in their places, and the rest is as
// long, whether the threads sleep meanwhile or look at the clock.
START_TEST(rests_are_kept)
{
    struct stage stage;
    set_stage(&stage);
    check_rests(stage.crew, true);
    check_rests(stage.crew, false);
    clear_stage(&stage);
}
END_TEST

// Where fewer are at work than there are, it is those that follow the first.
START_TEST(work_goes_round)
{
    struct stage stage;
    struct profile_visit visit = {.kind = PROFILE_ALONE, .n_busy = 2, .items = 3};
    const struct profile_sample *own[2];
    size_t n;
    set_stage(&stage);
    profile_crew_visit(stage.crew, &visit);
    for (uint32_t t = 0; t < 2; t++)
        own[t] = profile_crew_samples(stage.crew, t, &n);
    ck_assert_ptr_ne(own[0], own[1]);
    visit.n_busy = 1;
    for (uint32_t first = 0; first < 2; first++) {
        visit.first = first;
        visit.items = 7 + first;
        profile_crew_visit(stage.crew, &visit);
        const struct profile_sample *samples = profile_crew_samples(stage.crew, 0, &n);
        ck_assert_ptr_eq(samples, own[first]);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(samples[0].items, 7 + first);
    }
    visit.n_busy = 2; // the second of them is the first again
    profile_crew_visit(stage.crew, &visit);
    ck_assert_ptr_eq(profile_crew_samples(stage.crew, 0, &n), own[1]);
    ck_assert_ptr_eq(profile_crew_samples(stage.crew, 1, &n), own[0]);
    clear_stage(&stage);
}
END_TEST

// A thread with a team measures requests that the team computes, and the time of all of it counts
// as what was measured.
START_TEST(a_team_is_as_a_thread)
{
    struct stage stage;
    struct profile_visit visit = {
        .kind = PROFILE_ALONE, .n_busy = 1, .items = 10, .warm_s = 1e-3, .measure_s = 5e-3};
    size_t n;
    set_stage_on(&stage, 1, 2);
    for (int i = 0; i < 2; i++) { // between visits, members sleep
        double measured_s = 0;
        profile_crew_visit(stage.crew, &visit);
        const struct profile_sample *samples = profile_crew_samples(stage.crew, 0, &n);
        ck_assert_uint_ge(n, 1);
        for (size_t k = 0; k < n; k++) {
            ck_assert_uint_eq(samples[k].items, 10);
            check_time(&samples[k]);
            measured_s += FIXED_S + ITEM_S * 10;
        }
        ck_assert_double_ge(profile_crew_interference(stage.crew, 0)->wall_s, 1.99 * measured_s);
    }
    visit.kind = PROFILE_COLD;
    visit.idle_s = 1e-3;
    visit.sleeps = true;
    visit.n_after = 2;
    profile_crew_visit(stage.crew, &visit);
    profile_crew_samples(stage.crew, 0, &n);
    ck_assert_uint_ge(n, 2);
    ck_assert_double_ge(profile_crew_idle_s(stage.crew, 0), 1e-3);
    ck_assert_uint_eq(profile_crew_failed(stage.crew), 0);
    clear_stage(&stage);
}
END_TEST

// A visit of no length measures one request, and the next visit begins afresh.
START_TEST(at_least_one)
{
    struct stage stage;
    struct profile_visit visit = {.kind = PROFILE_ALONE, .n_busy = 1, .items = 1};
    size_t n;
    set_stage(&stage);
    for (int i = 0; i < 100; i++) {
        visit.items = 1 + (uint32_t)i % MOST;
        visit.n_busy = 1 + (uint32_t)i % 2;
        profile_crew_visit(stage.crew, &visit);
        const struct profile_sample *samples = profile_crew_samples(stage.crew, 0, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(samples[0].items, visit.items);
    }
    clear_stage(&stage);
}
END_TEST

// Threads that may not stay where they are asked to run all the same, and it is said.
START_TEST(pinning_is_no_must)
{
    struct stage stage;
    const char *why = NULL;
    size_t n;
    set_stage(&stage);
    ck_assert(profile_crew_pinned(stage.crew, &why));
    profile_crew_destroy(stage.crew);
    const int nowhere[] = {8000};
    const struct profile_crew_config config = {.engine = stage.engine,
                                               .cpus = nowhere,
                                               .n_threads = 1,
                                               .cores_per_worker = 1,
                                               .most = {4, 0}};
    const struct profile_visit visit = {.kind = PROFILE_ALONE, .n_busy = 1, .items = 4};
    stage.crew = profile_crew_create(&config, NULL);
    ck_assert_ptr_nonnull(stage.crew);
    ck_assert(!profile_crew_pinned(stage.crew, &why));
    ck_assert_ptr_nonnull(strstr(why, "8000"));
    profile_crew_visit(stage.crew, &visit);
    profile_crew_samples(stage.crew, 0, &n);
    ck_assert_uint_eq(n, 1);
    clear_stage(&stage);
    profile_crew_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", one_size_at_a_time},     {"core", a_mix_is_cut},
        {"core", interruptions_are_told}, {"core", a_team_is_as_a_thread},
        {"core", a_mix_has_histories},    {"core", rests_are_kept},
        {"core", work_goes_round},        {"limits", at_least_one},
        {"errors", pinning_is_no_must},
    };
    return suite_run("profile_crew", tests, sizeof tests / sizeof *tests);
}
