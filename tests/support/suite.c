// SPDX-License-Identifier: Apache-2.0
#include "support/suite.h"

#include <signal.h>
#include <string.h>

int suite_failures(const char *name, const struct suite_test *tests, size_t n,
                   enum fork_status fork, enum print_output print)
{
    Suite *suite = suite_create(name);
    TCase *tcase = NULL;

    signal(SIGXFSZ, SIG_IGN); // as the program does
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(tests[i].tcase, tests[i - 1].tcase) != 0) {
            tcase = tcase_create(tests[i].tcase);
            suite_add_tcase(suite, tcase);
        }
        tcase_add_test(tcase, tests[i].test);
    }
    SRunner *runner = srunner_create(suite);
    if (fork == CK_NOFORK)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, print);
    int failed = srunner_ntests_failed(runner);
    if (failed && print == CK_SILENT)
        srunner_print(runner, CK_NORMAL);
    srunner_free(runner);
    return failed;
}

int suite_run(const char *name, const struct suite_test *tests, size_t n)
{
    return suite_failures(name, tests, n, CK_FORK_GETENV, CK_ENV) != 0;
}
