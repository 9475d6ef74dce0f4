// SPDX-License-Identifier: Apache-2.0
// production: the heavy-tailed sizes of a production recommender.
//
// The form that the Kairos artefact (Li et al., HPDC 2023: github.com/boringlee24/hpdc23-kairos,
// helper.py) gives for the query trace of DeepRecSys (Gupta et al., ISCA 2020): an integer draw of
// 1..99 picks a part, so the shares are 99ths. The last part is a lognormal(5.1, 0.2) whose values
// outside 100..200 are replaced by U{190..199}; the artefact leaves it real, here it is rounded.
#include "traces/qsize.h"

#include <math.h>

#include "traces/query.h"

#define LOG_MU 5.1
#define LOG_SIGMA 0.2
#define BODY_LOW 100
#define BODY_HIGH 200

// Adds `share` to weights, spread evenly over low .. high; what is above the cap is one larger.
static void add_uniform(double *weights, int64_t cap, int64_t low, int64_t high, double share)
{
    for (int64_t s = low; s <= high; s++)
        weights[s <= cap ? s : cap + 1] += share / (double)(high - low + 1);
}

static double body_cdf(double x)
{
    return 0.5 * erfc(-((log(x) - LOG_MU) / LOG_SIGMA) / sqrt(2.0));
}

static void add_body(double *weights, int64_t cap, double share)
{
    double inside = body_cdf(BODY_HIGH) - body_cdf(BODY_LOW);
    for (int64_t s = BODY_LOW; s <= BODY_HIGH; s++) {
        double low = fmax((double)s - 0.5, BODY_LOW), high = fmin((double)s + 0.5, BODY_HIGH);
        weights[s <= cap ? s : cap + 1] += share * (body_cdf(high) - body_cdf(low));
    }
    add_uniform(weights, cap, 190, 199, share * (1 - inside));
}

static int production_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                            struct err *err)
{
    (void)cut;
    (void)err;
    int64_t cap = config->max_items;
    add_uniform(weights, cap, 1, 99, 8.0 / 99);
    add_uniform(weights, cap, 200, 599, 22.0 / 99);
    add_uniform(weights, cap, 600, 999, 5.0 / 99);
    add_body(weights, cap, 64.0 / 99);
    return 0;
}

static const struct field production_fields[] = {
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one; the distribution ends at 999 by itself"),
    FIELD_END,
};

const struct size_type qsize_production = {
    .name = "production",
    .help = "heavy-tailed, 1 to 999 items, mean 239: the largest quarter carries half of the work",
    .fields = production_fields,
    .weigh = production_weigh,
};
