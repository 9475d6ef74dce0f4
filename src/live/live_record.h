// SPDX-License-Identifier: Apache-2.0
// live_record: a log as a record (results/record.h), the same as a simulation fills.
//
// So what was measured is summed up, kept, shown and compared by the code that does it for runs.
// Refused queries and those that a worker failed with are lost, what had not ended when the server
// was left is pending. Cores are busy while a request runs; what had arrived and not ended at the
// end of a time bin is backlog. Watts are not measured: they are those of the platform's curve at
// the measured utilisation.
#ifndef LIVE_LIVE_RECORD_H
#define LIVE_LIVE_RECORD_H

#include "live/live_log.h"
#include "results/record.h"

// Adds the queries of the log that arrived before the end of the record's shape to a record of one
// group, of the plan's servers.
void live_record_fill(const struct live_log *log, struct record *record);

#endif
