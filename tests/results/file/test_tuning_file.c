// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_file.h"

#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "results/file/same_artefact.h"
#include "results/fixture.h"
#include "support/suite.h"

#define PATH "test_tuning_file.h5"

static void write_file(const struct tuning_result *t)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    ck_assert_msg(tuning_file_write(t, &run, PATH, true, &err) == 0, "%s", err.text);
}

static struct tuning_result *read_back(void)
{
    struct err err = {0};
    struct tuning_result *t = tuning_file_read(PATH, &err);
    ck_assert_msg(t != NULL, "%s", err.text);
    return t;
}

// Rows as the layout's own array has them, so that what it names is compared to the bit.
static void same_rows(const struct tuning_result *a, const struct tuning_result *b)
{
    for (size_t i = 0; i < (size_t)a->n_cells * a->n_policies; i++) {
        const struct tuning_outcome *x = &a->outcomes[i], *y = &b->outcomes[i];
        ck_assert_int_eq(x->state, y->state);
        ck_assert_uint_eq(x->batch_items, y->batch_items);
        ck_assert_uint_eq(x->offload_items, y->offload_items);
        ck_assert(x->qps == y->qps || (isnan(x->qps) && isnan(y->qps)));
        ck_assert(x->floor_s == y->floor_s || (isnan(x->floor_s) && isnan(y->floor_s)));
        ck_assert_int_eq(x->confirmed_over, y->confirmed_over);
        ck_assert_int_eq(x->at_qps.tail, y->at_qps.tail);
        ck_assert_double_eq(x->at_qps.sla_s, y->at_qps.sla_s);
        ck_assert(x->at_qps.p99_s.half_95 == y->at_qps.p99_s.half_95 ||
                  isnan(x->at_qps.p99_s.half_95));
        ck_assert_uint_eq(x->n_queries, y->n_queries);
        ck_assert_double_eq(x->wall_s, y->wall_s);
    }
    ck_assert_uint_eq(a->n_steps, b->n_steps);
    for (size_t i = 0; i < a->n_steps; i++) {
        const struct tuning_step *x = &a->steps[i], *y = &b->steps[i];
        ck_assert_uint_eq(x->cell, y->cell);
        ck_assert_uint_eq(x->policy, y->policy);
        ck_assert_uint_eq(x->stream, y->stream);
        ck_assert_double_eq(x->rate_qps, y->rate_qps);
        ck_assert_double_eq(x->result.late_frac.half_95, y->result.late_frac.half_95);
        ck_assert_uint_eq(x->result.n_queries, y->result.n_queries);
    }
}

static void round_trip(struct tuning_result *t)
{
    write_file(t);
    struct tuning_result *back = read_back();
    ck_assert_str_eq(t->name, back->name);
    ck_assert_str_eq(t->program_version, back->program_version);
    ck_assert_str_eq(t->study, back->study);
    ck_assert_uint_eq(t->seed, back->seed);
    ck_assert_double_eq(t->sla_quantile, back->sla_quantile);
    ck_assert_double_eq(t->p99_bound, back->p99_bound);
    ck_assert_uint_eq(t->n_axes, back->n_axes);
    ck_assert_uint_eq(t->n_cells, back->n_cells);
    ck_assert_uint_eq(t->n_policies, back->n_policies);
    for (uint32_t p = 0; p < t->n_policies; p++)
        ck_assert_str_eq(t->policies[p], back->policies[p]);
    for (uint32_t a = 0; a < t->n_axes; a++) {
        ck_assert_str_eq(t->axes[a].name, back->axes[a].name);
        for (uint32_t c = 0; c < t->n_cells; c++)
            ck_assert_str_eq(tuning_result_label(t, c, a), tuning_result_label(back, c, a));
    }
    same_rows(t, back);
    tuning_result_destroy(back);
    tuning_result_destroy(t);
    unlink(PATH);
}

// A grid, and a study without one, come back from their files.
START_TEST(round_trips)
{
    round_trip(fixture_tuning(2));
    round_trip(fixture_tuning_least());
}
END_TEST

// Every member of a row is named once but wall_s, which is a table of its own, the queries of a
// held rate, which no search counts, and the compiler's gaps.
START_TEST(layout_is_complete)
{
    same_artefact_layout(&tuning_file_layout, 4 * sizeof(uint64_t));
}
END_TEST

static struct tuning_result *of_axis(const char *name, const char *first, const char *second)
{
    struct tuning_result *t = tuning_result_create(1, 2, 1);
    t->name = mem_strdup("axis");
    t->program_version = mem_strdup("0");
    t->sla_quantile = 0.95;
    t->policies[0] = mem_strdup("fixed");
    t->axes[0].name = mem_strdup(name);
    t->axes[0].n_labels = 2;
    t->axes[0].labels = mem_calloc(2, sizeof(char *));
    t->axes[0].labels[0] = mem_strdup(first);
    t->axes[0].labels[1] = mem_strdup(second);
    t->labels[1] = 1;
    return t;
}

// Writes one axis; is there a variable of that name, and what are its two numbers?
static bool has_numbers(struct tuning_result *t, const char *variable, double *numbers)
{
    write_file(t);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDONLY, H5P_DEFAULT);
    bool there = H5Lexists(file, variable, H5P_DEFAULT) > 0;
    if (there && numbers) {
        hid_t set = H5Dopen2(file, variable, H5P_DEFAULT);
        ck_assert_int_ge(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers),
                         0);
        H5Dclose(set);
    }
    H5Fclose(file);
    struct tuning_result *back = read_back();
    ck_assert_str_eq(back->axes[0].name, t->axes[0].name);
    tuning_result_destroy(back);
    tuning_result_destroy(t);
    unlink(PATH);
    return there;
}

// An axis of quantities has its numbers in SI units beside its labels; one of words has not, nor
// one of two units.
START_TEST(axes_of_numbers)
{
    double v[2];
    ck_assert(has_numbers(of_axis("rate", "500qps", "2kqps"), "rate_value", v));
    ck_assert(v[0] == 500 && v[1] == 2000);
    ck_assert(has_numbers(of_axis("target", "0", "20ms"), "target_value", v));
    ck_assert(v[0] == 0 && v[1] == 0.02);
    ck_assert(!has_numbers(of_axis("model", "wnd", "rmc1"), "model_value", NULL));
    ck_assert(!has_numbers(of_axis("odd", "1ms", "1W"), "odd_value", NULL));
}
END_TEST

// An axis that is called like a number of the file, a group or a dimension, or that no variable
// can be called, gets another name there, and its own back.
START_TEST(axis_names)
{
    ck_assert(has_numbers(of_axis("qps", "a", "b"), "axis_qps", NULL));
    ck_assert(has_numbers(of_axis("path", "a", "b"), "axis_path", NULL));
    ck_assert(has_numbers(of_axis("policy", "a", "b"), "axis_policy", NULL));
    ck_assert(has_numbers(of_axis("8 x.y", "a", "b"), "axis_8_x_y", NULL));
}
END_TEST

// A step of a point that is none is refused, and so is what is no tuning.
START_TEST(refusals)
{
    struct err err = {0};
    struct tuning_result *t = fixture_tuning(1);
    t->steps[1].cell = t->n_cells;
    write_file(t);
    ck_assert_ptr_null(tuning_file_read(PATH, &err));
    ck_assert_msg(strstr(err.text, "/path/point") != NULL, "%s", err.text);
    err = (struct err){0};
    unlink(PATH);
    ck_assert_ptr_null(tuning_file_read(PATH, &err));
    ck_assert_msg(strncmp(err.text, PATH, strlen(PATH)) == 0, "%s", err.text);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", round_trips},
                                       {"core", layout_is_complete},
                                       {"core", axes_of_numbers},
                                       {"core", axis_names},
                                       {"limits", refusals}};
    return suite_run("tuning_file", tests, sizeof tests / sizeof *tests);
}
