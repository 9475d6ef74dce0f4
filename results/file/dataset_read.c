// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/dataset_file.h"
#include "results/file/dataset_write.h"
#include "results/file/checksum.h"

struct reader {
    const struct dataset_layout *layout;
    void *artefact;
    struct dataset_file *file;
    bool is_there;    // some variable of the array
    unsigned skipped; // arrays with these flags
};

// ---- is it one of ours?

// As one says it: "the results of a ...".
static const char *title_of(const char *kind)
{
    return strcmp(kind, "capacity") == 0 ? "capacity search" : kind;
}

static void check_schema(struct dataset_file *f)
{
    int32_t version = 0;
    char *writer = NULL;
    dataset_file_attribute(f, "/", "schema_version", CONTENT_I32, &version);
    if (dataset_file_has_attribute(f, "/", "program_version"))
        dataset_file_attribute(f, "/", "program_version", CONTENT_TEXT, &writer);
    if (version < DATASET_SCHEMA_VERSION)
        dataset_file_refuse(f,
                            "written by recfleet %.40s with schema version %d, which this program "
                            "no longer reads (it reads %d); run the study again",
                            writer ? writer : "", version, DATASET_SCHEMA_VERSION);
    if (version > DATASET_SCHEMA_VERSION)
        dataset_file_refuse(f,
                            "written by recfleet %.40s with schema version %d, which is newer than "
                            "this program's (%d)",
                            writer ? writer : "", version, DATASET_SCHEMA_VERSION);
    mem_free(writer);
}

// Who wants a run and has a sweep wants one of its points, which stand beside it.
static void refuse_kind(struct dataset_file *f, const char *path, const char *found,
                        const struct dataset_layout *wanted)
{
    size_t n = strlen(path);
    bool points = strcmp(found, "sweep") == 0 && strcmp(wanted->kind, "run") == 0;
    if (n > 3 && strcmp(path + n - 3, ".h5") == 0)
        n -= 3;
    char *where = points ? mem_printf("; the runs of its points are in %.*s.points/", (int)n, path)
                         : mem_strdup("");
    dataset_file_refuse(f, "holds the results of a %.40s, not of a %s%s", title_of(found),
                        wanted->title, where);
    mem_free(where);
}

static void check_ours(struct dataset_file *f)
{
    char *program = NULL;
    if (dataset_file_has_attribute(f, "/", "program"))
        dataset_file_attribute(f, "/", "program", CONTENT_TEXT, &program);
    if (!program || strcmp(program, "recfleet") != 0)
        dataset_file_refuse(f, "an HDF5 file, but not a recfleet result");
    check_schema(f);
    mem_free(program);
}

static void check_kind(struct dataset_file *f, const char *path,
                       const struct dataset_layout *layout)
{
    char *kind = NULL;
    check_ours(f);
    dataset_file_attribute(f, "/", "kind", CONTENT_TEXT, &kind);
    if (!dataset_file_failed(f) && strcmp(kind, layout->kind) != 0)
        refuse_kind(f, path, kind, layout);
    mem_free(kind);
}

// ---- fields

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names of a dimension in their order and by alphabet, to find the number of one.
struct names {
    char *const *names;
    const char **sorted; // owned
    uint32_t n;
};

static struct names names_of(const struct reader *r, const struct dataset_column *c)
{
    struct names all = {0};
    if (!c->names)
        return all;
    all.names = dataset_names(c->names, r->artefact);
    all.n = dataset_length(c->names, r->artefact);
    if (all.names && c->kind == DATA_KIND_LABEL) {
        all.sorted = mem_calloc(all.n, sizeof *all.sorted);
        for (uint32_t i = 0; i < all.n; i++)
            all.sorted[i] = all.names[i];
        qsort(all.sorted, all.n, sizeof *all.sorted, by_text);
    }
    return all;
}

// The index of a name; all.n: it is none.
static uint32_t index_of(const struct names *all, const char *text)
{
    const char **found =
        all->n > 0 ? bsearch(&text, all->sorted, all->n, sizeof *all->sorted, by_text) : NULL;
    uint32_t i = 0;
    while (found && strcmp(all->names[i], text) != 0)
        i++;
    return found ? i : all->n;
}

// One stored value into its member; false when it is out of range.
static bool take_value(enum data_kind kind, const struct data_field *f, const struct names *names,
                       const void *stored, void *member)
{
    double seconds;
    uint32_t index;
    int32_t code;
    char *text;
    switch (kind) {
    case DATA_KIND_TIME:
        memcpy(&seconds, stored, sizeof seconds);
        if (!(fabs(seconds) < 9e9))
            return false;
        memcpy(member, &(int64_t){llrint(seconds * 1e9)}, sizeof(int64_t));
        return true;
    case DATA_KIND_BOOL:
        memcpy(&code, stored, sizeof code);
        *(bool *)member = code == 1;
        return code == 0 || code == 1;
    case DATA_KIND_CODE:
        memcpy(&code, stored, sizeof code);
        memcpy(member, &code, sizeof code);
        return code >= 0 && (uint32_t)code < data_field_n_codes(f->codes);
    case DATA_KIND_INDEX:
        memcpy(&index, stored, sizeof index);
        memcpy(member, &index, sizeof index);
        return index < names->n;
    case DATA_KIND_LABEL:
        memcpy(&text, stored, sizeof text);
        index = index_of(names, text);
        memcpy(member, &index, sizeof index);
        return index < names->n;
    default: // as it lies
        memcpy(member, stored, content_digest_width(dataset_stored(kind)));
        return true;
    }
}

static char *path_of(const struct dataset_column *c)
{
    const char *group = c->array->group;
    return mem_printf("%s/%s", strcmp(group, "/") == 0 ? "" : group, c->name);
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(texts[i]);
}

static void read_column(void *user, const struct dataset_column *c)
{
    struct reader *r = user;
    enum content_type type = dataset_stored(c->kind);
    size_t bytes = content_digest_width(type);
    struct names names = names_of(r, c);
    char *data = mem_calloc(c->n, bytes), *path = path_of(c);
    dataset_file_values(r->file, path, type, c->n_dims, c->sizes, data);
    for (size_t i = 0; i < c->n && !dataset_file_failed(r->file); i++) {
        if (!take_value(c->kind, c->field, &names, data + i * bytes, dataset_member(c, i)))
            dataset_file_fail(r->file, path,
                              c->kind == DATA_KIND_TIME ? "holds an impossible time"
                                                        : "holds an unknown code");
        else if (c->kind == DATA_KIND_TEXT)
            memset(data + i * bytes, 0, bytes); // the row owns it now
    }
    if (type == CONTENT_TEXT)
        free_texts((char **)(void *)data, c->n);
    mem_free(path);
    mem_free(data);
    mem_free(names.sorted);
}

// ---- arrays

// Of an array that may be left out all of it is there, or nothing: one variable that is there makes
// the absence of another an error, which it would otherwise hide.
static void note_there(void *user, const struct dataset_column *c)
{
    struct reader *r = user;
    char *path = path_of(c);
    r->is_there |= dataset_file_has(r->file, path);
    mem_free(path);
}

// Rows that are left out keep label 0, which must be there to be looked up.
static void check_labels(void *user, const struct dataset_column *c)
{
    struct reader *r = user;
    char *path = path_of(c);
    if (c->n > 0 && c->names && dataset_length(c->names, r->artefact) == 0)
        dataset_file_fail(r->file, path, "has nothing to refer to");
    mem_free(path);
}

static void read_array(struct reader *r, const struct dataset_array *array)
{
    r->is_there = !(array->flags & DATASET_OPTIONAL);
    if (array->flags & r->skipped)
        return;
    if (!r->is_there)
        dataset_each_column(r->layout, r->artefact, array, note_there, r);
    dataset_each_column(r->layout, r->artefact, array, r->is_there ? read_column : check_labels, r);
}

// ---- dimensions

// The root has every dimension that is not empty.
static void read_length(struct reader *r, const struct dataset_dim *dim)
{
    struct dataset_file_shape shape;
    char *path = mem_printf("/%s", dim->name);
    uint32_t n = 0;
    if (dataset_file_has(r->file, path) && dataset_file_shape(r->file, path, &shape)) {
        if (shape.n_dims != 1 || shape.n > UINT32_MAX)
            dataset_file_fail(r->file, path, "is no dimension");
        n = (uint32_t)shape.n;
    }
    if (dim->axis != DATASET_AXIS_NAMES && dim->axis != DATASET_AXIS_NUMBERS)
        memcpy((char *)r->artefact + dim->n_offset, &n, sizeof n);
    else if (n != dim->n && n > 0)
        dataset_file_fail(r->file, path, "has another length than the rest implies");
    mem_free(path);
}

// What all rows will take; a number beyond any bound where that does not fit.
static uint64_t memory_needed(const struct reader *r)
{
    const double too_much = 1e18;
    double bytes = 0;
    for (const struct dataset_array *a = r->layout->arrays; a->name; a++) {
        double rows = a->flags & r->skipped ? 0 : (double)a->stride;
        for (const char *const *d = a->dims; *d; d++)
            rows *= dataset_length(dataset_dim(r->layout, *d), r->artefact);
        bytes += rows;
    }
    for (const struct dataset_dim *d = r->layout->dims; d->name; d++) {
        if (d->axis == DATASET_AXIS_NAMED || d->axis == DATASET_AXIS_VALUES)
            bytes += (double)dataset_length(d, r->artefact) * sizeof(char *);
    }
    return (uint64_t)(bytes < too_much ? bytes : too_much);
}

static void read_lengths(struct reader *r)
{
    for (const struct dataset_dim *dim = r->layout->dims; dim->name; dim++)
        read_length(r, dim);
    if (!dataset_file_failed(r->file) &&
        memory_needed(r) > DATASET_FILE_MOST_MEMORY(dataset_file_bytes(r->file)))
        dataset_file_fail(r->file, "the file", "has impossible dimensions");
    // A failed reader allocates nothing.
    for (const struct dataset_dim *dim = r->layout->dims; dim->name && dataset_file_failed(r->file);
         dim++) {
        if (dim->axis != DATASET_AXIS_NAMES && dim->axis != DATASET_AXIS_NUMBERS)
            memset((char *)r->artefact + dim->n_offset, 0, sizeof(uint32_t));
    }
}

// Those that never change must be the ones we know, or every number along them means another.
static void check_constant(struct reader *r, const char *path, const struct dataset_dim *dim)
{
    uint64_t n = dim->n;
    char **names = mem_calloc(n, sizeof *names);
    double *numbers = mem_calloc(n, sizeof *numbers);
    bool same = true;
    if (dim->names)
        dataset_file_values(r->file, path, CONTENT_TEXT, 1, &n, names);
    else
        dataset_file_values(r->file, path, CONTENT_F64, 1, &n, numbers);
    for (uint32_t i = 0; i < n && !dataset_file_failed(r->file); i++)
        same &= dim->names ? strcmp(names[i], dim->names[i]) == 0 : numbers[i] == dim->numbers[i];
    if (!same)
        dataset_file_fail(r->file, path, "is not what this program knows");
    free_texts(names, n);
    mem_free(names);
    mem_free(numbers);
}

// The next part of a list that is cut up at `between`; NULL: none.
static char *next_part(char **rest, const char *between)
{
    return *rest ? strsep(rest, between) : NULL;
}

static void read_axis(struct reader *r, struct point_axes *axes, uint32_t axis, const char *name,
                      const char *variable)
{
    uint64_t n = axes->n_points;
    char *path = mem_printf("/%s", variable), **labels = mem_calloc(n, sizeof *labels);
    dataset_file_values(r->file, path, CONTENT_TEXT, 1, &n, labels);
    if (!dataset_file_failed(r->file))
        point_axes_take(axes, axis, name, (const char *const *)labels);
    free_texts(labels, n);
    mem_free(labels);
    mem_free(path);
}

// Where the points of a grid are on its axes, which the root's attributes list: their names as in
// the study by lines, those of their variables by blanks. The variables' names are not worked out
// again from the axes', because a later program may have other names that are taken. Both lists
// come from the file and are not believed: there must be as many of one as of the other, and as
// much memory as the file's size bears out.
static void read_grid(struct reader *r, const struct dataset_dim *dim)
{
    struct point_axes *axes = dataset_grid(dim, r->artefact);
    char *names = NULL, *variables = NULL;
    uint32_t n = 0;
    dataset_file_attribute(r->file, "/", "axes", CONTENT_TEXT, &names);
    dataset_file_attribute(r->file, "/", "axis_variables", CONTENT_TEXT, &variables);
    for (const char *c = variables; c && *c; c++)
        n += *c == ' ' || n == 0;
    if (n > DATASET_MAX_AXES || (uint64_t)n * axes->n_points * sizeof *axes->values >
                                    DATASET_FILE_MOST_MEMORY(dataset_file_bytes(r->file)))
        dataset_file_fail(r->file, "/", "has an impossible number of axes");
    if (!dataset_file_failed(r->file))
        *axes = point_axes_create(n, axes->n_points);
    char *name_rest = names, *rest = variables;
    for (uint32_t a = 0; a < n && !dataset_file_failed(r->file); a++) {
        const char *name = next_part(&name_rest, "\n"), *variable = next_part(&rest, " ");
        if (name && variable)
            read_axis(r, axes, a, name, variable);
        if (!name || !variable || (a + 1 == n && (name_rest || rest)))
            dataset_file_fail(r->file, "/", "has a list of axes that makes no sense");
    }
    mem_free(names);
    mem_free(variables);
}

static bool is_read(const struct reader *r, const struct dataset_dim *dim)
{
    for (const struct dataset_array *a = r->layout->arrays; a->name; a++) {
        if (!(a->flags & r->skipped) && dataset_runs_over(a, dim->name))
            return true;
    }
    return false;
}

static void read_dim(struct reader *r, const struct dataset_dim *dim)
{
    uint64_t n = dataset_length(dim, r->artefact);
    char *path = mem_printf("/%s", dim->name);
    char *into; // names or values
    char **names;
    memcpy(&into, (char *)r->artefact + dim->offset, sizeof into);
    if (dim->axis == DATASET_AXIS_GRID && is_read(r, dim))
        read_grid(r, dim);
    else if (n > 0 && dim->axis == DATASET_AXIS_NAMED)
        dataset_file_values(r->file, path, CONTENT_TEXT, 1, &n, into);
    // Names go to terminals: a file, or the program that wrote it, may think of anything.
    memcpy(&names, (char *)r->artefact + dim->offset, sizeof names);
    for (uint64_t i = 0; i < n && dim->axis == DATASET_AXIS_NAMED; i++)
        if (names[i])
            err_one_line(names[i]);
    if (n > 0 && dim->axis == DATASET_AXIS_VALUES)
        dataset_file_values(r->file, path, CONTENT_F64, 1, &n, into);
    if (dim->axis == DATASET_AXIS_NAMES || dim->axis == DATASET_AXIS_NUMBERS)
        check_constant(r, path, dim);
    mem_free(path);
}

// ---- attributes

static void read_members(struct reader *r, const char *group, const struct data_field *fields,
                         void *row)
{
    for (const struct data_field *f = fields; f->name && !dataset_file_failed(r->file); f++) {
        enum content_type type = dataset_stored(f->kind);
        uint64_t stored = 0;
        char *text = NULL;
        dataset_file_attribute(r->file, group, f->name, type,
                               type == CONTENT_TEXT ? (void *)&text : &stored);
        if (text)
            err_one_line(text);
        if (type == CONTENT_TEXT)
            memcpy((char *)row + f->offset, &text, sizeof text);
        else if (!dataset_file_failed(r->file) &&
                 !take_value(f->kind, f, NULL, &stored, (char *)row + f->offset))
            dataset_file_fail(r->file, f->name, "holds an unknown code or an impossible time");
    }
}

// ---- the whole

static void read_all(struct reader *r)
{
    struct err why = {0};
    read_lengths(r);
    if (r->skipped)
        dataset_create(r->layout, r->artefact);
    else
        dataset_create_whole(r->layout, r->artefact);
    for (const struct dataset_dim *dim = r->layout->dims;
         dim->name && !dataset_file_failed(r->file); dim++)
        read_dim(r, dim);
    read_members(r, "/", r->layout->head, r->artefact);
    for (const struct dataset_array *a = r->layout->arrays;
         a->name && !dataset_file_failed(r->file); a++)
        read_array(r, a);
    if (!dataset_file_failed(r->file) && r->layout->check &&
        r->layout->check(r->artefact, &why) != 0)
        dataset_file_fail(r->file, "the file:", why.text);
}

// What one reading takes and gives, also in the sandbox.
struct reading {
    const struct dataset_layout *layout;
    const char *path;
    enum dataset_depth depth;
    void *artefact;
    struct run_info *run; // NULL: not wanted
    struct dataset_known known;
};

static int read_file(const struct reading *want, struct err *err)
{
    struct reader r = {want->layout, want->artefact, dataset_file_open(want->path, true, err),
                       false, want->depth == DATASET_WHOLE ? 0 : DATASET_UNREAD};
    memset(want->artefact, 0, want->layout->size);
    if (want->known.bytes)
        memcpy((char *)want->artefact + want->known.offset, want->known.bytes, want->known.n_bytes);
    if (want->run)
        *want->run = (struct run_info){0};
    if (!r.file)
        return -1;
    check_kind(r.file, want->path, want->layout);
    if (want->depth != DATASET_HEAD)
        read_all(&r);
    else
        read_members(&r, "/", want->layout->head, want->artefact);
    if (want->run)
        read_members(&r, "/run", run_info_fields, want->run);
    if (dataset_file_close(r.file) == 0)
        return 0;
    dataset_destroy(want->layout, want->artefact);
    if (want->run)
        data_field_release(run_info_fields, want->run);
    return -1;
}

static void try_file(void *data)
{
    const struct reading *want = data;
    struct run_info run;
    struct reading copy = *want;
    copy.artefact = mem_calloc(1, want->layout->size);
    copy.run = want->run ? &run : NULL;
    if (read_file(&copy, NULL) == 0) {
        dataset_destroy(copy.layout, copy.artefact);
        if (copy.run)
            data_field_release(run_info_fields, copy.run);
    }
    mem_free(copy.artefact);
}

// A head is wanted of many files to see which are whole, so the checksum alone vouches for one.
static int check_whole(const char *path, struct err *err)
{
    enum checksum_state state;
    if (checksum_check(path, &state, err) < 0)
        return -1;
    if (state == CHECKSUM_WHOLE)
        return 0;
    return err_set(err, ERR_STUDY, "%s: not a readable recfleet result: %s", path,
                   state == CHECKSUM_BROKEN ? "damaged" : "not finished by recfleet");
}

static int read_kind(const char *path, char kind[DATASET_KIND_BYTES], struct err *err)
{
    struct dataset_file *file = dataset_file_open(path, true, err);
    char *found = NULL;
    if (!file)
        return -1;
    check_ours(file);
    dataset_file_attribute(file, "/", "kind", CONTENT_TEXT, &found);
    snprintf(kind, DATASET_KIND_BYTES, "%s", found ? found : "");
    err_one_line(kind);
    mem_free(found);
    return dataset_file_close(file);
}

static int read_any(const struct reading *reading, struct err *err)
{
    struct reading want = *reading;
    memset(want.artefact, 0, want.layout->size);
    if (want.run)
        *want.run = (struct run_info){0};
    int rc = want.depth == DATASET_HEAD ? check_whole(want.path, err)
                                        : dataset_file_survives(want.path, try_file, &want, err);
    return rc == 0 ? read_file(&want, err) : -1;
}

int dataset_read(const struct dataset_layout *layout, const char *path, enum dataset_depth depth,
                 void *artefact, struct run_info *run, struct err *err)
{
    const struct reading want = {layout, path, depth, artefact, run, {0}};
    return read_any(&want, err);
}

int dataset_read_knowing(const struct dataset_layout *layout, const char *path,
                         struct dataset_known known, void *artefact, struct err *err)
{
    const struct reading want = {layout, path, DATASET_ALL, artefact, NULL, known};
    return read_any(&want, err);
}

static void try_kind(void *path)
{
    char kind[DATASET_KIND_BYTES];
    read_kind(path, kind, NULL);
}

int dataset_read_kind(const char *path, char kind[DATASET_KIND_BYTES], struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = dataset_file_survives(path, try_kind, copy, err);
    mem_free(copy);
    return rc == 0 ? read_kind(path, kind, err) : -1;
}
