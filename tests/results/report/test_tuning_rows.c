// SPDX-License-Identifier: Apache-2.0
#include "results/report/tuning_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "support/suite.h"

// By the fixture's rule: twice static, and 2.00 of exhaustive's 2.02.
START_TEST(ratios)
{
    struct tuning_result *t = fixture_tuning(1);
    struct tuning_rows v = tuning_rows_of(t);
    ck_assert_int_eq(v.exhaustive, 2);
    struct tuning_row row = tuning_rows_row(&v, 1, 1), base = tuning_rows_row(&v, 1, 0);
    ck_assert(row.gain == 2 && base.gain == 1);
    // 1e-12: three roundings of numbers near 1
    ck_assert_double_eq_tol(row.gap_frac, 1 - 2 / 2.02, 1e-12);
    ck_assert(tuning_rows_row(&v, 1, 2).gap_frac == 0);
    ck_assert(row.settings[0] == 251 && row.settings[1] == 320);
    ck_assert(base.settings[0] == 25 && isnan(base.settings[1])); // not used
    tuning_result_destroy(t);
}
END_TEST

// Where static has no answer there is nothing to compare with.
START_TEST(no_answer)
{
    struct tuning_result *t = fixture_tuning(1);
    struct tuning_rows v = tuning_rows_of(t);
    struct tuning_row none = tuning_rows_row(&v, 3, 0), row = tuning_rows_row(&v, 3, 1);
    ck_assert(!none.found && isnan(none.settings[0]));
    ck_assert(row.found && isnan(row.gain) && isnan(row.efficiency_gain));
    ck_assert(isnan(row.gap_frac)); // exhaustive has none either
    tuning_result_destroy(t);
}
END_TEST

static void labels_are(const struct tuning_rows *v, uint32_t point, const char *wanted)
{
    char *text = NULL;
    size_t n = 0;
    struct report_out out = {.file = open_memstream(&text, &n)};
    struct table *table = table_create(tuning_rows_n_labels(v));
    tuning_rows_add_heads(v, table);
    tuning_rows_add_labels(v, table, point);
    table_print(table, &out, "rows");
    table_destroy(table);
    fclose(out.file);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// A column per axis while they are narrow, else the point's number.
START_TEST(labels)
{
    struct tuning_result *t = fixture_tuning(4);
    struct tuning_rows v = tuning_rows_of(t);
    labels_are(&v, 0, "model  target  platform\nrmc1      low   skylake\n");
    mem_free(t->grid.axes[0].labels[1]);
    t->grid.axes[0].labels[1] = mem_strdup("a model with quite a long name");
    v = tuning_rows_of(t);
    ck_assert(v.numbered);
    labels_are(&v, 5, "point\n5\n");
    tuning_result_destroy(t);
}
END_TEST

// Every number of a row goes by its name in the file.
START_TEST(names)
{
    static const char *const names[] = {"qps", "wall_s", "sla_latency_s", "gain", "batch_items"};
    struct tuning_result *t = fixture_tuning(1);
    struct tuning_rows v = tuning_rows_of(t);
    struct tuning_row row = tuning_rows_row(&v, 0, 1);
    const double wanted[] = {2000, row.outcome.wall_s, 0.0025 * 0.99, 2, 251};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double value;
        const struct data_field *f = data_field_find(v.fields, names[i]);
        ck_assert_msg(f != NULL, "%s", names[i]);
        memcpy(&value, (const char *)&row + f->offset, sizeof value);
        ck_assert_msg(value == wanted[i], "%s", names[i]);
    }
    tuning_result_destroy(t);
}
END_TEST

// Rare columns are asked for by one outcome that differs.
START_TEST(rare)
{
    struct tuning_result *t = fixture_tuning(1);
    struct tuning_rows v = tuning_rows_of(t);
    ck_assert(!v.claims && !v.tuned_elsewhere);
    tuning_result_outcome_at(t, 0, 1)->claimed_qps = 31415;
    tuning_result_outcome_at(t, 0, 2)->tuned_qps = 27182;
    v = tuning_rows_of(t);
    ck_assert(v.claims && v.tuned_elsewhere);
    tuning_result_destroy(t);
}
END_TEST

// Without axes there are no labels, and without exhaustive no gaps.
START_TEST(least)
{
    struct tuning_result *t = fixture_tuning_least();
    struct tuning_rows v = tuning_rows_of(t);
    ck_assert_int_eq(tuning_rows_n_labels(&v), 0);
    ck_assert_int_eq(v.exhaustive, -1);
    struct tuning_row row = tuning_rows_row(&v, 0, 0);
    ck_assert(row.gain == 1 && isnan(row.gap_frac));
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", ratios}, {"core", no_answer}, {"core", labels},
                                       {"core", names},  {"core", rare},      {"limits", least}};
    return suite_run("tuning_rows", tests, sizeof tests / sizeof *tests);
}
