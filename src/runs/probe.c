// SPDX-License-Identifier: Apache-2.0
#include "runs/probe.h"

#include <math.h>
#include <string.h>

#include "runs/checkpointing.h"
#include "runs/demand.h"
#include "runs/footprint.h"
#include "runs/verdict.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "par/agree.h"
#include "par/mpi_err.h"
#include "cluster/run.h"
#include "cluster/sched.h"
#include "results/gather.h"
#include "results/meta.h"
#include "results/record.h"
#include "study/study_tables.h"
#include "study/study_tune.h"

// Bins that are measured: twenty batches of two (results/batch.h).
enum { PROBE_BINS = 40 };
#define WARMUP_PART 10 // of the run
// Runs are no shorter than this many times the longest target, however few queries that takes.
#define LEAST_TARGETS 20

struct probe {
    const struct study *study;
    struct meta *meta;
    const struct qsize **sizes;      // [n_services] that the runs draw from; borrowed
    struct service_config *services; // [n_services], rates changed from run to run
    struct group_config *groups;     // [n_groups]
    struct settings **settings;      // [n_groups][n_services], choices written into it
    bool *tuned_service, *tuned_group, own_sizes;
    struct probe_facts facts;
    uint32_t service, group; // the first tuned ones
    struct svctab_cache *times;
    struct record *record; // cleared and used again from run to run; NULL before the first
    double rate_qps;       // of the study, all services
    double **cpu_s; // [n_services][max_items + 1]: one group only, all its cores busy; or NULL
};

// ---- creation -----------------------------------------------------------------------------------

static void copy_services(struct probe *probe, bool own_sizes)
{
    const struct study *study = probe->study;
    const struct study_tune *tune = &study->tune;
    probe->services = mem_calloc(study->n_services, sizeof *probe->services);
    probe->sizes = mem_calloc(study->n_services, sizeof(struct qsize *));
    probe->tuned_service = mem_calloc(study->n_services, sizeof(bool));
    probe->service = UINT32_MAX;
    for (uint32_t s = 0; s < study->n_services; s++) {
        probe->services[s] = study->services[s];
        probe->sizes[s] = study->sizes[s];
        probe->rate_qps += study->services[s].traffic.rate_qps;
        probe->tuned_service[s] = study_tune_has_service(study, s);
        if (!probe->tuned_service[s])
            continue;
        if (probe->service == UINT32_MAX)
            probe->service = s;
        if (tune->has_sizes && !own_sizes) {
            probe->services[s].traffic.sizes = tune->sizes;
            probe->sizes[s] = tune->sizes_table;
        }
    }
}

static void copy_groups(struct probe *probe)
{
    const struct study *study = probe->study;
    probe->groups = mem_calloc(study->n_groups, sizeof *probe->groups);
    probe->settings = mem_calloc(study->n_groups, sizeof(struct settings *));
    probe->tuned_group = mem_calloc(study->n_groups, sizeof(bool));
    probe->group = UINT32_MAX;
    for (uint32_t g = 0; g < study->n_groups; g++) {
        probe->groups[g] = study->group_configs[g];
        probe->settings[g] = mem_calloc(study->n_services, sizeof(struct settings));
        memcpy(probe->settings[g], study->group_configs[g].settings,
               study->n_services * sizeof(struct settings));
        probe->groups[g].settings = probe->settings[g];
        probe->tuned_group[g] = study_tune_has_group(study, g);
        if (probe->tuned_group[g] && probe->group == UINT32_MAX)
            probe->group = g;
    }
}

// And, where there is one group only, what a core needs for each size when all are busy: the bound
// of every choice is a sum of these.
static void fill_facts(struct probe *probe)
{
    const struct study *study = probe->study;
    struct probe_facts *facts = &probe->facts;
    facts->group = &study->groups[probe->group];
    facts->service = &study->services[probe->service];
    facts->settings = &study->group_configs[probe->group].settings[probe->service];
    facts->cost = facts->group->costs[probe->service];
    facts->n_servers = probe->meta->n_servers;
    if (study->n_groups == 1)
        probe->cpu_s = mem_calloc(study->n_services, sizeof *probe->cpu_s);
    for (uint32_t s = 0; s < study->n_services; s++) {
        uint32_t largest = qsize_max_items(probe->sizes[s]);
        if (probe->cpu_s)
            probe->cpu_s[s] = demand_cpu_s(facts->group->costs[s], largest,
                                           (uint32_t)facts->group->platform.cores);
        if (probe->tuned_service[s] && largest > facts->max_items)
            facts->max_items = largest;
    }
    facts->known_items = facts->max_items;
    for (uint32_t g = 0; g < study->n_groups; g++)
        for (uint32_t s = 0; s < study->n_services; s++)
            if (probe->tuned_group[g] && probe->tuned_service[s] &&
                study_tables_strict(study, &study->groups[g], s))
                facts->known_items =
                    (uint32_t)fmin(facts->known_items, study_tables_last(&study->groups[g], s));
    for (uint32_t g = 0; g < study->n_groups; g++)
        for (uint32_t s = 0; s < study->n_services; s++)
            if (!facts->accel_cost && probe->tuned_group[g] && probe->tuned_service[s] &&
                cost_has_accel(study->groups[g].costs[s]))
                facts->accel_cost = study->groups[g].costs[s];
}

int probe_check(const struct study *study, struct err *err)
{
    for (uint32_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        const char *process = arrival_types[service->traffic.arrivals.process]->name;
        if (strcmp(process, "replay") == 0 || strcmp(process, "diurnal") == 0)
            return err_set(
                err, ERR_STUDY,
                "tune: service \"%.60s\" arrives by %s, which has no one rate to search for; "
                "expected another arrival process",
                service->name, process);
    }
    return 0;
}

struct probe *probe_create(const struct study *study, bool own_sizes)
{
    struct probe *probe = mem_calloc(1, sizeof *probe);
    probe->study = study;
    probe->own_sizes = own_sizes;
    probe->meta = study_meta(study);
    copy_services(probe, own_sizes);
    copy_groups(probe);
    fill_facts(probe);
    probe->times = svctab_cache_create();
    return probe;
}

void probe_destroy(struct probe *probe)
{
    if (!probe)
        return;
    for (uint32_t g = 0; g < probe->study->n_groups; g++)
        mem_free(probe->settings[g]);
    mem_free(probe->settings);
    mem_free(probe->groups);
    mem_free(probe->services);
    mem_free(probe->sizes);
    mem_free(probe->tuned_service);
    mem_free(probe->tuned_group);
    for (uint32_t s = 0; probe->cpu_s && s < probe->study->n_services; s++)
        mem_free(probe->cpu_s[s]);
    mem_free(probe->cpu_s);
    svctab_cache_destroy(probe->times);
    record_destroy(probe->record);
    meta_destroy(probe->meta);
    mem_free(probe);
}

// ---- one run ------------------------------------------------------------------------------------

static int64_t duration_ns(const struct probe *probe, const struct measure_point *point)
{
    // A run that ends within a few targets would not show a queue that grows.
    int64_t least_ns = 0;
    for (uint32_t s = 0; s < probe->study->n_services; s++)
        if (LEAST_TARGETS * probe->services[s].sla_ns > least_ns)
            least_ns = LEAST_TARGETS * probe->services[s].sla_ns;
    int64_t ns = simtime_from_s((double)point->n_queries / point->rate_qps);
    return ns > least_ns ? ns : least_ns;
}

// The fleet of a point; the probe's own arrays are changed for it.
static struct fleet_config point_fleet(struct probe *probe, const struct measure_point *point)
{
    const struct study *study = probe->study;
    struct fleet_config fleet = study->fleet;
    double scale = point->rate_qps / probe->rate_qps;
    for (uint32_t s = 0; s < study->n_services; s++)
        probe->services[s].traffic.rate_qps = study->services[s].traffic.rate_qps * scale;
    for (uint32_t g = 0; g < study->n_groups; g++)
        for (uint32_t s = 0; s < study->n_services; s++)
            // A group of another scheduler keeps its own.
            if (probe->tuned_group[g] && probe->tuned_service[s] &&
                probe->settings[g][s].fields == point->choice.fields)
                probe->settings[g][s] =
                    sched_fit(&point->choice, cost_has_accel(study->groups[g].costs[s]));
    fleet.services = probe->services;
    fleet.groups = probe->groups;
    fleet.sizes = probe->sizes;
    // Far apart and odd: no two streams of one study share a seed, and neighbouring seeds of a
    // user's list do not meet another's streams.
    fleet.seed = study->settings.seed + point->stream * UINT64_C(0x9e3779b97f4a7c15);
    fleet.duration_ns = duration_ns(probe, point);
    fleet.sample_frac = 0; // nobody reads single queries of a search
    fleet.n_slowest = 0;
    return fleet;
}

// The probe's record, empty, for a run that ends at end_ns.
static struct record *fresh_record(struct probe *probe, int64_t end_ns)
{
    const struct record_shape shape = {.n_services = (uint32_t)probe->study->n_services,
                                       .n_groups = (uint32_t)probe->study->n_groups,
                                       .n_bins = PROBE_BINS + 1,
                                       .n_servers = probe->meta->n_servers,
                                       .warmup_ns = end_ns / WARMUP_PART,
                                       .end_ns = end_ns};
    // A record of many servers is large, and a search makes hundreds of runs of one shape.
    if (!probe->record || !record_reshape(probe->record, &shape)) {
        record_destroy(probe->record);
        probe->record = record_create(&shape);
    }
    return probe->record;
}

// ---- the measurement ----------------------------------------------------------------------------

int probe_measure(struct probe *probe, MPI_Comm comm, const struct measure_point *point,
                  struct measurement *result, struct err *err)
{
    struct fleet_config fleet = point_fleet(probe, point);
    struct run_options options = {.layout = LAYOUT_AUTO, .times = probe->times};
    struct run_cost cost = {0};
    struct record *total = NULL;
    const struct verdict_scope scope = {probe->group, probe->study->tune.p99_bound, NULL};
    int rank, n_ranks;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &n_ranks);
    if (err_agree(comm, footprint_check(&fleet, PROBE_BINS + 1, n_ranks, err), err) < 0)
        return -1;
    struct record *record = fresh_record(probe, fleet.duration_ns);
    // Where several ranks agree at the end of every short run they wait for each other.
    options.control = n_ranks == 1 ? &checkpointing_stop_only : NULL;
    int rc = run_fleet(comm, &fleet, &options, record, &cost, err);
    if (rc == 0 && cost.stopped)
        rc = err_set(err, ERR_FAIL, "stopped by a signal");
    if (rc == 0 && n_ranks > 1)
        rc = gather_record(comm, record, &total, err);
    if (rc == 0 && rank == 0)
        *result = verdict_of(total ? total : record, probe->meta, &scope);
    record_destroy(total);
    if (rc < 0)
        return -1;
    // From rank 0, which has the whole record, to all.
    unsigned long long n_queries = cost.n_queries;
    rc = MPI_Allreduce(MPI_IN_PLACE, &n_queries, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, comm);
    if (rc == MPI_SUCCESS)
        rc = MPI_Bcast(result, sizeof *result, MPI_BYTE, 0, comm);
    result->n_queries = n_queries;
    return mpi_err_check(rc, "share what a run measured", err);
}

void probe_describe(const struct probe *probe, const struct measure_point *point,
                    struct blob *question)
{
    const char *digest = probe->meta->study_digest;
    blob_put(question, digest, strlen(digest));
    blob_put_u32(question, probe->own_sizes);
    blob_put_u32(question, point->stream);
    blob_put(question, point->choice.values, sizeof point->choice.values);
    blob_put(question, &point->rate_qps, sizeof point->rate_qps);
    blob_put_u64(question, point->n_queries);
}

// ---- the bound ----------------------------------------------------------------------------------

double probe_bound_qps(const struct probe *probe, const struct settings *choice)
{
    struct demand sum = {0, 0, 0, 0};
    if (!probe->cpu_s)
        return INFINITY;
    const struct study_group *group = &probe->study->groups[0];
    for (uint32_t s = 0; s < probe->study->n_services; s++) {
        const struct cost *cost = group->costs[s];
        struct settings fit =
            sched_fit(probe->tuned_service[s] ? choice : &group->settings[s], cost_has_accel(cost));
        struct demand work =
            demand_mean(&(struct demand_split){cost, probe->sizes[s], probe->cpu_s[s],
                                               (uint32_t)group->platform.cores, sched_needs(&fit)});
        double share = probe->study->services[s].traffic.rate_qps / probe->rate_qps;
        sum.cpu_s += share * work.cpu_s;
        sum.load_s += share * work.load_s;
        sum.compute_s += share * work.compute_s;
    }
    return (double)group->servers * demand_saturation_qps(&group->platform, &sum);
}

int probe_known(const struct probe *probe, const struct settings *choice, struct err *err)
{
    const struct study *study = probe->study;
    for (uint32_t g = 0; g < study->n_groups; g++)
        for (uint32_t s = 0; s < study->n_services; s++) {
            const struct study_group *group = &study->groups[g];
            struct settings fit = group->settings[s];
            if (probe->tuned_group[g] && probe->tuned_service[s] && fit.fields == choice->fields)
                fit = sched_fit(choice, cost_has_accel(group->costs[s]));
            if (study_tables_known(study, group, s, probe->sizes[s], &fit, err) < 0 ||
                study_tables_known(study, group, s, study->sizes[s], &fit, err) < 0)
                return -1;
        }
    return 0;
}

// ---- what searches ask --------------------------------------------------------------------------

const struct probe_facts *probe_facts(const struct probe *probe)
{
    return &probe->facts;
}

static double bound_qps(const void *server, const struct settings *choice)
{
    return probe_bound_qps(server, choice);
}

static int known(const void *server, const struct settings *choice, struct err *err)
{
    return probe_known(server, choice, err);
}

static void simplify(const void *server, struct settings *choice)
{
    const struct sched_type *type = sched_of(choice);
    if (type->simplify)
        type->simplify(choice->values, ((const struct probe *)server)->facts.max_items);
}

static double cpu_s(const void *server, uint32_t items)
{
    const struct probe_facts *facts = &((const struct probe *)server)->facts;
    return cost_cpu_s(facts->cost, items, (uint32_t)facts->group->platform.cores);
}

static double accel_s(const void *server, uint32_t items)
{
    const struct cost *cost = ((const struct probe *)server)->facts.accel_cost;
    return cost ? cost_accel_load_s(cost, items) + cost_accel_compute_s(cost, items) : (double)NAN;
}

static uint64_t draw(const struct probe *probe, uint64_t entity, uint64_t i)
{
    const struct rng_stream stream = rng_stream(probe->study->settings.seed, RNG_TUNE, entity);
    uint64_t words[2];
    rng_block(&stream, i, words);
    return words[0];
}

static uint32_t size_items(const void *server, uint64_t i)
{
    const struct probe *probe = server;
    return qsize_draw(probe->sizes[probe->service], draw(probe, 0, i));
}

static double uniform(const void *server, uint64_t i)
{
    return rng_u01(draw(server, 1, i));
}

struct tuner_backend probe_backend(const struct probe *probe)
{
    return (struct tuner_backend){.server = probe,
                                  .bound_qps = bound_qps,
                                  .known = known,
                                  .simplify = simplify,
                                  .cpu_s = cpu_s,
                                  .accel_s = accel_s,
                                  .size_items = size_items,
                                  .uniform = uniform};
}
