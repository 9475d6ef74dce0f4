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
    meta->server_slow = mem_calloc(n_servers, sizeof *meta->server_slow);
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
    mem_free(meta->server_slow);
    mem_free(meta->study_name);
    mem_free(meta->policy);
    mem_free(meta->program_version);
    mem_free(meta->study_text);
    mem_free(meta->study_digest);
    mem_free(meta);
}

// What may differ between two runs of one study: nothing here counts for the digest of a file.
#define ROW struct run_info
const struct data_field run_info_fields[] = {
    DATA_TEXT(date, "when the run began"),
    DATA_TEXT(host, "host of rank 0"),
    DATA_TEXT(command, "command line"),
    DATA_TEXT(git_revision, "revision of the program"),
    DATA_TEXT(job_id, "job of the batch system"),
    DATA_TEXT(nodes, "nodes of the machine"),
    DATA_TEXT(layout, "how cells were dealt to ranks"),
    DATA_TEXT(mpi_version, "version of the MPI library"),
    DATA_INT(n_ranks, "1", "MPI ranks"),
    DATA_INT(n_nodes, "1", "nodes of the machine, 0: unknown"),
    DATA_COUNT(n_restarts, "1", "how often the run was resumed from a checkpoint"),
    DATA_COUNT(n_queries, "1", "queries simulated, warm-up included"),
    DATA_COUNT(n_windows, "1", "windows of simulated time"),
    DATA_COUNT(bytes_sent, "byte", "sent between ranks"),
    DATA_TIME_AS("window_s", window_ns, "length of a window"),
    DATA_NUMBER(wall_s, "s", "wall time of the simulation"),
    DATA_COUNT(n_checkpoints, "1", "checkpoints written"),
    DATA_NUMBER(checkpoint_s, "s", "wall time that writing checkpoints took"),
    {0}};
#undef ROW
