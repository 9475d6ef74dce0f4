// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/report_chart.h"
#include "results/report/report_sweep.h"
#include "results/report/sweep_answer.h"
#include "results/report/table.h"

#define MS 1e3
#define WIDE_TAIL 20.0 // largest over smallest latency from which its axis is logarithmic
#define WIDE_X 50.0    // the same of the axis along x
#define MOST_FACETS 6u
#define MANY_SERIES 8u // above it they are spread over panels
#define HEAT_CELLS 2500u

// ---- words

static struct ci scaled(struct ci ci, double scale)
{
    return (struct ci){ci.value * scale, ci.half_95 * scale, ci.n_batches};
}

// Where intervals are from, and over which time.
static char *interval_text(const struct sweep_rows *v)
{
    const struct sweep_point *first = NULL;
    bool same = true;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct sweep_point *p = &v->p->points[v->rows[i].at_case->point];
        if (!v->rows[i].done)
            continue;
        first = first ? first : p;
        same &= p->measured_from_s == first->measured_from_s &&
                p->measured_to_s == first->measured_to_s;
    }
    char *time = first && same
                     ? mem_printf("%g s .. %g s", first->measured_from_s, first->measured_to_s)
                     : mem_strdup("after each run's warm-up");
    char *text = mem_printf("Measured %s; 95 %% intervals from %s.", time,
                            v->folded ? "the replications" : "each run's batches");
    mem_free(time);
    return text;
}

static char *latency_text(const struct sweep_rows *v)
{
    char *tail = sweep_rows_tail_name(v);
    char *text =
        mem_printf("%s%s%s", tail, v->many_quantiles ? " at the percentile of the target" : "",
                   v->many_services ? " of the service that is nearest to missing its target" : "");
    mem_free(tail);
    return text;
}

// ---- key numbers

static char *row_name(const struct sweep_rows *v, int row)
{
    return row < 0 ? mem_strdup("") : sweep_rows_name(v, (uint32_t)row, ", ", -1, -1);
}

// "jsq and 2 more" of the series that hold the highest load; *row: one of them, -1: none does.
static char *highest_text(const struct sweep_rows *v, int *row)
{
    uint32_t n = 0, n_none, *list = v->x_is_load ? sweep_answer_highest(v, &n, &n_none) : NULL;
    *row = n > 0 ? (int)list[0] : -1;
    char *name = n > 0 ? sweep_rows_name(v, list[0], ", ", v->x_axis, -1) : mem_strdup("");
    char *text = n > 1 ? mem_printf("%s and %u more", name, n - 1) : mem_strdup(name);
    mem_free(name);
    mem_free(list);
    return text;
}

static char *estimate(struct ci ci, double scale)
{
    return isnan(ci.half_95) ? table_number(ci.value * scale)
                             : table_interval(ci.value, ci.half_95, scale);
}

static char *of_text(uint32_t part, uint32_t whole)
{
    return mem_printf("%u of %u", part, whole);
}

static void print_keys(struct report_out *out, const struct sweep_rows *v)
{
    const struct sweep_result *p = v->p;
    // The lowest load has the lowest tail: no news.
    int tail = v->x_is_load ? -1 : sweep_answer_lowest_tail(v),
        joule = sweep_answer_most_per_joule(v), held;
    char *holder = highest_text(v, &held);
    uint32_t met = 0, asked = 0, overloaded = 0, n_keys = 0;
    unsigned long long queries = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        asked += v->rows[i].done && v->rows[i].sla != VERDICT_NOT_ASKED;
        met += v->rows[i].sla == VERDICT_MET && sweep_rows_holds(v, i);
        overloaded += v->rows[i].overloaded;
    }
    for (uint32_t i = 0; i < p->n_points; i++)
        queries += p->points[i].state == SWEEP_DONE ? p->points[i].info.n_queries : 0;
    char *name = sweep_rows_tail_name(v);
    char *texts[] = {
        of_text(sweep_result_count(p, SWEEP_DONE), p->n_points),
        of_text(met, asked),
        of_text(overloaded, v->n),
        mem_printf("lowest %s, ms", name),
        tail < 0 ? NULL : estimate(v->rows[tail].latency_s, MS),
        row_name(v, tail),
        joule < 0 ? NULL : estimate(v->rows[joule].queries_per_j, 1),
        row_name(v, joule),
        held < 0 ? NULL : mem_strdup(sweep_rows_label(v, (uint32_t)held, (uint32_t)v->x_axis)),
        holder,
        mem_printf("%llu", queries)};
    struct page_key keys[8];
    keys[n_keys++] = (struct page_key){"points done", texts[0], NULL};
    if (asked > 0)
        keys[n_keys++] = (struct page_key){v->folded ? "cases that meet their target"
                                                     : "points that meet their target",
                                           texts[1], NULL};
    if (overloaded > 0)
        keys[n_keys++] = (struct page_key){"overloaded", texts[2], NULL};
    if (held >= 0)
        keys[n_keys++] = (struct page_key){asked > 0 ? "highest load within the target"
                                                     : "highest load without overload",
                                           texts[8], texts[9]};
    if (tail >= 0)
        keys[n_keys++] = (struct page_key){texts[3], texts[4], texts[5]};
    if (joule >= 0)
        keys[n_keys++] = (struct page_key){"most queries per joule (QPS/W)", texts[6], texts[7]};
    keys[n_keys++] = (struct page_key){"queries simulated", texts[10], NULL};
    page_keys(out, keys, n_keys);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    mem_free(name);
}

// ---- latency axes

// The target of all rows; NaN where they differ or have none.
static double common_target_s(const struct sweep_rows *v)
{
    double target_s = NAN;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct sweep_row *r = &v->rows[i];
        if (!r->done)
            continue;
        if (isnan(target_s))
            target_s = r->sla_s;
        if (fabs(r->sla_s - target_s) > 1e-12)
            return NAN;
    }
    return target_s > 0 && !v->many_quantiles ? target_s : (double)NAN;
}

// One for all panels.
static struct scale latency_axis(const struct sweep_rows *v)
{
    double least = INFINITY, most = 0, target = common_target_s(v) * MS;
    for (uint32_t i = 0; i < v->n; i++) {
        struct ci ci = scaled(v->rows[i].latency_s, MS);
        least = fmin(least, ci.value);
        most = fmax(most, isnan(ci.half_95) ? ci.value : ci.value + ci.half_95);
    }
    int kind = most > WIDE_TAIL * least ? SCALE_LOG : SCALE_LINEAR;
    return scale_fit(kind, kind == SCALE_LOG ? fmin(least, target) : 0, fmax(most, target), 5);
}

static void mark_target(struct chart *c, uint32_t panel, int mark, const struct sweep_rows *v)
{
    double target_s = common_target_s(v);
    char *name = mem_printf("target: p%.10g %.6g ms", v->quantile * 100, target_s * MS);
    chart_rule(c, panel, mark, name, target_s * MS);
    mem_free(name);
}

// ---- against the axis along x

// Seconds as people say them, and the unit of the axis; "1" and unknown ones have none.
static double x_unit(const struct sweep_rows *v, const char **unit)
{
    const char *const plain[] = {"W", "J", "items", "byte", "Hz", NULL};
    *unit = "";
    for (const char *const *u = plain; *u; u++)
        if (strcmp(v->x_units, *u) == 0)
            *unit = *u;
    if (strcmp(v->x_units, "s-1") == 0)
        *unit = "per second";
    if (strcmp(v->x_units, "s") == 0) {
        double most = 0;
        for (uint32_t i = 0; i < v->n; i++)
            most = fmax(most, sweep_rows_x(v, i));
        struct table_unit time = table_time_unit(most);
        *unit = time.name;
        return time.scale;
    }
    return 1;
}

static void set_x(struct chart *c, const struct sweep_rows *v)
{
    const char *unit, *axis = v->p->axes[v->x_axis].name;
    x_unit(v, &unit);
    char *label = v->x ? mem_strdup(axis) : mem_printf("%s: queries that arrive", axis);
    double least = INFINITY, most = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        least = fmin(least, sweep_rows_x(v, i));
        most = fmax(most, sweep_rows_x(v, i));
    }
    chart_axis_x(c, least > 0 && most > WIDE_X * least ? SCALE_LOG : SCALE_LINEAR, label, unit);
    mem_free(label);
}

// The axis whose labels get a panel each; -1: none. That with the fewest.
static int facet_axis(const struct sweep_rows *v)
{
    int facet = -1;
    if (v->n_series <= MANY_SERIES || sweep_rows_n_shown(v) < 3)
        return -1;
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        uint32_t n = v->p->axes[a].n_labels;
        if ((int)a != v->x_axis && sweep_rows_shows(v, a) && n <= MOST_FACETS &&
            (facet < 0 || n < v->p->axes[facet].n_labels))
            facet = (int)a;
    }
    return facet;
}

// How many names are drawn so far; *known: this is one of them.
static uint32_t n_names(const struct chart *c, const char *name, bool *known)
{
    uint32_t n = 0;
    *known = false;
    for (uint32_t i = 0; i < c->n_series; i++) {
        bool first = true;
        for (uint32_t k = 0; k < i && first; k++)
            first = strcmp(c->series[k].name, c->series[i].name) != 0;
        n += first;
        *known |= strcmp(c->series[i].name, name) == 0;
    }
    return n;
}

typedef struct ci (*number_fn)(const struct sweep_row *row);

static struct ci tail_ms(const struct sweep_row *row)
{
    return scaled(row->latency_s, MS);
}

static struct ci busiest_percent(const struct sweep_row *row)
{
    return scaled(row->busiest_frac, 100);
}

static struct ci per_joule(const struct sweep_row *row)
{
    return row->queries_per_j;
}

static struct ci power_w(const struct sweep_row *row)
{
    return row->power_w;
}

static struct ci goodput_qps(const struct sweep_row *row)
{
    return row->goodput_qps;
}

static struct ci lost_percent(const struct sweep_row *row)
{
    return scaled(row->lost_frac, 100);
}

// One line of a series; `leaves`: what is overloaded is beyond the picture.
static void add_line(struct chart *c, uint32_t panel, const char *name, const struct sweep_rows *v,
                     uint32_t series, number_fn number, bool leaves)
{
    const char *unit;
    double scale = x_unit(v, &unit);
    uint32_t line = chart_series(c, panel, CHART_LINE, name);
    for (uint32_t i = v->first[series]; i < v->first[series + 1]; i++) {
        const struct sweep_row *row = &v->rows[v->order[i]];
        struct ci ci = number(row);
        double x = sweep_rows_x(v, v->order[i]) * scale;
        if (!row->done || isnan(x))
            continue;
        if (leaves && row->overloaded)
            chart_add(c, line, x, INFINITY);
        else
            chart_add_ci(c, line, x, ci.value, ci.half_95);
    }
}

// One line more of those behind.
static void add_rest(struct chart *c, uint32_t panel, const struct sweep_rows *v, uint32_t series,
                     number_fn number, bool leaves)
{
    const char *unit;
    double scale = x_unit(v, &unit);
    uint32_t rest = 0;
    while (rest < c->n_series &&
           (c->series[rest].mark != CHART_REST || c->series[rest].panel != panel))
        rest++;
    if (rest == c->n_series)
        rest = chart_series(c, panel, CHART_REST, "the others");
    for (uint32_t i = v->first[series]; i < v->first[series + 1]; i++) {
        const struct sweep_row *row = &v->rows[v->order[i]];
        chart_add(c, rest, sweep_rows_x(v, v->order[i]) * scale,
                  leaves && row->overloaded ? (double)INFINITY : number(row).value);
    }
    chart_add(c, rest, NAN, NAN);
}

// The lines of all series into the panel; with a facet axis those of a label into panel + label.
// How many have no name, beyond the first PAGE_SWEEP_SERIES.
static uint32_t add_lines(struct chart *c, uint32_t panel, const struct sweep_rows *v, int facet,
                          number_fn number, bool leaves)
{
    uint32_t left_out = 0;
    for (uint32_t s = 0; s < v->n_series; s++) {
        uint32_t row = v->order[v->first[s]], at = panel;
        char *name = sweep_rows_name(v, row, ", ", v->x_axis, facet);
        if (facet >= 0)
            at +=
                v->p->values[(size_t)v->rows[row].at_case->point * v->p->n_axes + (uint32_t)facet];
        bool known;
        uint32_t n = n_names(c, *name ? name : "the fleet", &known);
        if (known || n < PAGE_SWEEP_SERIES)
            add_line(c, at, *name ? name : "the fleet", v, s, number, leaves);
        else
            add_rest(c, at, v, s, number, leaves);
        left_out += !known && n >= PAGE_SWEEP_SERIES;
        mem_free(name);
    }
    return left_out;
}

static char *behind_text(uint32_t left_out, uint32_t n)
{
    return left_out == 0 ? mem_strdup("")
                         : mem_printf(" The first %u of %u series have colours and names; the "
                                      "other %u are thin grey lines, which the table of all points "
                                      "names.",
                                      n - left_out, n, left_out);
}

static char *left_out_text(uint32_t left_out, uint32_t n)
{
    return left_out == 0 ? mem_strdup("")
                         : mem_printf(" The first %u of %u are drawn; the table below has "
                                      "all.",
                                      n - left_out, n);
}

// " random, power-of-two are overloaded at all of them."
static char *never_text(const struct sweep_rows *v)
{
    char *names = mem_strdup("");
    uint32_t n = 0;
    for (uint32_t s = 0; s < v->n_series; s++) {
        bool any = false, all = true;
        for (uint32_t i = v->first[s]; i < v->first[s + 1]; i++) {
            any |= v->rows[v->order[i]].overloaded;
            all &= v->rows[v->order[i]].overloaded || !v->rows[v->order[i]].done;
        }
        if (!any || !all || n++ >= 3)
            continue;
        char *name = sweep_rows_name(v, v->order[v->first[s]], ", ", v->x_axis, -1);
        char *longer = mem_printf("%s%s%s", names, *names ? ", " : "", *name ? name : "the fleet");
        mem_free(names);
        mem_free(name);
        names = longer;
    }
    char *text = n == 0   ? mem_strdup("")
                 : n <= 3 ? mem_printf(" Overloaded at all of them: %s.", names)
                          : mem_printf(" Overloaded at all of them: %s and %u more.", names, n - 3);
    mem_free(names);
    return text;
}

static bool any_overloaded(const struct sweep_rows *v)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (v->rows[i].overloaded)
            return true;
    return false;
}

static void print_knee(struct report_out *out, const struct sweep_rows *v)
{
    int facet = facet_axis(v);
    char *tail = sweep_rows_tail_name(v), *what = latency_text(v), *when = interval_text(v);
    const char *axis = v->p->axes[v->x_axis].name;
    char *title = v->x_is_load ? mem_strdup("The knee: latency against load")
                               : mem_printf("Latency against %s", axis);
    struct chart *c = chart_create(v->x_is_load ? "knee" : "latency-against", title);
    set_x(c, v);
    for (uint32_t i = 0; facet >= 0 && i < v->p->axes[facet].n_labels; i++) {
        char *name = mem_printf("%s %s", v->p->axes[facet].name, v->p->axes[facet].labels[i]);
        if (i > 0)
            chart_panel(c, name);
        else
            chart_panel_title(c, 0, name);
        mem_free(name);
    }
    struct scale y = latency_axis(v);
    for (uint32_t i = 0; i < c->n_panels; i++) {
        chart_axis_y(c, i, y.kind, tail, "ms");
        chart_axis_range(&c->panels[i].y, y.from, y.to);
    }
    uint32_t left_out = add_lines(c, 0, v, facet, tail_ms, true);
    for (uint32_t i = 0; i < c->n_panels; i++)
        mark_target(c, i, CHART_RULE_Y, v);
    char *left = behind_text(left_out, v->n_series), *never = never_text(v);
    chart_caption(c, "%s at each %s. %s%s%s%s", what, axis, when,
                  any_overloaded(v) ? " A line that leaves the picture at the top is overloaded "
                                      "from there on: latency grows without bound."
                                    : "",
                  never, left);
    report_chart(out, c);
    char *const texts[] = {tail, what, when, title, left, never};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
}

static bool is_known(const struct sweep_rows *v, number_fn number, bool positive)
{
    for (uint32_t i = 0; i < v->n; i++) {
        double value = number(&v->rows[i]).value;
        if (isfinite(value) && (!positive || value > 0))
            return true;
    }
    return false;
}

// What is shown of the fleet, in panels or as bars.
static const struct {
    number_fn number;
    const char *id, *title, *label, *unit;
    double most;   // of its axis; NaN: as the numbers want it
    bool positive; // shown only where it is anywhere above zero
} measures[] = {
    {busiest_percent, "utilisation", "Utilisation of the busiest part", "", "%", 100, false},
    {per_joule, "efficiency", "Queries per joule", "QPS/W", "", NAN, false},
    {power_w, "power", "Power of the fleet", "", "W", NAN, false},
    {goodput_qps, "goodput", "Served within the target", "per second", "", NAN, false},
    {lost_percent, "lost", "Queries lost", "", "%", NAN, true}};
#define N_MEASURES (sizeof measures / sizeof *measures)

static void print_fleet(struct report_out *out, const struct sweep_rows *v)
{
    char *when = interval_text(v);
    char *title =
        mem_printf("Utilisation, power and throughput against %s", v->p->axes[v->x_axis].name);
    struct chart *c = chart_create("fleet-against", title);
    uint32_t left_out = 0, n = 0;
    set_x(c, v);
    for (size_t i = 0; i < N_MEASURES; i++) {
        if (!is_known(v, measures[i].number, measures[i].positive))
            continue;
        uint32_t panel = n++ == 0 ? 0 : chart_panel(c, NULL);
        chart_panel_title(c, panel, measures[i].title);
        chart_axis_y(c, panel, SCALE_LINEAR, measures[i].label, measures[i].unit);
        chart_axis_range(&c->panels[panel].y, 0, measures[i].most);
        left_out = add_lines(c, panel, v, -1, measures[i].number, false);
    }
    char *left = behind_text(left_out, v->n_series);
    chart_caption(c,
                  "The busiest of the cores and accelerators of all groups; queries served per "
                  "joule; watts; queries served within the target per second. %s%s",
                  when, left);
    report_chart(out, c);
    mem_free(title);
    mem_free(when);
    mem_free(left);
}

// ---- bars

// The row's labels, and why there is no bar.
static char *bar_name(const struct sweep_rows *v, uint32_t i)
{
    const struct sweep_row *row = &v->rows[i];
    char *name = sweep_rows_name(v, i, ", ", -1, -1);
    const char *state = row->overloaded ? "overloaded"
                        : row->done
                            ? ""
                            : sweep_result_state_names[v->p->points[row->at_case->point].state];
    char *text = mem_printf("%s%s%s%s", *name ? name : "the fleet", *state ? " (" : "", state,
                            *state ? ")" : "");
    mem_free(name);
    return text;
}

// What bars differ in.
static const char *only_axis(const struct sweep_rows *v)
{
    for (uint32_t a = 0; a < v->p->n_axes && sweep_rows_n_shown(v) == 1; a++)
        if (sweep_rows_shows(v, a))
            return v->p->axes[a].name;
    return v->folded ? "case" : "point";
}

static struct chart *bars_of(const struct sweep_rows *v, const char *id, const char *title,
                             uint32_t *n)
{
    char *names[PAGE_SWEEP_SERIES];
    struct chart *c = chart_create(id, title);
    *n = v->n < PAGE_SWEEP_SERIES ? v->n : PAGE_SWEEP_SERIES;
    for (uint32_t i = 0; i < *n; i++)
        names[i] = bar_name(v, i);
    chart_axis_y(c, 0, SCALE_NAMES, only_axis(v), "");
    chart_axis_names(&c->panels[0].y, (const char *const *)names, *n);
    for (uint32_t i = 0; i < *n; i++)
        mem_free(names[i]);
    return c;
}

static void add_bars(struct chart *c, const char *name, const struct sweep_rows *v, uint32_t n,
                     number_fn number)
{
    uint32_t bars = chart_series(c, 0, CHART_BARS, name);
    for (uint32_t i = 0; i < n; i++) {
        struct ci ci = number(&v->rows[i]);
        chart_add_ci(c, bars, v->rows[i].done ? ci.value : (double)NAN, i, ci.half_95);
    }
}

static struct ci p50_ms(const struct sweep_row *row)
{
    return scaled(row->p50_s, MS);
}

static struct ci p95_ms(const struct sweep_row *row)
{
    return scaled(row->p95_s, MS);
}

static struct ci p99_ms(const struct sweep_row *row)
{
    return scaled(row->p99_s, MS);
}

static void print_latency_bars(struct report_out *out, const struct sweep_rows *v)
{
    uint32_t n;
    char *when = interval_text(v);
    struct chart *c = bars_of(v, "latency-bars", "Latency compared", &n);
    char *left = left_out_text(v->n - n, v->n);
    chart_axis_x(c, SCALE_LINEAR, "latency", "ms");
    chart_axis_range(&c->x, 0, NAN);
    add_bars(c, "p50", v, n, p50_ms);
    add_bars(c, "p95", v, n, p95_ms);
    add_bars(c, "p99", v, n, p99_ms);
    if (!v->many_services)
        mark_target(c, 0, CHART_RULE_X, v);
    chart_caption(c, "p50, p95 and p99 of all queries.%s %s%s",
                  any_overloaded(v) ? " What is overloaded has no latency." : "", when, left);
    report_chart(out, c);
    mem_free(when);
    mem_free(left);
}

static void print_measure_bars(struct report_out *out, const struct sweep_rows *v)
{
    char *when = interval_text(v);
    for (size_t i = 0; i < N_MEASURES; i++) {
        uint32_t n;
        if (!is_known(v, measures[i].number, measures[i].positive))
            continue;
        struct chart *c = bars_of(v, measures[i].id, measures[i].title, &n);
        char *left = left_out_text(v->n - n, v->n);
        chart_axis_x(c, SCALE_LINEAR, measures[i].label, measures[i].unit);
        chart_axis_range(&c->x, 0, measures[i].most);
        add_bars(c, measures[i].title, v, n, measures[i].number);
        chart_caption(c, "%s. %s%s", measures[i].title, when, left);
        report_chart(out, c);
        mem_free(left);
    }
    mem_free(when);
}

// ---- a heat map of two axes

static void print_map(struct report_out *out, const struct sweep_rows *v)
{
    uint32_t axes[2], n = 0;
    for (uint32_t a = 0; a < v->p->n_axes && n < 2; a++)
        if (sweep_rows_shows(v, a))
            axes[n++] = a;
    const struct point_axis *down = &v->p->axes[axes[0]], *across = &v->p->axes[axes[1]];
    if (down->n_labels > across->n_labels) {
        const struct point_axis *swap = down;
        down = across;
        across = swap;
        uint32_t number = axes[0];
        axes[0] = axes[1];
        axes[1] = number;
    }
    char *what = latency_text(v), *tail = sweep_rows_tail_name(v), *when = interval_text(v);
    char *title = mem_printf("%s by %s and %s", tail, down->name, across->name);
    struct chart *c = chart_create("map", title);
    chart_axis_x(c, SCALE_NAMES, across->name, "");
    chart_axis_names(&c->x, (const char *const *)across->labels, across->n_labels);
    chart_axis_y(c, 0, SCALE_NAMES, down->name, "");
    chart_axis_names(&c->panels[0].y, (const char *const *)down->labels, down->n_labels);
    c->z_label = mem_printf("%s, ms", tail);
    uint32_t cells = chart_series(c, 0, CHART_CELLS, tail);
    for (uint32_t i = 0; i < v->n; i++) {
        const uint32_t *at = v->p->values + (size_t)v->rows[i].at_case->point * v->p->n_axes;
        double x = at[axes[1]], y = at[axes[0]];
        chart_point(c, cells,
                    (struct chart_point){x, y, x - 0.5, x + 0.5, v->rows[i].latency_s.value * MS});
    }
    c->z_kind = chart_is_wide(c) ? SCALE_LOG : SCALE_LINEAR;
    chart_caption(c, "%s.%s %s", what,
                  any_overloaded(v) ? " Cells without a colour are overloaded or not done." : "",
                  when);
    report_chart(out, c);
    char *const texts[] = {what, tail, when, title};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
}

// Two axes of at least three labels each, or more points than there is room for as bars.
static bool wants_map(const struct sweep_rows *v)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t a = 0; a < v->p->n_axes; a++)
        if (sweep_rows_shows(v, a) && v->p->axes[a].n_labels < least)
            least = v->p->axes[a].n_labels;
    return sweep_rows_n_shown(v) == 2 && v->n <= HEAT_CELLS &&
           (least > 2 || (v->x_axis < 0 && v->n > PAGE_SWEEP_SERIES));
}

// ---- the whole

static char *subtitle_of(const struct sweep_rows *v)
{
    const struct sweep_result *p = v->p;
    char *axes = mem_strdup("");
    for (uint32_t a = 0; a < p->n_axes; a++) {
        if (!sweep_rows_shows(v, a))
            continue;
        char *longer = mem_printf("%s%s%s (%u)", axes, *axes ? " x " : " of ", p->axes[a].name,
                                  p->axes[a].n_labels);
        mem_free(axes);
        axes = longer;
    }
    char *text =
        mem_printf("a sweep of recfleet %s: %u point%s%s", table_or_dash(p->program_version),
                   p->n_points, p->n_points == 1 ? "" : "s", axes);
    mem_free(axes);
    if (!v->folded)
        return text;
    char *longer = mem_printf("%s, %u replications", text, p->axes[p->replication].n_labels);
    mem_free(text);
    return longer;
}

static void print_pictures(struct report_out *out, const struct sweep_rows *v)
{
    page_heading(out, "latency",
                 v->x_axis < 0  ? "Latency"
                 : v->x_is_load ? "Latency and load"
                                : "Latency");
    if (v->x_axis >= 0)
        print_knee(out, v);
    else
        print_latency_bars(out, v);
    if (wants_map(v))
        print_map(out, v);
    page_heading(out, "fleet", "The fleet");
    if (v->x_axis >= 0)
        print_fleet(out, v);
    else
        print_measure_bars(out, v);
}

void page_sweep_print(struct report_out *out, const struct sweep_result *p)
{
    struct sweep_rows *v = sweep_rows_create(p);
    char *subtitle = subtitle_of(v);
    struct page *page = page_open(out, table_or_dash(p->study_name), subtitle);
    sweep_answer_print(out, v);
    print_keys(out, v);
    if (sweep_result_count(p, SWEEP_DONE) > 0)
        print_pictures(out, v);
    page_heading(out, "tables", "All numbers");
    report_sweep_print(out, p);
    if (p->study_text)
        page_source(out, "The study", p->study_text);
    page_close(page);
    mem_free(subtitle);
    sweep_rows_destroy(v);
}
