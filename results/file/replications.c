// SPDX-License-Identifier: Apache-2.0
#include "results/file/replications.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// More than any of the structs has real numbers.
#define MOST_MEMBERS 128

// Where the rows of a part are in struct sweep_result, and their real members.
struct part_rows {
    const char *base;
    size_t bytes;    // of a row
    uint32_t n_rows; // per point
    uint32_t n_members;
    size_t offsets[MOST_MEMBERS];
};

static void add_member(struct part_rows *rows, size_t offset)
{
    assert(rows->n_members < MOST_MEMBERS && offset % sizeof(double) == 0);
    rows->offsets[rows->n_members++] = offset;
}

static void add_members(struct part_rows *rows, const struct data_field *fields, size_t offset)
{
    for (const struct data_field *f = fields; f->name; f++) {
        if (f->kind == DATA_KIND_ESTIMATE || f->kind == DATA_KIND_NUMBER)
            add_member(rows, offset + f->offset);
    }
}

static struct part_rows rows_of(const struct sweep_result *p, enum replications_part part)
{
    const struct part_rows all[N_REPLICATED_TABLES] = {
        [REPLICATED_SERVICES] = {(const char *)p->services, sizeof *p->services, p->n_services},
        [REPLICATED_TOTALS] = {(const char *)p->totals, sizeof *p->totals, 1},
        [REPLICATED_GROUPS] = {(const char *)p->groups, sizeof *p->groups, p->n_groups},
        [REPLICATED_FLEETS] = {(const char *)p->fleets, sizeof *p->fleets, 1}};
    struct part_rows rows = all[part];
    if (part == REPLICATED_FLEETS) {
        add_members(&rows, summary_fleet_fields, 0);
    } else if (part == REPLICATED_GROUPS) {
        add_members(&rows, summary_group_fields, 0);
        for (int i = 0; i < N_PARTS; i++)
            add_members(&rows, summary_component_fields, offsetof(struct summary_group, parts[i]));
    } else {
        add_members(&rows, summary_service_fields, 0);
        // Which no table of fields names.
        for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
            add_member(&rows, offsetof(struct summary_service, latency_s[q]));
    }
    return rows;
}

// ---- which points are one case

// A value on every axis but that of replications, in the order of the axes; then by number.
static int by_case(const void *a, const void *b, void *user)
{
    const struct sweep_result *p = user;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (uint32_t axis = 0; axis < p->n_axes && p->replication >= 0; axis++) {
        uint32_t v = p->values[(size_t)x * p->n_axes + axis],
                 w = p->values[(size_t)y * p->n_axes + axis];
        if ((int)axis != p->replication && v != w)
            return v > w ? 1 : -1;
    }
    return 0;
}

static int by_case_and_number(const void *a, const void *b, void *user)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = by_case(a, b, user);
    return order != 0 ? order : (x > y) - (x < y);
}

// The points by case, case after case; caller mem_free()s.
static uint32_t *order_of(const struct sweep_result *p)
{
    uint32_t *order = mem_calloc(p->n_points, sizeof *order);
    for (uint32_t i = 0; i < p->n_points; i++)
        order[i] = i;
    qsort_r(order, p->n_points, sizeof *order, by_case_and_number, (void *)(uintptr_t)p);
    return order;
}

// The end of the case that begins at `first` in the order.
static uint32_t end_of(const struct sweep_result *p, const uint32_t *order, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < p->n_points && p->replication >= 0 &&
           by_case(&order[first], &order[end], (void *)(uintptr_t)p) == 0)
        end++;
    return end;
}

// ---- one case

static struct replications_case case_of(const struct sweep_result *p, const uint32_t *members,
                                        uint32_t n)
{
    struct replications_case c = {.point = members[0], .n_replications = n};
    for (uint32_t i = 0; i < n; i++) {
        const struct sweep_point *point = &p->points[members[i]];
        int32_t verdict = p->fleets[members[i]].verdict;
        if (point->state != SWEEP_DONE) {
            c.n_missing++;
            continue;
        }
        if (c.n_done++ == 0)
            c.point = members[i];
        c.n_overloaded += verdict == OVERLOAD_YES;
        c.verdict = verdict > c.verdict ? verdict : c.verdict;
        c.n_services = point->n_services > c.n_services ? point->n_services : c.n_services;
        c.n_groups = point->n_groups > c.n_groups ? point->n_groups : c.n_groups;
    }
    return c;
}

// The mean over values none of which may be unknown. Settings are the same in all replications, and
// their sum over n may be rounded.
static struct ci mean_of(const double *values, uint32_t n)
{
    uint32_t n_same = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (isnan(values[i]))
            return ci_none();
        n_same += values[i] == values[0];
    }
    if (n > 1 && n_same == n)
        return (struct ci){values[0], 0, n};
    return ci_means(values, n);
}

// A struct ci begins with its value, so both kinds of member are read alike.
static void fold_row(const struct part_rows *rows, const struct sweep_result *p, uint32_t row,
                     const uint32_t *members, uint32_t n, struct ci *out)
{
    double *values = mem_calloc(n, sizeof *values);
    for (size_t i = 0; i < REPLICATIONS_PLACE(rows->bytes); i++)
        out[i] = ci_none();
    for (uint32_t m = 0; m < rows->n_members; m++) {
        uint32_t used = 0;
        for (uint32_t i = 0; i < n; i++) {
            size_t at = ((size_t)members[i] * rows->n_rows + row) * rows->bytes;
            if (p->points[members[i]].state == SWEEP_DONE)
                memcpy(&values[used++], rows->base + at + rows->offsets[m], sizeof *values);
        }
        out[REPLICATIONS_PLACE(rows->offsets[m])] = mean_of(values, used);
    }
    mem_free(values);
}

static double queries_of(const struct sweep_result *p, const uint32_t *members, uint32_t n,
                         uint32_t service)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        if (p->points[members[i]].state == SWEEP_DONE)
            sum += (double)p->services[(size_t)members[i] * p->n_services + service].n_queries;
    return sum;
}

// As a run is judged (summary.h): by the late queries, of which the replications say how far they
// spread, and of which few show too little.
static int32_t sla_of(const struct replications *f, uint32_t at_case, uint32_t service,
                      double n_queries)
{
#define FOLDED(member)                                                                             \
    replications_at(f, REPLICATED_SERVICES, at_case, service,                                      \
                    offsetof(struct summary_service, member))
    double allowed = 1 - FOLDED(sla_quantile).value;
    if (!(FOLDED(sla_s).value > 0))
        return VERDICT_NOT_ASKED;
    if (f->cases[at_case].n_overloaded > 0 || FOLDED(lost_frac).value > allowed)
        return VERDICT_MISSED;
    return measurement_judge(measurement_late(FOLDED(late_frac), n_queries, allowed), allowed, 1);
#undef FOLDED
}

// ---- the whole

static void fold_part(struct replications *f, enum replications_part part, const uint32_t *order)
{
    struct part_rows rows = rows_of(f->points, part);
    struct replications_table *table = &f->tables[part];
    table->n_rows = rows.n_rows;
    table->n_places = (uint32_t)REPLICATIONS_PLACE(rows.bytes);
    table->values =
        mem_calloc((size_t)f->n_cases * rows.n_rows * table->n_places, sizeof *table->values);
    struct ci *out = table->values;
    for (uint32_t c = 0; c < f->n_cases; c++) {
        for (uint32_t r = 0; r < rows.n_rows; r++, out += table->n_places)
            fold_row(&rows, f->points, r, order, f->cases[c].n_replications, out);
        order += f->cases[c].n_replications;
    }
}

// The axes but that of replications, and where the cases are on them. A case is where any of its
// points is, because these differ on the axis that is left out alone.
static struct point_axes grid_of(const struct replications *f)
{
    const struct sweep_result *p = f->points;
    struct point_axes grid = point_axes_create(p->n_axes - (p->replication >= 0), f->n_cases);
    for (uint32_t a = 0, to = 0; a < p->n_axes; a++) {
        if ((int)a == p->replication)
            continue;
        point_axes_set(&grid, to, p->axes[a].name, (const char *const *)p->axes[a].labels,
                       p->axes[a].n_labels);
        for (uint32_t c = 0; c < f->n_cases; c++)
            grid.values[(size_t)c * grid.n_axes + to] =
                p->values[(size_t)f->cases[c].point * p->n_axes + a];
        to++;
    }
    return grid;
}

// Cases have names of their own: a point that failed has none, though others of its case do.
static void name_cases(struct replications *f)
{
    const struct sweep_result *p = f->points;
    size_t n = p->n_services, m = p->n_groups;
    f->service_names = mem_calloc(f->n_cases * n, sizeof *f->service_names);
    f->group_names = mem_calloc(f->n_cases * m, sizeof *f->group_names);
    for (size_t c = 0; c < f->n_cases; c++) {
        size_t point = f->cases[c].point;
        memcpy(f->service_names + c * n, p->service_names + point * n,
               n * sizeof *f->service_names);
        memcpy(f->group_names + c * m, p->group_names + point * m, m * sizeof *f->group_names);
    }
}

struct replications *replications_create(const struct sweep_result *points)
{
    struct replications *f = mem_calloc(1, sizeof *f);
    uint32_t *order = order_of(points);
    f->points = points;
    f->cases = mem_calloc(points->n_points, sizeof *f->cases);
    for (uint32_t first = 0; first < points->n_points;) {
        uint32_t end = end_of(points, order, first);
        f->cases[f->n_cases++] = case_of(points, order + first, end - first);
        first = end;
    }
    f->grid = grid_of(f);
    name_cases(f);
    for (int part = 0; part < N_REPLICATED_TABLES; part++)
        fold_part(f, (enum replications_part)part, order);
    f->sla = mem_calloc((size_t)f->n_cases * points->n_services, sizeof *f->sla);
    const uint32_t *members = order;
    for (uint32_t c = 0; c < f->n_cases; members += f->cases[c++].n_replications)
        for (uint32_t s = 0; s < points->n_services; s++)
            f->sla[(size_t)c * points->n_services + s] =
                sla_of(f, c, s, queries_of(points, members, f->cases[c].n_replications, s));
    mem_free(order);
    return f;
}

void replications_destroy(struct replications *f)
{
    if (!f)
        return;
    for (int part = 0; part < N_REPLICATED_TABLES; part++)
        mem_free(f->tables[part].values);
    point_axes_release(&f->grid);
    mem_free(f->service_names);
    mem_free(f->group_names);
    mem_free(f->cases);
    mem_free(f->sla);
    mem_free(f);
}

struct ci replications_at(const struct replications *f, enum replications_part part,
                          uint32_t at_case, uint32_t row, size_t offset)
{
    if (part >= REPLICATED_CPUS) {
        offset += offsetof(struct summary_group, parts) +
                  (part - REPLICATED_CPUS) * sizeof(struct summary_component);
        part = REPLICATED_GROUPS;
    }
    const struct replications_table *t = &f->tables[part];
    size_t place = REPLICATIONS_PLACE(offset);
    if (row >= t->n_rows || place >= t->n_places)
        return ci_none();
    return t->values[((size_t)at_case * t->n_rows + row) * t->n_places + place];
}

int32_t replications_sla(const struct replications *f, uint32_t at_case, uint32_t service)
{
    return f->sla[(size_t)at_case * f->points->n_services + service];
}

#define ROW struct replications_case
const struct data_field replications_case_fields[] = {
    DATA_COUNT32(n_replications, "1", "replications of the case"),
    DATA_COUNT32(n_done, "1", "replications that are done"),
    DATA_COUNT32(n_missing, "1", "replications that are not done"),
    DATA_COUNT32(n_overloaded, "1", "replications that are done and were overloaded"),
    DATA_COUNT32(n_services, "1", "services of the case"),
    DATA_COUNT32(n_groups, "1", "groups of servers of the case"),
    DATA_CODE(verdict, "does any backlog grow without bound", overload_names, OVERLOAD_NO),
    {0}};
#undef ROW
