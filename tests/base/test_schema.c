// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

enum colour { RED, GREEN };
static const char *const colour_names[] = {"red", "green", NULL};

struct toy {
    bool on;
    int64_t cores;
    uint64_t seed;
    double power_w;
    int64_t delay_ns;
    char *name;
    int colour;
    struct reals fracs;
};

static const struct field toy_fields[] = {
    FIELD(toy, "on", FIELD_BOOL, UNIT_NONE, on, 0, 0, "true", "a switch"),
    FIELD(toy, "cores", FIELD_INT, UNIT_NONE, cores, 1, 1024, "40", "cores"),
    FIELD(toy, "seed", FIELD_UINT, UNIT_NONE, seed, 0, 2e19, "1", "seed"),
    FIELD(toy, "power", FIELD_REAL, UNIT_POWER, power_w, 0, 1e6, "350W", "power"),
    FIELD(toy, "delay", FIELD_TIME, UNIT_TIME, delay_ns, 0, 1e9, "50us", "delay"),
    FIELD(toy, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "", "name"),
    FIELD_CHOICES(toy, "colour", colour, colour_names, "green", "colour"),
    FIELD(toy, "fracs", FIELD_REALS, UNIT_FRAC, fracs, 0, 2, "[0.5, 150%]", "fractions"),
    FIELD_END};

static struct toy fresh(void)
{
    struct toy toy = {0};
    schema_defaults(toy_fields, &toy);
    return toy;
}

static const char *failure(const char *key, const char *text)
{
    static _Thread_local struct err err;
    struct toy toy = fresh(), before = toy;
    ck_assert_int_eq(schema_parse(schema_find(toy_fields, key), text, &toy, &err), -1);
    ck_assert_mem_eq(&toy, &before, sizeof toy); // nothing has changed
    schema_release(toy_fields, &toy);
    return err.text;
}

// Defaults are written as a user would and stored in SI.
START_TEST(defaults_fill_the_struct)
{
    struct toy toy = fresh();
    ck_assert(toy.on);
    ck_assert_int_eq(toy.cores, 40);
    ck_assert_double_eq(toy.power_w, 350);
    ck_assert_int_eq(toy.delay_ns, 50000);
    ck_assert_str_eq(toy.name, "");
    ck_assert_int_eq(toy.colour, GREEN);
    ck_assert_uint_eq(toy.fracs.n, 2);
    ck_assert_double_eq(toy.fracs.v[1], 1.5);
    schema_release(toy_fields, &toy);
    ck_assert_ptr_null(toy.name);
    ck_assert_uint_eq(toy.fracs.n, 0);
}
END_TEST

// Every type is written in a form that the parser reads back to the same value.
START_TEST(format_round_trips)
{
    struct toy toy = fresh(), back = {0};
    schema_parse(schema_find(toy_fields, "seed"), "18446744073709551615", &toy, NULL);
    schema_parse(schema_find(toy_fields, "power"), "0.1W", &toy, NULL);
    schema_parse(schema_find(toy_fields, "name"), "fleet", &toy, NULL);
    for (const struct field *f = toy_fields; f->key; f++) {
        char *text = schema_format(f, &toy);
        ck_assert_int_eq(schema_parse(f, text, &back, NULL), 0);
        mem_free(text);
    }
    ck_assert_uint_eq(back.seed, UINT64_MAX);
    ck_assert_double_eq(back.power_w, 0.1);
    ck_assert_int_eq(back.delay_ns, toy.delay_ns);
    ck_assert_str_eq(back.name, "fleet");
    ck_assert_int_eq(back.colour, toy.colour);
    ck_assert_mem_eq(back.fracs.v, toy.fracs.v, 2 * sizeof(double));
    schema_release(toy_fields, &toy);
    schema_release(toy_fields, &back);
}
END_TEST

// A copy owns its strings and lists.
START_TEST(copies_are_deep)
{
    struct toy toy = fresh(), copy = toy;
    schema_copy(toy_fields, &copy, &toy);
    ck_assert_ptr_ne(copy.name, toy.name);
    ck_assert_ptr_ne(copy.fracs.v, toy.fracs.v);
    schema_release(toy_fields, &toy);
    ck_assert_double_eq(copy.fracs.v[0], 0.5);
    schema_release(toy_fields, &copy);
}
END_TEST

// The nearest name is suggested for a slip of the pen, none for another word.
START_TEST(suggestions)
{
    const char *const names[] = {"servers", "weight", "platform"};
    ck_assert_str_eq(schema_nearest("serverz", names, 3), "servers");
    ck_assert_str_eq(schema_nearest("Wieght", names, 3), "weight");
    ck_assert_str_eq(schema_nearest("plat", names, 3), "platform");
    ck_assert_ptr_null(schema_nearest("colour", names, 3));
}
END_TEST

// Bounds belong to the range; one step beyond does not.
START_TEST(bounds_are_inclusive)
{
    struct toy toy = fresh();
    const struct field *cores = schema_find(toy_fields, "cores");
    ck_assert_int_eq(schema_parse(cores, "1", &toy, NULL), 0);
    ck_assert_int_eq(schema_parse(cores, "1024", &toy, NULL), 0);
    schema_release(toy_fields, &toy);
    ck_assert_str_eq(failure("cores", "1025"),
                     "expected a whole number from 1 to 1024, got \"1025\"");
    ck_assert_str_eq(failure("cores", "0"), "expected a whole number from 1 to 1024, got \"0\"");
    ck_assert_str_eq(failure("delay", "2s"),
                     "expected a time such as \"25ms\" from 0s to 1s, got \"2s\"");
}
END_TEST

// NaN, infinity, negative values, other units and other types are refused.
START_TEST(wrong_values)
{
    const char *const rows[][2] = {{"power", "nan"},
                                   {"power", "inf"},
                                   {"power", "-1W"},
                                   {"power", "25ms"},
                                   {"power", "350"},
                                   {"cores", "4.5"},
                                   {"cores", "many"},
                                   {"delay", "-1ms"},
                                   {"seed", "-1"},
                                   {"on", "yes"},
                                   {"fracs", "[0.5,x]"},
                                   {"delay", ""},
                                   {"cores", "99999999999999999999999"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_ptr_nonnull(strstr(failure(rows[i][0], rows[i][1]), "expected"));
}
END_TEST

// An unknown choice lists the choices and suggests one.
START_TEST(wrong_choice)
{
    ck_assert_str_eq(failure("colour", "gren"),
                     "expected one of red, green, got \"gren\"; did you mean \"green\"?");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", defaults_fill_the_struct}, {"core", format_round_trips},
        {"core", copies_are_deep},          {"core", suggestions},
        {"limits", bounds_are_inclusive},   {"errors", wrong_values},
        {"errors", wrong_choice},
    };
    return suite_run("schema", tests, sizeof tests / sizeof *tests);
}
