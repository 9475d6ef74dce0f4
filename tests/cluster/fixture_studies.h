// SPDX-License-Identifier: Apache-2.0
// fixture_studies: fleets that between them use every policy, cost and path; each runs for 8 ms.
#ifndef CLUSTER_FIXTURE_STUDIES_H
#define CLUSTER_FIXTURE_STUDIES_H

#include "base/simtime.h"
#include "cluster/fixture.h"

// Of their records: fixture_record().
#define FIXTURE_STUDY_BINS 4
#define FIXTURE_STUDY_WARMUP_NS (2 * SIMTIME_MS)

// Each fills a fixture that fixture_ready() is then called for. Ends with NULL.
extern void (*const fixture_studies[])(struct fixture *);

// Some of them, by name: one service and group in one cell; two of each in three cells; noise,
// contention, cold cores, periodic reports.
void fixture_random_plain(struct fixture *f);
void fixture_two_choices_accelerator(struct fixture *f);
void fixture_shortest_queue_noise(struct fixture *f);

#endif
