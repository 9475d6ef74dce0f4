// SPDX-License-Identifier: Apache-2.0
// arrival: when queries arrive, one stream.
//
// Processes are const descriptors in arrival_types[]. A descriptor's fields say which members of
// struct arrival_config its keys fill. A stream fills blocks of arrival times; times are kept in
// units of 2^-10 ns inside so that rounding to whole nanoseconds does not bend the rate.
#ifndef TRACES_ARRIVAL_H
#define TRACES_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/schema.h"

// Members are added by this module; each process reads its own.
struct arrival_config {
    int64_t process;  // index into arrival_types
    double cv;        // gamma, hyperexponential: coefficient of variation of the gaps
    struct reals state_rate_frac, state_hold_s; // mmpp
    struct reals curve_frac;                    // diurnal: rate over the day, relative
    double period_s;                            // diurnal
};

#endif
