// SPDX-License-Identifier: Apache-2.0
#include "results/file/same_tuning.h"

#include <check.h>

#include "results/file/same_fields.h"

static void same_axes(const struct tuning_result *a, const struct tuning_result *b)
{
    ck_assert_uint_eq(a->n_axes, b->n_axes);
    for (uint32_t i = 0; i < a->n_axes; i++) {
        ck_assert_str_eq(a->axes[i].name, b->axes[i].name);
        ck_assert_uint_eq(a->axes[i].n_labels, b->axes[i].n_labels);
        for (uint32_t l = 0; l < a->axes[i].n_labels; l++)
            ck_assert_str_eq(a->axes[i].labels[l], b->axes[i].labels[l]);
    }
    if (a->n_axes > 0)
        ck_assert_mem_eq(a->labels, b->labels, (size_t)a->n_cells * a->n_axes * sizeof *a->labels);
}

void same_tuning(const struct tuning_result *a, const struct tuning_result *b)
{
    same_fields_text(a->name, b->name);
    same_fields_text(a->program_version, b->program_version);
    same_fields_text(a->study, b->study);
    ck_assert_uint_eq(a->seed, b->seed);
    ck_assert_double_eq(a->sla_quantile, b->sla_quantile);
    ck_assert_double_eq(a->p99_bound, b->p99_bound);
    ck_assert_uint_eq(a->n_cells, b->n_cells);
    ck_assert_uint_eq(a->n_policies, b->n_policies);
    ck_assert_uint_eq(a->n_steps, b->n_steps);
    for (uint32_t p = 0; p < a->n_policies; p++)
        ck_assert_str_eq(a->policies[p], b->policies[p]);
    same_axes(a, b);
    for (size_t i = 0; i < (size_t)a->n_cells * a->n_policies; i++) {
        same_fields(tuning_result_outcome_fields, &a->outcomes[i], &b->outcomes[i]);
        same_fields(tuning_result_wall_fields, &a->outcomes[i], &b->outcomes[i]);
    }
    for (size_t i = 0; i < a->n_steps; i++)
        same_fields(tuning_result_step_fields, &a->steps[i], &b->steps[i]);
}
