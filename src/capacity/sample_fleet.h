// SPDX-License-Identifier: Apache-2.0
// sample_fleet: the fleet that a slice (sample.h) simulates, cut out of a study.
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

#include "capacity/sample.h"
#include "base/blob.h"
#include "cluster/config.h"
#include "results/meta.h"

// A service without a slot was not asked for or sends nothing.
#define CUT_NO_SLOT UINT32_MAX

struct sample_fleet {
    struct fleet_config fleet; // to be simulated; points into what follows
    struct service_config *services;
    struct group_config *groups;
    struct platform *platforms;        // [fleet.n_groups], strings borrowed
    struct dispatch_config **dispatch; // [fleet.n_groups], each owned
    const struct cost ***costs;        // [fleet.n_groups], each owned; what they point to is not
    uint32_t *group_of;                // [fleet.n_groups] in the study
    uint32_t *slots;                   // [slice->fleet->n_services] in fleet.services
    uint64_t n_servers, of_servers;    // simulated, and of the whole fleet
};

// NULL when nothing would be simulated: no servers, or no traffic. The slice and what it borrows
// must outlive the cut; caller sample_fleet_destroy()s.
struct sample_fleet *sample_fleet_create(const struct slice *slice);
void sample_fleet_destroy(struct sample_fleet *sampled); // NULL: no effect

// What a summary must know of it; caller meta_destroy()s.
struct meta *sample_fleet_meta(const struct sample_fleet *sampled);

// Queries that it will simulate, about.
double sample_fleet_queries(const struct sample_fleet *sampled);

// Appends all that decides the answer, given the study.
void sample_fleet_describe(const struct sample_fleet *sampled, const struct slice *slice,
                           struct blob *blob);

#endif
