// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_capacity.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dump.h"
#include "results/fixture.h"
#include "results/file/fixture_capacity.h"
#include "results/file/load_capacity.h"
#include "results/file/same_capacity.h"
#include "support/suite_mpi.h"

static int rank_of(MPI_Comm comm)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    return rank;
}

// A file of this program's own in a folder of its own, the same on all ranks.
static void make_path(char folder[64], char path[96])
{
    if (rank_of(MPI_COMM_WORLD) == 0) {
        snprintf(folder, 64, "%s", "/tmp/rf_staffing_XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    MPI_Bcast(folder, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, 96, "%s/x.h5", folder);
}

// Only rank 0 has anything to store.
static int write_all(const struct capacity_result *answer, const char *path, bool force,
                     struct err *err)
{
    struct run_info run = fixture_run();
    bool root = rank_of(MPI_COMM_WORLD) == 0;
    return store_capacity_write(MPI_COMM_WORLD, path, force, root ? answer : NULL,
                                root ? &run : NULL, err);
}

// What is stored is what is read: names, and rows to the byte. Destroys it.
static void round_trip_of(struct capacity_result *s)
{
    char folder[64], path[96];
    struct err err = {0};
    make_path(folder, path);
    int rc = write_all(s, path, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        struct capacity_result *back = load_capacity_open(path, &err);
        ck_assert_msg(back != NULL, "%s", err.text);
        same_capacity(s, back);
        capacity_result_destroy(back);
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0); // nothing else is left there
    }
    capacity_result_destroy(s);
}

// So do a day, sizes and loads.
START_TEST(other_round_trips)
{
    round_trip_of(fixture_capacity_day());
    round_trip_of(fixture_capacity_sizes());
    round_trip_of(fixture_capacity_loads());
}
END_TEST

// One rank alone and all ranks together write the same, outside /run, to the byte.
START_TEST(same_on_any_number_of_ranks)
{
    char folder[64], one[96], all[96];
    struct err err = {0};
    struct capacity_result *s = fixture_capacity_loads();
    struct run_info run = fixture_run();
    make_path(folder, all);
    snprintf(one, sizeof one, "%s/one.h5", folder);
    bool root = rank_of(MPI_COMM_WORLD) == 0;
    int alone = root ? store_capacity_write(MPI_COMM_SELF, one, false, s, &run, &err) : 0;
    int together = write_all(s, all, false, &err);
    ck_assert_msg(alone == 0 && together == 0, "%s", err.text);
    if (root) {
        struct dump a = dump_file(one), b = dump_file(all);
        ck_assert_uint_gt(a.n, 1000);
        ck_assert_uint_eq(a.n, b.n);
        ck_assert_mem_eq(a.bytes, b.bytes, a.n);
        mem_free(a.bytes);
        mem_free(b.bytes);
        unlink(one);
        unlink(all);
        ck_assert_int_eq(rmdir(folder), 0);
    }
    capacity_result_destroy(s);
}
END_TEST

static int has(hid_t file, const char *path)
{
    return H5Lexists(file, path, H5P_DEFAULT);
}

static void check_groups(const char *path)
{
    char units[16] = "";
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_int_gt(has(file, "/tuples"), 0);
    ck_assert_int_gt(has(file, "/plan"), 0);
    ck_assert_int_eq(has(file, "/sizes"), 0);
    ck_assert_int_eq(has(file, "/loads"), 0);
    hid_t attribute = H5Aopen_by_name(file, "/totals/objective", "units", H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    ck_assert_uint_lt(H5Tget_size(type), sizeof units);
    H5Aread(attribute, type, units);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Fclose(file);
    ck_assert_str_eq(units, "W h");
}

// A whole plan comes back; only what says something has a group, and objectives carry the study's
// unit.
START_TEST(plan_round_trip)
{
    char folder[64], path[96];
    struct err err = {0};
    struct capacity_result *s = fixture_capacity();
    make_path(folder, path);
    int rc = write_all(s, path, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        struct capacity_result *back = load_capacity_open(path, &err);
        ck_assert_msg(back != NULL, "%s", err.text);
        same_capacity(s, back);
        capacity_result_destroy(back);
        check_groups(path);
        unlink(path);
        rmdir(folder);
    }
    capacity_result_destroy(s);
}
END_TEST

// Nothing at all is a file, too: no dimension, no study.
START_TEST(least)
{
    round_trip_of(capacity_result_create(&(struct capacity_shape){0}));
}
END_TEST

// Names may be anything but of two lines.
START_TEST(awkward_names)
{
    struct capacity_result *s = fixture_capacity_loads();
    mem_free(s->types[0]);
    mem_free(s->services[1]);
    s->types[0] = mem_strdup("a + b, µ = \"1\"");
    s->services[1] = mem_strdup("");
    round_trip_of(s);
}
END_TEST

// An existing file is kept without force and replaced with it.
START_TEST(existing_file)
{
    char folder[64], path[96];
    struct err err = {0};
    struct stat st = {0};
    struct capacity_result *s = fixture_capacity_loads();
    make_path(folder, path);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        FILE *f = fopen(path, "w");
        fputs("mine", f);
        fclose(f);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    int kept = write_all(s, path, false, &err);
    stat(path, &st);
    off_t before = st.st_size;
    MPI_Barrier(MPI_COMM_WORLD); // all have looked before it changes
    int replaced = write_all(s, path, true, NULL);
    stat(path, &st);
    MPI_Barrier(MPI_COMM_WORLD);
    ck_assert_int_eq(kept, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "--force"));
    ck_assert_int_eq(before, 4);
    ck_assert_int_eq(replaced, 0);
    ck_assert_int_gt(st.st_size, 10000);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0);
    }
    capacity_result_destroy(s);
}
END_TEST

// A folder that is not there: one error on all ranks.
START_TEST(no_place)
{
    struct err err = {0};
    struct capacity_result *s = fixture_capacity_loads();
    int absent = write_all(s, "/tmp/rf_no_such_folder/x.h5", false, &err);
    ck_assert_int_eq(absent, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "rf_no_such_folder"));
    capacity_result_destroy(s);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", plan_round_trip},
                                       {"core", other_round_trips},
                                       {"core", same_on_any_number_of_ranks},
                                       {"limits", least},
                                       {"limits", awkward_names},
                                       {"errors", existing_file},
                                       {"errors", no_place}};
    return suite_mpi_run(&argc, &argv, "store_capacity", tests, sizeof tests / sizeof *tests);
}
