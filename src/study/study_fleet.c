// SPDX-License-Identifier: Apache-2.0
#include "study/study_fleet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"
#include "study/study_models.h"
#include "study/study_tables.h"
#include "study/study_traffic.h"
#include "study/study_variants.h"
#include "study/table_file.h"

#define MAX_GROUPS 1024
#define MAX_SERVERS 100000000

const struct field study_fleet_fields[] = {
    FIELD(study, "cells", FIELD_INT, UNIT_NONE, cells, 1, 1e6, "1",
          "cells, each one load balancer with its share of every group"),
    FIELD_END};

const struct field study_group_fields[] = {
    FIELD(study_group, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "",
          "name of the group; empty: the platform's"),
    FIELD(study_group, "platform", FIELD_STRING, UNIT_NONE, platform_name, 0, 0, "",
          "platform of its servers; any key of the platform may be given with it"),
    FIELD(study_group, "servers", FIELD_INT, UNIT_NONE, servers, 1, MAX_SERVERS, NULL,
          "servers in the whole fleet, at least one per cell"),
    FIELD(study_group, "weight", FIELD_REAL, UNIT_NONE, weight, 1e-6, 1e6, "1",
          "capacity of a server relative to other groups', for the balancer"),
    FIELD(study_group, "price", FIELD_REAL, UNIT_PRICE, price_usd_per_h, 0, 1e6, "0",
          "of one server that is on; 0: not known"),
    FIELD(
        study_group, "slow_frac", FIELD_REAL, UNIT_FRAC, slow.frac, 0, 1, "0",
        "of the servers, to the nearest whole one, take slow_factor times as long for everything"),
    FIELD(study_group, "slow_factor", FIELD_REAL, UNIT_NONE, slow.factor, 1, 100, "1",
          "service times of slow servers over those of the others"),
    FIELD_END};

#define LONGEST_STEP_NS ((double)SIMTIME_LONGEST)

const struct field study_on_fields[] = {
    FIELD(study_group, "servers", FIELD_REALS, UNIT_NONE, on_counts, 1, MAX_SERVERS, NULL,
          "servers that are on, step by step, over and over"),
    FIELD(study_group, "every", FIELD_TIME, UNIT_TIME, on.step_ns, SIMTIME_MS, LONGEST_STEP_NS,
          "1h", "length of a step"),
    FIELD(study_group, "startup", FIELD_TIME, UNIT_TIME, on.startup_ns, 0, LONGEST_STEP_NS, "1min",
          "a server is powered this long before it takes queries"),
    FIELD(study_group, "shutdown", FIELD_TIME, UNIT_TIME, on.shutdown_ns, 0, LONGEST_STEP_NS, "1s",
          "a server is powered this long after it takes no more; what still runs then is lost"),
    FIELD_END};

const struct field study_noise_fields[] = {
    FIELD_CHOICES(study_noise, "distribution", distribution, cost_spread_names, "none",
                  "how service times spread round the cost"),
    FIELD(study_noise, "cv", FIELD_REAL, UNIT_NONE, cv, 0, 100, "0",
          "gamma, lognormal: standard deviation over mean"),
    FIELD(study_noise, "correlation_time", FIELD_TIME, UNIT_TIME, correlation_ns, 0,
          (double)SIMTIME_LONGEST, "0",
          "in which the likeness of two factors of a server falls by 63 %; 0: there is none"),
    FIELD(study_noise, "correlated_frac", FIELD_REAL, UNIT_FRAC, correlated_frac, 0, 1, "1",
          "correlation of two factors of a server at one time"),
    FIELD_END};

static const struct reader_options plain = {NULL, false};

// The service that an entry of a list is for; `given` says which have had one.
static int find_service(const struct study *study, const struct node *entry, bool *given,
                        struct err *err)
{
    const char *names[STUDY_MAX_SERVICES];
    char found[64];
    if (entry->kind != NODE_MAP)
        return node_fail(entry, err, "expected a map, got %s",
                         node_found(entry, found, sizeof found));
    const struct node *name = node_get(entry, "service");
    if (!name)
        return node_fail_key(entry, "service", err, "missing; expected the name of a service");
    for (size_t s = 0; s < study->n_services; s++)
        names[s] = study->services[s].name;
    if (mistakes_in_key(node_root(entry), "traffic"))
        return -1; // which names there are is not known
    int s = reader_choose(name, "service", names, study->n_services, err);
    if (s >= 0 && given[s])
        return node_fail(name, err, "service \"%.60s\" is there already", names[s]);
    if (s >= 0)
        given[s] = true;
    return s;
}

// Turns a scheduler map (NULL: none) into settings that start as *settings is.
static int read_scheduler(const struct node *map, const struct node *parent,
                          const char *const *others, const struct sched_type *type,
                          struct settings *settings, struct err *err)
{
    const struct reader_part part = {type->fields, settings->values};
    const struct reader_options options = {others, false};
    uint64_t given = 0;
    if (reader_fill(map, parent, &part, 1, &options, err) < 0)
        return -1;
    for (size_t i = 0; type->fields[i].key; i++)
        given |= (uint64_t)(node_get(map, type->fields[i].key) != NULL) << i;
    if (type->check(settings->values, given, err) < 0)
        return reader_prefix(map ? map : parent, err);
    return 0;
}

static int refuse_policy(const struct node *policy, struct err *err)
{
    char words[200] = "";
    size_t n = 0;
    for (int i = 0; sched_types[i]; i++)
        for (const char *const *word = sched_types[i]->fields[0].choices; *word; word++)
            n += (size_t)snprintf(words + n, n < sizeof words ? sizeof words - n : 0, "%s%s",
                                  n > 0 ? ", " : "", *word);
    return node_fail(policy, err, "expected one of %s, got \"%.60s\"", words, policy->text);
}

// The scheduler that has the way named there; the first where none is named.
static int find_scheduler(const struct node *map, struct err *err)
{
    const struct node *policy = map ? node_get(map, "policy") : NULL;
    int i = policy && policy->kind == NODE_SCALAR ? sched_find_policy(policy->text) : 0;
    return i < 0 ? refuse_policy(policy, err) : i;
}

// `of`: of each service, its entry in the list; NULL: it has none.
static int check_agreement(const struct study *study, const struct study_group *group,
                           const struct node *const *of, struct err *err)
{
    const struct sched_type *type = sched_types[group->scheduler];
    for (size_t s = 0; type->agree && s < study->n_services; s++) {
        for (size_t o = 0; of[s] && o < study->n_services; o++) {
            if (o == s || (of[o] && of[o]->index > of[s]->index)) // the later one is told
                continue;
            if (type->agree(group->given[s].values, group->given[o].values, err) < 0)
                return mistakes_keep(of[s], reader_prefix(of[s], err), err);
        }
    }
    return 0;
}

static int read_schedulers(struct study *study, struct study_group *group, const struct node *map,
                           struct err *err)
{
    static const char *const others[] = {"services", NULL}, *const inner[] = {"service", NULL};
    const struct node *scheduler, *list, *of[STUDY_MAX_SERVICES] = {NULL};
    bool given[STUDY_MAX_SERVICES] = {false};
    if (reader_map(map, "scheduler", &scheduler, err) < 0)
        return -1;
    int found = find_scheduler(scheduler, err);
    if (found < 0)
        return -1;
    group->scheduler = found;
    const struct sched_type *type = sched_types[group->scheduler];
    struct settings base = settings_of(type->fields, NULL);
    const struct node *at = scheduler ? scheduler : map;
    if (mistakes_keep(at, read_scheduler(scheduler, map, others, type, &base, err), err) < 0 ||
        reader_list(scheduler, "services", &list, err) < 0)
        return -1;
    for (size_t s = 0; s < study->n_services; s++)
        group->given[s] = base;
    for (size_t i = 0; list && i < list->n; i++) {
        const struct node *item = list->items[i];
        int s = find_service(study, item, given, err);
        int rc = s >= 0 ? read_scheduler(item, NULL, inner, type, &group->given[s], err) : -1;
        if (rc == 0)
            of[s] = item;
        if (mistakes_keep(item, rc, err) < 0)
            return -1;
    }
    return check_agreement(study, group, of, err);
}

static void release_cost(struct cost_config *config)
{
    for (size_t i = 0; cost_types[i]; i++)
        schema_release(cost_types[i]->fields, config);
}

// A service's own cost: the keys of `entry` over the group's.
static int read_cost_entry(const struct node *entry, const struct cost_config *base,
                           struct cost_config *config, struct err *err)
{
    static const char *const others[] = {"service", "kind", NULL};
    const struct study_variants variants = study_variants_costs();
    const struct node *kind = node_get(entry, "kind");
    int64_t index = base->kind;
    if (kind) {
        index = reader_choose(kind, variants.what, variants.names, variants.n, err);
        if (index < 0)
            return -1;
    }
    release_cost(config);
    *config = *base;
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
    const struct study_variants variants = study_variants_costs();
    const struct node *cost = node_get(map, "cost"), *list = NULL;
    bool given[STUDY_MAX_SERVICES] = {false};
    struct cost_config base = {.kind = study_variants_index(&variants, "roofline")};
    int rc = study_variants_read(map, "cost", "kind", &variants, others, &base, &base.kind, err);
    for (size_t s = 0; s < study->n_services; s++) {
        group->cost_configs[s] = base;
        schema_copy(variants.fields[base.kind], &group->cost_configs[s], &base);
    }
    if (rc == 0)
        rc = reader_list(cost, "services", &list, err);
    for (size_t i = 0; rc == 0 && list && i < list->n; i++) {
        const struct node *item = list->items[i];
        int s = find_service(study, item, given, err);
        if (s >= 0)
            s = read_cost_entry(item, &base, &group->cost_configs[s], err);
        rc = mistakes_keep(item, s, err);
    }
    release_cost(&base);
    return rc;
}

static int read_noise(struct study_group *group, const struct node *map, struct err *err)
{
    const struct node *noise, *selector;
    const struct reader_part part = {study_noise_fields, &group->noise};
    group->noise.given = node_get(map, "noise") != NULL;
    schema_defaults(study_noise_fields, &group->noise);
    if (study_variants_map(map, "noise", &noise, &selector, "distribution", err) < 0)
        return -1;
    if (!noise && selector &&
        schema_parse(study_noise_fields, selector->text, &group->noise, err) < 0)
        return node_prefix(selector, err);
    if (reader_fill(noise, map, &part, 1, &plain, err) < 0)
        return -1;
    int64_t time_ns = group->noise.correlation_ns;
    if (time_ns > 0 && time_ns < SIMTIME_US)
        return node_fail_key(noise ? noise : map, "correlation_time", err,
                             "expected 0, or at least 1us");
    int kind = group->noise.distribution;
    if ((kind == SPREAD_GAMMA || kind == SPREAD_LOGNORMAL) && !(group->noise.cv > 0))
        return node_fail_key(noise ? noise : map, noise ? "cv" : "noise", err,
                             "expected a cv above 0 for %s", cost_spread_names[kind]);
    return 0;
}

// A pool of no servers has a line of its own: "from 1 to ..." would not say what is wrong.
static int check_pool(const struct node *map, struct err *err)
{
    const struct node *node = node_get(map, "servers");
    bool negative;
    uint64_t n;
    if (!node || node->kind != NODE_SCALAR ||
        units_parse_whole(UNIT_NONE, node->text, &negative, &n, NULL) < 0 || n > 0)
        return 0;
    return node_fail(node, err, "an empty server pool; expected at least 1 server");
}

static int check_on(const struct study_group *group, const struct node *map, struct err *err)
{
    char step[40];
    const struct on_schedule *on = &group->on;
    units_format_ns(on->step_ns, step, sizeof step);
    for (size_t i = 0; i < group->on_counts.n; i++) {
        double n = group->on_counts.v[i];
        if (n != floor(n))
            return node_fail_key(map, "servers", err, "expected whole servers, got %.12g", n);
        if (n > (double)group->servers)
            return node_fail_key(map, "servers", err,
                                 "expected at most the group's %lld servers, got %.12g",
                                 (long long)group->servers, n);
    }
    if (on->startup_ns > on->step_ns)
        return node_fail_key(map, "startup", err, "expected at most the step of %s", step);
    if (on->shutdown_ns > on->step_ns)
        return node_fail_key(map, "shutdown", err, "expected at most the step of %s", step);
    return 0;
}

// on: {servers: [20, 18], every: 1h}
static int read_on(struct study_group *group, const struct node *map, struct err *err)
{
    const struct node *on;
    const struct reader_part part = {study_on_fields, group};
    schema_defaults(study_on_fields, group);
    if (reader_map(map, "on", &on, err) < 0)
        return -1;
    if (!on)
        return 0;
    if (reader_fill(on, map, &part, 1, &plain, err) < 0 || check_on(group, on, err) < 0)
        return -1;
    if (group->on_counts.n == 0)
        return node_fail_key(on, "servers", err, "empty; expected at least one number of servers");
    uint32_t *n_on = mem_calloc(group->on_counts.n, sizeof *n_on);
    for (size_t i = 0; i < group->on_counts.n; i++)
        n_on[i] = (uint32_t)group->on_counts.v[i];
    group->on.n_on = n_on;
    group->on.n_steps = group->on_counts.n;
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
        return mistakes_unknown(name, "accelerators", err);
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
    bool text = name && name->kind == NODE_SCALAR;
    const struct platform *platform = text ? library_platform(library, name->text) : NULL;
    if (platform) {
        group->platform = platform_copy(platform);
        return 0;
    }
    schema_defaults(platform_fields, &group->platform);
    if (name && !reader_text(name, "a platform's name", err))
        return -1;
    if (node_get(map, "cores"))
        return 0;
    if (!name)
        return node_fail_key(map, "platform", err,
                             "missing; expected a platform's name, or cores for one of your own");
    library_unknown_platform(library, name->text, err);
    return mistakes_unknown(name, "platforms", err);
}

static int read_names(const struct study *study, const struct node *map, size_t g, struct err *err)
{
    struct study_group *group = &study->groups[g];
    const struct node *name = node_get(map, "name");
    if (name && !reader_text(name, "a name", err)) // empty by default, not by choice
        return -1;
    set_text(&group->platform.name, group->platform_name);
    if (!*group->name)
        set_text(&group->name, *group->platform_name ? group->platform_name : "servers");
    for (size_t i = 0; i < g; i++)
        if (strcmp(study->groups[i].name, group->name) == 0)
            return node_fail_key(map, "name", err, "group \"%.60s\" is there already", group->name);
    return 0;
}

static int read_group(struct study *study, const struct library *library, const struct node *map,
                      size_t g, struct err *err)
{
    static const char *const others[] = {"accelerator", "scheduler", "cost", "noise", "on", NULL};
    struct study_group *group = &study->groups[g];
    const struct reader_part parts[] = {{study_group_fields, group},
                                        {platform_fields, &group->platform}};
    const struct reader_options options = {others, false};
    const struct node *servers = node_get(map, "servers");
    char found[64];
    schema_defaults(study_group_fields, group);
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    if (mistakes_keep(servers ? servers : map, check_pool(map, err), err) < 0 ||
        mistakes_keep(map, read_platform(group, library, map, err), err) < 0 ||
        mistakes_keep(map, reader_fill(map, NULL, parts, 2, &options, err), err) < 0 ||
        mistakes_keep(map, read_names(study, map, g, err), err) < 0 ||
        mistakes_keep(map, read_accelerator(group, library, map, err), err) < 0 ||
        mistakes_keep(map, read_noise(group, map, err), err) < 0 ||
        mistakes_keep(map, read_on(group, map, err), err) < 0 ||
        mistakes_keep(map, read_schedulers(study, group, map, err), err) < 0 ||
        mistakes_keep(map, read_costs(study, group, map, err), err) < 0 || mistakes_in(map))
        return -1;
    if (mistakes_in_key(node_root(map), "platforms"))
        return -1; // what the platform lacks was said where it is defined
    return platform_check(&group->platform, err) < 0 ? reader_prefix(map, err) : 0;
}

// A platform or accelerator of one's own that lacks something, and has nearly the name of a known
// one: then the name is what is wrong. err says what is lacking. Returns -1.
static int blame_name(const struct library *library, const struct node *map, struct err *err)
{
    const struct node *platform = node_get(map, "platform"), *node = node_get(map, "accelerator");
    const struct node *accel = node_get(node, "name"), *at = NULL;
    struct err unknown = {0};
    if (platform && !library_platform(library, platform->text)) {
        at = platform;
        library_unknown_platform(library, at->text, &unknown);
    } else if (accel && !library_accelerator(library, accel->text)) {
        at = accel;
        library_unknown_accelerator(library, at->text, &unknown);
    }
    if (!at || !strstr(unknown.text, "did you mean"))
        return -1;
    err_set(err, ERR_STUDY, "%s", unknown.text);
    return node_prefix(at, err);
}

static int set_history(const struct study *study, struct cost *cost, size_t s, struct err *err)
{
    const struct service_config *service = &study->services[s];
    double mean, square;
    if (cost_has_history(cost) && !service->traffic.has_history)
        return err_set(err, ERR_STUDY,
                       "service %s: its cost depends on a history; expected traffic[].history such "
                       "as {distribution: fixed, items: 1024}",
                       service->name);
    study_traffic_history(&service->traffic, &mean, &square);
    if (cost_has_history(cost))
        cost_set_history(cost, mean, square);
    return 0;
}

static int make_cost(const struct study *study, const struct library *library,
                     struct study_group *group, size_t s, const struct node *map, struct err *err)
{
    const char *service = study->services[s].name, *name = study->services[s].model;
    const struct node *cost = node_get(map, "cost"), *scheduler = node_get(map, "scheduler");
    struct cost_config *config = &group->cost_configs[s];
    if (study_tables_find(study, library, group, s, cost, err) < 0)
        return blame_name(library, map, err);
    group->costs[s] = cost_create(config, study_models_find(study, name), &group->platform, err);
    if (!group->costs[s]) {
        err_prefix(err, "service %s", service);
        node_prefix(cost ? cost : map, err);
        return blame_name(library, map, err);
    }
    if (set_history(study, group->costs[s], s, err) < 0)
        return node_prefix(cost ? cost : map, err);
    const struct sched_type *type = sched_types[group->scheduler];
    struct dispatch_config needs = type->needs(settings_values(&group->given[s]));
    struct accelerator *accelerator = &group->platform.accelerator;
    struct err lack;
    if (group->platform.has_accelerator &&
        needs.offload_items > study_traffic_largest_items(study, s))
        return 0; // no query is as large: nothing has to be there for it
    if (study->reading == STUDY_OPEN_AND_PLAN && dispatch_offloads(&needs) &&
        accelerator->memory_bytes > 0 &&
        accelerator->memory_bytes < cost_memory_bytes(group->costs[s])) {
        group->planned_bytes = accelerator->memory_bytes;
        accelerator->memory_bytes = 0;
    }
    if (dispatch_offloads(&needs) && cost_check_accel(group->costs[s], &lack) < 0)
        return node_fail_key(scheduler ? scheduler : map,
                             needs.accel_merged_items > 0 ? "accel_items" : "offload_items", err,
                             "%s for service %s", lack.text, service);
    if (type->advance && cost_has_cold(group->costs[s]))
        return node_fail_key(
            cost ? cost : map, "cold_factor", err,
            "cores that go cold are known to the schedulers static and fixed only, "
            "for service %s",
            service);
    return 0;
}

// Costs need models and platforms to be complete, so they come last, and not where one is wrong.
static int make_costs(const struct study *study, const struct library *library,
                      struct study_group *group, const struct node *map, struct err *err)
{
    const struct node *root = node_root(map), *traffic = node_get(root, "traffic");
    bool wrong = mistakes_in(map);
    for (const char *const *section = library_sections; *section; section++)
        wrong = wrong || mistakes_in_key(root, *section);
    if (wrong)
        return -1;
    for (size_t s = 0; s < study->n_services; s++)
        if (!mistakes_in(traffic->items[s]) &&
            mistakes_keep(map, make_cost(study, library, group, s, map, err), err) < 0)
            return -1;
    return 0;
}

static void resolve_settings(const struct study *study, struct study_group *group)
{
    for (size_t s = 0; s < study->n_services; s++) {
        group->settings[s] = group->given[s];
        sched_types[group->scheduler]->resolve(group->settings[s].values,
                                               study_traffic_largest_items(study, s),
                                               group->platform.cores);
    }
}

// What a study does not say of the spread of service times, its measured tables may.
static void spread_as_measured(const struct study *study, struct study_group *group)
{
    double cv = study_tables_cv(study, group);
    if (!group->noise.given && cv > 0) {
        group->noise.distribution = SPREAD_LOGNORMAL;
        group->noise.cv = cv;
    }
}

static void make_groups(struct study *study, size_t n)
{
    study->n_groups = n;
    study->groups = mem_calloc(n, sizeof *study->groups);
    for (size_t g = 0; g < n; g++) {
        struct study_group *group = &study->groups[g];
        group->given = mem_calloc(study->n_services, sizeof *group->given);
        group->settings = mem_calloc(study->n_services, sizeof *group->settings);
        group->cost_configs = mem_calloc(study->n_services, sizeof *group->cost_configs);
        group->tables = mem_calloc(study->n_services, sizeof *group->tables);
        group->costs = mem_calloc(study->n_services, sizeof *group->costs);
    }
}

int study_fleet_read(struct study *study, const struct library *library, const struct node *root,
                     struct err *err)
{
    static const char *const others[] = {"groups", NULL};
    const struct node *map, *list;
    const struct reader_part part = {study_fleet_fields, study};
    const struct reader_options options = {others, false};
    schema_defaults(study_fleet_fields, study);
    if (reader_map(root, "fleet", &map, err) < 0 || reader_list(map, "groups", &list, err) < 0)
        return -1;
    if (mistakes_misspelt(root, "fleet"))
        return -1;
    if (mistakes_keep(map ? map : root, reader_fill(map, root, &part, 1, &options, err), err) < 0 ||
        mistakes_misspelt(map, "groups"))
        return -1;
    if (!list || list->n == 0)
        return node_fail_key(map ? map : root, map ? "groups" : "fleet.groups", err,
                             "missing; expected at least one group of servers");
    if (list->n > MAX_GROUPS)
        return node_fail(list, err, "expected at most %d groups", MAX_GROUPS);
    make_groups(study, list->n);
    int64_t servers = 0;
    for (size_t g = 0; g < list->n; g++) {
        const struct node *item = list->items[g];
        struct study_group *group = &study->groups[g];
        if (mistakes_keep(item, read_group(study, library, item, g, err), err) < 0 ||
            mistakes_keep(item, make_costs(study, library, group, item, err), err) < 0)
            return -1;
        if (!mistakes_in(root)) {
            resolve_settings(study, group);
            spread_as_measured(study, group);
            int sizes = study_tables_check_sizes(study, group, item, err);
            if (mistakes_keep(item, sizes, err) < 0)
                return -1;
        }
        servers += group->servers;
    }
    if (mistakes_in(map))
        return -1;
    if (servers < study->cells)
        return node_fail_key(map, "cells", err,
                             "expected at most one per server (%lld in all), got %lld",
                             (long long)servers, (long long)study->cells);
    if (servers > MAX_SERVERS)
        return node_fail(list, err, "expected at most %d servers in all", MAX_SERVERS);
    return 0;
}

static void release_group(struct study *study, struct study_group *group)
{
    for (size_t s = 0; s < study->n_services; s++) {
        cost_destroy(group->costs[s]);
        release_cost(&group->cost_configs[s]);
        table_file_release(&group->tables[s]);
    }
    mem_free(group->label);
    mem_free(group->tables);
    mem_free(group->costs);
    mem_free(group->cost_configs);
    mem_free(group->given);
    mem_free(group->settings);
    platform_release(&group->platform);
    schema_release(study_on_fields, group);
    mem_free((uint32_t *)group->on.n_on);
    schema_release(study_group_fields, group);
}

void study_fleet_release(struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++)
        release_group(study, &study->groups[g]);
    mem_free(study->groups);
}
