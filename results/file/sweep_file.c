// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/dataset_read.h"
#include "results/file/dataset_write.h"
#include "results/file/sweep_layout.h"

// ---- writing

// The axes' names, or those of their variables, with `between` between them.
static char *list_of(const struct sweep_result *p, const struct point_axis *axes, char between)
{
    char *list = mem_strdup("");
    for (uint32_t a = 0; a < p->n_axes; a++) {
        const char *name = axes ? axes[a].variable : p->axes[a].name;
        char *longer = a > 0 ? mem_printf("%s%c%s", list, between, name) : mem_strdup(name);
        mem_free(list);
        list = longer;
    }
    return list;
}

// Every axis over n rows, each of which has the labels of a point (NULL: of the one of its number).
static void fill_slots(struct sweep_slot *slots, const struct sweep_result *p,
                       const struct point_axis *axes, const struct replications_case *cases,
                       uint32_t n)
{
    for (uint32_t a = 0; a < p->n_axes; a++) {
        slots[a].labels = mem_calloc(n, sizeof *slots[a].labels);
        slots[a].numbers = mem_calloc(n, sizeof *slots[a].numbers);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t value = p->values[(size_t)(cases ? cases[i].point : i) * p->n_axes + a];
            slots[a].labels[i] = p->axes[a].labels[value];
            slots[a].numbers[i] = axes[a].numbers ? axes[a].numbers[value] : NAN;
        }
    }
}

static void fill_cases(struct sweep_frame *f, const struct replications *fold)
{
    const struct sweep_result *p = fold->points;
    f->n_cases = fold->n_cases;
    f->cases = fold->cases;
    f->case_sla = fold->sla;
    f->case_services = mem_calloc((size_t)fold->n_cases * p->n_services, sizeof *f->case_services);
    f->case_groups = mem_calloc((size_t)fold->n_cases * p->n_groups, sizeof *f->case_groups);
    for (uint32_t c = 0; c < fold->n_cases; c++) {
        size_t point = fold->cases[c].point;
        memcpy(f->case_services + (size_t)c * p->n_services,
               p->service_names + point * p->n_services, p->n_services * sizeof *f->case_services);
        memcpy(f->case_groups + (size_t)c * p->n_groups, p->group_names + point * p->n_groups,
               p->n_groups * sizeof *f->case_groups);
    }
    for (int part = 0; part < N_REPLICATED_TABLES; part++)
        f->folded[part] = fold->tables[part].values;
}

static struct sweep_frame *frame_of(const struct sweep_result *p, const struct point_axis *axes,
                                    const struct replications *fold, size_t size)
{
    struct sweep_frame *f = mem_calloc(1, size);
    *f = (struct sweep_frame){.result = *p,
                              .axes = list_of(p, NULL, '\n'),
                              .axis_variables = list_of(p, axes, ' '),
                              .replication_variable =
                                  p->replication >= 0 ? axes[p->replication].variable : NULL,
                              .runs = p->points};
    fill_slots(f->slots, p, axes, NULL, p->n_points);
    if (fold) {
        fill_cases(f, fold);
        fill_slots(f->slots + p->n_axes, p, axes, fold->cases, fold->n_cases);
    }
    return f;
}

static void release(struct sweep_frame *f, uint32_t n_axes)
{
    for (uint32_t i = 0; i < 2 * n_axes; i++) {
        mem_free(f->slots[i].labels);
        mem_free(f->slots[i].numbers);
    }
    mem_free(f->axes);
    mem_free(f->axis_variables);
    mem_free(f->case_services);
    mem_free(f->case_groups);
    mem_free(f);
}

int sweep_file_write(const char *path, bool force, const struct sweep_result *points,
                     struct err *err)
{
    struct replications *fold = points->replication >= 0 ? replications_create(points) : NULL;
    struct point_axis *axes = point_axes_create(points, &sweep_layout_names);
    struct sweep_layout *layout = sweep_layout_create(axes, points->n_axes, fold);
    const struct dataset_layout *of = sweep_layout_of(layout);
    struct sweep_frame *frame = frame_of(points, axes, fold, of->size);
    int rc = dataset_write(of, frame, NULL, path, force, err);
    release(frame, points->n_axes);
    sweep_layout_destroy(layout);
    point_axes_destroy(axes, points->n_axes);
    replications_destroy(fold);
    return rc;
}

// ---- reading: the axes

// The parts of a list, which is cut up; *n of them, none of "".
static char **parts_of(char *list, const char *between, uint32_t *n)
{
    char **parts = NULL, *rest = list[0] ? list : NULL, *part;
    *n = 0;
    while ((part = strsep(&rest, between))) {
        parts = mem_realloc(parts, *n + 1, sizeof *parts);
        parts[(*n)++] = part;
    }
    return parts;
}

static int by_label(const void *a, const void *b, void *labels)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(((char **)labels)[x], ((char **)labels)[y]);
    return order ? order : (x > y) - (x < y);
}

// Labels get the numbers in which the points have them first.
static void take_axis(struct sweep_result *p, uint32_t axis, char **labels)
{
    struct sweep_axis *a = &p->axes[axis];
    uint32_t n = p->n_points, *order = mem_calloc(n, sizeof *order),
             *first = mem_calloc(n, sizeof *first);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, by_label, labels);
    for (uint32_t i = 0; i < n; i++) {
        bool same = i > 0 && strcmp(labels[order[i]], labels[order[i - 1]]) == 0;
        first[order[i]] = same ? first[order[i - 1]] : order[i];
    }
    a->labels = mem_calloc(n, sizeof *a->labels);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *value = &p->values[(size_t)i * p->n_axes + axis];
        if (first[i] == i)
            a->labels[a->n_labels] = mem_strdup(labels[i]);
        *value = first[i] == i ? a->n_labels++ : p->values[(size_t)first[i] * p->n_axes + axis];
    }
    mem_free(order);
    mem_free(first);
}

// ---- reading: the rest

// What /run says of the points is in rows of its own.
static void take_runs(struct sweep_point *points, struct sweep_point *runs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (const struct data_field *f = sweep_result_run_fields; f->name; f++)
            memcpy((char *)&points[i] + f->offset, (char *)&runs[i] + f->offset,
                   data_field_bytes(f->kind));
    }
    mem_free(runs);
}

// The measured time in whole nanoseconds, which the summary has beside the seconds.
static void take_times(struct sweep_result *p)
{
    for (uint32_t i = 0; i < p->n_points; i++) {
        if (p->points[i].state != SWEEP_DONE)
            continue;
        p->fleets[i].from_ns = llrint(p->points[i].measured_from_s * 1e9);
        p->fleets[i].to_ns = llrint(p->points[i].measured_to_s * 1e9);
    }
}

// The frame's rows are the result's from now on; its labels and lists are not needed any more.
static struct sweep_result *take(struct sweep_frame *f, char *const *names, uint32_t n_axes,
                                 int replication)
{
    struct sweep_result *p = mem_calloc(1, sizeof *p);
    *p = f->result;
    p->n_axes = n_axes;
    p->replication = replication;
    p->axes = mem_calloc(n_axes, sizeof *p->axes);
    p->values = mem_calloc((size_t)p->n_points * n_axes, sizeof *p->values);
    for (uint32_t a = 0; a < n_axes; a++) {
        p->axes[a].name = mem_strdup(names[a]);
        take_axis(p, a, f->slots[a].labels);
        for (uint32_t i = 0; i < p->n_points; i++)
            mem_free(f->slots[a].labels[i]);
        mem_free(f->slots[a].labels);
    }
    take_runs(p->points, f->runs, p->n_points);
    take_times(p);
    mem_free(f->axes);
    mem_free(f->axis_variables);
    mem_free(f->replication_variable);
    return p;
}

// All of the file, whose axes are known by now.
static struct sweep_result *read_all(const char *path, char *const *names, char *const *variables,
                                     uint32_t n_axes, int replication, struct err *err)
{
    struct point_axis *axes = mem_calloc(n_axes, sizeof *axes);
    for (uint32_t a = 0; a < n_axes; a++)
        axes[a] = (struct point_axis){.variable = variables[a], .long_name = names[a]};
    struct sweep_layout *layout = sweep_layout_create(axes, n_axes, NULL);
    const struct dataset_layout *of = sweep_layout_of(layout);
    struct sweep_frame *f = mem_calloc(1, of->size);
    struct sweep_result *p = NULL;
    if (dataset_read(of, path, DATASET_ALL, f, NULL, err) == 0)
        p = take(f, names, n_axes, replication);
    sweep_layout_destroy(layout);
    mem_free(axes);
    mem_free(f);
    return p;
}

struct sweep_result *sweep_file_read(const char *path, struct err *err)
{
    struct sweep_frame head;
    uint32_t n_axes, n_variables;
    int replication = -1;
    struct sweep_result *p = NULL;
    if (dataset_read(&sweep_layout_head, path, DATASET_ALL, &head, NULL, err) != 0)
        return NULL;
    char **variables = parts_of(head.axis_variables, " ", &n_variables);
    char **names = parts_of(head.axes, "\n", &n_axes);
    for (uint32_t a = 0; a < n_variables; a++) {
        if (strcmp(variables[a], head.replication_variable) == 0)
            replication = (int)a;
    }
    if (n_axes != n_variables || (head.replication_variable[0] && replication < 0))
        err_set(err, ERR_STUDY,
                "%s: not a readable recfleet result: its list of axes makes no sense", path);
    else
        p = read_all(path, names, variables, n_axes, replication, err);
    mem_free(names);
    mem_free(variables);
    dataset_destroy(&sweep_layout_head, &head);
    return p;
}
