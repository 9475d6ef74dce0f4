// SPDX-License-Identifier: Apache-2.0
// sample_fleet: a slice, and the fleet that it simulates, cut out of a study.
//
// The simulated cells are neighbours in the whole fleet's round of cells, from one that is drawn
// with the slice's number, so each cell is as likely as any other and a cell with an odd server
// comes as often as it should. They bring their own servers and their servers' share of all
// traffic. Groups without a server there, and services that send nothing, are left out of what is
// simulated; slots say where the others are. A fleet of fewer servers than cells has a cell per
// server.
//
// Random draws are keyed by the study's seed, RNG_SLICE and the slice's number alone.
#ifndef CAPACITY_SAMPLE_FLEET_H
#define CAPACITY_SAMPLE_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "cluster/config.h"
#include "search/measure.h"
#include "study/study.h"

// Which servers serve which services, and how. Borrowed arrays; a group of no servers is left out.
struct fleet_variant {
    const struct study *study;
    const uint32_t *n_servers;      // [n_groups] of the whole fleet
    const double *weights;          // [n_groups] relative capacity of a server; NULL: the study's
    const struct settings *choices; // [n_groups][n_services of the study] NULL: the study's
    const uint32_t *services;       // which services of the study take part; NULL: all
    uint32_t n_services;            // in `services`; of all where that is NULL
    uint32_t n_cells; // of the whole fleet, >= 1; of a fleet of fewer servers: as many as these
    uint32_t n_cores; // of every server; 0: the platforms' own
    const struct balancer_config *balancer; // NULL: the study's
};

// Which of the study's services is the fleet's i-th.
static inline uint32_t sample_fleet_service_at(const struct fleet_variant *fleet, uint32_t i)
{
    return fleet->services ? fleet->services[i] : i;
}

struct slice {
    const struct fleet_variant *fleet;
    uint64_t number;         // keys the draws: slices that share it see the same queries
    uint32_t n_cells;        // simulated, 1 .. fleet->n_cells
    const double *rates_qps; // [fleet->n_services] over the whole fleet, Poisson; NULL: each
                             // service's own process, begun at start_s of its period
    double start_s;          // of the day, when the warm-up begins; may be below 0: the day before
    int64_t warmup_ns, length_ns; // not measured, measured
    uint32_t n_bins;              // of the measured time, >= 1: batches of the intervals
    bool by_service;              // what each service did is asked for, too
};

// A service without a slot was not asked for or sends nothing.
#define SAMPLE_FLEET_NO_SLOT UINT32_MAX

struct sample_fleet {
    struct fleet_config fleet; // to be simulated; points into what follows
    struct service_config *services;
    const struct qsize **sizes; // [fleet.n_services] the study's
    struct group_config *groups;
    struct platform *platforms;     // [fleet.n_groups], strings borrowed
    struct settings *settings;      // [fleet.n_groups][fleet.n_services]
    const struct cost **costs;      // likewise; what they point to is the study's
    uint32_t *slots;                // [slice->fleet->n_services] in fleet.services
    uint64_t n_servers, of_servers; // simulated, and of the whole fleet
};

// NULL when nothing would be simulated: no servers, or no traffic. The slice and what it borrows
// must outlive it; caller sample_fleet_destroy()s.
struct sample_fleet *sample_fleet_create(const struct slice *slice);
void sample_fleet_destroy(struct sample_fleet *sampled); // NULL: no effect

// Queries that it will simulate, about.
double sample_fleet_queries(const struct sample_fleet *sampled);

// Appends all that decides the answer to a slice, given the study but for its services' rates.
void sample_fleet_describe(const struct slice *slice, struct blob *blob);

#endif
