// SPDX-License-Identifier: Apache-2.0
#include "study/study_variants.h"

#include <string.h>

#include "support/suite.h"
#include "traces/arrival.h"

// Reads "arrivals" of a text into *config, by default as poisson; the error text, "" when good.
static const char *read_arrivals(const char *text, struct arrival_config *config, struct err *err)
{
    static const char *const others[] = {"process", NULL};
    const struct study_variants variants = study_variants_arrivals();
    *err = (struct err){0};
    struct doc *doc = doc_parse("s", text, strlen(text), err);
    ck_assert_msg(doc != NULL, "%s", err->text);
    *config = (struct arrival_config){.process = study_variants_index(&variants, "poisson")};
    study_variants_read(doc_root(doc), "arrivals", "process", &variants, others, config,
                        &config->process, err);
    doc_destroy(doc);
    return err->text;
}

// All members of a family are there, in its order, with their help and keys.
START_TEST(shows_the_family)
{
    const struct study_variants variants = study_variants_arrivals();
    ck_assert_str_eq(variants.what, "arrival process");
    for (size_t i = 0; i < variants.n; i++) {
        ck_assert_str_eq(variants.names[i], arrival_types[i]->name);
        ck_assert_ptr_eq(variants.fields[i], arrival_types[i]->fields);
        ck_assert_int_eq(study_variants_index(&variants, variants.names[i]), (int64_t)i);
    }
    ck_assert_ptr_null(arrival_types[variants.n]);
    ck_assert_ptr_null(variants.names[variants.n]);
}
END_TEST

// A word alone selects the variant, as the map with nothing but it.
START_TEST(word_alone)
{
    const char *const texts[] = {"arrivals: deterministic", "arrivals: {process: deterministic}"};
    struct arrival_config config;
    struct err err;
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(read_arrivals(texts[i], &config, &err), "");
        ck_assert_str_eq(arrival_types[config.process]->name, "deterministic");
    }
}
END_TEST

// A map selects and sets the keys of its variant.
START_TEST(map_with_keys)
{
    struct arrival_config config;
    struct err err;
    ck_assert_str_eq(read_arrivals("arrivals: {process: gamma, cv: 2.5}", &config, &err), "");
    ck_assert_double_eq(config.cv, 2.5);
}
END_TEST

// Nothing, a null and an empty map leave what the caller chose.
START_TEST(nothing_is_the_callers_choice)
{
    const char *const texts[] = {"x: 1", "arrivals:", "arrivals: {}"};
    struct arrival_config config;
    struct err err;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(read_arrivals(texts[i], &config, &err), "");
        ck_assert_str_eq(arrival_types[config.process]->name, "poisson");
    }
}
END_TEST

// An unknown name, a key of another variant, a lone word whose variant needs keys, and a list are
// errors where they stand.
START_TEST(wrong)
{
    struct arrival_config config;
    struct err err;
    ck_assert_str_eq(read_arrivals("arrivals: gama", &config, &err),
                     "s:1:11: arrivals: unknown arrival process \"gama\"; did you mean \"gamma\"?");
    ck_assert_ptr_nonnull(
        strstr(read_arrivals("arrivals: {process: poisson, cv: 2}", &config, &err),
               "s:1:30: arrivals.cv: unknown key"));
    ck_assert_str_eq(read_arrivals("arrivals: gamma", &config, &err),
                     "s:1:11: arrivals.cv: missing; expected a number from 0 to 100");
    ck_assert_str_eq(read_arrivals("arrivals: [gamma]", &config, &err),
                     "s:1:11: arrivals: expected a map, got a list");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", shows_the_family}, {"core", word_alone},
        {"core", map_with_keys},    {"limits", nothing_is_the_callers_choice},
        {"errors", wrong},
    };
    return suite_run("study_variants", tests, sizeof tests / sizeof *tests);
}
