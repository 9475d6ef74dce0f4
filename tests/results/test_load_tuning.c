// SPDX-License-Identifier: Apache-2.0
#include "results/load_tuning.h"

#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/fixture_tuning.h"
#include "results/load.h"
#include "results/same_tuning.h"
#include "results/store.h"
#include "results/store_tuning.h"
#include "support/column_file.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_tuning_sound.h5"
#define HURT "test_load_tuning_hurt.h5"

static void make_sound(void)
{
    struct tuning *t = fixture_tuning(2);
    struct run_info run = fixture_run();
    struct err err = {0};
    int rc = store_tuning_write(MPI_COMM_SELF, SOUND, true, t, &run, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    tuning_destroy(t);
}

static void refuses(const char *path, const char *reason)
{
    struct err err = {0};
    ck_assert_ptr_null(load_tuning_open(path, &err));
    ck_assert_int_ne(err.code, ERR_NONE);
    ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s", err.text);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

// The sound file without its seal, opened for an edit, as another tool's rewriting would leave it.
static hid_t edit(void)
{
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    column_file_spit(HURT, bytes, n - 24);
    free(bytes);
    unlink(SOUND);
    return H5Fopen(HURT, H5F_ACC_RDWR, H5P_DEFAULT);
}

// What was stored comes back, with a seal and without one.
START_TEST(comes_back)
{
    struct err err = {0};
    H5Fclose(edit());
    make_sound();
    struct tuning *t = fixture_tuning(2), *sealed = load_tuning_open(SOUND, &err);
    ck_assert_msg(sealed != NULL, "%s", err.text);
    struct tuning *bare = load_tuning_open(HURT, &err);
    ck_assert_msg(bare != NULL, "%s", err.text);
    same_tuning(t, sealed);
    same_tuning(t, bare);
    tuning_destroy(t);
    tuning_destroy(sealed);
    tuning_destroy(bare);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// A run's file is refused as one, and a tuning's where a run's is wanted.
START_TEST(kinds)
{
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct store_input in = {meta, summary, total, &run};
    struct err err = {0};
    int rc = store_write(MPI_COMM_SELF, HURT, true, &in, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    refuses(HURT, "holds the results of a run, not of a tuning");
    make_sound();
    ck_assert_ptr_null(load_open(SOUND, &err));
    ck_assert_str_eq(err.text, SOUND ": holds the results of a tuning, not of a run");
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    refuses("test_load_tuning_absent.h5", "No such file");
    column_file_spit(HURT, "", 0);
    refuses(HURT, "not an HDF5 file");
    column_file_spit(HURT, "name: quickstart\n", 17);
    refuses(HURT, "not an HDF5 file");
    refuses("/", "not a regular file");
    refuses("/dev/full", "not a regular file");
    unlink(HURT);
    H5Fclose(H5Fcreate(HURT, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    refuses(HURT, "not a recfleet result");
    unlink(HURT);
}
END_TEST

// Cut or changed anywhere, a sealed file is refused.
START_TEST(damaged)
{
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    for (size_t keep = 0; keep + 24 < n; keep += 1 + n / 29) {
        column_file_spit(HURT, bytes, keep);
        refuses(HURT, "");
    }
    for (size_t at = 0; at + 24 < n; at += 1 + n / 29) {
        bytes[at] ^= 0x10;
        column_file_spit(HURT, bytes, n);
        refuses(HURT, "checksum");
        bytes[at] ^= 0x10;
    }
    free(bytes);
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// Without a seal nothing vouches for the bytes: whatever is in them, the program lives, and what it
// accepts can be walked through.
START_TEST(damaged_without_seal)
{
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    for (size_t at = 0; at + 24 < n; at += 1 + n / 61) {
        unsigned char before = bytes[at];
        struct err err = {0};
        bytes[at] = (unsigned char)~before;
        column_file_spit(HURT, bytes, n - 24);
        bytes[at] = before;
        struct tuning *t = load_tuning_open(HURT, &err);
        for (uint32_t c = 0; t && c < t->n_cells; c++)
            mem_free(tuning_cell_name(t, c));
        ck_assert(t != NULL || err.code != ERR_NONE);
        tuning_destroy(t);
    }
    free(bytes);
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

static void overwrite(const char *dataset, hid_t type, const void *values)
{
    hid_t file = edit(), id = H5Dopen2(file, dataset, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(id);
    H5Fclose(file);
}

// What indexes something must be in range, and nothing may be missing.
START_TEST(wrong_inside)
{
    const int32_t codes[24] = {[7] = 4};
    const uint32_t numbers[3] = {0, 8, 0};
    overwrite("/platform", H5T_NATIVE_INT32, codes);
    refuses(HURT, "/platform holds an unknown code");
    overwrite("/confirmed", H5T_NATIVE_INT32, codes);
    refuses(HURT, "/confirmed holds an unknown code");
    overwrite("/path/cell", H5T_NATIVE_UINT32, numbers);
    refuses(HURT, "/path/cell holds an unknown cell");
    overwrite("/path/policy", H5T_NATIVE_UINT32, numbers);
    refuses(HURT, "/path/policy holds an unknown policy");
    hid_t file = edit();
    H5Ldelete(file, "/p95_s", H5P_DEFAULT);
    H5Fclose(file);
    refuses(HURT, "/p95_s is missing");
    file = edit();
    H5Adelete(file, "coordinates");
    H5Fclose(file);
    refuses(HURT, "lacks an attribute of text");
    unlink(HURT);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", comes_back},
                                       {"core", kinds},
                                       {"errors", foreign},
                                       {"errors", damaged},
                                       {"errors", damaged_without_seal},
                                       {"errors", wrong_inside}};
    return suite_mpi_run(&argc, &argv, "load_tuning", tests, sizeof tests / sizeof *tests);
}
