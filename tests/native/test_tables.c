// SPDX-License-Identifier: Apache-2.0
#include "native/tables.h"

#include <math.h>
#include <string.h>

#include "native/narrow.h"
#include "support/suite.h"

static struct network_table two_tables[] = {{.rows = 1000, .lookups = 4, .pooled = 4},
                                            {.rows = 50000, .lookups = 1, .pooled = 1}};
static const struct network network = {.n_tables = 2, .tables = two_tables, .dim = 12};

// With no limit all rows are there; with one, so many that they fit, in the same proportion.
START_TEST(holds_what_fits)
{
    struct tables tables;
    ck_assert_int_eq(tables_create(&tables, &network, FORMAT_FP32, 0, 1, NULL), 0);
    ck_assert_double_eq(tables.frac, 1);
    ck_assert_uint_eq(tables_n_rows(&tables, 0), 1000);
    ck_assert_uint_eq(tables_n_rows(&tables, 1), 50000);
    ck_assert_double_eq(tables.bytes, 51000 * 48.0);
    tables_release(&tables);
    ck_assert_int_eq(tables_create(&tables, &network, FORMAT_FP32, 51000 * 4.8, 1, NULL), 0);
    ck_assert_double_eq_tol(tables.frac, 0.1, 1e-12);
    ck_assert_uint_eq(tables_n_rows(&tables, 0), 100);
    ck_assert_uint_eq(tables_n_rows(&tables, 1), 5000);
    tables_release(&tables);
}
END_TEST

// A row is the same however many others are held, and another with another seed.
START_TEST(rows_depend_on_the_seed_alone)
{
    struct tables all, some, other;
    ck_assert_int_eq(tables_create(&all, &network, FORMAT_FP32, 0, 1, NULL), 0);
    ck_assert_int_eq(tables_create(&some, &network, FORMAT_FP32, 51000 * 4.8, 1, NULL), 0);
    ck_assert_int_eq(tables_create(&other, &network, FORMAT_FP32, 0, 2, NULL), 0);
    for (uint32_t t = 0; t < 2; t++) {
        const float *row = tables_row(&all, all.first_row[t] + 99);
        ck_assert_mem_eq(row, tables_row(&some, some.first_row[t] + 99), 12 * sizeof *row);
        ck_assert_mem_ne(row, tables_row(&other, other.first_row[t] + 99), 12 * sizeof *row);
    }
    tables_release(&all);
    tables_release(&some);
    tables_release(&other);
}
END_TEST

// A row of bf16 or int8 is that of fp32, as near as the format comes; it takes a half, or a quarter
// and a scale.
START_TEST(narrow_rows_are_near)
{
    static const double bytes[] = {51000 * 24.0, 51000 * 16.0};
    static const enum model_format formats[] = {FORMAT_BF16, FORMAT_INT8};
    struct tables wide, narrow;
    ck_assert_int_eq(tables_create(&wide, &network, FORMAT_FP32, 0, 1, NULL), 0);
    for (int f = 0; f < 2; f++) {
        ck_assert_int_eq(tables_create(&narrow, &network, formats[f], 0, 1, NULL), 0);
        ck_assert_double_eq(narrow.bytes, bytes[f]);
        for (uint32_t r = 0; r < 51000; r++) {
            const float *row = tables_row(&wide, r);
            const void *near = tables_row(&narrow, r);
            float scale = 0;
            if (f == 1)
                memcpy(&scale, (const char *)near + 12, sizeof scale);
            for (uint32_t i = 0; i < 12; i++) {
                float value = f == 0 ? narrow_wide(((const uint16_t *)near)[i])
                                     : scale * (float)((const int8_t *)near)[i];
                float most = f == 0 ? 0x1p-8f * fabsf(row[i]) : 0.5001f * scale;
                ck_assert_float_le(fabsf(value - row[i]), most);
            }
        }
        tables_release(&narrow);
    }
    tables_release(&wide);
}
END_TEST

// Sums of as many rows as the network sums have mean 0 and variance 1: four standard errors.
START_TEST(sums_have_variance_one)
{
    struct tables tables;
    ck_assert_int_eq(tables_create(&tables, &network, FORMAT_FP32, 0, 1, NULL), 0);
    for (uint32_t t = 0; t < 2; t++) {
        uint64_t n = tables_n_rows(&tables, t) * UINT64_C(12);
        const float *v = tables_row(&tables, tables.first_row[t]);
        double sum = 0, squares = 0, pooled = two_tables[t].pooled;
        for (uint64_t i = 0; i < n; i++) {
            sum += v[i];
            squares += (double)v[i] * v[i];
        }
        ck_assert_double_eq_tol(sum / (double)n, 0, 4 / sqrt(pooled * (double)n));
        ck_assert_double_eq_tol(pooled * squares / (double)n, 1, 4 * sqrt(0.8 / (double)n));
    }
    tables_release(&tables);
}
END_TEST

// However low the limit, a table has a row; a network without tables has none.
START_TEST(one_row_at_least)
{
    struct network none = {.dim = 1};
    struct tables tables;
    ck_assert_int_eq(tables_create(&tables, &network, FORMAT_FP32, 1, 1, NULL), 0);
    ck_assert_uint_eq(tables_n_rows(&tables, 0), 1);
    ck_assert_uint_eq(tables_n_rows(&tables, 1), 1);
    tables_release(&tables);
    ck_assert_int_eq(tables_create(&tables, &none, FORMAT_FP32, 0, 1, NULL), 0);
    ck_assert(!tables.huge_pages);
    tables_release(&tables);
    tables_release(NULL);
}
END_TEST

// What no machine holds is refused before it is asked for.
START_TEST(refuses_more_than_the_memory)
{
    struct network_table vast = {.rows = 1e12, .lookups = 1, .pooled = 1};
    struct network large = {.n_tables = 1, .tables = &vast, .dim = 128};
    struct tables tables;
    struct err err = {0};
    ck_assert_int_eq(tables_create(&tables, &large, FORMAT_FP32, 0, 1, &err), -1);
    ck_assert_msg(strstr(err.text, "tables of 5.12e+05 GB: expected at most the"), "%s", err.text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", holds_what_fits},      {"core", rows_depend_on_the_seed_alone},
        {"core", narrow_rows_are_near}, {"core", sums_have_variance_one},
        {"limits", one_row_at_least},   {"errors", refuses_more_than_the_memory},
    };
    return suite_run("tables", tests, sizeof tests / sizeof *tests);
}
