// SPDX-License-Identifier: Apache-2.0
// peek: which study a run's results file belongs to, without reading its results.
//
// For whoever has many files and wants to know which of them are there and whole: the points of a
// sweep. The seal (checksum.h) is checked over the whole file, so what is damaged or was cut short
// is told from what is whole; then only attributes of the root are read. A file without a seal was
// not finished by us, or was changed since, and is refused: load.h is more patient.
//
//     struct peek peek;
//     if (peek_open("p.h5.points/000003.h5", &peek, &err) == 0) {
//         bool ours = strcmp(peek.study_digest, digest) == 0;
//         peek_close(&peek);
//     }
#ifndef RESULTS_FILE_PEEK_H
#define RESULTS_FILE_PEEK_H

#include "base/err.h"

// Owned texts; "" what the file does not say.
struct peek {
    char *study_name, *study_digest, *program_version;
};

// -1 when there is no whole results file of a run there, with one line that begins with the path;
// then there is nothing to close.
int peek_open(const char *path, struct peek *peek, struct err *err);
void peek_close(struct peek *peek);

#endif
