// SPDX-License-Identifier: Apache-2.0
#include "results/meta.h"

#include "base/mem.h"
#include "support/suite.h"

// All arrays are there and empty, whatever the counts.
START_TEST(creates_empty)
{
    struct meta *m = meta_create(2, 3, 4);
    ck_assert_uint_eq(m->n_services, 2);
    ck_assert_uint_eq(m->n_groups, 3);
    ck_assert_uint_eq(m->n_servers, 4);
    ck_assert_ptr_null(m->services[1].name);
    ck_assert_ptr_null(m->groups[2].platform);
    ck_assert_uint_eq(m->server_group[3] + m->server_cell[3], 0);
    meta_destroy(m);
}
END_TEST

// Strings that were set are released (a leak checker sees it); nothing is fine too.
START_TEST(destroys_what_it_owns)
{
    struct meta *m = meta_create(1, 1, 0);
    m->services[0].name = mem_strdup("feed");
    m->groups[0].platform = mem_strdup("skylake");
    m->study_text = mem_strdup("name: x");
    meta_destroy(m);
    meta_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", creates_empty}, {"limits", destroys_what_it_owns}};
    return suite_run("meta", tests, sizeof tests / sizeof *tests);
}
