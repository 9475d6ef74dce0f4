// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib_holdout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/calib_report.h"

// ---- by model

// A new model begins here: none of the points before is of it.
static bool is_first(const struct calib *calib, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(calib->points[k].model, calib->points[i].model) == 0)
            return false;
    return true;
}

// The fit is of a copy of the points and a catalogue of its own, so that one model's fit does not
// start where another's ended.
static int leave_out(const struct calib_fit *fit, struct calib *calib, const char *model,
                     struct err *err)
{
    struct library library = {0};
    struct calib copy = {.n_points = calib->n_points};
    if (library_load(&library, err) != 0)
        return -1;
    copy.points = mem_alloc((calib->n_points + 1) * sizeof *copy.points);
    memcpy(copy.points, calib->points, calib->n_points * sizeof *copy.points);
    int rc = calib_fit_run(fit, &copy, &library, model, err);
    for (size_t i = 0; rc == 0 && i < calib->n_points; i++)
        if (strcmp(calib->points[i].model, model) == 0)
            calib->points[i].ours = copy.points[i].ours;
    mem_free(copy.points);
    library_release(&library);
    return rc;
}

int calib_hold_out_models(const struct calib_fit *fit, struct calib *calib, struct err *err)
{
    for (size_t i = 0; i < calib->n_points; i++)
        if (calib_fit_counts(fit, &calib->points[i]) && is_first(calib, i) &&
            leave_out(fit, calib, calib->points[i].model, err) != 0)
            return -1;
    return 0;
}

// ---- by machine

struct calib *calib_hold_out_machine(const struct library *library, const char *on, struct err *err)
{
    struct calib *calib = mem_calloc(1, sizeof *calib);
    for (size_t i = 0; i < library->n_tables; i++) {
        const struct cost_table *table = &library->tables[i];
        if (strcmp(table->platform, CALIB_OTHER_MACHINE) != 0)
            continue;
        for (size_t k = 0; k < table->batches_items.n; k++) {
            uint32_t items = (uint32_t)table->batches_items.v[k];
            calib_add(calib, CALIB_COMPUTE, on, table->model, items)->theirs =
                cost_table_cpu_s(table, items, 1);
        }
    }
    if (calib_evaluate(calib, library, err) == 0)
        return calib;
    calib_destroy(calib);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Logarithms of ours / theirs, ascending. Returns how many; frees nothing.
static size_t logs_of(const struct calib *calib, const char *model, double *logs)
{
    size_t n = 0;
    for (size_t i = 0; i < calib->n_points; i++)
        if (!model || strcmp(calib->points[i].model, model) == 0)
            logs[n++] = log(calib->points[i].ours / calib->points[i].theirs);
    qsort(logs, n, sizeof *logs, ascending);
    return n;
}

struct calib_factor calib_factor_of(const struct calib *calib, const char *model)
{
    double *logs = mem_alloc((calib->n_points + 1) * sizeof *logs);
    struct calib_factor found = {.n = logs_of(calib, model, logs)};
    if (found.n > 0) {
        double middle = (logs[(found.n - 1) / 2] + logs[found.n / 2]) / 2;
        for (size_t i = 0; i < found.n; i++)
            logs[i] = fabs(logs[i] - middle);
        struct calib_error error = calib_error_of(logs, found.n);
        found.factor = exp(middle);
        found.median = exp(error.median);
        found.worst = exp(error.worst);
    }
    mem_free(logs);
    return found;
}

double calib_spread_of(const struct calib *calib, const char *model)
{
    double *logs = mem_alloc((calib->n_points + 1) * sizeof *logs);
    size_t n = logs_of(calib, model, logs);
    double spread = n > 0 ? exp((logs[n - 1] - logs[0]) / 2) : 1;
    mem_free(logs);
    return spread;
}

// ---- every fit

void calib_fits_header(FILE *out)
{
    fputs("fit,what differs,parameters,c5n median,c5n worst,shares worst,at 1 item worst,speed-up "
          "worst,decision median,decision worst,din-repo within\n",
          out);
}

int calib_fits_row(FILE *out, const struct calib_fit *fit, const struct calib *calib,
                   const struct library *library, struct err *err)
{
    struct calib *tables = calib_hold_out_machine(library, "skylake", err);
    if (!tables)
        return -1;
    size_t n_keys = 0;
    while (calib_fit_key(fit, n_keys))
        n_keys++;
    struct calib_error computing = calib_error(calib, CALIB_COMPUTE, CALIB_CORE);
    struct calib_error decision = calib_error(calib, CALIB_DECISION, NULL);
    fprintf(out, "%s,%s,%zu,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.2f\n", fit->name, fit->words,
            n_keys, 100 * computing.median, 100 * computing.worst,
            calib_error(calib, CALIB_SHARE, NULL).worst,
            calib_error(calib, CALIB_LONE_SHARE, NULL).worst,
            100 * calib_error(calib, CALIB_SPEEDUP, NULL).worst, 100 * decision.median,
            100 * decision.worst, calib_spread_of(tables, "din-repo"));
    calib_destroy(tables);
    return 0;
}

// ---- the section

static const char *const by_model =
    "## Held out\n\n"
    "What the fit says of what it has not seen; two forms of the cost were chosen partly by these "
    "figures (above). This section is written by `rf_calibrate --holdout`, which fits again once "
    "for every model.\n\n"
    "### By model\n\n"
    "Every model is left out in turn with all of its points (times on both machines, shares, "
    "speed-up, decision ratio) and the rest is fitted again. A model of a class of its own then "
    "leaves keys to their priors, which is why those are tied to other keys or to another "
    "machine.\n\n"
    "| what | points | median, in sample | held out | bar | worst, in sample | held out | bar |\n"
    "|---|---|---|---|---|---|---|---|\n";

static const struct held {
    const char *label, *hardware;
    enum calib_kind kind;
    double median, worst; // bars; 0: none is set
} helds[] = {
    {"c5n, computing", "c5n", CALIB_COMPUTE, CALIB_HELD_MEDIAN, CALIB_HELD_WORST},
    {"c5n, loading", "c5n", CALIB_LOAD, CALIB_HELD_MEDIAN, CALIB_HELD_WORST},
    {"c5n, decision ratio", "c5n", CALIB_DECISION, 0, 0},
    {"T4, computing", "t4", CALIB_COMPUTE, CALIB_HELD_MEDIAN, CALIB_HELD_WORST},
    {"T4, loading", "t4", CALIB_LOAD, CALIB_HELD_MEDIAN, CALIB_HELD_WORST},
    {"operator shares, Skylake, points", "skylake", CALIB_SHARE, 0, 0},
    {"the same at 1 item", "skylake", CALIB_LONE_SHARE, 0, 0},
    {"operator shares, GTX 1080 Ti, points", "gtx1080ti", CALIB_SHARE, 0, 0},
    {"the same at 1 item", "gtx1080ti", CALIB_LONE_SHARE, 0, 0},
    {"speed-up, GTX 1080 Ti over Skylake", "gtx1080ti", CALIB_SPEEDUP, 0, 0},
};

static void bar(FILE *out, double value)
{
    if (value > 0)
        fprintf(out, " %.0f |", value * 100);
    else
        fputs(" |", out);
}

static void held_rows(FILE *out, const struct calib *in_sample, const struct calib *calib)
{
    for (size_t i = 0; i < sizeof helds / sizeof *helds; i++) {
        const struct held *held = &helds[i];
        bool points = held->kind == CALIB_SHARE || held->kind == CALIB_LONE_SHARE;
        double unit = points ? 1 : 100;
        struct calib_error a = calib_error(in_sample, held->kind, held->hardware);
        struct calib_error b = calib_error(calib, held->kind, held->hardware);
        fprintf(out, "| %s | %zu | %.1f | %.1f |", held->label, b.n, unit * a.median,
                unit * b.median);
        bar(out, held->median);
        fprintf(out, " %.1f | %.1f |", unit * a.worst, unit * b.worst);
        bar(out, held->worst);
        fputs("\n", out);
    }
    fputs("\n", out);
}

static const char *const undecided =
    "What the data cannot decide, and which measurement would:\n\n"
    "- **Lookups on a T4**: RMC2 is the only model with many that was timed there. Without it the "
    "gather bandwidth rests on shares of a GTX 1080 Ti, where RMC1's rows are half as long, and "
    "comes out less than half as large. One batch sweep of RMC1 on a T4 would decide.\n"
    "- **Loading few tensors on a T4**: NCF brings 5, every other model 28 and more, so the time "
    "per query and the time per tensor cannot be told apart without it. One sweep of a model "
    "with a handful of tensors (`din-shipped`) would decide.\n"
    "- **Small requests on a core**: at 10 items NCF is a few fixed times and little else. Times "
    "at 1, 2 and 4 items on a c5n, which the public data do not have, would decide how they "
    "split.\n\n";

static const char *const by_machine =
    "### By machine\n\n"
    "The measured tables of `" CALIB_OTHER_MACHINE
    "`, another CPU with another framework, are fitted to by nothing here. Ours / theirs of one "
    "busy core, up to one factor for all models, and up to one factor for each; `within` is the "
    "largest ratio that is left.\n\n";

static int machine_table(FILE *out, const struct library *library, const char *on, struct err *err)
{
    struct calib *calib = calib_hold_out_machine(library, on, err);
    if (!calib)
        return -1;
    struct calib_factor all = calib_factor_of(calib, NULL);
    fprintf(out,
            "`%s`: %.2f times the table in the median of %zu points; that taken out, half of the "
            "points are within a factor of %.2f, all within %.2f.\n\n"
            "| model | 1 | 4 | 16 | 64 | 256 | 1024 | within, own factor |\n"
            "|---|---|---|---|---|---|---|---|\n",
            on, all.factor, all.n, all.median, all.worst);
    const char *before = "";
    for (size_t i = 0; i < calib->n_points; i++) {
        const struct calib_point *point = &calib->points[i];
        if (strcmp(point->model, before) != 0)
            fprintf(out, "| `%s` |", point->model);
        fprintf(out, " %.2f |", point->ours / point->theirs);
        before = point->model;
        if (i + 1 == calib->n_points || strcmp(calib->points[i + 1].model, before) != 0)
            fprintf(out, " %.2f |\n", calib_spread_of(calib, before));
    }
    fprintf(out, "\n");
    calib_destroy(calib);
    return 0;
}

int calib_holdout_report(FILE *out, struct calib *calib, const struct library *library,
                         struct err *err)
{
    static const char *const cells =
        "| hardware | model | 10 | % | 50 | % | 100 | % | 200 | % | 400 | % | 600 | % | 800 | % | "
        "1000 | % |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    struct calib in_sample = {.n_points = calib->n_points};
    if (calib_evaluate(calib, library, err) != 0)
        return -1;
    in_sample.points = mem_alloc((calib->n_points + 1) * sizeof *in_sample.points);
    memcpy(in_sample.points, calib->points, calib->n_points * sizeof *in_sample.points);
    int rc = calib_hold_out_models(&calib_fits[0], calib, err);
    if (rc == 0) {
        fputs(by_model, out);
        held_rows(out, &in_sample, calib);
        calib_report_series(out, calib, CALIB_COMPUTE, 1e3, "Computing, ms, model held out", cells);
        calib_report_series(out, calib, CALIB_LOAD, 1e3, "Loading, ms, model held out", cells);
        fputs(undecided, out);
        fputs(by_machine, out);
        rc = machine_table(out, library, "skylake", err);
        if (rc == 0)
            rc = machine_table(out, library, CALIB_CORE, err);
        fprintf(out,
                "The bar: the Skylake's `din-repo` within %.1f of its table over 1..1024, up "
                "to one factor.\n",
                CALIB_DIN_SPREAD);
    }
    mem_free(in_sample.points);
    return rc;
}
