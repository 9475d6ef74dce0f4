// SPDX-License-Identifier: Apache-2.0
#include "app/load_sides.h"

#include <string.h>
#include <unistd.h>

#include "app/load_results.h"
#include "base/mem.h"
#include "results/file/run_result.h"
#include "results/file/sweep_result.h"
#include "runs/pointdir.h"

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

// A run stays, for whoever shows more of it.
static int load(struct load_sides *to, const char *path, struct err *err)
{
    struct load_results results;
    size_t first = to->sides.n;
    if (load_results(&results, path, DATASET_WHOLE, err) < 0)
        return -1;
    if (results.run) {
        compare_side_add_run(&to->sides, results.run);
        to->runs = mem_realloc(to->runs, to->n_runs + 1, sizeof *to->runs);
        to->runs[to->n_runs++] = results.run;
        results.run = NULL;
    }
    if (results.sweep) {
        compare_side_add_sweep(&to->sides, path, results.sweep);
        take_points(to, first, path, results.sweep);
    }
    if (results.tuning)
        compare_side_add_tuning(&to->sides, path, results.tuning);
    if (results.capacity)
        compare_side_add_capacity(&to->sides, path, results.capacity);
    load_results_release(&results);
    return 0;
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
