// SPDX-License-Identifier: Apache-2.0
// revision: which sources this program is built from, for people, for results files and for what
// only the same program may take up again (checkpoints, kept answers).
//
// The texts are made on every build by scripts/cmake/revision.cmake, which says what they look
// like. Programs from different sources have different ones, with or without git.
#ifndef BASE_REVISION_H
#define BASE_REVISION_H

extern const char revision[];         // "0123456789ab", "0123456789ab-dirty-0123456789ab", ...
extern const char revision_program[]; // behind the version: "0.2.0 0123456789ab"

#endif
