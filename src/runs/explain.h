// SPDX-License-Identifier: Apache-2.0
// explain: what else is wrong with a study, for the person who corrects it.
//
// A command stops at the first mistake of a study. Here the study is read once more, as a whole or
// at every point of its sweep, and all mistakes are listed, so that one look corrects them. No MPI.
//
//     struct mistakes mistakes = {0};
//     explain_study(&source, &err, &mistakes);
//     for (size_t i = 0; i < mistakes.n; i++) puts(mistakes.v[i].text);
//     mistakes_release(&mistakes);
#ifndef RUNS_EXPLAIN_H
#define RUNS_EXPLAIN_H

#include "base/err.h"
#include "runs/survey.h"
#include "study/mistakes.h"

// err is what a command has said of the study: the line and the column of its key are added where
// only the file is named. The list gets all mistakes in the order of the text, that one among them;
// it stays empty where that one is not found again: a mistake of another kind, a text that can be
// read only once, or a point far behind the others that are wrong.
void explain_study(const struct survey_source *source, struct err *err, struct mistakes *mistakes);

#endif
