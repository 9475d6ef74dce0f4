// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "app/cmd.h"
#include "app/job.h"
#include "base/mem.h"
#include "results/file/claim.h"
#include "results/file/durable.h"
#include "results/report/table.h"
#include "study/onnx_bag.h"
#include "study/onnx_file.h"
#include "study/onnx_work.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE",
     "where the model goes, for a folder of --catalog; else it is printed"},
    {"--force", 'f', NULL, "replace an existing file"},
    {"--name", 'n', "NAME", "of the model; else that of the file"},
    {"--batch-dim", 0, "NAME",
     "the dimension of the inputs that counts the items; several names with commas between; else "
     "the open first one"},
    {"--set", 's', "NAME=SIZE",
     "size of another dimension that the file leaves open; 30N is 30 of each item"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

static void put_number(struct table *table, double value)
{
    table_value(table, value == 0 ? mem_strdup("-") : table_number(value), value);
}

// Of names in a file, which may be anything, what a terminal can show.
static void put_text(struct table *table, const char *text)
{
    char *copy = mem_printf("%.40s", text);
    err_one_line(copy);
    table_cell(table, copy);
}

static void put_part(struct table *table, struct onnx_part part)
{
    put_number(table, part.item);
    put_number(table, part.once);
}

static void head_numbers(struct table *table)
{
    table_head(table, mem_strdup("FLOP/item"), "flop_per_item");
    table_head(table, mem_strdup("FLOP once"), "flop_per_request");
    table_head(table, mem_strdup("lookups/item"), "lookups_per_item");
    table_head(table, mem_strdup("lookups once"), "lookups_per_request");
    table_head(table, mem_strdup("B/item"), "bytes_per_item");
    table_head(table, mem_strdup("weights B"), "weight_bytes");
    table_line(table);
}

static void print_operators(struct report_out *out, const struct onnx_work *work)
{
    struct table *table = table_create(0);
    table_left(table, 4);
    table_texts(table, (const char *const[]){"operator", "name", "output", "class", NULL});
    head_numbers(table);
    for (size_t i = 0; i < work->graph->n_nodes; i++) {
        const struct onnx_work_op *op = &work->ops[i];
        if (!op->is_work)
            continue;
        put_text(table, op->node->op);
        put_text(table, *op->node->name ? op->node->name : op->node->outputs[0]);
        table_cell(table, onnx_work_shape(op));
        put_text(table, work_class_names[op->class]);
        put_part(table, op->flop);
        put_part(table, op->lookups);
        put_number(table, op->written_bytes.item + op->read_bytes.item + op->gathered_bytes.item);
        put_number(table, op->weight_bytes);
    }
    table_print(table, out, "operators");
    table_destroy(table);
}

static void put_class(struct table *table, const char *name, double n_ops, const struct work *work,
                      const struct model_work *lookups)
{
    put_text(table, name);
    put_number(table, n_ops);
    put_number(table, work->flop_per_item);
    put_number(table, work->request.flop);
    put_number(table, lookups ? lookups->lookups_per_item : 0);
    put_number(table, lookups ? lookups->lookups_per_request : 0);
    put_number(table, work->bytes_per_item + work->read_bytes_per_item);
    put_number(table, work->weight_bytes);
}

static void print_classes(struct report_out *out, const struct model *model)
{
    struct table *table = table_create(0);
    struct model_work work;
    struct work sum = {0};
    model_derive(model, &work);
    table_texts(table, (const char *const[]){"class", "operators", NULL});
    head_numbers(table);
    for (int c = 0; c < N_WORK_CLASSES; c++) {
        const struct work *of = &work.by_class[c];
        sum.flop_per_item += of->flop_per_item;
        sum.request.flop += of->request.flop;
        sum.bytes_per_item += of->bytes_per_item + of->read_bytes_per_item;
        sum.weight_bytes += of->weight_bytes;
        if (of->n_ops > 0)
            put_class(table, work_class_names[c], of->n_ops, of,
                      c == WORK_EMBEDDING ? &work : NULL);
    }
    put_class(table, "all", work_n_ops(&work), &sum, &work);
    table_print(table, out, "classes");
    table_destroy(table);
    report_text(out, "\ntables: %.6g B; a request brings %lld tensors, %.6g B/item and %.6g B\n",
                work.table_bytes, (long long)model->given_inputs,
                work.index_bytes_per_item + work.dense_bytes_per_item,
                work.index_bytes_per_request + work.dense_bytes_per_request);
}

// A claimed name, or none: then the model is printed.
static int want_output(struct cmd_line *line, const char **path, struct err *err)
{
    *path = cmd_value(line, "--output", NULL);
    if (!*path)
        return 0;
    if (job_claim(line, *path, err) < 0)
        return -1;
    return durable_check("output", *path,
                         cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW, 0, err);
}

static int write_text(const struct cmd_line *line, const char *path, const char *text,
                      struct err *err)
{
    struct durable_file file;
    enum durable_mode mode = cmd_given(line, "--force") ? DURABLE_REPLACE : DURABLE_NEW;
    if (durable_open(&file, "output", path, mode, err) < 0)
        return -1;
    int reason = durable_write(file.fd, text, strlen(text));
    if (reason == 0)
        return durable_publish(&file, err);
    durable_discard(&file);
    return err_set(err, ERR_FAIL, "%s: cannot be written: %s", path, strerror(reason));
}

static int print_model(const struct cmd_line *line, const struct onnx_work *work,
                       const struct model *model, const char *output, struct err *err)
{
    char *text = onnx_work_yaml(model);
    int rc = output ? write_text(line, output, text, err) : 0;
    struct report_out out = cmd_report_out(line);
    if (rc == 0) {
        report_text(&out, "%s: N items are its dimension \"%.40s\"\n\n", line->args[1],
                    work->batch);
        print_operators(&out, work);
        print_classes(&out, model);
        report_text(&out, output ? "model \"%s\": %s\n" : "\n%.0s# as a file for a catalogue:\n%s",
                    model->name, output ? output : text);
        report_end(&out);
    }
    mem_free(text);
    return rc;
}

// "folder/m.onnx" is "m"; caller mem_free()s.
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    size_t n = strlen(file), end = n > 5 && strcmp(file + n - 5, ".onnx") == 0 ? n - 5 : n;
    return mem_printf("%.*s", (int)end, file);
}

static int import_graph(struct cmd_line *line, const struct onnx_graph *graph, const char *output,
                        struct err *err)
{
    const struct onnx_work_options want = {cmd_value(line, "--batch-dim", NULL), line->settings,
                                           line->n_settings};
    char *file_name = name_of(line->args[1]);
    struct onnx_work work;
    struct model model = {.name = NULL};
    int rc = onnx_work_make(&work, graph, &want, err);
    if (rc == 0)
        rc = onnx_work_model(&work, cmd_value(line, "--name", file_name), line->args[1], &model,
                             err);
    if (rc < 0)
        err_prefix(err, "%s", line->args[1]);
    else
        rc = print_model(line, &work, &model, output, err);
    model_release(&model);
    onnx_work_release(&work);
    mem_free(file_name);
    return rc;
}

static int import(struct cmd_line *line, struct err *err)
{
    struct onnx_graph graph;
    const char *output;
    if (want_output(line, &output, err) < 0 || onnx_file_read(&graph, line->args[1], err) < 0)
        return -1;
    onnx_bag_fold(&graph);
    int rc = import_graph(line, &graph, output, err);
    onnx_file_release(&graph);
    return rc;
}

static int model_command(struct cmd_line *line, struct err *err)
{
    static const char *const verbs[] = {"import"};
    const char *verb = line->args[0];
    if (strcmp(verb, verbs[0]) != 0) {
        const char *near = schema_nearest(verb, verbs, 1);
        err_set(err, ERR_STUDY, "recfleet model: expected import, got \"%.60s\"", verb);
        return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
    }
    int rc = import(line, err);
    claim_release(line->claim);
    line->claim = NULL;
    return rc;
}

const struct cmd cmd_model = {
    .name = "model",
    .help = "import an ONNX graph as a model of the catalogue",
    .arguments = "import FILE",
    .min_args = 2,
    .max_args = 2,
    .description =
        "\"import GRAPH\" reads an ONNX file and counts what each of its operators computes, moves "
        "and looks up, per item and once per request, with its parameters. It prints them, their "
        "sums by class of operator, and the graph as a model that studies name like any other, "
        "from a folder of --catalog (docs/models.md). Weights may be in other files: their "
        "sizes are enough. Operators that it does not know are an error that lists them.",
    .example = "recfleet model import ranker.onnx --batch-dim batch -o catalog/ranker.yaml",
    .options = options,
    .run = model_command,
};
