// SPDX-License-Identifier: Apache-2.0
// capacity_answer: what a capacity search found, in one sentence.
//
//     20 servers of `cpu` hold it, $24.00/h; `video` at its p99 of 60 ms decides; 22, $26.40/h,
//     hold 10 % more.
//
// Where a search counts servers, one load is asked of every type alone: the cheapest is told (the
// fewest servers where not all have a price). The service that decides is the one that comes
// nearest to missing its target. Of a fleet whose servers serve all services and that takes many
// times what pools of one service each would (CAPACITY_MANY_TIMES), a second sentence says so.
#ifndef RESULTS_REPORT_CAPACITY_ANSWER_H
#define RESULTS_REPORT_CAPACITY_ANSWER_H

#include <stdbool.h>

#include "results/file/capacity_result.h"
#include "results/report/report_out.h"

// A line for each sentence, and nothing where there is no answer to tell.
void capacity_answer_print(struct report_out *out, const struct capacity_result *answer);

// Is a row about the load as it is asked, with as few cells out of service as were looked at? That
// is with all cells up, unless a study asks only for what holds it with some down.
bool capacity_answer_is_plain(const struct capacity_result *answer,
                              const struct capacity_size *size);

// What the sentence is about: of the sizes that are plain and hold it, and of the loads that are
// held. NULL: there is none.
const struct capacity_size *capacity_answer_size(const struct capacity_result *answer);
const struct capacity_load *capacity_answer_load(const struct capacity_result *answer);

// Is there one? Not where no number of servers that was looked at holds the traffic, or no load is
// held.
bool capacity_answer_holds(const struct capacity_result *answer);

#endif
