// SPDX-License-Identifier: Apache-2.0
#include "results/file/checksum.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

#define FILE_NAME "test_checksum.bin"

static void make_file(size_t n)
{
    FILE *f = fopen(FILE_NAME, "wb");
    for (size_t i = 0; i < n; i++)
        fputc((int)(i * 7 & 0xff), f);
    fclose(f);
}

// The file with what belongs behind it.
static void seal(size_t n)
{
    unsigned char *bytes = mem_alloc(n), trailer[CHECKSUM_TRAILER_BYTES];
    FILE *f = fopen(FILE_NAME, "r+b");
    ck_assert_uint_eq(fread(bytes, 1, n, f), n);
    checksum_trailer(bytes, n, trailer);
    fseek(f, 0, SEEK_END);
    fwrite(trailer, sizeof trailer, 1, f);
    fclose(f);
    mem_free(bytes);
}

static enum checksum_state state_of(void)
{
    enum checksum_state state = CHECKSUM_ABSENT;
    struct err err = {0};
    ck_assert_msg(checksum_check(FILE_NAME, &state, &err) == 0, "%s", err.text);
    return state;
}

static void flip(long at)
{
    FILE *f = fopen(FILE_NAME, "r+b");
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
}

// A finished file of any length is whole, 24 bytes longer, and has no trailer before.
START_TEST(appended_and_found)
{
    const size_t sizes[] = {0, 1, 7, 8, 9, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 3};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct stat st;
        make_file(sizes[i]);
        ck_assert_int_eq(state_of(), CHECKSUM_ABSENT);
        seal(sizes[i]);
        ck_assert_int_eq(state_of(), CHECKSUM_WHOLE);
        ck_assert_int_eq(stat(FILE_NAME, &st), 0);
        ck_assert_uint_eq((size_t)st.st_size, sizes[i] + 24);
    }
    unlink(FILE_NAME);
}
END_TEST

// One bit anywhere before the trailer, or in its length and hash, breaks it.
START_TEST(any_bit_breaks)
{
    make_file(1001);
    seal(1001);
    for (long at = 0; at < 1025; at += 13) {
        if (at >= 1001 && at < 1009)
            continue; // the magic itself: then there is no trailer
        flip(at);
        ck_assert_int_eq(state_of(), CHECKSUM_BROKEN);
        flip(at);
    }
    ck_assert_int_eq(state_of(), CHECKSUM_WHOLE);
    unlink(FILE_NAME);
}
END_TEST

// Bytes lost from the middle break it although the trailer is there.
START_TEST(shortened)
{
    make_file(64);
    seal(64);
    char bytes[88];
    FILE *f = fopen(FILE_NAME, "rb");
    ck_assert_uint_eq(fread(bytes, 1, 88, f), 88);
    fclose(f);
    f = fopen(FILE_NAME, "wb");
    fwrite(bytes + 8, 1, 80, f);
    fclose(f);
    ck_assert_int_eq(state_of(), CHECKSUM_BROKEN);
    unlink(FILE_NAME);
}
END_TEST

// What cannot be opened or is no file is an error.
START_TEST(not_a_file)
{
    enum checksum_state state;
    struct err err = {0};
    ck_assert_int_eq(checksum_check("test_checksum_absent", &state, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "test_checksum_absent"));
    ck_assert_int_eq(checksum_check("/", &state, &err), -1);
}
END_TEST

// The hash is XXH3-64: the published value of no bytes.
START_TEST(hash_is_xxh3)
{
    ck_assert_uint_eq(checksum_bytes("", 0), UINT64_C(0x2d06800538d394c2));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", appended_and_found},
                                       {"core", hash_is_xxh3},
                                       {"core", any_bit_breaks},
                                       {"limits", shortened},
                                       {"errors", not_a_file}};
    return suite_run("checksum", tests, sizeof tests / sizeof *tests);
}
