// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_capacity.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/report_day.h"
#include "results/report/report_plan.h"
#include "results/report/capacity_rows.h"
#include "results/report/table.h"

static const char *name_of(const char *name)
{
    return name && name[0] ? name : "-";
}

static void head(struct table *table, const char *text)
{
    table_cell(table, mem_strdup(text));
}

// Closes a table: prints it with its first columns flush left.
static void finish(struct table *table, int n_left, FILE *out)
{
    table_left(table, n_left);
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

static void print_head(FILE *out, const struct capacity_result *s)
{
    fprintf(out, "recfleet %s   study %s   capacity: %s   seed %llu\n", name_of(s->program_version),
            name_of(s->name), name_of(s->find), (unsigned long long)s->seed);
    fprintf(out, "Held: every queue is stable and ");
    if (isfinite(s->sla_quantile))
        fprintf(out, "p%g", s->sla_quantile * 100);
    else
        fprintf(out, "the percentile");
    fprintf(out, " of every service is within its target");
    if (s->headroom_frac > 0)
        fprintf(out, "; headroom %g %%", s->headroom_frac * 100);
    fprintf(out, ".\n\n");
}

// ---- one server of each type

static char *tuple_text(const struct capacity_tuple *t)
{
    if (t->state == CAPACITY_BEYOND || !isfinite(t->qps))
        return mem_strdup("-");
    char *qps = table_known(t->qps), *per_w = table_known(t->qps / t->at_qps.power_w);
    char *text = mem_printf("%s (%s)", qps, per_w);
    mem_free(qps);
    mem_free(per_w);
    return text;
}

static void print_tuples(FILE *out, const struct capacity_result *s)
{
    if (!dataset_is_known(&capacity_result_layout, s,
                          dataset_find(&capacity_result_layout, "tuples")))
        return;
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        struct table *table = table_create(1 + (int)s->n_services);
        table_cell(table, mem_printf("QPS (QPS/W) of one server, %s", s->schedulers[k]));
        for (uint32_t m = 0; m < s->n_services; m++)
            head(table, s->services[m]);
        for (uint32_t t = 0; t < s->n_types; t++) {
            head(table, s->types[t]);
            for (uint32_t m = 0; m < s->n_services; m++)
                table_cell(table, tuple_text(&s->tuples[(k * s->n_types + t) * s->n_services + m]));
        }
        finish(table, 1, out);
    }
}

// ---- servers, cores

// "40", "20 (19..22)", ">500".
static char *size_text(const struct capacity_size *z)
{
    if (z->state == CAPACITY_BEYOND)
        return mem_printf(">%u", z->n_most);
    if (z->state == CAPACITY_RANGE)
        return mem_printf("%u (%u..%u)", z->n, z->n_least, z->n_most);
    return mem_printf("%u", z->n);
}

// More than with every cell up.
static char *spare_text(const struct capacity_result *s, const struct capacity_size *z)
{
    for (uint32_t i = 0; i < s->n_sizes; i++) {
        const struct capacity_size *all = &s->sizes[i];
        if (all->scheduler != z->scheduler || all->type != z->type || all->cells_down != 0)
            continue;
        bool known = all->state != CAPACITY_BEYOND && z->state != CAPACITY_BEYOND;
        return known ? mem_printf("%d", (int)z->n - (int)all->n) : mem_strdup("-");
    }
    return mem_strdup("-");
}

// Utilisation, p95, power: what a simulation says of a size or a load.
static void add_trial(struct table *table, const struct measurement *t, struct table_unit unit)
{
    table_cell(table, table_fixed(t->cpu_util_frac * 100, 1));
    table_cell(table, capacity_rows_interval(t->p95_s.value, t->p95_s.half_95, unit.scale));
    table_cell(table, table_known(t->power_w));
}

static const char *trial_verdict(const struct measurement *t)
{
    return capacity_rows_verdict(measurement_worse(t->stable, t->sla));
}

static void add_size(struct table *table, const struct capacity_result *s,
                     const struct capacity_size *z, bool has_cells, struct table_unit unit)
{
    table_cell(table, mem_strdup(s->schedulers[z->scheduler]));
    table_cell(table, mem_strdup(s->types[z->type]));
    if (has_cells) {
        table_cell(table, mem_printf("%u", z->cells_down));
        table_cell(table, size_text(z));
        table_cell(table, spare_text(s, z));
    } else {
        table_cell(table, size_text(z));
    }
    table_cell(table, table_known(z->rate_qps));
    table_cell(table, table_fixed(z->rate_qps / z->bound_qps * 100, 1));
    add_trial(table, &z->at_n, unit);
    table_cell(table, table_known(z->cost_usd_per_h));
    table_cell(table, mem_strdup(trial_verdict(&z->at_n)));
    table_cell(table, mem_strdup(trial_verdict(&z->below)));
}

static void print_sizes(FILE *out, const struct capacity_result *s)
{
    struct table_unit unit = capacity_rows_unit(s);
    bool has_cells = false;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        has_cells |= s->sizes[i].cells_down > 0;
    if (s->n_sizes == 0)
        return;
    struct table *table = table_create(has_cells ? 13 : 11);
    head(table, "scheduler");
    head(table, "type");
    if (has_cells)
        head(table, "down");
    head(table, s->find && strcmp(s->find, "cores") == 0 ? "cores" : "servers");
    if (has_cells)
        head(table, "spare");
    head(table, "QPS");
    head(table, "of bound %");
    head(table, "util %");
    table_cell(table, mem_printf("p95 %s", unit.name));
    head(table, "power W");
    head(table, "$/h");
    head(table, "SLA");
    head(table, "one less");
    for (uint32_t i = 0; i < s->n_sizes; i++)
        add_size(table, s, &s->sizes[i], has_cells, unit);
    finish(table, 2, out);
    fprintf(out, "of bound: load over what that many could do at most; one less: the SLA with one "
                 "server less\n");
    if (has_cells)
        fprintf(out, "down: cells out of service; spare: more than with every cell up\n");
}

// ---- load

static void print_loads(FILE *out, const struct capacity_result *s)
{
    struct table_unit unit = capacity_rows_unit(s);
    if (s->n_loads == 0)
        return;
    struct table *table = table_create(10);
    const char *const heads[] = {"scheduler", "held QPS",       "missed QPS",
                                 "asked QPS", "held / asked x", "util %"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        head(table, heads[i]);
    table_cell(table, mem_printf("p95 %s", unit.name));
    head(table, "power W");
    head(table, "$/h");
    head(table, "SLA");
    for (uint32_t i = 0; i < s->n_loads; i++) {
        const struct capacity_load *l = &s->loads[i];
        bool none = l->state == CAPACITY_BEYOND;
        table_cell(table, mem_strdup(s->schedulers[l->scheduler]));
        table_cell(table, none ? mem_strdup("none") : table_known(l->held_qps));
        table_cell(table, table_known(l->missed_qps));
        table_cell(table, table_known(l->asked_qps));
        table_cell(table, table_fixed(l->held_qps / l->asked_qps, 3));
        add_trial(table, &l->at_held, unit);
        table_cell(table, table_known(l->cost_usd_per_h));
        table_cell(table, mem_strdup(trial_verdict(&l->at_held)));
    }
    finish(table, 1, out);
    fprintf(out, "held, missed: largest load shown to be held, smallest shown to be missed, all "
                 "services together\n");
}

static void print_spent(FILE *out, const struct capacity_result *s)
{
    uint64_t n_runs = 0, n_queries = 0;
    for (uint32_t i = 0; i < s->n_sizes; i++) {
        n_runs += s->sizes[i].n_runs;
        n_queries += s->sizes[i].n_queries;
    }
    for (uint32_t i = 0; i < s->n_loads; i++) {
        n_runs += s->loads[i].n_runs;
        n_queries += s->loads[i].n_queries;
    }
    if (n_runs > 0)
        fprintf(out, "%llu simulations, %.3g queries\n", (unsigned long long)n_runs,
                (double)n_queries);
}

void report_capacity_print(FILE *out, const struct capacity_result *answer)
{
    struct capacity_plan best;
    print_head(out, answer);
    print_tuples(out, answer);
    print_sizes(out, answer);
    print_loads(out, answer);
    print_spent(out, answer);
    if (capacity_rows_has_plans(answer)) {
        report_plan_print(out, answer);
        if (capacity_rows_best(answer, &best))
            report_day_print(out, answer, &best);
    }
    fprintf(out, "± half-width of the 95 %% confidence interval; ?: too close to tell\n");
}
