// SPDX-License-Identifier: Apache-2.0
#include "results/staffing.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

const char *const staffing_verdict_names[] = {"met", "unsure", "missed", "not_asked", NULL};
const char *const staffing_state_names[] = {"found", "range", "beyond", NULL};
const char *const staffing_dim_names[] = {
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

#define ROW struct staffing_tuple
const struct summary_field staffing_tuple_fields[] = {
    CODE(state, "does one server hold any rate?", staffing_state_names),
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

#define ROW struct staffing_trial
const struct summary_field staffing_trial_fields[] = {
    CODE(stable, "is every queue stable?", staffing_verdict_names),
    CODE(sla, "is the latency within its target?", staffing_verdict_names),
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

#define ROW struct staffing_size
const struct summary_field staffing_size_fields[] = {
    COUNT32(cells_down, "1", "cells out of service"),
    CODE(state, "was the number of servers found?", staffing_state_names),
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

#define ROW struct staffing_load
const struct summary_field staffing_load_fields[] = {
    CODE(state, "is any load held?", staffing_state_names),
    REAL(held_qps, "s-1", "largest load shown to be held"),
    REAL(missed_qps, "s-1", "smallest load shown to be missed"),
    REAL(asked_qps, "s-1", "load of the study"),
    REAL(cost_usd_per_h, "USD h-1", "price of the fleet, US dollars per hour"),
    COUNT(n_runs, "simulations run"),
    COUNT(n_queries, "queries simulated"),
    {0}};
#undef ROW

#define ROW struct staffing_demand
const struct summary_field staffing_demand_fields[] = {
    REAL(mean_qps, "s-1", "mean rate of the interval"),
    REAL(peak_qps, "s-1", "highest rate of the interval"),
    {0}};
#undef ROW

#define ROW struct staffing_step
const struct summary_field staffing_step_fields[] = {
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

#define ROW struct staffing_total
const struct summary_field staffing_total_fields[] = {
    CODE(state, "did this method find a plan?", staffing_state_names),
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

#define ROW struct staffing_sample
const struct summary_field staffing_sample_fields[] = {
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

#define S STAFFING_SCHEDULER
#define A STAFFING_ALLOCATION
#define P STAFFING_PROVISIONING
#define I STAFFING_INTERVAL
#define T STAFFING_TYPE
#define V STAFFING_SERVICE
#define AT(member) offsetof(struct staffing, member), sizeof *((struct staffing *)0)->member

const struct staffing_array staffing_arrays[] = {
    {"available", "", AT(available), 1, {T}, {{"available", 0, available_fields}}},
    {"price", "", AT(price_usd_per_h), 1, {T}, {{"price_usd_per_h", 0, price_fields}}},
    {"target", "", AT(target_s), 1, {V}, {{"target_s", 0, target_fields}}},
    {"tuples", "/tuples", AT(tuples), 3, {S, T, V}, {{"", 0, staffing_tuple_fields}}},
    {"sizes",
     "/sizes",
     AT(sizes),
     1,
     {STAFFING_SIZE},
     {{"", 0, staffing_size_fields},
      {"at_n_", offsetof(struct staffing_size, at_n), staffing_trial_fields},
      {"below_", offsetof(struct staffing_size, below), staffing_trial_fields}}},
    {"loads",
     "/loads",
     AT(loads),
     1,
     {STAFFING_LOAD},
     {{"", 0, staffing_load_fields},
      {"at_held_", offsetof(struct staffing_load, at_held), staffing_trial_fields}}},
    {"demand", "/demand", AT(demand), 2, {I, V}, {{"", 0, staffing_demand_fields}}},
    {"assigned",
     "/plan",
     AT(n_assigned),
     6,
     {S, A, P, I, T, V},
     {{"n_assigned", 0, assigned_fields}}},
    {"on", "/plan", AT(n_on), 5, {S, A, P, I, T}, {{"n_on", 0, on_fields}}},
    {"steps", "/steps", AT(steps), 4, {S, A, P, I}, {{"", 0, staffing_step_fields}}},
    {"trials", "/trials", AT(trials), 5, {S, A, P, I, V}, {{"", 0, staffing_trial_fields}}},
    {"days", "/days", AT(days), 4, {S, A, P, V}, {{"", 0, staffing_trial_fields}}},
    {"totals", "/totals", AT(totals), 3, {S, A, P}, {{"", 0, staffing_total_fields}}},
    {"sample",
     "/sample",
     offsetof(struct staffing, sample),
     sizeof(struct staffing_sample),
     0,
     {0},
     {{"", 0, staffing_sample_fields}}},
    {0}};

const struct staffing_label staffing_labels[] = {
    {"sizes", "scheduler", offsetof(struct staffing_size, scheduler), S},
    {"sizes", "type", offsetof(struct staffing_size, type), T},
    {"loads", "scheduler", offsetof(struct staffing_load, scheduler), S},
    {0}};

uint32_t staffing_n(const struct staffing *staffing, enum staffing_dim dim)
{
    const uint32_t n[N_STAFFING_DIMS] = {[S] = staffing->n_schedulers,
                                         [A] = staffing->n_allocations,
                                         [P] = staffing->n_provisionings,
                                         [I] = staffing->n_intervals,
                                         [T] = staffing->n_types,
                                         [V] = staffing->n_services,
                                         [STAFFING_SIZE] = staffing->n_sizes,
                                         [STAFFING_LOAD] = staffing->n_loads};
    return n[dim];
}

char **staffing_names(const struct staffing *staffing, enum staffing_dim dim)
{
    char **const names[N_STAFFING_DIMS] = {[S] = staffing->schedulers,
                                           [A] = staffing->allocations,
                                           [P] = staffing->provisionings,
                                           [T] = staffing->types,
                                           [V] = staffing->services};
    return names[dim];
}

size_t staffing_n_rows(const struct staffing *staffing, const struct staffing_array *array)
{
    size_t n = 1;
    for (uint32_t d = 0; d < array->n_dims; d++)
        n *= staffing_n(staffing, (enum staffing_dim)array->dims[d]);
    return n;
}

void *staffing_rows(const struct staffing *staffing, const struct staffing_array *array)
{
    char *at = (char *)(uintptr_t)staffing + array->offset;
    void *rows;
    if (array->n_dims == 0)
        return at;
    memcpy(&rows, at, sizeof rows);
    return rows;
}

// A row that says nothing.
static void clear_row(const struct staffing_view *views, char *row)
{
    const double none = NAN;
    const int32_t not_asked = STAFFING_NOT_ASKED;
    for (const struct staffing_view *v = views; v->fields; v++) {
        for (const struct summary_field *f = v->fields; f->name; f++) {
            if (f->kind == SUMMARY_REAL)
                memcpy(row + v->offset + f->offset, &none, sizeof none);
            if (f->codes == staffing_verdict_names)
                memcpy(row + v->offset + f->offset, &not_asked, sizeof not_asked);
        }
    }
}

bool staffing_is_known(const struct staffing *staffing, const struct staffing_array *array)
{
    size_t n = staffing_n_rows(staffing, array);
    const char *rows = staffing_rows(staffing, array);
    char *none = mem_calloc(1, array->stride);
    bool known = false;
    clear_row(array->views, none);
    for (size_t i = 0; i < n && !known; i++)
        known = memcmp(rows + i * array->stride, none, array->stride) != 0;
    mem_free(none);
    return known;
}

// ---- create, destroy

struct staffing_trial staffing_trial_none(void)
{
    struct staffing_trial none = {0};
    clear_row((const struct staffing_view[]){{"", 0, staffing_trial_fields}, {0}}, (char *)&none);
    return none;
}

static void create_array(struct staffing *staffing, const struct staffing_array *array)
{
    size_t n = staffing_n_rows(staffing, array);
    if (array->n_dims > 0) {
        void *rows = mem_calloc(n, array->stride);
        memcpy((char *)staffing + array->offset, &rows, sizeof rows);
    }
    char *rows = staffing_rows(staffing, array);
    for (size_t i = 0; i < n; i++)
        clear_row(array->views, rows + i * array->stride);
}

struct staffing *staffing_create(const struct staffing_shape *shape)
{
    struct staffing *s = mem_calloc(1, sizeof *s);
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
    for (const struct staffing_array *a = staffing_arrays; a->name; a++)
        create_array(s, a);
    return s;
}

void staffing_destroy(struct staffing *staffing)
{
    if (!staffing)
        return;
    for (int d = 0; d < N_STAFFING_DIMS; d++) {
        char **names = staffing_names(staffing, (enum staffing_dim)d);
        for (uint32_t i = 0; names && i < staffing_n(staffing, (enum staffing_dim)d); i++)
            mem_free(names[i]);
        mem_free(names);
    }
    for (const struct staffing_array *a = staffing_arrays; a->name; a++) {
        if (a->n_dims > 0)
            mem_free(staffing_rows(staffing, a));
    }
    mem_free(staffing->name);
    mem_free(staffing->program_version);
    mem_free(staffing->study);
    mem_free(staffing->find);
    mem_free(staffing->objective);
    mem_free(staffing->objective_unit);
    mem_free(staffing);
}

const struct staffing_array *staffing_find(const char *name)
{
    const struct staffing_array *a = staffing_arrays;
    while (a->name && strcmp(a->name, name) != 0)
        a++;
    return a->name ? a : NULL;
}

void staffing_count(struct staffing_total *total, int32_t sla)
{
    total->n_met += sla == STAFFING_MET;
    total->n_unsure += sla == STAFFING_UNSURE;
    total->n_missed += sla == STAFFING_MISSED;
}

size_t staffing_plan_at(const struct staffing *staffing, uint32_t scheduler, uint32_t allocation,
                        uint32_t provisioning)
{
    assert(scheduler < staffing->n_schedulers && allocation < staffing->n_allocations &&
           provisioning < staffing->n_provisionings);
    return ((size_t)scheduler * staffing->n_allocations + allocation) * staffing->n_provisionings +
           provisioning;
}
