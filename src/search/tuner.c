// SPDX-License-Identifier: Apache-2.0
#include "search/tuner.h"

#include <assert.h>
#include <string.h>

const struct tuner_policy *const tuner_policies[] = {
    &tuner_static, &tuner_fixed, &tuner_deeprecsched, &tuner_exhaustive, &tuner_reference, NULL};

int tuner_find(const char *name)
{
    for (int i = 0; tuner_policies[i]; i++)
        if (strcmp(tuner_policies[i]->name, name) == 0)
            return i;
    return -1;
}

void tuner_release(struct tuner_outcome *outcome)
{
    trials_release(&outcome->path);
}

struct settings tuner_with(struct settings choice, const struct tuner_axis *axis, int64_t value)
{
    bool allowed = settings_set_number(&choice, axis->key, (double)value);
    assert(allowed);
    (void)allowed;
    return choice;
}

struct settings tuner_start(const struct tuner_config *config)
{
    struct settings start = config->fixed;
    for (size_t a = 0; a < config->n_axes; a++)
        start = tuner_with(start, &config->axes[a], config->axes[a].walk == SETTINGS_FACTORS);
    return start;
}

// Appends to an ascending list without repeats, as much of it as fits.
static void append(int64_t value, int64_t *v, size_t max, size_t *n, int64_t *last)
{
    if (value <= *last)
        return;
    *last = value;
    if (*n < max)
        v[*n] = value;
    ++*n;
}

size_t tuner_default(const struct tuner_axis *axis, int64_t *v, size_t max)
{
    size_t n = 0;
    int64_t last = 0, most = axis->most;
    if (axis->walk == SETTINGS_FACTORS) {
        // Four values to a factor of two, so that no optimum is more than 9 % from one of them.
        const double ratio = 1.189207115002721; // 2^(1/4)
        double value = 1;
        for (int i = 0; value < (double)most; i++) {
            append((int64_t)(value + 0.5), v, max, &n, &last);
            value = i % 4 == 3 ? (double)(INT64_C(1) << (i / 4 + 1)) : value * ratio;
        }
        append(most, v, max, &n, &last);
        return n;
    }
    if (axis->walk == SETTINGS_HALVES) {
        for (int i = TUNER_HALVES - 1; i >= 0; i--)
            append(most / (INT64_C(1) << i), v, max, &n, &last);
        return n;
    }
    // Steps of 20 items for queries of up to 1000: 100 items of T move 5 % of the work.
    int64_t step = most >= 75 ? (most + 25) / 50 : 1;
    append(1, v, max, &n, &last);
    for (int64_t value = step; value <= most; value += step)
        append(value, v, max, &n, &last);
    return n;
}
