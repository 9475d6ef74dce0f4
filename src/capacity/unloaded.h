// SPDX-License-Identifier: Apache-2.0
// unloaded: can the targets be met at all? [M]
//
// More servers make waits shorter, not service: where an idle server already takes longer than the
// target at its percentile, no number of servers holds it, and no search needs to find that out.
// Where the longest run cannot tell the two apart, no fleet of any size can be shown to hold it by
// runs of that length either: with some load on its servers it is only later.
//
// So servers of every type (with `find: cores`, of as many cores as could be of use) are given one
// service alone, by each scheduler's settings, so rarely that a query hardly ever meets another
// (UNLOADED_BUSY_FRAC). What such queries take is what the scheduler, the accelerator, the delays
// and the noise make of the sizes that the study draws. Nothing fails meanwhile.
//
//     unloaded_find(&context, true, &err);
//     if (capacity_result_out_of_reach(context.answer)) ...
#ifndef CAPACITY_UNLOADED_H
#define CAPACITY_UNLOADED_H

#include <stdbool.h>

#include "capacity/capacity_context.h"

// A query finds another in its server with this probability at most, and with no more than this
// part of the probability that the target allows to be late; so many are not held against it.
#define UNLOADED_BUSY_FRAC 1e-4
#define UNLOADED_BUSY_PART 1e-2
// Idle servers are cheap to simulate: the longest run has so many queries at least.
#define UNLOADED_LEAST_QUERIES 1e6

// Collective (context->eval->comm). Logically collective: given. Fills context->answer->unloaded of
// the schedulers whose settings the study gives, or of the others; needs their choices
// (efficiency.h). A target is MISSED or MET when that is clear, UNSURE where the longest run leaves
// it open (of capacity.max_queries, or UNLOADED_LEAST_QUERIES if that is more), and not asked of
// services that have none.
int unloaded_find(struct capacity_context *context, bool given, struct err *err);

#endif
