// SPDX-License-Identifier: Apache-2.0
#include "cluster/slow.h"

#include <math.h>

#include "base/rng.h"
#include "cluster/layout.h"

static double before(const struct slow_config *slow, uint32_t n)
{
    return floor(slow->frac * ((double)slow->first + n) + 0.5);
}

uint32_t slow_count(const struct slow_config *slow, uint32_t first, uint32_t n)
{
    return (uint32_t)(before(slow, first + n) - before(slow, first));
}

void slow_mark(const struct fleet_config *config, uint32_t group, uint32_t cell, uint8_t *is_slow)
{
    uint32_t n = layout_servers(config, group, cell);
    uint32_t left = slow_count(&config->groups[group].slow, layout_first(config, group, cell), n);
    const struct rng_stream draws = rng_stream(config->seed, RNG_SLOW, RNG_ENTITY(cell, group));
    for (uint32_t i = 0; i < n; i++) {
        uint64_t words[2];
        rng_block(&draws, i, words);
        is_slow[i] = rng_u01(words[0]) * (n - i) < left;
        left -= is_slow[i];
    }
}

double slow_worst(const struct slow_config *slow)
{
    return slow->frac > 0 ? slow->factor : 1;
}
