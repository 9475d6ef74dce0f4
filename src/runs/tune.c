// SPDX-License-Identifier: Apache-2.0
#include "runs/tune.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runs/crew.h"
#include "runs/tunable.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "cluster/sched.h"
#include "par/mpi_err.h"
#include "search/tuner.h"

// ---- reading ------------------------------------------------------------------------------------

// The point's study. `policies`: what it must ask for, NULL at the first point.
static struct study *read_point(const struct survey *survey, uint32_t point, const char *policies,
                                struct err *err)
{
    const char *path = survey->source.path;
    struct study *study = survey_study(survey, point, err);
    int rc = study ? study_tune_check(study, err) : -1;
    if (rc == 0 && probe_check(study, err) < 0)
        rc = err_prefix(err, "%s", path);
    if (rc == 0)
        rc = tunable_check(study, err);
    // The outcomes are a table of points and policies.
    if (rc == 0 && policies && strcmp(study->tune.policies, policies) != 0)
        rc = err_set(err, ERR_STUDY, "%s: tune.policies: expected %s as at the first point, got %s",
                     path, policies, study->tune.policies);
    if (rc == 0)
        return study;
    study_destroy(study);
    survey_blame(survey, point, err);
    return NULL;
}

static int read_points(struct tune_input *input, struct err *err)
{
    const struct survey *survey = input->survey;
    if (grid_n_replications(survey->grid) > 1)
        return err_set(err, ERR_STUDY,
                       "%s: replications: not for tune, which confirms every answer on a fresh "
                       "seed; leave them out with --set replications=1",
                       survey->source.path);
    input->studies = mem_calloc(survey->n_points, sizeof *input->studies);
    for (uint32_t p = 0; p < survey->n_points; p++) {
        const char *policies = p > 0 ? input->studies[0]->tune.policies : NULL;
        input->studies[p] = read_point(survey, p, policies, err);
        if (!input->studies[p])
            return -1;
    }
    return 0;
}

int tune_read(const struct eval *eval, const struct survey_source *source, struct tune_input *input,
              struct err *err)
{
    *input = (struct tune_input){.survey = eval_read_survey(eval, source, err)};
    if (!input->survey)
        return -1;
    int rc = eval_agree(eval, read_points(input, err), err);
    if (rc < 0)
        tune_release(input);
    return rc;
}

void tune_release(struct tune_input *input)
{
    for (uint32_t p = 0; input->studies && p < input->survey->n_points; p++)
        study_destroy(input->studies[p]);
    mem_free(input->studies);
    survey_destroy(input->survey);
    *input = (struct tune_input){0};
}

// ---- one unit -----------------------------------------------------------------------------------

// One unit, and what was found.
struct tune_unit {
    uint32_t point, policy;
    const struct tuner_policy *tuner;
    bool done;
    struct tuning_outcome outcome;
    struct trials path; // all that was simulated, with what followed the policy's own
};

static bool is_found(const struct tuner_outcome *found)
{
    return found->capacity.state == MAX_LOAD_FOUND;
}

// Tuned on other sizes: how much the choice serves of the real ones.
static int serve_own_sizes(struct crew_bench *bench, struct tuner_outcome *found,
                           struct tune_unit *unit, struct err *err)
{
    struct tuner_job job = {.task = {.choice = found->choice,
                                     .bound_qps = probe_bound_qps(bench->probe, &found->choice),
                                     .guess_qps = found->capacity.held_qps,
                                     .stream = STREAM_TUNE}};
    int rc = crew_round(bench, &job, 1, err);
    found->capacity = job.capacity;
    trials_append(&unit->path, &job.trials);
    trials_release(&job.trials);
    return rc;
}

static int confirm(struct crew_bench *bench, const struct tuner_outcome *found,
                   struct tune_unit *unit, struct err *err)
{
    struct max_load_check check;
    int rc =
        max_load_confirm(bench->config, &found->choice, found->capacity.held_qps, TUNABLE_OVER_FRAC,
                         STREAM_CONFIRM, crew_measure, bench, &check, &unit->path, err);
    if (rc < 0)
        return -1;
    unit->outcome.confirmed = check.held;
    unit->outcome.confirmed_over = check.over;
    return 0;
}

static void fill_outcome(const struct tuner_outcome *found, const struct study *study,
                         const struct chosen *chosen, double target_s, struct tuning_outcome *out)
{
    const struct measurement *held = &found->capacity.at_held;
    out->state = is_found(found) ? TUNING_FOUND : TUNING_UNREACHABLE;
    chosen_values(chosen, &found->choice, out->settings);
    out->floor_s = found->capacity.floor_s;
    out->n_choices = found->n_choices;
    out->n_bounded = found->n_bounded;
    out->n_runs = found->n_runs;
    out->n_queries = found->n_queries;
    out->claimed_qps = found->claimed_qps;
    out->missed_qps = found->capacity.missed_qps;
    out->at_qps = is_found(found) ? *held : measurement_none(VERDICT_NOT_ASKED);
    out->at_qps.sla_s = held->sla_s > 0 ? held->sla_s : target_s;
    if (!(study->tune.p99_bound > 0))
        out->at_qps.tail = VERDICT_NOT_ASKED;
    if (is_found(found))
        out->qps = found->capacity.held_qps;
}

// Collective (the crew). The policy's search, then what its answer serves of the real sizes, then
// its confirmation.
static int do_unit(struct crew *crew, const struct study *study, const struct chosen *chosen,
                   struct tune_unit *unit, struct err *err)
{
    bool other_sizes = study->tune.has_sizes;
    struct probe *probe = probe_create(study, false);
    struct probe *own = other_sizes ? probe_create(study, true) : NULL;
    struct tuner_config config = tunable_config(study, probe);
    struct crew_bench bench = {crew, probe, &config.capacity};
    struct crew_bench own_bench = {crew, own ? own : probe, &config.capacity};
    const struct tuner_backend backend = tunable_backend(&bench);
    struct tuner_outcome found = {0};
    // The policy tunes on the sizes of the section, if it has some; what its choice is worth, and
    // whether that holds, is seen on the services' own.
    double begin_s = wallclock_s();
    int rc = unit->tuner->tune(&config, &backend, &found, err);
    trials_append(&unit->path, &found.path);
    if (rc == 0 && is_found(&found))
        unit->outcome.tuned_qps = found.capacity.held_qps;
    if (rc == 0 && is_found(&found) && other_sizes)
        rc = serve_own_sizes(&own_bench, &found, unit, err);
    if (rc == 0 && is_found(&found) && study->tune.confirm)
        rc = confirm(&own_bench, &found, unit, err);
    if (rc == 0)
        fill_outcome(&found, study, chosen, config.target_s, &unit->outcome);
    else if (err->code == ERR_STUDY)
        err_prefix(err, "%s: tune", study->path);
    unit->outcome.wall_s = wallclock_s() - begin_s;
    tunable_release(&config);
    tuner_release(&found);
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
    // Of this rank's crew.
    struct tune_unit *unit; // under way; NULL: none
    progress_search_fn progress;
    void *user;
    struct progress_at at;
    uint64_t n_queries;
    size_t n_memo; // answers in the memo at the start
};

// The first of those that are tuned, all of which have one choice.
static const struct study_group *tuned_group(const struct study *study)
{
    size_t g = 0;
    while (!study_tune_has_group(study, g))
        g++;
    return &study->groups[g];
}

static int make_units(struct tune *tune, struct err *err)
{
    const struct tune_input *input = tune->input;
    const struct study_tune *section = &input->studies[0]->tune;
    uint32_t n_points = input->survey->n_points;
    char name[64] = "";
    while (study_tune_policy(section, tune->n_policies, name, sizeof name))
        tune->n_policies++;
    tune->n_units = n_points * tune->n_policies;
    tune->units = mem_calloc(tune->n_units, sizeof *tune->units);
    tune->weights = mem_calloc(tune->n_units, sizeof *tune->weights);
    tune->owner = mem_calloc(tune->n_units, sizeof *tune->owner);
    for (uint32_t u = 0; u < tune->n_units; u++) {
        uint32_t point = u / tune->n_policies, policy = u % tune->n_policies;
        study_tune_policy(section, policy, name, sizeof name);
        int index = tuner_find(name);
        assert(index >= 0); // the study's reader knows their names
        tune->units[u] = (struct tune_unit){
            point, policy, tuner_policies[index], false, tuning_result_outcome_none(), {0}};
        const struct study *study = input->studies[point];
        for (size_t g = 0; g < study->n_groups; g++)
            tune->weights[u] =
                fmax(tune->weights[u], tunable_weight(&study->groups[g], tuner_policies[index]));
    }
    for (uint32_t p = 0; p < n_points; p++) {
        const struct sched_type *type = sched_types[tuned_group(input->studies[p])->scheduler];
        if (chosen_add(&tune->chosen, type->axes, type->fields, err) < 0)
            return -1;
    }
    return 0;
}

// "B=128 T=320" of the settings that are searched; caller mem_free()s.
static char *choice_text(const struct tune *tune, const struct settings *choice)
{
    char *text = mem_strdup("");
    for (uint32_t i = 0; i < tune->chosen.n; i++) {
        const struct settings_axis *axis = tune->chosen.axes[i];
        if (!settings_field(choice, axis->key))
            continue;
        char *value = settings_get(choice, axis->key);
        char *longer = mem_printf("%s%s%s=%s", text, *text ? " " : "", axis->symbol, value);
        mem_free(value);
        mem_free(text);
        text = longer;
    }
    return text;
}

static char *point_text(const struct tune *tune, uint32_t point)
{
    const struct grid *grid = tune->input->survey->grid;
    return grid_n_axes(grid) > 0 ? grid_name(grid, point) : mem_strdup("");
}

static void say(struct tune *tune, uint64_t n_queries)
{
    const struct memo *memo = tune->input->memo;
    if (memo &&
        memo_n(memo) == tune->n_memo) // all of it was kept: the pace is not that of the rest
        tune->at.from_frac = tune->at.done_frac;
    tune->at.n_queries = tune->n_queries + n_queries;
    if (tune->progress && tune->eval->rank == 0)
        tune->progress(tune->user, &tune->at);
}

// "static at rate=high, B=128 T=320", at a rate and with a bracket.
static void on_point(void *user, const struct crew_work *work)
{
    struct tune *tune = user;
    char *choice = choice_text(tune, &work->choice), *point = point_text(tune, tune->unit->point);
    snprintf(tune->at.stage, sizeof tune->at.stage, "%s%s%.*s, %s", tune->unit->tuner->name,
             *point ? " at " : "", progress_cut(point, 48), point, choice);
    tune->at.trying = work->rate_qps;
    tune->at.held = work->held_qps;
    tune->at.missed = work->missed_qps;
    tune->at.unit = "qps";
    say(tune, work->n_queries);
    mem_free(point);
    mem_free(choice);
}

static int do_units(struct tune *tune, struct err *err)
{
    double all = 0, done = 0; // weight of this crew's units
    tune->at = progress_at_none();
    tune->n_memo = tune->input->memo ? memo_n(tune->input->memo) : 0;
    crew_watch(tune->crew, on_point, tune);
    for (uint32_t u = 0; u < tune->n_units; u++)
        all += tune->owner[u] == crew_index(tune->crew) ? tune->weights[u] : 0;
    for (uint32_t u = 0; u < tune->n_units; u++) {
        struct tune_unit *unit = &tune->units[u];
        if (tune->owner[u] != crew_index(tune->crew))
            continue;
        tune->unit = unit;
        crew_begin(tune->crew);
        if (do_unit(tune->crew, tune->input->studies[unit->point], &tune->chosen, unit, err) < 0)
            return -1;
        unit->done = true;
        tune->unit = NULL;
        for (size_t i = 0; i < unit->path.n; i++)
            tune->n_queries += unit->path.v[i].result.n_queries;
        done += tune->weights[u];
        tune->at = progress_at_none();
        tune->at.done_frac = done / all;
        say(tune, 0);
    }
    return 0;
}

// What the crew was at when it was stopped, a line; "" for none.
static void tell_work(const struct tune *tune, char *line, size_t size)
{
    const struct crew_work *work = crew_work(tune->crew);
    char at[2 * PROGRESS_STAGE];
    line[0] = '\0';
    if (!tune->unit || isnan(work->rate_qps))
        return;
    struct progress_at now = tune->at; // with what the last measurement has shown
    now.held = work->held_qps;
    now.missed = work->missed_qps;
    int n = snprintf(line, size, "in work: %s", progress_at_text(&now, at, sizeof at));
    if (isnan(work->best_qps) || n < 0 || (size_t)n >= size)
        return;
    char *best = choice_text(tune, &work->best);
    snprintf(line + n, size - (size_t)n, "; most held so far: %.6g qps with %s", work->best_qps,
             best);
    mem_free(best);
}

// Of every crew, in their order, to rank 0.
static int gather_work(struct tune *tune, struct tune_rest *rest, struct err *err)
{
    for (uint32_t c = 0; c < crew_n(tune->crew); c++) {
        char line[4 * PROGRESS_STAGE];
        memset(line, 0, sizeof line);
        if (crew_index(tune->crew) == c)
            tell_work(tune, line, sizeof line);
        int rc =
            MPI_Bcast(line, sizeof line, MPI_CHAR, crew_speaker(tune->crew, c), tune->eval->comm);
        if (mpi_err_check(rc, "share what a search was at", err) < 0)
            return -1;
        if (!line[0])
            continue;
        char *all = mem_printf("%s%s\n", rest->in_work ? rest->in_work : "", line);
        mem_free(rest->in_work);
        rest->in_work = all;
    }
    return 0;
}

static int share(struct tune *tune, struct err *err)
{
    for (uint32_t u = 0; u < tune->n_units; u++) {
        struct tune_unit *unit = &tune->units[u];
        const struct study_group *group = tuned_group(tune->input->studies[unit->point]);
        int done = unit->done, root = crew_speaker(tune->crew, tune->owner[u]);
        if (mpi_err_check(MPI_Bcast(&done, 1, MPI_INT, root, tune->eval->comm),
                          "share what is done", err) < 0)
            return -1;
        unit->done = done;
        if (!done)
            continue;
        if (crew_share(tune->eval->comm, root, &unit->outcome, sizeof unit->outcome, &unit->path,
                       group->settings[0].fields, err) < 0)
            return -1;
    }
    return 0;
}

// ---- the result ---------------------------------------------------------------------------------

static void put_unit(struct tuning_result *tuning, const struct tune_unit *unit)
{
    if (!unit->done)
        return;
    *tuning_result_outcome_at(tuning, unit->point, unit->policy) = unit->outcome;
    for (size_t i = 0; i < unit->path.n; i++) {
        const struct measure_point *measured = &unit->path.v[i].point;
        struct tuning_step step = {.point = unit->point,
                                   .policy = unit->policy,
                                   .stream = measured->stream,
                                   .rate_qps = measured->rate_qps,
                                   .result = unit->path.v[i].result};
        chosen_values(&tuning->chosen, &measured->choice, step.settings);
        tuning_result_add_step(tuning, &step);
    }
}

static struct tuning_result *assemble(const struct tune *tune)
{
    const struct survey *survey = tune->input->survey;
    const struct survey_source *source = &survey->source;
    const struct grid *grid = survey->grid;
    const struct study *study = tune->input->studies[0];
    struct tuning_result *tuning =
        tuning_result_create(grid_n_axes(grid), grid_n_points(grid), tune->n_policies);
    tuning->name = mem_strdup(study->settings.name);
    tuning->program_version = mem_strdup(RECFLEET_VERSION);
    tuning->seed = study->settings.seed;
    tuning->study = survey_written(source->text, source->settings, source->n_settings);
    // Of the first tuned service: the file has one, and others are rare.
    for (size_t s = study->n_services; s-- > 0;)
        if (study_tune_has_service(study, s))
            tuning->sla_quantile = study->services[s].sla_quantile;
    tuning->p99_bound = study->tune.p99_bound;
    tuning->chosen = tune->chosen;
    survey_axes(survey, &tuning->grid);
    for (uint32_t p = 0; p < tune->n_policies; p++)
        tuning->policies[p] = mem_strdup(tune->units[p].tuner->name);
    for (uint32_t u = 0; u < tune->n_units; u++)
        put_unit(tuning, &tune->units[u]);
    return tuning;
}

int tune_run(const struct eval *eval, const struct tune_input *input, progress_search_fn progress,
             void *user, struct tuning_result **tuning, struct tune_rest *rest, struct err *err)
{
    struct tune tune = {.eval = eval, .input = input, .progress = progress, .user = user};
    *tuning = NULL;
    *rest = (struct tune_rest){0};
    int rc = make_units(&tune, err); // alike on every rank
    if (rc == 0) {
        tune.crew = crew_create(eval->comm, tune.n_units, err);
        rc = eval_agree(eval, tune.crew ? 0 : -1, err);
    }
    if (rc == 0)
        crew_keep(tune.crew, input->memo);
    if (rc == 0) {
        crew_deal(crew_n(tune.crew), tune.weights, tune.n_units, tune.owner);
        rc = eval_agree(eval, do_units(&tune, err), err);
        rest->stopped = rc < 0 && input->memo && memo_stop(input->memo);
        if (rest->stopped) {
            err_clear(err);
            rc = gather_work(&tune, rest, err);
        }
    }
    if (rc == 0)
        rc = share(&tune, err);
    rest->n_units = tune.n_units;
    for (uint32_t u = 0; u < tune.n_units; u++)
        rest->n_done += tune.units[u].done;
    if (rc == 0 && eval->rank == 0)
        *tuning = assemble(&tune);
    crew_destroy(tune.crew);
    for (uint32_t u = 0; u < tune.n_units; u++)
        trials_release(&tune.units[u].path);
    mem_free(tune.units);
    mem_free(tune.weights);
    mem_free(tune.owner);
    return rc;
}
