// SPDX-License-Identifier: Apache-2.0
#include "search/measure.h"

#include <string.h>

#include "base/mem.h"

static void reserve(struct trials *trials, size_t more)
{
    if (trials->n + more <= trials->cap)
        return;
    size_t cap = 2 * trials->cap > trials->n + more ? 2 * trials->cap : trials->n + more;
    trials->v = mem_realloc(trials->v, cap, sizeof *trials->v);
    trials->cap = cap;
}

void trials_add(struct trials *trials, const struct measure_point *point,
                const struct measurement *result)
{
    reserve(trials, 1);
    trials->v[trials->n++] = (struct trial){*point, *result};
}

void trials_append(struct trials *trials, const struct trials *more)
{
    if (more->n == 0)
        return;
    reserve(trials, more->n);
    memcpy(trials->v + trials->n, more->v, more->n * sizeof *more->v);
    trials->n += more->n;
}

void trials_release(struct trials *trials)
{
    mem_free(trials->v);
    *trials = (struct trials){0};
}
