// SPDX-License-Identifier: Apache-2.0
// How a record becomes bytes, and is made of them again. In this order: the shape; the tallies that
// counted something, each with its number and the part of its histogram that is not empty; the
// groups; the servers that counted something, each with its number; the queries taken in; the
// samples; the slowest.
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "results/record.h"

// The structs lie in the bytes as they are, so none may have a gap.
static_assert(sizeof(struct record_shape) == 40, "shape without padding");
static_assert(sizeof(struct group_tally) == (5 * N_PARTS + 1) * sizeof(int64_t),
              "group_tally without padding");
static_assert(sizeof(struct server_total) == 7 * sizeof(int64_t), "server_total without padding");
static_assert(sizeof(struct query_sample) == 104, "query_sample without padding");

// Behind the last tally, the last server.
#define NO_MORE UINT32_MAX

// The members before the histogram, which have no gap either.
#define TALLY_BYTES offsetof(struct tally, hist)
static_assert(TALLY_BYTES == (TALLY_SUMS + 3) * sizeof(uint64_t), "tally without padding");

static bool is_zero(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    return b[0] == 0 && memcmp(b, b + 1, n - 1) == 0;
}

static void save_tallies(const struct record *record, struct blob *blob)
{
    uint32_t range[2];
    for (size_t i = 0; i < record_n_tallies(&record->shape); i++) {
        const struct tally *tally = &record->tallies[i];
        if (is_zero(tally, TALLY_BYTES))
            continue;
        blob_put_u32(blob, (uint32_t)i);
        blob_put(blob, tally, TALLY_BYTES);
        if (!record_tally_range(tally, &range[0], &range[1]))
            continue;
        blob_put(blob, range, sizeof range);
        blob_put(blob, tally->hist + range[0], (range[1] - range[0] + 1) * sizeof *tally->hist);
    }
    blob_put_u32(blob, NO_MORE);
}

static void save_servers(const struct record *record, struct blob *blob)
{
    for (uint32_t i = 0; i < record->shape.n_servers; i++) {
        const struct server_total *server = &record->servers[i];
        if (is_zero(server, sizeof *server))
            continue;
        blob_put_u32(blob, i);
        blob_put(blob, server, sizeof *server);
    }
    blob_put_u32(blob, NO_MORE);
}

static void save_queries(const struct query_sample *queries, size_t n, struct blob *blob)
{
    blob_put_u64(blob, n);
    blob_put(blob, queries, n * sizeof *queries);
}

void record_save(const struct record *record, struct blob *blob)
{
    blob_put(blob, &record->shape, sizeof record->shape);
    save_tallies(record, blob);
    blob_put(blob, record->groups, record_n_group_tallies(&record->shape) * sizeof *record->groups);
    save_servers(record, blob);
    blob_put(blob, record->n_generated, record->shape.n_services * sizeof *record->n_generated);
    const struct slowest *slowest = record->slowest;
    save_queries(record->samples, record->n_samples, blob);
    save_queries(slowest ? slowest->v : NULL, slowest ? slowest->n : 0, blob);
}

// The part of a histogram that was saved; its counts must be those of the tally's queries, none of
// them later than the longest latency (record_tally_range() builds on that).
static int load_hist(struct tally *tally, struct blob_reader *reader)
{
    uint32_t range[2];
    uint64_t n = 0;
    blob_get(reader, range, sizeof range);
    if (range[0] > range[1] || range[1] != hist_index(tally->latency_max_ns))
        return blob_refuse(reader);
    blob_get(reader, tally->hist + range[0], (range[1] - range[0] + 1) * sizeof *tally->hist);
    for (uint32_t i = range[0]; i <= range[1]; i++)
        n += tally->hist[i];
    return n == tally->n_queries ? 0 : blob_refuse(reader);
}

static int load_tallies(struct record *record, struct blob_reader *reader)
{
    for (uint32_t i, least = 0; (i = blob_get_u32(reader)) != NO_MORE; least = i + 1) {
        if (i < least || i >= record_n_tallies(&record->shape))
            return blob_refuse(reader);
        struct tally *tally = &record->tallies[i];
        blob_get(reader, tally, TALLY_BYTES);
        if (tally->n_queries > 0 && load_hist(tally, reader) != 0)
            return -1;
        if (reader->short_of)
            return -1;
    }
    return 0;
}

static int load_servers(struct record *record, struct blob_reader *reader)
{
    for (uint32_t i, least = 0; (i = blob_get_u32(reader)) != NO_MORE; least = i + 1) {
        if (i < least || i >= record->shape.n_servers)
            return blob_refuse(reader);
        blob_get(reader, &record->servers[i], sizeof *record->servers);
        if (reader->short_of)
            return -1;
    }
    return 0;
}

static bool is_plausible(const struct query_sample *s, const struct record_shape *shape)
{
    return s->latency_ns >= 0 && s->arrive_ns >= 0 && s->arrive_ns < shape->end_ns &&
           s->server < shape->n_servers && s->service < shape->n_services && s->path < N_PATHS;
}

// Sample or slowest.
static int load_queries(struct record *record, bool slow, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    if (n > blob_left(reader) / sizeof *record->samples)
        return blob_refuse(reader);
    for (uint64_t i = 0; i < n; i++) {
        struct query_sample sample;
        blob_get(reader, &sample, sizeof sample);
        if (!is_plausible(&sample, &record->shape))
            return blob_refuse(reader);
        if (slow)
            record_add_slow(record, sample);
        else
            record_add_sample(record, &sample);
    }
    return 0;
}

static bool counts_fit(const struct tally *a, const struct tally *b)
{
    uint32_t first, last, sum;
    if (!record_tally_range(b, &first, &last))
        return true;
    for (uint32_t i = first; i <= last; i++) {
        if (__builtin_add_overflow(a->hist[i], b->hist[i], &sum))
            return false;
    }
    return true;
}

// Sums have 64 bits and are added as they are; a bucket has only 32.
static bool fits(const struct record *record, const struct record *from)
{
    bool fit = true;
    for (size_t i = 0; i < record_n_tallies(&record->shape); i++)
        fit &= counts_fit(&record->tallies[i], &from->tallies[i]);
    return fit;
}

int record_load(struct record *record, struct blob_reader *reader, struct err *err)
{
    struct record_shape shape;
    blob_get(reader, &shape, sizeof shape);
    if (reader->short_of || memcmp(&shape, &record->shape, sizeof shape) != 0)
        return err_set(err, ERR_FAIL, "damaged state: what was measured has another shape");
    // Into a record of its own first: after an error nothing has changed.
    struct record *saved = record_create(&shape);
    int rc = load_tallies(saved, reader);
    if (rc == 0) {
        blob_get(reader, saved->groups, record_n_group_tallies(&shape) * sizeof *saved->groups);
        rc = load_servers(saved, reader);
        blob_get(reader, saved->n_generated, shape.n_services * sizeof *saved->n_generated);
    }
    if (rc == 0)
        rc = load_queries(saved, false, reader);
    if (rc == 0)
        rc = load_queries(saved, true, reader);
    if (rc != 0 || reader->short_of)
        rc = err_set(err, ERR_FAIL, "damaged state: what was measured");
    else if (!fits(record, saved))
        rc = err_set(err, ERR_FAIL,
                     "a time bin holds 2^32 or more queries of one latency: use more bins");
    else
        record_merge(record, saved);
    record_destroy(saved);
    return rc;
}
