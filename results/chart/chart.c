// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

#define ALIKE_FRAC 2e-3 // cells that differ by less differ in no digit that is shown

static void set_text(char **into, const char *text)
{
    mem_free(*into);
    *into = mem_strdup(text);
}

static struct chart_axis axis_none(void)
{
    return (struct chart_axis){.from = NAN, .to = NAN};
}

static void axis_release(struct chart_axis *axis)
{
    for (uint32_t i = 0; i < axis->n_names; i++)
        mem_free(axis->names[i]);
    mem_free(axis->names);
    mem_free(axis->label);
    mem_free(axis->unit);
}

struct chart *chart_create(const char *id, const char *title)
{
    struct chart *c = mem_calloc(1, sizeof *c);
    c->id = mem_strdup(id);
    c->title = mem_strdup(title);
    c->x = axis_none();
    chart_panel(c, NULL);
    return c;
}

void chart_destroy(struct chart *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n_series; i++) {
        mem_free(c->series[i].name);
        mem_free(c->series[i].points);
    }
    for (uint32_t i = 0; i < c->n_panels; i++) {
        mem_free(c->panels[i].title);
        axis_release(&c->panels[i].y);
    }
    axis_release(&c->x);
    char *const texts[] = {c->id, c->title, c->caption, c->z_label};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    mem_free(c->series);
    mem_free(c->panels);
    mem_free(c);
}

void chart_caption(struct chart *c, const char *format, ...)
{
    va_list args;
    mem_free(c->caption);
    va_start(args, format);
    c->caption = mem_vprintf(format, args);
    va_end(args);
}

uint32_t chart_panel(struct chart *c, const char *title)
{
    c->panels = mem_realloc(c->panels, c->n_panels + 1, sizeof *c->panels);
    c->panels[c->n_panels] = (struct chart_panel){mem_strdup(title), axis_none()};
    return c->n_panels++;
}

void chart_panel_title(struct chart *c, uint32_t panel, const char *title)
{
    set_text(&c->panels[panel].title, title);
}

// ---- axes

static void set_axis(struct chart_axis *axis, int kind, const char *label, const char *unit)
{
    axis->kind = kind;
    set_text(&axis->label, label);
    set_text(&axis->unit, unit);
}

void chart_axis_x(struct chart *c, int kind, const char *label, const char *unit)
{
    set_axis(&c->x, kind, label, unit);
}

void chart_axis_y(struct chart *c, uint32_t panel, int kind, const char *label, const char *unit)
{
    set_axis(&c->panels[panel].y, kind, label, unit);
}

void chart_axis_range(struct chart_axis *axis, double from, double to)
{
    axis->from = from;
    axis->to = to;
}

void chart_axis_names(struct chart_axis *axis, const char *const *names, uint32_t n)
{
    axis->kind = SCALE_NAMES;
    axis->names = mem_calloc(n, sizeof *axis->names);
    axis->n_names = n;
    for (uint32_t i = 0; i < n; i++)
        axis->names[i] = mem_strdup(names[i]);
}

char *chart_axis_title(const struct chart_axis *axis)
{
    const char *label = axis->label ? axis->label : "", *unit = axis->unit ? axis->unit : "";
    return mem_printf("%s%s%s", label, *label && *unit ? ", " : "", unit);
}

// ---- series

uint32_t chart_series(struct chart *c, uint32_t panel, int mark, const char *name)
{
    if (c->n_series == c->series_cap) {
        c->series_cap = c->series_cap ? 2 * c->series_cap : 8;
        c->series = mem_realloc(c->series, c->series_cap, sizeof *c->series);
    }
    uint32_t colour = 0;
    bool known = false;
    for (uint32_t i = 0; i < c->n_series && !known; i++) {
        const struct chart_series *other = &c->series[i];
        if (chart_is_rule(other))
            continue;
        known = strcmp(other->name, name) == 0;
        colour = known ? other->colour : colour > other->colour + 1 ? colour : other->colour + 1;
    }
    c->series[c->n_series] = (struct chart_series){
        .name = mem_strdup(name), .mark = mark, .panel = panel, .colour = colour};
    return c->n_series++;
}

void chart_point(struct chart *c, uint32_t series, struct chart_point point)
{
    struct chart_series *s = &c->series[series];
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->points = mem_realloc(s->points, s->cap, sizeof *s->points);
    }
    s->points[s->n++] = point;
}

void chart_add(struct chart *c, uint32_t series, double x, double y)
{
    chart_point(c, series, (struct chart_point){x, y, NAN, NAN, NAN});
}

void chart_add_ci(struct chart *c, uint32_t series, double x, double y, double half)
{
    bool flat = chart_is_flat(c, c->series[series].panel);
    double value = flat ? x : y;
    chart_point(c, series, (struct chart_point){x, y, value - half, value + half, NAN});
}

void chart_rule(struct chart *c, uint32_t panel, int mark, const char *name, double at)
{
    if (isfinite(at))
        chart_add(c, chart_series(c, panel, mark, name), at, at);
}

bool chart_is_rule(const struct chart_series *s)
{
    return s->mark == CHART_RULE_X || s->mark == CHART_RULE_Y;
}

bool chart_has_interval(const struct chart_point *p)
{
    return isfinite(p->low) && isfinite(p->high) && p->high > p->low;
}

bool chart_has_points(const struct chart *c)
{
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct chart_series *s = &c->series[i];
        bool rule = chart_is_rule(s);
        for (uint32_t k = 0; k < s->n && !rule; k++)
            if (isfinite(s->points[k].x) && isfinite(s->points[k].y))
                return true;
    }
    return false;
}

bool chart_is_flat(const struct chart *c, uint32_t panel)
{
    bool cells = false;
    for (uint32_t i = 0; i < c->n_series; i++)
        cells |= c->series[i].panel == panel && c->series[i].mark == CHART_CELLS;
    return !cells && c->panels[panel].y.kind == SCALE_NAMES && c->x.kind != SCALE_NAMES;
}

// ---- scales

struct span {
    double least, most;
};

static void widen(struct span *span, double value, int kind)
{
    if (!isfinite(value) || (kind == SCALE_LOG && value <= 0))
        return;
    span->least = fmin(span->least, value); // fmin and fmax leave a NaN out
    span->most = fmax(span->most, value);
}

static void widen_series(const struct chart *c, const struct chart_series *s, bool along_x,
                         int kind, struct span *span)
{
    bool flat = chart_is_flat(c, s->panel);
    int other = along_x ? CHART_RULE_Y : CHART_RULE_X;
    for (uint32_t i = 0; i < s->n && s->mark != other; i++) {
        const struct chart_point *p = &s->points[i];
        widen(span, along_x ? p->x : p->y, kind);
        if (chart_has_interval(p) && flat == along_x) {
            widen(span, p->low, kind);
            widen(span, p->high, kind);
        }
    }
    if (s->mark == CHART_BARS && flat == along_x && kind != SCALE_LOG)
        widen(span, 0, kind);
}

static struct scale fit_axis(const struct chart_axis *axis, struct span span, int n_ticks)
{
    if (axis->kind == SCALE_NAMES)
        return (struct scale){SCALE_NAMES, -0.5, axis->n_names - 0.5};
    if (isfinite(axis->from))
        span.least = axis->from;
    if (isfinite(axis->to))
        span.most = axis->to;
    struct scale s = scale_fit(axis->kind, span.least, span.most, n_ticks);
    if (isfinite(axis->from))
        s.from = axis->from;
    if (isfinite(axis->to) && axis->to > s.from)
        s.to = axis->to;
    return s;
}

struct scale chart_scale_x(const struct chart *c, int n_ticks)
{
    struct span span = {NAN, NAN};
    for (uint32_t i = 0; i < c->n_series; i++)
        widen_series(c, &c->series[i], true, c->x.kind, &span);
    return fit_axis(&c->x, span, n_ticks);
}

struct scale chart_scale_y(const struct chart *c, uint32_t panel, int n_ticks)
{
    struct span span = {NAN, NAN};
    const struct chart_axis *axis = &c->panels[panel].y;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].panel == panel)
            widen_series(c, &c->series[i], false, axis->kind, &span);
    return fit_axis(axis, span, n_ticks);
}

struct scale chart_scale_z(const struct chart *c)
{
    struct scale z = {c->z_kind, NAN, NAN};
    for (uint32_t i = 0; i < c->n_series; i++)
        for (uint32_t k = 0; k < c->series[i].n && c->series[i].mark == CHART_CELLS; k++) {
            z.from = fmin(z.from, c->series[i].points[k].z); // leaves a NaN out
            z.to = fmax(z.to, c->series[i].points[k].z);
        }
    if (!(z.from > 0))
        z.kind = SCALE_LINEAR;
    if (z.to - z.from < ALIKE_FRAC * fabs(z.to))
        z.from = z.to;
    return z;
}

double chart_shade(const struct scale *z, double value)
{
    return z->to > z->from ? scale_at(z, value) : 0.5;
}

bool chart_is_wide(const struct chart *c)
{
    struct scale z = chart_scale_z(c);
    return z.from > 0 && z.to > 100 * z.from;
}
