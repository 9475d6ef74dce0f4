// SPDX-License-Identifier: Apache-2.0
// idset: some of the points of a sweep, as a person or Slurm writes them: "0-2,7".
//
// The text is what `sbatch --array` takes: numbers and ranges with commas between them. A set is an
// array of flags, one per point.
//
//     bool *chosen = mem_calloc(n, sizeof *chosen);
//     if (idset_parse("0-2,7", chosen, n, &err) == 0)
//         idset_print(stdout, chosen, n);
#ifndef JOBS_IDSET_H
#define JOBS_IDSET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// Sets the flags of the points that `text` names, which must be below n; the others stay as they
// are. On error, which says what was expected, no flag has changed.
int idset_parse(const char *text, bool *chosen, uint32_t n, struct err *err);

// Sets the flags of every n_parts-th point from `part` on. `text` is "PART/N_PARTS", counted from
// 0 as a Slurm array does: "2/8" are the points 2, 10, 18, ...
int idset_parse_share(const char *text, bool *chosen, uint32_t n, struct err *err);

uint32_t idset_count(const bool *chosen, uint32_t n);

// The shortest text for the set; nothing for an empty one.
void idset_print(FILE *out, const bool *chosen, uint32_t n);

#endif
