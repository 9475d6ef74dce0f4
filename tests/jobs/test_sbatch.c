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

static const struct site none = {0};

static struct sbatch_job job_with(const char *const *arguments, size_t n)
{
    return (struct sbatch_job){.name = "run.sbatch",
                               .folder = folder,
                               .script = "out.h5.run.sbatch",
                               .options = {"--nodes=2", "--time=1:30"},
                               .n_options = 2,
                               .site = &none,
                               .more = &none,
                               .arguments = arguments,
                               .n_arguments = n};
}

// bash reads every quoted word back as it was, and the word stays on one line.
START_TEST(quotes_for_bash)
{
    for (size_t i = 0; i < N_NASTY; i++) {
        char *quoted = sbatch_quote(nasty[i]);
        ck_assert_ptr_null(strchr(quoted, '\n'));
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

// Names are made of what every part of Slurm takes as it is.
START_TEST(plain_names)
{
    const char *const cases[][2] = {{"out-1.h5", "out-1.h5"},
                                    {"it's %j\n", "it_s__j_"},
                                    {"-o", "_o"},
                                    {".hidden", "_hidden"},
                                    {"", "_"},
                                    {"a/b\\c", "a_b_c"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *plain = sbatch_plain(cases[i][0]);
        ck_assert_str_eq(plain, cases[i][1]);
        ck_assert(sbatch_is_plain(plain));
        mem_free(plain);
    }
    ck_assert(sbatch_is_plain("1-2,4:3%2"));
    ck_assert(!sbatch_is_plain("1 2"));
    ck_assert(!sbatch_is_plain(""));
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
    ck_assert_int_eq(sbatch_time_s("1-2:03:04"), 86400 + 7384);
    ck_assert_int_eq(sbatch_time_s("unlimited"), INT64_MAX);
    const char *const wrong[] = {"", "x", "1h", "1:", ":1", "1:2:3:4", "-1", "1-", "9999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(sbatch_time_s(wrong[i]), -1);
    ck_assert_int_eq(sbatch_signal_s("B:USR2@300"), 300);
    ck_assert_int_eq(sbatch_signal_s("USR1"), 60);
    ck_assert_int_eq(sbatch_signal_s("USR1@soon"), -1);
}
END_TEST

// The script begins as the template, has every option on a line of its own, and is good bash whose
// settings and arguments are those of the job, whatever is in them.
START_TEST(script_holds_it_all)
{
    struct site_setting site[] = {{(char *)"SBATCH_QOS", (char *)"a b"},
                                  {(char *)"A", (char *)"site's"},
                                  {(char *)"B", (char *)"kept\n"}};
    struct site_setting more[] = {{(char *)"A", (char *)"ours"}};
    const struct site wishes = {site, 3}, ours = {more, 1};
    struct sbatch_job job = job_with(nasty, N_NASTY);
    job.site = &wishes;
    job.more = &ours;
    char *script = sbatch_script(&job);
    ck_assert_int_eq(strncmp(script, "#!/usr/bin/env bash\n", 20), 0);
    ck_assert_ptr_nonnull(strstr(script, "\n#SBATCH --requeue\n"));
    ck_assert_ptr_nonnull(strstr(script, "\n#SBATCH --nodes=2\n#SBATCH --time=1:30\n"));
    ck_assert_ptr_nonnull(strstr(script, "SBATCH_QOS='a b' sbatch --parsable --nodes=2"));
    ck_assert_ptr_null(strstr(script, "export SBATCH_"));
    // Up to the arguments, then what they are.
    char *begin = strstr(script, "\nset --"), *end = strchr(begin + 1, '\n');
    char *head = mem_printf("%.*s\nprintf '%%s|' \"$A\" \"$B\" \"$PWD\" \"$@\"\n",
                            (int)(end - script), script);
    write_file("head.sh", head);
    char *command = mem_printf("bash %s/head.sh", folder), *said = said_by(command);
    char *want = mem_printf("ours|kept\n|%s|", folder);
    for (size_t i = 0; i < N_NASTY; i++) {
        char *longer = mem_printf("%s%s|", want, nasty[i]);
        mem_free(want);
        want = longer;
    }
    ck_assert_str_eq(said, want);
    mem_free(want);
    mem_free(said);
    mem_free(command);
    mem_free(head);
    mem_free(script);
}
END_TEST

// All templates are there, and bash finds nothing wrong with what is made of them.
START_TEST(every_template_makes_a_script)
{
    const char *const names[] = {"run.sbatch", "sweep.sbatch", "merge.sbatch", "scaling.sbatch"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sbatch_job job = job_with(nasty, N_NASTY);
        struct err err;
        job.name = names[i];
        ck_assert_int_eq(sbatch_write(&job, &err), 0);
        char *command = mem_printf("bash -n %s/%s", folder, job.script);
        mem_free(said_by(command));
        mem_free(command);
    }
}
END_TEST

// A stand-in for sbatch that says what it was given.
static void pretend_sbatch(const char *rest)
{
    char *text = mem_printf("#!/bin/sh\n{ pwd; printf '%%s\\n' \"$SBATCH_QOS\" \"$@\"; } > "
                            "%s/given\n%s\n",
                            folder, rest);
    write_file("sbatch", text);
    setenv("PATH", folder, 1);
    mem_free(text);
}

// sbatch gets the words as they are, in the job's folder, with the site's variables; its answer is
// the id.
START_TEST(submits_without_a_shell)
{
    struct site_setting site[] = {{(char *)"SBATCH_QOS", (char *)"a; b"}};
    const struct site wishes = {site, 1};
    struct sbatch_job job = job_with(NULL, 0);
    struct err err = {0};
    char *id, *path = mem_strdup(getenv("PATH"));
    job.site = &wishes;
    job.dependency = "afterany:5";
    pretend_sbatch("echo '17;here'");
    int rc = sbatch_submit(&job, &id, &err);
    setenv("PATH", path, 1);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(id, "17");
    char *command = mem_printf("cat %s/given", folder), *said = said_by(command);
    char *want = mem_printf("%s\na; b\n--parsable\n--nodes=2\n--time=1:30\n"
                            "--dependency=afterany:5\nout.h5.run.sbatch\n",
                            folder);
    ck_assert_str_eq(said, want);
    mem_free(want);
    mem_free(said);
    mem_free(command);
    mem_free(path);
    mem_free(id);
}
END_TEST

// The command line for a dry run does what a submission does.
START_TEST(shows_its_command)
{
    struct sbatch_job job = job_with(NULL, 0);
    job.folder = "/some where";
    job.dependency = "afterany:$array";
    char *command = sbatch_command(&job);
    ck_assert_str_eq(command, "cd '/some where' && sbatch --parsable --nodes=2 --time=1:30 "
                              "--dependency=afterany:$array out.h5.run.sbatch");
    mem_free(command);
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
    ck_assert_uint_eq(sbatch_parse_max_array("A = 1\nMaxArraySize            = 1001\nB = 2\n"),
                      1001);
    ck_assert_uint_eq(sbatch_parse_max_array("A = 1\n"), 0);
}
END_TEST

// No sbatch, one that fails, one that says something else: a line each, and no id.
START_TEST(says_why_it_was_not_submitted)
{
    struct sbatch_job job = job_with(NULL, 0);
    struct err err = {0};
    char *id, *path = mem_strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    int rc = sbatch_submit(&job, &id, &err);
    uint32_t max = sbatch_max_array();
    setenv("PATH", path, 1);
    ck_assert_int_eq(rc, -1);
    ck_assert_ptr_null(id);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "there is no sbatch here"));
    ck_assert_uint_eq(max, 0);
    pretend_sbatch("exit 3");
    rc = sbatch_submit(&job, &id, &err);
    setenv("PATH", path, 1);
    ck_assert_int_eq(rc, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "sbatch did not take out.h5.run.sbatch (exit status 3"));
    pretend_sbatch("echo hello");
    rc = sbatch_submit(&job, &id, &err);
    setenv("PATH", path, 1);
    ck_assert_int_eq(rc, -1);
    ck_assert_ptr_nonnull(strstr(err.text, "said \"hello"));
    mem_free(path);
}
END_TEST

// A folder that cannot be written to: an error with the path, and nothing left behind.
START_TEST(says_why_it_was_not_written)
{
    struct sbatch_job job = job_with(NULL, 0);
    struct err err = {0};
    job.folder = "/no/such/folder";
    ck_assert_int_eq(sbatch_write(&job, &err), -1);
    ck_assert_str_eq(err.text, "/no/such/folder/out.h5.run.sbatch: cannot write the script: "
                               "No such file or directory");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", quotes_for_bash},
                                       {"core", plain_names},
                                       {"core", times},
                                       {"core", script_holds_it_all},
                                       {"core", every_template_makes_a_script},
                                       {"core", submits_without_a_shell},
                                       {"core", shows_its_command},
                                       {"limits", reads_what_slurm_says},
                                       {"errors", says_why_it_was_not_submitted},
                                       {"errors", says_why_it_was_not_written}};
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    int status = suite_run("sbatch", tests, sizeof tests / sizeof *tests);
    char *command = mem_printf("rm -r %s", folder);
    if (system(command) != 0)
        status = EXIT_FAILURE;
    mem_free(command);
    return status;
}
