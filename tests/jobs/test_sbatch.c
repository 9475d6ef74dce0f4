// SPDX-License-Identifier: Apache-2.0
#include "jobs/sbatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

// What bash may get wrong: quotes of all kinds, what it expands, and characters that end a line.
static const char *const nasty[] = {"",
                                    "plain-1.h5",
                                    "two words",
                                    "it's",
                                    "\"quoted\" $HOME `id` $(id) \\ !x",
                                    "line\nbreak",
                                    "tab\tand 'quote'\nand \\n",
                                    "-o",
                                    "*?[a]{b,c}~",
                                    "#not a comment; & | < >",
                                    "\xc3\xa4\xe2\x82\xac",
                                    "traffic[0].model=wnd",
                                    "\r\x7f\x01"
                                    "23"};
#define N_NASTY (sizeof nasty / sizeof *nasty)

// Made by main() for all tests, which run one after the other in processes of their own.
static char folder[] = "/tmp/test_sbatch-XXXXXX";

static char *said_by(const char *command)
{
    char *said = mem_calloc(1, 65536);
    FILE *pipe = popen(command, "r");
    size_t n = fread(said, 1, 65535, pipe);
    ck_assert_int_eq(pclose(pipe), 0);
    said[n] = '\0';
    return said;
}

static void write_file(const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    chmod(path, 0755);
    mem_free(path);
}

// bash reads every quoted word back as it was; the quoted one has no control characters, so it can
// stand behind a '#'.
START_TEST(quotes_for_bash)
{
    for (size_t i = 0; i < N_NASTY; i++) {
        char *quoted = sbatch_quote(nasty[i]);
        for (const char *p = quoted; *p; p++)
            ck_assert_msg((unsigned char)*p >= ' ' && *p != '\177', "%s", quoted);
        char *line = mem_printf("printf %%s %s", quoted);
        write_file("word.sh", line);
        char *command = mem_printf("bash %s/word.sh", folder);
        char *said = said_by(command);
        ck_assert_str_eq(said, nasty[i]);
        mem_free(said);
        mem_free(command);
        mem_free(line);
        mem_free(quoted);
    }
}
END_TEST

// Names are made of what every part of Slurm takes as it is. A name that had to be changed has a
// hash behind, so that no two texts share one.
START_TEST(plain_names)
{
    const char *const cases[][2] = {{"it's %j\n", "it_s__j_-"},
                                    {"-o", "_o-"},
                                    {".hidden", "_hidden-"},
                                    {"", "_-"},
                                    {"a/b\\c", "a_b_c-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *plain = sbatch_plain(cases[i][0]);
        ck_assert_int_eq(strncmp(plain, cases[i][1], strlen(cases[i][1])), 0);
        ck_assert_uint_eq(strlen(plain), strlen(cases[i][1]) + 8);
        mem_free(plain);
    }
    const char *const alike[] = {"a_b", "a b", "a;b", "a  b", "a b ", " a b", "a_b_", "", "_", "-"};
    enum { N = sizeof alike / sizeof *alike };
    char *plain[N];
    for (size_t i = 0; i < N; i++) {
        plain[i] = sbatch_plain(alike[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(plain[i], plain[k]);
    }
    ck_assert_str_eq(plain[0], "a_b");
    for (size_t i = 0; i < N; i++)
        mem_free(plain[i]);
}
END_TEST

// Times as Slurm reads them (sbatch(1), --time).
START_TEST(times)
{
    ck_assert_int_eq(sbatch_time_s("90"), 5400);
    ck_assert_int_eq(sbatch_time_s("1:30"), 90);
    ck_assert_int_eq(sbatch_time_s("1:30:10"), 5410);
    ck_assert_int_eq(sbatch_time_s("2-12"), 60 * 3600);
    ck_assert_int_eq(sbatch_time_s("1-0:30"), 86400 + 1800);
    ck_assert_int_eq(sbatch_time_s("100:59:59"), 101 * 3600 - 1);
    ck_assert_int_eq(sbatch_time_s("1-2:03:04"), 86400 + 7384);
    ck_assert_int_eq(sbatch_time_s("unlimited"), INT64_MAX);
    const char *const wrong[] = {"",        "x",       "1h",   "1:",         ":1",
                                 "1:2:3:4", "-1",      "1-",   "9999999999", "1:60",
                                 "1:99:00", "1:00:60", "1-24", "1-1:60"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(sbatch_time_s(wrong[i]), -1);
    ck_assert_int_eq(sbatch_signal_s("B:USR2@300"), 300);
    ck_assert_int_eq(sbatch_signal_s("USR1"), 60);
    ck_assert_int_eq(sbatch_signal_s("USR1@soon"), -1);
}
END_TEST

// A command gets its words as they are, in the folder, with the site's variables; its output comes
// back whole.
START_TEST(runs_without_a_shell)
{
    char *env[] = {(char *)"SBATCH_QOS=a; b"}, *words[N_NASTY + 2] = {(char *)"said"};
    const char *path = getenv("PATH");
    const struct sbatch_call call = {words, env, 1, folder};
    char *said, *whole = mem_printf("%s|a; b|", folder), *paths = mem_printf("%s:%s", folder, path);
    write_file("said", "#!/bin/sh\nprintf '%s|' \"$PWD\" \"$SBATCH_QOS\" \"$@\"\nexit 3\n");
    for (size_t i = 0; i < N_NASTY; i++) {
        char *longer = mem_printf("%s%s|", whole, nasty[i]);
        mem_free(whole);
        whole = longer;
        words[1 + i] = (char *)nasty[i];
    }
    setenv("PATH", paths, 1);
    ck_assert_int_eq(sbatch_run(&call, &said), 3);
    ck_assert_str_eq(said, whole);
    mem_free(paths);
    mem_free(whole);
    mem_free(said);
}
END_TEST

// Numbers that Slurm prints, and what is none.
START_TEST(reads_what_slurm_says)
{
    char *id = sbatch_parse_id("4711\n");
    ck_assert_str_eq(id, "4711");
    mem_free(id);
    ck_assert_ptr_null(sbatch_parse_id("Submitted batch job 4711\n"));
    ck_assert_ptr_null(sbatch_parse_id("4711x\n"));
    ck_assert_ptr_null(sbatch_parse_id(""));
    char *paths = mem_printf("%s:%s", folder, getenv("PATH"));
    setenv("PATH", paths, 1);
    write_file("scontrol",
               "#!/bin/sh\nprintf 'A = 1\\nMaxArraySize            = 1001\\nB = 2\\n'\n");
    ck_assert_uint_eq(sbatch_max_array(), 1001);
    write_file("scontrol", "#!/bin/sh\necho A = 1\n");
    ck_assert_uint_eq(sbatch_max_array(), 0);
    mem_free(paths);
}
END_TEST

// No Slurm: the status says so, and there is no largest index.
START_TEST(says_that_there_is_none)
{
    char *words[] = {(char *)"sbatch", NULL};
    const struct sbatch_call call = {.words = words};
    char *said;
    setenv("PATH", "/nowhere", 1);
    ck_assert_int_eq(sbatch_run(&call, &said), SBATCH_NOT_FOUND);
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(sbatch_max_array(), 0);
    mem_free(said);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", quotes_for_bash},
                                       {"core", plain_names},
                                       {"core", times},
                                       {"core", runs_without_a_shell},
                                       {"limits", reads_what_slurm_says},
                                       {"errors", says_that_there_is_none}};
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    int status = suite_run("sbatch", tests, sizeof tests / sizeof *tests);
    char *command = mem_printf("rm -r %s", folder);
    if (system(command) != 0)
        status = EXIT_FAILURE;
    mem_free(command);
    return status;
}
