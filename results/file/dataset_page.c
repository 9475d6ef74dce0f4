// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_page.h"

#include <string.h>

// Variables that are rather listed again than looked up elsewhere.
#define FEW 6

static const char *const axis_texts[] = {
    [DATASET_AXIS_NUMBERED] = "numbered from 0",
    [DATASET_AXIS_GRID] = "numbered from 0; a variable over it for each axis of the grid",
    [DATASET_AXIS_NAMED] = "names",
    [DATASET_AXIS_VALUES] = "values",
    [DATASET_AXIS_STEPS] = "equal steps from 0",
    [DATASET_AXIS_NAMES] = "names",
    [DATASET_AXIS_NUMBERS] = "values",
};

static const char *type_of(enum content_type type)
{
    switch (type) {
    case CONTENT_I32:
        return "int32";
    case CONTENT_U32:
        return "uint32";
    case CONTENT_I64:
        return "int64";
    case CONTENT_U64:
        return "uint64";
    case CONTENT_TEXT:
        return "string";
    case CONTENT_F64:
        break;
    }
    return "float64";
}

static const char *unit_or_dash(const char *units)
{
    return strcmp(units, "1") == 0 ? "-" : units;
}

// What the numbers mean that stand for words.
static void print_meaning(const struct data_field *f, const char *text, FILE *out)
{
    fputs(text, out);
    for (uint32_t i = 0; i < data_field_n_codes(f->codes); i++)
        fprintf(out, "%s%u %s", i ? ", " : " (", (unsigned)i, f->codes[i]);
    if (f->codes)
        fputc(')', out);
    if (f->kind == DATA_KIND_BOOL)
        fputs(" (0 no, 1 yes)", out);
    if (f->kind == DATA_KIND_INDEX)
        fprintf(out, ", by its number along `%s`", f->dim);
    if (f->kind == DATA_KIND_LABEL)
        fprintf(out, ", by its name, as along `%s`", f->dim);
    fputs(" |\n", out);
}

void dataset_page_attributes(const struct data_field *fields, FILE *out)
{
    fputs("\n| attribute | type | unit | meaning |\n|---|---|---|---|\n", out);
    for (const struct data_field *f = fields; f->name; f++) {
        fprintf(out, "| `%s` | %s | %s | ", f->name, type_of(dataset_stored(f->kind)),
                unit_or_dash(f->units));
        print_meaning(f, f->long_name, out);
    }
}

static const char *coordinate_type(const struct dataset_dim *dim)
{
    bool named = dim->axis == DATASET_AXIS_NAMED || dim->axis == DATASET_AXIS_NAMES;
    bool numbered = dim->axis == DATASET_AXIS_NUMBERED || dim->axis == DATASET_AXIS_GRID;
    return type_of(named ? CONTENT_TEXT : numbered ? CONTENT_U32 : CONTENT_F64);
}

static void print_dim(const struct dataset_dim *dim, FILE *out)
{
    fprintf(out, "| `%s` | %s | %s | %s; %s", dim->name, coordinate_type(dim),
            unit_or_dash(dim->units), dim->long_name, axis_texts[dim->axis]);
    for (uint32_t i = 0; i < dim->n; i++) {
        fputs(i ? ", " : ": ", out);
        if (dim->names)
            fputs(dim->names[i], out);
        else
            fprintf(out, "%g", dim->numbers[i]);
    }
    fputs(" |\n", out);
}

static void print_dims_of(const struct dataset_array *array, const struct dataset_view *view,
                          FILE *out)
{
    fputs(" | ", out);
    for (const char *const *d = array->dims; *d; d++)
        fprintf(out, "%s%s", d == array->dims ? "" : ", ", *d);
    if (view->inner)
        fprintf(out, "%s%s", array->dims[0] ? ", " : "", view->inner);
    if (!array->dims[0] && !view->inner)
        fputs("-", out);
    fputs(" | ", out);
}

// The variables of a view; those of a folded table are as dataset_each_column() makes them.
static void print_view(const struct dataset_array *array, const struct dataset_view *view,
                       FILE *out)
{
    const char *prefix = view->prefix ? view->prefix : "";
    bool folded = array->flags & DATASET_SPREAD;
    for (const struct data_field *f = view->fields; f && f->name; f++) {
        bool real = f->kind == DATA_KIND_NUMBER || f->kind == DATA_KIND_ESTIMATE;
        if (folded && !real)
            continue;
        fprintf(out, "| `%s%s`", prefix, f->name);
        if (folded || f->kind == DATA_KIND_ESTIMATE)
            fprintf(out, ", `%s%s_half_95`", prefix, f->name);
        fprintf(out, " | %s", type_of(dataset_stored(f->kind)));
        print_dims_of(array, view, out);
        fprintf(out, "%s | ", unit_or_dash(f->units));
        print_meaning(f, f->long_name, out);
    }
    if (view->own_fields) {
        fputs("| the settings | uint64", out);
        print_dims_of(array, view, out);
        fputs("the setting's | a variable for each setting that the scheduler has, by its name "
              "(`recfleet list schedulers`) |\n",
              out);
    }
}

static bool is_first_of_group(const struct dataset_layout *layout,
                              const struct dataset_array *array)
{
    const struct dataset_array *a = layout->arrays;
    while (strcmp(a->group, array->group) != 0)
        a++;
    return a == array;
}

static bool same_views(const struct dataset_array *a, const struct dataset_array *b)
{
    for (int i = 0; i < DATASET_MAX_VIEWS; i++) {
        const struct dataset_view *v = &a->views[i], *w = &b->views[i];
        if (v->fields != w->fields || v->own_fields != w->own_fields ||
            !!v->prefix != !!w->prefix || (v->prefix && strcmp(v->prefix, w->prefix) != 0))
            return false;
    }
    return true;
}

// The first array with the very variables of this one, so that a reader sees at a glance that they
// are the same; itself where there is none, or where they are few.
static const struct dataset_array *like(const struct dataset_layout *layout,
                                        const struct dataset_array *array)
{
    const struct dataset_array *a = layout->arrays;
    size_t n = 0;
    for (const struct dataset_view *v = array->views; v->fields; v++)
        for (const struct data_field *f = v->fields; f->name; f++)
            n++;
    while (a != array && (n < FEW || !same_views(a, array)))
        a++;
    return a;
}

// Has another array of the group already said that it is as in that group?
static bool is_said(const struct dataset_layout *layout, const struct dataset_array *array)
{
    const struct dataset_array *first = like(layout, array);
    for (const struct dataset_array *a = layout->arrays; a != array; a++) {
        if (strcmp(a->group, array->group) == 0 && like(layout, a) != a &&
            strcmp(like(layout, a)->group, first->group) == 0)
            return true;
    }
    return false;
}

static void print_array(const struct dataset_layout *layout, const struct dataset_array *array,
                        FILE *out)
{
    const struct dataset_array *first = like(layout, array);
    if (first == array) {
        for (const struct dataset_view *v = array->views; v->fields || v->own_fields; v++)
            print_view(array, v, out);
    } else if (!is_said(layout, array)) {
        bool folded = array->flags & DATASET_SPREAD;
        fprintf(out, "| as in `%s` | as there", first->group);
        print_dims_of(array, array->views, out);
        fprintf(out, "as there | %s |\n",
                folded ? "only those of `float64`, each with `_half_95`" : "as there");
    }
}

static void print_group(const struct dataset_layout *layout, const char *group, FILE *out)
{
    const struct dataset_group *about = layout->groups;
    while (about && about->group && strcmp(about->group, group) != 0)
        about++;
    bool optional = true;
    for (const struct dataset_array *a = layout->arrays; a->name; a++)
        optional = optional && (strcmp(a->group, group) != 0 ||
                                (a->flags & (DATASET_OPTIONAL | DATASET_NO_EMPTY)));
    fprintf(out, "\n### %s: `%s`\n", layout->kind, group);
    if (about && about->group)
        fprintf(out, "\n%s.%s\n", about->help,
                optional ? " What has nothing to say is not in the file." : "");
    fputs("\n| variable | type | dimensions | unit | meaning |\n|---|---|---|---|---|\n", out);
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (strcmp(a->group, group) == 0)
            print_array(layout, a, out);
    }
}

void dataset_page_print(const struct dataset_layout *layout, FILE *out)
{
    fprintf(out, "\n## The file of a %s\n\nThe attribute `kind` is \"%s\". Attributes of `/`:\n",
            layout->title, layout->kind);
    dataset_page_attributes(layout->head, out);
    fputs("\n| dimension | type | unit | meaning |\n|---|---|---|---|\n", out);
    for (const struct dataset_dim *dim = layout->dims; dim->name; dim++)
        print_dim(dim, out);
    for (const struct dataset_array *a = layout->arrays; a->name; a++) {
        if (is_first_of_group(layout, a))
            print_group(layout, a->group, out);
    }
}
