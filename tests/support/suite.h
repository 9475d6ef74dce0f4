// SPDX-License-Identifier: Apache-2.0
// suite: runs a list of Check tests, grouped into test cases by name.
//
//     const struct suite_test tests[] = {{"core", adds}, {"errors", refuses_nan}};
//     return suite_run("units", tests, sizeof tests / sizeof *tests);
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>

struct suite_test {
    const char *tcase; // tests of one case stand together
    const TTest *test; // what START_TEST(name) defined
};

// The exit status for main(): 0 when every test passed.
int suite_run(const char *name, const struct suite_test *tests, size_t n);

// The same with a choice, and the number of tests that failed: CK_NOFORK runs them in this process;
// CK_SILENT prints nothing unless a test fails.
int suite_failures(const char *name, const struct suite_test *tests, size_t n,
                   enum fork_status fork, enum print_output print);

#endif
