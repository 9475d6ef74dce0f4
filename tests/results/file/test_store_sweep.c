// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_sweep.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dump.h"
#include "results/file/fixture_sweep.h"
#include "results/file/load_sweep.h"
#include "results/file/same_sweep.h"
#include "support/suite_mpi.h"

// A file in a folder of its own.
struct place {
    char folder[64], path[96];
};

static struct place make_place(void)
{
    struct place at = {.folder = "/tmp/rf_points_XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(at.folder));
    snprintf(at.path, sizeof at.path, "%s/x.h5", at.folder);
    return at;
}

// Nothing but the file may be there.
static void clear_place(const struct place *at)
{
    unlink(at->path);
    ck_assert_int_eq(rmdir(at->folder), 0);
}

static void write_it(const struct sweep_result *p, const char *path)
{
    struct err err = {0};
    int rc = store_sweep_write(path, true, p, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

// What is stored is what is read.
static void round_trip_of(struct sweep_result *p)
{
    struct place at = make_place();
    struct err err = {0};
    write_it(p, at.path);
    struct sweep_result *back = load_sweep_open(at.path, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    same_sweep(p, back);
    sweep_result_destroy(back);
    sweep_result_destroy(p);
    clear_place(&at);
}

// Points that differ in shape and state come back to the bit.
START_TEST(round_trip)
{
    round_trip_of(fixture_sweep());
}
END_TEST

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = mem_alloc(*n);
    ck_assert_uint_eq(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

// Written twice, in different seconds of the clock, the file is the same to the byte.
START_TEST(same_bytes)
{
    struct place at = make_place();
    struct sweep_result *p = fixture_sweep();
    size_t n, m;
    write_it(p, at.path);
    char *first = slurp(at.path, &n);
    unlink(at.path);
    sleep(1);
    write_it(p, at.path);
    char *second = slurp(at.path, &m);
    ck_assert_uint_eq(n, m);
    ck_assert_uint_gt(n, 100000);
    ck_assert(memcmp(first, second, n) == 0);
    mem_free(first);
    mem_free(second);
    sweep_result_destroy(p);
    clear_place(&at);
}
END_TEST

// Another run of the same study, elsewhere and slower, differs in /run alone.
START_TEST(run_apart)
{
    struct place a = make_place(), b = make_place();
    struct sweep_result *p = fixture_sweep();
    p->replication = -1;
    write_it(p, a.path);
    struct run_result *run = fixture_load(10, 2, 1); // point 0 once more
    run->info.wall_s = 77;
    run->info.n_ranks = 9;
    run->info.n_restarts = 5;
    mem_free((void *)(uintptr_t)run->info.host);
    run->info.host = mem_strdup("elsewhere");
    sweep_result_take(p, 0, run);
    write_it(p, b.path);
    struct dump x = dump_file(a.path), y = dump_file(b.path);
    ck_assert_uint_gt(x.n, 50000);
    ck_assert_uint_eq(x.n, y.n);
    ck_assert_mem_eq(x.bytes, y.bytes, x.n);
    size_t n, m;
    char *first = slurp(a.path, &n), *second = slurp(b.path, &m);
    ck_assert(n != m || memcmp(first, second, n) != 0); // the files are not the same
    mem_free(first);
    mem_free(second);
    mem_free(x.bytes);
    mem_free(y.bytes);
    run_result_destroy(run);
    sweep_result_destroy(p);
    clear_place(&a);
    clear_place(&b);
}
END_TEST

// One number of a dataset.
static double number_at(hid_t file, const char *name, size_t index)
{
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", name);
    hid_t space = H5Dget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    ck_assert_int_gt(n, (hssize_t)index);
    double *all = mem_calloc((size_t)n, sizeof *all);
    ck_assert_int_ge(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all), 0);
    double value = all[index];
    mem_free(all);
    H5Sclose(space);
    H5Dclose(id);
    return value;
}

// Where the numbers stand: by point, service, group, component and quantile; and folded by case.
START_TEST(layout)
{
    struct place at = make_place();
    struct sweep_result *p = fixture_sweep();
    write_it(p, at.path);
    hid_t file = H5Fopen(at.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    ck_assert_double_eq(number_at(file, "/state", 4), SWEEP_FAILED);
    ck_assert_double_eq(number_at(file, "/policy", 7), 1);
    ck_assert_double_eq(number_at(file, "/groups/servers_value", 3), 2500);
    ck_assert_double_eq(number_at(file, "/total/served_qps", 9), 19000);
    ck_assert_double_eq(number_at(file, "/summary/sla_latency_s", 3 * 2 + 1), 14 * 1e-3);
    ck_assert_double_eq(number_at(file, "/summary/latency_s", (3 * 2 + 1) * 5 + 2), 14 * 1e-3);
    ck_assert_double_nan(number_at(file, "/summary/sla_latency_s", 9 * 2 + 1)); // not there
    ck_assert_double_nan(number_at(file, "/total/served_qps", 8));              // not done
    ck_assert_double_eq(number_at(file, "/groups/component_util_frac", (3 * 2 + 1) * 2),
                        13 * 0.05 - 0.01);
    ck_assert_double_eq(number_at(file, "/run/wall_s", 10), 2.5);
    ck_assert_double_eq_tol(number_at(file, "/folded/total/served_qps", 0), 11000, 1e-9);
    ck_assert_double_eq_tol(number_at(file, "/folded/summary/latency_s", 5 + 2), 0.012, 1e-15);
    ck_assert_double_eq_tol(number_at(file, "/folded/groups/component_util_frac_half_95", 0),
                            0.05 * 4.303 / 1.7321, 1e-5);
    ck_assert_double_eq_tol(number_at(file, "/folded/groups/component_energy_j", 1), 5 * 11, 1e-12);
    ck_assert_double_eq(number_at(file, "/folded/n_overloaded", 2), 1);
    ck_assert_double_nan(number_at(file, "/folded/total/latency_mean_s", 2));
    ck_assert_double_eq(number_at(file, "/folded/summary/sla", 2 * 2), SLA_MISSED);
    ck_assert_int_eq(H5Lexists(file, "/folded/replication", H5P_DEFAULT), 0);
    H5Fclose(file);
    sweep_result_destroy(p);
    clear_place(&at);
}
END_TEST

// One point that is not done, without axes, replications or study.
START_TEST(least)
{
    struct sweep_result *p = fixture_points_least();
    mem_free(p->study_text);
    p->study_text = NULL;
    round_trip_of(p);
}
END_TEST

// Axes may be called anything, and labels, too; there may be so many that they take a form
// of attribute that few do not: from 64 KiB.
START_TEST(awkward_names)
{
    const uint32_t n = 1000;
    char(*text)[96] = mem_calloc(n, sizeof *text);
    const char **labels = mem_calloc(n, sizeof *labels);
    struct sweep_result *p = sweep_result_create(3, n);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i],
                 "label, as long as it takes to be more than others are, number %u", i);
        labels[i] = text[i];
        sweep_result_set_value(p, i, 0, i);
        sweep_result_set_value(p, i, 2, i % 2);
        sweep_result_set_state(p, i, SWEEP_FAILED, text[i]);
    }
    sweep_result_set_axis(p, 0, "state", labels, n);
    sweep_result_set_axis(p, 1, "", (const char *const[]){""}, 1);
    sweep_result_set_axis(p, 2, "µ/2", (const char *const[]){"a + b = \"1\"", ""}, 2);
    mem_free(text);
    mem_free(labels);
    round_trip_of(p);
}
END_TEST

// An existing file is kept without force and replaced with it.
START_TEST(existing_file)
{
    struct place at = make_place();
    struct sweep_result *p = fixture_points_least();
    struct err err = {0};
    struct stat st = {0};
    FILE *f = fopen(at.path, "w");
    fputs("mine", f);
    fclose(f);
    ck_assert_int_eq(store_sweep_write(at.path, false, p, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "--force"));
    ck_assert_int_eq(stat(at.path, &st), 0);
    ck_assert_int_eq(st.st_size, 4);
    ck_assert_int_eq(store_sweep_write(at.path, true, p, NULL), 0);
    ck_assert_int_eq(stat(at.path, &st), 0);
    ck_assert_int_gt(st.st_size, 10000);
    sweep_result_destroy(p);
    clear_place(&at);
}
END_TEST

// A folder that is not there, and one where not even root can make a file.
START_TEST(no_place)
{
    struct sweep_result *p = fixture_points_least();
    struct err err = {0};
    ck_assert_int_eq(store_sweep_write("/tmp/rf_no_such_folder/x.h5", false, p, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "rf_no_such_folder"));
    ck_assert_int_eq(store_sweep_write("/proc/self/x.h5", false, p, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/proc/self/x.h5"));
    sweep_result_destroy(p);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", round_trip},      {"core", same_bytes},
                                       {"core", run_apart},       {"core", layout},
                                       {"limits", least},         {"limits", awkward_names},
                                       {"errors", existing_file}, {"errors", no_place}};
    return suite_mpi_run(&argc, &argv, "store_sweep", tests, sizeof tests / sizeof *tests);
}
