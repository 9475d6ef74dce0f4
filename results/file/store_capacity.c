// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_capacity.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/h5.h"
#include "results/file/store_shell.h"

// ---- rank 0's names on every rank

// What has a fixed size, for one broadcast.
struct shape {
    uint64_t seed;
    double headroom_frac, sla_quantile, day_s, interval_s, startup_s, min_on_s;
    struct capacity_shape n;
    uint32_t known; // bit i: there is something in capacity_result_arrays[i]
};

static uint32_t known_of(const struct capacity_result *mine)
{
    uint32_t known = 0, bit = 1;
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++, bit <<= 1)
        known |= capacity_result_is_known(mine, a) ? bit : 0;
    return known;
}

static struct shape shape_of(const struct capacity_result *s)
{
    return (struct shape){s->seed,
                          s->headroom_frac,
                          s->sla_quantile,
                          s->day_s,
                          s->interval_s,
                          s->startup_s,
                          s->min_on_s,
                          {s->n_schedulers, s->n_allocations, s->n_provisionings, s->n_intervals,
                           s->n_types, s->n_services, s->n_sizes, s->n_loads},
                          known_of(s)};
}

// All of rank 0's answer but the numbers of its rows, on every rank; caller frees.
static struct capacity_result *share_frame(MPI_Comm comm, const struct capacity_result *mine,
                                           uint32_t *known)
{
    struct shape shape = {0};
    if (mine)
        shape = shape_of(mine);
    MPI_Bcast(&shape, (int)sizeof shape, MPI_BYTE, 0, comm);
    struct capacity_result *s = capacity_result_create(&shape.n);
    *known = shape.known;
    s->seed = shape.seed;
    s->headroom_frac = shape.headroom_frac;
    s->sla_quantile = shape.sla_quantile;
    s->day_s = shape.day_s;
    s->interval_s = shape.interval_s;
    s->startup_s = shape.startup_s;
    s->min_on_s = shape.min_on_s;
    bool root = mine != NULL;
    s->name = store_shell_share(comm, root, root ? mine->name : NULL);
    s->program_version = store_shell_share(comm, root, root ? mine->program_version : NULL);
    s->study = store_shell_share(comm, root, root ? mine->study : NULL);
    s->find = store_shell_share(comm, root, root ? mine->find : NULL);
    s->objective = store_shell_share(comm, root, root ? mine->objective : NULL);
    s->objective_unit = store_shell_share(comm, root, root ? mine->objective_unit : NULL);
    for (int d = 0; d < N_CAPACITY_DIMS; d++) {
        char **names = capacity_result_names(s, (enum capacity_dim)d);
        if (names)
            store_shell_share_names(comm,
                                    root ? capacity_result_names(mine, (enum capacity_dim)d) : NULL,
                                    names, capacity_result_n(s, (enum capacity_dim)d));
    }
    return s;
}

// ---- what stands in the file

struct content {
    MPI_Comm comm;
    const struct capacity_result *frame; // on all ranks: names and shape
    const struct capacity_result *all;   // rank 0 only
    const struct run_info *run;          // rank 0 only
    uint32_t known;
};

// The beginnings of the intervals, and the numbers of sizes and loads.
static void write_numbers(const struct store_writer *w, const char *group,
                          const struct capacity_result *s, enum capacity_dim dim)
{
    uint32_t n = capacity_result_n(s, dim), *numbers = mem_calloc(n, sizeof *numbers);
    double *starts_s = mem_calloc(n, sizeof *starts_s);
    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = i;
        starts_s[i] = i * s->interval_s;
    }
    if (dim == CAPACITY_INTERVAL)
        h5_coord(w->file, group, capacity_result_dim_names[dim], "s", "start of the interval",
                 H5_F64, n, starts_s);
    else
        h5_coord(w->file, group, capacity_result_dim_names[dim], "1", "number of the answer",
                 H5_U32, n, numbers);
    mem_free(starts_s);
    mem_free(numbers);
}

static void write_dimension(const struct store_writer *w, const char *group,
                            const struct capacity_result *s, enum capacity_dim dim)
{
    static const char *const long_names[] = {[CAPACITY_SCHEDULER] = "how a server splits queries",
                                             [CAPACITY_ALLOCATION] = "how servers are chosen",
                                             [CAPACITY_PROVISIONING] = "when servers are on",
                                             [CAPACITY_TYPE] = "type of server",
                                             [CAPACITY_SERVICE] = "service, by number"};
    char **names = capacity_result_names(s, dim);
    if (names)
        store_piece_codes(w, group, capacity_result_dim_names[dim], long_names[dim],
                          (const char *const *)names, capacity_result_n(s, dim));
    else
        write_numbers(w, group, s, dim);
}

// In the order of their enum.
static void write_dimensions(const struct store_writer *w, const char *group,
                             const struct capacity_result *s, uint32_t dims)
{
    for (int d = 0; d < N_CAPACITY_DIMS; d++) {
        if (dims >> d & 1)
            write_dimension(w, group, s, (enum capacity_dim)d);
    }
}

// Objectives are in the study's unit; over a day, in that times hours.
static char *units_of(const struct capacity_result *s, const struct capacity_array *a,
                      const struct summary_field *f)
{
    const char *unit = s->objective_unit, *per_hour = strstr(unit, " h-1");
    bool objective = strcmp(f->name, "objective") == 0 || strcmp(f->name, "bound") == 0;
    if (!objective || !unit[0] || strcmp(unit, "1") == 0)
        return mem_strdup(f->units);
    if (strcmp(a->name, "totals") != 0)
        return mem_strdup(unit);
    return per_hour ? mem_printf("%.*s", (int)(per_hour - unit), unit) : mem_printf("%s h", unit);
}

static void write_view(const struct store_writer *w, const struct capacity_result *s,
                       const struct capacity_array *a, const struct field_group *view,
                       const struct store_rows *rows)
{
    for (const struct summary_field *f = view->fields; f->name; f++) {
        char *name = mem_printf("%s%s", view->prefix, f->name), *units = units_of(s, a, f);
        struct summary_field moved = *f;
        moved.name = name;
        moved.units = units;
        moved.offset += view->offset;
        store_piece_field(w, a->group, rows, &moved);
        store_piece_missing(w, a->group, &moved);
        mem_free(name);
        mem_free(units);
    }
}

static void write_labels(const struct store_writer *w, const struct capacity_result *s,
                         const struct capacity_array *a, const struct store_rows *rows)
{
    for (const struct capacity_label *l = capacity_result_labels; l->array; l++) {
        if (strcmp(l->array, a->name) != 0)
            continue;
        char *path = mem_printf("%s/%s", a->group, l->name);
        char *text = mem_printf("%s of the answer", l->name);
        const struct store_column column = {l->name, "1", text, H5_I32, l->offset};
        store_piece_column(w, a->group, rows, &column);
        h5_codes(w->file, path,
                 (const char *const *)capacity_result_names(s, (enum capacity_dim)l->dim),
                 capacity_result_n(s, (enum capacity_dim)l->dim));
        mem_free(path);
        mem_free(text);
    }
}

static void write_array(const struct store_writer *w, const struct content *c,
                        const struct capacity_array *a)
{
    struct store_rows rows = {capacity_result_rows(c->all ? c->all : c->frame, a),
                              a->stride,
                              c->all ? capacity_result_n_rows(c->all, a) : 0,
                              (int)a->n_dims,
                              {NULL},
                              1};
    for (uint32_t d = 0; d < a->n_dims; d++)
        rows.dims[d] = capacity_result_dim_names[a->dims[d]];
    if (a->n_dims > 0)
        rows.n_first = capacity_result_n(c->frame, (enum capacity_dim)a->dims[0]);
    write_labels(w, c->frame, a, &rows);
    for (const struct field_group *v = a->views; v->fields; v++)
        write_view(w, c->frame, a, v, &rows);
}

static uint32_t dims_of(const struct capacity_array *a)
{
    uint32_t dims = 0;
    for (uint32_t d = 0; d < a->n_dims; d++)
        dims |= 1u << a->dims[d];
    return dims;
}

// Arrays of one group follow each other: the first that is there makes it, with the dimensions of
// all.
static void write_arrays(const struct store_writer *w, const struct content *c)
{
    const char *group = ""; // the root is there
    for (uint32_t i = 0; capacity_result_arrays[i].name; i++) {
        const struct capacity_array *a = &capacity_result_arrays[i];
        if (!(c->known >> i & 1))
            continue;
        if (strcmp(a->group, group) != 0) {
            uint32_t dims = 0;
            for (const struct capacity_array *b = capacity_result_arrays; b->name; b++)
                dims |= strcmp(b->group, a->group) == 0 ? dims_of(b) : 0;
            h5_group(w->file, a->group);
            write_dimensions(w, a->group, c->frame, dims);
            group = a->group;
        }
        write_array(w, c, a);
    }
}

static void write_holds(const struct store_writer *w, uint32_t known)
{
    char *list = mem_strdup("");
    for (uint32_t i = 0; capacity_result_arrays[i].name; i++) {
        if (!(known >> i & 1))
            continue;
        char *longer =
            mem_printf("%s%s%s", list, list[0] ? " " : "", capacity_result_arrays[i].name);
        mem_free(list);
        list = longer;
    }
    h5_text(w->file, "/", "holds", list);
    mem_free(list);
}

static void write_root(const struct store_writer *w, const struct content *c)
{
    const struct capacity_result *s = c->frame;
    store_shell_root(w, "capacity", s->program_version, s->name);
    h5_number(w->file, "/", "seed", H5_U64, &s->seed);
    h5_text(w->file, "/", "find", s->find);
    h5_text(w->file, "/", "objective", s->objective);
    h5_text(w->file, "/", "objective_unit", s->objective_unit);
    h5_number(w->file, "/", "headroom_frac", H5_F64, &s->headroom_frac);
    h5_number(w->file, "/", "sla_quantile", H5_F64, &s->sla_quantile);
    h5_number(w->file, "/", "day_s", H5_F64, &s->day_s);
    h5_number(w->file, "/", "interval_s", H5_F64, &s->interval_s);
    h5_number(w->file, "/", "startup_s", H5_F64, &s->startup_s);
    h5_number(w->file, "/", "min_on_s", H5_F64, &s->min_on_s);
    write_holds(w, c->known);
    uint32_t dims = 0;
    for (int d = 0; d < N_CAPACITY_DIMS; d++)
        dims |= capacity_result_n(s, (enum capacity_dim)d) > 0 ? 1u << d : 0;
    write_dimensions(w, "", s, dims);
}

static void write_all(const struct store_writer *w, void *user)
{
    const struct content *c = user;
    write_root(w, c);
    write_arrays(w, c);
    store_shell_study(w, c->frame->study);
    store_shell_run(w, c->comm, c->run);
}

// ---- the whole

// An upper bound of the file's size: what is stored, as if nothing were compressed. Names stand in
// two attributes of every group.
static uint64_t bytes_needed(const struct capacity_result *s)
{
    uint64_t bytes = STORE_SHELL_BYTES, names = 4096;
    for (int d = 0; d < N_CAPACITY_DIMS; d++) {
        char **all = capacity_result_names(s, (enum capacity_dim)d);
        uint32_t n = capacity_result_n(s, (enum capacity_dim)d);
        for (uint32_t i = 0; i < n; i++)
            names += 8 + (all ? 2 * strlen(all[i]) + 2 : 8);
    }
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++)
        bytes += names + capacity_result_n_rows(s, a) * a->stride;
    return bytes + 6 * (s->study ? strlen(s->study) : 0);
}

int store_capacity_write(MPI_Comm comm, const char *path, bool force,
                         const struct capacity_result *answer, const struct run_info *run,
                         struct err *err)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    struct store_writer w = {.root = rank == 0};
    struct content c = {comm, NULL, w.root ? answer : NULL, w.root ? run : NULL, 0};
    struct capacity_result *frame = share_frame(comm, c.all, &c.known);
    c.frame = frame;
    struct store_shell shell = {path, force, w.root ? bytes_needed(answer) : 0, write_all, &c};
    int rc = store_shell_write(comm, &shell, &w, err);
    capacity_result_destroy(frame);
    return rc;
}
