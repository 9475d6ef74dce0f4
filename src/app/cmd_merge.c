// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"
#include "app/job.h"
#include "runs/merge.h"
#include "runs/sweep.h"
#include "base/mem.h"
#include "results/report/report_sweep.h"

// Points that are named one by one.
#define MOST_NAMED 20

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; its points are in a folder next to it"},
    {"--set", 's', "KEY=VALUE", "as for recfleet sweep"},
    CMD_CATALOG,
    {"--force", 'f', NULL, "replace a results file that is not of this sweep, or has more in it"},
    {"--quiet", 'q', NULL, "no table"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// Names what is not there, on stderr.
static void name_holes(const struct survey *survey, const struct sweep_result *points,
                       uint32_t n_holes)
{
    uint32_t n_named = 0;
    for (uint32_t p = 0; p < points->n_points && n_named < MOST_NAMED; p++) {
        const struct sweep_point *point = &points->points[p];
        if (point->state == SWEEP_DONE)
            continue;
        char *name = survey_name(survey, p);
        fprintf(stderr, "recfleet: %s: %s%s%s\n", name, sweep_result_state_names[point->state],
                *point->note ? ": " : "", point->note);
        mem_free(name);
        n_named++;
    }
    if (n_holes > n_named)
        fprintf(stderr, "recfleet: and %u more points, see recfleet sweep --list\n",
                n_holes - n_named);
}

// Rank 0 alone.
static int merge(struct cmd_line *line, struct survey *survey, struct err *err)
{
    struct sweep_result *points = merge_read(survey);
    uint32_t n_holes = points->n_points - sweep_result_count(points, SWEEP_DONE);
    int rc = n_holes == points->n_points
                 ? err_set(err, ERR_STUDY, "%s: no point of this sweep is done", survey->folder)
                 : merge_write(survey, points, cmd_given(line, "--force"), err);
    if (rc == 0 && !cmd_given(line, "--quiet")) {
        struct report_out out = cmd_report_out(line);
        report_sweep_print(&out, points);
        report_text(&out, "results: %s\n", survey->output);
        report_end(&out);
    }
    if (rc == 0 && n_holes > 0) {
        name_holes(survey, points, n_holes);
        line->status = CMD_INCOMPLETE;
    }
    sweep_result_destroy(points);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct eval eval;
    if (job_open(&eval, err) < 0)
        return -1;
    struct survey *survey = eval_read_survey(&eval, &source, err);
    int rc = survey ? sweep_look(&eval, survey, NULL, err) : -1;
    if (rc == 0)
        rc = eval_agree(&eval, eval.rank == 0 ? merge(line, survey, err) : 0, err);
    survey_destroy(survey);
    return job_close(line, &eval, rc, err);
}

const struct cmd cmd_merge = {
    .name = "merge",
    .help = "put the points of a sweep into one file",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Reads the results files that the points of the study's sweep have left in the folder "
        "FILE.points, in whatever order and by however many jobs, and writes one file with the "
        "points as a dimension; prints a table. Points that are missing or have failed are named "
        "and left empty. It may be called again as more points are done: the file is replaced "
        "when nothing that it holds is lost. Give the same --set and --output as for the sweep.",
    .example = "recfleet merge slurm/studies/20-sweep.yaml -o sweep.h5",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_INCOMPLETE,
    .run = run,
};
