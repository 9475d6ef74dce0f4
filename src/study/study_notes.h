// SPDX-License-Identifier: Apache-2.0
// study_notes: what the inputs of a study hold that its author may not know.
//
// Nothing of this is a mistake: a trace or a distribution with sizes above the limit, a clock that
// is coarse, a curve whose mean is not the rate or that repeats its first point, may be meant. But
// each changes the answer, so each is told: as a warning where it changes it by much.
#ifndef STUDY_STUDY_NOTES_H
#define STUDY_STUDY_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "study/study.h"
#include "traces/trace.h"

// Takes one note: a sentence without a line end, valid during the call.
typedef void (*study_note_fn)(void *user, bool is_warning, const char *text);

// Of accelerators that are too small for a plan (study_memory.h), then of slow servers that are
// none and of states that last too long for the run, of every service, in order, and of what a
// search is to try. `searched`: settings that the study does not have will be tried, too.
void study_notes(const struct study *study, bool searched, study_note_fn note, void *user);

// Of a trace alone; `who` stands in front. max_items is the limit that it was read by.
void study_notes_trace(const char *who, const struct trace *trace, int64_t max_items,
                       study_note_fn note, void *user);

#endif
