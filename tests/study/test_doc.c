// SPDX-License-Identifier: Apache-2.0
#include "study/doc.h"

#include <stdio.h>
#include <stdlib.h>
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

// The one line that a text is refused with; caller mem_free()s.
static char *refused(const char *text, size_t n)
{
    struct err err = {0};
    struct doc *doc = doc_parse("s.yaml", text, n, &err);
    ck_assert_ptr_null(doc);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_int_eq(strncmp(err.text, "s.yaml:", 7), 0);
    return mem_strdup(err.text);
}

static void assert_refused(const char *text, const char *line)
{
    char *got = refused(text, strlen(text));
    ck_assert_str_eq(got, line);
    mem_free(got);
}

static char *setting_error(const char *text, const char *setting)
{
    struct doc *doc = parsed(text);
    struct err err = {0};
    ck_assert_int_eq(doc_set(doc, setting, &err), -1);
    doc_destroy(doc);
    return mem_strdup(err.text);
}

// Every value knows its line, column and path.
START_TEST(values_know_their_place)
{
    struct doc *doc = parsed("a: 1\nlist:\n  - x: 25ms\n    y: [p, q]\n");
    const struct node *list = node_get(doc_root(doc), "list");
    const struct node *x = node_get(list->items[0], "x"), *y = node_get(list->items[0], "y");
    char path[64];
    struct err err;
    ck_assert_str_eq(x->text, "25ms");
    ck_assert_str_eq(node_path(y->items[1], path, sizeof path), "list[0].y[1]");
    node_fail(x, &err, "bad");
    ck_assert_str_eq(err.text, "s.yaml:3:8: list[0].x: bad");
    node_fail_key(list->items[0], "z", &err, "missing");
    ck_assert_str_eq(err.text, "s.yaml:3:5: list[0].z: missing");
    doc_destroy(doc);
}
END_TEST

// A setting replaces a value, adds one, makes maps on the way, and takes both spellings of a path.
START_TEST(settings_apply)
{
    struct doc *doc = parsed("list: [{x: 1}, {x: 2}]\n");
    ck_assert_int_eq(doc_set(doc, "list[1].x=3", NULL), 0);
    ck_assert_int_eq(doc_set(doc, "list.0.x={a: b}", NULL), 0);
    ck_assert_int_eq(doc_set(doc, "new.deep.key=v", NULL), 0);
    const struct node *root = doc_root(doc), *list = node_get(root, "list");
    ck_assert_str_eq(node_get(list->items[1], "x")->text, "3");
    ck_assert_str_eq(node_get(node_get(list->items[0], "x"), "a")->text, "b");
    ck_assert_str_eq(node_get(node_get(node_get(root, "new"), "deep"), "key")->text, "v");
    struct err err;
    node_fail(node_get(list->items[1], "x"), &err, "bad");
    ck_assert_str_eq(err.text, "--set list[1].x=3: list[1].x: bad");
    doc_destroy(doc);
}
END_TEST

// A key that carries its unit replaces the key without it.
START_TEST(settings_with_units)
{
    struct doc *doc = parsed("rate: 12000qps\nbatch_items: 3\n");
    doc_set(doc, "rate_qps=9000", NULL);
    doc_set(doc, "batch_items=4", NULL);
    ck_assert_str_eq(node_get(doc_root(doc), "rate")->text, "9000qps");
    ck_assert_str_eq(node_get(doc_root(doc), "batch_items")->text, "4");
    ck_assert_uint_eq(doc_root(doc)->n, 2);
    doc_destroy(doc);
}
END_TEST

// Nothing at all is an empty map; a lone scalar is not.
START_TEST(empty_is_a_map)
{
    struct doc *doc = parsed("# nothing\n");
    ck_assert_int_eq(doc_root(doc)->kind, NODE_MAP);
    ck_assert_uint_eq(doc_root(doc)->n, 0);
    doc_destroy(doc);
}
END_TEST

// A copy lacks what it is to lack, changes alone, and knows the places of the first; a message's
// key is found in it, or what would hold it.
START_TEST(copies)
{
    struct err err = {0};
    const char *text = "a: {b: [1, x]}\nsweep: [{c: d}]\ne: 5\n";
    struct doc *doc = doc_parse("s.yaml", text, strlen(text), &err);
    struct doc *copy = doc_copy(doc, "sweep"), *whole = doc_copy(doc, "none");
    ck_assert_uint_eq(doc_root(copy)->n, 2);
    ck_assert_uint_eq(doc_root(whole)->n, 3);
    ck_assert_int_eq(doc_set(copy, "a.b[1]=y", &err), 0);
    ck_assert_str_eq(node_get(doc_root(doc), "a")->items[0]->items[1]->text, "x");
    node_fail(node_get(doc_root(copy), "e"), &err, "wrong");
    ck_assert_str_eq(err.text, "s.yaml:3:4: e: wrong");
    const struct node *a = node_get(doc_root(copy), "a");
    ck_assert_ptr_eq(doc_find(copy, "a.b[1]: wrong"), a->items[0]->items[1]);
    ck_assert_ptr_eq(doc_find(copy, "a.x.y: wrong"), a);
    ck_assert_ptr_null(doc_find(copy, "no such file"));
    doc_destroy(copy);
    doc_destroy(whole);
    doc_destroy(doc);
}
END_TEST

// "--set key=null" is what "key: null" is.
START_TEST(nothing_is_no_map)
{
    const char *const settings[] = {"a=null", "a=~", "a= null", "a=# none"};
    struct err err = {0};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct doc *doc = doc_parse("s.yaml", "a: 5\n", 5, &err);
        ck_assert_int_eq(doc_set(doc, settings[i], &err), 0);
        ck_assert(node_is_null(node_get(doc_root(doc), "a")));
        doc_destroy(doc);
    }
    struct doc *doc = doc_parse("s.yaml", "a: 5\n", 5, &err);
    ck_assert_int_eq(doc_set(doc, "a={}", &err), 0);
    ck_assert_int_eq(node_get(doc_root(doc), "a")->kind, NODE_MAP);
    doc_destroy(doc);
}
END_TEST

// Depth and number of values end in one error, not in a deep stack or a full memory.
START_TEST(limits_hold)
{
    char deep[DOC_MAX_DEPTH * 2 + 16], *wide = mem_alloc(4 * DOC_MAX_NODES), *p = wide;
    size_t n = 0;
    for (int i = 0; i <= DOC_MAX_DEPTH; i++)
        deep[n++] = '[';
    char *got = refused(deep, n);
    ck_assert_ptr_nonnull(strstr(got, "nested too deeply"));
    mem_free(got);
    *p++ = '[';
    for (int i = 0; i <= DOC_MAX_NODES; i++)
        p += sprintf(p, "1,\n");
    got = refused(wide, (size_t)(p - wide));
    ck_assert_ptr_nonnull(strstr(got, "too many values"));
    mem_free(got);
    mem_free(wide);
}
END_TEST

// A file larger than the limit is refused before it is parsed.
START_TEST(size_limit)
{
    char *text = mem_alloc(DOC_MAX_BYTES + 1);
    memset(text, ' ', DOC_MAX_BYTES + 1);
    char *got = refused(text, DOC_MAX_BYTES + 1);
    ck_assert_str_eq(got, "s.yaml:1:1: larger than 16 MiB");
    mem_free(got);
    mem_free(text);
}
END_TEST

// Each kind of text that is no study has its own line.
START_TEST(refusals)
{
    assert_refused("a: 1\nb: 2\na: 3\n", "s.yaml:3:1: a: duplicate key, first given in line 1");
    assert_refused("a: [1, \"x\\ty\"]\n",
                   "s.yaml:1:8: a[1]: expected a text on one line, without control "
                   "characters such as \\x09");
    assert_refused("a: \"\\x85\"\n", "s.yaml:1:4: a: expected a text on one line, without control "
                                     "characters such as \\x85");
    assert_refused("a: |\n x\n y\n", "s.yaml:1:4: a: expected a text on one line, without control "
                                     "characters such as \\x0a");
    assert_refused("\"\\e[1m\": 1\n", "s.yaml:1:1: expected a text on one line, without control "
                                      "characters such as \\x1b");
    static const char *const shown[] = {"\\u202e", "\\u2028", "\\u200b",
                                        "\\ufeff", "\\xad",   "\\U000e0001"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char text[40], line[160];
        snprintf(text, sizeof text, "a: \"x%sy\"\n", shown[i]);
        snprintf(
            line, sizeof line,
            "s.yaml:1:4: a: expected a text on one line, without control characters such as %s",
            shown[i]);
        assert_refused(text, line);
    }
    struct doc *letters = doc_parse("s.yaml", "\xc3\xa9: \xe6\x97\xa5\xe6\x9c\xac\n", 11, NULL);
    ck_assert_ptr_nonnull(letters); // of any language
    doc_destroy(letters);
    const char *lines = "sources: {a: \"x\\ny\"}\n";
    struct doc *prose = doc_parse("s.yaml", lines, strlen(lines), NULL);
    ck_assert_ptr_nonnull(prose); // which may take more than a line
    doc_destroy(prose);
    assert_refused("a: &x [1]\nb: *x\n", "s.yaml:1:4: anchors and aliases are not supported");
    assert_refused("a: !!int 3\n", "s.yaml:1:4: tags are not supported");
    assert_refused("a: 1\n---\nb: 2\n", "s.yaml:2:1: more than one document in the file");
    assert_refused("? [1, 2]\n: x\n",
                   "s.yaml:1:3: a key must be a single word, not a list or a map");
    assert_refused("a: \"x\\0y\"\n", "s.yaml:1:4: a NUL character is not allowed");
}
END_TEST

// Bytes that are no text are refused where they stand: '%' and a lone continuation byte once hung
// another YAML reader.
START_TEST(garbage)
{
    char *got = refused("%\x80", 2);
    ck_assert_ptr_nonnull(strstr(got, "s.yaml:1:2: "));
    mem_free(got);
    got = refused("a: 1\nb: \xff\n", 10);
    ck_assert_ptr_nonnull(strstr(got, "s.yaml:2:4: not a UTF-8 text"));
    mem_free(got);
    got = refused("a: [1\n", 6);
    ck_assert_ptr_nonnull(strstr(got, "not valid YAML"));
    mem_free(got);
}
END_TEST

// A setting that does not fit the tree says so and leaves it alone.
START_TEST(bad_settings)
{
    const char *const rows[][2] = {
        {"abc", "--set abc: expected key.path=value"},
        {"=1", "--set =1: expected key.path=value"},
        {"a..b=1", "--set a..b=1: expected key.path=value"},
        {"a[0=1", "--set a[0=1: \"a\" has no keys"},
        {"list[7]=1", "--set list[7]=1: no element \"7\" in a list of 1"},
        {"list.x.y=1", "--set list.x.y=1: no element \"x\" in a list of 1"},
        {"a.b=1", "--set a.b=1: \"a\" has no keys"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = setting_error("a: 1\nlist: [2]\n", rows[i][0]);
        ck_assert_str_eq(got, rows[i][1]);
        mem_free(got);
    }
}
END_TEST

// Key paths are checked as doc_set() would walk them.
START_TEST(key_paths)
{
    struct err err = {0};
    ck_assert_int_eq(doc_check_key("a", &err), 0);
    ck_assert_int_eq(doc_check_key("a.b[0].c", &err), 0);
    ck_assert_int_eq(doc_check_key("a.0.c", &err), 0);
    static const char *const bad[] = {"", ".", "a.", "a..b", "[0]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(doc_check_key(bad[i], &err) < 0, "%s", bad[i]);
        ck_assert_str_eq(err.text, "expected a key such as traffic[0].rate");
    }
    ck_assert_int_eq(doc_check_key("a=b", &err), -1);
    ck_assert_str_eq(err.text, "expected key.path without \"=\"");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", key_paths},        {"core", values_know_their_place},
        {"core", settings_apply},   {"core", settings_with_units},
        {"limits", empty_is_a_map}, {"limits", limits_hold},
        {"limits", size_limit},     {"errors", refusals},
        {"errors", garbage},        {"errors", bad_settings},
        {"core", copies},           {"limits", nothing_is_no_map},
    };
    return suite_run("doc", tests, sizeof tests / sizeof *tests);
}
