// SPDX-License-Identifier: Apache-2.0
// timetable: text tables whose columns have a meaning, the common ground of traces, curves and
// files of sizes.
//
// Knows headers, columns by name or number, and times in every form that logs and monitoring
// systems write: numbers in a given unit, or timestamps "YYYY-MM-DD HH:MM[:SS[.fffffffff]]" with T
// or a blank in the middle and a zone behind (none, Z, UTC, +HH:MM, +HHMM, +HH). All are exact to
// the nanosecond; timestamps and epochs count from 1970.
//
// What a header says goes before the place: a column that nobody has chosen (its setting is "auto")
// is the one whose name says what is looked for, whatever its place. "time_ms"
// or "Time (ms)" tells the unit, too. A name in that place which says something else is an error,
// and so are two columns of the name that is looked for.
//
//     if (timetable_open(&table, name, data, n, CSV_AUTO, err) ||
//         timetable_columns(&table, TIMETABLE_HEADER_AUTO, columns, 2, err))
//         return -1;
//     while ((rc = timetable_next(&table, err)) > 0)
//         if (timetable_time(&table, columns[0].at, &ns, err) < 0)
//             return -1;
#ifndef TRACES_TIMETABLE_H
#define TRACES_TIMETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "traces/csv.h"

enum timetable_unit {
    TIMETABLE_AUTO, // by the first time: timestamps, else s, or what an epoch's size tells
    TIMETABLE_S,
    TIMETABLE_MS,
    TIMETABLE_US,
    TIMETABLE_NS,
    TIMETABLE_STAMP,
};
enum timetable_header {
    TIMETABLE_HEADER_AUTO, // if a column is asked for by name, or by csv_is_header()
    TIMETABLE_HEADER_YES,
    TIMETABLE_HEADER_NO,
};
extern const char *const timetable_unit_names[];   // "auto" "s" "ms" "us" "ns" "timestamp" NULL
extern const char *const timetable_header_names[]; // "auto" "yes" "no" NULL

// What a column may hold, as far as its name in a header tells. Some names say several.
enum timetable_kind {
    TIMETABLE_TIME = 1,
    TIMETABLE_ITEMS = 2,
    TIMETABLE_WEIGHT = 4,
    TIMETABLE_DURATION = 8,
    TIMETABLE_COUNT = 16,
    TIMETABLE_RATE = 32,
};

// A column that a reader wants.
struct timetable_column {
    const char *key;    // of the setting, for messages
    const char *wanted; // its name in the header, or its number from 1, or "auto"; borrowed
    size_t place;       // of "auto": its number where no name tells; 0: it is never "auto"
    int kind;           // enum timetable_kind; 0: anything
    int unit;           // set by timetable_columns(): enum timetable_unit that its name tells
    size_t at;          // the same: from 0
};

struct timetable {
    struct csv csv;
    int time_unit;   // enum timetable_unit; not AUTO once a time was read
    int named_unit;  // the one that the name of the column of times tells; AUTO: none
    bool has_header; // set by timetable_columns()
    size_t n_fields; // of every line
    bool is_first;   // the current line is the first, and a record that is still to be handed out
};

// Looks at the data and reads the first line with content, which the caller may look at in
// table->csv. `time_unit` may be set at any time before the first timetable_time().
int timetable_open(struct timetable *table, const char *name, const char *data, size_t n,
                   int separator, struct err *err);

// What the name of a column says: enum timetable_kind or'ed, 0: nothing known; and the unit.
int timetable_kinds(const struct csv_field *name, int *unit);

// Finds out whether the first line is a header, and where the columns are. Those of one reader are
// to be found at once: what one has by its setting, no other gets by a name.
int timetable_columns(struct timetable *table, int header, struct timetable_column *columns,
                      size_t n, struct err *err);

// The next record into table->csv.fields: 1; 0 at the end; -1 for a line that cannot be split or
// has another number of fields than the first: the next call goes on behind it.
int timetable_next(struct timetable *table, struct err *err);

// Refuses a second column of the same name as the one at `at` in the current line, a header.
int timetable_alone(const struct timetable *table, const char *key, size_t at, struct err *err);

// The time in a field of the current record, in ns, >= 0.
int timetable_time(struct timetable *table, size_t at, int64_t *ns, struct err *err);

#endif
