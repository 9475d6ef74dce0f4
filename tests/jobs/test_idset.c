// SPDX-License-Identifier: Apache-2.0
#include "jobs/idset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

enum { N = 12 };

// The set as it is printed; caller free()s.
static char *printed(const bool *chosen)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    idset_print(out, chosen, N);
    fclose(out);
    return text;
}

static void assert_set(const bool *chosen, const char *expected)
{
    char *text = printed(chosen);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void assert_refused(const char *text, const char *says)
{
    bool chosen[N] = {[3] = true};
    struct err err = {0};
    ck_assert_int_eq(idset_parse(text, chosen, N, &err), -1);
    ck_assert_msg(strstr(err.text, says) != NULL, "%s: %s", text, err.text);
    ck_assert_int_eq(err.code, ERR_STUDY);
    assert_set(chosen, "3");
}

// Numbers, ranges and both are taken, in any order, and more than once.
START_TEST(takes_lists)
{
    bool chosen[N] = {false};
    struct err err = {0};
    ck_assert_int_eq(idset_parse("7,0-2,2", chosen, N, &err), 0);
    ck_assert_uint_eq(idset_count(chosen, N), 4);
    assert_set(chosen, "0-2,7");
    ck_assert_int_eq(idset_parse("8", chosen, N, &err), 0);
    assert_set(chosen, "0-2,7-8");
}
END_TEST

// What is printed reads back to the same set, for every set of twelve points.
START_TEST(round_trip)
{
    for (unsigned bits = 1; bits < 1u << N; bits++) {
        bool chosen[N], again[N] = {false};
        for (unsigned i = 0; i < N; i++)
            chosen[i] = bits >> i & 1;
        char *text = printed(chosen);
        ck_assert_int_eq(idset_parse(text, again, N, NULL), 0);
        ck_assert_mem_eq(again, chosen, sizeof again);
        free(text);
    }
}
END_TEST

// Shares are every n-th point; together they are all points, and no point is in two.
START_TEST(shares)
{
    bool chosen[N] = {false};
    struct err err = {0};
    ck_assert_int_eq(idset_parse_share("2/5", chosen, N, &err), 0);
    assert_set(chosen, "2,7");
    for (int n = 1; n <= 2 * N; n++) {
        uint32_t sum = 0;
        for (int i = 0; i < n; i++) {
            bool share[N] = {false};
            char *text = mem_printf("%d/%d", i, n);
            ck_assert_int_eq(idset_parse_share(text, share, N, &err), 0);
            sum += idset_count(share, N);
            mem_free(text);
        }
        ck_assert_uint_eq(sum, N);
    }
}
END_TEST

// The last point is one, all points are one range, and no points are no text.
START_TEST(ends)
{
    bool chosen[N] = {false};
    assert_set(chosen, "");
    ck_assert_int_eq(idset_parse("11", chosen, N, NULL), 0);
    assert_set(chosen, "11");
    ck_assert_int_eq(idset_parse("0-11", chosen, N, NULL), 0);
    assert_set(chosen, "0-11");
}
END_TEST

// Whatever is no list of points below n is refused, and nothing was chosen by its good parts.
START_TEST(refuses)
{
    assert_refused("", "such as 0-2,7, got \"\"");
    assert_refused("1,", "such as 0-2,7");
    assert_refused(",1", "such as 0-2,7");
    assert_refused("1-", "such as 0-2,7");
    assert_refused("-1", "such as 0-2,7");
    assert_refused("2-1", "such as 0-2,7");
    assert_refused("1 2", "such as 0-2,7");
    assert_refused("0x1", "such as 0-2,7");
    assert_refused("1,twelve", "such as 0-2,7");
    assert_refused("1,12", "from 0 to 11, got \"1,12\"");
    assert_refused("0-99999999999999999999", "from 0 to 11");
}
END_TEST

// A share has a part below the number of parts.
START_TEST(refuses_shares)
{
    static const char *const bad[] = {"", "1", "4/4", "0/0", "-1/4", "1/4/2", "1/", "/4", "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool chosen[N] = {false};
        struct err err = {0};
        ck_assert_int_eq(idset_parse_share(bad[i], chosen, N, &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, "expected a share such as 0/4"));
        ck_assert_uint_eq(idset_count(chosen, N), 0);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", takes_lists}, {"core", round_trip}, {"core", shares},
        {"limits", ends},      {"errors", refuses},  {"errors", refuses_shares},
    };
    return suite_run("idset", tests, sizeof tests / sizeof *tests);
}
