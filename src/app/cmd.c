// SPDX-License-Identifier: Apache-2.0
#include "app/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

const struct cmd *const cmd_table[] = {
    &cmd_run,    &cmd_sweep,   &cmd_merge, &cmd_submit, &cmd_tune,    &cmd_capacity, &cmd_check,
    &cmd_schema, &cmd_list,    &cmd_show,  &cmd_report, &cmd_compare, &cmd_trace,    &cmd_model,
    &cmd_fit,    &cmd_profile, &cmd_serve, &cmd_help,   NULL};

const struct cmd_option cmd_common_options[] = {
    {"--help", 'h', NULL, "say what the command does and takes"},
    {"--version", 0, NULL, "print the versions of the program and of what it is built with"},
    {NULL, 0, NULL, NULL}};

const char *const cmd_exit_help[] = {
    "0  done",
    "1  failed: the run could not be done or its results not be written",
    "2  usage: the command line, the study or a file it names is wrong",
    "3  a latency target was not met and --require-sla was given, or nothing holds it (capacity)",
    "4  stopped by a signal and saved: resume with the same command (run, tune, capacity: "
    "--resume; profile: models that were done are there; serve: what was measured is there)",
    "5  points of a sweep are missing or failed; the others are there",
    NULL};

int cmd_status(const struct err *err)
{
    return err->code == ERR_STUDY ? CMD_USAGE : CMD_FAILED;
}

// A user's mistake begins with where it is (file:line:column), so that editors find it.
int cmd_fail(const struct err *err)
{
    fprintf(stderr, "%s%s\n", err->code == ERR_STUDY ? "" : "recfleet: ", err->text);
    return cmd_status(err);
}

const struct cmd *cmd_find(const char *name)
{
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        if (strcmp((*cmd)->name, name) == 0)
            return *cmd;
    return NULL;
}

// The option that a word beginning with '-' names, by its letter or its name up to a '='.
static const struct cmd_option *find_option(const struct cmd *cmd, const char *word)
{
    const struct cmd_option *const lists[] = {cmd->options, cmd_common_options};
    size_t len = strcspn(word, "=");
    for (size_t i = 0; i < 2; i++)
        for (const struct cmd_option *o = lists[i]; o && o->name; o++)
            if (word[1] == '-' ? strlen(o->name) == len && strncmp(o->name, word, len) == 0
                               : o->letter == word[1])
                return o;
    return NULL;
}

static int unknown_option(const struct cmd *cmd, const char *word, struct err *err)
{
    const struct cmd_option *const lists[] = {cmd->options, cmd_common_options};
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < 2; i++)
        for (const struct cmd_option *o = lists[i]; o && o->name && n < 64; o++)
            names[n++] = o->name;
    const char *near = schema_nearest(word, names, n);
    err_set(err, ERR_STUDY, "recfleet %s: unknown option \"%.80s\"", cmd->name, word);
    if (near)
        return err_append(err, "; did you mean \"%s\"?", near);
    return err_append(err, "; see: recfleet %s --help", cmd->name);
}

// One word that begins with '-'. *i moves on when the option takes the next word as its value.
static int parse_option(struct cmd_line *line, int *i, struct err *err)
{
    const char *word = line->argv[*i], *name = line->cmd->name;
    const struct cmd_option *option = find_option(line->cmd, word);
    size_t len = word[1] == '-' ? strcspn(word, "=") : 2;
    const char *value = !word[len] ? NULL : word[1] == '-' ? word + len + 1 : word + len;
    if (!option)
        return unknown_option(line->cmd, word, err);
    if (!option->value && value)
        return err_set(err, ERR_STUDY, "recfleet %s: option %s takes no value", name, option->name);
    if (option->value && !value && *i + 1 >= line->argc)
        return err_set(err, ERR_STUDY, "recfleet %s: option %s needs a %s", name, option->name,
                       option->value);
    if (option->value && !value)
        value = line->argv[++*i];
    line->given[line->n_given].option = option;
    line->given[line->n_given++].value = value;
    if (strcmp(option->name, "--set") == 0)
        line->settings[line->n_settings++] = value;
    return 0;
}

static int format_of(const struct cmd_line *line)
{
    const char *name = cmd_value(line, "--format", report_format_names[REPORT_TEXT]);
    unsigned allowed = line->cmd->formats ? line->cmd->formats : CMD_TABLE_FORMATS;
    int format = 0;
    while (format < N_REPORT_FORMATS &&
           (!(allowed >> format & 1) || strcmp(report_format_names[format], name) != 0))
        format++;
    return format;
}

static int wrong_format(const struct cmd_line *line, struct err *err)
{
    unsigned allowed = line->cmd->formats ? line->cmd->formats : CMD_TABLE_FORMATS;
    err_set(err, ERR_STUDY, "recfleet %s: --format: expected", line->cmd->name);
    for (int i = 0, n = 0; i < N_REPORT_FORMATS; i++)
        if (allowed >> i & 1)
            err_append(err, "%s%s", n++ ? allowed >> (i + 1) ? ", " : " or " : " ",
                       report_format_names[i]);
    return err_append(err, ", got \"%.80s\"", cmd_value(line, "--format", ""));
}

struct report_out cmd_report_out(const struct cmd_line *line)
{
    return (struct report_out){.file = stdout, .format = format_of(line)};
}

int cmd_parse(const struct cmd *cmd, int argc, char **argv, struct cmd_line *line, struct err *err)
{
    bool options = true;
    memset(line, 0, sizeof *line);
    line->cmd = cmd;
    line->argc = argc;
    line->argv = argv;
    if (argc > CMD_MAX_WORDS)
        return err_set(err, ERR_STUDY, "recfleet %s: more than %d words", cmd->name, CMD_MAX_WORDS);
    for (int i = 2; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1]) {
            if (parse_option(line, &i, err) < 0)
                return -1;
        } else {
            line->args[line->n_args++] = argv[i];
        }
    }
    if (cmd_given(line, "--help") || cmd_given(line, "--version"))
        return 0;
    int n = (int)line->n_args;
    if (n < cmd->min_args || (cmd->max_args >= 0 && n > cmd->max_args))
        return err_set(err, ERR_STUDY,
                       "recfleet %s: expected %s, got %d argument%s; see: recfleet %s --help",
                       cmd->name, *cmd->arguments ? cmd->arguments : "no argument", n,
                       n == 1 ? "" : "s", cmd->name);
    for (int i = 0; i < n; i++)
        if (!*line->args[i])
            return err_set(err, ERR_STUDY, "recfleet %s: expected %s, got an empty argument",
                           cmd->name, cmd->arguments);
    if (format_of(line) == N_REPORT_FORMATS)
        return wrong_format(line, err);
    return 0;
}

bool cmd_given(const struct cmd_line *line, const char *name)
{
    for (size_t i = 0; i < line->n_given; i++)
        if (strcmp(line->given[i].option->name, name) == 0)
            return true;
    return false;
}

const char *cmd_value(const struct cmd_line *line, const char *name, const char *other)
{
    for (size_t i = line->n_given; i > 0; i--)
        if (strcmp(line->given[i - 1].option->name, name) == 0)
            return line->given[i - 1].value;
    return other;
}

const char *cmd_catalog(const struct cmd_line *line)
{
    return cmd_value(line, "--catalog", getenv("RECFLEET_CATALOG"));
}

int cmd_read(const struct cmd_line *line, const struct field *fields, void *config, struct err *err)
{
    for (const struct field *field = fields; field->key; field++) {
        const char *text = cmd_value(line, field->key, NULL);
        if (text && schema_parse(field, text, config, err) < 0)
            return err_prefix(err, "recfleet %s: %s", line->cmd->name, field->key);
    }
    return 0;
}

// --- help

void cmd_print_overview(FILE *out)
{
    fprintf(out, "recfleet %s: simulate a fleet of servers for neural recommendation\n\n",
            RECFLEET_VERSION);
    fprintf(out, "usage: recfleet COMMAND [ARGUMENTS] [OPTIONS]\n\ncommands:\n");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        fprintf(out, "  %-10s%s\n", (*cmd)->name, (*cmd)->help);
    fprintf(out, "\nRun \"recfleet COMMAND --help\" for its options and an example.\n");
}

// Prints text in lines of at most 78 columns.
static void print_wrapped(FILE *out, const char *text)
{
    int column = 0;
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, " ");
        if (column > 0 && column + 1 + (int)len > 78) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%s%.*s", column == 0 ? "" : " ", (int)len, p);
        p += len;
        p += *p == ' ';
    }
    fputc('\n', out);
}

static void print_options(FILE *out, const struct cmd_option *options)
{
    for (const struct cmd_option *o = options; o && o->name; o++) {
        char left[64], letter[8] = "    ";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(out, "  %-28s %s\n", left, o->help);
    }
}

unsigned cmd_exits(const struct cmd *cmd)
{
    return 1u << CMD_DONE | 1u << CMD_FAILED | 1u << CMD_USAGE | cmd->exits;
}

void cmd_print_help(const struct cmd *cmd, FILE *out)
{
    fprintf(out, "recfleet %s: %s\n\nusage: recfleet %s%s%s [OPTIONS]\n\n", cmd->name, cmd->help,
            cmd->name, *cmd->arguments ? " " : "", cmd->arguments);
    print_wrapped(out, cmd->description);
    fprintf(out, "\noptions:\n");
    print_options(out, cmd->options);
    print_options(out, cmd_common_options);
    fprintf(out, "\nexample:\n  %s\n\nexit status:\n", cmd->example);
    for (int status = CMD_DONE; cmd_exit_help[status]; status++)
        if (cmd_exits(cmd) >> status & 1)
            fprintf(out, "  %s\n", cmd_exit_help[status]);
}

char *cmd_text(const struct cmd_line *line)
{
    char *text = mem_strdup("recfleet");
    for (int i = 1; i < line->argc; i++) {
        char *longer = mem_printf("%s %s", text, line->argv[i]);
        mem_free(text);
        text = longer;
    }
    return text;
}

void cmd_tell(void *user, bool is_warning, const char *text)
{
    if (is_warning)
        log_warn("%s", text);
    else if (user)
        report_text(user, "  %s\n", text);
    else
        log_info("%s", text);
}
