// SPDX-License-Identifier: Apache-2.0
// reader: from a map of a document to structs, by their field tables.
//
// Several structs may be filled from one map (a group of servers takes its own keys and any key of
// its platform). A key that nobody takes is an error with the nearest known key. A key may carry
// its unit instead of its value: "rate_qps: 9000" is read as "rate: 9000qps".
#ifndef STUDY_READER_H
#define STUDY_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"

// A struct and its table; where two tables have a key, the first takes it.
struct reader_part {
    const struct field *fields;
    void *config;
};

// What the caller wants of reader_fill().
struct reader_options {
    const char *const *others; // keys the caller reads itself, NULL-terminated; NULL: none
    bool partial;              // keys without a default may be absent: they are already set
};

// Fills the structs from `map` (NULL: as if empty, errors then stand at `parent`). Does not set
// defaults. On error some members may have been set; the caller releases the struct. In a document
// that collects its mistakes (mistakes.h) all keys are read, and the mistakes are put aside.
int reader_fill(const struct node *map, const struct node *parent, const struct reader_part *parts,
                size_t n_parts, const struct reader_options *options, struct err *err);

// `key` of `map` if it is a map resp. a list; *out NULL when absent or null. Another kind is an
// error.
int reader_map(const struct node *map, const char *key, const struct node **out, struct err *err);
int reader_list(const struct node *map, const char *key, const struct node **out, struct err *err);
// The text of a scalar that is more than blanks, NULL and an error otherwise. `expected` goes into
// the message.
const char *reader_text(const struct node *node, const char *expected, struct err *err);
// The index of the text of `node` in names[0 .. n), -1 and an error with a suggestion otherwise.
int reader_choose(const struct node *node, const char *what, const char *const *names, size_t n,
                  struct err *err);

// A list of names, or a single one, is kept as one text, "static, fixed": of what it may hold.
struct reader_names {
    const char *key, *what;   // "policies", "tuning policy"
    const char *one, *many;   // "policy", "policies", for messages
    const char *const *known; // NULL-terminated
};
// Replaces *text (owned) by the names under the key, in their order, none twice and at least one;
// leaves it alone where the key is absent.
int reader_fill_names(const struct node *map, const struct reader_names *names, char **text,
                      struct err *err);
// The i-th name of such a text in buf; false when there are no more.
bool reader_name(const char *text, size_t i, char *buf, size_t size);

// err holds "key: text" from a module that knows keys but no documents ("accelerator: streams:
// ..."): puts the key's position in `map` and its whole path in front. Returns -1.
int reader_prefix(const struct node *map, struct err *err);

#endif
