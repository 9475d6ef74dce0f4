// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_file.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_verify.h"
#include "results/file/fixture_sweep.h"
#include "results/file/run_result.h"
#include "results/file/same_artefact.h"
#include "support/column_file.h"
#include "support/suite.h"

#define SOUND "test_sweep_file_sound.h5"
#define HURT "test_sweep_file_hurt.h5"

static void write_it(const struct sweep_result *p, const char *path)
{
    struct err err = {0};
    int rc = sweep_file_write(path, true, p, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void make_folded(void)
{
    struct sweep_result *p = fixture_sweep();
    write_it(p, SOUND);
    sweep_result_destroy(p);
}

static void comes_back_from(const struct sweep_result *p)
{
    struct err err = {0};
    struct sweep_result *back = sweep_file_read(SOUND, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    fixture_sweep_same(p, back);
    for (uint32_t i = 0; i < p->n_points; i++) {
        ck_assert_int_eq(p->fleets[i].from_ns, back->fleets[i].from_ns);
        ck_assert_int_eq(p->fleets[i].to_ns, back->fleets[i].to_ns);
    }
    sweep_result_destroy(back);
    unlink(SOUND);
}

// What was stored comes back.
START_TEST(comes_back)
{
    struct sweep_result *p = fixture_sweep();
    write_it(p, SOUND);
    comes_back_from(p);
    sweep_result_destroy(p);
}
END_TEST

// No member of a row is named twice, nor a name in a group. Not named: what an estimate has beyond
// value and half-width, and half of every point, the other half of which stands in /run.
START_TEST(layout_rules)
{
    same_artefact_layout(&sweep_file_layout, sizeof(struct summary_service));
}
END_TEST

// Names that axes often have are theirs.
START_TEST(usual_names)
{
    const char *const free_names[] = {"policy", "seed", "model", "platform", "servers", "rate"},
                      *const taken[] = {"state",
                                        "service",
                                        "note",
                                        "served_qps_half_95",
                                        "folded",
                                        "energy_j_half_95",
                                        "component_util_frac"};
    const struct sweep_frame none = {0};
    for (size_t i = 0; i < sizeof free_names / sizeof *free_names; i++)
        ck_assert(!dataset_uses_name(&sweep_file_layout, &none, free_names[i]));
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        ck_assert_msg(dataset_uses_name(&sweep_file_layout, &none, taken[i]), "%s", taken[i]);
}
END_TEST

// One point that is not done, without axes, replications or study.
START_TEST(least)
{
    struct sweep_result *p = fixture_points_least();
    mem_free(p->study_text);
    p->study_text = NULL;
    write_it(p, SOUND);
    comes_back_from(p);
    sweep_result_destroy(p);
}
END_TEST

// Axes may be called anything, and labels, too, and there may be many.
START_TEST(awkward_names)
{
    const uint32_t n = 1000;
    char(*text)[96] = mem_calloc(n, sizeof *text);
    const char **labels = mem_calloc(n, sizeof *labels);
    struct sweep_result *p = sweep_result_create(3, n);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i],
                 "label, as long as it takes to be more than others are, number %u", i);
        labels[i] = text[i];
        p->values[i * p->n_axes + 0] = i;
        p->values[i * p->n_axes + 2] = i % 2;
        sweep_result_set_state(p, i, SWEEP_FAILED, text[i]);
    }
    point_axes_set(&p->grid, 0, "state", labels, n);
    point_axes_set(&p->grid, 1, "", (const char *const[]){""}, 1);
    point_axes_set(&p->grid, 2, "µ/2", (const char *const[]){"a + b = \"1\"", ""}, 2);
    mem_free(text);
    mem_free(labels);
    write_it(p, SOUND);
    comes_back_from(p);
    sweep_result_destroy(p);
}
END_TEST

// Another run of the same study, elsewhere and slower, differs in /run alone; the same points are
// the same bytes.
START_TEST(run_apart)
{
    struct sweep_result *p = fixture_sweep();
    char one[CONTENT_DIGEST_CHARS], other[CONTENT_DIGEST_CHARS];
    size_t n, m;
    write_it(p, SOUND);
    write_it(p, HURT);
    unsigned char *a = column_file_slurp(SOUND, &n), *b = column_file_slurp(HURT, &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(a, b, n);
    free(b);
    struct run_result *run = fixture_load(10, 2, 1); // point 0 once more
    run->info.wall_s = 77;
    run->info.n_ranks = 9;
    sweep_result_take(p, 0, run);
    write_it(p, HURT);
    b = column_file_slurp(HURT, &m);
    ck_assert(n != m || memcmp(a, b, n) != 0);
    ck_assert_int_eq(dataset_verify(SOUND, one, NULL), 0);
    ck_assert_int_eq(dataset_verify(HURT, other, NULL), 0);
    ck_assert_str_eq(one, other);
    p->points[3].n_servers++;
    write_it(p, HURT);
    ck_assert_int_eq(dataset_verify(HURT, other, NULL), 0);
    ck_assert_str_ne(one, other);
    free(a);
    free(b);
    run_result_destroy(run);
    sweep_result_destroy(p);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// One number of a dataset.
static double number_at(hid_t file, const char *name, size_t index)
{
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", name);
    hid_t space = H5Dget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    ck_assert_int_gt(n, (hssize_t)index);
    double *all = mem_calloc((size_t)n, sizeof *all);
    ck_assert_int_ge(H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all), 0);
    double value = all[index];
    mem_free(all);
    H5Sclose(space);
    H5Dclose(id);
    return value;
}

// Where the numbers stand: by point, service, group, component and quantile; and folded by case.
START_TEST(places)
{
    make_folded();
    hid_t file = H5Fopen(SOUND, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    ck_assert_double_eq(number_at(file, "/state", 4), SWEEP_FAILED);
    ck_assert_double_eq(number_at(file, "/groups/servers_value", 3), 2500);
    ck_assert_double_eq(number_at(file, "/total/served_qps", 9), 19000);
    ck_assert_double_eq(number_at(file, "/summary/sla_latency_s", 3 * 2 + 1), 14 * 1e-3);
    ck_assert_double_eq(number_at(file, "/summary/latency_s", (3 * 2 + 1) * 5 + 2), 14 * 1e-3);
    ck_assert_double_nan(number_at(file, "/summary/sla_latency_s", 9 * 2 + 1)); // not there
    ck_assert_double_nan(number_at(file, "/total/served_qps", 8));              // not done
    ck_assert_double_eq(number_at(file, "/groups/component_util_frac", (3 * 2 + 1) * 2),
                        13 * 0.05 - 0.01);
    ck_assert_double_eq(number_at(file, "/run/wall_s", 10), 2.5);
    ck_assert_double_eq_tol(number_at(file, "/folded/total/served_qps", 0), 11000, 1e-9);
    ck_assert_double_eq_tol(number_at(file, "/folded/summary/latency_s", 5 + 2), 0.012, 1e-15);
    ck_assert_double_eq_tol(number_at(file, "/folded/groups/component_util_frac_half_95", 0),
                            0.05 * 4.303 / 1.7321, 1e-5);
    ck_assert_double_eq_tol(number_at(file, "/folded/groups/component_energy_j", 1), 5 * 11, 1e-12);
    ck_assert_double_eq(number_at(file, "/folded/n_overloaded", 2), 1);
    ck_assert_double_nan(number_at(file, "/folded/total/latency_mean_s", 2));
    ck_assert_double_eq(number_at(file, "/folded/summary/sla", 2 * 2), VERDICT_MISSED);
    ck_assert_int_eq(H5Lexists(file, "/folded/replication", H5P_DEFAULT), 0);
    H5Fclose(file);
    unlink(SOUND);
}
END_TEST

// A sweep's file where a run is wanted is refused with where its runs are.
START_TEST(no_run)
{
    struct err err = {0};
    make_folded();
    ck_assert_ptr_null(run_result_read(SOUND, DATASET_ALL, &err));
    ck_assert_str_eq(err.text, SOUND ": holds the results of a sweep, not of a run; the runs of "
                                     "its points are in test_sweep_file_sound.points/");
    unlink(SOUND);
}
END_TEST

// Points must make sense.
START_TEST(senseless)
{
    struct sweep_result *p = fixture_sweep();
    struct sweep_frame frames[6];
    struct sweep_point points[6][12];
    for (int i = 0; i < 6; i++) {
        frames[i] = (struct sweep_frame){.result = *p};
        memcpy(points[i], p->points, sizeof points[i]);
        frames[i].result.points = points[i];
    }
    points[1][3].n_services = 3;
    points[2][0].n_groups = 0;
    points[3][2].measured_to_s = -1;
    frames[4].result.replication = 3;
    frames[5].result.n_groups = 0;
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(sweep_file_layout.check(&frames[i], NULL), i == 0 ? 0 : -1);
    sweep_result_destroy(p);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back},      {"core", layout_rules}, {"core", usual_names},
        {"core", run_apart},       {"core", places},       {"limits", least},
        {"limits", awkward_names}, {"errors", no_run},     {"errors", senseless}};
    return suite_run("sweep_file", tests, sizeof tests / sizeof *tests);
}
