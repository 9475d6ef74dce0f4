// SPDX-License-Identifier: Apache-2.0
// normal: clamp(round(N(mean, sd)), 1, max_items).
#include "traces/qsize.h"

#include <math.h>

#include "traces/query.h"

static int normal_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                        struct err *err)
{
    (void)cut;
    if (!(config->sd_items > 0))
        return err_set(err, ERR_STUDY, "sd: expected more than 0 items, got %g", config->sd_items);
    double below = 0;
    for (int64_t s = 1; s <= config->max_items + 1; s++) {
        double z = ((double)s + 0.5 - config->mean_items) / config->sd_items;
        double up_to = s > config->max_items ? 1.0 : 0.5 * erfc(-z / sqrt(2.0));
        weights[s] = fmax(up_to - below, 0);
        below = up_to;
    }
    return 0;
}

static const struct field normal_fields[] = {
    FIELD(size_config, "mean", FIELD_REAL, UNIT_ITEMS, mean_items, 0, QUERY_MAX_ITEMS, "165",
          "mean before rounding and clamping"),
    FIELD(size_config, "sd", FIELD_REAL, UNIT_ITEMS, sd_items, 0, QUERY_MAX_ITEMS, "16",
          "standard deviation, more than 0"),
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one"),
    FIELD_END,
};

const struct size_type qsize_normal = {
    .name = "normal",
    .help = "rounded normal",
    .fields = normal_fields,
    .weigh = normal_weigh,
};
