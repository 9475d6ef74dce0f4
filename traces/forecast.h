// SPDX-License-Identifier: Apache-2.0
// forecast: how many queries per second a service will send in each interval of a day.
//
// From the same settings that its arrivals are made of:
//
//   diurnal   its curve, begun at its start; exact means of the piecewise linear rate
//   replay    counts of the trace's records, scaled as the replay would be; a trace that ends
//             before the last tenth of the last interval, or has an interval without a record, has
//             a gap, unless it repeats
//   others    the service's rate, all day
//
// Rates are of the whole fleet. Peak is the highest rate inside the interval (of a curve), or the
// mean (of a trace, whose intervals are all there is to know).
#ifndef TRACES_FORECAST_H
#define TRACES_FORECAST_H

#include <stdint.h>

#include "base/err.h"
#include "traces/traffic.h"

struct forecast {
    double mean_qps, peak_qps;
};

// Intervals [i day / n, (i + 1) day / n) of a day of day_s seconds, into out[n]. The arrivals are
// loaded (arrival_load) or need no file. The error's text begins with the key that is wrong, and
// says where in the day.
int forecast_fill(const struct service_traffic *traffic, double day_s, uint32_t n,
                  struct forecast *out, struct err *err);

// The same for a rough look at [0, span_s): a gap is no error but no traffic, and what cannot be
// looked at (a file that was not read) counts as its rate all the time. An interval's peak in a
// trace is what begins there and is long enough for hundreds of records, less what chance alone
// may have added to them.
void forecast_profile(const struct service_traffic *traffic, double span_s, uint32_t n,
                      struct forecast *out);
// How long until the traffic repeats or has ended: the period of a curve, the length of a trace; 0
// where there is no such time, or the trace was not read.
double forecast_period_s(const struct service_traffic *traffic);

#endif
