// SPDX-License-Identifier: Apache-2.0
#include "models/catalogue.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/simtime.h"

#define WIDTH_MAX 1e5
#define TABLES_MAX 1e5
#define ROWS_MAX 1e12
#define LOOKUPS_MAX 1e5
#define FP32_BYTES 4.0
#define INDEX_BYTES 8.0 // int64, as the reference feeds them

// Arithmetic of one softmax value: its exponential is a polynomial of about this many operations.
#define SOFTMAX_FLOP 20.0

const char *const work_class_names[] = {
    "fc", "embedding", "attention", "recurrent", "concat", "elementwise", "sum", "softmax", NULL};
const char *const model_variant_names[] = {"paper", "repo", NULL};
const char *const model_bound_names[] = {"embedding", "mlp", "attention", "recurrent", NULL};
const char *const model_format_names[] = {"fp32", "bf16", "fp16", "int8", NULL};
const char *const model_interaction_names[] = {[INTERACT_CONCAT] = "concat",
                                               [INTERACT_TWO_BRANCH] = "two-branch",
                                               [INTERACT_ATTENTION] = "attention",
                                               [INTERACT_RECURRENT] = "recurrent",
                                               [N_INTERACTIONS] = NULL};

const struct field model_fields[] = {
    FIELD(model, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "", "name of the model"),
    FIELD(model, "title", FIELD_STRING, UNIT_NONE, title, 0, 0, "", "one line for people"),
    FIELD(model, "class", FIELD_STRING, UNIT_NONE, class, 0, 0, "",
          "what kind of model it is; lists are grouped by it"),
    FIELD(model, "year", FIELD_INT, UNIT_NONE, year, 0, 2100, "0",
          "year in which it was published; 0: not known"),
    FIELD_CHOICES(model, "variant", variant, model_variant_names, "paper",
                  "the paper's table or the reference repository's configuration"),
    FIELD_CHOICES(model, "bound", bound, model_bound_names, "mlp",
                  "what limits it on a CPU; for people"),
    FIELD_CHOICES(model, "interaction", interaction, model_interaction_names, "concat",
                  "how features meet before the top stack"),
    FIELD_CHOICES(model, "format", format, model_format_names, "fp32",
                  "number format of tables, weights and activations"),
    FIELD(model, "dense_mlp", FIELD_REALS, UNIT_NONE, dense_mlp, 1, WIDTH_MAX, "",
          "widths of the stack over dense features, the features first; empty: no stack"),
    FIELD(model, "dense_inputs", FIELD_INT, UNIT_NONE, dense_inputs, 0, WIDTH_MAX, "0",
          "dense features that join the concatenation untouched"),
    FIELD(model, "unused_inputs", FIELD_INT, UNIT_NONE, unused_inputs, 0, WIDTH_MAX, "0",
          "dense features that are loaded with a request and never read"),
    FIELD(model, "tables", FIELD_REALS, UNIT_NONE, tables, 1, TABLES_MAX, NULL,
          "embedding tables in each group of equal ones"),
    FIELD(model, "rows", FIELD_REALS, UNIT_NONE, rows, 1, ROWS_MAX, NULL,
          "rows of one table, by group"),
    FIELD(model, "lookups", FIELD_REALS, UNIT_NONE, lookups, 1, LOOKUPS_MAX, NULL,
          "lookups in one table per item, by group"),
    FIELD(model, "dim", FIELD_INT, UNIT_NONE, dim, 1, WIDTH_MAX, NULL, "numbers in a row"),
    FIELD(model, "behaviour_tables", FIELD_INT, UNIT_NONE, behaviour_tables, 0, TABLES_MAX, "0",
          "how many of the tables hold behaviours"),
    FIELD(model, "behaviours", FIELD_INT, UNIT_NONE, behaviours, 0, TABLES_MAX, "0",
          "length of the history that attention or recurrence walks"),
    FIELD(model, "attention_mlp", FIELD_REALS, UNIT_NONE, attention_mlp, 1, WIDTH_MAX, "",
          "widths of one attention unit, after its inputs"),
    FIELD(model, "hidden", FIELD_INT, UNIT_NONE, hidden, 0, WIDTH_MAX, "0",
          "state of a recurrent layer"),
    FIELD(model, "gates", FIELD_INT, UNIT_NONE, gates, 1, 4, "1",
          "matrices of a recurrent layer: 1 plain, 3 GRU"),
    FIELD(model, "top_mlp", FIELD_REALS, UNIT_NONE, top_mlp, 1, WIDTH_MAX, NULL,
          "widths of the top stack, after the concatenation"),
    FIELD(model, "task_mlp", FIELD_REALS, UNIT_NONE, task_mlp, 1, WIDTH_MAX, "",
          "widths of one task's stack, after the top stack"),
    FIELD(model, "tasks", FIELD_INT, UNIT_NONE, tasks, 1, 1000, "1", "tasks predicted"),
    FIELD(model, "sla_low", FIELD_TIME, UNIT_TIME, sla_low_ns, 0, SIMTIME_LONGEST, "0",
          "strictest tail-latency target; 0: none"),
    FIELD(model, "sla_medium", FIELD_TIME, UNIT_TIME, sla_medium_ns, 0, SIMTIME_LONGEST, "0",
          "usual tail-latency target"),
    FIELD(model, "sla_high", FIELD_TIME, UNIT_TIME, sla_high_ns, 0, SIMTIME_LONGEST, "0",
          "loosest tail-latency target"),
    FIELD(model, "provisional", FIELD_BOOL, UNIT_NONE, provisional, 0, 1, "false",
          "some value awaits measurement"),
    FIELD(model, "sources", FIELD_STRING, UNIT_NONE, sources, 0, 0, "",
          "where each value comes from"),
    FIELD_END};

static double sum_of(const struct reals *list)
{
    double sum = 0;
    for (size_t i = 0; i < list->n; i++)
        sum += list->v[i];
    return sum;
}

static double table_count(const struct model *model)
{
    return sum_of(&model->tables);
}

static int check_whole(const char *key, const struct reals *list, struct err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (!(list->v[i] >= 1) || list->v[i] != floor(list->v[i]))
            return err_set(err, ERR_STUDY, "%s: expected whole numbers from 1, got %g", key,
                           list->v[i]);
    return 0;
}

static int check_groups(const struct model *model, struct err *err)
{
    size_t n = model->tables.n;
    if (n == 0)
        return err_set(err, ERR_STUDY, "tables: expected at least one group");
    if (model->rows.n != n)
        return err_set(err, ERR_STUDY, "rows: expected %zu values, as tables has, got %zu", n,
                       model->rows.n);
    if (model->lookups.n != n)
        return err_set(err, ERR_STUDY, "lookups: expected %zu values, as tables has, got %zu", n,
                       model->lookups.n);
    if (check_whole("tables", &model->tables, err) != 0 ||
        check_whole("rows", &model->rows, err) != 0 ||
        check_whole("lookups", &model->lookups, err) != 0)
        return -1;
    return 0;
}

static int check_behaviours(const struct model *model, struct err *err)
{
    if (model->behaviours < 1)
        return err_set(err, ERR_STUDY, "behaviours: expected at least 1, got %lld",
                       (long long)model->behaviours);
    if (model->behaviour_tables < 1 || (double)model->behaviour_tables > table_count(model))
        return err_set(err, ERR_STUDY, "behaviour_tables: expected 1 to the tables (%g), got %lld",
                       table_count(model), (long long)model->behaviour_tables);
    return 0;
}

// A fully connected layer in -> out, without activation, over `n_rows` rows per item.
static void add_matrix(struct work *work, double in, double out, double n_rows)
{
    work->n_ops += 1;
    work->flop_per_item += 2 * in * out * n_rows;
    work->bytes_per_item += FP32_BYTES * out * n_rows;
    work->read_bytes_per_item += FP32_BYTES * in * n_rows;
    work->weight_bytes += FP32_BYTES * (in * out + out);
}

// `n_times` operators that write `values` numbers each at `flop_per_value`.
static void add_vector(struct work *work, double values, double flop_per_value, double n_times)
{
    work->n_ops += n_times;
    work->flop_per_item += values * flop_per_value * n_times;
    work->bytes_per_item += FP32_BYTES * values * n_times;
}

// `n_times` concatenations of `n_parts` inputs each to `width` numbers.
static void add_concat(struct model_work *work, double width, double n_parts, double n_times)
{
    struct work *concat = &work->by_class[WORK_CONCAT];
    add_vector(concat, width, 0, n_times);
    concat->n_parts += n_parts * n_times;
}

// A stack of layers, each followed by its activation; returns the width that comes out.
static double add_stack(struct model_work *work, double in, const double *widths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add_matrix(&work->by_class[WORK_FC], in, widths[i], 1);
        add_vector(&work->by_class[WORK_ELEMENTWISE], widths[i], 1, 1);
        in = widths[i];
    }
    return in;
}

// One lookup operator per table. Additions of the pooling are its arithmetic; what it writes (one
// row per table) is small beside what it gathers, and counted with it.
static void add_tables(const struct model *model, struct model_work *work)
{
    double dim = (double)model->dim;
    struct work *gather = &work->by_class[WORK_EMBEDDING];

    for (size_t i = 0; i < model->tables.n; i++) {
        double tables = model->tables.v[i];
        double lookups = tables * model->lookups.v[i];
        gather->n_ops += tables;
        work->rows_per_item += tables;
        work->row_bytes_per_item += tables * dim * FP32_BYTES;
        gather->flop_per_item += lookups * dim;
        gather->bytes_per_item += lookups * dim * FP32_BYTES;
        work->lookups_per_item += lookups;
        work->table_bytes += tables * model->rows.v[i] * dim * FP32_BYTES;
    }
    work->index_bytes_per_item = work->lookups_per_item * INDEX_BYTES;
    work->n_inputs = gather->n_ops;
}

// Deep interest network: for each behaviour sum(behaviour, ad), concatenate the three, weigh them
// by a small stack of weights that all units share; then one sum over all. Sums, concatenations and
// activations are counted with those of their kind. Every unit runs operators of its own.
static double add_attention(const struct model *model, struct model_work *work)
{
    double dim = (double)model->dim, units = (double)model->behaviours;
    struct work unit = {0}, *all = &work->by_class[WORK_ATTENTION];
    double in = 3 * dim;

    add_vector(&work->by_class[WORK_SUM], dim, 1, units);
    add_concat(work, in, 3, units);
    for (size_t i = 0; i < model->attention_mlp.n; i++) {
        add_matrix(&unit, in, model->attention_mlp.v[i], 1);
        add_vector(&work->by_class[WORK_ELEMENTWISE], model->attention_mlp.v[i], 1, units);
        in = model->attention_mlp.v[i];
    }
    all->n_ops += unit.n_ops * units;
    all->flop_per_item += unit.flop_per_item * units;
    all->bytes_per_item += unit.bytes_per_item * units;
    all->read_bytes_per_item += unit.read_bytes_per_item * units;
    all->weight_bytes += unit.weight_bytes;
    add_vector(&work->by_class[WORK_SUM], dim, units, 1);
    return dim;
}

// A recurrent layer over the history: one projection of all inputs, then a product and an
// activation per step. Two bias vectors, as the reference's library keeps them.
static void add_recurrence(const struct model *model, double in, struct work *work)
{
    double hidden = (double)model->hidden, gates = (double)model->gates;
    double steps = (double)model->behaviours;
    double width = gates * hidden;

    work->n_ops += 1 + 2 * steps;
    work->flop_per_item += 2 * (in + hidden) * width * steps;
    work->bytes_per_item += FP32_BYTES * width * steps;
    work->read_bytes_per_item += FP32_BYTES * (in + hidden) * steps;
    work->weight_bytes += FP32_BYTES * ((in + hidden) * width + 2 * width);
}

// Deep interest evolution network: history side by side, a recurrent layer, attention (a layer and
// a softmax, each one operator over all steps, a sum of the weighted states), a second recurrent
// layer, its last state.
static double add_evolution(const struct model *model, struct model_work *work)
{
    double dim = (double)model->dim, hidden = (double)model->hidden;
    double steps = (double)model->behaviours;
    struct work *recurrent = &work->by_class[WORK_RECURRENT];

    add_concat(work, dim * steps, steps, 1);
    add_recurrence(model, dim, recurrent);
    add_matrix(&work->by_class[WORK_ATTENTION], hidden, hidden, steps);
    add_vector(&work->by_class[WORK_SOFTMAX], hidden * steps, SOFTMAX_FLOP, 1);
    add_vector(&work->by_class[WORK_SUM], hidden * steps, 1, 1);
    add_recurrence(model, hidden, recurrent);
    recurrent->n_ops += 2; // reshape of the history, slice of the last state
    return hidden;
}

static double dense_width(const struct model *model, struct model_work *work)
{
    double features = (double)model->dense_inputs, out = features;
    if (model->dense_mlp.n > 0) {
        double in = model->dense_mlp.v[0];
        features += in;
        out += add_stack(work, in, model->dense_mlp.v + 1, model->dense_mlp.n - 1);
    }
    features += (double)model->unused_inputs;
    work->dense_bytes_per_item = features * FP32_BYTES;
    work->n_inputs += features > 0;
    return out;
}

// ---- the ways in which features meet ------------------------------------------------------------

// The usual end: what is `width` wide in n_parts pieces and the rows of n_tables tables, side by
// side into the top stack.
static void derive_top(const struct model *model, double width, double n_parts, double n_tables,
                       struct model_work *work)
{
    width += n_tables * (double)model->dim;
    add_concat(work, width, n_parts + n_tables, 1);
    double out = add_stack(work, width, model->top_mlp.v, model->top_mlp.n);
    // Tasks share what is above them and have weights of their own.
    for (int64_t i = 0; i < model->tasks; i++)
        add_stack(work, out, model->task_mlp.v, model->task_mlp.n);
}

static void derive_concat(const struct model *model, double width, struct model_work *work)
{
    derive_top(model, width, width > 0, table_count(model), work);
}

static int check_two_branch(const struct model *model, struct err *err)
{
    if (fmod(table_count(model), 2) != 0)
        return err_set(err, ERR_STUDY, "tables: two branches need an even number, got %g",
                       table_count(model));
    return 0;
}

// Neural collaborative filtering: half of the tables are summed, half run through the stack, and
// the two meet in front of the task stack (of which the paper's table has none).
static void derive_two_branch(const struct model *model, double width, struct model_work *work)
{
    (void)width; // dense features have no place in it
    double half = table_count(model) / 2 * (double)model->dim;

    add_vector(&work->by_class[WORK_SUM], (double)model->dim, 1, 1);
    add_concat(work, half, table_count(model) / 2, 1);
    double out = add_stack(work, half, model->top_mlp.v, model->top_mlp.n);
    double joined = out + (double)model->dim;
    add_concat(work, joined, 2, 1);
    for (int64_t i = 0; i < model->tasks; i++)
        add_stack(work, joined, model->task_mlp.v, model->task_mlp.n);
}

static int check_attention(const struct model *model, struct err *err)
{
    if (check_behaviours(model, err) != 0)
        return -1;
    if (model->attention_mlp.n == 0)
        return err_set(err, ERR_STUDY, "attention_mlp: expected at least one width");
    return 0;
}

static void derive_attention(const struct model *model, double width, struct model_work *work)
{
    double others = table_count(model) - (double)model->behaviour_tables, parts = width > 0;
    derive_top(model, width + add_attention(model, work), parts + 1, others, work);
}

static int check_recurrent(const struct model *model, struct err *err)
{
    if (check_behaviours(model, err) != 0)
        return -1;
    if (model->hidden < 1)
        return err_set(err, ERR_STUDY, "hidden: expected at least 1, got %lld",
                       (long long)model->hidden);
    return 0;
}

static void derive_recurrent(const struct model *model, double width, struct model_work *work)
{
    double others = table_count(model) - (double)model->behaviour_tables, parts = width > 0;
    derive_top(model, width + add_evolution(model, work), parts + 1, others, work);
}

// One row per class of model. A new class is a name in catalogue.h, a row and its functions here,
// and a test.
struct interaction {
    int (*check)(const struct model *model, struct err *err); // what this one needs; NULL: nothing
    // What follows the tables and the dense features, of which `width` numbers come out.
    void (*derive)(const struct model *model, double width, struct model_work *work);
};

static const struct interaction interactions[N_INTERACTIONS] = {
    [INTERACT_CONCAT] = {NULL, derive_concat},
    [INTERACT_TWO_BRANCH] = {check_two_branch, derive_two_branch},
    [INTERACT_ATTENTION] = {check_attention, derive_attention},
    [INTERACT_RECURRENT] = {check_recurrent, derive_recurrent},
};

int model_check(const struct model *model, struct err *err)
{
    const struct interaction *interaction = &interactions[model->interaction];
    if (check_groups(model, err) != 0)
        return -1;
    if (interaction->check && interaction->check(model, err) != 0)
        return -1;
    if (check_whole("dense_mlp", &model->dense_mlp, err) != 0 ||
        check_whole("attention_mlp", &model->attention_mlp, err) != 0 ||
        check_whole("top_mlp", &model->top_mlp, err) != 0 ||
        check_whole("task_mlp", &model->task_mlp, err) != 0)
        return -1;
    if (model->dim < 1)
        return err_set(err, ERR_STUDY, "dim: expected at least 1, got %lld", (long long)model->dim);
    if (model->top_mlp.n == 0)
        return err_set(err, ERR_STUDY, "top_mlp: expected at least one width");
    if (model->tasks < 1 || model->gates < 1)
        return err_set(err, ERR_STUDY, "%s: expected at least 1",
                       model->tasks < 1 ? "tasks" : "gates");
    if (model->sla_low_ns > model->sla_medium_ns || model->sla_medium_ns > model->sla_high_ns)
        return err_set(err, ERR_STUDY, "sla_low, sla_medium, sla_high: expected to ascend");
    return 0;
}

double model_format_bytes(int format)
{
    static const double bytes[N_FORMATS] = {4, 2, 2, 1};
    return bytes[format];
}

// What was counted in fp32, in the model's own format.
static void narrow(struct model_work *work, double frac)
{
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        struct work *class = &work->by_class[i];
        class->bytes_per_item *= frac;
        class->read_bytes_per_item *= frac;
        class->weight_bytes *= frac;
    }
    work->row_bytes_per_item *= frac;
    work->table_bytes *= frac;
}

void model_derive(const struct model *model, struct model_work *work)
{
    assert(model && work);
    memset(work, 0, sizeof *work);
    add_tables(model, work);
    double width = dense_width(model, work);
    interactions[model->interaction].derive(model, width, work);
    narrow(work, model_format_bytes(model->format) / FP32_BYTES);
}

double work_flop_per_item(const struct model_work *work)
{
    double sum = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        sum += work->by_class[i].flop_per_item;
    return sum;
}

double work_weight_bytes(const struct model_work *work)
{
    double sum = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        sum += work->by_class[i].weight_bytes;
    return sum;
}

double work_n_ops(const struct model_work *work)
{
    double sum = 0;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        sum += work->by_class[i].n_ops;
    return sum;
}

void model_release(struct model *model)
{
    if (!model)
        return;
    schema_release(model_fields, model);
    memset(model, 0, sizeof *model);
}
