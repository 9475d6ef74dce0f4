// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"

static const struct cmd_option options[] = {
    {"--man", 0, NULL, "print the manual page recfleet(1) as roff"}, {NULL, 0, NULL, NULL}};

static int help(struct cmd_line *line, struct err *err)
{
    if (cmd_given(line, "--man")) {
        cmd_print_man(stdout);
        return 0;
    }
    if (line->n_args == 0) {
        cmd_print_overview(stdout);
        return 0;
    }
    const struct cmd *cmd = cmd_find(line->args[0]);
    if (!cmd)
        return err_set(err, ERR_STUDY,
                       "recfleet help: unknown command \"%.80s\"; see: recfleet help",
                       line->args[0]);
    cmd_print_help(cmd, stdout);
    return 0;
}

const struct cmd cmd_help = {
    .name = "help",
    .help = "explain a command, or print the manual page",
    .arguments = "[COMMAND]",
    .min_args = 0,
    .max_args = 1,
    .description = "Without a command it lists all of them.",
    .example = "recfleet help --man | man -l -",
    .options = options,
    .run = help,
};
