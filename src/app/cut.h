// SPDX-License-Identifier: Apache-2.0
// cut: the fleet that a slice (slice.h) simulates, cut out of a study.
//
// The simulated cells are neighbours in the whole fleet's round of cells, from one that is drawn
// with the slice's number, so each cell is as likely as any other and a cell with an odd server
// comes as often as it should. They bring their own servers and their servers' share of all
// traffic. Groups without a server there, and services that send nothing, are left out of what is
// simulated; slots say where the others are. A fleet of fewer servers than cells has a cell per
// server.
//
// Random draws are keyed by the study's seed, RNG_SLICE and the slice's number alone.
#ifndef APP_CUT_H
#define APP_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "app/slice.h"
#include "base/blob.h"
#include "cluster/config.h"
#include "results/meta.h"

// A service without a slot was not asked for or sends nothing.
#define CUT_NO_SLOT UINT32_MAX

struct cut {
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
// must outlive the cut; caller cut_destroy()s.
struct cut *cut_create(const struct slice *slice);
void cut_destroy(struct cut *cut); // NULL: no effect

// What a summary must know of it; caller meta_destroy()s.
struct meta *cut_meta(const struct cut *cut);

// Queries that it will simulate, about.
double cut_queries(const struct cut *cut);

// Appends all that decides the answer, given the study.
void cut_describe(const struct cut *cut, const struct slice *slice, struct blob *blob);

#endif
