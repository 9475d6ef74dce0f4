// SPDX-License-Identifier: Apache-2.0
#include "results/warmup.h"

#include <math.h>
#include <stddef.h>

static const uint32_t cut_percent[] = {5, 10, 20, 30, 40, 50};
#define N_CUTS (sizeof cut_percent / sizeof *cut_percent)
#define LEAST_VALUES 20
#define N_TENTHS 5      // of the second half
#define CLEARLY_LOW 3.0 // standard deviations

// Mean of y[first .. end) without the NaN values; NaN when none is left.
static double mean_of(const double *y, uint32_t first, uint32_t end)
{
    double sum = 0;
    uint32_t used = 0;
    for (uint32_t i = first; i < end; i++) {
        if (isnan(y[i]))
            continue;
        sum += y[i];
        used++;
    }
    return used ? sum / used : NAN;
}

// A tenth that lies below this is not yet of the steady state; NaN: not known.
static double least_steady(const double *y, uint32_t n)
{
    double tenths[N_TENTHS], squares = 0;
    for (uint32_t i = 0; i < N_TENTHS; i++)
        tenths[i] = mean_of(y, n - (N_TENTHS - i) * (n / 10), n - (N_TENTHS - i - 1) * (n / 10));
    double mean = mean_of(tenths, 0, N_TENTHS);
    for (uint32_t i = 0; i < N_TENTHS; i++)
        squares += (tenths[i] - mean) * (tenths[i] - mean);
    return mean - CLEARLY_LOW * sqrt(squares / (N_TENTHS - 1) * (1 + 1.0 / N_TENTHS));
}

// Comparisons with NaN are false: what is not known does not move the cut.
uint32_t warmup_detect(const double *y, uint32_t n, bool *settled)
{
    size_t cut = 0;
    if (n >= LEAST_VALUES) {
        double least = least_steady(y, n);
        while (cut + 1 < N_CUTS) {
            uint32_t first = (uint32_t)((uint64_t)n * cut_percent[cut] / 100);
            if (!(mean_of(y, first, first + n / 10) < least))
                break;
            cut++;
        }
    }
    if (settled)
        *settled = cut + 1 < N_CUTS;
    return (uint32_t)((uint64_t)n * cut_percent[cut] / 100);
}
