// SPDX-License-Identifier: Apache-2.0
#include "results/file/same_capacity.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "results/file/same_fields.h"

static void same_real(double a, double b)
{
    if (isnan(a))
        ck_assert_double_nan(b);
    else
        ck_assert_double_eq(a, b);
}

static void same_names(const struct capacity_result *a, const struct capacity_result *b,
                       enum capacity_dim dim)
{
    char **x = capacity_result_names(a, dim), **y = capacity_result_names(b, dim);
    ck_assert_uint_eq(capacity_result_n(a, dim), capacity_result_n(b, dim));
    for (uint32_t i = 0; x && i < capacity_result_n(a, dim); i++)
        ck_assert_str_eq(x[i], y[i]);
}

void same_capacity(const struct capacity_result *a, const struct capacity_result *b)
{
    same_fields_text(a->name, b->name);
    same_fields_text(a->program_version, b->program_version);
    same_fields_text(a->study, b->study);
    same_fields_text(a->find, b->find);
    same_fields_text(a->objective, b->objective);
    same_fields_text(a->objective_unit, b->objective_unit);
    ck_assert_uint_eq(a->seed, b->seed);
    same_real(a->headroom_frac, b->headroom_frac);
    same_real(a->sla_quantile, b->sla_quantile);
    same_real(a->day_s, b->day_s);
    same_real(a->interval_s, b->interval_s);
    same_real(a->startup_s, b->startup_s);
    same_real(a->min_on_s, b->min_on_s);
    for (int d = 0; d < N_CAPACITY_DIMS; d++)
        same_names(a, b, (enum capacity_dim)d);
    for (const struct capacity_array *r = capacity_result_arrays; r->name; r++) {
        size_t n = capacity_result_n_rows(a, r);
        ck_assert_msg(n == 0 || memcmp(capacity_result_rows(a, r), capacity_result_rows(b, r),
                                       n * r->stride) == 0,
                      "%s differ", r->name);
    }
}
