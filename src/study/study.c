// SPDX-License-Identifier: Apache-2.0
#include "study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/layout.h"
#include "cluster/policy.h"
#include "study/doc.h"
#include "study/reader.h"
#include "study/study_print.h"
#include "study/trace_file.h"
#include "traces/arrival.h"

#define MAX_SERVICES 256
#define MAX_GROUPS 1024
#define MAX_SERVERS 100000000
#define MAX_ITEMS 65535

const char *const study_batching_names[] = {"static", "fixed", NULL};

const struct field study_fields[] = {
    FIELD(study_settings, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "study",
          "name of the study"),
    FIELD(study_settings, "seed", FIELD_UINT, UNIT_NONE, seed, 0, 2e19, "1",
          "seed of every random draw"),
    FIELD(study_settings, "duration", FIELD_TIME, UNIT_TIME, duration_ns, SIMTIME_US,
          (double)SIMTIME_LONGEST, NULL, "simulated time"),
    FIELD(study_settings, "warmup", FIELD_STRING, UNIT_NONE, warmup, 0, 0, "auto",
          "time left out at the start, or auto to detect it"),
    FIELD(study_settings, "bins", FIELD_INT, UNIT_NONE, bins, 2, 10000, "60",
          "equal time bins that the rest of the run is cut into"),
    FIELD_END};

const struct field study_output_fields[] = {
    FIELD(study_output, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, "",
          "results file; empty: the study's name with .h5"),
    FIELD(study_output, "sample", FIELD_INT, UNIT_NONE, sample, 0, 10000000, "1000",
          "queries kept in the uniform sample, about"),
    FIELD_END};

const struct field study_fleet_fields[] = {
    FIELD(study, "cells", FIELD_INT, UNIT_NONE, cells, 1, 1e6, "1",
          "cells, each one load balancer with its share of every group"),
    FIELD_END};

const struct field study_service_fields[] = {
    FIELD(service_config, "service", FIELD_STRING, UNIT_NONE, name, 0, 0, NULL,
          "name of the service"),
    FIELD(service_config, "model", FIELD_STRING, UNIT_NONE, model, 0, 0, "",
          "model that serves it; may be left out when every cost is synthetic"),
    FIELD(service_config, "rate", FIELD_REAL, UNIT_RATE, traffic.rate_qps, 0, ARRIVAL_MAX_QPS, NULL,
          "mean queries per second over the whole fleet"),
    FIELD_END};

const struct field study_group_fields[] = {
    FIELD(study_group, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "",
          "name of the group; empty: the platform's"),
    FIELD(study_group, "platform", FIELD_STRING, UNIT_NONE, platform_name, 0, 0, "",
          "platform of its servers; any key of the platform may be given beside it"),
    FIELD(study_group, "servers", FIELD_INT, UNIT_NONE, servers, 1, MAX_SERVERS, NULL,
          "servers in the whole fleet, at least one per cell"),
    FIELD(study_group, "weight", FIELD_REAL, UNIT_NONE, weight, 1e-6, 1e6, "1",
          "capacity of a server relative to other groups', for the balancer"),
    FIELD_END};

const struct field study_scheduler_fields[] = {
    FIELD_CHOICES(study_scheduler, "policy", policy, study_batching_names, "static",
                  "static: the largest query is split over all cores; fixed: batch_items"),
    FIELD(study_scheduler, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 1, MAX_ITEMS, "256",
          "fixed: items per CPU request at most; giving it implies fixed"),
    FIELD(study_scheduler, "offload_items", FIELD_INT, UNIT_ITEMS, offload_items, 0, MAX_ITEMS + 1,
          "0", "queries of at least this size go to the accelerator; 0: none"),
    FIELD_END};

const struct field study_noise_fields[] = {
    FIELD_CHOICES(study_noise, "distribution", distribution, cost_spread_names, "none",
                  "how service times spread round the cost"),
    FIELD(study_noise, "cv", FIELD_REAL, UNIT_NONE, cv, 0, 100, "0",
          "gamma, lognormal: standard deviation over mean"),
    FIELD_END};

// A table row for keys that have no struct member of their own, for the listing only.
static const struct field sla_rows[] = {{"p95", FIELD_TIME, UNIT_TIME, 0, 1,
                                         (double)SIMTIME_LONGEST, "none", NULL,
                                         "latency target; p50, p99, p99.9 likewise, one of them"},
                                        FIELD_END};
static const struct field process_rows[] = {
    {"process", FIELD_STRING, UNIT_NONE, 0, 0, 0, "poisson", NULL, "arrival process"}, FIELD_END};
static const struct field distribution_rows[] = {
    {"distribution", FIELD_STRING, UNIT_NONE, 0, 0, 0, "production", NULL, "size distribution"},
    FIELD_END};
static const struct field kind_rows[] = {
    {"kind", FIELD_STRING, UNIT_NONE, 0, 0, 0, "roofline", NULL, "cost model"}, FIELD_END};
static const struct field policy_rows[] = {
    {"policy", FIELD_STRING, UNIT_NONE, 0, 0, 0, "random", NULL, "balancer policy"}, FIELD_END};

#define VARIANTS(function, label, types, rows)                                                     \
    struct study_variants function(void)                                                           \
    {                                                                                              \
        struct study_variants v = {.what = label};                                                 \
        for (; types[v.n] && v.n < STUDY_MAX_VARIANTS; v.n++) {                                    \
            v.names[v.n] = types[v.n]->name;                                                       \
            v.helps[v.n] = types[v.n]->help;                                                       \
            v.fields[v.n] = rows;                                                                  \
        }                                                                                          \
        return v;                                                                                  \
    }

VARIANTS(study_arrivals, "arrival process", arrival_types, arrival_types[v.n]->fields)
VARIANTS(study_sizes, "size distribution", size_types, size_types[v.n]->fields)
VARIANTS(study_costs, "cost model", cost_types, cost_types[v.n]->fields)
VARIANTS(study_policies, "balancer policy", policy_types, balancer_fields)

// --- reading: everything gets the study being filled and the error

static const struct reader_options plain = {NULL, false};

// The map `key` of `map` (NULL: absent). A scalar there selects a variant on its own:
// "arrivals: poisson" is short for "arrivals: {process: poisson}".
static int variant_map(const struct node *map, const char *key, const struct node **out,
                       const struct node **selector, const char *type_key, struct err *err)
{
    const struct node *node = node_get(map, key);
    *selector = NULL;
    if (node && node->kind == NODE_SCALAR && !node_is_null(node)) {
        *out = NULL;
        *selector = node;
        return 0;
    }
    if (reader_map(map, key, out, err) < 0)
        return -1;
    if (*out)
        *selector = node_get(*out, type_key);
    return 0;
}

// Fills config from the variant that `key` of `map` selects; *index says which.
static int read_variant(const struct node *map, const char *key, const char *type_key,
                        const struct study_variants *variants, const char *const *others,
                        void *config, int64_t *index, struct err *err)
{
    const struct node *part_map, *selector;
    if (variant_map(map, key, &part_map, &selector, type_key, err) < 0)
        return -1;
    if (selector) {
        int i = reader_choose(selector, variants->what, variants->names, variants->n, err);
        if (i < 0)
            return -1;
        *index = i;
    }
    const struct reader_part part = {variants->fields[*index], config};
    const struct reader_options options = {others, false};
    schema_defaults(part.fields, config);
    return reader_fill(part_map,
                       part_map             ? part_map
                       : node_get(map, key) ? node_get(map, key)
                                            : map,
                       &part, 1, &options, err);
}

static int64_t index_of(const struct study_variants *variants, const char *name)
{
    for (size_t i = 0; i < variants->n; i++)
        if (strcmp(variants->names[i], name) == 0)
            return (int64_t)i;
    return 0;
}

// A relative file stands beside the study. `file` is the row's member, owned.
static void resolve_files(const struct study *study, const struct field *fields, void *config)
{
    const struct field *field = schema_find(fields, "file");
    const char *slash = strrchr(study->path, '/');
    if (!field || field->type != FIELD_STRING || !slash)
        return;
    char **file = (char **)((char *)config + field->offset);
    if (!*file || !**file || **file == '/')
        return;
    char *joined = mem_printf("%.*s/%s", (int)(slash - study->path), study->path, *file);
    mem_free(*file);
    *file = joined;
}

static bool names_file(const struct field *fields, const void *config)
{
    const struct field *field = schema_find(fields, "file");
    if (!field || field->type != FIELD_STRING)
        return false;
    const char *file = *(char *const *)((const char *)config + field->offset);
    return file && *file;
}

static int read_warmup(struct study *study, const struct node *root, struct err *err)
{
    const char *text = study->settings.warmup;
    study->warmup_auto = strcmp(text, "auto") == 0;
    if (study->warmup_auto)
        return 0;
    const struct node *node = node_get(root, "warmup");
    if (!node)
        node = root;
    if (units_parse_ns(text, &study->warmup_ns, NULL) < 0 || study->warmup_ns < 0)
        return node_fail(node, err, "expected auto or a time such as \"5s\", got \"%.80s\"", text);
    if (study->warmup_ns >= study->settings.duration_ns)
        return node_fail(node, err, "expected less than the duration, got \"%.80s\"", text);
    return 0;
}

static int read_settings(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"traffic", "fleet", "models", "balancer", "output", NULL};
    const struct reader_part part = {study_fields, &study->settings};
    const struct reader_options options = {others, false};
    char found[64];
    if (root->kind != NODE_MAP)
        return node_fail(root, err, "expected a map with keys such as \"traffic\", got %s",
                         node_found(root, found, sizeof found));
    schema_defaults(study_fields, &study->settings);
    if (reader_fill(root, NULL, &part, 1, &options, err) < 0)
        return -1;
    return read_warmup(study, root, err);
}

static int read_output(struct study *study, const struct node *root, struct err *err)
{
    const struct node *map;
    const struct reader_part part = {study_output_fields, &study->output};
    schema_defaults(study_output_fields, &study->output);
    if (reader_map(root, "output", &map, err) < 0)
        return -1;
    return reader_fill(map, root, &part, 1, &plain, err);
}

// --- models

static struct model *own_model(struct study *study, const char *name)
{
    for (size_t i = 0; i < study->n_models; i++)
        if (strcmp(study->models[i].name, name) == 0)
            return &study->models[i];
    return NULL;
}

static struct model *add_model(struct study *study, const struct model *like)
{
    study->models = mem_realloc(study->models, study->n_models + 1, sizeof *study->models);
    struct model *model = &study->models[study->n_models++];
    memset(model, 0, sizeof *model);
    if (like) {
        *model = *like;
        schema_copy(model_fields, model, like);
    }
    return model;
}

static int read_model(struct study *study, const struct library *library, const struct node *map,
                      struct err *err)
{
    static const char *const others[] = {"like", NULL};
    char found[64];
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    const struct node *name = node_get(map, "name"), *like_node = node_get(map, "like");
    if (!name)
        return node_fail_key(map, "name", err, "missing; expected the model's name");
    if (!reader_text(name, "a model's name", err))
        return -1;
    if (own_model(study, name->text))
        return node_fail(name, err, "model \"%.60s\" is defined twice", name->text);
    if (like_node && !reader_text(like_node, "a model's name", err))
        return -1;
    const struct model *like = library_model(library, like_node ? like_node->text : name->text);
    if (!like && like_node) {
        library_unknown_model(library, like_node->text, err);
        return node_prefix(like_node, err);
    }
    struct model *model = add_model(study, like);
    if (!like)
        schema_defaults(model_fields, model);
    const struct reader_part part = {model_fields, model};
    const struct reader_options options = {others, like != NULL};
    if (reader_fill(map, NULL, &part, 1, &options, err) < 0)
        return -1;
    return model_check(model, err) < 0 ? reader_prefix(map, err) : 0;
}

static int read_models(struct study *study, const struct library *library, const struct node *root,
                       struct err *err)
{
    const struct node *list;
    if (reader_list(root, "models", &list, err) < 0)
        return -1;
    for (size_t i = 0; list && i < list->n; i++)
        if (read_model(study, library, list->items[i], err) < 0)
            return -1;
    return 0;
}

// Makes sure that the model of a service is among the study's own.
static int need_model(struct study *study, const struct library *library, const char *name,
                      const struct node *node, struct err *err)
{
    if (!*name || own_model(study, name))
        return 0;
    const struct model *model = library_model(library, name);
    if (!model) {
        library_unknown_model(library, name, err);
        return node_prefix(node, err);
    }
    add_model(study, model);
    return 0;
}

// --- traffic

static int read_sla_word(const struct study *study, const struct node *node,
                         struct service_config *service, struct err *err)
{
    static const char *const words[] = {"none", "low", "medium", "high"};
    int word = reader_choose(node, "latency target", words, 4, err);
    if (word <= 0)
        return word;
    const struct model *model = NULL;
    for (size_t i = 0; i < study->n_models; i++)
        if (strcmp(study->models[i].name, service->model) == 0)
            model = &study->models[i];
    if (model)
        service->sla_ns = word == 1   ? model->sla_low_ns
                          : word == 2 ? model->sla_medium_ns
                                      : model->sla_high_ns;
    if (service->sla_ns <= 0)
        return node_fail(node, err,
                         "the model has no such target; expected one such as {p95: 25ms}");
    return 0;
}

// sla: {p95: 25ms}, or the model's own target by name.
static int read_sla(const struct study *study, const struct node *map,
                    struct service_config *service, struct err *err)
{
    const struct node *sla = node_get(map, "sla");
    service->sla_quantile = 0.95;
    if (!sla || node_is_null(sla))
        return 0;
    if (sla->kind == NODE_SCALAR)
        return read_sla_word(study, sla, service, err);
    if (sla->kind != NODE_MAP || sla->n != 1)
        return node_fail(sla, err, "expected one target such as {p95: 25ms}");
    const struct node *target = sla->items[0];
    char *percent = mem_printf("%s%%", target->key + (target->key[0] == 'p'));
    bool good = target->key[0] == 'p' &&
                units_parse(UNIT_FRAC, percent, &service->sla_quantile, NULL) == 0 &&
                service->sla_quantile > 0 && service->sla_quantile < 1;
    mem_free(percent);
    if (!good) {
        err_set(err, ERR_STUDY, "expected a percentile such as p95");
        return node_prefix_at_key(target, err);
    }
    const char *text = reader_text(target, "a time such as \"25ms\"", err);
    if (!text)
        return -1;
    if (units_parse_ns(text, &service->sla_ns, err) < 0)
        return node_prefix(target, err);
    if (service->sla_ns <= 0 || service->sla_ns > SIMTIME_LONGEST)
        return node_fail(target, err, "expected a time above 0, got \"%.80s\"", text);
    return 0;
}

static int read_arrivals(struct study *study, const struct node *map,
                         struct service_config *service, bool open_files, struct err *err)
{
    static const char *const others[] = {"process", NULL};
    struct arrival_config *config = &service->traffic.arrivals;
    const struct study_variants variants = study_arrivals();
    config->process = index_of(&variants, "poisson");
    if (read_variant(map, "arrivals", "process", &variants, others, config, &config->process, err) <
        0)
        return -1;
    const struct field *fields = variants.fields[config->process];
    resolve_files(study, fields, config);
    const struct node *at = node_get(map, "arrivals");
    if (!at || at->kind != NODE_MAP)
        at = map;
    if (!node_get(map, "rate") && !node_get(map, "rate_qps") &&
        !arrival_types[config->process]->carries_rate)
        return node_fail_key(map, "rate", err, "missing; expected a rate such as \"12000qps\"");
    if (open_files && arrival_types[config->process]->carries_rate) {
        struct trace *trace = NULL;
        if (trace_file_load(&config->csv, &trace, err) < 0) {
            err_prefix(err, "file");
            return reader_prefix(at, err);
        }
        config->trace = config->owned_trace = trace;
    }
    if (arrival_check(config, service->traffic.rate_qps, err) < 0)
        return reader_prefix(err && strncmp(err->text, "rate: ", 6) == 0 ? map : at, err);
    return 0;
}

static int read_sizes(struct study *study, const struct node *map, size_t s, bool open_files,
                      struct err *err)
{
    static const char *const others[] = {"distribution", NULL};
    struct size_config *config = &study->services[s].traffic.sizes;
    const struct study_variants variants = study_sizes();
    config->distribution = index_of(&variants, "production");
    if (read_variant(map, "sizes", "distribution", &variants, others, config, &config->distribution,
                     err) < 0)
        return -1;
    const struct field *fields = variants.fields[config->distribution];
    resolve_files(study, fields, config);
    if (!open_files && names_file(fields, config))
        return 0;
    study->sizes[s] = qsize_create(config, err);
    if (study->sizes[s])
        return 0;
    const struct node *at = node_get(map, "sizes");
    return reader_prefix(at && at->kind == NODE_MAP ? at : map, err);
}

static int read_service(struct study *study, const struct library *library, const struct node *map,
                        size_t s, bool open_files, struct err *err)
{
    static const char *const others[] = {"rate", "arrivals", "sizes", "sla", NULL};
    struct service_config *service = &study->services[s];
    struct reader_part part = {study_service_fields, service};
    struct reader_options options = {others + 1, true};
    char found[64];
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    schema_defaults(study_service_fields, service);
    if (reader_fill(map, NULL, &part, 1, &options, err) < 0)
        return -1;
    if (!service->name || !*service->name)
        return node_fail_key(map, "service", err, "missing; expected the service's name");
    for (size_t i = 0; i < s; i++)
        if (strcmp(study->services[i].name, service->name) == 0)
            return node_fail(node_get(map, "service"), err, "service \"%.60s\" is there already",
                             service->name);
    if (need_model(study, library, service->model, node_get(map, "model"), err) < 0 ||
        read_sla(study, map, service, err) < 0 || read_sizes(study, map, s, open_files, err) < 0)
        return -1;
    return read_arrivals(study, map, service, open_files, err);
}

static int read_traffic(struct study *study, const struct library *library, const struct node *root,
                        bool open_files, struct err *err)
{
    const struct node *list;
    if (reader_list(root, "traffic", &list, err) < 0)
        return -1;
    if (!list)
        return node_fail_key(root, "traffic", err, "missing; expected at least one service");
    if (list->n == 0)
        return node_fail(list, err, "empty; expected at least one service");
    if (list->n > MAX_SERVICES)
        return node_fail(list, err, "expected at most %d services", MAX_SERVICES);
    study->n_services = list->n;
    study->services = mem_calloc(list->n, sizeof *study->services);
    study->sizes = mem_calloc(list->n, sizeof *study->sizes);
    for (size_t s = 0; s < list->n; s++)
        if (read_service(study, library, list->items[s], s, open_files, err) < 0)
            return -1;
    return 0;
}

// --- fleet

static int find_service(const struct study *study, const struct node *entry, struct err *err)
{
    const char *names[MAX_SERVICES];
    char found[64];
    if (entry->kind != NODE_MAP)
        return node_fail(entry, err, "expected a map, got %s",
                         node_found(entry, found, sizeof found));
    const struct node *name = node_get(entry, "service");
    if (!name)
        return node_fail_key(entry, "service", err, "missing; expected the name of a service");
    for (size_t s = 0; s < study->n_services; s++)
        names[s] = study->services[s].name;
    return reader_choose(name, "service", names, study->n_services, err);
}

// Turns a scheduler map (NULL: none) into settings that start as *scheduler is.
static int read_scheduler(const struct node *map, const struct node *parent,
                          const char *const *others, struct study_scheduler *scheduler,
                          struct err *err)
{
    const struct reader_part part = {study_scheduler_fields, scheduler};
    const struct reader_options options = {others, false};
    if (reader_fill(map, parent, &part, 1, &options, err) < 0)
        return -1;
    const struct node *policy = node_get(map, "policy"), *batch = node_get(map, "batch_items");
    if (batch && !policy)
        scheduler->policy = BATCH_FIXED;
    if (batch && scheduler->policy == BATCH_STATIC)
        return node_fail(batch, err, "only with policy: fixed");
    if (policy && scheduler->policy == BATCH_FIXED && !batch)
        return node_fail_key(map, "batch_items", err,
                             "missing; expected a number of items such as \"64\"");
    return 0;
}

static int read_schedulers(struct study *study, struct study_group *group, const struct node *map,
                           struct err *err)
{
    static const char *const others[] = {"services", NULL}, *const inner[] = {"service", NULL};
    const struct node *scheduler, *list;
    struct study_scheduler base = {0};
    schema_defaults(study_scheduler_fields, &base);
    if (reader_map(map, "scheduler", &scheduler, err) < 0 ||
        read_scheduler(scheduler, map, others, &base, err) < 0 ||
        reader_list(scheduler, "services", &list, err) < 0)
        return -1;
    for (size_t s = 0; s < study->n_services; s++)
        group->schedulers[s] = base;
    for (size_t i = 0; list && i < list->n; i++) {
        int s = find_service(study, list->items[i], err);
        if (s < 0 || read_scheduler(list->items[i], NULL, inner, &group->schedulers[s], err) < 0)
            return -1;
    }
    return 0;
}

static void release_cost(struct cost_config *config)
{
    for (size_t i = 0; cost_types[i]; i++)
        schema_release(cost_types[i]->fields, config);
}

// *config becomes `base` with the keys of the map `key` of `map` on top.
static int read_cost(const struct node *map, const char *key, const char *const *others,
                     struct cost_config *config, struct err *err)
{
    const struct study_variants variants = study_costs();
    return read_variant(map, key, "kind", &variants, others, config, &config->kind, err);
}

// A service's own cost: the keys of `entry` over the group's.
static int read_cost_entry(const struct node *entry, const struct cost_config *base,
                           struct cost_config *config, struct err *err)
{
    static const char *const others[] = {"service", "kind", NULL};
    const struct study_variants variants = study_costs();
    const struct node *kind = node_get(entry, "kind");
    int64_t index = base->kind;
    if (kind) {
        index = reader_choose(kind, variants.what, variants.names, variants.n, err);
        if (index < 0)
            return -1;
    }
    release_cost(config);
    *config = *base;
    config->table = NULL;
    schema_copy(variants.fields[base->kind], config, base);
    config->kind = index;
    if (index != base->kind)
        schema_defaults(variants.fields[index], config);
    const struct reader_part part = {variants.fields[index], config};
    const struct reader_options options = {others, index == base->kind};
    return reader_fill(entry, NULL, &part, 1, &options, err);
}

static int read_costs(struct study *study, struct study_group *group, const struct node *map,
                      struct err *err)
{
    static const char *const others[] = {"kind", "services", NULL};
    const struct study_variants variants = study_costs();
    const struct node *cost = node_get(map, "cost"), *list = NULL;
    struct cost_config base = {.kind = index_of(&variants, "roofline")};
    int rc = read_cost(map, "cost", others, &base, err);
    for (size_t s = 0; s < study->n_services; s++) {
        group->cost_configs[s] = base;
        group->cost_configs[s].table = mem_strdup(base.table);
    }
    if (rc == 0)
        rc = reader_list(cost, "services", &list, err);
    for (size_t i = 0; rc == 0 && list && i < list->n; i++) {
        int s = find_service(study, list->items[i], err);
        rc = s < 0 ? -1 : read_cost_entry(list->items[i], &base, &group->cost_configs[s], err);
    }
    release_cost(&base);
    return rc;
}

static int read_noise(struct study_group *group, const struct node *map, struct err *err)
{
    const struct node *noise, *selector;
    const struct reader_part part = {study_noise_fields, &group->noise};
    schema_defaults(study_noise_fields, &group->noise);
    if (variant_map(map, "noise", &noise, &selector, "distribution", err) < 0)
        return -1;
    if (!noise && selector &&
        schema_parse(study_noise_fields, selector->text, &group->noise, err) < 0)
        return node_prefix(selector, err);
    if (reader_fill(noise, map, &part, 1, &plain, err) < 0)
        return -1;
    int kind = group->noise.distribution;
    if ((kind == SPREAD_GAMMA || kind == SPREAD_LOGNORMAL) && !(group->noise.cv > 0))
        return node_fail_key(noise ? noise : map, noise ? "cv" : "noise", err,
                             "expected a cv above 0 for %s", cost_spread_names[kind]);
    return 0;
}

// accelerator: the name of a known one, "none", or a map with a name and keys over it.
static int read_accelerator(struct study_group *group, const struct library *library,
                            const struct node *map, struct err *err)
{
    const struct node *node = node_get(map, "accelerator"), *name = node;
    struct accelerator own = {0};
    if (!node || node_is_null(node))
        return 0;
    if (node->kind == NODE_MAP)
        name = node_get(node, "name");
    if (name && !reader_text(name, "an accelerator's name", err))
        return -1;
    if (node->kind == NODE_SCALAR && strcmp(name->text, "none") == 0) {
        platform_attach(&group->platform, NULL);
        return 0;
    }
    const struct accelerator *known = name ? library_accelerator(library, name->text) : NULL;
    if (node->kind == NODE_SCALAR && !known) {
        library_unknown_accelerator(library, name->text, err);
        return node_prefix(name, err);
    }
    if (known) {
        own = *known;
        schema_copy(accelerator_fields, &own, known);
    } else {
        schema_defaults(accelerator_fields, &own);
    }
    int rc = 0;
    if (node->kind == NODE_MAP) {
        const struct reader_part part = {accelerator_fields, &own};
        rc = reader_fill(node, NULL, &part, 1, &plain, err);
    }
    if (rc == 0 && !*own.name)
        rc = node_fail_key(node, "name", err, "missing; expected the accelerator's name");
    if (rc == 0 && accelerator_check(&own, err) < 0)
        rc = reader_prefix(node, err);
    if (rc == 0)
        platform_attach(&group->platform, &own);
    accelerator_release(&own);
    return rc;
}

static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

static int read_platform(struct study_group *group, const struct library *library,
                         const struct node *map, struct err *err)
{
    const struct node *name = node_get(map, "platform");
    if (name) {
        if (!reader_text(name, "a platform's name", err))
            return -1;
        const struct platform *platform = library_platform(library, name->text);
        if (!platform && !node_get(map, "cores")) {
            library_unknown_platform(library, name->text, err);
            return node_prefix(name, err);
        }
        if (platform) {
            group->platform = platform_copy(platform);
            return 0;
        }
    } else if (!node_get(map, "cores")) {
        return node_fail_key(map, "platform", err,
                             "missing; expected a platform's name, or cores for one of your own");
    }
    schema_defaults(platform_fields, &group->platform);
    return 0;
}

static int read_group(struct study *study, const struct library *library, const struct node *map,
                      size_t g, struct err *err)
{
    static const char *const others[] = {"accelerator", "scheduler", "cost", "noise", NULL};
    struct study_group *group = &study->groups[g];
    const struct reader_part parts[] = {{study_group_fields, group},
                                        {platform_fields, &group->platform}};
    const struct reader_options options = {others, false};
    char found[64];
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    schema_defaults(study_group_fields, group);
    if (read_platform(group, library, map, err) < 0 ||
        reader_fill(map, NULL, parts, 2, &options, err) < 0)
        return -1;
    set_text(&group->platform.name, group->platform_name);
    if (!*group->name && *group->platform_name)
        set_text(&group->name, group->platform_name);
    else if (!*group->name)
        set_text(&group->name, "servers");
    for (size_t i = 0; i < g; i++)
        if (strcmp(study->groups[i].name, group->name) == 0)
            return node_fail_key(map, "name", err, "group \"%.60s\" is there already", group->name);
    if (read_accelerator(group, library, map, err) < 0 || read_noise(group, map, err) < 0 ||
        read_schedulers(study, group, map, err) < 0 || read_costs(study, group, map, err) < 0)
        return -1;
    return platform_check(&group->platform, err) < 0 ? reader_prefix(map, err) : 0;
}

// Costs need models and platforms to be complete, so they come last.
static int make_costs(struct study *study, const struct library *library, struct study_group *group,
                      const struct node *map, struct err *err)
{
    const struct node *cost = node_get(map, "cost");
    for (size_t s = 0; s < study->n_services; s++) {
        struct cost_config *config = &group->cost_configs[s];
        const struct model *model = own_model(study, study->services[s].model);
        const char *table = config->table;
        if (strcmp(cost_types[config->kind]->name, "table") == 0) {
            config->measured =
                table && *table
                    ? library_table(library, table)
                    : library_table_for(library, study->services[s].model, group->platform.name);
            if (!config->measured && table && *table) {
                library_unknown_table(library, table, err);
                return node_prefix(cost, err);
            }
        }
        group->costs[s] = cost_create(config, model, &group->platform, err);
        if (!group->costs[s]) {
            err_prefix(err, "service %s", study->services[s].name);
            return node_prefix(cost ? cost : map, err);
        }
        if (group->schedulers[s].offload_items > 0 && !cost_has_accel(group->costs[s])) {
            const struct node *scheduler = node_get(map, "scheduler");
            return node_fail_key(scheduler ? scheduler : map, "offload_items", err,
                                 "the group has no accelerator for service %s",
                                 study->services[s].name);
        }
    }
    return 0;
}

int64_t study_largest_items(const struct study *study, size_t s)
{
    const struct service_traffic *traffic = &study->services[s].traffic;
    if (arrival_carries_sizes(&traffic->arrivals))
        return traffic->arrivals.csv.max_items;
    return study->sizes[s] ? (int64_t)qsize_max_items(study->sizes[s]) : traffic->sizes.max_items;
}

// The static policy splits the largest query over all cores.
static void make_dispatch(const struct study *study, struct study_group *group)
{
    for (size_t s = 0; s < study->n_services; s++) {
        const struct study_scheduler *scheduler = &group->schedulers[s];
        int64_t largest = study_largest_items(study, s);
        int64_t cores = group->platform.cores, batch = (largest + cores - 1) / cores;
        if (scheduler->policy == BATCH_FIXED)
            batch = scheduler->batch_items;
        group->dispatch[s] =
            (struct dispatch_config){batch > 0 ? batch : 1, scheduler->offload_items};
    }
}

static int read_fleet(struct study *study, const struct library *library, const struct node *root,
                      struct err *err)
{
    static const char *const others[] = {"groups", NULL};
    const struct node *map, *list;
    const struct reader_part part = {study_fleet_fields, study};
    const struct reader_options options = {others, false};
    schema_defaults(study_fleet_fields, study);
    if (reader_map(root, "fleet", &map, err) < 0 || reader_list(map, "groups", &list, err) < 0)
        return -1;
    if (!list || list->n == 0)
        return node_fail_key(map ? map : root, map ? "groups" : "fleet.groups", err,
                             "missing; expected at least one group of servers");
    if (list->n > MAX_GROUPS)
        return node_fail(list, err, "expected at most %d groups", MAX_GROUPS);
    if (reader_fill(map, root, &part, 1, &options, err) < 0)
        return -1;
    study->n_groups = list->n;
    study->groups = mem_calloc(list->n, sizeof *study->groups);
    for (size_t g = 0; g < list->n; g++) {
        struct study_group *group = &study->groups[g];
        group->schedulers = mem_calloc(study->n_services, sizeof *group->schedulers);
        group->cost_configs = mem_calloc(study->n_services, sizeof *group->cost_configs);
        group->costs = mem_calloc(study->n_services, sizeof *group->costs);
        group->dispatch = mem_calloc(study->n_services, sizeof *group->dispatch);
    }
    int64_t servers = 0;
    for (size_t g = 0; g < list->n; g++) {
        if (read_group(study, library, list->items[g], g, err) < 0 ||
            make_costs(study, library, &study->groups[g], list->items[g], err) < 0)
            return -1;
        make_dispatch(study, &study->groups[g]);
        servers += study->groups[g].servers;
    }
    if (servers < study->cells)
        return node_fail_key(map, "cells", err,
                             "expected at most one per server (%lld in all), got %lld",
                             (long long)servers, (long long)study->cells);
    if (servers > MAX_SERVERS)
        return node_fail(list, err, "expected at most %d servers in all", MAX_SERVERS);
    return 0;
}

static int read_balancer(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"policy", NULL};
    struct balancer_config *config = &study->balancer;
    const struct study_variants variants = study_policies();
    config->policy = index_of(&variants, "random");
    if (read_variant(root, "balancer", "policy", &variants, others, config, &config->policy, err) <
        0)
        return -1;
    const struct policy_type *type = policy_types[config->policy];
    const struct node *map = node_get(root, "balancer");
    if (type->needs_feedback && config->dispatch_delay_ns + config->status_delay_ns <= 0)
        return node_fail_key(map && map->kind == NODE_MAP ? map : root, "dispatch_delay", err,
                             "policy %s looks at its servers, so dispatch_delay + status_delay "
                             "must be above 0",
                             type->name);
    return 0;
}

static void make_fleet(struct study *study)
{
    study->group_configs = mem_calloc(study->n_groups, sizeof *study->group_configs);
    for (size_t g = 0; g < study->n_groups; g++) {
        struct study_group *group = &study->groups[g];
        study->group_configs[g] =
            (struct group_config){.name = group->name,
                                  .platform = &group->platform,
                                  .n_servers = (uint32_t)group->servers,
                                  .weight = group->weight,
                                  .costs = (const struct cost *const *)group->costs,
                                  .dispatch = group->dispatch,
                                  .noise = {group->noise.distribution, group->noise.cv}};
    }
    study->fleet = (struct fleet_config){.services = study->services,
                                         .n_services = (uint32_t)study->n_services,
                                         .groups = study->group_configs,
                                         .n_groups = (uint32_t)study->n_groups,
                                         .n_cells = (uint32_t)study->cells,
                                         .balancer = study->balancer,
                                         .seed = study->settings.seed,
                                         .duration_ns = study->settings.duration_ns};
    double expected = study_expected_queries(study);
    double frac = expected > 0 ? (double)study->output.sample / expected : 1;
    study->fleet.sample_frac = study->output.sample == 0 ? 0 : frac < 1 ? frac : 1;
}

static int read_all(struct study *study, const struct library *library, const struct doc *doc,
                    bool open_files, struct err *err)
{
    const struct node *root = doc_root(doc);
    // Models may move while they are added, so all of them come before anything points to one.
    if (read_settings(study, root, err) < 0 || read_output(study, root, err) < 0 ||
        read_models(study, library, root, err) < 0 ||
        read_traffic(study, library, root, open_files, err) < 0 ||
        read_fleet(study, library, root, err) < 0 || read_balancer(study, root, err) < 0)
        return -1;
    make_fleet(study);
    return 0;
}

static struct study *from_doc(const char *path, struct doc *doc, const char *const *settings,
                              size_t n_settings, const struct library *library, bool open_files,
                              struct err *err)
{
    if (!doc)
        return NULL;
    struct study *study = mem_calloc(1, sizeof *study);
    int rc = 0;
    study->path = mem_strdup(path);
    for (size_t i = 0; i < n_settings && rc == 0; i++)
        rc = doc_set(doc, settings[i], err);
    if (rc == 0)
        rc = read_all(study, library, doc, open_files, err);
    doc_destroy(doc);
    if (rc == 0)
        return study;
    study_destroy(study);
    return NULL;
}

struct study *study_parse(const char *path, const char *data, size_t size,
                          const char *const *settings, size_t n_settings,
                          const struct library *library, bool open_files, struct err *err)
{
    return from_doc(path, doc_parse(path, data, size, err), settings, n_settings, library,
                    open_files, err);
}

struct study *study_read(const char *path, const char *const *settings, size_t n_settings,
                         const struct library *library, bool open_files, struct err *err)
{
    return from_doc(path, doc_read(path, err), settings, n_settings, library, open_files, err);
}

static void release_group(struct study *study, struct study_group *group)
{
    for (size_t s = 0; s < study->n_services; s++) {
        cost_destroy(group->costs[s]);
        release_cost(&group->cost_configs[s]);
    }
    mem_free(group->costs);
    mem_free(group->cost_configs);
    mem_free(group->schedulers);
    mem_free(group->dispatch);
    platform_release(&group->platform);
    schema_release(study_group_fields, group);
}

static void release_service(struct service_config *service)
{
    arrival_unload(&service->traffic.arrivals);
    for (size_t i = 0; arrival_types[i]; i++)
        schema_release(arrival_types[i]->fields, &service->traffic.arrivals);
    for (size_t i = 0; size_types[i]; i++)
        schema_release(size_types[i]->fields, &service->traffic.sizes);
    schema_release(study_service_fields, service);
}

void study_destroy(struct study *study)
{
    if (!study)
        return;
    for (size_t g = 0; g < study->n_groups; g++)
        release_group(study, &study->groups[g]);
    for (size_t s = 0; s < study->n_services; s++) {
        release_service(&study->services[s]);
        qsize_destroy(study->sizes[s]);
    }
    for (size_t m = 0; m < study->n_models; m++)
        model_release(&study->models[m]);
    schema_release(study_fields, &study->settings);
    schema_release(study_output_fields, &study->output);
    mem_free(study->groups);
    mem_free(study->group_configs);
    mem_free(study->services);
    mem_free(study->sizes);
    mem_free(study->models);
    mem_free(study->path);
    mem_free(study);
}

double study_rate_qps(const struct study *study)
{
    double rate_qps = 0;
    for (size_t s = 0; s < study->n_services; s++)
        rate_qps += arrival_mean_qps(&study->services[s].traffic.arrivals,
                                     study->services[s].traffic.rate_qps);
    return rate_qps;
}

double study_expected_queries(const struct study *study)
{
    return study_rate_qps(study) * simtime_to_s(study->settings.duration_ns);
}

char *study_output_path(const struct study *study)
{
    if (*study->output.file)
        return mem_strdup(study->output.file);
    return mem_printf("%s.h5", study->settings.name);
}

char *study_format(const struct study *study)
{
    return study_print_all(study);
}

// FNV-1a, 64 bits.
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8]; // little-endian on every machine
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return hash_bytes(hash, bytes, sizeof bytes);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t cell_servers(const struct study *study, uint32_t cell)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < study->fleet.n_groups; g++)
        n += layout_servers(&study->fleet, g, cell);
    return n;
}

uint64_t study_traffic_fingerprint(const struct study *study)
{
    char *traffic = study_print_traffic(study);
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), traffic, strlen(traffic)), total = 0;
    mem_free(traffic);
    hash = hash_number(hash, study->settings.seed);
    hash = hash_number(hash, (uint64_t)study->settings.duration_ns);
    hash = hash_number(hash, study->fleet.n_cells);
    for (size_t g = 0; g < study->n_groups; g++)
        total += (uint64_t)study->groups[g].servers;
    for (uint32_t c = 0; c < study->fleet.n_cells; c++) {
        uint64_t n = cell_servers(study, c), common = gcd(total, n);
        hash = hash_number(hash, n / common);
        hash = hash_number(hash, total / common);
    }
    return hash ? hash : 1; // 0 says that it is not known
}

static void meta_servers(const struct study *study, struct meta *meta)
{
    uint32_t server = 0; // numbered cell by cell, inside a cell group by group
    for (uint32_t c = 0; c < study->fleet.n_cells; c++)
        for (uint32_t g = 0; g < study->fleet.n_groups; g++)
            for (uint32_t n = layout_servers(&study->fleet, g, c); n > 0; n--, server++) {
                meta->server_group[server] = g;
                meta->server_cell[server] = c;
            }
}

struct meta *study_meta(const struct study *study)
{
    uint32_t n_servers = 0;
    for (size_t g = 0; g < study->n_groups; g++)
        n_servers += (uint32_t)study->groups[g].servers;
    struct meta *meta = meta_create(study->fleet.n_services, study->fleet.n_groups, n_servers);
    meta->study_name = mem_strdup(study->settings.name);
    meta->policy = mem_strdup(policy_types[study->balancer.policy]->name);
    meta->program_version = mem_strdup(RECFLEET_VERSION);
    meta->study_text = study_format(study);
    meta->seed = study->settings.seed;
    meta->traffic_fingerprint = study_traffic_fingerprint(study);
    meta->duration_ns = study->settings.duration_ns;
    meta->warmup_ns = study->warmup_ns;
    meta->warmup_auto = study->warmup_auto;
    meta->n_cells = study->fleet.n_cells;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        meta->services[s] = (struct meta_service){mem_strdup(service->name),
                                                  mem_strdup(service->model), service->sla_quantile,
                                                  service->sla_ns, service->traffic.rate_qps};
    }
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct platform *platform = &study->groups[g].platform;
        bool accel = platform->has_accelerator;
        for (size_t s = 0; s < study->n_services; s++)
            accel = accel || study->groups[g].dispatch[s].offload_items > 0;
        meta->groups[g] = (struct meta_group){mem_strdup(study->groups[g].name),
                                              mem_strdup(platform->name),
                                              (uint32_t)study->groups[g].servers,
                                              (uint32_t)platform->cores,
                                              accel ? (uint32_t)platform->accelerator.streams : 0,
                                              accel};
    }
    meta_servers(study, meta);
    return meta;
}

// --- the format itself

struct sections {
    struct study_section *v;
    size_t n, max;
};

static void add_section(struct sections *s, const char *path, const char *when, const char *help,
                        const struct field *fields)
{
    if (s->n < s->max) {
        struct study_section *section = &s->v[s->n];
        snprintf(section->path, sizeof section->path, "%s", path);
        snprintf(section->when, sizeof section->when, "%s", when);
        section->help = help;
        section->fields = fields;
    }
    s->n++;
}

static void add_variants(struct sections *s, const char *path, const char *key,
                         const struct study_variants *variants)
{
    char when[64];
    for (size_t i = 0; i < variants->n; i++) {
        snprintf(when, sizeof when, "%s: %s", key, variants->names[i]);
        add_section(s, path, when, variants->helps[i], variants->fields[i]);
    }
}

size_t study_sections(struct study_section *out, size_t max)
{
    struct sections s = {out, 0, max};
    const struct study_variants arrivals = study_arrivals(), sizes = study_sizes(),
                                costs = study_costs();
    struct study_variants policies = study_policies();
    add_section(&s, "", "", "the study", study_fields);
    add_section(&s, "traffic[]", "", "one service", study_service_fields);
    add_section(&s, "traffic[].sla", "",
                "latency target; or a word: none, low, medium, high (of the model)", sla_rows);
    add_section(&s, "traffic[].arrivals", "", "when its queries arrive", process_rows);
    add_variants(&s, "traffic[].arrivals", "process", &arrivals);
    add_section(&s, "traffic[].sizes", "", "how many items its queries carry", distribution_rows);
    add_variants(&s, "traffic[].sizes", "distribution", &sizes);
    add_section(&s, "fleet", "", "the servers", study_fleet_fields);
    add_section(&s, "fleet.groups[]", "", "one group of equal servers", study_group_fields);
    add_section(&s, "fleet.groups[]", "", "any key of its platform, in place of the catalogue's",
                platform_fields);
    add_section(&s, "fleet.groups[].accelerator", "",
                "its accelerator: a name, none, or keys in place of the catalogue's",
                accelerator_fields);
    add_section(&s, "fleet.groups[].scheduler", "",
                "how queries become requests; services: a list of {service, ...} for exceptions",
                study_scheduler_fields);
    add_section(&s, "fleet.groups[].cost", "",
                "seconds per request; services: a list of {service, ...} for exceptions",
                kind_rows);
    add_variants(&s, "fleet.groups[].cost", "kind", &costs);
    add_section(&s, "fleet.groups[].noise", "", "spread of service times", study_noise_fields);
    add_section(&s, "balancer", "", "which server a query goes to", policy_rows);
    add_section(&s, "balancer", "", "delays, and what single policies need", balancer_fields);
    for (size_t i = 0; i < policies.n; i++)
        policies.fields[i] = NULL; // they share the table above
    add_variants(&s, "balancer", "policy", &policies);
    add_section(&s, "models[]", "",
                "a model of your own, or keys over a known one (name it, or say like: NAME)",
                model_fields);
    add_section(&s, "output", "", "what is kept", study_output_fields);
    return s.n;
}
