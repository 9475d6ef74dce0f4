// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_plan.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_rows.h"
#include "results/report/report_columns.h"

// Characters of the longest bar.
#define BAR 24

// ---- totals of the day

static bool is_found(const void *total)
{
    return ((const struct capacity_total *)total)->state != CAPACITY_BEYOND;
}

static bool has_margin(const void *total)
{
    return ((const struct capacity_total *)total)->margin_servers > 0;
}

// A column that is empty for every plan, as money is without prices, is left out. Is it known of
// any plan?
static bool is_known(const void *answer, const struct report_column *column)
{
    const struct capacity_result *s = answer;
    bool known = false;
    for (uint32_t i = 0; i < capacity_rows_n_plans(s); i++)
        known |=
            (!column->shown || column->shown(&s->totals[i])) &&
            isfinite(report_columns_value(capacity_result_total_fields, column, &s->totals[i]));
    return known;
}

// Of servers alone it is the hours of servers again.
static bool has_objective(const void *answer, const struct report_column *column)
{
    const char *unit = ((const struct capacity_result *)answer)->objective_unit;
    return !(unit && strcmp(unit, "1") == 0) && is_known(answer, column);
}

// Of making servers, next to that of their energy.
static bool has_embodied(const void *answer, const struct report_column *column)
{
    const struct capacity_result *s = answer;
    bool any = false, grid = false;
    (void)column;
    for (uint32_t i = 0; i < capacity_rows_n_plans(s); i++) {
        any |= s->totals[i].embodied_kg > 0;
        grid |= isfinite(s->totals[i].carbon_kg);
    }
    return any && grid;
}

static const struct report_column total_columns[] = {
    {"peak", "peak_servers", REPORT_WHOLE, 1, .shown = is_found, .wanted = is_known},
    {"server h", "server_h", REPORT_KNOWN, 1, .wanted = is_known},
    {"plan kWh", "planned_kwh", REPORT_KNOWN, 1, .wanted = is_known},
    {"sim. kWh", "simulated_kwh", REPORT_KNOWN, 1, .wanted = is_known},
    {"$", "cost_usd", REPORT_KNOWN, 1, .wanted = is_known},
    {"kg CO2", "carbon_kg", REPORT_KNOWN, 1, .wanted = is_known},
    {"kg made", "embodied_kg", REPORT_KNOWN, 1, .wanted = has_embodied},
    {"objective", "objective", REPORT_KNOWN, 1, .wanted = has_objective},
    {0}};

// With the margin on top.
static const struct report_column margin_columns[] = {
    {"+peak", "margin_servers", REPORT_WHOLE, 1, .shown = has_margin, .wanted = is_known},
    {"+$", "margin_cost_usd", REPORT_KNOWN, 1, .wanted = is_known},
    {0}};

static const struct report_column verdict_columns[] = {
    {"met", "n_met", REPORT_WHOLE, .scale = 1},
    {"?", "n_unsure", REPORT_WHOLE, .scale = 1},
    {"MISSED", "n_missed", REPORT_WHOLE, .scale = 1},
    {0}};

static struct report_columns columns_of(const struct report_column *list,
                                        const struct capacity_result *s)
{
    return (struct report_columns){
        .list = list, .fields = capacity_result_total_fields, .context = s};
}

void report_plan_part(struct report_out *out, const struct capacity_result *s, uint32_t n)
{
    struct report_columns totals = columns_of(total_columns, s),
                          margins = columns_of(margin_columns, s),
                          verdicts = columns_of(verdict_columns, s);
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "allocation", "provisioning", NULL});
    report_columns_heads(&totals, table);
    report_columns_heads(&margins, table);
    report_columns_heads(&verdicts, table);
    table_line(table);
    for (uint32_t plan = 0; plan < n; plan++) {
        const struct capacity_plan p = capacity_rows_plan(s, plan);
        table_texts(table, (const char *const[]){p.scheduler, p.allocation, p.provisioning, NULL});
        report_columns_row(&totals, table, &s->totals[plan]);
        report_columns_row(&margins, table, &s->totals[plan]);
        if (is_found(&s->totals[plan]))
            report_columns_row(&verdicts, table, &s->totals[plan]);
        else
            table_texts(table, (const char *const[]){"no plan", "-", "-", NULL});
    }
    capacity_rows_print(table, 3, out, "totals");
    if (isfinite(s->day_s))
        report_text(out, "over the day of %g h; ", s->day_s / CAPACITY_S_PER_H);
    report_text(out, "peak: most servers on; plan, sim.: as planned, as simulated; "
                     "met, ?, MISSED:\ntargets of services times intervals, as simulated\n");
    if (s->margin_frac > 0)
        report_text(out, "+: planned for %g %% more\n", 100 * s->margin_frac);
    if (s->objective && s->objective[0])
        report_text(out, "objective: %s, in %s times hours\n", s->objective,
                    s->objective_unit && strcmp(s->objective_unit, "1") != 0 ? s->objective_unit
                                                                             : "servers");
    report_text(out, "\n");
}

// ---- savings

static int find_name(char *const *names, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

// A row; `what` is owned by the table from now on. Nothing when one of the two has no plan.
static void add_saving(struct table *table, const struct capacity_result *s, char *what,
                       size_t base, size_t other)
{
    const struct capacity_total *x = &s->totals[base], *y = &s->totals[other];
    if (!is_found(x) || !is_found(y)) {
        mem_free(what);
        return;
    }
    table_cell(table, what);
    for (const struct report_column *c = total_columns; c->head; c++) {
        if (c->wanted(s, c))
            table_cell(table, capacity_rows_saving(
                                  report_columns_value(capacity_result_total_fields, c, x),
                                  report_columns_value(capacity_result_total_fields, c, y)));
    }
}

// `optimal` against each of the others, under every scheduler and provisioning.
static void add_allocations(struct table *table, const struct capacity_result *s)
{
    int optimal = find_name(s->allocations, s->n_allocations, "optimal");
    for (uint32_t k = 0; optimal >= 0 && k < s->n_schedulers; k++)
        for (uint32_t p = 0; p < s->n_provisionings; p++)
            for (uint32_t a = 0; a < s->n_allocations; a++)
                if (a != (uint32_t)optimal)
                    add_saving(table, s,
                               mem_printf("%s, %s: optimal against %s", s->schedulers[k],
                                          s->provisionings[p], s->allocations[a]),
                               capacity_result_plan_at(s, k, a, p),
                               capacity_result_plan_at(s, k, (uint32_t)optimal, p));
}

// Of the best allocation: following against the peak, and the schedulers against the first.
static void add_others(struct table *table, const struct capacity_result *s, uint32_t best)
{
    int peak = find_name(s->provisionings, s->n_provisionings, "peak");
    int follow = find_name(s->provisionings, s->n_provisionings, "follow");
    uint32_t apart = capacity_rows_n_plans(s) / s->n_schedulers, first = best % apart;
    const struct capacity_plan p = capacity_rows_plan(s, best);
    for (uint32_t k = 0; peak >= 0 && follow >= 0 && k < s->n_schedulers; k++) {
        uint32_t row = k * apart + first / s->n_provisionings * s->n_provisionings;
        add_saving(table, s,
                   mem_printf("%s, %s: follow against peak", s->schedulers[k], p.allocation),
                   row + (uint32_t)peak, row + (uint32_t)follow);
    }
    for (uint32_t k = 1; k < s->n_schedulers; k++)
        add_saving(table, s,
                   mem_printf("%s, %s: %s against %s", p.allocation, p.provisioning,
                              s->schedulers[k], s->schedulers[0]),
                   first, first + k * apart);
}

static void print_savings(struct report_out *out, const struct capacity_result *s, uint32_t best)
{
    if (find_name(s->allocations, s->n_allocations, "given") >= 0)
        return;
    struct report_columns totals = columns_of(total_columns, s);
    struct table *table = table_create(0);
    table_head(table, mem_strdup("saves, %"), "saves_percent");
    report_columns_heads(&totals, table);
    table_line(table);
    add_allocations(table, s);
    add_others(table, s, best);
    capacity_rows_print(table, 1, out, "savings");
    report_text(out, "\n");
}

// ---- by the hour

// The worst verdict on any service.
static const char *verdict_at(const struct capacity_result *s, uint32_t plan, uint32_t interval)
{
    const struct measurement *trials = capacity_rows_trials(s, plan, interval);
    struct measurement all = measurement_none(VERDICT_NOT_ASKED);
    for (uint32_t m = 0; m < s->n_services; m++) {
        all.stable = measurement_worse(all.stable, trials[m].stable);
        all.sla = measurement_worse(all.sla, trials[m].sla);
    }
    return capacity_rows_verdict(&all);
}

static void add_hour(struct table *table, const struct capacity_result *s, uint32_t plan,
                     uint32_t interval, uint32_t most)
{
    const struct capacity_step *step = &s->steps[plan * s->n_intervals + interval];
    uint32_t service;
    double qps = 0, worst = capacity_rows_worst(s, plan, interval, &service);
    char bar[BAR + 1] = "";
    for (uint32_t m = 0; m < s->n_services; m++)
        qps += s->demand[(size_t)interval * s->n_services + m].mean_qps;
    memset(bar, '#', most > 0 ? (size_t)lround((double)step->n_on / most * BAR) : 0);
    table_cell(table, capacity_rows_time(s, interval));
    table_cell(table, mem_strdup(bar));
    table_cell(table, mem_printf("%u", step->n_on));
    table_cell(table, mem_printf("%u", step->n_started));
    table_value(table, table_known(qps), qps);
    table_value(table, table_known(step->planned_w), step->planned_w);
    table_value(table, table_known(step->simulated_w), step->simulated_w);
    table_value(table, table_fixed(worst, 2), worst);
    table_texts(table, (const char *const[]){isnan(worst) ? "-" : s->services[service],
                                             verdict_at(s, plan, interval), NULL});
}

// The interval with the most servers on.
static uint32_t fullest(const struct capacity_result *s, uint32_t plan)
{
    const struct capacity_step *steps = s->steps + (size_t)plan * s->n_intervals;
    uint32_t at = 0;
    for (uint32_t i = 1; i < s->n_intervals; i++)
        if (steps[i].n_on > steps[at].n_on)
            at = i;
    return at;
}

static void print_hours(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    const struct capacity_plan p = capacity_rows_plan(s, plan);
    uint32_t stride = capacity_rows_stride(s);
    uint32_t most = s->steps[plan * s->n_intervals + fullest(s, plan)].n_on;
    struct table *table = table_create(0);
    table_cell(table, mem_strdup("time"));
    table_head(table, mem_strdup("servers on"), ""); // a bar, for people alone
    table_head(table, NULL, "servers_on");
    table_texts(table, (const char *const[]){"started", "QPS", "planned W", "simulated W", NULL});
    table_cell(table, isfinite(s->sla_quantile) ? mem_printf("p%.10g/target", s->sla_quantile * 100)
                                                : mem_strdup("latency/target"));
    table_texts(table, (const char *const[]){"of", "SLA", NULL});
    table_line(table);
    for (uint32_t i = 0; i < s->n_intervals; i += stride)
        add_hour(table, s, plan, i, most);
    report_text(out, "%s, %s, %s:\n", p.scheduler, p.allocation, p.provisioning);
    capacity_rows_print(table, 2, out, "plan");
    if (stride > 1)
        report_text(out, "one line for every %u intervals; all are in the file\n", stride);
    report_text(out, "\n");
}

// ---- who serves whom

// A type's servers by service, and those that are on without a use.
static void add_type(struct table *table, const struct capacity_result *s, size_t step,
                     uint32_t type)
{
    const uint32_t *assigned = s->n_assigned + (step * s->n_types + type) * (size_t)s->n_services;
    uint32_t n_on = s->n_on[step * s->n_types + type], n_used = 0;
    table_cell(table, mem_strdup(s->types[type]));
    for (uint32_t m = 0; m < s->n_services; m++) {
        table_cell(table, assigned[m] ? mem_printf("%u", assigned[m]) : mem_strdup("-"));
        n_used += assigned[m];
    }
    table_cell(table, n_on > n_used ? mem_printf("%u", n_on - n_used) : mem_strdup("-"));
    table_cell(table, mem_printf("%u", n_on));
    table_cell(table, mem_printf("%u", s->available[type]));
}

static void print_assigned(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    uint32_t interval = fullest(s, plan);
    size_t step = (size_t)plan * s->n_intervals + interval;
    struct table *table = table_create(0);
    char *time = capacity_rows_time(s, interval);
    table_head(table, mem_printf("servers at %s", time), "type");
    for (uint32_t m = 0; m < s->n_services; m++)
        table_cell(table, mem_strdup(s->services[m]));
    table_texts(table, (const char *const[]){"unused", "on", "of", NULL});
    table_line(table);
    for (uint32_t h = 0; h < s->n_types; h++)
        add_type(table, s, step, h);
    capacity_rows_print(table, 1, out, "servers");
    mem_free(time);
    report_text(out,
                "of: servers that there are; other intervals are in the file, plan/n_assigned\n\n");
}

void report_plan_print(struct report_out *out, const struct capacity_result *s)
{
    uint32_t best;
    report_plan_part(out, s, capacity_rows_n_plans(s));
    if (!capacity_rows_best(s, &best))
        return;
    print_savings(out, s, best);
    print_hours(out, s, best);
    // Of a given fleet there is no assignment: all of its servers serve all services.
    if (s->n_assigned && strcmp(capacity_rows_plan(s, best).allocation, "given") != 0)
        print_assigned(out, s, best);
}
