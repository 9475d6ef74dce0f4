// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_slowest.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/report/shown.h"
#include "support/suite.h"

// n queries, the first of 40 ms, each 1 ms faster than the one before; caller mem_free()s the text.
static char *report_of(uint32_t n, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    struct meta *meta = meta_create(1, 1, 1);
    struct run_sample *rows = mem_calloc(n + 1, sizeof *rows);
    meta->services[0].name = mem_strdup("feed");
    for (uint32_t i = 0; i < n; i++)
        rows[i] = (struct run_sample){.query = {.arrive_ns = 1500 * SIMTIME_MS + i,
                                                .latency_ns = (40 - i) * SIMTIME_MS,
                                                .wait_ns = 7 * SIMTIME_MS,
                                                .service_ns = 5 * SIMTIME_MS,
                                                .seq = 100 + i,
                                                .cell = 3,
                                                .server = 17,
                                                .size_items = 640,
                                                .first_unit = 2,
                                                .last_unit = i > 0 ? 9 : 2},
                                      .path = i == 1 ? PATH_ACCEL : PATH_CPU};
    out->format = format;
    report_slowest_print(out, meta, &(struct run_slowest){n, rows});
    report_end(out);
    meta_destroy(meta);
    mem_free(rows);
    return shown_text(&shown);
}

// Which query, when, how large, where, and where its time went: the parts add up.
START_TEST(rows)
{
    shown_is(
        report_of(3, REPORT_TEXT), 110,
        (const char *const[]){
            "the slowest queries that were measured:\n",
            "feed        3    100   1.500000    640      17        core 2    7.000       5.000  "
            "    28.000      40.000",
            "streams 2, 9", "cores 2, 9", NULL});
}
END_TEST

// People see ten of them and how many there are, programs all, in seconds.
START_TEST(many)
{
    char *text = report_of(30, REPORT_TEXT), *rows = report_of(30, REPORT_CSV);
    ck_assert_ptr_nonnull(strstr(text, "measured, 10 of the 30 in the file:\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nfeed        3    109 "));
    ck_assert_ptr_null(strstr(text, "\nfeed        3    110 "));
    ck_assert_ptr_nonnull(strstr(rows, "slowest,feed,3,129,1.500000029,640,17"));
    ck_assert_ptr_nonnull(strstr(rows, ",wait_s,service_s,network_s,latency_s\n"));
    mem_free(text);
    mem_free(rows);
}
END_TEST

// A file without such a list says nothing.
START_TEST(none)
{
    char *text = report_of(0, REPORT_TEXT);
    ck_assert_str_eq(text, "");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rows}, {"core", many}, {"limits", none}};
    return suite_run("report_slowest", tests, sizeof tests / sizeof *tests);
}
