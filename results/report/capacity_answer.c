// SPDX-License-Identifier: Apache-2.0
#include "results/report/capacity_answer.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_rows.h"

// "46.05 ±0.11 ms", "46.05 ms" without an interval. Caller mem_free()s.
static char *time_text(struct ci time)
{
    struct table_unit unit = table_time_unit(time.value);
    char *number = time.half_95 > 0 ? table_interval(time.value, time.half_95, unit.scale)
                                    : table_number(time.value * unit.scale);
    char *text = mem_printf("%s %s", number, unit.name);
    mem_free(number);
    return text;
}

// "`video` at its p99 of 60 ms".
static void print_target(struct report_out *out, const struct capacity_result *s, uint32_t service,
                         const struct measurement *m)
{
    struct table_unit unit = table_time_unit(m->sla_s);
    report_text(out, "`%s` at its p%.10g of %.4g %s", s->services[service],
                100 * (1 - m->allowed_frac), m->sla_s * unit.scale, unit.name);
}

// Between two texts.
static void print_number(struct report_out *out, const char *before, double value,
                         const char *behind)
{
    char *number = table_number(value);
    report_text(out, "%s%s%s", before, number, behind);
    mem_free(number);
}

static void print_price(struct report_out *out, double usd_per_h)
{
    if (isfinite(usd_per_h))
        print_number(out, ", $", usd_per_h, "/h");
}

static void print_binding(struct report_out *out, const struct capacity_result *s, uint32_t service,
                          const struct measurement *at)
{
    if (!isfinite(at->sla_s))
        return;
    report_text(out, "; ");
    print_target(out, s, service, at);
    report_text(out, " decides");
}

static bool is_asked(const struct capacity_result *s, const char *find)
{
    return s->find && strcmp(s->find, find) == 0;
}

static const char *counted(const struct capacity_result *s, uint32_t n)
{
    if (is_asked(s, "cores"))
        return n == 1 ? "core a server" : "cores a server";
    return n == 1 ? "server" : "servers";
}

// ---- out of reach -------------------------------------------------------------------------------

// Of the services that are met nowhere, where it is missed by least.
static const struct measurement *nearest_miss(const struct capacity_result *s, uint32_t *type,
                                              uint32_t *service)
{
    const struct measurement *nearest = NULL;
    uint32_t n_pairs = s->n_types * s->n_services;
    for (uint32_t i = 0; i < s->n_schedulers * n_pairs; i++) {
        const struct measurement *m = &s->unloaded[i];
        if ((m->sla != VERDICT_MISSED && m->sla != VERDICT_UNSURE) ||
            (nearest &&
             m->sla_latency_s.value / m->sla_s >= nearest->sla_latency_s.value / nearest->sla_s))
            continue;
        nearest = m;
        *type = i / s->n_services % s->n_types;
        *service = i % s->n_services;
    }
    return nearest;
}

// What an idle server takes, and whether that is known well enough to rule it out.
static void print_idle(struct report_out *out, const struct capacity_result *s, uint32_t type,
                       uint32_t service, const struct measurement *m, const char *what)
{
    char *takes = time_text(m->sla_latency_s);
    report_text(out, "No number of %s %s: ", what,
                m->sla == VERDICT_UNSURE ? "can be shown to hold it" : "can hold it");
    print_target(out, s, service, m);
    report_text(out, " takes %s on an idle server of `%s`", takes, s->types[type]);
    if (m->sla == VERDICT_UNSURE)
        report_text(out, ", too close to tell by %.3g million queries (capacity.max_queries)",
                    (double)m->n_queries * 1e-6);
    report_text(out, ".\n");
    mem_free(takes);
}

static void print_out_of_reach(struct report_out *out, const struct capacity_result *s)
{
    uint32_t type = 0, service = 0;
    const struct measurement *m = nearest_miss(s, &type, &service);
    print_idle(out, s, type, service, m, is_asked(s, "cores") ? "cores" : "servers");
}

// ---- servers, cores -----------------------------------------------------------------------------

bool capacity_answer_is_plain(const struct capacity_result *s, const struct capacity_size *z)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        least = s->sizes[i].cells_down < least ? s->sizes[i].cells_down : least;
    return z->cells_down == least && !(z->margin_frac > 0);
}

const struct capacity_size *capacity_answer_size(const struct capacity_result *s)
{
    const struct capacity_size *best = NULL;
    bool priced = true;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        priced &= !capacity_answer_is_plain(s, &s->sizes[i]) ||
                  s->sizes[i].state == CAPACITY_BEYOND || isfinite(s->sizes[i].cost_usd_per_h);
    for (const struct capacity_size *z = s->sizes; z < s->sizes + s->n_sizes; z++)
        if (capacity_answer_is_plain(s, z) && z->state != CAPACITY_BEYOND &&
            (!best || (priced ? z->cost_usd_per_h < best->cost_usd_per_h : z->n < best->n)))
            best = z;
    return best;
}

static void print_down(struct report_out *out, const struct capacity_size *z)
{
    report_text(out, " with %u cell%s out of service", z->cells_down,
                z->cells_down == 1 ? "" : "s");
}

static void print_more(struct report_out *out, const struct capacity_size *z,
                       const struct capacity_size *more)
{
    if (more->state != CAPACITY_BEYOND && more->n == z->n && more->margin_frac > 0) {
        report_text(out, "; %g %% more, too", 100 * more->margin_frac);
        return;
    }
    if (more->state == CAPACITY_BEYOND) {
        report_text(out,
                    more->margin_frac > 0 ? "; none of up to %u holds %g %% more"
                                          : "; none of up to %u does with %g cells out of service",
                    more->n_most,
                    more->margin_frac > 0 ? 100 * more->margin_frac : more->cells_down);
        return;
    }
    report_text(out, "; %u", more->n);
    print_price(out, more->cost_usd_per_h);
    report_text(out, "%s", isfinite(more->cost_usd_per_h) ? "," : "");
    if (more->margin_frac > 0)
        report_text(out, " hold %g %% more", 100 * more->margin_frac);
    else
        print_down(out, more);
}

static void print_size(struct report_out *out, const struct capacity_result *s,
                       const struct capacity_size *z)
{
    report_text(out, "%u %s of `%s`", z->n, counted(s, z->n), s->types[z->type]);
    if (s->n_schedulers > 1)
        report_text(out, " by %s", s->schedulers[z->scheduler]);
    report_text(out, " %s it%s", z->n == 1 ? "holds" : "hold",
                z->state == CAPACITY_RANGE ? " as measured" : "");
    if (z->cells_down > 0)
        print_down(out, z);
    if (z->state == CAPACITY_RANGE)
        report_text(out, " (%u to %u: too close to tell)", z->n_least, z->n_most);
    print_price(out, z->cost_usd_per_h);
    if (z->state == CAPACITY_FOUND && z->below.stable == VERDICT_NOT_ASKED && z->n > 1)
        report_text(out, "; fewer could not do the work");
    else
        print_binding(out, s, z->binding, &z->at_n);
    for (const struct capacity_size *more = s->sizes; more < s->sizes + s->n_sizes; more++)
        if (more->scheduler == z->scheduler && more->type == z->type &&
            (more->cells_down == z->cells_down || !(more->margin_frac > 0)) &&
            !capacity_answer_is_plain(s, more))
            print_more(out, z, more);
    report_text(out, ".\n");
}

// The other types, where an idle server of them is too slow.
static void print_ruled_out(struct report_out *out, const struct capacity_result *s,
                            uint32_t scheduler)
{
    uint32_t service;
    for (uint32_t t = 0; t < s->n_types; t++) {
        if (!capacity_result_unreachable(s, scheduler, t, &service))
            continue;
        char *what = mem_printf("`%s`", s->types[t]);
        print_idle(out, s, t, service,
                   &s->unloaded[((size_t)scheduler * s->n_types + t) * s->n_services + service],
                   what);
        mem_free(what);
    }
}

// What the services cost each other on one server: one waits behind the other's long queries.
static void print_mix(struct report_out *out, const struct capacity_size *z)
{
    if (z->n_pools == 0 || z->n < CAPACITY_MANY_TIMES * z->n_pools)
        return;
    report_text(
        out,
        "Mixed on every server, the services need %.3g times the %u servers that do as pools "
        "of one service each (find: plan)",
        (double)z->n / z->n_pools, z->n_pools);
    if (z->n_least_work > 0 && z->n_least_work < z->n)
        report_text(out, "; with the balancer least-work %u hold it", z->n_least_work);
    report_text(out, ".\n");
}

static void print_sizes(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_size *z = capacity_answer_size(s);
    if (z) {
        print_size(out, s, z);
        print_ruled_out(out, s, z->scheduler);
        print_mix(out, z);
        return;
    }
    // Of a type that is not ruled out by its own slowness.
    z = s->sizes;
    while (z + 1 < s->sizes + s->n_sizes &&
           capacity_result_unreachable(s, z->scheduler, z->type, NULL))
        z++;
    report_text(out, "No answer: %s%u %s of `%s` do%s not hold it", z->n > 1 ? "even " : "", z->n,
                counted(s, z->n), s->types[z->type], z->n == 1 ? "es" : "");
    if (z->cells_down > 0)
        print_down(out, z);
    if (z->at_n.stable == VERDICT_NOT_ASKED)
        report_text(out, "; the work alone asks for more");
    print_binding(out, s, z->binding, &z->at_n);
    report_text(out, ".\n");
}

// ---- load, plan, day ----------------------------------------------------------------------------

// What the fleet did at vanishing load, and whether that rules it out.
static void print_no_load(struct report_out *out, const struct capacity_result *s,
                          const struct capacity_load *l)
{
    const struct measurement *m = &l->at_held;
    bool unsure = m->sla == VERDICT_UNSURE || m->stable == VERDICT_UNSURE || m->sla == VERDICT_MET;
    report_text(out, unsure ? "No answer: the fleet is shown to hold no load within its targets"
                            : "No answer: the fleet holds no load within its targets");
    if (isfinite(m->sla_latency_s.value)) {
        report_text(out, "; ");
        print_target(out, s, l->binding, m);
        char *takes = time_text(m->sla_latency_s);
        report_text(out, " takes %s at vanishing load", takes);
        mem_free(takes);
    }
    report_text(out, unsure ? "; longer runs may decide (capacity.max_queries).\n" : ".\n");
}

const struct capacity_load *capacity_answer_load(const struct capacity_result *s)
{
    const struct capacity_load *best = NULL;
    for (const struct capacity_load *l = s->loads; l < s->loads + s->n_loads; l++)
        if (l->state != CAPACITY_BEYOND && (!best || l->held_qps > best->held_qps))
            best = l;
    return best;
}

static void print_load(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_load *best = capacity_answer_load(s);
    if (!best) {
        print_no_load(out, s, s->loads);
        return;
    }
    print_number(out, "The fleet holds ", best->held_qps, " qps");
    if (s->n_schedulers > 1)
        report_text(out, " by %s", s->schedulers[best->scheduler]);
    report_text(out, ", %.3g times", best->held_qps / best->asked_qps);
    print_number(out, " the ", best->asked_qps, " qps that are asked");
    print_price(out, best->cost_usd_per_h);
    print_binding(out, s, best->binding, &best->at_held);
    if (s->margin_frac > 0) {
        print_number(out, "; plan for ", best->planned_qps, " qps, and it holds");
        report_text(out, " %g %% more", 100 * s->margin_frac);
    }
    report_text(out, ".\n");
}

static void print_plan(struct report_out *out, const struct capacity_result *s)
{
    uint32_t best, service = 0, at = 0, of = 0;
    double worst = NAN;
    if (!capacity_rows_best(s, &best))
        return;
    const struct capacity_total *total = &s->totals[best];
    const struct capacity_plan plan = capacity_rows_plan(s, best);
    uint32_t n_judged = total->n_met + total->n_unsure + total->n_missed;
    for (uint32_t i = 0; i < s->n_intervals; i++) {
        double near = capacity_rows_worst(s, best, i, &of);
        if (isnan(near) || near <= worst)
            continue;
        worst = near;
        service = of;
        at = i;
    }
    report_text(out, "%u server%s at most", total->peak_servers,
                total->peak_servers == 1 ? "" : "s");
    if (!is_asked(s, "day"))
        report_text(out, ", %s and %s", plan.allocation, plan.provisioning);
    if (s->n_schedulers > 1)
        report_text(out, " by %s", plan.scheduler);
    if (isfinite(total->cost_usd))
        print_number(out, ", $", total->cost_usd, " a day");
    if (total->margin_servers > 0) {
        report_text(out, " (%u", total->margin_servers);
        if (isfinite(total->margin_cost_usd))
            print_number(out, ", $", total->margin_cost_usd, "");
        report_text(out, " for %g %% more)", 100 * s->margin_frac);
    }
    report_text(out, ": %u of %u targets of services and intervals are met", total->n_met,
                n_judged);
    if (isfinite(worst)) {
        char *time = capacity_rows_time(s, at);
        report_text(out, "; `%s` at %s comes nearest to missing its own", s->services[service],
                    time);
        mem_free(time);
    }
    report_text(out, ".\n");
}

// ---- all ----------------------------------------------------------------------------------------

static void print_sentences(struct report_out *out, const struct capacity_result *s)
{
    if (capacity_result_out_of_reach(s))
        print_out_of_reach(out, s);
    else if (s->n_sizes > 0)
        print_sizes(out, s);
    else if (s->n_loads > 0)
        print_load(out, s);
    else if (capacity_rows_n_plans(s) > 0)
        print_plan(out, s);
}

bool capacity_answer_holds(const struct capacity_result *s)
{
    bool holds = s->n_sizes + s->n_loads == 0;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        holds |= s->sizes[i].state != CAPACITY_BEYOND;
    for (uint32_t i = 0; i < s->n_loads; i++)
        holds |= s->loads[i].state != CAPACITY_BEYOND;
    return holds && !capacity_result_out_of_reach(s);
}

void capacity_answer_print(struct report_out *out, const struct capacity_result *s)
{
    char *text = NULL;
    size_t n = 0;
    if (out->format == REPORT_TEXT) {
        print_sentences(out, s);
        return;
    }
    struct report_out sentences = {.file = open_memstream(&text, &n)};
    print_sentences(&sentences, s);
    fclose(sentences.file);
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] != '\n' ? text[i] : i + 1 < n ? ' ' : '\0';
    struct table *table = table_create(1);
    table_row(table, (const char *const[]){"answer"});
    table_row(table, (const char *const[]){text});
    table_print(table, out, "answer");
    table_destroy(table);
    mem_free(text);
}
