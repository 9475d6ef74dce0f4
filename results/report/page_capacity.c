// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_capacity.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/capacity_answer.h"
#include "results/report/capacity_rows.h"
#include "results/report/page.h"
#include "results/report/report_capacity.h"
#include "results/report/report_chart.h"

#define KG_PER_G 1e-3
#define MOST_KEYS 12

static bool counts_cores(const struct capacity_result *s)
{
    return s->find && strcmp(s->find, "cores") == 0;
}

static const char *counted(const struct capacity_result *s)
{
    return counts_cores(s) ? "cores of each server" : "servers";
}

static uint32_t shown(uint32_t n)
{
    return n < PAGE_CAPACITY_SERIES ? n : PAGE_CAPACITY_SERIES;
}

// "p99", or "latency" where the targets are for several percentiles.
static char *percentile(const struct capacity_result *s)
{
    return isfinite(s->sla_quantile) ? mem_printf("p%.10g", s->sla_quantile * 100)
                                     : mem_strdup("latency");
}

// ---- the answer

// Names have quotes on a page.
static void print_answer(struct report_out *out, const struct capacity_result *s)
{
    char *text = NULL;
    size_t n = 0;
    if (!report_out_has_text(out)) {
        capacity_answer_print(out, s);
        return;
    }
    struct report_out sentences = {.file = open_memstream(&text, &n)};
    capacity_answer_print(&sentences, s);
    fclose(sentences.file);
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = 0;
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '`' ? '"' : text[i] == '\n' ? ' ' : text[i];
    page_answer(out, "%s", text);
    mem_free(text);
}

// ---- key numbers

// They are owned; what is not known is left out.
struct keys {
    struct page_key list[MOST_KEYS];
    char *texts[2 * MOST_KEYS];
    size_t n;
};

static void add_key(struct keys *keys, const char *label, char *value, char *note)
{
    keys->texts[2 * keys->n] = value;
    keys->texts[2 * keys->n + 1] = note;
    keys->list[keys->n++] = (struct page_key){label, value, note};
}

static void add_number(struct keys *keys, const char *label, double value)
{
    if (isfinite(value))
        add_key(keys, label, table_known(value), NULL);
}

static void print_keys(struct report_out *out, struct keys *keys)
{
    page_keys(out, keys->list, keys->n);
    for (size_t i = 0; i < 2 * keys->n; i++)
        mem_free(keys->texts[i]);
}

// "p99 of feed, ms" and its target.
static void add_latency(struct keys *keys, const struct capacity_result *s, uint32_t service,
                        const struct measurement *m)
{
    struct table_unit unit = capacity_rows_unit(s);
    if (!isfinite(m->sla_latency_s.value))
        return;
    char *target = isfinite(m->sla_s)
                       ? mem_printf("%s: p%.10g within %.6g %s", s->services[service],
                                    100 * (1 - m->allowed_frac), m->sla_s * unit.scale, unit.name)
                       : NULL;
    add_key(keys,
            strcmp(unit.name, "us") == 0  ? "latency, us"
            : strcmp(unit.name, "s") == 0 ? "latency, s"
                                          : "latency, ms",
            table_interval(m->sla_latency_s.value, m->sla_latency_s.half_95, unit.scale), target);
}

static void add_fleet(struct keys *keys, const struct measurement *m, double usd_per_h)
{
    add_number(keys, "cores are used to, %", 100 * m->cpu_util_frac);
    add_number(keys, "accelerators are used to, %", 100 * m->accel_util_frac);
    add_number(keys, "power of the fleet, W", m->power_w);
    add_number(keys, "$ per hour", usd_per_h);
}

// "skylake, 1 cell down", "skylake, 10 % more".
static char *size_name(const struct capacity_result *s, const struct capacity_size *z)
{
    if (z->margin_frac > 0)
        return mem_printf("%s, %g %% more", s->types[z->type], 100 * z->margin_frac);
    if (z->cells_down > 0)
        return mem_printf("%s, %u cell%s down", s->types[z->type], z->cells_down,
                          z->cells_down == 1 ? "" : "s");
    return mem_strdup(s->types[z->type]);
}

static void print_size_keys(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_size *z = capacity_answer_size(s);
    struct keys keys = {.n = 0};
    if (!z)
        return;
    char *name = size_name(s, z);
    add_key(&keys, counted(s), mem_printf("%u", z->n),
            z->state == CAPACITY_RANGE
                ? mem_printf("between %u and %u of %s", z->n_least, z->n_most, name)
                : mem_printf("of %s", name));
    mem_free(name);
    for (const struct capacity_size *more = s->sizes; more < s->sizes + s->n_sizes; more++)
        if (more->type == z->type && more->scheduler == z->scheduler &&
            more->cells_down == z->cells_down && more->margin_frac > 0 &&
            more->state != CAPACITY_BEYOND)
            add_key(&keys, "and with a margin", mem_printf("%u", more->n),
                    mem_printf("for %g %% more traffic", 100 * more->margin_frac));
    add_number(&keys, "queries per second", z->rate_qps);
    add_latency(&keys, s, z->binding, &z->at_n);
    add_fleet(&keys, &z->at_n, z->cost_usd_per_h);
    print_keys(out, &keys);
}

static void print_load_keys(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_load *l = capacity_answer_load(s);
    struct keys keys = {.n = 0};
    if (!l)
        return;
    add_number(&keys, "held, queries per second", l->held_qps);
    add_number(&keys, "missed from, queries per second", l->missed_qps);
    add_number(&keys, "asked for, queries per second", l->asked_qps);
    if (s->margin_frac > 0 && isfinite(l->planned_qps))
        add_key(&keys, "plan for, queries per second", table_known(l->planned_qps),
                mem_printf("leaves %g %% of room", 100 * s->margin_frac));
    add_latency(&keys, s, l->binding, &l->at_held);
    add_fleet(&keys, &l->at_held, l->cost_usd_per_h);
    print_keys(out, &keys);
}

static void print_plan_keys(struct report_out *out, const struct capacity_result *s, uint32_t best)
{
    const struct capacity_total *total = &s->totals[best];
    struct keys keys = {.n = 0};
    add_key(&keys, "servers on, at most", mem_printf("%u", total->peak_servers),
            total->margin_servers > 0 ? mem_printf("%u for %g %% more traffic",
                                                   total->margin_servers, 100 * s->margin_frac)
                                      : NULL);
    add_number(&keys, "hours of servers a day", total->server_h);
    add_number(&keys, "kWh a day, planned", total->planned_kwh);
    add_number(&keys, "kWh a day, simulated", total->simulated_kwh);
    add_number(&keys, "$ a day", total->cost_usd);
    add_number(&keys, "kg of CO2 a day", total->carbon_kg);
    add_key(&keys, "targets met",
            mem_printf("%u of %u", total->n_met, total->n_met + total->n_unsure + total->n_missed),
            total->n_missed > 0   ? mem_printf("%u missed", total->n_missed)
            : total->n_unsure > 0 ? mem_printf("the others are too close to tell")
                                  : NULL);
    print_keys(out, &keys);
}

// ---- rows with names, for bars and dots along x

struct rows {
    char *names[PAGE_CAPACITY_ROWS];
    uint32_t n;
};

// The row of that name, a new one for a new name; PAGE_CAPACITY_ROWS: there are too many. The name
// is owned.
static uint32_t row_of(struct rows *rows, char *name)
{
    for (uint32_t i = 0; i < rows->n; i++)
        if (strcmp(rows->names[i], name) == 0) {
            mem_free(name);
            return i;
        }
    if (rows->n == PAGE_CAPACITY_ROWS) {
        mem_free(name);
        return PAGE_CAPACITY_ROWS;
    }
    rows->names[rows->n] = name;
    return rows->n++;
}

// Gives the panel these names, and forgets them.
static void name_rows(struct chart *c, uint32_t panel, struct rows *rows)
{
    chart_axis_names(&c->panels[panel].y, (const char *const *)rows->names, rows->n);
    for (uint32_t i = 0; i < rows->n; i++)
        mem_free(rows->names[i]);
    rows->n = 0;
}

// ---- servers, cores

static bool is_shown_size(const struct capacity_size *z)
{
    return z->state != CAPACITY_BEYOND && z->n > 0;
}

static void print_sizes(struct report_out *out, const struct capacity_result *s)
{
    struct rows rows = {.n = 0};
    uint32_t n_none = 0;
    struct chart *c = chart_create("needed", counts_cores(s) ? "Cores that are needed"
                                                             : "Servers that are needed");
    chart_axis_x(c, SCALE_LINEAR, counted(s), "");
    chart_axis_range(&c->x, 0, NAN);
    for (uint32_t k = 0; k < s->n_schedulers; k++) {
        uint32_t bars = chart_series(c, 0, CHART_BARS, s->schedulers[k]);
        for (const struct capacity_size *z = s->sizes; z < s->sizes + s->n_sizes; z++) {
            if (z->scheduler != k)
                continue;
            uint32_t row = row_of(&rows, size_name(s, z));
            bool range = z->state == CAPACITY_RANGE;
            n_none += !is_shown_size(z);
            if (is_shown_size(z) && row < PAGE_CAPACITY_ROWS)
                chart_point(c, bars,
                            (struct chart_point){z->n, row, range ? z->n_least : (double)NAN,
                                                 range ? z->n_most : (double)NAN, NAN});
        }
    }
    name_rows(c, 0, &rows);
    chart_caption(c,
                  "The fewest %s that hold the traffic within every target. Whiskers: the range "
                  "that is sure where the number is not.%s",
                  counted(s), n_none > 0 ? " No bar: none that was tried holds it." : "");
    report_chart(out, c);
}

// Of all services' targets: the one that they all have; NaN: there are several.
static double only_target(const struct capacity_result *s)
{
    double target_s = NAN;
    for (uint32_t i = 0; i < s->n_sizes; i++) {
        double of_s = s->sizes[i].at_n.sla_s;
        if (isfinite(target_s) && isfinite(of_s) && fabs(of_s - target_s) > 1e-9)
            return NAN;
        target_s = isfinite(of_s) ? of_s : target_s;
    }
    return target_s;
}

// The latency of a measurement along x, as the axis has it.
static void add_dot(struct chart *c, uint32_t dots, uint32_t row, const struct measurement *m,
                    double scale)
{
    double to = scale > 0 ? scale : 100 / m->sla_s;
    if (isfinite(m->sla_latency_s.value * to) && row < PAGE_CAPACITY_ROWS)
        chart_add_ci(c, dots, m->sla_latency_s.value * to, row, m->sla_latency_s.half_95 * to);
}

// In time where there is one target, in percent of the targets where there are several.
static void print_one_less(struct report_out *out, const struct capacity_result *s)
{
    struct rows rows = {.n = 0};
    struct table_unit unit = capacity_rows_unit(s);
    double target_s = only_target(s);
    bool one = isfinite(target_s);
    struct chart *c =
        chart_create("one-less", counts_cores(s) ? "Latency there, and with one core less"
                                                 : "Latency there, and with one server less");
    char *latency = percentile(s);
    chart_axis_x(c, SCALE_LINEAR, latency, one ? unit.name : "% of the target");
    mem_free(latency);
    chart_axis_range(&c->x, 0, NAN);
    c->panels[0].y.kind = SCALE_NAMES; // intervals lie along x
    uint32_t at = chart_series(c, 0, CHART_POINTS, "as many as are needed"),
             below = chart_series(c, 0, CHART_POINTS, "one less");
    for (const struct capacity_size *z = s->sizes; z < s->sizes + s->n_sizes; z++) {
        if (!is_shown_size(z) || z->margin_frac > 0)
            continue;
        char *name = size_name(s, z);
        uint32_t row = row_of(&rows, s->n_schedulers > 1
                                         ? mem_printf("%s, %s", name, s->schedulers[z->scheduler])
                                         : mem_strdup(name));
        mem_free(name);
        add_dot(c, at, row, &z->at_n, one ? unit.scale : 0);
        add_dot(c, below, row, &z->below, one ? unit.scale : 0);
    }
    name_rows(c, 0, &rows);
    chart_rule(c, 0, CHART_RULE_X, "target", one ? target_s * unit.scale : 100);
    chart_caption(
        c, "Latency at the target's percentile, of the service that comes nearest to its "
           "target, with 95 %% intervals. No dot: not simulated, or its queues grow without end.");
    report_chart(out, c);
}

// ---- load

static void print_loads(struct report_out *out, const struct capacity_result *s)
{
    struct rows rows = {.n = 0};
    struct chart *c = chart_create("held", "Load that is held");
    chart_axis_x(c, SCALE_LINEAR, "all services", "queries per second");
    chart_axis_range(&c->x, 0, NAN);
    uint32_t held = chart_series(c, 0, CHART_BARS, "held"),
             missed = chart_series(c, 0, CHART_BARS, "missed");
    for (const struct capacity_load *l = s->loads; l < s->loads + s->n_loads; l++) {
        uint32_t row = row_of(&rows, mem_strdup(s->schedulers[l->scheduler]));
        if (row == PAGE_CAPACITY_ROWS)
            continue;
        if (l->state != CAPACITY_BEYOND)
            chart_add(c, held, l->held_qps, row);
        chart_add(c, missed, l->missed_qps, row);
    }
    name_rows(c, 0, &rows);
    chart_rule(c, 0, CHART_RULE_X, "asked for", s->loads[0].asked_qps);
    chart_caption(c, "The largest load that was shown to be held within every target, and the "
                     "smallest that was shown to be missed.");
    report_chart(out, c);
}

// ---- service by service, at the answer

static void print_services(struct report_out *out, const struct capacity_result *s)
{
    const struct capacity_size *z = capacity_answer_size(s);
    const struct capacity_load *l = capacity_answer_load(s);
    struct rows rows = {.n = 0};
    if (s->n_services < 2 || (!z && !l))
        return;
    const struct measurement *m = z ? s->size_services + (z - s->sizes) * (ptrdiff_t)s->n_services
                                    : s->load_services + (l - s->loads) * (ptrdiff_t)s->n_services;
    struct chart *c = chart_create("services-near", "How near each service comes to its target");
    chart_axis_x(c, SCALE_LINEAR, "latency", "% of the target");
    chart_axis_range(&c->x, 0, NAN);
    c->panels[0].y.kind = SCALE_NAMES;
    uint32_t there = chart_series(c, 0, CHART_POINTS, "at the answer");
    uint32_t idle = z ? chart_series(c, 0, CHART_POINTS, "on an idle server") : 0;
    for (uint32_t i = 0; i < s->n_services; i++) {
        uint32_t row = row_of(&rows, mem_strdup(s->services[i]));
        add_dot(c, there, row, &m[i], 0);
        if (z)
            add_dot(c, idle, row,
                    &s->unloaded[((size_t)z->scheduler * s->n_types + z->type) * s->n_services + i],
                    0);
    }
    name_rows(c, 0, &rows);
    chart_rule(c, 0, CHART_RULE_X, "target", 100);
    chart_caption(c, "Latency at the percentile of each service's own target, as a part of that "
                     "target, with 95 %% intervals.");
    report_chart(out, c);
}

// ---- over the day

struct day {
    const struct capacity_result *s;
    uint32_t plan;
};

static struct chart *over_day(const struct day *d, const char *id, const char *title)
{
    struct chart *c = chart_create(id, title);
    chart_axis_x(c, SCALE_CLOCK, "time of day", "");
    chart_axis_range(&c->x, 0, d->s->n_intervals * d->s->interval_s);
    return c;
}

// A number of each interval as steps, the last as long as the others.
static void add_steps(struct chart *c, uint32_t panel, const char *name, const struct day *d,
                      struct ci (*of)(const struct day *, uint32_t interval, uint32_t which),
                      uint32_t which)
{
    uint32_t series = chart_series(c, panel, CHART_STEP, name), n = d->s->n_intervals;
    for (uint32_t i = 0; i <= n; i++) {
        struct ci ci = of(d, i < n ? i : n - 1, which);
        chart_add_ci(c, series, i * d->s->interval_s, ci.value, ci.half_95);
    }
}

static struct ci exact(double value)
{
    return (struct ci){value, NAN, 0};
}

static const struct capacity_step *step_at(const struct day *d, uint32_t interval)
{
    return &d->s->steps[(size_t)d->plan * d->s->n_intervals + interval];
}

static struct ci mean_qps(const struct day *d, uint32_t interval, uint32_t service)
{
    return exact(d->s->demand[(size_t)interval * d->s->n_services + service].mean_qps);
}

static struct ci peak_qps(const struct day *d, uint32_t interval, uint32_t service)
{
    return exact(d->s->demand[(size_t)interval * d->s->n_services + service].peak_qps);
}

static struct ci servers_of(const struct day *d, uint32_t interval, uint32_t type)
{
    size_t step = (size_t)d->plan * d->s->n_intervals + interval;
    return exact(d->s->n_on[step * d->s->n_types + type]);
}

static struct ci servers_on(const struct day *d, uint32_t interval, uint32_t unused)
{
    (void)unused;
    return exact(step_at(d, interval)->n_on);
}

enum flow { PLANNED_W, SIMULATED_W, USD_PER_H, KG_PER_H };

static struct ci flow_of(const struct day *d, uint32_t interval, uint32_t flow)
{
    const struct capacity_step *step = step_at(d, interval);
    const double values[] = {step->planned_w, step->simulated_w, step->cost_usd_per_h,
                             step->carbon_g_per_h * KG_PER_G};
    return exact(values[flow]);
}

static bool knows(const struct day *d, uint32_t flow)
{
    bool known = false;
    for (uint32_t i = 0; i < d->s->n_intervals; i++)
        known |= isfinite(flow_of(d, i, flow).value);
    return known;
}

static struct ci over_target(const struct day *d, uint32_t interval, uint32_t service)
{
    const struct measurement *m = capacity_rows_trials(d->s, d->plan, interval) + service;
    double target_s = d->s->sla_s[service];
    return (struct ci){m->sla_latency_s.value / target_s, m->sla_latency_s.half_95 / target_s, 0};
}

static void print_demand(struct report_out *out, const struct day *d)
{
    const struct capacity_result *s = d->s;
    struct chart *c = over_day(d, "demand", "Traffic over the day");
    chart_axis_y(c, 0, SCALE_LINEAR, "queries per second", "");
    chart_axis_range(&c->panels[0].y, 0, NAN);
    for (uint32_t m = 0; m < shown(s->n_services); m++)
        add_steps(c, 0, s->n_services > 1 ? s->services[m] : "mean", d, mean_qps, m);
    if (s->n_services == 1)
        add_steps(c, 0, "busiest moment", d, peak_qps, 0);
    chart_caption(c, "Queries per second that arrive, mean over each interval of the day.");
    report_chart(out, c);
}

// Hours of servers of a type.
static double used(const struct day *d, uint32_t type)
{
    double sum = 0;
    for (uint32_t i = 0; i < d->s->n_intervals; i++)
        sum += servers_of(d, i, type).value;
    return sum;
}

// Is it one of the types that are used most, so that a picture has room for it?
static bool is_shown_type(const struct day *d, uint32_t type)
{
    uint32_t ahead = 0;
    double own = used(d, type);
    for (uint32_t t = 0; t < d->s->n_types; t++)
        ahead += used(d, t) > own || (used(d, t) >= own && t < type);
    return own > 0 && ahead < PAGE_CAPACITY_SERIES;
}

static void print_servers(struct report_out *out, const struct day *d)
{
    const struct capacity_result *s = d->s;
    uint32_t n_used = 0;
    struct chart *c = over_day(d, "servers-on", "Servers that are on");
    chart_axis_y(c, 0, SCALE_LINEAR, "servers", "");
    chart_axis_range(&c->panels[0].y, 0, NAN);
    for (uint32_t t = 0; t < s->n_types; t++) {
        n_used += used(d, t) > 0;
        if (is_shown_type(d, t))
            add_steps(c, 0, s->types[t], d, servers_of, t);
    }
    if (n_used > 1)
        add_steps(c, 0, "all", d, servers_on, 0);
    chart_caption(c, "Servers that are on in each interval of the day, by type%s.",
                  n_used > PAGE_CAPACITY_SERIES ? "; of the types those that are on most" : "");
    report_chart(out, c);
}

static void print_power(struct report_out *out, const struct day *d)
{
    struct chart *c = over_day(d, "power-day", "Power over the day");
    chart_axis_y(c, 0, SCALE_LINEAR, "power of the fleet", "W");
    chart_axis_range(&c->panels[0].y, 0, NAN);
    if (knows(d, PLANNED_W))
        add_steps(c, 0, "planned", d, flow_of, PLANNED_W);
    if (knows(d, SIMULATED_W))
        add_steps(c, 0, "simulated", d, flow_of, SIMULATED_W);
    chart_caption(c,
                  "Power of all servers that are on, mean over each interval: by what one server "
                  "draws (planned), and as simulated.");
    report_chart(out, c);
}

static void print_costs(struct report_out *out, const struct day *d)
{
    bool money = knows(d, USD_PER_H), carbon = knows(d, KG_PER_H);
    struct chart *c = over_day(d, "costs",
                               !carbon ? "Money over the day"
                               : money ? "Money and carbon over the day"
                                       : "Carbon over the day");
    uint32_t panel = 0;
    if (money) {
        chart_axis_y(c, 0, SCALE_LINEAR, "", "$ per hour");
        add_steps(c, 0, "money", d, flow_of, USD_PER_H);
    }
    if (money && carbon) {
        chart_panel_title(c, 0, "Money");
        panel = chart_panel(c, "Carbon");
    }
    if (carbon) {
        chart_axis_y(c, panel, SCALE_LINEAR, "", "kg of CO2 per hour");
        add_steps(c, panel, "carbon", d, flow_of, KG_PER_H);
    }
    for (uint32_t i = 0; i <= panel; i++)
        chart_axis_range(&c->panels[i].y, 0, NAN);
    chart_caption(c, "Of the servers that are on, in each interval of the day.");
    report_chart(out, c);
}

static void print_near(struct report_out *out, const struct day *d)
{
    const struct capacity_result *s = d->s;
    struct chart *c = over_day(d, "near", "How near the targets are");
    char *latency = percentile(s);
    chart_axis_y(c, 0, SCALE_LINEAR, latency, "times the target");
    mem_free(latency);
    chart_axis_range(&c->panels[0].y, 0, NAN);
    for (uint32_t m = 0; m < shown(s->n_services); m++)
        add_steps(c, 0, s->services[m], d, over_target, m);
    chart_rule(c, 0, CHART_RULE_Y, "target", 1);
    chart_caption(c, "Latency at the percentile of each service's target, over that target, as "
                     "simulated in each interval, with 95 %% intervals. Above 1 the target is "
                     "missed.");
    report_chart(out, c);
}

// ---- plans

// "fixed, greedy, follow"; schedulers are named where there are several, and what is missed.
static char *plan_name(const struct capacity_result *s, uint32_t plan)
{
    const struct capacity_plan p = capacity_rows_plan(s, plan);
    uint32_t n_missed = s->totals[plan].n_missed;
    char *missed = n_missed > 0 ? mem_printf(" (%u missed)", n_missed) : mem_strdup("");
    bool given = strcmp(p.allocation, "given") == 0;
    bool named = s->n_schedulers > 1 || given;
    char *name = mem_printf("%s%s%s%s%s%s", named ? p.scheduler : "", named && !given ? ", " : "",
                            given ? "" : p.allocation, given ? "" : ", ",
                            given ? "" : p.provisioning, missed);
    mem_free(missed);
    return name;
}

#define TOTAL(member) offsetof(struct capacity_total, member)
static const struct compared {
    const char *id, *title, *unit, *caption;
    size_t first, second; // of a day; the same: there is one
} compared[] = {
    {"plan-servers", "Hours of servers", "hours a day",
     "Hours that servers are on, summed over all servers and the day.", TOTAL(server_h),
     TOTAL(server_h)},
    {"plan-energy", "Energy", "kWh a day", "Energy over the day, as planned and as simulated.",
     TOTAL(planned_kwh), TOTAL(simulated_kwh)},
    {"plan-money", "Money", "$ a day", "What the servers that are on cost over the day.",
     TOTAL(cost_usd), TOTAL(cost_usd)},
    {"plan-carbon", "Carbon", "kg of CO2 a day", "Carbon dioxide over the day.", TOTAL(carbon_kg),
     TOTAL(carbon_kg)},
};

static double total_at(const struct capacity_total *total, size_t offset)
{
    double value;
    memcpy(&value, (const char *)total + offset, sizeof value);
    return value;
}

static void print_compared(struct report_out *out, const struct capacity_result *s,
                           const struct compared *what)
{
    struct rows rows = {.n = 0};
    struct chart *c = chart_create(what->id, what->title);
    bool two = what->first != what->second;
    chart_axis_x(c, SCALE_LINEAR, "", what->unit);
    chart_axis_range(&c->x, 0, NAN);
    uint32_t first = chart_series(c, 0, CHART_BARS, two ? "planned" : "all"),
             second = two ? chart_series(c, 0, CHART_BARS, "simulated") : first;
    for (uint32_t plan = 0; plan < capacity_rows_n_plans(s); plan++) {
        const struct capacity_total *total = &s->totals[plan];
        uint32_t row;
        if (total->state == CAPACITY_BEYOND ||
            (row = row_of(&rows, plan_name(s, plan))) == PAGE_CAPACITY_ROWS)
            continue;
        chart_add(c, first, total_at(total, what->first), row);
        if (two)
            chart_add(c, second, total_at(total, what->second), row);
    }
    name_rows(c, 0, &rows);
    chart_caption(c, "%s", what->caption);
    report_chart(out, c);
}

// ---- all

static void print_day(struct report_out *out, const struct capacity_result *s, uint32_t best)
{
    const struct day day = {s, best};
    page_heading(out, "day", "The day, under the best plan");
    print_demand(out, &day);
    print_servers(out, &day);
    print_power(out, &day);
    print_costs(out, &day);
    print_near(out, &day);
    if (capacity_rows_n_plans(s) < 2)
        return;
    page_heading(out, "plans", "Plans compared");
    for (size_t i = 0; i < sizeof compared / sizeof *compared; i++)
        print_compared(out, s, &compared[i]);
}

static void print_pictures(struct report_out *out, const struct capacity_result *s)
{
    uint32_t best;
    if (s->n_sizes > 0) {
        page_heading(out, "sizes-found", counts_cores(s) ? "How many cores" : "How many servers");
        print_sizes(out, s);
        print_one_less(out, s);
        print_services(out, s);
    } else if (s->n_loads > 0) {
        page_heading(out, "loads-found", "How much load");
        print_loads(out, s);
        print_services(out, s);
    } else if (capacity_rows_best(s, &best)) {
        print_day(out, s, best);
    }
}

void page_capacity_print(struct report_out *out, const struct capacity_result *s)
{
    uint32_t best;
    char *subtitle = mem_printf("a capacity search of recfleet %s: find %s, seed %llu",
                                table_or_dash(s->program_version), table_or_dash(s->find),
                                (unsigned long long)s->seed);
    struct page *page = page_open(out, table_or_dash(s->name), subtitle);
    print_answer(out, s);
    if (s->n_sizes > 0)
        print_size_keys(out, s);
    else if (s->n_loads > 0)
        print_load_keys(out, s);
    else if (capacity_rows_best(s, &best))
        print_plan_keys(out, s, best);
    print_pictures(out, s);
    page_heading(out, "tables", "All numbers");
    report_capacity_tables(out, s);
    page_close(page);
    mem_free(subtitle);
}
