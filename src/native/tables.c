// SPDX-License-Identifier: Apache-2.0
#include "native/tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/memroom.h"
#include "base/rng.h"
#include "base/simd.h"
#include "native/narrow.h"

// ---- what they hold -----------------------------------------------------------------------------

enum { CHUNK_BLOCKS = 2048, NUMBERS_PER_BLOCK = 8 }; // of Philox: two words, four numbers each

typedef int16_t draws __attribute__((may_alias));

SIMD_CLONES static void spread(const draws *draws, float scale, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = scale * ((float)draws[i] + 0.5f);
}

// Rows one after another, in the tables' format.
static void store(const struct tables *tables, void *to, const float *values, uint64_t n_rows)
{
    if (tables->format == FORMAT_BF16)
        narrow_bf16(to, values, n_rows * tables->dim);
    for (uint64_t i = 0; tables->format == FORMAT_INT8 && i < n_rows; i++) {
        int8_t *row = (int8_t *)to + i * tables->row_bytes;
        float scale;
        int32_t sum;
        narrow_weights(row, &scale, &sum, values + i * tables->dim, tables->dim);
        memcpy(row + tables->dim, &scale, sizeof scale);
    }
}

// Rows are drawn by so many that whole blocks are used up.
static void fill(const struct tables *tables, uint32_t table, const struct rng_stream *stream,
                 float bound)
{
    uint64_t dim = tables->dim, n_rows = tables_n_rows(tables, table);
    uint64_t most = 1 + CHUNK_BLOCKS / dim; // times as many rows as a block has numbers
    uint64_t *words = mem_alloc(2 * most * dim * sizeof *words);
    float *values = mem_alloc(NUMBERS_PER_BLOCK * most * dim * sizeof *values);
    for (uint64_t at = 0; at < n_rows; at += NUMBERS_PER_BLOCK * most) {
        uint64_t some =
            n_rows - at < NUMBERS_PER_BLOCK * most ? n_rows - at : NUMBERS_PER_BLOCK * most;
        char *to = (char *)tables->values + (tables->first_row[table] + at) * tables->row_bytes;
        float *wide = tables->format == FORMAT_FP32 ? (float *)(void *)to : values;
        rng_fill(stream, at * dim / NUMBERS_PER_BLOCK,
                 (some * dim + NUMBERS_PER_BLOCK - 1) / NUMBERS_PER_BLOCK, words);
        spread((const draws *)words, bound / 32768, wide, some * dim);
        store(tables, to, wide, some);
    }
    mem_free(words);
    mem_free(values);
}

// Variance of one number: bound^2 / 3; of a sum of `pooled`: 1.
static void fill_all(struct tables *tables, const struct network *network, uint64_t seed)
{
    for (uint32_t t = 0; t < tables->n_tables; t++) {
        struct rng_stream stream = rng_stream(seed, RNG_ROWS, t);
        fill(tables, t, &stream, sqrtf(3 / (float)network->tables[t].pooled));
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

int tables_create(struct tables *tables, const struct network *network, enum model_format format,
                  double most_bytes, uint64_t seed, struct err *err)
{
    double row_bytes = (double)narrow_row_bytes(format, network->dim), rows = 0;
    double full = full_rows(network) * row_bytes;
    double frac = most_bytes > 0 && full > most_bytes ? most_bytes / full : 1;
    for (uint32_t t = 0; t < network->n_tables; t++)
        rows += held_rows(network, t, frac);
    if (check_room(rows, rows * row_bytes, err) != 0)
        return -1;
    *tables = (struct tables){.n_tables = network->n_tables,
                              .dim = network->dim,
                              .format = format,
                              .row_bytes = (size_t)row_bytes,
                              .bytes = rows * row_bytes,
                              .frac = frac};
    tables->first_row = mem_calloc(network->n_tables + 1, sizeof *tables->first_row);
    for (uint32_t t = 0; t < network->n_tables; t++)
        tables->first_row[t + 1] = tables->first_row[t] + (uint32_t)held_rows(network, t, frac);
    tables->values = mem_huge((size_t)tables->bytes);
    fill_all(tables, network, seed);
    tables->huge_pages =
        huge_bytes((char *)tables->values + (size_t)tables->bytes / 2) * 2 >= tables->bytes &&
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
