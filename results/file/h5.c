// SPDX-License-Identifier: Apache-2.0
#include "results/file/h5.h"

#include <assert.h>
#include <ctype.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "par/agree.h"

#define CHUNK_ELEMENTS 65536u
#define DEFLATE_LEVEL 4
#define PATH_MAX_LEN 512

struct h5_file {
    MPI_Comm comm;
    int rank;
    hid_t id;
    char *path;
    bool failed; // on all ranks
    bool bad;    // on this rank, not yet shared
    struct err err;
};

static hid_t type_of(enum h5_type type, bool in_file)
{
    switch (type) {
    case H5_U8:
        return in_file ? H5T_STD_U8LE : H5T_NATIVE_UINT8;
    case H5_I32:
        return in_file ? H5T_STD_I32LE : H5T_NATIVE_INT32;
    case H5_U32:
        return in_file ? H5T_STD_U32LE : H5T_NATIVE_UINT32;
    case H5_I64:
        return in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    case H5_U64:
        return in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64;
    case H5_F64:
        break;
    }
    return in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
}

// The innermost message of HDF5's error stack says what went wrong below.
static herr_t deepest(unsigned n, const H5E_error2_t *frame, void *user)
{
    if (n == 0 && frame->desc)
        snprintf(user, 256, "%s", frame->desc);
    return 0;
}

static void note(struct h5_file *file, bool ok, const char *what)
{
    if (ok || file->bad)
        return;
    char why[256] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, why);
    file->bad = true;
    err_set(&file->err, ERR_FAIL, "%s: cannot write %s%s%s", file->path, what, why[0] ? ": " : "",
            why);
}

// Shares failures; after this all ranks stand at the same place.
static void settle(struct h5_file *file)
{
    if (!file->failed && err_agree(file->comm, file->bad, &file->err) != 0)
        file->failed = true;
}

struct h5_file *h5_create(MPI_Comm comm, const char *path, struct err *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    struct h5_file *file = mem_calloc(1, sizeof *file);
    file->comm = comm;
    file->path = mem_strdup(path);
    MPI_Comm_rank(comm, &file->rank);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL);
    H5Pset_all_coll_metadata_ops(access, true);
    H5Pset_coll_metadata_write(access, true);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_obj_track_times(create, false);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    file->id = H5Fcreate(path, H5F_ACC_EXCL, create, access);
    H5Pclose(access);
    H5Pclose(create);
    note(file, file->id >= 0, "a new file");
    settle(file);
    if (!file->failed)
        return file;
    h5_close(file, err);
    return NULL;
}

int h5_close(struct h5_file *file, struct err *err)
{
    if (file->id >= 0)
        note(file, H5Fclose(file->id) >= 0, "the end of the file");
    settle(file);
    int rc = file->failed ? -1 : 0;
    if (rc != 0 && err)
        *err = file->err;
    mem_free(file->path);
    mem_free(file);
    return rc;
}

void h5_group(struct h5_file *file, const char *group)
{
    if (file->failed)
        return;
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(create, false);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    hid_t id = H5Gcreate2(file->id, group, H5P_DEFAULT, create, H5P_DEFAULT);
    note(file, id >= 0, group);
    if (id >= 0)
        H5Gclose(id);
    H5Pclose(create);
}

static void put_text(struct h5_file *file, hid_t object, const char *key, const char *text)
{
    size_t bytes = strlen(text) + 1;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, bytes);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    H5Tset_cset(type, H5T_CSET_UTF8);
    hid_t id = H5Acreate2(object, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    note(file, id >= 0 && H5Awrite(id, type, text) >= 0, key);
    if (id >= 0)
        H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

void h5_text(struct h5_file *file, const char *object, const char *key, const char *text)
{
    if (file->failed)
        return;
    hid_t id = H5Oopen(file->id, object, H5P_DEFAULT);
    note(file, id >= 0, object);
    if (id < 0)
        return;
    put_text(file, id, key, text ? text : "");
    H5Oclose(id);
}

void h5_number(struct h5_file *file, const char *object, const char *key, enum h5_type type,
               const void *value)
{
    if (file->failed)
        return;
    hid_t id = H5Oopen(file->id, object, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    hid_t attribute =
        id < 0 ? -1 : H5Acreate2(id, key, type_of(type, true), space, H5P_DEFAULT, H5P_DEFAULT);
    note(file, attribute >= 0 && H5Awrite(attribute, type_of(type, false), value) >= 0, key);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (id >= 0)
        H5Oclose(id);
    H5Sclose(space);
}

// CF: flag_meanings is a blank-separated list, so a meaning has no blank (nor comma) in it.
static char in_meaning(char c)
{
    return (char)(isspace((unsigned char)c) || c == ',' ? '_' : c);
}

static char in_line(char c)
{
    return (char)(c == '\n' ? ' ' : c);
}

// The names with `between` between them, each character by way of `map`, `empty` for "";
// caller mem_free()s.
static char *join(const char *const *names, size_t n, char between, char (*map)(char),
                  const char *empty)
{
    size_t bytes = 1;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(names[i]) + strlen(empty) + 1;
    char *list = mem_calloc(bytes, 1), *at = list;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = between;
        for (const char *c = names[i][0] ? names[i] : empty; *c; c++)
            *at++ = map(*c);
    }
    return list;
}

void h5_codes(struct h5_file *file, const char *dataset, const char *const *names, size_t n)
{
    if (file->failed || n == 0)
        return;
    hsize_t count = n;
    int32_t *values = mem_calloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (int32_t)i;
    hid_t id = H5Oopen(file->id, dataset, H5P_DEFAULT), space = H5Screate_simple(1, &count, NULL);
    hid_t attribute =
        id < 0 ? -1 : H5Acreate2(id, "flag_values", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    note(file, attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT32, values) >= 0, dataset);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (id >= 0)
        H5Oclose(id);
    H5Sclose(space);
    mem_free(values);
    char *meanings = join(names, n, ' ', in_meaning, "_");
    char *lines = join(names, n, '\n', in_line, "");
    h5_text(file, dataset, "flag_meanings", meanings);
    h5_text(file, dataset, "names", lines);
    mem_free(meanings);
    mem_free(lines);
}

// Chunks keep the fast axes whole and cut the first one, to CHUNK_ELEMENTS elements or so.
static hid_t creation_list(int n_dims, const hsize_t *size)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    if (n_dims == 0)
        return list;
    hsize_t chunk[H5_MAX_DIMS], row = 1;
    for (int i = 0; i < n_dims; i++) {
        chunk[i] = size[i] ? size[i] : 1;
        row *= i > 0 ? chunk[i] : 1;
    }
    hsize_t rows = CHUNK_ELEMENTS / row;
    if (rows < 1)
        rows = 1;
    if (chunk[0] > rows)
        chunk[0] = rows;
    H5Pset_chunk(list, n_dims, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, DEFLATE_LEVEL);
    H5Pset_fletcher32(list);
    return list;
}

// Selects the slab's rows (or nothing) in the file's space; returns the matching memory space.
static hid_t select_slab(hid_t space, int n_dims, const hsize_t *size, const struct h5_slab *slab)
{
    if (n_dims == 0) {
        hid_t memory = H5Screate(H5S_SCALAR);
        if (slab->count == 0) {
            H5Sselect_none(space);
            H5Sselect_none(memory);
        }
        return memory;
    }
    hsize_t start[H5_MAX_DIMS] = {0}, count[H5_MAX_DIMS];
    memcpy(count, size, (size_t)n_dims * sizeof *count);
    start[0] = slab->first;
    count[0] = slab->count;
    hid_t memory = H5Screate_simple(n_dims, count, NULL);
    if (slab->count == 0) {
        H5Sselect_none(space);
        H5Sselect_none(memory);
    } else {
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    }
    return memory;
}

static void write_slab(struct h5_file *file, hid_t id, const struct h5_var *var,
                       const hsize_t *size, const struct h5_slab *slab)
{
    const double nothing = 0; // an address for ranks that write nothing
    hid_t space = H5Dget_space(id), transfer = H5Pcreate(H5P_DATASET_XFER);
    hid_t memory = select_slab(space, var->n_dims, size, slab);
    H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
    herr_t rc = H5Dwrite(id, type_of(var->type, false), memory, space, transfer,
                         slab->count ? slab->data : &nothing);
    note(file, rc >= 0, var->name);
    H5Pclose(transfer);
    H5Sclose(memory);
    H5Sclose(space);
}

static hid_t create_dataset(struct h5_file *file, const char *path, const struct h5_var *var,
                            const hsize_t *size)
{
    hsize_t most[H5_MAX_DIMS];
    for (int i = 0; i < var->n_dims; i++)
        most[i] = size[i] ? size[i] : H5S_UNLIMITED; // a fixed axis of 0 cannot be chunked
    hid_t space = var->n_dims ? H5Screate_simple(var->n_dims, size, most) : H5Screate(H5S_SCALAR);
    hid_t list = creation_list(var->n_dims, size);
    hid_t id =
        H5Dcreate2(file->id, path, type_of(var->type, true), space, H5P_DEFAULT, list, H5P_DEFAULT);
    note(file, id >= 0, path);
    H5Pclose(list);
    H5Sclose(space);
    if (id >= 0) {
        put_text(file, id, "units", var->units);
        put_text(file, id, "long_name", var->long_name);
    }
    return id;
}

void h5_coord(struct h5_file *file, const char *group, const char *name, const char *units,
              const char *long_name, enum h5_type type, uint64_t n, const void *data)
{
    if (file->failed)
        return;
    char path[PATH_MAX_LEN];
    hsize_t size = n;
    struct h5_var var = {name, units, long_name, type, 1, {name}};
    struct h5_slab slab = {0, file->rank == 0 ? n : 0, data};
    snprintf(path, sizeof path, "%s/%s", group, name);
    hid_t id = create_dataset(file, path, &var, &size);
    if (id >= 0) {
        note(file, H5DSset_scale(id, name) >= 0, path);
        if (n > 0)
            write_slab(file, id, &var, &size, &slab);
        H5Dclose(id);
    }
    settle(file);
}

// Opens the coordinates of a variable and takes their lengths.
static bool open_scales(struct h5_file *file, const char *group, const struct h5_var *var,
                        hid_t *scales, hsize_t *size)
{
    bool ok = true;
    for (int i = 0; i < var->n_dims; i++) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s/%s", group, var->dims[i]);
        scales[i] = H5Dopen2(file->id, path, H5P_DEFAULT);
        size[i] = 0;
        if (scales[i] < 0) {
            ok = false;
            continue;
        }
        hid_t space = H5Dget_space(scales[i]);
        H5Sget_simple_extent_dims(space, &size[i], NULL);
        H5Sclose(space);
    }
    note(file, ok, var->name);
    return ok;
}

void h5_put(struct h5_file *file, const char *group, const struct h5_var *var,
            const struct h5_slab *slab)
{
    assert(var->n_dims <= H5_MAX_DIMS);
    if (file->failed)
        return;
    char path[PATH_MAX_LEN];
    hid_t scales[H5_MAX_DIMS], id = -1;
    hsize_t size[H5_MAX_DIMS];
    snprintf(path, sizeof path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, var->name);
    if (open_scales(file, group, var, scales, size))
        id = create_dataset(file, path, var, size);
    if (id >= 0) {
        for (int i = 0; i < var->n_dims; i++)
            note(file, H5DSattach_scale(id, scales[i], (unsigned)i) >= 0, path);
        if (var->n_dims == 0 || size[0] > 0)
            write_slab(file, id, var, size, slab);
        H5Dclose(id);
    }
    for (int i = 0; i < var->n_dims; i++) {
        if (scales[i] >= 0)
            H5Dclose(scales[i]);
    }
    settle(file);
}
