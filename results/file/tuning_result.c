// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_result.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/dataset_read.h"

const char *const tuning_result_state_names[] = {"found", "unreachable", NULL};

// ---- the file

#define ROW struct tuning_outcome
const struct data_field tuning_result_fields[] = {
    DATA_CODE(state, "was a rate found that holds the targets?", tuning_result_state_names, 0),
    DATA_NUMBER(qps, "s-1", "largest rate shown to be held, over all servers"),
    DATA_NUMBER(missed_qps, "s-1", "smallest rate shown to be missed"),
    DATA_NUMBER(claimed_qps, "s-1", "rate that the policy itself believes it holds"),
    DATA_NUMBER(floor_s, "s", "latency at the target's percentile at vanishing load"),
    DATA_CODE(confirmed, "are the targets held at qps by fresh random draws?",
              measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_CODE(confirmed_over, "and at 1.05 qps? missed: the answer is tight",
              measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_NUMBER(tuned_qps, "s-1", "rate held on the sizes that were tuned on"),
    DATA_COUNT(n_choices, "1", "choices of settings looked at"),
    DATA_COUNT(n_bounded, "1", "of these, settled by their bound alone, without a run"),
    DATA_COUNT(n_runs, "1", "simulations run, confirmation left out"),
    DATA_COUNT(n_queries, "1", "queries simulated, confirmation left out"),
    {0}};
const struct data_field tuning_result_wall_fields[] = {
    DATA_NUMBER(wall_s, "s", "wall time of the search"), {0}};
#undef ROW

#define ROW struct tuning_step
static const struct data_field step_fields[] = {
    DATA_COUNT32(point, "1", "its point"),
    DATA_INDEX(policy, "policy", "its policy"),
    DATA_COUNT32(stream, "1",
                 "stream of random draws, modulo 3: 0 tuning, 1 confirmation, 2 latency floor"),
    DATA_NUMBER(rate_qps, "s-1", "arrival rate over all servers"),
    {0}};
#undef ROW

#define ROW struct tuning_result
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", name, "name of the study"),
    DATA_TEXT(program_version, "version of recfleet"),
    DATA_COUNT(seed, "1", "seed of the random draws"),
    DATA_NUMBER(sla_quantile, "1", "quantile of the latency target"),
    DATA_NUMBER(p99_bound, "1", "bound of p99, times the target; 0: none was asked for"),
    {0}};

static const struct data_field study_fields[] = {
    DATA_TEXT_AS("text", study, "the study with its grid"), {0}};

static const struct dataset_dim dims[] = {
    DATASET_GRID("point", grid, "point of the study's grid"),
    DATASET_NAMED("policy", n_policies, policies, "policy that chose the settings"),
    DATASET_NUMBERED("step", n_steps, "simulated point, in order"),
    {0}};

// What the scheduler has of a row.
#define SETTINGS(row)                                                                              \
    {                                                                                              \
        .offset = offsetof(row, settings),                                                         \
        .own_fields = offsetof(struct tuning_result, chosen.fields)                                \
    }

static const struct dataset_array arrays[] = {
    {.name = "outcomes",
     .group = "/",
     DATASET_ROWS(outcomes, struct tuning_outcome),
     .dims = {"point", "policy"},
     .views = {{.fields = tuning_result_fields},
               SETTINGS(struct tuning_outcome),
               {DATASET_PART(struct tuning_outcome, at_qps, struct measurement,
                             measurement_fields)}}},
    {.name = "steps",
     .group = "/path",
     DATASET_ROWS(steps, struct tuning_step),
     .dims = {"step"},
     .views = {{.fields = step_fields},
               SETTINGS(struct tuning_step),
               {DATASET_PART(struct tuning_step, result, struct measurement, measurement_fields)},
               {DATASET_PART(struct tuning_step, result, struct measurement,
                             measurement_count_fields)}}},
    {.name = "wall_s",
     .group = "/run",
     DATASET_ROWS(outcomes, struct tuning_outcome),
     .dims = {"point", "policy"},
     .views = {{.fields = tuning_result_wall_fields}},
     .flags = DATASET_SHARED},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {0}};
#undef ROW

// What those who show a tuning index by.
static int check(const void *artefact, struct err *err)
{
    const struct tuning_result *t = artefact;
    if (t->grid.n_points == 0 || t->n_policies == 0)
        return err_set(err, ERR_STUDY, "has no point or no policy");
    for (size_t i = 0; i < t->n_steps; i++) {
        if (t->steps[i].point >= t->grid.n_points)
            return err_set(err, ERR_STUDY, "holds a step at no point of its grid");
    }
    return 0;
}

static const struct dataset_group groups[] = {
    {"/", "What each policy found at each point of the grid; the numbers of the simulation are "
          "those at `qps`"},
    {"/path", "Every simulation on the way, by point, then policy, then order"},
    {"/run", "How long each search took; not part of the digest"},
    {"/study", "The study with its grid"},
    {0}};

const struct dataset_layout tuning_result_layout = {.kind = "tuning",
                                                    .title = "tuning",
                                                    .size = sizeof(struct tuning_result),
                                                    .head = head_fields,
                                                    .dims = dims,
                                                    .arrays = arrays,
                                                    .groups = groups,
                                                    .check = check};

// ---- life

struct tuning_outcome tuning_result_outcome_none(void)
{
    struct tuning_outcome none = {0};
    data_field_clear(tuning_result_fields, &none);
    none.at_qps = measurement_none(VERDICT_NOT_ASKED);
    return none;
}

struct tuning_result *tuning_result_create(uint32_t n_axes, uint32_t n_points, uint32_t n_policies)
{
    struct tuning_result *t = mem_calloc(1, sizeof *t);
    t->grid = point_axes_create(n_axes, n_points);
    t->n_policies = n_policies;
    dataset_create(&tuning_result_layout, t);
    for (size_t i = 0; i < (size_t)n_points * n_policies; i++)
        t->outcomes[i] = tuning_result_outcome_none();
    return t;
}

struct tuning_result *tuning_result_read(const char *path, const struct chosen *chosen,
                                         struct err *err)
{
    struct tuning_result *t = mem_calloc(1, sizeof *t);
    const struct dataset_known known = {offsetof(struct tuning_result, chosen), sizeof *chosen,
                                        chosen};
    if (dataset_read_knowing(&tuning_result_layout, path, known, t, err) == 0)
        return t;
    mem_free(t);
    return NULL;
}

void tuning_result_destroy(struct tuning_result *tuning)
{
    if (tuning)
        dataset_destroy(&tuning_result_layout, tuning);
    mem_free(tuning);
}

struct tuning_outcome *tuning_result_outcome_at(const struct tuning_result *tuning, uint32_t point,
                                                uint32_t policy)
{
    assert(point < tuning->grid.n_points && policy < tuning->n_policies);
    return &tuning->outcomes[(size_t)point * tuning->n_policies + policy];
}

void tuning_result_add_step(struct tuning_result *tuning, const struct tuning_step *step)
{
    if (tuning->n_steps == tuning->steps_cap) {
        tuning->steps_cap = tuning->steps_cap ? 2 * tuning->steps_cap : 256;
        tuning->steps = mem_realloc(tuning->steps, tuning->steps_cap, sizeof *tuning->steps);
    }
    tuning->steps[tuning->n_steps++] = *step;
}

int tuning_result_find_policy(const struct tuning_result *tuning, const char *name)
{
    for (uint32_t p = 0; p < tuning->n_policies; p++) {
        if (strcmp(tuning->policies[p], name) == 0)
            return (int)p;
    }
    return -1;
}
