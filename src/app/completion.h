// SPDX-License-Identifier: Apache-2.0
// completion: what a shell needs to complete a command line of recfleet: a script for bash or zsh
// with every command and option, what may be their values (words where the table knows them, files
// otherwise) and what files a command takes. It is made from the table of commands (cmd.h) and
// needs neither the program nor anything else at the time of completion.
//
//     eval "$(recfleet help --completion bash)"
#ifndef APP_COMPLETION_H
#define APP_COMPLETION_H

#include <stdio.h>

enum completion_shell { COMPLETION_BASH, COMPLETION_ZSH };
extern const char *const completion_shells[]; // "bash" "zsh" NULL

// Writes the script. Errors show in `out`.
void completion_print(FILE *out, enum completion_shell shell);

#endif
