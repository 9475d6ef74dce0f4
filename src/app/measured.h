// SPDX-License-Identifier: Apache-2.0
// measured: a run and the measured percentiles that it is compared with, as compare and report take
// them: two files, of which one is no results file; the second may be given as --baseline.
//
//     if (measured_given(line) && measured_load(&measured, line, err) == 0)
//         percentile_table_print(&out, measured.run, measured.service, &measured.table);
//     measured_release(&measured);
#ifndef APP_MEASURED_H
#define APP_MEASURED_H

#include <stdbool.h>
#include <stdint.h>

#include "app/cmd.h"
#include "base/err.h"
#include "results/file/run_result.h"
#include "results/report/percentile_table.h"
#include "traces/percentiles.h"

// For the options of a command that calls measured_load().
#define MEASURED_OPTIONS                                                                           \
    {"--service", 0, "NAME",                                                                       \
     "with measured percentiles: the run's service that they are of; default: all together"},      \
    {                                                                                              \
        "--unit", 0, "ns|us|ms|s", "of measured values that say none; default ms"                  \
    }

struct measured {
    struct run_result *run;                 // owned, read whole
    uint32_t service;                       // its index, n_services: all together
    struct percentiles percentiles;         // owned
    struct percentile_table_measured table; // points into these and into the command line
};

// Is one of the files, or the baseline, no results file?
bool measured_given(const struct cmd_line *line);
// On failure nothing is left to release.
int measured_load(struct measured *to, const struct cmd_line *line, struct err *err);
void measured_release(struct measured *measured);

#endif
