// SPDX-License-Identifier: Apache-2.0
#include "results/chart/svg_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static char *escaped(const char *text)
{
    char *made = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&made, &n);
    svg_text_escape(out, text);
    fclose(out);
    char *copy = mem_strdup(made);
    free(made);
    return copy;
}

static void escapes(const char *text, const char *wanted)
{
    char *made = escaped(text);
    ck_assert_str_eq(made, wanted);
    mem_free(made);
}

// Markup is text, and what is no character is replaced: any bytes make well-formed XML.
START_TEST(escape)
{
    escapes("a < b & \"c\" > 'd'", "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;");
    escapes("<script>", "&lt;script&gt;");
    escapes("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    escapes("a\x01\x1b[31m\x7f", "a\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd");
    escapes("\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd");                 // cut off
    escapes("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 // overlong
    escapes("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // half of a pair
    escapes("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // beyond
}
END_TEST

// What does not fit ends in "…" and then fits; what fits stays.
START_TEST(cut)
{
    char *text = svg_text_cut("short", 12, 1000);
    ck_assert_str_eq(text, "short");
    mem_free(text);
    text = svg_text_cut("a rather long name of something", 12, 80);
    ck_assert(svg_text_width(text, 12) <= 80);
    ck_assert_ptr_nonnull(strstr(text, "…"));
    ck_assert(strncmp(text, "a ra", 4) == 0);
    mem_free(text);
    text = svg_text_cut("anything", 12, 0);
    ck_assert_str_eq(text, "…");
    mem_free(text);
}
END_TEST

// An upper estimate: no narrower than DejaVu Sans, whose advance widths at 12 px are 7.35 for "a",
// 11.7 for "m", 3.33 for "i" and 8.21 for "A".
START_TEST(width)
{
    ck_assert(svg_text_width("a", 12) >= 7.35 && svg_text_width("m", 12) >= 11.7);
    ck_assert(svg_text_width("i", 12) >= 3.33 && svg_text_width("A", 12) >= 8.21);
    ck_assert_double_eq_tol(svg_text_width("aa", 12), 2 * svg_text_width("a", 12), 1e-9);
    ck_assert_double_eq_tol(svg_text_width("a", 24), 2 * svg_text_width("a", 12), 1e-9);
    ck_assert(svg_text_width("", 12) == 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", escape}, {"core", cut}, {"core", width}};
    return suite_run("svg_text", tests, sizeof tests / sizeof *tests);
}
