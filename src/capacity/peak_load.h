// SPDX-License-Identifier: Apache-2.0
// peak_load: the traffic of a study at its peak, at any scale, on any fleet. [M]
//
// A fleet is sized for the worst that comes: every service at the highest rate of its day
// (traces/forecast.h), all of them at once, and the headroom on top. Where a service's rate changes
// over the day the peak is like an hour that never ends: Poisson, or with the bursts that a curve
// has on top (arrival_steady()). Where it does not, a service keeps its own process.
//
// A measurement is one slice (sample.h) of as many queries as asked for: of all cells of the fleet
// if that makes it at least PEAK_LOAD_LEAST_TARGETS of the longest target, else of fewer cells. Its
// first tenth is warm-up. Same number of queries, same stream: same queries, whatever the fleet.
#ifndef CAPACITY_PEAK_LOAD_H
#define CAPACITY_PEAK_LOAD_H

#include <stdint.h>

#include "capacity/capacity_context.h"

// Runs are no shorter than this many times the longest target.
#define PEAK_LOAD_LEAST_TARGETS 20

struct peak_load;

// Not collective. The traffic of context->study; borrows `context`. Fails where the day cannot be
// forecast or the study not be cut into slices.
struct peak_load *peak_load_create(struct capacity_context *context, struct err *err);
// Not collective. NULL: no effect.
void peak_load_destroy(struct peak_load *peak);

// Not collective. Queries per second of all services, or of one, at their peaks with headroom.
double peak_load_qps(const struct peak_load *peak);
double peak_load_service_qps(const struct peak_load *peak, uint32_t service);

// One measurement.
struct peak_load_point {
    const struct fleet_variant *fleet; // its study is set to the offer's own
    double scale;                      // of all rates
    uint64_t n_queries;                // to simulate, about
    uint32_t stream;                   // of random draws
};

// What a measurement says. Power and what is served are those of the whole fleet.
struct peak_load_trial {
    struct measurement all;       // of the service nearest to missing its target
    struct measurement *services; // [n_services] of each by itself; owned: mem_free()
};

// Collective (the context's). Logically collective: point. *result is as of a probe; *trial says
// more.
int peak_load_measure(struct peak_load *peak, const struct peak_load_point *point,
                      struct measurement *result, struct peak_load_trial *trial, struct err *err);

// Not collective. The service that comes nearest to missing its target.
uint32_t peak_load_binding(const struct peak_load *peak, const struct peak_load_trial *trial);

// Not collective. Rate of this traffic's mix at which one server of the type has no time left, with
// these settings ([n_services]); `service` alone, or all where it is n_services.
double peak_load_saturation_qps(const struct peak_load *peak, uint32_t type,
                                const struct settings *choices, uint32_t service);

// Collective (context->eval->comm). Makes the traffic and calls fill(peak, row, err) for row = 0 ..
// n - 1, each a row of the answer (capacity_context_row()) of that name.
typedef int (*peak_load_row_fn)(struct peak_load *peak, uint32_t row, struct err *err);
int peak_load_rows(struct capacity_context *context, const char *name, uint32_t n,
                   peak_load_row_fn fill, struct err *err);
// Not collective. That it was made with.
struct capacity_context *peak_load_context(const struct peak_load *peak);

#endif
