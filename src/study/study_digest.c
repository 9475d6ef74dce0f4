// SPDX-License-Identifier: Apache-2.0
#include "study/study_digest.h"

#include <string.h>
#include <xxhash.h>

#include "base/blob.h"
#include "base/mem.h"
#include "models/cost_table.h"
#include "study/study_print.h"
#include "traces/trace.h"

// Each part goes in as its length and its hash, so that no two parts run into each other and a long
// trace is not copied.
static void add(struct blob *parts, const void *bytes, size_t n)
{
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, n));
    blob_put_u64(parts, n);
    blob_put(parts, hash.digest, sizeof hash.digest);
}

static void add_trace(struct blob *parts, const struct trace *trace)
{
    if (!trace)
        return;
    add(parts, trace->arrive_ns, trace->n * sizeof *trace->arrive_ns);
    if (trace->size_items)
        add(parts, trace->size_items, trace->n * sizeof *trace->size_items);
    if (trace->history_items)
        add(parts, trace->history_items, trace->n * sizeof *trace->history_items);
}

static void add_reals(struct blob *parts, const struct reals *reals)
{
    if (reals->n > 0)
        add(parts, reals->v, reals->n * sizeof *reals->v);
}

// Sizes that keys describe are in the text already.
static void add_sizes(struct blob *parts, const struct size_config *config,
                      const struct qsize *sizes)
{
    if (!sizes || !schema_find(size_types[config->distribution]->fields, "file"))
        return;
    uint32_t most = qsize_max_items(sizes);
    double *frac = mem_calloc((size_t)most + 1, sizeof *frac);
    for (uint32_t n = 0; n <= most; n++)
        frac[n] = qsize_pmf(sizes, n);
    add(parts, frac, ((size_t)most + 1) * sizeof *frac);
    mem_free(frac);
}

static void add_table(struct blob *parts, const struct cost_table *table)
{
    if (!table)
        return;
    const struct reals *const lists[] = {
        &table->batches_items, &table->busy_cores,           &table->seconds_s,
        &table->accel_load_s,  &table->accel_compute_s,      &table->accel_batches_items,
        &table->per_history_s, &table->per_history_square_s, &table->per_item_history_s};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        add(parts, lists[i]->v, lists[i]->n * sizeof *lists[i]->v);
}

static void add_study(struct blob *parts, const struct study *study)
{
    char *text = study_print_result(study);
    add(parts, text, strlen(text));
    mem_free(text);
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_traffic *traffic = &study->services[s].traffic;
        add_trace(parts, traffic->arrivals.trace);
        add_reals(parts, &traffic->arrivals.file_frac);
        add_sizes(parts, &traffic->sizes, study->sizes[s]);
        add_sizes(parts, &traffic->history, traffic->histories);
    }
    if (study->tune.has_sizes)
        add_sizes(parts, &study->tune.sizes, study->tune.sizes_table);
    for (size_t g = 0; g < study->n_groups; g++)
        for (size_t s = 0; s < study->n_services; s++)
            add_table(parts, study->groups[g].cost_configs[s].measured);
}

char *study_digest(const struct study *study)
{
    struct blob parts = {0};
    XXH128_canonical_t hash;
    char text[2 * sizeof hash.digest + 1] = "";
    add_study(&parts, study);
    XXH128_canonicalFromHash(&hash, XXH3_128bits(parts.bytes, parts.n));
    blob_release(&parts);
    for (size_t i = 0; i < sizeof hash.digest; i++) {
        text[2 * i] = "0123456789abcdef"[hash.digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[hash.digest[i] & 15];
    }
    return mem_strdup(text);
}
