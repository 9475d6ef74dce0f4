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

static void set_text(char **text, const char *value)
{
    char *line = point_axes_line(value); // which may be the old text
    mem_free(*text);
    *text = line;
}

// ---- what is not known

static struct sweep_point point_none(void)
{
    struct sweep_point p = {.state = SWEEP_MISSING};
    data_field_clear(sweep_result_fields, &p);
    data_field_clear(run_info_fields, &p.info);
    p.note = mem_strdup("");
    p.policy_name = mem_strdup("");
    p.study_digest = mem_strdup("");
    return p;
}

static void release_point(struct sweep_point *p)
{
    data_field_release(sweep_result_fields, p);
    data_field_release(run_info_fields, &p->info);
    mem_free(p->note);
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

// Rows of `bytes` from [n_points][before] to [n_points][after]; those beyond `before` are zero.
static void *widen(void *rows, uint32_t n_points, uint32_t before, uint32_t after, size_t bytes)
{
    char *wide = mem_calloc((size_t)n_points * after, bytes);
    for (size_t i = 0; i < n_points && before > 0; i++)
        memcpy(wide + i * after * bytes, (char *)rows + i * before * bytes, before * bytes);
    mem_free(rows);
    return wide;
}

// Room for so many services and groups per point; what is there is kept.
static void reserve(struct sweep_result *p, uint32_t n_services, uint32_t n_groups)
{
    struct summary *blank = summary_create_empty(1, 1); // for its rows
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

struct sweep_result *sweep_result_create(uint32_t n_axes, uint32_t n_points)
{
    struct sweep_result *p = mem_calloc(1, sizeof *p);
    struct summary *blank = summary_create_empty(1, 1); // for its rows
    p->grid = point_axes_create(n_axes, n_points);
    p->replication = -1;
    p->points = mem_calloc(n_points, sizeof *p->points);
    p->totals = mem_calloc(n_points, sizeof *p->totals);
    p->fleets = mem_calloc(n_points, sizeof *p->fleets);
    for (uint32_t i = 0; i < n_points; i++) {
        p->points[i] = point_none();
        clear_rows(p, i, blank);
    }
    summary_destroy(blank);
    reserve(p, 1, 1);
    return p;
}

void sweep_result_destroy(struct sweep_result *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n_points; i++) {
        release_point(&p->points[i]);
        release_names(p, i);
    }
    point_axes_release(&p->grid);
    void *owned[] = {p->study_name, p->program_version, p->study_text,  p->points, p->service_names,
                     p->services,   p->totals,          p->group_names, p->groups, p->fleets};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    mem_free(p);
}

void sweep_result_set_seed(struct sweep_result *p, uint32_t point, uint64_t seed)
{
    assert(point < p->n_points);
    p->points[point].random_seed = seed;
}

// As if it had never been looked at, but for its seed.
static void forget(struct sweep_result *p, uint32_t point)
{
    struct summary *blank = summary_create_empty(1, 1); // for its rows
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
    char *line = point_axes_line(note);
    forget(p, point);
    p->points[point].state = (int32_t)state;
    mem_free(p->points[point].note);
    p->points[point].note = line;
}

// ---- one run

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
    data_field_copy(run_info_fields, &to->info, &run->info);
}

static void take_names(struct sweep_result *p, uint32_t point, const struct meta *m)
{
    for (uint32_t i = 0; i < m->n_services; i++)
        p->service_names[(size_t)point * p->n_services + i] = (struct sweep_service){
            point_axes_line(m->services[i].name), point_axes_line(m->services[i].model)};
    for (uint32_t i = 0; i < m->n_groups; i++)
        p->group_names[(size_t)point * p->n_groups + i] =
            (struct sweep_group){point_axes_line(m->groups[i].name),
                                 point_axes_line(m->groups[i].platform), m->groups[i].n_servers};
}

void sweep_result_take(struct sweep_result *p, uint32_t point, const struct run_result *run)
{
    const struct summary *s = run->summary;
    assert(point < p->n_points);
    reserve(p, s->n_services, s->n_groups);
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
    return point_axes_label(&p->grid, point, axis);
}

char *sweep_result_name(const struct sweep_result *p, uint32_t point)
{
    return point_axes_name(&p->grid, point, ",");
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
    DATA_BOOL(warmup_auto, "was the warm-up chosen automatically?"),
    DATA_NUMBER(measured_from_s, "s", "start of what was measured"),
    DATA_NUMBER(measured_to_s, "s", "end of what was measured"),
    DATA_COUNT32(n_cells, "1", "cells of the fleet"),
    DATA_COUNT32(n_servers, "1", "servers of the fleet"),
    DATA_COUNT32(n_services, "1", "services of the point"),
    DATA_COUNT32(n_groups, "1", "groups of servers of the point"),
    DATA_TEXT(policy_name, "policy of the balancers"),
    DATA_TEXT(study_digest, "digest of all that decides the point's results"),
    {0}};

#undef ROW
