// SPDX-License-Identifier: Apache-2.0
#include "models/cost_synthetic.h"

#define LONGEST_S 86400.0

static const struct field synthetic_fields[] = {
    FIELD(cost_config, "fixed", FIELD_REAL, UNIT_TIME, fixed_s, 0, LONGEST_S, "0",
          "time of a request, whatever its items"),
    FIELD(cost_config, "per_item", FIELD_REAL, UNIT_TIME, per_item_s, 0, LONGEST_S, "0",
          "time of a request per item"),
    FIELD(cost_config, "contention_frac", FIELD_REAL, UNIT_FRAC, contention_frac, 0, 100, "0",
          "extra time when every core is busy, in proportion below that"),
    FIELD(cost_config, "accel_fixed", FIELD_REAL, UNIT_TIME, accel_fixed_s, 0, LONGEST_S, "0",
          "accelerator: time to compute a query, whatever its items"),
    FIELD(cost_config, "accel_per_item", FIELD_REAL, UNIT_TIME, accel_per_item_s, 0, LONGEST_S, "0",
          "accelerator: time to compute a query per item"),
    FIELD(cost_config, "accel_load_fixed", FIELD_REAL, UNIT_TIME, accel_load_fixed_s, 0, LONGEST_S,
          "0", "accelerator: time to load a query, whatever its items"),
    FIELD(cost_config, "accel_load_per_item", FIELD_REAL, UNIT_TIME, accel_load_per_item_s, 0,
          LONGEST_S, "0", "accelerator: time to load a query per item"),
    FIELD(cost_config, "per_history", FIELD_REAL, UNIT_TIME, history_item_s, 0, LONGEST_S, "0",
          "time of a request per item of the query's history"),
    FIELD(cost_config, "per_item_history", FIELD_REAL, UNIT_TIME, item_history_s, 0, LONGEST_S, "0",
          "time of a request per pair of an item and one of the history"),
    FIELD(cost_config, "accel_per_history", FIELD_REAL, UNIT_TIME, accel_history_item_s, 0,
          LONGEST_S, "0", "accelerator: time to compute a query per item of its history"),
    FIELD(cost_config, "accel_per_item_history", FIELD_REAL, UNIT_TIME, accel_item_history_s, 0,
          LONGEST_S, "0", "accelerator: the same per pair of an item and one of the history"),
    COST_COLD_FIELDS,
    FIELD_END};

static double contended(const struct cost *cost, double s, uint32_t busy_cores)
{
    double frac = cost_config_of(cost)->contention_frac;
    int64_t cores = cost_platform_of(cost)->cores;
    if (frac == 0 || cores == 1)
        return s;
    return s * (1 + frac * (double)(busy_cores - 1) / (double)(cores - 1));
}

static double cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores)
{
    const struct cost_config *config = cost_config_of(cost);
    return contended(cost, config->fixed_s + config->per_item_s * items, busy_cores);
}

static void history(const struct cost *cost, enum cost_place place, uint32_t busy_cores,
                    struct cost_history *out)
{
    const struct cost_config *config = cost_config_of(cost);
    if (place == COST_CPU) {
        out->item_s = contended(cost, config->history_item_s, busy_cores);
        out->item_history_s = contended(cost, config->item_history_s, busy_cores);
    } else if (place == COST_ACCEL) {
        out->item_s = config->accel_history_item_s;
        out->item_history_s = config->accel_item_history_s;
    }
}

static double accel_load_s(const struct cost *cost, uint32_t items)
{
    const struct cost_config *config = cost_config_of(cost);
    return config->accel_load_fixed_s + config->accel_load_per_item_s * items;
}

static double accel_compute_s(const struct cost *cost, uint32_t items)
{
    const struct cost_config *config = cost_config_of(cost);
    return config->accel_fixed_s + config->accel_per_item_s * items;
}

static bool depends_on_busy(const struct cost *cost)
{
    return cost_config_of(cost)->contention_frac > 0 && cost_platform_of(cost)->cores > 1;
}

static bool has_accel(const struct cost *cost)
{
    const struct cost_config *config = cost_config_of(cost);
    return config->accel_fixed_s > 0 || config->accel_per_item_s > 0 ||
           config->accel_load_fixed_s > 0 || config->accel_load_per_item_s > 0;
}

// A server whose work takes no time at all would serve any rate: surely forgotten.
static int check(const struct cost *cost, struct err *err)
{
    const struct cost_config *config = cost_config_of(cost);
    if (config->fixed_s + config->per_item_s > 0)
        return 0;
    return err_set(err, ERR_STUDY, "fixed, per_item: a synthetic cost needs one of them above 0");
}

const struct cost_type cost_synthetic = {
    .name = "synthetic",
    .help = "affine in the items, for theory and benchmarks",
    .fields = synthetic_fields,
    .cpu_s = cpu_s,
    .accel_load_s = accel_load_s,
    .accel_compute_s = accel_compute_s,
    .depends_on_busy = depends_on_busy,
    .has_accel = has_accel,
    .history = history,
    .check = check,
};
