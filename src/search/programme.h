// SPDX-License-Identifier: Apache-2.0
// programme: the integer programme of provision.h, solved with GLPK.
//
// Coefficients are relative: a server of type h holds min(1, QPS[h,m] / demand[m]) of service m, of
// which a plan needs 1. (Whole servers lose nothing by the 1, and the relaxation becomes tighter.)
// Nothing that the solver says is taken on trust: a plan is only returned when it serves all by
// assignment_is_plan(), whatever the solver's tolerances.
//
// GLPK ends the program when it runs into an error of its own; here that becomes a failure. It
// keeps its state per thread, so one thread has one programme at a time.
#ifndef SEARCH_PROGRAMME_H
#define SEARCH_PROGRAMME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "search/assignment.h"

enum programme_state {
    PROGRAMME_SOLVED,     // a plan was found
    PROGRAMME_UNFINISHED, // none within the limit on nodes
    PROGRAMME_NOT_WHOLE,  // none exists, though one would if servers could be split
    PROGRAMME_IMPOSSIBLE, // none exists even so
};

struct programme_answer {
    enum programme_state state;
    double bound; // no plan is cheaper; 0: not known
    bool proven;  // no plan is cheaper than the one found, or than `start` if that is cheaper still
};

// Fills plan [type][service] when solved. `start` is a plan to do better than, NULL: none is known.
int programme_solve(const struct provision_problem *problem, const uint32_t *start, uint32_t *plan,
                    struct programme_answer *answer, struct err *err);

// What is missing [service] where there is no plan, as struct provision_shortage says; `whole`:
// where only whole servers do not do.
int programme_shortage(const struct provision_problem *problem, bool whole, double *missing_qps,
                       struct err *err);

#endif
