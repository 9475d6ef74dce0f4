// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/durable.h"
#include "support/suite.h"

// Each test works in a new folder; that it can be removed at the end shows that nothing is left.
static char folder[] = "test_ckpt_name-XXXXXX";

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

static void make_file(const char *path, const char *text)
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

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void publish(const char *path, const char *text)
{
    struct checkpoint_name name;
    struct err err = {0};
    int rc = checkpoint_name_open(&name, path, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_int_eq(write(name.fd, text, strlen(text)), (ssize_t)strlen(text));
    rc = checkpoint_name_publish(&name, &err);
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
    ck_assert(checkpoint_name_exists("x"));
    checkpoint_name_remove("x");
    ck_assert(!checkpoint_name_exists("x"));
    leave();
}
END_TEST

// While a file is written, and after it was given up, nothing has changed.
START_TEST(discarded_leaves_nothing)
{
    struct checkpoint_name name;
    enter();
    publish("x", "1");
    publish("x", "2");
    ck_assert_int_eq(checkpoint_name_open(&name, "x", NULL), 0);
    ck_assert_int_eq(write(name.fd, "3", 1), 1);
    ck_assert(is_there(name.temporary));
    holds("x", "2");
    holds("x.previous", "1");
    checkpoint_name_discard(&name);
    holds("x", "2");
    holds("x.previous", "1");
    checkpoint_name_remove("x");
    leave();
}
END_TEST

// What a killed writer left is removed by the next one and by removing the checkpoint.
START_TEST(abandoned_are_removed)
{
    enter();
    make_file(".x.tmp-12", "");
    make_file(".x.previous.tmp-4194304", "");
    publish("x", "1");
    ck_assert(!is_there(".x.tmp-12") && !is_there(".x.previous.tmp-4194304"));
    make_file(".x.tmp-12", "");
    checkpoint_name_remove("x");
    leave();
}
END_TEST

// Names that only look like ours are other people's.
START_TEST(others_are_left_alone)
{
    const char *const others[] = {".x.tmp-",   ".x.tmp-12a",     "x.tmp-12",
                                  ".y.tmp-12", ".xx.tmp-1",      ".x.previous.tmp-1.h5",
                                  "x.old",     ".x.previous.tmp"};
    enter();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        make_file(others[i], "mine");
    ck_assert_int_eq(mkdir(".x.tmp-7", 0777), 0);
    publish("x", "1");
    publish("x", "2");
    checkpoint_name_remove("x");
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
    struct checkpoint_name one, two;
    enter();
    ck_assert_int_eq(checkpoint_name_open(&one, "x", NULL), 0);
    ck_assert_int_eq(checkpoint_name_open(&two, "x", NULL), 0);
    ck_assert_str_ne(one.temporary, two.temporary);
    ck_assert_int_eq(write(one.fd, "1", 1), 1);
    ck_assert_int_eq(write(two.fd, "2", 1), 1);
    ck_assert_int_eq(checkpoint_name_publish(&one, NULL), 0);
    ck_assert_int_eq(checkpoint_name_publish(&two, NULL), 0);
    holds("x", "2");
    holds("x.previous", "1");
    checkpoint_name_remove("x");
    leave();
}
END_TEST

// A link to a checkpoint counts as one; what it led to is kept.
START_TEST(links_are_followed)
{
    enter();
    make_file("there", "0");
    ck_assert_int_eq(symlink("there", "x"), 0);
    ck_assert_int_eq(checkpoint_name_check("x", NULL), 0);
    publish("x", "1");
    holds("x", "1");
    holds("x.previous", "0");
    checkpoint_name_remove("x");
    holds("there", "0");
    unlink("there");
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
    ck_assert_int_eq(checkpoint_name_check(path, &err), -1);
    ck_assert_msg(strstr(err.text, "too long") != NULL, "%s", err.text);
    checkpoint_name_remove(path);
    leave();
}
END_TEST

// A good place passes, and looking at it changes nothing.
START_TEST(check_leaves_nothing)
{
    enter();
    ck_assert_int_eq(checkpoint_name_check("x", NULL), 0);
    ck_assert(!checkpoint_name_exists("x"));
    publish("x", "1");
    ck_assert_int_eq(checkpoint_name_check("x", NULL), 0);
    holds("x", "1");
    checkpoint_name_remove("x");
    leave();
}
END_TEST

static void refused(const char *path, const char *reason)
{
    struct checkpoint_name name;
    struct err err = {0};
    ck_assert_int_eq(checkpoint_name_check(path, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_int_eq(checkpoint_name_open(&name, path, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
}

// Never: a folder, a device, a FIFO, an empty name, a missing folder, a link that leads nowhere;
// nor where the one before could not be kept.
START_TEST(refuses_bad_places)
{
    enter();
    refused(".", "not a regular file");
    refused("/dev/full", "not a regular file");
    refused("", "name of a file");
    refused("somewhere/", "name of a file");
    refused("absent/x", "No such file");
    make_file("file", "");
    refused("file/x", "Not a directory");
    ck_assert_int_eq(symlink("nowhere", "link"), 0);
    refused("link", "leads nowhere");
    ck_assert_int_eq(mkfifo("fifo", 0666), 0);
    refused("fifo", "not a regular file");
    ck_assert_int_eq(mkdir("x.previous", 0777), 0);
    refused("x", "x.previous: exists and is not a regular file");
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
    struct checkpoint_name name;
    struct err err = {0};
    enter();
    ck_assert_int_eq(checkpoint_name_open(&name, "x", NULL), 0);
    ck_assert_int_eq(mkdir("x", 0777), 0);
    ck_assert_int_eq(checkpoint_name_publish(&name, &err), -1);
    ck_assert_msg(strstr(err.text, "not a regular file") != NULL, "%s", err.text);
    checkpoint_name_remove("x"); // not a file: left alone
    ck_assert_int_eq(rmdir("x"), 0);
    leave();
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", keeps_the_one_before},  {"core", discarded_leaves_nothing},
        {"core", abandoned_are_removed}, {"core", others_are_left_alone},
        {"core", two_writers},           {"core", check_leaves_nothing},
        {"limits", links_are_followed},  {"limits", without_a_second_name},
        {"errors", refuses_bad_places},  {"errors", name_taken_meanwhile},
    };
    return suite_run("checkpoint_name", tests, sizeof tests / sizeof *tests);
}
