// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include <check.h>

#include "base/rng.h"
#include "base/rng_avx512.h"

// Eight at a time are the numbers that Random123 gives one by one, also where the counter's low
// word wraps and for keys with every bit in use.
START_TEST(same_as_one_by_one)
{
    if (!rng_avx512_supported())
        return;
    const uint64_t seeds[] = {0, 1, UINT64_C(0x9E3779B97F4A7C15), UINT64_MAX};
    const uint64_t firsts[] = {0, 3, UINT64_C(0xFFFFFFFA), UINT64_MAX - 20};
    for (size_t s = 0; s < 4; s++)
        for (size_t f = 0; f < 4; f++) {
            struct rng_stream stream =
                rng_stream(seeds[s], RNG_TEST, UINT64_C(0xABCDEF012345) >> f);
            uint64_t words[2 * 64], one[2];
            rng_avx512_fill(stream.seed, stream.high, firsts[f], 64, words);
            for (uint64_t i = 0; i < 64; i++) {
                rng_block(&stream, firsts[f] + i, one);
                ck_assert_uint_eq(words[2 * i], one[0]);
                ck_assert_uint_eq(words[2 * i + 1], one[1]);
            }
        }
}
END_TEST

// A length that is no multiple of eight, nor of the many that are made together, as rng_fill cuts
// it.
START_TEST(any_length)
{
    struct rng_stream stream = rng_stream(7, RNG_TEST, 1);
    uint64_t words[2 * 200], one[2];
    for (size_t n = 0; n <= 200; n++) {
        rng_fill(&stream, 100, n, words);
        for (size_t i = 0; i < n; i++) {
            rng_block(&stream, 100 + i, one);
            ck_assert_uint_eq(words[2 * i], one[0]);
            ck_assert_uint_eq(words[2 * i + 1], one[1]);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng_avx512");
    TCase *core = tcase_create("core"), *limits = tcase_create("limits");
    tcase_add_test(core, same_as_one_by_one);
    tcase_add_test(limits, any_length);
    suite_add_tcase(suite, core);
    suite_add_tcase(suite, limits);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
