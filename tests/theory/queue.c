// SPDX-License-Identifier: Apache-2.0
#include "theory/queue.h"

#include <check.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/policy.h"
#include "cluster/run.h"
#include "cluster/sched.h"
#include "results/gather.h"
#include "results/meta.h"
#include "study/study.h"

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "theory: %s\n", err->text);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

struct queue queue_of(uint32_t n_cores, double rho, double n_queries)
{
    // The transient of M/M/k lasts a few 1 / (k (1 - sqrt(rho))^2) services, plus one to fill.
    double gap = 1 - sqrt(rho);
    return (struct queue){.n_servers = 1,
                          .n_cores = n_cores,
                          .rho = rho,
                          .fixed = 1,
                          .noise = {.spread = SPREAD_EXPONENTIAL, .cv = 1},
                          .policy = "random",
                          .seed = 1,
                          .warmup = 20 + 20 / (n_cores * gap * gap),
                          .duration = n_queries / (n_cores * rho),
                          .n_bins = 60};
}

static struct summary *simulate(const struct fleet_config *fleet, const struct meta *meta,
                                const struct record_shape *shape)
{
    struct err err = {0};
    struct run_options options = {0};
    struct run_cost cost;
    struct record *record = record_create(shape), *total = NULL;
    must(run_fleet(MPI_COMM_WORLD, fleet, &options, record, &cost, &err), &err);
    must(gather_record(MPI_COMM_WORLD, record, &total, &err), &err);
    struct summary *summary = summary_create(total, meta);
    record_destroy(record);
    record_destroy(total);
    return summary;
}

static struct meta *meta_of(const struct queue *queue, const struct record_shape *shape)
{
    struct meta *meta = meta_create(1, 1, queue->n_servers);
    meta->seed = queue->seed;
    meta->duration_ns = shape->end_ns;
    meta->warmup_ns = shape->warmup_ns;
    meta->n_cells = 1;
    meta->services[0].name = mem_strdup("service");
    meta->groups[0].name = mem_strdup("group");
    meta->groups[0].n_servers = queue->n_servers;
    meta->groups[0].cores = queue->n_cores;
    meta->groups[0].has_accel = queue->n_streams > 0;
    meta->groups[0].streams = queue->n_streams;
    return meta;
}

static struct settings settings_of_queue(const struct queue *queue)
{
    struct err err = {0};
    struct settings settings = sched_plain(queue->scheduler ? &sched_queue : &sched_split, 1, 1);
    if (queue->scheduler)
        must(settings_parse(&settings, queue->scheduler, &err), &err);
    return settings;
}

static struct cost *cost_of(const struct queue *queue, const struct cost_config *costs,
                            struct platform *platform)
{
    struct err err = {0};
    platform->has_accelerator = queue->n_streams > 0;
    platform->accelerator = (struct accelerator){.name = platform->name,
                                                 .streams = queue->n_streams,
                                                 .overlap = queue->overlap,
                                                 .power = {.gamma = 1}};
    struct cost *cost = cost_create(costs, NULL, platform, &err);
    must(cost ? 0 : -1, &err);
    return cost;
}

static struct size_config sizes_of(const struct queue *queue)
{
    if (queue->max_items == 0)
        return (struct size_config){
            .distribution = qsize_find("fixed"), .items = 1, .max_items = 1};
    return (struct size_config){.distribution = qsize_find("lognormal"),
                                .mu = queue->mu,
                                .sigma = queue->sigma,
                                .max_items = queue->max_items};
}

struct summary *queue_run(const struct queue *queue)
{
    double fixed_s = queue->fixed * QUEUE_SERVICE_S, item_s = queue->per_item * QUEUE_SERVICE_S;
    const struct cost_config costs = {.kind = cost_type_find("synthetic"),
                                      .fixed_s = fixed_s,
                                      .per_item_s = item_s,
                                      .accel_fixed_s = fixed_s,
                                      .accel_per_item_s = item_s,
                                      .accel_load_fixed_s = queue->copy * QUEUE_SERVICE_S};
    char group_name[] = "group", service_name[] = "service", no_model[] = "";
    struct platform platform = {
        .name = group_name, .cores = queue->n_cores, .sockets = 1, .power = {.gamma = 1}};
    struct cost *cost = cost_of(queue, &costs, &platform);
    const struct cost *cost_list[] = {cost};
    const struct settings settings = settings_of_queue(queue);
    const struct group_config group = {.name = group_name,
                                       .platform = &platform,
                                       .n_servers = queue->n_servers,
                                       .weight = 1,
                                       .costs = cost_list,
                                       .scheduler =
                                           sched_find(queue->scheduler ? "queue" : "split"),
                                       .settings = &settings,
                                       .noise = queue->noise,
                                       .slow = queue->slow};
    const struct service_config service = {
        .name = service_name,
        .model = no_model,
        .sla_quantile = 0.95,
        .traffic = {
            .rate_qps = queue->rho * queue->n_cores * queue->n_servers / QUEUE_SERVICE_S,
            .arrivals = {.process = arrival_find("poisson")},
            .sizes = sizes_of(queue),
        }};
    int policy = policy_find(queue->policy);
    int64_t delay_ns =
        policy_types[policy]->needs_feedback ? (int64_t)(QUEUE_DELAY_S * SIMTIME_S) : 0;
    const struct record_shape shape = {
        .n_services = 1,
        .n_groups = 1,
        .n_bins = queue->n_bins + 1,
        .n_servers = queue->n_servers,
        .warmup_ns = (int64_t)(queue->warmup * QUEUE_SERVICE_S * SIMTIME_S),
        .end_ns = (int64_t)((queue->warmup + queue->duration) * QUEUE_SERVICE_S * SIMTIME_S)};
    const struct fleet_config fleet = {.services = &service,
                                       .n_services = 1,
                                       .groups = &group,
                                       .n_groups = 1,
                                       .n_cells = 1,
                                       .balancer = {.policy = policy,

                                                    .load = LOAD_QUERIES,
                                                    .dispatch_delay_ns = delay_ns,
                                                    .status_delay_ns = delay_ns},
                                       .seed = queue->seed,
                                       .duration_ns = shape.end_ns};
    struct meta *meta = meta_of(queue, &shape);
    meta->shares_load = policy_types[policy]->needs_feedback;
    struct summary *summary = simulate(&fleet, meta, &shape);
    meta_destroy(meta);
    cost_destroy(cost);
    return summary;
}

struct summary *queue_run_study(const char *path, const char *const *settings, size_t n_settings)
{
    struct err err = {0};
    struct library library = {0};
    must(library_load(&library, &err), &err);
    struct study *study = study_read(path, settings, n_settings, &library, true, &err);
    must(study ? 0 : -1, &err);
    struct meta *meta = study_meta(study);
    const struct record_shape shape = {.n_services = (uint32_t)study->n_services,
                                       .n_groups = (uint32_t)study->n_groups,
                                       .n_bins =
                                           (uint32_t)study->settings.bins + (study->warmup_ns > 0),
                                       .n_servers = meta->n_servers,
                                       .warmup_ns = study->warmup_ns,
                                       .end_ns = study->settings.duration_ns};
    struct summary *summary = simulate(&study->fleet, meta, &shape);
    meta_destroy(meta);
    study_destroy(study);
    library_release(&library);
    return summary;
}

// The interval of `ci` at 99 %: one in a hundred misses the truth, not one in twenty.
static double half_99(const struct ci *ci)
{
    double dof = ci->n_batches - 1.0;
    return ci->half_95 * ci_t(0.995, dof) / ci_t(0.975, dof);
}

void queue_check(const char *what, const struct ci *ci, double offset, double scale, double truth,
                 double narrow_frac)
{
    double value = (ci->value - offset) / scale, half = half_99(ci) / scale;
    printf("%-40s theory %.6g, run %.6g +- %.2g (99 %%, %u batches): off by %+.2f half-widths, "
           "half-width %.2f %%\n",
           what, truth, value, half, ci->n_batches, (value - truth) / half, 100 * half / truth);
    ck_assert_msg(fabs(value - truth) <= half, "%s: theory %.6g outside %.6g +- %.2g", what, truth,
                  value, half);
    ck_assert_msg(half <= narrow_frac * truth, "%s: half-width %.2g, wanted below %.2g", what, half,
                  narrow_frac * truth);
}
