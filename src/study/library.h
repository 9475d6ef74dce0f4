// SPDX-License-Identifier: Apache-2.0
// library: the models, platforms, accelerators and measured tables that come with the program.
//
// They are the files of models/, embedded when the program is built, so it needs no data files
// where it runs. Each was checked when it was loaded, so a wrong one is an error of the program's
// tests, not of a user.
#ifndef STUDY_LIBRARY_H
#define STUDY_LIBRARY_H

#include <stddef.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "models/cost_table.h"
#include "models/platform.h"

// One embedded file; made by scripts/cmake/embed.cmake.
struct library_file {
    const char *path;          // from the root of the tree, "models/catalog/wnd.yaml"
    const unsigned char *data; // `size` bytes
    size_t size;
};
extern const struct library_file library_files[]; // ends with a NULL path

// All of them by kind, each in the order of its files. Owns everything in it.
struct library {
    size_t n_models, n_platforms, n_accelerators, n_tables;
    struct model *models;
    struct platform *platforms; // their accelerators are attached
    struct accelerator *accelerators;
    struct cost_table *tables;
};

// Fills *library (zeroed or not) from the embedded files. On error it is empty.
int library_load(struct library *library, struct err *err);
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
