// SPDX-License-Identifier: Apache-2.0
// live_trace: what arrived, and what became of it, for people, other programs and replays.
//
// As a table, a line for each query that arrived:
//
//     arrive_s,size_items,service,fate,begin_s,end_s,wait_s,latency_s,n_requests,n_batch,worker,server
//
// with times to the nanosecond, so that `arrivals: {process: replay, file: ..., start: zero}` (and
// filter_column: service, where there are several) brings the very same queries. And as traces in
// memory, for a simulation of them at once.
#ifndef LIVE_LIVE_TRACE_H
#define LIVE_LIVE_TRACE_H

#include "base/err.h"
#include "live/live_log.h"
#include "results/file/durable.h"
#include "traces/trace.h"

// A whole file at path or none; `mode` says what becomes of one that is there.
int live_trace_write(const char *path, enum durable_mode mode, const struct live_log *log,
                     struct err *err);

// What arrived of a service, refused or not; NULL: nothing. Caller trace_destroy()s.
struct trace *live_trace_of(const struct live_log *log, uint32_t service);

#endif
