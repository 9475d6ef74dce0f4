// SPDX-License-Identifier: Apache-2.0
// study_failures: the section `failures`, what goes out of service and what becomes of its queries.
//
//     failures:
//       mtbf: 30d                # every server, mean time up; 0: no crashes
//       mttr: 1h
//       detect_delay: 1s         # until the balancer acts on it
//       retries: 1               # of a lost query
//       retry_delay: 0
//       failover: true           # of a cell's traffic while the whole cell is out
//       events:
//         - {at: 10s, for: 20s, group: skylake, server: 3}
//         - {at: 30s, for: 5s, cell: 1, kind: drain}
//
// Fills study->outages (cluster/config.h), which the fleet's config holds a copy of.
#ifndef STUDY_STUDY_FAILURES_H
#define STUDY_STUDY_FAILURES_H

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"

struct study;

// As study_tune_read() and its like. Needs the groups and the balancer.
int study_failures_read(struct study *study, const struct node *root, struct err *err);
void study_failures_release(struct study *study);

// Tables of struct outage_config and of one entry of `events`.
extern const struct field study_failures_fields[], study_event_fields[];

#endif
