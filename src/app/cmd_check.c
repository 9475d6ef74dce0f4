// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/progress.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "results/hist.h"
#include "results/record.h"
#include "study/doc.h"
#include "study/grid.h"
#include "study/study.h"

// Rough costs on one core of a current server, for the estimate only.
#define QUERY_NS 100.0
#define REQUEST_NS 20.0
#define SERVER_BYTES 1024.0

// Values of an axis that are printed.
#define SHOWN_LABELS 12

static const struct cmd_option options[] = {
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--resolved", 'r', NULL, "print the study (without its sweep) with every default written out"},
    {NULL, 0, NULL, NULL}};

// Sums over the sizes of one service on a server of one group, per query.
struct load {
    double cpu_s, accel_s, requests;
};

static double size_share(const struct study *study, size_t s, uint32_t items)
{
    return study->sizes[s] ? qsize_pmf(study->sizes[s], items) : 0;
}

// What one query costs on average when `busy` cores are busy. The last request of a query carries
// the rest of its items.
static struct load mean_load(const struct study *study, const struct study_group *group, size_t s,
                             uint32_t busy)
{
    const struct cost *cost = group->costs[s];
    const struct dispatch_config *dispatch = &group->dispatch[s];
    uint32_t batch = (uint32_t)dispatch->batch_items, largest = qsize_max_items(study->sizes[s]);
    double full_s = cost_cpu_s(cost, batch, busy);
    struct load load = {0};
    for (uint32_t n = qsize_min_items(study->sizes[s]); n <= largest; n++) {
        double share = size_share(study, s, n);
        if (share == 0)
            continue;
        if (dispatch->offload_items > 0 && n >= dispatch->offload_items) {
            load.accel_s += share * (cost_accel_load_s(cost, n) + cost_accel_compute_s(cost, n));
            load.requests += share;
            continue;
        }
        uint32_t full = n / batch, rest = n % batch;
        load.cpu_s += share * (full * full_s + (rest ? cost_cpu_s(cost, rest, busy) : 0));
        load.requests += share * (full + (rest != 0));
    }
    return load;
}

struct estimate {
    double requests;       // CPU requests and accelerator queries of the whole run
    double worst_cpu_frac; // over the groups
    double worst_accel_frac;
};

// Prints a group's offered load if queries were spread over all servers by weight.
static void check_group(const struct study *study, size_t g, double weights,
                        struct estimate *estimate)
{
    const struct study_group *group = &study->groups[g];
    double cores = (double)group->platform.cores, share = group->weight / weights;
    double cpu_frac = 0, full_frac = 0, accel_frac = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_traffic *traffic = &study->services[s].traffic;
        if (!study->sizes[s])
            continue;
        double qps = share * arrival_mean_qps(&traffic->arrivals, traffic->rate_qps);
        struct load alone = mean_load(study, group, s, 1);
        struct load full = mean_load(study, group, s, (uint32_t)group->platform.cores);
        double streams = (double)group->platform.accelerator.streams;
        cpu_frac += qps * alone.cpu_s / cores;
        full_frac += qps * full.cpu_s / cores;
        accel_frac += qps * full.accel_s / (streams > 1 ? streams : 1);
        estimate->requests += qps * (double)group->servers * full.requests *
                              simtime_to_s(study->settings.duration_ns);
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

static void print_estimate(const struct study *study, const struct estimate *estimate)
{
    double queries = study_expected_queries(study), servers = 0;
    for (size_t g = 0; g < study->n_groups; g++)
        servers += (double)study->groups[g].servers;
    double hists = (double)(study->settings.bins + 1) * (double)study->n_services * N_PATHS;
    // A histogram touches the few pages its latencies lie in.
    double bytes = servers * SERVER_BYTES + hists * 16 * 4096 + 32e6;
    char clock[24];
    progress_clock((queries * QUERY_NS + estimate->requests * REQUEST_NS) * 1e-9, clock,
                   sizeof clock);
    printf("about ");
    print_count(queries, "queries in ");
    print_count(estimate->requests, "requests, ");
    printf("%.0f MB, %s min:s on one core\n", bytes * 1e-6, clock);
}

static void check_all(const struct study *study)
{
    struct estimate estimate = {0};
    double weights = 0;
    for (size_t g = 0; g < study->n_groups; g++)
        weights += study->groups[g].weight * (double)study->groups[g].servers;
    check_services(study);
    printf("groups, if every server gets its share:\n");
    for (size_t g = 0; g < study->n_groups; g++)
        check_group(study, g, weights, &estimate);
    print_estimate(study, &estimate);
    if (estimate.worst_cpu_frac >= 1 || estimate.worst_accel_frac >= 1)
        log_warn("offered more than the servers can do (CPU %.0f %%, accelerator %.0f %%): the run "
                 "will be overloaded",
                 100 * estimate.worst_cpu_frac, 100 * estimate.worst_accel_frac);
}

// The study's text and what the command line changes in it.
struct source {
    const char *path;
    char *data;
    size_t size;
    const char *settings[CMD_MAX_WORDS];
    size_t n_settings;
};

static int check_study(const struct source *source, const struct library *library, bool resolved,
                       struct err *err)
{
    struct study *study = study_parse(source->path, source->data, source->size, source->settings,
                                      source->n_settings, library, true, err);
    if (!study)
        return -1;
    if (resolved) {
        char *text = study_format(study);
        fputs(text, stdout);
        mem_free(text);
    } else {
        printf("%s: good\n", source->path);
        check_all(study);
    }
    study_destroy(study);
    return 0;
}

// Reads one point of the grid as a study; an error names the point.
static int check_point(const struct source *source, const struct grid *grid, uint32_t point,
                       const struct library *library, struct err *err)
{
    size_t n;
    const char **settings =
        grid_point_settings(grid, point, source->settings, source->n_settings, &n);
    struct study *study =
        study_parse(source->path, source->data, source->size, settings, n, library, true, err);
    mem_free(settings);
    if (!study) {
        char *name = grid_name(grid, point);
        err_prefix(err, "point %s", name);
        mem_free(name);
        return -1;
    }
    study_destroy(study);
    return 0;
}

// Replications of a point differ in the seed alone, so one of them is read.
static int check_sweep(const struct source *source, const struct grid *grid,
                       const struct library *library, struct err *err)
{
    for (uint32_t p = 0; p < grid_n_points(grid); p += grid_n_replications(grid))
        if (check_point(source, grid, p, library, err) < 0)
            return -1;
    printf("%s: good\n%u point%s:\n", source->path, grid_n_points(grid),
           grid_n_points(grid) == 1 ? "" : "s");
    for (uint32_t a = 0; a < grid_n_axes(grid); a++) {
        printf("  %-16s", grid_axis_name(grid, a));
        for (uint32_t v = 0; v < grid_n_labels(grid, a) && v < SHOWN_LABELS; v++)
            printf(" %s", grid_label(grid, a, v));
        if (grid_n_labels(grid, a) > SHOWN_LABELS)
            printf(" ... (%u)", grid_n_labels(grid, a));
        printf("\n");
    }
    return 0;
}

static int check(struct cmd_line *line, struct err *err)
{
    struct source source = {.path = line->args[0]};
    struct library library;
    struct grid *grid = NULL;
    bool resolved = cmd_given(line, "--resolved");
    int rc = -1;
    source.n_settings = cmd_values(line, "--set", source.settings, CMD_MAX_WORDS);
    if (library_load(&library, err) < 0)
        return -1;
    source.data = doc_load_file(source.path, DOC_MAX_BYTES, &source.size, err);
    if (source.data)
        grid = grid_parse(source.path, source.data, source.size, source.settings, source.n_settings,
                          err);
    if (grid && grid_n_axes(grid) > 0 && !resolved)
        rc = check_sweep(&source, grid, &library, err);
    else if (grid)
        rc = check_study(&source, &library, resolved, err);
    grid_destroy(grid);
    mem_free(source.data);
    library_release(&library);
    return rc < 0 ? -1 : CMD_DONE;
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
        "every point is read; the first that is wrong is named.",
    .example = "recfleet check quickstart.yaml --set traffic[0].rate=20000qps",
    .options = options,
    .run = check,
};
