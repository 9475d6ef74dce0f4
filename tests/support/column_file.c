// SPDX-License-Identifier: Apache-2.0
#include "support/column_file.h"

#include <check.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

static void write_units(hid_t dataset, const char *units)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t id = H5Acreate2(dataset, "units", type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(id, type, &units), 0);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

static void write_column(hid_t file, const struct column_file_column *column)
{
    hsize_t n = column->n, chunk = n < 64 ? n : 64;
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    H5Pset_chunk(create, 1, &chunk);
    H5Pset_shuffle(create);
    H5Pset_deflate(create, 4);
    hid_t type = column->real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
    hid_t id = H5Dcreate2(file, column->name, type, space, link, create, H5P_DEFAULT);
    const void *data = column->real ? (const void *)column->real : column->whole;
    ck_assert_int_ge(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    if (column->units)
        write_units(id, column->units);
    H5Dclose(id);
    H5Pclose(link);
    H5Pclose(create);
    H5Sclose(space);
}

void column_file_write(const char *path, const struct column_file_column *columns, size_t n)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    for (size_t i = 0; i < n; i++)
        write_column(file, &columns[i]);
    ck_assert_int_ge(H5Fclose(file), 0);
}

unsigned char *column_file_slurp(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*n);
    ck_assert_uint_eq(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

void column_file_spit(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}
