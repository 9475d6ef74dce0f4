// SPDX-License-Identifier: Apache-2.0
#include "runs/sweep_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/sweep.h"
#include "base/mem.h"
#include "support/suite.h"

static const char *const text =
    "name: tiny\n"
    "duration: 1s\n"
    "warmup: 0s\n"
    "bins: 10\n"
    "replications: 2\n"
    "sweep: [{axis: rate, key: \"traffic[0].rate\", values: [500qps, 4000qps, 1000qps]}]\n"
    "traffic: [{service: a, rate: 1qps}]\n"
    "fleet: {groups: [{cores: 8, servers: 4, cost: {kind: synthetic, per_item: 1us}}]}\n";

void sweep_fixture_begin(struct sweep_fixture *fixture, const struct eval *eval)
{
    *fixture = (struct sweep_fixture){.eval = eval};
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/recfleet-sweep-XXXXXX");
    if (eval->rank == 0 && !mkdtemp(fixture->folder))
        abort();
    MPI_Bcast(fixture->folder, (int)sizeof fixture->folder, MPI_CHAR, 0, eval->comm);
}

// Folders in it are those of points: one level deep.
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

void sweep_fixture_end(struct sweep_fixture *fixture)
{
    MPI_Barrier(fixture->eval->comm);
    if (fixture->eval->rank == 0)
        remove_all(fixture->folder, 1);
}

void sweep_fixture_open(struct sweep_fixture *fixture, const char *name, const char *setting)
{
    struct err err = {0};
    ck_assert_int_eq(library_load(&fixture->library, &err), 0);
    fixture->output = mem_printf("%s/%s.h5", fixture->folder, name);
    fixture->settings[0] = setting;
    const struct survey_source source = {
        "s.yaml",          text,           strlen(text), fixture->settings, setting != NULL,
        &fixture->library, fixture->output};
    fixture->survey = survey_create(&source, &err);
    ck_assert_msg(fixture->survey != NULL, "%s", err.text);
    MPI_Barrier(fixture->eval->comm);
}

void sweep_fixture_close(struct sweep_fixture *fixture)
{
    survey_destroy(fixture->survey);
    library_release(&fixture->library);
    mem_free(fixture->output);
    MPI_Barrier(fixture->eval->comm);
}

uint32_t sweep_fixture_run(struct sweep_fixture *fixture)
{
    uint32_t n = survey_n_points(fixture->survey);
    bool *todo = mem_calloc(n, sizeof *todo);
    const struct sweep_options options = {todo, NULL, "test"};
    struct sweep_outcome outcome;
    struct err err = {0};
    ck_assert_int_eq(sweep_look(fixture->eval, fixture->survey, NULL, &err), 0);
    ck_assert_int_eq(pointdir_make(survey_folder(fixture->survey), ERR_FAIL, &err), 0);
    for (uint32_t p = 0; p < n; p++)
        todo[p] = survey_facts(fixture->survey)[p].state != POINTDIR_DONE;
    int rc = sweep_run(fixture->eval, fixture->survey, &options, &outcome, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    uint32_t n_failed = outcome.n_failed;
    sweep_release(&outcome);
    mem_free(todo);
    return n_failed;
}

char *sweep_fixture_point(const struct sweep_fixture *fixture, uint32_t point)
{
    return pointdir_file(survey_folder(fixture->survey), point);
}
