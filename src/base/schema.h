// SPDX-License-Identifier: Apache-2.0
// schema: one table row per setting.
//
// A configuration struct owns a table of `struct field`, one row per key, next to the module that
// the struct belongs to. The parser, `recfleet schema`, the man page and the resolved study in the
// results file all come from these rows, so a key has its type, unit, range, default and help in
// exactly one place.
//
//     struct pool_config { int64_t n_cores; int64_t warm_ns; };
//     const struct field pool_fields[] = {
//         FIELD(pool_config, "cores", FIELD_INT, UNIT_NONE, n_cores, 1, 1024, "40", "CPU cores"),
//         FIELD(pool_config, "warm", FIELD_TIME, UNIT_TIME, warm_ns, 0, 3.6e12, "0", "..."),
//         FIELD_END};
//
// Invariants: values are finite and inside [min, max] after schema_defaults() and schema_parse();
// numbers are stored in SI (time: int64_t nanoseconds); strings and lists are owned by the struct
// and released by schema_release(). min and max are in the stored unit (ns for times).
#ifndef BASE_SCHEMA_H
#define BASE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/units.h"

// What the member at `offset` is, in C.
enum field_type {
    FIELD_BOOL,   // bool
    FIELD_INT,    // int64_t
    FIELD_UINT,   // uint64_t
    FIELD_REAL,   // double, in the SI unit of `unit`
    FIELD_TIME,   // int64_t nanoseconds; written "25ms"
    FIELD_STRING, // char *, owned
    FIELD_CHOICE, // int, the index into `choices`
    FIELD_REALS,  // struct reals, owned: a list of doubles in the SI unit of `unit`
};

struct reals {
    size_t n;
    double *v;
};

struct field {
    const char *key;
    enum field_type type;
    enum unit unit;
    size_t offset;
    double min, max;            // inclusive, stored unit; ignored for strings and choices
    const char *dflt;           // as a user would write it; NULL: the key is required
    const char *const *choices; // FIELD_CHOICE: NULL-terminated names
    const char *help;           // one line
};

#define FIELD(strct, key, type, unit, member, min, max, dflt, help)                                \
    {                                                                                              \
        key, type, unit, offsetof(struct strct, member), min, max, dflt, NULL, help                \
    }
#define FIELD_CHOICES(strct, key, member, names, dflt, help)                                       \
    {                                                                                              \
        key, FIELD_CHOICE, UNIT_NONE, offsetof(struct strct, member), 0, 0, dflt, names, help      \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        NULL, FIELD_BOOL, UNIT_NONE, 0, 0, 0, NULL, NULL, NULL                                     \
    }

// The row with that key, or NULL.
const struct field *schema_find(const struct field *fields, const char *key);

// The key or name nearest to `word` in edit distance, NULL when none is near enough to suggest.
const char *schema_nearest(const char *word, const char *const *names, size_t n);

// Fills the member of `field` in *config from the text a user wrote. On error the text says what
// was expected and what was found, without the key (the caller knows the path); *config unchanged.
// A string or list that was there is released, so *config must have been zeroed once. For a list
// the text is "[0.5, 1]" or "0.5, 1".
int schema_parse(const struct field *field, const char *text, void *config, struct err *err);
// A list (FIELD_REALS) element by element: texts[0 .. n).
int schema_parse_list(const struct field *field, const char *const *texts, size_t n, void *config,
                      struct err *err);

// Sets every member that has a default. Members without one are left alone.
void schema_defaults(const struct field *fields, void *config);

// The value of the member as a user would write it ("25ms", "12000qps"); caller mem_free()s.
char *schema_format(const struct field *field, const void *config);

// What a value must look like, its range included, for messages and the schema listing.
void schema_expected(const struct field *field, char *buf, size_t size);

// After `*to = *from`: gives *to strings and lists of its own.
void schema_copy(const struct field *fields, void *to, const void *from);

// Releases the strings and lists of *config and sets them to NULL / empty.
void schema_release(const struct field *fields, void *config);

#endif
