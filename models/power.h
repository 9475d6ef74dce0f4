// SPDX-License-Identifier: Apache-2.0
// power: watts of one component from its utilisation.
//
//     watts = idle + (busy - idle) * utilisation ^ gamma
//
// Utilisation is a mean over an interval (a time bin), so a power here is a mean over that interval
// and energy is power times its length. gamma = 1 makes that exact at any interval length.
#ifndef MODELS_POWER_H
#define MODELS_POWER_H

#include <stdint.h>

#include "base/err.h"

struct power_curve {
    double idle_w, busy_w; // 0 <= idle <= busy
    double gamma;          // > 0
};

// Watts at `util_frac`, clamped to 0..1.
double power_w(const struct power_curve *curve, double util_frac);

// Energy over an interval in whole microjoules (integers merge exactly in any order).
// busy_ns: time the component's `n_units` units were busy, summed over units.
int64_t power_energy_uj(const struct power_curve *curve, int64_t busy_ns, uint32_t n_units,
                        int64_t interval_ns);

// Fails unless 0 <= idle <= busy and gamma > 0; the text names the platform key.
int power_check(const struct power_curve *curve, struct err *err);

#endif
