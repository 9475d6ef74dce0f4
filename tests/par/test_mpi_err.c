// SPDX-License-Identifier: Apache-2.0
#include "par/mpi_err.h"

#include <string.h>

#include "support/suite_mpi.h"

// Success is no error, and the error value is left as it was.
START_TEST(all_well)
{
    struct err err = {ERR_STUDY, "before"};
    ck_assert_int_eq(mpi_err_check(MPI_SUCCESS, "do it", &err), 0);
    ck_assert_str_eq(err.text, "before");
}
END_TEST

// A call that really fails: the line says what it was for, and the reason in MPI's own words.
START_TEST(reason_of_mpi)
{
    struct err err = {0};
    char reason[MPI_MAX_ERROR_STRING];
    int length, n = 0;
    MPI_Comm comm;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    int code = MPI_Bcast(&n, 1, MPI_INT, suite_mpi_size() + 7, comm); // no such root
    MPI_Comm_free(&comm);
    ck_assert_int_ne(code, MPI_SUCCESS);
    ck_assert_int_eq(mpi_err_check(code, "share it", &err), -1);
    MPI_Error_string(code, reason, &length);
    ck_assert_int_eq(err.code, ERR_FAIL);
    ck_assert_ptr_eq(strstr(err.text, "MPI could not share it: "), err.text);
    ck_assert_ptr_nonnull(strstr(err.text, reason));
}
END_TEST

// Nobody wants the text: still a failure.
START_TEST(without_text)
{
    ck_assert_int_eq(mpi_err_check(MPI_ERR_OTHER, "do it", NULL), -1);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", all_well}, {"core", reason_of_mpi}, {"errors", without_text}};
    return suite_mpi_run(&argc, &argv, "mpi_err", tests, sizeof tests / sizeof *tests);
}
