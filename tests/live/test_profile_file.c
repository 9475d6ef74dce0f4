// SPDX-License-Identifier: Apache-2.0
#include "live/profile_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "study/library.h"
#include "study/study.h"
#include "study/table_file.h"
#include "support/suite.h"

static struct profile_row row(uint32_t items, uint32_t busy, double s, bool from_mix)
{
    return (struct profile_row){.items = items,
                                .busy = busy,
                                .time_s = {s, 0.01 * s, 9},
                                .alone_s = {0.9 * s, (double)NAN, 1},
                                .from_mix = from_mix,
                                .cv = 0.1,
                                .n = 1234,
                                .taken_frac = 0.02};
}

// A profile that somebody might have measured.
struct made {
    struct profile_row rows[4], cut_rows[4];
    struct profile_mixed mixed;
    struct profile profile;
    struct topology topology;
    struct size_config sizes;
    struct library library;
    struct profile_entry entry;
    struct profile_about about;
};

static void make(struct made *made)
{
    memset(made, 0, sizeof *made);
    made->rows[0] = row(1, 1, 0.0012345678, false);
    made->rows[1] = row(64, 1, 0.004, true);
    made->rows[2] = row(1, 2, 0.0015, false);
    made->rows[3] = row(64, 2, 0.005, true);
    for (size_t i = 0; i < 4; i++) {
        made->cut_rows[i] = made->rows[i];
        made->cut_rows[i].time_s.value *= 1.2;
    }
    made->mixed = (struct profile_mixed){
        .cut_items = 64, .busy = 2, .factor = 1.2, .query_work_s = 0.014, .untimed_frac = 0.02};
    made->profile = (struct profile){
        .facts = {.table_bytes = 3e9, .table_frac = 0.5, .kernels = "ours, AVX2"},
        .n_rows = 4,
        .n_sizes = 2,
        .n_busy = 2,
        .rows = made->rows,
        .n_cut_rows = 4,
        .n_cut_sizes = 2,
        .cut_rows = made->cut_rows,
        .cold_items = 64,
        .n_mixed = 1,
        .mixed = &made->mixed,
        .typical = &made->mixed,
        .cold = {.found = true, .factor = 1.234567, .cooling_s = 9.6e-3, .warming_s = 1.3e-3},
        .correlated = true,
        .noise_cv = 0.12345,
        .correlation_s = 5.4321e-3,
        .correlated_frac = 0.6,
        .idle_w = (double)NAN,
        .busy_w = (double)NAN,
        .power = "no counters",
        .n_workers = 2,
        .cores_per_worker = 1,
        .n_requests = 5000,
    };
    made->topology = (struct topology){.processor = "Example: 9000, \"fast\"",
                                       .clock_hz = 2.5e9,
                                       .memory_bytes = 64e9,
                                       .l2_bytes = 1048576,
                                       .l3_bytes = 33554432,
                                       .n_packages = 1,
                                       .n_cores = 2};
    schema_defaults(qsize_production.fields, &made->sizes);
    made->sizes.distribution = qsize_find("production");
    ck_assert_int_eq(library_load(&made->library, NULL), 0);
    made->entry = (struct profile_entry){.name = "ncf-repo",
                                         .stem = "ncf-repo",
                                         .model = library_model(&made->library, "ncf-repo"),
                                         .in_catalogue = true,
                                         .sizes = &made->sizes,
                                         .profile = &made->profile};
    made->about = (struct profile_about){.platform = "our: box",
                                         .program = "recfleet 0",
                                         .date = "2026-11-30",
                                         .engine = "own",
                                         .topology = &made->topology,
                                         .idle_w = (double)NAN,
                                         .busy_w = (double)NAN};
}

static void unmake(struct made *made)
{
    schema_release(qsize_production.fields, &made->sizes);
    library_release(&made->library);
}

// The table is read back as it was measured, to six digits.
START_TEST(table_round_trip)
{
    struct made made;
    struct table_file file;
    struct err err = {0};
    make(&made);
    char *text = profile_file_table(&made.entry, &made.about);
    int rc = table_file_parse(&file, "ncf-repo.csv", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s\n%s", err.text, text);
    const struct cost_table *table = &file.table;
    ck_assert_str_eq(table->model, "ncf-repo");
    ck_assert_str_eq(table->platform, "our: box");
    ck_assert_uint_eq(table->batches_items.n, 2);
    ck_assert_uint_eq(table->busy_cores.n, 2);
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_eq_tol(table->seconds_s.v[i] / made.rows[i].time_s.value, 1, 5e-6);
    ck_assert_double_eq_tol(table->cv, 0.1, 1e-6);
    ck_assert_ptr_nonnull(strstr(text, "ours, AVX2"));
    ck_assert_ptr_nonnull(strstr(text, "\n64,1,4,0.04,0.1000,mix,3.6,,1234,0.0200\n"));
    table_file_release(&file);
    mem_free(text);
    unmake(&made);
}
END_TEST

// With histories the table has times without one, above 0 whatever the fit says, and what one adds;
// each as much more as a request of the typical size is in that table.
START_TEST(histories_round_trip)
{
    struct made made;
    struct table_file file;
    struct err err = {0};
    struct profile_history histories[] = {
        {1, {.of = {2e-6, 1e-9, 4e-9}, .residual_frac = 0.0123, .worst_frac = 0.045}},
        {2, {.of = {1, 0, 0}}}};
    make(&made);
    made.profile.base_history = 100;
    made.profile.histories = histories;
    char *text = profile_file_cut(&made.entry, &made.about);
    int rc = table_file_parse(&file, "ncf-repo.csv", text, strlen(text), &err);
    ck_assert_msg(rc == 0, "%s\n%s", err.text, text);
    const struct cost_table *table = &file.table;
    double more = 1.2 / 0.9; // of times over times alone
    ck_assert_uint_eq(table->per_history_s.n, 2);
    ck_assert_double_eq_tol(table->per_history_s.v[0] / (2e-6 * more), 1, 5e-6);
    ck_assert_double_eq_tol(table->per_history_square_s.v[0] / (1e-9 * more), 1, 5e-6);
    ck_assert_double_eq_tol(table->per_item_history_s.v[0] / (4e-9 * more), 1, 5e-6);
    double part_s = more * 100 * (2e-6 + 100 * 1e-9 + 64 * 4e-9);
    ck_assert_double_eq_tol(table->seconds_s.v[1], 1.2 * 0.004 - part_s, 1e-8);
    ck_assert_double_eq_tol(table->seconds_s.v[3], 1e-3 * 1.2 * 0.005, 1e-10); // not below 0
    ck_assert_ptr_nonnull(strstr(text, "so that the mix has its mean: 1.2000 on 2 busy\n"));
    ck_assert_ptr_nonnull(strstr(text, "misses their times by 1.2 % (root mean square), by 4.5 % "
                                       "at worst"));
    table_file_release(&file);
    mem_free(text);
    unmake(&made);
}
END_TEST

// A folder of ours, its name in *folder.
static void make_folder(char *folder, size_t size)
{
    snprintf(folder, size, "/tmp/profile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

// Writes all four as the command does; path of the study.
static char *write_all(struct made *made, const char *folder)
{
    char *catalog = mem_printf("%s/a/catalog", folder), *study = mem_printf("%s/a/x.yaml", folder);
    char *table = mem_printf("%s/ncf-repo.csv", catalog),
         *machine = mem_printf("%s/m.yaml", catalog);
    char *cut = mem_printf("%s/ncf-repo-cut.csv", catalog);
    char *texts[] = {profile_file_table(&made->entry, &made->about),
                     profile_file_cut(&made->entry, &made->about),
                     profile_file_machine(&made->entry, 1, &made->about),
                     profile_file_study(&made->entry, &made->about, "catalog")};
    const char *const paths[] = {table, cut, machine, study};
    ck_assert_int_eq(profile_file_folder(catalog, NULL), 0);
    ck_assert_int_eq(profile_file_folder(catalog, NULL), 0); // it is there
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(profile_file_write(paths[i], texts[i], DURABLE_NEW, NULL), 0);
        mem_free(texts[i]);
    }
    mem_free(cut);
    mem_free(machine);
    mem_free(table);
    mem_free(catalog);
    return study;
}

// The study is one, with all that was fitted, and the catalogue knows machine and table.
START_TEST(study_and_catalogue_are_read)
{
    char folder[32];
    struct made made;
    struct library library;
    struct err err = {0};
    make(&made);
    make_folder(folder, sizeof folder);
    char *path = write_all(&made, folder), *catalog = mem_printf("%s/a/catalog", folder);
    ck_assert_msg(library_load_with(&library, catalog, &err) == 0, "%s", err.text);
    ck_assert_ptr_nonnull(library_table_for(&library, "ncf-repo", "our: box"));
    ck_assert_int_eq(library_platform(&library, "our: box")->cores, 2);
    ck_assert_double_eq(library_platform(&library, "our: box")->memory_bytes, 64e9);
    struct study *study = study_read(path, NULL, 0, &made.library, STUDY_OPEN, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    const struct study_group *group = &study->groups[0];
    // 2 % of the time were taken: by 1 / 0.98, to four digits, longer than in the table.
    ck_assert_double_eq_tol(cost_cpu_s(group->costs[0], 64, 2), 0.006 * 1.0204, 1e-8);
    ck_assert_double_eq_tol(group->cost_configs[0].cold_factor, 1.235, 1e-9);
    ck_assert_double_eq_tol(group->cost_configs[0].cooling_s, 9.6e-3, 1e-9);
    ck_assert_double_eq_tol(group->noise.cv, 0.123, 1e-9);
    ck_assert_int_eq(group->noise.correlation_ns, 5430000);
    ck_assert_double_eq(group->platform.memory_bytes, 0); // it held half of the rows
    ck_assert_str_eq(study->services[0].model, "ncf-repo");
    ck_assert_double_eq_tol(study->services[0].traffic.rate_qps, 0.7 * 2 / (0.014 * 1.0204), 0.1);
    study_destroy(study);
    library_release(&library);
    mem_free(catalog);
    mem_free(path);
    unmake(&made);
}
END_TEST

// Without a model of the catalogue, noise, cold cores: they are not in the files, which are good.
START_TEST(what_there_is_not)
{
    char folder[32];
    struct made made;
    struct err err = {0};
    make(&made);
    make_folder(folder, sizeof folder);
    made.entry.in_catalogue = false;
    made.profile.cold.found = made.profile.correlated = false;
    made.profile.noise_cv = made.mixed.untimed_frac = 0;
    char *path = write_all(&made, folder);
    char *machine = profile_file_machine(&made.entry, 1, &made.about);
    ck_assert_ptr_null(strstr(machine, "tables:"));
    struct study *study = study_read(path, NULL, 0, &made.library, STUDY_OPEN, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_int_eq(study->groups[0].noise.distribution, SPREAD_NONE);
    ck_assert(!cost_has_cold(study->groups[0].costs[0]));
    ck_assert_double_eq(study->groups[0].cost_configs[0].cpu_scale, 1);
    study_destroy(study);
    mem_free(machine);
    mem_free(path);
    unmake(&made);
}
END_TEST

// Workers of several cores are a platform of so many workers, and say so in every file.
START_TEST(workers_of_several_cores)
{
    char folder[32];
    struct made made;
    struct err err = {0};
    make(&made);
    make_folder(folder, sizeof folder);
    made.profile.cores_per_worker = 4;
    char *path = write_all(&made, folder), *table = profile_file_table(&made.entry, &made.about);
    char *machine = profile_file_machine(&made.entry, 1, &made.about);
    ck_assert_ptr_nonnull(strstr(table, "# workers of 4 cores each"));
    ck_assert_ptr_nonnull(strstr(table, "on 8 cores;"));
    ck_assert_ptr_nonnull(
        strstr(machine, "    cores: 2\n    sockets: 1\n    cores_per_worker: 4\n"));
    struct study *study = study_read(path, NULL, 0, &made.library, STUDY_OPEN, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_int_eq(study->groups[0].platform.cores, 2);
    ck_assert_int_eq(study->groups[0].platform.cores_per_worker, 4);
    ck_assert_double_eq_tol(study->services[0].traffic.rate_qps, 0.7 * 2 / (0.014 * 1.0204), 0.1);
    study_destroy(study);
    mem_free(machine);
    mem_free(table);
    mem_free(path);
    unmake(&made);
}
END_TEST

// Watts that were measured are the platform's.
START_TEST(watts)
{
    struct made made;
    make(&made);
    made.about.idle_w = 51.234;
    made.about.busy_w = 119.96;
    char *text = profile_file_machine(&made.entry, 1, &made.about);
    ck_assert_ptr_nonnull(strstr(text, "idle_power: 51.2W\n    busy_power: 120W\n"));
    mem_free(text);
    unmake(&made);
}
END_TEST

// Names that no file should have become ones that it may.
START_TEST(names_of_files)
{
    const char *const names[][2] = {
        {"ncf-repo", "ncf-repo"}, {"../a b", "_._a_b"}, {"-x/y", "_x_y"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *stem = profile_file_stem(names[i][0]);
        ck_assert_str_eq(stem, names[i][1]);
        mem_free(stem);
    }
}
END_TEST

// What is there is not replaced unless that is asked for, and a folder cannot be where a file is.
START_TEST(refuses)
{
    char folder[32];
    struct err err = {0};
    make_folder(folder, sizeof folder);
    char *path = mem_printf("%s/x", folder), *below = mem_printf("%s/x/y", folder);
    ck_assert_int_eq(profile_file_write(path, "one", DURABLE_NEW, NULL), 0);
    ck_assert_int_eq(profile_file_write(path, "two", DURABLE_NEW, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "--force"));
    ck_assert_int_eq(profile_file_write(path, "two", DURABLE_REPLACE, NULL), 0);
    ck_assert_int_eq(profile_file_folder(path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "folder"));
    ck_assert_int_eq(profile_file_folder(below, &err), -1);
    mem_free(below);
    mem_free(path);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", table_round_trip},
        {"core", histories_round_trip},
        {"core", study_and_catalogue_are_read},
        {"core", workers_of_several_cores},
        {"core", watts},
        {"limits", what_there_is_not},
        {"limits", names_of_files},
        {"errors", refuses},
    };
    return suite_run("profile_file", tests, sizeof tests / sizeof *tests);
}
