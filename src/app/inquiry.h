// SPDX-License-Identifier: Apache-2.0
// inquiry: a study's `capacity` section, read, checked and answered. [M]
//
//     struct inquiry inquiry;
//     inquiry_read(&eval, &source, &inquiry, &err);
//     inquiry_run(&eval, &inquiry, &options, &result, &err);   // result.staffing, on every rank
//     staffing_destroy(result.staffing);
//     inquiry_release(&inquiry);
//
// The tuples come first (tuples.h), for the schedulers' B and T; then what `find` asks for:
// sizes.h, loads.h, fleetday.h, or plan.h with rehearse.h.
#ifndef APP_INQUIRY_H
#define APP_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/ask.h"
#include "app/eval.h"
#include "base/err.h"
#include "results/staffing.h"
#include "study/library.h"
#include "study/study.h"

// Where a study comes from; all borrowed.
struct inquiry_source {
    const char *path;
    const char *const *settings; // [n_settings], of the command line
    size_t n_settings;
    const struct library *library; // until inquiry_release()
};

struct inquiry {
    char *written; // the study's text, the settings of the command line as comments at its end
    struct study *study;
};

// Collective (eval->comm). Logically collective: source. Reads and checks the study; one with a
// sweep is refused. On error nothing is left to release.
int inquiry_read(const struct eval *eval, const struct inquiry_source *source,
                 struct inquiry *inquiry, struct err *err);
// Not collective.
void inquiry_release(struct inquiry *inquiry);

struct inquiry_options {
    struct memo *memo;        // borrowed; NULL: nothing is kept
    ask_progress_fn progress; // NULL: none
    void *user;
};

struct inquiry_result {
    struct staffing *staffing; // owned, on every rank; NULL when stopped
    uint64_t n_queries;        // simulated, over all parts of the work
    bool stopped;              // by a signal; the memo has what was done
};

// Collective (eval->comm). Logically collective: inquiry and options. Answers. A run that a signal
// stopped is no failure: look at result->stopped. Demand that no plan meets is ERR_STUDY.
int inquiry_run(const struct eval *eval, const struct inquiry *inquiry,
                const struct inquiry_options *options, struct inquiry_result *result,
                struct err *err);

// Not collective. The answer's frame: its dimensions and names, nothing found yet. Caller frees
// with staffing_destroy().
struct staffing *inquiry_frame(const struct inquiry *inquiry);

#endif
