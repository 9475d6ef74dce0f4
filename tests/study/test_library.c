// SPDX-License-Identifier: Apache-2.0
#include "study/library.h"

#include <string.h>

#include "support/suite.h"

static struct library loaded(void)
{
    struct library library;
    struct err err = {0};
    ck_assert_msg(library_load(&library, &err) == 0, "%s", err.text);
    return library;
}

// The embedded files load without an error: eight models in two variants, platforms, accelerators.
START_TEST(everything_loads)
{
    struct library library = loaded();
    ck_assert_uint_ge(library.n_models, 16);
    ck_assert_uint_ge(library.n_platforms, 2);
    ck_assert_uint_ge(library.n_accelerators, 2);
    library_release(&library);
    ck_assert_uint_eq(library.n_models, 0);
}
END_TEST

// Names are unique, so that a name finds one thing.
START_TEST(names_are_unique)
{
    struct library library = loaded();
    for (size_t i = 0; i < library.n_models; i++)
        ck_assert_ptr_eq(library_model(&library, library.models[i].name), &library.models[i]);
    for (size_t i = 0; i < library.n_platforms; i++)
        ck_assert_ptr_eq(library_platform(&library, library.platforms[i].name),
                         &library.platforms[i]);
    for (size_t i = 0; i < library.n_tables; i++)
        ck_assert_ptr_eq(library_table(&library, library.tables[i].name), &library.tables[i]);
    library_release(&library);
}
END_TEST

// A measured table is found by what it measured.
START_TEST(table_by_model_and_platform)
{
    struct library library = loaded();
    ck_assert_uint_gt(library.n_tables, 0);
    const struct cost_table *table = &library.tables[0];
    ck_assert_ptr_eq(library_table_for(&library, table->model, table->platform), table);
    ck_assert_ptr_null(library_table_for(&library, table->model, "nowhere"));
    library_release(&library);
}
END_TEST

// Accelerator times are of the platform's own accelerator, and of none with other rates; what a
// table does not hold may be anything.
START_TEST(table_of_another_accelerator)
{
    struct library library = loaded();
    struct cost_table table = *library_table(&library, "rmc1-repo-zen5-2core");
    const struct model *model = library_model(&library, "rmc1-repo");
    struct platform *its = NULL, ours;
    struct err err = {0};
    for (size_t i = 0; i < library.n_platforms; i++)
        if (strcmp(library.platforms[i].name, "zen5-2core") == 0)
            its = &library.platforms[i];
    platform_attach(its, library_accelerator(&library, "t4"));
    ours = platform_copy(its);
    ours.accelerator.link_bw *= 2;
    ck_assert_int_eq(library_check_table(&library, &table, model, &ours, &err), 0);
    table.accel_load_s = table.accel_compute_s = table.seconds_s;
    ck_assert_int_eq(library_check_table(&library, &table, model, its, &err), 0);
    ck_assert_int_eq(library_check_table(&library, &table, model, &ours, &err), -1);
    ck_assert_str_eq(err.text,
                     "\"rmc1-repo-zen5-2core\" was measured with model \"rmc1-repo\" on "
                     "platform \"zen5-2core\", and the group's accelerator has "
                     "link_bandwidth 24GB/s in place of 12GB/s; see: recfleet list tables");
    platform_attach(&ours, library_accelerator(&library, "gtx1080ti"));
    ck_assert_int_eq(library_check_table(&library, &table, model, &ours, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "and the group's accelerator is \"gtx1080ti\";"));
    platform_attach(&ours, NULL);
    ck_assert_int_eq(library_check_table(&library, &table, model, &ours, &err), 0);
    platform_release(&ours);
    library_release(&library);
}
END_TEST

// What is not there is NULL, and the complaint suggests the nearest name.
START_TEST(unknown_names)
{
    struct library library = loaded();
    struct err err;
    ck_assert_ptr_null(library_model(&library, "wndd"));
    ck_assert_int_eq(library_unknown_model(&library, "wndd", &err), -1);
    ck_assert_str_eq(err.text, "unknown model \"wndd\"; did you mean \"wnd\"?");
    library_unknown_platform(&library, "abacus1234", &err);
    ck_assert_str_eq(err.text, "unknown platform \"abacus1234\"; see: recfleet list platforms");
    library_release(&library);
}
END_TEST

// Where no table is, the complaint says what there is: models on that platform, or platforms for
// that model, or all platforms with tables.
START_TEST(missing_tables)
{
    struct library library = loaded();
    struct err err;
    ck_assert_int_eq(library_missing_table(&library, "wnd", "zen5-2core-avx2", &err), -1);
    ck_assert_str_eq(err.text,
                     "no measured table of model \"wnd\" on platform \"zen5-2core-avx2\"; there "
                     "are: dien-repo, din-repo, din-shipped, mtwnd-repo, ncf-repo, rmc1-repo, "
                     "rmc2-repo, rmc3-repo, wnd-repo on \"zen5-2core-avx2\"");
    ck_assert_int_eq(library_missing_table(&library, "wnd-repo", "skylake", &err), -1);
    ck_assert_str_eq(err.text, "no measured table of model \"wnd-repo\" on platform \"skylake\"; "
                               "there are: zen5-2core-avx2, zen5-2core");
    ck_assert_int_eq(library_missing_table(&library, "wnd", "skylake", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "; there are: zen5-2core-avx2, zen5-2core"));
    library_release(&library);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", everything_loads},
                                       {"core", names_are_unique},
                                       {"core", table_by_model_and_platform},
                                       {"errors", table_of_another_accelerator},
                                       {"errors", unknown_names},
                                       {"errors", missing_tables}};
    return suite_run("library", tests, sizeof tests / sizeof *tests);
}
