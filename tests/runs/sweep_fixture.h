// SPDX-License-Identifier: Apache-2.0
// sweep_fixture: a small sweep in a folder of its own, for the tests of what handles sweeps.
//
// Six points: three rates, each in two replications; a run takes milliseconds. The folder is made
// once for all ranks of a program and removed at its end with all that is in it.
#ifndef TESTS_RUNS_SWEEP_FIXTURE_H
#define TESTS_RUNS_SWEEP_FIXTURE_H

#include <stdint.h>

#include "runs/eval.h"
#include "runs/survey.h"

enum { SWEEP_FIXTURE_POINTS = 6 };

struct sweep_fixture {
    char *output;            // of the survey; owned
    const char *settings[1]; // likewise; borrowed
    struct survey *survey;
};

// Collective (all ranks). The survey, not looked at, of a sweep whose results go to NAME.h5 in the
// folder of runs_fixture.h. `setting` changes the study; NULL: nothing.
void sweep_fixture_open(struct sweep_fixture *fixture, const char *name, const char *setting);
// Collective (all ranks).
void sweep_fixture_close(struct sweep_fixture *fixture);

// Collective (all ranks). Looks at all points and does those that are not done; how many failed.
uint32_t sweep_fixture_run(struct sweep_fixture *fixture);

// Not collective. The file of a point of the sweep; caller mem_free()s.
char *sweep_fixture_point(const struct sweep_fixture *fixture, uint32_t point);

#endif
