// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_result.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/run_result.h"

const char *const sweep_result_state_names[] = {"missing", "done", "failed", "foreign", NULL};

// ---- texts

// An owned copy in one line, never NULL.
static char *line_of(const char *text)
{
    char *line = mem_strdup(text ? text : "");
    for (char *c = line; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    return line;
}

static void set_text(char **text, const char *value)
{
    char *line = line_of(value); // which may be the old text
    mem_free(*text);
    *text = line;
}

// ---- what is not known

static struct sweep_point point_none(void)
{
    struct sweep_point p = {.state = SWEEP_MISSING};
    data_field_clear(sweep_result_fields, &p);
    data_field_clear(sweep_result_run_fields, &p);
    char **const texts[] = {&p.note, &p.policy_name,  &p.study_digest, &p.date,
                            &p.host, &p.git_revision, &p.job_id,       &p.nodes};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = mem_strdup("");
    return p;
}

static void release_point(struct sweep_point *p)
{
    data_field_release(sweep_result_fields, p);
    data_field_release(sweep_result_run_fields, p);
}

// A summary of nothing, for its rows.
static struct summary *blank_create(void)
{
    return summary_create_empty(1, 1);
}

static void release_names(struct sweep_result *p, uint32_t point)
{
    for (uint32_t i = 0; i < p->n_services; i++) {
        struct sweep_service *s = &p->service_names[(size_t)point * p->n_services + i];
        mem_free(s->name);
        mem_free(s->model);
        *s = (struct sweep_service){NULL, NULL};
    }
    for (uint32_t i = 0; i < p->n_groups; i++) {
        struct sweep_group *g = &p->group_names[(size_t)point * p->n_groups + i];
        mem_free(g->name);
        mem_free(g->platform);
        *g = (struct sweep_group){NULL, NULL, 0};
    }
}

static void clear_rows(struct sweep_result *p, uint32_t point, const struct summary *blank)
{
    release_names(p, point);
    for (uint32_t i = 0; i < p->n_services; i++)
        p->services[(size_t)point * p->n_services + i] = blank->services[0];
    for (uint32_t i = 0; i < p->n_groups; i++)
        p->groups[(size_t)point * p->n_groups + i] = blank->groups[0];
    p->totals[point] = blank->services[0];
    p->fleets[point] = blank->fleet;
}

// ---- life

struct sweep_result *sweep_result_create(uint32_t n_axes, uint32_t n_points)
{
    struct sweep_result *p = mem_calloc(1, sizeof *p);
    struct summary *blank = blank_create();
    p->n_axes = n_axes;
    p->n_points = n_points;
    p->replication = -1;
    p->axes = mem_calloc(n_axes, sizeof *p->axes);
    p->values = mem_calloc((size_t)n_points * n_axes, sizeof *p->values);
    p->points = mem_calloc(n_points, sizeof *p->points);
    p->totals = mem_calloc(n_points, sizeof *p->totals);
    p->fleets = mem_calloc(n_points, sizeof *p->fleets);
    for (uint32_t i = 0; i < n_points; i++) {
        p->points[i] = point_none();
        clear_rows(p, i, blank);
    }
    summary_destroy(blank);
    sweep_result_reserve(p, 1, 1);
    return p;
}

static void release_axis(struct sweep_axis *axis)
{
    for (uint32_t i = 0; i < axis->n_labels; i++)
        mem_free(axis->labels[i]);
    mem_free(axis->labels);
    mem_free(axis->name);
    *axis = (struct sweep_axis){NULL, 0, NULL};
}

void sweep_result_destroy(struct sweep_result *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n_points; i++) {
        release_point(&p->points[i]);
        release_names(p, i);
    }
    for (uint32_t a = 0; a < p->n_axes; a++)
        release_axis(&p->axes[a]);
    void *owned[] = {p->study_name, p->program_version, p->study_text,    p->axes,
                     p->values,     p->points,          p->service_names, p->services,
                     p->totals,     p->group_names,     p->groups,        p->fleets};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    mem_free(p);
}

void sweep_result_set_axis(struct sweep_result *p, uint32_t axis, const char *name,
                           const char *const *labels, uint32_t n_labels)
{
    assert(axis < p->n_axes);
    struct sweep_axis *a = &p->axes[axis];
    release_axis(a);
    a->name = line_of(name);
    a->n_labels = n_labels;
    a->labels = mem_calloc(n_labels, sizeof *a->labels);
    for (uint32_t i = 0; i < n_labels; i++)
        a->labels[i] = line_of(labels[i]);
}

void sweep_result_set_value(struct sweep_result *p, uint32_t point, uint32_t axis, uint32_t value)
{
    assert(point < p->n_points && axis < p->n_axes);
    p->values[(size_t)point * p->n_axes + axis] = value;
}

void sweep_result_set_seed(struct sweep_result *p, uint32_t point, uint64_t seed)
{
    assert(point < p->n_points);
    p->points[point].random_seed = seed;
}

// As if it had never been looked at, but for its seed.
static void forget(struct sweep_result *p, uint32_t point)
{
    struct summary *blank = blank_create();
    uint64_t seed = p->points[point].random_seed;
    release_point(&p->points[point]);
    p->points[point] = point_none();
    p->points[point].random_seed = seed;
    clear_rows(p, point, blank);
    summary_destroy(blank);
}

void sweep_result_set_state(struct sweep_result *p, uint32_t point, enum sweep_state state,
                            const char *note)
{
    assert(point < p->n_points && state != SWEEP_DONE && state < N_SWEEP_STATES);
    char *line = line_of(note);
    forget(p, point);
    p->points[point].state = (int32_t)state;
    mem_free(p->points[point].note);
    p->points[point].note = line;
}

// ---- one run

// Rows of `bytes` from [n_points][before] to [n_points][after]; those beyond `before` are zero.
static void *widen(void *rows, uint32_t n_points, uint32_t before, uint32_t after, size_t bytes)
{
    char *wide = mem_calloc((size_t)n_points * after, bytes);
    for (size_t i = 0; i < n_points && before > 0; i++)
        memcpy(wide + i * after * bytes, (char *)rows + i * before * bytes, before * bytes);
    mem_free(rows);
    return wide;
}

void sweep_result_reserve(struct sweep_result *p, uint32_t n_services, uint32_t n_groups)
{
    struct summary *blank = blank_create();
    uint32_t had_services = p->n_services, had_groups = p->n_groups, n = p->n_points;
    if (n_services > had_services) {
        p->services = widen(p->services, n, had_services, n_services, sizeof *p->services);
        p->service_names =
            widen(p->service_names, n, had_services, n_services, sizeof *p->service_names);
        p->n_services = n_services;
    }
    if (n_groups > had_groups) {
        p->groups = widen(p->groups, n, had_groups, n_groups, sizeof *p->groups);
        p->group_names = widen(p->group_names, n, had_groups, n_groups, sizeof *p->group_names);
        p->n_groups = n_groups;
    }
    for (size_t i = 0; i < n; i++) {
        for (uint32_t s = had_services; s < p->n_services; s++)
            p->services[i * p->n_services + s] = blank->services[0];
        for (uint32_t g = had_groups; g < p->n_groups; g++)
            p->groups[i * p->n_groups + g] = blank->groups[0];
    }
    summary_destroy(blank);
}

static void take_point(struct sweep_point *to, const struct run_result *run)
{
    const struct meta *m = run->meta;
    const struct summary_fleet *fleet = &run->summary->fleet;
    to->state = SWEEP_DONE;
    to->random_seed = m->seed;
    set_text(&to->policy_name, m->policy);
    set_text(&to->study_digest, m->study_digest);
    to->traffic_fingerprint = m->traffic_fingerprint;
    to->duration_s = simtime_to_s(m->duration_ns);
    to->warmup_s = simtime_to_s(m->warmup_ns);
    to->warmup_auto = m->warmup_auto;
    to->measured_from_s = simtime_to_s(fleet->from_ns);
    to->measured_to_s = simtime_to_s(fleet->to_ns);
    to->n_cells = m->n_cells;
    to->n_servers = m->n_servers;
    to->n_services = m->n_services;
    to->n_groups = m->n_groups;
    set_text(&to->date, run->info.date);
    set_text(&to->host, run->info.host);
    set_text(&to->git_revision, run->info.git_revision);
    set_text(&to->job_id, run->info.job_id);
    set_text(&to->nodes, run->info.nodes);
    to->n_ranks = run->info.n_ranks;
    to->n_nodes = run->info.n_nodes;
    to->n_restarts = run->info.n_restarts;
    to->wall_s = run->info.wall_s;
    to->n_queries_simulated = run->info.n_queries;
}

static void take_names(struct sweep_result *p, uint32_t point, const struct meta *m)
{
    for (uint32_t i = 0; i < m->n_services; i++)
        p->service_names[(size_t)point * p->n_services + i] =
            (struct sweep_service){line_of(m->services[i].name), line_of(m->services[i].model)};
    for (uint32_t i = 0; i < m->n_groups; i++)
        p->group_names[(size_t)point * p->n_groups + i] = (struct sweep_group){
            line_of(m->groups[i].name), line_of(m->groups[i].platform), m->groups[i].n_servers};
}

void sweep_result_take(struct sweep_result *p, uint32_t point, const struct run_result *run)
{
    const struct summary *s = run->summary;
    assert(point < p->n_points);
    sweep_result_reserve(p, s->n_services, s->n_groups);
    forget(p, point);
    take_point(&p->points[point], run);
    take_names(p, point, run->meta);
    memcpy(p->services + (size_t)point * p->n_services, s->services,
           s->n_services * sizeof *s->services);
    memcpy(p->groups + (size_t)point * p->n_groups, s->groups, s->n_groups * sizeof *s->groups);
    p->totals[point] = *summary_total(s);
    p->fleets[point] = s->fleet;
}

// ---- reading

const char *sweep_result_label(const struct sweep_result *p, uint32_t point, uint32_t axis)
{
    return p->axes[axis].labels[p->values[(size_t)point * p->n_axes + axis]];
}

char *sweep_result_name(const struct sweep_result *p, uint32_t point)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < p->n_axes; a++) {
        char *longer = mem_printf("%s%s%s=%s", name, a > 0 ? "," : "", p->axes[a].name,
                                  sweep_result_label(p, point, a));
        mem_free(name);
        name = longer;
    }
    return name;
}

uint32_t sweep_result_count(const struct sweep_result *p, enum sweep_state state)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_points; i++)
        n += p->points[i].state == (int32_t)state;
    return n;
}

#define ROW struct sweep_point
const struct data_field sweep_result_fields[] = {
    DATA_CODE(state, "is the point done", sweep_result_state_names, SWEEP_MISSING),
    DATA_COUNT(random_seed, "1", "seed of the random draws"),
    DATA_COUNT(traffic_fingerprint, "1", "equal where the queries were the same"),
    DATA_NUMBER(duration_s, "s", "simulated time"),
    DATA_NUMBER(warmup_s, "s", "warm-up as given"),
    DATA_BOOL(warmup_auto, "was the end of the warm-up detected?"),
    DATA_NUMBER(measured_from_s, "s", "start of what was measured"),
    DATA_NUMBER(measured_to_s, "s", "end of what was measured"),
    DATA_COUNT32(n_cells, "1", "cells of the fleet"),
    DATA_COUNT32(n_servers, "1", "servers of the fleet"),
    DATA_COUNT32(n_services, "1", "services of the point"),
    DATA_COUNT32(n_groups, "1", "groups of servers of the point"),
    DATA_TEXT(policy_name, "policy of the balancers"),
    DATA_TEXT(study_digest, "digest of all that decides the point's results"),
    {0}};

const struct data_field sweep_result_run_fields[] = {
    DATA_INT(n_ranks, "1", "MPI ranks"),
    DATA_INT(n_nodes, "1", "nodes of the machine, 0: unknown"),
    DATA_COUNT(n_restarts, "1", "how often the run was resumed from a checkpoint"),
    DATA_NUMBER(wall_s, "s", "wall time of the simulation"),
    DATA_COUNT(n_queries_simulated, "1", "queries simulated, warm-up included"),
    DATA_TEXT(note, "why the point is not done"),
    DATA_TEXT(date, "when the run began"),
    DATA_TEXT(host, "host of rank 0"),
    DATA_TEXT(git_revision, "revision of the program"),
    DATA_TEXT(job_id, "job of the batch system"),
    DATA_TEXT(nodes, "nodes of the machine"),
    {0}};
#undef ROW
