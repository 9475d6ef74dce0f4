// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <string.h>

#include "support/suite.h"

// Failing is one line: -1, a code, a text.
START_TEST(set_fills_and_fails)
{
    struct err err;
    ck_assert_int_eq(err_set(&err, ERR_STUDY, "servers: got %d", 0), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_str_eq(err.text, "servers: got 0");
    err_clear(&err);
    ck_assert_int_eq(err.code, ERR_NONE);
    ck_assert_str_eq(err.text, "");
}
END_TEST

// A caller that knows where puts it in front; one that knows more puts it behind.
START_TEST(prefix_and_append)
{
    struct err err;
    err_set(&err, ERR_FAIL, "disk full");
    ck_assert_int_eq(err_prefix(&err, "%s", "a.h5"), -1);
    ck_assert_int_eq(err_append(&err, " (%d MB short)", 3), -1);
    ck_assert_str_eq(err.text, "a.h5: disk full (3 MB short)");
    ck_assert_int_eq(err.code, ERR_FAIL);
}
END_TEST

// Texts that do not fit are cut and stay texts.
START_TEST(long_texts_are_cut)
{
    struct err err;
    char text[3 * ERR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_FAIL, "%s", text);
    ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
    err_prefix(&err, "%s", text);
    ck_assert_uint_lt(strlen(err.text), ERR_TEXT_MAX);
    err_append(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
}
END_TEST

// Quoted line breaks and control characters become blanks: an error is one line.
START_TEST(one_line)
{
    struct err err;
    err_set(&err, ERR_STUDY, "got \"%s\"", "a\nb");
    err_prefix(&err, "%s", "k\tey");
    err_append(&err, "%s", "\r\x1b");
    ck_assert_str_eq(err.text, "k ey: got \"a b\"  ");
    err_set(&err, ERR_STUDY, "%s",
            "\xc2\x9b"
            "1m \xc2\xa0 \xc3\xa9"); // U+009B, a blank and an é
    ck_assert_str_eq(err.text, "  1m \xc2\xa0 \xc3\xa9");
    // U+202E and U+E0001 turn or hide what follows; an é, a euro and half a character stay.
    err_set(&err, ERR_STUDY, "%s",
            "a\xe2\x80\xae"
            "b\xf3\xa0\x80\x81"
            "c\xe2\x82\xac\xe9\xe2\x80");
    ck_assert_str_eq(err.text, "a   b    c\xe2\x82\xac\xe9\xe2\x80");
    ck_assert_uint_eq(err_control("\xe2\x80\xa8"), 3);
    ck_assert_uint_eq(err_control("\xc2\xad"), 2);
    ck_assert_uint_eq(err_control("a"), 0);
    ck_assert_uint_eq(err_control(""), 0);
}
END_TEST

// Whoever does not want to know passes NULL.
START_TEST(null_is_allowed)
{
    ck_assert_int_eq(err_set(NULL, ERR_FAIL, "x"), -1);
    ck_assert_int_eq(err_prefix(NULL, "x"), -1);
    ck_assert_int_eq(err_append(NULL, "x"), -1);
    err_clear(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", set_fills_and_fails},
                                       {"core", prefix_and_append},
                                       {"core", one_line},
                                       {"limits", long_texts_are_cut},
                                       {"limits", null_is_allowed}};
    return suite_run("err", tests, sizeof tests / sizeof *tests);
}
