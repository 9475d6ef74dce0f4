// SPDX-License-Identifier: Apache-2.0
#include "runs/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/demand.h"
#include "base/mem.h"
#include "results/file/claim.h"
#include "study/doc.h"
#include "study/study_digest.h"

enum study_reading survey_reading(const struct survey_source *source, const struct doc *doc)
{
    const struct node *section = doc ? node_get(doc_root(doc), "capacity") : NULL;
    bool asked = section && !node_is_null(section);
    return source->plans == PLANS_ALWAYS || (source->plans == PLANS_ASKED && asked)
               ? STUDY_OPEN_AND_PLAN
               : STUDY_OPEN;
}

// The library, the text unless the source has it, and the grid.
static int read_source(struct survey *survey, struct err *err)
{
    struct survey_source *source = &survey->source;
    if (library_load_with(&survey->library, source->catalog, err) < 0)
        return -1;
    if (!source->text)
        source->text = doc_load_file(source->path, DOC_MAX_BYTES, &source->size, err);
    if (source->text)
        survey->grid = grid_parse(source->path, source->text, source->size, source->settings,
                                  source->n_settings, err);
    if (survey->grid)
        survey->doc = doc_parse(source->path, source->text, source->size, err);
    int rc = survey->doc ? 0 : -1;
    for (size_t i = 0; i < source->n_settings && rc == 0; i++)
        rc = doc_set(survey->doc, source->settings[i], err);
    survey->reading = survey_reading(source, survey->doc);
    return rc;
}

struct survey *survey_create(const struct survey_source *source, struct err *err)
{
    struct survey *survey = mem_calloc(1, sizeof *survey);
    survey->source = *source;
    if (read_source(survey, err) < 0) {
        survey_destroy(survey);
        return NULL;
    }
    survey->output = mem_strdup(source->output ? source->output : grid_output(survey->grid));
    survey->folder = pointdir_of(survey->output);
    survey->n_points = grid_n_points(survey->grid);
    survey->points = mem_calloc(survey->n_points, sizeof *survey->points);
    return survey;
}

void survey_destroy(struct survey *survey)
{
    if (!survey)
        return;
    library_release(&survey->library);
    mem_free(survey->source.text);
    grid_destroy(survey->grid);
    doc_destroy(survey->doc);
    mem_free(survey->output);
    mem_free(survey->folder);
    mem_free(survey->points);
    mem_free(survey);
}

static struct study *parse(const struct survey *survey, const char *const *settings, size_t n,
                           struct err *err)
{
    return study_of_doc(survey->source.path, survey->doc, settings, n, &survey->library,
                        survey->reading, err);
}

struct study *survey_whole(const struct survey *survey, struct err *err)
{
    return parse(survey, NULL, 0, err);
}

// "--set KEY=VALUE: " of what the sweep sets -> where in the file the value is.
static void locate_setting(const struct survey *survey, uint32_t point, struct err *err)
{
    static const char mark[] = "--set ";
    size_t n;
    const char *const *settings = grid_settings(survey->grid, point, &n);
    for (size_t i = 0; err && i < n && strncmp(err->text, mark, strlen(mark)) == 0; i++) {
        size_t len = strlen(settings[i]);
        char rest[ERR_TEXT_MAX];
        const char *at = err->text + strlen(mark);
        int line, column;
        if (strncmp(at, settings[i], len) != 0 || strncmp(at + len, ": ", 2) != 0 ||
            !grid_locate(survey->grid, point, settings[i], &line, &column))
            continue;
        snprintf(rest, sizeof rest, "%s", at + len + 2);
        err_set(err, ERR_STUDY, "%s:%d:%d: %s", survey->source.path, line, column, rest);
    }
}

void survey_locate(const struct survey *survey, struct err *err)
{
    const char *path = survey->source.path;
    size_t skip = strlen(path);
    if (strncmp(err->text, path, skip) != 0 || strncmp(err->text + skip, ": ", 2) != 0)
        return;
    const struct node *node = doc_find(survey->doc, err->text + skip + 2);
    char rest[ERR_TEXT_MAX];
    if (!node)
        return;
    memcpy(rest, err->text, sizeof rest);
    node_where(node, err->text, sizeof err->text);
    err_append(err, ": %s", rest + skip + 2);
}

// Replications differ in their draws, and a replayed trace draws none: where nothing else arrives,
// intervals from them would be those of the same hour again and again.
static int check_replications(const struct survey *survey, const struct study *study,
                              struct err *err)
{
    size_t n_replays = 0;
    for (size_t s = 0; s < study->n_services; s++)
        n_replays +=
            arrival_types[study->services[s].traffic.arrivals.process] == &arrival_replay ? 1 : 0;
    if (grid_n_replications(survey->grid) <= 1 || n_replays < study->n_services)
        return 0;
    return grid_fail_replications(survey->grid, err,
                                  "every service replays a trace, whose arrivals would be the same "
                                  "in every replication: expected 1, or an arrival process that "
                                  "draws");
}

struct study *survey_study(const struct survey *survey, uint32_t point, struct err *err)
{
    size_t n;
    const char *const *settings = grid_settings(survey->grid, point, &n);
    struct study *study = parse(survey, settings, n, err);
    if (!study)
        locate_setting(survey, point, err);
    if (!study || check_replications(survey, study, err) == 0)
        return study;
    study_destroy(study);
    return NULL;
}

int survey_blame(const struct survey *survey, uint32_t point, struct err *err)
{
    if (grid_n_axes(survey->grid) == 0)
        return -1;
    char *name = grid_name(survey->grid, point);
    locate_setting(survey, point, err);
    err_append(err, " (at %s)", name);
    mem_free(name);
    return -1;
}

static void look_at(struct survey *survey, uint32_t point)
{
    struct survey_point *facts = &survey->points[point];
    struct study *study = survey_study(survey, point, NULL);
    char note[ERR_TEXT_MAX];
    // It travels as bytes, gaps too, and is put together by OR with zeros (sweep_look).
    memset(facts, 0, sizeof *facts);
    facts->looked = 1;
    facts->state = POINTDIR_WRONG;
    if (!study)
        return;
    char *digest = study_digest(study);
    snprintf(facts->digest, sizeof facts->digest, "%s", digest);
    mem_free(digest);
    facts->seed = study->settings.seed;
    for (size_t g = 0; g < study->n_groups; g++)
        facts->n_servers += (uint64_t)study->groups[g].servers;
    facts->queries = demand_queries(study);
    facts->work_s = demand_wall_s(study);
    const struct pointdir_study ours = {study->settings.name, facts->digest};
    facts->state = (int32_t)pointdir_look(survey->folder, point, &ours, note, sizeof note);
    char *checkpoint = pointdir_checkpoint(survey->folder, point);
    facts->begun = claim_is_there(checkpoint);
    mem_free(checkpoint);
    study_destroy(study);
}

void survey_look(struct survey *survey, const bool *chosen, uint32_t first, uint32_t step)
{
    for (uint64_t p = first; p < survey->n_points; p += step)
        if (!chosen || chosen[p])
            look_at(survey, (uint32_t)p);
}

void survey_note(const struct survey *survey, uint32_t point, char *note, size_t size)
{
    const struct survey_point *facts = &survey->points[point];
    struct err err = {0};
    note[0] = '\0';
    if (facts->state == POINTDIR_MISSING || facts->state == POINTDIR_DONE)
        return;
    pointdir_reason(survey->folder, point, note, size); // of a wrong one: when it was tried
    if (*note && facts->state != POINTDIR_FOREIGN && facts->state != POINTDIR_EDITED)
        return;
    struct study *study = survey_study(survey, point, &err);
    if (study) {
        const struct pointdir_study ours = {study->settings.name, facts->digest};
        pointdir_look(survey->folder, point, &ours, note, size);
    } else {
        snprintf(note, size, "%s", err.text);
    }
    study_destroy(study);
}

int survey_refuse(const struct survey *survey, enum pointdir_state state, const bool *chosen,
                  struct err *err)
{
    uint32_t p = 0, n = survey->n_points;
    char note[ERR_TEXT_MAX / 2];
    while (p < n && ((chosen && !chosen[p]) || survey->points[p].state != (int32_t)state))
        p++;
    if (p == n)
        return 0;
    if (state == POINTDIR_WRONG) {
        struct study *study = survey_study(survey, p, err);
        if (!study)
            return survey_blame(survey, p, err);
        study_destroy(study);
        return err_set(err, ERR_FAIL, "point %u cannot be read on every rank", p);
    }
    survey_note(survey, p, note, sizeof note);
    return err_set(err, ERR_STUDY, "%s", note);
}

char *survey_name(const struct survey *survey, uint32_t point)
{
    if (grid_n_axes(survey->grid) == 0)
        return mem_strdup("the only point");
    char *labels = grid_name(survey->grid, point);
    char *name = mem_printf("point %u (%s)", point, labels);
    mem_free(labels);
    return name;
}

void survey_axes(const struct survey *survey, struct point_axes *axes)
{
    const struct grid *grid = survey->grid;
    for (uint32_t a = 0; a < axes->n_axes; a++) {
        uint32_t n = grid_n_labels(grid, a);
        const char **labels = mem_calloc(n, sizeof *labels);
        for (uint32_t i = 0; i < n; i++)
            labels[i] = grid_label(grid, a, i);
        point_axes_set(axes, a, grid_axis_name(grid, a), labels, n);
        for (uint32_t p = 0; p < axes->n_points; p++)
            axes->values[(size_t)p * axes->n_axes + a] = grid_value(grid, p, a);
        mem_free(labels);
    }
}

char *survey_written(const char *text, const char *const *settings, size_t n_settings)
{
    size_t n = strlen(text), size;
    char *all = NULL;
    FILE *out = open_memstream(&all, &size);
    fputs(text, out);
    if (n_settings > 0 && n > 0 && text[n - 1] != '\n')
        fputc('\n', out);
    for (size_t i = 0; i < n_settings; i++) {
        fputs("# --set ", out);
        for (const char *p = settings[i]; *p; p++)
            fputs(*p == '\n' ? "\n# " : (char[]){*p, '\0'}, out);
        fputc('\n', out);
    }
    fclose(out);
    char *written = mem_strdup(all);
    free(all);
    return written;
}
