// SPDX-License-Identifier: Apache-2.0
// dataset: a results file is a table of tables, and this is its description.
//
// Every kind of results file (run, sweep, tuning, capacity) keeps its results in one struct, the
// artefact: lengths, names, and pointers to rows of plain structs. A `struct dataset_layout`
// describes that struct once: its dimensions, the arrays that run over them, and for each array the
// tables of fields of its rows (results/data_field.h). From it alone dataset_write.h makes the
// file, dataset_read.h fills the artefact again without trusting the file, and the functions below
// allocate it and release it. A new kind of file is a struct and a layout:
//
//     struct farm {
//         char *name, *program_version; // name: of the study
//         uint32_t n_disks, n_days;
//         char **disks;               // [n_disks]
//         double day_s;
//         struct reading *readings;   // [n_days][n_disks]
//     };
//     #define ROW struct reading
//     static const struct data_field reading_fields[] = {DATA_NUMBER(power_w, "W", "power"), {0}};
//     #undef ROW
//     #define ROW struct farm
//     static const struct data_field head[] = {
//         DATA_TEXT_AS("study_name", name, "study"), DATA_TEXT(program_version, "who wrote it"),
//         DATA_NUMBER(day_s, "s", "length of a day"), {0}};
//     static const struct dataset_dim dims[] = {
//         DATASET_STEPS("day", n_days, day_s, "s", "start of the day"),
//         DATASET_NAMED("disk", n_disks, disks, "disk"),
//         {0}};
//     static const struct dataset_array arrays[] = {
//         {.name = "readings", .group = "/readings", DATASET_ROWS(readings, struct reading),
//          .dims = {"day", "disk"}, .views = {{.fields = reading_fields}}},
//         {0}};
//     const struct dataset_layout farm_layout = {
//         .kind = "farm", .title = "farm", .size = sizeof(struct farm), .head = head, .dims = dims,
//         .arrays = arrays};
//     #undef ROW
//
// In the file, which is netCDF-4, `head` becomes attributes of the root; a dimension becomes a
// coordinate variable of the same name in the root and in every group whose arrays run over it;
// every field becomes a variable over the dimensions of its array, in the array's group, with
// `units` and `long_name`. An array without dimensions is one row: scalar variables. Dimensions are
// called by name everywhere. What lies in the group "/run" may differ between two runs of one
// study, and is left out of the file's digest (digest.h); everything else may not.
//
// The macros that take a member name it in `ROW`, the struct that the layout describes, and fail to
// compile when it is not of the type they need. All lengths are uint32_t.
//
// A layout may be made at run time (a sweep has the axes that the study gives it): it is only
// pointers, which must live as long as it is used.
#ifndef RESULTS_FILE_DATASET_H
#define RESULTS_FILE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "results/data_field.h"

// Of a variable: the dimensions of its array and the inner one of its view.
#define DATASET_MAX_DIMS 7
#define DATASET_MAX_VIEWS 6

// What is written along a dimension.
enum dataset_axis {
    DATASET_AXIS_NUMBERED, // 0, 1, 2, ...
    DATASET_AXIS_NAMED,    // strings: char *names[n] of the artefact, owned by it
    DATASET_AXIS_VALUES,   // numbers: double values[n] of the artefact, owned by it
    DATASET_AXIS_STEPS,    // 0, step, 2 step, ...: double step of the artefact
    DATASET_AXIS_NAMES,    // strings, always the same; the length, too
    DATASET_AXIS_NUMBERS   // numbers likewise
};

struct dataset_dim {
    const char *name; // "service"; NULL ends the list
    const char *units, *long_name;
    enum dataset_axis axis;
    size_t n_offset; // of the length, uint32_t
    size_t offset;   // of the names, values or step
    // NAMES, NUMBERS:
    uint32_t n;
    const char *const *names;
    const double *numbers;
};

#define DATASET_NUMBERED(name, n, text)                                                            \
    {                                                                                              \
        name, "1", text, DATASET_AXIS_NUMBERED, DATA_OFFSET(n, uint32_t), 0, 0, NULL, NULL         \
    }
#define DATASET_NAMED(name, n, member, text)                                                       \
    {                                                                                              \
        name, "1", text, DATASET_AXIS_NAMED, DATA_OFFSET(n, uint32_t),                             \
            DATA_OFFSET(member, char **), 0, NULL, NULL                                            \
    }
#define DATASET_VALUES(name, n, member, units, text)                                               \
    {                                                                                              \
        name, units, text, DATASET_AXIS_VALUES, DATA_OFFSET(n, uint32_t),                          \
            DATA_OFFSET(member, double *), 0, NULL, NULL                                           \
    }
#define DATASET_STEPS(name, n, member, units, text)                                                \
    {                                                                                              \
        name, units, text, DATASET_AXIS_STEPS, DATA_OFFSET(n, uint32_t),                           \
            DATA_OFFSET(member, double), 0, NULL, NULL                                             \
    }
// n is a constant; `names`, `numbers` are arrays that last.
#define DATASET_NAMES(name, n, names, text)                                                        \
    {                                                                                              \
        name, "1", text, DATASET_AXIS_NAMES, 0, 0, n, names, NULL                                  \
    }
#define DATASET_NUMBERS(name, n, numbers, units, text)                                             \
    {                                                                                              \
        name, units, text, DATASET_AXIS_NUMBERS, 0, 0, n, NULL, numbers                            \
    }

// A part of a row, with its own table of fields.
struct dataset_view {
    const char *prefix;              // before the fields' names: "at_n_"; NULL: nothing
    size_t offset;                   // of the part in the row
    const struct data_field *fields; // NULL: no more views
    // A part that is an array in the row gets one more dimension, which turns fastest: its name,
    // and the bytes from one element to the next. NULL: it is none.
    const char *inner;
    size_t inner_stride;
};

// Views: of a part of the row that is a struct of that type, of one that is an array of them, and
// of rows that are nothing but one value (uint32_t *available).
#define DATASET_PART(row, member, type, table)                                                     \
    .offset = _Generic(((row *)0)->member, type : offsetof(row, member)), .fields = (table)
#define DATASET_INNER(row, member, type, table, dim)                                               \
    .offset = _Generic(((row *)0)->member, type *                                                  \
                       : offsetof(row, member)),                                                   \
    .fields = (table), .inner = (dim), .inner_stride = sizeof(type)
#define DATASET_ALONE(name, kind, units, text)                                                     \
    .fields = (const struct data_field[])                                                          \
    {                                                                                              \
        DATA_ALONE(name, kind, units, text),                                                       \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

enum dataset_flag {
    // Left out of the file while no row says anything; a reader leaves the rows clear.
    DATASET_OPTIONAL = 1,
    // Says where along its one dimension we are (a point's policy): it is repeated in every group
    // that has the dimension, and listed in the group's attribute `coordinates`.
    DATASET_COORDINATE = 2,
    // For other programs: the reader neither allocates it nor looks at it.
    DATASET_UNREAD = 4
};

struct dataset_array {
    const char *name;  // for dataset_find(); NULL ends the list
    const char *group; // "/" or "/plan", "/folded/total"
    size_t offset;     // in the artefact: of the pointer to the rows, or of the row itself
    size_t stride;     // bytes from row to row; 0: a single row that lies in the artefact itself
    const char *dims[DATASET_MAX_DIMS]; // names, slowest first; NULL ends them
    struct dataset_view views[DATASET_MAX_VIEWS];
    unsigned flags; // enum dataset_flag
};

// `.offset` and `.stride` of rows behind a pointer, and of one row that is a member. Without either
// the row is the artefact itself, which suits texts too long for an attribute.
#define DATASET_ROWS(member, type) .offset = DATA_OFFSET(member, type *), .stride = sizeof(type)
#define DATASET_ROW(member, type) .offset = DATA_OFFSET(member, type), .stride = 0

struct dataset_layout {
    const char *kind;  // "capacity": the file's attribute `kind`
    const char *title; // how messages call it: "capacity search"
    size_t size;       // of the artefact
    // Attributes of the root, in every kind of file `study_name` and `program_version` among them.
    const struct data_field *head;
    const struct dataset_dim *dims;
    const struct dataset_array *arrays;
    // A unit that only the artefact knows; caller mem_free()s; NULL: the field's own. May be NULL.
    char *(*units)(const void *artefact, const struct dataset_array *array,
                   const struct data_field *field);
    // Does what was read make sense? The text says what does not, "the quantile is not in (0, 1)".
    // Codes, labels and lengths are checked before. May be NULL.
    int (*check)(const void *artefact, struct err *err);
};

// Allocates all arrays, names and values, for the lengths that stand in the artefact; nothing is
// known then, the head included. What was there is not released.
void dataset_create(const struct dataset_layout *layout, void *artefact);
// Releases all that dataset_create() or dataset_read() allocated, names and texts with it, and
// zeroes the artefact. Everything must be owned: a writer that borrows its rows never calls it.
void dataset_destroy(const struct dataset_layout *layout, void *artefact);

// NULL: there is none of that name.
const struct dataset_dim *dataset_dim(const struct dataset_layout *layout, const char *name);
const struct dataset_array *dataset_find(const struct dataset_layout *layout, const char *name);
// Is the name one of a variable, dimension or group in any group of such a file? For those who add
// arrays at run time.
bool dataset_uses_name(const struct dataset_layout *layout, const char *name);

uint32_t dataset_length(const struct dataset_dim *dim, const void *artefact);
// The names along a dimension, NULL where it has none.
char *const *dataset_names(const struct dataset_dim *dim, const void *artefact);
// Rows of an array, and the first of them.
size_t dataset_n_rows(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array);
void *dataset_rows(const void *artefact, const struct dataset_array *array);
// Bytes from row to row, also of a single one.
size_t dataset_stride(const struct dataset_array *array);
// Does any row say more than dataset_create() does?
bool dataset_is_known(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array);

#endif
