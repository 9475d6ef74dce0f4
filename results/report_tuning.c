// SPDX-License-Identifier: Apache-2.0
#include "results/report_tuning.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/table.h"

#define WIDTH 120
#define MOST_LABEL_WIDTH 32      // beyond it cells are called by number
#define MOST_LABEL_WIDTH_WIDE 20 // the same when the rare columns are shown, too
#define CLOSE_FRAC 0.03          // of exhaustive: a search that comes this near has found it

// A tuning, and what its tables show of it.
struct view {
    const struct tuning *t;
    int exhaustive;               // policy, or -1
    bool numbered;                // cells are called by number
    bool claims, tuned_elsewhere; // some outcome's claimed_qps, tuned_qps differ from its qps
    int label_width;              // of all label columns together
};

static const struct tuning_outcome *outcome(const struct view *v, uint32_t cell, uint32_t policy)
{
    return tuning_outcome_at(v->t, cell, policy);
}

static bool is_found(const struct tuning_outcome *o)
{
    return o->state == TUNING_FOUND && o->qps > 0;
}

// Over the first policy in the same cell; NaN where one of them has no answer.
static double gain_of(const struct view *v, uint32_t cell, uint32_t policy)
{
    const struct tuning_outcome *o = outcome(v, cell, policy), *base = outcome(v, cell, 0);
    return is_found(o) && is_found(base) ? o->qps / base->qps : NAN;
}

static double efficiency_gain_of(const struct view *v, uint32_t cell, uint32_t policy)
{
    const struct tuning_outcome *o = outcome(v, cell, policy), *base = outcome(v, cell, 0);
    return is_found(o) && is_found(base) ? o->qps_per_w / base->qps_per_w : NAN;
}

// How far below exhaustive, as a fraction of it; negative: above.
static double gap_of(const struct view *v, uint32_t cell, uint32_t policy)
{
    if (v->exhaustive < 0)
        return NAN;
    const struct tuning_outcome *o = outcome(v, cell, policy);
    const struct tuning_outcome *best = outcome(v, cell, (uint32_t)v->exhaustive);
    return is_found(o) && is_found(best) ? 1 - o->qps / best->qps : NAN;
}

// ---- what a view shows

static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

// Label columns and the gaps behind them.
static int label_width(const struct tuning *t)
{
    int all = 0;
    for (uint32_t a = 0; a < t->n_axes; a++) {
        int most = width_of(t->axes[a].name);
        for (uint32_t i = 0; i < t->axes[a].n_labels; i++) {
            int width = width_of(t->axes[a].labels[i]);
            most = width > most ? width : most;
        }
        all += most + 2;
    }
    return all;
}

static bool differs(double a, double b)
{
    return isfinite(a) && isfinite(b) && a != b;
}

static struct view view_of(const struct tuning *t)
{
    struct view v = {.t = t, .exhaustive = tuning_find_policy(t, "exhaustive")};
    v.label_width = label_width(t);
    for (size_t i = 0; i < (size_t)t->n_cells * t->n_policies; i++) {
        const struct tuning_outcome *o = &t->outcomes[i];
        v.claims |= differs(o->claimed_qps, o->qps);
        v.tuned_elsewhere |= differs(o->tuned_qps, o->qps);
    }
    int most = v.claims || v.tuned_elsewhere ? MOST_LABEL_WIDTH_WIDE : MOST_LABEL_WIDTH;
    v.numbered = v.label_width > most;
    if (v.numbered)
        v.label_width = 6;
    return v;
}

static int n_label_columns(const struct view *v)
{
    return v->numbered ? 1 : (int)v->t->n_axes;
}

// ---- rows

// Cells of one row, released when it is in its table.
struct row {
    int n;
    char **cells;
};

static struct row row_of(int n_columns)
{
    return (struct row){0, mem_calloc((size_t)n_columns, sizeof(char *))};
}

static void add(struct row *row, char *owned)
{
    row->cells[row->n++] = owned;
}

static void end_row(struct table *table, struct row *row)
{
    table_row(table, (const char *const *)row->cells);
    for (int i = 0; i < row->n; i++)
        mem_free(row->cells[i]);
    mem_free(row->cells);
}

static void add_label_heads(const struct view *v, struct row *row)
{
    if (v->numbered)
        add(row, mem_strdup("cell"));
    for (uint32_t a = 0; !v->numbered && a < v->t->n_axes; a++)
        add(row, mem_strdup(v->t->axes[a].name));
}

static void add_labels(const struct view *v, struct row *row, uint32_t cell)
{
    if (v->numbered)
        add(row, mem_printf("%u", cell));
    for (uint32_t a = 0; !v->numbered && a < v->t->n_axes; a++)
        add(row, mem_strdup(tuning_label(v->t, cell, a)));
}

// "-" where there is nothing to know.
static char *number(double value)
{
    return isfinite(value) ? table_number(value) : mem_strdup("-");
}

static char *fixed(double value, int decimals)
{
    return isfinite(value) ? mem_printf("%.*f", decimals, value) : mem_strdup("-");
}

static char *share(uint64_t part, uint64_t whole)
{
    return mem_printf("%llu/%llu", (unsigned long long)part, (unsigned long long)whole);
}

// ---- columns of the full tables

struct column {
    const char *head; // "p@": the target's percentile
    char *(*text)(const struct view *v, uint32_t cell, uint32_t policy, const struct column *c);
    size_t offset; // of the member that number_text and its like show
    double scale;
    int decimals;                         // of number_text; -1: four digits in all
    bool (*wanted)(const struct view *v); // NULL: always
};

static double real_at(const struct view *v, uint32_t cell, uint32_t policy, size_t offset)
{
    double value;
    memcpy(&value, (const char *)outcome(v, cell, policy) + offset, sizeof value);
    return value;
}

static char *number_text(const struct view *v, uint32_t cell, uint32_t policy,
                         const struct column *c)
{
    double value = real_at(v, cell, policy, c->offset) * c->scale;
    return c->decimals < 0 ? number(value) : fixed(value, c->decimals);
}

// The half-width is the member behind the value.
static char *interval_text(const struct view *v, uint32_t cell, uint32_t policy,
                           const struct column *c)
{
    double value = real_at(v, cell, policy, c->offset);
    if (!isfinite(value))
        return mem_strdup("-");
    return table_interval(value, real_at(v, cell, policy, c->offset + sizeof value), c->scale);
}

static char *count_text(const struct view *v, uint32_t cell, uint32_t policy,
                        const struct column *c)
{
    uint64_t value;
    memcpy(&value, (const char *)outcome(v, cell, policy) + c->offset, sizeof value);
    return mem_printf("%llu", (unsigned long long)value);
}

static char *queries_text(const struct view *v, uint32_t cell, uint32_t policy,
                          const struct column *c)
{
    (void)c;
    return number((double)outcome(v, cell, policy)->n_queries * 1e-6);
}

static int32_t verdict_at(const struct view *v, uint32_t cell, uint32_t policy, size_t offset)
{
    int32_t verdict;
    memcpy(&verdict, (const char *)outcome(v, cell, policy) + offset, sizeof verdict);
    return verdict;
}

// One of four words, by verdict; nothing was looked at where there is no answer.
static char *verdict_text(const struct view *v, uint32_t cell, uint32_t policy, size_t offset,
                          const char *const *words)
{
    bool found = is_found(outcome(v, cell, policy));
    return mem_strdup(words[found ? verdict_at(v, cell, policy, offset) : TUNING_NOT_ASKED]);
}

static char *met_text(const struct view *v, uint32_t cell, uint32_t policy, const struct column *c)
{
    const char *const words[] = {"yes", "?", "NO", "-"};
    return verdict_text(v, cell, policy, c->offset, words);
}

static char *missed_text(const struct view *v, uint32_t cell, uint32_t policy,
                         const struct column *c)
{
    const char *const words[] = {"no", "?", "yes", "-"};
    return verdict_text(v, cell, policy, c->offset, words);
}

static char *batch_text(const struct view *v, uint32_t cell, uint32_t policy,
                        const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = outcome(v, cell, policy);
    return is_found(o) ? mem_printf("%u", o->batch_items) : mem_strdup("-");
}

static char *offload_text(const struct view *v, uint32_t cell, uint32_t policy,
                          const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = outcome(v, cell, policy);
    return is_found(o) && o->offload_items > 0 ? mem_printf("%u", o->offload_items)
                                               : mem_strdup("-");
}

static char *rate_text(const struct view *v, uint32_t cell, uint32_t policy, const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = outcome(v, cell, policy);
    return o->state == TUNING_UNREACHABLE ? mem_strdup("unreachable") : number(o->qps);
}

static char *gain_text(const struct view *v, uint32_t cell, uint32_t policy, const struct column *c)
{
    (void)c;
    return fixed(gain_of(v, cell, policy), 2);
}

static char *gap_text(const struct view *v, uint32_t cell, uint32_t policy, const struct column *c)
{
    (void)c;
    return fixed(gap_of(v, cell, policy) * 100, 1);
}

static bool has_exhaustive(const struct view *v)
{
    return v->exhaustive >= 0;
}

static bool has_claims(const struct view *v)
{
    return v->claims;
}

static bool has_tuned_elsewhere(const struct view *v)
{
    return v->tuned_elsewhere;
}

// The target's percentile has no column of its own.
static bool has_other_quantile(const struct view *v)
{
    return fabs(v->t->sla_quantile - 0.95) > 1e-9 && fabs(v->t->sla_quantile - 0.99) > 1e-9;
}

static bool has_p99_bound(const struct view *v)
{
    return v->t->p99_bound > 0;
}

#define AT(member) offsetof(struct tuning_outcome, member)

static const struct column answer_columns[] = {
    {"B items", batch_text, 0, 1, -1, NULL},
    {"T items", offload_text, 0, 1, -1, NULL},
    {"held QPS", rate_text, 0, 1, -1, NULL},
    {"missed QPS", number_text, AT(missed_qps), 1, -1, NULL},
    {"gain x", gain_text, 0, 1, -1, NULL},
    {"gap %", gap_text, 0, 1, -1, has_exhaustive},
    {"QPS/W", number_text, AT(qps_per_w), 1, -1, NULL},
    {"claims QPS", number_text, AT(claimed_qps), 1, -1, has_claims},
    {"tuned QPS", number_text, AT(tuned_qps), 1, -1, has_tuned_elsewhere},
    {NULL, NULL, 0, 0, 0, NULL}};

static const struct column evidence_columns[] = {
    {"target ms", number_text, AT(target_s), 1e3, -1, NULL},
    {"p@ ms", interval_text, AT(latency_s), 1e3, -1, has_other_quantile},
    {"p95 ms", interval_text, AT(p95_s), 1e3, -1, NULL},
    {"p99 ms", interval_text, AT(p99_s), 1e3, -1, NULL},
    {"stable", met_text, AT(stable), 1, -1, NULL},
    {"SLA", met_text, AT(sla), 1, -1, NULL},
    {"p99 ok", met_text, AT(tail), 1, -1, has_p99_bound},
    {"anew", met_text, AT(confirmed), 1, -1, NULL},
    {"+5 %", missed_text, AT(confirmed_over), 1, -1, NULL},
    {NULL, NULL, 0, 0, 0, NULL}};

static const struct column cost_columns[] = {
    {"power W", number_text, AT(power_w), 1, -1, NULL},
    {"cpu %", number_text, AT(cpu_util_frac), 100, 1, NULL},
    {"accel %", number_text, AT(accel_util_frac), 100, 1, NULL},
    {"offload %", number_text, AT(accel_item_frac), 100, 1, NULL},
    {"choices", count_text, AT(n_choices), 1, -1, NULL},
    {"bounded", count_text, AT(n_bounded), 1, -1, NULL},
    {"runs", count_text, AT(n_runs), 1, -1, NULL},
    {"Mqueries", queries_text, 0, 1, -1, NULL},
    {"wall s", number_text, AT(wall_s), 1, 1, NULL},
    {NULL, NULL, 0, 0, 0, NULL}};

static bool is_wanted(const struct view *v, const struct column *c)
{
    return !c->wanted || c->wanted(v);
}

static void print_columns(FILE *out, const struct view *v, const struct column *columns)
{
    int n = n_label_columns(v) + 1;
    for (const struct column *c = columns; c->head; c++)
        n += is_wanted(v, c);
    struct table *table = table_create(n);
    struct row head = row_of(n);
    add_label_heads(v, &head);
    add(&head, mem_strdup("policy"));
    for (const struct column *c = columns; c->head; c++) {
        if (is_wanted(v, c))
            add(&head, strchr(c->head, '@') ? mem_printf("p%g ms", v->t->sla_quantile * 100)
                                            : mem_strdup(c->head));
    }
    end_row(table, &head);
    for (size_t i = 0; i < (size_t)v->t->n_cells * v->t->n_policies; i++) {
        uint32_t cell = (uint32_t)(i / v->t->n_policies), policy = (uint32_t)(i % v->t->n_policies);
        struct row row = row_of(n);
        add_labels(v, &row, cell);
        add(&row, mem_strdup(v->t->policies[policy]));
        for (const struct column *c = columns; c->head; c++) {
            if (is_wanted(v, c))
                add(&row, c->text(v, cell, policy, c));
        }
        end_row(table, &row);
    }
    table_left(table, n_label_columns(v) + 1);
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

static void print_full(FILE *out, const struct view *v)
{
    print_columns(out, v, answer_columns);
    print_columns(out, v, evidence_columns);
    print_columns(out, v, cost_columns);
    fprintf(out,
            "held, missed: largest rate shown to be held, smallest shown to be missed; gain: over "
            "%s%s\n",
            v->t->policies[0], v->exhaustive >= 0 ? "; gap: below exhaustive" : "");
    if (v->claims)
        fprintf(out, "claims: what the policy itself believes it holds\n");
    if (v->tuned_elsewhere)
        fprintf(out, "tuned: held on the sizes that were tuned on; the rest is on the service's "
                     "own sizes\n");
    fprintf(out,
            "± half-width of the 95 %% confidence interval; anew: held by fresh draws?; +5 %%: "
            "missed there at 1.05 times the rate?\n");
    fprintf(out, "offload: share of the items on the accelerator; bounded: choices settled by "
                 "their bound alone, without a run\n");
}

// ---- one line per cell

// "251/320", "25", "-".
static char *choice_text(const struct tuning_outcome *o)
{
    if (!is_found(o))
        return mem_strdup("-");
    return o->offload_items > 0 ? mem_printf("%u/%u", o->batch_items, o->offload_items)
                                : mem_printf("%u", o->batch_items);
}

// A rate with a mark for what stands against it.
static char *marked_rate(const struct tuning_outcome *o)
{
    if (o->state == TUNING_UNREACHABLE)
        return mem_strdup("unreach.");
    bool broken = o->stable == TUNING_MISSED || o->sla == TUNING_MISSED ||
                  o->tail == TUNING_MISSED || o->confirmed == TUNING_MISSED;
    bool loose = o->confirmed == TUNING_UNSURE || o->confirmed_over == TUNING_UNSURE ||
                 o->confirmed_over == TUNING_MET;
    char *rate = number(o->qps), *text = mem_printf("%s%s", rate, broken ? "!" : loose ? "?" : " ");
    mem_free(rate);
    return text;
}

// Columns of one policy: choice, rate, gain but for the first, gap but for exhaustive.
static bool shows_gain(uint32_t policy)
{
    return policy > 0;
}

static bool shows_gap(const struct view *v, uint32_t policy)
{
    return v->exhaustive >= 0 && policy != (uint32_t)v->exhaustive && policy > 0;
}

// Columns on the page, and of the table, that the policy takes.
static int policy_width(const struct view *v, uint32_t policy)
{
    int name = width_of(v->t->policies[policy]);
    return (name > 9 ? name : 9) + 12 + (shows_gain(policy) ? 8 : 0) +
           (shows_gap(v, policy) ? 7 : 0);
}

static int policy_columns(const struct view *v, uint32_t policy)
{
    return 2 + shows_gain(policy) + shows_gap(v, policy);
}

static void add_policy_heads(const struct view *v, uint32_t policy, struct row *names,
                             struct row *heads)
{
    add(names, mem_strdup(v->t->policies[policy]));
    add(heads, mem_strdup("B/T items"));
    add(names, NULL);
    add(heads, mem_strdup("QPS "));
    if (shows_gain(policy)) {
        add(names, NULL);
        add(heads, mem_strdup("gain x"));
    }
    if (shows_gap(v, policy)) {
        add(names, NULL);
        add(heads, mem_strdup("gap %"));
    }
}

static void add_policy(const struct view *v, uint32_t cell, uint32_t policy, struct row *row)
{
    const struct tuning_outcome *o = outcome(v, cell, policy);
    add(row, choice_text(o));
    add(row, marked_rate(o));
    if (shows_gain(policy))
        add(row, fixed(gain_of(v, cell, policy), 2));
    if (shows_gap(v, policy))
        add(row, fixed(gap_of(v, cell, policy) * 100, 1));
}

// All cells under the policies [first, end).
static void print_lines(FILE *out, const struct view *v, uint32_t first, uint32_t end)
{
    int n = n_label_columns(v);
    for (uint32_t p = first; p < end; p++)
        n += policy_columns(v, p);
    struct table *table = table_create(n);
    struct row names = row_of(n), heads = row_of(n);
    for (int i = 0; i < n_label_columns(v); i++)
        add(&names, NULL);
    add_label_heads(v, &heads);
    for (uint32_t p = first; p < end; p++)
        add_policy_heads(v, p, &names, &heads);
    end_row(table, &names);
    end_row(table, &heads);
    for (uint32_t cell = 0; cell < v->t->n_cells; cell++) {
        struct row row = row_of(n);
        add_labels(v, &row, cell);
        for (uint32_t p = first; p < end; p++)
            add_policy(v, cell, p, &row);
        end_row(table, &row);
    }
    table_left(table, n_label_columns(v));
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

// As many policies side by side as fit the page.
static void print_compact(FILE *out, const struct view *v)
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
    fprintf(out,
            "QPS: largest rate shown to be held (!: not held by fresh draws; ?: these, or 5 %% "
            "more, decide nothing)\ngain: over %s%s\n",
            v->t->policies[0], v->exhaustive >= 0 ? "; gap: below exhaustive" : "");
}

// ---- over all cells

struct totals {
    uint32_t n_cells, n_found;
    uint32_t n_gains;
    double gain_sum, gain_log_sum, gain_least, gain_most;
    uint32_t n_efficiencies;
    double efficiency_log_sum;
    uint32_t n_gaps, n_close;
    double gap_most;
    uint32_t n_confirmed, n_held, n_over, n_tight;
    uint64_t n_choices, n_runs, n_queries;
    double wall_s;
};

static void add_gains(const struct view *v, uint32_t cell, uint32_t policy, struct totals *s)
{
    double gain = gain_of(v, cell, policy), gap = gap_of(v, cell, policy);
    double efficiency = efficiency_gain_of(v, cell, policy);
    if (isfinite(gain)) {
        s->gain_least = s->n_gains == 0 ? gain : fmin(s->gain_least, gain);
        s->gain_most = s->n_gains == 0 ? gain : fmax(s->gain_most, gain);
        s->n_gains++;
        s->gain_sum += gain;
        s->gain_log_sum += log(gain);
    }
    if (isfinite(efficiency) && efficiency > 0) {
        s->n_efficiencies++;
        s->efficiency_log_sum += log(efficiency);
    }
    if (isfinite(gap)) {
        s->gap_most = s->n_gaps == 0 ? gap : fmax(s->gap_most, gap);
        s->n_gaps++;
        s->n_close += gap <= CLOSE_FRAC;
    }
}

static struct totals totals_of(const struct view *v, uint32_t policy)
{
    struct totals s = {.n_cells = v->t->n_cells};
    for (uint32_t cell = 0; cell < v->t->n_cells; cell++) {
        const struct tuning_outcome *o = outcome(v, cell, policy);
        s.n_found += is_found(o);
        s.n_confirmed += o->confirmed != TUNING_NOT_ASKED;
        s.n_held += o->confirmed == TUNING_MET;
        s.n_over += o->confirmed_over != TUNING_NOT_ASKED;
        s.n_tight += o->confirmed_over == TUNING_MISSED;
        s.n_choices += o->n_choices;
        s.n_runs += o->n_runs;
        s.n_queries += o->n_queries;
        s.wall_s += o->wall_s;
        add_gains(v, cell, policy, &s);
    }
    return s;
}

static double over(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static void add_quality(const struct view *v, struct table *table, uint32_t policy)
{
    struct totals s = totals_of(v, policy);
    struct row row = row_of(9);
    add(&row, mem_strdup(v->t->policies[policy]));
    add(&row, share(s.n_found, s.n_cells));
    add(&row, fixed(over(s.gain_sum, s.n_gains), 2));
    add(&row, fixed(s.n_gains ? exp(s.gain_log_sum / s.n_gains) : NAN, 2));
    add(&row, fixed(s.n_gains ? s.gain_least : NAN, 2));
    add(&row, fixed(s.n_gains ? s.gain_most : NAN, 2));
    add(&row, fixed(s.n_efficiencies ? exp(s.efficiency_log_sum / s.n_efficiencies) : NAN, 2));
    add(&row, s.n_gaps ? share(s.n_close, s.n_gaps) : mem_strdup("-"));
    add(&row, fixed(s.n_gaps ? s.gap_most * 100 : NAN, 1));
    end_row(table, &row);
}

static void add_effort(const struct view *v, struct table *table, uint32_t policy)
{
    struct totals s = totals_of(v, policy), all = {0};
    if (v->exhaustive >= 0)
        all = totals_of(v, (uint32_t)v->exhaustive);
    struct row row = row_of(9);
    add(&row, mem_strdup(v->t->policies[policy]));
    add(&row, s.n_confirmed ? share(s.n_held, s.n_confirmed) : mem_strdup("-"));
    add(&row, s.n_over ? share(s.n_tight, s.n_over) : mem_strdup("-"));
    add(&row, mem_printf("%llu", (unsigned long long)s.n_choices));
    add(&row, fixed(100 * over((double)s.n_choices, (double)all.n_choices), 1));
    add(&row, mem_printf("%llu", (unsigned long long)s.n_runs));
    add(&row, number((double)s.n_queries * 1e-6));
    add(&row, fixed(100 * over((double)s.n_queries, (double)all.n_queries), 1));
    add(&row, fixed(s.wall_s, 1));
    end_row(table, &row);
}

static void print_summary(FILE *out, const struct view *v)
{
    static const char *const quality[] = {"over all cells", "found",      "mean x",
                                          "geometric x",    "least x",    "most x",
                                          "QPS/W x",        "within 3 %", "worst gap %"};
    static const char *const effort[] = {"over all cells", "held anew", "+5 % missed",
                                         "choices",        "% of exh.", "runs",
                                         "Mqueries",       "% of exh.", "wall s"};
    struct table *first = table_create(9), *second = table_create(9);
    table_row(first, quality);
    table_row(second, effort);
    for (uint32_t p = 0; p < v->t->n_policies; p++) {
        add_quality(v, first, p);
        add_effort(v, second, p);
    }
    fprintf(out, "\n");
    table_print(first, out);
    fprintf(out, "\n");
    table_print(second, out);
    table_destroy(first);
    table_destroy(second);
    fprintf(out,
            "\nx: times %s, over the cells where both have an answer, arithmetic and geometric "
            "mean (QPS/W: geometric)\n",
            v->t->policies[0]);
    if (v->exhaustive >= 0)
        fprintf(out, "within 3 %%: cells at most 3 %% below exhaustive, of those where both have "
                     "an answer\n");
}

// ---- round the tables

static void print_head(FILE *out, const struct tuning *t)
{
    fprintf(out, "recfleet %s   study %s   tuning   seed %llu   %u cell%s\n",
            t->program_version && t->program_version[0] ? t->program_version : "-",
            t->name && t->name[0] ? t->name : "-", (unsigned long long)t->seed, t->n_cells,
            t->n_cells == 1 ? "" : "s");
    fprintf(out, "A rate is held when every queue is stable and p%g is within its target",
            t->sla_quantile * 100);
    if (t->p99_bound > 0)
        fprintf(out, ", p99 within %g times it", t->p99_bound);
    fprintf(out, ".\n\n");
}

static void print_numbers(FILE *out, const struct view *v)
{
    for (uint32_t cell = 0; v->numbered && cell < v->t->n_cells; cell++) {
        char *name = tuning_cell_name(v->t, cell);
        fprintf(out, "cell %u: %s\n", cell, name);
        mem_free(name);
    }
    if (v->numbered)
        fprintf(out, "\n");
}

// Why a policy has no answer.
static void print_reason(FILE *out, const struct tuning_outcome *o)
{
    char *target = number(o->target_s * 1e3), *floor = number(o->floor_s * 1e3);
    if (o->floor_s > o->target_s)
        fprintf(out, "target %s ms below the latency floor %s ms\n", target, floor);
    else if (isfinite(o->floor_s))
        fprintf(out, "target %s ms missed at any rate, latency floor %s ms\n", target, floor);
    else
        fprintf(out, "target %s ms missed at any rate\n", target);
    mem_free(target);
    mem_free(floor);
}

static void print_cell_name(FILE *out, const struct view *v, uint32_t cell)
{
    char *name = v->numbered ? mem_printf("cell %u", cell) : tuning_cell_name(v->t, cell);
    fprintf(out, "unreachable%s%s:\n", name[0] ? ", " : "", name);
    mem_free(name);
}

static void print_unreachable(FILE *out, const struct view *v)
{
    for (uint32_t cell = 0; cell < v->t->n_cells; cell++) {
        bool named = false;
        for (uint32_t p = 0; p < v->t->n_policies; p++) {
            if (outcome(v, cell, p)->state != TUNING_UNREACHABLE)
                continue;
            if (!named)
                print_cell_name(out, v, cell);
            named = true;
            fprintf(out, "    %s: ", v->t->policies[p]);
            print_reason(out, outcome(v, cell, p));
        }
    }
}

void report_tuning_print(FILE *out, const struct tuning *tuning)
{
    struct view v = view_of(tuning);
    print_head(out, tuning);
    print_numbers(out, &v);
    if (tuning->n_cells <= REPORT_TUNING_FULL)
        print_full(out, &v);
    else
        print_compact(out, &v);
    print_unreachable(out, &v);
    if (tuning->n_cells > 1)
        print_summary(out, &v);
}
