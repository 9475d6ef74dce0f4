// SPDX-License-Identifier: Apache-2.0
// runs_fixture: what the tests of src/runs have in common: MPI, a folder, and studies from texts.
//
//     int main(void)
//     {
//         const struct suite_test tests[] = {{"core", runs}, {"errors", refuses}};
//         return runs_fixture_main("eval", tests, sizeof tests / sizeof *tests);
//     }
#ifndef TESTS_RUNS_FIXTURE_H
#define TESTS_RUNS_FIXTURE_H

#include "runs/eval.h"
#include "support/suite.h"

// Runs the tests on every rank, with the signals of checkpointing.h blocked; a failure on one rank
// fails all. The exit status for main().
int runs_fixture_main(const char *name, const struct suite_test *tests, size_t n);

// In a test: the ranks; a folder that is empty at first, the same on all, and removed at the end
// with what is in it, one level deep; a path in it, which the caller mem_free()s.
const struct eval *runs_fixture_eval(void);
const char *runs_fixture_folder(void);
char *runs_fixture_path(const char *name);
// Collective. A file in the folder, written by rank 0; its path likewise.
char *runs_fixture_put(const char *name, const char *content);

// A study from a text, which is good and names nothing of the library; setting: NULL for none. Also
// without MPI. Caller study_destroy()s.
struct study *runs_fixture_study(const char *text, const char *setting);

#endif
