// SPDX-License-Identifier: Apache-2.0
// dataset_page: a kind of results file for readers without our code, as a page.
//
// Prints what a layout (dataset.h) says of its files as Markdown: attributes, dimensions, and for
// every group its variables with type, dimensions, unit and meaning. docs/file-format.md is made of
// it, so the page and the files cannot differ.
//
//     dataset_page_print(&run_layout, stdout);
#ifndef RESULTS_FILE_DATASET_PAGE_H
#define RESULTS_FILE_DATASET_PAGE_H

#include <stdio.h>

#include "results/file/dataset.h"

// The section of a kind, from its heading on.
void dataset_page_print(const struct dataset_layout *layout, FILE *out);
// A table of fields that are attributes, as are those of "/run".
void dataset_page_attributes(const struct data_field *fields, FILE *out);

#endif
