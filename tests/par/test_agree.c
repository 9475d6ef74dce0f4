// SPDX-License-Identifier: Apache-2.0
#include "par/agree.h"

#include "support/suite_mpi.h"

static int last_rank(void)
{
    int n;
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    return n - 1;
}

// All well everywhere: 0, and the error value is left as it was.
START_TEST(all_well)
{
    struct err err = {ERR_STUDY, "before"};
    int rc = err_agree(MPI_COMM_WORLD, 0, &err);
    ck_assert_int_eq(rc, 0);
    ck_assert_str_eq(err.text, "before");
}
END_TEST

// One rank fails: all fail with its code and text.
START_TEST(one_fails)
{
    struct err err = {0};
    int rc = 0;
    if (suite_mpi_rank() == last_rank())
        rc = err_set(&err, ERR_STUDY, "rank %d: no", suite_mpi_rank());
    rc = err_agree(MPI_COMM_WORLD, rc, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_int_eq(err.text[5], '0' + last_rank());
}
END_TEST

// All fail: the lowest rank speaks.
START_TEST(all_fail)
{
    struct err err = {0};
    int rc = err_set(&err, ERR_FAIL, "rank %d", suite_mpi_rank());
    rc = err_agree(MPI_COMM_WORLD, rc, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_str_eq(err.text, "rank 0");
}
END_TEST

// Nobody wants the text, or the failing rank has none: still a failure, with a code.
START_TEST(without_text)
{
    struct err err = {0};
    int rc = err_agree(MPI_COMM_WORLD, suite_mpi_rank() == 0, NULL);
    ck_assert_int_eq(rc, -1);
    rc = err_agree(MPI_COMM_WORLD, suite_mpi_rank() == 0 ? 7 : 0, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_FAIL);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", all_well}, {"core", one_fails}, {"core", all_fail}, {"errors", without_text}};
    return suite_mpi_run(&argc, &argv, "agree", tests, sizeof tests / sizeof *tests);
}
