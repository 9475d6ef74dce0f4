// SPDX-License-Identifier: Apache-2.0
#include "app/ask_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/memo.h"
#include "app/slice_fixture.h"
#include "base/mem.h"
#include "support/suite_mpi.h"

struct eval ask_fixture_eval(void)
{
    return (struct eval){
        .comm = MPI_COMM_WORLD, .rank = suite_mpi_rank(), .n_ranks = suite_mpi_size()};
}

void ask_fixture_open(struct ask_fixture *f, const char *text, struct memo *memo)
{
    memset(f, 0, sizeof *f);
    f->eval = ask_fixture_eval();
    f->inquiry.written = mem_strdup(text);
    f->inquiry.study = slice_fixture_parse(text);
    f->ask = (struct ask){.eval = &f->eval, .study = f->inquiry.study, .memo = memo};
    f->ask.staffing = inquiry_frame(&f->inquiry);
    f->ask.bench = slice_bench_create(f->eval.comm, memo);
    f->ask.choices = mem_calloc((size_t)f->ask.staffing->n_schedulers * f->inquiry.study->n_groups *
                                    f->inquiry.study->n_services,
                                sizeof *f->ask.choices);
}

void ask_fixture_close(struct ask_fixture *f)
{
    slice_bench_destroy(f->ask.bench);
    staffing_destroy(f->ask.staffing);
    mem_free(f->ask.choices);
    inquiry_release(&f->inquiry);
}

struct memo *ask_fixture_memo(char *path)
{
    const unsigned char digest[16] = {1};
    struct err err = {0};
    snprintf(path, 64, "/tmp/recfleet-ask-XXXXXX");
    if (suite_mpi_rank() == 0) {
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        close(fd);
        unlink(path);
    }
    MPI_Bcast(path, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
    const struct memo_config config = {.path = path, .digest = digest};
    struct memo *memo = memo_open(MPI_COMM_WORLD, &config, &err);
    ck_assert_msg(memo != NULL, "%s", err.text);
    return memo;
}
