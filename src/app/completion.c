// SPDX-License-Identifier: Apache-2.0
#include "app/completion.h"

#include <string.h>

#include "app/cmd.h"

const char *const completion_shells[] = {"bash", "zsh", NULL};

// ---- what may be where

// The i-th word that may be the option's value; NULL: none, or behind the last.
static const char *word_of(const struct cmd *cmd, const struct cmd_option *option, size_t i)
{
    if (strcmp(option->name, "--format") != 0)
        return cmd->word && option->value ? cmd->word(option->name, i) : NULL;
    unsigned formats = cmd->formats ? cmd->formats : CMD_TABLE_FORMATS;
    for (size_t f = 0, n = 0; f < N_REPORT_FORMATS; f++)
        if (formats >> f & 1 && n++ == i)
            return report_format_names[f];
    return NULL;
}

// "FILE", or "FILE|LABELS".
static bool is_file(const struct cmd_option *option)
{
    return option->value && strncmp(option->value, "FILE", 4) == 0;
}

// The words before the blank of "make|inspect FILE", "ns|us|ms".
static void print_choices(FILE *out, const char *text)
{
    for (; *text && *text != ' '; text++)
        fputc(*text == '|' ? ' ' : *text, out);
}

// Is it one of a few words? They are of the table, or written "ns|us|ms".
static bool has_values(const struct cmd *cmd, const struct cmd_option *option)
{
    return word_of(cmd, option, 0) || (!is_file(option) && strchr(option->value, '|'));
}

static void print_values(FILE *out, const struct cmd *cmd, const struct cmd_option *option)
{
    for (size_t i = 0; word_of(cmd, option, i); i++)
        fprintf(out, "%s%s", i ? " " : "", word_of(cmd, option, i));
    if (!word_of(cmd, option, 0) && has_values(cmd, option))
        print_choices(out, option->value);
}

// Is the first argument one of a few words? They are of the table, or written "make|inspect FILE".
static bool has_words(const struct cmd *cmd)
{
    return (cmd->word && cmd->word(NULL, 0)) || strchr(cmd->arguments, '|');
}

static void print_words(FILE *out, const struct cmd *cmd)
{
    for (size_t i = 0; cmd->word && cmd->word(NULL, i); i++)
        fprintf(out, "%s%s", i ? " " : "", cmd->word(NULL, i));
    if (!cmd->word || !cmd->word(NULL, 0))
        print_choices(out, cmd->arguments);
}

// The names of the files that its arguments are, by the end; "*": any, NULL: they are no files.
static const char *files_of(const struct cmd *cmd)
{
    if (strstr(cmd->arguments, "STUDY"))
        return "*.yaml";
    return strstr(cmd->arguments, ".h5") ? "*.h5" : strstr(cmd->arguments, "FILE") ? "*" : NULL;
}

// ---- bash

static void bash_options(FILE *out, const struct cmd_option *options)
{
    for (const struct cmd_option *o = options; o && o->name; o++)
        fprintf(out, " %s", o->name);
}

// A line of the `case` for each option with a value: its words, or files. The value of another is
// the user's to know.
static void bash_values(FILE *out, const struct cmd *cmd)
{
    for (const struct cmd_option *o = cmd->options; o && o->name; o++) {
        if (!o->value)
            continue;
        fprintf(out, "    %s:%s", cmd->name, o->name);
        if (o->letter)
            fprintf(out, " | %s:-%c", cmd->name, o->letter);
        fprintf(out, ") %s=\"", is_file(o) ? "files" : "words");
        print_values(out, cmd, o);
        fprintf(out, "%s\" ;;\n", is_file(o) ? "*" : "");
    }
}

static void bash_command(FILE *out, const struct cmd *cmd)
{
    fprintf(out, "    %s:*) files=\"%s\" options=\"", cmd->name,
            files_of(cmd) ? files_of(cmd) : "");
    bash_options(out, cmd->options);
    bash_options(out, cmd_common_options);
    fputc('"', out);
    if (has_words(cmd)) {
        fprintf(out, "\n        [ \"$COMP_CWORD\" != 2 ] || { files='' words=\"");
        print_words(out, cmd);
        fprintf(out, "\"; }");
    }
    fprintf(out, " ;;\n");
}

static void print_bash(FILE *out)
{
    fprintf(out, "# bash completion for recfleet, made by \"recfleet help --completion bash\"\n"
                 "_recfleet()\n{\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                 "    local words='' files='' options=''\n"
                 "    # bash takes --format=json for three words\n"
                 "    if [ \"$cur\" = = ]; then\n        cur=''\n"
                 "    elif [ \"$prev\" = = ]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
                 "    fi\n    case ${COMP_WORDS[1]}:$prev in\n");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        bash_values(out, *cmd);
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        bash_command(out, *cmd);
    fprintf(out, "    esac\n    if [ \"$COMP_CWORD\" = 1 ]; then\n        files='' words=\"");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        fprintf(out, "%s ", (*cmd)->name);
    fprintf(out, "--help --version\"\n"
                 "    elif [ \"${cur:0:1}\" = - ] && [ -n \"$options\" ]; then\n"
                 "        files='' words=$options\n    fi\n    COMPREPLY=()\n"
                 "    if [ -n \"$files\" ]; then\n        compopt -o filenames 2>/dev/null\n"
                 "        mapfile -t COMPREPLY < <(compgen -f -X \"!$files\" -- \"$cur\"\n"
                 "            [ \"$files\" = '*' ] || compgen -d -- \"$cur\")\n"
                 "    else\n        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                 "    fi\n}\ncomplete -F _recfleet recfleet\n");
}

// ---- zsh

// Text inside '...' of _arguments, which reads ':' and brackets itself.
static void zsh_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, "%s%c", strchr(":[]\\", *p) ? "\\" : "", *p);
    }
}

static void zsh_option(FILE *out, const struct cmd *cmd, const struct cmd_option *o)
{
    bool again = strcmp(o->name, "--set") == 0; // may be given several times
    fprintf(out, " \\\n            ");
    if (o->letter && again)
        fprintf(out, "'*'{-%c+,%s=}'[", o->letter, o->name);
    else if (o->letter)
        fprintf(out, "'(-%c %s)'{-%c%s,%s%s}'[", o->letter, o->name, o->letter, o->value ? "+" : "",
                o->name, o->value ? "=" : "");
    else
        fprintf(out, "'%s%s[", o->name, o->value ? "=" : "");
    zsh_text(out, o->help);
    fputc(']', out);
    if (o->value) {
        bool values = has_values(cmd, o);
        fprintf(out, ":%s:%s", o->value, is_file(o) ? "_files" : values ? "(" : "");
        print_values(out, cmd, o);
        fprintf(out, "%s", values ? ")" : "");
    }
    fputc('\'', out);
}

static void zsh_command(FILE *out, const struct cmd *cmd)
{
    fprintf(out, "    %s)\n        _arguments -s", cmd->name);
    for (const struct cmd_option *o = cmd->options; o && o->name; o++)
        zsh_option(out, cmd, o);
    for (const struct cmd_option *o = cmd_common_options; o->name; o++)
        zsh_option(out, cmd, o);
    if (has_words(cmd)) {
        fprintf(out, " \\\n            '1:%s:(", cmd->name);
        print_words(out, cmd);
        fprintf(out, ")'");
    }
    if (files_of(cmd))
        fprintf(out, " \\\n            '*:file:_files -g \"%s\"'", files_of(cmd));
    fprintf(out, "\n        ;;\n");
}

static void print_zsh(FILE *out)
{
    fprintf(out, "#compdef recfleet\n"
                 "# zsh completion for recfleet, made by \"recfleet help --completion zsh\"\n"
                 "_recfleet() {\n    local -a commands\n    commands=(\n");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
        fprintf(out, "        '%s:", (*cmd)->name);
        zsh_text(out, (*cmd)->help);
        fprintf(out, "'\n");
    }
    fprintf(out, "    )\n    if (( CURRENT == 2 )); then\n"
                 "        _describe command commands\n        return\n    fi\n"
                 "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
                 "    case $command in\n");
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++)
        zsh_command(out, *cmd);
    fprintf(out, "    esac\n}\n"
                 "# Found through fpath it is called the first time; sourced, it asks to be.\n"
                 "if [ \"$funcstack[1]\" = _recfleet ]; then\n    _recfleet \"$@\"\n"
                 "else\n    compdef _recfleet recfleet\nfi\n");
}

void completion_print(FILE *out, enum completion_shell shell)
{
    (shell == COMPLETION_BASH ? print_bash : print_zsh)(out);
}
