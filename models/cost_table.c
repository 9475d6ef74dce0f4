// SPDX-License-Identifier: Apache-2.0
#include "models/cost_table.h"

#include <string.h>

#include "base/mem.h"

#define BATCH_MAX 1e6
#define LONGEST_S 86400.0

const struct field cost_table_fields[] = {
    FIELD(cost_table, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, NULL, "name of the table"),
    FIELD(cost_table, "model", FIELD_STRING, UNIT_NONE, model, 0, 0, NULL, "model measured"),
    FIELD(cost_table, "platform", FIELD_STRING, UNIT_NONE, platform, 0, 0, NULL,
          "platform measured"),
    FIELD(cost_table, "batches_items", FIELD_REALS, UNIT_ITEMS, batches_items, 1, BATCH_MAX, NULL,
          "batch sizes measured, ascending"),
    FIELD(cost_table, "busy_cores", FIELD_REALS, UNIT_NONE, busy_cores, 1, 1024, NULL,
          "busy cores measured, ascending"),
    FIELD(cost_table, "seconds", FIELD_REALS, UNIT_TIME, seconds_s, 0, LONGEST_S, NULL,
          "times, all batches at the first busy count, then at the next"),
    FIELD(cost_table, "accel_load", FIELD_REALS, UNIT_TIME, accel_load_s, 0, LONGEST_S, "",
          "accelerator: loading times by batch; empty: not measured"),
    FIELD(cost_table, "accel_compute", FIELD_REALS, UNIT_TIME, accel_compute_s, 0, LONGEST_S, "",
          "accelerator: computing times by batch"),
    FIELD(cost_table, "accel_batches_items", FIELD_REALS, UNIT_ITEMS, accel_batches_items, 1,
          BATCH_MAX, "", "accelerator: batch sizes measured, ascending; empty: batches_items"),
    FIELD(cost_table, "per_history", FIELD_REALS, UNIT_TIME, per_history_s, 0, LONGEST_S, "",
          "CPU time per item of a query's history, for each of the busy cores or for all; empty: "
          "none"),
    FIELD(cost_table, "per_history_square", FIELD_REALS, UNIT_TIME, per_history_square_s, 0,
          LONGEST_S, "", "the same, by the square of the history's length"),
    FIELD(cost_table, "per_item_history", FIELD_REALS, UNIT_TIME, per_item_history_s, 0, LONGEST_S,
          "", "the same per pair of an item and one of the history"),
    FIELD(cost_table, "cv", FIELD_REAL, UNIT_NONE, cv, 0, 100, "0",
          "spread of the times of one batch, standard deviation over mean; 0: not known"),
    FIELD(cost_table, "provisional", FIELD_BOOL, UNIT_NONE, provisional, 0, 1, "false",
          "some value awaits measurement"),
    FIELD(cost_table, "sources", FIELD_STRING, UNIT_NONE, sources, 0, 0, "",
          "where the values come from"),
    FIELD_END};

static const char *const outside_names[] = {"auto", "error", "clamp", "extend", NULL};
static const char *const rest_names[] = {"none", "roofline", NULL};

static const struct field table_fields[] = {
    FIELD(cost_config, "table", FIELD_STRING, UNIT_NONE, table, 0, 0, "",
          "measured table to use; empty: the one of the service's model and the platform"),
    FIELD(cost_config, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, "",
          "measured table in a file of your own, CSV or YAML (docs/tables.md)"),
    FIELD(cost_config, "accelerator_file", FIELD_STRING, UNIT_NONE, accelerator_file, 0, 0, "",
          "the same for the accelerator alone"),
    FIELD_CHOICES(cost_config, "outside", outside, outside_names, "auto",
                  "sizes outside the table; error, clamp (its nearest time), extend (its last "
                  "slope); auto: error with a file, else extend"),
    FIELD_CHOICES(cost_config, "rest", rest, rest_names, "none",
                  "times that the table lacks, of the CPU or of the accelerator: none, or roofline "
                  "for computed ones"),
    FIELD(cost_config, "transfer", FIELD_BOOL, UNIT_NONE, transfer, 0, 1, "false",
          "times of another model or platform are meant; needs cpu_scale or accel_scale"),
    COST_COLD_FIELDS,
    COST_SCALE_FIELDS,
    FIELD_END};

static int check_axis(const char *key, const struct reals *axis, struct err *err)
{
    if (axis->n == 0)
        return err_set(err, ERR_STUDY, "%s: expected at least one value", key);
    for (size_t i = 0; i < axis->n; i++)
        if (!(axis->v[i] >= 1) || (i > 0 && axis->v[i] <= axis->v[i - 1]))
            return err_set(err, ERR_STUDY, "%s: expected values that ascend from 1, got %g", key,
                           axis->v[i]);
    return 0;
}

// Loading may take no time of its own.
static int check_values(const char *key, const struct reals *values, size_t expected,
                        struct err *err)
{
    if (values->n != expected)
        return err_set(err, ERR_STUDY, "%s: expected %zu values, got %zu", key, expected,
                       values->n);
    for (size_t i = 0; i < values->n; i++)
        if (!(values->v[i] > 0) && !(values->v[i] == 0 && strcmp(key, "accel_load") == 0))
            return err_set(err, ERR_STUDY, "%s: expected times above 0, got %g s", key,
                           values->v[i]);
    return 0;
}

const struct reals *cost_table_accel_batches(const struct cost_table *table)
{
    return table->accel_batches_items.n > 0 ? &table->accel_batches_items : &table->batches_items;
}

static int check_cpu(const struct cost_table *table, struct err *err)
{
    if (check_axis("batches_items", &table->batches_items, err) != 0 ||
        check_axis("busy_cores", &table->busy_cores, err) != 0)
        return -1;
    return check_values("seconds", &table->seconds_s, table->batches_items.n * table->busy_cores.n,
                        err);
}

static int check_history(const struct cost_table *table, struct err *err)
{
    const struct {
        const char *key;
        const struct reals *list;
    } lists[] = {{"per_history", &table->per_history_s},
                 {"per_history_square", &table->per_history_square_s},
                 {"per_item_history", &table->per_item_history_s}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct reals *list = lists[i].list;
        if (list->n > 1 && list->n != table->busy_cores.n)
            return err_set(err, ERR_STUDY, "%s: expected one value, or %zu as busy_cores, got %zu",
                           lists[i].key, table->busy_cores.n, list->n);
        for (size_t k = 0; k < list->n; k++)
            if (!(list->v[k] >= 0))
                return err_set(err, ERR_STUDY, "%s: expected times of 0 or more, got %g s",
                               lists[i].key, list->v[k]);
    }
    return 0;
}

int cost_table_check(const struct cost_table *table, struct err *err)
{
    const struct reals *axis = cost_table_accel_batches(table);
    bool has_accel = table->accel_load_s.n > 0 || table->accel_compute_s.n > 0;
    if (check_history(table, err) != 0)
        return -1;
    if ((table->seconds_s.n > 0 || !has_accel) && check_cpu(table, err) != 0)
        return -1;
    if (!has_accel)
        return 0;
    if (check_axis("accel_batches_items", axis, err) != 0 ||
        check_values("accel_load", &table->accel_load_s, axis->n, err) != 0)
        return -1;
    return check_values("accel_compute", &table->accel_compute_s, axis->n, err);
}

bool cost_table_covers(const struct cost_table *table, bool accel, double least, double most)
{
    const struct reals *axis = accel ? cost_table_accel_batches(table) : &table->batches_items;
    return axis->n > 0 && least >= axis->v[0] && most <= axis->v[axis->n - 1];
}

bool cost_table_matches(const struct cost_table *table, const char *model, const char *platform)
{
    return strcmp(table->model, model) == 0 && strcmp(table->platform, platform) == 0;
}

// The last knot at or below x, but never the last of all when there are two: a segment starts
// there.
static size_t segment(const struct reals *axis, double x)
{
    size_t i = 0;
    while (i + 2 < axis->n && axis->v[i + 1] <= x)
        i++;
    return i;
}

// Time at x on the row `s` over the knots. A falling last segment would go on to below zero, so
// beyond the last knot its time is the least.
static double along(const struct reals *axis, const double *s, double x)
{
    size_t last = axis->n - 1;
    if (last == 0 || x <= axis->v[0])
        return s[0];
    size_t i = segment(axis, x);
    double slope = (s[i + 1] - s[i]) / (axis->v[i + 1] - axis->v[i]);
    if (x > axis->v[last])
        return slope > 0 ? s[last] + slope * (x - axis->v[last]) : s[last];
    return s[i] + slope * (x - axis->v[i]);
}

// Linear between the knots; outside them the nearest holds.
static double within(const struct reals *axis, const double *v, double x)
{
    return x >= axis->v[axis->n - 1] ? v[axis->n - 1] : along(axis, v, x);
}

bool cost_table_has_history(const struct cost_table *table)
{
    return table->per_history_s.n + table->per_history_square_s.n + table->per_item_history_s.n > 0;
}

// Of a list by busy count, at `busy_cores`.
static double at_busy(const struct cost_table *table, const struct reals *list, double busy_cores)
{
    if (list->n == 0)
        return 0;
    return list->n == 1 ? list->v[0] : within(&table->busy_cores, list->v, busy_cores);
}

struct cost_history cost_table_history(const struct cost_table *table, uint32_t busy_cores)
{
    return (struct cost_history){at_busy(table, &table->per_history_s, busy_cores),
                                 at_busy(table, &table->per_history_square_s, busy_cores),
                                 at_busy(table, &table->per_item_history_s, busy_cores)};
}

double cost_table_cpu_s(const struct cost_table *table, uint32_t items, uint32_t busy_cores)
{
    const struct reals *busy = &table->busy_cores;
    size_t n_batches = table->batches_items.n;
    size_t i = segment(busy, busy_cores);
    double low = along(&table->batches_items, table->seconds_s.v + i * n_batches, items);
    if (busy->n == 1 || busy_cores <= busy->v[i])
        return low;
    double high = along(&table->batches_items, table->seconds_s.v + (i + 1) * n_batches, items);
    if (busy_cores >= busy->v[i + 1])
        return high;
    return low + (high - low) * (busy_cores - busy->v[i]) / (busy->v[i + 1] - busy->v[i]);
}

// The size that stands for `items` in the table.
static uint32_t known_items(const struct cost_config *config, const struct reals *axis,
                            uint32_t items)
{
    double most = axis->v[axis->n - 1];
    return config->outside == COST_OUTSIDE_CLAMP && items > most ? (uint32_t)most : items;
}

static double cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores)
{
    const struct cost_config *config = cost_config_of(cost);
    const struct cost_table *table = config->measured;
    return cost_table_cpu_s(table, known_items(config, &table->batches_items, items), busy_cores);
}

static double accel_s(const struct cost *cost, const struct reals *times_s, uint32_t items)
{
    const struct cost_config *config = cost_config_of(cost);
    const struct reals *axis = cost_table_accel_batches(config->measured);
    return along(axis, times_s->v, known_items(config, axis, items));
}

static double accel_load_s(const struct cost *cost, uint32_t items)
{
    return accel_s(cost, &cost_config_of(cost)->measured->accel_load_s, items);
}

static double accel_compute_s(const struct cost *cost, uint32_t items)
{
    return accel_s(cost, &cost_config_of(cost)->measured->accel_compute_s, items);
}

static bool depends_on_busy(const struct cost *cost)
{
    return cost_config_of(cost)->measured->busy_cores.n > 1;
}

static bool has_cpu(const struct cost *cost)
{
    return cost_config_of(cost)->measured->seconds_s.n > 0;
}

static bool has_accel(const struct cost *cost)
{
    return cost_config_of(cost)->measured->accel_compute_s.n > 0;
}

static void history(const struct cost *cost, enum cost_place place, uint32_t busy_cores,
                    struct cost_history *out)
{
    if (place == COST_CPU)
        *out = cost_table_history(cost_config_of(cost)->measured, busy_cores);
}

// A table without the times of a history would leave out what the model does with it; so would one
// of an accelerator, which knows of none.
static int check_reads(const struct cost *cost, struct err *err)
{
    const struct cost_table *table = cost_config_of(cost)->measured;
    const char *model = cost_model_of(cost) ? cost_model_of(cost)->name : NULL;
    bool accel = has_accel(cost) && cost_platform_of(cost)->has_accelerator;
    if (!work_has_history(cost_work_of(cost)) ||
        (!accel && (!has_cpu(cost) || cost_table_has_history(table))))
        return 0;
    return err_set(err, ERR_STUDY,
                   "the model \"%s\" reads a history, of which %s of the measured table \"%s\" "
                   "say nothing; recfleet profile measures those of cores",
                   model ? model : "", accel ? "the accelerator times" : "the times",
                   table->name ? table->name : "");
}

static int check(const struct cost *cost, struct err *err)
{
    const struct cost_config *config = cost_config_of(cost);
    if (config->measured && !has_cpu(cost) && config->rest == COST_REST_NONE)
        return err_set(err, ERR_STUDY,
                       "rest: the measured table \"%s\" has no CPU times; roofline computes them",
                       config->measured->name);
    if (config->measured)
        return cost_table_check(config->measured, err) != 0 ? -1 : check_reads(cost, err);
    const struct model *model = cost_model_of(cost);
    const char *platform = cost_platform_of(cost)->name;
    if (config->table && config->table[0])
        return err_set(err, ERR_STUDY, "table: no measured table \"%s\"", config->table);
    return err_set(err, ERR_STUDY, "table: no measured table of model \"%s\" on platform \"%s\"",
                   model && model->name ? model->name : "", platform ? platform : "");
}

void cost_table_release(struct cost_table *table)
{
    if (!table)
        return;
    schema_release(cost_table_fields, table);
    memset(table, 0, sizeof *table);
}

const struct cost_type cost_table = {
    .name = "table",
    .help = "measured times, linear between batches and busy cores",
    .fields = table_fields,
    .cpu_s = cpu_s,
    .accel_load_s = accel_load_s,
    .accel_compute_s = accel_compute_s,
    .depends_on_busy = depends_on_busy,
    .has_cpu = has_cpu,
    .has_accel = has_accel,
    .history = history,
    .check = check,
};
