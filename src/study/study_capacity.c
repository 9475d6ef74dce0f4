// SPDX-License-Identifier: Apache-2.0
#include "study/study_capacity.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/sched.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"
#include "study/study_memory.h"
#include "study/study_tables.h"
#include "traces/forecast.h"
#include "study/study_traffic.h"

#define MAX_QUERIES 1e9
#define MAX_SERVERS 1e8
#define MAX_CELLS 1e6
#define LONGEST_DAY_S (30 * 86400.0)
#define MAX_INTERVALS 10000
#define MOST_CARBON_G_PER_KWH 1e5

const char *const study_find_names[] = {"servers", "cores", "load", "day", "plan", NULL};
const char *const study_objective_names[] = {"servers", "power", "cost", "carbon", NULL};

// A random walk cannot stand for how a fleet is run, so `reference` is not among them.
static const char *const scheduler_names[] = {"static", "fixed", "deeprecsched", "exhaustive",
                                              NULL};
static const char *const allocation_names[] = {"blind", "greedy", "optimal", NULL};
static const char *const provisioning_names[] = {"peak", "follow", NULL};

const struct field study_capacity_fields[] = {
    FIELD_CHOICES(study_capacity, "find", find, study_find_names, "servers",
                  "servers, cores: the fewest for the traffic; load: the most for the fleet; day: "
                  "the fleet over a day; plan: which servers serve what, hour by hour"),
    FIELD(study_capacity, "schedulers", FIELD_STRING, UNIT_NONE, schedulers, 0, 0, "fixed",
          "list of static, fixed, deeprecsched, exhaustive: one answer each"),
    FIELD(study_capacity, "headroom", FIELD_REAL, UNIT_FRAC, headroom_frac, 0, 10, "0",
          "planned for this much more than the demand"),
    FIELD(study_capacity, "margin", FIELD_REAL, UNIT_FRAC, margin_frac, 0, 10, "10%",
          "all but day: as well as the answer, the one that holds this much more; 0: none"),
    FIELD(study_capacity, "cells_down", FIELD_REALS, UNIT_NONE, cells_down, 0, MAX_CELLS, "0",
          "servers: answers with so many of the fleet's cells gone"),
    FIELD(study_capacity, "accuracy", FIELD_REAL, UNIT_FRAC, accuracy_frac, 0.001, 0.2, "2%",
          "day: half-width of each interval's p95 over p95; load: of the rate"),
    FIELD(study_capacity, "queries", FIELD_INT, UNIT_NONE, queries, 1000, MAX_QUERIES, "20000",
          "queries of the first run at a point, about"),
    FIELD(study_capacity, "max_queries", FIELD_INT, UNIT_NONE, max_queries, 1000, MAX_QUERIES,
          "4000000", "queries of the longest run at a point, where shorter ones do not decide"),
    FIELD(study_capacity, "max_servers", FIELD_INT, UNIT_NONE, max_servers, 1, MAX_SERVERS,
          "1000000", "servers, cores: no more than these are tried"),
    FIELD(study_capacity, "day", FIELD_REAL, UNIT_TIME, day_s, 1, LONGEST_DAY_S, "24h",
          "length of the day, a whole number of intervals"),
    FIELD(study_capacity, "interval", FIELD_REAL, UNIT_TIME, interval_s, 0.001, LONGEST_DAY_S, "1h",
          "what is planned for at a time"),
    FIELD(study_capacity, "windows", FIELD_INT, UNIT_NONE, windows, 1, 10000, "4",
          "windows simulated of each interval"),
    FIELD(study_capacity, "window", FIELD_REAL, UNIT_TIME, window_s, 0, LONGEST_DAY_S, "0",
          "length of a window; 0: chosen"),
    FIELD(study_capacity, "warmup", FIELD_REAL, UNIT_TIME, warmup_s, 0, LONGEST_DAY_S, "0",
          "simulated before a window and not measured; 0: chosen"),
    FIELD(study_capacity, "cells", FIELD_INT, UNIT_NONE, cells, 0, MAX_CELLS, "0",
          "cells of the fleet that each window simulates; 0: chosen"),
    FIELD_CHOICES(study_capacity, "objective", objective, study_objective_names, "servers",
                  "plan: what there should be least of"),
    FIELD(study_capacity, "allocations", FIELD_STRING, UNIT_NONE, allocations, 0, 0,
          "blind, greedy, optimal", "plan: list of blind, greedy, optimal"),
    FIELD(study_capacity, "provisioning", FIELD_STRING, UNIT_NONE, provisioning, 0, 0,
          "peak, follow", "plan: list of peak (all day for the peak) and follow (the load)"),
    FIELD(study_capacity, "startup", FIELD_REAL, UNIT_TIME, startup_s, 0, LONGEST_DAY_S, "5min",
          "follow: a server is powered this long before it serves"),
    FIELD(study_capacity, "min_on", FIELD_REAL, UNIT_TIME, min_on_s, 0, LONGEST_DAY_S, "1h",
          "follow: a server that is switched on stays on at least as long"),
    FIELD(study_capacity, "carbon", FIELD_REALS, UNIT_CARBON, carbon_g_per_kwh, 0,
          MOST_CARBON_G_PER_KWH, "",
          "CO2 per energy at equal steps over the day, linear between: carbon_g_per_kwh: [400, "
          "250]"),
    FIELD_END};

static int check_cells_down(const struct study *study, const struct node *map, struct err *err)
{
    const struct reals *down = &study->capacity.cells_down;
    if (down->n == 0)
        return node_fail_key(map, "cells_down", err, "empty; expected at least one number");
    for (size_t i = 0; i < down->n; i++) {
        if (down->v[i] != floor(down->v[i]))
            return node_fail_key(map, "cells_down", err, "expected whole cells, got %.12g",
                                 down->v[i]);
        if (down->v[i] > 0 && down->v[i] >= (double)study->cells)
            return node_fail_key(map, "cells_down", err,
                                 "expected less than the fleet's %lld cells, got %.12g",
                                 (long long)study->cells, down->v[i]);
        if (i > 0 && !(down->v[i] > down->v[i - 1]))
            return node_fail_key(map, "cells_down", err,
                                 "expected ascending numbers, got %.12g after %.12g", down->v[i],
                                 down->v[i - 1]);
    }
    return 0;
}

static int fail_time(const struct node *map, const char *key, double most_s, const char *what,
                     double got_s, struct err *err)
{
    char most[40], got[40];
    units_format(UNIT_TIME, most_s, most, sizeof most);
    units_format(UNIT_TIME, got_s, got, sizeof got);
    return node_fail_key(map, key, err, "expected at most the %s of %s, got %s", what, most, got);
}

static int check_times(const struct study_capacity *capacity, const struct node *map,
                       struct err *err)
{
    double n = capacity->day_s / capacity->interval_s;
    char day[40], interval[40];
    units_format(UNIT_TIME, capacity->day_s, day, sizeof day);
    units_format(UNIT_TIME, capacity->interval_s, interval, sizeof interval);
    if (capacity->interval_s > capacity->day_s || fabs(n - round(n)) > 1e-9 * n)
        return node_fail_key(map, "interval", err,
                             "expected a whole number of them in the day of %s, got %s", day,
                             interval);
    if (n > MAX_INTERVALS)
        return node_fail_key(map, "interval", err,
                             "expected at most %d of them in the day of %s, got %s", MAX_INTERVALS,
                             day, interval);
    if (capacity->window_s * (double)capacity->windows > capacity->interval_s)
        return node_fail_key(map, "window", err,
                             "%lld windows of this length do not fit the interval of %s",
                             (long long)capacity->windows, interval);
    if (capacity->warmup_s > capacity->interval_s)
        return fail_time(map, "warmup", capacity->interval_s, "interval", capacity->warmup_s, err);
    if (capacity->find != FIND_PLAN)
        return 0; // the rest is about switching servers, and its defaults are for real days
    if (capacity->startup_s > capacity->day_s)
        return fail_time(map, "startup", capacity->day_s, "day", capacity->startup_s, err);
    if (capacity->min_on_s > capacity->day_s)
        return fail_time(map, "min_on", capacity->day_s, "day", capacity->min_on_s, err);
    return 0;
}

static int check_values(const struct study *study, const struct node *map, struct err *err)
{
    const struct study_capacity *capacity = &study->capacity;
    if (capacity->max_queries < capacity->queries)
        return node_fail_key(map, "max_queries", err, "expected at least queries (%lld), got %lld",
                             (long long)capacity->queries, (long long)capacity->max_queries);
    if (mistakes_in_key(node_root(map), "fleet"))
        return check_times(capacity, map, err);
    if (capacity->cells > study->cells)
        return node_fail_key(map, "cells", err, "expected at most the fleet's %lld, got %lld",
                             (long long)study->cells, (long long)capacity->cells);
    if (check_cells_down(study, map, err) < 0)
        return -1;
    return check_times(capacity, map, err);
}

int study_capacity_read(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"schedulers", "allocations", "provisioning", NULL};
    static const struct reader_names schedulers = {"schedulers", "scheduler", "scheduler",
                                                   "schedulers", scheduler_names},
                                     allocations = {"allocations", "allocation", "allocation",
                                                    "allocations", allocation_names},
                                     provisioning = {"provisioning", "provisioning", "strategy",
                                                     "strategies", provisioning_names};
    struct study_capacity *capacity = &study->capacity;
    const struct reader_part part = {study_capacity_fields, capacity};
    const struct reader_options options = {others, false};
    const struct node *map;
    schema_defaults(study_capacity_fields, capacity);
    if (reader_map(root, "capacity", &map, err) < 0)
        return -1;
    if (!map)
        return 0;
    if (mistakes_keep(map, reader_fill(map, root, &part, 1, &options, err), err) < 0 ||
        mistakes_keep(map, reader_fill_names(map, &schedulers, &capacity->schedulers, err), err) <
            0 ||
        mistakes_keep(map, reader_fill_names(map, &allocations, &capacity->allocations, err), err) <
            0 ||
        mistakes_keep(map, reader_fill_names(map, &provisioning, &capacity->provisioning, err),
                      err) < 0 ||
        mistakes_in(map))
        return -1;
    return check_values(study, map, err);
}

void study_capacity_release(struct study *study)
{
    schema_release(study_capacity_fields, &study->capacity);
}

bool study_capacity_name(const char *names, size_t i, char *buf, size_t size)
{
    return reader_name(names, i, buf, size);
}

uint32_t study_capacity_intervals(const struct study_capacity *capacity)
{
    return (uint32_t)lround(capacity->day_s / capacity->interval_s);
}

static int no_target(const struct study *study, struct err *err)
{
    for (size_t s = 0; s < study->n_services; s++)
        if (study->services[s].sla_ns <= 0)
            return err_set(err, ERR_STUDY,
                           "%s: capacity: service \"%.60s\" has no latency target; give "
                           "traffic[%zu].sla",
                           study->path, study->services[s].name, s);
    return 0;
}

// Queries of a run in which some may be late at the target: a service's share of them is what its
// own quantile sees. Searches of one service at a time (plan) have no shares.
static double least_queries(const struct study *study)
{
    bool alone = study->capacity.find == FIND_PLAN;
    double all_qps = study_traffic_rate_qps(study), least = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        double qps = arrival_mean_qps(&service->traffic.arrivals, service->traffic.rate_qps);
        double share = (alone ? 1 : qps / all_qps) * STUDY_TUNE_MEASURED_FRAC;
        least = fmax(least, ceil(STUDY_TUNE_SOME_LATE / (1 - service->sla_quantile) / share));
    }
    return least;
}

static int check_queries(const struct study *study, struct err *err)
{
    double least = least_queries(study);
    if ((double)study->capacity.max_queries >= least)
        return 0;
    return err_set(err, ERR_STUDY,
                   "%s: capacity.max_queries: %lld are too few for the target to be decided; "
                   "expected at least %.0f",
                   study->path, (long long)study->capacity.max_queries, least);
}

static int check_servers(const struct study *study, struct err *err)
{
    int64_t most = study->capacity.max_servers;
    if (most < study->cells)
        return err_set(err, ERR_STUDY,
                       "%s: capacity.max_servers: expected at least one per cell (%lld), got %lld",
                       study->path, (long long)study->cells, (long long)most);
    for (size_t g = 0; g < study->n_groups; g++)
        if (most < study->groups[g].servers)
            return err_set(err, ERR_STUDY,
                           "%s: capacity.max_servers: expected at least what there is "
                           "(fleet.groups[%zu].servers: %lld), got %lld",
                           study->path, g, (long long)study->groups[g].servers, (long long)most);
    return 0;
}

static int check_cores(const struct study *study, struct err *err)
{
    if (study->n_groups > 1)
        return err_set(err, ERR_STUDY,
                       "%s: capacity.find: cores are counted in a fleet of one group; this one "
                       "has %zu",
                       study->path, study->n_groups);
    if (study->capacity.max_servers < study->groups[0].platform.cores)
        return err_set(err, ERR_STUDY,
                       "%s: capacity.max_servers: expected at least what there is "
                       "(fleet.groups[0].cores: %lld), got %lld",
                       study->path, (long long)study->groups[0].platform.cores,
                       (long long)study->capacity.max_servers);
    return 0;
}

static int check_objective(const struct study *study, struct err *err)
{
    int objective = study->capacity.objective;
    bool power = objective == OBJECTIVE_POWER || objective == OBJECTIVE_CARBON;
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct study_group *group = &study->groups[g];
        if (objective == OBJECTIVE_COST && !(group->price_usd_per_h > 0))
            return err_set(err, ERR_STUDY,
                           "%s: capacity.objective: cost: group \"%.60s\" has no price; give "
                           "fleet.groups[%zu].price",
                           study->path, group->name, g);
        if (power && !(group->platform.power.busy_w > 0))
            return err_set(err, ERR_STUDY,
                           "%s: capacity.objective: %s: group \"%.60s\" has no power; give "
                           "fleet.groups[%zu].busy_power",
                           study->path, study_objective_names[objective], group->name, g);
    }
    if (objective == OBJECTIVE_CARBON && study->capacity.carbon_g_per_kwh.n == 0)
        return err_set(err, ERR_STUDY,
                       "%s: capacity.carbon: missing; expected carbon intensities over the day "
                       "such as [420g/kWh, 250g/kWh]",
                       study->path);
    return 0;
}

// The requests of that scheduler may be of sizes that a measured table does not know.
static int check_static(const struct study *study, struct err *err)
{
    for (size_t g = 0; g < study->n_groups; g++)
        for (size_t s = 0; s < study->n_services; s++) {
            const struct study_group *group = &study->groups[g];
            const struct settings plain =
                sched_plain(sched_types[group->scheduler], study_traffic_largest_items(study, s),
                            group->platform.cores);
            if (study_memory_holds(study, g, s) &&
                study_tables_known(study, group, s, study->sizes[s], &plain, err) < 0)
                return err_prefix(err, "%s: capacity.schedulers: static", study->path);
        }
    return 0;
}

// Settings that are tuned for need what the tuner needs.
static int check_schedulers(const struct study *study, struct err *err)
{
    char name[32];
    for (size_t i = 0; study_capacity_name(study->capacity.schedulers, i, name, sizeof name); i++)
        if ((strcmp(name, "static") == 0 && check_static(study, err) < 0) ||
            ((strcmp(name, "deeprecsched") == 0 || strcmp(name, "exhaustive") == 0) &&
             study_tune_check(study, err) < 0))
            return -1;
    return 0;
}

// A day that cannot be forecast: a curve or trace with gaps.
static int check_demand(const struct study *study, struct err *err)
{
    uint32_t n = study_capacity_intervals(&study->capacity);
    struct forecast *forecast = mem_calloc(n, sizeof *forecast);
    int rc = 0;
    for (size_t s = 0; s < study->n_services && rc == 0; s++)
        if (forecast_fill(&study->services[s].traffic, study->capacity.day_s, n, forecast, err) < 0)
            rc = err_prefix(err, "%s: traffic[%zu].arrivals", study->path, s);
    mem_free(forecast);
    return rc;
}

int study_capacity_check(const struct study *study, struct err *err)
{
    int find = study->capacity.find;
    if (find != FIND_DAY && (no_target(study, err) < 0 || check_queries(study, err) < 0))
        return -1;
    if ((find == FIND_SERVERS && check_servers(study, err) < 0) ||
        (find == FIND_CORES && check_cores(study, err) < 0) ||
        (find == FIND_PLAN && check_objective(study, err) < 0) || check_schedulers(study, err) < 0)
        return -1;
    return check_demand(study, err);
}
