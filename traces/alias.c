// SPDX-License-Identifier: Apache-2.0
#include "traces/alias.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/simd.h"

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
    uint64_t *slots = mem_alloc(n * sizeof *slots);
    double *share = mem_alloc(n * sizeof *share);
    uint32_t *other = mem_alloc(n * sizeof *other);
    for (uint32_t i = 0; i < n; i++)
        share[i] = weights[i] / total * n;
    alias_pair(share, other, n);
    // What is left differs from 1 by rounding only and keeps itself whatever the fraction, unless
    // rounding left a slot of weight zero without a partner: that one must never be drawn.
    uint32_t heaviest = 0;
    for (uint32_t i = 0; i < n; i++)
        heaviest = weights[i] > weights[heaviest] ? i : heaviest;
    for (uint32_t i = 0; i < n; i++) {
        bool alone = other[i] == i;
        uint64_t keep = alone ? 0 : keep_from(share[i]);
        slots[i] = (uint64_t)(alone && !(weights[i] > 0) ? heaviest : other[i]) << 32 | keep;
    }
    mem_free(other);
    mem_free(share);
    *table = (struct alias){slots, n};
}

void alias_release(struct alias *table)
{
    mem_free(table->slots);
    *table = (struct alias){0};
}

SIMD_CLONES
void alias_draw_each(const struct alias *table, const uint64_t *words, size_t n, uint32_t first,
                     uint32_t *out)
{
    const struct alias t = *table;
    for (size_t i = 0; i < n; i++)
        out[i] = first + alias_draw(&t, words[i]);
}

void alias_probabilities(const struct alias *table, double *prob)
{
    for (uint32_t i = 0; i < table->n; i++)
        prob[i] = 0;
    for (uint32_t i = 0; i < table->n; i++) {
        double keep = (double)(table->slots[i] & 0xffffffff) / SCALE;
        prob[i] += keep / table->n;
        prob[table->slots[i] >> 32] += (1.0 - keep) / table->n;
    }
}
