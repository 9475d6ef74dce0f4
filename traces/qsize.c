// SPDX-License-Identifier: Apache-2.0
#include "traces/qsize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "traces/alias.h"
#include "traces/draw.h"
#include "traces/query.h"

const struct size_type *const size_types[] = {
    &qsize_production, &qsize_mlperf, &qsize_lognormal, &qsize_normal, &qsize_fixed,
    &qsize_empirical,  NULL};

struct qsize {
    struct alias table; // outcome k stands for min_items + k
    double *pmf;        // by outcome
    uint32_t min_items, max_items;
    double mean_items, sd_items;
    struct size_cut cut;
};

int64_t qsize_find(const char *name)
{
    for (int64_t i = 0; size_types[i]; i++)
        if (strcmp(size_types[i]->name, name) == 0)
            return i;
    return -1;
}

static void set_moments(struct qsize *qsize)
{
    double mean = 0, square = 0;
    for (uint32_t s = qsize->min_items; s <= qsize->max_items; s++)
        mean += s * qsize->pmf[s - qsize->min_items];
    for (uint32_t s = qsize->min_items; s <= qsize->max_items; s++)
        square += (s - mean) * (s - mean) * qsize->pmf[s - qsize->min_items];
    qsize->mean_items = mean;
    qsize->sd_items = sqrt(square);
}

// Those of weights[1 .. max]. NULL if none is above 0.
static struct qsize *from_weights(const double *weights, uint32_t max)
{
    double total = 0;
    uint32_t low = 0, high = 0;
    for (uint32_t s = 1; s <= max; s++) {
        if (!(weights[s] > 0))
            continue;
        total += weights[s];
        low = low ? low : s;
        high = s;
    }
    if (!(total > 0))
        return NULL;
    struct qsize *qsize = mem_calloc(1, sizeof *qsize);
    uint32_t n = high - low + 1;
    qsize->min_items = low;
    qsize->max_items = high;
    qsize->pmf = mem_alloc(n * sizeof *qsize->pmf);
    for (uint32_t k = 0; k < n; k++)
        qsize->pmf[k] = weights[low + k] / total;
    alias_init(&qsize->table, qsize->pmf, n);
    set_moments(qsize);
    return qsize;
}

struct qsize *qsize_create(const struct size_config *config, struct err *err)
{
    const struct size_type *type = size_types[config->distribution];
    if (config->max_items < 1 || config->max_items > (int64_t)QUERY_MAX_ITEMS) {
        err_set(err, ERR_STUDY, "max_items: expected 1 to %u, got %lld", QUERY_MAX_ITEMS,
                (long long)config->max_items);
        return NULL;
    }
    uint32_t max = (uint32_t)config->max_items;
    double *weights = mem_calloc((size_t)max + 2, sizeof *weights);
    struct size_cut cut = {0};
    struct qsize *qsize = NULL;
    if (type->weigh(config, weights, &cut, err) == 0) {
        double above = weights[max + 1], total = 0;
        weights[max] += above;
        for (uint32_t s = 1; s <= max; s++)
            total += weights[s];
        cut.frac = total > 0 ? above / total : 0;
        qsize = from_weights(weights, max);
        if (qsize)
            qsize->cut = cut;
        else
            err_set(err, ERR_STUDY, "max_items: no size of 1 to %u has a probability above 0", max);
    }
    mem_free(weights);
    return qsize;
}

struct qsize *qsize_of_records(const uint32_t *size_items, size_t n)
{
    double *weights = mem_calloc(QUERY_MAX_ITEMS + 1, sizeof *weights);
    for (size_t i = 0; i < n; i++)
        weights[size_items[i]]++;
    struct qsize *qsize = from_weights(weights, QUERY_MAX_ITEMS);
    mem_free(weights);
    return qsize;
}

void qsize_destroy(struct qsize *qsize)
{
    if (!qsize)
        return;
    alias_release(&qsize->table);
    mem_free(qsize->pmf);
    mem_free(qsize);
}

uint32_t qsize_draw(const struct qsize *qsize, uint64_t word)
{
    return qsize->min_items + alias_draw(&qsize->table, word);
}

void qsize_fill(const struct qsize *qsize, const struct rng_stream *stream, uint64_t first,
                size_t n, uint32_t *size_items)
{
    uint64_t buf[DRAW_BUFFER];
    for (size_t done = 0; done < n;) {
        size_t part = n - done < DRAW_MAX ? n - done : DRAW_MAX;
        const uint64_t *words = draw_words(stream, first + done, part, buf);
        alias_draw_each(&qsize->table, words, part, qsize->min_items, size_items + done);
        done += part;
    }
}

const struct size_cut *qsize_cut(const struct qsize *qsize)
{
    return &qsize->cut;
}

uint32_t qsize_min_items(const struct qsize *qsize)
{
    return qsize->min_items;
}

uint32_t qsize_max_items(const struct qsize *qsize)
{
    return qsize->max_items;
}

double qsize_pmf(const struct qsize *qsize, uint32_t items)
{
    bool inside = items >= qsize->min_items && items <= qsize->max_items;
    return inside ? qsize->pmf[items - qsize->min_items] : 0;
}

double qsize_mean_items(const struct qsize *qsize)
{
    return qsize->mean_items;
}

double qsize_sd_items(const struct qsize *qsize)
{
    return qsize->sd_items;
}

uint32_t qsize_quantile_items(const struct qsize *qsize, double q)
{
    double below = 0;
    for (uint32_t s = qsize->min_items; s < qsize->max_items; s++) {
        below += qsize_pmf(qsize, s);
        if (below >= q)
            return s;
    }
    return qsize->max_items;
}

double qsize_queries_above_frac(const struct qsize *qsize, uint32_t items)
{
    double queries = 0;
    for (uint32_t s = qsize->max_items; s > items && s >= qsize->min_items; s--)
        queries += qsize_pmf(qsize, s);
    return queries;
}

double qsize_work_above_frac(const struct qsize *qsize, uint32_t items)
{
    double work = 0;
    for (uint32_t s = qsize->max_items; s > items && s >= qsize->min_items; s--)
        work += s * qsize_pmf(qsize, s);
    return work / qsize->mean_items;
}

double qsize_top_work_frac(const struct qsize *qsize, double queries_frac)
{
    double left = queries_frac, work = 0;
    for (uint32_t s = qsize->max_items; s >= qsize->min_items && left > 0; s--) {
        double taken = fmin(left, qsize_pmf(qsize, s));
        work += s * taken;
        left -= taken;
    }
    return work / qsize->mean_items;
}
