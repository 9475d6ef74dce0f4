// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_tuning.h"

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
#include "results/file/fixture_tuning.h"
#include "results/file/load_tuning.h"
#include "results/file/same_tuning.h"
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
        snprintf(folder, 64, "%s", "/tmp/rf_tuning_XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    MPI_Bcast(folder, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, 96, "%s/x.h5", folder);
}

// Only rank 0 has anything to store.
static int write_all(const struct tuning_result *tuning, const char *path, bool force,
                     struct err *err)
{
    struct run_info run = fixture_run();
    bool root = rank_of(MPI_COMM_WORLD) == 0;
    return store_tuning_write(MPI_COMM_WORLD, path, force, root ? tuning : NULL, root ? &run : NULL,
                              err);
}

// What is stored is what is read: names, numbers to the bit, NaN, the path.
static void round_trip_of(struct tuning_result *t)
{
    char folder[64], path[96];
    struct err err = {0};
    make_path(folder, path);
    int rc = write_all(t, path, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        struct tuning_result *back = load_tuning_open(path, &err);
        ck_assert_msg(back != NULL, "%s", err.text);
        same_tuning(t, back);
        tuning_result_destroy(back);
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0); // nothing else is left there
    }
    tuning_result_destroy(t);
}

// A whole grid comes back.
START_TEST(round_trip)
{
    round_trip_of(fixture_tuning(5));
}
END_TEST

// One rank alone and all ranks together write the same, outside /run, to the byte.
START_TEST(same_on_any_number_of_ranks)
{
    char folder[64], one[96], all[96];
    struct err err = {0};
    struct tuning_result *t = fixture_tuning(3);
    struct run_info run = fixture_run();
    make_path(folder, all);
    snprintf(one, sizeof one, "%s/one.h5", folder);
    bool root = rank_of(MPI_COMM_WORLD) == 0;
    int alone = root ? store_tuning_write(MPI_COMM_SELF, one, false, t, &run, &err) : 0;
    for (size_t i = 0; i < (size_t)t->n_cells * t->n_policies; i++)
        t->outcomes[i].wall_s *= 0.5; // as another run of the same study
    int together = write_all(t, all, false, &err);
    ck_assert_msg(alone == 0 && together == 0, "%s", err.text);
    if (root) {
        struct dump a = dump_file(one), b = dump_file(all);
        ck_assert_uint_gt(a.n, 10000);
        ck_assert_uint_eq(a.n, b.n);
        ck_assert_mem_eq(a.bytes, b.bytes, a.n);
        mem_free(a.bytes);
        mem_free(b.bytes);
        unlink(one);
        unlink(all);
        ck_assert_int_eq(rmdir(folder), 0);
    }
    tuning_result_destroy(t);
}
END_TEST

// So does one cell without axes, steps or study.
START_TEST(least)
{
    struct tuning_result *t = fixture_tuning_least();
    mem_free(t->study);
    t->study = NULL;
    round_trip_of(t);
}
END_TEST

// Axes may be called anything, also what the file calls something else, and labels too.
START_TEST(awkward_names)
{
    struct tuning_result *t = fixture_tuning(1);
    const char *const names[] = {"qps", "cell", "axis/qps 1"};
    for (uint32_t a = 0; a < 3; a++) {
        mem_free(t->axes[a].name);
        t->axes[a].name = mem_strdup(names[a]);
    }
    mem_free(t->axes[1].labels[0]);
    t->axes[1].labels[0] = mem_strdup("");
    mem_free(t->axes[1].labels[1]);
    t->axes[1].labels[1] = mem_strdup("a + b, µ = \"1\"");
    round_trip_of(t);
}
END_TEST

static uint64_t bytes_under(hid_t file, const char *name)
{
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    if (id < 0)
        return 0;
    uint64_t n = H5Dget_storage_size(id);
    H5Dclose(id);
    return n;
}

// Wall times stand under /run alone; nothing else may differ between two runs of a study.
START_TEST(wall_time_apart)
{
    char folder[64], path[96];
    struct err err = {0};
    struct tuning_result *t = fixture_tuning(1);
    make_path(folder, path);
    int rc = write_all(t, path, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        ck_assert_uint_gt(bytes_under(file, "/run/wall_s"), 0);
        ck_assert_uint_gt(bytes_under(file, "/qps"), 0);
        ck_assert_int_eq(H5Lexists(file, "/wall_s", H5P_DEFAULT), 0);
        ck_assert_int_eq(H5Lexists(file, "/path/wall_s", H5P_DEFAULT), 0);
        H5Fclose(file);
        unlink(path);
        rmdir(folder);
    }
    tuning_result_destroy(t);
}
END_TEST

// An existing file is kept without force and replaced with it.
START_TEST(existing_file)
{
    char folder[64], path[96];
    struct err err = {0};
    struct stat st = {0};
    struct tuning_result *t = fixture_tuning(1);
    make_path(folder, path);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        FILE *f = fopen(path, "w");
        fputs("mine", f);
        fclose(f);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    int kept = write_all(t, path, false, &err);
    stat(path, &st);
    off_t before = st.st_size;
    MPI_Barrier(MPI_COMM_WORLD); // all have looked before it changes
    int replaced = write_all(t, path, true, NULL);
    stat(path, &st);
    MPI_Barrier(MPI_COMM_WORLD);
    ck_assert_int_eq(kept, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "--force"));
    ck_assert_int_eq(before, 4);
    ck_assert_int_eq(replaced, 0);
    ck_assert_int_gt(st.st_size, 10000);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0);
    }
    tuning_result_destroy(t);
}
END_TEST

// A folder that is not there, and one where not even root can make a file: one error on all ranks.
START_TEST(no_place)
{
    struct err err = {0};
    struct tuning_result *t = fixture_tuning(1);
    int absent = write_all(t, "/tmp/rf_no_such_folder/x.h5", false, &err);
    ck_assert_int_eq(absent, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "rf_no_such_folder"));
    int read_only = write_all(t, "/proc/self/x.h5", false, &err);
    ck_assert_int_eq(read_only, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/proc/self/x.h5"));
    tuning_result_destroy(t);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", round_trip}, {"core", wall_time_apart}, {"core", same_on_any_number_of_ranks},
        {"limits", least},    {"limits", awkward_names}, {"errors", existing_file},
        {"errors", no_place}};
    return suite_mpi_run(&argc, &argv, "store_tuning", tests, sizeof tests / sizeof *tests);
}
