// SPDX-License-Identifier: Apache-2.0
// library: the models, platforms, accelerators and measured tables that a study can name.
//
// Those of the program are the files of models/, embedded when it is built, so it needs no data
// files where it runs. Each was checked when it was loaded, so a wrong one is an error of the
// program's tests, not of a user. A user's come from the four sections `accelerators`, `platforms`,
// `models` and `tables` of a study, or of the files in a folder: lists of entries by `name`, each
// over the one it is `like`, else on its own.
//
// A study's own entries are a library over another, its `base`, and go before what that has.
#ifndef STUDY_LIBRARY_H
#define STUDY_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "models/cost_table.h"
#include "models/platform.h"

struct node;

// One embedded file; made by scripts/cmake/embed.cmake.
struct library_file {
    const char *path;          // from the root of the tree, "models/catalog/wnd.yaml"
    const unsigned char *data; // `size` bytes
    size_t size;
};
extern const struct library_file library_files[]; // ends with a NULL path

// In the order in which one may need another.
enum library_kind {
    LIBRARY_ACCELERATORS,
    LIBRARY_PLATFORMS,
    LIBRARY_MODELS,
    LIBRARY_TABLES,
    N_LIBRARY_KINDS
};
extern const char *const library_sections[]; // their names, NULL-terminated

// All of them by kind, each in the order of its files. Owns everything in it.
struct library {
    const struct library *base;      // what is known besides; borrowed, NULL: nothing
    char **origins[N_LIBRARY_KINDS]; // of each entry, NULL: of the program; NULL: all are
    size_t n_models, n_platforms, n_accelerators, n_tables;
    struct model *models;
    struct platform *platforms; // their accelerators are attached
    struct accelerator *accelerators;
    struct cost_table *tables;
};

// Fills *library (zeroed or not) from the embedded files. On error it is empty.
int library_load(struct library *library, struct err *err);
// Where entries come from.
struct library_source {
    const char *origin; // for people
    const char *path;   // of the file, which others stand beside; NULL: none
    bool over_known;    // may have the name of a known one, and are then over it
};
// Adds what the four sections of `root` have; a mistake stands at the key that is wrong. What was
// added before may move. A table may have its times in a `file` of the user's (table_file.h).
int library_add(struct library *library, const struct node *root,
                const struct library_source *source, struct err *err);
// As library_load(), and what every file *.yaml of the folder has in these sections, in the order
// of their names; NULL or "": no folder.
int library_load_with(struct library *library, const char *folder, struct err *err);

// Its own entries, and where each is from (NULL: the program).
size_t library_n(const struct library *library, enum library_kind kind);
const void *library_entry(const struct library *library, enum library_kind kind, size_t i);
const char *library_origin(const struct library *library, enum library_kind kind, size_t i);
// Does the table come with the program?
bool library_is_built_in(const struct library *library, const struct cost_table *table);

// Releases all of it; it may be loaded again.
void library_release(struct library *library);

// The thing with that name, NULL when there is none; borrowed until library_release().
const struct model *library_model(const struct library *library, const char *name);
const struct platform *library_platform(const struct library *library, const char *name);
const struct accelerator *library_accelerator(const struct library *library, const char *name);
const struct cost_table *library_table(const struct library *library, const char *name);
// The table measured with that model on that platform, NULL when there is none.
const struct cost_table *library_table_for(const struct library *library, const char *model,
                                           const char *platform);
// The first that was measured with the same under whatever names, NULL when there is none.
const struct cost_table *library_table_like(const struct library *library,
                                            const struct model *model,
                                            const struct platform *platform);
// Whether the table was measured with what these are, whatever their names: the model (NULL: any),
// the platform (without a name: any) and, of a table with accelerator times, the accelerator.
// Memory, power, targets and streams change no time, and cores may be fewer. The error names what
// was measured and the first key that differs, without a position.
int library_check_table(const struct library *library, const struct cost_table *table,
                        const struct model *model, const struct platform *platform,
                        struct err *err);

// Are they the same in all that counts for times?
bool library_same_model(const struct model *a, const struct model *b);

// Fills err with "unknown model "wndd"; did you mean "wnd"?", without a position, which the caller
// puts in front; returns -1.
int library_unknown_model(const struct library *library, const char *name, struct err *err);
int library_unknown_platform(const struct library *library, const char *name, struct err *err);
int library_unknown_accelerator(const struct library *library, const char *name, struct err *err);
int library_unknown_table(const struct library *library, const char *name, struct err *err);
// Likewise where library_table_for() gave NULL: "no measured table of model "wnd" on platform
// "skylake"; there are: ..." with the models measured on that platform, else the platforms that the
// model was measured on, else the platforms of all tables.
int library_missing_table(const struct library *library, const char *model, const char *platform,
                          struct err *err);

#endif
