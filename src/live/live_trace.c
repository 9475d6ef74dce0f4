// SPDX-License-Identifier: Apache-2.0
#include "live/live_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/simtime.h"

struct trace *live_trace_of(const struct live_log *log, uint32_t service)
{
    struct trace *trace = trace_create(true);
    for (size_t i = 0; i < log->plan->n_queries; i++) {
        const struct query *query = &log->plan->queries[i];
        if (query->service != service || log->queries[i].fate == LIVE_UNSENT)
            continue;
        trace_append(trace, log->queries[i].arrive_ns, query->size_items);
        if (query->history_items > 0)
            trace_put_history(trace, query->history_items);
    }
    if (trace->n > 0)
        return trace;
    trace_destroy(trace);
    return NULL;
}

static void put_time(FILE *file, int64_t ns)
{
    fprintf(file, "%" PRId64 ".%09" PRId64, ns / SIMTIME_S, ns % SIMTIME_S);
}

// As the reader of CSV takes it (traces/csv.h): in quotes where it would be several fields, or part
// of one.
static void put_name(FILE *file, const char *name)
{
    bool quotes =
        strpbrk(name, ",;\t\"") || *name == ' ' || (*name && name[strlen(name) - 1] == ' ');
    if (!quotes) {
        fputs(name, file);
        return;
    }
    fputc('"', file);
    for (; *name; name++)
        fputs(*name == '"' ? "\"\"" : (const char[]){*name, '\0'}, file);
    fputc('"', file);
}

// What is known of one that has not ended ends with its fate.
static void put_query(FILE *file, const struct live_plan *plan, size_t i,
                      const struct live_query *query)
{
    const struct balancer_config *network = &plan->fleet->balancer;
    put_time(file, query->arrive_ns);
    fprintf(file, ",%u", plan->queries[i].size_items);
    if (plan->most_history_items > 0)
        fprintf(file, ",%u", plan->queries[i].history_items);
    fputc(',', file);
    put_name(file, plan->fleet->services[plan->queries[i].service].name);
    fprintf(file, ",%s", live_log_fates[query->fate]);
    if (query->fate != LIVE_ENDED) {
        fprintf(file, ",,,,,,,,%u\n", query->server);
        return;
    }
    const int64_t times_ns[] = {query->begin_ns, query->end_ns,
                                query->last_begin_ns - query->arrive_ns -
                                    network->dispatch_delay_ns,
                                query->end_ns + network->return_delay_ns - query->arrive_ns};
    for (size_t k = 0; k < sizeof times_ns / sizeof *times_ns; k++) {
        fputc(',', file);
        put_time(file, times_ns[k]);
    }
    fprintf(file, ",%u,%u,%u,%u\n", query->n_requests, query->n_batch, query->last_worker,
            query->server);
}

static void put_queries(FILE *file, const void *table)
{
    const struct live_log *log = table;
    fprintf(file,
            "arrive_s,size_items,%sservice,fate,begin_s,end_s,wait_s,latency_s,n_requests,n_batch,"
            "worker,server\n",
            log->plan->most_history_items > 0 ? "history_items," : "");
    for (size_t i = 0; i < log->plan->n_queries; i++)
        if (log->queries[i].fate != LIVE_UNSENT)
            put_query(file, log->plan, i, &log->queries[i]);
}

int live_trace_write(const char *path, enum durable_mode mode, const struct live_log *log,
                     struct err *err)
{
    struct durable_file file;
    if (durable_open(&file, "trace", path, mode, err) < 0)
        return -1;
    return durable_print(&file, put_queries, log, err);
}
