// SPDX-License-Identifier: Apache-2.0
#include "search/dayplan.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

const char *const dayplan_strategy_names[] = {"peak", "follow", NULL};

// Quotients of times as people give them, such as 0.3 s and 0.1 s, are off whole numbers by this.
static const double ROUNDING = 1e-9;

// to[i] = the largest (or smallest) of from[i .. i + length - 1], which goes round the day; or of
// from[i - length + 1 .. i], when backward.
static void running(const uint32_t *from, uint32_t *to, uint32_t n, uint32_t length, bool backward,
                    bool largest)
{
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        for (uint32_t j = 1; j < length; j++) {
            uint32_t at = backward ? i + n - j : i + j;
            uint32_t value = from[at % n];
            if (largest ? value > to[i] : value < to[i])
                to[i] = value;
        }
    }
}

static uint32_t most(const uint32_t *v, uint32_t n)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < n; i++)
        largest = v[i] > largest ? v[i] : largest;
    return largest;
}

// A number of intervals, at most a day of them.
static uint32_t at_most_day(const struct dayplan_config *config, double n)
{
    return n < config->n_intervals ? (uint32_t)n : config->n_intervals;
}

// One type, both arrays [interval]; spare as well. Gaps that are too short are closed by a running
// maximum of their length and one interval, and a running minimum that takes it back where no
// need follows.
static void follow(const struct dayplan_config *config, uint32_t *v, uint32_t *spare)
{
    uint32_t n = config->n_intervals;
    double stay = ceil(config->min_on_s / config->interval_s - ROUNDING);
    double gap = floor(config->startup_s / config->interval_s + ROUNDING);
    uint32_t n_stay = at_most_day(config, fmax(stay, 1)), n_gap = at_most_day(config, gap);
    n_gap = n_gap < n ? n_gap : n - 1; // a window of a day sees it all
    running(v, spare, n, n_stay, true, true);
    running(spare, v, n, n_gap + 1, true, true);
    running(v, spare, n, n_gap + 1, false, false);
    for (uint32_t i = 0; i < n; i++)
        v[i] = spare[i];
}

void dayplan_fill(const struct dayplan_config *config, enum dayplan_strategy strategy,
                  const uint32_t *needed, uint32_t *on, uint32_t *started)
{
    assert(config->interval_s > 0 && config->startup_s >= 0 && config->min_on_s >= 0);
    uint32_t n = config->n_intervals, n_types = config->n_types;
    uint32_t *v = mem_alloc(2 * (size_t)n * sizeof *v), *spare = v + n;
    for (uint32_t h = 0; h < n_types; h++) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = needed[(size_t)i * n_types + h];
        uint32_t peak = most(v, n);
        if (strategy == DAYPLAN_FOLLOW && n > 0)
            follow(config, v, spare);
        for (uint32_t i = 0; i < n; i++)
            on[(size_t)i * n_types + h] = strategy == DAYPLAN_PEAK ? peak : v[i];
        for (uint32_t i = 0; i < n; i++) {
            uint32_t now = on[(size_t)i * n_types + h];
            uint32_t before = on[(size_t)(i > 0 ? i - 1 : n - 1) * n_types + h];
            started[(size_t)i * n_types + h] = now > before ? now - before : 0;
        }
    }
    mem_free(v);
}

struct dayplan_time dayplan_time(const struct dayplan_config *config, const uint32_t *on,
                                 const uint32_t *started, uint32_t type)
{
    uint64_t n_on = 0, n_started = 0;
    for (uint32_t i = 0; i < config->n_intervals; i++) {
        n_on += on[(size_t)i * config->n_types + type];
        n_started += started[(size_t)i * config->n_types + type];
    }
    return (struct dayplan_time){(double)n_on * config->interval_s,
                                 (double)n_started * config->startup_s};
}
