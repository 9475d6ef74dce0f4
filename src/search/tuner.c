// SPDX-License-Identifier: Apache-2.0
#include "search/tuner.h"

#include <math.h>
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

// Appends to an ascending list without repeats, as much of it as fits.
static void append(uint32_t value, uint32_t *v, size_t max, size_t *n, uint32_t *last)
{
    if (value <= *last)
        return;
    *last = value;
    if (*n < max)
        v[*n] = value;
    ++*n;
}

size_t tuner_default_batches(uint32_t max_items, uint32_t *v, size_t max)
{
    // Four values to a factor of two, so that no optimum is more than 9 % from one of them.
    const double ratio = 1.189207115002721; // 2^(1/4)
    size_t n = 0;
    uint32_t last = 0;
    double value = 1;
    for (int i = 0; value < max_items; i++) {
        append((uint32_t)(value + 0.5), v, max, &n, &last);
        value = i % 4 == 3 ? (double)(1 << (i / 4 + 1)) : value * ratio;
    }
    append(max_items, v, max, &n, &last);
    return n;
}

size_t tuner_default_offloads(uint32_t max_items, uint32_t *v, size_t max)
{
    // Steps of 20 items for queries of up to 1000: 100 items of T move 5 % of the work.
    uint32_t step = max_items >= 75 ? (max_items + 25) / 50 : 1, last = 0;
    size_t n = 0;
    append(1, v, max, &n, &last);
    for (uint32_t value = step; value <= max_items; value += step)
        append(value, v, max, &n, &last);
    return n;
}
