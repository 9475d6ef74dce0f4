// SPDX-License-Identifier: Apache-2.0
#include "study/study_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/policy.h"
#include "cluster/sched.h"
#include "models/platform.h"
#include "study/doc.h"
#include "study/flow.h"
#include "study/study_fleet.h"
#include "study/study_traffic.h"
#include "study/study_variants.h"
#include "study/table_file.h"

// Texts for people: they do not change a result and may be long.
static const char *const prose_keys[] = {"title", "sources", "provisional", NULL};

static bool is_prose(const char *key)
{
    for (const char *const *k = prose_keys; *k; k++)
        if (strcmp(*k, key) == 0)
            return true;
    return false;
}

static void print_pair(FILE *out, int indent, const char *key, const char *text)
{
    char *value = flow_quote(text);
    fprintf(out, "%*s%s: %s\n", indent, "", key, value);
    mem_free(value);
}

static void print_field(FILE *out, int indent, const struct field *field, const void *config)
{
    char *text = schema_format(field, config);
    if (field->type == FIELD_REALS)
        fprintf(out, "%*s%s: %s\n", indent, "", field->key, text);
    else
        print_pair(out, indent, field->key, text);
    mem_free(text);
}

// All rows but those in `skip` and the prose.
static void print_fields(FILE *out, int indent, const struct field *fields, const void *config,
                         const char *const *skip)
{
    for (const struct field *f = fields; f && f->key; f++) {
        bool skipped = is_prose(f->key);
        for (const char *const *s = skip; s && *s; s++)
            skipped = skipped || strcmp(*s, f->key) == 0;
        if (!skipped)
            print_field(out, indent, f, config);
    }
}

// A row whose text is the study's own rather than the struct's (a file beside the study, which has
// that path). Without a path files are left out.
static void print_variant(FILE *out, int indent, const char *path, const char *selector,
                          const struct study_variants *variants, int64_t index, const void *config)
{
    const struct field *fields = variants->fields[index];
    const char *slash = path ? strrchr(path, '/') : NULL;
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    print_pair(out, indent, selector, variants->names[index]);
    print_fields(out, indent, fields, config, study_traffic_file_keys);
    for (const char *const *key = study_traffic_file_keys; *key && path; key++) {
        const struct field *file = schema_find(fields, *key);
        if (!file)
            continue;
        char *text = schema_format(file, config);
        bool beside = dir && strncmp(text, path, dir) == 0;
        print_pair(out, indent, *key, beside ? text + dir : text);
        mem_free(text);
    }
}

static void print_service(FILE *out, const char *path, const struct service_config *service)
{
    const struct study_variants arrivals = study_variants_arrivals(),
                                sizes = study_variants_sizes();
    const struct service_traffic *traffic = &service->traffic;
    char percent[32], target[32];
    fprintf(out, "  -\n");
    print_fields(out, 4, study_service_fields, service, NULL);
    fprintf(out, "    arrivals:\n");
    print_variant(out, 6, path, "process", &arrivals, traffic->arrivals.process,
                  &traffic->arrivals);
    fprintf(out, "    sizes:\n");
    print_variant(out, 6, path, "distribution", &sizes, traffic->sizes.distribution,
                  &traffic->sizes);
    if (traffic->has_history && !arrival_carries_histories(&traffic->arrivals)) {
        fprintf(out, "    history:\n");
        print_variant(out, 6, path, "distribution", &sizes, traffic->history.distribution,
                      &traffic->history);
    }
    if (service->sla_ns > 0) {
        snprintf(percent, sizeof percent, "%.12g", service->sla_quantile * 100);
        units_format_ns(service->sla_ns, target, sizeof target);
        fprintf(out, "    sla: {p%s: %s}\n", percent, target);
    } else {
        fprintf(out, "    sla: none\n");
    }
}

static void print_traffic(FILE *out, const struct study *study, const char *path)
{
    fprintf(out, "traffic:\n");
    for (size_t s = 0; s < study->n_services; s++)
        print_service(out, path, &study->services[s]);
}

static void print_models(FILE *out, const struct study *study)
{
    if (study->n_models)
        fprintf(out, "models:\n");
    for (size_t m = 0; m < study->n_models; m++) {
        fprintf(out, "  -\n");
        print_fields(out, 4, model_fields, &study->models[m], NULL);
    }
}

// Tables of the user's that are in no file of their own; what they were measured with is theirs to
// say, so that this study needs nothing else.
static void print_tables(FILE *out, const struct study *study)
{
    const struct cost_table *printed[STUDY_MAX_SERVICES];
    size_t n = 0;
    for (size_t i = 0; i < study->n_groups * study->n_services; i++) {
        const struct study_group *group = &study->groups[i / study->n_services];
        size_t s = i % study->n_services, k = 0;
        const struct cost_table *table = group->cost_configs[s].measured;
        if (!table || table == &group->tables[s].table || n == STUDY_MAX_SERVICES ||
            library_is_built_in(&study->own, table))
            continue;
        while (k < n && printed[k] != table)
            k++;
        if (k < n)
            continue;
        printed[n++] = table;
        fprintf(out, "%s  -\n", n == 1 ? "tables:\n" : "");
        print_fields(out, 4, cost_table_fields, table, NULL);
    }
}

// The text of one service's settings in a group, to see which services differ.
typedef void (*settings_fn)(FILE *out, const struct study *study, const char *path,
                            const struct study_group *group, size_t service);

static void scheduler_settings(FILE *out, const struct study *study, const char *path,
                               const struct study_group *group, size_t service)
{
    const struct sched_type *type = sched_types[group->scheduler];
    const void *values = settings_values(&group->given[service]);
    (void)study;
    (void)path;
    for (const struct field *f = type->fields; f->key; f++)
        if (!type->is_implied(values, f))
            print_field(out, 10, f, values);
}

static void cost_settings(FILE *out, const struct study *study, const char *path,
                          const struct study_group *group, size_t service)
{
    const struct study_variants costs = study_variants_costs();
    const struct cost_config *config = &group->cost_configs[service];
    (void)study;
    print_variant(out, 10, path, "kind", &costs, config->kind, config);
}

static char *settings_text(const struct study *study, const char *path,
                           const struct study_group *group, size_t service, settings_fn print)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(out, study, path, group, service);
    fclose(out);
    return text;
}

// The first service's settings stand for all; the others are listed where they differ.
static void print_settings(FILE *out, const struct study *study, const char *path,
                           const struct study_group *group, const char *key, settings_fn print)
{
    char *base = settings_text(study, path, group, 0, print);
    bool listed = false;
    fprintf(out, "      %s:\n", key);
    for (char *line = base; *line; line = strchr(line, '\n') + 1)
        fprintf(out, "        %.*s\n", (int)(strcspn(line, "\n") - 10), line + 10);
    for (size_t s = 1; s < study->n_services; s++) {
        char *text = settings_text(study, path, group, s, print);
        if (strcmp(text, base) != 0) {
            fprintf(out, "%s        -\n", listed ? "" : "        services:\n");
            listed = true;
            print_pair(out, 10, "service", study->services[s].name);
            fputs(text, out);
        }
        free(text);
    }
    free(base);
}

// Without a schedule there is nothing to write: all servers are on.
static void print_on(FILE *out, const struct study_group *group)
{
    if (group->on_counts.n == 0)
        return;
    fprintf(out, "      on:\n");
    print_fields(out, 8, study_on_fields, group, NULL);
}

static void print_group(FILE *out, const struct study *study, const char *path,
                        const struct study_group *group)
{
    static const char *const own_keys[] = {"name", "accelerator", NULL};
    const struct platform *platform = &group->platform;
    fprintf(out, "    -\n");
    for (const struct field *f = study_group_fields; f->key; f++)
        if (strcmp(f->key, "platform") != 0 || *group->platform_name)
            print_field(out, 6, f, group);
    print_fields(out, 6, platform_fields, platform, own_keys);
    if (platform->has_accelerator) {
        fprintf(out, "      accelerator:\n");
        print_fields(out, 8, accelerator_fields, &platform->accelerator, NULL);
    } else {
        fprintf(out, "      accelerator: none\n");
    }
    print_settings(out, study, path, group, "scheduler", scheduler_settings);
    print_settings(out, study, path, group, "cost", cost_settings);
    fprintf(out, "      noise:\n");
    print_fields(out, 8, study_noise_fields, &group->noise, NULL);
    print_on(out, group);
}

static void print_event(FILE *out, const struct study *study, const struct outage_event *event)
{
    static const char *const cell_keys[] = {"group", "server", NULL}, *const server_keys[] = {
                                                                          "cell", NULL};
    const struct study_event entry = study_failures_event(study, event);
    fprintf(out, "  -\n");
    print_fields(out, 4, study_event_fields, &entry, event->whole_cell ? cell_keys : server_keys);
}

static void print_failures(FILE *out, const struct study *study)
{
    fprintf(out, "failures:\n");
    print_fields(out, 2, study_failures_fields, &study->outages, NULL);
    if (study->outages.n_events > 0)
        fprintf(out, "  events:\n");
    for (size_t i = 0; i < study->outages.n_events; i++)
        print_event(out, study, &study->outages.events[i]);
}

static void print_capacity(FILE *out, const struct study *study)
{
    static const char *const lists[] = {"schedulers", "allocations", "provisioning", NULL};
    const struct study_capacity *capacity = &study->capacity;
    fprintf(out, "capacity:\n  schedulers: [%s]\n  allocations: [%s]\n  provisioning: [%s]\n",
            capacity->schedulers, capacity->allocations, capacity->provisioning);
    print_fields(out, 2, study_capacity_fields, capacity, lists);
}

static void print_tune(FILE *out, const struct study *study, const char *path)
{
    const struct study_variants sizes = study_variants_sizes();
    const struct study_tune *tune = &study->tune;
    fprintf(out, "tune:\n  policies: [%s]\n", tune->policies);
    for (const struct field *f = study_tune_fields + 1; f->key; f++) {
        const struct reals *grid = study_tune_grid(tune, f->key);
        if (!grid || grid->n > 0) // an empty one is no value: left out, it is the built-in one
            print_field(out, 2, f, tune);
    }
    if (!tune->has_sizes)
        return;
    fprintf(out, "  sizes:\n");
    print_variant(out, 4, path, "distribution", &sizes, tune->sizes.distribution, &tune->sizes);
}

// All but where results and checkpoints go. `path` as for print_variant().
static void print_body(FILE *out, const struct study *study, const char *path)
{
    print_fields(out, 0, study_fields, &study->settings, NULL);
    print_traffic(out, study, path);
    fprintf(out, "fleet:\n");
    print_fields(out, 2, study_fleet_fields, study, NULL);
    fprintf(out, "  groups:\n");
    for (size_t g = 0; g < study->n_groups; g++)
        print_group(out, study, path, &study->groups[g]);
    fprintf(out, "balancer:\n");
    print_pair(out, 2, "policy", policy_types[study->balancer.policy]->name);
    print_fields(out, 2, balancer_fields, &study->balancer, NULL);
    print_fields(out, 2, study->balancer.settings.fields,
                 settings_values(&study->balancer.settings), NULL);
    print_models(out, study);
    print_tables(out, study);
    print_failures(out, study);
    print_tune(out, study, path);
    print_capacity(out, study);
    fprintf(out, "output:\n");
}

static char *print_whole(const struct study *study, bool with_checkpoint)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_body(out, study, study->path);
    print_fields(out, 2, study_output_fields, &study->output, NULL);
    if (with_checkpoint) {
        fprintf(out, "checkpoint:\n");
        print_fields(out, 2, study_checkpoint_fields, &study->checkpoint, NULL);
    }
    fclose(out);
    return text;
}

char *study_print_all(const struct study *study)
{
    return print_whole(study, true);
}

char *study_print_kept(const struct study *study)
{
    return print_whole(study, false);
}

char *study_print_result(const struct study *study)
{
    // The digest of a study without the newer key is what it was.
    bool sample = strcmp(study->output.queries, "sample") == 0;
    const char *const skip[] = {"file", sample ? "queries" : NULL, NULL};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_body(out, study, NULL);
    print_fields(out, 2, study_output_fields, &study->output, skip);
    fclose(out);
    return text;
}

char *study_print_traffic(const struct study *study)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_traffic(out, study, study->path);
    fclose(out);
    return text;
}
