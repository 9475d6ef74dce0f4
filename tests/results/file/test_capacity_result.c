// SPDX-License-Identifier: Apache-2.0
#include "results/file/capacity_result.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "support/suite.h"

// A new answer knows nothing: reals are NaN, nothing was asked, counts are 0, in every array.
START_TEST(starts_unknown)
{
    struct capacity_result *s =
        capacity_result_create(&(struct capacity_shape){1, 1, 1, 2, 2, 2, 3, 1});
    ck_assert_double_nan(s->tuples[3].qps);
    ck_assert_double_nan(s->sizes[2].below.p95_s);
    ck_assert_int_eq(s->sizes[2].at_n.sla, CAPACITY_NOT_ASKED);
    ck_assert_int_eq(s->trials[3].stable, CAPACITY_NOT_ASKED);
    ck_assert_uint_eq(s->sizes[2].n, 0);
    ck_assert_uint_eq(s->n_assigned[7], 0);
    ck_assert_double_nan(s->target_s[1]);
    ck_assert_double_nan(s->sample.window_s);
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++)
        ck_assert_msg(!capacity_result_is_known(s, a), "%s says something", a->name);
    capacity_result_destroy(s);
}
END_TEST

// One number anywhere makes its array known, the last byte of the last row too, and no other.
START_TEST(known_arrays)
{
    struct capacity_result *s =
        capacity_result_create(&(struct capacity_shape){1, 1, 1, 2, 2, 2, 3, 1});
    s->sizes[2].below.n_queries = 1;
    s->n_assigned[7] = 1;
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++) {
        bool wanted = strcmp(a->name, "sizes") == 0 || strcmp(a->name, "assigned") == 0;
        ck_assert_msg(capacity_result_is_known(s, a) == wanted, "%s", a->name);
    }
    capacity_result_destroy(s);
}
END_TEST

// A verdict counts in its place; one that was not asked for in none. Unknown names find nothing.
START_TEST(verdicts_count)
{
    struct capacity_total total = {.n_met = 1};
    capacity_result_count(&total, CAPACITY_MET);
    capacity_result_count(&total, CAPACITY_MISSED);
    capacity_result_count(&total, CAPACITY_UNSURE);
    capacity_result_count(&total, CAPACITY_NOT_ASKED);
    ck_assert_uint_eq(total.n_met, 2);
    ck_assert_uint_eq(total.n_unsure, 1);
    ck_assert_uint_eq(total.n_missed, 1);
    ck_assert_ptr_null(capacity_result_find("nothing"));
}
END_TEST

// Plans are numbered with the provisioning turning fastest, and rows follow from the dimensions.
START_TEST(indices)
{
    struct capacity_result *s = fixture_capacity();
    ck_assert_uint_eq(capacity_result_plan_at(s, 0, 0, 1), 1);
    ck_assert_uint_eq(capacity_result_plan_at(s, 0, 1, 0), 2);
    ck_assert_uint_eq(capacity_result_plan_at(s, 1, 2, 1), 11);
    ck_assert_uint_eq(capacity_result_n_rows(s, capacity_result_find("assigned")), 12 * 4 * 2 * 2);
    ck_assert_uint_eq(capacity_result_n_rows(s, capacity_result_find("days")), 12 * 2);
    ck_assert_uint_eq(capacity_result_n_rows(s, capacity_result_find("sample")), 1);
    ck_assert_uint_eq(capacity_result_n_rows(s, capacity_result_find("sizes")), 0);
    ck_assert_ptr_eq(capacity_result_rows(s, capacity_result_find("days")), s->days);
    ck_assert_ptr_eq(capacity_result_rows(s, capacity_result_find("sample")), &s->sample);
    capacity_result_destroy(s);
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

static size_t covered(const struct capacity_array *a, unsigned char *seen)
{
    for (const struct field_group *v = a->views; v->fields; v++) {
        for (const struct summary_field *f = v->fields; f->name; f++) {
            ck_assert_ptr_nonnull(f->units);
            ck_assert_ptr_nonnull(f->long_name);
            ck_assert_int_eq(f->kind == SUMMARY_CODE, f->codes != NULL);
            see(seen, a->stride, v->offset + f->offset, bytes_of(f->kind), f->name);
        }
    }
    for (const struct capacity_label *l = capacity_result_labels; l->array; l++) {
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
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++) {
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
    capacity_result_destroy(NULL);
    capacity_result_destroy(
        capacity_result_create(&(struct capacity_shape){1, 2, 3, 4, 5, 6, 7, 8}));
    struct capacity_result *empty = capacity_result_create(&(struct capacity_shape){0});
    ck_assert_uint_eq(capacity_result_n(empty, CAPACITY_SIZE), 0);
    capacity_result_destroy(empty);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", starts_unknown}, {"core", known_arrays},        {"core", verdicts_count},
        {"core", indices},        {"core", tables_are_complete}, {"limits", destroys_anything}};
    return suite_run("capacity_result", tests, sizeof tests / sizeof *tests);
}
