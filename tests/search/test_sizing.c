// SPDX-License-Identifier: Apache-2.0
#include "search/sizing.h"

#include <math.h>
#include <stdbool.h>

#include "base/rng.h"
#include "support/suite.h"

// M/M/k by formula: the share of queries that wait longer than a target, with the noise that a
// simulation of so many queries would have.
struct pool {
    double load;    // offered, in servers
    double target;  // of the wait, in service times
    double noise;   // 1: that of a queue; 0: none
    uint64_t seed;  // of the noise
    uint64_t first; // length of the shortest run: longer ones begin with the same draws
    bool fog;       // nothing is ever decided
    bool step;      // late is none, or all
    uint64_t fail_after;
    uint64_t n_runs; // so far
    struct sizing_point points[1000];
};

enum { N_BATCHES = 20 }; // behind an interval
static const double T_95 = 2.09;

// Erlang C: B by its recursion, then C from B.
static double waits_frac(double load, uint32_t k)
{
    double b = 1, rho = load / k;
    for (uint32_t i = 1; i <= k; i++)
        b = load * b / (i + load * b);
    return b / (1 - rho * (1 - b));
}

static double late_frac(const struct pool *pool, uint32_t k)
{
    return waits_frac(pool->load, k) * exp(-(k - pool->load) * pool->target);
}

static uint32_t least_stable(const struct pool *pool)
{
    return (uint32_t)floor(pool->load) + 1;
}

static uint32_t erlang_k(const struct pool *pool, double allowed_frac)
{
    uint32_t k = least_stable(pool);
    while (late_frac(pool, k) > allowed_frac)
        k++;
    return k;
}

static double gauss(const struct pool *pool, uint64_t entity, uint64_t index)
{
    struct rng_stream stream = rng_stream(pool->seed, RNG_TEST, entity);
    uint64_t words[2];
    rng_block(&stream, index, words);
    return sqrt(-2 * log(rng_u01(words[0]))) * cos(2 * M_PI * rng_u01(words[1]));
}

// A sum over n queries of unit variance each; a longer run goes on where a shorter one ended. Half
// of the variance is common to all sizes, as common random numbers would have it.
static double brownian(const struct pool *pool, const struct sizing_point *point)
{
    double sum = 0;
    uint64_t at = 0;
    for (uint64_t i = 0, length = pool->first; at < point->n_queries; i++, length *= 4) {
        uint64_t to = length < point->n_queries ? length : point->n_queries;
        sum += sqrt(0.5 * (double)(to - at)) *
               (gauss(pool, point->stream, i) +
                gauss(pool, ((uint64_t)point->n << 8) + 0x80 + point->stream, i));
        at = to;
    }
    return sum;
}

// Waits are correlated over the relaxation time of M/M/k, 1 / (sqrt k - sqrt load)^2 service times.
static double correlated_queries(const struct pool *pool, uint32_t k)
{
    double gap = sqrt(k) - sqrt(pool->load);
    return 1 + 2 * pool->load / (gap * gap);
}

static int pool_measure(void *user, const struct sizing_point *point, struct measurement *result,
                        struct err *err)
{
    struct pool *pool = user;
    if (pool->fail_after && pool->n_runs >= pool->fail_after)
        return err_set(err, ERR_FAIL, "the pool is closed");
    if (pool->n_runs < sizeof pool->points / sizeof *pool->points)
        pool->points[pool->n_runs] = *point;
    pool->n_runs++;
    *result = measurement_none(VERDICT_UNSURE);
    result->n_queries = point->n_queries;
    result->stable = result->sla = result->tail = VERDICT_MISSED;
    if (point->n <= pool->load)
        return 0;
    if (pool->step) {
        result->stable = result->sla = result->tail = VERDICT_MET;
        result->late_frac.value = result->late_frac.half_95 = 0;
        return 0;
    }
    double n = (double)point->n_queries, p = late_frac(pool, point->n);
    double length = correlated_queries(pool, point->n);
    double sd = pool->noise * sqrt(p * (1 - p) * length / n);
    double late = p + sd * brownian(pool, point) / sqrt(n);
    result->late_frac.value = late < 0 ? 0 : late;
    // The spread of the batches is itself uncertain, and too small when they are short.
    double spread = 1 + gauss(pool, ((uint64_t)point->n << 8) + 0xc0, point->n_queries) /
                            sqrt(2.0 * (N_BATCHES - 1));
    double seen = n / (n + N_BATCHES * length);
    result->late_frac.half_95 = T_95 * sd * sqrt(seen) * fmax(spread, 0.3);
    result->stable = n > 2 * length ? VERDICT_MET : VERDICT_UNSURE;
    result->sla = result->tail = VERDICT_MET;
    if (pool->fog)
        result->late_frac.half_95 = 1;
    return 0;
}

static struct sizing_task task_of(const struct pool *pool, double allowed_frac)
{
    return (struct sizing_task){.least = least_stable(pool),
                                .most = 100000,
                                .allowed_frac = allowed_frac,
                                .first_queries = pool->first,
                                .most_queries = pool->first * 1024};
}

static struct sizing search(struct pool *pool, const struct sizing_task *task)
{
    struct sizing sizing;
    struct err err = {0};
    pool->n_runs = 0;
    ck_assert_msg(sizing_search(task, pool_measure, pool, &sizing, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(sizing.n_runs, pool->n_runs);
    return sizing;
}

// Loads where k and k - 1 are 10 % off the allowance, or more, so that it can be shown.
static const double LOADS[] = {0.7, 2, 5.5, 10, 16, 28, 33, 50, 58, 92};
// Loads where k or k - 1 is within 3 % of the allowance: hardly any run tells them apart.
static const double CLOSE_LOADS[] = {13, 40, 64, 130, 200};
enum { N_LOADS = sizeof LOADS / sizeof *LOADS, N_CLOSE = sizeof CLOSE_LOADS / sizeof *CLOSE_LOADS };
static const double ALLOWED = 0.05;

static struct pool pool_at(double load)
{
    return (struct pool){.load = load, .target = 0.2, .noise = 1, .seed = 1, .first = 20000};
}

// The exact k of Erlang C for ten loads, whatever the draws, from guesses up to 20 % off.
START_TEST(exact_staffing)
{
    int n_wrong = 0, n_unsure = 0;
    for (int l = 0; l < N_LOADS; l++) {
        struct pool pool = pool_at(LOADS[l]);
        uint32_t truth = erlang_k(&pool, ALLOWED);
        for (pool.seed = 1; pool.seed <= 100; pool.seed++) {
            struct sizing_task task = task_of(&pool, ALLOWED);
            task.guess = (uint32_t)(truth * (0.8 + 0.04 * (double)(pool.seed % 11)));
            struct sizing sizing = search(&pool, &task);
            n_wrong += sizing.n != truth;
            n_unsure += sizing.state != SIZING_FOUND;
        }
    }
    ck_assert_int_eq(n_wrong, 0);
    ck_assert_int_le(n_unsure, 25); // measured: 10 of 1000, where a margin is just 10 %
}
END_TEST

// Where no run tells two sizes apart the answer is a range, and the truth is in it.
START_TEST(close_calls_are_ranges)
{
    int n_wrong = 0, n_wide = 0;
    for (int l = 0; l < N_CLOSE; l++) {
        struct pool pool = pool_at(CLOSE_LOADS[l]);
        uint32_t truth = erlang_k(&pool, ALLOWED);
        for (pool.seed = 1; pool.seed <= 200; pool.seed++) {
            struct sizing_task task = task_of(&pool, ALLOWED);
            task.guess = truth;
            struct sizing sizing = search(&pool, &task);
            n_wrong += truth < sizing.n_least || truth > sizing.n_most;
            n_wide += sizing.n_most - sizing.n_least > 2;
            ck_assert_uint_le(sizing.n_least, sizing.n);
            ck_assert_uint_le(sizing.n, sizing.n_most);
            if (sizing.state == SIZING_FOUND)
                ck_assert_uint_eq(sizing.n_least, sizing.n_most);
        }
    }
    // One look beyond 1.5 half-widths on the wrong side: once in 600, and few looks matter.
    ck_assert_int_le(n_wrong, 5);
    ck_assert_int_le(n_wide, 10);
}
END_TEST

// Without noise the answer is exact at any load, from any guess, and the two results that show it
// are those of n and n - 1.
START_TEST(shows_both_sides)
{
    const uint32_t guesses[] = {0, 1, 20, 100, 5000, UINT32_MAX};
    for (int l = 0; l < N_CLOSE; l++)
        for (size_t g = 0; g < sizeof guesses / sizeof *guesses; g++) {
            struct pool pool = pool_at(CLOSE_LOADS[l]);
            pool.noise = 0;
            struct sizing_task task = task_of(&pool, ALLOWED);
            task.guess = guesses[g];
            struct sizing sizing = search(&pool, &task);
            ck_assert_int_eq(sizing.state, SIZING_FOUND);
            ck_assert_uint_eq(sizing.n, erlang_k(&pool, ALLOWED));
            ck_assert_double_eq(sizing.at_n.late_frac.value, late_frac(&pool, sizing.n));
            ck_assert_double_eq(sizing.below.late_frac.value, late_frac(&pool, sizing.n - 1));
        }
}
END_TEST

// A pool of 500, whose waits hang together for 14000 queries: the batches of the longest run, of
// 64000, spread too little. The range holds the truth all the same.
START_TEST(short_batches_are_not_believed)
{
    int n_wrong = 0;
    struct pool pool = pool_at(500);
    uint32_t truth = erlang_k(&pool, ALLOWED);
    for (pool.seed = 1; pool.seed <= 200; pool.seed++) {
        struct sizing_task task = task_of(&pool, ALLOWED);
        task.most_queries = 64 * pool.first;
        task.guess = truth;
        struct sizing sizing = search(&pool, &task);
        n_wrong += truth < sizing.n_least || truth > sizing.n_most;
    }
    ck_assert_int_le(n_wrong, 1); // were the intervals believed: 13
}
END_TEST

// Nothing is measured twice: not the same size at the same length.
START_TEST(never_the_same_run)
{
    for (int l = 0; l < N_LOADS; l++) {
        struct pool pool = pool_at(LOADS[l]);
        struct sizing_task task = task_of(&pool, ALLOWED);
        search(&pool, &task);
        for (uint64_t i = 0; i < pool.n_runs; i++)
            for (uint64_t j = 0; j < i; j++)
                ck_assert(pool.points[i].n != pool.points[j].n ||
                          pool.points[i].n_queries != pool.points[j].n_queries);
    }
}
END_TEST

// A search costs less than six of its longest runs, and far less where margins are wide.
START_TEST(is_economical)
{
    for (int l = 0; l < N_CLOSE; l++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct pool pool = pool_at(CLOSE_LOADS[l]);
            pool.seed = seed;
            struct sizing_task task = task_of(&pool, ALLOWED);
            task.guess = (uint32_t)(1.15 * pool.load) + 2;
            struct sizing sizing = search(&pool, &task);
            ck_assert_uint_le(sizing.n_queries, 6 * task.most_queries);
        }
    struct pool pool = pool_at(0.7);
    struct sizing_task task = task_of(&pool, ALLOWED);
    // Two sizes at two lengths, 2 x (1 + 4), and two more short runs on the way.
    ck_assert_uint_le(search(&pool, &task).n_queries, 12 * task.first_queries);
}
END_TEST

// None late among few is not yet within the allowance: of 60 independent queries, at 5 %, none is
// late once in 22 times.
START_TEST(few_queries_say_little)
{
    struct measurement result = measurement_none(VERDICT_UNSURE);
    result.stable = result.sla = result.tail = VERDICT_MET;
    result.late_frac.value = result.late_frac.half_95 = 0;
    result.n_queries = 60;
    ck_assert_int_eq(sizing_verdict(&result, ALLOWED), VERDICT_UNSURE);
    result.n_queries = 600;
    ck_assert_int_eq(sizing_verdict(&result, ALLOWED), VERDICT_MET);
}
END_TEST

// The interval of late queries decides when it is 1.5 half-widths off; stability and the p99 always
// have a say, the target's own verdict of the other services where this one's is met.
START_TEST(verdict_weighs_all)
{
    const struct {
        double late, half;
        int32_t stable, sla, tail, verdict;
    } cases[] = {
        {0.034, 0.01, VERDICT_MET, VERDICT_MET, VERDICT_MET, VERDICT_MET},
        {0.036, 0.01, VERDICT_MET, VERDICT_MET, VERDICT_MET, VERDICT_UNSURE},
        {0.064, 0.01, VERDICT_MET, VERDICT_MISSED, VERDICT_MET, VERDICT_UNSURE},
        {0.066, 0.01, VERDICT_MET, VERDICT_MISSED, VERDICT_MET, VERDICT_MISSED},
        {0.034, 0.01, VERDICT_UNSURE, VERDICT_MET, VERDICT_MET, VERDICT_UNSURE},
        {0.034, 0.01, VERDICT_MISSED, VERDICT_MET, VERDICT_MET, VERDICT_MISSED},
        {0.034, 0.01, VERDICT_MET, VERDICT_MET, VERDICT_MISSED, VERDICT_MISSED},
        {0.034, 0.01, VERDICT_MET, VERDICT_UNSURE, VERDICT_MET, VERDICT_UNSURE},
        {0.034, NAN, VERDICT_MET, VERDICT_MET, VERDICT_MET, VERDICT_UNSURE},
        {NAN, NAN, VERDICT_MISSED, VERDICT_MISSED, VERDICT_MISSED, VERDICT_MISSED},
        {NAN, NAN, VERDICT_MET, VERDICT_MET, VERDICT_MET, VERDICT_MET},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct measurement result = measurement_none(VERDICT_UNSURE);
        result.n_queries = 1000000;
        result.late_frac.value = cases[i].late;
        result.late_frac.half_95 = cases[i].half;
        result.stable = cases[i].stable;
        result.sla = cases[i].sla;
        result.tail = cases[i].tail;
        ck_assert_msg((int32_t)sizing_verdict(&result, ALLOWED) == cases[i].verdict, "case %zu", i);
    }
}
END_TEST

// The smallest size allowed holds: it is the answer, nothing below is looked at.
START_TEST(least_holds)
{
    struct pool pool = pool_at(25);
    struct sizing_task task = task_of(&pool, ALLOWED);
    task.least = task.guess = 40;
    struct sizing sizing = search(&pool, &task);
    ck_assert_int_eq(sizing.state, SIZING_FOUND);
    ck_assert_uint_eq(sizing.n, 40);
    ck_assert(isnan(sizing.below.late_frac.value));
    for (uint64_t i = 0; i < pool.n_runs; i++)
        ck_assert_uint_eq(pool.points[i].n, 40);
}
END_TEST

// The largest size allowed does not hold, or there is only one.
START_TEST(most_is_not_enough)
{
    struct pool pool = pool_at(25);
    uint32_t truth = erlang_k(&pool, ALLOWED);
    struct sizing_task task = task_of(&pool, ALLOWED);
    task.most = truth - 1;
    struct sizing sizing = search(&pool, &task);
    ck_assert_int_eq(sizing.state, SIZING_BEYOND);
    ck_assert_uint_eq(sizing.n, truth - 1);
    ck_assert_double_gt(sizing.at_n.late_frac.value, ALLOWED);
    task.least = task.most;
    ck_assert_int_eq(search(&pool, &task).state, SIZING_BEYOND);
    task.least = task.most = truth;
    sizing = search(&pool, &task);
    ck_assert_int_eq(sizing.state, SIZING_FOUND);
    ck_assert_uint_eq(sizing.n, truth);
}
END_TEST

// At the largest numbers nothing overflows: the answer near 2^32, the longest run near 2^64. The
// search halves the logarithm, so even there it is short.
START_TEST(largest_numbers)
{
    const uint32_t truths[] = {1, 2, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        for (int g = 0; g < 3; g++) {
            // Overloaded below the truth, and nothing is late from there.
            struct pool pool = {.load = truths[i] - 0.5, .step = true, .first = UINT64_MAX / 8};
            struct sizing_task task = {.least = 1,
                                       .most = UINT32_MAX,
                                       .guess = g == 0   ? 0
                                                : g == 1 ? 12345
                                                         : UINT32_MAX,
                                       .allowed_frac = ALLOWED,
                                       .first_queries = pool.first,
                                       .most_queries = UINT64_MAX};
            struct sizing sizing = search(&pool, &task);
            ck_assert_int_eq(sizing.state, SIZING_FOUND);
            ck_assert_uint_eq(sizing.n, truths[i]);
            ck_assert_uint_le(sizing.n_runs, 110);
        }
}
END_TEST

// Where nothing is ever decided the answer is all there is, with the point's as the best guess, and
// the search ends.
START_TEST(fog_is_a_range)
{
    struct pool pool = pool_at(25);
    pool.noise = 0;
    pool.fog = true;
    struct sizing_task task = task_of(&pool, ALLOWED);
    task.most = 60;
    struct sizing sizing = search(&pool, &task);
    ck_assert_int_eq(sizing.state, SIZING_RANGE);
    ck_assert_uint_eq(sizing.n_least, task.least);
    ck_assert_uint_eq(sizing.n, erlang_k(&pool, ALLOWED));
    ck_assert_uint_eq(sizing.n_most, 60);
}
END_TEST

// The stream of the task is that of every run.
START_TEST(stream_is_kept)
{
    struct pool pool = pool_at(5.5);
    struct sizing_task task = task_of(&pool, ALLOWED);
    task.stream = 7;
    search(&pool, &task);
    for (uint64_t i = 0; i < pool.n_runs; i++)
        ck_assert_uint_eq(pool.points[i].stream, 7);
}
END_TEST

// A run that fails ends the search with its words, whichever it is.
START_TEST(failure_is_passed_on)
{
    struct pool pool = pool_at(64);
    struct sizing_task task = task_of(&pool, ALLOWED);
    uint64_t n_runs = search(&pool, &task).n_runs;
    for (uint64_t at = 1; at < n_runs; at++) {
        struct sizing sizing;
        struct err err = {0};
        pool.n_runs = 0;
        pool.fail_after = at;
        ck_assert_int_eq(sizing_search(&task, pool_measure, &pool, &sizing, &err), -1);
        ck_assert_str_eq(err.text, "the pool is closed");
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", exact_staffing},
        {"core", close_calls_are_ranges},
        {"core", shows_both_sides},
        {"core", never_the_same_run},
        {"core", is_economical},
        {"core", short_batches_are_not_believed},
        {"core", verdict_weighs_all},
        {"core", stream_is_kept},
        {"limits", few_queries_say_little},
        {"limits", least_holds},
        {"limits", most_is_not_enough},
        {"limits", largest_numbers},
        {"limits", fog_is_a_range},
        {"errors", failure_is_passed_on},
    };
    return suite_run("sizing", tests, sizeof tests / sizeof *tests);
}
