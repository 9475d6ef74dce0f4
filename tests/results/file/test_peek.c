// SPDX-License-Identifier: Apache-2.0
#include "results/file/peek.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/fixture_tuning.h"
#include "results/file/run_file.h"
#include "results/file/tuning_file.h"
#include "support/suite_mpi.h"

#define SOUND "test_peek_sound.h5"
#define HURT "test_peek_hurt.h5"

static void make_sound(const char *digest)
{
    struct err err = {0};
    int rc = run_file_write(SOUND, digest, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

// Copies the first n bytes (0: all), with one of them changed when `flip` is not negative.
static void hurt(long n, long flip)
{
    FILE *in = fopen(SOUND, "rb"), *out = fopen(HURT, "wb");
    int c;
    for (long i = 0; (c = fgetc(in)) != EOF && (n == 0 || i < n); i++)
        fputc(i == flip ? c ^ 1 : c, out);
    fclose(in);
    fclose(out);
}

static void refuses(const char *path, const char *reason)
{
    struct peek peek;
    struct err err = {0};
    ck_assert_int_eq(peek_open(path, &peek, &err), -1);
    ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s", err.text);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

// A whole file says which study it belongs to.
START_TEST(says_whose_it_is)
{
    struct peek peek;
    struct err err = {0};
    struct meta *meta = fixture_meta();
    make_sound("00112233445566778899aabbccddeeff");
    ck_assert_msg(peek_open(SOUND, &peek, &err) == 0, "%s", err.text);
    ck_assert_str_eq(peek.study_name, meta->study_name);
    ck_assert_str_eq(peek.study_digest, "00112233445566778899aabbccddeeff");
    ck_assert_str_eq(peek.program_version, meta->program_version);
    peek_close(&peek);
    ck_assert_ptr_null(peek.study_name);
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

// A file without a digest is a run of a study that is not known.
START_TEST(digest_not_known)
{
    struct peek peek;
    make_sound("");
    ck_assert_int_eq(peek_open(SOUND, &peek, NULL), 0);
    ck_assert_str_eq(peek.study_digest, "");
    peek_close(&peek);
    unlink(SOUND);
}
END_TEST

// A file that was cut, one with a flipped bit anywhere, an empty one: none is taken for whole.
START_TEST(damaged)
{
    make_sound("");
    FILE *file = fopen(SOUND, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    hurt(size / 2, -1);
    refuses(HURT, "not finished by recfleet");
    for (long flip = 0; flip < size - 24; flip += size / 7) {
        hurt(0, flip);
        refuses(HURT, "damaged");
    }
    file = fopen(HURT, "wb");
    fclose(file);
    refuses(HURT, "not finished by recfleet");
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// What is no run's file is refused with its name: none at all, a folder, a tuning's.
START_TEST(no_run)
{
    struct tuning_result *tuning = fixture_tuning(1);
    struct run_info run = fixture_run();
    struct err err = {0};
    refuses("test_peek_no_such.h5", "No such file");
    refuses(".", "");
    int rc = tuning_file_write(tuning, &run, HURT, true, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    refuses(HURT, "");
    tuning_result_destroy(tuning);
    unlink(HURT);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", says_whose_it_is},
        {"limits", digest_not_known},
        {"errors", damaged},
        {"errors", no_run},
    };
    return suite_mpi_run(&argc, &argv, "peek", tests, sizeof tests / sizeof *tests);
}
