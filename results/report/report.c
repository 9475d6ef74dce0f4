// SPDX-License-Identifier: Apache-2.0
#include "results/report/report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/relaxation.h"
#include "results/report/report_columns.h"

// What the run is too short for, and how long one has to be.
static void print_relaxations(struct report_out *out, const struct summary_fleet *fleet,
                              double measured_s)
{
    if (!fleet->settled) {
        report_text(out,
                    "note: latency was still moving half-way through: no steady state was seen, "
                    "and no interval of it is given; run longer\n");
    } else if (fleet->verdict != OVERLOAD_YES && !(fleet->relaxations > 0)) {
        report_text(out,
                    "note: the load is not known to be below capacity: no interval of latency is "
                    "given; run longer, or with less load\n");
    } else if (fleet->verdict != OVERLOAD_YES && !summary_gives(fleet, 0.99)) {
        double all = fleet->relaxations, queue = fleet->queue_relaxations;
        double centre = fmax(RELAXATION_LEAST / all, RELAXATION_LEAST_QUEUE / queue);
        double tail = fmax(RELAXATION_LEAST_TAIL / all, RELAXATION_LEAST_QUEUE / queue);
        report_text(
            out, "note: short compared with the memory of its queues (%.3g relaxation times", all);
        report_text(out, queue < all ? ", %.3g of each queue): " : "): ", queue);
        if (centre > 1)
            report_text(out, "means and percentiles have an interval from about %.2g s measured, ",
                        centre * measured_s);
        report_text(out, "those above the 95th from %.2g s\n", tail * measured_s);
    }
}

const char *report_measured_by(const struct run_info *run)
{
    return run && run->layout && strncmp(run->layout, "measured", 8) == 0 ? run->layout : NULL;
}

static void print_head(struct report_out *out, const struct meta *m, const struct summary *s,
                       const struct run_info *run)
{
    double from_s = simtime_to_s(s->fleet.from_ns), to_s = simtime_to_s(s->fleet.to_ns);
    report_text(out, "recfleet %s   study %s   policy %s   seed %llu\n",
                table_or_dash(m->program_version), table_or_dash(m->study_name),
                table_or_dash(m->policy), (unsigned long long)m->seed);
    report_text(out, "%u cell%s, %u server%s   %s %g s, measured %g s .. %g s (warm-up %s)\n",
                m->n_cells, m->n_cells == 1 ? "" : "s", m->n_servers, m->n_servers == 1 ? "" : "s",
                report_measured_by(run) ? "ran for" : "simulated", simtime_to_s(m->duration_ns),
                from_s, to_s,
                m->warmup_auto     ? "automatic"
                : m->warmup_ns > 0 ? "given"
                                   : "none");
    print_relaxations(out, &s->fleet, to_s - from_s);
}

// "job 4711   2 nodes, 8 ranks   resumed 3 times"; nothing of a run that is neither in a batch job
// nor was resumed.
static void print_job(struct report_out *out, const struct run_info *run)
{
    bool in_job = run->job_id && *run->job_id;
    if (!in_job && run->n_restarts == 0)
        return;
    if (in_job)
        report_text(out, "job %s   ", run->job_id);
    if (run->n_nodes > 0)
        report_text(out, "%d node%s, ", run->n_nodes, run->n_nodes == 1 ? "" : "s");
    report_text(out, "%d rank%s", run->n_ranks, run->n_ranks == 1 ? "" : "s");
    if (run->n_restarts == 1)
        report_text(out, "   resumed once");
    else if (run->n_restarts > 1)
        report_text(out, "   resumed %llu times", (unsigned long long)run->n_restarts);
    report_text(out, "\n");
}

// Before any number: whoever reads on must know that there is no latency, or not to trust it.
static void print_verdicts(struct report_out *out, const struct meta *m, const struct summary *s)
{
    for (uint32_t g = 0; g < s->n_groups; g++) {
        for (int part = 0; part < N_PARTS; part++) {
            const struct summary_component *c = &s->groups[g].parts[part];
            if (c->n_units == 0 || c->verdict == OVERLOAD_NO)
                continue;
            bool over = c->verdict == OVERLOAD_YES;
            char *load = table_interval(c->load_frac.value, c->load_frac.half_95, 100);
            report_text(out, "%s: group %s, %s: offered work is %s %% of its capacity,\n",
                        over ? "*** OVERLOADED ***" : "!!! NEAR SATURATION",
                        table_or_dash(m->groups[g].name), summary_part_names[part], load);
            report_text(out, "    and its worst server's queue grew by %.3g s per s of the run.\n",
                        c->drain_growth_frac);
            mem_free(load);
        }
    }
    if (s->fleet.verdict == OVERLOAD_YES) {
        struct ci growth = summary_total(s)->queue_growth_qps;
        char *qps = table_interval(growth.value, growth.half_95, 1);
        report_text(
            out, "    A backlog grows without bound, by %s qps: there is no latency to report.\n",
            qps);
        mem_free(qps);
    } else if (s->fleet.verdict == OVERLOAD_UNSURE)
        report_text(out, "    This run is too short to tell whether the backlog is bounded; do not "
                         "trust its latency.\n");
}

static char *sla_text(const struct summary_service *s, struct table_unit unit)
{
    const char *const verdicts[] = {"met", "unsure", "MISSED"};
    if (s->sla == VERDICT_NOT_ASKED)
        return mem_strdup("-");
    return mem_printf("p%.10g %g %s: %s", s->sla_quantile * 100, s->sla_s * unit.scale, unit.name,
                      verdicts[s->sla]);
}

static bool has_target(const void *service)
{
    return ((const struct summary_service *)service)->sla_s > 0;
}

static const struct report_column rate_columns[] = {
    {"offered qps", "offered_qps", REPORT_NUMBER, .scale = 1},
    {"served qps", "served_qps", REPORT_INTERVAL, .scale = 1},
    {"goodput qps", "goodput_qps", REPORT_KNOWN_INTERVAL, .scale = 1},
    {"items/s", "items_per_s", REPORT_INTERVAL, .scale = 1},
    {"late %", "late_frac", REPORT_INTERVAL, 100, .shown = has_target},
    {0}};

static const struct report_column latency_columns[] = {
    {"mean @", "latency_mean_s", .form = REPORT_INTERVAL},
    {"p50 @", "latency_p50_s", .form = REPORT_INTERVAL},
    {"p95 @", "latency_p95_s", .form = REPORT_INTERVAL},
    {"p99 @", "latency_p99_s", .form = REPORT_INTERVAL},
    {"p99.9 @", "latency_p999_s", .form = REPORT_INTERVAL},
    {"max @", "latency_max_s", .form = REPORT_NUMBER},
    {0}};

static const struct report_column wait_columns[] = {
    {"wait @", "wait_mean_s", .form = REPORT_INTERVAL},
    {"waited %", "waited_frac", REPORT_INTERVAL, .scale = 100},
    {"accel %", "accel_query_frac", REPORT_NUMBER, .scale = 100},
    {0}};

// Is its target at a percentile that has no column of its own?
static bool is_odd(const void *service)
{
    const struct summary_service *s = service;
    const double usual[] = {0.5, 0.95, 0.99, 0.999};
    bool odd = s->sla_s > 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        odd &= fabs(s->sla_quantile - usual[i]) > 1e-9;
    return odd;
}

// The head of a column for such percentiles; NULL: there are none.
static char *target_head(const struct summary *s)
{
    double quantile = 0;
    bool many = false;
    for (uint32_t i = 0; i < s->n_services; i++) {
        if (!is_odd(&s->services[i]))
            continue;
        many |= quantile > 0 && fabs(s->services[i].sla_quantile - quantile) > 1e-9;
        quantile = s->services[i].sla_quantile;
    }
    if (quantile == 0)
        return NULL;
    return many ? mem_strdup("at target @") : mem_printf("p%.10g @", quantile * 100);
}

// A line per service, and one for all where there are several. The unit of time suits the median of
// all, and of an overloaded run, which has none, the first target.
static void print_services(struct report_out *out, const struct meta *m, const struct summary *s,
                           const struct report_column *list, bool with_targets)
{
    double typical_s = summary_total(s)->latency_s[SUMMARY_P50].value;
    if (isnan(typical_s) && s->n_services > 0)
        typical_s = s->services[0].sla_s;
    const struct report_columns columns = {list, summary_service_fields, summary_latency_fields,
                                           .unit = table_time_unit(typical_s)};
    char *head = list == latency_columns ? target_head(s) : NULL;
    const struct report_column own_column[] = {
        {head, "sla_latency_s", .form = REPORT_INTERVAL, .shown = is_odd}, {0}};
    struct report_columns own = columns;
    own.list = own_column;
    struct table *table = table_create(0);
    table_cell(table, mem_strdup("service"));
    report_columns_heads(&columns, table);
    report_columns_heads(&own, table);
    if (with_targets)
        table_cell(table, mem_strdup("target"));
    table_line(table);
    for (uint32_t i = 0; i < s->n_services + (s->n_services > 1); i++) {
        bool all = i == s->n_services;
        table_cell(table, mem_strdup(all ? "(all)" : table_or_dash(m->services[i].name)));
        report_columns_row(&columns, table, &s->services[i]);
        report_columns_row(&own, table, &s->services[i]);
        if (with_targets)
            table_cell(table, sla_text(&s->services[i], columns.unit));
    }
    table_print(table, out,
                list == rate_columns   ? "rates"
                : list == wait_columns ? "waits"
                                       : "latency");
    table_destroy(table);
    mem_free(head);
    report_text(out, "\n");
}

#define ROW struct summary_group
static const struct data_field util_fields[] = {
    DATA_ESTIMATE_AS("cpu_util_frac", parts[PART_CPU].util_frac, "1", "of the cores"),
    DATA_ESTIMATE_AS("accel_util_frac", parts[PART_ACCEL].util_frac, "1", "of the accelerators"),
    {0}};
#undef ROW

static const struct report_column group_columns[] = {
    {"cpu util %", "cpu_util_frac", REPORT_KNOWN_INTERVAL, .scale = 100},
    {"accel util %", "accel_util_frac", REPORT_KNOWN_INTERVAL, .scale = 100},
    {"power W", "power_w", REPORT_INTERVAL, .scale = 1},
    {"QPS/W", "queries_per_j", REPORT_NUMBER, .scale = 1},
    {0}};

static void print_groups(struct report_out *out, const struct meta *m, const struct summary *s)
{
    const struct report_columns columns = {group_columns, summary_group_fields,
                                           .more = util_fields};
    struct ci power = s->fleet.power_w, per_j = s->fleet.queries_per_j;
    struct table *table = table_create(0);
    table_texts(table, (const char *const[]){"group", "platform", "servers", NULL});
    report_columns_heads(&columns, table);
    table_cell(table, mem_strdup("load"));
    table_line(table);
    for (uint32_t g = 0; g < s->n_groups; g++) {
        const struct summary_component *parts = s->groups[g].parts;
        int32_t cpu = parts[PART_CPU].verdict, accel = parts[PART_ACCEL].verdict;
        table_cell(table, mem_strdup(table_or_dash(m->groups[g].name)));
        table_cell(table, mem_strdup(table_or_dash(m->groups[g].platform)));
        table_cell(table, mem_printf("%u", m->groups[g].n_servers));
        report_columns_row(&columns, table, &s->groups[g]);
        table_cell(table, mem_strdup(overload_names[cpu > accel ? cpu : accel]));
    }
    // The fleet has no utilisation of its own, but its queries per joule have an interval.
    table_texts(table, (const char *const[]){"(fleet)", "", NULL});
    table_cell(table, mem_printf("%u", m->n_servers));
    table_texts(table, (const char *const[]){"", "", NULL});
    table_estimate(table, table_interval(power.value, power.half_95, 1), power.value,
                   power.half_95);
    table_estimate(table, table_interval(per_j.value, per_j.half_95, 1), per_j.value,
                   per_j.half_95);
    table_cell(table, mem_strdup(overload_names[s->fleet.verdict]));
    table_print(table, out, "groups");
    table_destroy(table);
}

// "feed: lost 0.12 ±0.03 % (120 of 100000), retried 340, in flight at the end 3"
static void print_service_losses(struct report_out *out, const char *name,
                                 const struct summary_service *s)
{
    char *lost = table_interval(s->lost_frac.value, s->lost_frac.half_95, 100);
    report_text(out, "%s: lost %s %% (%llu of %llu), retried %llu, in flight at the end %llu\n",
                name, lost, (unsigned long long)s->n_lost,
                (unsigned long long)(s->n_queries + s->n_lost + s->n_pending),
                (unsigned long long)s->n_retries,
                (unsigned long long)(s->n_in_flight + s->n_pending));
    if (summary_lost_target(s))
        report_text(out,
                    "    More are lost than p%.10g allows: its target is missed, whatever the "
                    "latency of the others.\n",
                    s->sla_quantile * 100);
    mem_free(lost);
}

// Nothing where nothing can fail.
static void print_losses(struct report_out *out, const struct meta *m, const struct summary *s)
{
    const struct summary_service *all = summary_total(s);
    if (!m->has_outages && !summary_has_losses(s))
        return;
    for (uint32_t i = 0; i < s->n_services; i++)
        print_service_losses(out, table_or_dash(m->services[i].name), &s->services[i]);
    if (s->n_services > 1)
        print_service_losses(out, "(all)", all);
    report_text(
        out, "whole run: %llu queries = %llu answered + %llu lost + %llu in flight at the end\n\n",
        (unsigned long long)all->n_run_generated, (unsigned long long)all->n_run_answered,
        (unsigned long long)all->n_run_lost, (unsigned long long)all->n_run_in_flight);
}

static void print_run(struct report_out *out, const struct run_info *run)
{
    if (report_measured_by(run)) {
        report_text(out,
                    "%llu queries in %.3g s, %s; watts are the platform's curve at that "
                    "utilisation\n",
                    (unsigned long long)run->n_queries, run->wall_s, report_measured_by(run));
        return;
    }
    report_text(out, "%llu queries simulated in %.3g s of wall time on %d rank%s",
                (unsigned long long)run->n_queries, run->wall_s, run->n_ranks,
                run->n_ranks == 1 ? "" : "s");
    if (run->wall_s > 0)
        report_text(out, ": %.3g million queries per wall second",
                    (double)run->n_queries / run->wall_s * 1e-6);
    report_text(out, "\n");
}

void report_print(struct report_out *out, const struct meta *meta, const struct summary *summary,
                  const struct run_info *run)
{
    if (run)
        print_job(out, run);
    print_head(out, meta, summary, run);
    print_verdicts(out, meta, summary);
    report_text(out, "\n");
    print_services(out, meta, summary, rate_columns, true);
    if (summary->fleet.verdict != OVERLOAD_YES) {
        print_services(out, meta, summary, latency_columns, false);
        print_services(out, meta, summary, wait_columns, false);
    }
    print_losses(out, meta, summary);
    print_groups(out, meta, summary);
    report_text(
        out,
        "\n± half-width of the 95 %% confidence interval; n/a: too few queries or too short "
        "a run%s\nserved: queries completed per second; goodput: of these, within their "
        "target\n",
        summary->fleet.verdict == OVERLOAD_YES ? ", or overloaded" : "");
    if (run)
        print_run(out, run);
}
