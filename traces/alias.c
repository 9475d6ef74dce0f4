// SPDX-License-Identifier: Apache-2.0
#include "traces/alias.h"

#include <assert.h>

#include "base/mem.h"

#define SCALE 0x1p32

// Slots below and above the mean, as two stacks that share one array: low grows up, high grows
// down.
struct stacks {
    uint32_t *slot;
    uint32_t n_low, high_top, n;
};

static void stacks_push(struct stacks *stacks, uint32_t slot, double share)
{
    if (share < 1.0)
        stacks->slot[stacks->n_low++] = slot;
    else
        stacks->slot[--stacks->high_top] = slot;
}

static uint32_t keep_from(double share)
{
    double keep = share * SCALE + 0.5;
    return keep >= SCALE ? UINT32_MAX : (uint32_t)keep;
}

void alias_pair(double *share, uint32_t *other, uint32_t n)
{
    struct stacks stacks = {mem_alloc(n * sizeof(uint32_t)), 0, n, n};
    for (uint32_t i = 0; i < n; i++) {
        other[i] = i;
        stacks_push(&stacks, i, share[i]);
    }
    while (stacks.n_low > 0 && stacks.high_top < n) {
        uint32_t low = stacks.slot[--stacks.n_low], high = stacks.slot[stacks.high_top++];
        other[low] = high;
        share[high] -= 1.0 - share[low];
        stacks_push(&stacks, high, share[high]);
    }
    mem_free(stacks.slot);
}

void alias_init(struct alias *table, const double *weights, uint32_t n)
{
    assert(n >= 1);
    double total = 0;
    for (uint32_t i = 0; i < n; i++)
        total += weights[i];
    assert(total > 0);
    struct alias_slot *slots = mem_alloc(n * sizeof *slots);
    double *share = mem_alloc(n * sizeof *share);
    uint32_t *other = mem_alloc(n * sizeof *other);
    for (uint32_t i = 0; i < n; i++)
        share[i] = weights[i] / total * n;
    alias_pair(share, other, n);
    for (uint32_t i = 0; i < n; i++)
        slots[i] = (struct alias_slot){other[i] == i ? 0 : keep_from(share[i]), other[i]};
    // What is left differs from 1 by rounding only and keeps itself whatever the fraction, unless
    // rounding left a slot of weight zero without a partner: that one must never be drawn.
    uint32_t heaviest = 0;
    for (uint32_t i = 0; i < n; i++)
        heaviest = weights[i] > weights[heaviest] ? i : heaviest;
    for (uint32_t i = 0; i < n; i++)
        if (other[i] == i && !(weights[i] > 0))
            slots[i].other = heaviest;
    mem_free(other);
    mem_free(share);
    *table = (struct alias){slots, n};
}

void alias_release(struct alias *table)
{
    mem_free(table->slots);
    *table = (struct alias){0};
}

void alias_probabilities(const struct alias *table, double *prob)
{
    for (uint32_t i = 0; i < table->n; i++)
        prob[i] = 0;
    for (uint32_t i = 0; i < table->n; i++) {
        double keep = table->slots[i].keep / SCALE;
        prob[i] += keep / table->n;
        prob[table->slots[i].other] += (1.0 - keep) / table->n;
    }
}
