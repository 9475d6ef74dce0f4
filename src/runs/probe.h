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

#include "base/err.h"
#include "search/measure.h"
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

// Collective (comm). Logically collective: probe and point must agree. Same result on every rank.
int probe_measure(struct probe *probe, MPI_Comm comm, const struct measure_point *point,
                  struct measurement *result, struct err *err);

// Not collective. Offered work equals what all cores, or all streams, can do: no rate at or above
// it is stable. INFINITY when the fleet is not one group of servers.
double probe_bound_qps(const struct probe *probe, const struct settings *choice);

// Not collective. The first tuned service on the first tuned group: seconds of one core with all
// busy, draws of its sizes. Seconds of
// the whole accelerator of the first that has one (NaN: none has). The largest query of all tuned
// services.
double probe_cpu_s(const struct probe *probe, uint32_t items);
double probe_accel_s(const struct probe *probe, uint32_t items);
uint32_t probe_size_items(const struct probe *probe, uint64_t i);
double probe_uniform(const struct probe *probe, uint64_t i);
uint32_t probe_max_items(const struct probe *probe);

// Not collective. Is there one for some tuned service on some tuned group?
bool probe_has_accelerator(const struct probe *probe);

// Not collective. The first tuned group and service, and the settings of the one for the other, as
// the study has them; borrowed.
const struct study_group *probe_group(const struct probe *probe);
const struct service_config *probe_service(const struct probe *probe);
const struct settings *probe_settings(const struct probe *probe);

// Not collective. Servers of the whole fleet.
uint32_t probe_n_servers(const struct probe *probe);

#endif
