// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_measured.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/report_chart.h"
#include "results/report/table.h"

#define CURVE_STEP (7.0 / 400) // of the axis of percentiles, below which a point is left out
#define CURVE_END 9.0          // there it ends: 99.9999999 %
#define LOG_FROM 20.0          // times from the median to the largest: a logarithmic axis
#define MS 1e3

// Of the axis of percentiles.
static double place_of(double quantile)
{
    return -log10(1 - quantile);
}

static void add_simulated(struct chart *c, const struct run_result *run, uint32_t service)
{
    uint32_t line = chart_series(c, 0, CHART_LINE, "simulated");
    for (double place = 0; place < CURVE_END; place += CURVE_STEP) {
        double q = 1 - pow(10, -place);
        chart_add(c, line, q, percentile_table_at(run, service, q) * MS);
    }
    uint32_t dots = chart_series(c, 0, CHART_POINTS, "simulated");
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++) {
        struct ci ci = percentile_table_simulated(run, service, summary_quantiles[i]);
        chart_add_ci(c, dots, summary_quantiles[i], ci.value * MS, ci.half_95 * MS);
    }
}

// The whole distribution has no place on the axis, which never ends.
static bool is_placed(const struct percentile_table_measured *m, size_t i, double *last)
{
    double place = place_of(m->quantile[i]);
    if (!isfinite(place) || (i > 0 && place - *last < CURVE_STEP))
        return false;
    *last = place;
    return true;
}

static void set_axis(struct chart *c)
{
    chart_axis_x(c, SCALE_TAIL, "queries answered within", "");
}

static void print_latency(struct report_out *out, const struct run_result *run, uint32_t service,
                          const struct percentile_table_measured *m)
{
    struct chart *c = chart_create("percentiles", "Latency by percentile");
    double last = 0, least_s = percentile_table_at(run, service, 0.5),
           most_s = run->summary->services[service].latency_max_s;
    add_simulated(c, run, service);
    uint32_t line = chart_series(c, 0, CHART_LINE, "measured");
    for (size_t i = 0; i < m->n; i++) {
        if (is_placed(m, i, &last))
            chart_add(c, line, m->quantile[i], m->latency_s[i] * MS);
        if (m->quantile[i] >= 0.5)
            least_s = fmin(least_s, m->latency_s[i]);
        most_s = fmax(most_s, m->latency_s[i]);
    }
    set_axis(c);
    chart_axis_y(c, 0, most_s > LOG_FROM * least_s ? SCALE_LOG : SCALE_LINEAR, "latency", "ms");
    chart_caption(c, "The share of queries across, on a scale that widens the tail, is answered "
                     "within the latency upward. Dots: percentiles of the simulation with 95 %% "
                     "intervals.");
    report_chart(out, c);
}

static void print_ratio(struct report_out *out, const struct run_result *run, uint32_t service,
                        const struct percentile_table_measured *m)
{
    struct chart *c = chart_create("ratio", "Simulated over measured latency");
    uint32_t line = chart_series(c, 0, CHART_LINE, "simulated / measured");
    double last = 0;
    for (size_t i = 0; i < m->n; i++) {
        struct ci ci = percentile_table_simulated(run, service, m->quantile[i]);
        if (m->latency_s[i] > 0 && is_placed(m, i, &last))
            chart_add_ci(c, line, m->quantile[i], ci.value / m->latency_s[i],
                         ci.half_95 / m->latency_s[i]);
    }
    chart_rule(c, 0, CHART_RULE_Y, "as measured", 1);
    set_axis(c);
    chart_axis_y(c, 0, SCALE_LINEAR, "simulated / measured", "");
    chart_caption(c,
                  "The latency that the simulation has at a percentile over the one that was "
                  "measured there: above 1 it is too slow. The band is the 95 %% interval of the "
                  "simulation where it has one; what was measured is taken as it is.");
    report_chart(out, c);
}

void page_measured_print(struct report_out *out, const struct run_result *run, uint32_t service,
                         const struct percentile_table_measured *m)
{
    char *subtitle = mem_printf("%s compared with %s by recfleet", run->path, m->path);
    char *sentence = percentile_table_sentence(run, service, m);
    struct page *page = page_open(out, "Simulated against measured", subtitle);
    page_answer(out, "%s", sentence);
    page_heading(out, "percentiles-both", "Latency, simulated and measured");
    print_latency(out, run, service, m);
    print_ratio(out, run, service, m);
    page_heading(out, "tables", "Every percentile");
    percentile_table_print(out, run, service, m);
    page_close(page);
    mem_free(subtitle);
    mem_free(sentence);
}
