// SPDX-License-Identifier: Apache-2.0
#include "results/report/tuning_totals.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/table.h"

static char *share(uint64_t part, uint64_t whole)
{
    return mem_printf("%llu/%llu", (unsigned long long)part, (unsigned long long)whole);
}

static void add_gains(const struct tuning_row *row, struct tuning_totals *s)
{
    double gain = row->gain, gap = row->gap_frac, efficiency = row->efficiency_gain;
    if (isfinite(gain)) {
        s->gain_least = s->n_gains == 0 ? gain : fmin(s->gain_least, gain);
        s->gain_most = s->n_gains == 0 ? gain : fmax(s->gain_most, gain);
        s->n_gains++;
        s->gain_sum += gain;
        s->gain_log_sum += log(gain);
    }
    if (isfinite(efficiency) && efficiency > 0) {
        s->n_efficiencies++;
        s->efficiency_log_sum += log(efficiency);
    }
    if (isfinite(gap)) {
        s->gap_most = s->n_gaps == 0 ? gap : fmax(s->gap_most, gap);
        s->n_gaps++;
        s->n_close += gap <= TUNING_TOTALS_CLOSE_FRAC;
    }
}

struct tuning_totals tuning_totals_of(const struct tuning_rows *v, uint32_t policy)
{
    struct tuning_totals s = {.n_points = v->t->grid.n_points};
    for (uint32_t point = 0; point < s.n_points; point++) {
        const struct tuning_row row = tuning_rows_row(v, point, policy);
        const struct tuning_outcome *o = &row.outcome;
        s.n_found += row.found;
        s.n_confirmed += o->confirmed != VERDICT_NOT_ASKED;
        s.n_held += o->confirmed == VERDICT_MET;
        s.n_over += o->confirmed_over != VERDICT_NOT_ASKED;
        s.n_tight += o->confirmed_over == VERDICT_MISSED;
        s.n_choices += o->n_choices;
        s.n_runs += o->n_runs;
        s.n_queries += o->n_queries;
        s.wall_s += o->wall_s;
        add_gains(&row, &s);
    }
    return s;
}

static double over(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static void add_quality(const struct tuning_rows *v, struct table *table, uint32_t policy)
{
    struct tuning_totals s = tuning_totals_of(v, policy);
    table_cell(table, mem_strdup(v->t->policies[policy]));
    table_cell(table, share(s.n_found, s.n_points));
    table_cell(table, table_fixed(over(s.gain_sum, s.n_gains), 2));
    table_cell(table, table_fixed(s.n_gains ? exp(s.gain_log_sum / s.n_gains) : NAN, 2));
    table_value(table, table_fixed(s.n_gains ? s.gain_least : NAN, 2),
                s.n_gains ? s.gain_least : NAN);
    table_value(table, table_fixed(s.n_gains ? s.gain_most : NAN, 2),
                s.n_gains ? s.gain_most : NAN);
    table_cell(
        table,
        table_fixed(s.n_efficiencies ? exp(s.efficiency_log_sum / s.n_efficiencies) : NAN, 2));
    table_cell(table, s.n_gaps ? share(s.n_close, s.n_gaps) : mem_strdup("-"));
    table_value(table, table_fixed(s.n_gaps ? s.gap_most * 100 : NAN, 1),
                s.n_gaps ? s.gap_most * 100 : NAN);
}

static void add_effort(const struct tuning_rows *v, struct table *table, uint32_t policy)
{
    struct tuning_totals s = tuning_totals_of(v, policy), all = {0};
    if (v->exhaustive >= 0)
        all = tuning_totals_of(v, (uint32_t)v->exhaustive);
    table_cell(table, mem_strdup(v->t->policies[policy]));
    table_cell(table, s.n_confirmed ? share(s.n_held, s.n_confirmed) : mem_strdup("-"));
    table_cell(table, s.n_over ? share(s.n_tight, s.n_over) : mem_strdup("-"));
    table_cell(table, mem_printf("%llu", (unsigned long long)s.n_choices));
    table_cell(table, table_fixed(100 * over((double)s.n_choices, (double)all.n_choices), 1));
    table_cell(table, mem_printf("%llu", (unsigned long long)s.n_runs));
    table_value(table, table_known((double)s.n_queries * 1e-6), (double)s.n_queries * 1e-6);
    table_cell(table, table_fixed(100 * over((double)s.n_queries, (double)all.n_queries), 1));
    table_value(table, table_fixed(s.wall_s, 1), s.wall_s);
}

void tuning_totals_print(struct report_out *out, const struct tuning_rows *v)
{
    static const char *const quality[] = {"over all points", "found",      "mean x",
                                          "geometric x",     "least x",    "most x",
                                          "QPS/W x",         "within 3 %", "worst gap %"};
    static const char *const effort[] = {"over all points", "held anew", "+5 % missed",
                                         "choices",         "% of exh.", "runs",
                                         "Mqueries",        "% of exh.", "wall s"};
    struct table *first = table_create(9), *second = table_create(9);
    table_row(first, quality);
    table_row(second, effort);
    for (uint32_t p = 0; p < v->t->n_policies; p++) {
        add_quality(v, first, p);
        add_effort(v, second, p);
    }
    report_text(out, "\n");
    table_print(first, out, "gains");
    report_text(out, "\n");
    table_print(second, out, "effort");
    table_destroy(first);
    table_destroy(second);
    report_text(
        out,
        "\nx: times %s, over the points where both have an answer, arithmetic and geometric "
        "mean (QPS/W: geometric)\n",
        v->t->policies[0]);
    if (v->exhaustive >= 0)
        report_text(out,
                    "within 3 %%: points at most 3 %% below exhaustive, of those where both have "
                    "an answer\n");
}
