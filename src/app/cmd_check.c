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
#include "study/study.h"

// Values of an axis that are printed.
#define SHOWN_LABELS 12

static const struct cmd_option options[] = {
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--resolved", 'r', NULL, "print the study (without its sweep) with every default written out"},
    {NULL, 0, NULL, NULL}};

struct estimate {
    double worst_cpu_frac; // over the groups
    double worst_accel_frac;
};

// Prints a group's offered load if queries were spread over all servers by weight.
static void check_group(const struct study *study, size_t g, struct estimate *estimate)
{
    const struct study_group *group = &study->groups[g];
    double cores = (double)group->platform.cores, share = demand_share_frac(study, group);
    double streams = (double)group->platform.accelerator.streams;
    double cpu_frac = 0, full_frac = 0, accel_frac = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_traffic *traffic = &study->services[s].traffic;
        double qps = share * arrival_mean_qps(&traffic->arrivals, traffic->rate_qps);
        struct demand alone = demand_of(study, group, s, 1);
        struct demand full = demand_of(study, group, s, (uint32_t)group->platform.cores);
        cpu_frac += qps * alone.cpu_s / cores;
        full_frac += qps * full.cpu_s / cores;
        accel_frac += qps * (full.load_s + full.compute_s) / (streams > 1 ? streams : 1);
    }
    printf("  %-16s %8lld servers, CPU %5.1f %% (cores alone) to %5.1f %% (all busy)", group->name,
           (long long)group->servers, 100 * cpu_frac, 100 * full_frac);
    if (accel_frac > 0)
        printf(", accelerator %.1f %%", 100 * accel_frac);
    printf("\n");
    if (full_frac > estimate->worst_cpu_frac)
        estimate->worst_cpu_frac = full_frac;
    if (accel_frac > estimate->worst_accel_frac)
        estimate->worst_accel_frac = accel_frac;
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
        if (study->sizes[s] && !arrival_carries_sizes(&service->traffic.arrivals))
            printf("%.1f items on average, at most %u, ", qsize_mean_items(study->sizes[s]),
                   qsize_max_items(study->sizes[s]));
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
    print_count(study_expected_queries(study), "queries in ");
    print_count(demand_requests(study), "requests, ");
    print_memory(memory_bytes(study), ", ");
    printf("%s min:s on one core\n", clock);
}

static void check_all(const struct study *study)
{
    struct estimate estimate = {0};
    check_services(study);
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
    if (estimate.worst_cpu_frac >= 1 || estimate.worst_accel_frac >= 1)
        log_warn("offered more than the servers can do (CPU %.0f %%, accelerator %.0f %%): the run "
                 "will be overloaded",
                 100 * estimate.worst_cpu_frac, 100 * estimate.worst_accel_frac);
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
        queries += study_expected_queries(study) * grid_n_replications(grid);
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
        "load of every group and rough estimates of queries, memory and wall time. A load above "
        "100 % is a warning: such a run is done and called overloaded. Of a study with a sweep "
        "every point is read. A study that is wrong has all its mistakes listed, up to twenty.",
    .example = "recfleet check quickstart.yaml --set traffic[0].rate=20000qps",
    .options = options,
    .run = check,
};
