// SPDX-License-Identifier: Apache-2.0
// study_models: the models that a study defines or uses.
//
// A study may define a model of its own, change keys of a known one, or just name it. Either way
// the study keeps its own copy of every model that a service uses, so that the resolved study says
// all of it. The copies may move while models are added: read them all, then point to them.
#ifndef STUDY_STUDY_MODELS_H
#define STUDY_STUDY_MODELS_H

#include "base/err.h"
#include "models/catalogue.h"
#include "study/doc.h"
#include "study/library.h"

struct study;

// Takes a copy of every model that the study defines, those of study->own.
void study_models_take(struct study *study);

// Makes sure that the study has the model `name` (""; none is needed), from the library where it
// does not define it; an unknown one is an error at `node`.
int study_models_need(struct study *study, const struct library *library, const char *name,
                      const struct node *node, struct err *err);

// The study's model of that name, NULL when there is none.
const struct model *study_models_find(const struct study *study, const char *name);

// Releases all of them.
void study_models_release(struct study *study);

#endif
