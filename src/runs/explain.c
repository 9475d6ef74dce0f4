// SPDX-License-Identifier: Apache-2.0
#include "runs/explain.h"

#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/grid.h"
#include "study/study.h"

static enum study_reading reading_of(const struct survey_source *source)
{
    struct doc *doc = doc_parse(source->path, source->text, source->size, NULL);
    for (size_t i = 0; doc && i < source->n_settings; i++)
        doc_set(doc, source->settings[i], NULL);
    enum study_reading reading = survey_reading(source, doc);
    doc_destroy(doc);
    return reading;
}

// Without a sweep, or where it is wrong: then keys that its points would bring are not missed.
static void explain_whole(const struct survey_source *source, const struct library *library,
                          struct mistakes *all)
{
    struct mistakes found = {0};
    bool swept = all->n > 0;
    study_mistakes(source->path, source->text, source->size, source->settings, source->n_settings,
                   library, reading_of(source), &found);
    for (size_t i = 0; i < found.n; i++)
        if (!swept || !strstr(found.v[i].text, ": missing; "))
            mistakes_add(all, NULL, found.v[i].text);
    mistakes_release(&found);
}

// Points that are read without a new mistake before it is assumed that there is none: each takes a
// parser's time, and a sweep may have a million.
#define IN_VAIN 1000

// Replications of a point differ in the seed alone, so one of them is read.
static void explain_points(const struct survey *survey, struct mistakes *all)
{
    const struct survey_source *source = &survey->source;
    uint32_t n = survey->n_points / grid_n_replications(survey->grid);
    struct mistakes raw = {0}; // as they are said, without the first point that has them
    uint32_t last = 0;         // that had a new one
    for (uint32_t p = 0; p < n && p - last <= IN_VAIN && all->n < MISTAKES_MAX; p++) {
        struct mistakes found = {0};
        size_t n_settings;
        const char **settings =
            grid_point_settings(survey->grid, p, source->settings, source->n_settings, &n_settings);
        study_mistakes(source->path, source->text, source->size, settings, n_settings,
                       &survey->library, survey->reading, &found);
        for (size_t i = 0; i < found.n; i++) {
            size_t before = raw.n;
            struct err err;
            mistakes_add(&raw, NULL, found.v[i].text);
            if (raw.n == before)
                continue;
            last = p;
            err_set(&err, ERR_STUDY, "%s", found.v[i].text);
            survey_blame(survey, p, &err);
            mistakes_add(all, NULL, err.text);
        }
        mistakes_release(&found);
        mem_free(settings);
    }
    mistakes_release(&raw);
}

static bool has(const struct mistakes *mistakes, const struct err *err)
{
    for (size_t i = 0; i < mistakes->n; i++)
        if (strncmp(mistakes->v[i].text, err->text, strlen(mistakes->v[i].text)) == 0)
            return true;
    return false;
}

void explain_study(const struct survey_source *source, struct err *err, struct mistakes *mistakes)
{
    struct survey_source ours = *source, copy;
    struct library library;
    ours.text = doc_load_file(ours.path, DOC_MAX_BYTES, &ours.size, NULL);
    if (!ours.text)
        return;
    copy = ours;
    copy.text = mem_alloc(ours.size + 1); // a file that is no study may hold NUL bytes
    memcpy(copy.text, ours.text, ours.size + 1);
    struct survey *survey = survey_create(&copy, NULL);
    if (!survey)
        grid_mistakes(ours.path, ours.text, ours.size, ours.settings, ours.n_settings, mistakes);
    if (survey && grid_n_axes(survey->grid) > 0) {
        explain_points(survey, mistakes);
    } else if (library_load_with(&library, source->catalog, NULL) == 0) {
        explain_whole(&ours, &library, mistakes);
        library_release(&library);
    }
    if (survey)
        survey_locate(survey, err);
    mistakes_sort(mistakes);
    if (!has(mistakes, err))
        mistakes_release(mistakes);
    survey_destroy(survey);
    mem_free(ours.text);
}
