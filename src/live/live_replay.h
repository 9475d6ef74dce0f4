// SPDX-License-Identifier: Apache-2.0
// live_replay: the queue of a run once more, with the service times that the run had.
//
// The i-th request that begins takes as long as the i-th one took for real; what else there is, is
// computed: which queries wait, who takes them and when, by the code that the server and the
// simulator share. Where queries are merged, what waits at a moment may differ a little, and with
// it the items of a request: its time is then scaled as the study's times say. So how far its
// latencies are from the measured ones is the error of the queueing alone, and what the simulation
// is further off is that of its service times.
//
// Between the moment when a request could begin and when it did something passes on a real machine:
// the lock, the worker's waking, what the system does. With `gaps` that is taken from the run as
// well; without, requests begin when they can.
//
// A fleet's servers are taken one by one, each with the queries that were sent to it.
#ifndef LIVE_LIVE_REPLAY_H
#define LIVE_LIVE_REPLAY_H

#include <stdbool.h>

#include "live/live_log.h"

// A log of the same plan with the same arrivals, as far as they were taken in. Caller
// live_log_destroy()s.
struct live_log *live_replay(const struct live_log *measured, bool gaps);

#endif
