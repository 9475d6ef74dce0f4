// SPDX-License-Identifier: Apache-2.0
#include "results/staffing.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/fixture_staffing.h"
#include "support/suite.h"

// A new staffing knows nothing: reals are NaN, nothing was asked, counts are 0, in every array.
START_TEST(starts_unknown)
{
    struct staffing *s = staffing_create(&(struct staffing_shape){1, 1, 1, 2, 2, 2, 3, 1});
    ck_assert_double_nan(s->tuples[3].qps);
    ck_assert_double_nan(s->sizes[2].below.p95_s);
    ck_assert_int_eq(s->sizes[2].at_n.sla, STAFFING_NOT_ASKED);
    ck_assert_int_eq(s->trials[3].stable, STAFFING_NOT_ASKED);
    ck_assert_uint_eq(s->sizes[2].n, 0);
    ck_assert_uint_eq(s->n_assigned[7], 0);
    ck_assert_double_nan(s->target_s[1]);
    ck_assert_double_nan(s->sample.window_s);
    for (const struct staffing_array *a = staffing_arrays; a->name; a++)
        ck_assert_msg(!staffing_is_known(s, a), "%s says something", a->name);
    staffing_destroy(s);
}
END_TEST

// One number anywhere makes its array known, the last byte of the last row too, and no other.
START_TEST(known_arrays)
{
    struct staffing *s = staffing_create(&(struct staffing_shape){1, 1, 1, 2, 2, 2, 3, 1});
    s->sizes[2].below.n_queries = 1;
    s->n_assigned[7] = 1;
    for (const struct staffing_array *a = staffing_arrays; a->name; a++) {
        bool wanted = strcmp(a->name, "sizes") == 0 || strcmp(a->name, "assigned") == 0;
        ck_assert_msg(staffing_is_known(s, a) == wanted, "%s", a->name);
    }
    staffing_destroy(s);
}
END_TEST

// A verdict counts in its place; one that was not asked for in none. Unknown names find nothing.
START_TEST(verdicts_count)
{
    struct staffing_total total = {.n_met = 1};
    staffing_count(&total, STAFFING_MET);
    staffing_count(&total, STAFFING_MISSED);
    staffing_count(&total, STAFFING_UNSURE);
    staffing_count(&total, STAFFING_NOT_ASKED);
    ck_assert_uint_eq(total.n_met, 2);
    ck_assert_uint_eq(total.n_unsure, 1);
    ck_assert_uint_eq(total.n_missed, 1);
    ck_assert_ptr_null(staffing_find("nothing"));
}
END_TEST

// Plans are numbered with the provisioning turning fastest, and rows follow from the dimensions.
START_TEST(indices)
{
    struct staffing *s = fixture_staffing();
    ck_assert_uint_eq(staffing_plan_at(s, 0, 0, 1), 1);
    ck_assert_uint_eq(staffing_plan_at(s, 0, 1, 0), 2);
    ck_assert_uint_eq(staffing_plan_at(s, 1, 2, 1), 11);
    ck_assert_uint_eq(staffing_n_rows(s, staffing_find("assigned")), 12 * 4 * 2 * 2);
    ck_assert_uint_eq(staffing_n_rows(s, staffing_find("days")), 12 * 2);
    ck_assert_uint_eq(staffing_n_rows(s, staffing_find("sample")), 1);
    ck_assert_uint_eq(staffing_n_rows(s, staffing_find("sizes")), 0);
    ck_assert_ptr_eq(staffing_rows(s, staffing_find("days")), s->days);
    ck_assert_ptr_eq(staffing_rows(s, staffing_find("sample")), &s->sample);
    staffing_destroy(s);
}
END_TEST

static size_t bytes_of(enum summary_kind kind)
{
    return kind == SUMMARY_REAL || kind == SUMMARY_COUNT ? 8 : 4;
}

static void see(unsigned char *seen, size_t size, size_t at, size_t bytes, const char *name)
{
    ck_assert_uint_le(at + bytes, size);
    for (size_t i = 0; i < bytes; i++) {
        ck_assert_msg(!seen[at + i], "%s is named twice", name);
        seen[at + i] = 1;
    }
}

static size_t covered(const struct staffing_array *a, unsigned char *seen)
{
    for (const struct staffing_view *v = a->views; v->fields; v++) {
        for (const struct summary_field *f = v->fields; f->name; f++) {
            ck_assert_ptr_nonnull(f->units);
            ck_assert_ptr_nonnull(f->long_name);
            ck_assert_int_eq(f->kind == SUMMARY_CODE, f->codes != NULL);
            see(seen, a->stride, v->offset + f->offset, bytes_of(f->kind), f->name);
        }
    }
    for (const struct staffing_label *l = staffing_labels; l->array; l++) {
        if (strcmp(l->array, a->name) == 0)
            see(seen, a->stride, l->offset, sizeof(uint32_t), l->name);
    }
    size_t n = 0;
    for (size_t i = 0; i < a->stride; i++)
        n += seen[i];
    return n;
}

// The tables name every member of every row once; what they leave out is `reserved`.
START_TEST(tables_are_complete)
{
    for (const struct staffing_array *a = staffing_arrays; a->name; a++) {
        unsigned char seen[1024] = {0};
        ck_assert_uint_le(a->stride, sizeof seen);
        size_t n = covered(a, seen);
        ck_assert_msg(n == a->stride || n + sizeof(uint32_t) == a->stride,
                      "%s: %zu of %zu bytes are named", a->name, n, a->stride);
    }
}
END_TEST

// NULL is destroyed without effect, and so is one whose names were never filled in, and none.
START_TEST(destroys_anything)
{
    staffing_destroy(NULL);
    staffing_destroy(staffing_create(&(struct staffing_shape){1, 2, 3, 4, 5, 6, 7, 8}));
    struct staffing *empty = staffing_create(&(struct staffing_shape){0});
    ck_assert_uint_eq(staffing_n(empty, STAFFING_SIZE), 0);
    staffing_destroy(empty);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", starts_unknown}, {"core", known_arrays},        {"core", verdicts_count},
        {"core", indices},        {"core", tables_are_complete}, {"limits", destroys_anything}};
    return suite_run("staffing", tests, sizeof tests / sizeof *tests);
}
