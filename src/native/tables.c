// SPDX-License-Identifier: Apache-2.0
#include "native/tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/memroom.h"
#include "base/rng.h"
#include "base/simd.h"

// ---- what they hold -----------------------------------------------------------------------------

enum { CHUNK_BLOCKS = 2048, NUMBERS_PER_BLOCK = 8 }; // of Philox: two words, four numbers each

SIMD_CLONES static void spread(const int16_t *draws, float scale, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = scale * ((float)draws[i] + 0.5f);
}

static void fill(const struct rng_stream *stream, float bound, float *values, uint64_t n)
{
    uint64_t words[2 * CHUNK_BLOCKS];
    const uint64_t chunk = CHUNK_BLOCKS * NUMBERS_PER_BLOCK;
    for (uint64_t at = 0; at < n; at += chunk) {
        uint64_t some = n - at < chunk ? n - at : chunk;
        int16_t draws[CHUNK_BLOCKS * NUMBERS_PER_BLOCK];
        rng_fill(stream, at / NUMBERS_PER_BLOCK, (some + NUMBERS_PER_BLOCK - 1) / NUMBERS_PER_BLOCK,
                 words);
        memcpy(draws, words, sizeof draws);
        spread(draws, bound / 32768, values + at, some);
    }
}

// Variance of one number: bound^2 / 3; of a sum of `pooled`: 1.
static void fill_all(struct tables *tables, const struct network *network, uint64_t seed)
{
    for (uint32_t t = 0; t < tables->n_tables; t++) {
        struct rng_stream stream = rng_stream(seed, RNG_ROWS, t);
        fill(&stream, sqrtf(3 / (float)network->tables[t].pooled),
             tables->values + (uint64_t)tables->first_row[t] * tables->dim,
             (uint64_t)tables_n_rows(tables, t) * tables->dim);
    }
}

// ---- where it is held ---------------------------------------------------------------------------

// Bytes of the mapping around `address` that are in huge pages, as the kernel tells; 0 where it
// does not.
static double huge_bytes(const void *address)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    double found = 0;
    while (file && fgets(line, sizeof line, file)) {
        unsigned long from, to, kilobytes;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kilobytes) == 1)
            found += 1024 * (double)kilobytes;
    }
    if (file)
        fclose(file);
    return found;
}

// ---- how much -----------------------------------------------------------------------------------

static double full_rows(const struct network *network)
{
    double rows = 0;
    for (uint32_t t = 0; t < network->n_tables; t++)
        rows += network->tables[t].rows;
    return rows;
}

static double held_rows(const struct network *network, uint32_t table, double frac)
{
    return fmax(1, floor(network->tables[table].rows * frac));
}

static int check_room(double rows, double bytes, struct err *err)
{
    double room = fmin(memroom_machine_bytes(), memroom_address_bytes());
    if (bytes > room)
        return err_set(err, ERR_FAIL,
                       "tables of %.3g GB: expected at most the %.3g GB of memory that are free",
                       bytes / 1e9, room / 1e9);
    if (rows > UINT32_MAX)
        return err_set(err, ERR_FAIL, "tables of %g rows: expected at most %u in all", rows,
                       UINT32_MAX);
    return 0;
}

int tables_create(struct tables *tables, const struct network *network, double most_bytes,
                  uint64_t seed, struct err *err)
{
    double row_bytes = (double)network->dim * sizeof(float), rows = 0;
    double full = full_rows(network) * row_bytes;
    double frac = most_bytes > 0 && full > most_bytes ? most_bytes / full : 1;
    for (uint32_t t = 0; t < network->n_tables; t++)
        rows += held_rows(network, t, frac);
    if (check_room(rows, rows * row_bytes, err) != 0)
        return -1;
    *tables = (struct tables){.n_tables = network->n_tables,
                              .dim = network->dim,
                              .bytes = rows * row_bytes,
                              .frac = frac};
    tables->first_row = mem_calloc(network->n_tables + 1, sizeof *tables->first_row);
    for (uint32_t t = 0; t < network->n_tables; t++)
        tables->first_row[t + 1] = tables->first_row[t] + (uint32_t)held_rows(network, t, frac);
    tables->values = mem_huge((size_t)tables->bytes);
    fill_all(tables, network, seed);
    tables->huge_pages =
        huge_bytes(tables->values + (size_t)tables->bytes / 8) * 2 >= tables->bytes &&
        tables->bytes > 0;
    return 0;
}

void tables_release(struct tables *tables)
{
    if (!tables)
        return;
    mem_free(tables->values);
    mem_free(tables->first_row);
    memset(tables, 0, sizeof *tables);
}
