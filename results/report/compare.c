// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/report/table.h"

// Bins that must have a number in both files for a paired interval.
#define LEAST_PAIRS 5

static bool same_traffic(const struct run_result *a, const struct run_result *b)
{
    return a->meta->traffic_fingerprint != 0 &&
           a->meta->traffic_fingerprint == b->meta->traffic_fingerprint &&
           a->meta->seed == b->meta->seed;
}

static bool same_bins(const struct run_result_bins *a, const struct run_result_bins *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->start_s[i] != b->start_s[i] || a->times[i].end_s != b->times[i].end_s)
            return false;
    }
    return true;
}

// Gives the row the spread of the paired differences y - x of the bins round its own; not when too
// few bins have both. Frees x and y.
static void pair(struct compare_row *row, const struct run_result *a, const struct run_result *b,
                 double *x, double *y)
{
    double *d = x; // written behind what is still to be read, and so are the batches
    uint32_t n = 0, known = 0;
    for (uint32_t i = 0; i < a->bins.n; i++) {
        if (!a->bins.times[i].measured || !b->bins.times[i].measured)
            continue;
        d[n] = y[i] - x[i];
        known += isnan(d[n]) ? 0 : 1;
        n++;
    }
    if (known >= LEAST_PAIRS && 2 * known > n && !isnan(row->diff.value)) {
        struct batch_plan plan = batch_plan_of(d, n, BATCH_AIM);
        batch_means(&plan, d, d);
        struct ci ci = ci_sections(row->diff.value, d, plan.n_batches);
        row->paired = ci.n_batches >= 2;
        row->diff = row->paired ? ci : row->diff;
    }
    mem_free(x);
    mem_free(y);
}

// Appends a row, compared as independent runs.
static struct compare_row *add_row(struct compare *c, char *what, const char *units, struct ci base,
                                   struct ci other)
{
    c->rows = mem_realloc(c->rows, c->n_rows + 1, sizeof *c->rows);
    c->rows[c->n_rows] =
        (struct compare_row){what, units, base, other, ci_welch(other, base), false, false};
    return &c->rows[c->n_rows++];
}

// A member of the bins of a service, or of all together (one past the last); caller frees.
static double *bin_numbers(const struct run_result *run, uint32_t service, size_t offset)
{
    const struct run_result_bins *b = &run->bins;
    uint32_t n = run->summary->n_services;
    double *numbers = mem_calloc(b->n, sizeof *numbers);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct run_bin *bin =
            service == n ? &b->all[i] : &b->services[(size_t)i * n + service];
        memcpy(&numbers[i], (const char *)bin + offset, sizeof *numbers);
    }
    return numbers;
}

// The numbers of a service, and the member of its bins that they are paired by.
#define NO_BINS SIZE_MAX
#define BINS(member) offsetof(struct run_bin, member)
static const struct compared {
    const char *what, *field;
    size_t bins;
} numbers[] = {
    {"served", "served_qps", NO_BINS},
    {"goodput", "goodput_qps", NO_BINS},
    {"mean", "latency_mean_s", BINS(latency_mean_s)},
    {"p50", "latency_p50_s", BINS(latency_s[SUMMARY_P50])},
    {"p95", "latency_p95_s", BINS(latency_s[SUMMARY_P95])},
    {"p99", "latency_p99_s", BINS(latency_s[SUMMARY_P99])},
    {"lost", "lost_frac", NO_BINS},
};
#define N_NUMBERS (sizeof numbers / sizeof *numbers)

// A row of one service, or of all together (both indices one past the last), named "feed p95".
static void add_number(struct compare *c, const struct run_result *a, const struct run_result *b,
                       const uint32_t at[2], const struct compared *n)
{
    const struct summary_service *x = &a->summary->services[at[0]],
                                 *y = &b->summary->services[at[1]];
    const char *name = at[0] == a->summary->n_services ? "(all)" : a->meta->services[at[0]].name;
    const struct data_field *f = data_field_find(summary_service_fields, n->field);
    if (!f)
        f = data_field_find(summary_latency_fields, n->field);
    struct compare_row *row = add_row(c, mem_printf("%s %s", name, n->what), f->units,
                                      data_field_number(f, x), data_field_number(f, y));
    if (c->same_traffic && n->bins != NO_BINS)
        pair(row, a, b, bin_numbers(a, at[0], n->bins), bin_numbers(b, at[1], n->bins));
}

// The percentile that the target of both is for, where it is none of those that all have.
static void add_target(struct compare *c, const struct run_result *a, const struct run_result *b,
                       const uint32_t at[2])
{
    const struct summary_service *x = &a->summary->services[at[0]],
                                 *y = &b->summary->services[at[1]];
    double q = x->sla_quantile;
    struct compared own = {.field = "sla_latency_s", .bins = NO_BINS};
    if (!(x->sla_s > 0 && y->sla_s > 0) || fabs(q - y->sla_quantile) > 1e-9)
        return;
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (fabs(q - summary_quantiles[i]) < 1e-9)
            own.bins = BINS(latency_s) + (size_t)i * sizeof(double);
    for (size_t k = 0; k < N_NUMBERS; k++)
        if (own.bins != NO_BINS && numbers[k].bins == own.bins)
            return;
    char *what = mem_printf("p%.10g", q * 100);
    own.what = what;
    add_number(c, a, b, at, &own);
    mem_free(what);
}

static void add_service(struct compare *c, const struct run_result *a, const struct run_result *b,
                        uint32_t i, uint32_t j)
{
    const struct summary_service *x = &a->summary->services[i], *y = &b->summary->services[j];
    const uint32_t at[2] = {i, j};
    for (size_t k = 0; k < N_NUMBERS; k++) {
        if (strcmp(numbers[k].what, "lost") != 0 || x->n_lost > 0 || y->n_lost > 0)
            add_number(c, a, b, at, &numbers[k]);
    }
    add_target(c, a, b, at);
}

// Watts of the whole fleet in each bin; caller frees.
static double *fleet_power(const struct run_result *run)
{
    size_t parts = (size_t)run->summary->n_groups * N_PARTS;
    double *power_w = mem_calloc(run->bins.n, sizeof *power_w);
    for (uint32_t i = 0; i < run->bins.n; i++) {
        for (size_t p = 0; p < parts; p++)
            power_w[i] += run->bins.parts[i * parts + p].power_w;
    }
    return power_w;
}

static void add_fleet(struct compare *c, const struct run_result *a, const struct run_result *b)
{
    const struct summary_fleet *x = &a->summary->fleet, *y = &b->summary->fleet;
    struct compare_row *power = add_row(c, mem_strdup("fleet power"), "W", x->power_w, y->power_w);
    if (c->same_traffic)
        pair(power, a, b, fleet_power(a), fleet_power(b));
    add_row(c, mem_strdup("fleet QPS/W"), "J-1", x->queries_per_j, y->queries_per_j);
}

static uint32_t find_service(const struct meta *meta, const char *name)
{
    uint32_t i = 0;
    while (i < meta->n_services && strcmp(meta->services[i].name, name) != 0)
        i++;
    return i;
}

// How far off 0 the difference is, in half-widths; NaN: not known, or equal to the last bit.
static double clearness(const struct compare_row *row)
{
    return fabs(row->diff.value) / row->diff.half_95;
}

// Half-widths at 95 % for one of n rows, in those for a single one.
static double level_of(const struct compare_row *row, size_t n)
{
    double dof = (double)row->diff.n_batches - 1;
    return ci_t(1 - 0.025 / (double)n, dof) / ci_t(0.975, dof);
}

static void find_real(struct compare *c)
{
    size_t left = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        left += isnan(clearness(&c->rows[i])) ? 0 : 1;
    for (; left > 0; left--) {
        struct compare_row *clearest = NULL;
        for (size_t i = 0; i < c->n_rows; i++) {
            struct compare_row *row = &c->rows[i];
            if (!row->real && !isnan(clearness(row)) &&
                (!clearest || clearness(row) > clearness(clearest)))
                clearest = row;
        }
        if (!(clearness(clearest) > level_of(clearest, left)))
            return;
        clearest->real = true;
    }
}

struct compare *compare_create(const struct run_result *base, const struct run_result *other,
                               struct err *err)
{
    struct compare *c = mem_calloc(1, sizeof *c);
    c->same_traffic = same_traffic(base, other) && same_bins(&base->bins, &other->bins);
    uint32_t n_common = 0;
    for (uint32_t i = 0; i < base->meta->n_services; i++) {
        uint32_t j = find_service(other->meta, base->meta->services[i].name);
        if (j == other->meta->n_services)
            continue;
        add_service(c, base, other, i, j);
        n_common++;
    }
    if (n_common == 0) {
        err_set(err, ERR_STUDY, "%s and %s have no service in common", base->path, other->path);
        compare_destroy(c);
        return NULL;
    }
    if (base->meta->n_services > 1 && n_common == base->meta->n_services &&
        n_common == other->meta->n_services)
        add_service(c, base, other, base->meta->n_services, other->meta->n_services);
    add_fleet(c, base, other);
    find_real(c);
    return c;
}

void compare_destroy(struct compare *compare)
{
    if (!compare)
        return;
    for (size_t i = 0; i < compare->n_rows; i++)
        mem_free(compare->rows[i].what);
    mem_free(compare->rows);
    mem_free(compare);
}

// ---- printing

static void add_interval(struct table *table, struct ci ci, double scale)
{
    table_estimate(table, table_interval(ci.value, ci.half_95, scale), ci.value * scale,
                   ci.half_95 * scale);
}

static void print_row(struct table *table, const struct compare_row *row, struct table_unit time)
{
    const struct {
        const char *units;
        struct table_unit shown;
    } units[] = {{"s", time}, {"s-1", {"qps", 1}}, {"1", {"%", 100}}, {"W", {"W", 1}}};
    struct table_unit unit = {"", 1};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        unit = strcmp(units[i].units, row->units) == 0 ? units[i].shown : unit;
    struct ci relative = {row->diff.value / fabs(row->base.value),
                          row->diff.half_95 / fabs(row->base.value), row->diff.n_batches};
    table_cell(table, mem_printf("%s%s%s", row->what, *unit.name ? " " : "", unit.name));
    add_interval(table, row->base, unit.scale);
    add_interval(table, row->other, unit.scale);
    add_interval(table, row->diff, unit.scale);
    add_interval(table, relative, 100);
    table_cell(table, mem_strdup(row->paired ? "paired" : "Welch"));
    table_cell(table, mem_strdup(isnan(row->diff.half_95) ? "n/a"
                                 : row->real              ? "real"
                                                          : "not shown"));
}

static void print_file(struct report_out *out, char letter, const struct run_result *run)
{
    const struct meta *m = run->meta;
    report_text(out, "%c  %s   study %s, policy %s, seed %llu%s\n", letter, run->path,
                m->study_name, m->policy, (unsigned long long)m->seed,
                run->summary->fleet.verdict == OVERLOAD_YES      ? "   *** OVERLOADED ***"
                : run->summary->fleet.verdict == OVERLOAD_UNSURE ? "   near saturation"
                                                                 : "");
}

static void print_pair(struct report_out *out, const struct run_result *base,
                       const struct run_result *other, const struct compare *c)
{
    struct table_unit time =
        table_time_unit(summary_total(base->summary)->latency_s[SUMMARY_P50].value);
    struct table *table = table_create(0);
    print_file(out, 'A', base);
    print_file(out, 'B', other);
    report_text(out, "%s\n\n",
                c->same_traffic
                    ? "Same traffic: time bins are compared in pairs (common random numbers)."
                    : "Different traffic: compared as independent runs (Welch's t).");
    table_head(table, mem_strdup(""), "quantity");
    table_texts(table,
                (const char *const[]){"A", "B", "B - A", "%", "interval", "difference", NULL});
    table_line(table);
    for (size_t i = 0; i < c->n_rows; i++)
        print_row(table, &c->rows[i], time);
    table_print(table, out, other->path);
    table_destroy(table);
}

int compare_print(struct report_out *out, const struct run_result *const *files, size_t n,
                  struct err *err)
{
    for (size_t i = 1; i < n; i++) {
        struct compare *c = compare_create(files[0], files[i], err);
        if (!c)
            return -1;
        if (i > 1)
            report_text(out, "\n");
        print_pair(out, files[0], files[i], c);
        compare_destroy(c);
    }
    report_text(out,
                "\n± half-width of the 95 %% confidence interval; real: 0 is excluded at 95 %% for "
                "all rows of a table together\n");
    return 0;
}
