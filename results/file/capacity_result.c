// SPDX-License-Identifier: Apache-2.0
#include "results/file/capacity_result.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/dataset_read.h"

const char *const capacity_result_state_names[] = {"found", "range", "beyond", NULL};

// ---- rows

#define ROW struct capacity_tuple
static const struct data_field tuple_fields[] = {
    DATA_CODE(state, "does one server hold any rate?", capacity_result_state_names, 0),
    DATA_NUMBER_AS("held_qps", qps, "s-1", "largest rate that one server was shown to hold"),
    DATA_NUMBER(missed_qps, "s-1", "smallest rate that it was shown to miss"),
    DATA_NUMBER(idle_w, "W", "power of one server with nothing to do"),
    {0}};
#undef ROW

#define ROW struct capacity_size
static const struct data_field size_fields[] = {
    DATA_LABEL(scheduler, "scheduler", "scheduler of the answer"),
    DATA_LABEL(type, "type", "type of the answer"),
    DATA_COUNT32(cells_down, "1", "cells out of service"),
    DATA_LABEL(binding, "service", "service nearest to missing its target"),
    DATA_CODE(state, "was the number of servers found?", capacity_result_state_names, 0),
    DATA_COUNT32(n, "1", "servers (cores) that hold the rate"),
    DATA_COUNT32(n_least, "1", "least number that it may be"),
    DATA_COUNT32(n_most, "1", "largest number that it may be"),
    DATA_COUNT32(n_pools, "1", "servers that would do if each served one service; 0: not known"),
    DATA_COUNT32(n_least_work, "1",
                 "servers that hold the rate by the balancer least-work; 0: not looked for"),
    DATA_NUMBER(margin_frac, "1", "part of the load on top of what is asked"),
    DATA_NUMBER(rate_qps, "s-1", "load, all services"),
    DATA_NUMBER(bound_qps, "s-1", "load that n could do at most, by its work alone"),
    DATA_NUMBER(cost_usd_per_h, "USD h-1", "price of n servers, US dollars per hour"),
    DATA_COUNT(n_runs, "1", "simulations run"),
    DATA_COUNT(n_queries, "1", "queries simulated"),
    {0}};
#undef ROW

#define ROW struct capacity_load
static const struct data_field load_fields[] = {
    DATA_LABEL(scheduler, "scheduler", "scheduler of the answer"),
    DATA_LABEL(binding, "service", "service nearest to missing its target"),
    DATA_CODE(state, "is any load held?", capacity_result_state_names, 0),
    DATA_NUMBER(held_qps, "s-1", "largest load shown to be held"),
    DATA_NUMBER(missed_qps, "s-1", "smallest load shown to be missed"),
    DATA_NUMBER(asked_qps, "s-1", "load of the study"),
    DATA_NUMBER(planned_qps, "s-1", "load that is held with the margin on top"),
    DATA_NUMBER(cost_usd_per_h, "USD h-1", "price of the fleet, US dollars per hour"),
    DATA_COUNT(n_runs, "1", "simulations run"),
    DATA_COUNT(n_queries, "1", "queries simulated"),
    {0}};
#undef ROW

#define ROW struct capacity_demand
static const struct data_field demand_fields[] = {
    DATA_NUMBER(mean_qps, "s-1", "mean rate of the interval"),
    DATA_NUMBER(peak_qps, "s-1", "highest rate of the interval"),
    {0}};
#undef ROW

#define ROW struct capacity_step
static const struct data_field step_fields[] = {
    DATA_COUNT32(n_on, "1", "servers on"),
    DATA_COUNT32(n_started, "1", "servers switched on for the interval"),
    DATA_NUMBER(objective, "1", "objective of the allocation, in the unit objective_unit"),
    DATA_NUMBER(bound, "1", "no allocation is below this, in the unit objective_unit"),
    DATA_NUMBER(planned_w, "W", "power as planned"),
    DATA_NUMBER(simulated_w, "W", "power as simulated"),
    DATA_NUMBER(cost_usd_per_h, "USD h-1", "price of the servers that are on, US dollars per hour"),
    DATA_NUMBER(carbon_g_per_h, "g h-1", "carbon dioxide of the power, per hour"),
    DATA_NUMBER(embodied_g_per_h, "g h-1",
                "carbon dioxide of making the servers that are on, over their lifetime, per hour"),
    {0}};
#undef ROW

#define ROW struct capacity_total
const struct data_field capacity_result_total_fields[] = {
    DATA_CODE(state, "did this method find a plan?", capacity_result_state_names, 0),
    DATA_COUNT32(peak_servers, "1", "most servers on at a time"),
    DATA_NUMBER(server_h, "h", "hours that servers are on, summed"),
    DATA_NUMBER(starting_h, "h", "hours that servers are starting, summed"),
    DATA_NUMBER(planned_kwh, "kW h", "energy of the day as planned"),
    DATA_NUMBER(simulated_kwh, "kW h", "energy of the day as simulated"),
    DATA_NUMBER(cost_usd, "USD", "price of the day, US dollars"),
    DATA_NUMBER(carbon_kg, "kg", "carbon dioxide of the day's energy"),
    DATA_NUMBER(embodied_kg, "kg", "carbon dioxide of making the servers, the day's part"),
    DATA_NUMBER(objective, "h", "objective over the day, in objective_unit times hours"),
    DATA_COUNT32(margin_servers, "1",
                 "most servers on at a time, planned for the margin on top; 0: no plan"),
    DATA_NUMBER(margin_cost_usd, "USD", "price of the day, planned for the margin on top"),
    DATA_COUNT32(n_met, "1", "services times intervals within the target"),
    DATA_COUNT32(n_unsure, "1", "services times intervals too close to tell"),
    DATA_COUNT32(n_missed, "1", "services times intervals beyond the target"),
    {0}};
#undef ROW

#define ROW struct capacity_sample
static const struct data_field sample_fields[] = {
    DATA_COUNT32(n_cells, "1", "cells simulated in a window"),
    DATA_COUNT32(of_cells, "1", "cells of the fleet"),
    DATA_COUNT32(n_windows, "1", "windows simulated of each interval"),
    DATA_NUMBER(window_s, "s", "length of the shortest window"),
    DATA_NUMBER(window_most_s, "s", "length of the longest window"),
    DATA_NUMBER(warmup_s, "s", "simulated before each window, not measured; the shortest"),
    DATA_NUMBER(warmup_most_s, "s", "simulated before each window, not measured; the longest"),
    DATA_NUMBER(interval_s, "s", "length of an interval"),
    DATA_NUMBER(n_queries, "1", "queries simulated, of one plan"),
    DATA_NUMBER(of_queries, "1", "queries of the day"),
    {0}};
#undef ROW

// ---- the file

#define ROW struct capacity_result
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", name, "name of the study"),
    DATA_TEXT(program_version, "version of recfleet"),
    DATA_COUNT(seed, "1", "seed of the random draws"),
    DATA_TEXT(find, "what was asked for"),
    DATA_TEXT(objective, "what an allocation makes small"),
    DATA_TEXT(objective_unit, "unit of objectives"),
    DATA_NUMBER(headroom_frac, "1", "load planned for, above the demand"),
    DATA_NUMBER(margin_frac, "1", "load that a second answer holds, above that of the first"),
    DATA_NUMBER(sla_quantile, "1", "quantile of every latency target"),
    DATA_NUMBER(day_s, "s", "length of the day"),
    DATA_NUMBER(interval_s, "s", "length of an interval"),
    DATA_NUMBER(startup_s, "s", "time that a server takes to start"),
    DATA_NUMBER(min_on_s, "s", "least time that a server is on"),
    {0}};

static const struct data_field study_fields[] = {DATA_TEXT_AS("text", study, "the resolved study"),
                                                 {0}};

static const struct dataset_dim dims[] = {
    DATASET_NAMED("scheduler", n_schedulers, schedulers, "how a server splits queries"),
    DATASET_NAMED("allocation", n_allocations, allocations, "how servers are chosen"),
    DATASET_NAMED("provisioning", n_provisionings, provisionings, "when servers are on"),
    DATASET_STEPS("interval", n_intervals, interval_s, "s", "start of the interval"),
    DATASET_NAMED("type", n_types, types, "type of server"),
    DATASET_NAMED("service", n_services, services, "service"),
    DATASET_NUMBERED("size", n_sizes, "number of the answer"),
    DATASET_NUMBERED("load", n_loads, "number of the answer"),
    {0}};

#define PLAN "scheduler", "allocation", "provisioning"
#define COLUMN(group_, member, type, kind, units, text, ...)                                       \
    {                                                                                              \
        .name = #member, .group = (group_), DATASET_ROWS(member, type), .dims = {__VA_ARGS__},     \
        .views = {{DATASET_ALONE(#member, kind, units, text)}}, .flags = DATASET_OPTIONAL          \
    }
#define TABLE(member, type, table, ...)                                                            \
    {                                                                                              \
        .name = #member, .group = "/" #member, DATASET_ROWS(member, type), .dims = {__VA_ARGS__},  \
        .views = {{.fields = (table)}}, .flags = DATASET_OPTIONAL                                  \
    }
// A measurement: all of it, with the queries that it took.
#define MEASURED(prefix_, row, member)                                                             \
    {.prefix = (prefix_), DATASET_PART(row, member, struct measurement, measurement_fields)},      \
    {                                                                                              \
        .prefix = (prefix_),                                                                       \
        DATASET_PART(row, member, struct measurement, measurement_count_fields)                    \
    }
#define MEASUREMENTS(member, ...)                                                                  \
    {                                                                                              \
        .name = #member, .group = "/" #member, DATASET_ROWS(member, struct measurement),           \
        .dims = {__VA_ARGS__},                                                                     \
        .views = {{.fields = measurement_fields}, {.fields = measurement_count_fields}},           \
        .flags = DATASET_OPTIONAL                                                                  \
    }

static const struct dataset_array arrays[] = {
    COLUMN("/", available, uint32_t, DATA_KIND_COUNT32, "1", "servers of the type that there are",
           "type"),
    COLUMN("/", price_usd_per_h, double, DATA_KIND_NUMBER, "USD h-1",
           "price of a server, US dollars per hour", "type"),
    COLUMN("/", sla_s, double, DATA_KIND_NUMBER, "s", "latency target of the service", "service"),
    MEASUREMENTS(unloaded, "scheduler", "type", "service"),
    {.name = "tuples",
     .group = "/tuples",
     DATASET_ROWS(tuples, struct capacity_tuple),
     .dims = {"scheduler", "type", "service"},
     .views = {{.fields = tuple_fields},
               {.offset = offsetof(struct capacity_tuple, settings),
                .own_fields = offsetof(struct capacity_result, chosen.fields)},
               MEASURED(NULL, struct capacity_tuple, at_qps)},
     .flags = DATASET_OPTIONAL},
    {.name = "sizes",
     .group = "/sizes",
     DATASET_ROWS(sizes, struct capacity_size),
     .dims = {"size"},
     .views = {{.fields = size_fields},
               MEASURED("at_n_", struct capacity_size, at_n),
               MEASURED("below_", struct capacity_size, below)},
     .flags = DATASET_OPTIONAL},
    {.name = "loads",
     .group = "/loads",
     DATASET_ROWS(loads, struct capacity_load),
     .dims = {"load"},
     .views = {{.fields = load_fields}, MEASURED("at_held_", struct capacity_load, at_held)},
     .flags = DATASET_OPTIONAL},
    MEASUREMENTS(size_services, "size", "service"),
    MEASUREMENTS(load_services, "load", "service"),
    TABLE(demand, struct capacity_demand, demand_fields, "interval", "service"),
    COLUMN("/plan", n_assigned, uint32_t, DATA_KIND_COUNT32, "1",
           "servers of the type that serve the service", PLAN, "interval", "type", "service"),
    COLUMN("/plan", n_on, uint32_t, DATA_KIND_COUNT32, "1", "servers of the type that are on", PLAN,
           "interval", "type"),
    TABLE(steps, struct capacity_step, step_fields, PLAN, "interval"),
    MEASUREMENTS(trials, PLAN, "interval", "service"),
    MEASUREMENTS(days, PLAN, "service"),
    TABLE(totals, struct capacity_total, capacity_result_total_fields, PLAN),
    {.name = "sample",
     .group = "/sample",
     DATASET_ROW(sample, struct capacity_sample),
     .views = {{.fields = sample_fields}},
     .flags = DATASET_OPTIONAL},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {0}};
#undef ROW

// Objectives are in the study's unit; over a day, in that times hours.
static char *units_of(const void *artefact, const struct dataset_array *array,
                      const struct data_field *field)
{
    const struct capacity_result *answer = artefact;
    const char *unit = answer->objective_unit ? answer->objective_unit : "";
    const char *per_hour = strstr(unit, " h-1");
    bool objective = strcmp(field->name, "objective") == 0 || strcmp(field->name, "bound") == 0;
    if (!objective || !unit[0] || strcmp(unit, "1") == 0)
        return NULL;
    if (strcmp(array->name, "totals") != 0)
        return mem_strdup(unit);
    return per_hour ? mem_printf("%.*s", (int)(per_hour - unit), unit) : mem_printf("%s h", unit);
}

static const struct dataset_group groups[] = {
    {"/", "The fleet and the targets that were searched for"},
    {"/unloaded", "One idle server with one service: where the target is missed here, no number of "
                  "such servers holds it"},
    {"/tuples", "What one server holds of one service alone, and its simulation at `held_qps`"},
    {"/sizes",
     "Answers to `find: servers` and `find: cores`, simulated with `n` servers and with one less"},
    {"/loads", "Answers to `find: load`, simulated at `held_qps`"},
    {"/size_services", "Each service by itself, with `n` servers"},
    {"/load_services", "Each service by itself, at `held_qps`"},
    {"/demand", "The load over the day"},
    {"/plan", "How many servers serve which service and when"},
    {"/steps", "A plan over the day, interval by interval"},
    {"/trials", "What was simulated of a plan, by interval and service"},
    {"/days", "The same over the whole day"},
    {"/totals", "A plan, summed over the day"},
    {"/sample", "How much of a day was simulated"},
    {"/study", "The resolved study"},
    {0}};

const struct dataset_layout capacity_result_layout = {.kind = "capacity",
                                                      .title = "capacity search",
                                                      .size = sizeof(struct capacity_result),
                                                      .head = head_fields,
                                                      .dims = dims,
                                                      .arrays = arrays,
                                                      .groups = groups,
                                                      .units = units_of};

// ---- life

struct capacity_result *capacity_result_create(const struct capacity_shape *shape)
{
    struct capacity_result *s = mem_calloc(1, sizeof *s);
    s->n_schedulers = shape->n_schedulers;
    s->n_allocations = shape->n_allocations;
    s->n_provisionings = shape->n_provisionings;
    s->n_intervals = shape->n_intervals;
    s->n_types = shape->n_types;
    s->n_services = shape->n_services;
    s->n_sizes = shape->n_sizes;
    s->n_loads = shape->n_loads;
    dataset_create(&capacity_result_layout, s);
    return s;
}

struct capacity_result *capacity_result_read(const char *path, struct err *err)
{
    struct capacity_result *s = mem_calloc(1, sizeof *s);
    if (dataset_read(&capacity_result_layout, path, DATASET_ALL, s, NULL, err) == 0)
        return s;
    mem_free(s);
    return NULL;
}

void capacity_result_destroy(struct capacity_result *answer)
{
    if (!answer)
        return;
    dataset_destroy(&capacity_result_layout, answer);
    mem_free(answer);
}

void capacity_result_count(struct capacity_total *total, int32_t sla)
{
    total->n_met += sla == VERDICT_MET;
    total->n_unsure += sla == VERDICT_UNSURE;
    total->n_missed += sla == VERDICT_MISSED;
}

size_t capacity_result_plan_at(const struct capacity_result *answer, uint32_t scheduler,
                               uint32_t allocation, uint32_t provisioning)
{
    assert(scheduler < answer->n_schedulers && allocation < answer->n_allocations &&
           provisioning < answer->n_provisionings);
    return ((size_t)scheduler * answer->n_allocations + allocation) * answer->n_provisionings +
           provisioning;
}

bool capacity_result_unreachable(const struct capacity_result *answer, uint32_t scheduler,
                                 uint32_t type, uint32_t *service)
{
    bool every = type == answer->n_types;
    uint32_t first = every ? 0 : type, end = every ? answer->n_types : type + 1, s = 0;
    for (; end > 0 && s < answer->n_services; s++) {
        uint32_t t = first;
        const struct measurement *m =
            answer->unloaded + ((size_t)scheduler * answer->n_types + t) * answer->n_services + s;
        for (; t < end && (m->sla == VERDICT_MISSED || m->sla == VERDICT_UNSURE); t++)
            m += answer->n_services;
        if (t == end)
            break;
    }
    if (service)
        *service = s;
    return end > 0 && s < answer->n_services;
}

bool capacity_result_out_of_reach(const struct capacity_result *answer)
{
    bool alone = answer->n_sizes > 0, all = answer->n_schedulers > 0 && answer->n_types > 0;
    for (uint32_t d = 0; d < answer->n_schedulers; d++)
        for (uint32_t t = alone ? 0 : answer->n_types; all && t < answer->n_types + !alone; t++)
            all = capacity_result_unreachable(answer, d, t, NULL);
    return all;
}
