// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_sweep.h"

#include <math.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/replications.h"
#include "results/file/h5.h"
#include "results/file/point_axes.h"
#include "results/file/store_shell.h"

// One sweep on its way into a file. Borrowed but for the axes.
struct content {
    const struct sweep_result *p;
    const struct replications *fold; // NULL: the sweep has no replications
    struct point_axis *axes;
};

// Over what the rows of a group run: points, or cases.
struct span {
    const char *dim, *long_name; // "point"
    uint32_t n;
    const uint32_t *points; // [n]: which point has the row's labels and names
    int without;            // number of an axis that the group does not have; -1: it has all
};

// ---- dimensions and coordinates

static void write_axis(const struct store_writer *w, const struct content *c, const char *group,
                       const struct span *span, uint32_t axis)
{
    const struct sweep_axis *a = &c->p->axes[axis];
    const struct point_axis *view = &c->axes[axis];
    int32_t *codes = mem_calloc(span->n, sizeof *codes);
    double *values = mem_calloc(span->n, sizeof *values);
    for (uint32_t i = 0; i < span->n; i++) {
        codes[i] = (int32_t)c->p->values[(size_t)span->points[i] * c->p->n_axes + axis];
        values[i] = view->numbers ? view->numbers[codes[i]] : NAN;
    }
    char *text = mem_printf("%s of the %s", a->name, span->dim);
    char *path = mem_printf("%s/%s", group, view->variable);
    store_piece_put(w, group, (struct h5_var){view->variable, "1", text, H5_I32, 1, {span->dim}},
                    span->n, codes);
    h5_codes(w->file, path, (const char *const *)a->labels, a->n_labels);
    if (view->numbers)
        store_piece_put(w, group,
                        (struct h5_var){view->value_variable, "1", text, H5_F64, 1, {span->dim}},
                        span->n, values);
    mem_free(path);
    mem_free(text);
    mem_free(codes);
    mem_free(values);
}

// Makes the group ("": the root, which is there) with its first dimension and the axes over it.
static void open_group(const struct store_writer *w, const struct content *c, const char *group,
                       const struct span *span)
{
    char *coordinates = mem_strdup("");
    uint32_t *numbers = mem_calloc(span->n, sizeof *numbers);
    for (uint32_t i = 0; i < span->n; i++)
        numbers[i] = i;
    if (group[0])
        h5_group(w->file, group);
    h5_coord(w->file, group, span->dim, "1", span->long_name, H5_U32, span->n, numbers);
    for (uint32_t a = 0; a < c->p->n_axes; a++) {
        if ((int)a == span->without)
            continue;
        const struct point_axis *view = &c->axes[a];
        write_axis(w, c, group, span, a);
        char *longer =
            mem_printf("%s%s%s%s%s", coordinates, coordinates[0] ? " " : "", view->variable,
                       view->numbers ? " " : "", view->numbers ? view->value_variable : "");
        mem_free(coordinates);
        coordinates = longer;
    }
    h5_text(w->file, group[0] ? group : "/", "coordinates", coordinates);
    mem_free(coordinates);
    mem_free(numbers);
}

// ---- texts as codes

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Texts in the order of the dataset, NULL is "". Codes are by alphabet, so that they depend on what
// is there alone.
static void put_texts(const struct store_writer *w, const char *group, struct h5_var var,
                      uint64_t n_first, const char *const *texts, size_t n)
{
    const char **names = mem_calloc(n, sizeof *names);
    int32_t *codes = mem_calloc(n, sizeof *codes);
    size_t n_names = 0;
    for (size_t i = 0; i < n; i++)
        names[i] = texts[i] ? texts[i] : "";
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(names[i], names[n_names - 1]) != 0)
            names[n_names++] = names[i];
    }
    for (size_t i = 0; i < n; i++) {
        const char *text = texts[i] ? texts[i] : "";
        const char **found = bsearch(&text, names, n_names, sizeof *names, by_text);
        codes[i] = (int32_t)(found - names);
    }
    char *path = mem_printf("%s/%s", group, var.name);
    var.type = H5_I32;
    store_piece_put(w, group, var, n_first, codes);
    h5_codes(w->file, path, names, n_names);
    mem_free(path);
    mem_free(names);
    mem_free(codes);
}

static const char *text_at(const void *row, size_t offset)
{
    const char *text;
    memcpy(&text, (const char *)row + offset, sizeof text);
    return text;
}

static void put_point_texts(const struct store_writer *w, const struct sweep_result *p,
                            const char *group, const struct sweep_text *rows)
{
    const char **texts = mem_calloc(p->n_points, sizeof *texts);
    for (const struct sweep_text *t = rows; t->name; t++) {
        for (uint32_t i = 0; i < p->n_points; i++)
            texts[i] = text_at(&p->points[i], t->offset);
        put_texts(w, group, (struct h5_var){t->name, "1", t->long_name, H5_I32, 1, {"point"}},
                  p->n_points, texts, p->n_points);
    }
    mem_free(texts);
}

// Names over (row of the span, service or group): `per_point` structs of `stride` bytes from
// `base`.
struct names {
    const char *variable, *long_name, *dim;
    const void *base;
    size_t stride, offset;
    uint32_t per_point;
};

static void put_names(const struct store_writer *w, const char *group, const struct span *span,
                      const struct names *names)
{
    size_t n = (size_t)span->n * names->per_point;
    const char **texts = mem_calloc(n, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        size_t row =
            (size_t)span->points[i / names->per_point] * names->per_point + i % names->per_point;
        texts[i] = text_at((const char *)names->base + row * names->stride, names->offset);
    }
    put_texts(
        w, group,
        (struct h5_var){names->variable, "1", names->long_name, H5_I32, 2, {span->dim, names->dim}},
        span->n, texts, n);
    mem_free(texts);
}

// The dimension `service` or `group`, by position, and what stands there.
static void put_positions(const struct store_writer *w, const char *group, const char *dim,
                          const char *long_name, uint32_t n)
{
    uint32_t *numbers = mem_calloc(n, sizeof *numbers);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = i;
    h5_coord(w->file, group, dim, "1", long_name, H5_U32, n, numbers);
    mem_free(numbers);
}

static void open_services(const struct store_writer *w, const struct content *c, const char *group,
                          const struct span *span)
{
    const struct sweep_result *p = c->p;
    const size_t stride = sizeof *p->service_names;
    const struct names names[] = {{"service_name", "service", "service", p->service_names, stride,
                                   offsetof(struct sweep_service, name), p->n_services},
                                  {"model_name", "model of the service", "service",
                                   p->service_names, stride, offsetof(struct sweep_service, model),
                                   p->n_services}};
    open_group(w, c, group, span);
    put_positions(w, group, "service", "service, by its place in the study", p->n_services);
    store_piece_quantiles(w, group);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_names(w, group, span, &names[i]);
}

static void open_groups(const struct store_writer *w, const struct content *c, const char *group,
                        const struct span *span)
{
    const struct sweep_result *p = c->p;
    const size_t stride = sizeof *p->group_names;
    const struct names names[] = {{"group_name", "group of servers", "group", p->group_names,
                                   stride, offsetof(struct sweep_group, name), p->n_groups},
                                  {"platform_name", "platform of the group", "group",
                                   p->group_names, stride, offsetof(struct sweep_group, platform),
                                   p->n_groups}};
    open_group(w, c, group, span);
    put_positions(w, group, "group", "group of servers, by its place in the study", p->n_groups);
    store_piece_components(w, group);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_names(w, group, span, &names[i]);
}

// ---- what the runs' files hold, point by point

static const size_t latency_offset = offsetof(struct summary_service, latency_s);

static void write_total(const struct store_writer *w, const struct content *c,
                        const struct span *span)
{
    const struct sweep_result *p = c->p;
    uint32_t n = p->n_points;
    struct store_rows totals = {p->totals, sizeof *p->totals, n, 1, {"point"}, n};
    struct store_rows fleets = {p->fleets, sizeof *p->fleets, n, 1, {"point"}, n};
    open_group(w, c, "/total", span);
    store_piece_quantiles(w, "/total");
    store_piece_fields(w, "/total", &totals, summary_service_fields);
    store_piece_latency(w, "/total", &totals, latency_offset);
    store_piece_fields(w, "/total", &fleets, summary_fleet_fields);
}

static void write_summary(const struct store_writer *w, const struct content *c,
                          const struct span *span)
{
    const struct sweep_result *p = c->p;
    size_t n = (size_t)p->n_points * p->n_services;
    struct store_rows rows = {p->services, sizeof *p->services,  n,
                              2,           {"point", "service"}, p->n_points};
    open_services(w, c, "/summary", span);
    store_piece_fields(w, "/summary", &rows, summary_service_fields);
    store_piece_latency(w, "/summary", &rows, latency_offset);
}

static void write_groups(const struct store_writer *w, const struct content *c,
                         const struct span *span)
{
    const struct sweep_result *p = c->p;
    size_t n = (size_t)p->n_points * p->n_groups;
    struct store_rows rows = {p->groups, sizeof *p->groups, n, 2, {"point", "group"}, p->n_points};
    struct store_rows names = rows;
    names.base = p->group_names;
    names.stride = sizeof *p->group_names;
    open_groups(w, c, "/groups", span);
    store_piece_column(w, "/groups", &names,
                       &(struct store_column){"n_servers", "1", "servers in the group", H5_U32,
                                              offsetof(struct sweep_group, n_servers)});
    store_piece_fields(w, "/groups", &rows, summary_group_fields);
    store_piece_parts(w, "/groups", &rows);
}

static void write_root(const struct store_writer *w, const struct content *c,
                       const struct span *span)
{
    const struct sweep_result *p = c->p;
    uint32_t n = p->n_points;
    struct store_rows rows = {p->points, sizeof *p->points, n, 1, {"point"}, n};
    char *names = mem_strdup(""), *variables = mem_strdup("");
    store_shell_root(w, "sweep", p->program_version, p->study_name);
    open_group(w, c, "", span);
    for (uint32_t a = 0; a < p->n_axes; a++) {
        char *longer = mem_printf("%s%s%s", names, a > 0 ? "\n" : "", p->axes[a].name);
        char *list = mem_printf("%s%s%s", variables, a > 0 ? " " : "", c->axes[a].variable);
        mem_free(names);
        mem_free(variables);
        names = longer;
        variables = list;
    }
    h5_text(w->file, "/", "axes", names);
    h5_text(w->file, "/", "axis_variables", variables);
    h5_text(w->file, "/", "replication_variable",
            p->replication >= 0 ? c->axes[p->replication].variable : "");
    store_piece_fields(w, "", &rows, sweep_result_fields);
    put_point_texts(w, p, "", sweep_result_texts);
    mem_free(names);
    mem_free(variables);
}

static void write_run(const struct store_writer *w, const struct content *c,
                      const struct span *span)
{
    const struct sweep_result *p = c->p;
    uint32_t n = p->n_points;
    struct store_rows rows = {p->points, sizeof *p->points, n, 1, {"point"}, n};
    open_group(w, c, "/run", span);
    store_piece_fields(w, "/run", &rows, sweep_result_run_fields);
    put_point_texts(w, p, "/run", sweep_result_run_texts);
}

// ---- the replications folded

// All real numbers of a table of fields, whose folded values stand in rows of `n_members` each.
static void put_folded(const struct store_writer *w, const char *group, struct store_rows rows,
                       const struct replications_table *table, const struct summary_field *fields,
                       const char *prefix)
{
    rows.stride = table->n_members * sizeof(struct ci);
    for (const struct summary_field *f = fields; f->name; f++) {
        uint32_t m = 0;
        while (m < table->n_members && table->offsets[m] != f->offset)
            m++;
        if (m == table->n_members)
            continue;
        char *name = mem_printf("%s%s", prefix, f->name);
        struct store_column column = {name, f->units, f->long_name, H5_F64, m * sizeof(struct ci)};
        store_piece_ci(w, group, &rows, &column);
        mem_free(name);
    }
}

// latency_s: the quantiles are neighbours among the members, as they are in their struct.
static void put_folded_latency(const struct store_writer *w, const char *group,
                               struct store_rows rows, const struct replications_table *table)
{
    uint32_t first = 0;
    while (table->offsets[first] != offsetof(struct summary_service, latency_s))
        first++;
    rows.base = table->values;
    rows.stride = table->n_members * sizeof *table->values;
    store_piece_latency(w, group, &rows, first * sizeof *table->values);
}

static struct store_rows folded_rows(const struct replications *fold, enum replications_part part,
                                     const char *dim)
{
    const struct replications_table *t = &fold->tables[part];
    struct store_rows rows = {
        t->values, 0, (size_t)fold->n_cases * t->n_rows, dim ? 2 : 1, {"case", dim}, fold->n_cases};
    return rows;
}

static void write_folded_services(const struct store_writer *w, const struct content *c,
                                  const struct span *span)
{
    const struct replications *f = c->fold;
    const struct replications_table *t = &f->tables[REPLICATED_SERVICES];
    struct store_rows rows = folded_rows(f, REPLICATED_SERVICES, "service"), codes = rows;
    codes.base = f->sla;
    codes.stride = sizeof *f->sla;
    open_services(w, c, "/folded/summary", span);
    put_folded(w, "/folded/summary", rows, t, summary_service_fields, "");
    put_folded_latency(w, "/folded/summary", rows, t);
    store_piece_field(w, "/folded/summary", &codes,
                      &(struct summary_field){"sla", "1", "latency target met", SUMMARY_CODE, 0,
                                              summary_sla_names, 0, NULL});
}

// The components' tables into one, over the dimension `component`.
static struct replications_table by_component(const struct replications *f)
{
    struct replications_table all = f->tables[REPLICATED_CPUS];
    size_t n = (size_t)f->n_cases * all.n_rows, bytes = all.n_members * sizeof *all.values;
    all.values = mem_calloc(n * N_PARTS * all.n_members, sizeof *all.values);
    for (size_t i = 0; i < n * N_PARTS; i++)
        memcpy(all.values + i * all.n_members,
               f->tables[REPLICATED_CPUS + i % N_PARTS].values + i / N_PARTS * all.n_members,
               bytes);
    return all;
}

static void write_folded_groups(const struct store_writer *w, const struct content *c,
                                const struct span *span)
{
    const struct replications *f = c->fold;
    struct replications_table parts = by_component(f);
    struct store_rows rows = folded_rows(f, REPLICATED_GROUPS, "group");
    struct store_rows by_part = rows;
    by_part.base = parts.values;
    by_part.n *= N_PARTS;
    by_part.dims[by_part.n_dims++] = "component";
    open_groups(w, c, "/folded/groups", span);
    put_folded(w, "/folded/groups", rows, &f->tables[REPLICATED_GROUPS], summary_group_fields, "");
    put_folded(w, "/folded/groups", by_part, &parts, summary_component_fields, "component_");
    mem_free(parts.values);
}

static void write_folded(const struct store_writer *w, const struct content *c)
{
    const struct replications *f = c->fold;
    uint32_t *points = mem_calloc(f->n_cases, sizeof *points);
    for (uint32_t i = 0; i < f->n_cases; i++)
        points[i] = f->cases[i].point;
    struct span span = {"case", "case: points that differ in their replication alone", f->n_cases,
                        points, c->p->replication};
    struct store_rows cases = {f->cases, sizeof *f->cases, f->n_cases, 1, {"case"}, f->n_cases};
    struct store_rows totals = folded_rows(f, REPLICATED_TOTALS, NULL);
    struct store_rows fleets = folded_rows(f, REPLICATED_FLEETS, NULL);
    open_group(w, c, "/folded", &span);
    store_piece_fields(w, "/folded", &cases, replications_case_fields);
    open_group(w, c, "/folded/total", &span);
    store_piece_quantiles(w, "/folded/total");
    put_folded(w, "/folded/total", totals, &f->tables[REPLICATED_TOTALS], summary_service_fields,
               "");
    put_folded_latency(w, "/folded/total", totals, &f->tables[REPLICATED_TOTALS]);
    put_folded(w, "/folded/total", fleets, &f->tables[REPLICATED_FLEETS], summary_fleet_fields, "");
    write_folded_services(w, c, &span);
    write_folded_groups(w, c, &span);
    mem_free(points);
}

// ---- the whole

static void write_all(const struct store_writer *w, void *user)
{
    const struct content *c = user;
    uint32_t *points = mem_calloc(c->p->n_points, sizeof *points);
    for (uint32_t i = 0; i < c->p->n_points; i++)
        points[i] = i;
    struct span span = {"point", "point of the sweep", c->p->n_points, points, -1};
    write_root(w, c, &span);
    write_total(w, c, &span);
    write_summary(w, c, &span);
    write_groups(w, c, &span);
    if (c->fold)
        write_folded(w, c);
    store_shell_study(w, c->p->study_text);
    write_run(w, c, &span);
    mem_free(points);
}

static uint64_t text_bytes(const struct sweep_result *p)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < p->n_points; i++) {
        const struct sweep_text *const tables[] = {sweep_result_texts, sweep_result_run_texts};
        for (int t = 0; t < 2; t++) {
            for (const struct sweep_text *row = tables[t]; row->name; row++)
                bytes += strlen(text_at(&p->points[i], row->offset)) + 1;
        }
    }
    // Names of services and groups, once for the points and once for the cases.
    for (size_t i = 0; i < (size_t)p->n_points * p->n_services; i++) {
        const struct sweep_service *s = &p->service_names[i];
        bytes += 2 * (strlen(s->name ? s->name : "") + strlen(s->model ? s->model : "") + 2);
    }
    for (size_t i = 0; i < (size_t)p->n_points * p->n_groups; i++) {
        const struct sweep_group *g = &p->group_names[i];
        bytes += 2 * (strlen(g->name ? g->name : "") + strlen(g->platform ? g->platform : "") + 2);
    }
    return bytes;
}

// An upper bound of the file's size: what is stored, as if nothing were compressed. Every dataset
// takes a header beside its numbers, and there are some hundred of them.
static uint64_t bytes_needed(const struct sweep_result *p)
{
    const uint64_t n_groups = 9; // of the file, which have the axes
    uint64_t labels = 0, text = p->study_text ? strlen(p->study_text) : 0;
    for (uint32_t a = 0; a < p->n_axes; a++) {
        labels += 2 * strlen(p->axes[a].name) + 8192;
        for (uint32_t i = 0; i < p->axes[a].n_labels; i++)
            labels += 2 * strlen(p->axes[a].labels[i]) + 2 + sizeof(int32_t);
    }
    uint64_t row = sizeof *p->totals + sizeof *p->fleets + sizeof *p->points +
                   p->n_services * (sizeof *p->services + 8) +
                   p->n_groups * (sizeof *p->groups + 12) + n_groups * (4 + 12 * p->n_axes);
    // A folded row is as long as its struct with an interval for every real number.
    return 4 * (uint64_t)STORE_SHELL_BYTES + 3 * row * p->n_points + n_groups * labels +
           3 * text_bytes(p) + 6 * text;
}

int store_sweep_write(const char *path, bool force, const struct sweep_result *points,
                      struct err *err)
{
    struct store_writer w = {.root = true};
    struct replications *fold = points->replication >= 0 ? replications_create(points) : NULL;
    struct content c = {points, fold, point_axes_create(points)};
    struct store_shell shell = {path, force, bytes_needed(points), write_all, &c};
    int rc = store_shell_write(MPI_COMM_SELF, &shell, &w, err);
    point_axes_destroy(c.axes, points->n_axes);
    replications_destroy(fold);
    return rc;
}
