// SPDX-License-Identifier: Apache-2.0
// deeprecsched: the hill climb of Gupta et al., ISCA 2020, as the public summaries describe it.
//
// The first axis (the batch size B) is doubled from 1 while the rate that is held within the target
// grows; then, with that B, the next one (the threshold T) goes up from 1 (all queries to the
// accelerator). Ours beyond that, since one noisy comparison must not end the climb:
//   - it goes on past two steps that do not improve, so a plateau or a dent does not stop it, and
//     the first four steps are always taken;
//   - it then halves the gaps around the best B, geometrically, as long as N_FIRST allow;
//   - T goes to its end in steps of a tenth of the largest query, since its curve may have more
//     than one hill (a percentile does not feel the queries above it), then in fiftieths (20 items
//     of 1000) around the best;
//   - both are repeated until neither improves: once the large queries leave the CPU, the best B is
//     another one.
// Where no B holds the target on the CPU, T is climbed with the B that comes nearest to it. Further
// axes are climbed after T, each in the way of its walk; what is walked by halves (the
// accelerator's longest batch, a batch's longest delay) as B is, but from the most downward.
#include "search/tuner.h"

#include <math.h>

#include "base/mem.h"
#include "search/rounds.h"

// N_FIRST: asked for before any T, a third of the default grid of 1000 items, rounded up.
enum { PATIENCE = 2, FIRST_WIDTH = 4, WIDTH = 4, N_FIRST = 12, N_MORE = 16, CYCLES = 4 };

struct climb {
    const struct tuner_config *config;
    struct rounds *rounds;
    size_t n_left; // that may still be asked for in this pass by factors
    struct err *err;
};

// Asks in rounds of WIDTH, so that each round gains by the one before.
static int ask(struct climb *climb, const struct settings *choices, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH)
        if (rounds_ask(climb->rounds, choices + i, n - i < WIDTH ? n - i : WIDTH, climb->err) != 0)
            return -1;
    return 0;
}

static struct settings leader_of(const struct climb *climb)
{
    struct settings leader = tuner_start(climb->config);
    rounds_leader(climb->rounds, &leader);
    return leader;
}

static int64_t leading(const struct climb *climb, const struct tuner_axis *axis)
{
    struct settings leader = leader_of(climb);
    return settings_whole(&leader, axis->key);
}

// ---- by factors: B; by halves

// The i-th value of the climb: 1, 2, 4, ... and the largest, or the most and its halves. 0: there
// is none.
static int64_t step_of(const struct tuner_axis *axis, uint32_t i)
{
    int64_t most = axis->most, value = i < 62 ? INT64_C(1) << i : INT64_MAX;
    if (axis->walk == SETTINGS_HALVES)
        return i < TUNER_HALVES ? most / value : 0;
    if (value < most)
        return value;
    return i == 0 || value / 2 < most ? most : 0;
}

// How many steps lie between the leader and step `next`, the leader's own included; 0: it is not
// among them, or there is none that holds the target.
static uint32_t steps_behind(const struct climb *climb, const struct tuner_axis *axis,
                             uint32_t next)
{
    int64_t best = leading(climb, axis);
    for (uint32_t i = 0; i < next && rounds_leader_qps(climb->rounds) > 0; i++)
        if (step_of(axis, i) == best)
            return next - i;
    return 0;
}

// From the first value on, the leader's other values as they are. Every round is as wide as
// patience allows, so that no step is taken which one step at a time would not have taken.
static int climb_factors(struct climb *climb, const struct tuner_axis *axis)
{
    const struct settings base = leader_of(climb);
    uint32_t next = 0, width = FIRST_WIDTH;
    while (width > 0 && step_of(axis, next) > 0) {
        struct settings choices[FIRST_WIDTH];
        size_t n = 0;
        for (; n < width && step_of(axis, next) > 0; next++)
            choices[n++] = tuner_with(base, axis, step_of(axis, next));
        // The last of the first steps before the others: where it holds more than they can at all,
        // and it mostly does, they cost no run, and theirs would be the longest of all.
        size_t n_first = next == n ? 1 : 0;
        if (ask(climb, choices + n - n_first, n_first) != 0 ||
            ask(climb, choices, n - n_first) != 0)
            return -1;
        climb->n_left -= n < climb->n_left ? n : climb->n_left;
        uint32_t behind = steps_behind(climb, axis, next);
        width = behind > PATIENCE ? 0 : behind > 0 ? PATIENCE + 1 - behind : PATIENCE;
    }
    return 0;
}

// The integer nearest to the geometric mean; one of the two when nothing lies between.
static int64_t between(int64_t low, int64_t high)
{
    int64_t mean = (int64_t)sqrt((double)low * (double)high);
    mean = mean > low + 1 ? mean - 1 : low; // not above, whatever was rounded
    while ((double)(mean + 1) * (double)(mean + 1) <= (double)low * (double)high)
        mean++;
    return mean;
}

// Halves the gaps around the leader's value, down to its half and up to its double, until they are
// within a tenth.
static int refine_factors(struct climb *climb, const struct tuner_axis *axis)
{
    int64_t best = leading(climb, axis), low = best / 2 > 1 ? best / 2 : 1;
    int64_t high = best < axis->most / 2 ? 2 * best : axis->most;
    while (climb->n_left > 0 && best > 0) {
        int64_t above = between(best, high), below = between(low, best), before = best;
        struct settings sides[] = {tuner_with(leader_of(climb), axis, above),
                                   tuner_with(leader_of(climb), axis, below)};
        size_t n = climb->n_left < 2 ? 1 : 2;
        bool fine = (double)above < 1.1 * (double)best && 1.1 * (double)below > (double)best;
        if (fine || ask(climb, sides, n) != 0)
            return fine ? 0 : -1;
        climb->n_left -= n;
        best = leading(climb, axis);
        if (best == before) {
            high = above;
            low = n == 2 ? below : low;
        } else if (best > before) {
            low = before;
        } else {
            high = before;
        }
    }
    return 0;
}

// ---- in steps: T

// From 1 to the largest in tenths, the leader's other values as they are.
static int climb_steps(struct climb *climb, const struct tuner_axis *axis)
{
    int64_t step = axis->most >= 15 ? (axis->most + 5) / 10 : 1;
    struct settings base = leader_of(climb);
    struct settings *choices = mem_calloc((size_t)(axis->most / step) + 2, sizeof *choices);
    size_t n = 0;
    choices[n++] = tuner_with(base, axis, 1);
    for (int64_t value = step; value <= axis->most; value += step)
        choices[n++] = tuner_with(base, axis, value);
    int rc = ask(climb, choices, n);
    mem_free(choices);
    return rc;
}

// In fiftieths around the leader's, one to four of them to either side, following the leader.
static int refine_steps(struct climb *climb, const struct tuner_axis *axis)
{
    int64_t step = axis->most >= 75 ? (axis->most + 25) / 50 : 1;
    for (int64_t best = leading(climb, axis); best > 0;) {
        struct settings sides[8], base = leader_of(climb);
        size_t n = 0;
        for (int i = 1; i <= 4; i++)
            for (int side = -1; side <= 1; side += 2) {
                // From 1 the steps lead to the same values as from 0.
                int64_t to = (best > 1 ? best : 0) + side * i * step;
                if (to >= 1 && to <= axis->most)
                    sides[n++] = tuner_with(base, axis, to);
            }
        if (ask(climb, sides, n) != 0)
            return -1;
        int64_t before = best;
        best = leading(climb, axis);
        if (best == before)
            break;
    }
    return 0;
}

// ---- all axes

// Returns 1 when the leader's value is another one afterwards, 0 when it is not.
static int climb_axis(struct climb *climb, const struct tuner_axis *axis, size_t n_choices)
{
    int64_t before = leading(climb, axis);
    bool steps = axis->walk == SETTINGS_STEPS;
    climb->n_left = n_choices;
    int rc = steps ? climb_steps(climb, axis) : climb_factors(climb, axis);
    if (rc == 0)
        rc = steps ? refine_steps(climb, axis) : refine_factors(climb, axis);
    return rc != 0 ? -1 : leading(climb, axis) != before;
}

static int climb_all(struct climb *climb)
{
    const struct tuner_config *config = climb->config;
    int moved = climb_axis(climb, &config->axes[0], N_FIRST);
    for (int cycle = 0; cycle < CYCLES && moved >= 0 && config->n_axes > 1; cycle++) {
        bool any = false;
        for (size_t a = 1; a < config->n_axes && moved >= 0; a++) {
            moved = climb_axis(climb, &config->axes[a], N_MORE);
            any |= moved > 0;
        }
        if (moved < 0 || !any)
            break;
        moved = climb_axis(climb, &config->axes[0], N_MORE);
        if (moved == 0)
            break;
    }
    return moved < 0 ? -1 : rounds_finish(climb->rounds, climb->err);
}

static int tune(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err)
{
    struct climb climb = {config, rounds_create(config, backend, outcome), 0, err};
    int rc = climb_all(&climb);
    rounds_destroy(climb.rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

const struct tuner_policy tuner_deeprecsched = {
    "deeprecsched", "hill climbing on the batch size, then on the threshold (ISCA 2020)", tune};
