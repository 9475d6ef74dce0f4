// SPDX-License-Identifier: Apache-2.0
#include "app/job.h"

#include <stdio.h>

#include "base/log.h"

int job_run(struct cmd_line *line, job_fn work, struct err *err)
{
    struct eval eval;
    if (eval_open(&eval, err) < 0)
        return -1;
    log_init(LOG_INFO, eval.rank);
    int rc = work(line, &eval, err);
    if (rc < 0 && eval.rank == 0)
        cmd_fail(err);
    line->silent = rc < 0;
    fflush(NULL);
    MPI_Barrier(eval.comm);
    eval_close(&eval);
    return rc;
}
