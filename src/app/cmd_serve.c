// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/job.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "base/wallclock.h"
#include "live/fleet_serve.h"
#include "live/live_clock.h"
#include "live/live_find.h"
#include "live/live_load.h"
#include "live/live_results.h"
#include "live/live_trace.h"
#include "live/serve.h"
#include "results/file/durable.h"
#include "results/file/run_result.h"
#include "results/report/report.h"
#include "results/report/report_fidelity.h"
#include "results/report/table.h"
#include "runs/checkpointing.h"

#define TRACE_LINE_BYTES 100 // about: it is to be known before whether a disk is too full

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file, in place of the study's"},
    {"--force", 'f', NULL, "replace an existing results file or trace"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=900qps"},
    CMD_CATALOG,
    {"--engine", 'e', "KIND",
     "what runs the models: spin computes nothing and takes as long as the study says; "
     "without it the first other one"},
    {"--library", 0, "PATH", "the library that the engine loads: of ort, libonnxruntime.so.1"},
    {"--file", 0, "PATH", "a model file, for engines that run one: ort, an ONNX file"},
    {"--table-bytes", 0, "SIZE", "tables of a model beyond this have fewer rows: 4GB; else all"},
    {"--number-format", 0, "fp32|bf16|int8",
     "of the tables, and of weights and what they are multiplied by; else fp32"},
    {"--trace", 0, "FILE", "writes what arrived, and the fate of each query, as CSV"},
    {"--idle", 0, "spin|sleep", "what workers do that find nothing; spin, the default, is exact"},
    {"--sender", 0, "WHO",
     "lets queries in at their time: thread, workers (who look at the queue), or auto: a thread "
     "where there is a core for it"},
    {"--queue", 0, "N", "queries of a service that may wait; more are refused"},
    {"--grace", 0, "TIME", "what still waits so long after the end is left"},
    {"--fail-after", 0, "N", "the first worker fails after N requests, to see what becomes of it"},
    {"--find", 0, "RUNS",
     "instead: the highest rate within the targets, by so many runs, and the simulated one"},
    {"--quiet", 'q', NULL, "no progress and no tables"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

struct asked {
    struct serve_config serve;
    int idle;   // enum live_clock_idle
    int format; // enum model_format
    double most_table_bytes;
    int64_t find_runs;  // 0: it is not asked for
    uint32_t n_servers; // that there are ranks for, besides the balancer's; 0: this process is one
};

static const struct field values[] = {
    FIELD(asked, "--table-bytes", FIELD_REAL, UNIT_BYTES, most_table_bytes, 0, 1e15, NULL, ""),
    FIELD_CHOICES(asked, "--idle", idle, live_clock_idle_names, NULL, ""),
    FIELD_CHOICES(asked, "--number-format", format, model_format_names, NULL, ""),
    FIELD_CHOICES(asked, "--sender", serve.sender, serve_sender_names, NULL, ""),
    FIELD(asked, "--queue", FIELD_INT, UNIT_NONE, serve.most_waiting, 1, 1e7, NULL, ""),
    FIELD(asked, "--grace", FIELD_TIME, UNIT_TIME, serve.grace_ns, 0, 3.6e12, NULL, ""),
    FIELD(asked, "--fail-after", FIELD_INT, UNIT_NONE, serve.fail_after, 1, 1e12, NULL, ""),
    FIELD(asked, "--find", FIELD_INT, UNIT_NONE, find_runs, 1, LIVE_FIND_MOST_RUNS, NULL, ""),
    FIELD_END};

// ---- what is asked for --------------------------------------------------------------------------

// The first engine that computes something, where there is one.
static const struct engine_type *default_engine(void)
{
    for (size_t i = 0; engine_types[i]; i++)
        if (engine_types[i] != &engine_spin)
            return engine_types[i];
    return &engine_spin;
}

static int read_asked(const struct cmd_line *line, struct asked *asked, struct err *err)
{
    const char *engine = cmd_value(line, "--engine", NULL);
    *asked = (struct asked){.serve = {.most_waiting = 100000, .grace_ns = 10 * SIMTIME_S}};
    if (cmd_read(line, values, asked, err) < 0)
        return -1;
    asked->serve.engine = engine ? engine_find(engine) : default_engine();
    if (!asked->serve.engine)
        return err_set(err, ERR_STUDY, "--engine: there is no \"%s\"; expected %s", engine,
                       engine_types[1] ? "one of those that --help names" : engine_types[0]->name);
    asked->serve.rests = asked->idle == LIVE_CLOCK_SLEEP;
    asked->serve.setup.library = cmd_value(line, "--library", NULL);
    asked->serve.setup.file = cmd_value(line, "--file", NULL);
    asked->serve.setup.format = (enum model_format)asked->format;
    asked->serve.setup.most_table_bytes = asked->most_table_bytes;
    return 0;
}

// ---- what is printed ----------------------------------------------------------------------------

static void print_setting(struct report_out *out, const struct asked *asked,
                          const struct serve_result *result)
{
    bool is_fleet = asked->n_servers > 0;
    uint32_t n_used = result->n_workers * result->cores_per_worker;
    report_text(out, "served for real by engine %s%s%s on %u core%s of %s",
                asked->serve.engine->name, *result->kernels ? ", " : "", result->kernels, n_used,
                n_used == 1 ? "" : "s",
                *result->processor ? result->processor : "an unknown processor");
    if (result->cores_per_worker > 1)
        report_text(out, ", %u to a worker", result->cores_per_worker);
    if (is_fleet)
        report_text(out, ", %u server%s and a balancer", result->n_servers,
                    result->n_servers == 1 ? "" : "s");
    if (result->table_frac < 1)
        report_text(out, ", with %.3g %% of the tables' rows", 100 * result->table_frac);
    report_text(out, "; queries let in by %s\n",
                is_fleet ? result->sender_has_core ? "the balancer on a core of its own"
                                                   : "the balancer, which has no core of its own"
                : !result->sent_by_thread ? "the workers"
                : result->sender_has_core ? "a thread on a core of its own"
                                          : "a thread that has no core of its own");
    if (n_used + (is_fleet ? 1 : 0) > result->n_cores)
        report_text(out,
                    "warning: %u worker%s%s on %u core%s: they take time from one another, which "
                    "the study knows nothing of%s\n",
                    result->n_workers, result->n_workers == 1 ? "" : "s",
                    is_fleet ? " and a balancer" : "", result->n_cores,
                    result->n_cores == 1 ? "" : "s",
                    is_fleet ? "; each rank has the cores that mpirun binds it to, and with "
                               "--bind-to none all of them"
                             : "");
    else if (result->n_pinned < result->n_workers)
        report_text(out, "warning: %u of %u workers could not be kept on a core of their own\n",
                    result->n_workers - result->n_pinned, result->n_workers);
}

static void print_counts(struct report_out *out, const struct serve_result *result)
{
    const struct live_counts *counts = &result->counts;
    report_text(out, "%zu of %zu queries arrived: %zu answered, %zu refused, %zu lost, %zu left\n",
                counts->n_sent, result->log->plan->n_queries, counts->n_ended, counts->n_refused,
                counts->n_lost, counts->n_waiting);
    if (result->n_failed > 0)
        report_text(out, "warning: %u of %u workers failed\n", result->n_failed, result->n_workers);
}

struct named_value {
    const char *name;
    double value;
};

// For programs: what people are told in sentences.
static void print_values(struct report_out *out, const char *title,
                         const struct named_value *values, size_t n)
{
    if (out->format == REPORT_TEXT || out->format == REPORT_MD)
        return;
    struct table *table = table_create(0);
    for (size_t i = 0; i < n; i++)
        table_head(table, mem_strdup(values[i].name), values[i].name);
    table_line(table);
    for (size_t i = 0; i < n; i++)
        table_value(table, table_number(values[i].value), values[i].value);
    table_print(table, out, title);
    table_destroy(table);
}

static void print_served(struct report_out *out, const struct serve_result *result,
                         const struct live_results *results)
{
    const struct live_counts *counts = &result->counts;
    const struct named_value values[] = {
        {"n_queries", (double)counts->n_sent},
        {"n_answered", (double)counts->n_ended},
        {"n_refused", (double)counts->n_refused},
        {"n_lost", (double)counts->n_lost},
        {"n_left", (double)counts->n_waiting},
        {"n_workers", result->n_workers},
        {"cores_per_worker", result->cores_per_worker},
        {"n_pinned", result->n_pinned},
        {"taken_frac", interference_frac(&result->interference)},
        {"gap_mean_s", results->gap_mean_s},
        {"late_p99_s",
         result->sent_by_thread ? simtime_to_s(live_load_lateness_ns(result->log, 0.99)) : 0}};
    print_values(out, "served", values, sizeof values / sizeof *values);
}

// How late the thread that sends was.
static void print_lateness(struct report_out *out, const struct serve_result *result,
                           double service_s)
{
    double p99_s = simtime_to_s(live_load_lateness_ns(result->log, 0.99));
    char *p50 = table_digits(1e-3 * (double)live_load_lateness_ns(result->log, 0.5), 3);
    char *p99 = table_digits(1e6 * p99_s, 3);
    char *most = table_digits(1e-3 * (double)live_load_lateness_ns(result->log, 1), 3);
    char *share = table_digits(100 * p99_s / service_s, 2);
    report_text(out, "queries were sent %s us late at the median, p99 %s us, at most %s us\n", p50,
                p99, most);
    if (p99_s > 0.05 * service_s)
        report_text(out,
                    "warning: p99 of that is %s %% of the mean service time: arrivals are not "
                    "those of the study\n",
                    share);
    mem_free(share);
    mem_free(most);
    mem_free(p99);
    mem_free(p50);
}

// What took cores and time away from the server.
static void print_disturbance(struct report_out *out, bool rests, const struct serve_result *result,
                              const struct live_results *results)
{
    char *taken = table_digits(100 * interference_frac(&result->interference), 2);
    char *gap = table_digits(1e6 * results->gap_mean_s, 3);
    report_text(
        out, "something else took %s %% of %s; a request begins %s us after it could, on average\n",
        taken, rests ? "the time of requests (idle workers slept)" : "the workers' time", gap);
    mem_free(gap);
    mem_free(taken);
    if (result->sent_by_thread)
        print_lateness(out, result, summary_total(results->summary)->service_mean_s.value);
}

static void report(struct cmd_line *line, const struct asked *asked,
                   const struct serve_result *result, const struct live_results *results,
                   const struct run_result_input *written, const char *output)
{
    struct report_out out = cmd_report_out(line);
    if (result->stopped)
        report_text(&out, "stopped; so far:\n");
    report_print(&out, results->meta, results->summary, written->info);
    report_text(&out, "\n");
    print_setting(&out, asked, result);
    print_counts(&out, result);
    print_served(&out, result, results);
    print_disturbance(&out, asked->serve.rests, result, results);
    if (result->counts.n_ended < result->counts.n_sent)
        report_text(&out, "note: the simulation and the replays answer what was refused, lost or "
                          "left, too, so the errors compare different queries\n");
    report_text(&out, "\n");
    report_fidelity_print(&out, written->fidelity);
    report_text(&out, "results: %s\n", output);
    report_end(&out);
}

// ---- doing it -----------------------------------------------------------------------------------

struct meter {
    struct progress progress;
    bool began; // to send: engines and tables are made
    double duration_ns;
};

static void on_progress(void *user, int64_t now_ns)
{
    struct meter *meter = user;
    double done_frac = (double)now_ns / meter->duration_ns;
    if (!meter->began)
        progress_ready(&meter->progress);
    meter->began = true;
    progress_update(&meter->progress, done_frac, 0);
}

static bool stops(void *user)
{
    (void)user;
    return checkpointing_stop_waits();
}

static enum durable_mode trace_mode(const struct cmd_line *line)
{
    return cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW;
}

// "measured: own, int8, 25 % of the tables' rows": what ran, in what format, with how much of the
// tables; spin has neither. Caller mem_free()s.
static char *layout_of(const struct asked *asked, const struct serve_result *result)
{
    bool computes = asked->serve.engine != &engine_spin;
    const char *format =
        computes && asked->format != FORMAT_FP32 ? model_format_names[asked->format] : "";
    char *rows = computes && result->table_frac < 1
                     ? mem_printf(", %.3g %% of the tables' rows", 100 * result->table_frac)
                     : mem_strdup("");
    char *layout = mem_printf("measured: %s%s%s%s", asked->serve.engine->name, *format ? ", " : "",
                              format, rows);
    mem_free(rows);
    return layout;
}

// Everything after it has run: files, then what people read.
static int conclude(struct cmd_line *line, const struct eval *eval, const struct study *study,
                    const struct asked *asked, struct serve_result *result, double wall_s,
                    const char *output, struct err *err)
{
    const char *trace = cmd_value(line, "--trace", NULL);
    struct live_results results;
    struct eval_stamp stamp;
    struct run_info info;
    if (!live_results_any(study, result->end_ns)) // a signal or a failure came too early
        return trace ? live_trace_write(trace, trace_mode(line), result->log, err) : 0;
    if (live_results_make(study, result->log, result->end_ns, &results, err) < 0)
        return -1;
    char *layout = layout_of(asked, result);
    eval_stamp(eval, line->text, &stamp, &info);
    info.layout = layout;
    info.n_queries = result->counts.n_sent;
    info.wall_s = wall_s;
    struct run_result_input input = {results.meta, results.summary, results.measured, &info, NULL};
    int rc = run_result_write(&input, output, cmd_given(line, "--force"), err);
    if (rc == 0 && trace && live_trace_write(trace, trace_mode(line), result->log, err) < 0)
        rc = err_append(err, "; the results are in %s", output);
    if (rc == 0)
        rc = live_results_compare(eval->self, result->log, &results, err);
    struct fidelity fidelity = live_results_fidelity(&results);
    input.fidelity = &fidelity;
    if (rc == 0) // again, with the comparison, which takes longer than the file may wait for
        rc = run_result_write(&input, output, true, err);
    if (rc == 0 && !cmd_given(line, "--quiet"))
        report(line, asked, result, &results, &input, output);
    fidelity_release(&fidelity);
    live_results_release(&results);
    mem_free(layout);
    return rc;
}

static void say_end(struct cmd_line *line, const struct study *study,
                    const struct serve_result *result, const char *output)
{
    if (!result->stopped)
        return;
    bool failed = result->n_failed == result->n_workers;
    fflush(stdout); // before the line on stderr
    line->status = failed ? CMD_FAILED : CMD_STOPPED;
    const char *what = failed ? "all workers failed" : "stopped";
    double end_s = simtime_to_s(result->end_ns);
    if (live_results_any(study, result->end_ns))
        fprintf(stderr, "recfleet: %s at %.6g s; results so far in %s\n", what, end_s, output);
    else
        fprintf(stderr, "recfleet: %s at %.6g s%s: nothing is measured, and %s is not written\n",
                what, end_s, study->warmup_ns > 0 ? ", before the warm-up was over" : "", output);
}

// Before anything runs: may the trace go there, and has it room for all queries?
static int check_trace(const struct cmd_line *line, const struct live_plan *plan,
                       const char *output, struct err *err)
{
    const char *trace = cmd_value(line, "--trace", NULL);
    if (!trace)
        return 0;
    if (durable_same(trace, line->args[0]))
        return err_set(err, ERR_STUDY, "trace %s: is the study itself", trace);
    if (durable_same(trace, output))
        return err_set(err, ERR_STUDY, "trace %s: is the output, too", trace);
    return durable_check("trace", trace, trace_mode(line), TRACE_LINE_BYTES * plan->n_queries, err);
}

static int serve_study(struct cmd_line *line, const struct eval *eval, const struct study *study,
                       const char *output, struct asked *asked, struct err *err)
{
    struct meter meter = {.duration_ns = (double)study->settings.duration_ns};
    struct serve_result result;
    bool done = false;
    if (job_check_output(line, eval, output, &done, err) < 0)
        return -1;
    struct live_plan *plan = asked->n_servers > 0
                                 ? live_plan_create_fleet(study, asked->n_servers, err)
                                 : live_plan_create(study, err);
    if (!plan)
        return -1;
    int rc = eval->rank == 0 ? check_trace(line, plan, output, err) : 0;
    if (eval_agree(eval, rc, err) < 0) {
        live_plan_destroy(plan);
        return -1;
    }
    if (eval->rank == 0)
        job_tell_notes(study, false, NULL);
    job_progress_start(&meter.progress, line, eval);
    asked->serve.stops = stops;
    asked->serve.progress = on_progress;
    asked->serve.user = &meter;
    double begin_s = wallclock_s();
    rc = asked->n_servers > 0 ? fleet_serve_run(eval->comm, plan, &asked->serve, &result, err)
                              : serve_run(plan, &asked->serve, &result, err);
    progress_end(&meter.progress, rc == 0 && !result.stopped);
    if (rc == 0) {
        if (eval->rank == 0)
            rc = conclude(line, eval, study, asked, &result, wallclock_s() - begin_s, output, err);
        rc = eval_agree(eval, rc, err);
        if (rc == 0 && eval->rank == 0)
            say_end(line, study, &result, output);
        serve_release(&result);
    }
    live_plan_destroy(plan);
    return rc;
}

// "for real: held 1035 qps, missed 1112 qps", as far as it is known.
static void print_bracket(struct report_out *out, const char *who, double held_qps,
                          double missed_qps)
{
    if (held_qps > 0)
        report_text(out, "%s: held %.6g qps", who, held_qps);
    else
        report_text(out, "%s: nothing held", who);
    if (isinf(missed_qps))
        report_text(out, ", nothing missed");
    else
        report_text(out, ", missed %.6g qps", missed_qps);
}

// A latency that is ten times the target says no more by being a million times it.
static char *percent(double frac)
{
    return isfinite(frac) && frac > 10 ? mem_strdup("> 1000") : table_fixed(100 * frac, 1);
}

static void print_found(struct report_out *out, const struct live_find *find)
{
    struct table *table = table_create(0);
    table_head(table, mem_strdup("offered qps"), "offered_qps");
    table_head(table, mem_strdup("% of target"), "measured_frac");
    table_head(table, mem_strdup("simulated %"), "simulated_frac");
    table_head(table, mem_strdup("held"), "held");
    table_line(table);
    for (uint32_t i = 0; i < find->n_steps; i++) {
        const struct live_find_step *step = &find->steps[i];
        table_value(table, table_number(step->rate_qps), step->rate_qps);
        table_value(table, percent(step->measured), step->measured);
        table_value(table, percent(step->simulated), step->simulated);
        table_cell(table, mem_strdup(step->measured <= 1 ? "yes" : "no"));
    }
    table_print(table, out, "steps");
    table_destroy(table);
    const struct named_value found[] = {{"held_qps", find->held_qps},
                                        {"missed_qps", find->missed_qps},
                                        {"simulated_held_qps", find->simulated_held_qps},
                                        {"simulated_missed_qps", find->simulated_missed_qps}};
    print_values(out, "found", found, sizeof found / sizeof *found);
    report_text(out, "\nlatency at its quantile as a share of the target, of the service where it "
                     "is largest; -: a backlog that grows, or too many lost\n");
    print_bracket(out, "for real", find->held_qps, find->missed_qps);
    print_bracket(out, "; simulated", find->simulated_held_qps, find->simulated_missed_qps);
    if (find->held_qps > 0)
        report_text(out, "; simulated is %+.1f %% off",
                    100 * (find->simulated_held_qps / find->held_qps - 1));
    report_text(out, "\n");
}

// Runs and prints; writes no file.
static int find_rate(struct cmd_line *line, const struct eval *eval, struct study *study,
                     struct asked *asked, struct err *err)
{
    struct live_find find;
    asked->serve.stops = stops;
    if (live_find(eval->comm, study, &asked->serve, (uint32_t)asked->find_runs, &find, err) < 0)
        return -1;
    struct report_out out = cmd_report_out(line);
    if (find.stopped)
        report_text(&out, "stopped; so far:\n");
    print_found(&out, &find);
    report_end(&out);
    line->status = find.stopped ? CMD_STOPPED : CMD_DONE;
    return 0;
}

// What a search would take no notice of.
static int check_find(const struct cmd_line *line, struct err *err)
{
    const char *const others[] = {"--output", "--force", "--trace"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cmd_given(line, others[i]))
            return err_set(err, ERR_STUDY, "%s: expected none with --find, which writes no file",
                           others[i]);
    return 0;
}

// Several ranks: one that balances, the others are servers.
static int check_fleet(const struct cmd_line *line, const struct eval *eval, struct asked *asked,
                       struct err *err)
{
    asked->n_servers = (uint32_t)eval->n_ranks - 1;
    if (asked->find_runs > 0)
        return err_set(err, ERR_STUDY, "--find: expected one process, got %d ranks", eval->n_ranks);
    if (cmd_given(line, "--sender"))
        return err_set(err, ERR_STUDY, "--sender: expected none with %d ranks: the balancer sends",
                       eval->n_ranks);
    if (eval->n_nodes != 1)
        return err_set(err, ERR_STUDY,
                       "recfleet serve: expected all %d ranks on one machine, as the clocks of "
                       "several cannot be compared; they are on %d",
                       eval->n_ranks, eval->n_nodes);
    return 0;
}

static int run(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct eval eval;
    struct asked asked;
    checkpointing_block_signals(); // the threads inherit it
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = read_asked(line, &asked, err);
    if (rc == 0 && eval.n_ranks > 1)
        rc = check_fleet(line, &eval, &asked, err);
    if (rc == 0 && asked.find_runs > 0)
        rc = check_find(line, err);
    struct survey *survey = rc == 0 ? eval_read_survey(&eval, &source, err) : NULL;
    if (!survey)
        return job_close(line, &eval, -1, err);
    struct study *study = survey_whole(survey, err);
    rc = !study                ? -1
         : asked.find_runs > 0 ? find_rate(line, &eval, study, &asked, err)
                               : serve_study(line, &eval, study, survey->output, &asked, err);
    study_destroy(study);
    survey_destroy(survey);
    return job_close(line, &eval, rc, err);
}

static const char *word(const char *option, size_t i)
{
    if (option && strcmp(option, "--engine") == 0)
        return engine_types[i] ? engine_types[i]->name : NULL;
    if (option && strcmp(option, "--sender") == 0)
        return serve_sender_names[i];
    return option && strcmp(option, "--idle") == 0 ? live_clock_idle_names[i] : NULL;
}

const struct cmd cmd_serve = {
    .name = "serve",
    .help = "run a study's server for real, and say how far its simulation is off",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Runs the study's one server on this machine: a thread for each of its cores (or several, "
        "as its platform's cores_per_worker says), the models "
        "executed by an engine, the study's own queries in real time, taken from their queues as "
        "its scheduler says. Writes a results file like a run's, then simulates the very queries "
        "that arrived and prints both, with the error of each number and of each term of the "
        "service times. On SIGTERM or Ctrl-C it stops sending, and what was measured until then is "
        "written. Under mpirun -n N+1 it runs a cell of N servers: rank 0 is its balancer, with "
        "the study's policy and delays, and each other rank a server.",
    .example = "recfleet serve study.yaml -o measured.h5 --trace arrived.csv",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_STOPPED,
    .word = word,
    .run = run,
};
