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

// Is it known of any plan?
static bool is_known(const void *answer, const struct report_column *column)
{
    const struct capacity_result *s = answer;
    uint32_t n = s->n_schedulers * s->n_allocations * s->n_provisionings;
    bool known = false;
    for (uint32_t i = 0; i < n; i++)
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

static const struct report_column total_columns[] = {
    {"peak", "peak_servers", REPORT_WHOLE, 1, .shown = is_found, .wanted = is_known},
    {"server h", "server_h", REPORT_KNOWN, 1, .wanted = is_known},
    {"plan kWh", "planned_kwh", REPORT_KNOWN, 1, .wanted = is_known},
    {"sim. kWh", "simulated_kwh", REPORT_KNOWN, 1, .wanted = is_known},
    {"$", "cost_usd", REPORT_KNOWN, 1, .wanted = is_known},
    {"kg CO2", "carbon_kg", REPORT_KNOWN, 1, .wanted = is_known},
    {"objective", "objective", REPORT_KNOWN, 1, .wanted = has_objective},
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

static void print_totals(FILE *out, const struct capacity_result *s)
{
    struct report_columns totals = columns_of(total_columns, s),
                          verdicts = columns_of(verdict_columns, s);
    struct capacity_plan p;
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"scheduler", "allocation", "provisioning", NULL});
    report_columns_heads(&totals, table);
    report_columns_heads(&verdicts, table);
    table_line(table);
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
        for (p.allocation = 0; p.allocation < s->n_allocations; p.allocation++)
            for (p.provisioning = 0; p.provisioning < s->n_provisionings; p.provisioning++) {
                const struct capacity_total *total = capacity_rows_total(s, &p);
                table_texts(table, (const char *const[]){s->schedulers[p.scheduler],
                                                         s->allocations[p.allocation],
                                                         s->provisionings[p.provisioning], NULL});
                report_columns_row(&totals, table, total);
                if (is_found(total))
                    report_columns_row(&verdicts, table, total);
                else
                    table_texts(table, (const char *const[]){"no plan", "-", "-", NULL});
            }
    table_left(table, 3);
    table_print(table, out);
    table_destroy(table);
    if (isfinite(s->day_s))
        fprintf(out, "over the day of %g h; ", s->day_s / CAPACITY_S_PER_H);
    fprintf(out, "peak: most servers on; plan, sim.: as planned, as simulated; "
                 "met, ?, MISSED:\ntargets of services times intervals, as simulated\n");
    if (s->objective && s->objective[0])
        fprintf(out, "objective: %s, in %s times hours\n", s->objective,
                s->objective_unit && strcmp(s->objective_unit, "1") != 0 ? s->objective_unit
                                                                         : "servers");
    fprintf(out, "\n");
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
                       const struct capacity_plan *base, const struct capacity_plan *other)
{
    const struct capacity_total *x = capacity_rows_total(s, base),
                                *y = capacity_rows_total(s, other);
    if (x->state == CAPACITY_BEYOND || y->state == CAPACITY_BEYOND) {
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
    struct capacity_plan p;
    if (optimal < 0)
        return;
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
        for (p.provisioning = 0; p.provisioning < s->n_provisionings; p.provisioning++)
            for (p.allocation = 0; p.allocation < s->n_allocations; p.allocation++) {
                struct capacity_plan other = p;
                other.allocation = (uint32_t)optimal;
                if (p.allocation != other.allocation)
                    add_saving(table, s,
                               mem_printf("%s, %s: optimal against %s", s->schedulers[p.scheduler],
                                          s->provisionings[p.provisioning],
                                          s->allocations[p.allocation]),
                               &p, &other);
            }
}

// Of the best allocation: following against the peak, and the schedulers against the first.
static void add_others(struct table *table, const struct capacity_result *s,
                       const struct capacity_plan *best)
{
    int peak = find_name(s->provisionings, s->n_provisionings, "peak");
    int follow = find_name(s->provisionings, s->n_provisionings, "follow");
    const char *allocation = s->allocations[best->allocation];
    for (uint32_t k = 0; peak >= 0 && follow >= 0 && k < s->n_schedulers; k++) {
        struct capacity_plan a = {k, best->allocation, (uint32_t)peak},
                             b = {k, best->allocation, (uint32_t)follow};
        add_saving(table, s,
                   mem_printf("%s, %s: follow against peak", s->schedulers[k], allocation), &a, &b);
    }
    for (uint32_t k = 1; k < s->n_schedulers; k++) {
        struct capacity_plan a = *best, b = *best;
        a.scheduler = 0;
        b.scheduler = k;
        add_saving(table, s,
                   mem_printf("%s, %s: %s against %s", allocation,
                              s->provisionings[best->provisioning], s->schedulers[k],
                              s->schedulers[0]),
                   &a, &b);
    }
}

static void print_savings(FILE *out, const struct capacity_result *s,
                          const struct capacity_plan *best)
{
    if (find_name(s->allocations, s->n_allocations, "given") >= 0)
        return;
    struct report_columns totals = columns_of(total_columns, s);
    struct table *table = table_create(0);
    table_cell(table, mem_strdup("saves, %"));
    report_columns_heads(&totals, table);
    table_line(table);
    add_allocations(table, s);
    add_others(table, s, best);
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

// ---- by the hour

static char *bar_of(double value, double most)
{
    int n = most > 0 && value > 0 ? (int)lround(value / most * BAR) : 0;
    char bar[BAR + 1] = "";
    memset(bar, '#', (size_t)(n > BAR ? BAR : n));
    return mem_strdup(bar);
}

static double demand_qps(const struct capacity_result *s, uint32_t interval)
{
    double sum = 0;
    for (uint32_t m = 0; m < s->n_services; m++)
        sum += s->demand[(size_t)interval * s->n_services + m].mean_qps;
    return sum;
}

static int32_t verdict_at(const struct capacity_result *s, const struct capacity_plan *plan,
                          uint32_t interval)
{
    int32_t verdict = VERDICT_NOT_ASKED;
    for (uint32_t m = 0; m < s->n_services; m++) {
        const struct measurement *t = capacity_rows_trial(s, plan, interval, m);
        verdict = measurement_worse(verdict, measurement_worse(t->stable, t->sla));
    }
    return verdict;
}

static void add_hour(struct table *table, const struct capacity_result *s,
                     const struct capacity_plan *plan, uint32_t interval, uint32_t most)
{
    const struct capacity_step *step = capacity_rows_step(s, plan, interval);
    uint32_t service;
    double worst = capacity_rows_worst(s, plan, interval, &service);
    table_cell(table, capacity_rows_time(s, interval));
    table_cell(table, bar_of(step->n_on, most));
    table_cell(table, mem_printf("%u", step->n_on));
    table_cell(table, mem_printf("%u", step->n_started));
    table_cell(table, table_known(demand_qps(s, interval)));
    table_cell(table, table_known(step->planned_w));
    table_cell(table, table_known(step->simulated_w));
    table_cell(table, table_fixed(worst, 2));
    table_cell(table, mem_strdup(isnan(worst) ? "-" : s->services[service]));
    table_cell(table, mem_strdup(capacity_rows_verdict(verdict_at(s, plan, interval))));
}

static void print_hours(FILE *out, const struct capacity_result *s,
                        const struct capacity_plan *plan)
{
    uint32_t most = 0, stride = capacity_rows_stride(s);
    struct table *table = table_create(0);
    table_texts(table,
                (const char *const[]){"time", "servers on", "", "started", "QPS", "planned W",
                                      "simulated W", "p95/target", "of", "SLA", NULL});
    table_line(table);
    for (uint32_t i = 0; i < s->n_intervals; i++) {
        uint32_t n_on = capacity_rows_step(s, plan, i)->n_on;
        most = n_on > most ? n_on : most;
    }
    for (uint32_t i = 0; i < s->n_intervals; i += stride)
        add_hour(table, s, plan, i, most);
    fprintf(out, "%s, %s, %s:\n", s->schedulers[plan->scheduler], s->allocations[plan->allocation],
            s->provisionings[plan->provisioning]);
    table_left(table, 2);
    table_print(table, out);
    table_destroy(table);
    if (stride > 1)
        fprintf(out, "one line for every %u intervals; all are in the file\n", stride);
    fprintf(out, "\n");
}

// ---- who serves whom

// The interval with the most servers on.
static uint32_t fullest(const struct capacity_result *s, const struct capacity_plan *plan)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < s->n_intervals; i++)
        if (capacity_rows_step(s, plan, i)->n_on > capacity_rows_step(s, plan, at)->n_on)
            at = i;
    return at;
}

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

static void print_assigned(FILE *out, const struct capacity_result *s,
                           const struct capacity_plan *plan)
{
    uint32_t interval = fullest(s, plan);
    size_t step =
        capacity_result_plan_at(s, plan->scheduler, plan->allocation, plan->provisioning) *
            s->n_intervals +
        interval;
    struct table *table = table_create(0);
    char *time = capacity_rows_time(s, interval);
    table_cell(table, mem_printf("servers at %s", time));
    for (uint32_t m = 0; m < s->n_services; m++)
        table_cell(table, mem_strdup(s->services[m]));
    table_texts(table, (const char *const[]){"unused", "on", "of", NULL});
    table_line(table);
    for (uint32_t h = 0; h < s->n_types; h++)
        add_type(table, s, step, h);
    table_print(table, out);
    table_destroy(table);
    mem_free(time);
    fprintf(out,
            "of: servers that there are; other intervals are in the file, plan/n_assigned\n\n");
}

// Of a given fleet there is no assignment: all of its servers serve all services.
static bool has_assigned(const struct capacity_result *s, const struct capacity_plan *plan)
{
    return s->n_assigned && strcmp(s->allocations[plan->allocation], "given") != 0;
}

void report_plan_print(FILE *out, const struct capacity_result *s)
{
    struct capacity_plan best;
    print_totals(out, s);
    if (!capacity_rows_best(s, &best))
        return;
    print_savings(out, s, &best);
    print_hours(out, s, &best);
    if (has_assigned(s, &best))
        print_assigned(out, s, &best);
}
