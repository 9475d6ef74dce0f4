// SPDX-License-Identifier: Apache-2.0
// profile_file: a profile as files that the simulator reads.
//
// Four texts:
//
//     table     CSV for `cost: {kind: table, file: ...}` (study/table_csv.h): a line per size and
//               count of busy cores; columns that it does not know are for people
//     cut       the same of the typical mix alone: for servers that cut where it was cut
//     machine   a catalogue of the platform, and of the tables measured on it (`--catalog`)
//     study     ready to run: the model on one such server at 70 % load, with the table, its noise
//               and its cold cores, and with times longer by what something else took of the cores
//               while the typical mix was measured, which is not in the tables
//
// Each opens with comments that say what was measured: when, by what, on what, and what was in the
// way. Nothing in them is read back but "model" and "platform" of the table.
//
//     char *text = profile_file_table(&entry, &about);
//     if (profile_file_write("out/ncf.csv", text, DURABLE_NEW, err) < 0)
//         return -1;
#ifndef LIVE_PROFILE_FILE_H
#define LIVE_PROFILE_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "live/profiling.h"
#include "live/topology.h"
#include "models/catalogue.h"
#include "results/file/durable.h"
#include "traces/qsize.h"

// What all models of one command have in common. All borrowed.
struct profile_about {
    const char *platform; // name that the machine has in the files
    const char *program;  // "recfleet 0.2.0"
    const char *date;     // of the beginning
    const char *engine;
    const struct topology *topology;
    double idle_w, busy_w; // NaN: not known
};

// One model. All borrowed.
struct profile_entry {
    const char *name;                    // of the service that was measured
    const char *stem;                    // name of its files, without what follows the point
    const struct model *model;           // NULL: none
    bool in_catalogue;                   // may a study or a catalogue name the model?
    const struct size_config *sizes;     // of the mix
    const struct size_config *histories; // likewise; NULL: it has none
    const struct profile *profile;
};

// The name of files for a model: what a file system or a shell might not take becomes "_"; caller
// mem_free()s.
char *profile_file_stem(const char *name);

// Caller mem_free()s. The study finds its tables in `folder`, under the stem.
char *profile_file_table(const struct profile_entry *entry, const struct profile_about *about);
char *profile_file_cut(const struct profile_entry *entry, const struct profile_about *about);
char *profile_file_study(const struct profile_entry *entry, const struct profile_about *about,
                         const char *folder);
// Tables are next to the catalogue, under their stems.
char *profile_file_machine(const struct profile_entry *entries, size_t n,
                           const struct profile_about *about);

// The folder, and those it is in, where they are not there yet.
int profile_file_folder(const char *path, struct err *err);
// As a whole or not at all.
int profile_file_write(const char *path, const char *text, enum durable_mode mode, struct err *err);

#endif
