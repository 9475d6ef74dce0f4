// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_tuning.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/report_chart.h"
#include "results/report/report_tuning.h"
#include "results/report/table.h"
#include "results/report/tuning_rows.h"
#include "results/report/tuning_totals.h"

#define MS 1e3
#define WIDE 20.0 // largest over smallest number from which an axis is logarithmic
#define MOST_POLICIES 8u

struct view {
    const struct tuning_result *t;
    struct tuning_rows rows;
    uint32_t best;               // policy: of the largest mean gain, the first where there is none
    int where;                   // point of its largest gain, or largest rate; -1: no answer at all
    uint32_t n_unreachable;      // points and policies without an answer
    struct tuning_totals totals; // of the best
    bool clear;                  // it holds what the first misses, somewhere
};

// ---- which is the best

static double mean_gain(const struct tuning_totals *s)
{
    return s->n_gains > 0 ? exp(s->gain_log_sum / s->n_gains) : (double)NAN;
}

// Exhaustive search is what others are measured by: it is the best only where there is no other.
static uint32_t best_policy(const struct tuning_rows *v)
{
    uint32_t best = 0;
    double most = -INFINITY;
    for (uint32_t p = 1; p < v->t->n_policies; p++) {
        struct tuning_totals s = tuning_totals_of(v, p);
        if ((int)p == v->exhaustive && v->t->n_policies > 2)
            continue;
        if (mean_gain(&s) > most) {
            most = mean_gain(&s);
            best = p;
        }
    }
    return best;
}

static struct view view_of(const struct tuning_result *t)
{
    struct view v = {.t = t, .rows = tuning_rows_of(t), .where = -1};
    double most = -INFINITY;
    v.best = best_policy(&v.rows);
    v.totals = tuning_totals_of(&v.rows, v.best);
    for (uint32_t point = 0; point < t->grid.n_points; point++) {
        const struct tuning_row row = tuning_rows_row(&v.rows, point, v.best),
                                first = tuning_rows_row(&v.rows, point, 0);
        double size = v.totals.n_gains > 0 && v.best > 0 ? row.gain : row.outcome.qps;
        if (row.found && size > most) {
            most = size;
            v.where = (int)point;
        }
        v.clear |= row.found && first.found &&
                   (row.outcome.qps >= first.outcome.missed_qps ||
                    first.outcome.qps >= row.outcome.missed_qps);
        for (uint32_t p = 0; p < t->n_policies; p++)
            v.n_unreachable += tuning_result_outcome_at(t, point, p)->state == TUNING_UNREACHABLE;
    }
    return v;
}

// ---- words

static char *point_name(const struct tuning_result *t, uint32_t point)
{
    char *name = point_axes_short(&t->grid, point, ", ", NULL, 0);
    if (*name)
        return name;
    mem_free(name);
    return mem_strdup("the server");
}

// "B 251 items, T 320 items"; "" where no setting is used. Caller mem_free()s.
static char *settings_text(const struct view *v, const struct tuning_row *row)
{
    const struct chosen *chosen = &v->t->chosen;
    char *text = mem_strdup("");
    for (uint32_t i = 0; i < chosen->n; i++) {
        const struct data_field *f = &chosen->fields[i];
        bool time = f->kind == DATA_KIND_TIME, plain = strcmp(f->units, "1") == 0;
        if (isnan(row->settings[i]))
            continue;
        char *longer = mem_printf("%s%s%s %.6g%s%s", text, *text ? ", " : "",
                                  chosen->axes[i]->symbol, row->settings[i], plain ? "" : " ",
                                  time    ? "ms"
                                  : plain ? ""
                                          : f->units);
        mem_free(text);
        text = longer;
    }
    return text;
}

static void print_rate_answer(struct report_out *out, const struct view *v)
{
    const struct tuning_result *t = v->t;
    const struct tuning_row row = tuning_rows_row(&v->rows, (uint32_t)v->where, v->best);
    char *qps = table_number(row.outcome.qps), *settings = settings_text(v, &row),
         *name = point_name(t, (uint32_t)v->where);
    page_answer(out, "%s holds %s queries per second%s%s%s%s.", t->policies[v->best], qps,
                *settings ? " with " : "", settings, t->grid.n_points > 1 ? " at " : "",
                t->grid.n_points > 1 ? name : "");
    mem_free(qps);
    mem_free(settings);
    mem_free(name);
}

static void print_gain_answer(struct report_out *out, const struct view *v)
{
    const struct tuning_result *t = v->t;
    const struct tuning_row row = tuning_rows_row(&v->rows, (uint32_t)v->where, v->best),
                            first = tuning_rows_row(&v->rows, (uint32_t)v->where, 0);
    char *qps = table_number(row.outcome.qps), *before = table_number(first.outcome.qps),
         *settings = settings_text(v, &row), *name = point_name(t, (uint32_t)v->where);
    bool many = v->totals.n_gains > 1;
    char *mean =
        many ? mem_printf(" (geometric mean over %u points, %.2f to %.2f); most at %s",
                          v->totals.n_gains, v->totals.gain_least, v->totals.gain_most, name)
             : mem_strdup("");
    char *gap = v->totals.n_gaps > 0 && v->totals.gap_most > 0 && (int)v->best != v->rows.exhaustive
                    ? mem_printf(" It is at most %.1f %% below exhaustive search.",
                                 v->totals.gap_most * 100)
                    : mem_strdup("");
    char *lost = v->n_unreachable > 0
                     ? mem_printf(" %u of %u answers %s missing: no rate reaches the target.",
                                  v->n_unreachable, t->grid.n_points * t->n_policies,
                                  v->n_unreachable == 1 ? "is" : "are")
                     : mem_strdup("");
    page_answer(out,
                "%s holds %.2f times the rate of %s%s: %s queries per second%s%s, compared with "
                "%s.%s%s%s",
                t->policies[v->best], mean_gain(&v->totals), t->policies[0], mean, qps,
                *settings ? " with " : "", settings, before,
                v->clear ? ""
                         : " That is not distinguishable: no rate that one holds was shown to be "
                           "missed by the other.",
                gap, lost);
    char *const texts[] = {qps, before, settings, name, mean, gap, lost};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
}

static void print_answer(struct report_out *out, const struct view *v)
{
    if (v->where < 0)
        page_answer(out, "No policy reaches the target at any rate, on any of %u point%s.",
                    v->t->grid.n_points, v->t->grid.n_points == 1 ? "" : "s");
    else if (v->best > 0 && v->totals.n_gains > 0)
        print_gain_answer(out, v);
    else
        print_rate_answer(out, v);
}

// ---- key numbers

static void print_keys(struct report_out *out, const struct view *v)
{
    const struct tuning_result *t = v->t;
    struct tuning_totals all = {0};
    for (uint32_t p = 0; p < t->n_policies; p++) {
        struct tuning_totals s = tuning_totals_of(&v->rows, p);
        all.n_choices += s.n_choices;
        all.n_runs += s.n_runs;
        all.n_queries += s.n_queries;
        all.n_held += s.n_held;
        all.n_confirmed += s.n_confirmed;
    }
    double efficiency = v->totals.n_efficiencies
                            ? exp(v->totals.efficiency_log_sum / v->totals.n_efficiencies)
                            : (double)NAN;
    char *queries = table_number((double)all.n_queries * 1e-6);
    char *texts[] = {
        mem_printf("%u", t->grid.n_points),
        mem_printf("rate over that of %s", t->policies[0]),
        table_fixed(mean_gain(&v->totals), 2),
        mem_printf("QPS/W over that of %s", t->policies[0]),
        table_fixed(efficiency, 2),
        mem_printf("%u of %u", all.n_held, all.n_confirmed),
        mem_printf("%llu", (unsigned long long)all.n_choices),
        mem_printf("%llu runs, %s million queries", (unsigned long long)all.n_runs, queries),
        mem_printf("%u", v->n_unreachable)};
    struct page_key keys[6];
    size_t n = 0;
    const char *best = t->policies[v->best];
    keys[n++] = (struct page_key){"points", texts[0], NULL};
    if (v->best > 0 && v->totals.n_gains > 0)
        keys[n++] = (struct page_key){texts[1], texts[2], best};
    if (v->best > 0 && isfinite(efficiency))
        keys[n++] = (struct page_key){texts[3], texts[4], best};
    if (all.n_confirmed > 0)
        keys[n++] = (struct page_key){"held on fresh random draws", texts[5], NULL};
    keys[n++] = (struct page_key){"settings tried", texts[6], texts[7]};
    if (v->n_unreachable > 0)
        keys[n++] = (struct page_key){"unreachable", texts[8], NULL};
    page_keys(out, keys, n);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    mem_free(queries);
}

// ---- bars by policy and point

static double rate_of(const struct tuning_row *row)
{
    return row->found ? row->outcome.qps : (double)NAN;
}

static double missed_of(const struct tuning_row *row)
{
    return row->outcome.missed_qps;
}

static double efficiency_of(const struct tuning_row *row)
{
    return row->found ? row->outcome.at_qps.queries_per_j : (double)NAN;
}

static double gain_of(const struct tuning_row *row)
{
    return row->gain;
}

struct bars {
    const char *id, *title, *axis, *caption;
    double (*value)(const struct tuning_row *row);
    double (*most)(const struct tuning_row *row); // where its whisker ends; NULL: none
    uint32_t first;                               // policy
};

static struct chart *bars_of(const struct view *v, const struct bars *b, uint32_t n)
{
    char *names[PAGE_TUNING_POINTS];
    struct chart *c = chart_create(b->id, b->title);
    for (uint32_t i = 0; i < n; i++)
        names[i] = point_name(v->t, i);
    chart_axis_y(c, 0, SCALE_NAMES, "point", "");
    chart_axis_names(&c->panels[0].y, (const char *const *)names, n);
    for (uint32_t i = 0; i < n; i++)
        mem_free(names[i]);
    chart_axis_x(c, SCALE_LINEAR, b->axis, "");
    chart_axis_range(&c->x, 0, NAN);
    return c;
}

// Of gains a line across for each policy.
static void add_mean(const struct view *v, struct chart *c, uint32_t policy)
{
    struct tuning_totals s = tuning_totals_of(&v->rows, policy);
    if (s.n_gains < 2)
        return;
    char *mean = mem_printf("mean of %s: %.2f", v->t->policies[policy], mean_gain(&s));
    chart_rule(c, 0, CHART_RULE_X, mean, mean_gain(&s));
    mem_free(mean);
}

static void print_bars(struct report_out *out, const struct view *v, const struct bars *b)
{
    uint32_t all = v->t->grid.n_points, n = all < PAGE_TUNING_POINTS ? all : PAGE_TUNING_POINTS;
    struct chart *c = bars_of(v, b, n);
    char *left =
        all > n ? mem_printf(" The first %u of %u points; the table has all.", n, all) : NULL;
    for (uint32_t p = b->first; p < v->t->n_policies && p < MOST_POLICIES; p++) {
        uint32_t bars = chart_series(c, 0, CHART_BARS, v->t->policies[p]);
        c->series[bars].colour = p; // in every picture
        for (uint32_t point = 0; point < n; point++) {
            const struct tuning_row row = tuning_rows_row(&v->rows, point, p);
            double value = b->value(&row), most = b->most ? b->most(&row) : (double)NAN;
            chart_point(c, bars, (struct chart_point){value, point, value, most, NAN});
        }
        if (b->value == gain_of)
            add_mean(v, c, p);
    }
    chart_caption(c, "%s%s", b->caption, left ? left : "");
    report_chart(out, c);
    mem_free(left);
}

static void print_answers(struct report_out *out, const struct view *v)
{
    const char *first = v->t->policies[0];
    char *title = mem_printf("Rate over that of %s", first),
         *caption = mem_printf("Largest rate held over that of %s at the same point; means are "
                               "geometric, over the points where both have an answer.",
                               first);
    const struct bars rates = {
        "rates",
        "Largest rate held",
        "queries per second",
        "The largest rate shown to be held within the target; the whisker ends at the "
        "smallest rate shown to be missed. No bar: the target is unreachable.",
        rate_of,
        missed_of,
        0};
    const struct bars gains = {"gains", title, "times", caption, gain_of, NULL, 1};
    const struct bars efficiencies = {"efficiency",
                                      "Queries per joule at that rate",
                                      "QPS/W",
                                      "Queries served per joule, at the largest rate held.",
                                      efficiency_of,
                                      NULL,
                                      0};
    page_heading(out, "answers", "Rates");
    print_bars(out, v, &rates);
    if (v->t->n_policies > 1)
        print_bars(out, v, &gains);
    print_bars(out, v, &efficiencies);
    mem_free(title);
    mem_free(caption);
}

// ---- the climb

static double value_of(const struct chosen *chosen, uint32_t setting,
                       const uint64_t settings[CHOSEN_MOST])
{
    double scale = chosen->fields[setting].kind == DATA_KIND_TIME ? 1e-6 : 1;
    return (double)settings[setting] * scale;
}

struct trial {
    double value;
    const struct tuning_step *step;
};

static int by_value(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    int order = (x->value > y->value) - (x->value < y->value);
    return order ? order : (x->step > y->step) - (x->step < y->step);
}

// The steps are by point: the first that is of it or of a later one.
static uint32_t first_step(const struct tuning_result *t, uint32_t point)
{
    uint32_t from = 0, to = t->n_steps;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (t->steps[middle].point < point)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

// The steps of the search at that point under that policy, by the setting; none where it was not
// varied. Caller mem_free()s.
static struct trial *trials_of(const struct tuning_result *t, uint32_t point, uint32_t policy,
                               uint32_t setting, uint32_t *n)
{
    uint32_t first = first_step(t, point), end = first_step(t, point + 1);
    struct trial *trials = mem_calloc((size_t)(end - first) + 1, sizeof *trials);
    bool varied = false;
    *n = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct tuning_step *step = &t->steps[i];
        // Later streams confirm what was found.
        if (step->point != point || step->policy != policy || step->stream != 0)
            continue;
        trials[*n] = (struct trial){value_of(&t->chosen, setting, step->settings), step};
        varied |= trials[*n].value != trials[0].value;
        ++*n;
    }
    *n = varied ? *n : 0;
    qsort(trials, *n, sizeof *trials, by_value);
    return trials;
}

// Largest rate held at each value, as a line.
static void add_held(struct chart *c, const char *policy, const struct trial *trials, uint32_t n)
{
    uint32_t held = chart_series(c, 0, CHART_LINE, policy);
    for (uint32_t i = 0, end; i < n; i = end) {
        double most = NAN;
        for (end = i; end < n && trials[end].value == trials[i].value; end++)
            if (measurement_overall(&trials[end].step->result) == VERDICT_MET)
                most = fmax(most, trials[end].step->rate_qps);
        if (isfinite(most))
            chart_add(c, held, trials[i].value, most);
    }
}

static void add_missed(struct chart *c, const char *policy, const struct trial *trials, uint32_t n)
{
    char *name = mem_printf("%s, missed", policy);
    uint32_t missed = chart_series(c, 0, CHART_POINTS, name);
    for (uint32_t i = 0; i < n; i++)
        if (measurement_overall(&trials[i].step->result) == VERDICT_MISSED)
            chart_add(c, missed, trials[i].value, trials[i].step->rate_qps);
    mem_free(name);
}

static void add_latencies(struct chart *c, const char *policy, const struct trial *trials,
                          uint32_t n)
{
    uint32_t dots = chart_series(c, 1, CHART_POINTS, policy);
    for (uint32_t i = 0; i < n; i++) {
        struct ci latency = trials[i].step->result.sla_latency_s;
        chart_add_ci(c, dots, trials[i].value, latency.value * MS, latency.half_95 * MS);
    }
}

static int latency_scale(const struct chart *c)
{
    double least = INFINITY, most = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        for (uint32_t k = 0; k < c->series[i].n && c->series[i].panel == 1; k++) {
            least = fmin(least, c->series[i].points[k].y);
            most = fmax(most, c->series[i].points[k].y);
        }
    return most > WIDE * least ? SCALE_LOG : SCALE_LINEAR;
}

// "climb-0"; of a point that is folded away "climb-0-7".
static struct chart *climb_of(const struct view *v, uint32_t point, uint32_t setting)
{
    const struct data_field *f = &v->t->chosen.fields[setting];
    const struct settings_axis *axis = v->t->chosen.axes[setting];
    bool time = f->kind == DATA_KIND_TIME, plain = strcmp(f->units, "1") == 0;
    bool chief = (int)point == v->where;
    char *where = point_name(v->t, point),
         *id = chief ? mem_printf("climb-%u", setting) : mem_printf("climb-%u-%u", setting, point),
         *title = chief ? mem_printf("The climb on %s", axis->symbol)
                        : mem_printf("The climb on %s at %s", axis->symbol, where),
         *label = mem_printf("%s (%s)", axis->symbol, f->name);
    struct chart *c = chart_create(id, title);
    chart_axis_x(c, axis->walk == SETTINGS_FACTORS ? SCALE_LOG : SCALE_LINEAR, label,
                 time    ? "ms"
                 : plain ? ""
                         : f->units);
    chart_axis_y(c, 0, SCALE_LINEAR, "queries per second", "");
    chart_axis_range(&c->panels[0].y, 0, NAN);
    char *const texts[] = {where, id, title, label};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    return c;
}

static void add_chosen(struct chart *c, const char *policy, double value)
{
    char *name = mem_printf("%s: %.6g", policy, isnan(value) ? 0 : value);
    chart_rule(c, 0, CHART_RULE_X, name, isnan(value) ? 0 : value);
    mem_free(name);
}

static void add_latency_panel(const struct view *v, struct chart *c, uint32_t point)
{
    char *where = point_name(v->t, point),
         *latency = mem_printf("p%.10g", v->t->sla_quantile * 100);
    double target_s = tuning_result_outcome_at(v->t, point, v->best)->at_qps.sla_s;
    bool many = v->t->grid.n_points > 1;
    chart_axis_y(c, 1, latency_scale(c), latency, "ms");
    if (target_s > 0)
        chart_rule(c, 1, CHART_RULE_Y, "target", target_s * MS);
    chart_caption(c,
                  "%s%sbove, the highest rate that was held at each value, whatever the other "
                  "settings were, and the rates that were missed; below, %s of each run with its "
                  "95 %% interval. Lines down: the values chosen.",
                  many ? where : "", many ? ": a" : "A", latency);
    mem_free(where);
    mem_free(latency);
}

// `brief`: of each policy the line alone.
static void print_climb(struct report_out *out, const struct view *v, uint32_t point,
                        uint32_t setting, bool brief)
{
    struct chart *c = climb_of(v, point, setting);
    chart_panel_title(c, 0, brief ? NULL : "Rate tried");
    if (brief)
        chart_caption(c, "The highest rate held at each value. Lines down: the values chosen.");
    else
        chart_panel(c, "Latency");
    for (uint32_t p = 0; p < v->t->n_policies && p < MOST_POLICIES; p++) {
        uint32_t n;
        struct trial *trials = trials_of(v->t, point, p, setting, &n);
        const struct tuning_row row = tuning_rows_row(&v->rows, point, p);
        if (n > 0)
            add_held(c, v->t->policies[p], trials, n);
        if (n > 0 && !brief) {
            add_missed(c, v->t->policies[p], trials, n);
            add_latencies(c, v->t->policies[p], trials, n);
        }
        if (n > 0 && row.found)
            add_chosen(c, v->t->policies[p], row.settings[setting]);
        mem_free(trials);
    }
    if (!brief)
        add_latency_panel(v, c, point);
    report_chart(out, c);
}

// Those of the other points are for whoever opens them, or asks for one by its name, and for
// programs; a page has as many as it has room for.
static void print_other_climbs(struct report_out *out, const struct view *v)
{
    bool page = out->format == REPORT_HTML && !out->only;
    const struct tuning_result *t = v->t;
    long start = ftell(out->file); // a page is made in memory
    uint32_t point = 0;
    if (v->where < 0 || t->grid.n_points < 2 || t->n_steps == 0 ||
        !(page || out->only || out->format == REPORT_JSON || out->format == REPORT_CSV))
        return;
    page_fold(out, "The climb at each of the other points");
    for (;
         point < t->grid.n_points && !(page && ftell(out->file) - start > PAGE_TUNING_CLIMB_BYTES);
         point++)
        for (uint32_t i = 0; i < t->chosen.n && (int)point != v->where; i++)
            print_climb(out, v, point, i, page);
    if (point < t->grid.n_points)
        report_text(out,
                    "%u points have no room here. recfleet report --format svg --picture "
                    "climb-0-%u draws that of point %u, and so on.\n",
                    t->grid.n_points - point, point, point);
    else
        report_text(out,
                    "recfleet report --format svg --picture climb-0-%u draws one with the "
                    "rates missed and the latencies.\n",
                    v->where == 0 ? 1 : 0);
    page_unfold(out);
}

static void print_effort(struct report_out *out, const struct view *v)
{
    struct chart *c = chart_create("effort", "What the search took");
    uint32_t n = v->t->n_policies < MOST_POLICIES ? v->t->n_policies : MOST_POLICIES;
    chart_axis_y(c, 0, SCALE_NAMES, "policy", "");
    chart_axis_names(&c->panels[0].y, (const char *const *)v->t->policies, n);
    chart_axis_x(c, SCALE_LINEAR, "number", "");
    uint32_t choices = chart_series(c, 0, CHART_BARS, "settings tried"),
             runs = chart_series(c, 0, CHART_BARS, "simulations");
    for (uint32_t p = 0; p < n; p++) {
        struct tuning_totals s = tuning_totals_of(&v->rows, p);
        chart_add(c, choices, (double)s.n_choices, p);
        chart_add(c, runs, (double)s.n_runs, p);
    }
    chart_caption(c, "Settings that were tried, and simulations that this took, over all points.");
    report_chart(out, c);
}

// ---- the whole

static void print_search(struct report_out *out, const struct view *v)
{
    page_heading(out, "search", "The search");
    for (uint32_t i = 0; i < v->t->chosen.n && v->where >= 0; i++)
        print_climb(out, v, (uint32_t)v->where, i, false);
    print_effort(out, v);
    print_other_climbs(out, v);
}

void page_tuning_print(struct report_out *out, const struct tuning_result *t,
                       const struct published *published)
{
    struct view v = view_of(t);
    char *subtitle = mem_printf(
        "a tuning of recfleet %s: %u point%s, %u polic%s, p%.10g within its target",
        table_or_dash(t->program_version), t->grid.n_points, t->grid.n_points == 1 ? "" : "s",
        t->n_policies, t->n_policies == 1 ? "y" : "ies", t->sla_quantile * 100);
    struct page *page = page_open(out, table_or_dash(t->name), subtitle);
    print_answer(out, &v);
    print_keys(out, &v);
    print_answers(out, &v);
    if (published)
        published_print(out, published, t);
    print_search(out, &v);
    page_heading(out, "tables", "All numbers");
    report_tuning_print(out, t);
    if (t->study)
        page_source(out, "The study", t->study);
    page_close(page);
    mem_free(subtitle);
}
