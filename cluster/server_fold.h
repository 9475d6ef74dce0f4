// SPDX-License-Identifier: Apache-2.0
// server_fold: what a server did inside a time bin, into the record.
//
// At the end of every bin each server is folded: core-time used inside the bin is what was assigned
// in it, plus what the bin before carried over, minus what reaches beyond the bin's end (the
// scheduler says both, sched.h), and energy is the power curve at the mean utilisation. Only while
// it is powered a server draws its idle power.
#ifndef CLUSTER_SERVER_FOLD_H
#define CLUSTER_SERVER_FOLD_H

#include <stdint.h>

#include "cluster/sched.h"
#include "models/platform.h"
#include "results/record.h"

// One server, powered for on_ns of the bin, into its group's tally and its own total (NULL: the bin
// does not count for it).
void server_fold_add(const struct platform *platform, const struct sched_usage *usage,
                     int64_t on_ns, struct group_tally *tally, struct server_total *total);

#endif
