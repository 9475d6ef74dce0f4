// SPDX-License-Identifier: Apache-2.0
#include "traces/draw.h"

#include "support/suite.h"

// However a stream is cut into reads, even at odd places, word i is the same.
START_TEST(cuts_do_not_matter)
{
    struct rng_stream stream = rng_stream(5, RNG_TEST, 1);
    uint64_t whole[DRAW_BUFFER], part[DRAW_BUFFER];
    const uint64_t *all = draw_words(&stream, 0, 500, whole);
    for (uint64_t first = 0; first < 500;) {
        size_t n = first % 7 + 1;
        n = first + n > 500 ? 500 - first : n;
        const uint64_t *words = draw_words(&stream, first, n, part);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(words[i], all[first + i]);
        first += n;
    }
}
END_TEST

// A word is the half of its Philox block.
START_TEST(words_are_halves_of_blocks)
{
    struct rng_stream stream = rng_stream(5, RNG_TEST, 1);
    uint64_t block[2], buf[DRAW_BUFFER];
    rng_block(&stream, 1000000, block);
    const uint64_t *words = draw_words(&stream, 2000001, 1, buf);
    ck_assert_uint_eq(words[0], block[1]);
}
END_TEST

// The largest read from an odd place stays inside the buffer.
START_TEST(largest_odd_read_fits)
{
    struct rng_stream stream = rng_stream(5, RNG_TEST, 1);
    uint64_t buf[DRAW_BUFFER + 1];
    buf[DRAW_BUFFER] = 42;
    draw_words(&stream, 7, DRAW_MAX, buf);
    ck_assert_uint_eq(buf[DRAW_BUFFER], 42);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cuts_do_not_matter},
        {"core", words_are_halves_of_blocks},
        {"limits", largest_odd_read_fits},
    };
    return suite_run("draw", tests, sizeof tests / sizeof *tests);
}
