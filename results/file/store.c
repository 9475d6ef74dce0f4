// SPDX-License-Identifier: Apache-2.0
#include "results/file/store.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/h5.h"
#include "results/file/durable.h"
#include "results/file/store_bins.h"
#include "results/file/store_piece.h"
#include "results/file/store_shell.h"

static void write_summary(const struct store_writer *w)
{
    const struct summary *s = w->summary;
    const size_t latency = offsetof(struct summary_service, latency_s);
    struct store_rows rows = {s->services, sizeof *s->services, s->n_services,
                              1,           {"service"},         s->n_services};
    h5_group(w->file, "/summary");
    store_piece_services(w, "/summary");
    store_piece_quantiles(w, "/summary");
    store_piece_fields(w, "/summary", &rows, summary_service_fields);
    store_piece_latency(w, "/summary", &rows, latency);

    struct store_rows one = {summary_total(s), sizeof *s->services, 1, 0, {NULL}, 1};
    struct store_rows fleet = {&s->fleet, sizeof s->fleet, 1, 0, {NULL}, 1};
    h5_group(w->file, "/total");
    store_piece_quantiles(w, "/total");
    store_piece_fields(w, "/total", &one, summary_service_fields);
    store_piece_latency(w, "/total", &one, latency);
    store_piece_fields(w, "/total", &fleet, summary_fleet_fields);
}

static void write_groups(const struct store_writer *w)
{
    const struct summary *s = w->summary;
    struct store_rows rows = {s->groups, sizeof *s->groups, s->n_groups, 1, {"group"}, s->n_groups};
    struct store_rows counts = {w->meta->groups, sizeof *w->meta->groups, s->n_groups, 1, {"group"},
                                s->n_groups};
    h5_group(w->file, "/groups");
    store_piece_groups(w, "/groups");
    store_piece_components(w, "/groups");
    store_piece_column(w, "/groups", &counts,
                       &(struct store_column){"n_servers", "1", "servers in the group", H5_U32,
                                              offsetof(struct meta_group, n_servers)});
    store_piece_fields(w, "/groups", &rows, summary_group_fields);
    store_piece_parts(w, "/groups", &rows);
}

// ---- histogram, servers, sample, study, run

static void write_histogram(const struct store_writer *w)
{
    uint32_t n = w->head.n_buckets, n_services = w->meta->n_services, first = w->head.first_bucket;
    const char *const paths[] = {"cpu", "accel"};
    double *edges = mem_calloc((size_t)n + 1, sizeof *edges);
    uint64_t *counts = mem_calloc((size_t)n * n_services * N_PATHS, sizeof *counts);
    for (uint32_t i = 0; i <= n; i++)
        edges[i] = (double)(i < n ? hist_lower_ns(first + i) : hist_upper_ns(first + n - 1)) * 1e-9;
    const struct summary_fleet *fleet = &w->summary->fleet;
    for (uint32_t c = 0; w->root && c < fleet->n_bins * n_services * N_PATHS; c++) {
        uint32_t bin = fleet->first_bin + c / (n_services * N_PATHS),
                 cell = c % (n_services * N_PATHS);
        const struct tally *t =
            record_tally(w->total, bin, cell / N_PATHS, (enum record_path)(cell % N_PATHS));
        for (uint32_t i = 0; i < n; i++)
            counts[(size_t)i * n_services * N_PATHS + cell] += t->hist[first + i];
    }
    h5_group(w->file, "/histogram");
    h5_coord(w->file, "/histogram", "bucket", "s", "lowest latency of the bucket", H5_F64, n,
             edges);
    store_piece_services(w, "/histogram");
    store_piece_codes(w, "/histogram", "path", "where a query was served", paths, N_PATHS);
    store_piece_put(
        w, "/histogram",
        (struct h5_var){"upper_s", "s", "first latency above the bucket", H5_F64, 1, {"bucket"}}, n,
        edges + 1);
    store_piece_put(w, "/histogram",
                    (struct h5_var){"n_queries",
                                    "1",
                                    "queries of the measured bins, by latency",
                                    H5_U64,
                                    3,
                                    {"bucket", "service", "path"}},
                    n, counts);
    mem_free(edges);
    mem_free(counts);
}

static void write_servers(const struct store_writer *w)
{
    const struct store_column columns[] = {
        {"n_queries", "1", "queries", H5_U64, offsetof(struct server_total, n_queries)},
        {"n_requests", "1", "requests", H5_U64, offsetof(struct server_total, n_requests)},
        {"n_items", "1", "candidate items", H5_U64, offsetof(struct server_total, n_items)},
        {"n_accel_queries", "1", "queries on the accelerator", H5_U64,
         offsetof(struct server_total, n_accel_queries)},
    };
    uint32_t n = w->head.shape.n_servers;
    uint32_t *numbers = mem_calloc(n, sizeof *numbers);
    double *values = mem_calloc((size_t)3 * n, sizeof *values);
    struct store_rows rows = {w->root ? w->total->servers : NULL,
                              sizeof(struct server_total),
                              w->root ? n : 0,
                              1,
                              {"server"},
                              n};
    double from_s = simtime_to_s(w->head.shape.warmup_ns);
    double time_ns = (double)(w->head.shape.end_ns - w->head.shape.warmup_ns);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = i;
    for (uint32_t i = 0; w->root && i < n; i++) {
        const struct meta_group *g = &w->meta->groups[w->meta->server_group[i]];
        const struct server_total *s = &w->total->servers[i];
        values[i] = (double)s->cpu_busy_ns / (time_ns * g->cores);
        values[n + i] = g->has_accel ? (double)s->accel_busy_ns / (time_ns * g->streams) : NAN;
        values[2 * (size_t)n + i] = (double)s->energy_uj * 1e-6;
    }
    h5_group(w->file, "/servers");
    h5_number(w->file, "/servers", "from_s", H5_F64, &from_s);
    h5_coord(w->file, "/servers", "server", "1", "server, by number in the fleet", H5_U32, n,
             numbers);
    store_piece_put(w, "/servers",
                    (struct h5_var){"group", "1", "its group", H5_U32, 1, {"server"}}, n,
                    w->meta->server_group);
    store_piece_put(w, "/servers", (struct h5_var){"cell", "1", "its cell", H5_U32, 1, {"server"}},
                    n, w->meta->server_cell);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        store_piece_column(w, "/servers", &rows, &columns[i]);
    store_piece_put(
        w, "/servers",
        (struct h5_var){"cpu_util_frac", "1", "utilisation of its cores", H5_F64, 1, {"server"}}, n,
        values);
    store_piece_put(
        w, "/servers",
        (struct h5_var){
            "accel_util_frac", "1", "utilisation of its accelerator", H5_F64, 1, {"server"}},
        n, values + n);
    store_piece_put(w, "/servers",
                    (struct h5_var){"energy_j", "J", "energy", H5_F64, 1, {"server"}}, n,
                    values + 2 * (size_t)n);
    mem_free(numbers);
    mem_free(values);
}

static double *sample_seconds(const struct record *r, size_t offset)
{
    double *s = mem_calloc(r ? r->n_samples : 0, sizeof *s);
    for (size_t i = 0; r && i < r->n_samples; i++) {
        int64_t ns;
        memcpy(&ns, (const char *)&r->samples[i] + offset, sizeof ns);
        s[i] = simtime_to_s(ns);
    }
    return s;
}

static void write_sample(const struct store_writer *w)
{
    // Nanoseconds in the record, seconds in the file.
    const struct store_column times[] = {
        {"arrive_s", "s", "arrival at the balancer", H5_F64,
         offsetof(struct query_sample, arrive_ns)},
        {"latency_s", "s", "latency", H5_F64, offsetof(struct query_sample, latency_ns)},
        {"wait_s", "s", "queue wait", H5_F64, offsetof(struct query_sample, wait_ns)},
        {"service_s", "s", "service time", H5_F64, offsetof(struct query_sample, service_ns)},
    };
    const struct store_column columns[] = {
        {"seq", "1", "number of the query in its cell", H5_U64, offsetof(struct query_sample, seq)},
        {"cell", "1", "cell", H5_U32, offsetof(struct query_sample, cell)},
        {"server", "1", "server, by number in the fleet", H5_U32,
         offsetof(struct query_sample, server)},
        {"size_items", "items", "candidate items", H5_U32,
         offsetof(struct query_sample, size_items)},
    };
    uint64_t n = w->head.n_samples;
    uint64_t *numbers = mem_calloc(n, sizeof *numbers);
    int32_t *codes = mem_calloc(2 * n, sizeof *codes);
    for (uint64_t i = 0; i < n; i++)
        numbers[i] = i;
    for (uint64_t i = 0; w->root && i < n; i++) {
        codes[i] = w->total->samples[i].service;
        codes[n + i] = w->total->samples[i].path;
    }
    struct store_rows rows = {w->root ? w->total->samples : NULL,
                              sizeof(struct query_sample),
                              w->root ? n : 0,
                              1,
                              {"sample"},
                              n};
    h5_group(w->file, "/sample");
    h5_coord(w->file, "/sample", "sample", "1", "sampled query, by arrival", H5_U64, n, numbers);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        double *s = sample_seconds(w->root ? w->total : NULL, times[i].offset);
        store_piece_put(
            w, "/sample",
            (struct h5_var){times[i].name, "s", times[i].long_name, H5_F64, 1, {"sample"}}, n, s);
        mem_free(s);
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        store_piece_column(w, "/sample", &rows, &columns[i]);
    store_piece_put(w, "/sample", (struct h5_var){"service", "1", "service", H5_I32, 1, {"sample"}},
                    n, codes);
    store_piece_put(w, "/sample",
                    (struct h5_var){"path", "1", "0: CPU, 1: accelerator", H5_I32, 1, {"sample"}},
                    n, codes + n);
    mem_free(numbers);
    mem_free(codes);
}

static void write_names(const struct store_writer *w)
{
    const struct meta *m = w->meta;
    const char **names = mem_calloc((size_t)m->n_services + m->n_groups, sizeof *names);
    for (uint32_t i = 0; i < m->n_services; i++)
        names[i] = m->services[i].model ? m->services[i].model : "";
    for (uint32_t i = 0; i < m->n_groups; i++)
        names[m->n_services + i] = m->groups[i].platform ? m->groups[i].platform : "";
    int32_t *codes = mem_calloc((size_t)m->n_services + m->n_groups, sizeof *codes);
    for (uint32_t i = 0; i < m->n_services; i++)
        codes[i] = (int32_t)i;
    for (uint32_t i = 0; i < m->n_groups; i++)
        codes[m->n_services + i] = (int32_t)i;
    store_piece_put(w, "/summary",
                    (struct h5_var){"model", "1", "model of the service", H5_I32, 1, {"service"}},
                    m->n_services, codes);
    h5_codes(w->file, "/summary/model", names, m->n_services);
    store_piece_put(w, "/groups",
                    (struct h5_var){"platform", "1", "platform of the group", H5_I32, 1, {"group"}},
                    m->n_groups, codes + m->n_services);
    h5_codes(w->file, "/groups/platform", names + m->n_services, m->n_groups);
    mem_free(names);
    mem_free(codes);
}

static void write_root(const struct store_writer *w)
{
    const struct meta *m = w->meta;
    int32_t warmup_auto = m->warmup_auto, has_outages = m->has_outages;
    double from_s = simtime_to_s(w->summary->fleet.from_ns);
    double to_s = simtime_to_s(w->summary->fleet.to_ns);
    store_shell_root(w, "run", m->program_version, m->study_name);
    h5_text(w->file, "/", "policy", m->policy);
    h5_number(w->file, "/", "seed", H5_U64, &m->seed);
    h5_text(w->file, "/", "study_digest", m->study_digest);
    h5_number(w->file, "/", "traffic_fingerprint", H5_U64, &m->traffic_fingerprint);
    h5_number(w->file, "/", "duration_ns", H5_I64, &m->duration_ns);
    h5_number(w->file, "/", "warmup_ns", H5_I64, &m->warmup_ns);
    h5_number(w->file, "/", "warmup_auto", H5_I32, &warmup_auto);
    h5_number(w->file, "/", "measured_from_s", H5_F64, &from_s);
    h5_number(w->file, "/", "measured_to_s", H5_F64, &to_s);
    h5_number(w->file, "/", "n_cells", H5_U32, &m->n_cells);
    h5_number(w->file, "/", "n_servers", H5_U32, &m->n_servers);
    h5_number(w->file, "/", "has_outages", H5_I32, &has_outages);
}

// ---- the whole

static struct store_header header_of(const struct store_input *in)
{
    struct store_header h = {
        in->total->shape,  0, 1, in->total->n_samples, in->meta->n_services, in->meta->n_groups,
        in->summary->fleet};
    struct hist_total *hist = hist_total_create();
    uint32_t first, last;
    for (uint32_t bin = h.fleet.first_bin; bin < h.shape.n_bins; bin++) {
        for (uint32_t i = 0; i < h.n_services * N_PATHS; i++) {
            const struct tally *t =
                record_tally(in->total, bin, i / N_PATHS, (enum record_path)(i % N_PATHS));
            if (t->n_queries > 0)
                hist_total_add(hist, t->hist);
        }
    }
    if (hist_total_range(hist, &first, &last)) {
        h.first_bucket = first;
        h.n_buckets = last - first + 1;
    }
    hist_total_destroy(hist);
    return h;
}

// Rank 0's summary on every rank; caller frees.
static struct summary *share_summary(MPI_Comm comm, const struct store_header *h,
                                     const struct summary *mine)
{
    struct summary *s = summary_create_empty(h->n_services, h->n_groups);
    s->fleet = h->fleet;
    if (mine) {
        memcpy(s->services, mine->services, (h->n_services + 1) * sizeof *s->services);
        memcpy(s->groups, mine->groups, h->n_groups * sizeof *s->groups);
    }
    MPI_Bcast(s->services, (int)((h->n_services + 1) * sizeof *s->services), MPI_BYTE, 0, comm);
    MPI_Bcast(s->groups, (int)(h->n_groups * sizeof *s->groups), MPI_BYTE, 0, comm);
    return s;
}

// An upper bound of the file's size: what is stored, as if nothing were compressed.
static uint64_t bytes_needed(const struct store_writer *w)
{
    const struct store_header *h = &w->head;
    uint64_t cells = (uint64_t)h->shape.n_bins * (h->n_services * 18 + h->n_groups * 8 + 10);
    uint64_t text = w->meta->study_text ? strlen(w->meta->study_text) : 0;
    return STORE_SHELL_BYTES + 8 * cells +
           8 * (uint64_t)h->n_buckets * (2 + N_PATHS * h->n_services) +
           72 * (uint64_t)h->shape.n_servers + 72 * h->n_samples + 6 * text +
           2048 * ((uint64_t)h->n_services + h->n_groups);
}

// What the callback of store_shell_write() needs beside the writer.
struct rest {
    MPI_Comm comm;
    const struct run_info *run;
};

static void write_all(const struct store_writer *w, void *user)
{
    const struct rest *rest = user;
    write_root(w);
    write_summary(w);
    write_groups(w);
    write_names(w);
    store_bins_write(w);
    write_histogram(w);
    write_servers(w);
    write_sample(w);
    store_shell_study(w, w->meta->study_text);
    store_shell_run(w, rest->comm, rest->run);
}

int store_check(const char *path, bool force, struct err *err)
{
    return durable_check(path, force, STORE_SHELL_BYTES, err);
}

int store_write(MPI_Comm comm, const char *path, bool force, const struct store_input *input,
                struct err *err)
{
    int rank;
    MPI_Comm_rank(comm, &rank);
    struct store_writer w = {
        .meta = input->meta, .total = rank == 0 ? input->total : NULL, .root = rank == 0};
    if (w.root)
        w.head = header_of(input);
    MPI_Bcast(&w.head, (int)sizeof w.head, MPI_BYTE, 0, comm);
    struct summary *summary = share_summary(comm, &w.head, w.root ? input->summary : NULL);
    w.summary = summary;
    struct rest rest = {comm, input->run};
    struct store_shell shell = {path, force, bytes_needed(&w), write_all, &rest};
    int rc = store_shell_write(comm, &shell, &w, err);
    summary_destroy(summary);
    return rc;
}
