// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_work.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/flow.h"
#include "study/onnx_bag.h"
#include "study/onnx_pass.h"

// Numbers of items at which the graph is passed: primes, which no size in a file divides by chance,
// and three, for two always are on a line.
static const int64_t trial_items[] = {7, 11, 13};
#define N_TRIALS 3
#define LINE_TOLERANCE 1e-9 // of sums in floating point
#define MAX_SETTING 1e9
#define MAX_GROUPS 10000 // of tables that differ

// ---- which dimension counts the items -----------------------------------------------------------

struct axis {
    char *names;  // of open dimensions, "n,batch"; "": only those without a name
    bool by_size; // no first dimension is open: all are `size`
    int64_t size;
};

static bool is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && memcmp(at, name, n) == 0)
            return n > 0;
    return false;
}

// A size as users write it, for N items: 50, 30N, N or N+1.
static bool read_size(const char *text, struct onnx_part *size)
{
    char *end = (char *)text; // as strtoll() has it
    errno = 0;
    double first = *text == 'N' ? 1 : (double)strtoll(text, &end, 10), more = 0;
    bool grows = *end == 'N', is_more = grows && end[1] == '+';
    const char *rest = end + grows + is_more;
    if (is_more)
        more = (double)strtoll(rest, &end, 10);
    *size = grows ? (struct onnx_part){first, more} : (struct onnx_part){0, first};
    return (is_more ? end != rest && !*end : end + grows != text && !*rest) && errno == 0 &&
           first >= 1 && first <= MAX_SETTING && more >= 0 && more <= MAX_SETTING;
}

// The size that a setting gives the dimension. False: none does.
static bool setting_of(const struct onnx_work_options *options, const char *name,
                       struct onnx_part *size)
{
    size_t n = strlen(name);
    for (size_t i = options->n_settings; n > 0 && i > 0; i--)
        if (strncmp(options->settings[i - 1], name, n) == 0 && options->settings[i - 1][n] == '=')
            return read_size(options->settings[i - 1] + n + 1, size);
    return false;
}

static bool has_dimension(const struct onnx_graph *graph, const char *name, size_t n)
{
    for (size_t i = 0; i < graph->n_inputs; i++)
        for (size_t d = 0; d < graph->inputs[i].rank; d++)
            if (strlen(graph->inputs[i].names[d]) == n &&
                memcmp(graph->inputs[i].names[d], name, n) == 0)
                return true;
    return false;
}

static int check_settings(const struct onnx_graph *graph, const struct onnx_work_options *options,
                          struct err *err)
{
    for (size_t i = 0; i < options->n_settings; i++) {
        const char *text = options->settings[i], *sign = strchr(text, '=');
        struct onnx_part size;
        if (!sign || sign == text || !read_size(sign + 1, &size))
            return err_set(err, ERR_STUDY,
                           "--set \"%.60s\": expected the name of a dimension and its size, such "
                           "as seq=50, or ids=30N for 30 of each item",
                           text);
        if (!has_dimension(graph, text, (size_t)(sign - text)))
            return err_set(err, ERR_STUDY, "--set \"%.60s\": no input has a dimension of that name",
                           text);
    }
    return 0;
}

// Of an input whose first dimension has a size: how many items that would be.
static int64_t first_size(const struct onnx_input *input)
{
    return input->sizes[0] - (input->role == ONNX_OFFSETS_WITH_END);
}

// The items have no size: the graph is passed at several.
static int check_items(const struct axis *axis, const struct onnx_work_options *options,
                       struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < options->n_settings && options->batch && rc == 0; i++) {
        int n = (int)strcspn(options->settings[i], "=");
        char *name = mem_printf("%.*s", n, options->settings[i]);
        if (is_listed(axis->names, name))
            rc = err_set(err, ERR_STUDY,
                         "--set \"%.60s\": that dimension counts the items (--batch-dim): expected "
                         "no size for it",
                         options->settings[i]);
        mem_free(name);
    }
    return rc;
}

// Open first dimensions, which no setting closes, of one name. Indices of bags do not count items.
static int find_open(struct axis *axis, const struct onnx_graph *graph,
                     const struct onnx_work_options *options, bool *any, struct err *err)
{
    const char *name = NULL;
    *any = false;
    for (size_t i = 0; i < graph->n_inputs; i++) {
        const struct onnx_input *input = &graph->inputs[i];
        struct onnx_part size;
        if (input->rank == 0 || input->sizes[0] >= 0 || input->role == ONNX_OF_BAGS ||
            setting_of(options, input->names[0], &size))
            continue;
        *any = true;
        if (!*input->names[0])
            continue;
        if (name && strcmp(name, input->names[0]) != 0)
            return err_set(err, ERR_STUDY,
                           "first dimensions of inputs are called \"%.40s\" and \"%.40s\": "
                           "expected --batch-dim with the one that counts the items, or both, "
                           "separated by a comma",
                           name, input->names[0]);
        name = input->names[0];
    }
    axis->names = mem_strdup(name ? name : "");
    return 0;
}

static int find_size(struct axis *axis, const struct onnx_graph *graph,
                     const struct onnx_work_options *options, struct err *err)
{
    const struct onnx_input *first = NULL;
    bool others = false; // than indices of bags, of which there may be several for an item
    for (size_t i = 0; i < graph->n_inputs; i++)
        others |= graph->inputs[i].rank > 0 && graph->inputs[i].role != ONNX_OF_BAGS;
    for (size_t i = 0; i < graph->n_inputs; i++) {
        const struct onnx_input *input = &graph->inputs[i];
        struct onnx_part size;
        if (input->rank == 0 || (others && input->role == ONNX_OF_BAGS))
            continue;
        if (input->sizes[0] < 0 && setting_of(options, input->names[0], &size))
            return err_set(
                err, ERR_STUDY,
                "--set gives the dimension \"%.40s\" a size, and no other one counts the "
                "items: expected no --set of it, or --batch-dim with the one that does",
                input->names[0]);
        if (first && first_size(input) != first_size(first))
            return err_set(err, ERR_STUDY,
                           "first dimensions of inputs are %lld and %lld and none is open: "
                           "expected --batch-dim with the one that counts the items",
                           (long long)first_size(first), (long long)first_size(input));
        first = first ? first : input;
    }
    if (!first)
        return err_set(err, ERR_STUDY, "no input has a dimension that could count the items");
    axis->by_size = true;
    axis->size = first_size(first);
    return 0;
}

// A dimension that the user names: open ones of that name, first ones of that size.
static int find_named(struct axis *axis, const struct onnx_graph *graph, const char *names,
                      struct err *err)
{
    char *end;
    long long size = strtoll(names, &end, 10);
    bool is_size = *names && !*end && size > 0;
    axis->names = mem_strdup(names);
    for (size_t i = 0; i < graph->n_inputs; i++)
        for (size_t d = 0; d < graph->inputs[i].rank; d++) {
            if (graph->inputs[i].sizes[d] < 0 && is_listed(names, graph->inputs[i].names[d]))
                return 0;
            const struct onnx_input *input = &graph->inputs[i];
            if (is_size && d == 0 && input->sizes[0] >= 0 &&
                (input->role == ONNX_OF_BAGS ? input->sizes[0] % size == 0
                                             : first_size(input) == size)) {
                axis->by_size = true;
                axis->size = size;
                return 0;
            }
        }
    return err_set(err, ERR_STUDY, "--batch-dim \"%.60s\": no input has such a dimension", names);
}

static int find_axis(struct axis *axis, const struct onnx_graph *graph,
                     const struct onnx_work_options *options, struct err *err)
{
    bool any;
    *axis = (struct axis){.names = NULL};
    if (graph->n_inputs == 0)
        return err_set(err, ERR_STUDY, "the graph has no inputs");
    if (options->batch)
        return find_named(axis, graph, options->batch, err);
    if (find_open(axis, graph, options, &any, err) < 0)
        return -1;
    for (size_t i = 0; i < options->n_settings && !any; i++)
        if (strchr(strchr(options->settings[i], '='), 'N')) {
            mem_free(axis->names);
            axis->names = mem_strdup(options->settings[i]);
            any = true;
        }
    return any ? 0 : find_size(axis, graph, options, err);
}

static bool counts_items(const struct axis *axis, const struct onnx_input *input, size_t d)
{
    if (input->sizes[d] >= 0)
        return axis->by_size && d == 0 && input->role != ONNX_OF_BAGS &&
               first_size(input) == axis->size;
    if (*input->names[d])
        return is_listed(axis->names, input->names[d]);
    return d == 0 && input->role != ONNX_OF_BAGS;
}

// A dimension as a line over the items. False: it is left open.
static bool size_of(const struct onnx_input *input, size_t d, const struct axis *axis,
                    const struct onnx_work_options *options, struct onnx_part *size)
{
    bool is_flat = input->role == ONNX_OF_BAGS && d == 0;
    *size = (struct onnx_part){0, (double)input->sizes[d]};
    if (counts_items(axis, input, d))
        *size = (struct onnx_part){1, input->role == ONNX_OFFSETS_WITH_END && d == 0};
    else if (input->sizes[d] < 0)
        return setting_of(options, input->names[d], size);
    else if (is_flat && axis->by_size && axis->size > 0 && input->sizes[d] % axis->size == 0)
        *size = (struct onnx_part){(double)(input->sizes[d] / axis->size), 0};
    return true;
}

static int size_inputs(struct onnx_pass_input *sizes, const struct onnx_graph *graph,
                       const struct axis *axis, const struct onnx_work_options *options,
                       int64_t items, struct err *err)
{
    for (size_t i = 0; i < graph->n_inputs; i++)
        for (size_t d = 0; d < graph->inputs[i].rank; d++) {
            const struct onnx_input *input = &graph->inputs[i];
            struct onnx_part size;
            bool is_sized = size_of(input, d, axis, options, &size);
            if (!is_sized && *input->names[d])
                return err_set(err, ERR_STUDY,
                               "input \"%.40s\" leaves its dimension \"%.40s\" open: expected its "
                               "size, such as --set %.40s=%s",
                               input->name, input->names[d], input->names[d],
                               input->role == ONNX_OF_BAGS ? "30N where each bag has 30 indices"
                                                           : "50, or 50N for 50 of each item");
            if (!is_sized)
                return err_set(err, ERR_STUDY,
                               "input \"%.40s\" leaves its dimension %zu open, without a name",
                               input->name, d);
            sizes[i].dims[d] = (int64_t)(size.once + size.item * (double)items);
        }
    return 0;
}

// ---- from three numbers of items to a line ------------------------------------------------------

static bool fit_line(struct onnx_part *part, const double at[N_TRIALS])
{
    const double x0 = (double)trial_items[0], x1 = (double)trial_items[1],
                 x2 = (double)trial_items[2];
    part->item = (at[1] - at[0]) / (x1 - x0);
    part->once = at[0] - x0 * part->item;
    double slack = LINE_TOLERANCE * (fabs(at[0]) + fabs(at[2]));
    if (fabs(part->once) <= slack)
        part->once = 0;
    return part->item >= 0 && part->once >= 0 &&
           fabs(part->once + x2 * part->item - at[2]) <= slack;
}

// The same number of an operator in all passes.
static double *number(struct onnx_op *op, size_t at)
{
    double *const all[] = {&op->flop, &op->written_bytes, &op->read_bytes, &op->lookups, &op->rows};
    return all[at];
}

static bool fit_op(struct onnx_work_op *to, struct onnx_op *const trials[N_TRIALS])
{
    struct onnx_part *const parts[] = {&to->flop, &to->written_bytes, &to->read_bytes, &to->lookups,
                                       &to->rows};
    bool fits = true;
    double at[N_TRIALS];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (size_t t = 0; t < N_TRIALS; t++)
            at[t] = *number(trials[t], i);
        fits &= fit_line(parts[i], at);
    }
    for (size_t d = 0; d < trials[0]->rank; d++) {
        for (size_t t = 0; t < N_TRIALS; t++)
            at[t] = (double)trials[t]->dims[d];
        fits &= fit_line(&to->dims[d], at) || !trials[0]->is_work;
    }
    for (size_t t = 1; t < N_TRIALS; t++)
        fits &= trials[t]->n_ops == trials[0]->n_ops &&
                trials[t]->weight_bytes == trials[0]->weight_bytes;
    return fits;
}

static double row_bytes(const struct onnx_tensor *table)
{
    double bytes = onnx_infer_width(table->type);
    for (size_t d = 1; d < table->rank; d++)
        bytes *= (double)table->dims[d];
    return bytes;
}

static int take_ops(struct onnx_work *work, struct onnx_op *const trials[N_TRIALS], struct err *err)
{
    const struct onnx_graph *graph = work->graph;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct onnx_op *const ops[N_TRIALS] = {&trials[0][i], &trials[1][i], &trials[2][i]};
        const struct onnx_step step = {.node = &graph->nodes[i]};
        struct onnx_work_op *to = &work->ops[i];
        *to = (struct onnx_work_op){.node = &graph->nodes[i],
                                    .is_work = ops[0]->is_work,
                                    .class = ops[0]->class,
                                    .n_ops = ops[0]->n_ops,
                                    .n_parts = ops[0]->n_parts,
                                    .weight_bytes = ops[0]->weight_bytes,
                                    .table = ops[0]->table,
                                    .type = ops[0]->type,
                                    .rank = ops[0]->rank};
        if (!fit_op(to, ops))
            return onnx_infer_fail(&step, err,
                                   "its work does not grow in proportion to the items; is the "
                                   "dimension that counts them the right one (--batch-dim)?");
        if (onnx_bag_is(to->node) && (to->rows.item > 0) != (to->lookups.item > 0))
            return onnx_infer_fail(&step, err,
                                   "its bags and the indices in them do not grow together with the "
                                   "items; export it with an open first dimension");
        double row = to->table >= 0 ? row_bytes(&graph->initializers[to->table]) : 0;
        to->gathered_bytes = (struct onnx_part){to->lookups.item * row, to->lookups.once * row};
    }
    return 0;
}

static int take_inputs(struct onnx_work *work, struct onnx_pass_input *const sizes[N_TRIALS],
                       struct err *err)
{
    for (size_t i = 0; i < work->graph->n_inputs; i++) {
        const struct onnx_input *input = &work->graph->inputs[i];
        bool is_index = input->type == ONNX_INT64 || input->type == ONNX_INT32;
        struct onnx_part *to = is_index ? &work->index_bytes : &work->feature_bytes, part;
        double at[N_TRIALS];
        for (size_t t = 0; t < N_TRIALS; t++) {
            at[t] = onnx_infer_width(input->type);
            for (size_t d = 0; d < input->rank; d++)
                at[t] *= (double)sizes[t][i].dims[d];
        }
        if (!(onnx_infer_width(input->type) > 0))
            return err_set(err, ERR_STUDY, "input \"%.60s\": expected numbers", input->name);
        if (!fit_line(&part, at))
            return err_set(err, ERR_STUDY,
                           "input \"%.60s\" counts the items in more than one dimension",
                           input->name);
        to->item += part.item;
        to->once += part.once;
    }
    return 0;
}

static int pass_all(struct onnx_work *work, const struct axis *axis,
                    const struct onnx_work_options *options, struct err *err)
{
    const struct onnx_graph *graph = work->graph;
    struct onnx_pass_input *sizes[N_TRIALS];
    struct onnx_op *ops[N_TRIALS];
    int rc = 0;
    for (size_t t = 0; t < N_TRIALS; t++) {
        sizes[t] = mem_calloc(graph->n_inputs + 1, sizeof *sizes[t]);
        ops[t] = mem_calloc(graph->n_nodes + 1, sizeof *ops[t]);
        if (rc == 0)
            rc = size_inputs(sizes[t], graph, axis, options, trial_items[t], err);
        if (rc == 0 && (rc = onnx_pass_run(graph, sizes[t], ops[t], err)) < 0 && axis->by_size)
            err_append(err, "; the file is for %lld items: export it with an open first dimension",
                       (long long)axis->size);
    }
    if (rc == 0)
        rc = take_inputs(work, sizes, err);
    if (rc == 0)
        rc = take_ops(work, ops, err);
    for (size_t t = 0; t < N_TRIALS; t++) {
        mem_free(sizes[t]);
        mem_free(ops[t]);
    }
    return rc;
}

int onnx_work_make(struct onnx_work *work, const struct onnx_graph *graph,
                   const struct onnx_work_options *options, struct err *err)
{
    struct axis axis;
    *work = (struct onnx_work){.graph = graph};
    if (onnx_pass_unknown(graph, err) > 0 || check_settings(graph, options, err) < 0)
        return -1;
    work->ops = mem_calloc(graph->n_nodes + 1, sizeof *work->ops);
    int rc = find_axis(&axis, graph, options, err);
    if (rc == 0)
        rc = check_items(&axis, options, err);
    if (rc == 0)
        rc = pass_all(work, &axis, options, err);
    if (rc == 0)
        work->batch = axis.by_size ? mem_printf("%lld", (long long)axis.size)
                                   : mem_strdup(*axis.names ? axis.names : "first dimension");
    mem_free(axis.names);
    if (rc < 0)
        onnx_work_release(work);
    return rc;
}

void onnx_work_release(struct onnx_work *work)
{
    mem_free(work->ops);
    mem_free(work->batch);
    *work = (struct onnx_work){0};
}

char *onnx_work_shape(const struct onnx_work_op *op)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t d = 0; d < op->rank; d++) {
        const struct onnx_part *dim = &op->dims[d];
        fputs(d > 0 ? " x " : "", out);
        if (dim->item > 0 && dim->item != 1)
            fprintf(out, "%.15g", dim->item);
        fputs(dim->item > 0 ? "N" : "", out);
        if (dim->once != 0 || dim->item == 0)
            fprintf(out, "%s%.15g", dim->item > 0 ? "+" : "", dim->once);
    }
    fclose(out);
    char *copy = mem_strdup(*text ? text : "1");
    free(text);
    return copy;
}

// ---- as a model ---------------------------------------------------------------------------------

// A group of equal tables.
struct table {
    double n, rows, row_bytes;
    struct onnx_part lookups;
    double pooled_rows;
};

// By initializer; those that are looked up have n 1. Caller mem_free()s.
static struct table *sum_tables(const struct onnx_work *work)
{
    const struct onnx_graph *graph = work->graph;
    struct table *tables = mem_calloc(graph->n_initializers + 1, sizeof *tables);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct onnx_work_op *op = &work->ops[i];
        if (op->table < 0 || !(op->lookups.item > 0 || op->lookups.once > 0))
            continue;
        const struct onnx_tensor *tensor = &graph->initializers[op->table];
        struct table *table = &tables[op->table];
        table->n = 1;
        table->rows = (double)tensor->dims[0];
        table->row_bytes = row_bytes(tensor);
        table->lookups.item += op->lookups.item;
        table->lookups.once += op->lookups.once;
        table->pooled_rows += op->rows.item;
    }
    return tables;
}

static bool is_same_table(const struct table *a, const struct table *b)
{
    return a->rows == b->rows && a->row_bytes == b->row_bytes &&
           a->lookups.item == b->lookups.item && a->lookups.once == b->lookups.once &&
           a->pooled_rows == b->pooled_rows;
}

// The first n of what is returned are the groups; caller mem_free()s.
static struct table *group_tables(const struct onnx_work *work, size_t *n)
{
    struct table *groups = sum_tables(work);
    *n = 0;
    for (size_t t = 0; t < work->graph->n_initializers; t++) {
        size_t g = 0;
        if (!(groups[t].n > 0))
            continue;
        while (g < *n && !is_same_table(&groups[g], &groups[t]))
            g++;
        if (g < *n)
            groups[g].n++;
        else
            groups[(*n)++] = groups[t];
        if (*n > MAX_GROUPS)
            break;
    }
    return groups;
}

// A list of nothing says no more than none.
static void drop_zeros(struct reals *reals)
{
    for (size_t i = 0; i < reals->n; i++)
        if (reals->v[i] != 0)
            return;
    reals->n = 0;
}

static double *list(struct reals *reals, size_t n)
{
    mem_free(reals->v); // of the default
    *reals = (struct reals){n, mem_calloc(n + 1, sizeof(double))};
    return reals->v;
}

static int take_tables(const struct onnx_work *work, struct model *model, struct err *err)
{
    size_t n;
    struct table *groups = group_tables(work, &n);
    if (n > MAX_GROUPS) {
        mem_free(groups);
        return err_set(err, ERR_STUDY, "more than %d different tables", MAX_GROUPS);
    }
    bool once = false;
    for (size_t g = 0; g < n; g++)
        once |= groups[g].lookups.once > 0;
    double *tables = list(&model->tables, n), *rows = list(&model->rows, n);
    double *lookups = list(&model->lookups, n), *sizes = list(&model->row_bytes, n);
    double *pooled = list(&model->pooled_rows, n);
    double *request = list(&model->request_lookups, once ? n : 0);
    for (size_t g = 0; g < n; g++) {
        tables[g] = groups[g].n;
        rows[g] = groups[g].rows;
        lookups[g] = groups[g].lookups.item;
        sizes[g] = groups[g].row_bytes;
        pooled[g] = groups[g].pooled_rows;
        if (once)
            request[g] = groups[g].lookups.once;
    }
    mem_free(groups);
    return 0;
}

static void take_classes(const struct onnx_work *work, struct model *model)
{
    double *n_ops = list(&model->given_operators, N_WORK_CLASSES);
    double *flop = list(&model->given_flop, N_WORK_CLASSES);
    double *written = list(&model->given_written_bytes, N_WORK_CLASSES);
    double *read = list(&model->given_read_bytes, N_WORK_CLASSES);
    double *weights = list(&model->given_weight_bytes, N_WORK_CLASSES);
    double *once_flop = list(&model->given_request_flop, N_WORK_CLASSES);
    double *once_written = list(&model->given_request_written_bytes, N_WORK_CLASSES);
    double *once_read = list(&model->given_request_read_bytes, N_WORK_CLASSES);
    for (size_t i = 0; i < work->graph->n_nodes; i++) {
        const struct onnx_work_op *op = &work->ops[i];
        if (!op->is_work)
            continue;
        n_ops[op->class] += op->n_ops;
        flop[op->class] += op->flop.item;
        written[op->class] += op->written_bytes.item;
        read[op->class] += op->read_bytes.item;
        weights[op->class] += op->weight_bytes;
        once_flop[op->class] += op->flop.once;
        once_written[op->class] += op->written_bytes.once;
        once_read[op->class] += op->read_bytes.once;
        model->given_parts += op->n_parts;
    }
    drop_zeros(&model->given_request_flop);
    drop_zeros(&model->given_request_written_bytes);
    drop_zeros(&model->given_request_read_bytes);
    model->given_inputs = (int64_t)work->graph->n_inputs;
    model->given_index_bytes = work->index_bytes.item;
    model->given_feature_bytes = work->feature_bytes.item;
    model->given_request_index_bytes = work->index_bytes.once;
    model->given_request_feature_bytes = work->feature_bytes.once;
}

static int format_of(int type)
{
    return type == ONNX_FLOAT16    ? FORMAT_FP16
           : type == ONNX_BFLOAT16 ? FORMAT_BF16
           : type == ONNX_INT8 || type == ONNX_UINT8 || type == ONNX_INT32
               ? FORMAT_INT8 // products of integers are 32 bits wide
               : FORMAT_FP32;
}

// That in which most arithmetic of layers is.
static int main_format(const struct onnx_work *work)
{
    double flop[N_FORMATS] = {0};
    int best = FORMAT_FP32;
    for (size_t i = 0; i < work->graph->n_nodes; i++) {
        const struct onnx_work_op *op = &work->ops[i];
        if (op->class == WORK_FC || op->class == WORK_ATTENTION || op->class == WORK_RECURRENT)
            flop[format_of(op->type)] += op->flop.item + op->flop.once;
    }
    for (int f = 0; f < N_FORMATS; f++)
        best = flop[f] > flop[best] ? f : best;
    return best;
}

// A label for people: what moves or computes most.
static int main_bound(const struct model *model)
{
    struct model_work work;
    model_derive(model, &work);
    const struct work *of = work.by_class;
    double layers = work_weight_bytes(&work) / 64; // of a request of some size
    for (int c = 0; c < N_WORK_CLASSES; c++)
        layers += c == WORK_EMBEDDING ? 0 : of[c].bytes_per_item + of[c].read_bytes_per_item;
    return of[WORK_RECURRENT].flop_per_item > of[WORK_FC].flop_per_item   ? BOUND_RECURRENT
           : of[WORK_ATTENTION].flop_per_item > of[WORK_FC].flop_per_item ? BOUND_ATTENTION
           : of[WORK_EMBEDDING].bytes_per_item > layers                   ? BOUND_EMBEDDING
                                                                          : BOUND_MLP;
}

// Every key within the range in which it is read back.
static int check_ranges(const struct model *model, struct err *err)
{
    struct model again = {.name = NULL};
    int rc = 0;
    for (const struct field *f = model_fields; f->key && rc == 0; f++) {
        char *text = schema_format(f, model);
        if (f->type != FIELD_STRING && f->type != FIELD_CHOICE &&
            schema_parse(f, text, &again, err) < 0)
            rc = err_prefix(err, "%s", f->key);
        mem_free(text);
    }
    model_release(&again);
    return rc;
}

static char *one_line(char *text)
{
    err_one_line(text);
    return text;
}

int onnx_work_model(const struct onnx_work *work, const char *name, const char *path,
                    struct model *model, struct err *err)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    const char *producer = work->graph->producer;
    *model = (struct model){.name = NULL};
    if (!name[strspn(name, " ")])
        return err_set(err, ERR_STUDY, "expected a name for the model (--name)");
    schema_defaults(model_fields, model);
    mem_free(model->name);
    mem_free(model->title);
    mem_free(model->class);
    mem_free(model->sources);
    model->name = one_line(mem_strdup(name));
    model->title = one_line(mem_printf("imported from %s", file));
    model->class = mem_strdup("imported");
    model->sources = one_line(mem_printf(
        "given: derived: the operators of %s, written by %s; items are its dimension \"%s\"", file,
        producer && *producer ? producer : "an unknown program", work->batch));
    model->variant = VARIANT_IMPORTED;
    model->interaction = INTERACT_GIVEN;
    model->format = main_format(work);
    take_classes(work, model);
    int rc = take_tables(work, model, err);
    if (rc == 0)
        rc = model_check(model, err);
    if (rc == 0)
        rc = check_ranges(model, err);
    if (rc == 0)
        model->bound = main_bound(model);
    else
        model_release(model);
    return rc;
}

static void print_sources(FILE *out, const char *sources)
{
    size_t key = strcspn(sources, ":");
    char *quoted = flow_quote(sources[key] ? sources + key + 2 : "");
    fprintf(out, "    sources:\n      %.*s: %s\n", (int)key, sources, quoted);
    mem_free(quoted);
}

char *onnx_work_yaml(const struct model *model)
{
    char *text = NULL;
    size_t size = 0;
    struct model plain = {.name = NULL};
    FILE *out = open_memstream(&text, &size);
    schema_defaults(model_fields, &plain);
    fprintf(out, "# By class of operator:");
    for (int c = 0; c < N_WORK_CLASSES; c++)
        fprintf(out, "%s %s", c > 0 ? "," : "", work_class_names[c]);
    fprintf(out, "\nmodels:\n");
    for (const struct field *f = model_fields; f->key; f++) {
        char *ours = schema_format(f, model), *usual = schema_format(f, &plain);
        bool is_list = f->type == FIELD_REALS, is_name = strcmp(f->key, "name") == 0;
        char *quoted = is_list ? mem_strdup(ours) : flow_quote(ours);
        if (strcmp(f->key, "sources") == 0)
            print_sources(out, ours);
        else if (strcmp(ours, usual) != 0)
            fprintf(out, "  %s %s: %s\n", is_name ? "-" : " ", f->key, quoted);
        mem_free(quoted);
        mem_free(ours);
        mem_free(usual);
    }
    fclose(out);
    model_release(&plain);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}
