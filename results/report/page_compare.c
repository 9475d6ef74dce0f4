// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_compare.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/report_chart.h"

#define CURVE_STEP (7.0 / 400) // of the axis of percentiles, below which a point is left out
#define LOG_FROM 20.0          // times from the median to p99.9: a logarithmic axis
#define MS 1e3

// ---- the sentence

struct counts {
    size_t n, verdicts[N_COMPARE_VERDICTS];
};

static bool is_of(const struct compare_row *row, const char *what)
{
    return !what || strcmp(row->number->what, what) == 0;
}

// Of all rows, or those of one number.
static struct counts tally_of(const struct compare *c, const char *what)
{
    struct counts tally = {0};
    for (size_t i = 0; i < c->n_rows; i++)
        if (is_of(&c->rows[i], what)) {
            tally.n++;
            tally.verdicts[compare_verdict_of(&c->rows[i])]++;
        }
    return tally;
}

// The number that says most: the first p95, else the first of all.
static const char *leading(const struct compare *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        const char *what = c->rows[i].number->what;
        size_t n = strlen(what);
        if (n >= 3 && strcmp(what + n - 3, "p95") == 0)
            return what;
    }
    return c->rows[0].number->what;
}

// Of what is better, that which gains most on its baseline.
static const struct compare_row *best_of(const struct compare *c, const char *what)
{
    const struct compare_row *best = NULL;
    double most = 0;
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *row = &c->rows[i];
        double gain = fabs(row->diff.value / row->base.value);
        if (is_of(row, what) && compare_verdict_of(row) == COMPARE_BETTER && gain > most) {
            best = row;
            most = gain;
        }
    }
    return best;
}

// "B (policy=jsq)": the letter alone says little in a sentence.
static char *full_name(const struct compare *c, const struct compare_side *side)
{
    char *label = compare_label(c->sides, side);
    bool enough = strchr(label, '=') != NULL;
    char *name = enough        ? mem_strdup(label)
                 : *side->name ? mem_printf("%s (%s)", label, side->name)
                               : mem_printf("%s (%s)", label, side->file);
    mem_free(label);
    return name;
}

// "11.1 ms".
static char *value_text(const struct compare *c, const struct compare_number *number,
                        struct ci value)
{
    struct table_unit unit = compare_unit(number->units, compare_time(c));
    char *text = value.half_95 > 0 ? table_interval(value.value, value.half_95, unit.scale)
                                   : table_known(value.value * unit.scale);
    char *both = mem_printf("%s%s%s", text, *unit.name ? " " : "", unit.name);
    mem_free(text);
    return both;
}

static void answer_two(struct report_out *out, const struct compare *c)
{
    struct counts all = tally_of(c, NULL);
    char *base = full_name(c, c->rows[0].base_side), *other = full_name(c, c->rows[0].other_side);
    page_answer(out,
                "%s is better than %s in %zu of %zu numbers and worse in %zu; %zu are not "
                "distinguishable.",
                other, base, all.verdicts[COMPARE_BETTER], all.n, all.verdicts[COMPARE_WORSE],
                all.verdicts[COMPARE_ALIKE]);
    mem_free(base);
    mem_free(other);
}

static void answer_many(struct report_out *out, const struct compare *c, const char *what)
{
    struct counts tally = tally_of(c, what);
    const struct compare_row *best = best_of(c, what);
    char *lead =
        mem_printf("%s: of %zu compared with their baseline, %zu are better, %zu worse and %zu not "
                   "distinguishable",
                   what, tally.n, tally.verdicts[COMPARE_BETTER], tally.verdicts[COMPARE_WORSE],
                   tally.verdicts[COMPARE_ALIKE]);
    if (best) {
        char *name = full_name(c, best->other_side),
             *value = value_text(c, best->number, best->other),
             *base = value_text(c, best->number, best->base);
        page_answer(out, "%s; the largest gain: %s, %s instead of %s.", lead, name, value, base);
        mem_free(name);
        mem_free(value);
        mem_free(base);
    } else {
        page_answer(out, "%s.", lead);
    }
    mem_free(lead);
}

// ---- latency by percentile

static uint64_t count_at(const struct run_result *run, uint32_t bucket)
{
    uint32_t n = run->meta->n_services * N_PATHS;
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += run->rest.counts[(size_t)bucket * n + i];
    return all;
}

// Of every bucket its upper end, from the fraction below it on; but for those hardly further on.
static void add_curve(struct chart *c, uint32_t series, const struct run_result *run)
{
    uint64_t all = 0, below = 0;
    double last = -1;
    for (uint32_t i = 0; i < run->rest.n_buckets; i++)
        all += count_at(run, i);
    for (uint32_t i = 0; i < run->rest.n_buckets; i++) {
        uint64_t n = count_at(run, i);
        double q = (double)below / (double)all, place = -log10(1 - q);
        below += n;
        if (n == 0 || place - last < CURVE_STEP)
            continue;
        chart_add(c, series, q, run->rest.bucket_end_s[i] * MS);
        last = place;
    }
}

static void print_percentiles(struct report_out *out, const struct compare *c,
                              const struct run_result *const *runs, size_t n_runs)
{
    size_t n = n_runs < PAGE_COMPARE_SIDES ? n_runs : PAGE_COMPARE_SIDES, at = 0;
    bool wide = false, many = false;
    struct chart *chart = chart_create("percentiles", "Latency by percentile");
    for (size_t i = 0; i < c->sides->n && at < n; i++) {
        const struct compare_side *side = &c->sides->list[i];
        const struct run_result *run = runs[at];
        if (strcmp(side->file, run->path) != 0)
            continue;
        const struct ci *latency = summary_total(run->summary)->latency_s;
        bool overloaded = run->summary->fleet.verdict == OVERLOAD_YES;
        char *name = full_name(c, side);
        if (!overloaded)
            add_curve(chart, chart_series(chart, 0, CHART_STEP, name), run);
        wide |= latency[SUMMARY_P999].value > LOG_FROM * latency[SUMMARY_P50].value;
        many |= run->meta->n_services > 1;
        mem_free(name);
        at++;
    }
    chart_axis_x(chart, SCALE_TAIL, "queries answered within", "");
    chart_axis_y(chart, 0, wide ? SCALE_LOG : SCALE_LINEAR, "latency", "ms");
    chart_caption(chart,
                  "The share of queries across, on a scale that widens the tail, is answered "
                  "within the latency upward%s. Overloaded runs have no latency.",
                  many ? ", all services together" : "");
    report_chart(out, chart);
}

// ---- differences

// Row of a name, a new one where it is new; PAGE_COMPARE_ROWS: there is no room.
static uint32_t row_of(const char **names, uint32_t *n, const char *name)
{
    for (uint32_t i = 0; i < *n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    if (*n == PAGE_COMPARE_ROWS)
        return PAGE_COMPARE_ROWS;
    names[*n] = name;
    return (*n)++;
}

static uint32_t dots_of(struct chart *chart, const char *name)
{
    for (uint32_t i = 0; i < chart->n_series; i++)
        if (strcmp(chart->series[i].name, name) == 0)
            return i;
    return chart_series(chart, 0, CHART_POINTS, name);
}

static void add_difference(struct chart *chart, uint32_t dots, uint32_t at,
                           const struct compare_row *row)
{
    double percent = 100 / fabs(row->base.value);
    if (at < PAGE_COMPARE_ROWS && isfinite(row->diff.value * percent))
        chart_point(chart, dots,
                    (struct chart_point){row->diff.value * percent, at, row->low * percent,
                                         row->high * percent, NAN});
}

// The values of its labels, which are short enough for a picture.
static char *values_of(const struct compare *c, const struct compare_side *side)
{
    char *name = compare_label(c->sides, side);
    char *to = name;
    for (const char *from = name; *from;) {
        size_t n = strcspn(from, ",");
        const char *sign = memchr(from, '=', n), *value = sign ? sign + 1 : from;
        size_t n_value = n - (size_t)(value - from);
        memmove(to, value, n_value);
        to += n_value;
        from += n;
        while (*from == ',' || *from == ' ')
            *to++ = *from++;
    }
    *to = 0;
    return name;
}

// Of few sides every number has a row, and each side a colour; of many each side has a row, for the
// one number that says most.
static void print_differences(struct report_out *out, const struct compare *c, const char *what,
                              bool few)
{
    const char *names[PAGE_COMPARE_ROWS];
    char *owned[PAGE_COMPARE_ROWS] = {0};
    uint32_t n = 0;
    struct chart *chart = chart_create("differences", "Differences from the baseline");
    chart_axis_x(chart, SCALE_LINEAR, "difference", "% of the baseline");
    chart->panels[0].y.kind = SCALE_NAMES; // intervals lie along x
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *row = &c->rows[i];
        char *side = full_name(c, row->other_side);
        if (few) {
            add_difference(chart, dots_of(chart, side), row_of(names, &n, row->number->what), row);
        } else if (is_of(row, what) && n < PAGE_COMPARE_ROWS) {
            owned[n] = values_of(c, row->other_side);
            names[n] = owned[n];
            add_difference(chart, dots_of(chart, what), n, row);
            n++;
        }
        mem_free(side);
    }
    chart_axis_names(&chart->panels[0].y, names, n);
    chart_rule(chart, 0, CHART_RULE_X, "no difference", 0);
    chart_caption(chart,
                  "%s%sin percent of the baseline's number, with its own 95 %% interval. The "
                  "verdicts in the table allow for all rows together.",
                  few ? "Each number, " : what, few ? "" : ", ");
    report_chart(out, chart);
    for (uint32_t i = 0; i < n; i++)
        mem_free(owned[i]);
}

// ---- the numbers of each side

// Late and lost queries have a column only where there are some.
static bool is_column(const struct compare *c, const struct compare_number *number)
{
    bool any = !number->quiet;
    for (size_t i = 0; i < c->sides->n && !any; i++) {
        const struct compare_number *own = compare_side_find(&c->sides->list[i], number->what);
        any = own && own->value.value > 0;
    }
    return any;
}

static void print_sides(struct report_out *out, const struct compare *c)
{
    const struct compare_side *first = c->rows[0].base_side;
    const struct compare_number *end = first->numbers + first->n_numbers;
    struct table_unit time = compare_time(c);
    struct table *table = table_create(0);
    table_cell(table, mem_strdup("result"));
    for (const struct compare_number *n = first->numbers; n < end; n++) {
        const char *unit = compare_unit(n->units, time).name;
        if (is_column(c, n))
            table_cell(table, mem_printf("%s%s%s", n->what, *unit ? " " : "", unit));
    }
    table_line(table);
    for (size_t i = 0; i < c->sides->n; i++) {
        table_cell(table, full_name(c, &c->sides->list[i]));
        for (const struct compare_number *n = first->numbers; n < end; n++) {
            const struct compare_number *own = compare_side_find(&c->sides->list[i], n->what);
            struct ci ci = own ? own->value : ci_none();
            double scale = compare_unit(n->units, time).scale;
            if (is_column(c, n))
                table_estimate(table,
                               ci.half_95 > 0 ? table_interval(ci.value, ci.half_95, scale)
                                              : table_known(ci.value * scale),
                               ci.value * scale, ci.half_95 * scale);
        }
    }
    table_print(table, out, "results");
    table_destroy(table);
}

// ---- all

void page_compare_print(struct report_out *out, const struct compare *c,
                        const struct run_result *const *runs, size_t n_runs)
{
    const char *what = leading(c);
    struct counts tally = tally_of(c, what);
    char *base = full_name(c, c->rows[0].base_side);
    char *subtitle = *c->baseline ? mem_printf("a comparison by recfleet, with %s", c->baseline)
                                  : mem_printf("a comparison by recfleet, with %s", base);
    struct page *page = page_open(out, "Comparison", subtitle);
    if (tally.n == 1)
        answer_two(out, c);
    else
        answer_many(out, c, what);
    page_heading(out, "differ", "What differs");
    print_differences(out, c, what, tally.n <= PAGE_COMPARE_SIDES);
    if (n_runs > 1)
        print_percentiles(out, c, runs, n_runs);
    page_heading(out, "results-each", "Each result");
    print_sides(out, c);
    page_heading(out, "tables", "All differences");
    compare_print(out, c);
    page_close(page);
    mem_free(base);
    mem_free(subtitle);
}
