// SPDX-License-Identifier: Apache-2.0
// study_sections: the format of a study as a list of tables.
//
// For `recfleet schema` and the reference pages: every part of a study in the order of a file, with
// the table that its reader uses, so that the listing cannot differ from what is read. Parts that
// depend on a choice (the keys of one arrival process) say when they hold.
#ifndef STUDY_STUDY_SECTIONS_H
#define STUDY_STUDY_SECTIONS_H

#include <stddef.h>

#include "base/schema.h"

// One part; help and fields are constant and borrowed.
struct study_section {
    char path[64];              // "traffic[].arrivals"; "" the top of the file
    char when[64];              // "process: gamma"; "" always
    const char *help;           // one line
    const struct field *fields; // NULL: see help
};

// Stores at most `max` of them in `sections` (NULL when max is 0) and returns how many there are.
size_t study_sections(struct study_section *sections, size_t max);

#endif
