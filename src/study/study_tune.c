// SPDX-License-Identifier: Apache-2.0
#include "study/study_tune.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/sched.h"
#include "results/measurement.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"
#include "study/study_memory.h"
#include "study/study_traffic.h"

#define MAX_BATCH_ITEMS 65535
#define MAX_QUERIES 1e9

const char *const study_tune_policy_names[] = {"static",     "fixed",     "deeprecsched",
                                               "exhaustive", "reference", NULL};

const struct field study_tune_fields[] = {
    FIELD(study_tune, "policies", FIELD_STRING, UNIT_NONE, policies, 0, 0, "static, deeprecsched",
          "list of static, fixed, deeprecsched, exhaustive, reference"),
    FIELD(study_tune, "service", FIELD_STRING, UNIT_NONE, service, 0, 0, "",
          "service whose B and T are tuned; empty: all"),
    FIELD(study_tune, "group", FIELD_STRING, UNIT_NONE, group, 0, 0, "",
          "group whose B and T are tuned; empty: all"),
    FIELD(study_tune, "p99_bound", FIELD_REAL, UNIT_NONE, p99_bound, 0, 1000, "0",
          "p99 within this many times the target, too; 0: no such bound"),
    FIELD(study_tune, "accuracy", FIELD_REAL, UNIT_FRAC, accuracy_frac, 0.001, 0.2, "1%",
          "how closely the largest rate is bracketed"),
    FIELD(study_tune, "queries", FIELD_INT, UNIT_NONE, queries, 1000, MAX_QUERIES, "30000",
          "queries of the first run at a point, about"),
    FIELD(study_tune, "max_queries", FIELD_INT, UNIT_NONE, max_queries, 1000, MAX_QUERIES, "480000",
          "queries of the longest run at a point, where shorter ones do not decide"),
    FIELD(study_tune, "confirm", FIELD_BOOL, UNIT_NONE, confirm, 0, 1, "true",
          "check the answer on a fresh seed, at its rate and 5 % above"),
    FIELD(study_tune, "batch_items", FIELD_REALS, UNIT_ITEMS, batch_items, 1, MAX_BATCH_ITEMS, "",
          "exhaustive: batch sizes to try, ascending; left out: a grid that suits the sizes"),
    FIELD(
        study_tune, "offload_items", FIELD_REALS, UNIT_ITEMS, offload_items, 1, MAX_BATCH_ITEMS + 1,
        "",
        "exhaustive: offload thresholds to try, ascending; left out: a grid that suits the sizes"),
    FIELD(
        study_tune, "accel_items", FIELD_REALS, UNIT_ITEMS, accel_items, 1,
        2 * (MAX_BATCH_ITEMS + 1), "",
        "exhaustive: batches of the accelerator to try, ascending; left out: a grid that suits the "
        "sizes"),
    FIELD_END};

static const struct reader_names policies = {"policies", "tuning policy", "policy", "policies",
                                             study_tune_policy_names};

const struct reals *study_tune_grid(const struct study_tune *tune, const char *key)
{
    const struct field *field = schema_find(study_tune_fields, key);
    if (!field || field->type != FIELD_REALS)
        return NULL;
    return (const struct reals *)(const void *)((const char *)tune + field->offset);
}

static int check_grid(const struct node *map, const char *key, const struct reals *grid,
                      struct err *err)
{
    const struct node *node = node_get(map, key);
    if (!grid || !node)
        return 0;
    if (grid->n == 0)
        return node_fail(node, err, "empty grid; expected at least one number of items");
    for (size_t i = 0; i < grid->n; i++) {
        if (grid->v[i] != floor(grid->v[i]))
            return node_fail(node, err, "expected whole items, got %.12g", grid->v[i]);
        if (i > 0 && !(grid->v[i] > grid->v[i - 1]))
            return node_fail(node, err, "expected ascending items, got %.12g after %.12g",
                             grid->v[i], grid->v[i - 1]);
    }
    return 0;
}

static int check_names(const struct study *study, const struct node *map, struct err *err)
{
    const char **names = mem_calloc(study->n_services + study->n_groups, sizeof *names);
    const struct study_tune *tune = &study->tune;
    int rc = 0;
    for (size_t s = 0; s < study->n_services; s++)
        names[s] = study->services[s].name;
    if (*tune->service)
        rc = reader_choose(node_get(map, "service"), "service", names, study->n_services, err);
    for (size_t g = 0; g < study->n_groups; g++)
        names[g] = study->groups[g].name;
    if (rc >= 0 && *tune->group)
        rc = reader_choose(node_get(map, "group"), "group", names, study->n_groups, err);
    mem_free(names);
    return rc < 0 ? -1 : 0;
}

static int check_values(const struct study *study, const struct node *map, struct err *err)
{
    const struct study_tune *tune = &study->tune;
    if (tune->p99_bound > 0 && !(tune->p99_bound > 1))
        return node_fail_key(map, "p99_bound", err,
                             "expected 0 or more than 1 (times the target), got %.12g",
                             tune->p99_bound);
    if (tune->max_queries < tune->queries)
        return node_fail_key(map, "max_queries", err, "expected at least queries (%lld), got %lld",
                             (long long)tune->queries, (long long)tune->max_queries);
    for (const struct field *f = study_tune_fields; f->key; f++)
        if (check_grid(map, f->key, study_tune_grid(tune, f->key), err) < 0)
            return -1;
    const struct node *root = map ? node_root(map) : NULL;
    if (mistakes_in_key(root, "traffic") || mistakes_in_key(root, "fleet"))
        return -1; // which names there are is not known
    return check_names(study, map, err);
}

int study_tune_read(struct study *study, const struct node *root, bool open_files, struct err *err)
{
    static const char *const others[] = {"policies", "sizes", NULL};
    struct study_tune *tune = &study->tune;
    const struct reader_part part = {study_tune_fields, tune};
    const struct reader_options options = {others, false};
    const struct node *map;
    schema_defaults(study_tune_fields, tune);
    if (reader_map(root, "tune", &map, err) < 0 ||
        mistakes_keep(root, reader_fill(map, root, &part, 1, &options, err), err) < 0 ||
        mistakes_keep(root, reader_fill_names(map, &policies, &tune->policies, err), err) < 0 ||
        (!mistakes_in(map) && mistakes_keep(root, check_values(study, map, err), err) < 0))
        return -1;
    const struct node *sizes = node_get(map, "sizes");
    tune->has_sizes = sizes && !node_is_null(sizes);
    if (!tune->has_sizes)
        return 0;
    return study_traffic_read_sizes(study, map, &tune->sizes, &tune->sizes_table, open_files, err);
}

void study_tune_release(struct study *study)
{
    for (size_t i = 0; size_types[i]; i++)
        schema_release(size_types[i]->fields, &study->tune.sizes);
    schema_release(study_tune_fields, &study->tune);
    qsize_destroy(study->tune.sizes_table);
    study->tune.sizes_table = NULL;
}

bool study_tune_has_service(const struct study *study, size_t s)
{
    const char *name = study->tune.service;
    return !*name || strcmp(name, study->services[s].name) == 0;
}

bool study_tune_has_group(const struct study *study, size_t g)
{
    const char *name = study->tune.group;
    return !*name || strcmp(name, study->groups[g].name) == 0;
}

static bool has_accelerator(const struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++)
        for (size_t s = 0; s < study->n_services && study_tune_has_group(study, g); s++)
            if (study_tune_has_service(study, s) && cost_has_accel(study->groups[g].costs[s]))
                return true;
    return false;
}

double study_tune_least_queries(const struct study *study)
{
    double all_qps = 0, least = 0;
    for (size_t s = 0; s < study->n_services; s++)
        all_qps += study->services[s].traffic.rate_qps;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        double share = service->traffic.rate_qps / all_qps * STUDY_TUNE_MEASURED_FRAC;
        double n = STUDY_TUNE_SOME_LATE / (1 - service->sla_quantile);
        if (study->tune.p99_bound > 0)
            n = fmax(n, MEASUREMENT_FEW_LATE / 0.01);
        if (service->sla_ns > 0)
            least = fmax(least, ceil(n / share));
    }
    return least;
}

static uint32_t largest_query(const struct study *study)
{
    uint32_t most = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct qsize *sizes =
            study->tune.has_sizes ? study->tune.sizes_table : study->sizes[s];
        if (study_tune_has_service(study, s) && qsize_max_items(sizes) > most)
            most = qsize_max_items(sizes);
    }
    return most;
}

static int check_exhaustive(const struct study *study, struct err *err)
{
    char name[32];
    bool wanted = false;
    uint32_t largest = largest_query(study);
    for (size_t i = 0; study_tune_policy(&study->tune, i, name, sizeof name); i++)
        wanted = wanted || strcmp(name, "exhaustive") == 0;
    for (const struct field *f = study_tune_fields; f->key && wanted; f++) {
        const struct reals *grid = study_tune_grid(&study->tune, f->key);
        bool merges = grid == &study->tune.accel_items;
        uint64_t most = (uint64_t)largest * (merges ? SETTINGS_LARGEST : 1);
        if (grid && f->unit == UNIT_ITEMS && grid->n > 0 && grid->v[grid->n - 1] > (double)most)
            return err_set(err, ERR_STUDY,
                           "%s: tune.%s: expected 1 .. %llu (%sthe largest query), got %.12g",
                           study->path, f->key, (unsigned long long)most, merges ? "64 times " : "",
                           grid->v[grid->n - 1]);
    }
    return 0;
}

// A grid for what nothing that is tuned can do.
static int check_accelerator(const struct study *study, struct err *err)
{
    for (size_t g = 0; g < study->n_groups && !has_accelerator(study); g++)
        for (const struct settings_axis *axis = sched_types[study->groups[g].scheduler]->axes;
             axis->key; axis++) {
            const struct reals *grid = study_tune_grid(&study->tune, axis->key);
            if (axis->needs_accelerator && grid && grid->n > 0)
                return err_set(err, ERR_STUDY,
                               "%s: tune.%s: no group that is tuned has an accelerator that its "
                               "services can use",
                               study->path, axis->key);
        }
    return 0;
}

int study_tune_check(const struct study *study, struct err *err)
{
    double least = study_tune_least_queries(study);
    for (size_t s = 0; s < study->n_services; s++)
        if (study_tune_has_service(study, s) && study->services[s].sla_ns <= 0)
            return err_set(err, ERR_STUDY,
                           "%s: tune: service \"%.60s\" has no latency target; give "
                           "traffic[%zu].sla",
                           study->path, study->services[s].name, s);
    if (check_accelerator(study, err) < 0 || study_memory_check_search(study, err) < 0)
        return -1;
    if ((double)study->tune.max_queries < least)
        return err_set(
            err, ERR_STUDY,
            "%s: tune.max_queries: %lld are too few for the %s to be decided; expected at "
            "least %.0f",
            study->path, (long long)study->tune.max_queries,
            study->tune.p99_bound > 0 ? "p99 bound" : "target", least);
    return check_exhaustive(study, err);
}

bool study_tune_policy(const struct study_tune *tune, size_t i, char *buf, size_t size)
{
    return reader_name(tune->policies, i, buf, size);
}
