// SPDX-License-Identifier: Apache-2.0
// deeprecsched: the hill climb of Gupta et al., ISCA 2020, as the public summaries describe it.
//
// The batch size B is doubled from 1 while the rate that is held within the target grows; then,
// with that B, the threshold T goes up from 1 (all queries to the accelerator). Ours beyond that,
// since one noisy comparison must not end the climb:
//   - it goes on past two steps that do not improve, so a plateau or a dent does not stop it, and
//     the first four steps are always taken;
//   - it then halves the gaps around the best B, geometrically, as long as BATCHES allow;
//   - T goes to its end in steps of a tenth of the largest query, since its curve may have more
//     than one hill (a percentile does not feel the queries above it), then in fiftieths (20 items
//     of 1000) around the best;
//   - both are repeated until neither improves: once the large queries leave the CPU, the best B is
//     another one.
// Where no B holds the target on the CPU, T is climbed with the B that comes nearest to it.
#include "search/tuner.h"

#include "base/mem.h"
#include "search/rounds.h"

// BATCHES: asked for before any T, a third of the default grid of 1000 items, rounded up.
enum { PATIENCE = 2, FIRST_WIDTH = 4, WIDTH = 4, BATCHES = 12, MORE_BATCHES = 16, CYCLES = 4 };

struct climb {
    struct rounds *rounds;
    uint32_t max_items;
    size_t n_batches; // that may still be asked for in this pass over B
    struct err *err;
};

// Asks in rounds of WIDTH, so that each round gains by the one before.
static int ask(struct climb *climb, const struct choice *choices, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH)
        if (rounds_ask(climb->rounds, choices + i, n - i < WIDTH ? n - i : WIDTH, climb->err) != 0)
            return -1;
    return 0;
}

static struct choice leader_of(const struct climb *climb)
{
    struct choice leader = {1, 0};
    rounds_leader(climb->rounds, &leader);
    return leader;
}

// The i-th batch size of the climb: 1, 2, 4, ... and the largest query. 0: there is none.
static uint32_t doubled(uint32_t max_items, uint32_t i)
{
    uint64_t batch = UINT64_C(1) << i;
    if (batch < max_items)
        return (uint32_t)batch;
    return i == 0 || batch / 2 < max_items ? max_items : 0;
}

// How many steps lie between the leader and step `next`, the leader's own included; 0: it is not
// among them, or there is none that holds the target.
static uint32_t steps_behind(const struct climb *climb, uint32_t next)
{
    struct choice leader = leader_of(climb);
    for (uint32_t i = 0; i < next && rounds_leader_qps(climb->rounds) > 0; i++)
        if (doubled(climb->max_items, i) == leader.batch_items)
            return next - i;
    return 0;
}

// B from 1 upward with threshold `offload`. Every round is as wide as patience allows, so that no
// step is taken which one step at a time would not have taken.
static int climb_batches(struct climb *climb, uint32_t offload)
{
    uint32_t next = 0, width = FIRST_WIDTH;
    while (width > 0 && doubled(climb->max_items, next) > 0) {
        struct choice choices[FIRST_WIDTH];
        size_t n = 0;
        for (; n < width && doubled(climb->max_items, next) > 0; next++)
            choices[n++] = (struct choice){doubled(climb->max_items, next), offload};
        // The last of the first steps before the others: where it holds more than they can at all,
        // and it mostly does, they cost no run, and theirs would be the longest of all.
        size_t n_first = next == n ? 1 : 0;
        if (ask(climb, choices + n - n_first, n_first) != 0 ||
            ask(climb, choices, n - n_first) != 0)
            return -1;
        climb->n_batches -= n < climb->n_batches ? n : climb->n_batches;
        uint32_t behind = steps_behind(climb, next);
        width = behind > PATIENCE ? 0 : behind > 0 ? PATIENCE + 1 - behind : PATIENCE;
    }
    return 0;
}

// The integer nearest to the geometric mean; one of the two when nothing lies between.
static uint32_t between(uint32_t low, uint32_t high)
{
    uint32_t mean = low;
    while ((uint64_t)(mean + 1) * (mean + 1) <= (uint64_t)low * high)
        mean++;
    return mean;
}

// Halves the gaps to `low` and `high` around the leader's B until they are within a tenth.
static int refine_batches(struct climb *climb)
{
    struct choice leader = leader_of(climb);
    uint32_t low = leader.batch_items / 2 > 1 ? leader.batch_items / 2 : 1;
    uint32_t high =
        leader.batch_items < climb->max_items / 2 ? 2 * leader.batch_items : climb->max_items;
    while (climb->n_batches > 0) {
        uint32_t best = leader.batch_items;
        struct choice sides[] = {{between(best, high), leader.offload_items},
                                 {between(low, best), leader.offload_items}};
        size_t n = climb->n_batches < 2 ? 1 : 2;
        bool fine = (double)sides[0].batch_items < 1.1 * best && 1.1 * sides[1].batch_items > best;
        if (fine || ask(climb, sides, n) != 0)
            return fine ? 0 : -1;
        climb->n_batches -= n;
        leader = leader_of(climb);
        if (leader.batch_items == best) {
            high = sides[0].batch_items;
            low = n == 2 ? sides[1].batch_items : low;
        } else if (leader.batch_items > best) {
            low = best;
        } else {
            high = best;
        }
    }
    return 0;
}

// T from 1 to the largest query in tenths, with the leader's B.
static int climb_offloads(struct climb *climb)
{
    uint32_t step = climb->max_items >= 15 ? (climb->max_items + 5) / 10 : 1;
    struct choice choice = leader_of(climb);
    struct choice *choices = mem_calloc(climb->max_items / step + 2, sizeof *choices);
    size_t n = 0;
    choice.offload_items = 1;
    choices[n++] = choice;
    for (choice.offload_items = step; choice.offload_items <= climb->max_items;
         choice.offload_items += step)
        choices[n++] = choice;
    int rc = ask(climb, choices, n);
    mem_free(choices);
    return rc;
}

// T in fiftieths around the leader's, one to four of them to either side, following the leader.
static int refine_offloads(struct climb *climb)
{
    int64_t step = climb->max_items >= 75 ? (climb->max_items + 25) / 50 : 1;
    for (struct choice leader = leader_of(climb); leader.offload_items > 0;) {
        struct choice sides[8];
        size_t n = 0;
        for (int i = 1; i <= 4; i++)
            for (int side = -1; side <= 1; side += 2) {
                // From 1 the steps lead to the same values as from 0.
                int64_t from = leader.offload_items > 1 ? leader.offload_items : 0;
                int64_t to = from + side * i * step;
                if (to >= 1 && to <= climb->max_items)
                    sides[n++] = (struct choice){leader.batch_items, (uint32_t)to};
            }
        if (ask(climb, sides, n) != 0)
            return -1;
        uint32_t before = leader.offload_items;
        leader = leader_of(climb);
        if (leader.offload_items == before)
            break;
    }
    return 0;
}

static int climb_all(struct climb *climb, const struct tuner_config *config)
{
    climb->n_batches = BATCHES;
    if (climb_batches(climb, 0) != 0 || refine_batches(climb) != 0)
        return -1;
    for (int cycle = 0; cycle < CYCLES && config->has_accelerator; cycle++) {
        struct choice before = leader_of(climb);
        if (climb_offloads(climb) != 0 || refine_offloads(climb) != 0)
            return -1;
        struct choice leader = leader_of(climb);
        if (leader.offload_items == before.offload_items)
            break;
        climb->n_batches = MORE_BATCHES;
        if (climb_batches(climb, leader.offload_items) != 0 || refine_batches(climb) != 0)
            return -1;
        if (leader_of(climb).batch_items == leader.batch_items)
            break;
    }
    return rounds_finish(climb->rounds, climb->err);
}

static int tune(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err)
{
    struct climb climb = {rounds_create(config, backend, outcome), config->max_items, 0, err};
    int rc = climb_all(&climb, config);
    rounds_destroy(climb.rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

const struct tuner_policy tuner_deeprecsched = {
    "deeprecsched", "hill climbing on the batch size, then on the threshold (ISCA 2020)", tune};
