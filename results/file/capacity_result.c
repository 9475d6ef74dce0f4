// SPDX-License-Identifier: Apache-2.0
#include "results/file/capacity_result.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

const char *const capacity_result_verdict_names[] = {"met", "unsure", "missed", "not_asked", NULL};
const char *const capacity_result_state_names[] = {"found", "range", "beyond", NULL};
const char *const capacity_result_dim_names[] = {
    "scheduler", "allocation", "provisioning", "interval", "type", "service", "size", "load", NULL};

// ---- fields

#define FIELD(member, units, text, kind, codes)                                                    \
    {                                                                                              \
#member, units, text, kind, offsetof(ROW, member), codes                                   \
    }
#define REAL(member, units, text) FIELD(member, units, text, SUMMARY_REAL, NULL)
#define COUNT(member, text) FIELD(member, "1", text, SUMMARY_COUNT, NULL)
#define COUNT32(member, units, text) FIELD(member, units, text, SUMMARY_COUNT32, NULL)
#define CODE(member, text, codes) FIELD(member, "1", text, SUMMARY_CODE, codes)

#define ROW struct capacity_tuple
const struct summary_field capacity_result_tuple_fields[] = {
    CODE(state, "does one server hold any rate?", capacity_result_state_names),
    COUNT32(batch_items, "items", "batch size B: most items of a CPU request"),
    COUNT32(offload_items, "items",
            "threshold T: queries of at least this many go to the accelerator; 0: none do"),
    REAL(qps, "s-1", "largest rate that one server was shown to hold"),
    REAL(missed_qps, "s-1", "smallest rate that it was shown to miss"),
    REAL(power_w, "W", "power of one server, at qps"),
    REAL(idle_w, "W", "power of one server with nothing to do"),
    REAL(p95_s, "s", "95th percentile of latency, at qps"),
    REAL(p95_half_s, "s", "half-width at 95 % of: 95th percentile of latency"),
    REAL(util_frac, "1", "utilisation, at qps"),
    {0}};
#undef ROW

#define ROW struct capacity_trial
const struct summary_field capacity_result_trial_fields[] = {
    CODE(stable, "is every queue stable?", capacity_result_verdict_names),
    CODE(sla, "is the latency within its target?", capacity_result_verdict_names),
    REAL(p95_s, "s", "95th percentile of latency"),
    REAL(p95_half_s, "s", "half-width at 95 % of: 95th percentile of latency"),
    REAL(p99_s, "s", "99th percentile of latency"),
    REAL(p99_half_s, "s", "half-width at 95 % of: 99th percentile of latency"),
    REAL(late_frac, "1", "queries later than the target, lost ones among them"),
    REAL(late_half_frac, "1", "half-width at 95 % of: queries later than the target"),
    REAL(lost_frac, "1", "queries lost to servers that went down"),
    REAL(util_frac, "1", "utilisation"),
    REAL(power_w, "W", "power of the whole fleet"),
    COUNT(n_queries, "queries simulated"),
    {0}};
#undef ROW

#define ROW struct capacity_size
const struct summary_field capacity_result_size_fields[] = {
    COUNT32(cells_down, "1", "cells out of service"),
    CODE(state, "was the number of servers found?", capacity_result_state_names),
    COUNT32(n, "1", "servers (cores) that hold the rate"),
    COUNT32(n_least, "1", "least number that it may be"),
    COUNT32(n_most, "1", "largest number that it may be"),
    REAL(rate_qps, "s-1", "load, all services"),
    REAL(bound_qps, "s-1", "load that n could do at most, by its work alone"),
    REAL(cost_usd_per_h, "USD h-1", "price of n servers, US dollars per hour"),
    COUNT(n_runs, "simulations run"),
    COUNT(n_queries, "queries simulated"),
    {0}};
#undef ROW

#define ROW struct capacity_load
const struct summary_field capacity_result_load_fields[] = {
    CODE(state, "is any load held?", capacity_result_state_names),
    REAL(held_qps, "s-1", "largest load shown to be held"),
    REAL(missed_qps, "s-1", "smallest load shown to be missed"),
    REAL(asked_qps, "s-1", "load of the study"),
    REAL(cost_usd_per_h, "USD h-1", "price of the fleet, US dollars per hour"),
    COUNT(n_runs, "simulations run"),
    COUNT(n_queries, "queries simulated"),
    {0}};
#undef ROW

#define ROW struct capacity_demand
const struct summary_field capacity_result_demand_fields[] = {
    REAL(mean_qps, "s-1", "mean rate of the interval"),
    REAL(peak_qps, "s-1", "highest rate of the interval"),
    {0}};
#undef ROW

#define ROW struct capacity_step
const struct summary_field capacity_result_step_fields[] = {
    COUNT32(n_on, "1", "servers on"),
    COUNT32(n_started, "1", "servers switched on for the interval"),
    REAL(objective, "1", "objective of the allocation, in the unit objective_unit"),
    REAL(bound, "1", "no allocation is below this, in the unit objective_unit"),
    REAL(planned_w, "W", "power as planned"),
    REAL(simulated_w, "W", "power as simulated"),
    REAL(cost_usd_per_h, "USD h-1", "price of the servers that are on, US dollars per hour"),
    REAL(carbon_g_per_h, "g h-1", "carbon dioxide of the power, per hour"),
    {0}};
#undef ROW

#define ROW struct capacity_total
const struct summary_field capacity_result_total_fields[] = {
    CODE(state, "did this method find a plan?", capacity_result_state_names),
    COUNT32(peak_servers, "1", "most servers on at a time"),
    REAL(server_h, "h", "hours that servers are on, summed"),
    REAL(starting_h, "h", "hours that servers are starting, summed"),
    REAL(planned_kwh, "kW h", "energy of the day as planned"),
    REAL(simulated_kwh, "kW h", "energy of the day as simulated"),
    REAL(cost_usd, "USD", "price of the day, US dollars"),
    REAL(carbon_kg, "kg", "carbon dioxide of the day"),
    REAL(objective, "h", "objective over the day, in objective_unit times hours"),
    COUNT32(n_met, "1", "services times intervals within the target"),
    COUNT32(n_unsure, "1", "services times intervals too close to tell"),
    COUNT32(n_missed, "1", "services times intervals beyond the target"),
    {0}};
#undef ROW

#define ROW struct capacity_sample
const struct summary_field capacity_result_sample_fields[] = {
    COUNT32(n_cells, "1", "cells simulated in a window"),
    COUNT32(of_cells, "1", "cells of the fleet"),
    COUNT32(n_windows, "1", "windows simulated of each interval"),
    REAL(window_s, "s", "length of a window"),
    REAL(warmup_s, "s", "simulated before each window, not measured"),
    REAL(interval_s, "s", "length of an interval"),
    REAL(n_queries, "1", "queries simulated, of one plan"),
    REAL(of_queries, "1", "queries of the day"),
    {0}};
#undef ROW

// Arrays of bare numbers.
#define ALONE(units, text, kind)                                                                   \
    {                                                                                              \
        {"", units, text, kind, 0, NULL},                                                          \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
static const struct summary_field assigned_fields[] =
    ALONE("1", "servers of the type that serve the service", SUMMARY_COUNT32);
static const struct summary_field on_fields[] =
    ALONE("1", "servers of the type that are on", SUMMARY_COUNT32);
static const struct summary_field available_fields[] =
    ALONE("1", "servers of the type that there are", SUMMARY_COUNT32);
static const struct summary_field price_fields[] =
    ALONE("USD h-1", "price of a server, US dollars per hour", SUMMARY_REAL);
static const struct summary_field target_fields[] =
    ALONE("s", "latency target of the service", SUMMARY_REAL);

// ---- arrays

#define S CAPACITY_SCHEDULER
#define A CAPACITY_ALLOCATION
#define P CAPACITY_PROVISIONING
#define I CAPACITY_INTERVAL
#define T CAPACITY_TYPE
#define V CAPACITY_SERVICE
#define AT(member)                                                                                 \
    offsetof(struct capacity_result, member), sizeof *((struct capacity_result *)0)->member

const struct capacity_array capacity_result_arrays[] = {
    {"available", "", AT(available), 1, {T}, {{"available", 0, available_fields}}},
    {"price", "", AT(price_usd_per_h), 1, {T}, {{"price_usd_per_h", 0, price_fields}}},
    {"target", "", AT(target_s), 1, {V}, {{"target_s", 0, target_fields}}},
    {"tuples", "/tuples", AT(tuples), 3, {S, T, V}, {{"", 0, capacity_result_tuple_fields}}},
    {"sizes",
     "/sizes",
     AT(sizes),
     1,
     {CAPACITY_SIZE},
     {{"", 0, capacity_result_size_fields},
      {"at_n_", offsetof(struct capacity_size, at_n), capacity_result_trial_fields},
      {"below_", offsetof(struct capacity_size, below), capacity_result_trial_fields}}},
    {"loads",
     "/loads",
     AT(loads),
     1,
     {CAPACITY_LOAD},
     {{"", 0, capacity_result_load_fields},
      {"at_held_", offsetof(struct capacity_load, at_held), capacity_result_trial_fields}}},
    {"demand", "/demand", AT(demand), 2, {I, V}, {{"", 0, capacity_result_demand_fields}}},
    {"assigned",
     "/plan",
     AT(n_assigned),
     6,
     {S, A, P, I, T, V},
     {{"n_assigned", 0, assigned_fields}}},
    {"on", "/plan", AT(n_on), 5, {S, A, P, I, T}, {{"n_on", 0, on_fields}}},
    {"steps", "/steps", AT(steps), 4, {S, A, P, I}, {{"", 0, capacity_result_step_fields}}},
    {"trials", "/trials", AT(trials), 5, {S, A, P, I, V}, {{"", 0, capacity_result_trial_fields}}},
    {"days", "/days", AT(days), 4, {S, A, P, V}, {{"", 0, capacity_result_trial_fields}}},
    {"totals", "/totals", AT(totals), 3, {S, A, P}, {{"", 0, capacity_result_total_fields}}},
    {"sample",
     "/sample",
     offsetof(struct capacity_result, sample),
     sizeof(struct capacity_sample),
     0,
     {0},
     {{"", 0, capacity_result_sample_fields}}},
    {0}};

const struct capacity_label capacity_result_labels[] = {
    {"sizes", "scheduler", offsetof(struct capacity_size, scheduler), S},
    {"sizes", "type", offsetof(struct capacity_size, type), T},
    {"loads", "scheduler", offsetof(struct capacity_load, scheduler), S},
    {0}};

uint32_t capacity_result_n(const struct capacity_result *answer, enum capacity_dim dim)
{
    const uint32_t n[N_CAPACITY_DIMS] = {[S] = answer->n_schedulers,
                                         [A] = answer->n_allocations,
                                         [P] = answer->n_provisionings,
                                         [I] = answer->n_intervals,
                                         [T] = answer->n_types,
                                         [V] = answer->n_services,
                                         [CAPACITY_SIZE] = answer->n_sizes,
                                         [CAPACITY_LOAD] = answer->n_loads};
    return n[dim];
}

char **capacity_result_names(const struct capacity_result *answer, enum capacity_dim dim)
{
    char **const names[N_CAPACITY_DIMS] = {[S] = answer->schedulers,
                                           [A] = answer->allocations,
                                           [P] = answer->provisionings,
                                           [T] = answer->types,
                                           [V] = answer->services};
    return names[dim];
}

size_t capacity_result_n_rows(const struct capacity_result *answer,
                              const struct capacity_array *array)
{
    size_t n = 1;
    for (uint32_t d = 0; d < array->n_dims; d++)
        n *= capacity_result_n(answer, (enum capacity_dim)array->dims[d]);
    return n;
}

void *capacity_result_rows(const struct capacity_result *answer, const struct capacity_array *array)
{
    char *at = (char *)(uintptr_t)answer + array->offset;
    void *rows;
    if (array->n_dims == 0)
        return at;
    memcpy(&rows, at, sizeof rows);
    return rows;
}

// A row that says nothing.
static void clear_row(const struct field_group *views, char *row)
{
    const double none = NAN;
    const int32_t not_asked = CAPACITY_NOT_ASKED;
    for (const struct field_group *v = views; v->fields; v++) {
        for (const struct summary_field *f = v->fields; f->name; f++) {
            if (f->kind == SUMMARY_REAL)
                memcpy(row + v->offset + f->offset, &none, sizeof none);
            if (f->codes == capacity_result_verdict_names)
                memcpy(row + v->offset + f->offset, &not_asked, sizeof not_asked);
        }
    }
}

bool capacity_result_is_known(const struct capacity_result *answer,
                              const struct capacity_array *array)
{
    size_t n = capacity_result_n_rows(answer, array);
    const char *rows = capacity_result_rows(answer, array);
    char *none = mem_calloc(1, array->stride);
    bool known = false;
    clear_row(array->views, none);
    for (size_t i = 0; i < n && !known; i++)
        known = memcmp(rows + i * array->stride, none, array->stride) != 0;
    mem_free(none);
    return known;
}

// ---- create, destroy

struct capacity_trial capacity_result_trial_none(void)
{
    struct capacity_trial none = {0};
    clear_row((const struct field_group[]){{"", 0, capacity_result_trial_fields}, {0}},
              (char *)&none);
    return none;
}

static void create_array(struct capacity_result *answer, const struct capacity_array *array)
{
    size_t n = capacity_result_n_rows(answer, array);
    if (array->n_dims > 0) {
        void *rows = mem_calloc(n, array->stride);
        memcpy((char *)answer + array->offset, &rows, sizeof rows);
    }
    char *rows = capacity_result_rows(answer, array);
    for (size_t i = 0; i < n; i++)
        clear_row(array->views, rows + i * array->stride);
}

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
    s->headroom_frac = s->sla_quantile = s->day_s = s->interval_s = NAN;
    s->startup_s = s->min_on_s = NAN;
    s->schedulers = mem_calloc(s->n_schedulers, sizeof *s->schedulers);
    s->allocations = mem_calloc(s->n_allocations, sizeof *s->allocations);
    s->provisionings = mem_calloc(s->n_provisionings, sizeof *s->provisionings);
    s->types = mem_calloc(s->n_types, sizeof *s->types);
    s->services = mem_calloc(s->n_services, sizeof *s->services);
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++)
        create_array(s, a);
    return s;
}

void capacity_result_destroy(struct capacity_result *answer)
{
    if (!answer)
        return;
    for (int d = 0; d < N_CAPACITY_DIMS; d++) {
        char **names = capacity_result_names(answer, (enum capacity_dim)d);
        for (uint32_t i = 0; names && i < capacity_result_n(answer, (enum capacity_dim)d); i++)
            mem_free(names[i]);
        mem_free(names);
    }
    for (const struct capacity_array *a = capacity_result_arrays; a->name; a++) {
        if (a->n_dims > 0)
            mem_free(capacity_result_rows(answer, a));
    }
    mem_free(answer->name);
    mem_free(answer->program_version);
    mem_free(answer->study);
    mem_free(answer->find);
    mem_free(answer->objective);
    mem_free(answer->objective_unit);
    mem_free(answer);
}

const struct capacity_array *capacity_result_find(const char *name)
{
    const struct capacity_array *a = capacity_result_arrays;
    while (a->name && strcmp(a->name, name) != 0)
        a++;
    return a->name ? a : NULL;
}

void capacity_result_count(struct capacity_total *total, int32_t sla)
{
    total->n_met += sla == CAPACITY_MET;
    total->n_unsure += sla == CAPACITY_UNSURE;
    total->n_missed += sla == CAPACITY_MISSED;
}

size_t capacity_result_plan_at(const struct capacity_result *answer, uint32_t scheduler,
                               uint32_t allocation, uint32_t provisioning)
{
    assert(scheduler < answer->n_schedulers && allocation < answer->n_allocations &&
           provisioning < answer->n_provisionings);
    return ((size_t)scheduler * answer->n_allocations + allocation) * answer->n_provisionings +
           provisioning;
}
