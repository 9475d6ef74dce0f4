// SPDX-License-Identifier: Apache-2.0
// rf_calibrate: a tool for developers, started by scripts/calibrate.sh from the root of the tree.
//
//     rf_calibrate --fit [NAME]   fits again, prints "hardware.key value", SI, one a line; the
//                                 derived values of the Skylake and the Broadwell too
//     rf_calibrate --fits         one line of CSV for each fit that was tried: its errors
//     rf_calibrate --report       prints docs/calibration.md but for what is held out
//     rf_calibrate --holdout      prints that
#include <stdio.h>
#include <string.h>

#include "calibrate/calib.h"
#include "calibrate/calib_fit.h"
#include "calibrate/calib_holdout.h"
#include "calibrate/calib_report.h"

#define DATA "models/calibration"

struct tool {
    struct calib *calib;
    struct library library;
    const char *name; // what follows the mode; NULL: nothing
};

static int fit(struct tool *tool, struct err *err)
{
    const struct calib_fit *fit = calib_fit_find(tool->name ? tool->name : calib_fits[0].name);
    if (!fit)
        return err_set(err, ERR_STUDY, "there is no fit called %s", tool->name);
    if (calib_fit_run(fit, tool->calib, &tool->library, NULL, err) != 0)
        return -1;
    calib_fit_print(stdout, fit, &tool->library);
    return 0;
}

static int fits(struct tool *tool, struct err *err)
{
    calib_fits_header(stdout);
    for (const struct calib_fit *fit = calib_fits; fit->name; fit++) {
        struct library library = {0};
        if (library_load(&library, err) != 0)
            return -1;
        int rc = calib_fit_run(fit, tool->calib, &library, NULL, err);
        if (rc == 0)
            rc = calib_fits_row(stdout, fit, tool->calib, &library, err);
        library_release(&library);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int report(struct tool *tool, struct err *err)
{
    if (calib_evaluate(tool->calib, &tool->library, err) != 0)
        return -1;
    return calib_report(stdout, tool->calib, &tool->library, DATA, err);
}

static int holdout(struct tool *tool, struct err *err)
{
    return calib_holdout_report(stdout, tool->calib, &tool->library, err);
}

static int work(const char *mode, struct tool *tool, struct err *err)
{
    static const struct {
        const char *mode;
        int (*run)(struct tool *tool, struct err *err);
    } modes[] = {{"--fit", fit}, {"--fits", fits}, {"--report", report}, {"--holdout", holdout}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mode, modes[i].mode) == 0)
            return modes[i].run(tool, err);
    return err_set(err, ERR_STUDY, "expected --fit, --fits, --report or --holdout, got %s", mode);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct tool tool = {.calib = calib_read(DATA, &err), .name = argc > 2 ? argv[2] : NULL};
    int rc = -1;
    if (tool.calib && library_load(&tool.library, &err) == 0)
        rc = work(argc > 1 ? argv[1] : "nothing", &tool, &err);
    if (rc != 0)
        fprintf(stderr, "rf_calibrate: %s\n", err.text);
    library_release(&tool.library);
    calib_destroy(tool.calib);
    return rc == 0 ? 0 : 1;
}
