// SPDX-License-Identifier: Apache-2.0
#include "results/file/h5.h"

#include <hdf5.h>
#include <string.h>
#include <unistd.h>

#include "support/suite_mpi.h"

#define NAME "test_h5.h5"

static void remove_file(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (suite_mpi_rank() == 0)
        unlink(NAME);
    MPI_Barrier(MPI_COMM_WORLD);
}

// Each rank writes its own rows, the last one none: together they are the array.
START_TEST(slabs_of_all_ranks)
{
    struct err err = {0};
    int n_writers = suite_mpi_size() > 1 ? suite_mpi_size() - 1 : 1;
    uint64_t rows = 3 * (uint64_t)n_writers;
    double time[3 * 8], mine[3][2], all[3 * 8][2];
    remove_file();
    for (uint64_t i = 0; i < rows; i++)
        time[i] = (double)i;
    for (int i = 0; i < 3; i++)
        mine[i][0] = mine[i][1] = 3 * suite_mpi_rank() + i;
    const int32_t codes[] = {0, 1};
    struct h5_slab slab = {3 * (uint64_t)suite_mpi_rank(), suite_mpi_rank() < n_writers ? 3 : 0,
                           mine};
    struct h5_file *f = h5_create(MPI_COMM_WORLD, NAME, &err);
    ck_assert_msg(f != NULL, "%s", err.text);
    h5_group(f, "/bins");
    h5_coord(f, "/bins", "time", "s", "start", H5_F64, rows, time);
    h5_coord(f, "/bins", "part", "1", "part", H5_I32, 2, codes);
    h5_codes(f, "/bins/part", (const char *const[]){"a b", "c"}, 2);
    h5_put(f, "/bins", &(struct h5_var){"load", "1", "load", H5_F64, 2, {"time", "part"}}, &slab);
    int rc = h5_close(f, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (suite_mpi_rank() == 0) {
        hid_t file = H5Fopen(NAME, H5F_ACC_RDONLY, H5P_DEFAULT);
        hid_t id = H5Dopen2(file, "/bins/load", H5P_DEFAULT);
        H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
        H5Dclose(id);
        H5Fclose(file);
        for (uint64_t i = 0; i < rows; i++)
            ck_assert(all[i][0] == (double)i && all[i][1] == (double)i);
    }
    remove_file();
}
END_TEST

// A dataset over a coordinate that is not there fails on all ranks; what follows does nothing.
START_TEST(unknown_coordinate)
{
    struct err err = {0};
    double one = 1;
    struct h5_slab slab = {0, suite_mpi_rank() == 0, &one};
    remove_file();
    struct h5_file *f = h5_create(MPI_COMM_WORLD, NAME, &err);
    h5_group(f, "/bins");
    h5_put(f, "/bins", &(struct h5_var){"load", "1", "load", H5_F64, 1, {"nowhere"}}, &slab);
    h5_text(f, "/", "later", "text");
    int rc = h5_close(f, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "load"));
    remove_file();
}
END_TEST

// A file that exists is not opened for writing.
START_TEST(exists_already)
{
    struct err err = {0};
    remove_file();
    struct h5_file *f = h5_create(MPI_COMM_WORLD, NAME, &err);
    int rc = h5_close(f, &err);
    struct h5_file *again = h5_create(MPI_COMM_WORLD, NAME, &err);
    ck_assert_int_eq(rc, 0);
    ck_assert_ptr_null(again);
    ck_assert_int_eq(err.code, ERR_FAIL);
    remove_file();
}
END_TEST

// Handles of our own are all closed with the file.
START_TEST(no_handle_left)
{
    double one = 1;
    struct h5_slab slab = {0, suite_mpi_rank() == 0, &one};
    remove_file();
    struct h5_file *f = h5_create(MPI_COMM_WORLD, NAME, NULL);
    h5_put(f, "/", &(struct h5_var){"x", "1", "x", H5_F64, 0, {NULL}}, &slab);
    int rc = h5_close(f, NULL);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    remove_file();
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", slabs_of_all_ranks},
                                       {"core", no_handle_left},
                                       {"errors", unknown_coordinate},
                                       {"errors", exists_already}};
    return suite_mpi_run(&argc, &argv, "h5", tests, sizeof tests / sizeof *tests);
}
