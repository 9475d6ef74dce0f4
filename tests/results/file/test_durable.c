// SPDX-License-Identifier: Apache-2.0
#include "results/file/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

#define NAME "test_output.h5"

static void make_file(const char *path)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("x", f);
    fclose(f);
}

static void refused(const char *path, bool force, const char *reason)
{
    struct err err = {0};
    ck_assert_int_eq(durable_check(path, force, 1, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
}

// The temporary file stands beside the final one, hidden, with the process in its name.
START_TEST(temporary_names)
{
    const char *const cases[][2] = {
        {"a.h5", "./.a.h5.tmp-12"}, {"x/a.h5", "x/.a.h5.tmp-12"}, {"/a.h5", "//.a.h5.tmp-12"}};
    for (size_t i = 0; i < 3; i++) {
        char *name = durable_temporary(cases[i][0], 12);
        ck_assert_str_eq(name, cases[i][1]);
        mem_free(name);
    }
}
END_TEST

// A good place passes and nothing is left in it.
START_TEST(check_leaves_nothing)
{
    char *temporary = durable_temporary(NAME, (long)getpid());
    unlink(NAME);
    ck_assert_int_eq(durable_check(NAME, false, 1, NULL), 0);
    ck_assert_int_ne(access(NAME, F_OK), 0);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    mem_free(temporary);
}
END_TEST

// What a killed process of the same number left behind is in nobody's way, and stays.
START_TEST(leftovers)
{
    char *left = durable_temporary(NAME, (long)getpid());
    ck_assert_int_eq(durable_number(NAME), (long)getpid());
    make_file(left);
    ck_assert_int_ne(durable_number(NAME), (long)getpid());
    ck_assert_int_eq(durable_check(NAME, false, 1, NULL), 0);
    ck_assert_int_eq(access(left, F_OK), 0);
    unlink(left);
    mem_free(left);
}
END_TEST

// An existing file needs force, and is not touched by asking.
START_TEST(existing_needs_force)
{
    struct stat st;
    make_file(NAME);
    refused(NAME, false, "--force");
    ck_assert_int_eq(durable_check(NAME, true, 1, NULL), 0);
    ck_assert_int_eq(stat(NAME, &st), 0);
    ck_assert_int_eq(st.st_size, 1);
    unlink(NAME);
}
END_TEST

// One file under two names, or one that both would make, is the same: another spelling of the
// folder, a link. Other names and other folders are not.
START_TEST(same_names)
{
    const char *const link_name = NAME ".link";
    char *here = realpath(".", NULL), *full = mem_printf("%s/%s", here, NAME);
    ck_assert(durable_same(NAME, NAME) && durable_same(NAME, "./" NAME));
    ck_assert(durable_same(NAME, full));
    ck_assert(!durable_same(NAME, link_name) && !durable_same(NAME, "/tmp/" NAME));
    ck_assert(!durable_same("/no/such/" NAME, "/no/such/" NAME ".too"));
    make_file(NAME);
    ck_assert_int_eq(symlink(NAME, link_name), 0);
    ck_assert(durable_same(link_name, full));
    unlink(link_name);
    unlink(NAME);
    mem_free(full);
    free(here);
}
END_TEST

// Never: a folder, a device, an empty name, a missing folder, a dangling link, more than the disk.
START_TEST(refuses_bad_places)
{
    refused("/tmp", true, "not a regular file");
    refused("/dev/full", true, "not a regular file");
    refused("", true, "name of a file");
    refused("somewhere/", true, "name of a file");
    refused("test_output_absent/x.h5", true, "test_output_absent");
    unlink(NAME);
    ck_assert_int_eq(symlink("test_output_nowhere", NAME), 0);
    refused(NAME, true, "leads nowhere");
    unlink(NAME);
    struct err err = {0};
    ck_assert_int_eq(durable_check(NAME, true, UINT64_C(1) << 62, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no space"));
}
END_TEST

// Finishing gives the name and takes the temporary one away; without force it replaces nothing.
START_TEST(finish_gives_the_name)
{
    char *temporary = durable_temporary(NAME, 1);
    unlink(NAME);
    make_file(temporary);
    ck_assert_int_eq(durable_finish(temporary, NAME, false, NULL), 0);
    ck_assert_int_eq(access(NAME, F_OK), 0);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    make_file(temporary);
    ck_assert_int_eq(durable_finish(temporary, NAME, false, NULL), -1);
    ck_assert_int_eq(durable_finish(temporary, NAME, true, NULL), 0);
    unlink(NAME);
    unlink(temporary);
    mem_free(temporary);
}
END_TEST

// Space that is there can be reserved, and the trial file is gone after it.
START_TEST(reserves)
{
    char *temporary = durable_temporary(NAME, 2);
    struct err err = {0};
    ck_assert_int_eq(durable_reserve(temporary, 100000, NAME, &err), 0);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    ck_assert_int_eq(durable_reserve(temporary, UINT64_C(1) << 60, NAME, &err), -1);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    mem_free(temporary);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"limits", leftovers},
        {"core", same_names},
        {"core", temporary_names},
        {"core", check_leaves_nothing},
        {"core", existing_needs_force},
        {"core", finish_gives_the_name},
        {"core", reserves},
        {"errors", refuses_bad_places},
    };
    return suite_run("durable", tests, sizeof tests / sizeof *tests);
}
