// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/report/table.h"

// Time bins that must have a number on both sides for a paired interval; replications.
#define LEAST_BINS 5
#define LEAST_REPLICATIONS 2
#define MOST_LABELS 16
#define MOST_FILES_LISTED 26

const char *const compare_verdict_names[] = {"better", "worse", "not distinguishable", "n/a", NULL};

// ---- pairs

// And the same parts count: what is served, say, differs between two windows of one traffic, and no
// pair would show that.
static bool same_parts(const struct compare_side *a, const struct compare_side *b)
{
    if (a->n_parts == 0 || a->n_parts != b->n_parts || a->in_time != b->in_time)
        return false;
    for (uint32_t i = 0; i < a->n_parts; i++) {
        const struct compare_part *x = &a->parts[i], *y = &b->parts[i];
        if (x->traffic == 0 || x->traffic != y->traffic || x->seed != y->seed ||
            x->from_s != y->from_s || x->to_s != y->to_s || x->counts != y->counts)
            return false;
    }
    return true;
}

// Gives the row the spread of the parts' differences round its own; not when too few parts have
// both.
static void pair(struct compare_row *row, const double *x, const double *y)
{
    const struct compare_side *a = row->base_side;
    double *d = mem_calloc(a->n_parts, sizeof *d);
    uint32_t n = 0, known = 0, least = a->in_time ? LEAST_BINS : LEAST_REPLICATIONS;
    for (uint32_t i = 0; i < a->n_parts; i++) {
        if (!a->parts[i].counts)
            continue;
        d[n] = y[i] - x[i];
        known += isnan(d[n]) ? 0 : 1;
        n++;
    }
    if (known >= least && 2 * known > n && !isnan(row->diff.value)) {
        struct batch_plan plan = {.n_batches = n};
        if (a->in_time) {
            plan = batch_plan_of(d, n, BATCH_AIM);
            batch_means(&plan, d, d); // written behind what is still to be read
        }
        struct ci ci = ci_sections(row->diff.value, d, plan.n_batches);
        row->paired = ci.n_batches >= 2;
        row->diff = row->paired ? ci : row->diff;
    }
    mem_free(d);
}

// Of the difference: by its interval; else from the near ends of two brackets to the far ones.
static void set_ends(struct compare_row *row, const struct compare_number *x,
                     const struct compare_number *y)
{
    row->bracket = isnan(row->diff.half_95) && !isnan(x->low) && !isnan(y->low);
    row->low = row->bracket ? y->low - x->high : row->diff.value - row->diff.half_95;
    row->high = row->bracket ? y->high - x->low : row->diff.value + row->diff.half_95;
}

// ---- rows

static bool is_worth_a_row(const struct compare_side *base, const struct compare_side *other,
                           const struct compare_number *x, const struct compare_number *y)
{
    if (!y || (x->whole && strcmp(base->services, other->services) != 0))
        return false;
    return !x->quiet || x->value.value > 0 || y->value.value > 0;
}

static void add_rows(struct compare *c, const struct compare_side *base,
                     const struct compare_side *other)
{
    bool shared = same_parts(base, other);
    for (size_t i = 0; i < base->n_numbers; i++) {
        const struct compare_number *x = &base->numbers[i], *y = compare_side_find(other, x->what);
        if (!is_worth_a_row(base, other, x, y))
            continue;
        struct compare_row row = {.base_side = base,
                                  .other_side = other,
                                  .number = x,
                                  .base = x->value,
                                  .other = y->value,
                                  .diff = ci_welch(y->value, x->value)};
        if (shared && x->parts && y->parts)
            pair(&row, x->parts, y->parts);
        set_ends(&row, x, y);
        c->rows = mem_realloc(c->rows, c->n_rows + 1, sizeof *c->rows);
        c->rows[c->n_rows++] = row;
    }
}

// ---- the baseline

// Labels cut at commas, which the array points into.
struct labels {
    char *text; // owned
    const char *list[MOST_LABELS];
    size_t n;
};

static struct labels labels_of(const char *text)
{
    struct labels labels = {.text = mem_strdup(text)};
    for (char *at = labels.text; at && *at && labels.n < MOST_LABELS;) {
        char *end = strchr(at, ',');
        while (*at == ' ')
            at++;
        labels.list[labels.n++] = at;
        at = end ? end + 1 : NULL;
        if (end)
            *end = 0;
    }
    return labels;
}

static bool same_key(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

static bool has_all(const struct compare_side *side, const struct labels *labels)
{
    for (size_t i = 0; i < labels->n; i++)
        if (!compare_side_has(side, labels->list[i]))
            return false;
    return true;
}

// Alike but for the keys of the labels?
static bool is_alike(const struct compare_side *base, const struct compare_side *side,
                     const struct labels *labels)
{
    for (uint32_t i = 0; i < side->n_labels; i++) {
        bool chosen = false;
        for (size_t k = 0; k < labels->n; k++)
            chosen |= same_key(side->labels[i], labels->list[k]);
        if (!chosen && !compare_side_has(base, side->labels[i]))
            return false;
    }
    return true;
}

static const struct compare_side *base_by_labels(const struct compare_sides *sides,
                                                 const struct compare_side *side,
                                                 const struct labels *labels)
{
    for (size_t i = 0; i < sides->n; i++)
        if (has_all(&sides->list[i], labels) && is_alike(&sides->list[i], side, labels))
            return &sides->list[i];
    return NULL;
}

// The file's only side, or the one of the same labels.
static const struct compare_side *base_by_file(const struct compare_sides *sides,
                                               const struct compare_side *side, const char *file)
{
    const struct compare_side *first = NULL, *same = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sides->n; i++) {
        const struct compare_side *at = &sides->list[i];
        if (strcmp(at->file, file) != 0)
            continue;
        first = first ? first : at;
        same = !same && strcmp(at->name, side->name) == 0 ? at : same;
        n++;
    }
    return n == 1 ? first : same;
}

static bool is_file(const struct compare_sides *sides, const char *name)
{
    for (size_t i = 0; i < sides->n; i++)
        if (strcmp(sides->list[i].file, name) == 0)
            return true;
    return false;
}

// The first label of the first side that another side has another value for; NULL: all are alike.
static const char *first_that_differs(const struct compare_sides *sides)
{
    const struct compare_side *first = &sides->list[0];
    for (uint32_t k = 0; k < first->n_labels; k++)
        for (size_t i = 1; i < sides->n; i++)
            if (!compare_side_has(&sides->list[i], first->labels[k]))
                return first->labels[k];
    return NULL;
}

static int fail_labels(const struct compare_sides *sides, const char *label, struct err *err)
{
    char *there = mem_strdup("");
    for (size_t i = 0; i < sides->n; i++)
        for (uint32_t k = 0; k < sides->list[i].n_labels; k++) {
            const char *has = sides->list[i].labels[k];
            char *longer = NULL;
            if (same_key(has, label) && !strstr(there, has) && strlen(there) < 200)
                longer = mem_printf("%s%s%s", there, *there ? ", " : "", has);
            if (longer) {
                mem_free(there);
                there = longer;
            }
        }
    int rc =
        *there ? err_set(err, ERR_STUDY, "baseline %s: there is none; expected one of %s", label,
                         there)
               : err_set(err, ERR_STUDY,
                         "baseline %s: expected one of the files, or labels such as %s", label,
                         sides->list[0].n_labels > 0 ? sides->list[0].labels[0] : "policy=random");
    mem_free(there);
    return rc;
}

// Every label is one of some side's.
static int check_labels(const struct compare_sides *sides, const struct labels *labels,
                        struct err *err)
{
    for (size_t i = 0; i < labels->n; i++) {
        bool found = false;
        for (size_t k = 0; k < sides->n; k++)
            found |= compare_side_has(&sides->list[k], labels->list[i]);
        if (!found)
            return fail_labels(sides, labels->list[i], err);
    }
    return 0;
}

static int add_all(struct compare *c, const char *baseline, struct err *err)
{
    const struct compare_sides *sides = c->sides;
    const char *file = sides->list[0].file;
    bool several = strcmp(sides->list[sides->n - 1].file, file) != 0;
    if (!baseline && !several)
        baseline = first_that_differs(sides);
    if (!baseline && !several)
        return err_set(err, ERR_STUDY, "%s: there is nothing to compare it with: name another file",
                       file);
    bool by_file = !baseline || is_file(sides, baseline);
    struct labels labels = labels_of(by_file ? "" : baseline);
    int rc = check_labels(sides, &labels, err);
    for (size_t i = 0; rc == 0 && i < sides->n; i++) {
        const struct compare_side *side = &sides->list[i],
                                  *base = by_file ? base_by_file(sides, side,
                                                                 baseline ? baseline : file)
                                                  : base_by_labels(sides, side, &labels);
        if (base && base != side && !(by_file && strcmp(base->file, side->file) == 0))
            add_rows(c, base, side);
    }
    c->baseline = mem_strdup(by_file ? "" : baseline);
    mem_free(labels.text);
    return rc;
}

// ---- what is real

// How far off 0 the difference is, in half-widths; NaN: not known, or equal to the last bit. Of
// brackets that do not overlap as far as can be.
static double clearness(const struct compare_row *row)
{
    if (row->bracket)
        return row->low > 0 || row->high < 0 ? (double)INFINITY : (double)NAN;
    return fabs(row->diff.value) / row->diff.half_95;
}

// Half-widths at 95 % for one of n rows, in those for a single one.
static double level_of(const struct compare_row *row, size_t n)
{
    if (row->bracket)
        return 1;
    double dof = (double)row->diff.n_batches - 1;
    return ci_t(1 - 0.025 / (double)n, dof) / ci_t(0.975, dof);
}

static void find_real(struct compare *c)
{
    size_t left = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        left += isnan(clearness(&c->rows[i])) ? 0 : 1;
    for (; left > 0; left--) {
        struct compare_row *clearest = NULL;
        for (size_t i = 0; i < c->n_rows; i++) {
            struct compare_row *row = &c->rows[i];
            if (!row->real && !isnan(clearness(row)) &&
                (!clearest || clearness(row) > clearness(clearest)))
                clearest = row;
        }
        if (!(clearness(clearest) > level_of(clearest, left)))
            return;
        clearest->real = true;
    }
}

enum compare_verdict compare_verdict_of(const struct compare_row *row)
{
    if (isnan(row->low))
        return COMPARE_UNKNOWN;
    if (!row->real)
        return COMPARE_ALIKE;
    return row->diff.value * row->number->better > 0 ? COMPARE_BETTER : COMPARE_WORSE;
}

// Does any row speak of more than the fleet, which every run has?
static bool has_service(const struct compare *c)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (strncmp(c->rows[i].number->what, "fleet ", 6) != 0)
            return true;
    return false;
}

struct compare *compare_create(const struct compare_sides *sides, const char *baseline,
                               struct err *err)
{
    struct compare *c = mem_calloc(1, sizeof *c);
    c->sides = sides;
    int rc = sides->n > 0 ? add_all(c, baseline, err)
                          : err_set(err, ERR_STUDY, "there is nothing to compare");
    if (rc == 0 && !has_service(c))
        rc = err_set(err, ERR_STUDY, "%s and %s have no service in common", sides->list[0].file,
                     sides->list[sides->n - 1].file);
    if (rc == 0) {
        find_real(c);
        return c;
    }
    compare_destroy(c);
    return NULL;
}

void compare_destroy(struct compare *compare)
{
    if (!compare)
        return;
    mem_free(compare->baseline);
    mem_free(compare->rows);
    mem_free(compare);
}

// ---- names

static size_t file_number(const struct compare_sides *sides, const struct compare_side *side)
{
    size_t n = 0;
    for (size_t i = 0; &sides->list[i] < side; i++)
        n += strcmp(sides->list[i].file, sides->list[i + 1].file) != 0;
    return n;
}

static char *letter_of(size_t number)
{
    return number < 26 ? mem_printf("%c", (char)('A' + number)) : mem_printf("%zu", number + 1);
}

// The labels that not all sides have.
static char *short_name(const struct compare_sides *sides, const struct compare_side *side)
{
    char *name = mem_strdup("");
    for (uint32_t k = 0; k < side->n_labels; k++) {
        bool shared = true;
        for (size_t i = 0; i < sides->n && shared; i++)
            shared = compare_side_has(&sides->list[i], side->labels[k]);
        if (shared)
            continue;
        char *longer = mem_printf("%s%s%s", name, *name ? ", " : "", side->labels[k]);
        mem_free(name);
        name = longer;
    }
    return name;
}

char *compare_label(const struct compare_sides *sides, const struct compare_side *side)
{
    const struct compare_side *last = &sides->list[sides->n - 1];
    bool files = strcmp(sides->list[0].file, last->file) != 0;
    bool names = (side > sides->list && strcmp((side - 1)->file, side->file) == 0) ||
                 (side < last && strcmp((side + 1)->file, side->file) == 0);
    char *letter = letter_of(file_number(sides, side)), *name = short_name(sides, side);
    char *label = mem_printf("%s%s%s", files ? letter : "", files && names ? " " : "",
                             names || !files ? name : "");
    mem_free(letter);
    mem_free(name);
    return label;
}

struct table_unit compare_unit(const char *units, struct table_unit time)
{
    const struct {
        const char *units;
        struct table_unit shown;
    } known[] = {{"s", time}, {"s-1", {"qps", 1}}, {"1", {"%", 100}}, {"W", {"W", 1}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].units, units) == 0)
            return known[i].shown;
    return (struct table_unit){"", 1};
}

struct table_unit compare_time(const struct compare *c)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (strcmp(c->rows[i].number->units, "s") == 0 && isfinite(c->rows[i].base.value))
            return table_time_unit(c->rows[i].base.value);
    return table_time_unit(NAN);
}

// ---- printing

static void add_interval(struct table *table, struct ci ci, double scale)
{
    table_estimate(table, table_interval(ci.value, ci.half_95, scale), ci.value * scale,
                   ci.half_95 * scale);
}

// An exact number has no ±.
static void add_value(struct table *table, struct ci ci, double scale)
{
    if (isfinite(ci.value) && !(ci.half_95 > 0))
        table_estimate(table, table_known(ci.value * scale), ci.value * scale, ci.half_95 * scale);
    else
        add_interval(table, ci, scale);
}

// "1166 .. 1384"; programs get the value.
static void add_ends(struct table *table, double value, double low, double high, double scale)
{
    char *from = table_known(low * scale), *to = table_known(high * scale);
    table_estimate(table, mem_printf("%s .. %s", from, to), value * scale, NAN);
    mem_free(from);
    mem_free(to);
}

static void add_number(struct table *table, const struct compare_number *n, double scale)
{
    if (n->low < n->high)
        add_ends(table, n->value.value, n->low, n->high, scale);
    else
        add_value(table, n->value, scale);
}

static void print_row(struct table *table, const struct compare_row *row, bool text,
                      struct table_unit time)
{
    struct table_unit unit = compare_unit(row->number->units, time);
    struct ci relative = {row->diff.value / fabs(row->base.value),
                          row->diff.half_95 / fabs(row->base.value), row->diff.n_batches};
    table_cell(table, mem_printf("%s%s%s", row->number->what, *unit.name ? " " : "", unit.name));
    add_number(table, row->number, unit.scale);
    add_number(table, compare_side_find(row->other_side, row->number->what), unit.scale);
    if (row->bracket) {
        double percent = 100 / fabs(row->base.value);
        add_ends(table, row->diff.value, row->low, row->high, unit.scale);
        add_ends(table, row->diff.value, row->low, row->high, percent);
    } else {
        add_value(table, row->diff, unit.scale);
        add_value(table, relative, 100);
    }
    if (!text) {
        table_value(table, NULL, row->low * unit.scale);
        table_value(table, NULL, row->high * unit.scale);
    }
    table_cell(table, mem_strdup(row->bracket                  ? "bracket"
                                 : row->paired                 ? "paired"
                                 : row->diff.half_95 > 0       ? "Welch"
                                 : isfinite(row->diff.half_95) ? "exact"
                                                               : "-"));
    table_cell(table, mem_strdup(compare_verdict_names[compare_verdict_of(row)]));
}

static void print_files(struct report_out *out, const struct compare *c)
{
    const struct compare_sides *sides = c->sides;
    size_t n = 0;
    for (size_t i = 0; i < sides->n; i++) {
        const struct compare_side *side = &sides->list[i];
        if (i > 0 && strcmp((side - 1)->file, side->file) == 0)
            continue;
        bool several = i + 1 < sides->n && strcmp((side + 1)->file, side->file) == 0;
        char *letter = letter_of(n);
        if (n++ < MOST_FILES_LISTED)
            report_text(out, "%s  %s%s%s\n", letter, side->file, several ? "" : "   ",
                        several ? "" : side->about);
        mem_free(letter);
    }
    if (*c->baseline)
        report_text(out, "Compared with %s%s.\n", c->baseline,
                    sides->n > 2 ? ", of what is otherwise alike" : "");
}

static void print_method(struct report_out *out, const struct compare *c)
{
    bool paired = false, apart = false, searched = false, bracket = false;
    for (size_t i = 0; i < c->n_rows; i++) {
        const struct compare_row *row = &c->rows[i];
        paired |= row->paired;
        apart |= !row->paired && row->diff.half_95 > 0;
        bracket |= row->bracket;
        searched |= row->base_side->searched || row->other_side->searched;
    }
    if (paired && (apart || searched))
        report_text(out, "paired: the same traffic, compared part by part (common random numbers); "
                         "Welch: as independent runs.\n");
    else if (paired)
        report_text(out, "Same traffic: compared in pairs, part by part (common random "
                         "numbers).\n");
    else if (!searched)
        report_text(out, "Other traffic or measured time: compared as independent runs (Welch's "
                         "t).\n");
    if (searched)
        report_text(out,
                    "Each answer of a search was simulated at a rate or on a fleet of its own, "
                    "and a file of\n  answers keeps no parts of these simulations: %s "
                    "compared as independent (Welch's t).\n",
                    paired ? "all but energy are" : "they are");
    if (bracket)
        report_text(out, "bracket: the search left a value open between two ends; better, worse: "
                         "the brackets do not overlap.\n");
    report_text(out, "\n");
}

// Programs get the file's path and the side's name.
static void add_side(struct table *table, const struct report_out *out, const struct compare *c,
                     const struct compare_row *row)
{
    if (report_out_has_text(out)) {
        table_cell(table, compare_label(c->sides, row->other_side));
        return;
    }
    table_cell(table, mem_strdup(row->other_side->file));
    table_cell(table, mem_strdup(row->other_side->name));
}

void compare_print(struct report_out *out, const struct compare *c)
{
    struct table_unit time = compare_time(c);
    struct table *table = table_create(0);
    bool text = report_out_has_text(out), one = text && c->sides->n == 2;
    char *base = one ? compare_label(c->sides, c->rows[0].base_side) : mem_strdup("baseline"),
         *other = one ? compare_label(c->sides, c->rows[0].other_side) : mem_strdup("compared");
    print_files(out, c);
    print_method(out, c);
    if (text && !one)
        table_cell(table, mem_strdup(""));
    if (!text)
        table_texts(table, (const char *const[]){"file", "name", NULL});
    table_head(table, mem_strdup(""), "quantity");
    table_texts(table, (const char *const[]){base, other, "difference", "%", NULL});
    if (!text)
        table_texts(table, (const char *const[]){"difference_low", "difference_high", NULL});
    table_texts(table, (const char *const[]){"interval", "verdict", NULL});
    table_line(table);
    for (size_t i = 0; i < c->n_rows; i++) {
        if (!one)
            add_side(table, out, c, &c->rows[i]);
        print_row(table, &c->rows[i], text, time);
    }
    table_left(table, one ? 1 : 2);
    table_print(table, out, "comparison");
    table_destroy(table);
    mem_free(base);
    mem_free(other);
    report_text(out,
                "\n± half-width of the 95 %% confidence interval; better, worse: 0 is excluded "
                "at 95 %% for all rows of the table together\n");
}
