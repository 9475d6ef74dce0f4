// SPDX-License-Identifier: Apache-2.0
// calib: what others measured of single requests, beside what the roofline cost says of them.
//
// A struct calib holds every measured number of models/calibration/*.csv as one point. Each is a
// latency, a share of operator time, a speed-up or a slow-down; none is the result of scheduling.
// calib_evaluate() asks the product's own cost code (models/cost.h) for the same number, with the
// catalogue that it is given, so a fit, a report and a test all see one truth.
//
//     struct calib *calib = calib_read("models/calibration", &err);
//     calib_evaluate(calib, &library, &err);
//     struct calib_error error = calib_error(calib, CALIB_COMPUTE, "c5n");
//
// What is compared, by kind:
//   compute   cost_cpu_s() of one busy core, or cost_accel_compute_s()
//   load      what input conversion adds to cost_cpu_s(), or cost_accel_load_s(), conversion on
//   share     one kind of operator over all of them, in percent of their summed time; those of one
//             item apart, since they have a bar of their own
//   speed-up  CPU time over load + compute of the accelerator, conversion on both sides
//   decision  time per item in requests of 25 over that in requests of 256, computing only: what
//             splitting a query less finely can gain, between the measured sizes by straight lines
//   slow-down time at n busy cores over the time at the fewest that were measured
//
// Errors are relative (ours / theirs - 1), but for shares, which differ in percentage points.
#ifndef CALIBRATE_CALIB_H
#define CALIBRATE_CALIB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "study/library.h"

// Host time per index and per length that the conversion of Python lists takes, fitted with the
// rest. It is a setting of a study (cost.input_conversion), off by default, not of the catalogue.
#define CALIB_CONVERSION_S 62e-9

// The core whose times were measured, and that the other CPUs are derived from.
#define CALIB_CORE "c5n"

// The bars: largest |error| of latencies, shares (percentage points), speed-ups and decision
// ratios, and medians.
#define CALIB_LATENCY_WORST 0.25
#define CALIB_LATENCY_MEDIAN 0.10
#define CALIB_SHARE_WORST_PCT 8.0
#define CALIB_LONE_SHARE_WORST_PCT 15.0
#define CALIB_SPEEDUP_WORST 0.20
#define CALIB_DECISION_WORST 0.20
#define CALIB_DECISION_MEDIAN 0.10

// Requests of a decision ratio: the usual split of the largest query over 40 cores, and one that
// tuning chooses.
#define CALIB_SMALL_ITEMS 25
#define CALIB_LARGE_ITEMS 256

enum calib_kind {
    CALIB_COMPUTE,
    CALIB_LOAD,
    CALIB_SHARE,
    CALIB_LONE_SHARE,
    CALIB_SPEEDUP,
    CALIB_DECISION,
    CALIB_SLOWDOWN,
    N_CALIB_KINDS
};

// Kinds of operator that the pictures tell apart.
enum calib_operator {
    OPERATOR_FC,
    OPERATOR_SLS,
    OPERATOR_CONCAT,
    OPERATOR_RELU,
    OPERATOR_SUM,
    OPERATOR_RNN,
    OPERATOR_SOFTMAX,
    N_OPERATORS
};
extern const char *const calib_operator_names[]; // "FC" "SLS" ... NULL

#define CALIB_NAME_MAX 32

struct calib_point {
    enum calib_kind kind;
    char hardware[CALIB_NAME_MAX]; // platform or accelerator measured
    char model[CALIB_NAME_MAX];
    uint32_t items;
    uint32_t busy_cores;    // 1 unless a slow-down
    enum calib_operator op; // of a share
    double theirs, ours;    // seconds, percent or ratio
};

struct calib {
    struct calib_point *points; // in the order of the files; operators of one row side by side
    size_t n_points;
};

// Every file of `folder`, and the decision ratios that follow from it. Owned by the caller; NULL
// with file and line in *err when one cannot be read or a row is not what its header says.
struct calib *calib_read(const char *folder, struct err *err);
void calib_destroy(struct calib *calib); // NULL: no effect

// A further point of one busy core, whose `theirs` the caller sets; valid until the next one.
struct calib_point *calib_add(struct calib *calib, enum calib_kind kind, const char *hardware,
                              const char *model, double items);

// Fills `ours` of every point. Fails when the catalogue lacks a model or a piece of hardware.
int calib_evaluate(struct calib *calib, const struct library *library, struct err *err);

// ours against theirs by the rule of its kind.
double calib_point_error(const struct calib_point *point);

struct calib_error {
    size_t n;
    double median, worst;
};

// Median and largest of n absolute values, which are sorted in place.
struct calib_error calib_error_of(double *all, size_t n);

// Median and largest |error| over the points of a kind. `hardware` NULL: all; speed-ups of models
// without a bar are shown, not counted.
struct calib_error calib_error(const struct calib *calib, enum calib_kind kind,
                               const char *hardware);

// Whether a bar is set for the point.
bool calib_counts(const struct calib_point *point);

#endif
