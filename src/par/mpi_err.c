// SPDX-License-Identifier: Apache-2.0
#include "par/mpi_err.h"

int mpi_err_check(int code, const char *what, struct err *err)
{
    char reason[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == MPI_SUCCESS)
        return 0;
    // A library may have no text for a code of its own; the number is then all there is.
    if (MPI_Error_string(code, reason, &length) != MPI_SUCCESS || length == 0)
        return err_set(err, ERR_FAIL, "MPI could not %s: error %d", what, code);
    return err_set(err, ERR_FAIL, "MPI could not %s: %.200s", what, reason);
}
