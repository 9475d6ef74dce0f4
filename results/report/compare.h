// SPDX-License-Identifier: Apache-2.0
// compare: is the difference between two runs real?
//
// Two files that share their traffic (same seed, same traffic fingerprint, same time bins) saw the
// very same queries, so their bins are compared in pairs: what the traffic did to both cancels, and
// the interval of the difference is narrower (common random numbers). Other pairs are compared as
// independent runs by Welch's t.
//
// A table has many rows, and of twenty that differ by chance one lies outside of its 95 % interval.
// So a difference is called real at 95 % for the whole table: two runs that differ in nothing are
// told apart in no row of it 19 times in 20. Rows are taken from the clearest on, each against the
// level that is left for those from it on (Holm, Scand. J. Stat. 6, 1979), whatever their
// correlation.
//
// The point estimate is always the difference of the two files' own numbers; the paired interval is
// the spread of the bins' differences (batched, batch.h) round it.
#ifndef RESULTS_REPORT_COMPARE_H
#define RESULTS_REPORT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "results/ci.h"
#include "results/file/run_result.h"
#include "results/report/report_out.h"

struct compare_row {
    char *what;                  // owned: "feed p95"
    const char *units;           // "s" "s-1" "W" "J-1" "1"
    struct ci base, other, diff; // diff = other - base; NaN where one of them is
    bool paired;                 // else Welch
    bool real;                   // at 95 % for all rows together
};

struct compare {
    bool same_traffic;
    size_t n_rows;
    struct compare_row *rows;
};

// Services are matched by name; one that only one file has is left out. Fails when no service is
// common to both. Caller frees with compare_destroy.
struct compare *compare_create(const struct run_result *base, const struct run_result *other,
                               struct err *err);
void compare_destroy(struct compare *compare); // NULL: no effect

// A table for each of files[1 .. n) against files[0]; n >= 2.
int compare_print(struct report_out *out, const struct run_result *const *files, size_t n,
                  struct err *err);

#endif
