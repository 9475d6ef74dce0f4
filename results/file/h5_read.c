// SPDX-License-Identifier: Apache-2.0
#include "results/file/h5_read.h"

#include <hdf5.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "results/file/checksum.h"

// Bounds far above any real file, so that a forged size cannot ask for all memory. Deflate makes at
// most 1032 bytes of one, other filters no more of real data.
#define MOST_ELEMENTS (UINT64_C(1) << 31)
#define MOST_PER_BYTE 2048
#define MOST_TEXT (UINT64_C(1) << 28)
#define SCHEMA_VERSION 1
// Processor time that reading may take in the trial: so much, and more for a large file.
#define TRIAL_S 10
#define TRIAL_BYTES_PER_S 10000000

// Reading one file; the first failure is kept and later calls do nothing.
struct h5_reader {
    hid_t file;
    const char *path;
    uint64_t n_bytes; // of the file
    struct err *err;
    bool failed;
};

void h5_read_fail(struct h5_reader *r, const char *what, const char *object)
{
    if (r->failed)
        return;
    r->failed = true;
    err_set(r->err, ERR_FAIL, "%s: not a readable recfleet result: %s %s", r->path, object, what);
}

// ---- datasets and attributes

static hid_t memory_type(size_t bytes, bool real)
{
    if (real)
        return H5T_NATIVE_DOUBLE;
    return bytes == 8 ? H5T_NATIVE_UINT64 : H5T_NATIVE_UINT32;
}

uint64_t h5_read_extent(struct h5_reader *r, const char *name)
{
    if (r->failed)
        return 0;
    hid_t id = H5Dopen2(r->file, name, H5P_DEFAULT);
    hid_t space = id < 0 ? -1 : H5Dget_space(id);
    hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (n < 0 || (uint64_t)n > MOST_ELEMENTS || (uint64_t)n / MOST_PER_BYTE > r->n_bytes)
        h5_read_fail(r, n < 0 ? "is missing" : "is too long", name);
    if (space >= 0)
        H5Sclose(space);
    if (id >= 0)
        H5Dclose(id);
    return r->failed ? 0 : (uint64_t)n;
}

// The stored numbers must be of the class that is wanted and no wider.
static bool type_fits(hid_t id, size_t bytes, bool real)
{
    hid_t type = H5Dget_type(id);
    if (type < 0)
        return false;
    H5T_class_t class = H5Tget_class(type);
    bool fits = class == (real ? H5T_FLOAT : H5T_INTEGER) && H5Tget_size(type) <= bytes;
    H5Tclose(type);
    return fits;
}

void h5_read_numbers(struct h5_reader *r, const char *name, uint64_t n, size_t bytes, bool real,
                     void *data)
{
    if (h5_read_extent(r, name) != n)
        h5_read_fail(r, "has another length than the rest implies", name);
    if (r->failed)
        return;
    hid_t id = H5Dopen2(r->file, name, H5P_DEFAULT);
    if (id < 0 || !type_fits(id, bytes, real))
        h5_read_fail(r, "is not of the expected type", name);
    else if (n > 0 &&
             H5Dread(id, memory_type(bytes, real), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        h5_read_fail(r, "cannot be read (damaged?)", name);
    if (id >= 0)
        H5Dclose(id);
}

double *h5_read_reals(struct h5_reader *r, const char *name, uint64_t n)
{
    double *data = mem_calloc(r->failed ? 0 : n, sizeof *data);
    h5_read_numbers(r, name, n, sizeof *data, true, data);
    return data;
}

char *h5_read_bytes(struct h5_reader *r, const char *name)
{
    uint64_t n = h5_read_extent(r, name);
    char *text = mem_calloc(n + 1, 1);
    hid_t id = r->failed ? -1 : H5Dopen2(r->file, name, H5P_DEFAULT);
    if (!r->failed && (id < 0 || !type_fits(id, 1, false)))
        h5_read_fail(r, "is not text", name);
    else if (!r->failed && n > 0 &&
             H5Dread(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        h5_read_fail(r, "cannot be read (damaged?)", name);
    if (id >= 0)
        H5Dclose(id);
    return text;
}

static void close_attribute(hid_t id, hid_t type, hid_t space)
{
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (id >= 0)
        H5Aclose(id);
}

bool h5_read_has(struct h5_reader *r, const char *object, const char *key)
{
    return !r->failed && H5Aexists_by_name(r->file, object, key, H5P_DEFAULT) > 0;
}

// Ours are of fixed length.
char *h5_read_text(struct h5_reader *r, const char *object, const char *key)
{
    if (r->failed)
        return mem_strdup("");
    hid_t id = H5Aopen_by_name(r->file, object, key, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
              H5Tis_variable_str(type) == 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Tget_size(type) <= MOST_TEXT;
    size_t bytes = ok ? H5Tget_size(type) : 0;
    char *text = mem_calloc(bytes + 1, 1);
    if (!ok || H5Aread(id, type, text) < 0)
        h5_read_fail(r, "lacks an attribute of text, or it cannot be read", object);
    close_attribute(id, type, space);
    return text;
}

char *h5_read_text_if(struct h5_reader *r, const char *object, const char *key)
{
    return h5_read_has(r, object, key) ? h5_read_text(r, object, key) : mem_strdup("");
}

void h5_read_attribute(struct h5_reader *r, const char *object, const char *key, size_t bytes,
                       bool real, void *value)
{
    if (r->failed)
        return;
    hid_t id = H5Aopen_by_name(r->file, object, key, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = type >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Tget_class(type) == (real ? H5T_FLOAT : H5T_INTEGER) && H5Tget_size(type) <= bytes;
    if (!ok || H5Aread(id, memory_type(bytes, real), value) < 0)
        h5_read_fail(r, "lacks a number among its attributes, or it cannot be read", object);
    close_attribute(id, type, space);
}

uint32_t h5_read_n_names(struct h5_reader *r, const char *object, const char *key)
{
    char *lines = h5_read_text(r, object, key);
    uint32_t n = lines[0] ? 1 : 0;
    for (const char *c = lines; *c; c++)
        n += *c == '\n';
    mem_free(lines);
    return n;
}

void h5_read_names(struct h5_reader *r, const char *object, const char *key,
                   const struct h5_rows *rows, size_t offset)
{
    char *lines = h5_read_text(r, object, key), *at = lines;
    size_t i = 0;
    for (; i < rows->n && at && !r->failed; i++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        char *name = mem_strdup(at);
        memcpy((char *)rows->base + i * rows->stride + offset, &name, sizeof name);
        at = end ? end + 1 : NULL;
    }
    if (i < rows->n || (at && rows->n > 0))
        h5_read_fail(r, "has another number of names", object);
    mem_free(lines);
}

// ---- rows of structs

void h5_read_column(struct h5_reader *r, const char *name, const struct h5_rows *rows,
                    size_t offset, size_t bytes, bool real)
{
    char *column = mem_calloc(rows->n, bytes);
    h5_read_numbers(r, name, rows->n, bytes, real, column);
    for (size_t i = 0; i < rows->n && !r->failed; i++)
        memcpy((char *)rows->base + i * rows->stride + offset, column + i * bytes, bytes);
    mem_free(column);
}

void h5_read_ci(struct h5_reader *r, const char *name, const struct h5_rows *rows, size_t offset)
{
    char *half_95 = mem_printf("%s_half_95", name), *half_99 = mem_printf("%s_half_99", name);
    char *batches = mem_printf("%s_n_batches", name);
    h5_read_column(r, name, rows, offset + offsetof(struct ci, value), sizeof(double), true);
    h5_read_column(r, half_95, rows, offset + offsetof(struct ci, half_95), sizeof(double), true);
    h5_read_column(r, half_99, rows, offset + offsetof(struct ci, half_99), sizeof(double), true);
    h5_read_column(r, batches, rows, offset + offsetof(struct ci, n_batches), sizeof(uint32_t),
                   false);
    mem_free(half_95);
    mem_free(half_99);
    mem_free(batches);
}

// Codes index tables of names: each must be one of them.
static void check_codes(struct h5_reader *r, const char *name, const struct h5_rows *rows,
                        const struct summary_field *f)
{
    int32_t n = 0;
    while (f->codes && f->codes[n])
        n++;
    for (size_t i = 0; i < rows->n && f->codes; i++) {
        int32_t code;
        memcpy(&code, (const char *)rows->base + i * rows->stride + f->offset, sizeof code);
        if (code < 0 || code >= n)
            h5_read_fail(r, "holds an unknown code", name);
    }
}

void h5_read_fields(struct h5_reader *r, const char *prefix, const struct h5_rows *rows,
                    const struct summary_field *fields)
{
    for (const struct summary_field *f = fields; f->name; f++) {
        char *name = mem_printf("%s%s", prefix, f->name);
        if (f->kind == SUMMARY_CI)
            h5_read_ci(r, name, rows, f->offset);
        else
            h5_read_column(r, name, rows, f->offset,
                           f->kind == SUMMARY_REAL || f->kind == SUMMARY_COUNT ? 8 : 4,
                           f->kind == SUMMARY_REAL);
        check_codes(r, name, rows, f);
        mem_free(name);
    }
}

void h5_read_services(struct h5_reader *r, const char *prefix, const struct h5_rows *rows)
{
    struct summary_field *fields;
    size_t n = 0, n_before = 0;
    for (; summary_service_fields[n].name; n++) {
        if (strcmp(summary_service_fields[n].name, "n_lost") == 0)
            n_before = n;
    }
    fields = mem_calloc(n + 1, sizeof *fields);
    memcpy(fields, summary_service_fields, (n + 1) * sizeof *fields);
    char *first = mem_printf("%s%s", prefix, fields[n_before].name);
    if (!h5_read_has(r, first, "units"))
        fields[n_before].name = NULL;
    h5_read_fields(r, prefix, rows, fields);
    mem_free(first);
    mem_free(fields);
}

// ---- the whole

static uint64_t bytes_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

int h5_read_survives(const char *path, sandbox_fn work, void *data, struct err *err)
{
    enum checksum_state seal;
    struct err why = {0};
    if (checksum_check(path, &seal, err) != 0)
        return -1;
    if (seal == CHECKSUM_BROKEN)
        return err_set(err, ERR_FAIL, "%s: the file is damaged (its checksum does not match)",
                       path);
    unsigned cpu_s = TRIAL_S + (unsigned)(bytes_of(path) / TRIAL_BYTES_PER_S);
    if (seal == CHECKSUM_WHOLE || sandbox_run(work, data, cpu_s, &why) == 0)
        return 0;
    return err_set(err, ERR_FAIL, "%s: damaged, or not a file that HDF5 can read (%.200s)", path,
                   why.text);
}

// The first files of runs did not say their kind.
static char *kind_of(struct h5_reader *r)
{
    if (!r->failed && H5Aexists(r->file, "kind") <= 0)
        return mem_strdup("run");
    return h5_read_text(r, "/", "kind");
}

// Who wants a run and has a sweep wants one of its points, which stand beside it.
static void say_where(struct h5_reader *r, const char *kind, const char *wanted)
{
    size_t n = strlen(r->path);
    if (strcmp(kind, "sweep") != 0 || strcmp(wanted, "run") != 0)
        return;
    if (n > 3 && strcmp(r->path + n - 3, ".h5") == 0)
        n -= 3;
    err_append(r->err, "; the runs of its points are in %.*s.points/", (int)n, r->path);
}

// As one says it: "the results of a ...".
static const char *words_of(const char *kind)
{
    return strcmp(kind, "capacity") == 0 ? "capacity search" : kind;
}

// Is this ours at all, of a layout we know, and what the caller wants?
static void check_kind(struct h5_reader *r, const char *wanted)
{
    int32_t version = 0;
    char *program = h5_read_text(r, "/", "program");
    if (r->failed || strcmp(program, "recfleet") != 0) {
        r->failed = true;
        err_set(r->err, ERR_FAIL, "%s: an HDF5 file, but not a recfleet result", r->path);
    }
    mem_free(program);
    h5_read_attribute(r, "/", "schema_version", 4, false, &version);
    if (!r->failed && version != SCHEMA_VERSION) {
        r->failed = true;
        err_set(r->err, ERR_FAIL, "%s: results of schema version %d, this program reads %d",
                r->path, version, SCHEMA_VERSION);
    }
    char *kind = kind_of(r);
    if (!r->failed && strcmp(kind, wanted) != 0) {
        r->failed = true;
        err_set(r->err, ERR_FAIL, "%s: holds the results of a %.40s, not of a %s", r->path,
                words_of(kind), words_of(wanted));
        say_where(r, kind, wanted);
    }
    mem_free(kind);
}

struct h5_reader *h5_read_open(const char *path, const char *kind, struct err *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    struct h5_reader *r = mem_calloc(1, sizeof *r);
    *r =
        (struct h5_reader){H5Fopen(path, H5F_ACC_RDONLY, access), path, bytes_of(path), err, false};
    H5Pclose(access);
    if (r->file < 0) {
        err_set(err, ERR_FAIL, "%s: not an HDF5 file, or a truncated one", path);
        mem_free(r);
        return NULL;
    }
    check_kind(r, kind);
    if (!r->failed)
        return r;
    h5_read_close(r);
    return NULL;
}

int h5_read_close(struct h5_reader *r)
{
    int rc = r->failed ? -1 : 0;
    H5Fclose(r->file);
    mem_free(r);
    return rc;
}

bool h5_read_failed(const struct h5_reader *r)
{
    return r->failed;
}

void h5_read_latency(struct h5_reader *r, const char *name, struct summary_service *services,
                     size_t n)
{
    struct ci *flat = mem_calloc(n * SUMMARY_N_QUANTILES, sizeof *flat);
    struct h5_rows rows = {flat, sizeof *flat, n * SUMMARY_N_QUANTILES};
    h5_read_ci(r, name, &rows, 0);
    for (size_t i = 0; i < n; i++)
        memcpy(services[i].latency_s, flat + i * SUMMARY_N_QUANTILES, sizeof services[i].latency_s);
    mem_free(flat);
}

void h5_read_parts(struct h5_reader *r, const char *prefix, struct summary_group *groups, size_t n)
{
    struct summary_component *flat = mem_calloc(n * N_PARTS, sizeof *flat);
    struct h5_rows rows = {flat, sizeof *flat, n * N_PARTS};
    h5_read_fields(r, prefix, &rows, summary_component_fields);
    for (size_t i = 0; i < n; i++)
        memcpy(groups[i].parts, flat + i * N_PARTS, sizeof groups[i].parts);
    mem_free(flat);
}
