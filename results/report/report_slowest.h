// SPDX-License-Identifier: Apache-2.0
// report_slowest: the slowest queries of a run, one by one: when each arrived, where it was served,
// and where its time went.
//
//     latency = network + wait + service
//
// as in the sums of a run (cluster/server_record.h): wait and service are those of the request that
// ended last, and the network is all the rest, of a query that was tried again also the attempts
// that were lost.
#ifndef RESULTS_REPORT_REPORT_SLOWEST_H
#define RESULTS_REPORT_REPORT_SLOWEST_H

#include "results/file/run_rows.h"
#include "results/meta.h"
#include "results/report/report_out.h"

// Rows that people are shown; programs get them all.
#define REPORT_SLOWEST_ROWS 10u

// Nothing where the file has none.
void report_slowest_print(struct report_out *out, const struct meta *meta,
                          const struct run_slowest *slowest);

#endif
