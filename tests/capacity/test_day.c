// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/day.h"

#include <math.h>

#include "base/mem.h"
#include "capacity/sample_fixture.h"
#include "support/suite_mpi.h"

enum { N_INTERVALS = 3 };

// The fixture's day is 24 s long; its fleets are the study's.
struct day_case {
    struct study *study;
    uint32_t n_servers[2];
    struct fleet_variant fleets[N_INTERVALS];
    struct day_plan plan;
};

static void make(struct day_case *day)
{
    day->study = sample_fixture_study();
    for (int h = 0; h < N_INTERVALS; h++)
        day->fleets[h] = sample_fixture_fleet(day->study, day->n_servers);
    day->plan = (struct day_plan){.fleets = day->fleets,
                                  .n_intervals = N_INTERVALS,
                                  .day_s = 24,
                                  .n_windows = 2,
                                  .window_s = 0.05,
                                  .warmup_s = 0.05,
                                  .n_cells = 4};
}

static void run(const struct day_case *day, MPI_Comm comm, struct day_result *result)
{
    struct sample_bench *bench = sample_bench_create(comm, NULL);
    struct err err = {0};
    ck_assert_msg(day_run(bench, &day->plan, result, &err) == 0, "%s", err.text);
    sample_bench_destroy(bench);
}

// The curve of service b over the day is 0.5 1 1.5 1 at quarters: means of the thirds are 5/6, 4/3
// and 5/6. Its counts are those of 8 windows of 50 ms on a cell of four; 4 standard deviations of a
// Poisson count are 12 % to 16 %.
START_TEST(follows_the_day)
{
    struct day_case day;
    struct day_result result;
    make(&day);
    run(&day, MPI_COMM_WORLD, &result);
    const double means[N_INTERVALS] = {5.0 / 6, 4.0 / 3, 5.0 / 6};
    for (int h = 0; h < N_INTERVALS; h++) {
        const struct measurement *b = &result.trials[2 * h + 1];
        double expected = 8000 * means[h] * 8 * 0.05 / 4;
        ck_assert_double_eq_tol((double)b->n_queries / expected, 1, 0.16 + 0.1);
        ck_assert_int_eq(b->stable, VERDICT_MET);
        ck_assert(b->p95_s.value > 0 && b->cpu_util_frac > 0.2 && b->cpu_util_frac < 0.7);
    }
    ck_assert_uint_eq(result.sample.n_cells, 4);
    ck_assert_uint_eq(result.sample.of_cells, 4);
    ck_assert_double_eq_tol(result.sample.interval_s, 8, 1e-12);
    // 28000 queries per second for a day of 24 s.
    ck_assert_double_eq_tol(result.sample.of_queries / (28000 * 24), 1, 0.1);
    day_release(&result);
    study_destroy(day.study);
}
END_TEST

// Ranks together and each by itself say the same, to the last bit, with a pilot and without.
START_TEST(ranks_do_not_matter)
{
    for (int pilot = 0; pilot < 2; pilot++) {
        struct day_case day;
        struct day_result together, alone;
        make(&day);
        if (pilot) {
            day.plan.accuracy_frac = 0.2;
            day.plan.window_s = 0;
        }
        run(&day, MPI_COMM_WORLD, &together);
        run(&day, MPI_COMM_SELF, &alone);
        for (int i = 0; i < 2 * N_INTERVALS; i++) {
            ck_assert(together.trials[i].p95_s.value == alone.trials[i].p95_s.value);
            ck_assert(together.trials[i].p95_s.half_95 == alone.trials[i].p95_s.half_95 ||
                      isnan(alone.trials[i].p95_s.half_95));
        }
        ck_assert(together.days[1].p99_s.value == alone.days[1].p99_s.value);
        ck_assert(together.day_power_w == alone.day_power_w);
        ck_assert_uint_eq(together.n_simulated, alone.n_simulated);
        day_release(&together);
        day_release(&alone);
        study_destroy(day.study);
    }
}
END_TEST

// The pilot makes the sample as large as the accuracy needs: a tenth of the half-width takes many
// more queries, and reaches it.
START_TEST(the_pilot_sizes_the_sample)
{
    struct day_case day;
    struct day_result rough, fine;
    make(&day);
    day.plan.window_s = day.plan.n_cells = 0;
    day.plan.accuracy_frac = 0.5;
    run(&day, MPI_COMM_WORLD, &rough);
    day.plan.accuracy_frac = 0.05;
    run(&day, MPI_COMM_WORLD, &fine);
    ck_assert(fine.sample.n_queries > 2 * rough.sample.n_queries);
    for (int i = 0; i < 2 * N_INTERVALS; i++)
        ck_assert_msg(fine.trials[i].p95_s.half_95 < 0.075 * fine.trials[i].p95_s.value,
                      "row %d: %g of %g", i, fine.trials[i].p95_s.half_95,
                      fine.trials[i].p95_s.value);
    day_release(&rough);
    day_release(&fine);
    study_destroy(day.study);
}
END_TEST

// Another number is another sample of the same day.
START_TEST(numbers_are_apart)
{
    struct day_case day;
    struct day_result a, b;
    make(&day);
    run(&day, MPI_COMM_WORLD, &a);
    day.plan.number = 1;
    run(&day, MPI_COMM_WORLD, &b);
    ck_assert_uint_ne(a.trials[0].n_queries, b.trials[0].n_queries);
    day_release(&a);
    day_release(&b);
    study_destroy(day.study);
}
END_TEST

// Rates by the interval, and an interval without servers: zeros and no numbers there, the others
// as they are.
START_TEST(an_empty_interval)
{
    struct day_case day;
    struct day_result result;
    const uint32_t none[2] = {0, 0};
    const double rates[2 * N_INTERVALS] = {1000, 0, 20000, 8000, 1000, 500};
    make(&day);
    day.fleets[1].n_servers = none;
    day.plan.rates_qps = rates;
    run(&day, MPI_COMM_WORLD, &result);
    ck_assert_uint_gt(result.trials[0].n_queries, 0);
    ck_assert_uint_eq(result.trials[1].n_queries, 0); // no rate
    ck_assert_uint_eq(result.trials[2].n_queries, 0); // no servers
    ck_assert(isnan(result.trials[2].p95_s.value));
    ck_assert(result.trials[0].cpu_util_frac > 0);
    ck_assert(isnan(result.trials[2].cpu_util_frac) && result.power_w[1] == 0);
    day_release(&result);
    study_destroy(day.study);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", follows_the_day},
                                       {"core", ranks_do_not_matter},
                                       {"core", the_pilot_sizes_the_sample},
                                       {"core", numbers_are_apart},
                                       {"limits", an_empty_interval}};
    return suite_mpi_run(&argc, &argv, "day", tests, sizeof tests / sizeof *tests);
}
