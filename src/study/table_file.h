// SPDX-License-Identifier: Apache-2.0
// table_file: a measured table from files of the user's, whatever their format.
//
// CSV by table_csv.h, YAML (a name that ends in .yaml or .yml) by cost_table_fields[], as the
// tables of models/tables, and the log of MLPerf LoadGen by traces/percentiles.h. The log says how
// long queries took, whatever their size: it becomes a table of one batch, whose time is the mean,
// the median or else the lowest percentile in it, and which holds for every size.
//
// The times of the CPU and of the accelerator may be in one file or in two.
//
//     struct table_file table;
//     if (table_file_read(&table, "perf.csv", "", err) < 0)
//         return -1;
//     config->measured = &table.table;
#ifndef STUDY_TABLE_FILE_H
#define STUDY_TABLE_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "models/cost_table.h"
#include "study/table_csv.h"

enum { TABLE_FILE_ALL, TABLE_FILE_ACCELERATOR, TABLE_FILE_SOURCES };

// What one of the files says of itself; path NULL: there is no such file.
struct table_source {
    char *path, *model, *platform; // owned; the last two NULL where it does not say
    struct table_place model_at, platform_at;
    const char *note; // as of struct table_csv
};

struct table_file {
    struct cost_table table;
    bool any_size; // its times hold for every size
    struct table_source sources[TABLE_FILE_SOURCES];
};

// Either path may be "" or NULL, not both. On failure nothing is left to release.
int table_file_read(struct table_file *to, const char *path, const char *accelerator_path,
                    struct err *err);
// The same from bytes in memory, of one file, whose name tells its format.
int table_file_parse(struct table_file *to, const char *name, const char *data, size_t n,
                     struct err *err);
void table_file_release(struct table_file *file); // NULL: no effect

#endif
