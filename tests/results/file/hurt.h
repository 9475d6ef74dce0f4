// SPDX-License-Identifier: Apache-2.0
// hurt: results files that are not what they should be, for the tests of their readers. [H]
//
//     static const struct hurt_reader reader = {"test_x_sound.h5", "test_x_hurt.h5", make, open};
//     hurt_foreign(&reader);
//     hurt_flipped(&reader, 53);
//
// A reader is given a file with a name that every refusal must begin with, in one line.
#ifndef TESTS_RESULTS_HURT_H
#define TESTS_RESULTS_HURT_H

#include <hdf5.h>

#include "base/err.h"

struct hurt_reader {
    const char *sound, *hurt;                         // names of two files, removed by hurt_*()
    void (*make)(void);                               // writes the sound one
    void *(*open)(const char *path, struct err *err); // what is tested: NULL is a refusal
};

// All assert. The reader refuses the file, and says `reason` among others.
void hurt_refuses(const struct hurt_reader *reader, const char *path, const char *reason);

// Files of other kinds are refused: none, empty, text, a folder, a device, another program's HDF5.
void hurt_foreign(const struct hurt_reader *reader);
// Refused for that reason when cut at any of about n places; all but the seal is left out, so that
// it would be whole.
void hurt_cut(const struct hurt_reader *reader, size_t n, const char *reason);
// Refused for its checksum when a bit is flipped at any of about n places.
void hurt_flipped(const struct hurt_reader *reader, size_t n);
// Without a seal, changed at about n places: the reader lives, and what it accepts is used, which
// also releases it.
void hurt_bare(const struct hurt_reader *reader, size_t n, void (*use)(void *opened));

// The sound file without its seal, opened for an edit, as another tool's rewriting would leave it.
// Caller closes it and removes reader->hurt.
hid_t hurt_edit(const struct hurt_reader *reader);
// Such a file with the values of one dataset replaced.
void hurt_overwrite(const struct hurt_reader *reader, const char *dataset, hid_t type,
                    const void *values);

#endif
