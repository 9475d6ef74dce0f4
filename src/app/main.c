// SPDX-License-Identifier: Apache-2.0
// The program: finds the command, checks the command line, prints the one error line.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/job.h"
#include "app/version.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/schema.h"

static int unknown_command(const char *name)
{
    const char *names[32];
    size_t n = 0;
    struct err err;
    while (cmd_table[n] && n < 32) {
        names[n] = cmd_table[n]->name;
        n++;
    }
    const char *near = schema_nearest(name, names, n);
    err_set(&err, ERR_STUDY, "recfleet: unknown command \"%.80s\"", name);
    if (near)
        err_append(&err, "; did you mean \"%s\"?", near);
    else
        err_append(&err, "; see: recfleet --help");
    return cmd_fail(&err);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct cmd_line *line = mem_calloc(1, sizeof *line);
    struct err err = {0};
    int status = CMD_DONE;
    char *text = NULL;
    if (cmd_parse(cmd, argc, argv, line, &err) < 0) {
        status = cmd_fail(&err);
    } else if (cmd_given(line, "--help")) {
        cmd_print_help(cmd, stdout);
    } else if (cmd_given(line, "--version")) {
        version_print(stdout);
    } else {
        line->text = text = cmd_text(line);
        int rc = cmd->shared ? 0 : job_alone(line, &err);
        if (rc == 0)
            rc = cmd->run(line, &err);
        if (rc == 0)
            status = (int)line->status;
        else
            status = line->silent ? cmd_status(&err) : job_fail(line, &err);
    }
    mem_free(text);
    mem_free(line);
    return status;
}

static int carry_out(int argc, char **argv)
{
    if (argc < 2) {
        cmd_print_overview(stderr);
        return CMD_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cmd_print_overview(stdout);
        return CMD_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        version_print(stdout);
        return CMD_DONE;
    }
    const struct cmd *cmd = cmd_find(argv[1]);
    return cmd ? run(cmd, argc, argv) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
    log_init(LOG_INFO, 0);
    // A file longer than the user's limit is then an error of the write (EFBIG), as a full disk is,
    // whatever library writes; by default the signal would end the program in the middle of it.
    signal(SIGXFSZ, SIG_IGN);
    int status = carry_out(argc, argv);
    // A full disk shows only here when the output went to a file.
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (lost && status == CMD_DONE) {
        struct err err;
        err_set(&err, ERR_FAIL, "cannot write to standard output");
        status = cmd_fail(&err);
    }
    return status;
}
