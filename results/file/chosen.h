// SPDX-License-Identifier: Apache-2.0
// chosen: which settings a search chose, as columns of a results file and of a table.
//
// What a search varies is known to the scheduler alone, by its axes (base/settings.h). A row of
// results has room for the values of a few of them, uint64_t settings[CHOSEN_MOST]; the struct
// chosen beside the rows says which they are, with their names, units and words from the
// scheduler's own table of fields. So a file or a table takes a scheduler with another key as it
// is. Where rows are of several schedulers the columns are those of all, and a setting that a row's
// scheduler does not have is 0, as one that is not used.
//
//     struct chosen chosen = {0};
//     chosen_add(&chosen, type->axes, type->fields, &err);
//     chosen_values(&chosen, &choice, row.settings);    // row.settings[0] is its batch_items
//     // in the layout of the file, for a view of the rows' member `settings`:
//     //     .own_fields = offsetof(struct answer, chosen.fields)
#ifndef RESULTS_FILE_CHOSEN_H
#define RESULTS_FILE_CHOSEN_H

#include <stdint.h>

#include "base/err.h"
#include "base/settings.h"
#include "results/data_field.h"

// Of all schedulers of a study together.
enum { CHOSEN_MOST = SETTINGS_AXES };

// Starts as {0}: no columns.
struct chosen {
    uint32_t n;
    const struct settings_axis *axes[CHOSEN_MOST]; // borrowed
    struct data_field fields[CHOSEN_MOST + 1];     // of a row's uint64_t[]; ends with name NULL
};

// Adds what is not there yet of the axes (ended by a key of NULL), whose settings `fields`
// describe. Both are borrowed as long as `chosen` is used. -1: they are more than CHOSEN_MOST; as
// many as there is room for are added.
int chosen_add(struct chosen *chosen, const struct settings_axis *axes, const struct field *fields,
               struct err *err);
// The values of these settings, column by column.
void chosen_values(const struct chosen *chosen, const struct settings *settings,
                   uint64_t values[CHOSEN_MOST]);

#endif
