// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_sweep.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "results/report/report_columns.h"
#include "results/report/sweep_rows.h"

#define MOST_LABEL_WIDTH 40 // of all label columns; beyond it rows go by number alone
#define MS_PER_S 1e3

struct view {
    const struct sweep_rows *rows;
    uint32_t n_shown;
    bool numbered; // labels are listed above the table
    char latency_head[32];
};

// ---- one line

static char *verdict_text(const struct sweep_rows *rows, const struct sweep_row *row)
{
    const char *const verdicts[] = {"met", "unsure", "MISSED", "-"};
    const struct replications_case *c = row->at_case;
    if (!row->done)
        return mem_strdup(sweep_result_state_names[rows->p->points[c->point].state]);
    if (rows->folded && c->n_overloaded > 0)
        return mem_printf("OVERLOADED %u/%u", c->n_overloaded, c->n_done);
    if (row->overloaded)
        return mem_strdup("OVERLOADED");
    return mem_printf("%s%s", verdicts[row->sla], c->verdict == OVERLOAD_UNSURE ? " !" : "");
}

// ---- the table

static bool has_losses(const void *points, const struct report_column *column)
{
    const struct sweep_result *p = points;
    bool lost = false;
    (void)column;
    for (uint32_t i = 0; i < p->n_points; i++)
        lost |= p->totals[i].n_lost > 0;
    return lost;
}

// With replications there is no room for their interval, and items go with queries.
static bool is_single(const void *points, const struct report_column *column)
{
    (void)column;
    return ((const struct sweep_result *)points)->replication < 0;
}

static bool has_overload(const void *points, const struct report_column *column)
{
    const struct sweep_result *p = points;
    bool overloaded = false;
    (void)column;
    for (uint32_t i = 0; i < p->n_points; i++)
        overloaded |= p->points[i].state == SWEEP_DONE && p->fleets[i].verdict == OVERLOAD_YES;
    return overloaded;
}

static bool is_overloaded(const void *row)
{
    return ((const struct sweep_row *)row)->overloaded;
}

static bool has_latency(const void *row)
{
    return !isnan(((const struct sweep_row *)row)->latency_s.value);
}

static const struct report_column number_columns[] = {
    {"served qps", "served_qps", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"goodput qps", "goodput_qps", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"items/s", "items_per_s", REPORT_KNOWN_INTERVAL, 1, .wanted = is_single},
    {"busiest %", "busiest_frac", REPORT_KNOWN_INTERVAL, .scale = 100},
    {"W", "power_w", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"QPS/W", "queries_per_j", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"lost %", "lost_frac", REPORT_KNOWN_INTERVAL, 100, .wanted = has_losses},
    {"queue +qps", "queue_growth_qps", REPORT_KNOWN_INTERVAL, 1, .shown = is_overloaded,
     .wanted = has_overload},
    {0}};

static int label_width(const struct sweep_rows *rows)
{
    int all = 0;
    for (uint32_t a = 0; a < rows->p->n_axes; a++) {
        const struct point_axis *axis = &rows->p->axes[a];
        int most = table_width_of(axis->name);
        for (uint32_t i = 0; i < axis->n_labels; i++) {
            int width = table_width_of(axis->labels[i]);
            most = width > most ? width : most;
        }
        all += sweep_rows_shows(rows, a) ? most + 2 : 0;
    }
    return all;
}

// The heads, or a line.
static void add_line(const struct view *v, struct table *table, const struct sweep_row *row)
{
    const struct sweep_rows *rows = v->rows;
    const struct report_column latency[] = {
        {v->latency_head, "latency_s", REPORT_INTERVAL, MS_PER_S, .shown = has_latency}, {0}};
    // A run's own intervals are in its report; here only replications give some.
    const struct report_columns shown = {.list = latency, .fields = sweep_rows_fields},
                                numbers = {.list = number_columns,
                                           .fields = sweep_rows_fields,
                                           .context = rows->p,
                                           .without_intervals = !rows->folded};
    uint32_t number = row ? (uint32_t)(row - rows->rows) : 0;
    table_cell(table, row ? mem_printf("%u", number) : mem_strdup(rows->folded ? "case" : "point"));
    for (uint32_t a = 0; a < rows->p->n_axes; a++) {
        if (!v->numbered && sweep_rows_shows(rows, a))
            table_cell(table,
                       mem_strdup(row ? sweep_rows_label(rows, number, a) : rows->p->axes[a].name));
    }
    if (rows->folded)
        table_cell(table,
                   row ? mem_printf("%u/%u", row->at_case->n_done, row->at_case->n_replications)
                       : mem_strdup("done"));
    if (rows->many_services)
        table_cell(table, mem_strdup(!row        ? "service"
                                     : row->done ? table_or_dash(row->service)
                                                 : "-"));
    if (rows->many_quantiles)
        table_cell(table, row && row->done ? mem_printf("p%.10g", row->quantile * 100)
                                           : mem_strdup(row ? "-" : "at"));
    if (row) {
        report_columns_row(&shown, table, row);
        report_columns_row(&numbers, table, row);
        table_cell(table, verdict_text(rows, row));
    } else {
        report_columns_heads(&shown, table);
        report_columns_heads(&numbers, table);
        table_cell(table, mem_strdup("target"));
        table_line(table);
    }
}

static void print_table(struct report_out *out, const struct view *v)
{
    struct table *table = table_create(0);
    add_line(v, table, NULL);
    for (uint32_t i = 0; i < v->n_shown; i++)
        add_line(v, table, &v->rows->rows[i]);
    table_left(table, 1 + (v->numbered ? 0 : (int)sweep_rows_n_shown(v->rows)));
    table_print(table, out, v->rows->folded ? "cases" : "points");
    table_destroy(table);
}

// ---- round the table

static void print_head(struct report_out *out, const struct view *v)
{
    const struct sweep_result *p = v->rows->p;
    report_text(out, "recfleet %s   study %s   sweep   %u point%s",
                table_or_dash(p->program_version), table_or_dash(p->study_name), p->n_points,
                p->n_points == 1 ? "" : "s");
    if (v->rows->folded)
        report_text(out, " in %u case%s", v->rows->n, v->rows->n == 1 ? "" : "s");
    const enum sweep_state order[] = {SWEEP_DONE, SWEEP_MISSING, SWEEP_FAILED, SWEEP_FOREIGN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        uint32_t n = sweep_result_count(p, order[i]);
        if (i == 0 || n > 0)
            report_text(out, "%s%u %s", i == 0 ? "   " : ", ", n,
                        sweep_result_state_names[order[i]]);
    }
    report_text(out, "\n\n");
}

// "point 3: policy=jsq, servers=4" of the axes that are shown, a line each.
static void print_labels(struct report_out *out, const struct view *v)
{
    for (uint32_t row = 0; v->numbered && row < v->n_shown; row++) {
        const char *between = "";
        report_text(out, "%s %u: ", v->rows->folded ? "case" : "point", row);
        for (uint32_t a = 0; a < v->rows->p->n_axes; a++) {
            if (!sweep_rows_shows(v->rows, a))
                continue;
            report_text(out, "%s%s=%s", between, v->rows->p->axes[a].name,
                        sweep_rows_label(v->rows, row, a));
            between = ", ";
        }
        report_text(out, "\n");
    }
    if (v->numbered)
        report_text(out, "\n");
}

static void print_undone(struct report_out *out, const struct sweep_result *p)
{
    uint32_t n = p->n_points - sweep_result_count(p, SWEEP_DONE), named = 0;
    if (n == 0)
        return;
    report_text(out, "\n%u point%s not done:\n", n, n == 1 ? " is" : "s are");
    for (uint32_t i = 0; i < p->n_points && named < REPORT_POINTS_NAMED; i++) {
        const struct sweep_point *point = &p->points[i];
        if (point->state == SWEEP_DONE)
            continue;
        char *name = sweep_result_name(p, i);
        report_text(out, "    %u%s%s: %s%s%s\n", i, name[0] ? " " : "", name,
                    sweep_result_state_names[point->state], point->note[0] ? ": " : "",
                    point->note);
        mem_free(name);
        named++;
    }
    if (n > named)
        report_text(out, "    and %u more\n", n - named);
}

static void print_legend(struct report_out *out, const struct view *v)
{
    const struct sweep_rows *rows = v->rows;
    bool unsure = false;
    for (uint32_t i = 0; i < v->n_shown; i++)
        unsure |= rows->rows[i].done && rows->rows[i].at_case->verdict == OVERLOAD_UNSURE;
    if (rows->n > v->n_shown)
        report_text(out, "... and %u more %s, which are in the file\n", rows->n - v->n_shown,
                    rows->folded ? "cases" : "points");
    report_text(out, "\n± half-width of the 95 %% confidence interval, from %s\n",
                rows->folded ? "the replications" : "each run's batches");
    if (unsure)
        report_text(out, "! too short to tell whether the backlog is bounded\n");
}

void report_sweep_print(struct report_out *out, const struct sweep_result *p)
{
    struct sweep_rows *rows = sweep_rows_create(p);
    struct view v = {.rows = rows, .n_shown = rows->n};
    // A page has its own limit, and scrolls; programs take all.
    if (out->format == REPORT_TEXT) {
        v.numbered = label_width(rows) > MOST_LABEL_WIDTH;
        uint32_t most = v.numbered ? REPORT_POINTS_LINES / 2 : REPORT_POINTS_LINES;
        v.n_shown = rows->n < most ? rows->n : most;
    }
    if (rows->many_quantiles)
        snprintf(v.latency_head, sizeof v.latency_head, "latency ms");
    else
        snprintf(v.latency_head, sizeof v.latency_head, "p%.10g ms", rows->quantile * 100);
    print_head(out, &v);
    print_labels(out, &v);
    print_table(out, &v);
    print_legend(out, &v);
    print_undone(out, p);
    sweep_rows_destroy(rows);
}
