// SPDX-License-Identifier: Apache-2.0
#include "results/slowest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "support/suite.h"

enum { N = 3000, N_BINS = 20, MOST = 25 };

// Queries of few different latencies, so that many are equal; their bins follow their arrivals.
static struct query_sample *queries(uint64_t seed)
{
    struct query_sample *q = mem_calloc(N, sizeof *q);
    struct rng_stream draws = rng_stream(seed, RNG_TEST, 0);
    for (uint32_t i = 0; i < N; i++) {
        uint64_t words[2];
        rng_block(&draws, i, words);
        q[i] = (struct query_sample){.arrive_ns = i / 2 * 10,
                                     .latency_ns = (int64_t)(words[0] % 400),
                                     .cell = i % 2,
                                     .seq = i / 2,
                                     .bin = i * N_BINS / N};
    }
    return q;
}

static int by_slowness(const void *a, const void *b)
{
    return slowest_is_slower(a, b) ? -1 : slowest_is_slower(b, a);
}

// The slowest of all with bin >= `bin`: sorted and cut; returns how many.
static size_t brute_force(const struct query_sample *all, size_t n, uint32_t bin,
                          struct query_sample *out)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i].bin >= bin)
            out[found++] = all[i];
    qsort(out, found, sizeof *out, by_slowness);
    return found < MOST ? found : MOST;
}

static void assert_holds(struct slowest *slowest, const struct query_sample *all, size_t n)
{
    struct query_sample *wanted = mem_calloc(N, sizeof *wanted);
    slowest_sort(slowest);
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        size_t n_wanted = brute_force(all, n, bin, wanted), found = 0;
        for (size_t i = 0; i < slowest->n && found < n_wanted; i++)
            if (slowest->v[i].bin >= bin) {
                ck_assert_mem_eq(&slowest->v[i], &wanted[found], sizeof *wanted);
                found++;
            }
        ck_assert_uint_eq(found, n_wanted);
    }
    mem_free(wanted);
}

// Whatever the order in which they come: those of every interval from a bin to the end.
START_TEST(every_interval)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct query_sample *all = queries(seed);
        struct slowest *slowest = slowest_create(MOST, N_BINS);
        for (uint32_t i = 0; i < N; i++)
            slowest_add(slowest, &all[i * 7919u % N]); // a prime: each once
        assert_holds(slowest, all, N);
        ck_assert_uint_le(slowest->n, MOST * N_BINS);
        ck_assert_uint_le(slowest->cap, 2 * MOST * N_BINS + 64);
        slowest_destroy(slowest);
        mem_free(all);
    }
}
END_TEST

// Kept in parts and put together, in any order: the same, to the byte.
START_TEST(parts)
{
    struct query_sample *all = queries(9);
    struct slowest *whole = slowest_create(MOST, N_BINS), *sum = slowest_create(MOST, N_BINS);
    for (uint32_t i = 0; i < N; i++)
        slowest_add(whole, &all[i]);
    for (uint32_t part = 5; part-- > 0;) {
        struct slowest *some = slowest_create(MOST, N_BINS);
        for (uint32_t i = part; i < N; i += 5)
            slowest_add(some, &all[i]);
        for (size_t i = 0; i < some->n; i++)
            slowest_add(sum, &some->v[i]);
        slowest_destroy(some);
    }
    slowest_sort(whole);
    slowest_sort(sum);
    ck_assert_uint_eq(whole->n, sum->n);
    ck_assert_mem_eq(whole->v, sum->v, whole->n * sizeof *whole->v);
    slowest_destroy(whole);
    slowest_destroy(sum);
    mem_free(all);
}
END_TEST

// The worst that can come: each is faster than the one before it, so that all of a bin's first are
// among the slowest of what follows.
START_TEST(draining)
{
    struct slowest *slowest = slowest_create(MOST, N_BINS);
    for (uint32_t i = 0; i < N; i++)
        slowest_add(slowest,
                    &(struct query_sample){
                        .arrive_ns = i, .latency_ns = N - i, .seq = i, .bin = i * N_BINS / N});
    slowest_sort(slowest);
    ck_assert_uint_eq(slowest->n, MOST * N_BINS);
    slowest_destroy(slowest);
}
END_TEST

// Equal latencies: the first to arrive, then the lower cell, then the lower number.
START_TEST(ties)
{
    const struct query_sample a = {.latency_ns = 5, .arrive_ns = 1, .cell = 2, .seq = 9},
                              later = {.latency_ns = 5, .arrive_ns = 2},
                              cell = {.latency_ns = 5, .arrive_ns = 1, .cell = 3},
                              seq = {.latency_ns = 5, .arrive_ns = 1, .cell = 2, .seq = 10},
                              slower = {.latency_ns = 6, .arrive_ns = 9, .cell = 9, .seq = 99};
    ck_assert(slowest_is_slower(&a, &later) && !slowest_is_slower(&later, &a));
    ck_assert(slowest_is_slower(&a, &cell) && slowest_is_slower(&a, &seq));
    ck_assert(slowest_is_slower(&slower, &a) && !slowest_is_slower(&a, &a));
}
END_TEST

// Fewer than are kept: all of them; cleared: none, and it serves again.
START_TEST(few)
{
    struct query_sample *all = queries(3);
    struct slowest *slowest = slowest_create(MOST, N_BINS);
    slowest_sort(slowest);
    ck_assert_uint_eq(slowest->n, 0);
    for (uint32_t i = 0; i < MOST - 1; i++)
        slowest_add(slowest, &all[i]);
    assert_holds(slowest, all, MOST - 1);
    slowest_clear(slowest);
    ck_assert(slowest->n == 0 && slowest_wants(slowest, &(struct query_sample){.latency_ns = 0}));
    for (uint32_t i = 0; i < N; i++)
        slowest_add(slowest, &all[i]);
    assert_holds(slowest, all, N);
    slowest_clear(NULL);
    slowest_destroy(NULL);
    slowest_destroy(slowest);
    mem_free(all);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", every_interval},
                                       {"core", parts},
                                       {"core", ties},
                                       {"limits", draining},
                                       {"limits", few}};
    return suite_run("slowest", tests, sizeof tests / sizeof *tests);
}
