// SPDX-License-Identifier: Apache-2.0
#include "runs/memo_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

// Makes a folder of the test's own; the path of a file in it, caller mem_free()s.
static char *fresh_path(void)
{
    char folder[] = "/tmp/recfleet-memo-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    return mem_printf("%s/a.memo", folder);
}

static void drop(char *path)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0); // nothing else was left there
    mem_free(path);
}

static const unsigned char digest[MEMO_DIGEST_BYTES] = {1, 2, 3};

static struct memo_file_config config_of(const char *path, bool resume, bool force)
{
    return (struct memo_file_config){path, "test 1", digest, resume, force};
}

static struct memo_file *must_open(const struct memo_file_config *config, struct blob *entries)
{
    struct err err = {0};
    struct memo_file *file = memo_file_open(config, entries, &err);
    ck_assert_msg(file != NULL, "%s", err.text);
    return file;
}

// Opens a file that then begins anew.
static void expect_empty(const struct memo_file_config *config)
{
    struct blob entries = {0};
    memo_file_close(must_open(config, &entries), false);
    ck_assert_uint_eq(entries.n, 0);
}

static void expect_refused(const struct memo_file_config *config, const char *reason)
{
    struct err err = {0};
    struct blob entries = {0};
    ck_assert_ptr_null(memo_file_open(config, &entries, &err));
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    ck_assert_int_eq(err.code, ERR_STUDY);
}

static void add(struct memo_file *file, uint64_t key, const char *text)
{
    struct err err = {0};
    ck_assert_msg(memo_file_add(file, key, text, strlen(text), &err) == 0, "%s", err.text);
}

// A file with the answers "one" and "three" to 1 and 3.
static char *make_two(void)
{
    char *path = fresh_path();
    struct memo_file_config config = config_of(path, false, false);
    struct blob entries = {0};
    struct memo_file *file = must_open(&config, &entries);
    ck_assert_uint_eq(entries.n, 0);
    add(file, 1, "one");
    add(file, 3, "three");
    memo_file_close(file, false);
    return path;
}

// How many entries a resumed file has, which are the first of those of make_two().
static size_t count_entries(const char *path)
{
    struct memo_file_config config = config_of(path, true, false);
    const char *const texts[] = {"one", "three"};
    struct blob entries = {0};
    struct memo_file *file = must_open(&config, &entries);
    struct blob_reader reader = blob_read(entries.bytes, entries.n), bytes;
    uint64_t key;
    size_t n = 0;
    for (; memo_file_next(&reader, &key, &bytes); n++) {
        ck_assert_uint_lt(n, 2);
        ck_assert_uint_eq(key, 2 * n + 1);
        ck_assert_uint_eq(bytes.n, strlen(texts[n]));
        ck_assert_mem_eq(bytes.bytes, texts[n], bytes.n);
    }
    blob_release(&entries);
    memo_file_close(file, false);
    return n;
}

static off_t size_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_size;
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    unsigned char c;
    ck_assert_int_eq(pread(fd, &c, 1, at), 1);
    c ^= 1;
    ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

// What was written is there again, and more can be added.
START_TEST(resumes)
{
    char *path = make_two();
    ck_assert_uint_eq(count_entries(path), 2);
    drop(path);
}
END_TEST

// Removed when the work is done.
START_TEST(goes_away)
{
    char *path = make_two();
    struct memo_file_config config = config_of(path, true, false);
    struct blob entries = {0};
    memo_file_close(must_open(&config, &entries), true);
    blob_release(&entries);
    ck_assert_int_ne(access(path, F_OK), 0);
    drop(path);
}
END_TEST

// However many bytes of its end are missing, or were changed, the entries before it are good, and
// the next run adds behind them.
START_TEST(the_end_may_be_cut_off)
{
    char *path = make_two();
    off_t size = size_of(path), last = 8 + 8 + 5 + 8; // bytes of the second entry
    for (off_t cut = 1; cut <= last; cut += 4) {
        drop(path);
        path = make_two();
        ck_assert_int_eq(truncate(path, size - cut), 0);
        ck_assert_uint_eq(count_entries(path), 1);
        ck_assert_int_eq(size_of(path), size - last);
    }
    char *other = make_two();
    flip(other, size - last + 17);
    ck_assert_uint_eq(count_entries(other), 1);
    drop(other);
    drop(path);
}
END_TEST

// A file whose head is not complete was begun a moment ago: it is begun again.
START_TEST(a_beginning_is_no_loss)
{
    char *path = make_two();
    ck_assert_int_eq(truncate(path, 20), 0);
    struct memo_file_config config = config_of(path, false, false);
    expect_empty(&config);
    ck_assert_uint_eq(count_entries(path), 0);
    drop(path);
}
END_TEST

// Nobody said what to do with it; --force begins anew.
START_TEST(an_old_file_needs_a_word)
{
    char *path = make_two();
    struct memo_file_config plain = config_of(path, false, false),
                            force = config_of(path, false, true);
    expect_refused(&plain, "--resume");
    expect_empty(&force);
    ck_assert_uint_eq(count_entries(path), 0);
    drop(path);
}
END_TEST

// Another study's answers, another program's, and a damaged head are not resumed from.
START_TEST(belongs_to_one_study_and_program)
{
    char *path = make_two();
    const unsigned char other[MEMO_DIGEST_BYTES] = {9};
    struct memo_file_config study = config_of(path, true, false), program = study, own = study;
    study.digest = other;
    program.program = "test 2";
    expect_refused(&study, "another study");
    expect_refused(&program, "another version");
    flip(path, 40);
    expect_refused(&own, "damaged");
    own.force = true;
    expect_empty(&own);
    drop(path);
}
END_TEST

// A file that is no memo is never replaced, nor a folder, whatever was asked for.
START_TEST(spares_what_is_not_its_own)
{
    char *path = fresh_path(), *slash = mem_printf("%s/", path);
    FILE *f = fopen(path, "w");
    fputs("name: my study\n", f);
    fclose(f);
    struct memo_file_config config = config_of(path, true, true), folder = config;
    expect_refused(&config, "is not a memo of recfleet");
    ck_assert_int_eq(size_of(path), 15);
    folder.path = slash;
    expect_refused(&folder, "expected the name of a file");
    folder.path = "/tmp";
    expect_refused(&folder, "not a regular file");
    mem_free(slash);
    drop(path);
}
END_TEST

// Two runs do not write into one file.
START_TEST(one_at_a_time)
{
    char *path = make_two();
    struct memo_file_config config = config_of(path, true, false);
    struct blob entries = {0};
    struct memo_file *file = must_open(&config, &entries);
    expect_refused(&config, "another run");
    memo_file_close(file, false);
    blob_release(&entries);
    drop(path);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", resumes},
                                       {"core", goes_away},
                                       {"limits", the_end_may_be_cut_off},
                                       {"limits", a_beginning_is_no_loss},
                                       {"errors", an_old_file_needs_a_word},
                                       {"errors", belongs_to_one_study_and_program},
                                       {"errors", spares_what_is_not_its_own},
                                       {"errors", one_at_a_time}};
    return suite_run("memo_file", tests, sizeof tests / sizeof *tests);
}
