// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/job.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/claim.h"
#include "results/file/durable.h"
#include "results/report/table.h"
#include "results/report/trace_events.h"
#include "study/doc.h"
#include "study/reader.h"
#include "study/study.h"
#include "study/study_notes.h"
#include "study/trace_file.h"
#include "traces/source.h"
#include "traces/trace.h"
#include "traces/trace_csv.h"

#define MAX_TRACE_QUERIES 200e6 // 2.4 GB in memory
#define BLOCK 512

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "make, convert, export: where the trace goes"},
    {"--force", 'f', NULL, "replace an existing file"},
    {"--set", 's', "KEY=VALUE",
     "make, export: change a key of the study; inspect, convert: a key of the "
     "trace such as time_column=2"},
    CMD_CATALOG,
    {"--service", 0, "NAME", "make: only this service's queries"},
    {"--server", 0, "N", "export: this server, 0 being the first of the fleet"},
    {"--from", 0, "TIME", "export: from here on; 0 without it"},
    {"--to", 0, "TIME", "export: up to there; without it, to the end of the run"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// Claims the output, until the command ends.
static int want_output(struct cmd_line *line, const char **path, struct err *err)
{
    *path = cmd_value(line, "--output", NULL);
    if (!*path)
        return err_set(err, ERR_STUDY, "recfleet trace: missing --output FILE");
    if (job_claim(line, *path, err) < 0)
        return -1;
    // The trace takes its name by a rename, which would replace a device or a pipe by a file.
    return durable_check("output", *path,
                         cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW, 0, err);
}

static int write_output(const struct cmd_line *line, const char *path, durable_print_fn *put,
                        const void *table, struct err *err)
{
    struct durable_file file;
    enum durable_mode mode = cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW;
    if (durable_open(&file, "output", path, mode, err) < 0)
        return -1;
    return durable_print(&file, put, table, err);
}

static void print_counts(struct report_out *out, const char *what, const struct trace_counts *c)
{
    if (c->n == 0)
        return;
    report_text(out, "  %-26s %.2f items, sd %.2f\n", what, c->mean_items, c->sd_items);
    report_text(out, "  %-26s %u %u %u %u %u %u %u items\n", "min p5 p50 p75 p95 p99 max",
                c->min_items, c->p5_items, c->p50_items, c->p75_items, c->p95_items, c->p99_items,
                c->max_items);
    report_text(out, "  %-26s %.2f %%\n", "items in largest quarter", 100 * c->top_quarter_frac);
}

static void add_counts(struct table *table, const char *what, const struct trace_counts *c)
{
    const double values[] = {(double)c->n, c->mean_items, c->sd_items,        c->min_items,
                             c->p5_items,  c->p50_items,  c->p75_items,       c->p95_items,
                             c->p99_items, c->max_items,  c->top_quarter_frac};
    if (c->n == 0)
        return;
    table_texts(table, (const char *const[]){what, NULL});
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        table_value(table, table_number(values[i]), values[i]);
}

// The summary for programs, and for Markdown.
static void print_tables(struct report_out *out, const char *name, const struct trace_summary *s)
{
    static const char *const heads[] = {
        "trace",  "queries",           "span_s", "rate_qps", "gap_mean_s",
        "gap_cv", "simultaneous_frac", NULL};
    static const char *const counts[] = {"of",        "n",         "mean_items", "sd_items",
                                         "min_items", "p5_items",  "p50_items",  "p75_items",
                                         "p95_items", "p99_items", "max_items",  "top_quarter_frac",
                                         NULL};
    const double values[] = {(double)s->n, simtime_to_s(s->span_ns), s->rate_qps, s->gap_mean_s,
                             s->gap_cv,    s->simultaneous_frac};
    struct table *table = table_create(0);
    table_texts(table, heads);
    table_line(table);
    table_texts(table, (const char *const[]){name, NULL});
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        table_value(table, table_number(values[i]), values[i]);
    table_print(table, out, "trace");
    table_destroy(table);
    table = table_create(0);
    table_texts(table, counts);
    table_line(table);
    add_counts(table, "size", &s->sizes);
    add_counts(table, "history", &s->histories);
    table_print(table, out, "items");
    table_destroy(table);
}

static void print_summary(struct report_out *out, const char *name, const struct trace *trace)
{
    struct trace_summary s;
    char buf[32];
    trace_summarise(trace, &s);
    if (out->format != REPORT_TEXT) {
        print_tables(out, name, &s);
        return;
    }
    report_text(out, "%s\n  %-26s %llu\n", name, "queries", (unsigned long long)s.n);
    report_text(out, "  %-26s %s\n", "span", units_format_ns(s.span_ns, buf, sizeof buf));
    report_text(out, "  %-26s %.6g qps\n", "mean rate", s.rate_qps);
    report_text(out, "  %-26s %.6g ms, cv %.4f\n", "gap", s.gap_mean_s * 1e3, s.gap_cv);
    report_text(out, "  %-26s %.3f %%\n", "simultaneous arrivals", 100 * s.simultaneous_frac);
    print_counts(out, "size", &s.sizes);
    if (s.histories.n > 0)
        report_text(out, "  %-26s %llu\n", "queries with a history",
                    (unsigned long long)s.histories.n);
    print_counts(out, "history", &s.histories);
}

// All queries of the study, or of one service (-1: all), as one cell would see them.
static struct trace *make_trace(const struct study *study, long service, struct err *err)
{
    struct service_traffic *traffic = mem_calloc(study->n_services, sizeof *traffic);
    for (size_t s = 0; s < study->n_services; s++)
        traffic[s] = study->services[s].traffic;
    const struct source_config config = {.services = traffic,
                                         .n_services = study->fleet.n_services,
                                         .seed = study->settings.seed,
                                         .n_cells = 1,
                                         .share_num = 1,
                                         .share_den = 1,
                                         .end_ns = study->settings.duration_ns,
                                         .sizes = (const struct qsize *const *)study->sizes};
    struct source *source = source_create(&config, err);
    struct trace *trace = source ? trace_create(true) : NULL;
    for (size_t n = 1; source && n > 0;) {
        const struct query *queries = source_next(source, config.end_ns, BLOCK, &n);
        for (size_t i = 0; i < n; i++)
            if (service < 0 || queries[i].service == service) {
                trace_append(trace, queries[i].arrive_ns, queries[i].size_items);
                if (traffic[queries[i].service].has_history)
                    trace_put_history(trace, queries[i].history_items);
            }
    }
    source_destroy(source);
    mem_free(traffic);
    return trace;
}

static int make_from(const struct cmd_line *line, const struct study *study, const char *output,
                     struct err *err)
{
    const char *name = cmd_value(line, "--service", NULL);
    long service = -1;
    for (size_t s = 0; name && s < study->n_services; s++)
        if (strcmp(study->services[s].name, name) == 0)
            service = (long)s;
    if (name && service < 0)
        return err_set(err, ERR_STUDY, "recfleet trace make: no service \"%.60s\" in the study",
                       name);
    if (study_expected_queries(study) > MAX_TRACE_QUERIES)
        return err_set(err, ERR_STUDY,
                       "recfleet trace make: about %.3g queries are too many for a trace",
                       study_expected_queries(study));
    struct trace *trace = make_trace(study, service, err);
    if (!trace)
        return -1;
    int rc = trace->n == 0 ? err_set(err, ERR_STUDY, "recfleet trace make: no query in that time")
                           : write_output(line, output, trace_csv_print, trace, err);
    if (rc == 0) {
        struct report_out out = cmd_report_out(line);
        print_summary(&out, output, trace);
        report_end(&out);
    }
    trace_destroy(trace);
    return rc;
}

static int make(struct cmd_line *line, struct err *err)
{
    const char *output;
    struct library library;
    if (want_output(line, &output, err) < 0 ||
        library_load_with(&library, cmd_catalog(line), err) < 0)
        return -1;
    struct study *study =
        study_read(line->args[1], line->settings, line->n_settings, &library, true, err);
    int rc = study ? make_from(line, study, output, err) : -1;
    study_destroy(study);
    library_release(&library);
    return rc;
}

// The way to read a trace file: the defaults, then --set key=value as in a study. Nothing behind
// the equals sign is the empty text here, where no key has another meaning for it.
static int read_config(const struct cmd_line *line, struct trace_csv_config *config,
                       struct err *err)
{
    const struct reader_part part = {trace_csv_fields, config};
    const struct reader_options options = {NULL, true};
    struct doc *doc = doc_parse("trace", "{}", 2, err);
    int rc = doc ? 0 : -1;
    for (size_t i = 0; i < line->n_settings && rc == 0; i++) {
        const char *setting = line->settings[i];
        size_t n = strlen(setting);
        char *whole = mem_printf("%s%s", setting, n > 0 && setting[n - 1] == '=' ? "\"\"" : "");
        rc = doc_set(doc, whole, err);
        mem_free(whole);
    }
    schema_defaults(trace_csv_fields, config);
    schema_parse(schema_find(trace_csv_fields, "file"), line->args[1], config, NULL);
    config->seed = 1;
    if (rc == 0)
        rc = reader_fill(doc_root(doc), NULL, &part, 1, &options, err);
    doc_destroy(doc);
    return rc;
}

static int inspect_or_convert(struct cmd_line *line, bool convert, struct err *err)
{
    struct trace_csv_config config = {0};
    const char *output = NULL;
    struct trace *trace = NULL;
    int rc = convert ? want_output(line, &output, err) : 0;
    if (rc == 0)
        rc = read_config(line, &config, err);
    if (rc == 0)
        rc = trace_file_load(&config, &trace, err);
    if (rc == 0 && convert)
        rc = write_output(line, output, trace_csv_print, trace, err);
    if (rc == 0) {
        struct report_out out = cmd_report_out(line);
        print_summary(&out, convert ? output : line->args[1], trace);
        study_notes_trace(line->args[1], trace, config.max_items, cmd_tell, &out);
        report_end(&out);
    }
    trace_destroy(trace);
    schema_release(trace_csv_fields, &config);
    return rc;
}

// ---- what a server of a study did ---------------------------------------------------------------

struct watch {
    int64_t server, from_ns, to_ns;
};

static const struct field watch_fields[] = {
    FIELD(watch, "--server", FIELD_INT, UNIT_NONE, server, 0, UINT32_MAX - 1, NULL, ""),
    FIELD(watch, "--from", FIELD_TIME, UNIT_TIME, from_ns, 0, 1e19, NULL, ""),
    FIELD(watch, "--to", FIELD_TIME, UNIT_TIME, to_ns, 0, 1e19, NULL, ""), FIELD_END};

struct events {
    const struct timeline *timeline;
    const struct meta *meta;
};

static void print_events(FILE *stream, const void *table)
{
    const struct events *events = table;
    trace_events_print(stream, events->timeline, events->meta);
}

static int export_study(struct cmd_line *line, const struct eval *eval, const struct study *study,
                        const char *output, struct err *err)
{
    struct watch watch = {.server = -1, .to_ns = study->settings.duration_ns};
    int rc = cmd_read(line, watch_fields, &watch, err);
    if (rc == 0 && watch.server < 0)
        rc = err_set(err, ERR_STUDY, "recfleet trace export: missing --server N");
    if (rc < 0)
        return -1;
    struct timeline timeline = {
        .server = (uint32_t)watch.server, .from_ns = watch.from_ns, .to_ns = watch.to_ns};
    if (eval_watch(eval, study, &timeline, err) < 0) {
        timeline_release(&timeline);
        return err_prefix(err, "recfleet trace export");
    }
    if (eval->rank == 0) {
        struct meta *meta = study_meta(study);
        const struct events events = {&timeline, meta};
        rc = write_output(line, output, print_events, &events, err);
        struct report_out out = cmd_report_out(line);
        if (rc == 0)
            report_text(&out, "%s: server %u, %zu queries; open it in https://ui.perfetto.dev\n",
                        output, timeline.server, timeline.n_queries);
        report_end(&out);
        meta_destroy(meta);
    }
    timeline_release(&timeline);
    return eval_agree(eval, rc, err);
}

static int export_server(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = {.path = line->args[1],
                                         .settings = line->settings,
                                         .n_settings = line->n_settings,
                                         .catalog = cmd_catalog(line)};
    const char *output = NULL;
    struct eval eval;
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = eval.rank == 0 ? want_output(line, &output, err) : 0;
    rc = eval_agree(&eval, rc, err);
    struct survey *survey = rc == 0 ? eval_read_survey(&eval, &source, err) : NULL;
    struct study *study = survey ? survey_whole(survey, err) : NULL;
    if (survey)
        rc = eval_agree(&eval, study ? 0 : -1, err);
    if (survey && rc == 0)
        rc = export_study(line, &eval, study, output, err);
    study_destroy(study);
    survey_destroy(survey);
    return job_close(line, &eval, survey ? rc : -1, err);
}

static int do_verb(struct cmd_line *line, struct err *err)
{
    static const char *const verbs[] = {"make", "inspect", "convert", "export"};
    const char *verb = line->args[0];
    if (strcmp(verb, "make") == 0)
        return make(line, err);
    if (strcmp(verb, "inspect") == 0)
        return inspect_or_convert(line, false, err);
    if (strcmp(verb, "convert") == 0)
        return inspect_or_convert(line, true, err);
    if (strcmp(verb, "export") == 0)
        return export_server(line, err);
    const char *near = schema_nearest(verb, verbs, 4);
    err_set(err, ERR_STUDY,
            "recfleet trace: expected make, inspect, convert or export, got \"%.60s\"", verb);
    return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
}

static int trace_command(struct cmd_line *line, struct err *err)
{
    int rc = do_verb(line, err);
    claim_release(line->claim);
    line->claim = NULL;
    return rc;
}

const struct cmd cmd_trace = {
    .name = "trace",
    .help = "make, inspect or convert a trace of queries; export what a server did",
    .arguments = "make|inspect|convert|export FILE",
    .min_args = 2,
    .max_args = 2,
    .description =
        "\"make STUDY\" writes the queries of a study as a CSV trace. \"inspect TRACE\" prints "
        "what a trace holds: rate, burstiness, sizes and histories. \"convert TRACE\" reads any "
        "CSV or HDF5 file "
        "with a column of times and writes it as a trace that the replay process takes as it is. "
        "\"export STUDY\" simulates the cell of one server of the study again, on one process or "
        "many, and writes what each of that server's cores and accelerator streams did, query by "
        "query, as Chrome trace-event JSON, for https://ui.perfetto.dev. It is what happened in "
        "every run of that study.",
    .example = "recfleet trace convert log.csv -o trace.csv --set time_column=ts --set "
               "time_unit=ms",
    .options = options,
    .shared = true,
    .run = trace_command,
};
