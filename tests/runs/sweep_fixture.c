// SPDX-License-Identifier: Apache-2.0
#include "runs/sweep_fixture.h"

#include <string.h>

#include "runs/runs_fixture.h"
#include "runs/sweep.h"
#include "base/mem.h"

static const char *const text =
    "name: tiny\n"
    "duration: 1s\n"
    "warmup: 0s\n"
    "bins: 10\n"
    "replications: 2\n"
    "sweep: [{axis: rate, key: \"traffic[0].rate\", values: [500qps, 4000qps, 1000qps]}]\n"
    "traffic: [{service: a, rate: 1qps}]\n"
    "fleet: {groups: [{cores: 8, servers: 4, cost: {kind: synthetic, per_item: 1us}}]}\n";

void sweep_fixture_open(struct sweep_fixture *fixture, const char *name, const char *setting)
{
    struct err err = {0};
    fixture->output = mem_printf("%s/%s.h5", runs_fixture_folder(), name);
    fixture->settings[0] = setting;
    const struct survey_source source = {.path = "s.yaml",
                                         .text = mem_strdup(text),
                                         .size = strlen(text),
                                         .settings = fixture->settings,
                                         .n_settings = setting != NULL,
                                         .output = fixture->output};
    fixture->survey = survey_create(&source, &err);
    ck_assert_msg(fixture->survey != NULL, "%s", err.text);
    MPI_Barrier(runs_fixture_eval()->comm);
}

void sweep_fixture_close(struct sweep_fixture *fixture)
{
    survey_destroy(fixture->survey);
    mem_free(fixture->output);
    MPI_Barrier(runs_fixture_eval()->comm);
}

uint32_t sweep_fixture_run(struct sweep_fixture *fixture)
{
    uint32_t n = fixture->survey->n_points;
    bool *todo = mem_calloc(n, sizeof *todo);
    const struct sweep_options options = {.todo = todo, .command = "test"};
    struct sweep_outcome outcome;
    struct err err = {0};
    ck_assert_int_eq(sweep_look(runs_fixture_eval(), fixture->survey, NULL, &err), 0);
    ck_assert_int_eq(pointdir_make(fixture->survey->folder, ERR_FAIL, &err), 0);
    for (uint32_t p = 0; p < n; p++)
        todo[p] = fixture->survey->points[p].state != POINTDIR_DONE;
    int rc = sweep_run(runs_fixture_eval(), fixture->survey, &options, &outcome, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    uint32_t n_failed = outcome.n_failed;
    sweep_release(&outcome);
    mem_free(todo);
    return n_failed;
}

char *sweep_fixture_point(const struct sweep_fixture *fixture, uint32_t point)
{
    return pointdir_file(fixture->survey->folder, point);
}
