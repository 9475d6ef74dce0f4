// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a study or one error line. What is a study must survive being written out
// and read back; no file is opened. What has a sweep is read at its first and last point, too.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/grid.h"
#include "study/library.h"
#include "study/mistakes.h"
#include "study/study.h"

// Texts longer than this find nothing that shorter ones do not.
#define LONGEST 8192

static struct library library;

static void release(void)
{
    library_release(&library);
}

static struct study *parse(const char *name, const char *text, size_t n, struct err *err)
{
    return study_parse(name, text, n, NULL, 0, &library, false, err);
}

static void round_trip(const struct study *study)
{
    struct err err = {0};
    char *text = study_format(study);
    struct study *back = parse("resolved", text, strlen(text), &err);
    if (!back)
        abort();
    char *again = study_format(back);
    if (strcmp(text, again) != 0)
        abort();
    mem_free(again);
    mem_free(text);
    study_destroy(back);
}

// An error is one line, and the study's.
static void check_error(const struct err *err)
{
    if (err->code != ERR_STUDY || !*err->text || strchr(err->text, '\n'))
        abort();
}

static void read_point(const struct grid *grid, uint32_t point, const char *text, size_t n)
{
    struct err err = {0};
    size_t n_settings;
    const char **settings = grid_point_settings(grid, point, NULL, 0, &n_settings);
    struct study *study =
        study_parse("point", text, n, settings, n_settings, &library, false, &err);
    if (study)
        round_trip(study);
    else
        check_error(&err);
    study_destroy(study);
    mem_free(settings);
    char *name = grid_name(grid, point);
    if (strchr(name, '\n'))
        abort();
    mem_free(name);
}

static void read_grid(const char *text, size_t n)
{
    struct err err = {0};
    struct grid *grid = grid_parse("grid", text, n, NULL, 0, &err);
    if (!grid)
        check_error(&err);
    else if (grid_n_axes(grid) > 0) {
        read_point(grid, 0, text, n);
        read_point(grid, grid_n_points(grid) - 1, text, n);
    }
    grid_destroy(grid);
}

// A study that is wrong has mistakes, one line each, and one that is right has none.
static void read_mistakes(const char *text, size_t n, bool good)
{
    struct mistakes mistakes = {0};
    study_mistakes("fuzz", text, n, NULL, 0, &library, false, &mistakes);
    if ((mistakes.n == 0) != good)
        abort();
    for (size_t i = 0; i < mistakes.n; i++)
        if (!*mistakes.v[i].text || strchr(mistakes.v[i].text, '\n'))
            abort();
    mistakes_release(&mistakes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    if (size > LONGEST)
        return 0;
    if (!library.n_models) {
        if (library_load(&library, &err) < 0)
            abort();
        atexit(release);
    }
    struct study *study = parse("fuzz", (const char *)data, size, &err);
    if (study)
        round_trip(study);
    else
        check_error(&err);
    read_mistakes((const char *)data, size, study != NULL);
    study_destroy(study);
    read_grid((const char *)data, size);
    return 0;
}
