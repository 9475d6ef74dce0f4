// SPDX-License-Identifier: Apache-2.0
// probe: a study as something that a search can measure (search/measure.h). [M]
//
// A point is the study's fleet with one choice of the scheduler's settings on the tuned services
// and groups, all its rates scaled together to the point's, run for as long as the point's number
// of queries takes. The first tenth of it is warm-up. Seeds follow from the study's and the point's
// stream, so every point of a stream sees the same queries, and an answer depends neither on the
// ranks nor on what was measured before.
//
// What is decided here: a queue is stable when its component is (results/overload.h), a target is
// met when the 95 % interval of the fraction of late queries ends below what the target's
// percentile allows, missed when it begins above, and likewise p99 against its bound. With several
// services the worst decides.
#ifndef RUNS_PROBE_H
#define RUNS_PROBE_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "search/tuner.h"
#include "study/study.h"

struct probe;

// Not collective. Can the study be measured so? Not when a service arrives by a process without one
// rate to scale (replay, diurnal).
int probe_check(const struct study *study, struct err *err);

// Not collective. `study` is borrowed until probe_destroy() and has passed probe_check(); its
// `tune` section says what is tuned. own_sizes: the services' own sizes even when the section gives
// others.
struct probe *probe_create(const struct study *study, bool own_sizes);
// Not collective. NULL: no effect.
void probe_destroy(struct probe *probe);

// Not collective. Appends what a measurement depends on, for a memo (memo.h): the study, the sizes,
// the point.
void probe_describe(const struct probe *probe, const struct measure_point *point,
                    struct blob *question);

// Collective (comm). Logically collective: probe and point must agree. Same result on every rank.
int probe_measure(struct probe *probe, MPI_Comm comm, const struct measure_point *point,
                  struct measurement *result, struct err *err);

// Not collective. Are all service times that the choice needs known, for the sizes of the section
// and the services' own? Else -1, with which one is not: where a measured table ends
// (docs/tables.md).
int probe_known(const struct probe *probe, const struct settings *choice, struct err *err);

// Not collective. Offered work equals what all cores, or all streams, can do: no rate at or above
// it is stable. INFINITY when the fleet is not one group of servers.
double probe_bound_qps(const struct probe *probe, const struct settings *choice);

// What a search wants to know of the fleet; all borrowed until probe_destroy().
struct probe_facts {
    const struct study_group *group;      // the first tuned one,
    const struct service_config *service; // the first tuned one,
    const struct settings *settings;      // and of the one for the other, as the study has them
    const struct cost *cost;              // likewise
    const struct cost *accel_cost;        // of the first tuned with an accelerator; NULL: none has
    uint32_t max_items;                   // the largest query of all tuned services
    uint32_t known_items; // the largest request that their tables know for a core; or max_items
    uint32_t n_servers;   // of the whole fleet
};
// Not collective.
const struct probe_facts *probe_facts(const struct probe *probe);

// Not collective. What a tuning policy asks of its server, answered by the first tuned service on
// the first tuned group; the rounds are left to somebody else. The probe is borrowed.
struct tuner_backend probe_backend(const struct probe *probe);

#endif
