// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_tuning.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/table.h"
#include "results/report/tuning_totals.h"
#include "results/report/tuning_rows.h"

#define WIDTH 120

// ---- columns of the full tables

struct column {
    const char *head; // "p@": the target's percentile
    char *(*text)(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                  const struct column *c);
    size_t offset; // of the member that number_text and its like show
    double scale;
    int decimals;                                // of number_text; -1: four digits in all
    bool (*wanted)(const struct tuning_rows *v); // NULL: always
};

static double real_at(const struct tuning_rows *v, uint32_t cell, uint32_t policy, size_t offset)
{
    double value;
    memcpy(&value, (const char *)tuning_rows_outcome(v, cell, policy) + offset, sizeof value);
    return value;
}

static char *number_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                         const struct column *c)
{
    double value = real_at(v, cell, policy, c->offset) * c->scale;
    return c->decimals < 0 ? table_known(value) : table_fixed(value, c->decimals);
}

// The half-width is the member behind the value.
static char *interval_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                           const struct column *c)
{
    double value = real_at(v, cell, policy, c->offset);
    if (!isfinite(value))
        return mem_strdup("-");
    return table_interval(value, real_at(v, cell, policy, c->offset + sizeof value), c->scale);
}

static char *count_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                        const struct column *c)
{
    uint64_t value;
    memcpy(&value, (const char *)tuning_rows_outcome(v, cell, policy) + c->offset, sizeof value);
    return mem_printf("%llu", (unsigned long long)value);
}

static char *queries_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                          const struct column *c)
{
    (void)c;
    return table_known((double)tuning_rows_outcome(v, cell, policy)->n_queries * 1e-6);
}

static int32_t verdict_at(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                          size_t offset)
{
    int32_t verdict;
    memcpy(&verdict, (const char *)tuning_rows_outcome(v, cell, policy) + offset, sizeof verdict);
    return verdict;
}

// One of four words, by verdict; nothing was looked at where there is no answer.
static char *verdict_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                          size_t offset, const char *const *words)
{
    bool found = tuning_rows_found(tuning_rows_outcome(v, cell, policy));
    return mem_strdup(words[found ? verdict_at(v, cell, policy, offset) : VERDICT_NOT_ASKED]);
}

static char *met_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                      const struct column *c)
{
    const char *const words[] = {"yes", "?", "NO", "-"};
    return verdict_text(v, cell, policy, c->offset, words);
}

static char *missed_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                         const struct column *c)
{
    const char *const words[] = {"no", "?", "yes", "-"};
    return verdict_text(v, cell, policy, c->offset, words);
}

static char *batch_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                        const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy);
    return tuning_rows_found(o) ? mem_printf("%u", o->batch_items) : mem_strdup("-");
}

static char *offload_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                          const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy);
    return tuning_rows_found(o) && o->offload_items > 0 ? mem_printf("%u", o->offload_items)
                                                        : mem_strdup("-");
}

static char *rate_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                       const struct column *c)
{
    (void)c;
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy);
    return o->state == TUNING_UNREACHABLE ? mem_strdup("unreachable") : table_known(o->qps);
}

static char *gain_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                       const struct column *c)
{
    (void)c;
    return table_fixed(tuning_rows_gain(v, cell, policy), 2);
}

static char *gap_text(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                      const struct column *c)
{
    (void)c;
    return table_fixed(tuning_rows_gap(v, cell, policy) * 100, 1);
}

static bool has_exhaustive(const struct tuning_rows *v)
{
    return v->exhaustive >= 0;
}

static bool has_claims(const struct tuning_rows *v)
{
    return v->claims;
}

static bool has_tuned_elsewhere(const struct tuning_rows *v)
{
    return v->tuned_elsewhere;
}

// The target's percentile has no column of its own.
static bool has_other_quantile(const struct tuning_rows *v)
{
    return fabs(v->t->sla_quantile - 0.95) > 1e-9 && fabs(v->t->sla_quantile - 0.99) > 1e-9;
}

static bool has_p99_bound(const struct tuning_rows *v)
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
    {"QPS/W", number_text, AT(at_qps.queries_per_j), 1, -1, NULL},
    {"claims QPS", number_text, AT(claimed_qps), 1, -1, has_claims},
    {"tuned QPS", number_text, AT(tuned_qps), 1, -1, has_tuned_elsewhere},
    {NULL, NULL, 0, 0, 0, NULL}};

static const struct column evidence_columns[] = {
    {"target ms", number_text, AT(at_qps.sla_s), 1e3, -1, NULL},
    {"p@ ms", interval_text, AT(at_qps.sla_latency_s), 1e3, -1, has_other_quantile},
    {"p95 ms", interval_text, AT(at_qps.p95_s), 1e3, -1, NULL},
    {"p99 ms", interval_text, AT(at_qps.p99_s), 1e3, -1, NULL},
    {"stable", met_text, AT(at_qps.stable), 1, -1, NULL},
    {"SLA", met_text, AT(at_qps.sla), 1, -1, NULL},
    {"p99 ok", met_text, AT(at_qps.tail), 1, -1, has_p99_bound},
    {"anew", met_text, AT(confirmed), 1, -1, NULL},
    {"+5 %", missed_text, AT(confirmed_over), 1, -1, NULL},
    {NULL, NULL, 0, 0, 0, NULL}};

static const struct column cost_columns[] = {
    {"power W", number_text, AT(at_qps.power_w), 1, -1, NULL},
    {"cpu %", number_text, AT(at_qps.cpu_util_frac), 100, 1, NULL},
    {"accel %", number_text, AT(at_qps.accel_util_frac), 100, 1, NULL},
    {"offload %", number_text, AT(at_qps.accel_item_frac), 100, 1, NULL},
    {"choices", count_text, AT(n_choices), 1, -1, NULL},
    {"bounded", count_text, AT(n_bounded), 1, -1, NULL},
    {"runs", count_text, AT(n_runs), 1, -1, NULL},
    {"Mqueries", queries_text, 0, 1, -1, NULL},
    {"wall s", number_text, AT(wall_s), 1, 1, NULL},
    {NULL, NULL, 0, 0, 0, NULL}};

static bool is_wanted(const struct tuning_rows *v, const struct column *c)
{
    return !c->wanted || c->wanted(v);
}

static void print_columns(FILE *out, const struct tuning_rows *v, const struct column *columns)
{
    int n = tuning_rows_n_labels(v) + 1;
    for (const struct column *c = columns; c->head; c++)
        n += is_wanted(v, c);
    struct table *table = table_create(n);
    tuning_rows_add_heads(v, table);
    table_cell(table, mem_strdup("policy"));
    for (const struct column *c = columns; c->head; c++) {
        if (is_wanted(v, c))
            table_cell(table, strchr(c->head, '@') ? mem_printf("p%g ms", v->t->sla_quantile * 100)
                                                   : mem_strdup(c->head));
    }
    for (size_t i = 0; i < (size_t)v->t->n_cells * v->t->n_policies; i++) {
        uint32_t cell = (uint32_t)(i / v->t->n_policies), policy = (uint32_t)(i % v->t->n_policies);
        tuning_rows_add_labels(v, table, cell);
        table_cell(table, mem_strdup(v->t->policies[policy]));
        for (const struct column *c = columns; c->head; c++) {
            if (is_wanted(v, c))
                table_cell(table, c->text(v, cell, policy, c));
        }
    }
    table_left(table, tuning_rows_n_labels(v) + 1);
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

static void print_full(FILE *out, const struct tuning_rows *v)
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
            "± half-width of the 95 %% confidence interval; ?: too close to tell\n"
            "anew: held on fresh draws; +5 %%: missed there at 1.05 times the rate, as a tight "
            "answer is\n");
    fprintf(out, "offload: share of the items on the accelerator; bounded: choices settled by "
                 "their bound alone, without a run\n");
}

// ---- one line per cell

// "251/320", "25", "-".
static char *choice_text(const struct tuning_outcome *o)
{
    if (!tuning_rows_found(o))
        return mem_strdup("-");
    return o->offload_items > 0 ? mem_printf("%u/%u", o->batch_items, o->offload_items)
                                : mem_printf("%u", o->batch_items);
}

// A rate with a mark for what stands against it.
static char *marked_rate(const struct tuning_outcome *o)
{
    if (o->state == TUNING_UNREACHABLE)
        return mem_strdup("unreach.");
    bool broken = o->at_qps.stable == VERDICT_MISSED || o->at_qps.sla == VERDICT_MISSED ||
                  o->at_qps.tail == VERDICT_MISSED || o->confirmed == VERDICT_MISSED;
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
    table_cell(table, mem_strdup("B/T items"));
    table_cell(table, mem_strdup("QPS "));
    if (shows_gain(policy))
        table_cell(table, mem_strdup("gain x"));
    if (shows_gap(v, policy))
        table_cell(table, mem_strdup("gap %"));
}

static void add_policy(const struct tuning_rows *v, uint32_t cell, uint32_t policy,
                       struct table *table)
{
    const struct tuning_outcome *o = tuning_rows_outcome(v, cell, policy);
    table_cell(table, choice_text(o));
    table_cell(table, marked_rate(o));
    if (shows_gain(policy))
        table_cell(table, table_fixed(tuning_rows_gain(v, cell, policy), 2));
    if (shows_gap(v, policy))
        table_cell(table, table_fixed(tuning_rows_gap(v, cell, policy) * 100, 1));
}

// All cells under the policies [first, end).
static void print_lines(FILE *out, const struct tuning_rows *v, uint32_t first, uint32_t end)
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
    for (uint32_t cell = 0; cell < v->t->n_cells; cell++) {
        tuning_rows_add_labels(v, table, cell);
        for (uint32_t p = first; p < end; p++)
            add_policy(v, cell, p, table);
    }
    table_left(table, tuning_rows_n_labels(v));
    table_print(table, out);
    table_destroy(table);
    fprintf(out, "\n");
}

// As many policies side by side as fit the page.
static void print_compact(FILE *out, const struct tuning_rows *v)
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

// ---- round the tables

static void print_head(FILE *out, const struct tuning_result *t)
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

static void print_numbers(FILE *out, const struct tuning_rows *v)
{
    for (uint32_t cell = 0; v->numbered && cell < v->t->n_cells; cell++) {
        char *name = tuning_result_point_name(v->t, cell);
        fprintf(out, "cell %u: %s\n", cell, name);
        mem_free(name);
    }
    if (v->numbered)
        fprintf(out, "\n");
}

// Why a policy has no answer.
static void print_reason(FILE *out, const struct tuning_outcome *o)
{
    char *target = table_known(o->at_qps.sla_s * 1e3), *floor = table_known(o->floor_s * 1e3);
    if (o->floor_s > o->at_qps.sla_s)
        fprintf(out, "target %s ms below the latency floor %s ms\n", target, floor);
    else if (isfinite(o->floor_s))
        fprintf(out, "target %s ms missed at any rate, latency floor %s ms\n", target, floor);
    else
        fprintf(out, "target %s ms missed at any rate\n", target);
    mem_free(target);
    mem_free(floor);
}

static void print_cell_name(FILE *out, const struct tuning_rows *v, uint32_t cell)
{
    char *name = v->numbered ? mem_printf("cell %u", cell) : tuning_result_point_name(v->t, cell);
    fprintf(out, "unreachable%s%s:\n", name[0] ? ", " : "", name);
    mem_free(name);
}

static void print_unreachable(FILE *out, const struct tuning_rows *v)
{
    for (uint32_t cell = 0; cell < v->t->n_cells; cell++) {
        bool named = false;
        for (uint32_t p = 0; p < v->t->n_policies; p++) {
            if (tuning_rows_outcome(v, cell, p)->state != TUNING_UNREACHABLE)
                continue;
            if (!named)
                print_cell_name(out, v, cell);
            named = true;
            fprintf(out, "    %s: ", v->t->policies[p]);
            print_reason(out, tuning_rows_outcome(v, cell, p));
        }
    }
}

void report_tuning_print(FILE *out, const struct tuning_result *tuning)
{
    struct tuning_rows v = tuning_rows_of(tuning);
    print_head(out, tuning);
    print_numbers(out, &v);
    if (tuning->n_cells <= REPORT_TUNING_FULL)
        print_full(out, &v);
    else
        print_compact(out, &v);
    print_unreachable(out, &v);
    if (tuning->n_cells > 1)
        tuning_totals_print(out, &v);
}
