// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart_term.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/svg_text.h"

#define LEFT 14 // columns of the labels along y
#define WIDTH (CHART_TERM_COLUMNS - LEFT)
#define ROWS 16
#define MOST_ROWS 32 // of a heat map with names
#define PANEL_ROWS 8

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

static char letter_of(const struct chart_series *s)
{
    return letters[s->colour % (sizeof letters - 1)];
}

// What is said of a cell: a character that is darker the more it is.
static char shade_of(double frac)
{
    const char shades[] = " .:-=+*#%@";
    return shades[(int)fmin(9, fmax(0, frac * 10))];
}

struct canvas {
    int rows;
    char at[MOST_ROWS][WIDTH + 1];
};

static void put(struct canvas *canvas, double column, double row, char c)
{
    long x = lround(column), y = lround(row);
    if (isfinite(column) && isfinite(row) && x >= 0 && x < WIDTH && y >= 0 && y < canvas->rows)
        canvas->at[y][x] = c;
}

// From one point to the next, a character in each column between.
static void put_stroke(struct canvas *canvas, double from_x, double from_y, double to_x,
                       double to_y, char c)
{
    int n = (int)fmax(fabs(to_x - from_x), fabs(to_y - from_y)) + 1;
    for (int i = 0; i <= n; i++)
        put(canvas, from_x + (to_x - from_x) * i / n, from_y + (to_y - from_y) * i / n, c);
}

static void draw_series(struct canvas *canvas, const struct chart_series *s,
                        const struct scale *x_scale, const struct scale *y_scale,
                        const struct scale *z)
{
    double last_x = NAN, last_y = NAN;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct chart_point *p = &s->points[i];
        double x = (WIDTH - 1) * scale_at(x_scale, p->x);
        double up = scale_at(y_scale, p->y);
        double y =
            y_scale->kind == SCALE_NAMES ? floor(canvas->rows * up) : (canvas->rows - 1) * (1 - up);
        if (isinf(p->y))
            y = -2; // leaves the picture at the top
        if (s->mark == CHART_RULE_Y)
            put_stroke(canvas, 0, y, WIDTH - 1, y, '-');
        else if (s->mark == CHART_RULE_X)
            put_stroke(canvas, x, 0, x, canvas->rows - 1, '|');
        else if (s->mark == CHART_CELLS)
            for (double at = floor(WIDTH * scale_at(x_scale, p->low));
                 at < floor(WIDTH * scale_at(x_scale, p->high)); at++)
                put(canvas, at, y, shade_of(chart_shade(z, p->z)));
        else if (s->mark == CHART_BARS)
            put_stroke(canvas, x, y, x, canvas->rows - 1, letter_of(s));
        else if (s->mark != CHART_POINTS && isfinite(last_x) && isfinite(x))
            put_stroke(canvas, last_x, last_y, x, y, letter_of(s));
        if (s->mark <= CHART_BARS)
            put(canvas, x, y, letter_of(s));
        last_x = isfinite(y) ? x : (double)NAN;
        last_y = y;
    }
}

static void print_names(const struct chart *c, FILE *out)
{
    int n = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct chart_series *s = &c->series[i];
        bool first = !chart_is_rule(s) && s->mark != CHART_CELLS && s->mark != CHART_REST;
        for (uint32_t k = 0; k < i && first; k++)
            first = chart_is_rule(&c->series[k]) || strcmp(c->series[k].name, s->name) != 0;
        if (first)
            fprintf(out, "%s%c %s", n++ ? "   " : "  ", letter_of(s), s->name);
    }
    for (uint32_t i = 0; i < c->n_series; i++)
        if (chart_is_rule(&c->series[i]) && c->series[i].n > 0)
            fprintf(out, "%s%c %s", n++ ? "   " : "  ",
                    c->series[i].mark == CHART_RULE_X ? '|' : '-', c->series[i].name);
    if (n > 0)
        fputc('\n', out);
}

// Rows of '#', with the number behind.
static void print_flat(const struct chart *c, uint32_t panel, FILE *out)
{
    const struct chart_axis *axis = &c->panels[panel].y;
    struct scale scale = chart_scale_x(c, 6);
    for (uint32_t i = 0; i < axis->n_names; i++) {
        for (uint32_t k = 0; k < c->n_series; k++) {
            const struct chart_series *s = &c->series[k];
            for (uint32_t j = 0; j < s->n && s->panel == panel && !chart_is_rule(s); j++) {
                if (lround(s->points[j].y) != (long)i || !isfinite(s->points[j].x))
                    continue;
                int n =
                    (int)lround((WIDTH - 12) * fmin(1, fmax(0, scale_at(&scale, s->points[j].x))));
                char *name = svg_text_cut(axis->names[i], 1, LEFT - 2);
                fprintf(out, "%-*.*s %c ", LEFT - 3, LEFT - 3, name, letter_of(s));
                for (int b = 0; b < n; b++)
                    fputc('#', out);
                fprintf(out, " %.4g\n", s->points[j].x);
                mem_free(name);
            }
        }
    }
}

static void print_row(const struct canvas *canvas, int row, const char *label, FILE *out)
{
    int end = WIDTH;
    while (end > 0 && canvas->at[row][end - 1] == ' ')
        end--;
    fprintf(out, "%*.*s |%.*s\n", LEFT - 2, LEFT - 2, label, end, canvas->at[row]);
}

static void print_panel(const struct chart *c, uint32_t panel, FILE *out)
{
    const struct chart_axis *axis = &c->panels[panel].y;
    struct scale x = chart_scale_x(c, 6), y = chart_scale_y(c, panel, 4);
    struct canvas canvas = {.rows = c->n_panels > 1 ? PANEL_ROWS : ROWS};
    if (axis->n_names > 0)
        canvas.rows = axis->n_names < MOST_ROWS ? (int)axis->n_names : MOST_ROWS;
    struct scale_tick ticks[SCALE_MOST_TICKS];
    int n = scale_ticks(&y, canvas.rows / 2, ticks);
    const struct scale z = chart_scale_z(c);
    char *title = chart_axis_title(axis);
    memset(canvas.at, ' ', sizeof canvas.at);
    for (int pass = 0; pass < 2; pass++) // lines across lie under the rest
        for (uint32_t i = 0; i < c->n_series; i++)
            if (c->series[i].panel == panel && c->series[i].mark != CHART_REST &&
                chart_is_rule(&c->series[i]) == (pass == 0))
                draw_series(&canvas, &c->series[i], &x, &y, &z);
    fprintf(out, "  %s%s%s\n", c->panels[panel].title ? c->panels[panel].title : "",
            c->panels[panel].title ? ": " : "", title);
    for (int row = 0; row < canvas.rows; row++) {
        uint32_t name = (uint32_t)row * axis->n_names / (uint32_t)canvas.rows;
        const char *label = axis->n_names > 0 ? axis->names[name] : "";
        for (int i = 0; i < n; i++)
            if (lround((canvas.rows - 1) * (1 - scale_at(&y, ticks[i].value))) == row)
                label = ticks[i].label;
        print_row(&canvas, row, label, out);
    }
    mem_free(title);
}

static void print_x_axis(const struct chart *c, FILE *out)
{
    struct scale x = chart_scale_x(c, 6);
    struct scale_tick ticks[SCALE_MOST_TICKS];
    int n = scale_ticks(&x, 6, ticks), column = 0;
    char *title = chart_axis_title(&c->x);
    fprintf(out, "%*s", LEFT - 1, "");
    for (int i = 0; i <= WIDTH; i++)
        fputc(i == 0 ? '+' : '-', out);
    fprintf(out, "\n%*s", LEFT, "");
    for (int i = 0; i < n; i++) {
        int at = (int)lround((WIDTH - 1) * scale_at(&x, ticks[i].value));
        int width = (int)strlen(ticks[i].label);
        at -= i + 1 == n && at + width > WIDTH ? at + width - WIDTH : 0;
        if (at < column + (column > 0))
            continue;
        column += fprintf(out, "%*s%s", at - column, "", ticks[i].label);
    }
    fprintf(out, "  %s\n", title);
    mem_free(title);
}

void chart_term_write(const struct chart *c, FILE *out)
{
    fprintf(out, "%s\n", c->title);
    print_names(c, out);
    for (uint32_t i = 0; i < c->n_panels; i++) {
        if (chart_is_flat(c, i))
            print_flat(c, i, out);
        else
            print_panel(c, i, out);
    }
    if (!chart_is_flat(c, c->n_panels - 1))
        print_x_axis(c, out);
}
