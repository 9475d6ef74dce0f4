// SPDX-License-Identifier: Apache-2.0
#include "results/file/columns.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/column_file.h"
#include "support/suite.h"

#define PATH "test_columns.h5"

// A file with one dataset of that stored type, made from n 64-bit numbers.
static void write_stored(hid_t stored, hid_t memory, hsize_t n, const void *data)
{
    hid_t file = H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t id = H5Dcreate2(file, "x", stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (data)
        ck_assert_int_ge(H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Fclose(file);
}

static void read_good(const char *name, struct column *column)
{
    struct err err = {0};
    struct columns *file = columns_open(PATH, &err);
    ck_assert_msg(file != NULL, "%s", err.text);
    ck_assert_msg(columns_read(file, name, column, &err) == 0, "%s", err.text);
    columns_close(file);
}

static void refuses(const char *name, const char *expected)
{
    struct err err = {0};
    struct column column;
    struct columns *file = columns_open(PATH, &err);
    ck_assert_msg(file != NULL, "%s", err.text);
    ck_assert_int_eq(columns_read(file, name, &column, &err), -1);
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(column.name);
    columns_close(file);
}

// Integers of each width, sign and byte order come back exactly, the extremes of 64 bits too.
START_TEST(integers_are_exact)
{
    const int64_t small[] = {0, 1, 127}, large[] = {INT64_MIN, INT64_MAX, -1};
    const hid_t types[] = {H5T_STD_I8LE,  H5T_STD_U8BE,  H5T_STD_I16BE, H5T_STD_U16LE,
                           H5T_STD_I32LE, H5T_STD_U32BE, H5T_STD_I64BE, H5T_STD_U64LE};
    struct column column;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        write_stored(types[i], H5T_NATIVE_INT64, 3, small);
        read_good("/x", &column);
        ck_assert_ptr_null(column.real);
        ck_assert_uint_eq(column.n, 3);
        ck_assert_mem_eq(column.whole, small, sizeof small);
        column_release(&column);
    }
    write_stored(H5T_STD_I64BE, H5T_NATIVE_INT64, 3, large);
    read_good("x", &column);
    ck_assert_mem_eq(column.whole, large, sizeof large);
    column_release(&column);
}
END_TEST

// Floating point of 32 and 64 bits; these values are exact in both.
START_TEST(reals_of_both_widths)
{
    const double values[] = {0.5, -3.25, 1e9};
    const hid_t types[] = {H5T_IEEE_F32BE, H5T_IEEE_F64LE};
    for (size_t i = 0; i < 2; i++) {
        struct column column;
        write_stored(types[i], H5T_NATIVE_DOUBLE, 3, values);
        read_good("/x", &column);
        ck_assert_ptr_null(column.whole);
        ck_assert_mem_eq(column.real, values, sizeof values);
        ck_assert_str_eq(column.units, "");
        column_release(&column);
    }
}
END_TEST

// Compressed, in a group, with units of variable length; and units of fixed length.
START_TEST(groups_and_units)
{
    int64_t numbers[200];
    for (int i = 0; i < 200; i++)
        numbers[i] = i * i;
    const struct column_file_column wanted = {"log/t", 200, NULL, numbers, "ms"};
    struct column column;
    column_file_write(PATH, &wanted, 1);
    read_good("/log/t", &column);
    ck_assert_mem_eq(column.whole, numbers, sizeof numbers);
    ck_assert_str_eq(column.units, "ms");
    ck_assert_str_eq(column.name, "/log/t");
    column_release(&column);

    hid_t file = H5Fopen(PATH, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, 2); // no room for a NUL: HDF5 allows it
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Adelete_by_name(file, "log/t", "units", H5P_DEFAULT);
    hid_t id = H5Acreate_by_name(file, "log/t", "units", type, space, H5P_DEFAULT, H5P_DEFAULT,
                                 H5P_DEFAULT);
    H5Awrite(id, type, "us");
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
    read_good("/log/t", &column);
    ck_assert_str_eq(column.units, "us");
    column_release(&column);
}
END_TEST

// Only the first bytes of a regular file tell that it is HDF5.
START_TEST(signatures)
{
    const int64_t number = 1;
    write_stored(H5T_NATIVE_INT64, H5T_NATIVE_INT64, 1, &number);
    ck_assert(columns_is_hdf5(PATH));
    column_file_spit(PATH, "\x89HDF\r\n\x1a", 7);
    ck_assert(!columns_is_hdf5(PATH));
    column_file_spit(PATH, "arrive_s,size_items\n", 20);
    ck_assert(!columns_is_hdf5(PATH));
    ck_assert(!columns_is_hdf5("/"));
    ck_assert(!columns_is_hdf5("/dev/zero"));
    ck_assert(!columns_is_hdf5("/no/such/file"));
}
END_TEST

// Two columns of different lengths do not belong together.
START_TEST(lengths_must_match)
{
    const int64_t numbers[] = {1, 2, 3};
    const struct column_file_column both[] = {{"a", 3, NULL, numbers, NULL},
                                              {"b", 2, NULL, numbers, NULL}};
    struct err err = {0};
    struct column a, b;
    column_file_write(PATH, both, 2);
    read_good("/a", &a);
    read_good("/b", &b);
    struct columns *file = columns_open(PATH, &err);
    ck_assert_int_eq(columns_match(file, &a, &a, &err), 0);
    ck_assert_int_eq(columns_match(file, &a, &b, &err), -1);
    ck_assert_str_eq(err.text, PATH ": /b: expected as many records as /a, 3, got 2");
    columns_close(file);
    column_release(&a);
    column_release(&b);
}
END_TEST

// A column may claim as many records as it likes: it gets no memory for more than can be there.
START_TEST(lengths_are_limited)
{
    hsize_t n = COLUMNS_MOST + 1, chunk = 1000;
    for (int k = 0; k < 2; k++, n = COLUMNS_MOST) {
        hid_t file = H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        hid_t space = H5Screate_simple(1, &n, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(create, 1, &chunk); // none is ever written
        hid_t id = H5Dcreate2(file, "x", H5T_NATIVE_INT64, space, H5P_DEFAULT, create, H5P_DEFAULT);
        H5Dclose(id);
        H5Pclose(create);
        H5Sclose(space);
        H5Fclose(file);
        struct err err = {0};
        struct column column;
        struct columns *columns = columns_open(PATH, NULL);
        ck_assert_int_eq(columns_read(columns, "/x", &column, &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, k == 0 ? "expected at most 268435456 records"
                                                      : "says it has 268435456 records"));
        columns_close(columns);
    }
}
END_TEST

// A wrong number is named by its record.
START_TEST(wrong_numbers_are_named)
{
    const double reals[] = {0, 1, (double)NAN}, infinite[] = {0, (double)INFINITY};
    const uint64_t large[] = {0, 0, 0, UINT64_C(1) << 63};
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, reals);
    refuses("/x", PATH ": /x: record 3: expected a finite number, got nan");
    write_stored(H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, 2, infinite);
    refuses("/x", PATH ": /x: record 2: expected a finite number, got inf");
    write_stored(H5T_STD_U64LE, H5T_NATIVE_UINT64, 4, large);
    refuses("/x", PATH ": /x: record 4: expected at most 9223372036854775807, got "
                       "9223372036854775808");
}
END_TEST

// What is missing is said with the nearest that is there.
START_TEST(missing_datasets_are_suggested)
{
    const int64_t number = 1;
    const struct column_file_column both[] = {{"log/arrive_s", 1, NULL, &number, NULL},
                                              {"log/size", 1, NULL, &number, NULL}};
    column_file_write(PATH, both, 2);
    refuses("/log/arive_s",
            PATH ": /log/arive_s: no such dataset; did you mean \"/log/arrive_s\"?");
    refuses("log/arrive", PATH ": log/arrive: no such dataset; did you mean \"/log/arrive_s\"?");
    refuses("/q", PATH ": /q: no such dataset; the file has 2, the first is \"/log/arrive_s\"");
    refuses("/log", PATH ": /log: expected a dataset, this is a group or a type");
    H5Fclose(H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    refuses("/x", PATH ": /x: no such dataset; the file has none");
}
END_TEST

// Datasets of other shapes and types.
START_TEST(other_shapes_are_refused)
{
    const hsize_t dims[] = {2, 3};
    hid_t file = H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t two = H5Screate_simple(2, dims, NULL), none = H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(file, "two", H5T_STD_I8LE, two, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "one", H5T_STD_I8LE, none, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(two);
    H5Sclose(none);
    H5Fclose(file);
    refuses("/two", PATH ": /two: expected one dimension, got 2");
    refuses("/one", PATH ": /one: expected one dimension, got 0");
    write_stored(H5T_STD_I8LE, 0, 0, NULL);
    refuses("/x", PATH ": /x: expected at least one record, got none");
    write_stored(H5T_C_S1, 0, 3, NULL);
    refuses("/x", PATH ": /x: expected numbers, this holds something else");
}
END_TEST

static void refuses_to_open(const char *path, const char *reason)
{
    struct err err = {0};
    ck_assert_ptr_null(columns_open(path, &err));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
}

// What is no HDF5 file, and one cut anywhere.
START_TEST(other_files_and_truncated_ones_are_refused)
{
    int64_t numbers[500] = {0};
    const struct column_file_column wanted = {"x", 500, NULL, numbers, NULL};
    size_t n;
    refuses_to_open("no_such.h5", "No such file");
    refuses_to_open("/", "not a regular file");
    column_file_spit(PATH, "t,n\n", 4);
    refuses_to_open(PATH, "not an HDF5 file");
    column_file_write(PATH, &wanted, 1);
    unsigned char *bytes = column_file_slurp(PATH, &n);
    for (size_t keep = 8; keep < n; keep += 1 + n / 23) {
        column_file_spit(PATH, bytes, keep);
        refuses_to_open(PATH, "the HDF5 file is truncated or damaged");
    }
    free(bytes);
}
END_TEST

// A byte changed anywhere: the file is read or refused, in this process nothing crashes. Some of
// these do crash HDF5 1.10 (in its heap of names and its B-trees), which the child finds out.
START_TEST(changed_bytes_do_no_harm)
{
    int64_t numbers[500];
    for (int i = 0; i < 500; i++)
        numbers[i] = 3 * i;
    const struct column_file_column wanted = {"x", 500, NULL, numbers, "ms"};
    size_t n, n_refused = 0, n_read = 0;
    column_file_write(PATH, &wanted, 1);
    unsigned char *bytes = column_file_slurp(PATH, &n);
    for (size_t at = 8; at < n; at += 1 + n / 151) {
        struct err err = {0};
        struct column column;
        bytes[at] ^= 0xff;
        column_file_spit(PATH, bytes, n);
        bytes[at] ^= 0xff;
        struct columns *file = columns_open(PATH, &err);
        int rc = file ? columns_read(file, "/x", &column, &err) : -1;
        if (rc == 0)
            column_release(&column);
        else
            ck_assert_msg(strncmp(err.text, PATH ": ", strlen(PATH) + 2) == 0 &&
                              !strchr(err.text, '\n'),
                          "%s", err.text);
        n_refused += rc != 0;
        n_read += rc == 0;
        columns_close(file);
    }
    free(bytes);
    ck_assert_uint_gt(n_refused, 10);
    ck_assert_uint_gt(n_read, 10); // bytes that nothing depends on
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", integers_are_exact},
                                       {"core", reals_of_both_widths},
                                       {"core", groups_and_units},
                                       {"core", signatures},
                                       {"core", lengths_must_match},
                                       {"limits", lengths_are_limited},
                                       {"errors", wrong_numbers_are_named},
                                       {"errors", missing_datasets_are_suggested},
                                       {"errors", other_shapes_are_refused},
                                       {"errors", other_files_and_truncated_ones_are_refused},
                                       {"errors", changed_bytes_do_no_harm}};
    int rc = suite_run("columns", tests, sizeof tests / sizeof *tests);
    unlink(PATH);
    return rc;
}
