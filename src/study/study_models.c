// SPDX-License-Identifier: Apache-2.0
#include "study/study_models.h"

#include <string.h>

#include "base/mem.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"

const struct model *study_models_find(const struct study *study, const char *name)
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

// A name that is nearly a known model's, with too little beside it for a model of one's own.
static int check_name(const struct library *library, const struct node *map,
                      const struct node *name, struct err *err)
{
    struct err unknown = {0};
    bool whole = true;
    for (const struct field *f = model_fields; f->key; f++)
        whole = whole && (f->dflt || node_get(map, f->key));
    library_unknown_model(library, name->text, &unknown);
    if (whole || !strstr(unknown.text, "did you mean"))
        return 0;
    err_set(err, ERR_STUDY, "%s", unknown.text);
    return node_prefix(name, err);
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
    if (study_models_find(study, name->text))
        return node_fail(name, err, "model \"%.60s\" is defined twice", name->text);
    if (like_node && !reader_text(like_node, "a model's name", err))
        return -1;
    const struct model *like = library_model(library, like_node ? like_node->text : name->text);
    if (!like && like_node) {
        library_unknown_model(library, like_node->text, err);
        return node_prefix(like_node, err);
    }
    if (!like && check_name(library, map, name, err) < 0)
        return -1;
    struct model *model = add_model(study, like);
    if (!like)
        schema_defaults(model_fields, model);
    const struct reader_part part = {model_fields, model};
    const struct reader_options options = {others, like != NULL};
    if (reader_fill(map, NULL, &part, 1, &options, err) < 0)
        return -1;
    return model_check(model, err) < 0 ? reader_prefix(map, err) : 0;
}

int study_models_read(struct study *study, const struct library *library, const struct node *root,
                      struct err *err)
{
    const struct node *list;
    if (reader_list(root, "models", &list, err) < 0)
        return -1;
    for (size_t i = 0; list && i < list->n; i++)
        if (mistakes_keep(list->items[i], read_model(study, library, list->items[i], err), err) < 0)
            return -1;
    return 0;
}

int study_models_need(struct study *study, const struct library *library, const char *name,
                      const struct node *node, struct err *err)
{
    if (!*name || study_models_find(study, name))
        return 0;
    const struct model *model = library_model(library, name);
    if (!model) {
        library_unknown_model(library, name, err);
        return node_prefix(node, err);
    }
    add_model(study, model);
    return 0;
}

void study_models_release(struct study *study)
{
    for (size_t m = 0; m < study->n_models; m++)
        model_release(&study->models[m]);
    mem_free(study->models);
}
