// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_layout.h"

// ---- rows

#define ROW struct meta_service
static const struct data_field service_fact_fields[] = {
    DATA_TEXT(model, "model of the service"),
    DATA_COUNT_AS("trace_records", n_records, "1", "records of the replayed trace, 0 without one"),
    DATA_COUNT_AS("trace_cut", n_cut, "1",
                  "of these, with more items than max_items, which count as that"),
    DATA_NUMBER_AS("size_cut_frac", size_cut_frac, "1",
                   "share of the queries with more items than max_items, which count as that, by "
                   "the trace or the distribution that sizes are from"),
    {0}};
#undef ROW

#define ROW struct meta_group
static const struct data_field group_fact_fields[] = {
    DATA_TEXT(platform, "platform of the group"),
    DATA_COUNT32(n_servers, "1", "servers in the group"),
    {0}};
#undef ROW

#define ROW struct summary_service
#define BATCHES(member)                                                                            \
    DATA_COUNT32_AS(#member "_n_batches", member.n_batches, "1",                                   \
                    "batches behind the interval of: " #member)
static const struct data_field service_batch_fields[] = {
    BATCHES(served_qps),    BATCHES(goodput_qps), BATCHES(latency_mean_s),
    BATCHES(sla_latency_s), BATCHES(lost_frac),   {0}};
#undef ROW

#define ROW struct summary_fleet
static const struct data_field fleet_batch_fields[] = {
    BATCHES(power_w), BATCHES(queries_per_j), {0}};
#undef ROW

#define ROW struct ci
static const struct data_field latency_fields[] = {
    DATA_ALONE("latency_s", DATA_KIND_ESTIMATE, "s", "latency"),
    DATA_COUNT32_AS("latency_s_n_batches", n_batches, "1",
                    "batches behind the interval of: latency_s"),
    {0}};
#undef ROW

// ---- the file

#define ROW struct run_frame
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", meta.study_name, "name of the study"),
    DATA_TEXT_AS("program_version", meta.program_version, "version of recfleet"),
    DATA_TEXT_AS("policy", meta.policy, "policy of the balancers"),
    DATA_COUNT_AS("seed", meta.seed, "1", "seed of the random draws"),
    DATA_TEXT_AS("study_digest", meta.study_digest, "digest of all that decides the results"),
    DATA_COUNT_AS("traffic_fingerprint", meta.traffic_fingerprint, "1",
                  "equal where the queries were the same"),
    DATA_TIME_AS("duration_s", meta.duration_ns, "simulated time"),
    DATA_TIME_AS("warmup_s", meta.warmup_ns, "warm-up as given"),
    DATA_BOOL_AS("warmup_auto", meta.warmup_auto, "was the warm-up chosen automatically?"),
    DATA_TIME_AS("measured_from_s", summary.fleet.from_ns, "start of what was measured"),
    DATA_TIME_AS("measured_to_s", summary.fleet.to_ns, "end of what was measured"),
    DATA_COUNT32_AS("n_cells", meta.n_cells, "1", "cells of the fleet"),
    DATA_BOOL_AS("has_outages", meta.has_outages, "may servers go down?"),
    {0}};

static const struct data_field study_fields[] = {
    DATA_TEXT_AS("text", meta.study_text, "the resolved study"), {0}};
static const struct data_field from_fields[] = {
    DATA_NUMBER_AS("from_s", rest.servers_from_s, "s", "start of what is counted here"), {0}};

static const char *const path_names[] = {"cpu", "accel", NULL};

static const struct dataset_dim dims[] = {
    DATASET_NAMED("service", meta.n_services, service_names, "service"),
    DATASET_NUMBERS("quantile", SUMMARY_N_QUANTILES, summary_quantiles, "1", "quantile of latency"),
    DATASET_NAMED("group", meta.n_groups, group_names, "group of servers"),
    DATASET_NAMES("component", N_PARTS, summary_part_names, "component of a server"),
    DATASET_VALUES("time", bins.n, bins.start_s, "s", "start of the time bin"),
    DATASET_VALUES("bucket", rest.n_buckets, rest.bucket_s, "s", "lowest latency of the bucket"),
    DATASET_NAMES("path", N_PATHS, path_names, "where a query was served"),
    DATASET_NUMBERED("server", meta.n_servers, "server, by number in the fleet"),
    DATASET_NUMBERED("query", rest.n_samples, "sampled query, in the order of arrival"),
    DATASET_NAMED("row", fidelity.n, fidelity.names, "measured, or computed of the same arrivals"),
    DATASET_NUMBERED("place", slowest.n, "place among the slowest queries"),
    {0}};

#define TABLE(member, type, group_, ...)                                                           \
    .name = #member, .group = (group_), DATASET_ROWS(member, type), .dims = {__VA_ARGS__}
// latency_s of a struct, by quantile.
#define LATENCY(type, of, table)                                                                   \
    {                                                                                              \
        DATASET_INNER(type, latency_s, of, table, "quantile")                                      \
    }

// What a single query did on its server.
#define COURSE                                                                                     \
    {                                                                                              \
        DATASET_PART(struct run_sample, query, struct query_sample, run_rows_course_fields)        \
    }

static const struct data_field bin_latency_fields[] = {
    DATA_ALONE("latency_s", DATA_KIND_NUMBER, "s", "latency"), {0}};

static const struct dataset_array arrays[] = {
    {TABLE(summary.services, struct summary_service, "/summary", "service"),
     .views = {{.fields = summary_service_fields},
               {.fields = service_batch_fields},
               LATENCY(struct summary_service, struct ci, latency_fields)}},
    {TABLE(meta.services, struct meta_service, "/summary", "service"),
     .views = {{.fields = service_fact_fields}}},
    {.name = "total",
     .group = "/total",
     DATASET_ROW(total, struct summary_service),
     .views = {{.fields = summary_service_fields},
               {.fields = service_batch_fields},
               LATENCY(struct summary_service, struct ci, latency_fields)}},
    {.name = "fleet",
     .group = "/total",
     DATASET_ROW(summary.fleet, struct summary_fleet),
     .views = {{.fields = summary_fleet_fields}, {.fields = fleet_batch_fields}}},
    {TABLE(summary.groups, struct summary_group, "/groups", "group"),
     .views = {{.fields = summary_group_fields},
               {.prefix = "component_",
                DATASET_INNER(struct summary_group, parts, struct summary_component,
                              summary_component_fields, "component")}}},
    {TABLE(meta.groups, struct meta_group, "/groups", "group"),
     .views = {{.fields = group_fact_fields}}},
    {TABLE(bins.times, struct run_time, "/bins", "time"),
     .views = {{.fields = run_rows_time_fields}}},
    {TABLE(bins.services, struct run_bin, "/bins", "time", "service"),
     .views = {{.fields = run_rows_bin_fields},
               LATENCY(struct run_bin, double, bin_latency_fields)}},
    {TABLE(rest.bins, struct run_bin_rest, "/bins", "time", "service"),
     .views = {{.fields = run_rows_bin_rest_fields}}, .flags = DATASET_UNREAD},
    {TABLE(bins.all, struct run_bin, "/bins", "time"),
     .views = {{.prefix = "all_", .fields = run_rows_bin_fields},
               {.prefix = "all_",
                DATASET_INNER(struct run_bin, latency_s, double, bin_latency_fields, "quantile")}}},
    {TABLE(bins.parts, struct run_part, "/bins", "time", "group", "component"),
     .views = {{.fields = run_rows_part_fields}}},
    {TABLE(rest.bucket_end_s, double, "/histogram", "bucket"),
     .views = {{DATASET_ALONE("upper_s", DATA_KIND_NUMBER, "s", "first latency above the bucket")}},
     .flags = DATASET_UNREAD},
    {TABLE(rest.counts, uint64_t, "/histogram", "bucket", "service", "path"),
     .views = {{DATASET_ALONE("n_queries", DATA_KIND_COUNT, "1",
                              "queries of the measured bins, by latency")}},
     .flags = DATASET_UNREAD},
    {.name = "from",
     .group = "/servers",
     .views = {{.fields = from_fields}},
     .flags = DATASET_UNREAD},
    {TABLE(rest.servers, struct run_server, "/servers", "server"),
     .views = {{.fields = run_rows_server_fields}}, .flags = DATASET_UNREAD},
    {TABLE(rest.samples, struct run_sample, "/sample", "query"),
     .views = {{DATASET_PART(struct run_sample, query, struct query_sample, run_rows_query_fields)},
               {.fields = run_rows_sample_fields}},
     .flags = DATASET_UNREAD},
    {TABLE(rest.samples, struct run_sample, "/sample", "query"), .views = {COURSE},
     .flags = DATASET_UNREAD | DATASET_SHARED | DATASET_OPTIONAL},
    {TABLE(slowest.v, struct run_sample, "/slowest", "place"),
     .views = {{DATASET_PART(struct run_sample, query, struct query_sample, run_rows_query_fields)},
               {.fields = run_rows_sample_fields},
               COURSE},
     .flags = DATASET_NO_EMPTY | DATASET_OPTIONAL},
    {TABLE(fidelity.rows, struct fidelity_row, "/fidelity", "row"),
     .views = {{.fields = fidelity_fields}}, .flags = DATASET_NO_EMPTY | DATASET_OPTIONAL},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {0}};
#undef ROW

static int check(const void *artefact, struct err *err)
{
    const struct run_frame *f = artefact;
    if (f->meta.n_services == 0 || f->meta.n_services > UINT16_MAX || f->meta.n_groups == 0)
        return err_set(err, ERR_STUDY, "has an impossible number of services or groups");
    if (f->summary.fleet.from_ns < 0 || f->summary.fleet.to_ns < f->summary.fleet.from_ns)
        return err_set(err, ERR_STUDY, "says it was measured at an impossible time");
    return 0;
}

static const struct dataset_group groups[] = {
    {"/summary",
     "The measured bins, service by service, and what became of every query of the whole run"},
    {"/total", "All services together, and the whole fleet"},
    {"/groups", "Power and load of each group of servers and of its cores and accelerators"},
    {"/bins", "The run over time: bin by bin, by service, by group, and of all services (`all_`); "
              "`measured` tells the warm-up from the rest"},
    {"/histogram",
     "How many queries of the measured bins had which latency; only the buckets that are used"},
    {"/servers", "Each server, from the end of the given warm-up on"},
    {"/sample",
     "A uniform sample of single queries of the whole run, or with `output.queries: all` "
     "every query of the measured bins, in the order of arrival"},
    {"/slowest", "With `output.queries: slowest N`, the N slowest queries of the measured bins, "
                 "slowest first; with `all`, 100 of them"},
    {"/fidelity", "Of a run of `recfleet serve`: what the server has shown, and how far what is "
                  "computed of the same arrivals is off (docs/serve.md)"},
    {"/study", "The resolved study"},
    {0}};

const struct dataset_layout run_layout = {.kind = "run",
                                          .title = "run",
                                          .size = sizeof(struct run_frame),
                                          .head = head_fields,
                                          .dims = dims,
                                          .arrays = arrays,
                                          .groups = groups,
                                          .check = check};
