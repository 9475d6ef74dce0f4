// SPDX-License-Identifier: Apache-2.0
#include "cluster/slow.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cluster/layout.h"
#include "support/suite.h"

enum { MOST_SERVERS = 1000 };

// Two groups, of which the second is looked at.
static uint32_t count(uint32_t n_servers, uint32_t n_cells, double frac, uint64_t seed,
                      uint32_t *of_cells)
{
    struct group_config groups[] = {{.n_servers = 7}, {.n_servers = n_servers}};
    struct fleet_config config = {
        .groups = groups, .n_groups = 2, .n_cells = n_cells, .seed = seed};
    uint32_t sum = 0;
    groups[1].slow = (struct slow_config){.frac = frac, .factor = 2};
    for (uint32_t c = 0; c < n_cells; c++) {
        uint8_t is_slow[MOST_SERVERS + 1];
        uint32_t n = layout_servers(&config, 1, c);
        memset(is_slow, 9, sizeof is_slow);
        slow_mark(&config, 1, c, is_slow);
        ck_assert_uint_eq(is_slow[n], 9);
        of_cells[c] = 0;
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_uint_le(is_slow[i], 1);
            of_cells[c] += is_slow[i];
        }
        sum += of_cells[c];
    }
    return sum;
}

// As many of the group as its part says, to the nearest whole number, and every cell its part of
// them but for less than one.
START_TEST(counts)
{
    static const double fracs[] = {0, 0.01, 0.1, 1.0 / 3, 0.5, 0.97, 1};
    static const uint32_t servers[] = {1, 4, 10, 100, 999}, cells[] = {1, 3, 10};
    for (int f = 0; f < 7; f++)
        for (int s = 0; s < 5; s++)
            for (int c = 0; c < 3; c++) {
                uint32_t of_cells[10], n = servers[s];
                uint32_t sum = count(n, cells[c], fracs[f], 5, of_cells);
                ck_assert_uint_eq(sum, (uint32_t)floor(fracs[f] * n + 0.5));
                for (uint32_t i = 0; i < cells[c]; i++)
                    ck_assert_double_lt(fabs(of_cells[i] - fracs[f] * n / cells[c]), 2);
            }
}
END_TEST

// Which of a cell's servers it is has equal chances, and is drawn for each seed and cell anew: over
// 4000 cells and seeds each of five servers, two of which are slow, is one in 2/5 of them, and any
// two are in 1/10, within five standard errors.
START_TEST(equal_chances)
{
    enum { N = 4000 };
    struct group_config group = {.n_servers = 5 * 40, .slow = {0.4, 2, 0}};
    struct fleet_config config = {.groups = &group, .n_groups = 1, .n_cells = 40};
    int n_slow[5] = {0}, n_first_two = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint8_t is_slow[5];
        config.seed = i / 40;
        slow_mark(&config, 0, i % 40, is_slow);
        for (int s = 0; s < 5; s++)
            n_slow[s] += is_slow[s];
        n_first_two += is_slow[0] && is_slow[1];
    }
    for (int s = 0; s < 5; s++)
        ck_assert_double_eq_tol(n_slow[s] / (double)N, 0.4, 5 * sqrt(0.4 * 0.6 / N));
    ck_assert_double_eq_tol(n_first_two / (double)N, 0.1, 5 * sqrt(0.1 * 0.9 / N));
}
END_TEST

// A part of a larger fleet has as many of its slow servers as there are on average in such parts:
// a tenth of 4 servers, 400 parts of one after another.
START_TEST(parts)
{
    uint32_t sum = 0;
    for (uint32_t first = 0; first < 1600; first += 4) {
        const struct slow_config slow = {0.1, 2, first};
        uint32_t n = slow_count(&slow, 0, 4);
        ck_assert_uint_le(n, 1);
        sum += n;
    }
    ck_assert_uint_eq(sum, 160);
}
END_TEST

// Without slow servers the slowest is as fast as any.
START_TEST(worst)
{
    ck_assert_double_eq(slow_worst(&(struct slow_config){0, 3, 0}), 1);
    ck_assert_double_eq(slow_worst(&(struct slow_config){0.1, 3, 0}), 3);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", counts}, {"core", equal_chances}, {"core", parts}, {"limits", worst}};
    return suite_run("slow", tests, sizeof tests / sizeof *tests);
}
