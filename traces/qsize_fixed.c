// SPDX-License-Identifier: Apache-2.0
// fixed: every query has the same size.
#include "traces/qsize.h"

#include "traces/query.h"

static int fixed_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                       struct err *err)
{
    (void)cut;
    if (config->items < 1 || config->items > config->max_items)
        return err_set(err, ERR_STUDY, "items: expected 1 to %lld, got %lld",
                       (long long)config->max_items, (long long)config->items);
    weights[config->items] = 1;
    return 0;
}

static const struct field fixed_fields[] = {
    FIELD(size_config, "items", FIELD_INT, UNIT_ITEMS, items, 1, QUERY_MAX_ITEMS, NULL,
          "candidate items of every query"),
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "65535",
          "largest size allowed"),
    FIELD_END,
};

const struct size_type qsize_fixed = {
    .name = "fixed",
    .help = "every query has the same number of items",
    .fields = fixed_fields,
    .weigh = fixed_weigh,
};
