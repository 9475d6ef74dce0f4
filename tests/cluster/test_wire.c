// SPDX-License-Identifier: Apache-2.0
#include "cluster/wire.h"

#include "cluster/view.h"
#include "support/suite.h"
#include "traces/query.h"

// A message without records is its head; each record adds its size.
START_TEST(bytes)
{
    ck_assert_uint_eq(wire_bytes(0, sizeof(struct query)), sizeof(struct wire_head));
    ck_assert_uint_eq(wire_bytes(3, sizeof(struct query)), sizeof(struct wire_head) + 96);
    ck_assert_uint_eq(wire_bytes(2, 24) - wire_bytes(1, 24), 24);
}
END_TEST

// Records travel as they lie in memory: their sizes are what was promised, and the head leaves
// those behind it aligned.
START_TEST(sizes)
{
    ck_assert_uint_eq(sizeof(struct wire_head), 32);
    ck_assert_uint_eq(sizeof(struct query), 32);
    ck_assert_uint_eq(sizeof(struct completion), 24);
    ck_assert_uint_eq(sizeof(struct loss), 40);
    ck_assert_uint_eq(sizeof(struct wire_head) % _Alignof(struct query), 0);
    ck_assert_uint_eq(sizeof(struct wire_head) % _Alignof(struct completion), 0);
}
END_TEST

// More records than a 32-bit byte count could tell.
START_TEST(many)
{
    ck_assert_uint_eq(wire_bytes(UINT32_MAX, 32), UINT64_C(32) * UINT32_MAX + 32);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", bytes}, {"core", sizes}, {"limits", many}};
    return suite_run("wire", tests, sizeof tests / sizeof *tests);
}
