// SPDX-License-Identifier: Apache-2.0
#include "results/report/tuning_rows.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"

#define MOST_LABEL_WIDTH 32      // beyond it points are called by number
#define MOST_LABEL_WIDTH_WIDE 20 // the same when the rare columns are shown, too

#define ROW struct tuning_row
static const struct data_field ratio_fields[] = {
    DATA_NUMBER(gain, "1", "rate over that of the first policy"),
    DATA_NUMBER(efficiency_gain, "1", "rate per watt over that of the first policy"),
    DATA_NUMBER(gap_frac, "1", "rate below that of exhaustive"),
    {0}};
#undef ROW

static bool is_found(const struct tuning_outcome *o)
{
    return o->state == TUNING_FOUND && o->qps > 0;
}

struct tuning_row tuning_rows_row(const struct tuning_rows *v, uint32_t point, uint32_t policy)
{
    struct tuning_row row = {.outcome = *tuning_result_outcome_at(v->t, point, policy),
                             .gain = NAN,
                             .efficiency_gain = NAN,
                             .gap_frac = NAN};
    struct tuning_outcome *o = &row.outcome;
    const struct tuning_outcome *base = tuning_result_outcome_at(v->t, point, 0);
    row.found = is_found(o);
    for (uint32_t i = 0; i < CHOSEN_MOST; i++)
        row.settings[i] = row.found && o->settings[i] > 0 ? (double)o->settings[i] : (double)NAN;
    for (uint32_t i = 0; i < v->t->chosen.n; i++)
        row.settings[i] *= v->t->chosen.fields[i].kind == DATA_KIND_TIME ? 1e-6 : 1;
    if (!row.found) {
        o->at_qps.stable = o->at_qps.sla = o->at_qps.tail = VERDICT_NOT_ASKED;
        o->confirmed = o->confirmed_over = VERDICT_NOT_ASKED;
        return row;
    }
    if (is_found(base)) {
        row.gain = o->qps / base->qps;
        row.efficiency_gain = o->at_qps.queries_per_j / base->at_qps.queries_per_j;
    }
    if (v->exhaustive >= 0) {
        base = tuning_result_outcome_at(v->t, point, (uint32_t)v->exhaustive);
        row.gap_frac = is_found(base) ? 1 - o->qps / base->qps : (double)NAN;
    }
    return row;
}

// Appends the fields of a part of the row, so that columns find every number by one name, wherever
// in the row it is.
static void add_fields(struct tuning_rows *v, const struct data_field *fields, size_t offset)
{
    size_t n = 0;
    while (v->fields[n].name)
        n++;
    for (const struct data_field *f = fields; f->name; f++) {
        assert(n + 1 < TUNING_ROWS_FIELDS);
        v->fields[n] = *f;
        v->fields[n++].offset += offset;
    }
}

// Label columns and the gaps behind them.
static int label_width(const struct point_axes *t)
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
    v.label_width = label_width(&t->grid);
    for (size_t i = 0; i < (size_t)t->grid.n_points * t->n_policies; i++) {
        const struct tuning_outcome *o = &t->outcomes[i];
        v.claims |= differs(o->claimed_qps, o->qps);
        v.tuned_elsewhere |= differs(o->tuned_qps, o->qps);
    }
    int most = v.claims || v.tuned_elsewhere ? MOST_LABEL_WIDTH_WIDE : MOST_LABEL_WIDTH;
    v.numbered = v.label_width > most;
    if (v.numbered)
        v.label_width = 6;
    add_fields(&v, tuning_result_fields, offsetof(struct tuning_row, outcome));
    add_fields(&v, tuning_result_wall_fields, offsetof(struct tuning_row, outcome));
    add_fields(&v, measurement_fields, offsetof(struct tuning_row, outcome.at_qps));
    add_fields(&v, ratio_fields, 0);
    add_fields(&v, t->chosen.fields, offsetof(struct tuning_row, settings));
    for (struct data_field *f = v.fields; f->name; f++) {
        if (data_field_find(t->chosen.fields, f->name))
            f->kind = DATA_KIND_NUMBER;
    }
    return v;
}

bool tuning_rows_is_done(const struct tuning_outcome *outcome)
{
    return outcome->state == TUNING_UNREACHABLE || isfinite(outcome->qps);
}

int tuning_rows_n_labels(const struct tuning_rows *v)
{
    return v->numbered ? 1 : (int)v->t->grid.n_axes;
}

void tuning_rows_add_heads(const struct tuning_rows *v, struct table *table)
{
    if (v->numbered)
        table_cell(table, mem_strdup("point"));
    for (uint32_t a = 0; !v->numbered && a < v->t->grid.n_axes; a++)
        table_cell(table, mem_strdup(v->t->grid.axes[a].name));
}

void tuning_rows_add_labels(const struct tuning_rows *v, struct table *table, uint32_t point)
{
    if (v->numbered)
        table_cell(table, mem_printf("%u", point));
    for (uint32_t a = 0; !v->numbered && a < v->t->grid.n_axes; a++)
        table_cell(table, mem_strdup(point_axes_label(&v->t->grid, point, a)));
}
