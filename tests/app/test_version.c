// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/revision.h"
#include "support/suite.h"

// Line by line what it is built with, each of which names something; without MPI being started.
START_TEST(says_what_it_is_built_with)
{
    char *text = NULL, *first = mem_printf("recfleet %s\n", revision_program);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    version_print(out);
    fclose(out);
    ck_assert_int_eq(strncmp(text, first, strlen(first)), 0);
    ck_assert_ptr_nonnull(strstr(text, "\ncompiler  "));
    ck_assert_ptr_nonnull(strstr(text, "\nMPI       "));
    unsigned ran[3] = {0}, built[3] = {0};
    const char *hdf5 = strstr(text, "\nHDF5      ");
    ck_assert_ptr_nonnull(hdf5);
    ck_assert_int_eq(sscanf(hdf5, "\nHDF5      %u.%u.%u, built with %u.%u.%u\n", &ran[0], &ran[1],
                            &ran[2], &built[0], &built[1], &built[2]),
                     6);
    ck_assert(ran[0] == built[0] && ran[1] == built[1] && ran[1] > 0);
    int n_lines = 0;
    for (const char *p = text; *p; p++)
        n_lines += *p == '\n';
    ck_assert_int_eq(n_lines, 4);
    ck_assert_ptr_null(strstr(text, "unknown"));
    mem_free(first);
    free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", says_what_it_is_built_with}};
    return suite_run("version", tests, sizeof tests / sizeof *tests);
}
