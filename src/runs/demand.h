// SPDX-License-Identifier: Apache-2.0
// demand: what the queries of a study ask of its servers, without simulating one.
//
// Means over the sizes of a service, from the cost model and the way a group splits its queries:
// seconds of cores, of an accelerator's link and of its streams, and how many requests there will
// be. A search takes its bounds from them, `recfleet check` its loads, and a sweep the order in
// which its points are done.
//
// Where queries share requests or batches, the least that can be: merged as far as they may, and
// cores and accelerator each having its part. Else exact sums, but for one thing: a cost may depend
// on how many cores are busy, which is not known beforehand and is given. The last request of a
// query carries the rest of its items. A trace's own sizes count as often as they were recorded; of
// a file that was not read nothing is known, and it counts as nothing.
//
//     struct demand d = demand_of(study, group, s, 1);
//     double utilisation = qps * d.cpu_s / cores;
#ifndef RUNS_DEMAND_H
#define RUNS_DEMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "cluster/config.h"
#include "study/study.h"

// Of one query, on average.
struct demand {
    double cpu_s;             // of cores
    double load_s, compute_s; // of the accelerator
    double requests;          // on cores, or 1 on the accelerator
};

// How the queries of a service meet one kind of server. All borrowed.
struct demand_split {
    const struct cost *cost;
    const struct qsize *sizes;
    const double *cpu_s;             // from demand_cpu_s(), to the largest size at least
    uint32_t busy;                   // the busy cores that it is for
    struct dispatch_config dispatch; // the service times that a query needs
};

struct demand demand_mean(const struct demand_split *split);

// Queries per second of that work at which the cores, the link or the streams of one server have no
// time left.
double demand_saturation_qps(const struct platform *platform, const struct demand *work);

// Seconds of a core by the items of a request, [largest + 1], when `busy` cores are busy; element 0
// is 0. Caller mem_free()s.
double *demand_cpu_s(const struct cost *cost, uint32_t largest, uint32_t busy);

// The same for a service of a study on a group of its servers, as the study splits it.
struct demand demand_of(const struct study *study, const struct study_group *group, size_t s,
                        uint32_t busy);
// The same by other settings of its scheduler, whose accelerator is of no effect where the cost
// knows none.
struct demand demand_by_choice(const struct study *study, const struct study_group *group, size_t s,
                               const struct settings *choice, uint32_t busy);
// The part of all queries that one server of the group gets when every server gets its share.
double demand_share_frac(const struct study *study, const struct study_group *group);

// What is asked of one kind of server: parts of what its cores have, each alone or all busy, and of
// its accelerator's streams; above 1 it is too much.
struct demand_load {
    double alone_frac, busy_frac, accel_frac;
};
// Of a group over [0, span_s), every server getting its share: on average, and in the interval of
// 96 that asks for most, by forecast_profile().
struct demand_loads {
    struct demand_load mean, peak;
};
struct demand_loads demand_loads(const struct study *study, const struct study_group *group,
                                 double span_s);
// The longest forecast_period_s() of all services.
double demand_period_s(const struct study *study);

// Queries and requests of the whole run.
double demand_queries(const struct study *study);
double demand_requests(const struct study *study);
// Rough seconds of one core of a current server to simulate the study: good for telling long points
// from short ones, and a user minutes from hours.
double demand_wall_s(const struct study *study);

#endif
