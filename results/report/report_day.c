// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_day.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/report_columns.h"

// ---- tables of trials

// The columns of a scheduler, before its verdict.
static const struct report_column trial_columns[] = {
    {"p95 @", "p95_s", .form = REPORT_KNOWN_INTERVAL},
    {"p99 @", "p99_s", .form = REPORT_KNOWN_INTERVAL},
    {"late %", "late_frac", REPORT_HUNDREDTHS, .scale = 100},
    {"util %", "cpu_util_frac", REPORT_TENTHS, .scale = 100},
    {0}};

static struct report_columns columns_of(const struct capacity_result *s)
{
    return (struct report_columns){
        .list = trial_columns, .fields = measurement_fields, .unit = capacity_rows_unit(s)};
}

// Two lines of heads: whose columns these are, and what they hold.
static struct table *table_of(const struct capacity_result *s, const char *const *first,
                              const char *const *second)
{
    const struct report_columns columns = columns_of(s);
    struct table *table = table_create(0);
    table_texts(table, first);
    for (uint32_t k = 0; k < s->n_schedulers; k++)
        table_texts(table, (const char *const[]){s->schedulers[k], "", "", "", "", NULL});
    table_line(table);
    table_texts(table, second);
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        report_columns_heads(&columns, table);
        table_cell(table, mem_strdup("SLA"));
    }
    return table;
}

static void add_trial(struct table *table, const struct capacity_result *s,
                      const struct measurement *t)
{
    const struct report_columns columns = columns_of(s);
    report_columns_row(&columns, table, t);
    table_cell(table, mem_strdup(capacity_rows_verdict(measurement_worse(t->stable, t->sla))));
}

static void add_interval(struct table *table, const struct capacity_result *s,
                         const struct capacity_plan *plan, uint32_t interval, uint32_t service)
{
    struct capacity_plan p = *plan;
    double qps = s->demand[(size_t)interval * s->n_services + service].mean_qps;
    table_cell(table, capacity_rows_time(s, interval));
    table_cell(table, mem_strdup(s->services[service]));
    table_cell(table, table_known(qps));
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
        add_trial(table, s, capacity_rows_trial(s, &p, interval, service));
}

static void print_intervals(FILE *out, const struct capacity_result *s,
                            const struct capacity_plan *plan)
{
    bool full = (uint64_t)s->n_intervals * s->n_services <= REPORT_DAY_FULL;
    uint32_t stride = full ? 1 : capacity_rows_stride(s), worst;
    struct table *table = table_of(s, (const char *const[]){"", "", "", NULL},
                                   (const char *const[]){"time", "service", "QPS", NULL});
    for (uint32_t i = 0; i < s->n_intervals; i += stride) {
        capacity_rows_worst(s, plan, i, &worst);
        for (uint32_t m = 0; m < s->n_services; m++) {
            if (full || m == worst)
                add_interval(table, s, plan, i, m);
        }
    }
    table_left(table, 2);
    table_print(table, out);
    table_destroy(table);
    if (!full)
        fprintf(out, "of each interval the service nearest to its target; all are in the file\n");
    fprintf(out, "\n");
}

// Over all services and schedulers.
static bool has_losses(const struct capacity_result *s, const struct capacity_plan *plan)
{
    struct capacity_plan p = *plan;
    bool lost = false;
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++) {
        for (uint32_t m = 0; m < s->n_services; m++)
            lost |= capacity_rows_day(s, &p, m)->lost_frac > 0;
    }
    return lost;
}

// "feed: lost 0.12 % under fixed, 0.1 % under deeprecsched"
static void print_losses(FILE *out, const struct capacity_result *s,
                         const struct capacity_plan *plan)
{
    struct capacity_plan p = *plan;
    if (!has_losses(s, plan))
        return;
    for (uint32_t m = 0; m < s->n_services; m++) {
        fprintf(out, "%s: lost", s->services[m]);
        for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++) {
            char *lost = table_known(capacity_rows_day(s, &p, m)->lost_frac * 100);
            fprintf(out, "%s %s %% under %s", p.scheduler > 0 ? "," : "", lost,
                    s->schedulers[p.scheduler]);
            mem_free(lost);
        }
        fprintf(out, "\n");
    }
    fprintf(out, "late are also the lost\n\n");
}

// "feed  100 ms  ..." over the whole day.
static void print_whole(FILE *out, const struct capacity_result *s,
                        const struct capacity_plan *plan)
{
    struct table_unit unit = capacity_rows_unit(s);
    char *target = mem_printf("target %s", unit.name);
    struct table *table = table_of(s, (const char *const[]){"whole day", "", NULL},
                                   (const char *const[]){"service", target, NULL});
    struct capacity_plan p = *plan;
    mem_free(target);
    for (uint32_t m = 0; m < s->n_services; m++) {
        table_cell(table, mem_strdup(s->services[m]));
        table_cell(table, table_known(s->target_s[m] * unit.scale));
        for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
            add_trial(table, s, capacity_rows_day(s, &p, m));
    }
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

// ---- between the schedulers

static void add_ratio(struct report_day_ratio *r, double base, double other)
{
    double ratio = base / other;
    if (!isfinite(ratio))
        return;
    r->mean = r->n == 0 ? ratio : r->mean + ratio;
    r->least = r->n == 0 || ratio < r->least ? ratio : r->least;
    r->most = r->n == 0 || ratio > r->most ? ratio : r->most;
    r->n++;
}

void report_day_ratios(const struct capacity_result *s, const struct capacity_plan *plan,
                       uint32_t service, struct report_day_ratio *p95, struct report_day_ratio *p99)
{
    struct capacity_plan first = *plan;
    bool all = service == s->n_services;
    first.scheduler = 0;
    *p95 = *p99 = (struct report_day_ratio){NAN, NAN, NAN, 0};
    for (uint32_t i = 0; i < s->n_intervals; i++) {
        for (uint32_t m = all ? 0 : service; m < (all ? s->n_services : service + 1); m++) {
            const struct measurement *x = capacity_rows_trial(s, &first, i, m),
                                     *y = capacity_rows_trial(s, plan, i, m);
            add_ratio(p95, x->p95_s.value, y->p95_s.value);
            add_ratio(p99, x->p99_s.value, y->p99_s.value);
        }
    }
    if (p95->n > 0)
        p95->mean /= p95->n;
    if (p99->n > 0)
        p99->mean /= p99->n;
}

// "1.32x lower", "1.10x higher", "not known".
static char *ratio_text(double ratio)
{
    if (!isfinite(ratio) || ratio <= 0)
        return mem_strdup("not known");
    return ratio >= 1 ? mem_printf("%.2fx lower", ratio) : mem_printf("%.2fx higher", 1 / ratio);
}

static char *range_text(const struct report_day_ratio *r)
{
    return r->n > 0 ? mem_printf("%.2f (%.2f .. %.2f)", r->mean, r->least, r->most)
                    : mem_strdup("-");
}

static void print_ratios(FILE *out, const struct capacity_result *s,
                         const struct capacity_plan *plan)
{
    struct report_day_ratio p95, p99;
    struct table *table = table_create(0);
    report_day_ratios(s, plan, s->n_services, &p95, &p99);
    char *x = ratio_text(p95.mean), *y = ratio_text(p99.mean);
    fprintf(out, "%s against %s: p95 %s, p99 %s\n", s->schedulers[plan->scheduler],
            s->schedulers[0], x, y);
    table_texts(table, (const char *const[]){"times lower", "p95, mean (least .. most)",
                                             "p99, mean (least .. most)", NULL});
    table_line(table);
    for (uint32_t m = 0; m < s->n_services; m++) {
        report_day_ratios(s, plan, m, &p95, &p99);
        table_cell(table, mem_strdup(s->services[m]));
        table_cell(table, range_text(&p95));
        table_cell(table, range_text(&p99));
    }
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "over the intervals of the day\n\n");
    mem_free(x);
    mem_free(y);
}

// ---- what was simulated

static void print_sample(FILE *out, const struct capacity_result *s)
{
    const struct capacity_sample *a = &s->sample;
    bool hours = a->interval_s >= CAPACITY_S_PER_H, minutes = a->interval_s >= 60;
    double unit_s = hours ? CAPACITY_S_PER_H : minutes ? 60 : 1;
    if (a->of_cells == 0)
        return;
    if (a->n_cells <= a->of_cells)
        fprintf(out, "simulated %u of %u cell%s", a->n_cells, a->of_cells,
                a->of_cells == 1 ? "" : "s");
    else // the same ones, with other draws
        fprintf(out, "simulated %u cells (the fleet has %u)", a->n_cells, a->of_cells);
    fprintf(out,
            ", %u window%s of %g s of each interval of %g %s, after %g s of warm-up: %.2g of %.2g "
            "queries\n\n",
            a->n_windows, a->n_windows == 1 ? "" : "s", a->window_s, a->interval_s / unit_s,
            hours     ? "h"
            : minutes ? "min"
                      : "s",
            a->warmup_s, a->n_queries, a->of_queries);
}

static bool is_simulated(const struct capacity_result *s, const struct capacity_plan *plan)
{
    for (uint32_t i = 0; i < s->n_intervals; i++) {
        for (uint32_t m = 0; m < s->n_services; m++) {
            if (capacity_rows_trial(s, plan, i, m)->n_queries > 0)
                return true;
        }
    }
    return false;
}

void report_day_print(FILE *out, const struct capacity_result *s, const struct capacity_plan *plan)
{
    struct capacity_plan p = *plan;
    if (!is_simulated(s, plan))
        return;
    print_intervals(out, s, plan);
    print_whole(out, s, plan);
    print_losses(out, s, plan);
    for (p.scheduler = 1; p.scheduler < s->n_schedulers; p.scheduler++) {
        if (is_simulated(s, &p))
            print_ratios(out, s, &p);
    }
    print_sample(out, s);
}
