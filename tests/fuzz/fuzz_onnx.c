// SPDX-License-Identifier: Apache-2.0
// Any bytes are either a graph or one error line. What is a graph is passed, and what can be
// counted is written as a model.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/onnx_bag.h"
#include "study/onnx_file.h"
#include "study/onnx_work.h"

static void check_line(const struct err *err)
{
    if (err->code == ERR_NONE || !*err->text || strchr(err->text, '\n'))
        abort();
}

static int count(const struct onnx_graph *graph, const char *batch, struct err *err)
{
    const struct onnx_work_options options = {batch, NULL, 0};
    struct onnx_work work;
    struct model model;
    if (onnx_work_make(&work, graph, &options, err) < 0)
        return -1;
    int rc = onnx_work_model(&work, "fuzz", "fuzz.onnx", &model, err);
    if (rc == 0) {
        mem_free(onnx_work_yaml(&model));
        for (size_t i = 0; i < graph->n_nodes; i++)
            mem_free(onnx_work_shape(&work.ops[i]));
        model_release(&model);
    }
    onnx_work_release(&work);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct onnx_graph graph;
    struct err err = {0};
    if (onnx_file_parse(&graph, "fuzz.onnx", data, size, &err) < 0) {
        check_line(&err);
        return 0;
    }
    onnx_bag_fold(&graph);
    if (count(&graph, NULL, &err) < 0 && count(&graph, "n", &err) < 0)
        check_line(&err);
    onnx_file_release(&graph);
    return 0;
}
