// SPDX-License-Identifier: Apache-2.0
// exhaustive: every value of every axis with every other, the truth that others are compared with.
//
// Every choice is either measured or settled by its bound. A few choices spread over the grid come
// first, so that there is a good leader early; then the others by falling bound, since a high bound
// is what a better choice must have and a low one costs no run. No other policy's answer is used.
#include "search/tuner.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "search/rounds.h"

enum { WIDTH = 16, SPREAD = 4, MOST_DEFAULT = 128 };

// The values of one axis, ascending; 0 among them where it may be unused.
struct list {
    int64_t *v; // owned
    size_t n;
};

static int check_own(const struct tuner_axis *axis, struct err *err)
{
    if (axis->own && axis->n_own == 0)
        return err_set(err, ERR_STUDY, "%s: the list of values to try is empty", axis->key);
    for (size_t i = 0; i < axis->n_own; i++)
        if (axis->own[i] < 1 || axis->own[i] > axis->most)
            return err_set(err, ERR_STUDY, "%s: expected 1 .. %lld, got %lld", axis->key,
                           (long long)axis->most, (long long)axis->own[i]);
    return 0;
}

static struct list list_of(const struct tuner_axis *axis)
{
    size_t n_zeros = axis->walk != SETTINGS_FACTORS, n = axis->own ? axis->n_own : MOST_DEFAULT;
    struct list list = {mem_calloc(n_zeros + n, sizeof *list.v), 0};
    if (axis->own)
        memcpy(list.v + n_zeros, axis->own, n * sizeof *list.v);
    else
        n = tuner_default(axis, list.v + n_zeros, n);
    list.n = n_zeros + n;
    return list;
}

// A few values of a list, evenly spread: with one axis WIDTH / 2 of them, else SPREAD; of those
// that may be unused, that and SPREAD - 1.
static struct list coarse_of(const struct tuner_config *config, size_t a, const struct list *whole)
{
    size_t n_zeros = config->axes[a].walk != SETTINGS_FACTORS;
    size_t wanted = n_zeros ? SPREAD - 1 : config->n_axes > 1 ? SPREAD : WIDTH / 2;
    size_t step = (whole->n - n_zeros + wanted - 1) / wanted;
    struct list list = {mem_calloc(whole->n, sizeof *list.v), n_zeros};
    for (size_t i = n_zeros + step / 2; i < whole->n; i += step)
        list.v[list.n++] = whole->v[i];
    return list;
}

// Every value with every other, the first axis fastest. Caller mem_free()s.
static struct settings *cross(const struct tuner_config *config, const struct list *lists,
                              size_t *n)
{
    *n = 1;
    for (size_t a = 0; a < config->n_axes; a++)
        *n *= lists[a].n;
    struct settings *choices = mem_calloc(*n, sizeof *choices);
    for (size_t i = 0; i < *n; i++) {
        size_t rest = i;
        choices[i] = config->fixed;
        for (size_t a = 0; a < config->n_axes; rest /= lists[a++].n)
            choices[i] = tuner_with(choices[i], &config->axes[a], lists[a].v[rest % lists[a].n]);
    }
    return choices;
}

struct ranked {
    struct settings choice;
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

static void sort_by_bound(const struct tuner_backend *backend, struct settings *choices, size_t n)
{
    struct ranked *ranked = mem_calloc(n, sizeof *ranked);
    for (size_t i = 0; i < n; i++)
        ranked[i] =
            (struct ranked){choices[i], backend->bound_qps(backend->server, &choices[i]), i};
    qsort(ranked, n, sizeof *ranked, by_bound);
    for (size_t i = 0; i < n; i++)
        choices[i] = ranked[i].choice;
    mem_free(ranked);
}

static int ask_all(struct rounds *rounds, const struct tuner_config *config,
                   const struct tuner_backend *backend, struct err *err)
{
    struct list whole[SETTINGS_AXES], coarse[SETTINGS_AXES];
    size_t n, n_coarse, width = 0;
    for (size_t a = 0; a < config->n_axes; a++) {
        whole[a] = list_of(&config->axes[a]);
        coarse[a] = coarse_of(config, a, &whole[a]);
    }
    struct settings *first = cross(config, coarse, &n_coarse), *choices = cross(config, whole, &n);
    int rc = rounds_ask(rounds, first, n_coarse, err);
    sort_by_bound(backend, choices, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!rounds_asked(rounds, choices[i]))
            choices[width++] = choices[i]; // packed in place: width <= i
        if (width == WIDTH || i == n - 1) {
            rc = rounds_ask(rounds, choices, width, err);
            width = 0;
        }
    }
    mem_free(first);
    mem_free(choices);
    for (size_t a = 0; a < config->n_axes; a++) {
        mem_free(whole[a].v);
        mem_free(coarse[a].v);
    }
    return rc != 0 ? -1 : rounds_finish(rounds, err);
}

static int tune(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err)
{
    for (size_t a = 0; a < config->n_axes; a++)
        if (check_own(&config->axes[a], err) != 0)
            return -1;
    struct rounds *rounds = rounds_create(config, backend, outcome);
    int rc = ask_all(rounds, config, backend, err);
    rounds_destroy(rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

const struct tuner_policy tuner_exhaustive = {
    "exhaustive", "every batch size with every threshold of a grid", tune};
