// SPDX-License-Identifier: Apache-2.0
#include "app/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

// A process that no launcher has started is a job of one, and needs neither the daemon that Open
// MPI forks to speak with other processes nor a search for networks: together a third of a short
// run's time. Other MPI libraries take no notice of these variables, and what the user has set
// stays. Whatever looks like a launcher (mpirun of Open MPI or MPICH, PRRTE, srun) is left alone.
// No shared memory (vader, sm) either: processes that start so have one name, also that of its
// file.
static void start_alone(void)
{
    const char *const launchers[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",     "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE",
        "PRTE_LAUNCHED",        "SLURM_STEP_ID", "MPI_LOCALRANKID"};
    const char *const variables[][2] = {{"OMPI_MCA_ess_singleton_isolated", "1"},
                                        {"OMPI_MCA_pml", "ob1"},
                                        {"OMPI_MCA_btl", "self"}};
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i]))
            return;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i][0], variables[i][1], 0);
}

int job_run(struct cmd_line *line, job_fn work, struct err *err)
{
    struct eval eval;
    start_alone();
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
