// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/day.h"

#include <math.h>

#include "capacity/sample_fixture.h"
#include "support/suite_mpi.h"

enum { N_INTERVALS = 3 };

// The fixture's day is 24 s long; its fleets are the study's.
struct day_case {
    struct study *study;
    uint32_t n_servers[2];
    struct fleet_variant fleets[N_INTERVALS];
    struct study_capacity *capacity; // of the study
    struct day_plan plan;
    struct measurement trials[2 * N_INTERVALS], days[2]; // of the last run
    struct day_result result;
};

static void make(struct day_case *day)
{
    day->study = sample_fixture_study();
    for (int h = 0; h < N_INTERVALS; h++)
        day->fleets[h] = sample_fixture_fleet(day->study, day->n_servers);
    day->capacity = &day->study->capacity;
    day->capacity->day_s = 24;
    day->capacity->interval_s = 8;
    day->capacity->windows = 2;
    day->capacity->window_s = day->capacity->warmup_s = 0.05;
    day->capacity->cells = 4;
    day->plan = (struct day_plan){.fleets = day->fleets};
}

static void run(struct day_case *day, MPI_Comm comm)
{
    struct sample_bench *bench = sample_bench_create(comm, NULL);
    struct err err = {0};
    day->result = (struct day_result){.rows = {.trials = day->trials, 2, day->days}};
    ck_assert_msg(day_run(bench, &day->plan, &day->result, &err) == 0, "%s", err.text);
    sample_bench_destroy(bench);
}

// The curve of service b over the day is 0.5 1 1.5 1 at quarters: means of the thirds are 5/6, 4/3
// and 5/6. Its counts are those of 8 windows of 50 ms on a cell of four; 4 standard deviations of a
// Poisson count are 12 % to 16 %.
START_TEST(follows_the_day)
{
    struct day_case day;
    make(&day);
    run(&day, MPI_COMM_WORLD);
    const double means[N_INTERVALS] = {5.0 / 6, 4.0 / 3, 5.0 / 6};
    for (int h = 0; h < N_INTERVALS; h++) {
        const struct measurement *b = &day.trials[2 * h + 1];
        double expected = 8000 * means[h] * 8 * 0.05 / 4;
        ck_assert_double_eq_tol((double)b->n_queries / expected, 1, 0.16 + 0.1);
        ck_assert_int_eq(b->stable, VERDICT_MET);
        ck_assert(b->p95_s.value > 0 && b->cpu_util_frac > 0.2 && b->cpu_util_frac < 0.7);
    }
    ck_assert_uint_eq(day.result.sample.n_cells, 4);
    ck_assert_uint_eq(day.result.sample.of_cells, 4);
    ck_assert_double_eq_tol(day.result.sample.interval_s, 8, 1e-12);
    // 28000 queries per second for a day of 24 s.
    ck_assert_double_eq_tol(day.result.sample.of_queries / (28000 * 24), 1, 0.1);
    study_destroy(day.study);
}
END_TEST

// Ranks together and each by itself say the same, to the last bit, with a pilot and without.
START_TEST(ranks_do_not_matter)
{
    for (int pilot = 0; pilot < 2; pilot++) {
        struct day_case together, alone;
        make(&together);
        make(&alone);
        for (int i = 0; pilot && i < 2; i++) {
            struct day_case *day = i == 0 ? &together : &alone;
            day->plan.accuracy_frac = 0.2;
            day->capacity->window_s = 0;
        }
        run(&together, MPI_COMM_WORLD);
        run(&alone, MPI_COMM_SELF);
        for (int i = 0; i < 2 * N_INTERVALS; i++) {
            ck_assert(together.trials[i].p95_s.value == alone.trials[i].p95_s.value);
            ck_assert(together.trials[i].p95_s.half_95 == alone.trials[i].p95_s.half_95 ||
                      isnan(alone.trials[i].p95_s.half_95));
            ck_assert(together.trials[i].power_w == alone.trials[i].power_w);
        }
        ck_assert(together.days[1].p99_s.value == alone.days[1].p99_s.value);
        ck_assert_uint_eq(together.result.n_simulated, alone.result.n_simulated);
        study_destroy(together.study);
        study_destroy(alone.study);
    }
}
END_TEST

// The pilot makes the sample as large as the accuracy needs: a tenth of the half-width takes many
// more queries, and reaches it.
START_TEST(the_pilot_sizes_the_sample)
{
    struct day_case day;
    make(&day);
    day.capacity->window_s = 0;
    day.capacity->cells = 0;
    day.plan.accuracy_frac = 0.5;
    run(&day, MPI_COMM_WORLD);
    double rough = day.result.sample.n_queries;
    day.plan.accuracy_frac = 0.05;
    run(&day, MPI_COMM_WORLD);
    ck_assert(day.result.sample.n_queries > 2 * rough);
    for (int i = 0; i < 2 * N_INTERVALS; i++)
        ck_assert_msg(day.trials[i].p95_s.half_95 < 0.075 * day.trials[i].p95_s.value,
                      "row %d: %g of %g", i, day.trials[i].p95_s.half_95,
                      day.trials[i].p95_s.value);
    study_destroy(day.study);
}
END_TEST

// Another number is another sample of the same day.
START_TEST(numbers_are_apart)
{
    struct day_case day;
    make(&day);
    run(&day, MPI_COMM_WORLD);
    uint64_t n = day.trials[0].n_queries;
    day.plan.number = 1;
    run(&day, MPI_COMM_WORLD);
    ck_assert_uint_ne(n, day.trials[0].n_queries);
    study_destroy(day.study);
}
END_TEST

// Rates by the interval, and an interval without servers: zeros and no numbers there, the others
// as they are.
START_TEST(an_empty_interval)
{
    struct day_case day;
    const uint32_t none[2] = {0, 0};
    const double rates[2 * N_INTERVALS] = {1000, 0, 20000, 8000, 1000, 500};
    make(&day);
    day.fleets[1].n_servers = none;
    day.plan.rates_qps = rates;
    run(&day, MPI_COMM_WORLD);
    ck_assert_uint_gt(day.trials[0].n_queries, 0);
    ck_assert_uint_eq(day.trials[1].n_queries, 0); // no rate
    ck_assert_uint_eq(day.trials[2].n_queries, 0); // no servers
    ck_assert(isnan(day.trials[2].p95_s.value));
    ck_assert(day.trials[0].cpu_util_frac > 0);
    ck_assert(isnan(day.trials[2].cpu_util_frac) && day.trials[2].power_w == 0);
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
