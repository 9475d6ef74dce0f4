// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_sweep.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "results/file/replications.h"
#include "results/report/report_columns.h"

#define MOST_LABEL_WIDTH 40 // of all label columns; beyond it rows go by number alone
#define MS_PER_S 1e3
#define SHOWN_QUANTILE SUMMARY_P95 // where there is no target

// A line of the table: a case of the replications; where the sweep has no axis of them, every point
// is one.
struct line {
    const struct replications_case *at_case;
    bool done;
    int32_t sla;         // the worst service's
    const char *service; // whose latency is shown: the one that is nearest to missing its target
    double quantile;
    struct ci latency_s, served_qps, goodput_qps, items_per_s, queue_growth_qps, busiest_frac,
        power_w, queries_per_j, lost_frac;
};

struct view {
    const struct sweep_result *p;
    const struct replications *fold;
    bool folded; // there are replications: they give the intervals
    uint32_t n_rows, n_shown;
    struct line *lines;  // [n_shown]
    bool numbered;       // labels are listed above the table
    bool many_services;  // some point has more than one
    bool many_quantiles; // lines are shown at different percentiles
    char latency_head[32];
};

// ---- one line

#define SERVICE(member) offsetof(struct summary_service, member)
#define FLEET(member) offsetof(struct summary_fleet, member)

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

// The verdict is the worst service's, the latency that of the one whose is the largest part of its
// target. Without replications its interval is that of the run's own batches.
static void judge_services(const struct view *v, uint32_t row, struct line *line)
{
    uint32_t point = line->at_case->point;
    const struct summary_service *services = v->p->services + (size_t)point * v->p->n_services;
    double most = NAN;
    line->sla = VERDICT_NOT_ASKED;
    line->service = "(all)";
    line->quantile = summary_quantiles[SHOWN_QUANTILE];
    line->latency_s = v->folded ? replications_at(v->fold, REPLICATED_TOTALS, row, 0,
                                                  SERVICE(latency_s[SHOWN_QUANTILE]))
                                : v->p->totals[point].latency_s[SHOWN_QUANTILE];
    for (uint32_t s = 0; s < v->p->points[point].n_services; s++) {
        struct ci latency =
            replications_at(v->fold, REPLICATED_SERVICES, row, s, SERVICE(sla_latency_s));
        int32_t sla = v->folded ? replications_sla(v->fold, row, s) : services[s].sla;
        line->sla = measurement_worse(line->sla, sla);
        // Settings are the same in all replications.
        if (!(services[s].sla_s > 0))
            continue;
        double part = isnan(latency.value) ? -1 : latency.value / services[s].sla_s;
        if (part <= most) // the first is taken, whatever it is
            continue;
        most = part;
        line->service = v->p->service_names[(size_t)point * v->p->n_services + s].name;
        line->quantile = services[s].sla_quantile;
        line->latency_s = v->folded ? latency : services[s].sla_latency_s;
    }
}

static struct line line_of(const struct view *v, uint32_t row)
{
    const struct replications *r = v->fold;
    struct line line = {
        .at_case = &r->cases[row],
        .done = v->p->points[r->cases[row].point].state == SWEEP_DONE,
        .served_qps = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(served_qps)),
        .goodput_qps = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(goodput_qps)),
        .items_per_s = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(items_per_s)),
        .queue_growth_qps =
            replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(queue_growth_qps)),
        .busiest_frac = busiest(v, row),
        .power_w = replications_at(r, REPLICATED_FLEETS, row, 0, FLEET(power_w)),
        .queries_per_j = replications_at(r, REPLICATED_FLEETS, row, 0, FLEET(queries_per_j)),
        .lost_frac = replications_at(r, REPLICATED_TOTALS, row, 0, SERVICE(lost_frac))};
    judge_services(v, row, &line);
    return line;
}

static char *verdict_text(const struct view *v, const struct line *line)
{
    const char *const verdicts[] = {"met", "unsure", "MISSED", "-"};
    const struct replications_case *c = line->at_case;
    if (!line->done)
        return mem_strdup(sweep_result_state_names[v->p->points[c->point].state]);
    if (v->folded && c->n_overloaded > 0)
        return mem_printf("OVERLOADED %u/%u", c->n_overloaded, c->n_done);
    if (c->verdict == OVERLOAD_YES)
        return mem_strdup("OVERLOADED");
    return mem_printf("%s%s", verdicts[line->sla], c->verdict == OVERLOAD_UNSURE ? " !" : "");
}

// ---- the table

#define ROW struct line
static const struct data_field line_fields[] = {
    DATA_ESTIMATE(latency_s, "s", "latency at the target's percentile"),
    DATA_ESTIMATE(served_qps, "s-1", "queries served per second"),
    DATA_ESTIMATE(goodput_qps, "s-1", "queries served within their target per second"),
    DATA_ESTIMATE(items_per_s, "s-1", "items served per second"),
    DATA_ESTIMATE(queue_growth_qps, "s-1", "queries by which the queues grew per second"),
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

static bool is_overloaded(const void *line)
{
    return ((const struct line *)line)->at_case->verdict == OVERLOAD_YES;
}

static bool has_latency(const void *line)
{
    return !isnan(((const struct line *)line)->latency_s.value);
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

// The heads, or a line.
static void add_line(const struct view *v, struct table *table, const struct line *line)
{
    const struct report_column latency[] = {
        {v->latency_head, "latency_s", REPORT_INTERVAL, MS_PER_S, .shown = has_latency}, {0}};
    // A run's own intervals are in its report; here only replications give some.
    const struct report_columns shown = {.list = latency, .fields = line_fields},
                                numbers = {.list = number_columns,
                                           .fields = line_fields,
                                           .context = v->p,
                                           .without_intervals = !v->folded};
    table_cell(table, line ? mem_printf("%u", (uint32_t)(line - v->lines))
                           : mem_strdup(v->folded ? "case" : "point"));
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        if (!v->numbered && is_shown(v, a))
            table_cell(table, mem_strdup(line ? sweep_result_label(v->p, line->at_case->point, a)
                                              : v->p->axes[a].name));
    }
    if (v->folded)
        table_cell(table,
                   line ? mem_printf("%u/%u", line->at_case->n_done, line->at_case->n_replications)
                        : mem_strdup("done"));
    if (v->many_services)
        table_cell(table, mem_strdup(!line        ? "service"
                                     : line->done ? table_or_dash(line->service)
                                                  : "-"));
    if (v->many_quantiles)
        table_cell(table, line && line->done ? mem_printf("p%.10g", line->quantile * 100)
                                             : mem_strdup(line ? "-" : "at"));
    if (line) {
        report_columns_row(&shown, table, line);
        report_columns_row(&numbers, table, line);
        table_cell(table, verdict_text(v, line));
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
    int n_left = 1;
    add_line(v, table, NULL);
    for (uint32_t row = 0; row < v->n_shown; row++)
        add_line(v, table, &v->lines[row]);
    for (uint32_t a = 0; a < v->p->n_axes; a++)
        n_left += !v->numbered && is_shown(v, a);
    table_left(table, n_left);
    table_print(table, out, v->folded ? "cases" : "points");
    table_destroy(table);
}

// ---- round the table

static void print_head(struct report_out *out, const struct view *v)
{
    const struct sweep_result *p = v->p;
    report_text(out, "recfleet %s   study %s   sweep   %u point%s",
                table_or_dash(p->program_version), table_or_dash(p->study_name), p->n_points,
                p->n_points == 1 ? "" : "s");
    if (v->folded)
        report_text(out, " in %u case%s", v->n_rows, v->n_rows == 1 ? "" : "s");
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
        report_text(out, "%s %u: ", v->folded ? "case" : "point", row);
        for (uint32_t a = 0; a < v->p->n_axes; a++) {
            if (!is_shown(v, a))
                continue;
            report_text(out, "%s%s=%s", between, v->p->axes[a].name,
                        sweep_result_label(v->p, v->fold->cases[row].point, a));
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
    bool unsure = false;
    for (uint32_t row = 0; row < v->n_shown; row++)
        unsure |= v->lines[row].done && v->fold->cases[row].verdict == OVERLOAD_UNSURE;
    if (v->n_rows > v->n_shown)
        report_text(out, "... and %u more %s, which are in the file\n", v->n_rows - v->n_shown,
                    v->folded ? "cases" : "points");
    report_text(out, "\n± half-width of the 95 %% confidence interval, from %s\n",
                v->folded ? "the replications" : "each run's batches");
    if (unsure)
        report_text(out, "! too short to tell whether the backlog is bounded\n");
}

// The lines that are shown, and what all of them say of percentiles.
static void make_lines(struct view *v)
{
    double quantile = NAN; // of the first that is done
    v->lines = mem_calloc(v->n_shown, sizeof *v->lines);
    for (uint32_t row = 0; row < v->n_shown; row++) {
        v->lines[row] = line_of(v, row);
        if (!v->lines[row].done)
            continue;
        quantile = isnan(quantile) ? v->lines[row].quantile : quantile;
        v->many_quantiles |= fabs(v->lines[row].quantile - quantile) > 1e-9;
    }
    if (isnan(quantile))
        quantile = summary_quantiles[SHOWN_QUANTILE];
    if (v->many_quantiles)
        snprintf(v->latency_head, sizeof v->latency_head, "latency ms");
    else
        snprintf(v->latency_head, sizeof v->latency_head, "p%.10g ms", quantile * 100);
}

void report_sweep_print(struct report_out *out, const struct sweep_result *p)
{
    struct replications *fold = replications_create(p);
    struct view v = {.p = p, .fold = fold, .folded = p->replication >= 0, .n_rows = fold->n_cases};
    v.numbered = label_width(&v) > MOST_LABEL_WIDTH;
    uint32_t most = v.numbered ? REPORT_POINTS_LINES / 2 : REPORT_POINTS_LINES;
    v.n_shown = v.n_rows < most ? v.n_rows : most;
    for (uint32_t i = 0; i < p->n_points; i++)
        v.many_services |= p->points[i].n_services > 1;
    make_lines(&v);
    print_head(out, &v);
    print_labels(out, &v);
    print_table(out, &v);
    print_legend(out, &v);
    print_undone(out, p);
    mem_free(v.lines);
    replications_destroy(fold);
}
