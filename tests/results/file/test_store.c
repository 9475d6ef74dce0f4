// SPDX-License-Identifier: Apache-2.0
#include "results/file/store.h"

#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dump.h"
#include "results/fixture.h"
#include "results/gather.h"
#include "support/suite_mpi.h"

static int rank_of(MPI_Comm comm)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    return rank;
}

static int size_of(MPI_Comm comm)
{
    int n;
    MPI_Comm_size(comm, &n);
    return n;
}

// A folder of this test program's own, the same on all ranks.
static void make_folder(char folder[64])
{
    if (rank_of(MPI_COMM_WORLD) == 0) {
        snprintf(folder, 64, "%s", "/tmp/rf_store_XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    MPI_Bcast(folder, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static int n_files(const char *folder)
{
    char command[128];
    int n = -1;
    snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *list = popen(command, "r");
    if (list) {
        if (fscanf(list, "%d", &n) != 1)
            n = -1;
        pclose(list);
    }
    return n;
}

// The fixture's run, simulated by all ranks of `comm` and stored.
static int simulate_and_store(MPI_Comm comm, const char *path, bool force, struct err *err)
{
    struct meta *meta = fixture_meta();
    struct record *mine = fixture_part(meta, (uint32_t)rank_of(comm), (uint32_t)size_of(comm));
    struct record *total;
    struct run_info run = fixture_run();
    run.n_ranks = size_of(comm);
    int rc = gather_record(comm, mine, &total, err);
    if (rc == 0) {
        struct summary *summary = total ? summary_create(total, meta) : NULL;
        struct store_input in = {meta, summary, total, total ? &run : NULL};
        rc = store_write(comm, path, force, &in, err);
        summary_destroy(summary);
    }
    record_destroy(mine);
    record_destroy(total);
    meta_destroy(meta);
    return rc;
}

// ---- tests

// One rank alone and all ranks together write the same, outside /run, to the byte.
START_TEST(same_on_any_number_of_ranks)
{
    char folder[64], one[96], all[96];
    struct err err = {0};
    make_folder(folder);
    snprintf(one, sizeof one, "%s/one.h5", folder);
    snprintf(all, sizeof all, "%s/all.h5", folder);
    int alone =
        rank_of(MPI_COMM_WORLD) == 0 ? simulate_and_store(MPI_COMM_SELF, one, false, &err) : 0;
    int together = simulate_and_store(MPI_COMM_WORLD, all, false, &err);
    ck_assert_msg(alone == 0 && together == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        struct dump a = dump_file(one), b = dump_file(all);
        ck_assert_uint_gt(a.n, 100000);
        ck_assert_uint_eq(a.n, b.n);
        ck_assert_mem_eq(a.bytes, b.bytes, a.n);
        mem_free(a.bytes);
        mem_free(b.bytes);
        ck_assert_int_eq(n_files(folder), 2); // no temporary file is left
        unlink(one);
        unlink(all);
        rmdir(folder);
    }
}
END_TEST

static herr_t check_scales(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    int *n_datasets = user;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(id);
    int n_dims = H5Sget_simple_extent_ndims(space);
    bool scale = H5Aexists(id, "CLASS") > 0, attached = H5Aexists(id, "DIMENSION_LIST") > 0;
    ck_assert_msg(n_dims == 0 || scale != attached, "%s has no scales", name);
    ck_assert_msg(H5Aexists(id, "units") > 0 && H5Aexists(id, "long_name") > 0, "%s", name);
    H5T_class_t class;
    hid_t type = H5Dget_type(id);
    class = H5Tget_class(type);
    ck_assert_msg(class == H5T_INTEGER || class == H5T_FLOAT, "%s", name);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(id);
    ++*n_datasets;
    return 0;
}

// Every dataset has scales on its axes (or is one), units and a long name, and holds plain numbers.
START_TEST(readers_find_their_way)
{
    char folder[64], path[96];
    struct err err = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/x.h5", folder);
    int rc = simulate_and_store(MPI_COMM_WORLD, path, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        int n_datasets = 0;
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, check_scales, &n_datasets);
        H5Fclose(file);
        ck_assert_int_gt(n_datasets, 100);
        unlink(path);
        rmdir(folder);
    }
}
END_TEST

// A folder that is not there: all ranks get the same error, and nothing appears.
START_TEST(no_such_folder)
{
    struct err err = {0};
    int rc = simulate_and_store(MPI_COMM_WORLD, "/tmp/rf_no_such_folder/x.h5", false, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "rf_no_such_folder"));
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_int_ne(access("/tmp/rf_no_such_folder", F_OK), 0);
}
END_TEST

// An existing file is kept without force, byte for byte, and replaced with it.
START_TEST(existing_file)
{
    char folder[64], path[96];
    struct err err = {0};
    struct stat before = {0}, after = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/x.h5", folder);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        FILE *f = fopen(path, "w");
        fputs("mine", f);
        fclose(f);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    stat(path, &before);
    MPI_Barrier(MPI_COMM_WORLD); // all have looked before it changes
    int kept = simulate_and_store(MPI_COMM_WORLD, path, false, &err);
    bool said = strstr(err.text, "--force") != NULL;
    stat(path, &after);
    MPI_Barrier(MPI_COMM_WORLD);
    int replaced = simulate_and_store(MPI_COMM_WORLD, path, true, &err);
    ck_assert_int_eq(kept, -1);
    ck_assert(said);
    ck_assert_int_eq(after.st_size, before.st_size);
    ck_assert_int_eq(replaced, 0);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        stat(path, &after);
        ck_assert_int_gt(after.st_size, 1000);
        ck_assert_int_eq(n_files(folder), 1);
        unlink(path);
        rmdir(folder);
    }
}
END_TEST

// A file larger than the process may write (as a full disk is to it): one error everywhere, and
// nothing is left of the attempt.
START_TEST(size_limit)
{
    char folder[64], path[96];
    struct err err = {0};
    struct rlimit before, small;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/x.h5", folder);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 40000;
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = simulate_and_store(MPI_COMM_WORLD, path, false, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        ck_assert_int_eq(n_files(folder), 0);
        rmdir(folder);
    }
}
END_TEST

// A truly full disk, where this machine lets us make one (a tmpfs of 200 kB).
START_TEST(full_disk)
{
    char folder[64], path[96];
    struct err err = {0}, check = {0};
    int mounted = 0;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/x.h5", folder);
    if (rank_of(MPI_COMM_WORLD) == 0)
        mounted = mount("none", folder, "tmpfs", 0, "size=200k") == 0;
    MPI_Bcast(&mounted, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (mounted) {
        int early = store_check(path, false, &check);
        MPI_Barrier(MPI_COMM_WORLD);
        int rc = simulate_and_store(MPI_COMM_WORLD, path, false, &err);
        ck_assert_int_eq(early, -1);
        ck_assert_int_eq(check.code, ERR_STUDY);
        ck_assert_int_eq(rc, -1);
        ck_assert_ptr_nonnull(strstr(err.text, "No space left"));
    }
    if (rank_of(MPI_COMM_WORLD) == 0) {
        ck_assert_int_eq(n_files(folder), 0);
        if (mounted)
            umount(folder);
        rmdir(folder);
    }
}
END_TEST

// No queries and no samples: still a whole file.
START_TEST(empty_run)
{
    char folder[64], path[96];
    struct err err = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/x.h5", folder);
    struct meta *meta = fixture_meta();
    struct record_shape shape = fixture_shape(meta, 3, 1000);
    struct record *total = record_create(&shape);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct store_input in = {meta, summary, total, &run};
    int rc = store_write(MPI_COMM_WORLD, path, false, &in, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    if (rank_of(MPI_COMM_WORLD) == 0) {
        unlink(path);
        rmdir(folder);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", same_on_any_number_of_ranks},
        {"core", readers_find_their_way},
        {"limits", empty_run},
        {"errors", no_such_folder},
        {"errors", existing_file},
        {"errors", size_limit},
        {"errors", full_disk},
    };
    return suite_mpi_run(&argc, &argv, "store", tests, sizeof tests / sizeof *tests);
}
