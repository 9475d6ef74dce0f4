// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_day.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_rows.h"
#include "results/report/report_columns.h"

// ---- tables of trials

// The target's percentile has a column of its own where it is none of the usual two.
static bool has_own(const struct capacity_result *s)
{
    return !(fabs(s->sla_quantile - 0.95) < 1e-9 || fabs(s->sla_quantile - 0.99) < 1e-9);
}

// The columns of a scheduler behind that, and before its verdict.
static const struct report_column trial_columns[] = {
    {"p95 @", "p95_s", .form = REPORT_KNOWN_INTERVAL},
    {"p99 @", "p99_s", .form = REPORT_KNOWN_INTERVAL},
    {"late %", "late_frac", REPORT_HUNDREDTHS, .scale = 100},
    {"cpu %", "cpu_util_frac", REPORT_TENTHS, .scale = 100},
    {"accel %", "accel_util_frac", REPORT_TENTHS, .scale = 100, .wanted = capacity_rows_use_accel},
    {0}};

static struct report_columns columns_of(const struct capacity_result *s)
{
    return (struct report_columns){.list = trial_columns,
                                   .fields = measurement_fields,
                                   .unit = capacity_rows_unit(s),
                                   .context = s};
}

// Two lines of heads: whose columns these are, and what they hold.
static struct table *table_of(const struct capacity_result *s, const char *const *first,
                              const char *const *second)
{
    const struct report_columns columns = columns_of(s);
    struct table *table = table_create(0);
    table_texts(table, first);
    int n_columns = 5 + has_own(s) + capacity_rows_use_accel(s, NULL);
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        table_cell(table, mem_strdup(s->schedulers[k]));
        for (int i = 1; i < n_columns; i++)
            table_cell(table, mem_strdup(""));
    }
    table_line(table);
    table_heads(table, 2);
    table_texts(table, second);
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        if (has_own(s))
            capacity_rows_latency_head(s, table);
        report_columns_heads(&columns, table);
        table_cell(table, mem_strdup("SLA"));
    }
    return table;
}

static void add_trial(struct table *table, const struct capacity_result *s,
                      const struct measurement *t)
{
    const struct report_columns columns = columns_of(s);
    if (has_own(s))
        capacity_rows_latency(s, table, t);
    report_columns_row(&columns, table, t);
    table_cell(table, mem_strdup(capacity_rows_verdict(t)));
}

// How far apart the plans of two schedulers are, and the plan's twin under the first.
static uint32_t apart(const struct capacity_result *s)
{
    return capacity_rows_n_plans(s) / s->n_schedulers;
}

static uint32_t first_of(const struct capacity_result *s, uint32_t plan)
{
    return plan % apart(s);
}

static void add_interval(struct table *table, const struct capacity_result *s, uint32_t plan,
                         uint32_t interval, uint32_t service)
{
    double qps = s->demand[(size_t)interval * s->n_services + service].mean_qps;
    table_cell(table, capacity_rows_time(s, interval));
    table_cell(table, mem_strdup(s->services[service]));
    table_value(table, table_known(qps), qps);
    for (uint32_t p = first_of(s, plan); p < capacity_rows_n_plans(s); p += apart(s))
        add_trial(table, s, capacity_rows_trials(s, p, interval) + service);
}

static void print_intervals(struct report_out *out, const struct capacity_result *s, uint32_t plan)
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
    capacity_rows_print(table, 2, out, "intervals");
    if (!full)
        report_text(out,
                    "of each interval the service nearest to its target; all are in the file\n");
    report_text(out, "\n");
}

// "feed: lost 0.12 % under fixed, 0.1 % under deeprecsched"; of no service where none lost any.
static void print_losses(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    uint32_t first = first_of(s, plan), n = capacity_rows_n_plans(s);
    bool lost = false;
    for (uint32_t p = first; p < n; p += apart(s))
        for (uint32_t m = 0; m < s->n_services; m++)
            lost |= capacity_rows_days(s, p)[m].lost_frac > 0;
    for (uint32_t m = 0; lost && m < s->n_services; m++) {
        report_text(out, "%s: lost", s->services[m]);
        for (uint32_t p = first; p < n; p += apart(s)) {
            char *text = table_known(capacity_rows_days(s, p)[m].lost_frac * 100);
            report_text(out, "%s %s %% under %s", p > first ? "," : "", text,
                        capacity_rows_plan(s, p).scheduler);
            mem_free(text);
        }
        report_text(out, "\n");
    }
    if (lost)
        report_text(out, "late are also the lost\n\n");
}

// "feed  100 ms  ..." over the whole day.
static void print_whole(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    struct table_unit unit = capacity_rows_unit(s);
    char *target = mem_printf("target %s", unit.name);
    struct table *table = table_of(s, (const char *const[]){"whole day", "", NULL},
                                   (const char *const[]){"service", target, NULL});
    mem_free(target);
    for (uint32_t m = 0; m < s->n_services; m++) {
        table_cell(table, mem_strdup(s->services[m]));
        table_value(table, table_known(s->sla_s[m] * unit.scale), s->sla_s[m] * unit.scale);
        for (uint32_t p = first_of(s, plan); p < capacity_rows_n_plans(s); p += apart(s))
            add_trial(table, s, capacity_rows_days(s, p) + m);
    }
    capacity_rows_print(table, 1, out, "day");
    report_text(out, "\n");
}

// ---- between the schedulers

// The mean of ratios, not the ratio of means: an hour of low load counts as much as a full one.
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

void report_day_ratios(const struct capacity_result *s, uint32_t plan, const uint32_t services[2],
                       struct report_day_ratio *p95, struct report_day_ratio *p99)
{
    *p95 = *p99 = (struct report_day_ratio){NAN, NAN, NAN, 0};
    for (uint32_t i = 0; i < s->n_intervals; i++) {
        const struct measurement *x = capacity_rows_trials(s, first_of(s, plan), i),
                                 *y = capacity_rows_trials(s, plan, i);
        for (uint32_t m = services[0]; m < services[1]; m++) {
            add_ratio(p95, x[m].p95_s.value, y[m].p95_s.value);
            add_ratio(p99, x[m].p99_s.value, y[m].p99_s.value);
        }
    }
    p95->mean /= p95->n > 0 ? p95->n : 1;
    p99->mean /= p99->n > 0 ? p99->n : 1;
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

static void print_ratios(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    struct report_day_ratio p95, p99;
    struct table *table = table_create(0);
    report_day_ratios(s, plan, (uint32_t[]){0, s->n_services}, &p95, &p99);
    char *x = ratio_text(p95.mean), *y = ratio_text(p99.mean);
    report_text(out, "%s against %s: p95 %s, p99 %s\n", capacity_rows_plan(s, plan).scheduler,
                s->schedulers[0], x, y);
    table_texts(table, (const char *const[]){"times lower", "p95, mean (least .. most)",
                                             "p99, mean (least .. most)", NULL});
    table_line(table);
    for (uint32_t m = 0; m < s->n_services; m++) {
        report_day_ratios(s, plan, (uint32_t[]){m, m + 1}, &p95, &p99);
        table_cell(table, mem_strdup(s->services[m]));
        table_cell(table, range_text(&p95));
        table_cell(table, range_text(&p99));
    }
    capacity_rows_print(table, 1, out, "ratios");
    report_text(out, "over the intervals of the day\n\n");
    mem_free(x);
    mem_free(y);
}

// ---- what was simulated

// Services that have servers of their own may have windows of their own.
static char *range_of(double least, double most)
{
    return most > least ? mem_printf("%g to %g", least, most) : mem_printf("%g", least);
}

static void print_sample(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_sample *a = &s->sample;
    bool hours = a->interval_s >= CAPACITY_S_PER_H, minutes = a->interval_s >= 60;
    double unit_s = hours ? CAPACITY_S_PER_H : minutes ? 60 : 1;
    if (a->of_cells == 0)
        return;
    if (a->n_cells <= a->of_cells)
        report_text(out, "simulated %u of %u cell%s", a->n_cells, a->of_cells,
                    a->of_cells == 1 ? "" : "s");
    else // the same ones, with other draws
        report_text(out, "simulated %u cells (the fleet has %u)", a->n_cells, a->of_cells);
    char *window = range_of(a->window_s, a->window_most_s),
         *warmup = range_of(a->warmup_s, a->warmup_most_s);
    report_text(
        out,
        ", %u window%s of %s s of each interval of %g %s, after %s s of warm-up: %.2g of %.2g "
        "queries\n\n",
        a->n_windows, a->n_windows == 1 ? "" : "s", window, a->interval_s / unit_s,
        hours     ? "h"
        : minutes ? "min"
                  : "s",
        warmup, a->n_queries, a->of_queries);
    mem_free(window);
    mem_free(warmup);
}

static bool is_simulated(const struct capacity_result *s, uint32_t plan)
{
    const struct measurement *trials = capacity_rows_trials(s, plan, 0);
    bool any = false;
    for (size_t i = 0; i < (size_t)s->n_intervals * s->n_services; i++)
        any |= trials[i].n_queries > 0;
    return any;
}

void report_day_print(struct report_out *out, const struct capacity_result *s, uint32_t plan)
{
    if (!is_simulated(s, plan))
        return;
    print_intervals(out, s, plan);
    print_whole(out, s, plan);
    print_losses(out, s, plan);
    for (uint32_t p = first_of(s, plan) + apart(s); p < capacity_rows_n_plans(s); p += apart(s)) {
        if (is_simulated(s, p))
            print_ratios(out, s, p);
    }
    print_sample(out, s);
}
