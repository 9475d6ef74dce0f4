// SPDX-License-Identifier: Apache-2.0
#include "results/warmup.h"

#include <math.h>
#include <stddef.h>

// The MSER statistic of y[d .. n); NaN when fewer than two values are left.
static double mser(const double *y, uint32_t d, uint32_t n)
{
    double sum = 0, squares = 0;
    uint32_t used = 0;
    for (uint32_t i = d; i < n; i++) {
        if (!isnan(y[i])) {
            sum += y[i];
            used++;
        }
    }
    if (used < 2)
        return NAN;
    double mean = sum / used;
    for (uint32_t i = d; i < n; i++) {
        if (!isnan(y[i]))
            squares += (y[i] - mean) * (y[i] - mean);
    }
    return squares / ((double)used * used);
}

// Where fewer than two values are left the statistic is not known, and the first known one wins.
uint32_t warmup_detect(const double *y, uint32_t n, bool *settled)
{
    uint32_t best = 0, most = n / 2;
    double least = mser(y, 0, n);
    for (uint32_t d = 1; d <= most; d++) {
        double value = mser(y, d, n);
        if (value < least || isnan(least)) {
            least = value;
            best = d;
        }
    }
    if (settled)
        *settled = n < 2 || best < most;
    return best;
}
