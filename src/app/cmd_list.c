// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "results/report/table.h"
#include "search/tuner.h"
#include "study/library.h"
#include "study/study_variants.h"

static const struct cmd_option options[] = {
    {"--long", 'l', NULL, "with derived numbers and the source of every value"},
    CMD_CATALOG,
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// Entries of a topic with all their keys, from element to element `size` bytes apart.
struct entries {
    const struct field *fields;
    const void *first;
    size_t n, size;
};

// Where an entry belongs in a list for people.
struct place {
    const char *class;
    int64_t year;
    size_t at;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int by_class = strcmp(a->class, b->class);
    if (by_class != 0 || a->year != b->year)
        return by_class != 0 ? by_class : a->year < b->year ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

// The entries by class and year; caller mem_free()s.
static struct place *places_of(const struct entries *entries)
{
    size_t class = schema_find(entries->fields, "class")->offset;
    size_t year = schema_find(entries->fields, "year")->offset;
    struct place *places = mem_calloc(entries->n, sizeof *places);
    for (size_t i = 0; i < entries->n; i++) {
        const char *entry = (const char *)entries->first + i * entries->size;
        const char *name = *(char *const *)(const void *)(entry + class);
        places[i] = (struct place){name && *name ? name : "others",
                                   *(const int64_t *)(const void *)(entry + year), i};
    }
    qsort(places, entries->n, sizeof *places, compare_places);
    return places;
}

// A heading in front of the first of each class.
// "2024", "-" where it is not known.
static const char *year_text(int64_t year, char buf[24])
{
    snprintf(buf, 24, "%lld", (long long)year);
    return year > 0 ? buf : "-";
}

static void print_class(const struct place *places, size_t i)
{
    if (i == 0 || strcmp(places[i - 1].class, places[i].class) != 0)
        printf(" %s\n", places[i].class);
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

static void print_detail(const struct field *fields, const void *config, const char *sources)
{
    print_fields(fields, config);
    for (const char *line = sources; line && *line;
         line += strcspn(line, "\n"), line += *line == '\n')
        printf("      source of %.*s\n", (int)strcspn(line, "\n"), line);
}

static const char *provisional(bool is)
{
    return is ? "  [provisional]" : "";
}

// Where an entry is from, unless it is the program's.
static void print_origin(const struct library *library, enum library_kind kind, size_t i)
{
    const char *origin = library_origin(library, kind, i);
    if (origin)
        printf("  [%s]", origin);
    putchar('\n');
}

static void list_models(const struct library *library, bool detail)
{
    char sla[40], year[24];
    printf("models: %-15s %4s %-7s %-10s %-6s %9s %10s %9s %9s %8s\n", "name", "year", "variant",
           "bound", "format", "MFLOP/it", "kB/item", "weightsMB", "tablesGB", "sla");
    struct place *places = places_of(&(struct entries){model_fields, library->models,
                                                       library->n_models, sizeof *library->models});
    for (size_t i = 0; i < library->n_models; i++) {
        const struct model *m = &library->models[places[i].at];
        struct model_work work;
        model_derive(m, &work);
        units_format_ns(m->sla_medium_ns, sla, sizeof sla);
        print_class(places, i);
        printf("        %-15s %4s %-7s %-10s %-6s %9.3f %10.2f %9.2f %9.2f %8s%s", m->name,
               year_text(m->year, year), model_variant_names[m->variant],
               model_bound_names[m->bound], model_format_names[m->format],
               work_flop_per_item(&work) * 1e-6,
               work.by_class[WORK_EMBEDDING].bytes_per_item * 1e-3, work_weight_bytes(&work) * 1e-6,
               work.table_bytes * 1e-9, sla, provisional(m->provisional));
        print_origin(library, LIBRARY_MODELS, places[i].at);
        if (!detail)
            continue;
        printf("      %s\n      %-24s %.6g\n", m->title, "lookups per item", work.lookups_per_item);
        for (int c = 0; c < N_WORK_CLASSES; c++)
            if (work.by_class[c].n_ops > 0)
                printf("      %-24s %.6g operators, %.6g FLOP/item, %.6g B/item, %.6g B weights\n",
                       work_class_names[c], work.by_class[c].n_ops, work.by_class[c].flop_per_item,
                       work.by_class[c].bytes_per_item, work.by_class[c].weight_bytes);
        print_detail(model_fields, m, m->sources);
    }
    mem_free(places);
}

static void list_platforms(const struct library *library, bool detail)
{
    printf("platforms:\n");
    struct place *places = places_of(&(struct entries){
        platform_fields, library->platforms, library->n_platforms, sizeof *library->platforms});
    for (size_t i = 0; i < library->n_platforms; i++) {
        const struct platform *p = &library->platforms[places[i].at];
        char year[24];
        print_class(places, i);
        printf("  %-20s %4s %4lld cores, %.0f W idle, %.0f W busy: %s%s", p->name,
               year_text(p->year, year), (long long)p->cores, p->power.idle_w, p->power.busy_w,
               p->title, provisional(p->provisional));
        print_origin(library, LIBRARY_PLATFORMS, places[i].at);
        if (detail)
            print_detail(platform_fields, p, p->sources);
    }
    mem_free(places);
}

static void list_accelerators(const struct library *library, bool detail)
{
    printf("accelerators:\n");
    struct place *places =
        places_of(&(struct entries){accelerator_fields, library->accelerators,
                                    library->n_accelerators, sizeof *library->accelerators});
    for (size_t i = 0; i < library->n_accelerators; i++) {
        const struct accelerator *a = &library->accelerators[places[i].at];
        char year[24];
        print_class(places, i);
        printf("  %-20s %4s %.0f W idle, %.0f W busy: %s%s", a->name, year_text(a->year, year),
               a->power.idle_w, a->power.busy_w, a->title, provisional(a->provisional));
        print_origin(library, LIBRARY_ACCELERATORS, places[i].at);
        if (detail)
            print_detail(accelerator_fields, a, a->sources);
    }
    mem_free(places);
}

static void list_tables(const struct library *library, bool detail)
{
    int width = 24;
    for (size_t i = 0; i < library->n_tables; i++)
        width = (int)fmax(width, (double)strlen(library->tables[i].name));
    printf("measured tables:\n");
    for (size_t i = 0; i < library->n_tables; i++) {
        const struct cost_table *t = &library->tables[i];
        printf("  %-*s  %s on %s%s", width, t->name, t->model, t->platform,
               provisional(t->provisional));
        print_origin(library, LIBRARY_TABLES, i);
        if (detail)
            print_detail(cost_table_fields, t, t->sources);
    }
}

static void list_variants(const char *title, struct study_variants variants, bool detail)
{
    printf("%s:\n", title);
    for (size_t i = 0; i < variants.n; i++) {
        printf("  %-20s %s\n", variants.names[i], variants.helps[i]);
        for (const struct field *f = variants.fields[i]; detail && f && f->key; f++)
            printf("      %-18s %s [%s]\n", f->key, f->help, f->dflt ? f->dflt : "required");
    }
}

// The policies of a tune section.
static void list_tuners(const struct library *library, bool detail)
{
    (void)library;
    (void)detail;
    printf("tuners:\n");
    for (size_t i = 0; tuner_policies[i]; i++)
        printf("  %-20s %s\n", tuner_policies[i]->name, tuner_policies[i]->help);
}

// ---- for programs

// The kind of things that a topic lists; N_LIBRARY_KINDS: none.
static int kind_of(const char *topic)
{
    int kind = 0;
    while (kind < N_LIBRARY_KINDS && strcmp(library_sections[kind], topic) != 0)
        kind++;
    return kind;
}

static void print_entries(struct report_out *out, const struct library *library,
                          enum library_kind kind, const struct field *fields)
{
    struct table *table = table_create(0);
    for (const struct field *f = fields; f->key; f++)
        table_cell(table, mem_strdup(f->key));
    table_cell(table, mem_strdup("origin"));
    table_line(table);
    for (size_t i = 0; i < library_n(library, kind); i++) {
        const char *origin = library_origin(library, kind, i);
        for (const struct field *f = fields; f->key; f++)
            table_cell(table, schema_format(f, library_entry(library, kind, i)));
        table_cell(table, mem_strdup(origin ? origin : "recfleet"));
    }
    table_print(table, out, library_sections[kind]);
    table_destroy(table);
}

static void print_helps(struct report_out *out, const char *topic, struct study_variants variants)
{
    struct table *table = table_create(2);
    table_row(table, (const char *const[]){"name", "help"});
    for (size_t i = 0; i < variants.n; i++)
        table_row(table, (const char *const[]){variants.names[i], variants.helps[i]});
    for (size_t i = 0; variants.n == 0 && tuner_policies[i]; i++)
        table_row(table, (const char *const[]){tuner_policies[i]->name, tuner_policies[i]->help});
    table_print(table, out, topic);
    table_destroy(table);
}

// Either lists itself, or is a family of variants.
static const struct topic {
    const char *name;
    void (*list)(const struct library *library, bool detail);
    struct study_variants (*variants)(void);
} topics[] = {{"models", list_models, NULL},
              {"platforms", list_platforms, NULL},
              {"accelerators", list_accelerators, NULL},
              {"tables", list_tables, NULL},
              {"policies", NULL, study_variants_policies},
              {"schedulers", NULL, study_variants_schedulers},
              {"distributions", NULL, study_variants_sizes},
              {"arrivals", NULL, study_variants_arrivals},
              {"costs", NULL, study_variants_costs},
              {"tuners", list_tuners, NULL}};
enum { N_TOPICS = sizeof topics / sizeof *topics };

static void print_topic(struct report_out *out, const struct topic *topic,
                        const struct library *library, bool detail)
{
    static const struct field *const fields[] = {[LIBRARY_ACCELERATORS] = accelerator_fields,
                                                 [LIBRARY_PLATFORMS] = platform_fields,
                                                 [LIBRARY_MODELS] = model_fields,
                                                 [LIBRARY_TABLES] = cost_table_fields};
    int kind = kind_of(topic->name);
    if (out->format != REPORT_TEXT && kind < N_LIBRARY_KINDS)
        print_entries(out, library, (enum library_kind)kind, fields[kind]);
    else if (out->format != REPORT_TEXT)
        print_helps(out, topic->name,
                    topic->variants ? topic->variants() : (struct study_variants){0});
    else if (topic->list)
        topic->list(library, detail);
    else
        list_variants(topic->name, topic->variants(), detail);
}

static int list(struct cmd_line *line, struct err *err)
{
    const char *only = line->n_args ? line->args[0] : NULL, *names[N_TOPICS];
    bool detail = cmd_given(line, "--long"), known = !only;
    struct report_out out = cmd_report_out(line);
    struct library library;
    for (int t = 0; t < N_TOPICS; t++) {
        names[t] = topics[t].name;
        known = known || strcmp(only, names[t]) == 0;
    }
    if (!known) {
        const char *near = schema_nearest(only, names, N_TOPICS);
        err_set(err, ERR_STUDY, "recfleet list: unknown topic \"%.80s\"", only);
        return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
    }
    if (library_load_with(&library, cmd_catalog(line), err) < 0)
        return -1;
    for (const struct topic *topic = topics; topic < topics + N_TOPICS; topic++) {
        if (only && strcmp(only, topic->name) != 0)
            continue;
        print_topic(&out, topic, &library, detail);
    }
    report_end(&out);
    library_release(&library);
    return 0;
}

static const char *word(const char *option, size_t i)
{
    return !option && i < N_TOPICS ? topics[i].name : NULL;
}

const struct cmd cmd_list = {
    .name = "list",
    .help = "list models, platforms, accelerators, measured tables, and what else a study can name",
    .arguments = "[TOPIC]",
    .min_args = 0,
    .max_args = 1,
    .description =
        "Shows what a study can name. TOPIC is one of models, platforms, accelerators, tables, "
        "policies, schedulers, distributions, arrivals, costs and tuners; without it all are "
        "shown. Models and hardware are grouped by class, the oldest first. Values marked "
        "provisional await measurement; --long shows where each comes from.",
    .example = "recfleet list models --long",
    .options = options,
    .word = word,
    .run = list,
};
