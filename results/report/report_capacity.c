// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_capacity.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_answer.h"
#include "results/report/capacity_rows.h"
#include "results/report/report_columns.h"
#include "results/report/report_day.h"
#include "results/report/report_plan.h"

static void print_head(struct report_out *out, const struct capacity_result *s)
{
    report_text(out, "\nrecfleet %s   study %s   capacity: %s   seed %llu\n",
                table_or_dash(s->program_version), table_or_dash(s->name), table_or_dash(s->find),
                (unsigned long long)s->seed);
    report_text(out, "Held: every queue is stable and ");
    if (isfinite(s->sla_quantile))
        report_text(out, "p%.10g", s->sla_quantile * 100);
    else
        report_text(out, "the percentile");
    report_text(out, " of every service is within its target");
    if (s->headroom_frac > 0)
        report_text(out, "; headroom %g %%", s->headroom_frac * 100);
    report_text(out, ".\n\n");
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

// With cores counted there is none where the scheduler's settings are given.
static bool has_tuples(const struct capacity_result *s, const struct capacity_tuple *tuple)
{
    bool any = false;
    for (uint32_t i = 0; i < s->n_types * s->n_services; i++)
        any |= tuple[i].state == CAPACITY_BEYOND || isfinite(tuple[i].qps);
    return any;
}

static void print_tuples(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_tuple *tuple = s->tuples;
    if (!dataset_is_known(&capacity_result_layout, s,
                          dataset_find(&capacity_result_layout, "tuples")))
        return;
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        if (!has_tuples(s, tuple)) {
            tuple += (size_t)s->n_types * s->n_services;
            continue;
        }
        struct table *table = table_create(1 + (int)s->n_services);
        char *head = mem_printf("QPS (QPS/W) of one server, %s", s->schedulers[k]);
        table_head(table, head, "type");
        for (uint32_t m = 0; m < s->n_services; m++)
            table_cell(table, mem_strdup(s->services[m]));
        for (uint32_t t = 0; t < s->n_types; t++) {
            table_cell(table, mem_strdup(s->types[t]));
            for (uint32_t m = 0; m < s->n_services; m++)
                table_value(table, tuple_text(&tuple[m]), tuple[m].qps);
            tuple += s->n_services;
        }
        char *name = mem_printf("tuples, %s", s->schedulers[k]);
        capacity_rows_print(table, 1, out, name);
        mem_free(name);
        report_text(out, "\n");
    }
}

// ---- servers, cores, load

// What a simulation says of a size or a load, beside the latency at the target's percentile.
static const struct report_column trial_columns[] = {
    {"cpu %", "cpu_util_frac", REPORT_TENTHS, .scale = 100},
    {"accel %", "accel_util_frac", REPORT_TENTHS, .scale = 100, .wanted = capacity_rows_use_accel},
    {"power W", "power_w", REPORT_KNOWN, .scale = 1},
    {0}};

static struct report_columns trial_of(const struct capacity_result *s)
{
    return (struct report_columns){
        .list = trial_columns, .fields = measurement_fields, .context = s};
}

// "40", "20 (19..22)", ">500"; "none" where an idle server is too slow.
static char *size_text(const struct capacity_result *s, const struct capacity_size *z)
{
    if (capacity_result_unreachable(s, z->scheduler, z->type, NULL))
        return mem_strdup("none");
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
            all->margin_frac == z->margin_frac && all->state != CAPACITY_BEYOND &&
            z->state != CAPACITY_BEYOND)
            return mem_printf("%d", (int)z->n - (int)all->n);
    }
    return mem_strdup("-");
}

// "8800 +10 %".
static char *rate_text(const struct capacity_size *z)
{
    char *rate = table_known(z->rate_qps);
    if (!(z->margin_frac > 0))
        return rate;
    char *text = mem_printf("%s +%g %%", rate, 100 * z->margin_frac);
    mem_free(rate);
    return text;
}

// For programs: what ">500" and "20 (19..22)" say, in columns of their own.
static void add_range(struct table *table, const struct capacity_result *s,
                      const struct capacity_size *z)
{
    bool none = capacity_result_unreachable(s, z->scheduler, z->type, NULL);
    table_cell(table, mem_strdup(none ? "none" : capacity_result_state_names[z->state]));
    table_value(table, NULL, none ? (double)NAN : z->n_least);
    table_value(table, NULL, z->state == CAPACITY_BEYOND ? (double)NAN : z->n_most);
}

static void add_size(struct table *table, const struct capacity_result *s,
                     const struct capacity_size *z, bool has_cells, bool data)
{
    table_texts(table, (const char *const[]){s->schedulers[z->scheduler], s->types[z->type], NULL});
    if (has_cells)
        table_cell(table, mem_printf("%u", z->cells_down));
    table_value(table, size_text(s, z), z->state == CAPACITY_BEYOND ? (double)NAN : z->n);
    if (data)
        add_range(table, s, z);
    if (has_cells)
        table_cell(table, spare_text(s, z));
    table_value(table, rate_text(z), z->rate_qps);
    table_value(table, table_fixed(z->rate_qps / z->bound_qps * 100, 1),
                z->rate_qps / z->bound_qps * 100);
    const struct report_columns trial = trial_of(s);
    capacity_rows_latency(s, table, &z->at_n);
    report_columns_row(&trial, table, &z->at_n);
    table_value(table, table_known(z->cost_usd_per_h), z->cost_usd_per_h);
    table_texts(table, (const char *const[]){capacity_rows_verdict(&z->at_n),
                                             capacity_rows_verdict(&z->below), NULL});
}

static void print_sizes(struct report_out *out, const struct capacity_result *s)
{
    bool has_cells = false, data = !report_out_has_text(out);
    bool cores = s->find && strcmp(s->find, "cores") == 0;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        has_cells |= s->sizes[i].cells_down > 0;
    if (s->n_sizes == 0)
        return;
    const struct report_columns trial = trial_of(s);
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "type", has_cells ? "down" : NULL, NULL});
    table_texts(table, (const char *const[]){cores ? "cores" : "servers", NULL});
    if (data)
        table_texts(table, (const char *const[]){"state", "n_least", "n_most", NULL});
    table_texts(table, (const char *const[]){has_cells ? "spare" : NULL, NULL});
    table_texts(table, (const char *const[]){"QPS", "of bound %", NULL});
    capacity_rows_latency_head(s, table);
    report_columns_heads(&trial, table);
    table_texts(table, (const char *const[]){"$/h", "SLA", "one less", NULL});
    table_line(table);
    for (uint32_t i = 0; i < s->n_sizes; i++)
        add_size(table, s, &s->sizes[i], has_cells, data);
    capacity_rows_print(table, 2, out, "sizes");
    report_text(out,
                "\nof bound: load over what that many could do at most; one less: the SLA with one "
                "%s less\n",
                cores ? "core" : "server");
    if (has_cells)
        report_text(out, "down: cells out of service; spare: more than with every cell up\n");
}

// ---- service by service

static const struct report_column service_columns[] = {
    {"takes @", "sla_latency_s", .form = REPORT_KNOWN_INTERVAL},
    {"late %", "late_frac", REPORT_KNOWN_INTERVAL, .scale = 100},
    {"served QPS", "served_qps", REPORT_KNOWN, .scale = 1},
    {0}};

// What an idle server takes of the service, at the percentile of its target; the fastest type where
// no one type is asked of.
static double idle_s(const struct capacity_result *s, uint32_t scheduler, uint32_t type,
                     uint32_t service)
{
    double least = NAN;
    for (uint32_t t = 0; t < s->n_types; t++) {
        size_t at = ((size_t)scheduler * s->n_types + t) * s->n_services + service;
        if (type == s->n_types || type == t)
            least = fmin(least, s->unloaded[at].sla_latency_s.value); // NaN: the other
    }
    return least;
}

// The answer's services, from the row of the file that it is.
static void add_services(struct table *table, const struct capacity_result *s,
                         const struct report_columns *columns, uint32_t row)
{
    const struct capacity_size *z = s->n_sizes > 0 ? &s->sizes[row] : NULL;
    const struct capacity_load *l = z ? NULL : &s->loads[row];
    uint32_t scheduler = z ? z->scheduler : l->scheduler, binding = z ? z->binding : l->binding;
    const struct measurement *m =
        (z ? s->size_services : s->load_services) + (size_t)row * s->n_services;
    if (isnan(m[binding].sla_s) || (z && !capacity_answer_is_plain(s, z)))
        return;
    for (uint32_t i = 0; i < s->n_services; i++, m++) {
        double idle = idle_s(s, scheduler, z ? z->type : s->n_types, i);
        table_texts(table, (const char *const[]){s->schedulers[scheduler],
                                                 z ? s->types[z->type] : NULL, NULL});
        table_cell(table, mem_printf("%s%s", s->services[i], i == binding ? " *" : ""));
        table_cell(table, isfinite(m->sla_s)
                              ? mem_printf("p%.10g %.4g", 100 * (1 - m->allowed_frac),
                                           m->sla_s * columns->unit.scale)
                              : mem_strdup("-"));
        report_columns_row(columns, table, m);
        table_value(table, table_known(idle * columns->unit.scale), idle);
        table_cell(table, mem_strdup(capacity_rows_verdict(m)));
    }
}

// Of each answer without a margin and with as few cells down as were looked at.
static void print_services(struct report_out *out, const struct capacity_result *s)
{
    const struct report_columns columns = {
        .list = service_columns, .fields = measurement_fields, .unit = capacity_rows_unit(s)};
    uint32_t n_rows = s->n_sizes > 0 ? s->n_sizes : s->n_loads;
    const char *array = s->n_sizes > 0 ? "size_services" : "load_services";
    if (s->n_services < 2 ||
        !dataset_is_known(&capacity_result_layout, s, dataset_find(&capacity_result_layout, array)))
        return;
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", s->n_sizes > 0 ? "type" : NULL, NULL});
    table_texts(table, (const char *const[]){"service", NULL});
    table_cell(table, mem_printf("target %s", columns.unit.name));
    report_columns_heads(&columns, table);
    table_head(table, mem_strdup("idle"), "idle_s");
    table_cell(table, mem_strdup("SLA"));
    table_line(table);
    for (uint32_t i = 0; i < n_rows; i++)
        add_services(table, s, &columns, i);
    report_text(out, "\n");
    capacity_rows_print(table, s->n_sizes > 0 ? 3 : 2, out, "services");
    report_text(out,
                "takes, idle: latency at the target's percentile, there and on an idle server; *: "
                "decides\n");
}

static void print_loads(struct report_out *out, const struct capacity_result *s)
{
    if (s->n_loads == 0)
        return;
    const struct report_columns trial = trial_of(s);
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "held QPS", "missed QPS", "asked QPS",
                                             "held / asked x", NULL});
    capacity_rows_latency_head(s, table);
    report_columns_heads(&trial, table);
    table_texts(table, (const char *const[]){"$/h", "SLA", NULL});
    table_line(table);
    bool any_none = false;
    for (const struct capacity_load *l = s->loads; l < s->loads + s->n_loads; l++) {
        bool none = l->state == CAPACITY_BEYOND;
        any_none |= none;
        table_cell(table, mem_strdup(s->schedulers[l->scheduler]));
        table_value(table, none ? mem_strdup("none") : table_known(l->held_qps), l->held_qps);
        table_value(table, table_known(l->missed_qps), l->missed_qps);
        table_value(table, table_known(l->asked_qps), l->asked_qps);
        table_value(table, table_fixed(l->held_qps / l->asked_qps, 3), l->held_qps / l->asked_qps);
        capacity_rows_latency(s, table, &l->at_held);
        report_columns_row(&trial, table, &l->at_held);
        table_value(table, table_known(l->cost_usd_per_h), l->cost_usd_per_h);
        table_cell(table, mem_strdup(capacity_rows_verdict(&l->at_held)));
    }
    capacity_rows_print(table, 1, out, "loads");
    report_text(out,
                "\nheld, missed: largest load shown to be held, smallest shown to be missed, all "
                "services together\n%s",
                any_none ? "none: the row is at vanishing load\n" : "");
}

// A latency that is known without an interval.
static bool is_short(const struct measurement *m)
{
    return isfinite(m->sla_latency_s.value) && isnan(m->sla_latency_s.half_95);
}

static void print_legend(struct report_out *out, const struct capacity_result *s)
{
    bool any_short = false;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        any_short |= is_short(&s->sizes[i].at_n);
    for (uint32_t i = 0; i < s->n_loads; i++)
        any_short |= is_short(&s->loads[i].at_held);
    report_text(out, "± half-width of the 95 %% confidence interval; ?: too close to tell\n");
    if (any_short)
        report_text(out,
                    "n/a: the run is too short compared with the memory of its queues; a longer "
                    "one (capacity.queries) has an interval\n");
}

static void print_spent(struct report_out *out, const struct capacity_result *s)
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
        report_text(out, "%llu simulations, %.3g queries\n", (unsigned long long)n_runs,
                    (double)n_queries);
}

void report_capacity_print(struct report_out *out, const struct capacity_result *answer)
{
    capacity_answer_print(out, answer);
    report_capacity_tables(out, answer);
}

// Are some of the tuples found, and others not looked for yet?
static bool is_partly_known(const struct capacity_result *s)
{
    bool any = false, none = false;
    for (uint32_t i = 0; i < s->n_schedulers * s->n_types * s->n_services; i++) {
        any |= isfinite(s->tuples[i].qps);
        none |= s->tuples[i].state == CAPACITY_FOUND && isnan(s->tuples[i].qps);
    }
    return any && none;
}

void report_capacity_part(struct report_out *out, const struct capacity_result *answer,
                          uint32_t n_rows)
{
    struct capacity_result part = *answer; // borrows all of it
    uint32_t n_plans = capacity_rows_n_plans(answer);
    part.n_sizes = n_rows < part.n_sizes ? n_rows : part.n_sizes;
    part.n_loads = n_rows < part.n_loads ? n_rows : part.n_loads;
    print_head(out, &part);
    print_tuples(out, &part);
    if (is_partly_known(&part))
        report_text(out, "-: it holds none, or that is not known yet\n");
    print_sizes(out, &part);
    print_loads(out, &part);
    if (n_rows > 0 && n_plans == 0)
        print_services(out, &part);
    if (n_rows > 0 && n_plans > 0)
        report_plan_part(out, &part, n_rows);
    print_legend(out, &part);
}

void report_capacity_tables(struct report_out *out, const struct capacity_result *answer)
{
    uint32_t best;
    print_head(out, answer);
    print_tuples(out, answer);
    print_sizes(out, answer);
    print_loads(out, answer);
    print_services(out, answer);
    print_spent(out, answer);
    if (capacity_rows_n_plans(answer) > 0) {
        report_plan_print(out, answer);
        if (capacity_rows_best(answer, &best))
            report_day_print(out, answer, best);
    }
    print_legend(out, answer);
}
