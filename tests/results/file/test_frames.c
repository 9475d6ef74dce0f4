// SPDX-License-Identifier: Apache-2.0
#include "results/file/frames.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "results/file/checksum.h"
#include "support/suite.h"

// What a checkpoint refuses, byte by byte, is in test_checkpoint_file.c; here is what other kinds
// of files add to it.
#define NAME "test_frames.bin"

static const struct frames_kind kind = {"diary", "rfdiary", 7, 4};

// A file with the frames "0" .. and an end or none.
static void make_file(int n_frames, bool end)
{
    struct frames_out out = {.kind = &kind, .name = NAME};
    out.fd = open(NAME, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ck_assert_int_eq(frames_begin(&out, "mine", NULL), 0);
    for (int i = 0; i < n_frames; i++) {
        char text[2] = {(char)('0' + i), 0};
        ck_assert_int_eq(frames_put(&out, text, 1, checksum_bytes(text, 1), NULL), 0);
    }
    if (end)
        ck_assert_int_eq(frames_end(&out, NULL), 0);
    ck_assert_uint_eq(out.n_frames, (uint64_t)n_frames);
    ck_assert_uint_eq((uint64_t)lseek(out.fd, 0, SEEK_END), out.n_bytes);
    close(out.fd);
}

// The frames that are whole; *whole: where the last one ends.
static int count_frames(uint64_t *whole)
{
    struct frames_in in;
    char own[4], c;
    uint64_t n, hash;
    int count = 0;
    ck_assert_int_eq(frames_open(&in, &kind, NAME, NULL), 0);
    ck_assert_int_eq(frames_head(&in, own, NULL), 0);
    ck_assert_mem_eq(own, "mine", 4);
    *whole = in.at;
    while (in.at < in.size && frames_next(&in, &n, &hash, NULL) == 1 &&
           frames_get(&in, &c, n, hash, NULL) == 0) {
        ck_assert_int_eq(c, '0' + count);
        count++;
        *whole = in.at;
    }
    frames_close(&in);
    return count;
}

// Without an end, frames are read up to the last whole one, however the file was cut.
START_TEST(without_an_end)
{
    const uint64_t head = FRAMES_HEAD_BYTES(4), frame = 17;
    uint64_t whole;
    for (uint64_t cut = 0; cut <= 3 * frame; cut++) {
        make_file(3, false);
        ck_assert_int_eq(truncate(NAME, (off_t)(head + 3 * frame - cut)), 0);
        int n = 3 - (int)((cut + frame - 1) / frame);
        ck_assert_int_eq(count_frames(&whole), n);
        ck_assert_uint_eq(whole, head + (uint64_t)n * frame);
    }
    unlink(NAME);
}
END_TEST

// With an end, all of it can be vouched for before a frame is taken; without one it cannot.
START_TEST(with_an_end)
{
    struct frames_in in;
    char own[4];
    for (int end = 0; end < 2; end++) {
        make_file(2, end);
        ck_assert_int_eq(frames_open(&in, &kind, NAME, NULL), 0);
        ck_assert_int_eq(frames_head(&in, own, NULL), 0);
        ck_assert_int_eq(frames_check(&in, NULL), end ? 0 : -1);
        frames_close(&in);
    }
    unlink(NAME);
}
END_TEST

// Only what begins as this kind does is replaced; another kind is called what it is not.
START_TEST(kinds_are_told_apart)
{
    const struct frames_kind other = {"letter", "rfletter", 7, 4};
    struct frames_in in;
    struct err err = {0};
    char own[4];
    unlink(NAME);
    ck_assert_int_eq(frames_replaceable(&kind, NAME, NULL), 0);
    make_file(1, true);
    ck_assert_int_eq(frames_replaceable(&kind, NAME, NULL), 0);
    ck_assert_int_eq(frames_replaceable(&other, NAME, &err), -1);
    ck_assert_str_eq(err.text, "letter " NAME ": exists, is not a letter of recfleet and is never "
                               "replaced");
    ck_assert_int_eq(frames_open(&in, &other, NAME, NULL), 0);
    ck_assert_int_eq(frames_head(&in, own, &err), -1);
    ck_assert_str_eq(err.text, "letter " NAME ": not a letter of recfleet");
    frames_close(&in);
    ck_assert_int_eq(truncate(NAME, 3), 0); // begun a moment ago
    ck_assert_int_eq(frames_replaceable(&kind, NAME, NULL), 0);
    unlink(NAME);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", with_an_end}, {"limits", without_an_end}, {"errors", kinds_are_told_apart}};
    return suite_run("frames", tests, sizeof tests / sizeof *tests);
}
