// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

// ---- looking up

const struct dataset_dim *dataset_dim(const struct dataset_layout *layout, const char *name)
{
    const struct dataset_dim *dim = layout->dims;
    while (dim->name && strcmp(dim->name, name) != 0)
        dim++;
    return dim->name ? dim : NULL;
}

const struct dataset_array *dataset_find(const struct dataset_layout *layout, const char *name)
{
    const struct dataset_array *array = layout->arrays;
    while (array->name && strcmp(array->name, name) != 0)
        array++;
    return array->name ? array : NULL;
}

// "x" or "x_half_95" of an estimate, behind the view's prefix. Any number may be an estimate over
// replications.
static bool is_variable(const struct dataset_array *array, const struct dataset_view *view,
                        const struct data_field *fields, const char *name)
{
    size_t n = view->prefix ? strlen(view->prefix) : 0;
    if (n > 0 && strncmp(name, view->prefix, n) != 0)
        return false;
    for (const struct data_field *f = fields; f->name; f++) {
        size_t length = strlen(f->name);
        bool half = f->kind == DATA_KIND_ESTIMATE ||
                    (f->kind == DATA_KIND_NUMBER && (array->flags & DATASET_SPREAD));
        if (strncmp(name + n, f->name, length) == 0 &&
            (name[n + length] == '\0' || (half && strcmp(name + n + length, "_half_95") == 0)))
            return true;
    }
    return false;
}

// Is it one of the parts of a group's path?
static bool is_group(const char *path, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = path; (at = strchr(at, '/')); at++) {
        if (strncmp(at + 1, name, n) == 0 && (at[1 + n] == '/' || at[1 + n] == '\0'))
            return true;
    }
    return false;
}

bool dataset_uses_name(const struct dataset_layout *layout, const void *artefact, const char *name)
{
    const struct data_field *fields;
    if (dataset_dim(layout, name) || strcmp(name, "run") == 0)
        return true;
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (is_group(a->group, name))
            return true;
        for (const struct dataset_view *v = a->views; (fields = dataset_fields(v, artefact)); v++) {
            if (is_variable(a, v, fields, name))
                return true;
        }
    }
    return false;
}

// Is the name, or it with "_value" behind, that of something else, or of an axis before? Every axis
// is taken to have numbers, whether its labels are some or not: another label in the study must not
// change what the other axes are called.
static bool is_taken(const struct dataset_layout *layout, const void *artefact, const char *name,
                     char *const *before, uint32_t n)
{
    char *value = mem_printf("%s_value", name);
    bool taken =
        dataset_uses_name(layout, artefact, name) || dataset_uses_name(layout, artefact, value);
    for (uint32_t i = 0; i < n && !taken; i++) {
        char *other = mem_printf("%s_value", before[i]);
        taken = strcmp(name, before[i]) == 0 || strcmp(name, other) == 0 ||
                strcmp(value, before[i]) == 0;
        mem_free(other);
    }
    mem_free(value);
    return taken;
}

char **dataset_axis_variables(const struct dataset_layout *layout, const void *artefact,
                              const struct point_axes *axes)
{
    char **names = mem_calloc(axes->n_axes, sizeof *names);
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        char *name = mem_strdup(axes->axes[a].name[0] ? axes->axes[a].name : "axis");
        for (char *c = name; *c; c++) {
            if (!isalnum((unsigned char)*c) && *c != '_')
                *c = '_';
        }
        while (is_taken(layout, artefact, name, names, a) || !isalpha((unsigned char)name[0])) {
            char *longer = mem_printf("axis_%s", name);
            mem_free(name);
            name = longer;
        }
        names[a] = name;
    }
    return names;
}

void dataset_release_names(char **names, uint32_t n)
{
    for (uint32_t i = 0; names && i < n; i++)
        mem_free(names[i]);
    mem_free(names);
}

uint32_t dataset_length(const struct dataset_dim *dim, const void *artefact)
{
    uint32_t n;
    if (dim->axis == DATASET_AXIS_NAMES || dim->axis == DATASET_AXIS_NUMBERS)
        return dim->n;
    memcpy(&n, (const char *)artefact + dim->n_offset, sizeof n);
    return n;
}

// The pointer at an offset of the artefact.
static void *pointer_at(const void *artefact, size_t offset)
{
    void *pointer;
    memcpy(&pointer, (const char *)artefact + offset, sizeof pointer);
    return pointer;
}

static void set_pointer(void *artefact, size_t offset, void *pointer)
{
    memcpy((char *)artefact + offset, &pointer, sizeof pointer);
}

char *const *dataset_names(const struct dataset_dim *dim, const void *artefact)
{
    if (dim->axis == DATASET_AXIS_NAMES)
        return (char *const *)dim->names;
    return dim->axis == DATASET_AXIS_NAMED ? pointer_at(artefact, dim->offset) : NULL;
}

size_t dataset_n_rows(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array)
{
    size_t n = 1;
    for (const char *const *d = array->dims; *d; d++) {
        const struct dataset_dim *dim = dataset_dim(layout, *d);
        assert(dim);
        n *= dataset_length(dim, artefact);
    }
    return n;
}

void *dataset_rows(const void *artefact, const struct dataset_array *array)
{
    if (array->stride == 0)
        return (char *)(uintptr_t)artefact + array->offset;
    return pointer_at(artefact, array->offset);
}

const struct data_field *dataset_fields(const struct dataset_view *view, const void *artefact)
{
    if (view->own_fields > 0)
        return (const void *)((const char *)artefact + view->own_fields);
    return view->fields;
}

struct point_axes *dataset_grid(const struct dataset_dim *dim, const void *artefact)
{
    return (void *)((char *)(uintptr_t)artefact + dim->offset);
}

bool dataset_runs_over(const struct dataset_array *array, const char *dim)
{
    for (const char *const *d = array->dims; *d; d++) {
        if (strcmp(*d, dim) == 0)
            return true;
    }
    for (const struct dataset_view *v = array->views; v->fields || v->own_fields; v++) {
        if (v->inner && strcmp(v->inner, dim) == 0)
            return true;
    }
    return false;
}

// ---- variables

enum content_type dataset_stored(enum data_kind kind)
{
    static const enum content_type stored[] = {
        [DATA_KIND_NUMBER] = CONTENT_F64,  [DATA_KIND_ESTIMATE] = CONTENT_F64,
        [DATA_KIND_TIME] = CONTENT_F64,    [DATA_KIND_COUNT] = CONTENT_U64,
        [DATA_KIND_COUNT32] = CONTENT_U32, [DATA_KIND_INT] = CONTENT_I32,
        [DATA_KIND_BOOL] = CONTENT_I32,    [DATA_KIND_CODE] = CONTENT_I32,
        [DATA_KIND_TEXT] = CONTENT_TEXT,   [DATA_KIND_LABEL] = CONTENT_TEXT,
        [DATA_KIND_INDEX] = CONTENT_I32};
    return stored[kind];
}

void *dataset_member(const struct dataset_column *c, size_t i)
{
    return c->first + i / c->n_inner * c->stride + i % c->n_inner * c->inner_stride;
}

static void add_dim(struct dataset_column *c, const struct dataset_layout *layout,
                    const void *artefact, const char *name)
{
    const struct dataset_dim *dim = dataset_dim(layout, name);
    assert(dim && c->n_dims < DATASET_MAX_DIMS);
    c->dims[c->n_dims] = dim->name;
    c->sizes[c->n_dims++] = dataset_length(dim, artefact);
}

// What all variables of a view have in common; `spread`: how much longer its rows are. An inner
// array has a fixed number of elements in the row, so its dimension turns fastest and has no rows
// of its own.
static struct dataset_column column_of(const struct dataset_layout *layout, const void *artefact,
                                       const struct dataset_array *array,
                                       const struct dataset_view *v, size_t spread)
{
    struct dataset_column c = {.array = array, .n_inner = 1, .stride = spread * array->stride};
    for (const char *const *d = array->dims; *d; d++)
        add_dim(&c, layout, artefact, *d);
    if (v->inner) {
        add_dim(&c, layout, artefact, v->inner);
        c.n_inner = c.sizes[c.n_dims - 1];
        c.inner_stride = spread * v->inner_stride;
    }
    c.n = dataset_n_rows(layout, artefact, array) * c.n_inner;
    return c;
}

// The variables of a field: one, or two of an estimate. How many batches are behind an estimate is
// no variable: where a reader needs it, the layout has a field for it.
static void visit_field(struct dataset_column *c, const struct dataset_view *v, char *member,
                        dataset_column_fn fn, void *user)
{
    const char *prefix = v->prefix ? v->prefix : "", *text = c->field->long_name;
    bool estimate = c->kind == DATA_KIND_ESTIMATE;
    for (int half = 0; half <= estimate; half++) {
        c->kind = estimate ? DATA_KIND_NUMBER : c->kind;
        c->name = mem_printf("%s%s%s", prefix, c->field->name, half ? "_half_95" : "");
        c->long_name = mem_printf("%s%s", half ? "half-width of the 95 % interval of: " : "", text);
        c->first = member + (half ? offsetof(struct ci, half_95) : 0);
        fn(user, c);
        mem_free(c->name);
        mem_free(c->long_name);
    }
}

// The one place that knows where a value of a row stands in the file: the writer gathers along
// these columns, the reader scatters along them.
void dataset_each_column(const struct dataset_layout *layout, const void *artefact,
                         const struct dataset_array *array, dataset_column_fn fn, void *user)
{
    bool folded = array->flags & DATASET_SPREAD;
    size_t spread = folded ? sizeof(struct ci) / sizeof(double) : 1;
    const struct data_field *fields;
    for (const struct dataset_view *v = array->views; (fields = dataset_fields(v, artefact)); v++) {
        struct dataset_column c = column_of(layout, artefact, array, v, spread);
        for (c.field = fields; c.field->name; c.field++) {
            bool real = c.field->kind == DATA_KIND_NUMBER || c.field->kind == DATA_KIND_ESTIMATE;
            if (folded && !real)
                continue;
            c.kind = folded ? DATA_KIND_ESTIMATE : c.field->kind;
            c.names = c.field->dim ? dataset_dim(layout, c.field->dim) : NULL;
            visit_field(&c, v,
                        (char *)dataset_rows(artefact, array) +
                            spread * (v->offset + c.field->offset),
                        fn, user);
        }
    }
}

// ---- rows, with what lies in them as arrays

// Calls fn for every part of a row that a table of fields describes; false when fn was false once.
static bool each_part(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array, void *row,
                      bool (*fn)(const struct data_field *fields, void *part))
{
    bool all = true;
    const struct data_field *fields;
    for (const struct dataset_view *v = array->views; (fields = dataset_fields(v, artefact)); v++) {
        const struct dataset_dim *inner = v->inner ? dataset_dim(layout, v->inner) : NULL;
        uint32_t n = inner ? dataset_length(inner, artefact) : 1;
        for (uint32_t i = 0; i < n; i++)
            all &= fn(fields, (char *)row + v->offset + i * v->inner_stride);
    }
    return all;
}

static bool clear_part(const struct data_field *fields, void *part)
{
    data_field_clear(fields, part);
    return true;
}

static bool release_part(const struct data_field *fields, void *part)
{
    data_field_release(fields, part);
    return true;
}

static bool is_clear_part(const struct data_field *fields, void *part)
{
    return data_field_is_clear(fields, part);
}

// The same for all rows of an array, until one is false.
static bool each_row(const struct dataset_layout *layout, const void *artefact,
                     const struct dataset_array *array,
                     bool (*fn)(const struct data_field *fields, void *part))
{
    char *rows = dataset_rows(artefact, array);
    size_t n = rows ? dataset_n_rows(layout, artefact, array) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!each_part(layout, artefact, array, rows + i * array->stride, fn))
            return false;
    }
    return true;
}

bool dataset_is_known(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array)
{
    return !each_row(layout, artefact, array, is_clear_part);
}

// ---- life

static void create_dim(const struct dataset_dim *dim, void *artefact)
{
    uint32_t n = dataset_length(dim, artefact);
    if (dim->axis == DATASET_AXIS_NAMED)
        set_pointer(artefact, dim->offset, mem_calloc(n, sizeof(char *)));
    if (dim->axis == DATASET_AXIS_VALUES) {
        double *values = mem_calloc(n, sizeof *values);
        for (uint32_t i = 0; i < n; i++)
            values[i] = NAN;
        set_pointer(artefact, dim->offset, values);
    }
}

static void create(const struct dataset_layout *layout, unsigned skipped, void *artefact)
{
    data_field_clear(layout->head, artefact);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        create_dim(dim, artefact);
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (a->flags & skipped)
            continue;
        if (a->stride > 0 && !(a->flags & DATASET_SHARED))
            set_pointer(artefact, a->offset,
                        mem_calloc(dataset_n_rows(layout, artefact, a), a->stride));
        each_row(layout, artefact, a, clear_part);
    }
}

void dataset_create(const struct dataset_layout *layout, void *artefact)
{
    create(layout, DATASET_UNREAD, artefact);
}

void dataset_create_whole(const struct dataset_layout *layout, void *artefact)
{
    create(layout, 0, artefact);
}

static void destroy_dim(const struct dataset_dim *dim, void *artefact)
{
    if (dim->axis == DATASET_AXIS_NAMED)
        dataset_release_names(pointer_at(artefact, dim->offset), dataset_length(dim, artefact));
    if (dim->axis == DATASET_AXIS_VALUES)
        mem_free(pointer_at(artefact, dim->offset));
    if (dim->axis == DATASET_AXIS_GRID)
        point_axes_release(dataset_grid(dim, artefact));
}

// The texts first: rows may be of several arrays.
void dataset_destroy(const struct dataset_layout *layout, void *artefact)
{
    for (const struct dataset_array *a = layout->arrays; a->name; a++)
        each_row(layout, artefact, a, release_part);
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (a->stride > 0 && !(a->flags & DATASET_SHARED))
            mem_free(dataset_rows(artefact, a));
    }
    data_field_release(layout->head, artefact);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        destroy_dim(dim, artefact);
    memset(artefact, 0, layout->size);
}
