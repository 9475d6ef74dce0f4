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
#define GIVEN_MAX 1e18
#define FP32_BYTES 4.0
#define INDEX_BYTES 8.0 // int64, as the reference feeds them

// Arithmetic of one softmax value: its exponential is a polynomial of about this many operations.
#define SOFTMAX_FLOP 20.0
// Of one value that is normalised: two sums, a difference, a scale and a shift.
#define NORM_FLOP 5.0

const char *const work_class_names[] = {
    "fc", "embedding", "attention", "recurrent", "concat", "elementwise", "sum", "softmax", NULL};
const char *const model_variant_names[] = {"paper", "repo", "imported", NULL};
const char *const model_bound_names[] = {"embedding", "mlp", "attention", "recurrent", NULL};
const char *const model_format_names[] = {"fp32", "bf16", "fp16", "int8", NULL};
const char *const model_interaction_names[] = {[INTERACT_CONCAT] = "concat",
                                               [INTERACT_TWO_BRANCH] = "two-branch",
                                               [INTERACT_ATTENTION] = "attention",
                                               [INTERACT_RECURRENT] = "recurrent",
                                               [INTERACT_DOT] = "dot",
                                               [INTERACT_CROSS] = "cross",
                                               [INTERACT_MASK] = "mask",
                                               [INTERACT_SEQUENCE] = "sequence",
                                               [INTERACT_TARGET] = "sequence-target",
                                               [INTERACT_GIVEN] = "given",
                                               [N_INTERACTIONS] = NULL};

// Keys of a model whose work is given: a list, and bytes that a request brings.
#define GIVEN(key, unit, member, help)                                                             \
    FIELD(model, key, FIELD_REALS, unit, member, 0, GIVEN_MAX, "", help)
#define GIVEN_SIZE(key, member, what)                                                              \
    FIELD(model, key, FIELD_REAL, UNIT_BYTES, member, 0, GIVEN_MAX, "0",                           \
          "of interaction given: bytes that a request brings, " what)

const struct field model_fields[] = {
    FIELD(model, "name", FIELD_STRING, UNIT_NONE, name, 0, 0, "", "name of the model"),
    FIELD(model, "title", FIELD_STRING, UNIT_NONE, title, 0, 0, "", "one line for people"),
    FIELD(model, "class", FIELD_STRING, UNIT_NONE, class, 0, 0, "",
          "what kind of model it is; lists are grouped by it"),
    FIELD(model, "year", FIELD_INT, UNIT_NONE, year, 0, 2100, "0",
          "year in which it was published; 0: not known"),
    FIELD_CHOICES(model, "variant", variant, model_variant_names, "paper",
                  "the paper's table, the reference repository's configuration, or a graph"),
    FIELD_CHOICES(model, "bound", bound, model_bound_names, "mlp",
                  "what limits it on a CPU; for people"),
    FIELD_CHOICES(model, "interaction", interaction, model_interaction_names, "concat",
                  "how features meet before the top stack"),
    FIELD_CHOICES(model, "format", format, model_format_names, "fp32",
                  "number format of tables, weights and activations"),
    FIELD(model, "dense_mlp", FIELD_REALS, UNIT_NONE, dense_mlp, 1, WIDTH_MAX, "",
          "widths of the stack over dense features, the features first; empty: no stack"),
    FIELD(model, "dense_once", FIELD_BOOL, UNIT_NONE, dense_once, 0, 1, "false",
          "dense features are the request's: their stack runs once, whatever its items"),
    FIELD(model, "dense_inputs", FIELD_INT, UNIT_NONE, dense_inputs, 0, WIDTH_MAX, "0",
          "dense features that join the concatenation untouched"),
    FIELD(model, "unused_inputs", FIELD_INT, UNIT_NONE, unused_inputs, 0, WIDTH_MAX, "0",
          "dense features that are loaded with a request and never read"),
    FIELD(model, "tables", FIELD_REALS, UNIT_NONE, tables, 1, TABLES_MAX, NULL,
          "embedding tables in each group of equal ones"),
    FIELD(model, "rows", FIELD_REALS, UNIT_NONE, rows, 1, ROWS_MAX, NULL,
          "rows of one table, by group"),
    FIELD(model, "lookups", FIELD_REALS, UNIT_NONE, lookups, 0, LOOKUPS_MAX, NULL,
          "lookups in one table per item, by group"),
    FIELD(model, "request_lookups", FIELD_REALS, UNIT_NONE, request_lookups, 0, LOOKUPS_MAX, "",
          "the same once per request, whatever its items: tables of the user; empty: none"),
    FIELD(model, "history_lookups", FIELD_REALS, UNIT_NONE, history_lookups, 0, LOOKUPS_MAX, "",
          "the same per item of the history; empty: none"),
    FIELD(model, "dim", FIELD_INT, UNIT_NONE, dim, 0, WIDTH_MAX, NULL,
          "numbers in a row; 0 with given work only"),
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
    FIELD(model, "cross_layers", FIELD_INT, UNIT_NONE, cross_layers, 0, 1000, "0",
          "low-rank cross layers"),
    FIELD(model, "cross_rank", FIELD_INT, UNIT_NONE, cross_rank, 0, WIDTH_MAX, "0",
          "rank of a cross layer"),
    FIELD(model, "mask_blocks", FIELD_INT, UNIT_NONE, mask_blocks, 0, 1000, "0",
          "parallel mask blocks"),
    FIELD(model, "mask_aggregation", FIELD_INT, UNIT_NONE, mask_aggregation, 0, WIDTH_MAX, "0",
          "width through which a block computes its mask"),
    FIELD(model, "mask_output", FIELD_INT, UNIT_NONE, mask_output, 0, WIDTH_MAX, "0",
          "width that comes out of a mask block"),
    FIELD(model, "blocks", FIELD_INT, UNIT_NONE, blocks, 0, 1000, "0",
          "blocks of self-attention over the history"),
    FIELD(model, "heads", FIELD_INT, UNIT_NONE, heads, 1, 1000, "1", "heads of a block"),
    FIELD(model, "key_dim", FIELD_INT, UNIT_NONE, key_dim, 0, WIDTH_MAX, "0",
          "numbers in a query or key of one head"),
    FIELD(model, "value_dim", FIELD_INT, UNIT_NONE, value_dim, 0, WIDTH_MAX, "0",
          "numbers in a value of one head"),
    FIELD(model, "gated", FIELD_BOOL, UNIT_NONE, gated, 0, 1, "false",
          "a block also projects a gate, as wide as its values"),
    FIELD(model, "output_parts", FIELD_INT, UNIT_NONE, output_parts, 1, 16, "1",
          "how often the width of the values goes into a block's projection back"),
    FIELD(model, "block_mlp", FIELD_REALS, UNIT_NONE, block_mlp, 1, WIDTH_MAX, "",
          "widths of the layers behind the attention of a block; empty: none"),
    FIELD(model, "top_mlp", FIELD_REALS, UNIT_NONE, top_mlp, 1, WIDTH_MAX, NULL,
          "widths of the top stack, after the concatenation"),
    FIELD(model, "task_mlp", FIELD_REALS, UNIT_NONE, task_mlp, 1, WIDTH_MAX, "",
          "widths of one task's stack, after the top stack"),
    FIELD(model, "tasks", FIELD_INT, UNIT_NONE, tasks, 1, 1000, "1", "tasks predicted"),
    GIVEN("given_operators", UNIT_NONE, given_operators,
          "of interaction given: operators of each class, in the order fc, embedding, attention, "
          "recurrent, concat, elementwise, sum, softmax; required there"),
    GIVEN("given_flop", UNIT_FLOP, given_flop, "likewise: arithmetic per item; empty: none"),
    GIVEN("given_written", UNIT_BYTES, given_written_bytes,
          "likewise: bytes written per item; 0 for embedding, which row_size says"),
    GIVEN("given_read", UNIT_BYTES, given_read_bytes,
          "likewise: bytes that layers read per item, without weights"),
    GIVEN("given_weights", UNIT_BYTES, given_weight_bytes,
          "likewise: bytes of the parameters, read once per request"),
    GIVEN("given_request_flop", UNIT_FLOP, given_request_flop,
          "likewise: arithmetic once per request, whatever its items"),
    GIVEN("given_request_written", UNIT_BYTES, given_request_written_bytes,
          "likewise: bytes written once per request"),
    GIVEN("given_request_read", UNIT_BYTES, given_request_read_bytes,
          "likewise: bytes that layers read once per request"),
    GIVEN("row_size", UNIT_BYTES, row_bytes,
          "of interaction given: bytes of one row, by group of tables; in place of dim"),
    GIVEN("pooled_rows", UNIT_NONE, pooled_rows,
          "of interaction given: rows that the lookups in one table give per item, by group; "
          "empty: one each"),
    FIELD(model, "given_parts", FIELD_REAL, UNIT_NONE, given_parts, 0, GIVEN_MAX, "0",
          "of interaction given: inputs that its concatenations join"),
    FIELD(model, "given_inputs", FIELD_INT, UNIT_NONE, given_inputs, 0, TABLES_MAX, "0",
          "of interaction given: tensors that a request brings"),
    GIVEN_SIZE("given_indices", given_index_bytes, "indices, per item"),
    GIVEN_SIZE("given_features", given_feature_bytes, "dense features, per item"),
    GIVEN_SIZE("given_request_indices", given_request_index_bytes, "indices, once"),
    GIVEN_SIZE("given_request_features", given_request_feature_bytes, "dense features, once"),
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

static int check_from(const char *key, const struct reals *list, int least, struct err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (!(list->v[i] >= least) || list->v[i] != floor(list->v[i]))
            return err_set(err, ERR_STUDY, "%s: expected whole numbers from %d, got %g", key, least,
                           list->v[i]);
    return 0;
}

static int check_whole(const char *key, const struct reals *list, struct err *err)
{
    return check_from(key, list, 1, err);
}

static int check_count(const char *key, int64_t count, struct err *err)
{
    return count >= 1 ? 0
                      : err_set(err, ERR_STUDY, "%s: expected at least 1, got %lld", key,
                                (long long)count);
}

// Lookups once per request or per history item: for every group, or for none. A table that is
// looked up there need not be for each candidate.
static int check_more_lookups(const struct model *model, const char *key, const struct reals *more,
                              struct err *err)
{
    if (more->n > 0 && more->n != model->tables.n)
        return err_set(err, ERR_STUDY, "%s: expected %zu values, as tables has, got %zu", key,
                       model->tables.n, more->n);
    return check_from(key, more, 0, err);
}

static int check_groups(const struct model *model, struct err *err)
{
    size_t n = model->tables.n;
    if (n == 0 && model->interaction != INTERACT_MASK && model->interaction != INTERACT_GIVEN)
        return err_set(err, ERR_STUDY, "tables: expected at least one group");
    if (model->rows.n != n)
        return err_set(err, ERR_STUDY, "rows: expected %zu values, as tables has, got %zu", n,
                       model->rows.n);
    if (model->lookups.n != n)
        return err_set(err, ERR_STUDY, "lookups: expected %zu values, as tables has, got %zu", n,
                       model->lookups.n);
    if (check_whole("tables", &model->tables, err) != 0 ||
        check_whole("rows", &model->rows, err) != 0 ||
        check_more_lookups(model, "request_lookups", &model->request_lookups, err) != 0 ||
        check_more_lookups(model, "history_lookups", &model->history_lookups, err) != 0)
        return -1;
    bool all_per_item = model->request_lookups.n == 0 && model->history_lookups.n == 0;
    return check_from("lookups", &model->lookups, all_per_item ? 1 : 0, err);
}

static int check_behaviours(const struct model *model, struct err *err)
{
    if (check_count("behaviours", model->behaviours, err) != 0)
        return -1;
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

// One lookup operator per table, and one more where it is looked up once per request or for the
// history too. Additions of the pooling are its arithmetic; what it writes (one row per table) is
// small beside what it gathers, and counted with it.
static void add_tables(const struct model *model, struct model_work *work)
{
    double row_bytes = (double)model->dim * FP32_BYTES;
    struct work *gather = &work->by_class[WORK_EMBEDDING];

    for (size_t i = 0; i < model->tables.n; i++) {
        double tables = model->tables.v[i], lookups = tables * model->lookups.v[i];
        double once = model->request_lookups.n ? tables * model->request_lookups.v[i] : 0;
        double history = model->history_lookups.n ? tables * model->history_lookups.v[i] : 0;
        double used = lookups > 0 ? tables : 0;
        gather->n_ops += tables * ((lookups > 0) + (once > 0) + (history > 0));
        work->rows_per_item += used;
        work->row_bytes_per_item += used * row_bytes;
        work->lookups_per_item += lookups;
        work->lookups_per_request += once;
        work->lookups_per_history += history;
        work->table_bytes += tables * model->rows.v[i] * row_bytes;
    }
    gather->flop_per_item = work->lookups_per_item * (double)model->dim;
    gather->bytes_per_item = work->lookups_per_item * row_bytes;
    gather->request = (struct work_volume){work->lookups_per_request * (double)model->dim,
                                           work->lookups_per_request * row_bytes, 0};
    gather->history = (struct work_volume){0, work->lookups_per_history * row_bytes, 0};
    work->index_bytes_per_item = work->lookups_per_item * INDEX_BYTES;
    work->index_bytes_per_request = work->lookups_per_request * INDEX_BYTES;
    work->index_bytes_per_history = work->lookups_per_history * INDEX_BYTES;
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

// What `part` counts per item, once per request or per history item instead, together with its
// operators and weights.
enum share { SHARE_REQUEST, SHARE_HISTORY };

static void add_part(struct model_work *work, const struct model_work *part, enum share share)
{
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        struct work *to = &work->by_class[i];
        const struct work *from = &part->by_class[i];
        struct work_volume *volume = share == SHARE_REQUEST ? &to->request : &to->history;
        to->n_ops += from->n_ops;
        to->n_parts += from->n_parts;
        to->weight_bytes += from->weight_bytes;
        volume->flop += from->flop_per_item;
        volume->bytes += from->bytes_per_item;
        volume->read_bytes += from->read_bytes_per_item;
    }
}

static double dense_width(const struct model *model, struct model_work *work)
{
    struct model_work once = {0};
    double features = (double)model->dense_inputs, out = features;
    if (model->dense_mlp.n > 0) {
        double in = model->dense_mlp.v[0];
        features += in;
        out += add_stack(model->dense_once ? &once : work, in, model->dense_mlp.v + 1,
                         model->dense_mlp.n - 1);
    }
    features += (double)model->unused_inputs;
    *(model->dense_once ? &work->dense_bytes_per_request : &work->dense_bytes_per_item) =
        features * FP32_BYTES;
    work->n_inputs += features > 0;
    add_part(work, &once, SHARE_REQUEST);
    return out;
}

// ---- the ways in which features meet ------------------------------------------------------------

// The top stack, and the tasks, which share what is above them and have weights of their own.
static void add_top(const struct model *model, double width, struct model_work *work)
{
    double out = add_stack(work, width, model->top_mlp.v, model->top_mlp.n);
    for (int64_t i = 0; i < model->tasks; i++)
        add_stack(work, out, model->task_mlp.v, model->task_mlp.n);
}

// The usual end: what is `width` wide in n_parts pieces and the rows of n_tables tables, side by
// side into the top stack.
static void derive_top(const struct model *model, double width, double n_parts, double n_tables,
                       struct model_work *work)
{
    width += n_tables * (double)model->dim;
    add_concat(work, width, n_parts + n_tables, 1);
    add_top(model, width, work);
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
    return check_count("hidden", model->hidden, err);
}

static void derive_recurrent(const struct model *model, double width, struct model_work *work)
{
    double others = table_count(model) - (double)model->behaviour_tables, parts = width > 0;
    derive_top(model, width + add_evolution(model, work), parts + 1, others, work);
}

// DLRM as MLPerf runs it: the dot products of all pairs among the rows and what comes out of the
// dense stack, beside the latter.
static int check_dot(const struct model *model, struct err *err)
{
    size_t n = model->dense_mlp.n;
    double out = n > 0 ? model->dense_mlp.v[n - 1] : 0;
    if (out == (double)model->dim && model->dense_inputs == 0)
        return 0;
    return err_set(err, ERR_STUDY,
                   "dense_mlp: dot products need it to end with dim, %lld, and no dense_inputs",
                   (long long)model->dim);
}

static void derive_dot(const struct model *model, double width, struct model_work *work)
{
    struct work *layers = &work->by_class[WORK_FC];
    double dim = (double)model->dim, vectors = table_count(model) + 1;
    double pairs = vectors * (vectors - 1) / 2;
    add_concat(work, vectors * dim, vectors, 1);
    layers->n_ops += 1;
    layers->flop_per_item += 2 * dim * pairs;
    layers->bytes_per_item += FP32_BYTES * pairs;
    layers->read_bytes_per_item += FP32_BYTES * vectors * dim;
    derive_top(model, width + pairs, 2, 0, work);
}

static int check_cross(const struct model *model, struct err *err)
{
    return check_count("cross_layers", model->cross_layers, err) != 0
               ? -1
               : check_count("cross_rank", model->cross_rank, err);
}

// DCNv2 (Wang et al., WWW 2021, low-rank): x <- x0 * (U (V x) + b) + x.
static void derive_cross(const struct model *model, double width, struct model_work *work)
{
    double parts = (width > 0) + table_count(model), rank = (double)model->cross_rank;
    width += table_count(model) * (double)model->dim;
    add_concat(work, width, parts, 1);
    for (int64_t i = 0; i < model->cross_layers; i++) {
        add_matrix(&work->by_class[WORK_FC], width, rank, 1);
        add_matrix(&work->by_class[WORK_FC], rank, width, 1);
        add_vector(&work->by_class[WORK_ELEMENTWISE], width, 1, 2);
    }
    double out = add_stack(work, width, model->top_mlp.v, model->top_mlp.n);
    for (int64_t i = 0; i < model->tasks; i++)
        add_stack(work, out, model->task_mlp.v, model->task_mlp.n);
}

static int check_mask(const struct model *model, struct err *err)
{
    if (model->tables.n == 0 && model->dense_inputs == 0)
        return err_set(err, ERR_STUDY, "tables, dense_inputs: expected features in one of them");
    if (check_count("mask_blocks", model->mask_blocks, err) != 0 ||
        check_count("mask_aggregation", model->mask_aggregation, err) != 0)
        return -1;
    return check_count("mask_output", model->mask_output, err);
}

// MaskNet (Wang et al., DLP-KDD 2021), parallel: each block weighs all features by a mask that two
// layers make of them, and reduces the product; the blocks' outputs side by side go to the top.
static void derive_mask(const struct model *model, double width, struct model_work *work)
{
    double parts = (width > 0) + table_count(model), blocks = (double)model->mask_blocks;
    double inner = (double)model->mask_aggregation, out = (double)model->mask_output;
    struct work *layers = &work->by_class[WORK_FC], *other = &work->by_class[WORK_ELEMENTWISE];
    width += table_count(model) * (double)model->dim;
    add_concat(work, width, parts, 1);
    for (int64_t i = 0; i < model->mask_blocks; i++) {
        add_matrix(layers, width, inner, 1);
        add_vector(other, inner, 1, 1);
        add_matrix(layers, inner, width, 1);
        add_vector(other, width, 1, 1); // the mask
        add_matrix(layers, width, out, 1);
        add_vector(other, out, NORM_FLOP, 1);
    }
    derive_top(model, blocks * out, blocks, 0, work);
}

static int check_sequence(const struct model *model, struct err *err)
{
    size_t n = model->block_mlp.n;
    if (check_count("blocks", model->blocks, err) != 0 ||
        check_count("heads", model->heads, err) != 0 ||
        check_count("key_dim", model->key_dim, err) != 0 ||
        check_count("value_dim", model->value_dim, err) != 0 ||
        check_count("output_parts", model->output_parts, err) != 0)
        return -1;
    if (!(sum_of(&model->history_lookups) > 0))
        return err_set(err, ERR_STUDY,
                       "history_lookups: missing; expected those of a history item");
    if (n > 0 && model->block_mlp.v[n - 1] != (double)model->dim)
        return err_set(err, ERR_STUDY, "block_mlp: expected it to end with dim, %lld",
                       (long long)model->dim);
    return 0;
}

// Attention of one pair of tokens, in all heads of all blocks: a dot product of keys, and a value
// weighed and added.
static double pair_flop(const struct model *model)
{
    return 2 * (double)(model->blocks * model->heads * (model->key_dim + model->value_dim));
}

// One token through all blocks, attention to others apart: normalised, projected, weighed (gated
// ones with an activation and a product with the gate), projected back, added.
static void add_blocks(const struct model *model, struct model_work *work)
{
    double dim = (double)model->dim, values = (double)(model->heads * model->value_dim);
    double keys = (double)(model->heads * model->key_dim), gate = model->gated ? values : 0;
    struct work *other = &work->by_class[WORK_ELEMENTWISE];
    for (int64_t i = 0; i < model->blocks; i++) {
        add_vector(other, dim, NORM_FLOP, 1);
        add_matrix(&work->by_class[WORK_FC], dim, 2 * keys + values + gate, 1);
        if (model->gated) {
            add_vector(other, 2 * keys + values + gate, 1, 1);
            add_vector(other, values * (double)model->output_parts, NORM_FLOP, 1);
        }
        add_vector(&work->by_class[WORK_ATTENTION], values, 0, 1);
        add_matrix(&work->by_class[WORK_FC], values * (double)model->output_parts, dim, 1);
        add_vector(&work->by_class[WORK_SUM], dim, 1, 1);
        add_stack(work, dim, model->block_mlp.v, model->block_mlp.n);
    }
}

// SASRec (Kang and McAuley, ICDM 2018): the history once, causal attention; a candidate meets what
// comes out in the top stack, of which a width of 1 is a dot product.
static void derive_sequence(const struct model *model, double width, struct model_work *work)
{
    struct model_work token = {0};
    (void)width; // dense features have no place in it
    add_blocks(model, &token);
    add_part(work, &token, SHARE_HISTORY);
    work->by_class[WORK_ATTENTION].history_sq_flop = pair_flop(model) / 2;
    add_stack(work, (double)model->dim, model->top_mlp.v, model->top_mlp.n);
}

// HSTU (Zhai et al., ICML 2024) as it ranks: candidates are tokens behind the history, run together
// with it (the same operators and weights), attend to it and not to each other.
static void derive_target(const struct model *model, double width, struct model_work *work)
{
    struct model_work token = {0};
    (void)width;
    add_blocks(model, &token);
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        const struct work *from = &token.by_class[i];
        work->by_class[i].flop_per_item += from->flop_per_item;
        work->by_class[i].bytes_per_item += from->bytes_per_item;
        work->by_class[i].read_bytes_per_item += from->read_bytes_per_item;
    }
    add_part(work, &token, SHARE_HISTORY);
    work->by_class[WORK_ATTENTION].history_sq_flop = pair_flop(model) / 2;
    work->by_class[WORK_ATTENTION].item_history_flop = pair_flop(model);
    add_top(model, (double)model->dim, work);
}

// ---- work that is given -------------------------------------------------------------------------

// Value i of a list that may be empty.
static double at(const struct reals *list, size_t i)
{
    return i < list->n ? list->v[i] : 0;
}

static int check_length(const char *key, const struct reals *list, size_t n, const char *what,
                        struct err *err)
{
    if (list->n == 0 || list->n == n)
        return 0;
    return err_set(err, ERR_STUDY, "%s: expected %zu values, %s, got %zu", key, n, what, list->n);
}

// Every list by class, with its key; those from BY_CLASS_BYTES on say nothing of lookups.
#define N_BY_CLASS 8
#define BY_CLASS_BYTES 3
struct by_class {
    const char *key;
    const struct reals *list;
};

static void lists_of(const struct model *model, struct by_class lists[N_BY_CLASS])
{
    const struct by_class all[N_BY_CLASS] = {
        {"given_operators", &model->given_operators},
        {"given_flop", &model->given_flop},
        {"given_request_flop", &model->given_request_flop},
        {"given_written", &model->given_written_bytes},
        {"given_read", &model->given_read_bytes},
        {"given_weights", &model->given_weight_bytes},
        {"given_request_written", &model->given_request_written_bytes},
        {"given_request_read", &model->given_request_read_bytes}};
    memcpy(lists, all, sizeof all);
}

static int check_classes(const struct model *model, struct err *err)
{
    struct by_class lists[N_BY_CLASS];
    lists_of(model, lists);
    for (size_t i = 0; i < N_BY_CLASS; i++) {
        const struct reals *list = lists[i].list;
        if (check_length(lists[i].key, list, N_WORK_CLASSES, "one for each class of operator",
                         err) != 0)
            return -1;
        for (size_t class = 0; class < list->n; class ++)
            if (list->v[class] > 0 && !(at(&model->given_operators, class) > 0))
                return err_set(err, ERR_STUDY, "%s: expected 0 of %s, which has no operators",
                               lists[i].key, work_class_names[class]);
        if (i >= BY_CLASS_BYTES && at(list, WORK_EMBEDDING) > 0)
            return err_set(err, ERR_STUDY,
                           "%s: expected 0 of embedding, whose bytes are rows: row_size, lookups",
                           lists[i].key);
    }
    return sum_of(&model->given_operators) > 0
               ? 0
               : err_set(err, ERR_STUDY, "given_operators: expected some of one class");
}

static int check_given(const struct model *model, struct err *err)
{
    size_t n = model->tables.n;
    if (check_classes(model, err) != 0)
        return -1;
    if (model->row_bytes.n != n)
        return err_set(err, ERR_STUDY, "row_size: expected %zu values, as tables has, got %zu", n,
                       model->row_bytes.n);
    if (check_length("pooled_rows", &model->pooled_rows, n, "as tables has", err) != 0)
        return -1;
    if (n > 0 && !(at(&model->given_operators, WORK_EMBEDDING) > 0))
        return err_set(err, ERR_STUDY,
                       "given_operators: expected some of embedding, for the tables");
    return model->history_lookups.n == 0
               ? 0
               : err_set(err, ERR_STUDY, "history_lookups: given work has no part by the history");
}

static void derive_lookups(const struct model *model, struct model_work *work)
{
    struct work *gather = &work->by_class[WORK_EMBEDDING];
    for (size_t i = 0; i < model->tables.n; i++) {
        double tables = model->tables.v[i], bytes = model->row_bytes.v[i];
        double lookups = tables * model->lookups.v[i];
        double once = tables * at(&model->request_lookups, i);
        double pooled = model->pooled_rows.n ? model->pooled_rows.v[i] : lookups > 0;
        work->lookups_per_item += lookups;
        work->lookups_per_request += once;
        work->rows_per_item += tables * pooled;
        work->row_bytes_per_item += tables * pooled * bytes;
        work->table_bytes += tables * model->rows.v[i] * bytes;
        gather->bytes_per_item += lookups * bytes;
        gather->request.bytes += once * bytes;
    }
}

static void derive_given(const struct model *model, struct model_work *work)
{
    derive_lookups(model, work);
    for (size_t i = 0; i < N_WORK_CLASSES; i++) {
        struct work *to = &work->by_class[i];
        to->n_ops = at(&model->given_operators, i);
        to->flop_per_item = at(&model->given_flop, i);
        to->bytes_per_item += at(&model->given_written_bytes, i);
        to->read_bytes_per_item = at(&model->given_read_bytes, i);
        to->weight_bytes = at(&model->given_weight_bytes, i);
        to->request.flop = at(&model->given_request_flop, i);
        to->request.bytes += at(&model->given_request_written_bytes, i);
        to->request.read_bytes = at(&model->given_request_read_bytes, i);
    }
    work->by_class[WORK_CONCAT].n_parts = model->given_parts;
    work->n_inputs = (double)model->given_inputs;
    work->index_bytes_per_item = model->given_index_bytes;
    work->dense_bytes_per_item = model->given_feature_bytes;
    work->index_bytes_per_request = model->given_request_index_bytes;
    work->dense_bytes_per_request = model->given_request_feature_bytes;
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
    [INTERACT_DOT] = {check_dot, derive_dot},
    [INTERACT_CROSS] = {check_cross, derive_cross},
    [INTERACT_MASK] = {check_mask, derive_mask},
    [INTERACT_SEQUENCE] = {check_sequence, derive_sequence},
    [INTERACT_TARGET] = {check_sequence, derive_target},
    [INTERACT_GIVEN] = {check_given, NULL},
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
        check_whole("block_mlp", &model->block_mlp, err) != 0 ||
        check_whole("top_mlp", &model->top_mlp, err) != 0 ||
        check_whole("task_mlp", &model->task_mlp, err) != 0)
        return -1;
    bool is_given = model->interaction == INTERACT_GIVEN;
    if (!is_given && check_count("dim", model->dim, err) != 0)
        return -1;
    if (!is_given && model->top_mlp.n == 0)
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
        class->request.bytes *= frac;
        class->request.read_bytes *= frac;
        class->history.bytes *= frac;
        class->history.read_bytes *= frac;
    }
    work->row_bytes_per_item *= frac;
    work->table_bytes *= frac;
}

void model_derive(const struct model *model, struct model_work *work)
{
    assert(model && work);
    memset(work, 0, sizeof *work);
    if (model->interaction == INTERACT_GIVEN) { // already in bytes of the format
        derive_given(model, work);
        return;
    }
    add_tables(model, work);
    double width = dense_width(model, work);
    interactions[model->interaction].derive(model, width, work);
    narrow(work, model_format_bytes(model->format) / FP32_BYTES);
}

bool work_has_history(const struct model_work *work)
{
    return work->lookups_per_history > 0; // no sequence without one
}

double work_flop(const struct model_work *work, double items, double history)
{
    double sum = work_flop_per_item(work) * items;
    for (int i = 0; i < N_WORK_CLASSES; i++) {
        const struct work *of = &work->by_class[i];
        sum += of->request.flop + history * (of->history.flop + of->history_sq_flop * history +
                                             of->item_history_flop * items);
    }
    return sum;
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
