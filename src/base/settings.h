// SPDX-License-Identifier: Apache-2.0
// settings: the values of a small settings struct, for those who need not know which struct it is.
//
// A server's scheduler has its own settings, described by its own table of fields (schema.h). What
// stands between it and the study (a search that varies them, a file that keeps them, a table that
// prints them) carries a `struct settings`: the values, and the table that names them. Whoever owns
// the struct reads it as what it is, all others by key.
//
//     struct split { int64_t batch_items, offload_items; };
//     struct settings s = settings_of(split_fields, &(struct split){64, 0});
//     settings_set_number(&s, "batch_items", 32);
//     const struct split *split = settings_values(&s);     // batch_items is 32
//     char *text = settings_format(&s);                    // "batch_items: 32, offload_items: 0"
//
// It is a plain value: assignment copies it, nothing is to be released. So its fields are numbers,
// switches and choices, no strings or lists, and the struct takes at most SETTINGS_BYTES. Fields of
// one table, all in the same program, are told apart by address: two settings can be equal only
// where they have the same table. Numbers are in the stored unit of the field.
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "base/schema.h"

enum { SETTINGS_BYTES = 64 };
// The most settings that a search can vary: each is an int64_t.
enum { SETTINGS_AXES = SETTINGS_BYTES / 8 };

// How a search walks along a setting: by factors from 1 (what grows by doubling), in even steps
// from 1, with 0 for "not used", or by halves from the most downward, with 0 as well (what is best
// without a bound, were it not for a target).
enum settings_walk { SETTINGS_FACTORS, SETTINGS_STEPS, SETTINGS_HALVES };
// Items begin at as many of the largest query by halves, else at one; a time begins at the target.
enum { SETTINGS_LARGEST = 64 };

// A setting that searches vary. Whoever owns a table of fields lists its axes in the order in which
// they are to be climbed; the list ends with a key of NULL.
struct settings_axis {
    const char *key; // of a whole number in the table
    enum settings_walk walk;
    bool needs_accelerator; // 0 where there is none
    const char *symbol;     // short for tables: "B"
};

// Starts as {0}: no settings at all.
struct settings {
    const struct field *fields;         // ends with FIELD_END; NULL: none
    int64_t values[SETTINGS_BYTES / 8]; // the struct that `fields` describe
};

// The values of the struct at `values`; NULL: the defaults, and 0 where there is none.
struct settings settings_of(const struct field *fields, const void *values);
// The struct, for its owner. Valid as long as *settings is, and seen to change with it.
const void *settings_values(const struct settings *settings);

size_t settings_n(const struct settings *settings); // fields
// The field of that key, NULL without one.
const struct field *settings_field(const struct settings *settings, const char *key);

// One value as a number: a switch is 0 or 1, a choice its index. The key must be there. Whole
// numbers beyond 2^53 are for settings_whole(), which cuts what is not whole.
double settings_number(const struct settings *settings, const char *key);
int64_t settings_whole(const struct settings *settings, const char *key);
// Sets it, unchecked but for what a search has to know: false, and nothing changed, where the field
// does not allow it. Fractions are rounded where only whole numbers are possible.
bool settings_set_number(struct settings *settings, const char *key, double value);

// One value as a user writes it. Returns -1 for a key that is not there (with a suggestion) or a
// value that the field refuses; nothing has changed then.
int settings_set(struct settings *settings, const char *key, const char *text, struct err *err);
// Caller mem_free()s; the key must be there.
char *settings_get(const struct settings *settings, const char *key);

// All values on one line, "key: value, key: value", and back: keys that are left out keep what they
// have in *settings. "" without fields. Caller mem_free()s.
char *settings_format(const struct settings *settings);
int settings_parse(struct settings *settings, const char *text, struct err *err);

// By value, field by field; of different tables: not equal.
bool settings_equal(const struct settings *a, const struct settings *b);
// < 0, 0, > 0: order by the first field that differs. Both of one table.
int settings_compare(const struct settings *a, const struct settings *b);

// The values as bytes, for a process or a file that knows the table.
void settings_save(const struct settings *settings, struct blob *blob);
struct settings settings_load(const struct field *fields, struct blob_reader *reader);

#endif
