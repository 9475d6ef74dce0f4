// SPDX-License-Identifier: Apache-2.0
#include "results/report/published.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/report_chart.h"
#include "results/report/table.h"

const char *const published_quantity_names[] = {"qps", "queries_per_j", NULL};

struct published *published_create(const char *path, uint32_t n_axes)
{
    struct published *p = mem_calloc(1, sizeof *p);
    p->path = mem_strdup(path);
    p->n_axes = n_axes;
    return p;
}

void published_drop(struct published *p)
{
    struct published_row *row = &p->rows[--p->n_rows];
    mem_free(row->figure);
    mem_free(row->source);
    mem_free(row->at);
    mem_free(row->baseline_at);
}

void published_destroy(struct published *p)
{
    if (!p)
        return;
    while (p->n_rows > 0)
        published_drop(p);
    mem_free(p->rows);
    mem_free(p->path);
    mem_free(p->text);
    mem_free(p);
}

struct published_row *published_add(struct published *p)
{
    p->rows = mem_realloc(p->rows, p->n_rows + 1, sizeof *p->rows);
    struct published_row *row = &p->rows[p->n_rows++];
    *row = (struct published_row){.baseline = -1, .value = NAN};
    row->at = mem_calloc(p->n_axes + 1, sizeof *row->at);
    row->baseline_at = mem_calloc(p->n_axes + 1, sizeof *row->baseline_at);
    for (uint32_t a = 0; a < p->n_axes; a++)
        row->at[a] = row->baseline_at[a] = PUBLISHED_ANY;
    return row;
}

// ---- ours

static bool has_labels(const struct tuning_result *t, uint32_t point, const uint32_t *at)
{
    const uint32_t *values = t->grid.values + (size_t)point * t->grid.n_axes;
    bool has = true;
    for (uint32_t a = 0; a < t->grid.n_axes; a++)
        has &= at[a] == PUBLISHED_ANY || at[a] == values[a];
    return has;
}

// The point like that one but for the baseline's labels; n_points: there is none.
static uint32_t baseline_point(const struct tuning_result *t, uint32_t point, const uint32_t *at)
{
    const uint32_t *own = t->grid.values + (size_t)point * t->grid.n_axes;
    uint32_t i = 0;
    if (has_labels(t, point, at))
        return point;
    for (bool fits = false; !fits && i < t->grid.n_points; i += !fits) {
        const uint32_t *values = t->grid.values + (size_t)i * t->grid.n_axes;
        fits = true;
        for (uint32_t a = 0; a < t->grid.n_axes; a++)
            fits &= values[a] == (at[a] == PUBLISHED_ANY ? own[a] : at[a]);
    }
    return i;
}

struct bracket {
    double value, low, high;
};

// False: not known, or too widely.
static bool bracket_of(const struct tuning_outcome *o, int quantity, struct bracket *b)
{
    double most = (1 + PUBLISHED_WIDEST_FRAC) * o->qps;
    if (o->state != TUNING_FOUND || !(o->qps > 0) || !(o->missed_qps <= most))
        return false;
    *b = quantity == PUBLISHED_QPS ? (struct bracket){o->qps, o->qps, o->missed_qps}
                                   : (struct bracket){o->at_qps.queries_per_j, NAN, NAN};
    return b->value > 0;
}

static bool number_at(const struct published_row *row, const struct tuning_result *t,
                      uint32_t point, struct bracket *b)
{
    struct bracket under = {1, 1, 1};
    if (!bracket_of(tuning_result_outcome_at(t, point, row->policy), row->quantity, b))
        return false;
    if (row->baseline >= 0) {
        uint32_t base = baseline_point(t, point, row->baseline_at);
        if (base == t->grid.n_points ||
            !bracket_of(tuning_result_outcome_at(t, base, (uint32_t)row->baseline), row->quantity,
                        &under))
            return false;
    }
    // From the worst of the one over the best of the other to the reverse.
    *b = (struct bracket){b->value / under.value, b->low / under.high, b->high / under.low};
    return true;
}

struct published_mean published_mean_of(const struct published_row *row,
                                        const struct tuning_result *t)
{
    struct published_mean m = {.n = 0};
    for (uint32_t point = 0; point < t->grid.n_points; point++) {
        struct bracket b;
        if (!has_labels(t, point, row->at))
            continue;
        m.n_all++;
        if (!number_at(row, t, point, &b))
            continue;
        m.n++;
        m.arithmetic += b.value;
        m.arithmetic_low += b.low;
        m.arithmetic_high += b.high;
        m.geometric += log(b.value);
        m.geometric_low += log(b.low);
        m.geometric_high += log(b.high);
    }
    double each = m.n > 0 ? 1.0 / m.n : (double)NAN;
    m.arithmetic *= each;
    m.arithmetic_low *= each;
    m.arithmetic_high *= each;
    m.geometric = exp(m.geometric * each);
    m.geometric_low = exp(m.geometric_low * each);
    m.geometric_high = exp(m.geometric_high * each);
    return m;
}

// ---- words

static bool same_figure(const struct published *p, uint32_t a, uint32_t b)
{
    return strcmp(p->rows[a].figure, p->rows[b].figure) == 0;
}

static bool is_first(const struct published *p, uint32_t row)
{
    uint32_t first = 0;
    while (!same_figure(p, first, row))
        first++;
    return first == row;
}

// The labels that tell the row from the others of its figure; all of them if it is the only one.
static char *name_of(const struct published *p, uint32_t row, const struct tuning_result *t)
{
    char *differing = mem_strdup(""), *all = mem_strdup("");
    for (uint32_t a = 0; a < p->n_axes; a++) {
        bool differs = false;
        const uint32_t at = p->rows[row].at[a];
        for (uint32_t i = 0; i < p->n_rows; i++)
            differs |= same_figure(p, i, row) && p->rows[i].at[a] != at;
        char **const both[] = {differs ? &differing : NULL, at == PUBLISHED_ANY ? NULL : &all};
        const char *label = at == PUBLISHED_ANY ? "all" : t->grid.axes[a].labels[at];
        for (size_t i = 0; i < 2; i++) {
            if (!both[i])
                continue;
            char *longer = mem_printf("%s%s%s", *both[i], **both[i] ? ", " : "", label);
            mem_free(*both[i]);
            *both[i] = longer;
        }
    }
    char *name = mem_strdup(*differing ? differing : *all ? all : t->policies[p->rows[row].policy]);
    mem_free(differing);
    mem_free(all);
    return name;
}

// " (recalled)": of a figure whose rows are from several places the table tells. Caller
// mem_free()s.
static char *source_of(const struct published *p, uint32_t first)
{
    const char *source = p->rows[first].source;
    for (uint32_t i = first; i < p->n_rows; i++)
        if (same_figure(p, first, i) && strcmp(p->rows[i].source, source) != 0)
            source = "";
    return *source ? mem_printf(" (%s)", source) : mem_strdup("");
}

// ---- pictures

static void add_row(struct chart *c, const struct published_row *row, const struct tuning_result *t,
                    double at)
{
    const struct published_mean m = published_mean_of(row, t);
    chart_add(c, 0, row->value, at);
    chart_point(c, 1,
                (struct chart_point){m.arithmetic, at, m.arithmetic_low, m.arithmetic_high, NAN});
    chart_point(c, 2,
                (struct chart_point){m.geometric, at, m.geometric_low, m.geometric_high, NAN});
}

static void print_figure(struct report_out *out, const struct published *p, uint32_t first,
                         uint32_t number, const struct tuning_result *t)
{
    const struct published_row *row = &p->rows[first];
    static const char *const units[] = {"queries per second", "QPS/W"};
    char *id = mem_printf("published-%u", number), *source = source_of(p, first),
         *over = row->baseline < 0 ? mem_strdup("")
                                   : mem_printf(" over that of %s", t->policies[row->baseline]);
    char **names = mem_calloc(p->n_rows, sizeof *names);
    uint32_t n = 0;
    struct chart *c = chart_create(id, row->figure);
    chart_axis_x(c, SCALE_LINEAR, row->baseline < 0 ? units[row->quantity] : "times", "");
    chart_axis_range(&c->x, 0, NAN);
    chart_series(c, 0, CHART_BARS, "published");
    chart_series(c, 0, CHART_BARS, "here, arithmetic mean");
    chart_series(c, 0, CHART_BARS, "here, geometric mean");
    for (uint32_t i = 0; i < 3; i++) // those of no policy in the bars above
        c->series[i].colour = i == 0 ? 7 : 4 + i;
    for (uint32_t i = first; i < p->n_rows; i++) {
        if (!same_figure(p, first, i))
            continue;
        names[n] = name_of(p, i, t);
        add_row(c, &p->rows[i], t, n++);
    }
    chart_axis_names(&c->panels[0].y, (const char *const *)names, n);
    chart_caption(c, "%s of %s%s, as published%s and as the mean over this tuning's points. %s",
                  row->quantity == PUBLISHED_QPS ? "Largest rate held" : "Queries per joule",
                  t->policies[row->policy], over, source,
                  row->quantity == PUBLISHED_QPS
                      ? "Whiskers: from what was held to what was missed."
                      : "No whiskers: queries per joule are known at the rate held alone.");
    report_chart(out, c);
    for (uint32_t i = 0; i < n; i++)
        mem_free(names[i]);
    mem_free(names);
    mem_free(over);
    mem_free(source);
    mem_free(id);
}

// ---- the table

static void add_number(struct table *table, double value, int decimals)
{
    table_value(table, table_fixed(value, decimals), value);
}

static void print_table(struct report_out *out, const struct published *p,
                        const struct tuning_result *t)
{
    static const char *const heads[][2] = {{"figure", "figure"},
                                           {"at", "at"},
                                           {"source", "source"},
                                           {"published", "published"},
                                           {"mean", "arithmetic"},
                                           {"from", "arithmetic_low"},
                                           {"to", "arithmetic_high"},
                                           {"geometric", "geometric"},
                                           {"off by %", "deviation_percent"},
                                           {"points", "n_used"},
                                           {"of", "n_points"}};
    struct table *table = table_create(0);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_head(table, mem_strdup(heads[i][0]), heads[i][1]);
    table_line(table);
    for (uint32_t i = 0; i < p->n_rows; i++) {
        const struct published_row *row = &p->rows[i];
        const struct published_mean m = published_mean_of(row, t);
        table_cell(table, mem_strdup(row->figure));
        table_cell(table, name_of(p, i, t));
        table_cell(table, mem_strdup(row->source));
        table_value(table, table_known(row->value), row->value);
        add_number(table, m.arithmetic, 2);
        add_number(table, m.arithmetic_low, 2);
        add_number(table, m.arithmetic_high, 2);
        add_number(table, m.geometric, 2);
        add_number(table, 100 * (m.arithmetic / row->value - 1), 0);
        table_value(table, mem_printf("%u", m.n), m.n);
        table_value(table, mem_printf("%u", m.n_all), m.n_all);
    }
    table_left(table, 3);
    table_print(table, out, "published");
    table_destroy(table);
    report_text(
        out,
        "\nmean: arithmetic, over the points used, with its bracket (from, to) between what "
        "was held and what was missed; off by: mean against published. An answer that is missing, "
        "or whose smallest rate "
        "missed is over %g times the largest held, is not used.\n",
        1 + PUBLISHED_WIDEST_FRAC);
    if (p->n_left_out > 0)
        report_text(out, "%u of the %u rows of %s are of labels or policies that are not here.\n",
                    p->n_left_out, p->n_left_out + p->n_rows, p->path);
    report_text(out, "\n");
}

void published_print(struct report_out *out, const struct published *p,
                     const struct tuning_result *t)
{
    uint32_t number = 0;
    page_heading(out, "published", "Published figures");
    for (uint32_t i = 0; i < p->n_rows; i++)
        if (is_first(p, i))
            print_figure(out, p, i, number++, t);
    page_heading(out, "published-table", "Published figures in numbers");
    print_table(out, p, t);
    const char *slash = strrchr(p->path, '/');
    if (p->text)
        page_source(out, slash ? slash + 1 : p->path, p->text);
}
