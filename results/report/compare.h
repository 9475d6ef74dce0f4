// SPDX-License-Identifier: Apache-2.0
// compare: are the differences between results real, and which way do they go?
//
// Any number of sides (compare_side.h) are compared with a baseline, number by number. Two sides
// that share their traffic (same seed, same traffic fingerprint, same parts: measured time
// bins, replications, intervals of a day) saw the very same queries, so their parts are compared in
// pairs: what the traffic did to both cancels, and the interval of the difference is narrower
// (common random numbers). Others are compared as independent by Welch's t. What searches bracketed
// is told apart where the brackets do not overlap.
//
// A table has many rows, and of twenty that differ by chance one lies outside of its 95 % interval.
// So a difference is called real at 95 % for the whole table, over all files in it: results that
// differ in nothing are told apart in no row of it 19 times in 20. Rows are taken from the clearest
// on, each against the level that is left for those from it on (Holm, Scand. J. Stat. 6, 1979),
// whatever their correlation. What is exact or bracketed has no such level: a bracket's ends were
// shown by the search, which looked often and kept away from its bound for that. A real difference
// is better or worse, as the number has it; any other is not distinguishable from none.
//
// The point estimate is always the difference of the two sides' own numbers; the paired interval is
// the spread of the parts' differences round it: of time bins batched (batch.h), of replications as
// they are.
#ifndef RESULTS_REPORT_COMPARE_H
#define RESULTS_REPORT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "results/ci.h"
#include "results/report/compare_side.h"
#include "results/report/table.h"

enum compare_verdict {
    COMPARE_BETTER,
    COMPARE_WORSE,
    COMPARE_ALIKE,   // not distinguishable
    COMPARE_UNKNOWN, // there is no interval, or one side has no such number
    N_COMPARE_VERDICTS
};
extern const char *const compare_verdict_names[]; // "better" "worse" "not distinguishable" "n/a"

struct compare_row {
    const struct compare_side *base_side, *other_side;
    const struct compare_number *number; // of the baseline: its name, units, direction
    struct ci base, other, diff;         // diff = other - base; NaN where one of them is
    double low, high;                    // ends of the difference; NaN: not known
    bool bracket;                        // these are what two brackets leave open
    bool paired;                         // else Welch
    bool real;                           // at 95 % for all rows together
};

struct compare {
    const struct compare_sides *sides; // borrowed
    char *baseline;                    // owned: the labels that it was chosen by, "": a file
    size_t n_rows;
    struct compare_row *rows; // one side behind the other
};

// `baseline`: the path of one of the files, whose sides are matched by their labels where it has
// several; or labels, "policy=random" or "policy=random,load=0.9": every other side is compared
// with the one that has these and is otherwise alike. NULL: the first file, and of a single one the
// first label that differs between its sides. Numbers that only one side has are left out. Fails
// when nothing is left, or nothing has the labels. Caller frees with compare_destroy.
struct compare *compare_create(const struct compare_sides *sides, const char *baseline,
                               struct err *err);
void compare_destroy(struct compare *compare); // NULL: no effect

enum compare_verdict compare_verdict_of(const struct compare_row *row);

// How people call a side in tables: the letter of its file where there are several, and those of
// its labels that tell it from others where the file has several. Caller mem_free()s.
char *compare_label(const struct compare_sides *sides, const struct compare_side *side);

// The unit that a number of these units is shown in: "ms", 1e3; `time` that of seconds.
struct table_unit compare_unit(const char *units, struct table_unit time);
// Of all times in the table, as suits the first.
struct table_unit compare_time(const struct compare *compare);

// What is compared, and one table.
void compare_print(struct report_out *out, const struct compare *compare);

#endif
