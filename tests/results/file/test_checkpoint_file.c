// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint_file.h"

#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/mem.h"
#include "results/file/checksum.h"
#include "results/file/durable.h"
#include "support/suite.h"

#define NAME "test_checkpoint_file.ckpt"
#define HEAD_BYTES 288

static const struct checkpoint_head head_of_tests = {
    .program = "0.1.0 abc",
    .study = "00112233445566778899aabbccddeeff",
    .name = "of the tests",
    .reached_ns = 12300000000,
    .end_ns = 60000000000,
    .n_restarts = 2,
    .wall_s = 1.5,
};

static const char *const frames[] = {"hello", "", "a frame of some length, not a multiple of 8"};
#define N_FRAMES 3

static void write_file(const char *path)
{
    struct err err = {0};
    uint64_t n_bytes = 0;
    struct stat st;
    struct checkpoint_file_out *out = checkpoint_file_create(path, &head_of_tests, &err);
    ck_assert_msg(out != NULL, "%s", err.text);
    for (int i = 0; i < N_FRAMES; i++) {
        size_t n = strlen(frames[i]);
        ck_assert_int_eq(frames_put(checkpoint_file_frames(out), frames[i], n,
                                    checksum_bytes(frames[i], n), &err),
                         0);
    }
    ck_assert_int_eq(checkpoint_file_finish(out, &n_bytes, &err), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq((uint64_t)st.st_size, n_bytes);
}

static struct blob read_bytes(const char *path)
{
    struct blob blob = {0};
    unsigned char piece[4096];
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        blob_put(&blob, piece, n);
    fclose(f);
    return blob;
}

// Looks bytes through as if they were a file.
static int check_bytes(const void *bytes, size_t n, struct checkpoint_head *head, struct err *err)
{
    // fmemopen() knows no empty file.
    FILE *file = n > 0 ? fmemopen((void *)(uintptr_t)bytes, n, "rb") : fopen("/dev/null", "rb");
    ck_assert_ptr_nonnull(file);
    struct frames_in in = {.file = file, .kind = &checkpoint_file_kind, .name = "bytes", .size = n};
    int rc = checkpoint_file_head(&in, head, err) != 0 || frames_check(&in, err) != 0 ? -1 : 0;
    frames_close(&in);
    return rc;
}

static void refused(const struct blob *blob, const char *reason)
{
    struct checkpoint_head head;
    struct err err = {0};
    ck_assert_int_eq(check_bytes(blob->bytes, blob->n, &head, &err), -1);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

// Head and frames come back, in their order.
START_TEST(comes_back)
{
    struct frames_in in;
    struct checkpoint_head head;
    struct err err = {0};
    uint64_t n, hash;
    char bytes[64];
    write_file(NAME);
    ck_assert_int_eq(frames_open(&in, &checkpoint_file_kind, NAME, &err), 0);
    ck_assert_int_eq(checkpoint_file_head(&in, &head, &err), 0);
    ck_assert_mem_eq(&head, &head_of_tests, sizeof head);
    ck_assert_int_eq(frames_check(&in, &err), 0);
    for (int i = 0; i < N_FRAMES; i++) {
        ck_assert_int_eq(frames_next(&in, &n, &hash, &err), 1);
        ck_assert_uint_eq(n, strlen(frames[i]));
        ck_assert_int_eq(frames_get(&in, bytes, n, hash, &err), 0);
        ck_assert_mem_eq(bytes, frames[i], n);
    }
    ck_assert_int_eq(frames_next(&in, &n, &hash, &err), 0);
    frames_close(&in);
    durable_remove(NAME);
}
END_TEST

// Texts of a head are cut to fit and never break the line they will be printed in.
START_TEST(texts_are_tamed)
{
    struct checkpoint_head head = head_of_tests, back;
    struct frames_in in;
    uint64_t n_bytes;
    memset(head.program, 'p', sizeof head.program);
    memcpy(head.name, "two\nlines\x7f", 11);
    struct checkpoint_file_out *out = checkpoint_file_create(NAME, &head, NULL);
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(frames_put(checkpoint_file_frames(out), "x", 1, checksum_bytes("x", 1), NULL),
                     0);
    ck_assert_int_eq(checkpoint_file_finish(out, &n_bytes, NULL), 0);
    ck_assert_int_eq(frames_open(&in, &checkpoint_file_kind, NAME, NULL), 0);
    ck_assert_int_eq(checkpoint_file_head(&in, &back, NULL), 0);
    ck_assert_uint_eq(strlen(back.program), sizeof back.program - 1);
    ck_assert_str_eq(back.name, "two?lines?");
    ck_assert_int_eq(checkpoint_file_fits("x", &back, &head, NULL), 0); // cut alike is the same
    frames_close(&in);
    durable_remove(NAME);
}
END_TEST

// Any byte changed in any way is found.
START_TEST(changed_anywhere)
{
    write_file(NAME);
    struct blob blob = read_bytes(NAME);
    struct checkpoint_head head;
    ck_assert_int_eq(check_bytes(blob.bytes, blob.n, &head, NULL), 0);
    for (size_t i = 0; i < blob.n; i++) {
        unsigned char was = blob.bytes[i];
        for (int value = 0; value < 256; value++) {
            struct err err = {0};
            if (value == was)
                continue;
            blob.bytes[i] = (unsigned char)value;
            ck_assert_int_eq(check_bytes(blob.bytes, blob.n, &head, &err), -1);
            ck_assert(err.text[0] != '\0' && !strchr(err.text, '\n'));
        }
        blob.bytes[i] = was;
    }
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// Cut at any length, or with anything behind the end, it is refused.
START_TEST(cut_or_extended)
{
    write_file(NAME);
    struct blob blob = read_bytes(NAME);
    struct checkpoint_head head;
    for (size_t n = 0; n < blob.n; n++) {
        struct err err = {0};
        void *bytes = memcpy(mem_alloc(n), blob.bytes, n);
        ck_assert_int_eq(check_bytes(bytes, n, &head, &err), -1);
        if (n >= 8)
            ck_assert_msg(strstr(err.text, "cut off") != NULL, "at %zu: %s", n, err.text);
        mem_free(bytes);
    }
    blob_put(&blob, "", 1);
    refused(&blob, "1 bytes behind its end");
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// Frames in another order are all whole, and yet it is not the file that was written.
START_TEST(frames_swapped)
{
    write_file(NAME);
    struct blob blob = read_bytes(NAME), other = {0};
    size_t first = HEAD_BYTES, second = first + 16 + strlen(frames[0]);
    size_t third = second + 16 + strlen(frames[1]);
    blob_put(&other, blob.bytes, first);
    blob_put(&other, blob.bytes + second, third - second);
    blob_put(&other, blob.bytes + first, second - first);
    blob_put(&other, blob.bytes + third, blob.n - third);
    refused(&other, "damaged");
    blob_release(&blob);
    blob_release(&other);
    durable_remove(NAME);
}
END_TEST

// Lengths that cannot be are refused by comparing, not by trying: 2^62 bytes are nowhere.
START_TEST(huge_lengths)
{
    const uint64_t lengths[] = {FRAMES_MAX_BYTES, FRAMES_MAX_BYTES + 1, UINT64_C(1) << 62,
                                UINT64_MAX - 1};
    write_file(NAME);
    struct blob blob = read_bytes(NAME);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(blob.bytes + HEAD_BYTES, &lengths[i], sizeof lengths[i]);
        refused(&blob, "damaged at byte 288");
    }
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// No state at all is neither written nor, were it made by other means, read.
START_TEST(no_frames)
{
    struct err err = {0};
    uint64_t n_bytes;
    struct checkpoint_file_out *out = checkpoint_file_create(NAME, &head_of_tests, &err);
    ck_assert_int_eq(checkpoint_file_finish(out, &n_bytes, &err), -1);
    ck_assert(!durable_exists(NAME));
    write_file(NAME);
    struct blob blob = read_bytes(NAME);
    const uint64_t end[3] = {UINT64_MAX, 0, checksum_bytes(blob.bytes, HEAD_BYTES)};
    blob.n = HEAD_BYTES;
    blob_put(&blob, end, sizeof end);
    refused(&blob, "damaged at byte 296");
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// Other kinds of files are called what they are.
START_TEST(other_kinds)
{
    struct blob blob = {0};
    refused(&blob, "not a checkpoint");
    blob_put(&blob, "\x89HDF\r\n\x1a\n and more", 17);
    refused(&blob, "not a checkpoint");
    blob_release(&blob);
    write_file(NAME);
    blob = read_bytes(NAME);
    const unsigned char swapped[4] = {blob.bytes[11], blob.bytes[10], blob.bytes[9], blob.bytes[8]};
    blob.bytes[12]++;
    refused(&blob, "of format version 2; this program reads 1");
    memcpy(blob.bytes + 8, swapped, sizeof swapped);
    refused(&blob, "another order of bytes");
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// A head with a good hash that makes no sense is refused all the same.
START_TEST(senseless_heads)
{
    write_file(NAME);
    struct blob blob = read_bytes(NAME);
    const size_t at[] = {16, 16 + 63, 16 + 64 + 40 + 5, 248, 256, 272 + 7};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        // A control character, no end of the text, more reached than there is, a negative time...
        blob.bytes[at[i]] = i == 1 ? 'x' : i < 3 ? '\n' : 0xff;
        if (i == 1)
            memset(blob.bytes + 16, 'x', 64);
        if (i == 3)
            memset(blob.bytes + 248, 0xff, 8);
        if (i == 4)
            memset(blob.bytes + 256, 0, 8);
        uint64_t hash = checksum_bytes(blob.bytes, HEAD_BYTES - 8);
        memcpy(blob.bytes + HEAD_BYTES - 8, &hash, sizeof hash);
        refused(&blob, "damaged at byte 0");
        blob_release(&blob);
        blob = read_bytes(NAME);
    }
    blob_release(&blob);
    durable_remove(NAME);
}
END_TEST

// Only regular files are read; a FIFO that nobody writes to is not waited for.
START_TEST(only_regular_files)
{
    struct frames_in in;
    struct err err = {0};
    unlink("test_ckpt_file.fifo");
    ck_assert_int_eq(mkfifo("test_ckpt_file.fifo", 0666), 0);
    const char *const paths[] = {"test_ckpt_file.fifo", "/dev/zero", "."};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(frames_open(&in, &checkpoint_file_kind, paths[i], &err), -1);
        ck_assert_msg(strstr(err.text, "not a regular file") != NULL, "%s", err.text);
    }
    unlink("test_ckpt_file.fifo");
    ck_assert_int_eq(frames_open(&in, &checkpoint_file_kind, "test_ckpt_file.absent", &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, "No such file") != NULL, "%s", err.text);
}
END_TEST

// Writes one checkpoint after the other until it is killed.
static void write_for_ever(const unsigned char *bytes, uint64_t n)
{
    uint64_t n_bytes, hash = checksum_bytes(bytes, n);
    for (;;) {
        struct checkpoint_file_out *out = checkpoint_file_create(NAME, &head_of_tests, NULL);
        if (!out || frames_put(checkpoint_file_frames(out), bytes, n, hash, NULL) != 0 ||
            frames_put(checkpoint_file_frames(out), bytes, n, hash, NULL) != 0 ||
            checkpoint_file_finish(out, &n_bytes, NULL) != 0)
            _exit(1);
    }
}

static bool is_whole(const char *path)
{
    struct frames_in in;
    struct checkpoint_head head;
    if (frames_open(&in, &checkpoint_file_kind, path, NULL) != 0)
        return false;
    bool whole = checkpoint_file_head(&in, &head, NULL) == 0 && frames_check(&in, NULL) == 0;
    frames_close(&in);
    return whole;
}

// A writer is killed at any moment, and another goes on: once there is a file of the name there
// always is, it is always whole, the one before too, and what the killed left behind goes away.
START_TEST(killed_at_any_moment)
{
    static const unsigned char bytes[300000];
    write_file(NAME);
    write_file(NAME);
    for (int i = 0; i < 60; i++) {
        int status;
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            write_for_ever(bytes, sizeof bytes);
        nanosleep(&(struct timespec){0, 200000L * i}, NULL);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        ck_assert(is_whole(NAME));
        ck_assert(is_whole(NAME ".previous"));
    }
    write_file(NAME);
    glob_t found;
    ck_assert_int_eq(glob("." NAME "*", 0, NULL, &found), GLOB_NOMATCH);
    durable_remove(NAME);
}
END_TEST

// A checkpoint belongs to one study and one program; the reason names what differs.
START_TEST(belongs_to_one_study)
{
    struct checkpoint_head expected = head_of_tests;
    struct err err = {0};
    ck_assert_int_eq(checkpoint_file_fits("x", &head_of_tests, &expected, &err), 0);
    expected.study[0] = 'f';
    ck_assert_int_eq(checkpoint_file_fits("x", &head_of_tests, &expected, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, "of another study: this 'of the tests' differs") != NULL, "%s",
                  err.text);
    strcpy(expected.name, "mine");
    ck_assert_int_eq(checkpoint_file_fits("x", &head_of_tests, &expected, &err), -1);
    ck_assert_str_eq(err.text, "checkpoint x: of another study, 'of the tests'");
    expected = head_of_tests;
    strcpy(expected.program, "0.1.0 def");
    ck_assert_int_eq(checkpoint_file_fits("x", &head_of_tests, &expected, &err), -1);
    ck_assert_msg(strstr(err.text, "written by recfleet 0.1.0 abc, and this is 0.1.0 def") != NULL,
                  "%s", err.text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back},           {"core", belongs_to_one_study},
        {"limits", texts_are_tamed},    {"errors", changed_anywhere},
        {"errors", cut_or_extended},    {"errors", frames_swapped},
        {"errors", huge_lengths},       {"errors", no_frames},
        {"errors", other_kinds},        {"errors", senseless_heads},
        {"errors", only_regular_files}, {"errors", killed_at_any_moment},
    };
    return suite_run("checkpoint_file", tests, sizeof tests / sizeof *tests);
}
