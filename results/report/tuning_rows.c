// SPDX-License-Identifier: Apache-2.0
#include "results/report/tuning_rows.h"

#include <math.h>

#include "base/mem.h"

#define MOST_LABEL_WIDTH 32      // beyond it cells are called by number
#define MOST_LABEL_WIDTH_WIDE 20 // the same when the rare columns are shown, too

const struct tuning_outcome *tuning_rows_outcome(const struct tuning_rows *v, uint32_t cell,
                                                 uint32_t policy)
{
    return tuning_result_outcome_at(v->t, cell, policy);
}

bool tuning_rows_found(const struct tuning_outcome *o)
{
    return o->state == TUNING_FOUND && o->qps > 0;
}

double tuning_rows_gain(const struct tuning_rows *v, uint32_t cell, uint32_t policy)
{
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy),
                                *base = tuning_rows_outcome(v, cell, 0);
    return tuning_rows_found(o) && tuning_rows_found(base) ? o->qps / base->qps : NAN;
}

double tuning_rows_efficiency_gain(const struct tuning_rows *v, uint32_t cell, uint32_t policy)
{
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy),
                                *base = tuning_rows_outcome(v, cell, 0);
    return tuning_rows_found(o) && tuning_rows_found(base)
               ? o->at_qps.queries_per_j / base->at_qps.queries_per_j
               : NAN;
}

double tuning_rows_gap(const struct tuning_rows *v, uint32_t cell, uint32_t policy)
{
    if (v->exhaustive < 0)
        return NAN;
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy);
    const struct tuning_outcome *best = tuning_rows_outcome(v, cell, (uint32_t)v->exhaustive);
    return tuning_rows_found(o) && tuning_rows_found(best) ? 1 - o->qps / best->qps : NAN;
}

// Label columns and the gaps behind them.
static int label_width(const struct tuning_result *t)
{
    int all = 0;
    for (uint32_t a = 0; a < t->n_axes; a++) {
        int most = table_width_of(t->axes[a].name);
        for (uint32_t i = 0; i < t->axes[a].n_labels; i++) {
            int width = table_width_of(t->axes[a].labels[i]);
            most = width > most ? width : most;
        }
        all += most + 2;
    }
    return all;
}

static bool differs(double a, double b)
{
    return isfinite(a) && isfinite(b) && a != b;
}

struct tuning_rows tuning_rows_of(const struct tuning_result *t)
{
    struct tuning_rows v = {.t = t, .exhaustive = tuning_result_find_policy(t, "exhaustive")};
    v.label_width = label_width(t);
    for (size_t i = 0; i < (size_t)t->n_cells * t->n_policies; i++) {
        const struct tuning_outcome *o = &t->outcomes[i];
        v.claims |= differs(o->claimed_qps, o->qps);
        v.tuned_elsewhere |= differs(o->tuned_qps, o->qps);
    }
    int most = v.claims || v.tuned_elsewhere ? MOST_LABEL_WIDTH_WIDE : MOST_LABEL_WIDTH;
    v.numbered = v.label_width > most;
    if (v.numbered)
        v.label_width = 6;
    return v;
}

int tuning_rows_n_labels(const struct tuning_rows *v)
{
    return v->numbered ? 1 : (int)v->t->n_axes;
}

void tuning_rows_add_heads(const struct tuning_rows *v, struct table *table)
{
    if (v->numbered)
        table_cell(table, mem_strdup("cell"));
    for (uint32_t a = 0; !v->numbered && a < v->t->n_axes; a++)
        table_cell(table, mem_strdup(v->t->axes[a].name));
}

void tuning_rows_add_labels(const struct tuning_rows *v, struct table *table, uint32_t cell)
{
    if (v->numbered)
        table_cell(table, mem_printf("%u", cell));
    for (uint32_t a = 0; !v->numbered && a < v->t->n_axes; a++)
        table_cell(table, mem_strdup(tuning_result_label(v->t, cell, a)));
}
