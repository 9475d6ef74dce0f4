// SPDX-License-Identifier: Apache-2.0
#include "results/file/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

static void change(void *data)
{
    *(int *)data = 7;
    puts("unseen");
    fflush(stdout);
}

static void crash(void *data)
{
    (void)data;
    raise(SIGSEGV);
}

static void leave(void *data)
{
    _exit(*(int *)data);
}

static void spin(void *data)
{
    volatile int *forever = data;
    while (*forever)
        ;
}

// Work that returns is fine, and none of it is seen here: not in memory, not on stdout.
START_TEST(survivors_leave_no_trace)
{
    char path[] = "/tmp/test_trial.XXXXXX";
    int value = 3, to = mkstemp(path), stdout_before = dup(STDOUT_FILENO);
    struct err err = {0};
    ck_assert_int_ge(to, 0);
    dup2(to, STDOUT_FILENO);
    int rc = sandbox_run(change, &value, 5, &err);
    dup2(stdout_before, STDOUT_FILENO);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_int_eq(value, 3);
    ck_assert_int_eq((int)lseek(to, 0, SEEK_END), 0);
    unlink(path);
}
END_TEST

// A loop is ended by its limit of processor time.
START_TEST(loops_are_ended)
{
    int forever = 1;
    struct err err = {0};
    ck_assert_int_eq(sandbox_run(spin, &forever, 1, &err), -1);
    ck_assert_str_eq(err.text, "it takes more than 1 s");
}
END_TEST

// A crash is named, whatever handler this process has for it.
START_TEST(crashes_are_named)
{
    struct err err = {0};
    signal(SIGSEGV, SIG_IGN);
    ck_assert_int_eq(sandbox_run(crash, NULL, 5, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "it crashes: "));
    ck_assert_ptr_nonnull(strstr(err.text, strsignal(SIGSEGV)));
}
END_TEST

// Work that ends the process has not returned, however well it claims to have ended.
START_TEST(exits_are_no_return)
{
    for (int status = 0; status < 2; status++) {
        struct err err = {0};
        ck_assert_int_eq(sandbox_run(leave, &status, 5, &err), -1);
        ck_assert_str_eq(err.text, "it crashes: the process ends");
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", survivors_leave_no_trace},
                                       {"limits", loops_are_ended},
                                       {"errors", crashes_are_named},
                                       {"errors", exits_are_no_return}};
    return suite_run("sandbox", tests, sizeof tests / sizeof *tests);
}
