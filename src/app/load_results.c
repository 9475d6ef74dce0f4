// SPDX-License-Identifier: Apache-2.0
#include "app/load_results.h"

#include <string.h>

#include "cluster/sched.h"
#include "results/file/capacity_result.h"
#include "results/file/run_result.h"
#include "results/file/sweep_file.h"
#include "results/file/tuning_result.h"

// With the settings that one scheduler varies, or all of them do (`only` NULL).
static struct tuning_result *read_tuning_of(const char *path, const struct sched_type *only,
                                            struct err *err)
{
    struct chosen chosen = {0};
    for (const struct sched_type *const *type = sched_types; *type; type++)
        if ((!only || *type == only) &&
            chosen_add(&chosen, (*type)->axes, (*type)->fields, err) < 0)
            return NULL;
    return tuning_result_read(path, &chosen, err);
}

// A file has a column for each setting of the schedulers that were tuned, so it is read as one of
// all of them, else as one of each. What else is wrong with it, the first one finds as well.
static struct tuning_result *read_tuning(const char *path, struct err *err)
{
    struct err other;
    struct tuning_result *tuning = read_tuning_of(path, NULL, &other);
    for (int i = 0; !tuning && sched_types[i]; i++)
        tuning = read_tuning_of(path, sched_types[i], i == 0 ? err : &other);
    return tuning;
}

int load_results(struct load_results *results, const char *path, enum dataset_depth depth,
                 struct err *err)
{
    char kind[DATASET_KIND_BYTES];
    *results = (struct load_results){.run = NULL};
    if (dataset_read_kind(path, kind, err) < 0)
        return -1;
    if (strcmp(kind, "run") == 0)
        return (results->run = run_result_read(path, depth, err)) ? 0 : -1;
    if (strcmp(kind, "sweep") == 0)
        return (results->sweep = sweep_file_read(path, err)) ? 0 : -1;
    if (strcmp(kind, "tuning") == 0)
        return (results->tuning = read_tuning(path, err)) ? 0 : -1;
    if (strcmp(kind, "capacity") == 0)
        return (results->capacity = capacity_result_read(path, err)) ? 0 : -1;
    return err_set(err, ERR_STUDY, "%s: holds results of an unknown kind, \"%s\"", path, kind);
}

void load_results_release(struct load_results *results)
{
    run_result_destroy(results->run);
    sweep_result_destroy(results->sweep);
    tuning_result_destroy(results->tuning);
    capacity_result_destroy(results->capacity);
    *results = (struct load_results){.run = NULL};
}
