// SPDX-License-Identifier: Apache-2.0
#include "results/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint32_t n_measure_bins(const struct record_shape *shape)
{
    return shape->n_bins - (shape->warmup_ns > 0);
}

struct record *record_create(const struct record_shape *shape)
{
    assert(shape->n_services > 0 && n_measure_bins(shape) > 0);
    assert(shape->warmup_ns >= 0 && shape->warmup_ns < shape->end_ns);
    struct record *record = mem_calloc(1, sizeof *record);
    record->shape = *shape;
    record->tallies = mem_calloc(record_n_tallies(shape), sizeof *record->tallies);
    record->groups = mem_calloc(record_n_group_tallies(shape), sizeof *record->groups);
    record->servers = mem_calloc(shape->n_servers, sizeof *record->servers);
    record->n_generated = mem_calloc(shape->n_services, sizeof *record->n_generated);
    // All of what follows a given warm-up is measured, so one bin stands for it.
    if (shape->n_slowest > 0)
        record->slowest =
            slowest_create(shape->n_slowest, shape->warmup_ns > 0 ? 1 : shape->n_bins);
    uint32_t *counts = mem_calloc(record_n_tallies(shape), HIST_N_BUCKETS * sizeof *counts);
    for (size_t i = 0; i < record_n_tallies(shape); i++)
        record->tallies[i].hist = counts + i * HIST_N_BUCKETS;
    return record;
}

// From the bucket of the longest latency downwards, until all queries are found: above there is
// nothing, and below there is nothing more, so 160 kB of zeros are never looked at.
bool record_tally_range(const struct tally *tally, uint32_t *first, uint32_t *last)
{
    if (tally->n_queries == 0)
        return false;
    uint32_t end = hist_index(tally->latency_max_ns), i = end;
    uint64_t n = tally->hist[i];
    while (i > 0 && n < tally->n_queries)
        n += tally->hist[--i];
    assert(n == tally->n_queries);
    *first = i;
    *last = end;
    return true;
}

// Writing zeros over all histograms would make every page of them real; only what was counted in is
// written to.
void record_clear(struct record *record)
{
    uint32_t first, last;
    for (size_t i = 0; i < record_n_tallies(&record->shape); i++) {
        struct tally *tally = &record->tallies[i];
        uint32_t *hist = tally->hist;
        if (record_tally_range(tally, &first, &last))
            memset(hist + first, 0, (last - first + 1) * sizeof *hist);
        *tally = (struct tally){.hist = hist};
    }
    memset(record->groups, 0, record_n_group_tallies(&record->shape) * sizeof *record->groups);
    memset(record->servers, 0, record->shape.n_servers * sizeof *record->servers);
    memset(record->n_generated, 0, record->shape.n_services * sizeof *record->n_generated);
    record->n_samples = 0;
    slowest_clear(record->slowest);
}

bool record_reshape(struct record *record, const struct record_shape *shape)
{
    const struct record_shape *old = &record->shape;
    if (shape->n_services != old->n_services || shape->n_groups != old->n_groups ||
        shape->n_bins != old->n_bins || shape->n_servers != old->n_servers ||
        shape->n_slowest > 0 || old->n_slowest > 0)
        return false;
    // Where bins begin may change: nothing in the record depends on it once it is empty.
    assert(n_measure_bins(shape) > 0 && shape->warmup_ns < shape->end_ns);
    record_clear(record);
    record->shape = *shape;
    return true;
}

void record_destroy(struct record *record)
{
    if (!record)
        return;
    mem_free(record->tallies[0].hist); // the one block of all histograms
    mem_free(record->tallies);
    mem_free(record->groups);
    mem_free(record->servers);
    mem_free(record->n_generated);
    mem_free(record->samples);
    slowest_destroy(record->slowest);
    mem_free(record);
}

// Bin k of n over [0, length) starts at floor(k length / n), in 128 bits so that nothing overflows.
int64_t record_bin_start_ns(const struct record_shape *shape, uint32_t bin)
{
    assert(bin <= shape->n_bins);
    uint32_t given = shape->warmup_ns > 0;
    if (bin < given)
        return 0;
    __int128 length = shape->end_ns - shape->warmup_ns;
    return shape->warmup_ns + (int64_t)(length * (bin - given) / n_measure_bins(shape));
}

// The largest k with floor(k length / n) <= t, solved for k in integers.
uint32_t record_bin_of(const struct record_shape *shape, int64_t t_ns)
{
    assert(t_ns >= 0 && t_ns < shape->end_ns);
    if (t_ns < shape->warmup_ns)
        return 0;
    int64_t length = shape->end_ns - shape->warmup_ns, n = n_measure_bins(shape), k;
    int64_t until = t_ns - shape->warmup_ns + 1;
    if (until <= INT64_MAX / n) // a division of 64 bits takes a fraction of the time
        k = (until * n - 1) / length;
    else
        k = (int64_t)(((__int128)until * n - 1) / length);
    return (uint32_t)k + (shape->warmup_ns > 0);
}

struct record_fates record_fates(const struct record *record, uint32_t service)
{
    struct record_fates fates = {.n_generated = record->n_generated[service]};
    for (uint32_t bin = 0; bin < record->shape.n_bins; bin++)
        for (int path = 0; path < N_PATHS; path++) {
            const struct tally *tally = record_tally(record, bin, service, (enum record_path)path);
            fates.n_answered += tally->n_queries - tally->n_in_flight;
            fates.n_lost += tally->n_lost;
            fates.n_in_flight += tally->n_in_flight + tally->n_pending;
        }
    return fates;
}

void record_add_sample(struct record *record, const struct query_sample *sample)
{
    if (record->n_samples == record->samples_cap) {
        record->samples_cap = record->samples_cap ? 2 * record->samples_cap : 256;
        record->samples = mem_realloc(record->samples, record->samples_cap, sizeof *sample);
    }
    record->samples[record->n_samples++] = *sample;
}

bool record_wants_slow(const struct record *record, uint32_t bin, struct query_sample *query)
{
    if (!record->slowest || query->arrive_ns < record->shape.warmup_ns)
        return false;
    query->bin = record->shape.warmup_ns > 0 ? 0 : bin;
    return slowest_wants(record->slowest, query);
}

void record_add_slow(struct record *record, struct query_sample query)
{
    if (record_wants_slow(record, record_bin_of(&record->shape, query.arrive_ns), &query))
        slowest_add(record->slowest, &query);
}

// Sums of n words, wherever they lie in their structs; signed ones have the same bits.
static void add_words(void *into, const void *from, size_t n)
{
    uint64_t *a = into;
    const uint64_t *b = from;
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}

static void keep_larger(int64_t *a, int64_t b)
{
    *a = b > *a ? b : *a;
}

void record_add_tally(struct tally *a, const struct tally *b)
{
    const size_t at = offsetof(struct tally, n_queries);
    add_words((char *)a + at, (const char *)b + at, TALLY_SUMS);
    a->latency_sq_sum_ns2 += b->latency_sq_sum_ns2;
    keep_larger(&a->latency_max_ns, b->latency_max_ns);
}

static void add_hist(struct tally *a, const struct tally *b)
{
    uint32_t first, last;
    if (!record_tally_range(b, &first, &last))
        return;
    for (uint32_t i = first; i <= last; i++) {
        if (b->hist[i] != 0) // a page that nobody counted in stays untouched
            a->hist[i] += b->hist[i];
    }
}

void record_merge(struct record *into, const struct record *from)
{
    const struct record_shape *shape = &into->shape;
    assert(shape->n_bins == from->shape.n_bins && shape->n_services == from->shape.n_services);
    assert(shape->n_groups == from->shape.n_groups && shape->n_servers == from->shape.n_servers);
    for (size_t i = 0; i < record_n_tallies(shape); i++) {
        record_add_tally(&into->tallies[i], &from->tallies[i]);
        add_hist(&into->tallies[i], &from->tallies[i]);
    }
    for (size_t i = 0; i < record_n_group_tallies(shape); i++) {
        add_words(&into->groups[i], &from->groups[i], GROUP_SUMS);
        for (int part = 0; part < N_PARTS; part++)
            keep_larger(&into->groups[i].drain_max_ns[part], from->groups[i].drain_max_ns[part]);
    }
    for (size_t i = 0; i < shape->n_servers; i++)
        add_words(&into->servers[i], &from->servers[i], SERVER_SUMS);
    add_words(into->n_generated, from->n_generated, shape->n_services);
    for (size_t i = 0; i < from->n_samples; i++)
        record_add_sample(into, &from->samples[i]);
    for (size_t i = 0; from->slowest && i < from->slowest->n; i++)
        record_add_slow(into, from->slowest->v[i]);
}

// Of two samples that arrived in the same nanosecond the cell decides, which no two ranks share:
// the order is total, and the same however the run was cut into ranks.
static int compare_samples(const void *left, const void *right)
{
    const struct query_sample *a = left, *b = right;
    if (a->arrive_ns != b->arrive_ns)
        return a->arrive_ns < b->arrive_ns ? -1 : 1;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

void record_sort_samples(struct record *record)
{
    if (record->n_samples > 1)
        qsort(record->samples, record->n_samples, sizeof *record->samples, compare_samples);
    if (record->slowest)
        slowest_sort(record->slowest);
}
