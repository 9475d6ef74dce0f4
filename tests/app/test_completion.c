// SPDX-License-Identifier: Apache-2.0
#include "app/completion.h"

#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "support/suite.h"

static char *script_of(enum completion_shell shell)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    completion_print(out, shell);
    fclose(out);
    char *copy = mem_strdup(text); // gcc takes the other for a pointer into this frame
    free(text);
    return copy;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// Both scripts name every command and every option of it.
START_TEST(names_every_option)
{
    for (enum completion_shell shell = COMPLETION_BASH; shell <= COMPLETION_ZSH; shell++) {
        char *script = script_of(shell);
        for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
            char *begin =
                mem_printf(shell == COMPLETION_BASH ? "\n    %s:*) " : "\n    %s)\n", (*cmd)->name);
            const char *part = strstr(script, begin);
            ck_assert_msg(part != NULL, "%s in %s", (*cmd)->name, completion_shells[shell]);
            char *own = strndup(part, (size_t)(strstr(part, ";;") - part));
            for (const struct cmd_option *o = (*cmd)->options; o && o->name; o++)
                ck_assert_msg(has(own, o->name), "%s %s", (*cmd)->name, o->name);
            ck_assert(has(own, "--help") && has(own, "--version"));
            free(own);
            mem_free(begin);
        }
        mem_free(script);
    }
}
END_TEST

// Values that are one of a few words are offered as those: formats by what the command can print.
START_TEST(offers_words)
{
    char *bash = script_of(COMPLETION_BASH), *zsh = script_of(COMPLETION_ZSH);
    ck_assert(has(bash, "    run:--layout) words=\"auto spread apart\" ;;\n"));
    ck_assert(has(bash, "    run:--format) words=\"text json csv md\" ;;\n"));
    ck_assert(has(bash, "    run:--output | run:-o) files=\"*\" ;;\n"));
    ck_assert(has(bash, "    submit:--command) words=\"run tune capacity\" ;;\n"));
    ck_assert(has(bash, "    compare:--unit) words=\"ns us ms s\" ;;\n"));
    ck_assert(has(bash, "words=\"models platforms "));
    ck_assert(has(bash, "words=\"make inspect convert"));
    ck_assert(has(zsh, "'--layout=[which rank simulates what\\: auto, spread or apart]"
                       ":MODE:(auto spread apart)'"));
    ck_assert(has(zsh, ":ns|us|ms|s:(ns us ms s)'"));
    ck_assert(has(zsh, "'*'{-s+,--set=}'["));
    mem_free(bash);
    mem_free(zsh);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", names_every_option}, {"core", offers_words}};
    return suite_run("completion", tests, sizeof tests / sizeof *tests);
}
