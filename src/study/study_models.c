// SPDX-License-Identifier: Apache-2.0
#include "study/study_models.h"

#include <string.h>

#include "base/mem.h"
#include "study/mistakes.h"
#include "study/study.h"

const struct model *study_models_find(const struct study *study, const char *name)
{
    for (size_t i = 0; i < study->n_models; i++)
        if (strcmp(study->models[i].name, name) == 0)
            return &study->models[i];
    return NULL;
}

static void add_model(struct study *study, const struct model *like)
{
    study->models = mem_realloc(study->models, study->n_models + 1, sizeof *study->models);
    struct model *model = &study->models[study->n_models++];
    *model = *like;
    schema_copy(model_fields, model, like);
}

void study_models_take(struct study *study)
{
    for (size_t i = 0; i < study->own.n_models; i++)
        add_model(study, &study->own.models[i]);
}

int study_models_need(struct study *study, const struct library *library, const char *name,
                      const struct node *node, struct err *err)
{
    if (!*name || study_models_find(study, name))
        return 0;
    const struct model *model = library_model(library, name);
    if (!model) {
        library_unknown_model(library, name, err);
        return mistakes_unknown(node, "models", err);
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
