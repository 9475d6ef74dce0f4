// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_result.h"

#include <math.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/run_rows.h"

int run_result_write(const struct run_result_input *input, const char *path, bool force,
                     struct err *err)
{
    const struct meta *m = input->meta;
    struct run_frame f = {
        .meta = *m, .summary = *input->summary, .total = *summary_total(input->summary)};
    f.service_names = mem_calloc(m->n_services, sizeof *f.service_names);
    f.group_names = mem_calloc(m->n_groups, sizeof *f.group_names);
    for (uint32_t i = 0; i < m->n_services; i++)
        f.service_names[i] = m->services[i].name;
    for (uint32_t i = 0; i < m->n_groups; i++)
        f.group_names[i] = m->groups[i].name;
    if (input->fidelity)
        f.fidelity = *input->fidelity;
    run_rows_fill(&f, input->total);
    int rc = dataset_write(&run_layout, &f, input->info, path, force, err);
    run_rows_release(&f);
    mem_free(f.service_names);
    mem_free(f.group_names);
    return rc;
}

// ---- reading

// Names and targets, which the file has as coordinates and in the summary.
static void name_services(const struct run_frame *f)
{
    for (uint32_t i = 0; i < f->meta.n_services; i++) {
        struct meta_service *service = &f->meta.services[i];
        const struct summary_service *numbers = &f->summary.services[i];
        service->name = f->service_names[i];
        service->sla_quantile = numbers->sla_quantile;
        service->sla_ns = numbers->sla_s < 9e9 ? llrint(numbers->sla_s * 1e9) : 0;
    }
}

static void name_groups(const struct run_frame *f)
{
    for (uint32_t g = 0; g < f->meta.n_groups; g++) {
        struct meta_group *group = &f->meta.groups[g];
        const struct summary_component *parts = f->summary.groups[g].parts;
        uint32_t servers = group->n_servers ? group->n_servers : 1;
        group->name = f->group_names[g];
        group->cores = parts[PART_CPU].n_units / servers;
        group->streams = parts[PART_ACCEL].n_units / servers;
        group->has_accel = group->streams > 0;
    }
}

// What the frame owns is the result's from here on, but for the lists of names and buckets.
struct run_result *run_result_read(const char *path, enum dataset_depth depth, struct err *err)
{
    struct run_frame f;
    struct run_info info;
    if (dataset_read(&run_layout, path, depth, &f, &info, err) != 0)
        return NULL;
    struct summary *s = &f.summary;
    s->n_services = f.meta.n_services;
    s->n_groups = f.meta.n_groups;
    s->services = mem_realloc(s->services, (size_t)s->n_services + 1, sizeof *s->services);
    s->services[s->n_services] = f.total;
    name_services(&f);
    name_groups(&f);
    mem_free(f.service_names);
    mem_free(f.group_names);
    if (depth != DATASET_WHOLE) {
        mem_free(f.rest.bucket_s);
        f.rest.bucket_s = NULL;
    }
    struct run_result *run = mem_calloc(1, sizeof *run);
    *run = (struct run_result){.path = mem_strdup(path),
                               .meta = mem_alloc(sizeof f.meta),
                               .summary = mem_alloc(sizeof f.summary),
                               .bins = f.bins,
                               .slowest = f.slowest,
                               .fidelity = f.fidelity,
                               .rest = f.rest,
                               .info = info};
    *run->meta = f.meta;
    *run->summary = f.summary;
    return run;
}

void run_result_destroy(struct run_result *run)
{
    if (!run)
        return;
    struct run_result_bins *b = &run->bins;
    struct run_rest *r = &run->rest;
    void *owned[] = {run->path,  b->start_s, b->times,      b->services,     b->all,
                     b->parts,   r->bins,    r->bucket_s,   r->bucket_end_s, r->counts,
                     r->servers, r->samples, run->slowest.v};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    fidelity_release(&run->fidelity);
    data_field_release(run_info_fields, &run->info);
    meta_destroy(run->meta);
    summary_destroy(run->summary);
    mem_free(run);
}
