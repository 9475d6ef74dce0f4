// SPDX-License-Identifier: Apache-2.0
#include "app/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static struct cmd_line *parsed(struct err *err, int argc, const char *const *argv)
{
    struct cmd_line *line = mem_calloc(1, sizeof *line);
    *err = (struct err){0};
    int rc = cmd_parse(&cmd_run, argc, (char **)argv, line, err);
    ck_assert_int_eq(rc, *err->text ? -1 : 0);
    return line;
}

// Options stand anywhere, in each of their spellings; the last value counts.
START_TEST(options_in_every_spelling)
{
    const char *const argv[] = {"recfleet", "run",    "--output=a.h5", "s.yaml",
                                "-f",       "-ob.h5", "--set",         "x=1",
                                "-s",       "y=--2",  "--output",      "last.h5"};
    struct err err;
    struct cmd_line *line = parsed(&err, 12, argv);
    ck_assert_uint_eq(line->n_args, 1);
    ck_assert_str_eq(line->args[0], "s.yaml");
    ck_assert(cmd_given(line, "--force"));
    ck_assert(!cmd_given(line, "--quiet"));
    ck_assert_str_eq(cmd_value(line, "--output", "none"), "last.h5");
    ck_assert_str_eq(cmd_value(line, "--layout", "none"), "none");
    ck_assert_uint_eq(line->n_settings, 2);
    ck_assert_str_eq(line->settings[1], "y=--2");
    mem_free(line);
}
END_TEST

// Behind "--" nothing is an option; a lone "-" is an argument.
START_TEST(end_of_options)
{
    const char *const argv[] = {"recfleet", "run", "--", "--force"};
    const char *const dash[] = {"recfleet", "run", "-"};
    struct err err;
    struct cmd_line *line = parsed(&err, 4, argv);
    ck_assert_str_eq(line->args[0], "--force");
    ck_assert(!cmd_given(line, "--force"));
    mem_free(line);
    line = parsed(&err, 3, dash);
    ck_assert_str_eq(line->args[0], "-");
    mem_free(line);
}
END_TEST

// --help needs no argument to be right.
START_TEST(help_without_arguments)
{
    const char *const argv[] = {"recfleet", "run", "-h"};
    struct err err;
    struct cmd_line *line = parsed(&err, 3, argv);
    ck_assert(cmd_given(line, "--help"));
    mem_free(line);
}
END_TEST

// Every command has what help and the man page print, options are unique, and it is found by name.
START_TEST(table_is_complete)
{
    for (const struct cmd *const *cmd = cmd_table; *cmd; cmd++) {
        ck_assert_ptr_eq(cmd_find((*cmd)->name), *cmd);
        ck_assert(*(*cmd)->help && *(*cmd)->description && *(*cmd)->example && (*cmd)->run);
        for (const struct cmd_option *o = (*cmd)->options; o && o->name; o++) {
            ck_assert_msg(strncmp(o->name, "--", 2) == 0 && *o->help, "%s %s", (*cmd)->name,
                          o->name);
            for (const struct cmd_option *other = (*cmd)->options; other != o; other++)
                ck_assert(strcmp(other->name, o->name) != 0 &&
                          (!o->letter || o->letter != other->letter));
            for (const struct cmd_option *common = cmd_common_options; common->name; common++)
                ck_assert(strcmp(common->name, o->name) != 0 && o->letter != 'h');
        }
    }
    ck_assert_ptr_null(cmd_find("runn"));
}
END_TEST

// Whether the help of a command lists that exit status.
static bool lists(const struct cmd *cmd, enum cmd_exit status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cmd_print_help(cmd, out);
    fclose(out);
    char *line = mem_printf("  %s\n", cmd_exit_help[status]);
    bool found = strstr(text, line) != NULL;
    free(text);
    mem_free(line);
    return found;
}

// --help lists the exit statuses that the command can end with, and no others.
START_TEST(help_lists_own_exits)
{
    ck_assert(lists(&cmd_run, CMD_DONE) && lists(&cmd_check, CMD_DONE));
    ck_assert(lists(&cmd_run, CMD_USAGE) && lists(&cmd_check, CMD_USAGE));
    ck_assert(lists(&cmd_run, CMD_SLA_MISSED) && lists(&cmd_run, CMD_STOPPED));
    ck_assert(!lists(&cmd_run, CMD_INCOMPLETE));
    for (enum cmd_exit status = CMD_SLA_MISSED; status <= CMD_INCOMPLETE; status++)
        ck_assert(!lists(&cmd_check, status));
}
END_TEST

// Values are read by their fields; those that are not given stay, bad ones name the option.
START_TEST(reads_values)
{
    struct sizes {
        int64_t window_ns, layout_ns;
    } sizes = {1, 2};
    const struct field fields[] = {
        FIELD(sizes, "--window", FIELD_TIME, UNIT_TIME, window_ns, 1, 1e18, NULL, ""),
        FIELD(sizes, "--layout", FIELD_TIME, UNIT_TIME, layout_ns, 1, 1e18, NULL, ""), FIELD_END};
    const char *const argv[] = {"recfleet", "run", "s", "--window", "2ms"};
    const char *const bad[] = {"recfleet", "run", "s", "--window", "0"};
    struct err err;
    struct cmd_line *line = parsed(&err, 5, argv);
    ck_assert_int_eq(cmd_read(line, fields, &sizes, &err), 0);
    ck_assert_int_eq(sizes.window_ns, 2000000);
    ck_assert_int_eq(sizes.layout_ns, 2);
    mem_free(line);
    line = parsed(&err, 5, bad);
    ck_assert_int_eq(cmd_read(line, fields, &sizes, &err), -1);
    ck_assert_int_eq(strncmp(err.text, "recfleet run: --window: expected a time", 39), 0);
    mem_free(line);
}
END_TEST

// Usage errors name the command, and the nearest option.
START_TEST(usage_errors)
{
    const char *const unknown[] = {"recfleet", "run", "s.yaml", "--forse"};
    const char *const valueless[] = {"recfleet", "run", "s.yaml", "--force=yes"};
    const char *const missing[] = {"recfleet", "run", "s.yaml", "-o"};
    const char *const many[] = {"recfleet", "run", "a", "b"};
    struct err err;
    mem_free(parsed(&err, 4, unknown));
    ck_assert_str_eq(err.text,
                     "recfleet run: unknown option \"--forse\"; did you mean \"--force\"?");
    ck_assert_int_eq(err.code, ERR_STUDY);
    mem_free(parsed(&err, 4, valueless));
    ck_assert_str_eq(err.text, "recfleet run: option --force takes no value");
    mem_free(parsed(&err, 4, missing));
    ck_assert_str_eq(err.text, "recfleet run: option --output needs a FILE");
    mem_free(parsed(&err, 4, many));
    ck_assert_str_eq(err.text,
                     "recfleet run: expected STUDY, got 2 arguments; see: recfleet run --help");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", options_in_every_spelling},
                                       {"core", table_is_complete},
                                       {"core", help_lists_own_exits},
                                       {"limits", end_of_options},
                                       {"limits", help_without_arguments},
                                       {"errors", reads_values},
                                       {"errors", usage_errors}};
    return suite_run("cmd", tests, sizeof tests / sizeof *tests);
}
