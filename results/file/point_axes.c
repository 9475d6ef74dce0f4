// SPDX-License-Identifier: Apache-2.0
#include "results/file/point_axes.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/replications.h"

// A plain decimal number, as a person would write it.
static bool is_number(const char *label, double *value)
{
    char *end;
    if (label[0] == '\0' || strspn(label, "+-.0123456789eE") != strlen(label))
        return false;
    *value = strtod(label, &end);
    return *end == '\0' && isfinite(*value);
}

static double *numbers_of(const struct sweep_axis *axis)
{
    double *numbers = mem_calloc(axis->n_labels, sizeof *numbers);
    for (uint32_t i = 0; i < axis->n_labels; i++) {
        if (!is_number(axis->labels[i], &numbers[i])) {
            mem_free(numbers);
            return NULL;
        }
    }
    return numbers;
}

static bool in_fields(const char *name, const char *prefix, const struct summary_field *fields)
{
    size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0)
        return false;
    for (const struct summary_field *f = fields; f->name; f++) {
        size_t length = strlen(f->name);
        const char *rest = name + n + length;
        if (strncmp(name + n, f->name, length) == 0 &&
            (*rest == '\0' || strcmp(rest, "_half_95") == 0 || strcmp(rest, "_half_99") == 0 ||
             strcmp(rest, "_n_batches") == 0))
            return true;
    }
    return false;
}

static bool in_texts(const char *name, const struct sweep_text *texts)
{
    for (const struct sweep_text *t = texts; t->name; t++) {
        if (strcmp(name, t->name) == 0)
            return true;
    }
    return false;
}

// Is it the name of anything else in the file?
static bool is_own(const char *name)
{
    const char *const own[] = {"point",
                               "case",
                               "service",
                               "group",
                               "component",
                               "quantile",
                               "latency_s",
                               "latency_s_half_95",
                               "latency_s_half_99",
                               "latency_s_n_batches",
                               "service_name",
                               "model_name",
                               "group_name",
                               "platform_name",
                               "n_servers",
                               "total",
                               "summary",
                               "groups",
                               "folded",
                               "study",
                               "run"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(name, own[i]) == 0)
            return true;
    }
    return in_fields(name, "", sweep_result_fields) ||
           in_fields(name, "", sweep_result_run_fields) ||
           in_fields(name, "", replications_case_fields) ||
           in_fields(name, "", summary_service_fields) ||
           in_fields(name, "", summary_group_fields) || in_fields(name, "", summary_fleet_fields) ||
           in_fields(name, "component_", summary_component_fields) ||
           in_texts(name, sweep_result_texts) || in_texts(name, sweep_result_run_texts);
}

// With or without "_value" behind it, is the name one of something else, or of an axis before?
static bool is_taken(const char *name, const struct point_axis *before, uint32_t n)
{
    char *value = mem_printf("%s_value", name);
    bool taken = is_own(name) || is_own(value);
    for (uint32_t i = 0; i < n && !taken; i++) {
        char *other = mem_printf("%s_value", before[i].variable);
        taken = strcmp(name, before[i].variable) == 0 || strcmp(name, other) == 0 ||
                strcmp(value, before[i].variable) == 0;
        mem_free(other);
    }
    mem_free(value);
    return taken;
}

static char *variable_of(const char *axis, const struct point_axis *before, uint32_t n)
{
    char *name = mem_strdup(axis[0] ? axis : "axis");
    for (char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_')
            *c = '_';
    }
    while (is_taken(name, before, n) || !isalpha((unsigned char)name[0])) {
        char *longer = mem_printf("axis_%s", name);
        mem_free(name);
        name = longer;
    }
    return name;
}

struct point_axis *point_axes_create(const struct sweep_result *p)
{
    struct point_axis *axes = mem_calloc(p->n_axes, sizeof *axes);
    for (uint32_t a = 0; a < p->n_axes; a++) {
        axes[a].variable = variable_of(p->axes[a].name, axes, a);
        axes[a].numbers = numbers_of(&p->axes[a]);
        if (axes[a].numbers)
            axes[a].value_variable = mem_printf("%s_value", axes[a].variable);
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
