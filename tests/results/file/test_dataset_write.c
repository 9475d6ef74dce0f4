// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_write.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
// all; what says where we are along a dimension is repeated with it.
START_TEST(groups)
{
    struct farm farm = farm_make(0);
    write_farm(&farm, PATH, NULL);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(has(file, "/readings") && has(file, "/histogram") && has(file, "/run"));
    ck_assert(!has(file, "/deep") && !has(file, "/sample"));
    ck_assert(has(file, "/disk") && has(file, "/component") && has(file, "/edge"));
    ck_assert(!has(file, "/event")); // empty, and nobody's
    ck_assert(has(file, "/readings/disk") && has(file, "/readings/maker"));
    ck_assert(!has(file, "/readings/edge") && !has(file, "/readings/price_usd"));
    check_text(file, "/readings", "coordinates", "maker");
    check_text(file, "/", "coordinates", "maker");
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
    same_artefact_layout(&farm_layout, 16);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", groups},          {"core", attributes},
                                       {"core", layout_rules},    {"limits", least},
                                       {"errors", existing_file}, {"errors", no_place}};
    return suite_run("dataset_write", tests, sizeof tests / sizeof *tests);
}
