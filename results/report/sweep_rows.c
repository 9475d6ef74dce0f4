// SPDX-License-Identifier: Apache-2.0
#include "results/report/sweep_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SHOWN_QUANTILE SUMMARY_P95 // where there is no target

#define ROW struct sweep_row
const struct data_field sweep_rows_fields[] = {
    DATA_ESTIMATE(latency_s, "s", "latency at the target's percentile"),
    DATA_ESTIMATE(served_qps, "s-1", "queries served per second"),
    DATA_ESTIMATE(goodput_qps, "s-1", "queries served within their target per second"),
    DATA_ESTIMATE(items_per_s, "s-1", "items served per second"),
    DATA_ESTIMATE(queue_growth_qps, "s-1", "queries by which the queues grew per second"),
    DATA_ESTIMATE(busiest_frac, "1", "utilisation of the busiest component"),
    DATA_ESTIMATE(power_w, "W", "power of the fleet"),
    DATA_ESTIMATE(queries_per_j, "J-1", "queries per joule"),
    DATA_ESTIMATE(lost_frac, "1", "fraction of queries that were lost"),
    {0}};
#undef ROW

#define SERVICE(member) offsetof(struct summary_service, member)
#define FLEET(member) offsetof(struct summary_fleet, member)

// ---- one row

// The run's own estimate, with its interval.
static struct ci own_number(const struct sweep_result *p, enum replications_part part,
                            uint32_t point, uint32_t row, size_t offset)
{
    const char *base;
    struct ci ci;
    switch (part) {
    case REPLICATED_SERVICES:
        base = (const char *)&p->services[(size_t)point * p->n_services + row];
        break;
    case REPLICATED_TOTALS:
        base = (const char *)&p->totals[point];
        break;
    case REPLICATED_FLEETS:
        base = (const char *)&p->fleets[point];
        break;
    default:
        base = (const char *)&p->groups[(size_t)point * p->n_groups + row]
                   .parts[part == REPLICATED_CPUS ? PART_CPU : PART_ACCEL];
    }
    memcpy(&ci, base + offset, sizeof ci);
    return ci;
}

static struct ci number(const struct sweep_rows *v, enum replications_part part, uint32_t i,
                        uint32_t row, size_t offset)
{
    return v->folded ? replications_at(v->fold, part, i, row, offset)
                     : own_number(v->p, part, v->fold->cases[i].point, row, offset);
}

static struct ci busiest(const struct sweep_rows *v, uint32_t i)
{
    struct ci most = ci_none();
    for (uint32_t g = 0; g < v->p->n_groups; g++) {
        for (int part = 0; part < N_PARTS; part++) {
            struct ci util = number(v, part == PART_CPU ? REPLICATED_CPUS : REPLICATED_ACCELS, i, g,
                                    offsetof(struct summary_component, util_frac));
            if (isnan(most.value) || util.value > most.value)
                most = util;
        }
    }
    return most;
}

// The verdict is the worst service's, the latency that of the one whose is the largest part of its
// target.
static void judge_services(const struct sweep_rows *v, uint32_t i, struct sweep_row *row)
{
    uint32_t point = row->at_case->point;
    const struct summary_service *services = v->p->services + (size_t)point * v->p->n_services;
    double most = NAN;
    row->sla = VERDICT_NOT_ASKED;
    row->service = "(all)";
    row->quantile = summary_quantiles[SHOWN_QUANTILE];
    row->latency_s = number(v, REPLICATED_TOTALS, i, 0, SERVICE(latency_s[SHOWN_QUANTILE]));
    for (uint32_t s = 0; s < v->p->points[point].n_services; s++) {
        struct ci latency = number(v, REPLICATED_SERVICES, i, s, SERVICE(sla_latency_s));
        int32_t sla = v->folded ? replications_sla(v->fold, i, s) : services[s].sla;
        row->sla = measurement_worse(row->sla, sla);
        // Settings are the same in all replications.
        if (!(services[s].sla_s > 0))
            continue;
        double part = isnan(latency.value) ? -1 : latency.value / services[s].sla_s;
        if (part <= most) // the first is taken, whatever it is
            continue;
        most = part;
        row->service = v->p->service_names[(size_t)point * v->p->n_services + s].name;
        row->quantile = services[s].sla_quantile;
        row->sla_s = services[s].sla_s;
        row->latency_s = latency;
    }
}

static struct sweep_row row_of(const struct sweep_rows *v, uint32_t i)
{
    const struct replications_case *c = &v->fold->cases[i];
    struct sweep_row row = {
        .at_case = c,
        .done = v->p->points[c->point].state == SWEEP_DONE,
        .p50_s = number(v, REPLICATED_TOTALS, i, 0, SERVICE(latency_s[SUMMARY_P50])),
        .p95_s = number(v, REPLICATED_TOTALS, i, 0, SERVICE(latency_s[SUMMARY_P95])),
        .p99_s = number(v, REPLICATED_TOTALS, i, 0, SERVICE(latency_s[SUMMARY_P99])),
        .offered_qps = number(v, REPLICATED_TOTALS, i, 0, SERVICE(offered_qps)),
        .served_qps = number(v, REPLICATED_TOTALS, i, 0, SERVICE(served_qps)),
        .goodput_qps = number(v, REPLICATED_TOTALS, i, 0, SERVICE(goodput_qps)),
        .items_per_s = number(v, REPLICATED_TOTALS, i, 0, SERVICE(items_per_s)),
        .queue_growth_qps = number(v, REPLICATED_TOTALS, i, 0, SERVICE(queue_growth_qps)),
        .busiest_frac = busiest(v, i),
        .power_w = number(v, REPLICATED_FLEETS, i, 0, FLEET(power_w)),
        .queries_per_j = number(v, REPLICATED_FLEETS, i, 0, FLEET(queries_per_j)),
        .lost_frac = number(v, REPLICATED_TOTALS, i, 0, SERVICE(lost_frac))};
    row.overloaded = row.done && c->verdict == OVERLOAD_YES;
    judge_services(v, i, &row);
    return row;
}

static void make_rows(struct sweep_rows *v)
{
    v->quantile = NAN;
    v->rows = mem_calloc(v->n, sizeof *v->rows);
    for (uint32_t i = 0; i < v->n; i++) {
        struct sweep_row *row = &v->rows[i];
        *row = row_of(v, i);
        if (!row->done)
            continue;
        v->quantile = isnan(v->quantile) ? row->quantile : v->quantile;
        v->many_quantiles |= fabs(row->quantile - v->quantile) > 1e-9;
    }
    if (isnan(v->quantile))
        v->quantile = summary_quantiles[SHOWN_QUANTILE];
    for (uint32_t i = 0; i < v->p->n_points; i++)
        v->many_services |= v->p->points[i].n_services > 1;
}

// ---- axes

bool sweep_rows_shows(const struct sweep_rows *v, uint32_t axis)
{
    return v->p->axes[axis].n_labels > 1 && !(v->folded && (int)axis == v->p->replication);
}

uint32_t sweep_rows_n_shown(const struct sweep_rows *v)
{
    uint32_t n = 0;
    for (uint32_t a = 0; a < v->p->n_axes; a++)
        n += sweep_rows_shows(v, a);
    return n;
}

static bool is_called_load(const char *name)
{
    static const char *const words[] = {"rate", "load", "qps", "traffic", "scale", NULL};
    for (const char *const *word = words; *word; word++)
        if (strcasestr(name, *word))
            return true;
    return false;
}

// How well an axis is fit to lie along x; 0: not at all.
static int fitness(const struct point_axis *axis, const double *numbers, const char *units)
{
    if (numbers && strcmp(units, "s-1") == 0)
        return 4;
    if (is_called_load(axis->name))
        return numbers ? 3 : 2;
    return numbers && axis->n_labels > 2;
}

static void choose_x(struct sweep_rows *v)
{
    int best = 0;
    v->x_axis = -1;
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        const char *units = "1";
        if (!sweep_rows_shows(v, a))
            continue;
        double *numbers = point_axes_numbers(&v->p->axes[a], &units);
        int fit = fitness(&v->p->axes[a], numbers, units);
        if (fit <= best) {
            mem_free(numbers);
            continue;
        }
        best = fit;
        mem_free(v->x);
        v->x = numbers;
        v->x_axis = (int)a;
        v->x_is_load = fit > 1;
        v->x_units = numbers ? units : "s-1";
    }
}

const char *sweep_rows_label(const struct sweep_rows *v, uint32_t row, uint32_t axis)
{
    return sweep_result_label(v->p, v->rows[row].at_case->point, axis);
}

char *sweep_rows_name(const struct sweep_rows *v, uint32_t row, const char *between, int but_axis,
                      int but_other)
{
    const int but[] = {but_axis, but_other, v->p->replication};
    return point_axes_short(&v->p->grid, v->rows[row].at_case->point, between, but,
                            v->folded ? 3 : 2);
}

double sweep_rows_x(const struct sweep_rows *v, uint32_t row)
{
    if (v->x_axis < 0)
        return NAN;
    uint32_t point = v->rows[row].at_case->point;
    return v->x ? v->x[v->p->values[(size_t)point * v->p->n_axes + (uint32_t)v->x_axis]]
                : v->rows[row].offered_qps.value;
}

// ---- series

static int by_series(const struct sweep_rows *v, uint32_t row, uint32_t other)
{
    const uint32_t *x = v->p->values + (size_t)v->rows[row].at_case->point * v->p->n_axes,
                   *y = v->p->values + (size_t)v->rows[other].at_case->point * v->p->n_axes;
    for (uint32_t a = 0; a < v->p->n_axes; a++) {
        if ((int)a != v->x_axis && sweep_rows_shows(v, a) && x[a] != y[a])
            return x[a] > y[a] ? 1 : -1;
    }
    return 0;
}

static int along_x(const void *a, const void *b, void *user)
{
    const struct sweep_rows *v = user;
    uint32_t row = *(const uint32_t *)a, other = *(const uint32_t *)b;
    double x = sweep_rows_x(v, row), y = sweep_rows_x(v, other);
    int order = by_series(v, row, other);
    if (order == 0)
        order = isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y);
    return order ? order : (row > other) - (row < other);
}

static void make_series(struct sweep_rows *v)
{
    v->order = mem_calloc(v->n, sizeof *v->order);
    v->first = mem_calloc((size_t)v->n + 1, sizeof *v->first);
    for (uint32_t i = 0; i < v->n; i++)
        v->order[i] = i;
    qsort_r(v->order, v->n, sizeof *v->order, along_x, v);
    for (uint32_t i = 0; i < v->n; i++)
        if (i == 0 || by_series(v, v->order[i - 1], v->order[i]) != 0)
            v->first[v->n_series++] = i;
    v->first[v->n_series] = v->n;
}

struct sweep_rows *sweep_rows_create(const struct sweep_result *p)
{
    struct sweep_rows *v = mem_calloc(1, sizeof *v);
    v->p = p;
    v->fold = replications_create(p);
    v->folded = p->replication >= 0;
    v->n = v->fold->n_cases;
    make_rows(v);
    choose_x(v);
    make_series(v);
    return v;
}

void sweep_rows_destroy(struct sweep_rows *v)
{
    if (!v)
        return;
    replications_destroy(v->fold);
    mem_free(v->rows);
    mem_free(v->x);
    mem_free(v->order);
    mem_free(v->first);
    mem_free(v);
}

// ---- what rows say

bool sweep_rows_holds(const struct sweep_rows *v, uint32_t row)
{
    const struct sweep_row *r = &v->rows[row];
    return r->done && !r->overloaded && (r->sla == VERDICT_MET || r->sla == VERDICT_NOT_ASKED);
}

char *sweep_rows_tail_name(const struct sweep_rows *v)
{
    return v->many_quantiles ? mem_strdup("latency") : mem_printf("p%.10g", v->quantile * 100);
}
