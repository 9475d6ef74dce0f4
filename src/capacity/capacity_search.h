// SPDX-License-Identifier: Apache-2.0
// capacity_search: a study's `capacity` section, read, checked and answered. [M]
//
//     struct capacity_search search;
//     struct capacity_context context = {.eval = &eval};
//     capacity_search_read(&eval, &source, &search, &err);
//     capacity_search_run(&context, &search, &err);      // context.answer, on all ranks
//     capacity_result_destroy(context.answer);
//     capacity_search_release(&search);
//
// Whether targets can be met at all comes first (unloaded.h); then the tuples (efficiency.h), for
// the schedulers' settings; then what `find` asks for: find_servers.h, find_load.h, find_day.h, or
// plan.h and then find_day.h.
#ifndef CAPACITY_CAPACITY_SEARCH_H
#define CAPACITY_CAPACITY_SEARCH_H

#include <stddef.h>

#include "capacity/capacity_context.h"
#include "runs/eval.h"
#include "base/err.h"
#include "results/file/capacity_result.h"
#include "study/library.h"
#include "study/study.h"

// Where a study comes from; all borrowed.
struct capacity_search_source {
    const char *path;
    const char *const *settings; // [n_settings], of the command line
    size_t n_settings;
    const struct library *library; // until capacity_search_release()
};

struct capacity_search {
    char *written; // the study's text, the settings of the command line as comments at its end
    struct study *study;
};

// Collective (eval->comm). Logically collective: source. Reads and checks the study; one with a
// sweep is refused. On error nothing is left to release.
int capacity_search_read(const struct eval *eval, const struct capacity_search_source *source,
                         struct capacity_search *search, struct err *err);
// Not collective.
void capacity_search_release(struct capacity_search *search);

// Collective (context->eval->comm). Logically collective: search. Answers: context comes with eval,
// memo, progress and user, and goes with n_queries and the answer, which is the caller's, on every
// rank. A run that a signal stopped is no failure: look at context->stopped; then the answer has
// what is known of it, the first context->n_rows rows, and context->at is what was under way. On
// error there is none. Demand that no plan meets is ERR_STUDY. Targets that no number of servers
// meets are none either: context->out_of_reach, and the answer says no more than by which service.
int capacity_search_run(struct capacity_context *context, const struct capacity_search *search,
                        struct err *err);

// Not collective. The answer's frame: its dimensions and names, nothing found yet. Caller frees
// with capacity_result_destroy().
struct capacity_result *capacity_search_frame(const struct capacity_search *search);

#endif
