// SPDX-License-Identifier: Apache-2.0
// data_field: one number (or text) of a struct, described once for all who write, read or show it.
//
// Whoever keeps results keeps them in rows of plain structs. A table of fields names the members of
// such a struct: what each is called in a file, its unit, what it is in words, its kind, its place.
// The writer and the reader of results files (results/file/dataset.h) and the printed tables all
// work from these tables, so a new number is a member and a line here.
//
//     #define ROW struct disk
//     const struct data_field disk_fields[] = {
//         DATA_NUMBER(power_w, "W", "mean power"),           // double power_w
//         DATA_ESTIMATE(wait_s, "s", "mean wait"),           // struct ci wait_s
//         DATA_COUNT(n_reads, "1", "reads"),                 // uint64_t n_reads
//         DATA_CODE(state, "is it up?", disk_states, 0),     // int32_t state
//         DATA_TEXT(maker, "who made it"),                   // char *maker
//         {0}};
//     #undef ROW
//
// Every macro fails to compile when the member is not of the type that its kind needs. The _AS
// forms give the name in the file where it differs from the member's.
//
// What "nothing is known" looks like: NaN for numbers and estimates, 0 for counts and times, "" for
// texts (NULL counts as ""), and for codes the value that the field itself names.
#ifndef RESULTS_DATA_FIELD_H
#define RESULTS_DATA_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "results/ci.h"

struct field;

enum data_kind {        // member     in the file
    DATA_KIND_NUMBER,   // double     double
    DATA_KIND_ESTIMATE, // struct ci  two doubles: NAME and NAME_half_95; the rest is not kept
    DATA_KIND_TIME,     // int64_t    double, seconds; the member has nanoseconds
    DATA_KIND_COUNT,    // uint64_t   the same
    DATA_KIND_COUNT32,  // uint32_t   the same
    DATA_KIND_INT,      // int32_t    the same
    DATA_KIND_BOOL,     // bool       int32 with the meanings "no yes"
    DATA_KIND_CODE,     // int32_t    int32 with the names' meanings; a reader refuses others
    DATA_KIND_TEXT,     // char *     string; owned by the row
    DATA_KIND_LABEL,    // uint32_t   string: the name at that index of the dimension `dim`
    DATA_KIND_INDEX     // uint32_t   int32, with those names as meanings: for very many rows
};

struct data_field {
    const char *name;      // in the file: "p95_s"; NULL ends a table
    const char *units;     // as udunits writes them: "s", "W", "s-1"; "1" without one
    const char *long_name; // in words, for people
    enum data_kind kind;
    size_t offset;            // of the member in its row
    const char *const *codes; // CODE: what 0, 1, ... mean; ends with NULL
    int32_t none;             // CODE: the value where nothing is known
    const char *dim;          // LABEL, INDEX: whose names it is an index of
};

// The offset of a member of ROW that must be of this type.
#define DATA_OFFSET(member, type) _Generic(((ROW *)0)->member, type : offsetof(ROW, member))
#define DATA_ROW_(name, member, type, units, text, kind, ...)                                      \
    {                                                                                              \
        name, units, text, kind, DATA_OFFSET(member, type), __VA_ARGS__                            \
    }

#define DATA_NUMBER_AS(name, member, units, text)                                                  \
    DATA_ROW_(name, member, double, units, text, DATA_KIND_NUMBER, NULL, 0, NULL)
#define DATA_NUMBER(member, units, text) DATA_NUMBER_AS(#member, member, units, text)
#define DATA_ESTIMATE_AS(name, member, units, text)                                                \
    DATA_ROW_(name, member, struct ci, units, text, DATA_KIND_ESTIMATE, NULL, 0, NULL)
#define DATA_ESTIMATE(member, units, text) DATA_ESTIMATE_AS(#member, member, units, text)
// "duration_s" of the member duration_ns.
#define DATA_TIME_AS(name, member, text)                                                           \
    DATA_ROW_(name, member, int64_t, "s", text, DATA_KIND_TIME, NULL, 0, NULL)
#define DATA_COUNT_AS(name, member, units, text)                                                   \
    DATA_ROW_(name, member, uint64_t, units, text, DATA_KIND_COUNT, NULL, 0, NULL)
#define DATA_COUNT(member, units, text) DATA_COUNT_AS(#member, member, units, text)
#define DATA_COUNT32_AS(name, member, units, text)                                                 \
    DATA_ROW_(name, member, uint32_t, units, text, DATA_KIND_COUNT32, NULL, 0, NULL)
#define DATA_COUNT32(member, units, text) DATA_COUNT32_AS(#member, member, units, text)
#define DATA_INT_AS(name, member, units, text)                                                     \
    DATA_ROW_(name, member, int32_t, units, text, DATA_KIND_INT, NULL, 0, NULL)
#define DATA_INT(member, units, text) DATA_INT_AS(#member, member, units, text)
#define DATA_BOOL_AS(name, member, text)                                                           \
    DATA_ROW_(name, member, bool, "1", text, DATA_KIND_BOOL, NULL, 0, NULL)
#define DATA_BOOL(member, text) DATA_BOOL_AS(#member, member, text)
#define DATA_CODE(member, text, codes, none)                                                       \
    DATA_ROW_(#member, member, int32_t, "1", text, DATA_KIND_CODE, codes, none, NULL)
// Of a text that is owned or borrowed.
#define DATA_TEXT_OFFSET_(member)                                                                  \
    _Generic(((ROW *)0)->member, char * : offsetof(ROW, member), const char * : offsetof(ROW, member))
#define DATA_TEXT_AS(name, member, text)                                                           \
    {                                                                                              \
        name, "1", text, DATA_KIND_TEXT, DATA_TEXT_OFFSET_(member), NULL, 0, NULL                  \
    }
#define DATA_TEXT(member, text) DATA_TEXT_AS(#member, member, text)
#define DATA_LABEL(member, dim, text)                                                              \
    DATA_ROW_(#member, member, uint32_t, "1", text, DATA_KIND_LABEL, NULL, 0, dim)
#define DATA_INDEX(member, dim, text)                                                              \
    DATA_ROW_(#member, member, uint32_t, "1", text, DATA_KIND_INDEX, NULL, 0, dim)
// Of a row that is nothing but this one value: the only field of its table.
#define DATA_ALONE(name, kind, units, text)                                                        \
    {                                                                                              \
        name, units, text, kind, 0, NULL, 0, NULL                                                  \
    }

// Of a setting (base/schema.h) that is kept in an int64_t at that offset, whatever its own type.
struct data_field data_field_of_setting(const struct field *setting, size_t offset);
// A unit of settings as udunits writes it: "s-1".
const char *data_field_units(enum unit unit);

// Bytes of the member.
size_t data_field_bytes(enum data_kind kind);
// How many names a list that ends with NULL has; 0 for NULL.
uint32_t data_field_n_codes(const char *const *codes);

// The field of that name in a table; NULL: there is none.
const struct data_field *data_field_find(const struct data_field *fields, const char *name);

// The number that a field of a row holds, whichever kind of number; only estimates have a
// half-width. The field must not be NULL, nor of a kind that is none.
struct ci data_field_number(const struct data_field *field, const void *row);

// Makes all members that the table names say that nothing is known; a text becomes NULL.
void data_field_clear(const struct data_field *fields, void *row);
// Do they all say so?
bool data_field_is_clear(const struct data_field *fields, const void *row);
// Copies all members that the table names, texts with what they point to; what *to had is lost.
void data_field_copy(const struct data_field *fields, void *to, const void *from);
// mem_free()s the row's texts and makes them NULL.
void data_field_release(const struct data_field *fields, void *row);

#endif
