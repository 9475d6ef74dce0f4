// SPDX-License-Identifier: Apache-2.0
#include "app/load_sides.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/sched.h"
#include "results/file/capacity_result.h"
#include "results/file/dataset_read.h"
#include "results/file/run_result.h"
#include "results/file/sweep_file.h"
#include "results/file/tuning_result.h"
#include "runs/pointdir.h"

// ---- a kind of file each

static int load_run(struct load_sides *to, const char *path, struct err *err)
{
    struct run_result *run = run_result_read(path, DATASET_WHOLE, err);
    if (!run)
        return -1;
    compare_side_add_run(&to->sides, run);
    to->runs = mem_realloc(to->runs, to->n_runs + 1, sizeof *to->runs);
    to->runs[to->n_runs++] = run;
    return 0;
}

// The sides were added in the order of the points that are done. A file that is not the point's, or
// cannot be read, is no matter: the sweep has its numbers.
static void take_points(struct load_sides *to, size_t first, const char *path,
                        const struct sweep_result *points)
{
    char *folder = pointdir_of(path);
    for (uint32_t i = 0; i < points->n_points && points->replication < 0; i++) {
        struct err ignored = {0};
        if (points->points[i].state != SWEEP_DONE)
            continue;
        char *file = pointdir_file(folder, i);
        struct run_result *run =
            access(file, R_OK) == 0 ? run_result_read(file, DATASET_WHOLE, &ignored) : NULL;
        if (run && run->meta->study_digest && points->points[i].study_digest &&
            strcmp(run->meta->study_digest, points->points[i].study_digest) == 0)
            compare_side_take_run(&to->sides.list[first], run);
        run_result_destroy(run);
        mem_free(file);
        first++;
    }
    mem_free(folder);
}

static int load_sweep(struct load_sides *to, const char *path, struct err *err)
{
    struct sweep_result *points = sweep_file_read(path, err);
    size_t first = to->sides.n;
    if (!points)
        return -1;
    compare_side_add_sweep(&to->sides, path, points);
    take_points(to, first, path, points);
    sweep_result_destroy(points);
    return 0;
}

static int load_capacity(struct load_sides *to, const char *path, struct err *err)
{
    struct capacity_result *answer = capacity_result_read(path, err);
    if (!answer)
        return -1;
    compare_side_add_capacity(&to->sides, path, answer);
    capacity_result_destroy(answer);
    return 0;
}

// Which settings a search varied is known to the schedulers alone.
static int load_tuning(struct load_sides *to, const char *path, struct err *err)
{
    struct chosen chosen = {0};
    for (const struct sched_type *const *type = sched_types; *type; type++)
        if (chosen_add(&chosen, (*type)->axes, (*type)->fields, err) < 0)
            return -1;
    struct tuning_result *tuning = tuning_result_read(path, &chosen, err);
    if (!tuning)
        return -1;
    compare_side_add_tuning(&to->sides, path, tuning);
    tuning_result_destroy(tuning);
    return 0;
}

static const struct {
    const char *kind;
    int (*load)(struct load_sides *to, const char *path, struct err *err);
} kinds[] = {
    {"run", load_run}, {"sweep", load_sweep}, {"capacity", load_capacity}, {"tuning", load_tuning}};

static int load(struct load_sides *to, const char *path, struct err *err)
{
    char kind[DATASET_KIND_BYTES];
    if (dataset_read_kind(path, kind, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].load(to, path, err);
    return err_set(err, ERR_STUDY, "%s: holds results of a kind that cannot be compared, \"%s\"",
                   path, kind);
}

// ---- all

// A baseline that looks like labels is a file only if there is one of that name.
static bool is_further_file(const char *const *files, size_t n, const char *baseline)
{
    for (size_t i = 0; i < n; i++)
        if (baseline && strcmp(files[i], baseline) == 0)
            return false;
    return baseline && (!strchr(baseline, '=') || access(baseline, F_OK) == 0);
}

int load_sides(struct load_sides *loaded, const char *const *files, size_t n, const char *baseline,
               struct err *err)
{
    *loaded = (struct load_sides){.n_runs = 0};
    int rc = is_further_file(files, n, baseline) ? load(loaded, baseline, err) : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = load(loaded, files[i], err);
    if (rc < 0)
        load_sides_release(loaded);
    return rc;
}

void load_sides_release(struct load_sides *loaded)
{
    compare_side_release(&loaded->sides);
    for (size_t i = 0; i < loaded->n_runs; i++)
        run_result_destroy(loaded->runs[i]);
    mem_free(loaded->runs);
    *loaded = (struct load_sides){.n_runs = 0};
}
