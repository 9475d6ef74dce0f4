// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_result.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

const char *const tuning_result_state_names[] = {"found", "unreachable", NULL};
struct tuning_outcome tuning_result_outcome_none(void)
{
    return (struct tuning_outcome){.qps = NAN,
                                   .missed_qps = NAN,
                                   .claimed_qps = NAN,
                                   .tuned_qps = NAN,
                                   .floor_s = NAN,
                                   .at_qps = measurement_none(VERDICT_NOT_ASKED),
                                   .confirmed = VERDICT_NOT_ASKED,
                                   .confirmed_over = VERDICT_NOT_ASKED};
}

struct tuning_result *tuning_result_create(uint32_t n_axes, uint32_t n_cells, uint32_t n_policies)
{
    struct tuning_result *t = mem_calloc(1, sizeof *t);
    size_t n = (size_t)n_cells * n_policies;
    t->n_axes = n_axes;
    t->n_cells = n_cells;
    t->n_policies = n_policies;
    t->axes = mem_calloc(n_axes, sizeof *t->axes);
    t->labels = mem_calloc((size_t)n_cells * n_axes, sizeof *t->labels);
    t->policies = mem_calloc(n_policies, sizeof *t->policies);
    t->outcomes = mem_calloc(n, sizeof *t->outcomes);
    for (size_t i = 0; i < n; i++)
        t->outcomes[i] = tuning_result_outcome_none();
    return t;
}

void tuning_result_destroy(struct tuning_result *tuning)
{
    if (!tuning)
        return;
    for (uint32_t a = 0; a < tuning->n_axes; a++) {
        for (uint32_t i = 0; tuning->axes[a].labels && i < tuning->axes[a].n_labels; i++)
            mem_free(tuning->axes[a].labels[i]);
        mem_free(tuning->axes[a].labels);
        mem_free(tuning->axes[a].name);
    }
    for (uint32_t p = 0; p < tuning->n_policies; p++)
        mem_free(tuning->policies[p]);
    mem_free(tuning->axes);
    mem_free(tuning->labels);
    mem_free(tuning->policies);
    mem_free(tuning->outcomes);
    mem_free(tuning->steps);
    mem_free(tuning->name);
    mem_free(tuning->program_version);
    mem_free(tuning->study);
    mem_free(tuning);
}

struct tuning_outcome *tuning_result_outcome_at(const struct tuning_result *tuning, uint32_t cell,
                                                uint32_t policy)
{
    assert(cell < tuning->n_cells && policy < tuning->n_policies);
    return &tuning->outcomes[(size_t)cell * tuning->n_policies + policy];
}

void tuning_result_add_step(struct tuning_result *tuning, const struct tuning_step *step)
{
    if (tuning->n_steps == tuning->steps_cap) {
        tuning->steps_cap = tuning->steps_cap ? 2 * tuning->steps_cap : 256;
        tuning->steps = mem_realloc(tuning->steps, tuning->steps_cap, sizeof *tuning->steps);
    }
    tuning->steps[tuning->n_steps++] = *step;
}

const char *tuning_result_label(const struct tuning_result *tuning, uint32_t cell, uint32_t axis)
{
    assert(cell < tuning->n_cells && axis < tuning->n_axes);
    const struct tuning_axis *a = &tuning->axes[axis];
    uint32_t label = tuning->labels[(size_t)cell * tuning->n_axes + axis];
    assert(label < a->n_labels);
    return a->labels[label];
}

char *tuning_result_point_name(const struct tuning_result *tuning, uint32_t cell)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < tuning->n_axes; a++) {
        char *longer = mem_printf("%s%s%s=%s", name, a > 0 ? ", " : "", tuning->axes[a].name,
                                  tuning_result_label(tuning, cell, a));
        mem_free(name);
        name = longer;
    }
    return name;
}

int tuning_result_find_policy(const struct tuning_result *tuning, const char *name)
{
    for (uint32_t p = 0; p < tuning->n_policies; p++) {
        if (strcmp(tuning->policies[p], name) == 0)
            return (int)p;
    }
    return -1;
}
