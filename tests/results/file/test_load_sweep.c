// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_sweep.h"

#include <hdf5.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/fixture_sweep.h"
#include "results/file/hurt.h"
#include "results/file/load.h"
#include "results/report/report_sweep.h"
#include "results/file/run_file.h"
#include "results/file/same_sweep.h"
#include "results/file/store.h"
#include "results/file/store_sweep.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_points_sound.h5"
#define HURT "test_load_points_hurt.h5"

// With replications, and so with what they are folded to, or without.
static void store(bool folded)
{
    struct sweep_result *p = fixture_sweep();
    struct err err = {0};
    if (!folded)
        p->replication = -1;
    int rc = store_sweep_write(SOUND, true, p, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    sweep_result_destroy(p);
}

static void make_folded(void)
{
    store(true);
}

static void make_plain(void)
{
    store(false);
}

static void *open_points(const char *path, struct err *err)
{
    return load_sweep_open(path, err);
}

static const struct hurt_reader folded = {SOUND, HURT, make_folded, open_points};
static const struct hurt_reader plain = {SOUND, HURT, make_plain, open_points};

// What was stored comes back, with a seal and without one.
START_TEST(comes_back)
{
    struct err err = {0};
    H5Fclose(hurt_edit(&folded));
    make_folded();
    struct sweep_result *p = fixture_sweep(), *sealed = load_sweep_open(SOUND, &err);
    ck_assert_msg(sealed != NULL, "%s", err.text);
    struct sweep_result *bare = load_sweep_open(HURT, &err);
    ck_assert_msg(bare != NULL, "%s", err.text);
    same_sweep(p, sealed);
    same_sweep(p, bare);
    sweep_result_destroy(p);
    sweep_result_destroy(sealed);
    sweep_result_destroy(bare);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// What a run wrote is what the sweep's file says of it, number by number.
START_TEST(from_a_run)
{
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct store_input in = {meta, summary, total, &run};
    struct sweep_result *p = sweep_result_create(0, 1);
    struct err err = {0};
    ck_assert_int_eq(store_write(MPI_COMM_SELF, HURT, true, &in, &err), 0);
    struct load *load = load_open(HURT, &err);
    ck_assert_msg(load != NULL, "%s", err.text);
    sweep_result_take(p, 0, load);
    load_close(load);
    ck_assert_int_eq(store_sweep_write(SOUND, true, p, &err), 0);
    struct sweep_result *back = load_sweep_open(SOUND, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    same_sweep(p, back);
    ck_assert_double_eq(back->services[1].latency_s[2].value,
                        summary->services[1].latency_s[2].value);
    ck_assert_double_eq(back->totals[0].offered_qps.half_99,
                        summary_total(summary)->offered_qps.half_99);
    ck_assert_double_eq(back->groups[1].parts[PART_ACCEL].energy_j,
                        summary->groups[1].parts[PART_ACCEL].energy_j);
    ck_assert_uint_eq(back->points[0].random_seed, 7);
    ck_assert_str_eq(back->points[0].host, "here");
    sweep_result_destroy(p);
    sweep_result_destroy(back);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// The file of a run is refused as such, and a sweep's where one is wanted, with where its runs are.
START_TEST(kinds)
{
    struct err err = {0};
    ck_assert_int_eq(run_file_write(HURT, NULL, &err), 0);
    hurt_refuses(&plain, HURT, "holds the results of a run, not of a sweep");
    make_plain();
    ck_assert_ptr_null(load_open(SOUND, &err));
    ck_assert_str_eq(err.text, SOUND ": holds the results of a sweep, not of a run; the runs of "
                                     "its points are in test_load_points_sound.points/");
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    hurt_foreign(&plain);
}
END_TEST

// Cut or changed anywhere, a sealed file is refused.
START_TEST(damaged)
{
    hurt_cut(&plain, 11, "");
    hurt_flipped(&plain, 11);
}
END_TEST

static void show(void *opened)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    report_sweep_print(out, opened);
    fclose(out);
    free(text);
    sweep_result_destroy(opened);
}

// Without a seal nothing vouches for the bytes: whatever is in them, the program lives, and what it
// accepts can be shown.
START_TEST(damaged_without_seal)
{
    hurt_bare(&plain, 17, show);
}
END_TEST

static void rename_replication(const char *name)
{
    hid_t file = hurt_edit(&folded), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(name) + 1);
    H5Adelete(file, "replication_variable");
    hid_t id = H5Acreate2(file, "replication_variable", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, name);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
}

// What indexes something must be in range, and nothing may be missing.
START_TEST(wrong_inside)
{
    const int32_t codes[24] = {[7] = 9}, nothing[12] = {0};
    const uint32_t counts[12] = {[3] = 3};
    const double times[12] = {[2] = -1};
    hurt_overwrite(&folded, "/policy", H5T_NATIVE_INT32, codes);
    hurt_refuses(&folded, HURT, "/policy holds an unknown code");
    hurt_overwrite(&folded, "/state", H5T_NATIVE_INT32, codes);
    hurt_refuses(&folded, HURT, "/state holds an unknown code");
    hurt_overwrite(&folded, "/summary/service_name", H5T_NATIVE_INT32, codes);
    hurt_refuses(&folded, HURT, "/summary/service_name holds an unknown code");
    hurt_overwrite(&folded, "/run/host", H5T_NATIVE_INT32, codes);
    hurt_refuses(&folded, HURT, "/run/host holds an unknown code");
    hurt_overwrite(&folded, "/summary/sla", H5T_NATIVE_INT32, codes);
    hurt_refuses(&folded, HURT, "/summary/sla holds an unknown code");
    hurt_overwrite(&folded, "/n_services", H5T_NATIVE_UINT32, counts);
    hurt_refuses(&folded, HURT, "impossible counts or times");
    hurt_overwrite(&folded, "/n_groups", H5T_NATIVE_INT32, nothing);
    hurt_refuses(&folded, HURT, "impossible counts or times");
    hurt_overwrite(&folded, "/measured_to_s", H5T_NATIVE_DOUBLE, times);
    hurt_refuses(&folded, HURT, "impossible counts or times");
    rename_replication("round");
    hurt_refuses(&folded, HURT, "an axis of replications that is not there");
    hid_t file = hurt_edit(&folded);
    H5Ldelete(file, "/groups/component_load_frac_half_99", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&folded, HURT, "/groups/component_load_frac_half_99 is missing");
    file = hurt_edit(&folded);
    H5Adelete(file, "axis_variables");
    H5Fclose(file);
    hurt_refuses(&folded, HURT, "lacks an attribute of text");
    unlink(HURT);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", comes_back},    {"core", from_a_run},
                                       {"core", kinds},         {"errors", foreign},
                                       {"errors", damaged},     {"errors", damaged_without_seal},
                                       {"errors", wrong_inside}};
    return suite_mpi_run(&argc, &argv, "load_sweep", tests, sizeof tests / sizeof *tests);
}
