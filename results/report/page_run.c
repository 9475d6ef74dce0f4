// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_run.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/report/page.h"
#include "results/report/report.h"
#include "results/report/report_chart.h"
#include "results/report/report_fidelity.h"
#include "results/report/report_slowest.h"
#include "results/report/table.h"

#define MS 1e3
#define LONG_S 7200.0    // from here on time is told by the clock
#define CURVE_POINTS 400 // of a latency curve
#define HISTOGRAM_BARS 48
#define HISTOGRAM_CUT 0.001 // of the queries are beyond either end of it
#define WIDE_LATENCY 20.0   // p99.9 over p50 from which a latency axis is logarithmic
#define TARGET_FAR 4.0      // a target so many times the tail is out of the picture
#define HEAT_COLUMNS 50u
#define HEAT_ROWS 20u
#define FEW_COLUMNS 10u

// ---- words

static double utilisation(const struct run_result *run)
{
    double most = NAN;
    for (uint32_t g = 0; g < run->summary->n_groups; g++)
        for (int part = 0; part < N_PARTS; part++)
            most = fmax(most, run->summary->groups[g].parts[part].util_frac.value);
    return most;
}

// The service with a target that is nearest to missing it, or farthest beyond; -1: there is none.
static int worst_service(const struct run_result *run)
{
    int worst = -1;
    double most = -1;
    for (uint32_t i = 0; i < run->summary->n_services; i++) {
        const struct summary_service *s = &run->summary->services[i];
        double near = s->sla_latency_s.value / s->sla_s;
        if (s->sla == VERDICT_NOT_ASKED)
            continue;
        if (worst < 0 || s->sla > run->summary->services[worst].sla ||
            (s->sla == run->summary->services[worst].sla && near > most)) {
            worst = (int)i;
            most = near;
        }
    }
    return worst;
}

static void answer_overload(struct report_out *out, const struct run_result *run)
{
    const struct summary_service *all = summary_total(run->summary);
    char *offered = table_number(all->offered_qps.value),
         *served = table_number(all->served_qps.value);
    char *growth = table_number(all->queue_growth_qps.value);
    page_answer(out,
                "The fleet is overloaded: of %s queries per second that arrive it serves %s, and "
                "its queues grow by %s per second.",
                offered, served, growth);
    mem_free(offered);
    mem_free(served);
    mem_free(growth);
}

static void answer_target(struct report_out *out, const struct run_result *run, int worst)
{
    const char *const does[] = {"is within", "may be within or above", "misses"};
    const struct summary_service *s = &run->summary->services[worst];
    uint32_t n = run->summary->n_services;
    char *latency = table_interval(s->sla_latency_s.value, s->sla_latency_s.half_95, MS);
    char *qps = table_number(s->offered_qps.value);
    page_answer(
        out,
        "%s%s %s its target: p%.10g is %s ms of %.6g ms, at %s queries per second on %u server%s.",
        n > 1 ? "Nearest to missing: " : "", table_or_dash(run->meta->services[worst].name),
        does[s->sla], s->sla_quantile * 100, latency, s->sla_s * MS, qps, run->meta->n_servers,
        run->meta->n_servers == 1 ? "" : "s");
    mem_free(latency);
    mem_free(qps);
}

static void print_answer(struct report_out *out, const struct run_result *run)
{
    const struct summary_service *all = summary_total(run->summary);
    int worst = worst_service(run);
    if (run->summary->fleet.verdict == OVERLOAD_YES) {
        answer_overload(out, run);
    } else if (worst >= 0) {
        answer_target(out, run, worst);
    } else {
        char *p95 = table_interval(all->latency_s[SUMMARY_P95].value,
                                   all->latency_s[SUMMARY_P95].half_95, MS);
        page_answer(
            out, "p95 is %s ms on %u server%s, of which the busiest part is used to %.3g %%.", p95,
            run->meta->n_servers, run->meta->n_servers == 1 ? "" : "s", utilisation(run) * 100);
        mem_free(p95);
    }
}

static void print_keys(struct report_out *out, const struct run_result *run)
{
    const struct summary_service *all = summary_total(run->summary);
    const struct summary_fleet *fleet = &run->summary->fleet;
    const struct ci *latency = all->latency_s;
    char *texts[] = {table_interval(all->served_qps.value, all->served_qps.half_95, 1),
                     table_interval(latency[SUMMARY_P50].value, latency[SUMMARY_P50].half_95, MS),
                     table_interval(latency[SUMMARY_P95].value, latency[SUMMARY_P95].half_95, MS),
                     table_interval(latency[SUMMARY_P99].value, latency[SUMMARY_P99].half_95, MS),
                     mem_printf("%.3g %%", utilisation(run) * 100),
                     fleet->power_w.value == 0 // no server has a power curve
                         ? mem_strdup("-")
                         : table_interval(fleet->power_w.value, fleet->power_w.half_95, 1),
                     table_interval(fleet->queries_per_j.value, fleet->queries_per_j.half_95, 1),
                     mem_printf("%llu", (unsigned long long)run->info.n_queries)};
    const struct page_key keys[] = {
        {"served, queries per second", texts[0], NULL},
        {"p50, ms", texts[1], NULL},
        {"p95, ms", texts[2], NULL},
        {"p99, ms", texts[3], NULL},
        {"busiest part is used to", texts[4], NULL},
        {"power, W", texts[5], NULL},
        {"queries per joule (QPS/W)", texts[6], NULL},
        {report_measured_by(&run->info) ? "queries served" : "queries simulated", texts[7], NULL}};
    page_keys(out, keys, sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
}

// ---- latency

static uint32_t shown_services(const struct run_result *run)
{
    uint32_t n = run->meta->n_services;
    return n < PAGE_RUN_SERVICES ? n : PAGE_RUN_SERVICES;
}

static uint64_t count_at(const struct run_result *run, uint32_t bucket, uint32_t service)
{
    const uint64_t *row = &run->rest.counts[(size_t)bucket * run->meta->n_services * N_PATHS];
    uint64_t n = 0;
    for (int path = 0; path < N_PATHS; path++)
        n += row[service * N_PATHS + (uint32_t)path];
    return n;
}

static uint64_t count_all(const struct run_result *run, uint32_t service)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < run->rest.n_buckets; i++)
        n += count_at(run, i, service);
    return n;
}

static int latency_scale(const struct run_result *run)
{
    const struct ci *latency = summary_total(run->summary)->latency_s;
    return latency[SUMMARY_P999].value > WIDE_LATENCY * latency[SUMMARY_P50].value ? SCALE_LOG
                                                                                   : SCALE_LINEAR;
}

// Of every bucket its upper end, from the fraction below it on; but for those hardly further on.
static void add_curve(struct chart *c, uint32_t series, const struct run_result *run,
                      uint32_t service)
{
    uint64_t all = count_all(run, service), below = 0;
    double last = -1;
    for (uint32_t i = 0; i < run->rest.n_buckets && all > 0; i++) {
        uint64_t n = count_at(run, i, service);
        double q = (double)below / (double)all, place = -log10(1 - q);
        below += n;
        if (n == 0 || place - last < 7.0 / CURVE_POINTS)
            continue;
        chart_add(c, series, q, run->rest.bucket_end_s[i] * MS);
        last = place;
    }
}

// Not where it would squeeze all else into a corner.
static bool shows_target(const struct run_result *run, uint32_t service)
{
    const struct summary_service *s = &run->summary->services[service];
    double most_s = fmax(s->latency_s[SUMMARY_P999].value, s->latency_s[SUMMARY_P99].value);
    return s->sla_s > 0 && !(s->sla_s > TARGET_FAR * most_s);
}

static void print_percentiles(struct report_out *out, const struct run_result *run)
{
    struct chart *c = chart_create("percentiles", "Latency by percentile");
    chart_caption(
        c,
        "The share of queries across, on a scale that widens the tail, is answered within "
        "the latency upward. Dots: percentiles with 95 %% intervals. Measured %g s .. %g s.",
        simtime_to_s(run->summary->fleet.from_ns), simtime_to_s(run->summary->fleet.to_ns));
    chart_axis_x(c, SCALE_TAIL, "queries answered within", "");
    chart_axis_y(c, 0, latency_scale(run), "latency", "ms");
    for (uint32_t s = 0; s < shown_services(run); s++) {
        const struct summary_service *numbers = &run->summary->services[s];
        const char *name = table_or_dash(run->meta->services[s].name);
        add_curve(c, chart_series(c, 0, CHART_STEP, name), run, s);
        uint32_t dots = chart_series(c, 0, CHART_POINTS, name);
        for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
            chart_add_ci(c, dots, summary_quantiles[q], numbers->latency_s[q].value * MS,
                         numbers->latency_s[q].half_95 * MS);
        if (shows_target(run, s)) {
            char *target =
                mem_printf("target%s%s: p%.10g %.6g ms", run->meta->n_services > 1 ? " of " : "",
                           run->meta->n_services > 1 ? name : "", numbers->sla_quantile * 100,
                           numbers->sla_s * MS);
            chart_rule(c, 0, CHART_RULE_Y, target, numbers->sla_s * MS);
            mem_free(target);
        }
    }
    report_chart(out, c);
}

// Bars of equal width on the axis that hold all but the last thousandth.
static void add_histogram(struct chart *c, uint32_t series, const struct run_result *run,
                          uint32_t service, int kind, double from_s, double to_s)
{
    uint64_t all = count_all(run, service), bars[HISTOGRAM_BARS] = {0};
    struct scale scale = {kind, from_s, to_s};
    for (uint32_t i = 0; i < run->rest.n_buckets; i++) {
        double middle_s = (run->rest.bucket_s[i] + run->rest.bucket_end_s[i]) / 2;
        double at = scale_at(&scale, middle_s) * HISTOGRAM_BARS;
        if (at >= 0 && at < HISTOGRAM_BARS)
            bars[(int)at] += count_at(run, i, service);
    }
    for (int i = 0; i < HISTOGRAM_BARS && all > 0; i++) {
        double frac = (i + 0.5) / HISTOGRAM_BARS;
        double middle_s =
            kind == SCALE_LOG ? from_s * pow(to_s / from_s, frac) : from_s + (to_s - from_s) * frac;
        chart_add(c, series, middle_s * MS, 100 * (double)bars[i] / (double)all);
    }
}

// Where a thousandth of all queries is below.
static double lowest_s(const struct run_result *run)
{
    double all = 0, below = 0;
    for (uint32_t s = 0; s < run->meta->n_services; s++)
        all += (double)count_all(run, s);
    for (uint32_t i = 0; i < run->rest.n_buckets; i++) {
        for (uint32_t s = 0; s < run->meta->n_services; s++)
            below += (double)count_at(run, i, s);
        if (below > HISTOGRAM_CUT * all)
            return run->rest.bucket_s[i];
    }
    return NAN;
}

static void print_histogram(struct report_out *out, const struct run_result *run)
{
    const struct summary_service *all = summary_total(run->summary);
    double from_s = lowest_s(run);
    double to_s = all->latency_s[SUMMARY_P999].value;
    if (!(to_s > from_s))
        to_s = all->latency_max_s;
    if (!(to_s > from_s))
        return;
    int kind = latency_scale(run);
    struct chart *c = chart_create("histogram", "How latency is spread");
    chart_caption(
        c, "Percent of the queries in each of %d classes, from the 0.1th to the 99.9th percentile.",
        HISTOGRAM_BARS);
    chart_axis_x(c, kind, "latency", "ms");
    chart_axis_y(c, 0, SCALE_LINEAR, "queries", "%");
    uint32_t n = shown_services(run);
    for (uint32_t s = 0; s < n; s++)
        add_histogram(c,
                      chart_series(c, 0, n > 1 ? CHART_STEP : CHART_BARS,
                                   table_or_dash(run->meta->services[s].name)),
                      run, s, kind, from_s, to_s);
    const int marked[] = {SUMMARY_P50, SUMMARY_P95, SUMMARY_P99};
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
        char *name =
            mem_printf("p%.10g%s", summary_quantiles[marked[i]] * 100, n > 1 ? " of all" : "");
        chart_rule(c, 0, CHART_RULE_X, name, all->latency_s[marked[i]].value * MS);
        mem_free(name);
    }
    report_chart(out, c);
}

// ---- over time

static bool is_long(const struct run_result *run)
{
    return simtime_to_s(run->meta->duration_ns) >= LONG_S;
}

static struct chart *over_time(const struct run_result *run, const char *id, const char *title)
{
    struct chart *c = chart_create(id, title);
    chart_axis_x(c, is_long(run) ? SCALE_CLOCK : SCALE_LINEAR, is_long(run) ? "time, h" : "time",
                 is_long(run) ? "" : "s");
    return c;
}

static double middle_of(const struct run_result *run, uint32_t bin)
{
    return (run->bins.start_s[bin] + run->bins.times[bin].end_s) / 2;
}

static double length_of(const struct run_result *run, uint32_t bin)
{
    return run->bins.times[bin].end_s - run->bins.start_s[bin];
}

static void mark_warmup(struct chart *c, const struct run_result *run)
{
    double from_s = simtime_to_s(run->summary->fleet.from_ns);
    if (from_s > 0)
        chart_rule(c, 0, CHART_RULE_X, "measured from here", from_s);
}

static void print_tail(struct report_out *out, const struct run_result *run)
{
    uint32_t n = run->meta->n_services;
    bool one = n == 1;
    struct chart *c = over_time(run, "tail", one ? "Latency over time" : "p95 over time");
    chart_caption(c, "Percentiles of the queries that arrive in each of %u time bins.",
                  run->bins.n);
    chart_axis_y(c, 0, SCALE_LINEAR, one ? "latency" : "p95", "ms");
    const int shown[] = {SUMMARY_P50, SUMMARY_P95, SUMMARY_P99};
    for (uint32_t i = 0; i < (one ? 3 : shown_services(run)); i++) {
        int q = one ? shown[i] : SUMMARY_P95;
        char *name = one ? mem_printf("p%.10g", summary_quantiles[q] * 100)
                         : mem_strdup(table_or_dash(run->meta->services[i].name));
        uint32_t series = chart_series(c, 0, CHART_LINE, name);
        for (uint32_t b = 0; b < run->bins.n; b++)
            chart_add(c, series, middle_of(run, b),
                      run->bins.services[(size_t)b * n + (one ? 0 : i)].latency_s[q] * MS);
        mem_free(name);
    }
    if (one && shows_target(run, 0)) {
        char *target = mem_printf("target: p%.10g", run->summary->services[0].sla_quantile * 100);
        chart_rule(c, 0, CHART_RULE_Y, target, run->summary->services[0].sla_s * MS);
        mem_free(target);
    }
    mark_warmup(c, run);
    report_chart(out, c);
}

static void add_part(struct chart *c, uint32_t panel, const struct run_result *run, uint32_t g,
                     int part, bool util)
{
    uint32_t n_groups = run->meta->n_groups;
    if (run->summary->groups[g].parts[part].n_units == 0)
        return;
    char *name = mem_printf("%s, %s", table_or_dash(run->meta->groups[g].name),
                            part == PART_CPU ? "cores" : "accelerators");
    uint32_t series = chart_series(c, panel, CHART_LINE, name);
    for (uint32_t b = 0; b < run->bins.n; b++) {
        const struct run_part *row =
            &run->bins.parts[((size_t)b * n_groups + g) * N_PARTS + (size_t)part];
        chart_add(c, series, middle_of(run, b),
                  util ? row->util_frac * 100 : row->drain_max_s * MS);
    }
    mem_free(name);
}

static void print_load(struct report_out *out, const struct run_result *run)
{
    struct chart *c = over_time(run, "load", "Traffic, utilisation and waiting over time");
    chart_caption(c, "Queries that arrive and are completed; how busy the parts of the fleet are; "
                     "how long new work would wait at the worst server, at each bin's end.");
    chart_panel_title(c, 0, "Queries");
    chart_axis_y(c, 0, SCALE_LINEAR, "per second", "");
    chart_axis_range(&c->panels[0].y, 0, NAN);
    uint32_t arrive = chart_series(c, 0, CHART_LINE, "arriving"),
             done = chart_series(c, 0, CHART_LINE, "completed");
    for (uint32_t b = 0; b < run->bins.n; b++) {
        double came = 0, went = 0;
        for (uint32_t s = 0; s < run->meta->n_services; s++) {
            const struct run_bin_rest *rest =
                &run->rest.bins[(size_t)b * run->meta->n_services + s];
            came += (double)run->bins.services[(size_t)b * run->meta->n_services + s].n_queries +
                    (double)rest->n_lost + (double)rest->n_pending;
            went += (double)rest->n_completed;
        }
        chart_add(c, arrive, middle_of(run, b), came / length_of(run, b));
        chart_add(c, done, middle_of(run, b), went / length_of(run, b));
    }
    uint32_t util = chart_panel(c, "Utilisation"),
             drain = chart_panel(c, "Wait at the worst server");
    chart_axis_y(c, util, SCALE_LINEAR, "", "%");
    chart_axis_range(&c->panels[util].y, 0, 100);
    chart_axis_y(c, drain, SCALE_LINEAR, "", "ms");
    chart_axis_range(&c->panels[drain].y, 0, NAN);
    for (uint32_t g = 0; g < run->meta->n_groups && g < PAGE_RUN_SERVICES; g++)
        for (int part = 0; part < N_PARTS; part++) {
            add_part(c, util, run, g, part, true);
            add_part(c, drain, run, g, part, false);
        }
    mark_warmup(c, run);
    report_chart(out, c);
}

// ---- where time goes

static void print_parts(struct report_out *out, const struct run_result *run)
{
    const char *const names[] = {"network and merging", "queue wait", "service"};
    struct chart *c = chart_create("time", "Where a query's time goes");
    chart_caption(c, "Mean over the measured queries: the wait of its last request in a queue, its "
                     "service, and the way there and back.");
    chart_axis_x(c, SCALE_LINEAR, "mean time", "ms");
    chart_axis_range(&c->x, 0, NAN);
    chart_axis_names(&c->panels[0].y, names, 3);
    for (uint32_t s = 0; s < shown_services(run); s++) {
        const struct summary_service *n = &run->summary->services[s];
        double rest = n->latency_mean_s.value - n->wait_mean_s.value - n->service_mean_s.value;
        uint32_t bars = chart_series(c, 0, CHART_BARS, table_or_dash(run->meta->services[s].name));
        chart_add(c, bars, fmax(rest, 0) * MS, 0);
        chart_add_ci(c, bars, n->wait_mean_s.value * MS, 1, n->wait_mean_s.half_95 * MS);
        chart_add_ci(c, bars, n->service_mean_s.value * MS, 2, n->service_mean_s.half_95 * MS);
    }
    report_chart(out, c);
}

// ---- servers

// Rows, and columns where there are few, are called by the number of their first server.
static void name_axis(struct chart_axis *axis, const char *before, uint32_t n, uint32_t step)
{
    char *names[HEAT_ROWS];
    for (uint32_t i = 0; i < n; i++)
        names[i] = mem_printf("%s%u", before, i * step);
    chart_axis_names(axis, (const char *const *)names, n);
    for (uint32_t i = 0; i < n; i++)
        mem_free(names[i]);
}

// Neighbours share a cell of the picture where there are more than it has.
static void print_servers(struct report_out *out, const struct run_result *run)
{
    uint32_t n = run->meta->n_servers, most = HEAT_COLUMNS * HEAT_ROWS;
    uint32_t each = (n + most - 1) / most, n_cells = each ? (n + each - 1) / each : 0;
    uint32_t columns = n_cells <= HEAT_COLUMNS ? n_cells : HEAT_COLUMNS;
    if (n < 2 || !run->rest.servers)
        return;
    struct chart *c = chart_create("servers", "How busy each server is");
    chart_caption(c,
                  "Utilisation of the cores, servers in the order of their numbers, row by row%s. "
                  "From %g s on.",
                  each > 1 ? "; a cell is the mean of neighbours" : "", run->rest.servers_from_s);
    chart_axis_x(c, SCALE_LINEAR, each > 1 ? "cell of the row" : "server of the row", "");
    uint32_t rows = (n_cells + columns - 1) / columns;
    chart_axis_range(&c->x, 0, columns);
    if (columns < FEW_COLUMNS) // ticks would be between two of them
        name_axis(&c->x, "", columns, 1);
    chart_axis_y(c, 0, SCALE_NAMES, "server", "");
    name_axis(&c->panels[0].y, "from ", rows, columns * each);
    c->z_label = mem_strdup("utilisation, %");
    uint32_t cells = chart_series(c, 0, CHART_CELLS, "cores");
    for (uint32_t i = 0; i < n_cells; i++) {
        double sum = 0;
        uint32_t k = 0;
        for (; k < each && i * each + k < n; k++)
            sum += run->rest.servers[i * each + k].cpu_util_frac;
        double x = i % columns, low = columns < FEW_COLUMNS ? x - 0.5 : x;
        chart_point(c, cells, (struct chart_point){x, i / columns, low, low + 1, 100 * sum / k});
    }
    report_chart(out, c);
}

// ---- the whole

void page_run_print(struct report_out *out, const struct run_result *run)
{
    const struct meta *m = run->meta;
    char *subtitle = mem_printf(
        "a run of recfleet %s: policy %s, %u server%s, %g s %s, seed %llu",
        table_or_dash(m->program_version), table_or_dash(m->policy), m->n_servers,
        m->n_servers == 1 ? "" : "s", simtime_to_s(m->duration_ns),
        report_measured_by(&run->info) ? "for real" : "simulated", (unsigned long long)m->seed);
    struct page *page = page_open(out, table_or_dash(m->study_name), subtitle);
    bool latency = run->summary->fleet.verdict != OVERLOAD_YES;
    print_answer(out, run);
    print_keys(out, run);
    if (latency) {
        page_heading(out, "latency", "Latency");
        print_percentiles(out, run);
        print_histogram(out, run);
        print_tail(out, run);
        print_parts(out, run);
    }
    page_heading(out, "fleet", "The fleet");
    print_load(out, run);
    print_servers(out, run);
    page_heading(out, "tables", "All numbers");
    report_print(out, m, run->summary, &run->info);
    report_slowest_print(out, m, &run->slowest);
    report_fidelity_print(out, &run->fidelity);
    if (m->study_text)
        page_source(out, "The study, resolved", m->study_text);
    page_close(page);
    mem_free(subtitle);
}
