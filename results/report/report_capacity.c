// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_capacity.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_rows.h"
#include "results/report/report_columns.h"
#include "results/report/report_day.h"
#include "results/report/report_plan.h"

static void print_head(FILE *out, const struct capacity_result *s)
{
    fprintf(out, "recfleet %s   study %s   capacity: %s   seed %llu\n",
            table_or_dash(s->program_version), table_or_dash(s->name), table_or_dash(s->find),
            (unsigned long long)s->seed);
    fprintf(out, "Held: every queue is stable and ");
    if (isfinite(s->sla_quantile))
        fprintf(out, "p%.10g", s->sla_quantile * 100);
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
    const struct capacity_tuple *tuple = s->tuples;
    if (!dataset_is_known(&capacity_result_layout, s,
                          dataset_find(&capacity_result_layout, "tuples")))
        return;
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        struct table *table = table_create(1 + (int)s->n_services);
        table_cell(table, mem_printf("QPS (QPS/W) of one server, %s", s->schedulers[k]));
        for (uint32_t m = 0; m < s->n_services; m++)
            table_cell(table, mem_strdup(s->services[m]));
        for (uint32_t t = 0; t < s->n_types; t++) {
            table_cell(table, mem_strdup(s->types[t]));
            for (uint32_t m = 0; m < s->n_services; m++)
                table_cell(table, tuple_text(tuple++));
        }
        capacity_rows_print(table, 1, out);
        fprintf(out, "\n");
    }
}

// ---- servers, cores, load

// What a simulation says of a size or a load.
static const struct report_column trial_columns[] = {
    {"util %", "cpu_util_frac", REPORT_TENTHS, .scale = 100},
    {"p95 @", "p95_s", .form = REPORT_KNOWN_INTERVAL},
    {"power W", "power_w", REPORT_KNOWN, .scale = 1},
    {0}};

static struct report_columns trial_columns_of(const struct capacity_result *s)
{
    return (struct report_columns){
        .list = trial_columns, .fields = measurement_fields, .unit = capacity_rows_unit(s)};
}

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
        if (all->scheduler == z->scheduler && all->type == z->type && all->cells_down == 0 &&
            all->state != CAPACITY_BEYOND && z->state != CAPACITY_BEYOND)
            return mem_printf("%d", (int)z->n - (int)all->n);
    }
    return mem_strdup("-");
}

static void add_size(struct table *table, const struct capacity_result *s,
                     const struct capacity_size *z, bool has_cells)
{
    const struct report_columns trial = trial_columns_of(s);
    table_texts(table, (const char *const[]){s->schedulers[z->scheduler], s->types[z->type], NULL});
    if (has_cells)
        table_cell(table, mem_printf("%u", z->cells_down));
    table_cell(table, size_text(z));
    if (has_cells)
        table_cell(table, spare_text(s, z));
    table_cell(table, table_known(z->rate_qps));
    table_cell(table, table_fixed(z->rate_qps / z->bound_qps * 100, 1));
    report_columns_row(&trial, table, &z->at_n);
    table_cell(table, table_known(z->cost_usd_per_h));
    table_texts(table, (const char *const[]){capacity_rows_verdict(&z->at_n),
                                             capacity_rows_verdict(&z->below), NULL});
}

static void print_sizes(FILE *out, const struct capacity_result *s)
{
    const struct report_columns trial = trial_columns_of(s);
    bool has_cells = false;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        has_cells |= s->sizes[i].cells_down > 0;
    if (s->n_sizes == 0)
        return;
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "type", has_cells ? "down" : NULL, NULL});
    table_texts(
        table, (const char *const[]){s->find && strcmp(s->find, "cores") == 0 ? "cores" : "servers",
                                     has_cells ? "spare" : NULL, NULL});
    table_texts(table, (const char *const[]){"QPS", "of bound %", NULL});
    report_columns_heads(&trial, table);
    table_texts(table, (const char *const[]){"$/h", "SLA", "one less", NULL});
    table_line(table);
    for (uint32_t i = 0; i < s->n_sizes; i++)
        add_size(table, s, &s->sizes[i], has_cells);
    capacity_rows_print(table, 2, out);
    fprintf(out,
            "\nof bound: load over what that many could do at most; one less: the SLA with one "
            "server less\n");
    if (has_cells)
        fprintf(out, "down: cells out of service; spare: more than with every cell up\n");
}

static void print_loads(FILE *out, const struct capacity_result *s)
{
    const struct report_columns trial = trial_columns_of(s);
    if (s->n_loads == 0)
        return;
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "held QPS", "missed QPS", "asked QPS",
                                             "held / asked x", NULL});
    report_columns_heads(&trial, table);
    table_texts(table, (const char *const[]){"$/h", "SLA", NULL});
    table_line(table);
    for (const struct capacity_load *l = s->loads; l < s->loads + s->n_loads; l++) {
        bool none = l->state == CAPACITY_BEYOND;
        table_cell(table, mem_strdup(s->schedulers[l->scheduler]));
        table_cell(table, none ? mem_strdup("none") : table_known(l->held_qps));
        table_cell(table, table_known(l->missed_qps));
        table_cell(table, table_known(l->asked_qps));
        table_cell(table, table_fixed(l->held_qps / l->asked_qps, 3));
        report_columns_row(&trial, table, &l->at_held);
        table_cell(table, table_known(l->cost_usd_per_h));
        table_cell(table, mem_strdup(capacity_rows_verdict(&l->at_held)));
    }
    capacity_rows_print(table, 1, out);
    fprintf(out, "\nheld, missed: largest load shown to be held, smallest shown to be missed, all "
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
    uint32_t best;
    print_head(out, answer);
    print_tuples(out, answer);
    print_sizes(out, answer);
    print_loads(out, answer);
    print_spent(out, answer);
    if (capacity_rows_n_plans(answer) > 0) {
        report_plan_print(out, answer);
        if (capacity_rows_best(answer, &best))
            report_day_print(out, answer, best);
    }
    fprintf(out, "± half-width of the 95 %% confidence interval; ?: too close to tell\n");
}
