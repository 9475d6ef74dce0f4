// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_bins.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/moments.h"

// What a time bin says of one service.
struct bin_row {
    uint64_t n_queries, n_in_flight, n_late, n_waited, n_items, n_lost, n_pending, n_retries;
    double latency_mean_s, latency_sd_s, latency_max_s, wait_mean_s;
    double latency_s[SUMMARY_N_QUANTILES];
};

struct bin_part {
    double util_frac, power_w, backlog_s, drain_max_s;
};

// No quantile is beyond the longest latency, though the bucket it is interpolated in may be.
static double bin_quantile(const struct hist_total *hist, double q, double max_s)
{
    double n = (double)hist->n;
    if (n * (1 - q) < 1 - 1e-6 || n * q < 1 - 1e-6)
        return NAN;
    return fmin(hist_quantile_ns(hist, q) * 1e-9, max_s);
}

// Services [first, end) of one bin.
static void fill_bin(const struct record *r, uint32_t bin, uint32_t first, uint32_t end,
                     struct hist_total *hist, struct bin_row *row)
{
    unsigned __int128 sum = 0, squares = 0, wait = 0;
    int64_t most = 0;
    hist_total_clear(hist);
    for (uint32_t i = first * N_PATHS; i < end * N_PATHS; i++) {
        const struct tally *t = record_tally(r, bin, i / N_PATHS, (enum record_path)(i % N_PATHS));
        row->n_queries += t->n_queries;
        row->n_in_flight += t->n_in_flight;
        row->n_late += t->n_late;
        row->n_waited += t->n_waited;
        row->n_items += t->n_items;
        row->n_lost += t->n_lost;
        row->n_pending += t->n_pending;
        row->n_retries += t->n_retries;
        sum += t->latency_sum_ns;
        squares += t->latency_sq_sum_ns2;
        wait += t->wait_sum_ns;
        if (t->latency_max_ns > most)
            most = t->latency_max_ns;
        if (t->n_queries > 0)
            hist_total_add(hist, t->hist);
    }
    uint64_t n = row->n_queries;
    struct moments m = moments_of(n, sum, squares);
    row->latency_mean_s = m.mean_s;
    row->latency_sd_s = m.sd_s;
    row->latency_max_s = n ? simtime_to_s(most) : NAN;
    row->wait_mean_s = n ? (double)wait * 1e-9 / (double)n : NAN;
    for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
        row->latency_s[q] = bin_quantile(hist, summary_quantiles[q], row->latency_max_s);
}

static void put_bin_rows(const struct store_writer *w, const struct bin_row *cells)
{
    const struct store_column columns[] = {
        {"n_queries", "1", "queries that arrived in the bin and have an end", H5_U64,
         offsetof(struct bin_row, n_queries)},
        {"n_in_flight", "1", "of these, not finished at the end of the run", H5_U64,
         offsetof(struct bin_row, n_in_flight)},
        {"n_late", "1", "of these, later than the target", H5_U64,
         offsetof(struct bin_row, n_late)},
        {"n_waited", "1", "of these, waited in a queue", H5_U64,
         offsetof(struct bin_row, n_waited)},
        {"n_items", "1", "candidate items", H5_U64, offsetof(struct bin_row, n_items)},
        {"n_lost", "1", "queries that arrived in the bin and were lost to failures", H5_U64,
         offsetof(struct bin_row, n_lost)},
        {"n_pending", "1", "queries that arrived in the bin and have no known end", H5_U64,
         offsetof(struct bin_row, n_pending)},
        {"n_retries", "1", "attempts beyond the first, of queries that arrived in the bin", H5_U64,
         offsetof(struct bin_row, n_retries)},
        {"latency_mean_s", "s", "mean latency", H5_F64, offsetof(struct bin_row, latency_mean_s)},
        {"latency_sd_s", "s", "standard deviation of latency", H5_F64,
         offsetof(struct bin_row, latency_sd_s)},
        {"latency_max_s", "s", "longest latency", H5_F64, offsetof(struct bin_row, latency_max_s)},
        {"wait_mean_s", "s", "mean queue wait", H5_F64, offsetof(struct bin_row, wait_mean_s)},
    };
    uint32_t n_bins = w->head.shape.n_bins, n_services = w->meta->n_services;
    struct store_rows rows = {cells, sizeof *cells,       (size_t)n_bins * n_services,
                              2,     {"time", "service"}, n_bins};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        store_piece_column(w, "/bins", &rows, &columns[i]);
    double *latency = mem_calloc(rows.n, sizeof cells->latency_s);
    for (size_t i = 0; i < rows.n; i++)
        memcpy(latency + i * SUMMARY_N_QUANTILES, cells[i].latency_s, sizeof cells->latency_s);
    store_piece_put(
        w, "/bins",
        (struct h5_var){"latency_s", "s", "latency", H5_F64, 3, {"time", "service", "quantile"}},
        n_bins, latency);
    mem_free(latency);
}

static void write_service_bins(const struct store_writer *w)
{
    uint32_t n_bins = w->head.shape.n_bins, n_services = w->meta->n_services;
    struct bin_row *cells = mem_calloc((size_t)n_bins * n_services, sizeof *cells);
    double *all = mem_calloc(n_bins, sizeof cells->latency_s);
    double *means = mem_calloc(n_bins, sizeof *means);
    if (w->root) {
        struct hist_total *hist = hist_total_create();
        for (uint32_t bin = 0; bin < n_bins; bin++) {
            struct bin_row whole = {0};
            for (uint32_t s = 0; s < n_services; s++)
                fill_bin(w->total, bin, s, s + 1, hist, &cells[(size_t)bin * n_services + s]);
            fill_bin(w->total, bin, 0, n_services, hist, &whole);
            memcpy(all + (size_t)bin * SUMMARY_N_QUANTILES, whole.latency_s,
                   sizeof whole.latency_s);
            means[bin] = whole.latency_mean_s;
        }
        hist_total_destroy(hist);
    }
    put_bin_rows(w, cells);
    store_piece_put(w, "/bins",
                    (struct h5_var){"all_latency_s",
                                    "s",
                                    "latency of all services together",
                                    H5_F64,
                                    2,
                                    {"time", "quantile"}},
                    n_bins, all);
    store_piece_put(w, "/bins",
                    (struct h5_var){"all_latency_mean_s",
                                    "s",
                                    "mean latency of all services together",
                                    H5_F64,
                                    1,
                                    {"time"}},
                    n_bins, means);
    mem_free(cells);
    mem_free(all);
    mem_free(means);
}

static struct bin_part part_of(const struct group_tally *t, int part, double length_ns,
                               double n_units)
{
    bool cpu = part == PART_CPU;
    double busy = (double)(cpu ? t->cpu_busy_ns : t->accel_busy_ns);
    double energy_uj = (double)(cpu ? t->cpu_energy_uj : t->accel_energy_uj);
    return (struct bin_part){n_units > 0 ? busy / (length_ns * n_units) : NAN,
                             energy_uj * 1e3 / length_ns,
                             (double)(cpu ? t->cpu_backlog_ns : t->accel_backlog_ns) * 1e-9,
                             (double)(cpu ? t->cpu_drain_max_ns : t->accel_drain_max_ns) * 1e-9};
}

static void write_group_bins(const struct store_writer *w)
{
    const struct store_column columns[] = {
        {"util_frac", "1", "utilisation", H5_F64, offsetof(struct bin_part, util_frac)},
        {"power_w", "W", "mean power", H5_F64, offsetof(struct bin_part, power_w)},
        {"backlog_s", "s", "core or stream time still to do at the bin's end", H5_F64,
         offsetof(struct bin_part, backlog_s)},
        {"drain_max_s", "s", "worst server's wait for new work at the bin's end", H5_F64,
         offsetof(struct bin_part, drain_max_s)},
    };
    uint32_t n_bins = w->head.shape.n_bins, n_groups = w->meta->n_groups;
    struct bin_part *cells = mem_calloc((size_t)n_bins * n_groups * N_PARTS, sizeof *cells);
    for (size_t i = 0; w->root && i < (size_t)n_bins * n_groups * N_PARTS; i++) {
        uint32_t bin = (uint32_t)(i / N_PARTS / n_groups), g = (uint32_t)(i / N_PARTS % n_groups);
        int part = (int)(i % N_PARTS);
        double length_ns = (double)(record_bin_start_ns(&w->head.shape, bin + 1) -
                                    record_bin_start_ns(&w->head.shape, bin));
        cells[i] = part_of(record_group(w->total, bin, g), part, length_ns,
                           w->summary->groups[g].parts[part].n_units);
    }
    struct store_rows rows = {cells,
                              sizeof *cells,
                              (size_t)n_bins * n_groups * N_PARTS,
                              3,
                              {"time", "group", "component"},
                              n_bins};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        store_piece_column(w, "/bins", &rows, &columns[i]);
    mem_free(cells);
}

void store_bins_write(const struct store_writer *w)
{
    uint32_t n = w->head.shape.n_bins;
    double *edges = mem_calloc((size_t)n + 1, sizeof *edges);
    int32_t *measured = mem_calloc(n, sizeof *measured);
    for (uint32_t i = 0; i <= n; i++)
        edges[i] = simtime_to_s(record_bin_start_ns(&w->head.shape, i));
    for (uint32_t i = w->summary->fleet.first_bin; i < n; i++)
        measured[i] = 1;
    h5_group(w->file, "/bins");
    h5_coord(w->file, "/bins", "time", "s", "start of the time bin", H5_F64, n, edges);
    store_piece_services(w, "/bins");
    store_piece_quantiles(w, "/bins");
    store_piece_groups(w, "/bins");
    store_piece_components(w, "/bins");
    store_piece_put(w, "/bins",
                    (struct h5_var){"end_s", "s", "end of the time bin", H5_F64, 1, {"time"}}, n,
                    edges + 1);
    store_piece_put(w, "/bins",
                    (struct h5_var){"measured", "1", "0: warm-up, 1: counts", H5_I32, 1, {"time"}},
                    n, measured);
    write_service_bins(w);
    write_group_bins(w);
    mem_free(edges);
    mem_free(measured);
}
