// SPDX-License-Identifier: Apache-2.0
#include "search/rounds.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"

struct rounds {
    const struct tuner_config *config;
    const struct tuner_backend *backend;
    struct tuner_outcome *outcome;
    struct settings *asked; // each simplified
    size_t n_asked, cap;
    bool has_leader;
    struct settings leader, unknown; // of the choices that are not known, one
    struct max_load best;            // of the leader
};

struct rounds *rounds_create(const struct tuner_config *config, const struct tuner_backend *backend,
                             struct tuner_outcome *outcome)
{
    struct rounds *rounds = mem_calloc(1, sizeof *rounds);
    rounds->config = config;
    rounds->backend = backend;
    rounds->outcome = outcome;
    *outcome = (struct tuner_outcome){.claimed_qps = NAN};
    return rounds;
}

void rounds_destroy(struct rounds *rounds)
{
    if (!rounds)
        return;
    mem_free(rounds->asked);
    mem_free(rounds);
}

bool rounds_asked(const struct rounds *rounds, struct settings choice)
{
    rounds->backend->simplify(rounds->backend->server, &choice);
    for (size_t i = 0; i < rounds->n_asked; i++)
        if (settings_equal(&rounds->asked[i], &choice))
            return true;
    return false;
}

static int known(const struct rounds *rounds, const struct settings *choice, struct err *err)
{
    const struct tuner_backend *backend = rounds->backend;
    return backend->known ? backend->known(backend->server, choice, err) : 0;
}

static void remember(struct rounds *rounds, struct settings choice)
{
    if (rounds->n_asked == rounds->cap) {
        rounds->cap = rounds->cap ? 2 * rounds->cap : 64;
        rounds->asked = mem_realloc(rounds->asked, rounds->cap, sizeof *rounds->asked);
    }
    rounds->backend->simplify(rounds->backend->server, &choice);
    rounds->asked[rounds->n_asked++] = choice;
    rounds->outcome->n_choices++;
}

// Is `a` the better answer? A found one before an unreachable one, whose nearness to the target
// then counts.
static bool better(const struct max_load *a, const struct max_load *b)
{
    if (a->state != b->state)
        return a->state == MAX_LOAD_FOUND;
    if (a->state == MAX_LOAD_FOUND)
        return a->estimate_qps > b->estimate_qps;
    return a->floor_s < b->floor_s || (isnan(b->floor_s) && !isnan(a->floor_s));
}

static void count(struct rounds *rounds, const struct tuner_job *job)
{
    rounds->outcome->n_runs += job->capacity.n_runs;
    rounds->outcome->n_queries += job->capacity.n_queries;
    trials_append(&rounds->outcome->path, &job->trials);
}

static int run_jobs(struct rounds *rounds, struct tuner_job *jobs, size_t n, struct err *err)
{
    int rc = n > 0 ? rounds->backend->round(rounds->backend->user, jobs, n, err) : 0;
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            count(rounds, &jobs[i]);
        trials_release(&jobs[i].trials);
    }
    return rc;
}

static void take(struct rounds *rounds, const struct tuner_job *job)
{
    if (job->capacity.state == MAX_LOAD_BELOW)
        return;
    if (rounds->has_leader && !better(&job->capacity, &rounds->best))
        return;
    rounds->has_leader = true;
    rounds->leader = job->task.choice;
    rounds->best = job->capacity;
}

double rounds_leader_qps(const struct rounds *rounds)
{
    return rounds->has_leader && rounds->best.state == MAX_LOAD_FOUND ? rounds->best.estimate_qps
                                                                      : 0;
}

int rounds_ask(struct rounds *rounds, const struct settings *choices, size_t n, struct err *err)
{
    struct tuner_job *jobs = mem_calloc(n, sizeof *jobs);
    double floor_qps =
        rounds_leader_qps(rounds) * (1 + 0.5 * rounds->config->capacity.accuracy_frac);
    size_t n_jobs = 0;
    for (size_t i = 0; i < n; i++) {
        if (rounds_asked(rounds, choices[i]))
            continue;
        if (known(rounds, &choices[i], NULL) < 0) {
            rounds->unknown = choices[i];
            continue;
        }
        remember(rounds, choices[i]);
        double bound_qps = rounds->backend->bound_qps(rounds->backend->server, &choices[i]);
        if (bound_qps <= floor_qps)
            rounds->outcome->n_bounded++;
        else
            jobs[n_jobs++].task = (struct max_load_task){.choice = choices[i],
                                                         .bound_qps = bound_qps,
                                                         .floor_qps = floor_qps,
                                                         .stream = STREAM_TUNE,
                                                         .rough = true};
    }
    int rc = run_jobs(rounds, jobs, n_jobs, err);
    for (size_t i = 0; i < n_jobs && rc == 0; i++)
        take(rounds, &jobs[i]);
    mem_free(jobs);
    return rc;
}

bool rounds_leader(const struct rounds *rounds, struct settings *leader)
{
    if (rounds->has_leader)
        *leader = rounds->leader;
    return rounds->has_leader;
}

int rounds_measure(struct rounds *rounds, struct settings choice, double floor_qps,
                   double guess_qps, struct max_load *capacity, struct err *err)
{
    struct tuner_job job = {
        .task = {.choice = choice,
                 .bound_qps = rounds->backend->bound_qps(rounds->backend->server, &choice),
                 .floor_qps = floor_qps,
                 .guess_qps = guess_qps,
                 .stream = STREAM_TUNE}};
    if (known(rounds, &choice, err) < 0)
        return -1;
    if (!rounds_asked(rounds, choice))
        remember(rounds, choice);
    if (run_jobs(rounds, &job, 1, err) != 0)
        return -1;
    *capacity = job.capacity;
    return 0;
}

int rounds_finish(struct rounds *rounds, struct err *err)
{
    if (!rounds->has_leader && rounds->unknown.fields)
        return known(rounds, &rounds->unknown, err);
    assert(rounds->has_leader);
    struct tuner_outcome *outcome = rounds->outcome;
    outcome->choice = rounds->leader;
    outcome->capacity = rounds->best;
    if (rounds->best.state == MAX_LOAD_FOUND &&
        rounds_measure(rounds, rounds->leader, 0, rounds->best.estimate_qps, &outcome->capacity,
                       err) != 0)
        return -1;
    outcome->claimed_qps = outcome->capacity.held_qps;
    return 0;
}
