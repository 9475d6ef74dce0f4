// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_bins.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "results/fixture.h"
#include "support/suite_mpi.h"

#define N_BINS 10
#define N_SERVICES 2
#define N_GROUPS 2

// Writes /bins of the record alone; its file, open for reading. One rank: test_store has more.
static hid_t stored(const struct record *total, const struct meta *meta, char path[64])
{
    struct err err = {0};
    struct summary *summary = summary_create(total, meta);
    snprintf(path, 64, "/tmp/rf_bins_%ld.h5", (long)getpid());
    struct store_writer writer = {.file = h5_create(MPI_COMM_WORLD, path, &err),
                                  .meta = meta,
                                  .summary = summary,
                                  .total = total,
                                  .head = {.shape = total->shape, .fleet = summary->fleet},
                                  .root = true};
    ck_assert_msg(writer.file != NULL, "%s", err.text);
    store_bins_write(&writer);
    int rc = h5_close(writer.file, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    summary_destroy(summary);
    return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

static void read_reals(hid_t file, const char *name, double *data, hssize_t n)
{
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(id);
    ck_assert_int_eq(H5Sget_simple_extent_npoints(space), n);
    ck_assert_int_ge(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Sclose(space);
    H5Dclose(id);
}

// The fixture's queries are 50 us apart and go to the services in turn: 1000 each in 100 ms.
START_TEST(queries_by_bin)
{
    char path[64];
    double queries[N_BINS * N_SERVICES], edges[N_BINS];
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    hid_t file = stored(total, meta, path);
    read_reals(file, "/bins/n_queries", queries, N_BINS * N_SERVICES);
    read_reals(file, "/bins/end_s", edges, N_BINS);
    for (int i = 0; i < N_BINS * N_SERVICES; i++)
        ck_assert_double_eq(queries[i], 1000);
    for (int i = 0; i < N_BINS; i++)
        ck_assert_double_eq_tol(edges[i], 0.1 * (i + 1), 1e-12);
    H5Fclose(file);
    unlink(path);
    record_destroy(total);
    meta_destroy(meta);
}
END_TEST

// What was lost, retried, or has no end stands in its bin and service, over both paths.
START_TEST(losses_by_bin)
{
    char path[64];
    double lost[N_BINS * N_SERVICES], pending[N_BINS * N_SERVICES], retries[N_BINS * N_SERVICES];
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    record_tally(total, 3, 1, PATH_CPU)->n_lost = 5;
    record_tally(total, 3, 1, PATH_ACCEL)->n_lost = 2;
    record_tally(total, 9, 0, PATH_CPU)->n_pending = 4;
    record_tally(total, 2, 0, PATH_ACCEL)->n_retries = 6;
    hid_t file = stored(total, meta, path);
    read_reals(file, "/bins/n_lost", lost, N_BINS * N_SERVICES);
    read_reals(file, "/bins/n_pending", pending, N_BINS * N_SERVICES);
    read_reals(file, "/bins/n_retries", retries, N_BINS * N_SERVICES);
    for (int i = 0; i < N_BINS * N_SERVICES; i++) {
        ck_assert_double_eq(lost[i], i == 3 * N_SERVICES + 1 ? 7 : 0);
        ck_assert_double_eq(pending[i], i == 9 * N_SERVICES ? 4 : 0);
        ck_assert_double_eq(retries[i], i == 2 * N_SERVICES ? 6 : 0);
    }
    H5Fclose(file);
    unlink(path);
    record_destroy(total);
    meta_destroy(meta);
}
END_TEST

// Of 2 cores 100 ms and some ns are used in 100 ms, 7 J are 70 W. The first group has no
// accelerator to use, the second's two are used for 20 ms.
START_TEST(groups_by_bin)
{
    char path[64];
    double util_frac[N_BINS * N_GROUPS * N_PARTS], power_w[N_BINS * N_GROUPS * N_PARTS];
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    hid_t file = stored(total, meta, path);
    read_reals(file, "/bins/util_frac", util_frac, N_BINS * N_GROUPS * N_PARTS);
    read_reals(file, "/bins/power_w", power_w, N_BINS * N_GROUPS * N_PARTS);
    for (int i = 0; i < N_BINS * N_GROUPS; i++) {
        ck_assert_double_eq_tol(util_frac[i * N_PARTS + PART_CPU], (1e8 + i / N_GROUPS) / (2 * 1e8),
                                1e-12);
        double accel_frac = util_frac[i * N_PARTS + PART_ACCEL];
        ck_assert(i % N_GROUPS == 0 ? isnan(accel_frac) : fabs(accel_frac - 0.1) < 1e-12);
        ck_assert_double_eq_tol(power_w[i * N_PARTS + PART_CPU], 70, 1e-9);
    }
    H5Fclose(file);
    unlink(path);
    record_destroy(total);
    meta_destroy(meta);
}
END_TEST

// A bin without queries has a count of 0 and no latency, which is NaN and not 0.
START_TEST(empty_bins)
{
    char path[64];
    double queries[3 * N_SERVICES], mean_s[3 * N_SERVICES], all_s[3 * SUMMARY_N_QUANTILES];
    struct meta *meta = fixture_meta();
    struct record_shape shape = fixture_shape(meta, 3, 1000);
    struct record *total = record_create(&shape);
    hid_t file = stored(total, meta, path);
    read_reals(file, "/bins/n_queries", queries, 3 * N_SERVICES);
    read_reals(file, "/bins/latency_mean_s", mean_s, 3 * N_SERVICES);
    read_reals(file, "/bins/all_latency_s", all_s, 3 * SUMMARY_N_QUANTILES);
    ck_assert_double_eq(queries[0], 0);
    ck_assert(isnan(mean_s[0]));
    ck_assert(isnan(all_s[0]));
    H5Fclose(file);
    unlink(path);
    record_destroy(total);
    meta_destroy(meta);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", queries_by_bin},
        {"core", losses_by_bin},
        {"core", groups_by_bin},
        {"limits", empty_bins},
    };
    return suite_mpi_run(&argc, &argv, "store_bins", tests, sizeof tests / sizeof *tests);
}
