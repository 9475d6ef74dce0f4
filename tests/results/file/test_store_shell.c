// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/fixture.h"
#include "results/file/h5_read.h"
#include "support/suite_mpi.h"

static bool is_root(void)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank == 0;
}

static void fill_whole(const struct store_writer *w, void *user)
{
    struct run_info run = fixture_run();
    store_shell_root(w, user, "1.2", "mine");
    store_shell_study(w, "a: 1\n");
    store_shell_run(w, MPI_COMM_WORLD, w->root ? &run : NULL);
}

// A dataset over a dimension that is not there cannot be written.
static void fill_badly(const struct store_writer *w, void *user)
{
    const double one = 1;
    fill_whole(w, user);
    store_piece_put(w, "/study", (struct h5_var){"x", "1", "x", H5_F64, 1, {"nowhere"}}, 1, &one);
}

static int write_kind(const char *path, store_shell_fn fill, char *kind, struct err *err)
{
    struct store_writer w = {.root = is_root()};
    struct store_shell shell = {path, false, STORE_SHELL_BYTES, fill, kind};
    return store_shell_write(MPI_COMM_WORLD, &shell, &w, err);
}

// The shell alone is a results file of its kind.
START_TEST(has_a_kind)
{
    char folder[64], path[96], kind[] = "tuning";
    struct err err = {0};
    suite_mpi_path(folder, path);
    int rc = write_kind(path, fill_whole, kind, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    if (is_root()) {
        struct h5_reader *r = h5_read_open(path, "tuning", &err);
        ck_assert_msg(r != NULL, "%s", err.text);
        char *study = h5_read_bytes(r, "/study/text"), *host = h5_read_text(r, "/run", "host");
        ck_assert_int_eq(h5_read_close(r), 0);
        ck_assert_str_eq(study, "a: 1\n");
        ck_assert_str_eq(host, "here");
        mem_free(study);
        mem_free(host);
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0);
    }
}
END_TEST

// When something cannot be written, all ranks hear of it and nothing is left.
START_TEST(leaves_nothing)
{
    char folder[64], path[96], kind[] = "run";
    struct err err = {0};
    suite_mpi_path(folder, path);
    int rc = write_kind(path, fill_badly, kind, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_null(strchr(err.text, '\n'));
    if (is_root())
        ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

// Rank 0's text is everybody's, and none is "".
START_TEST(shares_text)
{
    char *text = store_shell_share(MPI_COMM_WORLD, is_root(), is_root() ? "from 0" : NULL);
    char *none = store_shell_share(MPI_COMM_WORLD, is_root(), NULL);
    ck_assert_str_eq(text, "from 0");
    ck_assert_str_eq(none, "");
    mem_free(text);
    mem_free(none);
}
END_TEST

// Rank 0's names are on every rank, in order, empty ones too; a line's end becomes a blank.
START_TEST(names_are_shared)
{
    char first[] = "feed", empty[] = "", split[] = "two\nlines";
    char *const mine[] = {first, empty, split};
    char *names[3] = {NULL}, *none[1] = {NULL};
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    store_shell_share_names(MPI_COMM_WORLD, rank == 0 ? mine : NULL, names, 3);
    store_shell_share_names(MPI_COMM_WORLD, rank == 0 ? mine : NULL, none, 0);
    char *lines = store_shell_lines(names, 3);
    ck_assert_str_eq(names[0], "feed");
    ck_assert_str_eq(names[1], "");
    ck_assert_str_eq(names[2], "two lines");
    ck_assert_ptr_null(none[0]);
    ck_assert_str_eq(lines, "feed\n\ntwo lines");
    mem_free(lines);
    for (int i = 0; i < 3; i++)
        mem_free(names[i]);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", has_a_kind},
                                       {"core", shares_text},
                                       {"core", names_are_shared},
                                       {"errors", leaves_nothing}};
    return suite_mpi_run(&argc, &argv, "store_shell", tests, sizeof tests / sizeof *tests);
}
