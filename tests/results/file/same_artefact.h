// SPDX-License-Identifier: Apache-2.0
// same_artefact: two artefacts of one layout compared, and a layout held against its own rules.
#ifndef TESTS_RESULTS_FILE_SAME_ARTEFACT_H
#define TESTS_RESULTS_FILE_SAME_ARTEFACT_H

#include "results/file/dataset.h"

// Asserts that all that a file keeps of them is equal to the last bit: lengths, names, head and
// rows. A NULL text is "". Arrays that a reader leaves out (DATASET_UNREAD) are left out.
void same_artefact(const struct dataset_layout *layout, const void *a, const void *b);

// Asserts that the layout can be written: every dimension it names is one, no name stands twice in
// a group, texts are there, members of a row do not overlap. `bytes_left`: of each row, how many
// bytes may be named by no field (padding, what is not kept).
void same_artefact_layout(const struct dataset_layout *layout, size_t bytes_left);

#endif
