// SPDX-License-Identifier: Apache-2.0
#include "search/capacity.h"

#include <assert.h>
#include <math.h>

const char *const capacity_state_names[] = {"found", "below", "unreachable", NULL};

enum { LONGER = 4, ROUGHER = 4 };     // an unsure run is made longer by, a rough one is shorter by
static const double START_FRAC = 0.7; // of the bound: where to look first
static const double START_QPS = 1000; // without a bound
static const double LOWEST_FRAC = 0.001; // of the bound: vanishing load
static const double HIGHEST_QPS = 1e12;  // nothing serves that
static const double FIRST_FACTOR = 1.5;  // of the rate, when nothing is known
static const double BEYOND_FLOOR = 1.05; // when the floor is held
static const double BEYOND_GUESS = 1.5;  // times the accuracy, from a guess

struct search {
    const struct capacity_config *config;
    const struct capacity_task *task;
    measure_fn measure;
    void *user;
    struct capacity *out;
    struct trials *trials;
    struct err *err;
    double accuracy_frac;
    uint64_t level, most_queries; // runs start at `level`: shorter ones were unsure hereabouts
    double low_qps, high_qps;     // held (0: none yet), and not held
    double low_y, high_y;         // excess() there, NaN: not known
    uint64_t low_queries, missed_queries; // of the runs that decided
    uint64_t last_queries;                // of the last run
};

// How far beyond the target, below 0 within; 1 when overloaded. 1/latency is nearly linear in the
// rate when waiting dominates, so this interpolates well between two rates.
static double excess(const struct measure_result *result)
{
    if (result->stable == VERDICT_MISSED)
        return 1;
    return result->latency_s > 0 ? 1 - result->target_s / result->latency_s : NAN;
}

static int run_point(struct search *s, const struct measure_point *point,
                     struct measure_result *result)
{
    *result = measure_nothing();
    if (s->measure(s->user, point, result, s->err) != 0)
        return -1;
    s->out->n_runs++;
    s->out->n_queries += result->n_queries;
    s->last_queries = point->n_queries;
    if (s->trials)
        trials_add(s->trials, point, result);
    return 0;
}

// Measures at a rate, longer and longer until it is decided. Returns the verdict, or -1.
static int look(struct search *s, double rate_qps, uint64_t n_queries,
                struct measure_result *result)
{
    struct measure_point point = {s->task->choice, rate_qps, n_queries, s->task->stream};
    for (;;) {
        if (run_point(s, &point, result) != 0)
            return -1;
        int verdict = (int)measure_overall(result);
        if (verdict != VERDICT_UNSURE || point.n_queries >= s->most_queries) {
            // Near an undecided point shorter runs would not decide either.
            if (point.n_queries / LONGER > s->level)
                s->level = point.n_queries / LONGER;
            return verdict;
        }
        point.n_queries =
            point.n_queries > s->most_queries / LONGER ? s->most_queries : LONGER * point.n_queries;
    }
}

static void set_low(struct search *s, double rate_qps, const struct measure_result *result)
{
    s->low_qps = rate_qps;
    s->low_y = excess(result);
    s->low_queries = s->last_queries;
    s->out->at_held = *result;
}

static void set_missed(struct search *s, double rate_qps)
{
    s->out->missed_qps = rate_qps;
    s->missed_queries = s->last_queries;
}

static void set_high(struct search *s, double rate_qps, int verdict,
                     const struct measure_result *result)
{
    s->high_qps = rate_qps;
    s->high_y = excess(result);
    if (verdict == VERDICT_MISSED)
        set_missed(s, rate_qps);
}

// Looks at a rate and moves the end of the bracket that it belongs to. Returns the verdict, or -1.
static int look_and_move(struct search *s, double rate_qps)
{
    struct measure_result result;
    int verdict = look(s, rate_qps, s->level, &result);
    if (verdict == VERDICT_MET)
        set_low(s, rate_qps, &result);
    else if (verdict >= 0)
        set_high(s, rate_qps, verdict, &result);
    return verdict;
}

// From a held rate upward, by growing factors, until one is not held or the bound is near.
static int expand_up(struct search *s, double factor)
{
    for (double rate_qps = s->low_qps * factor;; rate_qps = s->low_qps * factor) {
        if (rate_qps > HIGHEST_QPS || rate_qps >= s->high_qps / factor)
            return 0;
        int verdict = look_and_move(s, rate_qps);
        if (verdict != VERDICT_MET)
            return verdict < 0 ? -1 : 0;
        factor *= factor;
    }
}

// Downward from a rate that is not held, until one is; low_qps stays 0 when none is.
static int expand_down(struct search *s, double factor, double end_qps)
{
    for (double rate_qps = s->high_qps / factor; s->low_qps == 0; rate_qps /= factor) {
        rate_qps = rate_qps > end_qps ? rate_qps : end_qps;
        if (look_and_move(s, rate_qps) < 0)
            return -1;
        if (rate_qps <= end_qps)
            return 0;
        factor *= factor;
    }
    return 0;
}

// The next rate to look at inside the bracket. Interpolates, and leans to the side from which the
// bracket becomes narrow enough: just below the crossing first, then just above.
static double pick(const struct search *s, bool halve)
{
    double width = log(s->high_qps / s->low_qps), step = 0.4 * log1p(s->accuracy_frac);
    double at = -s->low_y / (s->high_y - s->low_y) * width;
    if (halve || !(at > 0 && at < width))
        return s->low_qps * exp(0.5 * width);
    at = at > 1.5 * step ? at - step : at + step;
    double most = 0.85 * width, least = 0.15 * width;
    return s->low_qps * exp(at > most ? most : at < least ? least : at);
}

static bool wide(const struct search *s)
{
    return s->high_qps - s->low_qps > s->accuracy_frac * s->low_qps;
}

// Narrows a bracket with two ends. A step that did not halve it is followed by one that does.
static int narrow(struct search *s)
{
    bool halve = false;
    while (isfinite(s->high_qps) && wide(s)) {
        double before = log(s->high_qps / s->low_qps);
        if (look_and_move(s, pick(s, halve)) < 0)
            return -1;
        halve = !halve && log(s->high_qps / s->low_qps) > 0.5 * before;
    }
    return 0;
}

// Does the latency keep its distance from the target?
static bool clear(const struct measure_result *result)
{
    if (!isfinite(result->latency_half_s) || !isfinite(result->target_s))
        return true; // the verdict is all there is
    return result->latency_s + CAPACITY_CLEAR * result->latency_half_s <= result->target_s;
}

// Shows the lower end at the longest run, or steps down until one can be shown.
static int settle_low(struct search *s, double end_qps)
{
    struct measure_result result = s->out->at_held;
    int verdict = VERDICT_MET;
    double step = 0.25 * s->config->accuracy_frac;
    for (double rate_qps = s->low_qps; rate_qps >= end_qps; rate_qps /= 1 + step, step *= 2) {
        if (rate_qps < s->low_qps || s->low_queries < s->most_queries) {
            verdict = look(s, rate_qps, s->most_queries, &result);
            if (verdict < 0)
                return -1;
        }
        if (verdict == VERDICT_MET && clear(&result)) {
            set_low(s, rate_qps, &result);
            return 0;
        }
        if (verdict == VERDICT_MISSED)
            set_missed(s, rate_qps);
    }
    s->low_qps = 0;
    return 0;
}

// Shows the upper end at the longest run, nearer to the lower end if it can.
static int settle_missed(struct search *s)
{
    struct measure_result result;
    double missed_qps = s->out->missed_qps, low_qps = s->low_qps;
    double step = s->config->accuracy_frac;
    bool near = missed_qps - low_qps <= step * low_qps;
    if (near && s->missed_queries >= s->most_queries)
        return 0;
    double rate_qps = near ? missed_qps : low_qps * (1 + step);
    for (; rate_qps < s->task->bound_qps && rate_qps < HIGHEST_QPS;
         rate_qps = low_qps * (1 + step)) {
        int verdict = look(s, rate_qps, s->most_queries, &result);
        if (verdict < 0)
            return -1;
        if (verdict == VERDICT_MISSED) {
            set_missed(s, rate_qps);
            return 0;
        }
        if (verdict == VERDICT_MET && clear(&result))
            set_low(s, rate_qps, &result);
        step *= 1.5;
    }
    set_missed(s, s->task->bound_qps);
    return 0;
}

// No rate was held: what is the latency at vanishing load? Should that be held, on its own draws,
// it is a lower end after all.
static int find_floor(struct search *s, double rate_qps)
{
    uint32_t stream = s->task->stream - s->task->stream % N_MEASURE_STREAMS + STREAM_FLOOR;
    struct measure_point point = {s->task->choice, rate_qps, s->config->floor_queries, stream};
    struct measure_result result;
    if (run_point(s, &point, &result) != 0)
        return -1;
    s->out->at_held = result;
    s->out->floor_s = result.latency_s;
    if (measure_overall(&result) == VERDICT_MET)
        set_low(s, rate_qps, &result);
    return 0;
}

static int bracket_from(struct search *s, double rate_qps, double factor, double end_qps)
{
    int verdict = look_and_move(s, rate_qps);
    if (verdict < 0)
        return -1;
    if (verdict == VERDICT_MET)
        return expand_up(s, factor);
    return expand_down(s, factor, end_qps) != 0 || (s->low_qps == 0 && find_floor(s, end_qps) != 0)
               ? -1
               : 0;
}

static int bracket(struct search *s, double end_qps)
{
    const struct capacity_task *task = s->task;
    bool guessed = task->guess_qps > s->low_qps && task->guess_qps < task->bound_qps;
    double narrow_factor = 1 + BEYOND_GUESS * s->config->accuracy_frac;
    if (s->low_qps > 0 && !guessed)
        return expand_up(s, BEYOND_FLOOR);
    if (s->low_qps > 0) {
        int verdict = look_and_move(s, task->guess_qps);
        return verdict == VERDICT_MET ? expand_up(s, narrow_factor) : verdict < 0 ? -1 : 0;
    }
    if (guessed)
        return bracket_from(s, task->guess_qps, narrow_factor, end_qps);
    double start_qps = isfinite(task->bound_qps) ? START_FRAC * task->bound_qps : START_QPS;
    return bracket_from(s, start_qps, FIRST_FACTOR, end_qps);
}

// Shows that the floor is held, or that the search is over.
static int try_floor(struct search *s)
{
    struct measure_result result = measure_nothing();
    double floor_qps = s->task->floor_qps;
    int verdict = VERDICT_MISSED;
    if (floor_qps < s->task->bound_qps)
        verdict = look(s, floor_qps, s->level, &result);
    if (verdict == VERDICT_MET) {
        set_low(s, floor_qps, &result);
        return 0;
    }
    if (verdict < 0)
        return -1;
    s->out->state = CAPACITY_BELOW;
    s->out->at_held = result;
    if (verdict == VERDICT_MISSED && floor_qps < s->task->bound_qps)
        set_missed(s, floor_qps);
    return 0;
}

static int search_up(struct search *s)
{
    const struct capacity_task *task = s->task;
    double end_qps = LOWEST_FRAC * (isfinite(task->bound_qps) ? task->bound_qps
                                    : task->guess_qps > 0     ? task->guess_qps
                                                              : START_QPS);
    if (bracket(s, end_qps) != 0)
        return -1;
    if (s->low_qps > 0 && narrow(s) != 0)
        return -1;
    if (s->low_qps > 0 && !task->rough &&
        (settle_low(s, end_qps) != 0 || (s->low_qps > 0 && settle_missed(s) != 0)))
        return -1;
    if (s->low_qps == 0 && isnan(s->out->floor_s) && find_floor(s, end_qps) != 0)
        return -1;
    s->out->state = s->low_qps > 0 ? CAPACITY_FOUND : CAPACITY_UNREACHABLE;
    s->out->held_qps = s->low_qps > 0 ? s->low_qps : NAN;
    return 0;
}

int capacity_search(const struct capacity_config *config, const struct capacity_task *task,
                    measure_fn measure, void *user, struct capacity *capacity,
                    struct trials *trials, struct err *err)
{
    assert(config->accuracy_frac > 0 && config->first_queries > 0);
    assert(config->most_queries >= config->first_queries && task->bound_qps > 0);
    *capacity = (struct capacity){.held_qps = NAN,
                                  .missed_qps = task->bound_qps,
                                  .floor_s = NAN,
                                  .at_held = measure_nothing()};
    struct search s = {.config = config,
                       .task = task,
                       .measure = measure,
                       .user = user,
                       .out = capacity,
                       .trials = trials,
                       .err = err,
                       .level = config->first_queries,
                       .most_queries = config->most_queries,
                       .accuracy_frac = config->accuracy_frac,
                       .high_qps = task->bound_qps,
                       .low_y = NAN,
                       .high_y = 1};
    if (task->rough)
        s.most_queries = config->most_queries / ROUGHER > config->first_queries
                             ? config->most_queries / ROUGHER
                             : config->first_queries;
    else
        s.accuracy_frac *= 0.5; // the other half is for settling
    if (task->floor_qps > 0) {
        if (try_floor(&s) != 0)
            return -1;
        if (capacity->state == CAPACITY_BELOW)
            return 0;
    }
    return search_up(&s);
}

int capacity_confirm(const struct capacity_config *config, const struct choice *choice,
                     double rate_qps, double over_frac, uint32_t stream, measure_fn measure,
                     void *user, struct capacity_check *check, struct trials *trials,
                     struct err *err)
{
    struct measure_point point = {*choice, rate_qps, config->most_queries, stream};
    struct measure_result *results[] = {&check->at_held, &check->at_over};
    for (int i = 0; i < 2; i++) {
        *results[i] = measure_nothing();
        if (measure(user, &point, results[i], err) != 0)
            return -1;
        if (trials)
            trials_add(trials, &point, results[i]);
        point.rate_qps = rate_qps * (1 + over_frac);
    }
    check->held = (int32_t)measure_overall(&check->at_held);
    check->over = (int32_t)measure_overall(&check->at_over);
    return 0;
}
