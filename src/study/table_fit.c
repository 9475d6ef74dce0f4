// SPDX-License-Identifier: Apache-2.0
#include "study/table_fit.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "models/cost.h"
#include "study/flow.h"

#define ROUNDS 100 // of contention in turn with the rest: it settles in a few

// Points as rows: time = first * a + second * b, times 1 + contention * x.
struct basis {
    size_t n;
    const struct table_fit_point *points;
    double *a, *b, *x; // [n]
    bool contends;
};

struct form {
    double first, second, contention;
};

static double value_of(const struct basis *basis, const struct form *form, size_t i)
{
    return (form->first * basis->a[i] + form->second * basis->b[i]) *
           (1 + form->contention * basis->x[i]);
}

// One of the two alone: sum of the relative times over the sum of their squares.
static double alone(const struct basis *basis, const double *a, double contention, size_t left_out)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < basis->n; i++) {
        double y = a[i] * (1 + contention * basis->x[i]) / basis->points[i].measured_s;
        sum += i == left_out ? 0 : y;
        squares += i == left_out ? 0 : y * y;
    }
    return squares > 0 ? fmax(sum / squares, 0) : 0;
}

// Least squares of first and second, neither below 0.
static void solve(const struct basis *basis, size_t left_out, struct form *form)
{
    size_t n = basis->n - (left_out < basis->n), row = 0;
    gsl_matrix *x = gsl_matrix_alloc(n, 2), *cov = gsl_matrix_alloc(2, 2);
    gsl_vector *y = gsl_vector_alloc(n), *c = gsl_vector_alloc(2);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(n, 2);
    double chi;
    for (size_t i = 0; i < basis->n; i++) {
        if (i == left_out)
            continue;
        double scale = (1 + form->contention * basis->x[i]) / basis->points[i].measured_s;
        gsl_matrix_set(x, row, 0, basis->a[i] * scale);
        gsl_matrix_set(x, row, 1, basis->b[i] * scale);
        gsl_vector_set(y, row++, 1);
    }
    gsl_multifit_linear(x, y, c, cov, &chi, work);
    form->first = gsl_vector_get(c, 0);
    form->second = gsl_vector_get(c, 1);
    if (form->first < 0) {
        form->first = 0;
        form->second = alone(basis, basis->b, form->contention, left_out);
    } else if (form->second < 0) {
        form->second = 0;
        form->first = alone(basis, basis->a, form->contention, left_out);
    }
    gsl_multifit_linear_free(work);
    gsl_vector_free(c);
    gsl_vector_free(y);
    gsl_matrix_free(cov);
    gsl_matrix_free(x);
}

// Contention for first and second as they are: of v (1 + c x) / t nearest to 1.
static double contention_of(const struct basis *basis, const struct form *form, size_t left_out)
{
    const struct form plain = {form->first, form->second, 0};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < basis->n; i++) {
        double v = value_of(basis, &plain, i) / basis->points[i].measured_s;
        double slope = i == left_out ? 0 : v * basis->x[i];
        sum += slope * (1 - v);
        squares += slope * slope;
    }
    return squares > 0 ? fmax(sum / squares, 0) : 0;
}

static struct form fit_form(const struct basis *basis, size_t left_out)
{
    struct form form = {0, 0, 0};
    solve(basis, left_out, &form);
    for (int round = 0; basis->contends && round < ROUNDS; round++) {
        form.contention = contention_of(basis, &form, left_out);
        solve(basis, left_out, &form);
    }
    return form;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void sum_up(double *errors, size_t n, double *median, double *worst)
{
    qsort(errors, n, sizeof *errors, compare_doubles);
    *median = n % 2 ? errors[n / 2] : (errors[n / 2 - 1] + errors[n / 2]) / 2;
    *worst = errors[n - 1];
}

// Everything that follows from a basis; its arrays are released.
static void fill(struct table_fit *fit, struct basis *basis)
{
    double *errors = mem_calloc(fit->n, sizeof *errors), *left = mem_calloc(fit->n, sizeof *left);
    bool enough = fit->n > 2 + (size_t)basis->contends;
    struct form all = fit_form(basis, SIZE_MAX);
    fit->first = all.first;
    fit->second = all.second;
    fit->contention_frac = all.contention;
    for (size_t i = 0; i < fit->n; i++) {
        struct table_fit_point *point = &fit->points[i];
        point->fitted_s = value_of(basis, &all, i);
        point->left_out_s = (double)NAN;
        if (enough) {
            struct form others = fit_form(basis, i);
            point->left_out_s = value_of(basis, &others, i);
        }
        errors[i] = fabs(point->fitted_s / point->measured_s - 1);
        left[i] = fabs(point->left_out_s / point->measured_s - 1);
    }
    sum_up(errors, fit->n, &fit->median_frac, &fit->worst_frac);
    fit->left_out_median_frac = fit->left_out_worst_frac = (double)NAN;
    if (enough)
        sum_up(left, fit->n, &fit->left_out_median_frac, &fit->left_out_worst_frac);
    mem_free(left);
    mem_free(errors);
    mem_free(basis->a);
    mem_free(basis->b);
    mem_free(basis->x);
}

// The table's points, and room for their basis.
static int begin(struct table_fit *fit, struct basis *basis, const struct cost_table *table,
                 struct err *err)
{
    size_t n_batches = table->batches_items.n, n_busy = table->busy_cores.n;
    *fit = (struct table_fit){.n = 0};
    if (table->seconds_s.n == 0)
        return err_set(err, ERR_STUDY, "%s has no CPU times to fit", table->name);
    if (n_batches < 2)
        return err_set(err, ERR_STUDY, "%s: expected times of at least two batches to fit",
                       table->name);
    gsl_set_error_handler_off();
    fit->n = n_batches * n_busy;
    fit->points = mem_calloc(fit->n, sizeof *fit->points);
    for (size_t i = 0; i < fit->n; i++)
        fit->points[i] =
            (struct table_fit_point){.batch_items = table->batches_items.v[i % n_batches],
                                     .busy_cores = table->busy_cores.v[i / n_batches],
                                     .measured_s = table->seconds_s.v[i]};
    *basis = (struct basis){.n = fit->n,
                            .points = fit->points,
                            .a = mem_calloc(fit->n, sizeof *basis->a),
                            .b = mem_calloc(fit->n, sizeof *basis->b),
                            .x = mem_calloc(fit->n, sizeof *basis->x)};
    return 0;
}

int table_fit_affine(struct table_fit *fit, const struct cost_table *table, struct err *err)
{
    struct basis basis;
    if (begin(fit, &basis, table, err) < 0)
        return -1;
    double most = table->busy_cores.v[table->busy_cores.n - 1];
    basis.contends = table->busy_cores.n > 1;
    for (size_t i = 0; i < fit->n; i++) {
        basis.a[i] = 1;
        basis.b[i] = fit->points[i].batch_items;
        basis.x[i] = most > 1 ? (fit->points[i].busy_cores - 1) / (most - 1) : 0;
    }
    fill(fit, &basis);
    return 0;
}

int table_fit_roofline(struct table_fit *fit, const struct cost_table *table,
                       const struct model *model, const struct platform *base, struct err *err)
{
    struct basis basis;
    struct cost_config once = {.kind = cost_type_find("roofline"), .fixed_scale = 1}, twice = once;
    twice.fixed_scale = 2;
    if (table->busy_cores.n > 0 &&
        table->busy_cores.v[table->busy_cores.n - 1] > (double)base->cores)
        return err_set(err, ERR_STUDY, "%s has %.6g busy cores, and platform %s %lld", table->name,
                       table->busy_cores.v[table->busy_cores.n - 1], base->name,
                       (long long)base->cores);
    struct cost *one = cost_create(&once, model, base, err);
    struct cost *two = one ? cost_create(&twice, model, base, err) : NULL;
    int rc = two ? begin(fit, &basis, table, err) : -1;
    for (size_t i = 0; rc == 0 && i < fit->n; i++) {
        uint32_t items = (uint32_t)fit->points[i].batch_items;
        uint32_t busy = (uint32_t)fit->points[i].busy_cores;
        double whole_s = cost_cpu_s(one, items, busy);
        basis.a[i] = cost_cpu_s(two, items, busy) - whole_s;
        basis.b[i] = whole_s - basis.a[i];
    }
    if (rc == 0)
        fill(fit, &basis);
    cost_destroy(two);
    cost_destroy(one);
    return rc;
}

void table_fit_release(struct table_fit *fit)
{
    if (!fit)
        return;
    mem_free(fit->points);
    *fit = (struct table_fit){.n = 0};
}

// ---- YAML ---------------------------------------------------------------------------------------

// To four digits: a fit has no more.
static void scale(struct platform *platform, const char *const *keys, double by)
{
    for (; *keys; keys++) {
        const struct field *field = schema_find(platform_fields, *keys);
        double *value = (double *)(void *)((char *)platform + field->offset);
        char text[32];
        snprintf(text, sizeof text, "%.4g", *value * by);
        *value = strtod(text, NULL);
    }
}

// A copy of `base` with its fixed times and its rates scaled.
static struct platform scaled(const struct table_fit *fit, const struct platform *base)
{
    static const char *const fixed[] = {
        "request_fixed",   "operator_fixed", "fc_fixed", "gather_fixed",
        "recurrent_fixed", "part_fixed",     NULL};
    static const char *const rates[] = {"fc_peak",
                                        "attention_peak",
                                        "recurrent_peak",
                                        "vector_peak",
                                        "activation_bandwidth",
                                        "weight_bandwidth",
                                        "gather_bandwidth",
                                        "gather_socket_bandwidth",
                                        "stream_bandwidth",
                                        "stream_socket_bandwidth",
                                        NULL};
    struct platform to = platform_copy(base);
    scale(&to, fixed, fit->first);
    scale(&to, rates, 1 / fit->second);
    return to;
}

char *table_fit_platform_yaml(const struct table_fit *fit, const struct platform *base,
                              const char *name)
{
    char *text = NULL, *quoted = flow_quote(name);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct platform to = scaled(fit, base);
    fprintf(out, "platforms:\n  - name: %s\n    like: %s\n    provisional: false\n", quoted,
            base->name);
    for (const struct field *f = platform_fields; f->key; f++) {
        char *ours = schema_format(f, &to), *theirs = schema_format(f, base);
        if (strcmp(ours, theirs) != 0)
            fprintf(out, "    %s: %s\n", f->key, ours);
        mem_free(ours);
        mem_free(theirs);
    }
    fprintf(out,
            "    sources: {fixed: \"fitted: %.4g times those of %s\", rates: \"fitted: those of "
            "%s divided by %.4g\"}\n",
            fit->first, base->name, base->name, fit->second);
    fclose(out);
    platform_release(&to);
    mem_free(quoted);
    return text;
}

char *table_fit_table_yaml(const struct table_fit *fit, const struct cost_table *table,
                           const char *name)
{
    char *text = NULL, *quoted = flow_quote(name), *model = flow_quote(table->model);
    char *platform = flow_quote(table->platform);
    const struct reals *busy = &table->busy_cores;
    size_t size = 0, n = fit->contention_frac > 0 ? 2 : 1;
    double most = table->batches_items.v[table->batches_items.n - 1], last = busy->v[busy->n - 1];
    FILE *out = open_memstream(&text, &size);
    fprintf(
        out,
        "tables:\n  - name: %s\n    model: %s\n    platform: %s\n    batches_items: [1, %.6g]\n",
        quoted, model, platform, most);
    fprintf(out,
            n == 2 ? "    busy_cores: [1, %.6g]\n    seconds: ["
                   : "    busy_cores: [1]\n    seconds: [",
            last);
    for (size_t i = 0; i < n; i++) {
        double by = i == 0 ? 1 : 1 + fit->contention_frac;
        fprintf(out, "%s%.9gs, %.9gs", i == 0 ? "" : ", ", by * (fit->first + fit->second),
                by * (fit->first + fit->second * most));
    }
    fprintf(out, "]\n    sources: {seconds: \"fitted: %.4g s + %.4g s an item\"}\n", fit->first,
            fit->second);
    fclose(out);
    mem_free(platform);
    mem_free(model);
    mem_free(quoted);
    return text;
}
