// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_columns.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/shown.h"
#include "support/suite.h"

struct disk {
    struct ci wait_s;
    double power_w;
    uint64_t n_reads;
    uint32_t n_heads;
};

#define ROW struct disk
static const struct data_field disk_fields[] = {DATA_ESTIMATE(wait_s, "s", "mean wait"),
                                                DATA_NUMBER(power_w, "W", "power"),
                                                DATA_COUNT(n_reads, "1", "reads"),
                                                {0}};
static const struct data_field more_fields[] = {DATA_COUNT32(n_heads, "1", "heads"), {0}};
#undef ROW

// Of one disk of which everything is known, and of one of which nothing is.
static const struct disk disks[] = {{{7.1316e-3, 0.0213e-3, 20}, 12.346, 1234567, 4},
                                    {{NAN, NAN, 0}, NAN, 0, 0}};

// The table of both; caller frees.
static char *table_of(const struct report_columns *columns)
{
    struct shown shown;
    struct table *table = table_create(0);
    report_columns_heads(columns, table);
    table_line(table);
    for (int i = 0; i < 2; i++)
        report_columns_row(columns, table, &disks[i]);
    table_left(table, 0);
    table_print(table, shown_open(&shown), "t");
    table_destroy(table);
    return shown_text(&shown);
}

static void assert_table(const struct report_columns *columns, const char *wanted)
{
    char *text = table_of(columns);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// Every form, of an estimate in the unit of time that the head names, and of what is not known.
START_TEST(forms)
{
    const struct report_column list[] = {{"wait @", "wait_s", .form = REPORT_INTERVAL},
                                         {"wait @", "wait_s", .form = REPORT_KNOWN_INTERVAL},
                                         {"wait @", "wait_s", .form = REPORT_NUMBER},
                                         {"W", "power_w", REPORT_KNOWN, .scale = 1},
                                         {"W", "power_w", REPORT_WHOLE, .scale = 1},
                                         {"%", "power_w", REPORT_TENTHS, .scale = 100},
                                         {"W", "power_w", REPORT_HUNDREDTHS, .scale = 1},
                                         {0}};
    const struct report_columns columns = {list, disk_fields, .unit = table_time_unit(1e-3)};
    assert_table(&columns, "     wait ms       wait ms  wait ms      W   W       %      W\n"
                           "7.132 ±0.021  7.132 ±0.021    7.132  12.35  12  1234.6  12.35\n"
                           "         n/a             -      n/a      -   -       -      -\n");
}
END_TEST

// Both sizes of counts, from either table of fields.
START_TEST(counts)
{
    const struct report_column list[] = {{"reads", "n_reads", REPORT_WHOLE, .scale = 1},
                                         {"heads", "n_heads", REPORT_WHOLE, .scale = 1},
                                         {0}};
    const struct report_columns columns = {list, disk_fields, .more = more_fields};
    assert_table(&columns, "  reads  heads\n1234567      4\n      0      0\n");
    ck_assert_double_eq(report_columns_value(disk_fields, &list[0], &disks[0]), 1234567);
}
END_TEST

static bool has_reads(const void *disk)
{
    return ((const struct disk *)disk)->n_reads > 0;
}

static bool is_named(const void *context, const struct report_column *column)
{
    return column->head[0] == *(const char *)context;
}

// A cell that means nothing in its row is a dash, a column that is not wanted is not there, and
// half-widths may be left out.
START_TEST(left_out)
{
    const struct report_column list[] = {
        {"reads", "n_reads", REPORT_WHOLE, 1, .shown = has_reads},
        {"a", "n_reads", REPORT_WHOLE, 1, .wanted = is_named},
        {"b", "wait_s", REPORT_KNOWN_INTERVAL, 1e3, .wanted = is_named},
        {0}};
    const struct report_columns columns = {list, disk_fields, .context = "b",
                                           .without_intervals = true};
    assert_table(&columns, "  reads      b\n1234567  7.132\n      -      -\n");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", forms}, {"core", counts}, {"core", left_out}};
    return suite_run("report_columns", tests, sizeof tests / sizeof *tests);
}
