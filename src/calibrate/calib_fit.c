// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_fit.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define ITERATIONS 400
#define PRIOR_WEIGHT 0.3
#define TOLERANCE 1e-8

const struct calib_stage calib_stages[] = {
    {"all",
     "computing and loading times of c5n and the T4, operator shares of the Skylake and the GTX "
     "1080 "
     "Ti that are derived from them, and the speed-up of one over the other",
     {{"c5n", "fc_half_items", 16, 0.7},
      {"c5n", "activation_bandwidth", 4e+09, 1},
      {"c5n", "attention_peak", 3e+10, 1},
      {"c5n", "recurrent_peak", 3e+10, 1},
      {"c5n", "vector_peak", 6e+09, 1},
      {"c5n", "weight_bandwidth", 1.6e+10, 0.5},
      {"c5n", "gather_bandwidth", 6.2e+09, 0.5},
      {"c5n", "gather_half_items", 3, 1},
      {"c5n", "stream_bandwidth", 1.2e+10, 0.3},
      {"c5n", "request_fixed", 5e-05, 1},
      {"c5n", "operator_fixed", 5e-07, 1},
      {"c5n", "fc_fixed", 1e-06, 1},
      {"c5n", "gather_fixed", 5e-07, 1},
      {"c5n", "recurrent_fixed", 6e-06, 1},
      {"c5n", "input_fixed", 1.6e-05, 0.5},
      {"skylake", "fc_half_items", 8, 0.7},
      {"skylake", "weight_bandwidth", 2e+10, 0.5},
      {"t4", "fc_peak", 2.5e+12, 1},
      {"t4", "fc_half_items", 10, 1},
      {"t4", "attention_peak", 7e+11, 1},
      {"t4", "recurrent_peak", 1e+12, 1},
      {"t4", "vector_peak", 5e+10, 1},
      {"t4", "memory_bandwidth", 1.5e+11, 0.7},
      {"t4", "gather_bandwidth", 1.2e+11, 0.5},
      {"t4", "row_bandwidth", 3e+09, 1},
      {"t4", "operator_fixed", 8e-06, 0.5},
      {"t4", "fc_fixed", 1.6e-05, 0.5},
      {"t4", "gather_fixed", 2e-05, 0.5},
      {"t4", "recurrent_fixed", 1.8e-05, 0.5},
      {"t4", "part_fixed", 4e-06, 0.7},
      {"t4", "link_fixed", 0.0001, 1},
      {"t4", "input_fixed", 5e-05, 0.5},
      {"gtx1080ti", "operator_fixed", 1e-05, 0.7},
      {"gtx1080ti", "input_fixed", 5e-05, 0.7},
      {NULL, NULL, 0, 0}}},
    {NULL, NULL, {{NULL, NULL, 0, 0}}},
};

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

static double *key_value(const struct library *library, const struct calib_key *key)
{
    return calib_value(library, key->hardware, key->key);
}

// ---- derived hardware

struct derived {
    const char *to, *from;
    double core_scale;  // rates of a core's own work; its fixed times by the inverse
    double flops_scale; // peaks of arithmetic
    double half_scale;  // half-batches of arithmetic
};

static void scale(const struct library *library, const struct derived *d, const char *key,
                  double by)
{
    double *to = calib_value(library, d->to, key), *from = calib_value(library, d->from, key);
    if (to && from)
        *to = *from * by;
}

static void derive_all(const struct library *library, const struct derived *d,
                       const char *const *keys, double by)
{
    for (; *keys; keys++)
        scale(library, d, *keys, by);
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
    static const char *const loads[] = {"link_fixed", NULL};
    const struct derived d = {"gtx1080ti", "t4", 0, 0, 0};
    double bandwidth = 484.0 / 320.0;
    double launch = *calib_value(library, d.to, "operator_fixed") /
                    *calib_value(library, d.from, "operator_fixed");
    double load =
        *calib_value(library, d.to, "input_fixed") / *calib_value(library, d.from, "input_fixed");
    derive_all(library, &d, peaks, 11.3 / 8.1);
    derive_all(library, &d, halves, 1);
    derive_all(library, &d, bandwidths, bandwidth);
    derive_all(library, &d, launches, launch);
    derive_all(library, &d, loads, load);
}

void calib_derive(const struct library *library)
{
    static const char *const peaks[] = {"fc_peak", "attention_peak", "recurrent_peak", NULL};
    static const char *const halves[] = {"attention_half_items", "recurrent_half_items", NULL};
    static const char *const rates[] = {"vector_peak", "activation_bandwidth", NULL};
    static const char *const kept[] = {"gather_bandwidth", "gather_half_items", "stream_bandwidth",
                                       NULL};
    static const char *const times[] = {"operator_fixed",  "fc_fixed",      "gather_fixed",
                                        "recurrent_fixed", "input_fixed",   "part_fixed",
                                        "row_fixed",       "request_fixed", NULL};
    static const struct derived cpus[] = {{"skylake", "c5n", 2.0 / 3.0, 2.0 / 3.0, 1},
                                          {"broadwell", "c5n", 2.4 / 3.0, 1.2 / 3.0, 0.5}};
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        derive_all(library, &cpus[i], peaks, cpus[i].flops_scale);
        derive_all(library, &cpus[i], halves, cpus[i].half_scale);
        derive_all(library, &cpus[i], rates, cpus[i].core_scale);
        derive_all(library, &cpus[i], kept, 1);
        derive_all(library, &cpus[i], times, 1 / cpus[i].core_scale);
    }
    derive_accelerator(library);
}

// ---- fitting

bool calib_fits(const struct calib_point *point)
{
    return point->kind != CALIB_SLOWDOWN && calib_counts(point);
}

double calib_residual(const struct calib_point *point)
{
    static const double bars[N_CALIB_KINDS] = {[CALIB_COMPUTE] = CALIB_LATENCY_WORST,
                                               [CALIB_LOAD] = CALIB_LATENCY_WORST,
                                               [CALIB_SHARE] = CALIB_SHARE_WORST_PCT,
                                               [CALIB_SPEEDUP] = CALIB_SPEEDUP_WORST,
                                               [CALIB_SLOWDOWN] = CALIB_LATENCY_WORST};
    double error = calib_point_error(point);
    if (point->kind != CALIB_SHARE)
        error = log(1 + error);
    double r = error / bars[point->kind];
    return r * (1 + 4 * r * r);
}

struct fit {
    const struct calib_stage *stage;
    struct calib *calib;
    const struct library *library;
    size_t n_keys, n_points;
    struct err *err;
    bool failed;
};

static void set_keys(const struct fit *fit, const gsl_vector *x)
{
    for (size_t i = 0; i < fit->n_keys; i++)
        *key_value(fit->library, &fit->stage->keys[i]) = exp(gsl_vector_get(x, i));
    calib_derive(fit->library);
}

static int residuals(const gsl_vector *x, void *params, gsl_vector *out)
{
    struct fit *fit = params;
    set_keys(fit, x);
    if (calib_evaluate(fit->calib, fit->library, fit->err) != 0) {
        fit->failed = true;
        return GSL_EFAILED;
    }
    for (size_t i = 0, n = 0; i < fit->calib->n_points; i++)
        if (calib_fits(&fit->calib->points[i]))
            gsl_vector_set(out, n++, calib_residual(&fit->calib->points[i]));
    for (size_t i = 0; i < fit->n_keys; i++) {
        const struct calib_key *key = &fit->stage->keys[i];
        gsl_vector_set(out, fit->n_points + i,
                       PRIOR_WEIGHT * (gsl_vector_get(x, i) - log(key->prior)) / key->spread);
    }
    return GSL_SUCCESS;
}

static int solve(struct fit *fit, gsl_vector *x)
{
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf system = {
        .f = residuals, .n = fit->n_points + fit->n_keys, .p = fit->n_keys, .params = fit};
    int info;
    how.scale = gsl_multifit_nlinear_scale_levenberg;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &how, fit->n_points + fit->n_keys, fit->n_keys);
    gsl_multifit_nlinear_init(x, &system, work);
    gsl_multifit_nlinear_driver(ITERATIONS, TOLERANCE, TOLERANCE, TOLERANCE, NULL, NULL, &info,
                                work);
    gsl_vector_memcpy(x, gsl_multifit_nlinear_position(work));
    gsl_multifit_nlinear_free(work);
    if (!fit->failed)
        set_keys(fit, x);
    return fit->failed ? -1 : calib_evaluate(fit->calib, fit->library, fit->err);
}

int calib_fit(const struct calib_stage *stage, struct calib *calib, const struct library *library,
              struct err *err)
{
    struct fit fit = {.stage = stage, .calib = calib, .library = library, .err = err};
    for (size_t i = 0; i < calib->n_points; i++)
        fit.n_points += calib_fits(&calib->points[i]);
    while (fit.n_keys < CALIB_KEYS_MAX && stage->keys[fit.n_keys].key) {
        const struct calib_key *key = &stage->keys[fit.n_keys];
        const double *value = key_value(library, key);
        if (!value || !(*value > 0))
            return err_set(err, ERR_FAIL, "%s: %s has no value above 0 to start from", key->key,
                           key->hardware);
        fit.n_keys++;
    }
    gsl_vector *x = gsl_vector_alloc(fit.n_keys);
    for (size_t i = 0; i < fit.n_keys; i++)
        gsl_vector_set(x, i, log(*key_value(library, &stage->keys[i])));
    int rc = solve(&fit, x);
    gsl_vector_free(x);
    return rc;
}
