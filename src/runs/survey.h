// SPDX-License-Identifier: Apache-2.0
// survey: a study with all its points, and what is known of each before anything is simulated.
//
// For `recfleet sweep`, `merge` and `check`. It holds the text, the grid and a line of facts per
// point, about 100 bytes; a point's study is read when it is needed and dropped again, so a sweep
// of a hundred thousand points costs megabytes. No MPI: several processes may look at every n-th
// point each and put their facts together, which are plain bytes and zero where nobody has looked.
//
//     struct survey *survey = survey_create(&source, &err);
//     survey_look(survey, NULL, 0, 1);
//     for (uint32_t p = 0; p < survey->n_points; p++)
//         if (survey->points[p].state != POINTDIR_DONE) ...
//     survey_destroy(survey);
#ifndef RUNS_SURVEY_H
#define RUNS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runs/pointdir.h"
#include "base/err.h"
#include "results/file/point_axes.h"
#include "study/grid.h"
#include "study/library.h"
#include "study/study.h"

// When studies are read as plans, STUDY_OPEN_AND_PLAN: never; where they have a section `capacity`;
// always.
enum survey_plans { PLANS_NEVER, PLANS_ASKED, PLANS_ALWAYS };

// Where a study comes from; borrowed until survey_destroy(), but for the text.
struct survey_source {
    const char *path;
    char *text; // of that file, `size` bytes, which the survey takes over; NULL: it is read
    size_t size;
    const char *const *settings; // [n_settings], of the command line
    size_t n_settings;
    const char *output;  // where the results go in place of what the study says; NULL: as it says
    int plans;           // enum survey_plans
    const char *catalog; // folder of things that the study may name (library.h); NULL: none
};

struct survey_point {
    uint32_t looked; // 0: all else is zero
    int32_t state;   // enum pointdir_state
    int32_t begun;   // 1: its checkpoint is claimed; by who does it now, or was killed in it
    uint64_t seed;
    uint64_t n_servers;
    double queries; // expected
    double work_s;  // rough seconds of one core
    char digest[40];
};

// To be read by all; what changes is the facts.
struct survey {
    struct survey_source source; // its text filled in
    struct library library;      // of all its studies
    struct grid *grid;
    struct doc *doc; // of the text, with what the command line sets; points set more
    enum study_reading reading;
    char *output, *folder; // where the results go, and the files of the points
    uint32_t n_points;
    struct survey_point *points; // [n_points]
};

// Reads the grid, and before that the library and what the source leaves to it; no point has been
// looked at. NULL on error, when the text is released, too.
struct survey *survey_create(const struct survey_source *source, struct err *err);
void survey_destroy(struct survey *survey); // NULL: no effect

// How its studies are read, by their document (NULL: not known).
enum study_reading survey_reading(const struct survey_source *source, const struct doc *doc);

// The study without its sweep, and a point as a study. Caller study_destroy()s.
struct study *survey_whole(const struct survey *survey, struct err *err);
struct study *survey_study(const struct survey *survey, uint32_t point, struct err *err);
// Puts the point's labels behind the error in *err, and in front of it where in the file the value
// is that the point sets; returns -1.
int survey_blame(const struct survey *survey, uint32_t point, struct err *err);
// "s.yaml: tune.queries: too few" -> "s.yaml:7:12: tune.queries: too few"; of a key that is not
// there, what would hold it. An error of another form stays as it is.
void survey_locate(const struct survey *survey, struct err *err);

// Fills in the facts of points first, first + step, ... that are `chosen` (NULL: all). A point
// whose study cannot be read is POINTDIR_WRONG, which is no error here.
void survey_look(struct survey *survey, const bool *chosen, uint32_t first, uint32_t step);
// The first point, of those that are `chosen` (NULL: all), in the state POINTDIR_WRONG or
// POINTDIR_FOREIGN is an error that says why.
int survey_refuse(const struct survey *survey, enum pointdir_state state, const bool *chosen,
                  struct err *err);
// Of one point, why it is not done, in note[size]; "" when it is missing or done.
void survey_note(const struct survey *survey, uint32_t point, char *note, size_t size);

// "point 7 (policy=random,rate=high)"; caller mem_free()s.
char *survey_name(const struct survey *survey, uint32_t point);

// Names, labels and values of the grid's axes into those of a file's points, as many of each.
void survey_axes(const struct survey *survey, struct point_axes *axes);

// The text of a study file; what the command line changed stands at its end as comments, for
// whoever repeats it. Caller mem_free()s.
char *survey_written(const char *text, const char *const *settings, size_t n_settings);

#endif
