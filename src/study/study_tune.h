// SPDX-License-Identifier: Apache-2.0
// study_tune: the `tune` section, what `recfleet tune` searches and how hard.
//
//     tune:
//       policies: [static, deeprecsched, exhaustive]
//       p99_bound: 2            # p99 within twice the target, too
//       accuracy: 1%
//
// A study without the section has its defaults. Whether there is something to tune for (a latency
// target, an accelerator for the thresholds) is asked by study_tune_check() alone, so that a study
// may be run without it.
#ifndef STUDY_STUDY_TUNE_H
#define STUDY_STUDY_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"
#include "traces/qsize.h"

struct study;

struct study_tune {
    char *policies;             // names, "static, deeprecsched"; as a YAML list of names
    char *service, *group;      // whose settings are tuned; "": of all
    double p99_bound;           // times the target; 0: none
    double accuracy_frac;       // of the rate
    int64_t queries;            // of the first run at a point
    int64_t max_queries;        // of the longest
    bool confirm;               // on a fresh seed, at the rate and 5 % above
    struct reals batch_items;   // exhaustive, of the axis of that name (sched.h): values to try,
    struct reals offload_items; // whole, ascending; empty: built in
    struct reals accel_items;
    bool has_sizes; // tune on these sizes, then measure on the service's own
    struct size_config sizes;
    struct qsize *sizes_table; // of `sizes`; NULL without, or where its file was not opened
};

// Fills study->tune from the map `tune` of the study's root. Needs the services and the groups. On
// error the study holds what was read so far and is to be released.
int study_tune_read(struct study *study, const struct node *root, bool open_files, struct err *err);
// Releases study->tune.
void study_tune_release(struct study *study);

// Late queries of a run that can show that the target is met: none late and half-widths of
// independent queries are below it from 1.96^2 late on.
#define STUDY_TUNE_SOME_LATE 4
// The part of a run that is measured: the rest is its warm-up (runs/probe.c).
#define STUDY_TUNE_MEASURED_FRAC 0.9

// Queries of a run that can decide at all: enough of every service with a target for some to be
// late, and with p99_bound for its p99 to have an interval.
double study_tune_least_queries(const struct study *study);

// Can it be tuned? Every tuned service needs a latency target, thresholds to try (offload_items)
// need an accelerator in some tuned group, what `exhaustive` tries must not be beyond the largest
// query, and max_queries not below study_tune_least_queries(). The files must have been opened.
int study_tune_check(const struct study *study, struct err *err);

// Is service s (group g) one of those whose settings are tuned?
bool study_tune_has_service(const struct study *study, size_t s);
bool study_tune_has_group(const struct study *study, size_t g);
// The values to try of an axis of a scheduler (cluster/sched.h); NULL: there is no such key.
const struct reals *study_tune_grid(const struct study_tune *tune, const char *key);
// The i-th policy's name in buf (at least 32 bytes); false when there are no more.
bool study_tune_policy(const struct study_tune *tune, size_t i, char *buf, size_t size);

// Table of struct study_tune, and the names that `policies` may hold, NULL-terminated.
extern const struct field study_tune_fields[];
extern const char *const study_tune_policy_names[];

#endif
