// SPDX-License-Identifier: Apache-2.0
#include "runs/footprint.h"

#include <math.h>
#include <stdbool.h>

#include "base/memroom.h"
#include "base/simtime.h"
#include "results/hist.h"
#include "results/record.h"
#include "traces/arrival.h"

// The program before it has a fleet.
#define BASE_BYTES 32e6
// A server without its cores, its totals and its place in the layout included; 8 bytes a core, in
// rows of 8.
#define SERVER_BYTES 143.0
#define LANE_BYTES 8.0
#define LANES 8.0
#define STREAM_BYTES 64.0
#define SERVER_OUTAGE_BYTES 45.0
// A cell: its balancer, and for each service what arrives next; a part of it on one kind of server.
#define CELL_BYTES 3400.0
#define CELL_SERVICE_BYTES 1250.0
#define CELL_FEEDBACK_BYTES 4600.0
#define PART_BYTES 600.0
#define PART_OUTAGE_BYTES 9000.0
// Queries of a window, put in order of the cell's parts, or between two outages.
#define WINDOW_BYTES 16400.0

// A query of the sample, while it is written.
#define SAMPLE_BYTES 300.0
// In the file, compressed: times take most of it.
#define SAMPLE_FILE_BYTES 45.0
// One of the slowest, with those that are kept until the end because they may be.
#define SLOWEST_BYTES 1200.0

#define SERVER_S 1.8e-6 // made and written
#define CELL_S 3.7e-5
#define SERVER_BIN_S 2e-8  // a server at the end of a bin
#define CRASH_S 1.6e-6     // a server goes and comes
#define STEP_SERVER_S 4e-8 // a server is switched

static double servers_of(const struct fleet_config *fleet)
{
    double n = 0;
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        n += fleet->groups[g].n_servers;
    return n;
}

// A cell has a part of every group that has a server for it.
static double parts_of(const struct fleet_config *fleet)
{
    double n = 0;
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        n += fmin(fleet->groups[g].n_servers, fleet->n_cells);
    return n;
}

// Single queries that are kept.
static double sampled(const struct fleet_config *fleet)
{
    double qps = 0;
    for (uint32_t s = 0; s < fleet->n_services; s++)
        qps += arrival_mean_qps(&fleet->services[s].traffic.arrivals,
                                fleet->services[s].traffic.rate_qps);
    return qps * simtime_to_s(fleet->duration_ns) * fleet->sample_frac;
}

static double fleet_bytes(const struct fleet_config *fleet)
{
    bool outages = fleet_has_outages(fleet);
    double cell = CELL_BYTES + CELL_SERVICE_BYTES * fleet->n_services;
    double part = PART_BYTES + (outages ? PART_OUTAGE_BYTES : 0), bytes = BASE_BYTES;
    cell += fleet_has_feedback(fleet) ? CELL_FEEDBACK_BYTES : 0;
    cell += (fleet->n_groups > 1 ? WINDOW_BYTES : 0) + (outages ? WINDOW_BYTES : 0);
    for (uint32_t g = 0; g < fleet->n_groups; g++) {
        const struct platform *platform = fleet->groups[g].platform;
        double lanes = ceil((double)platform->cores / LANES) * LANES;
        double server = SERVER_BYTES + lanes * LANE_BYTES + (outages ? SERVER_OUTAGE_BYTES : 0);
        if (platform->has_accelerator)
            server += STREAM_BYTES * (double)(platform->accelerator.streams + 1);
        bytes += fleet->groups[g].n_servers * server;
    }
    return bytes + cell * fleet->n_cells + part * parts_of(fleet);
}

// Of what happens to servers while no query comes.
static double events_s(const struct fleet_config *fleet)
{
    const struct outage_config *outages = &fleet->outages;
    double duration_s = simtime_to_s(fleet->duration_ns), s = 0;
    if (outages->mtbf_s > 0)
        s += servers_of(fleet) * duration_s / (outages->mtbf_s + outages->mttr_s) * CRASH_S;
    for (uint32_t g = 0; g < fleet->n_groups; g++) {
        const struct on_schedule *on = &fleet->groups[g].on;
        double switched = 0; // in one round of the steps
        for (size_t i = 0; i < on->n_steps; i++)
            switched += fabs((double)on->n_on[i] - (double)on->n_on[(i + 1) % on->n_steps]);
        if (on->n_steps > 0)
            s += duration_s / simtime_to_s(on->step_ns) / (double)on->n_steps * switched *
                 STEP_SERVER_S;
    }
    return s;
}

struct footprint footprint_of(const struct fleet_config *fleet, uint32_t n_bins)
{
    double tallies = (double)n_bins * fleet->n_services * N_PATHS;
    double histograms = tallies * HIST_N_BUCKETS * sizeof(uint32_t);
    double record = tallies * sizeof(struct tally) +
                    (double)n_bins * fleet->n_groups * sizeof(struct group_tally);
    double n_kept = sampled(fleet) + fleet->n_slowest;
    double kept = sampled(fleet) * SAMPLE_BYTES + fleet->n_slowest * SLOWEST_BYTES;
    double bytes = fleet_bytes(fleet) + kept + record;
    bool accel = false;
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        accel = accel || fleet->groups[g].platform->has_accelerator;
    double servers = servers_of(fleet);
    // One path's histograms are never touched where nothing is offloaded.
    return (struct footprint){
        .address_bytes = bytes + record + 2 * histograms, // and the sum of all ranks' records
        .memory_bytes = bytes + histograms / (accel ? 1 : N_PATHS),
        .record_bytes = record + histograms / (accel ? 1 : N_PATHS) + kept, // all at one process
        .n_kept = n_kept,
        .kept_bytes = kept,
        .file_bytes = n_kept * SAMPLE_FILE_BYTES,
        .wall_s = servers * SERVER_S + fleet->n_cells * CELL_S + servers * n_bins * SERVER_BIN_S +
                  events_s(fleet),
    };
}

// Servers and cells are shared out; the record is not.
int footprint_check(const struct fleet_config *fleet, uint32_t n_bins, int n_ranks, struct err *err)
{
    const struct footprint need = footprint_of(fleet, n_bins);
    if (need.n_kept > UINT32_MAX)
        return err_set(err, ERR_FAIL,
                       "output.queries: all: %.3g million queries, and a file holds %.4g million; "
                       "expected fewer, or slowest N",
                       need.n_kept * 1e-6, UINT32_MAX * 1e-6);
    double shared = need.memory_bytes - need.record_bytes, record = need.record_bytes;
    double untouched = need.address_bytes - need.memory_bytes;
    double each = shared / n_ranks + record, of_address = each + untouched;
    double address = memroom_address_bytes(), memory = memroom_machine_bytes();
    if (of_address <= address && each <= memory)
        return 0;
    err_set(err, ERR_FAIL,
            "about %.3g GB of memory are needed%s, and %.3g GB can be had; expected fewer "
            "servers, cells or bins, or more memory",
            of_address * 1e-9, n_ranks > 1 ? " by each process" : "", fmin(address, memory) * 1e-9);
    if (fleet->all_queries)
        err_append(err, "; output.queries: all takes %.3g GB, slowest N little",
                   need.kept_bytes * 1e-9);
    return -1;
}
