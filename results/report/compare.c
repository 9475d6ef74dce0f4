// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/report/table.h"

// Bins that must have a number in both files for a paired interval.
#define LEAST_PAIRS 5

// A series of one number per bin: element `at` of each bin's row of `stride`. NULL: there is none.
struct series {
    const double *values;
    size_t stride, at;
};

static bool same_traffic(const struct load *a, const struct load *b)
{
    return a->meta->traffic_fingerprint != 0 &&
           a->meta->traffic_fingerprint == b->meta->traffic_fingerprint &&
           a->meta->seed == b->meta->seed;
}

static bool same_bins(const struct load_bins *a, const struct load_bins *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->start_s[i] != b->start_s[i] || a->end_s[i] != b->end_s[i])
            return false;
    }
    return true;
}

// Spread of the paired differences round `diff`; n_batches 0 when too few bins have both.
static struct ci paired(const struct load_bins *a, const struct load_bins *b, struct series x,
                        struct series y, double diff)
{
    double *d = mem_calloc(a->n, sizeof *d);
    uint32_t n = 0, known = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        if (!a->measured[i] || !b->measured[i])
            continue;
        d[n] = y.values[i * y.stride + y.at] - x.values[i * x.stride + x.at];
        known += isnan(d[n]) ? 0 : 1;
        n++;
    }
    struct ci ci = {diff, NAN, NAN, 0};
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
                    struct ci other, const struct load_bins *a, const struct load_bins *b,
                    struct series x, struct series y)
{
    struct compare_row row = {what, units, base, other, ci_welch(other, base), false};
    if (c->same_traffic && x.values && y.values && !isnan(row.diff.value)) {
        struct ci ci = paired(a, b, x, y, row.diff.value);
        if (ci.n_batches >= 2) {
            row.diff = ci;
            row.paired = true;
        }
    }
    c->rows = mem_realloc(c->rows, c->n_rows + 1, sizeof *c->rows);
    c->rows[c->n_rows++] = row;
}

// The rows of one service, or of all together (both indices one past the last).
static void add_service(struct compare *c, const struct load *a, const struct load *b, uint32_t i,
                        uint32_t j)
{
    const struct summary_service *x = &a->summary->services[i], *y = &b->summary->services[j];
    bool all = i == a->summary->n_services;
    uint32_t na = a->summary->n_services, nb = b->summary->n_services;
    const char *name = all ? "(all)" : a->meta->services[i].name;
    const int shown[] = {0, 2, 3}; // p50 p95 p99
    struct series none = {NULL, 0, 0};
    bool lost = x->n_lost > 0 || y->n_lost > 0;
    struct series mean_a = {all ? a->bins.all_latency_mean_s : a->bins.latency_mean_s, all ? 1 : na,
                            all ? 0 : i};
    struct series mean_b = {all ? b->bins.all_latency_mean_s : b->bins.latency_mean_s, all ? 1 : nb,
                            all ? 0 : j};
    add_row(c, mem_printf("%s served", name), "s-1", x->served_qps, y->served_qps, &a->bins,
            &b->bins, none, none);
    add_row(c, mem_printf("%s mean", name), "s", x->latency_mean_s, y->latency_mean_s, &a->bins,
            &b->bins, mean_a, mean_b);
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        size_t q = (size_t)shown[k], n = SUMMARY_N_QUANTILES;
        struct series qa = {all ? a->bins.all_latency_s : a->bins.latency_s, all ? n : n * na,
                            all ? q : i * n + q};
        struct series qb = {all ? b->bins.all_latency_s : b->bins.latency_s, all ? n : n * nb,
                            all ? q : j * n + q};
        add_row(c, mem_printf("%s p%g", name, summary_quantiles[q] * 100), "s", x->latency_s[q],
                y->latency_s[q], &a->bins, &b->bins, qa, qb);
    }
    if (lost)
        add_row(c, mem_printf("%s lost", name), "1", x->lost_frac, y->lost_frac, &a->bins, &b->bins,
                none, none);
}

// Watts of the whole fleet in each bin; caller frees.
static double *fleet_power(const struct load *load)
{
    size_t parts = (size_t)load->summary->n_groups * N_PARTS;
    double *power_w = mem_calloc(load->bins.n, sizeof *power_w);
    for (uint32_t i = 0; i < load->bins.n; i++) {
        for (size_t p = 0; p < parts; p++)
            power_w[i] += load->bins.power_w[i * parts + p];
    }
    return power_w;
}

static void add_fleet(struct compare *c, const struct load *a, const struct load *b)
{
    double *x = fleet_power(a), *y = fleet_power(b);
    struct series none = {NULL, 0, 0};
    add_row(c, mem_strdup("fleet power"), "W", a->summary->fleet.power_w, b->summary->fleet.power_w,
            &a->bins, &b->bins, (struct series){x, 1, 0}, (struct series){y, 1, 0});
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

struct compare *compare_create(const struct load *base, const struct load *other, struct err *err)
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

static void print_file(FILE *out, char letter, const struct load *load)
{
    const struct meta *m = load->meta;
    fprintf(out, "%c  %s   study %s, policy %s, seed %llu%s\n", letter, load->path, m->study_name,
            m->policy, (unsigned long long)m->seed,
            load->summary->fleet.verdict == OVERLOAD_YES      ? "   *** OVERLOADED ***"
            : load->summary->fleet.verdict == OVERLOAD_UNSURE ? "   near saturation"
                                                              : "");
}

static void print_pair(FILE *out, const struct load *base, const struct load *other,
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

int compare_print(FILE *out, const struct load *const *files, size_t n, struct err *err)
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
