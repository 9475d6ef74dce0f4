// SPDX-License-Identifier: Apache-2.0
#include "study/library.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "study/doc.h"
#include "base/mem.h"
#include "support/suite.h"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

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

// Adds the sections of a text over the program's own, in *mine.
static int add(struct library *mine, const struct library *base, const char *text, bool over_known,
               struct err *err)
{
    const struct library_source source = {"x.yaml", NULL, over_known};
    struct doc *doc = doc_parse("x.yaml", text, strlen(text), err);
    ck_assert_ptr_nonnull(doc);
    *err = (struct err){0};
    mine->base = base;
    int rc = library_add(mine, doc_root(doc), &source, err);
    doc_destroy(doc);
    return rc;
}

// One mechanism for all four: an entry is like another, of the library or before it in the list.
START_TEST(entries_are_like_others)
{
    struct library base = loaded(), mine = {0};
    struct err err;
    ck_assert_msg(
        add(&mine, &base,
            "accelerators: [{name: card, like: t4, streams: 3}]\n"
            "platforms: [{name: a, like: skylake, cores: 4, accelerator: card},\n"
            "  {name: b, like: a, busy_power: 300W}]\n"
            "models: [{name: m, like: wnd, dim: 64}]\n"
            "tables: [{name: t, model: m, platform: a, batches_items: [1, 8], busy_cores: [1], "
            "seconds: [1ms, 2ms]}, {name: u, like: t, platform: b}]\n",
            false, &err) == 0,
        "%s", err.text);
    const struct platform *b = library_platform(&mine, "b");
    ck_assert_int_eq(b->cores, 4);
    ck_assert_int_eq(b->accelerator.streams, 3);
    ck_assert_double_eq(b->power.busy_w, 300);
    ck_assert_double_eq(b->fc.peak_flops, library_platform(&base, "skylake")->fc.peak_flops);
    ck_assert_int_eq(library_model(&mine, "m")->dim, 64);
    ck_assert_double_eq(library_table(&mine, "u")->seconds_s.v[1], 2e-3);
    ck_assert_ptr_eq(library_table_for(&mine, "m", "b"), library_table(&mine, "u"));
    ck_assert(!library_is_built_in(&mine, library_table(&mine, "u")));
    ck_assert(library_is_built_in(&mine, &base.tables[0]));
    ck_assert_str_eq(library_origin(&mine, LIBRARY_PLATFORMS, 1), "x.yaml");
    ck_assert_ptr_nonnull(library_platform(&mine, "broadwell"));
    library_release(&mine);
    library_release(&base);
}
END_TEST

// A platform from its data sheet alone; what is given goes before what follows from it.
START_TEST(a_data_sheet_is_a_platform)
{
    struct library base = loaded(), mine = {0};
    struct err err;
    ck_assert_msg(add(&mine, &base,
                      "platforms: [{name: box, cores: 64, sockets: 2, clock: 2GHz, "
                      "memory_bandwidth: 400GB/s, memory_size: 512GB, idle_power: 200W, "
                      "busy_power: 700W, attention_peak: 1GFLOP/s}]\n",
                      false, &err) == 0,
                  "%s", err.text);
    const struct platform *box = library_platform(&mine, "box");
    ck_assert_double_eq(box->fc.peak_flops, 64e9);
    ck_assert_double_eq(box->attention.peak_flops, 1e9);
    ck_assert_double_eq_tol(box->stream_socket_bw, 160e9, 1);
    ck_assert_double_eq(box->gather_bw, library_platform(&base, "zen5-2core")->gather_bw);
    ck_assert_double_eq(box->power.busy_w, 700);
    ck_assert(box->provisional);
    library_release(&mine);
    library_release(&base);
}
END_TEST

// Faults stand at the key that is wrong.
START_TEST(wrong_entries_are_refused)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"platforms: [{name: skylake, cores: 4}]",
         "x.yaml:1:20: platforms[0].name: there is a platform of that name; expected another name, "
         "with like: \"skylake\" for what is the same"},
        {"platforms: [{name: a, like: skylak}]",
         "x.yaml:1:29: platforms[0].like: unknown platform \"skylak\"; did you mean \"skylake\"?"},
        {"platforms: [{name: a}]", "x.yaml:1:13: platforms[0].cores: missing; expected the "
                                   "platform's cores, or like: and the name of a known one"},
        {"platforms: [{name: a, like: skylake, accelerator: t5}]",
         "x.yaml:1:51: platforms[0].accelerator: unknown accelerator \"t5\"; did you mean \"t4\"?"},
        {"platforms: [{name: a, cores: 4, memory_bandwidth: 1GB/s}]",
         "x.yaml:1:51: platforms[0].memory_bandwidth: a platform from a data sheet needs a clock "
         "or "
         "a peak"},
        {"accelerators: [{name: x, like: t4}, {name: x, like: t4}]",
         "x.yaml:1:44: accelerators[1].name: accelerator \"x\" is defined twice"},
        {"tables: [{name: t, model: m, platform: p, batches_items: [2, 1], busy_cores: [1], "
         "seconds: "
         "[1ms, 2ms]}]",
         "x.yaml:1:58: tables[0].batches_items: expected values that ascend from 1, got 1"},
        {"tables: [{name: t, model: m, platform: p, file: nowhere.csv}]",
         "x.yaml:1:49: tables[0].file: nowhere.csv: No such file or directory"},
    };
    struct library base = loaded();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct library mine = {0};
        struct err err;
        ck_assert_int_eq(add(&mine, &base, cases[i].text, false, &err), -1);
        ck_assert_str_eq(err.text, cases[i].line);
        library_release(&mine);
    }
    library_release(&base);
}
END_TEST

// A folder's files are read by name; its entries are listed behind the program's.
START_TEST(a_folder_is_a_catalogue)
{
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(mkdir("test_library.d", 0700), 0);
    write_text("test_library.d/a.yaml",
               "tables: [{name: t, model: m, platform: p, file: t.csv},\n"
               "  {name: rmc1-on-this-machine, model: rmc1, platform: p, file: t.csv},\n"
               "  {name: rmc2-on-this-machine, model: rmc2, platform: p, file: t.csv}]\n");
    write_text("test_library.d/t.csv", "batch,ms\n1,2\n");
    ck_assert_msg(library_load_with(&library, "test_library.d", &err) == 0, "%s", err.text);
    ck_assert_double_eq(library_table(&library, "t")->seconds_s.v[0], 2e-3);
    ck_assert_str_eq(library_table(&library, "t")->model, "m");
    // A name that is nearly that of the one before is no slip: it has a file of its own.
    ck_assert_str_eq(library_table(&library, "rmc2-on-this-machine")->model, "rmc2");
    ck_assert_str_eq(library_origin(&library, LIBRARY_TABLES, library.n_tables - 1),
                     "test_library.d/a.yaml");
    ck_assert_ptr_null(library_origin(&library, LIBRARY_TABLES, 0));
    ck_assert(!library_is_built_in(&library, library_table(&library, "t")));
    library_release(&library);
    write_text("test_library.d/a.yaml", "platform: []\n");
    ck_assert_int_eq(library_load_with(&library, "test_library.d", &err), -1);
    ck_assert_str_eq(err.text, "test_library.d/a.yaml:1:1: platform: unknown key; did you mean "
                               "\"platforms\"?");
    // A pipe would be waited for.
    remove("test_library.d/a.yaml");
    ck_assert_int_eq(mkfifo("test_library.d/a.yaml", 0600), 0);
    ck_assert_int_eq(library_load_with(&library, "test_library.d", &err), -1);
    ck_assert_str_eq(err.text, "test_library.d/a.yaml: expected a regular file");
    ck_assert_int_eq(library_load_with(&library, "nowhere", &err), -1);
    ck_assert_str_eq(err.text, "catalog nowhere: No such file or directory");
    remove("test_library.d/a.yaml");
    remove("test_library.d/t.csv");
    remove("test_library.d");
}
END_TEST

// A file of a folder and the sections of a study are one format: what all four may say, a
// platform's data sheet too, gives the same things by either way.
START_TEST(a_folder_takes_what_a_study_takes)
{
    static const char text[] =
        "accelerators: [{name: card, like: t4, memory_size: 24GB}]\n"
        "platforms: [{name: box, cores: 64, sockets: 2, clock: 2.2GHz, peak: 4TFLOP/s, "
        "memory_bandwidth: 614GB/s, memory_size: 768GB, idle_power: 200W, busy_power: 700W, "
        "accelerator: card}]\n"
        "models: [{name: ranker, like: wnd, dim: 64}]\n"
        "tables: [{name: t, model: ranker, platform: box, batches_items: [1], busy_cores: [1], "
        "seconds: [2ms]}]\n";
    struct library base = loaded(), mine = {0}, folder;
    struct err err = {0};
    ck_assert_int_eq(mkdir("test_library.d", 0700), 0);
    write_text("test_library.d/all.yaml", text);
    int rc = library_load_with(&folder, "test_library.d", &err);
    remove("test_library.d/all.yaml");
    remove("test_library.d");
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_msg(add(&mine, &base, text, true, &err) == 0, "%s", err.text);
    const struct platform *box = library_platform(&folder, "box");
    ck_assert_double_eq(box->fc.peak_flops, 4e12 / 64);
    ck_assert_double_eq(box->accelerator.memory_bytes, 24e9);
    ck_assert_int_eq(library_model(&folder, "ranker")->dim, 64);
    for (int kind = 0; kind < N_LIBRARY_KINDS; kind++) {
        const struct field *const fields[] = {accelerator_fields, platform_fields, model_fields,
                                              cost_table_fields};
        const void *ours = library_entry(&folder, (enum library_kind)kind,
                                         library_n(&folder, (enum library_kind)kind) - 1);
        const void *theirs = library_entry(&mine, (enum library_kind)kind, 0);
        for (const struct field *f = fields[kind]; f->key; f++) {
            char *a = schema_format(f, ours), *b = schema_format(f, theirs);
            ck_assert_str_eq(a, b);
            mem_free(a);
            mem_free(b);
        }
    }
    library_release(&folder);
    library_release(&mine);
    library_release(&base);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", everything_loads},
                                       {"core", names_are_unique},
                                       {"core", table_by_model_and_platform},
                                       {"core", entries_are_like_others},
                                       {"core", a_data_sheet_is_a_platform},
                                       {"core", a_folder_is_a_catalogue},
                                       {"core", a_folder_takes_what_a_study_takes},
                                       {"errors", wrong_entries_are_refused},
                                       {"errors", table_of_another_accelerator},
                                       {"errors", unknown_names},
                                       {"errors", missing_tables}};
    return suite_run("library", tests, sizeof tests / sizeof *tests);
}
