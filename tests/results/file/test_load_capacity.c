// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_capacity.h"

#include <hdf5.h>
#include <mpi.h>
#include <string.h>
#include <unistd.h>

#include "results/fixture.h"
#include "results/file/fixture_capacity.h"
#include "results/file/hurt.h"
#include "results/file/load.h"
#include "results/file/run_file.h"
#include "results/file/same_capacity.h"
#include "results/file/store_capacity.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_staffing_sound.h5"
#define HURT "test_load_staffing_hurt.h5"

static void make_of(struct capacity_result *s)
{
    struct run_info run = fixture_run();
    struct err err = {0};
    int rc = store_capacity_write(MPI_COMM_SELF, SOUND, true, s, &run, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    capacity_result_destroy(s);
}

static void make_plan(void)
{
    make_of(fixture_capacity());
}

static void make_sizes(void)
{
    make_of(fixture_capacity_sizes());
}

static void make_loads(void)
{
    make_of(fixture_capacity_loads());
}

static void *open_staffing(const char *path, struct err *err)
{
    return load_capacity_open(path, err);
}

static const struct hurt_reader plan = {SOUND, HURT, make_plan, open_staffing};
static const struct hurt_reader loads = {SOUND, HURT, make_loads, open_staffing};
static const struct hurt_reader sizes = {SOUND, HURT, make_sizes, open_staffing};

// What was stored comes back, with a seal and without one.
START_TEST(comes_back)
{
    struct err err = {0};
    H5Fclose(hurt_edit(&plan));
    make_plan();
    struct capacity_result *s = fixture_capacity(), *sealed = load_capacity_open(SOUND, &err);
    ck_assert_msg(sealed != NULL, "%s", err.text);
    struct capacity_result *bare = load_capacity_open(HURT, &err);
    ck_assert_msg(bare != NULL, "%s", err.text);
    same_capacity(s, sealed);
    same_capacity(s, bare);
    capacity_result_destroy(s);
    capacity_result_destroy(sealed);
    capacity_result_destroy(bare);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// A run's file is refused as one, and a capacity search's where a run's is wanted.
START_TEST(kinds)
{
    struct err err = {0};
    int rc = run_file_write(HURT, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    hurt_refuses(&loads, HURT, "holds the results of a run, not of a capacity search");
    make_loads();
    ck_assert_ptr_null(load_open(SOUND, &err));
    ck_assert_str_eq(err.text, SOUND ": holds the results of a capacity search, not of a run");
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    hurt_foreign(&loads);
}
END_TEST

// Cut or changed anywhere, a sealed file is refused.
START_TEST(damaged)
{
    hurt_cut(&loads, 11, "");
    hurt_flipped(&loads, 11);
}
END_TEST

static void walk(void *opened)
{
    struct capacity_result *s = opened;
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++)
        capacity_result_is_known(s, a);
    for (uint32_t i = 0; i < s->n_loads; i++)
        ck_assert_ptr_nonnull(s->schedulers[s->loads[i].scheduler]);
    capacity_result_destroy(s);
}

// Without a seal nothing vouches for the bytes: whatever is in them, the program lives, and what it
// accepts can be walked through.
START_TEST(damaged_without_seal)
{
    hurt_bare(&loads, 37, walk);
}
END_TEST

// What indexes something must be in range, and nothing that the file says it holds may be missing.
START_TEST(wrong_inside)
{
    const int32_t codes[6] = {[4] = 2}, verdicts[6] = {[1] = 4};
    hurt_overwrite(&sizes, "/sizes/type", H5T_NATIVE_INT32, codes);
    hurt_refuses(&sizes, HURT, "/sizes/type holds an unknown code");
    hurt_overwrite(&sizes, "/sizes/below_sla", H5T_NATIVE_INT32, verdicts);
    hurt_refuses(&sizes, HURT, "/sizes/below_sla holds an unknown code");
    hid_t file = hurt_edit(&sizes);
    H5Ldelete(file, "/sizes/at_n_p95_s", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&sizes, HURT, "/sizes/at_n_p95_s is missing");
    file = hurt_edit(&sizes);
    H5Ldelete(file, "/type", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&sizes, HURT, "has another length than the rest implies");
    file = hurt_edit(&sizes);
    H5Adelete(file, "holds");
    H5Fclose(file);
    hurt_refuses(&sizes, HURT, "lacks an attribute of text");
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
    return suite_mpi_run(&argc, &argv, "load_capacity", tests, sizeof tests / sizeof *tests);
}
