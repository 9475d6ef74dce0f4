// SPDX-License-Identifier: Apache-2.0
#include "results/file/load.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/h5_read.h"

// A bound far above any real file, so that a forged size cannot ask for all memory.
#define MOST_ELEMENTS (UINT64_C(1) << 31)

static void read_summary(struct h5_reader *r, struct summary *s)
{
    struct h5_rows services = {s->services, sizeof *s->services, s->n_services};
    struct h5_rows total = {&s->services[s->n_services], sizeof *s->services, 1};
    struct h5_rows fleet = {&s->fleet, sizeof s->fleet, 1};
    struct h5_rows groups = {s->groups, sizeof *s->groups, s->n_groups};
    h5_read_services(r, "/summary/", &services);
    h5_read_latency(r, "/summary/latency_s", s->services, s->n_services);
    h5_read_services(r, "/total/", &total);
    h5_read_latency(r, "/total/latency_s", &s->services[s->n_services], 1);
    h5_read_fields(r, "/total/", &fleet, summary_fleet_fields);
    h5_read_fields(r, "/groups/", &groups, summary_group_fields);
    h5_read_parts(r, "/groups/component_", s->groups, s->n_groups);
}

// ---- the rest

static void read_root(struct h5_reader *r, struct meta *m, struct summary *s)
{
    int32_t automatic = 0, has_outages = 0;
    double from_s = 0, to_s = 0;
    m->program_version = h5_read_text(r, "/", "program_version");
    m->study_name = h5_read_text(r, "/", "study_name");
    m->policy = h5_read_text(r, "/", "policy");
    h5_read_attribute(r, "/", "seed", 8, false, &m->seed);
    m->study_digest = h5_read_text_if(r, "/", "study_digest");
    h5_read_attribute(r, "/", "traffic_fingerprint", 8, false, &m->traffic_fingerprint);
    h5_read_attribute(r, "/", "duration_ns", 8, false, &m->duration_ns);
    h5_read_attribute(r, "/", "warmup_ns", 8, false, &m->warmup_ns);
    h5_read_attribute(r, "/", "warmup_auto", 4, false, &automatic);
    h5_read_attribute(r, "/", "measured_from_s", 8, true, &from_s);
    h5_read_attribute(r, "/", "measured_to_s", 8, true, &to_s);
    h5_read_attribute(r, "/", "n_cells", 4, false, &m->n_cells);
    if (h5_read_has(r, "/", "has_outages"))
        h5_read_attribute(r, "/", "has_outages", 4, false, &has_outages);
    if (!(from_s >= 0 && to_s >= from_s && to_s < 9e9))
        h5_read_fail(r, "says it was measured at an impossible time", "/");
    if (h5_read_failed(r))
        return;
    m->warmup_auto = automatic != 0;
    m->has_outages = has_outages != 0;
    s->fleet.from_ns = llrint(from_s * 1e9);
    s->fleet.to_ns = llrint(to_s * 1e9);
}

static void read_meta(struct h5_reader *r, struct meta *m, const struct summary *s)
{
    struct h5_rows services = {m->services, sizeof *m->services, m->n_services};
    struct h5_rows groups = {m->groups, sizeof *m->groups, m->n_groups};
    h5_read_names(r, "/summary/service", "names", &services, offsetof(struct meta_service, name));
    h5_read_names(r, "/summary/model", "names", &services, offsetof(struct meta_service, model));
    h5_read_names(r, "/groups/group", "names", &groups, offsetof(struct meta_group, name));
    h5_read_names(r, "/groups/platform", "names", &groups, offsetof(struct meta_group, platform));
    h5_read_column(r, "/groups/n_servers", &groups, offsetof(struct meta_group, n_servers), 4,
                   false);
    h5_read_numbers(r, "/servers/group", m->n_servers, 4, false, m->server_group);
    h5_read_numbers(r, "/servers/cell", m->n_servers, 4, false, m->server_cell);
    for (uint32_t i = 0; i < m->n_servers && !h5_read_failed(r); i++) {
        if (m->server_group[i] >= m->n_groups)
            h5_read_fail(r, "holds an unknown group", "/servers/group");
    }
    for (uint32_t i = 0; i < m->n_services && !h5_read_failed(r); i++) {
        m->services[i].sla_quantile = s->services[i].sla_quantile;
        m->services[i].sla_ns = s->services[i].sla_s < 9e9 ? llrint(s->services[i].sla_s * 1e9) : 0;
    }
    for (uint32_t g = 0; g < m->n_groups && !h5_read_failed(r); g++) {
        struct meta_group *group = &m->groups[g];
        uint32_t servers = group->n_servers ? group->n_servers : 1;
        group->cores = s->groups[g].parts[PART_CPU].n_units / servers;
        group->streams = s->groups[g].parts[PART_ACCEL].n_units / servers;
        group->has_accel = group->streams > 0;
    }
}

static void read_bins(struct h5_reader *r, const struct summary *s, struct load_bins *b)
{
    uint64_t n = b->n, services = n * s->n_services, parts = n * s->n_groups * N_PARTS;
    b->start_s = h5_read_reals(r, "/bins/time", n);
    b->end_s = h5_read_reals(r, "/bins/end_s", n);
    b->measured = mem_calloc(n, sizeof *b->measured);
    h5_read_numbers(r, "/bins/measured", n, 4, false, b->measured);
    b->n_queries = mem_calloc(services, sizeof *b->n_queries);
    h5_read_numbers(r, "/bins/n_queries", services, 8, false, b->n_queries);
    b->latency_mean_s = h5_read_reals(r, "/bins/latency_mean_s", services);
    b->latency_s = h5_read_reals(r, "/bins/latency_s", services * SUMMARY_N_QUANTILES);
    b->all_latency_mean_s = h5_read_reals(r, "/bins/all_latency_mean_s", n);
    b->all_latency_s = h5_read_reals(r, "/bins/all_latency_s", n * SUMMARY_N_QUANTILES);
    b->util_frac = h5_read_reals(r, "/bins/util_frac", parts);
    b->power_w = h5_read_reals(r, "/bins/power_w", parts);
}

static void read_run(struct h5_reader *r, struct load *load)
{
    load->date = h5_read_text(r, "/run", "date");
    load->host = h5_read_text(r, "/run", "host");
    load->git_revision = h5_read_text(r, "/run", "git_revision");
    h5_read_attribute(r, "/run", "n_ranks", 4, false, &load->n_ranks);
    load->job_id = h5_read_text(r, "/run", "job_id");
    load->nodes = h5_read_text_if(r, "/run", "nodes");
    if (h5_read_has(r, "/run", "n_restarts")) {
        h5_read_attribute(r, "/run", "n_nodes", 4, false, &load->n_nodes);
        h5_read_attribute(r, "/run", "n_restarts", 8, false, &load->n_restarts);
    }
    h5_read_attribute(r, "/run", "wall_s", 8, true, &load->wall_s);
    h5_read_attribute(r, "/run", "queries_per_wall_s", 8, true, &load->queries_per_wall_s);
    h5_read_attribute(r, "/run", "n_queries", 8, false, &load->n_queries_simulated);
}

static void read_all(struct h5_reader *r, struct load *load)
{
    uint64_t n_services = h5_read_extent(r, "/summary/service"),
             n_groups = h5_read_extent(r, "/groups/group");
    uint64_t n_servers = h5_read_extent(r, "/servers/server"),
             n_bins = h5_read_extent(r, "/bins/time");
    uint64_t cells = n_bins * (n_services * SUMMARY_N_QUANTILES + n_groups * N_PARTS);
    if (n_services == 0 || n_groups == 0 || n_services > UINT16_MAX || n_groups > INT_MAX / 2 ||
        n_bins > INT_MAX / 2 || cells > MOST_ELEMENTS)
        h5_read_fail(r, "has an impossible number of services, groups or bins", "the file");
    if (h5_read_failed(r))
        return;
    load->meta = meta_create((uint32_t)n_services, (uint32_t)n_groups, (uint32_t)n_servers);
    load->summary = summary_create_empty((uint32_t)n_services, (uint32_t)n_groups);
    load->bins.n = (uint32_t)n_bins;
    read_summary(r, load->summary);
    read_root(r, load->meta, load->summary);
    read_meta(r, load->meta, load->summary);
    load->meta->study_text = h5_read_bytes(r, "/study/text");
    read_bins(r, load->summary, &load->bins);
    read_run(r, load);
}

static struct load *read_file(const char *path, struct err *err)
{
    struct h5_reader *r = h5_read_open(path, "run", err);
    if (!r)
        return NULL;
    struct load *load = mem_calloc(1, sizeof *load);
    load->path = mem_strdup(path);
    read_all(r, load);
    if (h5_read_close(r) == 0)
        return load;
    load_close(load);
    return NULL;
}

static void try_file(void *path)
{
    load_close(read_file(path, NULL));
}

struct load *load_open(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = h5_read_survives(path, try_file, copy, err);
    mem_free(copy);
    return rc == 0 ? read_file(path, err) : NULL;
}

void load_close(struct load *load)
{
    if (!load)
        return;
    struct load_bins *b = &load->bins;
    void *owned[] = {load->path,
                     load->date,
                     load->host,
                     load->git_revision,
                     load->job_id,
                     load->nodes,
                     b->start_s,
                     b->end_s,
                     b->measured,
                     b->n_queries,
                     b->latency_mean_s,
                     b->latency_s,
                     b->all_latency_mean_s,
                     b->all_latency_s,
                     b->util_frac,
                     b->power_w};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    meta_destroy(load->meta);
    summary_destroy(load->summary);
    mem_free(load);
}
