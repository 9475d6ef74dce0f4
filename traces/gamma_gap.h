// SPDX-License-Identifier: Apache-2.0
// gamma_gap: gaps of mean 1 that are gamma-distributed, each drawn by its number.
//
// Marsaglia and Tsang (ACM TOMS 26, 2000); shapes below 1 by their boost U^(1/shape). The normal
// comes from the polar method. As proposals are rejected, gap i owns the blocks i * 256 + 0 .. 255
// of the stream, two per proposal, so that no gap moves another.
#ifndef TRACES_GAMMA_GAP_H
#define TRACES_GAMMA_GAP_H

#include <stdint.h>

#include "base/rng.h"

// Below it nothing varies by a nanosecond in a millisecond, and the shape would leave what a double
// holds.
#define GAMMA_GAP_LEAST_CV 1e-6

struct gamma_gap {
    struct rng_stream stream;
    double shape; // 1 / cv^2
    double d, c;  // of Marsaglia and Tsang, for shape or shape + 1
};

// Gaps whose coefficient of variation is cv > 0.
struct gamma_gap gamma_gap_of(const struct rng_stream *stream, double cv);
// Gap number `index`.
double gamma_gap_draw(const struct gamma_gap *gamma, uint64_t index);

#endif
