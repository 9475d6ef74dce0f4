// SPDX-License-Identifier: Apache-2.0
#include "native/inputs.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

// Rows of the ring hold four times a last-level cache of 32 MB; requests of the usual largest size
// do not wrap within themselves.
#define ROW_BYTES 128e6
#define FEATURE_BYTES 16e6
#define ITEMS_LEAST 2048
#define ITEMS_MOST 131072

static uint64_t ring_items(double bytes, double bytes_per_item)
{
    double items = bytes_per_item > 0 ? bytes / bytes_per_item : 1;
    return (uint64_t)fmin(fmax(ceil(items), ITEMS_LEAST), ITEMS_MOST);
}

// Draws of one table: lookup k of the item at place i is number i * lookups + k of its stream.
struct draws {
    uint32_t *halves; // [n_items * lookups], rounded up to whole blocks
    uint32_t lookups, n_rows, first_row;
};

enum { HALVES_PER_BLOCK = 4 };

static void draw(struct draws *draws, uint64_t n_items, uint64_t seed, uint64_t entity)
{
    uint64_t n_blocks = (n_items * draws->lookups + HALVES_PER_BLOCK - 1) / HALVES_PER_BLOCK;
    struct rng_stream stream = rng_stream(seed, RNG_INPUTS, entity);
    uint64_t *words = mem_alloc(n_blocks * 2 * sizeof *words);
    rng_fill(&stream, 0, n_blocks, words);
    draws->halves = (uint32_t *)words;
}

// To column `column` of every item.
static void place(struct inputs *inputs, const struct draws *draws, uint32_t column,
                  uint32_t lookup)
{
    for (uint64_t i = 0; i < inputs->n_items; i++)
        inputs->rows[i * inputs->lookups_per_item + column] =
            draws->first_row + rng_below(draws->halves[i * draws->lookups + lookup], draws->n_rows);
}

static void draw_rows(struct inputs *inputs, enum network_who who, const struct network *network,
                      const struct tables *tables, uint64_t seed)
{
    uint32_t n = inputs->lookups_per_item;
    uint32_t *table = mem_calloc(n, sizeof *table), *lookup = mem_calloc(n, sizeof *lookup);
    network_lookups(network, who, table, lookup);
    for (uint32_t t = 0; t < network->n_tables; t++) {
        struct draws draws = {.lookups = network_table_lookups(&network->tables[t], who),
                              .n_rows = tables_n_rows(tables, t),
                              .first_row = tables->first_row[t]};
        draw(&draws, inputs->n_items, seed, RNG_INPUTS_ENTITY(who, t));
        for (uint32_t column = 0; column < n; column++)
            if (table[column] == t)
                place(inputs, &draws, column, lookup[column]);
        mem_free(draws.halves);
    }
    mem_free(table);
    mem_free(lookup);
}

// Uniform in +-1.
static void draw_features(struct inputs *inputs, uint64_t seed)
{
    struct rng_stream stream = rng_stream(seed, RNG_INPUTS, 0);
    uint64_t n = inputs->n_featured * inputs->n_features;
    uint64_t *words = mem_alloc((n + 1) * sizeof *words);
    rng_fill(&stream, 0, (n + 1) / 2, words);
    for (uint64_t i = 0; i < n; i++)
        inputs->features[i] = (float)(2 * rng_u01(words[i]) - 1);
    mem_free(words);
}

// What follows the end of a ring is what follows its beginning.
static void close_ring(void *ring, uint64_t n_items, uint64_t n_more, size_t item_bytes)
{
    for (uint64_t i = 0; i < n_more; i++)
        memcpy((char *)ring + (n_items + i) * item_bytes, (char *)ring + i % n_items * item_bytes,
               item_bytes);
}

void inputs_create_of(struct inputs *inputs, enum network_who who, const struct network *network,
                      const struct tables *tables, uint32_t most_items, uint64_t seed)
{
    uint32_t n_lookups = network_n_lookups(network, who);
    uint32_t n_features = who == NETWORK_ITEMS ? network->features : 0;
    double row_bytes = (double)n_lookups * (double)tables->row_bytes;
    size_t rows_size = n_lookups * sizeof(uint32_t), features_size = n_features * sizeof(float);
    *inputs = (struct inputs){.lookups_per_item = n_lookups,
                              .n_features = n_features,
                              .n_items = ring_items(ROW_BYTES, row_bytes),
                              .n_featured = ring_items(FEATURE_BYTES, (double)features_size)};
    inputs->rows = mem_huge((inputs->n_items + most_items) * rows_size);
    inputs->features = mem_huge((inputs->n_featured + most_items) * features_size);
    draw_rows(inputs, who, network, tables, seed);
    draw_features(inputs, seed);
    close_ring(inputs->rows, inputs->n_items, most_items, rows_size);
    close_ring(inputs->features, inputs->n_featured, most_items, features_size);
}

void inputs_create(struct inputs *inputs, const struct network *network,
                   const struct tables *tables, uint32_t most_items, uint64_t seed)
{
    inputs_create_of(inputs, NETWORK_ITEMS, network, tables, most_items, seed);
}

void inputs_release(struct inputs *inputs)
{
    if (!inputs)
        return;
    mem_free(inputs->rows);
    mem_free(inputs->features);
    memset(inputs, 0, sizeof *inputs);
}
