// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_write.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/file/farm.h"
#include "results/file/same_artefact.h"
#include "results/fixture.h"
#include "support/column_file.h"
#include "support/suite.h"

#define PATH "test_dataset_write.h5"

static void write_farm(const struct farm *farm, const char *path, const struct run_info *run)
{
    struct err err = {0};
    int rc = dataset_write(&farm_layout, farm, run, path, true, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void check_text(hid_t file, const char *object, const char *key, const char *wanted)
{
    char text[256] = "";
    hid_t id = H5Aopen_by_name(file, object, key, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s lacks %s", object, key);
    hid_t type = H5Aget_type(id);
    ck_assert_uint_lt(H5Tget_size(type), sizeof text);
    H5Aread(id, type, text);
    ck_assert_str_eq(text, wanted);
    H5Tclose(type);
    H5Aclose(id);
}

static bool has(hid_t file, const char *path)
{
    return H5Lexists(file, path, H5P_DEFAULT) > 0;
}

// Groups are those of arrays that say something; each has the dimensions that it needs, the root
// all; a grid's axes stand in every group that has its dimension.
START_TEST(groups)
{
    struct farm farm = farm_make(0);
    write_farm(&farm, PATH, NULL);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(has(file, "/readings") && has(file, "/histogram") && has(file, "/run"));
    ck_assert(!has(file, "/deep") && !has(file, "/sample"));
    ck_assert(has(file, "/disk") && has(file, "/component") && has(file, "/edge"));
    ck_assert(!has(file, "/event")); // empty, and nobody's
    ck_assert(has(file, "/readings/disk") && !has(file, "/readings/maker"));
    ck_assert(!has(file, "/readings/edge") && !has(file, "/readings/rate"));
    ck_assert(has(file, "/readings/load") && has(file, "/run/heat_k") && !has(file, "/folded"));
    check_text(file, "/", "coordinates", "maker_name rate rate_value");
    check_text(file, "/", "axes", "maker name\nrate");
    check_text(file, "/", "axis_variables", "maker_name rate");
    check_text(file, "/rate_value", "units", "s-1");
    H5Fclose(file);
    dataset_destroy(&farm_layout, &farm);
    farm = farm_make(3);
    farm.sample.window_s = 2;
    write_farm(&farm, PATH, NULL);
    file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(has(file, "/deep") && has(file, "/deep/events") && has(file, "/deep/events/event"));
    ck_assert(has(file, "/event") && has(file, "/sample"));
    H5Fclose(file);
    unlink(PATH);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

static void check_numbers(hid_t file, const char *path, size_t n, const double *wanted)
{
    double values[8];
    hid_t id = H5Dopen2(file, path, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", path);
    ck_assert_int_ge(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    ck_assert_mem_eq(values, wanted, n * sizeof *values);
    H5Dclose(id);
}

// What differs from study to study: numbers of a grid's labels, fields that the artefact brings,
// and rows of estimates in place of numbers, with a grid of their own.
START_TEST(own_parts)
{
    struct farm farm = farm_make(0);
    struct ci none = ci_none(), spread[8] = {{1, 0.5, 3}, none, none, {3, 0.25, 3},
                                             {5, 1, 3},   none, none, {7, 0.125, 3}};
    write_farm(&farm, PATH, NULL);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    check_numbers(file, "/rate_value", 3, (const double[]){1000, 2500, 2500});
    check_numbers(file, "/readings/load", 6, (const double[]){0, 7, 14, 21, 28, 35});
    check_numbers(file, "/run/heat_k", 2, (const double[]){300, 301});
    H5Fclose(file);
    farm.rounds = point_axes_create(1, 2);
    point_axes_set(&farm.rounds, 0, "rate", (const char *const[]){"3kqps"}, 1);
    farm.spread = spread;
    write_farm(&farm, PATH, NULL);
    file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(has(file, "/folded/round") && has(file, "/folded/rate_value"));
    check_numbers(file, "/folded/power_w", 2, (const double[]){1, 5});
    check_numbers(file, "/folded/share_frac", 2, (const double[]){3, 7});
    check_numbers(file, "/folded/share_frac_half_95", 2, (const double[]){0.25, 0.125});
    check_text(file, "/", "axis_variables", "maker_name rate");
    H5Fclose(file);
    farm.spread = NULL;
    unlink(PATH);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// What stands beside the numbers.
START_TEST(attributes)
{
    struct farm farm = farm_make(2);
    struct run_info run = fixture_run();
    double seconds = 0;
    write_farm(&farm, PATH, &run);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    check_text(file, "/", "program", "recfleet");
    check_text(file, "/", "kind", "farm");
    check_text(file, "/", "Conventions", "CF-1.8");
    check_text(file, "/", "study_name", "farm");
    check_text(file, "/readings/state", "flag_meanings", "up down not_asked");
    check_text(file, "/readings/spinning", "flag_meanings", "no yes");
    check_text(file, "/deep/events/model", "flag_meanings", "a_+_b__µ _");
    check_text(file, "/readings/wait_s_half_95", "long_name",
               "half-width of the 95 % interval of: wait");
    check_text(file, "/readings/busy_s", "units", "s");
    check_text(file, "/price_usd", "units", "EUR"); // the layout's own word
    check_text(file, "/run", "host", run.host);
    ck_assert_int_gt(H5Aexists_by_name(file, "/run", "hdf5_version", H5P_DEFAULT), 0);
    hid_t id = H5Aopen_by_name(file, "/", "length_s", H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(id, H5T_NATIVE_DOUBLE, &seconds);
    H5Aclose(id);
    ck_assert_double_eq(seconds, 123456.789012345);
    H5Fclose(file);
    unlink(PATH);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// Nothing at all is a file, too.
START_TEST(least)
{
    struct farm farm = {0};
    dataset_create(&farm_layout, &farm);
    write_farm(&farm, PATH, NULL);
    unlink(PATH);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// An existing file is kept without force and replaced with it; the look before the run says so.
START_TEST(existing_file)
{
    struct farm farm = farm_make(0);
    struct err err = {0};
    struct stat st;
    column_file_spit(PATH, "mine", 4);
    ck_assert_int_eq(dataset_write_check(PATH, false, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_int_eq(dataset_write(&farm_layout, &farm, NULL, PATH, false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "--force"));
    ck_assert_int_eq(stat(PATH, &st), 0);
    ck_assert_int_eq(st.st_size, 4);
    ck_assert_int_eq(dataset_write_check(PATH, true, &err), 0);
    write_farm(&farm, PATH, NULL);
    ck_assert_int_eq(stat(PATH, &st), 0);
    ck_assert_int_gt(st.st_size, 10000);
    unlink(PATH);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// No folder, and no room: one error, and nothing is left.
START_TEST(no_place)
{
    struct farm farm = farm_make(0);
    struct err err = {0};
    char folder[] = "/tmp/rf_dataset_XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/none/x.h5", folder);
    ck_assert_int_eq(dataset_write(&farm_layout, &farm, NULL, path, false, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    snprintf(path, sizeof path, "%s/x.h5", folder);
    const struct rlimit small = {10000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN); // as the program does
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_int_eq(dataset_write(&farm_layout, &farm, NULL, path, false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "File too large"));
    ck_assert_int_eq(rmdir(folder), 0);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// The tests' own layout holds to the rules.
START_TEST(layout_rules)
{
    same_artefact_layout(&farm_layout, sizeof(struct farm_reading));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", groups},  {"core", attributes},      {"core", own_parts}, {"core", layout_rules},
        {"limits", least}, {"errors", existing_file}, {"errors", no_place}};
    return suite_run("dataset_write", tests, sizeof tests / sizeof *tests);
}
