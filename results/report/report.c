// SPDX-License-Identifier: Apache-2.0
#include "results/report/report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/report/table.h"

static void add_ci(struct table *table, struct ci ci, double scale)
{
    table_cell(table, table_interval(ci.value, ci.half_95, scale));
}

static const char *name_of(const char *name)
{
    return name && name[0] ? name : "-";
}

static void print_head(FILE *out, const struct meta *m, const struct summary *s)
{
    double from_s = simtime_to_s(s->fleet.from_ns), to_s = simtime_to_s(s->fleet.to_ns);
    fprintf(out, "recfleet %s   study %s   policy %s   seed %llu\n", name_of(m->program_version),
            name_of(m->study_name), name_of(m->policy), (unsigned long long)m->seed);
    fprintf(out, "%u cell%s, %u servers   simulated %g s, measured %g s .. %g s (warm-up %s)\n",
            m->n_cells, m->n_cells == 1 ? "" : "s", m->n_servers, simtime_to_s(m->duration_ns),
            from_s, to_s,
            m->warmup_auto     ? "detected"
            : m->warmup_ns > 0 ? "given"
                               : "none");
    if (!s->fleet.settled)
        fprintf(out, "note: latency was still moving half-way through: no end of the warm-up was "
                     "seen; run longer\n");
}

// "job 4711   2 nodes, 8 ranks   resumed 3 times"; nothing of a run that is neither in a batch job
// nor was resumed.
static void print_job(FILE *out, const struct run_info *run)
{
    bool in_job = run->job_id && *run->job_id;
    if (!in_job && run->n_restarts == 0)
        return;
    if (in_job)
        fprintf(out, "job %s   ", run->job_id);
    if (run->n_nodes > 0)
        fprintf(out, "%d node%s, ", run->n_nodes, run->n_nodes == 1 ? "" : "s");
    fprintf(out, "%d rank%s", run->n_ranks, run->n_ranks == 1 ? "" : "s");
    if (run->n_restarts == 1)
        fprintf(out, "   resumed once");
    else if (run->n_restarts > 1)
        fprintf(out, "   resumed %llu times", (unsigned long long)run->n_restarts);
    fprintf(out, "\n");
}

static void print_verdicts(FILE *out, const struct meta *m, const struct summary *s)
{
    for (uint32_t g = 0; g < s->n_groups; g++) {
        for (int part = 0; part < N_PARTS; part++) {
            const struct summary_component *c = &s->groups[g].parts[part];
            if (c->n_units == 0 || c->verdict == OVERLOAD_NO)
                continue;
            bool over = c->verdict == OVERLOAD_YES;
            char *load = table_interval(c->load_frac.value, c->load_frac.half_95, 100);
            fprintf(out, "%s: group %s, %s: offered work is %s %% of its capacity,\n",
                    over ? "*** OVERLOADED ***" : "!!! NEAR SATURATION", name_of(m->groups[g].name),
                    summary_part_names[part], load);
            fprintf(out, "    and its worst server's queue grew by %.3g s per s of the run.\n",
                    c->drain_growth_frac);
            mem_free(load);
        }
    }
    if (s->fleet.verdict == OVERLOAD_YES)
        fprintf(out, "    A backlog grows without bound: there is no latency to report.\n");
    else if (s->fleet.verdict == OVERLOAD_UNSURE)
        fprintf(out, "    This run is too short to tell whether the backlog is bounded; do not "
                     "trust its latency.\n");
}

static char *sla_text(const struct summary_service *s, struct table_unit unit)
{
    const char *const verdicts[] = {"", "met", "MISSED", "unsure"};
    if (s->sla == SLA_NONE)
        return mem_strdup("-");
    return mem_printf("p%g %g %s: %s", s->sla_quantile * 100, s->sla_s * unit.scale, unit.name,
                      verdicts[s->sla]);
}

static void add_rates_row(struct table *table, const char *name, const struct summary_service *s,
                          struct table_unit unit)
{
    table_cell(table, mem_strdup(name));
    table_cell(table, table_number(s->offered_qps.value));
    add_ci(table, s->served_qps, 1);
    add_ci(table, s->latency_s[0], unit.scale);
    add_ci(table, s->latency_s[2], unit.scale);
    add_ci(table, s->latency_s[3], unit.scale);
    table_cell(table, sla_text(s, unit));
}

static void head_row(struct table *table, const char *const *heads, int n, const char *unit)
{
    for (int i = 0; i < n; i++) {
        const char *hole = strchr(heads[i], '@'); // where the unit of time goes
        if (hole)
            table_cell(table,
                       mem_printf("%.*s%s%s", (int)(hole - heads[i]), heads[i], unit, hole + 1));
        else
            table_cell(table, mem_strdup(heads[i]));
    }
}

static struct table_unit unit_of(const struct summary *s)
{
    double typical_s = summary_total(s)->latency_s[0].value;
    if (isnan(typical_s) && s->n_services > 0)
        typical_s = s->services[0].sla_s;
    return table_time_unit(typical_s);
}

static void print_rates(FILE *out, const struct meta *m, const struct summary *s)
{
    const char *const heads[] = {"service", "offered qps", "served qps", "p50 @",
                                 "p95 @",   "p99 @",       "target"};
    struct table_unit unit = unit_of(s);
    struct table *table = table_create(7);
    head_row(table, heads, 7, unit.name);
    for (uint32_t i = 0; i < s->n_services; i++)
        add_rates_row(table, name_of(m->services[i].name), &s->services[i], unit);
    if (s->n_services > 1)
        add_rates_row(table, "(all)", summary_total(s), unit);
    table_print(table, out);
    table_destroy(table);
}

static void add_details_row(struct table *table, const char *name, const struct summary_service *s,
                            struct table_unit unit)
{
    table_cell(table, mem_strdup(name));
    add_ci(table, s->latency_mean_s, unit.scale);
    add_ci(table, s->wait_mean_s, unit.scale);
    add_ci(table, s->latency_s[4], unit.scale);
    table_cell(table, table_number(s->latency_max_s * unit.scale));
    add_ci(table, s->waited_frac, 100);
    if (s->sla_s > 0)
        add_ci(table, s->late_frac, 100);
    else
        table_cell(table, mem_strdup("-"));
    table_cell(table, table_number(s->accel_query_frac.value * 100));
}

static void print_details(FILE *out, const struct meta *m, const struct summary *s)
{
    const char *const heads[] = {"service", "mean @",   "wait @", "p99.9 @",
                                 "max @",   "waited %", "late %", "accel %"};
    struct table_unit unit = unit_of(s);
    struct table *table = table_create(8);
    head_row(table, heads, 8, unit.name);
    for (uint32_t i = 0; i < s->n_services; i++)
        add_details_row(table, name_of(m->services[i].name), &s->services[i], unit);
    if (s->n_services > 1)
        add_details_row(table, "(all)", summary_total(s), unit);
    table_print(table, out);
    table_destroy(table);
}

static void add_util(struct table *table, const struct summary_component *c)
{
    if (c->n_units == 0)
        table_cell(table, mem_strdup("-"));
    else
        add_ci(table, c->util_frac, 100);
}

static void print_groups(FILE *out, const struct meta *m, const struct summary *s)
{
    const char *const heads[] = {"group",        "platform", "servers", "cpu util %",
                                 "accel util %", "power W",  "QPS/W",   "load"};
    struct table *table = table_create(8);
    head_row(table, heads, 8, "");
    for (uint32_t g = 0; g < s->n_groups; g++) {
        const struct summary_component *parts = s->groups[g].parts;
        int32_t cpu = parts[PART_CPU].verdict, accel = parts[PART_ACCEL].verdict;
        table_cell(table, mem_strdup(name_of(m->groups[g].name)));
        table_cell(table, mem_strdup(name_of(m->groups[g].platform)));
        table_cell(table, mem_printf("%u", m->groups[g].n_servers));
        add_util(table, &parts[PART_CPU]);
        add_util(table, &parts[PART_ACCEL]);
        add_ci(table, s->groups[g].power_w, 1);
        table_cell(table, table_number(s->groups[g].queries_per_j));
        table_cell(table, mem_strdup(overload_names[cpu > accel ? cpu : accel]));
    }
    table_cell(table, mem_strdup("(fleet)"));
    table_cell(table, mem_strdup(""));
    table_cell(table, mem_printf("%u", m->n_servers));
    table_cell(table, mem_strdup(""));
    table_cell(table, mem_strdup(""));
    add_ci(table, s->fleet.power_w, 1);
    add_ci(table, s->fleet.queries_per_j, 1);
    table_cell(table, mem_strdup(overload_names[s->fleet.verdict]));
    table_print(table, out);
    table_destroy(table);
}

// "feed: lost 0.12 ±0.03 % (120 of 100000), retried 340, in flight at the end 3"
static void print_service_losses(FILE *out, const char *name, const struct summary_service *s)
{
    char *lost = table_interval(s->lost_frac.value, s->lost_frac.half_95, 100);
    fprintf(out, "%s: lost %s %% (%llu of %llu), retried %llu, in flight at the end %llu\n", name,
            lost, (unsigned long long)s->n_lost,
            (unsigned long long)(s->n_queries + s->n_lost + s->n_pending),
            (unsigned long long)s->n_retries, (unsigned long long)(s->n_in_flight + s->n_pending));
    if (summary_lost_target(s))
        fprintf(out,
                "    More are lost than p%g allows: its target is missed, whatever the "
                "latency of the others.\n",
                s->sla_quantile * 100);
    mem_free(lost);
}

// Nothing where nothing can fail.
static void print_losses(FILE *out, const struct meta *m, const struct summary *s)
{
    const struct summary_service *all = summary_total(s);
    if (!m->has_outages && !summary_has_losses(s))
        return;
    for (uint32_t i = 0; i < s->n_services; i++)
        print_service_losses(out, name_of(m->services[i].name), &s->services[i]);
    if (s->n_services > 1)
        print_service_losses(out, "(all)", all);
    fprintf(out,
            "whole run: %llu queries = %llu answered + %llu lost + %llu in flight at the end\n\n",
            (unsigned long long)all->n_run_generated, (unsigned long long)all->n_run_answered,
            (unsigned long long)all->n_run_lost, (unsigned long long)all->n_run_in_flight);
}

static void print_run(FILE *out, const struct run_info *run)
{
    fprintf(out, "%llu queries simulated in %.3g s of wall time on %d rank%s",
            (unsigned long long)run->n_queries, run->wall_s, run->n_ranks,
            run->n_ranks == 1 ? "" : "s");
    if (run->wall_s > 0)
        fprintf(out, ": %.3g million queries per wall second",
                (double)run->n_queries / run->wall_s * 1e-6);
    fprintf(out, "\n");
}

void report_print(FILE *out, const struct meta *meta, const struct summary *summary,
                  const struct run_info *run)
{
    if (run)
        print_job(out, run);
    print_head(out, meta, summary);
    print_verdicts(out, meta, summary);
    fprintf(out, "\n");
    print_rates(out, meta, summary);
    fprintf(out, "\n");
    if (summary->fleet.verdict != OVERLOAD_YES) {
        print_details(out, meta, summary);
        fprintf(out, "\n");
    }
    print_losses(out, meta, summary);
    print_groups(out, meta, summary);
    fprintf(out,
            "\n± half-width of the 95 %% confidence interval; n/a: too few queries or time "
            "bins%s\n",
            summary->fleet.verdict == OVERLOAD_YES ? ", or overloaded" : "");
    if (run)
        print_run(out, run);
}
