// SPDX-License-Identifier: Apache-2.0
// team: threads on cores of their own that compute a request together.
//
// One instance of a model over several cores. Who opens a team is its leader; the other members are
// threads that the team starts. Each member has a worker of every engine, opened on its own thread.
// A request is cut into as many slices of items as there are members, nearly equal ones that follow
// each other; the leader computes the first, and the results are in one array in the order of the
// items. A request of fewer items than members is computed by as many members as it has items. One
// failed slice fails the request.
//
// Members wait without a lock: for its next slice a member looks at a counter of its own, in a
// cache line that nobody else reads, and so does the leader for the end of a slice. Where a wait
// has lasted PATIENCE_NS, whoever spins lets others run between two looks, so that a team on fewer
// cores than members makes headway; with LIVE_CLOCK_SLEEP a member then sleeps until it is asked.
// The leader never sleeps here: slices end at about the same time.
//
// What something else takes from a member delays the request, so a team counts it: from the last
// look before the slice came until the slice was done, but not while the member slept.
//
//     struct team *team = team_open(&config, &err);            // on the leader's own thread
//     if (team && team_add(team, engine, &err) == 0)           // engine 0 from now on
//         results = team_run(team, 0, &request, &n_outputs);
//     team_close(team);
//
// A team belongs to its leader's thread. One member alone is the leader: then nothing is started,
// and team_run() is engine_worker_run().
#ifndef LIVE_TEAM_H
#define LIVE_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/interference.h"
#include "live/live_clock.h"
#include "native/engine.h"

struct team_config {
    const int *cpus;           // [n_members] as topology_pin() takes them, the leader's first;
                               // -1: any; copied
    uint32_t n_members;        // >= 1
    struct engine_limits most; // of a request
    enum live_clock_idle idle; // what members do that have waited long
};

struct team;

// Keeps the calling thread on its core, and starts the others. NULL: the system gives no thread.
struct team *team_open(const struct team_config *config, struct err *err);
void team_close(struct team *team); // NULL: no effect; on the leader's thread

// A worker of the engine for every member, each opened on its own thread; the engine is borrowed
// until team_close() and has the next number, from 0. After a failure only team_close() may follow.
int team_add(struct team *team, const struct engine *engine, struct err *err);

// As engine_worker_run(), by all members.
const float *team_run(struct team *team, uint32_t engine, const struct engine_request *request,
                      uint32_t *n_outputs);

// From now on members that have waited long do that.
void team_idle(struct team *team, enum live_clock_idle idle);

// Does every member stay on its core? Else *why (owned by the team) says what the system said, and
// is "" where one may be anywhere.
bool team_pinned(const struct team *team, const char **why);

// Of the last request: what the member, other than the leader, has lost that lost most.
double team_lost_s(const struct team *team);
// Adds what the members other than the leader had since it was asked last. NULL: forgets it.
void team_take_interference(struct team *team, struct interference *to);
// interference_steal_s() of the cores of all members together.
double team_steal_s(const struct team *team);

#endif
