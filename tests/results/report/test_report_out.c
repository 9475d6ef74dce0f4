// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_out.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/report_columns.h"
#include "results/report/shown.h"
#include "support/suite.h"

struct row {
    struct ci latency_s;
    double power_w;
};
#define ROW struct row
static const struct data_field fields[] = {
    DATA_ESTIMATE(latency_s, "s", "latency"), DATA_NUMBER(power_w, "W", "power"), {0}};
#undef ROW

static const struct report_column list[] = {{"p95 @", "latency_s", .form = REPORT_INTERVAL},
                                            {"power W", "power_w", REPORT_KNOWN, .scale = 1},
                                            {0}};

// A report of a sentence and two tables, the second with heads of two lines.
static char *report_in(int format)
{
    const struct report_columns columns = {list, fields, .unit = {"ms", 1e3}};
    const struct row rows[] = {{{0.00123456789, 0.0001, 20}, 150}, {{NAN, NAN, 0}, NAN}};
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    struct table *table = table_create(0);
    table_cell(table, mem_strdup("service"));
    report_columns_heads(&columns, table);
    table_cell(table, mem_strdup("n"));
    table_line(table);
    for (int i = 0; i < 2; i++) {
        table_cell(table, mem_strdup(i ? "ads, \"x\"\\" : "feed"));
        report_columns_row(&columns, table, &rows[i]);
        table_cell(table, mem_strdup(i ? "-" : "17"));
    }
    report_text(out, "a sentence of %d words\n", 5);
    table_print(table, out, "services");
    table_destroy(table);
    table = table_create(3);
    table_row(table, (const char *const[]){"", "fixed", ""});
    table_row(table, (const char *const[]){"time", "QPS ", ""});
    table_row(table, (const char *const[]){"06:30", "1e3", "####"});
    table_heads(table, 2);
    table_print(table, out, "day");
    table_destroy(table);
    report_end(out);
    return shown_text(&shown);
}

static void report_is(int format, const char *wanted)
{
    char *text = report_in(format);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// People get sentences and aligned columns with units.
START_TEST(text)
{
    report_is(REPORT_TEXT, "a sentence of 5 words\n"
                           "service        p95 ms  power W   n\n"
                           "feed       1.23 ±0.10    150.0  17\n"
                           "ads, \"x\"\\         n/a        -   -\n"
                           "       fixed\n"
                           "time    QPS \n"
                           "06:30    1e3  ####\n");
}
END_TEST

// Programs get the tables alone: fields by name, in SI units, all digits, half-widths beside them.
START_TEST(json)
{
    report_is(
        REPORT_JSON,
        "{\"tables\": [\n"
        " {\"table\": \"services\", \"rows\": [\n"
        "    {\"service\": \"feed\", \"latency_s\": 0.00123456789, \"latency_s_half_95\": 0.0001, "
        "\"power_w\": 150, \"n\": 17},\n"
        "    {\"service\": \"ads, \\\"x\\\"\\\\\", \"latency_s\": null, \"latency_s_half_95\": "
        "null, "
        "\"power_w\": null, \"n\": null}]},\n"
        " {\"table\": \"day\", \"rows\": [\n"
        "    {\"time\": \"06:30\", \"fixed QPS\": \"1e3\"}]}\n"
        "]}\n");
}
END_TEST

// The same in CSV: quotes where there must be some, nothing for what is not known.
START_TEST(csv)
{
    report_is(REPORT_CSV, "table,service,latency_s,latency_s_half_95,power_w,n\n"
                          "services,feed,0.00123456789,0.0001,150,17\n"
                          "services,\"ads, \"\"x\"\"\\\",,,,\n"
                          "\n"
                          "table,time,fixed QPS\n"
                          "day,06:30,1e3\n");
}
END_TEST

// A report without a table is none, but still JSON.
START_TEST(nothing)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_JSON;
    report_text(out, "nothing to see\n");
    report_end(out);
    char *text = shown_text(&shown);
    ck_assert_str_eq(text, "{\"tables\": []}\n");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", text}, {"core", json}, {"core", csv}, {"limits", nothing}};
    return suite_run("report_out", tests, sizeof tests / sizeof *tests);
}
