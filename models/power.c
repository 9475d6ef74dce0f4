// SPDX-License-Identifier: Apache-2.0
#include "models/power.h"

#include <assert.h>
#include <math.h>

// gamma = 1 is by far the commonest, and leaving pow() out of it keeps it exact everywhere.
double power_w(const struct power_curve *curve, double util_frac)
{
    double util = util_frac > 0 ? util_frac : 0;
    if (util > 1)
        util = 1;
    double shape = curve->gamma == 1 ? util : pow(util, curve->gamma);
    return curve->idle_w + (curve->busy_w - curve->idle_w) * shape;
}

int64_t power_energy_uj(const struct power_curve *curve, int64_t busy_ns, uint32_t n_units,
                        int64_t interval_ns)
{
    assert(busy_ns >= 0 && interval_ns >= 0);
    if (interval_ns == 0)
        return 0;
    double unit_ns = (double)n_units * (double)interval_ns;
    double util = n_units > 0 ? (double)busy_ns / unit_ns : 0;
    // Watts times nanoseconds are nanojoules.
    return llround(power_w(curve, util) * (double)interval_ns * 1e-3);
}

int power_check(const struct power_curve *curve, struct err *err)
{
    if (!(curve->idle_w >= 0 && curve->busy_w >= curve->idle_w))
        return err_set(err, ERR_STUDY, "busy_power: expected at least idle_power (%g W), got %g W",
                       curve->idle_w, curve->busy_w);
    if (!(curve->gamma > 0))
        return err_set(err, ERR_STUDY, "power_gamma: expected a number above 0, got %g",
                       curve->gamma);
    return 0;
}
