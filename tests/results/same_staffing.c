// SPDX-License-Identifier: Apache-2.0
#include "results/same_staffing.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "results/same_fields.h"

static void same_real(double a, double b)
{
    if (isnan(a))
        ck_assert_double_nan(b);
    else
        ck_assert_double_eq(a, b);
}

static void same_names(const struct staffing *a, const struct staffing *b, enum staffing_dim dim)
{
    char **x = staffing_names(a, dim), **y = staffing_names(b, dim);
    ck_assert_uint_eq(staffing_n(a, dim), staffing_n(b, dim));
    for (uint32_t i = 0; x && i < staffing_n(a, dim); i++)
        ck_assert_str_eq(x[i], y[i]);
}

void same_staffing(const struct staffing *a, const struct staffing *b)
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
    for (int d = 0; d < N_STAFFING_DIMS; d++)
        same_names(a, b, (enum staffing_dim)d);
    for (const struct staffing_array *r = staffing_arrays; r->name; r++) {
        size_t n = staffing_n_rows(a, r);
        ck_assert_msg(n == 0 ||
                          memcmp(staffing_rows(a, r), staffing_rows(b, r), n * r->stride) == 0,
                      "%s differ", r->name);
    }
}
