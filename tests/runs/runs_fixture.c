// SPDX-License-Identifier: Apache-2.0
#include "runs/runs_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "runs/checkpointing.h"

static struct eval eval; // of this process
static char top[] = "/tmp/recfleet-runs-XXXXXX";

static void remove_all(const char *folder, int levels)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *path = mem_printf("%s/%s", folder, entry->d_name);
        if (unlink(path) != 0 && levels > 0)
            remove_all(path, levels - 1);
        mem_free(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

int runs_fixture_main(const char *name, const struct suite_test *tests, size_t n)
{
    checkpointing_block_signals();
    if (eval_open(&eval, NULL) < 0)
        return 1;
    int bad = eval.rank == 0 && !mkdtemp(top), failed = 0;
    MPI_Bcast(&bad, 1, MPI_INT, 0, eval.comm);
    MPI_Bcast(top, sizeof top, MPI_CHAR, 0, eval.comm);
    if (!bad)
        bad = suite_failures(name, tests, n, CK_NOFORK, CK_NORMAL);
    MPI_Allreduce(&bad, &failed, 1, MPI_INT, MPI_MAX, eval.comm);
    if (eval.rank == 0)
        remove_all(top, 1);
    eval_close(&eval);
    return failed != 0;
}

const struct eval *runs_fixture_eval(void)
{
    return &eval;
}

const char *runs_fixture_folder(void)
{
    return top;
}

char *runs_fixture_path(const char *name)
{
    return mem_printf("%s/%s", top, name);
}

char *runs_fixture_put(const char *name, const char *content)
{
    char *path = runs_fixture_path(name);
    if (eval.rank == 0) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(content, file);
        fclose(file);
    }
    MPI_Barrier(eval.comm);
    return path;
}

struct study *runs_fixture_study(const char *text, const char *setting)
{
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study =
        study_parse("s.yaml", text, strlen(text), &setting, setting != NULL, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    library_release(&library);
    return study;
}
