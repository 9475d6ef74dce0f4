// SPDX-License-Identifier: Apache-2.0
// study_print: the resolved study, written as a study.
//
// Every key with its value, defaults included, nothing looked up any more: platforms, accelerators
// and models are spelled out. Reading it back gives the same study, and two studies that are the
// same give the same text, so the text identifies a run.
#ifndef STUDY_STUDY_PRINT_H
#define STUDY_STUDY_PRINT_H

#include "study/study.h"

// The whole study, and its traffic section alone; caller mem_free()s.
char *study_print_all(const struct study *study);
char *study_print_traffic(const struct study *study);
// The whole without `checkpoint`, as it is kept with the results: how often a run was saved, and
// where, is none of them.
char *study_print_kept(const struct study *study);
// What decides the results: no file is named, neither read nor written, and no checkpoint; caller
// mem_free()s. What is in the files that are read is not in it (study_digest.h).
char *study_print_result(const struct study *study);

#endif
