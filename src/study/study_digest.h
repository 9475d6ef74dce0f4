// SPDX-License-Identifier: Apache-2.0
// study_digest: one number for all that decides the results of a study.
//
// Two runs that must give the same results have the same digest, and any key that can change them
// changes it: a checkpoint, a finished point of a sweep and a results file say by it whether they
// belong to the study at hand. It covers the resolved study and what was read from the files that
// it names (traces, curves, sizes, measured costs), not the names of these files, nor where the
// study lies, where its results go or how often it is saved. The version of the program is not part
// of it; whoever cares compares that, too.
//
// It is XXH3, 128 bits, in its canonical form: for telling studies apart, not for security.
#ifndef STUDY_STUDY_DIGEST_H
#define STUDY_STUDY_DIGEST_H

#include "study/study.h"

// 32 hexadecimal digits; caller mem_free()s. The study's files must have been opened for what is in
// them to count.
char *study_digest(const struct study *study);

#endif
