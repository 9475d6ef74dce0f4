// SPDX-License-Identifier: Apache-2.0
// report_tuning: the tables that a person reads at the end of a search.
//
// For a dozen points or fewer every (point, policy) has a line in each of three tables: the answer
// (settings, rate, gain), its evidence (latencies with intervals, checks, confirmation) and its
// cost (utilisation, evaluations, time). More points get one line each with the rates of all
// policies. A summary over the points follows when there are several. Points without an answer are
// listed with their target and latency floor.
//
// Gains are over the first policy; gaps are to the policy named "exhaustive", when there is one.
// Every column has its unit in its head. At most 120 columns as long as names are short.
#ifndef RESULTS_REPORT_REPORT_TUNING_H
#define RESULTS_REPORT_REPORT_TUNING_H

#include "results/file/tuning_result.h"
#include "results/report/report_out.h"

// Points up to which each has all its numbers printed.
#define REPORT_TUNING_FULL 12

void report_tuning_print(struct report_out *out, const struct tuning_result *tuning);

#endif
