// SPDX-License-Identifier: Apache-2.0
#include "support/suite.h"

#include <string.h>

int suite_run(const char *name, const struct suite_test *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = NULL;

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(tests[i].tcase, tests[i - 1].tcase) != 0) {
            tcase = tcase_create(tests[i].tcase);
            suite_add_tcase(suite, tcase);
        }
        tcase_add_test(tcase, tests[i].test);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
