// SPDX-License-Identifier: Apache-2.0
#include "search/max_load.h"

#include <assert.h>
#include <math.h>

const char *const max_load_state_names[] = {"found", "below", "unreachable", NULL};

enum { LONGER = 4, ROUGHER = 4 };        // an unsure run is made longer by, a rough one shorter by
enum { MOST_STEPS = 16 };                // towards one end of the answer
static const double START_FRAC = 0.7;    // of the bound: where to look first
static const double START_QPS = 1000;    // without a bound
static const double LOWEST_FRAC = 0.001; // of the bound: vanishing load
static const double HIGHEST_QPS = 1e12;  // nothing serves that
static const double FIRST_FACTOR = 2;    // of the rate, when nothing is known
static const double NEAR_FACTOR = 1.05;  // when the crossing is thought to be near
static const double NEAR_EXCESS = 0.15;  // a latency this near to the target says so
static const double NEAR_FRAC = 0.05;    // width of the bracket that the estimate is made in
// Of the rate, the first step that an end takes from the estimate; also what a clear answer may
// cost.
static const double FAR_OFF = 0.1;
// Rates this near to one where a first run was unsure are looked at with a longer one at once.
static const double UNSURE_FRAC = 0.1;

struct search {
    const struct max_load_config *config;
    const struct max_load_task *task;
    measure_fn measure;
    void *user;
    struct max_load *out;
    struct trials *trials;
    struct err *err;
    uint64_t most_queries;           // of a run, for now
    bool strict;                     // held means clear of the target
    double low_qps, high_qps;        // held (0: none yet), and not held
    double low_y, high_y;            // excess() there, NaN: not known
    double slope;                    // of excess() by the logarithm of the rate; NaN: not known
    double half;                     // of excess(), last run
    double unsure_qps;               // where a run was unsure last, 0: nowhere
    uint64_t unsure_queries, n_last; // of that run, and of the last one
    double shown_qps;                // highest rate held by a longest run, though not clear of it
    struct measurement shown;        // there
};

// How far the latency is beyond the target, or the p99 beyond its bound, whichever is further;
// below 0 within; 1 when overloaded. 1/latency is nearly linear in the rate when waiting dominates,
// so this interpolates well between two rates. Not known when what decides is not.
static double excess(const struct measurement *result)
{
    if (result->stable == VERDICT_MISSED)
        return 1;
    bool tail_known = result->tail_bound_s > 0 && result->p99_s.value > 0;
    if (!(result->sla_latency_s.value > 0) || (result->tail > result->sla && !tail_known))
        return NAN;
    double y = 1 - result->sla_s / result->sla_latency_s.value;
    return tail_known ? fmax(y, 1 - result->tail_bound_s / result->p99_s.value) : y;
}

// Half-width of excess(); 0: not known, so that the verdict is all there is.
static double excess_half(const struct measurement *result)
{
    double bound_s = result->sla_s, value_s = result->sla_latency_s.value;
    double half_s = result->sla_latency_s.half_95;
    if (result->tail_bound_s > 0 &&
        result->p99_s.value / result->tail_bound_s > value_s / bound_s) {
        bound_s = result->tail_bound_s;
        value_s = result->p99_s.value;
        half_s = result->p99_s.half_95;
    }
    double half = half_s * bound_s / (value_s * value_s);
    return isfinite(half) ? half : 0;
}

// Is what was held so far off the target, and the bound, that other draws will hold it?
static bool is_clear(const struct measurement *result)
{
    return !(result->sla_latency_s.value + MAX_LOAD_CLEAR * result->sla_latency_s.half_95 >
             result->sla_s) &&
           !(result->p99_s.value + MAX_LOAD_CLEAR * result->p99_s.half_95 > result->tail_bound_s);
}

static int run_point(struct search *s, const struct measure_point *point,
                     struct measurement *result)
{
    *result = measurement_none(VERDICT_UNSURE);
    if (s->measure(s->user, point, result, s->err) != 0)
        return -1;
    s->out->n_runs++;
    s->out->n_queries += result->n_queries;
    s->n_last = point->n_queries;
    s->half = excess_half(result);
    if (s->trials)
        trials_add(s->trials, point, result);
    return 0;
}

static uint64_t longer(const struct search *s, uint64_t n_queries)
{
    return n_queries > s->most_queries / LONGER ? s->most_queries : LONGER * n_queries;
}

// How long a run must be to have a chance to decide. What is shown in the end is shown by the
// longest: a short one near saturation has not seen the longest queues.
static uint64_t start_queries(const struct search *s, double rate_qps)
{
    if (s->strict)
        return s->most_queries;
    if (s->unsure_qps == 0)
        return s->config->first_queries;
    double near = UNSURE_FRAC * sqrt((double)s->config->first_queries / (double)s->unsure_queries);
    return fabs(log(rate_qps / s->unsure_qps)) < near ? longer(s, s->unsure_queries)
                                                      : s->config->first_queries;
}

// Where no run decides: a rough search goes by the point, a strict one wants to be clear.
static int lean(const struct search *s, int verdict, const struct measurement *result)
{
    double y = excess(result);
    if (s->task->rough && verdict == VERDICT_UNSURE && result->stable == VERDICT_MET && !isnan(y))
        return y <= 0 ? VERDICT_MET : VERDICT_UNSURE;
    if (s->strict && verdict == VERDICT_MET && !is_clear(result))
        return VERDICT_UNSURE;
    return verdict;
}

// Measures at a rate, longer and longer until it is decided. Returns the verdict, or -1.
static int look(struct search *s, double rate_qps, uint64_t n_queries, struct measurement *result)
{
    struct measure_point point = {s->task->choice, rate_qps, n_queries, s->task->stream};
    for (;; point.n_queries = longer(s, point.n_queries)) {
        if (run_point(s, &point, result) != 0)
            return -1;
        int verdict = (int)measurement_overall(result);
        if (verdict == VERDICT_UNSURE) {
            s->unsure_qps = rate_qps;
            s->unsure_queries = point.n_queries;
        }
        if (s->strict && verdict == VERDICT_MET && rate_qps > s->shown_qps) {
            s->shown_qps = rate_qps;
            s->shown = *result;
        }
        if (point.n_queries >= s->most_queries)
            return lean(s, verdict, result);
        if (verdict != VERDICT_UNSURE && lean(s, verdict, result) == verdict)
            return verdict;
    }
}

static void set_low(struct search *s, double rate_qps, const struct measurement *result)
{
    s->low_qps = rate_qps;
    s->low_y = excess(result);
    s->out->at_held = *result;
}

static void set_high(struct search *s, double rate_qps, int verdict,
                     const struct measurement *result)
{
    s->high_qps = rate_qps;
    s->high_y = excess(result);
    if (verdict == VERDICT_MISSED)
        s->out->missed_qps = rate_qps;
}

// Looks at a rate and moves the end of the bracket that it belongs to. Returns the verdict, or -1.
static int look_and_move(struct search *s, double rate_qps)
{
    struct measurement result;
    int verdict = look(s, rate_qps, start_queries(s, rate_qps), &result);
    if (verdict == VERDICT_MET)
        set_low(s, rate_qps, &result);
    else if (verdict >= 0)
        set_high(s, rate_qps, verdict, &result);
    return verdict;
}

// From a held rate upward, by growing factors, until one is not held. Leaves it when the bound is
// near, or when interpolating to the bound will be quicker.
static int expand_up(struct search *s, double factor)
{
    for (double rate_qps = s->low_qps * factor;; rate_qps = s->low_qps * factor) {
        if (rate_qps > HIGHEST_QPS || rate_qps >= s->high_qps / factor ||
            (isfinite(s->high_qps) && s->low_y < -NEAR_EXCESS))
            return 0;
        int verdict = look_and_move(s, rate_qps);
        if (verdict != VERDICT_MET)
            return verdict < 0 ? -1 : 0;
        factor *= factor;
    }
}

// Downward from a rate that is not held, until one is; low_qps stays 0 when none is. A step down
// gains less than the one before; when as much again would not do, only the end is left to look at.
static int expand_down(struct search *s, double factor, double end_qps)
{
    for (double rate_qps = s->high_qps / factor; s->low_qps == 0; rate_qps /= factor) {
        double before_y = s->high_y;
        rate_qps = rate_qps > 2 * end_qps ? rate_qps : end_qps;
        if (look_and_move(s, rate_qps) < 0)
            return -1;
        if (rate_qps <= end_qps)
            return 0;
        factor *= factor;
        if (factor >= FIRST_FACTOR * FIRST_FACTOR && before_y < 1 &&
            1 / (1 - s->high_y) - (1 / (1 - before_y) - 1 / (1 - s->high_y)) > 1)
            rate_qps = factor * end_qps;
    }
    return 0;
}

// The next rate to look at inside the bracket. Interpolates, and leans to the side from which the
// bracket becomes narrow enough: just below the crossing first, then just above.
static double pick(const struct search *s, bool halve, double width_frac)
{
    double width = log(s->high_qps / s->low_qps), step = 0.4 * log1p(width_frac);
    double at = -s->low_y / (s->high_y - s->low_y) * width;
    if (halve || !(at > 0 && at < width))
        return s->low_qps * exp(0.5 * width);
    at = at > 1.5 * step ? at - step : at + step;
    double most = 0.85 * width, least = 0.15 * width;
    return s->low_qps * exp(at > most ? most : at < least ? least : at);
}

// Narrows a bracket with two ends. A step that did not halve it is followed by one that does.
static int narrow(struct search *s, double width_frac)
{
    bool halve = false;
    while (isfinite(s->high_qps) && s->high_qps - s->low_qps > width_frac * s->low_qps) {
        double before = log(s->high_qps / s->low_qps);
        if (look_and_move(s, pick(s, halve, width_frac)) < 0)
            return -1;
        halve = !halve && log(s->high_qps / s->low_qps) > 0.5 * before;
    }
    return 0;
}

// Where the line through the two ends crosses; their middle when nothing is known of it.
static void estimate(struct search *s)
{
    double width = log(s->high_qps / s->low_qps);
    double *at_qps = &s->out->estimate_qps;
    s->slope = (s->high_y - s->low_y) / width;
    if (!(s->slope > 0) || !isfinite(s->slope)) {
        s->slope = NAN;
        *at_qps = isfinite(s->high_qps) ? s->low_qps * exp(0.5 * width) : s->low_qps;
        return;
    }
    // An unsure upper end may lie within the target, and the crossing beyond it.
    double most = s->high_qps < s->out->missed_qps ? width + NEAR_FRAC : width;
    double at = -s->low_y / s->slope;
    *at_qps = s->low_qps * exp(at < most ? at : most);
}

// The estimate as one run has it.
static void estimate_again(struct search *s, double rate_qps, const struct measurement *result)
{
    double y = excess(result);
    if (!isfinite(s->slope) || !isfinite(y) || y >= 1)
        return;
    // Where the slope is next to nothing, so is what it says far from here.
    double shift = -y / s->slope;
    s->out->estimate_qps = rate_qps * exp(fmax(-FAR_OFF, fmin(FAR_OFF, shift)));
}

// How far from the crossing a run can decide, in the logarithm of the rate, `half_widths` away.
static double reach(const struct search *s, double half_widths)
{
    double least = 0.4 * log1p(s->config->accuracy_frac);
    double need = half_widths * s->half / s->slope;
    return need > FAR_OFF ? FAR_OFF : need > least ? need : least;
}

// Shows a rate below the crossing to be held, clear of the target, as near as can be. low_qps stays
// 0 when none was.
static int step_down(struct search *s, double end_qps)
{
    struct measurement result;
    double last_qps = INFINITY;
    s->low_qps = 0;
    s->half *= sqrt((double)s->n_last / (double)s->most_queries); // what it will be
    for (int step = 0; step < MOST_STEPS; step++) {
        double off = reach(s, MAX_LOAD_CLEAR * 1.1) * (1 + 0.25 * step * step);
        double rate_qps = s->out->estimate_qps * exp(-off);
        if (rate_qps >= last_qps)
            rate_qps = last_qps * exp(-0.5 * off);
        if (rate_qps < end_qps)
            return 0;
        int verdict = look(s, rate_qps, s->most_queries, &result);
        if (verdict < 0)
            return -1;
        estimate_again(s, rate_qps, &result);
        if (verdict == VERDICT_MET) {
            set_low(s, rate_qps, &result);
            return 0;
        }
        set_high(s, rate_qps, verdict, &result);
        last_qps = rate_qps;
    }
    return 0;
}

// Where the latency hardly depends on the rate, only a far lower one is clear of the target, or
// none is. Then the highest that was held is the answer, though other draws may not be sure of it.
static int settle_low(struct search *s, double end_qps)
{
    if (step_down(s, end_qps) != 0)
        return -1;
    if (s->low_qps < (1 - FAR_OFF) * s->shown_qps)
        set_low(s, s->shown_qps, &s->shown);
    return 0;
}

// Goes nearer to the crossing, once, when the lower end turns out to be needlessly far from it.
// Intervals grow towards the crossing, so half as far again as they reach here.
static int improve_low(struct search *s)
{
    double off = 1.5 * reach(s, MAX_LOAD_CLEAR * 1.1);
    double rate_qps = s->out->estimate_qps * exp(-off);
    if (!isfinite(s->slope) || rate_qps < s->low_qps * exp(0.5 * off) ||
        rate_qps >= s->out->missed_qps)
        return 0;
    return look_and_move(s, rate_qps) < 0 ? -1 : 0;
}

// Shows a rate above the crossing to be missed, as near as can be; the bound is known to be.
static int settle_high(struct search *s)
{
    struct measurement result;
    double bound_qps = s->task->bound_qps, last_qps = s->low_qps;
    for (int step = 0; step < MOST_STEPS; step++) {
        double off = reach(s, 1.2) * (1 + 0.25 * step * step);
        double rate_qps = s->out->estimate_qps * exp(off);
        if (rate_qps <= last_qps)
            rate_qps = last_qps * exp(0.5 * off);
        if (rate_qps >= bound_qps || rate_qps > HIGHEST_QPS)
            break;
        int verdict = look(s, rate_qps, s->most_queries, &result);
        if (verdict < 0)
            return -1;
        if (verdict == VERDICT_MISSED) {
            set_high(s, rate_qps, verdict, &result);
            return 0;
        }
        if (verdict == VERDICT_MET)
            set_low(s, rate_qps, &result);
        last_qps = rate_qps;
    }
    s->high_qps = s->out->missed_qps = bound_qps;
    s->high_y = 1;
    return 0;
}

// From the estimate to two ends that are shown, with the longest runs.
static int settle(struct search *s, double end_qps)
{
    s->strict = true;
    s->most_queries = s->config->most_queries;
    if (settle_low(s, end_qps) != 0)
        return -1;
    if (s->low_qps == 0)
        return 0;
    if (improve_low(s) != 0 || settle_high(s) != 0)
        return -1;
    // Where runs decide easily, what is left of the width is the estimate's fault.
    double can = (1.2 + MAX_LOAD_CLEAR) * s->half / s->slope;
    bool decides = !(can > 0.5 * s->config->accuracy_frac);
    return decides ? narrow(s, s->config->accuracy_frac) : 0;
}

// No rate was held: what is the latency at vanishing load? Should that be held, on its own draws,
// it is a lower end after all.
static int find_floor(struct search *s, double rate_qps)
{
    uint32_t stream = s->task->stream - s->task->stream % N_MEASURE_STREAMS + STREAM_FLOOR;
    struct measure_point point = {s->task->choice, rate_qps, s->config->floor_queries, stream};
    struct measurement result;
    if (run_point(s, &point, &result) != 0)
        return -1;
    s->out->at_held = result;
    s->out->floor_s = result.sla_latency_s.value;
    if (measurement_overall(&result) == VERDICT_MET)
        set_low(s, rate_qps, &result);
    return 0;
}

static int bracket_from(struct search *s, double rate_qps, double factor, double end_qps)
{
    int verdict = look_and_move(s, rate_qps);
    if (verdict < 0)
        return -1;
    return verdict == VERDICT_MET ? expand_up(s, factor) : expand_down(s, factor, end_qps);
}

static int bracket(struct search *s, double end_qps)
{
    const struct max_load_task *task = s->task;
    bool guessed = task->guess_qps > s->low_qps && task->guess_qps < task->bound_qps;
    double guess_factor = 1 + 3 * s->config->accuracy_frac;
    if (guess_factor > NEAR_FACTOR)
        guess_factor = NEAR_FACTOR;
    if (s->low_qps > 0 && !guessed)
        return expand_up(s, NEAR_FACTOR);
    if (s->low_qps > 0) {
        int verdict = look_and_move(s, task->guess_qps);
        return verdict == VERDICT_MET ? expand_up(s, guess_factor) : verdict < 0 ? -1 : 0;
    }
    if (guessed)
        return bracket_from(s, task->guess_qps, guess_factor, end_qps);
    double start_qps = isfinite(task->bound_qps) ? START_FRAC * task->bound_qps : START_QPS;
    return bracket_from(s, start_qps, FIRST_FACTOR, end_qps);
}

// Shows that the floor is held, or that the search is over.
static int try_floor(struct search *s)
{
    struct measurement result = measurement_none(VERDICT_UNSURE);
    double floor_qps = s->task->floor_qps;
    bool bounded = floor_qps >= s->task->bound_qps;
    int verdict = VERDICT_MISSED;
    if (!bounded)
        verdict = look(s, floor_qps, s->config->first_queries, &result);
    if (verdict < 0)
        return -1;
    if (verdict == VERDICT_MET) {
        set_low(s, floor_qps, &result);
        return 0;
    }
    s->out->state = MAX_LOAD_BELOW;
    s->out->at_held = result;
    if (verdict == VERDICT_MISSED && !bounded)
        s->out->missed_qps = floor_qps;
    return 0;
}

static int find_crossing(struct search *s)
{
    const struct max_load_task *task = s->task;
    double end_qps = LOWEST_FRAC * (isfinite(task->bound_qps) ? task->bound_qps
                                    : task->guess_qps > 0     ? task->guess_qps
                                                              : START_QPS);
    double near =
        task->rough || s->config->accuracy_frac < NEAR_FRAC ? NEAR_FRAC : s->config->accuracy_frac;
    if (bracket(s, end_qps) != 0 || (s->low_qps == 0 && find_floor(s, end_qps) != 0) ||
        (s->low_qps > 0 && narrow(s, near) != 0))
        return -1;
    if (s->low_qps > 0) {
        estimate(s);
        if (!task->rough && settle(s, end_qps) != 0)
            return -1;
        if (s->low_qps == 0 && isnan(s->out->floor_s) && find_floor(s, end_qps) != 0)
            return -1;
    }
    bool found = s->low_qps > 0;
    s->out->state = found ? MAX_LOAD_FOUND : MAX_LOAD_UNREACHABLE;
    s->out->held_qps = found ? s->low_qps : NAN;
    s->out->estimate_qps = found ? s->out->estimate_qps : NAN;
    return 0;
}

int max_load_search(const struct max_load_config *config, const struct max_load_task *task,
                    measure_fn measure, void *user, struct max_load *capacity,
                    struct trials *trials, struct err *err)
{
    assert(config->accuracy_frac > 0 && config->first_queries > 0);
    assert(config->most_queries >= config->first_queries && task->bound_qps > 0);
    *capacity = (struct max_load){.held_qps = NAN,
                                  .missed_qps = task->bound_qps,
                                  .estimate_qps = NAN,
                                  .floor_s = NAN,
                                  .at_held = measurement_none(VERDICT_UNSURE)};
    uint64_t rough_queries = config->most_queries / ROUGHER;
    bool strict_floor = task->floor_qps > 0 && !task->rough;
    struct search s = {.config = config,
                       .task = task,
                       .measure = measure,
                       .user = user,
                       .out = capacity,
                       .trials = trials,
                       .err = err,
                       .most_queries = rough_queries > config->first_queries
                                           ? rough_queries
                                           : config->first_queries,
                       .high_qps = task->bound_qps,
                       .low_y = NAN,
                       .high_y = 1,
                       .slope = NAN};
    uint64_t bracket_queries = s.most_queries;
    if (strict_floor)
        s.most_queries = config->most_queries;
    if (task->floor_qps > 0 && try_floor(&s) != 0)
        return -1;
    s.most_queries = bracket_queries;
    return capacity->state == MAX_LOAD_BELOW ? 0 : find_crossing(&s);
}

int max_load_confirm(const struct max_load_config *config, const struct settings *choice,
                     double rate_qps, double over_frac, uint32_t stream, measure_fn measure,
                     void *user, struct max_load_check *check, struct trials *trials,
                     struct err *err)
{
    struct measure_point point = {*choice, rate_qps, config->most_queries, stream};
    struct measurement *results[] = {&check->at_held, &check->at_over};
    for (int i = 0; i < 2; i++) {
        *results[i] = measurement_none(VERDICT_UNSURE);
        if (measure(user, &point, results[i], err) != 0)
            return -1;
        if (trials)
            trials_add(trials, &point, results[i]);
        point.rate_qps = rate_qps * (1 + over_frac);
    }
    check->held = measurement_overall(&check->at_held);
    check->over = measurement_overall(&check->at_over);
    return 0;
}
