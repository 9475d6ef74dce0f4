// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_sweep.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/replications.h"
#include "results/report/report_columns.h"

#define MOST_LABEL_WIDTH 40 // of all label columns; beyond it rows go by number alone
#define MS_PER_S 1e3
#define SHOWN_QUANTILE SUMMARY_P95 // where there is no target

// What is being shown. A row is a case of the replications; where the sweep has no axis of them,
// every point is one.
struct view {
    const struct sweep_result *p;
    const struct replications *fold;
    bool folded; // there are replications: they give the intervals
    uint32_t n_rows, n_shown;
    bool numbered;      // labels are listed above the table
    bool many_services; // some point has more than one
    bool many_targets;  // rows are shown at different percentiles
    double quantile;    // of the first row that is done
    struct report_columns columns;
};

// ---- one row

static uint32_t point_of(const struct view *v, uint32_t row)
{
    return v->fold->cases[row].point;
}

static bool is_done(const struct view *v, uint32_t row)
{
    return v->p->points[point_of(v, row)].state == SWEEP_DONE;
}

#define SERVICE(member) offsetof(struct summary_service, member)
#define FLEET(member) offsetof(struct summary_fleet, member)

// Settings are the same in all replications.
static const struct summary_service *service_of(const struct view *v, uint32_t row, uint32_t sub)
{
    return v->p->services + (size_t)point_of(v, row) * v->p->n_services + sub;
}

static uint32_t n_services_of(const struct view *v, uint32_t row)
{
    return v->p->points[point_of(v, row)].n_services;
}

// The service with a target whose latency is the largest part of it; -1: none has a target.
static int shown_service(const struct view *v, uint32_t row)
{
    int worst = -1;
    double most = -1;
    for (uint32_t s = 0; s < n_services_of(v, row); s++) {
        double target_s = service_of(v, row, s)->sla_s;
        if (!(target_s > 0))
            continue;
        double part =
            replications_at(v->fold, REPLICATED_SERVICES, row, s, SERVICE(sla_latency_s)).value /
            target_s;
        if (worst < 0 || part > most) {
            worst = (int)s;
            most = isnan(part) ? -1 : part;
        }
    }
    return worst;
}

static double shown_quantile(const struct view *v, uint32_t row)
{
    int s = shown_service(v, row);
    return s < 0 ? summary_quantiles[SHOWN_QUANTILE]
                 : service_of(v, row, (uint32_t)s)->sla_quantile;
}

// Without replications the interval is that of the run's own batches.
static struct ci shown_latency(const struct view *v, uint32_t row)
{
    int s = shown_service(v, row);
    if (!v->folded)
        return s < 0 ? v->p->totals[point_of(v, row)].latency_s[SHOWN_QUANTILE]
                     : service_of(v, row, (uint32_t)s)->sla_latency_s;
    return s < 0 ? replications_at(v->fold, REPLICATED_TOTALS, row, 0,
                                   SERVICE(latency_s[SHOWN_QUANTILE]))
                 : replications_at(v->fold, REPLICATED_SERVICES, row, (uint32_t)s,
                                   SERVICE(sla_latency_s));
}

static struct ci busiest(const struct view *v, uint32_t row)
{
    struct ci most = ci_none();
    for (uint32_t g = 0; g < v->p->n_groups; g++) {
        for (int part = 0; part < N_PARTS; part++) {
            struct ci util =
                replications_at(v->fold, part == PART_CPU ? REPLICATED_CPUS : REPLICATED_ACCELS,
                                row, g, offsetof(struct summary_component, util_frac));
            if (isnan(most.value) || util.value > most.value)
                most = util;
        }
    }
    return most;
}

// From best to worst.
static int badness(int32_t sla)
{
    const int rank[] = {[SLA_NONE] = 0, [SLA_MET] = 1, [SLA_UNSURE] = 2, [SLA_MISSED] = 3};
    return rank[sla];
}

static int32_t worst_sla(const struct view *v, uint32_t row)
{
    int32_t worst = SLA_NONE;
    for (uint32_t s = 0; s < n_services_of(v, row); s++) {
        int32_t sla = v->folded ? replications_sla(v->fold, row, s) : service_of(v, row, s)->sla;
        if (badness(sla) > badness(worst))
            worst = sla;
    }
    return worst;
}

static char *verdict_text(const struct view *v, uint32_t row)
{
    const char *const verdicts[] = {"-", "met", "MISSED", "unsure"};
    if (!is_done(v, row))
        return mem_strdup(sweep_result_state_names[v->p->points[point_of(v, row)].state]);
    if (v->folded && v->fold->cases[row].n_overloaded > 0)
        return mem_printf("OVERLOADED %u/%u", v->fold->cases[row].n_overloaded,
                          v->fold->cases[row].n_done);
    if (v->fold->cases[row].verdict == OVERLOAD_YES)
        return mem_strdup("OVERLOADED");
    return mem_printf("%s%s", verdicts[worst_sla(v, row)],
                      v->fold->cases[row].verdict == OVERLOAD_UNSURE ? " !" : "");
}

// ---- the table

// What a row shows beside its latency.
struct numbers {
    struct ci served_qps, busiest_frac, power_w, queries_per_j, lost_frac;
};

#define ROW struct numbers
static const struct data_field number_fields[] = {
    DATA_ESTIMATE(served_qps, "s-1", "queries served per second"),
    DATA_ESTIMATE(busiest_frac, "1", "utilisation of the busiest component"),
    DATA_ESTIMATE(power_w, "W", "power of the fleet"),
    DATA_ESTIMATE(queries_per_j, "J-1", "queries per joule"),
    DATA_ESTIMATE(lost_frac, "1", "fraction of queries that were lost"),
    {0}};
#undef ROW

static bool has_losses(const void *points, const struct report_column *column)
{
    const struct sweep_result *p = points;
    bool lost = false;
    (void)column;
    for (uint32_t i = 0; i < p->n_points; i++)
        lost |= p->totals[i].n_lost > 0;
    return lost;
}

static const struct report_column number_columns[] = {
    {"served qps", "served_qps", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"busiest %", "busiest_frac", REPORT_KNOWN_INTERVAL, .scale = 100},
    {"W", "power_w", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"QPS/W", "queries_per_j", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"lost %", "lost_frac", REPORT_KNOWN_INTERVAL, 100, .wanted = has_losses},
    {0}};

// Are labels on the axis worth a column?
static bool is_shown(const struct view *v, uint32_t axis)
{
    return v->p->axes[axis].n_labels > 1 && !(v->folded && (int)axis == v->p->replication);
}

static int label_width(const struct view *v)
{
    int all = 0;
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        const struct point_axis *axis = &v->p->axes[a];
        int most = table_width_of(axis->name);
        for (uint32_t i = 0; i < axis->n_labels; i++) {
            int width = table_width_of(axis->labels[i]);
            most = width > most ? width : most;
        }
        all += is_shown(v, a) ? most + 2 : 0;
    }
    return all;
}

static int n_labels(const struct view *v)
{
    int n = 1;
    for (uint32_t a = 0; a < v->p->n_axes; a++)
        n += !v->numbered && is_shown(v, a);
    return n;
}

static void add_heads(const struct view *v, struct table *table)
{
    table_cell(table, mem_strdup(v->folded ? "case" : "point"));
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        if (!v->numbered && is_shown(v, a))
            table_cell(table, mem_strdup(v->p->axes[a].name));
    }
    if (v->folded)
        table_cell(table, mem_strdup("done"));
    if (v->many_services)
        table_cell(table, mem_strdup("service"));
    if (v->many_targets)
        table_cell(table, mem_strdup("at"));
    table_cell(table, v->many_targets ? mem_strdup("latency ms")
                                      : mem_printf("p%g ms", v->quantile * 100));
    report_columns_heads(&v->columns, table);
    table_cell(table, mem_strdup("target"));
}

static void add_numbers(const struct view *v, struct table *table, uint32_t row)
{
    struct ci latency = shown_latency(v, row);
    const struct replications *r = v->fold;
    const struct numbers numbers = {
        .served_qps = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(served_qps)),
        .busiest_frac = busiest(v, row),
        .power_w = replications_at(r, REPLICATED_FLEETS, row, 0, FLEET(power_w)),
        .queries_per_j = replications_at(r, REPLICATED_FLEETS, row, 0, FLEET(queries_per_j)),
        .lost_frac = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(lost_frac))};
    table_cell(table, isnan(latency.value)
                          ? mem_strdup("-")
                          : table_interval(latency.value, latency.half_95, MS_PER_S));
    report_columns_row(&v->columns, table, &numbers);
}

static void add_service(const struct view *v, struct table *table, uint32_t row)
{
    int s = shown_service(v, row);
    if (v->many_services && is_done(v, row)) {
        const struct sweep_service *names =
            v->p->service_names + (size_t)point_of(v, row) * v->p->n_services;
        const char *name = s >= 0 ? names[s].name : "(all)";
        table_cell(table, mem_strdup(name && name[0] ? name : "-"));
    } else if (v->many_services) {
        table_cell(table, mem_strdup("-"));
    }
    if (v->many_targets)
        table_cell(table, is_done(v, row) ? mem_printf("p%g", shown_quantile(v, row) * 100)
                                          : mem_strdup("-"));
}

static void add_row(const struct view *v, struct table *table, uint32_t row)
{
    table_cell(table, mem_printf("%u", row));
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        if (!v->numbered && is_shown(v, a))
            table_cell(table, mem_strdup(sweep_result_label(v->p, point_of(v, row), a)));
    }
    if (v->folded)
        table_cell(table, mem_printf("%u/%u", v->fold->cases[row].n_done,
                                     v->fold->cases[row].n_replications));
    add_service(v, table, row);
    add_numbers(v, table, row);
    table_cell(table, verdict_text(v, row));
}

static void print_table(FILE *out, const struct view *v)
{
    struct table *table = table_create(0);
    add_heads(v, table);
    table_line(table);
    for (uint32_t row = 0; row < v->n_shown; row++)
        add_row(v, table, row);
    table_left(table, n_labels(v));
    table_print(table, out);
    table_destroy(table);
}

// ---- round the table

static const char *text_or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

static void print_head(FILE *out, const struct view *v)
{
    const struct sweep_result *p = v->p;
    fprintf(out, "recfleet %s   study %s   sweep   %u point%s", text_or_dash(p->program_version),
            text_or_dash(p->study_name), p->n_points, p->n_points == 1 ? "" : "s");
    if (v->folded)
        fprintf(out, " in %u case%s", v->n_rows, v->n_rows == 1 ? "" : "s");
    const enum sweep_state order[] = {SWEEP_DONE, SWEEP_MISSING, SWEEP_FAILED, SWEEP_FOREIGN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        uint32_t n = sweep_result_count(p, order[i]);
        if (i == 0 || n > 0)
            fprintf(out, "%s%u %s", i == 0 ? "   " : ", ", n, sweep_result_state_names[order[i]]);
    }
    fprintf(out, "\n\n");
}

// "policy=jsq, servers=4" of the axes that are shown.
static void print_labels(FILE *out, const struct view *v, uint32_t row)
{
    const char *between = "";
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        if (!is_shown(v, a))
            continue;
        fprintf(out, "%s%s=%s", between, v->p->axes[a].name,
                sweep_result_label(v->p, point_of(v, row), a));
        between = ", ";
    }
}

static void print_numbers(FILE *out, const struct view *v)
{
    for (uint32_t row = 0; v->numbered && row < v->n_shown; row++) {
        fprintf(out, "%s %u: ", v->folded ? "case" : "point", row);
        print_labels(out, v, row);
        fprintf(out, "\n");
    }
    if (v->numbered)
        fprintf(out, "\n");
}

static void print_undone(FILE *out, const struct sweep_result *p)
{
    uint32_t n = p->n_points - sweep_result_count(p, SWEEP_DONE), named = 0;
    if (n == 0)
        return;
    fprintf(out, "\n%u point%s not done:\n", n, n == 1 ? " is" : "s are");
    for (uint32_t i = 0; i < p->n_points && named < REPORT_POINTS_NAMED; i++) {
        const struct sweep_point *point = &p->points[i];
        if (point->state == SWEEP_DONE)
            continue;
        char *name = sweep_result_name(p, i);
        fprintf(out, "    %u%s%s: %s%s%s\n", i, name[0] ? " " : "", name,
                sweep_result_state_names[point->state], point->note[0] ? ": " : "", point->note);
        mem_free(name);
        named++;
    }
    if (n > named)
        fprintf(out, "    and %u more\n", n - named);
}

static void print_legend(FILE *out, const struct view *v)
{
    bool unsure = false;
    for (uint32_t row = 0; row < v->n_shown; row++)
        unsure |= is_done(v, row) && v->fold->cases[row].verdict == OVERLOAD_UNSURE;
    if (v->n_rows > v->n_shown)
        fprintf(out, "... and %u more %s, which are in the file\n", v->n_rows - v->n_shown,
                v->folded ? "cases" : "points");
    fprintf(out, "\n± half-width of the 95 %% confidence interval, from %s\n",
            v->folded ? "the replications" : "each run's batches");
    if (unsure)
        fprintf(out, "! too short to tell whether the backlog is bounded\n");
}

static struct view view_of(const struct sweep_result *p, const struct replications *fold)
{
    struct view v = {.p = p, .fold = fold, .folded = p->replication >= 0, .n_rows = fold->n_cases};
    // A run's own intervals are in its report; here only replications give some.
    v.columns = (struct report_columns){.list = number_columns,
                                        .fields = number_fields,
                                        .context = p,
                                        .without_intervals = !v.folded};
    v.numbered = label_width(&v) > MOST_LABEL_WIDTH;
    uint32_t most = v.numbered ? REPORT_POINTS_LINES / 2 : REPORT_POINTS_LINES;
    v.n_shown = v.n_rows < most ? v.n_rows : most;
    for (uint32_t i = 0; i < p->n_points; i++)
        v.many_services |= p->points[i].n_services > 1;
    v.quantile = NAN;
    for (uint32_t row = 0; row < v.n_shown; row++) {
        double quantile = is_done(&v, row) ? shown_quantile(&v, row) : NAN;
        v.quantile = isnan(v.quantile) ? quantile : v.quantile;
        v.many_targets |= fabs(quantile - v.quantile) > 1e-9;
    }
    if (isnan(v.quantile))
        v.quantile = summary_quantiles[SHOWN_QUANTILE];
    return v;
}

void report_sweep_print(FILE *out, const struct sweep_result *points)
{
    struct replications *fold = replications_create(points);
    struct view v = view_of(points, fold);
    print_head(out, &v);
    print_numbers(out, &v);
    print_table(out, &v);
    print_legend(out, &v);
    print_undone(out, points);
    replications_destroy(fold);
}
