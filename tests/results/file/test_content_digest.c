// SPDX-License-Identifier: Apache-2.0
#include "results/file/content_digest.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

static const double reals[6] = {0, -1.5, 1e300, 3, 4, 5};
static const char *const texts[2] = {"a", "bc"};

// Three items, of which one may be another; in the other order if asked for.
static void digest_of(const char *path, enum content_type type, const uint64_t sizes[2],
                      const void *values, bool backwards, char hex[CONTENT_DIGEST_CHARS])
{
    struct content_digest *d = content_digest_create();
    if (!backwards)
        content_digest_add(d, path, type, 2, sizes, values);
    content_digest_add(d, "/name", CONTENT_TEXT, 1, (uint64_t[]){2}, texts);
    content_digest_add(d, "/@seed", CONTENT_U64, 0, NULL, &(uint64_t){7});
    if (backwards)
        content_digest_add(d, path, type, 2, sizes, values);
    content_digest_finish(d, hex);
}

static void digest_x(const double values[6], char hex[CONTENT_DIGEST_CHARS])
{
    digest_of("/g/x", CONTENT_F64, (uint64_t[]){2, 3}, values, false, hex);
}

// A known answer, so that no change of the program changes what files say of themselves; and the
// order of the items is nothing.
START_TEST(known_answer)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    digest_x(reals, a);
    digest_of("/g/x", CONTENT_F64, (uint64_t[]){2, 3}, reals, true, b);
    ck_assert_str_eq(a, "5656df453d7f50e7f37115882148144d");
    ck_assert_str_eq(a, b);
}
END_TEST

// Path, lengths, type and every bit of every value count.
START_TEST(everything_counts)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    double other[6];
    digest_x(reals, a);
    digest_of("/g/y", CONTENT_F64, (uint64_t[]){2, 3}, reals, false, b);
    ck_assert_str_ne(a, b);
    digest_of("/g/x", CONTENT_F64, (uint64_t[]){3, 2}, reals, false, b);
    ck_assert_str_ne(a, b);
    digest_of("/g/x", CONTENT_U64, (uint64_t[]){2, 3}, reals, false, b);
    ck_assert_str_ne(a, b);
    memcpy(other, reals, sizeof other);
    other[5] = nextafter(other[5], 6);
    digest_x(other, b);
    ck_assert_str_ne(a, b);
    memcpy(other, reals, sizeof other);
    other[0] = -0.0;
    digest_x(other, b);
    ck_assert_str_ne(a, b);
}
END_TEST

// Every NaN is the same one.
START_TEST(one_nan)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    double x[6] = {NAN}, y[6] = {-NAN};
    uint64_t odd = UINT64_C(0xfff8000000000123);
    x[1] = NAN;
    memcpy(&y[1], &odd, sizeof odd);
    digest_x(x, a);
    digest_x(y, b);
    ck_assert_str_eq(a, b);
}
END_TEST

// Where one text ends and the next begins counts; no text is an empty one.
START_TEST(text_bounds)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    digest_of("/t", CONTENT_TEXT, (uint64_t[]){1, 2}, (const char *[]){"ab", "c"}, false, a);
    digest_of("/t", CONTENT_TEXT, (uint64_t[]){1, 2}, (const char *[]){"a", "bc"}, false, b);
    ck_assert_str_ne(a, b);
    digest_of("/t", CONTENT_TEXT, (uint64_t[]){1, 2}, (const char *[]){"ab", NULL}, false, a);
    digest_of("/t", CONTENT_TEXT, (uint64_t[]){1, 2}, (const char *[]){"ab", ""}, false, b);
    ck_assert_str_eq(a, b);
}
END_TEST

// What differs from run to run, who wrote the file, and what belongs to netCDF do not count.
START_TEST(what_counts)
{
    const char *const not [] = {"/run", "/run/wall_s", "/@content_digest", "/@program_version",
                                "/@_NCProperties"};
    const char *const yes[] = {"/runs", "/running/x", "/a/run", "/@seed", "/@run", "/x"};
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        ck_assert_msg(!content_digest_counts(not [i]), "%s", not [i]);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        ck_assert_msg(content_digest_counts(yes[i]), "%s", yes[i]);
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    digest_of("/run/x", CONTENT_F64, (uint64_t[]){2, 3}, reals, false, a);
    digest_of("/run/y", CONTENT_F64, (uint64_t[]){1, 1}, reals, false, b);
    ck_assert_str_eq(a, b);
}
END_TEST

// Nothing has a digest, too, and so have axes of length 0.
START_TEST(empty)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    content_digest_finish(content_digest_create(), a);
    digest_of("/g/x", CONTENT_F64, (uint64_t[]){0, 3}, NULL, false, b);
    ck_assert_uint_eq(strlen(a), 32);
    ck_assert_str_ne(a, b);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", known_answer}, {"core", everything_counts},
                                       {"core", one_nan},      {"core", text_bounds},
                                       {"core", what_counts},  {"limits", empty}};
    return suite_run("content_digest", tests, sizeof tests / sizeof *tests);
}
