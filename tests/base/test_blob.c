// SPDX-License-Identifier: Apache-2.0
#include "base/blob.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// What was put comes back, in the order it was put, and then nothing is left.
START_TEST(comes_back_in_order)
{
    struct blob blob = {0};
    char text[5];
    struct err err = {0};
    blob_put_u32(&blob, UINT32_MAX);
    blob_put_u64(&blob, UINT64_MAX - 1);
    blob_put_i64(&blob, INT64_MIN);
    blob_put(&blob, "abcd", sizeof text);
    ck_assert_uint_eq(blob.n, 4 + 8 + 8 + 5);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    ck_assert_uint_eq(blob_left(&reader), blob.n);
    ck_assert_uint_eq(blob_get_u32(&reader), UINT32_MAX);
    ck_assert_uint_eq(blob_get_u64(&reader), UINT64_MAX - 1);
    ck_assert_int_eq(blob_get_i64(&reader), INT64_MIN);
    blob_get(&reader, text, sizeof text);
    ck_assert_str_eq(text, "abcd");
    ck_assert_uint_eq(blob_left(&reader), 0);
    ck_assert_int_eq(blob_end(&reader, &err), 0);
    ck_assert_int_eq(err.code, ERR_NONE);
    blob_release(&blob);
}
END_TEST

// A blob grows over many sizes without losing a byte, and cleared it is used again from the start.
START_TEST(grows_and_is_used_again)
{
    struct blob blob = {0};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 10000; i++)
            blob_put_u32(&blob, i);
        ck_assert_uint_eq(blob.n, 40000);
        struct blob_reader reader = blob_read(blob.bytes, blob.n);
        for (uint32_t i = 0; i < 10000; i++)
            ck_assert_uint_eq(blob_get_u32(&reader), i);
        const unsigned char *room = blob.bytes;
        blob_clear(&blob);
        ck_assert_uint_eq(blob.n, 0);
        ck_assert_ptr_eq(blob.bytes, room);
    }
    blob_release(&blob);
    ck_assert_ptr_null(blob.bytes);
    ck_assert_uint_eq(blob.cap, 0);
}
END_TEST

// Bytes can be used where they lie.
START_TEST(takes_in_place)
{
    const char bytes[] = "0123456789";
    struct blob_reader reader = blob_read(bytes, 10);
    ck_assert_ptr_eq(blob_take(&reader, 4), bytes);
    ck_assert_ptr_eq(blob_take(&reader, 0), bytes + 4);
    ck_assert_ptr_eq(blob_take(&reader, 6), bytes + 4);
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
}
END_TEST

// No bytes are bytes too: nothing is put, nothing is read, no pointer is looked at.
START_TEST(nothing_is_fine)
{
    struct blob blob = {0};
    blob_put(&blob, NULL, 0);
    ck_assert_ptr_null(blob.bytes);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    blob_get(&reader, NULL, 0);
    ck_assert_ptr_nonnull(blob_take(&reader, 0));
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
    blob_release(&blob);
}
END_TEST

// What is not there is zeros, for that read and all that follow, and an error at the end.
START_TEST(short_is_zeros_and_an_error)
{
    const unsigned char bytes[7] = {1, 2, 3, 4, 5, 6, 7};
    struct err err = {0};
    struct blob_reader reader = blob_read(bytes, sizeof bytes);
    ck_assert_uint_ne(blob_get_u32(&reader), 0);
    ck_assert_uint_eq(blob_get_u64(&reader), 0);
    ck_assert(reader.short_of);
    ck_assert_uint_eq(blob_get_u32(&reader), 0);
    unsigned char one = 9;
    blob_get(&reader, &one, 1); // there is one, but not after an error
    ck_assert_uint_eq(one, 0);
    ck_assert_ptr_null(blob_take(&reader, 1));
    ck_assert_int_eq(blob_end(&reader, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_str_eq(err.text, "damaged state");
}
END_TEST

// A length near the largest number does not wrap round.
START_TEST(huge_length_is_short)
{
    const char bytes[16] = {1};
    struct blob_reader reader = blob_read(bytes, sizeof bytes);
    blob_get_u64(&reader);
    ck_assert_ptr_null(blob_take(&reader, SIZE_MAX));
    ck_assert_int_eq(blob_end(&reader, NULL), -1);
}
END_TEST

// Bytes that nobody asked for are an error.
START_TEST(left_over_is_an_error)
{
    const char bytes[5] = {1};
    struct blob_reader reader = blob_read(bytes, sizeof bytes);
    blob_get_u32(&reader);
    ck_assert_uint_eq(blob_left(&reader), 1);
    ck_assert_int_eq(blob_end(&reader, NULL), -1);
}
END_TEST

// A reader that was refused stays so.
START_TEST(refused_stays_refused)
{
    const char bytes[4] = {1};
    struct blob_reader reader = blob_read(bytes, sizeof bytes);
    ck_assert_int_eq(blob_refuse(&reader), -1);
    ck_assert_uint_eq(blob_get_u32(&reader), 0);
    ck_assert_int_eq(blob_end(&reader, NULL), -1);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back_in_order},
        {"core", grows_and_is_used_again},
        {"core", takes_in_place},
        {"limits", nothing_is_fine},
        {"errors", short_is_zeros_and_an_error},
        {"errors", huge_length_is_short},
        {"errors", left_over_is_an_error},
        {"errors", refused_stays_refused},
    };
    return suite_run("blob", tests, sizeof tests / sizeof *tests);
}
