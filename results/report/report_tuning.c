// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_tuning.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/report_columns.h"
#include "results/report/table.h"
#include "results/report/tuning_totals.h"
#include "results/report/tuning_rows.h"

#define WIDTH 120

// ---- a line per point and policy

static const char *const met_words[] = {"yes", "?", "NO", "-"};
static const char *const missed_words[] = {"no", "?", "yes", "-"};

static bool is_reached(const void *row)
{
    return ((const struct tuning_row *)row)->outcome.state != TUNING_UNREACHABLE;
}

// Rare columns; the target's percentile has none of its own where it is one of the usual two.
static bool is_wanted(const void *context, const struct report_column *column)
{
    const struct tuning_rows *v = context;
    double quantile = v->t->sla_quantile;
    if (strcmp(column->field, "gap_frac") == 0)
        return v->exhaustive >= 0;
    if (strcmp(column->field, "claimed_qps") == 0)
        return v->claims;
    if (strcmp(column->field, "tuned_qps") == 0)
        return v->tuned_elsewhere;
    if (strcmp(column->field, "tail") == 0)
        return v->t->p99_bound > 0;
    return fabs(quantile - 0.95) > 1e-9 && fabs(quantile - 0.99) > 1e-9;
}

static const struct report_column answer_columns[] = {
    {"held QPS", "qps", REPORT_KNOWN, .scale = 1, .shown = is_reached, .hidden = "unreachable"},
    {"missed QPS", "missed_qps", REPORT_KNOWN, .scale = 1},
    {"gain x", "gain", REPORT_HUNDREDTHS, .scale = 1},
    {"gap %", "gap_frac", REPORT_TENTHS, .scale = 100, .wanted = is_wanted},
    {"QPS/W", "queries_per_j", REPORT_KNOWN, .scale = 1},
    {"claims QPS", "claimed_qps", REPORT_KNOWN, .scale = 1, .wanted = is_wanted},
    {"tuned QPS", "tuned_qps", REPORT_KNOWN, .scale = 1, .wanted = is_wanted},
    {0}};

static const struct report_column evidence_columns[] = {
    {"p95 @", "p95_s", .form = REPORT_KNOWN_INTERVAL},
    {"p99 @", "p99_s", .form = REPORT_KNOWN_INTERVAL},
    {"stable", "stable", .words = met_words},
    {"SLA", "sla", .words = met_words},
    {"p99 ok", "tail", .words = met_words, .wanted = is_wanted},
    {"anew", "confirmed", .words = met_words},
    {"+5 %", "confirmed_over", .words = missed_words},
    {0}};

static const struct report_column cost_columns[] = {
    {"power W", "power_w", REPORT_KNOWN, .scale = 1},
    {"cpu %", "cpu_util_frac", REPORT_TENTHS, .scale = 100},
    {"accel %", "accel_util_frac", REPORT_TENTHS, .scale = 100},
    {"offload %", "accel_item_frac", REPORT_TENTHS, .scale = 100},
    {"choices", "n_choices", REPORT_WHOLE, .scale = 1},
    {"bounded", "n_bounded", REPORT_WHOLE, .scale = 1},
    {"runs", "n_runs", REPORT_WHOLE, .scale = 1},
    {"Mqueries", "n_queries", REPORT_KNOWN, .scale = 1e-6},
    {"wall s", "wall_s", REPORT_TENTHS, .scale = 1},
    {0}};

// The settings of the choice, "B items". Heads are the caller's to free.
static void setting_columns(const struct chosen *chosen, struct report_column *columns)
{
    for (uint32_t i = 0; i < chosen->n; i++) {
        const struct data_field *f = &chosen->fields[i];
        bool time = f->kind == DATA_KIND_TIME, plain = strcmp(f->units, "1") == 0;
        columns[i] = (struct report_column){.head = mem_printf("%s%s%s", chosen->axes[i]->symbol,
                                                               plain ? "" : " ",
                                                               time    ? "@"
                                                               : plain ? ""
                                                                       : f->units),
                                            .field = f->name,
                                            .form = time ? REPORT_KNOWN : REPORT_WHOLE,
                                            .scale = 1};
    }
}

// A table of the columns `first`, then `rest`.
static void print_columns(struct report_out *out, const char *name, const struct tuning_rows *v,
                          const struct report_column *first, const struct report_column *rest)
{
    const struct report_columns lists[] = {{first, v->fields, .unit = {"ms", 1e3}, .context = v},
                                           {rest, v->fields, .unit = {"ms", 1e3}, .context = v}};
    struct table *table = table_create(0);
    tuning_rows_add_heads(v, table);
    table_cell(table, mem_strdup("policy"));
    report_columns_heads(&lists[0], table);
    report_columns_heads(&lists[1], table);
    table_line(table);
    for (uint32_t point = 0; point < v->t->grid.n_points; point++) {
        for (uint32_t policy = 0; policy < v->t->n_policies; policy++) {
            const struct tuning_row row = tuning_rows_row(v, point, policy);
            if (!tuning_rows_is_done(&row.outcome))
                continue;
            tuning_rows_add_labels(v, table, point);
            table_cell(table, mem_strdup(v->t->policies[policy]));
            report_columns_row(&lists[0], table, &row);
            report_columns_row(&lists[1], table, &row);
        }
    }
    table_left(table, tuning_rows_n_labels(v) + 1);
    table_print(table, out, name);
    table_destroy(table);
    report_text(out, "\n");
}

static void print_tables(struct report_out *out, const struct tuning_rows *v)
{
    struct report_column settings[CHOSEN_MOST + 1] = {{0}};
    char *quantile = mem_printf("p%.10g @", v->t->sla_quantile * 100);
    const struct report_column targets[] = {
        {"target @", "sla_s", .form = REPORT_KNOWN},
        {quantile, "sla_latency_s", REPORT_KNOWN_INTERVAL, .wanted = is_wanted},
        {0}};
    static const struct report_column none[] = {{0}};
    setting_columns(&v->t->chosen, settings);
    print_columns(out, "answer", v, settings, answer_columns);
    print_columns(out, "evidence", v, targets, evidence_columns);
    print_columns(out, "cost", v, none, cost_columns);
    for (uint32_t i = 0; i < v->t->chosen.n; i++)
        mem_free((char *)(uintptr_t)settings[i].head);
    mem_free(quantile);
}

static void print_full(struct report_out *out, const struct tuning_rows *v)
{
    print_tables(out, v);
    report_text(
        out,
        "held, missed: largest rate shown to be held, smallest shown to be missed; gain: over "
        "%s%s\n",
        v->t->policies[0], v->exhaustive >= 0 ? "; gap: below exhaustive" : "");
    if (v->claims)
        report_text(out, "claims: what the policy itself believes it holds\n");
    if (v->tuned_elsewhere)
        report_text(out,
                    "tuned: held on the sizes that were tuned on; the rest is on the service's "
                    "own sizes\n");
    report_text(out,
                "± half-width of the 95 %% confidence interval; ?: too close to tell\n"
                "anew: held on fresh draws; +5 %%: missed there at 1.05 times the rate, as a tight "
                "answer is\n");
    report_text(out, "offload: share of the items on the accelerator; bounded: choices settled by "
                     "their bound alone, without a run\n");
}

// ---- one line per point

// "251/320"; "25" where what follows is not used; "-".
static char *choice_text(const struct tuning_rows *v, const struct tuning_row *row)
{
    char *text = mem_strdup("");
    uint32_t n = v->t->chosen.n;
    while (n > 0 && isnan(row->settings[n - 1]))
        n--;
    for (uint32_t i = 0; i < n; i++) {
        bool time = v->t->chosen.fields[i].kind == DATA_KIND_TIME;
        char *value = time ? table_known(row->settings[i]) : table_fixed(row->settings[i], 0);
        char *longer = mem_printf("%s%s%s", text, i > 0 ? "/" : "", value);
        mem_free(value);
        mem_free(text);
        text = longer;
    }
    if (n > 0)
        return text;
    mem_free(text);
    return mem_strdup("-");
}

// "B/T items"; the unit where all have the same.
static char *choice_head(const struct chosen *chosen)
{
    const char *units = chosen->n > 0 ? chosen->fields[0].units : "1";
    char *head = mem_strdup("");
    for (uint32_t i = 0; i < chosen->n; i++) {
        char *longer = mem_printf("%s%s%s", head, i > 0 ? "/" : "", chosen->axes[i]->symbol);
        mem_free(head);
        head = longer;
        units = strcmp(units, chosen->fields[i].units) == 0 ? units : "1";
    }
    if (strcmp(units, "1") == 0)
        return head;
    char *longer = mem_printf("%s %s", head, strcmp(units, "s") == 0 ? "ms" : units);
    mem_free(head);
    return longer;
}

// A rate with a mark for what stands against it.
static char *marked_rate(const struct tuning_outcome *o)
{
    if (o->state == TUNING_UNREACHABLE)
        return mem_strdup("unreach.");
    bool broken =
        measurement_overall(&o->at_qps) == VERDICT_MISSED || o->confirmed == VERDICT_MISSED;
    bool loose = o->confirmed == VERDICT_UNSURE || o->confirmed_over == VERDICT_UNSURE ||
                 o->confirmed_over == VERDICT_MET;
    char *rate = table_known(o->qps), *text = mem_printf("%s%s", rate,
                                                         broken  ? "!"
                                                         : loose ? "?"
                                                                 : " ");
    mem_free(rate);
    return text;
}

// Columns of one policy: choice, rate, gain but for the first, gap but for exhaustive.
static bool shows_gain(uint32_t policy)
{
    return policy > 0;
}

static bool shows_gap(const struct tuning_rows *v, uint32_t policy)
{
    return v->exhaustive >= 0 && policy != (uint32_t)v->exhaustive && policy > 0;
}

// Columns on the page, and of the table, that the policy takes.
static int policy_width(const struct tuning_rows *v, uint32_t policy)
{
    int name = table_width_of(v->t->policies[policy]);
    return (name > 9 ? name : 9) + 12 + (shows_gain(policy) ? 8 : 0) +
           (shows_gap(v, policy) ? 7 : 0);
}

static int policy_columns(const struct tuning_rows *v, uint32_t policy)
{
    return 2 + shows_gain(policy) + shows_gap(v, policy);
}

// Two lines of heads: whose columns these are, and what they hold.
static void add_policy_name(const struct tuning_rows *v, uint32_t policy, struct table *table)
{
    table_cell(table, mem_strdup(v->t->policies[policy]));
    for (int i = 1; i < policy_columns(v, policy); i++)
        table_cell(table, NULL);
}

static void add_policy_heads(const struct tuning_rows *v, uint32_t policy, struct table *table)
{
    table_cell(table, choice_head(&v->t->chosen));
    table_cell(table, mem_strdup("QPS "));
    if (shows_gain(policy))
        table_cell(table, mem_strdup("gain x"));
    if (shows_gap(v, policy))
        table_cell(table, mem_strdup("gap %"));
}

static void add_policy(const struct tuning_rows *v, uint32_t point, uint32_t policy,
                       struct table *table)
{
    const struct tuning_row row = tuning_rows_row(v, point, policy);
    table_cell(table, choice_text(v, &row));
    table_value(table, marked_rate(&row.outcome), row.outcome.qps);
    if (shows_gain(policy))
        table_value(table, table_fixed(row.gain, 2), row.gain);
    if (shows_gap(v, policy))
        table_value(table, table_fixed(row.gap_frac * 100, 1), row.gap_frac * 100);
}

// All points under the policies [first, end).
static void print_lines(struct report_out *out, const struct tuning_rows *v, uint32_t first,
                        uint32_t end)
{
    int n = tuning_rows_n_labels(v);
    for (uint32_t p = first; p < end; p++)
        n += policy_columns(v, p);
    struct table *table = table_create(n);
    for (int i = 0; i < tuning_rows_n_labels(v); i++)
        table_cell(table, NULL);
    for (uint32_t p = first; p < end; p++)
        add_policy_name(v, p, table);
    tuning_rows_add_heads(v, table);
    for (uint32_t p = first; p < end; p++)
        add_policy_heads(v, p, table);
    for (uint32_t point = 0; point < v->t->grid.n_points; point++) {
        tuning_rows_add_labels(v, table, point);
        for (uint32_t p = first; p < end; p++)
            add_policy(v, point, p, table);
    }
    table_left(table, tuning_rows_n_labels(v));
    table_heads(table, 2);
    table_print(table, out, "points");
    table_destroy(table);
    report_text(out, "\n");
}

// As many policies side by side as fit the page.
static void print_compact(struct report_out *out, const struct tuning_rows *v)
{
    for (uint32_t first = 0, end; first < v->t->n_policies; first = end) {
        int width = v->label_width;
        for (end = first; end < v->t->n_policies; end++) {
            width += policy_width(v, end);
            if (width > WIDTH && end > first)
                break;
        }
        print_lines(out, v, first, end);
    }
    report_text(out,
                "QPS: largest rate shown to be held (!: not held by fresh draws; ?: these, or 5 %% "
                "more, decide nothing)\ngain: over %s%s\n",
                v->t->policies[0], v->exhaustive >= 0 ? "; gap: below exhaustive" : "");
}

// ---- round the tables

static void print_head(struct report_out *out, const struct tuning_result *t)
{
    report_text(out, "recfleet %s   study %s   tuning   seed %llu   %u point%s\n",
                t->program_version && t->program_version[0] ? t->program_version : "-",
                t->name && t->name[0] ? t->name : "-", (unsigned long long)t->seed,
                t->grid.n_points, t->grid.n_points == 1 ? "" : "s");
    report_text(out, "A rate is held when every queue is stable and p%.10g is within its target",
                t->sla_quantile * 100);
    if (t->p99_bound > 0)
        report_text(out, ", p99 within %g times it", t->p99_bound);
    report_text(out, ".\n\n");
}

static void print_numbers(struct report_out *out, const struct tuning_rows *v)
{
    for (uint32_t point = 0; v->numbered && point < v->t->grid.n_points; point++) {
        char *name = point_axes_name(&v->t->grid, point, ", ");
        report_text(out, "point %u: %s\n", point, name);
        mem_free(name);
    }
    if (v->numbered)
        report_text(out, "\n");
}

// Why a policy has no answer.
static void print_reason(struct report_out *out, const struct tuning_outcome *o)
{
    char *target = table_known(o->at_qps.sla_s * 1e3), *floor = table_known(o->floor_s * 1e3);
    if (o->floor_s > o->at_qps.sla_s)
        report_text(out, "target %s ms below the latency floor %s ms\n", target, floor);
    else if (isfinite(o->floor_s))
        report_text(out, "target %s ms missed at any rate, latency floor %s ms\n", target, floor);
    else
        report_text(out, "target %s ms missed at any rate\n", target);
    mem_free(target);
    mem_free(floor);
}

static void print_point_name(struct report_out *out, const struct tuning_rows *v, uint32_t point)
{
    char *name =
        v->numbered ? mem_printf("point %u", point) : point_axes_name(&v->t->grid, point, ", ");
    report_text(out, "unreachable%s%s:\n", name[0] ? ", " : "", name);
    mem_free(name);
}

static void print_unreachable(struct report_out *out, const struct tuning_rows *v)
{
    for (uint32_t point = 0; point < v->t->grid.n_points; point++) {
        bool named = false;
        for (uint32_t p = 0; p < v->t->n_policies; p++) {
            const struct tuning_outcome *o = tuning_result_outcome_at(v->t, point, p);
            if (o->state != TUNING_UNREACHABLE)
                continue;
            if (!named)
                print_point_name(out, v, point);
            named = true;
            report_text(out, "    %s: ", v->t->policies[p]);
            print_reason(out, o);
        }
    }
}

// Not where it was stopped: totals over other points for every policy would say nothing.
static bool all_done(const struct tuning_result *t)
{
    size_t n = (size_t)t->grid.n_points * t->n_policies, i = 0;
    while (i < n && tuning_rows_is_done(&t->outcomes[i]))
        i++;
    return i == n;
}

void report_tuning_print(struct report_out *out, const struct tuning_result *tuning)
{
    struct tuning_rows v = tuning_rows_of(tuning);
    print_head(out, tuning);
    print_numbers(out, &v);
    if (tuning->grid.n_points <= REPORT_TUNING_FULL)
        print_full(out, &v);
    else
        print_compact(out, &v);
    print_unreachable(out, &v);
    if (tuning->grid.n_points > 1 && all_done(tuning))
        tuning_totals_print(out, &v);
}
