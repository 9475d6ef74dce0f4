// SPDX-License-Identifier: Apache-2.0
// MPI starts once, in main.
#include "runs/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/sweep.h"
#include "runs/runs_fixture.h"
#include "runs/sweep_fixture.h"
#include "base/mem.h"
#include "results/file/sweep_file.h"

enum { N = SWEEP_FIXTURE_POINTS };

static struct sweep_fixture fixture;

// Looks at what is there and merges it; 0 or -1 with *err.
static int merge(bool force, struct err *err)
{
    survey_look(fixture.survey, NULL, 0, 1);
    struct sweep_result *points = merge_read(fixture.survey);
    int rc = merge_write(fixture.survey, points, force, err);
    sweep_result_destroy(points);
    return rc;
}

static struct sweep_result *merged(void)
{
    struct err err = {0};
    struct sweep_result *points = sweep_file_read(fixture.output, &err);
    ck_assert_msg(points != NULL, "%s", err.text);
    return points;
}

static void expect_done(uint32_t n)
{
    struct sweep_result *points = merged();
    uint32_t n_done = sweep_result_count(points, SWEEP_DONE);
    sweep_result_destroy(points);
    ck_assert_uint_eq(n_done, n);
}

static void remove_point(uint32_t point)
{
    char *path = sweep_fixture_point(&fixture, point);
    ck_assert_int_eq(unlink(path), 0);
    mem_free(path);
}

// Points that differ from those of the fixture.
static void run(void)
{
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
}

// The fixture's own: simulated once, then linked, which is the same and faster.
static void fill(void)
{
    struct err err = {0};
    char *made = mem_printf("%s/made.points", runs_fixture_folder());
    bool first = access(made, F_OK) != 0;
    if (first)
        run();
    ck_assert_int_eq(pointdir_make(first ? made : fixture.survey->folder, ERR_FAIL, &err), 0);
    for (uint32_t p = 0; p < N; p++) {
        char *path = sweep_fixture_point(&fixture, p), *kept = pointdir_file(made, p);
        const char *from = first ? path : kept, *to = first ? kept : path;
        ck_assert(access(to, F_OK) == 0 || link(from, to) == 0);
        mem_free(path);
        mem_free(kept);
    }
    mem_free(made);
}

static char *read_all(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    char *bytes = mem_calloc(1, 1 << 24);
    ck_assert_ptr_nonnull(in);
    *size = fread(bytes, 1, 1 << 24, in);
    fclose(in);
    return bytes;
}

// All points with their axes, labels, seeds and results are in the one file.
START_TEST(merges_all)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "all", NULL);
    fill();
    ck_assert_msg(merge(false, &err) == 0, "%s", err.text);
    struct sweep_result *points = merged();
    ck_assert_str_eq(points->study_name, "tiny");
    ck_assert_uint_eq(points->n_axes, 2);
    ck_assert_int_eq(points->replication, 1);
    ck_assert_uint_eq(sweep_result_count(points, SWEEP_DONE), N);
    ck_assert_str_eq(sweep_result_label(points, 4, 0), "4000qps");
    ck_assert_str_eq(sweep_result_label(points, 4, 1), "1");
    for (uint32_t p = 0; p < N; p++)
        ck_assert_uint_eq(points->points[p].random_seed, fixture.survey->points[p].seed);
    // About 4000 queries; five standard deviations of a Poisson count are 316.
    ck_assert_double_eq_tol((double)points->totals[4].n_queries, 4000, 316);
    sweep_result_destroy(points);
    sweep_fixture_close(&fixture);
}
END_TEST

static void move_point(uint32_t point, bool away)
{
    char *path = sweep_fixture_point(&fixture, point), *aside = mem_printf("%s.aside", path);
    ck_assert_int_eq(rename(away ? path : aside, away ? aside : path), 0);
    mem_free(path);
    mem_free(aside);
}

// The same points are the same bytes, whatever was merged on the way.
START_TEST(same_bytes)
{
    struct err err = {0};
    size_t n_once, n_again;
    sweep_fixture_open(&fixture, "bytes", NULL);
    fill();
    ck_assert_int_eq(merge(false, &err), 0);
    char *once = read_all(fixture.output, &n_once);
    unlink(fixture.output);
    move_point(0, true);
    move_point(5, true);
    ck_assert_int_eq(merge(false, &err), 0);
    expect_done(N - 2);
    move_point(5, false);
    move_point(0, false);
    ck_assert_int_eq(merge(false, &err), 0);
    char *again = read_all(fixture.output, &n_again);
    ck_assert_uint_eq(n_once, n_again);
    ck_assert_mem_eq(once, again, n_once);
    mem_free(once);
    mem_free(again);
    sweep_fixture_close(&fixture);
}
END_TEST

// What is not there is a hole with its reason, and fills up at the next merge.
START_TEST(holes_fill_up)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "holes", NULL);
    fill();
    remove_point(1);
    remove_point(4);
    pointdir_fail(fixture.survey->folder, 4, "no servers are left");
    ck_assert_msg(merge(false, &err) == 0, "%s", err.text);
    struct sweep_result *points = merged();
    ck_assert_int_eq(points->points[1].state, SWEEP_MISSING);
    ck_assert_int_eq(points->points[4].state, SWEEP_FAILED);
    ck_assert_str_eq(points->points[4].note, "no servers are left");
    ck_assert_uint_eq(sweep_result_count(points, SWEEP_DONE), 4);
    sweep_result_destroy(points);
    fill();
    ck_assert_msg(merge(false, &err) == 0, "%s", err.text);
    points = merged();
    ck_assert_uint_eq(sweep_result_count(points, SWEEP_DONE), N);
    ck_assert_str_eq(points->points[4].note, "");
    sweep_result_destroy(points);
    sweep_fixture_close(&fixture);
}
END_TEST

// A file of another study is no point of this one, and is said to be none.
START_TEST(foreign_point)
{
    struct err err = {0};
    char *from, *to;
    sweep_fixture_open(&fixture, "other", "name=other");
    run();
    from = sweep_fixture_point(&fixture, 0);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "foreign", NULL);
    fill();
    to = sweep_fixture_point(&fixture, 0);
    ck_assert_int_eq(rename(from, to), 0);
    ck_assert_int_eq(merge(false, &err), 0);
    struct sweep_result *points = merged();
    ck_assert_int_eq(points->points[0].state, SWEEP_FOREIGN);
    ck_assert_ptr_nonnull(strstr(points->points[0].note, "of another study, \"other\""));
    sweep_result_destroy(points);
    mem_free(from);
    mem_free(to);
    sweep_fixture_close(&fixture);
}
END_TEST

// One that was whole when it was looked at and is not when it is read is not taken.
START_TEST(point_lost_meanwhile)
{
    sweep_fixture_open(&fixture, "lost", NULL);
    fill();
    survey_look(fixture.survey, NULL, 0, 1);
    remove_point(2);
    struct sweep_result *points = merge_read(fixture.survey);
    ck_assert_int_eq(points->points[2].state, SWEEP_FOREIGN);
    ck_assert_ptr_nonnull(strstr(points->points[2].note, "000002.h5"));
    ck_assert_uint_eq(sweep_result_count(points, SWEEP_DONE), N - 1);
    sweep_result_destroy(points);
    sweep_fixture_close(&fixture);
}
END_TEST

// A merge that would drop results is refused, and the file is as it was; force writes it.
START_TEST(loses_nothing)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "loses", NULL);
    fill();
    ck_assert_int_eq(merge(false, &err), 0);
    remove_point(3);
    ck_assert_int_eq(merge(false, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_nonnull(strstr(err.text, "point 3 (rate=500qps,replication=1)"));
    expect_done(N);
    ck_assert_int_eq(merge(true, &err), 0);
    expect_done(N - 1);
    sweep_fixture_close(&fixture);
}
END_TEST

// So is one with other results of the same points, before anything is simulated and after.
START_TEST(edited_study)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "edited", NULL);
    fill();
    ck_assert_int_eq(merge(false, &err), 0);
    ck_assert_int_eq(merge_check(fixture.survey, false, &err), 0);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "edited", "seed=2");
    survey_look(fixture.survey, NULL, 0, 1);
    ck_assert_int_eq(merge_check(fixture.survey, false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "--force overwrites it"));
    ck_assert_int_eq(merge_check(fixture.survey, true, &err), 0);
    run();
    ck_assert_int_eq(merge(false, &err), -1);
    ck_assert_int_eq(merge(true, &err), 0);
    sweep_fixture_close(&fixture);
}
END_TEST

// Nor is anything else replaced that has the file's name: a run's results, another sweep's.
START_TEST(other_files)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "files", NULL);
    fill();
    char *point = sweep_fixture_point(&fixture, 0);
    ck_assert_int_eq(link(point, fixture.output), 0);
    mem_free(point);
    ck_assert_int_eq(merge_check(fixture.survey, false, &err), -1);
    ck_assert_int_eq(merge(false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is not of this sweep"));
    ck_assert_int_eq(merge(true, &err), 0);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "files", "sweep[0].labels=[a, b, c]");
    survey_look(fixture.survey, NULL, 0, 1);
    ck_assert_int_eq(merge_check(fixture.survey, false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is not of this sweep"));
    sweep_fixture_close(&fixture);
}
END_TEST

// More replications are more points after those that are there: the file grows. Fewer would lose
// some.
START_TEST(more_replications)
{
    struct err err = {0};
    sweep_fixture_open(&fixture, "more", NULL);
    fill();
    ck_assert_int_eq(merge(false, &err), 0);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "more", "replications=1");
    survey_look(fixture.survey, NULL, 0, 1);
    ck_assert_int_eq(merge_check(fixture.survey, false, &err), -1);
    sweep_fixture_close(&fixture);
    sweep_fixture_open(&fixture, "more", "replications=3");
    survey_look(fixture.survey, NULL, 0, 1);
    ck_assert_msg(merge_check(fixture.survey, false, &err) == 0, "%s", err.text);
    ck_assert_msg(merge(false, &err) == 0, "%s", err.text);
    struct sweep_result *points = merged();
    ck_assert_uint_eq(points->n_points, N / 2 * 3);
    ck_assert_uint_eq(sweep_result_count(points, SWEEP_DONE), N);
    sweep_result_destroy(points);
    sweep_fixture_close(&fixture);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", merges_all},      {"core", same_bytes},        {"core", holes_fill_up},
        {"core", foreign_point},   {"core", more_replications}, {"limits", point_lost_meanwhile},
        {"errors", loses_nothing}, {"errors", edited_study},    {"errors", other_files},
    };
    return runs_fixture_main("merge", tests, sizeof tests / sizeof *tests);
}
