// SPDX-License-Identifier: Apache-2.0
#include "cluster/slow.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
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

uint8_t *slow_marks(const struct fleet_config *config, uint32_t group, uint32_t cell,
                    uint32_t first_in_cell, uint32_t n)
{
    uint8_t *all = mem_calloc(layout_servers(config, group, cell), 1), *marks = mem_calloc(n, 1);
    uint32_t first = first_in_cell; // of those of the group in the cell
    for (uint32_t g = 0; g < group; g++)
        first -= layout_servers(config, g, cell);
    slow_mark(config, group, cell, all);
    memcpy(marks, all + first, n);
    mem_free(all);
    return marks;
}

double slow_worst(const struct slow_config *slow)
{
    return slow->frac > 0 ? slow->factor : 1;
}
