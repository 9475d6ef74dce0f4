// SPDX-License-Identifier: Apache-2.0
// trace_events: what a server did, as a file for trace viewers.
//
// The Trace Event Format of Chrome ("JSON Object Format"), which Perfetto
// (https://ui.perfetto.dev), chrome://tracing and speedscope open. The server is the process, each
// of its cores, the link to its accelerator and each stream of that a thread. A part of a query is
// a complete event (ph "X") on what ran it; how many wait for a core and for the accelerator are
// counters ("C"); a query that is lost is an instant event ("i"); names are metadata ("M"). ts and
// dur are microseconds of simulated time, to the nanosecond.
//
// Events are in order of ts, and those on one thread do not overlap. Same timeline, same bytes.
#ifndef RESULTS_REPORT_TRACE_EVENTS_H
#define RESULTS_REPORT_TRACE_EVENTS_H

#include <stdio.h>

#include "results/meta.h"
#include "results/timeline.h"

// Names of services and groups are of *meta.
void trace_events_print(FILE *file, const struct timeline *timeline, const struct meta *meta);

#endif
