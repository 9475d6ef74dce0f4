// SPDX-License-Identifier: Apache-2.0
// cost_roofline: seconds from a model's work and a platform's rates, class by class.
//
// For b items on one CPU core while n cores are busy,
//
//     s = request + operators * operator
//       + weights: free from the core's L2, weight_bw from its share of L3, the memory share beyond
//       + sum over classes of  flop * b / (peak * b / (b + half))  +  bytes * b / bandwidth share
//
// with bandwidth share = min(one core's limit, socket's limit / busy cores on that socket), and
// arithmetic or gather time stretched by the platform's contention fractions. Lookups count bytes
// only (their additions hide behind the rows they wait for), at a half-batch of their own. On an
// accelerator the same without sharing, after a load of link + inputs + bytes / link bandwidth.
//
// half-batch efficiency makes each class a straight line in b: peak / half_items is what a lone
// item gets. Deviation from a classic roofline: terms add up instead of the larger one winning,
// because the measured kernels do not overlap them.
#ifndef MODELS_COST_ROOFLINE_H
#define MODELS_COST_ROOFLINE_H

#include "models/cost.h"

extern const struct cost_type cost_roofline;

#endif
