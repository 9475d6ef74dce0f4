// SPDX-License-Identifier: Apache-2.0
#include "results/file/content_digest.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

// One NaN stands for all: which one an operation gives depends on the processor.
#define ONE_NAN UINT64_C(0x7ff8000000000000)
#define BLOCK_VALUES 4096

struct item {
    char *path; // owned
    XXH128_canonical_t hash;
};

struct content_digest {
    XXH3_state_t *state; // of the item being hashed
    struct item *items;
    size_t n, cap;
};

size_t content_digest_width(enum content_type type)
{
    return type == CONTENT_I32 || type == CONTENT_U32 ? 4 : 8;
}

struct content_digest *content_digest_create(void)
{
    struct content_digest *d = mem_calloc(1, sizeof *d);
    // XXH3's own allocation is aligned as its vector code needs, which mem_alloc() is not.
    d->state = XXH3_createState();
    return d;
}

bool content_digest_counts(const char *path)
{
    if (strncmp(path, "/@", 2) == 0)
        return path[2] != '_' && strcmp(path, "/@content_digest") != 0 &&
               strcmp(path, "/@program_version") != 0;
    return strcmp(path, "/run") != 0 && strncmp(path, "/run/", 5) != 0;
}

static void add_u64(struct content_digest *d, uint64_t value)
{
    uint64_t le = htole64(value);
    XXH3_128bits_update(d->state, &le, sizeof le);
}

// What stands before the values; returns how many there are.
static uint64_t begin(struct content_digest *d, const char *path, const char *type, int n_dims,
                      const uint64_t *sizes)
{
    uint64_t n = 1;
    XXH3_128bits_reset(d->state);
    XXH3_128bits_update(d->state, path, strlen(path) + 1);
    XXH3_128bits_update(d->state, type, strlen(type) + 1);
    add_u64(d, (uint64_t)n_dims);
    for (int i = 0; i < n_dims; i++) {
        add_u64(d, sizes[i]);
        n *= sizes[i];
    }
    return n;
}

static void end(struct content_digest *d, const char *path)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 64;
        d->items = mem_realloc(d->items, d->cap, sizeof *d->items);
    }
    struct item *item = &d->items[d->n++];
    item->path = mem_strdup(path);
    XXH128_canonicalFromHash(&item->hash, XXH3_128bits_digest(d->state));
}

static void add_words(struct content_digest *d, bool real, uint64_t n, const unsigned char *values)
{
    uint64_t block[BLOCK_VALUES];
    for (uint64_t done = 0; done < n; done += BLOCK_VALUES) {
        size_t count = n - done < BLOCK_VALUES ? (size_t)(n - done) : BLOCK_VALUES;
        memcpy(block, values + done * sizeof *block, count * sizeof *block);
        for (size_t i = 0; i < count; i++) {
            double value;
            memcpy(&value, &block[i], sizeof value);
            block[i] = htole64(real && isnan(value) ? ONE_NAN : block[i]);
        }
        XXH3_128bits_update(d->state, block, count * sizeof *block);
    }
}

static void add_halves(struct content_digest *d, uint64_t n, const unsigned char *values)
{
    for (uint64_t i = 0; i < n; i++) {
        uint32_t value;
        memcpy(&value, values + i * sizeof value, sizeof value);
        value = htole32(value);
        XXH3_128bits_update(d->state, &value, sizeof value);
    }
}

static void add_texts(struct content_digest *d, uint64_t n, const char *const *texts)
{
    for (uint64_t i = 0; i < n; i++) {
        const char *text = texts[i] ? texts[i] : "";
        add_u64(d, strlen(text));
        XXH3_128bits_update(d->state, text, strlen(text));
    }
}

void content_digest_add(struct content_digest *d, const char *path, enum content_type type,
                        int n_dims, const uint64_t *sizes, const void *values)
{
    static const char *const names[] = {
        [CONTENT_I32] = "i4", [CONTENT_U32] = "u4", [CONTENT_I64] = "i8",
        [CONTENT_U64] = "u8", [CONTENT_F64] = "f8", [CONTENT_TEXT] = "s"};
    if (!content_digest_counts(path))
        return;
    uint64_t n = begin(d, path, names[type], n_dims, sizes);
    if (type == CONTENT_TEXT)
        add_texts(d, n, values);
    else if (content_digest_width(type) == 4)
        add_halves(d, n, values);
    else
        add_words(d, type == CONTENT_F64, n, values);
    end(d, path);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

static void release(struct content_digest *d)
{
    for (size_t i = 0; i < d->n; i++)
        mem_free(d->items[i].path);
    mem_free(d->items);
    XXH3_freeState(d->state);
    mem_free(d);
}

void content_digest_finish(struct content_digest *d, char hex[CONTENT_DIGEST_CHARS])
{
    XXH128_canonical_t all;
    if (d->n > 0)
        qsort(d->items, d->n, sizeof *d->items, by_path);
    XXH3_128bits_reset(d->state);
    for (size_t i = 0; i < d->n; i++)
        XXH3_128bits_update(d->state, &d->items[i].hash, sizeof d->items[i].hash);
    XXH128_canonicalFromHash(&all, XXH3_128bits_digest(d->state));
    for (size_t i = 0; hex && i < sizeof all.digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", all.digest[i]);
    release(d);
}
