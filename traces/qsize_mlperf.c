// SPDX-License-Identifier: Apache-2.0
// mlperf: the twenty equally likely sizes of MLPerf inference's DLRM server scenario.
//
// Source: github.com/mlcommons/inference_policies issue 137, github.com/mlcommons/inference issues
// 784 and 1975.
#include "traces/qsize.h"

#include "traces/query.h"

static const struct {
    int64_t items;
    double twentieths;
} parts[] = {{100, 2}, {200, 12}, {300, 2}, {400, 1}, {500, 1}, {600, 1}, {700, 1}};

static int mlperf_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                        struct err *err)
{
    (void)cut;
    (void)err;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int64_t items = parts[i].items;
        weights[items <= config->max_items ? items : config->max_items + 1] += parts[i].twentieths;
    }
    return 0;
}

static const struct field mlperf_fields[] = {
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one; the distribution ends at 700 by itself"),
    FIELD_END,
};

const struct size_type qsize_mlperf = {
    .name = "mlperf",
    .help = "100 to 700 items in hundreds, as MLPerf inference draws them for DLRM",
    .fields = mlperf_fields,
    .weigh = mlperf_weigh,
};
