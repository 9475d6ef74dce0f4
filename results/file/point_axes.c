// SPDX-License-Identifier: Apache-2.0
#include "results/file/point_axes.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

// A plain decimal number, as a person would write it.
static bool is_number(const char *label, double *value)
{
    char *end;
    if (label[0] == '\0' || strspn(label, "+-.0123456789eE") != strlen(label))
        return false;
    *value = strtod(label, &end);
    return *end == '\0' && isfinite(*value);
}

// A quantity as it stands in a study, in one unit.
static bool is_quantity(const char *label, int unit, double *value)
{
    return units_parse((enum unit)unit, label, value, NULL) == 0;
}

// The numbers of all labels, when all are quantities of that unit (-1: plain numbers); else NULL.
static double *numbers_in(const struct sweep_axis *axis, int unit)
{
    double *numbers = mem_calloc(axis->n_labels, sizeof *numbers);
    for (uint32_t i = 0; i < axis->n_labels; i++) {
        const char *label = axis->labels[i];
        if (unit < 0 ? is_number(label, &numbers[i]) : is_quantity(label, unit, &numbers[i]))
            continue;
        mem_free(numbers);
        return NULL;
    }
    return numbers;
}

// No text is a quantity of two units but "0", so the first unit that fits all is the one.
static void find_numbers(struct point_axis *view, const struct sweep_axis *axis)
{
    static const struct {
        int unit;
        const char *units;
    } known[] = {{-1, "1"},
                 {UNIT_TIME, "s"},
                 {UNIT_RATE, "s-1"},
                 {UNIT_ITEMS, "items"},
                 {UNIT_FRAC, "1"},
                 {UNIT_POWER, "W"},
                 {UNIT_ENERGY, "J"},
                 {UNIT_BYTES, "byte"},
                 {UNIT_BW, "byte s-1"},
                 {UNIT_FLOPS, "s-1"},
                 {UNIT_FLOP, "1"},
                 {UNIT_HZ, "Hz"},
                 {UNIT_PRICE, "USD h-1"},
                 {UNIT_CARBON, "g kW-1 h-1"}};
    for (size_t i = 0; i < sizeof known / sizeof *known && !view->numbers; i++) {
        view->numbers = numbers_in(axis, known[i].unit);
        view->units = known[i].units;
    }
    if (view->numbers)
        view->value_variable = mem_printf("%s_value", view->variable);
}

// With or without "_value" behind it, is the name one of something else, or of an axis before?
static bool is_taken(const char *name, const struct dataset_layout *own,
                     const struct point_axis *before, uint32_t n)
{
    char *value = mem_printf("%s_value", name);
    bool taken = dataset_uses_name(own, name) || dataset_uses_name(own, value);
    for (uint32_t i = 0; i < n && !taken; i++) {
        char *other = mem_printf("%s_value", before[i].variable);
        taken = strcmp(name, before[i].variable) == 0 || strcmp(name, other) == 0 ||
                strcmp(value, before[i].variable) == 0;
        mem_free(other);
    }
    mem_free(value);
    return taken;
}

static char *variable_of(const char *axis, const struct dataset_layout *own,
                         const struct point_axis *before, uint32_t n)
{
    char *name = mem_strdup(axis[0] ? axis : "axis");
    for (char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_')
            *c = '_';
    }
    while (is_taken(name, own, before, n) || !isalpha((unsigned char)name[0])) {
        char *longer = mem_printf("axis_%s", name);
        mem_free(name);
        name = longer;
    }
    return name;
}

struct point_axis *point_axes_create(const struct sweep_result *p,
                                     const struct dataset_layout *taken)
{
    struct point_axis *axes = mem_calloc(p->n_axes, sizeof *axes);
    for (uint32_t a = 0; a < p->n_axes; a++) {
        axes[a].variable = variable_of(p->axes[a].name, taken, axes, a);
        axes[a].long_name = p->axes[a].name;
        find_numbers(&axes[a], &p->axes[a]);
    }
    return axes;
}

void point_axes_destroy(struct point_axis *axes, uint32_t n)
{
    for (uint32_t a = 0; a < n; a++) {
        mem_free(axes[a].variable);
        mem_free(axes[a].value_variable);
        mem_free(axes[a].numbers);
    }
    mem_free(axes);
}
