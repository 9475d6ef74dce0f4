// SPDX-License-Identifier: Apache-2.0
#include "study/study_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/sched.h"
#include "study/mistakes.h"
#include "study/study.h"
#include "study/study_models.h"
#include "study/study_traffic.h"
#include "study/table_file.h"
#include "traces/qsize.h"

// ---- where it is --------------------------------------------------------------------------------

// The map that has the key for a service: its entry in the list `services`, or the group's `cost`;
// NULL: none.
static const struct node *map_with(const struct node *cost, const char *service, const char *key)
{
    const struct node *list = node_get(cost, "services");
    for (size_t i = 0; list && i < list->n; i++)
        if (strcmp(node_get(list->items[i], "service")->text, service) == 0 &&
            node_get(list->items[i], key))
            return list->items[i];
    return node_get(cost, key) ? cost : NULL;
}

// Where the table of a service comes from: a key of the service's own, of the group's, or the kind.
static const struct node *table_node(const struct node *cost, const char *service)
{
    static const char *const keys[] = {"file", "accelerator_file", "table"};
    const struct node *list = node_get(cost, "services");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *map = map_with(cost, service, keys[i]);
        if (map)
            return node_get(map, keys[i]);
    }
    for (size_t i = 0; list && i < list->n; i++)
        if (strcmp(node_get(list->items[i], "service")->text, service) == 0)
            return list->items[i];
    return cost;
}

static bool is_given(const char *text)
{
    return text && *text;
}

// "table: perf.csv" is short for "file: perf.csv" where there is such a file.
static void take_file(const struct study *study, const struct library *library,
                      struct cost_config *config)
{
    if (is_given(config->table) && !is_given(config->file) &&
        !library_table(library, config->table)) {
        char *path = study_traffic_path(study, config->table);
        if (access(path, R_OK) == 0) {
            mem_free(config->file);
            config->file = config->table;
            config->table = mem_strdup("");
        }
        mem_free(path);
    }
    study_traffic_resolve_files(study, cost_types[config->kind]->fields, config);
}

// ---- what it is of ------------------------------------------------------------------------------

static int contradict(const struct table_source *source, const struct table_place *at,
                      const char *what, const char *theirs, const char *whose, const char *ours,
                      struct err *err)
{
    return err_set(err, ERR_STUDY,
                   "%s:%llu:%zu: measured %s \"%.60s\", and %s is \"%.60s\"; transfer: true and a "
                   "cpu_scale take times from elsewhere",
                   source->path, (unsigned long long)at->line, at->column, what, theirs, whose,
                   ours);
}

// Names decide, but a thing that is like a known one without a change is that one.
static int check_source(const struct library *library, const struct table_source *source,
                        const struct model *model, const struct platform *platform, struct err *err)
{
    const struct model *its_model = source->model ? library_model(library, source->model) : NULL;
    if (model && is_given(source->model) && strcmp(source->model, model->name) != 0 &&
        !(its_model && library_same_model(model, its_model)))
        return contradict(source, &source->model_at, "with model", source->model,
                          "the service's model", model->name, err);
    const char *accelerator = platform->accelerator.name ? platform->accelerator.name : "";
    if (is_given(platform->name) && is_given(source->platform) &&
        strcmp(source->platform, platform->name) != 0 && strcmp(source->platform, accelerator) != 0)
        return contradict(source, &source->platform_at, "on", source->platform,
                          "the group's platform", platform->name, err);
    return 0;
}

// A study that is only looked at has a stand-in for what is in its files.
static void stand_in(struct table_file *file)
{
    static const double one = 1;
    struct reals *const lists[] = {&file->table.batches_items, &file->table.busy_cores,
                                   &file->table.seconds_s,     &file->table.accel_batches_items,
                                   &file->table.accel_load_s,  &file->table.accel_compute_s};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lists[i]->v = mem_calloc(1, sizeof *lists[i]->v);
        *lists[i]->v = one;
        lists[i]->n = 1;
    }
    file->table.per_history_s = (struct reals){1, mem_calloc(1, sizeof(double))};
    file->table.name = mem_strdup("");
    file->any_size = true;
}

static int read_file(const struct study *study, const struct library *library,
                     struct study_group *group, size_t s, struct err *err)
{
    struct cost_config *config = &group->cost_configs[s];
    struct table_file *file = &group->tables[s];
    if (is_given(config->table))
        return err_set(err, ERR_STUDY, "expected a table or a file, got both");
    if (!(study->reading & STUDY_OPEN))
        stand_in(file);
    else if (table_file_read(file, config->file, config->accelerator_file, err) < 0)
        return -1;
    config->measured = &file->table;
    const struct model *model = study_models_find(study, study->services[s].model);
    for (size_t i = 0; i < TABLE_FILE_SOURCES && !config->transfer; i++)
        if (file->sources[i].path &&
            check_source(library, &file->sources[i], model, &group->platform, err) < 0)
            return -1;
    return 0;
}

static int find_known(const struct study *study, const struct library *library,
                      struct study_group *group, size_t s, struct err *err)
{
    struct cost_config *config = &group->cost_configs[s];
    const struct service_config *service = &study->services[s];
    const struct model *model = study_models_find(study, service->model);
    const struct platform *platform = &group->platform;
    bool named = is_given(config->table);
    const struct cost_table *found =
        named ? library_table(library, config->table)
              : library_table_for(library, service->model, platform->name);
    if (!found && !named)
        found = library_table_like(library, model, platform);
    config->measured = found;
    if (found &&
        (config->transfer || library_check_table(library, found, model, platform, err) == 0))
        return 0;
    if (!found && named)
        return library_unknown_table(library, config->table, err);
    return found ? -1 : library_missing_table(library, service->model, platform->name, err);
}

int study_tables_find(const struct study *study, const struct library *library,
                      struct study_group *group, size_t s, const struct node *cost, struct err *err)
{
    struct cost_config *config = &group->cost_configs[s];
    const char *service = study->services[s].name;
    if (cost_types[config->kind] != &cost_table)
        return 0;
    take_file(study, library, config);
    bool in_file = is_given(config->file) || is_given(config->accelerator_file);
    if ((in_file ? read_file : find_known)(study, library, group, s, err) < 0)
        return mistakes_unknown(table_node(cost, service), "tables", err);
    const struct node *transfer = map_with(cost, service, "transfer");
    if (config->transfer && !map_with(cost, service, "cpu_scale") &&
        !map_with(cost, service, "accel_scale"))
        return node_fail_key(transfer, "transfer", err,
                             "expected a cpu_scale (or accel_scale) with it: how many times "
                             "longer than measured; 1 takes times as they are");
    return 0;
}

// ---- which sizes it knows -----------------------------------------------------------------------

bool study_tables_strict(const struct study *study, const struct study_group *group, size_t s)
{
    const struct cost_config *config = &group->cost_configs[s];
    const struct table_file *file = &group->tables[s];
    if (!config->measured || file->any_size)
        return false;
    return config->outside == COST_OUTSIDE_ERROR ||
           (config->outside == COST_OUTSIDE_AUTO &&
            (config->measured == &file->table ||
             !library_is_built_in(&study->own, config->measured)));
}

bool study_tables_requests(const struct qsize *sizes, const struct settings *settings, bool accel,
                           double *least, double *most)
{
    const struct dispatch_config needs = sched_needs(settings);
    *least = INFINITY;
    *most = 0;
    for (uint32_t n = sizes ? qsize_min_items(sizes) : 1; sizes && n <= qsize_max_items(sizes);
         n++) {
        bool offloaded = needs.offload_items > 0 && n >= needs.offload_items;
        if (offloaded != accel || qsize_pmf(sizes, n) == 0)
            continue;
        double batch = (double)(accel || n < needs.batch_items ? n : needs.batch_items);
        double rest = fmod(n, batch);
        *least = fmin(*least, rest > 0 ? rest : batch);
        *most = fmax(*most, batch);
    }
    // Merged queries are of any size up to that of a full batch.
    double merged = (double)(accel ? needs.accel_merged_items : needs.merged_items);
    if (*most > 0)
        *most = fmax(*most, merged);
    return *most > 0;
}

int study_tables_known(const struct study *study, const struct study_group *group, size_t s,
                       const struct qsize *sizes, const struct settings *settings, struct err *err)
{
    if (!study_tables_strict(study, group, s))
        return 0;
    const struct cost_table *table = group->cost_configs[s].measured;
    for (int accel = 0; accel < 2; accel++) {
        const struct reals *axis = accel ? cost_table_accel_batches(table) : &table->batches_items;
        bool has = accel ? table->accel_compute_s.n > 0 : table->seconds_s.n > 0;
        double least, most;
        if (!has || !study_tables_requests(sizes, settings, accel, &least, &most) ||
            cost_table_covers(table, accel, least, most))
            continue;
        return err_set(
            err, ERR_STUDY,
            "\"%.60s\" has batches of %.6g to %.6g items%s, and service %s has requests of "
            "%.6g; outside: clamp takes the nearest time, extend the last slope",
            table->name, axis->v[0], axis->v[axis->n - 1], accel ? " of the accelerator" : "",
            study->services[s].name, least < axis->v[0] ? least : most);
    }
    return 0;
}

double study_tables_last(const struct study_group *group, size_t s)
{
    const struct cost_table *table = group->cost_configs[s].measured;
    bool has = table && table->seconds_s.n > 0;
    return has ? table->batches_items.v[table->batches_items.n - 1] : INFINITY;
}

int study_tables_check_sizes(const struct study *study, const struct study_group *group,
                             const struct node *map, struct err *err)
{
    const struct node *cost = node_get(map, "cost");
    for (size_t s = 0; s < study->n_services; s++) {
        if (study_tables_known(study, group, s, study->sizes[s], &group->settings[s], err) < 0)
            return node_prefix(table_node(cost, study->services[s].name), err);
    }
    return 0;
}

// ---- what follows from it -----------------------------------------------------------------------

double study_tables_cv(const struct study *study, const struct study_group *group)
{
    double sum = 0, first = 0;
    size_t n = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct cost_table *table = group->cost_configs[s].measured;
        double cv = table ? table->cv : 0;
        first = n == 0 ? cv : first;
        sum += cv * cv;
        n += cv > 0;
    }
    return n > 1 ? sqrt(sum / (double)n) : first;
}

char *study_tables_label(const struct study *study, const struct study_group *group)
{
    for (size_t s = 0; s < study->n_services; s++) {
        const struct cost_config *config = &group->cost_configs[s];
        bool cpu = config->measured && config->measured->seconds_s.n > 0;
        if (config->transfer && config->measured)
            return mem_printf("%s [transfer x%.4g]", group->name,
                              cpu ? config->cpu_scale : config->accel_scale);
    }
    return mem_strdup(group->name);
}
