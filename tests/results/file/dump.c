// SPDX-License-Identifier: Apache-2.0
#include "results/file/dump.h"

#include <check.h>
#include <hdf5.h>
#include <string.h>

#include "base/mem.h"

static void dump_add(struct dump *d, const void *bytes, size_t n)
{
    while (d->n + n > d->cap) {
        d->cap = d->cap ? 2 * d->cap : 65536;
        d->bytes = mem_realloc(d->bytes, d->cap, 1);
    }
    memcpy(d->bytes + d->n, bytes, n);
    d->n += n;
}

static herr_t dump_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    (void)info;
    hid_t id = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(id);
    H5T_class_t class = H5Tget_class(type);
    dump_add(user, name, strlen(name) + 1);
    if (class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_STRING) {
        char *value = mem_calloc((size_t)H5Aget_storage_size(id) + 1, 1);
        H5Aread(id, type, value);
        dump_add(user, value, (size_t)H5Aget_storage_size(id));
        mem_free(value);
    } // the others are the scales' references
    H5Tclose(type);
    H5Aclose(id);
    return 0;
}

static void dump_dataset(hid_t object, struct dump *d)
{
    hid_t type = H5Dget_type(object), space = H5Dget_space(object);
    hsize_t size[8] = {0};
    int n_dims = H5Sget_simple_extent_dims(space, size, NULL);
    size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
    char *data = mem_calloc(bytes, 1);
    H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    dump_add(d, &n_dims, sizeof n_dims);
    dump_add(d, size, sizeof size);
    dump_add(d, data, bytes);
    mem_free(data);
    H5Sclose(space);
    H5Tclose(type);
}

static herr_t dump_object(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    (void)info;
    if (strncmp(name, "run", 3) == 0)
        return 0;
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    dump_add(user, name, strlen(name) + 1);
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, dump_attribute, user);
    if (H5Iget_type(object) == H5I_DATASET)
        dump_dataset(object, user);
    H5Oclose(object);
    return 0;
}

struct dump dump_file(const char *path)
{
    struct dump d = {0};
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, dump_object, &d);
    H5Fclose(file);
    return d;
}
