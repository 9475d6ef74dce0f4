// SPDX-License-Identifier: Apache-2.0
#include "study/flow.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static struct doc *parsed(const char *text)
{
    struct err err = {0};
    struct doc *doc = doc_parse("s.yaml", text, strlen(text), &err);
    ck_assert_msg(doc != NULL, "%s", err.text);
    return doc;
}

// A text becomes one scalar on one line that reads back to it, whatever is in it.
START_TEST(texts_read_back)
{
    static const char *const texts[] = {"wnd",   "25ms",     "",
                                        "~",     "null",     "a: b",
                                        "-x",    "[1, 2]",   "say \"no\" \\ ",
                                        " end ", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *quoted = flow_quote(texts[i]), *text = mem_printf("k: %s\n", quoted);
        ck_assert_ptr_null(strchr(quoted, '\n'));
        struct doc *doc = parsed(text);
        const struct node *k = node_get(doc_root(doc), "k");
        ck_assert_str_eq(k->text, texts[i]);
        ck_assert(!node_is_null(k));
        doc_destroy(doc);
        mem_free(text);
        mem_free(quoted);
    }
}
END_TEST

// A whole value on one line is what a setting takes to make the same value.
START_TEST(values_read_back)
{
    struct doc *doc = parsed("a:\n  - x y\n  - {k: [1, ~, \"~\"], \"b: c\": }\n  - []\n  - {}\n");
    char *flow = flow_value(node_get(doc_root(doc), "a"));
    ck_assert_str_eq(flow, "[\"x y\", {k: [1, ~, \"~\"], \"b: c\": ~}, [], {}]");
    char *setting = mem_printf("z=%s", flow);
    struct err err = {0};
    ck_assert_msg(doc_set(doc, setting, &err) == 0, "%s", err.text);
    char *again = flow_value(node_get(doc_root(doc), "z"));
    ck_assert_str_eq(again, flow);
    mem_free(again);
    mem_free(setting);
    mem_free(flow);
    doc_destroy(doc);
}
END_TEST

// Bytes that are no UTF-8 stand for themselves.
START_TEST(stray_bytes)
{
    char *quoted = flow_quote("a\xff"
                              "b\xc3");
    ck_assert_str_eq(quoted, "\"a\xff"
                             "b\xc3\"");
    mem_free(quoted);
}
END_TEST

// Control characters, which a study may not have in a text, are escaped on their way into one.
START_TEST(control_characters_are_escaped)
{
    char *quoted = flow_quote("\t\x01\n\xc2\x85\xe2\x80\xa8\xef\xbb\xbf");
    for (const char *c = quoted; *c; c++)
        ck_assert(*c >= ' ' && *c <= '~');
    ck_assert_ptr_nonnull(strstr(quoted, "\\x01"));
    mem_free(quoted);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", texts_read_back},
                                       {"core", control_characters_are_escaped},
                                       {"core", values_read_back},
                                       {"limits", stray_bytes}};
    return suite_run("flow", tests, sizeof tests / sizeof *tests);
}
