// SPDX-License-Identifier: Apache-2.0
// exhaustive: every batch size with every threshold, the truth that others are compared with.
//
// Every choice is either measured or settled by its bound. A few choices spread over the grid come
// first, so that there is a good leader early; then the others by falling bound, since a high bound
// is what a better choice must have and a low one costs no run. No other policy's answer is used.
#include "search/tuner.h"

#include <stdlib.h>

#include "base/mem.h"
#include "search/rounds.h"

enum { WIDTH = 16, SPREAD = 4, MOST_DEFAULT = 128 };

struct list {
    uint32_t v[MOST_DEFAULT];
    const uint32_t *values; // v, or the study's own
    size_t n;
};

static int check_list(const char *name, const struct list *list, uint32_t max_items,
                      struct err *err)
{
    if (list->n == 0)
        return err_set(err, ERR_STUDY, "%s: the list of values to try is empty", name);
    for (size_t i = 0; i < list->n; i++)
        if (list->values[i] < 1 || list->values[i] > max_items)
            return err_set(err, ERR_STUDY, "%s: expected 1 .. %u (the largest query), got %u", name,
                           max_items, list->values[i]);
    return 0;
}

// All batch sizes with threshold `offload`, from `first` on in steps.
static size_t add_row(const struct list *batches, uint32_t offload, size_t first, size_t step,
                      struct choice *choices)
{
    size_t n = 0;
    for (size_t i = first; i < batches->n; i += step)
        choices[n++] = (struct choice){batches->values[i], offload};
    return n;
}

// A coarse part of the grid: WIDTH batch sizes, or SPREAD of them with SPREAD thresholds.
static size_t coarse(const struct list *batches, const struct list *offloads,
                     struct choice *choices)
{
    size_t wanted = offloads->n > 0 ? SPREAD : WIDTH / 2;
    size_t step = (batches->n + wanted - 1) / wanted;
    size_t n = add_row(batches, 0, step / 2, step, choices);
    size_t down = (offloads->n + SPREAD - 2) / (SPREAD - 1);
    for (size_t i = down / 2; i < offloads->n; i += down)
        n += add_row(batches, offloads->values[i], step / 2, step, choices + n);
    return n;
}

struct ranked {
    struct choice choice;
    double bound_qps;
    size_t index;
};

static int by_bound(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->bound_qps != y->bound_qps)
        return x->bound_qps > y->bound_qps ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

// The whole grid, by falling bound. Returns how many.
static size_t whole(const struct list *batches, const struct list *offloads,
                    const struct tuner_backend *backend, struct choice *choices)
{
    size_t n = add_row(batches, 0, 0, 1, choices);
    for (size_t i = 0; i < offloads->n; i++)
        n += add_row(batches, offloads->values[i], 0, 1, choices + n);
    struct ranked *ranked = mem_calloc(n, sizeof *ranked);
    for (size_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){choices[i], backend->bound_qps(backend->user, &choices[i]), i};
    qsort(ranked, n, sizeof *ranked, by_bound);
    for (size_t i = 0; i < n; i++)
        choices[i] = ranked[i].choice;
    mem_free(ranked);
    return n;
}

static int ask_all(struct rounds *rounds, const struct list *batches, const struct list *offloads,
                   const struct tuner_backend *backend, struct err *err)
{
    struct choice *choices = mem_calloc(batches->n * (offloads->n + 1), sizeof *choices);
    size_t n = coarse(batches, offloads, choices);
    int rc = rounds_ask(rounds, choices, n, err);
    n = whole(batches, offloads, backend, choices);
    size_t width = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!rounds_asked(rounds, choices[i]))
            choices[width++] = choices[i]; // packed in place: width <= i
        if (width == WIDTH || i == n - 1) {
            rc = rounds_ask(rounds, choices, width, err);
            width = 0;
        }
    }
    mem_free(choices);
    return rc != 0 ? -1 : rounds_finish(rounds, err);
}

static int tune(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err)
{
    struct list batches = {.values = config->batches, .n = config->n_batches};
    struct list offloads = {.values = config->offloads, .n = config->n_offloads};
    if (!batches.values) {
        batches.values = batches.v;
        batches.n = tuner_default_batches(config->max_items, batches.v, MOST_DEFAULT);
    }
    if (!offloads.values) {
        offloads.values = offloads.v;
        offloads.n = tuner_default_offloads(config->max_items, offloads.v, MOST_DEFAULT);
    }
    if (check_list("batch_items", &batches, config->max_items, err) != 0)
        return -1;
    if (!config->has_accelerator)
        offloads.n = 0;
    else if (check_list("offload_items", &offloads, config->max_items, err) != 0)
        return -1;
    struct rounds *rounds = rounds_create(config, backend, outcome);
    int rc = ask_all(rounds, &batches, &offloads, backend, err);
    rounds_destroy(rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

const struct tuner_policy tuner_exhaustive = {
    "exhaustive", "every batch size with every threshold of a grid", tune};
