// SPDX-License-Identifier: Apache-2.0
#include "jobs/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

static int parse(const char *text, struct site *site, struct err *err)
{
    *err = (struct err){0};
    return site_parse("my.env", text, strlen(text), site, err);
}

// The text is refused, nothing is kept, and the line says where and what.
static void refused(const char *text, const char *said)
{
    struct site site;
    struct err err;
    ck_assert_int_eq(parse(text, &site, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_str_eq(err.text, said);
    ck_assert_uint_eq(site.n_settings, 0);
    ck_assert_ptr_null(site.settings);
}

// Comments, empty lines and blanks in front are left out; the two ways to write a value, in which
// nothing is special but the closing quote; order is kept.
START_TEST(reads_settings)
{
    struct site site;
    struct err err;
    int rc = parse("# a comment\n\n \t\n  # another\n  SBATCH_PARTITION=short\n"
                   "RECFLEET_LAUNCHER='srun --mpi=pmix -K1'\nA='$(x) `y` \\ \" ! # ~ *'\n"
                   "EMPTY=\nQUOTED=''\nLAST=x",
                   &site, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_uint_eq(site.n_settings, 6);
    ck_assert_str_eq(site.settings[0], "SBATCH_PARTITION=short");
    ck_assert_str_eq(site_value(&site, "SBATCH_PARTITION"), "short");
    ck_assert_str_eq(site_value(&site, "RECFLEET_LAUNCHER"), "srun --mpi=pmix -K1");
    ck_assert_str_eq(site_value(&site, "A"), "$(x) `y` \\ \" ! # ~ *");
    ck_assert_str_eq(site_value(&site, "EMPTY"), "");
    ck_assert_str_eq(site_value(&site, "QUOTED"), "");
    ck_assert_str_eq(site_value(&site, "LAST"), "x");
    ck_assert_ptr_null(site_value(&site, "LAS"));
    site_release(&site);
}
END_TEST

// What bash makes of an accepted file is what we make of it.
START_TEST(means_what_bash_makes_of_it)
{
    const char *text = "A=a/b.c:d,e@f%g+h=i^j-k_9\nB='two  blanks $X \\n'\n"
                       "C='say \"it\" \t # 5 * ~'\nD=\nE='\xc3\xa4 ; & | < > ( ) { } [ ]'\n";
    const char *const keys[] = {"A", "B", "C", "D", "E"};
    char folder[] = "/tmp/test_site-XXXXXX", *path, *command, said[256];
    struct site site;
    struct err err;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = mem_printf("%s/site.env", folder);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(site_read(path, &site, &err), 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        command = mem_printf("bash -c '. %s; printf %%s \"$%s\"'", path, keys[i]);
        FILE *bash = popen(command, "r");
        size_t n = fread(said, 1, sizeof said - 1, bash);
        ck_assert_int_eq(pclose(bash), 0);
        said[n] = '\0';
        ck_assert_str_eq(site_value(&site, keys[i]), said);
        mem_free(command);
    }
    site_release(&site);
    unlink(path);
    rmdir(folder);
    mem_free(path);
}
END_TEST

// An empty file is a site without wishes; releasing twice does no harm.
START_TEST(empty_file)
{
    struct site site;
    struct err err;
    ck_assert_int_eq(parse("", &site, &err), 0);
    ck_assert_uint_eq(site.n_settings, 0);
    site_release(&site);
    site_release(&site);
}
END_TEST

// What bash would read in another way than we do, and what is no setting, is refused at its column;
// so are Windows' line ends.
START_TEST(refuses_other_lines)
{
    const char *plain = "not plain text: put the whole value in '...'";
    const struct {
        const char *text, *place;
    } cases[] = {{"A=$HOME/x\n", "1:3"},   {"A=~/x\n", "1:3"},     {"\nA=a'b'\n", "2:4"},
                 {"A='a'b\n", "1:3"},      {"A='a'b'\n", "1:5"},   {"A='a' # b\n", "1:3"},
                 {"A=x#y\n", "1:4"},       {"A=a; rm x\n", "1:4"}, {"A=two words\n", "1:6"},
                 {"A=\"$HOME\"\n", "1:3"}, {"A='b\nc'\n", "1:3"},  {"A='\n", "1:3"},
                 {" \tA=$x\n", "1:5"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *said = mem_printf("my.env:%s: %s", cases[i].place, plain);
        refused(cases[i].text, said);
        mem_free(said);
    }
    refused("export A=b\n", "my.env:1:7: expected KEY=VALUE or a comment");
    refused("A = b\n", "my.env:1:2: expected KEY=VALUE or a comment");
    refused("1A=b\n", "my.env:1:3: expected KEY=VALUE or a comment");
    refused("=b\n", "my.env:1:1: expected KEY=VALUE or a comment");
    refused("  A\n", "my.env:1:4: expected KEY=VALUE or a comment");
    const char *windows = "the line ends in \\r\\n, as on Windows: expected \\n alone";
    const struct {
        const char *text, *place;
    } ends[] = {{"A=b\r\n", "1:4"}, {"# c\r\nA='b'\r\n", "2:6"}, {" \r\n", "1:2"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *said = mem_printf("my.env:%s: %s", ends[i].place, windows);
        refused(ends[i].text, said);
        mem_free(said);
    }
}
END_TEST

// A key that nobody reads is a mistake, with the one that was meant; other programs' keys are not
// known here and pass.
START_TEST(refuses_unknown_keys)
{
    struct site site;
    struct err err;
    refused("SBATCH_PARTITON=x\n",
            "my.env:1:1: unknown key \"SBATCH_PARTITON\"; did you mean \"SBATCH_PARTITION\"?");
    refused("\nRECFLEET_MODULE=x\n",
            "my.env:2:1: unknown key \"RECFLEET_MODULE\"; did you mean \"RECFLEET_MODULES\"?");
    refused("RECFLEET_COLOUR_OF_LOGS=x\n",
            "my.env:1:1: unknown key \"RECFLEET_COLOUR_OF_LOGS\"; nobody reads it");
    refused(" SBATCH_EXPORT=NONE\n",
            "my.env:1:2: SBATCH_EXPORT cannot be set: submit always exports "
            "all (--export=ALL); leave it out");
    refused("A=1\nA=2\n", "my.env:2:1: A is set twice");
    ck_assert_int_eq(parse("UCX_TLS=rc\n", &site, &err), 0);
    site_release(&site);
}
END_TEST

// A NUL, which no line of bash holds, and a file that is not there.
START_TEST(refuses_bad_files)
{
    struct site site;
    struct err err;
    ck_assert_int_eq(site_parse("my.env", "A=b\0c\n", 6, &site, &err), -1);
    ck_assert_str_eq(err.text, "my.env:1:4: a NUL character");
    ck_assert_int_eq(site_read("no/such.env", &site, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no/such.env"));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", reads_settings},         {"core", means_what_bash_makes_of_it},
        {"limits", empty_file},           {"errors", refuses_other_lines},
        {"errors", refuses_unknown_keys}, {"errors", refuses_bad_files}};
    return suite_run("site", tests, sizeof tests / sizeof *tests);
}
