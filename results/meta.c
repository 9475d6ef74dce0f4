// SPDX-License-Identifier: Apache-2.0
#include "results/meta.h"

#include "base/mem.h"

struct meta *meta_create(uint32_t n_services, uint32_t n_groups, uint32_t n_servers)
{
    struct meta *meta = mem_calloc(1, sizeof *meta);
    meta->n_services = n_services;
    meta->n_groups = n_groups;
    meta->n_servers = n_servers;
    meta->services = mem_calloc(n_services, sizeof *meta->services);
    meta->groups = mem_calloc(n_groups, sizeof *meta->groups);
    meta->server_group = mem_calloc(n_servers, sizeof *meta->server_group);
    meta->server_cell = mem_calloc(n_servers, sizeof *meta->server_cell);
    return meta;
}

void meta_destroy(struct meta *meta)
{
    if (!meta)
        return;
    for (uint32_t i = 0; i < meta->n_services; i++) {
        mem_free(meta->services[i].name);
        mem_free(meta->services[i].model);
    }
    for (uint32_t i = 0; i < meta->n_groups; i++) {
        mem_free(meta->groups[i].name);
        mem_free(meta->groups[i].platform);
    }
    mem_free(meta->services);
    mem_free(meta->groups);
    mem_free(meta->server_group);
    mem_free(meta->server_cell);
    mem_free(meta->study_name);
    mem_free(meta->policy);
    mem_free(meta->program_version);
    mem_free(meta->study_text);
    mem_free(meta->study_digest);
    mem_free(meta);
}
