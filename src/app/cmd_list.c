// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "search/tuner.h"
#include "study/library.h"
#include "study/study_variants.h"

static const struct cmd_option options[] = {
    {"--long", 'l', NULL, "with derived numbers and the source of every value"},
    {NULL, 0, NULL, NULL}};

static void print_sources(const char *sources)
{
    for (const char *line = sources; line && *line;
         line += strcspn(line, "\n"), line += *line == '\n')
        printf("      source of %.*s\n", (int)strcspn(line, "\n"), line);
}

static void print_fields(const struct field *fields, const void *config)
{
    for (const struct field *f = fields; f->key; f++) {
        char *text = schema_format(f, config);
        if (strcmp(f->key, "sources") != 0 && strcmp(f->key, "title") != 0 && *text)
            printf("      %-24s %s\n", f->key, text);
        mem_free(text);
    }
}

static const char *provisional(bool is)
{
    return is ? "  [provisional]" : "";
}

static void list_models(const struct library *library, bool detail)
{
    char sla[40];
    printf("models: %-12s %-7s %-10s %9s %10s %9s %9s %8s\n", "name", "variant", "bound",
           "MFLOP/it", "kB/item", "weightsMB", "tablesGB", "sla");
    for (size_t i = 0; i < library->n_models; i++) {
        const struct model *m = &library->models[i];
        struct model_work work;
        model_derive(m, &work);
        units_format_ns(m->sla_medium_ns, sla, sizeof sla);
        printf("        %-12s %-7s %-10s %9.3f %10.2f %9.2f %9.2f %8s%s\n", m->name,
               model_variant_names[m->variant], model_bound_names[m->bound],
               work_flop_per_item(&work) * 1e-6,
               work.by_class[WORK_EMBEDDING].bytes_per_item * 1e-3, work_weight_bytes(&work) * 1e-6,
               work.table_bytes * 1e-9, sla, provisional(m->provisional));
        if (!detail)
            continue;
        printf("      %s\n      %-24s %.6g\n", m->title, "lookups per item", work.lookups_per_item);
        for (int c = 0; c < N_WORK_CLASSES; c++)
            if (work.by_class[c].n_ops > 0)
                printf("      %-24s %.6g operators, %.6g FLOP/item, %.6g B/item, %.6g B weights\n",
                       work_class_names[c], work.by_class[c].n_ops, work.by_class[c].flop_per_item,
                       work.by_class[c].bytes_per_item, work.by_class[c].weight_bytes);
        print_fields(model_fields, m);
        print_sources(m->sources);
    }
}

static void list_platforms(const struct library *library, bool detail)
{
    printf("platforms:\n");
    for (size_t i = 0; i < library->n_platforms; i++) {
        const struct platform *p = &library->platforms[i];
        printf("  %-14s %4lld cores, %.3g W idle, %.3g W busy: %s%s\n", p->name,
               (long long)p->cores, p->power.idle_w, p->power.busy_w, p->title,
               provisional(p->provisional));
        if (detail) {
            print_fields(platform_fields, p);
            print_sources(p->sources);
        }
    }
    printf("accelerators:\n");
    for (size_t i = 0; i < library->n_accelerators; i++) {
        const struct accelerator *a = &library->accelerators[i];
        printf("  %-14s %.3g W idle, %.3g W busy: %s%s\n", a->name, a->power.idle_w,
               a->power.busy_w, a->title, provisional(a->provisional));
        if (detail) {
            print_fields(accelerator_fields, a);
            print_sources(a->sources);
        }
    }
    printf("measured tables:\n");
    for (size_t i = 0; i < library->n_tables; i++) {
        const struct cost_table *t = &library->tables[i];
        printf("  %-24s %s on %s%s\n", t->name, t->model, t->platform, provisional(t->provisional));
        if (detail) {
            print_fields(cost_table_fields, t);
            print_sources(t->sources);
        }
    }
}

static void list_variants(const char *title, const struct study_variants *variants, bool detail)
{
    printf("%s:\n", title);
    for (size_t i = 0; i < variants->n; i++) {
        printf("  %-20s %s\n", variants->names[i], variants->helps[i]);
        for (const struct field *f = variants->fields[i]; detail && f && f->key; f++)
            printf("      %-18s %s [%s]\n", f->key, f->help, f->dflt ? f->dflt : "required");
    }
}

// The policies of a tune section.
static void list_tuners(void)
{
    printf("tuners:\n");
    for (size_t i = 0; tuner_policies[i]; i++)
        printf("  %-20s %s\n", tuner_policies[i]->name, tuner_policies[i]->help);
}

enum topic {
    MODELS,
    PLATFORMS,
    POLICIES,
    SCHEDULERS,
    DISTRIBUTIONS,
    ARRIVALS,
    COSTS,
    TUNERS,
    N_TOPICS
};
static const char *const topics[] = {"models",     "platforms",     "policies",
                                     "schedulers", "distributions", "arrivals",
                                     "costs",      "tuners",        NULL};

static void list_topic(enum topic topic, const struct library *library, bool detail)
{
    struct study_variants variants;
    if (topic == MODELS)
        list_models(library, detail);
    else if (topic == PLATFORMS)
        list_platforms(library, detail);
    else if (topic == POLICIES)
        list_variants("policies", (variants = study_variants_policies(), &variants), detail);
    else if (topic == SCHEDULERS)
        list_variants("schedulers", (variants = study_variants_schedulers(), &variants), detail);
    else if (topic == DISTRIBUTIONS)
        list_variants("distributions", (variants = study_variants_sizes(), &variants), detail);
    else if (topic == ARRIVALS)
        list_variants("arrivals", (variants = study_variants_arrivals(), &variants), detail);
    else if (topic == TUNERS)
        list_tuners();
    else
        list_variants("costs", (variants = study_variants_costs(), &variants), detail);
}

static int list(struct cmd_line *line, struct err *err)
{
    struct library library;
    int only = -1;
    for (int t = 0; line->n_args && t < N_TOPICS; t++)
        if (strcmp(line->args[0], topics[t]) == 0)
            only = t;
    if (line->n_args && only < 0) {
        const char *near = schema_nearest(line->args[0], topics, N_TOPICS);
        err_set(err, ERR_STUDY, "recfleet list: unknown topic \"%.80s\"", line->args[0]);
        return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
    }
    if (library_load(&library, err) < 0)
        return -1;
    for (int t = 0; t < N_TOPICS; t++)
        if (only < 0 || t == only)
            list_topic((enum topic)t, &library, cmd_given(line, "--long"));
    library_release(&library);
    return CMD_DONE;
}

const struct cmd cmd_list = {
    .name = "list",
    .help = "list models, platforms, policies, schedulers, distributions, arrivals, costs, tuners",
    .arguments = "[TOPIC]",
    .min_args = 0,
    .max_args = 1,
    .description =
        "Shows what a study can name. TOPIC is one of models, platforms, policies, "
        "schedulers, distributions, arrivals, costs and tuners; without it all are shown. Values "
        "marked provisional "
        "await measurement; --long shows where each comes from.",
    .example = "recfleet list models --long",
    .options = options,
    .run = list,
};
