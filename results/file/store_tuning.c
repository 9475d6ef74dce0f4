// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_tuning.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/h5.h"
#include "results/file/store_shell.h"

// ---- rank 0's names on every rank

// What has a fixed size, for one broadcast.
struct shape {
    uint64_t seed, n_steps;
    double sla_quantile, p99_bound;
    uint32_t n_axes, n_cells, n_policies;
};

static void share_axis(MPI_Comm comm, const struct tuning_axis *mine, struct tuning_axis *axis)
{
    axis->n_labels = mine ? mine->n_labels : 0;
    MPI_Bcast(&axis->n_labels, 1, MPI_UINT32_T, 0, comm);
    axis->name = store_shell_share(comm, mine != NULL, mine ? mine->name : NULL);
    axis->labels = mem_calloc(axis->n_labels, sizeof *axis->labels);
    store_shell_share_names(comm, mine ? mine->labels : NULL, axis->labels, axis->n_labels);
}

// All of rank 0's tuning but the numbers of its rows, on every rank; caller frees.
static struct tuning_result *share_frame(MPI_Comm comm, const struct tuning_result *mine)
{
    struct shape s = {0};
    if (mine)
        s = (struct shape){mine->seed,   mine->n_steps, mine->sla_quantile, mine->p99_bound,
                           mine->n_axes, mine->n_cells, mine->n_policies};
    MPI_Bcast(&s, (int)sizeof s, MPI_BYTE, 0, comm);
    struct tuning_result *t = tuning_result_create(s.n_axes, s.n_cells, s.n_policies);
    t->seed = s.seed;
    t->sla_quantile = s.sla_quantile;
    t->p99_bound = s.p99_bound;
    t->name = store_shell_share(comm, mine != NULL, mine ? mine->name : NULL);
    t->program_version = store_shell_share(comm, mine != NULL, mine ? mine->program_version : NULL);
    t->study = store_shell_share(comm, mine != NULL, mine ? mine->study : NULL);
    store_shell_share_names(comm, mine ? mine->policies : NULL, t->policies, s.n_policies);
    for (uint32_t a = 0; a < s.n_axes; a++)
        share_axis(comm, mine ? &mine->axes[a] : NULL, &t->axes[a]);
    return t;
}

// ---- what stands in the file

struct content {
    MPI_Comm comm;
    const struct tuning_result *frame; // on all ranks: names and shape
    const struct tuning_result *all;   // rank 0 only
    const struct run_info *run;        // rank 0 only
    uint64_t n_steps;
};

static void write_fields(const struct store_writer *w, const char *group,
                         const struct store_rows *rows, const struct summary_field *fields)
{
    store_piece_fields(w, group, rows, fields);
    for (const struct summary_field *f = fields; f->name; f++)
        store_piece_missing(w, group, f);
}

static bool is_taken(const char *name, char *const *names, uint32_t n)
{
    const char *const own[] = {"cell", "policy", "step"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(name, own[i]) == 0)
            return true;
    }
    // Names of groups, which share the root with the variables.
    if (strcmp(name, "path") == 0 || strcmp(name, "study") == 0 || strcmp(name, "run") == 0)
        return true;
    for (const struct summary_field *f = tuning_result_outcome_fields; f->name; f++) {
        if (strcmp(name, f->name) == 0)
            return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

// The axis's variable, not one of the n that there are already; caller mem_free()s.
static char *variable_of(const char *axis, char *const *names, uint32_t n)
{
    char *name = mem_strdup(axis[0] ? axis : "axis");
    for (char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '_')
            *c = '_';
    }
    while (is_taken(name, names, n) || !isalpha((unsigned char)name[0])) {
        char *longer = mem_printf("axis_%s", name);
        mem_free(name);
        name = longer;
    }
    return name;
}

static void write_axis(const struct store_writer *w, const struct content *c, uint32_t axis,
                       const char *variable)
{
    const struct tuning_result *t = c->frame;
    int32_t *codes = mem_calloc(t->n_cells, sizeof *codes);
    for (uint32_t i = 0; c->all && i < t->n_cells; i++)
        codes[i] = (int32_t)c->all->labels[(size_t)i * t->n_axes + axis];
    char *text = mem_printf("%s of the cell", t->axes[axis].name);
    char *path = mem_printf("/%s", variable);
    store_piece_put(w, "", (struct h5_var){variable, "1", text, H5_I32, 1, {"cell"}}, t->n_cells,
                    codes);
    h5_codes(w->file, path, (const char *const *)t->axes[axis].labels, t->axes[axis].n_labels);
    mem_free(path);
    mem_free(text);
    mem_free(codes);
}

// A variable for each axis, and the two lists of them.
static void write_axes(const struct store_writer *w, const struct content *c)
{
    const struct tuning_result *t = c->frame;
    char **variables = mem_calloc(t->n_axes, sizeof *variables);
    char **names = mem_calloc(t->n_axes, sizeof *names);
    for (uint32_t a = 0; a < t->n_axes; a++) {
        names[a] = t->axes[a].name;
        variables[a] = variable_of(names[a], variables, a);
        write_axis(w, c, a, variables[a]);
    }
    char *list = store_shell_lines(variables, t->n_axes),
         *lines = store_shell_lines(names, t->n_axes);
    for (char *at = list; *at; at++)
        *at = (char)(*at == '\n' ? ' ' : *at);
    h5_text(w->file, "/", "coordinates", list);
    h5_text(w->file, "/", "axes", lines);
    for (uint32_t a = 0; a < t->n_axes; a++)
        mem_free(variables[a]);
    mem_free(list);
    mem_free(lines);
    mem_free(names);
    mem_free(variables);
}

// The dimensions `cell` and `policy`.
static void write_dimensions(const struct store_writer *w, const char *group,
                             const struct tuning_result *frame)
{
    uint32_t *numbers = mem_calloc(frame->n_cells, sizeof *numbers);
    for (uint32_t i = 0; i < frame->n_cells; i++)
        numbers[i] = i;
    h5_coord(w->file, group, "cell", "1", "cell: point of the study's grid", H5_U32, frame->n_cells,
             numbers);
    store_piece_codes(w, group, "policy", "policy that chose B and T",
                      (const char *const *)frame->policies, frame->n_policies);
    mem_free(numbers);
}

static struct store_rows outcome_rows(const struct content *c)
{
    const struct tuning_result *t = c->frame;
    return (struct store_rows){c->all ? c->all->outcomes : t->outcomes,
                               sizeof *t->outcomes,
                               (size_t)t->n_cells * t->n_policies,
                               2,
                               {"cell", "policy"},
                               t->n_cells};
}

static void write_path(const struct store_writer *w, const struct content *c)
{
    uint64_t *numbers = mem_calloc(c->n_steps, sizeof *numbers);
    for (uint64_t i = 0; i < c->n_steps; i++)
        numbers[i] = i;
    struct store_rows rows = {c->all ? c->all->steps : NULL,
                              sizeof(struct tuning_step),
                              c->all ? c->n_steps : 0,
                              1,
                              {"step"},
                              c->n_steps};
    h5_group(w->file, "/path");
    h5_coord(w->file, "/path", "step", "1", "simulated point, in order", H5_U64, c->n_steps,
             numbers);
    write_fields(w, "/path", &rows, tuning_result_step_fields);
    mem_free(numbers);
}

static void write_all(const struct store_writer *w, void *user)
{
    const struct content *c = user;
    const struct tuning_result *t = c->frame;
    struct store_rows rows = outcome_rows(c);
    store_shell_root(w, "tuning", t->program_version, t->name);
    h5_number(w->file, "/", "seed", H5_U64, &t->seed);
    h5_number(w->file, "/", "sla_quantile", H5_F64, &t->sla_quantile);
    h5_number(w->file, "/", "p99_bound", H5_F64, &t->p99_bound);
    write_dimensions(w, "", t);
    write_axes(w, c);
    write_fields(w, "", &rows, tuning_result_outcome_fields);
    write_path(w, c);
    store_shell_study(w, t->study);
    store_shell_run(w, c->comm, c->run);
    write_dimensions(w, "/run", t);
    write_fields(w, "/run", &rows, tuning_result_wall_fields);
}

// ---- the whole

// An upper bound of the file's size: what is stored, as if nothing were compressed. Every dataset
// takes a header beside its numbers; labels stand in two attributes.
static uint64_t bytes_needed(const struct tuning_result *t)
{
    uint64_t outcomes = (uint64_t)t->n_cells * t->n_policies, labels = 0;
    for (uint32_t a = 0; a < t->n_axes; a++) {
        labels += 2 * strlen(t->axes[a].name) + 4096;
        for (uint32_t i = 0; i < t->axes[a].n_labels; i++)
            labels += 2 * strlen(t->axes[a].labels[i]) + 2 + sizeof(int32_t);
    }
    uint64_t text = t->study ? strlen(t->study) : 0;
    return STORE_SHELL_BYTES + sizeof(struct tuning_outcome) * outcomes +
           sizeof(struct tuning_step) * t->n_steps + 8 * t->n_steps +
           (8 + 4 * (uint64_t)t->n_axes) * t->n_cells + 6 * text + 2 * labels;
}

int store_tuning_write(MPI_Comm comm, const char *path, bool force,
                       const struct tuning_result *tuning, const struct run_info *run,
                       struct err *err)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    struct store_writer w = {.root = rank == 0};
    struct tuning_result *frame = share_frame(comm, w.root ? tuning : NULL);
    struct content c = {comm, frame, w.root ? tuning : NULL, w.root ? run : NULL, 0};
    c.n_steps = w.root ? tuning->n_steps : 0;
    MPI_Bcast(&c.n_steps, 1, MPI_UINT64_T, 0, comm);
    struct store_shell shell = {path, force, w.root ? bytes_needed(tuning) : 0, write_all, &c};
    int rc = store_shell_write(comm, &shell, &w, err);
    tuning_result_destroy(frame);
    return rc;
}
