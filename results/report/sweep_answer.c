// SPDX-License-Identifier: Apache-2.0
#include "results/report/sweep_answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/page.h"
#include "results/report/table.h"

#define MS 1e3
#define NAMED 3 // of those that are not distinguishable

typedef struct ci (*number_fn)(const struct sweep_row *row);

static struct ci tail_of(const struct sweep_row *row)
{
    return row->latency_s;
}

static struct ci efficiency_of(const struct sweep_row *row)
{
    return row->queries_per_j;
}

// Could the two be the same for all that is known?
static bool is_same(struct ci a, struct ci b)
{
    return !(fabs(a.value - b.value) > a.half_95 + b.half_95); // NaN: nothing is known
}

// ---- the best of rows

struct ranking {
    const struct sweep_rows *rows;
    number_fn number;
    int sign; // 1: the lowest first
};

static int by_number(const void *a, const void *b, void *user)
{
    const struct ranking *r = user;
    uint32_t row = *(const uint32_t *)a, other = *(const uint32_t *)b;
    double x = r->sign * r->number(&r->rows->rows[row]).value,
           y = r->sign * r->number(&r->rows->rows[other]).value;
    return x != y ? (x > y) - (x < y) : (row > other) - (row < other);
}

// Sorts the n rows with that number known, the best first; how many they are.
static uint32_t rank(const struct ranking *r, uint32_t *list, uint32_t n)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < n; i++)
        if (isfinite(r->number(&r->rows->rows[list[i]]).value))
            list[known++] = list[i];
    qsort_r(list, known, sizeof *list, by_number, (void *)(uintptr_t)r);
    return known;
}

// The rows that can be recommended; caller mem_free()s.
static uint32_t *holding(const struct sweep_rows *v, uint32_t *n)
{
    uint32_t *list = mem_calloc((size_t)v->n + 1, sizeof *list);
    *n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        if (sweep_rows_holds(v, i))
            list[(*n)++] = i;
    return list;
}

static int best_of(const struct sweep_rows *v, number_fn number, int sign)
{
    const struct ranking r = {v, number, sign};
    uint32_t n, *list = holding(v, &n);
    int best = rank(&r, list, n) > 0 ? (int)list[0] : -1;
    mem_free(list);
    return best;
}

int sweep_answer_lowest_tail(const struct sweep_rows *v)
{
    return best_of(v, tail_of, 1);
}

int sweep_answer_most_per_joule(const struct sweep_rows *v)
{
    return best_of(v, efficiency_of, -1);
}

// ---- sentences

struct sentence {
    const struct sweep_rows *rows;
    FILE *text;
    int but_axis; // not named
};

static void say_name(const struct sentence *s, uint32_t row)
{
    char *name = sweep_rows_name(s->rows, row, " with ", s->but_axis, -1);
    fputs(*name ? name : "the fleet", s->text);
    mem_free(name);
}

static void say_value(const struct sentence *s, struct ci ci, double scale)
{
    char *text = isnan(ci.half_95) ? table_number(ci.value * scale)
                                   : table_interval(ci.value, ci.half_95, scale);
    fputs(text, s->text);
    mem_free(text);
}

static void say_names(const struct sentence *s, const uint32_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        fputs(i == 0 ? "" : i + 1 == n ? " and " : ", ", s->text);
        say_name(s, list[i]);
    }
}

struct measure {
    number_fn number;
    int sign;
    const char *name, *unit; // "the lowest p95", "ms"
    double scale;
};

// Those that could be as good as the first to the front, in their order; how many.
static uint32_t gather_same(const struct sentence *s, const struct measure *m, uint32_t *list,
                            uint32_t n)
{
    uint32_t same = 1;
    struct ci best = m->number(&s->rows->rows[list[0]]);
    for (uint32_t i = 1; i < n; i++) {
        uint32_t row = list[i];
        if (!is_same(best, m->number(&s->rows->rows[row])))
            continue;
        for (uint32_t k = i; k > same; k--)
            list[k] = list[k - 1];
        list[same++] = row;
    }
    return same;
}

// "a has the lowest p95, 7.1 ±0.1 ms, compared with 8.3 ±0.1 ms of b, the next"
static void say_best(const struct sentence *s, const struct measure *m, uint32_t *list, uint32_t n)
{
    const struct sweep_row *rows = s->rows->rows;
    const struct ranking r = {s->rows, m->number, m->sign};
    uint32_t known = rank(&r, list, n);
    if (known == 0)
        return;
    struct ci best = m->number(&rows[list[0]]);
    uint32_t same = gather_same(s, m, list, known);
    say_name(s, list[0]);
    fprintf(s->text, " has %s, ", m->name);
    say_value(s, best, m->scale);
    fprintf(s->text, " %s", m->unit);
    if (same > 1)
        fprintf(s->text, ", but %sis not distinguishable from ",
                isnan(best.half_95) ? "without an interval it " : "");
    for (uint32_t i = 1; i < same && i <= NAMED; i++) {
        fputs(i == 1 ? "" : i + 1 == same ? " and " : ", ", s->text);
        say_name(s, list[i]);
        fputs(" (", s->text);
        say_value(s, m->number(&rows[list[i]]), m->scale);
        fprintf(s->text, " %s)", m->unit);
    }
    if (same > NAMED + 1)
        fprintf(s->text, " and %u more", same - 1 - NAMED);
    if (same == 1 && known > 1) {
        fputs(", compared with ", s->text);
        say_value(s, m->number(&rows[list[1]]), m->scale);
        fprintf(s->text, " %s of ", m->unit);
        say_name(s, list[1]);
        fputs(", the next", s->text);
    }
}

static void say_lowest_tail(const struct sentence *s, uint32_t *list, uint32_t n)
{
    char *tail = sweep_rows_tail_name(s->rows), *name = mem_printf("the lowest %s", tail);
    say_best(s, &(struct measure){tail_of, 1, name, "ms", MS}, list, n);
    mem_free(tail);
    mem_free(name);
}

// Do all that are done have this target?
static bool is_one_target(const struct sweep_rows *v, double *sla_s)
{
    *sla_s = NAN;
    for (uint32_t i = 0; i < v->n; i++) {
        if (!v->rows[i].done)
            continue;
        *sla_s = isnan(*sla_s) ? v->rows[i].sla_s : *sla_s;
        if (fabs(v->rows[i].sla_s - *sla_s) > 1e-12)
            return false;
    }
    return *sla_s > 0 && !v->many_quantiles;
}

static uint32_t n_done(const struct sweep_rows *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        n += v->rows[i].done;
    return n;
}

static bool any_target(const struct sweep_rows *v)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (v->rows[i].done && v->rows[i].sla_s > 0)
            return true;
    return false;
}

static void say_their_target(const struct sentence *s)
{
    double sla_s;
    bool one = is_one_target(s->rows, &sla_s);
    fputs(one ? "the target" : "the target of each", s->text);
    if (one)
        fprintf(s->text, " of p%.10g %.6g ms", s->rows->quantile * 100, sla_s * MS);
}

// ---- without load as an axis

// The one that comes nearest to its target.
static void say_nearest(const struct sentence *s)
{
    const struct sweep_rows *v = s->rows;
    int best = -1;
    double least = INFINITY;
    for (uint32_t i = 0; i < v->n; i++) {
        double part = v->rows[i].latency_s.value / v->rows[i].sla_s;
        if (v->rows[i].done && part < least) {
            least = part;
            best = (int)i;
        }
    }
    if (best < 0)
        return;
    fputs("; nearest is ", s->text);
    say_name(s, (uint32_t)best);
    fprintf(s->text, ", whose p%.10g is ", v->rows[best].quantile * 100);
    say_value(s, v->rows[best].latency_s, MS);
    fprintf(s->text, " ms of %.6g", v->rows[best].sla_s * MS);
}

static uint32_t n_undecided(const struct sweep_rows *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        n += v->rows[i].done && !v->rows[i].overloaded && v->rows[i].sla == VERDICT_UNSURE;
    return n;
}

// "3 of the 4 points meet the target"
static void say_how_many(const struct sentence *s, uint32_t n, bool targets)
{
    const char *what = s->rows->folded ? "case" : "point";
    uint32_t done = n_done(s->rows), undecided = n_undecided(s->rows);
    if (done == 1)
        fprintf(s->text, "The only %s that is done %s", what,
                targets ? n           ? "meets "
                          : undecided ? "is too short to tell whether it meets "
                                      : "does not meet "
                : n     ? "is not overloaded"
                        : "is overloaded");
    else if (n == 0 && !targets)
        fprintf(s->text, "All %u %ss are overloaded", done, what);
    else if (n == 0)
        fprintf(s->text, "None of the %u %ss %s ", done, what,
                undecided ? "is shown to meet" : "meets");
    else
        fprintf(s->text, "%u of the %u %ss %s", n, done, what,
                targets  ? n == 1 ? "meets " : "meet "
                : n == 1 ? "is stable"
                         : "are stable");
    if (targets)
        say_their_target(s);
    if (undecided > 0 && done > 1)
        fprintf(s->text, ", %s%u %s too close or too short to tell", n == 0 ? "but " : "",
                undecided, undecided == 1 ? "is" : "are");
}

// Which one of several to take, of `list`, which is reordered.
static void say_choice(const struct sentence *s, uint32_t *list, uint32_t n)
{
    const struct sweep_rows *v = s->rows;
    const struct ranking r = {v, efficiency_of, -1};
    const struct measure m = {efficiency_of, -1, "the most queries per joule", "QPS/W", 1};
    uint32_t *ranked = mem_calloc(n, sizeof *ranked);
    memcpy(ranked, list, n * sizeof *ranked);
    bool known = rank(&r, ranked, n) == n;
    double most = efficiency_of(&v->rows[ranked[0]]).value,
           least = efficiency_of(&v->rows[ranked[n - 1]]).value;
    if (known && most > least * (1 + SWEEP_ANSWER_SAME_FRAC))
        say_best(s, &m, list, n);
    else
        say_lowest_tail(s, list, n);
    mem_free(ranked);
}

static void say_points(const struct sentence *s)
{
    const struct sweep_rows *v = s->rows;
    bool targets = any_target(v);
    uint32_t n, *list = holding(v, &n);
    say_how_many(s, n, targets);
    if (n == 0 && targets)
        say_nearest(s);
    if (n == 1) {
        char *tail = sweep_rows_tail_name(v);
        fputs(": ", s->text);
        say_name(s, list[0]);
        fprintf(s->text, ", whose %s is ", tail);
        say_value(s, v->rows[list[0]].latency_s, MS);
        fputs(" ms", s->text);
        mem_free(tail);
    } else if (n > 1) {
        fputs("; of these ", s->text);
        say_choice(s, list, n);
    }
    fputs(".", s->text);
    mem_free(list);
}

// ---- with load as an axis

int sweep_answer_held(const struct sweep_rows *v, uint32_t series, int *next)
{
    int held = -1, beyond = -1;
    for (uint32_t i = v->first[series]; i < v->first[series + 1] && beyond < 0; i++) {
        uint32_t row = v->order[i];
        if (!v->rows[row].done || isnan(sweep_rows_x(v, row)))
            continue;
        if (sweep_rows_holds(v, row))
            held = (int)row;
        else
            beyond = (int)row;
    }
    if (next)
        *next = beyond;
    return held;
}

static const char *load_label(const struct sentence *s, int row)
{
    return sweep_rows_label(s->rows, (uint32_t)row, (uint32_t)s->rows->x_axis);
}

// What becomes of the first load that is not held.
static void say_beyond(const struct sentence *s, int row)
{
    const struct sweep_row *r = &s->rows->rows[row];
    fprintf(s->text, "; at %s ", load_label(s, row));
    if (r->overloaded) {
        fputs("it is overloaded", s->text);
    } else {
        fprintf(s->text, "its p%.10g is ", r->quantile * 100);
        say_value(s, r->latency_s, MS);
        fprintf(s->text, " ms%s", r->sla == VERDICT_UNSURE ? ", too close to tell" : "");
    }
}

uint32_t *sweep_answer_highest(const struct sweep_rows *v, uint32_t *n, uint32_t *n_none)
{
    uint32_t *list = mem_calloc((size_t)v->n_series + 1, sizeof *list);
    double most = 0;
    *n = *n_none = 0;
    for (uint32_t s = 0; s < v->n_series; s++) {
        int held = sweep_answer_held(v, s, NULL);
        double x = held < 0 ? -1 : sweep_rows_x(v, (uint32_t)held);
        *n_none += held < 0;
        // Rates that arrived may differ a little between series.
        if (*n == 0 || x > most * (1 + 1e-3)) {
            most = x;
            *n = 0;
        }
        if (held >= 0 && x >= most * (1 - 1e-3))
            list[(*n)++] = (uint32_t)held;
    }
    return list;
}

// The first load that the series of this row does not hold; -1: none.
static int beyond(const struct sweep_rows *v, uint32_t row)
{
    int next;
    for (uint32_t s = 0; s < v->n_series; s++)
        if (sweep_answer_held(v, s, &next) == (int)row)
            return next;
    return -1;
}

static void say_held(const struct sentence *s, uint32_t *list, uint32_t n)
{
    const struct sweep_rows *v = s->rows;
    bool targets = any_target(v);
    if (v->n_series == 1)
        fputs("The fleet", s->text);
    else if (n > NAMED)
        fprintf(s->text, "%u of %u combinations", n, v->n_series);
    else
        say_names(s, list, n);
    fprintf(s->text, " %s",
            targets ? n > 1 ? "hold " : "holds "
            : n > 1 ? "are stable"
                    : "is stable");
    if (targets)
        say_their_target(s);
    fprintf(s->text, " up to %s %s", v->p->axes[v->x_axis].name, load_label(s, (int)list[0]));
    if (v->n_series > n && n <= NAMED)
        fprintf(s->text, ", the highest of %u", v->n_series);
    if (n > 1) {
        fputs("; there ", s->text);
        say_choice(s, list, n);
    } else if (beyond(v, list[0]) >= 0) {
        say_beyond(s, beyond(v, list[0]));
    } else {
        fputs(", the highest that was tried", s->text);
    }
}

static void say_loads(const struct sentence *s)
{
    const struct sweep_rows *v = s->rows;
    bool targets = any_target(v);
    uint32_t n, n_none, *list = sweep_answer_highest(v, &n, &n_none);
    if (n > 0)
        say_held(s, list, n);
    else
        say_how_many(s, 0, targets);
    if (n == 0 && targets)
        say_nearest(s);
    fputs(".", s->text);
    if (n > 0 && n_none > 0)
        fprintf(s->text, " %u of %u %s none.", n_none, v->n_series, n_none == 1 ? "holds" : "hold");
    mem_free(list);
}

// ---- the whole

// What is missing from all of it.
static void say_undone(const struct sentence *s)
{
    const struct sweep_result *p = s->rows->p;
    uint32_t undone = p->n_points - sweep_result_count(p, SWEEP_DONE),
             failed = sweep_result_count(p, SWEEP_FAILED), overloaded = 0;
    for (uint32_t i = 0; i < p->n_points; i++)
        overloaded += p->points[i].state == SWEEP_DONE && p->fleets[i].verdict == OVERLOAD_YES;
    if (overloaded > 0)
        fprintf(s->text, " %u of %u points %s overloaded.", overloaded, p->n_points,
                overloaded == 1 ? "is" : "are");
    if (failed > 0)
        fprintf(s->text, " %u of %u points failed.", failed, p->n_points);
    if (undone > failed)
        fprintf(s->text, " %u of %u points %s not done.", undone - failed, p->n_points,
                undone - failed == 1 ? "is" : "are");
}

void sweep_answer_print(struct report_out *out, const struct sweep_rows *v)
{
    char *text = NULL;
    size_t n = 0;
    struct sentence s = {v, open_memstream(&text, &n), v->x_is_load ? v->x_axis : -1};
    if (n_done(v) == 0)
        fprintf(s.text, "No point of %u is done.", v->p->n_points);
    else if (v->x_is_load)
        say_loads(&s);
    else
        say_points(&s);
    if (n_done(v) > 0)
        say_undone(&s);
    fclose(s.text);
    page_answer(out, "%s", text);
    free(text);
}
