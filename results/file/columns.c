// SPDX-License-Identifier: Apache-2.0
#include "results/file/columns.h"

#include <hdf5.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/schema.h"
#include "results/file/checksum.h"
#include "results/file/sandbox.h"

// Deflate makes at most 1032 bytes of one, other filters no more of real data: a file that claims
// more numbers than this per byte is forged or damaged, and must not get that much memory.
#define MOST_PER_BYTE 2048
#define MOST_UNITS_BYTES 64
// Processor time that reading may take: so much, and more for a large file.
#define TRIAL_S 10
#define TRIAL_BYTES_PER_S 10000000
#define MOST_NAMES 1000 // of datasets, for a suggestion

struct columns {
    char *path;
    uint64_t n_bytes;
    bool sealed; // its bytes are what we wrote
};

bool columns_is_hdf5(const char *path)
{
    static const char signature[8] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
    char first[sizeof signature];
    struct stat st;
    // Opening a pipe could wait for ever.
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool same = fread(first, 1, sizeof first, file) == sizeof first &&
                memcmp(first, signature, sizeof first) == 0;
    fclose(file);
    return same;
}

int columns_fail(const struct columns *columns, const char *name, struct err *err, const char *fmt,
                 ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_STUDY, "%s: %.200s: %s", columns->path, name, text);
}

// The file for HDF5; -1 on failure. It is closed again after each use: a child (sandbox.h) must not
// move the position in a file that its parent uses.
static hid_t open_file(const struct columns *columns)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fopen(columns->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

static void try_open(void *data)
{
    hid_t file = open_file(data);
    if (file >= 0)
        H5Fclose(file);
}

// Whether HDF5 survives the work; certain for a file whose seal is whole.
static int survives(const struct columns *columns, sandbox_fn work, void *data, struct err *err)
{
    struct err why;
    unsigned cpu_s = TRIAL_S + (unsigned)(columns->n_bytes / TRIAL_BYTES_PER_S);
    if (columns->sealed || sandbox_run(work, data, cpu_s, &why) == 0)
        return 0;
    return err_set(err, ERR_STUDY,
                   "%s: the HDF5 file is damaged, or not one that HDF5 can read (%.200s)",
                   columns->path, why.text);
}

static int check_open(struct columns *columns, struct err *err)
{
    if (survives(columns, try_open, columns, err) < 0)
        return -1;
    hid_t file = open_file(columns);
    if (file < 0)
        return err_set(err, ERR_STUDY, "%s: %s", columns->path,
                       columns_is_hdf5(columns->path) ? "the HDF5 file is truncated or damaged"
                                                      : "not an HDF5 file");
    H5Fclose(file);
    return 0;
}

struct columns *columns_open(const char *path, struct err *err)
{
    enum checksum_state seal;
    struct stat st;
    if (checksum_check(path, &seal, err) != 0)
        return NULL;
    if (seal == CHECKSUM_BROKEN || stat(path, &st) != 0) {
        err_set(err, ERR_STUDY, "%s: the file is damaged (its checksum does not match)", path);
        return NULL;
    }
    struct columns *columns = mem_calloc(1, sizeof *columns);
    columns->path = mem_strdup(path);
    columns->sealed = seal == CHECKSUM_WHOLE;
    columns->n_bytes = (uint64_t)st.st_size;
    if (check_open(columns, err) == 0)
        return columns;
    columns_close(columns);
    return NULL;
}

void columns_close(struct columns *columns)
{
    if (!columns)
        return;
    mem_free(columns->path);
    mem_free(columns);
}

// ---- what there is, for the message when a dataset is missing

struct names {
    size_t n;
    char *v[MOST_NAMES];
};

static herr_t note_dataset(hid_t root, const char *name, const H5L_info_t *info, void *data)
{
    struct names *names = data;
    if (info->type != H5L_TYPE_HARD || names->n == MOST_NAMES)
        return names->n == MOST_NAMES;
    hid_t id = H5Oopen(root, name, H5P_DEFAULT);
    if (id >= 0 && H5Iget_type(id) == H5I_DATASET)
        names->v[names->n++] = mem_printf("/%s", name);
    if (id >= 0)
        H5Oclose(id);
    return 0;
}

static int fail_missing(const struct columns *columns, hid_t file, const char *name,
                        struct err *err)
{
    struct names *names = mem_calloc(1, sizeof *names);
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, note_dataset, names);
    char *absolute = mem_printf("%s%s", name[0] == '/' ? "" : "/", name);
    const char *near = schema_nearest(absolute, (const char *const *)names->v, names->n);
    columns_fail(columns, name, err, "no such dataset");
    if (near)
        err_append(err, "; did you mean \"%.200s\"?", near);
    else if (names->n == 0)
        err_append(err, "; the file has none");
    else
        err_append(err, "; the file has %zu, the first is \"%.200s\"", names->n, names->v[0]);
    mem_free(absolute);
    for (size_t i = 0; i < names->n; i++)
        mem_free(names->v[i]);
    mem_free(names);
    return -1;
}

static hid_t open_dataset(const struct columns *columns, hid_t file, const char *name,
                          struct err *err)
{
    hid_t id = name[0] ? H5Oopen(file, name, H5P_DEFAULT) : -1;
    if (id < 0) {
        fail_missing(columns, file, name, err);
        return -1;
    }
    if (H5Iget_type(id) == H5I_DATASET)
        return id;
    H5Oclose(id);
    columns_fail(columns, name, err, "expected a dataset, this is a group or a type");
    return -1;
}

// ---- reading one

static int read_length(const struct columns *columns, hid_t id, struct column *column,
                       struct err *err)
{
    hid_t space = H5Dget_space(id);
    int n_dims = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    hssize_t n = n_dims < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (space >= 0)
        H5Sclose(space);
    if (n < 0)
        return columns_fail(columns, column->name, err, "cannot be read (damaged?)");
    if (n_dims != 1)
        return columns_fail(columns, column->name, err, "expected one dimension, got %d", n_dims);
    if (n == 0)
        return columns_fail(columns, column->name, err, "expected at least one record, got none");
    if ((uint64_t)n > COLUMNS_MOST)
        return columns_fail(columns, column->name, err, "expected at most %llu records, got %lld",
                            (unsigned long long)COLUMNS_MOST, (long long)n);
    if ((uint64_t)n / MOST_PER_BYTE > columns->n_bytes)
        return columns_fail(columns, column->name, err,
                            "says it has %lld records, in a file of %llu bytes (damaged?)",
                            (long long)n, (unsigned long long)columns->n_bytes);
    column->n = (size_t)n;
    return 0;
}

static int read_reals(const struct columns *columns, hid_t id, struct column *column,
                      struct err *err)
{
    column->real = mem_calloc(column->n, sizeof *column->real);
    if (H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->real) < 0)
        return columns_fail(columns, column->name, err, "cannot be read (damaged?)");
    for (size_t i = 0; i < column->n; i++)
        if (!isfinite(column->real[i]))
            return columns_fail(columns, column->name, err,
                                "record %zu: expected a finite number, got %g", i + 1,
                                column->real[i]);
    return 0;
}

// Unsigned numbers are read as such: HDF5 would cut what does not fit to the largest that does.
static int read_wholes(const struct columns *columns, hid_t id, bool is_unsigned,
                       struct column *column, struct err *err)
{
    column->whole = mem_calloc(column->n, sizeof *column->whole);
    hid_t type = is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
    if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->whole) < 0)
        return columns_fail(columns, column->name, err, "cannot be read (damaged?)");
    for (size_t i = 0; is_unsigned && i < column->n; i++)
        if (column->whole[i] < 0)
            return columns_fail(columns, column->name, err,
                                "record %zu: expected at most %lld, got %llu", i + 1,
                                (long long)INT64_MAX, (unsigned long long)column->whole[i]);
    return 0;
}

static int read_numbers(const struct columns *columns, hid_t id, struct column *column,
                        struct err *err)
{
    hid_t type = H5Dget_type(id);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    size_t bytes = type < 0 ? 0 : H5Tget_size(type);
    bool is_unsigned = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
    if (type >= 0)
        H5Tclose(type);
    if (class == H5T_FLOAT)
        return read_reals(columns, id, column, err);
    if (class == H5T_INTEGER && bytes <= sizeof(int64_t))
        return read_wholes(columns, id, is_unsigned, column, err);
    return columns_fail(columns, column->name, err, "expected %s",
                        class == H5T_INTEGER ? "integers of at most 64 bits"
                                             : "numbers, this holds something else");
}

// The attribute as text, fixed or of variable length; "" for anything else. Caller frees.
static char *read_units(hid_t dataset)
{
    char *units = NULL;
    hid_t id = H5Aexists(dataset, "units") > 0 ? H5Aopen(dataset, "units", H5P_DEFAULT) : -1;
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
        H5Sget_simple_extent_npoints(space) == 1) {
        char fixed[MOST_UNITS_BYTES + 1] = "", *variable = NULL;
        if (H5Tis_variable_str(type) > 0 && H5Aread(id, type, &variable) >= 0 && variable)
            units = mem_printf("%.*s", MOST_UNITS_BYTES, variable);
        else if (H5Tis_variable_str(type) == 0 && H5Tget_size(type) <= MOST_UNITS_BYTES &&
                 H5Aread(id, type, fixed) >= 0)
            units = mem_printf("%s", fixed);
        if (variable)
            H5free_memory(variable);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (id >= 0)
        H5Aclose(id);
    return units ? units : mem_strdup("");
}

static int read_dataset(const struct columns *columns, hid_t file, const char *name,
                        struct column *column, struct err *err)
{
    hid_t id = open_dataset(columns, file, name, err);
    if (id < 0)
        return -1;
    column->name = mem_strdup(name);
    column->units = read_units(id);
    int rc = read_length(columns, id, column, err);
    if (rc == 0)
        rc = read_numbers(columns, id, column, err);
    H5Dclose(id);
    return rc;
}

static int read_column(const struct columns *columns, const char *name, struct column *column,
                       struct err *err)
{
    memset(column, 0, sizeof *column);
    hid_t file = open_file(columns);
    if (file < 0)
        return err_set(err, ERR_STUDY, "%s: cannot be opened again", columns->path);
    int rc = read_dataset(columns, file, name, column, err);
    H5Fclose(file);
    if (rc != 0)
        column_release(column);
    return rc;
}

struct attempt {
    const struct columns *columns;
    const char *name;
};

static void try_read(void *data)
{
    const struct attempt *attempt = data;
    struct column column;
    if (read_column(attempt->columns, attempt->name, &column, NULL) == 0)
        column_release(&column);
}

int columns_read(const struct columns *columns, const char *name, struct column *column,
                 struct err *err)
{
    struct attempt attempt = {columns, name};
    memset(column, 0, sizeof *column);
    if (survives(columns, try_read, &attempt, err) < 0)
        return -1;
    return read_column(columns, name, column, err);
}

void column_release(struct column *column)
{
    mem_free(column->name);
    mem_free(column->units);
    mem_free(column->whole);
    mem_free(column->real);
    memset(column, 0, sizeof *column);
}

int columns_match(const struct columns *columns, const struct column *a, const struct column *b,
                  struct err *err)
{
    if (a->n == b->n)
        return 0;
    return columns_fail(columns, b->name, err, "expected as many records as %s, %zu, got %zu",
                        a->name, a->n, b->n);
}
