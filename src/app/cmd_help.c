// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/completion.h"
#include "app/manual.h"

static const struct cmd_option options[] = {
    {"--man", 0, NULL, "print the manual page, of the program or the command, as roff"},
    {"--completion", 0, "SHELL", "print what completes command lines in bash or zsh"},
    {NULL, 0, NULL, NULL}};

static const char *word(const char *option, size_t i)
{
    if (option)
        return strcmp(option, "--completion") == 0 ? completion_shells[i] : NULL;
    return cmd_table[i] ? cmd_table[i]->name : NULL;
}

static int complete(const char *shell, struct err *err)
{
    for (int i = 0; completion_shells[i]; i++)
        if (strcmp(shell, completion_shells[i]) == 0) {
            completion_print(stdout, i);
            return 0;
        }
    return err_set(err, ERR_STUDY,
                   "recfleet help: --completion: expected bash or zsh, got \"%.80s\"", shell);
}

static int help(struct cmd_line *line, struct err *err)
{
    const struct cmd *cmd = line->n_args ? cmd_find(line->args[0]) : NULL;
    bool man = cmd_given(line, "--man");
    if (cmd_given(line, "--completion"))
        return complete(cmd_value(line, "--completion", ""), err);
    if (line->n_args && !cmd)
        return err_set(err, ERR_STUDY,
                       "recfleet help: unknown command \"%.80s\"; see: recfleet help",
                       line->args[0]);
    if (man && cmd)
        manual_print_command(stdout, cmd);
    else if (man)
        manual_print(stdout);
    else if (cmd)
        cmd_print_help(cmd, stdout);
    else
        cmd_print_overview(stdout);
    return 0;
}

const struct cmd cmd_help = {
    .name = "help",
    .help = "explain a command, or print a manual page",
    .arguments = "[COMMAND]",
    .min_args = 0,
    .max_args = 1,
    .description =
        "Without a command it lists all of them. With --man it prints the manual page that comes "
        "with an installed program, with --completion a script for the shell.",
    .example = "recfleet help run --man | man -l -",
    .options = options,
    .word = word,
    .run = help,
};
