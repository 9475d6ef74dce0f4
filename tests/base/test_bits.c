// SPDX-License-Identifier: Apache-2.0
#include "base/bits.h"

#include "support/suite.h"

// Bit by bit: the n lowest set bits of every word, and the place of the n-th.
START_TEST(bit_by_bit)
{
    static const uint64_t words[] = {1, 0x8000000000000001, 0xf0f0, 0x123456789abcdef0, UINT64_MAX};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint64_t lowest = 0;
        uint32_t n = 0;
        for (uint32_t place = 0; place < 64; place++) {
            ck_assert(bits_lowest(words[i], n) == lowest);
            if (!(words[i] >> place & 1))
                continue;
            lowest |= UINT64_C(1) << place;
            ck_assert_uint_eq(bits_nth(words[i], ++n), place);
        }
    }
}
END_TEST

// Of fewer than n bits all are taken.
START_TEST(fewer_than_asked)
{
    ck_assert(bits_lowest(0, 5) == 0);
    ck_assert(bits_lowest(0x11, 5) == 0x11);
    ck_assert(bits_lowest(0x11, 63) == 0x11);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", bit_by_bit}, {"limits", fewer_than_asked}};
    return suite_run("bits", tests, sizeof tests / sizeof *tests);
}
