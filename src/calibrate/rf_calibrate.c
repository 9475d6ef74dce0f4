// SPDX-License-Identifier: Apache-2.0
// rf_calibrate: a tool for developers, started by scripts/calibrate.sh from the root of the tree.
//
//     rf_calibrate --fit      fits again and prints "hardware.key value", SI, one a line
//     rf_calibrate --report   prints docs/calibration.md
#include <stdio.h>
#include <string.h>

#include "calibrate/calib.h"
#include "calibrate/calib_fit.h"
#include "calibrate/calib_report.h"

#define DATA "models/calibration"

static int fit_all(struct calib *calib, const struct library *library, struct err *err)
{
    for (const struct calib_stage *stage = calib_stages; stage->name; stage++) {
        if (calib_fit(stage, calib, library, err) != 0)
            return -1;
        for (const struct calib_key *key = stage->keys; key->key; key++)
            printf("%s.%s %.6g\n", key->hardware, key->key,
                   *calib_value(library, key->hardware, key->key));
    }
    return 0;
}

static int work(const char *mode, struct calib *calib, const struct library *library,
                struct err *err)
{
    if (strcmp(mode, "--fit") == 0)
        return fit_all(calib, library, err);
    if (strcmp(mode, "--report") != 0)
        return err_set(err, ERR_STUDY, "expected --fit or --report, got %s", mode);
    if (calib_evaluate(calib, library, err) != 0)
        return -1;
    calib_report(stdout, calib, library);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct library library = {0};
    struct calib *calib = calib_read(DATA, &err);
    int rc = -1;
    if (calib && library_load(&library, &err) == 0)
        rc = work(argc == 2 ? argv[1] : "nothing", calib, &library, &err);
    if (rc != 0)
        fprintf(stderr, "rf_calibrate: %s\n", err.text);
    library_release(&library);
    calib_destroy(calib);
    return rc == 0 ? 0 : 1;
}
