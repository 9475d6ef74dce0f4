// SPDX-License-Identifier: Apache-2.0
#include "app/manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// The page of a command, of the program where that is NULL; caller free()s.
static char *page_of(const struct cmd *cmd)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (cmd)
        manual_print_command(out, cmd);
    else
        manual_print(out);
    fclose(out);
    return text;
}

static bool has(const char *text, char *part)
{
    bool found = strstr(text, part) != NULL;
    mem_free(part);
    return found;
}

// The program's page names the page of every command, with what the command is for.
START_TEST(names_every_command)
{
    char *page = page_of(NULL);
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        ck_assert_msg(has(page, mem_printf("\n.BR recfleet\\-%s (1)\nrecfleet %s", (*cmd)->name,
                                           (*cmd)->name)),
                      "%s", (*cmd)->name);
    free(page);
}
END_TEST

// A command's page has every option of it, and the exit statuses that it can end with.
START_TEST(has_every_option)
{
    char *page = page_of(&cmd_run);
    ck_assert(has(page, mem_printf(".TH RECFLEET\\-RUN 1 ")));
    ck_assert(has(page, mem_printf("\n\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFILE\\fR\n")));
    ck_assert(has(page, mem_printf("\n\\fB\\-\\-resume\\fR\\fI\\fR\n")));
    ck_assert(has(page, mem_printf("\n\\fB\\-\\-version\\fR")));
    ck_assert(has(page, mem_printf("\n.B 4\nstopped")));
    ck_assert(!has(page, mem_printf("\n.B 5\n")));
    free(page);
}
END_TEST

// Whatever a text says, no line of it is a command of roff's, and nothing is lost.
START_TEST(escapes_text)
{
    const struct cmd odd = {.name = "odd",
                            .help = "a-b",
                            .arguments = "",
                            .description = ".so /etc/passwd",
                            .example = "'\\fB not bold"};
    char *page = page_of(&odd);
    ck_assert(has(page, mem_printf("\\- a\\-b\n")));
    ck_assert(has(page, mem_printf("\n\\&.so /etc/passwd\n")));
    ck_assert(has(page, mem_printf("\n\\&'\\efB not bold\n")));
    free(page);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", names_every_command}, {"core", has_every_option}, {"limits", escapes_text}};
    return suite_run("manual", tests, sizeof tests / sizeof *tests);
}
