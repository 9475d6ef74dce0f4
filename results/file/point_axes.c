// SPDX-License-Identifier: Apache-2.0
#include "results/file/point_axes.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "results/data_field.h"

struct point_axes point_axes_create(uint32_t n_axes, uint32_t n_points)
{
    return (struct point_axes){n_axes, n_points, mem_calloc(n_axes, sizeof(struct point_axis)),
                               mem_calloc((size_t)n_points * n_axes, sizeof(uint32_t))};
}

static void release_axis(struct point_axis *axis)
{
    for (uint32_t i = 0; i < axis->n_labels; i++)
        mem_free(axis->labels[i]);
    mem_free(axis->labels);
    mem_free(axis->name);
    *axis = (struct point_axis){NULL, 0, NULL};
}

void point_axes_release(struct point_axes *axes)
{
    for (uint32_t a = 0; axes->axes && a < axes->n_axes; a++)
        release_axis(&axes->axes[a]);
    mem_free(axes->axes);
    mem_free(axes->values);
    *axes = (struct point_axes){0, 0, NULL, NULL};
}

char *point_axes_line(const char *text)
{
    char *line = mem_strdup(text ? text : "");
    for (char *c = line; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    return line;
}

void point_axes_set(struct point_axes *axes, uint32_t axis, const char *name,
                    const char *const *labels, uint32_t n_labels)
{
    assert(axis < axes->n_axes);
    struct point_axis *a = &axes->axes[axis];
    release_axis(a);
    *a = (struct point_axis){point_axes_line(name), n_labels,
                             mem_calloc(n_labels, sizeof *a->labels)};
    for (uint32_t i = 0; i < n_labels; i++)
        a->labels[i] = point_axes_line(labels[i]);
}

static int by_label(const void *a, const void *b, void *labels)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(((char **)labels)[x], ((char **)labels)[y]);
    return order ? order : (x > y) - (x < y);
}

// Sorted, because an axis may have as many labels as there are points (a sweep over a thousand
// rates), and comparing all with all would take as long as the simulations of small ones.
void point_axes_take(struct point_axes *axes, uint32_t axis, const char *name,
                     const char *const *labels)
{
    uint32_t n = axes->n_points, n_labels = 0, *order = mem_calloc(n, sizeof *order),
             *first = mem_calloc(n, sizeof *first);
    const char **found = mem_calloc(n, sizeof *found);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, by_label, (void *)(uintptr_t)labels);
    for (uint32_t i = 0; i < n; i++) {
        bool same = i > 0 && strcmp(labels[order[i]], labels[order[i - 1]]) == 0;
        first[order[i]] = same ? first[order[i - 1]] : order[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *value = &axes->values[(size_t)i * axes->n_axes + axis];
        if (first[i] == i)
            found[n_labels] = labels[i];
        *value = first[i] == i ? n_labels++ : axes->values[(size_t)first[i] * axes->n_axes + axis];
    }
    point_axes_set(axes, axis, name, found, n_labels);
    mem_free(order);
    mem_free(first);
    mem_free(found);
}

const char *point_axes_label(const struct point_axes *axes, uint32_t point, uint32_t axis)
{
    assert(point < axes->n_points && axis < axes->n_axes);
    return axes->axes[axis].labels[axes->values[(size_t)point * axes->n_axes + axis]];
}

char *point_axes_name(const struct point_axes *axes, uint32_t point, const char *between)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        char *longer = mem_printf("%s%s%s=%s", name, a > 0 ? between : "", axes->axes[a].name,
                                  point_axes_label(axes, point, a));
        mem_free(name);
        name = longer;
    }
    return name;
}

static bool is_among(int axis, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == axis)
            return true;
    return false;
}

char *point_axes_short(const struct point_axes *axes, uint32_t point, const char *between,
                       const int *but, size_t n_but)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        if (axes->axes[a].n_labels < 2 || is_among((int)a, but, n_but))
            continue;
        const char *label = point_axes_label(axes, point, a);
        bool word = isalpha((unsigned char)label[0]) || (unsigned char)label[0] >= 0x80;
        char *longer = mem_printf("%s%s%s%s%s", name, *name ? between : "",
                                  word ? "" : axes->axes[a].name, word ? "" : "=", label);
        mem_free(name);
        name = longer;
    }
    return name;
}

// No text is a quantity of two units but "0", so the first unit that fits all is the one.
double *point_axes_numbers(const struct point_axis *axis, const char **units)
{
    double *numbers = mem_calloc(axis->n_labels, sizeof *numbers);
    for (int unit = 0; unit < N_UNITS; unit++) {
        uint32_t n = 0;
        while (n < axis->n_labels &&
               units_parse((enum unit)unit, axis->labels[n], &numbers[n], NULL) == 0)
            n++;
        *units = data_field_units((enum unit)unit);
        if (n == axis->n_labels)
            return numbers;
    }
    mem_free(numbers);
    return NULL;
}
