// SPDX-License-Identifier: Apache-2.0
// study_idle: keys that a study gives and that have no effect in it.
//
// A key may depend on another: the delay of a retry on retries, the objective of a plan on a search
// for one. It is no mistake to give it all the same, as a sweep may vary the other, but the author
// should know. A history that no cost depends on is such a key, too. What was given is told by its
// value: a key with its default is never idle. Which key has an effect where is one table.
//
//     struct err idle = {0};
//     for (size_t i = 0; study_idle_next(study, &i, &idle);) puts(idle.text);
#ifndef STUDY_STUDY_IDLE_H
#define STUDY_STUDY_IDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct study;

// The next idle key from *i, which the caller sets to 0: true with "capacity.objective: no effect;
// only with find: plan" in *err; false when there are no more.
bool study_idle_next(const struct study *study, size_t *i, struct err *err);

#endif
