// SPDX-License-Identifier: Apache-2.0
// round_trip: a study written out reads back to the same, for the tests of its sections.
#ifndef TESTS_STUDY_ROUND_TRIP_H
#define TESTS_STUDY_ROUND_TRIP_H

#include "study/study.h"

// The study as text, after asserting that this reads back and is then written as the same text.
// Destroys the study; caller mem_free()s the text.
char *round_trip_text(struct study *study, const struct library *library);

#endif
