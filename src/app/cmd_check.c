// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/job.h"
#include "runs/demand.h"
#include "runs/footprint.h"
#include "runs/progress.h"
#include "runs/survey.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/policy.h"
#include "cluster/slow.h"
#include "results/report/table.h"
#include "study/study.h"
#include "study/study_notes.h"

// Values of an axis that are printed.
#define SHOWN_LABELS 12

static const struct cmd_option options[] = {
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    CMD_CATALOG,
    {"--resolved", 'r', NULL, "print the study (without its sweep) with every default written out"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// What was read, and where it is told: in sentences, and as tables for programs.
struct report {
    struct report_out out;
    struct table *table; // of the groups
    // The worst over the groups: in the run, and in the day or the trace that it may see a part of.
    struct demand_load run, whole;
};

static void print_values(struct report_out *out, const char *name, const char *const *heads,
                         const double *values)
{
    struct table *table = table_create(0);
    table_texts(table, heads);
    table_line(table);
    for (size_t i = 0; heads[i]; i++)
        table_value(table, NULL, values[i]);
    table_print(table, out, name);
    table_destroy(table);
}

static bool for_programs(const struct report_out *out)
{
    return out->format != REPORT_TEXT;
}

static void take_worst(struct demand_load *worst, const struct demand_load *load, double times)
{
    worst->busy_frac = fmax(worst->busy_frac, times * load->busy_frac);
    worst->accel_frac = fmax(worst->accel_frac, times * load->accel_frac);
}

// How many times more is asked of the servers that are asked for most than of a group's that are
// not slow: of the slow ones their factor, but where the balancer sees their queues and gives them
// less, all come to the same.
static double worst_times(const struct study *study, const struct study_group *group)
{
    double n = (double)group->servers, factor = slow_worst(&group->slow);
    double n_slow = slow_count(&group->slow, 0, (uint32_t)group->servers);
    if (n_slow == 0)
        return 1;
    bool sees = policy_types[study->balancer.policy]->needs_feedback;
    return sees ? n / (n - n_slow + n_slow / factor) : factor;
}

static bool too_much(const struct demand_load *load)
{
    return load->busy_frac >= 1 || load->accel_frac >= 1;
}

// A load of n servers of a group: over the `span` at its mean or peak.
static void print_load(struct report *report, const struct study_group *group, double n,
                       const char *span, const char *at, const struct demand_load *load)
{
    const char *const texts[] = {group->label, span, at, NULL};
    table_texts(report->table, texts);
    table_value(report->table, NULL, n);
    table_value(report->table, NULL, load->alone_frac);
    table_value(report->table, NULL, load->busy_frac);
    table_value(report->table, NULL, load->accel_frac);
    report_text(&report->out, "CPU %5.1f %% (cores alone) to %5.1f %% (all busy)",
                100 * load->alone_frac, 100 * load->busy_frac);
    if (load->accel_frac > 0)
        report_text(&report->out, ", accelerator %.1f %%", 100 * load->accel_frac);
    report_text(&report->out, "\n");
}

// The day of a curve or the trace, where the run sees a part of it.
#define MUCH_LONGER 1.05

// Is the peak more than rounding above the mean?
static bool varies(const struct demand_loads *loads)
{
    return loads->peak.busy_frac > 1.001 * loads->mean.busy_frac ||
           loads->peak.accel_frac > 1.001 * loads->mean.accel_frac;
}

static void print_slow(struct report *report, const struct study_group *group,
                       const struct demand_load *mean)
{
    double factor = group->slow.factor;
    const struct demand_load load = {factor * mean->alone_frac, factor * mean->busy_frac,
                                     factor * mean->accel_frac};
    uint32_t n = slow_count(&group->slow, 0, (uint32_t)group->servers);
    char what[80];
    if (n == 0)
        return;
    snprintf(what, sizeof what, "      of these %u, %.3g times as slow", n, factor);
    report_text(&report->out, "%-37s", what);
    print_load(report, group, n, "run", "slow", &load);
}

// A group's offered load if queries were spread over all servers by weight.
static void check_group(struct report *report, const struct study *study, size_t g)
{
    const struct study_group *group = &study->groups[g];
    double run_s = simtime_to_s(study->settings.duration_ns), whole_s = demand_period_s(study);
    struct demand_loads run = demand_loads(study, group, run_s);
    struct report_out *out = &report->out;
    double n = (double)group->servers, times = worst_times(study, group);
    take_worst(&report->run, &run.peak, times);
    report_text(out, "  %-16s %8lld servers, ", group->label, (long long)group->servers);
    print_load(report, group, n, "run", "mean", &run.mean);
    print_slow(report, group, &run.mean);
    if (varies(&run)) {
        report_text(out, "%-37s", "      at its peak");
        print_load(report, group, n, "run", "peak", &run.peak);
    }
    if (whole_s <= MUCH_LONGER * run_s)
        return;
    struct demand_loads whole = demand_loads(study, group, whole_s);
    take_worst(&report->whole, &whole.peak, times);
    report_text(out, "%-37s", "      in the whole day or trace");
    print_load(report, group, n, "whole", "mean", &whole.mean);
    report_text(out, "%-37s", "      at the peak of that");
    print_load(report, group, n, "whole", "peak", &whole.peak);
}

static void check_groups(struct report *report, const struct study *study)
{
    static const char *const heads[] = {
        "group", "span", "at", "servers", "cpu_alone_frac", "cpu_busy_frac", "accelerator_frac",
        NULL};
    report->table = table_create(0);
    table_texts(report->table, heads);
    table_line(report->table);
    report_text(&report->out, "groups, if every server gets its share:\n");
    for (size_t g = 0; g < study->n_groups; g++)
        check_group(report, study, g);
    if (for_programs(&report->out))
        table_print(report->table, &report->out, "groups");
    table_destroy(report->table);
}

static void check_services(struct report_out *out, const struct study *study)
{
    static const char *const heads[] = {"service",   "model",        "rate_qps", "mean_items",
                                        "max_items", "sla_quantile", "sla_s",    NULL};
    struct table *table = table_create(0);
    table_texts(table, heads);
    table_line(table);
    report_text(out, "services:\n");
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        const struct arrival_config *arrivals = &service->traffic.arrivals;
        const struct qsize *sizes = study->sizes[s];
        double qps = arrival_mean_qps(arrivals, service->traffic.rate_qps);
        bool has_target = service->sla_ns > 0;
        char target[32] = "none";
        if (has_target)
            units_format_ns(service->sla_ns, target, sizeof target);
        report_text(out, "  %-16s %.6g qps, ", service->name, qps);
        if (sizes)
            report_text(out, "%.1f items on average, at most %u%s, ", qsize_mean_items(sizes),
                        qsize_max_items(sizes),
                        arrival_carries_sizes(arrivals) ? " (as recorded)" : "");
        report_text(out, "target %s\n", target);
        table_texts(table, (const char *const[]){service->name, service->model, NULL});
        table_value(table, NULL, qps);
        table_value(table, NULL, sizes ? qsize_mean_items(sizes) : (double)NAN);
        table_value(table, NULL, sizes ? qsize_max_items(sizes) : (double)NAN);
        table_value(table, NULL, has_target ? service->sla_quantile : (double)NAN);
        table_value(table, NULL, has_target ? simtime_to_s(service->sla_ns) : (double)NAN);
    }
    if (for_programs(out))
        table_print(table, out, "services");
    table_destroy(table);
}

static void print_count(struct report_out *out, double count, const char *what)
{
    if (count < 1e6)
        report_text(out, "%.0f %s", count, what);
    else
        report_text(out, "%.3g million %s", count * 1e-6, what);
}

static struct footprint need_of(const struct study *study)
{
    return footprint_of(&study->fleet, (uint32_t)study->settings.bins + 1);
}

static void print_memory(struct report_out *out, double bytes, const char *what)
{
    if (bytes < 1e9)
        report_text(out, "%.0f MB%s", bytes * 1e-6, what);
    else
        report_text(out, "%.3g GB%s", bytes * 1e-9, what);
}

// Of the uniform sample nothing is said: it is small.
static void print_kept(struct report_out *out, const struct study *study,
                       const struct footprint *need)
{
    if (!study->fleet.all_queries && study->fleet.n_slowest == 0)
        return;
    report_text(out, "output.queries: %s: records of about ", study->output.queries);
    print_count(out, need->n_kept, "queries, ");
    print_memory(out, need->kept_bytes, " of the memory, ");
    print_memory(out, need->file_bytes, " of the file\n");
}

static void print_estimate(struct report_out *out, const struct study *study)
{
    static const char *const heads[] = {
        "queries", "requests", "memory_bytes", "wall_s", "kept_queries", "file_bytes", NULL};
    const struct footprint need = need_of(study);
    const double values[] = {demand_queries(study), demand_requests(study),
                             need.memory_bytes,     demand_wall_s(study),
                             need.n_kept,           need.file_bytes};
    char clock[24];
    progress_clock(values[3], clock, sizeof clock);
    report_text(out, "about ");
    print_count(out, values[0], "queries in ");
    print_count(out, values[1], "requests, ");
    print_memory(out, values[2], ", ");
    report_text(out, "%s min:s on one core\n", clock);
    print_kept(out, study, &need);
    if (for_programs(out))
        print_values(out, "estimate", heads, values);
}

static void check_all(struct report_out *out, const struct study *study)
{
    struct report report = {.out = *out};
    check_services(&report.out, study);
    study_notes(study, false, cmd_tell, &report.out);
    check_groups(&report, study);
    const struct outage_config *outages = &study->outages;
    if (outages->mtbf_s > 0)
        report_text(&report.out, "crashes: %.3g %% of the servers are down at any time\n",
                    100 * outages->mttr_s / (outages->mtbf_s + outages->mttr_s));
    if (outages->n_events > 0)
        report_text(&report.out, "events: %zu, servers or cells out of service\n",
                    outages->n_events);
    print_estimate(&report.out, study);
    *out = report.out;
    if (too_much(&report.run))
        log_warn("offered more than the servers can do (CPU %.0f %%, accelerator %.0f %%): the run "
                 "will be overloaded",
                 100 * report.run.busy_frac, 100 * report.run.accel_frac);
    else if (too_much(&report.whole))
        log_warn("the peak of the whole day or trace is more than the servers can do (CPU %.0f %%, "
                 "accelerator %.0f %%), and this run ends before it",
                 100 * report.whole.busy_frac, 100 * report.whole.accel_frac);
}

static int check_study(const struct survey *survey, bool resolved, struct report_out *out,
                       struct err *err)
{
    struct study *study = survey_whole(survey, err);
    if (!study)
        return -1;
    if (resolved) {
        char *text = study_format(study);
        fputs(text, stdout);
        mem_free(text);
    } else {
        report_text(out, "%s: good\n", survey->source.path);
        check_all(out, study);
    }
    study_destroy(study);
    return 0;
}

static void print_axes(struct report_out *out, const struct grid *grid)
{
    struct table *table = table_create(2);
    table_row(table, (const char *const[]){"axis", "label"});
    for (uint32_t a = 0; a < grid_n_axes(grid); a++) {
        const char *name = grid_axis_name(grid, a);
        uint32_t n = grid_n_labels(grid, a);
        report_text(out, "  %-16s", name);
        for (uint32_t v = 0; v < n; v++) {
            table_row(table, (const char *const[]){name, grid_label(grid, a, v)});
            if (v < SHOWN_LABELS)
                report_text(out, " %s", grid_label(grid, a, v));
        }
        if (n > SHOWN_LABELS)
            report_text(out, " ... (%u)", n);
        report_text(out, "\n");
    }
    if (for_programs(out))
        table_print(table, out, "axes");
    table_destroy(table);
}

// What is to be known of the points, each sentence once: [1] the warnings, [0] the others.
struct noted {
    struct mistakes of[2];
};

static void keep_note(void *user, bool is_warning, const char *text)
{
    struct noted *noted = user;
    mistakes_add(&noted->of[is_warning], NULL, text); // more than there is room for is too much
}

static void print_noted(struct report_out *out, struct noted *noted)
{
    for (int w = 1; w >= 0; w--) {
        for (size_t i = 0; i < noted->of[w].n; i++)
            cmd_tell(out, w, noted->of[w].v[i].text);
        mistakes_release(&noted->of[w]);
    }
}

// Replications of a point differ in the seed alone, so one of them is read.
static int check_sweep(const struct survey *survey, struct report_out *out, struct err *err)
{
    const struct grid *grid = survey->grid;
    uint32_t n_points = grid_n_points(grid), n_read = n_points / grid_n_replications(grid);
    double queries = 0, work_s = 0, most_bytes = 0;
    char clock[24];
    struct noted noted = {0};
    struct progress progress;
    progress_start(&progress, stderr);
    for (uint32_t p = 0; p < n_read; p++) {
        struct study *study = survey_study(survey, p, err);
        if (!study) {
            progress_end(&progress, false);
            mistakes_release(&noted.of[0]);
            mistakes_release(&noted.of[1]);
            return survey_blame(survey, p, err);
        }
        queries += demand_queries(study) * grid_n_replications(grid);
        work_s += demand_wall_s(study) * grid_n_replications(grid);
        most_bytes = fmax(most_bytes, need_of(study).memory_bytes);
        study_notes(study, false, keep_note, &noted);
        study_destroy(study);
        progress_note(&progress, "%u of %u points read", p + 1, n_read);
        progress_update(&progress, (double)(p + 1) / n_read, 0);
    }
    progress_end(&progress, true);
    report_text(out, "%s: good\n%u point%s:\n", survey->source.path, n_points,
                n_points == 1 ? "" : "s");
    print_axes(out, grid);
    print_noted(out, &noted);
    report_text(out, "about ");
    print_count(out, queries, "queries, ");
    print_memory(out, most_bytes, " at most, ");
    report_text(out, "%s min:s on one core, all points together\n",
                progress_clock(work_s, clock, sizeof clock));
    if (for_programs(out))
        print_values(out, "estimate",
                     (const char *const[]){"points", "queries", "memory_bytes", "wall_s", NULL},
                     (const double[]){n_points, queries, most_bytes, work_s});
    return 0;
}

static int check(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct survey *survey = survey_create(&source, err);
    struct report_out out = cmd_report_out(line);
    bool resolved = cmd_given(line, "--resolved");
    int rc = !survey ? -1
             : grid_n_axes(survey->grid) > 0 && !resolved
                 ? check_sweep(survey, &out, err)
                 : check_study(survey, resolved, &out, err);
    if (rc == 0 && !resolved)
        report_end(&out);
    survey_destroy(survey);
    return rc;
}

const struct cmd cmd_check = {
    .name = "check",
    .help = "validate a study without running it, and say what a run would cost",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Reads the study and every file it names exactly as a run would, then prints the offered "
        "load of every group, on average and at the peak of a rate that changes, and rough "
        "estimates of queries, memory and wall time. A load above 100 % at the peak is a warning: "
        "such a run is done and called overloaded. Of a study with a sweep every point is read. A "
        "study that is wrong has all its mistakes listed, up to twenty.",
    .example = "recfleet check quickstart.yaml --set traffic[0].rate=20000qps",
    .options = options,
    .run = check,
    .plans = PLANS_ASKED,
};
