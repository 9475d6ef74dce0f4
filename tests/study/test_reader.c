// SPDX-License-Identifier: Apache-2.0
#include "study/reader.h"

#include <string.h>

#include "support/suite.h"

struct toy {
    double rate_qps;
    int64_t n;
    struct reals list;
    char *sources;
};

static const struct field toy_fields[] = {
    FIELD(toy, "rate", FIELD_REAL, UNIT_RATE, rate_qps, 0, 1e9, NULL, "rate"),
    FIELD(toy, "n", FIELD_INT, UNIT_NONE, n, 0, 9, "1", "number"),
    FIELD(toy, "list", FIELD_REALS, UNIT_NONE, list, 0, 9, "", "list"),
    FIELD(toy, "sources", FIELD_STRING, UNIT_NONE, sources, 0, 0, "", "sources"), FIELD_END};

// Reads a text into a toy; the error text, "" when it is good.
static const char *filled(const char *text, struct toy *toy, bool partial, struct err *err)
{
    static const char *const others[] = {"mine", NULL};
    const struct reader_part part = {toy_fields, toy};
    const struct reader_options options = {others, partial};
    *err = (struct err){0};
    struct doc *doc = doc_parse("s", text, strlen(text), err);
    schema_defaults(toy_fields, toy);
    if (doc)
        reader_fill(doc_root(doc), NULL, &part, 1, &options, err);
    doc_destroy(doc);
    return err->text;
}

// A map fills the struct; nested lists are flattened, a map of sources becomes lines.
START_TEST(fills)
{
    struct toy toy = {0};
    struct err err;
    ck_assert_str_eq(filled("rate: 2kqps\nlist: [[1, 2], [3]]\nmine: {x: y}\n"
                            "sources: {a: b, c: d}\n",
                            &toy, false, &err),
                     "");
    ck_assert_double_eq(toy.rate_qps, 2000);
    ck_assert_int_eq(toy.n, 1);
    ck_assert_uint_eq(toy.list.n, 3);
    ck_assert_str_eq(toy.sources, "a: b\nc: d\n");
    schema_release(toy_fields, &toy);
}
END_TEST

// A list whose key carries the unit has it in every element, and units may be of several words.
START_TEST(unit_in_key_of_a_list)
{
    static const struct field price_fields[] = {
        FIELD(toy, "price", FIELD_REALS, UNIT_PRICE, list, 0, 9, "", "prices"), FIELD_END};
    struct toy toy = {0};
    const struct reader_part part = {price_fields, &toy};
    const struct reader_options options = {NULL, false};
    struct err err = {0};
    const char *const texts[] = {"price_usd_per_h: [1, 2.5]", "price: [1usd/h, 2.5 usd/h]"};
    for (size_t i = 0; i < 2; i++) {
        struct doc *doc = doc_parse("s", texts[i], strlen(texts[i]), NULL);
        ck_assert_int_eq(reader_fill(doc_root(doc), NULL, &part, 1, &options, &err), 0);
        ck_assert_uint_eq(toy.list.n, 2);
        ck_assert_double_eq(toy.list.v[1], 2.5);
        doc_destroy(doc);
    }
    schema_release(price_fields, &toy);
}
END_TEST

// A key may carry the unit of its value, but not twice.
START_TEST(unit_in_key)
{
    struct toy toy = {0};
    struct err err;
    ck_assert_str_eq(filled("rate_kqps: 3\n", &toy, false, &err), "");
    ck_assert_double_eq(toy.rate_qps, 3000);
    ck_assert_str_eq(filled("rate: 1qps\nrate_qps: 3\n", &toy, false, &err),
                     "s:2:11: rate_qps: \"rate\" is given twice");
    ck_assert_str_eq(filled("rate_ms: 3\n", &toy, false, &err),
                     "s:1:1: rate_ms: unknown key; did you mean \"rate\"?");
    schema_release(toy_fields, &toy);
}
END_TEST

// Required keys may be left out only where something stands in for them.
START_TEST(required)
{
    struct toy toy = {0};
    struct err err;
    ck_assert_ptr_nonnull(strstr(filled("n: 2\n", &toy, false, &err), "s:1:1: rate: missing"));
    ck_assert_str_eq(filled("n: 2\n", &toy, true, &err), "");
    schema_release(toy_fields, &toy);
}
END_TEST

// Errors carry the place of the value, or of the key where the key is wrong.
START_TEST(errors_have_places)
{
    struct toy toy = {0};
    struct err err;
    ck_assert_str_eq(filled("rate: 1qps\nn: 10\n", &toy, false, &err),
                     "s:2:4: n: expected a whole number from 0 to 9, got \"10\"");
    ck_assert_str_eq(filled("rate: {a: 1}\n", &toy, false, &err),
                     "s:1:7: rate: expected a rate such as \"12000qps\" from 0 to 1000Mqps, "
                     "got a map");
    ck_assert_str_eq(filled("rate: 1qps\nlist: [1, x]\n", &toy, false, &err),
                     "s:2:7: list: element 1: expected a number, got \"x\"");
    schema_release(toy_fields, &toy);
}
END_TEST

// A module's "key: text" gets the place of that key, through nested maps.
START_TEST(prefix_finds_the_key)
{
    const char *text = "a:\n  b: 3\n";
    struct doc *doc = doc_parse("s", text, strlen(text), NULL);
    struct err err;
    err_set(&err, ERR_STUDY, "a: b: too small");
    ck_assert_int_eq(reader_prefix(doc_root(doc), &err), -1);
    ck_assert_str_eq(err.text, "s:2:6: a.b: too small");
    err_set(&err, ERR_STUDY, "c: missing");
    reader_prefix(doc_root(doc), &err);
    ck_assert_str_eq(err.text, "s:1:1: c: missing");
    doc_destroy(doc);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", fills},
                                       {"core", unit_in_key},
                                       {"core", unit_in_key_of_a_list},
                                       {"core", prefix_finds_the_key},
                                       {"limits", required},
                                       {"errors", errors_have_places}};
    return suite_run("reader", tests, sizeof tests / sizeof *tests);
}
