// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_piece.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "results/fixture.h"
#include "support/suite_mpi.h"

// A writer of a new file, the same on all ranks; rank 0 has the data.
struct piece {
    struct store_writer writer;
    struct meta *meta;
    char path[64];
};

static void begin(struct piece *piece)
{
    int rank;
    long pid = (long)getpid();
    struct err err = {0};
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Bcast(&pid, 1, MPI_LONG, 0, MPI_COMM_WORLD);
    snprintf(piece->path, sizeof piece->path, "/tmp/rf_piece_%ld.h5", pid);
    piece->meta = fixture_meta();
    piece->writer = (struct store_writer){.file = h5_create(MPI_COMM_WORLD, piece->path, &err),
                                          .meta = piece->meta,
                                          .root = rank == 0};
    ck_assert_msg(piece->writer.file != NULL, "%s", err.text);
    h5_group(piece->writer.file, "/g");
}

// Closes the file; a reader of it on rank 0, -1 on the others.
static hid_t reopen(struct piece *piece)
{
    struct err err = {0};
    int rc = h5_close(piece->writer.file, &err);
    meta_destroy(piece->meta);
    ck_assert_msg(rc == 0, "%s", err.text);
    return piece->writer.root ? H5Fopen(piece->path, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
}

static void end(const struct piece *piece, hid_t file)
{
    if (file < 0)
        return;
    H5Fclose(file);
    unlink(piece->path);
}

static void read_data(hid_t file, const char *name, hid_t type, void *data)
{
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", name);
    ck_assert_int_ge(H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(id);
}

struct toy {
    uint32_t count;
    struct ci rate;
};

static const struct toy toys[] = {{7, {1.5, 0.25, 0.5, 20}}, {8, {2.5, 0.125, 0.75, 10}}};
static const struct store_rows toy_rows = {toys, sizeof *toys, 2, 1, {"group"}, 2};

// A member of every row becomes a dataset over the rows' dimension.
START_TEST(column_of_a_struct)
{
    struct piece piece;
    uint32_t counts[2] = {0};
    begin(&piece);
    store_piece_groups(&piece.writer, "/g");
    store_piece_column(
        &piece.writer, "/g", &toy_rows,
        &(struct store_column){"count", "1", "a count", H5_U32, offsetof(struct toy, count)});
    hid_t file = reopen(&piece);
    if (file >= 0) {
        read_data(file, "/g/count", H5T_NATIVE_UINT32, counts);
        ck_assert_uint_eq(counts[0], 7);
        ck_assert_uint_eq(counts[1], 8);
    }
    end(&piece, file);
}
END_TEST

// An estimate becomes its value, two half-widths and the batches behind them.
START_TEST(estimate_in_four)
{
    struct piece piece;
    double value[2], half_95[2], half_99[2];
    uint32_t batches[2];
    begin(&piece);
    store_piece_groups(&piece.writer, "/g");
    store_piece_ci(
        &piece.writer, "/g", &toy_rows,
        &(struct store_column){"rate_qps", "s-1", "a rate", H5_F64, offsetof(struct toy, rate)});
    hid_t file = reopen(&piece);
    if (file >= 0) {
        read_data(file, "/g/rate_qps", H5T_NATIVE_DOUBLE, value);
        read_data(file, "/g/rate_qps_half_95", H5T_NATIVE_DOUBLE, half_95);
        read_data(file, "/g/rate_qps_half_99", H5T_NATIVE_DOUBLE, half_99);
        read_data(file, "/g/rate_qps_n_batches", H5T_NATIVE_UINT32, batches);
        ck_assert_double_eq(value[1], 2.5);
        ck_assert_double_eq(half_95[1], 0.125);
        ck_assert_double_eq(half_99[0], 0.5);
        ck_assert_uint_eq(batches[0], 20);
    }
    end(&piece, file);
}
END_TEST

// Readers are told that a NaN is missing where there can be one, and only there.
START_TEST(missing_values)
{
    const struct summary_field real = {
        "rate_qps", "s-1", "a rate", SUMMARY_REAL, offsetof(struct toy, rate), NULL, 0, NULL};
    const struct summary_field count = {"n", "1", "a count", SUMMARY_COUNT32, 0, NULL, 0, NULL};
    struct piece piece;
    begin(&piece);
    store_piece_groups(&piece.writer, "/g");
    store_piece_field(&piece.writer, "/g", &toy_rows, &real);
    store_piece_missing(&piece.writer, "/g", &real);
    store_piece_missing(&piece.writer, "/g", &count); // there is no such dataset to write to
    hid_t file = reopen(&piece);
    if (file >= 0)
        ck_assert_int_gt(H5Aexists_by_name(file, "/g/rate_qps", "_FillValue", H5P_DEFAULT), 0);
    end(&piece, file);
}
END_TEST

// Each dimension is there under its name, with one code per service, group or component.
START_TEST(dimensions)
{
    struct piece piece;
    int32_t codes[2] = {9, 9};
    double quantiles[SUMMARY_N_QUANTILES];
    begin(&piece);
    store_piece_services(&piece.writer, "/g");
    store_piece_components(&piece.writer, "/g");
    store_piece_quantiles(&piece.writer, "/g");
    hid_t file = reopen(&piece);
    if (file >= 0) {
        read_data(file, "/g/service", H5T_NATIVE_INT32, codes);
        ck_assert_int_eq(codes[0], 0);
        ck_assert_int_eq(codes[1], 1);
        read_data(file, "/g/component", H5T_NATIVE_INT32, codes);
        ck_assert_int_eq(codes[1], PART_ACCEL);
        read_data(file, "/g/quantile", H5T_NATIVE_DOUBLE, quantiles);
        ck_assert_mem_eq(quantiles, summary_quantiles, sizeof quantiles);
    }
    end(&piece, file);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", column_of_a_struct},
        {"core", estimate_in_four},
        {"core", missing_values},
        {"core", dimensions},
    };
    return suite_mpi_run(&argc, &argv, "store_piece", tests, sizeof tests / sizeof *tests);
}
