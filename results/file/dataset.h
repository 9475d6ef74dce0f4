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
// study, and is left out of the file's digest (content_digest.h); everything else may not.
//
// The macros that take a member name it in `ROW`, the struct that the layout describes, and fail to
// compile when it is not of the type they need. All lengths are uint32_t.
//
// Two things differ from study to study and stand in the artefact instead. The points of a grid
// have its axes as coordinates: DATASET_GRID. And a view may have its table of fields there: a
// tuning keeps the settings that its scheduler has.
#ifndef RESULTS_FILE_DATASET_H
#define RESULTS_FILE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "results/data_field.h"
#include "results/file/content_digest.h"
#include "results/file/point_axes.h"

// Of a variable: the dimensions of its array and the inner one of its view.
#define DATASET_MAX_DIMS 7
#define DATASET_MAX_VIEWS 6
#define DATASET_MAX_AXES 32 // of a grid; a study has at most half of that

// What is written along a dimension.
enum dataset_axis {
    DATASET_AXIS_NUMBERED, // 0, 1, 2, ...
    DATASET_AXIS_GRID,     // likewise; struct point_axes of the artefact says where each point is
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
    size_t offset;   // of the names, values, step or axes
    // NAMES, NUMBERS:
    uint32_t n;
    const char *const *names;
    const double *numbers;
};

#define DATASET_NUMBERED(name, n, text)                                                            \
    {                                                                                              \
        name, "1", text, DATASET_AXIS_NUMBERED, DATA_OFFSET(n, uint32_t), 0, 0, NULL, NULL         \
    }
// The points of a grid. Every group that has the dimension also has, for each axis, a variable of
// the points' labels on it, and one of their numbers where they are some; dataset_axis_variables()
// says how they are called. The root's attributes `axes` and `axis_variables` list the axes of the
// first such dimension, by lines and by blanks: only its axes can be read back, where the reader
// reads an array that runs over it.
#define DATASET_GRID(name, member, text)                                                           \
    {                                                                                              \
        name, "1", text, DATASET_AXIS_GRID, offsetof(ROW, member.n_points),                        \
            DATA_OFFSET(member, struct point_axes), 0, NULL, NULL                                  \
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
    const struct data_field *fields; // NULL, without an own table: no more views
    // A part that is an array in the row gets one more dimension, which turns fastest: its name,
    // and the bytes from one element to the next. NULL: it is none.
    const char *inner;
    size_t inner_stride;
    // Instead of `fields`, where the artefact has the table: struct data_field[] at that offset.
    // Such fields are read where the table is known (dataset_read_knowing()). 0 is "none", so the
    // table is never the artefact's first member.
    size_t own_fields;
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
    // Its rows are also those of an array before it, which names other members of them.
    DATASET_SHARED = 2,
    // For other programs and whoever wants all: others neither allocate it nor look at it.
    DATASET_UNREAD = 4,
    // Left out of the file when it has no rows.
    DATASET_NO_EMPTY = 8,
    // The rows are not what the tables of fields say but, as replications.h makes them, a struct ci
    // in place of each double: only numbers and estimates are there, all as estimates.
    DATASET_SPREAD = 16
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

// What a group holds, in words for readers of the file: of dataset_page.h.
struct dataset_group {
    const char *group; // "/summary"; NULL ends the list
    const char *help;  // a sentence without its full stop
};

struct dataset_layout {
    const char *kind;  // "capacity": the file's attribute `kind`
    const char *title; // how messages call it: "capacity search"
    size_t size;       // of the artefact
    // Attributes of the root, in every kind of file `study_name` and `program_version` among them.
    const struct data_field *head;
    const struct dataset_dim *dims;
    const struct dataset_array *arrays;
    const struct dataset_group *groups; // NULL: no words
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
// The same with the arrays that are DATASET_UNREAD.
void dataset_create_whole(const struct dataset_layout *layout, void *artefact);
// Releases all that dataset_create() or dataset_read() allocated, names and texts with it, and
// zeroes the artefact. Everything must be owned: a writer that borrows its rows never calls it.
void dataset_destroy(const struct dataset_layout *layout, void *artefact);

// NULL: there is none of that name.
const struct dataset_dim *dataset_dim(const struct dataset_layout *layout, const char *name);
const struct dataset_array *dataset_find(const struct dataset_layout *layout, const char *name);
// Is the name one of a variable, dimension or group in any group of such a file, its axes left out?
bool dataset_uses_name(const struct dataset_layout *layout, const void *artefact, const char *name);
// What the variables of a grid's axes are called, axis by axis; that of the numbers has "_value"
// behind. A name must be free in all groups, with that behind it, too: characters other than
// letters, digits and '_' become '_', and a name that is taken, or begins with no letter, gets
// "axis_" in front. Caller releases with dataset_release_names().
char **dataset_axis_variables(const struct dataset_layout *layout, const void *artefact,
                              const struct point_axes *axes);
void dataset_release_names(char **names, uint32_t n);

uint32_t dataset_length(const struct dataset_dim *dim, const void *artefact);
// The names along a dimension, NULL where it has none.
char *const *dataset_names(const struct dataset_dim *dim, const void *artefact);
// Rows of an array, and the first of them.
size_t dataset_n_rows(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array);
void *dataset_rows(const void *artefact, const struct dataset_array *array);
// The table of a view; NULL: there are no more.
const struct data_field *dataset_fields(const struct dataset_view *view, const void *artefact);
// The grid behind such a dimension.
struct point_axes *dataset_grid(const struct dataset_dim *dim, const void *artefact);
// Does it run over that dimension, also inside its rows?
bool dataset_runs_over(const struct dataset_array *array, const char *dim);
// Does any row say more than dataset_create() does?
bool dataset_is_known(const struct dataset_layout *layout, const void *artefact,
                      const struct dataset_array *array);

// How a kind stands in a file.
enum content_type dataset_stored(enum data_kind kind);

// One variable of a file: a field of an array, or the half-width of an estimate.
struct dataset_column {
    const struct dataset_array *array;
    const struct data_field *field;
    enum data_kind kind; // of the member: NUMBER of an estimate's halves
    char *name, *long_name;
    int n_dims;
    const char *dims[DATASET_MAX_DIMS];
    uint64_t sizes[DATASET_MAX_DIMS];
    const struct dataset_dim *names; // that a LABEL or an INDEX is a number of
    // Value i is in element i % n_inner of row i / n_inner.
    size_t n, n_inner, stride, inner_stride;
    char *first;
};
// The member that value i comes from or goes to.
void *dataset_member(const struct dataset_column *column, size_t i);
// Calls fn for every variable of an array; its column is gone when fn returns.
typedef void (*dataset_column_fn)(void *user, const struct dataset_column *column);
void dataset_each_column(const struct dataset_layout *layout, const void *artefact,
                         const struct dataset_array *array, dataset_column_fn fn, void *user);

#endif
