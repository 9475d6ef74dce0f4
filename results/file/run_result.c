// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_result.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/dataset_write.h"
#include "results/file/run_rows.h"

// ---- writing

static struct run_frame frame_of(const struct meta *m, const struct summary *s)
{
    struct run_frame f = {.study_name = m->study_name,
                          .program_version = m->program_version,
                          .policy = m->policy,
                          .study_digest = m->study_digest,
                          .study_text = m->study_text,
                          .seed = m->seed,
                          .traffic_fingerprint = m->traffic_fingerprint,
                          .duration_ns = m->duration_ns,
                          .warmup_ns = m->warmup_ns,
                          .measured_from_ns = s->fleet.from_ns,
                          .measured_to_ns = s->fleet.to_ns,
                          .warmup_auto = m->warmup_auto,
                          .has_outages = m->has_outages,
                          .n_cells = m->n_cells,
                          .n_services = m->n_services,
                          .n_groups = m->n_groups,
                          .services = s->services,
                          .total = *summary_total(s),
                          .service_facts = m->services,
                          .group_facts = m->groups};
    f.service_names = mem_calloc(m->n_services, sizeof *f.service_names);
    f.group_names = mem_calloc(m->n_groups, sizeof *f.group_names);
    for (uint32_t i = 0; i < m->n_services; i++)
        f.service_names[i] = m->services[i].name;
    for (uint32_t i = 0; i < m->n_groups; i++)
        f.group_names[i] = m->groups[i].name;
    return f;
}

int run_result_write(const struct run_result_input *input, const char *path, bool force,
                     struct err *err)
{
    struct run_frame f = frame_of(input->meta, input->summary);
    run_rows_fill(&f, input->total, input->meta, input->summary);
    int rc = dataset_write(&run_layout, &f, input->info, path, force, err);
    run_rows_release(&f);
    mem_free(f.service_names);
    mem_free(f.group_names);
    return rc;
}

// ---- reading

// The pointer, which its place no longer has: what a frame owned is somebody else's now.
#define TAKE(member) take(&(member))
static void *take(void *member)
{
    void *pointer, *const none = NULL;
    memcpy(&pointer, member, sizeof pointer);
    memcpy(member, &none, sizeof none);
    return pointer;
}

// The total stands behind the services.
static struct summary *take_summary(struct run_frame *f)
{
    struct summary *s = mem_calloc(1, sizeof *s);
    s->n_services = f->n_services;
    s->n_groups = f->n_groups;
    s->services = mem_realloc(TAKE(f->services), (size_t)f->n_services + 1, sizeof *s->services);
    s->services[f->n_services] = f->total;
    s->groups = TAKE(f->groups);
    s->fleet = f->fleet;
    s->fleet.from_ns = f->measured_from_ns;
    s->fleet.to_ns = f->measured_to_ns;
    return s;
}

static void take_services(struct run_frame *f, struct meta *m, const struct summary *s)
{
    mem_free(m->services);
    m->services = TAKE(f->service_facts);
    for (uint32_t i = 0; i < f->n_services; i++) {
        struct meta_service *service = &m->services[i];
        service->name = TAKE(f->service_names[i]);
        service->sla_quantile = s->services[i].sla_quantile;
        service->sla_ns = s->services[i].sla_s < 9e9 ? llrint(s->services[i].sla_s * 1e9) : 0;
    }
}

static void take_groups(struct run_frame *f, struct meta *m, const struct summary *s)
{
    mem_free(m->groups);
    m->groups = TAKE(f->group_facts);
    for (uint32_t g = 0; g < f->n_groups; g++) {
        struct meta_group *group = &m->groups[g];
        uint32_t servers = group->n_servers ? group->n_servers : 1;
        group->name = TAKE(f->group_names[g]);
        group->cores = s->groups[g].parts[PART_CPU].n_units / servers;
        group->streams = s->groups[g].parts[PART_ACCEL].n_units / servers;
        group->has_accel = group->streams > 0;
    }
}

static struct meta *take_head(struct run_frame *f)
{
    struct meta *m = meta_create(0, 0, 0);
    m->study_name = TAKE(f->study_name);
    m->program_version = TAKE(f->program_version);
    m->policy = TAKE(f->policy);
    m->study_digest = TAKE(f->study_digest);
    m->study_text = TAKE(f->study_text);
    m->seed = f->seed;
    m->traffic_fingerprint = f->traffic_fingerprint;
    m->duration_ns = f->duration_ns;
    m->warmup_ns = f->warmup_ns;
    m->warmup_auto = f->warmup_auto;
    m->has_outages = f->has_outages;
    m->n_cells = f->n_cells;
    m->n_services = f->n_services;
    m->n_groups = f->n_groups;
    m->n_servers = f->n_servers;
    return m;
}

static struct run_result_bins take_bins(struct run_frame *f)
{
    return (struct run_result_bins){f->n_bins,     TAKE(f->bin_s),    TAKE(f->times),
                                    TAKE(f->bins), TAKE(f->all_bins), TAKE(f->parts)};
}

struct run_result *run_result_read(const char *path, enum dataset_depth depth, struct err *err)
{
    struct run_frame f;
    struct run_info info;
    if (dataset_read(&run_layout, path, depth, &f, &info, err) != 0)
        return NULL;
    struct run_result *run = mem_calloc(1, sizeof *run);
    run->path = mem_strdup(path);
    run->info = info;
    run->meta = take_head(&f);
    run->summary = take_summary(&f);
    take_services(&f, run->meta, run->summary);
    take_groups(&f, run->meta, run->summary);
    run->bins = take_bins(&f);
    dataset_destroy(&run_layout, &f);
    return run;
}

void run_result_destroy(struct run_result *run)
{
    if (!run)
        return;
    struct run_result_bins *b = &run->bins;
    void *owned[] = {run->path, b->start_s, b->times, b->services, b->all, b->parts};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    data_field_release(run_info_fields, &run->info);
    meta_destroy(run->meta);
    summary_destroy(run->summary);
    mem_free(run);
}
