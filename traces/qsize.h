// SPDX-License-Identifier: Apache-2.0
// qsize: how many candidate items a query carries.
//
// Every distribution, given or read from a file, is turned into an exact probability mass function
// over 1 .. max items once, and drawn by Walker's alias method: one 64-bit word, one table look-up.
// A struct qsize never changes after its creation, so any number of streams may share one.
//
//     struct qsize *sizes = qsize_create(&config, &err);
//     struct rng_stream s = rng_stream(seed, RNG_SIZE, RNG_ENTITY(cell, service));
//     qsize_fill(sizes, &s, 0, 512, items); // the sizes of queries 0 .. 511 of the stream
#ifndef TRACES_QSIZE_H
#define TRACES_QSIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/schema.h"

struct size_config {
    int64_t distribution;        // index into size_types
    double mu, sigma;            // lognormal: of log items
    double mean_items, sd_items; // normal
    int64_t items;               // fixed
    int64_t max_items;           // cap, 1 .. QUERY_MAX_ITEMS
    char *file;                  // empirical
};

// Of what a distribution gives, the part above its max_items, which counts as that many.
struct size_cut {
    double frac;          // share of the queries
    uint64_t n, n_lines;  // of a file: lines above, and all; else 0
    double largest_items; // of a file: before it was cut; else 0
};

// A distribution.
struct size_type {
    const char *name;
    const char *help;           // one line
    const struct field *fields; // rows over struct size_config; ends with FIELD_END
    // Fills weights[1 .. max_items + 1], zeroed before, in any scale; 0 outside what it can give.
    // The last stands for all sizes above config->max_items. What a file says of those is added to
    // *cut, save for the share. Error texts begin with the key.
    int (*weigh)(const struct size_config *config, double *weights, struct size_cut *cut,
                 struct err *err);
};

extern const struct size_type *const size_types[]; // ends with NULL

// Variants, one file each.
extern const struct size_type qsize_production;
extern const struct size_type qsize_mlperf;
extern const struct size_type qsize_lognormal;
extern const struct size_type qsize_normal;
extern const struct size_type qsize_fixed;
extern const struct size_type qsize_empirical;

// The index of the distribution with that name, or -1.
int64_t qsize_find(const char *name);

// Reads what must be read and sets up the table; NULL on error. Copies what it needs of config.
struct qsize;
struct qsize *qsize_create(const struct size_config *config, struct err *err);
// The sizes that n >= 1 records had (1 .. QUERY_MAX_ITEMS each), each as often.
struct qsize *qsize_of_records(const uint32_t *size_items, size_t n);
void qsize_destroy(struct qsize *qsize); // NULL: no effect

// One size from one word; qsize_fill makes those of words first .. first + n - 1 of a stream.
uint32_t qsize_draw(const struct qsize *qsize, uint64_t word);
void qsize_fill(const struct qsize *qsize, const struct rng_stream *stream, uint64_t first,
                size_t n, uint32_t *size_items);

// What was above max_items.
const struct size_cut *qsize_cut(const struct qsize *qsize);
// Smallest and largest size that can occur.
uint32_t qsize_min_items(const struct qsize *qsize);
uint32_t qsize_max_items(const struct qsize *qsize);
// Probability of exactly that many items; 0 outside min .. max.
double qsize_pmf(const struct qsize *qsize, uint32_t items);
double qsize_mean_items(const struct qsize *qsize);
double qsize_sd_items(const struct qsize *qsize);
// The smallest size with at least probability q (0..1) at or below it.
uint32_t qsize_quantile_items(const struct qsize *qsize, double q);
// Share of the queries, and of all items, in queries of more than `items`.
double qsize_queries_above_frac(const struct qsize *qsize, uint32_t items);
double qsize_work_above_frac(const struct qsize *qsize, uint32_t items);
// Share of all items in the largest `queries_frac` of the queries (an atom is cut where needed).
double qsize_top_work_frac(const struct qsize *qsize, double queries_frac);

#endif
