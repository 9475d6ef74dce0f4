// SPDX-License-Identifier: Apache-2.0
// profile_crew: threads on cores of their own that run a model, a short visit at a time.
//
// Each may lead a team (live/team.h) that computes its requests over several cores; what is said of
// a thread is then said of its team. Members of a team at rest do what their leader does.
//
// A visit is one kind of work for a few tens of milliseconds, on so many of the threads:
//
//     PROFILE_ALONE   requests of one size, one after the other
//     PROFILE_MIX     the requests of a stream of queries, each cut at `items`, one after the other
//     PROFILE_COLD    a rest, then a few requests of one size; again and again
//
// Before it measures, a thread runs requests that do not count, so that no visit is about what was
// there before; when it has measured, it runs on until the last of them has, so that as many cores
// are busy all the time. At least one request is measured.
//
// What a thread found is a list of samples. A request's time is wall time from before to after. It
// was interrupted where the thread's own clock lags behind that by more than a fiftieth: something
// else had the core. Of a visit in which fewer than half of a thread's requests were, these are
// left out: their caches were lost as well. Else nothing is left out, which would keep the short
// ones alone, and an interrupted request's time is what its thread ran.
//
// Threads begin when the crew is made and end with it. Where the system does not let a thread stay
// on its core it runs wherever it may, and profile_crew_pinned() is false.
#ifndef LIVE_PROFILE_CREW_H
#define LIVE_PROFILE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "live/interference.h"
#include "native/engine.h"
#include "traces/qsize.h"

enum profile_kind { PROFILE_ALONE, PROFILE_MIX, PROFILE_COLD };

struct profile_visit {
    enum profile_kind kind;
    uint32_t n_busy;          // threads at work, 1 .. n_threads
    uint32_t first;           // the first of them; the others follow it, round to 0
    uint32_t items;           // of every request; of a mix, at most
    uint32_t history_items;   // likewise; of a mix, those of its queries
    double warm_s, measure_s; // at least, without what is taken of it; of COLD, with the rests
    double idle_s;            // COLD: the rest
    bool sleeps;              // COLD: it sleeps meanwhile; else it looks at the clock
    uint32_t n_after;         // COLD: requests after a rest, 1 .. 255
};

struct profile_sample {
    float time_s;
    uint32_t items;
    uint16_t history_items;
    uint8_t place; // COLD: 0 right after the rest, 1 the next ..
    bool taken;    // it was interrupted, and that time is taken out
};

// Not of COLD: from before the first request until after the last, and what of it was taken, of
// requests or between them, and is in no sample.
struct profile_time {
    double measured_s, untimed_s;
};

struct profile_crew_config {
    const struct engine *engine; // borrowed until profile_crew_destroy()
    const int *cpus; // [n_threads * cores_per_worker] as topology_pin() takes them; copied
    uint32_t n_threads;
    uint32_t cores_per_worker; // in each thread's team
    struct engine_limits most;
    const struct qsize *sizes;     // of the mix; borrowed
    const struct qsize *histories; // likewise; NULL: none
    uint64_t seed;
};

struct profile_crew;

// NULL where a thread or its worker cannot be had.
struct profile_crew *profile_crew_create(const struct profile_crew_config *config, struct err *err);
void profile_crew_destroy(struct profile_crew *crew); // NULL: no effect

// Returns when every thread has ended its part.
void profile_crew_visit(struct profile_crew *crew, const struct profile_visit *visit);

// Of the last visit, the i-th thread at work, 0 .. n_busy - 1: its samples in order, borrowed until
// the next; how many were left out; its time; what was taken of that, of all threads of its team;
// the rest that it really had, on average (it wakes a little late).
const struct profile_sample *profile_crew_samples(const struct profile_crew *crew, uint32_t i,
                                                  size_t *n);
size_t profile_crew_left_out(const struct profile_crew *crew, uint32_t i);
struct profile_time profile_crew_time(const struct profile_crew *crew, uint32_t i);
const struct interference *profile_crew_interference(const struct profile_crew *crew, uint32_t i);
double profile_crew_idle_s(const struct profile_crew *crew, uint32_t i);

// Requests that the engine could not run, of all visits so far: times that say nothing.
uint64_t profile_crew_failed(const struct profile_crew *crew);

// Does every thread stay on its core? Else *why (owned by the crew) says what the system said.
bool profile_crew_pinned(const struct profile_crew *crew, const char **why);

#endif
