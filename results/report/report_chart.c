// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_chart.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/chart_svg.h"
#include "results/chart/chart_term.h"
#include "results/report/table.h"

// ---- the table behind

struct columns {
    bool panels, intervals, cells;
};

static struct columns columns_of(const struct chart *c)
{
    struct columns has = {.panels = c->n_panels > 1};
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct chart_series *s = &c->series[i];
        has.cells |= s->mark == CHART_CELLS;
        for (uint32_t k = 0; k < s->n && s->mark != CHART_CELLS; k++)
            has.intervals |= chart_has_interval(&s->points[k]);
    }
    return has;
}

static void add_heads(const struct chart *c, struct columns has, struct table *table)
{
    char *x = chart_axis_title(&c->x), *y = chart_axis_title(&c->panels[0].y);
    if (has.panels)
        table_cell(table, mem_strdup("panel"));
    table_cell(table, mem_strdup("series"));
    table_cell(table, x);
    table_cell(table, mem_strdup(has.panels ? "value" : *y ? y : "y"));
    if (has.intervals) {
        table_cell(table, mem_strdup("from"));
        table_cell(table, mem_strdup("to"));
    }
    if (has.cells)
        table_cell(table, mem_strdup(c->z_label ? c->z_label : "value"));
    table_line(table);
    mem_free(y);
}

static void add_place(const struct chart_axis *axis, double value, struct table *table)
{
    long i = lround(value);
    if (axis->kind == SCALE_NAMES && i >= 0 && i < (long)axis->n_names)
        table_cell(table, mem_strdup(axis->names[i]));
    else
        table_value(table,
                    isfinite(value) ? mem_printf("%.6g", value)
                                    : mem_strdup(isinf(value) ? "unbounded" : "n/a"),
                    value);
}

static void add_number(struct table *table, double value)
{
    table_value(table, isfinite(value) ? mem_printf("%.6g", value) : mem_strdup("-"), value);
}

static void add_row(const struct chart *c, const struct chart_series *s,
                    const struct chart_point *p, struct columns has, struct table *table)
{
    const struct chart_panel *panel = &c->panels[s->panel];
    if (has.panels)
        table_cell(table, mem_strdup(panel->title ? panel->title : ""));
    table_cell(table, mem_strdup(s->name));
    add_place(&c->x, p->x, table);
    add_place(&panel->y, p->y, table);
    if (has.intervals) {
        add_number(table, chart_has_interval(p) ? p->low : (double)NAN);
        add_number(table, chart_has_interval(p) ? p->high : (double)NAN);
    }
    if (has.cells)
        add_number(table, p->z);
}

static struct table *table_of(const struct chart *c, uint32_t most, uint32_t *left_out)
{
    struct columns has = columns_of(c);
    struct table *table = table_create(0);
    uint32_t n = 0;
    add_heads(c, has, table);
    *left_out = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct chart_series *s = &c->series[i];
        for (uint32_t k = 0; k < s->n && !chart_is_rule(s) && s->mark != CHART_REST; k++) {
            if (n++ < most)
                add_row(c, s, &s->points[k], has, table);
            else
                ++*left_out;
        }
    }
    table_left(table, has.panels ? 2 : 1);
    return table;
}

static void print_table(struct report_out *out, const struct chart *c)
{
    uint32_t left_out, most = report_out_has_text(out) ? REPORT_CHART_ROWS : UINT32_MAX;
    struct table *table = table_of(c, most, &left_out);
    table_print(table, out, c->id);
    table_destroy(table);
    if (left_out > 0)
        report_text(out, "and %u more: recfleet report --format csv has all\n", left_out);
    report_text_end(out);
}

// ---- forms

static void put_html(struct report_out *out, const struct chart *c)
{
    FILE *f = out->file;
    if (!out->in_pictures)
        fputs("<div class=\"pictures\">\n", f);
    out->in_pictures = true;
    fprintf(f, "<figure id=\"%s\"><h3><a href=\"#%s\">", c->id, c->id);
    report_out_escape(out, c->title);
    fputs("</a></h3>\n", f);
    chart_svg_write(c, false, f);
    fputs("<figcaption>", f);
    report_out_escape(out, c->caption ? c->caption : "");
    fputs("</figcaption>\n<details><summary>Table</summary>\n", f);
    print_table(out, c);
    fputs("</details></figure>\n", f);
}

static void put_md(struct report_out *out, const struct chart *c)
{
    fputs("### ", out->file);
    report_out_escape(out, c->title);
    fputs("\n\n", out->file);
    report_text(out, "%s\n", c->caption ? c->caption : "");
    report_text_end(out);
    print_table(out, c);
}

static void put_svg(struct report_out *out, const struct chart *c)
{
    fprintf(out->file, "<g transform=\"translate(0 %.0f)\">\n", out->svg_y);
    out->svg_y += ceil(chart_svg_write(c, true, out->file)) + 12;
    fputs("</g>\n", out->file);
}

void report_chart(struct report_out *out, struct chart *chart)
{
    report_text_end(out);
    if (!chart_has_points(chart) || (out->only && strcmp(out->only, chart->id) != 0)) {
        chart_destroy(chart);
        return;
    }
    switch (out->format) {
    case REPORT_HTML:
        put_html(out, chart);
        break;
    case REPORT_MD:
        put_md(out, chart);
        break;
    case REPORT_SVG:
        put_svg(out, chart);
        break;
    case REPORT_TEXT:
        if (out->draws) {
            chart_term_write(chart, out->file);
            fputc('\n', out->file);
        }
        break;
    default:
        print_table(out, chart);
    }
    chart_destroy(chart);
}
