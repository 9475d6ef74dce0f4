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
#include "study/study.h"
#include "study/study_notes.h"

// Values of an axis that are printed.
#define SHOWN_LABELS 12

static const struct cmd_option options[] = {
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--resolved", 'r', NULL, "print the study (without its sweep) with every default written out"},
    {NULL, 0, NULL, NULL}};

// The worst over the groups: in the run, and in the day or the trace that it may see a part of.
struct estimate {
    struct demand_load run, whole;
};

static void take_worst(struct demand_load *worst, const struct demand_load *load)
{
    worst->busy_frac = fmax(worst->busy_frac, load->busy_frac);
    worst->accel_frac = fmax(worst->accel_frac, load->accel_frac);
}

static bool too_much(const struct demand_load *load)
{
    return load->busy_frac >= 1 || load->accel_frac >= 1;
}

static void print_load(const char *of, const struct demand_load *load)
{
    printf("%-37sCPU %5.1f %% (cores alone) to %5.1f %% (all busy)", of, 100 * load->alone_frac,
           100 * load->busy_frac);
    if (load->accel_frac > 0)
        printf(", accelerator %.1f %%", 100 * load->accel_frac);
    printf("\n");
}

// The day of a curve or the trace, where the run sees a part of it.
#define MUCH_LONGER 1.05

// Is the peak more than rounding above the mean?
static bool varies(const struct demand_loads *loads)
{
    return loads->peak.busy_frac > 1.001 * loads->mean.busy_frac ||
           loads->peak.accel_frac > 1.001 * loads->mean.accel_frac;
}

// Prints a group's offered load if queries were spread over all servers by weight.
static void check_group(const struct study *study, size_t g, struct estimate *estimate)
{
    const struct study_group *group = &study->groups[g];
    double run_s = simtime_to_s(study->settings.duration_ns), whole_s = demand_period_s(study);
    struct demand_loads run = demand_loads(study, group, run_s);
    char head[80];
    take_worst(&estimate->run, &run.peak);
    snprintf(head, sizeof head, "  %-16s %8lld servers, ", group->name, (long long)group->servers);
    print_load(head, &run.mean);
    if (varies(&run))
        print_load("      at its peak", &run.peak);
    if (whole_s <= MUCH_LONGER * run_s)
        return;
    struct demand_loads whole = demand_loads(study, group, whole_s);
    take_worst(&estimate->whole, &whole.peak);
    print_load("      in the whole day or trace", &whole.mean);
    print_load("      at the peak of that", &whole.peak);
}

static void check_services(const struct study *study)
{
    printf("services:\n");
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        char target[32] = "none";
        if (service->sla_ns > 0)
            units_format_ns(service->sla_ns, target, sizeof target);
        printf("  %-16s %.6g qps, ", service->name,
               arrival_mean_qps(&service->traffic.arrivals, service->traffic.rate_qps));
        if (study->sizes[s])
            printf("%.1f items on average, at most %u%s, ", qsize_mean_items(study->sizes[s]),
                   qsize_max_items(study->sizes[s]),
                   arrival_carries_sizes(&service->traffic.arrivals) ? " (as recorded)" : "");
        printf("target %s\n", target);
    }
}

static void print_count(double count, const char *what)
{
    if (count < 1e6)
        printf("%.0f %s", count, what);
    else
        printf("%.3g million %s", count * 1e-6, what);
}

static double memory_bytes(const struct study *study)
{
    return footprint_of(&study->fleet, (uint32_t)study->settings.bins + 1).memory_bytes;
}

static void print_memory(double bytes, const char *what)
{
    if (bytes < 1e9)
        printf("%.0f MB%s", bytes * 1e-6, what);
    else
        printf("%.3g GB%s", bytes * 1e-9, what);
}

static void print_estimate(const struct study *study)
{
    char clock[24];
    progress_clock(demand_wall_s(study), clock, sizeof clock);
    printf("about ");
    print_count(demand_queries(study), "queries in ");
    print_count(demand_requests(study), "requests, ");
    print_memory(memory_bytes(study), ", ");
    printf("%s min:s on one core\n", clock);
}

static void check_all(const struct study *study)
{
    struct estimate estimate = {0};
    check_services(study);
    study_notes(study, cmd_tell, NULL);
    printf("groups, if every server gets its share:\n");
    for (size_t g = 0; g < study->n_groups; g++)
        check_group(study, g, &estimate);
    const struct outage_config *outages = &study->outages;
    if (outages->mtbf_s > 0)
        printf("crashes: %.3g %% of the servers are down at any time\n",
               100 * outages->mttr_s / (outages->mtbf_s + outages->mttr_s));
    if (outages->n_events > 0)
        printf("events: %zu, servers or cells out of service\n", outages->n_events);
    print_estimate(study);
    if (too_much(&estimate.run))
        log_warn("offered more than the servers can do (CPU %.0f %%, accelerator %.0f %%): the run "
                 "will be overloaded",
                 100 * estimate.run.busy_frac, 100 * estimate.run.accel_frac);
    else if (too_much(&estimate.whole))
        log_warn("the peak of the whole day or trace is more than the servers can do (CPU %.0f %%, "
                 "accelerator %.0f %%), and this run ends before it",
                 100 * estimate.whole.busy_frac, 100 * estimate.whole.accel_frac);
}

// Searches leave an accelerator out that is too small, and nobody should wonder why.
static void warn_small_accelerators(const struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct study_group *group = &study->groups[g];
        const struct accelerator *accelerator = &group->platform.accelerator;
        for (size_t s = 0; s < study->n_services && group->platform.has_accelerator; s++)
            if (accelerator->memory_bytes > 0 &&
                cost_memory_bytes(group->costs[s]) > accelerator->memory_bytes)
                log_warn("group %s: service %s takes %.3g GB, more than the %.3g GB of %s, which "
                         "serves none of it",
                         group->name, study->services[s].name,
                         cost_memory_bytes(group->costs[s]) * 1e-9,
                         accelerator->memory_bytes * 1e-9, accelerator->name);
    }
}

static int check_study(const struct survey *survey, bool resolved, struct err *err)
{
    struct study *study = survey_whole(survey, err);
    if (!study)
        return -1;
    if (resolved) {
        char *text = study_format(study);
        fputs(text, stdout);
        mem_free(text);
    } else {
        printf("%s: good\n", survey->source.path);
        check_all(study);
        warn_small_accelerators(study);
    }
    study_destroy(study);
    return 0;
}

// Replications of a point differ in the seed alone, so one of them is read.
static int check_sweep(const struct survey *survey, struct err *err)
{
    const struct grid *grid = survey->grid;
    uint32_t n_points = grid_n_points(grid), n_read = n_points / grid_n_replications(grid);
    double queries = 0, work_s = 0, most_bytes = 0;
    char clock[24];
    struct progress progress;
    progress_start(&progress, stderr);
    for (uint32_t p = 0; p < n_read; p++) {
        struct study *study = survey_study(survey, p, err);
        if (!study) {
            progress_end(&progress);
            return survey_blame(survey, p, err);
        }
        queries += demand_queries(study) * grid_n_replications(grid);
        work_s += demand_wall_s(study) * grid_n_replications(grid);
        most_bytes = fmax(most_bytes, memory_bytes(study));
        study_destroy(study);
        progress_note(&progress, "%u of %u points read", p + 1, n_read);
        progress_update(&progress, (double)(p + 1) / n_read, 0);
    }
    progress_end(&progress);
    printf("%s: good\n%u point%s:\n", survey->source.path, n_points, n_points == 1 ? "" : "s");
    for (uint32_t a = 0; a < grid_n_axes(grid); a++) {
        printf("  %-16s", grid_axis_name(grid, a));
        for (uint32_t v = 0; v < grid_n_labels(grid, a) && v < SHOWN_LABELS; v++)
            printf(" %s", grid_label(grid, a, v));
        if (grid_n_labels(grid, a) > SHOWN_LABELS)
            printf(" ... (%u)", grid_n_labels(grid, a));
        printf("\n");
    }
    printf("about ");
    print_count(queries, "queries, ");
    print_memory(most_bytes, " at most, ");
    printf("%s min:s on one core, all points together\n",
           progress_clock(work_s, clock, sizeof clock));
    return 0;
}

static int check(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct survey *survey = survey_create(&source, err);
    bool resolved = cmd_given(line, "--resolved");
    if (survey) {
        const struct node *capacity = node_get(doc_root(survey->doc), "capacity");
        survey->source.plans = capacity && !node_is_null(capacity);
    }
    int rc = !survey                                      ? -1
             : grid_n_axes(survey->grid) > 0 && !resolved ? check_sweep(survey, err)
                                                          : check_study(survey, resolved, err);
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
};
