// SPDX-License-Identifier: Apache-2.0
// alias: draw from a finite distribution with one word and one look-up.
//
// Walker's alias method (Walker 1977, table set up after Vose 1991). The word times the number of
// slots gives the slot in the high half of the product and a fraction in the low half, which picks
// between the slot and its alias. A slot's probability is a multiple of 2^-32 / n, so each outcome
// is drawn with its weight to within n_aliased 2^-33 / n, far below what any run can see.
//
//     struct alias table;
//     alias_init(&table, weights, n);
//     uint32_t k = alias_draw(&table, word); // 0 .. n - 1
#ifndef TRACES_ALIAS_H
#define TRACES_ALIAS_H

#include <stddef.h>
#include <stdint.h>

struct alias {
    // Owned. Of each slot the low half is `keep`: the slot itself when the fraction is below keep /
    // 2^32; else the high half, which is the slot itself when it has no alias.
    uint64_t *slots;
    uint32_t n;
};

// A table for weights[0 .. n): finite, >= 0, not all zero; they need not add up to 1. n >= 1.
void alias_init(struct alias *table, const double *weights, uint32_t n);
// The table alone, for who draws another way: share[i] is the weight of i over the mean weight.
// After it slot i keeps itself with probability share[i] and else gives other[i]; where other[i] is
// i, share[i] differs from 1 by rounding only.
void alias_pair(double *share, uint32_t *other, uint32_t n);
void alias_release(struct alias *table); // twice: no effect

// The product is taken by halves of the word, which vectors can do, and the choice made without a
// branch, which would be guessed wrong as often as the rarer of the two is drawn.
static inline uint32_t alias_draw(const struct alias *table, uint64_t word)
{
    uint64_t low = (word & 0xffffffff) * table->n;
    uint64_t product = (word >> 32) * table->n + (low >> 32), slot = product >> 32;
    uint64_t entry = table->slots[slot];
    return (uint32_t)((product & 0xffffffff) < (entry & 0xffffffff) ? slot : entry >> 32);
}

// first + what each of n words draws.
void alias_draw_each(const struct alias *table, const uint64_t *words, size_t n, uint32_t first,
                     uint32_t *out);

// The probability that the table gives to each outcome, exactly as drawn, into prob[0 .. n).
void alias_probabilities(const struct alias *table, double *prob);

#endif
