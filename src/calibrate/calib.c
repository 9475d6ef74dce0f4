// SPDX-License-Identifier: Apache-2.0
#include "calibrate/calib.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "models/cost_roofline.h"

#define LINE_MAX_BYTES 512
#define COLUMNS_MAX 12
#define PATH_MAX_BYTES 512
#define MS 1e-3

const char *const calib_operator_names[] = {"FC",  "SLS", "Concat",  "ReLU",
                                            "Sum", "RNN", "Softmax", NULL};

// ---- reading

struct row {
    const char *path;
    int line;
    char text[LINE_MAX_BYTES];
    const char *column[COLUMNS_MAX];
    size_t n_columns;
};

static void split_row(struct row *row)
{
    row->n_columns = 0;
    row->text[strcspn(row->text, "\r\n")] = 0;
    for (char *rest = row->text; rest && row->n_columns < COLUMNS_MAX;)
        row->column[row->n_columns++] = strsep(&rest, ",");
}

static double number(const struct row *row, size_t column, struct err *err)
{
    double value = -1;
    if (units_parse(UNIT_NONE, row->column[column], &value, NULL) < 0 || value < 0)
        err_set(err, ERR_FAIL, "%s:%d: expected a number from 0 in column %zu, got \"%s\"",
                row->path, row->line, column + 1, row->column[column]);
    return value;
}

struct calib_point *calib_add(struct calib *calib, enum calib_kind kind, const char *hardware,
                              const char *model, double items)
{
    calib->points = mem_realloc(calib->points, calib->n_points + 1, sizeof *calib->points);
    struct calib_point *point = &calib->points[calib->n_points++];
    *point = (struct calib_point){.kind = kind, .items = (uint32_t)items, .busy_cores = 1};
    snprintf(point->hardware, sizeof point->hardware, "%s", hardware);
    snprintf(point->model, sizeof point->model, "%s", model);
    return point;
}

// hardware,model,items,compute_ms,load_ms
static void add_latency(struct calib *calib, const struct row *row, struct err *err)
{
    double items = number(row, 2, err);
    calib_add(calib, CALIB_COMPUTE, row->column[0], row->column[1], items)->theirs =
        number(row, 3, err) * MS;
    calib_add(calib, CALIB_LOAD, row->column[0], row->column[1], items)->theirs =
        number(row, 4, err) * MS;
}

// hardware,model,items, one column per operator
static void add_shares(struct calib *calib, const struct row *row, struct err *err)
{
    double items = number(row, 2, err);
    enum calib_kind kind = items > 1 ? CALIB_SHARE : CALIB_LONE_SHARE;
    for (int i = 0; i < N_OPERATORS; i++) {
        struct calib_point *point = calib_add(calib, kind, row->column[0], row->column[1], items);
        point->op = (enum calib_operator)i;
        point->theirs = number(row, 3 + (size_t)i, err);
    }
}

// model,items,speedup
static void add_speedup(struct calib *calib, const struct row *row, struct err *err)
{
    calib_add(calib, CALIB_SPEEDUP, "gtx1080ti", row->column[0], number(row, 1, err))->theirs =
        number(row, 2, err);
}

// model,items,gap_ms,mean_ms,busy_cores: over the first row of the same model and items.
static void add_slowdown(struct calib *calib, const struct row *row, struct err *err)
{
    struct calib_point *point =
        calib_add(calib, CALIB_SLOWDOWN, "skylake", row->column[0], number(row, 1, err));
    point->theirs = number(row, 3, err) * MS;
    point->busy_cores = (uint32_t)number(row, 4, err);
}

// What was measured between two sizes that were, by a straight line; `at` is the first of a series.
static double measured_s(const struct calib *calib, size_t at, double items)
{
    const struct calib_point *a = &calib->points[at], *b = a;
    for (size_t i = at; i < calib->n_points && b->items < items; i++)
        if (calib->points[i].kind == CALIB_COMPUTE &&
            strcmp(calib->points[i].model, a->model) == 0) {
            a = b;
            b = &calib->points[i];
        }
    double part = b == a ? 0 : (items - a->items) / ((double)b->items - a->items);
    return a->theirs + part * (b->theirs - a->theirs);
}

// One for each model that was timed on a core.
static void add_decisions(struct calib *calib)
{
    size_t n = calib->n_points;
    const char *before = "";
    char model[CALIB_NAME_MAX];
    for (size_t i = 0; i < n; i++) {
        const struct calib_point *first = &calib->points[i];
        if (first->kind != CALIB_COMPUTE || strcmp(first->hardware, CALIB_CORE) != 0 ||
            strcmp(first->model, before) == 0)
            continue;
        double ratio = measured_s(calib, i, CALIB_SMALL_ITEMS) / CALIB_SMALL_ITEMS /
                       (measured_s(calib, i, CALIB_LARGE_ITEMS) / CALIB_LARGE_ITEMS);
        snprintf(model, sizeof model, "%s", first->model);
        calib_add(calib, CALIB_DECISION, CALIB_CORE, model, CALIB_SMALL_ITEMS)->theirs = ratio;
        before = model;
    }
}

struct source {
    const char *name;
    size_t n_columns;
    void (*add)(struct calib *calib, const struct row *row, struct err *err);
};

static int read_source(struct calib *calib, const char *folder, const struct source *source,
                       struct err *err)
{
    char path[PATH_MAX_BYTES];
    struct row row = {.path = path};
    bool header = true;
    snprintf(path, sizeof path, "%s/%s", folder, source->name);
    FILE *in = fopen(path, "r");
    if (!in)
        return err_set(err, ERR_FAIL, "%s: cannot be read", path);
    err->text[0] = 0;
    while (!err->text[0] && fgets(row.text, sizeof row.text, in)) {
        row.line++;
        if (row.text[0] == '#')
            continue;
        split_row(&row);
        if (row.n_columns != source->n_columns)
            err_set(err, ERR_FAIL, "%s:%d: expected %zu columns, got %zu", path, row.line,
                    source->n_columns, row.n_columns);
        else if (!header)
            source->add(calib, &row, err);
        header = false;
    }
    fclose(in);
    return err->text[0] ? -1 : 0;
}

struct calib *calib_read(const char *folder, struct err *err)
{
    static const struct source sources[] = {{"latency.csv", 5, add_latency},
                                            {"shares.csv", 3 + N_OPERATORS, add_shares},
                                            {"speedup.csv", 3, add_speedup},
                                            {"slowdown.csv", 5, add_slowdown}};
    struct err own;
    struct calib *calib = mem_calloc(1, sizeof *calib);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (read_source(calib, folder, &sources[i], err ? err : &own) != 0) {
            calib_destroy(calib);
            return NULL;
        }
    add_decisions(calib);
    return calib;
}

void calib_destroy(struct calib *calib)
{
    if (calib)
        mem_free(calib->points);
    mem_free(calib);
}

// ---- ours

// The three networks of the RecPipe logs (models of its repository's configurations, Criteo Kaggle:
// 26 tables of 33.8 million rows together, one lookup each). They are no part of the catalogue.
struct rpipe {
    const char *name;
    double dense[8], top[2];
    size_t n_dense;
    int64_t dim;
};

static const struct rpipe rpipes[] = {
    {"rpipe-small", {13, 64, 4}, {64, 1}, 3, 4},
    {"rpipe-medium", {13, 64, 16}, {64, 1}, 3, 16},
    {"rpipe-large", {13, 512, 256, 128, 64, 32}, {96, 1}, 6, 32},
};

struct rpipe_model {
    struct model model;
    struct rpipe shape;
    double tables, rows, lookups;
};

static const struct model *find_model(const struct library *library, const char *name,
                                      struct rpipe_model *store)
{
    for (size_t i = 0; i < sizeof rpipes / sizeof *rpipes; i++) {
        if (strcmp(name, rpipes[i].name) != 0)
            continue;
        *store =
            (struct rpipe_model){.shape = rpipes[i], .tables = 26, .rows = 1.3e6, .lookups = 1};
        store->model = (struct model){.dense_mlp = {rpipes[i].n_dense, store->shape.dense},
                                      .tables = {1, &store->tables},
                                      .rows = {1, &store->rows},
                                      .lookups = {1, &store->lookups},
                                      .dim = rpipes[i].dim,
                                      .gates = 1,
                                      .top_mlp = {2, store->shape.top},
                                      .tasks = 1};
        return &store->model;
    }
    return library_model(library, name);
}

// The machine a point was measured on. The accelerators' hosts: a T4's was near a c5n (a Cascade
// Lake core), the GTX 1080 Ti's is taken to be the Skylake server of the same pictures.
static int find_platform(const struct library *library, const char *hardware,
                         struct platform *platform, struct err *err)
{
    const struct accelerator *accelerator = library_accelerator(library, hardware);
    const char *host = !accelerator ? hardware : strcmp(hardware, "t4") == 0 ? "c5n" : "skylake";
    const struct platform *found = library_platform(library, host);
    if (!found)
        return library_unknown_platform(library, host, err);
    *platform = platform_copy(found);
    if (accelerator)
        platform_attach(platform, accelerator);
    return 0;
}

static double class_sum(const struct cost_roofline_parts *parts)
{
    double sum = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        sum += parts->class_s[i];
    return sum;
}

// Layers of attention are FC operators of the pictures.
static double operator_s(const struct cost_roofline_parts *parts, enum calib_operator op)
{
    static const enum work_class classes[] = {
        [OPERATOR_FC] = WORK_FC,          [OPERATOR_SLS] = WORK_EMBEDDING,
        [OPERATOR_CONCAT] = WORK_CONCAT,  [OPERATOR_RELU] = WORK_ELEMENTWISE,
        [OPERATOR_SUM] = WORK_SUM,        [OPERATOR_RNN] = WORK_RECURRENT,
        [OPERATOR_SOFTMAX] = WORK_SOFTMAX};
    double s = parts->class_s[classes[op]];
    return op == OPERATOR_FC ? s + parts->class_s[WORK_ATTENTION] : s;
}

static double share_pct(const struct cost *cost, const struct calib_point *point, bool accel)
{
    struct cost_roofline_parts parts;
    if (accel)
        cost_roofline_accel_parts(cost, point->items, &parts);
    else
        cost_roofline_cpu_parts(cost, point->items, 1, &parts);
    return 100 * operator_s(&parts, point->op) / class_sum(&parts);
}

static double cpu_load_s(const struct cost *cost, uint32_t items)
{
    struct cost_roofline_parts parts;
    cost_roofline_cpu_parts(cost, items, 1, &parts);
    return parts.input_s;
}

static double compute_s(const struct cost *cost, uint32_t items)
{
    return cost_cpu_s(cost, items, 1) - cpu_load_s(cost, items);
}

static double value_of(const struct cost *cost, const struct calib_point *point, bool accel)
{
    uint32_t b = point->items;
    switch (point->kind) {
    case CALIB_COMPUTE:
        return accel ? cost_accel_compute_s(cost, b) : compute_s(cost, b);
    case CALIB_LOAD:
        return accel ? cost_accel_load_s(cost, b) : cpu_load_s(cost, b);
    case CALIB_SHARE:
    case CALIB_LONE_SHARE:
        return share_pct(cost, point, accel);
    case CALIB_DECISION:
        return compute_s(cost, CALIB_SMALL_ITEMS) / CALIB_SMALL_ITEMS /
               (compute_s(cost, CALIB_LARGE_ITEMS) / CALIB_LARGE_ITEMS);
    case CALIB_SPEEDUP:
        return cost_cpu_s(cost, b, 1) /
               (cost_accel_load_s(cost, b) + cost_accel_compute_s(cost, b));
    default:
        return cost_cpu_s(cost, b, point->busy_cores) - cpu_load_s(cost, b);
    }
}

static bool same_series(const struct calib_point *a, const struct calib_point *b)
{
    return a->kind == b->kind && a->items == b->items && strcmp(a->model, b->model) == 0 &&
           strcmp(a->hardware, b->hardware) == 0;
}

static bool same_cost(const struct calib_point *a, const struct calib_point *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->hardware, b->hardware) == 0;
}

// One cost serves all points side by side that share a model and a machine.
static int evaluate_run(struct calib_point *points, size_t n, const struct library *library,
                        struct err *err)
{
    struct rpipe_model store;
    struct platform platform = {0};
    struct cost_config config = {.kind = cost_type_find("roofline")};
    const struct model *model = find_model(library, points[0].model, &store);
    if (!model)
        return library_unknown_model(library, points[0].model, err);
    if (find_platform(library, points[0].hardware, &platform, err) != 0)
        return -1;
    config.input_conversion_s = CALIB_CONVERSION_S;
    bool accel = library_accelerator(library, points[0].hardware) != NULL;
    struct cost *cost = cost_create(&config, model, &platform, err);
    for (size_t i = 0; cost && i < n; i++)
        points[i].ours = value_of(cost, &points[i], accel);
    cost_destroy(cost);
    platform_release(&platform);
    return cost ? 0 : -1;
}

int calib_evaluate(struct calib *calib, const struct library *library, struct err *err)
{
    for (size_t i = 0, n; i < calib->n_points; i += n) {
        for (n = 1; i + n < calib->n_points; n++)
            if (!same_cost(&calib->points[i], &calib->points[i + n]))
                break;
        if (evaluate_run(&calib->points[i], n, library, err) != 0)
            return -1;
    }
    return 0;
}

// ---- errors

static double slowdown_error(const struct calib_point *point)
{
    const struct calib_point *first = point;
    // The first row of a series is the least busy one; rows of a series stand side by side.
    while (first->busy_cores > 2 && same_series(first - 1, point))
        first--;
    return (point->ours / first->ours) / (point->theirs / first->theirs) - 1;
}

double calib_point_error(const struct calib_point *point)
{
    if (point->kind == CALIB_SHARE || point->kind == CALIB_LONE_SHARE)
        return point->ours - point->theirs;
    if (point->kind == CALIB_SLOWDOWN)
        return slowdown_error(point);
    return point->ours / point->theirs - 1;
}

bool calib_counts(const struct calib_point *point)
{
    static const char *const barred[] = {"wnd-repo", "mtwnd-repo", "rmc3-repo", "ncf-repo"};
    if (point->kind != CALIB_SPEEDUP)
        return true;
    for (size_t i = 0; i < sizeof barred / sizeof *barred; i++)
        if (strcmp(point->model, barred[i]) == 0)
            return true;
    return false;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct calib_error calib_error_of(double *all, size_t n)
{
    struct calib_error error = {.n = n};
    qsort(all, n, sizeof *all, ascending);
    if (n > 0) {
        error.median = (all[(n - 1) / 2] + all[n / 2]) / 2;
        error.worst = all[n - 1];
    }
    return error;
}

struct calib_error calib_error(const struct calib *calib, enum calib_kind kind,
                               const char *hardware)
{
    size_t n = 0;
    double *all = mem_alloc((calib->n_points + 1) * sizeof *all);
    for (size_t i = 0; i < calib->n_points; i++) {
        const struct calib_point *point = &calib->points[i];
        if (point->kind == kind && calib_counts(point) &&
            (!hardware || strcmp(point->hardware, hardware) == 0))
            all[n++] = fabs(calib_point_error(point));
    }
    struct calib_error error = calib_error_of(all, n);
    mem_free(all);
    return error;
}
