// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/report/table.h"

// Bins that must have a number in both files for a paired interval.
#define LEAST_PAIRS 5

// A series of one number per bin, `stride` bytes apart. NULL: there is none.
struct series {
    const void *first;
    size_t stride;
};

static double number_of(struct series s, uint32_t bin)
{
    double number;
    memcpy(&number, (const char *)s.first + bin * s.stride, sizeof number);
    return number;
}

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

// Spread of the paired differences round `diff`; n_batches 0 when too few bins have both.
static struct ci paired(const struct run_result_bins *a, const struct run_result_bins *b,
                        struct series x, struct series y, double diff)
{
    double *d = mem_calloc(a->n, sizeof *d);
    uint32_t n = 0, known = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        if (!a->times[i].measured || !b->times[i].measured)
            continue;
        d[n] = number_of(y, i) - number_of(x, i);
        known += isnan(d[n]) ? 0 : 1;
        n++;
    }
    struct ci ci = {diff, NAN, 0};
    if (known >= LEAST_PAIRS && 2 * known > n) {
        struct batch_plan plan = batch_plan_of(d, n);
        batch_means(&plan, d, d); // each batch is written behind what is still to be read
        ci = ci_sections(diff, d, plan.n_batches);
    }
    mem_free(d);
    return ci;
}

// Appends a row; the series are used when the traffic is the same.
static void add_row(struct compare *c, char *what, const char *units, struct ci base,
                    struct ci other, const struct run_result_bins *a,
                    const struct run_result_bins *b, struct series x, struct series y)
{
    struct compare_row row = {what, units, base, other, ci_welch(other, base), false};
    if (c->same_traffic && x.first && y.first && !isnan(row.diff.value)) {
        struct ci ci = paired(a, b, x, y, row.diff.value);
        if (ci.n_batches >= 2) {
            row.diff = ci;
            row.paired = true;
        }
    }
    c->rows = mem_realloc(c->rows, c->n_rows + 1, sizeof *c->rows);
    c->rows[c->n_rows++] = row;
}

// The bins of a service, or of all together (one past the last); and a member of them.
static struct series bins_of(const struct run_result *run, uint32_t service)
{
    const struct run_result_bins *b = &run->bins;
    uint32_t n = run->summary->n_services;
    if (service == n)
        return (struct series){b->all, sizeof *b->all};
    return (struct series){b->services + service, n * sizeof *b->services};
}

static struct series part_of(struct series bins, size_t offset)
{
    return (struct series){(const char *)bins.first + offset, bins.stride};
}

// The rows of one service, or of all together (both indices one past the last).
static void add_service(struct compare *c, const struct run_result *a, const struct run_result *b,
                        uint32_t i, uint32_t j)
{
    const struct summary_service *x = &a->summary->services[i], *y = &b->summary->services[j];
    bool all = i == a->summary->n_services;
    const char *name = all ? "(all)" : a->meta->services[i].name;
    const int shown[] = {0, 2, 3}; // p50 p95 p99
    struct series none = {NULL, 0};
    bool lost = x->n_lost > 0 || y->n_lost > 0;
    struct series bins_a = bins_of(a, i), bins_b = bins_of(b, j);
    const size_t mean = offsetof(struct run_bin, latency_mean_s);
    add_row(c, mem_printf("%s served", name), "s-1", x->served_qps, y->served_qps, &a->bins,
            &b->bins, none, none);
    add_row(c, mem_printf("%s mean", name), "s", x->latency_mean_s, y->latency_mean_s, &a->bins,
            &b->bins, part_of(bins_a, mean), part_of(bins_b, mean));
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        size_t q = (size_t)shown[k], at = offsetof(struct run_bin, latency_s) + q * sizeof(double);
        add_row(c, mem_printf("%s p%g", name, summary_quantiles[q] * 100), "s", x->latency_s[q],
                y->latency_s[q], &a->bins, &b->bins, part_of(bins_a, at), part_of(bins_b, at));
    }
    if (lost)
        add_row(c, mem_printf("%s lost", name), "1", x->lost_frac, y->lost_frac, &a->bins, &b->bins,
                none, none);
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
    double *x = fleet_power(a), *y = fleet_power(b);
    struct series none = {NULL, 0};
    add_row(c, mem_strdup("fleet power"), "W", a->summary->fleet.power_w, b->summary->fleet.power_w,
            &a->bins, &b->bins, (struct series){x, sizeof *x}, (struct series){y, sizeof *y});
    add_row(c, mem_strdup("fleet QPS/W"), "J-1", a->summary->fleet.queries_per_j,
            b->summary->fleet.queries_per_j, &a->bins, &b->bins, none, none);
    mem_free(x);
    mem_free(y);
}

static uint32_t find_service(const struct meta *meta, const char *name)
{
    uint32_t i = 0;
    while (i < meta->n_services && strcmp(meta->services[i].name, name) != 0)
        i++;
    return i;
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

static const char *verdict_of(const struct compare_row *row)
{
    if (isnan(row->diff.half_95))
        return "n/a";
    return ci_excludes(row->diff, 0) ? "real" : "not shown";
}

static void print_row(struct table *table, const struct compare_row *row, struct table_unit time)
{
    bool seconds = strcmp(row->units, "s") == 0;
    const char *units = seconds ? time.name : strcmp(row->units, "W") == 0 ? "W" : "";
    if (strcmp(row->units, "s-1") == 0)
        units = "qps";
    bool fraction = strcmp(row->units, "1") == 0;
    if (fraction)
        units = "%";
    double scale = seconds ? time.scale : fraction ? 100 : 1;
    char *cells[] = {mem_printf("%s %s", row->what, units),
                     table_interval(row->base.value, row->base.half_95, scale),
                     table_interval(row->other.value, row->other.half_95, scale),
                     table_interval(row->diff.value, row->diff.half_95, scale),
                     table_interval(row->diff.value / fabs(row->base.value),
                                    row->diff.half_95 / fabs(row->base.value), 100),
                     mem_strdup(row->paired ? "paired" : "Welch"),
                     mem_strdup(verdict_of(row))};
    table_row(table, (const char *const *)cells);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        mem_free(cells[i]);
}

static void print_file(FILE *out, char letter, const struct run_result *run)
{
    const struct meta *m = run->meta;
    fprintf(out, "%c  %s   study %s, policy %s, seed %llu%s\n", letter, run->path, m->study_name,
            m->policy, (unsigned long long)m->seed,
            run->summary->fleet.verdict == OVERLOAD_YES      ? "   *** OVERLOADED ***"
            : run->summary->fleet.verdict == OVERLOAD_UNSURE ? "   near saturation"
                                                             : "");
}

static void print_pair(FILE *out, const struct run_result *base, const struct run_result *other,
                       const struct compare *c)
{
    const char *const heads[] = {"", "A", "B", "B - A", "%", "interval", "difference"};
    struct table_unit time = table_time_unit(summary_total(base->summary)->latency_s[0].value);
    struct table *table = table_create(7);
    print_file(out, 'A', base);
    print_file(out, 'B', other);
    fprintf(out, "%s\n\n",
            c->same_traffic
                ? "Same traffic: time bins are compared in pairs (common random numbers)."
                : "Different traffic: compared as independent runs (Welch's t).");
    table_row(table, heads);
    for (size_t i = 0; i < c->n_rows; i++)
        print_row(table, &c->rows[i], time);
    table_print(table, out);
    table_destroy(table);
}

int compare_print(FILE *out, const struct run_result *const *files, size_t n, struct err *err)
{
    for (size_t i = 1; i < n; i++) {
        struct compare *c = compare_create(files[0], files[i], err);
        if (!c)
            return -1;
        if (i > 1)
            fprintf(out, "\n");
        print_pair(out, files[0], files[i], c);
        compare_destroy(c);
    }
    fprintf(out, "\n± half-width of the 95 %% confidence interval; real: it excludes 0; not shown: "
                 "it holds 0\n");
    return 0;
}
