// SPDX-License-Identifier: Apache-2.0
#include "runs/merge.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/run_result.h"
#include "results/file/sweep_file.h"
#include "results/file/durable.h"
#include "results/file/dataset_write.h"

// ---- may it be replaced? ------------------------------------------------------------------------

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

// Is the file that of a sweep with these points, or of one with fewer replications? Those turn
// slowest, so its points are the first of these.
static bool same_grid(const struct sweep_result *old, const struct grid *grid)
{
    uint32_t n_own = grid_n_axes(grid) - (grid_n_replications(grid) > 1);
    uint32_t n_old = old->n_axes - (old->replication >= 0);
    bool same = same_text(old->study_name, grid_study_name(grid)) && n_old == n_own &&
                old->n_points <= grid_n_points(grid) &&
                (old->replication < 0 || (uint32_t)old->replication == n_own);
    for (uint32_t a = 0; same && a < n_own; a++) {
        const struct point_axis *axis = &old->axes[a];
        same = same_text(axis->name, grid_axis_name(grid, a)) &&
               axis->n_labels == grid_n_labels(grid, a);
        for (uint32_t i = 0; same && i < axis->n_labels; i++)
            same = same_text(axis->labels[i], grid_label(grid, a, i));
    }
    return same;
}

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

// Two runs of one study agree in all of this to the bit, but for what another version of the
// program changed.
static bool same_results(const struct sweep_result *a, const struct sweep_result *b, uint32_t point)
{
    const struct sweep_point *p = &a->points[point], *q = &b->points[point];
    const struct summary_service *s = &a->totals[point], *t = &b->totals[point];
    const struct summary_fleet *f = &a->fleets[point], *g = &b->fleets[point];
    return same_text(p->study_digest, q->study_digest) && p->random_seed == q->random_seed &&
           p->traffic_fingerprint == q->traffic_fingerprint && p->n_servers == q->n_servers &&
           same_text(p->policy_name, q->policy_name) && same_number(p->duration_s, q->duration_s) &&
           s->n_queries == t->n_queries && s->n_requests == t->n_requests &&
           s->n_items == t->n_items &&
           same_number(s->latency_mean_s.value, t->latency_mean_s.value) &&
           same_number(s->latency_sd_s, t->latency_sd_s) && f->verdict == g->verdict &&
           same_number(f->energy_j, g->energy_j);
}

// The sweep's file that is at the place of the new one; *old NULL when there is none.
static int open_old(const struct survey *survey, bool force, struct sweep_result **old,
                    struct err *err)
{
    const char *path = survey->output;
    *old = NULL;
    if (durable_same(path, survey->source.path))
        return err_set(err, ERR_STUDY, "output %s: is the study itself", path);
    if (force || access(path, F_OK) != 0)
        return 0; // nothing to be lost, or nobody minds
    *old = sweep_file_read(path, NULL);
    if (*old && same_grid(*old, survey->grid))
        return 0;
    sweep_result_destroy(*old);
    *old = NULL;
    return err_set(err, ERR_STUDY,
                   "output %s: exists and is not of this sweep; --force overwrites it", path);
}

// Names the first point with other results than before, or without any.
static int refuse_loss(const struct survey *survey, uint32_t point, struct err *err)
{
    char *name = survey_name(survey, point);
    err_set(err, ERR_STUDY,
            "output %s: exists and has results of %s that would be lost; --force overwrites it",
            survey->output, name);
    mem_free(name);
    return -1;
}

int merge_check(struct survey *survey, bool force, struct err *err)
{
    struct sweep_result *old;
    int rc = 0;
    if (dataset_write_check(survey->output, true, err) < 0 ||
        open_old(survey, force, &old, err) < 0)
        return -1;
    for (uint32_t p = 0; old && rc == 0 && p < old->n_points; p++) {
        const struct survey_point *facts = &survey->points[p];
        bool same = facts->state != POINTDIR_EDITED &&
                    strcmp(facts->digest, old->points[p].study_digest) == 0;
        if (old->points[p].state == SWEEP_DONE && !same)
            rc = refuse_loss(survey, p, err);
    }
    sweep_result_destroy(old);
    return rc;
}

int merge_write(const struct survey *survey, const struct sweep_result *points, bool force,
                struct err *err)
{
    struct sweep_result *old;
    int rc = open_old(survey, force, &old, err);
    for (uint32_t p = 0; old && rc == 0 && p < old->n_points; p++)
        if (old->points[p].state == SWEEP_DONE &&
            (points->points[p].state != SWEEP_DONE || !same_results(old, points, p)))
            rc = refuse_loss(survey, p, err);
    sweep_result_destroy(old);
    return rc == 0 ? sweep_file_write(survey->output, true, points, err) : -1;
}

// ---- reading ------------------------------------------------------------------------------------

static void read_point(struct survey *survey, struct sweep_result *points, uint32_t point)
{
    // How a point stands in the file.
    static const enum sweep_state states[] = {
        [POINTDIR_MISSING] = SWEEP_MISSING, [POINTDIR_DONE] = SWEEP_DONE,
        [POINTDIR_FAILED] = SWEEP_FAILED,   [POINTDIR_EDITED] = SWEEP_FOREIGN,
        [POINTDIR_FOREIGN] = SWEEP_FOREIGN, [POINTDIR_WRONG] = SWEEP_FAILED};
    struct survey_point *facts = &survey->points[point];
    char note[ERR_TEXT_MAX] = "";
    sweep_result_set_seed(points, point, facts->seed);
    if (facts->state == POINTDIR_DONE) {
        char *path = pointdir_file(survey->folder, point);
        struct err err = {0};
        struct run_result *run = run_result_read(path, DATASET_ALL, &err);
        mem_free(path);
        if (run) {
            sweep_result_take(points, point, run);
            run_result_destroy(run);
            return;
        }
        facts->state = POINTDIR_FOREIGN;
        memcpy(note, err.text, sizeof note);
    } else {
        survey_note(survey, point, note, sizeof note);
    }
    sweep_result_set_state(points, point, states[facts->state], note);
}

struct sweep_result *merge_read(struct survey *survey)
{
    const struct survey_source *source = &survey->source;
    const struct grid *grid = survey->grid;
    struct sweep_result *points = sweep_result_create(grid_n_axes(grid), grid_n_points(grid));
    points->study_name = mem_strdup(grid_study_name(grid));
    points->program_version = mem_strdup(RECFLEET_VERSION);
    points->study_text = survey_written(source->text, source->settings, source->n_settings);
    survey_axes(survey, &points->grid);
    if (grid_n_replications(grid) > 1)
        points->replication = (int)points->n_axes - 1;
    for (uint32_t p = 0; p < points->n_points; p++)
        read_point(survey, points, p);
    return points;
}
