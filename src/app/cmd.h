// SPDX-License-Identifier: Apache-2.0
// cmd: what the program can do, as one table.
//
// A command is a const descriptor: name, help, options, example, function. The command line is
// checked against it, and `--help`, the manual pages (manual.h) and the completion of shells
// (completion.h) are printed from it, so an option exists in exactly one place. A new command is
// one file cmd_x.c and one line in cmd_table[].
//
// The exit status of the program, see cmd_exit_help[]: 0 done, 1 failed, 2 usage or bad study,
// 3 a target missed with --require-sla, or that nothing holds, 4 stopped at a checkpoint, 5 a sweep
// that is not complete.
#ifndef APP_CMD_H
#define APP_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/schema.h"
#include "results/report/report_out.h"

enum cmd_exit {
    CMD_DONE = 0,
    CMD_FAILED = 1,
    CMD_USAGE = 2,
    CMD_SLA_MISSED = 3,
    CMD_STOPPED = 4,
    CMD_INCOMPLETE = 5
};

struct cmd_option {
    const char *name;  // "--output"
    char letter;       // 'o'; 0: none
    const char *value; // "FILE"; NULL: a switch
    const char *help;  // one line
};

// Of every command with tables: what it prints on stdout is for people, or for programs.
#define CMD_TABLE_FORMATS                                                                          \
    (1u << REPORT_TEXT | 1u << REPORT_JSON | 1u << REPORT_CSV | 1u << REPORT_MD)
#define CMD_FORMAT                                                                                 \
    {                                                                                              \
        "--format", 0, "FORMAT", "text or md for people; json or csv: the tables, for programs"    \
    }

// Of every command that reads a study or lists what one can name.
#define CMD_CATALOG                                                                                \
    {                                                                                              \
        "--catalog", 0, "DIR",                                                                     \
            "models, platforms, accelerators and tables of your own, *.yaml; "                     \
            "else RECFLEET_CATALOG"                                                                \
    }

struct claim;
struct cmd_line;

struct cmd {
    const char *name;                 // "run"
    const char *help;                 // one line
    const char *arguments;            // "STUDY"
    int min_args, max_args;           // max -1: no limit
    const char *description;          // a paragraph
    const char *example;              // a command line with its comment
    const struct cmd_option *options; // ends with a NULL name; NULL: none
    unsigned formats; // of CMD_FORMAT, bits 1u << enum report_format; 0: CMD_TABLE_FORMATS
    // Exit statuses beyond done, failed and usage: bits 1u << enum cmd_exit. For --help.
    unsigned exits;
    // For completion: the i-th word that may be the value of `option`, or its first argument where
    // that is NULL; NULL behind the last, and where only the user knows. May be NULL.
    const char *(*word)(const char *option, size_t i);
    // Does it: 0, with what the program ends with in line->status; or -1, with the one line to
    // print in err.
    int (*run)(struct cmd_line *line, struct err *err);
    int plans;   // how it reads a study: enum survey_plans
    bool shared; // do several ranks carry it out together? Else one process alone does
};

extern const struct cmd *const cmd_table[];          // ends with NULL
extern const struct cmd_option cmd_common_options[]; // of every command
extern const char *const cmd_exit_help[];            // one line per status, ends with NULL

// A command line that fits its command. The texts are borrowed from argv.
#define CMD_MAX_WORDS 4096
struct cmd_line {
    const struct cmd *cmd;
    const char *args[CMD_MAX_WORDS];
    size_t n_args;
    struct {
        const struct cmd_option *option;
        const char *value; // NULL for a switch
    } given[CMD_MAX_WORDS];
    size_t n_given;
    const char *settings[CMD_MAX_WORDS]; // the values of every --set
    size_t n_settings;
    int argc; // the whole command line
    char **argv;
    const char *text;     // the same as typed, for the record; of main()
    enum cmd_exit status; // of a command that did what it could
    bool silent;          // the error has been printed, here or by another rank
    struct claim *claim;  // on the output, of app/job.h; NULL: none
};

// The command of that name, NULL when there is none.
const struct cmd *cmd_find(const char *name);

// Sorts argv[2 .. argc) into *line by the command's options. A usage error is ERR_STUDY.
int cmd_parse(const struct cmd *cmd, int argc, char **argv, struct cmd_line *line, struct err *err);

// Whether an option was given; its last value, or `other`.
bool cmd_given(const struct cmd_line *line, const char *name);
const char *cmd_value(const struct cmd_line *line, const char *name, const char *other);
// The folder of --catalog, or of the environment; NULL: none.
const char *cmd_catalog(const struct cmd_line *line);
// Where its report goes, in the format that --format says: stdout.
struct report_out cmd_report_out(const struct cmd_line *line);
// The options with the keys of `fields` ("--nodes") into *config, which keeps what it has of those
// that were not given.
int cmd_read(const struct cmd_line *line, const struct field *fields, void *config,
             struct err *err);

// The command line as typed, for the record; caller mem_free()s.
char *cmd_text(const struct cmd_line *line);

// The exit status of an error; the same, after printing its one line to stderr.
int cmd_status(const struct err *err);
int cmd_fail(const struct err *err);

// A study_note_fn whose user is a struct report_out or NULL: a warning to stderr, anything else as
// a line of that report, and without one to stderr, too.
void cmd_tell(void *user, bool is_warning, const char *text);

// The exit statuses that it can end with: bits 1u << enum cmd_exit.
unsigned cmd_exits(const struct cmd *cmd);
// What --help prints: of the program, of a command.
void cmd_print_overview(FILE *out);
void cmd_print_help(const struct cmd *cmd, FILE *out);

// The variants, one file each.
extern const struct cmd cmd_run, cmd_sweep, cmd_merge, cmd_submit, cmd_tune, cmd_capacity,
    cmd_check, cmd_schema, cmd_list, cmd_show, cmd_report, cmd_compare, cmd_trace, cmd_model,
    cmd_fit, cmd_profile, cmd_serve, cmd_help;

#endif
