// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_slowest.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/report/table.h"

// The name as the file's, for programs, with the value in the file's unit.
static void put_time(struct table *table, int64_t ns, struct table_unit unit)
{
    double s = simtime_to_s(ns);
    table_value(table, mem_printf("%.3f", s * unit.scale), s);
}

static void put_count(struct table *table, uint64_t n)
{
    table_value(table, mem_printf("%" PRIu64, n), (double)n);
}

static void print_heads(struct table *table, struct table_unit unit)
{
    static const char *const heads[][2] = {
        {"service", "service"},  {"cell", "cell"},     {"query", "seq"}, {"arrival s", "arrive_s"},
        {"items", "size_items"}, {"server", "server"}, {"on", "on"}};
    static const char *const times[][2] = {{"wait", "wait_s"},
                                           {"service", "service_s"},
                                           {"network", "network_s"},
                                           {"latency", "latency_s"}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_head(table, mem_strdup(heads[i][0]), heads[i][1]);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        table_head(table, mem_printf("%s %s", times[i][0], unit.name), times[i][1]);
    table_line(table);
}

// "cores 3, 7", or of one alone "core 3".
static char *units_of(const struct run_sample *row)
{
    const struct query_sample *q = &row->query;
    const char *name = row->path == PATH_ACCEL ? "stream" : "core";
    if (q->first_unit == q->last_unit)
        return mem_printf("%s %" PRIu32, name, q->first_unit);
    return mem_printf("%ss %" PRIu32 ", %" PRIu32, name, q->first_unit, q->last_unit);
}

static void print_row(struct table *table, const struct meta *meta, const struct run_sample *row,
                      struct table_unit unit)
{
    const struct query_sample *q = &row->query;
    double arrive_s = simtime_to_s(q->arrive_ns);
    table_cell(table, mem_strdup(table_or_dash(meta->services[row->service].name)));
    put_count(table, q->cell);
    put_count(table, q->seq);
    table_value(table, mem_printf("%.6f", arrive_s), arrive_s);
    put_count(table, q->size_items);
    put_count(table, q->server);
    table_cell(table, units_of(row));
    put_time(table, q->wait_ns, unit);
    put_time(table, q->service_ns, unit);
    put_time(table, q->latency_ns - q->wait_ns - q->service_ns, unit);
    put_time(table, q->latency_ns, unit);
}

void report_slowest_print(struct report_out *out, const struct meta *meta,
                          const struct run_slowest *slowest)
{
    if (slowest->n == 0)
        return;
    struct table_unit unit = table_time_unit(simtime_to_s(slowest->v[0].query.latency_ns));
    uint32_t n = slowest->n;
    if (report_out_has_text(out) && n > REPORT_SLOWEST_ROWS)
        n = REPORT_SLOWEST_ROWS;
    struct table *table = table_create(0);
    report_text(out, "\nthe slowest queries that were measured");
    if (n < slowest->n)
        report_text(out, ", %" PRIu32 " of the %" PRIu32 " in the file", n, slowest->n);
    report_text(out, ":\n\n");
    print_heads(table, unit);
    for (uint32_t i = 0; i < n; i++)
        print_row(table, meta, &slowest->v[i], unit);
    table_print(table, out, "slowest");
    table_destroy(table);
    report_text(out,
                "\non: the core or stream of the first request and of the one that ended last; "
                "wait and service: of\nthe latter; network: the rest of the latency\n");
}
