// SPDX-License-Identifier: Apache-2.0
// lognormal: clamp(round(exp(N(mu, sigma))), 1, max_items).
#include "traces/qsize.h"

#include <math.h>

#include "traces/query.h"

static double lognormal_cdf(double x, double mu, double sigma)
{
    return 0.5 * erfc(-((log(x) - mu) / sigma) / sqrt(2.0));
}

// A size s stands for the reals that round to it; 1 takes the tail below it too.
static int lognormal_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                           struct err *err)
{
    (void)cut;
    if (!(config->sigma > 0))
        return err_set(err, ERR_STUDY, "sigma: expected more than 0, got %g", config->sigma);
    double below = 0;
    for (int64_t s = 1; s <= config->max_items + 1; s++) {
        double up_to =
            s > config->max_items ? 1.0 : lognormal_cdf((double)s + 0.5, config->mu, config->sigma);
        weights[s] = fmax(up_to - below, 0);
        below = up_to;
    }
    return 0;
}

static const struct field lognormal_fields[] = {
    FIELD(size_config, "mu", FIELD_REAL, UNIT_NONE, mu, -100, 100, "5.1", "mean of log(items)"),
    FIELD(size_config, "sigma", FIELD_REAL, UNIT_NONE, sigma, 0, 100, "0.2",
          "standard deviation of log(items), more than 0"),
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one"),
    FIELD_END,
};

const struct size_type qsize_lognormal = {
    .name = "lognormal",
    .help = "rounded lognormal",
    .fields = lognormal_fields,
    .weigh = lognormal_weigh,
};
