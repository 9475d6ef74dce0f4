// SPDX-License-Identifier: Apache-2.0
// study_fleet: the section `fleet` of a study: cells, groups of servers and how they run services.
//
// A group takes its platform from the library and any key of it from the study; its accelerator,
// scheduler, cost and noise are maps of their own. Scheduler and cost may differ by service: the
// group's own settings stand for all, exceptions are listed under `services`.
#ifndef STUDY_STUDY_FLEET_H
#define STUDY_STUDY_FLEET_H

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"
#include "study/library.h"

struct study;

// Fills study->cells and study->groups from the map `fleet` of the study's root, costs and batch
// sizes included. Needs the traffic and the models, and keeps pointers to the models: no more may
// be added. On error the study holds what was read so far and is to be released.
int study_fleet_read(struct study *study, const struct library *library, const struct node *root,
                     struct err *err);
// Releases the groups, as many as study->n_groups.
void study_fleet_release(struct study *study);

// Tables of struct study (its cells), study_group (its own keys, and those of `on`),
// and study_noise.
extern const struct field study_fleet_fields[], study_group_fields[], study_on_fields[],
    study_noise_fields[];
extern const char *const study_batching_names[]; // of enum study_batching: "static" "fixed" NULL

#endif
