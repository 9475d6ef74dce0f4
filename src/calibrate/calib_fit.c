// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_fit.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define ITERATIONS 400
#define PRIOR_WEIGHT 0.3
#define TOLERANCE 1e-8

// Priors come from data sheets, from the machine of the measured tables (zen5-2core), or from what
// other keys of the same hardware say; a wide one (spread 1: a factor of 2.7) is an order of
// magnitude.
#define WIDE "order of magnitude"
#define SHEET "data sheet, half of it"
#define ZEN5 "zen5-2core, measured"
#define LAYER "as a layer of a stack"
static const struct calib_key keys[] = {
    {"c5n", "fc_half_items", 16, 0.7, NULL, "a GEMM of 16 to 64 rows on one core"},
    {"c5n", "activation_bandwidth", 4e9, 1, NULL, WIDE},
    {"c5n", "attention_peak", 0.29, 1, "fc_peak", ZEN5 ", ratio"},
    {"c5n", "recurrent_peak", 0.29, 1, "fc_peak", ZEN5 ", ratio"},
    {"c5n", "vector_peak", 6e9, 1, NULL, WIDE},
    {"c5n", "weight_bandwidth", 1.6e10, 0.5, NULL, ZEN5},
    {"c5n", "gather_bandwidth", 6.2e9, 0.5, NULL, ZEN5 ", two thirds"},
    {"c5n", "gather_half_items", 3, 1, NULL, WIDE},
    {"c5n", "stream_bandwidth", 1.2e10, 0.3, NULL, "one core's share of a socket"},
    {"c5n", "request_fixed", 5e-5, 1, NULL, WIDE},
    {"c5n", "operator_fixed", 5e-7, 1, NULL, WIDE},
    {"c5n", "fc_fixed", 1e-6, 1, NULL, WIDE},
    {"c5n", "gather_fixed", 5e-7, 1, NULL, WIDE},
    {"c5n", "recurrent_fixed", 1, 1, "fc_fixed", LAYER},
    {"c5n", "input_fixed", 1.6e-5, 0.5, NULL, WIDE},
    {"t4", "fc_peak", 2.5e12, 1, NULL, SHEET},
    {"t4", "fc_half_items", 10, 1, NULL, WIDE},
    {"t4", "attention_peak", 0.29, 1, "fc_peak", ZEN5 ", ratio"},
    {"t4", "recurrent_peak", 0.29, 1, "fc_peak", ZEN5 ", ratio"},
    {"t4", "vector_peak", 5e10, 1, NULL, WIDE},
    {"t4", "memory_bandwidth", 1.5e11, 0.7, NULL, SHEET},
    {"t4", "gather_bandwidth", 1.6e11, 0.5, NULL, SHEET},
    {"t4", "row_bandwidth", 3e9, 1, NULL, WIDE},
    {"t4", "operator_fixed", 8e-6, 0.5, NULL, "a launch"},
    {"t4", "fc_fixed", 1.6e-5, 0.5, NULL, "two launches"},
    {"t4", "gather_fixed", 1, 0.5, "fc_fixed", LAYER},
    {"t4", "recurrent_fixed", 1, 0.5, "fc_fixed", LAYER},
    {"t4", "part_fixed", 4e-6, 0.7, NULL, WIDE},
    {"t4", "link_fixed", 1e-4, 1, NULL, WIDE},
    {"t4", "input_fixed", 3e-5, 0.5, NULL, WIDE},
    {"gtx1080ti", "operator_fixed", 1e-5, 0.7, NULL, "a launch"},
    {"gtx1080ti", "input_fixed", 3e-5, 0.7, NULL, WIDE},
};
#define N_KEYS (sizeof keys / sizeof *keys)

// What a fit may have of its own.
static const struct calib_key own_keys[] = {
    {"skylake", "fc_half_items", 16, 0.7, NULL, "as c5n"},
    {"skylake", "weight_bandwidth", 1.6e10, 0.5, NULL, "as c5n"},
    {"skylake", "gather_bandwidth", 5e9, 0.5, NULL, "as c5n, by clock"},
    {"skylake", "request_fixed", 7.5e-5, 1, NULL, "as c5n, by clock"},
    {"c5n", "part_fixed", 3e-7, 1, NULL, WIDE},
};

#define HALF_ITEMS "skylake.fc_half_items"
const struct calib_fit calib_fits[] = {
    {"taken", "the Skylake has its `fc_half_items`", {HALF_ITEMS}, 0.5, false, false},
    {"by-clock", "the Skylake has nothing of its own", {NULL}, 0.5, false, false},
    {"weights",
     "the Skylake has its `weight_bandwidth` instead",
     {"skylake.weight_bandwidth"},
     0.5,
     false,
     false},
    {"both", "the Skylake has both", {HALF_ITEMS, "skylake.weight_bandwidth"}, 0.5, false, false},
    {"request",
     "the Skylake has its `request_fixed` as well",
     {HALF_ITEMS, "skylake.request_fixed"},
     0.5,
     false,
     false},
    {"rows",
     "the Skylake has its `gather_bandwidth` as well",
     {HALF_ITEMS, "skylake.gather_bandwidth"},
     0.5,
     false,
     false},
    {"rows-kept", "rows cost the same on any clock", {HALF_ITEMS}, 0, false, false},
    {"rows-clock", "rows follow the clock", {HALF_ITEMS}, 1, false, false},
    {"parts",
     "`c5n` has a `part_fixed`: concatenations cost by what they join",
     {HALF_ITEMS, "c5n.part_fixed"},
     0.5,
     false,
     false},
    {"no-lone", "shares at one item do not count", {HALF_ITEMS}, 0.5, true, false},
    {"no-decision", "decision ratios do not count", {HALF_ITEMS}, 0.5, false, true},
    {NULL, NULL, {NULL}, 0, false, false},
};

const struct calib_fit *calib_fit_find(const char *name)
{
    for (const struct calib_fit *fit = calib_fits; fit->name; fit++)
        if (strcmp(fit->name, name) == 0)
            return fit;
    return NULL;
}

static bool is_own(const struct calib_fit *fit, const char *hardware, const char *key)
{
    char name[2 * CALIB_NAME_MAX];
    snprintf(name, sizeof name, "%s.%s", hardware, key);
    for (int i = 0; i < CALIB_OWN_MAX && fit->own[i]; i++)
        if (strcmp(fit->own[i], name) == 0)
            return true;
    return false;
}

const struct calib_key *calib_fit_key(const struct calib_fit *fit, size_t i)
{
    if (i < N_KEYS)
        return &keys[i];
    i -= N_KEYS;
    for (size_t k = 0; k < sizeof own_keys / sizeof *own_keys; k++)
        if (is_own(fit, own_keys[k].hardware, own_keys[k].key) && i-- == 0)
            return &own_keys[k];
    return NULL;
}

double *calib_value(const struct library *library, const char *hardware, const char *key)
{
    const struct platform *platform = library_platform(library, hardware);
    const struct accelerator *accelerator = library_accelerator(library, hardware);
    const struct field *field = platform      ? schema_find(platform_fields, key)
                                : accelerator ? schema_find(accelerator_fields, key)
                                              : NULL;
    if (!field || field->type != FIELD_REAL)
        return NULL;
    // The library is the caller's; it hands out const only because others may not change it.
    return (double *)((char *)(platform ? (void *)platform : (void *)accelerator) + field->offset);
}

// ---- derived hardware

static void take_over(const struct library *library, const char *to, const char *from,
                      const char *key, double by)
{
    double *set = calib_value(library, to, key), *value = calib_value(library, from, key);
    if (set && value)
        *set = *value * by;
}

static void take_all(const struct library *library, const char *to, const char *from,
                     const char *const *names, double by)
{
    for (; *names; names++)
        take_over(library, to, from, *names, by);
}

// The GTX 1080 Ti's peaks and bandwidths by data sheet; its launches and its loading take their
// relative sizes from the T4, and one measure each of its own.
static void derive_accelerator(const struct library *library)
{
    static const char *const peaks[] = {"fc_peak", "attention_peak", "recurrent_peak",
                                        "vector_peak", NULL};
    static const char *const halves[] = {"fc_half_items", "attention_half_items",
                                         "recurrent_half_items", NULL};
    static const char *const bandwidths[] = {"memory_bandwidth", "gather_bandwidth",
                                             "row_bandwidth", NULL};
    static const char *const launches[] = {"fc_fixed", "gather_fixed", "recurrent_fixed",
                                           "part_fixed", NULL};
    const char *to = "gtx1080ti", *from = "t4";
    double launch =
        *calib_value(library, to, "operator_fixed") / *calib_value(library, from, "operator_fixed");
    double load =
        *calib_value(library, to, "input_fixed") / *calib_value(library, from, "input_fixed");
    take_all(library, to, from, peaks, 11.3 / 8.1);
    take_all(library, to, from, halves, 1);
    take_all(library, to, from, bandwidths, 484.0 / 320.0);
    take_all(library, to, from, launches, launch);
    take_over(library, to, from, "link_fixed", load);
}

// What a core's clock and vectors say, as multiples of c5n's (3 GHz, AVX-512).
struct derived {
    const char *hardware;
    double clock, flops, half_items;
};
static const struct derived cpus[] = {{"skylake", 2.0 / 3, 2.0 / 3, 1},
                                      {"broadwell", 2.4 / 3, 1.2 / 3, 0.5}};

enum rule { BY_FLOPS, BY_VECTORS, BY_CLOCK, BY_TIME, BY_ROWS, AS_IS };
static const struct {
    const char *key;
    enum rule rule;
} rules[] = {
    {"fc_peak", BY_FLOPS},
    {"attention_peak", BY_FLOPS},
    {"recurrent_peak", BY_FLOPS},
    {"fc_half_items", BY_VECTORS},
    {"vector_peak", BY_CLOCK},
    {"activation_bandwidth", BY_CLOCK},
    {"gather_bandwidth", BY_ROWS},
    {"gather_half_items", AS_IS},
    {"stream_bandwidth", AS_IS},
    {"weight_bandwidth", AS_IS},
    {"request_fixed", BY_TIME},
    {"operator_fixed", BY_TIME},
    {"fc_fixed", BY_TIME},
    {"gather_fixed", BY_TIME},
    {"recurrent_fixed", BY_TIME},
    {"input_fixed", BY_TIME},
    {"part_fixed", BY_TIME},
    {"attention_half_items", BY_VECTORS},
    {"recurrent_half_items", BY_VECTORS},
};

static double by_rule(const struct derived *d, enum rule rule, double rows_clock_frac)
{
    switch (rule) {
    case BY_FLOPS:
        return d->flops;
    case BY_VECTORS:
        return d->half_items;
    case BY_CLOCK:
        return d->clock;
    case BY_TIME:
        return 1 / d->clock;
    case BY_ROWS:
        return 1 / (1 - rows_clock_frac + rows_clock_frac / d->clock);
    default:
        return 1;
    }
}

// A key that the Skylake has of its own is what the Broadwell's is derived from.
void calib_derive(const struct calib_fit *fit, const struct library *library)
{
    const struct derived *skylake = &cpus[0];
    for (const struct derived *d = cpus; d < cpus + sizeof cpus / sizeof *cpus; d++)
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
            double by = by_rule(d, rules[i].rule, fit->rows_clock_frac);
            if (!is_own(fit, skylake->hardware, rules[i].key))
                take_over(library, d->hardware, CALIB_CORE, rules[i].key, by);
            else if (d != skylake)
                take_over(library, d->hardware, skylake->hardware, rules[i].key,
                          by / by_rule(skylake, rules[i].rule, fit->rows_clock_frac));
        }
    derive_accelerator(library);
}

// ---- fitting

bool calib_fit_counts(const struct calib_fit *fit, const struct calib_point *point)
{
    if (point->kind == CALIB_SLOWDOWN || (point->kind == CALIB_LONE_SHARE && fit->no_lone_shares) ||
        (point->kind == CALIB_DECISION && fit->no_decisions))
        return false;
    return calib_counts(point);
}

double calib_residual(const struct calib_point *point)
{
    // The speed-up is pulled tighter than its bar: it has the points with the worst scatter.
    static const double allowed[N_CALIB_KINDS] = {[CALIB_COMPUTE] = CALIB_LATENCY_WORST,
                                                  [CALIB_LOAD] = CALIB_LATENCY_WORST,
                                                  [CALIB_SHARE] = CALIB_SHARE_WORST_PCT,
                                                  [CALIB_LONE_SHARE] = CALIB_LONE_SHARE_WORST_PCT,
                                                  [CALIB_SPEEDUP] = 0.17,
                                                  [CALIB_DECISION] = CALIB_DECISION_WORST,
                                                  [CALIB_SLOWDOWN] = CALIB_LATENCY_WORST};
    double error = calib_point_error(point);
    if (point->kind != CALIB_SHARE && point->kind != CALIB_LONE_SHARE)
        error = log(1 + error);
    double r = error / allowed[point->kind];
    return r * (1 + 4 * r * r);
}

struct run {
    const struct calib_fit *fit;
    struct calib *calib;
    const struct library *library;
    const char *without;
    size_t n_keys, n_points;
    struct err *err;
    bool failed;
};

static bool counts(const struct run *run, const struct calib_point *point)
{
    return calib_fit_counts(run->fit, point) &&
           (!run->without || strcmp(point->model, run->without) != 0);
}

static double *key_value(const struct run *run, size_t i)
{
    const struct calib_key *key = calib_fit_key(run->fit, i);
    return calib_value(run->library, key->hardware, key->key);
}

static double prior_of(const struct run *run, const struct calib_key *key)
{
    return key->like ? key->prior * *calib_value(run->library, key->hardware, key->like)
                     : key->prior;
}

static void set_keys(const struct run *run, const gsl_vector *x)
{
    for (size_t i = 0; i < run->n_keys; i++)
        *key_value(run, i) = exp(gsl_vector_get(x, i));
    calib_derive(run->fit, run->library);
}

static int residuals(const gsl_vector *x, void *params, gsl_vector *out)
{
    struct run *run = params;
    set_keys(run, x);
    if (calib_evaluate(run->calib, run->library, run->err) != 0) {
        run->failed = true;
        return GSL_EFAILED;
    }
    for (size_t i = 0, n = 0; i < run->calib->n_points; i++)
        if (counts(run, &run->calib->points[i]))
            gsl_vector_set(out, n++, calib_residual(&run->calib->points[i]));
    for (size_t i = 0; i < run->n_keys; i++) {
        const struct calib_key *key = calib_fit_key(run->fit, i);
        double off = gsl_vector_get(x, i) - log(prior_of(run, key));
        gsl_vector_set(out, run->n_points + i, PRIOR_WEIGHT * off / key->spread);
    }
    return GSL_SUCCESS;
}

static int solve(struct run *run, gsl_vector *x)
{
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf system = {
        .f = residuals, .n = run->n_points + run->n_keys, .p = run->n_keys, .params = run};
    int info;
    how.scale = gsl_multifit_nlinear_scale_levenberg;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &how, run->n_points + run->n_keys, run->n_keys);
    gsl_multifit_nlinear_init(x, &system, work);
    gsl_multifit_nlinear_driver(ITERATIONS, TOLERANCE, TOLERANCE, TOLERANCE, NULL, NULL, &info,
                                work);
    gsl_vector_memcpy(x, gsl_multifit_nlinear_position(work));
    gsl_multifit_nlinear_free(work);
    if (!run->failed)
        set_keys(run, x);
    return run->failed ? -1 : calib_evaluate(run->calib, run->library, run->err);
}

int calib_fit_run(const struct calib_fit *fit, struct calib *calib, const struct library *library,
                  const char *without, struct err *err)
{
    struct run run = {
        .fit = fit, .calib = calib, .library = library, .without = without, .err = err};
    for (size_t i = 0; i < calib->n_points; i++)
        run.n_points += counts(&run, &calib->points[i]);
    for (const struct calib_key *key; (key = calib_fit_key(fit, run.n_keys)); run.n_keys++)
        if (!key_value(&run, run.n_keys))
            return err_set(err, ERR_FAIL, "%s: %s has no such key", key->key, key->hardware);
    gsl_vector *x = gsl_vector_alloc(run.n_keys);
    for (size_t i = 0; i < run.n_keys; i++) {
        double start = *key_value(&run, i);
        if (!(start > 0)) // a key that the catalogue does not use
            start = prior_of(&run, calib_fit_key(fit, i));
        gsl_vector_set(x, i, log(start));
    }
    int rc = solve(&run, x);
    gsl_vector_free(x);
    return rc;
}

static void print_value(FILE *out, const struct library *library, const char *hardware,
                        const char *key)
{
    const double *value = calib_value(library, hardware, key);
    if (value && *value > 0)
        fprintf(out, "%s.%s %.6g\n", hardware, key, *value);
}

void calib_fit_print(FILE *out, const struct calib_fit *fit, const struct library *library)
{
    for (size_t i = 0; calib_fit_key(fit, i); i++) {
        const struct calib_key *key = calib_fit_key(fit, i);
        print_value(out, library, key->hardware, key->key);
        if (strcmp(key->hardware, "t4") == 0 && !is_own(fit, "gtx1080ti", key->key))
            print_value(out, library, "gtx1080ti", key->key);
    }
    for (const struct derived *d = cpus; d < cpus + sizeof cpus / sizeof *cpus; d++)
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            print_value(out, library, d->hardware, rules[i].key);
}
