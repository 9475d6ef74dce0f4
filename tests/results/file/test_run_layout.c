// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_layout.h"

#include <string.h>

#include "results/file/same_artefact.h"
#include "support/suite.h"

// No member of a row is named twice, nor a name in a group. Not named: what an estimate has beyond
// value and half-width, targets of services and shapes of groups, which follow from the rest.
START_TEST(rules)
{
    same_artefact_layout(&run_layout, sizeof(struct summary_service));
}
END_TEST

// A run has services and groups, and was measured in an order of time.
START_TEST(senseless)
{
    const struct run_frame sound = {.meta = {.n_services = 1, .n_groups = 1},
                                    .summary.fleet.to_ns = 5};
    struct run_frame frames[] = {sound, sound, sound, sound};
    frames[0].meta.n_services = 0;
    frames[1].meta.n_services = UINT16_MAX + 1;
    frames[2].meta.n_groups = 0;
    frames[3].summary.fleet.from_ns = 6;
    ck_assert_int_eq(run_layout.check(&sound, NULL), 0);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct err err = {0};
        ck_assert_int_eq(run_layout.check(&frames[i], &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, "impossible"));
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rules}, {"errors", senseless}};
    return suite_run("run_layout", tests, sizeof tests / sizeof *tests);
}
