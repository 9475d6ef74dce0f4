// SPDX-License-Identifier: Apache-2.0
#include "search/sizing.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

const char *const sizing_state_names[] = {"found", "range", "beyond", NULL};

enum { LONGER = 4 };                   // the runs of a round are longer than those of the last by
static const double MOST_GROWTH = 0.9; // of a spread, as a part of the growth of the run
static const double SURE = 2;      // times SIZING_CLEAR: decided, whatever a longer run would say
static const double FAR_RATIO = 4; // a bracket this wide is halved by its logarithm
static const int64_t FAR_STEP = 8; // the first step is at most this part of the size

// What a walk looks for: the smallest size that leans to being held, is not shown to be missed, is
// shown to be held. In half-widths of SIZING_CLEAR, what is added to the measured fraction.
enum edge { EDGE_NOT_MISSED = -1, EDGE_POINT = 0, EDGE_MET = 1 };

// All that is known of one size: the longest run.
struct size {
    int64_t n;
    int round; // whose length it was
    struct measurement result;
    double clear; // half-widths that decide here
    int32_t verdict;
    bool shown; // the verdict stands
};

enum { MOST_ROUNDS = 34 }; // from one query to 2^64, and one more

// Spread of the late queries, times the length of the run, of the sizes that were looked at in this
// round and in the one before it; summed over both.
struct spread {
    double now, before;
};

struct search {
    const struct sizing_task *task;
    sizing_fn measure;
    void *user;
    struct sizing *out;
    struct err *err;
    struct size *sizes; // in the order of being looked at
    size_t n_sizes, cap;
    int last_round;
    struct spread spreads[MOST_ROUNDS]; // by round
};

// ---- what one result says -----------------------------------------------------------------------

// Half-width of the fraction of late queries, at least that of independent ones at the allowance.
static double late_half(const struct measurement *result, double allowed_frac)
{
    const struct measurement_floor floor = {(double)result->n_queries, allowed_frac, NAN, INFINITY};
    if (result->n_queries == 0)
        return result->late_frac.half_95;
    return measurement_late_half(result->late_frac.half_95, &floor);
}

// By the late queries alone, `clear` half-widths off.
static enum measurement_verdict late_verdict(const struct measurement *result, double allowed_frac,
                                             double clear)
{
    struct ci late = result->late_frac;
    late.half_95 = late_half(result, allowed_frac);
    return measurement_judge(late, allowed_frac, clear);
}

static enum measurement_verdict verdict_clear_by(const struct measurement *result,
                                                 double allowed_frac, double clear)
{
    if (isnan(result->late_frac.value))
        return measurement_overall(result);
    struct measurement by_late = *result;
    int32_t late = (int32_t)late_verdict(result, allowed_frac, clear);
    by_late.sla = late == VERDICT_MET ? result->sla : late;
    return measurement_overall(&by_late);
}

enum measurement_verdict sizing_verdict(const struct measurement *result, double allowed_frac)
{
    return verdict_clear_by(result, allowed_frac, SIZING_CLEAR);
}

// Where no interval decides: does the measured point meet the target?
static bool point_meets(const struct measurement *result, double allowed_frac)
{
    return measurement_overall(result) != VERDICT_MISSED &&
           result->late_frac.value <= allowed_frac &&
           !(result->tail == VERDICT_UNSURE && result->p99_s.value > result->tail_bound_s);
}

static bool is_beyond(const struct size *size, enum edge edge, double allowed_frac)
{
    if (edge == EDGE_MET)
        return size->verdict == VERDICT_MET;
    if (edge == EDGE_NOT_MISSED || size->verdict != VERDICT_UNSURE)
        return size->verdict != VERDICT_MISSED;
    return point_meets(&size->result, allowed_frac);
}

// How far a size is from the edge: logarithm of the fraction of late queries over the allowance, so
// nearly linear in the size; below 0 beyond the edge. NaN: not known.
static double distance(const struct size *size, enum edge edge, double allowed_frac)
{
    double late = size->result.late_frac.value;
    if (edge != EDGE_POINT)
        late += (double)edge * size->clear * late_half(&size->result, allowed_frac);
    double least = 0.5 / (double)(size->result.n_queries + 1);
    return isnan(late) ? (double)NAN : log((late > least ? late : least) / allowed_frac);
}

// ---- looking at a size --------------------------------------------------------------------------

// What was known of size n, NULL: nothing. Any pointer is good until the next look.
static struct size *known(const struct search *s, int64_t n)
{
    for (size_t i = 0; i < s->n_sizes; i++)
        if (s->sizes[i].n == n)
            return &s->sizes[i];
    return NULL;
}

static struct size *add_size(struct search *s, int64_t n)
{
    if (s->n_sizes == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->sizes = mem_realloc(s->sizes, s->cap, sizeof *s->sizes);
    }
    s->sizes[s->n_sizes] = (struct size){.n = n, .round = -1, .verdict = VERDICT_UNSURE};
    return &s->sizes[s->n_sizes++];
}

static uint64_t round_queries(const struct sizing_task *task, int round)
{
    uint64_t n_queries = task->first_queries;
    for (int i = 0; i < round; i++)
        n_queries =
            n_queries > task->most_queries / LONGER ? task->most_queries : LONGER * n_queries;
    return n_queries;
}

static int last_round(const struct sizing_task *task)
{
    int round = 0;
    while (round_queries(task, round) < task->most_queries)
        round++;
    return round;
}

// Where the waits of one batch go on into the next, the batches of a short run spread too little,
// and the interval is too narrow: n / (n + c) of its variance is seen, c being the queries that
// hang together. The spread at two lengths tells c over the longer. Where none was seen at both,
// that of the round before, over the length of this one.
static double unseen(const struct search *s, int round)
{
    if (round == 0)
        return 0;
    const struct spread *spread = &s->spreads[round];
    double longer =
        (double)round_queries(s->task, round) / (double)round_queries(s->task, round - 1);
    if (!(spread->before > 0))
        return unseen(s, round - 1) / longer;
    double growth = fmax(1, fmin(spread->now / spread->before, MOST_GROWTH * longer));
    return (growth - 1) / (longer - growth);
}

static double spread_of(const struct measurement *result)
{
    double half = result->late_frac.half_95;
    return half * half * (double)result->n_queries;
}

static void note_spread(struct search *s, int round, const struct size *size,
                        const struct measurement *result)
{
    if (size->round < 0 || size->round != round - 1)
        return;
    double now = spread_of(result), before = spread_of(&size->result);
    if (!isfinite(now) || !isfinite(before))
        return;
    s->spreads[round].now += now;
    s->spreads[round].before += before;
}

// Takes the result in. It stands when the run before it said the same, or when it is very clear;
// but what is clear to the shortest runs may only look so.
static void settle(const struct search *s, struct size *size, int round,
                   const struct measurement *result)
{
    double allowed = s->task->allowed_frac;
    double clear = SIZING_CLEAR * sqrt(1 + unseen(s, round));
    int32_t before = size->round < 0 ? VERDICT_UNSURE : size->verdict;
    int32_t verdict = (int32_t)verdict_clear_by(result, allowed, clear);
    bool sure = round > 0 && !isnan(result->late_frac.value) &&
                (int32_t)verdict_clear_by(result, allowed, SURE * clear) == verdict;
    bool stands = before == verdict || sure || round == s->last_round;
    *size = (struct size){.n = size->n,
                          .round = round,
                          .result = *result,
                          .clear = clear,
                          .verdict = verdict,
                          .shown = verdict != VERDICT_UNSURE && stands};
}

// Measures size n by a run of that round, unless it was by as long a one or its verdict stands.
static struct size *look(struct search *s, int64_t n, int round)
{
    struct size *size = known(s, n);
    if (size && (size->shown || size->round >= round))
        return size;
    const struct sizing_point point = {(uint32_t)n, round_queries(s->task, round), s->task->stream};
    struct measurement result = measurement_none(VERDICT_UNSURE);
    if (s->measure(s->user, &point, &result, s->err) != 0)
        return NULL;
    s->out->n_runs++;
    s->out->n_queries += result.n_queries;
    if (!size)
        size = add_size(s, n);
    note_spread(s, round, size, &result);
    settle(s, size, round, &result);
    return size;
}

// ---- walking to an edge -------------------------------------------------------------------------

// A bracket of the edge: `low` is before it, `high` beyond. Either may be an end of what may be
// looked at, not measured; then its y is NaN.
struct bracket {
    int64_t low, high;
    double low_y, high_y; // distance()
    int64_t step;         // the next one away from the only end that was walked to
    bool walked_low, walked_high;
    bool halve;
};

// The widest, but for low_y and high_y: what is shown, or lies outside of the task.
static struct bracket widest(const struct search *s)
{
    struct bracket b = {.low = (int64_t)s->task->least - 1, .high = (int64_t)s->task->most + 1};
    const struct bracket all = b;
    for (size_t i = 0; i < s->n_sizes; i++) {
        const struct size *size = &s->sizes[i];
        if (size->shown && size->verdict == VERDICT_MISSED && size->n > b.low)
            b.low = size->n;
        if (size->shown && size->verdict == VERDICT_MET && size->n < b.high)
            b.high = size->n;
    }
    return b.low < b.high ? b : all; // shown things that contradict each other show nothing
}

// A first guess of how far the edge is: with the slack that a pool of n needs, about its root, the
// logarithm falls by a few units.
static int64_t first_step(int64_t n, double y)
{
    double step = 0.5 * fabs(y) * sqrt((double)n);
    double most = (double)(n / FAR_STEP);
    step = isnan(step) || step > most ? most : step;
    return step > 1 ? (int64_t)step : 1;
}

static void move(struct bracket *b, int64_t n, bool beyond, double y)
{
    bool first = !b->walked_low && !b->walked_high;
    int64_t before = b->high - b->low;
    if (beyond) {
        b->high = n;
        b->high_y = y;
        b->walked_high = true;
    } else {
        b->low = n;
        b->low_y = y;
        b->walked_low = true;
    }
    b->halve = !b->halve && b->high - b->low > before / 2;
    if (first)
        b->step = first_step(n, y);
    else if (b->step < INT64_MAX / 4)
        b->step *= 2;
}

static int64_t middle(const struct bracket *b)
{
    if (b->low > 0 && (double)b->high > FAR_RATIO * (double)b->low)
        return (int64_t)sqrt((double)b->low * (double)b->high);
    return b->low + (b->high - b->low) / 2;
}

// The next size to look at, between the ends.
static int64_t pick(const struct bracket *b)
{
    int64_t n = middle(b);
    if (!b->walked_low && b->high - b->step > b->low)
        n = b->high - b->step;
    else if (!b->walked_high && b->low + b->step < b->high)
        n = b->low + b->step;
    else if (!b->halve && b->low_y > 0 && b->high_y < 0)
        n = b->low + llround((double)(b->high - b->low) * (b->low_y / (b->low_y - b->high_y)));
    return n <= b->low ? b->low + 1 : n >= b->high ? b->high - 1 : n;
}

// The smallest size beyond the edge, by runs of that round, from `start`; -1 when a run fails.
static int64_t walk(struct search *s, enum edge edge, int round, int64_t start)
{
    double allowed = s->task->allowed_frac;
    struct bracket b = widest(s);
    const struct size *low = known(s, b.low), *high = known(s, b.high);
    b.low_y = low ? distance(low, edge, allowed) : (double)NAN;
    b.high_y = high ? distance(high, edge, allowed) : (double)NAN;
    int64_t n = start <= b.low ? b.low + 1 : start >= b.high ? b.high - 1 : start;
    for (; b.high - b.low > 1; n = pick(&b)) {
        const struct size *size = look(s, n, round);
        if (!size)
            return -1;
        move(&b, n, is_beyond(size, edge, allowed), distance(size, edge, allowed));
    }
    return b.high;
}

// ---- the search ---------------------------------------------------------------------------------

static bool stands(const struct search *s, int64_t n)
{
    const struct size *size = known(s, n);
    return n < (int64_t)s->task->least || n > (int64_t)s->task->most || (size && size->shown);
}

// By longer and longer runs, to a size that meets the target above one that does not; -1 when a run
// fails.
static int64_t cross(struct search *s)
{
    const struct sizing_task *task = s->task;
    int64_t n = task->guess ? task->guess : task->least;
    for (int round = 0; round <= s->last_round; round++) {
        n = walk(s, EDGE_POINT, round, n);
        if (n < 0 || (stands(s, n) && stands(s, n - 1)))
            return n;
    }
    return n;
}

static struct measurement result_at(const struct search *s, int64_t n)
{
    const struct size *size = known(s, n);
    return size ? size->result : measurement_none(VERDICT_UNSURE);
}

// How far the answer may lie from n, by the longest runs.
static int bound(struct search *s, int64_t n)
{
    struct sizing *out = s->out;
    int64_t least = stands(s, n - 1) ? n : walk(s, EDGE_NOT_MISSED, s->last_round, n - 1);
    int64_t most = least < 0 || stands(s, n) ? n : walk(s, EDGE_MET, s->last_round, n + 1);
    if (least < 0 || most < 0)
        return -1;
    // Where nothing was held, the last to look at is not known to be.
    bool held = most <= (int64_t)s->task->most;
    out->n_least = (uint32_t)(least < n ? least : n);
    out->n_most = held ? (uint32_t)most : s->task->most;
    out->state = held && out->n_least == out->n_most ? SIZING_FOUND : SIZING_RANGE;
    return 0;
}

static int find(struct search *s)
{
    int64_t n = cross(s);
    if (n < 0)
        return -1;
    uint32_t most = s->task->most;
    if (n > (int64_t)most) {
        s->out->state = SIZING_BEYOND;
        s->out->n_least = s->out->n_most = most;
        n = most;
    } else if (bound(s, n) != 0) {
        return -1;
    }
    s->out->n = (uint32_t)n;
    s->out->at_n = result_at(s, n);
    s->out->below = result_at(s, n - 1);
    return 0;
}

int sizing_search(const struct sizing_task *task, sizing_fn measure, void *user,
                  struct sizing *sizing, struct err *err)
{
    assert(task->least >= 1 && task->least <= task->most);
    assert(task->allowed_frac > 0 && task->allowed_frac < 1);
    assert(task->first_queries > 0 && task->first_queries <= task->most_queries);
    *sizing = (struct sizing){.at_n = measurement_none(VERDICT_UNSURE),
                              .below = measurement_none(VERDICT_UNSURE)};
    struct search s = {.task = task,
                       .measure = measure,
                       .user = user,
                       .out = sizing,
                       .err = err,
                       .last_round = last_round(task)};
    int rc = find(&s);
    mem_free(s.sizes);
    return rc;
}
