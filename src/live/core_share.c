// SPDX-License-Identifier: Apache-2.0
#include "live/core_share.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static bool has(const int *cpus, size_t n, int cpu)
{
    for (size_t i = 0; i < n; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

size_t core_share_give(const struct core_claim *claims, size_t n_claims)
{
    size_t n_most = 0, n_all = 0, n_used = 0;
    for (size_t c = 0; c < n_claims; c++)
        n_most += claims[c].n_cpus + claims[c].n_wanted;
    int *all = mem_calloc(n_most, sizeof *all), *used = mem_calloc(n_most, sizeof *used);
    for (size_t c = 0; c < n_claims; c++) {
        const struct core_claim *claim = &claims[c];
        size_t n = 0;
        for (size_t i = 0; i < claim->n_cpus; i++) {
            if (!has(all, n_all, claim->cpus[i]))
                all[n_all++] = claim->cpus[i];
            if (n < claim->n_wanted && !has(used, n_used, claim->cpus[i]))
                claim->taken[n++] = claim->cpus[i];
        }
        if (n < claim->n_wanted) {
            for (size_t i = 0; i < claim->n_wanted; i++)
                claim->taken[i] = -1;
            continue;
        }
        memcpy(used + n_used, claim->taken, n * sizeof *used);
        n_used += n;
    }
    mem_free(all);
    mem_free(used);
    return n_all;
}
