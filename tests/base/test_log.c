// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

// What the calls of log_all() leave on stderr.
static void captured(enum log_level level, int rank, char *buf, size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    log_init(level, rank);
    log_warn("disk %d", 1);
    log_info("rate %d", 2);
    log_debug("draw %d", 3);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    size_t n = fread(buf, 1, size - 1, file);
    buf[n] = '\0';
    fclose(file);
}

// A level lets through what is at least as important.
START_TEST(levels)
{
    char text[256];
    captured(LOG_INFO, 0, text, sizeof text);
    ck_assert_str_eq(text, "recfleet: warning: disk 1\nrecfleet: rate 2\n");
    captured(LOG_NOTHING, 0, text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

// Ranks other than 0 say nothing, so a line appears once.
START_TEST(one_rank_speaks)
{
    char text[256];
    captured(LOG_DEBUG, 1, text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", levels}, {"core", one_rank_speaks}};
    return suite_run("log", tests, sizeof tests / sizeof *tests);
}
