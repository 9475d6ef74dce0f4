// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_tuning.h"

#include <string.h>

#include "base/mem.h"
#include "results/file/h5_read.h"

// More than any study has; a forged file must not make us multiply beyond what fits.
#define MOST_CELLS 100000000u
#define MOST_POLICIES 10000u
#define MOST_AXES 1000u

// One axis: the variable over the cells, and its labels.
static void read_axis(struct h5_reader *r, struct tuning_result *t, uint32_t axis,
                      const char *variable)
{
    struct tuning_axis *a = &t->axes[axis];
    char *path = mem_printf("/%s", variable);
    struct h5_rows cells = {t->labels, t->n_axes * sizeof *t->labels, t->n_cells};
    h5_read_column(r, path, &cells, axis * sizeof *t->labels, sizeof *t->labels, false);
    uint32_t n = h5_read_n_names(r, path, "names");
    a->n_labels = n > 0 ? n : 1; // one label that is empty
    a->labels = mem_calloc(a->n_labels, sizeof *a->labels);
    struct h5_rows labels = {a->labels, sizeof *a->labels, a->n_labels};
    h5_read_names(r, path, "names", &labels, 0);
    for (uint32_t i = 0; i < t->n_cells && !h5_read_failed(r); i++) {
        if (t->labels[(size_t)i * t->n_axes + axis] >= a->n_labels)
            h5_read_fail(r, "holds an unknown code", path);
    }
    mem_free(path);
}

static void read_axes(struct h5_reader *r, struct tuning_result *t)
{
    struct h5_rows names = {t->axes, sizeof *t->axes, t->n_axes};
    if (t->n_axes > 0)
        h5_read_names(r, "/", "axes", &names, offsetof(struct tuning_axis, name));
    char *variables = h5_read_text(r, "/", "coordinates"), *rest = NULL;
    char *variable = strtok_r(variables, " ", &rest);
    uint32_t a = 0;
    for (; a < t->n_axes && variable && !h5_read_failed(r); a++) {
        read_axis(r, t, a, variable);
        variable = strtok_r(NULL, " ", &rest);
    }
    if (a < t->n_axes || variable)
        h5_read_fail(r, "lists another number of coordinates than of axes", "/");
    mem_free(variables);
}

static void read_path(struct h5_reader *r, struct tuning_result *t)
{
    uint64_t n = h5_read_extent(r, "/path/step");
    t->steps = mem_calloc(n, sizeof *t->steps);
    t->n_steps = t->steps_cap = n;
    struct h5_rows rows = {t->steps, sizeof *t->steps, n};
    h5_read_fields(r, "/path/", &rows, tuning_result_step_fields);
    for (uint64_t i = 0; i < n && !h5_read_failed(r); i++) {
        if (t->steps[i].cell >= t->n_cells)
            h5_read_fail(r, "holds an unknown cell", "/path/cell");
        if (t->steps[i].policy >= t->n_policies)
            h5_read_fail(r, "holds an unknown policy", "/path/policy");
    }
}

static void read_root(struct h5_reader *r, struct tuning_result *t)
{
    t->name = h5_read_text(r, "/", "study_name");
    t->program_version = h5_read_text(r, "/", "program_version");
    h5_read_attribute(r, "/", "seed", 8, false, &t->seed);
    h5_read_attribute(r, "/", "sla_quantile", 8, true, &t->sla_quantile);
    h5_read_attribute(r, "/", "p99_bound", 8, true, &t->p99_bound);
    t->study = h5_read_bytes(r, "/study/text");
    if (!(t->sla_quantile > 0 && t->sla_quantile < 1))
        h5_read_fail(r, "has an impossible quantile of the target", "/");
}

// NULL when the file's shape is impossible.
static struct tuning_result *read_all(struct h5_reader *r)
{
    uint64_t n_cells = h5_read_extent(r, "/cell"), n_policies = h5_read_extent(r, "/policy");
    uint64_t n_outcomes = h5_read_extent(r, "/qps");
    uint32_t n_axes = h5_read_n_names(r, "/", "axes");
    if (n_cells == 0 || n_policies == 0 || n_cells > MOST_CELLS || n_policies > MOST_POLICIES ||
        n_axes > MOST_AXES || n_cells * n_policies != n_outcomes)
        h5_read_fail(r, "has an impossible number of cells, policies or axes", "the file");
    if (h5_read_failed(r))
        return NULL;
    struct tuning_result *t = tuning_result_create(n_axes, (uint32_t)n_cells, (uint32_t)n_policies);
    struct h5_rows outcomes = {t->outcomes, sizeof *t->outcomes, n_outcomes};
    struct h5_rows policies = {t->policies, sizeof *t->policies, n_policies};
    read_root(r, t);
    h5_read_names(r, "/policy", "names", &policies, 0);
    read_axes(r, t);
    h5_read_fields(r, "/", &outcomes, tuning_result_outcome_fields);
    read_path(r, t);
    h5_read_fields(r, "/run/", &outcomes, tuning_result_wall_fields);
    return t;
}

static struct tuning_result *read_file(const char *path, struct err *err)
{
    struct h5_reader *r = h5_read_open(path, "tuning", err);
    if (!r)
        return NULL;
    struct tuning_result *t = read_all(r);
    if (h5_read_close(r) == 0)
        return t;
    tuning_result_destroy(t);
    return NULL;
}

static void try_file(void *path)
{
    tuning_result_destroy(read_file(path, NULL));
}

struct tuning_result *load_tuning_open(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = h5_read_survives(path, try_file, copy, err);
    mem_free(copy);
    return rc == 0 ? read_file(path, err) : NULL;
}
