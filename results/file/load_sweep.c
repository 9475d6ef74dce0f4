// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_sweep.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/h5_read.h"

// More than any study has; a forged file must not make us multiply beyond what fits.
#define MOST_POINTS 10000000u
#define MOST_ROWS 100000000u // points times services, or groups
#define MOST_AXES 1000u

// The labels of a dataset of codes, as many as there are, at least one; *n of them.
static char **read_labels(struct h5_reader *r, const char *path, uint32_t *n)
{
    uint32_t lines = h5_read_n_names(r, path, "names");
    *n = lines > 0 ? lines : 1; // one label that is empty
    char **labels = mem_calloc(*n, sizeof *labels);
    struct h5_rows rows = {labels, sizeof *labels, *n};
    h5_read_names(r, path, "names", &rows, 0);
    return labels;
}

static void free_labels(char **labels, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        mem_free(labels[i]);
    mem_free(labels);
}

// ---- axes

static void read_axis(struct h5_reader *r, struct sweep_result *p, uint32_t axis,
                      const char *variable)
{
    struct sweep_axis *a = &p->axes[axis];
    char *path = mem_printf("/%s", variable);
    struct h5_rows rows = {p->values, p->n_axes * sizeof *p->values, p->n_points};
    h5_read_column(r, path, &rows, axis * sizeof *p->values, sizeof *p->values, false);
    a->labels = read_labels(r, path, &a->n_labels);
    for (uint32_t i = 0; i < p->n_points && !h5_read_failed(r); i++) {
        if (p->values[(size_t)i * p->n_axes + axis] >= a->n_labels)
            h5_read_fail(r, "holds an unknown code", path);
    }
    mem_free(path);
}

static void read_axes(struct h5_reader *r, struct sweep_result *p)
{
    struct h5_rows names = {p->axes, sizeof *p->axes, p->n_axes};
    if (p->n_axes > 0)
        h5_read_names(r, "/", "axes", &names, offsetof(struct sweep_axis, name));
    char *variables = h5_read_text(r, "/", "axis_variables"), *rest = NULL;
    char *replication = h5_read_text(r, "/", "replication_variable");
    char *variable = strtok_r(variables, " ", &rest);
    uint32_t a = 0;
    for (; a < p->n_axes && variable && !h5_read_failed(r); a++) {
        read_axis(r, p, a, variable);
        if (strcmp(variable, replication) == 0)
            p->replication = (int)a;
        variable = strtok_r(NULL, " ", &rest);
    }
    if (a < p->n_axes || variable)
        h5_read_fail(r, "lists another number of variables than of axes", "/");
    if (replication[0] && p->replication < 0)
        h5_read_fail(r, "names an axis of replications that is not there", "/");
    mem_free(replication);
    mem_free(variables);
}

// ---- texts

// One text per row, by its code, into the members at `offset`, instead of what is there.
static void read_texts(struct h5_reader *r, const char *path, const struct h5_rows *rows,
                       size_t offset)
{
    uint32_t n_labels;
    char **labels = read_labels(r, path, &n_labels);
    uint32_t *codes = mem_calloc(rows->n, sizeof *codes);
    h5_read_numbers(r, path, rows->n, sizeof *codes, false, codes);
    for (size_t i = 0; i < rows->n && !h5_read_failed(r); i++) {
        char *at = (char *)rows->base + i * rows->stride + offset, *text;
        if (codes[i] >= n_labels) {
            h5_read_fail(r, "holds an unknown code", path);
            break;
        }
        memcpy(&text, at, sizeof text);
        mem_free(text);
        text = mem_strdup(labels[codes[i]]);
        memcpy(at, &text, sizeof text);
    }
    mem_free(codes);
    free_labels(labels, n_labels);
}

static void read_point_texts(struct h5_reader *r, struct sweep_result *p, const char *prefix,
                             const struct sweep_text *texts)
{
    struct h5_rows rows = {p->points, sizeof *p->points, p->n_points};
    for (const struct sweep_text *t = texts; t->name; t++) {
        char *path = mem_printf("%s%s", prefix, t->name);
        read_texts(r, path, &rows, t->offset);
        mem_free(path);
    }
}

// ---- numbers

static void read_services(struct h5_reader *r, struct sweep_result *p)
{
    size_t n = (size_t)p->n_points * p->n_services;
    struct h5_rows services = {p->services, sizeof *p->services, n};
    struct h5_rows names = {p->service_names, sizeof *p->service_names, n};
    struct h5_rows totals = {p->totals, sizeof *p->totals, p->n_points};
    struct h5_rows fleets = {p->fleets, sizeof *p->fleets, p->n_points};
    h5_read_services(r, "/summary/", &services);
    h5_read_latency(r, "/summary/latency_s", p->services, n);
    read_texts(r, "/summary/service_name", &names, offsetof(struct sweep_service, name));
    read_texts(r, "/summary/model_name", &names, offsetof(struct sweep_service, model));
    h5_read_services(r, "/total/", &totals);
    h5_read_latency(r, "/total/latency_s", p->totals, p->n_points);
    h5_read_fields(r, "/total/", &fleets, summary_fleet_fields);
}

static void read_groups(struct h5_reader *r, struct sweep_result *p)
{
    size_t n = (size_t)p->n_points * p->n_groups;
    struct h5_rows groups = {p->groups, sizeof *p->groups, n};
    struct h5_rows names = {p->group_names, sizeof *p->group_names, n};
    h5_read_fields(r, "/groups/", &groups, summary_group_fields);
    h5_read_parts(r, "/groups/component_", p->groups, n);
    read_texts(r, "/groups/group_name", &names, offsetof(struct sweep_group, name));
    read_texts(r, "/groups/platform_name", &names, offsetof(struct sweep_group, platform));
    h5_read_column(r, "/groups/n_servers", &names, offsetof(struct sweep_group, n_servers), 4,
                   false);
}

// Does the point say of itself what cannot be?
static bool is_impossible(const struct sweep_result *p, const struct sweep_point *point)
{
    bool done = point->state == SWEEP_DONE;
    return point->n_services > p->n_services || point->n_groups > p->n_groups ||
           (done && (point->n_services == 0 || point->n_groups == 0)) ||
           (done &&
            !(point->measured_from_s >= 0 && point->measured_to_s >= point->measured_from_s &&
              point->measured_to_s < 9e9));
}

// The measured time in whole nanoseconds, which the summary has beside the seconds.
static void read_points(struct h5_reader *r, struct sweep_result *p)
{
    struct h5_rows rows = {p->points, sizeof *p->points, p->n_points};
    h5_read_fields(r, "/", &rows, sweep_result_fields);
    h5_read_fields(r, "/run/", &rows, sweep_result_run_fields);
    read_point_texts(r, p, "/", sweep_result_texts);
    read_point_texts(r, p, "/run/", sweep_result_run_texts);
    for (uint32_t i = 0; i < p->n_points && !h5_read_failed(r); i++) {
        const struct sweep_point *point = &p->points[i];
        if (is_impossible(p, point))
            h5_read_fail(r, "holds a point with impossible counts or times", "the file");
        if (h5_read_failed(r) || point->state != SWEEP_DONE)
            continue;
        p->fleets[i].from_ns = llrint(point->measured_from_s * 1e9);
        p->fleets[i].to_ns = llrint(point->measured_to_s * 1e9);
    }
}

// ---- the whole

// NULL when the file's shape is impossible.
static struct sweep_result *read_all(struct h5_reader *r)
{
    uint64_t n_points = h5_read_extent(r, "/point"), n_states = h5_read_extent(r, "/state");
    uint64_t n_services = h5_read_extent(r, "/summary/service");
    uint64_t n_groups = h5_read_extent(r, "/groups/group");
    uint32_t n_axes = h5_read_n_names(r, "/", "axes");
    if (n_points == 0 || n_points > MOST_POINTS || n_states != n_points || n_axes > MOST_AXES ||
        n_services == 0 || n_services > MOST_ROWS / n_points || n_groups == 0 ||
        n_groups > MOST_ROWS / n_points || n_axes > MOST_ROWS / n_points ||
        h5_read_extent(r, "/summary/n_queries") != n_points * n_services ||
        h5_read_extent(r, "/groups/n_servers") != n_points * n_groups)
        h5_read_fail(r, "has an impossible number of points, services, groups or axes", "the file");
    if (h5_read_failed(r))
        return NULL;
    struct sweep_result *p = sweep_result_create(n_axes, (uint32_t)n_points);
    sweep_result_reserve(p, (uint32_t)n_services, (uint32_t)n_groups);
    p->study_name = h5_read_text(r, "/", "study_name");
    p->program_version = h5_read_text(r, "/", "program_version");
    p->study_text = h5_read_bytes(r, "/study/text");
    read_axes(r, p);
    read_services(r, p);
    read_groups(r, p);
    read_points(r, p);
    return p;
}

static struct sweep_result *read_file(const char *path, struct err *err)
{
    struct h5_reader *r = h5_read_open(path, "sweep", err);
    if (!r)
        return NULL;
    struct sweep_result *p = read_all(r);
    if (h5_read_close(r) == 0)
        return p;
    sweep_result_destroy(p);
    return NULL;
}

static void try_file(void *path)
{
    sweep_result_destroy(read_file(path, NULL));
}

struct sweep_result *load_sweep_open(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = h5_read_survives(path, try_file, copy, err);
    mem_free(copy);
    return rc == 0 ? read_file(path, err) : NULL;
}
