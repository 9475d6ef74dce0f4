// SPDX-License-Identifier: Apache-2.0
// manual: the manual pages, as roff: recfleet(1) for the program and recfleet-run(1) and so on for
// its commands. All of it is from the table of commands (cmd.h), so that a page cannot lag behind.
//
//     recfleet help --man | man -l -
//     recfleet help --man run > recfleet-run.1
#ifndef APP_MANUAL_H
#define APP_MANUAL_H

#include <stdio.h>

#include "app/cmd.h"

// Writes the page of the program, of a command. Errors show in `out`.
void manual_print(FILE *out);
void manual_print_command(FILE *out, const struct cmd *cmd);

#endif
