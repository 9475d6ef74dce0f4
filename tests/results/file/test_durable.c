// SPDX-License-Identifier: Apache-2.0
#include "results/file/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

#define NAME "test_output.h5"

// The temporary file stands beside the final one, hidden, with the process in its name.
START_TEST(temporary_names)
{
    const char *const cases[][2] = {
        {"a.h5", "./.a.h5.tmp-12"}, {"x/a.h5", "x/.a.h5.tmp-12"}, {"/a.h5", "//.a.h5.tmp-12"}};
    for (size_t i = 0; i < 3; i++) {
        char *name = durable_temporary(cases[i][0], 12);
        ck_assert_str_eq(name, cases[i][1]);
        mem_free(name);
    }
}
END_TEST

// One file under two names, or one that both would make, is the same: another spelling of the
// folder, a link. Other names and other folders are not.
START_TEST(same_names)
{
    const char *const link_name = NAME ".link";
    char *here = realpath(".", NULL), *full = mem_printf("%s/%s", here, NAME);
    ck_assert(durable_same(NAME, NAME) && durable_same(NAME, "./" NAME));
    ck_assert(durable_same(NAME, full));
    ck_assert(!durable_same(NAME, link_name) && !durable_same(NAME, "/tmp/" NAME));
    ck_assert(!durable_same("/no/such/" NAME, "/no/such/" NAME ".too"));
    close(open(NAME, O_WRONLY | O_CREAT, 0666));
    ck_assert_int_eq(symlink(NAME, link_name), 0);
    ck_assert(durable_same(link_name, full));
    unlink(link_name);
    unlink(NAME);
    mem_free(full);
    free(here);
}
END_TEST

// A limit on the length of files is an error of the write.
START_TEST(too_long_a_file)
{
    struct rlimit was, limit;
    signal(SIGXFSZ, SIG_IGN); // as main() does
    int fd = open(NAME, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    getrlimit(RLIMIT_FSIZE, &was);
    limit = (struct rlimit){10, was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = durable_write(fd, "0123456789ab", 12);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(rc, EFBIG);
    ck_assert_int_eq(durable_write(fd, "", 0), 0);
    close(fd);
    ck_assert_int_eq(durable_write(fd, "x", 1), EBADF);
    unlink(NAME);
}
END_TEST

// ---- files that keep the one before -------------------------------------------------------------

// Each test works in a new folder; that it can be removed at the end shows that nothing is left.
static char folder[] = "test_durable-XXXXXX";

static void enter(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void leave(void)
{
    ck_assert_int_eq(chdir(".."), 0);
    ck_assert_msg(rmdir(folder) == 0, "something is left in %s", folder);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void holds(const char *path, const char *text)
{
    char got[32] = "";
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "no %s", path);
    ck_assert_uint_eq(fread(got, 1, sizeof got - 1, f), strlen(text));
    ck_assert_str_eq(got, text);
    fclose(f);
}

// What a result does with a file that has its name; what a killed writer left goes away.
START_TEST(results_keep_nothing)
{
    struct durable_file file;
    struct err err = {0};
    enter();
    write_file(".x.tmp-12", "");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(durable_open(&file, "output", "x", (enum durable_mode)i, &err), 0);
        ck_assert_int_eq(durable_write(file.fd, i ? "1" : "0", 1), 0);
        ck_assert_int_eq(durable_publish(&file, &err), 0);
        holds("x", i ? "1" : "0");
    }
    ck_assert_int_eq(durable_open(&file, "output", "x", DURABLE_NEW, &err), -1);
    ck_assert_str_eq(err.text, "output x: exists; --force overwrites it");
    ck_assert_int_eq(durable_check("output", "x", DURABLE_NEW, 1, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_int_eq(durable_check("output", "x", DURABLE_REPLACE, 1, &err), 0);
    holds("x", "1");
    unlink("x");
    // One that appears in the meantime is not replaced either.
    ck_assert_int_eq(durable_open(&file, "output", "x", DURABLE_NEW, &err), 0);
    write_file("x", "theirs");
    ck_assert_int_eq(durable_publish(&file, &err), -1);
    holds("x", "theirs");
    unlink("x");
    leave();
}
END_TEST

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void publish(const char *path, const char *text)
{
    struct durable_file name;
    struct err err = {0};
    int rc = durable_open(&name, "checkpoint", path, DURABLE_KEEP, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_int_eq(write(name.fd, text, strlen(text)), (ssize_t)strlen(text));
    rc = durable_publish(&name, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_int_eq(name.fd, -1);
}

// The new file takes the name and the one before is kept, one step back and no further.
START_TEST(keeps_the_one_before)
{
    enter();
    publish("x", "1");
    holds("x", "1");
    ck_assert(!is_there("x.previous"));
    publish("x", "2");
    publish("x", "3");
    holds("x", "3");
    holds("x.previous", "2");
    ck_assert(durable_exists("x"));
    durable_remove("x");
    ck_assert(!durable_exists("x"));
    leave();
}
END_TEST

// While a file is written, and after it was given up, nothing has changed.
START_TEST(discarded_leaves_nothing)
{
    struct durable_file name;
    enter();
    publish("x", "1");
    publish("x", "2");
    ck_assert_int_eq(durable_open(&name, "checkpoint", "x", DURABLE_KEEP, NULL), 0);
    ck_assert_int_eq(write(name.fd, "3", 1), 1);
    ck_assert(is_there(name.temporary));
    holds("x", "2");
    holds("x.previous", "1");
    durable_discard(&name);
    holds("x", "2");
    holds("x.previous", "1");
    durable_remove("x");
    leave();
}
END_TEST

// What a killed writer left is removed by the next one and by removing the checkpoint.
START_TEST(abandoned_are_removed)
{
    enter();
    write_file(".x.tmp-12", "");
    write_file(".x.tmp-4194304.previous", "");
    publish("x", "1");
    ck_assert(!is_there(".x.tmp-12") && !is_there(".x.tmp-4194304.previous"));
    write_file(".x.tmp-12", "");
    durable_remove("x");
    leave();
}
END_TEST

// Names that only look like ours are other people's.
START_TEST(others_are_left_alone)
{
    const char *const others[] = {".x.tmp-",   ".x.tmp-12a",      "x.tmp-12",
                                  ".y.tmp-12", ".xx.tmp-1",       ".x.tmp-1.previous.h5",
                                  "x.old",     ".x.tmp-.previous"};
    enter();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        write_file(others[i], "mine");
    ck_assert_int_eq(mkdir(".x.tmp-7", 0777), 0);
    publish("x", "1");
    publish("x", "2");
    durable_remove("x");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        holds(others[i], "mine");
        unlink(others[i]);
    }
    ck_assert_int_eq(rmdir(".x.tmp-7"), 0);
    leave();
}
END_TEST

// Two that write at the same time do not take each other's file for abandoned, and both succeed.
START_TEST(two_writers)
{
    struct durable_file one, two;
    enter();
    ck_assert_int_eq(durable_open(&one, "checkpoint", "x", DURABLE_KEEP, NULL), 0);
    ck_assert_int_eq(durable_open(&two, "checkpoint", "x", DURABLE_KEEP, NULL), 0);
    ck_assert_str_ne(one.temporary, two.temporary);
    ck_assert_int_eq(write(one.fd, "1", 1), 1);
    ck_assert_int_eq(write(two.fd, "2", 1), 1);
    ck_assert_int_eq(durable_publish(&one, NULL), 0);
    ck_assert_int_eq(durable_publish(&two, NULL), 0);
    holds("x", "2");
    holds("x.previous", "1");
    durable_remove("x");
    leave();
}
END_TEST

// A link to a checkpoint counts as one; what it led to is kept.
START_TEST(links_are_followed)
{
    enter();
    write_file("there", "0");
    ck_assert_int_eq(symlink("there", "x"), 0);
    ck_assert_int_eq(durable_check("checkpoint", "x", DURABLE_KEEP, 0, NULL), 0);
    publish("x", "1");
    holds("x", "1");
    holds("x.previous", "0");
    durable_remove("x");
    holds("there", "0");
    unlink("there");
    leave();
}
END_TEST

// What is replaced by way of a link is the file that it leads to: the link stays one.
START_TEST(links_stay)
{
    struct durable_file file;
    struct stat st;
    enter();
    ck_assert_int_eq(mkdir("folder", 0777), 0);
    write_file("folder/there", "0");
    ck_assert_int_eq(symlink("folder/there", "x"), 0);
    ck_assert_int_eq(durable_open(&file, "report", "x", DURABLE_REPLACE, NULL), 0);
    ck_assert_int_eq(durable_write(file.fd, "1", 1), 0);
    ck_assert_int_eq(durable_publish(&file, NULL), 0);
    holds("folder/there", "1");
    ck_assert(lstat("x", &st) == 0 && S_ISLNK(st.st_mode));
    unlink("x");
    unlink("folder/there");
    ck_assert_int_eq(rmdir("folder"), 0);
    leave();
}
END_TEST

static void put_text(FILE *stream, const void *text)
{
    fputs(text, stream);
}

// A text is printed as a whole, or nothing is there: with a limit on the length of files.
START_TEST(printed)
{
    struct durable_file file;
    struct rlimit was, limit;
    struct err err = {0};
    signal(SIGXFSZ, SIG_IGN); // as main() does
    enter();
    ck_assert_int_eq(durable_open(&file, "trace", "x", DURABLE_NEW, &err), 0);
    ck_assert_int_eq(durable_print(&file, put_text, "0123456789ab", &err), 0);
    holds("x", "0123456789ab");
    ck_assert_int_eq(durable_open(&file, "trace", "y", DURABLE_NEW, &err), 0);
    getrlimit(RLIMIT_FSIZE, &was);
    limit = (struct rlimit){10, was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = durable_print(&file, put_text, "0123456789ab", &err);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(rc, -1);
    ck_assert_str_eq(err.text, "trace y: cannot be written: File too large");
    durable_remove("x");
    leave();
}
END_TEST

// A second name is not always possible (here it would be too long, elsewhere there are no hard
// links): then the old file is moved.
START_TEST(without_a_second_name)
{
    char path[241], previous[260];
    struct err err = {0};
    memset(path, 'n', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    snprintf(previous, sizeof previous, "%s.previous", path);
    enter();
    publish(path, "1");
    publish(path, "2");
    publish(path, "3");
    holds(path, "3");
    holds(previous, "2");
    // Before a run there is still time to choose a shorter one.
    ck_assert_int_eq(durable_check("checkpoint", path, DURABLE_KEEP, 0, &err), -1);
    ck_assert_msg(strstr(err.text, "too long") != NULL, "%s", err.text);
    durable_remove(path);
    leave();
}
END_TEST

// A good place passes, and looking at it changes nothing.
START_TEST(try_leaves_nothing)
{
    enter();
    for (int mode = DURABLE_NEW; mode <= DURABLE_KEEP; mode++)
        ck_assert_int_eq(durable_check("output", "x", (enum durable_mode)mode, 1, NULL), 0);
    ck_assert(!durable_exists("x"));
    publish("x", "1");
    ck_assert_int_eq(durable_check("checkpoint", "x", DURABLE_KEEP, 0, NULL), 0);
    holds("x", "1");
    durable_remove("x");
    leave();
}
END_TEST

// In any mode from that one on, which only keeps the file before in the last.
static void no_file(enum durable_mode first, const char *path, const char *reason)
{
    for (int mode = (int)first; mode <= DURABLE_KEEP; mode++) {
        struct durable_file name;
        struct err err = {0};
        ck_assert_int_eq(durable_check("output", path, (enum durable_mode)mode, 0, &err), -1);
        ck_assert_int_eq(err.code, ERR_STUDY);
        ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
        ck_assert_ptr_null(strchr(err.text, '\n'));
        ck_assert_int_eq(durable_open(&name, "output", path, (enum durable_mode)mode, &err), -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
        ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    }
}

// Never: a folder, a device, a FIFO, an empty name, a missing folder, a dangling link; nor where
// the one before could not be kept, nor more than the disk has room for.
START_TEST(no_file_in_bad_places)
{
    static const char *const places[][2] = {{".", "not a regular file"},
                                            {"/dev/full", "not a regular file"},
                                            {"", "name of a file"},
                                            {"somewhere/", "name of a file"},
                                            {"absent/x", "No such file"},
                                            {"file/x", "Not a directory"},
                                            {"link", "a dangling symbolic link"},
                                            {"fifo", "not a regular file"}};
    struct err err = {0};
    enter();
    write_file("file", "");
    ck_assert_int_eq(symlink("nowhere", "link"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0666), 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        no_file(DURABLE_NEW, places[i][0], places[i][1]);
    ck_assert_int_eq(mkdir("x.previous", 0777), 0);
    no_file(DURABLE_KEEP, "x", "x.previous: exists and is not a regular file");
    ck_assert_int_eq(durable_check("output", "y", DURABLE_REPLACE, UINT64_C(1) << 62, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no space"));
    rmdir("x.previous");
    unlink("fifo");
    unlink("link");
    unlink("file");
    leave();
}
END_TEST

// Somebody takes the name for a folder while the file is written: an error, and all stays.
START_TEST(name_taken_meanwhile)
{
    struct durable_file name;
    struct err err = {0};
    enter();
    ck_assert_int_eq(durable_open(&name, "checkpoint", "x", DURABLE_KEEP, NULL), 0);
    ck_assert_int_eq(mkdir("x", 0777), 0);
    ck_assert_int_eq(durable_publish(&name, &err), -1);
    ck_assert_msg(strstr(err.text, "not a regular file") != NULL, "%s", err.text);
    durable_remove("x"); // not a file: left alone
    ck_assert_int_eq(rmdir("x"), 0);
    leave();
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", same_names},
        {"core", temporary_names},
        {"errors", too_long_a_file},
        {"core", results_keep_nothing},
        {"core", keeps_the_one_before},
        {"core", discarded_leaves_nothing},
        {"core", abandoned_are_removed},
        {"core", others_are_left_alone},
        {"core", two_writers},
        {"core", try_leaves_nothing},
        {"limits", links_are_followed},
        {"limits", links_stay},
        {"core", printed},
        {"limits", without_a_second_name},
        {"errors", no_file_in_bad_places},
        {"errors", name_taken_meanwhile},
    };
    return suite_run("durable", tests, sizeof tests / sizeof *tests);
}
