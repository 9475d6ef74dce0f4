// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_rows.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/batch_hist.h"
#include "results/file/run_layout.h"
#include "results/moments.h"

// ---- time bins

static void fill_times(struct run_frame *f, const struct record *total)
{
    f->bins.start_s = mem_calloc(f->bins.n, sizeof *f->bins.start_s);
    f->bins.times = mem_calloc(f->bins.n, sizeof *f->bins.times);
    for (uint32_t i = 0; i < f->bins.n; i++) {
        f->bins.start_s[i] = simtime_to_s(record_bin_start_ns(&total->shape, i));
        f->bins.times[i].end_s = simtime_to_s(record_bin_start_ns(&total->shape, i + 1));
        f->bins.times[i].measured = i >= f->summary.fleet.first_bin;
    }
}

// No quantile is beyond the longest latency, though the bucket it is interpolated in may be.
static double bin_quantile(const struct batch_hist *hist, uint64_t n_queries, double q,
                           double max_s)
{
    double n = (double)n_queries;
    if (n * (1 - q) < 1 - 1e-6 || n * q < 1 - 1e-6)
        return NAN;
    return fmin(batch_hist_quantile_ns(hist, 0, 1, q) * 1e-9, max_s);
}

// Services [first, end) of one bin.
static void fill_bin(const struct record *r, uint32_t bin, uint32_t first, uint32_t end,
                     struct run_bin *row, struct run_bin_rest *rest)
{
    unsigned __int128 sum = 0, squares = 0, wait = 0;
    int64_t most = 0;
    for (uint32_t i = first * N_PATHS; i < end * N_PATHS; i++) {
        const struct tally *t = record_tally(r, bin, i / N_PATHS, (enum record_path)(i % N_PATHS));
        row->n_queries += t->n_queries;
        rest->n_in_flight += t->n_in_flight;
        rest->n_late += t->n_late;
        rest->n_waited += t->n_waited;
        rest->n_items += t->n_items;
        rest->n_lost += t->n_lost;
        rest->n_pending += t->n_pending;
        rest->n_retries += t->n_retries;
        rest->n_completed += t->n_completed;
        sum += t->latency_sum_ns;
        squares += t->latency_sq_sum_ns2;
        wait += t->wait_sum_ns;
        if (t->latency_max_ns > most)
            most = t->latency_max_ns;
    }
    uint64_t n = row->n_queries;
    struct moments m = moments_of(n, sum, squares);
    row->latency_mean_s = m.mean_s;
    rest->latency_sd_s = m.sd_s;
    rest->latency_max_s = n ? simtime_to_s(most) : NAN;
    rest->wait_mean_s = n ? (double)wait * 1e-9 / (double)n : NAN;
    struct batch_hist *hist =
        batch_hist_create(&(struct batch_hist_scope){r, bin, {1, 1, 1}, first, end});
    for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
        row->latency_s[q] = bin_quantile(hist, n, summary_quantiles[q], rest->latency_max_s);
    batch_hist_destroy(hist);
}

static void fill_bins(struct run_frame *f, const struct record *total)
{
    uint32_t n = f->meta.n_services;
    f->bins.services = mem_calloc((size_t)f->bins.n * n, sizeof *f->bins.services);
    f->rest.bins = mem_calloc((size_t)f->bins.n * n, sizeof *f->rest.bins);
    f->bins.all = mem_calloc(f->bins.n, sizeof *f->bins.all);
    for (uint32_t bin = 0; bin < f->bins.n; bin++) {
        struct run_bin_rest all = {0};
        size_t at = (size_t)bin * n;
        for (uint32_t s = 0; s < n; s++)
            fill_bin(total, bin, s, s + 1, &f->bins.services[at + s], &f->rest.bins[at + s]);
        fill_bin(total, bin, 0, n, &f->bins.all[bin], &all);
    }
}

static struct run_part part_of(const struct group_tally *t, int part, double length_ns,
                               double n_units)
{
    double busy = (double)t->busy_ns[part], energy_uj = (double)t->energy_uj[part];
    return (struct run_part){n_units > 0 ? busy / (length_ns * n_units) : NAN,
                             energy_uj * 1e3 / length_ns, (double)t->backlog_ns[part] * 1e-9,
                             (double)t->drain_max_ns[part] * 1e-9};
}

static void fill_parts(struct run_frame *f, const struct record *total)
{
    size_t n = (size_t)f->bins.n * f->meta.n_groups * N_PARTS;
    f->bins.parts = mem_calloc(n, sizeof *f->bins.parts);
    for (size_t i = 0; i < n; i++) {
        uint32_t bin = (uint32_t)(i / N_PARTS / f->meta.n_groups),
                 g = (uint32_t)(i / N_PARTS % f->meta.n_groups);
        int part = (int)(i % N_PARTS);
        double length_ns = (double)(record_bin_start_ns(&total->shape, bin + 1) -
                                    record_bin_start_ns(&total->shape, bin));
        f->bins.parts[i] = part_of(record_group(total, bin, g), part, length_ns,
                                   f->summary.groups[g].parts[part].n_units);
    }
}

// ---- histogram

// The buckets that any query of the measured bins fell into: the first; f->rest.n_buckets of them.
static uint32_t find_buckets(struct run_frame *f, const struct record *total)
{
    uint32_t first, n_bins = f->summary.fleet.n_bins;
    struct batch_hist *hist = batch_hist_create(&(struct batch_hist_scope){
        total, f->summary.fleet.first_bin, {n_bins, n_bins, 1}, 0, f->meta.n_services});
    f->rest.n_buckets = batch_hist_buckets(hist, &first);
    batch_hist_destroy(hist);
    return first;
}

static void fill_histogram(struct run_frame *f, const struct record *total)
{
    uint32_t first = find_buckets(f, total), n_cells = f->meta.n_services * N_PATHS;
    f->rest.bucket_s = mem_calloc(f->rest.n_buckets, sizeof *f->rest.bucket_s);
    f->rest.bucket_end_s = mem_calloc(f->rest.n_buckets, sizeof *f->rest.bucket_end_s);
    f->rest.counts = mem_calloc((size_t)f->rest.n_buckets * n_cells, sizeof *f->rest.counts);
    for (uint32_t i = 0; i < f->rest.n_buckets; i++) {
        f->rest.bucket_s[i] = (double)hist_lower_ns(first + i) * 1e-9;
        f->rest.bucket_end_s[i] = (double)(i + 1 < f->rest.n_buckets ? hist_lower_ns(first + i + 1)
                                                                     : hist_upper_ns(first + i)) *
                                  1e-9;
    }
    for (uint32_t c = 0; c < f->summary.fleet.n_bins * n_cells; c++) {
        uint32_t bin = f->summary.fleet.first_bin + c / n_cells, cell = c % n_cells;
        const struct tally *t =
            record_tally(total, bin, cell / N_PATHS, (enum record_path)(cell % N_PATHS));
        for (uint32_t i = 0; i < f->rest.n_buckets; i++)
            f->rest.counts[(size_t)i * n_cells + cell] += t->hist[first + i];
    }
}

// ---- servers

static void fill_servers(struct run_frame *f, const struct record *total)
{
    const struct meta *meta = &f->meta;
    double time_ns = (double)(total->shape.end_ns - total->shape.warmup_ns);
    f->rest.servers_from_s = simtime_to_s(total->shape.warmup_ns);
    f->rest.servers = mem_calloc(f->meta.n_servers, sizeof *f->rest.servers);
    for (uint32_t i = 0; i < f->meta.n_servers; i++) {
        const struct meta_group *g = &meta->groups[meta->server_group[i]];
        const struct server_total *s = &total->servers[i];
        f->rest.servers[i] = (struct run_server){
            meta->server_group[i],
            meta->server_cell[i],
            meta->server_slow[i],
            s->n_queries,
            s->n_requests,
            s->n_items,
            s->n_accel_queries,
            (double)s->cpu_busy_ns / (time_ns * g->cores),
            g->has_accel ? (double)s->accel_busy_ns / (time_ns * g->streams) : NAN,
            (double)s->energy_uj * 1e-6};
    }
}

// ---- single queries

static bool is_measured(const struct run_frame *f, const struct query_sample *q)
{
    return q->arrive_ns >= f->summary.fleet.from_ns && q->arrive_ns < f->summary.fleet.to_ns;
}

// Of a study that wants all queries, those that count: the warm-up may be known only now.
static void fill_samples(struct run_frame *f, const struct record *total)
{
    size_t n = 0;
    f->rest.samples = mem_calloc(total->n_samples, sizeof *f->rest.samples);
    for (size_t i = 0; i < total->n_samples && n < UINT32_MAX; i++) {
        const struct query_sample *q = &total->samples[i];
        if (!total->shape.all_queries || is_measured(f, q))
            f->rest.samples[n++] = (struct run_sample){*q, q->service, q->path};
    }
    f->rest.n_samples = (uint32_t)n;
}

// As many as there may be of the measured ones in a list that is in order.
static void take_slowest(struct run_frame *f, const struct slowest *list)
{
    struct run_slowest *slowest = &f->slowest;
    slowest->v = mem_calloc(list->n_most, sizeof *slowest->v);
    for (size_t i = 0; i < list->n && slowest->n < list->n_most; i++)
        if (is_measured(f, &list->v[i]))
            slowest->v[slowest->n++] =
                (struct run_sample){list->v[i], list->v[i].service, list->v[i].path};
}

static void fill_slowest(struct run_frame *f, const struct record *total)
{
    if (total->slowest)
        take_slowest(f, total->slowest);
    if (total->slowest || !total->shape.all_queries)
        return;
    struct slowest *list = slowest_create(RUN_ROWS_SLOWEST_OF_ALL, 1);
    for (uint32_t i = 0; i < f->rest.n_samples; i++)
        slowest_add(list, &f->rest.samples[i].query);
    slowest_sort(list);
    take_slowest(f, list);
    slowest_destroy(list);
}

void run_rows_fill(struct run_frame *f, const struct record *total)
{
    f->bins.n = total->shape.n_bins;
    fill_times(f, total);
    fill_bins(f, total);
    fill_parts(f, total);
    fill_histogram(f, total);
    fill_servers(f, total);
    fill_samples(f, total);
    fill_slowest(f, total);
}

void run_rows_release(struct run_frame *f)
{
    void *owned[] = {f->bins.start_s, f->bins.times,   f->bins.services, f->rest.bins,
                     f->bins.all,     f->bins.parts,   f->rest.bucket_s, f->rest.bucket_end_s,
                     f->rest.counts,  f->rest.servers, f->rest.samples,  f->slowest.v};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
}

// ---- the fields

#define ROW struct run_time
const struct data_field run_rows_time_fields[] = {
    DATA_NUMBER(end_s, "s", "end of the time bin"),
    DATA_BOOL(measured, "does the bin count? no: warm-up"),
    {0}};
#undef ROW

#define ROW struct run_bin
const struct data_field run_rows_bin_fields[] = {
    DATA_COUNT(n_queries, "1", "queries that arrived in the bin and have an end"),
    DATA_NUMBER(latency_mean_s, "s", "mean latency"),
    {0}};
#undef ROW

#define ROW struct run_bin_rest
const struct data_field run_rows_bin_rest_fields[] = {
    DATA_COUNT(n_in_flight, "1", "of these, not finished at the end of the run"),
    DATA_COUNT(n_late, "1", "of these, later than the target"),
    DATA_COUNT(n_waited, "1", "of these, waited in a queue"),
    DATA_COUNT(n_items, "1", "candidate items"),
    DATA_COUNT(n_lost, "1", "queries that arrived in the bin and were lost to failures"),
    DATA_COUNT(n_pending, "1", "queries that arrived in the bin and have no known end"),
    DATA_COUNT(n_retries, "1", "attempts beyond the first, of queries that arrived in the bin"),
    DATA_COUNT(n_completed, "1", "queries completed in the bin, whenever they arrived"),
    DATA_NUMBER(latency_sd_s, "s", "standard deviation of latency"),
    DATA_NUMBER(latency_max_s, "s", "longest latency"),
    DATA_NUMBER(wait_mean_s, "s", "mean queue wait"),
    {0}};
#undef ROW

#define ROW struct run_part
const struct data_field run_rows_part_fields[] = {
    DATA_NUMBER(util_frac, "1", "utilisation"),
    DATA_NUMBER(power_w, "W", "mean power"),
    DATA_NUMBER(backlog_s, "s", "core or stream time still to do at the bin's end"),
    DATA_NUMBER(drain_max_s, "s", "worst server's wait for new work at the bin's end"),
    {0}};
#undef ROW

#define ROW struct run_server
const struct data_field run_rows_server_fields[] = {
    DATA_INDEX(group, "group", "its group"),
    DATA_COUNT32(cell, "1", "its cell"),
    DATA_BOOL(slow, "does it take longer than others of its group?"),
    DATA_COUNT(n_queries, "1", "queries"),
    DATA_COUNT(n_requests, "1", "requests"),
    DATA_COUNT(n_items, "1", "candidate items"),
    DATA_COUNT(n_accel_queries, "1", "queries on the accelerator"),
    DATA_NUMBER(cpu_util_frac, "1", "utilisation of its cores"),
    DATA_NUMBER(accel_util_frac, "1", "utilisation of its accelerator"),
    DATA_NUMBER(energy_j, "J", "energy"),
    {0}};
#undef ROW

#define ROW struct query_sample
const struct data_field run_rows_query_fields[] = {
    DATA_TIME_AS("arrive_s", arrive_ns, "arrival at the balancer"),
    DATA_TIME_AS("latency_s", latency_ns, "latency"),
    DATA_TIME_AS("wait_s", wait_ns, "queue wait"),
    DATA_TIME_AS("service_s", service_ns, "service time"),
    DATA_COUNT(seq, "1", "number of the query in its cell"),
    DATA_COUNT32(cell, "1", "cell"),
    DATA_COUNT32(server, "1", "server, by number in the fleet"),
    DATA_COUNT32(size_items, "items", "candidate items"),
    DATA_COUNT32(history_items, "items", "length of the history; 0 where none matters"),
    {0}};
#undef ROW

#define ROW struct query_sample
const struct data_field run_rows_course_fields[] = {
    DATA_TIME_AS("begin_s", begin_ns, "its first request began, in the attempt that ended"),
    DATA_TIME_AS("end_s", end_ns, "its last request ended, on the server"),
    DATA_COUNT32(n_requests, "1", "requests that it was split into"),
    DATA_COUNT32(first_unit, "1", "core, or stream of the accelerator, of its first request"),
    DATA_COUNT32(last_unit, "1", "the same of the request that ended last"),
    DATA_COUNT32(n_attempts, "1", "attempts, the last of which ended"),
    DATA_COUNT32_AS("batch_queries", n_batch, "1", "queries in the batch that it shared"),
    {0}};
#undef ROW

#define ROW struct run_sample
const struct data_field run_rows_sample_fields[] = {
    DATA_INDEX(service, "service", "service"),
    DATA_INDEX(path, "path", "where the query was served"),
    {0}};
#undef ROW
