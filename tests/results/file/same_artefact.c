// SPDX-License-Identifier: Apache-2.0
#include "results/file/same_artefact.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

static const char *text_at(const char *at)
{
    const char *text;
    memcpy(&text, at, sizeof text);
    return text ? text : "";
}

static bool same_real(const char *a, const char *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (isnan(x) && isnan(y)) || memcmp(a, b, sizeof x) == 0;
}

static bool same_value(enum data_kind kind, const char *a, const char *b)
{
    const size_t half = offsetof(struct ci, half_95);
    if (kind == DATA_KIND_TEXT)
        return strcmp(text_at(a), text_at(b)) == 0;
    if (kind == DATA_KIND_NUMBER)
        return same_real(a, b);
    if (kind == DATA_KIND_ESTIMATE)
        return same_real(a, b) && same_real(a + half, b + half);
    return memcmp(a, b, data_field_bytes(kind)) == 0;
}

static void same_fields(const char *what, const struct data_field *fields, const char *a,
                        const char *b)
{
    for (const struct data_field *f = fields; f->name; f++)
        ck_assert_msg(same_value(f->kind, a + f->offset, b + f->offset), "%s: %s differs", what,
                      f->name);
}

static void same_grid(const struct point_axes *a, const struct point_axes *b)
{
    ck_assert_uint_eq(a->n_axes, b->n_axes);
    for (uint32_t i = 0; i < a->n_axes; i++) {
        ck_assert_str_eq(a->axes[i].name, b->axes[i].name);
        for (uint32_t p = 0; p < a->n_points; p++)
            ck_assert_str_eq(point_axes_label(a, p, i), point_axes_label(b, p, i));
    }
}

static void same_dim(const struct dataset_dim *dim, const void *a, const void *b)
{
    uint32_t n = dataset_length(dim, a);
    char *const *x = dataset_names(dim, a), *const *y = dataset_names(dim, b);
    ck_assert_msg(n == dataset_length(dim, b), "length of %s", dim->name);
    for (uint32_t i = 0; x && i < n; i++)
        ck_assert_str_eq(x[i] ? x[i] : "", y[i] ? y[i] : "");
    if (dim->axis == DATASET_AXIS_GRID)
        same_grid(dataset_grid(dim, a), dataset_grid(dim, b));
    if (dim->axis == DATASET_AXIS_VALUES) {
        const double *p, *q;
        memcpy(&p, (const char *)a + dim->offset, sizeof p);
        memcpy(&q, (const char *)b + dim->offset, sizeof q);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(same_real((const char *)&p[i], (const char *)&q[i]), "%s", dim->name);
    }
}

static void same_array(const struct dataset_layout *layout, const struct dataset_array *array,
                       const void *a, const void *b)
{
    size_t n = dataset_n_rows(layout, a, array);
    for (const struct dataset_view *v = array->views; v->fields || v->own_fields; v++) {
        if (v->own_fields)
            continue; // not read
        uint32_t n_inner = v->inner ? dataset_length(dataset_dim(layout, v->inner), a) : 1;
        for (size_t i = 0; i < n * n_inner; i++) {
            size_t at = i / n_inner * array->stride + v->offset + i % n_inner * v->inner_stride;
            same_fields(array->name, v->fields, (const char *)dataset_rows(a, array) + at,
                        (const char *)dataset_rows(b, array) + at);
        }
    }
}

void same_artefact(const struct dataset_layout *layout, const void *a, const void *b)
{
    same_fields("head", layout->head, a, b);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        same_dim(dim, a, b);
    for (const struct dataset_array *array = layout->arrays; array->name; array++) {
        if (!(array->flags & DATASET_UNREAD))
            same_array(layout, array, a, b);
    }
}

// ---- a layout's own rules

// Names seen, each "GROUP/NAME".
struct seen {
    char *names[2000];
    size_t n;
};

static void see_name(struct seen *seen, const char *group, const char *prefix, const char *name)
{
    char *path = mem_printf("%s/%s%s", group, prefix ? prefix : "", name);
    for (size_t i = 0; i < seen->n; i++)
        ck_assert_msg(strcmp(seen->names[i], path) != 0, "%s stands twice", path);
    ck_assert_uint_lt(seen->n, sizeof seen->names / sizeof *seen->names);
    seen->names[seen->n++] = path;
}

static void check_field(const struct dataset_layout *layout, const struct data_field *f)
{
    ck_assert_msg(f->units && f->units[0] && f->long_name, "%s lacks its texts", f->name);
    ck_assert_msg((f->kind == DATA_KIND_CODE) == (f->codes != NULL), "%s", f->name);
    bool index = f->kind == DATA_KIND_LABEL || f->kind == DATA_KIND_INDEX;
    ck_assert_msg(index == (f->dim != NULL), "%s", f->name);
    ck_assert_msg(!index || dataset_dim(layout, f->dim), "%s: no dimension %s", f->name,
                  f->dim ? f->dim : "");
}

static void see_bytes(unsigned char *row, size_t stride, size_t at, size_t bytes, const char *name)
{
    ck_assert_msg(at + bytes <= stride, "%s ends behind its row", name);
    for (size_t i = 0; i < bytes; i++) {
        ck_assert_msg(!row[at + i], "%s: a member is named twice", name);
        row[at + i] = 1;
    }
}

static void check_array(const struct dataset_layout *layout, const struct dataset_array *array,
                        struct seen *seen, size_t bytes_left)
{
    size_t stride = array->stride, named = 0, n_batches = 0;
    unsigned char *row = mem_calloc(stride + 1, 1);
    ck_assert_msg(array->group && array->group[0] == '/' && array->views[0].fields, "%s",
                  array->name);
    for (const char *const *d = array->dims; *d; d++)
        ck_assert_msg(dataset_dim(layout, *d) != NULL, "%s: no dimension %s", array->name, *d);
    for (const struct dataset_view *v = array->views; v->fields || v->own_fields; v++) {
        if (v->own_fields)
            continue; // of no layout
        const struct dataset_dim *inner = v->inner ? dataset_dim(layout, v->inner) : NULL;
        ck_assert_msg(!v->inner || (inner && inner->n > 0), "%s: an inner dimension is constant",
                      array->name);
        for (const struct data_field *f = v->fields; f->name; f++) {
            bool real = f->kind == DATA_KIND_NUMBER || f->kind == DATA_KIND_ESTIMATE;
            check_field(layout, f);
            if ((array->flags & DATASET_SPREAD) && !real)
                continue;
            see_name(seen, strcmp(array->group, "/") == 0 ? "" : array->group, v->prefix, f->name);
            // The batches behind an estimate may be a field of their own, or be left out.
            bool estimate = f->kind == DATA_KIND_ESTIMATE;
            size_t bytes = estimate ? offsetof(struct ci, n_batches) : data_field_bytes(f->kind);
            for (uint32_t i = 0; stride > 0 && i < (inner ? inner->n : 1); i++) {
                size_t at = v->offset + i * v->inner_stride + f->offset;
                see_bytes(row, stride, at, bytes, f->name);
                n_batches += estimate ? sizeof(struct ci) - bytes : 0;
            }
        }
    }
    for (size_t i = 0; i < stride; i++)
        named += row[i];
    ck_assert_msg(named + n_batches + bytes_left >= stride, "%s: %zu of %zu bytes are named",
                  array->name, named, stride);
    mem_free(row);
}

void same_artefact_layout(const struct dataset_layout *layout, size_t bytes_left)
{
    struct seen seen = {.n = 0};
    for (const struct data_field *f = layout->head; f->name; f++)
        check_field(layout, f);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++) {
        ck_assert_ptr_nonnull(dim->units);
        ck_assert_ptr_nonnull(dim->long_name);
        see_name(&seen, "", NULL, dim->name);
    }
    for (const struct dataset_array *a = layout->arrays; a->name; a++)
        check_array(layout, a, &seen, bytes_left);
    for (size_t i = 0; i < seen.n; i++)
        mem_free(seen.names[i]);
}
