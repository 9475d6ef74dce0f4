// SPDX-License-Identifier: Apache-2.0
#include "results/file/h5_read.h"

#include <math.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/fixture_tuning.h"
#include "results/file/store_tuning.h"
#include "support/suite_mpi.h"

#define SOUND "test_h5_read_sound.h5"

static void make_sound(void)
{
    struct tuning_result *t = fixture_tuning(1);
    struct run_info run = fixture_run();
    struct err err = {0};
    int rc = store_tuning_write(MPI_COMM_SELF, SOUND, true, t, &run, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    tuning_result_destroy(t);
}

static struct h5_reader *open_sound(struct err *err)
{
    make_sound();
    struct h5_reader *r = h5_read_open(SOUND, "tuning", err);
    ck_assert_msg(r != NULL, "%s", err->text);
    return r;
}

// Closes after a failure, which must say `reason`.
static void failed(struct h5_reader *r, const struct err *err, const char *reason)
{
    ck_assert(h5_read_failed(r));
    ck_assert_int_eq(h5_read_close(r), -1);
    ck_assert_int_eq(err->code, ERR_FAIL);
    ck_assert_msg(strncmp(err->text, SOUND, strlen(SOUND)) == 0 && strstr(err->text, reason), "%s",
                  err->text);
    unlink(SOUND);
}

// Numbers, texts and names come back as they were written.
START_TEST(reads)
{
    struct err err = {0};
    struct h5_reader *r = open_sound(&err);
    uint64_t seed = 0;
    char *policies[3] = {NULL};
    struct h5_rows names = {policies, sizeof *policies, 3};
    ck_assert_uint_eq(h5_read_extent(r, "/qps"), 12);
    double *qps = h5_read_reals(r, "/qps", 12);
    ck_assert_double_eq(qps[4], 4000);
    ck_assert_double_nan(qps[9]);
    h5_read_attribute(r, "/", "seed", 8, false, &seed);
    ck_assert_uint_eq(seed, UINT64_C(0xfedcba9876543210));
    ck_assert(h5_read_has(r, "/", "seed") && !h5_read_has(r, "/", "seeds"));
    h5_read_names(r, "/policy", "names", &names, 0);
    ck_assert_str_eq(policies[2], "exhaustive");
    ck_assert_int_eq(h5_read_close(r), 0);
    for (int i = 0; i < 3; i++)
        mem_free(policies[i]);
    mem_free(qps);
    unlink(SOUND);
}
END_TEST

// An attribute that need not be there is "" when it is not, which is no failure.
START_TEST(optional_text)
{
    struct err err = {0};
    struct h5_reader *r = open_sound(&err);
    char *kind = h5_read_text_if(r, "/", "kind"), *none = h5_read_text_if(r, "/", "kinds");
    ck_assert_str_eq(kind, "tuning");
    ck_assert_str_eq(none, "");
    ck_assert_int_eq(h5_read_close(r), 0);
    mem_free(kind);
    mem_free(none);
    unlink(SOUND);
}
END_TEST

// Names are counted by their lines; one name has no line's end.
START_TEST(counts_names)
{
    struct err err = {0};
    struct h5_reader *r = open_sound(&err);
    ck_assert_uint_eq(h5_read_n_names(r, "/policy", "names"), 3);
    ck_assert_uint_eq(h5_read_n_names(r, "/", "kind"), 1);
    ck_assert_int_eq(h5_read_close(r), 0);
    unlink(SOUND);
}
END_TEST

// Only the first failure is kept, and what follows does nothing.
START_TEST(first_failure)
{
    struct err err = {0};
    struct h5_reader *r = open_sound(&err);
    double *none = h5_read_reals(r, "/nothing", 3);
    double more[12] = {0};
    h5_read_numbers(r, "/qps", 12, sizeof *more, true, more);
    char *text = h5_read_text(r, "/", "program");
    ck_assert_double_eq(more[4], 0);
    ck_assert_str_eq(text, "");
    mem_free(none);
    mem_free(text);
    failed(r, &err, "/nothing is missing");
}
END_TEST

// Another length, another type, another number of names than expected are each a failure.
START_TEST(misfits)
{
    struct err err = {0};
    uint32_t codes[12];
    char *names[4] = {NULL};
    struct h5_reader *r = open_sound(&err);
    mem_free(h5_read_reals(r, "/qps", 11));
    failed(r, &err, "/qps has another length");
    r = open_sound(&err);
    h5_read_numbers(r, "/qps", 12, 4, false, codes);
    failed(r, &err, "/qps is not of the expected type");
    r = open_sound(&err);
    h5_read_names(r, "/policy", "names", &(struct h5_rows){names, sizeof *names, 4}, 0);
    failed(r, &err, "/policy has another number of names");
    for (int i = 0; i < 4; i++)
        mem_free(names[i]);
    r = open_sound(&err);
    mem_free(h5_read_text(r, "/", "seed")); // a number
    failed(r, &err, "lacks an attribute of text");
}
END_TEST

// A file of another kind is named as what it is.
START_TEST(other_kind)
{
    struct err err = {0};
    make_sound();
    ck_assert_ptr_null(h5_read_open(SOUND, "run", &err));
    ck_assert_str_eq(err.text, SOUND ": holds the results of a tuning, not of a run");
    unlink(SOUND);
}
END_TEST

static void crash(void *data)
{
    (void)data;
    raise(SIGSEGV);
}

// Whole files are trusted without a trial; files without a seal only if the work survives; broken
// ones never.
START_TEST(tried_first)
{
    struct err err = {0};
    make_sound();
    ck_assert_int_eq(h5_read_survives(SOUND, crash, NULL, &err), 0); // not called at all
    FILE *f = fopen(SOUND, "r+b");
    fseek(f, 100, SEEK_SET);
    fputc(0x55, f);
    fclose(f);
    ck_assert_int_eq(h5_read_survives(SOUND, crash, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "checksum"));
    f = fopen(SOUND, "wb");
    fputs("anything", f);
    fclose(f);
    ck_assert_int_eq(h5_read_survives(SOUND, crash, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "it crashes"));
    unlink(SOUND);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", reads},           {"core", optional_text},
                                       {"core", counts_names},    {"core", tried_first},
                                       {"errors", first_failure}, {"errors", misfits},
                                       {"errors", other_kind}};
    return suite_mpi_run(&argc, &argv, "h5_read", tests, sizeof tests / sizeof *tests);
}
