// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_tuning.h"

#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/fixture_tuning.h"
#include "results/file/hurt.h"
#include "results/file/run_file.h"
#include "results/file/same_tuning.h"
#include "results/file/store_tuning.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_tuning_sound.h5"
#define HURT "test_load_tuning_hurt.h5"

static void make_sound(void)
{
    struct tuning_result *t = fixture_tuning(2);
    struct run_info run = fixture_run();
    struct err err = {0};
    int rc = store_tuning_write(MPI_COMM_SELF, SOUND, true, t, &run, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    tuning_result_destroy(t);
}

static void *open_tuning(const char *path, struct err *err)
{
    return load_tuning_open(path, err);
}

static const struct hurt_reader reader = {SOUND, HURT, make_sound, open_tuning};

// What was stored comes back, with a seal and without one.
START_TEST(comes_back)
{
    struct err err = {0};
    H5Fclose(hurt_edit(&reader));
    make_sound();
    struct tuning_result *t = fixture_tuning(2), *sealed = load_tuning_open(SOUND, &err);
    ck_assert_msg(sealed != NULL, "%s", err.text);
    struct tuning_result *bare = load_tuning_open(HURT, &err);
    ck_assert_msg(bare != NULL, "%s", err.text);
    same_tuning(t, sealed);
    same_tuning(t, bare);
    tuning_result_destroy(t);
    tuning_result_destroy(sealed);
    tuning_result_destroy(bare);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// A run's file is refused.
START_TEST(kinds)
{
    struct err err = {0};
    int rc = run_file_write(HURT, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    hurt_refuses(&reader, HURT, "schema version 2");
    unlink(HURT);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    hurt_foreign(&reader);
}
END_TEST

// Cut or changed anywhere, a sealed file is refused.
START_TEST(damaged)
{
    hurt_cut(&reader, 29, "");
    hurt_flipped(&reader, 29);
}
END_TEST

static void walk(void *opened)
{
    struct tuning_result *t = opened;
    for (uint32_t c = 0; c < t->n_cells; c++)
        mem_free(tuning_result_point_name(t, c));
    tuning_result_destroy(t);
}

// Without a seal nothing vouches for the bytes: whatever is in them, the program lives, and what it
// accepts can be walked through.
START_TEST(damaged_without_seal)
{
    hurt_bare(&reader, 61, walk);
}
END_TEST

// What indexes something must be in range, and nothing may be missing.
START_TEST(wrong_inside)
{
    const int32_t codes[24] = {[7] = 4};
    const uint32_t numbers[3] = {0, 8, 0};
    hurt_overwrite(&reader, "/platform", H5T_NATIVE_INT32, codes);
    hurt_refuses(&reader, HURT, "/platform holds an unknown code");
    hurt_overwrite(&reader, "/confirmed", H5T_NATIVE_INT32, codes);
    hurt_refuses(&reader, HURT, "/confirmed holds an unknown code");
    hurt_overwrite(&reader, "/path/cell", H5T_NATIVE_UINT32, numbers);
    hurt_refuses(&reader, HURT, "/path/cell holds an unknown cell");
    hurt_overwrite(&reader, "/path/policy", H5T_NATIVE_UINT32, numbers);
    hurt_refuses(&reader, HURT, "/path/policy holds an unknown policy");
    hid_t file = hurt_edit(&reader);
    H5Ldelete(file, "/p95_s", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "/p95_s is missing");
    file = hurt_edit(&reader);
    H5Adelete(file, "coordinates");
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "lacks an attribute of text");
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
