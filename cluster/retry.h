// SPDX-License-Identifier: Apache-2.0
// retry: what becomes of a query that a server has lost.
//
// The balancer that sent it hears of the loss and applies the study's rules: it sends the query
// again while attempts are left, at
//
//     max(arrival + 1 ns, time of loss + status_delay + retry_delay)
//
// rounded up to whole us since the query first arrived. A query that is not sent again is counted:
// as pending when it was lost, or would be tried again, after the end of the run, else as lost;
// with the path of its last attempt, in the bin of its first arrival.
#ifndef CLUSTER_RETRY_H
#define CLUSTER_RETRY_H

#include <stdbool.h>

#include "cluster/completions.h"
#include "cluster/config.h"
#include "results/record.h"

// True: *next is the attempt to come (arrive_ns, delay_us, seq). False: there is none, and the
// query is counted in *record as one that took `path`.
bool retry_next(const struct fleet_config *fleet, const struct loss *loss, enum record_path path,
                struct record *record, struct query *next);

#endif
