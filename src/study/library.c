// SPDX-License-Identifier: Apache-2.0
#include "study/library.h"

#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/reader.h"

static bool in_folder(const struct library_file *file, const char *folder)
{
    return strncmp(file->path, folder, strlen(folder)) == 0;
}

static int fill(const struct node *root, const struct field *fields, void *config, struct err *err)
{
    const struct reader_part part = {fields, config};
    const struct reader_options options = {NULL, false};
    char found[64];

    if (root->kind != NODE_MAP)
        return node_fail(root, err, "expected a map, got %s",
                         node_found(root, found, sizeof found));
    schema_defaults(fields, config);
    return reader_fill(root, NULL, &part, 1, &options, err);
}

static int load_model(struct library *library, const struct node *root, struct err *err)
{
    library->models = mem_realloc(library->models, library->n_models + 1, sizeof *library->models);
    struct model *model = &library->models[library->n_models++];
    memset(model, 0, sizeof *model);
    if (fill(root, model_fields, model, err) < 0)
        return -1;
    return model_check(model, err) < 0 ? reader_prefix(root, err) : 0;
}

static int load_platform(struct library *library, const struct node *root, struct err *err)
{
    library->platforms =
        mem_realloc(library->platforms, library->n_platforms + 1, sizeof *library->platforms);
    struct platform *platform = &library->platforms[library->n_platforms++];
    memset(platform, 0, sizeof *platform);
    if (fill(root, platform_fields, platform, err) < 0)
        return -1;
    return platform_check(platform, err) < 0 ? reader_prefix(root, err) : 0;
}

static int load_accelerator(struct library *library, const struct node *root, struct err *err)
{
    library->accelerators = mem_realloc(library->accelerators, library->n_accelerators + 1,
                                        sizeof *library->accelerators);
    struct accelerator *accelerator = &library->accelerators[library->n_accelerators++];
    memset(accelerator, 0, sizeof *accelerator);
    if (fill(root, accelerator_fields, accelerator, err) < 0)
        return -1;
    return accelerator_check(accelerator, err) < 0 ? reader_prefix(root, err) : 0;
}

static int load_table(struct library *library, const struct node *root, struct err *err)
{
    library->tables = mem_realloc(library->tables, library->n_tables + 1, sizeof *library->tables);
    struct cost_table *table = &library->tables[library->n_tables++];
    memset(table, 0, sizeof *table);
    if (fill(root, cost_table_fields, table, err) < 0)
        return -1;
    return cost_table_check(table, err) < 0 ? reader_prefix(root, err) : 0;
}

static int load_file(struct library *library, const struct library_file *file, struct err *err)
{
    struct doc *doc = doc_parse(file->path, (const char *)file->data, file->size, err);
    if (!doc)
        return -1;
    const struct node *root = doc_root(doc);
    int rc = 0;
    if (in_folder(file, "models/catalog/"))
        rc = load_model(library, root, err);
    else if (in_folder(file, "models/tables/"))
        rc = load_table(library, root, err);
    else if (in_folder(file, "models/accelerators/"))
        rc = load_accelerator(library, root, err);
    else
        rc = load_platform(library, root, err);
    doc_destroy(doc);
    return rc;
}

static int attach_accelerators(struct library *library, struct err *err)
{
    for (size_t i = 0; i < library->n_platforms; i++) {
        struct platform *platform = &library->platforms[i];
        const char *name = platform->accelerator_name;
        if (!name || !*name)
            continue;
        const struct accelerator *accelerator = library_accelerator(library, name);
        if (!accelerator) {
            library_unknown_accelerator(library, name, err);
            return err_prefix(err, "platform %s", platform->name);
        }
        platform_attach(platform, accelerator);
    }
    return 0;
}

int library_load(struct library *library, struct err *err)
{
    int rc = 0;
    *library = (struct library){0};
    for (const struct library_file *file = library_files; file->path && rc == 0; file++)
        rc = load_file(library, file, err);
    if (rc == 0)
        rc = attach_accelerators(library, err);
    if (rc < 0)
        library_release(library);
    return rc;
}

void library_release(struct library *library)
{
    for (size_t i = 0; i < library->n_models; i++)
        model_release(&library->models[i]);
    for (size_t i = 0; i < library->n_platforms; i++)
        platform_release(&library->platforms[i]);
    for (size_t i = 0; i < library->n_accelerators; i++)
        accelerator_release(&library->accelerators[i]);
    for (size_t i = 0; i < library->n_tables; i++)
        cost_table_release(&library->tables[i]);
    mem_free(library->models);
    mem_free(library->platforms);
    mem_free(library->accelerators);
    mem_free(library->tables);
    *library = (struct library){0};
}

// The four lists differ in type only: a finder and a complaint for each.
#define LIBRARY_KIND(kind, type, plural)                                                           \
    const struct type *library_##kind(const struct library *library, const char *name)             \
    {                                                                                              \
        for (size_t i = 0; i < library->n_##plural; i++)                                           \
            if (strcmp(library->plural[i].name, name) == 0)                                        \
                return &library->plural[i];                                                        \
        return NULL;                                                                               \
    }                                                                                              \
    int library_unknown_##kind(const struct library *library, const char *name, struct err *err)   \
    {                                                                                              \
        const char **names = mem_calloc(library->n_##plural, sizeof *names);                       \
        for (size_t i = 0; i < library->n_##plural; i++)                                           \
            names[i] = library->plural[i].name;                                                    \
        const char *near = schema_nearest(name, names, library->n_##plural);                       \
        mem_free(names);                                                                           \
        return near ? err_set(err, ERR_STUDY, "unknown " #kind " \"%.60s\"; did you mean \"%s\"?", \
                              name, near)                                                          \
                    : err_set(err, ERR_STUDY,                                                      \
                              "unknown " #kind " \"%.60s\"; see: recfleet list " #plural, name);   \
    }

LIBRARY_KIND(model, model, models)
LIBRARY_KIND(platform, platform, platforms)
LIBRARY_KIND(accelerator, accelerator, accelerators)
LIBRARY_KIND(table, cost_table, tables)

// What changes no time that was measured: what a thing is called, holds, draws and is asked for,
// and how many queries use it at once.
static const char *const no_times[] = {
    "name",        "title",      "class",      "year",        "variant",         "bound",
    "sla_low",     "sla_medium", "sla_high",   "memory_size", "streams",         "overlap",
    "accelerator", "idle_power", "busy_power", "power_gamma", "embodied_carbon", "lifetime",
    "provisional", "sources",    NULL};

static bool counts_for_times(const char *key)
{
    const char *const *no = no_times;
    while (*no && strcmp(*no, key) != 0)
        no++;
    return !*no;
}

// The first key that counts for times and differs between what is used and what was measured.
static int compare(const struct field *fields, const void *used, const void *measured,
                   const char *what, struct err *err)
{
    int rc = 0;
    for (const struct field *f = fields; f->key && rc == 0; f++) {
        char *ours = schema_format(f, used), *theirs = schema_format(f, measured);
        if (counts_for_times(f->key) && strcmp(ours, theirs) != 0)
            rc = err_set(err, ERR_STUDY, "%s has %s %.60s in place of %.60s", what, f->key, ours,
                         theirs);
        mem_free(ours);
        mem_free(theirs);
    }
    return rc;
}

bool library_same_model(const struct model *a, const struct model *b)
{
    return compare(model_fields, a, b, "", NULL) == 0;
}

// Says which of two things of one name differs, or that the names do.
static int differs(const struct field *fields, const void *used, const void *measured,
                   const char *what, const char *name, const char *known, struct err *err)
{
    if (compare(fields, used, measured, what, err) == 0)
        return 0;
    return strcmp(name, known) == 0 ? -1 : err_set(err, ERR_STUDY, "%s is \"%.60s\"", what, name);
}

// Things are compared by what they are: a study may give a known name to something else, and
// another name to something known. Servers of fewer cores are those that were measured, in part.
static int compare_all(const struct library *library, const struct cost_table *table,
                       const struct model *model, const struct platform *platform, struct err *err)
{
    const struct model *its_model = library_model(library, table->model);
    const struct platform *its = library_platform(library, table->platform);
    if (model && differs(model_fields, model, its_model, "the service's model", model->name,
                         table->model, err) < 0)
        return -1;
    if (!platform)
        return 0;
    struct platform ours = *platform;
    ours.cores = ours.cores < its->cores ? its->cores : ours.cores;
    if (differs(platform_fields, &ours, its, "the group's platform", platform->name,
                table->platform, err) < 0)
        return -1;
    if (table->accel_compute_s.n == 0 || !platform->has_accelerator)
        return 0;
    return differs(accelerator_fields, &platform->accelerator, &its->accelerator,
                   "the group's accelerator", platform->accelerator.name, its->accelerator.name,
                   err);
}

int library_check_table(const struct library *library, const struct cost_table *table,
                        const struct model *model, const struct platform *platform, struct err *err)
{
    const char *name = platform->name;
    struct err why;
    if (compare_all(library, table, model, name && *name ? platform : NULL, &why) == 0)
        return 0;
    return err_set(err, ERR_STUDY,
                   "\"%.60s\" was measured with model \"%.60s\" on platform \"%.60s\", and %s; "
                   "see: recfleet list tables",
                   table->name, table->model, table->platform, why.text);
}

const struct cost_table *library_table_for(const struct library *library, const char *model,
                                           const char *platform)
{
    for (size_t i = 0; i < library->n_tables; i++)
        if (cost_table_matches(&library->tables[i], model, platform))
            return &library->tables[i];
    return NULL;
}

const struct cost_table *library_table_like(const struct library *library,
                                            const struct model *model,
                                            const struct platform *platform)
{
    for (size_t i = 0; i < library->n_tables && model; i++)
        if (compare_all(library, &library->tables[i], model, platform, NULL) == 0)
            return &library->tables[i];
    return NULL;
}

// Which tables a complaint lists, and by what.
struct listing {
    const char *model, *platform; // NULL: any
    bool by_model;                // names models, else platforms
};

static bool is_listed(const struct listing *listing, const struct cost_table *table)
{
    return (!listing->model || strcmp(table->model, listing->model) == 0) &&
           (!listing->platform || strcmp(table->platform, listing->platform) == 0);
}

// Appends the names, each once, as many as there is room for; returns how many tables there were.
static size_t append_names(const struct library *library, const struct listing *listing,
                           struct err *err)
{
    const char **names = mem_calloc(library->n_tables, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < library->n_tables; i++) {
        const struct cost_table *table = &library->tables[i];
        const char *name = listing->by_model ? table->model : table->platform;
        bool said = !is_listed(listing, table);
        for (size_t k = 0; k < n && !said; k++)
            said = strcmp(names[k], name) == 0;
        if (said)
            continue;
        err_append(err, "%s%s", n == 0 ? "; there are: " : ", ", name);
        names[n++] = name;
    }
    mem_free(names);
    return n;
}

int library_missing_table(const struct library *library, const char *model, const char *platform,
                          struct err *err)
{
    err_set(err, ERR_STUDY, "no measured table of model \"%.60s\" on platform \"%.60s\"", model,
            platform);
    if (append_names(library, &(struct listing){NULL, platform, true}, err) > 0)
        return err_append(err, " on \"%.60s\"", platform);
    if (append_names(library, &(struct listing){model, NULL, false}, err) == 0)
        append_names(library, &(struct listing){NULL, NULL, false}, err);
    return -1;
}
