// SPDX-License-Identifier: Apache-2.0
#include "results/file/same_sweep.h"

#include <check.h>

#include "results/file/same_fields.h"

static void same_service(const struct summary_service *a, const struct summary_service *b)
{
    same_fields(summary_service_fields, a, b);
    for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
        same_fields_ci("latency_s", &a->latency_s[q], &b->latency_s[q]);
}

static void same_rows(const struct sweep_result *a, const struct sweep_result *b, size_t i)
{
    for (size_t s = i * a->n_services; s < (i + 1) * a->n_services; s++) {
        same_service(&a->services[s], &b->services[s]);
        same_fields_text(a->service_names[s].name, b->service_names[s].name);
        same_fields_text(a->service_names[s].model, b->service_names[s].model);
    }
    for (size_t g = i * a->n_groups; g < (i + 1) * a->n_groups; g++) {
        same_fields(summary_group_fields, &a->groups[g], &b->groups[g]);
        for (int part = 0; part < N_PARTS; part++)
            same_fields(summary_component_fields, &a->groups[g].parts[part],
                        &b->groups[g].parts[part]);
        same_fields_text(a->group_names[g].name, b->group_names[g].name);
        same_fields_text(a->group_names[g].platform, b->group_names[g].platform);
        ck_assert_uint_eq(a->group_names[g].n_servers, b->group_names[g].n_servers);
    }
}

static void same_axes(const struct sweep_result *a, const struct sweep_result *b)
{
    ck_assert_uint_eq(a->n_axes, b->n_axes);
    ck_assert_int_eq(a->replication, b->replication);
    for (uint32_t i = 0; i < a->n_axes; i++) {
        ck_assert_str_eq(a->axes[i].name, b->axes[i].name);
        ck_assert_uint_eq(a->axes[i].n_labels, b->axes[i].n_labels);
        for (uint32_t l = 0; l < a->axes[i].n_labels; l++)
            ck_assert_str_eq(a->axes[i].labels[l], b->axes[i].labels[l]);
    }
    if (a->n_axes > 0)
        ck_assert_mem_eq(a->values, b->values, (size_t)a->n_points * a->n_axes * sizeof *a->values);
}

void same_sweep(const struct sweep_result *a, const struct sweep_result *b)
{
    same_fields_text(a->study_name, b->study_name);
    same_fields_text(a->program_version, b->program_version);
    same_fields_text(a->study_text, b->study_text);
    ck_assert_uint_eq(a->n_points, b->n_points);
    ck_assert_uint_eq(a->n_services, b->n_services);
    ck_assert_uint_eq(a->n_groups, b->n_groups);
    same_axes(a, b);
    for (uint32_t i = 0; i < a->n_points; i++) {
        same_fields(sweep_result_fields, &a->points[i], &b->points[i]);
        same_fields(sweep_result_run_fields, &a->points[i], &b->points[i]);
        same_service(&a->totals[i], &b->totals[i]);
        same_fields(summary_fleet_fields, &a->fleets[i], &b->fleets[i]);
        ck_assert_int_eq(a->fleets[i].from_ns, b->fleets[i].from_ns);
        ck_assert_int_eq(a->fleets[i].to_ns, b->fleets[i].to_ns);
        same_rows(a, b, i);
    }
}
