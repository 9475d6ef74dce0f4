// SPDX-License-Identifier: Apache-2.0
#include "results/relaxation.h"

#include <math.h>

#include "results/batch.h"

#define PER_BATCH 30.0      // relaxation times wanted in one batch,
#define LEAST_BATCHES 8.0   // but not at the cost of fewer batches;
#define PER_BATCH_QUEUE 5.0 // and of each queue, where there are many

double relaxation_times(const struct overload_series *s)
{
    if (s->n < 2 || !(s->n_units > 0))
        return NAN;
    double load = overload_load(s, 0, s->n), before = overload_load(s, 0, 1), squares = 0;
    for (uint32_t i = 1; i < s->n; i++) {
        double now = overload_load(s, i, i + 1);
        squares += (now - before) * (now - before);
        before = now;
    }
    double variance = squares / (2.0 * (s->n - 1));
    double rho = load + sqrt(variance / s->n), rest = 1 - sqrt(rho);
    if (rho >= 1)
        return 0;
    return variance > 0 ? 2 * s->n * load * load * rest * rest / (rho * variance) : INFINITY;
}

int relaxation_enough(double all, double queue, double q)
{
    return all >= (q > 0.95 ? RELAXATION_LEAST_TAIL : RELAXATION_LEAST) &&
           queue >= RELAXATION_LEAST_QUEUE;
}

uint32_t relaxation_batches(double all, double queue)
{
    double n = fmax(all / PER_BATCH, LEAST_BATCHES);
    n = fmax(fmin(n, queue / PER_BATCH_QUEUE), BATCH_LEAST);
    return n < BATCH_AIM ? (uint32_t)n : BATCH_AIM; // fmax() and fmin() pass over NaN
}
