// SPDX-License-Identifier: Apache-2.0
// study_variants: keys of a study whose value selects among descriptors.
//
// An arrival process, a size distribution, a kind of cost and a balancer policy are each chosen by
// name, and the choice decides which keys may stand beside it. This module shows the four families
// in one shape, so that reading, printing and listing them is one piece of code each; a new member
// of a family appears here by itself. A selector may stand alone: "arrivals: poisson" is short for
// "arrivals: {process: poisson}".
//
//     const struct study_variants costs = study_variants_costs();
//     config.kind = study_variants_index(&costs, "roofline");
//     if (study_variants_read(map, "cost", "kind", &costs, others, &config, &config.kind, err) < 0)
//         return -1;
#ifndef STUDY_STUDY_VARIANTS_H
#define STUDY_STUDY_VARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"

#define STUDY_MAX_VARIANTS 32

// One family; everything in it is borrowed from descriptors that are constant.
struct study_variants {
    const char *what; // "arrival process", for messages
    size_t n;
    const char *names[STUDY_MAX_VARIANTS + 1]; // NULL-terminated
    const char *helps[STUDY_MAX_VARIANTS];
    const struct field *fields[STUDY_MAX_VARIANTS]; // keys beside the selecting one
};

// The families, in the order of arrival_types, size_types, cost_types, policy_types and
// sched_types.
struct study_variants study_variants_arrivals(void);
struct study_variants study_variants_sizes(void);
struct study_variants study_variants_costs(void);
struct study_variants study_variants_policies(void);
struct study_variants study_variants_schedulers(void); // listed, not read by study_variants_read()

// The place of `name`, which must be one of the family's.
int64_t study_variants_index(const struct study_variants *variants, const char *name);

// What `key` of `map` holds: a map (*out, and *selector the value of its type_key), a lone scalar
// (*selector, *out NULL) or nothing (both NULL). Anything else is an error. All are borrowed.
int study_variants_map(const struct node *map, const char *key, const struct node **out,
                       const struct node **selector, const char *type_key, struct err *err);

// The variant that type_key names under `key` of `map`, into *index; left alone where it names
// none. *out: the map there, NULL without one.
int study_variants_choose(const struct node *map, const char *key, const char *type_key,
                          const struct study_variants *variants, const struct node **out,
                          int64_t *index, struct err *err);

// Fills `config` from `key` of `map`: the variant that type_key names there, else the one that
// *index holds on entry; its defaults first, then the keys. `others` are keys that the caller reads
// itself, type_key among them. *index says which variant it is, also when its keys are wrong.
int study_variants_read(const struct node *map, const char *key, const char *type_key,
                        const struct study_variants *variants, const char *const *others,
                        void *config, int64_t *index, struct err *err);

#endif
