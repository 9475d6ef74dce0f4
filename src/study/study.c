// SPDX-License-Identifier: Apache-2.0
#include "study/study.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/layout.h"
#include "cluster/policy.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "study/doc.h"
#include "study/grid.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study_digest.h"
#include "study/study_fleet.h"
#include "study/study_memory.h"
#include "study/study_models.h"
#include "study/study_print.h"
#include "study/study_tables.h"
#include "study/study_traffic.h"
#include "study/study_variants.h"
#include "traces/arrival.h"

const struct field study_fields[] = {
    FIELD(study_settings, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "study",
          "name of the study"),
    FIELD(study_settings, "seed", FIELD_UINT, UNIT_NONE, seed, 0, 2e19, "1",
          "seed of every random draw"),
    FIELD(study_settings, "duration", FIELD_TIME, UNIT_TIME, duration_ns, SIMTIME_US,
          (double)SIMTIME_LONGEST, NULL, "simulated time"),
    FIELD(
        study_settings, "warmup", FIELD_STRING, UNIT_NONE, warmup, 0, 0, "auto",
        "time left out at the start; auto: a twentieth, or more where the start is clearly lower"),
    FIELD(study_settings, "bins", FIELD_INT, UNIT_NONE, bins, 2, 10000, "60",
          "equal time bins that the rest of the run is cut into"),
    FIELD_END};

const struct field study_output_fields[] = {
    FIELD(study_output, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, "",
          "results file; empty: the study's name with .h5"),
    FIELD(study_output, "sample", FIELD_INT, UNIT_NONE, sample, 0, 10000000, "1000",
          "queries kept in the uniform sample, about"),
    FIELD(study_output, "queries", FIELD_STRING, UNIT_NONE, queries, 0, 0, "sample",
          "single queries kept: sample: those of the uniform sample; all: every measured one; "
          "slowest N: the sample, and the N slowest measured ones"),
    FIELD_END};

static int read_warmup(struct study *study, const struct node *root, struct err *err)
{
    const char *what = "auto or a time such as \"5s\"";
    const struct node *node = node_get(root, "warmup");
    const char *text = node ? reader_text(node, what, err) : study->settings.warmup;
    if (!text)
        return -1;
    if (node)
        schema_parse(schema_find(study_fields, "warmup"), text, &study->settings, NULL);
    study->warmup_auto = strcmp(text, "auto") == 0;
    if (study->warmup_auto || !node)
        return 0;
    if (units_parse_ns(text, &study->warmup_ns, NULL) < 0 || study->warmup_ns < 0)
        return node_fail(node, err, "expected %s, got \"%.80s\"", what, text);
    if (study->settings.duration_ns > 0 && study->warmup_ns >= study->settings.duration_ns)
        return node_fail(node, err, "expected less than the duration, got \"%.80s\"", text);
    return 0;
}

static int read_settings(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"traffic",      "fleet",      "models",   "platforms",
                                         "accelerators", "tables",     "balancer", "output",
                                         "sweep",        "tune",       "capacity", "failures",
                                         "warmup",       "checkpoint", NULL};
    struct grid_settings grid; // grid.h's business, but a mistake in it is one in every command
    const struct reader_part parts[] = {{study_fields, &study->settings}, {grid_fields, &grid}};
    const struct reader_options options = {others, false};
    schema_defaults(study_fields, &study->settings);
    if (mistakes_keep(root, reader_fill(root, NULL, parts, 2, &options, err), err) < 0)
        return -1;
    return read_warmup(study, root, err);
}

#define MOST_SLOWEST 100000

// "slowest 100": the number; 0: it is not that.
static uint32_t slowest_of(const char *text)
{
    static const char word[] = "slowest ";
    char *end;
    if (strncmp(text, word, sizeof word - 1) != 0 || !isdigit((unsigned char)text[sizeof word - 1]))
        return 0;
    long n = strtol(text + sizeof word - 1, &end, 10);
    return *end == '\0' && n <= MOST_SLOWEST ? (uint32_t)n : 0;
}

static int read_queries(struct study_output *output, const struct node *map, struct err *err)
{
    output->all_queries = strcmp(output->queries, "all") == 0;
    output->n_slowest = slowest_of(output->queries);
    if (output->all_queries || output->n_slowest > 0 || strcmp(output->queries, "sample") == 0)
        return 0;
    return node_fail(node_get(map, "queries"), err,
                     "expected sample, all, or slowest and a number up to %d such as \"slowest "
                     "100\", got \"%.80s\"",
                     MOST_SLOWEST, output->queries);
}

static int read_output(struct study *study, const struct node *root, struct err *err)
{
    const struct node *map;
    const struct reader_part part = {study_output_fields, &study->output};
    const struct reader_options plain = {NULL, false};
    schema_defaults(study_output_fields, &study->output);
    if (reader_map(root, "output", &map, err) < 0)
        return -1;
    if (reader_fill(map, root, &part, 1, &plain, err) < 0)
        return -1;
    return read_queries(&study->output, map, err);
}

static int read_balancer(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"policy", NULL};
    const struct reader_options options = {others, false};
    struct balancer_config *config = &study->balancer;
    const struct study_variants variants = study_variants_policies();
    const struct node *map;
    config->policy = study_variants_index(&variants, "random");
    int choice =
        study_variants_choose(root, "balancer", "policy", &variants, &map, &config->policy, err);
    if (mistakes_keep(root, choice, err) < 0)
        return -1;
    const struct policy_type *type = policy_types[config->policy];
    config->settings = settings_of(type->fields, NULL);
    schema_defaults(balancer_fields, config);
    // Keys of the other policies are checked and have no effect: a study that compares policies may
    // have them all.
    struct settings unused = {0};
    struct reader_part parts[STUDY_MAX_VARIANTS + 2] = {{balancer_fields, config},
                                                        {type->fields, config->settings.values}};
    for (size_t i = 0; i < variants.n; i++)
        if (variants.fields[i] != type->fields)
            parts[i + 2] = (struct reader_part){variants.fields[i], unused.values};
    if (reader_fill(map, map ? map : root, parts, variants.n + 2, &options, err) < 0 || choice < 0)
        return -1;
    if (type->needs_feedback && config->dispatch_delay_ns + config->status_delay_ns <= 0)
        return node_fail_key(map ? map : root, "dispatch_delay", err,
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
        group->label = study_tables_label(study, group);
        study->group_configs[g] = (struct group_config){
            .name = group->label,
            .platform = &group->platform,
            .n_servers = (uint32_t)group->servers,
            .weight = group->weight,
            .costs = (const struct cost *const *)group->costs,
            .scheduler = group->scheduler,
            .settings = group->settings,
            .noise = {group->noise.distribution, group->noise.cv, group->noise.correlation_ns,
                      group->noise.correlated_frac},
            .slow = group->slow,
            .on = group->on};
    }
    study->fleet = (struct fleet_config){.services = study->services,
                                         .n_services = (uint32_t)study->n_services,
                                         .sizes = (const struct qsize *const *)study->sizes,
                                         .groups = study->group_configs,
                                         .n_groups = (uint32_t)study->n_groups,
                                         .n_cells = (uint32_t)study->cells,
                                         .balancer = study->balancer,
                                         .outages = study->outages,
                                         .seed = study->settings.seed,
                                         .duration_ns = study->settings.duration_ns};
    double expected = study_expected_queries(study);
    double frac = expected > 0 ? (double)study->output.sample / expected : 1;
    study->fleet.sample_frac = study->output.sample == 0 ? 0 : frac < 1 ? frac : 1;
    if (study->output.all_queries)
        study->fleet.sample_frac = 1;
    study->fleet.all_queries = study->output.all_queries;
    study->fleet.n_slowest = study->output.n_slowest;
}

// What the study defines, over what is known.
static int read_own(struct study *study, const struct library *library, const struct node *root,
                    struct err *err)
{
    const struct library_source source = {study->path, study->path, true};
    study->own.base = library;
    if (library_add(&study->own, root, &source, err) < 0)
        return -1;
    study_models_take(study);
    return 0;
}

static int read_all(struct study *study, const struct library *library, const struct doc *doc,
                    enum study_reading reading, struct err *err)
{
    const struct node *root = doc_root(doc);
    bool open_files = (reading & STUDY_OPEN) != 0;
    char found[64];
    if (root->kind != NODE_MAP)
        return node_fail(root, err, "expected a map with keys such as \"traffic\", got %s",
                         node_found(root, found, sizeof found));
    // Things may move while they are added, so all of them come before anything points to one.
    if (mistakes_keep(root, read_settings(study, root, err), err) < 0 ||
        mistakes_keep(root, read_output(study, root, err), err) < 0 ||
        mistakes_keep(root, read_own(study, library, root, err), err) < 0 ||
        mistakes_keep(root, study_traffic_read(study, &study->own, root, open_files, err), err) <
            0 ||
        mistakes_keep(root, study_fleet_read(study, &study->own, root, err), err) < 0 ||
        mistakes_keep(root, read_balancer(study, root, err), err) < 0 ||
        mistakes_keep(root, study_failures_read(study, root, err), err) < 0 ||
        mistakes_keep(root, study_tune_read(study, root, open_files, err), err) < 0 ||
        mistakes_keep(root, study_capacity_read(study, root, err), err) < 0 ||
        mistakes_keep(root, study_checkpoint_read(study, root, err), err) < 0 ||
        mistakes_in(root) || study_memory_check(study, root, err) < 0)
        return -1;
    make_fleet(study);
    return 0;
}

static struct study *from_doc(const char *path, struct doc *doc, const char *const *settings,
                              size_t n_settings, const struct library *library,
                              enum study_reading reading, struct err *err)
{
    if (!doc)
        return NULL;
    struct study *study = mem_calloc(1, sizeof *study);
    int rc = 0;
    study->path = mem_strdup(path);
    study->reading = reading;
    for (size_t i = 0; i < n_settings && rc == 0; i++)
        rc = mistakes_keep(doc_root(doc), doc_set(doc, settings[i], err), err);
    if (rc == 0)
        rc = read_all(study, library, doc, reading, err);
    doc_destroy(doc);
    if (rc == 0)
        return study;
    study_destroy(study);
    return NULL;
}

struct study *study_parse(const char *path, const char *data, size_t size,
                          const char *const *settings, size_t n_settings,
                          const struct library *library, enum study_reading reading,
                          struct err *err)
{
    return from_doc(path, doc_parse(path, data, size, err), settings, n_settings, library, reading,
                    err);
}

struct study *study_of_doc(const char *path, const struct doc *doc, const char *const *settings,
                           size_t n_settings, const struct library *library,
                           enum study_reading reading, struct err *err)
{
    return from_doc(path, doc_copy(doc, "sweep"), settings, n_settings, library, reading, err);
}

struct study *study_read(const char *path, const char *const *settings, size_t n_settings,
                         const struct library *library, enum study_reading reading, struct err *err)
{
    return from_doc(path, doc_read(path, err), settings, n_settings, library, reading, err);
}

void study_mistakes(const char *path, const char *data, size_t size, const char *const *settings,
                    size_t n_settings, const struct library *library, enum study_reading reading,
                    struct mistakes *mistakes)
{
    struct err err = {0};
    struct doc *doc = doc_collect(path, data, size, mistakes, &err);
    study_destroy(from_doc(path, doc, settings, n_settings, library, reading, &err));
    if (err.code != ERR_NONE)
        mistakes_add(mistakes, NULL, err.text);
}

void study_destroy(struct study *study)
{
    if (!study)
        return;
    study_checkpoint_release(study);
    study_capacity_release(study);
    study_tune_release(study);
    study_failures_release(study);
    study_fleet_release(study); // counts services, so before they go
    study_traffic_release(study);
    study_models_release(study);
    library_release(&study->own);
    schema_release(study_fields, &study->settings);
    schema_release(study_output_fields, &study->output);
    mem_free(study->group_configs);
    mem_free(study->path);
    mem_free(study);
}

double study_expected_queries(const struct study *study)
{
    return study_traffic_rate_qps(study) * simtime_to_s(study->settings.duration_ns);
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

static struct meta_service service_meta(const struct fleet_config *fleet, uint32_t s)
{
    const struct service_config *service = &fleet->services[s];
    const struct arrival_config *arrivals = &service->traffic.arrivals;
    const struct trace *trace = arrivals->trace;
    const struct qsize *sizes = fleet->sizes ? fleet->sizes[s] : NULL;
    double cut_frac = arrival_carries_sizes(arrivals) ? (double)trace->n_cut / (double)trace->n
                      : sizes                         ? qsize_cut(sizes)->frac
                                                      : 0;
    return (struct meta_service){mem_strdup(service->name), mem_strdup(service->model),
                                 service->sla_quantile,     service->sla_ns,
                                 service->traffic.rate_qps, trace ? trace->n : 0,
                                 trace ? trace->n_cut : 0,  cut_frac};
}

static bool offloads(const struct group_config *group, uint32_t service)
{
    struct dispatch_config dispatch = sched_dispatch(group, service);
    return dispatch_offloads(&dispatch);
}

static struct meta_group group_meta(const struct group_config *group, uint32_t n_services)
{
    const struct platform *platform = group->platform;
    bool accel = platform->has_accelerator;
    for (uint32_t s = 0; s < n_services; s++)
        accel = accel || offloads(group, s);
    return (struct meta_group){mem_strdup(group->name),
                               mem_strdup(platform->name),
                               group->n_servers,
                               (uint32_t)platform->cores,
                               accel ? (uint32_t)platform->accelerator.streams : 0,
                               accel};
}

struct meta *study_fleet_meta(const struct fleet_config *fleet)
{
    uint32_t n_servers = 0, server = 0;
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        n_servers += fleet->groups[g].n_servers;
    struct meta *meta = meta_create(fleet->n_services, fleet->n_groups, n_servers);
    meta->n_cells = fleet->n_cells;
    for (uint32_t s = 0; s < fleet->n_services; s++)
        meta->services[s] = service_meta(fleet, s);
    for (uint32_t g = 0; g < fleet->n_groups; g++)
        meta->groups[g] = group_meta(&fleet->groups[g], fleet->n_services);
    for (uint32_t c = 0; c < fleet->n_cells; c++) // numbered cell by cell, then group by group
        for (uint32_t g = 0; g < fleet->n_groups; g++) {
            uint32_t n = layout_servers(fleet, g, c);
            slow_mark(fleet, g, c, meta->server_slow + server);
            for (; n > 0; n--, server++) {
                meta->server_group[server] = g;
                meta->server_cell[server] = c;
            }
        }
    return meta;
}

struct meta *study_meta(const struct study *study)
{
    struct meta *meta = study_fleet_meta(&study->fleet);
    meta->study_name = mem_strdup(study->settings.name);
    meta->policy = mem_strdup(policy_types[study->balancer.policy]->name);
    meta->program_version = mem_strdup(RECFLEET_VERSION);
    meta->study_text = study_print_kept(study);
    meta->study_digest = study_digest(study);
    meta->seed = study->settings.seed;
    meta->traffic_fingerprint = study_traffic_fingerprint(study);
    meta->duration_ns = study->settings.duration_ns;
    meta->warmup_ns = study->warmup_ns;
    meta->warmup_auto = study->warmup_auto;
    meta->has_outages = fleet_has_outages(&study->fleet);
    meta->shares_load = policy_types[study->balancer.policy]->needs_feedback;
    return meta;
}
