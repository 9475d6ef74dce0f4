// SPDX-License-Identifier: Apache-2.0
#include "app/manual.h"

#include <string.h>

// A line of text for roff, with an escape where it would read a command or typeset another sign: a
// plain '-' may become a hyphen, which nobody can search for or copy.
static void print_roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            fputs("\\e", out);
        else if (*p == '-')
            fputs("\\-", out);
        else
            fputc(*p, out);
    }
}

// Of a page, or of a command in it: "recfleet" or "recfleet-run".
static void print_name(FILE *out, const struct cmd *cmd)
{
    fprintf(out, "recfleet%s%s", cmd ? "\\-" : "", cmd ? cmd->name : "");
}

// The date is left empty: the version dates the page, and a build of the same sources is the same.
static void print_head(FILE *out, const struct cmd *cmd, const char *help)
{
    fprintf(out, ".TH RECFLEET");
    for (const char *p = cmd ? cmd->name : ""; *p; p++)
        fprintf(out, "%s%c", p == cmd->name ? "\\-" : "", *p - 'a' + 'A');
    fprintf(out, " 1 \"\" \"recfleet %s\" \"User Commands\"\n.SH NAME\n", RECFLEET_VERSION);
    print_name(out, cmd);
    fprintf(out, " \\- ");
    print_roff(out, help);
    fprintf(out, "\n.SH SYNOPSIS\n.B recfleet\n");
}

static void print_options(FILE *out, const struct cmd_option *options)
{
    for (const struct cmd_option *o = options; o && o->name; o++) {
        fprintf(out, ".TP\n\\fB");
        if (o->letter)
            fprintf(out, "\\-%c\\fR, \\fB", o->letter);
        print_roff(out, o->name);
        fprintf(out, "\\fR%s\\fI%s\\fR\n", o->value ? " " : "", o->value ? o->value : "");
        print_roff(out, o->help);
        fputc('\n', out);
    }
}

// The statuses in the set, bits 1u << enum cmd_exit.
static void print_exits(FILE *out, unsigned statuses)
{
    fprintf(out, ".SH \"EXIT STATUS\"\n");
    for (int status = CMD_DONE; cmd_exit_help[status]; status++)
        if (statuses >> status & 1)
            fprintf(out, ".TP\n.B %c\n%s\n", *cmd_exit_help[status], cmd_exit_help[status] + 3);
}

void manual_print(FILE *out)
{
    print_head(out, NULL, "simulate a fleet of servers for neural recommendation");
    fprintf(out, ".I COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
                 "A study, one YAML file, says which queries arrive and which servers wait for "
                 "them; recfleet simulates every query on every server, on one process or on many "
                 "under MPI, and writes one HDF5 file. The answer does not depend on the number "
                 "of processes.\n.PP\nEach command has a manual page of its own.\n.SH COMMANDS\n");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
        fprintf(out, ".TP\n.BR ");
        print_name(out, *cmd);
        fprintf(out, " (1)\nrecfleet %s", (*cmd)->name);
        if (*(*cmd)->arguments)
            fprintf(out, " \\fI%s\\fR", (*cmd)->arguments);
        fprintf(out, "\n.br\n");
        print_roff(out, (*cmd)->help);
        fputc('\n', out);
    }
    fprintf(out, ".SH \"OPTIONS OF EVERY COMMAND\"\n");
    print_options(out, cmd_common_options);
    print_exits(out, ~0u);
    fprintf(out, ".SH \"SEE ALSO\"\n.BR mpirun (1),\n.BR h5dump (1)\n");
}

void manual_print_command(FILE *out, const struct cmd *cmd)
{
    print_head(out, cmd, cmd->help);
    fprintf(out, ".B %s\n", cmd->name);
    if (*cmd->arguments)
        fprintf(out, ".I %s\n", cmd->arguments);
    fprintf(out, "[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n");
    print_roff(out, cmd->description);
    fprintf(out, "\n.SH OPTIONS\n");
    print_options(out, cmd->options);
    print_options(out, cmd_common_options);
    print_exits(out, cmd_exits(cmd));
    fprintf(out, ".SH EXAMPLE\n.nf\n");
    print_roff(out, cmd->example);
    fprintf(out, "\n.fi\n.SH \"SEE ALSO\"\n.BR recfleet (1)\n");
}
