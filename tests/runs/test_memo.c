// SPDX-License-Identifier: Apache-2.0
// On any number of ranks, with the signals blocked before MPI starts.
#include "runs/memo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runs/checkpointing.h"
#include "base/mem.h"
#include "capacity/sample_fixture.h"
#include "support/suite_mpi.h"

static const unsigned char digest[16] = {1, 2, 3};

// A path that is the same on all ranks and that no file has.
static char *fresh_path(void)
{
    char folder[] = "/tmp/recfleet-memo-XXXXXX";
    if (suite_mpi_rank() == 0 && !mkdtemp(folder))
        folder[0] = '\0';
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    return mem_printf("%s/a.memo", folder);
}

static void drop(char *path)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (suite_mpi_rank() == 0) {
        unlink(path);
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    mem_free(path);
}

static struct memo *must_open(const char *path, bool resume)
{
    const struct memo_file_config config = {.path = path, .digest = digest, .resume = resume};
    struct err err = {0};
    struct memo *memo = memo_open(MPI_COMM_WORLD, &config, &err);
    ck_assert_msg(memo != NULL, "%s", err.text);
    return memo;
}

static void add(struct memo *memo, uint64_t key, uint64_t value)
{
    struct err err = {0};
    ck_assert_msg(memo_add(memo, key, &value, sizeof value, &err) == 0, "%s", err.text);
}

static void expect(const struct memo *memo, uint64_t key, uint64_t value)
{
    size_t n = 0;
    const void *bytes = memo_find(memo, key, &n);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(n, sizeof value);
    ck_assert_mem_eq(bytes, &value, n);
}

// A thousand answers are found on every rank, at once and when the file is taken up again. Keys
// that differ in their high bits only, too.
START_TEST(keeps_answers)
{
    char *path = fresh_path();
    struct memo *memo = must_open(path, false);
    for (uint64_t i = 0; i < 1000; i++)
        add(memo, i << 50, i * i);
    ck_assert_ptr_null(memo_find(memo, 5, &(size_t){0}));
    memo_close(memo, false);
    memo = must_open(path, true);
    ck_assert_uint_eq(memo_n_kept(memo), 1000);
    add(memo, 5, 7);
    add(memo, 5, 8); // known: stays
    for (uint64_t i = 0; i < 1000; i++)
        expect(memo, i << 50, i * i);
    expect(memo, 5, 7);
    ck_assert_uint_eq(memo_n(memo), 1001);
    memo_close(memo, true);
    drop(path);
}
END_TEST

// What ranks note by themselves, in files of their own, is found by all the next time, whatever
// their number then; and begun anew it is gone.
START_TEST(parts_are_taken_up)
{
    char *path = fresh_path(), *part = mem_printf("%s.7", path);
    int rank, n_ranks;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
    struct memo *memo = must_open(path, false);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t value = 100 * (uint64_t)rank + i;
        ck_assert_int_eq(memo_note(memo, value, &value, sizeof value, NULL), 0);
        ck_assert_ptr_null(memo_find(memo, value, &(size_t){0}));
    }
    memo_close(memo, false);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0 && n_ranks > 1) { // of a job with more ranks
        char *last = mem_printf("%s.1", path);
        ck_assert_int_eq(rename(last, part), 0);
        mem_free(last);
    }
    memo = must_open(path, true);
    ck_assert_uint_eq(memo_n_kept(memo), 3 * (size_t)n_ranks);
    for (int r = 0; r < n_ranks; r++)
        for (uint64_t i = 0; i < 3; i++)
            expect(memo, 100 * (uint64_t)r + i, 100 * (uint64_t)r + i);
    ck_assert_int_ne(access(part, F_OK), 0);
    memo_close(memo, true);
    MPI_Barrier(MPI_COMM_WORLD);
    memo = must_open(path, true);
    ck_assert_uint_eq(memo_n_kept(memo), 0);
    memo_close(memo, true);
    mem_free(part);
    drop(path);
}
END_TEST

// Every rank fails alike, although rank 0 alone sees the file.
START_TEST(refuses_alike)
{
    char *path = fresh_path();
    memo_close(must_open(path, false), false);
    const struct memo_file_config config = {.path = path, .digest = digest};
    struct err err = {0};
    ck_assert_ptr_null(memo_open(MPI_COMM_WORLD, &config, &err));
    ck_assert_msg(strstr(err.text, "exists") != NULL, "%s", err.text);
    drop(path);
}
END_TEST

static int look(void *memo, const struct sample_reached *reached, struct err *err)
{
    (void)reached;
    return memo_stop(memo) ? err_set(err, ERR_FAIL, "stopped") : 0;
}

static int run_five(struct memo *memo, struct slice_result *results, struct err *err)
{
    struct study *study = sample_fixture_study();
    uint32_t n_servers[2];
    struct fleet_variant fleet = sample_fixture_fleet(study, n_servers);
    struct slice slices[5];
    for (uint32_t i = 0; i < 5; i++)
        slices[i] = sample_fixture_slice(&fleet, i, 1);
    struct sample_bench *bench = sample_bench_create(MPI_COMM_WORLD, memo);
    sample_watch(bench, look, NULL, memo);
    int rc = sample_run(bench, slices, 5, results, err);
    sample_bench_destroy(bench);
    study_destroy(study);
    return rc;
}

// Slices that were simulated before are not simulated again, and are the same to the last bit.
START_TEST(slices_are_taken_from_it)
{
    char *path = fresh_path();
    struct slice_result first[5], again[5];
    struct err err = {0};
    struct memo *memo = must_open(path, false);
    ck_assert_int_eq(run_five(memo, first, &err), 0);
    memo_close(memo, false);
    memo = must_open(path, true);
    ck_assert_uint_eq(memo_n_kept(memo), 5);
    ck_assert_int_eq(run_five(memo, again, &err), 0);
    ck_assert_uint_eq(memo_n(memo), 5);
    for (int i = 0; i < 5; i++)
        ck_assert(sample_fixture_same(&first[i], &again[i]));
    sample_release(first, 5);
    sample_release(again, 5);
    memo_close(memo, true);
    drop(path);
}
END_TEST

// A signal to any rank ends the work of all before the next simulation; what is kept is answered
// all the same.
START_TEST(a_signal_ends_it)
{
    char *path = fresh_path();
    struct slice_result results[5];
    struct err err = {0};
    sigset_t set;
    struct memo *memo = must_open(path, false);
    ck_assert(!memo_stop(memo));
    if (suite_mpi_rank() == suite_mpi_size() - 1)
        raise(SIGTERM);
    int rc = run_five(memo, results, &err);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    while (sigtimedwait(&set, NULL, &(struct timespec){0, 0}) > 0)
        continue;
    ck_assert_int_eq(rc, -1);
    ck_assert_str_eq(err.text, "stopped");
    ck_assert_uint_eq(memo_n(memo), 0);
    memo_close(memo, true);
    drop(path);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", keeps_answers},
                                       {"core", slices_are_taken_from_it},
                                       {"core", a_signal_ends_it},
                                       {"core", parts_are_taken_up},
                                       {"errors", refuses_alike}};
    checkpointing_block_signals();
    return suite_mpi_run(&argc, &argv, "memo", tests, sizeof tests / sizeof *tests);
}
