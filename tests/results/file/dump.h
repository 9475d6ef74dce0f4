// SPDX-License-Identifier: Apache-2.0
// dump: everything in an HDF5 file outside /run, as one string of bytes: names, attributes, shapes
// and data in the order of names. Two files that say the same have the same dump, however their
// bytes lie.
#ifndef TESTS_RESULTS_DUMP_H
#define TESTS_RESULTS_DUMP_H

#include <stddef.h>

struct dump {
    char *bytes; // caller mem_free()s
    size_t n, cap;
};

// Asserts that the file can be opened.
struct dump dump_file(const char *path);

#endif
