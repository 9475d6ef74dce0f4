// SPDX-License-Identifier: Apache-2.0
#include "capacity/capacity_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/memo.h"
#include "capacity/sample_fixture.h"
#include "base/mem.h"
#include "support/suite_mpi.h"

struct eval capacity_fixture_eval(void)
{
    return (struct eval){
        .comm = MPI_COMM_WORLD, .rank = suite_mpi_rank(), .n_ranks = suite_mpi_size()};
}

void capacity_fixture_open(struct capacity_fixture *f, const char *text, struct memo *memo)
{
    memset(f, 0, sizeof *f);
    f->eval = capacity_fixture_eval();
    f->search.written = mem_strdup(text);
    f->search.study = sample_fixture_parse(text);
    f->context =
        (struct capacity_context){.eval = &f->eval, .study = f->search.study, .memo = memo};
    f->context.answer = capacity_search_frame(&f->search);
    capacity_context_open(&f->context);
}

void capacity_fixture_close(struct capacity_fixture *f)
{
    capacity_context_close(&f->context);
    capacity_result_destroy(f->context.answer);
    capacity_search_release(&f->search);
}

struct memo *capacity_fixture_memo(char *path)
{
    const unsigned char digest[16] = {1};
    struct err err = {0};
    snprintf(path, 64, "/tmp/recfleet-capacity-XXXXXX");
    if (suite_mpi_rank() == 0) {
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        close(fd);
        unlink(path);
    }
    MPI_Bcast(path, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
    const struct memo_file_config config = {.path = path, .digest = digest};
    struct memo *memo = memo_open(MPI_COMM_WORLD, &config, &err);
    ck_assert_msg(memo != NULL, "%s", err.text);
    return memo;
}
