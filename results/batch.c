// SPDX-License-Identifier: Apache-2.0
#include "results/batch.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

// Of values that are there: where bins are empty, neighbours are the last value and the next.
double batch_lag1(const double *y, size_t n)
{
    double sum = 0, squares = 0, products = 0, before = NAN;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(y[i])) {
            sum += y[i];
            used++;
        }
    }
    if (used < 3)
        return NAN;
    double mean = sum / (double)used;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]))
            continue;
        squares += (y[i] - mean) * (y[i] - mean);
        if (!isnan(before))
            products += (y[i] - mean) * (before - mean);
        before = y[i];
    }
    return squares > 0 ? products / squares : NAN;
}

uint32_t batch_first(const struct batch_plan *plan, uint32_t b)
{
    return b < plan->n_batches ? b * plan->size : plan->n_bins;
}

void batch_means(const struct batch_plan *plan, const double *y, double *out)
{
    for (uint32_t b = 0; b < plan->n_batches; b++) {
        double sum = 0;
        uint32_t used = 0;
        for (uint32_t i = batch_first(plan, b); i < batch_first(plan, b + 1); i++) {
            if (isnan(y[i]))
                continue;
            sum += y[i];
            used++;
        }
        out[b] = used ? sum / used : NAN;
    }
}

// One-sided at 1 %: who knows how long the batches have to be (relaxation.h) aims well, and this
// finds what that knowledge misses. An independent series has mean -1/n and deviation about
// 1/sqrt(n).
static bool correlated(const double *y, uint32_t n)
{
    return batch_lag1(y, n) > 2.3263 / sqrt(n) - 1.0 / n;
}

// Every doubling is judged anew: two neighbours that correlate may make one batch that no longer
// does with the next.
struct batch_plan batch_plan_of(const double *y, uint32_t n, uint32_t aim)
{
    uint32_t size = n / aim;
    if (size == 0)
        size = 1;
    struct batch_plan plan = {n, size, n / size};
    double *means = mem_calloc(plan.n_batches, sizeof *means);
    for (;;) {
        batch_means(&plan, y, means);
        uint32_t n_doubled = n / (2 * plan.size); // batches if two neighbours were one
        if (n_doubled < BATCH_LEAST || !correlated(means, plan.n_batches))
            break;
        plan.size *= 2;
        plan.n_batches = n_doubled;
    }
    mem_free(means);
    return plan;
}
