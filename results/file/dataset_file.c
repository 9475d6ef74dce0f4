// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_file.h"

#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "results/file/checksum.h"

// Bounds far above any real file, so that a forged size cannot ask for all memory.
#define MOST_ELEMENTS (UINT64_C(1) << 31)
#define MOST_PER_BYTE 2048
#define MOST_ATTRIBUTE_BYTES (UINT64_C(1) << 28)
#define MOST_OBJECTS 100000
// Processor time that reading may take in the sandbox: so much, and more for a large file.
#define SANDBOX_S 10
#define SANDBOX_BYTES_PER_S 10000000

struct dataset_file {
    hid_t id;
    const char *path;
    uint64_t n_bytes;
    struct err *err;
    bool ours, failed;
};

bool dataset_file_is_hdf5(const char *path)
{
    static const char signature[8] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
    char first[sizeof signature];
    struct stat st;
    // Opening a pipe could wait for ever.
    FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    bool same = file && fread(first, 1, sizeof first, file) == sizeof first &&
                memcmp(first, signature, sizeof first) == 0;
    if (file)
        fclose(file);
    return same;
}

void dataset_file_fail(struct dataset_file *f, const char *object, const char *what)
{
    if (!f->failed)
        err_set(f->err, ERR_STUDY, "%s: %s%s %s", f->path,
                f->ours ? "not a readable recfleet result: " : "", object, what);
    f->failed = true;
}

void dataset_file_refuse(struct dataset_file *f, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!f->failed)
        err_set(f->err, ERR_STUDY, "%s: %s", f->path, text);
    f->failed = true;
}

bool dataset_file_failed(const struct dataset_file *f)
{
    return f->failed;
}

uint64_t dataset_file_bytes(const struct dataset_file *f)
{
    return f->n_bytes;
}

static uint64_t bytes_of_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

int dataset_file_survives(const char *path, sandbox_fn work, void *data, struct err *err)
{
    enum checksum_state seal;
    struct err why = {0};
    if (checksum_check(path, &seal, err) != 0)
        return -1;
    if (seal == CHECKSUM_BROKEN)
        return err_set(err, ERR_STUDY, "%s: the file is damaged (its checksum does not match)",
                       path);
    unsigned cpu_s = SANDBOX_S + (unsigned)(bytes_of_file(path) / SANDBOX_BYTES_PER_S);
    if (seal == CHECKSUM_WHOLE || sandbox_run(work, data, cpu_s, &why) == 0)
        return 0;
    return err_set(err, ERR_STUDY, "%s: damaged, or not a file that HDF5 can read (%.200s)", path,
                   why.text);
}

struct dataset_file *dataset_file_open(const char *path, bool ours, struct err *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    struct dataset_file *f = mem_calloc(1, sizeof *f);
    *f = (struct dataset_file){
        H5Fopen(path, H5F_ACC_RDONLY, access), path, bytes_of_file(path), err, ours, false};
    H5Pclose(access);
    if (f->id >= 0)
        return f;
    err_set(err, ERR_STUDY, "%s: %s", path,
            ours ? "not an HDF5 file, or a truncated one"
                 : "the HDF5 file is truncated or damaged");
    mem_free(f);
    return NULL;
}

int dataset_file_close(struct dataset_file *f)
{
    int rc = f->failed ? -1 : 0;
    H5Fclose(f->id);
    mem_free(f);
    return rc;
}

// HDF5 asks about one link at a time: every folder on the way must be there first.
bool dataset_file_has(const struct dataset_file *f, const char *path)
{
    char *part = mem_strdup(path);
    bool there = !f->failed;
    for (char *end = part; there && end;) {
        end = strchr(end + 1, '/');
        if (end)
            *end = '\0';
        there = part[1] == '\0' || H5Lexists(f->id, part, H5P_DEFAULT) > 0;
        if (end)
            *end = '/';
    }
    mem_free(part);
    return there;
}

bool dataset_file_has_attribute(const struct dataset_file *f, const char *object, const char *key)
{
    return !f->failed && H5Aexists_by_name(f->id, object, key, H5P_DEFAULT) > 0;
}

// ---- types

// What a stored type is to us; false for those that no file of ours has.
static bool stored_type(hid_t type, enum content_type *content)
{
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    size_t bytes = type < 0 ? 0 : H5Tget_size(type);
    bool is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    if (class == H5T_STRING)
        *content = CONTENT_TEXT;
    else if (class == H5T_FLOAT && bytes <= 8)
        *content = CONTENT_F64;
    else if (class == H5T_INTEGER && bytes <= 4)
        *content = is_signed ? CONTENT_I32 : CONTENT_U32;
    else if (class == H5T_INTEGER && bytes <= 8)
        *content = is_signed ? CONTENT_I64 : CONTENT_U64;
    else
        return false;
    return true;
}

// Numbers must be of the class that is wanted and no wider.
static bool type_fits(enum content_type stored, enum content_type wanted)
{
    bool wide = stored == CONTENT_I64 || stored == CONTENT_U64;
    bool whole = stored <= CONTENT_U64 && wanted <= CONTENT_U64;
    return stored == wanted || (whole && (!wide || wanted == CONTENT_I64 || wanted == CONTENT_U64));
}

static hid_t memory_type(enum content_type type)
{
    switch (type) {
    case CONTENT_I32:
        return H5T_NATIVE_INT32;
    case CONTENT_U32:
        return H5T_NATIVE_UINT32;
    case CONTENT_I64:
        return H5T_NATIVE_INT64;
    case CONTENT_U64:
        return H5T_NATIVE_UINT64;
    case CONTENT_F64:
    case CONTENT_TEXT:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

// ---- variables

// NULL, or what is wrong with the type.
static const char *wrong_type(hid_t type, enum content_type *content)
{
    if (stored_type(type, content))
        return NULL;
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    return class == H5T_INTEGER || class == H5T_FLOAT ? "has numbers of more than 64 bits"
                                                      : "has neither numbers nor text";
}

static const char *wrong_extent(const struct dataset_file *f, hid_t space,
                                struct dataset_file_shape *shape)
{
    hsize_t sizes[DATASET_FILE_MAX_DIMS];
    if (space < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
        return "has no values";
    int n_dims = H5Sget_simple_extent_ndims(space);
    if (n_dims < 0 || n_dims > DATASET_FILE_MAX_DIMS)
        return "has too many dimensions";
    shape->n = 1;
    shape->n_dims = H5Sget_simple_extent_dims(space, sizes, NULL);
    bool ok = true;
    for (int i = 0; ok && i < shape->n_dims; i++) {
        shape->sizes[i] = sizes[i];
        ok = sizes[i] <= MOST_ELEMENTS;
        shape->n *= ok ? sizes[i] : 1;
        ok = ok && shape->n <= MOST_ELEMENTS;
    }
    // Numbers may be compressed; of a string there are 16 bytes at least.
    if (ok && shape->n / (shape->type == CONTENT_TEXT ? 1 : MOST_PER_BYTE) <= f->n_bytes)
        return NULL;
    shape->n = DATASET_FILE_TOO_LONG;
    return "is too long";
}

// A soft or external link may lead nowhere, into another file or in a circle.
static bool is_link(const struct dataset_file *f, const char *path)
{
    H5L_info_t info;
    return H5Lget_info(f->id, path, &info, H5P_DEFAULT) >= 0 && info.type != H5L_TYPE_HARD;
}

// What is there in place of a variable.
static const char *other_object(const struct dataset_file *f, const char *path)
{
    if (!dataset_file_has(f, path))
        return "is missing";
    hid_t id = H5Oopen(f->id, path, H5P_DEFAULT);
    if (id < 0)
        return is_link(f, path) ? "is a dangling link" : "cannot be opened (damaged?)";
    H5I_type_t kind = H5Iget_type(id);
    H5Oclose(id);
    return kind == H5I_GROUP      ? "is a group"
           : kind == H5I_DATATYPE ? "is a type"
                                  : "cannot be opened (damaged?)";
}

const char *dataset_file_probe(const struct dataset_file *f, const char *path,
                               struct dataset_file_shape *shape)
{
    *shape = (struct dataset_file_shape){0};
    hid_t id = dataset_file_has(f, path) ? H5Dopen2(f->id, path, H5P_DEFAULT) : -1;
    if (id < 0)
        return other_object(f, path);
    hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    const char *wrong = wrong_type(type, &shape->type);
    if (!wrong)
        wrong = wrong_extent(f, space, shape);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Dclose(id);
    return wrong;
}

bool dataset_file_shape(struct dataset_file *f, const char *path, struct dataset_file_shape *shape)
{
    const char *wrong = dataset_file_probe(f, path, shape);
    if (wrong)
        dataset_file_fail(f, path, wrong);
    return !f->failed;
}

// The strings that HDF5 makes while it reads, and how much more it may ask for. A forged length
// then fails like a full memory, and nothing is lost when reading fails in the middle.
struct arena {
    struct block {
        struct block *next;
    } * blocks;
    uint64_t left;
};

static void *arena_alloc(size_t n, void *user)
{
    struct arena *arena = user;
    if (n > arena->left)
        return NULL;
    arena->left -= n;
    struct block *block = mem_alloc(sizeof *block + n);
    block->next = arena->blocks;
    arena->blocks = block;
    return block + 1;
}

static void arena_free(void *bytes, void *user)
{
    (void)bytes; // with the arena
    (void)user;
}

static void arena_release(struct arena *arena)
{
    for (struct block *block = arena->blocks; block;) {
        struct block *next = block->next;
        mem_free(block);
        block = next;
    }
}

// Says in buf which filter the values went through that this HDF5 library lacks; NULL: none.
static const char *missing_filter(hid_t id, char *buf, size_t size)
{
    hid_t created = H5Dget_create_plist(id);
    int n = H5Pget_nfilters(created);
    const char *missing = NULL;
    for (int i = 0; i < n && !missing; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        char name[64] = "";
        H5Z_filter_t filter = H5Pget_filter2(created, (unsigned)i, &flags, &n_values, NULL,
                                             sizeof name, name, &config);
        if (filter < 0 || H5Zfilter_avail(filter) > 0)
            continue;
        snprintf(buf, size,
                 "is compressed by filter %d%s%s%s, which is not there; rewrite the file with "
                 "h5repack -f GZIP=4",
                 (int)filter, *name ? " (" : "", name, *name ? ")" : "");
        missing = buf;
    }
    H5Pclose(created);
    return missing;
}

static bool read_texts(struct dataset_file *f, hid_t id, hid_t transfer, uint64_t n, char **values)
{
    // Strings are not compressed; each has a 0 behind it in memory.
    struct arena arena = {NULL, f->n_bytes + n};
    hid_t stored = H5Dget_type(id), type = H5Tcopy(H5T_C_S1);
    char **texts = mem_calloc(n, sizeof *texts);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5Tget_cset(stored));
    H5Pset_vlen_mem_manager(transfer, arena_alloc, &arena, arena_free, NULL);
    bool ok =
        H5Tis_variable_str(stored) > 0 && H5Dread(id, type, H5S_ALL, H5S_ALL, transfer, texts) >= 0;
    for (uint64_t i = 0; i < n && ok; i++)
        values[i] = mem_strdup(texts[i] ? texts[i] : "");
    mem_free(texts);
    arena_release(&arena);
    H5Tclose(type);
    H5Tclose(stored);
    return ok;
}

void dataset_file_values(struct dataset_file *f, const char *path, enum content_type type,
                         int n_dims, const uint64_t *sizes, void *values)
{
    struct dataset_file_shape shape;
    if (!dataset_file_shape(f, path, &shape))
        return;
    if (shape.n_dims != n_dims ||
        (n_dims > 0 && memcmp(shape.sizes, sizes, (size_t)n_dims * sizeof *sizes) != 0))
        dataset_file_fail(f, path, "has another length than the rest implies");
    else if (!type_fits(shape.type, type))
        dataset_file_fail(f, path, "is not of the expected type");
    if (f->failed || shape.n == 0)
        return;
    hid_t id = H5Dopen2(f->id, path, H5P_DEFAULT), transfer = H5Pcreate(H5P_DATASET_XFER);
    char missing[200];
    const char *filter = missing_filter(id, missing, sizeof missing);
    H5Pset_buffer(transfer, DATASET_FILE_BUFFER_BYTES, NULL, NULL);
    bool ok = type == CONTENT_TEXT
                  ? read_texts(f, id, transfer, shape.n, values)
                  : H5Dread(id, memory_type(type), H5S_ALL, H5S_ALL, transfer, values) >= 0;
    H5Pclose(transfer);
    H5Dclose(id);
    if (!ok)
        dataset_file_fail(f, path, filter ? filter : "cannot be read (damaged?)");
}

// ---- attributes

// Ours are of fixed length, those of other programs may not be. NULL: it cannot be read.
static char *read_text(const struct dataset_file *f, hid_t id, hid_t type)
{
    char *text = NULL, *variable = NULL;
    size_t bytes = H5Tget_size(type);
    if (bytes > MOST_ATTRIBUTE_BYTES)
        return NULL;
    if (H5Tis_variable_str(type) > 0) {
        if (f->ours) // HDF5 would allocate what the file says
            return NULL;
        if (H5Aread(id, type, &variable) >= 0 && variable) {
            text = mem_strdup(variable);
            H5free_memory(variable);
        }
        return text;
    }
    text = mem_calloc(bytes + 1, 1);
    if (H5Aread(id, type, text) >= 0)
        return text;
    mem_free(text);
    return NULL;
}

// false where it is not there, not of that type or not of one value.
static bool read_attribute(const struct dataset_file *f, const char *object, const char *key,
                           enum content_type type, void *value)
{
    enum content_type stored;
    bool there = dataset_file_has_attribute(f, object, key);
    hid_t id = there ? H5Aopen_by_name(f->id, object, key, H5P_DEFAULT, H5P_DEFAULT) : -1;
    hid_t stored_id = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = stored_id >= 0 && space >= 0 && stored_type(stored_id, &stored) &&
              type_fits(stored, type) && H5Sget_simple_extent_npoints(space) == 1;
    if (ok && type == CONTENT_TEXT) {
        char *text = read_text(f, id, stored_id);
        ok = text != NULL;
        memcpy(value, &text, sizeof text);
    } else if (ok) {
        ok = H5Aread(id, memory_type(type), value) >= 0;
    }
    if (space >= 0)
        H5Sclose(space);
    if (stored_id >= 0)
        H5Tclose(stored_id);
    if (id >= 0)
        H5Aclose(id);
    return ok;
}

void dataset_file_attribute(struct dataset_file *f, const char *object, const char *key,
                            enum content_type type, void *value)
{
    if (read_attribute(f, object, key, type, value))
        return;
    char *what = mem_printf("lacks the attribute %.60s, or it cannot be read", key);
    dataset_file_fail(f, object, what);
    mem_free(what);
}

char *dataset_file_text(const struct dataset_file *f, const char *object, const char *key)
{
    char *text = NULL;
    return read_attribute(f, object, key, CONTENT_TEXT, &text) ? text : mem_strdup("");
}

// ---- what is there

struct objects {
    struct dataset_file *file;
    const char *group;
    dataset_file_visit_fn visit;
    void *user;
};

static herr_t each_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    const struct objects *objects = data;
    char *path = mem_printf("%s/%s", strcmp(objects->group, "/") == 0 ? "" : objects->group, name);
    hid_t id = info->type == H5L_TYPE_HARD ? H5Oopen(group, name, H5P_DEFAULT) : -1;
    H5I_type_t kind = id < 0 ? H5I_BADID : H5Iget_type(id);
    objects->visit(objects->user, path,
                   kind == H5I_GROUP     ? DATASET_FILE_GROUP
                   : kind == H5I_DATASET ? DATASET_FILE_VARIABLE
                                         : DATASET_FILE_OTHER);
    if (id >= 0)
        H5Oclose(id);
    mem_free(path);
    return objects->file->failed; // the first failure ends it
}

// In one walk: to ask for the i-th name costs HDF5 a walk each.
void dataset_file_each_object(struct dataset_file *f, const char *group,
                              dataset_file_visit_fn visit, void *user)
{
    struct objects objects = {f, group, visit, user};
    H5G_info_t info = {0};
    if (f->failed)
        return;
    hid_t id = H5Gopen2(f->id, group, H5P_DEFAULT);
    bool good = id >= 0 && H5Gget_info(id, &info) >= 0 && !(f->ours && info.nlinks > MOST_OBJECTS);
    if (!good || H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, each_link, &objects) < 0)
        dataset_file_fail(f, group, "is no group, has too many objects, or cannot be read");
    if (id >= 0)
        H5Gclose(id);
}

struct keys {
    dataset_file_key_fn visit;
    void *user;
};

static herr_t each_key(hid_t object, const char *key, const H5A_info_t *info, void *data)
{
    const struct keys *keys = data;
    enum content_type type;
    (void)info;
    hid_t id = H5Aopen(object, key, H5P_DEFAULT), stored = id < 0 ? -1 : H5Aget_type(id);
    if (stored_type(stored, &type))
        keys->visit(keys->user, key, type);
    if (stored >= 0)
        H5Tclose(stored);
    if (id >= 0)
        H5Aclose(id);
    return 0;
}

void dataset_file_each_attribute(struct dataset_file *f, dataset_file_key_fn visit, void *user)
{
    struct keys keys = {visit, user};
    if (!f->failed && H5Aiterate2(f->id, H5_INDEX_NAME, H5_ITER_INC, NULL, each_key, &keys) < 0)
        dataset_file_fail(f, "/", "has attributes that cannot be read");
}
