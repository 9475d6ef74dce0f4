// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart_svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/svg_text.h"

#define FONT 12.0
#define LINE 16.0     // of text
#define PAD 8.0       // round the picture
#define TICK_GAP 5.0  // between an axis and its labels
#define RIGHT 14.0    // room for half a label
#define PLOT_H 210.0  // of the only panel
#define PANEL_H 104.0 // of one of several
#define PANEL_GAP 14.0
#define BAR_H 15.0      // along x
#define BAR_GAP 9.0     // between two groups of bars
#define BLEED 3.0       // what a line on the edge needs beyond it
#define BEYOND 12.0     // above the plot is what no axis holds
#define NEAR 0.35       // points closer than this are one
#define N_COLOURS 8     // then they begin again, with other dashes
#define MOST_LABELS 0.4 // of the width, names along y
#define Y_TICKS 5
#define MANY_POINTS 41 // above that a line shows no dots
#define SWATCH 22.0
#define LEGEND_MOST 25 // names

// The light value and the dark one of every property.
static const struct {
    const char *name, *light, *dark;
} colours[] = {{"ink", "#1b1f24", "#e6edf3"},  {"quiet", "#57606a", "#9ba5b0"},
               {"grid", "#d8dee4", "#30363d"}, {"paper", "#ffffff", "#0d1117"},
               {"c0", "#0067b1", "#58a6ff"},   {"c1", "#b94700", "#f0883e"},
               {"c2", "#00795c", "#3fb994"},   {"c3", "#9b3a80", "#e48ac7"},
               {"c4", "#7a6000", "#d4b106"},   {"c5", "#1b86b8", "#79d0f2"},
               {"c6", "#5b5fc7", "#a5a8ff"},   {"c7", "#444c56", "#b1bac4"}};
#define N_PROPERTIES (sizeof colours / sizeof *colours)

// "$ink" is a property's value.
static const char rules[] =
    ".chart{font-family:system-ui,\"DejaVu Sans\",\"Liberation Sans\",Arial,sans-serif;"
    "font-size:12px;background:$paper}\n"
    ".chart text{fill:$ink}.chart .quiet{fill:$quiet}"
    ".chart .halo{paint-order:stroke;stroke:$paper;stroke-width:3px}\n"
    ".chart .title{font-weight:600;font-size:14px}.chart .panel-title{font-weight:600}\n"
    ".chart .grid{stroke:$grid;fill:none}.chart .axis{stroke:$quiet;fill:none}\n"
    ".chart .line,.chart .dots{fill:none;stroke:currentColor;vector-effect:non-scaling-stroke}\n"
    ".chart .line{stroke-width:1.8;stroke-linejoin:round}"
    ".chart .dots{stroke-width:6;stroke-linecap:round}\n"
    ".chart .whisker{fill:none;stroke:$ink;stroke-width:1.2;vector-effect:non-scaling-stroke}\n"
    ".chart .rule{fill:none;stroke:$quiet;stroke-dasharray:5 4}\n"
    ".chart .band{fill:currentColor;fill-opacity:.18}.chart .bar,.chart .cell{fill:currentColor}\n"
    ".chart .c0{color:$c0}.chart .c1{color:$c1}.chart .c2{color:$c2}.chart .c3{color:$c3}"
    ".chart .c4{color:$c4}.chart .c5{color:$c5}.chart .c6{color:$c6}.chart .c7{color:$c7}\n"
    ".chart .rest{color:$quiet}.chart .thin{fill:none;stroke:currentColor;stroke-width:.8;"
    "stroke-opacity:.5;stroke-linecap:round;vector-effect:non-scaling-stroke}\n"
    ".chart .d1 .line{stroke-dasharray:7 3}.chart .d2 .line{stroke-dasharray:2 3}"
    ".chart .d3 .line{stroke-dasharray:9 3 2 3}.chart .d4 .line{stroke-dasharray:4 4}"
    ".chart .d5 .line{stroke-dasharray:12 4}.chart .d6 .line{stroke-dasharray:2 2 6 2}"
    ".chart .d7 .line{stroke-dasharray:1 4}\n";

enum values { LIGHT, DARK, PROPERTY };

static void put_rules(FILE *out, enum values values)
{
    for (const char *p = rules; *p; p++) {
        size_t i = 0;
        while (*p == '$' && strncmp(p + 1, colours[i].name, strlen(colours[i].name)) != 0)
            i++;
        if (*p != '$') {
            fputc(*p, out);
            continue;
        }
        if (values == PROPERTY)
            fprintf(out, "var(--%s)", colours[i].name);
        else
            fputs(values == LIGHT ? colours[i].light : colours[i].dark, out);
        p += strlen(colours[i].name);
    }
}

static void put_properties(FILE *out, bool dark)
{
    fputs(".chart{", out);
    for (size_t i = 0; i < N_PROPERTIES; i++)
        fprintf(out, "--%s:%s;", colours[i].name, dark ? colours[i].dark : colours[i].light);
    fputs("}", out);
}

void chart_svg_style(FILE *out)
{
    put_properties(out, false);
    fputs("\n@media screen and (prefers-color-scheme:dark){", out);
    put_properties(out, true);
    fputs("}\n", out);
    put_rules(out, PROPERTY);
}

// Not every program that draws SVG knows properties, or media.
static void put_style_alone(FILE *out)
{
    fputs("<style>", out);
    put_rules(out, LIGHT);
    fputs("@media screen and (prefers-color-scheme:dark){", out);
    put_rules(out, DARK);
    fputs("}</style>\n", out);
}

struct panel_place {
    double label_y; // of the line above the plot: title and axis
    double top, height;
    struct scale y;
};

struct picture {
    const struct chart *chart;
    FILE *out;
    bool alone;
    double left, width; // of all plots
    double height;      // of the picture
    double legend_y;    // where its first line begins
    double rules_y;
    struct scale x;
    struct panel_place *panels;
};

// ---- layout

// Is there a point of it? What nothing is known of needs no room and no name.
static bool is_drawn(const struct chart_series *s)
{
    bool drawn = false;
    for (uint32_t i = 0; i < s->n && !drawn; i++)
        drawn = !isnan(s->points[i].x) && !isnan(s->points[i].y);
    return drawn && !chart_is_rule(s);
}

// The first series of that name: those of the others are in its line of the legend.
static bool is_first(const struct chart *c, uint32_t series)
{
    const struct chart_series *s = &c->series[series];
    for (uint32_t i = 0; i < series; i++)
        if (is_drawn(&c->series[i]) && strcmp(c->series[i].name, s->name) == 0)
            return false;
    return is_drawn(s);
}

static uint32_t n_names(const struct chart *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        n += is_first(c, i);
    return n;
}

static const struct chart_series *cells_of(const struct chart *c)
{
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].mark == CHART_CELLS)
            return &c->series[i];
    return NULL;
}

typedef void (*legend_fn)(const struct picture *p, uint32_t series, const char *text, double x,
                          double y);

// Entries from left to right, line by line, each handed to fn (NULL: to nobody); how many lines.
static int each_legend(const struct picture *p, legend_fn fn)
{
    const struct chart *c = p->chart;
    double x = PAD, most = CHART_SVG_WIDTH - 2 * PAD;
    int line = 0;
    uint32_t shown = 0, n = n_names(c);
    for (uint32_t i = 0; i < c->n_series && n > 1; i++) {
        if (!is_first(c, i))
            continue;
        char *text = shown == LEGEND_MOST
                         ? mem_printf("and %u more", n - LEGEND_MOST)
                         : svg_text_cut(c->series[i].name, FONT, most - SWATCH - PAD);
        double width = SWATCH + svg_text_width(text, FONT) + 2 * PAD;
        if (x > PAD && x + width > CHART_SVG_WIDTH) {
            x = PAD;
            line++;
        }
        if (fn)
            fn(p, i, text, x, p->legend_y + LINE * line);
        x += width;
        mem_free(text);
        if (shown++ == LEGEND_MOST)
            break;
    }
    return n > 1 ? line + 1 : 0;
}

typedef void (*rule_fn)(const struct picture *p, const struct chart_series *rule, double line_x,
                        double text_x, double y);

static const struct chart_series **sorted_rules(const struct picture *p, uint32_t *n)
{
    const struct chart *c = p->chart;
    const struct chart_series **rules = mem_calloc(c->n_series, sizeof *rules);
    *n = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        if (c->series[i].mark != CHART_RULE_X || c->series[i].n == 0)
            continue;
        uint32_t at = (*n)++;
        for (; at > 0 && rules[at - 1]->points[0].x > c->series[i].points[0].x; at--)
            rules[at] = rules[at - 1];
        rules[at] = &c->series[i];
    }
    return rules;
}

// The names of lines across at some x, above the plots: each right of its line in the first row
// where there is room, and left of it at the right end. How many rows.
static int each_rule(const struct picture *p, rule_fn fn)
{
    enum { ROWS = 6 };
    double ends[ROWS] = {0};
    int rows = 0;
    uint32_t n;
    const struct chart_series **rules = sorted_rules(p, &n);
    for (uint32_t i = 0; i < n; i++) {
        double at = p->left + p->width * scale_at(&p->x, rules[i]->points[0].x);
        double width = svg_text_width(rules[i]->name, FONT), x = at + 3;
        if (!(at >= p->left - 0.5 && at <= p->left + p->width + 0.5))
            continue;
        x = fmax(PAD, fmin(x, CHART_SVG_WIDTH - PAD - width));
        int row = 0;
        while (row < ROWS && ends[row] > x)
            row++;
        if (row == ROWS)
            continue;
        ends[row] = x + width + PAD;
        rows = row + 1 > rows ? row + 1 : rows;
        if (fn)
            fn(p, rules[i], at, x, p->rules_y + LINE * row);
    }
    mem_free(rules);
    return rows;
}

static uint32_t bars_per_name(const struct chart *c, uint32_t panel)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        n += c->series[i].panel == panel && c->series[i].mark == CHART_BARS &&
             is_drawn(&c->series[i]);
    return n > 0 ? n : 1;
}

static double panel_height(const struct chart *c, uint32_t panel)
{
    uint32_t names = c->panels[panel].y.n_names;
    if (cells_of(c))
        return names > 0 ? fmin(fmax(PLOT_H / names, BAR_H - 3), 2 * BAR_H) * names : PLOT_H;
    if (chart_is_flat(c, panel))
        return names * (BAR_H * bars_per_name(c, panel) + BAR_GAP);
    return c->n_panels == 1 ? PLOT_H : PANEL_H;
}

// Room for the labels of y left of the plots.
static double left_of(const struct picture *p)
{
    double most = 24;
    for (uint32_t i = 0; i < p->chart->n_panels; i++) {
        const struct chart_axis *axis = &p->chart->panels[i].y;
        struct scale_tick ticks[SCALE_MOST_TICKS];
        int n = scale_ticks(&p->panels[i].y, Y_TICKS + 2, ticks);
        for (int k = 0; k < n; k++)
            most = fmax(most, svg_text_width(ticks[k].label, FONT));
        for (uint32_t k = 0; k < axis->n_names; k++)
            most = fmax(most, svg_text_width(axis->names[k], FONT));
    }
    return PAD + TICK_GAP + fmin(most, MOST_LABELS * CHART_SVG_WIDTH);
}

static bool has_label_line(const struct chart *c, uint32_t panel)
{
    const struct chart_panel *p = &c->panels[panel];
    return p->title || (p->y.label && *p->y.label) || (p->y.unit && *p->y.unit);
}

static void lay_out(struct picture *p)
{
    const struct chart *c = p->chart;
    double y = p->alone ? PAD + LINE + 6 : PAD / 2;
    p->panels = mem_calloc(c->n_panels, sizeof *p->panels);
    for (uint32_t i = 0; i < c->n_panels; i++)
        p->panels[i].y = chart_scale_y(c, i, Y_TICKS);
    p->left = left_of(p);
    p->width = CHART_SVG_WIDTH - RIGHT - p->left;
    p->x = chart_scale_x(c, 6);
    p->legend_y = y;
    y += LINE * each_legend(p, NULL);
    if (cells_of(c))
        y += LINE + 6;
    p->rules_y = y;
    y += LINE * each_rule(p, NULL);
    for (uint32_t i = 0; i < c->n_panels; i++) {
        p->panels[i].label_y = y + FONT;
        y += has_label_line(c, i) ? LINE + 7 : 6; // the uppermost tick's label is half above
        p->panels[i].top = y;
        p->panels[i].height = panel_height(c, i);
        y += p->panels[i].height + PANEL_GAP;
    }
    p->height = y - PANEL_GAP + TICK_GAP + LINE + LINE + PAD;
}

// ---- pieces

static void put_text(const struct picture *p, double x, double y, const char *class,
                     const char *anchor, const char *text)
{
    fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class,
            anchor);
    svg_text_escape(p->out, text);
    fputs("</text>", p->out);
}

// The same, cut; all of it in a title if it was.
static void put_cut(const struct picture *p, double x, double y, const char *class,
                    const char *anchor, const char *text, double most)
{
    char *cut = svg_text_cut(text, FONT, most);
    if (strcmp(cut, text) == 0) {
        put_text(p, x, y, class, anchor, text);
    } else {
        fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\"><title>", x, y,
                class, anchor);
        svg_text_escape(p->out, text);
        fputs("</title>", p->out);
        svg_text_escape(p->out, cut);
        fputs("</text>", p->out);
    }
    mem_free(cut);
}

// How a series is coloured and dashed, and what people call it.
static void open_group(const struct picture *p, const char *class, const struct chart_series *s)
{
    unsigned colour = s->colour % N_COLOURS;
    if (s->mark == CHART_REST)
        fprintf(p->out, "<g class=\"%s rest\" data-name=\"", class);
    else
        fprintf(p->out, "<g class=\"%s c%u d%u\" data-name=\"", class, colour, colour);
    svg_text_escape(p->out, s->name);
    fputs("\">", p->out);
}

static void put_legend(const struct picture *p, uint32_t series, const char *text, double x,
                       double y)
{
    const struct chart_series *s = &p->chart->series[series];
    open_group(p, "key", s);
    if (s->mark == CHART_BARS)
        fprintf(p->out, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"10\"/>",
                x + 4, y + 2);
    else if (s->mark == CHART_POINTS)
        fprintf(p->out, "<path class=\"dots\" d=\"M%.1f %.1fh0\"/>", x + 10, y + 7);
    else
        fprintf(p->out, "<path class=\"%s\" d=\"M%.1f %.1fh18\"/>",
                s->mark == CHART_REST ? "thin" : "line", x, y + 7);
    put_text(p, x + SWATCH, y + FONT - 1, "quiet", "start", text);
    fputs("</g>\n", p->out);
}

static void put_rule_name(const struct picture *p, const struct chart_series *rule, double line_x,
                          double text_x, double y)
{
    fprintf(p->out, "<g class=\"rule-x\"><path class=\"rule\" d=\"M%.1f %.1fV%.1f", line_x,
            y + LINE - 2, p->panels[0].label_y - FONT);
    for (uint32_t i = 0; i < p->chart->n_panels; i++) // not through what is written between them
        fprintf(p->out, "M%.1f %.1fv%.1f", line_x, p->panels[i].top, p->panels[i].height);
    fputs("\"/>", p->out);
    put_text(p, text_x, y + FONT - 1, "quiet halo", "start", rule->name);
    fputs("</g>\n", p->out);
}

// The colours of a heat map, as a bar with its ends.
static void put_cell_key(const struct picture *p)
{
    const struct scale z = chart_scale_z(p->chart);
    const char *label = p->chart->z_label ? p->chart->z_label : "";
    char low[32], high[32];
    double y = p->legend_y + LINE * each_legend(p, NULL);
    snprintf(low, sizeof low, "%.3g", z.from);
    snprintf(high, sizeof high, "%.3g", z.to);
    double x = p->left + svg_text_width(low, FONT) + 4;
    put_text(p, p->left, y + FONT - 1, "quiet", "start", low);
    fputs("<g class=\"c0\">", p->out);
    for (int i = 0; i < 10; i++)
        fprintf(p->out,
                "<rect class=\"cell\" x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" "
                "fill-opacity=\"%.2f\"/>",
                x + 10 * i, y + 2, 0.06 + 0.94 * i / 9);
    fputs("</g>", p->out);
    put_text(p, x + 104, y + FONT - 1, "quiet", "start", high);
    x += 104 + svg_text_width(high, FONT) + PAD;
    char *title = mem_printf("%s%s", label, z.kind == SCALE_LOG ? ", logarithmic" : "");
    put_cut(p, x, y + FONT - 1, "quiet", "start", title, CHART_SVG_WIDTH - PAD - x);
    fputc('\n', p->out);
    mem_free(title);
}

// ---- axes

static double x_at(const struct picture *p, double value)
{
    return p->width * scale_at(&p->x, value);
}

static double y_at(const struct panel_place *panel, double value)
{
    return panel->height * (1 - scale_at(&panel->y, value));
}

// Names along y go from top to bottom, as one reads.
static double row_at(const struct picture *p, uint32_t panel, double value)
{
    const struct panel_place *place = &p->panels[panel];
    if (p->chart->panels[panel].y.kind == SCALE_NAMES)
        return place->height * scale_at(&place->y, value);
    return y_at(place, value);
}

static void put_y_axis(const struct picture *p, uint32_t panel)
{
    const struct panel_place *place = &p->panels[panel];
    const struct chart_axis *axis = &p->chart->panels[panel].y;
    struct scale_tick ticks[SCALE_MOST_TICKS];
    int n = scale_ticks(&place->y, Y_TICKS + 2, ticks);
    for (int i = 0; i < n; i++) {
        double y = place->top + y_at(place, ticks[i].value);
        fprintf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", p->left, y, p->width);
        put_text(p, p->left - TICK_GAP, y + 4, "quiet", "end", ticks[i].label);
    }
    // Of a heat map with many rows, as many names as have room.
    double row = axis->n_names ? place->height / axis->n_names : 0;
    uint32_t stride = row > 0 && row < LINE - 2 ? (uint32_t)ceil((LINE - 2) / row) : 1;
    for (uint32_t i = 0; i < axis->n_names; i += stride)
        put_cut(p, p->left - TICK_GAP, place->top + row_at(p, panel, i) + 4, "quiet", "end",
                axis->names[i], p->left - PAD - TICK_GAP);
    fputc('\n', p->out);
}

// The middle of its label, which ends with the picture.
static double tick_x(const struct picture *p, const struct scale_tick *tick, double half)
{
    return fmin(p->left + x_at(p, tick->value), CHART_SVG_WIDTH - 1 - half);
}

// As many labels as have room: numbers fewer from the start, names cut and then thinned out.
static int x_ticks(const struct picture *p, struct scale_tick *ticks)
{
    for (int most = 8; most > 1; most--) {
        int n = scale_ticks(&p->x, most, ticks);
        double end = -1e9;
        bool fits = true;
        for (int i = 0; i < n; i++) {
            double half = svg_text_width(ticks[i].label, FONT) / 2, x = tick_x(p, &ticks[i], half);
            fits &= x - half > end + 4;
            end = x + half;
        }
        if (fits)
            return n;
    }
    return scale_ticks(&p->x, 1, ticks);
}

static void put_x_names(const struct picture *p, double y)
{
    const struct chart_axis *axis = &p->chart->x;
    double room = p->width / axis->n_names, widest = 0;
    for (uint32_t i = 0; i < axis->n_names; i++)
        widest = fmax(widest, svg_text_width(axis->names[i], FONT));
    uint32_t stride = (uint32_t)fmax(1, ceil((fmin(widest, fmax(room - 4, 56)) + 4) / room));
    widest = fmin(widest, stride * room - 4);
    for (uint32_t i = 0; i < axis->n_names; i += stride) {
        double x = p->left + x_at(p, i), half = fmin(widest / 2, CHART_SVG_WIDTH - PAD - x);
        put_cut(p, x, y, "quiet tick-x", "middle", axis->names[i], 2 * half);
    }
}

static void put_x_axis(const struct picture *p)
{
    const struct chart *c = p->chart;
    const struct panel_place *last = &p->panels[c->n_panels - 1];
    double y = last->top + last->height + TICK_GAP + FONT;
    struct scale_tick ticks[SCALE_MOST_TICKS];
    int n = c->x.kind == SCALE_NAMES ? 0 : x_ticks(p, ticks);
    for (int i = 0; i < n; i++) {
        double x = p->left + x_at(p, ticks[i].value);
        for (uint32_t k = 0; k < c->n_panels; k++)
            fprintf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>", x, p->panels[k].top,
                    p->panels[k].height);
        double half = svg_text_width(ticks[i].label, FONT) / 2;
        put_text(p, tick_x(p, &ticks[i], half), y, "quiet tick-x", "middle", ticks[i].label);
    }
    if (c->x.kind == SCALE_NAMES)
        put_x_names(p, y);
    char *title = chart_axis_title(&c->x);
    put_cut(p, p->left + p->width / 2, y + LINE, "quiet", "middle", title, p->width);
    fputc('\n', p->out);
    mem_free(title);
}

// ---- marks

static bool is_known(const struct chart_point *p)
{
    return isfinite(p->x) && isfinite(p->y);
}

struct place {
    double x, y;
    bool known;
};

static struct place place_of(const struct picture *p, const struct chart_series *s, double x,
                             double y)
{
    struct place at = {x_at(p, x), y == (double)INFINITY ? -BEYOND : row_at(p, s->panel, y), false};
    at.known = isfinite(at.x) && isfinite(at.y);
    return at;
}

static void put_line(const struct picture *p, const struct chart_series *s)
{
    struct place last = {0};
    bool open = false;
    bool rest = s->mark == CHART_REST;
    fprintf(p->out, "<path class=\"%s\" d=\"", rest ? "thin" : "line");
    for (uint32_t i = 0; i < s->n; i++) {
        struct place at = place_of(p, s, s->points[i].x, s->points[i].y);
        bool is_last = i + 1 == s->n || !is_known(&s->points[i + 1]);
        if (!at.known) {
            open = false;
            continue;
        }
        if (open && !is_last && fabs(at.x - last.x) < NEAR && fabs(at.y - last.y) < NEAR)
            continue;
        if (open && s->mark == CHART_STEP)
            fprintf(p->out, "H%.1fV%.1f", at.x, at.y);
        else
            fprintf(p->out, "%c%.1f %.1f%s", open ? 'L' : 'M', at.x, at.y,
                    rest && !open && is_last ? "h0" : "");
        open = true;
        last = at;
    }
    fputs("\"/>", p->out);
}

// Stretches with intervals, there along the upper ends and back along the lower ones; of steps each
// end up to the next x.
static void put_band(const struct picture *p, const struct chart_series *s)
{
    bool step = s->mark == CHART_STEP;
    for (uint32_t i = 0, end; i < s->n; i = end) {
        end = i + 1;
        if (!chart_has_interval(&s->points[i]))
            continue;
        while (end < s->n && chart_has_interval(&s->points[end]))
            end++;
        fputs("<path class=\"band\" d=\"", p->out);
        for (uint32_t k = i; k < end; k++) {
            struct place at = place_of(p, s, s->points[k].x, s->points[k].high);
            if (at.known && step && k > i)
                fprintf(p->out, "H%.1fV%.1f", at.x, at.y);
            else if (at.known)
                fprintf(p->out, "%c%.1f %.1f", k == i ? 'M' : 'L', at.x, at.y);
        }
        for (uint32_t k = end; k-- > i;) {
            struct place at = place_of(p, s, s->points[k].x, s->points[k].low);
            if (at.known && step && k + 1 < end)
                fprintf(p->out, "V%.1fH%.1f", at.y, at.x);
            else if (at.known)
                fprintf(p->out, "L%.1f %.1f", at.x, at.y);
        }
        fputs("Z\"/>", p->out);
    }
}

static void put_dots(const struct picture *p, const struct chart_series *s)
{
    fputs("<path class=\"dots\" d=\"", p->out);
    for (uint32_t i = 0; i < s->n; i++) {
        struct place at = place_of(p, s, s->points[i].x, s->points[i].y);
        if (at.known)
            fprintf(p->out, "M%.1f %.1fh0", at.x, at.y);
    }
    fputs("\"/>", p->out);
}

// `shift`: of bars beside each other, across their direction.
static void put_whiskers(const struct picture *p, const struct chart_series *s, bool flat,
                         double shift)
{
    fputs("<path class=\"whisker\" d=\"", p->out);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct chart_point *point = &s->points[i];
        if (!chart_has_interval(point))
            continue;
        struct place from =
            place_of(p, s, flat ? point->low : point->x, flat ? point->y : point->low);
        struct place to =
            place_of(p, s, flat ? point->high : point->x, flat ? point->y : point->high);
        if (!from.known || !to.known)
            continue;
        if (flat)
            fprintf(p->out, "M%.1f %.1fH%.1f", from.x, from.y + shift, to.x);
        else
            fprintf(p->out, "M%.1f %.1fV%.1f", from.x + shift, from.y, to.y);
    }
    fputs("\"/>", p->out);
}

// Which of the series with bars in its panel it is.
static uint32_t bar_number(const struct chart *c, const struct chart_series *s)
{
    uint32_t n = 0;
    for (const struct chart_series *other = c->series; other < s; other++)
        n += other->panel == s->panel && other->mark == CHART_BARS && is_drawn(other);
    return n;
}

// Pixels along x between two bars of a numeric axis: as near as its points come.
static double bar_room(const struct picture *p, const struct chart_series *s)
{
    double least = p->width;
    for (uint32_t i = 1; i < s->n; i++) {
        double gap = fabs(x_at(p, s->points[i].x) - x_at(p, s->points[i - 1].x));
        if (gap > 0.01)
            least = fmin(least, gap);
    }
    return p->chart->x.kind == SCALE_NAMES ? p->width / p->chart->x.n_names : least;
}

static void put_bars(const struct picture *p, const struct chart_series *s)
{
    bool flat = chart_is_flat(p->chart, s->panel);
    uint32_t n = bars_per_name(p->chart, s->panel);
    const struct panel_place *place = &p->panels[s->panel];
    double room = flat ? BAR_H * n : 0.84 * bar_room(p, s), thick = room / n;
    double shift = -room / 2 + thick * (bar_number(p->chart, s) + 0.5);
    double zero_x = fmin(fmax(x_at(p, 0), 0), p->width), zero_y = y_at(place, 0);
    if (!isfinite(zero_x))
        zero_x = 0; // of a logarithm
    if (!isfinite(zero_y))
        zero_y = place->height;
    for (uint32_t i = 0; i < s->n; i++) {
        struct place at = place_of(p, s, s->points[i].x, s->points[i].y);
        if (!at.known)
            continue;
        double x = flat ? fmin(zero_x, at.x) : at.x + shift - thick / 2;
        double y = flat ? at.y + shift - thick / 2 : fmin(zero_y, at.y);
        fprintf(p->out,
                "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x,
                y + (flat ? 1 : 0), flat ? fabs(at.x - zero_x) : fmax(thick - 1, 0.6),
                flat ? thick - 2 : fabs(at.y - zero_y));
    }
    put_whiskers(p, s, flat, shift);
}

static void put_cells(const struct picture *p, const struct chart_series *s)
{
    const struct panel_place *place = &p->panels[s->panel];
    const struct scale z = chart_scale_z(p->chart);
    double height = place->height / (fabs(place->y.to - place->y.from));
    for (uint32_t i = 0; i < s->n; i++) {
        const struct chart_point *point = &s->points[i];
        double x = x_at(p, point->low), y = row_at(p, s->panel, point->y);
        if (isfinite(point->z))
            fprintf(p->out,
                    "<rect class=\"cell\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
                    "fill-opacity=\"%.2f\"/>",
                    x, y - height / 2, x_at(p, point->high) - x, height,
                    0.06 + 0.94 * chart_shade(&z, point->z));
    }
}

static void put_marks(const struct picture *p, const struct chart_series *s)
{
    switch (s->mark) {
    case CHART_REST:
        put_line(p, s);
        break;
    case CHART_LINE:
    case CHART_STEP:
        put_band(p, s);
        put_line(p, s);
        if (s->n < MANY_POINTS && s->mark == CHART_LINE)
            put_dots(p, s);
        break;
    case CHART_POINTS:
        put_whiskers(p, s, chart_is_flat(p->chart, s->panel), 0);
        put_dots(p, s);
        break;
    case CHART_BARS:
        put_bars(p, s);
        break;
    default:
        put_cells(p, s);
    }
}

// ---- panels

static void put_scale(const struct picture *p, const char *name, const struct scale *s, double from,
                      double to)
{
    fprintf(p->out, " data-%s=\"%s %.9g %.9g %.1f %.1f\"", name, scale_names[s->kind], s->from,
            s->to, from, to);
}

// Their names stand at the right end over the line, under it at the top.
static void put_rules_y(const struct picture *p, uint32_t panel)
{
    const struct panel_place *place = &p->panels[panel];
    double taken = -1e9;
    for (uint32_t i = 0; i < p->chart->n_series; i++) {
        const struct chart_series *s = &p->chart->series[i];
        if (s->mark != CHART_RULE_Y || s->panel != panel || s->n == 0)
            continue;
        double y = place->top + y_at(place, s->points[0].y);
        if (!(y >= place->top - 0.5 && y <= place->top + place->height + 0.5))
            continue;
        fprintf(p->out, "<path class=\"rule\" d=\"M%.1f %.1fh%.1f\"/>", p->left, y, p->width);
        double text_y = y - 4 < place->top + FONT ? y + FONT + 1 : y - 4;
        bool crowded = fabs(text_y - taken) < LINE;
        put_cut(p, crowded ? p->left + 4 : p->left + p->width - 2, text_y, "quiet halo",
                crowded ? "start" : "end", s->name, p->width / 2 - 8);
        taken = text_y;
    }
}

static void put_series(const struct picture *p, uint32_t panel, bool rest)
{
    for (uint32_t i = 0; i < p->chart->n_series; i++) {
        const struct chart_series *s = &p->chart->series[i];
        if (s->panel != panel || chart_is_rule(s) || s->n == 0 || (s->mark == CHART_REST) != rest)
            continue;
        open_group(p, "series", s);
        put_marks(p, s);
        fputs("</g>\n", p->out);
    }
}

static void put_panel(const struct picture *p, uint32_t panel)
{
    const struct panel_place *place = &p->panels[panel];
    const struct chart_panel *what = &p->chart->panels[panel];
    fputs("<g class=\"panel\"", p->out);
    put_scale(p, "x", &p->x, p->left, p->left + p->width);
    put_scale(p, "y", &place->y, place->top + place->height, place->top);
    fputs(">\n", p->out);
    char *axis = chart_axis_title(&what->y);
    double room = CHART_SVG_WIDTH - 2 * PAD;
    if (what->title)
        put_cut(p, p->left, place->label_y, "panel-title halo", "start", what->title, room * 0.55);
    put_cut(p, what->title ? CHART_SVG_WIDTH - RIGHT : PAD, place->label_y, "quiet halo",
            what->title ? "end" : "start", axis, what->title ? room * 0.35 : room);
    mem_free(axis);
    put_y_axis(p, panel);
    fprintf(p->out,
            "<svg class=\"plot\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "viewBox=\"%.1f %.1f %.1f %.1f\" preserveAspectRatio=\"none\">\n",
            p->left - BLEED, place->top - BLEED, p->width + 2 * BLEED, place->height + 2 * BLEED,
            -BLEED, -BLEED, p->width + 2 * BLEED, place->height + 2 * BLEED);
    put_series(p, panel, true);
    put_series(p, panel, false);
    fputs("</svg>\n", p->out);
    fprintf(p->out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>", p->left, place->top,
            place->top + place->height, p->left + p->width);
    put_rules_y(p, panel);
    fputs("</g>\n", p->out);
}

// ---- the whole

double chart_svg_height(const struct chart *chart, bool alone)
{
    struct picture p = {.chart = chart, .alone = alone};
    lay_out(&p);
    mem_free(p.panels);
    return p.height;
}

double chart_svg_write(const struct chart *chart, bool alone, FILE *out)
{
    struct picture p = {.chart = chart, .out = out, .alone = alone};
    lay_out(&p);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 %.0f %.0f\" "
            "width=\"%.0f\" height=\"%.0f\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n"
            "<title id=\"%s-t\">",
            CHART_SVG_WIDTH, p.height, CHART_SVG_WIDTH, p.height, chart->id, chart->id, chart->id);
    svg_text_escape(out, chart->title);
    fprintf(out, "</title><desc id=\"%s-d\">", chart->id);
    svg_text_escape(out, chart->caption ? chart->caption : "");
    fputs("</desc>\n", out);
    if (alone) {
        put_style_alone(out);
        put_cut(&p, PAD, PAD + FONT, "title", "start", chart->title,
                CHART_SVG_WIDTH / 1.2 - 2 * PAD);
    }
    each_legend(&p, put_legend);
    if (cells_of(chart))
        put_cell_key(&p);
    put_x_axis(&p);
    each_rule(&p, put_rule_name);
    for (uint32_t i = 0; i < chart->n_panels; i++)
        put_panel(&p, i);
    fputs("</svg>\n", out);
    mem_free(p.panels);
    return p.height;
}
