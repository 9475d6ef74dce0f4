// SPDX-License-Identifier: Apache-2.0
#include "app/tune.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs/crew.h"
#include "runs/survey.h"
#include "runs/tunable.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "par/mpi_err.h"
#include "cluster/sched.h"
#include "search/tuner.h"

// Of the messages with what units found; they arrive in order, so one serves all.
enum { UNIT_TAG = 1 };

// ---- reading ------------------------------------------------------------------------------------

static const char *first_policies(const struct tune_input *input, const struct study *study)
{
    const struct study *first = input->studies[0] ? input->studies[0] : study;
    return first->tune.policies;
}

// The point's study: the user's settings, then the point's own.
static struct study *read_point(const struct tune_source *source, const struct tune_input *input,
                                size_t size, uint32_t point, struct err *err)
{
    size_t n;
    const char **all =
        grid_point_settings(input->grid, point, source->settings, source->n_settings, &n);
    struct study *study =
        study_parse(source->path, input->text, size, all, n, source->library, true, err);
    mem_free(all);
    int rc = study ? study_tune_check(study, err) : -1;
    if (rc == 0 && probe_check(study, err) < 0)
        rc = err_prefix(err, "%s", source->path);
    // The outcomes are a table of cells and policies.
    if (rc == 0 && strcmp(study->tune.policies, first_policies(input, study)) != 0)
        rc = err_set(err, ERR_STUDY, "%s: tune.policies: expected %s as at the first point, got %s",
                     source->path, first_policies(input, study), study->tune.policies);
    if (rc < 0) {
        study_destroy(study);
        study = NULL;
    }
    if (!study && grid_n_axes(input->grid) > 0) {
        char *name = grid_name(input->grid, point);
        err_append(err, " (at %s)", name);
        mem_free(name);
    }
    return study;
}

int tune_read(const struct eval *eval, const struct tune_source *source, struct tune_input *input,
              struct err *err)
{
    size_t size = 0;
    *input = (struct tune_input){.text = eval_read_text(eval, source->path, &size, err)};
    if (!input->text)
        return -1;
    input->written = survey_written(input->text, source->settings, source->n_settings);
    input->grid =
        grid_parse(source->path, input->text, size, source->settings, source->n_settings, err);
    int rc = input->grid ? 0 : -1;
    if (rc == 0 && grid_n_replications(input->grid) > 1)
        rc = err_set(err, ERR_STUDY,
                     "%s: replications: not for tune, which confirms every answer on a fresh seed; "
                     "leave them out with --set replications=1",
                     source->path);
    if (rc == 0)
        input->studies = mem_calloc(grid_n_points(input->grid), sizeof *input->studies);
    for (uint32_t p = 0; rc == 0 && p < grid_n_points(input->grid); p++) {
        input->studies[p] = read_point(source, input, size, p, err);
        rc = input->studies[p] ? 0 : -1;
    }
    rc = eval_agree(eval, rc, err);
    if (rc < 0)
        tune_release(input);
    return rc;
}

void tune_release(struct tune_input *input)
{
    for (uint32_t p = 0; input->studies && p < grid_n_points(input->grid); p++)
        study_destroy(input->studies[p]);
    mem_free(input->studies);
    grid_destroy(input->grid);
    mem_free(input->written);
    mem_free(input->text);
    *input = (struct tune_input){0};
}

// ---- one unit -----------------------------------------------------------------------------------

// One unit; what was found travels from the speaker of its crew to rank 0.
struct tune_unit {
    uint32_t point, policy;
    const struct tuner_policy *tuner;
    struct tuning_outcome outcome;
    struct trials path; // all of it, with what followed the policy's own
};

struct unit_work {
    struct crew *crew;
    const struct study *study;
    const struct chosen *chosen; // the settings that rows have
    struct tuner_config config;
    struct tune_unit *unit;
    struct tuner_outcome found;
    uint64_t n_queries;
};

static void note(struct unit_work *work, const struct trials *trials)
{
    for (size_t i = 0; i < trials->n; i++)
        work->n_queries += trials->v[i].result.n_queries;
    trials_append(&work->unit->path, trials);
}

// Tuned on other sizes: how much the choice serves of the real ones.
static int serve_own_sizes(struct unit_work *work, struct crew_bench *bench, struct err *err)
{
    struct tuner_job job = {
        .task = {.choice = work->found.choice,
                 .bound_qps = probe_bound_qps(bench->probe, &work->found.choice),
                 .guess_qps = work->found.capacity.held_qps,
                 .stream = STREAM_TUNE}};
    int rc = crew_round(bench, &job, 1, err);
    if (rc == 0) {
        work->found.capacity = job.capacity;
        note(work, &job.trials);
    }
    trials_release(&job.trials);
    return rc;
}

static int confirm(struct unit_work *work, struct crew_bench *bench, struct err *err)
{
    struct max_load_check check;
    struct trials trials = {0};
    struct tuning_outcome *outcome = &work->unit->outcome;
    int rc = max_load_confirm(&work->config.capacity, &work->found.choice,
                              work->found.capacity.held_qps, TUNABLE_OVER_FRAC, STREAM_CONFIRM,
                              crew_measure, bench, &check, &trials, err);
    if (rc == 0) {
        outcome->confirmed = check.held;
        outcome->confirmed_over = check.over;
        note(work, &trials);
    }
    trials_release(&trials);
    return rc;
}

static void fill_outcome(struct unit_work *work)
{
    const struct tuner_outcome *found = &work->found;
    const struct measurement *held = &found->capacity.at_held;
    struct tuning_outcome *out = &work->unit->outcome;
    bool reached = found->capacity.state == MAX_LOAD_FOUND;
    out->state = reached ? TUNING_FOUND : TUNING_UNREACHABLE;
    chosen_values(work->chosen, &found->choice, out->settings);
    out->floor_s = found->capacity.floor_s;
    out->n_choices = found->n_choices;
    out->n_bounded = found->n_bounded;
    out->n_runs = found->n_runs;
    out->n_queries = found->n_queries;
    out->claimed_qps = found->claimed_qps;
    out->missed_qps = found->capacity.missed_qps;
    out->at_qps = reached ? *held : measurement_none(VERDICT_NOT_ASKED);
    out->at_qps.sla_s = held->sla_s > 0 ? held->sla_s : work->config.target_s;
    if (!(work->study->tune.p99_bound > 0))
        out->at_qps.tail = VERDICT_NOT_ASKED;
    if (reached)
        out->qps = found->capacity.held_qps;
}

// The policy's search, then what its answer serves of the real sizes, then its confirmation.
static int search(struct unit_work *work, struct crew_bench *bench, struct crew_bench *own,
                  struct err *err)
{
    const struct tuner_backend backend = tunable_backend(bench);
    if (work->unit->tuner->tune(&work->config, &backend, &work->found, err) < 0)
        return -1;
    note(work, &work->found.path);
    bool found = work->found.capacity.state == MAX_LOAD_FOUND;
    work->unit->outcome.tuned_qps = found ? work->found.capacity.held_qps : (double)NAN;
    if (found && work->study->tune.has_sizes && serve_own_sizes(work, own, err) < 0)
        return -1;
    found = work->found.capacity.state == MAX_LOAD_FOUND;
    if (found && work->study->tune.confirm && confirm(work, own, err) < 0)
        return -1;
    fill_outcome(work);
    return 0;
}

static int do_unit(struct unit_work *work, struct err *err)
{
    struct probe *probe = probe_create(work->study, false);
    struct probe *own = work->study->tune.has_sizes ? probe_create(work->study, true) : NULL;
    work->config = tunable_config(work->study, probe);
    struct crew_bench bench = {work->crew, probe, &work->config.capacity};
    struct crew_bench own_bench = {work->crew, own ? own : probe, &work->config.capacity};
    double begin_s = wallclock_s();
    int rc = search(work, &bench, &own_bench, err);
    if (rc < 0 && err->code == ERR_STUDY)
        err_prefix(err, "%s: tune", work->study->path);
    work->unit->outcome.wall_s = wallclock_s() - begin_s;
    tunable_release(&work->config);
    tuner_release(&work->found);
    probe_destroy(own);
    probe_destroy(probe);
    return rc;
}

// ---- all units ----------------------------------------------------------------------------------

// Everything one rank holds of a tuning.
struct tune {
    const struct eval *eval;
    const struct tune_input *input;
    struct crew *crew;
    struct tune_unit *units; // [n_units], by point, then policy
    struct chosen chosen;    // what is searched, of all schedulers
    uint32_t n_units, n_policies;
    double *weights; // of the units: how long they may take, relative
    uint32_t *owner; // crew of each
    uint64_t n_queries;
};

static uint32_t count_policies(const struct study_tune *tune)
{
    char name[64];
    uint32_t n = 0;
    while (study_tune_policy(tune, n, name, sizeof name))
        n++;
    return n;
}

static double unit_weight(const struct study *study, const struct tuner_policy *policy)
{
    double most = 0;
    for (size_t g = 0; g < study->n_groups; g++)
        most = fmax(most, tunable_weight(&study->groups[g], policy));
    return most;
}

// The first of those that are tuned, all of which have one choice.
static const struct study_group *tuned_group(const struct study *study)
{
    size_t g = 0;
    while (!study_tune_has_group(study, g))
        g++;
    return &study->groups[g];
}

static void make_units(struct tune *tune)
{
    const struct tune_input *input = tune->input;
    uint32_t n_points = grid_n_points(input->grid);
    tune->n_policies = count_policies(&input->studies[0]->tune);
    tune->n_units = n_points * tune->n_policies;
    tune->units = mem_calloc(tune->n_units, sizeof *tune->units);
    tune->weights = mem_calloc(tune->n_units, sizeof *tune->weights);
    tune->owner = mem_calloc(tune->n_units, sizeof *tune->owner);
    for (uint32_t u = 0; u < tune->n_units; u++) {
        uint32_t point = u / tune->n_policies, policy = u % tune->n_policies;
        char name[64] = "";
        study_tune_policy(&input->studies[0]->tune, policy, name, sizeof name);
        int index = tuner_find(name);
        assert(index >= 0);
        tune->units[u] = (struct tune_unit){
            point, policy, tuner_policies[index], tuning_result_outcome_none(), {0}};
        tune->weights[u] = unit_weight(input->studies[point], tuner_policies[index]);
    }
    for (uint32_t p = 0; p < n_points; p++) {
        const struct sched_type *type = sched_types[tuned_group(input->studies[p])->scheduler];
        chosen_add(&tune->chosen, type->axes, type->fields);
    }
}

static double owned_weight(const struct tune *tune)
{
    double sum = 0;
    for (uint32_t u = 0; u < tune->n_units; u++)
        if (tune->owner[u] == crew_index(tune->crew))
            sum += tune->weights[u];
    return sum;
}

static int do_units(struct tune *tune, tune_progress_fn progress, void *user, struct err *err)
{
    double all = owned_weight(tune), done = 0;
    for (uint32_t u = 0; u < tune->n_units; u++) {
        struct tune_unit *unit = &tune->units[u];
        if (tune->owner[u] != crew_index(tune->crew))
            continue;
        struct unit_work work = {.crew = tune->crew,
                                 .study = tune->input->studies[unit->point],
                                 .chosen = &tune->chosen,
                                 .unit = unit};
        int rc = do_unit(&work, err);
        tune->n_queries += work.n_queries;
        if (crew_rank(tune->crew) != 0)
            trials_release(&unit->path); // the speaker has the same
        if (rc < 0)
            return -1;
        done += tune->weights[u];
        if (progress && tune->eval->rank == 0)
            progress(user, done / all, tune->n_queries);
    }
    return 0;
}

// ---- to rank 0 ----------------------------------------------------------------------------------

// The lowest rank of every crew sends what its units found, in order.
static int gather(struct tune *tune, struct err *err)
{
    MPI_Comm comm = tune->eval->comm;
    for (uint32_t u = 0; u < tune->n_units; u++) {
        struct tuning_outcome *outcome = &tune->units[u].outcome;
        struct trials *path = &tune->units[u].path;
        int speaker = crew_speaker(tune->crew, tune->owner[u]), rc = MPI_SUCCESS;
        unsigned long long n = path->n;
        if (speaker == 0 || (tune->eval->rank != 0 && tune->eval->rank != speaker))
            continue;
        if (tune->eval->rank == speaker) {
            rc = MPI_Send(outcome, sizeof *outcome, MPI_BYTE, 0, UNIT_TAG, comm);
            if (rc == MPI_SUCCESS)
                rc = MPI_Send(&n, 1, MPI_UNSIGNED_LONG_LONG, 0, UNIT_TAG, comm);
            if (rc == MPI_SUCCESS)
                rc = MPI_Send(path->v, (int)(n * sizeof *path->v), MPI_BYTE, 0, UNIT_TAG, comm);
        } else {
            rc = MPI_Recv(outcome, sizeof *outcome, MPI_BYTE, speaker, UNIT_TAG, comm,
                          MPI_STATUS_IGNORE);
            if (rc == MPI_SUCCESS)
                rc = MPI_Recv(&n, 1, MPI_UNSIGNED_LONG_LONG, speaker, UNIT_TAG, comm,
                              MPI_STATUS_IGNORE);
            *path = (struct trials){mem_calloc(n + 1, sizeof *path->v), n, n + 1};
            if (rc == MPI_SUCCESS)
                rc = MPI_Recv(path->v, (int)(n * sizeof *path->v), MPI_BYTE, speaker, UNIT_TAG,
                              comm, MPI_STATUS_IGNORE);
        }
        if (mpi_err_check(rc, "collect what the searches found", err) < 0)
            return -1;
    }
    return 0;
}

static void put_unit(struct tuning_result *tuning, struct tune_unit *unit,
                     const struct study *study)
{
    *tuning_result_outcome_at(tuning, unit->point, unit->policy) = unit->outcome;
    for (size_t i = 0; i < unit->path.n; i++) {
        struct measure_point *point = &unit->path.v[i].point;
        struct tuning_step step = {.point = unit->point,
                                   .policy = unit->policy,
                                   .stream = point->stream,
                                   .rate_qps = point->rate_qps,
                                   .result = unit->path.v[i].result};
        // An address is of its process alone.
        point->choice.fields = tuned_group(study)->settings[0].fields;
        chosen_values(&tuning->chosen, &point->choice, step.settings);
        tuning_result_add_step(tuning, &step);
    }
}

static void name_axes(struct tuning_result *tuning, const struct grid *grid)
{
    struct point_axes *axes = &tuning->grid;
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        uint32_t n = grid_n_labels(grid, a);
        const char **labels = mem_calloc(n, sizeof *labels);
        for (uint32_t i = 0; i < n; i++)
            labels[i] = grid_label(grid, a, i);
        point_axes_set(axes, a, grid_axis_name(grid, a), labels, n);
        for (uint32_t p = 0; p < axes->n_points; p++)
            axes->values[p * axes->n_axes + a] = grid_value(grid, p, a);
        mem_free(labels);
    }
}

static struct tuning_result *assemble(const struct tune *tune)
{
    const struct grid *grid = tune->input->grid;
    const struct study *study = tune->input->studies[0];
    struct tuning_result *tuning =
        tuning_result_create(grid_n_axes(grid), grid_n_points(grid), tune->n_policies);
    tuning->name = mem_strdup(study->settings.name);
    tuning->program_version = mem_strdup(RECFLEET_VERSION);
    tuning->seed = study->settings.seed;
    tuning->study = mem_strdup(tune->input->written);
    for (size_t s = study->n_services; s-- > 0;)
        if (study_tune_has_service(study, s))
            tuning->sla_quantile = study->services[s].sla_quantile;
    tuning->p99_bound = study->tune.p99_bound;
    tuning->chosen = tune->chosen;
    name_axes(tuning, grid);
    for (uint32_t p = 0; p < tune->n_policies; p++)
        tuning->policies[p] = mem_strdup(tune->units[p].tuner->name);
    for (uint32_t u = 0; u < tune->n_units; u++)
        put_unit(tuning, &tune->units[u], tune->input->studies[tune->units[u].point]);
    return tuning;
}

static int collect(struct tune *tune, struct tuning_result **tuning, uint64_t *n_queries,
                   struct err *err)
{
    unsigned long long mine = crew_rank(tune->crew) == 0 ? tune->n_queries : 0, all = 0;
    if (gather(tune, err) < 0)
        return -1;
    if (tune->eval->rank == 0)
        *tuning = assemble(tune);
    int rc = MPI_Reduce(&mine, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, 0, tune->eval->comm);
    *n_queries = all;
    return mpi_err_check(rc, "sum the searches' cost", err);
}

int tune_run(const struct eval *eval, const struct tune_input *input, tune_progress_fn progress,
             void *user, struct tuning_result **tuning, uint64_t *n_queries, struct err *err)
{
    struct tune tune = {.eval = eval, .input = input};
    *tuning = NULL;
    make_units(&tune);
    tune.crew = crew_create(eval->comm, tune.n_units, err);
    int rc = eval_agree(eval, tune.crew ? 0 : -1, err);
    if (rc == 0) {
        crew_deal(tune.crew, tune.weights, tune.n_units, tune.owner);
        rc = eval_agree(eval, do_units(&tune, progress, user, err), err);
    }
    if (rc == 0)
        rc = collect(&tune, tuning, n_queries, err);
    crew_destroy(tune.crew);
    for (uint32_t u = 0; u < tune.n_units; u++)
        trials_release(&tune.units[u].path);
    mem_free(tune.units);
    mem_free(tune.weights);
    mem_free(tune.owner);
    return rc;
}
