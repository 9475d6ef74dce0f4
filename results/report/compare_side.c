// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare_side.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"

// ---- building

static struct compare_side *add_side(struct compare_sides *sides, const char *file, bool searched)
{
    sides->list = mem_realloc(sides->list, sides->n + 1, sizeof *sides->list);
    struct compare_side *side = &sides->list[sides->n++];
    *side = (struct compare_side){.file = mem_strdup(file),
                                  .name = mem_strdup(""),
                                  .about = mem_strdup(""),
                                  .searched = searched,
                                  .services = mem_strdup("")};
    return side;
}

static void set_text(char **into, char *owned)
{
    mem_free(*into);
    *into = owned;
}

// One more label, which is owned; the name lists all.
static void add_label(struct compare_side *side, char *label)
{
    side->labels = mem_realloc(side->labels, side->n_labels + 1, sizeof *side->labels);
    side->labels[side->n_labels++] = label;
    set_text(&side->name, mem_printf("%s%s%s", side->name, side->name[0] ? ", " : "", label));
}

static void add_service(struct compare_side *side, const char *name)
{
    set_text(&side->services, mem_printf("%s%s\n", side->services, name));
}

// One more number; `what` and `parts` are owned.
static struct compare_number *add_number(struct compare_side *side, char *what, const char *units,
                                         int better, struct ci value, double *parts)
{
    // Not every file says how many batches an interval comes from.
    if (value.n_batches == 0 && isfinite(value.half_95))
        value.n_batches = BATCH_AIM;
    side->numbers = mem_realloc(side->numbers, side->n_numbers + 1, sizeof *side->numbers);
    side->numbers[side->n_numbers] =
        (struct compare_number){what, units, better, false, false, value, NAN, NAN, parts};
    return &side->numbers[side->n_numbers++];
}

static void add_exact(struct compare_side *side, char *what, const char *units, int better,
                      double value)
{
    if (isfinite(value)) {
        struct compare_number *n =
            add_number(side, what, units, better, (struct ci){value, 0, BATCH_AIM}, NULL);
        n->low = n->high = value;
    } else {
        mem_free(what);
    }
}

static void add_alone(struct compare_side *side, char *what, const char *units, int better,
                      double value)
{
    if (isfinite(value))
        add_number(side, what, units, better, (struct ci){value, NAN, 0}, NULL);
    else
        mem_free(what);
}

// Of a search: somewhere between the two ends.
static void add_bracket(struct compare_side *side, char *what, const char *units, int better,
                        double value, double low, double high)
{
    if (low == high) {
        add_exact(side, what, units, better, value);
        return;
    }
    add_alone(side, what, units, better, value);
    if (isfinite(value) && low <= value && value <= high) {
        side->numbers[side->n_numbers - 1].low = low;
        side->numbers[side->n_numbers - 1].high = high;
    }
}

// ---- the numbers of a service and of the fleet

// What a time bin has of a number: a member of struct run_bin, or what is made of the rest.
enum part_of { OF_COMPLETED, OF_GOOD, OF_LATE, OF_LOST, OF_POWER, OF_QUERIES_PER_J, OF_MEMBER };

struct quantity {
    const char *what, *units;
    int better;
    size_t at; // of the struct ci in struct summary_service, or summary_fleet
    enum part_of part;
    size_t member; // OF_MEMBER
    bool quiet;
};

#define AT(member) offsetof(struct summary_service, member)
#define BIN(of) OF_MEMBER, offsetof(struct run_bin, of)
static const struct quantity quantities[] = {
    {"served", "s-1", 1, AT(served_qps), OF_COMPLETED, 0, false},
    {"goodput", "s-1", 1, AT(goodput_qps), OF_GOOD, 0, false},
    {"mean", "s", -1, AT(latency_mean_s), BIN(latency_mean_s), false},
    {"p50", "s", -1, AT(latency_s[SUMMARY_P50]), BIN(latency_s[SUMMARY_P50]), false},
    {"p95", "s", -1, AT(latency_s[SUMMARY_P95]), BIN(latency_s[SUMMARY_P95]), false},
    {"p99", "s", -1, AT(latency_s[SUMMARY_P99]), BIN(latency_s[SUMMARY_P99]), false},
    {"late", "1", -1, AT(late_frac), OF_LATE, 0, true},
    {"lost", "1", -1, AT(lost_frac), OF_LOST, 0, true},
};
#define N_QUANTITIES (sizeof quantities / sizeof *quantities)

static const struct quantity fleet_quantities[] = {
    {"fleet power", "W", -1, offsetof(struct summary_fleet, power_w), OF_POWER, 0, false},
    {"fleet QPS/W", "J-1", 1, offsetof(struct summary_fleet, queries_per_j), OF_QUERIES_PER_J, 0,
     false},
};

static struct ci ci_at(const void *row, size_t offset)
{
    struct ci ci;
    memcpy(&ci, (const char *)row + offset, sizeof ci);
    return ci;
}

// Where the numbers of a side are: of a run, of a point or a case.
struct source {
    const struct run_result *run; // or:
    const struct sweep_result *points;
    const struct replications *fold; // NULL: one point, without replications
    uint32_t at;                     // point, or case
    uint32_t *replicas;              // [n_parts] points of the case
};

static bool is_shared(enum part_of part)
{
    return part == OF_MEMBER;
}

// ---- parts

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

// Sums over the services [from, to) of the counts that a bin has beside the latencies.
struct counted {
    double n_queries, n_completed, n_late, n_lost, n_pending;
};

static struct counted count(const struct run_result *run, uint32_t bin, uint32_t from, uint32_t to)
{
    struct counted all = {0};
    for (uint32_t s = from; s < to; s++) {
        size_t at = (size_t)bin * run->summary->n_services + s;
        const struct run_bin_rest *rest = &run->rest.bins[at];
        all.n_queries += (double)run->bins.services[at].n_queries;
        all.n_completed += (double)rest->n_completed;
        all.n_late += (double)rest->n_late;
        all.n_lost += (double)rest->n_lost;
        all.n_pending += (double)rest->n_pending;
    }
    return all;
}

static double power_of(const struct run_result *run, uint32_t bin)
{
    size_t n = (size_t)run->summary->n_groups * N_PARTS;
    double power_w = 0;
    for (size_t p = 0; p < n; p++)
        power_w += run->bins.parts[bin * n + p].power_w;
    return power_w;
}

// Late ones count in the bin that they arrived in, completed ones where they ended: over the
// neighbouring bins of a batch that is the same.
static double part_of_run(const struct run_result *run, const struct quantity *q, uint32_t service,
                          uint32_t bin)
{
    const struct run_result_bins *b = &run->bins;
    uint32_t n = run->summary->n_services;
    bool all = service == n;
    double length_s = b->times[bin].end_s - b->start_s[bin], value;
    if (q->part == OF_MEMBER) {
        const struct run_bin *row = all ? &b->all[bin] : &b->services[(size_t)bin * n + service];
        memcpy(&value, (const char *)row + q->member, sizeof value);
        return value;
    }
    if (q->part == OF_POWER)
        return power_of(run, bin);
    struct counted c = count(run, bin, all ? 0 : service, all ? n : service + 1);
    switch (q->part) {
    case OF_COMPLETED:
        return ratio(c.n_completed, length_s);
    case OF_GOOD:
        return ratio(c.n_completed - c.n_late, length_s);
    case OF_LATE:
        return ratio(c.n_late + c.n_lost, c.n_queries + c.n_lost);
    case OF_LOST:
        return ratio(c.n_lost, c.n_queries + c.n_lost + c.n_pending);
    default:
        return ratio(c.n_completed / length_s, power_of(run, bin));
    }
}

// What a number was in each part of the side; NULL: that is not known. Caller mem_free()s.
static double *parts_of(const struct compare_side *side, const struct source *from,
                        const struct quantity *q, uint32_t row, bool fleet)
{
    bool counts = from->run && !is_shared(q->part) && q->part != OF_POWER;
    if (side->n_parts == 0 || (counts && !from->run->rest.bins))
        return NULL;
    double *parts = mem_calloc(side->n_parts, sizeof *parts);
    for (uint32_t i = 0; i < side->n_parts; i++) {
        if (from->run) {
            parts[i] = part_of_run(from->run, q, row, i);
            continue;
        }
        const struct sweep_result *p = from->points;
        uint32_t point = from->replicas[i];
        const void *of = fleet                  ? (const void *)&p->fleets[point]
                         : row == p->n_services ? (const void *)&p->totals[point]
                                                : &p->services[(size_t)point * p->n_services + row];
        parts[i] = ci_at(of, q->at).value;
    }
    return parts;
}

// ---- values

// Row n_services is all services together.
static struct ci value_of(const struct source *from, const struct quantity *q, uint32_t row,
                          bool fleet)
{
    const struct sweep_result *p = from->points;
    if (from->run)
        return fleet ? ci_at(&from->run->summary->fleet, q->at)
                     : ci_at(&from->run->summary->services[row], q->at);
    bool total = row == p->n_services;
    if (from->fold)
        return replications_at(from->fold,
                               fleet   ? REPLICATED_FLEETS
                               : total ? REPLICATED_TOTALS
                                       : REPLICATED_SERVICES,
                               from->at, fleet || total ? 0 : row, q->at);
    return fleet   ? ci_at(&p->fleets[from->at], q->at)
           : total ? ci_at(&p->totals[from->at], q->at)
                   : ci_at(&p->services[(size_t)from->at * p->n_services + row], q->at);
}

static void add_quantity(struct compare_side *side, const struct source *from,
                         const struct quantity *q, char *what, uint32_t row, bool fleet)
{
    struct compare_number *n =
        add_number(side, what, q->units, q->better, value_of(from, q, row, fleet),
                   parts_of(side, from, q, row, fleet));
    n->quiet = q->quiet;
}

// The percentile of the target where it is none of the usual.
static void add_target(struct compare_side *side, const struct source *from, const char *name,
                       uint32_t row, const struct summary_service *s)
{
    struct quantity own = {"", "s", -1, AT(sla_latency_s), OF_MEMBER, SIZE_MAX, false};
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (fabs(s->sla_quantile - summary_quantiles[i]) < 1e-9)
            own.member = offsetof(struct run_bin, latency_s) + (size_t)i * sizeof(double);
    for (size_t k = 0; k < N_QUANTITIES; k++)
        if (quantities[k].part == OF_MEMBER && quantities[k].member == own.member)
            return;
    char *what = mem_printf("%s p%.10g", name, s->sla_quantile * 100);
    if (from->run && own.member == SIZE_MAX) // no bin has that percentile
        add_number(side, what, own.units, own.better, value_of(from, &own, row, false), NULL);
    else
        add_quantity(side, from, &own, what, row, false);
}

static void add_numbers(struct compare_side *side, const struct source *from, const char *name,
                        uint32_t row, const struct summary_service *s)
{
    size_t first = side->n_numbers;
    for (size_t k = 0; k < N_QUANTITIES; k++)
        add_quantity(side, from, &quantities[k], mem_printf("%s %s", name, quantities[k].what), row,
                     false);
    if (s->sla_s > 0)
        add_target(side, from, name, row, s);
    for (size_t i = first; i < side->n_numbers; i++)
        side->numbers[i].whole = strcmp(name, "(all)") == 0;
}

static void add_fleet(struct compare_side *side, const struct source *from, uint32_t all)
{
    for (size_t k = 0; k < sizeof fleet_quantities / sizeof *fleet_quantities; k++)
        add_quantity(side, from, &fleet_quantities[k], mem_strdup(fleet_quantities[k].what), all,
                     true);
}

// ---- runs

static void fill_run(struct compare_side *side, const struct run_result *run)
{
    const struct meta *m = run->meta;
    const struct source from = {.run = run};
    side->in_time = true;
    side->n_parts = run->bins.n;
    side->parts = mem_calloc(run->bins.n, sizeof *side->parts);
    for (uint32_t i = 0; i < run->bins.n; i++)
        side->parts[i] =
            (struct compare_part){run->bins.start_s[i], run->bins.times[i].end_s, m->seed,
                                  m->traffic_fingerprint, run->bins.times[i].measured};
    for (uint32_t i = 0; i < m->n_services; i++) {
        add_service(side, m->services[i].name);
        add_numbers(side, &from, m->services[i].name, i, &run->summary->services[i]);
    }
    if (m->n_services > 1)
        add_numbers(side, &from, "(all)", m->n_services, summary_total(run->summary));
    add_fleet(side, &from, m->n_services);
    set_text(&side->about,
             mem_printf("study %s, policy %s, seed %llu%s", m->study_name ? m->study_name : "-",
                        m->policy ? m->policy : "-", (unsigned long long)m->seed,
                        run->summary->fleet.verdict == OVERLOAD_YES      ? "   *** OVERLOADED ***"
                        : run->summary->fleet.verdict == OVERLOAD_UNSURE ? "   near saturation"
                                                                         : ""));
}

void compare_side_add_run(struct compare_sides *sides, const struct run_result *run)
{
    struct compare_side *side = add_side(sides, run->path, false);
    if (run->meta->policy)
        add_label(side, mem_printf("policy=%s", run->meta->policy));
    fill_run(side, run);
}

static void release_numbers(struct compare_side *side)
{
    for (size_t i = 0; i < side->n_numbers; i++) {
        mem_free(side->numbers[i].what);
        mem_free(side->numbers[i].parts);
    }
    mem_free(side->numbers);
    mem_free(side->parts);
    side->numbers = NULL;
    side->parts = NULL;
    side->n_numbers = side->n_parts = 0;
}

void compare_side_take_run(struct compare_side *side, const struct run_result *run)
{
    release_numbers(side);
    set_text(&side->services, mem_strdup(""));
    fill_run(side, run);
}

// ---- sweeps

// Are they the same case: alike on every axis but that of replications?
static bool is_same_case(const struct sweep_result *p, uint32_t a, uint32_t b)
{
    for (uint32_t axis = 0; axis < p->n_axes; axis++)
        if ((int)axis != p->replication &&
            p->values[(size_t)a * p->n_axes + axis] != p->values[(size_t)b * p->n_axes + axis])
            return false;
    return true;
}

// The replications of a case are its parts, in the order of the points.
static void add_replicas(struct compare_side *side, struct source *from, uint32_t point)
{
    const struct sweep_result *p = from->points;
    from->replicas = mem_calloc(p->n_points, sizeof *from->replicas);
    side->parts = mem_calloc(p->n_points, sizeof *side->parts);
    for (uint32_t i = 0; i < p->n_points; i++) {
        if (p->points[i].state != SWEEP_DONE || !is_same_case(p, point, i))
            continue;
        from->replicas[side->n_parts] = i;
        side->parts[side->n_parts++] =
            (struct compare_part){0, p->points[i].duration_s, p->points[i].random_seed,
                                  p->points[i].traffic_fingerprint, true};
    }
}

static void add_point(struct compare_sides *sides, const char *path, const struct sweep_result *p,
                      const struct replications *fold, uint32_t at)
{
    uint32_t point = fold->cases[at].point;
    bool folded = p->replication >= 0;
    struct compare_side *side = add_side(sides, path, false);
    struct source from = {.points = p, .fold = folded ? fold : NULL, .at = folded ? at : point};
    for (uint32_t a = 0; a < p->n_axes; a++)
        if ((int)a != p->replication)
            add_label(side, mem_printf("%s=%s", p->axes[a].name, sweep_result_label(p, point, a)));
    if (folded)
        add_replicas(side, &from, point);
    const struct summary_service *rows = p->services + (size_t)point * p->n_services;
    const struct sweep_service *names = p->service_names + (size_t)point * p->n_services;
    for (uint32_t i = 0; i < p->points[point].n_services; i++) {
        const char *name = names[i].name ? names[i].name : "";
        add_service(side, name);
        add_numbers(side, &from, name, i, &rows[i]);
    }
    if (p->points[point].n_services > 1)
        add_numbers(side, &from, "(all)", p->n_services, &p->totals[point]);
    add_fleet(side, &from, p->n_services);
    set_text(&side->about,
             mem_printf("%s%s", side->name,
                        fold->cases[at].verdict == OVERLOAD_YES ? "   *** OVERLOADED ***" : ""));
    mem_free(from.replicas);
}

void compare_side_add_sweep(struct compare_sides *sides, const char *path,
                            const struct sweep_result *p)
{
    struct replications *fold = replications_create(p);
    for (uint32_t c = 0; c < fold->n_cases; c++)
        if (p->points[fold->cases[c].point].state == SWEEP_DONE)
            add_point(sides, path, p, fold, c);
    replications_destroy(fold);
}

// ---- searches

// What a search measured of a service, or of the one that is nearest to its target.
static void add_measured(struct compare_side *side, const char *name, const struct measurement *m)
{
    const char *between = *name ? " " : "";
    double q = 1 - m->allowed_frac;
    bool usual = fabs(q - 0.95) < 1e-9 || fabs(q - 0.99) < 1e-9;
    if (isfinite(m->sla_latency_s.value) && isfinite(q) && !usual)
        add_number(side, mem_printf("%s%sp%.10g", name, between, 100 * q), "s", -1,
                   m->sla_latency_s, NULL);
    if (isfinite(m->p95_s.value))
        add_number(side, mem_printf("%s%sp95", name, between), "s", -1, m->p95_s, NULL);
    if (isfinite(m->p99_s.value))
        add_number(side, mem_printf("%s%sp99", name, between), "s", -1, m->p99_s, NULL);
    if (isfinite(m->late_frac.value))
        add_number(side, mem_printf("%s%slate", name, between), "1", -1, m->late_frac, NULL)
            ->quiet = true;
}

static void add_power(struct compare_side *side, const struct measurement *m)
{
    add_alone(side, mem_strdup("fleet power"), "W", -1, m->power_w);
    add_alone(side, mem_strdup("fleet QPS/W"), "J-1", 1, m->queries_per_j);
}

void compare_side_add_tuning(struct compare_sides *sides, const char *path,
                             const struct tuning_result *t)
{
    for (uint32_t point = 0; point < t->grid.n_points; point++) {
        for (uint32_t k = 0; k < t->n_policies; k++) {
            const struct tuning_outcome *o = tuning_result_outcome_at(t, point, k);
            if (o->state != TUNING_FOUND)
                continue;
            struct compare_side *side = add_side(sides, path, true);
            for (uint32_t a = 0; a < t->grid.n_axes; a++)
                add_label(side, mem_printf("%s=%s", t->grid.axes[a].name,
                                           point_axes_label(&t->grid, point, a)));
            add_label(side, mem_printf("policy=%s", t->policies[k]));
            add_bracket(side, mem_strdup("held"), "s-1", 1, o->qps, o->qps, o->missed_qps);
            add_measured(side, "", &o->at_qps);
            add_power(side, &o->at_qps);
            set_text(&side->about, mem_strdup(side->name));
        }
    }
}

static bool is_cores(const struct capacity_result *s)
{
    return s->find && strcmp(s->find, "cores") == 0;
}

static void add_size(struct compare_sides *sides, const char *path, const struct capacity_result *s,
                     const struct capacity_size *z)
{
    struct compare_side *side = add_side(sides, path, true);
    const struct measurement *of = s->size_services + (z - s->sizes) * (ptrdiff_t)s->n_services;
    add_label(side, mem_printf("type=%s", s->types[z->type]));
    add_label(side, mem_printf("scheduler=%s", s->schedulers[z->scheduler]));
    if (z->cells_down > 0)
        add_label(side, mem_printf("cells_down=%u", z->cells_down));
    if (z->margin_frac > 0)
        add_label(side, mem_printf("margin=%g", z->margin_frac));
    bool range = z->state == CAPACITY_RANGE;
    double n = z->n, low = range ? z->n_least : n, high = range ? z->n_most : n;
    add_bracket(side, mem_strdup(is_cores(s) ? "cores a server" : "servers"), "", -1, n, low, high);
    add_bracket(side, mem_strdup("money $/h"), "", -1, z->cost_usd_per_h,
                z->cost_usd_per_h * low / n, z->cost_usd_per_h * high / n);
    for (uint32_t m = 0; m < s->n_services; m++)
        add_measured(side, s->services[m], &of[m]);
    add_power(side, &z->at_n);
}

static void add_load(struct compare_sides *sides, const char *path, const struct capacity_result *s,
                     const struct capacity_load *l)
{
    struct compare_side *side = add_side(sides, path, true);
    const struct measurement *of = s->load_services + (l - s->loads) * (ptrdiff_t)s->n_services;
    add_label(side, mem_printf("scheduler=%s", s->schedulers[l->scheduler]));
    add_bracket(side, mem_strdup("held"), "s-1", 1, l->held_qps, l->held_qps, l->missed_qps);
    for (uint32_t m = 0; m < s->n_services; m++)
        add_measured(side, s->services[m], &of[m]);
    add_power(side, &l->at_held);
}

// Says what comes in an interval of the day; 0: unknown.
static uint64_t demand_key(const struct capacity_result *s, uint32_t interval)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325); // FNV-1a
    for (uint32_t m = 0; m < s->n_services; m++) {
        double qps = s->demand[(size_t)interval * s->n_services + m].mean_qps;
        unsigned char bytes[sizeof qps];
        if (!isfinite(qps))
            return 0;
        memcpy(bytes, &qps, sizeof qps);
        for (size_t i = 0; i < sizeof bytes; i++)
            key = (key ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return key | 1;
}

// The energy of a day that is all like one of its intervals: their mean is the day's.
static void add_energy(struct compare_side *side, const struct capacity_result *s, uint32_t plan)
{
    uint32_t n = s->n_intervals;
    double *kwh = mem_calloc(n, sizeof *kwh);
    side->n_parts = n;
    side->parts = mem_calloc(n, sizeof *side->parts);
    for (uint32_t i = 0; i < n; i++) {
        kwh[i] = s->steps[(size_t)plan * n + i].simulated_w / 1000 * s->day_s / CAPACITY_S_PER_H;
        side->parts[i] = (struct compare_part){i * s->interval_s, (i + 1) * s->interval_s, 0,
                                               demand_key(s, i), true};
    }
    add_number(side, mem_strdup("simulated kWh"), "", -1,
               (struct ci){s->totals[plan].simulated_kwh, NAN, 0}, kwh);
}

static void add_plan(struct compare_sides *sides, const char *path, const struct capacity_result *s,
                     uint32_t plan)
{
    struct compare_side *side = add_side(sides, path, true);
    const struct capacity_total *total = &s->totals[plan];
    uint32_t per_allocation = s->n_provisionings;
    add_label(side,
              mem_printf("scheduler=%s", s->schedulers[plan / per_allocation / s->n_allocations]));
    add_label(side, mem_printf("allocation=%s",
                               s->allocations[plan / per_allocation % s->n_allocations]));
    add_label(side, mem_printf("provisioning=%s", s->provisionings[plan % per_allocation]));
    add_exact(side, mem_strdup("server hours"), "", -1, total->server_h);
    add_exact(side, mem_strdup("planned kWh"), "", -1, total->planned_kwh);
    if (isfinite(total->simulated_kwh))
        add_energy(side, s, plan);
    add_exact(side, mem_strdup("money $"), "", -1, total->cost_usd);
    add_exact(side, mem_strdup("carbon kg"), "", -1, total->carbon_kg);
    for (uint32_t m = 0; m < s->n_services; m++)
        add_measured(side, s->services[m], &s->days[(size_t)plan * s->n_services + m]);
}

void compare_side_add_capacity(struct compare_sides *sides, const char *path,
                               const struct capacity_result *s)
{
    bool days = s->n_intervals > 0 && s->n_services > 0;
    uint32_t n_plans = days ? s->n_schedulers * s->n_allocations * s->n_provisionings : 0;
    size_t first = sides->n;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        if (s->sizes[i].state != CAPACITY_BEYOND)
            add_size(sides, path, s, &s->sizes[i]);
    for (uint32_t i = 0; i < s->n_loads; i++)
        if (s->loads[i].state != CAPACITY_BEYOND)
            add_load(sides, path, s, &s->loads[i]);
    for (uint32_t i = 0; i < n_plans; i++)
        if (s->totals[i].state != CAPACITY_BEYOND)
            add_plan(sides, path, s, i);
    for (size_t i = first; i < sides->n; i++)
        set_text(&sides->list[i].about, mem_strdup(sides->list[i].name));
}

// ---- use

const struct compare_number *compare_side_find(const struct compare_side *side, const char *what)
{
    for (size_t i = 0; i < side->n_numbers; i++)
        if (strcmp(side->numbers[i].what, what) == 0)
            return &side->numbers[i];
    return NULL;
}

bool compare_side_has(const struct compare_side *side, const char *label)
{
    for (uint32_t i = 0; i < side->n_labels; i++)
        if (strcmp(side->labels[i], label) == 0)
            return true;
    return false;
}

void compare_side_release(struct compare_sides *sides)
{
    for (size_t i = 0; i < sides->n; i++) {
        struct compare_side *side = &sides->list[i];
        release_numbers(side);
        for (uint32_t k = 0; k < side->n_labels; k++)
            mem_free(side->labels[k]);
        mem_free(side->labels);
        mem_free(side->file);
        mem_free(side->name);
        mem_free(side->about);
        mem_free(side->services);
    }
    mem_free(sides->list);
    *sides = (struct compare_sides){0};
}
