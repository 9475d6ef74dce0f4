// SPDX-License-Identifier: Apache-2.0
// meta: what the measured numbers belong to.
//
// A record knows services, groups and servers by number. To name them, and to keep the study with
// its results, the program copies what is needed from its configuration into this struct (results
// is on the same level as traces and models, so it cannot look there itself).
//
// Everything here depends on the study alone and is the same on every rank; struct run_info holds
// what may differ between two runs of one study.
#ifndef RESULTS_META_H
#define RESULTS_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/data_field.h"

struct meta_service {
    char *name, *model;   // owned; model "" when there is none
    double sla_quantile;  // 0.95
    int64_t sla_ns;       // 0: no target
    double rate_qps;      // what the study asks for
    uint64_t n_records;   // of the trace that it replays; 0: none
    uint64_t n_cut;       // of them, those with more items than max_items, which count as that
    double size_cut_frac; // share of its queries that are cut so, whatever their sizes are from
};

struct meta_group {
    char *name, *platform; // owned
    uint32_t n_servers;
    uint32_t cores;   // per server
    uint32_t streams; // of its accelerator; 0 without one
    bool has_accel;
};

struct meta {
    char *study_name, *policy, *program_version; // owned
    char *study_text;                            // owned; the resolved study, "" when unknown
    char *study_digest; // owned; 32 hex digits of all that decides the results, "" when unknown
    uint64_t seed;
    uint64_t traffic_fingerprint; // equal for two studies that see the same queries; 0: unknown
    int64_t duration_ns;
    int64_t warmup_ns; // given; 0: none
    bool warmup_auto;  // detect it
    bool has_outages;  // servers may go down
    bool shares_load;  // the policy looks at the servers: those of a cell are as one queue
    uint32_t n_services, n_groups, n_cells, n_servers;
    struct meta_service *services; // owned
    struct meta_group *groups;     // owned
    // Of every server of the fleet, [n_servers]; owned.
    uint32_t *server_group, *server_cell;
    uint8_t *server_slow; // 1: it takes longer than others of its group; 0: it does not
};

// All zero but the counts, with every array there; strings are NULL until set from mem_strdup().
struct meta *meta_create(uint32_t n_services, uint32_t n_groups, uint32_t n_servers);
void meta_destroy(struct meta *meta); // NULL: no effect; releases all that is owned

// How the run went: what may differ although the study is the same. Borrowed strings; NULL is "".
struct run_info {
    const char *date;         // ISO 8601
    const char *host;         // of rank 0
    const char *command;      // as typed
    const char *git_revision; // of the program
    const char *job_id;       // of the batch system, "" outside one
    const char *nodes;        // that it ran on, as the batch system names them, "" outside one
    const char *layout;
    const char *mpi_version; // of the library, one line
    int64_t window_ns;
    int n_ranks;
    int n_nodes;         // 0: unknown
    uint64_t n_restarts; // how often the run was resumed from a checkpoint
    // Over all parts of a run that was resumed:
    uint64_t n_queries; // simulated, warm-up included
    uint64_t n_windows;
    uint64_t bytes_sent;    // between ranks
    double wall_s;          // of the simulation, slowest rank
    uint64_t n_checkpoints; // written
    double checkpoint_s;    // that writing them took, of wall_s
};
// All of struct run_info, for the file's group /run; ends with name NULL.
extern const struct data_field run_info_fields[];

#endif
