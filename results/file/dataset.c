// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset.h"

#include <assert.h>
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

// "x" or "x_half_95" of an estimate, behind the view's prefix.
static bool is_variable(const struct dataset_view *view, const char *name)
{
    size_t n = view->prefix ? strlen(view->prefix) : 0;
    if (n > 0 && strncmp(name, view->prefix, n) != 0)
        return false;
    for (const struct data_field *f = view->fields; f->name; f++) {
        size_t length = strlen(f->name);
        if (strncmp(name + n, f->name, length) == 0 &&
            (name[n + length] == '\0' ||
             (f->kind == DATA_KIND_ESTIMATE && strcmp(name + n + length, "_half_95") == 0)))
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

bool dataset_uses_name(const struct dataset_layout *layout, const char *name)
{
    if (dataset_dim(layout, name) || strcmp(name, "run") == 0)
        return true;
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (is_group(a->group, name))
            return true;
        for (const struct dataset_view *v = a->views; v->fields; v++) {
            if (is_variable(v, name))
                return true;
        }
    }
    return false;
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

// Of a single row nobody asks how far the next one is; its size is where its last member ends.
size_t dataset_stride(const struct dataset_array *array)
{
    size_t bytes = array->stride;
    for (const struct dataset_view *v = array->views; array->stride == 0 && v->fields; v++) {
        for (const struct data_field *f = v->fields; f->name; f++) {
            size_t end = v->offset + f->offset + data_field_bytes(f->kind);
            bytes = end > bytes ? end : bytes;
        }
    }
    return bytes;
}

// ---- rows, with what lies in them as arrays

// Calls fn for every part of a row that a table of fields describes; false when fn was false once.
static bool each_part(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array, void *row,
                      bool (*fn)(const struct data_field *fields, void *part))
{
    bool all = true;
    for (const struct dataset_view *v = array->views; v->fields; v++) {
        const struct dataset_dim *inner = v->inner ? dataset_dim(layout, v->inner) : NULL;
        uint32_t n = inner ? dataset_length(inner, artefact) : 1;
        for (uint32_t i = 0; i < n; i++)
            all &= fn(v->fields, (char *)row + v->offset + i * v->inner_stride);
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

void dataset_create(const struct dataset_layout *layout, void *artefact)
{
    data_field_clear(layout->head, artefact);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        create_dim(dim, artefact);
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (a->flags & DATASET_UNREAD)
            continue;
        if (a->stride > 0)
            set_pointer(artefact, a->offset,
                        mem_calloc(dataset_n_rows(layout, artefact, a), a->stride));
        each_row(layout, artefact, a, clear_part);
    }
}

static void destroy_dim(const struct dataset_dim *dim, void *artefact)
{
    if (dim->axis == DATASET_AXIS_NAMED) {
        char **names = pointer_at(artefact, dim->offset);
        for (uint32_t i = 0; names && i < dataset_length(dim, artefact); i++)
            mem_free(names[i]);
        mem_free(names);
    }
    if (dim->axis == DATASET_AXIS_VALUES)
        mem_free(pointer_at(artefact, dim->offset));
}

void dataset_destroy(const struct dataset_layout *layout, void *artefact)
{
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        each_row(layout, artefact, a, release_part);
        if (a->stride > 0)
            mem_free(dataset_rows(artefact, a));
    }
    data_field_release(layout->head, artefact);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        destroy_dim(dim, artefact);
    memset(artefact, 0, layout->size);
}
