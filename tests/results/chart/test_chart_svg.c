// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart_svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/chart/svg_text.h"
#include "support/suite.h"

#define MOST_TEXTS 400
#define FONT 12.0

static char *drawn(const struct chart *c, bool alone, double *height)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    *height = chart_svg_write(c, alone, out);
    fclose(out);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

struct box {
    double left, right, top, bottom;
    const char *text; // where it is in the picture
};

// Back from entities; of our own making, so that few are needed.
static void unescape(char *text)
{
    const struct {
        const char *entity;
        char c;
    } known[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}};
    char *to = text;
    for (char *from = text; *from;) {
        size_t k = 0;
        while (k < 5 && strncmp(from, known[k].entity, strlen(known[k].entity)) != 0)
            k++;
        *to++ = k < 5 ? known[k].c : *from;
        from += k < 5 ? strlen(known[k].entity) : 1;
    }
    *to = 0;
}

// Where each text of a picture is.
static int boxes_of(char *svg, struct box *boxes)
{
    int n = 0;
    for (char *p = svg; (p = strstr(p, "<text "));) {
        double x, y;
        char class[40], anchor[10];
        ck_assert_int_eq(
            sscanf(p, "<text x=\"%lf\" y=\"%lf\" class=\"%39[^\"]\" text-anchor=\"%9[^\"]", &x, &y,
                   class, anchor),
            4);
        char *text = strchr(p, '>') + 1, *end = strstr(text, "</text>");
        if (strncmp(text, "<title>", 7) == 0)
            text = strstr(text, "</title>") + 8;
        *end = 0;
        unescape(text);
        double width =
            svg_text_width(text, strstr(class, "title") && !strstr(class, "-") ? 14 : FONT);
        double left = strcmp(anchor, "start") == 0 ? x
                      : strcmp(anchor, "end") == 0 ? x - width
                                                   : x - width / 2;
        ck_assert_int_lt(n, MOST_TEXTS);
        boxes[n++] = (struct box){left, left + width, y - 10, y + 2, text};
        p = end + 1;
    }
    return n;
}

static void is_tidy(const struct chart *c, int least_texts)
{
    double height;
    char *svg = drawn(c, true, &height);
    ck_assert_double_eq(height, chart_svg_height(c, true));
    struct box *boxes = mem_calloc(MOST_TEXTS, sizeof *boxes);
    ck_assert_ptr_null(strstr(svg, "nan"));
    ck_assert_ptr_null(strstr(svg, "inf"));
    int n = boxes_of(svg, boxes);
    ck_assert_int_ge(n, least_texts);
    for (int i = 0; i < n; i++) {
        const struct box *a = &boxes[i];
        ck_assert_msg(a->left >= -0.5 && a->right <= CHART_SVG_WIDTH + 0.5 && a->top >= -0.5 &&
                          a->bottom <= height,
                      "\"%s\" is outside: %g..%g, %g..%g", a->text, a->left, a->right, a->top,
                      a->bottom);
        for (int k = 0; k < i; k++) {
            const struct box *b = &boxes[k];
            ck_assert_msg(a->right <= b->left + 0.5 || b->right <= a->left + 0.5 ||
                              a->bottom <= b->top + 0.5 || b->bottom <= a->top + 0.5,
                          "\"%s\" lies over \"%s\"", a->text, b->text);
        }
    }
    mem_free(boxes);
    mem_free(svg);
}

static const char *const names[] = {"a",
                                    "<script>alert(1)</script>",
                                    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                                    "a name of more than two hundred characters, which is far more "
                                    "than any picture has room for, so "
                                    "that it has to be cut somewhere, in the legend as well as on "
                                    "the axis, and everywhere else, too, "
                                    "without a doubt",
                                    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
                                    "WWWWWWWWWW",
                                    "",
                                    "\x01\x02\xff"};
#define N_NAMES (sizeof names / sizeof *names)

// Lines with bands, of names that nobody would choose.
static struct chart *lines(int kind_x, int kind_y)
{
    struct chart *c = chart_create("x", names[3]);
    chart_axis_x(c, kind_x, "load", "qps");
    chart_axis_y(c, 0, kind_y, "p95", "ms");
    chart_caption(c, "%s & more", names[1]);
    for (size_t i = 0; i < N_NAMES; i++) {
        uint32_t s = chart_series(c, 0, i % 2 ? CHART_LINE : CHART_POINTS, names[i]);
        for (int k = 1; k < 20; k++)
            chart_add_ci(c, s, kind_x == SCALE_TAIL ? 1 - pow(0.5, k) : k * 1000.0 + (double)i,
                         k == 7 ? (double)NAN : exp(k * 0.3) * (1 + (double)i), 0.5);
    }
    chart_rule(c, 0, CHART_RULE_Y, "target of a service: p95 25 ms", 25);
    chart_rule(c, 0, CHART_RULE_Y, "another target: p95 27 ms", 27);
    chart_rule(c, 0, CHART_RULE_X, "p50", 5000);
    chart_rule(c, 0, CHART_RULE_X, "p95", 5100);
    chart_rule(c, 0, CHART_RULE_X, "p99 at the right end", 19000);
    return c;
}

// Whatever the names and the scales, no text is outside or lies over another.
START_TEST(text_is_tidy)
{
    const int kinds[] = {SCALE_LINEAR, SCALE_LOG, SCALE_TAIL, SCALE_CLOCK};
    for (int x = 0; x < 4; x++) {
        for (int y = 0; y < 2; y++) {
            struct chart *c = lines(kinds[x], kinds[y]);
            is_tidy(c, 18);
            chart_destroy(c);
        }
    }
}
END_TEST

// Likewise of bars along x, of a heat map, of panels, and of names along x.
START_TEST(other_kinds)
{
    struct chart *c = chart_create("x", "bars");
    chart_axis_x(c, SCALE_LINEAR, "mean time", "ms");
    chart_axis_names(&c->panels[0].y, names, N_NAMES);
    for (int s = 0; s < 3; s++) {
        uint32_t bars = chart_series(c, 0, CHART_BARS, names[s + 3]);
        for (size_t i = 0; i < N_NAMES; i++)
            chart_add_ci(c, bars, 1e5 * (double)i, (double)i, 100);
    }
    is_tidy(c, 12);
    chart_destroy(c);

    c = chart_create("x", "cells");
    chart_axis_x(c, SCALE_LINEAR, "server", "");
    chart_axis_names(&c->panels[0].y, names, N_NAMES);
    c->z_label = mem_strdup(names[3]);
    uint32_t cells = chart_series(c, 0, CHART_CELLS, "cells");
    for (size_t i = 0; i < N_NAMES; i++)
        for (int k = 0; k < 30; k++)
            chart_point(c, cells, (struct chart_point){k, (double)i, k, k + 1, 0.3 * k});
    is_tidy(c, 12);
    chart_destroy(c);

    c = chart_create("x", "panels");
    chart_axis_names(&c->x, names, N_NAMES);
    for (uint32_t p = 0; p < 3; p++) {
        if (p > 0)
            chart_panel(c, names[3]);
        chart_axis_y(c, p, SCALE_LINEAR, names[3], "W");
        uint32_t bars = chart_series(c, p, CHART_BARS, "bars");
        for (size_t i = 0; i < N_NAMES; i++)
            chart_add(c, bars, (double)i, p == 1 ? -1.0 * (double)i : 1e-5 * (double)i);
    }
    is_tidy(c, 12);
    chart_destroy(c);
}
END_TEST

// A line to infinity leaves the picture at the top, where it is cut; no axis is stretched to it.
START_TEST(beyond)
{
    struct chart *c = chart_create("x", "t");
    uint32_t s = chart_series(c, 0, CHART_LINE, "a");
    chart_add(c, s, 0, 1);
    chart_add(c, s, 1, INFINITY);
    double height, x[2], y[2];
    char *svg = drawn(c, false, &height);
    ck_assert_int_eq(sscanf(strstr(svg, "class=\"line\""), "class=\"line\" d=\"M%lf %lfL%lf %lf\"",
                            &x[0], &y[0], &x[1], &y[1]),
                     4);
    ck_assert(x[1] > x[0] && y[0] > 0 && y[1] < -5);
    ck_assert_ptr_null(strstr(svg, "inf"));
    ck_assert(chart_scale_y(c, 0, 5).to < 10);
    mem_free(svg);
    chart_destroy(c);
}
END_TEST

// Numbers are where they should be: of a plot 2 wide and 10 high, the middle.
START_TEST(places)
{
    struct chart *c = chart_create("x", "t");
    chart_axis_range(&c->x, 0, 2);
    chart_axis_range(&c->panels[0].y, 0, 10);
    uint32_t s = chart_series(c, 0, CHART_LINE, "a");
    chart_add(c, s, 0, 0);
    chart_add(c, s, 1, 5);
    chart_add(c, s, 2, 10);
    double height, left, right, bottom, top, x[3], y[3];
    char *svg = drawn(c, false, &height);
    ck_assert_int_eq(sscanf(strstr(svg, "data-x="), "data-x=\"linear 0 2 %lf %lf\"", &left, &right),
                     2);
    ck_assert_int_eq(
        sscanf(strstr(svg, "data-y="), "data-y=\"linear 0 10 %lf %lf\"", &bottom, &top), 2);
    ck_assert_int_eq(sscanf(strstr(svg, "class=\"line\""),
                            "class=\"line\" d=\"M%lf %lfL%lf %lfL%lf %lf\"", &x[0], &y[0], &x[1],
                            &y[1], &x[2], &y[2]),
                     6);
    ck_assert_double_eq_tol(x[1], (right - left) / 2, 0.051); // tenths of a pixel are written
    ck_assert_double_eq_tol(y[1], (bottom - top) / 2, 0.051);
    ck_assert(x[0] == 0 && y[2] == 0);
    ck_assert_double_eq_tol(y[0], bottom - top, 0.051);
    mem_free(svg);
    chart_destroy(c);
}
END_TEST

// The same chart gives the same bytes; nothing known draws nothing but axes.
START_TEST(same_bytes)
{
    struct chart *c = lines(SCALE_LINEAR, SCALE_LINEAR);
    double height;
    char *one = drawn(c, false, &height), *two = drawn(c, false, &height);
    ck_assert_str_eq(one, two);
    ck_assert_ptr_null(strstr(one, "<script"));
    mem_free(one);
    mem_free(two);
    chart_destroy(c);
    c = chart_create("x", "empty");
    chart_add(c, chart_series(c, 0, CHART_LINE, "a"), NAN, NAN);
    is_tidy(c, 2);
    chart_destroy(c);
}
END_TEST

// The band of steps has steps; a series of which nothing is known has no name and no room.
START_TEST(steps_and_nothing)
{
    struct chart *c = chart_create("x", "steps");
    uint32_t s = chart_series(c, 0, CHART_STEP, "known"),
             none = chart_series(c, 0, CHART_STEP, "unknown");
    chart_axis_range(&c->x, 0, 2);
    chart_axis_range(&c->panels[0].y, 0, 10);
    for (int i = 0; i < 3; i++) {
        chart_point(c, s, (struct chart_point){i, 5, 4 - i, 6 + i, NAN});
        chart_add(c, none, i, NAN);
    }
    double height;
    char *text = drawn(c, false, &height), *band = strstr(text, "class=\"band\" d=\"M");
    ck_assert_ptr_nonnull(band);
    char *end = strchr(band, 'Z');
    *end = 0;
    int n_h = 0, n_l = 0;
    for (char *at = strchr(band, 'M'); *at; at++) {
        n_h += *at == 'H';
        n_l += *at == 'L';
    }
    ck_assert(n_h == 4 && n_l == 1); // two there, two back, one down at the end
    *end = 'Z';
    ck_assert_ptr_null(strstr(text, ">unknown<"));
    mem_free(text);
    chart_destroy(c);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", places},         {"core", beyond},
                                       {"core", same_bytes},     {"core", steps_and_nothing},
                                       {"limits", text_is_tidy}, {"limits", other_kinds}};
    return suite_run("chart_svg", tests, sizeof tests / sizeof *tests);
}
