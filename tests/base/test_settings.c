// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static const char *const order_names[] = {"fcfs", "shortest", NULL};

struct toy {
    bool on; // in front, so that there is padding
    int64_t batch_items;
    double cap_frac;
    int64_t delay_ns;
    int order;
    uint64_t salt;
};

static const struct field toy_fields[] = {
    FIELD(toy, "on", FIELD_BOOL, UNIT_NONE, on, 0, 0, "true", "a switch"),
    FIELD(toy, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 1, 1024, "256", "items"),
    FIELD(toy, "cap", FIELD_REAL, UNIT_FRAC, cap_frac, 0, 1, "0.5", "a share"),
    FIELD(toy, "delay", FIELD_TIME, UNIT_TIME, delay_ns, 0, 1e9, "2ms", "a time"),
    FIELD_CHOICES(toy, "order", order, order_names, "fcfs", "who is next"),
    FIELD(toy, "salt", FIELD_UINT, UNIT_NONE, salt, 0, 2e19, "0", "any number"),
    FIELD_END};

static const struct field other_fields[] = {
    FIELD(toy, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 1, 1024, "256", "items"),
    FIELD_END};

// Values come from the owner's struct and are read by it again; padding does not count.
START_TEST(holds_the_owners_struct)
{
    struct toy a, b;
    memset(&a, 0, sizeof a);
    memset(&b, 0xff, sizeof b);
    a.on = b.on = true;
    a.batch_items = b.batch_items = 32;
    a.cap_frac = b.cap_frac = 0.25;
    a.delay_ns = b.delay_ns = 7;
    a.order = b.order = 1;
    a.salt = b.salt = UINT64_MAX;
    struct settings s = settings_of(toy_fields, &a), t = settings_of(toy_fields, &b);
    ck_assert_mem_eq(s.values, t.values, SETTINGS_BYTES);
    const struct toy *back = settings_values(&s);
    ck_assert_int_eq(back->batch_items, 32);
    ck_assert_double_eq(back->cap_frac, 0.25);
    ck_assert_uint_eq(back->salt, UINT64_MAX);
    ck_assert_uint_eq(settings_n(&s), 6);
}
END_TEST

// Without values there are the defaults.
START_TEST(defaults)
{
    struct settings s = settings_of(toy_fields, NULL);
    ck_assert_double_eq(settings_number(&s, "on"), 1);
    ck_assert_int_eq(settings_whole(&s, "batch_items"), 256);
    ck_assert_double_eq(settings_number(&s, "delay"), 2e6);
    ck_assert_ptr_nonnull(settings_field(&s, "order"));
    ck_assert_ptr_null(settings_field(&s, "colour"));
}
END_TEST

// Every type can be set as a number and as text, and reads back as either.
START_TEST(set_and_get)
{
    struct settings s = settings_of(toy_fields, NULL);
    const struct {
        const char *key;
        double value;
        const char *text;
    } rows[] = {{"on", 0, "false"},      {"batch_items", 17, "17"}, {"cap", 0.125, "0.125"},
                {"delay", 5e5, "500us"}, {"order", 1, "shortest"},  {"salt", 12, "12"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(settings_set_number(&s, rows[i].key, rows[i].value));
        char *text = settings_get(&s, rows[i].key);
        ck_assert_str_eq(text, rows[i].text);
        struct settings t = settings_of(toy_fields, NULL);
        ck_assert_int_eq(settings_set(&t, rows[i].key, text, NULL), 0);
        ck_assert_double_eq(settings_number(&t, rows[i].key), rows[i].value);
        mem_free(text);
    }
    ck_assert(settings_set_number(&s, "batch_items", 17.6)); // the nearest whole number
    ck_assert_int_eq(settings_whole(&s, "batch_items"), 18);
}
END_TEST

// A line of all values reads back to the same; a line of some leaves the others.
START_TEST(format_and_parse)
{
    struct settings s = settings_of(toy_fields, NULL), t = settings_of(toy_fields, NULL);
    settings_set_number(&s, "batch_items", 8);
    settings_set_number(&s, "order", 1);
    char *line = settings_format(&s);
    ck_assert_str_eq(line,
                     "on: true, batch_items: 8, cap: 0.5, delay: 2ms, order: shortest, salt: 0");
    ck_assert_int_eq(settings_parse(&t, line, NULL), 0);
    ck_assert(settings_equal(&s, &t));
    mem_free(line);
    ck_assert_int_eq(settings_parse(&t, "delay: 1ms", NULL), 0);
    ck_assert_int_eq(settings_whole(&t, "batch_items"), 8);
    ck_assert_int_eq(settings_whole(&t, "delay"), 1000000);
}
END_TEST

// Order goes by the first field that differs; settings of other tables are never equal.
START_TEST(compares)
{
    struct settings a = settings_of(toy_fields, NULL), b = a, c = settings_of(other_fields, NULL);
    ck_assert(settings_equal(&a, &b));
    settings_set_number(&b, "cap", 0.75);
    ck_assert_int_lt(settings_compare(&a, &b), 0);
    settings_set_number(&a, "batch_items", 257);
    ck_assert_int_gt(settings_compare(&a, &b), 0);
    ck_assert(!settings_equal(&a, &b));
    ck_assert(!settings_equal(&a, &c));
}
END_TEST

// As bytes and back.
START_TEST(saves_and_loads)
{
    struct settings s = settings_of(toy_fields, NULL);
    settings_set_number(&s, "delay", 3);
    struct blob blob = {0};
    settings_save(&s, &blob);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    struct settings t = settings_load(toy_fields, &reader);
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
    ck_assert(settings_equal(&s, &t));
    blob_release(&blob);
}
END_TEST

// No fields: nothing to say, and equal to itself.
START_TEST(no_settings)
{
    struct settings none = {0}, same = settings_of(NULL, NULL);
    char *line = settings_format(&none);
    ck_assert_str_eq(line, "");
    ck_assert_uint_eq(settings_n(&none), 0);
    ck_assert(settings_equal(&none, &same));
    ck_assert_int_eq(settings_parse(&none, "", NULL), 0);
    mem_free(line);
}
END_TEST

// Whole numbers that a double cannot tell apart are told apart all the same.
START_TEST(large_whole_numbers)
{
    struct settings a = settings_of(toy_fields, NULL), b = a;
    ck_assert_int_eq(settings_set(&a, "salt", "9007199254740993", NULL), 0);
    ck_assert_int_eq(settings_set(&b, "salt", "9007199254740992", NULL), 0);
    ck_assert(!settings_equal(&a, &b));
    ck_assert_int_gt(settings_compare(&a, &b), 0);
    ck_assert_int_eq(settings_whole(&a, "salt"), 9007199254740993);
}
END_TEST

// What a field does not allow is refused, and nothing has changed.
START_TEST(refuses)
{
    struct settings s = settings_of(toy_fields, NULL), before = s;
    struct err err;
    ck_assert(!settings_set_number(&s, "batch_items", 0));
    ck_assert(!settings_set_number(&s, "batch_items", 1025));
    ck_assert(!settings_set_number(&s, "batch_items", (double)NAN));
    ck_assert(!settings_set_number(&s, "order", 2));
    ck_assert(!settings_set_number(&s, "on", 2));
    ck_assert(!settings_set_number(&s, "colour", 1));
    ck_assert_int_eq(settings_set(&s, "batch_itms", "8", &err), -1);
    ck_assert_str_eq(err.text, "unknown setting \"batch_itms\"; did you mean \"batch_items\"?");
    ck_assert_int_eq(settings_set(&s, "batch_items", "many", &err), -1);
    ck_assert_str_eq(err.text, "batch_items: expected a number of items such as \"64\" from 1 to "
                               "1024, got \"many\"");
    ck_assert_int_eq(settings_parse(&s, "batch_items: 8, order", &err), -1);
    ck_assert_str_eq(err.text, "expected \"key: value\", got \"order\"");
    ck_assert_int_eq(settings_parse(&s, "batch_items: 8, cap: 2", NULL), -1);
    ck_assert_mem_eq(&s, &before, sizeof s);
}
END_TEST

// Bytes that are too few, or that no value has, are refused.
START_TEST(damaged_bytes)
{
    struct settings s = settings_of(toy_fields, NULL);
    struct blob blob = {0};
    settings_save(&s, &blob);
    for (size_t n = 0; n < blob.n; n++) {
        struct blob_reader reader = blob_read(blob.bytes, n);
        settings_load(toy_fields, &reader);
        ck_assert_int_eq(blob_end(&reader, NULL), -1);
    }
    memset(blob.bytes, 0xff, blob.n);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    struct settings t = settings_load(toy_fields, &reader);
    ck_assert_int_eq(blob_end(&reader, NULL), -1);
    mem_free(settings_format(&t)); // what came of it is harmless
    blob_release(&blob);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", holds_the_owners_struct},
        {"core", defaults},
        {"core", set_and_get},
        {"core", format_and_parse},
        {"core", compares},
        {"core", saves_and_loads},
        {"limits", no_settings},
        {"limits", large_whole_numbers},
        {"errors", refuses},
        {"errors", damaged_bytes},
    };
    return suite_run("settings", tests, sizeof tests / sizeof *tests);
}
