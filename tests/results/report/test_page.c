// SPDX-License-Identifier: Apache-2.0
#include "results/report/page.h"

#include <string.h>

#include "base/mem.h"
#include "results/report/report_chart.h"
#include "results/report/shown.h"
#include "results/report/table.h"
#include "support/suite.h"

#define HOSTILE "<script>alert('1')</script> & \xd7\xa9 **x** |"

// A page with one of everything.
static char *page_in(int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    struct page *page = page_open(out, HOSTILE, "sub " HOSTILE);
    page_answer(out, "It is %d " HOSTILE, 42);
    page_keys(out, (const struct page_key[]){{"p95, ms", "7.1", "met"}, {"load", "3", NULL}}, 2);
    page_heading(out, "one", "One " HOSTILE);
    for (int i = 0; i < 2; i++) {
        struct chart *c = chart_create(i ? "b" : "a", HOSTILE);
        chart_caption(c, "caption %d", i);
        chart_add(c, chart_series(c, 0, CHART_LINE, HOSTILE), 1, 2);
        report_chart(out, c);
    }
    report_chart(out, chart_create("none", "nothing to see"));
    page_heading(out, "two", "Two");
    page_fold(out, "all of it");
    report_text(out, "a line\n    that goes on\nanother " HOSTILE "\n\n");
    struct table *table = table_create(2);
    table_row(table, (const char *const[]){"name", "n"});
    table_row(table, (const char *const[]){HOSTILE, "5"});
    table_print(table, out, "t");
    table_destroy(table);
    page_unfold(out);
    page_source(out, "a file", "one\r\n  two " HOSTILE);
    page_close(page);
    return shown_text(&shown);
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

// Whole, complete without anything from elsewhere, each part once, and no name is markup.
START_TEST(html)
{
    char *text = page_in(REPORT_HTML), *again = page_in(REPORT_HTML);
    ck_assert_str_eq(text, again);
    ck_assert_int_eq(strncmp(text, "<!doctype html>", 15), 0);
    ck_assert_str_eq(text + strlen(text) - 15, "</body></html>\n");
    ck_assert_int_eq(count(text, "<script>"), 1); // our own
    ck_assert_ptr_null(strstr(text, "alert('1')"));
    ck_assert_ptr_null(strstr(text, "http-equiv"));
    ck_assert_int_eq(count(text, "src="), 0);
    ck_assert_int_eq(count(text, "http"), count(text, "http://www.w3.org/2000/svg"));
    ck_assert_int_eq(count(text, "<figure "), 2);
    ck_assert_int_eq(count(text, "<div class=\"pictures\">"), 1);
    ck_assert_ptr_nonnull(strstr(text, "<figure id=\"a\"><h3><a href=\"#a\">"));
    ck_assert_ptr_nonnull(strstr(text, "<p class=\"say\">a line that goes on</p>"));
    ck_assert_ptr_nonnull(strstr(text, "<pre>one\n  two &lt;script&gt;"));
    ck_assert_ptr_nonnull(strstr(text, "It is 42 &lt;script&gt;"));
    ck_assert_ptr_null(strstr(text, "nothing to see"));
    const char *const pairs[] = {"div", "p",  "figure", "details", "table",
                                 "svg", "h2", "h3",     "dl",      "g"};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char open[16], wide[16], close[16];
        snprintf(open, sizeof open, "<%s>", pairs[i]);
        snprintf(wide, sizeof wide, "<%s ", pairs[i]);
        snprintf(close, sizeof close, "</%s>", pairs[i]);
        ck_assert_msg(count(text, open) + count(text, wide) == count(text, close), "%s", pairs[i]);
    }
    mem_free(text);
    mem_free(again);
}
END_TEST

// The same parts in Markdown, where nothing of a name is a mark.
START_TEST(markdown)
{
    char *text = page_in(REPORT_MD);
    ck_assert_ptr_nonnull(strstr(text, "# \\<script\\>"));
    ck_assert_ptr_nonnull(strstr(text, "\n## Two\n"));
    ck_assert_ptr_nonnull(strstr(text, "\np95, ms: 7.1 (met)\n"));
    ck_assert_ptr_nonnull(strstr(text, "\na line that goes on\n"));
    ck_assert_ptr_nonnull(strstr(text, "| name | n |\n| --- | ---: |\n| \\<script\\>"));
    ck_assert_ptr_null(strstr(text, "**x**"));
    ck_assert_ptr_null(strstr(text, "<script>"));
    mem_free(text);
}
END_TEST

// Pictures alone, one below the other; tables alone for programs; all in words for people.
START_TEST(others)
{
    char *text = page_in(REPORT_SVG);
    ck_assert_int_eq(count(text, "<svg "), 1 + 2 * 2); // round it; each with its plot
    ck_assert_int_eq(count(text, "</svg>"), 1 + 2 * 2);
    ck_assert_ptr_nonnull(strstr(text, "translate(0 0)"));
    ck_assert_ptr_null(strstr(text, "var(")); // not every viewer knows properties
    mem_free(text);
    text = page_in(REPORT_JSON);
    ck_assert_int_eq(count(text, "\"table\": "), 3);
    ck_assert_ptr_nonnull(strstr(text, "{\"table\": \"a\", \"rows\": [\n    {\"series\": "));
    mem_free(text);
    text = page_in(REPORT_TEXT);
    ck_assert_ptr_nonnull(strstr(text, "It is 42 " HOSTILE "\n"));
    ck_assert_ptr_nonnull(strstr(text, "p95, ms: 7.1 (met)\nload: 3\n"));
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", html}, {"core", markdown}, {"core", others}};
    return suite_run("page", tests, sizeof tests / sizeof *tests);
}
