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

#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "cluster/config.h"
#include "study/doc.h"

struct study;

// One entry of `events`, as written: either a cell or a server of a group.
struct study_event {
    int64_t at_ns, for_ns;
    int kind;             // enum outage_kind
    int64_t cell, server; // -1: not given
    char *group;          // owned; "": the only one
};

// The entry that an event comes from; its group is a literal or the study's. Not to be released.
struct study_event study_failures_event(const struct study *study,
                                        const struct outage_event *event);

// As study_tune_read() and its like. Needs the groups and the balancer.
int study_failures_read(struct study *study, const struct node *root, struct err *err);
void study_failures_release(struct study *study);

// Tables of struct outage_config and of struct study_event. Cell and server have no default to be
// set: the word there is for the listing.
extern const struct field study_failures_fields[], study_event_fields[];

#endif
