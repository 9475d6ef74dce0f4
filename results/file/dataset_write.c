// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_write.h"

#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/checksum.h"
#include "results/file/content_digest.h"
#include "results/file/dataset_file.h"
#include "results/file/durable.h"

// Metadata and small groups of any file fit in this, for the look before the run.
#define LEAST_BYTES (1u << 20)
// Memory grows by this while HDF5 writes.
#define IMAGE_STEP (1u << 20)
// Below this, filters cost more than they save; so does a header for every chunk.
#define LEAST_COMPRESSED 4096u
#define CHUNK_ELEMENTS 65536u
#define DEFLATE_LEVEL 4

struct writer {
    const struct dataset_layout *layout;
    const void *artefact;
    const char *path;  // for messages
    const char *group; // that is being written
    hid_t file;
    struct content_digest *digest;
    struct err *err;
    bool failed;
};

// One dataset of the file. `data` is what content_digest_add() takes.
struct variable {
    const char *name, *units, *long_name;
    enum content_type type;
    int n_dims;
    const char *dims[DATASET_MAX_DIMS]; // names; its own: it is the coordinate of a dimension
    uint64_t sizes[DATASET_MAX_DIMS];
    const void *data;
    bool fill; // NaN: nothing is known
};

// ---- HDF5

// The innermost message of HDF5's error stack says what went wrong below.
static herr_t deepest(unsigned n, const H5E_error2_t *frame, void *user)
{
    if (n == 0 && frame->desc)
        snprintf(user, 256, "%s", frame->desc);
    return 0;
}

// Remembers the first failure; everything later is tried all the same and does no harm.
static void expect(struct writer *w, bool ok, const char *what)
{
    char why[256] = "";
    if (ok || w->failed)
        return;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, why);
    w->failed = true;
    err_set(w->err, ERR_FAIL, "%s: cannot write %s%s%s", w->path, what, why[0] ? ": " : "", why);
}

static hid_t text_type(size_t bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

// Of values in the file and in memory; the caller closes it.
static hid_t type_of(enum content_type type, bool in_file)
{
    switch (type) {
    case CONTENT_I32:
        return H5Tcopy(in_file ? H5T_STD_I32LE : H5T_NATIVE_INT32);
    case CONTENT_U32:
        return H5Tcopy(in_file ? H5T_STD_U32LE : H5T_NATIVE_UINT32);
    case CONTENT_I64:
        return H5Tcopy(in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64);
    case CONTENT_U64:
        return H5Tcopy(in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64);
    case CONTENT_TEXT:
        return text_type(H5T_VARIABLE);
    case CONTENT_F64:
        break;
    }
    return H5Tcopy(in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
}

// An attribute of any object: of n values, or of one when n is 0.
static void put_attribute(struct writer *w, hid_t object, const char *key, hid_t in_file,
                          hid_t in_memory, hsize_t n, const void *value)
{
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(object, key, in_file, space, H5P_DEFAULT, H5P_DEFAULT);
    expect(w, id >= 0 && H5Awrite(id, in_memory, value) >= 0, key);
    if (id >= 0)
        H5Aclose(id);
    H5Sclose(space);
}

// Texts of attributes are of fixed length, which every reader takes.
static void put_text(struct writer *w, hid_t object, const char *key, const char *text)
{
    hid_t type = text_type(strlen(text) + 1);
    put_attribute(w, object, key, type, type, 0, text);
    H5Tclose(type);
}

static void put_number(struct writer *w, hid_t object, const char *key, enum content_type type,
                       const void *value)
{
    hid_t in_file = type_of(type, true), in_memory = type_of(type, false);
    put_attribute(w, object, key, in_file, in_memory, 0, value);
    H5Tclose(in_file);
    H5Tclose(in_memory);
}

// ---- variables

// Chunks keep the fast axes whole and cut the first one. A fixed axis of length 0 cannot be chunked
// nor contiguous in every version, so it may grow.
static hid_t creation_list(const struct variable *v, uint64_t n)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[DATASET_MAX_DIMS], row = 1;
    bool compressed =
        v->type != CONTENT_TEXT && n * content_digest_width(v->type) >= LEAST_COMPRESSED;
    H5Pset_obj_track_times(list, false);
    if (v->n_dims == 0 || (n > 0 && !compressed))
        return list;
    for (int i = 0; i < v->n_dims; i++) {
        chunk[i] = v->sizes[i] ? v->sizes[i] : 1;
        row *= i > 0 ? chunk[i] : 1;
    }
    hsize_t rows = CHUNK_ELEMENTS / row;
    if (chunk[0] > rows)
        chunk[0] = rows > 0 ? rows : 1;
    H5Pset_chunk(list, v->n_dims, chunk);
    if (compressed) {
        H5Pset_shuffle(list);
        H5Pset_deflate(list, DEFLATE_LEVEL);
        H5Pset_fletcher32(list);
    }
    return list;
}

static void attach_scales(struct writer *w, hid_t id, const struct variable *v)
{
    for (int i = 0; i < v->n_dims; i++) {
        if (strcmp(v->dims[i], v->name) == 0) {
            expect(w, H5DSset_scale(id, v->name) >= 0, v->name);
            continue;
        }
        char *path = mem_printf("%s/%s", w->group, v->dims[i]);
        hid_t scale = H5Dopen2(w->file, path, H5P_DEFAULT);
        expect(w, scale >= 0 && H5DSattach_scale(id, scale, (unsigned)i) >= 0, path);
        if (scale >= 0)
            H5Dclose(scale);
        mem_free(path);
    }
}

// The dataset with its attributes; the caller may add some and H5Dclose()s it.
static hid_t put_variable(struct writer *w, const struct variable *v)
{
    const double nan = NAN;
    hsize_t size[DATASET_MAX_DIMS], most[DATASET_MAX_DIMS];
    uint64_t n = 1;
    for (int i = 0; i < v->n_dims; i++) {
        size[i] = v->sizes[i];
        most[i] = size[i] ? size[i] : H5S_UNLIMITED;
        n *= size[i];
    }
    char *path = mem_printf("%s/%s", strcmp(w->group, "/") == 0 ? "" : w->group, v->name);
    hid_t space = v->n_dims ? H5Screate_simple(v->n_dims, size, most) : H5Screate(H5S_SCALAR);
    hid_t list = creation_list(v, n), transfer = H5Pcreate(H5P_DATASET_XFER),
          in_file = type_of(v->type, true), in_memory = type_of(v->type, false);
    H5Pset_buffer(transfer, DATASET_FILE_BUFFER_BYTES, NULL, NULL);
    hid_t id = H5Dcreate2(w->file, path, in_file, space, H5P_DEFAULT, list, H5P_DEFAULT);
    expect(w, id >= 0, path);
    if (id >= 0) {
        put_text(w, id, "units", v->units);
        put_text(w, id, "long_name", v->long_name);
        if (v->fill)
            put_number(w, id, "_FillValue", CONTENT_F64, &nan);
        attach_scales(w, id, v);
        if (n > 0)
            expect(w, H5Dwrite(id, in_memory, H5S_ALL, H5S_ALL, transfer, v->data) >= 0, path);
    }
    content_digest_add(w->digest, path, v->type, v->n_dims, v->sizes, v->data);
    H5Tclose(in_file);
    H5Tclose(in_memory);
    H5Pclose(transfer);
    H5Pclose(list);
    H5Sclose(space);
    mem_free(path);
    return id;
}

static void close_variable(hid_t id)
{
    if (id >= 0)
        H5Dclose(id);
}

// A text attribute of the current group; the root's count for the digest.
static void put_group_text(struct writer *w, const char *key, const char *text)
{
    char *path = mem_printf("/@%s", key);
    hid_t id = H5Oopen(w->file, w->group, H5P_DEFAULT);
    expect(w, id >= 0, w->group);
    if (id >= 0) {
        put_text(w, id, key, text);
        H5Oclose(id);
    }
    if (strcmp(w->group, "/") == 0)
        content_digest_add(w->digest, path, CONTENT_TEXT, 0, NULL, &text);
    mem_free(path);
}

// "a b" + "c" = "a b c".
static void add_word(char **list, const char *word)
{
    char *longer = mem_printf("%s%s%s", *list, (*list)[0] ? " " : "", word);
    mem_free(*list);
    *list = longer;
}

// CF: flag_meanings is a list with blanks between, so a meaning has neither blank nor comma in it,
// and is not empty.
static char *meanings_of(const char *const *names, uint32_t n)
{
    char *list = mem_strdup("");
    for (uint32_t i = 0; i < n; i++) {
        const char *name = names[i] && names[i][0] ? names[i] : "_";
        char *longer = mem_printf("%s%s%s", list, i > 0 ? " " : "", name);
        for (char *c = longer + strlen(longer) - strlen(name); *c; c++) {
            if (isspace((unsigned char)*c) || *c == ',')
                *c = '_';
        }
        mem_free(list);
        list = longer;
    }
    return list;
}

static void put_meanings(struct writer *w, hid_t id, const char *const *names, uint32_t n)
{
    int32_t *values = mem_calloc(n, sizeof *values);
    char *meanings = meanings_of(names, n);
    for (uint32_t i = 0; i < n; i++)
        values[i] = (int32_t)i;
    if (id >= 0 && n > 0) {
        put_attribute(w, id, "flag_values", H5T_STD_I32LE, H5T_NATIVE_INT32, n, values);
        put_text(w, id, "flag_meanings", meanings);
    }
    mem_free(meanings);
    mem_free(values);
}

// ---- dimensions

// Names, values or numbers along a dimension; caller mem_free()s.
static void *coordinates_of(const struct writer *w, const struct dataset_dim *dim,
                            enum content_type *type)
{
    uint32_t n = dataset_length(dim, w->artefact);
    char *const *names = dataset_names(dim, w->artefact);
    const char *member = (const char *)w->artefact + dim->offset;
    const double *values = dim->numbers;
    double step = 0, *reals;
    *type = names ? CONTENT_TEXT : CONTENT_F64;
    if (names) {
        char **texts = mem_calloc(n, sizeof *texts);
        for (uint32_t i = 0; i < n; i++)
            texts[i] = names[i] ? names[i] : "";
        return texts;
    }
    if (dim->axis == DATASET_AXIS_NUMBERED || dim->axis == DATASET_AXIS_GRID) {
        uint32_t *numbers = mem_calloc(n, sizeof *numbers);
        *type = CONTENT_U32;
        for (uint32_t i = 0; i < n; i++)
            numbers[i] = i;
        return numbers;
    }
    if (dim->axis == DATASET_AXIS_VALUES)
        memcpy(&values, member, sizeof values);
    if (dim->axis == DATASET_AXIS_STEPS)
        memcpy(&step, member, sizeof step);
    reals = mem_calloc(n, sizeof *reals);
    for (uint32_t i = 0; i < n; i++)
        reals[i] = values ? values[i] : i * step;
    return reals;
}

static void put_dim(struct writer *w, const struct dataset_dim *dim)
{
    enum content_type type;
    void *data = coordinates_of(w, dim, &type);
    const struct variable v = {dim->name,
                               dim->units,
                               dim->long_name,
                               type,
                               1,
                               {dim->name},
                               {dataset_length(dim, w->artefact)},
                               data,
                               false};
    close_variable(put_variable(w, &v));
    mem_free(data);
}

// One axis of a grid: the labels of its points, and their numbers if they have some. The labels are
// written point by point and not as codes, so that any reader can select by them. Adds the names of
// the variables to *list.
static void put_axis(struct writer *w, const struct dataset_dim *dim, uint32_t axis,
                     const char *name, char **list)
{
    const struct point_axes *axes = dataset_grid(dim, w->artefact);
    uint32_t n = axes->n_points;
    const char *units, **labels = mem_calloc(n, sizeof *labels);
    double *of_labels = point_axes_numbers(&axes->axes[axis], &units), *numbers = NULL;
    char *value_name = of_labels ? mem_printf("%s_value", name) : NULL;
    for (uint32_t i = 0; i < n; i++)
        labels[i] = point_axes_label(axes, i, axis);
    struct variable v = {name,   "1",  axes->axes[axis].name, CONTENT_TEXT, 1, {dim->name}, {n},
                         labels, false};
    close_variable(put_variable(w, &v));
    add_word(list, name);
    if (of_labels) {
        numbers = mem_calloc(n, sizeof *numbers);
        for (uint32_t i = 0; i < n; i++)
            numbers[i] = of_labels[axes->values[(size_t)i * axes->n_axes + axis]];
        v = (struct variable){value_name,  units, v.long_name, CONTENT_F64, 1,
                              {dim->name}, {n},   numbers,     true};
        close_variable(put_variable(w, &v));
        add_word(list, value_name);
    }
    mem_free(labels);
    mem_free(of_labels);
    mem_free(numbers);
    mem_free(value_name);
}

// ---- fields

// One member as it is stored, 4 or 8 bytes. `names`: those that a label is an index of.
static void convert(enum data_kind kind, char *const *names, const void *member, void *stored)
{
    int64_t ns;
    uint32_t index;
    if (kind == DATA_KIND_TIME) {
        memcpy(&ns, member, sizeof ns);
        memcpy(stored, &(double){simtime_to_s(ns)}, sizeof(double));
    } else if (kind == DATA_KIND_BOOL) {
        memcpy(stored, &(int32_t){*(const bool *)member}, sizeof(int32_t));
    } else if (kind == DATA_KIND_LABEL) {
        memcpy(&index, member, sizeof index);
        memcpy(stored, &names[index], sizeof names[index]);
    } else {
        memcpy(stored, member, content_digest_width(dataset_stored(kind)));
    }
}

// All of the column as it is stored; caller mem_free()s.
static void *gather(const struct writer *w, const struct dataset_column *c)
{
    size_t bytes = content_digest_width(dataset_stored(c->kind));
    char *const *names = c->names ? dataset_names(c->names, w->artefact) : NULL;
    char *data = mem_calloc(c->n, bytes);
    for (size_t i = 0; i < c->n; i++)
        convert(c->kind, names, dataset_member(c, i), data + i * bytes);
    return data;
}

static void put_column(void *user, const struct dataset_column *c)
{
    static const char *const no_yes[] = {"no", "yes"};
    struct writer *w = user;
    const struct data_field *f = c->field;
    char *own = w->layout->units ? w->layout->units(w->artefact, c->array, f) : NULL;
    void *data = gather(w, c);
    struct variable v = {.name = c->name,
                         .units = own ? own : f->units,
                         .long_name = c->long_name,
                         .type = dataset_stored(c->kind),
                         .n_dims = c->n_dims,
                         .data = data,
                         .fill = dataset_stored(c->kind) == CONTENT_F64};
    memcpy(v.dims, c->dims, sizeof v.dims);
    memcpy(v.sizes, c->sizes, sizeof v.sizes);
    hid_t id = put_variable(w, &v);
    if (f->codes)
        put_meanings(w, id, f->codes, data_field_n_codes(f->codes));
    if (c->kind == DATA_KIND_BOOL)
        put_meanings(w, id, no_yes, 2);
    if (c->kind == DATA_KIND_INDEX && dataset_names(c->names, w->artefact))
        put_meanings(w, id, (const char *const *)dataset_names(c->names, w->artefact),
                     dataset_length(c->names, w->artefact));
    close_variable(id);
    mem_free(data);
    mem_free(own);
}

// ---- groups

static bool is_present(const struct writer *w, const struct dataset_array *array)
{
    if ((array->flags & DATASET_NO_EMPTY) && dataset_n_rows(w->layout, w->artefact, array) == 0)
        return false;
    return !(array->flags & DATASET_OPTIONAL) || dataset_is_known(w->layout, w->artefact, array);
}

// Does the group (NULL: any) hold an array over that dimension?
static bool has_dim(const struct writer *w, const char *group, const char *dim)
{
    for (const struct dataset_array *a = w->layout->arrays; a->name; a++) {
        if ((!group || strcmp(a->group, group) == 0) && dataset_runs_over(a, dim) &&
            is_present(w, a))
            return true;
    }
    return false;
}

// The axes of the grids in the current group, which its attribute `coordinates` lists: a reader
// opens one group alone, and xarray makes coordinates only of what is listed there.
static void put_grids(struct writer *w)
{
    char *list = mem_strdup("");
    for (const struct dataset_dim *dim = w->layout->dims; dim->name; dim++) {
        if (dim->axis != DATASET_AXIS_GRID || !has_dim(w, w->group, dim->name))
            continue;
        const struct point_axes *axes = dataset_grid(dim, w->artefact);
        char **names = dataset_axis_variables(w->layout, w->artefact, axes);
        for (uint32_t a = 0; a < axes->n_axes; a++)
            put_axis(w, dim, a, names[a], &list);
        dataset_release_names(names, axes->n_axes);
    }
    if (list[0])
        put_group_text(w, "coordinates", list);
    mem_free(list);
}

static void make_group(struct writer *w, const char *group)
{
    hid_t create = H5Pcreate(H5P_GROUP_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_obj_track_times(create, false);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_create_intermediate_group(link, 1);
    hid_t id = H5Gcreate2(w->file, group, link, create, H5P_DEFAULT);
    expect(w, id >= 0, group);
    if (id >= 0)
        H5Gclose(id);
    H5Pclose(link);
    H5Pclose(create);
}

// The root has every dimension; another group those that its arrays run over.
static void open_group(struct writer *w, const char *group)
{
    bool root = strcmp(group, "/") == 0;
    w->group = group;
    if (!root)
        make_group(w, group);
    for (const struct dataset_dim *dim = w->layout->dims; dim->name; dim++) {
        if (has_dim(w, root ? NULL : group, dim->name) ||
            (root && dataset_length(dim, w->artefact) > 0))
            put_dim(w, dim);
    }
    put_grids(w);
}

static bool is_first_of_group(const struct writer *w, const struct dataset_array *array)
{
    for (const struct dataset_array *a = w->layout->arrays; a != array; a++) {
        if (strcmp(a->group, array->group) == 0 && is_present(w, a))
            return false;
    }
    return strcmp(array->group, "/") != 0;
}

static void put_arrays(struct writer *w)
{
    open_group(w, "/");
    for (const struct dataset_array *a = w->layout->arrays; a->name; a++) {
        if (!is_present(w, a))
            continue;
        if (is_first_of_group(w, a))
            open_group(w, a->group);
        w->group = a->group;
        dataset_each_column(w->layout, w->artefact, a, put_column, w);
    }
}

// ---- attributes

// The members that a table names as attributes of a group.
static void put_members(struct writer *w, const char *group, const struct data_field *fields,
                        const void *row)
{
    hid_t id = H5Oopen(w->file, group, H5P_DEFAULT);
    expect(w, id >= 0, group);
    for (const struct data_field *f = fields; f->name && id >= 0; f++) {
        enum content_type type = dataset_stored(f->kind);
        const void *member = (const char *)row + f->offset;
        const char *text = NULL;
        uint64_t stored = 0; // 4 or 8 bytes of it
        assert(f->kind != DATA_KIND_LABEL && f->kind != DATA_KIND_ESTIMATE);
        convert(f->kind, NULL, member, &stored);
        if (type == CONTENT_TEXT) {
            memcpy(&text, member, sizeof text);
            put_text(w, id, f->name, text ? text : "");
        } else {
            put_number(w, id, f->name, type, &stored);
        }
        char *path = mem_printf("/@%s", f->name);
        if (strcmp(group, "/") == 0)
            content_digest_add(w->digest, path, type, 0, NULL,
                               type == CONTENT_TEXT ? (const void *)&text : &stored);
        mem_free(path);
    }
    if (id >= 0)
        H5Oclose(id);
}

// What the axes of the first grid are called in the study, and in the file.
static void put_axis_names(struct writer *w)
{
    const struct dataset_dim *dim = w->layout->dims;
    while (dim->name && dim->axis != DATASET_AXIS_GRID)
        dim++;
    if (!dim->name)
        return;
    const struct point_axes *axes = dataset_grid(dim, w->artefact);
    char **variables = dataset_axis_variables(w->layout, w->artefact, axes);
    char *names = mem_strdup(""), *words = mem_strdup("");
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        char *longer = mem_printf("%s%s%s", names, a > 0 ? "\n" : "", axes->axes[a].name);
        mem_free(names);
        names = longer;
        add_word(&words, variables[a]);
    }
    w->group = "/";
    put_group_text(w, "axes", names);
    put_group_text(w, "axis_variables", words);
    dataset_release_names(variables, axes->n_axes);
    mem_free(names);
    mem_free(words);
}

// What every file says of itself.
static void put_root(struct writer *w)
{
    struct about {
        const char *conventions, *title, *program, *kind;
        int32_t schema_version;
    };
#define ROW struct about
    static const struct data_field fields[] = {DATA_TEXT_AS("Conventions", conventions, ""),
                                               DATA_TEXT(title, ""),
                                               DATA_TEXT(program, ""),
                                               DATA_TEXT(kind, ""),
                                               DATA_INT(schema_version, "1", ""),
                                               {0}};
#undef ROW
    const struct about about = {"CF-1.8", "recommendation serving, simulated by recfleet",
                                "recfleet", w->layout->kind, DATASET_SCHEMA_VERSION};
    put_members(w, "/", fields, &about);
    put_members(w, "/", w->layout->head, w->artefact);
    put_axis_names(w);
}

// How the work went, and with what.
static void put_run(struct writer *w, const struct run_info *run)
{
    unsigned major, minor, patch;
    char hdf5[48];
    if (!run)
        return;
    if (H5Lexists(w->file, "/run", H5P_DEFAULT) <= 0)
        make_group(w, "/run");
    put_members(w, "/run", run_info_fields, run);
    H5get_libversion(&major, &minor, &patch);
    snprintf(hdf5, sizeof hdf5, "%u.%u.%u", major, minor, patch);
    hid_t id = H5Oopen(w->file, "/run", H5P_DEFAULT);
    double rate = run->wall_s > 0 ? (double)run->n_queries / run->wall_s : NAN;
    put_number(w, id, "queries_per_wall_s", CONTENT_F64, &rate);
    put_text(w, id, "hdf5_version", hdf5);
    put_text(w, id, "compiler", __VERSION__);
    H5Oclose(id);
}

static void put_digest(struct writer *w)
{
    char hex[CONTENT_DIGEST_CHARS];
    content_digest_finish(w->digest, hex);
    w->digest = NULL;
    hid_t id = H5Oopen(w->file, "/", H5P_DEFAULT);
    put_text(w, id, "content_digest", hex);
    H5Oclose(id);
}

// ---- the whole

// HDF5's memory for the file, kept when it closes. H5Fget_file_image() would be the way, but before
// 1.12 the superblock that it returns has a wrong checksum.
struct image {
    unsigned char *bytes;
    size_t n; // allocated
};

static void *image_alloc(size_t n, H5FD_file_image_op_t op, void *user)
{
    (void)op;
    struct image *image = user;
    image->n = n;
    image->bytes = mem_alloc(n);
    return image->bytes;
}

static void *image_realloc(void *bytes, size_t n, H5FD_file_image_op_t op, void *user)
{
    (void)op;
    struct image *image = user;
    image->n = n;
    image->bytes = mem_realloc(bytes, n, 1);
    return image->bytes;
}

static herr_t image_keep(void *bytes, H5FD_file_image_op_t op, void *user)
{
    (void)bytes; // in *user
    (void)op;
    (void)user;
    return 0;
}

static void *same_user(void *user)
{
    return user;
}

static herr_t keep_user(void *user)
{
    (void)user;
    return 0;
}

// An empty file in memory. Creation order is kept because netCDF lists variables by it. HDF5 would
// first load a file of the given name, so it gets a name that no file can have.
static hid_t create_file(struct image *image)
{
    H5FD_file_image_callbacks_t callbacks = {image_alloc, NULL,      image_realloc, image_keep,
                                             same_user,   keep_user, image};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_core(access, IMAGE_STEP, 0);
    H5Pset_file_image_callbacks(access, &callbacks);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_obj_track_times(create, false);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    hid_t file = H5Fcreate("/dev/null/image", H5F_ACC_TRUNC, create, access);
    H5Pclose(access);
    H5Pclose(create);
    return file;
}

// Closes the file; how long it is stands in its superblock (format specification, II.A: versions 2
// and 3, which are what the bounds above make).
static size_t close_file(struct writer *w, const struct image *image)
{
    const size_t version = 8, end = 28;
    uint64_t n = 0;
    expect(w, H5Fclose(w->file) >= 0, "the end of the file");
    if (image->n >= end + sizeof n && (image->bytes[version] | 1) == 3)
        memcpy(&n, image->bytes + end, sizeof n);
    n = le64toh(n);
    expect(w, n > 0 && n <= image->n, "a file of unknown length");
    return w->failed ? 0 : (size_t)n;
}

static enum durable_mode mode_of(bool force)
{
    return force ? DURABLE_REPLACE : DURABLE_NEW;
}

static int write_file(const char *path, bool force, const void *image, size_t n, struct err *err)
{
    struct durable_file file;
    unsigned char trailer[CHECKSUM_TRAILER_BYTES];
    if (durable_open(&file, "output", path, mode_of(force), err) != 0)
        return -1;
    checksum_trailer(image, n, trailer);
    int reason = durable_write(file.fd, image, n);
    if (reason == 0)
        reason = durable_write(file.fd, trailer, sizeof trailer);
    if (reason == 0)
        return durable_publish(&file, err);
    durable_discard(&file);
    return err_set(err, ERR_FAIL, "%s: cannot write: %s", path, strerror(reason));
}

int dataset_write_check(const char *path, bool force, struct err *err)
{
    return durable_check("output", path, mode_of(force), LEAST_BYTES, err);
}

int dataset_write(const struct dataset_layout *layout, const void *artefact,
                  const struct run_info *run, const char *path, bool force, struct err *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    struct writer w = {.layout = layout, .artefact = artefact, .path = path, .err = err};
    struct image image = {NULL, 0};
    size_t n = 0;
    w.file = create_file(&image);
    expect(&w, w.file >= 0, "a new file");
    if (w.file >= 0) {
        w.digest = content_digest_create();
        put_root(&w);
        put_arrays(&w);
        put_run(&w, run);
        put_digest(&w);
        n = close_file(&w, &image);
    }
    int rc = w.failed ? -1 : write_file(path, force, image.bytes, n, err);
    mem_free(image.bytes);
    return rc;
}
