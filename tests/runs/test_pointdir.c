// SPDX-License-Identifier: Apache-2.0
// MPI starts once, in main.
#include "runs/pointdir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/runs_fixture.h"
#include "runs/sweep_fixture.h"
#include "base/mem.h"

static struct sweep_fixture fixture;

static const struct pointdir_study nobody = {"tiny", "0123456789abcdef0123456789abcdef"};

static void assert_folder(const char *output, const char *expected)
{
    char *folder = pointdir_of(output);
    ck_assert_str_eq(folder, expected);
    mem_free(folder);
}

// The folder stands beside the results file, and points are numbered with six digits.
START_TEST(names)
{
    assert_folder("out.h5", "out.points");
    assert_folder("a/b.h5/out.h5", "a/b.h5/out.points");
    assert_folder("out.nc", "out.nc.points");
    assert_folder("a/.h5", "a/.h5.points");
    assert_folder(".h5", ".h5.points");
    char *path = pointdir_file("out.points", 7), *last = pointdir_file("out.points", 999999);
    ck_assert_str_eq(path, "out.points/000007.h5");
    ck_assert_str_eq(last, "out.points/999999.h5");
    char *checkpoint = pointdir_checkpoint("out.points", 7);
    ck_assert_str_eq(checkpoint, "out.points/000007.h5.checkpoint");
    mem_free(checkpoint);
    mem_free(path);
    mem_free(last);
}
END_TEST

static void expect(uint32_t point, const struct pointdir_study *study, enum pointdir_state state,
                   const char *says)
{
    char note[ERR_TEXT_MAX];
    ck_assert_int_eq(pointdir_look(fixture.survey->folder, point, study, note, sizeof note), state);
    ck_assert_msg(says ? strstr(note, says) != NULL : !*note, "%s", note);
    ck_assert_ptr_null(strchr(note, '\n'));
}

// Where nobody has been, a point is missing; one that failed says why, until it is forgiven.
START_TEST(failed_points)
{
    sweep_fixture_open(&fixture, "failed", NULL);
    const char *folder = fixture.survey->folder;
    struct err err = {0};
    expect(1, &nobody, POINTDIR_MISSING, NULL);
    ck_assert_int_eq(pointdir_make(folder, ERR_FAIL, &err), 0);
    pointdir_fail(folder, 1, "the disk is full");
    expect(1, &nobody, POINTDIR_FAILED, "the disk is full");
    expect(2, &nobody, POINTDIR_MISSING, NULL);
    pointdir_fail(folder, 1, "it still is");
    expect(1, &nobody, POINTDIR_FAILED, "it still is");
    pointdir_forgive(folder, 1);
    pointdir_forgive(folder, 1);
    expect(1, &nobody, POINTDIR_MISSING, NULL);
    sweep_fixture_close(&fixture);
}
END_TEST

// A file of the very study is a point that is done, whatever was said of it before; the study's
// name with another digest is the study as it was; another name is another study.
START_TEST(whose_file)
{
    sweep_fixture_open(&fixture, "whose", NULL);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    const char *digest = fixture.survey->points[3].digest;
    const struct pointdir_study ours = {"tiny", digest}, other = {"huge", digest};
    expect(3, &ours, POINTDIR_DONE, NULL);
    pointdir_fail(fixture.survey->folder, 3, "long ago");
    expect(3, &ours, POINTDIR_DONE, NULL);
    expect(3, &nobody, POINTDIR_EDITED, "000003.h5: of the study as it was before");
    expect(3, &other, POINTDIR_FOREIGN, "000003.h5: of another study, \"tiny\"");
    sweep_fixture_close(&fixture);
}
END_TEST

// What is not whole is not done: a cut file, a folder, a link that leads nowhere, a pipe, which
// nobody waits for.
START_TEST(not_whole)
{
    sweep_fixture_open(&fixture, "whole", NULL);
    ck_assert_uint_eq(sweep_fixture_run(&fixture), 0);
    struct stat st;
    char *path = sweep_fixture_point(&fixture, 0);
    const struct pointdir_study ours = {"tiny", fixture.survey->points[0].digest};
    expect(0, &ours, POINTDIR_DONE, NULL);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(truncate(path, st.st_size - 1), 0);
    expect(0, &ours, POINTDIR_FOREIGN, "not a readable recfleet result");
    unlink(path);
    ck_assert_int_eq(symlink("nowhere", path), 0);
    expect(0, &ours, POINTDIR_FOREIGN, "000000.h5");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    expect(0, &ours, POINTDIR_FOREIGN, "000000.h5");
    rmdir(path);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    expect(0, &ours, POINTDIR_FOREIGN, "not a regular file");
    unlink(path);
    mem_free(path);
    sweep_fixture_close(&fixture);
}
END_TEST

// A folder that is there is no error, for another task may have made it; a file in its place is.
START_TEST(makes_the_folder)
{
    struct err err = {0};
    char *folder = mem_printf("%s/made.points", runs_fixture_folder());
    char *below = mem_printf("%s/no/such.points", runs_fixture_folder());
    ck_assert_int_eq(pointdir_make(folder, ERR_STUDY, &err), 0);
    ck_assert_int_eq(pointdir_make(folder, ERR_STUDY, &err), 0);
    rmdir(folder);
    fclose(fopen(folder, "w"));
    ck_assert_int_eq(pointdir_make(folder, ERR_STUDY, &err), -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_int_eq(pointdir_make(below, ERR_FAIL, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.text, "such.points: cannot make this folder: "));
    mem_free(folder);
    mem_free(below);
}
END_TEST

// A reason that cannot be written is lost without harm; a pipe in its place is not waited for.
START_TEST(no_folder_to_fail_in)
{
    char reason[80] = "x";
    pointdir_fail("/no/such/folder", 1, "reason");
    pointdir_forgive("/no/such/folder", 1);
    pointdir_reason("/no/such/folder", 1, reason, sizeof reason);
    ck_assert_str_eq(reason, "");
    char *pipe = mem_printf("%s/000001.failed", runs_fixture_folder());
    ck_assert_int_eq(mkfifo(pipe, 0666), 0);
    pointdir_reason(runs_fixture_folder(), 1, reason, sizeof reason);
    ck_assert_str_eq(reason, "");
    unlink(pipe);
    mem_free(pipe);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", names},       {"core", failed_points},      {"core", whose_file},
        {"limits", not_whole}, {"errors", makes_the_folder}, {"errors", no_folder_to_fail_in},
    };
    return runs_fixture_main("pointdir", tests, sizeof tests / sizeof *tests);
}
