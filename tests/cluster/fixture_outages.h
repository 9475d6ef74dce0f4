// SPDX-License-Identifier: Apache-2.0
// fixture_outages: fleets whose servers crash, drain and are switched off, under every policy.
//
// Between them they have crashes at random and by a list, of servers and of whole cells; drains of
// both; schedules; retries or none, failover or none, all cells out at once; detection at once and
// late. Times of outages are shares of the run, so a long run has as many of them as a short one.
#ifndef CLUSTER_FIXTURE_OUTAGES_H
#define CLUSTER_FIXTURE_OUTAGES_H

#include <stdint.h>

#include "cluster/fixture.h"

// Of their records: fixture_record(). The warm-up is a fraction of the run, too.
#define FIXTURE_OUTAGE_BINS 4

// Each fills a fixture of that duration that fixture_ready() is then called for. Ends with NULL.
extern void (*const fixture_outages[])(struct fixture *, int64_t duration_ns);

// One of them by name: three cells, of which two are out at times, retries and failover.
void fixture_outage_cells(struct fixture *f, int64_t duration_ns);

#endif
