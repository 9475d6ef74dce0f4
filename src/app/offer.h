// SPDX-License-Identifier: Apache-2.0
// offer: the traffic of a study at its peak, at any scale, on any fleet. [M]
//
// A fleet is sized for the worst that comes: every service at the highest rate of its day
// (traces/forecast.h), all of them at once, and the headroom on top. Where a service's rate changes
// over the day (diurnal, replay) the peak is a Poisson stream of that rate, like an hour that never
// ends. Where no service's does, each keeps its own process, bursts included.
//
// A measurement is one slice (slice.h) of as many queries as asked for: of all cells of the fleet
// if that makes it at least OFFER_LEAST_TARGETS of the longest target, else of fewer cells. Its
// first tenth is warm-up. Same number of queries, same stream: same queries, whatever the fleet.
#ifndef APP_OFFER_H
#define APP_OFFER_H

#include <stdint.h>

#include "app/ask.h"

// Runs are no shorter than this many times the longest target.
#define OFFER_LEAST_TARGETS 20

struct offer;

// Not collective. The traffic of ask->study; borrows `ask`. Fails where the day cannot be forecast
// or the study not be cut into slices.
struct offer *offer_create(struct ask *ask, struct err *err);
// Not collective. NULL: no effect.
void offer_destroy(struct offer *offer);

// Not collective. Queries per second of all services, or of one, at their peaks with headroom.
double offer_qps(const struct offer *offer);
double offer_service_qps(const struct offer *offer, uint32_t service);

// One measurement.
struct offer_point {
    const struct slice_fleet *fleet; // its study is set to the offer's own
    double scale;                    // of all rates
    uint64_t n_queries;              // to simulate, about
    uint32_t stream;                 // of random draws
};

// Collective (the ask's). Logically collective: point. *result is as of a probe; *trial says more,
// with the power of the whole fleet.
int offer_measure(struct offer *offer, const struct offer_point *point,
                  struct measure_result *result, struct staffing_trial *trial, struct err *err);

// Not collective. Rate of this traffic's mix at which one server of the type has no time left, with
// these B and T ([n_services]); `service` alone, or all where it is n_services.
double offer_saturation_qps(const struct offer *offer, uint32_t type, const struct choice *choices,
                            uint32_t service);

#endif
