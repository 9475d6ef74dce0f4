// SPDX-License-Identifier: Apache-2.0
#include "study/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "models/datasheet.h"
#include "study/doc.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/table_file.h"

// ---- the four kinds -----------------------------------------------------------------------------

static int check_model(const void *entry, struct err *err)
{
    return model_check(entry, err);
}

static int check_platform(const void *entry, struct err *err)
{
    return platform_check(entry, err);
}

static int check_accelerator(const void *entry, struct err *err)
{
    return accelerator_check(entry, err);
}

static int check_table(const void *entry, struct err *err)
{
    return cost_table_check(entry, err);
}

static const struct kind {
    const char *name, *article, *section, *folder;
    const struct field *fields;
    size_t size, list_at, n_at; // of an entry; where a library has the list and its length
    int (*check)(const void *entry, struct err *err);
} kinds[N_LIBRARY_KINDS] = {
    [LIBRARY_ACCELERATORS] = {"accelerator", "an accelerator", "accelerators",
                              "models/accelerators/", accelerator_fields,
                              sizeof(struct accelerator), offsetof(struct library, accelerators),
                              offsetof(struct library, n_accelerators), check_accelerator},
    [LIBRARY_PLATFORMS] = {"platform", "a platform", "platforms", "models/platforms/",
                           platform_fields, sizeof(struct platform),
                           offsetof(struct library, platforms),
                           offsetof(struct library, n_platforms), check_platform},
    [LIBRARY_MODELS] = {"model", "a model", "models", "models/catalog/", model_fields,
                        sizeof(struct model), offsetof(struct library, models),
                        offsetof(struct library, n_models), check_model},
    [LIBRARY_TABLES] = {"table", "a table", "tables", "models/tables/", cost_table_fields,
                        sizeof(struct cost_table), offsetof(struct library, tables),
                        offsetof(struct library, n_tables), check_table},
};

const char *const library_sections[] = {"accelerators", "platforms", "models", "tables", NULL};

static size_t *count_of(struct library *library, const struct kind *kind)
{
    return (size_t *)(void *)((char *)library + kind->n_at);
}

size_t library_n(const struct library *library, enum library_kind kind)
{
    size_t n;
    memcpy(&n, (const char *)library + kinds[kind].n_at, sizeof n);
    return n;
}

static char *list_of(const struct library *library, const struct kind *kind)
{
    char *list;
    memcpy(&list, (const char *)library + kind->list_at, sizeof list);
    return list;
}

const void *library_entry(const struct library *library, enum library_kind kind, size_t i)
{
    return list_of(library, &kinds[kind]) + i * kinds[kind].size;
}

const char *library_origin(const struct library *library, enum library_kind kind, size_t i)
{
    return library->origins[kind] ? library->origins[kind][i] : NULL;
}

// Every entry begins with its name, in whatever struct it is.
static const char *name_of(const void *entry)
{
    char *name;
    memcpy(&name, entry, sizeof name);
    return name ? name : "";
}

_Static_assert(offsetof(struct model, name) == 0 && offsetof(struct platform, name) == 0 &&
                   offsetof(struct accelerator, name) == 0 &&
                   offsetof(struct cost_table, name) == 0,
               "name_of() reads the first member");

static const void *find_own(const struct library *library, enum library_kind kind, const char *name)
{
    for (size_t i = 0; i < library_n(library, kind); i++)
        if (strcmp(name_of(library_entry(library, kind, i)), name) == 0)
            return library_entry(library, kind, i);
    return NULL;
}

static const void *find(const struct library *library, enum library_kind kind, const char *name)
{
    const void *found = NULL;
    for (; library && !found; library = library->base)
        found = find_own(library, kind, name);
    return found;
}

static int unknown(const struct library *library, enum library_kind kind, const char *name,
                   struct err *err)
{
    const char **names = NULL;
    size_t n = 0;
    for (const struct library *l = library; l; l = l->base) {
        names = mem_realloc(names, n + library_n(l, kind), sizeof *names);
        for (size_t i = 0; i < library_n(l, kind); i++)
            names[n++] = name_of(library_entry(l, kind, i));
    }
    const char *near = schema_nearest(name, names, n);
    mem_free(names);
    return near ? err_set(err, ERR_STUDY, "unknown %s \"%.60s\"; did you mean \"%s\"?",
                          kinds[kind].name, name, near)
                : err_set(err, ERR_STUDY, "unknown %s \"%.60s\"; see: recfleet list %s",
                          kinds[kind].name, name, kinds[kind].section);
}

// The four differ in type only: a finder and a complaint for each.
#define LIBRARY_KIND(kind, type, which)                                                            \
    const struct type *library_##kind(const struct library *library, const char *name)             \
    {                                                                                              \
        return find(library, which, name);                                                         \
    }                                                                                              \
    int library_unknown_##kind(const struct library *library, const char *name, struct err *err)   \
    {                                                                                              \
        return unknown(library, which, name, err);                                                 \
    }

LIBRARY_KIND(model, model, LIBRARY_MODELS)
LIBRARY_KIND(platform, platform, LIBRARY_PLATFORMS)
LIBRARY_KIND(accelerator, accelerator, LIBRARY_ACCELERATORS)
LIBRARY_KIND(table, cost_table, LIBRARY_TABLES)

// ---- adding -------------------------------------------------------------------------------------

// Says where the entry at `n` is from; the program's own, before it, are from nowhere.
static void set_origin(struct library *library, enum library_kind which, size_t n,
                       const char *origin)
{
    char ***origins = &library->origins[which];
    if (!origin && !*origins)
        return;
    *origins = *origins ? mem_realloc(*origins, n + 1, sizeof **origins)
                        : mem_calloc(n + 1, sizeof **origins);
    (*origins)[n] = mem_strdup(origin);
}

// A new entry at the end, as `like` (NULL: of defaults), which may be one of the list. Entries
// move.
static void *append(struct library *library, enum library_kind which, const void *like,
                    const char *origin)
{
    const struct kind *kind = &kinds[which];
    size_t *n = count_of(library, kind), like_at = 0;
    while (like_at < *n && like != library_entry(library, which, like_at))
        like_at++;
    char *list = mem_realloc(list_of(library, kind), *n + 1, kind->size);
    void *entry = list + *n * kind->size;
    memcpy((char *)library + kind->list_at, &list, sizeof list);
    if (like_at < *n)
        like = list + like_at * kind->size;
    set_origin(library, which, *n, origin);
    ++*n;
    memset(entry, 0, kind->size);
    if (like) {
        memcpy(entry, like, kind->size);
        schema_copy(kind->fields, entry, like);
    } else {
        schema_defaults(kind->fields, entry);
    }
    if (which == LIBRARY_PLATFORMS) { // attached anew, by its name
        struct platform *platform = entry;
        platform->accelerator = (struct accelerator){0};
        platform->has_accelerator = false;
    }
    return entry;
}

static int attach(const struct library *library, struct platform *platform, struct err *err)
{
    const char *name = platform->accelerator_name;
    if (!name || !*name)
        return 0;
    const struct accelerator *accelerator = library_accelerator(library, name);
    if (!accelerator)
        return library_unknown_accelerator(library, name, err);
    platform_attach(platform, accelerator);
    return 0;
}

// A model whose work is given has no architecture, and a table in a file no times, whose keys
// others require.
static bool is_given(enum library_kind kind, const struct node *map)
{
    if (kind == LIBRARY_TABLES)
        return node_get(map, "file") != NULL;
    const struct node *node = kind == LIBRARY_MODELS ? node_get(map, "interaction") : NULL;
    return node && node->kind == NODE_SCALAR &&
           strcmp(node->text, model_interaction_names[INTERACT_GIVEN]) == 0;
}

// A name that is nearly a known one, with too little beside it for a thing of one's own.
static int check_name(const struct library *library, enum library_kind kind, const struct node *map,
                      const struct node *name, struct err *err)
{
    struct err why = {0};
    bool whole = kind != LIBRARY_PLATFORMS || node_get(map, "cores");
    for (const struct field *f = kinds[kind].fields; f->key; f++)
        whole = whole && (f->dflt || node_get(map, f->key) || is_given(kind, map));
    unknown(library, kind, name->text, &why);
    if (kind == LIBRARY_PLATFORMS && !whole && !strstr(why.text, "did you mean"))
        return node_fail_key(map, "cores", err,
                             "missing; expected the platform's cores, or like: and the name of a "
                             "known one");
    if (whole || !strstr(why.text, "did you mean"))
        return 0;
    err_set(err, ERR_STUDY, "%s", why.text);
    return node_prefix(name, err);
}

// What an entry begins as, into *like; NULL: nothing.
static int find_like(const struct library *library, enum library_kind kind, const struct node *map,
                     bool over_known, const void **like, struct err *err)
{
    const struct node *name = node_get(map, "name"), *node = node_get(map, "like");
    const struct kind *k = &kinds[kind];
    char what[40];
    snprintf(what, sizeof what, "%s's name", k->article);
    if (!name)
        return node_fail_key(map, "name", err, "missing; expected the %s's name", k->name);
    if (!reader_text(name, what, err))
        return -1;
    if (find_own(library, kind, name->text))
        return node_fail(name, err, "%s \"%.60s\" is defined twice", k->name, name->text);
    if (node && !reader_text(node, what, err))
        return -1;
    if (!over_known && find(library, kind, name->text))
        return node_fail(name, err,
                         "there is %s of that name; expected another name, with like: \"%.60s\" "
                         "for what is the same",
                         k->article, name->text);
    *like = find(library, kind, node ? node->text : name->text);
    if (!*like && node) {
        struct err why = {0};
        unknown(library, kind, node->text, &why);
        err_set(err, ERR_STUDY, "%s%s", why.text,
                over_known || strstr(why.text, "did you mean")
                    ? ""
                    : "; an entry is like one before it, and files of a catalogue are "
                      "read in the order of their names");
        return mistakes_unknown(node, k->section, err);
    }
    return *like ? 0 : check_name(library, kind, map, name, err);
}

// The file of a table's times, beside the file that names it.
static int take_times(struct cost_table *table, const struct node *map, const char *beside,
                      struct err *err)
{
    const struct node *file = node_get(map, "file");
    const char *slash = beside ? strrchr(beside, '/') : NULL, *text;
    struct table_file times;
    if (!file)
        return 0;
    if (!(text = reader_text(file, "a file's name", err)))
        return -1;
    char *path = slash && *text != '/' ? mem_printf("%.*s/%s", (int)(slash - beside), beside, text)
                                       : mem_strdup(text);
    int rc = table_file_read(&times, path, NULL, err);
    mem_free(path);
    if (rc < 0)
        return node_prefix(file, err);
    cost_table_release(table);
    *table = times.table;
    times.table = (struct cost_table){.name = NULL};
    table_file_release(&times);
    return 0;
}

static int add(struct library *library, enum library_kind kind, const struct node *map,
               const struct library_source *source, struct err *err)
{
    static const char *const others[] = {"like", NULL}, *const table_others[] = {"like", "file",
                                                                                 NULL};
    const void *like = NULL;
    char found[64];
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    if (find_like(library, kind, map, source->over_known, &like, err) < 0)
        return -1;
    bool is_table = kind == LIBRARY_TABLES, is_platform = kind == LIBRARY_PLATFORMS;
    bool from_sheet = is_platform && !like && node_get(map, "memory_bandwidth");
    if (from_sheet)
        like = find(library, kind, DATASHEET_LIKE);
    bool partial = like || is_given(kind, map);
    void *entry = append(library, kind, like, source->origin);
    struct datasheet sheet = {0};
    const struct reader_part parts[] = {{kinds[kind].fields, entry}, {datasheet_fields, &sheet}};
    const struct reader_options options = {is_table ? table_others : others, partial};
    if ((is_table && take_times(entry, map, source->path, err) < 0) ||
        reader_fill(map, NULL, parts, from_sheet ? 2 : 1, &options, err) < 0)
        return -1;
    if (from_sheet && !mistakes_in(map)) { // what is given goes before what follows
        if (datasheet_derive(&sheet, entry, err) < 0)
            return reader_prefix(map, err);
        if (reader_fill(map, NULL, parts, 2, &options, err) < 0)
            return -1;
    }
    if (is_platform && attach(library, entry, err) < 0)
        return mistakes_unknown(node_get(map, "accelerator") ? node_get(map, "accelerator") : map,
                                library_sections[LIBRARY_ACCELERATORS], err);
    return kinds[kind].check(entry, err) < 0 ? reader_prefix(map, err) : 0;
}

int library_add(struct library *library, const struct node *root,
                const struct library_source *source, struct err *err)
{
    for (int kind = 0; kind < N_LIBRARY_KINDS; kind++) {
        const struct node *list, *section = node_get(root, kinds[kind].section);
        int rc = reader_list(root, kinds[kind].section, &list, err);
        if (mistakes_keep(section ? section : root, rc, err) < 0)
            return -1;
        for (size_t i = 0; list && i < list->n; i++) {
            const struct node *item = list->items[i];
            rc = add(library, (enum library_kind)kind, item, source, err);
            if (mistakes_keep(item, rc, err) < 0)
                return -1;
        }
    }
    return 0;
}

// ---- what comes with the program ----------------------------------------------------------------

static int load_file(struct library *library, const struct library_file *file, struct err *err)
{
    const struct reader_options options = {NULL, false};
    char found[64];
    struct doc *doc = doc_parse(file->path, (const char *)file->data, file->size, err);
    if (!doc)
        return -1;
    const struct node *root = doc_root(doc);
    int kind = 0, rc = 0;
    while (strncmp(file->path, kinds[kind].folder, strlen(kinds[kind].folder)) != 0)
        kind++;
    void *entry = append(library, (enum library_kind)kind, NULL, NULL);
    const struct reader_part part = {kinds[kind].fields, entry};
    if (root->kind != NODE_MAP)
        rc = node_fail(root, err, "expected a map, got %s", node_found(root, found, sizeof found));
    else
        rc = reader_fill(root, NULL, &part, 1, &options, err);
    if (rc == 0 && kinds[kind].check(entry, err) < 0)
        rc = reader_prefix(root, err);
    doc_destroy(doc);
    return rc;
}

int library_load(struct library *library, struct err *err)
{
    int rc = 0;
    *library = (struct library){0};
    for (const struct library_file *file = library_files; file->path && rc == 0; file++)
        rc = load_file(library, file, err);
    for (size_t i = 0; i < library->n_platforms && rc == 0; i++)
        if (attach(library, &library->platforms[i], err) < 0)
            rc = err_prefix(err, "platform %s", library->platforms[i].name);
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
    for (int kind = 0; kind < N_LIBRARY_KINDS; kind++) {
        for (size_t i = 0; library->origins[kind] && i < library_n(library, kind); i++)
            mem_free(library->origins[kind][i]);
        mem_free(library->origins[kind]);
    }
    mem_free(library->models);
    mem_free(library->platforms);
    mem_free(library->accelerators);
    mem_free(library->tables);
    *library = (struct library){0};
}

// ---- a folder of the user's ---------------------------------------------------------------------

static int is_catalog_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

static int add_file(struct library *library, const char *path, struct err *err)
{
    const struct library_source source = {path, path, false};
    const struct reader_options options = {library_sections, false};
    char found[64];
    struct stat is;
    if (stat(path, &is) == 0 && !S_ISREG(is.st_mode)) // a pipe that nobody writes to has no end
        return err_set(err, ERR_STUDY, "%s: expected a regular file", path);
    struct doc *doc = doc_read(path, err);
    if (!doc)
        return -1;
    const struct node *root = doc_root(doc);
    int rc = root->kind == NODE_MAP
                 ? reader_fill(root, NULL, NULL, 0, &options, err)
                 : node_fail(root, err, "expected a map with lists such as platforms, got %s",
                             node_found(root, found, sizeof found));
    if (rc == 0)
        rc = library_add(library, root, &source, err);
    doc_destroy(doc);
    return rc;
}

static int add_folder(struct library *library, const char *folder, struct err *err)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_catalog_file, alphasort), rc = 0;
    if (n < 0)
        return err_set(err, ERR_STUDY, "catalog %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
        if (rc == 0)
            rc = add_file(library, path, err);
        mem_free(path);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int library_load_with(struct library *library, const char *folder, struct err *err)
{
    if (library_load(library, err) < 0)
        return -1;
    if (!folder || !*folder || add_folder(library, folder, err) == 0)
        return 0;
    library_release(library);
    return -1;
}

// ---- what tables were measured with -------------------------------------------------------------

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

// The library that has the table: its names mean what is known there.
static const struct library *layer_of(const struct library *library, const struct cost_table *table)
{
    for (const struct library *l = library; l; l = l->base)
        if (l->n_tables > 0 && table >= l->tables && table < l->tables + l->n_tables)
            return l;
    return library;
}

bool library_is_built_in(const struct library *library, const struct cost_table *table)
{
    const struct library *l = layer_of(library, table);
    return !l->base &&
           (l->n_tables == 0 || !library_origin(l, LIBRARY_TABLES, (size_t)(table - l->tables)));
}

// Things are compared by what they are: a study may give a known name to something else, and
// another name to something known. Servers of fewer cores are those that were measured, in part.
static int compare_all(const struct library *library, const struct cost_table *table,
                       const struct model *model, const struct platform *platform, struct err *err)
{
    library = layer_of(library, table);
    const struct model *its_model = library_model(library, table->model);
    const struct platform *its = library_platform(library, table->platform);
    if (model && its_model &&
        differs(model_fields, model, its_model, "the service's model", model->name, table->model,
                err) < 0)
        return -1;
    if (model && !its_model && strcmp(model->name, table->model) != 0)
        return err_set(err, ERR_STUDY, "the service's model is \"%.60s\"", model->name);
    if (!platform)
        return 0;
    if (!its)
        return strcmp(platform->name, table->platform) == 0
                   ? 0
                   : err_set(err, ERR_STUDY, "the group's platform is \"%.60s\"", platform->name);
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
    for (; library; library = library->base)
        for (size_t i = 0; i < library->n_tables; i++)
            if (cost_table_matches(&library->tables[i], model, platform))
                return &library->tables[i];
    return NULL;
}

const struct cost_table *library_table_like(const struct library *library,
                                            const struct model *model,
                                            const struct platform *platform)
{
    for (const struct library *l = library; l && model; l = l->base)
        for (size_t i = 0; i < l->n_tables; i++)
            if (compare_all(l, &l->tables[i], model, platform, NULL) == 0)
                return &l->tables[i];
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
    const char **names = NULL;
    size_t n = 0;
    for (; library; library = library->base) {
        names = mem_realloc(names, n + library->n_tables, sizeof *names);
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
